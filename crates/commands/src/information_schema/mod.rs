//! `information_schema`: the schema and its views, from texts of our own in `data/information_schema.sql`. The texts use a few
//! abbreviations, written out here, in place of the SQL functions that PostgreSQL keeps in the schema. Columns get their
//! types from the letters beside the view's name ([`domains`]); [`tables`] holds the four tables.

pub mod domains;
pub mod tables;

/// A view: name, types of its columns (see [`domains::retype`]), text, and whether everybody may read it.
pub struct ViewText {
    pub name: &'static str,
    pub columns: &'static str,
    pub text: String,
    pub public: bool,
}

const TEXT: &str = include_str!("../../data/information_schema.sql");

/// All views, each after those it reads.
pub fn views() -> Vec<ViewText> {
    let mut out: Vec<ViewText> = Vec::new();
    for line in TEXT.lines().filter(|l| !l.starts_with("--")) {
        match (line.strip_prefix("== "), out.last_mut()) {
            (Some(head), _) => {
                let mut words = head.split(' ');
                let mut word = || words.next().unwrap_or("");
                let (name, columns, public) = (word(), word(), word() != "!");
                out.push(ViewText { name, columns, text: String::new(), public });
            }
            (None, Some(v)) => {
                v.text.push_str(line);
                v.text.push('\n');
            }
            (None, None) => {}
        }
    }
    for v in &mut out {
        v.text = expand(&v.text);
    }
    out
}

/// Writes the abbreviations out: from the inside, so that one may stand in another's arguments.
fn expand(text: &str) -> String {
    let mut s = text.replace("$db", "current_database()::name");
    // There is no session yet that could look a name up.
    for (name, oid) in CATALOGS {
        s = s.replace(&format!("'{name}'::regclass"), &format!("{oid}::oid"));
    }
    for (name, f) in CALLS {
        while let Some((start, args, end)) = find_call(&s, name) {
            let written = f(&args);
            s.replace_range(start..end, &written);
        }
    }
    s
}

const CATALOGS: [(&str, u32); 5] = [
    ("pg_class", 1259),
    ("pg_constraint", 2606),
    ("pg_proc", 1255),
    ("pg_attrdef", 2604),
    ("pg_rewrite", 2618),
];

type Call = fn(&[String]) -> String;

const CALLS: &[(&str, Call)] = &[
    ("truetype(", |a| {
        format!("(CASE WHEN {0}.typtype = 'd' THEN {0}.typbasetype ELSE {1}.atttypid END)", a[1], a[0])
    }),
    ("truetypmod(", |a| {
        format!("(CASE WHEN {0}.typtype = 'd' THEN {0}.typtypmod ELSE {1}.atttypmod END)", a[1], a[0])
    }),
    ("yn(", |a| format!("(CASE WHEN {} THEN 'YES' ELSE 'NO' END)::varchar(3)", a.join(", "))),
    ("specific(", |a| format!("({}::text || '_' || {}::text)::name", a[0], a[1])),
    ("dt(", |a| {
        format!(
            "CASE WHEN {0}.typelem <> 0 AND {0}.typlen = -1 THEN 'ARRAY' WHEN {1}.nspname = 'pg_catalog' \
             THEN format_type({2}, NULL::integer) ELSE 'USER-DEFINED' END",
            a[0], a[1], a[2]
        )
    }),
    ("rule(", |a| {
        format!(
            "(CASE {} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' \
             WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END)::varchar",
            a[0]
        )
    }),
    ("$n(", |a| nulls(a, "name")),
    ("$c(", |a| nulls(a, "varchar")),
    ("$i(", |a| nulls(a, "int4")),
    ("$y(", |a| nulls(a, "varchar(3)")),
    ("$t(", |a| nulls(a, "timestamptz(2)")),
    ("$len(", |a| {
        let (t, m) = (&a[0], &a[1]);
        format!(
            "CASE WHEN {m} = -1 THEN NULL WHEN {t} IN (1042, 1043) THEN {m} - 4 WHEN {t} IN (1560, 1562) THEN {m} END::int4 \
             AS character_maximum_length, CASE WHEN {t} IN (25, 1042, 1043) THEN CASE WHEN {m} = -1 THEN 1073741824 \
             ELSE ({m} - 4) * 4 END END::int4 AS character_octet_length"
        )
    }),
    ("$num(", |a| {
        let (t, m) = (&a[0], &a[1]);
        format!(
            "CASE {t} WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 1700 THEN CASE WHEN {m} = -1 THEN NULL \
             ELSE (({m} - 4) >> 16) & 65535 END WHEN 700 THEN 24 WHEN 701 THEN 53 END::int4 AS numeric_precision, \
             CASE WHEN {t} IN (21, 23, 20, 700, 701) THEN 2 WHEN {t} = 1700 THEN 10 END::int4 AS numeric_precision_radix, \
             CASE WHEN {t} IN (21, 23, 20) THEN 0 WHEN {t} = 1700 THEN CASE WHEN {m} = -1 THEN NULL ELSE ({m} - 4) & 65535 END \
             END::int4 AS numeric_scale"
        )
    }),
    ("$date(", |a| {
        let (t, m) = (&a[0], &a[1]);
        format!(
            "CASE WHEN {t} = 1082 THEN 0 WHEN {t} IN (1083, 1114, 1184, 1266) THEN CASE WHEN {m} < 0 THEN 6 ELSE {m} END \
             WHEN {t} = 1186 THEN CASE WHEN {m} < 0 OR {m} & 65535 = 65535 THEN 6 ELSE {m} & 65535 END END::int4 AS datetime_precision, \
             CASE WHEN {t} = 1186 THEN upper((regexp_match(format_type({t}, {m}), '^interval(?:\\([0-9]\\))? (.+)$'))[1]) \
             END::varchar AS interval_type, NULL::int4 AS interval_precision"
        )
    }),
];

fn nulls(names: &[String], type_name: &str) -> String {
    let all: Vec<String> = names.iter().map(|n| format!("NULL::{type_name} AS {n}")).collect();
    all.join(", ")
}

/// The first call of `name` whose arguments hold no other of the same name: where it begins, its arguments, where it ends.
fn find_call(s: &str, name: &str) -> Option<(usize, Vec<String>, usize)> {
    let start = s.rmatch_indices(name).map(|m| m.0).find(|at| {
        // A longer word that ends alike is something else.
        !s[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    })?;
    let (mut depth, mut args, mut arg) = (1, Vec::new(), String::new());
    for (i, c) in s[start + name.len()..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            args.push(arg.trim().to_string());
            return Some((start, args, start + name.len() + i + 1));
        }
        if c == ',' && depth == 1 {
            args.push(std::mem::take(&mut arg).trim().to_string());
        } else {
            arg.push(c);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_parses() {
        let all = views();
        assert_eq!(all.len(), 65);
        for v in all {
            let left = v.text.split('$').skip(1).any(|t| t.starts_with(char::is_alphabetic));
            assert!(!left, "a macro is left in {}: {}", v.name, v.text);
            parser::parse(&v.text).unwrap_or_else(|e| panic!("{}: {e}\n{}", v.name, v.text));
        }
    }
}
