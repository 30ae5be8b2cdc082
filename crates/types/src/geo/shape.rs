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
