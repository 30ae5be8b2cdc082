//! Types that are not built in (OID from 12000 on: `initdb` makes some) as this crate sees them. Values must be readable without a catalog, so
//! the low three bits of such a type's OID tell how its values are stored: whoever creates a type takes an OID of the
//! right class ([`UserClass`]). Domains have no class of their own: inside arrays and rows their values carry the OID of
//! the type underneath.

use crate::datum::Phys;
use crate::typeinfo::{TypeInfo, type_info};
use common::Oid;

/// First OID of objects that are not built in.
pub const FIRST_USER_OID: u32 = 12_000;

/// How values of a user's type are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserClass {
    /// Shell types, and types that no value is made of.
    Other = 0,
    /// Composite types and row types of tables: `record`.
    Composite = 1,
    /// Enums: eight bytes, sort position above the label's OID (see [`enum_value`]).
    Enum = 2,
    /// True arrays over user types.
    Array = 3,
    /// Domains: stored as the type underneath.
    Domain = 4,
    Range = 5,
    Multirange = 6,
    /// Base types.
    Base = 7,
}

impl UserClass {
    /// Has this OID the bits of the class?
    pub fn fits(self, oid: Oid) -> bool {
        oid.0 & 7 == self as u32
    }
    /// Is this a user's type of the class?
    pub fn is(self, oid: Oid) -> bool {
        oid.0 >= FIRST_USER_OID && self.fits(oid)
    }
}

const fn class(name: &'static str, len: i16, io: [u32; 4], cmp: u32, hash: u32, phys: Phys) -> TypeInfo {
    TypeInfo {
        oid: Oid(0),
        name,
        len,
        align: b'd',
        storage: b'x',
        elem: Oid(0),
        array: Oid(0),
        input: Oid(io[0]),
        output: Oid(io[1]),
        receive: Oid(io[2]),
        send: Oid(io[3]),
        cmp: Oid(cmp),
        hash: Oid(hash),
        phys,
    }
}

static COMPOSITE: TypeInfo = class("record", -1, [2290, 2291, 2402, 2403], 2987, 6192, Phys::Bytes);
static ENUM: TypeInfo = class("anyenum", 8, [3506, 3507, 3532, 3533], 3514, 3515, Phys::I64);
static ARRAY: TypeInfo = class("anyarray", -1, [750, 751, 2400, 2401], 382, 626, Phys::Bytes);
static RANGE: TypeInfo = class("anyrange", -1, [3834, 3835, 3836, 3837], 3870, 3902, Phys::Bytes);
static MULTIRANGE: TypeInfo = class("anymultirange", -1, [4231, 4232, 4233, 4234], 4273, 4278, Phys::Bytes);

/// Built-in types whose form values of base types may have. A base type's OID tells which one, as the number of its place
/// here in the bits above the class's: places never change. Types of extensions follow from [`EXTENSION_MODELS`] on.
static MODELS: &[u32] = &[
    16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 114, 600, 601, 602, 603, 604, 628, 650, 700, 701,
    718, 774, 790, 829, 869, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700, 2950, 3220,
    3802, 5069, 2205, 2206, 2202,
];
/// First number of a type of an extension.
const EXTENSION_MODELS: u8 = 64;
/// How many models there may be.
const MODELS_MAX: u32 = 128;

/// The model of a base type whose values come from this input function (the OID of its code).
pub fn model_of(input: Oid) -> Option<u8> {
    let place = MODELS.iter().position(|t| type_info(Oid(*t)).is_some_and(|i| i.input == input))?;
    u8::try_from(place).ok()
}
/// The model of a type of an extension.
pub fn extension_model(extension: &str, name: &str) -> Option<u8> {
    let place = crate::ext::TYPES.iter().position(|t| t.0 == extension && t.1 == name)?;
    u8::try_from(place).ok().map(|p| p + EXTENSION_MODELS)
}
/// The built-in type that values of a base type look like, and what is known of it. `None` for shells.
pub fn model_info(oid: Oid) -> Option<&'static TypeInfo> {
    let place = (oid.0 >> 3) % MODELS_MAX;
    match place.checked_sub(u32::from(EXTENSION_MODELS)) {
        Some(p) => crate::ext::TYPES.get(p as usize).map(|t| &t.2),
        None => type_info(Oid(*MODELS.get(place as usize)?)),
    }
}
/// Has this OID the bits of a base type with the model?
pub fn fits_model(oid: Oid, model: u8) -> bool {
    UserClass::Base.fits(oid) && (oid.0 >> 3) % MODELS_MAX == u32::from(model)
}

/// What is known of a type's storage, built in or not; `None` for domains. Of user types
/// `oid`, `elem` and `array` are not set.
pub fn storage_info(oid: Oid) -> Option<&'static TypeInfo> {
    if oid.0 < FIRST_USER_OID {
        // Row types of the system catalogs are not in the table.
        return type_info(oid).or(Some(&COMPOSITE));
    }
    match oid.0 & 7 {
        1 => Some(&COMPOSITE),
        2 => Some(&ENUM),
        3 => Some(&ARRAY),
        5 => Some(&RANGE),
        6 => Some(&MULTIRANGE),
        7 => model_info(oid),
        _ => None,
    }
}

/// An enum value: integers compare as `enumsortorder` does, and equal values are the same label.
pub fn enum_value(sort_order: f32, label: Oid) -> i64 {
    let bits = sort_order.to_bits();
    let key = if bits >> 31 == 1 { !bits } else { bits | 0x8000_0000 };
    ((i64::from(key) - (1 << 31)) << 32) | i64::from(label.0)
}

/// The label's OID (`pg_enum.oid`) of an enum value.
pub fn enum_label(v: i64) -> Oid {
    Oid(v as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enum_values_sort_by_position() {
        let order = [-3.5f32, -1.0, 0.0, 0.25, 1.0, 1.5, 2.0, 1e9];
        let values: Vec<i64> =
            order.iter().enumerate().map(|(i, o)| enum_value(*o, Oid(99_999 - i as u32))).collect();
        assert!(values.is_sorted());
        assert_eq!(enum_label(values[2]), Oid(99_997));
    }
}
