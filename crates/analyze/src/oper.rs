//! Operators: finding the one a pair of operand types calls for, and building its expression node.

use crate::CatRef;
use crate::coerce::{Context, is_polymorphic};
use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::func::{Candidate, select_candidate};
use crate::info::expr_type;
use crate::polymorphic;
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use catalog::builtins::PG_CATALOG;
use catalog::desc::OperDesc;
use common::{Error, Oid, Result, err};
use types::oids;

/// Operators that ORDER BY, GROUP BY and DISTINCT use for a type.
#[derive(Clone, Copy, Debug, Default)]
pub struct SortOps {
    pub lt: Oid,
    pub eq: Oid,
    pub gt: Oid,
    pub hashable: bool,
}

const BTREE_AM: Oid = Oid(403);
const HASH_AM: Oid = Oid(405);

impl AnalyzeCtx<'_> {
    /// The operators of a type's default ordering and equality; invalid where it has none.
    pub fn sort_ops(&self, t: Oid) -> Result<SortOps> {
        let (t, _) = self.base_type(t, -1)?;
        let elem = self.array_elem(t)?;
        if elem.is_valid() {
            let e = self.sort_ops(elem)?;
            self.check_own_order(elem)?;
            return Ok(SortOps {
                lt: if e.lt.is_valid() { Oid(1072) } else { Oid::INVALID },
                eq: if e.eq.is_valid() { Oid(1070) } else { Oid::INVALID },
                gt: if e.gt.is_valid() { Oid(1073) } else { Oid::INVALID },
                hashable: e.hashable,
            });
        }
        let mut ops = SortOps::default();
        if let Some(c) = self.catalog.default_opclass(BTREE_AM, t)? {
            if c.oid < Oid::FIRST_NORMAL {
                self.check_columns(t)?;
            }
            let get = |n| self.catalog.amop(c.family, c.in_type, c.in_type, n);
            ops.lt = get(1)?.unwrap_or(Oid::INVALID);
            ops.eq = get(3)?.unwrap_or(Oid::INVALID);
            ops.gt = get(5)?.unwrap_or(Oid::INVALID);
        }
        if let Some(c) = self.catalog.default_opclass(HASH_AM, t)? {
            let eq = self.catalog.amop(c.family, c.in_type, c.in_type, 1)?.unwrap_or(Oid::INVALID);
            if !ops.eq.is_valid() {
                ops.eq = eq;
            }
            ops.hashable = eq.is_valid() && eq == ops.eq;
        }
        Ok(ops)
    }

    /// Arrays, rows and ranges compare what is in them by the code that the form of the values goes with. 0A000 for a type
    /// whose own default order is another.
    pub fn check_own_order(&self, t: Oid) -> Result<()> {
        let (t, _) = self.base_type(t, -1)?;
        if t < Oid::FIRST_NORMAL {
            return Ok(());
        }
        let elem = self.array_elem(t)?;
        if elem.is_valid() {
            return self.check_own_order(elem);
        }
        let Some(c) = self.catalog.default_opclass(BTREE_AM, t)? else { return Ok(()) };
        let own = self.catalog.amproc(c.family, c.in_type, c.in_type, 1)?.unwrap_or(Oid::INVALID);
        let model = types::storage_info(t).map_or(Oid::INVALID, |m| m.cmp);
        if c.oid < Oid::FIRST_NORMAL || !own.is_valid() || self.catalog.code_oid(own)? == model {
            return Ok(());
        }
        let t = format_type_short(self, t);
        Err(Error::unsupported(format_args!("comparison of arrays, rows or ranges with type {t}")))
    }

    /// The same for the columns of a composite type.
    fn check_columns(&self, t: Oid) -> Result<()> {
        if types::UserClass::Composite.is(t) {
            let d = self.catalog.composite_desc(t)?;
            d.attrs.iter().filter(|a| !a.dropped).try_for_each(|a| self.check_own_order(a.type_oid))?;
        }
        Ok(())
    }

    /// What a comparison of arrays or rows needs of what is in them: 42883, 0A000.
    fn check_inner_order(&self, code: Oid, operand: Oid) -> Result<()> {
        if matches!(code.0, 2981..=2986) {
            return self.check_columns(self.base_type(operand, -1)?.0);
        }
        let order = matches!(code.0, 391 | 392 | 393 | 396);
        if !order && !matches!(code.0, 744 | 390 | 2747 | 2748 | 2749) {
            return Ok(());
        }
        let elem = self.base_array_elem(operand)?;
        if elem < Oid::FIRST_NORMAL {
            return Ok(());
        }
        if types::UserClass::Base.is(elem) {
            if order && !self.sort_ops(elem)?.lt.is_valid() {
                return Err(err!(
                    UNDEFINED_FUNCTION,
                    "could not identify a comparison function for type {}",
                    format_type_short(self, elem)
                ));
            }
            self.sort_ops_needed(elem, false, true)?;
        }
        self.check_own_order(elem)
    }

    /// As [`AnalyzeCtx::sort_ops`], an error (42883) if what is needed is missing.
    pub fn sort_ops_needed(&self, t: Oid, order: bool, eq: bool) -> Result<SortOps> {
        let ops = self.sort_ops(t)?;
        if order && !ops.lt.is_valid() {
            return Err(err!(
                UNDEFINED_FUNCTION,
                "could not identify an ordering operator for type {}",
                format_type_short(self, t)
            )
            .hint("Use an explicit ordering operator or modify the query."));
        }
        if eq && !ops.eq.is_valid() {
            return Err(err!(
                UNDEFINED_FUNCTION,
                "could not identify an equality operator for type {}",
                format_type_short(self, t)
            ));
        }
        Ok(ops)
    }

    /// Where an operator's schema stands in the search; `None` if it is not visible.
    fn operator_position(&self, o: &OperDesc, schema: Option<Oid>) -> Option<usize> {
        match schema {
            Some(ns) => (ns == o.namespace).then_some(0),
            None => self.path.position_for_functions(o.namespace),
        }
    }

    /// The first visible operator with exactly these operand types.
    fn exact_operator(
        &self,
        all: &[CatRef<OperDesc>],
        schema: Option<Oid>,
        left: Oid,
        right: Oid,
    ) -> Option<CatRef<OperDesc>> {
        all.iter()
            .filter(|o| o.left == left && o.right == right)
            .filter_map(|o| self.operator_position(o, schema).map(|p| (p, o)))
            .min_by_key(|x| x.0)
            .map(|x| x.1.clone())
    }

    /// The visible operators of a name: earlier schemas hide later ones with the same operand types.
    fn visible_operators(&self, all: Vec<CatRef<OperDesc>>, schema: Option<Oid>) -> Vec<CatRef<OperDesc>> {
        let mut out: Vec<(usize, CatRef<OperDesc>)> = Vec::new();
        for o in all {
            let Some(pos) = self.operator_position(&o, schema) else { continue };
            if let Some(prev) = out.iter_mut().find(|(_, p)| p.left == o.left && p.right == o.right) {
                if pos < prev.0 {
                    *prev = (pos, o);
                }
            } else {
                out.push((pos, o));
            }
        }
        out.into_iter().map(|x| x.1).collect()
    }

    /// Schema (if given) and last part of a qualified name.
    pub fn split_name<'n>(&self, name: &'n [String]) -> Result<(Option<Oid>, &'n str)> {
        if let [last] = name {
            return Ok((None, last));
        }
        let (last, rest) = match name.split_last() {
            Some(x) => x,
            None => return Err(Error::internal("empty name")),
        };
        let schema = match rest {
            [] => None,
            [s] => Some(s),
            [db, s] if db == self.database => Some(s),
            [_, _] => {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cross-database references are not implemented: {}",
                    name.join(".")
                ));
            }
            _ => {
                return Err(err!(
                    SYNTAX_ERROR,
                    "improper qualified name (too many dotted names): {}",
                    name.join(".")
                ));
            }
        };
        let ns = match schema {
            None => None,
            Some(s) => Some(
                self.catalog
                    .named_schema(s)?
                    .ok_or_else(|| err!(UNDEFINED_SCHEMA, "schema \"{s}\" does not exist"))?,
            ),
        };
        Ok((ns, last))
    }

    /// The operator of exactly these operand types, by a name that may be qualified.
    pub fn operator_of_types(&self, name: &[String], left: Oid, right: Oid) -> Result<Option<Oid>> {
        let (schema, op) = self.split_name(name)?;
        let all = self.catalog.operators_named(op, if left.is_valid() { b'b' } else { b'l' })?;
        Ok(self.exact_operator(&all, schema, left, right).map(|o| o.oid))
    }

    /// The operator for operand types (`left` invalid for prefix operators); 42883 / 42725 if none or several fit, or if
    /// it has no function yet.
    pub fn find_operator(
        &self,
        name: &[String],
        left: Oid,
        right: Oid,
        loc: Option<usize>,
    ) -> Result<CatRef<OperDesc>> {
        let o = self.find_operator_or_shell(name, left, right, loc)?;
        if o.code.is_valid() {
            return Ok(o);
        }
        let (op, r) = (name.join("."), format_type_short(self, right));
        let shown = match left.is_valid() {
            true => format!("{} {op} {r}", format_type_short(self, left)),
            false => format!("{op} {r}"),
        };
        Err(err!(UNDEFINED_FUNCTION, "operator is only a shell: {shown}").at_if_none(loc))
    }

    fn find_operator_or_shell(
        &self,
        name: &[String],
        left: Oid,
        right: Oid,
        loc: Option<usize>,
    ) -> Result<CatRef<OperDesc>> {
        let (schema, op) = self.split_name(name).map_err(|e| e.at_if_none(loc))?;
        // Operators of pg_catalog are all that count, unless others have been made: the choice holds for every path.
        let usual = schema.is_none() && self.path.position_for_functions(PG_CATALOG).is_some();
        if usual && let Some(o) = self.catalog.chosen_operator(op, left, right) {
            return Ok(o);
        }
        let o = self.search_operator(name, (schema, op), left, right, loc)?;
        if usual {
            self.catalog.remember_operator(op, left, right, &o)?;
        }
        Ok(o)
    }

    fn search_operator(
        &self,
        name: &[String],
        (schema, op): (Option<Oid>, &str),
        left: Oid,
        right: Oid,
        loc: Option<usize>,
    ) -> Result<CatRef<OperDesc>> {
        let prefix = !left.is_valid();
        let kind = if prefix { b'l' } else { b'b' };
        let (mut l, mut r, mut was_unknown) = (left, right, false);
        if !prefix {
            if l == oids::UNKNOWN && r != oids::UNKNOWN {
                l = r;
                was_unknown = true;
            } else if r == oids::UNKNOWN && l != oids::UNKNOWN {
                r = l;
                was_unknown = true;
            }
        }
        let exact = |l, r| -> Result<Option<CatRef<OperDesc>>> {
            Ok(self.exact_operator(&self.catalog.operators_between(op, kind, l, r)?, schema, l, r))
        };
        if let Some(o) = exact(l, r)? {
            return Ok(o);
        }
        if was_unknown {
            let (b, _) = self.base_type(l, -1)?;
            if b != l
                && let Some(o) = exact(b, b)?
            {
                return Ok(o);
            }
        }
        self.best_operator(name, op, schema, left, right, loc)
    }

    /// The operator whose operand types the given ones can be converted to best.
    fn best_operator(
        &self,
        name: &[String],
        op: &str,
        schema: Option<Oid>,
        left: Oid,
        right: Oid,
        loc: Option<usize>,
    ) -> Result<CatRef<OperDesc>> {
        let prefix = !left.is_valid();
        let all = self.catalog.operators_named(op, if prefix { b'l' } else { b'b' })?;
        let cands = self.visible_operators(all, schema);
        let inputs: Vec<Oid> = if prefix { vec![right] } else { vec![left, right] };
        let list: Vec<Candidate<CatRef<OperDesc>>> = cands
            .iter()
            .map(|o| Candidate {
                args: if prefix { vec![o.right] } else { vec![o.left, o.right] },
                item: o.clone(),
            })
            .collect();
        let mut fit = Vec::new();
        for c in list {
            if self.can_coerce(&inputs, &c.args, Context::Implicit)? {
                fit.push(c);
            }
        }
        let sig = || {
            let op = name.join(".");
            if prefix {
                format!("{op} {}", format_type_short(self, right))
            } else {
                format!("{} {op} {}", format_type_short(self, left), format_type_short(self, right))
            }
        };
        match fit.len() {
            0 => Err(err!(UNDEFINED_FUNCTION, "operator does not exist: {}", sig())
                .hint(if prefix {
                    "No operator matches the given name and argument type. You might need to add an explicit type cast."
                } else {
                    "No operator matches the given name and argument types. You might need to add explicit type casts."
                })
                .at_if_none(loc)),
            1 => Ok(fit.remove(0).item),
            _ => select_candidate(self, &inputs, fit)?.map(|c| c.item).ok_or_else(|| {
                err!(AMBIGUOUS_FUNCTION, "operator is not unique: {}", sig())
                    .hint("Could not choose a best candidate operator. You might need to add explicit type casts.")
                    .at_if_none(loc)
            }),
        }
    }
}

impl Analyzer<'_> {
    /// `left op right` (or `op right`).
    pub fn make_op(
        &mut self,
        name: &[String],
        left: Option<Expr>,
        right: Expr,
        loc: Option<usize>,
    ) -> Result<Expr> {
        let lt = left.as_ref().map_or(Oid::INVALID, expr_type);
        let rt = expr_type(&right);
        let op = self.ctx.find_operator(name, lt, rt, loc)?;
        if !op.code.is_valid() {
            return Err(
                err!(UNDEFINED_FUNCTION, "operator is only a shell: {}", name.join(".")).at_if_none(loc)
            );
        }
        let (mut declared, actual) = ([op.left, op.right], [lt, rt]);
        let (from, mut args) = match left {
            Some(l) => (0, vec![l, right]),
            None => (1, vec![right]),
        };
        let result = polymorphic::enforce(self.ctx, &actual[from..], &mut declared[from..], op.result)?;
        self.ctx.check_inner_order(op.code, actual[from])?;
        self.coerce_args(&mut args, &declared[from..])?;
        let retset = self.ctx.catalog.proc_desc(op.code)?.retset;
        let e = OpExpr {
            opno: op.oid,
            funcid: op.code,
            result_type: result,
            retset,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            args,
            location: loc,
        };
        if retset {
            self.check_srf(loc)?;
        }
        Ok(Expr::Op(e))
    }

    /// Converts arguments to the declared types.
    pub fn coerce_args(&mut self, args: &mut [Expr], declared: &[Oid]) -> Result<()> {
        for (a, &d) in args.iter_mut().zip(declared) {
            let slot = match a {
                Expr::NamedArg { arg, .. } => arg.as_mut(),
                a => a,
            };
            if expr_type(slot) != d {
                let old =
                    std::mem::replace(slot, crate::coerce::make_const(oids::UNKNOWN, types::Datum::Null));
                *slot = self.coerce_implicit(old, d)?;
            }
        }
        Ok(())
    }

    /// `left op ANY (right)` or ALL over an array.
    pub fn make_scalar_array_op(
        &mut self,
        name: &[String],
        use_or: bool,
        left: Expr,
        right: Expr,
        loc: Option<usize>,
    ) -> Result<Expr> {
        let (lt, at) = (expr_type(&left), expr_type(&right));
        let rt = if at == oids::UNKNOWN {
            oids::UNKNOWN
        } else {
            let e = self.ctx.base_array_elem(at)?;
            if !e.is_valid() {
                return Err(err!(WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires array on right side")
                    .at_if_none(loc));
            }
            e
        };
        let op = self.ctx.find_operator(name, lt, rt, loc)?;
        let mut declared = [op.left, op.right];
        let result = polymorphic::enforce(self.ctx, &[lt, rt], &mut declared, op.result)?;
        if result != oids::BOOL {
            return Err(err!(WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires operator to yield boolean")
                .at_if_none(loc));
        }
        let arr = if is_polymorphic(declared[1]) { at } else { self.ctx.array_of(declared[1])? };
        if !arr.is_valid() {
            return Err(err!(
                UNDEFINED_OBJECT,
                "could not find array type for data type {}",
                format_type_short(self.ctx, declared[1])
            )
            .at_if_none(loc));
        }
        let mut args = vec![left, right];
        let left_type = declared[0];
        self.coerce_args(&mut args, &[left_type, arr])?;
        Ok(Expr::ScalarArrayOp(ScalarArrayOpExpr {
            opno: op.oid,
            funcid: op.code,
            use_or,
            input_collation: Oid::INVALID,
            args,
            location: loc,
        }))
    }
}
