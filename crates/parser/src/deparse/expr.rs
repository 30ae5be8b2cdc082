//! Expressions except calls.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn expr(&mut self, e: &Expr) {
        match e {
            Expr::ColumnRef(c) => self.column_ref(c),
            Expr::ParamRef(p) => self.push(&format!("${}", p.number)),
            Expr::AConst(c) => self.constant(&c.val),
            Expr::AExpr(a) => self.operator(a),
            Expr::BoolExpr(b) => self.bool_expr(b),
            Expr::NullTest(t) => {
                let test = match t.nulltesttype {
                    NullTestType::IsNull => "IS NULL",
                    NullTestType::IsNotNull => "IS NOT NULL",
                };
                self.postfix(&t.arg, test);
            }
            Expr::BooleanTest(t) => {
                let test = match t.booltesttype {
                    BoolTestType::IsTrue => "IS TRUE",
                    BoolTestType::IsNotTrue => "IS NOT TRUE",
                    BoolTestType::IsFalse => "IS FALSE",
                    BoolTestType::IsNotFalse => "IS NOT FALSE",
                    BoolTestType::IsUnknown => "IS UNKNOWN",
                    BoolTestType::IsNotUnknown => "IS NOT UNKNOWN",
                };
                self.postfix(&t.arg, test);
            }
            Expr::TypeCast(c) => {
                self.push("CAST(");
                self.expr(&c.arg);
                self.push(" AS ");
                self.type_name(&c.type_name);
                self.push(")");
            }
            Expr::CollateClause(c) => {
                self.push("(");
                if let Some(arg) = &c.arg {
                    self.expr(arg);
                }
                self.push(" COLLATE ");
                self.names(&c.collname);
                self.push(")");
            }
            Expr::FuncCall(f) => self.call(f),
            Expr::NamedArgExpr(n) => {
                self.ident(&n.name);
                self.push(" => ");
                self.expr(&n.arg);
            }
            Expr::SubLink(s) => self.sub_link(s),
            Expr::CaseExpr(c) => self.case(c),
            Expr::CoalesceExpr(c) => self.keyword_call("COALESCE", &c.args),
            Expr::MinMaxExpr(m) => {
                let name = if m.op == MinMaxOp::Greatest { "GREATEST" } else { "LEAST" };
                self.keyword_call(name, &m.args);
            }
            Expr::SQLValueFunction(f) => self.value_function(f),
            Expr::AArrayExpr(a) => self.keyword_brackets(a),
            Expr::RowExpr(r) => {
                self.push(if r.explicit { "ROW(" } else { "(" });
                self.exprs(&r.args);
                self.push(")");
            }
            Expr::AIndirection(a) => {
                self.push("(");
                self.expr(&a.arg);
                self.push(")");
                self.indirection(&a.indirection);
            }
            Expr::GroupingFunc(g) => self.keyword_call("GROUPING", &g.args),
            Expr::CurrentOfExpr(c) => {
                self.push("CURRENT OF ");
                self.ident(&c.cursor_name);
            }
            Expr::XmlExpr(x) => self.xml(x),
            Expr::XmlSerialize(x) => {
                self.push("XMLSERIALIZE(");
                self.push(xml_option(x.xmloption));
                self.expr(&x.expr);
                self.push(" AS ");
                self.type_name(&x.type_name);
                self.push(")");
            }
            Expr::SetToDefault(_) => self.push("DEFAULT"),
            Expr::MultiAssignRef(m) => {
                if let Some(source) = &m.source {
                    self.expr(source);
                }
            }
        }
    }

    fn column_ref(&mut self, c: &ColumnRef) {
        for (i, field) in c.fields.iter().enumerate() {
            if i > 0 {
                self.push(".");
            }
            match field {
                Field::Name(name) => self.ident(name),
                Field::Star => self.push("*"),
            }
        }
    }

    pub(super) fn constant(&mut self, v: &Value) {
        match v {
            Value::Integer(n) if *n < 0 => self.push(&format!("({n})")),
            Value::Integer(n) => self.push(&n.to_string()),
            Value::Float(text) if text.starts_with('-') => self.push(&format!("({text})")),
            Value::Float(text) => self.push(text),
            Value::String(s) => self.literal(s),
            Value::BitString(s) => {
                let (prefix, digits) = s.split_at(1);
                self.push(&format!("{prefix}'{digits}'"));
            }
            Value::Boolean(b) => self.push(if *b { "TRUE" } else { "FALSE" }),
            Value::Null => self.push("NULL"),
        }
    }

    fn postfix(&mut self, arg: &Expr, test: &str) {
        self.push("(");
        self.expr(arg);
        self.push(" ");
        self.push(test);
        self.push(")");
    }

    /// The operator, in the OPERATOR notation when it has a schema.
    pub(super) fn operator_name(&mut self, name: &[String]) {
        match name {
            [only] => self.push(only),
            [schema @ .., last] => {
                self.push("OPERATOR(");
                self.names(schema);
                self.push(".");
                self.push(last);
                self.push(")");
            }
            [] => {}
        }
    }

    fn operator(&mut self, a: &AExpr) {
        if a.kind == AExprKind::NullIf {
            self.push("NULLIF(");
            self.both_sides(a, ", ");
            self.push(")");
            return;
        }
        self.push("(");
        let negated = a.name.last().is_some_and(|n| n.starts_with('!') || n == "<>");
        let not = if negated { " NOT" } else { "" };
        match a.kind {
            AExprKind::Op => {
                if let Some(left) = &a.lexpr {
                    self.expr(left);
                    self.push(" ");
                }
                self.operator_name(&a.name);
                self.push(" ");
                self.opt_expr(a.rexpr.as_ref());
            }
            AExprKind::OpAny | AExprKind::OpAll => {
                self.opt_expr(a.lexpr.as_ref());
                self.push(" ");
                self.operator_name(&a.name);
                self.push(if a.kind == AExprKind::OpAny { " ANY (" } else { " ALL (" });
                self.opt_expr(a.rexpr.as_ref());
                self.push(")");
            }
            AExprKind::Distinct => self.both_sides(a, " IS DISTINCT FROM "),
            AExprKind::NotDistinct => self.both_sides(a, " IS NOT DISTINCT FROM "),
            AExprKind::In => {
                self.opt_expr(a.lexpr.as_ref());
                self.push(&format!("{not} IN ("));
                self.exprs(&a.list);
                self.push(")");
            }
            AExprKind::Like => self.both_sides(a, &format!("{not} LIKE ")),
            AExprKind::ILike => self.both_sides(a, &format!("{not} ILIKE ")),
            AExprKind::Similar => {
                self.opt_expr(a.lexpr.as_ref());
                self.push(&format!("{not} SIMILAR TO "));
                if let Some(Expr::FuncCall(f)) = &a.rexpr {
                    for (i, arg) in f.args.iter().enumerate() {
                        self.push(if i > 0 { " ESCAPE " } else { "" });
                        self.expr(arg);
                    }
                }
            }
            AExprKind::Between | AExprKind::NotBetween | AExprKind::BetweenSym | AExprKind::NotBetweenSym => {
                self.opt_expr(a.lexpr.as_ref());
                self.push(" ");
                self.push(a.name.first().map_or("", String::as_str));
                for (i, bound) in a.list.iter().enumerate() {
                    self.push(if i > 0 { " AND " } else { " " });
                    self.expr(bound);
                }
            }
            AExprKind::NullIf => {}
        }
        self.push(")");
    }

    fn both_sides(&mut self, a: &AExpr, between: &str) {
        self.opt_expr(a.lexpr.as_ref());
        self.push(between);
        self.opt_expr(a.rexpr.as_ref());
    }

    pub(super) fn opt_expr(&mut self, e: Option<&Expr>) {
        if let Some(e) = e {
            self.expr(e);
        }
    }

    fn bool_expr(&mut self, b: &BoolExpr) {
        self.push("(");
        let word = match b.boolop {
            BoolExprType::And => " AND ",
            BoolExprType::Or => " OR ",
            BoolExprType::Not => {
                self.push("NOT ");
                ""
            }
        };
        for (i, arg) in b.args.iter().enumerate() {
            self.push(if i > 0 { word } else { "" });
            self.expr(arg);
        }
        self.push(")");
    }

    fn sub_link(&mut self, s: &SubLink) {
        match s.sub_link_type {
            SubLinkType::Exists => self.push("EXISTS "),
            SubLinkType::Array => self.push("ARRAY"),
            SubLinkType::Expr => {}
            SubLinkType::Any | SubLinkType::All => {
                self.push("(");
                self.opt_expr(s.testexpr.as_ref());
                if s.oper_name.is_empty() {
                    self.push(" IN ");
                } else {
                    self.push(" ");
                    self.operator_name(&s.oper_name);
                    self.push(if s.sub_link_type == SubLinkType::Any { " ANY " } else { " ALL " });
                }
            }
        }
        self.push("(");
        self.select(&s.subselect);
        self.push(")");
        if matches!(s.sub_link_type, SubLinkType::Any | SubLinkType::All) {
            self.push(")");
        }
    }

    fn case(&mut self, c: &CaseExpr) {
        self.push("CASE");
        if let Some(arg) = &c.arg {
            self.push(" ");
            self.expr(arg);
        }
        for when in &c.args {
            self.push(" WHEN ");
            self.expr(&when.expr);
            self.push(" THEN ");
            self.expr(&when.result);
        }
        if let Some(result) = &c.defresult {
            self.push(" ELSE ");
            self.expr(result);
        }
        self.push(" END");
    }

    pub(super) fn keyword_call(&mut self, name: &str, args: &[Expr]) {
        self.push(name);
        self.push("(");
        self.exprs(args);
        self.push(")");
    }

    fn value_function(&mut self, f: &SQLValueFunction) {
        use SQLValueFunctionOp as Op;
        self.push(match f.op {
            Op::CurrentDate => "CURRENT_DATE",
            Op::CurrentTime => "CURRENT_TIME",
            Op::CurrentTimestamp => "CURRENT_TIMESTAMP",
            Op::LocalTime => "LOCALTIME",
            Op::LocalTimestamp => "LOCALTIMESTAMP",
            Op::CurrentRole => "CURRENT_ROLE",
            Op::CurrentUser => "CURRENT_USER",
            Op::User => "USER",
            Op::SessionUser => "SESSION_USER",
            Op::CurrentCatalog => "CURRENT_CATALOG",
            Op::CurrentSchema => "CURRENT_SCHEMA",
        });
        if let Some(typmod) = f.typmod {
            self.push(&format!("({typmod})"));
        }
    }

    /// Brackets inside brackets are arrays as much as with ARRAY before them.
    fn keyword_brackets(&mut self, a: &AArrayExpr) {
        self.push("ARRAY[");
        self.exprs(&a.elements);
        self.push("]");
    }

    pub(super) fn indirection(&mut self, steps: &[Indirection]) {
        for step in steps {
            match step {
                Indirection::Field(name) => {
                    self.push(".");
                    self.ident(name);
                }
                Indirection::Star => self.push(".*"),
                Indirection::Index(e) => {
                    self.push("[");
                    self.expr(e);
                    self.push("]");
                }
                Indirection::Slice { lower, upper } => {
                    self.push("[");
                    self.opt_expr(lower.as_ref());
                    self.push(":");
                    self.opt_expr(upper.as_ref());
                    self.push("]");
                }
            }
        }
    }
}

/// DOCUMENT or CONTENT with a space behind it.
pub(super) fn xml_option(option: XmlOption) -> &'static str {
    match option {
        XmlOption::Document => "DOCUMENT ",
        XmlOption::Content => "CONTENT ",
    }
}
