//! `stegodon`: one command that makes a cluster where there is none and runs the server in the foreground.

use clap::Parser;
use common::Result;
use std::path::PathBuf;

/// Initialises a data directory where there is none and runs the Stegodon database server in the foreground.
#[derive(Parser, Debug)]
#[command(name = "stegodon", version)]
struct Args {
    /// Data directory (default: $PGDATA, else ./data)
    #[arg(short = 'D', long = "data", value_name = "DATADIR")]
    data_dir: Option<PathBuf>,
    /// Port to listen on (default: the configuration's, 5432)
    #[arg(short = 'p', long)]
    port: Option<u16>,
    /// Set a run-time parameter
    #[arg(short = 'c', value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// Entry point.
pub fn main() -> Result<i32> {
    crate::log::init();
    let a = Args::parse();
    let dir = crate::config::data_directory(a.data_dir.as_deref()).unwrap_or_else(|| PathBuf::from("data"));
    if !dir.join("PG_VERSION").exists() {
        println!("No cluster in \"{}\" yet: making one.", dir.display());
        crate::initdb::initdb(&crate::initdb::Options::new(&dir))?;
    }
    let dir = crate::config::check_data_directory(&dir)?;
    let mut settings: Vec<(String, String)> = Vec::new();
    if let Some(p) = a.port {
        settings.push(("port".into(), p.to_string()));
    }
    for s in &a.set {
        let (n, v) = s.split_once('=').unwrap_or((s, ""));
        settings.push((n.into(), v.into()));
    }
    let s = crate::config::load(&dir, &settings)?;
    let socket = s.text("unix_socket_directories").split(',').next().unwrap_or("").trim().to_string();
    println!("Connect with:  psql -h {socket} -p {} -U postgres", s.int("port"));
    println!("Stop with Ctrl-C.");
    let command_line = format!("postgres -D {}", dir.display());
    crate::postmaster::run(&crate::postmaster::Options { data_dir: dir, settings, command_line })
}
