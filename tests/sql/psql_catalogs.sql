-- psql's commands about access methods, text search, information_schema and other parts of the catalogs.
\pset footer off
\dA
\dA+
\dA b*
\dAc btree
\dAc+ btree int4
\dAc gin
\dAc+ gist
\dAc+ spgist
\dAf
\dAf btree int4
\dAf+ hash
\dAf gin
\dAf+ brin
\dAo btree *time*
\dAo gist
\dAo+ hash
\dAp gin
\dAp spgist
\dAp+ btree integer_ops
\dF
\dF+ english
\dF nope
\dFd
\dFd+ english*
\dFp
\dFp+
\dFt
\dFt+
\dD information_schema.*
\dDS+ information_schema.*
\dT information_schema.*
\dTS+ information_schema.yes_or_no
\dTS+ int*
\dt information_schema.*
\dv information_schema.*
\dp information_schema.*
\d information_schema.sql_features
\d information_schema.sql_sizing
\d information_schema.columns
\d information_schema._pg_foreign_tables
\d pg_publication_tables
\d pg_replication_origin_status
\d pg_stat_xact_user_functions
\dS+ pg_proc_proname_args_nsp_index
\dS pg_class_relname_nsp_index
\dp pg_catalog.pg_a*
\dp pg_catalog.pg_subscription
\dp pg_catalog.pg_settings
\dOS c*
\dcS *latin1*
\dC+ text
\dfS+ generate_series
\dfS+ abs
\dfS lower
\dfnS pg_get_object_address
\doS+ - int4
\dconfig work_mem
\ddS lower
\dRp
\dRp+
\dRs
\des
\des+
\det
\det+
\deu
\deu+
\dew
\dew+
\dy
\dy+
\dP
\dE
\dX
\sf lpad(text,int)
\sf+ age(timestamptz)
\sf obj_description(oid,name)
create schema pc;
set search_path = pc;
create domain dom as text collate "C" default 'x' not null constraint short check (length(value) < 10);
comment on domain dom is 'a domain';
comment on constraint short on domain dom is 'not long';
create table tab(a int primary key, b text);
create unique index tab_part on tab(b, a) where a > 5;
alter table tab alter column b set storage main;
comment on index tab_part is 'a part';
create type comp as (x int, y text);
comment on column comp.x is 'x';
\dd
\dd pc.*
\dD+
\d+ tab
\d+ tab_part
\d+ comp
\di+ pc.nope*
\dT+ pc.*
-- sub-links of a view reach the range table of a sub-query
create view vw as select a, case when (select count(*) from tab) >= 0 then array['p=' || a] end as o from tab;
insert into tab select generate_series(1, 3);
select a, array(select option_name || ':' || option_value from pg_options_to_table(o)) from vw order by a;
select a, (select count(*) from unnest(o)) from vw order by a;
select a, (select u from (values (o)) v(u)) from vw order by a;
select a, (select max(x) from unnest(o) x, (select 1) y) from vw order by a;
set client_min_messages = warning;
drop schema pc cascade;
