//! The shapes, their bytes, and the arithmetic they share. Comparison of coordinates is tolerant by [`EPSILON`], as in
//! PostgreSQL. A stored path or polygon is its number of points, a word (1 for a closed path), and the points; all other
//! shapes are their coordinates. Coordinates are little endian.

use common::{Error, Result};

pub const EPSILON: f64 = 1.0e-6;

pub fn zero(a: f64) -> bool {
    a.abs() <= EPSILON
}
pub fn feq(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= EPSILON
}
pub fn flt(a: f64, b: f64) -> bool {
    a + EPSILON < b
}
pub fn fle(a: f64, b: f64) -> bool {
    a <= b + EPSILON
}
pub fn fgt(a: f64, b: f64) -> bool {
    a > b + EPSILON
}
pub fn fge(a: f64, b: f64) -> bool {
    a + EPSILON >= b
}

/// Length of the hypotenuse, without overflow on the way.
pub fn hypot(x: f64, y: f64) -> f64 {
    if x.is_infinite() || y.is_infinite() {
        return f64::INFINITY;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let (a, b) = (x.abs().max(y.abs()), x.abs().min(y.abs()));
    if b == 0.0 {
        return a;
    }
    let q = b / a;
    a * (1.0 + q * q).sqrt()
}

#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}
#[derive(Clone, Copy, Debug)]
pub struct Lseg {
    pub a: Point,
    pub b: Point,
}
#[derive(Clone, Copy, Debug)]
pub struct Boxed {
    pub high: Point,
    pub low: Point,
}
/// `a x + b y + c = 0`.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub a: f64,
    pub b: f64,
    pub c: f64,
}
#[derive(Clone, Copy, Debug)]
pub struct Circle {
    pub center: Point,
    pub radius: f64,
}
#[derive(Clone, Debug)]
pub struct Path {
    pub closed: bool,
    pub points: Vec<Point>,
}
#[derive(Clone, Debug)]
pub struct Polygon {
    pub points: Vec<Point>,
}

/// A value with a stored form.
pub trait Shape: Sized {
    fn read(b: &[u8]) -> Result<Self>;
    fn pack(&self) -> Vec<u8>;
}

fn corrupt() -> Error {
    Error::corrupted("invalid geometric value")
}
fn floats<const N: usize>(b: &[u8]) -> Result<[f64; N]> {
    let mut out = [0.0; N];
    if b.len() != 8 * N {
        return Err(corrupt());
    }
    for (o, c) in out.iter_mut().zip(b.chunks_exact(8)) {
        let mut w = [0; 8];
        w.copy_from_slice(c);
        *o = f64::from_le_bytes(w);
    }
    Ok(out)
}
fn bytes(v: &[f64]) -> Vec<u8> {
    v.iter().flat_map(|f| f.to_le_bytes()).collect()
}

impl Shape for Point {
    fn read(b: &[u8]) -> Result<Point> {
        let [x, y] = floats(b)?;
        Ok(Point { x, y })
    }
    fn pack(&self) -> Vec<u8> {
        bytes(&[self.x, self.y])
    }
}
impl Shape for Lseg {
    fn read(b: &[u8]) -> Result<Lseg> {
        let [x, y, z, w] = floats(b)?;
        Ok(Lseg { a: Point { x, y }, b: Point { x: z, y: w } })
    }
    fn pack(&self) -> Vec<u8> {
        bytes(&[self.a.x, self.a.y, self.b.x, self.b.y])
    }
}
impl Shape for Boxed {
    fn read(b: &[u8]) -> Result<Boxed> {
        let [x, y, z, w] = floats(b)?;
        Ok(Boxed { high: Point { x, y }, low: Point { x: z, y: w } })
    }
    fn pack(&self) -> Vec<u8> {
        bytes(&[self.high.x, self.high.y, self.low.x, self.low.y])
    }
}
impl Shape for Line {
    fn read(v: &[u8]) -> Result<Line> {
        let [a, b, c] = floats(v)?;
        Ok(Line { a, b, c })
    }
    fn pack(&self) -> Vec<u8> {
        bytes(&[self.a, self.b, self.c])
    }
}
impl Shape for Circle {
    fn read(b: &[u8]) -> Result<Circle> {
        let [x, y, radius] = floats(b)?;
        Ok(Circle { center: Point { x, y }, radius })
    }
    fn pack(&self) -> Vec<u8> {
        bytes(&[self.center.x, self.center.y, self.radius])
    }
}
fn read_points(b: &[u8]) -> Result<(u32, Vec<Point>)> {
    let word = |i: usize| -> Result<u32> {
        Ok(u32::from_le_bytes(*b.get(i..).and_then(|b| b.first_chunk::<4>()).ok_or_else(corrupt)?))
    };
    let (n, flag) = (word(0)? as usize, word(4)?);
    if b.len() - 8 != n.checked_mul(16).ok_or_else(corrupt)? {
        return Err(corrupt());
    }
    Ok((flag, b[8..].chunks_exact(16).map(Point::read).collect::<Result<_>>()?))
}
fn pack_points(flag: u32, points: &[Point]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + 16 * points.len());
    out.extend_from_slice(&(points.len() as u32).to_le_bytes());
    out.extend_from_slice(&flag.to_le_bytes());
    points.iter().for_each(|p| out.extend_from_slice(&p.pack()));
    out
}
impl Shape for Path {
    fn read(b: &[u8]) -> Result<Path> {
        let (flag, points) = read_points(b)?;
        Ok(Path { closed: flag != 0, points })
    }
    fn pack(&self) -> Vec<u8> {
        pack_points(u32::from(self.closed), &self.points)
    }
}
impl Shape for Polygon {
    fn read(b: &[u8]) -> Result<Polygon> {
        Ok(Polygon { points: read_points(b)?.1 })
    }
    fn pack(&self) -> Vec<u8> {
        pack_points(0, &self.points)
    }
}

impl Point {
    pub fn dist(self, o: Point) -> f64 {
        hypot(self.x - o.x, self.y - o.y)
    }
    pub fn same(self, o: Point) -> bool {
        let one =
            |a: f64, b: f64| if a.is_nan() || b.is_nan() { a.is_nan() && b.is_nan() } else { feq(a, b) };
        one(self.x, o.x) && one(self.y, o.y)
    }
    pub fn plus(self, o: Point) -> Point {
        Point { x: self.x + o.x, y: self.y + o.y }
    }
    pub fn minus(self, o: Point) -> Point {
        Point { x: self.x - o.x, y: self.y - o.y }
    }
    pub fn times(self, o: Point) -> Point {
        Point { x: self.x * o.x - self.y * o.y, y: self.x * o.y + self.y * o.x }
    }
    /// 22012.
    pub fn over(self, o: Point) -> Result<Point> {
        let d = o.x * o.x + o.y * o.y;
        if d == 0.0 {
            return Err(common::err!(DIVISION_BY_ZERO, "division by zero"));
        }
        Ok(Point { x: (self.x * o.x + self.y * o.y) / d, y: (self.y * o.x - self.x * o.y) / d })
    }
    pub fn slope(self, o: Point) -> f64 {
        if feq(self.x, o.x) {
            f64::INFINITY
        } else if feq(self.y, o.y) {
            0.0
        } else {
            (self.y - o.y) / (self.x - o.x)
        }
    }
    /// Slope of what is perpendicular to the way from one point to the other.
    pub fn inverse_slope(self, o: Point) -> f64 {
        if feq(self.x, o.x) {
            0.0
        } else if feq(self.y, o.y) {
            f64::INFINITY
        } else {
            (self.x - o.x) / (o.y - self.y)
        }
    }
}

fn positive_zero(v: f64) -> f64 {
    if v == 0.0 { 0.0 } else { v }
}

impl Line {
    pub fn through(p: Point, slope: f64) -> Line {
        if slope.is_infinite() {
            Line { a: -1.0, b: 0.0, c: p.x }
        } else if slope == 0.0 {
            Line { a: 0.0, b: -1.0, c: p.y }
        } else {
            Line { a: slope, b: -1.0, c: positive_zero(p.y - slope * p.x) }
        }
    }
    pub fn slope(self) -> f64 {
        if zero(self.a) {
            0.0
        } else if zero(self.b) {
            f64::INFINITY
        } else {
            self.a / -self.b
        }
    }
    fn inverse_slope(self) -> f64 {
        if zero(self.a) {
            f64::INFINITY
        } else if zero(self.b) {
            0.0
        } else {
            self.b / self.a
        }
    }
    pub fn meet(self, o: Line) -> Option<Point> {
        let (l1, l2) = (self, o);
        let (x, y);
        if !zero(l1.b) {
            if feq(l2.a, l1.a * (l2.b / l1.b)) {
                return None;
            }
            x = (l1.b * l2.c - l2.b * l1.c) / (l1.a * l2.b - l2.a * l1.b);
            y = -(l1.a * x + l1.c) / l1.b;
        } else if !zero(l2.b) {
            if feq(l1.a, l2.a * (l1.b / l2.b)) {
                return None;
            }
            x = (l2.b * l1.c - l1.b * l2.c) / (l2.a * l1.b - l1.a * l2.b);
            y = -(l2.a * x + l2.c) / l2.b;
        } else {
            return None;
        }
        Some(Point { x: positive_zero(x), y: positive_zero(y) })
    }
    pub fn holds(self, p: Point) -> bool {
        zero(self.a * p.x + self.b * p.y + self.c)
    }
    pub fn closest(self, p: Point) -> Point {
        Line::through(p, self.inverse_slope()).meet(self).unwrap_or(p)
    }
    pub fn perpendicular(self, o: Line) -> bool {
        if zero(self.a) {
            zero(o.b)
        } else if zero(o.a) {
            zero(self.b)
        } else if zero(self.b) {
            zero(o.a)
        } else if zero(o.b) {
            zero(self.a)
        } else {
            feq((self.a * o.a) / (self.b * o.b), -1.0)
        }
    }
    pub fn same(self, o: Line) -> bool {
        let ratio = if !zero(o.a) {
            self.a / o.a
        } else if !zero(o.b) {
            self.b / o.b
        } else if !zero(o.c) {
            self.c / o.c
        } else {
            1.0
        };
        feq(self.a, ratio * o.a) && feq(self.b, ratio * o.b) && feq(self.c, ratio * o.c)
    }
    pub fn dist(self, o: Line) -> f64 {
        if self.meet(o).is_some() {
            return 0.0;
        }
        let ratio = if !zero(self.a) && !zero(o.a) {
            self.a / o.a
        } else if !zero(self.b) && !zero(o.b) {
            self.b / o.b
        } else {
            1.0
        };
        (self.c - ratio * o.c).abs() / hypot(self.a, self.b)
    }
}

impl Lseg {
    pub fn slope(self) -> f64 {
        self.a.slope(self.b)
    }
    pub fn len(self) -> f64 {
        self.a.dist(self.b)
    }
    pub fn line(self) -> Line {
        Line::through(self.a, self.slope())
    }
    pub fn middle(self) -> Point {
        Point { x: (self.a.x + self.b.x) / 2.0, y: (self.a.y + self.b.y) / 2.0 }
    }
    pub fn holds(self, p: Point) -> bool {
        feq(p.dist(self.a) + p.dist(self.b), self.len())
    }
    pub fn meet_line(self, l: Line) -> Option<Point> {
        let p = self.line().meet(l).filter(|p| self.holds(*p))?;
        Some(if self.a.same(p) {
            self.a
        } else if self.b.same(p) {
            self.b
        } else {
            p
        })
    }
    pub fn meet(self, o: Lseg) -> Option<Point> {
        self.meet_line(o.line()).filter(|p| o.holds(*p))
    }
    pub fn closest_to_line(self, l: Line) -> (Point, f64) {
        if let Some(p) = self.meet_line(l) {
            return (p, 0.0);
        }
        let d = |p: Point| l.closest(p).dist(p);
        if d(self.a) < d(self.b) { (self.a, d(self.a)) } else { (self.b, d(self.b)) }
    }
    pub fn closest(self, p: Point) -> (Point, f64) {
        let (q, _) = self.closest_to_line(Line::through(p, self.a.inverse_slope(self.b)));
        (q, q.dist(p))
    }
    /// The point of this segment that is closest to another one.
    pub fn closest_to(self, o: Lseg) -> (Point, f64) {
        if let Some(p) = self.meet(o) {
            return (p, 0.0);
        }
        let mut best = self.closest(o.a);
        for (p, d) in [self.closest(o.b), (self.a, o.closest(self.a).1), (self.b, o.closest(self.b).1)] {
            if d < best.1 {
                best = (p, d);
            }
        }
        best
    }
    pub fn same(self, o: Lseg) -> bool {
        self.a.same(o.a) && self.b.same(o.b)
    }
}

impl Boxed {
    pub fn of(a: Point, b: Point) -> Boxed {
        let order = |p: f64, q: f64| if p > q || p.is_nan() { (p, q) } else { (q, p) };
        let ((hx, lx), (hy, ly)) = (order(a.x, b.x), order(a.y, b.y));
        Boxed { high: Point { x: hx, y: hy }, low: Point { x: lx, y: ly } }
    }
    pub fn around(points: &[Point]) -> Boxed {
        let first = points.first().copied().unwrap_or(Point { x: 0.0, y: 0.0 });
        points.iter().fold(Boxed { high: first, low: first }, |b, p| b.join(Boxed { high: *p, low: *p }))
    }
    pub fn join(self, o: Boxed) -> Boxed {
        Boxed {
            high: Point { x: self.high.x.max(o.high.x), y: self.high.y.max(o.high.y) },
            low: Point { x: self.low.x.min(o.low.x), y: self.low.y.min(o.low.y) },
        }
    }
    pub fn overlaps(self, o: Boxed) -> bool {
        fle(self.low.x, o.high.x)
            && fle(o.low.x, self.high.x)
            && fle(self.low.y, o.high.y)
            && fle(o.low.y, self.high.y)
    }
    pub fn holds(self, p: Point) -> bool {
        self.high.x >= p.x && self.low.x <= p.x && self.high.y >= p.y && self.low.y <= p.y
    }
    pub fn width(self) -> f64 {
        self.high.x - self.low.x
    }
    pub fn height(self) -> f64 {
        self.high.y - self.low.y
    }
    pub fn area(self) -> f64 {
        self.width() * self.height()
    }
    pub fn center(self) -> Point {
        Point { x: (self.high.x + self.low.x) / 2.0, y: (self.high.y + self.low.y) / 2.0 }
    }
    pub fn sides(self) -> [Lseg; 4] {
        let (h, l) = (self.high, self.low);
        let (lh, hl) = (Point { x: l.x, y: h.y }, Point { x: h.x, y: l.y });
        [Lseg { a: l, b: lh }, Lseg { a: h, b: lh }, Lseg { a: l, b: hl }, Lseg { a: h, b: hl }]
    }
    pub fn closest(self, p: Point) -> (Point, f64) {
        if self.holds(p) {
            return (p, 0.0);
        }
        nearest(self.sides().into_iter().map(|s| s.closest(p)))
    }
    pub fn meets(self, s: Lseg) -> bool {
        self.overlaps(Boxed::of(s.a, s.b))
            && (self.holds(s.a) || self.holds(s.b) || self.sides().iter().any(|x| x.meet(s).is_some()))
    }
    pub fn closest_to(self, s: Lseg) -> (Point, f64) {
        if self.meets(s) {
            return (s.closest(self.center()).0, 0.0);
        }
        nearest(self.sides().into_iter().map(|x| x.closest_to(s)))
    }
}

/// The first of the least distances.
pub fn nearest(all: impl Iterator<Item = (Point, f64)>) -> (Point, f64) {
    let start = (Point { x: 0.0, y: 0.0 }, f64::INFINITY);
    all.fold(start, |best, x| if x.1 < best.1 { x } else { best })
}

/// The segments between points, the way back to the first included if `closed`.
pub fn segments(points: &[Point], closed: bool) -> Vec<Lseg> {
    let mut out: Vec<Lseg> = points.windows(2).map(|w| Lseg { a: w[0], b: w[1] }).collect();
    if closed && let (Some(a), Some(b)) = (points.last(), points.first()) {
        out.push(Lseg { a: *a, b: *b });
    }
    out
}

/// Is the point within the closed figure or on its border?
pub fn inside(p: Point, points: &[Point]) -> bool {
    let edges = segments(points, true);
    if edges.iter().any(|e| e.holds(p)) {
        return true;
    }
    let mut odd = false;
    for e in edges {
        if (e.a.y > p.y) != (e.b.y > p.y) && p.x < (e.b.x - e.a.x) * (p.y - e.a.y) / (e.b.y - e.a.y) + e.a.x {
            odd = !odd;
        }
    }
    odd
}

impl Polygon {
    pub fn bounds(&self) -> Boxed {
        Boxed::around(&self.points)
    }
    pub fn edges(&self) -> Vec<Lseg> {
        segments(&self.points, true)
    }
    pub fn holds(&self, p: Point) -> bool {
        self.bounds().holds(p) && inside(p, &self.points)
    }
    pub fn overlaps(&self, o: &Polygon) -> bool {
        let meet = || {
            let other = o.edges();
            self.edges().iter().any(|e| other.iter().any(|f| e.meet(*f).is_some()))
        };
        let first = |p: &Polygon, q: &Polygon| q.points.first().is_some_and(|x| p.holds(*x));
        self.bounds().overlaps(o.bounds()) && (meet() || first(self, o) || first(o, self))
    }
    /// Does it contain every edge of the other?
    pub fn contains(&self, o: &Polygon) -> bool {
        let mine = self.edges();
        o.edges().iter().all(|e| {
            let mut cuts = vec![e.a, e.b];
            cuts.extend(mine.iter().filter_map(|m| e.meet(*m)));
            cuts.sort_by(|p, q| e.a.dist(*p).total_cmp(&e.a.dist(*q)));
            cuts.iter().all(|p| inside(*p, &self.points))
                && cuts.windows(2).all(|w| inside(Lseg { a: w[0], b: w[1] }.middle(), &self.points))
        })
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
    pub fn dist(&self, o: &Polygon) -> f64 {
        if self.overlaps(o) { 0.0 } else { between(&self.edges(), &o.edges()) }
    }
    pub fn point_dist(&self, p: Point) -> f64 {
        if inside(p, &self.points) { 0.0 } else { nearest(self.edges().iter().map(|e| e.closest(p))).1 }
    }
    pub fn circle(&self) -> Circle {
        let n = self.points.len() as f64;
        let sum = self.points.iter().fold(Point { x: 0.0, y: 0.0 }, |s, p| s.plus(*p));
        let center = Point { x: sum.x / n, y: sum.y / n };
        let radius = self.points.iter().map(|p| p.dist(center)).sum::<f64>() / n;
        Circle { center, radius }
    }
}

/// Least distance between two lists of segments.
pub fn between(a: &[Lseg], b: &[Lseg]) -> f64 {
    a.iter().flat_map(|x| b.iter().map(move |y| x.closest_to(*y).1)).fold(f64::INFINITY, f64::min)
}

impl Path {
    pub fn segments(&self) -> Vec<Lseg> {
        segments(&self.points, self.closed)
    }
    pub fn moved(&self, f: impl Fn(Point) -> Result<Point>) -> Result<Path> {
        let points = self.points.iter().map(|p| f(*p)).collect::<Result<_>>()?;
        Ok(Path { closed: self.closed, points })
    }
    pub fn point_dist(&self, p: Point) -> f64 {
        match self.points.as_slice() {
            [one] => one.dist(p),
            _ => nearest(self.segments().iter().map(|s| s.closest(p))).1,
        }
    }
}

impl Circle {
    pub fn area(self) -> f64 {
        self.radius * self.radius * std::f64::consts::PI
    }
}
