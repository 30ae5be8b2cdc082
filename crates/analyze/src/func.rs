//! Function calls: which function a name and argument types mean, and the node it becomes (function, aggregate, window
//! function, cast in function notation, or a column of a row value).

use crate::CatRef;
use crate::coerce::{Context, Path, make_const, returns_set};
use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::info::{expr_location, expr_type};
use crate::polymorphic;
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use catalog::builtins::PG_CATALOG;
use catalog::cache::FunctionChoice;
use catalog::desc::ProcDesc;
use common::{Error, Oid, Result, err};
use parser::FuncCall;
use types::{Datum, oids};

/// A function or operator in question, with the types it takes in this call.
#[derive(Clone)]
pub struct Candidate<T> {
    pub args: Vec<Oid>,
    pub item: T,
}

/// A function that could be meant.
#[derive(Clone)]
pub struct FuncCand {
    pub proc: CatRef<ProcDesc>,
    pos: usize,
    /// The variadic array is spread over this many arguments.
    variadic_args: usize,
    /// How many defaults are needed.
    defaults: usize,
    /// With named arguments: parameter number of each argument given.
    numbers: Option<Vec<usize>>,
    /// Another function takes the same arguments, with other defaults: which is meant cannot be told.
    ambiguous: bool,
}

/// What a call turned out to be.
pub enum Lookup {
    Found(Candidate<FuncCand>),
    /// A cast written as a function.
    Coercion(Oid),
    NotFound,
    Ambiguous,
}

/// The best candidate by the manual's rules (exact matches, preferred types, categories of unknown literals).
pub fn select_candidate<T: Clone>(
    ctx: &AnalyzeCtx<'_>,
    inputs: &[Oid],
    cands: Vec<Candidate<T>>,
) -> Result<Option<Candidate<T>>> {
    let mut base = Vec::with_capacity(inputs.len());
    for t in inputs {
        base.push(if *t == oids::UNKNOWN { *t } else { ctx.base_type(*t, -1)?.0 });
    }
    let unknowns = base.iter().filter(|t| **t == oids::UNKNOWN).count();
    let mut cands = keep_best(cands, |c| {
        Ok(base.iter().zip(&c.args).filter(|(b, a)| **b != oids::UNKNOWN && b == a).count())
    })?;
    if cands.len() == 1 {
        return Ok(cands.pop());
    }
    let mut cats = Vec::with_capacity(base.len());
    for t in &base {
        cats.push(ctx.type_category(*t)?.0);
    }
    let mut cands = keep_best(cands, |c| {
        let mut n = 0;
        for ((b, a), cat) in base.iter().zip(&c.args).zip(&cats) {
            if *b != oids::UNKNOWN && (b == a || ctx.type_category(*a)? == (*cat, true)) {
                n += 1;
            }
        }
        Ok(n)
    })?;
    if cands.len() == 1 {
        return Ok(cands.pop());
    }
    if unknowns == 0 {
        return Ok(None);
    }
    if let Some(slots) = unknown_slots(ctx, &base, &cands)? {
        let mut kept = Vec::new();
        for c in &cands {
            let mut ok = true;
            for (slot, a) in slots.iter().zip(&c.args) {
                if let Some((cat, pref)) = slot {
                    let (k, p) = ctx.type_category(*a)?;
                    ok = ok && k == *cat && (!*pref || p);
                }
            }
            if ok {
                kept.push(c.clone());
            }
        }
        if !kept.is_empty() {
            cands = kept;
        }
        if cands.len() == 1 {
            return Ok(cands.pop());
        }
    }
    if unknowns < base.len() {
        let mut known = base.iter().filter(|t| **t != oids::UNKNOWN);
        let first = known.next().copied();
        if let Some(t) = first
            && known.all(|k| *k == t)
        {
            let all = vec![t; base.len()];
            let mut hits = Vec::new();
            for c in &cands {
                if ctx.can_coerce(&all, &c.args, Context::Implicit)? {
                    hits.push(c.clone());
                }
            }
            if hits.len() == 1 {
                return Ok(hits.pop());
            }
        }
    }
    Ok(None)
}

fn keep_best<T>(
    cands: Vec<Candidate<T>>,
    score: impl Fn(&Candidate<T>) -> Result<usize>,
) -> Result<Vec<Candidate<T>>> {
    let mut best = 0;
    let mut out: Vec<Candidate<T>> = Vec::new();
    for c in cands {
        let n = score(&c)?;
        if n > best {
            best = n;
            out.clear();
        }
        if n == best {
            out.push(c);
        }
    }
    Ok(out)
}

/// For every unknown argument the type category the candidates agree on; `None` if they do not.
fn unknown_slots<T>(
    ctx: &AnalyzeCtx<'_>,
    base: &[Oid],
    cands: &[Candidate<T>],
) -> Result<Option<Vec<Option<(u8, bool)>>>> {
    let mut slots = Vec::new();
    for (i, t) in base.iter().enumerate() {
        if *t != oids::UNKNOWN {
            slots.push(None);
            continue;
        }
        let mut slot: Option<(u8, bool)> = None;
        let mut conflict = false;
        for c in cands {
            let (cat, pref) = ctx.type_category(c.args[i])?;
            slot = match slot {
                None => Some((cat, pref)),
                Some((s, p)) if s == cat => Some((s, p || pref)),
                Some(_) if cat == b'S' => Some((cat, pref)),
                s => {
                    conflict = true;
                    s
                }
            };
        }
        if conflict && slot.is_none_or(|s| s.0 != b'S') {
            return Ok(None);
        }
        slots.push(slot);
    }
    Ok(Some(slots))
}

impl AnalyzeCtx<'_> {
    /// Every visible function of a name that takes this many (and these named) arguments.
    pub fn func_candidates(
        &self,
        name: &[String],
        nargs: usize,
        arg_names: &[String],
        variadic_call: bool,
    ) -> Result<Vec<Candidate<FuncCand>>> {
        self.candidates(name, nargs, arg_names, variadic_call, |p| p)
    }

    fn candidates(
        &self,
        name: &[String],
        nargs: usize,
        arg_names: &[String],
        variadic_call: bool,
        seen_as: impl Fn(CatRef<ProcDesc>) -> CatRef<ProcDesc>,
    ) -> Result<Vec<Candidate<FuncCand>>> {
        let (schema, fname) = self.split_name(name)?;
        let mut out: Vec<Candidate<FuncCand>> = Vec::new();
        for p in self.catalog.procs_named(fname)?.into_iter().map(&seen_as) {
            let pos = match schema {
                Some(ns) if ns == p.namespace => 0,
                Some(_) => continue,
                None => match self.path.position_for_functions(p.namespace) {
                    Some(x) => x,
                    None => continue,
                },
            };
            let Some(c) = fit_call(p, pos, nargs, arg_names, variadic_call) else { continue };
            match out.iter().position(|o| o.args[..nargs] == c.args[..nargs]) {
                None => out.push(c),
                Some(i) => {
                    let key = |c: &Candidate<FuncCand>| (c.item.pos, usize::from(c.item.variadic_args > 0));
                    match key(&c).cmp(&key(&out[i])) {
                        std::cmp::Ordering::Less => out[i] = c,
                        std::cmp::Ordering::Equal => out[i].item.ambiguous = true,
                        std::cmp::Ordering::Greater => {}
                    }
                }
            }
        }
        Ok(out)
    }

    /// The function a call means.
    pub fn find_function(
        &self,
        name: &[String],
        arg_types: &[Oid],
        arg_names: &[String],
        variadic_call: bool,
    ) -> Result<Lookup> {
        let usual = match name {
            [n] if arg_names.is_empty() && !variadic_call => {
                self.path.position_for_functions(PG_CATALOG).map(|pos| (n, pos))
            }
            _ => None,
        };
        let Some((name_alone, pos)) = usual else {
            return self.search_function(name, arg_types, arg_names, variadic_call);
        };
        if let Some(c) = self.catalog.chosen_function(name_alone, arg_types)
            // What looks like a cast depends on the types of the search path.
            && (c.exact || arg_types.len() != 1 || self.func_name_as_type(name)?.is_none())
        {
            return Ok(Lookup::Found(Candidate {
                args: c.args.clone(),
                item: FuncCand {
                    proc: c.proc.clone(),
                    pos,
                    variadic_args: c.variadic_args,
                    defaults: c.defaults,
                    numbers: None,
                    ambiguous: false,
                },
            }));
        }
        let found = self.search_function(name, arg_types, arg_names, variadic_call)?;
        if let Lookup::Found(c) = &found {
            let exact = c.args[..arg_types.len()] == *arg_types;
            let i = &c.item;
            let args = c.args.clone();
            let choice = FunctionChoice::new(i.proc.clone(), args, i.variadic_args, i.defaults, exact);
            self.catalog.remember_function(name_alone, arg_types, choice)?;
        }
        Ok(found)
    }

    fn search_function(
        &self,
        name: &[String],
        arg_types: &[Oid],
        arg_names: &[String],
        variadic_call: bool,
    ) -> Result<Lookup> {
        let cands = self.func_candidates(name, arg_types.len(), arg_names, variadic_call)?;
        if let Some(c) = exactly(&cands, arg_types) {
            return Ok(certain(c));
        }
        if arg_types.len() == 1
            && arg_names.is_empty()
            && let Some(target) = self.func_name_as_type(name)?
        {
            let source = arg_types[0];
            let is_cast = source == oids::UNKNOWN
                || match self.coercion_path(target, source, Context::Explicit)? {
                    Some(Path::Relabel) => true,
                    Some(Path::ViaIo) => {
                        !((source == oids::RECORD || self.is_complex(source)?)
                            && self.type_category(target)?.0 == b'S')
                    }
                    _ => false,
                };
            if is_cast {
                return Ok(Lookup::Coercion(target));
            }
        }
        self.best_fit(cands, arg_types)
    }

    /// The procedure a CALL means: OUT arguments count as arguments.
    pub fn find_procedure(
        &self,
        name: &[String],
        arg_types: &[Oid],
        arg_names: &[String],
        variadic_call: bool,
    ) -> Result<Lookup> {
        let cands = self.candidates(name, arg_types.len(), arg_names, variadic_call, with_out_arguments)?;
        match exactly(&cands, arg_types) {
            Some(c) => Ok(certain(c)),
            None => self.best_fit(cands, arg_types),
        }
    }

    fn best_fit(&self, cands: Vec<Candidate<FuncCand>>, arg_types: &[Oid]) -> Result<Lookup> {
        let mut fit = Vec::new();
        for c in cands {
            if self.can_coerce(arg_types, &c.args[..arg_types.len()], Context::Implicit)? {
                fit.push(c);
            }
        }
        Ok(match fit.len() {
            0 => Lookup::NotFound,
            1 => certain(fit.remove(0)),
            _ => match select_candidate(self, arg_types, fit)? {
                Some(c) => certain(c),
                None => Lookup::Ambiguous,
            },
        })
    }

    fn func_name_as_type(&self, name: &[String]) -> Result<Option<Oid>> {
        let (schema, n) = self.split_name(name)?;
        let t = match schema {
            Some(ns) => self.catalog.type_oid(ns, n)?,
            None => self.catalog.find_type(self.path, n)?,
        };
        let Some(t) = t else { return Ok(None) };
        let d = self.catalog.type_desc(t)?;
        Ok((d.is_defined && d.typtype != b'c').then_some(t))
    }
}

fn exactly(cands: &[Candidate<FuncCand>], arg_types: &[Oid]) -> Option<Candidate<FuncCand>> {
    cands.iter().find(|c| c.args[..arg_types.len()] == *arg_types).cloned()
}

/// Found, unless there are two of the kind.
fn certain(c: Candidate<FuncCand>) -> Lookup {
    if c.item.ambiguous { Lookup::Ambiguous } else { Lookup::Found(c) }
}

/// A procedure with its OUT arguments among the arguments.
fn with_out_arguments(p: CatRef<ProcDesc>) -> CatRef<ProcDesc> {
    if p.kind != b'p' || p.all_arg_types.is_empty() {
        return p;
    }
    let modes = p.arg_modes.iter().map(|m| if *m == b'o' { b'b' } else { *m });
    let seen = ProcDesc { arg_types: p.all_arg_types.clone(), arg_modes: modes.collect(), ..(*p).clone() };
    std::rc::Rc::new(seen).into()
}

/// Does a function take this call? With the parameter types in the order of the arguments given, defaults after them.
fn fit_call(
    p: CatRef<ProcDesc>,
    pos: usize,
    nargs: usize,
    arg_names: &[String],
    variadic_call: bool,
) -> Option<Candidate<FuncCand>> {
    let n = p.arg_types.len();
    let ndef = p.num_defaults as usize;
    if !arg_names.is_empty() {
        if p.variadic.is_valid() && !variadic_call || nargs > n || nargs + ndef < n {
            return None;
        }
        let numbers = match_named(&p, nargs, arg_names)?;
        let mut args: Vec<Oid> = numbers.iter().map(|i| p.arg_types[*i]).collect();
        for i in (0..n).filter(|i| !numbers.contains(i)) {
            if i < n - ndef {
                return None;
            }
            args.push(p.arg_types[i]);
        }
        return Some(Candidate {
            args,
            item: FuncCand {
                proc: p,
                pos,
                variadic_args: 0,
                defaults: n - nargs,
                numbers: Some(numbers),
                ambiguous: false,
            },
        });
    }
    let spread = p.variadic.is_valid() && !variadic_call && nargs >= n;
    if variadic_call && !p.variadic.is_valid() {
        return None;
    }
    if spread {
        let mut args = p.arg_types[..n - 1].to_vec();
        args.resize(nargs, p.variadic);
        return Some(Candidate {
            args,
            item: FuncCand {
                pos,
                variadic_args: nargs + 1 - n,
                defaults: 0,
                numbers: None,
                ambiguous: false,
                proc: p,
            },
        });
    }
    if nargs > n || nargs + ndef < n {
        return None;
    }
    Some(Candidate {
        args: p.arg_types.clone(),
        item: FuncCand {
            pos,
            variadic_args: 0,
            defaults: n - nargs,
            numbers: None,
            ambiguous: false,
            proc: p,
        },
    })
}

/// Parameter number of every argument, positional ones first.
fn match_named(p: &ProcDesc, nargs: usize, arg_names: &[String]) -> Option<Vec<usize>> {
    let positional = nargs - arg_names.len();
    let mut input_names = Vec::new();
    for (i, n) in p.arg_names.iter().enumerate() {
        let mode = p.arg_modes.get(i).copied().unwrap_or(b'i');
        if matches!(mode, b'i' | b'b' | b'v') {
            input_names.push(n.as_str());
        }
    }
    let mut numbers: Vec<usize> = (0..positional).collect();
    for n in arg_names {
        let i = input_names.iter().position(|x| x == n)?;
        if numbers.contains(&i) {
            return None;
        }
        numbers.push(i);
    }
    Some(numbers)
}

impl Analyzer<'_> {
    /// A function call of the raw tree.
    pub fn transform_func_call(&mut self, fc: &FuncCall) -> Result<Expr> {
        let mut args = Vec::with_capacity(fc.args.len());
        for a in &fc.args {
            match a {
                parser::Expr::NamedArgExpr(n) => {
                    let e = self.transform_expr(&n.arg)?;
                    args.push(Expr::NamedArg {
                        arg: Box::new(e),
                        name: n.name.clone(),
                        number: 0,
                        location: Some(n.location),
                    });
                }
                a => args.push(self.transform_expr(a)?),
            }
        }
        // Drivers send OUT arguments as parameters of type void: they are none.
        args.retain(|a| !matches!(a, Expr::Param(p) if p.paramtype == oids::VOID));
        if fc.agg_within_group {
            for s in &fc.agg_order {
                args.push(self.transform_expr_kind(&s.node, crate::kind::ExprKind::OrderBy)?);
            }
        }
        let fname = &fc.funcname;
        if let ([a], [_], true) = (args.as_slice(), fname.as_slice(), plain_call(fc))
            && self.is_row_type(a)?
            && let Some(e) = self.field_of(a.clone(), &fname[0], Some(fc.location))?
        {
            return Ok(e);
        }
        self.build_call(fc, args)
    }

    /// `(row).field`; `None` if the row has no such field.
    pub fn field_of(&mut self, row: Expr, field: &str, loc: Option<usize>) -> Result<Option<Expr>> {
        if let Expr::Var(Var { varno: VarNo::Rte(n), attno: 0, levels_up, .. }) = &row {
            let depth = self.levels.len() - 1 - *levels_up as usize;
            let item = self.levels[depth].namespace.iter().find(|i| i.rti == *n).cloned();
            if let Some(item) = item {
                return self.column_of_item(depth, &item, field, loc.unwrap_or(0));
            }
        }
        let Some(cols) = self.row_columns(&row)? else { return Ok(None) };
        let Some(i) = cols.iter().position(|c| *c.name == *field && !field.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(crate::record::field_select(row, i, &cols[i])))
    }

    fn build_call(&mut self, fc: &FuncCall, mut args: Vec<Expr>) -> Result<Expr> {
        let loc = Some(fc.location);
        let names = self.check_named(&args)?;
        let actual: Vec<Oid> = args.iter().map(expr_type).collect();
        let found = self
            .ctx
            .find_function(&fc.funcname, &actual, &names, fc.func_variadic)
            .map_err(|e| e.at_if_none(loc))?;
        let cand = match found {
            Lookup::Found(c) => c,
            Lookup::Coercion(t) if plain_call(fc) => {
                let a = args.remove(0);
                return self.coerce_type(a, t, -1, Context::Explicit, CoercionForm::ExplicitCall, loc);
            }
            Lookup::Coercion(_) => return Err(not_an_aggregate(fc)),
            Lookup::Ambiguous => {
                return Err(err!(
                    AMBIGUOUS_FUNCTION,
                    "function {} is not unique",
                    self.signature(&fc.funcname, &args)
                )
                .hint(
                    "Could not choose a best candidate function. You might need to add explicit type casts.",
                )
                .at(fc.location));
            }
            Lookup::NotFound => return Err(self.func_not_found(fc, &args)),
        };
        let proc = cand.item.proc.clone();
        if proc.kind == b'p' {
            return Err(err!(WRONG_OBJECT_TYPE, "{} is a procedure", self.signature(&fc.funcname, &args))
                .hint("To call a procedure, use CALL.")
                .at(fc.location));
        }
        check_decorations(fc, &proc)?;
        let agg_kind = match proc.kind {
            b'a' => self.ctx.catalog.aggregate(proc.oid)?.map_or(b'n', |a| a.kind),
            _ => b'n',
        };
        let mut actual = actual;
        if agg_kind != b'n' {
            let n = cand.item.variadic_args;
            self.check_ordered_set(fc, &proc, agg_kind, &mut args, &cand.args, &mut actual, n)?;
        } else if fc.agg_within_group && matches!(proc.kind, b'a' | b'w') {
            let name = fc.funcname.join(".");
            let e = if proc.kind == b'w' {
                err!(WRONG_OBJECT_TYPE, "window function {name} cannot have WITHIN GROUP")
            } else {
                err!(
                    WRONG_OBJECT_TYPE,
                    "{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP"
                )
            };
            return Err(e.at(fc.location));
        }
        let nonvariadic =
            if cand.item.variadic_args > 0 { actual.len() - cand.item.variadic_args } else { 0 };
        let mut declared = cand.args.clone();
        if cand.item.defaults > 0 {
            let extra = self.default_args(&proc, &cand.item)?;
            actual.extend(extra.iter().map(expr_type));
            args.extend(extra);
        }
        let result = polymorphic::enforce(self.ctx, &actual, &mut declared, proc.ret_type)?;
        self.coerce_args(&mut args, &declared)?;
        if let Some(numbers) = &cand.item.numbers {
            args = reorder_named(args, numbers, proc.arg_types.len());
        }
        let mut variadic = fc.func_variadic;
        if cand.item.variadic_args > 0 && proc.variadic != oids::ANY {
            self.pack_variadic(&mut args, nonvariadic)?;
            variadic = true;
        }
        if fc.func_variadic && proc.variadic == oids::ANY {
            let last = args.last().map_or(oids::UNKNOWN, expr_type);
            if !self.ctx.base_array_elem(last)?.is_valid() {
                return Err(err!(DATATYPE_MISMATCH, "VARIADIC argument must be an array")
                    .at_if_none(args.last().and_then(expr_location)));
            }
        }
        match proc.kind {
            b'a' if fc.over.is_none() => self.build_aggregate(fc, &proc, args, declared, result, variadic),
            b'a' | b'w' => self.build_window_func(fc, &proc, args, result),
            _ => {
                if proc.retset {
                    self.check_srf(loc)?;
                }
                Ok(Expr::Func(FuncExpr {
                    funcid: proc.oid,
                    result_type: result,
                    retset: proc.retset,
                    variadic,
                    form: match fc.funcformat {
                        parser::CoercionForm::ExplicitCall => CoercionForm::ExplicitCall,
                        parser::CoercionForm::SqlSyntax => CoercionForm::SqlSyntax,
                    },
                    collation: Oid::INVALID,
                    input_collation: Oid::INVALID,
                    args,
                    location: loc,
                }))
            }
        }
    }

    fn check_named(&self, args: &[Expr]) -> Result<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for a in args {
            match a {
                Expr::NamedArg { name, location, .. } => {
                    if names.contains(name) {
                        return Err(err!(SYNTAX_ERROR, "argument name \"{name}\" used more than once")
                            .at_if_none(*location));
                    }
                    names.push(name.clone());
                }
                a if !names.is_empty() => {
                    return Err(err!(SYNTAX_ERROR, "positional argument cannot follow named argument")
                        .at_if_none(expr_location(a)));
                }
                _ => {}
            }
        }
        Ok(names)
    }

    fn pack_variadic(&mut self, args: &mut Vec<Expr>, first: usize) -> Result<()> {
        let elements: Vec<Expr> = args.drain(first..).collect();
        let elem_type = elements.first().map_or(oids::TEXT, expr_type);
        let loc = elements.first().and_then(expr_location);
        let array_type = self.ctx.array_of(elem_type)?;
        if !array_type.is_valid() {
            return Err(err!(
                UNDEFINED_OBJECT,
                "could not find array type for data type {}",
                format_type_short(self.ctx, elem_type)
            )
            .at_if_none(loc));
        }
        args.push(Expr::Array {
            array_type,
            elem_type,
            collation: Oid::INVALID,
            elements,
            multidims: false,
            location: loc,
        });
        Ok(())
    }

    fn default_args(&mut self, p: &ProcDesc, c: &FuncCand) -> Result<Vec<Expr>> {
        let text = p.arg_defaults.as_deref().unwrap_or("");
        let all: Vec<Expr> = if text.starts_with('[') {
            crate::load_expr(text)?
        } else {
            let raw = parser::parse_expression(&format!("ROW({text})"))?;
            let parser::Expr::RowExpr(r) = raw else { return Err(Error::internal("bad function default")) };
            let mut out = Vec::new();
            for a in &r.args {
                let mut e = self.transform_expr(a)?;
                crate::compare::strip_locations(&mut e);
                out.push(e);
            }
            out
        };
        let n = p.arg_types.len();
        let first_default = n - all.len().min(n);
        let given: Vec<usize> = match &c.numbers {
            Some(v) => v.clone(),
            None => (0..n - c.defaults).collect(),
        };
        Ok((0..n)
            .filter(|i| !given.contains(i) && *i >= first_default)
            .map(|i| {
                let e = all[i - first_default].clone();
                match &c.numbers {
                    Some(_) => Expr::NamedArg {
                        arg: Box::new(e),
                        name: String::new(),
                        number: i as u32,
                        location: None,
                    },
                    None => e,
                }
            })
            .collect())
    }

    /// `name(type, …)` as errors print it.
    pub fn signature(&self, name: &[String], args: &[Expr]) -> String {
        let list: Vec<String> = args
            .iter()
            .map(|a| match a {
                Expr::NamedArg { name, arg, .. } => {
                    format!("{name} => {}", format_type_short(self.ctx, expr_type(arg)))
                }
                a => format_type_short(self.ctx, expr_type(a)),
            })
            .collect();
        format!("{}({})", name.join("."), list.join(", "))
    }

    fn func_not_found(&self, fc: &FuncCall, args: &[Expr]) -> Error {
        let e = err!(UNDEFINED_FUNCTION, "function {} does not exist", self.signature(&fc.funcname, args))
            .at(fc.location);
        if fc.agg_order.len() > 1 && !fc.agg_within_group {
            return e.hint(
                "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.",
            );
        }
        e.hint("No function matches the given name and argument types. You might need to add explicit type casts.")
    }

    /// Set-returning functions are allowed in few places, and not inside some constructs.
    pub fn check_srf(&mut self, loc: Option<usize>) -> Result<()> {
        let kind = self.level().kind;
        if let Some(place) = kind.forbids_srfs() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "set-returning functions are not allowed in {place}")
                .at_if_none(loc));
        }
        if !matches!(kind, crate::kind::ExprKind::FromFunction) {
            self.level().has_target_srfs = true;
        }
        Ok(())
    }

    fn build_window_func(
        &mut self,
        fc: &FuncCall,
        p: &ProcDesc,
        args: Vec<Expr>,
        result: Oid,
    ) -> Result<Expr> {
        let loc = Some(fc.location);
        let Some(over) = &fc.over else { return Err(Error::internal("window call without OVER")) };
        if fc.agg_distinct {
            return Err(err!(FEATURE_NOT_SUPPORTED, "DISTINCT is not implemented for window functions")
                .at(fc.location));
        }
        if !fc.agg_order.is_empty() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "aggregate ORDER BY is not implemented for window functions"
            )
            .at(fc.location));
        }
        let is_agg = p.kind == b'a';
        if is_agg && fc.args.is_empty() && !fc.agg_star {
            return Err(star_needed(fc));
        }
        let filter = self.transform_filter(fc)?;
        if fc.agg_filter.is_some() && !is_agg {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "FILTER is not implemented for non-aggregate window functions"
            )
            .at(fc.location));
        }
        if args.iter().any(returns_set) {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "window function calls cannot contain set-returning function calls"
            )
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .at_if_none(args.iter().find(|a| returns_set(a)).and_then(expr_location)));
        }
        let winref = self.window_reference(over, &args, loc)?;
        Ok(Expr::WindowFunc(Box::new(WindowFunc {
            winfnoid: p.oid,
            result_type: result,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            args,
            filter: filter.map(Box::new),
            winref,
            star: fc.agg_star,
            is_agg,
            location: loc,
        })))
    }

    /// The FILTER condition of a call.
    pub fn transform_filter(&mut self, fc: &FuncCall) -> Result<Option<Expr>> {
        match &fc.agg_filter {
            None => Ok(None),
            Some(f) => {
                let e = self.with_kind(crate::kind::ExprKind::Filter, |a| {
                    let e = a.transform_expr(f)?;
                    a.coerce_to_boolean(e, "FILTER")
                })?;
                Ok(Some(e))
            }
        }
    }
}

fn plain_call(fc: &FuncCall) -> bool {
    fc.agg_order.is_empty()
        && fc.agg_filter.is_none()
        && fc.over.is_none()
        && !fc.agg_star
        && !fc.agg_distinct
        && !fc.func_variadic
        && !fc.agg_within_group
}

fn reorder_named(args: Vec<Expr>, numbers: &[usize], n: usize) -> Vec<Expr> {
    let mut slots: Vec<Option<Expr>> = (0..n).map(|_| None).collect();
    for (i, a) in args.into_iter().enumerate() {
        let (at, e) = match a {
            Expr::NamedArg { arg, number, .. } => (numbers.get(i).copied().unwrap_or(number as usize), *arg),
            e => (numbers.get(i).copied().unwrap_or(i), e),
        };
        slots[at] = Some(e);
    }
    slots.into_iter().map(|s| s.unwrap_or_else(|| make_const(oids::UNKNOWN, Datum::Null))).collect()
}

fn not_an_aggregate(fc: &FuncCall) -> Error {
    let name = fc.funcname.join(".");
    let what = if fc.agg_star {
        return err!(WRONG_OBJECT_TYPE, "{name}(*) specified, but {name} is not an aggregate function")
            .at(fc.location);
    } else if fc.agg_distinct {
        "DISTINCT specified"
    } else if fc.agg_within_group {
        "WITHIN GROUP specified"
    } else if !fc.agg_order.is_empty() {
        "ORDER BY specified"
    } else if fc.agg_filter.is_some() {
        "FILTER specified"
    } else {
        return err!(
            WRONG_OBJECT_TYPE,
            "OVER specified, but {name} is not a window function nor an aggregate function"
        )
        .at(fc.location);
    };
    err!(WRONG_OBJECT_TYPE, "{what}, but {name} is not an aggregate function").at(fc.location)
}

fn star_needed(fc: &FuncCall) -> Error {
    err!(
        WRONG_OBJECT_TYPE,
        "{}(*) must be used to call a parameterless aggregate function",
        fc.funcname.join(".")
    )
    .at(fc.location)
}

fn check_decorations(fc: &FuncCall, p: &ProcDesc) -> Result<()> {
    match p.kind {
        b'a' => {
            if fc.args.is_empty() && !fc.agg_star && fc.over.is_none() && !fc.agg_within_group {
                return Err(star_needed(fc));
            }
            Ok(())
        }
        b'w' => {
            if fc.over.is_none() {
                return Err(err!(
                    WRONG_OBJECT_TYPE,
                    "window function {} requires an OVER clause",
                    fc.funcname.join(".")
                )
                .at(fc.location));
            }
            Ok(())
        }
        _ if plain_call(fc) || (fc.func_variadic && fc.over.is_none() && fc.agg_order.is_empty()) => Ok(()),
        _ => Err(not_an_aggregate(fc)),
    }
}

/// A resolved CALL.
pub struct ProcedureCall {
    pub procid: Oid,
    /// Values of the input arguments.
    pub args: Vec<Expr>,
    /// Columns of the row it returns: name and type.
    pub columns: Vec<(String, Oid)>,
}

impl Analyzer<'_> {
    /// CALL: like a function call, but that arguments in the place of OUT parameters are not evaluated.
    pub fn transform_call(&mut self, fc: &FuncCall) -> Result<ProcedureCall> {
        let mut args = Vec::with_capacity(fc.args.len());
        for a in &fc.args {
            let kind = crate::kind::ExprKind::of(crate::ctx::ExprContext::CallArgument);
            args.push(match a {
                parser::Expr::NamedArgExpr(n) => Expr::NamedArg {
                    arg: Box::new(self.transform_expr_kind(&n.arg, kind)?),
                    name: n.name.clone(),
                    number: 0,
                    location: Some(n.location),
                },
                a => self.transform_expr_kind(a, kind)?,
            });
        }
        let names = self.check_named(&args)?;
        let mut actual: Vec<Oid> = args.iter().map(expr_type).collect();
        let found = self.ctx.find_procedure(&fc.funcname, &actual, &names, fc.func_variadic)?;
        let shown = self.signature(&fc.funcname, &args);
        let cand = match found {
            Lookup::Found(c) => c,
            Lookup::Ambiguous => {
                return Err(err!(AMBIGUOUS_FUNCTION, "procedure {shown} is not unique")
                    .hint("Could not choose a best candidate procedure. You might need to add explicit type casts.")
                    .at(fc.location));
            }
            _ => {
                return Err(err!(UNDEFINED_FUNCTION, "procedure {shown} does not exist")
                    .hint("No procedure matches the given name and argument types. You might need to add explicit type casts.")
                    .at(fc.location));
            }
        };
        let seen = cand.item.proc.clone();
        if seen.kind != b'p' {
            return Err(err!(WRONG_OBJECT_TYPE, "{shown} is not a procedure")
                .hint("To call a function, use SELECT.")
                .at(fc.location));
        }
        let mut declared = cand.args.clone();
        if cand.item.defaults > 0 {
            let extra = self.default_args(&seen, &cand.item)?;
            actual.extend(extra.iter().map(expr_type));
            args.extend(extra);
        }
        polymorphic::enforce(self.ctx, &actual, &mut declared, seen.ret_type)?;
        self.coerce_args(&mut args, &declared)?;
        let mut order = declared.clone();
        if let Some(numbers) = &cand.item.numbers {
            args = reorder_named(args, numbers, seen.arg_types.len());
            for (i, n) in numbers.iter().enumerate() {
                order[*n] = declared[i];
            }
        }
        if cand.item.variadic_args > 0 && seen.variadic != oids::ANY {
            self.pack_variadic(&mut args, actual.len() - cand.item.variadic_args)?;
        }
        let p = self.ctx.catalog.proc_desc(seen.oid)?;
        let (mut inputs, mut columns) = (Vec::new(), Vec::new());
        for (i, mut a) in args.into_iter().enumerate() {
            let mode = p.arg_modes.get(i).copied().unwrap_or(b'i');
            if matches!(mode, b'o' | b'b') {
                let name = p.arg_names.get(i).filter(|n| !n.is_empty()).cloned();
                let name = name.unwrap_or_else(|| format!("column{}", columns.len() + 1));
                columns.push((name, order.get(i).copied().unwrap_or(oids::TEXT)));
            }
            if mode != b'o' {
                crate::collation::assign(self.ctx, &mut a)?;
                inputs.push(a);
            }
        }
        Ok(ProcedureCall { procid: p.oid, args: inputs, columns })
    }
}

/// Resolves a CALL.
pub fn analyze_call(
    ctx: &AnalyzeCtx<'_>,
    fc: &FuncCall,
    params: crate::ctx::ParamTypes,
) -> Result<ProcedureCall> {
    let mut an = Analyzer::new(ctx, params);
    an.push_level();
    an.transform_call(fc)
}
