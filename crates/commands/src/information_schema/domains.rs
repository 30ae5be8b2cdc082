//! The domains of `information_schema`, and the casts that give the views' columns these types.

use crate::user_type::{array_desc, array_name, new_oids, over, store_check};
use analyze::{AnalyzeCtx, ExprContext, ExprTarget};
use catalog::Catalog;
use catalog::bootstrap::type_row;
use catalog::builtins::BOOTSTRAP_SUPERUSER;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::TypeDesc;
use common::{Error, Oid, Result};
use parser::ast::{Expr, SelectStmt, TypeCast, TypeName};
use types::{Datum, UserClass, oids};

/// A domain: the letter that stands for it, name, type underneath, type modifier, default, CHECK (name, condition).
struct Domain {
    letter: char,
    name: &'static str,
    base: Oid,
    typmod: i32,
    default: Option<&'static str>,
    check: Option<(&'static str, &'static str)>,
}

const DOMAINS: [Domain; 5] = [
    Domain {
        letter: 'n',
        name: "cardinal_number",
        base: oids::INT4,
        typmod: -1,
        default: None,
        check: Some(("cardinal_number_domain_check", "VALUE >= 0")),
    },
    Domain {
        letter: 'c',
        name: "character_data",
        base: oids::VARCHAR,
        typmod: -1,
        default: None,
        check: None,
    },
    Domain { letter: 's', name: "sql_identifier", base: oids::NAME, typmod: -1, default: None, check: None },
    Domain {
        letter: 't',
        name: "time_stamp",
        base: oids::TIMESTAMPTZ,
        typmod: 2,
        default: Some("CURRENT_TIMESTAMP(2)"),
        check: None,
    },
    Domain {
        letter: 'y',
        name: "yes_or_no",
        base: oids::VARCHAR,
        typmod: 7,
        default: None,
        check: Some(("yes_or_no_check", "VALUE IN ('YES', 'NO')")),
    },
];

/// Name of the domain that a letter stands for.
pub fn domain_name(letter: char) -> Option<&'static str> {
    DOMAINS.iter().find(|d| d.letter == letter).map(|d| d.name)
}

/// Runs `f` with a context to resolve names in, while there is no session.
pub type WithContext<'a> = &'a dyn Fn(&mut dyn FnMut(&AnalyzeCtx<'_>) -> Result<()>) -> Result<()>;

/// Makes the domains.
pub fn create(catalog: &Catalog, schema: Oid, with: WithContext<'_>) -> Result<()> {
    for d in &DOMAINS {
        let base = catalog.type_desc(d.base)?;
        let (oid, array) = new_oids(catalog, UserClass::Domain)?;
        // The standard's character data is compared by bytes.
        let collation = if base.collation.is_valid() { Oid(950) } else { Oid::INVALID };
        let t = TypeDesc {
            oid,
            name: d.name.into(),
            namespace: schema,
            owner: BOOTSTRAP_SUPERUSER,
            base_type: d.base,
            typmod: d.typmod,
            collation,
            ..over(&base, array)
        };
        insert(catalog, &t, d, with)?;
        catalog.engine().command_counter_increment()?;
        if let Some(check) = d.check {
            add_check(catalog, &t, check, with)?;
        }
    }
    Ok(())
}

fn insert(catalog: &Catalog, t: &TypeDesc, d: &Domain, with: WithContext<'_>) -> Result<()> {
    let mut row = type_row(catalog, t);
    if let Some(text) = d.default {
        let raw = expression(text)?;
        with(&mut |a| {
            let target = ExprTarget { name: d.name, type_oid: d.base, typmod: d.typmod };
            let e = analyze::transform_expr_for(a, &raw, ExprContext::Default, None, Some(target))?;
            row[pg_type::TYPDEFAULTBIN] = Datum::text(&analyze::store_expr(&e)?);
            row[pg_type::TYPDEFAULT] = Datum::text(text);
            Ok(())
        })?;
    }
    catalog.insert_row(pg_type::TABLE, &row)?;
    let array = array_desc(t, t.array, array_name(catalog, t.namespace, d.name)?);
    catalog.insert_row(pg_type::TABLE, &type_row(catalog, &array))?;
    let me = ObjectAddress::new(pg_type::TABLE, t.oid);
    let ns = ObjectAddress::new(pg_namespace::TABLE, t.namespace);
    catalog.record_dependency(me, ns, DependencyKind::Normal)?;
    let array = ObjectAddress::new(pg_type::TABLE, t.array);
    catalog.record_dependency(array, me, DependencyKind::Internal)
}

fn add_check(
    catalog: &Catalog,
    t: &TypeDesc,
    (name, text): (&str, &str),
    with: WithContext<'_>,
) -> Result<()> {
    let raw = expression(text)?;
    with(&mut |a| {
        let e = analyze::transform_domain_check(a, &raw, (t.base_type, t.typmod, t.collation))?;
        store_check(catalog, t, name, &e, true)
    })?;
    catalog.engine().command_counter_increment()
}

/// An expression from its text.
fn expression(text: &str) -> Result<Expr> {
    let raw = parser::parse(&format!("SELECT {text}"))?;
    match raw.into_iter().next().map(|r| r.stmt) {
        Some(parser::Statement::Select(s)) => s.target_list.into_iter().next().and_then(|t| t.val),
        _ => None,
    }
    .ok_or_else(|| Error::internal("an expression that is none"))
}

/// Casts each column of a query to the domain of its letter: `n` cardinal_number, `c` character_data, `s` sql_identifier,
/// `t` time_stamp, `y` yes_or_no; any other letter leaves it as it is. A cast to the type underneath gives way.
pub fn retype(s: &mut SelectStmt, letters: &str) {
    if let (Some(l), Some(r)) = (&mut s.larg, &mut s.rarg) {
        retype(l, letters);
        retype(r, letters);
        return;
    }
    for (t, letter) in s.target_list.iter_mut().zip(letters.chars()) {
        let Some(name) = domain_name(letter) else { continue };
        let Some(val) = t.val.take() else { continue };
        if t.name.is_none() {
            t.name = Some(analyze::figure_name(&val).to_string());
        }
        let arg = match val {
            Expr::TypeCast(c) if is_base(&c.type_name) => c.arg,
            other => other,
        };
        let type_name = TypeName { names: vec![name.into()], ..TypeName::default() };
        t.val = Some(Expr::TypeCast(Box::new(TypeCast { arg, type_name, location: 0 })));
    }
}

fn is_base(t: &TypeName) -> bool {
    t.array_bounds.is_empty()
        && t.names.last().is_some_and(|n| ["int4", "varchar", "name", "timestamptz"].contains(&n.as_str()))
}
