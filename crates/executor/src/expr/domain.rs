//! Domain constraints: compiled once a program (or once a session, for input functions), tested on every value that is
//! to become one of the domain.

use crate::env::ExecEnv;
use crate::expr::compile::{Scope, compile_one};
use crate::expr::program::Program;
use crate::run::Exec;
use analyze::expr::{Expr, Var};
use common::{Error, Oid, Result, err};
use std::rc::Rc;
use types::{Batch, Column, DatumRef, Phys, Rows};

/// The constraints of a domain, ready to be tested.
pub struct DomainCheck {
    name: String,
    schema: String,
    not_null: bool,
    checks: Vec<(Rc<str>, Program)>,
    values: Batch,
}

/// VALUE is column 0.
struct ValueScope;

impl Scope for ValueScope {
    fn var(&self, _: &Var) -> Option<usize> {
        None
    }
    fn special(&self, e: &Expr) -> Option<usize> {
        matches!(e, Expr::DomainValue { .. }).then_some(0)
    }
}

impl DomainCheck {
    /// Compiles the constraints; `None` if there are none.
    pub fn compile(env: &Rc<ExecEnv>, domain: Oid) -> Result<Option<DomainCheck>> {
        let c = env.catalog()?;
        let rules = c.domain_rules(domain)?;
        if !rules.not_null && rules.checks.is_empty() {
            return Ok(None);
        }
        let t = c.type_desc(domain)?;
        let mut checks = Vec::with_capacity(rules.checks.len());
        for (name, bin) in &rules.checks {
            let e: Expr = analyze::load_expr(bin)?;
            checks.push((name.clone(), compile_one(env, &e, &ValueScope)?));
        }
        Ok(Some(DomainCheck {
            name: t.name.to_string(),
            schema: c.namespace_name(t.namespace)?.as_deref().unwrap_or_default().to_string(),
            not_null: rules.not_null,
            checks,
            values: Batch { cols: vec![Column::new(t.phys)], rows: 0, sel: None },
        }))
    }

    fn phys(&self) -> Phys {
        self.values.cols[0].phys()
    }

    /// Tests the values of `rows`. 23502, 23514.
    pub fn test<'v>(
        &mut self,
        cx: &Exec,
        value: impl Fn(usize) -> DatumRef<'v>,
        rows: Rows<'_>,
    ) -> Result<()> {
        self.values.clear();
        rows.each(|i| {
            let v = value(i);
            if self.not_null && v.is_null() {
                return Err(self.not_null_error());
            }
            self.values.cols[0].push(v);
            self.values.rows += 1;
            Ok(())
        })?;
        debug_assert_eq!(self.phys(), self.values.cols[0].phys());
        let n = self.values.rows;
        for (name, program) in &mut self.checks {
            program.run(cx, &self.values, Rows::All(n))?;
            let r = program.result(0, &self.values);
            if (0..n).any(|i| matches!(r.get(i), DatumRef::Bool(false))) {
                let shown = types::text_io::quote_identifier(&self.name);
                let mut e =
                    err!(CHECK_VIOLATION, "value for domain {shown} violates check constraint \"{name}\"")
                        .schema(&*self.schema)
                        .constraint(&**name);
                e.report_mut().datatype = Some(self.name.clone());
                return Err(e);
            }
        }
        Ok(())
    }

    fn not_null_error(&self) -> Error {
        let shown = types::text_io::quote_identifier(&self.name);
        let mut e =
            err!(NOT_NULL_VIOLATION, "domain {shown} does not allow null values").schema(&*self.schema);
        e.report_mut().datatype = Some(self.name.clone());
        e
    }

    /// Tests one value.
    pub fn test_one(&mut self, env: &Rc<ExecEnv>, v: DatumRef<'_>) -> Result<()> {
        self.test(&Exec::bare(env), |_| v, Rows::All(1))
    }
}
