//! CREATE and ALTER SEQUENCE: options checked as PostgreSQL checks them, rows of `pg_class`, `pg_sequence` and
//! `pg_depend`. The state of a sequence (its page, nextval) is in [`crate::sequence`].

use crate::analysis::{lost, notice, notice_as, with_analyze};
use crate::ctx::CommandCtx;
use crate::relation::{self, NewRelation};
use crate::{sequence, target};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::schema::attribute;
use catalog::{CatRow, Catalog};
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::{Attribute, Datum, oids};

/// A sequence's definition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeqParams {
    pub type_oid: Oid,
    pub start: i64,
    pub increment: i64,
    pub max: i64,
    pub min: i64,
    pub cache: i64,
    pub cycle: bool,
}

/// What the options of a statement come to.
pub struct SeqOptions {
    pub params: SeqParams,
    /// New value for the state: (last_value, is_called).
    pub state: Option<(i64, bool)>,
    pub owned_by: Option<Vec<String>>,
}

fn limits(t: Oid) -> (i64, i64) {
    match t {
        oids::INT2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        oids::INT4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

fn type_word(t: Oid) -> &'static str {
    match t {
        oids::INT2 => "smallint",
        oids::INT4 => "integer",
        _ => "bigint",
    }
}

fn number(d: &DefElem) -> Result<i64> {
    match &d.arg {
        Some(DefArg::Integer(i)) => Ok(i64::from(*i)),
        Some(DefArg::Float(s)) => s
            .replace('_', "")
            .parse()
            .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{s}\" is out of range for type bigint")),
        _ => bail!(SYNTAX_ERROR, "{} requires a numeric value", d.defname),
    }
}

/// Reads options on top of what is there (`None`: a new sequence).
pub fn read_options(
    ctx: &CommandCtx<'_>,
    options: &[DefElem],
    old: Option<SeqParams>,
    for_identity: bool,
) -> Result<SeqOptions> {
    let find = |name: &str| options.iter().find(|d| d.defname == name);
    for (i, d) in options.iter().enumerate() {
        if options[..i].iter().any(|x| x.defname == d.defname) {
            return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
        }
    }
    if let Some(d) = options.iter().find(|d| matches!(d.defname.as_str(), "logged" | "unlogged")) {
        bail!(INTERNAL_ERROR, "option \"{}\" not recognized", d.defname);
    }
    let mut p = old.unwrap_or(SeqParams {
        type_oid: oids::INT8,
        start: 0,
        increment: 1,
        max: 0,
        min: 0,
        cache: 1,
        cycle: false,
    });
    let (mut reset_max, mut reset_min) = (old.is_none(), old.is_none());
    if let Some(DefElem { arg: Some(DefArg::TypeName(t)), .. }) = find("as") {
        let (new, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, t))?;
        if !matches!(new, oids::INT2 | oids::INT4 | oids::INT8) {
            let what = if for_identity { "identity column type" } else { "sequence type" };
            bail!(INVALID_PARAMETER_VALUE, "{what} must be smallint, integer, or bigint");
        }
        if let Some(o) = old {
            let (lo, hi) = limits(o.type_oid);
            reset_max = o.max == hi;
            reset_min = o.min == lo || (o.min == lo + 1 && o.increment < 0);
        }
        p.type_oid = new;
    }
    if let Some(d) = find("increment") {
        p.increment = number(d)?;
        if p.increment == 0 {
            bail!(INVALID_PARAMETER_VALUE, "INCREMENT must not be zero");
        }
    }
    if let Some(DefElem { arg: Some(DefArg::Boolean(b)), .. }) = find("cycle") {
        p.cycle = *b;
    }
    let (lo, hi) = limits(p.type_oid);
    match find("maxvalue") {
        Some(d) if d.arg.is_some() => p.max = number(d)?,
        Some(_) => p.max = if p.increment > 0 { hi } else { -1 },
        None if reset_max => p.max = if p.increment > 0 { hi } else { -1 },
        None => {}
    }
    match find("minvalue") {
        Some(d) if d.arg.is_some() => p.min = number(d)?,
        Some(_) => p.min = if p.increment < 0 { lo } else { 1 },
        None if reset_min => p.min = if p.increment < 0 { lo } else { 1 },
        None => {}
    }
    check_range("MAXVALUE", p.max, p.type_oid)?;
    check_range("MINVALUE", p.min, p.type_oid)?;
    if p.min >= p.max {
        bail!(INVALID_PARAMETER_VALUE, "MINVALUE ({}) must be less than MAXVALUE ({})", p.min, p.max);
    }
    match find("start") {
        Some(d) => p.start = number(d)?,
        None if old.is_none() => p.start = if p.increment > 0 { p.min } else { p.max },
        None => {}
    }
    check_between("START value", p.start, &p)?;
    let state = match find("restart") {
        Some(d) => {
            let v = if d.arg.is_some() { number(d)? } else { p.start };
            check_between("RESTART value", v, &p)?;
            Some((v, false))
        }
        None if old.is_none() => Some((p.start, false)),
        None => None,
    };
    if let Some(d) = find("cache") {
        p.cache = number(d)?;
        if p.cache <= 0 {
            bail!(INVALID_PARAMETER_VALUE, "CACHE ({}) must be greater than zero", p.cache);
        }
    }
    let owned_by = match find("owned_by") {
        Some(DefElem { arg: Some(DefArg::Names(n)), .. }) => Some(n.clone()),
        _ => None,
    };
    Ok(SeqOptions { params: p, state, owned_by })
}

fn check_range(what: &str, v: i64, t: Oid) -> Result<()> {
    let (lo, hi) = limits(t);
    if v < lo || v > hi {
        bail!(
            INVALID_PARAMETER_VALUE,
            "{what} ({v}) is out of range for sequence data type {}",
            type_word(t)
        );
    }
    Ok(())
}

fn check_between(what: &str, v: i64, p: &SeqParams) -> Result<()> {
    if v < p.min {
        bail!(INVALID_PARAMETER_VALUE, "{what} ({v}) cannot be less than MINVALUE ({})", p.min);
    }
    if v > p.max {
        bail!(INVALID_PARAMETER_VALUE, "{what} ({v}) cannot be greater than MAXVALUE ({})", p.max);
    }
    Ok(())
}

fn attributes(catalog: &Catalog) -> Result<Vec<Attribute>> {
    [("last_value", oids::INT8), ("log_cnt", oids::INT8), ("is_called", oids::BOOL)]
        .into_iter()
        .map(|(n, t)| {
            let mut a = attribute(n, &*catalog.type_desc(t)?, -1);
            a.not_null = true;
            Ok(a)
        })
        .collect()
}

/// Makes a sequence.
pub fn make(
    ctx: &CommandCtx<'_>,
    name: &str,
    (namespace, persistence): (Oid, u8),
    owner: Oid,
    o: &SeqOptions,
) -> Result<Oid> {
    let attrs = attributes(ctx.catalog)?;
    let new = NewRelation {
        name,
        namespace,
        owner,
        kind: b'S',
        persistence,
        attrs: &attrs,
        ndims: &[],
        options: &[],
        checks: 0,
    };
    let oid = relation::create(ctx.catalog, &new)?;
    ctx.catalog.insert_row(pg_sequence::TABLE, &params_row(ctx.catalog, oid, &o.params))?;
    let (value, called) = o.state.unwrap_or((o.params.start, false));
    sequence::create_storage(ctx.catalog, oid, value, called)?;
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

fn params_row(catalog: &Catalog, oid: Oid, p: &SeqParams) -> Vec<Datum> {
    use pg_sequence::*;
    let mut r = catalog.blank_row(TABLE);
    r[SEQRELID] = Datum::oid(oid);
    r[SEQTYPID] = Datum::oid(p.type_oid);
    r[SEQSTART] = Datum::I64(p.start);
    r[SEQINCREMENT] = Datum::I64(p.increment);
    r[SEQMAX] = Datum::I64(p.max);
    r[SEQMIN] = Datum::I64(p.min);
    r[SEQCACHE] = Datum::I64(p.cache);
    r[SEQCYCLE] = Datum::Bool(p.cycle);
    r
}

fn sequence_row(catalog: &Catalog, oid: Oid) -> Result<CatRow> {
    use pg_sequence::*;
    let rows = catalog.scan(TABLE, SEQRELID_INDEX, &[Datum::oid(oid)])?;
    rows.into_iter().next().ok_or_else(|| lost("sequence", oid))
}

/// A sequence's definition.
pub fn params(catalog: &Catalog, oid: Oid) -> Result<SeqParams> {
    use pg_sequence::*;
    let r = sequence_row(catalog, oid)?;
    Ok(SeqParams {
        type_oid: r.oid(SEQTYPID),
        start: r.i64(SEQSTART),
        increment: r.i64(SEQINCREMENT),
        max: r.i64(SEQMAX),
        min: r.i64(SEQMIN),
        cache: r.i64(SEQCACHE),
        cycle: r.bool(SEQCYCLE),
    })
}

/// Runs CREATE SEQUENCE.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateSeqStmt) -> Result<String> {
    let (ns, persistence) = target::creation_target(ctx, &s.sequence)?;
    let name = &s.sequence.relname;
    if s.if_not_exists && ctx.catalog.relation_oid(ns, name)?.is_some() {
        let message = format!("relation \"{name}\" already exists, skipping");
        notice_as(ctx, SqlState::DUPLICATE_TABLE, message);
        return Ok("CREATE SEQUENCE".into());
    }
    let options = read_options(ctx, &s.options, None, false)?;
    let oid = make(ctx, name, (ns, persistence), ctx.host.role(), &options)?;
    if let Some(owner) = &options.owned_by {
        set_owned_by(ctx, oid, owner, false)?;
    }
    Ok("CREATE SEQUENCE".into())
}

/// Runs ALTER SEQUENCE.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterSeqStmt) -> Result<String> {
    let Some(rel) = target::lock_relation(ctx, &s.sequence, LockMode::ShareRowExclusive)? else {
        if s.missing_ok {
            notice(ctx, format!("relation \"{}\" does not exist, skipping", target::display(&s.sequence)));
            return Ok("ALTER SEQUENCE".into());
        }
        return Err(target::undefined(ctx, &s.sequence));
    };
    if rel.kind != b'S' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a sequence", rel.name);
    }
    target::check_relation_owner(ctx, &rel)?;
    alter_options(ctx, rel.oid, &s.options, false)?;
    Ok("ALTER SEQUENCE".into())
}

/// Changes a sequence's definition.
pub fn alter_options(ctx: &CommandCtx<'_>, oid: Oid, options: &[DefElem], for_identity: bool) -> Result<()> {
    let old = params(ctx.catalog, oid)?;
    let o = read_options(ctx, options, Some(old), for_identity)?;
    let (last, called) = sequence::state(ctx.catalog, oid)?;
    let current = o.state.unwrap_or((last, called));
    check_between("RESTART value", current.0, &o.params)?;
    let row = sequence_row(ctx.catalog, oid)?;
    ctx.catalog.update_row(pg_sequence::TABLE, &row, &params_row(ctx.catalog, oid, &o.params))?;
    if o.params != old || o.state.is_some() {
        // New files, so that the change goes away with an aborted transaction.
        crate::relfilenode::replace(ctx, oid)?;
        sequence::create_storage(ctx.catalog, oid, current.0, current.1)?;
    }
    if let Some(owner) = &o.owned_by {
        set_owned_by(ctx, oid, owner, for_identity)?;
    }
    ctx.engine.command_counter_increment()
}

/// Starts an owned sequence anew (TRUNCATE … RESTART IDENTITY).
pub fn restart(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    let p = params(ctx.catalog, oid)?;
    crate::relfilenode::replace(ctx, oid)?;
    sequence::create_storage(ctx.catalog, oid, p.start, false)
}

/// Records that a sequence belongs to a column: `a` for OWNED BY, `i` for identity.
pub fn record_owner(ctx: &CommandCtx<'_>, seq: Oid, table: Oid, column: i16, identity: bool) -> Result<()> {
    let kind = if identity { DependencyKind::Internal } else { DependencyKind::Auto };
    let me = ObjectAddress::new(pg_class::TABLE, seq);
    ctx.catalog.record_dependency(me, ObjectAddress::column(table, column), kind)
}

fn forget_owner(ctx: &CommandCtx<'_>, seq: Oid) -> Result<()> {
    use pg_depend::*;
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &[Datum::oid(pg_class::TABLE), Datum::oid(seq)])? {
        if r.oid(REFCLASSID) == pg_class::TABLE && r.i32(REFOBJSUBID) != 0 && r.char(DEPTYPE) == b'a' {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    Ok(())
}

fn set_owned_by(ctx: &CommandCtx<'_>, seq: Oid, names: &[String], for_identity: bool) -> Result<()> {
    if let [n] = names {
        if n != "none" {
            return Err(err!(SYNTAX_ERROR, "invalid OWNED BY option")
                .hint("Specify OWNED BY table.column or OWNED BY NONE."));
        }
        return forget_owner(ctx, seq);
    }
    let Some((column, table)) = names.split_last() else { return Err(Error::internal("empty OWNED BY")) };
    let rel = target::open_relation(ctx, &target::range_var(table)?, LockMode::AccessShare)?;
    if !matches!(rel.kind, b'r' | b'v') {
        return Err(err!(WRONG_OBJECT_TYPE, "sequence cannot be owned by relation \"{}\"", rel.name));
    }
    let s = ctx.catalog.relation(seq)?;
    if s.owner != rel.owner {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "sequence must have same owner as table it is linked to");
    }
    if s.namespace != rel.namespace {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "sequence must be in same schema as table it is linked to");
    }
    let Some(i) = rel.desc.attrs.iter().position(|a| !a.dropped && a.name == *column) else {
        bail!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{}\" does not exist", rel.name);
    };
    if !for_identity {
        let me = ObjectAddress::new(pg_class::TABLE, seq);
        for d in ctx.catalog.dependencies(me)? {
            if d.kind == DependencyKind::Internal {
                return Err(err!(FEATURE_NOT_SUPPORTED, "cannot change ownership of identity sequence")
                    .detail(format!("Sequence \"{}\" is linked to table \"{}\".", s.name, rel.name)));
            }
        }
    }
    forget_owner(ctx, seq)?;
    record_owner(ctx, seq, rel.oid, i as i16 + 1, for_identity)
}

/// Sequences that belong to columns of a table: (sequence, column, is identity).
pub fn owned_sequences(catalog: &Catalog, table: Oid) -> Result<Vec<(Oid, i16, bool)>> {
    let mut out = Vec::new();
    for d in catalog.dependents(ObjectAddress::new(pg_class::TABLE, table))? {
        let owned = matches!(d.kind, DependencyKind::Auto | DependencyKind::Internal);
        if d.depender.class == pg_class::TABLE
            && d.referenced.sub > 0
            && owned
            && catalog.relation_if_any(d.depender.object)?.is_some_and(|r| r.kind == b'S')
        {
            let identity = d.kind == DependencyKind::Internal;
            out.push((d.depender.object, d.referenced.sub as i16, identity));
        }
    }
    Ok(out)
}
