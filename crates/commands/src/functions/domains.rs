//! Input of domains, and of arrays over them: the value of the type underneath, then the constraints.

use super::env;
use super::value_io::{input_value, receive_value};
use common::{Oid, Result};
use executor::expr::domain::DomainCheck;
use foldhash::HashMap;
use std::cell::RefCell;
use std::rc::Rc;
use types::array::{ArrayBuilder, parse_array_text};
use types::{CallCtx, Datum, FnImpl, UserClass};

/// Domain functions by OID.
pub static TABLE: &[(u32, FnImpl)] =
    &[(2597, FnImpl::Input(domain_in)), (2598, FnImpl::Receive(domain_recv)), (750, FnImpl::Input(array_in))];

type Compiled = Option<Rc<RefCell<DomainCheck>>>;

/// Compiled constraints of the domains whose input this session has met, by the generation of the catalog's caches.
#[derive(Default)]
pub struct DomainChecks {
    generation: std::cell::Cell<u64>,
    checks: RefCell<HashMap<Oid, Compiled>>,
}

/// Tests a value against a domain's constraints.
pub fn check(c: &CallCtx<'_>, domain: Oid, value: &Datum) -> Result<()> {
    let e = env(c)?;
    let exec = e.host.exec_env();
    let cache = &e.domain_checks;
    if cache.generation.replace(e.catalog.generation()) != e.catalog.generation() {
        cache.checks.borrow_mut().clear();
    }
    let known = cache.checks.borrow().get(&domain).cloned();
    let compiled = match known {
        Some(k) => k,
        None => {
            let k = DomainCheck::compile(&exec, domain)?.map(|d| Rc::new(RefCell::new(d)));
            cache.checks.borrow_mut().insert(domain, k.clone());
            k
        }
    };
    let Some(d) = compiled else { return Ok(()) };
    if let Ok(mut d) = d.try_borrow_mut() {
        return d.test_one(&exec, value.as_ref());
    }
    // A constraint that calls for input of its own domain again.
    match DomainCheck::compile(&exec, domain)? {
        Some(mut d) => d.test_one(&exec, value.as_ref()),
        None => Ok(()),
    }
}

/// The type under a domain and its typmod.
fn base(c: &CallCtx<'_>, domain: Oid) -> Result<(Oid, i32)> {
    let (mut t, mut typmod) = (domain, -1);
    loop {
        let d = env(c)?.catalog.type_desc(t)?;
        if d.typtype != b'd' {
            return Ok((t, typmod));
        }
        (t, typmod) = (d.base_type, d.typmod);
    }
}

fn domain_in(c: &CallCtx<'_>, s: &str, domain: Oid, _: i32) -> Result<Datum> {
    let (t, typmod) = base(c, domain)?;
    let v = input_value(c, t, typmod, Some(s))?;
    check(c, domain, &v)?;
    Ok(v)
}

fn domain_recv(c: &CallCtx<'_>, wire: &[u8], domain: Oid, _: i32) -> Result<Datum> {
    let (t, typmod) = base(c, domain)?;
    let v = receive_value(c, t, typmod, Some(wire))?;
    check(c, domain, &v)?;
    Ok(v)
}

/// Arrays whose elements are of a domain carry the type underneath; all others are read by `types`.
fn array_in(c: &CallCtx<'_>, s: &str, elem: Oid, typmod: i32) -> Result<Datum> {
    if !UserClass::Domain.is(elem) {
        return types::array::array_in(c, s, elem, typmod);
    }
    let t = parse_array_text(s, b',', c.fmt.array_nulls)?;
    let mut b = ArrayBuilder::new(env(c)?.catalog.storage_type(elem)?);
    for item in &t.items {
        b.push(input_value(c, elem, typmod, item.as_deref())?.as_ref());
    }
    Ok(Datum::bytes(&b.finish(&t.dims, &t.lower)))
}
