-- What administrators ask of a running server, as far as the answers are determined.
create table users (id int primary key, name text not null, email varchar(100) default 'x', created timestamptz);
create index users_name on users (lower(name)) where id > 0;
insert into users select i, 'n' || i, null, now() from generate_series(1, 500) i;
vacuum analyze users;
select relname, reltuples from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname = 'users';
select relname, reltuples::bigint as estimate, pg_size_pretty(pg_total_relation_size(oid)) <> '' as sized
  from pg_class where relnamespace = 'public'::regnamespace and relname like 'users%' order by relname;
select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(d.adbin, d.adrelid) as default
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where attrelid = 'users'::regclass and attnum > 0 and not attisdropped order by attnum;
select indexrelid::regclass, indisunique, pg_get_indexdef(indexrelid) from pg_index where indrelid = 'users'::regclass order by 1;
select indexname, indexdef from pg_indexes where tablename = 'users' order by 1;
select name, setting from pg_settings where name in ('max_connections', 'superuser_reserved_connections') order by 1;
select 'reserved' as check, concat(current_setting('superuser_reserved_connections')::int, ' of ', current_setting('max_connections')::int) as value
union all select 'sessions', concat(count(*) > 0, '') from pg_stat_activity where backend_type = 'client backend'
union all select 'own state', concat(state, '/', wait_event_type, wait_event) from pg_stat_activity where pid = pg_backend_pid();
select count(*) from pg_stat_activity where state = 'active' and now() - query_start > interval '1 hour';
select count(*) from pg_stat_activity where query like 'autovacuum:%' and query_start < now() - interval '1 day';
select pid, pg_terminate_backend(pid) from pg_stat_activity
  where state = 'idle' and state_change < current_timestamp - interval '1 day' and pid <> pg_backend_pid();
select datname, blks_hit >= 0 as hit, blks_read >= 0 as read, round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 2) between 0 and 100 as ratio
  from pg_stat_database where datname = current_database();
select count(*) from pg_stat_database where blk_read_time < 0 or blk_write_time < 0;
-- The slots that there are
select name, blks_zeroed >= 0 as z, blks_hit >= 0 as h, blks_read >= 0 as r, stats_reset is not null as s from pg_stat_slru order by name;
select pg_stat_reset_slru('Xact'), pg_stat_reset_slru('nonsense'), pg_stat_reset_slru(null);
select count(*), count(stats_reset) from pg_stat_recovery_prefetch;
select * from pg_stat_replication_slots;
select * from pg_stat_subscription_stats;
select pg_stat_reset_replication_slot('nothere');
select pg_stat_reset_subscription_stats(0);
select pg_stat_have_stats('bgwriter', 0, 0), pg_stat_have_stats('function', 0, 1);
select pg_stat_have_stats('zzz', 0, 0);
select pg_indexam_progress_phasename(403, n) from generate_series(0, 6) n;
select pg_stat_get_xact_function_calls(1), pg_stat_get_xact_blocks_fetched(0);
select count(*) from pg_ls_logicalsnapdir();
select count(*) from pg_ls_logicalmapdir();
select * from pg_ls_replslotdir('nothere');
select count(*) > 0 from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$' and size = 16777216;
select ssl, version, cipher, bits, client_dn, client_serial, issuer_dn from pg_stat_ssl where pid = pg_backend_pid();
select gss_authenticated, principal, encrypted from pg_stat_gssapi where pid = pg_backend_pid();
select pg_stat_get_backend_client_addr(backendid) is null from pg_stat_get_backend_idset() backendid
  where pg_stat_get_backend_pid(backendid) = pg_backend_pid();
select name, level, parent, total_bytes >= used_bytes + free_bytes as fits from pg_backend_memory_contexts where name in ('TopMemoryContext', 'MessageContext', 'CacheMemoryContext') order by 2, 1;
select pg_log_backend_memory_contexts(pg_backend_pid());
-- Locks
begin isolation level serializable;
select count(*) from users;
select locktype, relation::regclass, mode, granted, fastpath, waitstart is null as w from pg_locks
  where pid = pg_backend_pid() and mode = 'SIReadLock' and relation = 'users'::regclass;
commit;
begin;
lock table users in access exclusive mode;
update users set name = 'z' where id = 1;
select pg_advisory_lock(5), pg_advisory_xact_lock_shared(1, 2);
select locktype, case when relation >= 16384 then relation::regclass end as rel, page, tuple, virtualxid is not null as vxid,
  transactionid is not null as xid, classid, objid, objsubid, mode, granted, fastpath
  from pg_locks where pid = pg_backend_pid() and (relation is null or relation = 'users'::regclass) and mode <> 'SIReadLock'
  order by 1, 2, objid, mode;
select pg_advisory_unlock(5);
commit;
select pg_blocking_pids(pg_backend_pid()), pg_safe_snapshot_blocking_pids(pg_backend_pid());
select pg_isolation_test_session_is_blocked(pg_backend_pid(), '{1,2}');
-- Consistency of what is read
set stats_fetch_consistency = snapshot;
begin;
select pg_stat_get_snapshot_timestamp() is null;
select n_live_tup from pg_stat_user_tables where relname = 'users';
select pg_stat_get_snapshot_timestamp() is null;
select pg_stat_clear_snapshot();
select pg_stat_get_snapshot_timestamp() is null;
commit;
select pg_stat_get_snapshot_timestamp() is null;
reset stats_fetch_consistency;
drop table users;
