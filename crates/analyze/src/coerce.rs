//! Type conversion: which casts exist between two types in a context, applying them to expressions, and the type
//! that several expressions have in common (UNION, CASE, VALUES …). The rules are those of the manual's chapter
//! "Type Conversion".

use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::info::{expr_collation, expr_location, expr_type, expr_typmod};
use crate::scope::Analyzer;
use crate::typename::{format_type_short, is_true_array};
use catalog::desc::CastMethod;
use common::{Error, Oid, Result, err};
use types::{Datum, oids};

/// What a conversion is asked for: implicit ⊂ assignment ⊂ explicit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    Implicit,
    Assignment,
    Explicit,
}

/// How a conversion is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    Func(Oid),
    Relabel,
    Array,
    ViaIo,
}

/// Is it one of the polymorphic pseudo-types?
pub fn is_polymorphic(t: Oid) -> bool {
    matches!(
        t,
        oids::ANYELEMENT
            | oids::ANYARRAY
            | oids::ANYNONARRAY
            | oids::ANYENUM
            | oids::ANYRANGE
            | oids::ANYMULTIRANGE
            | oids::ANYCOMPATIBLE
            | oids::ANYCOMPATIBLEARRAY
            | oids::ANYCOMPATIBLENONARRAY
            | oids::ANYCOMPATIBLERANGE
            | oids::ANYCOMPATIBLEMULTIRANGE
    )
}

impl AnalyzeCtx<'_> {
    /// The type under a domain (and its typmod), or the type itself.
    pub fn base_type(&self, mut t: Oid, mut typmod: i32) -> Result<(Oid, i32)> {
        loop {
            let d = self.catalog.type_desc(t)?;
            if d.typtype != b'd' {
                return Ok((t, typmod));
            }
            typmod = d.typmod;
            t = d.base_type;
        }
    }
    /// Category letter and whether it is the preferred type of its category.
    pub fn type_category(&self, t: Oid) -> Result<(u8, bool)> {
        let d = self.catalog.type_desc(t)?;
        Ok((d.category, d.preferred))
    }
    /// Element type of a true array; invalid for anything else.
    pub fn array_elem(&self, t: Oid) -> Result<Oid> {
        let d = self.catalog.type_desc(t)?;
        Ok(if is_true_array(&d) { d.elem } else { Oid::INVALID })
    }
    /// Element type of an array or of a domain over one.
    pub fn base_array_elem(&self, t: Oid) -> Result<Oid> {
        let (b, _) = self.base_type(t, -1)?;
        self.array_elem(b)
    }
    /// Array type over a type; invalid if there is none.
    pub fn array_of(&self, t: Oid) -> Result<Oid> {
        Ok(self.catalog.type_desc(t)?.array)
    }
    /// Is it a composite type (or a domain over one)?
    pub fn is_complex(&self, t: Oid) -> Result<bool> {
        let (b, _) = self.base_type(t, -1)?;
        Ok(self.catalog.type_desc(b)?.typtype == b'c')
    }
    /// The collation of a type's values, invalid if it has none.
    pub fn type_collation(&self, t: Oid) -> Result<Oid> {
        let d = self.catalog.type_desc(t)?;
        Ok(d.collation)
    }

    /// How to get from `source` to `target`, if the context allows it at all.
    pub fn coercion_path(&self, target: Oid, source: Oid, cx: Context) -> Result<Option<Path>> {
        let (s, _) = self.base_type(source, -1)?;
        let (t, _) = self.base_type(target, -1)?;
        if s == t {
            return Ok(Some(Path::Relabel));
        }
        if let Some(c) = self.catalog.cast(s, t)? {
            let needed = match c.context {
                b'i' => Context::Implicit,
                b'a' => Context::Assignment,
                _ => Context::Explicit,
            };
            return Ok((cx >= needed).then_some(match c.method {
                CastMethod::Function(f) => Path::Func(f),
                CastMethod::Binary => Path::Relabel,
                CastMethod::InOut => Path::ViaIo,
            }));
        }
        if t != oids::OIDVECTOR && t != oids::INT2VECTOR {
            let (te, se) = (self.array_elem(t)?, self.array_elem(s)?);
            if te.is_valid() && se.is_valid() && self.coercion_path(te, se, cx)?.is_some() {
                return Ok(Some(Path::Array));
            }
        }
        if cx >= Context::Assignment && self.type_category(t)?.0 == b'S' {
            return Ok(Some(Path::ViaIo));
        }
        if cx >= Context::Explicit && self.type_category(s)?.0 == b'S' {
            return Ok(Some(Path::ViaIo));
        }
        Ok(None)
    }

    /// Is a value of `source` one of `target` without any code?
    pub fn binary_coercible(&self, source: Oid, target: Oid) -> Result<bool> {
        if source == target || matches!(target, oids::ANY | oids::ANYELEMENT | oids::ANYCOMPATIBLE) {
            return Ok(true);
        }
        let (s, _) = self.base_type(source, -1)?;
        if s == target {
            return Ok(true);
        }
        let d = self.catalog.type_desc(s)?;
        Ok(match target {
            oids::ANYARRAY | oids::ANYCOMPATIBLEARRAY => is_true_array(&d),
            oids::ANYNONARRAY | oids::ANYCOMPATIBLENONARRAY => !is_true_array(&d),
            oids::ANYENUM => d.typtype == b'e',
            oids::ANYRANGE | oids::ANYCOMPATIBLERANGE => d.typtype == b'r',
            oids::ANYMULTIRANGE | oids::ANYCOMPATIBLEMULTIRANGE => d.typtype == b'm',
            oids::RECORD => d.typtype == b'c',
            oids::RECORD_ARRAY => is_true_array(&d) && self.is_complex(d.elem)?,
            _ => matches!(self.catalog.cast(s, target)?,
                Some(c) if c.context == b'i' && c.method == CastMethod::Binary),
        })
    }

    /// Can all `inputs` become `targets` in this context?
    pub fn can_coerce(&self, inputs: &[Oid], targets: &[Oid], cx: Context) -> Result<bool> {
        let mut generics = false;
        for (&s, &t) in inputs.iter().zip(targets) {
            if s == t || t == oids::ANY {
                continue;
            }
            if is_polymorphic(t) {
                generics = true;
                continue;
            }
            if s == oids::UNKNOWN || self.coercion_path(t, s, cx)?.is_some() {
                continue;
            }
            if (s == oids::RECORD && self.is_complex(t)?) || (t == oids::RECORD && self.is_complex(s)?) {
                continue;
            }
            if t == oids::RECORD_ARRAY && self.is_complex(self.array_elem(s)?.max(oids::INT4))? {
                continue;
            }
            return Ok(false);
        }
        Ok(!generics || crate::polymorphic::consistent(self, inputs, targets)?)
    }

    /// The function that applies a typmod to values of a type; `Array` if it is applied to the elements.
    fn typmod_path(&self, t: Oid) -> Result<Option<Path>> {
        let elem = self.array_elem(t)?;
        let target = if elem.is_valid() { elem } else { t };
        Ok(match self.catalog.cast(target, target)? {
            Some(c) => match c.method {
                CastMethod::Function(_) if elem.is_valid() => Some(Path::Array),
                CastMethod::Function(f) => Some(Path::Func(f)),
                _ => None,
            },
            None => None,
        })
    }
}

/// A constant without place or collation.
pub fn make_const(t: Oid, value: Datum) -> Expr {
    Expr::Const(Const { consttype: t, typmod: -1, collation: Oid::INVALID, value, location: None })
}

/// A change of type label; constants are changed in place, stacked labels replaced.
pub fn apply_relabel(
    e: Expr,
    t: Oid,
    typmod: i32,
    collation: Oid,
    form: CoercionForm,
    loc: Option<usize>,
) -> Expr {
    match e {
        Expr::Const(c) => {
            let value = c.value.relabelled(types::phys_of(t));
            Expr::Const(Const { consttype: t, typmod, collation, value, ..c })
        }
        e if expr_type(&e) == t && expr_typmod(&e) == typmod && expr_collation(&e) == collation => e,
        Expr::Relabel { arg, .. } => {
            Expr::Relabel { arg, result_type: t, typmod, collation, form, location: loc }
        }
        e => Expr::Relabel { arg: Box::new(e), result_type: t, typmod, collation, form, location: loc },
    }
}

fn hide_form(e: &mut Expr) {
    match e {
        Expr::Func(f) => f.form = CoercionForm::ImplicitCast,
        Expr::Relabel { form, .. }
        | Expr::CoerceViaIo { form, .. }
        | Expr::ArrayCoerce { form, .. }
        | Expr::CoerceToDomain { form, .. } => *form = CoercionForm::ImplicitCast,
        _ => {}
    }
}

impl Analyzer<'_> {
    /// Converts to a type and typmod if the context allows; `None` if not.
    pub fn coerce_to_target(
        &mut self,
        e: Expr,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Option<Expr>> {
        let source = expr_type(&e);
        if !self.ctx.can_coerce(&[source], &[target], cx)? {
            return Ok(None);
        }
        let mut collates = Vec::new();
        let mut e = e;
        while let Expr::Collate { arg, collation, location } = e {
            collates.push((collation, location));
            e = *arg;
        }
        let changes = expr_type(&e) != target;
        let e = self.coerce_type(e, target, typmod, cx, form, loc)?;
        let hide = changes && !matches!(e, Expr::Const(_));
        let mut e = self.coerce_typmod(e, target, typmod, cx, form, loc, hide)?;
        if self.ctx.type_collation(target)?.is_valid() {
            while let Some((collation, location)) = collates.pop() {
                e = Expr::Collate { arg: Box::new(e), collation, location };
            }
        }
        Ok(Some(e))
    }

    /// Implicit conversion that the caller knows to exist.
    pub fn coerce_implicit(&mut self, e: Expr, target: Oid) -> Result<Expr> {
        self.coerce_type(e, target, -1, Context::Implicit, CoercionForm::ImplicitCast, None)
    }

    /// Converts the type (not the typmod).
    pub fn coerce_type(
        &mut self,
        e: Expr,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Expr> {
        let source = expr_type(&e);
        if source == target
            || matches!(
                target,
                oids::ANY
                    | oids::ANYELEMENT
                    | oids::ANYNONARRAY
                    | oids::ANYCOMPATIBLE
                    | oids::ANYCOMPATIBLENONARRAY
            )
        {
            return Ok(e);
        }
        if is_polymorphic(target) && source != oids::UNKNOWN {
            let (base, base_mod) = self.ctx.base_type(source, -1)?;
            return Ok(if base == source {
                e
            } else {
                apply_relabel(e, base, base_mod, Oid::INVALID, form, loc)
            });
        }
        if source == oids::UNKNOWN {
            match e {
                Expr::Const(c) => return self.coerce_literal(c, target, typmod, cx, form, loc),
                Expr::Param(p) if self.params.variable && p.kind == ParamKind::External => {
                    return self.coerce_param(p, target, typmod, cx, form, loc);
                }
                Expr::Collate { .. } => {}
                e => return self.coerce_rest(e, source, target, typmod, cx, form, loc),
            }
        }
        if let Expr::Collate { arg, collation, location } = e {
            let inner = self.coerce_type(*arg, target, typmod, cx, form, loc)?;
            return Ok(if self.ctx.type_collation(target)?.is_valid() {
                Expr::Collate { arg: Box::new(inner), collation, location }
            } else {
                inner
            });
        }
        self.coerce_rest(e, source, target, typmod, cx, form, loc)
    }

    fn coerce_rest(
        &mut self,
        e: Expr,
        source: Oid,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Expr> {
        if let Some(path) = self.ctx.coercion_path(target, source, cx)? {
            let (base, base_mod) = self.ctx.base_type(target, typmod)?;
            if path != Path::Relabel {
                let r = self.apply_path(e, path, base, base_mod, cx, form, loc)?;
                return if base != target {
                    self.wrap_domain(r, base, base_mod, target, cx, form, loc, true)
                } else {
                    Ok(r)
                };
            }
            if base != target {
                return self.wrap_domain(e, Oid::INVALID, -1, target, cx, form, loc, false);
            }
            return Ok(match e {
                // A label under which only the domain is dropped or a binary-compatible type put on.
                Expr::Relabel { arg, .. } if expr_type(&arg) == target && expr_typmod(&arg) == -1 => *arg,
                e => Expr::Relabel {
                    arg: Box::new(e),
                    result_type: target,
                    typmod: -1,
                    collation: Oid::INVALID,
                    form,
                    location: loc,
                },
            });
        }
        if source == oids::RECORD && self.ctx.is_complex(target)? {
            return self.record_to_complex(e, target, cx, form, loc);
        }
        if (target == oids::RECORD && self.ctx.is_complex(source)?) || target == oids::RECORD_ARRAY {
            return Ok(e);
        }
        Err(Error::internal(format!(
            "failed to find conversion function from {} to {}",
            format_type_short(self.ctx, source),
            format_type_short(self.ctx, target)
        )))
    }

    fn coerce_literal(
        &mut self,
        c: Const,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Expr> {
        let (base, base_mod) = self.ctx.base_type(target, typmod)?;
        let in_mod = if base == oids::INTERVAL { base_mod } else { -1 };
        let value = match &c.value {
            Datum::Null => Datum::Null,
            // The value is text already.
            d if base == oids::TEXT => d.clone(),
            d => self.ctx.input(base, d.as_ref().str(), in_mod).map_err(|x| x.at_if_none(c.location))?,
        };
        let e = Expr::Const(Const {
            consttype: base,
            typmod: in_mod,
            collation: self.ctx.type_collation(base)?,
            value,
            location: c.location,
        });
        if base != target { self.wrap_domain(e, base, base_mod, target, cx, form, loc, false) } else { Ok(e) }
    }

    fn coerce_param(
        &mut self,
        p: Param,
        target: Oid,
        _typmod: i32,
        _cx: Context,
        _form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Expr> {
        let slot = &mut self.params.types[p.id as usize - 1];
        if *slot == oids::UNKNOWN {
            *slot = target;
        } else if *slot != target {
            return Err(err!(AMBIGUOUS_PARAMETER, "inconsistent types deduced for parameter ${}", p.id)
                .detail(format!(
                    "{} versus {}",
                    format_type_short(self.ctx, self.params.types[p.id as usize - 1]),
                    format_type_short(self.ctx, target)
                ))
                .at_if_none(p.location));
        }
        let location = match (p.location, loc) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Ok(Expr::Param(Param {
            paramtype: target,
            typmod: -1,
            collation: self.ctx.type_collation(target)?,
            location,
            ..p
        }))
    }

    fn record_to_complex(
        &mut self,
        e: Expr,
        target: Oid,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Expr> {
        let (args, location) = match e {
            Expr::Row { args, location, .. } => (args, location),
            // The row of a sub-query: its columns one by one.
            Expr::Var(ref v) if v.attno == 0 => {
                let cols = self.row_columns(&e)?.unwrap_or_default();
                let part = |(i, c): (usize, &crate::rte::ColInfo)| {
                    Expr::Var(Var {
                        attno: i as i16 + 1,
                        vartype: c.type_oid,
                        typmod: c.typmod,
                        collation: c.collation,
                        syn: (v.syn.0, i as i16 + 1),
                        ..v.clone()
                    })
                };
                let live = cols.iter().enumerate().filter(|(_, c)| !c.name.is_empty());
                (live.map(part).collect(), v.location)
            }
            e => {
                return Err(err!(
                    CANNOT_COERCE,
                    "cannot cast type record to {}",
                    format_type_short(self.ctx, target)
                )
                .at_if_none(loc.or_else(|| expr_location(&e))));
            }
        };
        let (base, _) = self.ctx.base_type(target, -1)?;
        let desc = self.ctx.catalog.composite_desc(base)?;
        let fail = |ctx: &AnalyzeCtx<'_>, detail: String, at: Option<usize>| {
            err!(CANNOT_COERCE, "cannot cast type record to {}", format_type_short(ctx, target))
                .detail(detail)
                .at_if_none(at)
        };
        let mut out = Vec::new();
        let mut names = Vec::new();
        let mut given = args.into_iter();
        for (i, a) in desc.attrs.iter().enumerate() {
            names.push(a.name.clone());
            if a.dropped {
                out.push(make_const(oids::INT4, Datum::Null));
                continue;
            }
            let Some(x) = given.next() else {
                return Err(fail(self.ctx, "Input has too few columns.".into(), loc));
            };
            let at = expr_location(&x);
            let xt = expr_type(&x);
            match self.coerce_to_target(x, a.type_oid, a.typmod, cx, CoercionForm::ImplicitCast, None)? {
                Some(x) => out.push(x),
                None => {
                    let d = format!(
                        "Cannot cast type {} to {} in column {}.",
                        format_type_short(self.ctx, xt),
                        format_type_short(self.ctx, a.type_oid),
                        i + 1
                    );
                    return Err(fail(self.ctx, d, loc.or(at)));
                }
            }
        }
        if given.next().is_some() {
            return Err(fail(self.ctx, "Input has too many columns.".into(), loc));
        }
        let row = Expr::Row { args: out, row_type: base, col_names: names, location: loc.or(location) };
        if base != target { self.wrap_domain(row, base, -1, target, cx, form, loc, false) } else { Ok(row) }
    }

    /// Wraps a value of a domain's base type in the domain's checks, applying the base typmod before.
    fn wrap_domain(
        &mut self,
        e: Expr,
        base: Oid,
        base_mod: i32,
        target: Oid,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
        hide: bool,
    ) -> Result<Expr> {
        let (base, base_mod) =
            if base.is_valid() { (base, base_mod) } else { self.ctx.base_type(target, base_mod)? };
        let source = expr_type(&e);
        if source == target {
            return Ok(e);
        }
        let mut e = e;
        if hide {
            hide_form(&mut e);
        }
        let e = self.coerce_typmod(e, base, base_mod, cx, CoercionForm::ImplicitCast, loc, false)?;
        Ok(Expr::CoerceToDomain {
            arg: Box::new(e),
            result_type: target,
            typmod: -1,
            collation: Oid::INVALID,
            form,
            location: loc,
        })
    }

    /// Applies a typmod to a value that is of the type already.
    pub fn coerce_typmod(
        &mut self,
        e: Expr,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
        hide: bool,
    ) -> Result<Expr> {
        if typmod == expr_typmod(&e) {
            return Ok(e);
        }
        let mut e = e;
        if hide {
            hide_form(&mut e);
        }
        let path = if typmod < 0 { None } else { self.ctx.typmod_path(target)? };
        match path {
            Some(p) => self.apply_path(e, p, target, typmod, cx, form, loc),
            None => {
                let coll = expr_collation(&e);
                Ok(apply_relabel(e, target, typmod, coll, form, loc))
            }
        }
    }

    fn apply_path(
        &mut self,
        e: Expr,
        path: Path,
        target: Oid,
        typmod: i32,
        cx: Context,
        form: CoercionForm,
        loc: Option<usize>,
    ) -> Result<Expr> {
        match path {
            Path::Relabel => Ok(apply_relabel(e, target, typmod, Oid::INVALID, form, loc)),
            Path::Func(f) => {
                let p = self.ctx.catalog.proc_desc(f)?;
                let mut args = vec![e];
                if p.arg_types.len() >= 2 {
                    args.push(make_const(oids::INT4, Datum::I32(typmod)));
                }
                if p.arg_types.len() >= 3 {
                    args.push(make_const(oids::BOOL, Datum::Bool(cx == Context::Explicit)));
                }
                Ok(Expr::Func(FuncExpr {
                    funcid: f,
                    result_type: target,
                    retset: false,
                    variadic: false,
                    form,
                    collation: Oid::INVALID,
                    input_collation: Oid::INVALID,
                    args,
                    location: loc,
                }))
            }
            Path::Array => {
                let (src_base, src_mod) = self.ctx.base_type(expr_type(&e), expr_typmod(&e))?;
                let src_elem = self.ctx.array_elem(src_base)?;
                let dst_elem = self.ctx.array_elem(target)?;
                let test = Expr::CaseTest { type_oid: src_elem, typmod: src_mod, collation: Oid::INVALID };
                let elem = self
                    .coerce_to_target(test, dst_elem, typmod, cx, form, loc)?
                    .ok_or_else(|| Error::internal("failed to coerce array element type as expected"))?;
                Ok(Expr::ArrayCoerce {
                    arg: Box::new(e),
                    elem: Box::new(elem),
                    result_type: target,
                    typmod,
                    collation: Oid::INVALID,
                    form,
                    location: loc,
                })
            }
            Path::ViaIo => Ok(Expr::CoerceViaIo {
                arg: Box::new(e),
                result_type: target,
                collation: Oid::INVALID,
                form,
                location: loc,
            }),
        }
    }

    /// A condition: must be boolean (42804 otherwise).
    pub fn coerce_to_boolean(&mut self, e: Expr, what: &str) -> Result<Expr> {
        self.coerce_to_specific(e, oids::BOOL, -1, what)
    }

    /// Can an expression of the innermost level hold a set-returning function? Their calls note themselves, those in
    /// FROM excepted.
    fn may_hold_set(&mut self) -> bool {
        let lv = self.level();
        lv.has_target_srfs || lv.kind == crate::kind::ExprKind::FromFunction
    }

    /// An argument that must be of a type, by assignment conversion.
    pub fn coerce_to_specific(&mut self, e: Expr, target: Oid, typmod: i32, what: &str) -> Result<Expr> {
        let source = expr_type(&e);
        if source == target && !self.may_hold_set() {
            return Ok(e);
        }
        let loc = expr_location(&e);
        let e = if source == target {
            e
        } else {
            match self.coerce_to_target(
                e,
                target,
                typmod,
                Context::Assignment,
                CoercionForm::ImplicitCast,
                None,
            )? {
                Some(e) => e,
                None => {
                    return Err(err!(
                        DATATYPE_MISMATCH,
                        "argument of {what} must be type {}, not type {}",
                        format_type_short(self.ctx, target),
                        format_type_short(self.ctx, source)
                    )
                    .at_if_none(loc));
                }
            }
        };
        if self.may_hold_set() && returns_set(&e) {
            return Err(err!(DATATYPE_MISMATCH, "argument of {what} must not return a set").at_if_none(loc));
        }
        Ok(e)
    }

    /// The type several expressions share; 42804 naming `what` if there is none. Literals alone make it text.
    pub fn common_type(&self, exprs: &[&Expr], what: &str) -> Result<Oid> {
        if let Some(t) = exprs.first().map(|e| expr_type(e))
            && t != oids::UNKNOWN
            && exprs.iter().all(|e| expr_type(e) == t)
        {
            return Ok(t);
        }
        let list: Vec<(Oid, Option<usize>)> =
            exprs.iter().map(|e| (expr_type(e), expr_location(e))).collect();
        self.common_type_of(&list, what)
    }

    /// As [`Analyzer::common_type`], from types and places.
    pub fn common_type_of(&self, list: &[(Oid, Option<usize>)], what: &str) -> Result<Oid> {
        let ctx = self.ctx;
        let first = list.first().map_or(oids::TEXT, |x| x.0);
        if first != oids::UNKNOWN && list.iter().all(|x| x.0 == first) {
            return Ok(first);
        }
        let (mut best, _) = ctx.base_type(first, -1)?;
        let (mut cat, mut preferred) = ctx.type_category(best)?;
        for (t, loc) in list.iter().skip(1) {
            let (t, _) = ctx.base_type(*t, -1)?;
            if t == oids::UNKNOWN || t == best {
                continue;
            }
            let (c, p) = ctx.type_category(t)?;
            if best == oids::UNKNOWN {
                (best, cat, preferred) = (t, c, p);
            } else if c != cat {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "{what} types {} and {} cannot be matched",
                    format_type_short(ctx, best),
                    format_type_short(ctx, t)
                )
                .at_if_none(*loc));
            } else if !preferred
                && ctx.can_coerce(&[best], &[t], Context::Implicit)?
                && !ctx.can_coerce(&[t], &[best], Context::Implicit)?
            {
                (best, cat, preferred) = (t, c, p);
            }
        }
        Ok(if best == oids::UNKNOWN { oids::TEXT } else { best })
    }

    /// Converts to the common type found before; 42846 if that is impossible after all.
    pub fn coerce_to_common(&mut self, e: Expr, target: Oid, what: &str) -> Result<Expr> {
        let source = expr_type(&e);
        if source == target {
            return Ok(e);
        }
        if !self.ctx.can_coerce(&[source], &[target], Context::Implicit)? {
            return Err(err!(
                CANNOT_COERCE,
                "{what} could not convert type {} to {}",
                format_type_short(self.ctx, source),
                format_type_short(self.ctx, target)
            )
            .at_if_none(expr_location(&e)));
        }
        self.coerce_implicit(e, target)
    }
}

/// The typmod all expressions share for a type, else -1.
pub fn common_typmod(exprs: &[&Expr], t: Oid) -> i32 {
    let mut m = None;
    for e in exprs {
        let x = expr_typmod(e);
        if expr_type(e) != t || m.is_some_and(|m| m != x) {
            return -1;
        }
        m = Some(x);
    }
    m.unwrap_or(-1)
}

/// Does a set-returning function stand anywhere in the expression (sub-selects aside)?
pub fn returns_set(e: &Expr) -> bool {
    let own = match e {
        Expr::Func(f) => f.retset,
        Expr::Op(o) => o.retset,
        _ => false,
    };
    let mut found = own;
    if !found {
        crate::walk::children(e, &mut |c| found = found || returns_set(c));
    }
    found
}
