//! Distances, slopes, crossings and areas. Every step that overflows, underflows or divides by zero is an error (22003,
//! 22012), where its operands were finite, as for `double precision`. NaN counts as greater than all numbers.

use super::shape::*;
use crate::float::float_overflow;
pub use crate::float::{add_f64 as add, div_f64 as div, mul_f64 as mul, sub_f64 as sub};
use common::{Error, Result};
use std::cmp::Ordering;

fn underflow() -> Error {
    common::err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}
fn bounded(r: f64) -> Result<f64> {
    if r.is_infinite() { Err(float_overflow()) } else { Ok(r) }
}

fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}
fn less(a: f64, b: f64) -> bool {
    order(a, b) == Ordering::Less
}
pub fn least(a: f64, b: f64) -> f64 {
    if less(a, b) { a } else { b }
}
pub fn greatest(a: f64, b: f64) -> f64 {
    if less(b, a) { a } else { b }
}

/// Length of the hypotenuse, without overflow on the way.
pub fn hypot(x: f64, y: f64) -> Result<f64> {
    if x.is_infinite() || y.is_infinite() {
        return Ok(f64::INFINITY);
    }
    if x.is_nan() || y.is_nan() {
        return Ok(f64::NAN);
    }
    let (a, b) = (x.abs().max(y.abs()), x.abs().min(y.abs()));
    if b == 0.0 {
        return Ok(a);
    }
    let q = b / a;
    let r = a * (1.0 + q * q).sqrt();
    if r == 0.0 {
        return Err(underflow());
    }
    bounded(r)
}

impl Point {
    pub fn dist(self, o: Point) -> Result<f64> {
        hypot(sub(self.x, o.x)?, sub(self.y, o.y)?)
    }
    /// Tolerant, but where a NaN is among the coordinates.
    pub fn same(self, o: Point) -> bool {
        if [self.x, self.y, o.x, o.y].iter().any(|v| v.is_nan()) {
            return order(self.x, o.x) == Ordering::Equal && order(self.y, o.y) == Ordering::Equal;
        }
        feq(self.x, o.x) && feq(self.y, o.y)
    }
    pub fn plus(self, o: Point) -> Result<Point> {
        Ok(Point { x: add(self.x, o.x)?, y: add(self.y, o.y)? })
    }
    pub fn minus(self, o: Point) -> Result<Point> {
        Ok(Point { x: sub(self.x, o.x)?, y: sub(self.y, o.y)? })
    }
    pub fn times(self, o: Point) -> Result<Point> {
        let x = sub(mul(self.x, o.x)?, mul(self.y, o.y)?)?;
        Ok(Point { x, y: add(mul(self.x, o.y)?, mul(self.y, o.x)?)? })
    }
    pub fn over(self, o: Point) -> Result<Point> {
        let d = add(mul(o.x, o.x)?, mul(o.y, o.y)?)?;
        let x = div(add(mul(self.x, o.x)?, mul(self.y, o.y)?)?, d)?;
        Ok(Point { x, y: div(sub(mul(self.y, o.x)?, mul(self.x, o.y)?)?, d)? })
    }
    pub fn slope(self, o: Point) -> Result<f64> {
        if feq(self.x, o.x) {
            Ok(f64::INFINITY)
        } else if feq(self.y, o.y) {
            Ok(0.0)
        } else {
            div(sub(self.y, o.y)?, sub(self.x, o.x)?)
        }
    }
    /// Slope of what is perpendicular to the way from one point to the other.
    pub fn inverse_slope(self, o: Point) -> Result<f64> {
        if feq(self.x, o.x) {
            Ok(0.0)
        } else if feq(self.y, o.y) {
            Ok(f64::INFINITY)
        } else {
            div(sub(self.x, o.x)?, sub(o.y, self.y)?)
        }
    }
    fn halfway(self, o: Point) -> Result<Point> {
        Ok(Point { x: div(add(self.x, o.x)?, 2.0)?, y: div(add(self.y, o.y)?, 2.0)? })
    }
}

fn positive_zero(v: f64) -> f64 {
    if v == 0.0 { 0.0 } else { v }
}

impl Line {
    pub fn through(p: Point, slope: f64) -> Result<Line> {
        Ok(if slope.is_infinite() {
            Line { a: -1.0, b: 0.0, c: p.x }
        } else if slope == 0.0 {
            Line { a: 0.0, b: -1.0, c: p.y }
        } else {
            Line { a: slope, b: -1.0, c: positive_zero(sub(p.y, mul(slope, p.x)?)?) }
        })
    }
    pub fn slope(self) -> Result<f64> {
        if zero(self.a) {
            Ok(0.0)
        } else if zero(self.b) {
            Ok(f64::INFINITY)
        } else {
            div(self.a, -self.b)
        }
    }
    fn inverse_slope(self) -> Result<f64> {
        if zero(self.a) {
            Ok(f64::INFINITY)
        } else if zero(self.b) {
            Ok(0.0)
        } else {
            div(self.b, self.a)
        }
    }
    pub fn meet(self, o: Line) -> Result<Option<Point>> {
        let (l1, l2) = if !zero(self.b) {
            (self, o)
        } else if !zero(o.b) {
            (o, self)
        } else {
            return Ok(None);
        };
        if feq(l2.a, mul(l1.a, div(l2.b, l1.b)?)?) {
            return Ok(None);
        }
        let x = div(sub(mul(l1.b, l2.c)?, mul(l2.b, l1.c)?)?, sub(mul(l1.a, l2.b)?, mul(l2.a, l1.b)?)?)?;
        let y = div(-add(mul(l1.a, x)?, l1.c)?, l1.b)?;
        Ok(Some(Point { x: positive_zero(x), y: positive_zero(y) }))
    }
    pub fn holds(self, p: Point) -> Result<bool> {
        Ok(zero(add(add(mul(self.a, p.x)?, mul(self.b, p.y)?)?, self.c)?))
    }
    /// The point of the line closest to another, and their distance: NaN where there is none.
    pub fn closest(self, p: Point) -> Result<(Point, f64)> {
        match Line::through(p, self.inverse_slope()?)?.meet(self)? {
            Some(q) => Ok((q, q.dist(p)?)),
            None => Ok((p, f64::NAN)),
        }
    }
    pub fn perpendicular(self, o: Line) -> Result<bool> {
        Ok(if zero(self.a) {
            zero(o.b)
        } else if zero(o.a) {
            zero(self.b)
        } else if zero(self.b) {
            zero(o.a)
        } else if zero(o.b) {
            zero(self.a)
        } else {
            feq(div(mul(self.a, o.a)?, mul(self.b, o.b)?)?, -1.0)
        })
    }
    /// Tolerant, but where a NaN is among the coefficients.
    pub fn same(self, o: Line) -> Result<bool> {
        let pairs = [(self.a, o.a), (self.b, o.b), (self.c, o.c)];
        if pairs.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
            return Ok(pairs.iter().all(|(x, y)| order(*x, *y) == Ordering::Equal));
        }
        let ratio = match pairs.iter().find(|(_, y)| !zero(*y)) {
            Some((x, y)) => div(*x, *y)?,
            None => 1.0,
        };
        for (x, y) in pairs {
            if !feq(x, mul(ratio, y)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
    pub fn dist(self, o: Line) -> Result<f64> {
        if self.meet(o)?.is_some() {
            return Ok(0.0);
        }
        let counts = |v: f64| !zero(v) && !v.is_nan();
        let ratio = if counts(self.a) && counts(o.a) {
            div(self.a, o.a)?
        } else if counts(self.b) && counts(o.b) {
            div(self.b, o.b)?
        } else {
            1.0
        };
        div(sub(self.c, mul(ratio, o.c)?)?.abs(), hypot(self.a, self.b)?)
    }
}

impl Lseg {
    pub fn slope(self) -> Result<f64> {
        self.a.slope(self.b)
    }
    pub fn len(self) -> Result<f64> {
        self.a.dist(self.b)
    }
    pub fn line(self) -> Result<Line> {
        Line::through(self.a, self.slope()?)
    }
    pub fn middle(self) -> Result<Point> {
        self.a.halfway(self.b)
    }
    pub fn holds(self, p: Point) -> Result<bool> {
        Ok(feq(p.dist(self.a)? + p.dist(self.b)?, self.len()?))
    }
    pub fn meet_line(self, l: Line) -> Result<Option<Point>> {
        let Some(p) = self.line()?.meet(l)? else { return Ok(None) };
        if !self.holds(p)? {
            return Ok(None);
        }
        Ok(Some(if self.a.same(p) {
            self.a
        } else if self.b.same(p) {
            self.b
        } else {
            p
        }))
    }
    pub fn meet(self, o: Lseg) -> Result<Option<Point>> {
        let Some(p) = self.meet_line(o.line()?)? else { return Ok(None) };
        Ok(o.holds(p)?.then_some(p))
    }
    pub fn closest_to_line(self, l: Line) -> Result<(Point, f64)> {
        if let Some(p) = self.meet_line(l)? {
            return Ok((p, 0.0));
        }
        let (a, b) = (l.closest(self.a)?.1, l.closest(self.b)?.1);
        Ok(if a < b { (self.a, a) } else { (self.b, b) })
    }
    pub fn closest(self, p: Point) -> Result<(Point, f64)> {
        let (q, _) = self.closest_to_line(Line::through(p, self.a.inverse_slope(self.b)?)?)?;
        Ok((q, q.dist(p)?))
    }
    /// The point of this segment that is closest to another one.
    pub fn closest_to(self, o: Lseg) -> Result<(Point, f64)> {
        if let Some(p) = self.meet(o)? {
            return Ok((p, 0.0));
        }
        let ends = [
            self.closest(o.a)?,
            self.closest(o.b)?,
            (self.a, o.closest(self.a)?.1),
            (self.b, o.closest(self.b)?.1),
        ];
        Ok(nearest(ends))
    }
    pub fn same(self, o: Lseg) -> bool {
        self.a.same(o.a) && self.b.same(o.b)
    }
}

impl Boxed {
    pub fn of(a: Point, b: Point) -> Boxed {
        Boxed {
            high: Point { x: greatest(a.x, b.x), y: greatest(a.y, b.y) },
            low: Point { x: least(a.x, b.x), y: least(a.y, b.y) },
        }
    }
    pub fn around(points: &[Point]) -> Boxed {
        let first = points.first().copied().unwrap_or(Point { x: 0.0, y: 0.0 });
        points.iter().fold(Boxed { high: first, low: first }, |b, p| b.join(Boxed { high: *p, low: *p }))
    }
    pub fn join(self, o: Boxed) -> Boxed {
        Boxed { high: Boxed::of(self.high, o.high).high, low: Boxed::of(self.low, o.low).low }
    }
    pub fn overlaps(self, o: Boxed) -> bool {
        fle(self.low.x, o.high.x)
            && fle(o.low.x, self.high.x)
            && fle(self.low.y, o.high.y)
            && fle(o.low.y, self.high.y)
    }
    pub fn contains(self, o: Boxed) -> bool {
        fge(self.high.x, o.high.x)
            && fle(self.low.x, o.low.x)
            && fge(self.high.y, o.high.y)
            && fle(self.low.y, o.low.y)
    }
    pub fn holds(self, p: Point) -> bool {
        self.high.x >= p.x && self.low.x <= p.x && self.high.y >= p.y && self.low.y <= p.y
    }
    pub fn width(self) -> Result<f64> {
        sub(self.high.x, self.low.x)
    }
    pub fn height(self) -> Result<f64> {
        sub(self.high.y, self.low.y)
    }
    pub fn area(self) -> Result<f64> {
        mul(self.width()?, self.height()?)
    }
    pub fn center(self) -> Result<Point> {
        self.high.halfway(self.low)
    }
    pub fn sides(self) -> [Lseg; 4] {
        let (h, l) = (self.high, self.low);
        let (lh, hl) = (Point { x: l.x, y: h.y }, Point { x: h.x, y: l.y });
        [Lseg { a: l, b: lh }, Lseg { a: h, b: lh }, Lseg { a: l, b: hl }, Lseg { a: h, b: hl }]
    }
    pub fn closest(self, p: Point) -> Result<(Point, f64)> {
        if self.holds(p) {
            return Ok((p, 0.0));
        }
        let [a, b, c, d] = self.sides();
        Ok(nearest([a.closest(p)?, b.closest(p)?, c.closest(p)?, d.closest(p)?]))
    }
    pub fn meets(self, s: Lseg) -> Result<bool> {
        if !self.overlaps(Boxed::of(s.a, s.b)) {
            return Ok(false);
        }
        if self.holds(s.a) || self.holds(s.b) {
            return Ok(true);
        }
        any(self.sides(), |x| Ok(x.meet(s)?.is_some()))
    }
    pub fn closest_to(self, s: Lseg) -> Result<(Point, f64)> {
        if self.meets(s)? {
            return Ok((s.closest(self.center()?)?.0, 0.0));
        }
        let [a, b, c, d] = self.sides();
        Ok(nearest([a.closest_to(s)?, b.closest_to(s)?, c.closest_to(s)?, d.closest_to(s)?]))
    }
}

/// Is it so for one of them?
pub fn any<T>(all: impl IntoIterator<Item = T>, f: impl Fn(T) -> Result<bool>) -> Result<bool> {
    for x in all {
        if f(x)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first of the least distances.
fn nearest(all: [(Point, f64); 4]) -> (Point, f64) {
    let [first, rest @ ..] = all;
    rest.into_iter().fold(first, |best, x| if less(x.1, best.1) { x } else { best })
}

/// The least distance, `None` of none.
fn minimum(all: impl Iterator<Item = Result<f64>>) -> Result<Option<f64>> {
    let mut best = None;
    for d in all {
        let d = d?;
        if best.is_none_or(|b| less(d, b)) {
            best = Some(d);
        }
    }
    Ok(best)
}

/// The segments between points, the way back to the first included if `closed`.
pub fn segments(points: &[Point], closed: bool) -> Vec<Lseg> {
    let back = match (points.last(), points.first()) {
        (Some(a), Some(b)) if closed => Some(Lseg { a: *a, b: *b }),
        _ => None,
    };
    back.into_iter().chain(points.windows(2).map(|w| Lseg { a: w[0], b: w[1] })).collect()
}

/// How often a ray from the origin to the right crosses the way from `q` to `p`, counted twice and signed; `None` where the
/// origin lies on it.
fn crossings(p: Point, q: Point) -> Result<Option<i32>> {
    if zero(p.y) {
        if zero(p.x) {
            return Ok(None);
        }
        let right = fgt(p.x, 0.0);
        if zero(q.y) {
            let same_side = if right { fgt(q.x, 0.0) } else { flt(q.x, 0.0) };
            return Ok(same_side.then_some(0));
        }
        return Ok(Some(match (right, flt(q.y, 0.0)) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => -1,
        }));
    }
    let sign = if fgt(p.y, 0.0) { 1 } else { -1 };
    if zero(q.y) {
        return Ok(Some(if flt(q.x, 0.0) { 0 } else { sign }));
    }
    if sign < 0 && flt(q.y, 0.0) || sign > 0 && fgt(q.y, 0.0) {
        return Ok(Some(0));
    }
    if fge(p.x, 0.0) && fgt(q.x, 0.0) {
        return Ok(Some(2 * sign));
    }
    if flt(p.x, 0.0) && fle(q.x, 0.0) {
        return Ok(Some(0));
    }
    let z = sub(mul(sub(p.x, q.x)?, p.y)?, mul(sub(p.y, q.y)?, p.x)?)?;
    if zero(z) {
        return Ok(None);
    }
    let left = sign < 0 && flt(z, 0.0) || sign > 0 && fgt(z, 0.0);
    Ok(Some(if left { 0 } else { 2 * sign }))
}

/// Is the point within the closed figure or on its border?
pub fn inside(p: Point, points: &[Point]) -> Result<bool> {
    let seen = points.iter().map(|q| q.minus(p)).collect::<Result<Vec<_>>>()?;
    let [first, rest @ ..] = seen.as_slice() else { return Ok(false) };
    let (mut total, mut before) = (0, *first);
    for q in rest.iter().chain([first]) {
        match crossings(*q, before)? {
            None => return Ok(true),
            Some(n) => total += n,
        }
        before = *q;
    }
    Ok(total != 0)
}

impl Polygon {
    pub fn bounds(&self) -> Boxed {
        Boxed::around(&self.points)
    }
    pub fn edges(&self) -> Vec<Lseg> {
        segments(&self.points, true)
    }
    pub fn holds(&self, p: Point) -> Result<bool> {
        inside(p, &self.points)
    }
    pub fn overlaps(&self, o: &Polygon) -> Result<bool> {
        if !self.bounds().overlaps(o.bounds()) {
            return Ok(false);
        }
        let other = o.edges();
        if any(self.edges(), |e| any(&other, |f| Ok(e.meet(*f)?.is_some())))? {
            return Ok(true);
        }
        let (Some(p), Some(q)) = (self.points.first(), o.points.first()) else { return Ok(false) };
        Ok(inside(*p, &o.points)? || inside(*q, &self.points)?)
    }
    /// Does it contain every edge of the other?
    pub fn contains(&self, o: &Polygon) -> Result<bool> {
        if !self.bounds().contains(o.bounds()) {
            return Ok(false);
        }
        let edges = self.edges();
        for e in o.edges() {
            if !self.holds_segment(e.a, e.b, &edges)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
    /// Does the way between two points stay inside, seen from the remaining edges? Where it meets one it is cut in two.
    fn holds_segment(&self, a: Point, b: Point, edges: &[Lseg]) -> Result<bool> {
        let t = Lseg { a, b };
        for (n, s) in edges.iter().enumerate() {
            let rest = &edges[n + 1..];
            let (from, to) = match (s.holds(a)?, s.holds(b)?) {
                (true, true) => return Ok(true),
                (true, false) => (a, b),
                (false, true) => (b, a),
                (false, false) => match t.meet(*s)? {
                    Some(cut) => {
                        return Ok(self.holds_segment(a, cut, rest)? && self.holds_segment(b, cut, rest)?);
                    }
                    None => continue,
                },
            };
            if !self.holds_touching(from, to, *s, rest)? {
                return Ok(false);
            }
        }
        inside(t.middle()?, &self.points)
    }
    /// The same for a way that starts on an edge: a corner of that edge on the way cuts it.
    fn holds_touching(&self, a: Point, b: Point, s: Lseg, rest: &[Lseg]) -> Result<bool> {
        let t = Lseg { a, b };
        let corners: &[Point] = if a.same(s.a) {
            &[s.b]
        } else if a.same(s.b) {
            &[s.a]
        } else {
            &[s.a, s.b]
        };
        for corner in corners {
            if t.holds(*corner)? {
                return self.holds_segment(b, *corner, rest);
            }
        }
        Ok(true)
    }
    pub fn same(&self, o: &Polygon) -> bool {
        let n = self.points.len();
        if n != o.points.len() {
            return false;
        }
        let (p, q) = (&self.points, &o.points);
        (0..n).any(|s| {
            (0..n).all(|i| p[i].same(q[(s + i) % n])) || (0..n).all(|i| p[i].same(q[(s + n - i) % n]))
        })
    }
    pub fn dist(&self, o: &Polygon) -> Result<Option<f64>> {
        if self.overlaps(o)? { Ok(Some(0.0)) } else { between(&self.edges(), &o.edges()) }
    }
    pub fn point_dist(&self, p: Point) -> Result<f64> {
        if inside(p, &self.points)? {
            return Ok(0.0);
        }
        Ok(minimum(self.edges().iter().map(|e| Ok(e.closest(p)?.1)))?.unwrap_or(0.0))
    }
    pub fn circle(&self) -> Result<Circle> {
        let n = self.points.len() as f64;
        let mut center = Point { x: 0.0, y: 0.0 };
        for p in &self.points {
            center = center.plus(*p)?;
        }
        center = Point { x: div(center.x, n)?, y: div(center.y, n)? };
        let mut radius = 0.0;
        for p in &self.points {
            radius = add(radius, p.dist(center)?)?;
        }
        Ok(Circle { center, radius: div(radius, n)? })
    }
}

/// Least distance between two lists of segments.
pub fn between(a: &[Lseg], b: &[Lseg]) -> Result<Option<f64>> {
    minimum(a.iter().flat_map(|x| b.iter().map(move |y| Ok(x.closest_to(*y)?.1))))
}

impl Path {
    pub fn segments(&self) -> Vec<Lseg> {
        segments(&self.points, self.closed)
    }
    pub fn moved(&self, f: impl Fn(Point) -> Result<Point>) -> Result<Path> {
        let points = self.points.iter().map(|p| f(*p)).collect::<Result<_>>()?;
        Ok(Path { closed: self.closed, points })
    }
    pub fn len(&self) -> Result<f64> {
        self.segments().iter().try_fold(0.0, |sum, s| add(sum, s.len()?))
    }
    pub fn point_dist(&self, p: Point) -> Result<f64> {
        match self.points.as_slice() {
            [one] => p.dist(*one),
            _ => Ok(minimum(self.segments().iter().map(|s| Ok(s.closest(p)?.1)))?.unwrap_or(0.0)),
        }
    }
}

impl Circle {
    pub fn area(self) -> Result<f64> {
        mul(mul(self.radius, self.radius)?, std::f64::consts::PI)
    }
    /// Distance of a point from the disc.
    pub fn gap(self, p: Point) -> Result<f64> {
        gap(p.dist(self.center)?, self.radius)
    }
}

/// What is left of a distance outside a radius.
pub fn gap(distance: f64, radius: f64) -> Result<f64> {
    let d = sub(distance, radius)?;
    Ok(if d < 0.0 { 0.0 } else { d })
}
