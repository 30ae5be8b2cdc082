//! COPY: between a table (or the result of a query) and the client, a file of the server, or a program.

mod binary;
mod fields;
mod from;
mod lines;
mod options;
mod stream;
mod to;

use crate::CommandCtx;
use crate::target::{display, find_relation};
use catalog::Ref;
use catalog::desc::Relation;
use common::{Error, Result, bail, err};
use ipc::progress::{Command, Reporting, copy as progress};
use options::CopyOptions;
use parser::ast::CopyStmt;
use stream::Stream;

/// Runs COPY; the tag is `COPY n`.
pub fn run(ctx: &CommandCtx<'_>, c: &CopyStmt) -> Result<String> {
    let options = CopyOptions::new(&c.options, c.is_from)?;
    let stream = || Stream::open(ctx, c.filename.as_deref(), c.is_program, c.is_from);
    let report = |oid: common::Oid| {
        let r = Reporting::begin(&ctx.engine.proc().progress, Command::Copy, oid.0);
        r.set(progress::COMMAND, if c.is_from { 1 } else { 2 });
        r.set(
            progress::TYPE,
            if c.is_program {
                2
            } else if c.filename.is_some() {
                1
            } else {
                3
            },
        );
        r
    };
    let n = match (&c.relation, &c.query) {
        (Some(rv), _) => {
            let Some(oid) = find_relation(ctx, rv)? else {
                bail!(UNDEFINED_TABLE, "relation \"{}\" does not exist", display(rv));
            };
            let mode = if c.is_from { 3 } else { 1 };
            ctx.engine.lock_relation(ctx.catalog.database(), oid, crate::lock_mode(mode))?;
            let rel = ctx.catalog.relation(oid)?;
            check_kind(&rel, c.is_from)?;
            let columns = column_numbers(&rel, &c.attlist)?;
            let _reported = report(oid);
            if c.is_from {
                if ctx.engine.read_only() && rel.persistence != b't' {
                    bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute COPY FROM in a read-only transaction");
                }
                from::copy_from(ctx, c, &rel, &columns, &options, &stream()?)?
            } else {
                to::copy_table(ctx, &rel, &columns, &options, &stream()?)?
            }
        }
        (None, Some(q)) => {
            let _reported = report(common::Oid::INVALID);
            to::copy_query(ctx, q, &options, &stream()?)?
        }
        (None, None) => return Err(Error::internal("COPY of nothing")),
    };
    Ok(format!("COPY {n}"))
}

fn check_kind(rel: &Relation, is_from: bool) -> Result<()> {
    crate::target::check_openable(rel)?;
    let what = match rel.kind {
        b'r' => return Ok(()),
        b'v' => "view",
        b'm' => "materialized view",
        b'S' => "sequence",
        _ => "non-table relation",
    };
    if is_from {
        bail!(WRONG_OBJECT_TYPE, "cannot copy to {what} \"{}\"", rel.name);
    }
    let e = err!(WRONG_OBJECT_TYPE, "cannot copy from {what} \"{}\"", rel.name);
    Err(if rel.kind == b'v' { e.hint("Try the COPY (SELECT ...) TO variant.") } else { e })
}

/// Attribute indexes (from 0) of the columns named, or of all that are not dropped or generated.
fn column_numbers(rel: &Ref<Relation>, names: &[String]) -> Result<Vec<usize>> {
    let attrs = &rel.desc.attrs;
    if names.is_empty() {
        return Ok((0..attrs.len()).filter(|&i| !attrs[i].dropped && attrs[i].generated == 0).collect());
    }
    let mut out = Vec::new();
    for n in names {
        let Some(i) = attrs.iter().position(|a| !a.dropped && a.name == *n) else {
            bail!(UNDEFINED_COLUMN, "column \"{n}\" of relation \"{}\" does not exist", rel.name);
        };
        if attrs[i].generated != 0 {
            return Err(err!(INVALID_COLUMN_REFERENCE, "column \"{n}\" is a generated column")
                .detail("Generated columns cannot be used in COPY."));
        }
        if out.contains(&i) {
            bail!(DUPLICATE_COLUMN, "column \"{n}\" specified more than once");
        }
        out.push(i);
    }
    Ok(out)
}
