//! Command-line tools: what stands behind the small programs in `src/bin`.

mod describe;
pub mod initdb;
pub mod pg_controldata;
pub mod pg_ctl;
pub mod postgres;
pub mod serve;

/// Runs a tool's body and turns an error into a message and an exit status.
pub fn exit_with(program: &str, main: fn() -> common::Result<i32>) -> ! {
    // Output into a closed pipe ends the program quietly, as it does every other tool.
    ipc::signals::install(libc::SIGPIPE, ipc::signals::Action::Default);
    match main() {
        Ok(code) => std::process::exit(code),
        Err(e) => {
            let r = e.report();
            eprintln!("{program}: error: {}", r.message);
            if let Some(d) = &r.detail {
                eprintln!("{program}: detail: {d}");
            }
            if let Some(h) = &r.hint {
                eprintln!("{program}: hint: {h}");
            }
            std::process::exit(1)
        }
    }
}
