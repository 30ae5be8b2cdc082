//! What the table's one-liners do not say themselves.

use super::shape::*;
use common::{Result, bail};

pub fn box_contains(a: Boxed, b: Boxed) -> bool {
    fge(a.high.x, b.high.x) && fle(a.low.x, b.low.x) && fge(a.high.y, b.high.y) && fle(a.low.y, b.low.y)
}
pub fn box_common(a: Boxed, b: Boxed) -> Option<Boxed> {
    a.overlaps(b).then(|| Boxed {
        high: Point { x: a.high.x.min(b.high.x), y: a.high.y.min(b.high.y) },
        low: Point { x: a.low.x.max(b.low.x), y: a.low.y.max(b.low.y) },
    })
}
pub fn box_polygon(b: Boxed) -> Polygon {
    let (h, l) = (b.high, b.low);
    Polygon { points: vec![l, Point { x: l.x, y: h.y }, h, Point { x: h.x, y: l.y }] }
}
pub fn circle_box(c: Circle) -> Boxed {
    let d = c.radius / 2f64.sqrt();
    let d = Point { x: d, y: d };
    Boxed { high: c.center.plus(d), low: c.center.minus(d) }
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
        Point { x: c.center.x - c.radius * angle.cos(), y: c.center.y + c.radius * angle.sin() }
    };
    Ok(Polygon { points: (0..n).map(at).collect() })
}
pub fn path_joined(a: Path, b: Path) -> Option<Path> {
    if a.closed || b.closed {
        return None;
    }
    let mut points = a.points;
    points.extend(b.points);
    Some(Path { closed: false, points })
}
pub fn path_area(p: &Path) -> Option<f64> {
    let twice: f64 = segments(&p.points, true).iter().map(|s| s.a.x * s.b.y - s.a.y * s.b.x).sum();
    p.closed.then(|| twice.abs() / 2.0)
}
pub fn path_polygon(p: Path) -> Result<Polygon> {
    if !p.closed {
        bail!(INVALID_PARAMETER_VALUE, "open path cannot be converted to polygon");
    }
    Ok(Polygon { points: p.points })
}
pub fn paths_meet(a: &Path, b: &Path) -> bool {
    let other = b.segments();
    Boxed::around(&a.points).overlaps(Boxed::around(&b.points))
        && a.segments().iter().any(|s| other.iter().any(|t| s.meet(*t).is_some()))
}
pub fn on_path(p: Point, path: &Path) -> bool {
    if path.closed { inside(p, &path.points) } else { path.segments().iter().any(|s| s.holds(p)) }
}
