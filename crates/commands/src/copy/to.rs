//! COPY TO: a table's rows, or a query's, to the client.

use super::binary::SIGNATURE;
use super::fields::{write_csv, write_text};
use super::options::{CopyOptions, Format, Header};
use super::stream::Stream;
use crate::run_query;
use crate::{CommandCtx, CopyFormat};
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail};
use ipc::progress::Command;
use ipc::progress::copy::TUPLES;
use parser::ast::Statement;
use types::registry::{OutputFn, SendFn};
use types::{Batch, CallCtx, FnImpl};

enum Encode {
    Text(OutputFn),
    Binary(SendFn),
}

struct CopyTo<'a> {
    ctx: &'a CommandCtx<'a>,
    o: &'a CopyOptions,
    stream: &'a Stream<'a>,
    encoders: Vec<Encode>,
    force_quote: Vec<bool>,
    line: Vec<u8>,
    value: Vec<u8>,
    rows: u64,
}

/// COPY table TO.
pub fn copy_table(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    columns: &[usize],
    o: &CopyOptions,
    stream: &Stream<'_>,
) -> Result<u64> {
    let names: Vec<String> = columns.iter().map(|&i| rel.desc.attrs[i].name.clone()).collect();
    let types: Vec<Oid> = columns.iter().map(|&i| rel.desc.attrs[i].type_oid).collect();
    if let super::options::Columns::Named(forced) = &o.force_quote {
        for n in forced {
            if !names.contains(n) {
                bail!(INVALID_COLUMN_REFERENCE, "FORCE_QUOTE column \"{n}\" not referenced by COPY");
            }
        }
    }
    let mut job = CopyTo::begin(ctx, o, stream, &names, &types)?;
    let Some(heap) = &rel.rel else {
        return Err(Error::internal("COPY of a relation without storage"));
    };
    let spec = access::ScanSpec { wanted: columns_in_order(columns), system: Vec::new() };
    let snapshot = transam::Snapshot::Mvcc(ctx.engine.transaction_snapshot()?);
    let mut scan =
        access::HeapScan::begin(ctx.engine, heap.clone(), snapshot, spec, access::ScanOptions::default())?;
    let mut batch = Batch {
        cols: columns.iter().map(|&i| types::Column::new(rel.desc.attrs[i].phys)).collect(),
        rows: 0,
        sel: None,
    };
    loop {
        batch.clear();
        let more = scan.next_batch(ctx.engine, &mut batch)?;
        job.write_batch(&batch)?;
        if !more {
            break;
        }
        ctx.host.check_interrupts()?;
    }
    job.end()
}

/// (attribute from 1, output column), ascending by attribute.
fn columns_in_order(columns: &[usize]) -> Vec<(u16, u16)> {
    let mut v: Vec<(u16, u16)> = columns.iter().enumerate().map(|(k, &i)| (i as u16 + 1, k as u16)).collect();
    v.sort_unstable();
    v
}

/// COPY (query) TO.
pub fn copy_query(ctx: &CommandCtx<'_>, q: &Statement, o: &CopyOptions, stream: &Stream<'_>) -> Result<u64> {
    let query = run_query::resolve(ctx, q)?;
    let columns = analyze::output_columns(&query);
    if columns.is_empty() {
        bail!(FEATURE_NOT_SUPPORTED, "COPY query must have a RETURNING clause");
    }
    let names: Vec<String> = columns.iter().map(|c| c.name.to_string()).collect();
    let types: Vec<Oid> = columns.iter().map(|c| c.type_oid).collect();
    let mut job = CopyTo::begin(ctx, o, stream, &names, &types)?;
    let mut run = run_query::start(ctx, query)?;
    while let Some(b) = run.next(0)? {
        job.write_batch(b)?;
    }
    run.finish()?;
    run.stop();
    job.end()
}

impl<'a> CopyTo<'a> {
    fn begin(
        ctx: &'a CommandCtx<'a>,
        o: &'a CopyOptions,
        stream: &'a Stream<'a>,
        names: &[String],
        types: &[Oid],
    ) -> Result<CopyTo<'a>> {
        let binary = o.format == Format::Binary;
        let mut encoders = Vec::new();
        for t in types {
            let t = ctx.catalog.type_desc(*t)?;
            let registry = ctx.catalog.registry();
            encoders.push(match registry.get(if binary { t.send } else { t.output }) {
                Some(FnImpl::Output(f)) => Encode::Text(f),
                Some(FnImpl::Send(f)) => Encode::Binary(f),
                _ => return Err(Error::unsupported(format_args!("output of type {}", t.name))),
            });
        }
        let mut job = CopyTo {
            ctx,
            o,
            stream,
            encoders,
            force_quote: names.iter().map(|n| o.force_quote.has(n)).collect(),
            line: Vec::new(),
            value: Vec::new(),
            rows: 0,
        };
        let format = if binary { CopyFormat::Binary } else { CopyFormat::Text };
        stream.begin_out(format, types.len(), o.encoding)?;
        if binary {
            job.line.extend_from_slice(SIGNATURE);
            job.line.extend_from_slice(&[0; 8]);
        } else if o.header != Header::No {
            job.header(names);
            job.flush_line()?;
        }
        Ok(job)
    }

    fn header(&mut self, names: &[String]) {
        for (i, n) in names.iter().enumerate() {
            if i > 0 {
                self.line.push(self.o.delimiter);
            }
            match self.o.format {
                Format::Csv => write_csv(n.as_bytes(), self.o, false, names.len() == 1, &mut self.line),
                _ => write_text(n.as_bytes(), self.o.delimiter, &mut self.line),
            }
        }
        self.line.push(b'\n');
    }

    fn flush_line(&mut self) -> Result<()> {
        self.stream.row(&self.line)?;
        self.line.clear();
        Ok(())
    }

    fn write_batch(&mut self, b: &Batch) -> Result<()> {
        let env = self.ctx.env.clone();
        env.with_call_ctx(types::Collation::NONE, |cx| b.live().each(|row| self.write_row(cx, b, row)))
    }

    fn write_row(&mut self, cx: &CallCtx<'_>, b: &Batch, row: usize) -> Result<()> {
        let n = self.encoders.len();
        if self.o.format == Format::Binary {
            self.line.extend_from_slice(&(n as i16).to_be_bytes());
        }
        for i in 0..n {
            let v = b.cols[i].get(row);
            match (&self.encoders[i], v.is_null()) {
                (Encode::Binary(_), true) => self.line.extend_from_slice(&(-1i32).to_be_bytes()),
                (Encode::Binary(f), false) => {
                    let at = self.line.len();
                    self.line.extend_from_slice(&[0; 4]);
                    f(cx, v, &mut self.line)?;
                    let len = (self.line.len() - at - 4) as u32;
                    self.line[at..at + 4].copy_from_slice(&len.to_be_bytes());
                }
                (Encode::Text(f), is_null) => {
                    if i > 0 {
                        self.line.push(self.o.delimiter);
                    }
                    if is_null {
                        self.line.extend_from_slice(self.o.null.as_bytes());
                        continue;
                    }
                    self.value.clear();
                    f(cx, v, &mut self.value)?;
                    if self.o.format == Format::Csv {
                        write_csv(&self.value, self.o, self.force_quote[i], n == 1, &mut self.line);
                    } else {
                        write_text(&self.value, self.o.delimiter, &mut self.line);
                    }
                }
            }
        }
        if self.o.format != Format::Binary {
            self.line.push(b'\n');
        }
        self.rows += 1;
        let progress = &self.ctx.engine.proc().progress;
        progress.set(Command::Copy, TUPLES, self.rows as i64);
        self.flush_line()
    }

    fn end(mut self) -> Result<u64> {
        if self.o.format == Format::Binary {
            self.line.extend_from_slice(&(-1i16).to_be_bytes());
            self.flush_line()?;
        }
        self.stream.end(true)?;
        Ok(self.rows)
    }
}
