//! Tokens as the lexer delivers them to the grammar.

use crate::keywords::Kw;
use std::borrow::Cow;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum T {
    Eof,
    Ident,
    /// Integer that fits an i32; its value is in [`Token::ival`].
    IConst,
    /// Any other number.
    FConst,
    SConst,
    /// Text starts with `b`.
    BConst,
    /// Text starts with `x`.
    XConst,
    Param,
    /// Operator that is none of the others; `!=` arrives as `NotEquals`.
    Op,
    TypeCast,
    DotDot,
    ColonEquals,
    EqualsGreater,
    LessEquals,
    GreaterEquals,
    NotEquals,
    /// A single character, known to the grammar or not.
    Char(u8),
    Kw(Kw),
}

/// A token with its place in the text.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    pub kind: T,
    /// Value of `IConst` and `Param`.
    pub ival: i32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Value of identifiers (down-cased), numbers, strings (escapes resolved), operators. Empty for keywords.
    pub text: Cow<'a, str>,
}
