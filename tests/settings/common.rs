//! What the areas share.

pub use std::time::{Duration, Instant};
pub use testkit::{Cluster, Kind, Options, Wire};

pub fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    Cluster::start(Kind::Stegodon, o).unwrap()
}

pub fn sql(c: &Cluster, text: &str) -> String {
    c.psql(text).unwrap().text
}

pub fn with_options(c: &Cluster, setting: &str, value: &str, text: &str) -> String {
    let option = format!("-c {setting}={}", value.replace(' ', "\\ "));
    let out = c
        .psql_command("postgres")
        .env("PGOPTIONS", option)
        .args(["-At", "-v", "VERBOSITY=verbose", "-c", text])
        .output()
        .unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

pub fn log_of(c: &Cluster) -> String {
    std::fs::read_to_string(c.log_file()).unwrap_or_default()
}

pub fn wait_for(what: &str, mut test: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !test() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sets settings in the file, reloads, and waits until new sessions see them.
pub fn reload(c: &Cluster, settings: &[(&str, &str)]) {
    for (n, v) in settings {
        let v = v.replace('\'', "''");
        let said = sql(c, &format!("alter system set {n} = '{v}'"));
        assert!(said.is_empty(), "{n}: {said}");
    }
    let before = sql(c, "select pg_conf_load_time()");
    sql(c, "select pg_reload_conf()");
    wait_for("the reload", || sql(c, "select pg_conf_load_time()") != before);
}

/// Takes settings out of the file again.
pub fn reset(c: &Cluster, names: &[&str]) {
    for n in names {
        sql(c, &format!("alter system reset {n}"));
    }
    reload(c, &[]);
}

/// A session with these settings.
pub fn session(c: &Cluster, settings: &[(&str, &str)]) -> Wire {
    let mut w = Wire::connect(c).unwrap();
    for (n, v) in settings {
        w.ok(&format!("set {n} = '{v}'"));
    }
    w
}

/// The system calls (a list for `strace -e`) that a process makes while `work` runs.
pub fn system_calls(pid: i32, which: &str, work: impl FnOnce()) -> String {
    let file = std::env::temp_dir().join(format!("strace-{pid}-{}", std::process::id()));
    let mut tracer = std::process::Command::new("strace")
        .args(["-f", "-p", &pid.to_string(), "-e", &format!("trace={which}"), "-o"])
        .arg(&file)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("strace is installed by `cargo xtask install`");
    let status = format!("/proc/{pid}/status");
    wait_for("the tracer", || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        text.lines().any(|l| l.strip_prefix("TracerPid:").is_some_and(|p| p.trim() != "0"))
    });
    work();
    std::thread::sleep(Duration::from_millis(50));
    let tracer_pid = nix::unistd::Pid::from_raw(tracer.id() as i32);
    nix::sys::signal::kill(tracer_pid, nix::sys::signal::Signal::SIGINT).unwrap();
    tracer.wait().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let _ = std::fs::remove_file(&file);
    text
}

/// How often a word occurs.
pub fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}
