//! Members of operator families: what a statement says about them, checked, and their rows in `pg_amop` and `pg_amproc`.
//!
//! A member of one type belongs to the class of that type, if there is one: it goes with the class, and stays as long
//! as its operator is needed by it. Members across types, and support functions a class can do without, are loose: they
//! hang on the family, and go when their operator or function goes.

use super::Method;
use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use crate::user_type::without_position;
use catalog::builtins::BTREE_AM;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use types::{Datum, oids};

/// A member as read.
struct Member {
    is_function: bool,
    number: i32,
    left: Oid,
    right: Oid,
    object: Oid,
}

/// The members a statement lists.
#[derive(Default)]
pub struct Items {
    members: Vec<Member>,
    pub storage: Option<Oid>,
}

/// Where members go.
pub struct Place {
    pub family: Oid,
    /// The class being made, with its type.
    pub class: Option<(Oid, Oid)>,
    pub am: Oid,
    pub name: String,
}

/// Name of a family for messages.
pub fn family_name(ctx: &CommandCtx<'_>, family: Oid) -> Result<String> {
    Ok(ctx.catalog.opfamily_name(family)?.map_or_else(String::new, |n| n.to_string()))
}

fn resolve(ctx: &CommandCtx<'_>, t: &TypeName) -> Result<Oid> {
    Ok(with_analyze(ctx, |a| analyze::resolve_type_name(a, t)).map_err(without_position)?.0)
}

/// The one or two types in parentheses.
pub fn pair(ctx: &CommandCtx<'_>, list: &[Option<TypeName>]) -> Result<(Oid, Oid)> {
    match list {
        [Some(one)] => resolve(ctx, one).map(|t| (t, t)),
        [Some(l), Some(r)] => Ok((resolve(ctx, l)?, resolve(ctx, r)?)),
        _ => bail!(SYNTAX_ERROR, "one or two argument types must be specified"),
    }
}

fn check_number(n: i32, max: i32, what: &str) -> Result<()> {
    if n < 1 || n > max {
        bail!(INVALID_OBJECT_DEFINITION, "invalid {what} number {n}, must be between 1 and {max}");
    }
    Ok(())
}

impl Items {
    /// Reads an item of CREATE OPERATOR CLASS (`class_type` is its type) or of ALTER OPERATOR FAMILY … ADD.
    pub fn read(
        &mut self,
        ctx: &CommandCtx<'_>,
        am: &Method,
        item: &OpClassItem,
        class_type: Option<Oid>,
    ) -> Result<()> {
        match item {
            OpClassItem::Operator { number, name, order_family } => {
                check_number(*number, am.operators, "operator")?;
                let m = operator(ctx, am, *number, name, order_family, class_type)?;
                self.add(ctx, m)
            }
            OpClassItem::Function { number, class_args, name } => {
                check_number(*number, am.functions, "function")?;
                let types = if class_args.is_empty() { None } else { Some(pair(ctx, class_args)?) };
                let m = function(ctx, am, *number, name, types, class_type)?;
                self.add(ctx, m)
            }
            OpClassItem::Storage(t) => {
                if class_type.is_none() {
                    bail!(SYNTAX_ERROR, "STORAGE cannot be specified in ALTER OPERATOR FAMILY");
                }
                if self.storage.is_some() {
                    bail!(INVALID_OBJECT_DEFINITION, "storage type specified more than once");
                }
                self.storage = Some(resolve(ctx, t)?);
                Ok(())
            }
        }
    }

    fn add(&mut self, ctx: &CommandCtx<'_>, m: Member) -> Result<()> {
        let same = |o: &Member| {
            (o.is_function, o.number, o.left, o.right) == (m.is_function, m.number, m.left, m.right)
        };
        if self.members.iter().any(same) {
            let what = if m.is_function { "function" } else { "operator" };
            let ty = |t: Oid| crate::user_type::shown(ctx, t);
            bail!(
                INVALID_OBJECT_DEFINITION,
                "{what} number {} for ({},{}) appears more than once",
                m.number,
                ty(m.left)?,
                ty(m.right)?
            );
        }
        self.members.push(m);
        Ok(())
    }

    /// Writes the rows: operators first.
    pub fn store(&self, ctx: &CommandCtx<'_>, place: &Place) -> Result<()> {
        for is_function in [false, true] {
            for m in self.members.iter().filter(|m| m.is_function == is_function) {
                store(ctx, place, m)?;
            }
        }
        ctx.engine.command_counter_increment()
    }
}

fn operator(
    ctx: &CommandCtx<'_>,
    am: &Method,
    number: i32,
    name: &ObjectWithArgs,
    order_family: &[String],
    class_type: Option<Oid>,
) -> Result<Member> {
    let oid = match (name.args_unspecified, class_type) {
        (true, None) => {
            bail!(SYNTAX_ERROR, "operator argument types must be specified in ALTER OPERATOR FAMILY")
        }
        (true, Some(t)) => {
            let found = with_analyze(ctx, |a| a.operator_of_types(&name.objname, t, t))?;
            found.map_or_else(|| crate::operator::missing(ctx, &name.objname, t, t), Ok)?
        }
        (false, _) => match crate::operator::find(ctx, name)? {
            (Some(oid), _) => oid,
            (None, shown) => bail!(UNDEFINED_FUNCTION, "operator does not exist: {shown}"),
        },
    };
    if !order_family.is_empty() {
        let btree = super::method(ctx, "btree")?;
        super::FAMILY.require(ctx, &btree, order_family)?;
    }
    let o = ctx.catalog.operator(oid)?;
    if o.kind != b'b' {
        bail!(INVALID_OBJECT_DEFINITION, "index operators must be binary");
    }
    if !order_family.is_empty() {
        bail!(INVALID_OBJECT_DEFINITION, "access method \"{}\" does not support ordering operators", am.name);
    }
    if o.result != oids::BOOL {
        bail!(INVALID_OBJECT_DEFINITION, "index search operators must return boolean");
    }
    Ok(Member { is_function: false, number, left: o.left, right: o.right, object: oid })
}

/// What a support function must look like.
struct Form {
    what: &'static str,
    args: usize,
    count: &'static str,
    returns: Oid,
}

/// The comparison function of btree, the two hash functions …
fn form(am: Oid, number: i32) -> Form {
    let f = |what, args, count, returns| Form { what, args, count, returns };
    match (am, number) {
        (BTREE_AM, 1) => f("btree comparison functions", 2, "two arguments", oids::INT4),
        (BTREE_AM, 3) => f("btree in_range functions", 5, "five arguments", oids::BOOL),
        (BTREE_AM, _) => f("btree equal image functions", 1, "one argument", oids::BOOL),
        (_, 1) => f("hash function 1", 1, "one argument", oids::INT4),
        _ => f("hash function 2", 2, "two arguments", oids::INT8),
    }
}

fn function(
    ctx: &CommandCtx<'_>,
    am: &Method,
    number: i32,
    name: &ObjectWithArgs,
    types: Option<(Oid, Oid)>,
    class_type: Option<Oid>,
) -> Result<Member> {
    let p = crate::routine::require(ctx, ObjectType::Function, name)?;
    if number == am.options_function {
        return Err(Error::unsupported("operator class options"));
    }
    let (mut left, mut right) = types.unwrap_or_default();
    let is_btree = am.oid == BTREE_AM;
    let must =
        |what: &str, rest: &str| -> Result<Member> { bail!(INVALID_OBJECT_DEFINITION, "{what} must {rest}") };
    if is_btree && number == 2 {
        if p.arg_types != [oids::INTERNAL] {
            return must("btree sort support functions", "accept type \"internal\"");
        }
        if p.ret_type != oids::VOID {
            return must("btree sort support functions", "return void");
        }
    } else {
        let f = form(am.oid, number);
        if p.arg_types.len() != f.args {
            return must(f.what, &format!("have {}", f.count));
        }
        if p.ret_type != f.returns {
            return must(f.what, &format!("return {}", crate::user_type::shown(ctx, f.returns)?));
        }
        let (l, r) = match (is_btree, number) {
            (true, 1) => (p.arg_types[0], p.arg_types[1]),
            (true, 3) => (p.arg_types[0], p.arg_types[2]),
            _ => (Oid::INVALID, Oid::INVALID),
        };
        left = if left.is_valid() { left } else { l };
        right = if right.is_valid() { right } else { r };
    }
    // What remains is of the class's type; a hash function of a family, of its argument's.
    let rest = class_type.unwrap_or(if is_btree { Oid::INVALID } else { p.arg_types[0] });
    left = if left.is_valid() { left } else { rest };
    right = if right.is_valid() { right } else { rest };
    if is_btree && number == 4 && left != right {
        bail!(INVALID_OBJECT_DEFINITION, "btree equal image functions must not be cross-type");
    }
    if !left.is_valid() || !right.is_valid() {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "associated data types must be specified for index support function"
        );
    }
    Ok(Member { is_function: true, number, left, right, object: p.oid })
}

/// The class a member belongs to, if it is not a loose member of the family.
fn class_of(ctx: &CommandCtx<'_>, place: &Place, m: &Member) -> Result<Option<Oid>> {
    if m.left != m.right || (m.is_function && m.number != 1) {
        return Ok(None);
    }
    if let Some((class, t)) = place.class
        && t == m.left
    {
        return Ok(Some(class));
    }
    use pg_opclass::*;
    let rows = ctx.catalog.scan(TABLE, AM_NAME_NSP_INDEX, &[Datum::oid(place.am)])?;
    let found = rows.iter().find(|r| r.oid(OPCFAMILY) == place.family && r.oid(OPCINTYPE) == m.left);
    Ok(found.map(|r| r.oid(OID)))
}

fn store(ctx: &CommandCtx<'_>, place: &Place, m: &Member) -> Result<()> {
    let (table, index, oid_index) = match m.is_function {
        false => (pg_amop::TABLE, pg_amop::FAM_STRAT_INDEX, pg_amop::OID_INDEX),
        true => (pg_amproc::TABLE, pg_amproc::FAM_PROC_INDEX, pg_amproc::OID_INDEX),
    };
    let number = Datum::I16(m.number as i16);
    let keys = [Datum::oid(place.family), Datum::oid(m.left), Datum::oid(m.right), number.clone()];
    if !ctx.catalog.scan(table, index, &keys)?.is_empty() {
        let what = if m.is_function { "function" } else { "operator" };
        bail!(
            DUPLICATE_OBJECT,
            "{what} {}({},{}) already exists in operator family \"{}\"",
            m.number,
            crate::user_type::shown(ctx, m.left)?,
            crate::user_type::shown(ctx, m.right)?,
            place.name
        );
    }
    let oid = ctx.catalog.new_oid(table, oid_index)?;
    let mut r = ctx.catalog.blank_row(table);
    r[0] = Datum::oid(oid);
    let [family, left, right, number] = keys;
    (r[1], r[2], r[3], r[4]) = (family, left, right, number);
    if m.is_function {
        r[pg_amproc::AMPROC] = Datum::oid(m.object);
    } else {
        use pg_amop::*;
        r[AMOPPURPOSE] = Datum::I8(b's' as i8);
        r[AMOPOPR] = Datum::oid(m.object);
        r[AMOPMETHOD] = Datum::oid(place.am);
        r[AMOPSORTFAMILY] = Datum::oid(Oid::INVALID);
    }
    ctx.catalog.insert_row(table, &r)?;
    let me = ObjectAddress::new(table, oid);
    let class = class_of(ctx, place, m)?;
    let object_table = if m.is_function { pg_proc::TABLE } else { pg_operator::TABLE };
    let (on_object, on_owner) = match class {
        Some(_) => (DependencyKind::Normal, DependencyKind::Internal),
        None => (DependencyKind::Auto, DependencyKind::Auto),
    };
    ctx.catalog.record_dependency(me, ObjectAddress::new(object_table, m.object), on_object)?;
    let owner = match class {
        Some(c) => ObjectAddress::new(pg_opclass::TABLE, c),
        None => ObjectAddress::new(pg_opfamily::TABLE, place.family),
    };
    ctx.catalog.record_dependency(me, owner, on_owner)
}
