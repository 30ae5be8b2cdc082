//! Bracket expressions.

use super::ast::Ast;
use super::charset::{CharSet, Class, collating_element};
use super::flags::Flavour;
use super::parse::{BAD_ESCAPE, Escape, Parser, invalid};
use common::Result;

const BAD_BRACKET: &str = "brackets [] not balanced";
const BAD_RANGE: &str = "invalid character range";

/// An end of a range, or what cannot be one.
enum Item {
    Char(char),
    Impossible,
    Class(Class, bool),
}

impl Parser {
    /// A bracket expression, behind `[`.
    pub(super) fn bracket(&mut self) -> Result<Ast> {
        let mut set = CharSet { fold_case: self.flags.fold_case, ..CharSet::default() };
        if self.eat("^") {
            set.negated = true;
            set.no_newline = self.flags.newline_stops;
        }
        let mut first = true;
        loop {
            match self.peek() {
                None => return Err(invalid(BAD_BRACKET)),
                Some(']') if !first => break,
                Some('-') if !first && self.text.get(self.at + 1) != Some(&']') => {
                    return Err(invalid(BAD_RANGE));
                }
                _ => self.bracket_part(&mut set)?,
            }
            first = false;
        }
        self.at += 1;
        Ok(self.set(set))
    }

    fn bracket_part(&mut self, set: &mut CharSet) -> Result<()> {
        let from = match self.bracket_item()? {
            Item::Char(c) => c,
            Item::Impossible => return Ok(()),
            Item::Class(k, complement) => {
                let any_case = self.flags.fold_case && matches!(k, Class::Lower | Class::Upper);
                set.classes.push((if any_case { Class::Alpha } else { k }, complement));
                return Ok(());
            }
        };
        if self.peek() != Some('-') || self.text.get(self.at + 1) == Some(&']') {
            set.ranges.push((from, from));
            return Ok(());
        }
        self.at += 1;
        let to = match self.peek() {
            None => return Err(invalid(BAD_BRACKET)),
            _ => self.bracket_item()?,
        };
        match to {
            Item::Char(to) if from <= to => set.ranges.push((from, to)),
            Item::Impossible => set.ranges.push((from, char::MAX)),
            _ => return Err(invalid(BAD_RANGE)),
        }
        Ok(())
    }

    fn bracket_item(&mut self) -> Result<Item> {
        let Some(c) = self.peek() else { return Err(invalid(BAD_BRACKET)) };
        self.at += 1;
        match (c, self.peek()) {
            ('[', None) => Err(invalid(BAD_BRACKET)),
            ('[', Some(kind @ ('.' | '=' | ':'))) => {
                self.at += 1;
                self.named_item(kind)
            }
            ('\\', _) if self.flags.flavour == Flavour::Advanced => Ok(match self.escape()? {
                Escape::Char(c) => Item::Char(c),
                Escape::Impossible => Item::Impossible,
                Escape::Class(k, complement) => Item::Class(k, complement),
                Escape::Place(_) | Escape::Back(_) => return Err(invalid(BAD_ESCAPE)),
            }),
            _ => Ok(Item::Char(c)),
        }
    }

    /// `[.name.]`, `[=name=]` or `[:name:]`, behind the opening.
    fn named_item(&mut self, kind: char) -> Result<Item> {
        let start = self.at;
        while !self.looking_at(&format!("{kind}]")) {
            if self.peek().is_none() {
                return Err(invalid(BAD_BRACKET));
            }
            self.at += 1;
        }
        let name: String = self.text[start..self.at].iter().collect();
        self.at += 2;
        if kind == ':' {
            return Class::of(&name)
                .map(|k| Item::Class(k, false))
                .ok_or_else(|| invalid("invalid character class"));
        }
        collating_element(&name).map(Item::Char).ok_or_else(|| invalid("invalid collating element"))
    }
}
