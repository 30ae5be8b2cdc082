//! Checks of values whose form the table of definitions cannot express.

use common::settings::Settings;
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
        "quote_all_identifiers" if is_on(value) => Err(Error::unsupported("quote_all_identifiers")),
        "default_tablespace" if !["", "pg_default", "pg_global"].contains(&value) => {
            Err(no_tablespace(name, value))
        }
        "temp_tablespaces" => temp_tablespaces(value),
        "default_table_access_method" => access_method(value),
        _ => Ok(()),
    }
}

/// The statistics of a whole statement and of its steps exclude each other.
pub fn check_together(s: &Settings, name: &str, value: &str) -> Result<()> {
    const STEPS: [&str; 3] = ["log_parser_stats", "log_planner_stats", "log_executor_stats"];
    if !is_on(value) {
        return Ok(());
    }
    let detail = match name {
        "log_statement_stats" if STEPS.iter().any(|n| s.bool(n)) => {
            "Cannot enable \"log_statement_stats\" when \"log_parser_stats\", \"log_planner_stats\", or \"log_executor_stats\" is true."
        }
        n if STEPS.contains(&n) && s.bool("log_statement_stats") => {
            "Cannot enable parameter when \"log_statement_stats\" is true."
        }
        _ => return Ok(()),
    };
    Err(invalid(name, &canonical_on(value)).detail(detail))
}

fn no_tablespace(name: &str, value: &str) -> Error {
    invalid(name, value).detail(format!("Tablespace \"{value}\" does not exist."))
}

fn temp_tablespaces(value: &str) -> Result<()> {
    for word in super::settings::split_names(value) {
        if !["", "pg_default"].contains(&word.as_str()) {
            return Err(err!(UNDEFINED_OBJECT, "tablespace \"{word}\" does not exist"));
        }
    }
    Ok(())
}

fn access_method(value: &str) -> Result<()> {
    match value {
        "heap" => Ok(()),
        "" => Err(invalid("default_table_access_method", value)
            .detail("default_table_access_method cannot be empty.")),
        other => Err(invalid("default_table_access_method", value)
            .detail(format!("Table access method \"{other}\" does not exist."))),
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
