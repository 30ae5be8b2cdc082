-- CREATE SCHEMA with elements that need each other, and comments copied by LIKE.
create schema s1 create view v as select * from t create table t(a int primary key) create index on t(a) create sequence q;
create schema s2 create table a(x int references b) create table b(x int primary key);
create schema s2 create table b(x int primary key) create table a(x int references b) create view v as select * from a,b create view v2 as select * from v;
create schema s3 create view v2 as select * from v create view v as select 1;
create schema s4 create table t(a int default nextval('sq')) create sequence sq;
create schema s5 create table t(a serial, b int generated always as identity, check (a>0)) grant select on t to public;
create table src(a int, b text);
comment on table src is 'tc'; comment on column src.a is 'ac'; comment on column src.b is 'bc';
create index si on src(a); comment on index si is 'ic';
alter table src add constraint ck check (a>0); comment on constraint ck on src is 'cc';
create table d1 (like src including comments);
create table d2 (like src including all);
create table d3 (like src including comments including indexes including constraints);
select c.relname, objsubid, description from pg_description d join pg_class c on c.oid=objoid where classoid='pg_class'::regclass and relname in ('src','d1','d2','d3','d4','si','d2_a_idx','d3_a_idx') order by 1,2;
select conname, conrelid::regclass, description from pg_description d join pg_constraint c on c.oid=objoid where classoid='pg_constraint'::regclass order by 2;

set search_path = s1;
\d
reset search_path;
select table_name from (select c.relname as table_name, n.nspname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname like 's_' and relkind in ('r','v','S')) x order by nspname, table_name;
create schema s6 create table t(a int) create table other.u(b int);
create schema s6 create table t(a int) create table u(b int references nosuch);
select nspname from pg_namespace where nspname = 's6';
show search_path;
