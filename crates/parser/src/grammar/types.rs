//! Type names, with the spellings that SQL gives to built-in types mapped to `pg_catalog` names.

use super::Parser;
use super::name::is_type_function_name;
use crate::ast::{AConst, Expr, TypeName, Value};
use crate::keywords::Kw;
use crate::token::T;
use common::{Report, Result, Severity, SqlState, err};

/// Bits of an interval's field mask, as `pg_attribute.atttypmod` packs them.
const MONTH: i32 = 1 << 1;
const YEAR: i32 = 1 << 2;
const DAY: i32 = 1 << 3;
const HOUR: i32 = 1 << 10;
const MINUTE: i32 = 1 << 11;
const SECOND: i32 = 1 << 12;
/// No restriction.
const FULL_RANGE: i32 = 0x7FFF;

/// Where a type name stands, for the few differences.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Any type.
    Type,
    /// Before a literal: `char 'x'` has no length.
    Literal,
}

pub(crate) fn int_const(value: i32, location: usize) -> Expr {
    Expr::AConst(AConst { val: Value::Integer(value), location })
}

/// `pg_catalog.name`
pub(crate) fn system_type(name: &str, location: usize) -> TypeName {
    TypeName { names: vec!["pg_catalog".to_string(), name.to_string()], location, ..TypeName::default() }
}

impl Parser<'_> {
    /// Any type: `[SETOF] simple [array bounds]`.
    pub(crate) fn type_name(&mut self) -> Result<TypeName> {
        let setof = self.eat_kw(Kw::Setof)?;
        let mut t = self.simple_type()?;
        t.setof = setof;
        if self.eat_kw(Kw::Array)? {
            let bound = if self.eat_char(b'[')? {
                let n = self.iconst()?;
                self.expect_char(b']')?;
                n
            } else {
                -1
            };
            t.array_bounds.push(bound);
            return Ok(t);
        }
        while self.eat_char(b'[')? {
            let bound = if self.at(T::IConst) { self.iconst()? } else { -1 };
            self.expect_char(b']')?;
            t.array_bounds.push(bound);
        }
        Ok(t)
    }

    pub(crate) fn simple_type(&mut self) -> Result<TypeName> {
        let location = self.tok.start;
        if let Some(kw) = self.kw()
            && let Some(t) = self.builtin_type(kw, Place::Type)?
        {
            return Ok(t);
        }
        if self.at_kw(Kw::Interval) {
            return self.interval_type();
        }
        self.generic_type(location)
    }

    /// A user-defined or otherwise ordinary type name.
    fn generic_type(&mut self, location: usize) -> Result<TypeName> {
        let mut names = vec![self.type_function_name()?];
        while self.eat_char(b'.')? {
            names.push(self.col_label()?);
        }
        let typmods = self.opt_type_modifiers()?;
        Ok(TypeName { names, typmods, location, ..TypeName::default() })
    }

    /// As [`Parser::type_name`], or `[SETOF] table.column%TYPE` with at least one dot.
    pub(crate) fn func_type(&mut self) -> Result<TypeName> {
        let location = self.tok.start;
        let setof = self.at_kw(Kw::Setof);
        let named =
            if setof { is_type_function_name(self.peek()) } else { is_type_function_name(self.tok.kind) };
        if !named {
            return self.type_name();
        }
        let mut t = self.type_name()?;
        let plain = t.array_bounds.is_empty() && t.typmods.is_empty() && t.names.len() > 1;
        if plain && self.at_char(b'%') {
            self.skip()?;
            self.expect_kw(Kw::Type)?;
            t.pct_type = true;
            t.location = location;
        }
        Ok(t)
    }

    /// `(expr, …)` behind a type name.
    fn opt_type_modifiers(&mut self) -> Result<Vec<Expr>> {
        if self.at_char(b'(') { self.paren_list(Self::a_expr) } else { Ok(Vec::new()) }
    }

    /// Whether the present keyword starts the type of a literal rather than a column name.
    pub(crate) fn starts_typed_literal(&mut self, kw: Kw) -> bool {
        let next = self.peek();
        match kw {
            Kw::Int | Kw::Integer | Kw::Smallint | Kw::Bigint | Kw::Real | Kw::Boolean => next == T::SConst,
            Kw::Double => next == T::Kw(Kw::Precision),
            Kw::Float | Kw::Decimal | Kw::Dec | Kw::Numeric | Kw::Varchar | Kw::Interval => {
                matches!(next, T::SConst | T::Char(b'('))
            }
            Kw::Bit | Kw::Character | Kw::Char | Kw::Nchar => {
                matches!(next, T::SConst | T::Char(b'(') | T::Kw(Kw::Varying))
            }
            Kw::National => matches!(next, T::Kw(Kw::Character | Kw::Char)),
            Kw::Time | Kw::Timestamp => {
                matches!(next, T::SConst | T::Char(b'(') | T::Kw(Kw::Without))
                    || (next == T::Kw(Kw::With) && self.third_is_time())
            }
            _ => false,
        }
    }

    /// The type of a literal such as `timestamp(3) '…'`; the caller has checked [`Parser::starts_typed_literal`].
    pub(crate) fn literal_type(&mut self, kw: Kw) -> Result<TypeName> {
        match self.builtin_type(kw, Place::Literal)? {
            Some(t) => Ok(t),
            None => Err(self.syntax_error()),
        }
    }

    /// A built-in type whose name is a keyword (all but INTERVAL).
    fn builtin_type(&mut self, kw: Kw, place: Place) -> Result<Option<TypeName>> {
        let at = self.tok.start;
        let fixed = match kw {
            Kw::Int | Kw::Integer => "int4",
            Kw::Smallint => "int2",
            Kw::Bigint => "int8",
            Kw::Real => "float4",
            Kw::Boolean => "bool",
            Kw::Double if self.peek_is_kw(Kw::Precision) => {
                self.skip()?;
                "float8"
            }
            Kw::Float => return self.float_type(at).map(Some),
            Kw::Decimal | Kw::Dec | Kw::Numeric => {
                self.skip()?;
                let mut t = system_type("numeric", at);
                t.typmods = self.opt_type_modifiers()?;
                return Ok(Some(t));
            }
            Kw::Bit => return self.bit_type(at, place).map(Some),
            Kw::Character | Kw::Char | Kw::Nchar | Kw::National | Kw::Varchar => {
                return self.character_type(at, place).map(Some);
            }
            Kw::Time | Kw::Timestamp => return self.datetime_type(kw, at).map(Some),
            _ => return Ok(None),
        };
        self.skip()?;
        Ok(Some(system_type(fixed, at)))
    }

    fn float_type(&mut self, at: usize) -> Result<TypeName> {
        self.skip()?;
        if !self.eat_char(b'(')? {
            return Ok(system_type("float8", at));
        }
        let digits_at = self.tok.start;
        let digits = self.iconst()?;
        self.expect_char(b')')?;
        if digits < 1 {
            return Err(err!(INVALID_PARAMETER_VALUE, "precision for type float must be at least 1 bit")
                .at(digits_at));
        }
        if digits >= 54 {
            let message = "precision for type float must be less than 54 bits";
            return Err(err!(INVALID_PARAMETER_VALUE, "{message}").at(digits_at));
        }
        Ok(system_type(if digits <= 24 { "float4" } else { "float8" }, at))
    }

    fn bit_type(&mut self, at: usize, place: Place) -> Result<TypeName> {
        self.skip()?;
        let varying = self.eat_kw(Kw::Varying)?;
        let mut t = system_type(if varying { "varbit" } else { "bit" }, at);
        if self.at_char(b'(') {
            t.typmods = self.paren_list(Self::a_expr)?;
        } else if !varying && place == Place::Type {
            t.typmods = vec![int_const(1, at)];
        }
        Ok(t)
    }

    fn character_type(&mut self, at: usize, place: Place) -> Result<TypeName> {
        let mut name = "bpchar";
        if self.eat_kw(Kw::National)? {
            if self.eat_one_of(&[Kw::Character, Kw::Char])?.is_none() {
                return Err(self.syntax_error());
            }
        } else if self.eat_kw(Kw::Varchar)? {
            name = "varchar";
        } else {
            self.skip()?;
        }
        if name == "bpchar" && self.eat_kw(Kw::Varying)? {
            name = "varchar";
        }
        let mut t = system_type(name, at);
        if self.eat_char(b'(')? {
            let n_at = self.tok.start;
            let n = self.iconst()?;
            self.expect_char(b')')?;
            t.typmods = vec![int_const(n, n_at)];
        } else if name == "bpchar" && place == Place::Type {
            t.typmods = vec![int_const(1, at)];
        }
        Ok(t)
    }

    fn datetime_type(&mut self, kw: Kw, at: usize) -> Result<TypeName> {
        self.skip()?;
        let mut typmods = Vec::new();
        if self.eat_char(b'(')? {
            let n_at = self.tok.start;
            let n = self.iconst()?;
            self.expect_char(b')')?;
            typmods.push(int_const(n, n_at));
        }
        let mut zone = false;
        if self.at_kw(Kw::With) && self.peek_is_kw(Kw::Time) {
            self.skip()?;
            self.expect_kws(&[Kw::Time, Kw::Zone])?;
            zone = true;
        } else if self.at_kw(Kw::Without) {
            self.skip()?;
            self.expect_kws(&[Kw::Time, Kw::Zone])?;
        }
        let mut t = system_type(
            match (kw, zone) {
                (Kw::Time, false) => "time",
                (Kw::Time, true) => "timetz",
                (_, false) => "timestamp",
                (_, true) => "timestamptz",
            },
            at,
        );
        t.typmods = typmods;
        Ok(t)
    }

    fn interval_type(&mut self) -> Result<TypeName> {
        let at = self.skip()?;
        let mut t = system_type("interval", at);
        if self.at_char(b'(') {
            t.typmods = self.interval_precision()?;
        } else {
            t.typmods = self.opt_interval_fields()?;
        }
        Ok(t)
    }

    /// `(n)` directly behind INTERVAL.
    pub(crate) fn interval_precision(&mut self) -> Result<Vec<Expr>> {
        self.expect_char(b'(')?;
        let n_at = self.tok.start;
        let n = self.iconst()?;
        self.expect_char(b')')?;
        Ok(vec![int_const(FULL_RANGE, n_at), int_const(n, n_at)])
    }

    /// `YEAR`, `DAY TO SECOND(3)` … or nothing.
    pub(crate) fn opt_interval_fields(&mut self) -> Result<Vec<Expr>> {
        let at = self.tok.start;
        let Some(first) =
            self.eat_one_of(&[Kw::Year, Kw::Month, Kw::Day, Kw::Hour, Kw::Minute, Kw::Second])?
        else {
            return Ok(Vec::new());
        };
        if first == Kw::Second {
            return self.interval_second(SECOND, at);
        }
        let to: &[Kw] = match first {
            Kw::Year => &[Kw::Month],
            Kw::Day => &[Kw::Hour, Kw::Minute, Kw::Second],
            Kw::Hour => &[Kw::Minute, Kw::Second],
            Kw::Minute => &[Kw::Second],
            _ => &[],
        };
        let mut mask = field_bit(first);
        if !to.is_empty() && self.at_kw(Kw::To) {
            self.skip()?;
            let Some(last) = self.eat_one_of(to)? else {
                return Err(self.syntax_error());
            };
            mask |= match (first, last) {
                (Kw::Year, _) => MONTH,
                (Kw::Day, Kw::Hour) => HOUR,
                (Kw::Day, Kw::Minute) => HOUR | MINUTE,
                (Kw::Day, _) => HOUR | MINUTE | SECOND,
                (Kw::Hour, Kw::Minute) => MINUTE,
                (Kw::Hour, _) => MINUTE | SECOND,
                _ => SECOND,
            };
            if last == Kw::Second {
                return self.interval_second(mask, at);
            }
        }
        Ok(vec![int_const(mask, at)])
    }

    fn interval_second(&mut self, mask: i32, at: usize) -> Result<Vec<Expr>> {
        let mut typmods = vec![int_const(mask, at)];
        if self.eat_char(b'(')? {
            let n_at = self.tok.start;
            let n = self.iconst()?;
            self.expect_char(b')')?;
            typmods.push(int_const(n, n_at));
        }
        Ok(typmods)
    }

    /// Warns that GLOBAL says nothing about a temporary table.
    pub(crate) fn warn_global_temp(&mut self, at: usize) {
        let message = "GLOBAL is deprecated in temporary table creation";
        let mut report = Report::new(Severity::Warning, SqlState::WARNING, message);
        report.position = Some(at);
        self.warning(report);
    }
}

fn field_bit(kw: Kw) -> i32 {
    match kw {
        Kw::Year => YEAR,
        Kw::Month => MONTH,
        Kw::Day => DAY,
        Kw::Hour => HOUR,
        Kw::Minute => MINUTE,
        _ => SECOND,
    }
}
