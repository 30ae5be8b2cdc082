//! The views of statistics: names, texts, and whether everybody may read them. `system_views` makes them.

/// Tables and indexes, with the filters of their `sys` and `user` kin.
const SYS: &str = "schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'";
const USER: &str = "schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'";

/// Families of views that exist as `all`, `sys` and `user`.
const FAMILIES: &[(&str, &str, &str)] = &[
    (
        "pg_stat_",
        "_indexes",
        "SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname, \
         pg_stat_get_numscans(i.oid) AS idx_scan, pg_stat_get_tuples_returned(i.oid) AS idx_tup_read, \
         pg_stat_get_tuples_fetched(i.oid) AS idx_tup_fetch \
         FROM pg_class c JOIN pg_index x ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' OR c.relkind = 't' OR c.relkind = 'm'",
    ),
    (
        "pg_stat_xact_",
        "_tables",
        "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, pg_stat_get_xact_numscans(c.oid) AS seq_scan, \
         pg_stat_get_xact_tuples_returned(c.oid) AS seq_tup_read, \
         (sum(pg_stat_get_xact_numscans(i.indexrelid)))::bigint AS idx_scan, \
         (sum(pg_stat_get_xact_tuples_fetched(i.indexrelid)))::bigint + pg_stat_get_xact_tuples_fetched(c.oid) AS idx_tup_fetch, \
         pg_stat_get_xact_tuples_inserted(c.oid) AS n_tup_ins, pg_stat_get_xact_tuples_updated(c.oid) AS n_tup_upd, \
         pg_stat_get_xact_tuples_deleted(c.oid) AS n_tup_del, pg_stat_get_xact_tuples_hot_updated(c.oid) AS n_tup_hot_upd \
         FROM pg_class c LEFT JOIN pg_index i ON c.oid = i.indrelid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' OR c.relkind = 't' OR c.relkind = 'm' OR c.relkind = 'p' \
         GROUP BY c.oid, n.nspname, c.relname",
    ),
    (
        "pg_statio_",
        "_tables",
        "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, \
         pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS heap_blks_read, \
         pg_stat_get_blocks_hit(c.oid) AS heap_blks_hit, \
         (SELECT (sum(pg_stat_get_blocks_fetched(x.indexrelid) - pg_stat_get_blocks_hit(x.indexrelid)))::bigint \
          FROM pg_index x WHERE x.indrelid = c.oid) AS idx_blks_read, \
         (SELECT (sum(pg_stat_get_blocks_hit(x.indexrelid)))::bigint FROM pg_index x WHERE x.indrelid = c.oid) AS idx_blks_hit, \
         pg_stat_get_blocks_fetched(t.oid) - pg_stat_get_blocks_hit(t.oid) AS toast_blks_read, \
         pg_stat_get_blocks_hit(t.oid) AS toast_blks_hit, \
         (SELECT (sum(pg_stat_get_blocks_fetched(x.indexrelid) - pg_stat_get_blocks_hit(x.indexrelid)))::bigint \
          FROM pg_index x WHERE x.indrelid = t.oid) AS tidx_blks_read, \
         (SELECT (sum(pg_stat_get_blocks_hit(x.indexrelid)))::bigint FROM pg_index x WHERE x.indrelid = t.oid) AS tidx_blks_hit \
         FROM pg_class c LEFT JOIN pg_class t ON c.reltoastrelid = t.oid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' OR c.relkind = 't' OR c.relkind = 'm'",
    ),
    (
        "pg_statio_",
        "_indexes",
        "SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname, \
         pg_stat_get_blocks_fetched(i.oid) - pg_stat_get_blocks_hit(i.oid) AS idx_blks_read, \
         pg_stat_get_blocks_hit(i.oid) AS idx_blks_hit \
         FROM pg_class c JOIN pg_index x ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' OR c.relkind = 't' OR c.relkind = 'm'",
    ),
    (
        "pg_statio_",
        "_sequences",
        "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, \
         pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS blks_read, \
         pg_stat_get_blocks_hit(c.oid) AS blks_hit \
         FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'",
    ),
];

/// Views of their own.
const SINGLE: &[(&str, &str)] = &[
    (
        "pg_stat_database",
        "SELECT d.oid AS datid, d.datname, \
         CASE WHEN d.oid = 0::oid THEN 0 ELSE pg_stat_get_db_numbackends(d.oid) END AS numbackends, \
         pg_stat_get_db_xact_commit(d.oid) AS xact_commit, pg_stat_get_db_xact_rollback(d.oid) AS xact_rollback, \
         pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid) AS blks_read, \
         pg_stat_get_db_blocks_hit(d.oid) AS blks_hit, pg_stat_get_db_tuples_returned(d.oid) AS tup_returned, \
         pg_stat_get_db_tuples_fetched(d.oid) AS tup_fetched, pg_stat_get_db_tuples_inserted(d.oid) AS tup_inserted, \
         pg_stat_get_db_tuples_updated(d.oid) AS tup_updated, pg_stat_get_db_tuples_deleted(d.oid) AS tup_deleted, \
         pg_stat_get_db_conflict_all(d.oid) AS conflicts, pg_stat_get_db_temp_files(d.oid) AS temp_files, \
         pg_stat_get_db_temp_bytes(d.oid) AS temp_bytes, pg_stat_get_db_deadlocks(d.oid) AS deadlocks, \
         pg_stat_get_db_checksum_failures(d.oid) AS checksum_failures, \
         pg_stat_get_db_checksum_last_failure(d.oid) AS checksum_last_failure, \
         pg_stat_get_db_blk_read_time(d.oid) AS blk_read_time, pg_stat_get_db_blk_write_time(d.oid) AS blk_write_time, \
         pg_stat_get_db_session_time(d.oid) AS session_time, pg_stat_get_db_active_time(d.oid) AS active_time, \
         pg_stat_get_db_idle_in_transaction_time(d.oid) AS idle_in_transaction_time, \
         pg_stat_get_db_sessions(d.oid) AS sessions, pg_stat_get_db_sessions_abandoned(d.oid) AS sessions_abandoned, \
         pg_stat_get_db_sessions_fatal(d.oid) AS sessions_fatal, pg_stat_get_db_sessions_killed(d.oid) AS sessions_killed, \
         pg_stat_get_db_stat_reset_time(d.oid) AS stats_reset \
         FROM (SELECT 0::oid AS oid, NULL::name AS datname UNION ALL SELECT b.oid, b.datname FROM pg_database b) d",
    ),
    (
        "pg_stat_database_conflicts",
        "SELECT d.oid AS datid, d.datname, pg_stat_get_db_conflict_tablespace(d.oid) AS confl_tablespace, \
         pg_stat_get_db_conflict_lock(d.oid) AS confl_lock, pg_stat_get_db_conflict_snapshot(d.oid) AS confl_snapshot, \
         pg_stat_get_db_conflict_bufferpin(d.oid) AS confl_bufferpin, \
         pg_stat_get_db_conflict_startup_deadlock(d.oid) AS confl_deadlock FROM pg_database d",
    ),
    (
        "pg_stat_bgwriter",
        "SELECT pg_stat_get_bgwriter_timed_checkpoints() AS checkpoints_timed, \
         pg_stat_get_bgwriter_requested_checkpoints() AS checkpoints_req, \
         pg_stat_get_checkpoint_write_time() AS checkpoint_write_time, \
         pg_stat_get_checkpoint_sync_time() AS checkpoint_sync_time, \
         pg_stat_get_bgwriter_buf_written_checkpoints() AS buffers_checkpoint, \
         pg_stat_get_bgwriter_buf_written_clean() AS buffers_clean, \
         pg_stat_get_bgwriter_maxwritten_clean() AS maxwritten_clean, \
         pg_stat_get_buf_written_backend() AS buffers_backend, pg_stat_get_buf_fsync_backend() AS buffers_backend_fsync, \
         pg_stat_get_buf_alloc() AS buffers_alloc, pg_stat_get_bgwriter_stat_reset_time() AS stats_reset",
    ),
    (
        "pg_stat_wal",
        "SELECT w.wal_records, w.wal_fpi, w.wal_bytes, w.wal_buffers_full, w.wal_write, w.wal_sync, w.wal_write_time, \
         w.wal_sync_time, w.stats_reset FROM pg_stat_get_wal() w",
    ),
    (
        "pg_stat_archiver",
        "SELECT s.archived_count, s.last_archived_wal, s.last_archived_time, s.failed_count, s.last_failed_wal, \
         s.last_failed_time, s.stats_reset FROM pg_stat_get_archiver() s",
    ),
    (
        "pg_stat_ssl",
        "SELECT s.pid, s.ssl, s.sslversion AS version, s.sslcipher AS cipher, s.sslbits AS bits, \
         s.ssl_client_dn AS client_dn, s.ssl_client_serial AS client_serial, s.ssl_issuer_dn AS issuer_dn \
         FROM pg_stat_get_activity(NULL::integer) s WHERE s.client_port IS NOT NULL",
    ),
    (
        "pg_stat_gssapi",
        "SELECT s.pid, s.gss_auth AS gss_authenticated, s.gss_princ AS principal, s.gss_enc AS encrypted \
         FROM pg_stat_get_activity(NULL::integer) s WHERE s.client_port IS NOT NULL",
    ),
    (
        "pg_stat_user_functions",
        "SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_stat_get_function_calls(p.oid) AS calls, \
         pg_stat_get_function_total_time(p.oid) AS total_time, pg_stat_get_function_self_time(p.oid) AS self_time \
         FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE p.prolang <> 12::oid AND pg_stat_get_function_calls(p.oid) IS NOT NULL",
    ),
    (
        "pg_stat_progress_vacuum",
        "SELECT s.pid, s.datid, d.datname, s.relid, \
         CASE s.param1 WHEN 0 THEN 'initializing'::text WHEN 1 THEN 'scanning heap'::text \
         WHEN 2 THEN 'vacuuming indexes'::text WHEN 3 THEN 'vacuuming heap'::text WHEN 4 THEN 'cleaning up indexes'::text \
         WHEN 5 THEN 'truncating heap'::text WHEN 6 THEN 'performing final cleanup'::text ELSE NULL::text END AS phase, \
         s.param2 AS heap_blks_total, s.param3 AS heap_blks_scanned, s.param4 AS heap_blks_vacuumed, \
         s.param5 AS index_vacuum_count, s.param6 AS max_dead_tuples, s.param7 AS num_dead_tuples \
         FROM pg_stat_get_progress_info('VACUUM'::text) s LEFT JOIN pg_database d ON s.datid = d.oid",
    ),
    (
        "pg_stat_progress_analyze",
        "SELECT s.pid, s.datid, d.datname, s.relid, \
         CASE s.param1 WHEN 0 THEN 'initializing'::text WHEN 1 THEN 'acquiring sample rows'::text \
         WHEN 2 THEN 'acquiring inherited sample rows'::text WHEN 3 THEN 'computing statistics'::text \
         WHEN 4 THEN 'computing extended statistics'::text WHEN 5 THEN 'finalizing analyze'::text ELSE NULL::text END AS phase, \
         s.param2 AS sample_blks_total, s.param3 AS sample_blks_scanned, s.param4 AS ext_stats_total, \
         s.param5 AS ext_stats_computed, s.param6 AS child_tables_total, s.param7 AS child_tables_done, \
         (s.param8)::oid AS current_child_table_relid \
         FROM pg_stat_get_progress_info('ANALYZE'::text) s LEFT JOIN pg_database d ON s.datid = d.oid",
    ),
    (
        "pg_stat_progress_create_index",
        "SELECT s.pid, s.datid, d.datname, s.relid, (s.param7)::oid AS index_relid, \
         CASE s.param1 WHEN 1 THEN 'CREATE INDEX'::text WHEN 2 THEN 'CREATE INDEX CONCURRENTLY'::text \
         WHEN 3 THEN 'REINDEX'::text WHEN 4 THEN 'REINDEX CONCURRENTLY'::text ELSE NULL::text END AS command, \
         CASE s.param10 WHEN 0 THEN 'initializing'::text WHEN 1 THEN 'waiting for writers before build'::text \
         WHEN 2 THEN 'building index'::text || COALESCE(': '::text || \
         pg_indexam_progress_phasename(s.param9::oid, s.param11), ''::text) \
         WHEN 3 THEN 'waiting for writers before validation'::text WHEN 4 THEN 'index validation: scanning index'::text \
         WHEN 5 THEN 'index validation: sorting tuples'::text WHEN 6 THEN 'index validation: scanning table'::text \
         WHEN 7 THEN 'waiting for old snapshots'::text WHEN 8 THEN 'waiting for readers before marking dead'::text \
         WHEN 9 THEN 'waiting for readers before dropping'::text ELSE NULL::text END AS phase, \
         s.param4 AS lockers_total, s.param5 AS lockers_done, s.param6 AS current_locker_pid, s.param16 AS blocks_total, \
         s.param17 AS blocks_done, s.param12 AS tuples_total, s.param13 AS tuples_done, s.param14 AS partitions_total, \
         s.param15 AS partitions_done \
         FROM pg_stat_get_progress_info('CREATE INDEX'::text) s LEFT JOIN pg_database d ON s.datid = d.oid",
    ),
    (
        "pg_stat_progress_copy",
        "SELECT s.pid, s.datid, d.datname, s.relid, \
         CASE s.param5 WHEN 1 THEN 'COPY FROM'::text WHEN 2 THEN 'COPY TO'::text ELSE NULL::text END AS command, \
         CASE s.param6 WHEN 1 THEN 'FILE'::text WHEN 2 THEN 'PROGRAM'::text WHEN 3 THEN 'PIPE'::text \
         WHEN 4 THEN 'CALLBACK'::text ELSE NULL::text END AS type, \
         s.param1 AS bytes_processed, s.param2 AS bytes_total, s.param3 AS tuples_processed, s.param4 AS tuples_excluded \
         FROM pg_stat_get_progress_info('COPY'::text) s LEFT JOIN pg_database d ON s.datid = d.oid",
    ),
    (
        "pg_stat_progress_cluster",
        "SELECT s.pid, s.datid, d.datname, s.relid, \
         CASE s.param1 WHEN 1 THEN 'CLUSTER'::text WHEN 2 THEN 'VACUUM FULL'::text ELSE NULL::text END AS command, \
         CASE s.param2 WHEN 0 THEN 'initializing'::text WHEN 1 THEN 'seq scanning heap'::text \
         WHEN 2 THEN 'index scanning heap'::text WHEN 3 THEN 'sorting tuples'::text WHEN 4 THEN 'writing new heap'::text \
         WHEN 5 THEN 'swapping relation files'::text WHEN 6 THEN 'rebuilding index'::text \
         WHEN 7 THEN 'performing final cleanup'::text ELSE NULL::text END AS phase, \
         (s.param3)::oid AS cluster_index_relid, s.param4 AS heap_tuples_scanned, s.param5 AS heap_tuples_written, \
         s.param6 AS heap_blks_total, s.param7 AS heap_blks_scanned, s.param8 AS index_rebuild_count \
         FROM pg_stat_get_progress_info('CLUSTER'::text) s LEFT JOIN pg_database d ON s.datid = d.oid",
    ),
    (
        "pg_stat_progress_basebackup",
        "SELECT s.pid, \
         CASE s.param1 WHEN 0 THEN 'initializing'::text WHEN 1 THEN 'waiting for checkpoint to finish'::text \
         WHEN 2 THEN 'estimating backup size'::text WHEN 3 THEN 'streaming database files'::text \
         WHEN 4 THEN 'waiting for wal archiving to finish'::text WHEN 5 THEN 'transferring wal files'::text \
         ELSE NULL::text END AS phase, \
         CASE s.param2 WHEN -1 THEN NULL::bigint ELSE s.param2 END AS backup_total, s.param3 AS backup_streamed, \
         s.param4 AS tablespaces_total, s.param5 AS tablespaces_streamed \
         FROM pg_stat_get_progress_info('BASEBACKUP'::text) s",
    ),
];

/// Views of replication.
const REPLICATION: &[(&str, &str)] = &[
    (
        "pg_stat_replication",
        "SELECT s.pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr, s.client_hostname, \
         s.client_port, s.backend_start, s.backend_xmin, w.state, w.sent_lsn, w.write_lsn, w.flush_lsn, w.replay_lsn, \
         w.write_lag, w.flush_lag, w.replay_lag, w.sync_priority, w.sync_state, w.reply_time \
         FROM pg_stat_get_activity(NULL::integer) s JOIN pg_stat_get_wal_senders() w ON s.pid = w.pid \
         LEFT JOIN pg_authid u ON s.usesysid = u.oid",
    ),
    (
        "pg_stat_wal_receiver",
        "SELECT s.pid, s.status, s.receive_start_lsn, s.receive_start_tli, s.written_lsn, s.flushed_lsn, s.received_tli, \
         s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_lsn, s.latest_end_time, s.slot_name, s.sender_host, \
         s.sender_port, s.conninfo FROM pg_stat_get_wal_receiver() s WHERE s.pid IS NOT NULL",
    ),
    (
        "pg_replication_slots",
        "SELECT l.slot_name, l.plugin, l.slot_type, l.datoid, d.datname AS database, l.temporary, l.active, l.active_pid, \
         l.xmin, l.catalog_xmin, l.restart_lsn, l.confirmed_flush_lsn, l.wal_status, l.safe_wal_size, l.two_phase \
         FROM pg_get_replication_slots() l LEFT JOIN pg_database d ON l.datoid = d.oid",
    ),
    (
        "pg_stat_subscription",
        "SELECT u.oid AS subid, u.subname, st.pid, st.relid, st.received_lsn, st.last_msg_send_time, st.last_msg_receipt_time, \
         st.latest_end_lsn, st.latest_end_time FROM pg_subscription u \
         LEFT JOIN pg_stat_get_subscription(NULL::oid) st ON st.subid = u.oid",
    ),
];

/// More of replication, and of recovery.
const RECOVERY: &[(&str, &str)] = &[
    (
        "pg_stat_slru",
        "SELECT s.name, s.blks_zeroed, s.blks_hit, s.blks_read, s.blks_written, s.blks_exists, s.flushes, s.truncates, \
         s.stats_reset FROM pg_stat_get_slru() s",
    ),
    (
        "pg_stat_recovery_prefetch",
        "SELECT s.stats_reset, s.prefetch, s.hit, s.skip_init, s.skip_new, s.skip_fpw, s.skip_rep, s.wal_distance, \
         s.block_distance, s.io_depth FROM pg_stat_get_recovery_prefetch() s",
    ),
    (
        "pg_stat_replication_slots",
        "SELECT s.slot_name, s.spill_txns, s.spill_count, s.spill_bytes, s.stream_txns, s.stream_count, s.stream_bytes, \
         s.total_txns, s.total_bytes, s.stats_reset FROM pg_replication_slots r, \
         LATERAL pg_stat_get_replication_slot(r.slot_name) s WHERE r.datoid IS NOT NULL",
    ),
    (
        "pg_stat_subscription_stats",
        "SELECT ss.subid, s.subname, ss.apply_error_count, ss.sync_error_count, ss.stats_reset FROM pg_subscription s, \
         LATERAL pg_stat_get_subscription_stats(s.oid) ss",
    ),
];

/// Views that not everybody may read.
const PRIVATE: &[(&str, &str)] = &[
    ("pg_shmem_allocations", "SELECT * FROM pg_get_shmem_allocations()"),
    ("pg_backend_memory_contexts", "SELECT * FROM pg_get_backend_memory_contexts()"),
];

/// All of them: name, text, and whether everybody may read it.
pub fn all() -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    for (prefix, suffix, text) in FAMILIES {
        let every = format!("{prefix}all{suffix}");
        for (word, filter) in [("sys", SYS), ("user", USER)] {
            out.push((
                format!("{prefix}{word}{suffix}"),
                format!("SELECT * FROM {every} WHERE {filter}"),
                true,
            ));
        }
        let at = out.len() - 2;
        out.insert(at, (every, (*text).to_string(), true));
    }
    out.extend(SINGLE.iter().map(|(n, t)| (n.to_string(), t.to_string(), true)));
    let more = REPLICATION.iter().chain(RECOVERY);
    out.extend(more.map(|(n, t)| (n.to_string(), t.to_string(), true)));
    out.extend(PRIVATE.iter().map(|(n, t)| (n.to_string(), t.to_string(), false)));
    out
}
