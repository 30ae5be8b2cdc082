//! Deeply nested and very long statements end in an error or a tree, never in an overflowing stack. The main thread of
//! a server process has 64 MB (120 MB where it is not optimised); a part of that must do for parsing and dropping.

use std::thread;

const STACK: usize = if cfg!(debug_assertions) { 60 << 20 } else { 24 << 20 };

fn with_stack(bytes: usize, f: impl FnOnce() + Send + 'static) {
    let worker = thread::Builder::new().stack_size(bytes).spawn(f).expect("a thread");
    worker.join().expect("no overflow and no panic");
}

/// Nests `open` … `close` around a constant and checks that a few levels work and too many are refused.
fn nest(prefix: &'static str, open: &'static str, base: &'static str, close: &'static str) {
    with_stack(STACK, move || {
        for (levels, accepted) in [(30, true), (100_000, false)] {
            let sql = format!("{prefix}{}{base}{}", open.repeat(levels), close.repeat(levels));
            match parser::parse(&sql) {
                Ok(tree) => {
                    assert!(accepted, "{levels} levels of {open}");
                    drop(tree);
                }
                Err(e) => {
                    assert!(!accepted, "{open}: {e}");
                    assert_eq!(e.sqlstate().as_str(), "54001", "{open}: {e}");
                }
            }
        }
        // The deepest that is accepted must be safe to build and to drop, wherever the limit lies.
        for levels in (40..3000).step_by(13) {
            let sql = format!("{prefix}{}{base}{}", open.repeat(levels), close.repeat(levels));
            let _ = parser::parse(&sql);
        }
    });
}

#[test]
fn nesting() {
    nest("select ", "(", "1", ")");
    nest("select ", "f(", "1", ")");
    nest("select ", "-(1+", "1", ")");
    nest("select ", "not ", "1", "");
    nest("select ", "- ", "1", "");
    nest("select ", "~ ", "1", "");
    nest("select ", "case when ", "1", " then 1 end");
    nest("select ", "(select ", "1", ")");
    nest("select ", "array[", "1", "]");
    nest("select ", "a[", "1", "]");
    nest("select ", "exists (select ", "1", ")");
    nest("select ", "1 in (", "1", ")");
    nest("select ", "cast(", "1", " as int)");
    nest("select ", "coalesce(", "1", ")");
    nest("select ", "sum(1) over (order by ", "1", ")");
    nest("select ", "(1,", "1", ")");
    nest("", "(", "select 1", ")");
    nest("", "with a as (", "select 1", ") select 1");
    nest("", "select * from (", "select 1", ") x");
    nest("", "select 1 union (", "select 1", ")");
    nest("select * from ", "(a join ", "b", " on true)");
    nest("select 1 group by ", "grouping sets (", "1", ")");
    nest("select 1::", "x(", "1", ")");
}

#[test]
fn chains() {
    with_stack(STACK, || {
        for link in [
            " + 1",
            " || 1",
            "::int",
            " is null",
            " collate a",
            "[1]",
            ".a",
            " and 1",
            " or 1",
            " at time zone 1",
        ] {
            for length in [1_000, 3_900, 9_900, 50_000] {
                let sql = format!("select a{}", link.repeat(length));
                let _ = parser::parse(&sql);
            }
        }
        for link in [" union select 1", " intersect select 1", ", 1", " except all select 1"] {
            for length in [1_000, 3_900, 9_900, 50_000] {
                let sql = format!("select 1{}", link.repeat(length));
                let _ = parser::parse(&sql);
            }
        }
        for link in [" cross join b", " join b on true", " natural join b"] {
            for length in [1_000, 3_900, 9_900, 50_000] {
                let sql = format!("select * from a{}", link.repeat(length));
                let _ = parser::parse(&sql);
            }
        }
        let joins = " join b".repeat(50_000);
        assert!(parser::parse(&format!("select * from a{joins}")).is_err());
    });
}
