//! The `stegodon` program; see `stegodon::tools::serve`.

fn main() {
    stegodon::tools::exit_with("stegodon", stegodon::tools::serve::main)
}
