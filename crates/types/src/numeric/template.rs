//! to_char and to_number over numbers.

use super::convert::format_g;
use super::io::parse_numeric;
use super::num::Num;
use common::{Result, err};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    Nine,
    Zero,
    Point,
    Group,
    Minus,
    Plus,
    SignGroup,
    Sign,
    Bracket,
    Currency,
    Ordinal(bool),
    Roman(bool),
    Shift,
    Exponent,
    Text(char),
}

#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) items: Vec<Item>,
    /// Digits before the point, behind it, and behind V.
    pub(super) pre: usize,
    pub(super) post: usize,
    pub(super) shift: usize,
    pub(super) point: bool,
    fill: bool,
    zero_from: Option<usize>,
    zero_to: usize,
    pub(super) sign: Option<Place>,
    pub(super) bracket: bool,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) roman: bool,
    pub(super) exponent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Before,
    After,
}

fn syntax(text: &str) -> common::Error {
    err!(SYNTAX_ERROR, "{}", text)
}

static WORDS: &[(&str, Item)] = &[
    ("EEEE", Item::Exponent),
    ("PL", Item::Plus),
    ("PR", Item::Bracket),
    ("MI", Item::Minus),
    ("RN", Item::Roman(true)),
    ("SG", Item::SignGroup),
    ("TH", Item::Ordinal(true)),
    (",", Item::Group),
    (".", Item::Point),
    ("0", Item::Zero),
    ("9", Item::Nine),
    ("B", Item::Text('\0')),
    ("C", Item::Text('\0')),
    ("D", Item::Point),
    ("G", Item::Group),
    ("L", Item::Currency),
    ("S", Item::Sign),
    ("V", Item::Shift),
];

pub(super) fn parse(format: &str) -> Result<Picture> {
    let mut p = Picture::default();
    let mut rest = format;
    while !rest.is_empty() {
        if let Some(r) = rest.strip_prefix("FM").or(rest.strip_prefix("fm")) {
            p.fill = true;
            rest = r;
            continue;
        }
        if let Some(q) = rest.strip_prefix('"') {
            let end = q.find('"').unwrap_or(q.len());
            p.items.extend(q[..end].chars().map(Item::Text));
            rest = q.get(end + 1..).unwrap_or("");
            continue;
        }
        let hit =
            WORDS.iter().find(|(w, _)| rest.starts_with(w) || rest.starts_with(&w.to_ascii_lowercase()));
        let Some((w, item)) = hit else {
            let c = rest.chars().next().unwrap_or(' ');
            let mut skip = c.len_utf8();
            let mut c = c;
            if c == '\\' && rest[1..].starts_with('"') {
                c = '"';
                skip = 2;
            }
            p.items.push(Item::Text(c));
            rest = &rest[skip..];
            continue;
        };
        let lower = !rest.starts_with(w);
        rest = &rest[w.len()..];
        let item = match item {
            Item::Ordinal(_) => Item::Ordinal(!lower),
            Item::Roman(_) => Item::Roman(!lower),
            other => *other,
        };
        if item != Item::Text('\0') {
            p.add(item)?;
        }
    }
    if p.exponent && (p.fill || p.sign.is_some() || p.bracket || p.minus || p.plus || p.roman || p.shift > 0)
    {
        return Err(syntax("\"EEEE\" is incompatible with other formats")
            .detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
    }
    Ok(p)
}

impl Picture {
    fn add(&mut self, item: Item) -> Result<()> {
        if self.exponent && item != Item::Exponent {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        match item {
            Item::Nine => {
                if self.bracket {
                    return Err(syntax("\"9\" must be ahead of \"PR\""));
                }
                self.digit();
            }
            Item::Zero => {
                if self.bracket {
                    return Err(syntax("\"0\" must be ahead of \"PR\""));
                }
                if !self.point && self.zero_from.is_none() {
                    self.zero_from = Some(self.pre);
                }
                self.digit();
                self.zero_to = self.pre + self.post;
            }
            Item::Point => {
                if self.point {
                    return Err(syntax("multiple decimal points"));
                }
                if self.shift > 0 || self.items.contains(&Item::Shift) {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.point = true;
            }
            Item::Sign => {
                if self.sign.is_some() {
                    return Err(syntax("cannot use \"S\" twice"));
                }
                if self.plus || self.minus || self.bracket {
                    return Err(syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
                }
                self.sign = Some(if self.pre == 0 && !self.point { Place::Before } else { Place::After });
            }
            Item::Minus | Item::Plus | Item::SignGroup => {
                if self.sign.is_some() {
                    let w = match item {
                        Item::Minus => "MI",
                        Item::Plus => "PL",
                        _ => "SG",
                    };
                    return Err(syntax(&format!("cannot use \"S\" and \"{w}\" together")));
                }
                self.minus |= item != Item::Plus;
                self.plus |= item != Item::Minus;
            }
            Item::Bracket => {
                if self.sign.is_some() || self.plus || self.minus {
                    return Err(syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
                }
                self.bracket = true;
            }
            Item::Roman(_) => self.roman = true,
            Item::Shift if self.point => {
                return Err(syntax("cannot use \"V\" and decimal point together"));
            }
            Item::Exponent => {
                if self.exponent {
                    return Err(syntax("cannot use \"EEEE\" twice"));
                }
                self.exponent = true;
            }
            _ => {}
        }
        self.items.push(item);
        Ok(())
    }
    fn digit(&mut self) {
        if self.items.contains(&Item::Shift) {
            self.shift += 1;
        } else if self.point {
            self.post += 1;
        } else {
            self.pre += 1;
        }
    }
}

fn roman(v: i64, upper: bool, fill: bool) -> String {
    let mut s = String::new();
    if (1..4000).contains(&v) {
        let mut v = v;
        for (n, w) in [
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
        ] {
            while v >= n {
                s.push_str(w);
                v -= n;
            }
        }
    } else {
        s = "#".repeat(15);
    }
    if !upper {
        s = s.to_ascii_lowercase();
    }
    if fill { s } else { format!("{s:>15}") }
}

/// Mantissa and exponent for EEEE.
fn exponent_form(n: &Num, post: usize) -> String {
    if !n.is_finite() {
        return format!(" #.{}", "#".repeat(post + 4));
    }
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
    let sign = if n.signum() < 0 { '-' } else { ' ' };
    let dot = if post > 0 { "." } else { "" };
    let esign = if e < 0 { '-' } else { '+' };
    format!("{sign}{}{dot}{}e{esign}{:02}", &d[..1], &d[1..], e.abs())
}

/// Formats a number by a picture.
fn format_number(n: &Num, p: &Picture) -> String {
    if p.exponent {
        return exponent_form(n, p.post);
    }
    if p.roman {
        let v = if n.is_finite() { n.to_i128().map_or(0, |v| v.clamp(-1, 5000) as i64) } else { 0 };
        let upper = !p.items.contains(&Item::Roman(false));
        return roman(v, upper, p.fill);
    }
    let neg = n.signum() < 0 && !n.is_nan();
    let (int, frac, overflow) = digits_of(n, p);
    let zero_result = int.trim_start_matches('0').is_empty() && frac.bytes().all(|c| c == b'0');
    let neg = neg && (!zero_result || overflow);
    paint(p, neg, int, frac)
}

fn paint(p: &Picture, neg: bool, int: String, frac: String) -> String {
    Painter { p, neg, int, frac, out: String::new(), sign_done: p.minus, place: 0 }.run()
}

/// Rounded digits before and behind the point; `#` when they do not fit.
fn digits_of(n: &Num, p: &Picture) -> (String, String, bool) {
    let pre = p.pre + p.shift;
    if n.is_nan() && pre >= 3 {
        return ("NaN".into(), String::new(), true);
    }
    if !n.is_finite() {
        return ("#".repeat(pre), "#".repeat(p.post), true);
    }
    let mut v = n.clone();
    if p.shift > 0 {
        v = super::arith::mul_exact(&v, &Num::from_i128(10i128.pow(p.shift.min(30) as u32)));
    }
    v.neg = false;
    v.round(p.post as i32);
    let text = v.to_string();
    let (int, frac) = text.split_once('.').unwrap_or((&text, ""));
    if int.len() > pre && !(int == "0" && pre == 0) {
        return ("#".repeat(pre), "#".repeat(p.post), true);
    }
    (int.to_string(), frac.to_string(), false)
}

struct Painter<'p> {
    p: &'p Picture,
    neg: bool,
    int: String,
    frac: String,
    out: String,
    sign_done: bool,
    /// Digit places painted so far.
    place: usize,
}

impl Painter<'_> {
    fn run(mut self) -> String {
        let p = self.p;
        let pre = p.pre + p.shift;
        // A lone zero before a point is not shown unless a 0 in the picture asks for it.
        let hide_zero = p.zero_from.is_none() && self.int == "0" && p.post > 0;
        let blanks = pre.saturating_sub(self.int.len());
        let keep_frac = self.kept_fraction();
        let last_place = pre + p.post;
        for item in &p.items {
            match item {
                Item::Nine | Item::Zero => {
                    let i = self.place;
                    if i < pre {
                        self.int_place(i, blanks, hide_zero, keep_frac);
                    } else {
                        let f = i - pre;
                        if !self.sign_done {
                            self.sign_before();
                        }
                        if f < keep_frac
                            && let Some(c) = self.frac.as_bytes().get(f)
                        {
                            self.out.push(*c as char);
                        }
                    }
                    self.place += 1;
                    if self.place == last_place {
                        self.sign_after();
                    }
                }
                Item::Point => {
                    if p.pre == 0 && !self.sign_done {
                        self.sign_before();
                    }
                    // A number that has no digits behind the point shows none; one that does not fit does.
                    if self.int.bytes().all(|c| c == b'#') || self.int != "NaN" && !self.frac.is_empty() {
                        self.out.push('.');
                    }
                }
                Item::Group => {
                    let started = self.place > blanks || p.zero_from.is_some_and(|z| z < self.place);
                    let hidden = hide_zero && self.place >= pre.saturating_sub(1);
                    if started && !hidden {
                        self.out.push(',');
                    } else if !p.fill {
                        self.out.push(' ');
                    }
                }
                Item::Minus => {
                    if self.neg {
                        self.out.push('-');
                    } else if !p.fill {
                        self.out.push(' ');
                    }
                }
                Item::Plus => {
                    if !self.neg {
                        self.out.push('+');
                    } else if !p.fill {
                        self.out.push(' ');
                    }
                }
                Item::SignGroup => self.out.push(if self.neg { '-' } else { '+' }),
                Item::Currency => {
                    if !p.fill {
                        self.out.push(' ');
                    }
                }
                Item::Ordinal(upper) => {
                    if !self.neg && !p.point && !self.int.starts_with('#') {
                        let teen = self.int.len() > 1 && self.int.as_bytes()[self.int.len() - 2] == b'1';
                        let s = match self.int.as_bytes().last() {
                            Some(b'1') if !teen => "st",
                            Some(b'2') if !teen => "nd",
                            Some(b'3') if !teen => "rd",
                            _ => "th",
                        };
                        self.out.push_str(&if *upper { s.to_ascii_uppercase() } else { s.to_string() });
                    }
                }
                Item::Text(c) => self.out.push(*c),
                Item::Sign | Item::Bracket | Item::Shift | Item::Exponent | Item::Roman(_) => {}
            }
        }
        self.out
    }

    /// Fraction digits shown: in fill mode trailing zeros go, unless the picture has a 0 there.
    fn kept_fraction(&self) -> usize {
        if !self.p.fill {
            return self.p.post;
        }
        let significant = self.frac.trim_end_matches('0').len();
        let asked = self.p.zero_to.saturating_sub(self.p.pre);
        significant.max(if self.p.zero_to > self.p.pre { asked } else { 0 }).min(self.p.post)
    }

    fn int_place(&mut self, i: usize, blanks: usize, hide_zero: bool, keep_frac: usize) {
        let zero_here = self.p.zero_from.is_some_and(|z| z <= i);
        let digit_here = i >= blanks;
        // In fill mode "0." keeps its zero when nothing follows the point.
        let lone = hide_zero && digit_here && !(self.p.fill && keep_frac == 0);
        if !self.sign_done && (digit_here || zero_here) && !lone {
            self.sign_before();
        }
        if digit_here && !lone {
            self.out.push(self.int.as_bytes()[i - blanks] as char);
        } else if zero_here {
            self.out.push('0');
        } else if !self.p.fill {
            self.out.push(' ');
        }
        if lone && !self.sign_done {
            // The sign takes its place right before the point.
            self.sign_before();
        }
    }

    fn sign_before(&mut self) {
        self.sign_done = true;
        let p = self.p;
        match p.sign {
            Some(Place::Before) => self.out.push(if self.neg { '-' } else { '+' }),
            Some(Place::After) => {}
            None if p.bracket => {
                if self.neg {
                    self.out.push('<');
                } else if !p.fill {
                    self.out.push(' ');
                }
            }
            None if self.neg => self.out.push('-'),
            None if !p.fill => self.out.push(' '),
            None => {}
        }
    }
    fn sign_after(&mut self) {
        if self.p.bracket {
            if self.neg {
                self.out.push('>');
            } else if !self.p.fill {
                self.out.push(' ');
            }
        } else if self.p.sign == Some(Place::After) {
            self.out.push(if self.neg { '-' } else { '+' });
        }
    }
}

/// A float: digits as C's printf rounds them, no more than the type holds.
fn float_to_char(v: f64, digits: usize, format: &str, out: &mut Vec<u8>) -> Result<()> {
    let p = parse(format)?;
    if p.exponent || p.roman || v.is_nan() {
        let v = if p.roman { v.round_ties_even() } else { v };
        out.extend_from_slice(format_number(&float_num(v, digits)?, &p).as_bytes());
        return Ok(());
    }
    let v = if p.shift > 0 { v * 10f64.powi(p.shift as i32) } else { v };
    let pre = p.pre + p.shift;
    let shown = if v.is_infinite() { f64::MAX } else { v.abs() };
    let int_len = format!("{:.0}", shown).len();
    let post = p.post.min(digits.saturating_sub(int_len));
    let text = format!("{shown:.post$}");
    let (int, frac) = text.split_once('.').unwrap_or((&text, ""));
    let (int, frac) = if int.len() > pre {
        ("#".repeat(pre), "#".repeat(post))
    } else {
        (int.to_string(), frac.to_string())
    };
    out.extend_from_slice(paint(&p, v.is_sign_negative(), int, frac).as_bytes());
    Ok(())
}

/// An integer; a lone zero counts as a digit before the point.
fn int_to_char(v: i64, format: &str, out: &mut Vec<u8>) -> Result<()> {
    let p = parse(format)?;
    if v == 0 && p.pre + p.shift == 0 && !p.exponent && !p.roman {
        out.extend_from_slice(paint(&p, false, String::new(), "#".repeat(p.post)).as_bytes());
        return Ok(());
    }
    out.extend_from_slice(format_number(&Num::from_i64(v), &p).as_bytes());
    Ok(())
}

fn to_char(n: &Num, format: &str, out: &mut Vec<u8>) -> Result<()> {
    let p = parse(format)?;
    out.extend_from_slice(format_number(n, &p).as_bytes());
    Ok(())
}
pub fn numeric_to_char(n: &[u8], format: &str, out: &mut Vec<u8>) -> Result<()> {
    to_char(&Num::unpack(n)?, format, out)
}
pub fn int4_to_char(n: i32, format: &str, out: &mut Vec<u8>) -> Result<()> {
    int_to_char(i64::from(n), format, out)
}
pub fn int8_to_char(n: i64, format: &str, out: &mut Vec<u8>) -> Result<()> {
    int_to_char(n, format, out)
}
fn float_num(v: f64, digits: usize) -> Result<Num> {
    Ok(if v.is_nan() {
        Num::nan()
    } else if v.is_infinite() {
        Num::inf(v < 0.0)
    } else {
        parse_numeric(&format_g(v, digits))?
    })
}
pub fn float4_to_char(n: f32, format: &str, out: &mut Vec<u8>) -> Result<()> {
    float_to_char(f64::from(n), 6, format, out)
}
pub fn float8_to_char(n: f64, format: &str, out: &mut Vec<u8>) -> Result<()> {
    float_to_char(n, 15, format, out)
}
