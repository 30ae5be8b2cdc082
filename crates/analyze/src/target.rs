//! Target lists: output names, `*`, where columns come from.

use crate::expr::*;
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::{Analyzer, NsItem};
use common::{Oid, Result, err};
use parser::{Expr as Raw, Field, Indirection, ResTarget};
use std::rc::Rc;

impl Analyzer<'_> {
    /// A SELECT or RETURNING list.
    pub fn transform_target_list(&mut self, raw: &[ResTarget], kind: ExprKind) -> Result<Vec<TargetEntry>> {
        let mut out: Vec<TargetEntry> = Vec::with_capacity(raw.len());
        for r in raw {
            let Some(val) = &r.val else { continue };
            if matches!(val, Raw::ColumnRef(_) | Raw::AIndirection(_))
                && let Some(list) = self.with_kind(kind, |a| a.expand_star_in_list(val))?
            {
                for (name, e) in list {
                    push_entry(&mut out, e, Some(name));
                }
                continue;
            }
            let e = self.transform_expr_kind(val, kind)?;
            let name = Rc::from(r.name.as_deref().unwrap_or_else(|| figure_name(val)));
            push_entry(&mut out, e, Some(name));
        }
        if out.len() > 1664 {
            return Err(err!(TOO_MANY_COLUMNS, "target lists can have at most 1664 entries"));
        }
        let depth = self.levels.len() - 1;
        for t in &mut out {
            t.orig = self.origin(depth, &t.expr);
        }
        Ok(out)
    }

    /// The columns `*`, `t.*` or `(row).*` stands for; `None` for other expressions.
    pub fn expand_star_in_list(&mut self, e: &Raw) -> Result<Option<Vec<(Rc<str>, Expr)>>> {
        match e {
            Raw::ColumnRef(c) if matches!(c.fields.last(), Some(Field::Star)) => {
                let loc = c.location;
                let names: Vec<&str> = c
                    .fields
                    .iter()
                    .filter_map(|f| match f {
                        Field::Name(n) => Some(n.as_str()),
                        Field::Star => None,
                    })
                    .collect();
                let (schema, rel) = match names.as_slice() {
                    [] => return self.expand_all(loc).map(Some),
                    [r] => (None, *r),
                    [s, r] => (Some(*s), *r),
                    [d, s, r] if *d == self.ctx.database => (Some(*s), *r),
                    [_, _, _] => {
                        return Err(err!(
                            FEATURE_NOT_SUPPORTED,
                            "cross-database references are not implemented: {}.*",
                            names.join(".")
                        )
                        .at(loc));
                    }
                    _ => {
                        return Err(err!(
                            SYNTAX_ERROR,
                            "improper qualified name (too many dotted names): {}.*",
                            names.join(".")
                        )
                        .at(loc));
                    }
                };
                let Some((depth, item)) = self.find_item(schema, rel, loc)? else {
                    let names: Vec<String> = names.iter().map(|n| (*n).to_string()).collect();
                    if let Some(row) = self.function_parameter(&names, loc)? {
                        return self.expand_row(row).map(Some);
                    }
                    return Err(self.missing_rte(schema, rel, loc)?);
                };
                Ok(Some(self.expand_item(depth, &item, loc)))
            }
            Raw::AIndirection(i) if matches!(i.indirection.last(), Some(Indirection::Star)) => {
                let mut inner = (**i).clone();
                inner.indirection.pop();
                let row = if inner.indirection.is_empty() {
                    self.transform_expr(&inner.arg)?
                } else {
                    self.transform_expr(&Raw::AIndirection(Box::new(inner)))?
                };
                self.expand_row(row).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn expand_all(&mut self, loc: usize) -> Result<Vec<(Rc<str>, Expr)>> {
        let depth = self.levels.len() - 1;
        let items: Vec<NsItem> = self.level().namespace.iter().filter(|i| i.cols_visible).cloned().collect();
        if items.is_empty() {
            return Err(err!(SYNTAX_ERROR, "SELECT * with no tables specified is not valid").at(loc));
        }
        Ok(items.iter().flat_map(|i| self.expand_item(depth, i, loc)).collect())
    }

    /// All columns of an item as variables.
    pub fn expand_item(&mut self, depth: usize, item: &NsItem, loc: usize) -> Vec<(Rc<str>, Expr)> {
        // Reading the star needs SELECT even where there is no column.
        if let RteKind::Relation { .. } = self.levels[depth].rtable[item.rti as usize - 1].kind {
            self.levels[depth].rtable[item.rti as usize - 1].required_perms |= crate::scope::acl::SELECT;
        }
        item.live().map(|(n, c)| (n.clone(), self.var_for_col(depth, c, Some(loc)))).collect()
    }

    fn expand_row(&mut self, row: Expr) -> Result<Vec<(Rc<str>, Expr)>> {
        if let Expr::Var(Var { varno: VarNo::Rte(n), attno: 0, levels_up, .. }) = &row {
            let depth = self.levels.len() - 1 - *levels_up as usize;
            if let Some(item) = self.levels[depth].namespace.iter().find(|i| i.rti == *n).cloned() {
                return Ok(self.expand_item(depth, &item, crate::info::expr_location(&row).unwrap_or(0)));
            }
        }
        let Some(cols) = self.row_columns(&row)? else {
            let t = crate::info::expr_type(&row);
            if t == types::oids::RECORD {
                return Err(err!(SYNTAX_ERROR, "record type has not been registered"));
            }
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "type {} is not composite",
                crate::typename::format_type_short(self.ctx, t)
            ));
        };
        let live = cols.iter().enumerate().filter(|(_, c)| !c.name.is_empty());
        Ok(live.map(|(i, c)| (c.name.clone(), crate::record::field_select(row.clone(), i, c))).collect())
    }

    /// The table column a variable copies.
    pub fn origin(&self, depth: usize, e: &Expr) -> (Oid, i16) {
        let Expr::Var(Var { varno: VarNo::Rte(n), attno, levels_up, .. }) = e else {
            return (Oid::INVALID, 0);
        };
        let Some(depth) = depth.checked_sub(*levels_up as usize) else { return (Oid::INVALID, 0) };
        let rte = &self.levels[depth].rtable[*n as usize - 1];
        match &rte.kind {
            RteKind::Relation { relid, .. } => (*relid, *attno),
            RteKind::Subquery { query, .. } if *attno > 0 => query
                .target_list
                .iter()
                .filter(|t| !t.junk)
                .nth(*attno as usize - 1)
                .map_or((Oid::INVALID, 0), |t| t.orig),
            RteKind::Join { alias_vars, .. } if *attno > 0 => {
                alias_vars.get(*attno as usize - 1).map_or((Oid::INVALID, 0), |a| self.origin(depth, a))
            }
            RteKind::Cte { name, levels_up, recursive: false } if *attno > 0 => {
                let Some(d) = depth.checked_sub(*levels_up as usize) else { return (Oid::INVALID, 0) };
                self.levels[d]
                    .ctes
                    .iter()
                    .find(|c| c.name == *name)
                    .and_then(|c| {
                        let list = match c.query.command {
                            CmdType::Select => &c.query.target_list,
                            _ => &c.query.returning,
                        };
                        list.iter().filter(|t| !t.junk).nth(*attno as usize - 1)
                    })
                    .map_or((Oid::INVALID, 0), |t| t.orig)
            }
            _ => (Oid::INVALID, 0),
        }
    }

    /// Literals of unknown type in an output list become text.
    pub fn resolve_unknown_list(&mut self, list: &mut [TargetEntry]) -> Result<()> {
        for t in list {
            self.resolve_unknown_entry(t)?;
        }
        Ok(())
    }
}

/// Appends an entry.
pub fn push_entry(out: &mut Vec<TargetEntry>, expr: Expr, name: Option<Rc<str>>) {
    let resno = out.len() as i16 + 1;
    out.push(TargetEntry { expr, resno, name, sort_group_ref: 0, orig: (Oid::INVALID, 0), junk: false });
}

/// The name PostgreSQL gives an unnamed output column.
pub fn figure_name(e: &Raw) -> &str {
    let mut name = None;
    figure(e, &mut name);
    name.unwrap_or("?column?")
}

/// The name for an index column over an expression, `None` if there is nothing better than `expr`.
pub fn figure_index_name(e: &Raw) -> Option<String> {
    let mut name = None;
    figure(e, &mut name);
    name.map(str::to_string)
}

/// Sets `name`; returns how good it is: 0 none, 1 weak (type of a cast, CASE), 2 strong.
fn figure<'a>(e: &'a Raw, name: &mut Option<&'a str>) -> u8 {
    let mut set = |n: &'a str, strength: u8| {
        *name = Some(n);
        strength
    };
    match e {
        Raw::ColumnRef(c) => {
            match c.fields.iter().rev().find_map(|f| match f {
                Field::Name(n) => Some(n.as_str()),
                Field::Star => None,
            }) {
                Some(n) => set(n, 2),
                None => 0,
            }
        }
        Raw::AIndirection(i) => {
            let last = i.indirection.iter().rev().find_map(|x| match x {
                Indirection::Field(f) => Some(f.as_str()),
                _ => None,
            });
            match last {
                Some(n) => set(n, 2),
                None => figure(&i.arg, name),
            }
        }
        Raw::FuncCall(f) => match f.funcname.last() {
            Some(n) => set(n, 2),
            None => 0,
        },
        Raw::AExpr(a) if a.kind == parser::AExprKind::NullIf => set("nullif", 2),
        Raw::TypeCast(t) => {
            let s = figure(&t.arg, name);
            if s <= 1
                && let Some(n) = t.type_name.names.last()
            {
                *name = Some(n);
                return 1;
            }
            s
        }
        Raw::CollateClause(c) => c.arg.as_ref().map_or(0, |a| figure(a, name)),
        Raw::GroupingFunc(_) => set("grouping", 2),
        Raw::SubLink(s) => match s.sub_link_type {
            parser::SubLinkType::Exists => set("exists", 2),
            parser::SubLinkType::Array => set("array", 2),
            parser::SubLinkType::Expr => set(first_column_name(&s.subselect), 2),
            _ => 0,
        },
        Raw::CaseExpr(c) => {
            let s = c.defresult.as_ref().map_or(0, |d| figure(d, name));
            if s <= 1 {
                *name = Some("case");
                return 1;
            }
            s
        }
        Raw::AArrayExpr(_) => set("array", 2),
        Raw::RowExpr(_) => set("row", 2),
        Raw::CoalesceExpr(_) => set("coalesce", 2),
        Raw::MinMaxExpr(m) => set(if m.op == parser::MinMaxOp::Greatest { "greatest" } else { "least" }, 2),
        Raw::SQLValueFunction(s) => {
            use parser::SQLValueFunctionOp as R;
            set(
                match s.op {
                    R::CurrentDate => "current_date",
                    R::CurrentTime => "current_time",
                    R::CurrentTimestamp => "current_timestamp",
                    R::LocalTime => "localtime",
                    R::LocalTimestamp => "localtimestamp",
                    R::CurrentRole => "current_role",
                    R::CurrentUser => "current_user",
                    R::User => "user",
                    R::SessionUser => "session_user",
                    R::CurrentCatalog => "current_catalog",
                    R::CurrentSchema => "current_schema",
                },
                2,
            )
        }
        Raw::XmlSerialize(_) => set("xmlserialize", 2),
        _ => 0,
    }
}

fn first_column_name(s: &parser::SelectStmt) -> &str {
    let mut s = s;
    while let Some(l) = &s.larg {
        s = l;
    }
    if !s.values_lists.is_empty() {
        return "column1";
    }
    match s.target_list.first() {
        Some(t) => t.name.as_deref().unwrap_or_else(|| t.val.as_ref().map_or("?column?", figure_name)),
        None => "?column?",
    }
}
