//! The function registry and the built-in objects: built once before the first fork, shared by all processes.

use catalog::builtins::Builtins;
use types::Registry;

/// What all processes share of the program's knowledge.
#[derive(Clone, Copy)]
pub struct Knowledge {
    pub builtins: &'static Builtins,
    pub registry: &'static Registry,
}

impl Knowledge {
    /// Reads the built-in data and merges the function tables of all crates.
    pub fn load() -> Knowledge {
        let mut tables = types::builtin_tables();
        tables.extend(commands::functions::tables());
        let extensions = commands::extension::registry::table();
        tables.push(&extensions);
        Knowledge { builtins: Builtins::load(), registry: Box::leak(Box::new(Registry::build(&tables))) }
    }
}
