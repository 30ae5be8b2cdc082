//! ORDER BY, GROUP BY, DISTINCT, LIMIT and WINDOW: clauses that point into the target list.

use crate::coerce::Context;
use crate::compare::same_expr;
use crate::expr::*;
use crate::info::{expr_location, expr_type};
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::Analyzer;
use common::{Error, Oid, Result, err};
use parser::{Expr as Raw, SortBy, SortByDir, SortByNulls, Value};
use types::oids;

/// PostgreSQL's frame option bits.
pub mod frame {
    pub const NONDEFAULT: u32 = 0x1;
    pub const RANGE: u32 = 0x2;
    pub const ROWS: u32 = 0x4;
    pub const GROUPS: u32 = 0x8;
    pub const BETWEEN: u32 = 0x10;
    pub const START_UNBOUNDED_PRECEDING: u32 = 0x20;
    pub const END_UNBOUNDED_PRECEDING: u32 = 0x40;
    pub const START_UNBOUNDED_FOLLOWING: u32 = 0x80;
    pub const END_UNBOUNDED_FOLLOWING: u32 = 0x100;
    pub const START_CURRENT_ROW: u32 = 0x200;
    pub const END_CURRENT_ROW: u32 = 0x400;
    pub const START_OFFSET_PRECEDING: u32 = 0x800;
    pub const END_OFFSET_PRECEDING: u32 = 0x1000;
    pub const START_OFFSET_FOLLOWING: u32 = 0x2000;
    pub const END_OFFSET_FOLLOWING: u32 = 0x4000;
    pub const EXCLUDE_CURRENT_ROW: u32 = 0x8000;
    pub const EXCLUDE_GROUP: u32 = 0x10000;
    pub const EXCLUDE_TIES: u32 = 0x20000;
    pub const DEFAULTS: u32 = RANGE | START_UNBOUNDED_PRECEDING | END_CURRENT_ROW;
}

/// A window definition without the places in the source text, for telling equal ones.
fn window_key(w: &parser::WindowDef) -> String {
    let s = format!("{:?}", parser::WindowDef { name: None, ..w.clone() });
    let mut out = String::with_capacity(s.len());
    let mut rest = s.as_str();
    while let Some(i) = rest.find("location: ") {
        out.push_str(&rest[..i]);
        rest = rest[i + 10..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

/// Do two windows say the same, wherever they stand?
fn same_window(a: &parser::WindowDef, b: &parser::WindowDef) -> bool {
    let shape = |w: &parser::WindowDef| {
        (w.partition_clause.len(), w.order_clause.len(), w.frame.is_some(), w.refname.is_some())
    };
    if shape(a) != shape(b) {
        return false;
    }
    let pairs = a.partition_clause.iter().zip(&b.partition_clause);
    let sorts = a.order_clause.iter().zip(&b.order_clause).map(|(a, b)| (&a.node, &b.node));
    for pair in pairs.chain(sorts) {
        if let (Raw::ColumnRef(x), Raw::ColumnRef(y)) = pair
            && x.fields != y.fields
        {
            return false;
        }
    }
    window_key(a) == window_key(b)
}

impl Analyzer<'_> {
    /// ORDER BY over a target list, which grows by what is not in it. `sql99`: expressions only, no names or numbers.
    pub fn transform_sort_clause(
        &mut self,
        raw: &[SortBy],
        list: &mut Vec<TargetEntry>,
        kind: ExprKind,
        sql99: bool,
    ) -> Result<Vec<SortGroupClause>> {
        let mut out = Vec::new();
        for s in raw {
            let i = if sql99 {
                self.find_entry_sql99(&s.node, list, kind)?
            } else {
                self.find_entry_sql92(&s.node, list, kind)?
            };
            self.add_to_sort_list(i, list, &mut out, s)?;
        }
        Ok(out)
    }

    /// Adds an ORDER BY item over entry `i`.
    pub fn add_to_sort_list(
        &mut self,
        i: usize,
        list: &mut [TargetEntry],
        out: &mut Vec<SortGroupClause>,
        s: &SortBy,
    ) -> Result<()> {
        self.resolve_unknown_entry(&mut list[i])?;
        let t = expr_type(&list[i].expr);
        let at = Some(s.node.location());
        let (sortop, eqop, hashable, reverse) = match s.sortby_dir {
            SortByDir::Default | SortByDir::Asc => {
                let o = self.ctx.sort_ops_needed(t, true, true).map_err(|e| e.at_if_none(at))?;
                (o.lt, o.eq, o.hashable, false)
            }
            SortByDir::Desc => {
                let o = self.ctx.sort_ops_needed(t, true, true).map_err(|e| e.at_if_none(at))?;
                (o.gt, o.eq, o.hashable, true)
            }
            SortByDir::Using => self.using_operator(s, t)?,
        };
        let nulls_first = match s.sortby_nulls {
            SortByNulls::Default => reverse,
            SortByNulls::First => true,
            SortByNulls::Last => false,
        };
        let tle_ref = assign_ref(list, i);
        if out.iter().any(|o| o.tle_ref == tle_ref) {
            return Ok(());
        }
        out.push(SortGroupClause { tle_ref, eqop, sortop, nulls_first, hashable });
        Ok(())
    }

    fn using_operator(&self, s: &SortBy, t: Oid) -> Result<(Oid, Oid, bool, bool)> {
        let op = self.ctx.find_operator(&s.use_op, t, t, Some(s.location))?;
        for a in self.ctx.catalog.amops_of(op.oid)? {
            if a.method == Oid(403) && (a.strategy == 1 || a.strategy == 5) {
                let eq = self.ctx.catalog.amop(a.family, a.left, a.right, 3)?.unwrap_or(Oid::INVALID);
                let hashable = self.ctx.catalog.operator(eq)?.can_hash;
                return Ok((op.oid, eq, hashable, a.strategy == 5));
            }
        }
        Err(err!(WRONG_OBJECT_TYPE, "operator {} is not a valid ordering operator", s.use_op.join("."))
            .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
            .at(s.location))
    }

    /// An unknown literal that is sorted, grouped or returned becomes text.
    pub fn resolve_unknown_entry(&mut self, t: &mut TargetEntry) -> Result<()> {
        if expr_type(&t.expr) == oids::UNKNOWN {
            let e = t.expr.clone();
            t.expr =
                self.coerce_type(e, oids::TEXT, -1, Context::Implicit, CoercionForm::ImplicitCast, None)?;
        }
        Ok(())
    }

    /// Finds what an ORDER BY / GROUP BY / DISTINCT ON item means: an output name, a position, or an expression.
    pub fn find_entry_sql92(
        &mut self,
        node: &Raw,
        list: &mut Vec<TargetEntry>,
        kind: ExprKind,
    ) -> Result<usize> {
        if let Raw::ColumnRef(c) = node
            && let [parser::Field::Name(name)] = c.fields.as_slice()
        {
            // GROUP BY prefers a column of FROM to an output name.
            let input_first =
                kind == ExprKind::GroupBy && self.column_by_name(name, c.location, true)?.is_some();
            if !input_first {
                let mut hit: Option<usize> = None;
                for i in 0..list.len() {
                    if list[i].junk || list[i].name.as_deref() != Some(name) {
                        continue;
                    }
                    match hit {
                        Some(h) if !same_expr(&list[h].expr, &list[i].expr) => {
                            return Err(err!(AMBIGUOUS_COLUMN, "{} \"{name}\" is ambiguous", kind.place())
                                .at(c.location));
                        }
                        Some(_) => {}
                        None => hit = Some(i),
                    }
                }
                if let Some(i) = hit {
                    self.check_entry(&list[i], kind)?;
                    return Ok(i);
                }
            }
        }
        if let Raw::AConst(c) = node {
            let Value::Integer(n) = c.val else {
                return Err(err!(SYNTAX_ERROR, "non-integer constant in {}", kind.place()).at(c.location));
            };
            let mut pos = 0;
            for (i, t) in list.iter().enumerate().filter(|(_, t)| !t.junk) {
                pos += 1;
                if pos == n {
                    self.check_entry(t, kind)?;
                    return Ok(i);
                }
            }
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "{} position {n} is not in select list",
                kind.place()
            )
            .at(c.location));
        }
        self.find_entry_sql99(node, list, kind)
    }

    fn check_entry(&self, t: &TargetEntry, kind: ExprKind) -> Result<()> {
        if kind != ExprKind::GroupBy {
            return Ok(());
        }
        let mut bad: Option<Error> = None;
        crate::walk::walk(&t.expr, 0, &mut |x, d| {
            match x {
                Expr::Aggref(a) if a.levels_up == d && bad.is_none() => {
                    bad = Some(
                        err!(GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY")
                            .at_if_none(a.location),
                    );
                }
                Expr::WindowFunc(w) if d == 0 && bad.is_none() => {
                    bad = Some(
                        err!(WINDOWING_ERROR, "window functions are not allowed in GROUP BY")
                            .at_if_none(w.location),
                    );
                }
                _ => {}
            }
            bad.is_none()
        });
        bad.map_or(Ok(()), Err)
    }

    /// Finds an expression in the target list, adding a junk entry if it is not there.
    pub fn find_entry_sql99(
        &mut self,
        node: &Raw,
        list: &mut Vec<TargetEntry>,
        kind: ExprKind,
    ) -> Result<usize> {
        let e = self.transform_expr_kind(node, kind)?;
        for (i, t) in list.iter().enumerate() {
            if same_expr(strip_implicit(&t.expr), strip_implicit(&e)) && expr_type(&t.expr) == expr_type(&e)
                || same_expr(&e, &t.expr)
            {
                return Ok(i);
            }
        }
        let resno = list.len() as i16 + 1;
        list.push(TargetEntry {
            expr: e,
            resno,
            name: None,
            sort_group_ref: 0,
            orig: (Oid::INVALID, 0),
            junk: true,
        });
        Ok(list.len() - 1)
    }

    /// A grouping item over an entry, by the type's default equality.
    pub fn group_item(&mut self, list: &mut [TargetEntry], i: usize) -> Result<SortGroupClause> {
        let at = expr_location(&list[i].expr);
        self.group_item_at(list, i, at)
    }

    /// The same, written at a place of its own.
    pub fn group_item_at(
        &mut self,
        list: &mut [TargetEntry],
        i: usize,
        at: Option<usize>,
    ) -> Result<SortGroupClause> {
        self.resolve_unknown_entry(&mut list[i])?;
        let o =
            self.ctx.sort_ops_needed(expr_type(&list[i].expr), false, true).map_err(|e| e.at_if_none(at))?;
        Ok(SortGroupClause {
            tle_ref: assign_ref(list, i),
            eqop: o.eq,
            sortop: o.lt,
            nulls_first: false,
            hashable: o.hashable,
        })
    }

    /// DISTINCT (of a SELECT or of an aggregate): the ORDER BY items first, then the rest.
    pub fn transform_distinct(
        &mut self,
        list: &mut [TargetEntry],
        sort: &[SortGroupClause],
        is_agg: bool,
    ) -> Result<Vec<SortGroupClause>> {
        let mut out = Vec::new();
        for s in sort {
            if let Some(t) = list.iter().find(|t| t.sort_group_ref == s.tle_ref)
                && t.junk
            {
                return Err(err!(
                    INVALID_COLUMN_REFERENCE,
                    "{}",
                    if is_agg {
                        "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
                    } else {
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
                    }
                )
                .at_if_none(expr_location(&t.expr)));
            }
            out.push(s.clone());
        }
        for i in 0..list.len() {
            if list[i].junk
                || (list[i].sort_group_ref != 0
                    && out.iter().any(|o: &SortGroupClause| o.tle_ref == list[i].sort_group_ref))
            {
                continue;
            }
            let c = self.group_item(list, i)?;
            out.push(c);
        }
        if out.is_empty() {
            return Err(err!(
                SYNTAX_ERROR,
                "{}",
                if is_agg {
                    "an aggregate with DISTINCT must have at least one argument"
                } else {
                    "SELECT DISTINCT must have at least one column"
                }
            ));
        }
        Ok(out)
    }

    /// DISTINCT ON (…).
    pub fn transform_distinct_on(
        &mut self,
        raw: &[Raw],
        list: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
    ) -> Result<Vec<SortGroupClause>> {
        let mut refs = Vec::new();
        for e in raw {
            let i = self.find_entry_sql92(e, list, ExprKind::DistinctOn)?;
            refs.push((assign_ref(list, i), i, e.location()));
        }
        let mut out: Vec<SortGroupClause> = Vec::new();
        let mismatch = |loc: Option<usize>| {
            err!(
                INVALID_COLUMN_REFERENCE,
                "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
            )
            .at_if_none(loc)
        };
        let mut skipped = false;
        for s in sort {
            match refs.iter().find(|r| r.0 == s.tle_ref) {
                Some(r) if skipped => return Err(mismatch(Some(r.2))),
                Some(_) => out.push(s.clone()),
                None => skipped = true,
            }
        }
        for (r, i, loc) in refs {
            if out.iter().any(|o| o.tle_ref == r) {
                continue;
            }
            if skipped {
                return Err(mismatch(Some(loc)));
            }
            let c = self.group_item(list, i)?;
            out.push(c);
        }
        Ok(out)
    }

    /// LIMIT or OFFSET: bigint without variables of this query.
    pub fn transform_limit(&mut self, raw: &Option<Raw>, kind: ExprKind) -> Result<Option<Expr>> {
        let Some(r) = raw else { return Ok(None) };
        let e = self.transform_expr_kind(r, kind)?;
        let e = self.coerce_to_specific(e, oids::INT8, -1, kind.place())?;
        if let Some(loc) = crate::agg::first_var(&e) {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "argument of {} must not contain variables",
                kind.place()
            )
            .at_if_none(loc));
        }
        Ok(Some(e))
    }

    /// Number of the window a call's OVER means; unnamed ones are added to the level's list.
    pub fn window_reference(
        &mut self,
        over: &parser::WindowDef,
        args: &[Expr],
        loc: Option<usize>,
    ) -> Result<u32> {
        for a in args {
            if let Some(l) = own_window(a) {
                return Err(err!(WINDOWING_ERROR, "window function calls cannot be nested").at_if_none(l));
            }
        }
        let lv = self.level();
        if let Some(place) = lv.kind.forbids_windows() {
            return Err(err!(WINDOWING_ERROR, "window functions are not allowed in {place}").at_if_none(loc));
        }
        lv.has_window_funcs = true;
        if let Some(name) = &over.name {
            return match lv.window_defs.iter().position(|w| w.name.as_ref() == Some(name)) {
                Some(i) => Ok(i as u32 + 1),
                None => Err(err!(UNDEFINED_OBJECT, "window \"{name}\" does not exist").at(over.location)),
            };
        }
        if let Some(i) = lv.window_defs.iter().position(|w| {
            same_window(w, over)
                || over.refname.is_some()
                    && w.name == over.refname
                    && over.partition_clause.is_empty()
                    && over.order_clause.is_empty()
                    && over.frame.is_none()
                    && w.frame.is_none()
        }) {
            return Ok(i as u32 + 1);
        }
        lv.window_defs.push(over.clone());
        Ok(lv.window_defs.len() as u32)
    }

    /// The WINDOW clause and the windows of OVER (…), resolved against the target list.
    pub fn transform_windows(&mut self, list: &mut Vec<TargetEntry>) -> Result<Vec<WindowClause>> {
        let defs = std::mem::take(&mut self.level().window_defs);
        let mut out: Vec<WindowClause> = Vec::new();
        for (i, d) in defs.iter().enumerate() {
            if let Some(n) = &d.name
                && out.iter().any(|w| w.name.as_ref() == Some(n))
            {
                return Err(err!(WINDOWING_ERROR, "window \"{n}\" is already defined").at(d.location));
            }
            let base = match &d.refname {
                None => None,
                Some(r) => match out.iter().find(|w| w.name.as_ref() == Some(r)) {
                    Some(w) => Some(w.clone()),
                    None => {
                        return Err(err!(UNDEFINED_OBJECT, "window \"{r}\" does not exist").at(d.location));
                    }
                },
            };
            let mut order = self.transform_sort_clause(&d.order_clause, list, ExprKind::WindowOrder, true)?;
            let mut partition = Vec::new();
            for p in &d.partition_clause {
                let k = self.find_entry_sql99(p, list, ExprKind::WindowPartition)?;
                let r = list[k].sort_group_ref;
                if r != 0 && partition.iter().any(|c: &SortGroupClause| c.tle_ref == r) {
                    continue;
                }
                match order.iter().find(|o| r != 0 && o.tle_ref == r) {
                    Some(o) => partition.push(o.clone()),
                    None => partition.push(self.group_item_at(list, k, Some(p.location()))?),
                }
            }
            let mut copied_order = false;
            if let Some(b) = &base {
                let r = d.refname.as_deref().unwrap_or("");
                if !d.partition_clause.is_empty() {
                    return Err(err!(
                        WINDOWING_ERROR,
                        "cannot override PARTITION BY clause of window \"{r}\""
                    )
                    .at(d.location));
                }
                partition = b.partition.clone();
                if !order.is_empty() && !b.order.is_empty() {
                    return Err(err!(WINDOWING_ERROR, "cannot override ORDER BY clause of window \"{r}\"")
                        .at(d.location));
                }
                if order.is_empty() {
                    copied_order = !b.order.is_empty();
                    order = b.order.clone();
                }
                if b.frame_options & frame::NONDEFAULT != 0 {
                    let plain = d.order_clause.is_empty() && d.frame.is_none();
                    let e = err!(WINDOWING_ERROR, "cannot copy window \"{r}\" because it has a frame clause")
                        .at(d.location);
                    return Err(if plain && d.name.is_none() {
                        e.hint("Omit the parentheses in this OVER clause.")
                    } else {
                        e
                    });
                }
            }
            let f = self.transform_frame(d, &order, list)?;
            out.push(WindowClause {
                name: d.name.clone(),
                refname: d.refname.clone(),
                partition,
                order,
                copied_order,
                frame_options: f.options,
                start_offset: f.start,
                end_offset: f.end,
                start_in_range: f.start_in_range,
                end_in_range: f.end_in_range,
                winref: i as u32 + 1,
                run_condition: Vec::new(),
            });
        }
        Ok(out)
    }
}

fn own_window(e: &Expr) -> Option<Option<usize>> {
    let mut hit = None;
    crate::walk::walk(e, 0, &mut |x, d| {
        if let (Expr::WindowFunc(w), 0) = (x, d) {
            hit = Some(w.location);
        }
        hit.is_none() && d == 0
    });
    hit
}

fn strip_implicit(e: &Expr) -> &Expr {
    match e {
        Expr::Relabel { arg, form: CoercionForm::ImplicitCast, .. }
        | Expr::CoerceViaIo { arg, form: CoercionForm::ImplicitCast, .. }
        | Expr::CoerceToDomain { arg, form: CoercionForm::ImplicitCast, .. } => strip_implicit(arg),
        e => e,
    }
}

/// The entry's sort/group number, given to it if it has none.
pub fn assign_ref(list: &mut [TargetEntry], i: usize) -> u32 {
    if list[i].sort_group_ref == 0 {
        list[i].sort_group_ref = list.iter().map(|t| t.sort_group_ref).max().unwrap_or(0) + 1;
    }
    list[i].sort_group_ref
}
