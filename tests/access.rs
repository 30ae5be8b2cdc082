//! Who may come in: one test per kind of rule of `pg_hba.conf`, with the real psql, and TLS with certificates that openssl
//! makes.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options, wait_for};

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    Cluster::start(Kind::Stegodon, o).unwrap()
}

/// Rules under test, behind one that lets the test's own sessions in.
fn rules(c: &Cluster, text: &str) {
    let file = c.data_dir().join("pg_hba.conf");
    std::fs::write(file, format!("local postgres postgres trust\n{text}\n")).unwrap();
    let before = log(c).len();
    c.psql("select pg_reload_conf()").unwrap();
    let begun = Instant::now();
    while !log(c)[before..].contains("reloading configuration files") {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    // The postmaster has one thread: it takes no connection between this line and the end of the reload.
}

/// The log says so, at once or in a moment.
fn says(c: &Cluster, want: &str) {
    assert!(wait_for(Duration::from_secs(10), || log(c).contains(want)), "not {want}: {}", log(c));
}

fn log(c: &Cluster) -> String {
    std::fs::read_to_string(c.log_file()).unwrap_or_default()
}

/// What a connection with these parameters prints.
fn connect(c: &Cluster, parameters: &str) -> String {
    let out = Command::new("psql")
        .args(["-X", "-At", "-c", "select current_user || ' in ' || current_database()"])
        .args(["-d", &format!("port={} {parameters}", c.port)])
        .env_remove("PGPASSWORD")
        .env("PGSSLCERT", "/nowhere")
        .env("PGSSLROOTCERT", "/nowhere")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

fn local(c: &Cluster, user: &str, db: &str, more: &str) -> String {
    connect(c, &format!("host={} user={user} dbname={db} {more}", c.dir.display()))
}

fn tcp(c: &Cluster, user: &str, db: &str, more: &str) -> String {
    connect(c, &format!("host=127.0.0.1 user={user} dbname={db} sslmode=disable {more}"))
}

/// What every session that is let in prints.
const IN: &str = " in ";

fn people(c: &Cluster) {
    let text = "create role joe login password 'scram'; set password_encryption = 'md5'; \
                create role ann login password 'md5pw'; create role grp; grant grp to ann; create database joe; \
                create database grp; create role late login password 'x' valid until '2001-01-01'; create role nologin";
    let out = c.psql(text).unwrap();
    // CREATE DATABASE does not run in the implicit block of a list.
    assert!(out.text.contains("cannot") || out.success, "{}", out.text);
    for one in text.split("; ") {
        c.psql(one).unwrap();
    }
    c.psql("set password_encryption = 'md5'; alter role ann password 'md5pw'").unwrap();
    c.psql("alter role joe password 'scram'").unwrap();
}

/// Rule, user, database, more connection parameters, by TCP, what is printed.
const CASES: &[(&str, &str, &str, &str, bool, &str)] = &[
    ("local all all trust", "joe", "postgres", "", false, IN),
    (
        "local all all reject",
        "joe",
        "postgres",
        "",
        false,
        "FATAL:  pg_hba.conf rejects connection for host \"[local]\", user \"joe\", database \"postgres\", no encryption",
    ),
    (
        "local all ann trust",
        "joe",
        "postgres",
        "",
        false,
        "FATAL:  no pg_hba.conf entry for host \"[local]\", user \"joe\", database \"postgres\", no encryption",
    ),
    (
        "local all all trust",
        "joe",
        "postgres",
        "",
        true,
        "FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", user \"joe\", database \"postgres\", no encryption",
    ),
    ("host all all 127.0.0.0/8 trust", "joe", "postgres", "", true, IN),
    ("host all all 10.0.0.0/8 trust", "joe", "postgres", "", true, "no pg_hba.conf entry"),
    ("host all all 127.0.0.1 255.255.255.255 trust", "joe", "postgres", "", true, IN),
    ("host all all samehost trust", "joe", "postgres", "", true, IN),
    ("host all all samenet trust", "joe", "postgres", "", true, IN),
    ("host all all all trust", "joe", "postgres", "", true, IN),
    ("host all all localhost trust", "joe", "postgres", "", true, IN),
    ("host all all .example.invalid trust", "joe", "postgres", "", true, "no pg_hba.conf entry"),
    ("hostnossl all all all trust", "joe", "postgres", "", true, IN),
    ("hostnogssenc all all all trust", "joe", "postgres", "", true, IN),
    ("local sameuser all trust", "joe", "joe", "", false, IN),
    ("local sameuser all trust", "joe", "postgres", "", false, "no pg_hba.conf entry"),
    ("local samerole all trust", "ann", "grp", "", false, IN),
    ("local samerole all trust", "joe", "grp", "", false, "no pg_hba.conf entry"),
    ("local replication all trust", "joe", "postgres", "", false, "no pg_hba.conf entry"),
    ("local \"all\" all trust", "joe", "postgres", "", false, "no pg_hba.conf entry"),
    ("local joe,postgres ann,joe trust", "joe", "postgres", "", false, IN),
    ("local @names all trust", "joe", "postgres", "", false, IN),
    ("local @names all trust", "joe", "joe", "", false, "no pg_hba.conf entry"),
    ("local all +grp trust", "ann", "postgres", "", false, IN),
    ("local all +grp trust", "joe", "postgres", "", false, "no pg_hba.conf entry"),
    ("local all \"+grp\" trust", "ann", "postgres", "", false, "no pg_hba.conf entry"),
    ("local all all \\\n  trust", "joe", "postgres", "", false, IN),
    ("local all all password", "joe", "postgres", "password=scram", false, IN),
    ("local all all password", "ann", "postgres", "password=md5pw", false, IN),
    (
        "local all all password",
        "joe",
        "postgres",
        "password=wrong",
        false,
        "FATAL:  password authentication failed for user \"joe\"",
    ),
    ("local all all md5", "ann", "postgres", "password=md5pw", false, IN),
    ("local all all md5", "joe", "postgres", "password=scram", false, IN),
    (
        "local all all md5",
        "ann",
        "postgres",
        "password=wrong",
        false,
        "FATAL:  password authentication failed for user \"ann\"",
    ),
    ("local all all scram-sha-256", "joe", "postgres", "password=scram", false, IN),
    (
        "local all all scram-sha-256",
        "joe",
        "postgres",
        "password=wrong",
        false,
        "FATAL:  password authentication failed for user \"joe\"",
    ),
    (
        "local all all scram-sha-256",
        "ann",
        "postgres",
        "password=md5pw",
        false,
        "FATAL:  password authentication failed for user \"ann\"",
    ),
    (
        "local all all scram-sha-256",
        "nobody_here",
        "postgres",
        "password=x",
        false,
        "FATAL:  password authentication failed for user \"nobody_here\"",
    ),
    (
        "local all all scram-sha-256",
        "late",
        "postgres",
        "password=x",
        false,
        "FATAL:  password authentication failed for user \"late\"",
    ),
    ("local all all scram-sha-256", "joe", "postgres", "", false, "fe_sendauth: no password supplied"),
    (
        "local all all peer",
        "joe",
        "postgres",
        "",
        false,
        "FATAL:  Peer authentication failed for user \"joe\"",
    ),
    ("local all all peer map=here", "joe", "postgres", "", false, IN),
    ("local all all ident map=here", "joe", "postgres", "", false, IN),
    ("local all all peer map=pattern", "ann", "postgres", "", false, "Peer authentication failed"),
    (
        "host all all all ident",
        "joe",
        "postgres",
        "",
        true,
        "FATAL:  Ident authentication failed for user \"joe\"",
    ),
    (
        "local all all trust",
        "nobody_here",
        "postgres",
        "",
        false,
        "FATAL:  role \"nobody_here\" does not exist",
    ),
    (
        "local all all trust",
        "nologin",
        "postgres",
        "",
        false,
        "FATAL:  role \"nologin\" is not permitted to log in",
    ),
    ("local all all trust", "joe", "nowhere", "", false, "FATAL:  database \"nowhere\" does not exist"),
];

#[test]
fn every_kind_of_rule() {
    let c = cluster(&[]);
    people(&c);
    let me = Command::new("id").arg("-un").output().unwrap();
    let me = String::from_utf8_lossy(&me.stdout).trim().to_string();
    std::fs::write(c.data_dir().join("pg_ident.conf"), format!("here {me} joe\npattern /^(x.*)$ \\1\n"))
        .unwrap();
    std::fs::write(c.data_dir().join("names"), "postgres, \"other db\"\n").unwrap();
    let mut last = "";
    for (rule, user, db, more, by_tcp, want) in CASES {
        if *rule != last {
            rules(&c, rule);
            last = rule;
        }
        let got = if *by_tcp { tcp(&c, user, db, more) } else { local(&c, user, db, more) };
        assert!(got.contains(want), "{rule}: {user} {db} {more}\n{got}\nwanted: {want}");
    }
    let log = log(&c);
    assert!(log.contains("DETAIL:  Password does not match for user \"joe\".\n\tConnection matched pg_hba.conf line 2: \"local all all password\""), "{log}");
    assert!(log.contains("User \"late\" has an expired password."));
    assert!(log.contains("Role \"nobody_here\" does not exist."));
    assert!(
        log.contains(&format!("provided user name (joe) and authenticated user name ({me}) do not match"))
    );
}

#[test]
fn faulty_files_leave_the_rules_in_force() {
    let c = cluster(&[]);
    rules(&c, "host all all 127.0.0.1/33 trust\nlocal all all nonsense\nhost all all all gss");
    says(&c, "pg_hba.conf was not reloaded");
    let text = log(&c);
    assert!(text.contains("LOG:  invalid CIDR mask in address \"127.0.0.1/33\""), "{text}");
    assert!(text.contains(&format!(
        "CONTEXT:  line 2 of configuration file \"{}\"",
        c.data_dir().join("pg_hba.conf").display()
    )));
    assert!(text.contains("invalid authentication method \"gss\": not supported by this build"));
    assert!(tcp(&c, "postgres", "postgres", "").contains(IN));
    let shown = c.psql("select line_number, type, database, error from pg_hba_file_rules").unwrap().text;
    assert!(shown.starts_with("1|local|{postgres}|\n2|||invalid CIDR mask"), "{shown}");
    rules(&c, "host all,joe +g 10.0.0.0/8 md5\nhostssl all all all cert map=m");
    let shown = c.psql("select type, database, user_name, address, netmask, auth_method, options, error from pg_hba_file_rules offset 1").unwrap().text;
    assert_eq!(
        shown,
        "host|{all,joe}|{+g}|10.0.0.0|255.0.0.0|md5||\n|||||||hostssl record cannot match because SSL is disabled\n"
    );
    std::fs::write(c.data_dir().join("pg_ident.conf"), "m joe\nm a b\n").unwrap();
    let shown = c.psql("select * from pg_ident_file_mappings").unwrap().text;
    assert_eq!(shown, "1||||missing entry at end of line\n2|m|a|b|\n");
}

fn openssl(dir: &Path, args: &str) {
    let out = Command::new("openssl").args(args.split(' ')).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&out.stderr));
}

/// An authority, a server certificate for localhost, a client certificate for joe.
fn certificates(dir: &Path) {
    openssl(dir, "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.crt -subj /CN=authority");
    for (name, subject) in [("server", "/CN=localhost"), ("joe", "/O=x/CN=joe")] {
        openssl(
            dir,
            &format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj {subject}"),
        );
        std::fs::write(
            dir.join("ext"),
            "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
        )
        .unwrap();
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out {name}.crt"
            ),
        );
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir.join(format!("{name}.key")), std::fs::Permissions::from_mode(0o600))
            .unwrap();
    }
}

#[test]
fn tls_certificates_and_channel_binding() {
    let dir = std::env::temp_dir().join(format!("tls-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    certificates(&dir);
    let at = |f: &str| dir.join(f).display().to_string();
    let c = cluster(&[
        ("ssl", "on"),
        ("ssl_cert_file", &at("server.crt")),
        ("ssl_key_file", &at("server.key")),
        ("ssl_ca_file", &at("ca.crt")),
        ("log_connections", "on"),
    ]);
    people(&c);
    rules(&c, "hostssl all all all scram-sha-256");
    let full = format!(
        "host=localhost user=joe dbname=postgres password=scram sslmode=verify-full sslrootcert={}",
        at("ca.crt")
    );
    assert!(connect(&c, &full).contains(IN), "{}", connect(&c, &full));
    let bound = connect(&c, &format!("{full} channel_binding=require"));
    assert!(bound.contains(IN), "{bound}");
    says(&c, "SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)");
    says(&c, "connection authenticated: identity=\"joe\" method=scram-sha-256 (");
    let plain = tcp(&c, "joe", "postgres", "password=scram");
    assert!(
        plain.contains(
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"joe\", database \"postgres\", no encryption"
        ),
        "{plain}"
    );
    rules(&c, "hostnossl all all all trust");
    let got = connect(&c, &full);
    assert!(got.contains("no pg_hba.conf entry") && got.contains("SSL encryption"), "{got}");
    // Certificates of clients.
    rules(&c, "hostssl all all all cert");
    let base =
        format!("host=localhost user=joe dbname=postgres sslmode=verify-full sslrootcert={}", at("ca.crt"));
    let got = connect(&c, &base);
    assert!(got.contains("FATAL:  connection requires a valid client certificate"), "{got}");
    let with = |user: &str| {
        format!(
            "host=localhost user={user} dbname=postgres sslmode=verify-full sslrootcert={} sslcert={} sslkey={}",
            at("ca.crt"),
            at("joe.crt"),
            at("joe.key")
        )
    };
    let got = connect(&c, &with("joe"));
    assert!(got.contains(IN), "{got}");
    let got = connect(&c, &with("ann"));
    assert!(got.contains("FATAL:  certificate authentication failed for user \"ann\""), "{got}");
    std::fs::write(c.data_dir().join("pg_ident.conf"), "m /^jo(.)$ ann\nd \"/O=x/CN=joe\" joe\n").unwrap();
    rules(&c, "hostssl all all all cert map=m");
    assert!(connect(&c, &with("ann")).contains(IN));
    rules(&c, "hostssl all all all md5 clientcert=verify-ca");
    assert!(connect(&c, &format!("{} password=md5pw", with("ann"))).contains(IN));
    assert!(connect(&c, &format!("{base} password=scram")).contains("requires a valid client certificate"));
    rules(&c, "hostssl all all all md5 clientcert=verify-full");
    assert!(connect(&c, &format!("{} password=scram", with("joe"))).contains(IN));
    assert!(
        connect(&c, &format!("{} password=md5pw", with("ann")))
            .contains("password authentication failed for user \"ann\"")
    );
    // A certificate that the authority did not sign is refused in the handshake.
    openssl(
        &dir,
        "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout rogue.key -out rogue.crt -subj /CN=joe",
    );
    let rogue = format!("{base} sslcert={} sslkey={}", at("rogue.crt"), at("rogue.key"));
    std::fs::set_permissions(dir.join("rogue.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    assert!(!connect(&c, &rogue).contains(IN));
    // Bytes in front of the handshake end the connection.
    use std::io::{Read, Write};
    let mut s = std::net::TcpStream::connect(("127.0.0.1", c.port)).unwrap();
    s.write_all(&[0, 0, 0, 8, 4, 210, 22, 47, b'x', b'y']).unwrap();
    let mut answer = Vec::new();
    let _ = s.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(text.contains("received unencrypted data after SSL request"), "{text}");
    // Another certificate takes effect at a reload; a broken one leaves the old in force.
    let serial = |c: &Cluster| {
        let out = Command::new("sh").arg("-c").arg(format!("echo | openssl s_client -starttls postgres -connect 127.0.0.1:{} 2>/dev/null | openssl x509 -noout -serial", c.port)).output().unwrap();
        String::from_utf8_lossy(&out.stdout).trim().to_string()
    };
    let first = serial(&c);
    assert!(first.starts_with("serial="), "{first}");
    certificates(&dir);
    rules(&c, "hostssl all all all scram-sha-256");
    let second = serial(&c);
    assert_ne!(first, second);
    std::fs::write(dir.join("server.crt"), "nonsense").unwrap();
    rules(&c, "hostssl all all all scram-sha-256");
    assert_eq!(serial(&c), second);
    says(&c, "SSL configuration was not reloaded");
    let _ = std::fs::remove_dir_all(&dir);
}

/// What `openssl s_client` says of a handshake with the server.
fn handshake(c: &Cluster, more: &str) -> String {
    let text =
        format!("echo | openssl s_client -starttls postgres -connect 127.0.0.1:{} {more} 2>&1", c.port);
    let out = Command::new("sh").arg("-c").arg(text).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Settings of TLS, one by one: set, reloaded, and looked at from outside.
#[test]
fn settings_of_tls() {
    let dir = std::env::temp_dir().join(format!("tls-settings-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    certificates(&dir);
    let at = |f: &str| dir.join(f).display().to_string();
    let c = cluster(&[
        ("ssl", "on"),
        ("ssl_cert_file", &at("server.crt")),
        ("ssl_key_file", &at("server.key")),
        ("ssl_ca_file", &at("ca.crt")),
    ]);
    people(&c);
    let set = |settings: &[(&str, &str)]| {
        c.psql("alter system reset all").unwrap();
        for (n, v) in settings {
            assert_eq!(c.psql(&format!("alter system set {n} = '{v}'")).unwrap().text, "");
        }
        rules(&c, "hostssl all all all cert");
    };
    let cipher = |more: &str| {
        let text = handshake(&c, more);
        let line = text.lines().find_map(|l| l.strip_prefix("New, TLSv1.2, Cipher is "));
        line.unwrap_or(&text).to_string()
    };
    let tls12 = ("ssl_max_protocol_version", "TLSv1.2");
    set(&[tls12]);
    assert!(handshake(&c, "").contains("New, TLSv1.2,"), "{}", handshake(&c, ""));
    assert!(!handshake(&c, "-tls1_3").contains("Cipher is TLS_"));
    set(&[("ssl_min_protocol_version", "TLSv1.3")]);
    assert!(handshake(&c, "-tls1_2").contains("Cipher is (NONE)"));
    set(&[tls12, ("ssl_ciphers", "ECDHE-RSA-AES128-GCM-SHA256")]);
    assert_eq!(cipher(""), "ECDHE-RSA-AES128-GCM-SHA256");
    set(&[tls12, ("ssl_ciphers", "HIGH:!AES128:!AES256")]);
    assert_eq!(cipher(""), "ECDHE-RSA-CHACHA20-POLY1305");
    set(&[tls12, ("ssl_ciphers", "RC4-MD5")]);
    says(&c, "could not set the cipher list (no valid ciphers available)");
    // Whose order counts.
    let own = "-cipher ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256";
    let list = ("ssl_ciphers", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305");
    set(&[tls12, list, ("ssl_prefer_server_ciphers", "on")]);
    assert_eq!(cipher(own), "ECDHE-RSA-AES128-GCM-SHA256");
    set(&[tls12, list, ("ssl_prefer_server_ciphers", "off")]);
    assert_eq!(cipher(own), "ECDHE-RSA-CHACHA20-POLY1305");
    set(&[tls12, ("ssl_ecdh_curve", "secp384r1")]);
    assert!(
        handshake(&c, "").contains("Server Temp Key: ECDH, secp384r1, 384 bits"),
        "{}",
        handshake(&c, "")
    );
    set(&[tls12, ("ssl_ecdh_curve", "prime256v1")]);
    assert!(handshake(&c, "").contains("Server Temp Key: ECDH, prime256v1, 256 bits"));
    set(&[("ssl_ecdh_curve", "nonsense")]);
    says(&c, "ECDH: unrecognized curve name: nonsense");
    // A certificate that its authority has revoked, by a file and by a directory.
    let with = format!(
        "host=localhost user=joe dbname=postgres sslmode=verify-full sslrootcert={} sslcert={} sslkey={}",
        at("ca.crt"),
        at("joe.crt"),
        at("joe.key")
    );
    set(&[]);
    assert!(connect(&c, &with).contains(IN), "{}", connect(&c, &with));
    std::fs::write(
        dir.join("ca.conf"),
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n",
    )
    .unwrap();
    std::fs::write(dir.join("index.txt"), "").unwrap();
    std::fs::write(dir.join("number"), "01\n").unwrap();
    openssl(&dir, "ca -config ca.conf -keyfile ca.key -cert ca.crt -revoke joe.crt");
    std::fs::create_dir_all(dir.join("lists")).unwrap();
    openssl(&dir, "ca -config ca.conf -keyfile ca.key -cert ca.crt -gencrl -out lists/list.pem");
    set(&[("ssl_crl_file", &at("lists/list.pem"))]);
    assert!(!connect(&c, &with).contains(IN));
    set(&[("ssl_crl_dir", &at("lists"))]);
    assert!(!connect(&c, &with).contains(IN));
    set(&[]);
    assert!(connect(&c, &with).contains(IN));
    set(&[("ssl_passphrase_command", "echo secret")]);
    says(&c, "ssl_passphrase_command is not supported yet");
    let _ = std::fs::remove_dir_all(&dir);
}

/// Files with faults change nothing, and the views say what is wrong with them.
#[test]
fn faulty_files() {
    let c = cluster(&[]);
    people(&c);
    rules(&c, "local all all trust");
    assert!(local(&c, "joe", "postgres", "").contains(IN));
    let faulty = [
        ("local all all", "end-of-line before authentication method"),
        ("local all", "end-of-line before role specification"),
        ("local", "end-of-line before database specification"),
        ("remote all all trust", "invalid connection type \"remote\""),
        ("local all all magic", "invalid authentication method \"magic\""),
        ("host all all 127.0.0.1", "end-of-line before netmask specification"),
        ("host all all 127.0.0.1/33 trust", "invalid CIDR mask in address \"127.0.0.1/33\""),
        ("host all all", "end-of-line before IP address specification"),
        ("local all all trust frob=1", "unrecognized authentication option name: \"frob\""),
        (
            "local all all trust map=x",
            "authentication option \"map\" is only valid for authentication methods ident, peer, gssapi, sspi, and cert",
        ),
        ("host all all all peer", "peer authentication is only supported on local sockets"),
    ];
    for (rule, want) in faulty {
        let before = log(&c).len();
        rules(&c, rule);
        let said = || log(&c)[before..].contains(want);
        assert!(wait_for(Duration::from_secs(10), said), "{rule}: {}", &log(&c)[before..]);
        let row =
            c.psql("select line_number, error from pg_hba_file_rules where error is not null").unwrap().text;
        assert!(row.contains(want), "{rule}: {row}");
        // The rules that were read before are still in force.
        assert!(local(&c, "joe", "postgres", "").contains(IN), "{rule}");
    }
    says(&c, "pg_hba.conf was not reloaded");
    let ident = c.data_dir().join("pg_ident.conf");
    for (line, want) in
        [("only two", "missing entry at end of line"), ("m /( joe", "invalid regular expression \"(\"")]
    {
        std::fs::write(&ident, format!("{line}\n")).unwrap();
        let before = log(&c).len();
        rules(&c, "local all all trust");
        let text = log(&c)[before..].to_string();
        assert!(text.contains(want), "{line}: {text}");
        let row = c.psql("select error from pg_ident_file_mappings").unwrap().text;
        assert!(row.contains(want), "{line}: {row}");
    }
    std::fs::write(&ident, "m /^(.*)@x$ \\1\nn root joe\n").unwrap();
    let rows = c
        .psql("select line_number, map_name, sys_name, pg_username, error from pg_ident_file_mappings")
        .unwrap();
    assert_eq!(rows.text, "1|m|/^(.*)@x$|\\1|\n2|n|root|joe|\n");
    rules(&c, "host joe,postgres joe,+grp 10.0.0.0/8 scram-sha-256\nhost \"all\" all samenet md5");
    let rows = c
        .psql(
            "select type, database, user_name, address, netmask, auth_method, options, error from pg_hba_file_rules \
             where line_number > 1",
        )
        .unwrap();
    assert_eq!(
        rows.text,
        "host|{joe,postgres}|{joe,+grp}|10.0.0.0|255.0.0.0|scram-sha-256||\nhost|{all}|{all}|samenet||md5||\n"
    );
    // Ordinary roles see neither.
    for view in ["pg_hba_file_rules", "pg_ident_file_mappings"] {
        let said = c.psql(&format!("set role joe; select * from {view}")).unwrap().text;
        assert!(said.contains(&format!("permission denied for view {view}")), "{said}");
    }
}

/// Passwords that have expired, limits of connections, and what a session may learn of another.
#[test]
fn what_roles_may_learn() {
    let c = cluster(&[]);
    people(&c);
    rules(&c, "local all all scram-sha-256");
    c.psql("alter role joe valid until 'infinity'").unwrap();
    assert!(local(&c, "joe", "postgres", "password=scram").contains(IN));
    c.psql("alter role joe valid until '2001-01-01'").unwrap();
    let said = local(&c, "joe", "postgres", "password=scram");
    assert!(said.contains("FATAL:  password authentication failed for user \"joe\""), "{said}");
    says(&c, "User \"joe\" has an expired password.");
    // Other users' statements are hidden, and no superuser's session can be ended by pg_signal_backend.
    rules(&c, "local all all trust");
    c.psql("grant pg_signal_backend to ann").unwrap();
    let mut other = Command::new("psql")
        .args(["-X", "-h", &c.dir.display().to_string(), "-p", &c.port.to_string()])
        .args(["-U", "postgres", "-d", "postgres", "-c", "select pg_sleep(20), 'secret'"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let sleeper = "select pid from pg_stat_activity where query like 'select pg_sleep(20)%'";
    let begun = Instant::now();
    while c.psql(sleeper).unwrap().text.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    let pid = c.psql(sleeper).unwrap().text.trim().to_string();
    let as_role = |role: &str, text: &str| {
        c.psql(&format!("set session authorization {role}; {text}")).unwrap().text.trim().to_string()
    };
    let query = format!("select query from pg_stat_activity where pid = {pid}");
    assert_eq!(as_role("joe", &query), "<insufficient privilege>");
    c.psql("grant pg_read_all_stats to joe").unwrap();
    assert_eq!(as_role("joe", &query), "select pg_sleep(20), 'secret'");
    let end = format!("select pg_terminate_backend({pid})");
    let said = as_role("joe", &end);
    assert!(
        said.contains("must be a superuser to terminate superuser process")
            || said.contains("must be a member of the role whose process is being terminated"),
        "{said}"
    );
    let said = as_role("ann", &end);
    assert!(said.contains("must be a superuser to terminate superuser process"), "{said}");
    assert_eq!(c.psql(&end).unwrap().text.trim(), "t");
    let _ = other.wait();
    for text in
        ["copy (select 1) to '/tmp/x'", "copy (select 1) to program 'cat'", "alter system set work_mem = 1"]
    {
        let said = as_role("joe", text);
        assert!(said.contains("ERROR:"), "{text}: {said}");
    }
}
