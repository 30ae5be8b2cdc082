//! Choices among the operators and functions of `pg_catalog`, remembered by name and operand types. They hold for every
//! search path with `pg_catalog` in it as long as nobody has added to the name, and until operators, functions or casts
//! change. Which of them is meant is `analyze`'s to find out; types that users made never get here.

use super::Catalog;
use crate::builtins::PG_CATALOG;
use crate::desc::{OperDesc, ProcDesc};
use crate::shared_ref::Ref;
use common::{Oid, Result};
use foldhash::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// Most choices kept for a name.
const KEPT_MAX: usize = 100;

/// Which function a call came to.
#[derive(Debug)]
pub struct FunctionChoice {
    pub proc: Ref<ProcDesc>,
    /// The types it takes in this call.
    pub args: Vec<Oid>,
    /// The variadic array is spread over this many arguments.
    pub variadic_args: usize,
    /// How many defaults are needed.
    pub defaults: usize,
    /// The arguments' types are the declared ones.
    pub exact: bool,
    /// The arguments' types.
    inputs: Vec<Oid>,
}

#[derive(Default)]
pub(super) struct Choices {
    operators: RefCell<HashMap<String, Vec<(Oid, Oid, Ref<OperDesc>)>>>,
    functions: RefCell<HashMap<String, Vec<Rc<FunctionChoice>>>>,
}

impl Choices {
    pub(super) fn forget_operators(&self) {
        self.operators.borrow_mut().clear();
    }
    pub(super) fn forget_functions(&self) {
        self.functions.borrow_mut().clear();
    }
}

fn own(t: Oid) -> bool {
    t >= Oid::FIRST_NORMAL
}

fn keep<T>(all: &RefCell<HashMap<String, Vec<T>>>, name: &str, choice: T) {
    let mut all = all.borrow_mut();
    if !all.contains_key(name) {
        all.insert(name.to_string(), Vec::new());
    }
    if let Some(list) = all.get_mut(name) {
        if list.len() >= KEPT_MAX {
            list.clear();
        }
        list.push(choice);
    }
}

impl Catalog {
    /// The operator that was chosen before for a name and operand types; see [`Catalog::remember_operator`].
    pub fn chosen_operator(&self, name: &str, left: Oid, right: Oid) -> Option<Ref<OperDesc>> {
        let known = self.choices.operators.borrow();
        known.get(name)?.iter().find(|c| c.0 == left && c.1 == right).map(|c| c.2.clone())
    }
    /// Keeps a choice among operators of `pg_catalog`.
    pub fn remember_operator(&self, name: &str, left: Oid, right: Oid, chosen: &Ref<OperDesc>) -> Result<()> {
        if !own(left) && !own(right) && !own(chosen.oid) && self.own_operators(name)?.is_empty() {
            keep(&self.choices.operators, name, (left, right, chosen.clone()));
        }
        Ok(())
    }
    /// The function that was chosen before for a name and argument types; see [`Catalog::remember_function`].
    pub fn chosen_function(&self, name: &str, inputs: &[Oid]) -> Option<Rc<FunctionChoice>> {
        let known = self.choices.functions.borrow();
        known.get(name)?.iter().find(|c| c.inputs == inputs).cloned()
    }
    /// Keeps a choice among functions of `pg_catalog`.
    pub fn remember_function(&self, name: &str, inputs: &[Oid], mut chosen: FunctionChoice) -> Result<()> {
        if inputs.iter().any(|t| own(*t)) || self.has_other_procs(name)? {
            return Ok(());
        }
        chosen.inputs = inputs.to_vec();
        keep(&self.choices.functions, name, Rc::new(chosen));
        Ok(())
    }
    fn has_other_procs(&self, name: &str) -> Result<bool> {
        Ok(self.procs_named(name)?.iter().any(|p| own(p.oid) || p.namespace != PG_CATALOG))
    }
}

impl FunctionChoice {
    /// A choice to be remembered.
    pub fn new(
        proc: Ref<ProcDesc>,
        args: Vec<Oid>,
        variadic_args: usize,
        defaults: usize,
        exact: bool,
    ) -> FunctionChoice {
        FunctionChoice { proc, args, variadic_args, defaults, exact, inputs: Vec::new() }
    }
}
