//! `json_populate_record(set)` and `json_to_record(set)`, for json and jsonb: members of an object become columns of a
//! row by name, arrays become arrays, and everything else goes through the input function of the column's type.

use super::env;
use super::value_io::input_value;
use common::{Error, Oid, Result, bail, err};
use types::array::ArrayBuilder;
use types::json::{TextKind, TextNode, Value};
use types::kernel::run_rows;
use types::record::{self, RecordRef};
use types::registry::RowColumn;
use types::{CallCtx, Datum, DatumRef, FnImpl, RowSource, oids};

/// Functions that make rows of documents.
pub static TABLE: &[(u32, FnImpl)] = &[
    (3960, FnImpl::Scalar(|c, a, r, o| run_rows(a, r, o, |v| populate_one(c, v, false)))),
    (3209, FnImpl::Scalar(|c, a, r, o| run_rows(a, r, o, |v| populate_one(c, v, true)))),
    (3961, FnImpl::Srf(|c, a| populate_set(c, a, false))),
    (3475, FnImpl::Srf(|c, a| populate_set(c, a, true))),
    (3204, FnImpl::Srf(|c, a| to_record(c, a, false))),
    (3490, FnImpl::Srf(|c, a| to_record(c, a, true))),
    (3205, FnImpl::Srf(|c, a| to_recordset(c, a, false))),
    (3491, FnImpl::Srf(|c, a| to_recordset(c, a, true))),
];

/// A value of either kind of document.
#[derive(Clone, Copy)]
enum Doc<'a> {
    Text(&'a TextNode<'a>),
    Binary(Value<'a>),
}

impl<'a> Doc<'a> {
    fn is_null(self) -> bool {
        match self {
            Doc::Text(n) => matches!(n.kind, TextKind::Null),
            Doc::Binary(v) => matches!(v, Value::Null),
        }
    }
    fn is_string(self) -> bool {
        match self {
            Doc::Text(n) => matches!(n.kind, TextKind::String(_)),
            Doc::Binary(v) => matches!(v, Value::String(_)),
        }
    }
    fn is_object(self) -> bool {
        match self {
            Doc::Text(n) => matches!(n.kind, TextKind::Object(_)),
            Doc::Binary(v) => matches!(v, Value::Object(_)),
        }
    }
    fn elements(self) -> Result<Option<Vec<Doc<'a>>>> {
        Ok(match self {
            Doc::Text(TextNode { kind: TextKind::Array(v), .. }) => Some(v.iter().map(Doc::Text).collect()),
            Doc::Binary(Value::Array(c)) => {
                Some(c.values().map(|v| v.map(Doc::Binary)).collect::<Result<_>>()?)
            }
            _ => None,
        })
    }
    fn member(self, key: &str) -> Result<Option<Doc<'a>>> {
        Ok(match self {
            Doc::Text(n) => n.get(key).map(Doc::Text),
            Doc::Binary(Value::Object(c)) => c.get(key)?.map(Doc::Binary),
            Doc::Binary(_) => None,
        })
    }
    /// Text for an input function: a string's contents, else JSON.
    fn text(self, json: bool) -> Result<String> {
        match self {
            Doc::Text(n) if json => Ok(n.raw.to_string()),
            Doc::Text(n) => Ok(n.as_text().unwrap_or("null").to_string()),
            Doc::Binary(v) => {
                let mut out = Vec::new();
                if json {
                    v.write(&mut out)?;
                } else if !v.write_text(&mut out)? {
                    out.extend_from_slice(b"null");
                }
                Ok(String::from_utf8_lossy(&out).into_owned())
            }
        }
    }
}

/// Runs `f` over the parsed document.
fn with_doc<R>(d: DatumRef<'_>, binary: bool, f: impl FnOnce(Doc<'_>) -> Result<R>) -> Result<R> {
    if binary {
        return f(Doc::Binary(Value::root(d.bytes())?));
    }
    let text = std::str::from_utf8(d.bytes()).map_err(|_| Error::corrupted("invalid json value"))?;
    let n = TextNode::parse(text)?;
    f(Doc::Text(&n))
}

/// The shape of a row to be made: its type, and its columns.
struct Shape {
    type_oid: Oid,
    columns: Vec<RowColumn>,
}

fn shape_of(c: &CallCtx<'_>, type_oid: Oid) -> Result<Shape> {
    Ok(Shape { type_oid, columns: types::registry::row_shape(c, type_oid)? })
}

/// Values of the columns; what a document does not name keeps the value of `base`.
fn fields(c: &CallCtx<'_>, shape: &Shape, doc: Doc<'_>, base: Option<&[Datum]>) -> Result<Vec<Datum>> {
    if !doc.is_object() {
        let what = if doc.elements()?.is_some() { "an array" } else { "a scalar" };
        bail!(INVALID_PARAMETER_VALUE, "cannot call populate_composite on {}", what);
    }
    let mut out = Vec::with_capacity(shape.columns.len());
    for (i, col) in shape.columns.iter().enumerate() {
        if !col.type_oid.is_valid() {
            out.push(Datum::Null);
            continue;
        }
        let found = doc.member(&col.name)?;
        out.push(match (found, base) {
            (None, Some(b)) => b.get(i).cloned().unwrap_or_default(),
            (v, _) => value(c, col.type_oid, col.typmod, v, &col.name)?,
        });
    }
    Ok(out)
}

fn record_of(c: &CallCtx<'_>, shape: &Shape, values: &[Datum]) -> Result<Datum> {
    let catalog = &env(c)?.catalog;
    let mut typed = Vec::with_capacity(values.len());
    for (col, v) in shape.columns.iter().zip(values) {
        let t = if col.type_oid.is_valid() { catalog.storage_type(col.type_oid)? } else { Oid::INVALID };
        typed.push((t, v.as_ref()));
    }
    if shape.type_oid == oids::RECORD {
        let names: Vec<String> = shape.columns.iter().map(|c| c.name.clone()).collect();
        return Ok(record::build_named(oids::RECORD, typed.into_iter(), &names));
    }
    Ok(record::build_record(shape.type_oid, typed.into_iter()))
}

/// A value of a type from a part of a document; `None` and null are NULL.
fn value(c: &CallCtx<'_>, t: Oid, typmod: i32, doc: Option<Doc<'_>>, key: &str) -> Result<Datum> {
    let Some(doc) = doc.filter(|d| !d.is_null()) else { return input_value(c, t, typmod, None) };
    let desc = env(c)?.catalog.type_desc(t)?;
    match desc.typtype {
        b'd' => {
            let (base, base_mod) = (desc.base_type, desc.typmod);
            let v = value(c, base, base_mod, Some(doc), key)?;
            super::domains::check(c, t, &v)?;
            return Ok(v);
        }
        b'c' if !doc.is_string() => {
            let shape = shape_of(c, t)?;
            let v = fields(c, &shape, doc, None)?;
            return record_of(c, &shape, &v);
        }
        _ if desc.elem.is_valid() && desc.len == -1 && !doc.is_string() => {
            let elem = desc.elem;
            return array(c, elem, typmod, doc, key);
        }
        _ => {}
    }
    if t == oids::JSON || t == oids::JSONB {
        return input_value(c, t, typmod, Some(&doc.text(true)?));
    }
    input_value(c, t, typmod, Some(&doc.text(false)?))
}

/// Elements of an array on their way, and its shape, which the first elements decide.
struct Building<'k> {
    elem: Oid,
    typmod: i32,
    key: &'k str,
    /// 0 while unknown.
    ndims: usize,
    dims: Vec<Option<usize>>,
    at: Vec<usize>,
    items: Vec<Datum>,
}

fn array(c: &CallCtx<'_>, elem: Oid, typmod: i32, doc: Doc<'_>, key: &str) -> Result<Datum> {
    let mut b = Building { elem, typmod, key, ndims: 0, dims: Vec::new(), at: Vec::new(), items: Vec::new() };
    b.level(c, doc, 1)?;
    let storage = env(c)?.catalog.storage_type(elem)?;
    let mut out = ArrayBuilder::new(storage);
    b.items.iter().for_each(|d| out.push(d.as_ref()));
    let dims: Vec<i32> = b.dims.iter().take(b.ndims).map(|d| d.unwrap_or(0) as i32).collect();
    Ok(Datum::bytes(&out.finish(&dims, &vec![1; dims.len()])))
}

impl Building<'_> {
    fn expected_array(&self) -> Error {
        let e = err!(INVALID_TEXT_REPRESENTATION, "expected JSON array");
        if self.at.is_empty() {
            return e.hint(format!("See the value of key \"{}\".", self.key));
        }
        let path: String = self.at.iter().map(|i| format!("[{i}]")).collect();
        e.hint(format!("See the array element {path} of key \"{}\".", self.key))
    }
    fn level(&mut self, c: &CallCtx<'_>, doc: Doc<'_>, dim: usize) -> Result<()> {
        let Some(elements) = doc.elements()? else { return Err(self.expected_array()) };
        if dim > types::array::MAX_DIM {
            bail!(
                PROGRAM_LIMIT_EXCEEDED,
                "number of array dimensions ({}) exceeds the maximum allowed ({})",
                dim,
                types::array::MAX_DIM
            );
        }
        let nested = match elements.first() {
            Some(e) => e.elements()?.is_some(),
            None => false,
        };
        if self.ndims == 0 && !nested {
            self.ndims = dim;
        }
        if self.dims.len() < dim {
            self.dims.resize(dim, None);
        }
        for (i, e) in elements.iter().enumerate() {
            self.at.push(i);
            if self.ndims > 0 && dim >= self.ndims {
                let v = value(c, self.elem, self.typmod, Some(*e), self.key)?;
                self.items.push(v);
            } else {
                self.level(c, *e, dim + 1)?;
            }
            self.at.pop();
        }
        match self.dims[dim - 1] {
            Some(n) if n != elements.len() => {
                return Err(err!(INVALID_TEXT_REPRESENTATION, "malformed JSON array")
                    .detail("Multidimensional arrays must have sub-arrays with matching dimensions."));
            }
            _ => self.dims[dim - 1] = Some(elements.len()),
        }
        Ok(())
    }
}

fn undetermined(name: &str) -> Error {
    err!(FEATURE_NOT_SUPPORTED, "could not determine row type for result of {}", name).hint(
        "Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
    )
}

/// The row type of the first argument, and the values it has.
fn base_of(c: &CallCtx<'_>, d: DatumRef<'_>, name: &str) -> Result<(Shape, Option<Vec<Datum>>)> {
    let catalog = &env(c)?.catalog;
    let t = catalog.storage_type(c.arg_types.first().copied().unwrap_or(oids::RECORD))?;
    if t != oids::RECORD && catalog.type_desc(t)?.typtype != b'c' {
        bail!(DATATYPE_MISMATCH, "first argument of {} must be a row type", name);
    }
    let values = match d {
        DatumRef::Null => None,
        d => Some(RecordRef::new(d.bytes())?),
    };
    let owned = |r: &RecordRef<'_>| -> Result<Vec<Datum>> {
        Ok(r.fields()?.into_iter().map(|(_, v)| v.to_owned()).collect())
    };
    if t != oids::RECORD {
        return Ok((shape_of(c, t)?, values.map(|r| owned(&r)).transpose()?));
    }
    let Some(r) = values else {
        if c.columns.is_empty() {
            return Err(undetermined(name));
        }
        return Ok((Shape { type_oid: t, columns: c.columns.to_vec() }, None));
    };
    let names = types::json::field_names(c, &r)?;
    let columns = names
        .into_iter()
        .zip(r.fields()?)
        .map(|(name, (type_oid, _))| RowColumn { name, type_oid, typmod: -1 })
        .collect();
    Ok((Shape { type_oid: t, columns }, Some(owned(&r)?)))
}

fn function_name(binary: bool, rest: &str) -> String {
    format!("{}_{rest}", if binary { "jsonb" } else { "json" })
}

fn populate_one(c: &CallCtx<'_>, v: &[DatumRef<'_>], binary: bool) -> Result<Datum> {
    let (base, doc) = (v[0], v[1]);
    let name = function_name(binary, "populate_record");
    if doc.is_null() {
        return Ok(base.to_owned());
    }
    let (shape, values) = base_of(c, base, &name)?;
    with_doc(doc, binary, |d| {
        let row = fields(c, &shape, d, values.as_deref())?;
        record_of(c, &shape, &row)
    })
}

/// The objects of an array. 22023.
fn objects<'a>(doc: Doc<'a>, binary: bool, name: &str) -> Result<Vec<Doc<'a>>> {
    let Some(list) = doc.elements()? else {
        let what = match (binary, doc.is_object()) {
            (true, _) => "a non-array",
            (false, true) => "an object",
            (false, false) => "a scalar",
        };
        bail!(INVALID_PARAMETER_VALUE, "cannot call {} on {}", name, what);
    };
    if list.iter().any(|d| !d.is_object()) {
        bail!(INVALID_PARAMETER_VALUE, "argument of {} must be an array of objects", name);
    }
    Ok(list)
}

fn populate_set(c: &CallCtx<'_>, args: &[Datum], binary: bool) -> Result<Box<dyn RowSource>> {
    if args[1].is_null() {
        return super::rows::made(Vec::new());
    }
    let name = function_name(binary, "populate_recordset");
    let (shape, base) = base_of(c, args[0].as_ref(), &name)?;
    let rows = with_doc(args[1].as_ref(), binary, |d| {
        objects(d, binary, &name)?
            .into_iter()
            .map(|o| {
                let row = fields(c, &shape, o, base.as_deref())?;
                Ok(vec![record_of(c, &shape, &row)?])
            })
            .collect::<Result<Vec<_>>>()
    })?;
    super::rows::made(rows)
}

fn expected(c: &CallCtx<'_>, name: &str) -> Result<Shape> {
    if c.columns.is_empty() {
        return Err(undetermined(name));
    }
    Ok(Shape { type_oid: oids::RECORD, columns: c.columns.to_vec() })
}

fn to_record(c: &CallCtx<'_>, args: &[Datum], binary: bool) -> Result<Box<dyn RowSource>> {
    let shape = expected(c, &function_name(binary, "to_record"))?;
    if args[0].is_null() {
        return super::rows::made(vec![vec![Datum::Null; shape.columns.len()]]);
    }
    let row = with_doc(args[0].as_ref(), binary, |d| fields(c, &shape, d, None))?;
    super::rows::made(vec![row])
}

fn to_recordset(c: &CallCtx<'_>, args: &[Datum], binary: bool) -> Result<Box<dyn RowSource>> {
    let name = function_name(binary, "to_recordset");
    let shape = expected(c, &name)?;
    if args[0].is_null() {
        return super::rows::made(Vec::new());
    }
    let rows = with_doc(args[0].as_ref(), binary, |d| {
        objects(d, binary, &name)?.into_iter().map(|o| fields(c, &shape, o, None)).collect()
    })?;
    super::rows::made(rows)
}
