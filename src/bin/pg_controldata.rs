//! The `pg_controldata` program; see `stegodon::tools::pg_controldata`.

fn main() {
    stegodon::tools::exit_with("pg_controldata", stegodon::tools::pg_controldata::main)
}
