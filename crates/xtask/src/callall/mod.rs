//! `cargo xtask callall [SECTION [N [SEED [NAME]]]]`: every function, operator, cast, aggregate and input syntax the oracle's
//! catalogs list, called with sample values on Stegodon and on a real PostgreSQL. Prints the statements that give other rows,
//! types, messages, SQLSTATEs, details, hints or positions; half of them ask for binary results. Sections: functions, operators,
//! casts, aggregates, input, templates, order, sets, recv, all. N is the number of calls of each thing (default 6), NAME keeps
//! the things whose name contains it.

mod calls;
mod input;
mod pool;
mod wire;

use std::collections::BTreeMap;
use testkit::{Cluster, Kind, Options};
use wire::{Peer, Statement};

/// Types and tables the statements use.
const OBJECTS: &str = "create type mood as enum ('sad', 'ok', 'happy');
create type comp as (a int, b text); create domain posint as int check (value > 0); create domain vc5 as varchar(5);";

/// Settings that change how values are read and written.
const SETTINGS: [(&str, &[&str]); 6] = [
    (
        "datestyle",
        &[
            "ISO, MDY",
            "ISO, DMY",
            "SQL, MDY",
            "SQL, DMY",
            "German",
            "Postgres, DMY",
            "Postgres, MDY",
            "ISO, YMD",
        ],
    ),
    ("intervalstyle", &["postgres", "sql_standard", "postgres_verbose", "iso_8601"]),
    ("timezone", &["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]),
    ("extra_float_digits", &["1", "0", "-3", "3"]),
    ("bytea_output", &["hex", "escape"]),
    ("standard_conforming_strings", &["on"]),
];

/// A xorshift generator.
pub struct Random(u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// What a section's generator works with.
pub struct Gen<'a, 'b> {
    pub random: Random,
    /// Calls of each thing.
    pub calls: usize,
    pub oracle: &'a mut Peer<'b>,
    /// Keeps things whose name contains it.
    pub name: String,
    pub out: Vec<Statement>,
}

impl Gen<'_, '_> {
    /// Adds a statement under the name differences are counted by.
    pub fn add(&mut self, family: &str, sql: String) {
        if !family.contains(&self.name) {
            return;
        }
        let binary = self.random.below(2) == 0;
        self.out.push(Statement { family: family.to_string(), sql, binary, parameter: None });
    }
}

fn settings(r: &mut Random, plain: bool) -> String {
    SETTINGS
        .iter()
        .map(|(n, values)| {
            format!("set {n} = '{}'", if plain { values[0] } else { values[r.below(values.len())] })
        })
        .collect::<Vec<_>>()
        .join("; ")
}

pub fn run(args: &[String]) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    let section = args.first().map_or("all", String::as_str);
    let calls: usize = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(6);
    let seed: u64 = args.get(2).and_then(|s| s.parse().ok()).unwrap_or(42);
    let ours = Cluster::start(Kind::Stegodon, Options::default()).map_err(text)?;
    let oracle = Cluster::start(Kind::PostgreSql, Options::default()).map_err(text)?;
    let mut mine = Peer::connect(&ours).map_err(text)?;
    let mut theirs = Peer::connect(&oracle).map_err(text)?;
    for peer in [&mut mine, &mut theirs] {
        peer.set(OBJECTS).map_err(text)?;
        peer.learn()?;
    }
    let name = args.get(3).cloned().unwrap_or_default();
    let random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut g = Gen { random, calls, oracle: &mut theirs, name, out: Vec::new() };
    let sections: [(&str, fn(&mut Gen) -> Result<(), String>); 9] = [
        ("functions", calls::functions),
        ("operators", calls::operators),
        ("casts", calls::casts),
        ("aggregates", calls::aggregates),
        ("sets", calls::sets),
        ("order", calls::order),
        ("input", input::literals),
        ("templates", input::templates),
        ("recv", input::recv),
    ];
    for (n, generate) in sections {
        if section == n || section == "all" {
            generate(&mut g)?;
        }
    }
    let Gen { mut random, out, .. } = g;
    compare(&mut mine, &mut theirs, &mut random, &out).map_err(text)
}

/// Both answers from shortly before where they part.
fn parted(m: &str, t: &str) -> (String, String) {
    let same = m.chars().zip(t.chars()).take_while(|(a, b)| a == b).count();
    let cut = |s: &str| {
        let from = if s.len() > 300 { same.saturating_sub(80) } else { 0 };
        let dots = if from > 0 { "…" } else { "" };
        format!("{dots}{}", s.chars().skip(from).take(400).collect::<String>())
    };
    (cut(m), cut(t))
}

/// Runs all statements on both, a batch at a time under changing settings.
fn compare(
    mine: &mut Peer,
    theirs: &mut Peer,
    random: &mut Random,
    all: &[Statement],
) -> std::io::Result<()> {
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    let mut different = 0;
    for (n, batch) in all.chunks(40).enumerate() {
        let set = settings(random, n % 3 != 2);
        let answers = (mine.run(&set, batch)?, theirs.run(&set, batch)?);
        for (s, (m, t)) in batch.iter().zip(answers.0.iter().zip(&answers.1)) {
            if m == t || t.timed_out() {
                continue;
            }
            different += 1;
            let seen = families.entry(s.family.clone()).or_default();
            *seen += 1;
            if *seen <= 4 {
                let env = if n % 3 == 2 { format!("\n    {set};") } else { String::new() };
                let (m, t) = parted(&m.to_string(), &t.to_string());
                println!(
                    "--- {}{}{env}\n    {s};\n  S: {m}\n  P: {t}",
                    s.family,
                    if s.binary { " (binary)" } else { "" }
                );
            }
        }
    }
    println!("{} statements, {different} different, in {} families", all.len(), families.len());
    for (family, n) in &families {
        println!("{n:6} {family}");
    }
    Ok(())
}
