//! Initialises a data directory where there is none and runs the server in the foreground.
fn main() {}
