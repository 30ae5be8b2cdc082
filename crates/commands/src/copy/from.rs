//! COPY FROM: records become rows in batches, inserted through the executor's bulk path with all constraints.

use super::binary::BinaryReader;
use super::fields::Fields;
use super::lines::Lines;
use super::options::{CopyOptions, Format, Header};
use super::stream::Stream;
use crate::analysis::with_analyze;
use crate::{CommandCtx, CopyFormat};
use access::InsertOptions;
use catalog::desc::Relation;
use common::{Error, Oid, Result, SqlState, bail, err};
use executor::modify::bulk::BulkInserter;
use executor::run::RunOptions;
use ipc::progress::Command;
use ipc::progress::copy::TUPLES;
use parser::ast::CopyStmt;
use types::registry::{InputFn, ReceiveFn};
use types::{Batch, Column, ColumnData, FnImpl, oids};

/// Rows inserted at a time.
const BATCH: usize = types::column::BATCH_ROWS;

/// How a field becomes a value.
#[derive(Clone, Copy)]
enum Reader {
    /// The bytes as they are.
    Bytes,
    Int4,
    Int8,
    Text(InputFn),
    Binary(ReceiveFn),
}

struct ColumnReader {
    /// Attribute index.
    attr: usize,
    name: String,
    reader: Reader,
    ioparam: Oid,
    typmod: i32,
    type_name: String,
    /// The column's type, if it is a domain: it may refuse NULL.
    domain: Option<Oid>,
}

struct CopyFrom<'a> {
    ctx: &'a CommandCtx<'a>,
    columns: Vec<ColumnReader>,
    inserter: BulkInserter,
    batch: Batch,
    /// Attributes that no column of the data fills.
    defaults: Vec<(usize, executor::expr::Program)>,
    rel_name: String,
    /// WHERE.
    filter: Option<executor::expr::qual::Qual>,
    stream: &'a Stream<'a>,
    rows: u64,
    /// Record number of the first row of the batch.
    first_line: u64,
    /// Beginnings of the batch's lines, and where each ends: a violated constraint shows its line.
    heads: Vec<u8>,
    head_ends: Vec<usize>,
    /// Some constraint may be violated.
    keeps_heads: bool,
}

/// How much of a line is kept: more than [`shown`] shows.
const HEAD_BYTES: usize = 128;

/// Runs it; returns the number of rows.
pub fn copy_from(
    ctx: &CommandCtx<'_>,
    c: &CopyStmt,
    rel: &Relation,
    columns: &[usize],
    o: &CopyOptions,
    stream: &Stream<'_>,
) -> Result<u64> {
    let filter = match &c.where_clause {
        Some(w) => condition(ctx, rel, w)?,
        None => None,
    };
    check_forced(rel, columns, o)?;
    let snapshot = ctx.engine.transaction_snapshot()?;
    let run = RunOptions { snapshot: Some(snapshot), ..RunOptions::default() };
    let inserter = BulkInserter::new(
        ctx.env,
        rel.oid,
        &run,
        InsertOptions { frozen: o.freeze, ..InsertOptions::default() },
    )?;
    let binary = o.format == Format::Binary;
    let mut job = CopyFrom {
        columns: columns.iter().map(|&i| column_reader(ctx, rel, i, binary)).collect::<Result<_>>()?,
        defaults: defaults(ctx, rel, columns)?,
        batch: inserter.batch(),
        inserter,
        ctx,
        rel_name: rel.name.clone(),
        filter,
        stream,
        rows: 0,
        first_line: 1,
        heads: Vec::new(),
        head_ends: Vec::new(),
        keeps_heads: !rel.checks.is_empty() || rel.desc.attrs.iter().any(|a| a.not_null),
    };
    let format = if binary { CopyFormat::Binary } else { CopyFormat::Text };
    stream.begin_in(format, columns.len(), o.encoding)?;
    if o.freeze {
        check_freeze(ctx, rel)?;
    }
    if binary {
        job.read_binary()?;
    } else {
        job.read_text(o)?;
    }
    job.insert_batch()?;
    stream.end(false)?;
    let rows = job.rows;
    job.inserter.finish()?;
    Ok(rows)
}

/// WHERE of COPY FROM, over the row as it will be stored.
fn condition(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    w: &parser::Expr,
) -> Result<Option<executor::expr::qual::Qual>> {
    let of = analyze::ExprRel { name: &rel.name, oid: rel.oid, desc: &rel.desc };
    let e = crate::analysis::transform(ctx, w, analyze::ExprContext::CopyWhere, Some(of), None)?;
    for n in crate::expr_depend::columns_of(&e).into_iter().filter(|n| *n > 0) {
        let a = &rel.desc.attrs[n as usize - 1];
        if a.generated != 0 {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "generated columns are not supported in COPY FROM WHERE conditions"
            )
            .detail(format!("Column \"{}\" is a generated column.", a.name)));
        }
    }
    let scope = crate::analysis::TableScope { natts: rel.desc.len() };
    executor::expr::qual::Qual::compile(ctx.env, &[e], &scope)
}

/// Frozen rows are visible to everyone at once: only where nobody else can look yet.
fn check_freeze(ctx: &CommandCtx<'_>, rel: &Relation) -> Result<()> {
    let own = rel.rel.as_ref().is_some_and(|r| ctx.engine.created_in_this_subxact(r.locator));
    if !own {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot perform COPY FREEZE because the table was not created or truncated in the current subtransaction"
        );
    }
    Ok(())
}

fn check_forced(rel: &Relation, columns: &[usize], o: &CopyOptions) -> Result<()> {
    use super::options::Columns;
    for (list, what) in [(&o.force_not_null, "FORCE_NOT_NULL"), (&o.force_null, "FORCE_NULL")] {
        let Columns::Named(names) = list else { continue };
        for n in names {
            let Some(i) = rel.desc.attrs.iter().position(|a| !a.dropped && a.name == *n) else {
                bail!(UNDEFINED_COLUMN, "column \"{n}\" of relation \"{}\" does not exist", rel.name);
            };
            if !columns.contains(&i) {
                bail!(INVALID_COLUMN_REFERENCE, "{what} column \"{n}\" not referenced by COPY");
            }
        }
    }
    Ok(())
}

fn column_reader(ctx: &CommandCtx<'_>, rel: &Relation, attr: usize, binary: bool) -> Result<ColumnReader> {
    let a = &rel.desc.attrs[attr];
    let t = ctx.catalog.type_desc(a.type_oid)?;
    let registry = ctx.catalog.registry();
    let reader = match (binary, a.type_oid) {
        (false, oids::TEXT) => Reader::Bytes,
        (false, oids::VARCHAR) if a.typmod < 0 => Reader::Bytes,
        (false, oids::INT4) => Reader::Int4,
        (false, oids::INT8) => Reader::Int8,
        (false, _) => match registry.get(t.input) {
            Some(FnImpl::Input(f)) => Reader::Text(f),
            _ => return Err(Error::unsupported(format_args!("input of type {}", t.name))),
        },
        (true, _) => match registry.get(t.receive) {
            Some(FnImpl::Receive(f)) => Reader::Binary(f),
            _ => bail!(UNDEFINED_FUNCTION, "no binary input function available for type {}", t.name),
        },
    };
    let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
    Ok(ColumnReader {
        attr,
        name: a.name.clone(),
        reader,
        ioparam,
        typmod: a.typmod,
        type_name: t.name.clone(),
        domain: (t.typtype == b'd').then_some(t.oid),
    })
}

/// A NULL for a column of a domain: 23502 or 23514 if the domain does not take it.
fn accept_null(ctx: &CommandCtx<'_>, domain: Oid) -> Result<()> {
    ctx.env.with_call_ctx(types::Collation::NONE, |cx| {
        crate::functions::check_domain(cx, domain, &types::Datum::Null)
    })
}

/// Default expressions of the attributes that the data leaves out; those without one become NULL.
fn defaults(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    columns: &[usize],
) -> Result<Vec<(usize, executor::expr::Program)>> {
    let mut out = Vec::new();
    for (i, a) in rel.desc.attrs.iter().enumerate() {
        if columns.contains(&i) || a.dropped {
            continue;
        }
        let default = with_analyze(ctx, |cx| analyze::column_default(cx, rel, i as i16 + 1))?;
        // A domain's NULL is not tested where no default is written.
        if let Some(e) = default.filter(|e| !is_domain_null(e)) {
            out.push((i, executor::expr::compile_one(ctx.env, &e, &executor::modify::target::TableScope)?));
        }
    }
    Ok(out)
}

fn is_domain_null(e: &analyze::expr::Expr) -> bool {
    use analyze::expr::Expr;
    match e {
        Expr::CoerceToDomain { arg, .. } => matches!(&**arg, Expr::Const(c) if c.value.is_null()),
        _ => false,
    }
}

/// Parses a plain decimal integer; anything else is left to the type's input function.
fn plain_int(b: &[u8], max_digits: usize) -> Option<i64> {
    let (neg, d) = match b.first()? {
        b'-' => (true, &b[1..]),
        _ => (false, b),
    };
    if d.is_empty() || d.len() > max_digits {
        return None;
    }
    let mut v = 0i64;
    for &c in d {
        if !c.is_ascii_digit() {
            return None;
        }
        v = v * 10 + i64::from(c - b'0');
    }
    Some(if neg { -v } else { v })
}

/// A plain integer at the start of a line, and its length. `None`: something else, which may still be a number.
#[inline]
fn leading_int(b: &[u8], max_digits: usize) -> Option<(i64, usize)> {
    let neg = b.first() == Some(&b'-');
    let start = usize::from(neg);
    let (mut v, mut i) = (0i64, start);
    while let Some(d) = b.get(i).map(|c| c.wrapping_sub(b'0'))
        && d < 10
    {
        if i - start == max_digits {
            return None;
        }
        v = v * 10 + i64::from(d);
        i += 1;
    }
    (i > start).then_some((if neg { -v } else { v }, i))
}

/// What the fields of a line without quotes and escapes are read with.
struct PlainRow {
    delimiter: u8,
    null: Vec<u8>,
}

impl PlainRow {
    /// `None`: options that ask for more care.
    fn of(o: &CopyOptions, force: &[(bool, bool)]) -> Option<PlainRow> {
        // A number could be the null string: then the fast way would read it as one.
        let odd = o.null.bytes().next().is_some_and(|c| c == b'-' || c.is_ascii_digit());
        let forced = force.iter().any(|f| f.0 || f.1);
        let digit = o.delimiter.is_ascii_digit() || o.delimiter == b'-';
        (!odd && !forced && !digit)
            .then(|| PlainRow { delimiter: o.delimiter, null: o.null.as_bytes().to_vec() })
    }
}

impl CopyFrom<'_> {
    fn read_text(&mut self, o: &CopyOptions) -> Result<()> {
        let mut lines = Lines::new(self.stream, o);
        let mut fields = Fields::default();
        let force: Vec<(bool, bool)> =
            self.columns.iter().map(|c| (o.force_not_null.has(&c.name), o.force_null.has(&c.name))).collect();
        let rel = self.rel_name.clone();
        if o.header != Header::No {
            let located = |e: Error| e.context(format!("COPY {rel}, line 1"));
            match lines.next_line().map_err(located)? {
                None => return Ok(()),
                Some(l) if o.header == Header::Match => {
                    fields.split(l, o, &force)?;
                    self.check_header(&fields).map_err(located)?;
                }
                Some(_) => {}
            }
        }
        self.first_line = lines.number + 1;
        let plain = PlainRow::of(o, &force);
        loop {
            self.report();
            let number = lines.number + 1;
            let located = |e: Error| e.context(format!("COPY {rel}, line {number}"));
            if lines.next_line().map_err(located)?.is_none() {
                return Ok(());
            }
            let (line, is_plain) = lines.current();
            if !is_plain {
                check_text(line).map_err(located)?;
            }
            if self.keeps_heads {
                self.heads.extend_from_slice(&line[..line.len().min(HEAD_BYTES)]);
                self.head_ends.push(self.heads.len());
            }
            if is_plain
                && let Some(p) = &plain
                && self.add_plain_row(line, p)
            {
                if self.batch.rows == BATCH {
                    self.insert_batch()?;
                    self.first_line = number + 1;
                }
                continue;
            }
            if let Err(e) = fields.split(line, o, &force).and_then(|()| self.check_count(&fields)) {
                let text = shown(line);
                return Err(e.context(format!("COPY {rel}, line {number}: \"{text}\"")));
            }
            self.add_text_row(&fields, number)?;
            if self.batch.rows == BATCH {
                self.insert_batch()?;
                self.first_line = number + 1;
            }
        }
    }

    /// Reads a line without quotes and escapes straight into the columns. False when anything is out of the ordinary:
    /// the columns are as before, and the careful way finds out what it is.
    fn add_plain_row(&mut self, line: &[u8], p: &PlainRow) -> bool {
        let row = self.batch.rows;
        let mut rest = line;
        let last = self.columns.len().wrapping_sub(1);
        let mut good = !self.columns.is_empty();
        for (k, c) in self.columns.iter().enumerate() {
            let col = &mut self.batch.cols[c.attr];
            let used = match (c.reader, &mut col.data) {
                (Reader::Int4, ColumnData::I32(v)) => leading_int(rest, 9).map(|(x, n)| {
                    v.push(x as i32);
                    n
                }),
                (Reader::Int8, ColumnData::I64(v)) => leading_int(rest, 18).map(|(x, n)| {
                    v.push(x);
                    n
                }),
                _ => None,
            };
            let used = match used {
                Some(n) if n == rest.len() || rest[n] == p.delimiter => n,
                Some(_) => {
                    good = false;
                    break;
                }
                None => {
                    let n = memchr::memchr(p.delimiter, rest).unwrap_or(rest.len());
                    let field = &rest[..n];
                    if field == &*p.null {
                        col.set(row, types::DatumRef::Null);
                    } else if let (Reader::Bytes, ColumnData::Bytes(v)) = (c.reader, &mut col.data) {
                        v.push(field);
                    } else if read_field(self.ctx, c, field, col, row).is_err() {
                        good = false;
                        break;
                    }
                    n
                }
            };
            // The last field ends the line, no other one does.
            if (used == rest.len()) != (k == last) {
                good = false;
                break;
            }
            rest = rest.get(used + 1..).unwrap_or(&[]);
        }
        if !good {
            for c in &self.columns {
                let col = &mut self.batch.cols[c.attr];
                col.nulls.unset(row);
                if col.len() > row {
                    col.resize(row);
                }
            }
            return false;
        }
        self.batch.rows += 1;
        true
    }

    fn check_header(&self, f: &Fields) -> Result<()> {
        if f.spans.len() != self.columns.len() {
            bail!(
                BAD_COPY_FILE_FORMAT,
                "wrong number of fields in header line: got {}, expected {}",
                f.spans.len(),
                self.columns.len()
            );
        }
        for (i, c) in self.columns.iter().enumerate() {
            let got = f.get(i).map(|b| String::from_utf8_lossy(b).into_owned());
            if got.as_deref() != Some(&c.name) {
                let shown = got.map_or_else(|| "null value (\"\")".into(), |g| format!("\"{g}\""));
                bail!(
                    BAD_COPY_FILE_FORMAT,
                    "column name mismatch in header line field {}: got {shown}, expected \"{}\"",
                    i + 1,
                    c.name
                );
            }
        }
        Ok(())
    }

    fn check_count(&self, f: &Fields) -> Result<()> {
        if f.spans.len() > self.columns.len() {
            bail!(BAD_COPY_FILE_FORMAT, "extra data after last expected column");
        }
        if let Some(c) = self.columns.get(f.spans.len()) {
            bail!(BAD_COPY_FILE_FORMAT, "missing data for column \"{}\"", c.name);
        }
        Ok(())
    }

    fn add_text_row(&mut self, f: &Fields, line: u64) -> Result<()> {
        let row = self.batch.rows;
        for (i, c) in self.columns.iter().enumerate() {
            let col = &mut self.batch.cols[c.attr];
            let Some(bytes) = f.get(i) else {
                col.set(row, types::DatumRef::Null);
                if let Some(domain) = c.domain {
                    accept_null(self.ctx, domain).map_err(|e| {
                        let at = format!("COPY {}, line {line}, column {}", self.rel_name, c.name);
                        e.context(format!("{at}: null input"))
                    })?;
                }
                continue;
            };
            if let Err(e) = read_field(self.ctx, c, bytes, col, row) {
                let text = shown(bytes);
                return Err(
                    e.context(format!("COPY {}, line {line}, column {}: \"{text}\"", self.rel_name, c.name))
                );
            }
        }
        self.batch.rows += 1;
        Ok(())
    }

    fn read_binary(&mut self) -> Result<()> {
        let mut r = BinaryReader::new(self.stream);
        r.header()?;
        let mut line = 0;
        while let Some(n) = r.tuple()? {
            self.report();
            line += 1;
            if n != self.columns.len() {
                bail!(BAD_COPY_FILE_FORMAT, "row field count is {n}, expected {}", self.columns.len());
            }
            let row = self.batch.rows;
            for c in &self.columns {
                let d = match r.field()? {
                    None => {
                        if let Some(domain) = c.domain {
                            accept_null(self.ctx, domain).map_err(|e| {
                                e.context(format!("COPY {}, line {line}, column {}", self.rel_name, c.name))
                            })?;
                        }
                        types::Datum::Null
                    }
                    Some(bytes) => {
                        let Reader::Binary(f) = c.reader else {
                            return Err(Error::internal("text reader in binary COPY"));
                        };
                        self.ctx
                            .env
                            .with_call_ctx(types::Collation::NONE, |cx| f(cx, bytes, c.ioparam, c.typmod))
                            .map_err(|e| {
                                e.context(format!("COPY {}, line {line}, column {}", self.rel_name, c.name))
                            })?
                    }
                };
                self.batch.cols[c.attr].set(row, d.as_ref());
            }
            self.batch.rows += 1;
            if self.batch.rows == BATCH {
                self.insert_batch()?;
                self.first_line = line + 1;
            }
        }
        Ok(())
    }

    /// Rows read, for `pg_stat_progress_copy`.
    #[inline]
    fn report(&self) {
        let rows = self.rows + self.batch.rows as u64;
        self.ctx.engine.proc().progress.set(Command::Copy, TUPLES, rows as i64);
    }

    fn insert_batch(&mut self) -> Result<()> {
        let n = self.batch.rows;
        if n == 0 {
            return Ok(());
        }
        for (i, p) in &mut self.defaults {
            p.run(self.inserter.exec(), &self.batch, types::Rows::All(n))?;
            for row in 0..n {
                let v = p.result(0, &self.batch).get(row).to_owned();
                self.batch.cols[*i].set(row, v.as_ref());
            }
        }
        for (i, col) in self.batch.cols.iter_mut().enumerate() {
            if col.len() < n {
                let filled =
                    self.columns.iter().any(|c| c.attr == i) || self.defaults.iter().any(|(a, _)| *a == i);
                debug_assert!(!filled);
                (0..n).for_each(|row| col.set(row, types::DatumRef::Null));
            }
        }
        let mut kept = n;
        if let Some(q) = &mut self.filter {
            kept = q.filter(self.inserter.exec(), &mut self.batch)?;
        }
        let r = if kept == 0 { Ok(Default::default()) } else { self.inserter.insert(&mut self.batch) };
        if let Err(e) = r {
            let row = self.inserter.target.failed_row.unwrap_or(0);
            let line = self.first_line + row as u64;
            let checked = [SqlState::NOT_NULL_VIOLATION, SqlState::CHECK_VIOLATION];
            if checked.contains(&e.report().sqlstate)
                && let Some(&end) = self.head_ends.get(row)
            {
                let start = if row == 0 { 0 } else { self.head_ends[row - 1] };
                let text = shown(&self.heads[start..end]);
                return Err(e.context(format!("COPY {}, line {line}: \"{text}\"", self.rel_name)));
            }
            return Err(e.context(format!("COPY {}, line {line}", self.rel_name)));
        }
        self.rows += kept as u64;
        self.batch.clear();
        self.heads.clear();
        self.head_ends.clear();
        Ok(())
    }
}

fn read_field(
    ctx: &CommandCtx<'_>,
    c: &ColumnReader,
    bytes: &[u8],
    col: &mut Column,
    row: usize,
) -> Result<()> {
    // A line is valid, but the escapes in it can make anything.
    if !bytes.is_ascii() || matches!(c.reader, Reader::Bytes) {
        check_text(bytes)?;
    }
    let fast = match (c.reader, &mut col.data) {
        (Reader::Int4, ColumnData::I32(v)) => plain_int(bytes, 9).map(|n| v.push(n as i32)).is_some(),
        (Reader::Int8, ColumnData::I64(v)) => plain_int(bytes, 18).map(|n| v.push(n)).is_some(),
        (Reader::Bytes, ColumnData::Bytes(v)) => {
            v.push(bytes);
            true
        }
        _ => false,
    };
    if fast {
        return Ok(());
    }
    let text = protocol::frontend::utf8(bytes)?;
    let input = match c.reader {
        Reader::Text(f) => f,
        _ => {
            let proc = ctx.catalog.type_desc(c.ioparam)?.input;
            match ctx.catalog.registry().get(proc) {
                Some(FnImpl::Input(f)) => f,
                _ => return Err(Error::unsupported(format_args!("input of type {}", c.type_name))),
            }
        }
    };
    let d = ctx.env.with_call_ctx(types::Collation::NONE, |cx| input(cx, text, c.ioparam, c.typmod))?;
    col.set(row, d.as_ref());
    Ok(())
}

/// 22021 for what is not UTF-8, and for a zero byte.
fn check_text(bytes: &[u8]) -> Result<()> {
    if bytes.is_ascii() && memchr::memchr(0, bytes).is_none() {
        return Ok(());
    }
    if protocol::frontend::utf8(bytes)?.contains('\0') {
        bail!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00");
    }
    Ok(())
}

/// Text for a CONTEXT line: at most 100 bytes, as PostgreSQL cuts it.
fn shown(b: &[u8]) -> String {
    let s = String::from_utf8_lossy(b);
    if s.len() <= 100 {
        return s.into_owned();
    }
    let cut = (0..=100).rev().find(|&i| s.is_char_boundary(i)).unwrap_or(0);
    format!("{}...", &s[..cut])
}
