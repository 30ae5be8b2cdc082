//! The FunctionCall message: one function by its OID, called outside SQL. libpq's large-object functions use it.

use super::Session;
use super::logging::Step;
use analyze::expr::{CoercionForm, Const, Expr, FuncExpr};
use common::{Oid, Result, bail};
use types::{Datum, FnImpl};

/// The message.
pub struct Call<'a> {
    pub function: Oid,
    pub formats: Vec<i16>,
    pub args: Vec<Option<&'a [u8]>>,
    pub result_format: i16,
}

impl Session {
    /// Calls the function and sends its result; ReadyForQuery is the caller's.
    pub(super) fn function_call(&self, call: &Call<'_>) -> Result<()> {
        if self.engine.is_aborted_block() {
            return Err(self.engine.aborted_error());
        }
        self.engine.start_command()?;
        let p = match self.catalog.proc_if_any(call.function)? {
            Some(p) => p,
            None => bail!(UNDEFINED_FUNCTION, "function with OID {} does not exist", call.function),
        };
        let text = format!("fastpath function call: \"{}\" (OID {})", p.name, p.oid);
        *self.source.borrow_mut() = text.as_str().into();
        if p.kind != b'f' || p.retset {
            bail!(INVALID_PARAMETER_VALUE, "cannot call function \"{}\" via fastpath interface", p.name);
        }
        let role = self.current_role.get();
        if !self.superuser.get() {
            let usage = commands::acl::USAGE;
            if commands::aclcheck::namespace_mask(&self.catalog, p.namespace, role, usage)? == 0 {
                let name = self.catalog.namespace_name(p.namespace)?.unwrap_or_default();
                bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {name}");
            }
            commands::aclcheck::check_functions(&self.catalog, role, &[p.oid])?;
        }
        let args = self.call_args(call, &p.arg_types)?;
        let snapshot = self.engine.transaction_snapshot()?;
        self.engine.push_active_snapshot(snapshot);
        let null = p.strict && args.iter().any(Datum::is_null);
        let result = if null {
            Ok(Datum::Null)
        } else {
            let consts = args.into_iter().zip(&p.arg_types).map(|(value, t)| {
                let (typmod, collation) = (-1, Oid::INVALID);
                Expr::Const(Const { consttype: *t, typmod, collation, value, location: None })
            });
            let e = Expr::Func(FuncExpr {
                funcid: p.oid,
                result_type: p.ret_type,
                retset: false,
                variadic: false,
                form: CoercionForm::ExplicitCall,
                collation: Oid::INVALID,
                input_collation: Oid::INVALID,
                args: consts.collect(),
                location: None,
            });
            executor::eval_constant(self.env(), &e)
        };
        self.engine.pop_active_snapshot();
        let value = self.call_result(&result?, p.ret_type, call.result_format)?;
        self.log_duration(Step::Statement, &text, None);
        self.engine.commit_command()?;
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        conn.out.function_result(value.as_deref());
        Ok(())
    }

    fn call_args(&self, call: &Call<'_>, types: &[Oid]) -> Result<Vec<Datum>> {
        let (n, formats) = (call.args.len(), call.formats.len());
        if n != types.len() {
            bail!(
                PROTOCOL_VIOLATION,
                "function call message contains {n} arguments but function requires {}",
                types.len()
            );
        }
        if formats > 1 && formats != n {
            bail!(
                PROTOCOL_VIOLATION,
                "function call message contains {formats} argument formats but {n} arguments"
            );
        }
        let mut out = Vec::with_capacity(n);
        for (i, (v, t)) in call.args.iter().zip(types).enumerate() {
            let format = super::format::format_of(&call.formats, i)?;
            out.push(match v {
                None => Datum::Null,
                Some(b) => self.read_param(*t, b, format)?,
            });
        }
        Ok(out)
    }

    fn call_result(&self, v: &Datum, result: Oid, format: i16) -> Result<Option<Vec<u8>>> {
        if v.is_null() {
            return Ok(None);
        }
        let t = self.catalog.type_desc(result)?;
        let registry = self.catalog.registry();
        let mut out = Vec::new();
        let code = match format {
            0 => registry.get(t.output),
            1 => registry.get(t.send),
            f => bail!(INVALID_PARAMETER_VALUE, "unsupported format code: {f}"),
        };
        self.env().with_call_ctx(types::Collation::NONE, |cx| match code {
            Some(FnImpl::Output(f)) => f(cx, v.as_ref(), &mut out),
            Some(FnImpl::Send(f)) => f(cx, v.as_ref(), &mut out),
            _ => bail!(UNDEFINED_FUNCTION, "no output function available for type {}", t.name),
        })?;
        Ok(Some(out))
    }
}
