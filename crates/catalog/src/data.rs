//! The bootstrap data: one file of tab-separated rows per catalog, in the text format of COPY (`\N` is NULL, `\t`, `\n`
//! and `\\` are escaped). `relations`, `columns`, `indexes` and `rowtypes` describe the catalogs themselves.

use crate::columns::*;
use common::Oid;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../data/", $name, ".tsv"))
    };
}

/// (oid, name, shared, row type, toast table, toast index) of every catalog.
pub const RELATIONS: &str = file!("relations");
/// (table, attnum, name, type, ndims, not null, collation, len, by value, align, storage).
pub const COLUMNS: &str = file!("columns");
/// (oid, name, table, unique, primary, immediate, key columns, collations, opclasses, options, constraint).
pub const INDEXES: &str = file!("indexes");
/// (oid, name, array type, relation) of the catalogs' row types.
pub const ROWTYPES: &str = file!("rowtypes");

/// Contents of the catalogs that are filled from data, in loading order.
pub const CONTENTS: &[(Oid, &str)] = &[
    (pg_type::TABLE, file!("pg_type")),
    (pg_proc::TABLE, file!("pg_proc")),
    (pg_operator::TABLE, file!("pg_operator")),
    (pg_opfamily::TABLE, file!("pg_opfamily")),
    (pg_opclass::TABLE, file!("pg_opclass")),
    (pg_amop::TABLE, file!("pg_amop")),
    (pg_amproc::TABLE, file!("pg_amproc")),
    (pg_am::TABLE, file!("pg_am")),
    (pg_cast::TABLE, file!("pg_cast")),
    (pg_language::TABLE, file!("pg_language")),
    (pg_conversion::TABLE, file!("pg_conversion")),
    (pg_ts_parser::TABLE, file!("pg_ts_parser")),
    (pg_ts_template::TABLE, file!("pg_ts_template")),
    (pg_ts_dict::TABLE, file!("pg_ts_dict")),
    (pg_ts_config::TABLE, file!("pg_ts_config")),
    (pg_ts_config_map::TABLE, file!("pg_ts_config_map")),
    (pg_range::TABLE, file!("pg_range")),
    (pg_aggregate::TABLE, file!("pg_aggregate")),
    (pg_collation::TABLE, file!("pg_collation")),
    (pg_namespace::TABLE, file!("pg_namespace")),
    (pg_authid::TABLE, file!("pg_authid")),
    (pg_auth_members::TABLE, file!("pg_auth_members")),
    (pg_tablespace::TABLE, file!("pg_tablespace")),
    (pg_database::TABLE, file!("pg_database")),
    (pg_description::TABLE, file!("pg_description")),
    (pg_shdescription::TABLE, file!("pg_shdescription")),
];

/// Splits a file into rows of raw (still escaped) fields.
pub fn rows(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    file.lines().map(|l| l.split('\t').collect())
}

/// Undoes COPY's escapes; `None` for NULL.
pub fn unescape(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    if !field.contains('\\') {
        return Some(field.to_string());
    }
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    Some(out)
}
