-- default privileges, DROP OWNED, REASSIGN OWNED, comments, privileges on types
create role op_a;
create role op_b;
create role op_c in role op_a;
create schema s1;
create schema s2 create table later (a int references first) create table first (a int primary key) create view fv as select * from later create index on later (a) create sequence sq grant select on first to op_a;
create schema s3 create view v as select * from t create table t (a int);
\d s2.*
\dp s2.*
create schema s4 create table s1.t (a int);
drop schema s2 cascade;
drop schema s3 cascade;
alter default privileges grant select on tables to op_a;
alter default privileges in schema s1 grant insert, update on tables to op_b with grant option;
alter default privileges in schema s1, public grant usage on sequences to public;
alter default privileges for role op_a, op_b grant all on functions to op_c;
alter default privileges revoke usage on types from public;
alter default privileges grant usage on schemas to op_b;
alter default privileges in schema s1 grant usage on schemas to op_b;
alter default privileges grant usage on tables to op_b;
alter default privileges grant nosuch on tables to op_b;
alter default privileges in schema nosuch grant select on tables to op_b;
alter default privileges for role nosuch grant select on tables to op_b;
\ddp
create table s1.t (a serial, b text);
create table public.op_pt (a int);
create view s1.v as select 1 as one;
create sequence public.op_seq;
create schema s5;
select relname, relacl from pg_class where relname in ('t', 't_a_seq', 'op_pt', 'v', 'op_seq') and relnamespace in ('s1'::regnamespace, 'public'::regnamespace) order by 1;
select nspname, nspacl from pg_namespace where nspname = 's5';
select defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl from pg_default_acl order by defaclrole::regrole::text, defaclnamespace::regnamespace::text, 3;
alter default privileges revoke select on tables from op_a;
alter default privileges in schema s1 revoke grant option for update on tables from op_b;
alter default privileges in schema s1 revoke all on tables from op_b;
alter default privileges grant usage on types to public;
alter default privileges revoke usage on schemas from op_b;
\ddp
drop schema s5;
set role op_a;
alter default privileges for role op_b grant select on tables to op_c;
alter default privileges grant select on tables to op_c;
reset role;
drop role op_a;
drop owned by op_a;
drop owned by op_b restrict;
\ddp
drop role op_b;
-- ownership
create role op_b;
grant create on schema s1 to op_a, op_b;
grant usage on schema s1 to op_a, op_b;
set role op_a;
create table s1.owned (a serial primary key, b int);
create view s1.ov as select * from s1.owned;
create sequence s1.os;
reset role;
create table s1.other (a int);
grant select, insert on s1.other to op_a;
grant select (a) on s1.other to op_a;
\dp s1.o*
create view s1.dep as select * from s1.owned;
drop owned by op_a;
drop view s1.dep;
drop role op_a;
reassign owned by op_a to op_b;
select relname, relowner::regrole from pg_class where relnamespace = 's1'::regnamespace and relkind in ('r', 'v', 'S') order by 1;
drop owned by op_a;
\dp s1.other
select has_schema_privilege('op_a', 's1', 'create');
drop role op_c;
drop role op_a;
reassign owned by postgres to op_b;
drop owned by postgres;
drop owned by nosuch;
reassign owned by nosuch to op_b;
drop owned by op_b cascade;
select relname from pg_class where relnamespace = 's1'::regnamespace and relkind in ('r', 'v', 'S') order by 1;
-- types and languages
grant usage on type int4 to op_b;
grant usage on type _int4 to op_b;
grant select on type int4 to op_b;
grant usage on type nosuch to op_b;
grant usage on domain int4 to op_b;
select typacl from pg_type where typname = 'int4';
revoke all on type int4 from op_b;
select typacl from pg_type where typname = 'int4';
grant usage on language sql to op_b;
grant usage on language internal to op_b;
grant usage on language nosuch to op_b;
revoke usage on language sql from op_b;
-- comments
comment on type int4 is 'four bytes';
select obj_description('int4'::regtype, 'pg_type');
comment on type int4 is '-2 billion to 2 billion integer, 4-byte storage';
comment on type nosuch is 'x';
comment on collation "C" is 'see';
comment on collation nosuch is 'x';
comment on function lower(text) is 'low';
select obj_description('lower(text)'::regprocedure, 'pg_proc');
comment on function lower(text) is 'lowercase';
comment on function nosuch() is 'x';
comment on language sql is 'the language';
comment on language nosuch is 'x';
comment on access method btree is 'b-tree index access method';
comment on access method nosuch is 'x';
comment on cast (int4 as int8) is 'wider';
comment on cast (text as int4) is 'x';
comment on cast (int4 as int8) is null;
create table s1.ct (a int, constraint cc check (a > 0));
create view s1.cv as select 1 as a;
comment on constraint cc on s1.ct is 'con';
comment on constraint nope on s1.ct is 'con';
comment on rule "_RETURN" on s1.cv is 'rule';
comment on rule nope on s1.cv is 'rule';
comment on trigger nope on s1.ct is 'x';
comment on text search configuration nosuch is 'x';
comment on extension nosuch is 'x';
comment on server nosuch is 'x';
comment on table s1.cv is 'x';
comment on column s1.ct.nope is 'x';
\dd s1.*
drop schema s1 cascade;
drop table op_pt;
drop sequence op_seq;
drop role op_b;
