create table t (a int, b text);
select a,
       nosuch
  from t
 where a = 1;
select a from t where
  b = 1;
select a
from t
wher a = 1;
insert into t (a, b)
values (1, 'x'),
       ('y', 'z');
select 'äöü', nosuch from t;
select 'a very long line that goes on and on and on and on until the end of it' as x, nosuch, 'and it goes on behind the error for quite a while too' as y from t;
update t set a = 'x' where b = 'y';
select * from t where a in (1, 'b');
select * from t where a = any ('{x}');
create table e (a int, b nosuch, c int);
create table e (a int check (b > 0));
create table e (a int default 'x');
select count(a, b) from t;
select a b c from t;
select * from t order by a,;
select (select a, b from t);
select case when a then 1 end from t;
select cast(a as nosuch) from t;
select t.*, x.* from t;
select a from t group by b;
select * from t join t t2 on a = 1;
with x as (selec 1) select 1;
drop tabel t;
;
select 1;;
alter table t add column a int;
create index on t (a, nosuch);
create view v as select nosuch from t;
grant select on t to;
begin; select nosuch; commit;
set x y z;
copy t from;
explain select nosuch from t;
prepare p as select nosuch from t;
declare c cursor for select nosuch from t;
select 1 +
2 *
nosuch;
\set VERBOSITY terse
select nosuch from t;
insert into t values (1, 2, 3);
\set VERBOSITY sqlstate
select nosuch from t;
select 1/0;
