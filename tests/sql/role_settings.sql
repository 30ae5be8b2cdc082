-- ALTER ROLE / DATABASE SET: what a new session begins with.
create role rs_role login;
alter role rs_role set work_mem = '7MB';
alter role rs_role set search_path = pg_catalog, public;
alter role rs_role set datestyle = 'German';
select current_database() as db \gset
alter database :"db" set work_mem = '6MB';
alter database :"db" set enable_seqscan = off;
alter database :"db" set statement_timeout = '1min';
show work_mem;
\c - rs_role
show work_mem;
show search_path;
show datestyle;
show enable_seqscan;
show statement_timeout;
select name, setting, source from pg_settings where name in ('work_mem', 'enable_seqscan', 'search_path') order by name;
set work_mem = '9MB';
reset work_mem;
show work_mem;
\c - postgres
show work_mem;
show enable_seqscan;
alter role rs_role in database :"db" set work_mem = '8MB';
\c - rs_role
show work_mem;
\c - postgres
alter role rs_role reset work_mem;
alter role rs_role in database :"db" reset work_mem;
\c - rs_role
show work_mem;
\c - postgres
alter role rs_role reset all;
alter database :"db" reset all;
\c - rs_role
show work_mem;
show search_path;
show enable_seqscan;
\c - postgres
alter role rs_role set nosuch_setting = 1;
alter role rs_role set work_mem = 'x';
alter role rs_role set max_connections = 5;
drop role rs_role;

-- Words of lists are names.
create role role_settings_list;
alter role role_settings_list set search_path = 'a,b', "C d", public;
alter role role_settings_list set work_mem = '1MB', '2MB';
alter role role_settings_list set datestyle = iso, dmy;
select setconfig from pg_db_role_setting where setrole = 'role_settings_list'::regrole;
drop role role_settings_list;
