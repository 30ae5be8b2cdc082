//! The tables of `information_schema`: what of the SQL standard is there, limits, facts about the server. Rows are in files
//! in COPY's text format, with PostgreSQL's contents.

use super::domains::domain_name;
use crate::relation::{self, NewRelation};
use access::heap::{self, InsertOptions};
use catalog::Catalog;
use catalog::builtins::BOOTSTRAP_SUPERUSER;
use common::{Error, Oid, Result};
use types::{Datum, DatumRef};

/// A table: name, columns (name, letter of the domain), rows.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, char)],
    rows: &'static str,
    /// May everybody read it?
    public: bool,
}

const TABLES: [Table; 4] = [
    Table {
        name: "sql_features",
        columns: &[
            ("feature_id", 'c'),
            ("feature_name", 'c'),
            ("sub_feature_id", 'c'),
            ("sub_feature_name", 'c'),
            ("is_supported", 'y'),
            ("is_verified_by", 'c'),
            ("comments", 'c'),
        ],
        rows: include_str!("../../data/sql_features.tsv"),
        public: true,
    },
    Table {
        name: "sql_implementation_info",
        columns: &[
            ("implementation_info_id", 'c'),
            ("implementation_info_name", 'c'),
            ("integer_value", 'n'),
            ("character_value", 'c'),
            ("comments", 'c'),
        ],
        rows: include_str!("../../data/sql_implementation_info.tsv"),
        public: true,
    },
    Table {
        name: "sql_parts",
        columns: &[
            ("feature_id", 'c'),
            ("feature_name", 'c'),
            ("is_supported", 'y'),
            ("is_verified_by", 'c'),
            ("comments", 'c'),
        ],
        rows: include_str!("../../data/sql_parts.tsv"),
        public: false,
    },
    Table {
        name: "sql_sizing",
        columns: &[("sizing_id", 'n'), ("sizing_name", 'c'), ("supported_value", 'n'), ("comments", 'c')],
        rows: include_str!("../../data/sql_sizing.tsv"),
        public: true,
    },
];

/// Makes and fills the tables. `publish` opens one to everybody.
pub fn create(catalog: &Catalog, schema: Oid, publish: &dyn Fn(Oid) -> Result<()>) -> Result<()> {
    for t in &TABLES {
        let mut attrs = Vec::new();
        for (name, letter) in t.columns {
            let missing = || Error::internal("a column of information_schema without a domain");
            let domain = domain_name(*letter).ok_or_else(missing)?;
            let oid = catalog.type_oid(schema, domain)?.ok_or_else(missing)?;
            attrs.push(catalog::schema::attribute(name, &*catalog.type_desc(oid)?, -1));
        }
        let new = NewRelation {
            name: t.name,
            namespace: schema,
            owner: BOOTSTRAP_SUPERUSER,
            kind: b'r',
            persistence: b'p',
            attrs: &attrs,
            ndims: &[],
            options: &[],
            checks: 0,
        };
        let oid = relation::create(catalog, &new)?;
        relation::create_toast_if_needed(catalog, oid)?;
        fill(catalog, oid, t)?;
        if t.public {
            publish(oid)?;
        }
    }
    Ok(())
}

fn fill(catalog: &Catalog, oid: Oid, t: &Table) -> Result<()> {
    let rel = catalog.relation(oid)?;
    let heap = rel.rel.as_ref().ok_or_else(|| Error::internal("a table without a file"))?;
    let eng = catalog.engine();
    for line in t.rows.lines() {
        let mut row = Vec::new();
        for ((_, letter), field) in t.columns.iter().zip(line.split('\t')) {
            row.push(match (catalog::data::unescape(field), letter) {
                (None, _) => Datum::Null,
                (Some(n), 'n') => {
                    Datum::I32(n.parse().map_err(|_| Error::internal(format!("not a number: {n}")))?)
                }
                (Some(text), _) => Datum::text(&text),
            });
        }
        let refs: Vec<DatumRef<'_>> = row.iter().map(Datum::as_ref).collect();
        heap::insert(eng, heap, &refs, eng.current_command_id(true), &InsertOptions::default())?;
    }
    Ok(())
}
