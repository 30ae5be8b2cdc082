//! The rows of `pg_trigger` that stand for constraints: four for a foreign key, one for a deferrable unique or exclusion
//! constraint. Nothing is executed from them, the executor goes by the constraints themselves; they are there because tools look
//! at them, and they go with their constraint.

use crate::ctx::CommandCtx;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::{Catalog, literal};
use common::{Oid, Result};
use types::Datum;

const ROW: i16 = 1;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;

const UNIQUE_KEY_RECHECK: Oid = Oid(1250);
const CHECK_INS: Oid = Oid(1644);
const CHECK_UPD: Oid = Oid(1645);

/// A constraint as far as its triggers are concerned.
pub struct Of {
    pub constraint: Oid,
    pub index: Oid,
    pub deferrable: bool,
    pub deferred: bool,
}

struct Row {
    table: Oid,
    other: Oid,
    prefix: &'static str,
    function: Oid,
    kind: i16,
    deferrable: bool,
    deferred: bool,
}

fn insert(catalog: &Catalog, of: &Of, t: &Row) -> Result<()> {
    use pg_trigger::*;
    let oid = catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[TGRELID] = Datum::oid(t.table);
    r[TGPARENTID] = Datum::oid(Oid::INVALID);
    r[TGNAME] = Datum::text(&format!("{}_{oid}", t.prefix));
    r[TGFOID] = Datum::oid(t.function);
    r[TGTYPE] = Datum::I16(t.kind | ROW);
    r[TGENABLED] = Datum::I8(b'O' as i8);
    r[TGISINTERNAL] = Datum::Bool(true);
    r[TGCONSTRRELID] = Datum::oid(t.other);
    r[TGCONSTRINDID] = Datum::oid(of.index);
    r[TGCONSTRAINT] = Datum::oid(of.constraint);
    r[TGDEFERRABLE] = Datum::Bool(t.deferrable);
    r[TGINITDEFERRED] = Datum::Bool(t.deferred);
    r[TGNARGS] = Datum::I16(0);
    r[TGATTR] = literal::int2vector(&[]);
    r[TGARGS] = Datum::text("");
    catalog.insert_row(TABLE, &r)?;
    let owner = ObjectAddress::new(pg_constraint::TABLE, of.constraint);
    catalog.record_dependency(ObjectAddress::new(TABLE, oid), owner, DependencyKind::Internal)
}

/// Function of an action, and whether it can be deferred.
fn action(letter: u8, on_delete: bool) -> (Oid, bool) {
    let delete = match letter {
        b'c' => 1646,
        b'r' => 1648,
        b'n' => 1650,
        b'd' => 1652,
        _ => 1654,
    };
    (Oid(if on_delete { delete } else { delete + 1 }), letter == b'a')
}

/// The four of a foreign key from `fk` to `pk`.
pub fn of_foreign_key(
    catalog: &Catalog,
    of: &Of,
    fk: Oid,
    pk: Oid,
    on_delete: u8,
    on_update: u8,
) -> Result<()> {
    for (letter, delete) in [(on_delete, true), (on_update, false)] {
        let (function, deferrable) = action(letter, delete);
        let row = Row {
            table: pk,
            other: fk,
            prefix: "RI_ConstraintTrigger_a",
            function,
            kind: if delete { DELETE } else { UPDATE },
            deferrable: deferrable && of.deferrable,
            deferred: deferrable && of.deferred,
        };
        insert(catalog, of, &row)?;
    }
    for (function, kind) in [(CHECK_INS, INSERT), (CHECK_UPD, UPDATE)] {
        let row = Row {
            table: fk,
            other: pk,
            prefix: "RI_ConstraintTrigger_c",
            function,
            kind,
            deferrable: of.deferrable,
            deferred: of.deferred,
        };
        insert(catalog, of, &row)?;
    }
    Ok(())
}

/// The one of a deferrable unique or exclusion constraint.
pub fn of_deferrable(catalog: &Catalog, of: &Of, table: Oid, primary: bool) -> Result<()> {
    let row = Row {
        table,
        other: Oid::INVALID,
        prefix: if primary { "PK_ConstraintTrigger" } else { "Unique_ConstraintTrigger" },
        function: UNIQUE_KEY_RECHECK,
        kind: INSERT | UPDATE,
        deferrable: true,
        deferred: of.deferred,
    };
    insert(catalog, of, &row)?;
    let flag = [(pg_class::RELHASTRIGGERS, Datum::Bool(true))];
    catalog.engine().command_counter_increment()?;
    crate::target::update_class(catalog, table, &flag)
}

/// ALTER CONSTRAINT: the triggers that can be deferred follow.
pub fn alter(ctx: &CommandCtx<'_>, constraint: Oid, deferrable: bool, deferred: bool) -> Result<()> {
    use pg_trigger::*;
    const FOLLOW: [u32; 4] = [1644, 1645, 1654, 1655];
    for r in ctx.catalog.scan(TABLE, TGCONSTRAINT_INDEX, &[Datum::oid(constraint)])? {
        if FOLLOW.contains(&r.oid(TGFOID).0) {
            let changes = [(TGDEFERRABLE, Datum::Bool(deferrable)), (TGINITDEFERRED, Datum::Bool(deferred))];
            ctx.catalog.update_columns(TABLE, &r, &changes)?;
        }
    }
    Ok(())
}
