//! What analysis works with: the catalogs, the session's settings, the parameter types. Built by the caller for one
//! statement.

use crate::query::Query;
use catalog::cache::Catalog;
use catalog::search_path::SearchPath;
use common::{Error, Oid, Result};
use std::any::Any;
use std::rc::Rc;
use types::{CallCtx, Datum, FnImpl, FormatSettings, Registry, TupleDesc};

/// Everything analysis may look at. `lock` takes a heavyweight lock on a relation (modes 1..8) before its descriptor
/// is used, so that it cannot change under the query.
pub struct AnalyzeCtx<'a> {
    pub catalog: &'a Catalog,
    pub path: &'a SearchPath,
    pub registry: &'a Registry,
    pub fmt: &'a FormatSettings,
    /// The current user.
    pub role: Oid,
    /// Name of the connected database: qualified names may start with it.
    pub database: &'a str,
    /// The statement's text; positions in errors are byte offsets into it.
    pub source: &'a str,
    pub lock: &'a dyn Fn(Oid, u8) -> Result<()>,
    /// Handed to input functions of higher crates (`regclass` …).
    pub env: &'a dyn Any,
    pub xact_start_us: i64,
    pub stmt_start_us: i64,
}

impl<'a> AnalyzeCtx<'a> {
    /// The context for calling a function of the registry.
    pub fn call_ctx(&self) -> CallCtx<'a> {
        CallCtx {
            fmt: self.fmt,
            registry: self.registry,
            collation: types::Collation::NONE,
            result_type: Oid::INVALID,
            result_typmod: -1,
            arg_types: &[],
            variadic: false,
            columns: &[],
            xact_start_us: self.xact_start_us,
            stmt_start_us: self.stmt_start_us,
            env: self.env,
        }
    }
    /// Reads a literal through the type's input function.
    pub fn input(&self, type_oid: Oid, text: &str, typmod: i32) -> Result<Datum> {
        let t = self.catalog.type_desc(type_oid)?;
        let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
        match self.registry.get(t.input) {
            _ if type_oid == types::oids::RECORD => Err(common::err!(
                FEATURE_NOT_SUPPORTED,
                "input of anonymous composite types is not implemented"
            )),
            Some(FnImpl::Input(f)) => f(&self.call_ctx(), text, ioparam, typmod),
            _ if t.typtype == b'p' => {
                Err(common::err!(FEATURE_NOT_SUPPORTED, "cannot accept a value of type {}", t.name))
            }
            _ => Err(Error::unsupported(format_args!("input of type {}", t.name))),
        }
    }
    /// Text form of a value through the type's output function.
    pub fn output(&self, type_oid: Oid, value: &Datum) -> Result<String> {
        let t = self.catalog.type_desc(type_oid)?;
        let mut out = Vec::new();
        match self.registry.get(t.output) {
            Some(FnImpl::Output(f)) => f(&self.call_ctx(), value.as_ref(), &mut out)?,
            _ => return Err(Error::unsupported(format_args!("output of type {}", t.name))),
        }
        String::from_utf8(out).map_err(|_| Error::internal("output function returned invalid UTF-8"))
    }
}

/// Types of `$1`, `$2` …. With `variable`, an entry that is invalid (or missing) is inferred from its use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamTypes {
    pub types: Vec<Oid>,
    pub variable: bool,
    /// The statement is part of this function's body: parameters may be called by their names.
    pub function: Option<Rc<FunctionParams>>,
}

/// Names that stand for parameters in the body of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParams {
    /// The function's own name, which may qualify those of parameters.
    pub name: String,
    /// By number; empty for one without a name.
    pub arg_names: Vec<String>,
    /// What the call's arguments are compared by; invalid where nobody knows.
    pub collation: Oid,
}

impl ParamTypes {
    /// No parameter is allowed.
    pub fn none() -> ParamTypes {
        ParamTypes::default()
    }
    /// The types are given.
    pub fn fixed(types: Vec<Oid>) -> ParamTypes {
        ParamTypes { types, variable: false, function: None }
    }
    /// Some types may be given; the others are inferred.
    pub fn variable(types: Vec<Oid>) -> ParamTypes {
        ParamTypes { types, variable: true, function: None }
    }
    /// Parameters of a function whose body the statement is in.
    pub fn of_function(name: &str, arg_names: Vec<String>, types: Vec<Oid>, collation: Oid) -> ParamTypes {
        let function = Some(Rc::new(FunctionParams { name: name.to_string(), arg_names, collation }));
        ParamTypes { types, variable: false, function }
    }
}

/// Result of [`crate::analyze`].
#[derive(Clone, Debug)]
pub enum Analyzed {
    Query(Box<Query>),
    /// A statement for `commands`; with it what it stands for, if that is another (SELECT INTO).
    Utility(Option<Box<parser::Statement>>),
}

/// Where a stand-alone expression is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExprContext {
    Default,
    FunctionDefault,
    GeneratedColumn,
    Check,
    DomainCheck,
    IndexExpr,
    IndexPredicate,
    StatsExpr,
    /// ALTER COLUMN … TYPE … USING
    Using,
    ExecuteParameter,
    TriggerWhen,
    PartitionBound,
    PartitionExpr,
    CallArgument,
    CopyWhere,
    Policy,
    /// LIMIT-like options and other places without special rules.
    Other,
}

/// The relation whose columns an expression may use; it need not exist yet.
#[derive(Clone, Copy)]
pub struct ExprRel<'a> {
    pub name: &'a str,
    /// Invalid while the relation is being created.
    pub oid: Oid,
    pub desc: &'a TupleDesc,
}

/// The column an expression is for.
#[derive(Clone, Copy)]
pub struct ExprTarget<'a> {
    pub name: &'a str,
    pub type_oid: Oid,
    pub typmod: i32,
}

/// A result column, as RowDescription and CREATE TABLE AS need it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    pub name: Rc<str>,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// Table and attribute it is a plain copy of, else invalid and 0.
    pub orig_table: Oid,
    pub orig_attno: i16,
}
