//! The text of the values in `SET name = …`, wherever it stands: as a statement, and kept with a role, a database or a
//! function.

use common::{Error, Result, bail};
use parser::ast::{SetArg, TypeCast, Value, VariableSetStmt};

/// Settings that take several values; their words are names, quoted where they must be (but for DateStyle's).
const LISTS: [&str; 11] = [
    "search_path",
    "DateStyle",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "listen_addresses",
    "unix_socket_directories",
    "log_destination",
    "synchronous_standby_names",
    "debug_io_direct",
];

/// The values as one text. `interval` makes the text of `SET TIME ZONE INTERVAL`. 22023 `SET … takes only one argument`.
pub fn text(v: &VariableSetStmt, interval: impl Fn(&TypeCast) -> Result<String>) -> Result<String> {
    let is_list = LISTS.iter().any(|n| n.eq_ignore_ascii_case(&v.name));
    if v.args.len() > 1 && !is_list {
        bail!(INVALID_PARAMETER_VALUE, "SET {} takes only one argument", v.name);
    }
    let quotes = is_list && !v.name.eq_ignore_ascii_case("DateStyle");
    let mut out = Vec::new();
    for a in &v.args {
        out.push(match a {
            SetArg::Const(c) => match &c.val {
                Value::Integer(i) => i.to_string(),
                Value::Float(f) => f.clone(),
                Value::Boolean(b) => b.to_string(),
                Value::String(s) | Value::BitString(s) if quotes => {
                    types::text::quote::quote_identifier(s).into_owned()
                }
                Value::String(s) | Value::BitString(s) => s.clone(),
                Value::Null => return Err(Error::internal("NULL as a setting")),
            },
            SetArg::Interval(c) => interval(c)?,
            SetArg::Mode(_) => return Err(Error::internal("transaction mode as a setting's value")),
        });
    }
    Ok(out.join(", "))
}

/// The same where it is stored for later.
pub fn stored(v: &VariableSetStmt) -> Result<String> {
    text(v, |_| Err(Error::unsupported("SET TIME ZONE INTERVAL as a stored setting")))
}
