//! Type names and relation names.

use super::Deparser;
use crate::ast::{Alias, FuncColumnDef, RangeVar, TypeName};

impl Deparser {
    pub(super) fn type_name(&mut self, t: &TypeName) {
        if t.setof {
            self.push("SETOF ");
        }
        self.names(&t.names);
        if t.pct_type {
            self.push("%TYPE");
        }
        if !t.typmods.is_empty() {
            self.push("(");
            self.exprs(&t.typmods);
            self.push(")");
        }
        for bound in &t.array_bounds {
            if *bound < 0 {
                self.push("[]");
            } else {
                self.push(&format!("[{bound}]"));
            }
        }
    }

    /// The relation without its alias.
    pub(super) fn relation_name(&mut self, r: &RangeVar) {
        if !r.inh {
            self.push("ONLY ");
        }
        for part in [&r.catalogname, &r.schemaname].into_iter().flatten() {
            self.ident(part);
            self.push(".");
        }
        self.ident(&r.relname);
    }

    pub(super) fn relation(&mut self, r: &RangeVar) {
        self.relation_name(r);
        self.alias(r.alias.as_ref());
    }

    pub(super) fn alias(&mut self, alias: Option<&Alias>) {
        if let Some(a) = alias {
            self.push(" AS ");
            self.ident(&a.aliasname);
            if !a.colnames.is_empty() {
                self.push(" ");
                self.paren_names(&a.colnames);
            }
        }
    }

    pub(super) fn column_definitions(&mut self, columns: &[FuncColumnDef]) {
        self.push("(");
        self.list(columns, |d, c| {
            d.ident(&c.colname);
            d.push(" ");
            d.type_name(&c.type_name);
            if let Some(collation) = &c.coll_clause {
                d.push(" COLLATE ");
                d.names(&collation.collname);
            }
        });
        self.push(")");
    }
}
