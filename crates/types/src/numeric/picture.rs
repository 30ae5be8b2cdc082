//! Pictures of to_char and to_number over numbers: the format text as items, and what they say about the whole.

use common::{Error, Result, err};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    Nine,
    Zero,
    Point,
    Comma,
    Group,
    Minus,
    Plus,
    SignGroup,
    Currency,
    /// In upper case?
    Ordinal(bool),
    /// In upper case?
    Roman(bool),
    /// A word that has had its effect on the [`Picture`].
    Nothing,
    Text(char),
}

/// Where S puts the sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Before,
    After,
}

#[derive(Debug, Default)]
pub(super) struct Picture {
    pub items: Vec<Item>,
    /// Digits before the point, behind it, and behind V.
    pub pre: usize,
    pub post: usize,
    pub shift: usize,
    pub multi: bool,
    pub point: bool,
    pub fill: bool,
    pub zero: bool,
    /// Digit places from the first 0 on.
    pub zero_start: usize,
    pub zero_end: usize,
    pub sign: Option<Place>,
    /// Digits before S.
    pub before_sign: usize,
    pub bracket: bool,
    pub minus: bool,
    pub plus: bool,
    pub blank: bool,
    pub roman: bool,
    pub exponent: bool,
}

#[derive(Clone, Copy)]
enum Word {
    Item(Item),
    Blank,
    Fill,
    Sign,
    Bracket,
    Shift,
    Exponent,
}

static WORDS: &[(&str, Word)] = &[
    ("EEEE", Word::Exponent),
    ("FM", Word::Fill),
    ("PL", Word::Item(Item::Plus)),
    ("PR", Word::Bracket),
    ("MI", Word::Item(Item::Minus)),
    ("RN", Word::Item(Item::Roman(true))),
    ("SG", Word::Item(Item::SignGroup)),
    ("SP", Word::Item(Item::Nothing)),
    ("TH", Word::Item(Item::Ordinal(true))),
    (",", Word::Item(Item::Comma)),
    (".", Word::Item(Item::Point)),
    ("0", Word::Item(Item::Zero)),
    ("9", Word::Item(Item::Nine)),
    ("B", Word::Blank),
    ("C", Word::Item(Item::Nothing)),
    ("D", Word::Item(Item::Point)),
    ("G", Word::Item(Item::Group)),
    ("L", Word::Item(Item::Currency)),
    ("S", Word::Sign),
    ("V", Word::Shift),
];

fn syntax(text: &str) -> Error {
    err!(SYNTAX_ERROR, "{}", text)
}

/// Takes a picture apart. 42601.
pub(super) fn parse(format: &str) -> Result<Picture> {
    let mut p = Picture::default();
    let mut rest = format;
    while !rest.is_empty() {
        if let Some(q) = rest.strip_prefix('"') {
            rest = quoted(q, &mut p.items);
            continue;
        }
        let lower = |w: &str| w.to_ascii_lowercase();
        if let Some((w, word)) =
            WORDS.iter().find(|(w, _)| rest.starts_with(w) || rest.starts_with(&lower(w)))
        {
            let upper = rest.starts_with(w);
            rest = &rest[w.len()..];
            p.add(match *word {
                Word::Item(Item::Ordinal(_)) => Word::Item(Item::Ordinal(upper)),
                Word::Item(Item::Roman(_)) => Word::Item(Item::Roman(upper)),
                other => other,
            })?;
            continue;
        }
        if rest.starts_with("\\\"") {
            rest = &rest[1..];
        }
        let mut chars = rest.chars();
        p.items.extend(chars.next().map(Item::Text));
        rest = chars.as_str();
    }
    Ok(p)
}

/// Text up to the closing quote, where a backslash quotes what follows; the rest.
fn quoted<'a>(text: &'a str, items: &mut Vec<Item>) -> &'a str {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => items.push(Item::Text(chars.next().unwrap_or('\\'))),
            c => items.push(Item::Text(c)),
        }
    }
    chars.as_str()
}

impl Picture {
    fn add(&mut self, word: Word) -> Result<()> {
        if self.exponent && !matches!(word, Word::Exponent) {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        match word {
            Word::Item(item) => return self.add_item(item),
            Word::Fill => self.fill = true,
            Word::Blank => self.blank |= self.pre == 0 && self.post == 0 && !self.zero,
            Word::Sign => {
                if self.sign.is_some() {
                    return Err(syntax("cannot use \"S\" twice"));
                }
                if self.plus || self.minus || self.bracket {
                    return Err(syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
                }
                self.sign = Some(if self.point { Place::After } else { Place::Before });
                self.before_sign = self.pre;
            }
            Word::Bracket => {
                if self.sign.is_some() || self.plus || self.minus {
                    return Err(syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
                }
                self.bracket = true;
            }
            Word::Shift => {
                if self.point {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.multi = true;
            }
            Word::Exponent => {
                if self.exponent {
                    return Err(syntax("cannot use \"EEEE\" twice"));
                }
                let signs = self.sign.is_some() || self.bracket || self.minus || self.plus;
                if self.blank || self.fill || signs || self.roman || self.multi {
                    return Err(syntax("\"EEEE\" is incompatible with other formats").detail(
                        "\"EEEE\" may only be used together with digit and decimal point patterns.",
                    ));
                }
                self.exponent = true;
            }
        }
        self.items.push(Item::Nothing);
        Ok(())
    }

    fn add_item(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Nine if self.bracket => return Err(syntax("\"9\" must be ahead of \"PR\"")),
            Item::Nine if self.multi => self.shift += 1,
            Item::Nine if self.point => self.post += 1,
            Item::Nine => self.pre += 1,
            Item::Zero => {
                if self.bracket {
                    return Err(syntax("\"0\" must be ahead of \"PR\""));
                }
                if !self.zero && !self.point {
                    self.zero = true;
                    self.zero_start = self.pre;
                }
                if self.point {
                    self.post += 1;
                } else {
                    self.pre += 1;
                }
                self.zero_end = self.pre + self.post;
            }
            Item::Point => {
                if self.point {
                    return Err(syntax("multiple decimal points"));
                }
                if self.multi {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.point = true;
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
            Item::Roman(_) => self.roman = true,
            _ => {}
        }
        self.items.push(item);
        Ok(())
    }
}
