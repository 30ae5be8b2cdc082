-- Columns of the views of statistics.
select c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) as columns
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'v' and c.relname in
('pg_stat_activity', 'pg_stat_database', 'pg_stat_database_conflicts', 'pg_stat_bgwriter', 'pg_stat_wal', 'pg_stat_archiver',
 'pg_stat_ssl', 'pg_stat_gssapi', 'pg_stat_user_functions', 'pg_stat_progress_vacuum', 'pg_stat_progress_analyze',
 'pg_stat_progress_create_index', 'pg_stat_progress_copy', 'pg_stat_progress_cluster', 'pg_stat_progress_basebackup',
 'pg_shmem_allocations', 'pg_backend_memory_contexts', 'pg_stat_all_indexes', 'pg_stat_sys_indexes', 'pg_stat_user_indexes',
 'pg_stat_all_tables', 'pg_stat_user_tables', 'pg_stat_xact_all_tables', 'pg_stat_xact_sys_tables', 'pg_stat_xact_user_tables',
 'pg_statio_all_tables', 'pg_statio_sys_tables', 'pg_statio_user_tables', 'pg_statio_all_indexes', 'pg_statio_user_indexes',
 'pg_statio_all_sequences', 'pg_statio_user_sequences', 'pg_stat_replication', 'pg_stat_wal_receiver', 'pg_replication_slots',
 'pg_stat_subscription', 'pg_hba_file_rules', 'pg_ident_file_mappings', 'pg_file_settings', 'pg_settings', 'pg_locks')
group by c.relname order by c.relname collate "C";

-- What a transaction has counted.
create table t(a int primary key, b text);
begin;
insert into t select g, 'x' from generate_series(1, 10) g;
update t set b = 'y' where a <= 3;
delete from t where a = 10;
select n_tup_ins, n_tup_upd, n_tup_del from pg_stat_xact_user_tables where relname = 't';
rollback;
select relname, indexrelname from pg_stat_user_indexes;
select count(*) from pg_statio_user_tables;

-- Server-wide counters are there and make sense.
select wal_records > 0 as records, wal_bytes > 0 as bytes from pg_stat_wal;
select checkpoints_timed >= 0 as timed, buffers_alloc >= 0 as alloc from pg_stat_bgwriter;
select archived_count >= 0 from pg_stat_archiver;
select xact_commit > 0 as commits, blks_hit > 0 as hits, numbackends from pg_stat_database where datname = current_database();
select count(*) from pg_stat_replication;
select count(*) from pg_stat_wal_receiver;
select ssl, version, client_dn from pg_stat_ssl where pid = pg_backend_pid();
select gss_authenticated, encrypted from pg_stat_gssapi where pid = pg_backend_pid();
select backend_type, wait_event_type, state from pg_stat_activity where pid = pg_backend_pid();
select distinct backend_type from pg_stat_activity where backend_type in ('checkpointer', 'background writer', 'walwriter') order by 1;
select * from pg_stat_progress_vacuum;
select * from pg_stat_get_progress_info('nothing');
select pg_stat_reset_shared('nothing');
select pg_stat_reset_shared('bgwriter');
select pg_stat_reset();
select stats_reset is not null from pg_stat_bgwriter;
select stats_reset is not null from pg_stat_database where datname = current_database();
select max_data_alignment, database_block_size, bytes_per_wal_segment, max_identifier_length from pg_control_init();
select pg_walfile_name(redo_lsn) = redo_wal_file from pg_control_checkpoint();
select end_of_backup_record_required from pg_control_recovery();
select total_bytes > 0, used_bytes > 0 from pg_backend_memory_contexts where level = 0;
select count(*) > 10 from pg_shmem_allocations;
select count(*) > 0 from pg_ls_waldir();
select pg_current_logfile('nothing');
select pg_rotate_logfile();

-- Who may see it.
create role stat_reader;
set role stat_reader;
select * from pg_stat_reset();
select count(*) from pg_ls_waldir();
\set VERBOSITY sqlstate
select * from pg_shmem_allocations;
select count(*) from pg_file_settings;
\set VERBOSITY default
select pg_reload_conf();
select query from pg_stat_activity where backend_type = 'checkpointer';
reset role;
grant pg_monitor to stat_reader;
set role stat_reader;
select count(*) > 0 from pg_ls_waldir();
reset role;
drop role stat_reader;
drop table t;
