//! Syntax errors: what the tokens around the error say.

use crate::Place;
use crate::scan::Kind;

/// A rule looks at the place and knows what to write instead, or not.
type Rule = fn(&Place) -> Option<&'static str>;

const RULES: [Rule; 7] = [quoting, first_word, clause, table_definition, changing, operators, variables];

const CALL: &str = "Use CALL procedure(arguments), or SELECT function(arguments).";

pub(crate) const COMMENTS: &str = "Comments begin with -- or stand between /* and */.";
pub(crate) const VARIABLES: &str = "There are no such variables. Use PL/pgSQL's, or a setting of your own: SET my.name = …, \
                                    current_setting('my.name').";

pub(crate) fn hint(p: &Place) -> Option<String> {
    RULES.iter().find_map(|rule| rule(p)).map(str::to_string)
}

fn quoting(p: &Place) -> Option<&'static str> {
    if p.kind(0) == Some(Kind::BackQuoted) || p.kind(-1) == Some(Kind::BackQuoted) {
        return Some("Names are quoted with double quotes: \"name\".");
    }
    if p.word(0) == "[" && p.kind(1) == Some(Kind::Word) && p.follows(2, &["]"]) {
        return Some("Names are quoted with double quotes, not with brackets: \"name\".");
    }
    if p.word(0) == "#" {
        return Some(COMMENTS);
    }
    // 'it\'s' ends behind the backslash; E'it\'s' does not.
    let escaped = |pair: &[crate::scan::Token]| {
        pair[1].kind == Kind::Text && pair[1].text.ends_with("\\'") && pair[0].end < pair[1].start
    };
    if p.tokens[..p.at.min(p.tokens.len())].windows(2).any(escaped) {
        return Some(
            "A backslash is an ordinary character in a string. Write '' for a quote, or E'…' for a string with escapes.",
        );
    }
    None
}

/// Statements that begin with a word of their own.
fn first_word(p: &Place) -> Option<&'static str> {
    let first = p.tokens.first().map_or("", |t| t.text.as_ref());
    let second = p.tokens.get(1).map_or("", |t| t.text.as_ref());
    Some(match (first, second) {
        ("describe" | "desc", _) => "Use \\d NAME in psql, or query information_schema.columns.",
        ("use", _) => {
            "A connection stays with its database: connect to the other one (\\connect in psql). If a schema is meant, use \
             SET search_path."
        }
        ("show", "create") => "Use pg_dump --schema-only --table=NAME, or \\d NAME in psql.",
        ("show", "tables" | "full") => "Use \\dt in psql, or query information_schema.tables.",
        ("show", "databases" | "schemas") => "Use \\l in psql, or query pg_database.",
        ("show", "columns" | "fields" | "index" | "indexes" | "keys") => {
            "Use \\d NAME in psql, or query information_schema.columns and pg_indexes."
        }
        ("show", "processlist" | "status" | "variables") => "Query pg_stat_activity, or use SHOW ALL.",
        ("replace", _) => "Use INSERT … ON CONFLICT (columns) DO UPDATE SET ….",
        ("exec", second) if second != "sql" => CALL,
        // EXECUTE is a statement of PostgreSQL's, with parentheses around its arguments.
        ("execute", _) if p.at == 2 && matches!(p.kind(0), Some(Kind::Number | Kind::Text)) => CALL,
        ("go", _) => "GO is a word of SQL Server's tools. Statements end with a semicolon.",
        ("delimiter", _) => "There is no DELIMITER: put the body of a function between $$ and $$.",
        ("unlock", _) => "Locks are released at the end of the transaction.",
        ("lock", "tables") => "Use LOCK TABLE name IN … MODE inside a transaction.",
        ("rename", _) => "Use ALTER TABLE name RENAME TO new_name.",
        ("pragma", _) => {
            "Settings are read with SHOW and changed with SET; \\d NAME in psql describes a table."
        }
        ("print", _) => "Use RAISE NOTICE in PL/pgSQL, or \\echo in psql.",
        ("attach", _) => "A statement sees one database. See the extensions postgres_fdw and dblink.",
        ("handler" | "purge" | "flush" | "kill" | "optimize" | "repair", _) => match first {
            "kill" => "Use SELECT pg_terminate_backend(pid), or pg_cancel_backend(pid).",
            "optimize" | "repair" => "Use VACUUM, ANALYZE or REINDEX.",
            _ => return None,
        },
        ("begin" | "commit" | "rollback", "tran") => {
            "The word is TRANSACTION, or nothing at all: BEGIN, COMMIT, ROLLBACK."
        }
        ("start", "transaction") if p.before(&["consistent"]) || p.word(0) == "with" => {
            "Use START TRANSACTION ISOLATION LEVEL REPEATABLE READ."
        }
        ("create", "database") if p.word(0) == "not" => "CREATE DATABASE has no IF NOT EXISTS.",
        ("create", "or") if p.word(0) == "table" => {
            "CREATE TABLE has no OR REPLACE. Use DROP TABLE IF EXISTS first."
        }
        _ => return None,
    })
}

/// Clauses of SELECT.
fn clause(p: &Place) -> Option<&'static str> {
    let (before, at) = (p.word(-1), p.word(0));
    if before == "top" && matches!(p.word(-2), "select" | "distinct" | "all") {
        return Some("Use LIMIT at the end of the query.");
    }
    let minus = |i| p.word(i) == "minus" && matches!(p.word(i + 1), "select" | "(" | "with" | "values");
    if minus(-1) || minus(0) {
        return Some("Use EXCEPT.");
    }
    let tree = at == "connect" || before == "connect" || p.follows(-1, &["start", "with"]) || at == "start";
    if tree && p.tokens.windows(2).any(|pair| pair[0].text == "connect" && pair[1].text == "by") {
        return Some("Use WITH RECURSIVE.");
    }
    if before == "straight_join" || at == "straight_join" {
        return Some("Use JOIN. With join_collapse_limit = 1, tables are joined in the order written.");
    }
    if at == "apply" || before == "apply" {
        return Some(
            "Use CROSS JOIN LATERAL for CROSS APPLY, and LEFT JOIN LATERAL … ON true for OUTER APPLY.",
        );
    }
    if (-6..=0).any(|i| matches!(p.word(i), "pivot" | "unpivot")) {
        return Some("Use aggregates with FILTER (WHERE …) for PIVOT, and a LATERAL (VALUES …) for UNPIVOT.");
    }
    if before == "qualify" || at == "qualify" {
        return Some("Compute the window function in a sub-query and use WHERE around it.");
    }
    if before == "with" && at == "rollup" || p.follows(0, &["with", "rollup"]) {
        return Some("Use GROUP BY ROLLUP (…).");
    }
    if before == "(" && matches!(at, "nolock" | "updlock" | "holdlock" | "readpast" | "rowlock" | "tablock")
        || (at == "with"
            && p.word(1) == "("
            && matches!(p.word(2), "nolock" | "updlock" | "holdlock" | "readpast"))
    {
        return Some(
            "Readers never wait for writers, so there are no such table hints. To lock rows, use FOR UPDATE.",
        );
    }
    if p.follows(-2, &["lateral", "view"]) || p.follows(-1, &["lateral", "view"]) {
        return Some("Use CROSS JOIN LATERAL unnest(…).");
    }
    if matches!(before, "sql_calc_found_rows" | "distinctrow" | "sql_no_cache") {
        return Some("Leave this word out. count(*) OVER () counts the rows before LIMIT.");
    }
    if p.follows(-2, &["(", "+", ")"]) {
        return Some("Use LEFT JOIN … ON ….");
    }
    None
}

/// Columns and options of CREATE TABLE and ALTER TABLE.
fn table_definition(p: &Place) -> Option<&'static str> {
    let (before, at) = (p.word(-1), p.word(0));
    if !matches!(p.tokens.first().map_or("", |t| t.text.as_ref()), "create" | "alter" | "drop") {
        return None;
    }
    if matches!(at, "auto_increment" | "autoincrement") || (at == "identity" && before != "as") {
        return Some("Use GENERATED BY DEFAULT AS IDENTITY.");
    }
    if matches!(at, "unsigned" | "zerofill" | "signed") {
        return Some("There are no unsigned types. Use a wider one, or CHECK (column >= 0).");
    }
    let option = matches!(
        at,
        "engine"
            | "charset"
            | "auto_increment"
            | "row_format"
            | "comment"
            | "default"
            | "character"
            | "collate"
    );
    if (before == ")" && option) || matches!(before, "engine" | "charset") {
        return Some("Tables have no such options. Leave them out; COMMENT ON is a statement of its own.");
    }
    if at == "comment" {
        return Some("Use COMMENT ON COLUMN table.column IS '…'.");
    }
    if matches!((before, at), ("unique" | "fulltext" | "spatial", "key" | "index")) {
        return Some("Use CREATE INDEX for indexes that are no constraints.");
    }
    if matches!(before, "key" | "index") && matches!(p.word(-2), "(" | "," | "unique" | "fulltext" | "add") {
        return Some("Use CREATE INDEX for indexes that are no constraints.");
    }
    if p.follows(0, &["on", "update", "current_timestamp"])
        || p.follows(-1, &["on", "update", "current_timestamp"])
    {
        return Some("Use a trigger BEFORE UPDATE that sets the column.");
    }
    if at == "modify" || before == "modify" {
        return Some("Use ALTER TABLE … ALTER COLUMN name TYPE …, and SET or DROP NOT NULL and DEFAULT.");
    }
    if at == "change" || before == "change" {
        return Some("Use ALTER TABLE … RENAME COLUMN … TO …, and ALTER COLUMN … TYPE ….");
    }
    if p.begins(&["drop", "index"]) && at == "on" {
        return Some("An index has a name of its own in its schema: DROP INDEX name.");
    }
    if at == "enum" || before == "enum" {
        return Some("Use CREATE TYPE name AS ENUM (…), or a CHECK constraint.");
    }
    if at == "rowid" || p.follows(0, &["without", "rowid"]) {
        return Some("Tables have no row ids of that kind. Leave WITHOUT ROWID out.");
    }
    if matches!(at, "clustered" | "nonclustered") {
        return Some("Leave the word out. CLUSTER orders a table by an index once.");
    }
    if at == "clone" {
        return Some(
            "Use CREATE TABLE name (LIKE other INCLUDING ALL), or CREATE TABLE name AS TABLE other.",
        );
    }
    None
}

/// INSERT, UPDATE, DELETE, MERGE.
fn changing(p: &Place) -> Option<&'static str> {
    let (before, at) = (p.word(-1), p.word(0));
    let first = p.tokens.first().map_or("", |t| t.text.as_ref());
    if at == "duplicate" || p.follows(0, &["on", "duplicate"]) {
        return Some(
            "Use ON CONFLICT (columns) DO UPDATE SET …, where EXCLUDED is the row that was to be inserted.",
        );
    }
    if first == "insert" && matches!((before, at), ("insert", "ignore" | "or") | ("or", "replace" | "ignore"))
    {
        return Some("Use INSERT … ON CONFLICT DO NOTHING, or ON CONFLICT (columns) DO UPDATE SET ….");
    }
    if first == "insert" && matches!((before, at), ("insert", "overwrite" | "all")) {
        return Some("Use TRUNCATE and INSERT INTO, or one INSERT for each table.");
    }
    if at == "output" || (before == "output" && matches!(at, "inserted" | "deleted")) {
        return Some("Use RETURNING at the end of the statement.");
    }
    if first == "update" && (matches!(at, "join" | "inner" | "left" | ",") && !p.before(&["set"])) {
        return Some("Use UPDATE table SET … FROM other WHERE ….");
    }
    if first == "delete" && p.at == 1 && matches!(p.word(1), "from" | ",") {
        return Some("Use DELETE FROM table USING other WHERE ….");
    }
    if first == "delete" && (at == "from" && before != "delete" || matches!(at, "join" | "inner" | "left")) {
        return Some("Use DELETE FROM table USING other WHERE ….");
    }
    if matches!(first, "update" | "delete") && matches!(at, "limit" | "order") {
        return Some(
            "UPDATE and DELETE have no ORDER BY and LIMIT. Use WHERE ctid = ANY (ARRAY(SELECT ctid FROM … LIMIT …)).",
        );
    }
    if first == "merge" && at == "by" && before == "matched" {
        return Some(
            "MERGE has WHEN MATCHED and WHEN NOT MATCHED; rows without a source are a DELETE of their own.",
        );
    }
    None
}

/// Operators and calls that are written differently.
fn operators(p: &Place) -> Option<&'static str> {
    let (before, at) = (p.word(-1), p.word(0));
    if matches!(before, "div" | "mod") || matches!(at, "div" | "mod") {
        return Some("Integers divide with /, and % gives the remainder.");
    }
    if before == "xor" || at == "xor" {
        return Some("Use <> between booleans, and # between integers.");
    }
    if matches!(at, "regexp" | "rlike") || matches!(before, "regexp" | "rlike") {
        return Some("Use ~ or, without regard to case, ~*.");
    }
    if at == "glob" || before == "glob" {
        return Some("Use LIKE, SIMILAR TO or ~.");
    }
    if before == "interval" && p.kind(0) == Some(Kind::Number) {
        return Some("Write the interval in quotes: INTERVAL '1 day'.");
    }
    let convert = (-4..=-2).any(|i| p.follows(i, &["convert", "("]));
    if convert && at == "using" {
        return Some("Use convert_to and convert_from for encodings.");
    }
    if convert {
        return Some("Use CAST(value AS type).");
    }
    if matches!(before, "dateadd" | "date_add" | "date_sub" | "datediff") && at == "(" {
        return Some("Add an interval: value + INTERVAL '1 day'. Dates subtract to days.");
    }
    None
}

/// `@variables`
fn variables(p: &Place) -> Option<&'static str> {
    let first = p.tokens.first().map_or("", |t| t.text.as_ref());
    if matches!(first, "create" | "alter" | "drop" | "comment" | "reindex" | "analyze") {
        return None;
    }
    let at = |i| p.word(i) == "@";
    if at(0) && at(1) || at(-1) && at(0) {
        return Some("Use SHOW name or current_setting('name').");
    }
    let named = |i| at(i) && p.kind(i + 1) == Some(Kind::Word);
    if named(0) || named(-1) {
        return Some(VARIABLES);
    }
    (p.word(0) == "immediate" || p.word(-1) == "immediate")
        .then_some("Dynamic SQL is PL/pgSQL's EXECUTE, without IMMEDIATE.")
}
