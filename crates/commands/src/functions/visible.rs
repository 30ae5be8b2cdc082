//! `pg_table_is_visible` and its kin: can an object be named without its schema?

use super::env;
use catalog::columns::*;
use catalog::search_path::SearchPath;
use catalog::{CatRow, Catalog};
use common::{Oid, Result};
use types::{CallCtx, Datum, FnImpl, c1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2079, c1!(table)),
    (2080, c1!(type_)),
    (2081, c1!(function)),
    (2082, c1!(operator)),
    (2083, c1!(opclass)),
    (3829, c1!(opfamily)),
    (3815, c1!(collation)),
    (2093, c1!(conversion)),
    (3756, c1!(ts_parser)),
    (3757, c1!(ts_dict)),
    (3758, c1!(ts_config)),
    (3768, c1!(ts_template)),
    (3403, c1!(statistics)),
];

fn table(c: &CallCtx<'_>, oid: u32) -> Result<Option<bool>> {
    let e = env(c)?;
    // The row rather than the descriptor: listings ask this of every relation there is.
    let rows = e.catalog.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::U32(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let path = e.host.search_path()?;
    if !path.schemas.contains(&r.oid(pg_class::RELNAMESPACE)) {
        return Ok(Some(false));
    }
    Ok(Some(e.catalog.find_relation(&path, r.str(pg_class::RELNAME))? == Some(Oid(oid))))
}

fn type_(c: &CallCtx<'_>, oid: u32) -> Result<Option<bool>> {
    let e = env(c)?;
    let Some(t) = e.catalog.type_if_any(Oid(oid))? else { return Ok(None) };
    Ok(Some(e.catalog.find_type(&*e.host.search_path()?, &t.name)? == Some(t.oid)))
}

/// Is `namespace` in the path, with none of `others` before it?
fn comes_first(path: &SearchPath, namespace: Oid, others: impl IntoIterator<Item = Oid>) -> bool {
    let at = |ns: Oid| path.schemas.iter().position(|s| *s == ns);
    match at(namespace) {
        Some(mine) => others.into_iter().filter_map(at).all(|o| o >= mine),
        None => false,
    }
}

/// Is the function found by its name and argument types alone?
pub fn function_is_visible(
    catalog: &Catalog,
    path: &SearchPath,
    p: &catalog::desc::ProcDesc,
) -> Result<bool> {
    let all = catalog.procs_named(&p.name)?;
    Ok(comes_first(path, p.namespace, all.iter().filter(|o| o.arg_types == p.arg_types).map(|o| o.namespace)))
}

fn function(c: &CallCtx<'_>, oid: u32) -> Result<Option<bool>> {
    let e = env(c)?;
    let Some(p) = e.catalog.proc_if_any(Oid(oid))? else { return Ok(None) };
    Ok(Some(function_is_visible(&e.catalog, &*e.host.search_path()?, &p)?))
}

/// Is the operator found by its name and argument types alone?
pub fn operator_is_visible(
    catalog: &Catalog,
    path: &SearchPath,
    o: &catalog::desc::OperDesc,
) -> Result<bool> {
    let all = catalog.operators_named(&o.name, o.kind)?;
    let same = all.iter().filter(|x| x.left == o.left && x.right == o.right).map(|x| x.namespace);
    Ok(comes_first(path, o.namespace, same))
}

fn operator(c: &CallCtx<'_>, oid: u32) -> Result<Option<bool>> {
    let e = env(c)?;
    let Ok(o) = e.catalog.operator(Oid(oid)) else { return Ok(None) };
    Ok(Some(operator_is_visible(&e.catalog, &*e.host.search_path()?, &o)?))
}

/// Where a kind of object keeps its name, its schema, and what else tells equal names apart.
struct Kind {
    table: Oid,
    oid_index: Oid,
    name: usize,
    namespace: usize,
    /// A column that must be equal too (the access method of an operator class).
    scope: Option<usize>,
}

fn visible(c: &CallCtx<'_>, oid: u32, k: &Kind) -> Result<Option<bool>> {
    let e = env(c)?;
    let rows = e.catalog.scan(k.table, k.oid_index, &[Datum::U32(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let path = e.host.search_path()?;
    let ns = r.oid(k.namespace);
    if path.schemas.first() == Some(&ns) || !path.schemas.contains(&ns) {
        return Ok(Some(path.schemas.contains(&ns)));
    }
    let all = e.catalog.scan_all(k.table)?;
    let same = |o: &&CatRow| o.str(k.name) == r.str(k.name) && k.scope.is_none_or(|s| o.oid(s) == r.oid(s));
    Ok(Some(comes_first(&path, ns, all.iter().filter(same).map(|o| o.oid(k.namespace)))))
}

macro_rules! kinds {
    ($($f:ident: $m:ident, $name:ident, $ns:ident, $scope:expr;)*) => {$(
        fn $f(c: &CallCtx<'_>, oid: u32) -> Result<Option<bool>> {
            use $m::*;
            visible(c, oid, &Kind { table: TABLE, oid_index: OID_INDEX, name: $name, namespace: $ns, scope: $scope })
        }
    )*};
}

kinds! {
    opclass: pg_opclass, OPCNAME, OPCNAMESPACE, Some(OPCMETHOD);
    opfamily: pg_opfamily, OPFNAME, OPFNAMESPACE, Some(OPFMETHOD);
    collation: pg_collation, COLLNAME, COLLNAMESPACE, None;
    conversion: pg_conversion, CONNAME, CONNAMESPACE, None;
    ts_parser: pg_ts_parser, PRSNAME, PRSNAMESPACE, None;
    ts_dict: pg_ts_dict, DICTNAME, DICTNAMESPACE, None;
    ts_config: pg_ts_config, CFGNAME, CFGNAMESPACE, None;
    ts_template: pg_ts_template, TMPLNAME, TMPLNAMESPACE, None;
    statistics: pg_statistic_ext, STXNAME, STXNAMESPACE, None;
}
