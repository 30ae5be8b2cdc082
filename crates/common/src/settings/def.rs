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
    pub(super) fn parse(s: &str) -> Context {
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
    /// What it is for, in a sentence.
    pub short_desc: &'static str,
    /// More about it, or empty.
    pub extra_desc: &'static str,
    /// PostgreSQL's flags: `EXPLAIN`, `NO_SHOW_ALL`, `NO_RESET_ALL`, `NOT_IN_SAMPLE`, `RUNTIME_COMPUTED`.
    pub flags: Vec<&'static str>,
}

/// Settings that ALTER SYSTEM must not write: they say where the files are.
const NOT_IN_AUTO_FILE: [&str; 2] = ["config_file", "data_directory"];
/// Settings that belong to a session or a transaction and to no file.
const NOT_IN_FILE: [&str; 7] = [
    "is_superuser",
    "role",
    "session_authorization",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
    "seed",
];

impl SettingDef {
    /// Has it this flag?
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }
    /// May a configuration file set it?
    pub fn allowed_in_file(&self) -> bool {
        self.context != Context::Internal && !NOT_IN_FILE.contains(&self.name)
    }
    /// May ALTER SYSTEM set it?
    pub fn allowed_in_auto_file(&self) -> bool {
        self.allowed_in_file() && !NOT_IN_AUTO_FILE.contains(&self.name)
    }
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
        Definitions::load_with("")
    }
    /// The same with those of a library, in the table's form.
    pub fn load_with(more: &'static str) -> &'static Definitions {
        let mut defs: Vec<SettingDef> = Vec::new();
        for line in DATA.lines().chain(more.lines()) {
            let f: Vec<&'static str> = line.split('\t').collect();
            let [name, kind, unit, min, max, enums, boot, context, category, short_desc, extra_desc, flags] =
                f[..]
            else {
                continue;
            };
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
                short_desc,
                extra_desc,
                flags: flags.split(',').filter(|f| !f.is_empty()).collect(),
            });
        }
        if !more.is_empty() {
            defs.sort_by_key(|d| d.name.to_ascii_lowercase());
        }
        let by_name = defs.iter().enumerate().map(|(i, d)| (d.name.to_ascii_lowercase(), i)).collect();
        Box::leak(Box::new(Definitions { defs, by_name }))
    }
    /// These and one more. It stands behind the others: indexes keep their meaning.
    pub(super) fn with(&self, d: SettingDef) -> &'static Definitions {
        let mut defs = self.defs.clone();
        let mut by_name = self.by_name.clone();
        by_name.insert(d.name.to_ascii_lowercase(), defs.len());
        defs.push(d);
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
