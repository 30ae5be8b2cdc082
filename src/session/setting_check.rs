//! Checks of values whose form the table of definitions cannot express.

use common::{Error, Result, err};

fn invalid(name: &str, value: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{name}\": \"{value}\"")
}

/// Refuses what PostgreSQL refuses, and with 0A000 what cannot have its effect here. `name` is in lower case.
pub fn check(name: &str, value: &str) -> Result<()> {
    match name {
        "log_destination" => destinations(value),
        "bonjour" if is_on(value) => {
            Err(invalid(name, &canonical_on(value)).detail("Bonjour is not supported by this build."))
        }
        "krb_server_keyfile" | "ssl_dh_params_file" if !value.is_empty() && name.starts_with("ssl") => {
            Err(Error::unsupported("ssl_dh_params_file"))
        }
        "db_user_namespace" if is_on(value) => Err(Error::unsupported("db_user_namespace")),
        "lc_messages" | "lc_monetary" | "lc_numeric" | "lc_time" => locale(name, value),
        "primary_conninfo" => Ok(()),
        _ => Ok(()),
    }
}

fn is_on(v: &str) -> bool {
    matches!(v.to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1" | "t" | "y")
}

fn canonical_on(_: &str) -> String {
    "1".into()
}

fn destinations(value: &str) -> Result<()> {
    for word in value.split(',') {
        let w = word.trim();
        if !["stderr", "csvlog", "jsonlog", "syslog"].iter().any(|d| d.eq_ignore_ascii_case(w)) {
            return Err(invalid("log_destination", value).detail(format!("Unrecognized key word: \"{w}\".")));
        }
    }
    Ok(())
}

/// Messages and formats know one locale.
fn locale(name: &str, value: &str) -> Result<()> {
    match value {
        "" | "C" | "POSIX" | "C.UTF-8" | "C.utf8" => Ok(()),
        _ => Err(invalid(name, value)),
    }
}
