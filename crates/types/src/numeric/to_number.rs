//! `to_number`: reads a number by a picture, item by item, as leniently as PostgreSQL does.

use super::num::Num;
use super::parse_numeric;
use super::picture::{Item, Picture, Place, parse};
use common::{Result, bail};

struct Reader<'a> {
    p: &'a Picture,
    text: &'a [u8],
    at: usize,
    sign: Option<u8>,
    digits: String,
    pre: usize,
    post: usize,
    point: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
    /// Steps over a whole character.
    fn step(&mut self) {
        self.at += 1;
        while self.peek().is_some_and(|b| b & 0xC0 == 0x80) {
            self.at += 1;
        }
    }

    /// What belongs to a digit's place: a blank, the sign in front, a digit or the point, the sign behind. The caller steps
    /// over the last of these.
    fn place(&mut self, digit_item: bool) {
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if self.sign.is_none() && digit_item && self.pre + self.post == 0 {
            let anchored = self.p.sign == Some(Place::Before);
            match self.peek() {
                Some(b'<') if self.p.bracket && !anchored => self.take_sign(b'-'),
                Some(c @ (b'-' | b'+')) => self.take_sign(c),
                _ => {}
            }
        }
        let Some(c) = self.peek() else { return };
        let mut read = false;
        if c.is_ascii_digit() {
            if self.point && self.post == self.p.post {
                return;
            }
            self.digits.push(c as char);
            if self.point {
                self.post += 1
            } else {
                self.pre += 1
            }
            read = true;
        } else if self.p.point && !self.point && c == b'.' {
            self.digits.push('.');
            self.point = true;
            read = true;
        }
        if self.sign.is_some() || self.pre + self.post == 0 {
            return;
        }
        if self.p.sign.is_some() {
            // The sign of S is right behind the last digit.
            if read && let Some(next @ (b'-' | b'+')) = self.text.get(self.at + 1).copied() {
                self.at += 1;
                self.sign = Some(next);
            }
        } else if !read && (self.p.plus || self.p.minus) && matches!(c, b'-' | b'+') {
            self.sign = Some(c);
        }
    }
    fn take_sign(&mut self, c: u8) {
        self.sign = Some(c);
        self.at += 1;
    }

    /// Steps over characters that are no data.
    fn skip(&mut self, n: usize) {
        for _ in 0..n {
            match self.peek() {
                None | Some(b'0'..=b'9' | b'.' | b',' | b'+' | b'-') => return,
                Some(_) => self.step(),
            }
        }
    }

    fn item(&mut self, item: Item) {
        let c = self.peek();
        match item {
            Item::Nine | Item::Zero => self.place(true),
            Item::Point => self.place(false),
            Item::Comma | Item::Group if c == Some(b',') && !self.p.fill => {}
            Item::Minus if c == Some(b'-') => self.sign = c,
            Item::Plus if c == Some(b'+') => self.sign = c,
            Item::SignGroup if matches!(c, Some(b'-' | b'+')) => self.sign = c,
            Item::Minus | Item::Plus | Item::SignGroup | Item::Currency => return self.skip(1),
            Item::Ordinal(_) if !self.p.point => return self.skip(2),
            Item::Text(_) => return self.step(),
            _ => return,
        }
        self.at += 1;
    }
}

/// Reads a number by a picture. 22P02, 22003.
pub fn numeric_to_number(text: &str, format: &str, out: &mut Vec<u8>) -> Result<bool> {
    if format.is_empty() {
        return Ok(false);
    }
    let p = parse(format)?;
    if p.exponent {
        bail!(FEATURE_NOT_SUPPORTED, "\"EEEE\" not supported for input");
    }
    if p.roman {
        bail!(FEATURE_NOT_SUPPORTED, "\"RN\" not supported for input");
    }
    let mut r = Reader {
        p: &p,
        text: text.as_bytes(),
        at: 0,
        sign: None,
        digits: String::new(),
        pre: 0,
        post: 0,
        point: false,
    };
    for item in &p.items {
        if r.at >= r.text.len() {
            break;
        }
        r.item(*item);
    }
    let number = r.digits.strip_suffix('.').unwrap_or(&r.digits);
    let shown = format!("{}{number}", r.sign.map_or(' ', char::from));
    // The picture's places are a declared precision.
    let (precision, scale) = ((p.pre + p.shift + r.post) as i32, r.post as i32);
    let mut n = super::typmod::apply_typmod(parse_numeric(&shown)?, ((precision << 16) | scale) + 4)?;
    if p.multi {
        n = super::arith::div(&n, &super::math::power(&Num::from_i64(10), &Num::from_i64(p.shift as i64))?)?;
    }
    n.pack(out).map(|()| true)
}
