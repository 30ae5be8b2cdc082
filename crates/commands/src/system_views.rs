//! The system views of `pg_catalog`, as SQL texts of our own over the catalogs. `initdb` makes them in `template1`, where
//! there is no session yet.

use crate::acl::{self, AclItem, AclKind};
use crate::view;
use analyze::expr::Expr;
use analyze::query::{Query, RteKind};
use analyze::{AnalyzeCtx, ParamTypes, walk};
use catalog::Catalog;
use catalog::builtins::{BOOTSTRAP_SUPERUSER, PG_CATALOG};
use catalog::columns::pg_class;
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
    ("pg_settings", "SELECT * FROM pg_show_all_settings()", true),
    ("pg_file_settings", "SELECT * FROM pg_show_all_file_settings()", false),
    ("pg_hba_file_rules", "SELECT * FROM pg_hba_file_rules()", false),
    ("pg_ident_file_mappings", "SELECT * FROM pg_ident_file_mappings()", false),
    ("pg_locks", "SELECT * FROM pg_lock_status()", true),
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
    ("pg_prepared_statements", "SELECT * FROM pg_prepared_statement()", true),
    ("pg_cursors", "SELECT * FROM pg_cursor()", true),
    ("pg_timezone_names", "SELECT * FROM pg_timezone_names()", true),
    ("pg_timezone_abbrevs", "SELECT * FROM pg_timezone_abbrevs()", true),
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

fn resolve(catalog: &Catalog, text: &str) -> Result<Option<Query>> {
    let raw = parser::parse(text)?;
    let Some(parser::Statement::Select(s)) = raw.into_iter().next().map(|r| r.stmt) else {
        return Err(Error::internal("a system view that is not a SELECT"));
    };
    let path = SearchPath { schemas: vec![PG_CATALOG], creation: PG_CATALOG, ..Default::default() };
    let fmt = FormatSettings::default();
    let ctx = AnalyzeCtx {
        catalog,
        path: &path,
        registry: catalog.registry(),
        fmt: &fmt,
        role: BOOTSTRAP_SUPERUSER,
        database: "template1",
        source: text,
        lock: &|_, _| Ok(()),
        env: &(),
        xact_start_us: 0,
        stmt_start_us: 0,
    };
    match analyze::analyze_select(&ctx, &s, &mut ParamTypes::none()) {
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
    for (name, text, public) in own.chain(crate::stat_views::all()) {
        let (name, text) = (&*name, &*text);
        let Some(q) = resolve(catalog, text)? else { continue };
        let oid = view::make(catalog, name, (PG_CATALOG, b'p'), BOOTSTRAP_SUPERUSER, &q, &[])?;
        let mut items = AclKind::Table.default_list(BOOTSTRAP_SUPERUSER);
        if public {
            let grantor = BOOTSTRAP_SUPERUSER;
            items.push(AclItem { grantee: Oid::INVALID, grantor, privs: acl::SELECT, goptions: 0 });
        }
        let acl = acl::format(&items);
        catalog::bootstrap::record_initial(catalog, pg_class::TABLE, oid, acl.clone())?;
        crate::target::update_class(catalog, oid, &[(pg_class::RELACL, acl)])?;
    }
    Ok(())
}
