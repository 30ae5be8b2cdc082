//! The interval value.

use super::cal::interval_range;
use super::{DAY_US, HOUR_US};
use common::Result;
use std::cmp::Ordering;

/// Months, days and microseconds, independent of each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    pub us: i64,
    pub days: i32,
    pub months: i32,
}

impl Interval {
    /// From the in-memory form.
    pub fn unpack(b: [u8; 16]) -> Interval {
        let mut us = [0; 8];
        us.copy_from_slice(&b[..8]);
        let word = |i: usize| i32::from_le_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]);
        Interval { us: i64::from_le_bytes(us), days: word(8), months: word(12) }
    }
    /// To the in-memory form.
    pub fn pack(self) -> [u8; 16] {
        let mut b = [0; 16];
        b[..8].copy_from_slice(&self.us.to_le_bytes());
        b[8..12].copy_from_slice(&self.days.to_le_bytes());
        b[12..].copy_from_slice(&self.months.to_le_bytes());
        b
    }
    /// Length for comparison: a month is 30 days, a day 24 hours.
    pub fn span(self) -> i128 {
        i128::from(self.us) + i128::from(DAY_US) * (i128::from(self.days) + 30 * i128::from(self.months))
    }
    /// The opposite. 22008.
    pub fn negate(self) -> Result<Interval> {
        match (self.us.checked_neg(), self.days.checked_neg(), self.months.checked_neg()) {
            (Some(us), Some(days), Some(months)) => Ok(Interval { us, days, months }),
            _ => Err(interval_range()),
        }
    }
    /// Sum of the parts. 22008.
    pub fn plus(self, o: Interval) -> Result<Interval> {
        match (self.us.checked_add(o.us), self.days.checked_add(o.days), self.months.checked_add(o.months)) {
            (Some(us), Some(days), Some(months)) => Ok(Interval { us, days, months }),
            _ => Err(interval_range()),
        }
    }
    /// Difference of the parts. 22008.
    pub fn minus(self, o: Interval) -> Result<Interval> {
        match (self.us.checked_sub(o.us), self.days.checked_sub(o.days), self.months.checked_sub(o.months)) {
            (Some(us), Some(days), Some(months)) => Ok(Interval { us, days, months }),
            _ => Err(interval_range()),
        }
    }
    /// Moves whole days out of the microseconds, and gives both the same sign.
    pub fn justify_hours(mut self) -> Result<Interval> {
        let d = self.us / DAY_US;
        self.us -= d * DAY_US;
        self.days = i32::try_from(i64::from(self.days) + d).map_err(|_| interval_range())?;
        if self.days > 0 && self.us < 0 {
            self.us += DAY_US;
            self.days -= 1;
        } else if self.days < 0 && self.us > 0 {
            self.us -= DAY_US;
            self.days += 1;
        }
        Ok(self)
    }
    /// Moves whole months of 30 days out of the days.
    pub fn justify_days(mut self) -> Result<Interval> {
        let m = self.days / 30;
        self.days -= m * 30;
        self.months = self.months.checked_add(m).ok_or_else(interval_range)?;
        if self.months > 0 && self.days < 0 {
            self.days += 30;
            self.months -= 1;
        } else if self.months < 0 && self.days > 0 {
            self.days -= 30;
            self.months += 1;
        }
        Ok(self)
    }
    /// Both, and all parts of one sign.
    pub fn justify(mut self) -> Result<Interval> {
        let d = self.us / DAY_US;
        self.us -= d * DAY_US;
        let days = i64::from(self.days) + d;
        let m = days / 30;
        self.days = (days - m * 30) as i32;
        self.months = i32::try_from(i64::from(self.months) + m).map_err(|_| interval_range())?;
        let lower = self.days < 0 || (self.days == 0 && self.us < 0);
        let upper = self.days > 0 || (self.days == 0 && self.us > 0);
        if self.months > 0 && lower {
            self.days += 30;
            self.months -= 1;
        } else if self.months < 0 && upper {
            self.days -= 30;
            self.months += 1;
        }
        if self.days > 0 && self.us < 0 {
            self.us += DAY_US;
            self.days -= 1;
        } else if self.days < 0 && self.us > 0 {
            self.us -= DAY_US;
            self.days += 1;
        }
        Ok(self)
    }
    /// Hours, minutes, seconds, microseconds of the time part, each with its sign.
    pub fn hms(self) -> (i64, i64, i64, i64) {
        let h = self.us / HOUR_US;
        let rest = self.us % HOUR_US;
        (h, rest / 60_000_000, rest / 1_000_000 % 60, rest % 1_000_000)
    }
}

impl PartialOrd for Interval {
    fn partial_cmp(&self, o: &Interval) -> Option<Ordering> {
        Some(self.span().cmp(&o.span()))
    }
}
