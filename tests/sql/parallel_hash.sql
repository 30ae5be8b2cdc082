-- Parallel Hash Join: the processes build one table together.
\set SHOW_CONTEXT never
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set max_parallel_workers_per_gather = 2;
set enable_mergejoin = off;
set enable_nestloop = off;
create table a (id int, k bigint, t text, n numeric, u uuid, f float8, s smallint, d date, b bool) with (autovacuum_enabled = off);
insert into a select i, i % 5000, 'text ' || i % 5000, i % 5000 / 4.0, md5((i % 5000)::text)::uuid, i % 5000 / 8.0, i % 5000, date '2000-01-01' + i % 5000, i % 2 = 0
  from generate_series(1, 20000) i;
insert into a select i, null, null, null, null, null, null, null, null from generate_series(1, 50) i;
create table b (id int, k int, t text, n numeric, u uuid, f float8, s int, d date, b bool, wide text) with (autovacuum_enabled = off);
insert into b select i, i * 2, 'text ' || i * 2, i * 2 / 4.0, md5((i * 2)::text)::uuid, i * 2 / 8.0, i * 2, date '2000-01-01' + i * 2, i % 3 = 0, repeat('x', i % 90)
  from generate_series(1, 9000) i;
insert into b select i, null, null, null, null, null, null, null, null, null from generate_series(1, 70) i;
analyze a;
analyze b;
explain (costs off) select count(*) from a join b on a.k = b.k;
-- keys of all kinds
select count(*), sum(a.id), sum(b.id) from a join b on a.k = b.k;
select count(*), sum(a.id), sum(b.id) from a join b on a.s = b.s;
select count(*), sum(a.id), sum(b.id) from a join b on a.t = b.t;
select count(*), sum(a.id), sum(b.id) from a join b on a.n = b.n;
select count(*), sum(a.id), sum(b.id) from a join b on a.u = b.u;
select count(*), sum(a.id), sum(b.id) from a join b on a.f = b.f;
select count(*), sum(a.id), sum(b.id) from a join b on a.d = b.d;
select count(*), sum(a.id), sum(b.id) from a join b on a.k = b.k and a.b = b.b;
select count(*), sum(a.id), sum(b.id) from a join b on a.k = b.k and a.t = b.t and a.n = b.n;
-- keys that are computed
select count(*), sum(a.id), sum(b.id) from a join b on a.k + 1 = b.k + 1;
select count(*), sum(a.id), sum(b.id) from a join b on upper(a.t) = upper(b.t);
select count(*), sum(a.id), sum(b.id) from a join b on a.k = b.k and a.id < b.id;
-- kinds of join
select count(*), count(b.id), sum(a.id), sum(length(b.wide)) from a left join b on a.k = b.k;
select count(*), count(b.id), sum(a.id), sum(length(b.wide)) from a left join b on a.k = b.k and a.id < b.id;
select count(*), sum(a.id) from a where exists (select from b where a.k = b.k);
select count(*), sum(a.id) from a where exists (select from b where a.k = b.k and a.id <> b.id);
select count(*), sum(a.id) from a where not exists (select from b where a.k = b.k);
select count(*), sum(a.id) from a where not exists (select from b where a.t = b.t and a.id > b.id);
select count(*), count(a.id), count(b.id) from a full join b on a.k = b.k;
select count(*), count(a.id), count(b.id) from a right join b on a.k = b.k;
-- values of all kinds come back
select a.id, b.* from a join b on a.t = b.t where a.id < 20 order by a.id;
select md5(string_agg(b.t || b.n || b.u || b.f || b.s || b.d || b.b || b.wide, ',' order by a.id)) from a join b on a.k = b.k;
-- nothing there
select count(*) from a join b on a.k = b.k where b.id < 0;
select count(*) from a left join b on a.k = b.k and b.id < 0;
select count(*) from a where not exists (select from b where a.k = b.k and b.id < 0);
-- several tables
explain (costs off) select count(*) from a join b on a.k = b.k join b c on b.id = c.id join a e on e.id = c.s;
select count(*), sum(a.id), sum(c.id), sum(length(c.wide)) from a join b on a.k = b.k join b c on b.id = c.id join a e on e.id = c.s;
-- more rows than was thought, and than memory holds
set work_mem = '64kB';
set hash_mem_multiplier = 1;
explain (costs off) select count(*) from a join b on a.k = b.k;
select count(*), sum(a.id), sum(b.id), sum(length(b.wide)) from a join b on a.k = b.k;
select count(*), sum(a.id), sum(b.id), sum(length(b.wide)) from a join b on a.t = b.t;
select count(*), sum(a.id), sum(b.id) from a join b on upper(a.t) = upper(b.t);
select count(*), count(b.id), sum(a.id), sum(length(b.wide)) from a left join b on a.k = b.k;
select count(*), sum(a.id) from a where not exists (select from b where a.k = b.k);
select count(*), sum(a.id), sum(c.id), sum(length(c.wide)) from a join b on a.k = b.k join b c on b.id = c.id join a e on e.id = c.s;
create table grown (k int, t text) with (autovacuum_enabled = off);
insert into grown select i, 'few' from generate_series(1, 10) i;
analyze grown;
insert into grown select i % 3000, repeat('many', i % 40) from generate_series(1, 60000) i;
select count(*), sum(length(g.t)) from a join grown g on a.k = g.k;
reset work_mem;
select count(*), sum(length(g.t)) from a join grown g on a.k = g.k;
reset hash_mem_multiplier;
-- again and again
prepare q (int) as select count(*), sum(b.id) from a join b on a.k = b.k where b.id > $1;
execute q (10);
execute q (8000);
execute q (100000);
select x, (select count(*) from a join b on a.k = b.k where b.id > x) from generate_series(0, 3000, 1000) x order by x;
-- errors of those who build
select count(*) from a join b on a.k = b.k where 100 / (b.id - 77) < 1000;
select count(*) from a join b on a.k = 10 / (b.id - 8999);
-- workers only
set parallel_leader_participation = off;
select count(*), sum(a.id), sum(b.id), sum(length(b.wide)) from a join b on a.k = b.k;
reset parallel_leader_participation;
set max_parallel_workers = 0;
select count(*), sum(a.id), sum(b.id), sum(length(b.wide)) from a join b on a.k = b.k;
reset max_parallel_workers;
-- a small side decides what is read of a large one
reset enable_nestloop;
create table small (k int, t text);
insert into small select i * 30, 't' from generate_series(1, 40) i;
insert into small values (null, 'null');
analyze small;
set enable_nestloop = off;
select count(*), sum(s.k), sum(g.k) from small s left join (select k, count(*) c from grown group by k) g on g.k = s.k;
select s.k, (select count(*) from a join grown g on a.k = g.k where a.k = s.k) from small s where s.k < 100 order by 1;
drop table a, b, grown, small;
