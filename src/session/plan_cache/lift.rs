//! Turning the literals of an analysed statement into parameters, where the plan cannot depend on their values, and
//! computing the values of those parameters for another text of the same shape.
//!
//! A literal is recognised in the tree by its position. It is lifted when it stands there exactly once, in a comparison
//! of a column in WHERE or in the target list of a data-changing statement, bare or under casts, and when computing it
//! the way [`Lift::value`] does gives what the analyser found. Everything else stays as it is.

use super::shape::{Class, Literal};
use analyze::AnalyzeCtx;
use analyze::expr::*;
use analyze::query::*;
use analyze::walk;
use common::{Error, Oid, Result};
use planner::PlannerCtx;
use types::{Datum, oids};

/// The function that widens an int4 to an int8.
const INT8_OF_INT4: Oid = Oid(481);

/// How a parameter's value comes out of a literal.
pub struct Lift {
    /// Number of the literal in the text.
    pub literal: usize,
    negative: bool,
    /// Type (and typmod for its input function) of the constant.
    type_oid: Oid,
    typmod: i32,
    /// Casts around the constant, which is the innermost first argument.
    casts: Option<Expr>,
    /// Type of the parameter.
    pub result: Oid,
}

/// What lifting looks at.
struct Lifter<'a> {
    ctx: &'a AnalyzeCtx<'a>,
    planner: &'a PlannerCtx<'a>,
    sql: &'a str,
    literals: &'a [Literal],
    /// How many constants stand at each literal's position.
    seen: Vec<u32>,
    lifts: Vec<Lift>,
}

/// Lifts the literals of `q`. `None` if a string would stay: what its input function made of it may depend on the
/// moment and on settings. The order of the result is that of the parameters.
pub fn lift(
    ctx: &AnalyzeCtx<'_>,
    planner: &PlannerCtx<'_>,
    q: &mut Query,
    literals: &[Literal],
) -> Result<Option<Vec<Lift>>> {
    if !is_plain(q) {
        return Ok(None);
    }
    let seen = vec![0; literals.len()];
    let mut l = Lifter { ctx, planner, sql: ctx.source, literals, seen, lifts: Vec::new() };
    l.count(q);
    if q.command != CmdType::Select {
        for t in &mut q.target_list {
            l.target(&mut t.expr);
        }
    }
    match &mut q.jointree.quals {
        Some(Expr::Bool { op: BoolOp::And, args, .. }) => args.iter_mut().for_each(|a| l.comparison(a)),
        Some(e) => l.comparison(e),
        None => {}
    }
    let lifted = |i| l.lifts.iter().any(|x| x.literal == i);
    let strings = literals.iter().enumerate().filter(|(_, x)| x.class == Class::String);
    Ok(if strings.map(|(i, _)| i).all(lifted) { Some(l.lifts) } else { None })
}

/// At most one plain table, no sub-queries.
fn is_plain(q: &Query) -> bool {
    let table = |r: &RangeTblEntry| {
        matches!(r.kind, RteKind::Relation { relkind: b'r', tablesample: None, .. })
            && r.security_quals.is_empty()
    };
    q.ctes.is_empty()
        && !q.has_sub_links
        && q.set_operations.is_none()
        && q.on_conflict.is_none()
        && q.rtable.len() <= 1
        && q.rtable.iter().all(table)
        && q.command != CmdType::Merge
}

impl Lifter<'_> {
    /// The literal a constant stands for, and whether a minus sign was made part of it.
    fn literal_of(&self, c: &Const) -> Option<(usize, bool)> {
        let at = c.location?;
        let n = self.literals.partition_point(|l| l.start < at);
        let next = self.literals.get(n)?;
        if next.start == at {
            return Some((n, false));
        }
        (next.class != Class::String && next.minus(self.sql) == Some(at)).then_some((n, true))
    }

    fn count(&mut self, q: &Query) {
        fn each(e: &Expr, f: &mut dyn FnMut(&Const)) {
            if let Expr::Const(c) = e {
                f(c);
            }
            walk::children(e, &mut |x| each(x, f));
        }
        let mut found = Vec::new();
        walk::query_exprs(q, &mut |e| each(e, &mut |c| found.extend(self.literal_of(c))));
        for (i, _) in found {
            self.seen[i] += 1;
        }
    }

    /// `column op literal`, either way round.
    fn comparison(&mut self, e: &mut Expr) {
        let Expr::Op(o) = e else { return };
        let [a, b] = &mut o.args[..] else { return };
        if is_column(a) {
            self.replace(b);
        } else if is_column(b) {
            self.replace(a);
        }
    }

    /// A new column value: the literal itself, or operators and functions over columns and literals.
    fn target(&mut self, e: &mut Expr) {
        if self.replace(e) {
            return;
        }
        match e {
            Expr::Op(o) if !o.retset && o.args.iter().any(has_column) => {
                o.args.iter_mut().for_each(|a| self.target(a));
            }
            Expr::Func(f) if !f.retset && f.args.iter().any(has_column) => {
                f.args.iter_mut().for_each(|a| self.target(a));
            }
            _ => {}
        }
    }

    /// Puts a parameter in the place of a literal with its casts.
    fn replace(&mut self, e: &mut Expr) -> bool {
        let Some(c) = self.innermost(e) else { return false };
        let Some((literal, negative)) = self.literal_of(c) else { return false };
        if self.seen[literal] != 1 {
            return false;
        }
        let bare = matches!(e, Expr::Const(_));
        let lift = Lift {
            literal,
            negative,
            type_oid: c.consttype,
            typmod: if c.consttype == oids::INTERVAL { c.typmod } else { -1 },
            casts: (!bare).then(|| e.clone()),
            result: analyze::info::expr_type(e),
        };
        let class = self.literals[literal].class;
        if class != Class::String && lift.type_oid != class.type_oid()
            || matches!(lift.type_oid, oids::UNKNOWN | oids::BIT | oids::VARBIT)
        {
            return false;
        }
        let mut folded = e.clone();
        let same = planner::exprs::fold::fold(self.planner, &mut folded).is_ok()
            && match (&folded, lift.value(self.ctx, self.planner, self.sql, self.literals)) {
                (Expr::Const(f), Ok(v)) => f.value == v,
                _ => false,
            };
        if !same {
            return false;
        }
        *e = Expr::Param(Param {
            kind: ParamKind::External,
            id: self.lifts.len() as u32 + 1,
            paramtype: lift.result,
            typmod: analyze::info::expr_typmod(e),
            collation: analyze::info::expr_collation(e),
            location: None,
        });
        self.lifts.push(lift);
        true
    }

    /// The constant under casts by immutable functions.
    fn innermost<'e>(&self, e: &'e Expr) -> Option<&'e Const> {
        match e {
            Expr::Const(c) => Some(c),
            Expr::Func(f)
                if !f.retset
                    && matches!(f.form, CoercionForm::ImplicitCast | CoercionForm::ExplicitCast)
                    && f.args[1..].iter().all(|a| matches!(a, Expr::Const(Const { location: None, .. })))
                    && self.ctx.catalog.proc_desc(f.funcid).is_ok_and(|p| p.volatile == b'i') =>
            {
                self.innermost(f.args.first()?)
            }
            _ => None,
        }
    }
}

fn is_column(e: &Expr) -> bool {
    match e {
        Expr::Var(v) => v.levels_up == 0,
        Expr::Relabel { arg, .. } => is_column(arg),
        _ => false,
    }
}

fn has_column(e: &Expr) -> bool {
    if matches!(e, Expr::Var(_)) {
        return true;
    }
    let mut found = false;
    walk::children(e, &mut |c| found = found || has_column(c));
    found
}

impl Lift {
    /// The value the parameter has in `sql`, whose literals are `literals`. Any error means: do it the long way, which
    /// reports it at its place.
    pub fn value(
        &self,
        ctx: &AnalyzeCtx<'_>,
        planner: &PlannerCtx<'_>,
        sql: &str,
        literals: &[Literal],
    ) -> Result<Datum> {
        let v = self.constant(ctx, sql, &literals[self.literal])?;
        let Some(casts) = &self.casts else { return Ok(v) };
        let mut e = casts.clone();
        put_innermost(&mut e, v);
        planner::exprs::fold::fold(planner, &mut e)?;
        match e {
            Expr::Const(c) => Ok(c.value),
            _ => Err(Error::internal("cast of a literal is not constant")),
        }
    }

    /// [`Lift::value`] of an integer, bare or widened, for which nothing has to be looked up.
    pub fn integer_value(&self, sql: &str, literals: &[Literal]) -> Option<Datum> {
        let l = &literals[self.literal];
        let text = l.text(sql);
        let n = match l.class {
            Class::Int4 | Class::Int8 => text.bytes().fold(0i64, |n, d| n * 10 + i64::from(d - b'0')),
            _ => return None,
        };
        let n = if self.negative { -n } else { n };
        match (&self.casts, l.class) {
            (None, Class::Int4) => Some(Datum::I32(n as i32)),
            (None, Class::Int8) => Some(Datum::I64(n)),
            (Some(Expr::Func(f)), Class::Int4)
                if f.funcid == INT8_OF_INT4 && matches!(f.args[..], [Expr::Const(_)]) =>
            {
                Some(Datum::I64(n))
            }
            _ => None,
        }
    }

    /// The functions of the casts around the literal.
    pub fn functions(&self) -> Vec<Oid> {
        let mut found = Vec::new();
        let mut e = self.casts.as_ref();
        while let Some(Expr::Func(f)) = e {
            found.push(f.funcid);
            e = f.args.first();
        }
        found
    }

    fn constant(&self, ctx: &AnalyzeCtx<'_>, sql: &str, l: &Literal) -> Result<Datum> {
        let integer = || {
            let n = l.text(sql).parse::<i64>().map_err(|_| Error::internal("integer literal"))?;
            Ok::<i64, Error>(if self.negative { -n } else { n })
        };
        match l.class {
            Class::Int4 => Ok(Datum::I32(integer()? as i32)),
            Class::Int8 => Ok(Datum::I64(integer()?)),
            Class::Numeric if self.negative => ctx.input(oids::NUMERIC, &format!("-{}", l.text(sql)), -1),
            Class::Numeric => ctx.input(oids::NUMERIC, l.text(sql), -1),
            Class::String if matches!(self.type_oid, oids::TEXT | oids::VARCHAR) => {
                Ok(Datum::text(&l.content(sql)))
            }
            Class::String => ctx.input(self.type_oid, &l.content(sql), self.typmod),
        }
    }
}

fn put_innermost(e: &mut Expr, v: Datum) {
    match e {
        Expr::Const(c) => c.value = v,
        Expr::Func(f) => {
            if let Some(a) = f.args.first_mut() {
                put_innermost(a, v);
            }
        }
        _ => {}
    }
}
