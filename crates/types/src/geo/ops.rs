//! What the table's one-liners do not say themselves.

use super::measure::*;
use super::shape::*;
use common::{Result, bail};

pub fn box_common(a: Boxed, b: Boxed) -> Option<Boxed> {
    a.overlaps(b).then(|| Boxed {
        high: Point { x: least(a.high.x, b.high.x), y: least(a.high.y, b.high.y) },
        low: Point { x: greatest(a.low.x, b.low.x), y: greatest(a.low.y, b.low.y) },
    })
}
pub fn box_polygon(b: Boxed) -> Polygon {
    let (h, l) = (b.high, b.low);
    Polygon { points: vec![l, Point { x: l.x, y: h.y }, h, Point { x: h.x, y: l.y }] }
}
pub fn circle_box(c: Circle) -> Result<Boxed> {
    let d = div(c.radius, 2f64.sqrt())?;
    let d = Point { x: d, y: d };
    Ok(Boxed { high: c.center.plus(d)?, low: c.center.minus(d)? })
}
pub fn circle_polygon(n: i32, c: Circle) -> Result<Polygon> {
    if zero(c.radius) {
        bail!(FEATURE_NOT_SUPPORTED, "cannot convert circle with radius zero to polygon");
    }
    if n < 2 {
        bail!(INVALID_PARAMETER_VALUE, "must request at least 2 points");
    }
    if n > 50_000_000 {
        bail!(PROGRAM_LIMIT_EXCEEDED, "too many points requested");
    }
    let step = 2.0 * std::f64::consts::PI / f64::from(n);
    let at = |i: i32| {
        let angle = step * f64::from(i);
        let x = sub(c.center.x, mul(c.radius, angle.cos())?)?;
        Ok(Point { x, y: add(c.center.y, mul(c.radius, angle.sin())?)? })
    };
    Ok(Polygon { points: (0..n).map(at).collect::<Result<_>>()? })
}
pub fn path_joined(a: Path, b: Path) -> Option<Path> {
    if a.closed || b.closed {
        return None;
    }
    let mut points = a.points;
    points.extend(b.points);
    Some(Path { closed: false, points })
}
pub fn path_area(p: &Path) -> Result<Option<f64>> {
    if !p.closed {
        return Ok(None);
    }
    let mut twice = 0.0;
    let next = p.points.iter().cycle().skip(1);
    for (a, b) in p.points.iter().zip(next) {
        twice = sub(add(twice, mul(a.x, b.y)?)?, mul(a.y, b.x)?)?;
    }
    div(f64::abs(twice), 2.0).map(Some)
}
pub fn path_polygon(p: Path) -> Result<Polygon> {
    if !p.closed {
        bail!(INVALID_PARAMETER_VALUE, "open path cannot be converted to polygon");
    }
    Ok(Polygon { points: p.points })
}
pub fn paths_meet(a: &Path, b: &Path) -> Result<bool> {
    if !Boxed::around(&a.points).overlaps(Boxed::around(&b.points)) {
        return Ok(false);
    }
    let other = b.segments();
    any(a.segments(), |s| any(&other, |t| Ok(s.meet(*t)?.is_some())))
}
pub fn on_path(p: Point, path: &Path) -> Result<bool> {
    if path.closed { inside(p, &path.points) } else { any(path.segments(), |s| s.holds(p)) }
}
/// A point that has a distance.
pub fn found(closest: (Point, f64)) -> Option<Vec<u8>> {
    (!closest.1.is_nan()).then(|| closest.0.pack())
}
