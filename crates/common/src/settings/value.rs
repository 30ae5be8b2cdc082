//! The values of one session (or of the postmaster).

use super::def::{Context, Definitions, Kind, SettingDef};
use super::units::{format_g, parse_int, parse_number, show_int, show_real};
use crate::{Error, Result, SqlState, bail, err};
use std::collections::BTreeMap;

/// Where a value came from; a higher source wins over a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Default,
    DynamicDefault,
    EnvVar,
    File,
    CommandLine,
    Global,
    Database,
    User,
    DatabaseUser,
    Client,
    Override,
    Session,
}

impl Source {
    /// As `pg_settings.source` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Default | Source::DynamicDefault => "default",
            Source::EnvVar => "environment variable",
            Source::File => "configuration file",
            Source::CommandLine => "command line",
            Source::Global => "global",
            Source::Database => "database",
            Source::User => "user",
            Source::DatabaseUser => "database user",
            Source::Client => "client",
            Source::Override => "override",
            Source::Session => "session",
        }
    }
}

/// How long a SET lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Until the session ends, if the transaction commits.
    Session,
    /// SET LOCAL: until the transaction ends.
    Local,
}

/// A value, checked and in the base unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Real(f64),
    /// Strings and enums.
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) value: Value,
    pub(super) source: Source,
    /// What RESET goes back to.
    pub(super) reset: Value,
    pub(super) reset_source: Source,
    pub(super) file: Option<(String, usize)>,
    /// A file holds another value, which waits for a restart.
    pub(super) pending_restart: bool,
}

/// What to put back when a transaction ends.
#[derive(Clone, Debug)]
struct Saved {
    level: u32,
    key: Key,
    prior: Option<(Value, Source)>,
    /// The change is undone at commit too, and what is put back then: `prior`, or the value of a plain SET that a later
    /// SET LOCAL in the same transaction covers.
    local: bool,
    masked: Option<(Value, Source)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Known(usize),
    Custom(String),
}

/// All settings of a session.
#[derive(Clone)]
pub struct Settings {
    pub(super) defs: &'static Definitions,
    pub(super) slots: Vec<Slot>,
    pub(super) custom: BTreeMap<String, (Value, Source, Value)>,
    saved: Vec<Saved>,
    /// Changes at every successful change: cheap test for caches.
    version: u64,
    /// When the files were read last: microseconds since 2000.
    pub(super) loaded_at: i64,
}

fn parse_bool(s: &str) -> Option<bool> {
    let s = s.to_ascii_lowercase();
    let is = |full: &str, min: usize| s.len() >= min && full.starts_with(&s);
    match s.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if is("true", 1) || is("yes", 1) || (is("on", 2)) => Some(true),
        _ if is("false", 1) || is("no", 1) || (is("off", 2)) => Some(false),
        _ => None,
    }
}

fn invalid(d: &SettingDef, text: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{}\": \"{text}\"", d.name)
}

/// Checks a text against a definition.
pub(super) fn parse(d: &SettingDef, text: &str) -> Result<Value> {
    let hinted = |h: Option<&'static str>| match h {
        Some(h) => invalid(d, text).hint(h),
        None => invalid(d, text),
    };
    match d.kind {
        Kind::Bool => parse_bool(text).map(Value::Bool).ok_or_else(|| {
            err!(INVALID_PARAMETER_VALUE, "parameter \"{}\" requires a Boolean value", d.name)
        }),
        Kind::Int => {
            let v = parse_int(text, d.unit).map_err(hinted)?;
            if (v as f64) < d.min || (v as f64) > d.max {
                let unit = if d.unit.is_empty() { String::new() } else { format!(" {}", d.unit) };
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "{v}{unit} is outside the valid range for parameter \"{}\" ({} .. {})",
                    d.name,
                    d.min_text,
                    d.max_text
                );
            }
            Ok(Value::Int(v))
        }
        Kind::Real => {
            let v = parse_number(text, d.unit).map_err(hinted)?;
            if v < d.min || v > d.max {
                let unit = if d.unit.is_empty() { String::new() } else { format!(" {}", d.unit) };
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "{}{unit} is outside the valid range for parameter \"{}\" ({} .. {})",
                    format_g(v),
                    d.name,
                    d.min_text,
                    d.max_text
                );
            }
            Ok(Value::Real(v))
        }
        Kind::String => Ok(Value::Text(text.to_string())),
        Kind::Enum => match enum_value(d, text) {
            Some(v) => Ok(Value::Text(v)),
            None => Err(invalid(d, text).hint(format!("Available values: {}.", d.enum_values.join(", ")))),
        },
    }
}

/// Enum settings accept hidden spellings of booleans where they replace a former boolean.
fn enum_value(d: &SettingDef, text: &str) -> Option<String> {
    if let Some(v) = d.enum_values.iter().find(|v| v.eq_ignore_ascii_case(text)) {
        return Some((*v).to_string());
    }
    let has = |v: &str| d.enum_values.contains(&v).then(|| v.to_string());
    match (d.name, text.to_ascii_lowercase().as_str()) {
        ("client_min_messages" | "log_min_messages" | "log_min_error_statement", "debug") => has("debug2"),
        ("client_min_messages", "info" | "fatal" | "panic") => Some(text.to_ascii_lowercase()),
        (_, t) => has(if parse_bool(t)? { "on" } else { "off" }),
    }
}

pub(super) fn boot_value(d: &SettingDef) -> Value {
    match d.kind {
        Kind::Bool => Value::Bool(d.boot == "on"),
        Kind::Int => Value::Int(d.boot.parse().unwrap_or(0)),
        Kind::Real => Value::Real(d.boot.parse().unwrap_or(0.0)),
        Kind::String | Kind::Enum => Value::Text(d.boot.to_string()),
    }
}

fn show_value(d: Option<&SettingDef>, v: &Value) -> String {
    let unit = d.map_or("", |d| d.unit);
    match v {
        Value::Bool(b) => if *b { "on" } else { "off" }.to_string(),
        Value::Int(i) => match d.map(|d| d.name) {
            Some("unix_socket_permissions" | "log_file_mode" | "data_directory_mode") => format!("{i:04o}"),
            _ => show_int(*i, unit),
        },
        Value::Real(r) => show_real(*r, unit),
        Value::Text(t) => t.clone(),
    }
}

fn valid_custom_name(name: &str) -> bool {
    name.contains('.')
        && name.split('.').all(|p| {
            let mut c = p.chars();
            c.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii())
                && c.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii())
        })
}

/// 42704 (or 42602 for a malformed custom name).
fn unrecognized(name: &str) -> Error {
    err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\"")
}

impl Settings {
    /// Built-in defaults.
    pub fn new(defs: &'static Definitions) -> Settings {
        let slots = defs
            .all()
            .iter()
            .map(|d| Slot {
                value: boot_value(d),
                source: Source::Default,
                reset: boot_value(d),
                reset_source: Source::Default,
                file: None,
                pending_restart: false,
            })
            .collect();
        Settings { defs, slots, custom: BTreeMap::new(), saved: Vec::new(), version: 0, loaded_at: 0 }
    }
    /// The definitions.
    pub fn defs(&self) -> &'static Definitions {
        self.defs
    }
    /// Changes whenever a value changes.
    pub fn version(&self) -> u64 {
        self.version
    }
    pub(super) fn bump(&mut self) {
        self.version += 1;
    }
    pub(super) fn slot(&self, name: &str) -> Option<&Slot> {
        self.defs.find(name).map(|i| &self.slots[i])
    }
    /// A boolean setting; an unknown name reads as false (a bug of the caller).
    pub fn bool(&self, name: &str) -> bool {
        debug_assert!(self.defs.find(name).is_some(), "{name}");
        matches!(self.slot(name), Some(Slot { value: Value::Bool(true), .. }))
    }
    /// An integer setting in its base unit.
    pub fn int(&self, name: &str) -> i64 {
        debug_assert!(self.defs.find(name).is_some(), "{name}");
        if let Some(Slot { value: Value::Int(v), .. }) = self.slot(name) { *v } else { 0 }
    }
    /// A real setting in its base unit.
    pub fn real(&self, name: &str) -> f64 {
        debug_assert!(self.defs.find(name).is_some(), "{name}");
        if let Some(Slot { value: Value::Real(v), .. }) = self.slot(name) { *v } else { 0.0 }
    }
    /// A string or enum setting.
    pub fn text(&self, name: &str) -> &str {
        debug_assert!(self.defs.find(name).is_some(), "{name}");
        if let Some(Slot { value: Value::Text(v), .. }) = self.slot(name) { v } else { "" }
    }
    /// Where the value came from.
    pub fn source(&self, name: &str) -> Source {
        self.slot(name).map_or(Source::Default, |s| s.source)
    }
    /// The file and line a value came from.
    pub fn source_file(&self, name: &str) -> Option<(&str, usize)> {
        self.slot(name)?.file.as_ref().map(|(f, l)| (f.as_str(), *l))
    }
    /// The value as SHOW prints it; `None` for an unknown name.
    pub fn show(&self, name: &str) -> Option<String> {
        match self.defs.find(name) {
            Some(i) => Some(show_value(Some(self.defs.get(i)), &self.slots[i].value)),
            None => self.custom.get(&name.to_ascii_lowercase()).map(|(v, _, _)| show_value(None, v)),
        }
    }
    /// The value RESET would restore, as SHOW would print it.
    pub fn show_reset(&self, name: &str) -> Option<String> {
        let i = self.defs.find(name)?;
        Some(show_value(Some(self.defs.get(i)), &self.slots[i].reset))
    }
    /// The value in its base unit, without unit (`pg_settings.setting`).
    pub fn raw(&self, name: &str) -> Option<String> {
        let i = self.defs.find(name)?;
        Some(match &self.slots[i].value {
            Value::Int(v) if self.defs.get(i).unit.is_empty() => {
                show_value(Some(self.defs.get(i)), &Value::Int(*v))
            }
            Value::Int(v) => v.to_string(),
            Value::Real(v) => format_g(*v),
            v => show_value(None, v),
        })
    }
    /// Settings that EXPLAIN (SETTINGS) prints: those that bear on plans and differ from their built-in defaults.
    pub fn changed_for_explain(&self) -> Vec<(&'static str, String)> {
        let defs: &'static Definitions = self.defs;
        let all = defs.all().iter().zip(&self.slots);
        all.filter(|(d, s)| d.has_flag("EXPLAIN") && s.value != boot_value(d))
            .map(|(d, s)| (d.name, show_value(Some(d), &s.value)))
            .collect()
    }
    /// Names of custom settings.
    pub fn custom_names(&self) -> impl Iterator<Item = &str> {
        self.custom.keys().map(String::as_str)
    }
    /// The proper spelling of a name; 42704 if there is no such setting.
    pub fn canonical(&self, name: &str) -> Result<String> {
        match self.defs.find(name) {
            Some(i) => Ok(self.defs.get(i).name.to_string()),
            None if self.custom.contains_key(&name.to_ascii_lowercase()) => Ok(name.to_ascii_lowercase()),
            None => Err(unrecognized(name)),
        }
    }
    /// Checks a value without setting it and returns its canonical text.
    pub fn check(&self, name: &str, text: &str) -> Result<()> {
        match self.defs.find(name) {
            Some(i) => parse(self.defs.get(i), text).map(|_| ()),
            None if name.contains('.') => Ok(()),
            None => Err(unrecognized(name)),
        }
    }

    /// The same for a value kept for later sessions, which must be one that a session may set.
    pub fn check_stored(&self, name: &str, text: &str, superuser: bool) -> Result<()> {
        if let Some(i) = self.defs.find(name) {
            Self::check_context(self.defs.get(i), superuser)?;
        }
        self.check(name, text)
    }

    /// Sets a value at start-up or reload: it becomes the reset value too, unless a higher source has spoken.
    pub fn set_initial(&mut self, name: &str, text: &str, source: Source) -> Result<()> {
        self.set_from(name, text, source, None)
    }
    /// The same for a value out of a file.
    pub fn set_from(
        &mut self,
        name: &str,
        text: &str,
        source: Source,
        at: Option<(String, usize)>,
    ) -> Result<()> {
        let Some(i) = self.defs.find(name) else {
            return self.set_custom_initial(name, text, source);
        };
        let v = parse(self.defs.get(i), text)?;
        self.put_initial(i, v, source, at);
        Ok(())
    }
    pub(super) fn put_initial(&mut self, i: usize, v: Value, source: Source, at: Option<(String, usize)>) {
        let s = &mut self.slots[i];
        if source >= s.reset_source {
            s.reset = v.clone();
            s.reset_source = source;
        }
        if source >= s.source {
            s.value = v;
            s.source = source;
            s.file = at;
            self.version += 1;
        }
    }
    fn set_custom_initial(&mut self, name: &str, text: &str, source: Source) -> Result<()> {
        if !name.contains('.') {
            return Err(unrecognized(name));
        }
        let v = Value::Text(text.to_string());
        self.custom.insert(name.to_ascii_lowercase(), (v.clone(), source, v));
        self.version += 1;
        Ok(())
    }

    /// May a session change this setting? `superuser` settings need the privilege.
    fn check_context(d: &SettingDef, superuser: bool) -> Result<()> {
        let changed = |how: &str| {
            Error::new(
                SqlState::CANT_CHANGE_RUNTIME_PARAM,
                format!("parameter \"{}\" cannot be {how}", d.name),
            )
        };
        match d.context {
            Context::Internal => Err(changed("changed")),
            Context::Postmaster => Err(changed("changed without restarting the server")),
            Context::Sighup => Err(changed("changed now")),
            Context::SuperuserBackend | Context::Backend => Err(changed("set after connection start")),
            Context::Superuser if !superuser => {
                bail!(INSUFFICIENT_PRIVILEGE, "permission denied to set parameter \"{}\"", d.name)
            }
            Context::Superuser | Context::User => Ok(()),
        }
    }

    /// SET by the session at transaction nesting `level` (0: outside of any transaction, nothing to undo). `None` is
    /// SET … TO DEFAULT, also RESET. Errors: 42704, 22023, 55P02, 42501.
    pub fn set(
        &mut self,
        name: &str,
        text: Option<&str>,
        scope: Scope,
        level: u32,
        superuser: bool,
    ) -> Result<()> {
        let Some(i) = self.defs.find(name) else { return self.set_custom(name, text, scope, level) };
        let d = self.defs.get(i);
        Self::check_context(d, superuser)?;
        let (value, source) = match text {
            Some(t) => (parse(d, t)?, Source::Session),
            None => (self.slots[i].reset.clone(), self.slots[i].reset_source),
        };
        let prior = (self.slots[i].value.clone(), self.slots[i].source);
        self.save(Key::Known(i), Some(prior), scope, level);
        self.slots[i].value = value;
        self.slots[i].source = source;
        self.version += 1;
        Ok(())
    }

    /// Sets a value computed by the server itself (role, is_superuser, …), whatever its context.
    pub fn set_internal(&mut self, name: &str, text: &str) -> Result<()> {
        let i = self.defs.find(name).ok_or_else(|| unrecognized(name))?;
        let v = parse(self.defs.get(i), text)?;
        let s = &mut self.slots[i];
        s.value = v.clone();
        s.reset = v;
        s.source = Source::Override;
        s.reset_source = Source::Override;
        self.version += 1;
        Ok(())
    }

    fn set_custom(&mut self, name: &str, text: Option<&str>, scope: Scope, level: u32) -> Result<()> {
        if !name.contains('.') {
            return Err(unrecognized(name));
        }
        if !valid_custom_name(name) {
            return Err(err!(INVALID_NAME, "invalid configuration parameter name \"{name}\"")
                .detail("Custom parameter names must be two or more simple identifiers separated by dots."));
        }
        let key = name.to_ascii_lowercase();
        let old = self.custom.get(&key).cloned();
        let reset = old.as_ref().map_or(Value::Text(String::new()), |(_, _, r)| r.clone());
        let value = text.map_or_else(|| reset.clone(), |t| Value::Text(t.to_string()));
        self.save(Key::Custom(key.clone()), old.map(|(v, s, _)| (v, s)), scope, level);
        self.custom.insert(key, (value, Source::Session, reset));
        self.version += 1;
        Ok(())
    }

    fn save(&mut self, key: Key, prior: Option<(Value, Source)>, scope: Scope, level: u32) {
        if level == 0 {
            return;
        }
        let local = scope == Scope::Local;
        if let Some(s) = self.saved.iter_mut().rev().find(|s| s.key == key && s.level == level) {
            match (s.local, local) {
                // A plain SET after SET LOCAL: from here on it lasts.
                (true, false) => {
                    s.local = false;
                    s.masked = None;
                }
                // SET LOCAL after SET: at commit the plain value comes back.
                (false, true) => {
                    s.local = true;
                    s.masked = prior;
                }
                _ => {}
            }
            return;
        }
        self.saved.push(Saved { level, key, prior, local, masked: None });
    }

    fn restore(&mut self, key: &Key, v: Option<(Value, Source)>) {
        self.version += 1;
        match (key, v) {
            (Key::Known(i), Some((value, source))) => {
                self.slots[*i].value = value;
                self.slots[*i].source = source;
            }
            (Key::Known(_), None) => {}
            (Key::Custom(k), Some((value, source))) => {
                if let Some(c) = self.custom.get_mut(k) {
                    c.0 = value;
                    c.1 = source;
                }
            }
            (Key::Custom(k), None) => {
                // The placeholder stays known, as in PostgreSQL, but empty.
                if let Some(c) = self.custom.get_mut(k) {
                    c.0 = Value::Text(String::new());
                }
            }
        }
    }

    /// The transaction (level 1) or subtransaction at nesting `level` ends. Returns whether any value changed.
    pub fn at_end(&mut self, level: u32, commit: bool) -> bool {
        let before = self.version;
        while let Some(s) = self.saved.pop_if(|s| s.level >= level) {
            if !commit {
                self.restore(&s.key, s.prior);
                continue;
            }
            match (s.local, s.masked) {
                (true, None) => self.restore(&s.key, s.prior),
                (true, Some(masked)) => {
                    self.restore(&s.key, Some(masked));
                    self.keep_in_parent(s.level, s.key, s.prior);
                }
                (false, _) => self.keep_in_parent(s.level, s.key, s.prior),
            }
        }
        self.version != before
    }

    /// A subtransaction's SET becomes its parent's.
    fn keep_in_parent(&mut self, level: u32, key: Key, prior: Option<(Value, Source)>) {
        if level <= 1 {
            return;
        }
        match self.saved.iter_mut().rev().find(|s| s.key == key && s.level == level - 1) {
            Some(s) => {
                s.local = false;
                s.masked = None;
            }
            None => {
                // The list is ordered by level: put it before the entries of this level that are still to come.
                let at = self.saved.iter().rposition(|s| s.level < level).map_or(0, |i| i + 1);
                let saved = Saved { level: level - 1, key, prior, local: false, masked: None };
                self.saved.insert(at, saved);
            }
        }
    }

    /// RESET ALL: every setting a session may change goes back.
    pub fn reset_all(&mut self, level: u32) {
        for i in 0..self.slots.len() {
            let d = self.defs.get(i);
            let kept = [
                "transaction_isolation",
                "transaction_read_only",
                "transaction_deferrable",
                "role",
                "session_authorization",
                "is_superuser",
            ];
            if self.slots[i].source == Source::Session
                && d.context >= Context::Superuser
                && !kept.contains(&d.name)
            {
                let prior = (self.slots[i].value.clone(), self.slots[i].source);
                self.save(Key::Known(i), Some(prior), Scope::Session, level);
                self.slots[i].value = self.slots[i].reset.clone();
                self.slots[i].source = self.slots[i].reset_source;
            }
        }
        let names: Vec<String> = self.custom.keys().cloned().collect();
        for n in names {
            // Names in the map were valid when they came in.
            let _ = self.set_custom(&n, None, Scope::Session, level);
        }
        self.version += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(Definitions::load())
    }

    #[test]
    fn errors_are_postgresqls() {
        let mut s = settings();
        let mut msg = |n: &str, v: &str| {
            s.set(n, Some(v), Scope::Session, 0, true).unwrap_err().report().message.clone()
        };
        assert_eq!(msg("work_mem", "abc"), "invalid value for parameter \"work_mem\": \"abc\"");
        assert_eq!(
            msg("work_mem", "1"),
            "1 kB is outside the valid range for parameter \"work_mem\" (64 .. 2147483647)"
        );
        assert_eq!(msg("enable_seqscan", "maybe"), "parameter \"enable_seqscan\" requires a Boolean value");
        assert_eq!(msg("foo", "1"), "unrecognized configuration parameter \"foo\"");
        assert_eq!(
            msg("seq_page_cost", "-1"),
            "-1 is outside the valid range for parameter \"seq_page_cost\" (0 .. 1.79769e+308)"
        );
        assert_eq!(msg("port", "1"), "parameter \"port\" cannot be changed without restarting the server");
        assert_eq!(msg("1.b", "1"), "invalid configuration parameter name \"1.b\"");
    }

    #[test]
    fn transactions_undo() {
        let mut s = settings();
        let set = |s: &mut Settings, v: &str, sc, l| s.set("work_mem", Some(v), sc, l, false).unwrap();
        set(&mut s, "64", Scope::Session, 0);
        set(&mut s, "100", Scope::Session, 1);
        assert!(s.at_end(1, false));
        assert_eq!(s.int("work_mem"), 64);
        set(&mut s, "100", Scope::Session, 1);
        set(&mut s, "200", Scope::Local, 1);
        assert_eq!(s.int("work_mem"), 200);
        s.at_end(1, true);
        assert_eq!(s.int("work_mem"), 100);
        set(&mut s, "300", Scope::Session, 2);
        s.at_end(2, true);
        assert_eq!(s.int("work_mem"), 300);
        s.at_end(1, false);
        assert_eq!(s.int("work_mem"), 100);
        set(&mut s, "400", Scope::Local, 2);
        s.at_end(2, true);
        assert_eq!(s.int("work_mem"), 100);
        s.reset_all(0);
        assert_eq!(s.show("work_mem").unwrap(), "4MB");
    }

    #[test]
    fn sources_rank() {
        let mut s = settings();
        s.set_initial("port", "6000", Source::CommandLine).unwrap();
        s.set_initial("port", "7000", Source::File).unwrap();
        assert_eq!(s.int("port"), 6000);
        assert_eq!(s.source("port"), Source::CommandLine);
    }
}
