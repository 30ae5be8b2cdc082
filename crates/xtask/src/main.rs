//! The project's tasks: `cargo xtask test` installs what the tests need and runs everything; `cargo xtask diff FILE.sql`
//! shows where Stegodon and PostgreSQL 15 differ.
#![forbid(unsafe_code)]

mod callall;
mod difffuzz;
mod install;
mod sql;

use std::process::{Command, ExitCode};

const HELP: &str = "\
usage: cargo xtask TASK

  test              install what the tests need (Debian packages), then format check, lints,
                    all Rust tests, and all SQL scripts
  diff FILE.sql…    run scripts on a real PostgreSQL 15 and on Stegodon, show where they differ
  sql [FILE.sql…]   compare scripts under tests/sql with their expected output
  expect [FILE…]    write the expected output of scripts, from a real PostgreSQL 15
  fuzz SECONDS [NAME…]  fuzz everything that reads bytes from outside (crate `fuzz`)
  difffuzz [N [SEED]] N generated queries on a real PostgreSQL 15 and on Stegodon, show where they differ
  callall [SECTION [N [SEED [NAME]]]] every function, operator, cast, aggregate and input syntax on both
  install           only install what the tests need
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = &args[1.min(args.len())..];
    let r = match args.first().map(String::as_str) {
        Some("test") => test(),
        Some("diff") => sql::diff(rest),
        Some("sql") => sql::check(rest),
        Some("expect") => sql::expect(rest),
        Some("difffuzz") => difffuzz::run(rest),
        Some("callall") => callall::run(rest),
        Some("fuzz") => {
            let args: Vec<&str> = ["run", "-q", "-p", "fuzz", "--"]
                .into_iter()
                .chain(rest.iter().map(String::as_str))
                .collect();
            run("cargo", &args)
        }
        Some("install") => install::install(),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match r {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command, showing it first.
fn run(program: &str, args: &[&str]) -> Result<(), String> {
    println!("\n==> {program} {}", args.join(" "));
    match Command::new(program).args(args).status() {
        Ok(s) if s.success() => Ok(()),
        Ok(s) => Err(format!("{program} {} failed: {s}", args.join(" "))),
        Err(e) => Err(format!("could not run {program}: {e}")),
    }
}

fn test() -> Result<(), String> {
    install::install()?;
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    run("cargo", &["build", "--workspace"])?;
    run("cargo", &["test", "--workspace"])?;
    sql::check(&[])
}
