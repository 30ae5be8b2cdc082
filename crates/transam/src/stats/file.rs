//! The counters on disk, `pg_stat/stegodon.stat`: written regularly and at shutdown, renamed into place durably, read
//! before anyone connects. A file that cannot be read is discarded: the counters start at zero.
//!
//! Format, little-endian: 8 bytes magic, u32 version, u32 counters a relation, u64 relations; for each a u64 key and the
//! counters as i64; at the end the CRC-32 of everything before.

use super::{SAVED_TABLES_MAX, StatKey, TableStats};
use crate::Engine;
use common::Result;
use std::path::PathBuf;

const MAGIC: &[u8; 8] = b"STEGSTAT";
const VERSION: u32 = 1;
const HEADER: usize = 24;
const ENTRY: usize = 8 + 8 * TableStats::FIELDS;

fn encode(all: &[(StatKey, TableStats)]) -> Vec<u8> {
    let mut b = Vec::with_capacity(HEADER + all.len() * ENTRY + 4);
    b.extend_from_slice(MAGIC);
    b.extend_from_slice(&VERSION.to_le_bytes());
    b.extend_from_slice(&(TableStats::FIELDS as u32).to_le_bytes());
    b.extend_from_slice(&(all.len() as u64).to_le_bytes());
    for (k, s) in all {
        b.extend_from_slice(&k.0.to_le_bytes());
        for v in s.to_array() {
            b.extend_from_slice(&v.to_le_bytes());
        }
    }
    b.extend_from_slice(&crc32fast::hash(&b).to_le_bytes());
    b
}

fn word(b: &[u8]) -> u64 {
    b.iter().rev().fold(0, |w, x| w << 8 | u64::from(*x))
}

fn decode(b: &[u8]) -> Option<Vec<(StatKey, TableStats)>> {
    let (body, crc) = b.split_at_checked(b.len().checked_sub(4)?)?;
    let (head, entries) = body.split_at_checked(HEADER)?;
    let good = word(crc) == u64::from(crc32fast::hash(body))
        && head.starts_with(MAGIC)
        && word(&head[8..12]) == u64::from(VERSION)
        && word(&head[12..16]) == TableStats::FIELDS as u64
        && entries.len() % ENTRY == 0
        && word(&head[16..]) == (entries.len() / ENTRY) as u64;
    let entry = |e: &[u8]| {
        let mut values = e[8..].chunks_exact(8);
        let a = std::array::from_fn(|_| values.next().map_or(0, |v| word(v) as i64));
        (StatKey(word(&e[..8])), TableStats::from_array(a))
    };
    good.then(|| entries.chunks_exact(ENTRY).map(entry).collect())
}

impl Engine {
    fn stats_file(&self) -> PathBuf {
        self.data_dir.join("pg_stat").join("stegodon.stat")
    }
    /// Writes the counters if they have changed since they were written. One process only.
    pub fn save_stats(&self) -> Result<()> {
        let t = &self.shared.stats;
        if !t.take_changed() {
            return Ok(());
        }
        let all: Vec<_> = t.keys().into_iter().filter_map(|k| t.get(k).map(|s| (k, s))).collect();
        let r = storage::datadir::write_file_durably(&self.stats_file(), &encode(&all));
        if r.is_err() {
            t.set_changed();
        }
        r
    }
    /// Reads the counters; false if the file was there and unusable. Before anyone counts.
    pub fn load_stats(&self) -> bool {
        let limit = HEADER + SAVED_TABLES_MAX * ENTRY + 4;
        let path = self.stats_file();
        let Ok(meta) = std::fs::metadata(&path) else { return true };
        let bytes =
            if meta.len() <= limit as u64 { std::fs::read(&path).unwrap_or_default() } else { vec![] };
        match decode(&bytes) {
            Some(all) => {
                all.iter().for_each(|(k, s)| self.shared.stats.set(self.proc(), *k, s));
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Oid;

    #[test]
    fn round_trip_and_damage() {
        let s = TableStats { scans: 3, dead_tuples: -1, autoanalyze_count: 1 << 40, ..Default::default() };
        let all = vec![
            (StatKey::new(Oid(5), Oid(77)), s),
            (StatKey::new(Oid(0), Oid(1262)), TableStats::default()),
        ];
        let b = encode(&all);
        assert_eq!(decode(&b).unwrap(), all);
        for i in 0..b.len() {
            assert!(decode(&b[..i]).is_none(), "{i}");
            let mut bad = b.clone();
            bad[i] ^= 4;
            assert!(decode(&bad).is_none(), "{i}");
        }
    }
}
