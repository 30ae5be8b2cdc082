//! Queries as SQL, laid out as `pg_get_viewdef` does: one column, table or clause a line.

use super::{Deparser, Scope};
use crate::clause::frame;
use crate::expr::*;
use crate::info::expr_type;
use crate::names::quote_ident;
use crate::query::*;
use common::{Error, Result};

const STD: i32 = 8;
const VAR: i32 = 4;
const JOIN: i32 = 4;

impl Deparser<'_> {
    /// A query one level down, in the place where the text stands now.
    pub(super) fn subquery(&mut self, q: &Query) -> Result<()> {
        let level = self.level;
        let r = self.query(q, None);
        self.level = level;
        r
    }

    /// Writes a query; `names` replaces its output names (columns of a WITH item).
    pub(super) fn query(&mut self, q: &Query, names: Option<&[String]>) -> Result<()> {
        let scope = self.make_scope(q);
        self.scopes.push(scope);
        let level = self.level;
        let r = match q.command {
            CmdType::Select => self.query_body(q, names),
            _ => self.modification(q),
        };
        self.level = level;
        self.scopes.pop();
        r
    }

    fn query_body(&mut self, q: &Query, names: Option<&[String]>) -> Result<()> {
        self.with_clause(q)?;
        match &q.set_operations {
            Some(t) => self.setop(t, q, names)?,
            None => self.basic_select(q, names)?,
        }
        if !q.sort.is_empty() {
            self.keyword(" ORDER BY ", -STD, STD, 1);
            self.order_by(&q.sort, &q.target_list, q.set_operations.is_some())?;
        }
        if let Some(o) = &q.limit_offset {
            self.keyword(" OFFSET ", -STD, STD, 0);
            self.expr(o, false)?;
        }
        if let Some(l) = &q.limit_count {
            if q.limit_option == LimitOption::WithTies {
                self.keyword(" FETCH FIRST (", -STD, STD, 0);
                self.expr(l, false)?;
                self.put(") ROWS WITH TIES");
            } else {
                self.keyword(" LIMIT ", -STD, STD, 0);
                match l {
                    Expr::Const(c) if c.value.is_null() => self.put("ALL"),
                    l => self.expr(l, false)?,
                }
            }
        }
        for m in q.row_marks.iter().filter(|m| !m.pushed_down) {
            self.keyword(&format!(" {}", m.strength.clause()), -STD, STD, 0);
            let of = self.rel_name(m.rti);
            self.put(&format!(" OF {}", quote_ident(&of)));
            self.put(match m.wait {
                LockWaitPolicy::Block => "",
                LockWaitPolicy::Skip => " SKIP LOCKED",
                LockWaitPolicy::Error => " NOWAIT",
            });
        }
        Ok(())
    }

    fn rel_name(&self, rti: u32) -> String {
        self.scopes.last().and_then(|s| s.names.get(rti as usize - 1)).cloned().unwrap_or_default()
    }

    /// Names for the entries of a query, different from each other and from those of the levels around.
    fn make_scope(&self, q: &Query) -> Scope {
        let mut s = Scope {
            windows: q.windows.clone(),
            targets: q.target_list.clone(),
            rtable: q.rtable.clone(),
            ..Scope::default()
        };
        for r in &q.rtable {
            let unnamed = matches!(r.kind, RteKind::Join { .. }) && r.alias.is_none();
            let shown = !unnamed && (r.in_from || q.set_operations.is_none());
            let mut name = r.eref_name.clone();
            if shown && !name.is_empty() {
                let taken = |n: &str| {
                    self.scopes
                        .iter()
                        .any(|o| o.names.iter().zip(&o.is_unnamed_join).any(|(x, u)| !u && x == n))
                        || s.names.iter().zip(&s.is_unnamed_join).any(|(x, u)| !u && x == n)
                };
                let base = name.clone();
                let mut i = 0;
                while taken(&name) {
                    i += 1;
                    name = format!("{base}_{i}").into();
                }
            }
            s.names.push(name.to_string());
            s.cols.push(r.eref_cols.iter().map(|c| c.to_string()).collect());
            s.is_unnamed_join.push(!shown);
            s.join_vars.push(match &r.kind {
                RteKind::Join { alias_vars, .. } if unnamed => Some(alias_vars.clone()),
                _ => None,
            });
        }
        s
    }

    /// A variable of a query under deparsing.
    pub(super) fn scope_var(&mut self, v: &Var) -> Result<String> {
        let depth = self.scopes.len().checked_sub(1 + v.levels_up as usize);
        let (Some(depth), VarNo::Rte(n)) = (depth, v.varno) else {
            return Err(Error::internal("bogus varlevelsup in expression"));
        };
        // A column of an aliased join is named by the join.
        let (n, attno) = if v.syn.0 != 0 { v.syn } else { (n, v.attno) };
        let s = &self.scopes[depth];
        let i = n as usize - 1;
        let col = match attno {
            0 => {
                return Ok(format!("{}.*", quote_ident(&s.names[i])));
            }
            a if a < 0 => crate::scope::SYSTEM_COLUMNS
                .iter()
                .find(|c| c.1 == a)
                .map_or_else(String::new, |c| c.0.to_string()),
            a => s.cols[i].get(a as usize - 1).cloned().unwrap_or_default(),
        };
        if s.join_vars[i].is_some() {
            return Ok(quote_ident(&col));
        }
        Ok(format!("{}.{}", quote_ident(&s.names[i]), quote_ident(&col)))
    }

    fn search_and_cycle(&mut self, c: &CommonTableExpr) -> Result<()> {
        let names = |l: &[String]| l.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", ");
        if let Some(s) = &c.search {
            let order = if s.breadth_first { "BREADTH" } else { "DEPTH" };
            self.put(&format!(" SEARCH {order} FIRST BY {} SET {}", names(&s.cols), quote_ident(&s.seq)));
        }
        if let Some(y) = &c.cycle {
            self.put(&format!(" CYCLE {} SET {}", names(&y.cols), quote_ident(&y.mark)));
            let is = |e: &Expr, b: bool| matches!(e, Expr::Const(c) if c.consttype == types::oids::BOOL && c.value == types::Datum::Bool(b));
            if !is(&y.value, true) || !is(&y.default, false) {
                self.put(" TO ");
                self.expr(&y.value, false)?;
                self.put(" DEFAULT ");
                self.expr(&y.default, false)?;
            }
            self.put(&format!(" USING {}", quote_ident(&y.path)));
        }
        Ok(())
    }

    pub(super) fn with_clause(&mut self, q: &Query) -> Result<()> {
        if q.ctes.is_empty() {
            return Ok(());
        }
        if self.indent {
            self.level += STD;
            self.put(" ");
        }
        self.put(if q.has_recursive { "WITH RECURSIVE " } else { "WITH " });
        for (i, c) in q.ctes.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.put(&quote_ident(&c.name));
            let own: Vec<_> = crate::output_columns(&c.query).into_iter().map(|o| o.name).collect();
            // The columns of SEARCH and CYCLE are named by those.
            let named = &c.col_names[..own.len().min(c.col_names.len())];
            if own != named {
                let cols: Vec<String> = named.iter().map(|n| quote_ident(n)).collect();
                self.put(&format!("({})", cols.join(", ")));
            }
            self.put(match c.materialized {
                CteMaterialize::Default => " AS (",
                CteMaterialize::Always => " AS MATERIALIZED (",
                CteMaterialize::Never => " AS NOT MATERIALIZED (",
            });
            if self.indent {
                self.keyword("", 0, 0, 0);
            }
            let old = std::mem::replace(&mut self.names_visible, true);
            let r = self.subquery(&c.query);
            self.names_visible = old;
            r?;
            if self.indent {
                self.keyword("", 0, 0, 0);
            }
            self.put(")");
            self.search_and_cycle(c)?;
        }
        if self.indent {
            self.level -= STD;
            self.keyword("", 0, 0, 0);
        } else {
            self.put(" ");
        }
        Ok(())
    }

    fn setop(&mut self, t: &SetOpTree, q: &Query, names: Option<&[String]>) -> Result<()> {
        match t {
            SetOpTree::Leaf(n) => {
                let RteKind::Subquery { query, .. } = &q.rte(*n).kind else {
                    return Err(Error::internal("set operation leaf is no sub-query"));
                };
                let paren = !query.ctes.is_empty()
                    || !query.sort.is_empty()
                    || !query.row_marks.is_empty()
                    || query.limit_offset.is_some()
                    || query.limit_count.is_some()
                    || query.set_operations.is_some();
                if paren {
                    self.put("(");
                }
                self.query(query, names)?;
                if paren {
                    self.put(")");
                }
                Ok(())
            }
            SetOpTree::Node(node) => self.setop_node(node, q, names),
        }
    }

    fn setop_node(&mut self, node: &SetOperation, q: &Query, names: Option<&[String]>) -> Result<()> {
        let side = |d: &mut Self, t: &SetOpTree, left: bool| -> Result<()> {
            let paren = match t {
                SetOpTree::Leaf(_) => false,
                SetOpTree::Node(c) if left => !(c.op == node.op && c.all == node.all),
                SetOpTree::Node(_) => true,
            };
            let level = d.level;
            if paren {
                d.put("(");
                d.level += STD;
                d.keyword("", 0, 0, 0);
            }
            // Only the left arm's names are the result's.
            let visible = d.names_visible && left;
            let old = std::mem::replace(&mut d.names_visible, visible);
            let r = d.setop(t, q, names);
            d.names_visible = old;
            r?;
            if paren {
                d.level = level;
                d.keyword("", 0, 0, 0);
                d.put(")");
            }
            Ok(())
        };
        side(self, &node.left, true)?;
        let paren_left = matches!(&node.left, SetOpTree::Node(c) if !(c.op == node.op && c.all == node.all));
        if paren_left || !self.indent {
            self.put(" ");
        } else {
            self.keyword("", 0, 0, 0);
        }
        self.put(match node.op {
            SetOp::Union => "UNION ",
            SetOp::Intersect => "INTERSECT ",
            SetOp::Except => "EXCEPT ",
        });
        if node.all {
            self.put("ALL ");
        }
        if self.indent && matches!(node.right, SetOpTree::Leaf(_)) {
            self.keyword("", 0, 0, 0);
        }
        side(self, &node.right, false)
    }

    fn basic_select(&mut self, q: &Query, names: Option<&[String]>) -> Result<()> {
        if std::mem::take(&mut self.is_return) {
            self.put("RETURN");
            return self.target_list(q, names);
        }
        if self.indent {
            self.level += STD;
            self.put(" ");
        }
        if let Some(lists) = plain_values(q) {
            self.put("VALUES ");
            return self.values(lists);
        }
        self.put("SELECT");
        if !q.distinct.is_empty() {
            if q.has_distinct_on {
                self.put(" DISTINCT ON (");
                for (i, d) in q.distinct.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.sort_item(d.tle_ref, &q.target_list, false)?;
                }
                self.put(")");
            } else {
                self.put(" DISTINCT");
            }
        }
        self.target_list(q, names)?;
        self.put_from(&q.jointree, " FROM ")?;
        if let Some(w) = &q.jointree.quals {
            self.keyword(" WHERE ", -STD, STD, 1);
            self.expr(w, false)?;
        }
        if !q.group_clause.is_empty() || !q.grouping_sets.is_empty() {
            self.keyword(" GROUP BY ", -STD, STD, 1);
            if q.group_distinct {
                self.put("DISTINCT ");
            }
            for (i, s) in q.grouping_sets.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.grouping_set(s, &q.target_list, true)?;
            }
            let plain: &[SortGroupClause] = if q.grouping_sets.is_empty() { &q.group_clause } else { &[] };
            for (i, g) in plain.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.sort_item(g.tle_ref, &q.target_list, false)?;
            }
        }
        if let Some(h) = &q.having {
            self.keyword(" HAVING ", -STD, STD, 0);
            self.expr(h, false)?;
        }
        self.window_clause(q)
    }

    fn grouping_set(&mut self, s: &GroupingSet, targets: &[TargetEntry], bare: bool) -> Result<()> {
        let (open, list, bare_items) = match s {
            GroupingSet::Empty => {
                self.put("()");
                return Ok(());
            }
            GroupingSet::Simple(refs) => {
                let parens = !bare || refs.len() != 1;
                self.put(if parens { "(" } else { "" });
                for (i, r) in refs.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.sort_item(*r, targets, false)?;
                }
                self.put(if parens { ")" } else { "" });
                return Ok(());
            }
            GroupingSet::Rollup(l) => ("ROLLUP(", l, true),
            GroupingSet::Cube(l) => ("CUBE(", l, true),
            GroupingSet::Sets(l) => ("GROUPING SETS (", l, false),
        };
        self.put(open);
        for (i, x) in list.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.grouping_set(x, targets, bare_items)?;
        }
        self.put(")");
        Ok(())
    }

    fn window_clause(&mut self, q: &Query) -> Result<()> {
        let mut first = true;
        for w in q.windows.iter().filter(|w| w.name.is_some()) {
            if first {
                self.keyword(" WINDOW ", -STD, STD, 1);
                first = false;
            } else {
                self.put(", ");
            }
            self.put(&format!("{} AS ", quote_ident(w.name.as_deref().unwrap_or(""))));
            self.window_spec(w, &q.target_list)?;
        }
        Ok(())
    }

    pub(super) fn window_spec(&mut self, w: &WindowClause, targets: &[TargetEntry]) -> Result<()> {
        self.put("(");
        let mut sep = false;
        if let Some(r) = &w.refname {
            self.put(&quote_ident(r));
            sep = true;
        }
        if !w.partition.is_empty() && w.refname.is_none() {
            if sep {
                self.put(" ");
            }
            self.put("PARTITION BY ");
            for (i, p) in w.partition.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.sort_item(p.tle_ref, targets, false)?;
            }
            sep = true;
        }
        if !w.order.is_empty() && !w.copied_order {
            if sep {
                self.put(" ");
            }
            self.put("ORDER BY ");
            self.order_by(&w.order, targets, false)?;
            sep = true;
        }
        if w.frame_options & frame::NONDEFAULT != 0 {
            if sep {
                self.put(" ");
            }
            self.frame(w)?;
        }
        self.put(")");
        Ok(())
    }

    fn frame(&mut self, w: &WindowClause) -> Result<()> {
        let o = w.frame_options;
        self.put(if o & frame::RANGE != 0 {
            "RANGE "
        } else if o & frame::ROWS != 0 {
            "ROWS "
        } else {
            "GROUPS "
        });
        if o & frame::BETWEEN != 0 {
            self.put("BETWEEN ");
        }
        if o & frame::START_UNBOUNDED_PRECEDING != 0 {
            self.put("UNBOUNDED PRECEDING");
        } else if o & frame::START_CURRENT_ROW != 0 {
            self.put("CURRENT ROW");
        } else if let Some(e) = &w.start_offset {
            self.expr(e, false)?;
            self.put(if o & frame::START_OFFSET_PRECEDING != 0 { " PRECEDING" } else { " FOLLOWING" });
        }
        if o & frame::BETWEEN != 0 {
            self.put(" AND ");
            if o & frame::END_UNBOUNDED_FOLLOWING != 0 {
                self.put("UNBOUNDED FOLLOWING");
            } else if o & frame::END_CURRENT_ROW != 0 {
                self.put("CURRENT ROW");
            } else if let Some(e) = &w.end_offset {
                self.expr(e, false)?;
                self.put(if o & frame::END_OFFSET_PRECEDING != 0 { " PRECEDING" } else { " FOLLOWING" });
            }
        }
        self.put(if o & frame::EXCLUDE_CURRENT_ROW != 0 {
            " EXCLUDE CURRENT ROW"
        } else if o & frame::EXCLUDE_GROUP != 0 {
            " EXCLUDE GROUP"
        } else if o & frame::EXCLUDE_TIES != 0 {
            " EXCLUDE TIES"
        } else {
            ""
        });
        Ok(())
    }

    pub(super) fn values(&mut self, lists: &[Vec<Expr>]) -> Result<()> {
        for (i, l) in lists.iter().enumerate() {
            self.put(if i > 0 { ", (" } else { "(" });
            for (j, e) in l.iter().enumerate() {
                if j > 0 {
                    self.put(",");
                }
                self.expr(e, false)?;
            }
            self.put(")");
        }
        Ok(())
    }

    fn target_list(&mut self, q: &Query, names: Option<&[String]>) -> Result<()> {
        self.target_entries(&q.target_list, names)
    }

    /// Output columns, of SELECT or of RETURNING.
    pub(super) fn target_entries(&mut self, list: &[TargetEntry], names: Option<&[String]>) -> Result<()> {
        for (n, t) in list.iter().filter(|t| !t.junk).enumerate() {
            if n > 0 {
                self.put(",");
            }
            let name =
                names.and_then(|x| x.get(n).cloned()).or_else(|| t.name.as_deref().map(str::to_string));
            let start = self.out.len();
            let own = match &t.expr {
                Expr::Var(v) => {
                    let text = self.scope_var(v)?;
                    self.put(&text);
                    let plain = !text.ends_with(".*");
                    if !plain {
                        let ty = crate::typename::format_type(self.ctx, v.vartype, -1);
                        self.put(&format!("::{ty}"));
                    }
                    plain.then(|| self.var_column(v)).flatten()
                }
                e => {
                    self.expr(e, true)?;
                    None
                }
            };
            if let Some(name) = name
                && own.as_deref() != Some(&name)
                && (self.names_visible || own.is_some() || name != "?column?")
            {
                self.put(&format!(" AS {}", quote_ident(&name)));
            }
            // Each column but the first starts a line, unless its text does so itself.
            let text = self.out.split_off(start);
            if n == 0 {
                self.put(" ");
                if text.starts_with('\n') {
                    self.out.pop();
                }
                self.put(&text);
            } else if text.starts_with('\n') || !self.indent {
                if !self.indent {
                    self.put(" ");
                }
                self.put(&text);
            } else {
                self.keyword("", -STD, STD, VAR);
                self.put(&text);
            }
        }
        Ok(())
    }

    fn var_column(&self, v: &Var) -> Option<String> {
        let depth = self.scopes.len().checked_sub(1 + v.levels_up as usize)?;
        let VarNo::Rte(n) = v.varno else { return None };
        if v.attno <= 0 {
            return crate::scope::SYSTEM_COLUMNS.iter().find(|c| c.1 == v.attno).map(|c| c.0.to_string());
        }
        self.scopes[depth].cols.get(n as usize - 1)?.get(v.attno as usize - 1).cloned()
    }

    /// FROM with its items; DELETE calls it USING.
    pub(super) fn put_from(&mut self, f: &FromExpr, word: &str) -> Result<()> {
        for (i, j) in f.from.iter().enumerate() {
            if i == 0 {
                self.keyword(word, -STD, STD, 2);
                self.put_from_item(j)?;
                continue;
            }
            self.put(", ");
            let start = self.out.len();
            self.put_from_item(j)?;
            let text = self.out.split_off(start);
            if self.indent && !text.starts_with('\n') {
                self.keyword("", -STD, STD, VAR);
            }
            self.put(&text);
        }
        Ok(())
    }

    fn put_from_item(&mut self, j: &JoinTree) -> Result<()> {
        match j {
            JoinTree::Rte(n) => self.put_rte(*n),
            JoinTree::Join(j) => self.join(j),
            JoinTree::From(_) => Err(Error::internal("nested FROM in a query")),
        }
    }

    fn join(&mut self, j: &JoinExpr) -> Result<()> {
        let alias = self.current_rte(j.rtindex).and_then(|r| r.alias.clone());
        let own = !self.pretty || alias.is_some();
        if own {
            self.put("(");
        }
        self.put_from_item(&j.left)?;
        let has_cond = j.quals.is_some() || !j.using.is_empty();
        self.keyword(
            match j.kind {
                JoinType::Inner if !has_cond => " CROSS JOIN ",
                JoinType::Left => " LEFT JOIN ",
                JoinType::Full => " FULL JOIN ",
                JoinType::Right => " RIGHT JOIN ",
                _ => " JOIN ",
            },
            -STD,
            STD,
            JOIN,
        );
        let right_paren = self.pretty
            && matches!(&j.right, JoinTree::Join(r) if self.current_rte(r.rtindex).is_none_or(|x| x.alias.is_none()));
        if right_paren {
            self.put("(");
        }
        self.put_from_item(&j.right)?;
        if right_paren {
            self.put(")");
        }
        if !j.using.is_empty() {
            let cols: Vec<String> = j.using.iter().map(|c| quote_ident(c)).collect();
            self.put(&format!(" USING ({})", cols.join(", ")));
            if let Some(RangeTblEntry { kind: RteKind::Join { using_alias: Some(a), .. }, .. }) =
                self.current_rte(j.rtindex)
            {
                self.put(&format!(" AS {}", quote_ident(&a)));
            }
        } else if let Some(q) = &j.quals {
            self.put(" ON ");
            if !self.pretty {
                self.put("(");
            }
            self.expr(q, false)?;
            if !self.pretty {
                self.put(")");
            }
        } else if j.kind != JoinType::Inner {
            self.put(" ON TRUE");
        }
        if own {
            self.put(")");
        }
        if alias.is_some() {
            let n = self.rel_name(j.rtindex);
            self.put(&format!(" {}", quote_ident(&n)));
        }
        Ok(())
    }
}

/// VALUES whose rows are the whole query.
fn plain_values(q: &Query) -> Option<&[Vec<Expr>]> {
    if q.rtable.len() != 1 || q.jointree.quals.is_some() || !q.group_clause.is_empty() {
        return None;
    }
    let RteKind::Values { lists, .. } = &q.rtable[0].kind else { return None };
    let all = q.target_list.iter().filter(|t| !t.junk).enumerate().all(|(i, t)| {
        matches!(&t.expr, Expr::Var(v) if v.attno as usize == i + 1 && v.levels_up == 0)
            && t.name.as_deref() == q.rtable[0].eref_cols.get(i).map(|s| &**s)
    });
    (all && q.rtable[0].alias.is_none()).then_some(lists.as_slice())
}

impl Deparser<'_> {
    fn current_rte(&self, rti: u32) -> Option<RangeTblEntry> {
        self.scopes.last().and_then(|s| s.rtable.get(rti as usize - 1)).cloned()
    }

    fn put_rte(&mut self, rti: u32) -> Result<()> {
        let Some(r) = self.current_rte(rti) else { return Err(Error::internal("bad range table index")) };
        let shown = self.rel_name(rti);
        let mut alias = r.alias.is_some();
        let mut columns = false;
        match &r.kind {
            RteKind::Relation { relid, inh, .. } => {
                let rel = self.ctx.catalog.relation(*relid)?;
                let name = self.relation_name(&rel)?;
                if !inh {
                    self.put("ONLY ");
                }
                self.put(&name);
                alias = alias || shown != rel.name;
                columns = r
                    .eref_cols
                    .iter()
                    .zip(&rel.desc.attrs)
                    .any(|(c, a)| !a.dropped && !c.is_empty() && **c != *a.name);
            }
            RteKind::Subquery { query, lateral, view, .. } => {
                if let Some(v) = view {
                    let rel = self.ctx.catalog.relation(*v)?;
                    let name = self.relation_name(&rel)?;
                    self.put(&name);
                    alias = alias || shown != rel.name;
                } else {
                    self.put(if *lateral { "LATERAL (" } else { "(" });
                    let old = std::mem::replace(&mut self.names_visible, true);
                    let written = self.subquery(query);
                    self.names_visible = old;
                    written?;
                    self.put(")");
                    alias = true;
                    let own: Vec<_> = crate::output_columns(query).into_iter().map(|c| c.name).collect();
                    columns = own != *r.eref_cols;
                }
            }
            RteKind::Function { functions, ordinality, lateral } => {
                if *lateral {
                    self.put("LATERAL ");
                }
                let rows_from = functions.len() > 1;
                if rows_from {
                    self.put("ROWS FROM(");
                }
                for (i, f) in functions.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.expr(&f.expr, true)?;
                }
                if rows_from {
                    self.put(")");
                }
                if *ordinality {
                    self.put(" WITH ORDINALITY");
                }
                alias = true;
                columns = true;
                if let [f] = functions.as_slice()
                    && f.has_coldef
                {
                    let list: Vec<String> = (0..f.col_names.len())
                        .map(|i| {
                            format!(
                                "{} {}",
                                quote_ident(&f.col_names[i]),
                                crate::typename::format_type(self.ctx, f.col_types[i], f.col_typmods[i])
                            )
                        })
                        .collect();
                    self.put(&format!(" {}({})", quote_ident(&shown), list.join(", ")));
                    return Ok(());
                }
            }
            RteKind::Values { lists, lateral } => {
                self.put(if *lateral { "LATERAL (" } else { "(" });
                let level = self.level;
                if self.indent {
                    self.put(" ");
                }
                self.put("VALUES ");
                self.values(lists)?;
                self.level = level;
                self.put(")");
                alias = true;
                columns = r.eref_cols.iter().enumerate().any(|(i, c)| **c != *format!("column{}", i + 1));
            }
            RteKind::Cte { name, .. } => {
                self.put(&quote_ident(name));
                alias = alias || shown != *name;
            }
            RteKind::Join { .. } | RteKind::Append { .. } | RteKind::Result => {}
        }
        if alias {
            self.put(&format!(" {}", quote_ident(&shown)));
        }
        if columns {
            let cols: Vec<String> =
                r.eref_cols.iter().filter(|c| !c.is_empty()).map(|c| quote_ident(c)).collect();
            self.put(&format!("({})", cols.join(", ")));
        }
        if let RteKind::Relation { tablesample: Some(t), .. } = &r.kind {
            self.put(&format!(" TABLESAMPLE {} (", t.method));
            self.list(&t.args, false)?;
            self.put(")");
            if let Some(e) = &t.repeatable {
                self.put(" REPEATABLE (");
                self.expr(e, false)?;
                self.put(")");
            }
        }
        Ok(())
    }

    pub(super) fn order_by(
        &mut self,
        list: &[SortGroupClause],
        targets: &[TargetEntry],
        colno: bool,
    ) -> Result<()> {
        for (i, s) in list.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.sort_item(s.tle_ref, targets, colno)?;
            let Some(t) = targets.iter().find(|t| t.sort_group_ref == s.tle_ref) else { continue };
            let ops = self.ctx.sort_ops(expr_type(&t.expr))?;
            if s.sortop == ops.lt {
                if s.nulls_first {
                    self.put(" NULLS FIRST");
                }
            } else if s.sortop == ops.gt {
                self.put(" DESC");
                if !s.nulls_first {
                    self.put(" NULLS LAST");
                }
            } else {
                let ty = expr_type(&t.expr);
                let op = self.oper_name(s.sortop, ty, ty)?;
                self.put(&format!(" USING {op}"));
                self.put(if s.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        Ok(())
    }

    fn sort_item(&mut self, tle_ref: u32, targets: &[TargetEntry], colno: bool) -> Result<()> {
        let Some(t) = targets.iter().find(|t| t.sort_group_ref == tle_ref) else {
            return Err(Error::internal("ORDER/GROUP BY expression not found in targetlist"));
        };
        if colno {
            self.put(&t.resno.to_string());
            return Ok(());
        }
        match &t.expr {
            Expr::Const(c) => self.constant(c, 1),
            Expr::Var(_) => self.expr(&t.expr, true),
            e => {
                let paren = self.pretty || matches!(e, Expr::Func(_) | Expr::Aggref(_) | Expr::WindowFunc(_));
                if paren {
                    self.put("(");
                }
                self.expr(e, true)?;
                if paren {
                    self.put(")");
                }
                Ok(())
            }
        }
    }
}
