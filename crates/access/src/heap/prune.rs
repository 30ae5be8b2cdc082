//! Pruning: taking dead versions off a page and shortening HOT chains, under a cleanup lock (exclusive, nobody else
//! has a pin). A dead version with index entries leaves a dead line pointer behind, which only vacuum may free; dead
//! heap-only versions go at once. Vacuum freezes in the same step.

use super::header::{self, Header};
use super::page::{self, bases};
use super::visibility::{self, Hints, VacuumState};
use super::wal;
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{Error, MultiXactId, Result, Xid};
use storage::page::{PAGE_SIZE, PD_PAGE_FULL};
use storage::{Page, PageMut, Pinned, RegFlags, RmgrId};

/// What to change on a page. Logged as it is; doing and redoing are the same function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// (root, first member to keep).
    pub redirects: Vec<(u16, u16)>,
    /// Line pointers that become dead.
    pub dead: Vec<u16>,
    /// Heap-only versions that go.
    pub unused: Vec<u16>,
    /// (line pointer, [`FREEZE_XMIN`] | [`CLEAR_XMAX`]).
    pub freeze: Vec<(u16, u16)>,
    /// Oldest transaction that leaves more to prune once it is over, as the page's word.
    pub prune_word: u32,
}

/// xmin is set frozen.
pub const FREEZE_XMIN: u16 = 1;
/// xmax is cleared.
pub const CLEAR_XMAX: u16 = 2;

impl Plan {
    /// Nothing to change (but perhaps the hint)?
    pub fn is_empty(&self) -> bool {
        self.redirects.is_empty() && self.dead.is_empty() && self.unused.is_empty() && self.freeze.is_empty()
    }
    fn encode(&self) -> Vec<u8> {
        let mut v = Vec::new();
        let lens = [self.redirects.len(), self.dead.len(), self.unused.len(), self.freeze.len()];
        v.extend_from_slice(&self.prune_word.to_le_bytes());
        let pairs = |p: &[(u16, u16)]| p.iter().flat_map(|(a, b)| [*a, *b]).collect::<Vec<u16>>();
        let words = lens
            .iter()
            .map(|l| *l as u16)
            .chain(pairs(&self.redirects))
            .chain(self.dead.iter().copied())
            .chain(self.unused.iter().copied())
            .chain(pairs(&self.freeze));
        words.for_each(|w| v.extend_from_slice(&w.to_le_bytes()));
        v
    }
    /// Reads the logged form.
    pub fn decode(d: &[u8]) -> Result<Plan> {
        let mut r = wal::Reader(d);
        let prune_word = r.u32()?;
        let lens = [r.u16()?, r.u16()?, r.u16()?, r.u16()?];
        let pairs = |n: u16, r: &mut wal::Reader<'_>| -> Result<Vec<(u16, u16)>> {
            (0..n).map(|_| Ok((r.u16()?, r.u16()?))).collect()
        };
        let redirects = pairs(lens[0], &mut r)?;
        let dead = (0..lens[1]).map(|_| r.u16()).collect::<Result<_>>()?;
        let unused = (0..lens[2]).map(|_| r.u16()).collect::<Result<_>>()?;
        let freeze = pairs(lens[3], &mut r)?;
        Ok(Plan { redirects, dead, unused, freeze, prune_word })
    }
    /// Changes the page.
    pub fn apply(&self, p: &mut Page) -> Result<()> {
        let b = bases(p);
        for &(off, what) in &self.freeze {
            let t = p.item_mut(off)?;
            let mut h = Header::read(t, b);
            if what & FREEZE_XMIN != 0 {
                h.infomask |= header::XMIN_FROZEN;
            }
            if what & CLEAR_XMAX != 0 {
                h.infomask = (h.infomask & !header::XMAX_BITS) | header::XMAX_INVALID;
                h.infomask2 &= !(header::KEYS_UPDATED | header::HOT_UPDATED);
                h.xmax = Xid::INVALID;
                h.multi = MultiXactId(0);
            }
            h.write(t, b);
        }
        for &(from, to) in &self.redirects {
            p.set_redirect(from, to)?;
        }
        for &off in &self.dead {
            p.set_dead(off)?;
        }
        for &off in &self.unused {
            p.set_unused(off)?;
        }
        if !(self.redirects.is_empty() && self.dead.is_empty() && self.unused.is_empty()) {
            p.repair_fragmentation()?;
        }
        p.set_prune_xid(self.prune_word);
        p.set_flag(PD_PAGE_FULL, false);
        Ok(())
    }
}

/// Dead line pointers become unused: vacuum's second pass. They have no storage, so no item moves and an exclusive lock
/// is enough.
pub fn apply_unused(p: &mut Page, offs: &[u16]) -> Result<()> {
    for &o in offs {
        p.set_unused(o)?;
    }
    let last = (1..=p.max_offset()).rev().find(|o| !p.item_id(*o).is_unused()).unwrap_or(0);
    p.truncate_line_pointers(last);
    Ok(())
}

/// What vacuum wants frozen.
#[derive(Clone, Copy, Debug)]
pub struct FreezeLimits {
    pub xid: Xid,
    pub multi: MultiXactId,
}

/// What pruning saw on the page (of the versions that stay).
#[derive(Clone, Debug, Default)]
pub struct PageReport {
    pub live: u32,
    pub recently_dead: u32,
    /// Versions removed.
    pub removed: u32,
    /// Line pointers that became dead.
    pub newly_dead: u32,
    /// Dead line pointers now on the page, ascending.
    pub dead_items: Vec<u16>,
    /// Every version is visible to all transactions.
    pub all_visible: bool,
    /// ... and frozen.
    pub all_frozen: bool,
    /// Versions (other than dead items) on the page?
    pub has_tuples: bool,
    /// Number frozen.
    pub frozen: u32,
    /// Oldest xid and multixact left in headers.
    pub oldest_xid: Option<Xid>,
    pub oldest_multi: Option<MultiXactId>,
}

struct Planner<'a> {
    eng: &'a Engine,
    page: &'a Page,
    states: Vec<Option<(VacuumState, Header)>>,
    seen: Vec<bool>,
    plan: Plan,
    prune_xid: Option<Xid>,
}

impl Planner<'_> {
    fn hint(&mut self, xid: Xid) {
        if xid.is_normal() && self.prune_xid.is_none_or(|p| xid < p) {
            self.prune_xid = Some(xid);
        }
    }

    fn state(&self, off: u16) -> Option<(VacuumState, Header)> {
        self.states.get(off as usize).copied().flatten()
    }

    /// Decides about the chain that starts at `root`; PostgreSQL's `heap_prune_chain`.
    fn chain(&mut self, root: u16) -> Result<()> {
        let root_id = self.page.item_id(root);
        if let Some((st, h)) = self.state(root)
            && h.is_heap_only()
        {
            // Reached by no chain only when its chain was broken by an abort.
            if st == VacuumState::Dead && !h.is_hot_updated() && !self.seen[root as usize] {
                self.seen[root as usize] = true;
                self.plan.unused.push(root);
            }
            return Ok(());
        }
        let mut members: Vec<u16> = Vec::with_capacity(4);
        let mut latest_dead = 0u16;
        let mut prior: Option<Xid> = None;
        let mut off = root;
        while off != 0 && off <= self.page.max_offset() && !self.seen[off as usize] {
            let id = self.page.item_id(off);
            if id.is_redirect() {
                if !members.is_empty() {
                    break;
                }
                members.push(off);
                off = id.offset();
                continue;
            }
            let Some((st, h)) = self.state(off) else { break };
            if prior.is_some_and(|x| x != h.xmin) {
                break;
            }
            if off != root && !h.is_heap_only() {
                break;
            }
            members.push(off);
            let mut recently = false;
            match st {
                VacuumState::Dead => latest_dead = off,
                VacuumState::RecentlyDead(x) => {
                    recently = true;
                    self.hint(x);
                }
                VacuumState::DeleteInProgress => {
                    if let Some(x) = visibility::update_xid(self.eng, &h)? {
                        self.hint(x);
                    }
                }
                _ => {}
            }
            if st != VacuumState::Dead && !recently {
                break;
            }
            if !h.is_hot_updated() {
                break;
            }
            prior = visibility::update_xid(self.eng, &h)?;
            off = h.ctid.offset;
        }
        for m in &members {
            self.seen[*m as usize] = true;
        }
        if latest_dead != 0 {
            let mut i = 1;
            while i < members.len() && members[i - 1] != latest_dead {
                self.plan.unused.push(members[i]);
                i += 1;
            }
            if i >= members.len() {
                self.plan.dead.push(root);
            } else {
                self.plan.redirects.push((root, members[i]));
            }
        } else if members.len() < 2 && root_id.is_redirect() {
            self.plan.dead.push(root);
        }
        Ok(())
    }
}

/// Plans the pruning of a page and, with limits, the freezing of what stays.
fn plan(eng: &Engine, g: &PageMut, horizon: Xid, limits: Option<FreezeLimits>) -> Result<(Plan, PageReport)> {
    let max = g.max_offset();
    let b = bases(g);
    let mut states = vec![None; max as usize + 1];
    for off in 1..=max {
        let Some(t) = page::tuple(g, off)? else { continue };
        let h = Header::read(t, b);
        let mut hints = Hints::new(g.lsn());
        let st = visibility::satisfies_vacuum(eng, &h, horizon, &mut hints)?;
        if hints.bits != 0 {
            page::set_hints_exclusive(g, off, hints.bits);
        }
        let h = Header { infomask: h.infomask | hints.bits, ..h };
        states[off as usize] = Some((st, h));
    }
    let mut pl = Planner {
        eng,
        page: g,
        states,
        seen: vec![false; max as usize + 1],
        plan: Plan::default(),
        prune_xid: None,
    };
    for off in 1..=max {
        let id = g.item_id(off);
        if pl.seen[off as usize] || id.is_unused() || id.is_dead() {
            continue;
        }
        // Roots first: heap-only versions are judged after all chains have been walked.
        if pl.state(off).is_some_and(|(_, h)| h.is_heap_only()) {
            continue;
        }
        pl.chain(off)?;
    }
    for off in 1..=max {
        if !pl.seen[off as usize] && pl.state(off).is_some_and(|(_, h)| h.is_heap_only()) {
            pl.chain(off)?;
        }
    }
    pl.plan.prune_word = pl.prune_xid.filter(|x| b.xid_fits(*x)).map_or(0, |x| b.xid_word(x));
    let (mut plan, states) = (pl.plan, pl.states);
    let report = survey(eng, g, horizon, limits, &states, &mut plan)?;
    Ok((plan, report))
}

/// Looks at what stays: counts, visibility to all, freezing.
fn survey(
    eng: &Engine,
    g: &PageMut,
    horizon: Xid,
    limits: Option<FreezeLimits>,
    states: &[Option<(VacuumState, Header)>],
    plan: &mut Plan,
) -> Result<PageReport> {
    let newly_dead = plan.dead.len() as u32;
    let mut r = PageReport { newly_dead, all_visible: true, all_frozen: true, ..Default::default() };
    let mut gone = vec![false; states.len()];
    for o in plan.dead.iter().chain(&plan.unused) {
        gone[*o as usize] = true;
    }
    // A root that becomes a redirect loses its own version.
    for (from, _) in &plan.redirects {
        gone[*from as usize] = true;
    }
    for off in 1..states.len() as u16 {
        if g.item_id(off).is_dead() {
            r.dead_items.push(off);
        }
        let Some((st, h)) = states[off as usize] else { continue };
        if gone[off as usize] {
            r.removed += 1;
            continue;
        }
        r.has_tuples = true;
        match st {
            VacuumState::Live => r.live += 1,
            VacuumState::InsertInProgress | VacuumState::DeleteInProgress => {
                r.live += u32::from(st == VacuumState::DeleteInProgress);
                r.all_visible = false;
            }
            VacuumState::RecentlyDead(_) | VacuumState::Dead => {
                r.recently_dead += 1;
                r.all_visible = false;
            }
        }
        if st == VacuumState::Live {
            let committed = h.xmin_committed() || txn::did_commit(eng, h.xmin)?;
            r.all_visible &= committed && (h.xmin_frozen() || h.xmin < horizon);
        }
        let what = match limits {
            Some(l) => freeze_what(eng, &h, l)?,
            None => 0,
        };
        if what != 0 {
            plan.freeze.push((off, what));
            r.frozen += 1;
        }
        let frozen_xmin = h.xmin_frozen() || what & FREEZE_XMIN != 0;
        if !frozen_xmin && h.xmin.is_normal() {
            r.oldest_xid = Some(r.oldest_xid.map_or(h.xmin, |o| o.min(h.xmin)));
        }
        let no_xmax = h.infomask & header::XMAX_INVALID != 0 && !h.is_multi() && h.xmax == Xid::INVALID
            || what & CLEAR_XMAX != 0;
        if !no_xmax {
            if h.is_multi() {
                r.oldest_multi = Some(r.oldest_multi.map_or(h.multi, |o| o.min(h.multi)));
            } else if h.xmax.is_normal() {
                r.oldest_xid = Some(r.oldest_xid.map_or(h.xmax, |o| o.min(h.xmax)));
            }
        }
        r.all_frozen &= frozen_xmin && no_xmax;
    }
    for o in &plan.dead {
        r.dead_items.push(*o);
    }
    r.dead_items.sort_unstable();
    if !r.dead_items.is_empty() {
        r.all_visible = false;
    }
    r.all_frozen &= r.all_visible;
    Ok(r)
}

/// What of a live version's header is old enough to be frozen.
fn freeze_what(eng: &Engine, h: &Header, l: FreezeLimits) -> Result<u16> {
    let mut what = 0;
    if !h.xmin_frozen()
        && (!h.xmin.is_normal() || h.xmin < l.xid)
        && (h.xmin_committed() || txn::did_commit(eng, h.xmin)?)
    {
        what |= FREEZE_XMIN;
    }
    if h.is_multi() {
        let old = h.multi < l.multi;
        if old && !txn::multi_running(eng, h.multi, h.is_locked_only())? {
            let updater = if h.is_locked_only() { None } else { txn::multi_update_xid(eng, h.multi)? };
            let updated = match updater {
                Some(x) => txn::did_commit(eng, x)?,
                None => false,
            };
            if !updated {
                what |= CLEAR_XMAX;
            }
        }
    } else if h.xmax.is_normal() && h.xmax < l.xid && !txn::in_progress(eng, h.xmax) {
        let gone =
            h.infomask & header::XMAX_INVALID != 0 || h.is_locked_only() || !txn::did_commit(eng, h.xmax)?;
        if gone {
            what |= CLEAR_XMAX;
        }
    } else if h.infomask & header::XMAX_INVALID != 0 && h.xmax != Xid::INVALID && h.xmax < l.xid {
        what |= CLEAR_XMAX;
    }
    Ok(what)
}

/// Prunes (and freezes) a page under a cleanup lock. The caller has made sure that no one else has a pin.
pub fn prune_page(
    eng: &Engine,
    rel: &Rel,
    g: &mut PageMut,
    horizon: Xid,
    limits: Option<FreezeLimits>,
) -> Result<PageReport> {
    let (plan, report) = plan(eng, g, horizon, limits)?;
    if plan.is_empty() {
        let stale = g.prune_xid() != plan.prune_word || g.flags() & PD_PAGE_FULL != 0;
        if stale {
            // A hint: the image that a torn write would need is logged first.
            g.mark_dirty_hint();
            let cr = txn::store(eng).begin_critical();
            let p = cr.page(g);
            p.set_prune_xid(plan.prune_word);
            p.set_flag(PD_PAGE_FULL, false);
            cr.unlogged();
        }
        return Ok(report);
    }
    let cr = txn::store(eng).begin_critical();
    plan.apply(cr.page(g))?;
    wal::finish(rel, &cr, || {
        let mut r = cr.record(RmgrId::HEAP2, wal::PRUNE, txn::current_xid(eng));
        r.block(0, g, RegFlags::STANDARD);
        r.block_data(0, &plan.encode());
        r
    });
    Ok(report)
}

/// Prunes on access if that looks worthwhile: there is something to prune, the page is getting full, and nobody else
/// is looking.
pub fn prune_opt(eng: &Engine, rel: &Rel, pin: &Pinned) -> Result<()> {
    let p = pin.page_pinned();
    let word = p.prune_xid();
    if word == 0 {
        return Ok(());
    }
    let min_free = rel.target_free_space().max(PAGE_SIZE / 10);
    if p.flags() & PD_PAGE_FULL == 0 && p.heap_free_space() >= min_free {
        return Ok(());
    }
    let horizon = txn::prune_horizon(eng, rel);
    if bases(p).xid(word) >= horizon {
        return Ok(());
    }
    let Some(mut g) = pin.try_for_cleanup() else { return Ok(()) };
    if g.is_new() {
        return Err(Error::corrupted("pruning a page that was never initialised"));
    }
    let r = prune_page(eng, rel, &mut g, horizon, None)?;
    // A dead line pointer still is work for vacuum.
    eng.count_pruned(rel.stat_key(), u64::from(r.removed.saturating_sub(r.newly_dead)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_survive_the_log() {
        let p = Plan {
            redirects: vec![(1, 3), (7, 9)],
            dead: vec![2],
            unused: vec![4, 5],
            freeze: vec![(6, FREEZE_XMIN | CLEAR_XMAX)],
            prune_word: 99,
        };
        assert_eq!(Plan::decode(&p.encode()).unwrap(), p);
        assert!(Plan::decode(&p.encode()[..9]).is_err());
    }
}
