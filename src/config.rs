//! The server's configuration: command line, `postgresql.conf`, `postgresql.auto.conf`; at start, at a reload, and as
//! `pg_file_settings` shows it.

use commands::extension::pg_stat_statements;
use common::settings::{
    Applied, Context, Definitions, FileChange, FileContents, FileEntry, Settings, Source, parse_file,
};
use common::{Error, Result, err};
use std::path::{Path, PathBuf};

/// Reads the configuration of a data directory. `overrides` are assignments of the command line, which win.
pub fn load(data_dir: &Path, overrides: &[(String, String)]) -> Result<Settings> {
    let s = load_as(Settings::new(Definitions::load()), data_dir, overrides)?;
    // The settings of a library are known once it is known that the library is there.
    if commands::query_ids::is_preloaded(&s, pg_stat_statements::LIBRARY) {
        let defs = Definitions::load_with(pg_stat_statements::SETTINGS);
        return load_as(Settings::new(defs), data_dir, overrides);
    }
    Ok(s)
}

fn load_as(mut s: Settings, data_dir: &Path, overrides: &[(String, String)]) -> Result<Settings> {
    s.set_initial("data_directory", &data_dir.display().to_string(), Source::Override)?;
    for (n, v) in overrides {
        let (n, v) = crate::session::check_setting(&s, n, v).map_err(Error::fatal)?;
        s.set_initial(&n, &v, Source::CommandLine).map_err(Error::fatal)?;
    }
    if s.text("config_file").is_empty() {
        let f = data_dir.join("postgresql.conf");
        s.set_initial("config_file", &f.display().to_string(), Source::Override)?;
    }
    let contents = process(&mut s, When::Start, Reader::Postmaster);
    for line in &contents.log {
        crate::log::line("LOG", line);
    }
    if let Some(file) = contents.faulty_file {
        return Err(err!(CONFIG_FILE_ERROR, "configuration file \"{file}\" contains errors").fatal());
    }
    for (name, file) in [("hba_file", "pg_hba.conf"), ("ident_file", "pg_ident.conf")] {
        let path = match s.text(name) {
            "" => data_dir.join(file),
            // Relative to where the server was started, which is not where it will be.
            given => std::path::absolute(given).unwrap_or_else(|_| PathBuf::from(given)),
        };
        s.set_initial(name, &path.display().to_string(), Source::Override)?;
    }
    s.set_loaded_at(ipc::clock::now());
    Ok(s)
}

/// When the files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Start,
    Reload,
}

/// What reading the files came to.
struct Outcome {
    entries: Vec<FileEntry>,
    log: Vec<String>,
    /// The last file with an error.
    faulty_file: Option<String>,
    /// Something took effect.
    applied: bool,
}

/// Parses both files and marks what a later line overrides.
fn parse(s: &Settings) -> Outcome {
    let main = PathBuf::from(s.text("config_file"));
    let auto = Path::new(s.text("data_directory")).join("postgresql.auto.conf");
    let mut c = FileContents::default();
    parse_file(&main, &mut c);
    let mut faulty_file = c.faulty.then(|| main.display().to_string());
    if auto.exists() {
        c.faulty = false;
        parse_file(&auto, &mut c);
        if c.faulty {
            faulty_file = Some(auto.display().to_string());
        }
    }
    let mut entries = c.entries;
    let mut seen: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
    for e in entries.iter_mut().rev().filter(|e| e.error.is_none()) {
        e.ignored = !seen.insert(e.name.to_ascii_lowercase());
    }
    Outcome { entries, log: c.log, faulty_file, applied: false }
}

/// Reads the files and takes what can be taken.
fn process(s: &mut Settings, when: When, who: Reader) -> Outcome {
    let mut o = parse(s);
    for e in o.entries.iter_mut().filter(|e| e.error.is_none() && !e.ignored) {
        if s.defs().find(&e.name).is_none() && !e.name.contains('.') {
            let text = format!("unrecognized configuration parameter \"{}\"", e.name);
            o.log.push(format!("{text} in file \"{}\" line {}", e.file, e.line));
            o.faulty_file = Some(e.file.clone());
            e.error = Some("unrecognized configuration parameter".into());
        }
    }
    if o.faulty_file.is_some() {
        return o;
    }
    if when == When::Reload {
        remove_missing(s, &mut o);
    }
    let Outcome { entries, log, faulty_file, applied } = &mut o;
    for e in entries.iter_mut().filter(|e| !e.ignored) {
        let set = crate::session::check_setting(s, &e.name, &e.value).and_then(|(_, value)| {
            let c = FileChange { name: &e.name, value: &value, file: &e.file, line: e.line };
            s.set_from_file(&c, when == When::Reload, who == Reader::Postmaster)
        });
        match set {
            Ok(a) => {
                e.applied = true;
                *applied |= a == Applied::Changed;
                if a == Applied::Changed && when == When::Reload {
                    log.push(format!("parameter \"{}\" changed to \"{}\"", e.name, e.value));
                }
            }
            Err(x) => {
                log.push(x.report().message.clone());
                if let Some(d) = &x.report().detail {
                    log.push(format!("\0DETAIL\0{d}"));
                }
                e.error = Some("setting could not be applied".into());
                *faulty_file = Some(e.file.clone());
            }
        }
    }
    o
}

/// Settings that the files no longer name go back to their defaults.
fn remove_missing(s: &mut Settings, o: &mut Outcome) {
    for name in s.from_file() {
        if o.entries.iter().any(|e| e.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        match s.remove_from_file(name, None) {
            Ok(Applied::Changed) => {
                o.log.push(format!("parameter \"{name}\" removed from configuration file, reset to default"));
                o.applied = true;
            }
            Ok(Applied::Unchanged) => {}
            Err(e) => {
                o.log.push(e.report().message.clone());
                o.faulty_file = Some(s.text("config_file").to_string());
            }
        }
    }
}

/// Who reads the files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The postmaster: faults and changes go to the log.
    Postmaster,
    /// A child that follows the postmaster.
    Child,
}

/// Reads the files again (SIGHUP). Faults leave the old values in force and go to the log.
pub fn reload(s: &mut Settings, who: Reader) {
    let o = process(s, When::Reload, who);
    s.set_loaded_at(ipc::clock::now());
    if who == Reader::Child {
        return;
    }
    for l in &o.log {
        match l.strip_prefix("\0DETAIL\0") {
            Some(d) => crate::log::line("DETAIL", d),
            None => crate::log::line("LOG", l),
        }
    }
    if let Some(file) = &o.faulty_file {
        let what = if o.entries.iter().any(|e| e.applied) {
            "unaffected changes were applied"
        } else {
            "no changes were applied"
        };
        crate::log::line("LOG", &format!("configuration file \"{file}\" contains errors; {what}"));
    }
}

/// `pg_file_settings`: what the files say at present, and whether it could be applied.
pub fn file_settings(s: &Settings) -> Vec<FileEntry> {
    process(&mut s.clone(), When::Reload, Reader::Postmaster).entries
}

/// Values of settings that ALTER SYSTEM manages, as `postgresql.auto.conf` holds them.
pub fn auto_file_entries(data_dir: &Path) -> Result<Vec<(String, String)>> {
    let path = data_dir.join("postgresql.auto.conf");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut c = FileContents::default();
    parse_file(&path, &mut c);
    if c.faulty {
        return Err(err!(CONFIG_FILE_ERROR, "could not parse contents of file \"postgresql.auto.conf\""));
    }
    Ok(c.entries.into_iter().map(|e| (e.name, e.value)).collect())
}

/// The context of a setting, if it is known.
pub fn context(s: &Settings, name: &str) -> Option<Context> {
    s.defs().find(name).map(|i| s.defs().get(i).context)
}
/// `-D`, else `$PGDATA`.
pub fn data_directory(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_path_buf).or_else(|| std::env::var_os("PGDATA").map(PathBuf::from))
}

/// A data directory as an absolute path; it must exist and belong to a cluster of this version.
pub fn check_data_directory(dir: &Path) -> Result<PathBuf> {
    let shown = dir.display();
    let abs = dir.canonicalize().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            err!(UNDEFINED_FILE, "data directory \"{shown}\" does not exist").fatal()
        }
        _ => Error::os(format!("could not read permissions of directory \"{shown}\""), &e).fatal(),
    })?;
    let version = std::fs::read_to_string(abs.join("PG_VERSION")).map_err(|_| {
        err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "\"{shown}\" is not a valid data directory")
            .detail(format!("File \"{shown}/PG_VERSION\" is missing."))
            .fatal()
    })?;
    if version.trim() != "15" {
        return Err(err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "database files are incompatible with server")
            .detail(format!(
                "The data directory was initialized by PostgreSQL version {}, which is not compatible with this version 15.18.",
                version.trim()
            ))
            .fatal());
    }
    check_mode(&abs)?;
    Ok(abs)
}

fn check_mode(dir: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let meta =
        std::fs::metadata(dir).map_err(|e| Error::os("could not read permissions of data directory", &e))?;
    if meta.mode() & 0o027 != 0 {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "data directory \"{}\" has invalid permissions",
            dir.display()
        )
        .detail("Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).")
        .fatal());
    }
    Ok(())
}
