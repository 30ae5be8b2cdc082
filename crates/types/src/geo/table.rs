//! Geometric functions by OID.

use super::io::*;
use super::measure::*;
use super::ops::*;
use super::shape::*;
use crate::{FnImpl, k1, k2};
use common::Error;

/// A function of one shape.
macro_rules! g1 {
    ($t:ty, |$a:ident| $body:expr) => {
        k1!(|$a: &[u8]| {
            let $a = <$t>::read($a)?;
            Ok::<_, Error>($body)
        })
    };
}
/// A function of two shapes.
macro_rules! g2 {
    ($t:ty, $u:ty, |$a:ident, $b:ident| $body:expr) => {
        k2!(|$a: &[u8], $b: &[u8]| {
            let ($a, $b) = (<$t>::read($a)?, <$u>::read($b)?);
            Ok::<_, Error>($body)
        })
    };
}

/// Functions of point, lseg, line, box, path, polygon and circle.
pub static TABLE: &[(u32, FnImpl)] = &[
    (117, FnImpl::Input(point_in)),
    (118, FnImpl::Output(point_out)),
    (2428, FnImpl::Receive(point_recv)),
    (2429, FnImpl::Send(plain_send)),
    (119, FnImpl::Input(lseg_in)),
    (120, FnImpl::Output(lseg_out)),
    (2480, FnImpl::Receive(lseg_recv)),
    (2481, FnImpl::Send(plain_send)),
    (121, FnImpl::Input(path_in)),
    (122, FnImpl::Output(path_out)),
    (2482, FnImpl::Receive(path_recv)),
    (2483, FnImpl::Send(path_send)),
    (123, FnImpl::Input(box_in)),
    (124, FnImpl::Output(box_out)),
    (2484, FnImpl::Receive(box_recv)),
    (2485, FnImpl::Send(plain_send)),
    (347, FnImpl::Input(poly_in)),
    (348, FnImpl::Output(poly_out)),
    (2486, FnImpl::Receive(poly_recv)),
    (2487, FnImpl::Send(poly_send)),
    (1490, FnImpl::Input(line_in)),
    (1491, FnImpl::Output(line_out)),
    (2488, FnImpl::Receive(line_recv)),
    (2489, FnImpl::Send(plain_send)),
    (1450, FnImpl::Input(circle_in)),
    (1451, FnImpl::Output(circle_out)),
    (2490, FnImpl::Receive(circle_recv)),
    (2491, FnImpl::Send(plain_send)),
    (1441, g2!(Point, Point, |a, b| a.plus(b)?.pack())),
    (1442, g2!(Point, Point, |a, b| a.minus(b)?.pack())),
    (1443, g2!(Point, Point, |a, b| a.times(b)?.pack())),
    (1444, g2!(Point, Point, |a, b| a.over(b)?.pack())),
    (991, g2!(Point, Point, |a, b| a.dist(b)?)),
    (135, g2!(Point, Point, |a, b| a.same(b))),
    (988, g2!(Point, Point, |a, b| !a.same(b))),
    (132, g2!(Point, Point, |a, b| flt(a.x, b.x))),
    (133, g2!(Point, Point, |a, b| fgt(a.x, b.x))),
    (131, g2!(Point, Point, |a, b| fgt(a.y, b.y))),
    (134, g2!(Point, Point, |a, b| flt(a.y, b.y))),
    (989, g2!(Point, Point, |a, b| feq(a.x, b.x))),
    (1406, g2!(Point, Point, |a, b| feq(a.x, b.x))),
    (990, g2!(Point, Point, |a, b| feq(a.y, b.y))),
    (1407, g2!(Point, Point, |a, b| feq(a.y, b.y))),
    (992, g2!(Point, Point, |a, b| a.slope(b)?)),
    (1440, k2!(|x: f64, y: f64| Point { x, y }.pack())),
    (1534, g1!(Boxed, |a| a.center()?.pack())),
    (138, g1!(Boxed, |a| a.center()?.pack())),
    (1542, g1!(Boxed, |a| a.center()?.pack())),
    (1416, g1!(Circle, |a| a.center.pack())),
    (1472, g1!(Circle, |a| a.center.pack())),
    (1543, g1!(Circle, |a| a.center.pack())),
    (1532, g1!(Lseg, |a| a.middle()?.pack())),
    (225, g1!(Lseg, |a| a.middle()?.pack())),
    (1540, g1!(Polygon, |a| a.circle()?.center.pack())),
    (227, g1!(Polygon, |a| a.circle()?.center.pack())),
    (975, g1!(Boxed, |a| a.area()?)),
    (976, g1!(Boxed, |a| a.width()?)),
    (977, g1!(Boxed, |a| a.height()?)),
    (981, g1!(Boxed, |a| Lseg { a: a.high, b: a.low }.pack())),
    (1541, g1!(Boxed, |a| Lseg { a: a.high, b: a.low }.pack())),
    (4067, g2!(Boxed, Boxed, |a, b| a.join(b).pack())),
    (1480, g1!(Circle, |a| circle_box(a)?.pack())),
    (4091, g1!(Point, |a| Boxed { high: a, low: a }.pack())),
    (1446, g1!(Polygon, |a| a.bounds().pack())),
    (1421, g2!(Point, Point, |a, b| Boxed::of(a, b).pack())),
    (125, g2!(Boxed, Boxed, |a, b| a.overlaps(b))),
    (187, g2!(Boxed, Boxed, |a, b| a.contains(b))),
    (192, g2!(Boxed, Boxed, |a, b| b.contains(a))),
    (193, g2!(Boxed, Point, |a, b| a.holds(b))),
    (136, g2!(Point, Boxed, |a, b| b.holds(a))),
    (188, g2!(Boxed, Boxed, |a, b| flt(a.high.x, b.low.x))),
    (189, g2!(Boxed, Boxed, |a, b| fle(a.high.x, b.high.x))),
    (191, g2!(Boxed, Boxed, |a, b| fgt(a.low.x, b.high.x))),
    (190, g2!(Boxed, Boxed, |a, b| fge(a.low.x, b.low.x))),
    (2562, g2!(Boxed, Boxed, |a, b| flt(a.high.y, b.low.y))),
    (2563, g2!(Boxed, Boxed, |a, b| fle(a.high.y, b.high.y))),
    (2565, g2!(Boxed, Boxed, |a, b| fgt(a.low.y, b.high.y))),
    (2564, g2!(Boxed, Boxed, |a, b| fge(a.low.y, b.low.y))),
    (116, g2!(Boxed, Boxed, |a, b| fle(a.high.y, b.low.y))),
    (115, g2!(Boxed, Boxed, |a, b| fge(a.low.y, b.high.y))),
    (128, g2!(Boxed, Boxed, |a, b| feq(a.area()?, b.area()?))),
    (129, g2!(Boxed, Boxed, |a, b| flt(a.area()?, b.area()?))),
    (127, g2!(Boxed, Boxed, |a, b| fgt(a.area()?, b.area()?))),
    (130, g2!(Boxed, Boxed, |a, b| fle(a.area()?, b.area()?))),
    (126, g2!(Boxed, Boxed, |a, b| fge(a.area()?, b.area()?))),
    (186, g2!(Boxed, Boxed, |a, b| a.high.same(b.high) && a.low.same(b.low))),
    (978, g2!(Boxed, Boxed, |a, b| a.center()?.dist(b.center()?)?)),
    (980, g2!(Boxed, Boxed, |a, b| box_common(a, b).map(|b| b.pack()))),
    (1422, g2!(Boxed, Point, |a, b| Boxed { high: a.high.plus(b)?, low: a.low.plus(b)? }.pack())),
    (1423, g2!(Boxed, Point, |a, b| Boxed { high: a.high.minus(b)?, low: a.low.minus(b)? }.pack())),
    (1424, g2!(Boxed, Point, |a, b| Boxed::of(a.high.times(b)?, a.low.times(b)?).pack())),
    (1425, g2!(Boxed, Point, |a, b| Boxed::of(a.high.over(b)?, a.low.over(b)?).pack())),
    (1448, g1!(Boxed, |a| box_polygon(a).pack())),
    (1479, g1!(Boxed, |a| Circle { center: a.center()?, radius: a.center()?.dist(a.high)? }.pack())),
    (364, g2!(Point, Boxed, |a, b| b.closest(a)?.1)),
    (357, g2!(Boxed, Point, |a, b| a.closest(b)?.1)),
    (367, g2!(Point, Boxed, |a, b| found(b.closest(a)?))),
    (365, g2!(Lseg, Boxed, |a, b| b.closest_to(a)?.1)),
    (381, g2!(Boxed, Lseg, |a, b| a.closest_to(b)?.1)),
    (368, g2!(Lseg, Boxed, |a, b| found(b.closest_to(a)?))),
    (373, g2!(Lseg, Boxed, |a, b| b.meets(a)?)),
    (278, g2!(Line, Boxed, |a, b| any(b.sides(), |s| Ok(s.meet_line(a)?.is_some()))?)),
    (372, g2!(Lseg, Boxed, |a, b| b.holds(a.a) && b.holds(a.b))),
    (993, g2!(Point, Point, |a, b| Lseg { a, b }.pack())),
    (361, g2!(Lseg, Lseg, |a, b| a.closest_to(b)?.1)),
    (362, g2!(Lseg, Lseg, |a, b| a.meet(b)?.map(|p| p.pack()))),
    (994, g2!(Lseg, Lseg, |a, b| a.meet(b)?.is_some())),
    (995, g2!(Lseg, Lseg, |a, b| feq(a.slope()?, b.slope()?))),
    (1408, g2!(Lseg, Lseg, |a, b| feq(a.slope()?, b.slope()?))),
    (996, g2!(Lseg, Lseg, |a, b| feq(a.slope()?, b.a.inverse_slope(b.b)?))),
    (1409, g2!(Lseg, Lseg, |a, b| feq(a.slope()?, b.a.inverse_slope(b.b)?))),
    (997, g1!(Lseg, |a| feq(a.a.x, a.b.x))),
    (1410, g1!(Lseg, |a| feq(a.a.x, a.b.x))),
    (998, g1!(Lseg, |a| feq(a.a.y, a.b.y))),
    (1411, g1!(Lseg, |a| feq(a.a.y, a.b.y))),
    (1487, g1!(Lseg, |a| a.len()?)),
    (1530, g1!(Lseg, |a| a.len()?)),
    (999, g2!(Lseg, Lseg, |a, b| a.same(b))),
    (1482, g2!(Lseg, Lseg, |a, b| !a.same(b))),
    (1483, g2!(Lseg, Lseg, |a, b| flt(a.len()?, b.len()?))),
    (1484, g2!(Lseg, Lseg, |a, b| fle(a.len()?, b.len()?))),
    (1485, g2!(Lseg, Lseg, |a, b| fgt(a.len()?, b.len()?))),
    (1486, g2!(Lseg, Lseg, |a, b| fge(a.len()?, b.len()?))),
    (363, g2!(Point, Lseg, |a, b| b.closest(a)?.1)),
    (380, g2!(Lseg, Point, |a, b| a.closest(b)?.1)),
    (366, g2!(Point, Lseg, |a, b| found(b.closest(a)?))),
    (369, g2!(Point, Lseg, |a, b| b.holds(a)?)),
    (1489, g2!(Lseg, Lseg, |a, b| if a.slope()? == b.slope()? { None } else { found(b.closest_to(a)?) })),
    (1493, g2!(Point, Point, |a, b| line_through(a, b)?.pack())),
    (1494, g2!(Line, Line, |a, b| a.meet(b)?.map(|p| p.pack()))),
    (1495, g2!(Line, Line, |a, b| a.meet(b)?.is_some())),
    (1496, g2!(Line, Line, |a, b| a.meet(b)?.is_none())),
    (1412, g2!(Line, Line, |a, b| a.meet(b)?.is_none())),
    (1497, g2!(Line, Line, |a, b| a.perpendicular(b)?)),
    (1413, g2!(Line, Line, |a, b| a.perpendicular(b)?)),
    (1498, g1!(Line, |a| zero(a.b))),
    (1414, g1!(Line, |a| zero(a.b))),
    (1499, g1!(Line, |a| zero(a.a))),
    (1415, g1!(Line, |a| zero(a.a))),
    (1492, g2!(Line, Line, |a, b| a.same(b)?)),
    (239, g2!(Line, Line, |a, b| a.dist(b)?)),
    (725, g2!(Point, Line, |a, b| b.closest(a)?.1)),
    (702, g2!(Line, Point, |a, b| a.closest(b)?.1)),
    (961, g2!(Point, Line, |a, b| found(b.closest(a)?))),
    (959, g2!(Point, Line, |a, b| b.holds(a)?)),
    (960, g2!(Lseg, Line, |a, b| b.holds(a.a)? && b.holds(a.b)?)),
    (277, g2!(Lseg, Line, |a, b| a.meet_line(b)?.is_some())),
    (727, g2!(Lseg, Line, |a, b| a.closest_to_line(b)?.1)),
    (704, g2!(Line, Lseg, |a, b| b.closest_to_line(a)?.1)),
    (
        1488,
        g2!(Line, Lseg, |a, b| if a.slope()? == b.slope()? { None } else { found(b.closest_to_line(a)?) }),
    ),
    (1435, g2!(Path, Path, |a, b| path_joined(a, b).map(|p| p.pack()))),
    (1436, g2!(Path, Point, |a, b| a.moved(|p| p.plus(b))?.pack())),
    (1437, g2!(Path, Point, |a, b| a.moved(|p| p.minus(b))?.pack())),
    (1438, g2!(Path, Point, |a, b| a.moved(|p| p.times(b))?.pack())),
    (1439, g2!(Path, Point, |a, b| a.moved(|p| p.over(b))?.pack())),
    (1431, g1!(Path, |a| !a.closed)),
    (1430, g1!(Path, |a| a.closed)),
    (1433, g1!(Path, |a| Path { closed: true, points: a.points }.pack())),
    (1434, g1!(Path, |a| Path { closed: false, points: a.points }.pack())),
    (1432, g1!(Path, |a| a.points.len() as i32)),
    (1545, g1!(Path, |a| a.points.len() as i32)),
    (1531, g1!(Path, |a| a.len()?)),
    (987, g1!(Path, |a| a.len()?)),
    (979, g1!(Path, |a| path_area(&a)?)),
    (1447, g1!(Polygon, |a| Path { closed: true, points: a.points }.pack())),
    (1449, g1!(Path, |a| path_polygon(a)?.pack())),
    (370, g2!(Path, Path, |a, b| between(&a.segments(), &b.segments())?)),
    (973, g2!(Path, Path, |a, b| paths_meet(&a, &b)?)),
    (371, g2!(Point, Path, |a, b| b.point_dist(a)?)),
    (421, g2!(Path, Point, |a, b| a.point_dist(b)?)),
    (137, g2!(Point, Path, |a, b| on_path(a, &b)?)),
    (1426, g2!(Path, Point, |a, b| on_path(b, &a)?)),
    (982, g2!(Path, Path, |a, b| a.points.len() < b.points.len())),
    (983, g2!(Path, Path, |a, b| a.points.len() > b.points.len())),
    (984, g2!(Path, Path, |a, b| a.points.len() == b.points.len())),
    (985, g2!(Path, Path, |a, b| a.points.len() <= b.points.len())),
    (986, g2!(Path, Path, |a, b| a.points.len() >= b.points.len())),
    (1428, g2!(Polygon, Point, |a, b| a.holds(b)?)),
    (1429, g2!(Point, Polygon, |a, b| b.holds(a)?)),
    (346, g2!(Polygon, Polygon, |a, b| a.overlaps(&b)?)),
    (340, g2!(Polygon, Polygon, |a, b| a.contains(&b)?)),
    (345, g2!(Polygon, Polygon, |a, b| b.contains(&a)?)),
    (
        341,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.high.x < b.low.x
        }),
    ),
    (
        342,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.high.x <= b.high.x
        }),
    ),
    (
        344,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.low.x > b.high.x
        }),
    ),
    (
        343,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.low.x >= b.low.x
        }),
    ),
    (
        2566,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.high.y < b.low.y
        }),
    ),
    (
        2567,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.high.y <= b.high.y
        }),
    ),
    (
        2569,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.low.y > b.high.y
        }),
    ),
    (
        2568,
        g2!(Polygon, Polygon, |a, b| {
            let (a, b) = (a.bounds(), b.bounds());
            a.low.y >= b.low.y
        }),
    ),
    (339, g2!(Polygon, Polygon, |a, b| a.same(&b))),
    (729, g2!(Polygon, Polygon, |a, b| a.dist(&b)?)),
    (1445, g1!(Polygon, |a| a.points.len() as i32)),
    (1556, g1!(Polygon, |a| a.points.len() as i32)),
    (1474, g1!(Polygon, |a| a.circle()?.pack())),
    (1475, k2!(|n: i32, c: &[u8]| Ok::<_, Error>(circle_polygon(n, Circle::read(c)?)?.pack()))),
    (1544, g1!(Circle, |a| circle_polygon(12, a)?.pack())),
    (3275, g2!(Point, Polygon, |a, b| b.point_dist(a)?)),
    (3292, g2!(Polygon, Point, |a, b| a.point_dist(b)?)),
    (728, g2!(Circle, Polygon, |a, b| gap(b.point_dist(a.center)?, a.radius)?)),
    (785, g2!(Polygon, Circle, |a, b| gap(a.point_dist(b.center)?, b.radius)?)),
    (1459, g2!(Circle, Circle, |a, b| fle(a.center.dist(b.center)?, add(a.radius, b.radius)?))),
    (1453, g2!(Circle, Circle, |a, b| fle(a.center.dist(b.center)?, sub(a.radius, b.radius)?))),
    (1458, g2!(Circle, Circle, |a, b| fle(a.center.dist(b.center)?, sub(b.radius, a.radius)?))),
    (1454, g2!(Circle, Circle, |a, b| flt(add(a.center.x, a.radius)?, sub(b.center.x, b.radius)?))),
    (1455, g2!(Circle, Circle, |a, b| fle(add(a.center.x, a.radius)?, add(b.center.x, b.radius)?))),
    (1457, g2!(Circle, Circle, |a, b| fgt(sub(a.center.x, a.radius)?, add(b.center.x, b.radius)?))),
    (1456, g2!(Circle, Circle, |a, b| fge(sub(a.center.x, a.radius)?, sub(b.center.x, b.radius)?))),
    (1460, g2!(Circle, Circle, |a, b| flt(add(a.center.y, a.radius)?, sub(b.center.y, b.radius)?))),
    (2587, g2!(Circle, Circle, |a, b| fle(add(a.center.y, a.radius)?, add(b.center.y, b.radius)?))),
    (1461, g2!(Circle, Circle, |a, b| fgt(sub(a.center.y, a.radius)?, add(b.center.y, b.radius)?))),
    (2588, g2!(Circle, Circle, |a, b| fge(sub(a.center.y, a.radius)?, sub(b.center.y, b.radius)?))),
    (
        1452,
        g2!(Circle, Circle, |a, b| a.center.same(b.center)
            && (feq(a.radius, b.radius) || a.radius.is_nan() && b.radius.is_nan())),
    ),
    (1462, g2!(Circle, Circle, |a, b| feq(a.area()?, b.area()?))),
    (1464, g2!(Circle, Circle, |a, b| flt(a.area()?, b.area()?))),
    (1465, g2!(Circle, Circle, |a, b| fgt(a.area()?, b.area()?))),
    (1466, g2!(Circle, Circle, |a, b| fle(a.area()?, b.area()?))),
    (1467, g2!(Circle, Circle, |a, b| fge(a.area()?, b.area()?))),
    (1463, g2!(Circle, Circle, |a, b| !feq(a.area()?, b.area()?))),
    (1146, g2!(Circle, Point, |a, b| Circle { center: a.center.plus(b)?, ..a }.pack())),
    (1147, g2!(Circle, Point, |a, b| Circle { center: a.center.minus(b)?, ..a }.pack())),
    (
        1148,
        g2!(Circle, Point, |a, b| Circle {
            center: a.center.times(b)?,
            radius: mul(a.radius, hypot(b.x, b.y)?)?
        }
        .pack()),
    ),
    (
        1149,
        g2!(Circle, Point, |a, b| Circle {
            center: a.center.over(b)?,
            radius: div(a.radius, hypot(b.x, b.y)?)?
        }
        .pack()),
    ),
    (1471, g2!(Circle, Circle, |a, b| gap(a.center.dist(b.center)?, add(a.radius, b.radius)?)?)),
    (1476, g2!(Point, Circle, |a, b| b.gap(a)?)),
    (3290, g2!(Circle, Point, |a, b| a.gap(b)?)),
    (1477, g2!(Circle, Point, |a, b| b.dist(a.center)? <= a.radius)),
    (1478, g2!(Point, Circle, |a, b| a.dist(b.center)? <= b.radius)),
    (1468, g1!(Circle, |a| a.area()?)),
    (1469, g1!(Circle, |a| mul(a.radius, 2.0)?)),
    (1470, g1!(Circle, |a| a.radius)),
    (1473, k2!(|p: &[u8], radius: f64| Ok::<_, Error>(Circle { center: Point::read(p)?, radius }.pack()))),
];
