//! The `pg_ctl` program; see `stegodon::tools::pg_ctl`.

fn main() {
    stegodon::tools::exit_with("pg_ctl", stegodon::tools::pg_ctl::main)
}
