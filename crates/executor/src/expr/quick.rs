//! Conditions on one column and constants that are tested without the general machinery: short lists, patterns of
//! literals and `%`, blank-padded strings and small numbers. Rows are tested one by one, so none of them may fail.

use crate::env::ExecEnv;
use crate::expr::compile::Scope;
use crate::expr::qual::{Cmp, column, pick, pick_ord};
use analyze::expr::{Expr, OpExpr, ScalarArrayOpExpr};
use common::Result;
use memchr::memmem::Finder;
use types::array::ArrayRef;
use types::numeric::{Small, numeric_cmp};
use types::text::trim_blanks;
use types::{Batch, Collation, ColumnData, Datum, DatumRef};

/// Lists up to this length are searched one by one.
const LIST_MAX: usize = 16;

/// A condition.
pub struct Quick {
    col: usize,
    test: Test,
}

enum Test {
    Ints(Vec<i64>),
    /// `true`: blanks at the ends do not count.
    Strings(Vec<Vec<u8>>, bool),
    Blank(Cmp, Vec<u8>),
    Number(Cmp, Vec<u8>, Small),
    Like(Pattern, bool),
    /// A date against a moment, made a date.
    Days(Cmp, i32),
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A comparison of a date with a timestamp as one with a date; `None` for the infinities and moments no date is equal to.
fn days(cmp: Cmp, moment: i64) -> Option<Test> {
    if moment == i64::MAX || moment == i64::MIN {
        return None;
    }
    let day = i32::try_from(moment.div_euclid(DAY)).ok()?;
    let midnight = moment.rem_euclid(DAY) == 0;
    Some(match cmp {
        Cmp::Lt if !midnight => Test::Days(Cmp::Le, day),
        Cmp::Ge if !midnight => Test::Days(Cmp::Gt, day),
        Cmp::Eq | Cmp::Ne if !midnight => return None,
        cmp => Test::Days(cmp, day),
    })
}

/// The literals of a LIKE pattern between its `%`.
struct Pattern {
    start: Vec<u8>,
    middle: Vec<Finder<'static>>,
    end: Vec<u8>,
    /// No `%` at all: the text is `start`.
    whole: bool,
}

impl Pattern {
    /// `None`: the pattern has more than literals and `%`.
    fn new(p: &[u8]) -> Option<Pattern> {
        if p.iter().any(|c| matches!(c, b'_' | b'\\')) {
            return None;
        }
        let mut parts: Vec<&[u8]> = p.split(|c| *c == b'%').collect();
        let whole = parts.len() == 1;
        let start = parts.remove(0).to_vec();
        let end = parts.pop().unwrap_or_default().to_vec();
        let middle = parts.iter().filter(|m| !m.is_empty()).map(|m| Finder::new(m).into_owned()).collect();
        Some(Pattern { start, middle, end, whole })
    }
    fn matches(&self, text: &[u8]) -> bool {
        if self.whole {
            return text == self.start;
        }
        let Some(mut rest) = text.strip_prefix(&self.start[..]).and_then(|t| t.strip_suffix(&self.end[..]))
        else {
            return false;
        };
        for f in &self.middle {
            match f.find(rest) {
                Some(at) => rest = &rest[at + f.needle().len()..],
                None => return false,
            }
        }
        true
    }
}

impl Quick {
    /// `None` when the condition is of another kind.
    pub fn compile(env: &ExecEnv, e: &Expr, scope: &dyn Scope) -> Result<Option<Quick>> {
        Ok(match e {
            // Strings without a collation: the function says so.
            Expr::Op(OpExpr { funcid, input_collation, .. })
            | Expr::ScalarArrayOp(ScalarArrayOpExpr { funcid, input_collation, .. })
                if matches!(funcid.0, 62 | 67 | 1048..=1053) && !input_collation.is_valid() =>
            {
                None
            }
            Expr::Op(o) if o.args.len() == 2 => match env.collation(o.input_collation)? {
                c if c.is_deterministic() => operator(o, c, scope),
                _ => None,
            },
            Expr::ScalarArrayOp(o) if env.collation(o.input_collation)?.is_deterministic() => list(o, scope)?,
            _ => None,
        })
    }
    /// Appends the live rows that pass.
    pub fn select(&self, b: &Batch, sel: &mut Vec<u16>) {
        let c = &b.cols[self.col];
        let rows = b.live();
        match (&self.test, &c.data) {
            (Test::Ints(l), ColumnData::I16(v)) => pick(c, rows, sel, |i| l.contains(&v[i].into())),
            (Test::Ints(l), ColumnData::I32(v)) => pick(c, rows, sel, |i| l.contains(&v[i].into())),
            (Test::Ints(l), ColumnData::I64(v)) => pick(c, rows, sel, |i| l.contains(&v[i])),
            (Test::Ints(l), ColumnData::U32(v)) => pick(c, rows, sel, |i| l.contains(&v[i].into())),
            (Test::Strings(l, false), ColumnData::Bytes(v)) => {
                pick(c, rows, sel, |i| l.iter().any(|x| x == v.get(i)));
            }
            (Test::Strings(l, true), ColumnData::Bytes(v)) => {
                pick(c, rows, sel, |i| {
                    let t = trim_blanks(v.get(i));
                    l.iter().any(|x| x == t)
                });
            }
            (Test::Days(cmp, x), ColumnData::I32(v)) => pick_ord(c, v, *x, *cmp, rows, sel),
            (Test::Blank(cmp, x), ColumnData::Bytes(v)) => {
                pick(c, rows, sel, |i| cmp.holds(trim_blanks(v.get(i)).cmp(x)));
            }
            (Test::Number(cmp, x, s), ColumnData::Bytes(v)) => {
                pick(c, rows, sel, |i| {
                    let b = v.get(i);
                    let o = Small::read(b).and_then(|y| y.compare(*s)).unwrap_or_else(|| {
                        numeric_cmp(Collation::NONE, DatumRef::Bytes(b), DatumRef::Bytes(x))
                    });
                    cmp.holds(o)
                });
            }
            (Test::Like(p, want), ColumnData::Bytes(v)) => {
                pick(c, rows, sel, |i| p.matches(v.get(i)) == *want);
            }
            _ => unreachable!("physical kind mismatch: condition on {:?}", c.phys()),
        }
    }
}

fn konst(e: &Expr) -> Option<&Datum> {
    match e {
        Expr::Relabel { arg, .. } => konst(arg),
        Expr::Const(c) => Some(&c.value),
        _ => None,
    }
}

fn operator(o: &OpExpr, collation: Collation, scope: &dyn Scope) -> Option<Quick> {
    use Cmp::*;
    let (col, value, flip) = match (column(&o.args[0], scope), column(&o.args[1], scope)) {
        (Some(c), None) => (c, konst(&o.args[1])?, false),
        (None, Some(c)) => (c, konst(&o.args[0])?, true),
        _ => return None,
    };
    let turned = |c: Cmp| if flip { c.flip() } else { c };
    if let Datum::I64(moment) = value {
        let cmp = match o.funcid.0 {
            2338 => Lt,
            2339 => Le,
            2340 => Eq,
            2341 => Gt,
            2342 => Ge,
            2343 => Ne,
            // timestamp before date
            2364 => Lt,
            2365 => Le,
            2366 => Eq,
            2367 => Gt,
            2368 => Ge,
            2369 => Ne,
            _ => return None,
        };
        return Some(Quick { col, test: days(turned(cmp), *moment)? });
    }
    let Datum::Bytes(x) = value else { return None };
    let blank = |c: Cmp| Some(Test::Blank(turned(c), trim_blanks(x).to_vec()));
    let number = |c: Cmp| Some(Test::Number(turned(c), x.to_vec(), Small::read(x)?));
    let like = |want: bool| if flip { None } else { Some(Test::Like(Pattern::new(x)?, want)) };
    let test = match o.funcid.0 {
        1048 => blank(Eq),
        1053 => blank(Ne),
        1049 if collation.by_bytes() => blank(Lt),
        1050 if collation.by_bytes() => blank(Le),
        1051 if collation.by_bytes() => blank(Gt),
        1052 if collation.by_bytes() => blank(Ge),
        1718 => number(Eq),
        1719 => number(Ne),
        1722 => number(Lt),
        1723 => number(Le),
        1720 => number(Gt),
        1721 => number(Ge),
        // text and character, LIKE and NOT LIKE
        850 | 1631 => like(true),
        851 | 1632 => like(false),
        _ => None,
    }?;
    Some(Quick { col, test })
}

/// `column = ANY (constant list)`.
fn list(o: &ScalarArrayOpExpr, scope: &dyn Scope) -> Result<Option<Quick>> {
    let blank = o.funcid.0 == 1048;
    // int2 int4 int8 (and crosswise) oid date, text name
    let int = matches!(o.funcid.0, 63 | 65 | 467 | 474 | 852 | 158 | 159 | 184 | 1086);
    let string = blank || matches!(o.funcid.0, 67 | 62);
    let (Some(col), Some(Datum::Bytes(raw))) = (column(&o.args[0], scope), konst(&o.args[1])) else {
        return Ok(None);
    };
    let a = ArrayRef::new(raw)?;
    if !o.use_or || !(int || string) || a.len() > LIST_MAX {
        return Ok(None);
    }
    // A null among them makes false into null, which does not pass either.
    let (mut ints, mut strings) = (Vec::new(), Vec::new());
    for d in a.to_vec()? {
        match d {
            DatumRef::Null => {}
            DatumRef::I16(v) => ints.push(v.into()),
            DatumRef::I32(v) => ints.push(v.into()),
            DatumRef::I64(v) => ints.push(v),
            DatumRef::U32(v) => ints.push(v.into()),
            DatumRef::Bytes(b) => strings.push(if blank { trim_blanks(b) } else { b }.to_vec()),
            _ => return Ok(None),
        }
    }
    let test = if int { Test::Ints(ints) } else { Test::Strings(strings, blank) };
    Ok(Some(Quick { col, test }))
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns() {
        for (p, t, want) in [
            ("%special%requests%", "a special set of requests", true),
            ("%special%requests%", "requests special", false),
            ("forest%", "forest green", true),
            ("%BRASS", "SMALL BRASS", true),
            ("ab%ba", "aba", false),
            ("ab%ba", "abba", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("%", "", true),
            ("", "", true),
            ("a%%b", "ab", true),
        ] {
            assert_eq!(Pattern::new(p.as_bytes()).unwrap().matches(t.as_bytes()), want, "{t} like {p}");
        }
        assert!(Pattern::new(b"a_b").is_none() && Pattern::new(b"a\\%").is_none());
    }
}
