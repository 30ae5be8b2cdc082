//! Query identifiers in the session: computed with the analysis of a statement, so that a statement that is run again
//! from a kept analysis costs nothing, and shown by `pg_stat_activity` and the log.

use super::Session;
use super::prepared::Prepared;
use analyze::Analyzed;
use analyze::jumble::{Jumble, jumble, statement_text, text_id};
use parser::ast::RawStmt;

impl Session {
    /// The identifier of a statement just analysed, if identifiers are wanted.
    pub(super) fn identify(&self, source: &str, raw: &RawStmt, a: &Analyzed) -> Option<Jumble> {
        if !self.often().query_ids {
            return None;
        }
        Some(match a {
            Analyzed::Query(q) => Jumble { lex: self.often().lex, ..jumble(q) },
            Analyzed::Utility(_) => {
                let location = (raw.location, raw.len);
                let id = text_id(statement_text(source, location));
                Jumble { id, constants: Vec::new(), highest_param: 0, location, lex: Default::default() }
            }
        })
    }

    /// Shows the identifier of the statement that runs, unless one is shown already (that of the statement around it).
    pub(super) fn show_query_id(&self, p: &Prepared) {
        if let Some(id) = p.query_id() {
            self.show_id(id);
        }
    }

    pub(super) fn show_id(&self, id: i64) {
        let a = &self.engine.proc().activity;
        if a.own_query_id() == 0 && self.settings.borrow().bool("track_activities") {
            a.query_id(id);
        }
    }

    /// A statement of several in one message begins: it has no identifier yet.
    pub(super) fn forget_query_id(&self) {
        let a = &self.engine.proc().activity;
        if a.own_query_id() != 0 {
            a.query_id(0);
        }
    }
}
