//! Numbers of distinct combinations of several columns of one table, from statistics objects.

use super::variable::VarData;
use crate::root::RelInfo;
use analyze::expr::Expr;
use catalog::ext_stats::Member;

/// The number of groups that the best matching object tells for some of the variables; those are taken out.
pub fn take_known(rel: &RelInfo, vars: &mut Vec<(VarData, f64)>) -> Option<f64> {
    let mut best = None;
    let mut most = (0, 0);
    for s in rel.statlist.iter() {
        let Some(items) = &s.data().ndistinct else { continue };
        let of = |d: &VarData| -> Option<Member> {
            match &d.expr {
                Expr::Var(v) => Some(v.attno).filter(|a| *a > 0 && s.data().keys.contains(a)),
                e => s.expr_index(e).map(|i| -(i as Member) - 1),
            }
        };
        let mut members: Vec<Member> = vars.iter().filter_map(|(d, _)| of(d)).collect();
        members.sort_unstable();
        members.dedup();
        let exprs = members.iter().filter(|m| **m < 0).count();
        let matched = (exprs, members.len() - exprs);
        if members.len() < 2 || matched <= most {
            continue;
        }
        let same = |m: &[Member]| m.len() == members.len() && m.iter().all(|x| members.contains(x));
        if let Some(i) = items.iter().find(|i| same(&i.members)) {
            most = matched;
            let taken: Vec<bool> = vars.iter().map(|(d, _)| of(d).is_some()).collect();
            best = Some((i.ndistinct, taken));
        }
    }
    let (ndistinct, taken) = best?;
    let mut taken = taken.into_iter();
    vars.retain(|_| !taken.next().unwrap_or(false));
    Some(ndistinct)
}
