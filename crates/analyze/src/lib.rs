//! Name and type resolution: raw parse tree → [`query::Query`], rewriting (views), and deparsing back to SQL.
//! The session loop and `commands` call [`analyze`] and [`rewrite`]; DDL calls [`transform_expr_for`].
#![forbid(unsafe_code)]

mod agg;
pub mod clause;
pub mod coerce;
mod collation;
pub mod compare;
mod cte;
mod cte_order;
pub mod cte_search;
pub mod ctx;
pub mod deparse;
mod dml;
pub mod expr;
mod expr_transform;
mod frame;
mod from;
pub mod func;
pub mod grouping;
pub mod info;
pub mod jumble;
mod kind;
pub mod names;
pub mod oper;
mod ordered_set;
pub mod polymorphic;
pub mod query;
mod record;
pub mod rewrite;
pub mod routine;
mod rte;
pub mod scope;
pub mod select;
mod stand_alone;
mod statement;
pub mod target;
pub mod typename;
pub mod walk;

/// How a catalog descriptor is held.
pub(crate) type CatRef<T> = catalog::Ref<T>;

pub use ctx::{
    AnalyzeCtx, Analyzed, ExprContext, ExprRel, ExprTarget, FunctionParams, OutputColumn, ParamTypes,
};
pub use typename::{format_type, format_type_short, resolve_type_name};

use common::{Error, Result};
use query::Query;

pub use agg::flatten_join_vars;
pub use collation::lookup_collation;
pub use deparse::body_to_sql;
pub use deparse::{
    ExprStyle, expr_to_sql, expr_to_sql_styled, query_to_sql, query_to_sql_styled, view_to_sql,
};
pub use rewrite::{column_default, not_updatable, rewrite, rewrite_in_place};
pub use stand_alone::{coerce_for_assignment, transform_domain_check, transform_expr_for};
pub use statement::{analyze, analyze_select, select_into};
pub use target::{figure_index_name, figure_name};

/// The text stored in a catalog for an expression.
pub fn store_expr<T: serde::Serialize>(e: &T) -> Result<String> {
    serde_json::to_string(e).map_err(|e| Error::internal(format!("could not store expression: {e}")))
}

/// Reads back what [`store_expr`] wrote.
pub fn load_expr<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    let mut d = serde_json::Deserializer::from_str(text);
    // Trees nest deeper than the default limit; what is read was written by us from a tree that fitted the stack.
    d.disable_recursion_limit();
    T::deserialize(&mut d).map_err(|e| Error::internal(format!("could not read stored expression: {e}")))
}

/// A tree stored in a descriptor, read at its first use.
pub fn load_stored<T: serde::de::DeserializeOwned + 'static>(
    stored: &catalog::stored_tree::StoredTree,
) -> Result<std::rc::Rc<T>> {
    stored.read(load_expr)
}

/// The columns a query returns (RETURNING's for data-modifying ones), junk left out.
pub fn output_columns(query: &Query) -> Vec<OutputColumn> {
    let list = match query.command {
        query::CmdType::Select => &query.target_list,
        _ => &query.returning,
    };
    list.iter()
        .filter(|t| !t.junk)
        .map(|t| OutputColumn {
            name: t.name.clone().unwrap_or_else(|| "?column?".into()),
            type_oid: info::expr_type(&t.expr),
            typmod: info::expr_typmod(&t.expr),
            collation: info::expr_collation(&t.expr),
            orig_table: t.orig.0,
            orig_attno: t.orig.1,
        })
        .collect()
}
