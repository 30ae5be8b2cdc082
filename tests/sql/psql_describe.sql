create table t (a int primary key, b text default 'x' not null, c numeric(5,2) check (c > 0), unique (b, c));
create table u (id serial, t_a int references t);
create index u_i on u (t_a desc);
create view v as select a, b from t;
create sequence s;
create schema sch;
create table sch.hidden (x int);
comment on table t is 'a table';
comment on column t.b is 'a column';
comment on view v is 'a view';
\d
\d t
\d+ t
\d u
\d v
\d+ v
\d s
\d u_i
\d t_pkey
\d sch.hidden
\d nosuch
\d sch.*
\dt
\dt sch.*
\dt nosuch
\di
\di+ nosuch
\dv
\ds
\dn
\du postgres
\df lower
\df abs
\da sum
\do ||
\dT int4
\dT+ bool
\dd t
\dp t
\l nosuch
\dC nosuch
\dc nosuch
\dD
\dE
\dg postgres
\dx nosuch
\sv v
\z t
\dti t*
\dS pg_class
\d pg_am
select relname, relkind from pg_class where relnamespace = 'public'::regnamespace order by 1;
select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum;
select conname, contype, pg_get_constraintdef(oid) from pg_constraint where conrelid = 't'::regclass order by 1;
select tablename, tableowner, hasindexes from pg_tables where schemaname = 'public' order by 1;
select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1;
select viewname, definition from pg_views where schemaname = 'public';
select obj_description('t'::regclass), col_description('t'::regclass, 2);
select pg_relation_size('t'), pg_total_relation_size('v');
