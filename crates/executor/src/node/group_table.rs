//! The hash table of grouping keys: rows of key values → group numbers 0, 1, …; NULL is a value like others. One integer
//! key takes a table of its own without hash functions or equality calls.

use crate::env::ExecEnv;
use crate::expr::colops;
use crate::node::group::{call_eq, eq_is_native};
use crate::run::Exec;
use common::Result;
use planner::plan::GroupKey;
use types::{Batch, Collation, Column, ColumnData, DatumRef, HashFn, Phys, ScalarKernel};

struct KeyCol {
    /// Column in the input.
    input: usize,
    native: bool,
    hash: Option<(HashFn, Collation)>,
    eq: Option<(ScalarKernel, Collation)>,
}

/// Group number of an empty slot.
const NONE: u32 = u32::MAX;

/// Groups by key.
pub struct GroupTable {
    cols: Vec<KeyCol>,
    /// One row a group.
    pub keys: Batch,
    /// One-integer-key form: open addressing over (key, group).
    ints: Option<IntTable>,
    table: hashbrown::HashTable<(u64, u32)>,
    hashes: Vec<u64>,
    tmp: Column,
}

struct IntTable {
    slots: Vec<(i64, u32)>,
    used: usize,
    null_group: u32,
}

/// A 64-bit mix with good low and high bits.
#[inline(always)]
pub fn mix64(x: u64) -> u64 {
    let x = (x ^ (x >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^ (x >> 29)
}

/// Hash of bytes for native equality.
#[inline]
pub fn hash_bytes(b: &[u8]) -> u64 {
    let mut h = b.len() as u64 ^ 0xA076_1D64_78BD_642F;
    let mut chunks = b.chunks_exact(8);
    for c in &mut chunks {
        let mut w = [0; 8];
        w.copy_from_slice(c);
        h = mix64(h ^ u64::from_le_bytes(w)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }
    let mut w = [0; 8];
    let r = chunks.remainder();
    w[..r.len()].copy_from_slice(r);
    mix64(h ^ u64::from_le_bytes(w))
}

/// Hash of a non-null value whose equality is that of its stored form.
#[inline]
pub fn hash_native(d: DatumRef<'_>) -> u64 {
    match d {
        DatumRef::I16(x) => mix64(i64::from(x) as u64),
        DatumRef::I32(x) => mix64(i64::from(x) as u64),
        DatumRef::I64(x) => mix64(x as u64),
        DatumRef::U32(x) => mix64(u64::from(x)),
        DatumRef::Bool(x) => mix64(u64::from(x)),
        DatumRef::I8(x) => mix64(x as u64),
        DatumRef::Fixed16(x) => hash_bytes(&x),
        DatumRef::Bytes(x) => hash_bytes(x),
        DatumRef::F32(x) => mix64(u64::from(x.to_bits())),
        DatumRef::F64(x) => mix64(x.to_bits()),
        DatumRef::Null => 0,
    }
}

/// Adds the hash of a column's rows to `hashes` (in parallel with the rows listed).
pub fn hash_column(
    c: &Column,
    rows: types::Rows<'_>,
    f: Option<(HashFn, Collation)>,
    first: bool,
    hashes: &mut Vec<u64>,
) {
    if first {
        hashes.clear();
        hashes.resize(rows.count(), 0);
    }
    let mut k = 0;
    macro_rules! ints {
        ($v:expr, $conv:expr) => {{
            let v = $v;
            let _ = rows.each(|i| {
                let h = if c.nulls.get(i) { 0x5851_F42D } else { mix64($conv(v[i])) };
                hashes[k] = if first { h } else { mix64(hashes[k].rotate_left(7) ^ h) };
                k += 1;
                Ok::<(), ()>(())
            });
        }};
    }
    match (&c.data, f) {
        (ColumnData::I32(v), None) => ints!(v, |x: i32| i64::from(x) as u64),
        (ColumnData::I64(v), None) => ints!(v, |x: i64| x as u64),
        _ => {
            let _ = rows.each(|i| {
                let h = match c.get(i) {
                    DatumRef::Null => 0x5851_F42D,
                    d => match f {
                        Some((f, collation)) => mix64(f(collation, d)),
                        None => hash_native(d),
                    },
                };
                hashes[k] = if first { h } else { mix64(hashes[k].rotate_left(7) ^ h) };
                k += 1;
                Ok::<(), ()>(())
            });
        }
    }
}

impl GroupTable {
    /// A table for these keys; `phys` are the kinds of the input columns.
    pub fn new(env: &ExecEnv, keys: &[GroupKey], phys: &[Phys]) -> Result<GroupTable> {
        let cols = keys
            .iter()
            .map(|k| {
                let collation = env.collation(k.collation)?;
                let native = eq_is_native(k.eq_proc, collation);
                Ok(KeyCol {
                    input: k.column as usize,
                    native,
                    hash: if native { None } else { Some(env.hash(k.hash_proc, k.collation)?) },
                    eq: if native { None } else { Some(env.kernel(k.eq_proc, k.collation)?) },
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let kinds: Vec<Phys> = cols.iter().map(|c| phys[c.input]).collect();
        let int = cols.len() == 1 && cols[0].native && matches!(kinds[0], Phys::I16 | Phys::I32 | Phys::I64);
        Ok(GroupTable {
            keys: crate::store::batch_of(&kinds),
            ints: int.then(|| IntTable { slots: vec![(0, NONE); 1024], used: 0, null_group: NONE }),
            table: hashbrown::HashTable::new(),
            hashes: Vec::new(),
            tmp: Column::new(Phys::Bool),
            cols,
        })
    }
    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.keys.rows
    }
    /// Bytes held.
    pub fn memory(&self) -> usize {
        colops::memory(&self.keys)
            + self.table.capacity() * 17
            + self.ints.as_ref().map_or(0, |t| t.slots.len() * 16)
    }
    /// Forgets all groups.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.table.clear();
        if let Some(t) = &mut self.ints {
            t.slots.clear();
            t.slots.resize(1024, (0, NONE));
            t.used = 0;
            t.null_group = NONE;
        }
    }
    /// Hashes of the last batch given to [`GroupTable::find`], in parallel with its live rows.
    pub fn hash_rows(&mut self, b: &Batch) -> &[u64] {
        for (n, k) in self.cols.iter().enumerate() {
            hash_column(&b.cols[k.input], b.live(), k.hash, n == 0, &mut self.hashes);
        }
        &self.hashes
    }
    /// Group of every live row of `b`, in `groups`. Unknown keys become new groups (their rows are listed in `fresh`) —
    /// unless `frozen`, then they get `u32::MAX`.
    pub fn find(
        &mut self,
        cx: &Exec,
        b: &Batch,
        frozen: bool,
        groups: &mut Vec<u32>,
        fresh: &mut Vec<u16>,
    ) -> Result<()> {
        groups.clear();
        fresh.clear();
        if self.ints.is_some() {
            self.find_int(b, frozen, groups, fresh);
            return Ok(());
        }
        self.hash_rows(b);
        let all_native = self.cols.iter().all(|c| c.native);
        for k in 0..b.live_count() {
            let i = colops::nth_live(b, k);
            let h = self.hashes[k];
            let mut failed = None;
            let (cols, keys, tmp) = (&self.cols, &self.keys, &mut self.tmp);
            let hit = self.table.find(h, |e| {
                e.0 == h
                    && if all_native {
                        same_native(cols, b, i, keys, e.1 as usize)
                    } else {
                        same(cx, cols, b, i, keys, e.1 as usize, tmp).unwrap_or_else(|e| {
                            failed = Some(e);
                            true
                        })
                    }
            });
            if let Some(e) = failed {
                return Err(e);
            }
            let g = match hit {
                Some(e) => e.1,
                None if frozen => NONE,
                None => {
                    let g = self.keys.rows as u32;
                    for (c, dst) in self.cols.iter().zip(&mut self.keys.cols) {
                        dst.push(b.cols[c.input].get(i));
                    }
                    self.keys.rows += 1;
                    self.table.insert_unique(h, (h, g), |e| e.0);
                    fresh.push(i as u16);
                    g
                }
            };
            groups.push(g);
        }
        Ok(())
    }
    fn find_int(&mut self, b: &Batch, frozen: bool, groups: &mut Vec<u32>, fresh: &mut Vec<u16>) {
        let Some(t) = &mut self.ints else { return };
        let input = &b.cols[self.cols[0].input];
        let keys = &mut self.keys;
        let nulls = input.nulls.any();
        macro_rules! run {
            ($v:expr) => {{
                let v = $v;
                let _ = b.live().each(|i| {
                    let g = if nulls && input.nulls.get(i) {
                        if t.null_group == NONE && !frozen {
                            t.null_group = keys.rows as u32;
                            keys.cols[0].push(DatumRef::Null);
                            keys.rows += 1;
                            fresh.push(i as u16);
                        }
                        t.null_group
                    } else {
                        let x = i64::from(v[i]);
                        let mut s = mix64(x as u64) as usize & (t.slots.len() - 1);
                        loop {
                            let (key, g) = t.slots[s];
                            if g == NONE {
                                if frozen {
                                    break NONE;
                                }
                                let g = keys.rows as u32;
                                keys.cols[0].push(input.get(i));
                                keys.rows += 1;
                                t.slots[s] = (x, g);
                                t.used += 1;
                                fresh.push(i as u16);
                                if t.used * 2 > t.slots.len() {
                                    t.grow();
                                }
                                break g;
                            }
                            if key == x {
                                break g;
                            }
                            s = (s + 1) & (t.slots.len() - 1);
                        }
                    };
                    groups.push(g);
                    Ok::<(), ()>(())
                });
            }};
        }
        match &input.data {
            ColumnData::I16(v) => run!(v),
            ColumnData::I32(v) => run!(v),
            ColumnData::I64(v) => run!(v),
            _ => {}
        }
    }
}

impl IntTable {
    fn grow(&mut self) {
        let n = self.slots.len() * 4;
        let old = std::mem::replace(&mut self.slots, vec![(0, NONE); n]);
        for (k, g) in old {
            if g != NONE {
                let mut s = mix64(k as u64) as usize & (n - 1);
                while self.slots[s].1 != NONE {
                    s = (s + 1) & (n - 1);
                }
                self.slots[s] = (k, g);
            }
        }
    }
}

fn same_native(cols: &[KeyCol], b: &Batch, i: usize, keys: &Batch, g: usize) -> bool {
    cols.iter().zip(&keys.cols).all(|(c, k)| b.cols[c.input].get(i) == k.get(g))
}

fn same(
    cx: &Exec,
    cols: &[KeyCol],
    b: &Batch,
    i: usize,
    keys: &Batch,
    g: usize,
    tmp: &mut Column,
) -> Result<bool> {
    for (c, k) in cols.iter().zip(&keys.cols) {
        let (x, y) = (b.cols[c.input].get(i), k.get(g));
        let eq = match (x, y) {
            (DatumRef::Null, DatumRef::Null) => true,
            (DatumRef::Null, _) | (_, DatumRef::Null) => false,
            _ => match c.eq {
                // The same bits are equal under every equality (NaN included: it equals itself in SQL).
                Some(_) if x == y => true,
                Some((f, collation)) => call_eq(cx, f, collation, x, y, tmp)?,
                None => x == y,
            },
        };
        if !eq {
            return Ok(false);
        }
    }
    Ok(true)
}
