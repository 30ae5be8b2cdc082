-- Inheritance: merging, ALTER TABLE down the tree, ONLY, attaching and detaching, statistics, typed tables.
create table im (a int, b text);
create table im1 (x int) inherits (im);
create table im2 () inherits (im);
create table im12 () inherits (im1, im2);
insert into im values (1); insert into im1 values (2, 'b', 3); insert into im12 values (4, 'c', 5);
-- a serial column has one sequence for all
alter table im add column s serial;
select tableoid::regclass, a, s from im order by a;
\d im1
insert into im1 (a) values (10);
insert into im (a) values (11);
select a, s from im where a > 9 order by a;
select count(*) from pg_class where relkind = 'S' and relname like 'im%';
alter table im add column k int check (k > 0);
\d im12
insert into im2 (a, k) values (1, -1);
alter table im drop column k;
alter table im add column id2 int generated always as identity;
alter table only im add column z int;
alter table im1 add column z int default 7;
alter table im add column z int default 8;
select attrelid::regclass, attname, attinhcount, attislocal from pg_attribute where attname = 'z' and attrelid in ('im'::regclass, 'im1'::regclass, 'im2'::regclass, 'im12'::regclass) order by 1;
select tableoid::regclass, a, z from im order by a;
alter table im1 drop column z;
alter table im drop column z;
select attrelid::regclass, attname, attinhcount, attislocal from pg_attribute where attname = 'z' and attrelid in ('im'::regclass, 'im1'::regclass, 'im2'::regclass, 'im12'::regclass) order by 1;
alter table im add constraint pos check (a > 0);
alter table im add constraint pos check (a > 0);
alter table only im add constraint pos2 check (a > 0);
alter table only im add constraint own check (a < 1000) no inherit;
alter table im1 drop constraint pos;
alter table only im drop constraint pos;
select conrelid::regclass, conname, coninhcount, conislocal, connoinherit from pg_constraint where conrelid in ('im'::regclass, 'im1'::regclass, 'im2'::regclass, 'im12'::regclass) order by 1, 2;
alter table im1 drop constraint pos;
alter table only im alter column a type bigint;
alter table im1 alter column a type bigint;
alter table im alter column a type bigint;
select tableoid::regclass, a from im order by a;
alter table im add constraint nv check (a <> 77) not valid;
alter table only im validate constraint nv;
alter table im validate constraint nv;
alter table only im rename column b to bb;
alter table im1 rename column b to bb;
alter table im rename column b to bb;
alter table only im rename constraint nv to nv2;
alter table im rename constraint nv to nv2;
alter table only im alter column bb set default 'd';
alter table im alter column bb set not null;
update im set bb = 'x' where bb is null;
alter table only im alter column bb set not null;
alter table im alter column bb set not null;
\d+ im
\d+ im12
alter table im12 no inherit im2;
alter table im12 no inherit im2;
alter table im12 inherit im2;
alter table im12 inherit im2;
alter table im inherit im12;
alter table im inherit im;
create table lone (a bigint);
alter table lone inherit im;
alter table lone add column bb int;
alter table lone inherit im;
alter table lone alter column bb type text;
alter table lone inherit im;
alter table lone alter column bb set not null, add column s int not null;
alter table lone inherit im;
alter table lone add constraint nv2 check (a <> 78);
alter table lone inherit im;
alter table lone drop constraint nv2;
alter table lone add constraint nv2 check (a <> 77) no inherit;
alter table lone inherit im;
alter table lone drop constraint nv2;
alter table lone add constraint nv2 check (a <> 77);
alter table lone inherit im;
drop table im2;
drop table lone;
alter table im12 no inherit im2;
drop table im2;
lock table im; lock table only im;
vacuum im; vacuum analyze im;
truncate only im;
select tableoid::regclass, a from im order by a;
drop table im;
drop table im cascade;

-- merging at CREATE TABLE
create table g1 (a int, b int generated always as (a * 2) stored);
create table g2 (a int, b int);
create table g3 (b int) inherits (g1);
create table g4 (b int default 3) inherits (g1);
create table g5 (b int generated always as identity) inherits (g1);
create table g6 (b int generated always as (a * 3) stored) inherits (g1);
create table g7 (b int generated always as (a * 3) stored) inherits (g2);
create table g8 () inherits (g1, g2);
create table g9 () inherits (g1);
create table g10 (b int generated always as (a + 1) stored) inherits (g9);
insert into g3 (a) values (1); insert into g6 (a) values (2); insert into g9 (a) values (3);
select tableoid::regclass, * from g1 order by a;
\d g3
\d g6
create table d1 (v int default 1); create table d2 (v int default 2); create table d3 (v int default 1);
create table d12 () inherits (d1, d2);
create table d13 () inherits (d1, d3);
create table d14 (v int default 4) inherits (d1, d2);
\d d14
create table t1 (v int, w text collate "C"); create table t2 (v text); create table t3 (w text collate "POSIX");
create table t12 () inherits (t1, t2);
create table t13 () inherits (t1, t3);
create table t14 (w text collate "POSIX") inherits (t1);
create table t15 (v bigint) inherits (t1);
create table c1 (v int constraint chk check (v > 0)); create table c2 (v int constraint chk check (v > 1));
create table c12 () inherits (c1, c2);
create table c13 (constraint chk check (v > 5)) inherits (c1);
create table c14 (constraint chk check (v > 0)) inherits (c1);
create table c15 (constraint chk check (v > 0) no inherit) inherits (c1);
select conname, coninhcount, conislocal from pg_constraint where conrelid = 'c14'::regclass;
create table i1 (id int generated by default as identity);
create table i2 () inherits (i1);
\d i2
create table l1 (p int default 9, q text not null, check (p < 100));
create table l2 (like l1 including all) inherits (c1);
\d l2
create table l3 (like l1 including defaults, v int) inherits (c1);
\d l3
create table l4 (like c1 including constraints) inherits (c1);
\d l4
create table nope () inherits (c1, c1);
create view iv as select 1 as v;
create table nope () inherits (iv);
create temp table tmp1 (v int);
create table nope () inherits (tmp1);

-- statistics
create table st (v int, w text);
create table st1 () inherits (st);
create table st2 (extra int) inherits (st);
insert into st1 select g % 10, 'one' from generate_series(1, 1000) g;
insert into st2 select g % 20, 'two', g from generate_series(1, 1000) g;
analyze st; analyze st1;
select tablename, attname, inherited, null_frac, n_distinct, most_common_vals from pg_stats where tablename like 'st%' and schemaname = 'public' order by 1, 2, 3;
explain select * from st where v = 3;
explain select * from st where w = 'two';
explain select v, count(*) from st group by v;
analyze st (w);
vacuum analyze st2;
select tablename, attname, inherited, n_distinct from pg_stats where tablename like 'st%' and schemaname = 'public' order by 1, 2, 3;

-- typed tables
create type person as (name text, age int);
create table people of person;
create table people2 of person (primary key (name), age with options default 18 check (age > 0));
\d people
\d people2
insert into people2 (name) values ('ann');
select * from people2;
create table if not exists people of person;
create table bad of person (nope with options default 1);
create table bad of person (age with options default 1, age with options not null);
create table bad of int4;
create table bad of nosuchtype;
alter table people add column x int;
alter table people drop column age;
alter table people rename column age to years;
alter table people alter column age type bigint;
alter table people alter column age set default 5;
alter type person add attribute extra int;
alter type person add attribute extra int cascade;
\d people2
alter type person rename attribute extra to more;
alter type person rename attribute extra to more cascade;
alter type person alter attribute more type bigint cascade;
alter type person drop attribute more;
alter type person drop attribute more cascade;
\d people
create table of_table of people2;
alter table people not of;
alter table people not of;
\d people
alter table people of person;
\d people
create table wrong (name text, age bigint);
alter table wrong of person;
create table wrong2 (name text);
alter table wrong2 of person;
create table wrong3 (age int, name text);
alter table wrong3 of person;
create table wrong4 (name text, age int, more int);
alter table wrong4 of person;
create table child () inherits (people);
alter table child of person;
create table child2 () inherits (people2);
drop type person;
drop type person cascade;
select is_typed, user_defined_type_name, table_name from information_schema.tables where table_name like 'people%' order by 3;
