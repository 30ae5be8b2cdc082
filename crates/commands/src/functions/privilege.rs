//! `has_table_privilege` and its kin. Each exists for a user given by name, by OID or not at all, and an object given by
//! name or OID; here they all come down to (role, owner, list, what is asked). An object that does not exist by its OID
//! gives NULL.

mod object;

use super::env;
use crate::acl::{self, AclItem};
use crate::roles;
use common::{Oid, Result, bail, err};
use object::Object;
use types::{CallCtx, DatumRef, FnImpl, c2, c3, c4};

macro_rules! six {
    ($a:literal $f:path) => {
        [
            ($a, c3!(|c, u: DatumRef<'_>, o: DatumRef<'_>, p: DatumRef<'_>| ask(c, $f, Some(u), o, p))),
            ($a + 1, c3!(|c, u: DatumRef<'_>, o: DatumRef<'_>, p: DatumRef<'_>| ask(c, $f, Some(u), o, p))),
            ($a + 2, c3!(|c, u: DatumRef<'_>, o: DatumRef<'_>, p: DatumRef<'_>| ask(c, $f, Some(u), o, p))),
            ($a + 3, c3!(|c, u: DatumRef<'_>, o: DatumRef<'_>, p: DatumRef<'_>| ask(c, $f, Some(u), o, p))),
            ($a + 4, c2!(|c, o: DatumRef<'_>, p: DatumRef<'_>| ask(c, $f, None, o, p))),
            ($a + 5, c2!(|c, o: DatumRef<'_>, p: DatumRef<'_>| ask(c, $f, None, o, p))),
        ]
    };
}

const fn concat<const N: usize>(
    parts: [[(u32, FnImpl); 6]; 11],
    more: [(u32, FnImpl); 21],
) -> [(u32, FnImpl); N] {
    let mut out = [more[0]; N];
    let mut i = 0;
    while i < 11 {
        let mut j = 0;
        while j < 6 {
            out[i * 6 + j] = parts[i][j];
            j += 1;
        }
        i += 1;
    }
    let mut k = 0;
    while k < 21 {
        out[66 + k] = more[k];
        k += 1;
    }
    out
}

pub static TABLE: &[(u32, FnImpl)] = &concat::<87>(
    [
        six!(1922 object::table),
        six!(2181 object::sequence),
        six!(2250 object::database),
        six!(2256 object::function),
        six!(2262 object::language),
        six!(2268 object::schema),
        six!(2390 object::tablespace),
        six!(3000 object::foreign_data_wrapper),
        six!(3006 object::server),
        six!(3138 object::type_),
        six!(3024 object::any_column),
    ],
    [
        (
            3012,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3013,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3014,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3015,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3016,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3017,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3018,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (
            3019,
            c4!(|c, u: DatumRef<'_>, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(
                c,
                Some(u),
                t,
                a,
                p
            )),
        ),
        (3020, c3!(|c, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(c, None, t, a, p))),
        (3021, c3!(|c, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(c, None, t, a, p))),
        (3022, c3!(|c, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(c, None, t, a, p))),
        (3023, c3!(|c, t: DatumRef<'_>, a: DatumRef<'_>, p: DatumRef<'_>| column(c, None, t, a, p))),
        (2705, c3!(|c, u: DatumRef<'_>, r: DatumRef<'_>, p: DatumRef<'_>| member(c, Some(u), r, p))),
        (2706, c3!(|c, u: DatumRef<'_>, r: DatumRef<'_>, p: DatumRef<'_>| member(c, Some(u), r, p))),
        (2707, c3!(|c, u: DatumRef<'_>, r: DatumRef<'_>, p: DatumRef<'_>| member(c, Some(u), r, p))),
        (2708, c3!(|c, u: DatumRef<'_>, r: DatumRef<'_>, p: DatumRef<'_>| member(c, Some(u), r, p))),
        (2709, c2!(|c, r: DatumRef<'_>, p: DatumRef<'_>| member(c, None, r, p))),
        (2710, c2!(|c, r: DatumRef<'_>, p: DatumRef<'_>| member(c, None, r, p))),
        (
            6205,
            c3!(|c, u: DatumRef<'_>, n: DatumRef<'_>, p: DatumRef<'_>| ask(
                c,
                object::parameter,
                Some(u),
                n,
                p
            )),
        ),
        (
            6206,
            c3!(|c, u: DatumRef<'_>, n: DatumRef<'_>, p: DatumRef<'_>| ask(
                c,
                object::parameter,
                Some(u),
                n,
                p
            )),
        ),
        (6207, c2!(|c, n: DatumRef<'_>, p: DatumRef<'_>| ask(c, object::parameter, None, n, p))),
    ],
);

/// The role asked about: PUBLIC is the invalid OID.
fn role(c: &CallCtx<'_>, user: Option<DatumRef<'_>>, public: bool) -> Result<Oid> {
    let e = env(c)?;
    match user {
        None => Ok(e.host.role()),
        Some(DatumRef::U32(oid)) => Ok(Oid(oid)),
        Some(name) if public && name.str() == "public" => Ok(Oid::INVALID),
        Some(name) => e
            .catalog
            .role_oid(name.str())?
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "role \"{}\" does not exist", name.str())),
    }
}

/// What is asked: privileges with or without grant option, any of which will do.
pub fn wanted(text: &str, allowed: u32) -> Result<Vec<(u32, bool)>> {
    text.split(',')
        .map(|word| {
            let word = word.trim_matches(|ch: char| ch.is_ascii_whitespace());
            let lower = word.to_ascii_lowercase();
            let (name, grant) = match lower.strip_suffix(" with grant option") {
                Some(n) => (n, true),
                None => (lower.as_str(), false),
            };
            match acl::by_name(name) {
                Some(p) if p & allowed != 0 => Ok((p, grant)),
                // A privilege of old that nothing has.
                _ if name == "rule" && allowed & acl::TRUNCATE != 0 => Ok((0, grant)),
                _ => bail!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{word}\""),
            }
        })
        .collect()
}

/// Has the role any of what is wanted by a list?
fn allowed(
    c: &CallCtx<'_>,
    role: Oid,
    owner: Oid,
    items: &[AclItem],
    wanted: &[(u32, bool)],
) -> Result<bool> {
    let catalog = &env(c)?.catalog;
    if role.is_valid() && roles::is_superuser(catalog, role)? {
        return Ok(wanted.iter().any(|w| w.0 != 0));
    }
    for (privilege, grant) in wanted.iter().filter(|w| w.0 != 0) {
        let have = match (role.is_valid(), grant) {
            (true, false) => acl::mask(catalog, items, role, owner, *privilege)?,
            (true, true) => acl::grantable(catalog, items, role, owner, false, *privilege)?,
            (false, false) => {
                items.iter().filter(|i| !i.grantee.is_valid()).fold(0, |m, i| m | (i.privs & privilege))
            }
            (false, true) => 0,
        };
        if have != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The privileges asked for without grant option.
fn plain(wanted: &[(u32, bool)]) -> u32 {
    wanted.iter().filter(|w| !w.1).fold(0, |m, w| m | w.0)
}

/// Finds an object, and knows what can be asked about it.
type Find = fn(&CallCtx<'_>, DatumRef<'_>) -> Result<(u32, Option<Object>)>;

fn ask(
    c: &CallCtx<'_>,
    find: Find,
    user: Option<DatumRef<'_>>,
    object: DatumRef<'_>,
    privileges: DatumRef<'_>,
) -> Result<Option<bool>> {
    if object.is_null() || privileges.is_null() || user.is_some_and(DatumRef::is_null) {
        return Ok(None);
    }
    let role = role(c, user, true)?;
    let (all, found) = find(c, object)?;
    let wanted = wanted(privileges.str(), all)?;
    let Some(o) = found else { return Ok(None) };
    if o.data != 0 && crate::aclcheck::predefined(&env(c)?.catalog, role, o.data & plain(&wanted))? != 0 {
        return Ok(Some(true));
    }
    for list in &o.lists {
        if allowed(c, role, o.owner, list, &wanted)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

fn column(
    c: &CallCtx<'_>,
    user: Option<DatumRef<'_>>,
    table: DatumRef<'_>,
    column: DatumRef<'_>,
    privileges: DatumRef<'_>,
) -> Result<Option<bool>> {
    let all = [Some(table), Some(column), Some(privileges), user];
    if all.iter().flatten().any(|d| d.is_null()) {
        return Ok(None);
    }
    let role = role(c, user, true)?;
    let (_, found) = object::table(c, table)?;
    let wanted = wanted(privileges.str(), acl::ALL_COLUMN)?;
    let Some(t) = found else { return Ok(None) };
    let Some(list) = object::column(c, t.oid, column)? else { return Ok(None) };
    if crate::aclcheck::predefined(&env(c)?.catalog, role, t.data & plain(&wanted))? != 0 {
        return Ok(Some(true));
    }
    for list in t.lists.iter().chain([&list]) {
        if allowed(c, role, t.owner, list, &wanted)? {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

/// `pg_has_role`.
fn member(
    c: &CallCtx<'_>,
    user: Option<DatumRef<'_>>,
    target: DatumRef<'_>,
    privileges: DatumRef<'_>,
) -> Result<Option<bool>> {
    if target.is_null() || privileges.is_null() || user.is_some_and(DatumRef::is_null) {
        return Ok(None);
    }
    let member = role(c, user, false)?;
    let target = role(c, Some(target), false)?;
    let catalog = &env(c)?.catalog;
    for word in privileges.str().split(',') {
        let word = word.trim_matches(|ch: char| ch.is_ascii_whitespace());
        let has = match word.to_ascii_lowercase().as_str() {
            "usage" => roles::has_privs_of(catalog, member, target)?,
            "member" => roles::is_member(catalog, member, target)?,
            "usage with grant option"
            | "usage with admin option"
            | "member with grant option"
            | "member with admin option" => roles::is_admin_of(catalog, member, target)?,
            _ => bail!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{word}\""),
        };
        if has {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_privileges() {
        let w = wanted(" Select , UPDATE with grant option", acl::ALL_TABLE).unwrap();
        assert_eq!(w, [(acl::SELECT, false), (acl::UPDATE, true)]);
        assert!(wanted("foo", acl::ALL_TABLE).is_err());
        assert!(wanted("execute", acl::ALL_TABLE).is_err());
    }

    #[test]
    fn every_oid_once() {
        let mut oids: Vec<u32> = TABLE.iter().map(|t| t.0).collect();
        oids.sort_unstable();
        oids.dedup();
        assert_eq!(oids.len(), TABLE.len());
    }
}
