//! Function calls, ordinary and with a syntax of their own; windows; SQL/XML.

use super::Deparser;
use super::expr::xml_option;
use crate::ast::*;

impl Deparser {
    pub(super) fn call(&mut self, f: &FuncCall) {
        if f.funcformat == CoercionForm::SqlSyntax && self.special_call(f) {
            return;
        }
        self.names(&f.funcname);
        self.push("(");
        if f.agg_star {
            self.push("*");
        }
        if f.agg_distinct {
            self.push("DISTINCT ");
        }
        let last = f.args.len().saturating_sub(1);
        for (i, arg) in f.args.iter().enumerate() {
            self.push(if i > 0 { ", " } else { "" });
            self.push(if f.func_variadic && i == last { "VARIADIC " } else { "" });
            self.expr(arg);
        }
        if !f.agg_order.is_empty() && !f.agg_within_group {
            self.push(" ");
            self.order_by(&f.agg_order);
        }
        self.push(")");
        if f.agg_within_group {
            self.push(" WITHIN GROUP (");
            self.order_by(&f.agg_order);
            self.push(")");
        }
        if let Some(filter) = &f.agg_filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter);
            self.push(")");
        }
        if let Some(over) = &f.over {
            self.push(" OVER ");
            match &over.name {
                Some(name) => self.ident(name),
                None => self.window(over),
            }
        }
    }

    /// True if the call was written.
    fn special_call(&mut self, f: &FuncCall) -> bool {
        let name = f.funcname.last().map_or("", String::as_str);
        match (name, f.args.as_slice()) {
            ("timezone", [zone, value]) => self.infix(value, " AT TIME ZONE ", zone),
            ("extract", [Expr::AConst(AConst { val: Value::String(field), .. }), source]) => {
                self.push("EXTRACT(");
                self.literal(field);
                self.push(" FROM ");
                self.expr(source);
                self.push(")");
            }
            ("overlay", args) => self.worded("OVERLAY(", args, &["", " PLACING ", " FROM ", " FOR "]),
            ("position", [hay, needle]) => {
                self.push("POSITION((");
                self.expr(needle);
                self.push(") IN (");
                self.expr(hay);
                self.push("))");
            }
            ("substring", [text, start, count]) if is_for_only(start, count) => {
                self.push("SUBSTRING(");
                self.expr(text);
                self.push(" FOR ");
                if let Expr::TypeCast(cast) = count {
                    self.expr(&cast.arg);
                }
                self.push(")");
            }
            ("substring", args) => self.worded("SUBSTRING(", args, &["", " FROM ", " FOR "]),
            ("btrim" | "ltrim" | "rtrim", args) => {
                self.push(match name {
                    "btrim" => "TRIM(BOTH FROM ",
                    "ltrim" => "TRIM(LEADING FROM ",
                    _ => "TRIM(TRAILING FROM ",
                });
                self.exprs(args);
                self.push(")");
            }
            ("normalize", [text, Expr::AConst(AConst { val: Value::String(form), .. })]) => {
                self.push("NORMALIZE(");
                self.expr(text);
                self.push(", ");
                self.push(form);
                self.push(")");
            }
            ("normalize", [text]) => self.worded("NORMALIZE(", std::slice::from_ref(text), &[""]),
            ("is_normalized", [text, rest @ ..]) => {
                self.push("(");
                self.expr(text);
                self.push(" IS ");
                if let [Expr::AConst(AConst { val: Value::String(form), .. })] = rest {
                    self.push(form);
                    self.push(" ");
                }
                self.push("NORMALIZED)");
            }
            ("overlaps", [a, b, c, d]) => {
                self.push("(ROW(");
                self.list(&[a, b], |p, e| p.expr(e));
                self.push(") OVERLAPS ROW(");
                self.list(&[c, d], |p, e| p.expr(e));
                self.push("))");
            }
            ("pg_collation_for", [arg]) => self.worded("COLLATION FOR (", std::slice::from_ref(arg), &[""]),
            ("xmlexists", [path, document]) => {
                self.push("XMLEXISTS((");
                self.expr(path);
                self.push(") PASSING (");
                self.expr(document);
                self.push("))");
            }
            _ => return false,
        }
        true
    }

    fn infix(&mut self, left: &Expr, word: &str, right: &Expr) {
        self.push("(");
        self.expr(left);
        self.push(word);
        self.expr(right);
        self.push(")");
    }

    /// Arguments with words before them, and the closing parenthesis.
    fn worded(&mut self, open: &str, args: &[Expr], words: &[&str]) {
        self.push(open);
        for (arg, word) in args.iter().zip(words) {
            self.push(word);
            self.expr(arg);
        }
        self.push(")");
    }

    pub(super) fn order_by(&mut self, items: &[SortBy]) {
        self.push("ORDER BY ");
        self.list(items, |d, s| {
            d.expr(&s.node);
            match s.sortby_dir {
                SortByDir::Default => {}
                SortByDir::Asc => d.push(" ASC"),
                SortByDir::Desc => d.push(" DESC"),
                SortByDir::Using => {
                    d.push(" USING ");
                    d.operator_name(&s.use_op);
                }
            }
            d.nulls(s.sortby_nulls);
        });
    }

    pub(super) fn nulls(&mut self, nulls: SortByNulls) {
        self.push(match nulls {
            SortByNulls::Default => "",
            SortByNulls::First => " NULLS FIRST",
            SortByNulls::Last => " NULLS LAST",
        });
    }

    /// `(…)` of a window.
    pub(super) fn window(&mut self, w: &WindowDef) {
        self.push("(");
        if let Some(base) = &w.refname {
            self.push(&format!("\"{}\" ", base.replace('"', "\"\"")));
        }
        if !w.partition_clause.is_empty() {
            self.push("PARTITION BY ");
            self.exprs(&w.partition_clause);
            self.push(" ");
        }
        if !w.order_clause.is_empty() {
            self.order_by(&w.order_clause);
            self.push(" ");
        }
        if let Some(frame) = &w.frame {
            self.frame(frame);
        }
        self.push(")");
    }

    fn frame(&mut self, f: &WindowFrame) {
        self.push(match f.mode {
            FrameMode::Range => "RANGE ",
            FrameMode::Rows => "ROWS ",
            FrameMode::Groups => "GROUPS ",
        });
        if f.between {
            self.push("BETWEEN ");
        }
        self.frame_bound(&f.start);
        if f.between {
            self.push(" AND ");
            self.frame_bound(&f.end);
        }
        self.push(match f.exclusion {
            None => "",
            Some(FrameExclusion::NoOthers) => " EXCLUDE NO OTHERS",
            Some(FrameExclusion::CurrentRow) => " EXCLUDE CURRENT ROW",
            Some(FrameExclusion::Group) => " EXCLUDE GROUP",
            Some(FrameExclusion::Ties) => " EXCLUDE TIES",
        });
    }

    fn frame_bound(&mut self, b: &FrameBound) {
        match b {
            FrameBound::UnboundedPreceding => self.push("UNBOUNDED PRECEDING"),
            FrameBound::CurrentRow => self.push("CURRENT ROW"),
            FrameBound::UnboundedFollowing => self.push("UNBOUNDED FOLLOWING"),
            FrameBound::OffsetPreceding(e) => {
                self.expr(e);
                self.push(" PRECEDING");
            }
            FrameBound::OffsetFollowing(e) => {
                self.expr(e);
                self.push(" FOLLOWING");
            }
        }
    }

    pub(super) fn xml(&mut self, x: &XmlExpr) {
        match x.op {
            XmlExprOp::Concat => self.keyword_call("XMLCONCAT", &x.args),
            XmlExprOp::Element => {
                self.push("XMLELEMENT(NAME ");
                self.ident(x.name.as_deref().unwrap_or(""));
                if !x.named_args.is_empty() {
                    self.push(", XMLATTRIBUTES(");
                    self.labelled(&x.named_args);
                    self.push(")");
                }
                for arg in &x.args {
                    self.push(", ");
                    self.expr(arg);
                }
                self.push(")");
            }
            XmlExprOp::Forest => {
                self.push("XMLFOREST(");
                self.labelled(&x.named_args);
                self.push(")");
            }
            XmlExprOp::Parse => {
                self.push("XMLPARSE(");
                self.push(xml_option(x.xmloption));
                self.exprs(&x.args);
                self.push(if x.preserve_whitespace { " PRESERVE WHITESPACE)" } else { ")" });
            }
            XmlExprOp::Pi => {
                self.push("XMLPI(NAME ");
                self.ident(x.name.as_deref().unwrap_or(""));
                for arg in &x.args {
                    self.push(", ");
                    self.expr(arg);
                }
                self.push(")");
            }
            XmlExprOp::Root => {
                self.push("XMLROOT(");
                for (arg, word) in x.args.iter().zip(["", ", VERSION "]) {
                    self.push(word);
                    match arg {
                        Expr::AConst(AConst { val: Value::Null, .. }) if !word.is_empty() => {
                            self.push("NO VALUE")
                        }
                        arg => self.expr(arg),
                    }
                }
                self.push(match x.standalone {
                    Some(XmlStandalone::Yes) => ", STANDALONE YES)",
                    Some(XmlStandalone::No) => ", STANDALONE NO)",
                    Some(XmlStandalone::NoValue) => ", STANDALONE NO VALUE)",
                    _ => ")",
                });
            }
            XmlExprOp::IsDocument => {
                self.push("(");
                self.exprs(&x.args);
                self.push(" IS DOCUMENT)");
            }
        }
    }

    /// `value AS name, …`
    pub(super) fn labelled(&mut self, items: &[ResTarget]) {
        self.list(items, |d, t| {
            d.opt_expr(t.val.as_ref());
            if let Some(name) = &t.name {
                d.push(" AS ");
                d.ident(name);
            }
        });
    }
}

/// `SUBSTRING(x FOR n)` has become a start of 1 and a count cast to int4.
fn is_for_only(start: &Expr, count: &Expr) -> bool {
    let one = matches!(start, Expr::AConst(AConst { val: Value::Integer(1), .. }));
    let cast = matches!(count, Expr::TypeCast(c) if c.type_name.names == ["pg_catalog", "int4"]);
    one && cast
}
