//! Roles: membership and attributes.

use catalog::Catalog;
use common::{Oid, Result};

/// Is `member` the role itself, or a direct or indirect member of it?
pub fn is_member(_catalog: &Catalog, member: Oid, role: Oid) -> Result<bool> {
    Ok(member == role)
}
