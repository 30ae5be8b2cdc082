//! The `initdb` program; see `stegodon::tools::initdb`.

fn main() {
    stegodon::tools::exit_with("initdb", stegodon::tools::initdb::main)
}
