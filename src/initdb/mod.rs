//! Making a cluster: directories, configuration files, control file, first log segment, and the three databases. Runs in
//! one process on a shared segment of its own.

use crate::server::registry::Knowledge;
use crate::server::{Shared, SharedConfig, redo};
use catalog::Catalog;
use catalog::bootstrap::{self, BootstrapOptions};
use common::{Error, Oid, Result, bail};
use ipc::BackendKind;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use transam::ControlFile;
use transam::checkpoint::flags;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Options {
    pub data_dir: PathBuf,
    pub superuser: String,
    pub password: Option<String>,
    /// Methods for `local` and `host` lines.
    pub auth_local: String,
    pub auth_host: String,
    pub encoding: String,
    /// Of the provider libc.
    pub lc_collate: String,
    pub lc_ctype: String,
    /// `Some` chooses the provider icu.
    pub icu_locale: Option<String>,
    pub sync: bool,
    pub data_checksums: bool,
    /// Extra lines for `postgresql.conf`.
    pub settings: Vec<(String, String)>,
    /// Print progress as `initdb` does.
    pub verbose: bool,
}

impl Options {
    /// Defaults for a directory.
    pub fn new(data_dir: &Path) -> Options {
        Options {
            data_dir: data_dir.to_path_buf(),
            superuser: "postgres".into(),
            password: None,
            auth_local: "trust".into(),
            auth_host: "trust".into(),
            encoding: "UTF8".into(),
            lc_collate: "C".into(),
            lc_ctype: "C".into(),
            icu_locale: None,
            sync: true,
            data_checksums: true,
            settings: Vec::new(),
            verbose: true,
        }
    }
}

/// Directories of a cluster, as PostgreSQL lays them out.
const DIRECTORIES: [&str; 24] = [
    "global",
    "pg_wal",
    "pg_wal/archive_status",
    "pg_commit_ts",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_subtrans",
    "pg_twophase",
    "pg_multixact",
    "pg_multixact/members",
    "pg_multixact/offsets",
    "base",
    "base/1",
    "base/pgsql_tmp",
    "pg_replslot",
    "pg_tblspc",
    "pg_stat",
    "pg_stat_tmp",
    "pg_xact",
    "pg_logical",
    "pg_logical/snapshots",
    "pg_logical/mappings",
];

struct Progress(bool);

impl Progress {
    fn step<T>(&self, text: &str, f: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.0 {
            print!("{text} ... ");
            let _ = std::io::stdout().flush();
        }
        let r = f()?;
        if self.0 {
            println!("ok");
        }
        Ok(r)
    }
}

/// Makes a cluster. What was made is removed again if a step fails.
pub fn initdb(o: &Options) -> Result<()> {
    if !o.encoding.eq_ignore_ascii_case("utf8") && !o.encoding.eq_ignore_ascii_case("utf-8") {
        return Err(Error::unsupported(format_args!("encoding {}", o.encoding)));
    }
    commands::database_locale::check_libc_name(&o.lc_collate)?;
    commands::database_locale::check_libc_name(&o.lc_ctype)?;
    if let Some(name) = &o.icu_locale {
        types::locale::Locale::icu(name, true)?;
    }
    let existed = prepare_directory(&o.data_dir, o.verbose)?;
    let dir = o
        .data_dir
        .canonicalize()
        .map_err(|e| Error::os(format!("could not access directory \"{}\"", o.data_dir.display()), &e))?;
    let r = fill(o, &dir);
    if r.is_err() {
        remove_contents(&dir, existed);
    }
    r
}

fn prepare_directory(dir: &Path, verbose: bool) -> Result<bool> {
    let shown = dir.display();
    let p = Progress(verbose);
    match fs::read_dir(dir) {
        Ok(mut list) => {
            if list.next().is_some() {
                return Err(common::err!(DUPLICATE_FILE, "directory \"{shown}\" exists but is not empty").hint(
                    format!(
                        "If you want to create a new database system, either remove or empty the directory \"{shown}\" or run initdb with an argument other than \"{shown}\"."
                    ),
                ));
            }
            p.step(&format!("fixing permissions on existing directory {shown}"), || {
                fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(|e| {
                    Error::os(format!("could not change permissions of directory \"{shown}\""), &e)
                })
            })?;
            Ok(true)
        }
        Err(_) => {
            p.step(&format!("creating directory {shown}"), || make_dir(dir))?;
            Ok(false)
        }
    }
}

fn make_dir(dir: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| Error::os(format!("could not create directory \"{}\"", dir.display()), &e))
}

fn remove_contents(dir: &Path, keep_directory: bool) {
    if let Ok(list) = fs::read_dir(dir) {
        for e in list.flatten() {
            let p = e.path();
            let _ = if p.is_dir() { fs::remove_dir_all(&p) } else { fs::remove_file(&p) };
        }
    }
    if !keep_directory {
        let _ = fs::remove_dir(dir);
    }
}

fn fill(o: &Options, dir: &Path) -> Result<()> {
    let p = Progress(o.verbose);
    p.step("creating subdirectories", || DIRECTORIES.iter().try_for_each(|d| make_dir(&dir.join(d))))?;
    p.step("creating configuration files", || write_configuration(o, dir))?;
    p.step("running bootstrap script", || bootstrap_databases(o, dir))?;
    if o.sync {
        p.step("syncing data to disk", || storage::datadir::sync_tree(dir))?;
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    let fail = |e: std::io::Error| Error::os(format!("could not write file \"{}\"", path.display()), &e);
    fs::write(path, text).map_err(fail)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fail)
}

fn write_configuration(o: &Options, dir: &Path) -> Result<()> {
    let mut conf = include_str!("../../config/postgresql.conf.sample").to_string();
    for (n, v) in &o.settings {
        conf.push_str(&format!("{n} = {}\n", common::settings::quote_value(v)));
    }
    write_file(&dir.join("postgresql.conf"), &conf)?;
    write_file(
        &dir.join("postgresql.auto.conf"),
        "# Do not edit this file manually!\n# It will be overwritten by the ALTER SYSTEM command.\n",
    )?;
    let hba = include_str!("../../config/pg_hba.conf.sample")
        .replace("@authmethodlocal@", &o.auth_local)
        .replace("@authmethodhost@", &o.auth_host);
    write_file(&dir.join("pg_hba.conf"), &hba)?;
    write_file(&dir.join("pg_ident.conf"), include_str!("../../config/pg_ident.conf.sample"))?;
    write_file(&dir.join("PG_VERSION"), "15\n")?;
    write_file(&dir.join("base/1/PG_VERSION"), "15\n")
}

/// A cluster's identity: time of creation and process, as PostgreSQL makes it.
fn system_identifier() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (now.as_secs() << 32) | (u64::from(now.subsec_micros()) << 12) | u64::from(std::process::id() & 0xfff)
}

fn bootstrap_databases(o: &Options, dir: &Path) -> Result<()> {
    let mut nonce = [0; 32];
    protocol::scram::random(&mut nonce)?;
    let control = ControlFile::new_cluster(system_identifier(), o.data_checksums, nonce);
    control.write(dir)?;
    let knowledge = Knowledge::load();
    let mut settings = crate::config::load(dir, &[])?;
    settings.set_internal("shared_buffers", "4096")?;
    settings.set_internal("max_connections", "4")?;
    settings.set_internal("fsync", "off")?;
    let shared = Shared::create(SharedConfig::new(dir, &settings, &control))?;
    ipc::signals::install_backend();
    let engine = shared.enter(BackendKind::Bootstrap)?;
    engine.bootstrap_cluster(&control)?;
    let catalog = Catalog::new(engine.clone(), knowledge.builtins, knowledge.registry, Oid(1));
    engine.start_command()?;
    let options = BootstrapOptions {
        superuser: o.superuser.clone(),
        password: stored_password(o)?,
        collate: o.lc_collate.clone(),
        ctype: o.lc_ctype.clone(),
        icu_locale: o.icu_locale.clone(),
        encoding: 6,
    };
    bootstrap::bootstrap(&catalog, &options)?;
    bootstrap::add_databases(&catalog)?;
    engine.commit_command()?;
    commands::bootstrap_views(&engine, &catalog)?;
    engine.set_next_oid(Oid::FIRST_NORMAL);
    engine.create_checkpoint(flags::SHUTDOWN | flags::IMMEDIATE | flags::FORCE, 0, &mut |_| Ok(()))?;
    for db in ["4", "5"] {
        copy_directory(&dir.join("base/1"), &dir.join("base").join(db))?;
    }
    let _ = redo::table();
    shared.leave(&engine);
    Ok(())
}

fn stored_password(o: &Options) -> Result<Option<String>> {
    match &o.password {
        None => Ok(None),
        Some(p) if p.is_empty() => bail!(INVALID_PASSWORD, "password must not be empty"),
        Some(p) => Ok(Some(protocol::scram::Verifier::new(p)?.to_stored())),
    }
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    make_dir(to)?;
    let fail = |e: std::io::Error| Error::os(format!("could not copy directory \"{}\"", from.display()), &e);
    for e in fs::read_dir(from).map_err(fail)? {
        let e = e.map_err(fail)?;
        fs::copy(e.path(), to.join(e.file_name())).map_err(fail)?;
    }
    Ok(())
}
