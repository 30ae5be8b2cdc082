//! Items of FROM.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn from(&mut self, word: &str, items: &[TableExpr]) {
        if !items.is_empty() {
            self.push(word);
            self.list(items, Self::table_expr);
        }
    }

    pub(super) fn table_expr(&mut self, t: &TableExpr) {
        match t {
            TableExpr::RangeVar(r) => self.relation(r),
            TableExpr::RangeSubselect(s) => {
                self.push(if s.lateral { "LATERAL (" } else { "(" });
                self.select(&s.subquery);
                self.push(")");
                self.alias(s.alias.as_ref());
            }
            TableExpr::RangeFunction(f) => self.range_function(f),
            TableExpr::RangeTableFunc(f) => self.xml_table(f),
            TableExpr::JoinExpr(j) => self.join(j),
            TableExpr::RangeTableSample(s) => {
                self.relation(&s.relation);
                self.push(" TABLESAMPLE ");
                self.names(&s.method);
                self.push("(");
                self.exprs(&s.args);
                self.push(")");
                if let Some(seed) = &s.repeatable {
                    self.push(" REPEATABLE (");
                    self.expr(seed);
                    self.push(")");
                }
            }
        }
    }

    fn range_function(&mut self, f: &RangeFunction) {
        if f.lateral {
            self.push("LATERAL ");
        }
        if f.is_rowsfrom {
            self.push("ROWS FROM (");
        }
        self.list(&f.functions, |d, item| {
            d.expr(&item.func);
            if !item.coldeflist.is_empty() {
                d.push(" AS ");
                d.column_definitions(&item.coldeflist);
            }
        });
        if f.is_rowsfrom {
            self.push(")");
        }
        if f.ordinality {
            self.push(" WITH ORDINALITY");
        }
        self.alias(f.alias.as_ref());
        if !f.coldeflist.is_empty() {
            self.push(if f.alias.is_none() { " AS " } else { " " });
            self.column_definitions(&f.coldeflist);
        }
    }

    fn join(&mut self, j: &JoinExpr) {
        self.push("(");
        self.table_expr(&j.larg);
        if j.is_natural {
            self.push(" NATURAL");
        }
        let cross = !j.is_natural && j.quals.is_none() && j.using_clause.is_empty();
        self.push(match j.jointype {
            JoinType::Inner if cross => " CROSS JOIN ",
            JoinType::Inner => " JOIN ",
            JoinType::Left => " LEFT JOIN ",
            JoinType::Full => " FULL JOIN ",
            JoinType::Right => " RIGHT JOIN ",
        });
        self.table_expr(&j.rarg);
        if !j.using_clause.is_empty() {
            self.push(" USING ");
            self.paren_names(&j.using_clause);
            if let Some(alias) = &j.join_using_alias {
                self.push(" AS ");
                self.ident(&alias.aliasname);
            }
        }
        self.condition(" ON ", j.quals.as_ref());
        self.push(")");
        self.alias(j.alias.as_ref());
    }

    fn xml_table(&mut self, t: &RangeTableFunc) {
        self.push(if t.lateral { "LATERAL XMLTABLE(" } else { "XMLTABLE(" });
        if !t.namespaces.is_empty() {
            self.push("XMLNAMESPACES(");
            self.list(&t.namespaces, |d, n| {
                if n.name.is_none() {
                    d.push("DEFAULT ");
                }
                d.opt_expr(n.val.as_ref());
                if let Some(name) = &n.name {
                    d.push(" AS ");
                    d.ident(name);
                }
            });
            self.push("), ");
        }
        self.push("(");
        self.expr(&t.rowexpr);
        self.push(") PASSING (");
        self.expr(&t.docexpr);
        self.push(") COLUMNS ");
        self.list(&t.columns, |d, c| {
            d.ident(&c.colname);
            if c.for_ordinality {
                d.push(" FOR ORDINALITY");
            }
            if let Some(type_name) = &c.type_name {
                d.push(" ");
                d.type_name(type_name);
            }
            d.condition(" PATH ", c.colexpr.as_ref());
            d.condition(" DEFAULT ", c.coldefexpr.as_ref());
            if c.is_not_null {
                d.push(" NOT NULL");
            }
        });
        self.push(")");
        self.alias(t.alias.as_ref());
    }
}
