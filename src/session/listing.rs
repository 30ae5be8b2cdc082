//! What `pg_prepared_statements` and `pg_cursors` show of a session.

use super::Session;
use parser::ast::cursor_opt as opt;
use types::{Datum, oids};

impl Session {
    /// Prepared statements with a name.
    pub(super) fn prepared_rows(&self) -> Vec<Vec<Datum>> {
        let all = self.prepared.borrow();
        let named = all.iter().filter(|(name, _)| !name.is_empty());
        named
            .map(|(name, p)| {
                let types: Vec<Datum> = p.param_types.borrow().iter().map(|t| Datum::oid(*t)).collect();
                vec![
                    Datum::text(name),
                    Datum::text(&p.source),
                    Datum::I64(p.prepared_at.get()),
                    catalog::literal::make_array(oids::REGTYPE, &types, 1),
                    Datum::Bool(p.from_sql.get()),
                    Datum::I64(p.generic_plans.get() as i64),
                    Datum::I64(i64::from(p.custom_plans.get())),
                ]
            })
            .collect()
    }

    /// Portals: cursors and those of the extended protocol.
    pub(super) fn cursor_rows(&self) -> Vec<Vec<Datum>> {
        let row = |name: &str, text: &str, flags: [bool; 3], at: i64| {
            let mut r = vec![Datum::text(name), Datum::text(text)];
            r.extend(flags.map(Datum::Bool));
            r.push(Datum::I64(at));
            r
        };
        let all = self.portals.borrow();
        all.iter()
            .filter(|(_, p)| p.try_borrow().map_or(true, |p| !p.orphaned))
            .map(|(name, p)| match p.try_borrow() {
                Ok(p) => {
                    let flags = [p.holdable, p.options & opt::BINARY != 0, p.is_cursor && p.scroll];
                    row(name, &p.prepared.source, flags, p.created_at)
                }
                // The one that runs this query.
                Err(_) => row(name, &self.source.borrow(), [false; 3], self.engine.statement_timestamp()),
            })
            .collect()
    }
}
