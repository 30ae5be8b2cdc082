//! The wire protocol from the hostile and the pedantic side. Each test can be asked of a real PostgreSQL 15 with
//! `STEGODON_ASK=postgresql`: what it expects is what that says.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::time::Duration;
use testkit::process::signal;
use testkit::wire::row_values;
use testkit::{Cluster, Fields, Kind, Options, Random, Wire, wait_for};

const SOON: Duration = Duration::from_secs(15);

fn kind() -> Kind {
    match std::env::var("STEGODON_ASK").as_deref() {
        Ok("postgresql") => Kind::PostgreSql,
        _ => Kind::Stegodon,
    }
}

fn cluster_with(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    Cluster::start(kind(), o).unwrap()
}

fn wire(c: &Cluster) -> Wire {
    Wire::connect(c).unwrap_or_else(|e| panic!("{e}\n{}", c.log_tail()))
}

/// A message with its length.
fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), &body].concat()
}
fn text(s: &str) -> Vec<u8> {
    [s.as_bytes(), &[0]].concat()
}
fn parse(name: &str, sql: &str, types: &[u32]) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|t| t.to_be_bytes()).collect();
    message(b'P', &[&text(name), &text(sql), &((types.len() / 4) as u16).to_be_bytes(), &types])
}
fn bind(portal: &str, statement: &str, values: &[Option<&[u8]>], format: u16, result_format: u16) -> Vec<u8> {
    let mut v = (values.len() as u16).to_be_bytes().to_vec();
    for x in values {
        match x {
            None => v.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(b) => {
                v.extend_from_slice(&(b.len() as u32).to_be_bytes());
                v.extend_from_slice(b);
            }
        }
    }
    let one = |f: u16| [1u16.to_be_bytes(), f.to_be_bytes()].concat();
    message(b'B', &[&text(portal), &text(statement), &one(format), &v, &one(result_format)])
}
fn execute(portal: &str, rows: i32) -> Vec<u8> {
    message(b'E', &[&text(portal), &rows.to_be_bytes()])
}
fn describe(what: u8, name: &str) -> Vec<u8> {
    message(b'D', &[&[what], &text(name)])
}
fn close(what: u8, name: &str) -> Vec<u8> {
    message(b'C', &[&[what], &text(name)])
}
fn sync() -> Vec<u8> {
    message(b'S', &[])
}

/// Sends messages and reads up to `ready` ReadyForQuery; one word for each answer.
fn talk(w: &mut Wire, messages: &[Vec<u8>], ready: usize) -> Vec<String> {
    w.send_bytes(&messages.concat()).unwrap();
    let mut out = vec![];
    let mut seen = 0;
    while seen < ready {
        let (kind, body) = w.message().unwrap_or_else(|e| panic!("{e} after {out:?}"));
        seen += usize::from(kind == b'Z');
        out.push(word(kind, &body));
    }
    out
}

fn word(kind: u8, body: &[u8]) -> String {
    match kind {
        b'1' => "parsed".into(),
        b'2' => "bound".into(),
        b'3' => "closed".into(),
        b'n' => "no data".into(),
        b's' => "suspended".into(),
        b'I' => "empty".into(),
        b'T' => format!("columns {}", u16::from_be_bytes([body[0], body[1]])),
        b't' => format!("parameters {}", u16::from_be_bytes([body[0], body[1]])),
        b'D' => {
            let v = row_values(body).unwrap();
            format!("row {}", v.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("|"))
        }
        b'C' => String::from_utf8_lossy(&body[..body.len() - 1]).into_owned(),
        b'E' => format!("error {}", Fields::parse(body).code()),
        b'N' => format!("notice {}", Fields::parse(body).code()),
        b'Z' => format!("ready {}", body[0] as char),
        b'G' => "copy in".into(),
        b'H' => "copy out".into(),
        b'd' => "copy data".into(),
        b'c' => "copy done".into(),
        b'S' => "setting".into(),
        k => format!("{}", k as char),
    }
}

#[test]
fn garbage_harms_only_its_sender() {
    let c = cluster_with(&[]);
    let mut good = wire(&c);
    good.ok("create table t(a int); prepare p as select count(*) from t");
    let packet =
        |len: u32, code: u32, rest: &[u8]| [&len.to_be_bytes()[..], &code.to_be_bytes(), rest].concat();
    let starts: Vec<(Vec<u8>, &str)> = vec![
        (vec![], ""),
        (vec![0], ""),
        (vec![0, 0, 0], ""),
        (packet(4, 0, &[]), ""),
        (packet(0, 0, &[]), ""),
        (packet(u32::MAX, 196_608, &[]), ""),
        (packet(10_001, 196_608, &[]), ""),
        (packet(100, 196_608, b"user\0post"), ""),
        (packet(9, 196_608, &[0]), "28000"),
        (packet(8, 196_608, &[]), "08P01"),
        (packet(14, 196_608, b"user\0x"), "08P01"),
        (packet(8, 131_072, &[]), ""),
        (packet(8, 0x0005_0000, &[]), "0A000"),
        (packet(12, 80_877_102, &[0; 4]), ""),
        (packet(16, 80_877_102, &[0xff; 8]), ""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), ""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), ""),
    ];
    for (bytes, code) in starts {
        let mut w = Wire::raw(&c).unwrap();
        w.send_bytes(&bytes).unwrap();
        w.close_write().unwrap();
        let said = w.read_to_end().unwrap_or_else(|e| panic!("{bytes:?}: {e}"));
        if !code.is_empty() {
            assert!(
                said.iter().any(|(k, b)| *k == b'E' && Fields::parse(b).code() == code),
                "{bytes:?}: {said:?}"
            );
        }
    }
    // After a good start.
    let over: Vec<Vec<u8>> = vec![
        vec![0; 64],
        vec![0xff; 64],
        b"Q\0\0\0\x03".to_vec(),
        b"Q\xff\xff\xff\xff".to_vec(),
        b"Q\x7f\xff\xff\xffselect".to_vec(),
        b"S\0\x10\0\0".to_vec(),
        b"z\0\0\0\x04".to_vec(),
        b"p\0\0\0\x08xxxx".to_vec(),
        message(b'Q', &[b"select 1"])[..9].to_vec(),
    ];
    for bytes in over {
        let mut w = wire(&c);
        w.send_bytes(&bytes).unwrap();
        w.close_write().unwrap();
        w.read_to_end().unwrap_or_else(|e| panic!("{bytes:?}: {e}"));
    }
    // Faulty bodies: an error, and the session lives on.
    for (kind, body) in [
        (b'Q', &b"select 1"[..]),
        (b'Q', b"select '\xff'\0"),
        (b'Q', b"select 1\0more\0"),
        (b'Q', b""),
        (b'P', b"x"),
        (b'P', b"\0select 1\0\x7f\xff"),
        (b'P', b"\0select 1\0\xff\xff"),
        (b'B', b"\0\0\x7f\xff\0\0"),
        (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"),
        (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xf0"),
        (b'D', b"Q\0"),
        (b'D', b""),
        (b'E', b"\0\0"),
        (b'C', b"Z\0"),
        (b'F', b"\0"),
    ] {
        let mut w = wire(&c);
        let said = talk(&mut w, &[message(kind, &[body]), sync()], 1);
        assert!(said.iter().any(|s| s.starts_with("error ")), "{} {body:?}: {said:?}", kind as char);
        if kind == b'Q' || kind == b'F' {
            let _ = w.message();
        }
        assert_eq!(w.value("select 7"), "7", "{} {body:?}", kind as char);
    }
    // Random bytes behind a valid type.
    let mut r = Random::new(4711);
    for _ in 0..150 {
        let Ok(mut w) = Wire::connect(&c) else { panic!("{}", c.log_tail()) };
        for _ in 0..4 {
            let kind = *r.pick(b"QPBDECSHFXdcfp");
            let body: Vec<u8> =
                (0..r.below(40)).map(|_| if r.below(3) == 0 { 0 } else { r.next_u64() as u8 }).collect();
            let _ = w.send_bytes(&message(kind, &[&body]));
        }
        let _ = w.send_bytes(&sync());
        let _ = w.close_write();
        w.read_to_end().unwrap();
    }
    assert_eq!(good.value("execute p"), "0");
    let log = c.log();
    for bad in ["PANIC", "panicked", "terminated by signal", "reinitializing"] {
        assert!(
            !log.contains(bad),
            "{bad}: {}",
            log.lines().filter(|l| l.contains(bad)).collect::<Vec<_>>().join("\n")
        );
    }
}

#[test]
fn pipelines_skip_to_sync() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    w.ok("create table t(a int primary key)");
    let run = |sql: &str| [parse("", sql, &[]), bind("", "", &[], 0, 0), execute("", 0)].concat();
    let said = talk(
        &mut w,
        &[
            run("insert into t values(1)"),
            run("insert into t values(1)"),
            run("insert into t values(2)"),
            sync(),
            run("insert into t values(3)"),
            sync(),
            run("select a from t"),
            sync(),
        ],
        3,
    );
    assert_eq!(
        said,
        [
            "parsed",
            "bound",
            "INSERT 0 1",
            "parsed",
            "bound",
            "error 23505",
            "ready I",
            "parsed",
            "bound",
            "INSERT 0 1",
            "ready I",
            "parsed",
            "bound",
            "row 3",
            "SELECT 1",
            "ready I"
        ]
    );
    // In a block: the block fails, later messages are refused until its end.
    let said = talk(
        &mut w,
        &[
            run("begin"),
            sync(),
            run("select 1/(a-3) from t"),
            sync(),
            run("select 1"),
            sync(),
            run("rollback"),
            sync(),
        ],
        4,
    );
    assert_eq!(
        said,
        [
            "parsed",
            "bound",
            "BEGIN",
            "ready T",
            "parsed",
            "bound",
            "error 22012",
            "ready E",
            "error 25P02",
            "ready E",
            "parsed",
            "bound",
            "ROLLBACK",
            "ready I"
        ]
    );
    // Errors of each message, and what it leaves behind.
    let said = talk(
        &mut w,
        &[
            parse("s", "select $1::int4 + 1 as b, $2::text", &[]),
            describe(b'S', "s"),
            bind("p", "s", &[Some(b"41"), None], 0, 0),
            describe(b'P', "p"),
            execute("p", 0),
            execute("p", 0),
            close(b'P', "p"),
            close(b'P', "never was"),
            sync(),
            parse("s", "select 1", &[]),
            sync(),
            bind("p", "s", &[Some(b"x"), None], 0, 0),
            sync(),
            bind("p", "s", &[Some(b"1")], 0, 0),
            sync(),
            execute("p", 0),
            sync(),
            describe(b'S', "t"),
            sync(),
            close(b'S', "s"),
            sync(),
            bind("p", "s", &[Some(b"1"), None], 0, 0),
            sync(),
            parse("", "", &[]),
            bind("", "", &[], 0, 0),
            describe(b'P', ""),
            execute("", 0),
            sync(),
            parse("", "select 1; select 2", &[]),
            sync(),
            parse("", "selec", &[]),
            sync(),
        ],
        11,
    );
    assert_eq!(
        said,
        [
            "parsed",
            "parameters 2",
            "columns 2",
            "bound",
            "columns 2",
            "row 42|NULL",
            "SELECT 1",
            "SELECT 0",
            "closed",
            "closed",
            "ready I",
            "error 42P05",
            "ready I",
            "error 22P02",
            "ready I",
            "error 08P01",
            "ready I",
            "error 34000",
            "ready I",
            "error 26000",
            "ready I",
            "closed",
            "ready I",
            "error 26000",
            "ready I",
            "parsed",
            "bound",
            "no data",
            "empty",
            "ready I",
            "error 42601",
            "ready I",
            "error 42601",
            "ready I"
        ]
    );
}

#[test]
fn portals_with_row_limits() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    let said = talk(
        &mut w,
        &[
            parse("", "select g from generate_series(1, 5) g", &[]),
            bind("p", "", &[], 0, 0),
            execute("p", 2),
            execute("p", 2),
            execute("p", 2),
            execute("p", 2),
            sync(),
            execute("p", 1),
            sync(),
        ],
        2,
    );
    assert_eq!(
        said,
        [
            "parsed",
            "bound",
            "row 1",
            "row 2",
            "suspended",
            "row 3",
            "row 4",
            "suspended",
            "row 5",
            "SELECT 1",
            "SELECT 0",
            "ready I",
            "error 34000",
            "ready I"
        ]
    );
    // In a block a portal lives over Sync, several side by side, and sees the data of its start.
    w.ok("create table t(a int); insert into t select generate_series(1, 3); begin");
    let said = talk(
        &mut w,
        &[
            parse("s", "select a from t order by a", &[]),
            bind("p", "s", &[], 0, 0),
            bind("q", "s", &[], 0, 0),
            execute("p", 1),
            sync(),
            message(b'Q', &[&text("insert into t values(0)")]),
            execute("p", 1),
            execute("q", 3),
            execute("q", 3),
            execute("p", 0),
            sync(),
            message(b'Q', &[&text("commit")]),
            execute("q", 1),
            sync(),
        ],
        5,
    );
    assert_eq!(
        said,
        [
            "parsed",
            "bound",
            "bound",
            "row 1",
            "suspended",
            "ready T",
            "INSERT 0 1",
            "ready T",
            "row 2",
            "suspended",
            "row 1",
            "row 2",
            "row 3",
            "suspended",
            "SELECT 0",
            "row 3",
            "SELECT 1",
            "ready T",
            "COMMIT",
            "ready I",
            "error 34000",
            "ready I"
        ]
    );
    let said = talk(
        &mut w,
        &[
            parse("", "insert into t select generate_series(10, 14) returning a", &[]),
            bind("", "", &[], 0, 0),
            execute("", 2),
            execute("", 0),
            sync(),
        ],
        1,
    );
    assert_eq!(
        said[2..],
        ["row 10", "row 11", "suspended", "row 12", "row 13", "row 14", "INSERT 0 3", "ready I"]
    );
    assert_eq!(w.value("select count(*) from t"), "9");
}

#[test]
fn copy_and_its_failures() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    w.ok("create table t(a int, b text)");
    let copy = || message(b'Q', &[&text("copy t from stdin")]);
    let data = |s: &str| message(b'd', &[s.as_bytes()]);
    let done = || message(b'c', &[]);
    assert_eq!(
        talk(&mut w, &[copy(), data("1\tone\n2\t"), data("two\n"), done()], 1),
        ["copy in", "COPY 2", "ready I"]
    );
    assert_eq!(
        talk(&mut w, &[copy(), data("3\tthree\n"), message(b'f', &[&text("no more")])], 1),
        ["copy in", "error 57014", "ready I"]
    );
    // A faulty row: what the client goes on to send is dropped.
    assert_eq!(
        talk(&mut w, &[copy(), data("x\ty\n"), data("4\tfour\n"), done()], 1),
        ["copy in", "error 22P02", "ready I"]
    );
    // Sync and Flush in the midst are ignored, another message ends it.
    assert_eq!(
        talk(&mut w, &[copy(), data("5\tfive\n"), sync(), message(b'H', &[]), data("6\tsix\n"), done()], 1),
        ["copy in", "COPY 2", "ready I"]
    );
    w.send_bytes(&[copy(), data("7\tseven\n"), message(b'Q', &[&text("select 1")])].concat()).unwrap();
    let said: Vec<String> = w.read_to_end().unwrap().iter().map(|(k, b)| word(*k, b)).collect();
    assert_eq!(said, ["copy in", "error 08P01", "error 08P01"]);
    let mut w = wire(&c);
    assert_eq!(w.ok("select a from t order by a").lines(), ["1", "2", "5", "6"]);
    assert_eq!(
        talk(&mut w, &[message(b'Q', &[&text("copy t to stdout; select 1")])], 1),
        [
            "copy out",
            "copy data",
            "copy data",
            "copy data",
            "copy data",
            "copy done",
            "COPY 4",
            "columns 1",
            "row 1",
            "SELECT 1",
            "ready I"
        ]
    );
    // The client vanishes inside a COPY.
    let mut gone = wire(&c);
    gone.send_bytes(&[copy(), data("8\teight\n")].concat()).unwrap();
    let pid = gone.pid;
    drop(gone);
    assert!(wait_for(SOON, || !testkit::is_alive(pid)));
    assert_eq!(w.value("select count(*) from t"), "4");
}

#[test]
fn binary_values_go_there_and_back() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    // Type, text of a value: out in binary, in again in binary, equal and of equal text.
    let cases = [
        ("bool", "true"),
        ("int2", "-32768"),
        ("int4", "2147483647"),
        ("int8", "-9223372036854775808"),
        ("float4", "1.5e-30"),
        ("float4", "NaN"),
        ("float8", "-Infinity"),
        ("float8", "0.1"),
        ("numeric", "-12345678901234567890.000100"),
        ("numeric", "NaN"),
        ("numeric", "0"),
        ("numeric", "1e-50"),
        ("text", "äöü'\\ x"),
        ("varchar", ""),
        ("bpchar", "ab "),
        ("name", "n"),
        ("\"char\"", "c"),
        ("bytea", "\\x00ff10"),
        ("date", "2024-02-29"),
        ("date", "-infinity"),
        ("date", "0044-03-15 BC"),
        ("time", "23:59:59.999999"),
        ("timetz", "01:02:03+05:30"),
        ("timestamp", "1999-12-31 23:59:59.5"),
        ("timestamptz", "infinity"),
        ("timestamptz", "2001-02-03 04:05:06+00"),
        ("interval", "1 year 2 mons -3 days 04:05:06.789"),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("oid", "4294967295"),
        ("int4[]", "{1,NULL,3}"),
        ("text[]", "{{a,\"b c\"},{NULL,\"\"}}"),
        ("numeric[]", "[2:3]={1.5,2}"),
        ("int4[]", "{}"),
        ("regclass", "pg_class"),
        ("regtype", "integer"),
    ];
    for (ty, value) in cases {
        w.send_bytes(
            &[
                parse("", &format!("select $1::{ty}"), &[]),
                bind("", "", &[Some(value.as_bytes())], 0, 1),
                execute("", 0),
                sync(),
            ]
            .concat(),
        )
        .unwrap();
        let mut binary = None;
        loop {
            let (k, b) = w.message().unwrap();
            match k {
                b'D' => binary = Some(b[6..].to_vec()),
                b'E' => panic!("{ty} {value}: {:?}", Fields::parse(&b)),
                b'Z' => break,
                _ => {}
            }
        }
        let binary = binary.unwrap();
        let sql = format!(
            "select x::text, '{}'::{ty}::text from (select $1::{ty} as x) s",
            value.replace('\'', "''")
        );
        let said = talk(
            &mut w,
            &[parse("", &sql, &[]), bind("", "", &[Some(&binary)], 1, 0), execute("", 0), sync()],
            1,
        );
        let row =
            said.iter().find(|s| s.starts_with("row ")).unwrap_or_else(|| panic!("{ty} {value}: {said:?}"));
        let (a, b) = row[4..].split_once('|').unwrap();
        assert_eq!(a, b, "{ty} {value}");
        // Cut short or made longer: an error, never a crash.
        for faulty in [&binary[..binary.len().saturating_sub(1)], &[&binary[..], &[0]].concat()] {
            let said = talk(
                &mut w,
                &[
                    parse("", &format!("select $1::{ty}"), &[]),
                    bind("", "", &[Some(faulty)], 1, 1),
                    execute("", 0),
                    sync(),
                ],
                1,
            );
            let text_like = ["text", "varchar", "bpchar", "name", "bytea"].contains(&ty);
            assert!(
                text_like || said.iter().any(|s| s.starts_with("error ")),
                "{ty} {value} {faulty:?}: {said:?}"
            );
        }
    }
}

#[test]
fn a_driver_of_others_gets_along() {
    let c = cluster_with(&[]);
    let mut client = postgres::Config::new()
        .host("127.0.0.1")
        .port(c.port)
        .user("postgres")
        .dbname("postgres")
        .connect(postgres::NoTls)
        .unwrap();
    client.batch_execute("create table t(a int primary key, b text, c float8, d bytea, e int[])").unwrap();
    let insert = client.prepare("insert into t values($1, $2, $3, $4, $5)").unwrap();
    for i in 0..100i32 {
        let text = (i % 3 != 0).then(|| format!("row {i}"));
        let n = client
            .execute(&insert, &[&i, &text, &(f64::from(i) / 3.0), &vec![i as u8; 3], &vec![i, -i]])
            .unwrap();
        assert_eq!(n, 1);
    }
    let rows = client.query("select a, b, c, d, e from t where a >= $1 order by a", &[&90i32]).unwrap();
    assert_eq!(rows.len(), 10);
    let (b, e): (Option<String>, Vec<i32>) = (rows[1].get(1), rows[1].get(4));
    assert_eq!((b.as_deref(), e), (Some("row 91"), vec![91, -91]));
    assert_eq!(rows[0].get::<_, Option<String>>(1), None);
    let mut tx = client.transaction().unwrap();
    let portal = tx.bind("select a from t order by a", &[]).unwrap();
    assert_eq!(tx.query_portal(&portal, 60).unwrap().len(), 60);
    assert_eq!(tx.query_portal(&portal, 60).unwrap().len(), 40);
    let mut inner = tx.transaction().unwrap();
    let e = inner.execute("insert into t(a) values(1)", &[]).unwrap_err();
    assert_eq!(e.code(), Some(&postgres::error::SqlState::UNIQUE_VIOLATION));
    inner.rollback().unwrap();
    let mut copy = tx.copy_in("copy t(a, b) from stdin").unwrap();
    copy.write_all(b"1000\tx\n1001\ty\n").unwrap();
    assert_eq!(copy.finish().unwrap(), 2);
    tx.commit().unwrap();
    let mut out = String::new();
    client
        .copy_out("copy (select a from t where a >= 1000 order by a) to stdout")
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert_eq!(out, "1000\n1001\n");
}

#[test]
fn authentication_methods() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    w.ok("set password_encryption = 'md5'; create role m login password 'emm'");
    w.ok("set password_encryption = 'scram-sha-256'; create role s login password 'ess'");
    w.ok("create role n login; create role t login; create role r login; create role nologin");
    w.ok("create role old login password 'x' valid until '2000-01-01'");
    let hba = "local all postgres trust\nhost all postgres 127.0.0.1/32 trust\nhost all t all trust\nhost all r all reject\n\
               host all m all md5\nhost all s all scram-sha-256\nhost all n,nologin,old all password\n";
    std::fs::write(c.data_dir().join("pg_hba.conf"), hba).unwrap();
    let loads = c.log().matches("received SIGHUP").count();
    signal(c.postmaster_pid().unwrap(), nix::sys::signal::Signal::SIGHUP);
    assert!(wait_for(SOON, || c.log().matches("received SIGHUP").count() > loads));
    let attempt = |user: &str, password: Option<&str>, database: &str| -> Result<String, String> {
        let mut config = postgres::Config::new();
        config.host("127.0.0.1").port(c.port).user(user).dbname(database);
        if let Some(p) = password {
            config.password(p);
        }
        match config.connect(postgres::NoTls) {
            Ok(mut client) => Ok(client.query_one("select current_user::text", &[]).unwrap().get(0)),
            Err(e) => Err(e
                .as_db_error()
                .map_or_else(|| format!("{e}"), |d| format!("{}: {}", d.code().code(), d.message()))),
        }
    };
    // The new file counts once a connection to be refused is refused.
    assert!(wait_for(SOON, || attempt("r", None, "postgres").is_err()));
    assert_eq!(attempt("t", None, "postgres"), Ok("t".into()));
    assert_eq!(attempt("m", Some("emm"), "postgres"), Ok("m".into()));
    assert_eq!(attempt("s", Some("ess"), "postgres"), Ok("s".into()));
    let refused = |user: &str| Err(format!("28P01: password authentication failed for user \"{user}\""));
    for (user, password) in [("m", "ess"), ("s", "emm"), ("s", ""), ("n", "x"), ("old", "x")] {
        assert_eq!(attempt(user, Some(password), "postgres"), refused(user), "{user} {password}");
    }
    let reject = attempt("r", None, "postgres").unwrap_err();
    assert!(
        reject.starts_with(
            "28000: pg_hba.conf rejects connection for host \"127.0.0.1\", user \"r\", database \"postgres\""
        ),
        "{reject}"
    );
    let none = attempt("nobody", None, "postgres").unwrap_err();
    assert!(
        none.starts_with("28000: no pg_hba.conf entry for host \"127.0.0.1\", user \"nobody\""),
        "{none}"
    );
    assert_eq!(attempt("t", None, "nowhere"), Err("3D000: database \"nowhere\" does not exist".into()));
    w.ok("alter role t nologin");
    assert_eq!(attempt("t", None, "postgres"), Err("28000: role \"t\" is not permitted to log in".into()));
    w.ok("alter role s connection limit 0");
    w.ok("create database closed");
    w.ok("revoke connect on database closed from public");
    assert_eq!(
        attempt("s", Some("ess"), "postgres"),
        Err("53300: too many connections for role \"s\"".into())
    );
    w.ok("alter role s connection limit 1");
    assert_eq!(
        attempt("m", Some("emm"), "closed"),
        Err("42501: permission denied for database \"closed\"".into())
    );
    // A faulty file leaves the rules as they are.
    std::fs::write(c.data_dir().join("pg_hba.conf"), "nonsense\n").unwrap();
    signal(c.postmaster_pid().unwrap(), nix::sys::signal::Signal::SIGHUP);
    assert!(wait_for(SOON, || c.log().contains("pg_hba.conf was not reloaded")));
    assert_eq!(attempt("s", Some("ess"), "postgres"), Ok("s".into()));
}

#[test]
fn too_many_connections() {
    let c = cluster_with(&[("max_connections", "6"), ("superuser_reserved_connections", "2")]);
    let mut w = wire(&c);
    w.ok("create role u login");
    let mut held = vec![];
    let refused = loop {
        match Wire::connect_as(&c, "u", "postgres") {
            Ok(w) => held.push(w),
            Err(e) => break e.to_string(),
        }
        assert!(held.len() < 6);
    };
    assert_eq!(held.len(), 3);
    assert_eq!(
        refused,
        "53300: remaining connection slots are reserved for non-replication superuser connections"
    );
    let more = [wire(&c), wire(&c)];
    let refused = Wire::connect(&c).err().unwrap().to_string();
    assert_eq!(refused, "53300: sorry, too many clients already");
    let pid = held[0].pid;
    held.remove(0);
    assert!(wait_for(SOON, || !testkit::is_alive(pid)));
    assert!(wait_for(SOON, || Wire::connect(&c).is_ok()));
    drop(more);
    assert_eq!(w.value("select 1"), "1");
}

/// Parse, Bind, Execute, Sync, each with what it depends on before it.
fn stages(sql: &str, types: &[u32], values: &[Option<&[u8]>]) -> Vec<Vec<u8>> {
    vec![parse("", sql, types), bind("", "", values, 0, 0), execute("", 0), sync()]
}

#[test]
fn errors_come_at_the_stage_where_postgresql_finds_them() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    w.ok("create table t(a int primary key); insert into t values (1), (2)");
    w.ok("create role nobody_much; create table secret(a int)");
    for (sql, want) in [
        // Constants are computed by the planner, which works at Bind.
        ("select 1/0", "parsed, error 22012, ready I"),
        ("select 1/a from t", "parsed, bound, row 1, row 0, SELECT 2, ready I"),
        ("select 1/(a-1) from t", "parsed, bound, error 22012, ready I"),
        ("insert into t select 1/0", "parsed, error 22012, ready I"),
        ("insert into t values (1)", "parsed, bound, error 23505, ready I"),
        ("update t set a = 1/0", "parsed, error 22012, ready I"),
        ("select a from t limit -1", "parsed, bound, error 2201W, ready I"),
        ("select 'x'::int", "error 22P02, ready I"),
        ("select nosuch", "error 42703, ready I"),
        ("create table t(a int)", "parsed, bound, error 42P07, ready I"),
        ("fetch all from nosuch", "parsed, bound, error 34000, ready I"),
        ("savepoint a", "parsed, bound, error 25P01, ready I"),
    ] {
        assert_eq!(talk(&mut w, &stages(sql, &[], &[]), 1).join(", "), want, "{sql}");
    }
    // Privileges are asked for when the statement begins to run: a query at Bind, a change at Execute.
    w.ok("set role nobody_much");
    for (sql, want) in [
        ("select * from secret", "parsed, error 42501, ready I"),
        ("delete from secret", "parsed, bound, error 42501, ready I"),
        ("insert into secret values (1) returning a", "parsed, bound, error 42501, ready I"),
    ] {
        assert_eq!(talk(&mut w, &stages(sql, &[], &[]), 1).join(", "), want, "{sql}");
    }
    w.ok("reset role; set default_transaction_read_only = on");
    for (sql, want) in [
        ("select * from t for update", "parsed, error 25006, ready I"),
        ("delete from t", "parsed, bound, error 25006, ready I"),
    ] {
        assert_eq!(talk(&mut w, &stages(sql, &[], &[]), 1).join(", "), want, "{sql}");
    }
}

#[test]
fn a_portal_shows_the_data_of_the_moment_of_its_bind() {
    let c = cluster_with(&[]);
    let (mut w, mut other) = (wire(&c), wire(&c));
    w.ok("create table t(a int); insert into t values (1)");
    for portal in ["", "named"] {
        let said =
            talk(&mut w, &[parse("", "begin", &[]), bind("", "", &[], 0, 0), execute("", 0), sync()], 1);
        assert_eq!(said.join(", "), "parsed, bound, BEGIN, ready T");
        let flush = message(b'H', &[]);
        w.send_bytes(&[parse("q", "select a from t", &[]), bind(portal, "q", &[], 0, 0), flush].concat())
            .unwrap();
        for k in [b'1', b'2'] {
            assert_eq!(w.message().unwrap().0, k);
        }
        other.ok("insert into t values (2)");
        let said = talk(&mut w, &[execute(portal, 0), sync()], 1);
        assert_eq!(said.join(", "), "row 1, SELECT 1, ready T");
        // A statement that changes data takes its snapshot when it runs.
        w.send_bytes(
            &[
                parse("d", "update t set a = a returning a", &[]),
                bind("", "d", &[], 0, 0),
                message(b'H', &[]),
            ]
            .concat(),
        )
        .unwrap();
        for k in [b'1', b'2'] {
            assert_eq!(w.message().unwrap().0, k);
        }
        other.ok("insert into t values (3)");
        let said = talk(&mut w, &[execute("", 0), sync()], 1);
        assert_eq!(said.join(", "), "row 1, row 2, row 3, UPDATE 3, ready T");
        let close_all = [close(b'S', "q"), close(b'S', "d"), sync()];
        talk(&mut w, &close_all, 1);
        w.ok("rollback");
        other.ok("delete from t where a > 1");
    }
    // In one implicit transaction: the portal bound first does not see the row inserted after.
    let said = talk(
        &mut w,
        &[
            parse("q", "select count(*) from t", &[]),
            bind("p", "q", &[], 0, 0),
            parse("", "insert into t values (9)", &[]),
            bind("", "", &[], 0, 0),
            execute("", 0),
            execute("p", 0),
            bind("p2", "q", &[], 0, 0),
            execute("p2", 0),
            sync(),
        ],
        1,
    );
    assert_eq!(
        said.join(", "),
        "parsed, bound, parsed, bound, INSERT 0 1, row 1, SELECT 1, bound, row 2, SELECT 1, ready I"
    );
}

#[test]
fn portals_outlive_changes_around_them() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    w.ok("create table t(a int); insert into t select generate_series(1, 5)");
    let said = talk(
        &mut w,
        &[
            parse("ins", "insert into t values (6)", &[]),
            bind("i", "ins", &[], 0, 0),
            bind("i2", "ins", &[], 0, 0),
            parse("", "create index on t(a)", &[]),
            bind("", "", &[], 0, 0),
            execute("", 0),
            execute("i", 0),
            execute("i2", 0),
            execute("i2", 0),
            parse("sel", "select a from t where a < 3 order by a", &[]),
            bind("s", "sel", &[], 0, 0),
            execute("s", 1),
            execute("s", 0),
            execute("s", 0),
            sync(),
        ],
        1,
    );
    assert_eq!(
        said.join(", "),
        "parsed, bound, bound, parsed, bound, CREATE INDEX, INSERT 0 1, INSERT 0 1, error 55000, ready I"
    );
    let said = talk(
        &mut w,
        &[
            parse("sel", "select a from t where a < 3 order by a", &[]),
            bind("s", "sel", &[], 0, 0),
            execute("s", 1),
            execute("s", 0),
            execute("s", 0),
            sync(),
        ],
        1,
    );
    assert_eq!(said.join(", "), "parsed, bound, row 1, suspended, row 2, SELECT 1, SELECT 0, ready I");
}

/// A cancel that arrives while nothing runs is for nothing: neither the next statement nor an open transaction suffers.
#[test]
fn a_cancel_between_statements_is_forgotten() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    for round in 0..300 {
        if round % 3 == 0 {
            w.ok("begin");
        }
        // The server may have read the next statement's first byte already when the signal comes.
        testkit::wire::cancel(&c, w.pid, w.key).unwrap();
        assert_eq!(w.value("select 'undisturbed'"), "undisturbed", "round {round}");
        if round % 3 == 2 {
            w.ok("commit");
        }
    }
}

/// A portal is there until its failed transaction is rolled back, and can do nothing meanwhile.
#[test]
fn a_portal_of_a_failed_transaction() {
    let c = cluster_with(&[]);
    let mut w = wire(&c);
    w.ok("begin");
    let steps = |w: &mut Wire, messages: &[Vec<u8>]| talk(w, messages, 1).join(", ");
    let open = [
        parse("sel", "select generate_series(1, 3)", &[]),
        bind("p", "sel", &[], 0, 0),
        bind("q", "sel", &[], 0, 0),
        execute("p", 1),
        sync(),
    ];
    assert_eq!(steps(&mut w, &open), "parsed, bound, bound, row 1, suspended, ready T");
    assert!(w.query("select 1 / 0").unwrap().error.is_some());
    assert_eq!(steps(&mut w, &[execute("p", 1), sync()]), "error 25P02, ready E");
    assert_eq!(steps(&mut w, &[describe(b'P', "q"), sync()]), "error 25P02, ready E");
    assert_eq!(steps(&mut w, &[execute("none", 1), sync()]), "error 34000, ready E");
    w.ok("rollback");
    assert_eq!(w.value("select count(*) from pg_cursors where name in ('p', 'q')"), "0");
    assert_eq!(steps(&mut w, &[execute("p", 1), sync()]), "error 34000, ready I");
    // The name is free again.
    w.ok("begin; savepoint s");
    assert_eq!(steps(&mut w, &[bind("q", "sel", &[], 0, 0), sync()]), "bound, ready T");
    assert!(w.query("select 1 / 0").unwrap().error.is_some());
    assert_eq!(steps(&mut w, &[execute("q", 0), sync()]), "error 25P02, ready E");
    w.ok("rollback to s");
    assert_eq!(steps(&mut w, &[execute("q", 0), sync()]), "error 34000, ready E");
    w.ok("rollback to s");
    assert_eq!(
        steps(&mut w, &[bind("q", "sel", &[], 0, 0), execute("q", 0), sync()]),
        "bound, row 1, row 2, row 3, SELECT 3, ready T"
    );
    w.ok("commit");
}
