//! Portals: a statement being run, by the extended protocol (Bind, Execute) or as a cursor (DECLARE, FETCH). Forward
//! reading streams from the plan; cursors that may go back keep the rows they have passed.

use super::Session;
use super::prepared::{Prepared, Work};
use super::statement_stats::Meter;
use analyze::OutputColumn;
use commands::extension::pg_stat_statements::Phase;
use common::{Result, bail, err};
use executor::run::{CompiledPlan, QueryRun, RunOptions};
use parser::ast::{FETCH_ALL, FetchDirection, Statement};
use std::rc::Rc;
use transam::SubXactId;
use types::Datum;

/// One row kept by a portal.
pub type Row = Vec<Datum>;

/// A portal.
pub struct Portal {
    pub name: String,
    pub prepared: Rc<Prepared>,
    /// Name under which the statement was prepared, for the log.
    pub statement_name: String,
    pub columns: Rc<Vec<OutputColumn>>,
    pub formats: Vec<i16>,
    pub params: Vec<Datum>,
    pub state: State,
    /// Declared by SQL: `pg_cursors` shows it, FETCH works on it.
    pub options: u32,
    pub is_cursor: bool,
    pub holdable: bool,
    /// Keeps rows for backward fetches.
    pub scroll: bool,
    pub subxact: SubXactId,
    /// Made by a transaction that has committed since (holdable only).
    pub survived: bool,
    /// Its transaction has failed: it can do nothing more, but is there until that is rolled back.
    pub orphaned: bool,
    pub created_at: i64,
    /// What running it has used so far, for statistics. A cursor's query is not counted.
    meter: Option<Meter>,
    /// Rows handed out by the run.
    produced: u64,
    /// Rows kept: those from number `first + 1` on.
    rows: Vec<Row>,
    /// Tables whose rows WHERE CURRENT OF can name, and for each row kept where it lies in them.
    pub marks: Vec<super::current_of::Mark>,
    places: Vec<Row>,
    first: u64,
    /// Row the cursor stands on: 0 before the first, rows + 1 behind the last.
    position: u64,
}

/// How far it is.
pub enum State {
    Ready,
    /// Planned by Bind; runs, and takes its snapshot, at the first Execute (statements that change data).
    Planned {
        plan: Box<CompiledPlan>,
        cached: bool,
    },
    Running {
        run: Box<QueryRun>,
        cached: bool,
    },
    /// All rows are in `rows` (data-changing statements with RETURNING, holdable cursors after commit).
    Materialized,
    Done {
        tag: String,
    },
    Failed,
}

impl Portal {
    /// A portal about to run.
    pub fn new(
        session: &Session,
        name: &str,
        prepared: Rc<Prepared>,
        columns: Rc<Vec<OutputColumn>>,
    ) -> Portal {
        Portal {
            name: name.to_string(),
            prepared,
            statement_name: String::new(),
            columns,
            formats: Vec::new(),
            params: Vec::new(),
            state: State::Ready,
            options: 0,
            is_cursor: false,
            holdable: false,
            scroll: false,
            subxact: session.engine.current_subxact(),
            survived: false,
            orphaned: false,
            created_at: session.engine.statement_timestamp(),
            meter: None,
            produced: 0,
            rows: Vec::new(),
            marks: Vec::new(),
            places: Vec::new(),
            first: 0,
            position: 0,
        }
    }

    /// Plans and begins.
    pub fn start(&mut self, session: &Session) -> Result<()> {
        let (mut plan, cached) = match self.take_plan(session) {
            Some(p) => p,
            None => {
                let analysis = session.analysis(&self.prepared, false)?;
                session.plan_for(&self.prepared, &analysis, &self.params, self.is_cursor)?
            }
        };
        if !self.marks.is_empty() {
            plan.show_junk();
            if plan.stmt().row_marks.is_empty() && !super::current_of::is_simple(&plan.stmt().plan) {
                self.marks.clear();
            }
        }
        session.check_privileges(&self.prepared)?;
        let snapshot = session.engine.transaction_snapshot()?;
        let opts = RunOptions { snapshot: Some(snapshot), ..RunOptions::default() };
        let mut meter = if self.is_cursor { None } else { session.meter() };
        let run = QueryRun::start(plan, &self.params, &opts)?;
        if let Some(m) = &mut meter {
            session.pause(m);
        }
        self.meter = meter;
        self.state = State::Running { run: Box::new(run), cached };
        Ok(())
    }

    /// Plans without beginning.
    pub fn plan(&mut self, session: &Session) -> Result<()> {
        let analysis = session.analysis(&self.prepared, false)?;
        let (plan, cached) = session.plan_for(&self.prepared, &analysis, &self.params, false)?;
        self.state = State::Planned { plan: Box::new(plan), cached };
        Ok(())
    }

    /// The plan Bind made, unless the catalogs have changed since.
    pub fn take_plan(&mut self, session: &Session) -> Option<(CompiledPlan, bool)> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Planned { plan, cached } => {
                session.plan_is_current(&self.prepared).then_some((*plan, cached))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// The run itself, if nothing has been read from it: its rows can go to the client without being kept.
    pub fn take_fresh_run(&mut self, session: &Session) -> Option<(QueryRun, bool, Option<Meter>)> {
        if self.position > 0 || !self.rows.is_empty() || self.scroll {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Running { run, cached } => {
                let mut meter = self.meter.take();
                if let Some(m) = &mut meter {
                    session.resume(m);
                }
                Some((*run, cached, meter))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Ends the run and gives a cached plan back.
    pub fn stop(&mut self, session: &Session, next: State) {
        let (plan, cached) = match std::mem::replace(&mut self.state, next) {
            State::Running { run, cached } => {
                self.count(session);
                (run.end(), cached)
            }
            State::Planned { plan, cached } if session.plan_is_current(&self.prepared) => (*plan, cached),
            _ => return,
        };
        if cached {
            session.return_plan(&self.prepared, plan);
        }
    }

    /// The run is over: what it has used is counted.
    fn count(&mut self, session: &Session) {
        if let Some(m) = self.meter.take()
            && let Ok(a) = session.analysis(&self.prepared, false)
        {
            session.count_paused(&a, &self.prepared.source, Phase::Execute, &m, self.produced);
        }
    }

    /// Reads rows into `rows` until there are `upto` in all or no more; true if the end was reached.
    fn fill(&mut self, session: &Session, upto: u64) -> Result<bool> {
        loop {
            let have = self.first + self.rows.len() as u64;
            let State::Running { run, .. } = &mut self.state else { return Ok(true) };
            if have >= upto {
                return Ok(false);
            }
            let want = usize::try_from(upto - have).unwrap_or(usize::MAX).min(types::column::BATCH_ROWS);
            if let Some(m) = &mut self.meter {
                session.resume(m);
            }
            let batch = run.next(want)?;
            if let Some(m) = &mut self.meter {
                session.pause(m);
            }
            match batch {
                Some(b) => {
                    self.produced += b.live_count() as u64;
                    let n = self.columns.len();
                    let (rows, places, marks) = (&mut self.rows, &mut self.places, &self.marks);
                    b.live().each(|i| {
                        rows.push(b.cols[..n].iter().map(|c| c.get(i).to_owned()).collect());
                        if !marks.is_empty() {
                            let place = |c: usize| b.cols.get(c).map_or(Datum::Null, |c| c.get(i).to_owned());
                            places.push(marks.iter().map(|m| place(m.column)).collect());
                        }
                        Ok::<(), common::Error>(())
                    })?;
                }
                None => {
                    self.produced = run.finish()?;
                    self.stop(session, State::Materialized);
                }
            }
        }
    }

    /// Runs to the end and keeps everything that is left.
    pub fn materialize(&mut self, session: &Session) -> Result<()> {
        self.fill(session, u64::MAX)?;
        Ok(())
    }

    /// Moves by `direction` and `count`, handing out rows in the order passed. Returns how many.
    pub fn fetch(
        &mut self,
        session: &Session,
        direction: FetchDirection,
        count: i64,
        sink: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        match direction {
            FetchDirection::Forward if count < 0 => self.backward(session, count.unsigned_abs(), sink),
            FetchDirection::Forward => self.forward(session, count as u64, sink),
            FetchDirection::Backward if count == FETCH_ALL => self.backward(session, u64::MAX, sink),
            FetchDirection::Backward if count < 0 => self.forward(session, count.unsigned_abs(), sink),
            FetchDirection::Backward => self.backward(session, count as u64, sink),
            FetchDirection::Absolute => self.absolute(session, count, sink),
            FetchDirection::Relative => {
                let target = self.position as i64 + count;
                if count == 0 {
                    return self.current(session, sink);
                }
                if target <= 0 {
                    self.backward(session, u64::MAX, &mut |_| Ok(()))?;
                    return Ok(0);
                }
                self.to(session, target as u64, sink)
            }
        }
    }

    fn row(&self, number: u64) -> Option<&Row> {
        let i = number.checked_sub(self.first + 1)?;
        self.rows.get(usize::try_from(i).ok()?)
    }

    /// Where the row it stands on lies in the table of a mark.
    pub fn place(&self, mark: usize) -> Option<Datum> {
        let i = self.position.checked_sub(self.first + 1)?;
        self.places.get(usize::try_from(i).ok()?)?.get(mark).cloned()
    }

    fn current(&mut self, _session: &Session, sink: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64> {
        match self.row(self.position) {
            Some(r) => sink(r).map(|()| 1),
            None => Ok(0),
        }
    }

    fn forward(
        &mut self,
        session: &Session,
        count: u64,
        sink: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        if count == 0 {
            return self.current(session, sink);
        }
        let mut n = 0;
        while n < count {
            // In steps, so that a forward-only portal holds one batch at a time.
            let step = (count - n).min(types::column::BATCH_ROWS as u64);
            let ended = self.fill(session, self.position.saturating_add(step))?;
            let mut moved = 0;
            while moved < step {
                let Some(r) = self.row(self.position + 1) else { break };
                sink(r)?;
                self.position += 1;
                moved += 1;
            }
            n += moved;
            if moved < step {
                debug_assert!(ended);
                self.position = self.first + self.rows.len() as u64 + 1;
                break;
            }
            self.forget_passed();
        }
        Ok(n)
    }

    /// A portal that cannot go back keeps only the row it stands on.
    fn forget_passed(&mut self) {
        if self.scroll || matches!(self.state, State::Materialized) && self.holdable {
            return;
        }
        let keep_from = self.position.saturating_sub(1).max(self.first);
        let gone = (keep_from - self.first) as usize;
        self.rows.drain(..gone.min(self.rows.len()));
        self.places.drain(..gone.min(self.places.len()));
        self.first = keep_from;
    }

    fn backward(
        &mut self,
        session: &Session,
        count: u64,
        sink: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        if count == 0 {
            return self.current(session, sink);
        }
        if !self.scroll {
            return Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
                .hint("Declare it with SCROLL option to enable backward scan."));
        }
        let mut n = 0;
        while n < count && self.position > 1 {
            self.position -= 1;
            let Some(r) = self.row(self.position) else { break };
            sink(r)?;
            n += 1;
        }
        if n < count {
            self.position = 0;
        }
        Ok(n)
    }

    fn absolute(
        &mut self,
        session: &Session,
        count: i64,
        sink: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        if count > 0 {
            return self.to(session, count as u64, sink);
        }
        if count == 0 {
            if self.position > 0 {
                self.backward(session, u64::MAX, &mut |_| Ok(()))?;
            }
            return Ok(0);
        }
        self.fill(session, u64::MAX)?;
        let total = self.first + self.rows.len() as u64;
        match total.checked_sub(count.unsigned_abs() - 1) {
            Some(target) if target > 0 => self.to(session, target, sink),
            _ => {
                self.backward(session, u64::MAX, &mut |_| Ok(()))?;
                Ok(0)
            }
        }
    }

    /// Stands on row `target` and hands it out.
    fn to(
        &mut self,
        session: &Session,
        target: u64,
        sink: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        if target <= self.position && !self.scroll && target != self.position {
            return Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
                .hint("Declare it with SCROLL option to enable backward scan."));
        }
        self.fill(session, target)?;
        let total = self.first + self.rows.len() as u64;
        self.position = target.min(total + 1);
        self.current(session, sink)
    }
}

impl Session {
    pub(super) fn portal(&self, name: &str) -> Option<Rc<std::cell::RefCell<Portal>>> {
        let p = self.portals.borrow().get(name).cloned()?;
        if p.try_borrow().is_ok_and(|p| p.orphaned) && !self.engine.is_aborted_block() {
            self.portals.borrow_mut().remove(name);
            return None;
        }
        Some(p)
    }

    /// A cursor by name, or 34000.
    pub(super) fn require_cursor(&self, name: &str) -> Result<Rc<std::cell::RefCell<Portal>>> {
        match self.portal(name) {
            Some(p) => Ok(p),
            None => bail!(INVALID_CURSOR_NAME, "cursor \"{name}\" does not exist"),
        }
    }

    /// DECLARE.
    pub(super) fn declare_cursor(
        &self,
        d: &parser::ast::DeclareCursorStmt,
        source: &Rc<str>,
        params: &[Datum],
        types: &[common::Oid],
    ) -> Result<()> {
        use parser::ast::cursor_opt as opt;
        let holdable = d.options & opt::HOLD != 0;
        if d.options & opt::BINARY != 0 && d.options & opt::SCROLL != 0 && d.options & opt::NO_SCROLL != 0 {
            bail!(INVALID_CURSOR_DEFINITION, "cannot specify both SCROLL and NO SCROLL");
        }
        if self.portal(&d.portalname).is_some() {
            bail!(DUPLICATE_CURSOR, "cursor \"{}\" already exists", d.portalname);
        }
        let stmt = Statement::Select(d.query.clone());
        let raw = parser::ast::RawStmt { stmt, location: 0, len: source.len() };
        let prepared = Rc::new(Prepared::new(source.clone(), Some(Rc::new(raw)), types.to_vec()));
        let analysis = self.analysis(&prepared, false)?;
        let Work::Query(q) = &analysis.work else {
            bail!(INVALID_CURSOR_DEFINITION, "DECLARE CURSOR must specify a query");
        };
        if q.has_modifying_cte {
            bail!(FEATURE_NOT_SUPPORTED, "DECLARE CURSOR must not contain data-modifying statements in WITH");
        }
        if !holdable {
            self.engine.require_block(true, "DECLARE CURSOR")?;
        }
        let locks_rows = !q.row_marks.is_empty();
        if locks_rows && holdable {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "DECLARE CURSOR WITH HOLD ... FOR UPDATE is not supported"
            )
            .detail("Holdable cursors must be READ ONLY."));
        }
        if locks_rows && d.options & opt::SCROLL != 0 {
            return Err(err!(FEATURE_NOT_SUPPORTED, "DECLARE SCROLL CURSOR ... FOR UPDATE is not supported")
                .detail("Scrollable cursors must be READ ONLY."));
        }
        let columns = analysis.columns.clone();
        let (marked, marks) = analysis.marked();
        if let Some(q) = marked.filter(|_| !marks.is_empty()) {
            prepared.replace_query(q);
        }
        let mut p = Portal::new(self, &d.portalname, prepared, columns);
        p.marks = marks;
        p.is_cursor = true;
        p.holdable = holdable;
        p.options = d.options;
        p.scroll = d.options & opt::NO_SCROLL == 0 && !locks_rows;
        p.params = params.to_vec();
        if d.options & opt::BINARY != 0 {
            p.formats = vec![1];
        }
        p.start(self)?;
        if d.options & (opt::SCROLL | opt::NO_SCROLL) == 0
            && let State::Running { run, .. } = &p.state
        {
            p.scroll &= planner::supports_backward_scan(&run.stmt().plan);
        }
        self.portals.borrow_mut().insert(d.portalname.clone(), Rc::new(p.into()));
        Ok(())
    }

    /// Drops a portal.
    pub(super) fn drop_portal(&self, name: &str) {
        let p = self.portals.borrow_mut().remove(name);
        if let Some(p) = p
            && let Ok(mut p) = p.try_borrow_mut()
        {
            p.stop(self, State::Failed);
        }
    }

    /// CLOSE ALL.
    pub(super) fn drop_all_cursors(&self) {
        let names: Vec<String> = self
            .portals
            .borrow()
            .iter()
            .filter(|(_, p)| p.try_borrow().is_ok())
            .map(|(n, _)| n.clone())
            .collect();
        for n in names {
            self.drop_portal(&n);
        }
    }

    /// Holdable cursors read the rest of their rows; the others end.
    pub(super) fn portals_before_commit(&self) -> Result<()> {
        let all: Vec<_> = self.portals.borrow().iter().map(|(n, p)| (n.clone(), p.clone())).collect();
        for (name, p) in all {
            // The portal that runs the COMMIT itself is in use: it ends by itself.
            let Ok(mut portal) = p.try_borrow_mut() else { continue };
            if portal.survived {
                continue;
            }
            if portal.holdable {
                portal.materialize(self)?;
                portal.survived = true;
            } else {
                portal.stop(self, State::Failed);
                self.portals.borrow_mut().remove(&name);
            }
        }
        Ok(())
    }

    pub(super) fn portals_at_abort(&self) {
        self.orphan_portals_if(|_| true);
    }

    pub(super) fn portals_at_subabort(&self, id: SubXactId) {
        self.orphan_portals_if(|p| p.subxact >= id);
    }

    /// Those left by an earlier failure go for good.
    fn orphan_portals_if(&self, test: impl Fn(&Portal) -> bool) {
        self.portals.borrow_mut().retain(|_, p| match p.try_borrow_mut() {
            Ok(mut p) if !p.survived && test(&p) => {
                let is_news = !std::mem::replace(&mut p.orphaned, true);
                // What it had pinned or opened goes now; a plan in the middle of a failed run is not reused.
                p.state = State::Failed;
                p.rows = Vec::new();
                is_news
            }
            _ => true,
        });
    }
}
