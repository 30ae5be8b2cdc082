-- EXPLAIN's options and formats, where what they print is determined.
create table ft (a int primary key, b int);
create table gt (a int references ft, b int);
insert into ft select i, i % 10 from generate_series(1, 2000) i;
insert into gt select i, i % 10 from generate_series(1, 2000) i;
vacuum analyze ft;
vacuum analyze gt;
explain (analyze, costs off, timing off, summary off, format json) select a from ft where a between 10 and 20;
explain (analyze, costs off, timing off, summary off, format yaml) select a from ft where a between 10 and 20;
explain (analyze, costs off, timing off, summary off, format xml) select a from ft where a between 10 and 20 and b > 3;
-- Triggers of foreign keys
explain (analyze, costs off, timing off, summary off) insert into gt values (1, 2), (1, 3), (null, 4);
explain (analyze, costs off, timing off, summary off) update gt set a = 2 where a = 1;
explain (analyze, costs off, timing off, summary off) update gt set b = 2 where a = 2;
explain (analyze, costs off, timing off, summary off) insert into gt values (99999, 1);
create table c1 (x int primary key);
create table c2 (y int references c1 on delete cascade, z int references c1 on update cascade on delete set null);
insert into c1 select generate_series(1, 5);
insert into c2 values (1, 2), (3, 4);
explain (analyze, costs off, timing off, summary off) delete from c1 where x = 1;
explain (analyze, costs off, timing off, summary off) update c1 set x = x + 10 where x = 4;
-- ON CONFLICT
explain (analyze, costs off, timing off, summary off) insert into ft values (1, 2), (5000, 3) on conflict do nothing;
explain (analyze, costs off, timing off, summary off, format json)
  insert into ft values (1, 2), (5001, 3) on conflict (a) do update set b = 3 where ft.b > 100;
explain (analyze, costs off, timing off, summary off) select * from ft where b = 3 and a < 100 order by b limit 3;
explain (analyze, wal, costs off, timing off, summary off) select 1;
explain (analyze, wal, costs off, timing off, summary off, format json) select 1;
explain (buffers, costs off, format json) select 1;
-- SETTINGS
set enable_hashagg = off;
set random_page_cost = 2;
set work_mem = '64kB';
explain (settings, costs off) select * from ft where a = 3;
explain (settings, costs off, format json) select * from ft where a = 3;
explain (settings, costs off, format yaml) select * from ft where a = 3;
explain (settings, costs off, format xml) select * from ft where a = 3;
reset enable_hashagg;
reset random_page_cost;
reset work_mem;
-- Statements around a query
prepare p (int) as select * from ft where a = $1;
explain (costs off) execute p (3);
explain (costs off, format json) execute p (3);
explain (analyze, costs off, timing off, summary off) execute p (4);
explain (costs off) execute p (1, 2);
explain (costs off) execute nothere;
explain (costs off) declare c cursor for select * from ft where a = 1;
explain (costs off) create table ct as select * from ft where a = 1;
explain (costs off) create table ct as execute p (3);
explain (costs off) create table ft as select 1;
explain (costs off) create table if not exists ft as select 1;
explain (costs off) create materialized view cm as select 1;
create materialized view cm as select 1;
explain refresh materialized view cm;
explain (format json) refresh materialized view cm;
explain (format yaml) refresh materialized view cm;
explain (format xml) refresh materialized view cm;
-- Errors
explain (wal) select 1;
explain (timing) select 1;
explain (foo) select 1;
explain (format blah) select 1;
explain (format 1) select 1;
explain (format) select 1;
explain (analyze 3) select 1;
explain (costs 'maybe') select 1;
explain (costs 'off', verbose 0, buffers false, summary 'off') select 1;
drop table c1, c2, ft, gt cascade;
drop materialized view cm;
