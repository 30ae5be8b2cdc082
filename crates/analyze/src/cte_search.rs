//! SEARCH and CYCLE of recursive WITH items. Analysis checks the clauses and gives the item their columns ([`columns`]); the
//! rewriter turns them into what computes those columns ([`expand`]): each arm of the UNION is wrapped in a query that
//! adds them, and the recursive arm hands them on from the row it came from.
//!
//! ```text
//! SEARCH DEPTH FIRST BY a SET s      s = ARRAY[ROW(a)]      then  s || ARRAY[ROW(a)]
//! SEARCH BREADTH FIRST BY a SET s    s = ROW(0, a)          then  ROW(s.depth + 1, a)
//! CYCLE a SET c USING p              p as s above; c = ROW(a) = ANY (p), and rows with it set are not followed
//! ```

use crate::expr::*;
use crate::query::*;
use crate::rewrite::shift_query_levels;
use crate::scope::Analyzer;
use crate::target::push_entry;
use common::{Error, Oid, Result, err};
use parser::Statement;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use types::{Datum, oids};

const RECORD_ARRAY: Oid = Oid(2287);
const RECORD_EQ: (Oid, Oid) = (Oid(2988), Oid(2981));
const ARRAY_CAT: Oid = Oid(383);
const INT8INC: Oid = Oid(1219);

/// SEARCH … FIRST BY … SET …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CteSearch {
    pub breadth_first: bool,
    pub cols: Vec<String>,
    pub seq: String,
}

/// CYCLE … SET … TO … DEFAULT … USING …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CteCycle {
    pub cols: Vec<String>,
    pub mark: String,
    pub value: Expr,
    pub default: Expr,
    pub mark_type: Oid,
    pub mark_typmod: i32,
    pub mark_collation: Oid,
    /// `<>` of the mark's type.
    pub neop: (Oid, Oid),
    pub path: String,
}

/// A column that a clause adds: name, type, typmod, collation.
type Column = (Rc<str>, Oid, i32, Oid);

/// The columns the clauses of an item add, in order.
pub fn columns(search: Option<&CteSearch>, cycle: Option<&CteCycle>) -> Vec<Column> {
    let mut out = Vec::new();
    if let Some(s) = search {
        let t = if s.breadth_first { oids::RECORD } else { RECORD_ARRAY };
        out.push((s.seq.as_str().into(), t, -1, Oid::INVALID));
    }
    if let Some(c) = cycle {
        out.push((c.mark.as_str().into(), c.mark_type, c.mark_typmod, c.mark_collation));
        out.push((c.path.as_str().into(), RECORD_ARRAY, -1, Oid::INVALID));
    }
    out
}

impl Analyzer<'_> {
    /// The clauses of an item before its query is analysed.
    pub(crate) fn cte_clauses(
        &mut self,
        c: &parser::CommonTableExpr,
    ) -> Result<(Option<CteSearch>, Option<CteCycle>)> {
        let search = c.search_clause.as_ref().map(|s| CteSearch {
            breadth_first: s.search_breadth_first,
            cols: s.search_col_list.clone(),
            seq: s.search_seq_column.clone(),
        });
        let Some(y) = &c.cycle_clause else { return Ok((search, None)) };
        let boolean = |b| crate::coerce::make_const(oids::BOOL, Datum::Bool(b));
        let (value, default, mark_type) = match (&y.cycle_mark_value, &y.cycle_mark_default) {
            (Some(v), Some(d)) => {
                let value = self.transform_expr_kind(v, crate::kind::ExprKind::CycleMark)?;
                let default = self.transform_expr_kind(d, crate::kind::ExprKind::CycleMark)?;
                let t = self.common_type(&[&value, &default], "CYCLE")?;
                let value = self.coerce_to_common(value, t, "CYCLE/SET/TO")?;
                (value, self.coerce_to_common(default, t, "CYCLE/SET/DEFAULT")?, t)
            }
            _ => (boolean(true), boolean(false), oids::BOOL),
        };
        let eq = self.ctx.sort_ops_needed(mark_type, false, true)?.eq;
        let negator = self.ctx.catalog.operator(eq)?.negator;
        if !negator.is_valid() {
            let shown = crate::typename::format_type_short(self.ctx, mark_type);
            return Err(err!(
                UNDEFINED_FUNCTION,
                "could not identify an inequality operator for type {shown}"
            ));
        }
        let same = crate::info::expr_typmod(&value) == crate::info::expr_typmod(&default);
        let mark_typmod = if same { crate::info::expr_typmod(&value) } else { -1 };
        let cycle = CteCycle {
            cols: y.cycle_col_list.clone(),
            mark: y.cycle_mark_column.clone(),
            mark_type,
            mark_typmod,
            mark_collation: crate::info::expr_collation(&value),
            neop: (negator, self.ctx.catalog.operator(negator)?.code),
            value,
            default,
            path: y.cycle_path_column.clone(),
        };
        Ok((search, Some(cycle)))
    }
}

/// Checks the clauses of an item whose query has been analysed; `cte` has no columns of theirs yet.
pub(crate) fn check(cte: &CommonTableExpr, raw: &parser::CommonTableExpr) -> Result<()> {
    if raw.search_clause.is_none() && raw.cycle_clause.is_none() {
        return Ok(());
    }
    if !cte.recursive || cte.query.set_operations.is_none() {
        return Err(err!(SYNTAX_ERROR, "WITH query is not recursive").at(raw.location));
    }
    let Statement::Select(s) = &*raw.ctequery else {
        return Err(Error::internal("recursion without SELECT"));
    };
    let is_setop = |side: &Option<Box<parser::SelectStmt>>| {
        side.as_ref().is_some_and(|s| s.larg.is_some() || s.rarg.is_some())
    };
    for (side, word) in [(&s.larg, "left"), (&s.rarg, "right")] {
        if is_setop(side) {
            let text = "with a SEARCH or CYCLE clause, the";
            return Err(err!(FEATURE_NOT_SUPPORTED, "{text} {word} side of the UNION must be a SELECT"));
        }
    }
    let list = |cols: &[String], word: &str, at: usize| -> Result<()> {
        for (i, n) in cols.iter().enumerate() {
            if !cte.col_names.iter().any(|c| **c == **n) {
                return Err(err!(SYNTAX_ERROR, "{word} column \"{n}\" not in WITH query column list").at(at));
            }
            if cols[..i].contains(n) {
                return Err(err!(DUPLICATE_COLUMN, "{word} column \"{n}\" specified more than once").at(at));
            }
        }
        Ok(())
    };
    let fresh = |name: &str, what: &str, at: usize| -> Result<()> {
        if cte.col_names.iter().any(|n| **n == *name) {
            return Err(err!(
                SYNTAX_ERROR,
                "{what} column name \"{name}\" already used in WITH query column list"
            )
            .at(at));
        }
        Ok(())
    };
    if let Some(s) = &raw.search_clause {
        list(&s.search_col_list, "search", s.location)?;
        fresh(&s.search_seq_column, "search sequence", s.location)?;
    }
    let Some(c) = &raw.cycle_clause else { return Ok(()) };
    list(&c.cycle_col_list, "cycle", c.location)?;
    fresh(&c.cycle_mark_column, "cycle mark", c.location)?;
    fresh(&c.cycle_path_column, "cycle path", c.location)?;
    let same = |a: &str, b: &str, at| {
        Err(err!(SYNTAX_ERROR, "{a} column name and {b} column name are the same").at(at))
    };
    if c.cycle_mark_column == c.cycle_path_column {
        return same("cycle mark", "cycle path", c.location);
    }
    match &raw.search_clause {
        Some(s) if s.search_seq_column == c.cycle_mark_column => {
            same("search sequence", "cycle mark", s.location)
        }
        Some(s) if s.search_seq_column == c.cycle_path_column => {
            same("search sequence", "cycle path", s.location)
        }
        _ => Ok(()),
    }
}

/// What the expansion works with.
struct Expansion {
    name: String,
    search: Option<CteSearch>,
    cycle: Option<CteCycle>,
    /// The item's columns without those of the clauses.
    base: Vec<Column>,
    added: Vec<Column>,
}

fn var(rti: u32, attno: usize, c: &Column) -> Expr {
    Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno: attno as i16,
        vartype: c.1,
        typmod: c.2,
        collation: c.3,
        levels_up: 0,
        syn: (rti, attno as i16),
        location: None,
    })
}

fn call(funcid: Oid, result_type: Oid, args: Vec<Expr>) -> Expr {
    Expr::Func(FuncExpr {
        funcid,
        result_type,
        retset: false,
        variadic: false,
        form: CoercionForm::ExplicitCall,
        collation: Oid::INVALID,
        input_collation: Oid::INVALID,
        args,
        location: None,
    })
}

fn array_of(row: Expr) -> Expr {
    Expr::Array {
        array_type: RECORD_ARRAY,
        elem_type: oids::RECORD,
        collation: Oid::INVALID,
        elements: vec![row],
        multidims: false,
        location: None,
    }
}

impl Expansion {
    fn number(&self, name: &str) -> usize {
        self.base.iter().position(|c| *c.0 == *name).map_or(0, |i| i + 1)
    }
    /// ROW of these columns of the wrapped arm, behind `first`.
    fn row(&self, cols: &[String], first: Option<Expr>) -> Expr {
        let mut col_names = Vec::new();
        let mut args: Vec<Expr> = Vec::new();
        if let Some(f) = first {
            col_names.push("*DEPTH*".to_string());
            args.push(f);
        }
        for n in cols {
            let k = self.number(n);
            args.push(var(1, k, &self.base[k - 1]));
            col_names.push(n.clone());
        }
        Expr::Row { args, row_type: oids::RECORD, col_names, location: None }
    }
    fn first_values(&self) -> Vec<Expr> {
        let mut out = Vec::new();
        if let Some(s) = &self.search {
            let zero = || crate::coerce::make_const(oids::INT8, Datum::I64(0));
            out.push(if s.breadth_first {
                self.row(&s.cols, Some(zero()))
            } else {
                array_of(self.row(&s.cols, None))
            });
        }
        if let Some(c) = &self.cycle {
            out.push(c.default.clone());
            out.push(array_of(self.row(&c.cols, None)));
        }
        out
    }
    fn next_values(&self) -> Vec<Expr> {
        let base = self.base.len();
        let carried = |k: usize| var(1, base + k + 1, &self.added[k]);
        let mut out = Vec::new();
        let mut at = 0;
        if let Some(s) = &self.search {
            out.push(if s.breadth_first {
                let depth = Expr::FieldSelect {
                    arg: Box::new(carried(0)),
                    fieldnum: 1,
                    result_type: oids::INT8,
                    typmod: -1,
                    collation: Oid::INVALID,
                };
                self.row(&s.cols, Some(call(INT8INC, oids::INT8, vec![depth])))
            } else {
                let one = array_of(self.row(&s.cols, None));
                call(ARRAY_CAT, RECORD_ARRAY, vec![carried(0), one])
            });
            at = 1;
        }
        if let Some(c) = &self.cycle {
            let seen = Expr::ScalarArrayOp(ScalarArrayOpExpr {
                opno: RECORD_EQ.0,
                funcid: RECORD_EQ.1,
                use_or: true,
                input_collation: Oid::INVALID,
                args: vec![self.row(&c.cols, None), carried(at + 1)],
                location: None,
            });
            out.push(Expr::Case {
                result_type: c.mark_type,
                collation: c.mark_collation,
                arg: None,
                whens: vec![CaseWhen { expr: seen, result: c.value.clone() }],
                default: Some(Box::new(c.default.clone())),
                location: None,
            });
            let one = array_of(self.row(&c.cols, None));
            out.push(call(ARRAY_CAT, RECORD_ARRAY, vec![carried(at + 1), one]));
        }
        out
    }
    /// A query that adds the clauses' columns to an arm.
    fn wrap(&self, mut arm: RangeTblEntry, name: &str, inner: &[Column], values: Vec<Expr>) -> RangeTblEntry {
        if let RteKind::Subquery { query, .. } = &mut arm.kind {
            shift_query_levels(query, 1);
        }
        let mut outer = arm.clone();
        arm.eref_name = name.into();
        arm.alias = Some(arm.eref_name.clone());
        set_columns(&mut arm, inner);
        let mut q = crate::select::new_query(CmdType::Select);
        q.jointree.from.push(JoinTree::Rte(1));
        for (i, c) in self.base.iter().enumerate() {
            push_entry(&mut q.target_list, var(1, i + 1, c), Some(c.0.clone()));
        }
        for (e, c) in values.into_iter().zip(&self.added) {
            push_entry(&mut q.target_list, e, Some(c.0.clone()));
        }
        q.rtable.push(arm);
        let all: Vec<Column> = self.base.iter().chain(&self.added).cloned().collect();
        set_columns(&mut outer, &all);
        outer.kind =
            RteKind::Subquery { query: Box::new(q), lateral: false, security_barrier: false, view: None };
        outer
    }
    /// The recursive arm hands on the columns of the row it came from, and follows no row that closes a cycle.
    fn extend_recursive(&self, q: &mut Query) -> Result<()> {
        let is_self = |r: &RangeTblEntry| matches!(&r.kind, RteKind::Cte { name, recursive: true, .. } if *name == self.name);
        let Some(rti) = q.rtable.iter().position(is_self).map(|i| i as u32 + 1) else {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"{}\" must be at the top level of its right-hand SELECT",
                self.name
            ));
        };
        let from = self.base.len();
        for (k, c) in self.added.iter().enumerate() {
            push_entry(&mut q.target_list, var(rti, from + k + 1, c), Some(c.0.clone()));
        }
        if let Some(c) = &self.cycle {
            let mark = var(rti, from + self.added.len() - 1, &self.added[self.added.len() - 2]);
            let open = Expr::Op(OpExpr {
                opno: c.neop.0,
                funcid: c.neop.1,
                result_type: oids::BOOL,
                retset: false,
                collation: Oid::INVALID,
                input_collation: c.mark_collation,
                args: vec![mark, c.value.clone()],
                location: None,
            });
            q.jointree.quals = Some(match q.jointree.quals.take() {
                None => open,
                Some(old) => Expr::Bool { op: BoolOp::And, args: vec![old, open], location: None },
            });
        }
        Ok(())
    }
}

fn set_columns(r: &mut RangeTblEntry, cols: &[Column]) {
    r.eref_cols = Rc::new(cols.iter().map(|c| c.0.clone()).collect());
    r.col_types = Rc::new(cols.iter().map(|c| c.1).collect());
    r.col_typmods = Rc::new(cols.iter().map(|c| c.2).collect());
    r.col_collations = Rc::new(cols.iter().map(|c| c.3).collect());
}

/// Replaces the clauses of an item by what computes their columns.
pub fn expand(ctx: &crate::AnalyzeCtx<'_>, cte: &mut CommonTableExpr) -> Result<()> {
    if cte.search.is_none() && cte.cycle.is_none() {
        return Ok(());
    }
    let (search, cycle) = (cte.search.take(), cte.cycle.take().map(|c| *c));
    let added = columns(search.as_ref(), cycle.as_ref());
    let n = cte.col_names.len() - added.len();
    let base: Vec<Column> = (0..n)
        .map(|i| (cte.col_names[i].clone(), cte.col_types[i], cte.col_typmods[i], cte.col_collations[i]))
        .collect();
    let x = Expansion { name: cte.name.clone(), search, cycle, base, added };
    let q = &mut *cte.query;
    let Some(SetOpTree::Node(node)) = &mut q.set_operations else {
        return Err(Error::internal("SEARCH or CYCLE without UNION"));
    };
    let (SetOpTree::Leaf(l), SetOpTree::Leaf(r)) = (&node.left, &node.right) else {
        return Err(Error::internal("SEARCH or CYCLE over a nested UNION"));
    };
    let (l, r) = (*l as usize - 1, *r as usize - 1);
    let left = q.rtable[l].clone();
    q.rtable[l] = x.wrap(left, "*TLOCRN*", &x.base, x.first_values());
    let mut right = q.rtable[r].clone();
    if let RteKind::Subquery { query, .. } = &mut right.kind {
        x.extend_recursive(query)?;
    }
    let all: Vec<Column> = x.base.iter().chain(&x.added).cloned().collect();
    q.rtable[r] = x.wrap(right, "*TROCRN*", &all, x.next_values());
    for (k, c) in x.added.iter().enumerate() {
        node.col_types.push(c.1);
        node.col_typmods.push(c.2);
        node.col_collations.push(c.3);
        if !node.all {
            let o = ctx.sort_ops_needed(c.1, false, true)?;
            node.group_clauses.push(SortGroupClause {
                tle_ref: 0,
                eqop: o.eq,
                sortop: o.lt,
                nulls_first: false,
                hashable: o.hashable,
            });
        }
        push_entry(&mut q.target_list, var(l as u32 + 1, n + k + 1, c), Some(c.0.clone()));
    }
    Ok(())
}
