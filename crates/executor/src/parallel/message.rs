//! What a worker says to its leader: rows, notices, its measurements, an error or that it is done. One byte says which,
//! then come little-endian numbers and counted bytes. Both ends are the same program, so the form has no version.

use crate::store;
use common::{Error, Report, Result, Severity, SqlState};
use planner::instrument::*;
use storage::BufferCounters;
use types::Batch;

/// First byte of a message.
pub mod kind {
    pub const ROWS: u8 = b'T';
    pub const NOTICE: u8 = b'N';
    pub const ERROR: u8 = b'E';
    pub const USAGE: u8 = b'U';
    pub const DONE: u8 = b'D';
}

/// Rows: the live ones of `b`.
pub fn put_rows(b: &Batch, out: &mut Vec<u8>) {
    out.clear();
    out.push(kind::ROWS);
    store::encode_live(b, out);
}
/// Rows into a batch with columns of the right kinds.
pub fn take_rows(raw: &[u8], out: &mut Batch) -> Result<()> {
    store::decode(&raw[1..], out)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some((a, b)) = self.0.split_at_checked(n) else {
            return Err(Error::internal("message of a parallel worker is cut off"));
        };
        self.0 = b;
        Ok(a)
    }
    fn u64(&mut self) -> Result<u64> {
        let mut b = [0; 8];
        b.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(b))
    }
    fn text(&mut self) -> Result<Option<String>> {
        let n = self.u64()?;
        if n == u64::MAX {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(self.take(n as usize)?).into_owned()))
    }
    fn at(&mut self) -> Result<Option<usize>> {
        let n = self.u64()?;
        Ok((n != u64::MAX).then_some(n as usize))
    }
}

fn put(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(&n.to_le_bytes());
}
fn put_text(out: &mut Vec<u8>, t: Option<&str>) {
    put(out, t.map_or(u64::MAX, |t| t.len() as u64));
    out.extend_from_slice(t.unwrap_or_default().as_bytes());
}

const SEVERITIES: [Severity; 12] = [
    Severity::Debug5,
    Severity::Debug4,
    Severity::Debug3,
    Severity::Debug2,
    Severity::Debug1,
    Severity::Log,
    Severity::Info,
    Severity::Notice,
    Severity::Warning,
    Severity::Error,
    Severity::Fatal,
    Severity::Panic,
];

/// An error or a notice.
pub fn put_report(kind: u8, r: &Report, out: &mut Vec<u8>) {
    out.clear();
    out.push(kind);
    out.push(r.severity as u8);
    out.extend_from_slice(r.sqlstate.as_str().as_bytes());
    let texts = [
        Some(&r.message),
        r.detail.as_ref(),
        r.detail_log.as_ref(),
        r.hint.as_ref(),
        r.internal_query.as_ref(),
        r.context.as_ref(),
        r.schema.as_ref(),
        r.table.as_ref(),
        r.column.as_ref(),
        r.datatype.as_ref(),
        r.constraint.as_ref(),
    ];
    texts.into_iter().for_each(|t| put_text(out, t.map(String::as_str)));
    for at in [r.position, r.internal_position] {
        put(out, at.map_or(u64::MAX, |p| p as u64));
    }
}
/// The report again, as the leader gives it: an end of the worker's session is an error of the statement only.
pub fn take_report(raw: &[u8]) -> Result<Report> {
    let mut r = Reader(&raw[1..]);
    let severity = SEVERITIES.get(r.take(1)?[0] as usize).copied().unwrap_or(Severity::Error);
    let state = std::str::from_utf8(r.take(5)?).ok().and_then(SqlState::parse);
    let state = state.unwrap_or(SqlState::INTERNAL_ERROR);
    let mut t = Report::new(severity.min(Severity::Error), state, r.text()?.unwrap_or_default());
    for field in [
        &mut t.detail,
        &mut t.detail_log,
        &mut t.hint,
        &mut t.internal_query,
        &mut t.context,
        &mut t.schema,
        &mut t.table,
        &mut t.column,
        &mut t.datatype,
        &mut t.constraint,
    ] {
        *field = r.text()?;
    }
    (t.position, t.internal_position) = (r.at()?, r.at()?);
    let line = "parallel worker";
    t.context = Some(t.context.map_or(line.to_string(), |c| format!("{c}\n{line}")));
    Ok(t)
}

/// Words of Sort's measurements.
const METHODS: [&str; 5] =
    ["quicksort", "top-N heapsort", "external merge", "external sort", "still in progress"];

fn put_method(out: &mut Vec<u8>, m: &str) {
    put(out, METHODS.iter().position(|k| *k == m).unwrap_or(0) as u64);
}
fn take_method(r: &mut Reader<'_>) -> Result<&'static str> {
    Ok(METHODS.get(r.u64()? as usize).copied().unwrap_or(METHODS[0]))
}

macro_rules! numbers {
    ($put:ident $take:ident $of:ty: $($int:ident)* ; $($float:ident)* $(;)?) => {
        fn $put(out: &mut Vec<u8>, v: &$of) {
            $(put(out, v.$int);)*
            $(put(out, v.$float.to_bits());)*
        }
        fn $take(r: &mut Reader<'_>) -> Result<$of> {
            let mut v = <$of>::default();
            $(v.$int = r.u64()?;)*
            $(v.$float = f64::from_bits(r.u64()?);)*
            Ok(v)
        }
    };
}

numbers! { put_wal take_wal WalUsage: records images bytes; }
numbers! { put_hash take_hash HashInstr: buckets buckets_original batches batches_original memory_kb; }
numbers! { put_agg take_agg HashAggInstr: batches memory_kb disk_kb; }
numbers! { put_memo take_memo MemoizeInstr: hits misses evictions overflows memory_kb; }
numbers! { put_buffers take_buffers BufferUsage:
shared_hit shared_read shared_dirtied shared_written local_hit local_read local_dirtied local_written temp_read
temp_written read_ns write_ns temp_read_ns temp_write_ns; }
numbers! { put_counters take_counters BufferCounters:
shared_hit shared_read shared_dirtied shared_written local_hit local_read temp_read local_dirtied local_written
temp_written wal_records wal_images wal_bytes wal_writes wal_syncs read_ns write_ns temp_read_ns temp_write_ns
wal_write_ns wal_sync_ns; }
numbers! { put_plain take_plain NodeInstr:
heap_fetches exact_blocks lossy_blocks;
startup_ms total_ms rows loops removed_filter removed_join removed_recheck; }
numbers! { put_group take_group SortGroupInstr:
groups memory_total_kb memory_peak_kb disk_total_kb disk_peak_kb; }

fn put_some<T>(out: &mut Vec<u8>, v: Option<&T>, f: impl FnOnce(&mut Vec<u8>, &T)) {
    out.push(u8::from(v.is_some()));
    if let Some(v) = v {
        f(out, v);
    }
}
fn take_some<T>(r: &mut Reader<'_>, f: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> Result<Option<T>> {
    if r.take(1)?[0] == 0 { Ok(None) } else { f(r).map(Some) }
}
fn put_groups(out: &mut Vec<u8>, g: &SortGroupInstr) {
    put_group(out, g);
    put(out, g.methods.len() as u64);
    g.methods.iter().for_each(|m| put_method(out, m));
}
fn take_groups(r: &mut Reader<'_>) -> Result<SortGroupInstr> {
    let mut g = take_group(r)?;
    for _ in 0..r.u64()? {
        g.methods.push(take_method(r)?);
    }
    Ok(g)
}

fn put_node(out: &mut Vec<u8>, n: &NodeInstr) {
    put_plain(out, n);
    put_buffers(out, &n.buffers);
    put_wal(out, &n.wal);
    put_some(out, n.sort.as_ref(), |out, s| {
        put_method(out, s.method);
        put(out, s.space_kb);
        put(out, u64::from(s.disk));
    });
    put_some(out, n.incremental_sort.as_ref(), |out, s| {
        put_groups(out, &s.full);
        put_groups(out, &s.prefix);
    });
    put_some(out, n.hash.as_ref(), put_hash);
    put_some(out, n.agg.as_ref(), put_agg);
    put_some(out, n.memoize.as_ref(), put_memo);
}
fn take_node(r: &mut Reader<'_>) -> Result<NodeInstr> {
    let mut n = take_plain(r)?;
    n.buffers = take_buffers(r)?;
    n.wal = take_wal(r)?;
    n.sort =
        take_some(r, |r| Ok(SortInstr { method: take_method(r)?, space_kb: r.u64()?, disk: r.u64()? != 0 }))?;
    n.incremental_sort =
        take_some(r, |r| Ok(IncrementalSortInstr { full: take_groups(r)?, prefix: take_groups(r)? }))?;
    n.hash = take_some(r, take_hash)?;
    n.agg = take_some(r, take_agg)?;
    n.memoize = take_some(r, take_memo)?;
    Ok(n)
}

/// What a worker used: the buffers, and the measurements of the nodes it ran.
pub fn put_usage(c: &BufferCounters, nodes: &[NodeInstr], out: &mut Vec<u8>) {
    out.clear();
    out.push(kind::USAGE);
    put_counters(out, c);
    let ran = nodes.iter().enumerate().filter(|(_, n)| n.loops > 0.0);
    put(out, ran.clone().count() as u64);
    for (i, n) in ran {
        put(out, i as u64);
        put_node(out, n);
    }
}
/// The same again; nodes with their numbers.
pub fn take_usage(raw: &[u8]) -> Result<(BufferCounters, Vec<(usize, NodeInstr)>)> {
    let mut r = Reader(&raw[1..]);
    let c = take_counters(&mut r)?;
    let mut nodes = Vec::new();
    for _ in 0..r.u64()? {
        nodes.push((r.u64()? as usize, take_node(&mut r)?));
    }
    Ok((c, nodes))
}

/// Adds a worker's measurements of a node to the leader's.
pub fn merge(to: &mut NodeInstr, worker: u32, n: NodeInstr) {
    to.startup_ms += n.startup_ms;
    to.total_ms += n.total_ms;
    to.rows += n.rows;
    to.loops += n.loops;
    to.removed_filter += n.removed_filter;
    to.removed_join += n.removed_join;
    to.removed_recheck += n.removed_recheck;
    to.heap_fetches += n.heap_fetches;
    to.exact_blocks += n.exact_blocks;
    to.lossy_blocks += n.lossy_blocks;
    add_usage(&mut to.buffers, &n.buffers);
    to.wal.records += n.wal.records;
    to.wal.images += n.wal.images;
    to.wal.bytes += n.wal.bytes;
    if let Some(h) = &n.hash {
        // The largest table of all.
        let t = to.hash.get_or_insert_with(HashInstr::default);
        t.buckets = t.buckets.max(h.buckets);
        t.buckets_original = t.buckets_original.max(h.buckets_original);
        t.batches = t.batches.max(h.batches);
        t.batches_original = t.batches_original.max(h.batches_original);
        t.memory_kb = t.memory_kb.max(h.memory_kb);
    }
    to.workers.push((worker, n));
}

fn add_usage(to: &mut BufferUsage, n: &BufferUsage) {
    to.shared_hit += n.shared_hit;
    to.shared_read += n.shared_read;
    to.shared_dirtied += n.shared_dirtied;
    to.shared_written += n.shared_written;
    to.local_hit += n.local_hit;
    to.local_read += n.local_read;
    to.local_dirtied += n.local_dirtied;
    to.local_written += n.local_written;
    to.temp_read += n.temp_read;
    to.temp_written += n.temp_written;
    to.read_ns += n.read_ns;
    to.write_ns += n.write_ns;
    to.temp_read_ns += n.temp_read_ns;
    to.temp_write_ns += n.temp_write_ns;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arrive_as_they_were_sent() {
        let e = common::err!(DIVISION_BY_ZERO, "division by zero")
            .detail("d")
            .hint("h")
            .context("c")
            .at(7)
            .fatal();
        let mut raw = Vec::new();
        put_report(kind::ERROR, e.report(), &mut raw);
        let r = take_report(&raw).expect("a report");
        assert_eq!((r.sqlstate, r.severity), (SqlState::DIVISION_BY_ZERO, Severity::Error));
        assert_eq!(r.context.as_deref(), Some("c\nparallel worker"));
        assert_eq!((r.detail.as_deref(), r.hint.as_deref(), r.position), (Some("d"), Some("h"), Some(7)));
        for cut in 1..raw.len() {
            assert!(take_report(&raw[..cut]).is_err());
        }
    }

    #[test]
    fn measurements_add_up() {
        let mut n = NodeInstr { rows: 5.0, loops: 1.0, heap_fetches: 3, ..NodeInstr::default() };
        n.sort = Some(SortInstr { method: "external merge", space_kb: 9, disk: true });
        n.hash = Some(HashInstr { buckets: 1024, batches: 2, ..HashInstr::default() });
        let c = BufferCounters { shared_hit: 11, ..BufferCounters::default() };
        let mut raw = Vec::new();
        put_usage(&c, &[NodeInstr::default(), n], &mut raw);
        let (counters, nodes) = take_usage(&raw).expect("usage");
        assert_eq!(counters, c);
        assert_eq!(nodes.len(), 1);
        let (id, got) = nodes.into_iter().next().expect("a node");
        assert_eq!(id, 1);
        let mut sum = NodeInstr { rows: 2.0, loops: 1.0, ..NodeInstr::default() };
        merge(&mut sum, 0, got);
        assert_eq!((sum.rows, sum.loops, sum.heap_fetches), (7.0, 2.0, 3));
        assert_eq!(
            sum.workers[0].1.sort.as_ref().map(|s| (s.method, s.disk)),
            Some(("external merge", true))
        );
    }
}
