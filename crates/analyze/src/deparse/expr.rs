//! Expressions as SQL. Without `pretty` every operator expression brings its own parentheses; with it, the parent asks
//! [`is_simple`] whether a child needs them.

use super::Deparser;
use crate::expr::*;
use crate::info::{expr_type, expr_typmod};
use crate::names::{quote_ident, quote_literal};
use crate::typename::format_type;
use common::{Oid, Result};
use types::{Datum, oids};

/// Where a child stands: what its parent is, as far as parentheses care.
#[derive(Clone, Copy)]
enum Parent<'p> {
    Expr(&'p Expr),
}

impl Deparser<'_> {
    /// Appends a piece.
    pub(super) fn put(&mut self, s: &str) {
        self.out.push_str(s);
    }

    /// A key word on a line of its own: PostgreSQL's indentation rules.
    pub(super) fn keyword(&mut self, s: &str, before: i32, after: i32, plus: i32) {
        if self.indent {
            self.level += before;
            while self.out.ends_with(' ') {
                self.out.pop();
            }
            self.out.push('\n');
            let n = (self.level.max(0) + plus).clamp(0, 40 + plus);
            self.out.extend(std::iter::repeat_n(' ', n as usize));
            self.put(s);
            self.level = (self.level + after).max(0);
        } else {
            self.put(s);
        }
    }

    fn child(&mut self, e: &Expr, implicit: bool, parent: &Expr) -> Result<()> {
        let paren = self.pretty && !is_simple(self, e, Parent::Expr(parent));
        if paren {
            self.put("(");
        }
        self.expr(e, implicit)?;
        if paren {
            self.put(")");
        }
        Ok(())
    }

    fn open(&mut self) {
        if !self.pretty {
            self.put("(");
        }
    }

    fn close(&mut self) {
        if !self.pretty {
            self.put(")");
        }
    }

    pub(super) fn list(&mut self, items: &[Expr], implicit: bool) -> Result<()> {
        for (i, e) in items.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.expr(e, implicit)?;
        }
        Ok(())
    }

    /// A parameter of the function whose body this is, by name; qualified where a column might have the name.
    fn parameter(&self, id: u32) -> Option<String> {
        let (function, names) = self.params?;
        let name = names.get(id as usize - 1).filter(|n| !n.is_empty())?;
        let name = crate::names::quote_ident(name);
        if self.scopes.iter().any(|s| !s.names.is_empty()) {
            return Some(format!("{}.{name}", crate::names::quote_ident(function)));
        }
        Some(name)
    }

    /// Writes an expression; implicit casts show if `implicit`.
    pub(super) fn expr(&mut self, e: &Expr, implicit: bool) -> Result<()> {
        match e {
            Expr::Var(v) => self.var(v),
            Expr::Const(c) => self.constant(c, 0),
            Expr::Param(p) => {
                let text = self.style.and_then(|s| s.param).and_then(|f| f(p));
                let text = text.or_else(|| self.parameter(p.id));
                self.put(&text.unwrap_or_else(|| format!("${}", p.id)));
                Ok(())
            }
            Expr::Func(f) => self.func(f, e, implicit),
            Expr::Op(o) => {
                self.open();
                match o.args.as_slice() {
                    [l, r] => {
                        self.child(l, true, e)?;
                        let op = self.oper_name(o.opno, expr_type(l), expr_type(r))?;
                        self.put(&format!(" {op} "));
                        self.child(r, true, e)?;
                    }
                    [x] => {
                        let op = self.oper_name(o.opno, Oid::INVALID, expr_type(x))?;
                        self.put(&format!("{op} "));
                        self.child(x, true, e)?;
                    }
                    _ => {}
                }
                self.close();
                Ok(())
            }
            Expr::DistinctExpr(o) => {
                self.open();
                self.child(&o.args[0], true, e)?;
                self.put(" IS DISTINCT FROM ");
                self.child(&o.args[1], true, e)?;
                self.close();
                Ok(())
            }
            Expr::NullIfExpr(o) => {
                self.put("NULLIF(");
                self.list(&o.args, true)?;
                self.put(")");
                Ok(())
            }
            Expr::ScalarArrayOp(s) => {
                self.open();
                self.child(&s.args[0], true, e)?;
                let elem = self.ctx.base_array_elem(expr_type(&s.args[1]))?;
                let op = self.oper_name(s.opno, expr_type(&s.args[0]), elem)?;
                self.put(&format!(" {op} {} (", if s.use_or { "ANY" } else { "ALL" }));
                self.child(&s.args[1], true, e)?;
                if let Expr::SubLink(l) = &s.args[1]
                    && l.kind == SubLinkType::Expr
                {
                    let t = format_type(self.ctx, expr_type(&s.args[1]), expr_typmod(&s.args[1]));
                    self.put(&format!("::{t}"));
                }
                self.put(")");
                self.close();
                Ok(())
            }
            Expr::Bool { op, args, .. } => {
                self.open();
                match op {
                    BoolOp::Not => {
                        self.put("NOT ");
                        self.child(&args[0], false, e)?;
                    }
                    op => {
                        for (i, a) in args.iter().enumerate() {
                            if i > 0 {
                                self.put(if *op == BoolOp::And { " AND " } else { " OR " });
                            }
                            self.child(a, false, e)?;
                        }
                    }
                }
                self.close();
                Ok(())
            }
            Expr::Aggref(a) => self.aggref(a),
            Expr::WindowFunc(w) => self.window_func(w),
            Expr::GroupingFunc { args, .. } => {
                self.put("GROUPING(");
                self.list(args, true)?;
                self.put(")");
                Ok(())
            }
            Expr::SubLink(s) => self.sublink(s),
            Expr::SubPlan(s) => {
                let hashed = if s.use_hash_table { "hashed " } else { "" };
                self.put(&format!("({hashed}{})", s.plan_name));
                Ok(())
            }
            Expr::Case { arg, whens, default, .. } => self.case(arg.as_deref(), whens, default.as_deref()),
            Expr::CaseTest { .. } => {
                self.put("CASE_TEST_EXPR");
                Ok(())
            }
            Expr::Coalesce { args, .. } => {
                self.put("COALESCE(");
                self.list(args, true)?;
                self.put(")");
                Ok(())
            }
            Expr::MinMax { greatest, args, .. } => {
                self.put(if *greatest { "GREATEST(" } else { "LEAST(" });
                self.list(args, true)?;
                self.put(")");
                Ok(())
            }
            Expr::SqlValueFunction { op, typmod, .. } => {
                self.put(&value_function(*op, *typmod));
                Ok(())
            }
            Expr::NullTest { arg, is_null, arg_is_row, .. } => {
                self.open();
                self.child(arg, true, e)?;
                // A scalar test on a row value is the IS DISTINCT FROM NULL form.
                let row_value = !arg_is_row && self.is_row(arg)?;
                self.put(match (is_null, row_value) {
                    (true, false) => " IS NULL",
                    (false, false) => " IS NOT NULL",
                    (true, true) => " IS NOT DISTINCT FROM NULL",
                    (false, true) => " IS DISTINCT FROM NULL",
                });
                self.close();
                Ok(())
            }
            Expr::BooleanTest { arg, test, .. } => {
                self.open();
                self.child(arg, false, e)?;
                self.put(match test {
                    BoolTest::IsTrue => " IS TRUE",
                    BoolTest::IsNotTrue => " IS NOT TRUE",
                    BoolTest::IsFalse => " IS FALSE",
                    BoolTest::IsNotFalse => " IS NOT FALSE",
                    BoolTest::IsUnknown => " IS UNKNOWN",
                    BoolTest::IsNotUnknown => " IS NOT UNKNOWN",
                });
                self.close();
                Ok(())
            }
            Expr::CoerceToDomain { arg, form: CoercionForm::ImplicitCast, .. } if !implicit => {
                self.expr(arg, false)
            }
            Expr::Relabel { arg, result_type, typmod, form, .. }
            | Expr::CoerceToDomain { arg, result_type, typmod, form, .. }
            | Expr::ArrayCoerce { arg, result_type, typmod, form, .. } => {
                self.cast(arg, *result_type, *typmod, *form, implicit, e)
            }
            Expr::CoerceViaIo { arg, result_type, form, .. } => {
                self.cast(arg, *result_type, -1, *form, implicit, e)
            }
            Expr::DomainValue { .. } => {
                self.put("VALUE");
                Ok(())
            }
            Expr::Collate { arg, collation, .. } => {
                self.open();
                self.child(arg, implicit, e)?;
                let name = self
                    .ctx
                    .catalog
                    .collation_name(*collation)?
                    .map_or_else(String::new, |c| quote_ident(&c.1));
                self.put(&format!(" COLLATE {name}"));
                self.close();
                Ok(())
            }
            Expr::Array { elements, array_type, .. } => {
                self.put("ARRAY[");
                self.list(elements, true)?;
                self.put("]");
                if elements.is_empty() {
                    let t = format_type(self.ctx, *array_type, -1);
                    self.put(&format!("::{t}"));
                }
                Ok(())
            }
            Expr::Subscript { arg, upper, lower, .. } => {
                self.subscript(arg, upper, lower.as_deref().map(Vec::as_slice))
            }
            Expr::Row { args, row_type, .. } => {
                self.put("ROW(");
                self.list(args, true)?;
                self.put(")");
                if *row_type != oids::RECORD {
                    let t = format_type(self.ctx, *row_type, -1);
                    self.put(&format!("::{t}"));
                }
                Ok(())
            }
            Expr::RowCompare { opnos, left, right, .. } => {
                self.put("(ROW(");
                self.list(left, true)?;
                let op = self.oper_name(opnos[0], expr_type(&left[0]), expr_type(&right[0]))?;
                self.put(&format!(") {op} ROW("));
                self.list(right, true)?;
                self.put("))");
                Ok(())
            }
            Expr::FieldSelect { arg, fieldnum, .. } => {
                let paren = !matches!(**arg, Expr::Subscript { .. } | Expr::FieldSelect { .. });
                if paren {
                    self.put("(");
                }
                self.expr(arg, true)?;
                if paren {
                    self.put(")");
                }
                let name = self.field_name(arg, *fieldnum)?;
                self.put(&format!(".{}", quote_ident(&name)));
                Ok(())
            }
            Expr::FieldStore { newvals, .. } => {
                self.put("ROW(");
                self.list(newvals, true)?;
                self.put(")");
                Ok(())
            }
            Expr::SetToDefault { .. } => {
                self.put("DEFAULT");
                Ok(())
            }
            Expr::CurrentOf { cursor, .. } => {
                self.put(&format!("CURRENT OF {}", quote_ident(cursor)));
                Ok(())
            }
            Expr::NextValue { seqid, .. } => {
                let rel = self.ctx.catalog.relation(*seqid)?;
                let name = self.relation_name(&rel)?;
                self.put(&format!("nextval({}::regclass)", quote_literal(&name)));
                Ok(())
            }
            Expr::NamedArg { arg, name, .. } => {
                self.put(&format!("{} => ", quote_ident(name)));
                self.expr(arg, implicit)
            }
        }
    }

    fn is_row(&self, e: &Expr) -> Result<bool> {
        let t = expr_type(e);
        Ok(t == oids::RECORD || (t.is_valid() && t != oids::UNKNOWN && self.ctx.is_complex(t)?))
    }

    fn field_name(&self, arg: &Expr, n: i16) -> Result<String> {
        let t = expr_type(arg);
        if t == oids::RECORD {
            return Ok(match arg {
                Expr::Row { col_names, .. } => col_names.get(n as usize - 1).cloned().unwrap_or_default(),
                _ => format!("f{n}"),
            });
        }
        let (base, _) = self.ctx.base_type(t, -1)?;
        let d = self.ctx.catalog.composite_desc(base)?;
        Ok(d.attrs.get(n as usize - 1).map_or_else(String::new, |a| a.name.clone()))
    }

    fn var(&mut self, v: &Var) -> Result<()> {
        let text = match self.style {
            Some(s) if self.scopes.len() <= v.levels_up as usize => (s.var)(v),
            _ => self.scope_var(v)?,
        };
        self.put(&text);
        Ok(())
    }

    fn cast(
        &mut self,
        arg: &Expr,
        t: Oid,
        typmod: i32,
        form: CoercionForm,
        implicit: bool,
        node: &Expr,
    ) -> Result<()> {
        if form == CoercionForm::ImplicitCast && !implicit {
            return self.child(arg, false, node);
        }
        self.coercion(arg, t, typmod, node)
    }

    /// `arg::type`.
    pub(super) fn coercion(&mut self, arg: &Expr, t: Oid, typmod: i32, node: &Expr) -> Result<()> {
        match arg {
            Expr::Const(c) if c.consttype == t && c.typmod == -1 => self.constant(c, -1)?,
            arg => {
                self.open();
                self.child(arg, false, node)?;
                self.close();
            }
        }
        let name = format_type(self.ctx, t, typmod);
        self.put(&format!("::{name}"));
        Ok(())
    }

    /// Writes a constant; `show` -1 never labels it with its type, 0 where needed, 1 always.
    pub(super) fn constant(&mut self, c: &Const, show: i32) -> Result<()> {
        if c.value.is_null() {
            self.put("NULL");
            if show >= 0 {
                let t = format_type(self.ctx, c.consttype, c.typmod);
                self.put(&format!("::{t}"));
                self.const_collation(c)?;
            }
            return Ok(());
        }
        let text = match (&c.value, c.consttype) {
            (Datum::Bytes(b), oids::UNKNOWN) => String::from_utf8_lossy(b).into_owned(),
            (v, t) => self.ctx.output(t, v)?,
        };
        let first_digit = text.starts_with(|ch: char| ch.is_ascii_digit());
        let mut label = false;
        match c.consttype {
            oids::INT4 if first_digit => self.put(&text),
            oids::INT4 => {
                self.put(&format!("'{text}'"));
                label = true;
            }
            oids::NUMERIC if first_digit && text.contains(['e', 'E', '.']) => self.put(&text),
            oids::NUMERIC => {
                self.put(&format!("'{text}'"));
                label = true;
            }
            oids::BOOL => self.put(if text == "t" { "true" } else { "false" }),
            // As it would be read back in this session.
            _ if !self.ctx.fmt.standard_conforming_strings => {
                self.put(&quote_literal(&text.replace('\\', "\\\\")));
            }
            _ => self.put(&quote_literal(&text)),
        }
        if show < 0 {
            return Ok(());
        }
        let needed = match c.consttype {
            oids::BOOL | oids::UNKNOWN => false,
            oids::INT4 => label,
            oids::NUMERIC => label || c.typmod >= 0,
            _ => true,
        };
        if needed || show > 0 {
            let t = format_type(self.ctx, c.consttype, c.typmod);
            self.put(&format!("::{t}"));
        }
        self.const_collation(c)
    }

    fn const_collation(&mut self, c: &Const) -> Result<()> {
        if c.collation.is_valid()
            && c.collation != self.ctx.type_collation(c.consttype)?
            && let Some((_, n)) = self.ctx.catalog.collation_name(c.collation)?
        {
            self.put(&format!(" COLLATE {}", quote_ident(&n)));
        }
        Ok(())
    }

    fn case(&mut self, arg: Option<&Expr>, whens: &[CaseWhen], default: Option<&Expr>) -> Result<()> {
        self.keyword("CASE", 0, 4, 0);
        if let Some(a) = arg {
            self.put(" ");
            self.expr(a, true)?;
        }
        for w in whens {
            let cond = match (&w.expr, arg) {
                (Expr::Op(o), Some(_)) if o.args.len() == 2 && is_case_test(&o.args[0]) => &o.args[1],
                (c, _) => c,
            };
            if !self.indent {
                self.put(" ");
            }
            self.keyword("WHEN ", 0, 0, 0);
            self.expr(cond, false)?;
            self.put(" THEN ");
            self.expr(&w.result, true)?;
        }
        if let Some(d) = default {
            if !self.indent {
                self.put(" ");
            }
            self.keyword("ELSE ", 0, 0, 0);
            self.expr(d, true)?;
        }
        if !self.indent {
            self.put(" ");
        }
        self.keyword("END", -4, 0, 0);
        Ok(())
    }

    fn subscript(
        &mut self,
        arg: &Expr,
        upper: &[Option<Expr>],
        lower: Option<&[Option<Expr>]>,
    ) -> Result<()> {
        let paren = !matches!(arg, Expr::Var(_) | Expr::FieldSelect { .. });
        if paren {
            self.put("(");
        }
        self.expr(arg, true)?;
        if paren {
            self.put(")");
        }
        for (i, u) in upper.iter().enumerate() {
            self.put("[");
            if let Some(l) = lower {
                if let Some(Some(x)) = l.get(i) {
                    self.expr(x, false)?;
                }
                self.put(":");
            }
            if let Some(x) = u {
                self.expr(x, false)?;
            }
            self.put("]");
        }
        Ok(())
    }

    fn sublink(&mut self, s: &SubLink) -> Result<()> {
        let paren = !matches!(s.kind, SubLinkType::Array | SubLinkType::Expr | SubLinkType::MultiExpr);
        self.put(if s.kind == SubLinkType::Array { "ARRAY(" } else { "(" });
        let mut op = None;
        if let Some(t) = &s.test {
            op = Some(self.sublink_test(t)?);
        }
        match s.kind {
            SubLinkType::Exists => self.put("EXISTS "),
            SubLinkType::Any => match op.as_deref() {
                Some("=") | None => self.put(" IN "),
                Some(o) => self.put(&format!(" {o} ANY ")),
            },
            SubLinkType::All => self.put(&format!(" {} ALL ", op.as_deref().unwrap_or("="))),
            SubLinkType::RowCompare => self.put(&format!(" {} ", op.as_deref().unwrap_or("="))),
            _ => {}
        }
        if paren {
            self.put("(");
        }
        let old = std::mem::replace(&mut self.names_visible, false);
        let r = self.subquery(&s.subselect);
        self.names_visible = old;
        r?;
        self.put(if paren { "))" } else { ")" });
        Ok(())
    }

    fn sublink_test(&mut self, t: &Expr) -> Result<String> {
        match t {
            Expr::Op(o) => {
                self.expr(&o.args[0], true)?;
                self.oper_name(o.opno, expr_type(&o.args[0]), expr_type(&o.args[1]))
            }
            Expr::Bool { args, .. } => {
                self.put("(");
                let mut name = "=".to_string();
                for (i, a) in args.iter().enumerate() {
                    if let Expr::Op(o) = a {
                        if i > 0 {
                            self.put(", ");
                        }
                        self.expr(&o.args[0], true)?;
                        name = self.oper_name(o.opno, expr_type(&o.args[0]), expr_type(&o.args[1]))?;
                    }
                }
                self.put(")");
                Ok(name)
            }
            Expr::RowCompare { opnos, left, right, .. } => {
                self.put("(");
                self.list(left, true)?;
                self.put(")");
                self.oper_name(opnos[0], expr_type(&left[0]), expr_type(&right[0]))
            }
            e => {
                self.expr(e, true)?;
                Ok("=".into())
            }
        }
    }
}

fn is_case_test(e: &Expr) -> bool {
    match e {
        Expr::CaseTest { .. } => true,
        Expr::Relabel { arg, .. } | Expr::CoerceViaIo { arg, .. } => is_case_test(arg),
        Expr::Func(f) => f.form == CoercionForm::ImplicitCast && f.args.first().is_some_and(is_case_test),
        _ => false,
    }
}

fn value_function(op: SqlValueFunctionOp, typmod: i32) -> String {
    use SqlValueFunctionOp as O;
    let name = match op {
        O::CurrentDate => "CURRENT_DATE",
        O::CurrentTime => "CURRENT_TIME",
        O::CurrentTimestamp => "CURRENT_TIMESTAMP",
        O::LocalTime => "LOCALTIME",
        O::LocalTimestamp => "LOCALTIMESTAMP",
        O::CurrentRole => "CURRENT_ROLE",
        O::CurrentUser => "CURRENT_USER",
        O::SessionUser => "SESSION_USER",
        O::CurrentCatalog => "CURRENT_CATALOG",
        O::CurrentSchema => "CURRENT_SCHEMA",
    };
    if typmod >= 0 { format!("{name}({typmod})") } else { name.to_string() }
}

/// Can a child stand inside its parent without parentheses?
fn is_simple(d: &Deparser<'_>, e: &Expr, parent: Parent<'_>) -> bool {
    let Parent::Expr(p) = parent;
    match e {
        Expr::Var(_)
        | Expr::Const(_)
        | Expr::Param(_)
        | Expr::DomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::CurrentOf { .. }
        | Expr::CaseTest { .. }
        | Expr::Subscript { .. }
        | Expr::Array { .. }
        | Expr::Row { .. }
        | Expr::Coalesce { .. }
        | Expr::MinMax { .. }
        | Expr::SqlValueFunction { .. }
        | Expr::NextValue { .. }
        | Expr::NullIfExpr(_)
        | Expr::Aggref(_)
        | Expr::GroupingFunc { .. }
        | Expr::WindowFunc(_)
        | Expr::Func(_)
        | Expr::Case { .. } => true,
        Expr::FieldSelect { .. } => !matches!(p, Expr::FieldSelect { .. }),
        Expr::CoerceToDomain { arg, .. }
        | Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::ArrayCoerce { arg, .. } => is_simple(d, arg, Parent::Expr(e)),
        Expr::Op(o) => match p {
            Expr::Op(po) => op_in_op(d, o, po, e),
            p => inside_call(p),
        },
        Expr::SubLink(_) | Expr::NullTest { .. } | Expr::BooleanTest { .. } | Expr::DistinctExpr(_) => {
            inside_call(p)
        }
        Expr::Bool { op, .. } => match p {
            Expr::Bool { op: pop, .. } => match op {
                BoolOp::Not | BoolOp::And => matches!(pop, BoolOp::And | BoolOp::Or),
                BoolOp::Or => *pop == BoolOp::Or,
            },
            p => inside_call(p),
        },
        _ => false,
    }
}

/// Parents that delimit their arguments themselves.
fn inside_call(p: &Expr) -> bool {
    match p {
        Expr::Func(f) => f.form == CoercionForm::ExplicitCall,
        Expr::Bool { .. }
        | Expr::Subscript { .. }
        | Expr::Array { .. }
        | Expr::Row { .. }
        | Expr::Coalesce { .. }
        | Expr::MinMax { .. }
        | Expr::NullIfExpr(_)
        | Expr::Aggref(_)
        | Expr::GroupingFunc { .. }
        | Expr::WindowFunc(_)
        | Expr::Case { .. } => true,
        _ => false,
    }
}

/// `+ -` and `* / %` inside each other.
fn op_in_op(d: &Deparser<'_>, o: &OpExpr, po: &OpExpr, e: &Expr) -> bool {
    let prec = |x: &OpExpr| -> u8 {
        if x.args.len() != 2 {
            return 0;
        }
        match d.ctx.catalog.operator(x.opno).map(|o| o.name.clone()).as_deref() {
            Ok("+" | "-") => 1,
            Ok("*" | "/" | "%") => 2,
            _ => 0,
        }
    };
    let (a, b) = (prec(o), prec(po));
    if a == 0 || b == 0 {
        return false;
    }
    a > b || (a == b && po.args.first().is_some_and(|f| std::ptr::eq(f, e)))
}
