//! NOTIFY between sessions: an idle listener hears at once, in commit order, and only of what was committed.
//! `STEGODON_ASK=postgresql` asks a real PostgreSQL 15 instead.
#![allow(clippy::unwrap_used)]

use std::time::Duration;
use testkit::{Cluster, Kind, Options, Wire};

const SOON: Duration = Duration::from_secs(15);

fn cluster() -> Cluster {
    let kind = match std::env::var("STEGODON_ASK").as_deref() {
        Ok("postgresql") => Kind::PostgreSql,
        _ => Kind::Stegodon,
    };
    Cluster::start(kind, Options::default()).unwrap()
}

/// The next notification: channel and payload.
fn heard(w: &mut Wire) -> (String, String) {
    let (kind, body) = w.message_within(SOON).unwrap().expect("a notification");
    assert_eq!(char::from(kind), 'A');
    let mut parts = body[4..].split(|b| *b == 0).map(|b| String::from_utf8(b.to_vec()).unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

fn pair(channel: &str, payload: &str) -> (String, String) {
    (channel.into(), payload.into())
}

#[test]
fn an_idle_listener_hears_of_commits_in_their_order() {
    let c = cluster();
    let mut listener = Wire::connect(&c).unwrap();
    let mut other = Wire::connect(&c).unwrap();
    let mut sender = Wire::connect(&c).unwrap();
    listener.ok("listen jobs");
    // Rolled back, on another channel, twice the same: only the last counts.
    sender.ok("begin; notify jobs, 'lost'; rollback");
    sender.ok("notify others, 'x'");
    sender.ok("begin");
    sender.ok("notify jobs, 'late'");
    sender.ok("notify jobs, 'late'");
    other.ok("notify jobs, 'early'");
    assert_eq!(heard(&mut listener), pair("jobs", "early"));
    sender.ok("commit");
    assert_eq!(heard(&mut listener), pair("jobs", "late"));
    // Within a transaction nothing arrives until it is over.
    listener.ok("begin");
    other.ok("select pg_notify('jobs', repeat('y', 7999))");
    assert_eq!(listener.value("select 1"), "1");
    listener.start("commit").unwrap();
    let mut kinds = Vec::new();
    while kinds.last() != Some(&b'Z') {
        kinds.push(listener.message().unwrap().0);
    }
    assert_eq!(kinds, b"CAZ");
    // No more.
    listener.ok("unlisten *");
    other.ok("notify jobs, 'unheard'");
    assert_eq!(listener.value("select count(*) from pg_listening_channels()"), "0");
}

#[test]
fn a_listener_of_another_database_hears_nothing() {
    let c = cluster();
    let mut sender = Wire::connect(&c).unwrap();
    sender.ok("create database elsewhere");
    let mut elsewhere = Wire::connect_as(&c, "postgres", "elsewhere").unwrap();
    elsewhere.ok("listen jobs");
    sender.ok("listen jobs");
    sender.start("notify jobs, 'own'").unwrap();
    let mut kinds = Vec::new();
    while kinds.last() != Some(&b'Z') {
        kinds.push(sender.message().unwrap().0);
    }
    assert_eq!(kinds, b"CAZ");
    elsewhere.start("notify jobs, 'here'").unwrap();
    let mut bodies = Vec::new();
    while bodies.last().is_none_or(|(k, _)| *k != b'Z') {
        bodies.push(elsewhere.message().unwrap());
    }
    let sent: Vec<_> = bodies.iter().filter(|m| m.0 == b'A').map(|m| m.1[4..].to_vec()).collect();
    assert_eq!(sent, [b"jobs\0here\0".to_vec()]);
}
