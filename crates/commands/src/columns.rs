//! Column definitions: type, collation, defaults, identity, serial, and the constraints written with a column. CREATE
//! TABLE and ALTER TABLE ADD COLUMN read them here.

use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use analyze::expr::{CoercionForm, Const, Expr, FuncExpr};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::schema::attribute;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use types::{Attribute, Datum, oids};

/// Where a column's default comes from.
#[derive(Clone, Debug)]
pub enum Default {
    None,
    Raw(parser::Expr),
    Resolved(Expr),
}

/// A column on its way into a table.
#[derive(Clone, Debug)]
pub struct NewColumn {
    pub attr: Attribute,
    pub ndims: i32,
    pub default: Default,
    /// serial: a sequence is made, owned by the column, and its nextval is the default.
    pub serial: bool,
    /// Options of an identity column's sequence; `attr.identity` says which kind.
    pub identity: Option<Vec<DefElem>>,
    /// NULL or NOT NULL was written.
    pub explicit_null: bool,
}

/// A table's constraints sorted by when they are made.
#[derive(Default)]
pub struct TableConstraints {
    pub checks: Vec<Constraint>,
    /// PRIMARY KEY first.
    pub indexes: Vec<Constraint>,
    pub foreign: Vec<Constraint>,
}

impl TableConstraints {
    /// Sorts in a table constraint.
    pub fn add(&mut self, table: &str, c: &Constraint) -> Result<()> {
        match c.contype {
            ConstrType::Check => self.checks.push(c.clone()),
            ConstrType::Primary => {
                if self.indexes.first().is_some_and(|f| f.contype == ConstrType::Primary) {
                    return Err(crate::constraint::multiple_primary(table).at(c.location));
                }
                self.indexes.insert(0, c.clone());
            }
            ConstrType::Unique | ConstrType::Exclusion => self.indexes.push(c.clone()),
            ConstrType::Foreign => self.foreign.push(c.clone()),
            _ => return Err(Error::internal("column constraint in a table's place")),
        }
        Ok(())
    }
}

fn serial_type(tn: &TypeName) -> Option<Oid> {
    if tn.setof || tn.pct_type {
        return None;
    }
    match tn.names.as_slice() {
        [n] => match n.as_str() {
            "serial" | "serial4" => Some(oids::INT4),
            "bigserial" | "serial8" => Some(oids::INT8),
            "smallserial" | "serial2" => Some(oids::INT2),
            _ => None,
        },
        _ => None,
    }
}

/// DEFERRABLE and its kin stand as entries of their own behind the constraint they belong to.
fn with_attributes(constraints: &[Constraint]) -> Result<Vec<Constraint>> {
    let mut out: Vec<Constraint> = Vec::new();
    let (mut saw_deferrability, mut saw_initially) = (false, false);
    for c in constraints {
        let (word, deferrability) = match c.contype {
            ConstrType::AttrDeferrable => ("DEFERRABLE", true),
            ConstrType::AttrNotDeferrable => ("NOT DEFERRABLE", true),
            ConstrType::AttrDeferred => ("INITIALLY DEFERRED", false),
            ConstrType::AttrImmediate => ("INITIALLY IMMEDIATE", false),
            _ => {
                (saw_deferrability, saw_initially) = (false, false);
                out.push(c.clone());
                continue;
            }
        };
        let refused = |text: String| Err(err!(SYNTAX_ERROR, "{text}").at(c.location));
        let Some(last) = out.last_mut().filter(|l| can_be_deferred(l.contype)) else {
            return refused(format!("misplaced {word} clause"));
        };
        if deferrability && saw_deferrability {
            return refused("multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed".into());
        }
        if !deferrability && saw_initially {
            return refused("multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed".into());
        }
        match c.contype {
            ConstrType::AttrDeferrable => last.deferrable = true,
            ConstrType::AttrNotDeferrable => last.deferrable = false,
            ConstrType::AttrDeferred => {
                last.initdeferred = true;
                last.deferrable |= !saw_deferrability;
            }
            _ => last.initdeferred = false,
        }
        saw_deferrability |= deferrability;
        saw_initially |= !deferrability;
        if last.initdeferred && !last.deferrable {
            return refused("constraint declared INITIALLY DEFERRED must be DEFERRABLE".into());
        }
    }
    Ok(out)
}

fn can_be_deferred(t: ConstrType) -> bool {
    matches!(t, ConstrType::Primary | ConstrType::Unique | ConstrType::Exclusion | ConstrType::Foreign)
}

/// Type, typmod and collation of a column definition as an attribute.
pub fn attribute_for(
    ctx: &CommandCtx<'_>,
    name: &str,
    tn: &TypeName,
    coll: Option<&CollateClause>,
) -> Result<(Attribute, i32)> {
    if tn.setof {
        return Err(
            err!(INVALID_TABLE_DEFINITION, "column \"{name}\" cannot be declared SETOF").at(tn.location)
        );
    }
    let (type_oid, typmod) = match serial_type(tn) {
        Some(t) => (t, -1),
        None => with_analyze(ctx, |a| analyze::resolve_type_name(a, tn))?,
    };
    crate::aclcheck::check_type(ctx, type_oid)?;
    let t = ctx.catalog.type_desc(type_oid)?;
    if t.typtype == b'p' {
        bail!(INVALID_TABLE_DEFINITION, "column \"{name}\" has pseudo-type {}", t.name);
    }
    if t.oid == oids::UNKNOWN {
        bail!(INVALID_TABLE_DEFINITION, "column \"{name}\" has pseudo-type unknown");
    }
    let mut a = attribute(name, &t, typmod);
    if let Some(c) = coll {
        if !t.collation.is_valid() {
            let shown = with_analyze(ctx, |x| Ok(analyze::format_type_short(x, type_oid)))?;
            return Err(
                err!(DATATYPE_MISMATCH, "collations are not supported by type {shown}").at(c.location)
            );
        }
        a.collation = with_analyze(ctx, |x| analyze::lookup_collation(x, &c.collname, Some(c.location)))?;
    }
    Ok((a, tn.array_bounds.len() as i32))
}

/// Reads a column definition of table `table`; its table-level constraints go to `constraints`.
pub fn define(
    ctx: &CommandCtx<'_>,
    table: &str,
    d: &ColumnDef,
    constraints: &mut TableConstraints,
) -> Result<NewColumn> {
    let tn = d.type_name.as_ref().ok_or_else(|| Error::unsupported("OF type"))?;
    let serial = serial_type(tn).is_some();
    if serial && !tn.array_bounds.is_empty() {
        return Err(err!(FEATURE_NOT_SUPPORTED, "array of serial is not implemented").at(tn.location));
    }
    if crate::create_table::is_system_column(&d.colname) {
        bail!(DUPLICATE_COLUMN, "column name \"{}\" conflicts with a system column name", d.colname);
    }
    let (mut attr, ndims) = attribute_for(ctx, &d.colname, tn, d.coll_clause.as_ref())?;
    if let Some(m) = &d.compression {
        attr.compression = compression(m)?;
    }
    attr.not_null |= serial;
    let mut c =
        NewColumn { attr, ndims, default: Default::None, serial, identity: None, explicit_null: serial };
    if !d.fdwoptions.is_empty() {
        return Err(Error::unsupported("OPTIONS of a column"));
    }
    add_constraints(table, d, &mut c, constraints)?;
    Ok(c)
}

/// What is written behind a column's type.
pub fn add_constraints(
    table: &str,
    d: &ColumnDef,
    c: &mut NewColumn,
    constraints: &mut TableConstraints,
) -> Result<()> {
    for k in &with_attributes(&d.constraints)? {
        column_constraint(table, d, k, c, constraints)?;
    }
    Ok(())
}

/// A compression method by name.
pub fn compression(method: &str) -> Result<u8> {
    match method {
        "default" => Ok(0),
        "pglz" | "lz4" => Err(Error::unsupported(format_args!("COMPRESSION {method}"))),
        m => bail!(INVALID_PARAMETER_VALUE, "invalid compression method \"{m}\""),
    }
}

fn column_constraint(
    table: &str,
    d: &ColumnDef,
    k: &Constraint,
    c: &mut NewColumn,
    constraints: &mut TableConstraints,
) -> Result<()> {
    let name = &d.colname;
    let twice = |what: &str| {
        err!(SYNTAX_ERROR, "{what} specified for column \"{name}\" of table \"{table}\"").at(k.location)
    };
    let nulls = || {
        err!(
            SYNTAX_ERROR,
            "conflicting NULL/NOT NULL declarations for column \"{name}\" of table \"{table}\""
        )
        .at(k.location)
    };
    match k.contype {
        ConstrType::Null => {
            if c.explicit_null && c.attr.not_null {
                return Err(nulls());
            }
            c.explicit_null = true;
        }
        ConstrType::NotNull => {
            if c.explicit_null && !c.attr.not_null {
                return Err(nulls());
            }
            c.explicit_null = true;
            c.attr.not_null = true;
        }
        ConstrType::Default => {
            if c.identity.is_some() {
                return Err(twice("both default and identity"));
            }
            if c.attr.generated != 0 {
                return Err(twice("both default and generation expression"));
            }
            if c.serial || !matches!(c.default, Default::None) {
                let mut e = twice("multiple default values");
                if c.serial {
                    // The other default was not written: PostgreSQL points nowhere.
                    e.report_mut().position = None;
                }
                return Err(e);
            }
            c.default = raw(k)?;
        }
        ConstrType::Identity => {
            if c.identity.is_some() {
                return Err(twice("multiple identity specifications"));
            }
            if c.serial || !matches!(c.default, Default::None) {
                return Err(twice("both default and identity"));
            }
            c.identity = Some(k.options.clone());
            c.attr.identity = if k.generated_when == GeneratedWhen::Always { b'a' } else { b'd' };
            if c.explicit_null && !c.attr.not_null {
                return Err(nulls());
            }
            c.attr.not_null = true;
            c.explicit_null = true;
        }
        ConstrType::Generated => {
            if c.attr.generated != 0 {
                return Err(twice("multiple generation clauses"));
            }
            if c.serial || !matches!(c.default, Default::None) {
                return Err(twice("both default and generation expression"));
            }
            if c.identity.is_some() {
                return Err(twice("both identity and generation expression"));
            }
            c.attr.generated = b's';
            c.default = raw(k)?;
        }
        ConstrType::Check => constraints.add(table, k)?,
        ConstrType::Primary | ConstrType::Unique => {
            let mut k = k.clone();
            k.keys = vec![name.clone()];
            constraints.add(table, &k)?;
        }
        ConstrType::Foreign => {
            let mut k = k.clone();
            k.fk_attrs = vec![name.clone()];
            constraints.add(table, &k)?;
        }
        _ => return Err(Error::unsupported(format_args!("{:?} constraint of a column", k.contype))),
    }
    Ok(())
}

fn raw(k: &Constraint) -> Result<Default> {
    match &k.raw_expr {
        Some(e) => Ok(Default::Raw(e.clone())),
        None => Err(Error::internal("default without an expression")),
    }
}

/// `nextval('seq'::regclass)`, coerced to the column's type.
pub fn nextval_expr(ctx: &CommandCtx<'_>, seq: Oid, a: &Attribute) -> Result<Expr> {
    const NEXTVAL: Oid = Oid(1574);
    let arg = Expr::Const(Const {
        consttype: oids::REGCLASS,
        typmod: -1,
        collation: Oid::INVALID,
        value: Datum::oid(seq),
        location: None,
    });
    let call = Expr::Func(FuncExpr {
        funcid: NEXTVAL,
        result_type: oids::INT8,
        retset: false,
        variadic: false,
        form: CoercionForm::ExplicitCall,
        collation: Oid::INVALID,
        input_collation: Oid::INVALID,
        args: vec![arg],
        location: None,
    });
    let e = with_analyze(ctx, |x| analyze::coerce_for_assignment(x, call, a.type_oid, a.typmod))?;
    e.ok_or_else(|| Error::internal("nextval cannot be stored in the column"))
}

/// Stores a column's default (or generation expression); sets `atthasdef`. Visible after the next command.
pub fn store_default(ctx: &CommandCtx<'_>, rel: Oid, attnum: i16, e: &Expr, generated: bool) -> Result<Oid> {
    use pg_attrdef::*;
    let catalog = ctx.catalog;
    let oid = catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[ADRELID] = Datum::oid(rel);
    r[ADNUM] = Datum::I16(attnum);
    r[ADBIN] = Datum::text(&analyze::store_expr(e)?);
    catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, oid);
    // A generation expression is a part of its column, a default only belongs to it.
    let kind = if generated { DependencyKind::Internal } else { DependencyKind::Auto };
    catalog.record_dependency(me, ObjectAddress::column(rel, attnum), kind)?;
    let used = crate::expr_depend::of_expr(e, rel);
    if generated {
        let own: Vec<_> = used.iter().filter(|a| a.object == rel).copied().collect();
        crate::expr_depend::record(catalog, me, &own, DependencyKind::Normal)?;
    }
    let other: Vec<_> = used.into_iter().filter(|a| a.object != rel).collect();
    crate::expr_depend::record(catalog, me, &other, DependencyKind::Normal)?;
    Ok(oid)
}

/// Is a resolved default just NULL? Then none is stored.
pub fn is_null_constant(e: &Expr) -> bool {
    match e {
        Expr::Const(c) => c.value.is_null(),
        Expr::Relabel { arg, .. } => is_null_constant(arg),
        _ => false,
    }
}
