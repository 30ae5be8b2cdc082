//! `to_number`: reads a number by a picture, item by item, as leniently as PostgreSQL does.

use super::num::Num;
use super::parse_numeric;
use super::template::{Item, Picture, Place, parse};
use common::{Result, bail};

struct Reader<'a> {
    p: &'a Picture,
    text: Vec<char>,
    at: usize,
    sign: Option<char>,
    digits: String,
    pre: usize,
    post: usize,
    point: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }
    fn over(&self) -> bool {
        self.at >= self.text.len()
    }

    /// What belongs to a digit's place: a blank, the sign in front, a digit or the point, the sign behind. The caller steps
    /// over the last of these.
    fn place(&mut self, digit_item: bool) {
        if self.peek() == Some(' ') {
            self.at += 1;
        }
        if self.over() {
            return;
        }
        let nothing_read = self.pre + self.post == 0;
        if self.sign.is_none() && digit_item && nothing_read {
            let anchored = self.p.sign == Some(Place::Before);
            match self.peek() {
                Some('-') => self.take_sign('-'),
                Some('<') if self.p.bracket && !anchored => self.take_sign('-'),
                Some('+') => self.take_sign('+'),
                _ => {}
            }
        }
        let Some(c) = self.peek() else { return };
        let mut read = false;
        if c.is_ascii_digit() {
            if self.point && self.post == self.p.post {
                return;
            }
            self.digits.push(c);
            if self.point {
                self.post += 1
            } else {
                self.pre += 1
            }
            read = true;
        } else if self.p.point && !self.point && c == '.' {
            self.digits.push('.');
            self.point = true;
            read = true;
        }
        if self.sign.is_some() || self.pre + self.post == 0 {
            return;
        }
        if self.p.sign.is_some() {
            // The sign of S is right behind the last digit.
            if read && let Some(next @ ('-' | '+')) = self.text.get(self.at + 1).copied() {
                self.at += 1;
                self.sign = Some(next);
            }
        } else if !read && !self.p.plus && !self.p.minus && matches!(c, '-' | '+') {
            self.sign = Some(c);
        }
    }
    fn take_sign(&mut self, c: char) {
        self.sign = Some(c);
        self.at += 1;
    }

    /// Steps over characters that are no data.
    fn skip(&mut self, n: usize) {
        for _ in 0..n {
            match self.peek() {
                None | Some('0'..='9' | '.' | ',' | '+' | '-') => return,
                Some(_) => self.at += 1,
            }
        }
    }

    fn item(&mut self, item: Item) {
        let c = self.peek();
        match item {
            Item::Nine | Item::Zero => self.place(true),
            Item::Point => self.place(false),
            Item::Group if c == Some(',') => {}
            Item::Minus if c == Some('-') => self.sign = Some('-'),
            Item::Plus if c == Some('+') => self.sign = Some('+'),
            Item::SignGroup if matches!(c, Some('-' | '+')) => self.sign = c,
            Item::Minus | Item::Plus | Item::SignGroup | Item::Currency => return self.skip(1),
            Item::Ordinal(_) => return self.skip(2),
            Item::Text(_) => {}
            _ => return,
        }
        self.at += 1;
    }
}

/// Reads a number by a picture. 22P02.
pub fn numeric_to_number(text: &str, format: &str, out: &mut Vec<u8>) -> Result<bool> {
    if format.is_empty() {
        return Ok(false);
    }
    let p = parse(format)?;
    if p.roman {
        bail!(FEATURE_NOT_SUPPORTED, "\"RN\" not supported for input");
    }
    if p.exponent {
        bail!(FEATURE_NOT_SUPPORTED, "\"EEEE\" not supported for input");
    }
    let mut r = Reader {
        p: &p,
        text: text.chars().collect(),
        at: 0,
        sign: None,
        digits: String::new(),
        pre: 0,
        post: 0,
        point: false,
    };
    for item in &p.items {
        if r.over() {
            break;
        }
        r.item(*item);
    }
    let number = r.digits.strip_suffix('.').unwrap_or(&r.digits);
    let shown = format!("{}{number}", r.sign.unwrap_or(' '));
    let mut n = parse_numeric(&shown)?;
    if p.shift > 0 {
        let d = Num::from_i128(10i128.pow(p.shift.min(30) as u32));
        n = super::arith::div(&n, &d)?;
    }
    n.pack(out).map(|()| true)
}
