//! docs/settings.md names every setting once, and every setting that it gives an effect to is in a test.

use std::collections::BTreeMap;

fn settings() -> Vec<String> {
    let tsv = include_str!("../../crates/common/data/settings.tsv");
    tsv.lines().filter_map(|l| l.split('\t').next()).map(str::to_string).collect()
}

/// Setting → does the page give it an effect?
fn documented() -> BTreeMap<String, bool> {
    let page = include_str!("../../docs/settings.md");
    let mut all = BTreeMap::new();
    let mut effect = true;
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            effect = title != "Without effect";
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let names = row.split(" | ").next().unwrap_or_default();
        for name in names.split('`').filter(|n| n.chars().next().is_some_and(char::is_alphabetic)) {
            all.entry(name.to_string()).or_insert(effect);
        }
    }
    all
}

#[test]
fn every_setting_is_documented() {
    let (all, page) = (settings(), documented());
    let missing: Vec<_> = all.iter().filter(|n| !page.contains_key(*n)).collect();
    assert!(missing.is_empty(), "not in docs/settings.md: {missing:?}");
    // Those of libraries are made when the library is loaded.
    let unknown: Vec<_> = page.keys().filter(|n| !n.contains('.') && !all.contains(n)).collect();
    assert!(unknown.is_empty(), "in docs/settings.md, but no settings: {unknown:?}");
}

#[test]
fn every_effect_is_tested() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let mut folders = vec![root.join("tests")];
    while let Some(f) = folders.pop() {
        for e in std::fs::read_dir(f).unwrap().flatten() {
            let path = e.path();
            if path.is_dir() && !path.ends_with("expected") {
                folders.push(path);
            } else if path.extension().is_some_and(|x| x == "rs" || x == "sql" || x == "spec") {
                text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    // Tested where they are read: crates/transam.
    text.push_str("max_pred_locks_per_page max_pred_locks_per_relation max_pred_locks_per_transaction");
    let text = text.to_lowercase();
    let missing: Vec<_> = documented()
        .into_iter()
        .filter(|(n, effect)| *effect && !text.contains(&n.to_lowercase()))
        .map(|(n, _)| n)
        .collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}
