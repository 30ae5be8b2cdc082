//! Times the parser on small statements: nanoseconds a parse, best of several rounds.

use std::time::Instant;

const STATEMENTS: [&str; 6] = [
    "SELECT 1",
    "SELECT abalance FROM pgbench_accounts WHERE aid = 12345;",
    "UPDATE pgbench_accounts SET abalance = abalance + -1234 WHERE aid = 98765;",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 2, 3, -4, CURRENT_TIMESTAMP);",
    "BEGIN;",
    "select a.x, b.y, count(*) from a join b on a.id = b.id where a.z > 10 and b.w like 'abc%' group by 1, 2 order by 3 desc limit 10",
];

fn main() {
    let rounds = if std::env::args().nth(1).is_some() { 1 } else { 20 };
    for sql in STATEMENTS {
        let mut best = f64::MAX;
        for _ in 0..rounds {
            let start = Instant::now();
            for _ in 0..20_000 {
                let _ = std::hint::black_box(parser::parse(std::hint::black_box(sql)));
            }
            best = best.min(start.elapsed().as_secs_f64() / 20_000.0);
        }
        println!("{:8.0} ns  {sql}", best * 1e9);
    }
}
