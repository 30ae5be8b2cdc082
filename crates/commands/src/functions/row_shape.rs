//! Columns of composite types, for functions of `types` that build or read rows by name (`to_json`, `json_populate_record`).

use super::env;
use common::{Oid, Result};
use types::registry::{ROW_SHAPE, RowColumn};
use types::{CallCtx, FnImpl};

/// One entry, under the OID no function has.
pub static TABLE: &[(u32, FnImpl)] = &[(ROW_SHAPE.0, FnImpl::RowShape(shape))];

fn shape(c: &CallCtx<'_>, type_oid: Oid) -> Result<Vec<RowColumn>> {
    // Of a range, the column stands for its bounds.
    if let Some(f) = env(c)?.catalog.range_family(type_oid)? {
        return Ok(vec![RowColumn { name: String::new(), type_oid: f.subtype, typmod: -1 }]);
    }
    let desc = env(c)?.catalog.composite_desc(type_oid)?;
    let column = |a: &types::Attribute| RowColumn {
        name: a.name.clone(),
        type_oid: if a.dropped { Oid::INVALID } else { a.type_oid },
        typmod: a.typmod,
    };
    Ok(desc.attrs.iter().map(column).collect())
}
