//! Disks that are full, fail, or forget what was not synced. The server runs with `tests/shim/disk.rs` preloaded.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use testkit::{Cluster, Kind, Options, Random, Wire, wait_for};

const SOON: Duration = Duration::from_secs(60);
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// The shim, built once.
fn shim() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/disk.rs");
        let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libdisk.so");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let done = Command::new(rustc)
            .args(["--edition", "2021", "--crate-type", "cdylib", "-O", "-C", "panic=abort", "-o"])
            .arg(&out)
            .arg(source)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        out
    })
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A cluster on such a disk.
struct Faulty {
    c: Cluster,
    side: PathBuf,
}

impl Faulty {
    fn start(settings: &[(&str, &str)]) -> Faulty {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let side = std::env::temp_dir().join(format!("stegodon-disk-{}-{n}", std::process::id()));
        fs::create_dir_all(&side).unwrap();
        let mut o = Options::default();
        o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
        o.environment = vec![
            ("LD_PRELOAD".into(), shim().to_string_lossy().into_owned()),
            ("SHIM_RULES".into(), side.join("rules").to_string_lossy().into_owned()),
        ];
        Faulty { c: Cluster::start(Kind::Stegodon, o).unwrap(), side }
    }
    fn rules(&self, text: &str) {
        let tmp = self.side.join("rules.tmp");
        fs::write(&tmp, text).unwrap();
        fs::rename(tmp, self.side.join("rules")).unwrap();
    }
    fn wire(&self) -> Wire {
        Wire::connect(&self.c).unwrap_or_else(|e| panic!("{e}\n{}", self.c.log_tail()))
    }
    /// Up again after a crash: by itself, or started anew when it gave up.
    fn revive(&mut self) -> Wire {
        let mut got = None;
        wait_for(Duration::from_secs(10), || {
            // The first connection may still be one that the restart ends.
            got = Wire::connect(&self.c).ok();
            std::thread::sleep(Duration::from_millis(500));
            got.as_mut().is_some_and(|w| w.query("select 1").is_ok_and(|r| r.error.is_none()))
        });
        got = got.filter(|_| Wire::connect(&self.c).is_ok());
        got.unwrap_or_else(|| {
            let _ = self.c.kill();
            self.c.launch().unwrap();
            self.wire()
        })
    }
    fn has_panicked(&self, words: &str) -> bool {
        wait_for(SOON, || self.c.log().lines().any(|l| l.contains("PANIC") && l.contains(words)))
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.side);
    }
}

#[test]
fn a_full_disk_fails_the_statement_that_needs_room() {
    let f = Faulty::start(&[]);
    let mut w = f.wire();
    w.ok("create table t(a int, b text); insert into t select g, repeat('x', 500) from generate_series(1, 100) g");
    w.ok("create index t_a on t(a)");
    f.rules(&format!("write {ENOSPC} /base/"));
    w.ok("begin; insert into t values (-1, 'before')");
    let e =
        w.query("insert into t select g, repeat('y', 500) from generate_series(101, 5000) g").unwrap().error;
    let e = e.expect("the disk is full");
    assert_eq!(e.code(), "53100", "{e:?}");
    assert!(e.message().starts_with("could not extend file"), "{e:?}");
    w.ok("rollback");
    assert_eq!(w.value("select count(*) from t"), "100");
    // Others are not concerned, and changes that need no room go on.
    let mut other = f.wire();
    other.ok("update t set b = 'short' where a = 1");
    let e = other.query("create table u as select * from t").unwrap().error;
    assert!(e.is_none_or(|e| e.code() == "53100" || e.code() == "0A000"));
    let e = other.query("create index on t(b)").unwrap().error.expect("the disk is full");
    assert_eq!(e.code(), "53100", "{e:?}");
    f.rules("");
    w.ok("insert into t select g, repeat('y', 500) from generate_series(101, 5000) g");
    assert_eq!(w.value("select count(*) from t"), "5000");
    w.ok("set enable_seqscan = off");
    assert_eq!(w.value("select count(*) from t where a > 100"), "4900");
    w.ok("vacuum t");
    w.ok("checkpoint");
    assert!(!f.c.log().contains("PANIC"), "{}", f.c.log_tail());
}

#[test]
fn a_full_log_disk_is_a_panic_that_recovery_survives() {
    let mut f = Faulty::start(&[]);
    let mut w = f.wire();
    w.ok("create table t(a int primary key); insert into t select generate_series(1, 1000)");
    f.rules(&format!("write {ENOSPC} /pg_wal/"));
    let lost = w.query("insert into t select generate_series(1001, 2000)");
    assert!(lost.is_err() || lost.unwrap().error.is_some(), "no room, and committed");
    assert!(f.has_panicked("No space left on device"), "{}", f.c.log_tail());
    f.rules("");
    let mut w = f.revive();
    assert_eq!(w.value("select count(*) from t"), "1000");
    w.ok("insert into t select generate_series(1001, 2000)");
    w.ok("set enable_seqscan = off");
    assert_eq!(w.value("select count(*) from t where a > 0"), "2000");
}

#[test]
fn a_failed_fsync_is_a_panic_and_not_tried_again() {
    for (part, statement) in [("/pg_wal/", "insert into t values (-1)"), ("/base/", "checkpoint")] {
        let mut f = Faulty::start(&[]);
        let mut w = f.wire();
        w.ok("create table t(a int primary key); insert into t select generate_series(1, 1000)");
        f.rules(&format!("fsync {EIO} {part}"));
        let lost = w.query(statement);
        assert!(lost.is_err() || lost.unwrap().error.is_some(), "{part}: taken for durable");
        assert!(f.has_panicked("could not fsync file"), "{part}: {}", f.c.log_tail());
        f.rules("");
        let mut w = f.revive();
        assert_eq!(w.value("select count(*) from t where a > 0"), "1000", "{part}");
    }
}

// ---- power loss ----

fn key(m: &fs::Metadata) -> String {
    let born = m.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{}-{}", m.ino(), born.map_or(0, |d| d.as_nanos()))
}

/// Everything below `dir` counts as durable.
fn all_durable(root: &Path, dir: &Path, shadow: &Path) {
    let mut list = String::new();
    for e in fs::read_dir(dir).unwrap().flatten() {
        let m = e.metadata().unwrap();
        if m.is_dir() {
            all_durable(root, &e.path(), shadow);
        } else {
            fs::copy(e.path(), shadow.join("i").join(key(&m))).unwrap();
        }
        let what = if m.is_dir() { "D".to_string() } else { key(&m) };
        list.push_str(&format!("{}\t{what}\n", e.file_name().to_string_lossy()));
    }
    let rel = dir.strip_prefix(root).unwrap().to_string_lossy().replace('/', "+");
    fs::write(shadow.join("d").join(format!("r{rel}")), list).unwrap();
}

/// Builds in `to` what a power loss leaves of `root`: what was synced, and of the rest whatever chance keeps, sector by
/// sector and entry by entry.
fn what_is_left(root: &Path, rel: &Path, shadow: &Path, to: &Path, r: &mut Random) {
    fs::create_dir_all(to).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    let name = format!("r{}", rel.to_string_lossy().replace('/', "+"));
    let durable: BTreeMap<String, String> = fs::read_to_string(shadow.join("d").join(name))
        .unwrap_or_default()
        .lines()
        .filter_map(|l| l.split_once('\t').map(|(a, b)| (a.to_string(), b.to_string())))
        .collect();
    let mut now: BTreeMap<String, String> = BTreeMap::new();
    for e in fs::read_dir(root.join(rel)).into_iter().flatten().flatten() {
        let m = e.metadata().unwrap();
        let what = if m.is_dir() { "D".to_string() } else { key(&m) };
        now.insert(e.file_name().to_string_lossy().into_owned(), what);
    }
    let mut names: Vec<&String> = durable.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    for n in names {
        if n == "postmaster.pid" || n == "postmaster.opts" {
            continue;
        }
        let kept = match (durable.get(n), now.get(n)) {
            (Some(d), Some(c)) if d == c => Some(d),
            (d, c) => {
                if r.below(2) == 0 {
                    d
                } else {
                    c
                }
            }
        };
        let Some(kept) = kept else { continue };
        if kept == "D" {
            what_is_left(root, &rel.join(n), shadow, &to.join(n), r);
            continue;
        }
        let old = fs::read(shadow.join("i").join(kept)).unwrap_or_default();
        // The present contents count only if the name still means the same file.
        let new = if now.get(n) == Some(kept) { fs::read(root.join(rel).join(n)).ok() } else { None };
        fs::write(to.join(n), mixed(old, new, r)).unwrap();
    }
}

/// Sectors of the synced and of the present contents.
fn mixed(old: Vec<u8>, new: Option<Vec<u8>>, r: &mut Random) -> Vec<u8> {
    const SECTOR: usize = 4096;
    let Some(new) = new.filter(|n| *n != old) else { return old };
    let len = if r.below(2) == 0 { old.len() } else { new.len() };
    let mut out = vec![0; len];
    for at in (0..len).step_by(SECTOR) {
        let from = if r.below(2) == 0 { &old } else { &new };
        let end = (at + SECTOR).min(len);
        if from.len() >= end {
            out[at..end].copy_from_slice(&from[at..end]);
        }
    }
    out
}

/// Clients that keep book of what was acknowledged.
#[derive(Default)]
struct Books {
    /// Per client: number of the last transaction acknowledged, and of the last begun.
    acknowledged: Mutex<BTreeMap<u64, (u64, u64)>>,
}

fn load(c: &Cluster, client: u64, books: &Books, stop: &AtomicBool, seed: u64) {
    let Ok(mut w) = Wire::connect(c) else { return };
    let mut r = Random::new(seed * 100 + client);
    let mut n = books.acknowledged.lock().unwrap().get(&client).map_or(0, |x| x.1);
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        books.acknowledged.lock().unwrap().entry(client).or_default().1 = n;
        let (a, b) = (r.below(200), r.below(200));
        let long = [1, 10, 100][r.below(3) as usize];
        let sql = format!(
            "begin; update acct set v = v - 1 where id = {a}; update acct set v = v + 1 where id = {b};
             insert into done values ({client}, {n}, repeat(md5('{n}'), {long}));
             delete from done where client = {client} and n < {n} - 50; commit"
        );
        match w.query(&sql) {
            Ok(reply) if reply.error.is_none() => {
                books.acknowledged.lock().unwrap().entry(client).or_default().0 = n;
            }
            Ok(reply) if reply.error.as_ref().is_some_and(|e| e.code() == "40P01") => {
                w.query("rollback").unwrap();
            }
            _ => return,
        }
        if client == 0 && r.below(60) == 0 && w.query("checkpoint").is_err() {
            return;
        }
        if client == 1 && r.below(40) == 0 && w.query("vacuum done").is_err() {
            return;
        }
    }
}

fn check(w: &mut Wire, books: &Books, what: &str) {
    assert_eq!(w.value("select count(*) || ' ' || sum(v) from acct"), "200 0", "{what}");
    for (client, (acknowledged, begun)) in books.acknowledged.lock().unwrap().iter() {
        let last: u64 =
            w.value(&format!("select max(n) from done where client = {client}")).parse().unwrap_or(0);
        assert!(
            (*acknowledged..=*begun).contains(&last) || *acknowledged == 0,
            "{what}: client {client} was told {acknowledged}, began {begun}, and {last} is there"
        );
    }
    w.ok("set enable_seqscan = off; set enable_bitmapscan = off");
    let by_index =
        w.value("select count(*) from (select client, n from done where client >= 0 order by client, n) x");
    w.ok("set enable_seqscan = on; set enable_indexscan = off; set enable_indexonlyscan = off");
    let by_heap = w.value("select count(*) from done");
    assert_eq!(by_index, by_heap, "{what}");
    let broken = w.value("select count(*) from done where left(body, 32) <> md5(n::text)");
    assert_eq!(broken, "0", "{what}");
    w.ok("reset all");
}

#[test]
fn after_a_power_loss_every_acknowledged_commit_is_there() {
    let rounds: u64 = std::env::var("STEGODON_POWER_ROUNDS").ok().and_then(|v| v.parse().ok()).unwrap_or(4);
    let mut f = Faulty::start(&[("autovacuum", "off"), ("max_wal_size", "64MB")]);
    {
        let mut w = f.wire();
        w.ok("create table acct(id int primary key, v int not null)");
        w.ok("create table done(client int, n int, body text, primary key (client, n))");
        w.ok("insert into acct select g, 0 from generate_series(0, 199) g");
    }
    let books = Books::default();
    for round in 0..rounds {
        f.c.stop().unwrap();
        let (data, shadow) = (f.c.data_dir(), f.side.join("shadow"));
        let _ = fs::remove_dir_all(&shadow);
        fs::create_dir_all(shadow.join("i")).unwrap();
        fs::create_dir_all(shadow.join("d")).unwrap();
        all_durable(&data, &data, &shadow);
        f.c.set_environment("SHIM_SHADOW", &shadow.to_string_lossy());
        f.c.set_environment("SHIM_ROOT", &data.to_string_lossy());
        f.c.launch().unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|s| {
            for client in 0..3 {
                let handle = f.c.handle();
                let (books, stop) = (&books, &stop);
                s.spawn(move || load(&handle, client, books, stop, round));
            }
            std::thread::sleep(Duration::from_millis(1500 + 700 * round));
            if round % 2 == 1 {
                // In the middle of DDL as well.
                let mut w = f.wire();
                w.ok(&format!("create table extra{round}(a int)"));
                w.ok(&format!("insert into extra{round} values (1)"));
                w.ok(&format!("create database db{round}"));
            }
            f.c.kill().unwrap();
            stop.store(true, Ordering::Relaxed);
        });
        std::thread::sleep(Duration::from_millis(300));
        let left = f.side.join("left");
        let _ = fs::remove_dir_all(&left);
        let mut r = Random::new(round + 77);
        what_is_left(&data, Path::new(""), &shadow, &left, &mut r);
        fs::remove_dir_all(&data).unwrap();
        copy_tree(&left, &data);
        f.c.launch().unwrap_or_else(|e| panic!("round {round}: {e}"));
        let mut w = f.wire();
        check(&mut w, &books, &format!("round {round}"));
        if round % 2 == 1 {
            assert_eq!(w.value(&format!("select a from extra{round}")), "1");
            let mut other = Wire::connect_as(&f.c, "postgres", &format!("db{round}")).unwrap();
            assert_eq!(other.value("select count(*) > 10 from pg_class"), "t");
        }
        let total: u64 = books.acknowledged.lock().unwrap().values().map(|x| x.0).sum();
        println!("round {round}: {total} commits acknowledged");
        assert!(total > 0);
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for e in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(e.file_name());
        if e.metadata().unwrap().is_dir() {
            copy_tree(&e.path(), &target);
        } else {
            fs::copy(e.path(), target).unwrap();
        }
    }
}

#[test]
fn a_torn_page_is_made_whole() {
    let mut f = Faulty::start(&[("autovacuum", "off")]);
    let mut w = f.wire();
    w.ok("create table t(a int primary key, b text)");
    w.ok("insert into t select g, repeat(md5(g::text), 4) from generate_series(1, 2000) g");
    w.ok("checkpoint");
    w.ok("update t set b = 'new' where a % 3 = 0");
    let files: Vec<PathBuf> = ["t", "t_pkey"]
        .iter()
        .map(|n| f.c.data_dir().join(w.value(&format!("select pg_relation_filepath('{n}')"))))
        .collect();
    let before = w.value("select md5(string_agg(a || b, ',' order by a)) from t");
    f.c.kill().unwrap();
    // The update has changed every page, so each has an image in the log.
    let mut torn = 0;
    for file in &files {
        let mut bytes = fs::read(file).unwrap();
        for page in bytes.chunks_mut(8192).skip(1).step_by(2) {
            page[4096..].fill(0xEE);
            torn += 1;
        }
        fs::write(file, bytes).unwrap();
    }
    assert!(torn > 10);
    f.c.launch().unwrap();
    let mut w = f.wire();
    assert_eq!(w.value("select md5(string_agg(a || b, ',' order by a)) from t"), before);
    w.ok("set enable_seqscan = off");
    assert_eq!(w.value("select count(*) from t where a > 0"), "2000");
}
