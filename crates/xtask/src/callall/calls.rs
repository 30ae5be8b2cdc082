//! Calls of functions, operators, casts and aggregates by what `pg_proc`, `pg_operator`, `pg_cast` and `pg_aggregate` say.

use super::Gen;
use super::pool::{self, ELEMENTS, SCALARS, SUBTYPES, quote, type_name, value};

/// Functions about the server, its files and catalogs, or whose results change from call to call.
const SKIPPED: &[&str] = &[
    "pg_",
    "ri_fkey",
    "binary_upgrade",
    "lo_",
    "loread",
    "lowrite",
    "ts_",
    "tsvector",
    "tsquery",
    "tsq_",
    "has_",
    "currtid",
    "currval",
    "nextval",
    "setval",
    "lastval",
    "setseed",
    "random",
    "set_config",
    "current_",
    "clock_timestamp",
    "now",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "gen_random",
    "inet_client",
    "inet_server",
    "query_to",
    "table_to",
    "schema_to",
    "cursor_to",
    "database_to",
    "xml",
    "txid_current",
    "txid_status",
    "json_strip_xx",
    "unique_key",
    "suppress_",
    "plpgsql",
    "to_tsvector",
    "plainto",
    "phraseto",
    "websearch",
    "to_tsquery",
    "numnode",
    "querytree",
    "setweight",
    "strip",
    "array_to_tsvector",
    "get_current_ts",
    "row_security",
    "obj_description",
    "col_description",
    "shobj",
    "version",
    "session_user",
    "getdatabaseencoding",
    "dsnowball",
    "fmgr_",
    "gtsv",
    "gts",
    "brin",
    "gin",
    "gist",
    "spg",
    "hashhandler",
    "bthandler",
    "amvalidate",
    "icu_unicode",
    "mxid_age",
    "age_xid",
    "user",
    "unknown",
    "aclitem",
    "makeaclitem",
    "aclexplode",
    "acldefault",
    "aclremove",
    "aclinsert",
    "aclcontains",
    "jsonb_to_ts",
    "json_to_ts",
    "tsmatch",
    "ts",
    "regconfig",
    "regdictionary",
    "to_reg",
    "inet_merge_x",
    "system",
    "bernoulli",
    "hash_aclitem",
    "cmpaclitem",
];
/// Those whose names start like one of the above but are about values.
const KEPT: &[&str] = &[
    "pg_size_",
    "pg_lsn",
    "pg_snapshot",
    "pg_visible_in",
    "pg_char_to",
    "pg_encoding_",
    "pg_typeof",
    "pg_client_encoding",
    "pg_basetype",
    "tsrange",
    "tstzrange",
    "tsmultirange",
    "tstzmultirange",
    "unknownin",
    "unknownout",
];

fn skipped(name: &str) -> bool {
    let name = name.to_lowercase();
    let pseudo = name.starts_with("any") && (name.ends_with("in") || name.ends_with("out"));
    pseudo || SKIPPED.iter().any(|p| name.starts_with(p)) && !KEPT.iter().any(|p| name.starts_with(p))
}

/// The type that stands for a polymorphic one; `None` where there are no samples.
fn concrete(g: &mut Gen, ty: &str, element: &str, other: &str) -> Option<String> {
    let e = if ty.starts_with("anycompatible") { other } else { element };
    Some(match ty {
        "any" => (*ELEMENTS)[g.random.below(ELEMENTS.len())].to_string(),
        "anyelement" | "anynonarray" | "anycompatible" | "anycompatiblenonarray" => e.into(),
        "anyenum" => "mood".into(),
        "anyarray" | "anycompatiblearray" => format!("_{e}"),
        "anyrange" | "anycompatiblerange" => pool::range_of(e).into(),
        "anymultirange" | "anycompatiblemultirange" => pool::multirange_of(e),
        "_text" if g.random.below(3) == 0 => "_text".into(),
        _ if pool::known(ty) => ty.into(),
        _ => return None,
    })
}

/// Values for an argument list, `None` where a type has no samples.
fn arguments(g: &mut Gen, types: &[String]) -> Option<Vec<String>> {
    let ranges = types.iter().any(|t| t.ends_with("range") && t.starts_with("any"));
    let list = if ranges { SUBTYPES } else { ELEMENTS };
    let enums = types.iter().any(|t| t == "anyenum");
    let (element, other) = if enums {
        ("mood", "mood")
    } else {
        (list[g.random.below(list.len())], list[g.random.below(list.len())])
    };
    let mut out = Vec::new();
    for t in types {
        let ty = concrete(g, t, element, other)?;
        out.push(value(&mut g.random, &ty));
    }
    Some(out)
}

struct Proc {
    name: String,
    types: Vec<String>,
    variadic: bool,
    set: bool,
    /// Returns `record` without OUT parameters.
    untyped: bool,
}

fn procs(g: &mut Gen) -> Result<Vec<Proc>, String> {
    let sql = "select proname, coalesce((select string_agg(t.typname, ' ' order by o) from unnest(proargtypes) with ordinality u(y, o)
        join pg_type t on t.oid = y), ''), provariadic <> 0, proretset, prorettype = 2249 and proargmodes is null
        from pg_proc where prokind = 'f' and oid < 16384 and prorettype not in (2281, 2279, 3838, 2280) order by proname, oid";
    let rows = g.oracle.rows(sql)?;
    let list = rows.into_iter().filter(|r| !skipped(&r[0])).map(|r| Proc {
        name: r[0].clone(),
        types: r[1].split_whitespace().map(String::from).collect(),
        variadic: r[2] == "t",
        set: r[3] == "t",
        untyped: r[4] == "t",
    });
    Ok(list.collect())
}

fn call(g: &mut Gen, p: &Proc) -> Option<String> {
    let mut types = p.types.clone();
    let mut prefix = String::new();
    if p.variadic {
        let last = types.pop()?;
        if g.random.below(4) == 0 {
            types.push(if last == "any" { "_text".into() } else { last });
            prefix = "variadic ".into();
        } else {
            let element = match last.as_str() {
                "anyarray" => "anyelement".into(),
                "anycompatiblearray" => "anycompatible".into(),
                t => t.strip_prefix('_').unwrap_or(t).to_string(),
            };
            for _ in 0..1 + g.random.below(3) {
                types.push(element.clone());
            }
        }
    }
    let mut args = arguments(g, &types)?;
    if let Some(last) = args.last_mut() {
        *last = format!("{prefix}{last}");
    }
    Some(format!("\"{}\"({})", p.name, args.join(", ")))
}

pub fn functions(g: &mut Gen) -> Result<(), String> {
    for p in procs(g)? {
        let family = format!("{}({})", p.name, p.types.join(","));
        for _ in 0..if p.types.is_empty() { 1 } else { g.calls } {
            let Some(text) = call(g, &p) else { break };
            let limit = if p.set { " limit 20" } else { "" };
            if p.set && p.untyped {
                g.add(&family, format!("select * from {text} as x(a int, b text) limit 20"));
            } else {
                g.add(&family, format!("select {text}{limit}"));
            }
        }
    }
    Ok(())
}

pub fn sets(g: &mut Gen) -> Result<(), String> {
    for p in procs(g)? {
        if !p.set || p.untyped {
            continue;
        }
        let family = format!("set {}({})", p.name, p.types.join(","));
        for n in 0..g.calls {
            let Some(text) = call(g, &p) else { break };
            g.add(&family, match n % 4 {
                0 => format!("select * from {text} with ordinality limit 10"),
                1 => format!("select * from rows from ({text}, generate_series(1, 3)) with ordinality as x limit 10"),
                2 => format!("select x from {text} x limit 10"),
                _ => format!("select {text}, generate_series(1, 3) limit 10"),
            });
        }
    }
    Ok(())
}

pub fn operators(g: &mut Gen) -> Result<(), String> {
    let sql = "select oprname, coalesce(l.typname, ''), r.typname from pg_operator o left join pg_type l on l.oid = oprleft
        join pg_type r on r.oid = oprright where oprcode <> 0 and o.oid < 16384 order by o.oid";
    for row in g.oracle.rows(sql)? {
        let (name, left, right) = (&row[0], &row[1], &row[2]);
        let family = format!("operator {name}({left},{right})");
        let types: Vec<String> = [left, right].into_iter().filter(|t| !t.is_empty()).cloned().collect();
        if types.iter().any(|t| t == "aclitem" || t == "_aclitem") {
            continue;
        }
        for _ in 0..g.calls {
            let Some(v) = arguments(g, &types) else { break };
            g.add(
                &family,
                match v.as_slice() {
                    [a] => format!("select {name} {a}"),
                    [a, b] => format!("select {a} {name} {b}"),
                    _ => continue,
                },
            );
        }
    }
    Ok(())
}

pub fn casts(g: &mut Gen) -> Result<(), String> {
    let pairs: Vec<(&str, &str)> =
        SCALARS.iter().flat_map(|(a, _)| SCALARS.iter().map(move |(b, _)| (*a, *b))).collect();
    for (a, b) in pairs {
        if [a, b].iter().any(|t| ["cstring", "aclitem", "unknown"].contains(t)) {
            continue;
        }
        let family = format!("cast {a} {b}");
        for n in 0..1 + g.calls / 3 {
            let (x, y) = (value(&mut g.random, a), value(&mut g.random, b));
            let target = if b == "bit" { "bit(3)".into() } else { type_name(b) };
            g.add(&family, format!("select {x}::{target}"));
            match n % 3 {
                0 => g.add(&family, format!("select coalesce({y}, {x})")),
                1 => g.add(&family, format!("select array[{x}]::{target}[]")),
                _ => g.add(&family, format!("select {x} = {y}")),
            }
        }
        if b != "record" {
            let target = if b == "bit" { "bit(3)".into() } else { type_name(b) };
            let x = value(&mut g.random, a);
            g.add(&family, "drop table if exists pg_temp.asg".into());
            g.add(&family, format!("create temp table asg (c {target})"));
            g.add(&family, format!("insert into asg values ({x}) returning c"));
        }
    }
    Ok(())
}

/// `(values …)` of one to nine rows of these types.
fn rows(g: &mut Gen, types: &[String]) -> String {
    let ranges = types.iter().any(|t| t.ends_with("range") && t.starts_with("any"));
    let list = if ranges { SUBTYPES } else { ELEMENTS };
    let element =
        if types.iter().any(|t| t == "anyenum") { "mood" } else { list[g.random.below(list.len())] };
    let mut lines = Vec::new();
    let concretes: Option<Vec<String>> = types.iter().map(|t| concrete(g, t, element, element)).collect();
    let Some(concretes) = concretes else { return String::new() };
    for n in 0..1 + g.random.below(8) {
        let row: Vec<String> = concretes.iter().map(|t| value(&mut g.random, t)).collect();
        lines.push(format!("({n}, {})", row.join(", ")));
    }
    format!("(values {})", lines.join(", "))
}

const FRAMES: &[&str] = &[
    "",
    "order by i",
    "order by i rows between 1 preceding and current row",
    "order by i rows between current row and unbounded following",
    "order by i rows between 2 preceding and 1 preceding",
    "order by i rows between 1 preceding and 1 following exclude current row",
    "order by i desc range between 2 preceding and 1 following",
    "order by i groups between 1 following and 2 following",
];

pub fn aggregates(g: &mut Gen) -> Result<(), String> {
    let sql = "select proname, coalesce((select string_agg(t.typname, ' ' order by o) from unnest(proargtypes) with ordinality u(y, o)
        join pg_type t on t.oid = y), ''), aggkind, aggnumdirectargs from pg_proc p join pg_aggregate a on aggfnoid = p.oid
        where p.oid < 16384 and proname !~ 'xml' order by proname, p.oid";
    for row in g.oracle.rows(sql)? {
        let types: Vec<String> = row[1].split_whitespace().map(String::from).collect();
        let name = &row[0];
        let family = format!("aggregate {name}({})", types.join(","));
        for n in 0..g.calls * 2 {
            let direct: usize = row[3].parse().unwrap_or(0);
            if row[2] != "n" {
                let direct = if row[2] == "h" { 0 } else { direct };
                ordered_set(g, &family, name, &types, direct, &row[2]);
                continue;
            }
            let mut values = rows(g, &types);
            if types.is_empty() {
                values = "(values (1, 2), (2, 3), (3, null))".into();
            }
            if values.is_empty() {
                break;
            }
            let columns: Vec<String> = (0..types.len().max(1)).map(|n| format!("c{n}")).collect();
            let args = if types.is_empty() { "*".to_string() } else { columns.join(", ") };
            let from = format!("from {values} v(i, {})", columns.join(", "));
            let sql = match n % 6 {
                0 => format!("select {name}({args}) {from}"),
                1 => format!("select {name}({args}) {from} where false"),
                2 if !types.is_empty() => format!("select {name}(distinct {args}) {from}"),
                3 if !types.is_empty() => {
                    format!("select {name}({args} order by i desc) filter (where i <> 1) {from}")
                }
                4 if !types.is_empty() => {
                    format!("select i % 2 as k, {name}({args}) {from} group by 1 order by 1")
                }
                _ => {
                    let frame = g.random.pick(FRAMES);
                    format!("select i, {name}({args}) over ({frame}) {from} order by i")
                }
            };
            g.add(&family, sql);
        }
    }
    window_functions(g);
    Ok(())
}

fn window_functions(g: &mut Gen) {
    const CALLS: &[&str] = &[
        "row_number()",
        "rank()",
        "dense_rank()",
        "percent_rank()",
        "cume_dist()",
        "ntile(3)",
        "ntile(0)",
        "ntile(null)",
        "lag(c0)",
        "lag(c0, 2)",
        "lag(c0, 1, c0)",
        "lead(c0, -1)",
        "lead(c0, null)",
        "first_value(c0)",
        "last_value(c0)",
        "nth_value(c0, 2)",
        "nth_value(c0, 0)",
    ];
    for call in CALLS {
        for _ in 0..g.calls {
            let values = rows(g, &["anyelement".to_string()]);
            let frame = g.random.pick(FRAMES);
            g.add(
                &format!("window {call}"),
                format!("select i, {call} over ({frame}) from {values} v(i, c0) order by i"),
            );
        }
    }
}

fn ordered_set(g: &mut Gen, family: &str, name: &str, types: &[String], direct: usize, kind: &str) {
    let element = ELEMENTS[g.random.below(ELEMENTS.len())];
    let order: Vec<String> = if kind == "h" {
        vec![element.to_string()]
    } else {
        types[direct..]
            .iter()
            .map(|t| if t == "anyelement" { element.to_string() } else { t.clone() })
            .collect()
    };
    let values = rows(g, &order);
    let mut given: Vec<String> = types[..direct]
        .iter()
        .map(|t| match t.as_str() {
            "float8" => g.random.pick(&["0.5", "0", "1", "0.25", "null", "1.5", "-0.1", "'NaN'"]).to_string(),
            _ => g
                .random
                .pick(&[
                    "array[0.5,0.1,1]",
                    "'{}'::float8[]",
                    "array[null,0.3]",
                    "'{{0,1},{0.5,0.25}}'",
                    "array[2]",
                ])
                .to_string(),
        })
        .collect();
    if kind == "h" {
        given = vec![value(&mut g.random, element)];
    }
    if values.is_empty() {
        return;
    }
    let tail = g.random.pick(&["", " desc", " nulls first", " desc nulls last"]);
    g.add(
        family,
        format!(
            "select {name}({}) within group (order by c0{tail}) from {values} v(i, c0)",
            given.join(", ")
        ),
    );
}

/// Sorting, grouping and hashing each pool, and its round trip in binary.
pub fn order(g: &mut Gen) -> Result<(), String> {
    for (ty, samples) in SCALARS {
        if ["cstring", "unknown", "aclitem"].contains(ty) {
            continue;
        }
        let mut one =
            vec![format!("null::{}", if *ty == "record" { "record".into() } else { type_name(ty) })];
        for s in *samples {
            one.push(match s.strip_prefix('=') {
                Some(e) => e.to_string(),
                None if *ty == "bit" => format!("B'{s}'"),
                None => format!("{}::{}", quote(s), type_name(ty)),
            });
        }
        let arrays: Vec<String> = (0..12).map(|_| value(&mut g.random, &format!("_{ty}"))).collect();
        for (kind, list) in [("", one), ("[]", if *ty == "record" { vec![] } else { arrays })] {
            if list.is_empty() {
                continue;
            }
            let family = format!("order {ty}{kind}");
            let values: Vec<String> = list.iter().map(|v| format!("({v})")).collect();
            let from = format!("from (values {}) v(x)", values.join(", "));
            g.add(&family, format!("select x {from} order by x, x::text"));
            g.add(&family, format!("select x {from} order by x desc nulls last, x::text"));
            g.add(&family, format!("select count(*), min(x::text) {from} group by x order by 2"));
            g.add(&family, format!("select distinct x {from} order by 1"));
            g.add(&family, format!("select row(x, 1) {from} order by row(x, 1), x::text"));
            g.add(&family, format!("select row(x), x::text < 'a', array[x] {from}"));
            g.add(
                &family,
                format!("select to_json(x), to_jsonb(x), format('%s %L', x, x), pg_typeof(x) {from}"),
            );
            g.add(&family, format!("select min(x), max(x) {from}"));
            g.add(
                &family,
                format!(
                    "select a.x, b.x {from_a} join {from_b} on a.x = b.x order by a.x::text, b.x::text",
                    from_a = from.replace("v(x)", "a(x)"),
                    from_b = from.replace("from ", "").replace("v(x)", "b(x)")
                ),
            );
        }
    }
    Ok(())
}
