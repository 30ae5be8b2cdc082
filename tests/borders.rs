//! The borders of the house: which crate may use which (the table in `docs/ARCHITECTURE.md`), where `unsafe` may be,
//! and what lies at the top of the repository.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates that may hold `unsafe` code.
const UNSAFE: [&str; 4] = ["ipc", "module", "storage", "types"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn crates() -> Vec<(String, PathBuf)> {
    let mut all: Vec<_> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("Cargo.toml").exists())
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), p))
        .collect();
    all.push(("stegodon".into(), root().to_path_buf()));
    all.sort();
    all
}

/// The rows `| level | crate | may use |` of the page.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut lines = text.lines().skip_while(|l| l.replace(' ', "") != "|level|crate|mayuse|");
    assert!(lines.next().is_some(), "no table \"| level | crate | may use |\" in docs/ARCHITECTURE.md");
    let words = |s: &str| {
        s.split([',', ' '])
            .map(|w| w.trim_matches('`').to_string())
            .filter(|w| !w.is_empty() && w != "nothing")
            .collect::<BTreeSet<_>>()
    };
    lines
        .skip(1)
        .take_while(|l| l.starts_with('|'))
        .map(|l| {
            let cells: Vec<&str> = l.trim_matches('|').split('|').collect();
            (words(cells[1]).into_iter().next().unwrap(), words(cells[2]))
        })
        .collect()
}

/// Names under `[dependencies]`.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).unwrap();
    let mut inside = false;
    let mut out = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            out.insert(line[..end].to_string());
        }
    }
    out
}

#[test]
fn crates_use_what_the_table_lets_them() {
    let table = table();
    let crates = crates();
    let names: BTreeSet<String> = crates.iter().map(|(n, _)| n.clone()).collect();
    assert_eq!(table.keys().cloned().collect::<BTreeSet<_>>(), names, "crates of the table and of the tree");
    for (name, path) in &crates {
        let own: BTreeSet<String> =
            dependencies(&path.join("Cargo.toml")).intersection(&names).cloned().collect();
        let extra: Vec<_> = own.difference(&table[name]).collect();
        assert!(extra.is_empty(), "{name} must not use {extra:?}");
    }
    // One direction: the table itself has no cycle.
    let mut left = table.clone();
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, d)| d.iter().all(|d| !left.contains_key(d)))
            .map(|(n, _)| n.clone())
            .collect();
        assert!(!free.is_empty(), "a cycle among {:?}", left.keys());
        free.iter().for_each(|n| {
            left.remove(n);
        });
    }
}

#[test]
fn external_crates_have_a_reason() {
    let text = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let crates = crates();
    for (name, path) in &crates {
        for d in dependencies(&path.join("Cargo.toml")) {
            let known = crates.iter().any(|(n, _)| *n == d) || text.contains(&format!("`{d}`"));
            assert!(known, "{name} uses {d}, of which docs/dependencies.md says nothing");
        }
    }
}

#[test]
fn unsafe_code_is_where_it_may_be() {
    for (name, path) in crates() {
        if UNSAFE.contains(&name.as_str()) {
            continue;
        }
        let file = ["src/lib.rs", "src/main.rs"].iter().map(|f| path.join(f)).find(|f| f.exists()).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{} lacks #![forbid(unsafe_code)]", file.display());
    }
}

#[test]
fn the_top_of_the_repository_is_tidy() {
    let may = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "crates",
        "tests",
        "benches",
        "docs",
        "config",
        "examples",
        "README.md",
    ];
    // What building and running leave behind is not tracked.
    let ignored = ["target", "data"];
    for e in fs::read_dir(root()).unwrap() {
        let name = e.unwrap().file_name().to_string_lossy().into_owned();
        let fine = name.starts_with('.') || may.contains(&name.as_str()) || ignored.contains(&name.as_str());
        assert!(fine, "{name} does not belong at the top");
    }
}
