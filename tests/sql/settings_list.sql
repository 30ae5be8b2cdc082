-- Every setting with what PostgreSQL says of it. Values of this machine and build are left out: socket directories,
-- ports, time zones, file names, what initdb and the test's command line have chosen.
select name, unit, category, context, vartype, min_val, max_val, enumvals,
       case when name in ('unix_socket_directories', 'ssl_library', 'krb_server_keyfile', 'server_version', 'wal_buffers',
                          'dynamic_library_path', 'extension_destdir', 'ssl_ciphers', 'debug_assertions', 'data_directory_mode',
                          'shared_memory_size', 'shared_memory_size_in_huge_pages', 'in_hot_standby', 'max_stack_depth')
            then '-' else boot_val end as boot_val,
       short_desc, coalesce(extra_desc, '') = '' as has_no_more
    from pg_settings where name not in ('monitoring_port') and name !~ '\.' order by name collate "C";
select count(*) from pg_settings where source is null or setting is null;
select distinct source from pg_settings where source in ('default', 'override', 'configuration file', 'command line') order by 1;
select name, setting, pending_restart from pg_settings where name in ('work_mem', 'max_connections', 'port') and name <> 'port' order by 1;
