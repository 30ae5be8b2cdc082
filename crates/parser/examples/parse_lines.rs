//! Reads statements separated by NUL bytes from standard input and prints one line for each: `ok`, or SQLSTATE, character
//! position, message and hint separated by tabs. For comparing acceptance and errors with a real PostgreSQL.

use std::io::Read;

fn main() {
    let mut input = String::new();
    if std::io::stdin().read_to_string(&mut input).is_err() {
        return;
    }
    for sql in input.split('\0') {
        match parser::parse(sql) {
            Ok(_) => println!("ok"),
            Err(e) => {
                let r = e.report();
                let position = r.position.map_or(0, |p| sql[..p].chars().count() + 1);
                let message = r.message.replace('\n', "\u{1}").replace('\t', "\u{2}");
                println!("{}\t{position}\t{message}\t{}", r.sqlstate, r.hint.as_deref().unwrap_or(""));
            }
        }
    }
}
