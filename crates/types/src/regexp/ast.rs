//! The tree of a pattern, and the attributes that decide which of several matches is taken.

use super::charset::CharSet;

/// Places without width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordStart,
    WordEnd,
    WordEdge,
    NoWordEdge,
}

/// A quantifier that knows no upper limit.
pub const INFINITE: u16 = u16::MAX;

/// A part of a pattern.
#[derive(Clone, Debug)]
pub enum Ast {
    Empty,
    Set(u32),
    At(Place),
    /// A look around, by its number.
    Look(u32),
    Cat(Vec<Ast>),
    Alt(Vec<Ast>),
    /// `min`, `max`, and the quantifier's own preference ([`LONGER`], [`SHORTER`] or none).
    Repeat(Box<Ast>, u16, u16, u8),
    /// Parentheses; with a number where they capture.
    Group(Box<Ast>, Option<u32>),
    /// A back-reference, and the pattern it refers to.
    Back(u32, Box<Ast>),
}

/// What is looked for around a place.
#[derive(Clone, Debug)]
pub struct Look {
    pub ast: Ast,
    pub ahead: bool,
    pub negative: bool,
}

/// A pattern read.
#[derive(Debug)]
pub struct Pattern {
    pub ast: Ast,
    pub sets: Vec<CharSet>,
    pub looks: Vec<Look>,
    pub groups: u32,
}

/// Prefers the longest match.
pub const LONGER: u8 = 1;
/// Prefers the shortest match.
pub const SHORTER: u8 = 2;
/// Has parts of both preferences.
pub const MIXED: u8 = 4;
/// Has capturing parentheses.
pub const CAPTURES: u8 = 8;
/// Has a back-reference.
pub const BACKREF: u8 = 16;

/// The part of the attributes that says which length is preferred.
pub const fn preference(f: u8) -> u8 {
    f & (LONGER | SHORTER)
}
/// Attributes as the parent sees them: its own preference is not the child's.
pub const fn upward(f: u8) -> u8 {
    (f & !(LONGER | SHORTER)) | if f & LONGER != 0 && f & SHORTER != 0 { MIXED } else { 0 }
}
/// Must the matching of parts be worked out, beyond where the whole begins and ends?
pub const fn intricate(f: u8) -> bool {
    f & (MIXED | CAPTURES | BACKREF) != 0
}
/// Attributes of two parts in a row: the first preference there is counts.
pub const fn combine(a: u8, b: u8) -> u8 {
    upward(a | b) | if preference(a) != 0 { preference(a) } else { preference(b) }
}

impl Ast {
    /// The attributes of a part.
    pub fn attributes(&self) -> u8 {
        match self {
            Ast::Empty | Ast::Set(_) | Ast::At(_) | Ast::Look(_) => 0,
            Ast::Back(..) => BACKREF,
            Ast::Group(a, n) => a.attributes() | if n.is_some() { CAPTURES } else { 0 },
            Ast::Repeat(a, _, _, p) => {
                let f = p | a.attributes();
                if intricate(upward(f)) { combine(*p, a.attributes()) } else { f }
            }
            Ast::Alt(v) => v.iter().fold(LONGER, |f, a| LONGER | upward(f | a.attributes())),
            Ast::Cat(v) => v.iter().fold(0, |f, a| combine(f, a.attributes())),
        }
    }
}
