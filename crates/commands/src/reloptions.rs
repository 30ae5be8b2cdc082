//! Storage parameters: `WITH (fillfactor = 70, …)` checked as PostgreSQL checks them and kept as `name=value` strings.

use common::{Error, Result, bail, err};
use parser::ast::{DefArg, DefElem};

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Int(i64, i64),
    Real(f64, f64),
    Enum(&'static [&'static str]),
}

/// Which relations an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionsOf {
    Table,
    Index,
    View,
    Column,
}

const INT_MAX: i64 = i32::MAX as i64;
const ONOFF_AUTO: &[&str] = &["auto", "on", "off", "true", "false", "yes", "no", "1", "0"];

const TABLE: &[(&str, Kind)] = &[
    ("fillfactor", Kind::Int(10, 100)),
    ("toast_tuple_target", Kind::Int(128, 8160)),
    ("parallel_workers", Kind::Int(0, 1024)),
    ("user_catalog_table", Kind::Bool),
    ("vacuum_truncate", Kind::Bool),
    ("vacuum_index_cleanup", Kind::Enum(ONOFF_AUTO)),
    ("autovacuum_enabled", Kind::Bool),
    ("autovacuum_vacuum_threshold", Kind::Int(0, INT_MAX)),
    ("autovacuum_vacuum_insert_threshold", Kind::Int(-1, INT_MAX)),
    ("autovacuum_analyze_threshold", Kind::Int(0, INT_MAX)),
    ("autovacuum_vacuum_cost_delay", Kind::Real(0.0, 100.0)),
    ("autovacuum_vacuum_cost_limit", Kind::Int(1, 10_000)),
    ("autovacuum_vacuum_scale_factor", Kind::Real(0.0, 100.0)),
    ("autovacuum_vacuum_insert_scale_factor", Kind::Real(0.0, 100.0)),
    ("autovacuum_analyze_scale_factor", Kind::Real(0.0, 100.0)),
    ("autovacuum_freeze_min_age", Kind::Int(0, 1_000_000_000)),
    ("autovacuum_freeze_max_age", Kind::Int(100_000, 2_000_000_000)),
    ("autovacuum_freeze_table_age", Kind::Int(0, 2_000_000_000)),
    ("autovacuum_multixact_freeze_min_age", Kind::Int(0, 1_000_000_000)),
    ("autovacuum_multixact_freeze_max_age", Kind::Int(10_000, 2_000_000_000)),
    ("autovacuum_multixact_freeze_table_age", Kind::Int(0, 2_000_000_000)),
    ("log_autovacuum_min_duration", Kind::Int(-1, INT_MAX)),
];
const INDEX: &[(&str, Kind)] = &[("fillfactor", Kind::Int(10, 100)), ("deduplicate_items", Kind::Bool)];
const VIEW: &[(&str, Kind)] = &[
    ("security_barrier", Kind::Bool),
    ("security_invoker", Kind::Bool),
    ("check_option", Kind::Enum(&["local", "cascaded"])),
];

const COLUMN: &[(&str, Kind)] =
    &[("n_distinct", Kind::Real(-1.0, f64::MAX)), ("n_distinct_inherited", Kind::Real(-1.0, f64::MAX))];

/// Text of an option's value.
pub fn value_text(arg: Option<&DefArg>) -> String {
    match arg {
        None => "true".into(),
        Some(DefArg::Integer(i)) => i.to_string(),
        Some(DefArg::Float(s) | DefArg::String(s)) => s.clone(),
        Some(DefArg::Boolean(b)) => b.to_string(),
        Some(DefArg::TypeName(t)) => t.names.join("."),
        Some(DefArg::Names(n)) => n.join("."),
        Some(other) => format!("{other:?}"),
    }
}

fn is_bool(s: &str) -> bool {
    let s = s.to_ascii_lowercase();
    !s.is_empty()
        && (["true", "false", "yes", "no", "on", "1", "0"].iter().any(|w| w.starts_with(&s) && s != "o")
            || "off".starts_with(&s) && s.len() >= 2)
}

fn out_of_bounds(name: &str, value: &str, lo: impl std::fmt::Display, hi: impl std::fmt::Display) -> Error {
    err!(INVALID_PARAMETER_VALUE, "value {value} out of bounds for option \"{name}\"")
        .detail(format!("Valid values are between \"{lo}\" and \"{hi}\"."))
}

fn check(name: &str, value: &str, kind: Kind) -> Result<()> {
    match kind {
        Kind::Bool if is_bool(value) => Ok(()),
        Kind::Bool => bail!(INVALID_PARAMETER_VALUE, "invalid value for boolean option \"{name}\": {value}"),
        Kind::Int(lo, hi) => match value.trim().parse::<i64>() {
            Ok(v) if v >= lo && v <= hi => Ok(()),
            Ok(_) => Err(out_of_bounds(name, value, lo, hi)),
            Err(_) => {
                bail!(INVALID_PARAMETER_VALUE, "invalid value for integer option \"{name}\": {value}")
            }
        },
        Kind::Real(lo, hi) => match value.trim().parse::<f64>() {
            Ok(v) if v >= lo && v <= hi => Ok(()),
            Ok(_) => Err(out_of_bounds(name, value, format!("{lo:.6}"), format!("{hi:.6}"))),
            Err(_) => {
                bail!(INVALID_PARAMETER_VALUE, "invalid value for floating point option \"{name}\": {value}")
            }
        },
        Kind::Enum(values) => {
            if values.iter().any(|v| v.eq_ignore_ascii_case(value)) {
                return Ok(());
            }
            let shown = if values.len() == 2 {
                format!("\"{}\" and \"{}\"", values[0], values[1])
            } else {
                "\"on\", \"off\", and \"auto\"".to_string()
            };
            Err(err!(INVALID_PARAMETER_VALUE, "invalid value for enum option \"{name}\": {value}")
                .detail(format!("Valid values are {shown}.")))
        }
    }
}

/// Checks options and merges them into what is there; `reset` removes them instead.
pub fn merge(of: OptionsOf, old: &[String], defs: &[DefElem], reset: bool) -> Result<Vec<String>> {
    let known = match of {
        OptionsOf::Table => TABLE,
        OptionsOf::Index => INDEX,
        OptionsOf::View => VIEW,
        OptionsOf::Column => COLUMN,
    };
    let mut out = old.to_vec();
    if reset {
        // Any name will do: what is not set is not there afterwards either.
        if defs.iter().any(|d| d.arg.is_some()) {
            bail!(SYNTAX_ERROR, "RESET must not include values for parameters");
        }
        out.retain(|o| {
            !defs.iter().any(|d| d.defnamespace.is_none() && o.split('=').next() == Some(&d.defname))
        });
        return Ok(out);
    }
    for (i, d) in defs.iter().enumerate() {
        if let Some(ns) = &d.defnamespace {
            if ns == "toast" && of == OptionsOf::Table {
                return Err(Error::unsupported(format_args!("storage parameter toast.{}", d.defname)));
            }
            bail!(INVALID_PARAMETER_VALUE, "unrecognized parameter namespace \"{ns}\"");
        }
        let name = &d.defname;
        if of == OptionsOf::Table && name == "oids" {
            if value_text(d.arg.as_ref()).eq_ignore_ascii_case("true") {
                return Err(err!(FEATURE_NOT_SUPPORTED, "tables declared WITH OIDS are not supported"));
            }
            continue;
        }
        if defs[..i].iter().any(|x| x.defname == *name) {
            bail!(INVALID_PARAMETER_VALUE, "parameter \"{name}\" specified more than once");
        }
        let Some((_, kind)) = known.iter().find(|(n, _)| n == name) else {
            bail!(INVALID_PARAMETER_VALUE, "unrecognized parameter \"{name}\"");
        };
        out.retain(|o| o.split('=').next() != Some(name.as_str()));
        let value = value_text(d.arg.as_ref());
        check(name, &value, *kind)?;
        out.push(format!("{name}={value}"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, arg: DefArg) -> Vec<DefElem> {
        vec![DefElem::new(name, Some(arg), 0)]
    }

    #[test]
    fn options_are_checked() {
        let m = |n, a| merge(OptionsOf::Table, &[], &option(n, a), false);
        assert_eq!(m("fillfactor", DefArg::Integer(70)).unwrap(), ["fillfactor=70"]);
        let e = m("fillfactor", DefArg::Integer(5)).unwrap_err();
        assert_eq!(e.report().message, "value 5 out of bounds for option \"fillfactor\"");
        let e = m("fillfacto", DefArg::Integer(50)).unwrap_err();
        assert_eq!(e.report().message, "unrecognized parameter \"fillfacto\"");
        assert!(m("autovacuum_enabled", DefArg::String("off".into())).is_ok());
        assert!(m("autovacuum_enabled", DefArg::String("o".into())).is_err());
        let old = vec!["fillfactor=70".to_string()];
        let reset = [DefElem::new("fillfactor", None, 0)];
        assert!(merge(OptionsOf::Table, &old, &reset, true).unwrap().is_empty());
    }
}
