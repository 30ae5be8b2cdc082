//! The system views of `pg_catalog`, as SQL texts of our own over the catalogs. `initdb` makes them in `template1`, where
//! there is no session yet.

use crate::acl::{self, AclItem, AclKind};
use crate::information_schema::{domains, tables};
use crate::view;
use analyze::expr::Expr;
use analyze::query::{Query, RteKind};
use analyze::{AnalyzeCtx, ParamTypes, walk};
use catalog::Catalog;
use catalog::builtins::{BOOTSTRAP_SUPERUSER, PG_CATALOG};
use catalog::columns::{pg_class, pg_namespace};
use catalog::search_path::SearchPath;
use common::{Error, Oid, Result};
use std::rc::Rc;
use transam::Engine;
use types::FormatSettings;

/// Name, text, and whether everybody may read it.
const VIEWS: &[(&str, &str, bool)] = &[
    (
        "pg_shadow",
        "SELECT rolname AS usename, a.oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, \
         rolreplication AS userepl, rolbypassrls AS usebypassrls, rolpassword AS passwd, \
         rolvaliduntil AS valuntil, s.setconfig AS useconfig \
         FROM pg_authid a LEFT JOIN pg_db_role_setting s ON a.oid = s.setrole AND s.setdatabase = 0::oid \
         WHERE a.rolcanlogin",
        false,
    ),
    (
        "pg_roles",
        "SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcreaterole, a.rolcreatedb, a.rolcanlogin, \
         a.rolreplication, a.rolconnlimit, '********'::text AS rolpassword, a.rolvaliduntil, a.rolbypassrls, \
         s.setconfig AS rolconfig, a.oid \
         FROM pg_authid a LEFT JOIN pg_db_role_setting s ON a.oid = s.setrole AND s.setdatabase = 0::oid",
        true,
    ),
    (
        "pg_user",
        "SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text AS passwd, \
         valuntil, useconfig FROM pg_shadow",
        true,
    ),
    (
        "pg_group",
        "SELECT rolname AS groname, oid AS grosysid, \
         ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = a.oid) AS grolist \
         FROM pg_authid a WHERE NOT rolcanlogin",
        true,
    ),
    (
        "pg_tables",
        "SELECT n.nspname AS schemaname, c.relname AS tablename, pg_get_userbyid(c.relowner) AS tableowner, \
         t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules, \
         c.relhastriggers AS hastriggers, c.relrowsecurity AS rowsecurity \
         FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace \
         WHERE c.relkind = 'r' OR c.relkind = 'p'",
        true,
    ),
    (
        "pg_views",
        "SELECT n.nspname AS schemaname, c.relname AS viewname, pg_get_userbyid(c.relowner) AS viewowner, \
         pg_get_viewdef(c.oid) AS definition \
         FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'",
        true,
    ),
    (
        "pg_indexes",
        "SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, \
         t.spcname AS tablespace, pg_get_indexdef(i.oid) AS indexdef \
         FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_tablespace t ON t.oid = i.reltablespace \
         WHERE (c.relkind = 'r' OR c.relkind = 'm' OR c.relkind = 'p') AND (i.relkind = 'i' OR i.relkind = 'I')",
        true,
    ),
    (
        "pg_sequences",
        "SELECT n.nspname AS schemaname, c.relname AS sequencename, \
         pg_get_userbyid(c.relowner) AS sequenceowner, s.seqtypid::regtype AS data_type, \
         s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value, \
         s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size, \
         CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE'::text) THEN pg_sequence_last_value(c.oid::regclass) \
         ELSE NULL::bigint END AS last_value \
         FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'",
        true,
    ),
    ("pg_settings", "SELECT * FROM pg_show_all_settings() a", true),
    ("pg_file_settings", "SELECT * FROM pg_show_all_file_settings() a", false),
    ("pg_hba_file_rules", "SELECT * FROM pg_hba_file_rules() a", false),
    ("pg_ident_file_mappings", "SELECT * FROM pg_ident_file_mappings() a", false),
    ("pg_locks", "SELECT * FROM pg_lock_status() l", true),
    // Nothing can be labelled: only the columns matter, pg_dump reads them.
    (
        "pg_seclabels",
        "SELECT l.objoid, l.classoid, l.objsubid, 'table'::text AS objtype, r.relnamespace AS objnamespace, \
         r.relname::text AS objname, l.provider, l.label \
         FROM pg_seclabel l JOIN pg_class r ON l.classoid = r.tableoid AND l.objoid = r.oid",
        true,
    ),
    (
        "pg_stat_activity",
        "SELECT s.datid, d.datname, s.pid, s.leader_pid, s.usesysid, u.rolname AS usename, s.application_name, \
         s.client_addr, s.client_hostname, s.client_port, s.backend_start, s.xact_start, s.query_start, \
         s.state_change, s.wait_event_type, s.wait_event, s.state, s.backend_xid, s.backend_xmin, s.query_id, \
         s.query, s.backend_type \
         FROM pg_stat_get_activity(NULL::integer) s LEFT JOIN pg_database d ON s.datid = d.oid \
         LEFT JOIN pg_authid u ON s.usesysid = u.oid",
        true,
    ),
    (
        "pg_stat_all_tables",
        "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, pg_stat_get_numscans(c.oid) AS seq_scan, \
         pg_stat_get_tuples_returned(c.oid) AS seq_tup_read, \
         (sum(pg_stat_get_numscans(i.indexrelid)))::bigint AS idx_scan, \
         (sum(pg_stat_get_tuples_fetched(i.indexrelid)))::bigint + pg_stat_get_tuples_fetched(c.oid) AS idx_tup_fetch, \
         pg_stat_get_tuples_inserted(c.oid) AS n_tup_ins, pg_stat_get_tuples_updated(c.oid) AS n_tup_upd, \
         pg_stat_get_tuples_deleted(c.oid) AS n_tup_del, pg_stat_get_tuples_hot_updated(c.oid) AS n_tup_hot_upd, \
         pg_stat_get_live_tuples(c.oid) AS n_live_tup, pg_stat_get_dead_tuples(c.oid) AS n_dead_tup, \
         pg_stat_get_mod_since_analyze(c.oid) AS n_mod_since_analyze, \
         pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum, \
         pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum, \
         pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum, \
         pg_stat_get_last_analyze_time(c.oid) AS last_analyze, \
         pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze, \
         pg_stat_get_vacuum_count(c.oid) AS vacuum_count, pg_stat_get_autovacuum_count(c.oid) AS autovacuum_count, \
         pg_stat_get_analyze_count(c.oid) AS analyze_count, pg_stat_get_autoanalyze_count(c.oid) AS autoanalyze_count \
         FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid \
         LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' OR c.relkind = 't' OR c.relkind = 'm' OR c.relkind = 'p' \
         GROUP BY c.oid, n.nspname, c.relname",
        true,
    ),
    (
        "pg_stat_sys_tables",
        "SELECT * FROM pg_stat_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema') \
         OR schemaname ~ '^pg_toast'",
        true,
    ),
    (
        "pg_stat_user_tables",
        "SELECT * FROM pg_stat_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') \
         AND schemaname !~ '^pg_toast'",
        true,
    ),
    ("pg_prepared_statements", "SELECT * FROM pg_prepared_statement() p", true),
    ("pg_cursors", "SELECT * FROM pg_cursor() c", true),
    ("pg_timezone_names", "SELECT * FROM pg_timezone_names()", true),
    ("pg_timezone_abbrevs", "SELECT * FROM pg_timezone_abbrevs()", true),
    (
        "pg_matviews",
        "SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_get_userbyid(c.relowner) AS matviewowner, \
         t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated, \
         pg_get_viewdef(c.oid) AS definition \
         FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind = 'm'",
        true,
    ),
    (
        "pg_rules",
        "SELECT n.nspname AS schemaname, c.relname AS tablename, r.rulename, pg_get_ruledef(r.oid) AS definition \
         FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE r.rulename <> '_RETURN'",
        true,
    ),
    (
        "pg_policies",
        "SELECT n.nspname AS schemaname, c.relname AS tablename, pol.polname AS policyname, \
         CASE WHEN pol.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS permissive, \
         CASE WHEN pol.polroles = '{0}'::oid[] THEN ARRAY['public'::name] \
         ELSE ARRAY(SELECT a.rolname FROM pg_authid a WHERE a.oid = ANY (pol.polroles) ORDER BY a.rolname) END AS roles, \
         CASE pol.polcmd WHEN 'r'::\"char\" THEN 'SELECT' WHEN 'a'::\"char\" THEN 'INSERT' WHEN 'w'::\"char\" THEN 'UPDATE' \
         WHEN 'd'::\"char\" THEN 'DELETE' WHEN '*'::\"char\" THEN 'ALL' END AS cmd, \
         pg_get_expr(pol.polqual, pol.polrelid) AS qual, pg_get_expr(pol.polwithcheck, pol.polrelid) AS with_check \
         FROM pg_policy pol JOIN pg_class c ON c.oid = pol.polrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace",
        true,
    ),
    (
        "pg_user_mappings",
        "SELECT u.oid AS umid, s.oid AS srvid, s.srvname, u.umuser, \
         CASE WHEN u.umuser = 0 THEN 'public'::name ELSE a.rolname END AS usename, \
         CASE WHEN u.umuser <> 0 AND a.rolname = CURRENT_USER AND (pg_has_role(s.srvowner, 'USAGE'::text) \
         OR has_server_privilege(s.oid, 'USAGE'::text)) OR u.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE'::text) \
         OR (SELECT r.rolsuper FROM pg_authid r WHERE r.rolname = CURRENT_USER) THEN u.umoptions END AS umoptions \
         FROM pg_user_mapping u JOIN pg_foreign_server s ON u.umserver = s.oid LEFT JOIN pg_authid a ON a.oid = u.umuser",
        true,
    ),
    (
        "pg_available_extensions",
        "SELECT e.name, e.default_version, x.extversion AS installed_version, e.comment \
         FROM pg_available_extensions() e LEFT JOIN pg_extension x ON e.name = x.extname",
        true,
    ),
    (
        "pg_available_extension_versions",
        "SELECT e.name, e.version, x.extname IS NOT NULL AS installed, e.superuser, e.trusted, e.relocatable, \
         e.schema, e.requires, e.comment FROM pg_available_extension_versions() e \
         LEFT JOIN pg_extension x ON e.name = x.extname AND e.version = x.extversion",
        true,
    ),
    (
        "pg_prepared_xacts",
        "SELECT p.transaction, p.gid, p.prepared, u.rolname AS owner, d.datname AS database \
         FROM pg_prepared_xact() p LEFT JOIN pg_authid u ON p.ownerid = u.oid LEFT JOIN pg_database d ON p.dbid = d.oid",
        true,
    ),
    (
        "pg_publication_tables",
        "SELECT p.pubname, n.nspname AS schemaname, c.relname AS tablename, \
         (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a JOIN unnest(g.attrs) k ON k = a.attnum \
         WHERE a.attrelid = g.relid) AS attnames, pg_get_expr(g.qual, g.relid) AS rowfilter \
         FROM pg_publication p, LATERAL pg_get_publication_tables(p.pubname::text) g (relid, attrs, qual), \
         pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = g.relid",
        true,
    ),
    (
        "pg_replication_origin_status",
        "SELECT local_id, external_id, remote_lsn, local_lsn FROM pg_show_replication_origin_status()",
        false,
    ),
    (
        "pg_stat_xact_user_functions",
        "SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, \
         pg_stat_get_xact_function_calls(p.oid) AS calls, pg_stat_get_xact_function_total_time(p.oid) AS total_time, \
         pg_stat_get_xact_function_self_time(p.oid) AS self_time \
         FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE p.prolang <> 12::oid AND pg_stat_get_xact_function_calls(p.oid) IS NOT NULL",
        true,
    ),
    ("pg_config", "SELECT name, setting FROM pg_config()", false),
];

/// Are all functions of the query there?
fn runnable(catalog: &Catalog, q: &Query) -> bool {
    let there = |o: Oid| catalog.registry().get(o).is_some();
    let mut ok = true;
    let mut check = |e: &Expr| {
        walk::walk(e, 0, &mut |x, _| {
            match x {
                Expr::Func(f) => ok &= there(f.funcid),
                Expr::Op(o) => ok &= there(o.funcid),
                Expr::SubLink(s) => ok &= runnable(catalog, &s.subselect),
                _ => {}
            }
            true
        });
    };
    walk::query_exprs(q, &mut check);
    for r in &q.rtable {
        if let RteKind::Function { functions, .. } = &r.kind {
            functions.iter().for_each(|f| check(&f.expr));
        }
    }
    ok
}

/// Calls `f` with a context to resolve names in, in schemas of `initdb`.
fn with_context<R>(
    catalog: &Catalog,
    source: &str,
    schemas: &[Oid],
    f: &mut dyn FnMut(&AnalyzeCtx<'_>) -> Result<R>,
) -> Result<R> {
    let path = SearchPath { schemas: schemas.to_vec(), creation: schemas[0], ..Default::default() };
    f(&AnalyzeCtx {
        catalog,
        path: &path,
        registry: catalog.registry(),
        fmt: &FormatSettings::default(),
        role: BOOTSTRAP_SUPERUSER,
        database: "template1",
        source,
        lock: &|_, _| Ok(()),
        env: &(),
        xact_start_us: 0,
        stmt_start_us: 0,
    })
}

/// The query of a view, its columns cast to the domains that `columns` names.
fn resolve(catalog: &Catalog, text: &str, columns: &str, schemas: &[Oid]) -> Result<Option<Query>> {
    let raw = parser::parse(text)?;
    let Some(parser::Statement::Select(mut s)) = raw.into_iter().next().map(|r| r.stmt) else {
        return Err(Error::internal("a system view that is not a SELECT"));
    };
    domains::retype(&mut s, columns);
    let analyzed = with_context(catalog, text, schemas, &mut |ctx| {
        analyze::analyze_select(ctx, &s, &mut ParamTypes::none())
    });
    match analyzed {
        Ok(q) if runnable(catalog, &q) => Ok(Some(q)),
        Ok(_) => Ok(None),
        // Some function, operator or type of it is not there yet.
        Err(e) if e.sqlstate() != common::SqlState::INTERNAL_ERROR => Ok(None),
        Err(e) => Err(e),
    }
}

/// Makes the system views whose functions are all there, after the catalogs are filled. In a transaction of its own,
/// unless the caller has one open.
pub fn bootstrap_views(engine: &Rc<Engine>, catalog: &Rc<Catalog>) -> Result<()> {
    if engine.in_transaction() {
        engine.command_counter_increment()?;
        return make_views(catalog);
    }
    engine.start_command()?;
    make_views(catalog)?;
    engine.commit_command()
}

fn make_views(catalog: &Catalog) -> Result<()> {
    let own = VIEWS.iter().map(|(n, t, p)| (n.to_string(), t.to_string(), *p));
    for (name, text, public) in own.chain(more_views()).chain(crate::stat_views::all()) {
        if let Some(oid) = make_view(catalog, (&name, &text, ""), &[PG_CATALOG])? {
            let acl = set_acl(catalog, oid, &grants(&name, public))?;
            catalog::bootstrap::record_initial(catalog, pg_class::TABLE, oid, acl)?;
        }
    }
    let schema = information_schema(catalog)?;
    let path = [schema, PG_CATALOG];
    domains::create(catalog, schema, &|f| with_context(catalog, "", &path, f))?;
    // PostgreSQL notes no initial privileges there.
    let publish = |oid| set_acl(catalog, oid, &[(Oid::INVALID, acl::SELECT)]).map(|_| ());
    tables::create(catalog, schema, &publish)?;
    for v in crate::information_schema::views() {
        if let Some(oid) = make_view(catalog, (v.name, &v.text, v.columns), &path)?
            && v.public
        {
            publish(oid)?;
        }
    }
    Ok(())
}

/// Makes a view from its name, text and columns, if its functions are there.
fn make_view(
    catalog: &Catalog,
    (name, text, columns): (&str, &str, &str),
    schemas: &[Oid],
) -> Result<Option<Oid>> {
    let Some(q) = resolve(catalog, text, columns, schemas)? else { return Ok(None) };
    let barrier = ["pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"].contains(&name);
    let options = if barrier { vec!["security_barrier=true".to_string()] } else { Vec::new() };
    view::make(catalog, name, (schemas[0], b'p'), BOOTSTRAP_SUPERUSER, &q, &options).map(Some)
}

/// Who may do what with a view of `pg_catalog`, besides its owner.
fn grants(name: &str, public: bool) -> Vec<(Oid, u32)> {
    const READ_ALL_STATS: Oid = Oid(3375);
    match name {
        // What UPDATE does there is SET.
        "pg_settings" => vec![(Oid::INVALID, acl::SELECT | acl::UPDATE)],
        "pg_backend_memory_contexts" | "pg_shmem_allocations" => vec![(READ_ALL_STATS, acl::SELECT)],
        _ if public => vec![(Oid::INVALID, acl::SELECT)],
        _ => Vec::new(),
    }
}

/// Gives a relation its privileges.
fn set_acl(catalog: &Catalog, oid: Oid, grants: &[(Oid, u32)]) -> Result<types::Datum> {
    let mut items = AclKind::Table.default_list(BOOTSTRAP_SUPERUSER);
    let grantor = BOOTSTRAP_SUPERUSER;
    items.extend(grants.iter().map(|(g, privs)| AclItem {
        grantee: *g,
        grantor,
        privs: *privs,
        goptions: 0,
    }));
    let acl = acl::format(&items);
    crate::target::update_class(catalog, oid, &[(pg_class::RELACL, acl.clone())])?;
    Ok(acl)
}

/// The schema of the SQL standard, open to everybody.
fn information_schema(catalog: &Catalog) -> Result<Oid> {
    use pg_namespace::*;
    let oid = catalog::builtins::INFORMATION_SCHEMA;
    let mut items = AclKind::Schema.default_list(BOOTSTRAP_SUPERUSER);
    let grantor = BOOTSTRAP_SUPERUSER;
    items.push(AclItem { grantee: Oid::INVALID, grantor, privs: acl::USAGE, goptions: 0 });
    let acl = acl::format(&items);
    let mut r = catalog.blank_row(TABLE);
    r[OID] = types::Datum::oid(oid);
    r[NSPNAME] = types::Datum::text("information_schema");
    r[NSPOWNER] = types::Datum::oid(BOOTSTRAP_SUPERUSER);
    r[NSPACL] = acl;
    catalog.insert_row(TABLE, &r)?;
    catalog.engine().command_counter_increment()?;
    Ok(oid)
}

/// Five slots of a statistics row hold what a kind asks for in any of them. `of`: the row.
fn slot(of: &str, kind: u8, column: &str, none: &str, name: &str) -> String {
    let slots: String = (1..=5)
        .map(|n| {
            let value = column.replacen('#', &n.to_string(), 1);
            format!("WHEN {of}.stakind{n} = {kind} THEN {of}.{value} ")
        })
        .collect();
    format!("CASE {slots}ELSE NULL::{none} END AS {name}")
}

fn slots(of: &str) -> String {
    [
        slot(of, 1, "stavalues#", "anyarray", "most_common_vals"),
        slot(of, 1, "stanumbers#", "real[]", "most_common_freqs"),
        slot(of, 2, "stavalues#", "anyarray", "histogram_bounds"),
        slot(of, 3, "stanumbers#[1]", "real", "correlation"),
        slot(of, 4, "stavalues#", "anyarray", "most_common_elems"),
        slot(of, 4, "stanumbers#", "real[]", "most_common_elem_freqs"),
        slot(of, 5, "stanumbers#", "real[]", "elem_count_histogram"),
    ]
    .join(", ")
}

/// Views that are put together.
fn more_views() -> Vec<(String, String, bool)> {
    let columns = slots("s");
    let expressions = slots("(stat.a)");
    vec![
        (
            "pg_stats".into(),
            format!(
                "SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname, s.stainherit AS inherited, \
                 s.stanullfrac AS null_frac, s.stawidth AS avg_width, s.stadistinct AS n_distinct, {columns} \
                 FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid \
                 JOIN pg_attribute a ON c.oid = a.attrelid AND a.attnum = s.staattnum \
                 LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'select'::text) \
                 AND (c.relrowsecurity = false OR NOT row_security_active(c.oid))"
            ),
            true,
        ),
        (
            "pg_stats_ext".into(),
            "SELECT cn.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname, \
             s.stxname AS statistics_name, pg_get_userbyid(s.stxowner) AS statistics_owner, \
             (SELECT array_agg(a.attname ORDER BY a.attnum) FROM unnest(s.stxkeys) k \
             JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k) AS attnames, \
             pg_get_statisticsobjdef_expressions(s.oid) AS exprs, s.stxkind AS kinds, \
             sd.stxdinherit AS inherited, sd.stxdndistinct AS n_distinct, sd.stxddependencies AS dependencies, \
             m.most_common_vals, m.most_common_val_nulls, m.most_common_freqs, m.most_common_base_freqs \
             FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid \
             JOIN pg_statistic_ext_data sd ON s.oid = sd.stxoid \
             LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace \
             LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace \
             LEFT JOIN LATERAL (SELECT array_agg(i.\"values\") AS most_common_vals, \
             array_agg(i.nulls) AS most_common_val_nulls, array_agg(i.frequency) AS most_common_freqs, \
             array_agg(i.base_frequency) AS most_common_base_freqs \
             FROM pg_mcv_list_items(sd.stxdmcv) i) m ON sd.stxdmcv IS NOT NULL \
             WHERE pg_has_role(c.relowner, 'USAGE'::text) \
             AND (c.relrowsecurity = false OR NOT row_security_active(c.oid))"
                .into(),
            true,
        ),
        (
            "pg_stats_ext_exprs".into(),
            format!(
                "SELECT cn.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname, \
                 s.stxname AS statistics_name, pg_get_userbyid(s.stxowner) AS statistics_owner, stat.expr, \
                 sd.stxdinherit AS inherited, (stat.a).stanullfrac AS null_frac, (stat.a).stawidth AS avg_width, \
                 (stat.a).stadistinct AS n_distinct, {expressions} \
                 FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid \
                 LEFT JOIN pg_statistic_ext_data sd ON s.oid = sd.stxoid \
                 LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace \
                 LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace \
                 JOIN LATERAL (SELECT unnest(pg_get_statisticsobjdef_expressions(s.oid)) AS expr, \
                 unnest(sd.stxdexpr) AS a) stat ON stat.expr IS NOT NULL \
                 WHERE pg_has_role(c.relowner, 'USAGE'::text) \
                 AND (c.relrowsecurity = false OR NOT row_security_active(c.oid))"
            ),
            true,
        ),
    ]
}
