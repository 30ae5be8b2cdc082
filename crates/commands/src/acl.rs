//! Access control lists: `aclitem` arrays, their defaults, and the question who may do what. An item is 12 bytes:
//! grantee (0 = PUBLIC), grantor, and a word with privileges in the low half and grant options in the high half.

use catalog::{Catalog, literal};
use common::{Oid, Result};
use types::{Datum, oids};

pub const INSERT: u32 = 1;
pub const SELECT: u32 = 2;
pub const UPDATE: u32 = 4;
pub const DELETE: u32 = 8;
pub const TRUNCATE: u32 = 16;
pub const REFERENCES: u32 = 32;
pub const TRIGGER: u32 = 64;
pub const EXECUTE: u32 = 128;
pub const USAGE: u32 = 256;
pub const CREATE: u32 = 512;
pub const TEMP: u32 = 1024;
pub const CONNECT: u32 = 2048;
pub const SET: u32 = 4096;
pub const ALTER_SYSTEM: u32 = 8192;

pub const ALL_TABLE: u32 = 127;
pub const ALL_COLUMN: u32 = INSERT | SELECT | UPDATE | REFERENCES;
pub const ALL_SEQUENCE: u32 = USAGE | SELECT | UPDATE;
pub const ALL_DATABASE: u32 = CREATE | TEMP | CONNECT;
pub const ALL_SCHEMA: u32 = USAGE | CREATE;

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclItem {
    /// Invalid: PUBLIC.
    pub grantee: Oid,
    pub grantor: Oid,
    /// Privileges.
    pub privs: u32,
    /// Of these, the grantee may grant on.
    pub goptions: u32,
}

/// What an ACL is about; decides what NULL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclKind {
    Table,
    Sequence,
    Column,
    Database,
    Schema,
    Function,
    Type,
    Language,
    LargeObject,
}

impl AclKind {
    /// Everything that can be granted.
    pub fn all(self) -> u32 {
        match self {
            AclKind::Table => ALL_TABLE,
            AclKind::Sequence => ALL_SEQUENCE,
            AclKind::Column => ALL_COLUMN,
            AclKind::Database => ALL_DATABASE,
            AclKind::Schema => ALL_SCHEMA,
            AclKind::Function => EXECUTE,
            AclKind::Type | AclKind::Language => USAGE,
            AclKind::LargeObject => SELECT | UPDATE,
        }
    }
    /// What PUBLIC has by default.
    pub fn public(self) -> u32 {
        match self {
            AclKind::Database => TEMP | CONNECT,
            AclKind::Function => EXECUTE,
            AclKind::Type | AclKind::Language => USAGE,
            _ => 0,
        }
    }
    /// The list a NULL stands for.
    pub fn default_list(self, owner: Oid) -> Vec<AclItem> {
        let mut out = Vec::new();
        if self.public() != 0 {
            let public = self.public();
            out.push(AclItem { grantee: Oid::INVALID, grantor: owner, privs: public, goptions: 0 });
        }
        if self != AclKind::Column {
            out.push(AclItem { grantee: owner, grantor: owner, privs: self.all(), goptions: 0 });
        }
        out
    }
}

/// Reads an `aclitem[]` value.
pub fn parse(bytes: &[u8]) -> Vec<AclItem> {
    let word = |b: &[u8], at: usize| -> u32 {
        b.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    };
    literal::array_items(bytes)
        .iter()
        .filter_map(|d| match d {
            Datum::Bytes(b) if b.len() == 12 => Some(AclItem {
                grantee: Oid(word(b, 0)),
                grantor: Oid(word(b, 4)),
                privs: word(b, 8) & 0xFFFF,
                goptions: word(b, 8) >> 16,
            }),
            _ => None,
        })
        .collect()
}

/// Makes an `aclitem[]` value.
pub fn format(items: &[AclItem]) -> Datum {
    let items: Vec<Datum> = items
        .iter()
        .map(|i| {
            let mut b = [0u8; 12];
            b[0..4].copy_from_slice(&i.grantee.0.to_le_bytes());
            b[4..8].copy_from_slice(&i.grantor.0.to_le_bytes());
            b[8..12].copy_from_slice(&(i.privs | i.goptions << 16).to_le_bytes());
            Datum::bytes(&b)
        })
        .collect();
    literal::make_array(oids::ACLITEM, &items, 1)
}

/// The list in force: the stored one, or the default.
pub fn effective(kind: AclKind, stored: Option<&[u8]>, owner: Oid) -> Vec<AclItem> {
    match stored {
        Some(b) => parse(b),
        None => kind.default_list(owner),
    }
}

/// Which of the privileges in `mask` the role has by the list (as owner, itself, as a member, as PUBLIC). Superusers
/// are the caller's affair.
pub fn mask(catalog: &Catalog, items: &[AclItem], role: Oid, owner: Oid, wanted: u32) -> Result<u32> {
    let mut have = 0;
    let _ = owner;
    for i in items.iter().filter(|i| !i.grantee.is_valid() || i.grantee == role) {
        have |= i.privs & wanted;
    }
    if have == wanted {
        return Ok(have);
    }
    for i in items.iter().filter(|i| i.grantee.is_valid() && i.grantee != role) {
        if i.privs & wanted & !have != 0 && crate::roles::has_privs_of(catalog, role, i.grantee)? {
            have |= i.privs & wanted;
        }
    }
    Ok(have)
}

/// Grant options the role has on what `mask` names; an owner has all.
pub fn grantable(
    catalog: &Catalog,
    items: &[AclItem],
    role: Oid,
    owner: Oid,
    superuser: bool,
    wanted: u32,
) -> Result<u32> {
    if superuser || crate::roles::has_privs_of(catalog, role, owner)? {
        return Ok(wanted);
    }
    let mut have = 0;
    for i in items.iter().filter(|i| i.grantee.is_valid()) {
        if i.goptions & wanted & !have != 0 && crate::roles::has_privs_of(catalog, role, i.grantee)? {
            have |= i.goptions & wanted;
        }
    }
    Ok(have)
}

/// Privileges by name, in the order PostgreSQL prints them.
pub const NAMES: [(&str, u32); 14] = [
    ("insert", INSERT),
    ("select", SELECT),
    ("update", UPDATE),
    ("delete", DELETE),
    ("truncate", TRUNCATE),
    ("references", REFERENCES),
    ("trigger", TRIGGER),
    ("execute", EXECUTE),
    ("usage", USAGE),
    ("create", CREATE),
    ("temporary", TEMP),
    ("connect", CONNECT),
    ("set", SET),
    ("alter system", ALTER_SYSTEM),
];

/// A privilege by name.
pub fn by_name(name: &str) -> Option<u32> {
    let name = if name == "temp" { "temporary" } else { name };
    NAMES.iter().find(|(n, _)| *n == name).map(|(_, p)| *p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_round_trip() {
        let items = vec![
            AclItem { grantee: Oid(0), grantor: Oid(10), privs: SELECT, goptions: 0 },
            AclItem { grantee: Oid(16400), grantor: Oid(10), privs: ALL_TABLE, goptions: SELECT },
        ];
        let Datum::Bytes(b) = format(&items) else { panic!("an array") };
        assert_eq!(parse(&b), items);
        assert!(parse(&b[..10]).is_empty());
    }
}
