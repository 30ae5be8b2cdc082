//! Runs the multi-session schedules of `tests/schedules/*.spec` and compares what each step said with what PostgreSQL 15
//! says (`tests/schedules/expected/*.out`). `STEGODON_REGENERATE=1` asks a real PostgreSQL and writes those files.
//!
//! A spec is a list of lines (a line that is indented continues the one before; `#` begins a comment):
//! `each NAME = A | B | C` runs everything once for each value, `{NAME}` standing for it; `setup SQL` and `teardown SQL`
//! surround every permutation; `session NAME` begins a session, `step NAME SQL` is one of its steps; `permutation a b c`
//! is an order. In it `*` waits until a waiting step ends by itself (a deadlock is found).
//!
//! A step that does not answer is taken to wait when the server says that it waits for a lock.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options, Reply, Wire};

#[derive(Default, Clone)]
struct Spec {
    each: Vec<(String, Vec<String>)>,
    setup: Vec<String>,
    teardown: Vec<String>,
    sessions: Vec<String>,
    /// Step name → session, SQL.
    steps: BTreeMap<String, (usize, String)>,
    permutations: Vec<Vec<String>>,
}

fn parse(text: &str) -> Spec {
    let mut lines: Vec<String> = vec![];
    for l in text.lines().filter(|l| !l.trim_start().starts_with('#') && !l.trim().is_empty()) {
        match lines.last_mut() {
            Some(last) if l.starts_with(' ') => *last = format!("{last} {}", l.trim()),
            _ => lines.push(l.trim_end().to_string()),
        }
    }
    let mut spec = Spec::default();
    for l in lines {
        let (word, rest) = l.split_once(' ').unwrap_or((&l, ""));
        match word {
            "each" => {
                let (name, values) = rest.split_once('=').expect("each NAME = values");
                let values = values.split('|').map(|v| v.trim().to_string()).collect();
                spec.each.push((name.trim().into(), values));
            }
            "setup" => spec.setup.push(rest.into()),
            "teardown" => spec.teardown.push(rest.into()),
            "session" => spec.sessions.push(rest.trim().into()),
            "step" => {
                let (name, sql) = rest.split_once(' ').expect("step NAME SQL");
                let old = spec.steps.insert(name.into(), (spec.sessions.len() - 1, sql.into()));
                assert!(old.is_none(), "step {name} twice");
            }
            "permutation" => {
                let steps: Vec<String> = rest.split_whitespace().map(str::to_string).collect();
                steps.iter().for_each(|s| assert!(s == "*" || spec.steps.contains_key(s), "no step {s}"));
                spec.permutations.push(steps);
            }
            _ => panic!("what is {l:?}?"),
        }
    }
    spec
}

/// All combinations of the values of `each`.
fn choices(each: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    each.iter().fold(vec![vec![]], |all, (name, values)| {
        all.iter()
            .flat_map(|c| values.iter().map(move |v| [c.clone(), vec![(name.clone(), v.clone())]].concat()))
            .collect()
    })
}

fn fill(text: &str, choice: &[(String, String)]) -> String {
    choice.iter().fold(text.to_string(), |t, (n, v)| t.replace(&format!("{{{n}}}"), v))
}

/// Process ids differ from run to run.
fn without_pids(text: &str) -> String {
    let mut out = String::new();
    let mut number_next = false;
    for w in text.split_inclusive([' ', '\n']) {
        let word = w.trim_end();
        let digits = word.trim_end_matches([';', '.', ':']);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        out.push_str(&if number_next && is_number { w.replace(digits, "N") } else { w.to_string() });
        number_next = matches!(word, "process" | "Process" | "transaction" | "database" | "relation");
    }
    out
}

fn show(out: &mut String, step: &str, r: &Reply) {
    let _ = writeln!(out, "{step}: {}", r.tags.join(", "));
    for n in &r.notices {
        let _ = writeln!(out, "  {}:  {}", n.get('S'), n.message());
    }
    for l in r.lines() {
        let _ = writeln!(out, "  {l}");
    }
    if let Some(e) = &r.error {
        let _ = writeln!(out, "  {}:  {}: {}", e.get('S'), e.code(), e.message());
        if !e.get('D').is_empty() {
            let _ = writeln!(out, "  DETAIL:  {}", without_pids(e.get('D')).replace('\n', "\n    "));
        }
    }
}

struct Run {
    control: Wire,
    sessions: Vec<(String, Wire)>,
    /// Sessions with a statement under way, and its step.
    waiting: BTreeMap<usize, String>,
    /// Steps whose session was waiting when their turn came.
    later: Vec<String>,
    out: String,
}

impl Run {
    /// Do all the given backends wait for locks, at one moment?
    fn all_blocked(&mut self) -> bool {
        let pids: Vec<String> = self.waiting.keys().map(|s| self.sessions[*s].1.pid.to_string()).collect();
        let sql = format!(
            "select count(*) from unnest(array[{}]) p where cardinality(pg_blocking_pids(p)) > 0",
            pids.join(",")
        );
        self.control.value(&sql) == pids.len().to_string()
    }

    /// Waits until every statement under way has ended or waits for a lock, and shows those that ended.
    fn settle(&mut self, new: Option<usize>, mut ended: BTreeMap<String, Reply>) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.waiting.is_empty() {
            let under_way: Vec<usize> = self.waiting.keys().copied().collect();
            let before = ended.len();
            for s in under_way {
                if let Some(r) = self.sessions[s].1.reply_within(Duration::from_millis(3)).unwrap() {
                    ended.insert(self.waiting.remove(&s).unwrap(), r);
                }
            }
            if ended.len() == before && !self.waiting.is_empty() && self.all_blocked() {
                break;
            }
            assert!(Instant::now() < deadline, "{:?} neither end nor wait\n{}", self.waiting, self.out);
        }
        if let Some(s) = new
            && let Some(step) = self.waiting.get(&s)
        {
            let _ = writeln!(self.out, "{step}: waits");
        }
        for (step, r) in ended {
            show(&mut self.out, &step, &r);
        }
    }

    /// A waiting statement ends without anybody's doing.
    fn await_any(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            for s in self.waiting.keys().copied().collect::<Vec<_>>() {
                if let Some(r) = self.sessions[s].1.reply_within(Duration::from_millis(3)).unwrap() {
                    let step = self.waiting.remove(&s).unwrap();
                    return self.settle(None, [(step, r)].into());
                }
            }
            assert!(Instant::now() < deadline, "nothing ends among {:?}\n{}", self.waiting, self.out);
        }
    }

    fn step(&mut self, spec: &Spec, name: &str, choice: &[(String, String)]) {
        if name == "*" {
            return self.await_any();
        }
        let (s, sql) = &spec.steps[name];
        if self.waiting.contains_key(s) {
            let _ = writeln!(self.out, "{name}: later, its session waits");
            self.later.push(name.to_string());
            return;
        }
        self.sessions[*s].1.start(&fill(sql, choice)).unwrap();
        self.waiting.insert(*s, name.to_string());
        self.settle(Some(*s), BTreeMap::new());
        let ready = |l: &String| !self.waiting.contains_key(&spec.steps[l].0);
        if let Some(i) = self.later.iter().position(ready) {
            let name = self.later.remove(i);
            self.step(spec, &name, choice);
        }
    }
}

fn run_spec(c: &Cluster, name: &str, spec: &Spec) -> String {
    let database = format!("s_{}", name.replace('-', "_"));
    let mut control = Wire::connect(c).unwrap();
    control.ok(&format!("create database {database}"));
    let mut control = Wire::connect_as(c, "postgres", &database).unwrap();
    let mut out = String::new();
    for choice in choices(&spec.each) {
        for p in &spec.permutations {
            let values: Vec<String> = choice.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let _ = writeln!(out, "== {} {}", p.join(" "), values.join(", "));
            spec.setup.iter().for_each(|sql| {
                control.ok(&fill(sql, &choice));
            });
            let connect = |n: &String| (n.clone(), Wire::connect_as(c, "postgres", &database).unwrap());
            let sessions = spec.sessions.iter().map(connect).collect();
            let mut run = Run { control, sessions, waiting: BTreeMap::new(), later: vec![], out };
            p.iter().for_each(|s| run.step(spec, s, &choice));
            assert!(run.waiting.is_empty(), "{name}: {:?} wait at the end\n{}", run.waiting, run.out);
            (control, out) = (run.control, run.out);
            for (_, mut w) in run.sessions {
                let _ = w.send(b'X', &[]);
                let _ = w.is_closed_within(Duration::from_secs(10));
            }
            spec.teardown.iter().for_each(|sql| {
                control.ok(&fill(sql, &choice));
            });
        }
    }
    out
}

#[test]
fn schedules_go_as_in_postgresql() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schedules");
    let regenerate = std::env::var_os("STEGODON_REGENERATE").is_some();
    let only = std::env::var("STEGODON_SCHEDULE").ok();
    let mut specs: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    specs.retain(|p| p.extension().is_some_and(|e| e == "spec"));
    specs.retain(|p| only.as_ref().is_none_or(|o| p.file_stem().unwrap().to_string_lossy() == *o));
    specs.sort();
    assert!(!specs.is_empty());
    let kind = if regenerate { Kind::PostgreSql } else { Kind::Stegodon };
    let c = Cluster::start(kind, Options::default()).unwrap();
    let queue = Mutex::new(specs);
    let failures = Mutex::new(vec![]);
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                loop {
                    let Some(path) = queue.lock().unwrap().pop() else { return };
                    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                    let spec = parse(&std::fs::read_to_string(&path).unwrap());
                    let run =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run_spec(&c, &name, &spec)));
                    let expected = dir.join("expected").join(format!("{name}.out"));
                    let out = match run {
                        Ok(out) => out,
                        Err(_) => {
                            failures.lock().unwrap().push(format!("{name}: see the panic above"));
                            continue;
                        }
                    };
                    if regenerate {
                        std::fs::create_dir_all(dir.join("expected")).unwrap();
                        std::fs::write(&expected, out).unwrap();
                        continue;
                    }
                    let want = std::fs::read_to_string(&expected).unwrap_or_default();
                    if want != out {
                        failures.lock().unwrap().push(format!("{name}:\n{}", difference(&want, &out)));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), c.log_tail());
}

/// The first permutations that differ, both ways.
fn difference(want: &str, got: &str) -> String {
    let parts = |t: &str| t.split("\n== ").map(str::to_string).collect::<Vec<_>>();
    let (w, g) = (parts(want), parts(got));
    let differ: Vec<_> = (0..w.len().max(g.len())).filter(|i| w.get(*i) != g.get(*i)).collect();
    let text = |v: &[String], i: usize| v.get(i).cloned().unwrap_or_default();
    let mut out = format!("{} of {} permutations differ\n", differ.len(), w.len());
    for i in differ.into_iter().take(6) {
        let _ = writeln!(out, "--- PostgreSQL\n{}\n--- Stegodon\n{}", text(&w, i), text(&g, i));
    }
    out
}

#[test]
fn specs_are_read() {
    let s = parse("# c\neach M = a | b\nsetup x\nsession s\nstep q select\n  {M}\npermutation q *\n");
    assert_eq!(s.steps["q"], (0, "select {M}".to_string()));
    assert_eq!(choices(&s.each).len(), 2);
    assert_eq!(fill("{M}.", &choices(&s.each)[1]), "b.");
    assert_eq!(
        without_pids("Process 12 waits; blocked by process 7.\nProcess 3 x"),
        "Process N waits; blocked by process N.\nProcess N x"
    );
}

/// Each transaction checks a rule over all rows and then breaks it if another does the same at that moment.
#[test]
fn serializable_transactions_keep_what_each_of_them_checks() {
    let c = Cluster::start(Kind::Stegodon, Options::default()).unwrap();
    let mut w = Wire::connect(&c).unwrap();
    w.ok("create table duty(doctor int, day int, on_call bool, primary key (doctor, day))");
    w.ok("insert into duty select d, n, true from generate_series(1, 4) d, generate_series(1, 10) n");
    let failed = std::sync::atomic::AtomicU64::new(0);
    let done = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|s| {
        for doctor in 1..=4u64 {
            let (c, failed, done) = (c.handle(), &failed, &done);
            s.spawn(move || {
                let mut w = Wire::connect(&c).unwrap();
                let mut r = testkit::Random::new(doctor);
                for _ in 0..60 {
                    let day = r.below(10) + 1;
                    let leave = r.below(2) == 0;
                    w.ok("begin isolation level serializable");
                    let mut run = |sql: &str| w.query(sql).unwrap();
                    let first = run(&format!("select count(*) from duty where day = {day} and on_call"));
                    let others = match &first.error {
                        None => first.value().unwrap().parse::<u32>().unwrap(),
                        Some(_) => 0,
                    };
                    let change = format!(
                        "update duty set on_call = {} where doctor = {doctor} and day = {day}",
                        !leave || others < 2
                    );
                    let ok = first.error.is_none()
                        && run(&change).error.is_none()
                        && run("commit").error.is_none_or(|e| panic_unless_serialization(e.code()));
                    if ok {
                        done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    } else {
                        failed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        w.query("rollback").unwrap();
                    }
                }
            });
        }
    });
    let empty = w.value(
        "select count(*) from (select day from duty group by day having count(*) filter (where on_call) = 0) x",
    );
    assert_eq!(empty, "0", "a day without anybody on call");
    assert!(
        done.load(std::sync::atomic::Ordering::Relaxed) > 20,
        "{done:?} of 240 came through, {failed:?} failed"
    );
}

/// False for 40001; anything else is a bug.
fn panic_unless_serialization(code: &str) -> bool {
    assert_eq!(code, "40001");
    false
}
