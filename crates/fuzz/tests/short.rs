//! A short run of every target with a fixed seed, so that a failure repeats.

#[test]
fn short() {
    let run = || {
        for t in fuzz::targets() {
            let runs = if t.name.contains(' ') { 1_500 } else { 8_000 };
            if let Err(f) = fuzz::run(&t, 42, fuzz::Budget::Runs(runs)) {
                let hex: String = f.input.iter().map(|b| format!("{b:02x}")).collect();
                panic!("{}: {}\n{}\n{hex}", f.target, f.what, String::from_utf8_lossy(&f.input));
            }
        }
    };
    let worker = std::thread::Builder::new().stack_size(120 << 20).spawn(run).expect("a thread");
    assert!(worker.join().is_ok());
}
