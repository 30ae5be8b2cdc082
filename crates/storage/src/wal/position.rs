//! Two ways to count: an LSN is a byte position in the sequence of segment files, headers included; a *usable position*
//! counts record bytes only, so that reserving space is one atomic add.

use common::Lsn;

/// Bytes in a segment file.
pub const SEGMENT_SIZE: u64 = 16 << 20;
/// Bytes of the header at the start of each segment.
pub const SEGMENT_HEADER: u64 = 64;
/// Bytes of a segment that hold records.
pub const SEGMENT_USABLE: u64 = SEGMENT_SIZE - SEGMENT_HEADER;

const _: () = assert!(SEGMENT_USABLE.is_multiple_of(8) && SEGMENT_HEADER.is_multiple_of(8));

/// Where the record byte at usable position `pos` lies: never in a header.
#[inline]
pub fn start_lsn(pos: u64) -> Lsn {
    Lsn(pos / SEGMENT_USABLE * SEGMENT_SIZE + SEGMENT_HEADER + pos % SEGMENT_USABLE)
}
/// The end of records up to usable position `pos`: at a segment's end, not past the next header.
#[inline]
pub fn end_lsn(pos: u64) -> Lsn {
    let (seg, off) = (pos / SEGMENT_USABLE, pos % SEGMENT_USABLE);
    if off == 0 { Lsn(seg * SEGMENT_SIZE) } else { Lsn(seg * SEGMENT_SIZE + SEGMENT_HEADER + off) }
}
/// The usable position of an LSN (a segment boundary or header counts as the segment's first record byte).
#[inline]
pub fn usable(lsn: Lsn) -> u64 {
    lsn.0 / SEGMENT_SIZE * SEGMENT_USABLE + (lsn.0 % SEGMENT_SIZE).saturating_sub(SEGMENT_HEADER)
}
/// The segment a byte lies in.
#[inline]
pub fn segment_of(lsn: Lsn) -> u64 {
    lsn.0 / SEGMENT_SIZE
}
/// Records begin at multiples of 8 usable bytes.
#[inline]
pub const fn align(n: u64) -> u64 {
    (n + 7) & !7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions() {
        assert_eq!(start_lsn(SEGMENT_USABLE), Lsn(SEGMENT_SIZE + 64));
        assert_eq!(end_lsn(SEGMENT_USABLE), Lsn(SEGMENT_SIZE));
        for pos in [8, 16, SEGMENT_USABLE - 8, SEGMENT_USABLE, SEGMENT_USABLE + 8, 5 * SEGMENT_USABLE] {
            assert_eq!(usable(start_lsn(pos)), pos);
            assert_eq!(usable(end_lsn(pos)), pos);
        }
    }
}
