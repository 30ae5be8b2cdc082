-- temporary and unlogged relations
set client_min_messages = notice;
create temp table t (a int primary key, b text);
insert into t select i, 'row ' || i from generate_series(1, 1000) i;
select count(*), min(a), max(b) from t;
select relpersistence, relkind, relname from pg_class where relname in ('t', 't_pkey') order by 3;
select count(*) from pg_temp.t;
update t set b = 'changed' where a % 10 = 0;
select count(*) from t where b = 'changed';
delete from t where a > 500;
select count(*) from t;
select a from t where a = 77;
explain (costs off) select a from t where a = 77;
create temp table t (x int);
create temp table if not exists t (x int);
-- hides a permanent one
create table tt_perm (x int);
insert into tt_perm values (1);
create temp table tt_perm (y text);
select * from tt_perm;
select * from public.tt_perm;
drop table tt_perm;
select * from tt_perm;
drop table tt_perm;
select * from tt_perm;
-- where they go
create temp table public.t2 (a int);
create temp table pg_temp.t2 (a int);
create table pg_temp.t3 (a int);
select relname, relpersistence from pg_class where relname in ('t2', 't3') order by 1;
create unlogged table pg_temp.u1 (a int);
create temporary table nosuch.t4 (a int);
select relnamespace::regnamespace::text ~ '^pg_temp_[0-9]+$' from pg_class where relname = 't2';
select n.nspname ~ '^pg_toast_temp_[0-9]+$' from pg_class c join pg_class x on x.oid = c.reltoastrelid join pg_namespace n on n.oid = x.relnamespace where c.relname = 't';
select pg_my_temp_schema()::regnamespace::text ~ '^pg_temp_';
select pg_is_other_temp_schema(pg_my_temp_schema());
-- search path
select array_length(current_schemas(true), 1), array_length(current_schemas(false), 1);
set search_path = public, pg_temp;
create table tt_sp (a int);
select relpersistence from pg_class where relname = 'tt_sp';
drop table tt_sp;
set search_path = pg_temp, public;
create table tt_sp (a int);
select relpersistence from pg_class where relname = 'tt_sp';
select current_schema() ~ '^pg_temp_';
drop table tt_sp;
reset search_path;
-- ON COMMIT
create table oc (a int) on commit drop;
create table oc (a int) on commit delete rows;
begin;
create temp table oc1 (a int primary key, b text) on commit delete rows;
insert into oc1 values (1, 'a'), (2, repeat('x', 100000));
select count(*) from oc1;
commit;
select count(*) from oc1;
insert into oc1 values (1, 'a');
select count(*) from oc1;
begin;
insert into oc1 values (1, 'a');
select * from oc1;
savepoint s;
insert into oc1 values (2, 'a');
rollback to s;
select * from oc1;
commit;
select * from oc1;
begin;
create temp table oc2 (a int) on commit drop;
insert into oc2 values (1);
select * from oc2;
commit;
select * from oc2;
begin;
create temp table oc3 on commit drop as select 1 as x;
create temp view oc3v as select * from oc3;
table oc3v;
commit;
table oc3v;
begin;
create temp table oc4 (a int) on commit preserve rows;
insert into oc4 values (3);
commit;
table oc4;
create temp table oc5 (a int) on commit drop;
table oc5;
begin;
create temp table oc6 (a int) on commit delete rows;
rollback;
table oc6;
begin;
savepoint s;
create temp table oc7 (a int) on commit drop;
rollback to s;
create temp table oc7 (a int) on commit delete rows;
insert into oc7 values (1);
commit;
table oc7;
create temp table fk1 (a int primary key) on commit delete rows;
create temp table fk2 (a int references fk1);
begin;
insert into fk1 values (1);
commit;
drop table fk1 cascade;
-- foreign keys between kinds
create table fkp (a int primary key);
create unlogged table fku (a int primary key);
create temp table fkt (a int primary key);
create table fkp2 (a int references fku);
create table fkp2 (a int references fkt);
create unlogged table fku2 (a int references fkt);
create unlogged table fku2 (a int references fkp);
create temp table fkt2 (a int references fkp);
create temp table fkt2 (a int references fkt);
drop table fkp, fku, fkt, fku2 cascade;
-- sequences, serial, views, indexes
create temp sequence ts;
select nextval('ts'), nextval('ts'), currval('ts'), lastval();
select nextval('pg_temp.ts');
create temp table tser (id serial, i2 int generated always as identity, x int);
insert into tser (x) values (10), (20);
table tser;
select relname, relkind, relpersistence from pg_class where relname like 'tser%' order by 1;
create view tv as select * from tser;
create or replace view tv as select *, 1 as one from tser;
table tv;
create temp view tv2 as select 1 as a;
table tv2;
select relname, relpersistence from pg_class where relname in ('tv', 'tv2') order by 1;
create index tser_x on tser (x);
create unique index tser_u on tser (x, id);
insert into tser (id, x) values (1, 10);


drop table tser;
drop table tser cascade;
table tv;
create temp recursive view rv (n) as values (1) union all select n + 1 from rv where n < 3;
table rv;
-- functions are not looked for there
select pg_temp.lower('A');
-- rollback
begin;
create temp table rb (a int);
insert into rb values (1);
rollback;
table rb;
begin;
insert into t values (10001, 'x');
rollback;
select count(*) from t;
begin;
truncate t;
select count(*) from t;
rollback;
select count(*) from t;
truncate t;
select count(*) from t;
alter table t add column c int default 5;
insert into t values (1, 'a');
table t;
alter table t alter column c type text;
alter table t rename to tren;
table tren;
vacuum tren;
analyze tren;
reindex table tren;
table tren;
alter table tren set schema public;
create schema tsch;
alter table tren set schema tsch;
create table perm1 (a int);
alter table perm1 set schema pg_temp;
drop schema tsch;
-- read-only transactions may write to them
begin read only;
insert into tren values (5, 'ro');
update tren set b = 'z' where a = 5;
delete from tren where a = 1;
table tren;
select nextval('ts');
copy tren from stdin;
7	seven	1
\.
insert into perm1 values (1);
rollback;
begin read only;
create temp table ro (a int);
rollback;
-- toast
create temp table big (a int, b text);
insert into big select i, repeat(i::text, 20000) from generate_series(1, 20) i;
select a, length(b), md5(b) = md5(repeat(a::text, 20000)) from big order by a limit 3;
select sum(length(b)) from big;
update big set b = b || 'x' where a < 5;
select sum(length(b)) from big;
-- more pages than buffers
create temp table many (a int, b char(500));
insert into many select i, 'x' from generate_series(1, 20000) i;
select count(*), sum(a) from many;
create index many_a on many (a);
select a from many where a = 19999;
update many set a = a + 1 where a % 100 = 0;
select count(*), sum(a) from many;
-- copy, create table as, select into
create temp table cp (a int, b text);
copy cp from stdin;
1	one
2	two
\.
copy cp to stdout;
create temp table cta as select * from cp;
table cta;
select * into temp sit from cp where a = 2;
table sit;
select * into temporary table sit2 from cp;
table sit2;
create temp table lk (like cp including all);

-- unlogged
create unlogged table ul (a int primary key, b text, s serial);
insert into ul (a, b) select i, 'u' || i from generate_series(1, 100) i;
select count(*), max(s) from ul;
select relname, relpersistence from pg_class where relname like 'ul%' order by 1;
\d ul
create unlogged sequence us;
select nextval('us');
\d us
create unlogged view uv as select 1;
create unlogged table ulc as select 1 as a;
table ulc;
create index ul_b on ul (b);
update ul set b = 'zz' where a = 5;
select a from ul where b = 'zz';
begin;
truncate ul;
rollback;
select count(*) from ul;
truncate ul;
select count(*) from ul;
drop table ul, ulc;
drop sequence us;
-- DISCARD
create temp table d1 (a int);
create temp sequence d2;
create temp view d3 as select 1;
discard temp;
table d1;
select nextval('d2');
table d3;
create temp table d1 (a int);
discard all;
table d1;
create temp table d1 (a int);
drop table d1;
-- dependencies between permanent and temporary
create temp table dt (a int);
create view dv as select * from dt;
drop table dt;
drop view dv;
drop table dt;
create sequence oseq owned by perm1.a;
create temp sequence oseq2 owned by perm1.a;
drop table perm1;
grant select on pg_temp.nosuch to public;


