//! What the subcommands of one ALTER TABLE leave to be done to the rows: they change the catalogs first, each in its pass, and
//! the table is then written anew or looked through once, however many asked for it. Foreign keys are checked last.

use crate::analysis::{TableScope, debug};
use crate::ctx::CommandCtx;
use crate::{constraint, foreign_key, table_rewrite, table_scan};
use analyze::expr::Expr;
use catalog::Ref;
use catalog::desc::Relation;
use common::{Oid, Result};
use executor::expr::compile_one;
use executor::run::Exec;

/// Collected by the subcommands, done by [`Work::finish`].
pub struct Work {
    /// The table before the statement: expressions for new values are over its row.
    pub old: Ref<Relation>,
    /// Columns with new values.
    pub values: Vec<(i16, Expr)>,
    /// Columns whose value for the rows that are there is kept in the catalog, as long as nothing else writes them anew.
    pub kept: Vec<(i16, Expr)>,
    /// Persistence was changed.
    pub persistence_changed: bool,
    /// Written anew even without new values: generated columns, another persistence.
    pub rewrite: bool,
    /// Columns in which no NULL may be.
    pub not_null: Vec<i16>,
    /// CHECK constraints to be verified.
    pub checks: Vec<(String, Expr)>,
    /// Foreign keys to be verified: table and name.
    pub foreign: Vec<(Oid, String)>,
    /// Indexes to be built anew though the table is not.
    pub indexes: Vec<Oid>,
    /// Statements that make again what ALTER COLUMN TYPE had to drop: indexes first, then constraints.
    pub again: Vec<(u8, String)>,
}

impl Work {
    /// Nothing to do yet.
    pub fn new(old: Ref<Relation>) -> Work {
        Work {
            old,
            values: Vec::new(),
            kept: Vec::new(),
            persistence_changed: false,
            rewrite: false,
            not_null: Vec::new(),
            checks: Vec::new(),
            foreign: Vec::new(),
            indexes: Vec::new(),
            again: Vec::new(),
        }
    }
    /// Will the table be written anew, so that its indexes need not be filled before?
    pub fn rewrites(&self) -> bool {
        self.rewrite || !self.values.is_empty()
    }
    /// Does what is left.
    pub fn finish(mut self, ctx: &CommandCtx<'_>) -> Result<()> {
        let table = self.old.oid;
        if let Some(heap) = self.old.rel.clone() {
            if self.rewrites() {
                let kept = std::mem::take(&mut self.kept);
                self.values.extend(kept);
                let checks = std::mem::take(&mut self.checks);
                let verify = table_rewrite::Verify { not_null: &self.not_null, checks: &checks };
                debug(ctx, format!("rewriting table \"{}\"", ctx.catalog.relation(table)?.name));
                table_rewrite::rewrite(ctx, table, &heap, &self.values, &verify)?;
            } else {
                self.verify(ctx)?;
                for ix in &self.indexes {
                    crate::relfilenode::replace(ctx, *ix)?;
                    crate::index_build::build(ctx, table, *ix)?;
                }
            }
        }
        for (table, name) in &self.foreign {
            foreign_key::validate(ctx, *table, name)?;
        }
        Ok(())
    }
    /// One look through the rows for everything there is to verify.
    fn verify(&self, ctx: &CommandCtx<'_>) -> Result<()> {
        if self.not_null.is_empty() && self.checks.is_empty() {
            return Ok(());
        }
        let rel = ctx.catalog.relation(self.old.oid)?;
        debug(ctx, format!("verifying table \"{}\"", rel.name));
        let heap = table_scan::heap_of(&rel)?;
        let scope = TableScope { natts: heap.desc.len() };
        let mut programs = Vec::new();
        for (name, e) in &self.checks {
            programs.push((name, compile_one(ctx.env, e, &scope)?));
        }
        let exec = Exec::bare(ctx.env);
        table_scan::each_batch(ctx, &heap, &mut |batch| {
            constraint::refuse_nulls(ctx, &rel, &self.not_null, batch)?;
            for (name, p) in &mut programs {
                constraint::refuse_false(ctx, &rel, name, p, &exec, batch)?;
            }
            Ok(())
        })
    }
}
