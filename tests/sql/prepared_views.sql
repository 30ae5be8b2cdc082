-- pg_prepared_statements, pg_cursors and what surrounds them
\d pg_prepared_statements
\d pg_cursors
\d pg_timezone_names
\d pg_timezone_abbrevs
\d pg_config
prepare p1 as select 1;
prepare p2(int, text) as select $1, $2;
prepare p3 as select $1::date + $2::int;
execute p2(1, 'a');
execute p2(2, 'b');
execute p1;
select name, statement, prepare_time <= now() as t, parameter_types, from_sql, generic_plans, custom_plans
  from pg_prepared_statements order by 1;
execute p2(1, 'a');
execute p2(1, 'a');
execute p2(1, 'a');
execute p2(1, 'a');
execute p2(1, 'a');
select name, generic_plans, custom_plans from pg_prepared_statements order by 1;
deallocate p1;
select name, parameter_types from pg_prepared_statements order by 1;
deallocate all;
select count(*) from pg_prepared_statements;
create table cv(a int primary key, b text);
insert into cv select g, 'r' || g from generate_series(1, 10) g;
analyze cv;
begin;
declare a cursor for select * from cv;
declare b no scroll cursor with hold for select * from cv;
declare c binary scroll cursor for select 1;
declare d cursor for select c.b from cv c join cv n on n.a = c.a;
declare e cursor for select 1;
declare f cursor for select b from cv order by b;
declare g cursor for select b from cv where a = 3;
declare h cursor for select b, count(*) from cv group by 1;
declare i cursor for select b from cv limit 3;
declare j cursor for select * from generate_series(1,3);
declare k cursor for values (1),(2);
declare l cursor for select * from (select b from cv offset 0) x;
declare m cursor for select 1 union all select 2;
declare n cursor for with x as materialized (select 1 as a) select * from x;
declare q insensitive cursor for select b from cv where b like 'r%' order by 1;
declare r cursor for select b from cv for update;
declare s cursor for select generate_series(1,3);
declare t cursor for select distinct b from cv;
declare u cursor for select b, row_number() over () from cv;
declare v cursor for select * from cv where ctid = '(0,1)';
select name, statement, is_holdable, is_binary, is_scrollable, creation_time <= clock_timestamp() as t
  from pg_cursors order by 1;
fetch 2 from a;
fetch backward 1 from a;
fetch 2 from s;
savepoint x;
fetch backward from s;
rollback to x;
fetch backward from d;
rollback to x;
close all;
select count(*) from pg_cursors;
declare w cursor with hold for select a from cv order by a;
commit;
select name, is_holdable from pg_cursors;
fetch 2 from w;
close w;
select count(*) from pg_cursors;
drop table cv;
select name, abbrev, utc_offset, is_dst from pg_timezone_names where name in ('UTC', 'Asia/Tokyo', 'Asia/Kolkata', 'Africa/Lagos') order by 1;
select count(*) > 500 from pg_timezone_names;
select * from pg_timezone_abbrevs where abbrev in ('CET', 'EST', 'ACST', 'MSK', 'CEST', 'Z', 'UTC') order by 1;
select count(*) from pg_timezone_abbrevs;
select name from pg_config;
select count(*) from pg_config where name = 'BINDIR' and setting ~ '^/';
