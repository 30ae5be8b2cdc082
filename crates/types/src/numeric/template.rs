//! to_char over numbers. The digits are prepared as text, rounded to the places the picture has; a [`Painter`] then walks the
//! picture's items beside them.

use super::num::Num;
use super::picture::{Item, Picture, Place, parse};
use common::{Result, err};

/// What is painted: text of digits, its sign, and the blanks in front of it.
struct Digits {
    text: String,
    sign: u8,
    blanks: usize,
}

/// Fits unsigned digits to the picture: blanks in front, or `#` where they have too many places before the point.
fn fit(p: &Picture, text: String, negative: bool) -> Digits {
    let sign = if negative { b'-' } else { b'+' };
    let len = text.find('.').unwrap_or(text.len());
    if len > p.pre {
        let text = format!("{}.{}", "#".repeat(p.pre), "#".repeat(p.post));
        return Digits { text, sign, blanks: 0 };
    }
    Digits { text, sign, blanks: p.pre - len }
}

fn plain(text: String) -> Digits {
    Digits { text, sign: 0, blanks: 0 }
}

/// Sign or blank, digit, point, digits: what EEEE shows of NaN and infinities.
fn no_exponent(p: &Picture) -> Digits {
    plain(format!(" {}.{}", "#".repeat(p.pre), "#".repeat(p.post + 4)))
}

fn blank_for_plus(text: String) -> Digits {
    plain(if text.starts_with('-') { text } else { format!(" {text}") })
}

/// Roman numerals of 1 to 3999.
fn roman(v: i64) -> Digits {
    const STEPS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..4000).contains(&v) {
        return plain("#".repeat(15));
    }
    let (mut v, mut s) = (v, String::new());
    for (n, w) in STEPS {
        while v >= n {
            s.push_str(w);
            v -= n;
        }
    }
    plain(s)
}

/// Mantissa and exponent for EEEE.
fn exponent_form(n: &Num, post: usize) -> String {
    let mut e = 0;
    let mut d = "0".repeat(post + 1);
    // Rounding may carry into another digit.
    if !n.is_zero() {
        let exact: String = {
            let mut m = n.clone();
            m.neg = false;
            m.to_string()
        };
        let (int, frac) = exact.split_once('.').unwrap_or((&exact, ""));
        let t = int.trim_start_matches('0');
        e = if t.is_empty() {
            -(frac.bytes().take_while(|c| *c == b'0').count() as i32) - 1
        } else {
            t.len() as i32 - 1
        };
        let mut m = n.clone();
        m.neg = false;
        m.round(post as i32 - e);
        let digits: String = m.to_string().chars().filter(char::is_ascii_digit).collect();
        d = digits.trim_start_matches('0').to_string();
        if e > post as i32 {
            d.truncate(d.len().min(post + 1 + usize::from(d.len() as i32 > e + 1)));
        }
        if d.len() > post + 1 {
            d.truncate(post + 1);
            e += 1;
        }
        while d.len() < post + 1 {
            d.push('0');
        }
    }
    let sign = if n.signum() < 0 { "-" } else { "" };
    let dot = if post > 0 { "." } else { "" };
    let esign = if e < 0 { '-' } else { '+' };
    format!("{sign}{}{dot}{}e{esign}{:02}", &d[..1], &d[1..], e.abs())
}

/// `st`, `nd`, `rd` or `th` behind digits. 22P02.
fn ordinal(digits: &str, upper: bool) -> Result<String> {
    let b = digits.as_bytes();
    let last = b.last().copied().unwrap_or(0);
    if !last.is_ascii_digit() {
        return Err(err!(INVALID_TEXT_REPRESENTATION, "\"{}\" is not a number", digits));
    }
    let teen = b.len() > 1 && b[b.len() - 2] == b'1';
    let s = match last {
        b'1' if !teen => "st",
        b'2' if !teen => "nd",
        b'3' if !teen => "rd",
        _ => "th",
    };
    Ok(if upper { s.to_ascii_uppercase() } else { s.to_string() })
}

/// A painted NUL ends the text, as does running out of digits.
fn paint(mut p: Picture, d: Digits, out: &mut Vec<u8>) -> Result<()> {
    if p.exponent {
        out.extend_from_slice(d.text.as_bytes());
        return Ok(());
    }
    if p.roman {
        let (items, fill) = (std::mem::take(&mut p.items), p.fill);
        p = Picture { items, fill, roman: true, ..Picture::default() };
    }
    let mut painter = Painter::new(&mut p, d);
    let items = std::mem::take(&mut painter.p.items);
    for item in &items {
        painter.item(*item)?;
    }
    let text = painter.out;
    let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
    out.extend_from_slice(&text[..end]);
    Ok(())
}

struct Painter<'p> {
    p: &'p mut Picture,
    d: Digits,
    out: Vec<u8>,
    sign_done: bool,
    /// Where fill mode lets the digits end.
    last_relevant: Option<usize>,
    /// The next digit.
    at: usize,
    /// Digit places walked by, and how many there are, one more where the sign needs room.
    place: usize,
    count: usize,
    /// A digit stands right before.
    within: bool,
}

impl<'p> Painter<'p> {
    fn new(p: &'p mut Picture, d: Digits) -> Painter<'p> {
        let sign_done;
        if p.plus || p.minus {
            // MI and SG paint the sign themselves.
            sign_done = p.minus;
        } else {
            if d.sign != b'-' && p.fill {
                p.bracket = false;
            }
            sign_done = d.sign == b'+' && p.fill && p.sign.is_none();
            if p.sign == Some(Place::Before) && p.pre == p.before_sign {
                p.sign = Some(Place::After);
            }
        }
        let mut last_relevant = None;
        if p.fill
            && p.point
            && let Some(point) = d.text.find('.')
        {
            let mut last = d.text.trim_end_matches('0').len().saturating_sub(1).max(point);
            if p.zero_end > d.blanks {
                last = last.max((d.text.len() - 1).min(p.zero_end - d.blanks));
            }
            last_relevant = Some(last);
        }
        let extra = usize::from(!sign_done && d.blanks == 0);
        let count = p.post + p.pre + extra;
        Painter { p, d, out: Vec::new(), sign_done, last_relevant, at: 0, place: 0, count, within: false }
    }

    fn digit(&self, at: usize) -> u8 {
        self.d.text.as_bytes().get(at).copied().unwrap_or(0)
    }
    fn ends_at_point(&self) -> bool {
        self.last_relevant.is_some_and(|l| self.digit(l) == b'.')
    }
    /// The lone zero in front of a point, which is not painted.
    fn lone_zero(&self) -> bool {
        !self.p.zero && self.at == 0 && self.digit(0) == b'0' && self.p.post != 0
    }

    fn item(&mut self, item: Item) -> Result<()> {
        let (fill, sign) = (self.p.fill, self.d.sign);
        match item {
            Item::Nine | Item::Zero | Item::Point => self.digit_place(item),
            Item::Comma | Item::Group if self.within => self.out.push(b','),
            Item::Comma | Item::Group => self.blank(),
            Item::Currency => self.out.push(b' '),
            Item::Minus if sign == b'-' => self.out.push(b'-'),
            Item::Plus if sign == b'+' => self.out.push(b'+'),
            Item::Minus | Item::Plus => self.blank(),
            Item::SignGroup => self.out.push(sign),
            Item::Ordinal(upper) => {
                if !self.p.roman && self.digit(0) != b'#' && sign != b'-' && !self.p.point {
                    self.out.extend_from_slice(ordinal(&self.d.text, upper)?.as_bytes());
                }
            }
            Item::Roman(upper) => {
                let rest = &self.d.text[self.at.min(self.d.text.len())..];
                let text = if upper { rest.to_string() } else { rest.to_ascii_lowercase() };
                let text = if fill { text } else { format!("{text:>15}") };
                self.out.extend_from_slice(text.as_bytes());
            }
            Item::Text(c) => self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Item::Nothing => {}
        }
        Ok(())
    }

    /// A blank, which fill mode leaves out.
    fn blank(&mut self) {
        if !self.p.fill {
            self.out.push(b' ');
        }
    }

    fn sign_before(&mut self) {
        let negative = self.d.sign == b'-';
        match self.p.sign {
            Some(Place::Before) => self.out.push(if negative { b'-' } else { b'+' }),
            Some(Place::After) => return,
            None if self.p.bracket => self.out.push(if self.d.sign == b'+' { b' ' } else { b'<' }),
            None if self.d.sign == b'+' => self.blank(),
            None if negative => self.out.push(b'-'),
            None => return,
        }
        self.sign_done = true;
    }

    fn digit_place(&mut self, item: Item) {
        if self.p.roman {
            return;
        }
        self.within = false;
        let zero_here = self.p.zero && self.p.zero_start <= self.place;
        let started = self.place >= self.d.blanks || self.p.zero && self.p.zero_start == self.place;
        if !self.sign_done && started && (!self.lone_zero() || self.ends_at_point()) {
            self.sign_before();
        }
        if self.place < self.d.blanks {
            if zero_here {
                self.out.push(b'0');
                self.within = true;
            } else {
                self.blank();
            }
        } else {
            self.shown_digit(item);
            if self.digit(self.at) != 0 {
                self.at += 1;
            }
        }
        let end = self.count + usize::from(self.d.blanks > 0) + usize::from(self.p.point);
        if self.place + 2 == end && self.last_relevant != Some(self.at) {
            self.sign_after();
        }
        self.place += 1;
    }

    fn shown_digit(&mut self, item: Item) {
        let c = self.digit(self.at);
        if c == b'.' {
            if !self.ends_at_point() || self.p.fill {
                self.out.push(b'.');
            }
        } else if self.last_relevant.is_some_and(|l| self.at > l) && item != Item::Zero {
            // A trailing zero in fill mode.
        } else if self.lone_zero() {
            if !self.p.fill {
                self.out.push(b' ');
            } else if self.ends_at_point() {
                self.out.push(b'0');
            }
        } else {
            self.out.push(c);
            self.within = true;
        }
    }

    fn sign_after(&mut self) {
        if self.sign_done && self.p.bracket {
            self.out.push(if self.d.sign == b'+' { b' ' } else { b'>' });
        } else if self.p.sign == Some(Place::After) {
            self.out.push(if self.d.sign == b'-' { b'-' } else { b'+' });
        }
    }
}

/// A float: digits as C's printf rounds them, no more than the type holds.
fn float_to_char(v: f64, max_digits: usize, format: &str, out: &mut Vec<u8>) -> Result<()> {
    let mut p = parse(format)?;
    if p.roman {
        return paint(p, roman(v.round_ties_even() as i32 as i64), out);
    }
    if p.exponent {
        let d = if v.is_finite() { blank_for_plus(c_exponent(v, p.post)) } else { no_exponent(&p) };
        return paint(p, d, out);
    }
    let mut v = v;
    if p.multi {
        let by = 10f64.powi(p.shift as i32);
        v = if max_digits == 6 { f64::from(v as f32 * by as f32) } else { v * by };
        p.pre += p.shift;
    }
    let (mut text, mut negative) = ("NaN".to_string(), false);
    if v.is_infinite() {
        (text, negative) = ("Infinity".into(), v < 0.0);
    }
    let len = if v.is_finite() { format!("{:.0}", v.abs()).len() } else { text.len() };
    p.post = p.post.min(max_digits.saturating_sub(len));
    if v.is_finite() {
        let shown = format!("{v:.post$}", post = p.post);
        negative = shown.starts_with('-');
        text = shown.trim_start_matches('-').to_string();
    }
    let d = fit(&p, text, negative);
    paint(p, d, out)
}

/// As C's `%.*e`.
fn c_exponent(v: f64, post: usize) -> String {
    let s = format!("{v:.post$e}");
    let (mantissa, e) = s.split_once('e').unwrap_or((&s, "0"));
    let (sign, e) = e.strip_prefix('-').map_or(('+', e), |e| ('-', e));
    format!("{mantissa}e{sign}{e:0>2}")
}

/// An integer times a power of ten: of four bytes it wraps around, of eight it must fit. 22003.
fn shifted(v: i64, shift: usize, limit: i64) -> Result<i64> {
    let by = u32::try_from(shift).ok().and_then(|n| 10i64.checked_pow(n)).filter(|n| *n <= limit);
    if limit < i64::MAX {
        let by = by.unwrap_or(i64::from(i32::MIN)) as i32;
        return Ok(i64::from((v as i32).wrapping_mul(by)));
    }
    by.and_then(|by| v.checked_mul(by)).ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))
}

/// An integer of a type with this limit.
fn int_to_char(v: i64, limit: i64, format: &str, out: &mut Vec<u8>) -> Result<()> {
    let mut p = parse(format)?;
    if p.roman {
        return paint(p, roman(v), out);
    }
    if p.exponent {
        let d = blank_for_plus(exponent_form(&Num::from_i64(v), p.post));
        return paint(p, d, out);
    }
    let mut v = v;
    if p.multi {
        v = shifted(v, p.shift, limit)?;
        p.pre += p.shift;
    }
    let mut text = v.unsigned_abs().to_string();
    if p.post > 0 {
        text = format!("{text}.{}", "0".repeat(p.post));
    }
    let d = fit(&p, text, v < 0);
    paint(p, d, out)
}

pub fn numeric_to_char(n: &[u8], format: &str, out: &mut Vec<u8>) -> Result<()> {
    let mut p = parse(format)?;
    let mut n = Num::unpack(n)?;
    if p.roman {
        n.round(0);
        let mut packed = Vec::new();
        n.pack(&mut packed)?;
        return paint(p, roman(i64::from(super::convert::numeric_int4(&packed)?)), out);
    }
    if p.exponent {
        let d = if n.is_finite() { blank_for_plus(exponent_form(&n, p.post)) } else { no_exponent(&p) };
        return paint(p, d, out);
    }
    if p.multi {
        if n.is_finite() {
            n = super::arith::mul_exact(
                &n,
                &super::math::power(&Num::from_i64(10), &Num::from_i64(p.shift as i64))?,
            );
        }
        p.pre += p.shift;
    }
    if n.is_finite() {
        n.round(p.post as i32);
    }
    let text = n.to_string();
    let d = fit(&p, text.trim_start_matches('-').to_string(), text.starts_with('-'));
    paint(p, d, out)
}
pub fn int4_to_char(n: i32, format: &str, out: &mut Vec<u8>) -> Result<()> {
    int_to_char(i64::from(n), i64::from(i32::MAX), format, out)
}
pub fn int8_to_char(n: i64, format: &str, out: &mut Vec<u8>) -> Result<()> {
    int_to_char(n, i64::MAX, format, out)
}
pub fn float4_to_char(n: f32, format: &str, out: &mut Vec<u8>) -> Result<()> {
    float_to_char(f64::from(n), 6, format, out)
}
pub fn float8_to_char(n: f64, format: &str, out: &mut Vec<u8>) -> Result<()> {
    float_to_char(n, 15, format, out)
}
