-- CREATE, ALTER and DROP EXTENSION, members and dependencies; without the library preloaded
create extension "a--b";
create extension "-x";
create extension "a/b";
drop extension if exists nosuch;
drop extension nosuch;
create schema xs1;
create extension pg_stat_statements version '9';
create extension pg_stat_statements schema nope;
create extension pg_stat_statements schema xs1 schema xs1;
create extension pg_stat_statements with schema xs1 version '1.10' cascade;
create extension pg_stat_statements;
create extension if not exists pg_stat_statements;
select extname, extowner = (select oid from pg_roles where rolname = current_user) as own, extnamespace::regnamespace,
  extrelocatable, extversion, extconfig, extcondition from pg_extension where extname = 'pg_stat_statements';
select classid::regclass, pg_describe_object(classid, objid, objsubid), objsubid, refclassid::regclass, deptype,
  pg_describe_object(refclassid, refobjid, refobjsubid) from pg_depend
  where (refclassid = 'pg_extension'::regclass and refobjid = (select oid from pg_extension where extname = 'pg_stat_statements'))
  or (classid = 'pg_extension'::regclass and objid = (select oid from pg_extension where extname = 'pg_stat_statements'))
  order by 2, 3;
select * from xs1.pg_stat_statements;
select * from xs1.pg_stat_statements_info;
select xs1.pg_stat_statements_reset();
\dx pg_stat_statements
\dx+ pg_stat_statements
\d xs1.pg_stat_statements
\df xs1.*
select proname, proargnames, proargmodes, proallargtypes::regtype[], proargtypes, prorettype::regtype, proretset, provolatile, proparallel,
  proisstrict, prorows, procost, prosrc, probin, lanname, pronargdefaults from pg_proc join pg_language l on l.oid = prolang
  where pronamespace = 'xs1'::regnamespace order by 1;
select pg_get_function_arguments(oid) from pg_proc where pronamespace = 'xs1'::regnamespace order by proname;
drop view xs1.pg_stat_statements;
drop view xs1.pg_stat_statements cascade;
drop schema xs1;
create schema xs2;
alter extension pg_stat_statements set schema xs2;
alter extension pg_stat_statements set schema xs2;
alter extension pg_stat_statements set schema nope;
alter extension nosuch set schema xs2;
\dx+ pg_stat_statements
select viewname, schemaname from pg_views where viewname like 'pg_stat_statements%' order by 1;
drop schema xs1;
comment on extension pg_stat_statements is 'hello';
select obj_description(oid, 'pg_extension') from pg_extension where extname = 'pg_stat_statements';
comment on extension pg_stat_statements is null;
comment on extension nosuch is 'hello';
alter extension pg_stat_statements update;
alter extension pg_stat_statements update to '1.10';
alter extension pg_stat_statements update to '1.11';
alter extension pg_stat_statements update to '1.9';
alter extension pg_stat_statements update to '1.10' to '1.9';
alter extension nosuch update;
create table xt(a int);
create view xv as select query from xs2.pg_stat_statements;
alter extension pg_stat_statements add table nosuch;
alter extension pg_stat_statements add view xt;
alter extension pg_stat_statements add table xt;
alter extension pg_stat_statements add table xt;
drop table xt;
drop extension pg_stat_statements;
alter extension pg_stat_statements drop table xt;
alter extension pg_stat_statements drop table xt;
alter extension pg_stat_statements add schema xs2;
alter extension pg_stat_statements add extension pg_stat_statements;
alter extension pg_stat_statements drop view xs2.pg_stat_statements;
drop view xs2.pg_stat_statements cascade;
drop table xt;
begin;
drop extension pg_stat_statements;
select count(*) from pg_extension where extname = 'pg_stat_statements';
rollback;
select count(*) from pg_extension where extname = 'pg_stat_statements';
drop schema xs2 cascade;
select count(*) from pg_extension where extname = 'pg_stat_statements';
select count(*) from pg_proc where proname like 'pg_stat_statements%';
create role xu;
set role xu;
create extension pg_stat_statements;
reset role;
create extension pg_stat_statements;
set role xu;
drop extension pg_stat_statements;
alter extension pg_stat_statements update;
comment on extension pg_stat_statements is 'x';
select pg_stat_statements_reset();
select count(*) from pg_stat_statements;
reset role;
create schema xs3;
create view xs3.xv as select * from pg_stat_statements(false);
drop extension pg_stat_statements;
drop extension pg_stat_statements cascade;
drop schema xs3;
drop role xu;
select name, default_version, installed_version, comment from pg_available_extensions where name = 'pg_stat_statements';
select * from pg_available_extension_versions where name = 'pg_stat_statements' and version = '1.10';
set search_path = '';
create extension pg_stat_statements;
reset search_path;
