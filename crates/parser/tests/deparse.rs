//! Tree to text and back gives the same tree, for every accepted statement of the data files and of `tests/sql`; and the
//! text shows by its parentheses how operators bind.

mod scripts;

use parser::deparse::{deparse_expr, deparse_statement};

/// The tree without its locations and the length of a statement in PREPARE.
fn shape(tree: &impl std::fmt::Debug) -> String {
    without_numbers(&without_numbers(&format!("{tree:?}"), "location: "), ", len: ")
}

fn without_numbers(text: &str, behind: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find(behind) {
        let (before, after) = rest.split_at(i + behind.len());
        out.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

/// Number of statements in `sql` that came back unchanged; none may change.
fn there_and_back(sql: &str) -> usize {
    let Ok(statements) = parser::parse(sql) else {
        return 0;
    };
    for raw in &statements {
        let text = deparse_statement(&raw.stmt);
        let again = parser::parse(&text).unwrap_or_else(|e| panic!("{sql}\n{text}\n{e}"));
        assert_eq!(again.len(), 1, "{sql}\n{text}");
        assert_eq!(shape(&again[0].stmt), shape(&raw.stmt), "{sql}\n{text}");
    }
    statements.len()
}

#[test]
fn round_trip() {
    let files = [include_str!("data/accepted.txt"), include_str!("data/reference.txt")];
    let lines = files.into_iter().flat_map(str::lines);
    let count: usize =
        lines.map(|line| there_and_back(&line.replace("\\n", "\n").replace("\\\\", "\\"))).sum();
    assert!(count > 2_000, "only {count} statements");
}

#[test]
fn round_trip_of_scripts() {
    let count: usize = scripts::statements().iter().map(|(_, sql)| there_and_back(sql)).sum();
    assert!(count > 9_000, "only {count} statements");
}

#[test]
fn precedence() {
    let cases = [
        ("-2^2", "((-2) ^ 2)"),
        ("2 ^ -2 ^ 2", "((2 ^ (-2)) ^ 2)"),
        ("a>=-1", "(a >= (-1))"),
        ("-a::int", "(- CAST(a AS pg_catalog.int4))"),
        ("- 1::int", "(- CAST(1 AS pg_catalog.int4))"),
        ("not a = b", "(NOT (a = b))"),
        ("a between 1 and 2 and c", "((a BETWEEN 1 AND 2) AND c)"),
        ("a between 1 and 2 + 3 and c", "((a BETWEEN 1 AND (2 + 3)) AND c)"),
        ("x is not distinct from y and z", "((x IS NOT DISTINCT FROM y) AND z)"),
        ("a or b and c", "(a OR (b AND c))"),
        ("a and b and c", "(a AND b AND c)"),
        ("a and (b and c)", "(a AND (b AND c))"),
        ("not a and b", "((NOT a) AND b)"),
        ("a = not b = c", "(a = (NOT (b = c)))"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a || b + c", "(a || (b + c))"),
        ("a + b || c", "((a + b) || c)"),
        ("a < b || c", "(a < (b || c))"),
        ("a is null = b", "((a IS NULL) = b)"),
        ("a = b is null", "((a = b) IS NULL)"),
        ("a like b || c", "(a LIKE (b || c))"),
        ("a in (1, 2) = b", "((a IN (1, 2)) = b)"),
        ("a = b in (1)", "(a = (b IN (1)))"),
        ("@ -5 + 3", "(@ ((-5) + 3))"),
        ("~ a || b", "((~ a) || b)"),
        ("a at time zone b || c", "((a AT TIME ZONE b) || c)"),
        ("a || b collate \"C\"", "(a || (b COLLATE \"C\"))"),
        ("1 operator(pg_catalog.+) 2 * 3", "(1 OPERATOR(pg_catalog.+) (2 * 3))"),
        ("xid8 '1'", "CAST('1' AS xid8)"),
        ("1 in (1)::bool", "CAST((1 IN (1)) AS bool)"),
        ("U&\"d\\0061t\\+000061\"", "data"),
        ("- - 1", "1"),
        ("a - -1", "(a - (-1))"),
        ("a.b[1].c", "(a.b)[1].c"),
    ];
    for (sql, expected) in cases {
        let e = parser::parse_expression(sql).unwrap();
        assert_eq!(deparse_expr(&e), expected, "{sql}");
    }
}
