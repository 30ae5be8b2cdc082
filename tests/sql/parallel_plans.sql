-- Parallel plans: their shape, and that they give what serial plans give.
create table big (id int primary key, a int, b int, c text, d numeric, e date);
insert into big select i, i % 100, (i * 79) % 1007, 'text ' || (i % 1000), (i % 977) * 1.5, date '2020-01-01' + (i % 1500) from generate_series(1, 20000) i;
create index big_b on big (b);
create table mid (id int, k int, t text, v float8);
insert into mid select i, i % 500, md5(i::text), i * 0.25 from generate_series(1, 10000) i;
create index mid_id on mid (id);
create table dim (id int primary key, name text);
insert into dim select i, 'dim' || i from generate_series(0, 99) i;
alter table big set (parallel_workers = 2);
alter table mid set (parallel_workers = 2);
vacuum analyze big;
vacuum analyze mid;
vacuum analyze dim;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set max_parallel_workers_per_gather = 4;
create function unsafe_one(int) returns int language sql parallel unsafe strict as 'select $1 + count(*)::int from dim where id < 0';
create function restricted_one(int) returns int language sql parallel restricted strict as 'select $1 + count(*)::int from dim where id < 0';

-- scans
explain (costs off) select * from big where a = 5;
select count(*), sum(id), min(c), max(d) from (select * from big where a = 5) x;
explain (costs off) select * from big where c = 'text 7' and d > 100;
select count(*), sum(id) from big where c = 'text 7' and d > 100;
explain (costs off) select * from big order by d, id limit 5;
select * from big order by d, id limit 5;
explain (costs off) select c, id from big where a < 50 order by c, id;
select count(*), sum(n) from (select row_number() over () * id n from (select c, id from big where a < 50 order by c, id) x) y;

-- aggregates
explain (costs off) select count(*) from big;
select count(*) from big;
explain (costs off) select count(*), sum(a), avg(b), min(c), max(d), sum(d), stddev(d) from big where b < 500;
select count(*), sum(a), avg(b), min(c), max(d), sum(d), round(stddev(d), 10) from big where b < 500;
explain (costs off) select a, count(*), sum(b) from big group by a;
select a, count(*), sum(b) from big group by a order by a limit 5;
explain (costs off) select a, count(*), sum(b) from big group by a order by a;
explain (costs off) select a, count(*) from big group by a having count(*) > 10 order by 2 desc, 1 limit 5;
select a, count(*) from big group by a having count(*) > 10 order by 2 desc, 1 limit 5;
explain (costs off) select a, count(distinct b) from big group by a;
explain (costs off) select string_agg(c, ',' order by c) from big where a = 3;
explain (costs off) select array_agg(a) from big;
explain (costs off) select distinct a from big;
select count(*), sum(a) from (select distinct a from big) x;
explain (costs off) select a from big group by a;
explain (costs off) select count(*) filter (where a < 10), bool_and(b >= 0), every(a < 100) from big;
select count(*) filter (where a < 10), bool_and(b >= 0), every(a < 100) from big;
explain (verbose, costs off) select id, a, b, c, d, e from big where a = 3;
set enable_hashagg = off;
explain (costs off) select a, count(*) from big group by a;
select sum(a * n) from (select a, count(*) n from big group by a) x;
explain (costs off) select distinct a from big;
reset enable_hashagg;

-- joins
explain (costs off) select count(*) from big join dim on big.a = dim.id;
select count(*) from big join dim on big.a = dim.id;
explain (costs off) select dim.name, sum(big.b) from big join dim on big.a = dim.id group by dim.name order by 1;
select dim.name, sum(big.b) from big join dim on big.a = dim.id group by dim.name order by 1 limit 4;
set enable_mergejoin = off;
set enable_nestloop = off;
explain (costs off) select count(*), sum(mid.k) from big join mid on big.id = mid.id;
select count(*), sum(mid.k) from big join mid on big.id = mid.id;
explain (costs off) select count(*) from big where not exists (select from mid where mid.id = big.id);
select count(*) from big where not exists (select from mid where mid.id = big.id);
explain (costs off) select count(*) from big where exists (select 1 from mid where mid.id = big.id and mid.k < 100);
select count(*) from big where exists (select 1 from mid where mid.id = big.id and mid.k < 100);
set enable_parallel_hash = off;
explain (costs off) select count(*), sum(mid.k) from big join mid on big.id = mid.id;
select count(*), sum(mid.k) from big join mid on big.id = mid.id;
reset enable_parallel_hash;
reset enable_mergejoin;
set enable_hashjoin = off;
select count(*), sum(mid.k) from big join mid on big.id = mid.id;
reset enable_nestloop;
set enable_mergejoin = off;
explain (costs off) select count(*), sum(big.b) from mid join big on big.id = mid.id;
select count(*), sum(big.b) from mid join big on big.id = mid.id;
reset enable_hashjoin;
reset enable_mergejoin;
explain (costs off) select count(*) from big full join mid on big.id = mid.id;
select count(*) from big full join mid on big.id = mid.id;

-- sub-selects
explain (costs off) select count(*) from big where a = (select max(id) from dim);
select count(*) from big where a = (select max(id) from dim);
explain (costs off) select count(*) from big where a not in (select id from dim where name like 'dim1%');
select count(*) from big where a not in (select id from dim where name like 'dim1%');
explain (costs off) select * from (select a, sum(b) s from big group by a) x join dim on x.a = dim.id where s > 100000;
explain (costs off) with x as (select * from big where a < 5) select count(*) from x;
explain (costs off) with x as materialized (select * from big where a < 5) select count(*) from x;
with x as materialized (select * from big where a < 5) select count(*) from x;
explain (costs off) select * from (select * from big where a = 5 order by id limit 10) x where b < 500;

-- several inputs
explain (costs off) select count(*) from (select a from big union all select k from mid) u;
select count(*), sum(a) from (select a from big union all select k from mid) u;
set enable_parallel_append = off;
explain (costs off) select count(*) from (select a from big union all select k from mid) u;
select count(*), sum(a) from (select a from big union all select k from mid) u;
reset enable_parallel_append;
select count(*), sum(a) from (select a from big union select k from mid) u;

-- what stays in the leader, and what forbids workers
explain (costs off) select restricted_one(a) from big where a = 3;
explain (costs off) select count(*) from big where restricted_one(a) = 3;
explain (costs off) select unsafe_one(a) from big;
explain (costs off) select nextval('big_seq') from big;
create sequence big_seq;
explain (costs off) select nextval('big_seq') from big;
explain (costs off) select a from big where a = 3 for update;
explain (costs off) insert into dim select a + 1000, c from big where id < 10;
explain (costs off) with w as (delete from dim where id < 0 returning 1) select count(*) from big;
create temp table local_big as select * from dim;
explain (costs off) select count(*) from big join local_big on big.a = local_big.id;
explain (costs off) declare c cursor for select count(*) from big;
set max_parallel_workers_per_gather = 0;
explain (costs off) select count(*) from big;
set max_parallel_workers_per_gather = 1;
explain (costs off) select count(*) from big;
set max_parallel_workers_per_gather = 4;
alter table big set (parallel_workers = 0);
explain (costs off) select count(*) from big;
alter table big set (parallel_workers = 3);
explain (costs off) select count(*) from big;
alter table big reset (parallel_workers);
set min_parallel_table_scan_size = '1MB';
explain (costs off) select count(*) from big;
set min_parallel_table_scan_size = '64kB';
explain (costs off) select count(*) from big;
reset min_parallel_table_scan_size;
explain (costs off) select count(*) from big;
alter table big set (parallel_workers = 2);

-- statements that run queries
explain (costs off) create table made as select a, count(*) n from big group by a;
create table made as select a, count(*) n from big group by a;
select count(*), sum(n) from made;
create materialized view seen as select a, sum(b) s from big group by a;
refresh materialized view seen;
select count(*), sum(s) from seen;
prepare p(int) as select count(*), sum(b) from big where a = $1;
explain (costs off) execute p(3);
execute p(3);
set plan_cache_mode = force_generic_plan;
explain (costs off) execute p(3);
execute p(4);
reset plan_cache_mode;
explain (costs off, format json) select a from big where a = 3;
explain (costs off, format json) select a, count(*) from big group by a;
explain (costs off, format yaml) select count(*) from big;
explain (costs off, format xml) select a from big where a = 3;

-- one worker for everything
set force_parallel_mode = on;
explain (costs off) select * from dim where id < 3;
select * from dim where id < 3;
explain select 1;
explain (costs off) select * from local_big;
explain (costs off) select * from dim where id = (select 1);
explain (costs off, format json) select 1;
set force_parallel_mode = regress;
explain (costs off) select * from dim where id < 3;
select * from dim where id < 3;
reset force_parallel_mode;
-- one worker runs it all: the index's columns reach the leader
create table only_index(a int primary key);
insert into only_index select generate_series(1, 100);
vacuum analyze only_index;
set force_parallel_mode = on;
set enable_seqscan = off;
set enable_bitmapscan = off;
explain (costs off) select a from only_index where a < 4;
select a from only_index where a < 4;
select a + 1 as b from only_index where a < 4 order by a desc;
set force_parallel_mode = regress;
select a from only_index where a < 4;
reset force_parallel_mode;
reset enable_seqscan;
reset enable_bitmapscan;
drop table only_index;
