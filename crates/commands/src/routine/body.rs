//! The body of an SQL function, from its text (or its stored trees) to rewritten queries; and where in which text an
//! error in it is.

use crate::FnEnv;
use analyze::jumble::Jumble;
use analyze::query::Query;
use analyze::{AnalyzeCtx, Analyzed, ParamTypes};
use catalog::builtins::LANGUAGE_SQL;
use catalog::desc::ProcDesc;
use common::{Error, Oid, Result, bail};
use parser::ast::Statement;

/// A statement of a body.
pub enum Part {
    /// With what it is counted under.
    Query(Box<Query>, Option<Jumble>),
    Utility(Box<Statement>),
}

/// Runs `f` with a context for analysis of a text of its own.
pub fn with_analyze<R>(env: &FnEnv, source: &str, f: impl FnOnce(&AnalyzeCtx<'_>) -> Result<R>) -> Result<R> {
    let path = env.host.search_path()?;
    let exec = env.host.exec_env();
    let fmt = exec.fmt.borrow().clone();
    let database = env.host.database_name();
    let lock =
        |oid: Oid, mode: u8| env.engine.lock_relation(database_of(env, oid), oid, crate::lock_mode(mode));
    f(&AnalyzeCtx {
        catalog: &env.catalog,
        path: &path,
        registry: env.catalog.registry(),
        fmt: &fmt,
        role: env.host.role(),
        database: &database,
        source,
        lock: &lock,
        env: exec.session.fn_env(),
        xact_start_us: exec.session.xact_start_us(),
        stmt_start_us: exec.session.stmt_start_us(),
    })
}

/// The database a relation's lock belongs to.
pub fn database_of(env: &FnEnv, rel: Oid) -> Oid {
    let shared = env.catalog.builtins().schema.table(rel).is_some_and(|t| t.shared);
    if shared { Oid::INVALID } else { env.catalog.database() }
}

/// Names of the input parameters, by number.
pub fn input_names(p: &ProcDesc) -> Vec<String> {
    let mut out = Vec::new();
    for (i, n) in p.arg_names.iter().enumerate() {
        if matches!(p.arg_modes.get(i).copied().unwrap_or(b'i'), b'i' | b'b' | b'v') {
            out.push(n.clone());
        }
    }
    out
}

/// Analyses and rewrites a body for these argument types. Positions of errors are in the body's text.
pub fn read(env: &FnEnv, p: &ProcDesc, arg_types: &[Oid], collation: Oid) -> Result<Vec<Part>> {
    debug_assert_eq!(p.language, LANGUAGE_SQL);
    let mut parts = Vec::new();
    if let Some(stored) = &p.sql_body {
        let stored: analyze::routine::SqlBody = analyze::load_expr(stored)?;
        let queries = stored.queries().to_vec();
        return with_analyze(env, "", |a| {
            for q in queries {
                lock(a, &q)?;
                parts.push(rewritten(a, q, None)?);
            }
            Ok(parts)
        });
    }
    let statements = parser::parse(&p.src)?;
    with_analyze(env, &p.src, |a| {
        let mut analysed = Vec::new();
        for raw in statements {
            let types = arg_types.to_vec();
            let mut params = ParamTypes::of_function(&p.name, input_names(p), types, collation);
            let x = analyze::analyze(a, &raw, &mut params)?;
            analysed.push((raw.stmt, x));
        }
        for (stmt, x) in analysed {
            parts.push(match x {
                Analyzed::Query(q) => {
                    let id = Some(analyze::jumble::jumble(&q));
                    rewritten(a, *q, id)?
                }
                Analyzed::Utility(s) => Part::Utility(s.unwrap_or_else(|| Box::new(stmt))),
            });
        }
        Ok(parts)
    })
}

fn rewritten(a: &AnalyzeCtx<'_>, q: Query, id: Option<Jumble>) -> Result<Part> {
    let mut queries = analyze::rewrite(a, q)?;
    match (queries.pop(), queries.is_empty()) {
        (Some(q), true) => Ok(Part::Query(Box::new(q), id)),
        _ => Err(Error::unsupported("a rule that makes several queries of one")),
    }
}

/// Locks the relations of a stored query.
fn lock(a: &AnalyzeCtx<'_>, q: &Query) -> Result<()> {
    use analyze::query::RteKind;
    for r in &q.rtable {
        match &r.kind {
            RteKind::Relation { relid, lockmode, .. } => (a.lock)(*relid, *lockmode)?,
            RteKind::Subquery { query, .. } => lock(a, query)?,
            _ => {}
        }
    }
    q.ctes.iter().try_for_each(|c| lock(a, &c.query))
}

/// What no body may hold, whatever the function is used for: 0A000.
pub fn check_statements(parts: &[Part]) -> Result<()> {
    for p in parts {
        let Part::Utility(s) = p else { continue };
        match &**s {
            Statement::Transaction(t) => {
                bail!(
                    FEATURE_NOT_SUPPORTED,
                    "{} is not allowed in an SQL function",
                    super::name::of_transaction(t.kind)
                )
            }
            Statement::Copy(c) if c.filename.is_none() => {
                bail!(FEATURE_NOT_SUPPORTED, "cannot COPY to/from client in an SQL function")
            }
            _ => {}
        }
    }
    Ok(())
}

/// An error found in a body's text: the position is in a text the client has not sent.
pub fn inner_position(mut e: Error, src: &str) -> Error {
    let r = e.report_mut();
    if let Some(at) = r.position.take() {
        r.internal_position = Some(at);
        r.internal_query = Some(src.to_string());
    }
    e
}

/// An error found in a body's text while its function is made: if the text stands in the statement, there.
pub fn outer_position(e: Error, src: &str, statement: &str) -> Error {
    let Some(at) = e.report().position else { return e };
    match find_literal(src, statement, at) {
        Some(n) => e.at(n),
        None => inner_position(e, src),
    }
}

/// Where byte `at` of `src` is in the statement that has it as its only such literal.
fn find_literal(src: &str, statement: &str, at: usize) -> Option<usize> {
    let bytes = statement.as_bytes();
    let mut found = None;
    let mut i = 0;
    while i < bytes.len() {
        let hit = match bytes[i] {
            b'$' => {
                let tag_end = statement[i + 1..].find('$').map(|n| i + n + 2);
                tag_end.filter(|s| statement[*s..].starts_with(src)).and_then(|s| {
                    let tag = &statement[i..s];
                    statement[s + src.len()..].starts_with(tag).then_some(s + at)
                })
            }
            b'\'' => quoted(src, &statement[i + 1..], at).map(|n| i + 1 + n),
            _ => None,
        };
        if let Some(n) = hit {
            if found.is_some() {
                return None;
            }
            found = Some(n);
        }
        i += 1;
    }
    found
}

/// Does the text up to the closing quote mean `src`? Then, where its byte `at` is.
fn quoted(src: &str, text: &str, at: usize) -> Option<usize> {
    let (s, t) = (src.as_bytes(), text.as_bytes());
    let (mut i, mut j, mut place) = (0, 0, None);
    while i < s.len() {
        if i == at {
            place = Some(j);
        }
        if t.get(j) != Some(&s[i]) {
            return None;
        }
        if s[i] == b'\'' {
            j += 1;
            if t.get(j) != Some(&b'\'') {
                return None;
            }
        }
        i += 1;
        j += 1;
    }
    if i == at {
        place = Some(j);
    }
    if t.get(j) == Some(&b'\'') && t.get(j + 1) != Some(&b'\'') { place } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_found() {
        assert_eq!(find_literal("select x", "create f as 'select x'", 7), Some(20));
        assert_eq!(find_literal("select 'a', x", "create f as 'select ''a'', x'", 12), Some(27));
        assert_eq!(find_literal("select x", "create f as $q$select x$q$", 7), Some(22));
        assert_eq!(find_literal("a", "'a' 'a'", 0), None);
    }
}
