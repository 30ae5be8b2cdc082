//! SQL scripts: their output on Stegodon against the expected one, which comes from a real PostgreSQL 15.

use similar::TextDiff;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::{Cluster, Kind, Options};

const DIR: &str = "tests/sql";

fn text(e: impl std::fmt::Display) -> String {
    e.to_string()
}

/// The scripts named, or all.
fn scripts(names: &[String]) -> Result<Vec<PathBuf>, String> {
    if !names.is_empty() {
        return names.iter().map(|n| fs::canonicalize(n).map_err(|e| format!("{n}: {e}"))).collect();
    }
    let mut all: Vec<PathBuf> = fs::read_dir(DIR)
        .map_err(|e| format!("{DIR}: {e}"))?
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|x| x == "sql"))
        .collect();
    all.sort();
    all.iter().map(|p| fs::canonicalize(p).map_err(text)).collect()
}

fn expected_file(script: &Path) -> PathBuf {
    let name = script.file_stem().unwrap_or_default();
    script.parent().unwrap_or(Path::new(".")).join("expected").join(name).with_extension("out")
}

fn database(script: &Path) -> String {
    let stem = script.file_stem().unwrap_or_default().to_string_lossy();
    let clean: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("t_{clean}")
}

fn show_diff(expected: &str, got: &str, name: &str) {
    let diff = TextDiff::from_lines(expected, got);
    print!(
        "{}",
        diff.unified_diff()
            .context_radius(3)
            .header(&format!("{name} (PostgreSQL)"), &format!("{name} (Stegodon)"))
    );
}

fn own_cluster() -> Result<Cluster, String> {
    Cluster::start(Kind::Stegodon, Options::default()).map_err(text)
}

/// Runs scripts on both servers and shows where they differ.
pub fn diff(names: &[String]) -> Result<(), String> {
    let scripts = scripts(names)?;
    let oracle = Cluster::start(Kind::PostgreSql, Options::default()).map_err(text)?;
    let own = own_cluster()?;
    let mut different = 0;
    for s in &scripts {
        let want = oracle.run_script(s, &database(s)).map_err(text)?.text;
        let got = own.run_script(s, &database(s)).map_err(text)?.text;
        if want != got {
            different += 1;
            show_diff(&want, &got, &s.display().to_string());
        }
    }
    println!("{} scripts, {different} differ", scripts.len());
    if different > 0 { Err("there are differences".into()) } else { Ok(()) }
}

/// Compares scripts with their expected output.
pub fn check(names: &[String]) -> Result<(), String> {
    let scripts = scripts(names)?;
    let own = own_cluster()?;
    let mut failed = 0;
    for s in &scripts {
        let file = expected_file(s);
        let Ok(want) = fs::read_to_string(&file) else {
            failed += 1;
            println!("FAILED  {}: no expected output; run `cargo xtask expect`", s.display());
            continue;
        };
        let got = own.run_script(s, &database(s)).map_err(text)?.text;
        let name = s.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if want == got {
            println!("ok      {name}");
        } else {
            failed += 1;
            println!("FAILED  {name}");
            show_diff(&want, &got, &name);
        }
    }
    println!("\n{} passed, {failed} failed", scripts.len() - failed);
    if failed > 0 { Err(format!("server log:\n{}", own.log_tail())) } else { Ok(()) }
}

/// Writes expected output from the oracle.
pub fn expect(names: &[String]) -> Result<(), String> {
    let oracle = Cluster::start(Kind::PostgreSql, Options::default()).map_err(text)?;
    for s in scripts(names)? {
        let out = oracle.run_script(&s, &database(&s)).map_err(text)?;
        let file = expected_file(&s);
        fs::write(&file, out.text).map_err(|e| format!("{}: {e}", file.display()))?;
        println!("wrote {}", file.display());
    }
    Ok(())
}
