//! Result (a row without a table, or a gate over a child) and SubqueryScan (filter and projection over a child).

use super::*;
use analyze::expr::Const;
use planner::exprs::replace;
use types::Rows;

struct ResultNode {
    child: Option<BoxNode>,
    /// Tested once a scan.
    gate: Option<Qual>,
    tail: Tail,
    input: Batch,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Start,
    Open,
    Done,
}

/// Result.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: Option<&Plan>, one_time: &[Expr]) -> Result<BoxNode> {
    let width = child.map_or(usize::MAX, |c| c.targetlist.len());
    if child.is_none() {
        return build_leaf(b, plan, one_time);
    }
    Ok(Box::new(ResultNode {
        child: child.map(|c| super::build(b, c)).transpose()?,
        gate: Qual::compile(b.env, one_time, &OuterScope)?,
        tail: Tail::compile(b, plan, &OuterScope, width)?,
        input: Batch::default(),
        state: State::Done,
    }))
}

/// A Result without a child. One that stands for a relation known to be empty still names the relation's columns; they
/// are never read, because its gate is closed.
fn build_leaf(b: &BuildCx<'_>, plan: &Plan, one_time: &[Expr]) -> Result<BoxNode> {
    let mut list = plan.targetlist.clone();
    for t in &mut list {
        replace(&mut t.expr, &mut |e| match e {
            Expr::Var(v) => Some(Expr::Const(Const {
                consttype: v.vartype,
                typmod: v.typmod,
                collation: v.collation,
                value: types::Datum::Null,
                location: None,
            })),
            _ => None,
        });
    }
    Ok(Box::new(ResultNode {
        child: None,
        gate: Qual::compile(b.env, one_time, &OuterScope)?,
        tail: Tail::from_parts(b, plan.node_id, &plan.qual, &list, &OuterScope, usize::MAX)?,
        input: Batch::default(),
        state: State::Done,
    }))
}

/// SubqueryScan: the child's columns are Vars of the sub-query's range table entry.
pub fn build_subquery(b: &BuildCx<'_>, plan: &Plan, child: &Plan) -> Result<BoxNode> {
    Ok(Box::new(ResultNode {
        child: Some(super::build(b, child)?),
        gate: None,
        tail: Tail::compile(b, plan, &RelScope, child.targetlist.len())?,
        input: Batch::default(),
        state: State::Done,
    }))
}

impl ResultNode {
    fn open(&mut self, cx: &Exec) -> Result<bool> {
        let Some(g) = &mut self.gate else { return Ok(true) };
        self.input.rows = 1;
        self.input.sel = None;
        Ok(g.filter(cx, &mut self.input)? > 0)
    }
}

impl ExecNode for ResultNode {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.state == State::Start {
            self.state = if self.open(cx)? { State::Open } else { State::Done };
        }
        if self.state == State::Done {
            return Ok(false);
        }
        let Some(child) = &mut self.child else {
            self.state = State::Done;
            self.input.rows = 1;
            self.input.sel = None;
            debug_assert!(matches!(self.input.live(), Rows::All(1)));
            return self.tail.finish_own(cx, &mut self.input);
        };
        while child.next(cx, want)? {
            if self.tail.proj.is_identity() {
                if self.tail.filter(cx, child.batch_mut())? > 0 {
                    return Ok(true);
                }
            } else if self.tail.finish_child(cx, &mut **child)? {
                return Ok(true);
            }
        }
        self.state = State::Done;
        Ok(false)
    }
    fn batch(&self) -> &Batch {
        match &self.child {
            Some(c) if self.tail.proj.is_identity() => c.batch(),
            _ => &self.tail.proj.out,
        }
    }
    fn batch_mut(&mut self) -> &mut Batch {
        match &mut self.child {
            Some(c) if self.tail.proj.is_identity() => c.batch_mut(),
            _ => &mut self.tail.proj.out,
        }
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.state = State::Start;
        match &mut self.child {
            Some(c) => c.rescan(cx),
            None => Ok(()),
        }
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
        if let Some(c) = &mut self.child {
            c.end(cx);
        }
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        match (&mut self.child, self.tail.plain_column(col)) {
            (Some(c), Some(col)) => c.push_filter(col, from, f),
            _ => false,
        }
    }
    fn set_bound(&mut self, n: Option<u64>) {
        if self.tail.qual.is_none()
            && let Some(c) = &mut self.child
        {
            c.set_bound(n);
        }
    }
}
