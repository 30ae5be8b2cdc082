//! WITHIN GROUP: checks on calls of ordered-set and hypothetical-set aggregates, and their nodes.

use crate::agg::entry;
use crate::coerce::Context;
use crate::expr::*;
use crate::scope::Analyzer;
use catalog::desc::ProcDesc;
use common::{Oid, Result, err};
use parser::FuncCall;
use types::oids;

impl Analyzer<'_> {
    /// Checks the arguments (direct ones, then those of ORDER BY) of a call of aggregate `p` of kind `kind`;
    /// `variadic_args` of them matched VARIADIC. Hypothetical arguments get the type of their column.
    pub fn check_ordered_set(
        &mut self,
        fc: &FuncCall,
        p: &ProcDesc,
        kind: u8,
        args: &mut [Expr],
        declared: &[Oid],
        actual: &mut [Oid],
        variadic_args: usize,
    ) -> Result<()> {
        let name = fc.funcname.join(".");
        if !fc.agg_within_group {
            return Err(err!(WRONG_OBJECT_TYPE, "WITHIN GROUP is required for ordered-set aggregate {name}")
                .at(fc.location));
        }
        if fc.over.is_some() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "OVER is not supported for ordered-set aggregate {name}"
            )
            .at(fc.location));
        }
        let wanted = self.ctx.catalog.aggregate(p.oid)?.map_or(0, |a| a.num_direct_args) as usize;
        let ordered = fc.agg_order.len();
        let direct = args.len() - ordered;
        let missing = |a: &Self, hint: String| {
            Err(err!(UNDEFINED_FUNCTION, "function {} does not exist", a.signature(&fc.funcname, args))
                .hint(hint)
                .at(fc.location))
        };
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let parameters = if variadic_args > 1 { args.len() - (variadic_args - 1) } else { args.len() };
        let variadic_direct = p.variadic.is_valid() && wanted >= parameters;
        if !variadic_direct && direct != wanted {
            return missing(
                self,
                format!(
                    "There is an ordered-set aggregate {name}, but it requires {wanted} direct argument{}, not {direct}.",
                    plural(wanted)
                ),
            );
        }
        if variadic_direct && kind == b'h' && variadic_args != 2 * ordered {
            return missing(
                self,
                format!(
                    "To use the hypothetical-set aggregate {name}, the number of hypothetical direct arguments (here {}) must match the number of ordering columns (here {ordered}).",
                    variadic_args.saturating_sub(ordered)
                ),
            );
        }
        if variadic_direct && kind != b'h' && variadic_args <= ordered {
            return missing(
                self,
                format!(
                    "There is an ordered-set aggregate {name}, but it requires at least {wanted} direct argument{}.",
                    plural(wanted)
                ),
            );
        }
        if kind == b'h' {
            self.unify_hypothetical(args, declared, actual, ordered)?;
        }
        Ok(())
    }

    /// Each hypothetical argument and its column get a common type.
    fn unify_hypothetical(
        &mut self,
        args: &mut [Expr],
        declared: &[Oid],
        actual: &mut [Oid],
        ordered: usize,
    ) -> Result<()> {
        let direct = args.len() - ordered;
        let first = direct.saturating_sub(ordered);
        for h in first..direct {
            let a = direct + (h - first);
            if declared.get(h) != Some(&oids::ANY) {
                continue;
            }
            let t = self.common_type(&[&args[a], &args[h]], "WITHIN GROUP")?;
            for i in [h, a] {
                let e = std::mem::replace(&mut args[i], crate::coerce::make_const(t, types::Datum::Null));
                args[i] = self.coerce_type(e, t, -1, Context::Implicit, CoercionForm::ImplicitCast, None)?;
                actual[i] = t;
            }
        }
        Ok(())
    }

    /// The target list and order of an ordered-set aggregate's column arguments.
    pub fn ordered_set_list(
        &mut self,
        fc: &FuncCall,
        columns: Vec<Expr>,
    ) -> Result<(Vec<TargetEntry>, Vec<SortGroupClause>)> {
        let mut list: Vec<TargetEntry> = columns.into_iter().enumerate().map(|(i, e)| entry(i, e)).collect();
        let mut order = Vec::new();
        for (i, s) in fc.agg_order.iter().enumerate() {
            self.add_to_sort_list(i, &mut list, &mut order, s)?;
        }
        Ok((list, order))
    }
}
