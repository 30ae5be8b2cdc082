//! Loadable libraries: where they are looked for, what of `shared_preload_libraries`, `session_preload_libraries`,
//! `local_preload_libraries` and LOAD is done when, and the errors, which are PostgreSQL's. The foreign code itself is
//! behind the crate `module`.

use common::settings::{CustomSetting, Kind, Settings};
use common::{Error, Result, Severity, SqlState, bail, err};
use ipc::{StartTime, WorkerSpec};
use module::host::{Failure, Host, SettingDef, WorkerDef};
use module::loader::{Library, LoadError};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// Names that `*_preload_libraries` and LOAD may give though there is no file: the server has the functions itself.
const BUILT_IN: [&str; 2] = ["pg_stat_statements", "plpgsql"];

/// What has been loaded in this process and its parents.
#[derive(Clone, Default)]
pub struct Modules {
    loaded: Vec<Rc<Library>>,
    /// Static workers, in the order of their registration.
    pub workers: Vec<WorkerSpec>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The postmaster, before it makes shared memory.
    SharedPreload,
    /// A session: preload or LOAD.
    Session,
}

/// `$libdir`: `lib/stegodon` beside the programs' directory, or that directory itself (a build tree).
fn library_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let bin = exe.parent().unwrap_or(Path::new("/"));
    let bin = if bin.ends_with("deps") { bin.parent().unwrap_or(bin) } else { bin };
    let installed = bin.join("../lib/stegodon");
    if installed.is_dir() { installed } else { bin.to_path_buf() }
}

/// Replaces a leading `$libdir`. 42602 for another macro.
fn substitute(name: &str) -> Result<String> {
    if !name.starts_with('$') {
        return Ok(name.to_string());
    }
    let end = name.find('/').unwrap_or(name.len());
    if &name[..end] != "$libdir" {
        bail!(INVALID_NAME, "invalid macro name in dynamic library path: {name}");
    }
    Ok(format!("{}{}", library_dir().display(), &name[end..]))
}

/// The file as named, with the suffix, and as cargo names it.
fn existing(path: &str) -> Option<PathBuf> {
    let plain = PathBuf::from(path);
    let cargo = match (plain.parent(), plain.file_name().and_then(|n| n.to_str())) {
        (Some(dir), Some(n)) => dir.join(format!("lib{n}.so")),
        _ => plain.clone(),
    };
    [plain, PathBuf::from(format!("{path}.so")), cargo].into_iter().find(|p| p.is_file())
}

/// Finds the file of a library.
fn find(name: &str, search_path: &str) -> Result<PathBuf> {
    let missing = || err!(UNDEFINED_FILE, "could not access file \"{name}\": No such file or directory");
    if name.contains('/') {
        let full = substitute(name)?;
        // What is there but is no file is left for the loader to complain about.
        let there = Path::new(&full).exists().then(|| PathBuf::from(&full));
        return existing(&full).or(there).ok_or_else(missing);
    }
    let mut rest = (!search_path.is_empty()).then_some(search_path);
    while let Some(path) = rest {
        let part = path.split(':').next().unwrap_or(path);
        rest = path.get(part.len() + 1..);
        // An empty last component counts as a relative one.
        if part.is_empty() && rest.is_some() {
            bail!(INVALID_NAME, "zero-length component in parameter \"dynamic_library_path\"");
        }
        let dir = substitute(part)?;
        if !dir.starts_with('/') {
            bail!(INVALID_NAME, "component in parameter \"dynamic_library_path\" is not an absolute path");
        }
        if let Some(p) = existing(&format!("{dir}/{name}")) {
            return Ok(p);
        }
    }
    Err(missing())
}

fn refused(path: &Path, e: LoadError) -> Error {
    let file = path.display();
    match e {
        LoadError::Open(why) => err!(INTERNAL_ERROR, "could not load library \"{file}\": {why}"),
        LoadError::NoMagic => err!(INTERNAL_ERROR, "incompatible library \"{file}\": missing magic block")
            .hint("Extension libraries are required to use the module::library! macro."),
        LoadError::Mismatch(m) => {
            let (abi, server) = (module::abi::ABI_VERSION, module::abi::SERVER_VERSION / 100);
            err!(INTERNAL_ERROR, "incompatible library \"{file}\": version mismatch").detail(format!(
                "Server is version {server} with interface {abi}, library is version {} with interface {}.",
                m.server / 100,
                m.abi
            ))
        }
        LoadError::Init => err!(INTERNAL_ERROR, "initialization of library \"{file}\" failed"),
    }
}

impl Modules {
    /// Loads a library, once a process. `restricted` is for users that may only name `$libdir/plugins/…`.
    pub fn load(
        &mut self,
        name: &str,
        settings: &mut Settings,
        restricted: bool,
        occasion: Occasion,
    ) -> Result<()> {
        let file = name.rsplit('/').next().unwrap_or(name);
        if BUILT_IN.contains(&file.strip_suffix(".so").unwrap_or(file)) {
            return Ok(());
        }
        if restricted && !is_plugin(name) {
            bail!(INSUFFICIENT_PRIVILEGE, "access to library \"{name}\" is not allowed");
        }
        let library = self.open(name, settings)?;
        let Some(library) = library else { return Ok(()) };
        let mut host = LoadHost { settings, library: name, workers: &mut self.workers, occasion };
        library.init(&mut host).map_err(|e| refused(&library.path, e))?;
        crate::log::debug(Severity::Debug1, &format!("loaded library \"{name}\""));
        Ok(())
    }
    /// Opens the file unless it is open. `None`: it is, and has been initialised.
    fn open(&mut self, name: &str, settings: &Settings) -> Result<Option<Rc<Library>>> {
        let path = find(name, settings.text("dynamic_library_path"))?;
        let path = path.canonicalize().unwrap_or(path);
        if self.loaded.iter().any(|l| l.path == path) {
            return Ok(None);
        }
        let library = Rc::new(Library::open(&path).map_err(|e| refused(&path, e))?);
        self.loaded.push(library.clone());
        Ok(Some(library))
    }
    /// All names of one `*_preload_libraries` setting. `restricted`: plain names are looked for among the plugins.
    pub fn preload(
        &mut self,
        setting: &str,
        settings: &mut Settings,
        restricted: bool,
        occasion: Occasion,
    ) -> Result<()> {
        for name in crate::session::split_names(settings.text(setting)) {
            if name.is_empty() {
                continue;
            }
            let name =
                if restricted && !name.contains('/') { format!("$libdir/plugins/{name}") } else { name };
            self.load(&name, settings, restricted, occasion)?;
        }
        Ok(())
    }
    /// The library of a worker or an archive callback, loaded if need be.
    pub fn library(&mut self, name: &str, settings: &mut Settings) -> Result<Rc<Library>> {
        self.load(name, settings, false, Occasion::Session)?;
        let path = find(name, settings.text("dynamic_library_path"))?;
        let path = path.canonicalize().unwrap_or(path);
        let found = self.loaded.iter().find(|l| l.path == path).cloned();
        found.ok_or_else(|| Error::internal(format!("library \"{name}\" is not loaded")))
    }
}

/// Directly in `$libdir/plugins`?
fn is_plugin(name: &str) -> bool {
    name.strip_prefix("$libdir/plugins/").is_some_and(|rest| !rest.contains('/'))
}

/// Checks a worker as PostgreSQL does; a fault is a line in the log, and the worker is not registered.
pub fn check_worker(s: &WorkerSpec) -> std::result::Result<(), String> {
    let fault = |why: &str| Err(format!("background worker \"{}\": {why}", s.name));
    if s.database_connection && s.start == StartTime::PostmasterStart {
        return fault("cannot request database access if starting at postmaster start");
    }
    if s.restart.is_some_and(|d| d > Duration::from_secs(86_400)) {
        return fault("invalid restart interval");
    }
    if s.parallel && s.restart.is_some() {
        return fault("parallel workers may not be configured for restart");
    }
    Ok(())
}

/// From what crosses the border.
pub fn worker_spec(w: WorkerDef, own_library: &str) -> WorkerSpec {
    WorkerSpec {
        library: if w.library.is_empty() { own_library.to_string() } else { w.library },
        name: w.name,
        kind: w.kind,
        database_connection: w.flags & module::abi::worker_flags::DATABASE_CONNECTION != 0,
        parallel: false,
        start: StartTime::from_u32(w.start),
        restart: u64::try_from(w.restart_s).ok().map(Duration::from_secs),
        function: w.function,
        argument: w.argument,
        extra: w.extra,
        notify_pid: 0,
    }
}

/// Adds a library's setting.
pub fn define(settings: &mut Settings, d: &SettingDef) -> std::result::Result<(), Failure> {
    let custom = CustomSetting {
        name: d.name.clone(),
        kind: match d.kind {
            module::abi::setting_kind::BOOL => Kind::Bool,
            module::abi::setting_kind::INT => Kind::Int,
            module::abi::setting_kind::REAL => Kind::Real,
            _ => Kind::String,
        },
        unit: d.unit.clone(),
        default: d.default.clone(),
        context: d.context.clone(),
        min: d.min,
        max: d.max,
        description: d.description.clone(),
    };
    if let Some(warning) = settings.define(&custom).map_err(|e| failure(&e))? {
        crate::log::report(&warning, None);
    }
    Ok(())
}

/// An error as a library sees it.
pub fn failure(e: &Error) -> Failure {
    let r = e.report();
    Failure {
        sqlstate: r.sqlstate.as_str().to_string(),
        message: r.message.clone(),
        fatal: r.severity >= Severity::Fatal,
    }
}

/// A line of a library in the log.
pub fn log_line(severity: &str, text: &str) {
    let severity = match severity {
        "DEBUG1" => Severity::Debug1,
        "DEBUG2" => Severity::Debug2,
        "INFO" => Severity::Info,
        "NOTICE" => Severity::Notice,
        "WARNING" => Severity::Warning,
        "ERROR" => Severity::Error,
        "FATAL" => Severity::Fatal,
        _ => Severity::Log,
    };
    let state = match severity {
        Severity::Error | Severity::Fatal => SqlState::INTERNAL_ERROR,
        Severity::Warning => SqlState::WARNING,
        _ => SqlState::SUCCESSFUL_COMPLETION,
    };
    crate::log::report(&common::Report::new(severity, state, text), None);
}

/// A setting as shown and in its base unit.
pub fn setting(s: &Settings, name: &str) -> Option<(String, String)> {
    Some((s.show(name)?, s.raw(name).unwrap_or_default()))
}

/// What a library finds while it is loaded.
struct LoadHost<'a> {
    settings: &'a mut Settings,
    library: &'a str,
    workers: &'a mut Vec<WorkerSpec>,
    occasion: Occasion,
}

impl Host for LoadHost<'_> {
    fn log(&mut self, severity: &str, text: &str) {
        log_line(severity, text);
    }
    fn setting(&mut self, name: &str) -> Option<(String, String)> {
        setting(self.settings, name)
    }
    fn define_setting(&mut self, d: SettingDef) -> std::result::Result<(), Failure> {
        define(self.settings, &d)
    }
    fn register_worker(&mut self, w: WorkerDef) -> std::result::Result<String, Failure> {
        let spec = worker_spec(w, self.library);
        let name = &spec.name;
        crate::log::debug(Severity::Debug1, &format!("registering background worker \"{name}\""));
        let fault = match self.occasion {
            // In a session the library does without: another process has its workers.
            Occasion::Session => {
                Err(format!("background worker \"{name}\": must be registered in shared_preload_libraries"))
            }
            Occasion::SharedPreload => check_worker(&spec),
        };
        match fault {
            Err(line) => crate::log::line("LOG", &line),
            Ok(()) => {
                let max = self.settings.int("max_worker_processes");
                if self.workers.len() as i64 >= max {
                    let text = format!(
                        "Up to {max} background workers can be registered with the current settings."
                    );
                    crate::log::line_detail_hint(
                        "too many background workers",
                        &text,
                        "Consider increasing the configuration parameter \"max_worker_processes\".",
                    );
                } else {
                    self.workers.push(spec);
                }
            }
        }
        Ok(String::new())
    }
}

/// What a library finds in a process that only reads settings and writes the log (the archiver).
pub struct PlainHost<'a>(pub &'a mut Settings);

impl Host for PlainHost<'_> {
    fn log(&mut self, severity: &str, text: &str) {
        log_line(severity, text);
    }
    fn setting(&mut self, name: &str) -> Option<(String, String)> {
        setting(self.0, name)
    }
    fn define_setting(&mut self, d: SettingDef) -> std::result::Result<(), Failure> {
        define(self.0, &d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_as_in_postgresql() {
        let text =
            |r: Result<PathBuf>| r.map_or_else(|e| e.report().message.clone(), |p| p.display().to_string());
        assert_eq!(
            text(find("nosuch", "$libdir")),
            "could not access file \"nosuch\": No such file or directory"
        );
        assert_eq!(text(find("x", "$foo/x")), "invalid macro name in dynamic library path: $foo/x");
        assert!(text(find("x", "/a::/b")).starts_with("zero-length component"));
        assert!(text(find("x", "a")).ends_with("is not an absolute path"));
        assert!(is_plugin("$libdir/plugins/a"));
        assert!(!is_plugin("$libdir/plugins/../a"));
    }
}
