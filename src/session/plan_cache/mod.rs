//! The plan cache of un-prepared statements. A statement is known by its shape ([`shape`]); one seen before runs from a
//! compiled generic plan whose parameters are its literals ([`lift`]), without being parsed, analysed or planned.
//!
//! Only statements whose plan cannot depend on the literals are kept: one table found through a unique index or small
//! enough to be read whole, or the insertion of one row. An entry serves while the catalog generation, the search path,
//! the settings and, for a table read whole, the table's size are what they were when it was made. Whatever fails on
//! the way here (a literal that is out of range, say) is done again the long way, which reports it as always.
//!
//! The unnamed statement of the extended protocol is found again by its whole text ([`Session::remembered`]).

mod lift;
pub mod shape;

use super::Session;
use super::prepared::{Analysis, Prepared, Work};
use super::run::Description;
use analyze::ParamTypes;
use analyze::query::{CmdType, Query};
use common::{Oid, Result};
use executor::run::CompiledPlan;
use foldhash::HashMap;
use planner::PlannedStmt;
use planner::plan::{IndexCond, IndexCondKind, Node, Plan};
use shape::Literal;
use std::cell::Cell;
use std::rc::Rc;
use types::Datum;

/// Most shapes remembered, and most of them with a plan. Beyond, everything is forgotten: what is in use comes back.
const SHAPES_MAX: usize = 512;
const PLANS_MAX: usize = 128;
/// Largest table that a kept plan reads whole.
const SMALL_TABLE_BLOCKS: u32 = 8;
/// Most plans made for one shape because a literal that could not be lifted was another.
const REPLACEMENTS_MAX: u32 = 8;

/// A session's cache.
#[derive(Default)]
pub struct PlanCache {
    shapes: HashMap<Box<[u8]>, Entry>,
    plans: usize,
    /// Of the statement being looked up.
    shape: Vec<u8>,
    literals: Vec<Literal>,
    /// Unnamed prepared statements by text and given parameter types.
    texts: HashMap<Rc<str>, (Vec<Oid>, Rc<Prepared>)>,
}

enum Entry {
    /// Seen once: a second time pays for a plan to keep.
    Seen,
    /// Not fit for keeping, in this state of the catalogs and settings.
    Refused(State),
    Ready(Rc<Lifted>),
}

/// What a plan was made under: catalog generation and settings version.
pub type State = (u64, u64);

/// A statement with its literals lifted, ready to run.
pub struct Lifted {
    statement: Rc<Prepared>,
    analysis: Rc<Analysis>,
    state: State,
    lifts: Vec<lift::Lift>,
    /// Functions of the casts of lifted literals.
    cast_functions: Vec<Oid>,
    /// The literals that were not lifted: they have to be the same.
    fixed: Vec<(usize, Box<str>)>,
    small: Option<SmallTable>,
    /// How often a plan for this shape was replaced because of `fixed`.
    replacements: Cell<u32>,
}

impl Lifted {
    fn replaces_too_often(&self, old: &Lifted) -> bool {
        self.replacements.set(old.replacements.get() + u32::from(self.fixed != old.fixed));
        self.replacements.get() > REPLACEMENTS_MAX
    }
}

/// A table that a plan reads whole, and its size when that was decided.
#[derive(Clone, Copy)]
pub struct SmallTable {
    relation: Oid,
    blocks: u32,
}

impl PlanCache {
    fn put(&mut self, e: Entry) {
        if self.shapes.len() >= SHAPES_MAX || self.plans >= PLANS_MAX {
            self.shapes.clear();
            self.plans = 0;
        }
        self.plans += usize::from(matches!(e, Entry::Ready(_)));
        let old = self.shapes.insert(self.shape.as_slice().into(), e);
        self.plans -= usize::from(matches!(old, Some(Entry::Ready(_))));
    }
}

impl Session {
    fn plan_state(&self) -> State {
        (self.catalog.generation(), self.settings.borrow().version())
    }

    /// Runs a query string from the cache. `None` if that is not possible and nothing has happened; the command tag
    /// otherwise.
    pub(super) fn cached_query(&self, source: &Rc<str>) -> Result<Option<String>> {
        // What is to be logged depends on the raw tree.
        if self.engine.is_aborted_block() || self.logs_statements() || !self.often().lex.plain_strings {
            return Ok(None);
        }
        let (found, literals) = {
            let cache = &mut *self.plans.borrow_mut();
            if !shape::scan(source, &mut cache.shape, &mut cache.literals) {
                return Ok(None);
            }
            let found = match cache.shapes.get(cache.shape.as_slice()) {
                None => {
                    cache.put(Entry::Seen);
                    return Ok(None);
                }
                Some(Entry::Refused(s)) if *s == self.plan_state() => return Ok(None),
                Some(Entry::Ready(l)) => Some(l.clone()),
                _ => None,
            };
            (found, std::mem::take(&mut cache.literals))
        };
        self.engine.check_interrupts()?;
        let run = |l: &Rc<Lifted>| self.run_lifted(l, source, &literals);
        let mut tag = match &found {
            Some(l) => run(l)?,
            None => None,
        };
        if tag.is_none() && found.as_ref().is_none_or(|l| !self.serves(l, source, &literals)) {
            let made = self.make_lifted(source, &literals)?;
            let entry = match &made {
                // Literals that had to stay and are others each time: keeping the plan is of no use.
                Some(new) if found.is_some_and(|old| new.replaces_too_often(&old)) => {
                    Entry::Refused(self.plan_state())
                }
                Some(l) => Entry::Ready(l.clone()),
                None => Entry::Refused(self.plan_state()),
            };
            self.plans.borrow_mut().put(entry);
            if let Some(l) = &made {
                tag = run(l)?;
            }
        }
        self.plans.borrow_mut().literals = literals;
        Ok(tag)
    }

    /// Is the entry in force for a statement with these literals?
    fn serves(&self, l: &Lifted, sql: &str, literals: &[Literal]) -> bool {
        l.state == self.plan_state()
            && l.statement.has_plan()
            && l.fixed.iter().all(|(i, text)| literals[*i].text(sql) == &**text)
            && self.search_path().is_ok_and(|p| l.analysis.is_for_path(&p))
            && l.small.is_none_or(|s| self.is_unchanged(s))
    }

    /// Has the table the size it had?
    pub(super) fn is_unchanged(&self, s: SmallTable) -> bool {
        self.blocks_of(s.relation) == Some(s.blocks)
    }

    fn blocks_of(&self, relation: Oid) -> Option<u32> {
        let r = self.catalog.relation(relation).ok()?;
        self.catalog.relation_blocks(&r).ok()
    }

    fn run_lifted(&self, l: &Rc<Lifted>, sql: &str, literals: &[Literal]) -> Result<Option<String>> {
        let Work::Query(q) = &l.analysis.work else { return Ok(None) };
        if self.engine.isolation() != transam::IsolationLevel::ReadCommitted {
            // The transaction's snapshot is taken before waiting for any lock.
            let _ = self.engine.transaction_snapshot()?;
        }
        if !self.serves(l, sql, literals) {
            return Ok(None);
        }
        let Some(params) = self.literal_values(l, sql, literals) else { return Ok(None) };
        if let Some(j) = &l.analysis.id {
            self.show_id(j.id);
        }
        self.lock_query(q)?;
        // Waiting for a lock may have let in news about the relation.
        if l.state != self.plan_state() {
            return Ok(None);
        }
        self.check_read_only(q)?;
        self.check_privileges_of(&l.analysis, &l.cast_functions)?;
        let Some(plan) = l.statement.take_plan() else { return Ok(None) };
        self.execute_plan(&l.statement, &l.analysis, (plan, true), &params, &[], Description::Send).map(Some)
    }

    /// The parameters' values. `None` if one of them is in error.
    fn literal_values(&self, l: &Lifted, sql: &str, literals: &[Literal]) -> Option<Vec<Datum>> {
        if l.lifts.is_empty() {
            return Some(Vec::new());
        }
        if let Some(quick) = l.lifts.iter().map(|x| x.integer_value(sql, literals)).collect() {
            return Some(quick);
        }
        self.with_lift_ctx(sql, |ctx, planner| {
            l.lifts.iter().map(|x| x.value(ctx, planner, sql, literals)).collect()
        })
        .ok()
    }

    fn with_lift_ctx<R>(
        &self,
        sql: &str,
        f: impl FnOnce(&analyze::AnalyzeCtx<'_>, &planner::PlannerCtx<'_>) -> Result<R>,
    ) -> Result<R> {
        self.with_analyze_ctx(sql, |a| self.with_planner_ctx(&[], None, false, |p| f(a, p)))
    }

    /// Analyses and plans with the literals lifted. Errors of the analysis are the statement's; any other obstacle just
    /// means that the statement is not kept.
    fn make_lifted(&self, source: &Rc<str>, literals: &[Literal]) -> Result<Option<Rc<Lifted>>> {
        let mut notices = Vec::new();
        let Ok(mut statements) = parser::parse_with_notices(source, &mut notices) else { return Ok(None) };
        let (Some(raw), true, true) = (statements.pop(), statements.is_empty(), notices.is_empty()) else {
            return Ok(None);
        };
        let _ = self.engine.transaction_snapshot()?;
        let mut id = None;
        let lifted = self.with_lift_ctx(source, |ctx, planner| {
            let mut params = ParamTypes::none();
            let analyzed = analyze::analyze(ctx, &raw, &mut params)?;
            id = self.identify(source, &raw, &analyzed);
            let analyze::Analyzed::Query(mut q) = analyzed else { return Ok(None) };
            let Some(lifts) = lift::lift(ctx, planner, &mut q, literals)? else { return Ok(None) };
            let mut queries = analyze::rewrite(ctx, *q)?;
            Ok(match (queries.pop(), queries.is_empty()) {
                (Some(q), true) => Some((q, lifts)),
                _ => None,
            })
        })?;
        let Some((query, lifts)) = lifted else { return Ok(None) };
        let types: Vec<Oid> = lifts.iter().map(|l| l.result).collect();
        let Ok(stmt) = self.plan_query(query.clone(), &types, None, false) else { return Ok(None) };
        let Some(small) = self.keepable(&stmt) else { return Ok(None) };
        let Ok(plan) = CompiledPlan::new(self.env(), Rc::new(stmt)) else { return Ok(None) };
        let statement = Rc::new(Prepared::new(source.clone(), None, types));
        let analysis = Rc::new(Analysis::of_query(query, self.catalog.generation(), self.search_path()?, id));
        self.return_plan(&statement, plan);
        let fixed = (0..literals.len()).filter(|i| lifts.iter().all(|l| l.literal != *i));
        let fixed = fixed.map(|i| (i, literals[i].text(source).into())).collect();
        Ok(Some(Rc::new(Lifted {
            statement,
            analysis,
            state: self.plan_state(),
            cast_functions: lifts.iter().flat_map(lift::Lift::functions).collect(),
            lifts,
            fixed,
            small,
            replacements: Cell::new(0),
        })))
    }

    /// May a generic plan serve all values? Then also the table that it reads whole, if it does.
    fn keepable(&self, stmt: &PlannedStmt) -> Option<Option<SmallTable>> {
        if !stmt.subplans.is_empty() || stmt.rtable.len() > 1 {
            return None;
        }
        let mut p = &stmt.plan;
        loop {
            p = match &p.node {
                Node::Result { child: None, .. } => return Some(None),
                Node::Result { child: Some(c), .. } => c,
                Node::ModifyTable(m) if m.on_conflict.is_none() => &m.child,
                Node::LockRows { child, .. } | Node::Limit { child, .. } | Node::Agg { child, .. } => child,
                Node::IndexScan { index, conds, .. } | Node::IndexOnlyScan { index, conds, .. } => {
                    return self.finds_one(*index, conds).then_some(None);
                }
                Node::SeqScan { .. } => return self.small_table(p, stmt).map(Some),
                _ => return None,
            }
        }
    }

    /// Do the conditions fix all columns of a unique index?
    fn finds_one(&self, index: Oid, conds: &[IndexCond]) -> bool {
        let fixes = |column: u16| {
            let eq =
                |c: &IndexCond| c.column == column && matches!(c.kind, IndexCondKind::Op { strategy: 3, .. });
            conds.iter().any(eq)
        };
        let Ok(ix) = self.catalog.index(index) else { return false };
        ix.unique && ix.predicate.is_none() && (0..ix.num_key_atts).all(fixes)
    }

    fn small_table(&self, p: &Plan, stmt: &PlannedStmt) -> Option<SmallTable> {
        let Node::SeqScan { rti, sample: None } = &p.node else { return None };
        let analyze::query::RteKind::Relation { relid, .. } = stmt.rtable.get(*rti as usize - 1)?.kind else {
            return None;
        };
        let blocks = self.blocks_of(relid)?;
        (blocks <= SMALL_TABLE_BLOCKS).then_some(SmallTable { relation: relid, blocks })
    }

    /// The unnamed statement with this text, if it was parsed before and is still good.
    pub(super) fn remembered(&self, sql: &str, types: &[Oid]) -> Option<Rc<Prepared>> {
        let cache = self.plans.borrow();
        let (given, p) = cache.texts.get(sql)?;
        let current = p.shared_state() == Some(self.plan_state());
        (given == types && current && self.analysis_is_current(p)).then(|| p.clone())
    }

    /// Remembers an unnamed statement. One with string literals is not kept: their values may depend on the moment.
    pub(super) fn remember(&self, given: Vec<Oid>, p: &Rc<Prepared>) {
        const TEXT_BYTES_MAX: usize = 8192;
        let sql = &p.source;
        let is_query = p.raw().is_some_and(|r| super::run::is_query(&r.stmt));
        if !is_query || sql.len() > TEXT_BYTES_MAX || sql.contains('\'') || sql.contains("$$") {
            return;
        }
        let dollar_quoted = sql
            .as_bytes()
            .windows(2)
            .any(|w| w[0] == b'$' && (w[1].is_ascii_alphabetic() || w[1] >= 0x80 || w[1] == b'_'));
        if dollar_quoted {
            return;
        }
        let mut cache = self.plans.borrow_mut();
        if cache.texts.len() >= PLANS_MAX {
            cache.texts.clear();
        }
        p.share(self.plan_state());
        cache.texts.insert(sql.clone(), (given, p.clone()));
    }

    /// A plan for all parameter values, if such a plan is as good as one for certain values.
    pub(super) fn generic_plan(
        &self,
        query: &Query,
        types: &[Oid],
    ) -> Result<Option<(PlannedStmt, Option<SmallTable>)>> {
        if query.rtable.len() > 1 || query.command == CmdType::Merge {
            return Ok(None);
        }
        let stmt = self.plan_query(query.clone(), types, None, false)?;
        Ok(self.keepable(&stmt).map(|small| (stmt, small)))
    }

    /// Forgets all plans (DISCARD PLANS).
    pub(super) fn forget_plans(&self) {
        *self.plans.borrow_mut() = PlanCache::default();
    }
}
