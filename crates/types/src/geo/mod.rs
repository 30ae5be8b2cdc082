//! Geometric types: point, lseg, line, box, path, polygon, circle.

mod io;
mod ops;
mod shape;
pub mod table;
