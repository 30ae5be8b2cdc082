//! `postgres`: the server.

use super::describe;
use crate::postmaster::{self, Options};
use clap::Parser;
use common::{Result, err};
use std::path::PathBuf;

/// The Stegodon database server.
#[derive(Parser, Debug)]
#[command(name = "postgres", disable_version_flag = true, disable_help_flag = true)]
pub struct Args {
    /// Database directory (default: $PGDATA)
    #[arg(short = 'D', value_name = "DATADIR")]
    data_dir: Option<PathBuf>,
    /// Port number to listen on
    #[arg(short = 'p', value_name = "PORT")]
    port: Option<String>,
    /// Unix-domain socket location
    #[arg(short = 'k', value_name = "DIRECTORY")]
    socket_dir: Option<String>,
    /// Host name or IP address to listen on
    #[arg(short = 'h', value_name = "HOSTNAME")]
    host: Option<String>,
    /// Enable TCP/IP connections (obsolete)
    #[arg(short = 'i')]
    tcpip: bool,
    /// Maximum number of allowed connections
    #[arg(short = 'N', value_name = "MAX-CONNECT")]
    max_connections: Option<String>,
    /// Number of shared buffers
    #[arg(short = 'B', value_name = "NBUFFERS")]
    buffers: Option<String>,
    /// Turn fsync off
    #[arg(short = 'F')]
    no_fsync: bool,
    /// Set run-time parameter
    #[arg(short = 'c', value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Print value of run-time parameter, then exit
    #[arg(short = 'C', value_name = "NAME")]
    show: Option<String>,
    /// Run in single-user mode
    #[arg(long)]
    single: bool,
    /// Describe configuration parameters, then exit
    #[arg(long)]
    describe_config: bool,
    /// Debugging level
    #[arg(short = 'd', value_name = "LEVEL")]
    debug: Option<u8>,
    /// Use European date input format (DMY)
    #[arg(short = 'e')]
    european: bool,
    /// Echo statements before execution (single-user mode)
    #[arg(short = 'E')]
    echo: bool,
    /// Forbid use of some plan types
    #[arg(short = 'f', value_name = "s|i|o|b|t|n|m|h")]
    forbid: Vec<String>,
    /// Do not use newline as interactive query delimiter (single-user mode)
    #[arg(short = 'j')]
    semicolon_newline: bool,
    /// Enable SSL connections
    #[arg(short = 'l')]
    ssl: bool,
    /// Allow system table structure changes
    #[arg(short = 'O')]
    system_table_mods: bool,
    /// Disable system indexes
    #[arg(short = 'P')]
    no_system_indexes: bool,
    /// Send stdout and stderr to a file (single-user mode)
    #[arg(short = 'r', value_name = "FILENAME")]
    output: Option<PathBuf>,
    /// Show statistics after each query
    #[arg(short = 's')]
    statistics: bool,
    /// Amount of memory for sorts (in kB)
    #[arg(short = 'S', value_name = "WORK-MEM")]
    work_mem: Option<String>,
    /// Show timings after each query
    #[arg(short = 't', value_name = "pa|pl|ex")]
    timings: Vec<String>,
    /// Seconds to wait to allow attach from a debugger
    #[arg(short = 'W', value_name = "NUM")]
    wait: Option<String>,
    /// Output version information, then exit
    #[arg(short = 'V', long)]
    version: bool,
    /// Show this help, then exit
    #[arg(short = '?', long)]
    help: bool,
    /// Database name (single-user mode)
    database: Vec<String>,
    /// Settings as `--name=value`
    #[arg(long = "set", hide = true)]
    long: Vec<String>,
}

/// Letters of `-f`.
const PLAN_TYPES: [(&str, &str); 8] = [
    ("s", "enable_seqscan"),
    ("i", "enable_indexscan"),
    ("o", "enable_indexonlyscan"),
    ("b", "enable_bitmapscan"),
    ("t", "enable_tidscan"),
    ("n", "enable_nestloop"),
    ("m", "enable_mergejoin"),
    ("h", "enable_hashjoin"),
];
/// Words of `-t`.
const TIMINGS: [(&str, &str); 3] =
    [("pa", "log_parser_stats"), ("pl", "log_planner_stats"), ("e", "log_executor_stats")];

/// `--work-mem=64MB` is another way to write `-c work_mem=64MB`.
fn normalize(args: impl Iterator<Item = String>) -> Vec<String> {
    let known = ["--single", "--version", "--help", "--set"];
    args.flat_map(|a| match a.strip_prefix("--") {
        Some(rest) if rest.contains('=') && !known.contains(&a.split('=').next().unwrap_or("")) => {
            let (n, v) = rest.split_once('=').unwrap_or((rest, ""));
            vec!["-c".to_string(), format!("{}={v}", n.replace('-', "_"))]
        }
        _ => vec![a],
    })
    .collect()
}

/// Runs the server with the process's command line.
pub fn main() -> i32 {
    crate::log::init();
    let raw: Vec<String> = std::env::args().collect();
    let args = match Args::try_parse_from(normalize(raw.iter().cloned())) {
        Ok(a) => a,
        Err(e) => return complain(&e),
    };
    crate::stack::with_room(move || match run(args, &raw) {
        Ok(code) => code,
        Err(e) => {
            crate::log::report(e.report(), None);
            1
        }
    })
}

/// A command line that cannot be read, in PostgreSQL's words.
fn complain(e: &clap::Error) -> i32 {
    use clap::error::{ContextKind, ContextValue};
    let argument = match e.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(s)) => s.clone(),
        _ => String::new(),
    };
    match argument.strip_prefix("--") {
        Some(name) => {
            let text = format!("--{name} requires a value");
            crate::log::report(err!(SYNTAX_ERROR, "{text}").fatal().report(), None);
            return 1;
        }
        None => match argument.strip_prefix('-').and_then(|a| a.chars().next()) {
            Some(c) if e.kind() == clap::error::ErrorKind::UnknownArgument => {
                eprintln!("postgres: invalid option -- '{c}'");
            }
            Some(c) => eprintln!("postgres: option requires an argument -- '{c}'"),
            None => eprintln!("postgres: {}", e.kind()),
        },
    }
    eprintln!("Try \"postgres --help\" for more information.");
    1
}

fn run(a: Args, raw: &[String]) -> Result<i32> {
    if a.help {
        print!("{}", describe::HELP);
        return Ok(0);
    }
    if a.version {
        println!("postgres (PostgreSQL) {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    if a.describe_config {
        describe::describe_config();
        return Ok(0);
    }
    if let Some(extra) = a.database.get(usize::from(a.single)) {
        eprintln!("postgres: invalid argument: \"{extra}\"\nTry \"postgres --help\" for more information.");
        return Ok(1);
    }
    let Some(dir) = crate::config::data_directory(a.data_dir.as_deref()) else {
        eprintln!(
            "postgres does not know where to find the server configuration file.\nYou must specify the --config-file or -D invocation option or set the PGDATA environment variable."
        );
        return Ok(if a.single { 1 } else { 2 });
    };
    if !dir.exists() {
        eprintln!(
            "postgres: could not access directory \"{}\": No such file or directory\nRun initdb or pg_basebackup to initialize a PostgreSQL data directory.",
            dir.display()
        );
        return Ok(if a.single { 1 } else { 2 });
    }
    let settings = assignments(&a)?;
    if let Some(name) = &a.show {
        return describe::show_setting(&dir, &settings, name);
    }
    if a.single {
        if let Some(file) = &a.output {
            send_output_to(file)?;
        }
        return crate::single::run(&crate::single::Options {
            data_dir: dir,
            settings,
            database: a.database.first().cloned(),
            echo: a.echo,
            semicolon_newline: a.semicolon_newline,
        });
    }
    let program = std::env::current_exe().map_or_else(|_| raw[0].clone(), |p| p.display().to_string());
    let arguments: String = raw.iter().skip(1).map(|a| format!(" \"{a}\"")).collect();
    let command_line = program + &arguments;
    postmaster::run(&Options { data_dir: dir, settings, command_line })
}

/// `-r`.
fn send_output_to(file: &std::path::Path) -> Result<()> {
    let failed = |e: std::io::Error| {
        common::Error::os(format!("could not open file \"{}\"", file.display()), &e).fatal()
    };
    let f = std::fs::OpenOptions::new().create(true).append(true).open(file).map_err(failed)?;
    nix::unistd::dup2_stdout(&f).and_then(|()| nix::unistd::dup2_stderr(&f)).map_err(|e| failed(e.into()))
}

fn assignments(a: &Args) -> Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    let mut add = |n: &str, v: &Option<String>| {
        if let Some(v) = v {
            out.push((n.to_string(), v.clone()));
        }
    };
    add("port", &a.port);
    add("unix_socket_directories", &a.socket_dir);
    add("listen_addresses", &a.host);
    add("max_connections", &a.max_connections);
    add("shared_buffers", &a.buffers);
    add("work_mem", &a.work_mem);
    add("post_auth_delay", &a.wait);
    for (given, name, value) in [
        (a.tcpip, "listen_addresses", "*"),
        (a.no_fsync, "fsync", "off"),
        (a.european, "datestyle", "euro"),
        (a.ssl, "ssl", "on"),
        (a.system_table_mods, "allow_system_table_mods", "on"),
        (a.no_system_indexes, "ignore_system_indexes", "on"),
        (a.statistics, "log_statement_stats", "on"),
    ] {
        if given {
            add(name, &Some(value.into()));
        }
    }
    match a.debug {
        Some(0) => add("log_min_messages", &Some("notice".into())),
        Some(n @ 1..=5) => add("log_min_messages", &Some(format!("debug{n}"))),
        Some(n) => return Err(err!(SYNTAX_ERROR, "invalid debugging level {n}").fatal()),
        None => {}
    }
    for f in &a.forbid {
        let name = PLAN_TYPES.iter().find(|(letter, _)| letter == f).map(|(_, n)| *n);
        let bad = || err!(SYNTAX_ERROR, "invalid command-line argument for server process: -f {f}").fatal();
        add(name.ok_or_else(bad)?, &Some("off".into()));
    }
    for t in &a.timings {
        let name = TIMINGS.iter().find(|(word, _)| t.starts_with(word)).map(|(_, n)| *n);
        let bad = || err!(SYNTAX_ERROR, "invalid command-line argument for server process: -t {t}").fatal();
        add(name.ok_or_else(bad)?, &Some("on".into()));
    }
    for s in a.set.iter().chain(&a.long) {
        let (n, v) =
            s.split_once('=').ok_or_else(|| err!(SYNTAX_ERROR, "-c {s} requires a value").fatal())?;
        out.push((n.trim().to_string(), v.to_string()));
    }
    Ok(out)
}
