//! The type `aclitem` and functions on lists of it.

use super::env;
use super::rows::made;
use crate::acl::{self, AclItem, AclKind};
use catalog::literal;
use common::{Error, Oid, Report, Result, Severity, SqlState, bail, err};
use std::fmt::Write;
use types::registry::RowSource;
use types::{CallCtx, Datum, DatumRef, FnImpl, c2, c4, k2};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1031, FnImpl::Input(input)),
    (1032, FnImpl::Output(output)),
    (1062, k2!(|a: &[u8], b: &[u8]| a == b)),
    (1037, k2!(contains)),
    (1365, c4!(make)),
    (3943, c2!(default)),
    (1689, FnImpl::Srf(explode)),
];

/// Letters of the privileges, by bit.
const LETTERS: &[u8] = b"arwdDxtXUCTcsA";

/// Bytes of an item.
fn pack(i: AclItem) -> Datum {
    let mut b = [0; 12];
    b[0..4].copy_from_slice(&i.grantee.0.to_le_bytes());
    b[4..8].copy_from_slice(&i.grantor.0.to_le_bytes());
    b[8..12].copy_from_slice(&(i.privs | i.goptions << 16).to_le_bytes());
    Datum::bytes(&b)
}

fn unpack(b: &[u8]) -> AclItem {
    let word =
        |at: usize| b.get(at..at + 4).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b));
    AclItem { grantee: Oid(word(0)), grantor: Oid(word(4)), privs: word(8) & 0xffff, goptions: word(8) >> 16 }
}

/// A role's name in an item: only letters, digits and underscores go without quotes.
fn push_role(c: &CallCtx<'_>, out: &mut String, role: Oid) -> Result<()> {
    let name = match env(c)?.catalog.role_name(role)? {
        Some(n) => n.to_string(),
        None => role.to_string(),
    };
    let safe = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80);
    if safe {
        out.push_str(&name);
    } else {
        let _ = write!(out, "\"{}\"", name.replace('"', "\"\""));
    }
    Ok(())
}

fn output(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let i = unpack(v.bytes());
    let mut s = String::new();
    if i.grantee.is_valid() {
        push_role(c, &mut s, i.grantee)?;
    }
    s.push('=');
    for (bit, letter) in LETTERS.iter().enumerate() {
        if i.privs >> bit & 1 != 0 {
            s.push(char::from(*letter));
        }
        if i.goptions >> bit & 1 != 0 {
            s.push('*');
        }
    }
    s.push('/');
    push_role(c, &mut s, i.grantor)?;
    out.extend_from_slice(s.as_bytes());
    Ok(())
}

/// A role's name at the start of `s`, and the rest.
fn take_name(s: &str) -> (String, &str) {
    let (mut name, mut quoted) = (String::new(), false);
    let mut chars = s.char_indices().peekable();
    while let Some((i, ch)) = chars.next() {
        match ch {
            '"' if quoted && chars.peek().is_some_and(|(_, n)| *n == '"') => {
                name.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ch if quoted || ch.is_alphanumeric() || ch == '_' => name.push(ch),
            _ => return (name, &s[i..]),
        }
    }
    (name, "")
}

fn role_of(c: &CallCtx<'_>, name: &str) -> Result<Oid> {
    env(c)?.catalog.role_oid(name)?.ok_or_else(|| err!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"))
}

fn input(c: &CallCtx<'_>, text: &str, _: Oid, _: i32) -> Result<Datum> {
    let bad = |m: &str| Error::new(SqlState::INVALID_TEXT_REPRESENTATION, m);
    let (mut name, mut rest) = take_name(text.trim_start());
    if !rest.starts_with('=') {
        if name != "group" && name != "user" {
            return Err(err!(INVALID_TEXT_REPRESENTATION, "unrecognized key word: \"{name}\"")
                .hint("ACL key word must be \"group\" or \"user\"."));
        }
        (name, rest) = take_name(rest.trim_start());
        if name.is_empty() {
            return Err(bad("missing name").hint("A name must follow the \"group\" or \"user\" key word."));
        }
    }
    let Some(modes) = rest.strip_prefix('=') else { return Err(bad("missing \"=\" sign")) };
    let (mut privs, mut goptions, mut last) = (0, 0, 0);
    let mut end = modes.len();
    for (i, ch) in modes.bytes().enumerate() {
        if ch == b'*' {
            goptions |= last;
        } else if let Some(bit) = LETTERS.iter().position(|l| *l == ch) {
            last = 1 << bit;
            privs |= last;
        } else if ch.is_ascii_alphabetic() {
            return Err(err!(
                INVALID_TEXT_REPRESENTATION,
                "invalid mode character: must be one of \"arwdDxtXUCTcsA\""
            ));
        } else {
            end = i;
            break;
        }
    }
    let rest = &modes[end..];
    let grantee = if name.is_empty() { Oid::INVALID } else { role_of(c, &name)? };
    let grantor = match rest.strip_prefix('/') {
        Some(r) => {
            let (name, after) = take_name(r);
            if name.is_empty() {
                return Err(bad("a name must follow the \"/\" sign"));
            }
            if !after.trim().is_empty() {
                return Err(bad("extra garbage at the end of the ACL specification"));
            }
            role_of(c, &name)?
        }
        None if !rest.trim().is_empty() => {
            return Err(bad("extra garbage at the end of the ACL specification"));
        }
        None => {
            env(c)?.host.notice(Report::new(
                Severity::Warning,
                SqlState::INVALID_GRANTOR,
                "defaulting grantor to user ID 10",
            ));
            catalog::builtins::BOOTSTRAP_SUPERUSER
        }
    };
    Ok(pack(AclItem { grantee, grantor, privs, goptions }))
}

fn contains(list: &[u8], item: &[u8]) -> bool {
    let i = unpack(item);
    acl::parse(list).iter().any(|x| {
        x.grantee == i.grantee
            && x.grantor == i.grantor
            && x.privs & i.privs == i.privs
            && x.goptions & i.goptions == i.goptions
    })
}

fn make(_: &CallCtx<'_>, grantee: u32, grantor: u32, privileges: &str, grantable: bool) -> Result<Datum> {
    let mut privs = 0;
    for word in privileges.split(',') {
        let word = word.trim();
        match acl::by_name(&word.to_ascii_lowercase()) {
            Some(p) => privs |= p,
            None => bail!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{word}\""),
        }
    }
    let goptions = if grantable { privs } else { 0 };
    Ok(pack(AclItem { grantee: Oid(grantee), grantor: Oid(grantor), privs, goptions }))
}

fn default(_: &CallCtx<'_>, kind: i8, owner: u32) -> Result<Datum> {
    let owner = Oid(owner);
    let of_owner = |privs| vec![AclItem { grantee: owner, grantor: owner, privs, goptions: 0 }];
    let items = match kind as u8 {
        b'c' => AclKind::Column.default_list(owner),
        b'r' => AclKind::Table.default_list(owner),
        b's' => AclKind::Sequence.default_list(owner),
        b'd' => AclKind::Database.default_list(owner),
        b'f' => AclKind::Function.default_list(owner),
        b'l' => AclKind::Language.default_list(owner),
        b'n' => AclKind::Schema.default_list(owner),
        b'T' => AclKind::Type.default_list(owner),
        b'L' => of_owner(acl::SELECT | acl::UPDATE),
        b'p' => of_owner(acl::SET | acl::ALTER_SYSTEM),
        b't' => of_owner(acl::CREATE),
        b'F' | b'S' => of_owner(acl::USAGE),
        other => {
            return Err(Error::internal(format!("unrecognized objtype abbreviation: {}", char::from(other))));
        }
    };
    Ok(acl::format(&items))
}

fn explode(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::Bytes(b)) = args.first() else { return made(Vec::new()) };
    if literal::array_items(b).is_empty() {
        return made(Vec::new());
    }
    let mut rows = Vec::new();
    for i in acl::parse(b) {
        for (name, bit) in acl::NAMES {
            if i.privs & bit != 0 {
                rows.push(vec![
                    Datum::oid(i.grantor),
                    Datum::oid(i.grantee),
                    Datum::text(&name.to_ascii_uppercase()),
                    Datum::Bool(i.goptions & bit != 0),
                ]);
            }
        }
    }
    made(rows)
}
