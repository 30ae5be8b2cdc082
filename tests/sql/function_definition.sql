-- definitions as SQL text
create table ut(a int primary key, b text not null default 'x', c int check (c>0), d serial, e bigint generated always as identity, f numeric(10,2), unique (b));
create table ut2(x int references ut(a) on delete cascade, y varchar(20) default upper('q'));
create index ut_i on ut (lower(b), (a+1) desc, b text_pattern_ops nulls first) include (c) where a>3;
create view uv as select a, b from ut where a>1;
select pg_get_indexdef('ut_i'::regclass), pg_get_indexdef('ut_i'::regclass,2,true),pg_get_indexdef('ut_i'::regclass,2,false),pg_get_indexdef('ut_i'::regclass,0,true),pg_get_indexdef('ut_i'::regclass,4,false),pg_get_indexdef('ut_i'::regclass,9,false), pg_get_indexdef(1259);
select conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid,true) from pg_constraint where conrelid in ('ut'::regclass,'ut2'::regclass) order by 1;
select pg_get_viewdef('uv'), pg_get_viewdef('uv'::regclass), pg_get_viewdef('uv'::regclass,true), pg_get_viewdef('ut'::regclass), pg_get_viewdef(99999999);
select pg_get_ruledef(oid), pg_get_ruledef(oid,true) from pg_rewrite where ev_class='uv'::regclass;
select pg_get_serial_sequence('ut','d'), pg_get_serial_sequence('ut','e'), pg_get_serial_sequence('public.ut','a');
select pg_get_serial_sequence('ut','zz');
select pg_get_expr(adbin, adrelid), pg_get_expr(adbin,adrelid,true) from pg_attrdef where adrelid::regclass::text in ('ut','ut2') order by 1;
select pg_get_functiondef(2096), pg_get_functiondef(1326), pg_get_functiondef(1067);
select pg_get_functiondef('sum(int4)'::regprocedure);
select proname, pg_get_function_arguments(oid), pg_get_function_identity_arguments(oid), pg_get_function_result(oid), pg_get_function_arg_default(oid,2) from pg_proc where proname in ('pg_show_all_settings','percentile_cont','rank','pg_terminate_backend','generate_series','pg_lock_status','format','aclexplode','mode','pg_backup_start','make_interval','string_agg') order by 1,2;
select n, pg_index_column_has_property('ut_i'::regclass, 2, n), pg_index_column_has_property('ut_i'::regclass, 4, n), pg_index_has_property('ut_i'::regclass, n), pg_indexam_has_property(403,n), pg_indexam_has_property(783,n) from unnest(array['asc','desc','nulls_first','nulls_last','orderable','distance_orderable','returnable','search_array','search_nulls','clusterable','index_scan','bitmap_scan','backward_scan','can_order','can_unique','can_multi_col','can_exclude','can_include','x']) n;
select pg_get_partkeydef('ut'::regclass), pg_get_partition_constraintdef('ut'::regclass), pg_get_triggerdef(1), pg_get_statisticsobjdef(1);
select relname, pg_get_expr(relpartbound, oid) from pg_class where relname='ut';
