//! INSERT, UPDATE and DELETE on simple views: the statement is turned into one on the view's table. The view's columns
//! become the table's, its WHERE is added, and WITH CHECK OPTION's conditions go along to be tested on new rows.

use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::query::*;
use crate::walk;
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail, err};

/// Views over views nested deeper than this are taken for a recursion.
const DEPTH_MAX: u32 = 100;

/// Why a view cannot be written through; `None` if it can.
pub fn not_updatable(q: &Query) -> Option<&'static str> {
    let single = || match q.jointree.from.as_slice() {
        [JoinTree::Rte(n)] => matches!(
            q.rte(*n).kind,
            RteKind::Relation { relkind: b'r' | b'v' | b'p' | b'f', tablesample: None, .. }
        ),
        _ => false,
    };
    Some(match () {
        () if !q.distinct.is_empty() => "Views containing DISTINCT are not automatically updatable.",
        () if !q.group_clause.is_empty() || !q.grouping_sets.is_empty() => {
            "Views containing GROUP BY are not automatically updatable."
        }
        () if q.having.is_some() => "Views containing HAVING are not automatically updatable.",
        () if q.set_operations.is_some() => {
            "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."
        }
        () if !q.ctes.is_empty() => "Views containing WITH are not automatically updatable.",
        () if q.limit_offset.is_some() || q.limit_count.is_some() => {
            "Views containing LIMIT or OFFSET are not automatically updatable."
        }
        () if q.has_aggs => "Views that return aggregate functions are not automatically updatable.",
        () if q.has_window_funcs => "Views that return window functions are not automatically updatable.",
        () if q.has_target_srfs => {
            "Views that return set-returning functions are not automatically updatable."
        }
        () if !single() => {
            "Views that do not select from a single table or view are not automatically updatable."
        }
        () => return None,
    })
}

/// Replaces a view as the target of a statement by its table, through as many views as there are.
pub fn expand_target(ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    let mut cascaded = false;
    for _ in 0..DEPTH_MAX {
        let Some(rte) = q.rtable.get((q.result_relation as usize).wrapping_sub(1)) else { return Ok(()) };
        let RteKind::Relation { relid, relkind: b'v', .. } = rte.kind else { return Ok(()) };
        let view = ctx.catalog.relation(relid)?;
        let mut by_cursor = false;
        if let Some(e) = &q.jointree.quals {
            walk::walk(e, 0, &mut |x, _| {
                by_cursor |= matches!(x, Expr::CurrentOf { .. });
                true
            });
        }
        if by_cursor {
            bail!(FEATURE_NOT_SUPPORTED, "WHERE CURRENT OF on a view is not implemented");
        }
        one_view(ctx, q, &view, &mut cascaded)?;
    }
    bail!(INVALID_OBJECT_DEFINITION, "infinite recursion detected in rules for a view")
}

fn refused(q: &Query, view: &Relation, reason: &str) -> Error {
    let (verb, doing, event) = match q.command {
        CmdType::Insert => ("insert into", "inserting into", "INSERT"),
        CmdType::Update => ("update", "updating", "UPDATE"),
        _ => ("delete from", "deleting from", "DELETE"),
    };
    err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cannot {verb} view \"{}\"", view.name).detail(reason).hint(format!(
        "To enable {doing} the view, provide an INSTEAD OF {event} trigger or an unconditional ON {event} DO INSTEAD rule."
    ))
}

/// A view's columns as expressions over its table.
struct Columns {
    exprs: Vec<Expr>,
    names: Vec<String>,
    base: u32,
    row_type: Oid,
}

impl Columns {
    /// The expression behind a column (0: the row), over range table entry `rti`.
    fn over(&self, attno: i16, rti: u32, depth: u32) -> Option<Expr> {
        let mut e = match attno {
            0 => Expr::Row {
                args: self.exprs.clone(),
                row_type: self.row_type,
                col_names: self.names.clone(),
                location: None,
            },
            n => self.exprs.get(usize::try_from(n).ok()?.checked_sub(1)?)?.clone(),
        };
        renumber(&mut e, self.base, rti);
        if depth > 0 {
            super::shift_levels(&mut e, depth as i32);
        }
        Some(e)
    }

    /// The table's column behind a column of the view, to be assigned to.
    fn assigned(&self, q: &Query, view: &Relation, attno: i16, setting: bool) -> Result<i16> {
        let name = &self.names[attno as usize - 1];
        let reason = match &self.exprs[attno as usize - 1] {
            Expr::Var(v) if v.varno == VarNo::Rte(self.base) && v.levels_up == 0 => match v.attno {
                n if n > 0 => return Ok(n),
                0 => "View columns that return whole-row references are not updatable.",
                _ => "View columns that refer to system columns are not updatable.",
            },
            _ => "View columns that are not columns of their base relation are not updatable.",
        };
        let verb = if q.command == CmdType::Insert && !setting { "insert into" } else { "update" };
        Err(err!(FEATURE_NOT_SUPPORTED, "cannot {verb} column \"{name}\" of view \"{}\"", view.name)
            .detail(reason))
    }

    /// Table columns that a list of view columns reads.
    fn mapped(&self, columns: &[i16]) -> Vec<i16> {
        let of = |c: &i16| match self.exprs.get((*c as usize).wrapping_sub(1)) {
            Some(Expr::Var(v)) if *c > 0 => Some(v.attno),
            _ => None,
        };
        columns.iter().filter_map(of).collect()
    }
}

/// Makes references to one entry of a view's query references to another of the statement's.
fn renumber(e: &mut Expr, from: u32, to: u32) {
    walk::walk_mut(e, 0, &mut |x, d| {
        if let Expr::Var(v) = x
            && v.levels_up == d
            && v.varno == VarNo::Rte(from)
        {
            v.varno = VarNo::Rte(to);
            v.syn.0 = to;
        }
        true
    });
}

/// Replaces references to a view's columns in the whole statement.
fn substitute(q: &mut Query, view_rti: u32, columns: &Columns, rti: u32) {
    walk::walk_query_mut(q, 0, &mut |x, d| {
        if let Expr::Var(v) = x
            && v.levels_up == d
            && v.varno == VarNo::Rte(view_rti)
            && let Some(e) = columns.over(v.attno, rti, d)
        {
            *x = e;
        }
        true
    });
}

fn replace_in_tree(t: &mut JoinTree, from: u32, to: u32) {
    match t {
        JoinTree::Rte(n) if *n == from => *n = to,
        JoinTree::Rte(_) => {}
        JoinTree::Join(j) => {
            replace_in_tree(&mut j.left, from, to);
            replace_in_tree(&mut j.right, from, to);
        }
        JoinTree::From(f) => f.from.iter_mut().for_each(|c| replace_in_tree(c, from, to)),
    }
}

fn option<'o>(view: &'o Relation, name: &str) -> Option<&'o str> {
    view.options.iter().find_map(|o| o.strip_prefix(name)?.strip_prefix('='))
}

fn one_view(ctx: &AnalyzeCtx<'_>, q: &mut Query, view: &Relation, cascaded: &mut bool) -> Result<()> {
    let Some(text) = &view.view_query else {
        bail!(INTERNAL_ERROR, "view \"{}\" has no stored query", view.name);
    };
    let mut body = Query::clone(&*crate::load_stored(text)?);
    if let Some(reason) = not_updatable(&body) {
        return Err(refused(q, view, reason));
    }
    let [JoinTree::Rte(base)] = body.jointree.from.as_slice() else {
        return Err(Error::internal("view without a table"));
    };
    let base = *base;
    let view_rti = q.result_relation;
    let owner = super::view::reader(view, q.rte(view_rti).check_as_user);
    super::view::lock_relations(ctx, &mut body, owner, None)?;
    let list = body.target_list.iter().filter(|t| !t.junk);
    let columns = Columns {
        names: list.clone().map(|t| t.name.as_deref().unwrap_or_default().to_string()).collect(),
        exprs: list.map(|t| t.expr.clone()).collect(),
        base,
        row_type: view.row_type,
    };
    let rti = add_base(ctx, q, &body, &columns, view_rti)?;
    let setting = q.command != CmdType::Insert;
    let mut targets = std::mem::take(&mut q.target_list);
    assign_to_base(ctx, q, view, &columns, rti, &mut targets, setting)?;
    q.target_list = targets;
    if let Some(mut oc) = q.on_conflict.take() {
        assign_to_base(ctx, q, view, &columns, rti, &mut oc.set, true)?;
        let old = oc.excluded_rti;
        if old != 0 {
            let mut excluded = q.rte(rti).clone();
            excluded.alias = Some("excluded".into());
            excluded.eref_name = "excluded".into();
            excluded.required_perms = 0;
            excluded.selected_cols.clear();
            q.rtable.push(excluded);
            oc.excluded_rti = q.rtable.len() as u32;
        }
        let new = oc.excluded_rti;
        q.on_conflict = Some(oc);
        if old != 0 {
            substitute(q, old, &columns, new);
        }
    }
    substitute(q, view_rti, &columns, rti);
    q.jointree.from.iter_mut().for_each(|t| replace_in_tree(t, view_rti, rti));
    q.result_relation = rti;
    q.has_sub_links |= body.has_sub_links;
    let Some(mut qual) = body.jointree.quals.take() else {
        *cascaded |= option(view, "check_option") == Some("cascaded");
        return Ok(());
    };
    renumber(&mut qual, base, rti);
    let checks = option(view, "check_option");
    if q.command != CmdType::Delete && (checks.is_some() || *cascaded) {
        // The innermost view's condition is tested first.
        q.check_options.insert(0, ViewCheck { view: view.name.clone(), qual: qual.clone() });
    }
    *cascaded |= checks == Some("cascaded");
    if q.command != CmdType::Insert {
        q.jointree.quals = Some(match q.jointree.quals.take() {
            None => qual,
            Some(own) if super::view::is_barrier(view) => super::barrier::guard(ctx, own, qual)?,
            Some(own) => Expr::Bool { op: BoolOp::And, args: vec![own, qual], location: None },
        });
    }
    Ok(())
}

/// Adds the view's table to the statement, with the privileges asked of the view asked of its owner there.
fn add_base(
    ctx: &AnalyzeCtx<'_>,
    q: &mut Query,
    body: &Query,
    columns: &Columns,
    view_rti: u32,
) -> Result<u32> {
    let mut rte = body.rte(columns.base).clone();
    let of_view = q.rte(view_rti);
    rte.required_perms |= of_view.required_perms;
    rte.selected_cols.extend(columns.mapped(&of_view.selected_cols));
    rte.inserted_cols = columns.mapped(&of_view.inserted_cols);
    rte.updated_cols = columns.mapped(&of_view.updated_cols);
    rte.in_from = false;
    if let RteKind::Relation { relid, lockmode, .. } = &mut rte.kind {
        *lockmode = 3;
        (ctx.lock)(*relid, 3)?;
    }
    q.rtable.push(rte);
    Ok(q.rtable.len() as u32)
}

/// Makes assignments to the view's columns assignments to the table's.
fn assign_to_base(
    ctx: &AnalyzeCtx<'_>,
    q: &Query,
    view: &Relation,
    columns: &Columns,
    rti: u32,
    list: &mut [TargetEntry],
    setting: bool,
) -> Result<()> {
    let RteKind::Relation { relid, .. } = q.rte(rti).kind else { return Ok(()) };
    let rel = ctx.catalog.relation(relid)?;
    let mut seen: Vec<i16> = Vec::new();
    for t in list.iter_mut().filter(|t| !t.junk) {
        t.resno = columns.assigned(q, view, t.resno, setting)?;
        let name = &rel.desc.attrs[t.resno as usize - 1].name;
        if seen.contains(&t.resno) {
            bail!(SYNTAX_ERROR, "multiple assignments to same column \"{name}\"");
        }
        seen.push(t.resno);
        t.name = Some(name.as_str().into());
    }
    Ok(())
}
