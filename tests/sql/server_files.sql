-- Files of the server, lists of its parts, functions that only say no.
select length(pg_read_file('PG_VERSION')), pg_read_file('PG_VERSION', 0, 2), pg_read_file('PG_VERSION', 1, 1), pg_read_file('./base/../PG_VERSION', -3, 2);
select pg_read_binary_file('PG_VERSION', 0, 2), pg_read_binary_file('PG_VERSION'), pg_read_binary_file('nope', 0, 2, true) is null;
select pg_read_file('nope');
select pg_read_file('nope', 0, 10);
select pg_read_file('nope', 0, 10, true);
select pg_read_file('nope', 0, 10, false);
select pg_read_file('PG_VERSION', 0, -1);
select pg_read_file('PG_VERSION', 100, 10);
select pg_read_file('PG_VERSION', -100, 10);
select pg_read_file('base');
select pg_read_file(null), pg_read_file('PG_VERSION', null, 1);
select pg_read_file_old('PG_VERSION', 0, 2);
select size, isdir, creation is null, modification < now() + interval '1 min' from pg_stat_file('PG_VERSION');
select (pg_stat_file('base')).isdir, (pg_stat_file('PG_VERSION', true)).size;
select pg_stat_file('nope');
select pg_stat_file('nope', true);
select * from pg_stat_file('nope', true);
select pg_stat_file(null);
select d from pg_ls_dir('.') d where d in ('PG_VERSION', 'base', 'global', 'pg_wal', '.', '..') order by 1;
select d from pg_ls_dir('base', false, true) d where d in ('.', '..', '1', '4', '5') order by 1;
select pg_ls_dir('nope');
select * from pg_ls_dir('nope', true, false);
select pg_ls_dir('PG_VERSION');
select count(*) > 0 from pg_ls_waldir() where size = 16777216;
select count(*) from pg_ls_tmpdir();
select * from pg_ls_tmpdir(0);
select count(*) >= 0 from pg_ls_archive_statusdir();
create role sf_reader;
set role sf_reader;
select pg_read_file('PG_VERSION');
select pg_ls_dir('.');
select pg_stat_file('PG_VERSION');
select pg_read_binary_file('PG_VERSION');
select * from pg_ls_waldir();
select * from pg_ls_logdir();
select * from pg_ls_tmpdir();
reset role;
grant execute on function pg_read_file(text), pg_ls_dir(text), pg_stat_file(text) to sf_reader;
set role sf_reader;
select pg_read_file('PG_VERSION') ~ '15', pg_read_file('base/../PG_VERSION') ~ '15';
select pg_read_file('/etc/passwd');
select pg_read_file('../nope');
select pg_read_file('base/../../nope');
select pg_stat_file('../nope');
select pg_ls_dir('/');
select pg_read_file(current_setting('data_directory') || '/PG_VERSION') ~ '15';
reset role;
grant pg_read_server_files to sf_reader;
grant pg_read_all_settings to sf_reader;
set role sf_reader;
select pg_read_file('/nope/nope');
select pg_read_file('../nope_nope');
select pg_read_file(current_setting('data_directory') || '/PG_VERSION') ~ '15';
reset role;
revoke execute on function pg_read_file(text), pg_ls_dir(text), pg_stat_file(text) from sf_reader;
drop role sf_reader;

-- databases of a tablespace
select array_agg(d order by d) @> '{1,4,5}' from pg_tablespace_databases(1663) d;
select * from pg_tablespace_databases(1664);
select * from pg_tablespace_databases(0);
select pg_tablespace_location(1663) = '', pg_tablespace_location(0) = '';

-- rows as values
select (pg_walfile_name_offset('0/1000028')).*, pg_walfile_name_offset('0/1000028'), pg_walfile_name('0/1000028');
create sequence sf_seq increment 3 cache 5;
select pg_sequence_parameters('sf_seq'::regclass), (pg_sequence_parameters('sf_seq'::regclass)).increment;
select (pg_control_init()).max_data_alignment, (pg_control_system()).pg_control_version is not null, (pg_control_checkpoint()).timeline_id;
select row_to_json(pg_sequence_parameters('sf_seq'::regclass));
select relname, (pg_sequence_parameters(oid)).cache_size from pg_class where relkind = 'S' and relname = 'sf_seq';
select case when true then pg_walfile_name_offset('0/1') end, pg_walfile_name_offset(null);
drop sequence sf_seq;

-- members of a multixact
select * from pg_get_multixact_members('0');
select * from pg_get_multixact_members('1000000000');
select pg_get_multixact_members(null);

-- which columns of catalogs refer to which
select count(*), count(*) filter (where is_array) as arrays, count(*) filter (where is_opt) as optional from pg_get_catalog_foreign_keys();
select * from pg_get_catalog_foreign_keys() where fktable in ('pg_class'::regclass, 'pg_index'::regclass);
select * from ts_token_type('default');
select * from ts_token_type(3722) where tokid < 3;
select * from ts_token_type('nope');
select * from pg_get_publication_tables('nope');
select * from pg_publication_tables;
select * from pg_replication_origin_status;
select count(*) from pg_stat_xact_user_functions;
select * from pg_stat_get_replication_slot('nope');
select * from pg_stat_get_subscription_stats(1);

-- no
select binary_upgrade_set_next_pg_type_oid(0);
select binary_upgrade_set_record_init_privs(true);
select pg_extension_config_dump(0, '');
select pg_wal_replay_pause();
select pg_wal_replay_resume();
select pg_get_wal_replay_pause_state();
select aclinsert(null, null);
select aclinsert('{=r/postgres}'::aclitem[], '=r/postgres');
select aclremove('{=r/postgres}'::aclitem[], '=r/postgres');

-- built-in functions in standard SQL
select pg_get_functiondef('lpad(text, int)'::regprocedure);
select pg_get_function_sqlbody('lpad(text, int)'::regprocedure), pg_get_function_sqlbody('lower(text)'::regprocedure) is null;
select count(*), md5(string_agg(pg_get_functiondef(oid), ' ' order by oid)) from pg_proc where prolang = 14 and oid < 12000;
