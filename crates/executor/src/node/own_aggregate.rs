//! How aggregates are looked up; and those of one's own: a state, a function that takes a row into it, a function that makes the result.

use crate::env::ExecEnv;
use crate::expr::callee::Callee;
use common::{Error, Oid, Result, bail};
use std::rc::Rc;
use types::agg::{Group, PerGroup, wire};
use types::{AggImpl, AggState, Arg, CallCtx, Collation, Datum, FnImpl};

/// How the states of an aggregate are made.
pub enum Maker {
    Builtin(AggImpl),
    Own(Rc<OwnAggregate>),
}

impl Maker {
    /// Looks an aggregate up.
    pub fn of(
        env: &Rc<ExecEnv>,
        oid: Oid,
        arg_types: &[Oid],
        result_type: Oid,
        collation: Collation,
    ) -> Result<Maker> {
        match env.registry.get(oid) {
            Some(FnImpl::Agg(imp)) => Ok(Maker::Builtin(imp)),
            None if oid >= Oid::FIRST_NORMAL => {
                Ok(Maker::Own(OwnAggregate::new(env, oid, arg_types, result_type, collation)?))
            }
            _ => {
                let name = env.catalog()?.proc_desc(oid)?.name.to_string();
                Err(Error::unsupported(format_args!("aggregate {name}")))
            }
        }
    }
    /// States without groups.
    pub fn make(&self, arg_types: &[Oid], result_type: Oid, collation: Collation) -> Box<dyn AggState> {
        match self {
            Maker::Builtin(imp) => (imp.make)(arg_types, result_type, collation),
            Maker::Own(a) => a.states(),
        }
    }
}

/// Is it a `>` operator (btree strategy 5)?
pub fn is_desc(env: &ExecEnv, op: Oid) -> Result<bool> {
    match op.0 {
        97 | 412 | 664 => return Ok(false),
        521 | 413 | 666 => return Ok(true),
        _ => {}
    }
    Ok(env.catalog()?.amops_of(op)?.iter().any(|a| a.method == Oid(403) && a.strategy == 5))
}

/// An aggregate for certain argument types.
pub struct OwnAggregate {
    name: String,
    init: Datum,
    trans: Callee,
    /// Makes one state of two; present where the aggregate can be split.
    combine: Option<Callee>,
    fin: Option<Callee>,
    /// NULLs the final function gets after the state.
    extra: usize,
}

impl OwnAggregate {
    /// Looks up its functions; 42501 where one may not be called is the caller's affair.
    pub fn new(
        env: &Rc<ExecEnv>,
        oid: Oid,
        arg_types: &[Oid],
        result_type: Oid,
        collation: Collation,
    ) -> Result<Rc<OwnAggregate>> {
        let c = env.catalog()?;
        let p = c.proc_desc(oid)?;
        let Some(a) = c.aggregate(oid)? else {
            return Err(Error::unsupported(format_args!("aggregate {}", p.name)));
        };
        if a.kind != b'n' {
            return Err(Error::unsupported("ordered-set aggregates of one's own"));
        }
        let state = state_type(env, &p, arg_types, a.trans_type)?;
        let init = match &a.init_val {
            Some(t) => input(env, state, t)?,
            None => Datum::Null,
        };
        let mut types = vec![state];
        types.extend(arg_types);
        let trans = Callee::new(env, a.trans_fn, &types, state, collation)?;
        // Who cannot call it finds out when a plan splits the aggregate.
        let combine = match a.combine_fn.is_valid() {
            true => Callee::new(env, a.combine_fn, &[state, state], state, collation).ok(),
            false => None,
        };
        let extra = if a.final_extra { arg_types.len() } else { 0 };
        types.truncate(1 + extra);
        let fin = match a.final_fn.is_valid() {
            true => Some(Callee::new(env, a.final_fn, &types, result_type, collation)?),
            false => None,
        };
        Ok(Rc::new(OwnAggregate { name: p.name.clone(), init, trans, combine, fin, extra }))
    }

    /// States for the groups of a node.
    pub fn states(self: &Rc<Self>) -> Box<dyn AggState> {
        let empty = State { value: self.init.clone(), begun: !self.init.is_null(), of: self.clone() };
        PerGroup::boxed(empty)
    }
}

/// What a polymorphic state type stands for.
fn state_type(env: &ExecEnv, p: &catalog::desc::ProcDesc, arg_types: &[Oid], declared: Oid) -> Result<Oid> {
    if !analyze::coerce::is_polymorphic(declared) {
        return Ok(declared);
    }
    let path = catalog::search_path::SearchPath::default();
    let fmt = env.fmt.borrow().clone();
    let ctx = analyze::AnalyzeCtx {
        catalog: env.catalog()?,
        path: &path,
        registry: env.registry,
        fmt: &fmt,
        role: Oid::INVALID,
        database: "",
        source: "",
        lock: &|_, _| Ok(()),
        env: env.session.fn_env(),
        xact_start_us: 0,
        stmt_start_us: 0,
    };
    analyze::routine::resolve_types(&ctx, arg_types, &mut p.arg_types.clone(), declared)
}

fn input(env: &ExecEnv, t: Oid, text: &str) -> Result<Datum> {
    let d = env.catalog()?.type_desc(t)?;
    let ioparam = if d.elem.is_valid() { d.elem } else { d.oid };
    match env.registry.get(d.input) {
        Some(FnImpl::Input(f)) => env.with_call_ctx(Collation::NONE, |cx| f(cx, text, ioparam, -1)),
        _ => Err(Error::unsupported(format_args!("input of type {}", d.name))),
    }
}

#[derive(Clone)]
struct State {
    value: Datum,
    /// A strict transition function without an initial value begins with the first row's value.
    begun: bool,
    of: Rc<OwnAggregate>,
}

impl Group for State {
    fn add(&mut self, ctx: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let strict = self.of.trans.is_strict();
        if strict && args.iter().any(|a| a.get(i).is_null()) {
            return Ok(());
        }
        if strict && !self.begun {
            self.begun = true;
            self.value = args.first().map_or(Datum::Null, |a| a.get(i).to_owned());
            return Ok(());
        }
        if strict && self.value.is_null() {
            return Ok(());
        }
        let mut values = Vec::with_capacity(args.len() + 1);
        values.push(std::mem::take(&mut self.value));
        values.extend(args.iter().map(|a| a.get(i).to_owned()));
        self.value = self.of.trans.call(ctx, &values)?;
        Ok(())
    }
    fn finish(&self, ctx: &CallCtx<'_>) -> Result<Datum> {
        match &self.of.fin {
            None => Ok(self.value.clone()),
            Some(f) => {
                let mut values = vec![self.value.clone()];
                values.resize(1 + self.of.extra, Datum::Null);
                f.call(ctx, &values)
            }
        }
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        out.push(u8::from(self.begun));
        wire::put_datum(out, &self.value);
        Ok(())
    }
    fn decode(&self, r: &mut wire::Reader<'_>) -> Result<Self> {
        Ok(State { begun: r.u8()? != 0, value: r.datum()?, of: self.of.clone() })
    }
    fn merge(&mut self, ctx: &CallCtx<'_>, other: &Self) -> Result<()> {
        let Some(f) = self.of.combine.as_ref() else { return self.combine(other) };
        if f.is_strict() && other.value.is_null() {
            return Ok(());
        }
        self.begun |= other.begun;
        if f.is_strict() && self.value.is_null() {
            self.value = other.value.clone();
            return Ok(());
        }
        self.value = f.call(ctx, &[std::mem::take(&mut self.value), other.value.clone()])?;
        Ok(())
    }
    fn combine(&mut self, other: &Self) -> Result<()> {
        if !self.begun && self.value.is_null() {
            *self = other.clone();
            return Ok(());
        }
        bail!(FEATURE_NOT_SUPPORTED, "combining states of aggregate {} is not supported yet", self.of.name)
    }
    fn heap(&self) -> usize {
        match &self.value {
            Datum::Bytes(b) => b.len(),
            _ => 0,
        }
    }
}
