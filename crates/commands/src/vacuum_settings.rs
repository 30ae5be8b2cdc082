//! Prices and ages of a vacuum: settings, overridden by the table's storage parameters where autovacuum runs it.

use access::{PageCosts, VacuumParams};
use common::settings::Settings;

/// What decides when pages are frozen, and what each costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VacuumSettings {
    costs: PageCosts,
    freeze_min_age: u64,
    freeze_table_age: u64,
    multi_freeze_min_age: u64,
}

impl VacuumSettings {
    /// From the settings, and `name=value` strings that win. As in PostgreSQL an age is at most a part of the age at which
    /// autovacuum comes anyway.
    pub fn new(s: &Settings, options: &[String]) -> VacuumSettings {
        let own = |name: &str| -> Option<i64> {
            options.iter().find_map(|o| o.split_once('=').filter(|(n, _)| *n == name)?.1.parse().ok())
        };
        let age = |name: &str| own(&format!("autovacuum_{name}")).unwrap_or(s.int(&format!("vacuum_{name}")));
        let max = s.int("autovacuum_freeze_max_age");
        let multi_max = s.int("autovacuum_multixact_freeze_max_age");
        let cost = |name: &str| s.int(name).max(0) as u32;
        VacuumSettings {
            costs: PageCosts {
                hit: cost("vacuum_cost_page_hit"),
                miss: cost("vacuum_cost_page_miss"),
                dirty: cost("vacuum_cost_page_dirty"),
            },
            freeze_min_age: age("freeze_min_age").clamp(0, max / 2) as u64,
            freeze_table_age: age("freeze_table_age").clamp(0, max / 20 * 19) as u64,
            multi_freeze_min_age: age("multixact_freeze_min_age").clamp(0, multi_max / 2) as u64,
        }
    }
    /// Puts them into the parameters of a vacuum.
    pub fn apply(self, p: &mut VacuumParams) {
        p.costs = self.costs;
        p.freeze_min_age = self.freeze_min_age;
        p.freeze_table_age = self.freeze_table_age;
        p.multi_freeze_min_age = self.multi_freeze_min_age;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::settings::Definitions;

    #[test]
    fn a_table_may_say_otherwise_within_bounds() {
        let s = Settings::new(Definitions::load());
        let mut p = VacuumParams::default();
        VacuumSettings::new(&s, &[]).apply(&mut p);
        assert_eq!((p.freeze_min_age, p.freeze_table_age), (50_000_000, 150_000_000));
        let own =
            ["autovacuum_freeze_min_age=7".to_string(), "autovacuum_freeze_table_age=1999999999".into()];
        VacuumSettings::new(&s, &own).apply(&mut p);
        assert_eq!((p.freeze_min_age, p.freeze_table_age), (7, 190_000_000));
        assert_eq!((p.costs.hit, p.costs.miss, p.costs.dirty), (1, 2, 20));
    }
}
