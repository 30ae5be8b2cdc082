//! The server's configuration: command line, `postgresql.conf`, `postgresql.auto.conf`.

use common::settings::{Context, Definitions, Settings, Source, parse_file};
use common::{Error, Result, err};
use std::path::{Path, PathBuf};

/// Reads the configuration of a data directory. `overrides` are assignments of the command line, which win.
pub fn load(data_dir: &Path, overrides: &[(String, String)]) -> Result<Settings> {
    let mut s = Settings::new(Definitions::load());
    s.set_initial("data_directory", &data_dir.display().to_string(), Source::Override)?;
    for (n, v) in overrides {
        s.set_initial(n, v, Source::CommandLine)?;
    }
    if s.text("config_file").is_empty() {
        let f = data_dir.join("postgresql.conf");
        s.set_initial("config_file", &f.display().to_string(), Source::Override)?;
    }
    for (name, file) in [("hba_file", "pg_hba.conf"), ("ident_file", "pg_ident.conf")] {
        if s.text(name).is_empty() {
            s.set_initial(name, &data_dir.join(file).display().to_string(), Source::DynamicDefault)?;
        }
    }
    let errors = read_files(&mut s, true);
    if let Some(first) = errors.first() {
        return Err(err!(CONFIG_FILE_ERROR, "{first}").fatal());
    }
    Ok(s)
}

fn files(s: &Settings) -> [PathBuf; 2] {
    [PathBuf::from(s.text("config_file")), Path::new(s.text("data_directory")).join("postgresql.auto.conf")]
}

/// Applies the files; settings that need a restart are taken only at start. Returns what was wrong.
fn read_files(s: &mut Settings, at_start: bool) -> Vec<String> {
    let mut entries = Vec::new();
    for (i, f) in files(s).iter().enumerate() {
        if i == 1 && !f.exists() {
            continue;
        }
        match parse_file(f) {
            Ok(e) => entries.extend(e),
            Err(errors) => return errors,
        }
    }
    let mut errors = Vec::new();
    if !at_start {
        for d in s.defs().all() {
            if d.context > Context::Postmaster && !entries.iter().any(|e| e.name.eq_ignore_ascii_case(d.name))
            {
                s.forget_file_value(d.name);
            }
        }
    }
    for e in entries {
        let context = s.defs().find(&e.name).map(|i| s.defs().get(i).context);
        match context {
            Some(Context::Internal) => {
                errors.push(format!("parameter \"{}\" cannot be changed", e.name));
                continue;
            }
            Some(Context::Postmaster) if !at_start => continue,
            _ => {}
        }
        let at = Some((e.file.clone(), e.line));
        let set = crate::session::check_setting(s, &e.name, &e.value)
            .and_then(|(_, value)| s.set_from(&e.name, &value, Source::File, at));
        if let Err(x) = set {
            errors.push(format!("{} in file \"{}\" line {}", x.report().message, e.file, e.line));
        }
    }
    errors
}

/// Reads the files again (SIGHUP). Faults leave the old values in force and go to the log.
pub fn reload(s: &mut Settings) {
    let mut fresh = s.clone();
    let errors = read_files(&mut fresh, false);
    for e in &errors {
        crate::log::line("LOG", e);
    }
    *s = fresh;
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
