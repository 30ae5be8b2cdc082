//! Functions of users as comparisons, hashes and kernels ([`types::locale::Code`]): support functions of operator classes
//! of one's own, and operators of one's own where the executor asks for equality.

use crate::env::{ExecEnv, Session};
use crate::routine::RoutineSite;
use common::{Error, Oid, Result};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;
use types::locale::{Code, OwnCode, own_cmp, own_hash, own_kernel};
use types::{
    Arg, CallCtx, CmpFn, Collation, Column, Datum, DatumRef, FnImpl, HashFn, Phys, Registry, Rows,
    ScalarKernel,
};

/// The first error of comparisons since somebody asked.
pub type Pending = Rc<RefCell<Option<Error>>>;

struct Function {
    session: Rc<dyn Session>,
    registry: &'static Registry,
    /// Built-in code that is a kernel, not a comparison.
    kernel: Option<ScalarKernel>,
    site: RoutineSite,
    args: Vec<Phys>,
    result: Phys,
    pending: Pending,
}

impl Function {
    fn call(&self, args: &[Datum]) -> Result<Datum> {
        if self.site.strict && args.iter().any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        let Some(kernel) = self.kernel else {
            return self.session.call_function(&self.site.call(args, &[], None));
        };
        let cols: Vec<Column> = args.iter().zip(&self.args).map(|(d, p)| Column::constant(*p, d)).collect();
        let args: Vec<Arg<'_>> = cols.iter().map(|col| Arg { col, konst: true }).collect();
        let mut out = Column::new(self.result);
        let cx = CallCtx {
            fmt: &types::FormatSettings::default(),
            registry: self.registry,
            collation: self.site.collation,
            result_type: self.site.result_type,
            result_typmod: -1,
            arg_types: &self.site.arg_types,
            variadic: false,
            columns: &[],
            xact_start_us: self.session.xact_start_us(),
            stmt_start_us: self.session.stmt_start_us(),
            env: self.session.fn_env(),
        };
        kernel(&cx, &args, Rows::All(1), &mut out)?;
        Ok(out.get(0).to_owned())
    }
    /// The result of a support function, which is never NULL.
    fn number(&self, args: &[Datum]) -> i32 {
        if self.pending.borrow().is_some() {
            return 0;
        }
        let e = match self.call(args) {
            Ok(Datum::I32(v)) => return v,
            Ok(_) => Error::internal(format!("function {} returned NULL", self.site.oid)),
            Err(e) => e,
        };
        *self.pending.borrow_mut() = Some(e);
        0
    }
}

impl Code for Function {
    fn compare(&self, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
        self.number(&[a.to_owned(), b.to_owned()]).cmp(&0)
    }
    fn hash(&self, v: DatumRef<'_>) -> u64 {
        self.number(&[v.to_owned()]) as u32 as u64
    }
    fn kernel(&self, _ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
        let mut at = 0;
        let mut values = Vec::with_capacity(args.len());
        rows.each(|i| {
            while at < i {
                out.push(DatumRef::Null);
                at += 1;
            }
            values.clear();
            values.extend(args.iter().map(|a| a.col.get(a.index(i)).to_owned()));
            out.push(self.call(&values)?.as_ref());
            at += 1;
            Ok(())
        })
    }
    fn check(&self) -> Result<()> {
        self.pending.borrow_mut().take().map_or(Ok(()), Err)
    }
}

impl ExecEnv {
    /// The collation to call a function with: it carries the function's code if that is not in the registry in the form
    /// asked for.
    fn carrying(&self, proc: Oid, collation: Oid, kernel: Option<ScalarKernel>) -> Result<Collation> {
        let plain = self.collation(collation)?;
        if let Some(c) = self.own_code.borrow().get(&(proc, collation)) {
            return Ok(plain.with_code(c));
        }
        let p = self.catalog()?.proc_desc(proc)?;
        let site = RoutineSite {
            oid: proc,
            strict: p.strict,
            arg_types: p.arg_types.clone().into(),
            result_type: p.ret_type,
            collation: plain,
        };
        let f = Function {
            session: self.session.clone(),
            registry: self.registry,
            kernel,
            args: p.arg_types.iter().map(|t| self.phys(*t)).collect::<Result<_>>()?,
            result: self.phys(p.ret_type)?,
            site,
            pending: self.pending.clone(),
        };
        let code: &'static OwnCode = Box::leak(Box::new(OwnCode(Box::new(f))));
        self.own_code.borrow_mut().insert((proc, collation), code);
        Ok(plain.with_code(code))
    }
    /// A three-way comparison (btree support function 1), and the collation to call it with.
    pub fn cmp(&self, proc: Oid, collation: Oid) -> Result<(CmpFn, Collation)> {
        match self.code(proc)? {
            Some(FnImpl::Cmp(f)) => Ok((f, self.collation(collation)?)),
            Some(FnImpl::Scalar(k)) => Ok((own_cmp, self.carrying(proc, collation, Some(k))?)),
            None if proc >= Oid::FIRST_NORMAL => Ok((own_cmp, self.carrying(proc, collation, None)?)),
            _ => Err(Error::unsupported(format_args!("comparison function with OID {proc}"))),
        }
    }
    /// A hash function, and the collation to call it with.
    pub fn hash(&self, proc: Oid, collation: Oid) -> Result<(HashFn, Collation)> {
        match self.code(proc)? {
            Some(FnImpl::Hash(f)) => Ok((f, self.collation(collation)?)),
            Some(FnImpl::Scalar(k)) => Ok((own_hash, self.carrying(proc, collation, Some(k))?)),
            None if proc >= Oid::FIRST_NORMAL => Ok((own_hash, self.carrying(proc, collation, None)?)),
            _ => Err(Error::unsupported(format_args!("hash function with OID {proc}"))),
        }
    }
    /// The kernel of a function, and the collation to call it with.
    pub fn kernel(&self, proc: Oid, collation: Oid) -> Result<(ScalarKernel, Collation)> {
        match self.code(proc)? {
            None if proc >= Oid::FIRST_NORMAL => Ok((own_kernel, self.carrying(proc, collation, None)?)),
            _ => Ok((crate::expr::compile::scalar_kernel(self, proc)?, self.collation(collation)?)),
        }
    }
    /// The error of a comparison by a function of one's own.
    pub fn check_comparisons(&self) -> Result<()> {
        if self.own_code.borrow().is_empty() {
            return Ok(());
        }
        self.pending.borrow_mut().take().map_or(Ok(()), Err)
    }
}
