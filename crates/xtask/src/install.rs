//! What the tests need besides the Rust toolchain: Debian's PostgreSQL 15 with its clients.

use std::path::Path;
use std::process::Command;

/// (file that shows it is there, package).
const NEEDED: [(&str, &str); 3] = [
    ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
    ("/usr/bin/psql", "postgresql-client-15"),
    ("/usr/bin/pgbench", "postgresql-contrib"),
];

/// Installs what is missing.
pub fn install() -> Result<(), String> {
    let missing: Vec<&str> = NEEDED.iter().filter(|(f, _)| !Path::new(f).exists()).map(|(_, p)| *p).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(", "));
    let root = std::fs::metadata("/root").is_ok()
        && Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    let apt = |args: &[&str]| -> Result<(), String> {
        let (program, mut all) = if root { ("apt-get", Vec::new()) } else { ("sudo", vec!["apt-get"]) };
        all.extend_from_slice(args);
        crate::run(program, &all)
    };
    apt(&["update"])?;
    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(missing);
    apt(&args)?;
    for (f, p) in NEEDED {
        if !Path::new(f).exists() {
            return Err(format!("package {p} did not bring {f}"));
        }
    }
    Ok(())
}
