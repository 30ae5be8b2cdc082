//! COPY's options, checked as PostgreSQL checks them.

use common::{Encoding, Error, Result, bail};
use parser::ast::{DefArg, DefElem};

/// Format of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Csv,
    Binary,
}

/// HEADER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    No,
    Yes,
    /// Names must match the columns.
    Match,
}

/// A list of columns, or all.
#[derive(Clone, Debug, PartialEq)]
pub enum Columns {
    All,
    Named(Vec<String>),
}

impl Columns {
    /// Is a column in it?
    pub fn has(&self, name: &str) -> bool {
        match self {
            Columns::All => true,
            Columns::Named(v) => v.iter().any(|n| n == name),
        }
    }
    /// Is there anything in it?
    pub fn is_empty(&self) -> bool {
        matches!(self, Columns::Named(v) if v.is_empty())
    }
}

/// All options.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    pub format: Format,
    pub freeze: bool,
    pub delimiter: u8,
    pub null: String,
    pub header: Header,
    pub quote: u8,
    pub escape: u8,
    pub force_quote: Columns,
    pub force_not_null: Columns,
    pub force_null: Columns,
    /// What the data is in; the client's encoding where it is not said.
    pub encoding: Option<Encoding>,
}

fn text(o: &DefElem) -> Result<String> {
    match &o.arg {
        Some(DefArg::String(s) | DefArg::Float(s)) => Ok(s.clone()),
        Some(DefArg::Integer(i)) => Ok(i.to_string()),
        Some(DefArg::Boolean(b)) => Ok(b.to_string()),
        Some(DefArg::TypeName(t)) => Ok(t.names.join(".")),
        Some(DefArg::Names(n)) => Ok(n.join(".")),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", o.defname),
    }
}

fn boolean(o: &DefElem) -> Result<bool> {
    match &o.arg {
        None => Ok(true),
        Some(DefArg::Boolean(b)) => Ok(*b),
        Some(DefArg::Integer(i @ (0 | 1))) => Ok(*i == 1),
        Some(_) => match text(o)?.to_ascii_lowercase().as_str() {
            "true" | "on" => Ok(true),
            "false" | "off" => Ok(false),
            _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", o.defname),
        },
    }
}

fn columns(o: &DefElem) -> Result<Columns> {
    match &o.arg {
        Some(DefArg::Star) => Ok(Columns::All),
        Some(DefArg::List(items)) => {
            let mut names = Vec::new();
            for i in items {
                match i {
                    DefArg::String(s) => names.push(s.clone()),
                    DefArg::Names(n) => names.push(n.join(".")),
                    _ => bail!(
                        INVALID_PARAMETER_VALUE,
                        "argument to option \"{}\" must be a list of column names",
                        o.defname
                    ),
                }
            }
            Ok(Columns::Named(names))
        }
        Some(DefArg::Names(n)) => Ok(Columns::Named(n.clone())),
        _ => bail!(
            INVALID_PARAMETER_VALUE,
            "argument to option \"{}\" must be a list of column names",
            o.defname
        ),
    }
}

fn one_byte(s: &str, what: &str) -> Result<u8> {
    match s.as_bytes() {
        [b] => Ok(*b),
        _ => bail!(FEATURE_NOT_SUPPORTED, "COPY {what} must be a single one-byte character"),
    }
}

/// What was said, before defaults.
#[derive(Default)]
struct Given {
    format: Option<Format>,
    freeze: Option<bool>,
    delimiter: Option<String>,
    null: Option<String>,
    header: Option<Header>,
    quote: Option<String>,
    escape: Option<String>,
    force_quote: Option<Columns>,
    force_not_null: Option<Columns>,
    force_null: Option<Columns>,
    encoding: Option<Encoding>,
}

/// The value of ENCODING.
fn encoding(name: &str) -> Result<Encoding> {
    match Encoding::by_name(name) {
        Some(e) if e.is_convertible() => Ok(e),
        Some(e) => Err(Error::unsupported(format_args!("COPY ENCODING '{}'", e.name()))),
        None => {
            bail!(INVALID_PARAMETER_VALUE, "argument to option \"encoding\" must be a valid encoding name")
        }
    }
}

fn put<T>(slot: &mut Option<T>, v: T, o: &DefElem) -> Result<()> {
    if slot.is_some() {
        return Err(common::err!(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
    }
    *slot = Some(v);
    Ok(())
}

fn read(options: &[DefElem]) -> Result<Given> {
    let mut g = Given::default();
    for o in options {
        match o.defname.as_str() {
            "format" => {
                let f = match text(o)?.as_str() {
                    "text" => Format::Text,
                    "csv" => Format::Csv,
                    "binary" => Format::Binary,
                    other => {
                        return Err(common::err!(
                            INVALID_PARAMETER_VALUE,
                            "COPY format \"{other}\" not recognized"
                        )
                        .at(o.location));
                    }
                };
                put(&mut g.format, f, o)?;
            }
            "freeze" => put(&mut g.freeze, boolean(o)?, o)?,
            "delimiter" => put(&mut g.delimiter, text(o)?, o)?,
            "null" => put(&mut g.null, text(o)?, o)?,
            "header" => {
                let is_match = matches!(text(o).as_deref(), Ok("match"));
                let h = if is_match {
                    Header::Match
                } else if boolean(o)
                    .map_err(|_| common::err!(SYNTAX_ERROR, "header requires a Boolean value or \"match\""))?
                {
                    Header::Yes
                } else {
                    Header::No
                };
                put(&mut g.header, h, o)?;
            }
            "quote" => put(&mut g.quote, text(o)?, o)?,
            "escape" => put(&mut g.escape, text(o)?, o)?,
            "force_quote" => put(&mut g.force_quote, columns(o)?, o)?,
            "force_not_null" => put(&mut g.force_not_null, columns(o)?, o)?,
            "force_null" => put(&mut g.force_null, columns(o)?, o)?,
            "encoding" => put(&mut g.encoding, encoding(&text(o)?).map_err(|e| e.at(o.location))?, o)?,
            other => {
                return Err(common::err!(SYNTAX_ERROR, "option \"{other}\" not recognized").at(o.location));
            }
        }
    }
    Ok(g)
}

impl CopyOptions {
    /// Reads and checks the options of a statement.
    pub fn new(options: &[DefElem], is_from: bool) -> Result<CopyOptions> {
        let g = read(options)?;
        let format = g.format.unwrap_or(Format::Text);
        let csv = format == Format::Csv;
        if format == Format::Binary && g.delimiter.is_some() {
            bail!(SYNTAX_ERROR, "cannot specify DELIMITER in BINARY mode");
        }
        if format == Format::Binary && g.null.is_some() {
            bail!(SYNTAX_ERROR, "cannot specify NULL in BINARY mode");
        }
        let default_delimiter = if csv { "," } else { "\t" };
        let delimiter = one_byte(g.delimiter.as_deref().unwrap_or(default_delimiter), "delimiter")?;
        let null = g.null.unwrap_or_else(|| if csv { String::new() } else { "\\N".into() });
        // Outside CSV they are refused further down, whatever they are.
        let quote = if csv { one_byte(g.quote.as_deref().unwrap_or("\""), "quote")? } else { b'"' };
        let escape = match &g.escape {
            Some(e) if csv => one_byte(e, "escape")?,
            _ => quote,
        };
        let o = CopyOptions {
            format,
            freeze: g.freeze.unwrap_or(false),
            delimiter,
            null,
            header: g.header.unwrap_or(Header::No),
            quote,
            escape,
            force_quote: g.force_quote.clone().unwrap_or(Columns::Named(Vec::new())),
            force_not_null: g.force_not_null.clone().unwrap_or(Columns::Named(Vec::new())),
            encoding: g.encoding,
            force_null: g.force_null.clone().unwrap_or(Columns::Named(Vec::new())),
        };
        o.check_characters()?;
        o.check_modes(is_from, g.quote.is_some(), g.escape.is_some())?;
        Ok(o)
    }

    fn check_characters(&self) -> Result<()> {
        let csv = self.format == Format::Csv;
        let d = self.delimiter;
        if d == b'\n' || d == b'\r' {
            bail!(INVALID_PARAMETER_VALUE, "COPY delimiter cannot be newline or carriage return");
        }
        if self.null.contains(['\n', '\r']) {
            bail!(INVALID_PARAMETER_VALUE, "COPY null representation cannot use newline or carriage return");
        }
        if !csv && b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&d) {
            bail!(INVALID_PARAMETER_VALUE, "COPY delimiter cannot be \"{}\"", char::from(d));
        }
        if self.header != Header::No && self.format == Format::Binary {
            bail!(FEATURE_NOT_SUPPORTED, "cannot specify HEADER in BINARY mode");
        }
        if csv && d == self.quote {
            bail!(INVALID_PARAMETER_VALUE, "COPY delimiter and quote must be different");
        }
        if self.format != Format::Binary && self.null.as_bytes().contains(&d) {
            bail!(FEATURE_NOT_SUPPORTED, "COPY delimiter must not appear in the NULL specification");
        }
        if csv && self.null.as_bytes().contains(&self.quote) {
            bail!(FEATURE_NOT_SUPPORTED, "CSV quote character must not appear in the NULL specification");
        }
        Ok(())
    }

    fn check_modes(&self, is_from: bool, quote: bool, escape: bool) -> Result<()> {
        let csv = self.format == Format::Csv;
        let only_csv = |given: bool, what: &str| -> Result<()> {
            if given && !csv {
                bail!(FEATURE_NOT_SUPPORTED, "COPY {what} available only in CSV mode");
            }
            Ok(())
        };
        only_csv(quote, "quote")?;
        only_csv(escape, "escape")?;
        only_csv(!self.force_quote.is_empty(), "force quote")?;
        if !self.force_quote.is_empty() && is_from {
            bail!(FEATURE_NOT_SUPPORTED, "COPY force quote only available using COPY TO");
        }
        only_csv(!self.force_not_null.is_empty(), "force not null")?;
        if !self.force_not_null.is_empty() && !is_from {
            bail!(FEATURE_NOT_SUPPORTED, "COPY force not null only available using COPY FROM");
        }
        only_csv(!self.force_null.is_empty(), "force null")?;
        if !self.force_null.is_empty() && !is_from {
            bail!(FEATURE_NOT_SUPPORTED, "COPY force null only available using COPY FROM");
        }
        if self.freeze && !is_from {
            bail!(INVALID_PARAMETER_VALUE, "COPY freeze cannot be used with COPY TO");
        }
        Ok(())
    }
}
