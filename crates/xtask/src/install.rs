//! What the tests need besides the Rust toolchain: Debian's PostgreSQL 15 with its clients, a browser, and the tools of
//! administrators.

use std::path::Path;
use std::process::Command;

/// (file that shows it is there, package).
const NEEDED: [(&str, &str); 13] = [
    ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
    ("/usr/bin/psql", "postgresql-client-15"),
    ("/usr/bin/pgbench", "postgresql-contrib"),
    ("/usr/bin/chromium", "chromium"),
    ("/usr/bin/chromedriver", "chromium-driver"),
    ("/usr/sbin/pgbouncer", "pgbouncer"),
    ("/usr/bin/pgbadger", "pgbadger"),
    ("/usr/bin/prometheus-postgres-exporter", "prometheus-postgres-exporter"),
    ("/usr/bin/check_postgres", "check-postgres"),
    ("/usr/bin/strace", "strace"),
    ("/usr/bin/tmux", "tmux"),
    ("/usr/bin/pstree", "psmisc"),
    ("/usr/lib/python3.11/ensurepip/__init__.py", "python3-venv"),
];

/// A Python environment of its own for tools that Debian has not, or not new enough.
const VENV: &str = "target/tools";
const FROM_PYPI: [&str; 2] = ["pg_activity==3.6.2", "psycopg[binary]"];

fn install_from_pypi() -> Result<(), String> {
    if Path::new(VENV).join("bin/pg_activity").exists() {
        return Ok(());
    }
    crate::run("/usr/bin/python3", &["-m", "venv", VENV])?;
    let pip = format!("{VENV}/bin/pip");
    let mut args = vec!["install", "--quiet", "--disable-pip-version-check"];
    args.extend(FROM_PYPI);
    crate::run(&pip, &args)
}

/// Debian starts a service with the exporter and PgBouncer; the tests start their own.
fn quiet(package: &str) -> bool {
    matches!(package, "pgbouncer" | "prometheus-postgres-exporter")
}

/// Installs what is missing.
pub fn install() -> Result<(), String> {
    let missing: Vec<&str> = NEEDED.iter().filter(|(f, _)| !Path::new(f).exists()).map(|(_, p)| *p).collect();
    if missing.is_empty() {
        return install_from_pypi();
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
    args.extend(&missing);
    apt(&args)?;
    for (f, p) in NEEDED {
        if !Path::new(f).exists() {
            return Err(format!("package {p} did not bring {f}"));
        }
    }
    for p in missing.iter().filter(|p| quiet(p)) {
        // Without systemd nothing has been started.
        let _ = crate::run(
            "sh",
            &["-c", &format!("command -v systemctl >/dev/null && systemctl disable --now {p} || true")],
        );
    }
    install_from_pypi()
}
