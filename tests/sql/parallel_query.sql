-- Results of parallel plans: every node that shares its work, every aggregate that is split.
\set SHOW_CONTEXT never
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set min_parallel_index_scan_size = 0;
set max_parallel_workers_per_gather = 2;
create table pq(a int, b int, k int, c text, n numeric, f float8, d date, i interval, t timestamp, m money, bo bool, bi bit(8), s smallint, l bigint, r real);
insert into pq select g, g % 10, (g * 7919) % 20000, 'row ' || g, g::numeric / 8, g::float8 / 2, date '2020-01-01' + g % 1000,
  (g % 50) * interval '1 hour', timestamp '2020-01-01' + g * interval '1 minute', (g % 100)::money, g % 3 = 0, (g % 256)::bit(8), g % 100, g::bigint * 1000000000, g % 7
  from generate_series(1, 20000) g;
insert into pq select null from generate_series(1, 50);
create index pq_a on pq(a);
create index pq_k on pq(k);
create table pu(a int primary key, d int, s text);
insert into pu select g, g % 100, repeat('x', g % 30) from generate_series(1, 8000) g;
vacuum analyze pq;
vacuum analyze pu;
-- every aggregate that can be split
select count(*), count(a), sum(a), sum(l), sum(s), sum(n), avg(a), avg(s), avg(l), avg(n) from pq;
select sum(f), avg(f), sum(r), avg(r), sum(i), avg(i), sum(m) from pq;
select min(a), max(a), min(c), max(c), min(n), max(n), min(f), max(f), min(d), max(d), min(i), max(i), min(t), max(t), min(m), max(m) from pq;
select bool_and(bo), bool_or(bo), every(bo), bit_and(s), bit_or(s), bit_xor(s), bit_and(bi), bit_or(bi), bit_xor(bi), bit_xor(l) from pq;
select round(variance(a), 6), round(stddev(n), 6), round(var_pop(s), 6), round(stddev_pop(l), 2), round(var_samp(n), 6) from pq;
select round(variance(f)::numeric, 4), round(stddev_pop(f)::numeric, 4), round(corr(f, a)::numeric, 6), round(regr_slope(f, a)::numeric, 6),
  regr_count(f, a), round(covar_pop(f, a)::numeric, 2), round(regr_avgx(f, a)::numeric, 3) from pq;
select min(array[a, b]), max(array[a, b]) from pq where a is not null;
select count(*) filter (where b = 3), sum(a) filter (where bo) from pq;
select range_intersect_agg(int4range(-a, 30000 + a)) from pq where a is not null;
-- of one's own
create aggregate psum(int) (sfunc = int4larger, stype = int, combinefunc = int4larger, parallel = safe);
create function pq_add(bigint, int) returns bigint immutable parallel safe language sql as 'select coalesce($1, 0) + coalesce($2, 0)';
create function pq_both(bigint, bigint) returns bigint immutable parallel safe language sql as 'select coalesce($1, 0) + coalesce($2, 0)';
create aggregate padd(int) (sfunc = pq_add, stype = bigint, combinefunc = pq_both, parallel = safe);
select psum(a), padd(b), padd(k) filter (where a < 100) from pq;
select b, psum(a), padd(a) from pq group by b order by b;
drop aggregate psum(int);
drop aggregate padd(int);
drop function pq_add(bigint, int), pq_both(bigint, bigint);
-- these are not split
select count(distinct b), length(string_agg(c, ',' order by a)), array_length(array_agg(a), 1) from pq;
-- groups
select b, count(*), sum(n), min(c) from pq group by b order by b;
select b, bo, count(*) from pq group by b, bo having count(*) > 600 order by 1, 2;
select distinct b from pq order by b;
set enable_hashagg = off;
select b, count(*), avg(a) from pq group by b order by b;
reset enable_hashagg;
select count(*) from (select a, count(*) from pq group by a) x;
select sum(x) from (select b + 1 as x, max(k) from pq group by b + 1) y;
-- filters, orders, limits
select a, c from pq where b = 3 and a < 60 order by a;
select a, k from pq where b = 3 order by k limit 5;
select a from pq order by c desc nulls last limit 3;
select count(*) from (select a from pq limit 777) x;
select a from pq where a > 19990 order by a offset 2 limit 3;
-- joins
select count(*), sum(pq.k), sum(pu.d) from pq join pu on pq.a = pu.a where pq.b < 5;
select count(*), count(pu.a) from pq left join pu on pq.a = pu.a and pu.d < 50;
select count(*) from pq where a in (select a from pu where d > 50);
select count(*) from pq where not exists (select from pu where pu.a = pq.a);
select count(*), count(pq.a), count(pu.a) from pq full join pu on pq.a = pu.a + 19000;
select count(*) from pq right join pu on pq.a = pu.a * 3;
set enable_parallel_hash = off;
select count(*), sum(pq.k), sum(pu.d) from pq join pu on pq.a = pu.a where pq.b < 5;
set enable_hashjoin = off;
select count(*), sum(pq.k), sum(pu.d) from pq join pu on pq.a = pu.a where pq.b < 5;
set enable_mergejoin = off;
select count(*), sum(pq.k), sum(pu.d) from pq join pu on pq.a = pu.a where pq.b < 5;
reset enable_hashjoin;
reset enable_mergejoin;
reset enable_parallel_hash;
set work_mem = '64kB';
select count(*), sum(pq.k), sum(length(pu.s)) from pq join pu on pq.a = pu.a;
select count(*) from (select c, count(*) from pq group by c) x;
reset work_mem;
-- indexes
set enable_seqscan = off;
select count(*), sum(n) from pq where a between 1000 and 15000;
select count(*) from pq where a in (5, 17, 900, 19999, 20001);
select count(*) from pq where k > 100 and k < 19000 and b = 4;
select a from pq where a > 19000 and b = 7 order by a desc limit 4;
set enable_indexscan = off;
set enable_indexonlyscan = off;
select count(*), sum(n) from pq where a between 1000 and 15000;
select count(*) from pq where a < 3000 or k > 18000;
set enable_bitmapscan = off;
reset enable_indexonlyscan;
select count(*) from pq where a between 1000 and 15000;
reset enable_seqscan;
reset enable_indexscan;
reset enable_bitmapscan;
-- sub-plans, init-plans, parameters
select count(*) from pq where n > (select avg(n) from pq);
select count(*) from pu where d < (select count(*) from pq where pq.a = pu.a) + 20;
select count(*) from pq where a = any (array(select a from pu where d = 3));
with x as materialized (select b, count(*) as c from pq group by b) select sum(c) from x where b < 5;
prepare p(int) as select count(*), sum(a) from pq where b = $1;
execute p(3);
execute p(4);
execute p(null);
deallocate p;
select b, (select count(*) from pq y where y.b = x.b) from (values (1), (2), (3)) x(b);
select x.b, y.c from (values (1), (2)) x(b), lateral (select count(*) as c from pq where b = x.b) y;
select count(*) from pq union all select count(*) from pu order by 1;
-- cursors
begin;
declare c cursor for select a from pq where b = 1 order by a;
fetch 3 from c;
fetch all from c \g /dev/null
close c;
-- the transaction's own changes
insert into pq(a, b) values(50000, 3);
select count(*), max(a) from pq where b = 3;
savepoint x;
delete from pq where b = 3 and a > 100;
select count(*) from pq where b = 3;
rollback to x;
select count(*) from pq where b = 3;
rollback;
select count(*) from pq where b = 3;
create temp table made as select b, count(*) as c from pq group by b;
select * from made order by b;
-- errors
select count(*) from pq where 1 / (a - 15000) = 7;
select sum(a * 1000000) from pq where a > 10000;
set parallel_leader_participation = off;
select count(*) from pq where 1 / (a - 15000) = 7;
select count(*), sum(a) from pq;
select a from pq where b = 2 order by a limit 2;
set max_parallel_workers = 0;
select count(*), sum(a) from pq;
select a from pq where b = 2 order by a limit 2;
reset max_parallel_workers;
reset parallel_leader_participation;
-- what a worker may not do
create sequence pseq;
create function writes(int) returns int parallel safe language sql as 'insert into pu values(-$1) returning 1';
create function takes(int) returns bigint parallel safe language sql volatile as 'select nextval(''pseq'')';
set parallel_leader_participation = off;
select count(writes(a)) from pq where b = 3;
select count(takes(a)) from pq where b = 3;
reset parallel_leader_participation;
drop function writes(int), takes(int);
drop table pq, pu, made;
drop sequence pseq;
