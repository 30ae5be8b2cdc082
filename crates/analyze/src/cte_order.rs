//! WITH RECURSIVE before analysis: which items refer to which, in what order they can be analysed, and whether those that
//! refer to themselves have the form that can be computed: one reference, in the right arm of a UNION, not below anything
//! that would need all of it at once.
//!
//! Works on the raw tree, as a name in FROM means the WITH item whatever comes after it. [`order`] is called by `cte`.

use common::{Error, Result, err};
use parser::walk::{self, Node};
use parser::{
    CommonTableExpr, JoinType, RangeVar, SelectStmt, SetOperation, Statement, TableExpr, WithClause,
};

/// The order of analysis, and which items refer to themselves.
pub struct Order {
    pub order: Vec<usize>,
    pub recursive: Vec<bool>,
}

/// What stands between the reference and the top of the recursive term.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Ok,
    NonRecursiveTerm,
    Sublink,
    OuterJoin,
    Intersect,
    Except,
}

impl Place {
    fn words(self) -> &'static str {
        match self {
            Place::Ok | Place::NonRecursiveTerm => "its non-recursive term",
            Place::Sublink => "a subquery",
            Place::OuterJoin => "an outer join",
            Place::Intersect => "INTERSECT",
            Place::Except => "EXCEPT",
        }
    }
}

/// Names in FROM, with inner WITH items taken into account. The visitor gets each name and where it stands.
struct Walker<'a, 'f> {
    /// Names of inner WITH items in force, per clause.
    inner: Vec<Vec<&'a str>>,
    place: Place,
    found: &'f mut dyn FnMut(&RangeVar, Place) -> Result<()>,
}

impl<'a> Walker<'a, '_> {
    fn at(&mut self, place: Place, n: Node<'a>) -> Result<()> {
        let old = std::mem::replace(&mut self.place, place);
        let r = self.node(n);
        self.place = old;
        r
    }

    fn node(&mut self, n: Node<'a>) -> Result<()> {
        match n {
            Node::Expr(parser::Expr::SubLink(s)) => {
                s.testexpr.iter().try_for_each(|e| self.node(Node::Expr(e)))?;
                self.at(Place::Sublink, Node::Select(&s.subselect))
            }
            Node::Expr(e) => walk::expr_children(e, &mut |c| self.node(c)),
            Node::Table(TableExpr::RangeVar(rv)) => self.name(rv),
            Node::Table(TableExpr::RangeTableSample(s)) => {
                self.name(&s.relation)?;
                s.args.iter().chain(&s.repeatable).try_for_each(|e| self.node(Node::Expr(e)))
            }
            Node::Table(TableExpr::JoinExpr(j)) if self.place == Place::Ok => {
                let (left, right) = match j.jointype {
                    JoinType::Inner => (Place::Ok, Place::Ok),
                    JoinType::Left => (Place::Ok, Place::OuterJoin),
                    JoinType::Right => (Place::OuterJoin, Place::Ok),
                    JoinType::Full => (Place::OuterJoin, Place::OuterJoin),
                };
                self.at(left, Node::Table(&j.larg))?;
                self.at(right, Node::Table(&j.rarg))?;
                j.quals.iter().try_for_each(|e| self.node(Node::Expr(e)))
            }
            Node::Table(t) => walk::table_children(t, &mut |c| self.node(c)),
            Node::Select(s) => self.with_items(s.with_clause.as_deref(), |w| w.select(s)),
            Node::Statement(Statement::Select(s)) => self.node(Node::Select(s)),
            Node::Statement(s) => {
                self.with_items(walk::with_clause(s), |w| walk::statement_children(s, &mut |c| w.node(c)))
            }
        }
    }

    fn name(&mut self, rv: &RangeVar) -> Result<()> {
        let hidden = self.inner.iter().flatten().any(|n| *n == rv.relname);
        if rv.schemaname.is_some() || hidden { Ok(()) } else { (self.found)(rv, self.place) }
    }

    /// The items of a WITH clause, then `rest` with their names in force.
    fn with_items(
        &mut self,
        w: Option<&'a WithClause>,
        rest: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let Some(w) = w else { return rest(self) };
        self.inner.push(if w.recursive { names(w) } else { Vec::new() });
        for c in &w.ctes {
            self.node(Node::Statement(&c.ctequery))?;
            if !w.recursive
                && let Some(names) = self.inner.last_mut()
            {
                names.push(&c.ctename);
            }
        }
        let r = rest(self);
        self.inner.pop();
        r
    }

    fn select(&mut self, s: &'a SelectStmt) -> Result<()> {
        let (Some(l), Some(r), Place::Ok) = (&s.larg, &s.rarg, self.place) else {
            return self.plain_select(s);
        };
        let (left, right) = match (s.op, s.all) {
            (SetOperation::None | SetOperation::Union, _) => return self.plain_select(s),
            (SetOperation::Intersect, true) => (Place::Intersect, Place::Intersect),
            (SetOperation::Intersect, false) => (Place::Ok, Place::Ok),
            (SetOperation::Except, true) => (Place::Except, Place::Except),
            (SetOperation::Except, false) => (Place::Ok, Place::Except),
        };
        self.at(left, Node::Select(l))?;
        self.at(right, Node::Select(r))?;
        walk::select_tail(s, &mut |c| self.node(c))
    }

    /// Long chains of set operations lean to the left: they are walked without recursion on that side.
    fn plain_select(&mut self, s: &'a SelectStmt) -> Result<()> {
        let mut chain = vec![s];
        while let Some(top) = chain.last()
            && let Some(l) = &top.larg
            && l.with_clause.is_none()
            && (self.place != Place::Ok || matches!(l.op, SetOperation::None | SetOperation::Union))
        {
            chain.push(l);
        }
        let Some(lowest) = chain.pop() else { return Ok(()) };
        walk::select_children(lowest, &mut |c| self.node(c))?;
        chain.into_iter().rev().try_for_each(|s| {
            s.rarg.iter().try_for_each(|r| self.node(Node::Select(r)))?;
            walk::select_tail(s, &mut |c| self.node(c))
        })
    }
}

fn names(w: &WithClause) -> Vec<&str> {
    w.ctes.iter().map(|c| c.ctename.as_str()).collect()
}

/// Sorts the items of a WITH RECURSIVE and checks the recursive ones.
pub fn order(w: &WithClause) -> Result<Order> {
    let n = w.ctes.len();
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); n];
    let mut recursive = vec![false; n];
    for (i, c) in w.ctes.iter().enumerate() {
        let mut found = |rv: &RangeVar, _| {
            match w.ctes.iter().position(|d| d.ctename == rv.relname) {
                Some(j) if j == i => recursive[i] = true,
                Some(j) => needs[i].push(j),
                None => {}
            }
            Ok(())
        };
        Walker { inner: Vec::new(), place: Place::NonRecursiveTerm, found: &mut found }
            .node(Node::Statement(&c.ctequery))?;
    }
    let mut order: Vec<usize> = (0..n).collect();
    for k in 0..n {
        let ready = |i: &usize| needs[*i].iter().all(|d| order[..k].contains(d));
        let Some(j) = (k..n).find(|j| ready(&order[*j])) else {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "mutual recursion between WITH items is not implemented"
            )
            .at(w.ctes[order[k]].location));
        };
        order.swap(k, j);
    }
    (0..n).filter(|i| recursive[*i]).try_for_each(|i| check_form(&w.ctes[i]))?;
    Ok(Order { order, recursive })
}

fn refuse_decoration(s: &SelectStmt) -> Result<()> {
    let limit = s.limit_count.as_ref().map(|e| ("LIMIT", e.location()));
    let found = (s.sort_clause.first().map(|o| ("ORDER BY", o.node.location())))
        .or_else(|| s.limit_offset.as_ref().map(|e| ("OFFSET", e.location())))
        .or(limit);
    if let Some((what, at)) = found {
        return Err(err!(FEATURE_NOT_SUPPORTED, "{what} in a recursive query is not implemented").at(at));
    }
    if !s.locking_clause.is_empty() {
        return Err(err!(FEATURE_NOT_SUPPORTED, "FOR UPDATE/SHARE in a recursive query is not implemented"));
    }
    Ok(())
}

fn check_form(c: &CommonTableExpr) -> Result<()> {
    let name = &c.ctename;
    let Statement::Select(s) = &*c.ctequery else {
        return Err(err!(
            INVALID_RECURSION,
            "recursive query \"{name}\" must not contain data-modifying statements"
        )
        .at(c.location));
    };
    let (SetOperation::Union, Some(l), Some(r)) = (s.op, &s.larg, &s.rarg) else {
        return Err(err!(
            INVALID_RECURSION,
            "recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term"
        )
        .at(c.location));
    };
    let mut references = 0;
    let mut found = |rv: &RangeVar, place: Place| {
        if rv.relname != *name {
            return Ok(());
        }
        references += 1;
        match place {
            Place::Ok if references == 1 => Ok(()),
            Place::Ok => Err(misplaced(name, "more than once", rv)),
            p => Err(misplaced(name, &format!("within {}", p.words()), rv)),
        }
    };
    let mut walker = Walker { inner: Vec::new(), place: Place::Sublink, found: &mut found };
    walker.with_items(s.with_clause.as_deref(), |w| {
        refuse_decoration(s)?;
        w.at(Place::NonRecursiveTerm, Node::Select(l))?;
        w.at(Place::Ok, Node::Select(r))
    })
}

fn misplaced(name: &str, how: &str, rv: &RangeVar) -> Error {
    err!(INVALID_RECURSION, "recursive reference to query \"{name}\" must not appear {how}").at(rv.location)
}
