//! What functions ask of the session: to run as somebody else, under settings of their own, and to run utility statements.

use super::Session;
use super::prepared::Prepared;
use super::run::Description;
use common::settings::Scope;
use common::{Oid, Result};
use parser::ast::Statement;
use std::rc::Rc;
use types::Datum;

impl Session {
    /// Runs `f` as `role` and with `settings` (`name=value`) in force.
    pub(super) fn with_identity(
        &self,
        role: Option<Oid>,
        settings: &[String],
        f: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let before = (self.current_role.get(), self.superuser.get(), self.security_definer.get());
        self.in_function.set(self.in_function.get() + 1);
        let level = self.setting_level();
        let r = self.put_in_force(role, settings).and_then(|()| f());
        let changed = self.settings.borrow_mut().at_end(level, r.is_ok());
        self.in_function.set(self.in_function.get() - 1);
        self.current_role.set(before.0);
        self.superuser.set(before.1);
        self.security_definer.set(before.2);
        if changed {
            self.apply_settings();
        }
        r
    }

    fn put_in_force(&self, role: Option<Oid>, settings: &[String]) -> Result<()> {
        if let Some(r) = role {
            self.security_definer.set(true);
            self.current_role.set(r);
            self.superuser.set(commands::roles::is_superuser(&self.catalog, r)?);
        }
        for s in settings {
            if let Some((name, value)) = s.split_once('=') {
                self.set_setting(name, Some(value), Scope::Local)?;
            }
        }
        Ok(())
    }

    /// Nesting of settings: transactions, then functions with settings of their own.
    pub(super) fn setting_level(&self) -> u32 {
        if self.engine.in_transaction() { self.engine.nest_level() + self.in_function.get() } else { 0 }
    }

    /// A utility statement of a function; the client sees nothing of what it returns.
    pub(super) fn run_function_utility(
        &self,
        stmt: &Statement,
        source: &str,
        args: &[Datum],
        arg_types: &[Oid],
    ) -> Result<()> {
        let p = Rc::new(Prepared::new(source.into(), None, arg_types.to_vec()));
        self.in_utility.set(self.in_utility.get() + 1);
        let r = self.run_utility(stmt, &p, args, &[], Description::Omit);
        self.in_utility.set(self.in_utility.get() - 1);
        r.map(|_| ())
    }
}
