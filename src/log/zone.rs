//! The zone of the log's times.

/// A zone by its canonical name; UTC where there is none of that name.
pub fn find(name: &str) -> jiff::tz::TimeZone {
    crate::session::find_zone(name).map_or(jiff::tz::TimeZone::UTC, |z| z.0)
}
