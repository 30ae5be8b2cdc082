//! The planner's working state: [`Glob`] for a whole statement, [`Root`] for one query level, [`RelInfo`] for one base
//! or join relation, [`RestrictInfo`] for one clause.

use crate::PlannerCtx;
use crate::equivalence::EquivClass;
use crate::exprs::{Evaluator, QualCost};
use crate::parallel::Parallel;
use crate::path::{Path, PathKey, Target};
use crate::plan::{Plan, PlanRowMark};
use crate::relids::Relids;
use analyze::expr::{Expr, SubPlan};
use analyze::query::{JoinType, Query, RangeTblEntry, rte_place};
use catalog::Ref;
use catalog::desc::{ColumnStats, Relation};
use common::Oid;
use hashbrown::{HashMap, HashSet};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// An outer reference turned into an exec param: what to compute at the level it belongs to.
#[derive(Clone, Debug)]
pub struct ParamItem {
    pub item: Expr,
    pub id: u32,
}

/// A planned WITH item.
#[derive(Clone, Debug)]
pub struct CtePlan {
    pub name: String,
    pub plan_id: u32,
    pub param: u32,
    pub rows: f64,
}

/// The recursive term's view of its union.
#[derive(Clone, Debug)]
pub struct WorkTable {
    pub param: u32,
    pub rows: f64,
}

/// A sub-plan made while planning, before references are set.
pub struct PendingPlan {
    pub plan: Plan,
    pub rtable: Vec<RangeTblEntry>,
}

/// State shared by all query levels of a statement.
pub struct Glob<'a> {
    pub ctx: &'a PlannerCtx<'a>,
    pub subplans: RefCell<Vec<PendingPlan>>,
    /// Range tables of sub-query scans, found again by the number left in the scan's `node_id`.
    pub sub_rtables: RefCell<Vec<Vec<RangeTblEntry>>>,
    pub next_param: Cell<u32>,
    /// By query depth: outer references from below.
    pub plan_params: RefCell<Vec<Vec<ParamItem>>>,
    /// By query depth: planned WITH items.
    pub ctes: RefCell<Vec<Vec<CtePlan>>>,
    /// By query depth.
    pub work_tables: RefCell<Vec<Option<WorkTable>>>,
    /// Number of clauses made so far.
    pub next_ri: Cell<u32>,
    pub has_modifying_cte: Cell<bool>,
    /// Some sub-plan has an alternative.
    pub has_alternatives: Cell<bool>,
    pub parallel: Parallel,
}

impl<'a> Glob<'a> {
    pub fn new(ctx: &'a PlannerCtx<'a>, parallel: Parallel) -> Glob<'a> {
        Glob {
            ctx,
            subplans: RefCell::default(),
            sub_rtables: RefCell::default(),
            next_param: Cell::new(0),
            plan_params: RefCell::default(),
            ctes: RefCell::default(),
            work_tables: RefCell::default(),
            next_ri: Cell::new(0),
            has_modifying_cte: Cell::new(false),
            has_alternatives: Cell::default(),
            parallel,
        }
    }
    /// Acts on cancel requests: planning a large statement takes a while.
    pub fn check_interrupts(&self) -> common::Result<()> {
        self.ctx.catalog.engine().check_interrupts()
    }
    /// A fresh executor parameter slot.
    pub fn new_param(&self) -> u32 {
        let id = self.next_param.get();
        self.next_param.set(id + 1);
        id
    }
    pub fn ev(&self) -> Evaluator<'a> {
        Evaluator::new(self.ctx)
    }
}

/// A clause with everything the planner worked out about it.
#[derive(Clone, Debug)]
pub struct RestrictInfo {
    pub serial: u32,
    pub clause: Expr,
    /// Came from above the join it is evaluated at (WHERE), so it filters after null-extension.
    pub is_pushed_down: bool,
    pub outerjoin_delayed: bool,
    /// Binary operator with disjoint relations on its sides.
    pub can_join: bool,
    /// No Vars, not volatile: a gate to be tested once.
    pub pseudoconstant: bool,
    pub clause_relids: Relids,
    pub required_relids: Relids,
    pub outer_relids: Relids,
    pub nullable_relids: Relids,
    pub left_relids: Relids,
    pub right_relids: Relids,
    /// An OR: its arms, each a conjunction of clauses.
    pub or_arms: Option<Vec<Vec<Ri>>>,
    /// The equivalence class it was generated from.
    pub parent_ec: Option<usize>,
    pub left_ec: Cell<Option<usize>>,
    pub right_ec: Cell<Option<usize>>,
    pub merge_families: Vec<Oid>,
    /// The operator if it can hash-join, else invalid.
    pub hash_op: Oid,
    pub cost: Cell<Option<QualCost>>,
    pub norm_sel: Cell<f64>,
    pub outer_sel: Cell<f64>,
    /// Hash bucket sizes of the two sides and their most common frequency; negative: unknown.
    pub bucket: Cell<[f64; 4]>,
    /// Memoised merge-join start/end selectivities: left start, left end, right start, right end; for each direction (1:
    /// descending) and place of the nulls (2: first).
    pub merge_sel: Cell<[Option<[f64; 4]>; 4]>,
}

/// Shared clause; compared by identity.
pub type Ri = Rc<RestrictInfo>;

/// A join whose order is restricted.
#[derive(Clone, Debug)]
pub struct SpecialJoin {
    pub min_left: Relids,
    pub min_right: Relids,
    pub syn_left: Relids,
    pub syn_right: Relids,
    pub kind: JoinType,
    pub lhs_strict: bool,
    pub delay_upper: bool,
    /// Semi join: can the right side be made unique?
    pub semi_can_hash: bool,
    pub semi_can_sort: bool,
    pub semi_operators: Vec<Oid>,
    pub semi_rhs: Vec<Expr>,
}

/// An index as the planner sees it.
#[derive(Debug)]
pub struct IndexInfo {
    pub desc: Ref<catalog::desc::IndexDesc>,
    pub pages: f64,
    pub tuples: f64,
    pub tree_height: u32,
    /// Stripped key expressions, with Vars of the relation's number.
    pub exprs: Vec<Expr>,
    pub predicate: Vec<Expr>,
    pub pred_ok: bool,
    /// All clauses of the relation minus those implied by the predicate.
    pub restrict: Vec<Ri>,
    pub unique: bool,
    pub immediate: bool,
}

/// A base or join relation.
pub struct RelInfo {
    pub relids: Relids,
    /// Base relations: range table number, else 0.
    pub rti: u32,
    pub rows: f64,
    pub tuples: f64,
    pub pages: f64,
    pub all_visible: f64,
    /// Output columns.
    pub target: Rc<Target>,
    /// Base relations: attribute → relations (bit 0: the final output) that need it, in order of first need.
    pub needed: Vec<(Expr, Relids)>,
    pub indexes: Vec<Rc<IndexInfo>>,
    /// Statistics objects with data, by OID.
    pub statlist: Vec<crate::selectivity::extended::StatInfo>,
    pub base_clauses: Vec<Ri>,
    pub base_cost: QualCost,
    pub join_clauses: Vec<Ri>,
    pub has_eclass_joins: bool,
    pub lateral: Relids,
    /// The columns of other relations it refers to.
    pub lateral_vars: Vec<Expr>,
    pub paths: Vec<Rc<Path>>,
    pub cheapest_startup: Option<Rc<Path>>,
    pub cheapest_total: Option<Rc<Path>>,
    pub cheapest_param: Vec<Rc<Path>>,
    pub unique_path: Option<Option<Rc<Path>>>,
    pub consider_startup: bool,
    pub relation: Option<Ref<Relation>>,
    pub subroot: Option<Box<Root>>,
    pub param_infos: Vec<Rc<crate::path::ParamInfo>>,
    /// Proven empty.
    pub dummy: bool,
    /// An append relation: its members, and the widths of its columns.
    pub members: Vec<u32>,
    pub widths: Vec<(i16, i32)>,
    /// A member of one: what stands for the parent's columns.
    pub member: Option<Rc<crate::append::Member>>,
    /// A member: the sort expressions of equivalence classes that are its own (class, type, expression).
    pub member_exprs: Option<Rc<Vec<(usize, Oid, Expr)>>>,
    /// Known results of uniqueness proofs: outer relations for which this one is unique / is not.
    pub unique_for: Vec<Relids>,
    pub non_unique_for: HashSet<Relids>,
    /// Workers may compute it.
    pub consider_parallel: bool,
    /// Paths each process computes a part of, cheapest first.
    pub partial: Vec<Rc<Path>>,
    /// Storage parameter `parallel_workers`.
    pub option_workers: Option<u32>,
}

/// One query level under planning.
pub struct Root {
    pub depth: usize,
    pub query: Query,
    /// By range table number.
    pub base: Vec<Option<RelInfo>>,
    pub join_rels: Vec<RelInfo>,
    pub join_index: HashMap<Relids, usize>,
    pub all_base: Relids,
    /// Some base relation has statistics objects.
    pub has_statistics: bool,
    /// Base relations that can be null-extended.
    pub nullable_base: Relids,
    pub sjis: Vec<SpecialJoin>,
    /// Planned sub-selects that several columns are assigned from, by where they stand in the text.
    pub multi: Vec<(usize, Expr)>,
    pub ecs: Vec<EquivClass>,
    pub oj_left: Vec<Ri>,
    pub oj_right: Vec<Ri>,
    pub oj_full: Vec<Ri>,
    /// No order: shared by the paths that have none.
    pub no_keys: Rc<[PathKey]>,
    pub query_pathkeys: Vec<PathKey>,
    pub group_pathkeys: Vec<PathKey>,
    pub distinct_pathkeys: Vec<PathKey>,
    pub sort_pathkeys: Vec<PathKey>,
    pub init_plans: Vec<SubPlan>,
    /// Total pages of all base tables (cache share of index scans).
    pub total_pages: f64,
    pub limit_tuples: f64,
    pub tuple_fraction: f64,
    pub has_having: bool,
    pub has_pseudoconstant: bool,
    pub has_lateral: bool,
    /// The processed target list (junk included).
    pub tlist: Vec<analyze::expr::TargetEntry>,
    /// `tlist` as the target that scan and join deliver, where no step in between computes anything.
    pub plain_target: Option<Rc<crate::path::Target>>,
    pub having: Vec<Expr>,
    pub row_marks: Vec<PlanRowMark>,
    /// Outer references that nested loops must supply while making the plan.
    pub cur_outer: Relids,
    pub cur_outer_params: Vec<crate::plan::NestLoopParam>,
    /// The target list's set-returning functions were all evaluated below grouping.
    pub srfs_done: bool,
    /// GROUPING SETS, arranged.
    pub sets: Option<crate::upper::grouping_sets::Sets>,
    /// Windows in use, in the order they are computed.
    pub windows: Vec<crate::upper::window::ActiveWindow>,
    /// min/max replaced by index look-ups.
    pub minmax: Vec<crate::upper::minmax::MinMaxAgg>,
    /// Result path after planning, with output column widths and path keys expressed over the target list.
    pub final_paths: Vec<Rc<Path>>,
    /// Partial paths that give the result of a sub-query.
    pub final_partial: Vec<Rc<Path>>,
    /// Relation `stats` of a column looked up once.
    pub stats_cache: RefCell<HashMap<(u32, i16), Option<Ref2<ColumnStats>>>>,
    /// Foreign keys whose columns the query equates.
    pub foreign_keys: Rc<Vec<crate::selectivity::foreign::KeyMatch>>,
    /// Copies of join clauses whose selectivities are those within one kind of join (see `paths::join`), by the clause's
    /// number, the join's kind and relations.
    pub join_copies: RefCell<HashMap<(u32, JoinType, Relids), Ri>>,
    /// Clauses of append relations as their members have them, by the clause's and the member's number.
    pub translated: RefCell<HashMap<(u32, u32), Ri>>,
    /// The set operations are nothing but UNION ALL: the inputs need no scan nodes of their own.
    pub flat_union: bool,
}

/// Statistics handle.
pub type Ref2<T> = Rc<T>;

impl Root {
    pub fn new(depth: usize, query: Query) -> Root {
        Root {
            depth,
            query,
            base: Vec::new(),
            join_rels: Vec::new(),
            join_index: HashMap::new(),
            all_base: Relids::EMPTY,
            has_statistics: false,
            nullable_base: Relids::EMPTY,
            sjis: Vec::new(),
            multi: Vec::new(),
            ecs: Vec::new(),
            oj_left: Vec::new(),
            oj_right: Vec::new(),
            oj_full: Vec::new(),
            no_keys: Rc::from([]),
            query_pathkeys: Vec::new(),
            group_pathkeys: Vec::new(),
            distinct_pathkeys: Vec::new(),
            sort_pathkeys: Vec::new(),
            init_plans: Vec::new(),
            total_pages: 0.0,
            limit_tuples: -1.0,
            tuple_fraction: 0.0,
            has_having: false,
            has_pseudoconstant: false,
            has_lateral: false,
            tlist: Vec::new(),
            plain_target: None,
            having: Vec::new(),
            row_marks: Vec::new(),
            cur_outer: Relids::EMPTY,
            cur_outer_params: Vec::new(),
            srfs_done: false,
            sets: None,
            windows: Vec::new(),
            minmax: Vec::new(),
            final_paths: Vec::new(),
            final_partial: Vec::new(),
            stats_cache: RefCell::default(),
            foreign_keys: Rc::default(),
            join_copies: RefCell::default(),
            translated: RefCell::default(),
            flat_union: false,
        }
    }

    /// A base relation. Callers pass numbers of relations in the join tree only.
    pub fn rel(&self, rti: u32) -> &RelInfo {
        self.base[rte_place(rti)].as_ref().expect("base relation exists")
    }
    /// A base relation, mutable.
    pub fn rel_mut(&mut self, rti: u32) -> &mut RelInfo {
        self.base[rte_place(rti)].as_mut().expect("base relation exists")
    }
    /// Base or join relation of a set; `None` if that join was never built.
    pub fn find(&self, relids: Relids) -> Option<&RelInfo> {
        if relids.is_single() {
            return self.base.get(relids.first()? as usize)?.as_ref();
        }
        self.join_index.get(&relids).map(|i| &self.join_rels[*i])
    }
    /// [`Root::find`], mutable.
    pub fn find_mut(&mut self, relids: Relids) -> Option<&mut RelInfo> {
        if relids.is_single() {
            return self.base.get_mut(relids.first()? as usize)?.as_mut();
        }
        let i = *self.join_index.get(&relids)?;
        Some(&mut self.join_rels[i])
    }
}
