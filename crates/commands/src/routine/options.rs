//! The clauses of CREATE and ALTER FUNCTION other than the signature.

use crate::analysis::setting;
use crate::ctx::CommandCtx;
use catalog::builtins::{LANGUAGE_C, LANGUAGE_INTERNAL, LANGUAGE_SQL};
use catalog::literal;
use common::{Error, Oid, Result, bail, err};
use parser::ast::{DefArg, DefElem, VariableSetKind, VariableSetStmt};
use types::Datum;

/// The clauses as written; `None` for one that was not.
#[derive(Default)]
pub struct Options {
    pub body: Option<Vec<String>>,
    pub language: Option<String>,
    pub window: bool,
    pub volatile: Option<u8>,
    pub strict: Option<bool>,
    pub sec_def: Option<bool>,
    pub leakproof: Option<bool>,
    pub cost: Option<f64>,
    pub rows: Option<f64>,
    pub parallel: Option<u8>,
    pub sets: Vec<VariableSetStmt>,
}

fn number(d: &DefElem) -> f64 {
    match &d.arg {
        Some(DefArg::Integer(i)) => f64::from(*i),
        Some(DefArg::Float(f)) => f.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

fn put<T>(slot: &mut Option<T>, d: &DefElem, v: T) -> Result<()> {
    if slot.replace(v).is_some() {
        return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
    }
    Ok(())
}

/// Reads the clauses.
pub fn read(list: &[DefElem], is_procedure: bool) -> Result<Options> {
    let mut o = Options::default();
    let mut window = None;
    for d in list {
        let functions_only = matches!(
            d.defname.as_str(),
            "volatility" | "strict" | "leakproof" | "cost" | "rows" | "support" | "window" | "parallel"
        );
        if functions_only && is_procedure {
            return Err(
                err!(INVALID_FUNCTION_DEFINITION, "invalid attribute in procedure definition").at(d.location)
            );
        }
        match (d.defname.as_str(), &d.arg) {
            ("as", Some(DefArg::List(parts))) => {
                let texts = parts
                    .iter()
                    .filter_map(|p| if let DefArg::String(s) = p { Some(s.clone()) } else { None });
                put(&mut o.body, d, texts.collect())?;
            }
            ("language", Some(DefArg::String(s))) => put(&mut o.language, d, s.clone())?,
            ("window", _) => put(&mut window, d, true)?,
            ("volatility", Some(DefArg::String(s))) => {
                put(&mut o.volatile, d, s.bytes().next().unwrap_or(b'v'))?;
            }
            ("strict", Some(DefArg::Boolean(b))) => put(&mut o.strict, d, *b)?,
            ("security", Some(DefArg::Boolean(b))) => put(&mut o.sec_def, d, *b)?,
            ("leakproof", Some(DefArg::Boolean(b))) => put(&mut o.leakproof, d, *b)?,
            ("cost", _) => put(&mut o.cost, d, number(d))?,
            ("rows", _) => put(&mut o.rows, d, number(d))?,
            ("parallel", Some(DefArg::String(s))) => {
                let letter = match s.as_str() {
                    "safe" => b's',
                    "restricted" => b'r',
                    "unsafe" => b'u',
                    _ => bail!(SYNTAX_ERROR, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE"),
                };
                put(&mut o.parallel, d, letter)?;
            }
            ("set", Some(DefArg::VariableSet(v))) => o.sets.push((**v).clone()),
            ("support", _) => return Err(Error::unsupported("SUPPORT")),
            ("transform", _) => return Err(Error::unsupported("TRANSFORM")),
            (other, _) => return Err(Error::internal(format!("option \"{other}\" not recognized"))),
        }
    }
    o.window = window.unwrap_or(false);
    if let Some(c) = o.cost
        && c <= 0.0
    {
        bail!(INVALID_PARAMETER_VALUE, "COST must be positive");
    }
    if let Some(r) = o.rows
        && r <= 0.0
    {
        bail!(INVALID_PARAMETER_VALUE, "ROWS must be positive");
    }
    Ok(o)
}

/// The value of SET as it is stored; `None` takes the setting out.
fn set_value(ctx: &CommandCtx<'_>, v: &VariableSetStmt) -> Result<Option<String>> {
    match v.kind {
        VariableSetKind::SetCurrent => Ok(Some(setting(ctx, &v.name))),
        VariableSetKind::SetValue => Ok(Some(crate::set_value::stored(v)?)),
        _ => Ok(None),
    }
}

/// The settings of a function after SET and RESET clauses: `name=value` each.
pub fn config(ctx: &CommandCtx<'_>, mut old: Vec<String>, sets: &[VariableSetStmt]) -> Result<Vec<String>> {
    for v in sets {
        if v.kind == VariableSetKind::ResetAll {
            old.clear();
            continue;
        }
        let mut name = v.name.clone();
        let value = set_value(ctx, v)?;
        let mut checked = Ok(());
        ctx.host.with_settings(&mut |s| {
            if let Some(i) = s.defs().find(&v.name) {
                name = s.defs().get(i).name.to_string();
            }
            checked = match &value {
                Some(t) => s.check_stored(&name, t, ctx.host.is_superuser()),
                None => s.canonical(&name).map(|_| ()),
            };
        });
        checked?;
        let at = old.iter().position(|c| c.split('=').next().is_some_and(|n| n.eq_ignore_ascii_case(&name)));
        match (at, value) {
            (Some(i), Some(t)) => old[i] = format!("{name}={t}"),
            (None, Some(t)) => old.push(format!("{name}={t}")),
            (Some(i), None) => {
                old.remove(i);
            }
            (None, None) => {}
        }
    }
    Ok(old)
}

/// `proconfig`.
pub fn config_datum(config: &[String]) -> Datum {
    if config.is_empty() { Datum::Null } else { literal::text_array(config) }
}

/// What a call costs if nobody says: little in a language that is compiled in.
pub fn default_cost(language: Oid) -> f64 {
    if language == LANGUAGE_INTERNAL || language == LANGUAGE_C { 1.0 } else { 100.0 }
}

/// The body of a function in a language: its source text.
pub fn source(language: Oid, name: &str, language_name: &str, body: Option<&[String]>) -> Result<String> {
    let Some(parts) = body else { bail!(INVALID_FUNCTION_DEFINITION, "no function body specified") };
    if language == LANGUAGE_C
        && let [_, symbol] = parts
    {
        return Ok(symbol.clone());
    }
    if language == LANGUAGE_C
        && let [_] = parts
    {
        return Ok(name.to_string());
    }
    let [text] = parts else {
        bail!(INVALID_FUNCTION_DEFINITION, "only one AS item needed for language \"{language_name}\"")
    };
    // An empty text means the function's own name to old dumps.
    if language == LANGUAGE_INTERNAL && (text.is_empty() || text == "-") {
        return Ok(name.to_string());
    }
    debug_assert!(language == LANGUAGE_INTERNAL || language == LANGUAGE_SQL);
    Ok(text.clone())
}
