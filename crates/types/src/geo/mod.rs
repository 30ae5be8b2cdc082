//! Geometric types: point, lseg, line, box, path, polygon, circle.

mod io;
mod measure;
mod ops;
mod shape;
pub mod table;
