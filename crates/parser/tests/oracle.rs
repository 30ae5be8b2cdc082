//! Statements that PostgreSQL 15 accepts, and statements that it refuses with code, position and text. The data files
//! hold what a real server said; control characters and backslashes in them are escaped.

/// Undoes the escapes of the data files.
fn unescape(s: &str) -> String {
    let mut out = String::new();
    let mut chars = s.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('f') => '\x0C',
            Some('v') => '\x0B',
            Some(other) => other,
            None => '\\',
        });
    }
    out
}

#[test]
fn accepted() {
    // The second file has every clause of the synopses in PostgreSQL's reference.
    let files = [include_str!("data/accepted.txt"), include_str!("data/reference.txt")];
    for line in files.into_iter().flat_map(str::lines) {
        let sql = unescape(line);
        if let Err(e) = parser::parse(&sql) {
            panic!("{sql}\n{e}");
        }
    }
}

#[test]
fn refused() {
    // The second file has statements of the reference and of `tests/sql` with a token deleted, doubled, moved or replaced.
    let files = [include_str!("data/errors.tsv"), include_str!("data/mutated.tsv")];
    for line in files.into_iter().flat_map(str::lines) {
        let mut columns = line.splitn(4, '\t');
        let code = columns.next().unwrap();
        let position: usize = columns.next().unwrap().parse().unwrap();
        let message = unescape(columns.next().unwrap());
        let sql = unescape(columns.next().unwrap());
        let Err(e) = parser::parse(&sql) else {
            panic!("accepted: {sql}");
        };
        let r = e.report();
        // Positions count characters from one; zero means that none is reported.
        let shown = r.position.map_or(0, |byte| sql[..byte].chars().count() + 1);
        assert_eq!(
            (r.sqlstate.as_str(), shown, r.message.as_str()),
            (code, position, message.as_str()),
            "{sql}"
        );
    }
}
