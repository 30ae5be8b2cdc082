//! Query identifiers: a hash of the analysed statement that is the same for statements that differ in constants only.
//! The tree is walked through its `Serialize` implementation, so that what is added to it takes part by itself; what
//! does not tell statements apart (positions, names for display, what follows from the rest) is left out by
//! [`is_skipped`]. The hash is our own and fixed: identifiers outlive the server's restart.

use crate::query::Query;
use serde::ser::{self, Serialize};
use std::fmt;

/// A statement's identifier, and where its constants stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jumble {
    /// Never 0.
    pub id: i64,
    /// Byte positions of the constants in the source text, ascending, each once.
    pub constants: Vec<usize>,
    /// The highest `$n` in the statement.
    pub highest_param: u32,
    /// Byte range of the statement in its source text (a length of 0 is all that follows).
    pub location: (usize, usize),
    /// How the text was read.
    pub lex: parser::LexOptions,
}

/// The identifier of an analysed query, before it is rewritten.
pub fn jumble(q: &Query) -> Jumble {
    let mut w = Walk::default();
    // Nothing in the walk fails.
    let _ = q.serialize(&mut w);
    w.constants.sort_unstable();
    w.constants.dedup();
    Jumble {
        id: w.id(),
        constants: w.constants,
        highest_param: w.highest_param,
        location: q.location,
        lex: Default::default(),
    }
}

/// The identifier of a utility statement, which is its text's.
pub fn text_id(text: &str) -> i64 {
    let mut w = Walk::default();
    w.bytes(text.as_bytes());
    w.id()
}

/// The statement in its source text, without the white space around it.
pub fn statement_text(source: &str, (start, len): (usize, usize)) -> &str {
    let all = source.get(start..).unwrap_or_default();
    let text = if len == 0 { all } else { all.get(..len).unwrap_or(all) };
    text.trim_matches([' ', '\t', '\n', '\r', '\x0c', '\x0b'])
}

/// The statement's text with `$n` in the place of its constants.
pub fn normalize(source: &str, j: &Jumble) -> String {
    let text = statement_text(source, j.location);
    let offset = text.as_ptr() as usize - source.as_ptr() as usize;
    let mut out = String::with_capacity(text.len() + 8);
    let (mut copied, mut n) = (0, j.highest_param);
    let mut places = j.constants.iter().filter_map(|c| c.checked_sub(offset)).peekable();
    let mut lexer = parser::lexer::Lexer::with_options(text, j.lex);
    while let Some(&at) = places.peek() {
        let Ok(mut token) = lexer.next_token() else { break };
        if token.kind == parser::token::T::Eof {
            break;
        }
        if token.end <= at {
            continue;
        }
        places.next();
        if token.start != at {
            continue;
        }
        // A sign is part of the number behind it.
        if text.as_bytes()[at] == b'-' {
            match lexer.next_token() {
                Ok(t) => token = t,
                Err(_) => break,
            }
        }
        n += 1;
        out.push_str(&text[copied..at]);
        out.push_str(&format!("${n}"));
        copied = token.end;
    }
    out.push_str(&text[copied..]);
    out
}

/// Fields that do not tell statements apart.
fn is_skipped(of: &str, key: &str) -> bool {
    match key {
        "location" | "typmod" | "col_typmods" | "col_types" | "col_collations" | "col_names" | "alias"
        | "eref_name" | "eref_cols" | "required_perms" | "check_as_user" | "selected_cols"
        | "inserted_cols" | "updated_cols" | "in_from" | "syn" | "orig" | "using" | "using_alias"
        | "alias_vars" | "merged_cols" | "view" | "lockmode" | "refcount" | "oper_name" | "form"
        | "refname" | "copied_order" | "multidims" => true,
        "collation" => of != "Collate",
        "name" => of != "CommonTableExpr" && of != "Cte",
        "value" => of == "Const",
        _ => false,
    }
}

/// What the number being written is, besides a part of the hash.
#[derive(Default, PartialEq)]
enum Kept {
    #[default]
    Nothing,
    /// A constant's position: no part of it.
    Position,
    ParamNumber,
}

#[derive(Default)]
struct Walk {
    hash: u64,
    constants: Vec<usize>,
    highest_param: u32,
    kept: Kept,
    /// The parameter being written is `$n`.
    external: bool,
}

impl Walk {
    fn mix(&mut self, v: u64) {
        // The multiply-and-shift steps of MurmurHash3's 64-bit finaliser, chained.
        let mut h = (self.hash.rotate_left(5) ^ v).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        h ^= h >> 33;
        self.hash = h.wrapping_add(0x9E37_79B9_7F4A_7C15);
    }
    fn bytes(&mut self, b: &[u8]) {
        for chunk in b.chunks(8) {
            let mut w = [0; 8];
            w[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(w));
        }
        self.mix(b.len() as u64);
    }
    fn number(&mut self, v: u64) {
        match self.kept {
            Kept::Position => self.constants.push(v as usize),
            Kept::ParamNumber => {
                if self.external {
                    self.highest_param = self.highest_param.max(v as u32);
                }
                self.mix(v);
            }
            Kept::Nothing => self.mix(v),
        }
    }
    fn id(&mut self) -> i64 {
        self.mix(0);
        match self.hash as i64 {
            0 => 1,
            id => id,
        }
    }
}

/// Never made.
#[derive(Debug)]
struct Never;

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a walk failed")
    }
}
impl std::error::Error for Never {}
impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Never {
        Never
    }
}

type Done = Result<(), Never>;

macro_rules! numbers {
    ($($f:ident $t:ty),*) => {$(
        fn $f(self, v: $t) -> Done {
            self.number(v as u64);
            Ok(())
        }
    )*};
}

impl<'w> ser::Serializer for &'w mut Walk {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = &'w mut Walk;
    type SerializeTuple = &'w mut Walk;
    type SerializeTupleStruct = &'w mut Walk;
    type SerializeTupleVariant = &'w mut Walk;
    type SerializeMap = &'w mut Walk;
    type SerializeStruct = Fields<'w>;
    type SerializeStructVariant = Fields<'w>;

    numbers! { serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_u8 u8,
    serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_char char }

    fn serialize_f32(self, v: f32) -> Done {
        self.mix(u64::from(v.to_bits()));
        Ok(())
    }
    fn serialize_f64(self, v: f64) -> Done {
        self.mix(v.to_bits());
        Ok(())
    }
    fn serialize_str(self, v: &str) -> Done {
        self.bytes(v.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Done {
        self.bytes(v);
        Ok(())
    }
    fn serialize_none(self) -> Done {
        if self.kept != Kept::Position {
            self.mix(0);
        }
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Done {
        if self.kept != Kept::Position {
            self.mix(1);
        }
        v.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }
    fn serialize_unit_variant(self, of: &'static str, i: u32, variant: &'static str) -> Done {
        if of == "ParamKind" {
            self.external = variant == "External";
        }
        self.mix(u64::from(i));
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Done {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        i: u32,
        _: &'static str,
        v: &T,
    ) -> Done {
        self.mix(u64::from(i));
        v.serialize(self)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<&'w mut Walk, Never> {
        self.mix(len.unwrap_or(0) as u64);
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<&'w mut Walk, Never> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<&'w mut Walk, Never> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        i: u32,
        _: &'static str,
        _: usize,
    ) -> Result<&'w mut Walk, Never> {
        self.mix(u64::from(i));
        Ok(self)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<&'w mut Walk, Never> {
        self.mix(len.unwrap_or(0) as u64);
        Ok(self)
    }
    fn serialize_struct(self, of: &'static str, _: usize) -> Result<Fields<'w>, Never> {
        Ok(Fields { walk: self, of })
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        i: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'w>, Never> {
        self.mix(u64::from(i));
        Ok(Fields { walk: self, of: variant })
    }
}

/// A struct being written.
struct Fields<'w> {
    walk: &'w mut Walk,
    of: &'static str,
}

impl Fields<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, v: &T) -> Done {
        let kept = match (self.of, key) {
            ("Const", "location") => Kept::Position,
            ("Param", "id") => Kept::ParamNumber,
            _ if is_skipped(self.of, key) => return Ok(()),
            _ => Kept::Nothing,
        };
        self.walk.kept = kept;
        let r = v.serialize(&mut *self.walk);
        self.walk.kept = Kept::Nothing;
        r
    }
}

macro_rules! elements {
    ($($trait:ident $f:ident),*) => {$(
        impl ser::$trait for &mut Walk {
            type Ok = ();
            type Error = Never;
            fn $f<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
                v.serialize(&mut **self)
            }
            fn end(self) -> Done {
                Ok(())
            }
        }
    )*};
}
elements! { SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
SerializeTupleVariant serialize_field }

impl ser::SerializeMap for &mut Walk {
    type Ok = ();
    type Error = Never;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, k: &T) -> Done {
        k.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Done {
        v.serialize(&mut **self)
    }
    fn end(self) -> Done {
        Ok(())
    }
}

macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Fields<'_> {
            type Ok = ();
            type Error = Never;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, v: &T) -> Done {
                self.field(key, v)
            }
            fn end(self) -> Done {
                Ok(())
            }
        }
    )*};
}
fields! { SerializeStruct, SerializeStructVariant }

#[cfg(test)]
mod tests {
    use super::*;

    fn of(constants: &[usize], highest_param: u32, location: (usize, usize)) -> Jumble {
        Jumble { id: 1, constants: constants.to_vec(), highest_param, location, lex: Default::default() }
    }

    #[test]
    fn constants_become_parameters() {
        let sql = "  select 1, -  2, 'a''b', $1 , E'x\\'y' ;";
        let at = |s: &str| sql.find(s).unwrap();
        let j = of(&[at("1,"), at("- "), at("'a"), at("E'")], 1, (0, sql.len() - 1));
        assert_eq!(normalize(sql, &j), "select $2, $3, $4, $1 , $5");
        let second = "select 1; select 22 from t";
        assert_eq!(normalize(second, &of(&[17], 0, (9, 0))), "select $1 from t");
        // A position that no token begins at is passed over.
        assert_eq!(normalize("select abc, 5", &of(&[8, 12], 0, (0, 0))), "select abc, $1");
    }

    #[test]
    fn texts_have_fixed_identifiers() {
        assert_eq!(text_id("begin"), text_id("begin"));
        assert_ne!(text_id("begin"), text_id("Begin"));
        assert_ne!(text_id(""), 0);
    }
}
