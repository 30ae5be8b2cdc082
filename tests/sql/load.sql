-- Libraries that cannot be loaded.
load 'nosuch';
\echo :SQLSTATE
load 'nosuch.so';
\echo :SQLSTATE
load '$libdir/nosuch';
\echo :SQLSTATE
load '$foo/nosuch';
\echo :SQLSTATE
load '$foo';
\echo :SQLSTATE
load '/nonexistent/x';
\echo :SQLSTATE
load '';
\echo :SQLSTATE
load '../nosuch';
\echo :SQLSTATE
load 'Ünïcode';
\echo :SQLSTATE
load '/etc/passwd';
\echo :SQLSTATE
load nosuch;
\echo :SQLSTATE
load;
load 'a', 'b';
\echo :SQLSTATE
begin;
load 'nosuch';
\echo :SQLSTATE
select 1;
rollback;
set dynamic_library_path = '';
load 'nosuch';
\echo :SQLSTATE
set dynamic_library_path = 'relative/dir';
load 'nosuch';
\echo :SQLSTATE
set dynamic_library_path = '/nonexistent:relative';
load 'nosuch';
\echo :SQLSTATE
set dynamic_library_path = '/nonexistent::/b';
load 'nosuch';
\echo :SQLSTATE
set dynamic_library_path = '/nonexistent:';
load 'nosuch';
\echo :SQLSTATE
set dynamic_library_path = '$bar:/tmp';
load 'nosuch';
\echo :SQLSTATE
set dynamic_library_path = '$libdir:/tmp';
load 'nosuch';
\echo :SQLSTATE
reset dynamic_library_path;
show dynamic_library_path;
set session_preload_libraries = 'nosuch';
show session_preload_libraries;
reset session_preload_libraries;
set shared_preload_libraries = 'nosuch';
set local_preload_libraries = 'nosuch, "Other One"';
show local_preload_libraries;
reset local_preload_libraries;
create role load_user;
set role load_user;
load 'nosuch';
\echo :SQLSTATE
load '$libdir/nosuch';
\echo :SQLSTATE
load '$libdir/plugins/nosuch';
\echo :SQLSTATE
load '$libdir/plugins/../nosuch';
\echo :SQLSTATE
load '$libdir/plugins/';
\echo :SQLSTATE
load '/etc/passwd';
\echo :SQLSTATE
set session_preload_libraries = 'nosuch';
set dynamic_library_path = '/tmp';
set local_preload_libraries = 'nosuch';
reset local_preload_libraries;
reset role;
drop role load_user;
select name, setting, context, vartype from pg_settings where name like '%preload%' or name = 'dynamic_library_path' order by name;
