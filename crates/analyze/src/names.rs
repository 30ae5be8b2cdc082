//! Identifiers as SQL text: quoting and joining.

use types::text_io::quote_identifier;

/// An identifier, in double quotes where SQL needs them.
pub fn quote_ident(s: &str) -> String {
    quote_identifier(s).into_owned()
}

/// `schema.name`, each part quoted where needed.
pub fn quote_qualified(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(s) => format!("{}.{}", quote_ident(s), quote_ident(name)),
        None => quote_ident(name),
    }
}

/// A string literal as PostgreSQL deparses it (backslashes are ordinary characters).
pub fn quote_literal(s: &str) -> String {
    format!("'{}'", s.replace('\'', "''"))
}

/// A qualified name as errors print it: parts joined by dots, unquoted.
pub fn name_list_to_string(names: &[String]) -> String {
    names.join(".")
}
