//! FROM: tables, sub-queries, functions and joins become range table entries, a join tree, and the names visible in
//! the rest of the query.

use crate::coerce::Context;
use crate::expr::*;
use crate::info::{expr_type, expr_typmod};
use crate::kind::ExprKind;
use crate::query::*;
use crate::rte::{ColInfo, new_rte};
use crate::scope::{Analyzer, NsCol, NsCols, NsItem, NsNames};
use common::{Error, Oid, Result, err};
use parser::{Expr as Raw, TableExpr};
use std::rc::Rc;
use types::oids;

impl Analyzer<'_> {
    /// The FROM clause of a query (or USING of DELETE).
    pub fn transform_from(&mut self, raw: &[TableExpr]) -> Result<()> {
        for t in raw {
            let (tree, _, items) = self.transform_table(t)?;
            self.check_conflicts(&items)?;
            // Later items of FROM see these only if they are LATERAL.
            let mut items = items;
            set_lateral(&mut items, true, true);
            let lv = self.level();
            lv.joinlist.push(tree);
            lv.namespace.extend(items);
        }
        set_lateral(&mut self.level().namespace, false, true);
        Ok(())
    }

    fn check_conflicts(&mut self, items: &[NsItem]) -> Result<()> {
        let lv = self.level();
        for a in items.iter().filter(|i| i.rel_visible) {
            for b in lv.namespace.iter().filter(|i| i.rel_visible) {
                conflict(&lv.rtable, a, b)?;
            }
        }
        Ok(())
    }

    /// One item: its place in the join tree, its own names, and all names it makes visible.
    fn transform_table(&mut self, t: &TableExpr) -> Result<(JoinTree, NsItem, Vec<NsItem>)> {
        self.check_stack()?;
        let item = match t {
            TableExpr::RangeVar(rv) => self.transform_range_var(rv)?,
            TableExpr::RangeSubselect(s) => self.transform_range_subselect(s)?,
            TableExpr::RangeFunction(f) => self.transform_range_function(f)?,
            TableExpr::JoinExpr(j) => return self.transform_join(j),
            TableExpr::RangeTableSample(s) => self.transform_sample(s)?,
            TableExpr::RangeTableFunc(_) => return Err(Error::unsupported("XMLTABLE")),
        };
        Ok((JoinTree::Rte(item.rti), item.clone(), vec![item]))
    }

    fn transform_range_var(&mut self, rv: &parser::RangeVar) -> Result<NsItem> {
        if rv.schemaname.is_none()
            && let Some(item) = self.cte_reference(rv)?
        {
            return Ok(item);
        }
        let lockmode = if self.is_locked(rv) { 2 } else { 1 };
        let rel = self.open_relation(rv, lockmode)?;
        self.add_relation(&rel, rv.alias.as_ref(), rv.inh, lockmode, Some(rv.location))
    }

    /// `table TABLESAMPLE method (…) REPEATABLE (…)`.
    fn transform_sample(&mut self, s: &parser::RangeTableSample) -> Result<NsItem> {
        let item = self.transform_range_var(&s.relation)?;
        let name = s.method.join(".");
        let fits = matches!(
            self.level().rtable[item.rti as usize - 1].kind,
            RteKind::Relation { relkind: b'r' | b'm' | b'p', .. }
        );
        if !fits {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "TABLESAMPLE clause can only be applied to tables and materialized views"
            )
            .at(s.relation.location));
        }
        let method = match s.method.as_slice() {
            [m] => m.as_str(),
            [schema, m] if schema == "pg_catalog" => m.as_str(),
            _ => "",
        };
        if !matches!(method, "bernoulli" | "system") {
            return Err(err!(UNDEFINED_OBJECT, "tablesample method {name} does not exist").at(s.location));
        }
        let [arg] = s.args.as_slice() else {
            return Err(err!(
                INVALID_TABLESAMPLE_ARGUMENT,
                "tablesample method {name} requires 1 argument, not {}",
                s.args.len()
            )
            .at(s.location));
        };
        let kind = ExprKind::FromFunction;
        let e = self.transform_expr_kind(arg, kind)?;
        let args = vec![self.coerce_to_specific(e, types::oids::FLOAT4, -1, "TABLESAMPLE")?];
        let repeatable = match &s.repeatable {
            Some(r) => {
                let e = self.transform_expr_kind(r, kind)?;
                Some(self.coerce_to_specific(e, types::oids::FLOAT8, -1, "REPEATABLE")?)
            }
            None => None,
        };
        if args.iter().chain(&repeatable).any(|e| crate::agg::first_var(e).is_some()) {
            return Err(Error::unsupported("LATERAL references in TABLESAMPLE"));
        }
        if let RteKind::Relation { tablesample, .. } = &mut self.level().rtable[item.rti as usize - 1].kind {
            *tablesample = Some(Box::new(TableSample { method: method.into(), args, repeatable }));
        }
        Ok(item)
    }

    /// Will FOR UPDATE apply to this table?
    fn is_locked(&mut self, rv: &parser::RangeVar) -> bool {
        let lv = self.level();
        let name = rv.alias.as_ref().map_or(&rv.relname, |a| &a.aliasname);
        lv.locked_from_parent
            || lv
                .locking
                .iter()
                .any(|l| l.locked_rels.is_empty() || l.locked_rels.iter().any(|r| r.relname == *name))
    }

    fn transform_range_subselect(&mut self, s: &parser::RangeSubselect) -> Result<NsItem> {
        let Some(alias) = &s.alias else {
            let what = if s.subquery.values_lists.is_empty() { "subquery" } else { "VALUES" };
            let hint = if what == "VALUES" {
                "For example, FROM (VALUES ...) [AS] foo."
            } else {
                "For example, FROM (SELECT ...) [AS] foo."
            };
            return Err(err!(SYNTAX_ERROR, "{what} in FROM must have an alias").hint(hint).at(s.location));
        };
        let locked = {
            let lv = self.level();
            lv.locked_from_parent
                || lv.locking.iter().any(|l| {
                    l.locked_rels.is_empty() || l.locked_rels.iter().any(|r| r.relname == alias.aliasname)
                })
        };
        let old_kind = std::mem::replace(&mut self.level().kind, ExprKind::FromSubselect);
        let old_lateral = std::mem::replace(&mut self.level().lateral_active, s.lateral);
        self.push_level();
        self.level().locked_from_parent = locked;
        let r = self.transform_select(&s.subquery);
        self.pop_level();
        self.level().kind = old_kind;
        self.level().lateral_active = old_lateral;
        let q = r?;
        self.add_subquery(q, Some(alias), &alias.aliasname, s.lateral)
    }

    fn transform_range_function(&mut self, f: &parser::RangeFunction) -> Result<NsItem> {
        let old_lateral = std::mem::replace(&mut self.level().lateral_active, true);
        let r = self.range_functions(f);
        self.level().lateral_active = old_lateral;
        let (mut functions, first_name) = r?;
        let lateral = f.lateral
            || functions.iter().any(|x| {
                crate::walk::contains(&x.expr, &mut |e, d| matches!(e, Expr::Var(v) if v.levels_up == d))
            });
        let name = f.alias.as_ref().map_or(first_name, |a| a.aliasname.clone());
        // A single scalar function names its column after the alias.
        if let (Some(a), [one]) = (&f.alias, functions.as_mut_slice())
            && one.col_names.len() == 1
            && !one.has_coldef
            && one.col_types[0] == expr_type(&one.expr)
            && !self.ctx.is_complex(one.col_types[0])?
            && one.col_names[0] == function_column_name(&f.functions[0].func)
        {
            one.col_names[0] = a.aliasname.clone();
        }
        self.add_functions(functions, f.ordinality, lateral, f.alias.as_ref(), &name, f.location)
    }

    fn range_functions(&mut self, f: &parser::RangeFunction) -> Result<(Vec<RangeFunction>, String)> {
        let mut out = Vec::new();
        let mut first_name = None;
        for item in &f.functions {
            let coldef = if item.coldeflist.is_empty() { &f.coldeflist } else { &item.coldeflist };
            for call in spread_unnest(&item.func, f.is_rowsfrom || f.functions.len() == 1) {
                let name = function_column_name(&call).to_string();
                let e = self.transform_expr_kind(&call, ExprKind::FromFunction)?;
                first_name.get_or_insert_with(|| name.clone());
                out.push(self.describe_function(e, &name, coldef, call.location())?);
            }
        }
        Ok((out, first_name.unwrap_or_default()))
    }

    /// The columns a function in FROM yields.
    fn describe_function(
        &mut self,
        e: Expr,
        name: &str,
        coldef: &[parser::FuncColumnDef],
        loc: usize,
    ) -> Result<RangeFunction> {
        let mut e = e;
        crate::collation::assign(self.ctx, &mut e)?;
        let t = expr_type(&e);
        let mut cols: Vec<ColInfo> = Vec::new();
        let out_params = match &e {
            Expr::Func(f) => self.out_params(f)?,
            _ => Vec::new(),
        };
        if !coldef.is_empty() {
            if t != oids::RECORD {
                return Err(err!(
                    SYNTAX_ERROR,
                    "a column definition list is only allowed for functions returning \"record\""
                )
                .at(coldef[0].location));
            }
            if !out_params.is_empty() {
                return Err(err!(
                    SYNTAX_ERROR,
                    "a column definition list is redundant for a function with OUT parameters"
                )
                .at(loc));
            }
            for c in coldef {
                let (type_oid, typmod) = crate::typename::resolve_type_name(self.ctx, &c.type_name)?;
                let collation = match &c.coll_clause {
                    Some(x) => crate::collation::lookup_collation(self.ctx, &x.collname, Some(x.location))?,
                    None => self.ctx.type_collation(type_oid)?,
                };
                cols.push(ColInfo { name: c.colname.as_str().into(), type_oid, typmod, collation });
            }
        } else if !out_params.is_empty() {
            cols = out_params;
        } else if t == oids::RECORD {
            return Err(err!(
                SYNTAX_ERROR,
                "a column definition list is required for functions returning \"record\""
            )
            .at(loc));
        } else if self.ctx.is_complex(t)? {
            let (base, _) = self.ctx.base_type(t, -1)?;
            for a in &self.ctx.catalog.composite_desc(base)?.attrs {
                cols.push(ColInfo {
                    name: if a.dropped { "" } else { &a.name }.into(),
                    type_oid: if a.dropped { Oid::INVALID } else { a.type_oid },
                    typmod: a.typmod,
                    collation: a.collation,
                });
            }
        } else {
            cols.push(crate::rte::col_of(name, &e));
        }
        Ok(RangeFunction {
            expr: e,
            col_names: cols.iter().map(|c| c.name.to_string()).collect(),
            col_types: cols.iter().map(|c| c.type_oid).collect(),
            col_typmods: cols.iter().map(|c| c.typmod).collect(),
            col_collations: cols.iter().map(|c| c.collation).collect(),
            has_coldef: !coldef.is_empty(),
        })
    }

    /// Result columns declared by OUT parameters (more than one, or of a function returning record).
    pub(crate) fn out_params(&self, f: &FuncExpr) -> Result<Vec<ColInfo>> {
        let p = self.ctx.catalog.proc_desc(f.funcid)?;
        let mut out = Vec::new();
        for (i, m) in p.arg_modes.iter().enumerate() {
            if !matches!(m, b'o' | b'b' | b't') {
                continue;
            }
            let t = p.all_arg_types.get(i).copied().unwrap_or(Oid::INVALID);
            let t = if crate::coerce::is_polymorphic(t) {
                let actual: Vec<Oid> = f.args.iter().map(expr_type).collect();
                crate::polymorphic::enforce(self.ctx, &actual, &mut p.arg_types.clone(), t)?
            } else {
                t
            };
            let name = p.arg_names.get(i).filter(|n| !n.is_empty());
            out.push(ColInfo {
                name: name.map_or_else(|| format!("column{}", out.len() + 1).into(), |n| n.as_str().into()),
                type_oid: t,
                typmod: -1,
                collation: self.ctx.type_collation(t)?,
            });
        }
        if out.len() == 1 && p.ret_type != oids::RECORD {
            // A single OUT parameter is a scalar result under the parameter's name.
            let named = p
                .arg_names
                .iter()
                .zip(&p.arg_modes)
                .any(|(n, m)| matches!(m, b'o' | b'b' | b't') && !n.is_empty());
            return Ok(if named { out } else { Vec::new() });
        }
        Ok(out)
    }

    fn transform_join(&mut self, j: &parser::JoinExpr) -> Result<(JoinTree, NsItem, Vec<NsItem>)> {
        let (ltree, l_item, l_ns) = self.transform_table(&j.larg)?;
        // The right side may refer to the left one laterally, unless the join type forbids it.
        let lateral_ok = matches!(j.jointype, parser::JoinType::Inner | parser::JoinType::Left);
        let mut seen = l_ns.clone();
        set_lateral(&mut seen, true, lateral_ok);
        let keep = self.level().namespace.len();
        self.level().namespace.extend(seen);
        let right = self.transform_table(&j.rarg);
        self.level().namespace.truncate(keep);
        let (rtree, r_item, r_ns) = right?;
        for a in l_ns.iter().filter(|i| i.rel_visible) {
            for b in r_ns.iter().filter(|i| i.rel_visible) {
                conflict(&self.level().rtable, a, b)?;
            }
        }
        let mut ns: Vec<NsItem> = l_ns.into_iter().chain(r_ns).collect();

        let kind = match j.jointype {
            parser::JoinType::Inner => JoinType::Inner,
            parser::JoinType::Left => JoinType::Left,
            parser::JoinType::Full => JoinType::Full,
            parser::JoinType::Right => JoinType::Right,
        };
        let using: Vec<String> = if j.is_natural {
            let both = l_item.names.iter().filter(|l| !l.is_empty() && r_item.names.contains(l));
            both.map(|l| l.to_string()).collect()
        } else {
            j.using_clause.clone()
        };
        let rtindex = self.level().rtable.len() as u32 + 1;
        let mut merged: Vec<(NsCol, Expr)> = Vec::new();
        let mut l_used = Vec::new();
        let mut r_used = Vec::new();
        let mut quals = None;
        if !using.is_empty() {
            let mut parts = Vec::new();
            for (n, name) in using.iter().enumerate() {
                if using[..n].contains(name) {
                    return Err(err!(
                        DUPLICATE_COLUMN,
                        "column name \"{name}\" appears more than once in USING clause"
                    ));
                }
                let li = using_column(&l_item, name, "left")?;
                let ri = using_column(&r_item, name, "right")?;
                l_used.push(li);
                r_used.push(ri);
                let depth = self.levels.len() - 1;
                let lv = self.var_for_col(depth, l_item.col(li), None);
                let rv = self.var_for_col(depth, r_item.col(ri), None);
                let op = self.make_op(&["=".to_string()], Some(lv.clone()), rv.clone(), None)?;
                parts.push(self.coerce_to_boolean(op, "JOIN/USING")?);
                let e = self.merged_var(kind, lv.clone(), rv.clone())?;
                let col = if e == lv {
                    l_item.col(li)
                } else if e == rv {
                    r_item.col(ri)
                } else {
                    NsCol {
                        varno: rtindex,
                        attno: n as i16 + 1,
                        type_oid: expr_type(&e),
                        typmod: expr_typmod(&e),
                        collation: self.ctx.type_collation(expr_type(&e))?,
                        syn: (rtindex, n as i16 + 1),
                    }
                };
                merged.push((col, e));
            }
            quals = Some(if parts.len() == 1 {
                parts.remove(0)
            } else {
                Expr::Bool { op: BoolOp::And, args: parts, location: None }
            });
        } else if let Some(q) = &j.quals {
            let keep = self.level().namespace.len();
            let mut visible = ns.clone();
            set_lateral(&mut visible, false, true);
            // Names in ON see only the joined tables; outer items of the same FROM are not visible.
            let outer = std::mem::replace(&mut self.level().namespace, visible);
            let e = self
                .transform_expr_kind(q, ExprKind::JoinOn)
                .and_then(|e| self.coerce_to_boolean(e, "JOIN/ON"));
            self.level().namespace = outer;
            self.level().namespace.truncate(keep);
            quals = Some(e?);
        }

        let merged_cols = merged.len();
        let most = merged_cols + l_item.names.len() + r_item.names.len();
        let mut cols: Vec<NsCol> = Vec::with_capacity(most);
        let mut names: Vec<Rc<str>> = Vec::with_capacity(most);
        let mut alias_vars: Vec<Expr> = Vec::with_capacity(most);
        names.extend(using.iter().map(|n| Rc::from(n.as_str())));
        for (c, e) in merged {
            cols.push(c);
            alias_vars.push(e);
        }
        for (item, used) in [(&l_item, &l_used), (&r_item, &r_used)] {
            for (i, name) in item.names.iter().enumerate() {
                if !name.is_empty() && !used.contains(&i) {
                    let c = item.col(i);
                    alias_vars.push(plain_var(c));
                    names.push(name.clone());
                    cols.push(c);
                }
            }
        }
        let col_types = Rc::new(alias_vars.iter().map(expr_type).collect());
        let col_typmods = Rc::new(alias_vars.iter().map(expr_typmod).collect());
        let mut rte = new_rte(
            RteKind::Join {
                kind,
                alias_vars,
                merged_cols,
                using_alias: j.join_using_alias.as_ref().map(|a| a.aliasname.clone()),
            },
            j.alias.as_ref(),
            "unnamed_join",
        );
        if let Some(a) = &j.alias {
            if a.colnames.len() > cols.len() {
                return Err(err!(
                    SYNTAX_ERROR,
                    "column alias list for \"{}\" has too many entries",
                    a.aliasname
                ));
            }
            for (i, c) in cols.iter_mut().enumerate() {
                if let Some(n) = a.colnames.get(i) {
                    names[i] = n.as_str().into();
                }
                c.syn = (rtindex, i as i16 + 1);
            }
        }
        let names = Rc::new(names);
        rte.eref_cols = names.clone();
        rte.col_types = col_types;
        rte.col_typmods = col_typmods;
        rte.col_collations = Rc::new(cols.iter().map(|c| c.collation).collect());
        let name = rte.eref_name.clone();
        self.level().rtable.push(rte);
        let item = NsItem {
            what: Rc::new(NsNames { rti: rtindex, name, names, cols: NsCols::List(cols.into()) }),
            rel_visible: j.alias.is_some(),
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
        };
        if j.alias.is_some() {
            ns.clear();
        } else {
            ns.iter_mut().for_each(|n| n.cols_visible = false);
            ns.retain(|n| n.rel_visible);
        }
        if let Some(a) = &j.join_using_alias {
            let mut u = item.clone();
            let what = Rc::make_mut(&mut u.what);
            what.name = a.aliasname.as_str().into();
            // The other columns stay, out of reach without their names.
            Rc::make_mut(&mut what.names).truncate(merged_cols);
            u.rel_visible = true;
            u.cols_visible = false;
            if ns.iter().any(|n| n.rel_visible && n.name == u.name) {
                return Err(err!(DUPLICATE_ALIAS, "table name \"{}\" specified more than once", u.name));
            }
            ns.push(u);
        }
        ns.push(item.clone());
        let tree = JoinTree::Join(Box::new(JoinExpr {
            kind,
            natural: j.is_natural,
            left: ltree,
            right: rtree,
            using,
            quals,
            rtindex,
        }));
        Ok((tree, item, ns))
    }

    /// The merged column of USING: COALESCE of both sides for a full join, else the side that is always there.
    fn merged_var(&mut self, kind: JoinType, l: Expr, r: Expr) -> Result<Expr> {
        let t = self.common_type(&[&l, &r], "JOIN/USING")?;
        let m = crate::coerce::common_typmod(&[&l, &r], t);
        let mut sides = Vec::new();
        for e in [l, r] {
            let e = if expr_type(&e) != t {
                self.coerce_type(e, t, m, Context::Implicit, CoercionForm::ImplicitCast, None)?
            } else if expr_typmod(&e) != m {
                let c = crate::info::expr_collation(&e);
                crate::coerce::apply_relabel(e, t, m, c, CoercionForm::ImplicitCast, None)
            } else {
                e
            };
            sides.push(e);
        }
        let r = sides.pop().unwrap_or_else(|| crate::coerce::make_const(t, types::Datum::Null));
        let l = sides.pop().unwrap_or_else(|| crate::coerce::make_const(t, types::Datum::Null));
        let mut e = match kind {
            JoinType::Inner if matches!(l, Expr::Var(_)) => l,
            JoinType::Inner if matches!(r, Expr::Var(_)) => r,
            JoinType::Right => r,
            JoinType::Full => {
                Expr::Coalesce { result_type: t, collation: Oid::INVALID, args: vec![l, r], location: None }
            }
            _ => l,
        };
        crate::collation::assign(self.ctx, &mut e)?;
        Ok(e)
    }
}

fn plain_var(c: NsCol) -> Expr {
    Expr::Var(Var {
        varno: VarNo::Rte(c.varno),
        attno: c.attno,
        vartype: c.type_oid,
        typmod: c.typmod,
        collation: c.collation,
        levels_up: 0,
        syn: c.syn,
        location: None,
    })
}

fn using_column(item: &NsItem, name: &str, side: &str) -> Result<usize> {
    let mut hits = item.names.iter().enumerate().filter(|(_, n)| ***n == *name);
    match (hits.next(), hits.next()) {
        (Some((i, _)), None) => Ok(i),
        (Some(_), Some(_)) => Err(err!(
            AMBIGUOUS_COLUMN,
            "common column name \"{name}\" appears more than once in {side} table"
        )),
        (None, _) => Err(err!(
            UNDEFINED_COLUMN,
            "column \"{name}\" specified in USING clause does not exist in {side} table"
        )),
    }
}

fn set_lateral(items: &mut [NsItem], only: bool, ok: bool) {
    for i in items {
        i.lateral_only = only;
        i.lateral_ok = ok;
    }
}

fn conflict(rtable: &[RangeTblEntry], a: &NsItem, b: &NsItem) -> Result<()> {
    if a.name != b.name {
        return Ok(());
    }
    let (x, y) = (&rtable[a.rti as usize - 1], &rtable[b.rti as usize - 1]);
    // The same name from different schemas is no conflict as long as neither has an alias.
    if let (RteKind::Relation { relid: p, .. }, RteKind::Relation { relid: q, .. }) = (&x.kind, &y.kind)
        && p != q
        && x.alias.is_none()
        && y.alias.is_none()
    {
        return Ok(());
    }
    Err(err!(DUPLICATE_ALIAS, "table name \"{}\" specified more than once", a.name))
}

fn function_column_name(e: &Raw) -> &str {
    crate::target::figure_name(e)
}

/// `unnest(a, b)` in FROM stands for ROWS FROM (unnest(a), unnest(b)).
fn spread_unnest(e: &Raw, allowed: bool) -> Vec<Raw> {
    if let Raw::FuncCall(f) = e
        && allowed
        && f.args.len() > 1
        && (f.funcname == ["unnest"] || f.funcname == ["pg_catalog", "unnest"])
        && f.agg_order.is_empty()
        && f.agg_filter.is_none()
        && f.over.is_none()
        && !f.func_variadic
        && !f.agg_distinct
    {
        return f
            .args
            .iter()
            .map(|a| {
                let mut g = (**f).clone();
                g.args = vec![a.clone()];
                Raw::FuncCall(Box::new(g))
            })
            .collect();
    }
    vec![e.clone()]
}
