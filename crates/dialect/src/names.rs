//! Names that other systems have: tables, columns, types, settings.

use crate::Place;
use crate::scan::Kind;

/// What stands between the first pair of double quotes of a message.
fn quoted(message: &str) -> &str {
    message.split('"').nth(1).unwrap_or("")
}

/// An unknown relation, or the missing entry of FROM.
pub(crate) fn relation(message: &str) -> Option<String> {
    let name = quoted(message);
    let hint = match name {
        "dual" => "SELECT needs no FROM. Leave FROM dual out.",
        "sysobjects" | "sys.objects" | "sys.tables" | "all_tables" | "user_tables" | "sqlite_master" => {
            "Query information_schema.tables, or pg_class."
        }
        "sys.columns" | "syscolumns" | "all_tab_columns" | "user_tab_columns" => {
            "Query information_schema.columns."
        }
        "inserted" | "deleted" => {
            "In a trigger the rows are OLD and NEW; a statement returns them with RETURNING."
        }
        _ => return None,
    };
    Some(hint.to_string())
}

pub(crate) fn column(message: &str, place: Option<&Place>) -> Option<String> {
    let place = place?;
    let name = quoted(message);
    if place.kind(0) == Some(Kind::Quoted) && place.word(1) != "." {
        let text = name.replace('\'', "''");
        return Some(format!("Double quotes stand around names. A string is written '{text}'."));
    }
    let before = (place.word(-2), place.word(-1));
    match before {
        ("@", "@") => return Some("Use SHOW name or current_setting('name').".to_string()),
        (_, "@") => return Some(crate::syntax::VARIABLES.to_string()),
        (_, "#") => return Some(crate::syntax::COMMENTS.to_string()),
        _ => {}
    }
    let call = if place.word(-1) == "(" { place.word(-2) } else { "" };
    let hint = match (call, name) {
        ("dateadd" | "datediff" | "datepart" | "timestampdiff" | "timestampadd" | "datename", _) => {
            "Add an interval: value + INTERVAL '1 day'. Dates subtract to days; EXTRACT(field FROM value) takes parts."
        }
        ("convert", _) => "Use CAST(value AS type).",
        (_, "rownum" | "rowid") => "Use LIMIT, or row_number() OVER (ORDER BY …).",
        (_, "sysdate" | "systimestamp" | "getdate") => "Use CURRENT_TIMESTAMP.",
        (_, "nextval" | "currval") => "Use nextval('sequence') and currval('sequence').",
        _ => return None,
    };
    Some(hint.to_string())
}

/// A type or a setting.
pub(crate) fn object(message: &str) -> Option<String> {
    let name = quoted(message);
    let hint = if message.starts_with("type ") {
        match name {
            "tinyint" => "Use smallint.",
            "mediumint" | "int1" => "Use integer.",
            "datetime" | "datetime2" | "smalldatetime" => "Use timestamp, or timestamp with time zone.",
            "nvarchar" | "varchar2" | "nvarchar2" | "string" => "Use text or varchar.",
            "clob" | "nclob" | "ntext" | "longtext" | "mediumtext" | "tinytext" => "Use text.",
            "blob" | "longblob" | "mediumblob" | "tinyblob" | "varbinary" | "binary" | "image" | "raw" => {
                "Use bytea."
            }
            "double" | "binary_double" => "Use double precision.",
            "number" => "Use numeric, or integer or bigint for whole numbers.",
            "unsigned" | "signed" => "Use integer or bigint.",
            "uniqueidentifier" => "Use uuid.",
            "enum" => "Use CREATE TYPE name AS ENUM (…), or a CHECK constraint.",
            "year" => "Use smallint, or date.",
            _ => return None,
        }
    } else if message.starts_with("unrecognized configuration parameter") {
        match name {
            "tables" => "Use \\dt in psql, or query information_schema.tables.",
            "databases" | "schemas" => "Use \\l and \\dn in psql, or query pg_database and pg_namespace.",
            "processlist" => "Query pg_stat_activity.",
            "status" | "variables" => "Use SHOW ALL, or query pg_settings.",
            "warnings" | "errors" => "Messages come with the statement that caused them.",
            "columns" | "indexes" | "keys" => "Use \\d NAME in psql, or query information_schema.columns.",
            "foreign_key_checks" => "Use SET CONSTRAINTS ALL DEFERRED with deferrable constraints.",
            "sql_mode" | "nocount" | "quoted_identifier" | "ansi_nulls" | "autocommit" => {
                "There is no such setting, and no need of it."
            }
            _ => return None,
        }
    } else {
        return None;
    };
    Some(hint.to_string())
}
