//! Counts sessions into a table: an example of a library with settings of its own, a background worker that runs
//! statements, and an archive callback.

use module::guest::{SqlError, WorkerSpec};
use module::{Archive, Server, Worker};
use std::time::Duration;

module::library!(init);
module::worker!(session_counter_main, count_sessions);
module::worker!(session_counter_once, count_once);
module::archive!(archive);

/// Runs in the postmaster under `shared_preload_libraries`, in a session under LOAD.
fn init(server: &mut Server<'_>) -> Result<(), SqlError> {
    server.define_int(
        "session_counter.interval",
        "Time between two samples.",
        10,
        1..=86_400,
        "s",
        "sighup",
    )?;
    server.define_int(
        "session_counter.keep",
        "Age at which a sample is forgotten.",
        86_400,
        1..=i64::from(i32::MAX),
        "s",
        "sighup",
    )?;
    server.define_string(
        "session_counter.database",
        "Database that holds the samples.",
        "postgres",
        "postmaster",
    )?;
    server.define_string(
        "session_counter.archive_directory",
        "Where segments are copied to.",
        "",
        "sighup",
    )?;
    let mut spec = WorkerSpec::new("session counter", "session_counter_main");
    spec.restart = Some(Duration::from_secs(1));
    server.register_worker(&spec)?;
    Ok(())
}

const SCHEMA: &str = "create schema if not exists session_counter;
    create table if not exists session_counter.samples(
        at timestamptz not null, database name, state text, sessions bigint not null)";

/// What one sample is.
const SAMPLE: &str = "insert into session_counter.samples
    select now(), datname, state, count(*) from pg_stat_activity
    where backend_type = 'client backend' group by datname, state";

/// The worker that runs as long as the server.
fn count_sessions(w: &mut Worker<'_>) -> Result<(), SqlError> {
    let database = w.server().setting("session_counter.database").unwrap_or_default();
    w.connect(Some(&database), None)?;
    w.execute(SCHEMA)?;
    // The first sample is taken by a worker of its own, to show how that is done.
    let mut once = WorkerSpec::new("session counter first sample", "session_counter_once");
    once.extra = &database;
    w.server().register_worker(&once)?;
    loop {
        let pause = w.server().setting_int("session_counter.interval").unwrap_or(10);
        if !w.wait(Some(Duration::from_secs(pause.max(1) as u64))) {
            return Ok(());
        }
        w.execute(SAMPLE)?;
        let keep = w.server().setting_int("session_counter.keep").unwrap_or(86_400);
        w.execute(&format!(
            "delete from session_counter.samples where at < now() - interval '{keep} seconds'"
        ))?;
    }
}

/// Takes one sample and ends.
fn count_once(w: &mut Worker<'_>) -> Result<(), SqlError> {
    let database = w.extra.clone();
    w.connect(Some(&database), None)?;
    w.execute(SAMPLE)?;
    let rows = w.execute("select count(*), null from session_counter.samples")?;
    let count = rows.first().and_then(|r| r.first().cloned().flatten()).unwrap_or_default();
    w.server().log("LOG", &format!("session counter has {count} samples"));
    Ok(())
}

/// Copies a finished segment.
fn archive(server: &Server<'_>, name: &str, path: &str) -> Archive {
    let dir = server.setting("session_counter.archive_directory").unwrap_or_default();
    if dir.is_empty() {
        return Archive::NotConfigured;
    }
    if name.is_empty() {
        return Archive::Done;
    }
    let draft = format!("{dir}/{name}.part");
    let copied = std::fs::copy(path, &draft)
        .and_then(|_| std::fs::File::open(&draft)?.sync_all())
        .and_then(|()| std::fs::rename(&draft, format!("{dir}/{name}")));
    match copied {
        Ok(()) => Archive::Done,
        Err(e) => {
            server.log("WARNING", &format!("could not copy \"{path}\" to \"{dir}\": {e}"));
            Archive::Failed
        }
    }
}
