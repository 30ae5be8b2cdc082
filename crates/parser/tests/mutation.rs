//! No text makes the parser panic: accepted statements with random cuts, swaps and foreign characters in them. Error
//! positions stay on character borders, and what still parses deparses to something that parses.

use parser::deparse::deparse_statement;

/// A small generator (xorshift), so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

#[test]
fn mutated_text() {
    let lines: Vec<&str> = [include_str!("data/accepted.txt"), include_str!("data/reference.txt")]
        .into_iter()
        .flat_map(str::lines)
        .collect();
    let spice: Vec<char> =
        "'\"$()[]{}.,;:*+-/<>=~!@#%^&|`?\\ \n\té\u{20AC}\u{1F418}0eExXuUbBnN_1".chars().collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..20_000 {
        let mut text: Vec<char> = lines[random.below(lines.len())].chars().collect();
        for _ in 0..=random.below(3) {
            let at = random.below(text.len());
            match random.below(4) {
                0 if !text.is_empty() => {
                    text.remove(at);
                }
                1 => text.insert(at, spice[random.below(spice.len())]),
                2 => text.truncate(at),
                _ if !text.is_empty() => text[at] = spice[random.below(spice.len())],
                _ => {}
            }
        }
        let sql: String = text.into_iter().collect();
        let mut notices = Vec::new();
        match parser::parse_with_notices(&sql, &mut notices) {
            Ok(list) => {
                for raw in list {
                    assert!(
                        sql.is_char_boundary(raw.location) && sql.is_char_boundary(raw.location + raw.len)
                    );
                    let text = deparse_statement(&raw.stmt);
                    parser::parse(&text).unwrap_or_else(|e| panic!("round {round}\n{sql}\n{text}\n{e}"));
                }
            }
            Err(e) => {
                let position = e.report().position.unwrap_or(0);
                assert!(sql.is_char_boundary(position), "{sql}: {e} at {position}");
            }
        }
    }
}

#[test]
fn identifiers_are_cut_with_a_notice() {
    let long = "é".repeat(40);
    let mut notices = Vec::new();
    parser::parse_with_notices(&format!("select {long}"), &mut notices).unwrap();
    assert_eq!(notices.len(), 1);
    let cut = "é".repeat(31);
    assert_eq!(notices[0].message, format!("identifier \"{long}\" will be truncated to \"{cut}\""));
    assert_eq!(notices[0].sqlstate.as_str(), "42622");
}
