//! `initdb`: makes a database cluster.

use crate::initdb::Options;
use clap::Parser;
use common::{Result, bail, err};
use std::path::PathBuf;

/// initdb initializes a PostgreSQL-compatible database cluster.
#[derive(Parser, Debug)]
#[command(name = "initdb", disable_version_flag = true, disable_help_flag = true)]
struct Args {
    /// Location for this database cluster
    #[arg(short = 'D', long = "pgdata", value_name = "DATADIR")]
    pgdata: Option<PathBuf>,
    /// The same, as an argument
    #[arg(value_name = "DATADIR")]
    positional: Option<PathBuf>,
    /// Default authentication method for local connections
    #[arg(short = 'A', long = "auth", value_name = "METHOD")]
    auth: Option<String>,
    /// Default authentication method for local TCP/IP connections
    #[arg(long, value_name = "METHOD")]
    auth_host: Option<String>,
    /// Default authentication method for local-socket connections
    #[arg(long, value_name = "METHOD")]
    auth_local: Option<String>,
    /// Set default encoding for new databases
    #[arg(short = 'E', long, value_name = "ENCODING", default_value = "UTF8")]
    encoding: String,
    /// Set default locale for new databases
    #[arg(long, value_name = "LOCALE", default_value = "C")]
    locale: String,
    /// Set collation of the provider libc for new databases (default taken from --locale)
    #[arg(long, value_name = "LOCALE")]
    lc_collate: Option<String>,
    /// Set character classes of the provider libc for new databases (default taken from --locale)
    #[arg(long, value_name = "LOCALE")]
    lc_ctype: Option<String>,
    /// Set default locale provider for new databases
    #[arg(long, value_name = "{libc|icu}")]
    locale_provider: Option<String>,
    /// Set ICU locale ID for new databases
    #[arg(long, value_name = "LOCALE")]
    icu_locale: Option<String>,
    /// Equivalent to --locale=C
    #[arg(long)]
    no_locale: bool,
    /// Use data page checksums (the default)
    #[arg(short = 'k', long)]
    data_checksums: bool,
    /// Do not use data page checksums
    #[arg(long)]
    no_data_checksums: bool,
    /// Read password for the new superuser from file
    #[arg(long, value_name = "FILE")]
    pwfile: Option<PathBuf>,
    /// Prompt for a password for the new superuser
    #[arg(short = 'W', long)]
    pwprompt: bool,
    /// Database superuser name
    #[arg(short = 'U', long, value_name = "NAME")]
    username: Option<String>,
    /// Do not wait for changes to be written safely to disk
    #[arg(short = 'N', long)]
    no_sync: bool,
    /// Only sync database files to disk, then exit
    #[arg(short = 'S', long)]
    sync_only: bool,
    /// Set a parameter in postgresql.conf
    #[arg(short = 'c', long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Output version information, then exit
    #[arg(short = 'V', long)]
    version: bool,
    /// Show this help, then exit
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// Entry point.
pub fn main() -> Result<i32> {
    let a = Args::parse();
    if a.version {
        println!("initdb (PostgreSQL) {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    let given = a.pgdata.as_deref().or(a.positional.as_deref());
    let Some(dir) = crate::config::data_directory(given) else {
        return Err(err!(INVALID_PARAMETER_VALUE, "no data directory specified").hint(
            "You must identify the directory where the data for this database system will reside.  Do this with either the invocation option -D or the environment variable PGDATA.",
        ));
    };
    if a.sync_only {
        storage::datadir::sync_tree(&dir)?;
        return Ok(0);
    }
    let o = options(&a, dir)?;
    println!("The files belonging to this database system will be owned by user \"{}\".", system_user());
    println!("This user must also own the server process.\n");
    match &o.icu_locale {
        Some(icu) => println!(
            "The database cluster will be initialized with this locale configuration:\n  provider:    icu\n  ICU locale:  {icu}\n  LC_COLLATE:  {}\n  LC_CTYPE:    {}",
            o.lc_collate, o.lc_ctype
        ),
        None => println!("The database cluster will be initialized with locale \"{}\".", o.lc_collate),
    }
    println!("The default database encoding has accordingly been set to \"{}\".\n", o.encoding);
    println!("Data page checksums are {}.\n", if o.data_checksums { "enabled" } else { "disabled" });
    crate::initdb::initdb(&o)?;
    if a.auth.is_none() && a.auth_host.is_none() && a.auth_local.is_none() {
        eprintln!("\ninitdb: warning: enabling \"trust\" authentication for local connections");
        eprintln!(
            "initdb: hint: You can change this by editing pg_hba.conf or using the option -A, or --auth-local and --auth-host, the next time you run initdb."
        );
    }
    println!("\nSuccess. You can now start the database server using:\n");
    println!("    pg_ctl -D {} -l logfile start\n", o.data_dir.display());
    Ok(0)
}

fn system_user() -> String {
    let uid = nix::unistd::Uid::effective();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |u| u.name)
}

fn options(a: &Args, dir: PathBuf) -> Result<Options> {
    let mut o = Options::new(&dir);
    o.superuser = a.username.clone().unwrap_or_else(system_user);
    if o.superuser.starts_with("pg_") {
        bail!(
            RESERVED_NAME,
            "superuser name \"{}\" is disallowed; role names cannot begin with \"pg_\"",
            o.superuser
        );
    }
    let auth = a.auth.clone().unwrap_or_else(|| "trust".into());
    o.auth_local = a.auth_local.clone().unwrap_or_else(|| auth.clone());
    o.auth_host = a.auth_host.clone().unwrap_or(auth);
    for (m, allowed) in [
        (&o.auth_local, &["trust", "reject", "scram-sha-256", "md5", "password", "peer"][..]),
        (&o.auth_host, &["trust", "reject", "scram-sha-256", "md5", "password"][..]),
    ] {
        if !allowed.contains(&m.as_str()) {
            bail!(INVALID_PARAMETER_VALUE, "invalid authentication method \"{m}\"");
        }
    }
    o.encoding = a.encoding.clone();
    let locale = if a.no_locale { "C".into() } else { a.locale.clone() };
    o.lc_collate = a.lc_collate.clone().unwrap_or_else(|| locale.clone());
    o.lc_ctype = a.lc_ctype.clone().unwrap_or(locale);
    o.icu_locale = icu_locale(a)?;
    o.data_checksums = !a.no_data_checksums;
    o.sync = !a.no_sync;
    o.password = password(a)?;
    let needs = |m: &str| ["md5", "scram-sha-256", "password"].contains(&m);
    if (needs(&o.auth_local) || needs(&o.auth_host)) && o.password.is_none() {
        bail!(
            INVALID_PASSWORD,
            "must specify a password for the superuser to enable password authentication"
        );
    }
    for s in &a.set {
        let Some((n, v)) = s.split_once('=') else {
            bail!(SYNTAX_ERROR, "-c {s} requires a value");
        };
        o.settings.push((n.into(), v.into()));
    }
    Ok(o)
}

/// The ICU locale, if the provider is icu.
fn icu_locale(a: &Args) -> Result<Option<String>> {
    match a.locale_provider.as_deref() {
        Some("icu") if a.icu_locale.is_none() => {
            bail!(INVALID_PARAMETER_VALUE, "ICU locale must be specified")
        }
        Some("icu") => Ok(a.icu_locale.clone()),
        None | Some("libc") if a.icu_locale.is_some() => {
            bail!(
                INVALID_PARAMETER_VALUE,
                "--icu-locale cannot be specified unless locale provider \"icu\" is chosen"
            )
        }
        None | Some("libc") => Ok(None),
        Some(p) => bail!(INVALID_PARAMETER_VALUE, "unrecognized locale provider: {p}"),
    }
}

fn password(a: &Args) -> Result<Option<String>> {
    if let Some(f) = &a.pwfile {
        let text = std::fs::read_to_string(f).map_err(|e| {
            common::Error::os(format!("could not open file \"{}\" for reading", f.display()), &e)
        })?;
        let line = text.lines().next().unwrap_or("").to_string();
        if line.is_empty() {
            bail!(INVALID_PASSWORD, "password file \"{}\" is empty", f.display());
        }
        return Ok(Some(line));
    }
    if !a.pwprompt {
        return Ok(None);
    }
    let ask = |text: &str| -> Result<String> {
        use std::io::Write;
        print!("{text}");
        let _ = std::io::stdout().flush();
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .map_err(|e| common::Error::os("could not read password", &e))?;
        Ok(line.trim_end_matches(['\n', '\r']).to_string())
    };
    let first = ask("Enter new superuser password: ")?;
    if ask("Enter it again: ")? != first {
        bail!(INVALID_PASSWORD, "Passwords didn't match.");
    }
    Ok(Some(first))
}
