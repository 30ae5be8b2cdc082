//! Polymorphic pseudo-types: whether actual types fit a signature, and what the pseudo-types stand for in a call.

use crate::coerce::{Context, is_polymorphic};
use crate::ctx::AnalyzeCtx;
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use common::{Error, Oid, Result, err};
use types::oids;
use types::range::RangeType;

fn is_compatible_family(t: Oid) -> bool {
    matches!(
        t,
        oids::ANYCOMPATIBLE
            | oids::ANYCOMPATIBLEARRAY
            | oids::ANYCOMPATIBLENONARRAY
            | oids::ANYCOMPATIBLERANGE
            | oids::ANYCOMPATIBLEMULTIRANGE
    )
}

/// Could the pseudo-types of `declared` stand for something that fits `actual`?
pub fn consistent(ctx: &AnalyzeCtx<'_>, actual: &[Oid], declared: &[Oid]) -> Result<bool> {
    let mut elem: Option<Oid> = None;
    let mut array: Option<Oid> = None;
    let mut need_nonarray = false;
    let mut compat: Vec<Oid> = Vec::new();
    let mut ranges = Ranges::default();
    for (&a, &d) in actual.iter().zip(declared) {
        if a == oids::UNKNOWN {
            need_nonarray |= d == oids::ANYNONARRAY;
            continue;
        }
        match d {
            oids::ANYELEMENT | oids::ANYNONARRAY | oids::ANYENUM => {
                if d == oids::ANYNONARRAY {
                    need_nonarray = true;
                }
                if d == oids::ANYENUM && ctx.catalog.type_desc(a)?.typtype != b'e' {
                    return Ok(false);
                }
                if elem.is_some_and(|e| e != a) {
                    return Ok(false);
                }
                elem = Some(a);
            }
            oids::ANYARRAY => {
                let (b, _) = ctx.base_type(a, -1)?;
                if array.is_some_and(|x| x != b) {
                    return Ok(false);
                }
                array = Some(b);
            }
            oids::ANYRANGE
            | oids::ANYCOMPATIBLERANGE
            | oids::ANYMULTIRANGE
            | oids::ANYCOMPATIBLEMULTIRANGE
                if ranges.add(ctx, d, a).is_err() =>
            {
                return Ok(false);
            }
            oids::ANYRANGE
            | oids::ANYCOMPATIBLERANGE
            | oids::ANYMULTIRANGE
            | oids::ANYCOMPATIBLEMULTIRANGE => {}
            oids::ANYCOMPATIBLE | oids::ANYCOMPATIBLENONARRAY => compat.push(a),
            oids::ANYCOMPATIBLEARRAY => {
                let e = ctx.base_array_elem(a)?;
                if !e.is_valid() {
                    return Ok(false);
                }
                compat.push(e);
            }
            _ => {}
        }
    }
    if let Some(b) = array {
        if b == oids::ANYARRAY {
            return Ok(elem.is_none() || elem == Some(oids::ANYELEMENT));
        }
        let e = ctx.array_elem(b)?;
        if !e.is_valid() || elem.is_some_and(|x| x != e) {
            return Ok(false);
        }
        elem = Some(e);
    }
    if let Some(f) = ranges.plain.family {
        if elem.is_some_and(|e| e != f.subtype) {
            return Ok(false);
        }
        elem = Some(f.subtype);
    }
    compat.extend(ranges.compatible.family.map(|f| f.subtype));
    // What is known to be an enum must be known.
    if elem.is_none() && declared.iter().take(actual.len()).any(|d| *d == oids::ANYENUM) {
        return Ok(false);
    }
    if need_nonarray
        && let Some(e) = elem
        && ctx.base_array_elem(e)?.is_valid()
    {
        return Ok(false);
    }
    if compat.len() > 1 && common_compat(ctx, &compat)?.is_none() {
        return Ok(false);
    }
    Ok(true)
}

/// What the range pseudo-types of one family stand for.
#[derive(Default)]
struct OneFamily {
    range: Oid,
    multirange: Oid,
    family: Option<RangeType>,
}

/// The plain and the `anycompatible` family.
#[derive(Default)]
struct Ranges {
    plain: OneFamily,
    compatible: OneFamily,
}

impl Ranges {
    /// Takes in an argument declared as a range pseudo-type. 42804.
    fn add(&mut self, ctx: &AnalyzeCtx<'_>, declared: Oid, actual: Oid) -> Result<()> {
        let (base, _) = ctx.base_type(actual, -1)?;
        let multi = matches!(declared, oids::ANYMULTIRANGE | oids::ANYCOMPATIBLEMULTIRANGE);
        let compatible = is_compatible_family(declared);
        let one = if compatible { &mut self.compatible } else { &mut self.plain };
        let name = format!(
            "any{}{}",
            if compatible { "compatible" } else { "" },
            ["range", "multirange"][usize::from(multi)]
        );
        let slot = if multi { &mut one.multirange } else { &mut one.range };
        if slot.is_valid() && *slot != base {
            return Err(err!(DATATYPE_MISMATCH, "arguments declared \"{name}\" are not all alike").detail(
                format!("{} versus {}", format_type_short(ctx, *slot), format_type_short(ctx, base)),
            ));
        }
        *slot = base;
        let found =
            ctx.catalog.range_family(base)?.filter(|f| base == if multi { f.multirange } else { f.range });
        let Some(f) = found else {
            let want = if multi { "multirange" } else { "range" };
            return Err(err!(
                DATATYPE_MISMATCH,
                "argument declared {name} is not a {want} type but type {}",
                format_type_short(ctx, actual)
            ));
        };
        if one.family.is_some_and(|g| g != f) {
            let other = name.replace("multirange", "range");
            return Err(err!(
                DATATYPE_MISMATCH,
                "argument declared {} is not consistent with argument declared {}",
                other.replace("range", "multirange"),
                other
            )
            .detail(format!(
                "{} versus {}",
                format_type_short(ctx, one.multirange),
                format_type_short(ctx, one.range)
            )));
        }
        one.family = Some(f);
        Ok(())
    }
}

fn common_compat(ctx: &AnalyzeCtx<'_>, list: &[Oid]) -> Result<Option<Oid>> {
    let an = Analyzer::new(ctx, crate::ctx::ParamTypes::none());
    let items: Vec<_> = list.iter().map(|t| (*t, None)).collect();
    let Ok(t) = an.common_type_of(&items, "") else { return Ok(None) };
    for x in list {
        if !ctx.can_coerce(&[*x], &[t], Context::Implicit)? {
            return Ok(None);
        }
    }
    Ok(Some(t))
}

/// Replaces the pseudo-types of `declared` by what they stand for and returns the call's result type.
pub fn enforce(ctx: &AnalyzeCtx<'_>, actual: &[Oid], declared: &mut [Oid], result: Oid) -> Result<Oid> {
    if !is_polymorphic(result) && !declared.iter().any(|d| is_polymorphic(*d)) {
        return Ok(result);
    }
    let mut elem = Oid::INVALID;
    let mut array = Oid::INVALID;
    let mut ranges = Ranges::default();
    let mut compat: Vec<(Oid, Option<usize>)> = Vec::new();
    let mut unknown_poly = false;
    let mut unknown_compat = false;
    let alike = |what: &str, a: Oid, b: Oid| -> Error {
        err!(DATATYPE_MISMATCH, "arguments declared \"{what}\" are not all alike").detail(format!(
            "{} versus {}",
            format_type_short(ctx, a),
            format_type_short(ctx, b)
        ))
    };
    for (&a, &d) in actual.iter().zip(declared.iter()) {
        if !is_polymorphic(d) {
            continue;
        }
        if a == oids::UNKNOWN {
            if is_compatible_family(d) {
                unknown_compat = true
            } else {
                unknown_poly = true
            }
            continue;
        }
        match d {
            oids::ANYELEMENT | oids::ANYNONARRAY | oids::ANYENUM => {
                if elem.is_valid() && elem != a {
                    return Err(alike("anyelement", elem, a));
                }
                elem = a;
            }
            oids::ANYARRAY => {
                let (b, _) = ctx.base_type(a, -1)?;
                if array.is_valid() && array != b {
                    return Err(alike("anyarray", array, b));
                }
                array = b;
            }
            oids::ANYCOMPATIBLE | oids::ANYCOMPATIBLENONARRAY => compat.push((a, None)),
            oids::ANYCOMPATIBLEARRAY => {
                let e = ctx.base_array_elem(a)?;
                if !e.is_valid() {
                    return Err(not_an_array(ctx, "anycompatiblearray", a));
                }
                compat.push((e, None));
            }
            _ => ranges.add(ctx, d, a)?,
        }
    }
    if array.is_valid() && array != oids::ANYARRAY {
        let e = ctx.array_elem(array)?;
        if !e.is_valid() {
            return Err(not_an_array(ctx, "anyarray", array));
        }
        if !elem.is_valid() {
            elem = e;
        } else if e != elem {
            return Err(err!(
                DATATYPE_MISMATCH,
                "argument declared anyarray is not consistent with argument declared anyelement"
            )
            .detail(format!(
                "{} versus {}",
                format_type_short(ctx, array),
                format_type_short(ctx, elem)
            )));
        }
    }
    if let Some(f) = ranges.plain.family {
        let (name, shown) = match ranges.plain.range.is_valid() {
            true => ("anyrange", ranges.plain.range),
            false => ("anymultirange", ranges.plain.multirange),
        };
        if elem.is_valid() && elem != f.subtype {
            return Err(err!(
                DATATYPE_MISMATCH,
                "argument declared {name} is not consistent with argument declared anyelement"
            )
            .detail(format!(
                "{} versus {}",
                format_type_short(ctx, shown),
                format_type_short(ctx, elem)
            )));
        }
        elem = f.subtype;
    }
    compat.extend(ranges.compatible.family.map(|f| (f.subtype, None)));
    let needs_poly = |t: Oid| is_polymorphic(t) && !is_compatible_family(t);
    if !elem.is_valid() && (declared.iter().any(|d| needs_poly(*d)) || needs_poly(result)) {
        if array == oids::ANYARRAY {
            elem = oids::ANYELEMENT;
        } else if unknown_poly {
            return Err(err!(
                DATATYPE_MISMATCH,
                "could not determine polymorphic type because input has type unknown"
            ));
        }
    }
    if declared.contains(&oids::ANYNONARRAY) && elem.is_valid() && ctx.base_array_elem(elem)?.is_valid() {
        return Err(err!(
            DATATYPE_MISMATCH,
            "type matched to anynonarray is an array type: {}",
            format_type_short(ctx, elem)
        ));
    }
    let compat_type = if compat.is_empty() {
        if unknown_compat { oids::TEXT } else { Oid::INVALID }
    } else {
        let an = Analyzer::new(ctx, crate::ctx::ParamTypes::none());
        an.common_type_of(&compat, "anycompatible")?
    };
    let sub = |d: Oid| -> Result<Oid> {
        Ok(match d {
            oids::ANYELEMENT | oids::ANYNONARRAY | oids::ANYENUM => elem,
            oids::ANYARRAY if array.is_valid() => array,
            oids::ANYARRAY => array_type(ctx, elem)?,
            oids::ANYRANGE | oids::ANYMULTIRANGE => {
                let f = ranges.plain.family.ok_or_else(|| undetermined(d))?;
                if d == oids::ANYRANGE { f.range } else { f.multirange }
            }
            oids::ANYCOMPATIBLERANGE | oids::ANYCOMPATIBLEMULTIRANGE => {
                let f = ranges.compatible.family.ok_or_else(|| undetermined(d))?;
                if d == oids::ANYCOMPATIBLERANGE { f.range } else { f.multirange }
            }
            oids::ANYCOMPATIBLE | oids::ANYCOMPATIBLENONARRAY => compat_type,
            oids::ANYCOMPATIBLEARRAY => array_type(ctx, compat_type)?,
            d => d,
        })
    };
    for d in declared.iter_mut() {
        *d = sub(*d)?;
    }
    sub(result)
}

fn undetermined(declared: Oid) -> Error {
    let name = types::type_info(declared).map_or("anyrange", |t| t.name);
    err!(DATATYPE_MISMATCH, "could not determine polymorphic type {name} because input has type unknown")
}

fn array_type(ctx: &AnalyzeCtx<'_>, elem: Oid) -> Result<Oid> {
    let a = if elem.is_valid() { ctx.array_of(elem)? } else { Oid::INVALID };
    if a.is_valid() {
        return Ok(a);
    }
    Err(err!(UNDEFINED_OBJECT, "could not find array type for data type {}", format_type_short(ctx, elem)))
}

fn not_an_array(ctx: &AnalyzeCtx<'_>, declared: &str, t: Oid) -> Error {
    err!(
        DATATYPE_MISMATCH,
        "argument declared {declared} is not an array but type {}",
        format_type_short(ctx, t)
    )
}
