//! What `postgres` prints and does not run for: `--describe-config`, `-C name`, `--help`.

use common::settings::{Definitions, Kind, SettingDef};
use common::{Result, err};
use std::path::Path;
use transam::ControlFile;

/// `--help`.
pub const HELP: &str = "postgres is the Stegodon server, compatible with PostgreSQL.

Usage:
  postgres [OPTION]...

Options:
  -B NBUFFERS        number of shared buffers
  -c NAME=VALUE      set run-time parameter
  -C NAME            print value of run-time parameter, then exit
  -d 1-5             debugging level
  -D DATADIR         database directory
  -e                 use European date input format (DMY)
  -F                 turn fsync off
  -h HOSTNAME        host name or IP address to listen on
  -i                 enable TCP/IP connections
  -k DIRECTORY       Unix-domain socket location
  -l                 enable SSL connections
  -N MAX-CONNECT     maximum number of allowed connections
  -p PORT            port number to listen on
  -s                 show statistics after each query
  -S WORK-MEM        set amount of memory for sorts (in kB)
  -V, --version      output version information, then exit
  --NAME=VALUE       set run-time parameter
  --describe-config  describe configuration parameters, then exit
  -?, --help         show this help, then exit

Developer options:
  -f s|i|o|b|t|n|m|h forbid use of some plan types
  -O                 allow system table structure changes
  -P                 disable system indexes
  -t pa|pl|ex        show timings after each query
  -W NUM             wait NUM seconds to allow attach from a debugger

Options for single-user mode:
  --single           selects single-user mode (must be first argument)
  DBNAME             database name (defaults to user name)
  -d 0-5             override debugging level
  -E                 echo statement before execution
  -j                 do not use newline as interactive query delimiter
  -r FILENAME        send stdout and stderr to given file

Please read the documentation for the complete list of run-time
configuration settings and how to set them on the command line or in
the configuration file.
";

/// `--describe-config`: a line for each setting that a file may hold, as PostgreSQL's tools read them. Numbers and booleans
/// are shown as zero, as there: nothing has been initialised.
pub fn describe_config() {
    let mut out = String::new();
    for d in Definitions::load().all() {
        let hidden = d.has_flag("NOT_IN_SAMPLE") || d.has_flag("NO_SHOW_ALL") || d.name == "config_file";
        if !hidden {
            out.push_str(&line(d));
        }
    }
    print!("{out}");
}

fn line(d: &SettingDef) -> String {
    let value = match d.kind {
        Kind::Bool => "BOOLEAN\tFALSE\t\t".to_string(),
        Kind::Int => format!("INTEGER\t0\t{}\t{}", d.min_text, d.max_text),
        Kind::Real => format!("REAL\t0\t{}\t{}", d.min_text, d.max_text),
        Kind::String => format!("STRING\t{}\t\t", d.boot),
        Kind::Enum => format!("ENUM\t{}\t\t", d.boot),
    };
    let (context, group) = (d.context.as_str(), d.category);
    format!("{}\t{context}\t{group}\t{value}\t{}\t{}\n", d.name, d.short_desc, d.extra_desc)
}

/// `-C name`. What follows from the data directory and the other settings is computed, which a running server does not
/// allow.
pub fn show_setting(dir: &Path, assignments: &[(String, String)], name: &str) -> Result<i32> {
    let dir = crate::config::check_data_directory(dir)?;
    let mut s = crate::config::load(&dir, assignments)?;
    let name = s.canonical(name).map_err(common::Error::fatal)?;
    let computed = s.defs().find(&name).is_some_and(|i| s.defs().get(i).has_flag("RUNTIME_COMPUTED"));
    if computed {
        if let Some(p) = crate::postmaster::read_pid_file(&dir)
            && crate::postmaster::process_exists(p.pid.abs())
        {
            return Err(err!(LOCK_FILE_EXISTS, "lock file \"postmaster.pid\" already exists")
                .hint(format!(
                    "Is another postmaster (PID {}) running in data directory \"{}\"?",
                    p.pid,
                    dir.display()
                ))
                .fatal());
        }
        let control = ControlFile::read(&dir)?;
        s.set_internal("data_checksums", if control.data_checksums { "on" } else { "off" })?;
        if name.starts_with("shared_memory_size") {
            let config = crate::server::SharedConfig::new(&dir, &s, &control);
            let bytes = crate::server::Shared::create(config)?.segment.size() as u64;
            s.set_internal("shared_memory_size", &bytes.div_ceil(1 << 20).to_string())?;
            let pages = bytes.div_ceil(2 << 20).to_string();
            s.set_internal("shared_memory_size_in_huge_pages", &pages)?;
        }
    }
    println!("{}", s.raw(&name).unwrap_or_default());
    Ok(0)
}
