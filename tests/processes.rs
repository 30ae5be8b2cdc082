//! The server as the operating system sees it: its programs and their exit statuses, its processes, and what becomes of them.
#![allow(clippy::unwrap_used)]

use nix::sys::signal::Signal;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::process::signal;
use testkit::{Cluster, Kind, Options, Wire, is_alive, kill9, wait_for};

const SOON: Duration = Duration::from_secs(30);

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    Cluster::start(Kind::Stegodon, o).unwrap()
}

/// Standard output and error, and the exit status.
fn run(c: &mut Command, input: &str) -> (String, String, i32) {
    let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (text(out.stdout), text(out.stderr), out.status.code().unwrap_or(-1))
}

fn postgres(c: &Cluster, args: &[&str], input: &str) -> (String, String, i32) {
    run(c.program("postgres").args(args), input)
}

fn pg_ctl(c: &Cluster, args: &[&str]) -> (String, String, i32) {
    run(c.program("pg_ctl").arg("-D").arg(c.data_dir()).args(args).env_remove("PGDATA"), "")
}

fn isready(c: &Cluster) -> i32 {
    let s =
        Command::new("pg_isready").arg("-q").arg("-h").arg(&c.dir).arg("-p").arg(c.port.to_string()).status();
    s.unwrap().code().unwrap()
}

fn logged(c: &Cluster, text: &str) {
    assert!(wait_for(SOON, || c.log().contains(text)), "\"{text}\" is not in the log:\n{}", c.log_tail());
}

#[test]
fn single_user_mode() {
    let mut c = cluster(&[]);
    let dir = c.data_dir().display().to_string();
    let (_, e, code) = postgres(&c, &["--single", "-D", &dir, "postgres"], "select 1\n");
    assert!(e.contains("FATAL:  lock file \"postmaster.pid\" already exists"), "{e}");
    assert!(
        e.contains(&format!("HINT:  Is another postmaster (PID {})", c.postmaster_pid().unwrap())),
        "{e}"
    );
    assert_eq!(code, 1);
    Wire::connect(&c).unwrap().ok("create table kept(a int); insert into kept values (41)");
    // A crash: single-user mode recovers.
    c.kill().unwrap();
    let script = "update kept set a = a + 1\nselect a, null::text as n, 'x'::text as t from kept\nselect nosuch\nselect 1 \\\n + 1\n";
    let (out, e, code) = postgres(&c, &["--single", "-D", &dir, "postgres"], script);
    assert_eq!(code, 0, "{e}");
    let (banner, rest) = out.trim_start().split_once('\n').unwrap();
    assert!(banner.starts_with("PostgreSQL stand-alone backend 15.18"), "{banner}");
    assert_eq!(
        rest,
        "backend> backend> \t 1: a\t(typeid = 23, len = 4, typmod = -1, byval = t)\n\
         \t 2: n\t(typeid = 25, len = -1, typmod = -1, byval = f)\n\
         \t 3: t\t(typeid = 25, len = -1, typmod = -1, byval = f)\n\
         \t----\n\
         \t 1: a = \"42\"\t(typeid = 23, len = 4, typmod = -1, byval = t)\n\
         \t 3: t = \"x\"\t(typeid = 25, len = -1, typmod = -1, byval = f)\n\
         \t----\n\
         backend> backend> \t 1: ?column?\t(typeid = 23, len = 4, typmod = -1, byval = t)\n\
         \t----\n\
         \t 1: ?column? = \"2\"\t(typeid = 23, len = 4, typmod = -1, byval = t)\n\
         \t----\n\
         backend> "
    );
    assert!(e.contains("ERROR:  column \"nosuch\" does not exist at character 8"), "{e}");
    assert!(e.contains("redo done at"), "{e}");
    let (out, _, _) =
        postgres(&c, &["--single", "-j", "-E", "-D", &dir, "postgres"], "select 1 as a,\n2 as b;\n\n");
    assert!(out.contains("backend> statement: select 1 as a,\n2 as b;\n\n\n\t 1: a\t"), "{out}");
    let (_, e, code) = postgres(&c, &["--single", "-D", &dir, "nosuch"], "");
    assert!(e.contains("FATAL:  database \"nosuch\" does not exist") && code == 1, "{e}");
    assert!(!c.data_dir().join("postmaster.pid").exists());
    c.launch().unwrap();
    assert_eq!(Wire::connect(&c).unwrap().value("select a from kept"), "42");
}

#[test]
fn a_single_user_server_holds_the_directory() {
    let mut c = cluster(&[]);
    c.stop().unwrap();
    let mut single = c.program("postgres");
    single.args(["--single", "-D"]).arg(c.data_dir()).arg("postgres");
    let mut child = single.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(wait_for(SOON, || c.data_dir().join("postmaster.pid").exists()));
    let pid = child.id();
    assert_eq!(
        pg_ctl(&c, &["status"]),
        (format!("pg_ctl: single-user server is running (PID: {pid})\n"), String::new(), 0)
    );
    let (_, e, code) = pg_ctl(&c, &["stop"]);
    assert_eq!(
        (e, code),
        (format!("pg_ctl: cannot stop server; single-user server is running (PID: {pid})\n"), 1)
    );
    let dir = c.data_dir().display().to_string();
    let (_, e, _) = postgres(&c, &["-D", &dir], "");
    assert!(e.contains(&format!("HINT:  Is another postgres (PID {pid})")), "{e}");
    // SIGTERM ends it in order.
    signal(pid as i32, Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    c.launch().unwrap();
    assert!(!c.log().contains("not properly shut down"), "{}", c.log_tail());
}

#[test]
fn settings_are_printed() {
    let c = cluster(&[]);
    let dir = c.data_dir().display().to_string();
    assert_eq!(postgres(&c, &["-C", "work_mem", "-D", &dir, "-c", "work_mem=5MB"], "").0, "5120\n");
    let (_, e, code) = postgres(&c, &["-C", "nosuch", "-D", &dir], "");
    assert!(e.contains("FATAL:  unrecognized configuration parameter \"nosuch\"") && code == 1, "{e}");
    // What must be computed needs the directory.
    let (_, e, code) = postgres(&c, &["-C", "shared_memory_size", "-D", &dir], "");
    assert!(e.contains("lock file \"postmaster.pid\" already exists") && code == 1, "{e}");
    let (out, _, _) = postgres(&c, &["--describe-config"], "");
    assert!(
        out.contains(
            "archive_timeout\tsighup\tWrite-Ahead Log / Archiving\tINTEGER\t0\t0\t1073741823\tSets the amount"
        ),
        "{out}"
    );
    assert!(out.lines().all(|l| l.split('\t').count() == 9), "{out}");
    let mut c = c;
    c.stop().unwrap();
    let (out, _, code) = postgres(&c, &["-C", "shared_memory_size", "-D", &dir], "");
    assert!(out.trim().parse::<u64>().unwrap() > 10 && code == 0, "{out}");
    assert_eq!(postgres(&c, &["-C", "data_checksums", "-D", &dir], "").0, "on\n");
}

#[test]
fn command_lines_are_refused_as_by_postgresql() {
    let mut c = cluster(&[]);
    c.stop().unwrap();
    let try_help = |p: &str| format!("Try \"{p} --help\" for more information.\n");
    let (_, e, code) = postgres(&c, &["-Z"], "");
    assert_eq!((e, code), (format!("postgres: invalid option -- 'Z'\n{}", try_help("postgres")), 1));
    let (_, e, code) = postgres(&c, &["extra"], "");
    assert_eq!((e, code), (format!("postgres: invalid argument: \"extra\"\n{}", try_help("postgres")), 1));
    assert_eq!(postgres(&c, &["-D", "/nonexistent"], "").2, 2);
    assert!(postgres(&c, &["--help"], "").0.contains("--describe-config"));
    let ctl = |args: &[&str]| run(c.program("pg_ctl").args(args).env_remove("PGDATA"), "");
    for (args, text, code) in [
        (&[][..], "no operation specified\n", 1),
        (&["foo"], "unrecognized operation mode \"foo\"\n", 1),
        (&["start", "stop"], "too many command-line arguments (first is \"start\")\n", 1),
        (&["stop", "-m", "foo"], "unrecognized shutdown mode \"foo\"\n", 1),
        (&["kill", "HUP"], "missing arguments for kill mode\n", 1),
        (&["kill", "FOO", "1"], "unrecognized signal name \"FOO\"\n", 1),
        (&["status"], "no database directory specified and environment variable PGDATA unset\n", 1),
    ] {
        let (_, e, got) = ctl(args);
        assert_eq!((e, got), (format!("pg_ctl: {text}{}", try_help("pg_ctl")), code), "{args:?}");
    }
    assert_eq!(ctl(&["status", "-D", "/nonexistent"]).2, 4);
    assert_eq!(ctl(&["stop", "-D", "/nonexistent"]).2, 1);
    assert_eq!(
        ctl(&["kill", "HUP", "999999"]).1,
        "pg_ctl: could not send signal 1 (PID: 999999): No such process\n"
    );
    // Not running, and files that say nothing sensible.
    assert_eq!(pg_ctl(&c, &["status"]), ("pg_ctl: no server running\n".into(), String::new(), 3));
    let file = c.data_dir().join("postmaster.pid");
    let missing = format!("pg_ctl: PID file \"{}\" does not exist\nIs server running?\n", file.display());
    for mode in ["stop", "reload", "promote", "logrotate"] {
        assert_eq!(pg_ctl(&c, &[mode]), (String::new(), missing.clone(), 1), "{mode}");
    }
    std::fs::write(&file, "").unwrap();
    assert_eq!(pg_ctl(&c, &["status"]).1, format!("pg_ctl: the PID file \"{}\" is empty\n", file.display()));
    std::fs::write(&file, "abc\n").unwrap();
    assert_eq!(pg_ctl(&c, &["stop"]).1, format!("pg_ctl: invalid data in PID file \"{}\"\n", file.display()));
    let dir = c.data_dir().display().to_string();
    let (_, e, _) = postgres(&c, &["-D", &dir], "");
    assert!(e.contains("FATAL:  bogus data in lock file \"postmaster.pid\": \"abc\""), "{e}");
    // A dead server's is no obstacle.
    std::fs::write(&file, "999999\n").unwrap();
    assert_eq!(
        pg_ctl(&c, &["stop"]).1,
        "pg_ctl: could not send stop signal (PID: 999999): No such process\n"
    );
    c.launch().unwrap();
}

#[test]
fn pg_ctl_starts_and_stops() {
    let mut c = cluster(&[]);
    c.stop().unwrap();
    let conf = format!(
        "port = {}\nunix_socket_directories = '{}'\nlisten_addresses = ''\nshared_buffers = 16MB\n",
        c.port,
        c.dir.display()
    );
    std::fs::write(c.data_dir().join("postgresql.auto.conf"), conf).unwrap();
    let log = c.log_file().display().to_string();
    let (out, e, code) = pg_ctl(&c, &["start", "-l", &log, "-o", "-c work_mem=5MB"]);
    assert!(
        out.starts_with("waiting for server to start...") && out.ends_with(" done\nserver started\n"),
        "{out}{e}"
    );
    assert_eq!(code, 0);
    let (out, _, code) = pg_ctl(&c, &["status"]);
    assert!(out.starts_with("pg_ctl: server is running (PID: ") && out.contains("\"work_mem=5MB\""), "{out}");
    assert_eq!(code, 0);
    let (_, e, code) = pg_ctl(&c, &["start", "-l", &log]);
    assert!(e.starts_with("pg_ctl: another server might be running; trying to start server anyway\n"), "{e}");
    assert!(e.ends_with("pg_ctl: could not start server\nExamine the log output.\n") && code == 1, "{e}");
    assert_eq!(pg_ctl(&c, &["reload"]), ("server signaled\n".into(), String::new(), 0));
    assert_eq!(pg_ctl(&c, &["promote"]).1, "pg_ctl: cannot promote server; server is not in standby mode\n");
    // A restart repeats the options of the start.
    assert_eq!(pg_ctl(&c, &["restart", "-s", "-l", &log]), (String::new(), String::new(), 0));
    assert_eq!(c.psql("show work_mem").unwrap().text.trim(), "5MB");
    // A smart shutdown waits for the client, and says so.
    let mut w = Wire::connect(&c).unwrap();
    let (_, e, code) = pg_ctl(&c, &["stop", "-m", "smart", "-t", "0"]);
    assert!(
        e.starts_with("pg_ctl: server does not shut down\nHINT: The \"-m fast\" option") && code == 1,
        "{e}"
    );
    let text = c.psql("select 1").unwrap().text;
    assert!(text.contains("FATAL:  the database system is shutting down"), "{text}");
    assert_eq!(isready(&c), 1);
    assert_eq!(w.value("select 1"), "1");
    let (out, _, code) = pg_ctl(&c, &["stop"]);
    assert!(out.ends_with(" done\nserver stopped\n") && code == 0, "{out}");
    assert_eq!(isready(&c), 2);
    assert!(w.is_closed_within(SOON));
}

#[test]
fn the_init_system_is_told() {
    let mut c = cluster(&[]);
    c.stop().unwrap();
    let path = c.dir.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let score = c.dir.join("score");
    c.set_environment("NOTIFY_SOCKET", &path.display().to_string());
    c.set_environment("PG_OOM_ADJUST_FILE", &score.display().to_string());
    c.set_environment("PG_OOM_ADJUST_VALUE", "17");
    c.launch().unwrap();
    let mut buf = [0; 200];
    let mut next = || {
        let n = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..n]).into_owned()
    };
    assert!(next().contains("READY=1"));
    // Every child writes its own score.
    assert_eq!(std::fs::read_to_string(&score).unwrap(), "17");
    c.stop().unwrap();
    assert!(next().contains("STOPPING=1"));
}

#[test]
fn no_orphans_after_the_postmaster() {
    let mut c = cluster(&[]);
    let mut w = Wire::connect(&c).unwrap();
    w.ok("create table t(a int)");
    w.start("insert into t select 1 from pg_sleep(60)").unwrap();
    let children: Vec<i32> = c.processes().iter().map(|p| p.pid).collect();
    assert!(children.len() > 4);
    kill9(c.postmaster_pid().unwrap());
    assert!(wait_for(Duration::from_secs(1), || !children.iter().any(|p| is_alive(*p))));
    // The file it left is of nobody.
    c.stop_with_wait().unwrap();
    assert!(c.data_dir().join("postmaster.pid").exists());
    c.launch().unwrap();
    assert_eq!(Wire::connect(&c).unwrap().value("select count(*) from t"), "0");
}

#[test]
fn a_running_server_keeps_its_directory() {
    let c = cluster(&[]);
    let dir = c.data_dir().display().to_string();
    let (_, e, code) = postgres(&c, &["-D", &dir, "-p", "1"], "");
    assert!(e.contains("FATAL:  lock file \"postmaster.pid\" already exists"), "{e}");
    assert_eq!(code, 1);
    assert_eq!(c.psql("select 1").unwrap().text.trim(), "1");
}

#[test]
fn recovery_is_seen_and_stuck_children_are_killed() {
    let c = cluster(&[]);
    let w = Wire::connect(&c).unwrap();
    signal(w.pid, Signal::SIGSTOP);
    kill9(c.process("checkpointer").pid);
    let mut text = String::new();
    let seen = wait_for(SOON, || {
        text = c.psql("select 1").unwrap().text;
        text.contains("FATAL:  the database system is in recovery mode")
    });
    assert!(seen, "{text}");
    assert_eq!(isready(&c), 1);
    logged(&c, "issuing SIGKILL to recalcitrant children");
    assert!(wait_for(SOON, || isready(&c) == 0), "{}", c.log_tail());
}

fn leave_temp_file(dir: &Path) -> std::path::PathBuf {
    let temp = dir.join("base/pgsql_tmp");
    std::fs::create_dir_all(&temp).unwrap();
    let file = temp.join("pgsql_tmp1.0");
    std::fs::write(&file, "x").unwrap();
    file
}

#[test]
fn what_a_crash_leaves_behind() {
    let mut c = cluster(&[("remove_temp_files_after_crash", "off")]);
    let file = leave_temp_file(&c.data_dir());
    kill9(c.process("checkpointer").pid);
    logged(&c, "all server processes terminated; reinitializing");
    assert!(wait_for(SOON, || isready(&c) == 0));
    assert!(file.exists(), "kept for whoever looks into the crash");
    c.psql("alter system set restart_after_crash = off").unwrap();
    c.psql("select pg_reload_conf()").unwrap();
    assert!(wait_for(SOON, || c.psql("show restart_after_crash").unwrap().text.trim() == "off"));
    kill9(c.process("checkpointer").pid);
    logged(&c, "shutting down because restart_after_crash is off");
    c.stop_with_wait().unwrap();
    assert!(!c.data_dir().join("postmaster.pid").exists());
    // At a start they go.
    c.launch().unwrap();
    assert!(!file.exists());
}

#[test]
fn a_low_limit_of_the_stack_is_no_obstacle() {
    let mut c = cluster(&[]);
    c.stop().unwrap();
    let dir = c.data_dir().display().to_string();
    let shell = format!(
        "ulimit -Ss 8192; ulimit -Hs 8192; exec '{}' --single -D '{dir}' postgres",
        c.program("postgres").get_program().to_string_lossy()
    );
    let deep = format!("select {} as n\n", vec!["1"; 3900].join("+"));
    let (out, e, code) = run(Command::new("sh").arg("-c").arg(shell), &deep);
    assert!(out.contains("n = \"3900\""), "{out}{e}");
    assert_eq!(code, 0);
}
