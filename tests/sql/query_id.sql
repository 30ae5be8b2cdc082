-- query identifiers: equal for statements that differ in constants and names only
create table qi(a int, b text);
\set me 'from pg_stat_activity where pid = pg_backend_pid()'
show compute_query_id;
select query_id is null as none :me;
set compute_query_id = on;
select query_id is null as none :me;
select query_id as one :me and 1 = 1 \gset
select query_id as two :me and 2 = 2 \gset
select query_id as three :me and '2' = 2 \gset
select query_id as four :me and 2 = '2' and true \gset
select query_id as five :me /* comment */ and   4   =   5   or  1 = 1 limit 1 \gset
select :'one' = :'two' as "other constants", :'one' = :'three' as "literals", :'one' = :'four' as "other shape";
select query_id as one from pg_stat_activity where pid = pg_backend_pid() \gset
select s.query_id as two from pg_stat_activity s where s.pid = pg_backend_pid() \gset
select  query_id  as  three  from  pg_stat_activity  where  pid  =  pg_backend_pid() \gset
select :'one' = :'two' as "other alias", :'one' = :'three' as "white space";
set compute_query_id = regress;
explain (verbose, costs off) select 1;
explain (verbose, costs off, format json) select 1;
select query_id is null as none :me;
set compute_query_id = off;
explain (verbose, costs off) select 1;
select query_id is null as none :me;
set compute_query_id = maybe;
reset compute_query_id;
create role qi_user;
set role qi_user;
set compute_query_id = on;
reset role;
drop role qi_user;
drop table qi;
