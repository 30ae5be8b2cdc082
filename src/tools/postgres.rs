//! `postgres`: the server.

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
    /// Output version information, then exit
    #[arg(short = 'V', long)]
    version: bool,
    /// Show this help, then exit
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// Settings as `--name=value`
    #[arg(long = "set", hide = true)]
    long: Vec<String>,
}

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
    let args = Args::parse_from(normalize(raw.iter().cloned()));
    match run(args, &raw) {
        Ok(code) => code,
        Err(e) => {
            crate::log::report(e.report(), None);
            1
        }
    }
}

fn run(a: Args, raw: &[String]) -> Result<i32> {
    if a.version {
        println!("postgres (PostgreSQL) {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    if a.single {
        return Err(common::Error::unsupported("single-user mode"));
    }
    let Some(dir) = crate::config::data_directory(a.data_dir.as_deref()) else {
        eprintln!(
            "postgres does not know where to find the server configuration file.\nYou must specify the --config-file or -D invocation option or set the PGDATA environment variable."
        );
        return Ok(2);
    };
    let settings = assignments(&a)?;
    if let Some(name) = &a.show {
        let dir = crate::config::check_data_directory(&dir)?;
        let s = crate::config::load(&dir, &settings)?;
        s.canonical(name).map_err(common::Error::fatal)?;
        println!("{}", s.raw(name).unwrap_or_default());
        return Ok(0);
    }
    crate::stack::make_room()?;
    let command_line = raw.iter().map(|a| quote(a)).collect::<Vec<_>>().join(" ");
    postmaster::run(&Options { data_dir: dir, settings, command_line })
}

fn quote(arg: &str) -> String {
    if arg.starts_with('-') && !arg.contains(' ') { arg.to_string() } else { format!("\"{arg}\"") }
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
    if a.tcpip {
        add("listen_addresses", &Some("*".into()));
    }
    if a.no_fsync {
        add("fsync", &Some("off".into()));
    }
    for s in a.set.iter().chain(&a.long) {
        let (n, v) =
            s.split_once('=').ok_or_else(|| err!(SYNTAX_ERROR, "-c {s} requires a value").fatal())?;
        out.push((n.trim().to_string(), v.to_string()));
    }
    Ok(out)
}
