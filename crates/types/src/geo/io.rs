//! Text and binary forms of the shapes.

use super::shape::*;
use crate::wire::{Wire, bad_input, is_space};
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, SqlState, bail, err};

struct Scan<'a> {
    b: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.b.get(self.at).copied()
    }
    fn spaces(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }
    fn eat(&mut self, c: u8) -> bool {
        let yes = self.peek() == Some(c);
        self.at += usize::from(yes);
        yes
    }
    fn float(&mut self) -> Option<f64> {
        self.spaces();
        let rest = &self.b[self.at..];
        let n =
            rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.')).count();
        let text = std::str::from_utf8(&rest[..n]).ok()?;
        let v = crate::float::parse_f64(text, "double precision").ok()?;
        self.at += n;
        self.spaces();
        Some(v)
    }
    /// `(x,y)` or `x,y`.
    fn pair(&mut self) -> Option<Point> {
        self.spaces();
        let paren = self.eat(b'(');
        let x = self.float()?;
        if !self.eat(b',') {
            return None;
        }
        let y = self.float()?;
        if paren {
            if !self.eat(b')') {
                return None;
            }
            self.spaces();
        }
        Some(Point { x, y })
    }
    fn last_paren(&self) -> bool {
        self.b.iter().rposition(|c| *c == b'(') == Some(self.at)
    }
    /// `n` points, within brackets or not; tells whether the brackets were square.
    fn points(&mut self, n: usize, brackets: bool) -> Option<(bool, Vec<Point>)> {
        self.spaces();
        let open = self.peek() == Some(b'[');
        let mut depth = 0;
        if open {
            if !brackets {
                return None;
            }
            depth = 1;
            self.at += 1;
        } else if self.peek() == Some(b'(') {
            let mut next = self.at + 1;
            while self.b.get(next).is_some_and(|c| is_space(*c)) {
                next += 1;
            }
            // A second parenthesis, or the only one of the text, encloses the list.
            if self.b.get(next) == Some(&b'(') || self.last_paren() {
                depth = 1;
                self.at = next;
            }
        }
        let mut v = Vec::new();
        for _ in 0..n {
            v.push(self.pair()?);
            self.eat(b',');
        }
        while depth > 0 {
            if !(self.eat(b')') && !open || open && self.b.get(self.at) == Some(&b']') && self.eat(b']')) {
                return None;
            }
            depth -= 1;
            self.spaces();
        }
        Some((open, v))
    }
    fn end(&mut self) -> Option<()> {
        self.spaces();
        (self.at == self.b.len()).then_some(())
    }
}

/// Number of points in a list; odd numbers of commas separate whole pairs.
fn pair_count(b: &[u8]) -> Option<usize> {
    let commas = b.iter().filter(|c| **c == b',').count();
    (!commas.is_multiple_of(2)).then_some(commas.div_ceil(2))
}

fn scan(s: &str) -> Scan<'_> {
    Scan { b: s.as_bytes(), at: 0 }
}
/// Why a text is no shape: the first number that is none, or is too large, says.
#[cold]
fn refused(name: &str, s: &str) -> Error {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    for number in s.split(|c| !inside(c)).filter(|n| !n.is_empty()) {
        match crate::float::parse_f64(number, "double precision") {
            Err(e) if e.sqlstate() == SqlState::NUMERIC_VALUE_OUT_OF_RANGE => return e,
            Err(_) => break,
            Ok(_) => {}
        }
    }
    bad_input(name, s)
}
fn done<T: Shape>(v: Option<T>, name: &str, s: &str) -> Result<Datum> {
    v.map(|v| Datum::bytes(&v.pack())).ok_or_else(|| refused(name, s))
}

fn parse_point(s: &str) -> Option<Point> {
    let mut sc = scan(s);
    let p = sc.pair()?;
    sc.end().map(|()| p)
}
pub fn point_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    done(parse_point(s), "point", s)
}
fn two(s: &str, brackets: bool) -> Option<(Point, Point)> {
    let mut sc = scan(s);
    let (_, v) = sc.points(2, brackets)?;
    sc.end().map(|()| (v[0], v[1]))
}
pub fn lseg_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    done(two(s, true).map(|(a, b)| Lseg { a, b }), "lseg", s)
}
pub fn box_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    done(two(s, false).map(|(a, b)| Boxed::of(a, b)), "box", s)
}
fn parse_path(s: &str) -> Option<Path> {
    let n = pair_count(s.as_bytes())?;
    let mut sc = scan(s);
    sc.spaces();
    let outer = sc.peek() == Some(b'(') && sc.last_paren();
    sc.at += usize::from(outer);
    let (open, points) = sc.points(n, true)?;
    if outer && !sc.eat(b')') {
        return None;
    }
    sc.end().map(|()| Path { closed: !open, points })
}
pub fn path_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    done(parse_path(s), "path", s)
}
fn parse_polygon(s: &str) -> Option<Polygon> {
    let mut sc = scan(s);
    let (_, points) = sc.points(pair_count(s.as_bytes())?, false)?;
    sc.end().map(|()| Polygon { points })
}
pub fn poly_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    done(parse_polygon(s), "polygon", s)
}
fn parse_circle(s: &str) -> Option<Circle> {
    let mut sc = scan(s);
    sc.spaces();
    let mut close = 0;
    if sc.eat(b'<') {
        close = b'>';
    } else if sc.peek() == Some(b'(') {
        let mut next = sc.at + 1;
        while sc.b.get(next).is_some_and(|c| is_space(*c)) {
            next += 1;
        }
        if sc.b.get(next) == Some(&b'(') {
            close = b')';
            sc.at = next;
        }
    }
    let center = sc.pair()?;
    sc.eat(b',');
    let radius = sc.float().filter(|r| *r >= 0.0 || r.is_nan())?;
    if close != 0 && !sc.eat(close) {
        return None;
    }
    sc.end().map(|()| Circle { center, radius })
}
pub fn circle_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    done(parse_circle(s), "circle", s)
}
/// The line through two points. 22P02.
pub fn line_through(a: Point, b: Point) -> Result<Line> {
    if a.same(b) {
        bail!(INVALID_PARAMETER_VALUE, "invalid line specification: must be two distinct points");
    }
    Line::through(a, a.slope(b)?)
}
fn coefficients(s: &str) -> Option<Line> {
    let mut sc = scan(s);
    sc.spaces();
    sc.at += 1;
    let a = sc.float()?;
    sc.eat(b',').then_some(())?;
    let b = sc.float()?;
    sc.eat(b',').then_some(())?;
    let c = sc.float()?;
    sc.eat(b'}').then_some(())?;
    sc.end().map(|()| Line { a, b, c })
}
pub fn line_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let bad = |why: &str| err!(INVALID_TEXT_REPRESENTATION, "invalid line specification: {why}");
    if !crate::wire::trim(s).starts_with('{') {
        let (a, b) = two(s, true).ok_or_else(|| refused("line", s))?;
        if a.same(b) {
            return Err(bad("must be two distinct points"));
        }
        return Ok(Datum::bytes(&Line::through(a, a.slope(b)?)?.pack()));
    }
    let l = coefficients(s).ok_or_else(|| refused("line", s))?;
    if zero(l.a) && zero(l.b) {
        return Err(bad("A and B cannot both be zero"));
    }
    Ok(Datum::bytes(&l.pack()))
}

fn push_float(c: &CallCtx<'_>, v: f64, out: &mut Vec<u8>) {
    crate::float::push_f64(v, c.fmt.extra_float_digits, out);
}
fn push_point(c: &CallCtx<'_>, p: Point, out: &mut Vec<u8>) {
    out.push(b'(');
    push_float(c, p.x, out);
    out.push(b',');
    push_float(c, p.y, out);
    out.push(b')');
}
fn push_points(c: &CallCtx<'_>, around: &[u8; 2], points: &[Point], out: &mut Vec<u8>) {
    out.push(around[0]);
    for (i, p) in points.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_point(c, *p, out);
    }
    out.push(around[1]);
}
pub fn point_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_point(c, Point::read(v.bytes())?, out);
    Ok(())
}
pub fn lseg_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let l = Lseg::read(v.bytes())?;
    push_points(c, b"[]", &[l.a, l.b], out);
    Ok(())
}
pub fn box_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let b = Boxed::read(v.bytes())?;
    push_point(c, b.high, out);
    out.push(b',');
    push_point(c, b.low, out);
    Ok(())
}
pub fn path_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let p = Path::read(v.bytes())?;
    push_points(c, if p.closed { b"()" } else { b"[]" }, &p.points, out);
    Ok(())
}
pub fn poly_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_points(c, b"()", &Polygon::read(v.bytes())?.points, out);
    Ok(())
}
pub fn circle_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let k = Circle::read(v.bytes())?;
    out.push(b'<');
    push_point(c, k.center, out);
    out.push(b',');
    push_float(c, k.radius, out);
    out.push(b'>');
    Ok(())
}
pub fn line_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let l = Line::read(v.bytes())?;
    out.push(b'{');
    for (i, x) in [l.a, l.b, l.c].into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_float(c, x, out);
    }
    out.push(b'}');
    Ok(())
}

fn f8(w: &mut Wire<'_>) -> Result<f64> {
    w.i64().map(|v| f64::from_bits(v as u64))
}
fn wire_point(w: &mut Wire<'_>) -> Result<Point> {
    Ok(Point { x: f8(w)?, y: f8(w)? })
}
fn received<T: Shape>(b: &[u8], f: impl FnOnce(&mut Wire<'_>) -> Result<T>) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = f(&mut w)?;
    w.end().map(|()| Datum::bytes(&v.pack()))
}
pub fn point_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, wire_point)
}
pub fn lseg_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, |w| Ok(Lseg { a: wire_point(w)?, b: wire_point(w)? }))
}
pub fn box_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, |w| Ok(Boxed::of(wire_point(w)?, wire_point(w)?)))
}
fn wire_points(w: &mut Wire<'_>, name: &str) -> Result<Vec<Point>> {
    let n = w.i32()?;
    if n <= 0 || n as usize > w.left() / 16 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid number of points in external \"{}\" value", name);
    }
    (0..n).map(|_| wire_point(w)).collect()
}
pub fn path_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, |w| {
        let closed = w.byte()? != 0;
        Ok(Path { closed, points: wire_points(w, "path")? })
    })
}
pub fn poly_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, |w| Ok(Polygon { points: wire_points(w, "polygon")? }))
}
pub fn circle_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, |w| {
        let k = Circle { center: wire_point(w)?, radius: f8(w)? };
        if k.radius < 0.0 {
            bail!(INVALID_BINARY_REPRESENTATION, "invalid radius in external \"circle\" value");
        }
        Ok(k)
    })
}
pub fn line_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    received(b, |w| {
        let l = Line { a: f8(w)?, b: f8(w)?, c: f8(w)? };
        if zero(l.a) && zero(l.b) {
            bail!(INVALID_BINARY_REPRESENTATION, "invalid line specification: A and B cannot both be zero");
        }
        Ok(l)
    })
}
fn swap(b: &[u8], out: &mut Vec<u8>) {
    b.chunks_exact(8).for_each(|c| out.extend(c.iter().rev()));
}
/// Shapes that are their coordinates.
pub fn plain_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    swap(v.bytes(), out);
    Ok(())
}
pub fn path_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let p = Path::read(v.bytes())?;
    out.push(u8::from(p.closed));
    out.extend_from_slice(&(p.points.len() as u32).to_be_bytes());
    swap(&v.bytes()[8..], out);
    Ok(())
}
pub fn poly_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let p = Polygon::read(v.bytes())?;
    out.extend_from_slice(&(p.points.len() as u32).to_be_bytes());
    swap(&v.bytes()[8..], out);
    Ok(())
}
