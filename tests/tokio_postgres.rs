//! A program with the tokio-postgres driver: everything it does is written down, once against this server and once
//! against PostgreSQL 15, and the two records are equal.
#![allow(clippy::unwrap_used)]

use futures_util::{SinkExt, StreamExt, TryStreamExt, future, pin_mut, stream};
use std::fmt::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use testkit::{Cluster, Kind, Options};
use tokio_postgres::types::{Json, Kind as TypeKind, ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, IsolationLevel, NoTls, SimpleQueryMessage};

/// What the program saw.
#[derive(Default)]
struct Record(String);

impl Record {
    fn note(&mut self, what: &str, seen: impl std::fmt::Debug) {
        writeln!(self.0, "{what}: {seen:?}").unwrap();
    }
    fn error(&mut self, what: &str, e: &Error) {
        match e.as_db_error() {
            Some(d) => self.note(
                what,
                (
                    d.severity(),
                    d.code().code(),
                    d.message(),
                    d.detail(),
                    d.hint(),
                    d.position(),
                    (d.schema(), d.table(), d.column(), d.datatype(), d.constraint()),
                ),
            ),
            None => self.note(what, e.to_string()),
        }
    }
}

fn config(c: &Cluster) -> Config {
    let mut config = Config::new();
    config.host_path(&c.dir).port(c.port).user("postgres").dbname("postgres").application_name("program");
    config
}

type Messages = tokio::sync::mpsc::UnboundedReceiver<AsyncMessage>;

async fn connect(c: &Cluster) -> (Client, Messages) {
    let (client, mut connection) = config(c).connect(NoTls).await.unwrap();
    let (tx, rx) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(m)) = messages.next().await {
            if tx.send(m).is_err() {
                return;
            }
        }
    });
    (client, rx)
}

/// A value goes out and comes back in binary form.
macro_rules! round_trip {
    ($client:expr, $r:expr, $($ty:literal: $t:ty = [$($v:expr),* $(,)?]);* $(;)?) => {$({
        let s = $client.prepare(concat!("select $1::", $ty)).await.unwrap();
        for v in [$($v),*] {
            let v: Option<$t> = v;
            let back: Option<$t> = $client.query_one(&s, &[&v]).await.unwrap().get(0);
            assert_eq!(back, v, $ty);
            $r.note($ty, back);
        }
    })*};
}

async fn values(client: &Client, r: &mut Record) {
    round_trip! { client, r,
        "bool": bool = [Some(true), Some(false), None];
        "int2": i16 = [Some(i16::MIN), Some(7), None];
        "int4": i32 = [Some(i32::MIN), Some(i32::MAX)];
        "int8": i64 = [Some(i64::MIN), Some(i64::MAX)];
        "oid": u32 = [Some(u32::MAX)];
        "float4": f32 = [Some(1.5e-40), Some(f32::INFINITY), Some(-0.0)];
        "float8": f64 = [Some(5e-324), Some(f64::NEG_INFINITY), Some(0.1)];
        "text": String = [Some("žluťoučký 'kůň' \\".into()), Some(String::new()), None];
        "varchar(3)": String = [Some("abc".into())];
        "name": String = [Some("n".into())];
        "\"char\"": i8 = [Some(65), Some(0)];
        "bytea": Vec<u8> = [Some((0..=255).collect()), Some(Vec::new())];
        "inet": IpAddr = [Some("10.1.2.3".parse().unwrap()), Some("fe80::1".parse().unwrap())];
        "jsonb": Json<Vec<Option<u64>>> = [Some(Json(vec![Some(1), None, Some(1 << 53)]))];
        "json": Json<String> = [Some(Json("a\n\"b\"".into()))];
        "int4[]": Vec<Option<i32>> = [Some(vec![Some(1), None, Some(3)]), Some(vec![])];
        "text[]": Vec<String> = [Some(vec!["{".into(), "\"".into(), "NULL".into()])];
        "timestamptz": SystemTime = [Some(SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456))];
        "timestamp": SystemTime = [Some(SystemTime::UNIX_EPOCH - Duration::from_micros(86_400_000_001))];
    }
}

/// A type without its object id.
fn describe(t: &Type) -> String {
    match t.kind() {
        TypeKind::Composite(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|f| format!("{} {}", f.name(), describe(f.type_()))).collect();
            format!("{} of ({})", t.name(), fields.join(", "))
        }
        TypeKind::Domain(of) => format!("{} over {}", t.name(), describe(of)),
        other => format!("{} {other:?}", t.name()),
    }
}

async fn statements(client: &mut Client, r: &mut Record) -> Result<(), Error> {
    client
        .batch_execute(
            "create type mood as enum ('sad', 'ok'); create domain small as int check (value < 10); \
             create type pair as (a int, b mood); \
             create table thing (id serial primary key, name text unique, m mood, s small, p pair, r int4range)",
        )
        .await?;
    let s = client
        .prepare(
            "insert into thing (name, m, s, p) values ($1, 'ok', $2::int, row($3::int, 'sad')) returning *",
        )
        .await?;
    r.note("parameters", s.params().iter().map(describe).collect::<Vec<_>>());
    r.note("columns", s.columns().iter().map(|c| (c.name(), describe(c.type_()))).collect::<Vec<_>>());
    for i in 0..3i32 {
        let row = client.query_one(&s, &[&format!("n{i}"), &i, &(i * 2)]).await?;
        r.note("inserted", (row.get::<_, i32>("id"), row.get::<_, &str>("name"), row.get::<_, i32>("s")));
    }
    let failures: [(&str, &[&(dyn ToSql + Sync)]); 7] = [
        ("insert into thing (name) values ('n1')", &[]),
        ("insert into thing (name, s) values ('x', 11)", &[]),
        ("select 1 / $1::int", &[&0i32]),
        ("select * from nowhere where a = $1", &[]),
        ("selec 1", &[]),
        ("select $1::text::mood", &[&"glad"]),
        ("insert into thing (id, name) values (null, 'y')", &[]),
    ];
    for (sql, params) in failures {
        r.error(sql, &client.query(sql, params).await.unwrap_err());
    }
    r.note(
        "affected",
        client.execute("update thing set name = name || $1 where id > $2", &[&"!", &1i32]).await?,
    );
    r.note("none", client.query_opt("select 1 from thing where false", &[]).await?.is_none());

    // Statements sent without waiting for one another.
    let (a, b, c) = future::join3(
        client.query_one("select count(*) from thing", &[]),
        client.query_one("select 1 / (select 0)", &[]),
        client.query_one("select max(name) from thing where id <> $1", &[&0i32]),
    )
    .await;
    r.note("pipelined", (a?.get::<_, i64>(0), b.is_err(), c?.get::<_, String>(0)));

    // A transaction with a savepoint, and a portal read in steps.
    let mut t = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(false)
        .start()
        .await?;
    {
        let inner = t.savepoint("sp").await?;
        inner.execute("delete from thing", &[]).await?;
        r.error("inside", &inner.query("select nonsense", &[]).await.unwrap_err());
        r.error("aborted", &inner.query("select 1", &[]).await.unwrap_err());
        inner.rollback().await?;
    }
    let portal = t.bind("select g, g * $1 from generate_series(1, 5) g", &[&10i32]).await?;
    for _ in 0..3 {
        let rows = t.query_portal(&portal, 2).await?;
        r.note(
            "portal",
            rows.iter().map(|row| (row.get::<_, i32>(0), row.get::<_, i32>(1))).collect::<Vec<_>>(),
        );
    }
    t.commit().await?;

    for m in client
        .simple_query(
            "select id, name, p from thing order by id; delete from thing where id = 3; select 1 where false",
        )
        .await?
    {
        match m {
            SimpleQueryMessage::Row(row) => {
                r.note("row", (0..row.len()).map(|i| row.get(i)).collect::<Vec<_>>())
            }
            SimpleQueryMessage::CommandComplete(n) => r.note("complete", n),
            SimpleQueryMessage::RowDescription(d) => {
                r.note("description", d.iter().map(|c| c.name()).collect::<Vec<_>>())
            }
            _ => {}
        }
    }
    Ok(())
}

async fn copies(client: &Client, r: &mut Record) -> Result<(), Error> {
    client.batch_execute("create table line (a int, b text)").await?;
    let sink = client.copy_in("copy line from stdin").await?;
    pin_mut!(sink);
    // Messages that end in the middle of a line, and of a character.
    for part in ["1\tone\n2\tt", "w\u{f6}\n3", "\t\\N\n"].map(str::as_bytes) {
        for chunk in part.chunks(4) {
            sink.send(bytes_of(chunk)).await?;
        }
    }
    r.note("copied in", sink.finish().await?);
    let out: Vec<_> =
        client.copy_out("copy line to stdout (format csv, header)").await?.try_collect().await?;
    r.note("copied out", out.iter().map(|b| String::from_utf8_lossy(b).into_owned()).collect::<String>());

    let sink = client.copy_in::<_, bytes::Bytes>("copy line from stdin (format binary)").await?;
    let writer = tokio_postgres::binary_copy::BinaryCopyInWriter::new(sink, &[Type::INT4, Type::TEXT]);
    pin_mut!(writer);
    for i in 10..12i32 {
        writer.as_mut().write(&[&i, &format!("b{i}")]).await?;
    }
    r.note("binary in", writer.finish().await?);
    let out = client.copy_out("copy (select * from line order by a) to stdout (format binary)").await?;
    let rows = tokio_postgres::binary_copy::BinaryCopyOutStream::new(out, &[Type::INT4, Type::TEXT]);
    let rows: Vec<_> = rows.try_collect().await?;
    r.note(
        "binary out",
        rows.iter().map(|w| (w.get::<i32>(0), w.get::<Option<String>>(1))).collect::<Vec<_>>(),
    );

    let sink = client.copy_in("copy line from stdin").await?;
    pin_mut!(sink);
    sink.send(bytes_of(b"x\ty\n")).await?;
    r.error("bad line", &sink.finish().await.unwrap_err());
    // A sink that is dropped takes its rows back.
    drop(client.copy_in::<_, bytes::Bytes>("copy line from stdin").await?);
    r.note("after", client.query_one("select count(*) from line", &[]).await?.get::<_, i64>(0));
    Ok(())
}

fn bytes_of(b: &[u8]) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(b)
}

async fn messages(c: &Cluster, client: &Client, rx: &mut Messages, r: &mut Record) -> Result<(), Error> {
    while rx.try_recv().is_ok() {}
    client.batch_execute("listen channel; drop table if exists nothing").await?;
    let (other, _keep) = connect(c).await;
    other.execute("select pg_notify('channel', $1)", &[&"payload"]).await?;
    let mut notice = false;
    while let Some(m) = rx.recv().await {
        match m {
            AsyncMessage::Notice(n) => {
                r.note("notice", (n.severity(), n.code().code(), n.message()));
                notice = true;
            }
            AsyncMessage::Notification(n) => {
                r.note("notification", (n.channel(), n.payload()));
                break;
            }
            _ => {}
        }
    }
    assert!(notice);
    // A running statement is cancelled from beside it.
    let token = client.cancel_token();
    let (slept, _) = future::join(client.query("select pg_sleep(60)", &[]), async {
        let running = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)' \
                       and pid <> pg_backend_pid()";
        while other.query_one(running, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        token.cancel_query(NoTls).await.unwrap();
    })
    .await;
    r.error("cancelled", &slept.unwrap_err());
    Ok(())
}

/// Everything the program sees on a server.
fn record(kind: Kind) -> String {
    let c = Cluster::start(kind, Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut r = Record::default();
        let (mut client, mut rx) = connect(&c).await;
        values(&client, &mut r).await;
        statements(&mut client, &mut r).await.unwrap();
        copies(&client, &mut r).await.unwrap();
        messages(&c, &client, &mut rx, &mut r).await.unwrap();
        r.0
    })
}

#[test]
fn the_program_sees_the_same_on_both_servers() {
    let (ours, theirs) = (record(Kind::Stegodon), record(Kind::PostgreSql));
    for (a, b) in ours.lines().zip(theirs.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(ours.lines().count(), theirs.lines().count());
}
