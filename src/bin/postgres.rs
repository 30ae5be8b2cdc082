//! The `postgres` program; see `stegodon::tools::postgres`.

fn main() {
    std::process::exit(stegodon::tools::postgres::main())
}
