//! Names PostgreSQL makes up: `t_pkey`, `t_a_key`, `t_a_seq`, `t_a_fkey` … cut to 63 bytes and numbered until free.

use catalog::Catalog;
use catalog::columns::pg_constraint;
use common::{Oid, Result};
use types::Datum;

/// Longest identifier in bytes.
pub const NAME_MAX: usize = 63;

/// Cuts to at most `n` bytes on a character border.
pub fn clip(s: &str, n: usize) -> &str {
    if s.len() <= n {
        return s;
    }
    let mut at = n;
    while !s.is_char_boundary(at) {
        at -= 1;
    }
    &s[..at]
}

/// `name1_name2_label` within 63 bytes: the longer of the two names is shortened first.
pub fn make_object_name(name1: &str, name2: Option<&str>, label: Option<&str>) -> String {
    let mut overhead = label.map_or(0, |l| l.len() + 1);
    let (mut n1, mut n2) = (name1.len(), 0);
    if let Some(n) = name2 {
        n2 = n.len();
        overhead += 1;
    }
    let room = NAME_MAX.saturating_sub(overhead);
    while n1 + n2 > room {
        if n1 > n2 { n1 -= 1 } else { n2 -= 1 }
    }
    let mut out = clip(name1, n1).to_string();
    if let Some(n) = name2 {
        out.push('_');
        out.push_str(clip(n, n2));
    }
    if let Some(l) = label {
        out.push('_');
        out.push_str(l);
    }
    out
}

/// Is there a constraint of that name in the schema?
pub fn constraint_in_namespace(catalog: &Catalog, ns: Oid, name: &str) -> Result<bool> {
    use pg_constraint::*;
    let keys = [Datum::text(name), Datum::oid(ns)];
    Ok(!catalog.scan(TABLE, CONNAME_NSP_INDEX, &keys)?.is_empty())
}

/// Is there a constraint of that name on the relation?
pub fn constraint_on_relation(catalog: &Catalog, rel: Oid, name: &str) -> Result<bool> {
    use pg_constraint::*;
    let keys = [Datum::oid(rel), Datum::oid(Oid::INVALID), Datum::text(name)];
    Ok(!catalog.scan(TABLE, CONRELID_CONTYPID_CONNAME_INDEX, &keys)?.is_empty())
}

fn numbered(label: &str, pass: u32) -> String {
    if pass == 0 { label.to_string() } else { format!("{label}{pass}") }
}

/// A free name for a relation (and, with `is_constraint`, for a constraint as well).
pub fn choose_relation_name(
    catalog: &Catalog,
    name1: &str,
    name2: Option<&str>,
    label: &str,
    ns: Oid,
    is_constraint: bool,
) -> Result<String> {
    let mut pass = 0;
    loop {
        let name = make_object_name(name1, name2, Some(&numbered(label, pass)));
        if catalog.relation_oid(ns, &name)?.is_none()
            && !(is_constraint && constraint_in_namespace(catalog, ns, &name)?)
        {
            return Ok(name);
        }
        pass += 1;
    }
}

/// A free name for a constraint, different from `taken` too.
pub fn choose_constraint_name(
    catalog: &Catalog,
    name1: &str,
    name2: Option<&str>,
    label: &str,
    ns: Oid,
    taken: &[String],
) -> Result<String> {
    let mut pass = 0;
    loop {
        let name = make_object_name(name1, name2, Some(&numbered(label, pass)));
        if !taken.contains(&name) && !constraint_in_namespace(catalog, ns, &name)? {
            return Ok(name);
        }
        pass += 1;
    }
}

/// Column names joined by `_`, as generated names contain them.
pub fn join_columns<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for c in columns {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(c);
        if out.len() > NAME_MAX {
            break;
        }
    }
    clip(&out, NAME_MAX).to_string()
}

/// Names of index columns made unique: an expression without a name is `expr`, repeated ones get numbers.
pub fn index_column_names(names: &[Option<String>]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for n in names {
        let base = n.clone().unwrap_or_else(|| "expr".into());
        let mut name = base.clone();
        let mut i = 1;
        while out.contains(&name) {
            let suffix = i.to_string();
            name = format!("{}{suffix}", clip(&base, NAME_MAX - suffix.len()));
            i += 1;
        }
        out.push(name);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_like_postgresql() {
        assert_eq!(make_object_name("t", Some("a"), Some("key")), "t_a_key");
        assert_eq!(make_object_name("t", None, Some("pkey")), "t_pkey");
        let long = "x".repeat(63);
        assert_eq!(make_object_name(&long, None, Some("pkey")), format!("{}_pkey", "x".repeat(58)));
        let both = make_object_name(&long, Some(&"y".repeat(40)), Some("fkey"));
        assert_eq!(both, format!("{}_{}_fkey", "x".repeat(29), "y".repeat(28)));
        assert_eq!(clip("aé", 2), "a");
        let names = [Some("a".to_string()), None, None, Some("a".to_string())];
        assert_eq!(index_column_names(&names), ["a", "expr", "expr1", "a1"]);
    }
}
