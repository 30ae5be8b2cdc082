//! Settings that loaded libraries define. What a file or a session has set under the name before is taken over.

use super::def::{Context, Kind, SettingDef};
use super::value::{Slot, boot_value, parse};
use super::{Settings, Source, Value};
use crate::{Report, Result, bail};

/// What a library says of a setting.
#[derive(Clone, Debug)]
pub struct CustomSetting {
    pub name: String,
    pub kind: Kind,
    pub unit: String,
    pub default: String,
    /// As in `pg_settings`: `sighup`, `user` …
    pub context: String,
    pub min: f64,
    pub max: f64,
    pub description: String,
}

/// Definitions live as long as the process: there are few, and each is made once.
fn keep(s: &str) -> &'static str {
    Box::leak(s.to_string().into_boxed_str())
}

impl Settings {
    /// Adds a setting. A value set earlier under its name that does not fit is dropped with the warning that comes back.
    pub fn define(&mut self, c: &CustomSetting) -> Result<Option<Report>> {
        if !c.name.contains('.') || self.defs.find(&c.name).is_some() {
            bail!(INTERNAL_ERROR, "attempt to redefine parameter \"{}\"", c.name);
        }
        let number = |v: f64| keep(&v.to_string());
        let numeric = matches!(c.kind, Kind::Int | Kind::Real);
        let d = SettingDef {
            name: keep(&c.name),
            kind: c.kind,
            unit: keep(&c.unit),
            min: if numeric { c.min } else { f64::MIN },
            max: if numeric { c.max } else { f64::MAX },
            min_text: if numeric { number(c.min) } else { "" },
            max_text: if numeric { number(c.max) } else { "" },
            enum_values: Vec::new(),
            boot: keep(&c.default),
            context: Context::parse(&c.context),
            category: "Customized Options",
            short_desc: keep(&c.description),
            extra_desc: "",
            flags: Vec::new(),
        };
        parse(&d, &c.default)?;
        let value = boot_value(&d);
        self.slots.push(Slot {
            value: value.clone(),
            source: Source::Default,
            reset: value,
            reset_source: Source::Default,
            file: None,
            pending_restart: false,
        });
        let found = self.custom.remove(&c.name.to_ascii_lowercase());
        let warning = match found {
            Some((Value::Text(text), source, _)) => match parse(&d, &text) {
                Ok(v) => {
                    self.put_initial(self.slots.len() - 1, v, source, None);
                    None
                }
                Err(e) => Some(e.severity(crate::Severity::Warning).report().clone()),
            },
            _ => None,
        };
        self.defs = self.defs.with(d);
        Ok(warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Definitions;

    fn interval() -> CustomSetting {
        CustomSetting {
            name: "lib.interval".into(),
            kind: Kind::Int,
            unit: "s".into(),
            default: "10".into(),
            context: "sighup".into(),
            min: 1.0,
            max: 100.0,
            description: String::new(),
        }
    }

    #[test]
    fn a_value_set_before_is_taken_over() {
        let mut s = Settings::new(Definitions::load());
        s.set_initial("lib.interval", "1min", Source::File).expect("a custom name");
        assert!(s.define(&interval()).expect("defined").is_none());
        assert_eq!(s.int("lib.interval"), 60);
        assert_eq!(s.show("lib.interval").as_deref(), Some("1min"));
        assert!(s.define(&interval()).is_err(), "once");
    }

    #[test]
    fn a_value_that_does_not_fit_is_dropped() {
        let mut s = Settings::new(Definitions::load());
        s.set_initial("lib.interval", "never", Source::File).expect("a custom name");
        assert!(s.define(&interval()).expect("defined").is_some());
        assert_eq!(s.int("lib.interval"), 10);
    }
}
