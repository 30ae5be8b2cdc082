//! Sample values of each type: edges, and what is in between. An entry that starts with `=` is an expression, any other the text
//! of a literal.

use super::Random;

const LONG: &str = "The quick brown fox jumps over the lazy dog. the quick brown fox jumps over the lazy dog. THE QUICK BROWN FOX \
JUMPS OVER THE LAZY DOG. 0123456789 0123456789 0123456789 0123456789 ééééééééééééééé";

/// Types with samples, scalars only. Arrays are made of them.
pub const SCALARS: &[(&str, &[&str])] = &[
    ("bool", &["t", "f", "true"]),
    ("int2", &["0", "1", "-1", "7", "32767", "-32768", "3"]),
    ("int4", &["0", "1", "-1", "2", "3", "10", "2147483647", "-2147483648", "65", "5"]),
    (
        "int8",
        &["0", "1", "-1", "5", "100", "9223372036854775807", "-9223372036854775808", "4294967296", "33"],
    ),
    (
        "float4",
        &[
            "0",
            "-0",
            "1",
            "-1.5",
            "0.1",
            "3.4028235e38",
            "1e-45",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e10",
            "2.5",
        ],
    ),
    (
        "float8",
        &[
            "0",
            "-0",
            "1",
            "-1.5",
            "0.1",
            "27",
            "1.7976931348623157e308",
            "5e-324",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e15",
            "123456.789",
            "0.5",
            "-2.5",
            "1e-7",
            "90",
            "1e200",
            "170",
            "2",
        ],
    ),
    (
        "numeric",
        &[
            "0",
            "1",
            "-1",
            "0.00",
            "1.50",
            "-123.456",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e30",
            "1e-20",
            "99999999999999999999.99999",
            "12345678901234567890",
            "0.5",
            "2.5",
            "10",
            "1e200",
            "-0.001",
            "3",
        ],
    ),
    (
        "text",
        &[
            "",
            "a",
            "abc",
            "ABC def",
            "héllo wörld",
            "日本語",
            "  x ",
            "%a_",
            "tab\tq\"'\\n",
            LONG,
            "12",
            "{\"a\":1}",
            "x,y,,z",
            "ÀÉß",
            "a.b",
        ],
    ),
    ("varchar", &["", "a", "abc", "Hello  ", "ñandú", "12"]),
    ("bpchar", &["", "a", "abc  ", "  a", "é ", "12 "]),
    (
        "name",
        &[
            "",
            "a",
            "pg_class",
            "Mixed Case",
            "日本",
            "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij",
        ],
    ),
    ("char", &["", "a", "A", "1", "~"]),
    ("cstring", &["", "a", "12", "abc", "1.5", "2024-01-02", "{1,2}", "(1,2)", "é"]),
    (
        "bytea",
        &[
            "",
            "\\x00",
            "\\x0102ff",
            "abc",
            "\\xdeadbeefcafebabe00112233445566778899aabbccddeeff",
            "a\\\\b\\001",
        ],
    ),
    ("bit", &["0", "1", "1010", "11111111", "0000000000000001", "1"]),
    ("varbit", &["", "1", "1010", "111111110", "0000000000000001", "01"]),
    (
        "date",
        &[
            "2024-02-29",
            "1970-01-01",
            "2000-01-01",
            "0044-03-15 BC",
            "4714-11-24 BC",
            "5874897-12-31",
            "infinity",
            "-infinity",
            "1999-12-31",
            "2023-03-26",
        ],
    ),
    ("time", &["00:00", "24:00:00", "23:59:59.999999", "12:34:56.5", "23:59:60", "01:02:03"]),
    (
        "timetz",
        &["00:00+00", "24:00-15:59", "12:34:56.789+05:30", "23:59:60+14", "12:00-08", "07:04:56.789+00"],
    ),
    (
        "timestamp",
        &[
            "2024-02-29 12:34:56.789",
            "1970-01-01",
            "2000-01-01",
            "0001-12-31 23:59:59 BC",
            "4714-11-24 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "infinity",
            "-infinity",
            "1999-12-31 23:59:60",
            "2021-03-14 02:30:00",
            "2023-10-29 02:30",
        ],
    ),
    (
        "timestamptz",
        &[
            "2024-02-29 12:34:56.789+00",
            "1970-01-01 00:00+00",
            "2000-01-01 00:00+00",
            "0001-12-31 23:59:59+00 BC",
            "4714-11-24 00:00:00+00 BC",
            "294276-12-31 23:59:59.999999+00",
            "infinity",
            "-infinity",
            "2021-03-14 07:00:00+00",
            "2023-10-29 00:30+00",
            "1883-11-18 17:00+00",
        ],
    ),
    (
        "interval",
        &[
            "0",
            "1 day",
            "-1 mon",
            "1 year 2 mons 3 days 04:05:06.789",
            "-00:00:00.000001",
            "178000000 years",
            "2147483647 days",
            "-2147483648 days",
            "1 mon -1 day",
            "30 days",
            "24:00",
            "-1 day +02:03",
            "0.5 sec",
            "1000000:00:00",
            "10 years",
            "-1 year -2 mons +3 days -04:05:06",
        ],
    ),
    (
        "json",
        &[
            "null",
            "1",
            "\"a\"",
            "[]",
            "{}",
            "{\"a\":1,\"b\":[1,2,{\"c\":null}]}",
            "[1,\"x\",true,null,1.50]",
            " {\"a\" : \"\\u00e9\"} ",
            "{\"a\":1,\"a\":2}",
            "\"\\u0000\"",
            "[{\"a\":1,\"b\":\"x\"},{\"a\":null}]",
            "[[1,2],[3]]",
        ],
    ),
    (
        "jsonb",
        &[
            "null",
            "1",
            "\"a\"",
            "[]",
            "{}",
            "{\"a\":1,\"b\":[1,2,{\"c\":null}]}",
            "[1,\"x\",true,null,1.50]",
            "{\"bb\":{\"a\":[]},\"a\":\"é\"}",
            "-1.10e3",
            "[{\"a\":1,\"b\":\"x\"},{\"a\":null}]",
            "[[1,2],[3]]",
            "{\"a\":\"2024-01-02\"}",
            "false",
        ],
    ),
    (
        "jsonpath",
        &[
            "$",
            "$.a",
            "$[*]",
            "strict $.a[0]",
            "$.** ? (@ > 1)",
            "$.a.type()",
            "$.b.size()",
            "lax $.x",
            "$ ? (@.a == 1)",
            "$.double()",
            "$.keyvalue()",
            "$.a.datetime()",
            "$[last]",
            "-$.a",
            "$.a + 1",
            "$ ? (@ like_regex \"^a\" flag \"i\")",
            "$.b[*] ? (exists(@.c))",
            "$.a == 1",
            "$.**{2}",
            "strict $.b[0 to last]",
            "$x.abs()",
            "$.a starts with \"x\"",
        ],
    ),
    (
        "uuid",
        &[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ],
    ),
    ("money", &["0", "1", "-1.23", "92233720368547758.07", "-92233720368547758.08", "1000.505", "12.34"]),
    (
        "inet",
        &[
            "0.0.0.0",
            "192.168.1.5/24",
            "10.0.0.0/8",
            "255.255.255.255",
            "::1",
            "2001:db8::1/64",
            "::ffff:1.2.3.4",
            "192.168.1.0/25",
            "::/0",
        ],
    ),
    (
        "cidr",
        &["0.0.0.0/0", "192.168.1.0/24", "10.0.0.0/8", "255.255.255.255/32", "::1/128", "2001:db8::/32"],
    ),
    ("macaddr", &["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "08:00:2b:01:02:03"]),
    (
        "macaddr8",
        &[
            "00:00:00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff:ff:ff",
            "08:00:2b:01:02:03:04:05",
            "08:00:2b:ff:fe:01:02:03",
        ],
    ),
    (
        "point",
        &[
            "(0,0)",
            "(1,2)",
            "(-3.5,4)",
            "(1e300,-1e300)",
            "(NaN,1)",
            "(Infinity,-Infinity)",
            "(5.1,34.5)",
            "(1e-300,1)",
        ],
    ),
    (
        "lseg",
        &[
            "[(0,0),(1,1)]",
            "[(1,2),(3,4)]",
            "[(0,0),(0,0)]",
            "[(-1,1e300),(1,-1e300)]",
            "[(0,3),(6,3)]",
            "[(NaN,0),(1,2)]",
        ],
    ),
    ("line", &["{1,-1,0}", "{0,1,2}", "{1,0,-3}", "{2.5,3,1e300}", "{NaN,1,1}", "{-1,-1,4}", "{1e-300,1,0}"]),
    (
        "box",
        &[
            "(1,1),(0,0)",
            "(3,4),(-1,-2)",
            "(0,0),(0,0)",
            "(1e300,1e300),(-1e300,-1e300)",
            "(2,2),(1,1)",
            "(Infinity,1),(0,0)",
            "(NaN,1),(0,0)",
        ],
    ),
    (
        "path",
        &[
            "[(0,0),(1,1)]",
            "((0,0),(1,1),(2,0))",
            "((1,2))",
            "[(1,2),(3,4),(-5,6)]",
            "((1e300,0),(0,1e300),(-1e300,-1e300))",
        ],
    ),
    (
        "polygon",
        &[
            "((0,0),(1,1),(2,0))",
            "((0,0),(0,4),(4,4),(4,0))",
            "((1,2))",
            "((1,1),(1,3),(3,3),(3,1))",
            "((1e300,0),(0,1e300),(-1e300,-1e300))",
            "((NaN,0),(1,1))",
        ],
    ),
    (
        "circle",
        &[
            "<(0,0),1>",
            "<(1,2),0>",
            "<(-3,4),5.5>",
            "<(1,1),1e300>",
            "<(NaN,0),1>",
            "<(1,2),Infinity>",
            "<(100,200),10>",
        ],
    ),
    ("oid", &["0", "23", "1259", "4294967295", "25"]),
    ("xid", &["0", "3", "4294967295"]),
    ("cid", &["0", "1", "4294967295"]),
    ("xid8", &["0", "3", "18446744073709551615", "4294967296"]),
    ("tid", &["(0,0)", "(0,1)", "(4294967295,65535)", "(7,3)"]),
    ("pg_lsn", &["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "0/1"]),
    ("pg_snapshot", &["10:20:10,14,15", "1:1:", "5:9:7"]),
    ("txid_snapshot", &["10:20:10,14,15", "1:1:", "5:9:7"]),
    ("regclass", &["pg_class", "0", "pg_type", "99999"]),
    ("regtype", &["int4", "0", "text[]", "numeric"]),
    ("regproc", &["now", "0", "int4pl"]),
    ("regprocedure", &["now()", "int4pl(int4,int4)", "0"]),
    ("regoper", &["||/", "0"]),
    ("regoperator", &["+(int4,int4)", "0", "-(none,int4)"]),
    ("regnamespace", &["pg_catalog", "0", "public"]),
    ("regrole", &["postgres", "0"]),
    ("regcollation", &["\"C\"", "0", "\"default\""]),
    ("refcursor", &["", "abc"]),
    ("mood", &["sad", "ok", "happy"]),
    ("comp", &["(1,a)", "(,)", "(-5,\"x y\")", "(1,)"]),
    ("posint", &["1", "5"]),
    ("vc5", &["abc", ""]),
    ("int4range", &["empty", "[1,10)", "(,5]", "[3,)", "(,)", "[5,6)", "[-5,3]"]),
    ("int8range", &["empty", "[1,10)", "(,5]", "[3,)", "(,)", "[5,6)"]),
    ("numrange", &["empty", "[1.5,10)", "(,5]", "(3,)", "(,)", "[5,5]", "[NaN,)", "(1.5,Infinity)"]),
    (
        "daterange",
        &["empty", "[2024-01-01,2024-02-29]", "(,infinity)", "[infinity,infinity]", "[2024-02-01,)", "(,)"],
    ),
    ("tsrange", &["empty", "[2024-01-01 00:00,2024-02-29 12:00]", "(,infinity)", "[2024-02-01,)", "(,)"]),
    (
        "tstzrange",
        &[
            "empty",
            "[2024-01-01 00:00+00,2024-02-29 12:00+00]",
            "(,infinity)",
            "[2024-02-01 00:00+00,)",
            "(,)",
        ],
    ),
    ("int4multirange", &["{}", "{[1,3),[5,10)}", "{(,)}", "{(,1],[7,)}", "{[5,6)}"]),
    ("int8multirange", &["{}", "{[1,3),[5,10)}", "{(,)}", "{(,1],[7,)}"]),
    ("nummultirange", &["{}", "{[1.5,3),(3,10)}", "{(,)}", "{(,1],[7,)}", "{[5,5]}"]),
    ("datemultirange", &["{}", "{[2024-01-01,2024-02-29],[2025-01-01,)}", "{(,)}"]),
    ("tsmultirange", &["{}", "{[2024-01-01,2024-02-29],[2025-01-01,)}", "{(,)}"]),
    (
        "tstzmultirange",
        &["{}", "{[2024-01-01 00:00+00,2024-02-29 00:00+00],[2025-01-01 00:00+00,)}", "{(,)}"],
    ),
    (
        "record",
        &[
            "=row(1,'a'::text,null::int)",
            "=row()",
            "=row(1)",
            "=row(1,'b'::text,2)",
            "=row(row(1,2),2.0)",
            "=row(null,null)",
        ],
    ),
    ("aclitem", &["postgres=r/postgres", "=r/postgres", "postgres=arwdDxt*/postgres"]),
    ("unknown", &["", "abc"]),
];

/// Types of the pools a polymorphic type may stand for.
pub const ELEMENTS: &[&str] = &[
    "int4",
    "text",
    "numeric",
    "date",
    "float8",
    "bool",
    "jsonb",
    "mood",
    "timestamptz",
    "comp",
    "varchar",
    "bpchar",
    "name",
    "int2",
    "interval",
    "uuid",
    "inet",
    "bytea",
    "posint",
    "varbit",
    "point",
    "int4range",
    "bit",
    "time",
    "money",
    "nummultirange",
];
/// Subtypes of ranges.
pub const SUBTYPES: &[&str] = &["int4", "int8", "numeric", "date", "timestamp", "timestamptz"];

/// The range type over a type.
pub fn range_of(element: &str) -> &'static str {
    match element {
        "int8" => "int8range",
        "numeric" => "numrange",
        "date" => "daterange",
        "timestamp" => "tsrange",
        "timestamptz" => "tstzrange",
        _ => "int4range",
    }
}

/// The multirange type over a type.
pub fn multirange_of(element: &str) -> String {
    range_of(element).replace("range", "multirange")
}

/// Does a type have samples?
pub fn known(ty: &str) -> bool {
    let ty = ty.strip_prefix('_').unwrap_or(ty);
    SCALARS.iter().any(|(n, _)| *n == ty)
}

/// The samples of a scalar type.
pub fn samples(ty: &str) -> &'static [&'static str] {
    SCALARS.iter().find(|(n, _)| *n == ty).map_or(&[], |(_, v)| v)
}

/// A type's name in SQL.
pub fn type_name(ty: &str) -> String {
    let (base, suffix) = ty.strip_prefix('_').map_or((ty, ""), |b| (b, "[]"));
    let name = match base {
        "char" => "\"char\"",
        "bit" => "varbit",
        "record" if suffix.is_empty() => return "record".into(),
        b => b,
    };
    format!("{name}{suffix}")
}

/// A string literal.
pub fn quote(s: &str) -> String {
    if s.contains('\\') {
        format!("E'{}'", s.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", s.replace('\'', "''"))
    }
}

/// A literal of a type, `NULL` now and then.
pub fn value(r: &mut Random, ty: &str) -> String {
    if r.below(14) == 0 {
        return match ty {
            "bit" => "null::bit".into(),
            _ => format!("null::{}", type_name(ty)),
        };
    }
    if let Some(element) = ty.strip_prefix('_') {
        return array(r, element);
    }
    let list = samples(ty);
    let text = list[r.below(list.len())];
    match (ty, text.strip_prefix('=')) {
        (_, Some(expression)) => expression.to_string(),
        ("bit", _) => format!("B'{text}'"),
        ("unknown", _) => quote(text),
        _ => format!("{}::{}", quote(text), type_name(ty)),
    }
}

fn array(r: &mut Random, element: &str) -> String {
    let list = samples(element);
    if list.is_empty() || element == "record" {
        return "array[row(1,'a'::text),row(2,null)]".into();
    }
    let one = |r: &mut Random| {
        if r.below(8) == 0 {
            return "NULL".to_string();
        }
        let s = list[r.below(list.len())];
        format!("\"{}\"", s.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let text = match r.below(7) {
        0 => "{}".to_string(),
        1 => format!("{{{}}}", one(r)),
        2 => format!("{{{{{},{}}},{{{},{}}}}}", one(r), one(r), one(r), one(r)),
        3 => format!("[2:3]={{{},{}}}", one(r), one(r)),
        4 => format!("[-1:0][5:5]={{{{{}}},{{{}}}}}", one(r), one(r)),
        n => {
            let items: Vec<String> = (0..n - 2).map(|_| one(r)).collect();
            format!("{{{}}}", items.join(","))
        }
    };
    let name = if element == "bit" { "bit(4)[]".into() } else { type_name(&format!("_{element}")) };
    format!("{}::{name}", quote(&text))
}
