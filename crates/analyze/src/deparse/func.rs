//! Calls as SQL: functions (with SQL's own syntax for some), aggregates, window functions, operator names.

use super::Deparser;
use crate::expr::*;
use crate::func::Lookup;
use crate::info::expr_type;
use crate::names::{quote_ident, quote_qualified};
use common::{Oid, Result};

impl Deparser<'_> {
    /// Operator name, qualified if the bare name would mean another one.
    pub(super) fn oper_name(&self, opno: Oid, left: Oid, right: Oid) -> Result<String> {
        let o = self.ctx.catalog.operator(opno)?;
        let found = self.ctx.find_operator(std::slice::from_ref(&o.name), left, right, None);
        if matches!(found, Ok(f) if f.oid == opno) {
            return Ok(o.name.clone());
        }
        let ns = self.ctx.catalog.namespace_name(o.namespace)?;
        Ok(format!("OPERATOR({}.{})", quote_ident(ns.as_deref().unwrap_or("pg_catalog")), o.name))
    }

    /// Function name, qualified if the bare name would mean another one.
    fn func_name(&self, oid: Oid, args: &[Oid], variadic: bool) -> Result<String> {
        let p = self.ctx.catalog.proc_desc(oid)?;
        let found = self.ctx.find_function(std::slice::from_ref(&p.name), args, &[], variadic);
        let visible = matches!(found, Ok(Lookup::Found(c)) if c.item.proc.oid == oid);
        if visible {
            return Ok(quote_ident(&p.name));
        }
        let ns = self.ctx.catalog.namespace_name(p.namespace)?;
        Ok(quote_qualified(ns.as_deref(), &p.name))
    }

    /// Relation name, qualified if it is not visible.
    pub(super) fn relation_name(&self, rel: &catalog::desc::Relation) -> Result<String> {
        let visible = self.ctx.catalog.find_relation(self.ctx.path, &rel.name)? == Some(rel.oid);
        let ns = if visible { None } else { self.ctx.catalog.namespace_name(rel.namespace)? };
        Ok(quote_qualified(ns.as_deref(), &rel.name))
    }

    pub(super) fn func(&mut self, f: &FuncExpr, node: &Expr, implicit: bool) -> Result<()> {
        match f.form {
            CoercionForm::ImplicitCast if !implicit => {
                let paren = self.pretty && matches!(f.args[0], Expr::Op(_) | Expr::Bool { .. });
                if paren {
                    self.put("(");
                }
                self.expr(&f.args[0], false)?;
                if paren {
                    self.put(")");
                }
                return Ok(());
            }
            CoercionForm::ImplicitCast | CoercionForm::ExplicitCast if !f.args.is_empty() => {
                let typmod = crate::info::expr_typmod(node);
                return self.coercion(&f.args[0], f.result_type, typmod, node);
            }
            CoercionForm::SqlSyntax if self.sql_syntax(f)? => return Ok(()),
            _ => {}
        }
        let types: Vec<Oid> = f.args.iter().map(expr_type).collect();
        let name = self.func_name(f.funcid, &types, f.variadic)?;
        self.put(&format!("{name}("));
        for (i, a) in f.args.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            if f.variadic && i + 1 == f.args.len() {
                self.put("VARIADIC ");
            }
            self.expr(a, true)?;
        }
        self.put(")");
        Ok(())
    }

    /// Functions that SQL has its own syntax for; false if this call has none.
    fn sql_syntax(&mut self, f: &FuncExpr) -> Result<bool> {
        let p = self.ctx.catalog.proc_desc(f.funcid)?;
        let a = &f.args;
        match (p.name.as_str(), a.len()) {
            ("extract", 2) => {
                self.put("EXTRACT(");
                match &a[0] {
                    Expr::Const(c) if !c.value.is_null() => {
                        let t = c.value.as_ref().str().to_string();
                        self.put(&t);
                    }
                    e => self.expr(e, false)?,
                }
                self.put(" FROM ");
                self.expr(&a[1], false)?;
                self.put(")");
            }
            ("timezone", 2) => {
                self.put("(");
                self.wrapped(&a[1])?;
                self.put(" AT TIME ZONE ");
                self.wrapped(&a[0])?;
                self.put(")");
            }
            ("overlaps", 4) => {
                self.put("((");
                self.list(&a[..2], false)?;
                self.put(") OVERLAPS (");
                self.list(&a[2..], false)?;
                self.put("))");
            }
            ("position", 2) => {
                self.put("POSITION((");
                self.expr(&a[1], false)?;
                self.put(") IN (");
                self.expr(&a[0], false)?;
                self.put("))");
            }
            ("substring", 2 | 3) => {
                self.put("SUBSTRING(");
                self.expr(&a[0], false)?;
                self.put(" FROM ");
                self.expr(&a[1], false)?;
                if let Some(n) = a.get(2) {
                    self.put(" FOR ");
                    self.expr(n, false)?;
                }
                self.put(")");
            }
            ("overlay", 3 | 4) => {
                self.put("OVERLAY(");
                self.expr(&a[0], false)?;
                self.put(" PLACING ");
                self.expr(&a[1], false)?;
                self.put(" FROM ");
                self.expr(&a[2], false)?;
                if let Some(n) = a.get(3) {
                    self.put(" FOR ");
                    self.expr(n, false)?;
                }
                self.put(")");
            }
            ("btrim" | "ltrim" | "rtrim", 1 | 2) => {
                self.put(match p.name.as_str() {
                    "btrim" => "TRIM(BOTH",
                    "ltrim" => "TRIM(LEADING",
                    _ => "TRIM(TRAILING",
                });
                if let Some(c) = a.get(1) {
                    self.put(" ");
                    self.expr(c, false)?;
                }
                self.put(" FROM ");
                self.expr(&a[0], false)?;
                self.put(")");
            }
            ("pg_collation_for", 1) => {
                self.put("COLLATION FOR (");
                self.expr(&a[0], false)?;
                self.put(")");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An operand that brings parentheses where it is an operator expression.
    fn wrapped(&mut self, e: &Expr) -> Result<()> {
        let paren = self.pretty && matches!(e, Expr::Op(_) | Expr::Bool { .. } | Expr::Collate { .. });
        if paren {
            self.put("(");
        }
        self.expr(e, false)?;
        if paren {
            self.put(")");
        }
        Ok(())
    }

    pub(super) fn aggref(&mut self, a: &Aggref) -> Result<()> {
        let name = self.func_name(a.aggfnoid, &a.arg_types, a.variadic)?;
        self.put(match a.split {
            AggSplit::Partial => "PARTIAL ",
            _ => "",
        });
        self.put(&format!("{name}("));
        if !a.distinct.is_empty() {
            self.put("DISTINCT ");
        }
        if a.star {
            self.put("*");
        }
        if a.kind != b'n' {
            for (i, e) in a.direct_args.iter().enumerate() {
                if i > 0 {
                    self.put(", ");
                }
                self.expr(e, true)?;
            }
            self.put(") WITHIN GROUP (ORDER BY ");
            self.order_by(&a.order, &a.args, false)?;
            self.put(")");
            return self.filter(a.filter.as_deref());
        }
        let args: Vec<&TargetEntry> = a.args.iter().filter(|t| !t.junk).collect();
        for (i, t) in args.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            if a.variadic && i + 1 == args.len() {
                self.put("VARIADIC ");
            }
            self.expr(&t.expr, true)?;
        }
        if !a.order.is_empty() {
            self.put(" ORDER BY ");
            self.order_by(&a.order, &a.args, false)?;
        }
        self.put(")");
        self.filter(a.filter.as_deref())
    }

    fn filter(&mut self, f: Option<&Expr>) -> Result<()> {
        if let Some(f) = f {
            self.put(" FILTER (WHERE ");
            self.expr(f, false)?;
            self.put(")");
        }
        Ok(())
    }

    pub(super) fn window_func(&mut self, w: &WindowFunc) -> Result<()> {
        let types: Vec<Oid> = w.args.iter().map(expr_type).collect();
        let name = self.func_name(w.winfnoid, &types, false)?;
        self.put(&format!("{name}("));
        if w.star {
            self.put("*");
        }
        self.list(&w.args, true)?;
        self.put(")");
        self.filter(w.filter.as_deref())?;
        self.put(" OVER ");
        let scope = self.scopes.last().cloned().unwrap_or_default();
        match scope.windows.iter().find(|c| c.winref == w.winref) {
            Some(c) => match &c.name {
                Some(n) => self.put(&quote_ident(n)),
                None => self.window_spec(c, &scope.targets)?,
            },
            // In a plan the window is the node's own.
            None => self.put("(?)"),
        }
        Ok(())
    }
}
