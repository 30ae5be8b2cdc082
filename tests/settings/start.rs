//! Settings that count at the start, and the files they come from.

use crate::common::*;

#[test]
fn settings_of_a_start() {
    let dir = std::env::temp_dir().join(format!("extpid-{}", std::process::id()));
    let c = cluster(&[
        ("max_connections", "5"),
        ("superuser_reserved_connections", "2"),
        ("cluster_name", "kernel"),
        ("unix_socket_permissions", "0700"),
        ("external_pid_file", &dir.display().to_string()),
        ("authentication_timeout", "1s"),
    ]);
    let socket = c.dir.join(format!(".s.PGSQL.{}", c.port));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o700);
    let pid = std::fs::read_to_string(&dir).unwrap();
    assert_eq!(pid.trim(), c.postmaster_pid().unwrap().to_string());
    let ps = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(String::from_utf8_lossy(&ps.stdout).contains("postgres: kernel: checkpointer"));
    sql(&c, "create role joe login");
    let hold = |user: &str| {
        c.psql_command("postgres").args(["-U", user, "-c", "select pg_sleep(8)"]).spawn().unwrap()
    };
    // Looked at from outside: a session that asks would take a slot.
    let sessions = || {
        let out = std::process::Command::new("pgrep").args(["-fc", "kernel: .* SELECT$"]).output().unwrap();
        String::from_utf8_lossy(&out.stdout).trim().parse::<usize>().unwrap_or(0)
    };
    let mut held: Vec<_> = (0..3).map(|_| hold("joe")).collect();
    wait_for("three sessions", || sessions() == 3);
    let out = c.psql_command("postgres").args(["-U", "joe", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        text.contains("remaining connection slots are reserved for non-replication superuser connections"),
        "{text}"
    );
    held.push(hold("postgres"));
    held.push(hold("postgres"));
    wait_for("the superusers", || sessions() == 5);
    wait_for("the refusal", || sql(&c, "select 1").contains("sorry, too many clients already"));
    for mut h in held {
        h.wait().unwrap();
    }
    // A client that says nothing is sent away.
    let mut s = std::net::TcpStream::connect(("127.0.0.1", c.port)).unwrap();
    let begun = Instant::now();
    let mut buf = [0; 100];
    let _ = std::io::Read::read(&mut s, &mut buf);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn limits_of_roles_and_databases() {
    let c = cluster(&[]);
    sql(&c, "create role few login connection limit 1");
    sql(&c, "create database small connection limit 1");
    let mut a = c.psql_command("postgres").args(["-U", "few", "-c", "select pg_sleep(3)"]).spawn().unwrap();
    wait_for("the session", || {
        sql(&c, "select count(*) from pg_stat_activity where usename = 'few'").trim() == "1"
    });
    let out = c.psql_command("small").args(["-U", "few", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("FATAL:  too many connections for role \"few\""), "{text}");
    sql(&c, "create role many login");
    let mut b = c.psql_command("small").args(["-U", "many", "-c", "select pg_sleep(3)"]).spawn().unwrap();
    wait_for("the other", || {
        sql(&c, "select count(*) from pg_stat_activity where usename = 'many'").trim() == "1"
    });
    let out = c.psql_command("small").args(["-U", "many", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("FATAL:  too many connections for database \"small\""), "{text}");
    a.wait().unwrap();
    b.wait().unwrap();
}

#[test]
fn files_reload_and_leave_old_values_in_force() {
    // Nothing on the command line that would differ from the file.
    let c = Cluster::start(Kind::Stegodon, Options { settings: Vec::new(), ..Options::default() }).unwrap();
    let conf = c.data_dir().join("postgresql.conf");
    let whole = std::fs::read_to_string(&conf).unwrap();
    std::fs::create_dir(c.data_dir().join("conf.d")).unwrap();
    std::fs::write(c.data_dir().join("conf.d/a.conf"), "work_mem = '5MB'\nx.y = 'z'\n").unwrap();
    let lines = whole.lines().count();
    let try_conf = |more: &str| -> String {
        let before = log_of(&c).len();
        std::fs::write(&conf, format!("{whole}{more}")).unwrap();
        sql(&c, "select pg_reload_conf()");
        wait_for("the reload", || log_of(&c)[before..].contains("reloading configuration files"));
        let mut seen = 0;
        wait_for("the end of the reload", || {
            std::thread::sleep(Duration::from_millis(700));
            seen == std::mem::replace(&mut seen, log_of(&c).len())
        });
        log_of(&c)[before..].to_string()
    };
    let log = try_conf("include_dir 'conf.d'\ninclude_if_exists 'nowhere'\n");
    assert!(log.contains("parameter \"work_mem\" changed to \"5MB\""), "{log}");
    assert_eq!(sql(&c, "show work_mem").trim(), "5MB");
    let row =
        sql(&c, "select sourcefile ~ 'conf.d/a.conf$', sourceline from pg_settings where name = 'work_mem'");
    assert_eq!(row.trim(), "t|1");
    let log = try_conf("work_mem = abc\nmaintenance_work_mem = 32MB\n");
    assert!(log.contains("invalid value for parameter \"work_mem\": \"abc\""), "{log}");
    assert!(log.contains("contains errors; unaffected changes were applied"), "{log}");
    assert_eq!(sql(&c, "show work_mem; show maintenance_work_mem").trim(), "5MB\n32MB");
    let log = try_conf("work_mem = 1.5GB\nfoo = 1\n");
    assert!(log.contains(&format!("line {}, near token \"GB\"", lines + 1)), "{log}");
    assert!(log.contains("contains errors; no changes were applied"), "{log}");
    assert_eq!(sql(&c, "show work_mem").trim(), "5MB");
    let errors = sql(&c, "select sourceline, error from pg_file_settings where error is not null order by 1");
    assert_eq!(
        errors.trim(),
        format!("{}|syntax error\n{}|unrecognized configuration parameter", lines + 1, lines + 2)
    );
    let log = try_conf("max_connections = 77\n");
    let row = sql(&c, "select setting, pending_restart from pg_settings where name = 'max_connections'");
    assert_eq!(row.trim(), "100|t");
    try_conf("");
    assert!(
        log.contains("parameter \"work_mem\" removed from configuration file, reset to default"),
        "{log}"
    );
    assert_eq!(sql(&c, "show work_mem").trim(), "4MB");
    sql(&c, "alter system set work_mem = '7MB'");
    sql(&c, "alter system set search_path = a, \"B c\"");
    let auto = std::fs::read_to_string(c.data_dir().join("postgresql.auto.conf")).unwrap();
    assert!(auto.ends_with("work_mem = '7MB'\nsearch_path = 'a, \"B c\"'\n"), "{auto}");
    sql(&c, "alter system reset all");
    assert!(
        sql(&c, "begin; alter system set work_mem = '7MB'")
            .contains("ALTER SYSTEM cannot run inside a transaction block")
    );
}
