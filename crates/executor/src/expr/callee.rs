//! A function called on single values outside of a program: transition functions of aggregates of one's own, comparison
//! by an operator of one's own.

use crate::env::ExecEnv;
use crate::routine::RoutineSite;
use common::{Error, Oid, Result};
use std::rc::Rc;
use types::{Arg, CallCtx, Collation, Column, Datum, FnImpl, Phys, Rows, ScalarKernel};

/// A function ready to be called with values of certain types.
pub struct Callee {
    env: Rc<ExecEnv>,
    site: RoutineSite,
    /// `None`: the session runs it.
    kernel: Option<ScalarKernel>,
    args: Vec<Phys>,
    result: Phys,
}

impl Callee {
    /// Looks the function up.
    pub fn new(
        env: &Rc<ExecEnv>,
        oid: Oid,
        arg_types: &[Oid],
        result_type: Oid,
        collation: Collation,
    ) -> Result<Callee> {
        let p = env.catalog()?.proc_desc(oid)?;
        let kernel = match env.code(oid)? {
            Some(FnImpl::Scalar(k)) => Some(k),
            None if oid >= Oid::FIRST_NORMAL => None,
            _ => return Err(Error::unsupported(format_args!("a call of function {} here", p.name))),
        };
        Ok(Callee {
            env: env.clone(),
            site: RoutineSite { oid, strict: p.strict, arg_types: arg_types.into(), result_type, collation },
            kernel,
            args: arg_types.iter().map(|t| env.phys(*t)).collect::<Result<_>>()?,
            result: env.phys(result_type)?,
        })
    }

    /// Is it not called with NULLs?
    pub fn is_strict(&self) -> bool {
        self.site.strict
    }

    /// Calls it.
    pub fn call(&self, ctx: &CallCtx<'_>, args: &[Datum]) -> Result<Datum> {
        if self.site.strict && args.iter().any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        let Some(kernel) = self.kernel else {
            return self.env.session.call_function(&self.site.call(args, &[], None));
        };
        let cols: Vec<Column> = args.iter().zip(&self.args).map(|(d, p)| Column::constant(*p, d)).collect();
        let args: Vec<Arg<'_>> = cols.iter().map(|col| Arg { col, konst: true }).collect();
        let mut out = Column::new(self.result);
        let cx = CallCtx {
            collation: self.site.collation,
            result_type: self.site.result_type,
            arg_types: &self.site.arg_types,
            fmt: ctx.fmt,
            registry: ctx.registry,
            env: ctx.env,
            ..*ctx
        };
        kernel(&cx, &args, Rows::All(1), &mut out)?;
        Ok(out.get(0).to_owned())
    }
}
