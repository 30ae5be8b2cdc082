create table t (id int primary key, name text, n int);
insert into t values (1, 'a', 10), (2, 'b', 20), (3, 'c', 30);
create view v as select id, name from t where n > 10;
select * from v order by id;
\d v
\d+ v
create view v as select 1;
create or replace view v as select id, name, n from t where n > 10;
select * from v order by id;
create or replace view v as select id from t;
create or replace view v as select id as x, name, n from t;
create view v2 as select v.name, count(*) as c from v join t using (id) group by v.name;
select * from v2 order by name;
select pg_get_viewdef('v2'::regclass);
select pg_get_viewdef('v2'::regclass, true);
drop table t;
drop view v;
drop view v cascade;
create view w (a, b) as select id, upper(name) from t;
select a, b from w order by a;
create view bad as select nosuch from t;
create view bad as select 1 as a, 2 as a;
create view bad (x, y, z) as select 1, 2;
create view bad as select $1;
alter view w rename to w2;
alter view w2 rename column b to bb;
select * from w2 order by a;
create view agg as select n > 15 as big, sum(n) as total from t group by 1 having count(*) > 0 order by 1;
select * from agg;
create view u as select id from t union select id + 10 from t;
select * from u order by id;
create view c as select case when n > 10 then 'x' else 'y' end as k, coalesce(name, '-') as nm, n::text || '!' as s, n in (1, 2) as i, name like 'a%' as l from t;
select pg_get_viewdef('c'::regclass);
create view sub as select id, (select max(n) from t t2 where t2.id <= t.id) as m from t where exists (select 1 from t t3 where t3.id = t.id);
select pg_get_viewdef('sub'::regclass);
select * from sub order by id;
\dv
drop view if exists nosuch;
drop view nosuch;
drop view t;
drop view w2, agg, u, c, sub;
-- schemas
create schema s;
create schema s;
create schema if not exists s;
create table s.t (x int);
insert into s.t values (1);
select * from s.t;
select * from t order by id limit 1;
set search_path = s, public;
show search_path;
select * from t;
select current_schema(), current_schemas(false);
create table n (y int);
\d n
set search_path = nosuch;
create table q (a int);
select current_schema();
reset search_path;
select * from n;
alter table s.n set schema public;
select * from n;
alter schema s rename to s2;
select * from s.t;
select * from s2.t;
drop schema s2;
drop schema s2 cascade;
drop schema nosuch;
drop schema if exists nosuch;
create schema pg_x;
\dn
-- sequences
create sequence q;
select nextval('q'), nextval('q'), currval('q'), lastval();
select setval('q', 10), nextval('q'), setval('q', 20, false), nextval('q');
select * from q;
\d q
create sequence q;
create sequence if not exists q;
create sequence r start 5 increment 5 minvalue 5 maxvalue 15;
select nextval('r'), nextval('r'), nextval('r');
select nextval('r');
alter sequence r cycle;
select nextval('r');
alter sequence r restart with 10;
select nextval('r');
alter sequence r increment -5 minvalue 0;
select nextval('r'), nextval('r');
select setval('r', 1000);
select nextval('nosuch');
select currval('nosuch');
create sequence z increment 0;
create sequence z minvalue 10 maxvalue 5;
create sequence z start 0;
create sequence z as smallint;
\d z
alter sequence z as int;
create sequence z2 as text;
create table sq (id int default nextval('q'), v text);
insert into sq (v) values ('a'), ('b');
select * from sq order by id;
drop sequence q;
drop sequence q cascade;
\d sq
create table ser (id serial);
drop sequence ser_id_seq;
select pg_get_serial_sequence('ser', 'id');
alter sequence ser_id_seq restart 100;
insert into ser default values returning id;
drop table ser;
select nextval('ser_id_seq');
begin;
select nextval('r');
rollback;
select nextval('r');
select sequencename, start_value, min_value, max_value, increment_by, cycle, cache_size from pg_sequences order by 1;
drop sequence r, z;
\ds
