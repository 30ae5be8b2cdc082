//! `fuzz SECONDS [NAME…]`: all targets, or those whose name holds one of the words, in rounds of a second each until the time
//! is over. A failure is shown as text and as hexadecimal bytes. `fuzz 0 NAME HEX` runs one input.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let seconds: u64 = args.first().and_then(|s| s.parse().ok()).unwrap_or(60);
    let words = &args[1.min(args.len())..];
    // As much stack as a server process has.
    let worker = std::thread::Builder::new().stack_size(120 << 20);
    let words = words.to_vec();
    let done = worker.spawn(move || all(seconds, &words)).map(std::thread::JoinHandle::join);
    if matches!(done, Ok(Ok(true))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(seconds: u64, words: &[String]) -> bool {
    let targets: Vec<_> = fuzz::targets()
        .into_iter()
        .filter(|t| words.is_empty() || words.iter().any(|w| t.name.contains(w.as_str())))
        .collect();
    if let (0, [name, hex]) = (seconds, words) {
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .filter_map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok())
            .collect();
        let found = fuzz::targets().into_iter().find(|t| t.name == *name);
        println!("{:?}", found.map(|t| (t.run)(&bytes)));
        return true;
    }
    let started = Instant::now();
    let mut good = true;
    let mut seed =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |d| d.as_micros() as u64);
    let slice = Duration::from_millis((seconds * 1000 / targets.len().max(1) as u64).clamp(50, 20_000));
    while started.elapsed().as_secs() < seconds {
        for t in &targets {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match fuzz::run(t, seed, fuzz::Budget::Time(slice)) {
                Ok((runs, outcomes)) => println!("{:16} {runs:8} runs {outcomes:6} outcomes", t.name),
                Err(f) => {
                    good = false;
                    let hex: String = f.input.iter().map(|b| format!("{b:02x}")).collect();
                    println!("FAILED {}: {}\n{}\n{hex}", f.target, f.what, String::from_utf8_lossy(&f.input));
                }
            }
        }
    }
    good
}
