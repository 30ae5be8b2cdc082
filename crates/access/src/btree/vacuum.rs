//! Vacuuming an index.
