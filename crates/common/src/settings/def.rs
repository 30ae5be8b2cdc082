//! What settings there are.

use foldhash::HashMap;

/// Type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Real,
    String,
    Enum,
}

/// When a setting may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    Internal,
    Postmaster,
    Sighup,
    SuperuserBackend,
    Backend,
    Superuser,
    User,
}

impl Context {
    /// As `pg_settings.context` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Context::Internal => "internal",
            Context::Postmaster => "postmaster",
            Context::Sighup => "sighup",
            Context::SuperuserBackend => "superuser-backend",
            Context::Backend => "backend",
            Context::Superuser => "superuser",
            Context::User => "user",
        }
    }
    fn parse(s: &str) -> Context {
        match s {
            "internal" => Context::Internal,
            "postmaster" => Context::Postmaster,
            "sighup" => Context::Sighup,
            "superuser-backend" => Context::SuperuserBackend,
            "backend" => Context::Backend,
            "superuser" => Context::Superuser,
            _ => Context::User,
        }
    }
}

/// A setting.
#[derive(Clone, Debug)]
pub struct SettingDef {
    pub name: &'static str,
    pub kind: Kind,
    /// Base unit of the stored number: `kB`, `8kB`, `MB`, `B`, `ms`, `s`, `min`, or empty.
    pub unit: &'static str,
    pub min: f64,
    pub max: f64,
    pub min_text: &'static str,
    pub max_text: &'static str,
    pub enum_values: Vec<&'static str>,
    /// Built-in default as text in the base unit.
    pub boot: &'static str,
    pub context: Context,
    pub category: &'static str,
}

/// All settings.
pub struct Definitions {
    defs: Vec<SettingDef>,
    by_name: HashMap<String, usize>,
}

const DATA: &str = include_str!("../../data/settings.tsv");

impl Definitions {
    /// Reads the table. Called once a process tree.
    pub fn load() -> &'static Definitions {
        let mut defs = Vec::new();
        for line in DATA.lines() {
            let f: Vec<&'static str> = line.split('\t').collect();
            let [name, kind, unit, min, max, enums, boot, context, category] = f[..] else { continue };
            let kind = match kind {
                "bool" => Kind::Bool,
                "integer" => Kind::Int,
                "real" => Kind::Real,
                "enum" => Kind::Enum,
                _ => Kind::String,
            };
            defs.push(SettingDef {
                name,
                kind,
                unit,
                min: min.parse().unwrap_or(f64::MIN),
                max: max.parse().unwrap_or(f64::MAX),
                min_text: min,
                max_text: max,
                enum_values: if enums.is_empty() { Vec::new() } else { enums.split(',').collect() },
                boot: if boot == "\\N" { "" } else { boot },
                context: Context::parse(context),
                category,
            });
        }
        let by_name = defs.iter().enumerate().map(|(i, d)| (d.name.to_ascii_lowercase(), i)).collect();
        Box::leak(Box::new(Definitions { defs, by_name }))
    }
    /// Index of a setting by name; case does not matter.
    pub fn find(&self, name: &str) -> Option<usize> {
        let old = match name {
            "sort_mem" => "work_mem",
            "vacuum_mem" => "maintenance_work_mem",
            n => n,
        };
        self.by_name.get(old).or_else(|| self.by_name.get(&old.to_ascii_lowercase())).copied()
    }
    /// A setting by index.
    pub fn get(&self, i: usize) -> &SettingDef {
        &self.defs[i]
    }
    /// All, in order of lower-cased name.
    pub fn all(&self) -> &[SettingDef] {
        &self.defs
    }
}
