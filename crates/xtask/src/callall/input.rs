//! Input syntax: literals of each type with random changes, type modifiers, templates of `to_char` and its inverses, regular
//! expressions, `format`, and bytes for the receive functions.

use super::Gen;
use super::pool::{SCALARS, quote, type_name};
use super::wire::{Statement, hex};

const DATES: &[&str] = &[
    "Jan 8 1999",
    "1999-01-08",
    "January 8, 1999",
    "1/8/1999",
    "1/18/1999",
    "01/02/03",
    "1999-Jan-08",
    "08-Jan-99",
    "Jan-08-1999",
    "19990108",
    "990108",
    "1999.008",
    "J2451187",
    "January 8, 99 BC",
    "04:05:06.789",
    "040506",
    "04:05 AM",
    "04:05 PM",
    "04:05:06.789-8",
    "040506-08",
    "04:05:06 PST",
    "2003-04-12 04:05:06 America/New_York",
    "now",
    "epoch",
    "allballs",
    "2024-02-30",
    "2023-02-29",
    "24:00:00",
    "23:59:60",
    "25:00",
    "12:60",
    "yesterday",
    "1999-01-08 04:05:06 -8:00",
    "Sat Jan 8 04:05:06 1999 PST",
    "2000-01-01T00:00:00Z",
    "2000-01-01 00:00:00+15:59:59",
    "2000-01-01 00:00:00+16",
    "infinity",
    "-infinity",
    "+infinity",
    "99999-01-01",
    "0000-01-01",
    "2000-13-01",
    "2000 366",
    "1 2",
    "mon",
    "12:00 noon",
    "2001-02-16 20:38:40 UTC+3",
    "2001-02-16 20:38:40 EST5EDT",
    "20011225T040506.789-08",
    "2001-W05-1",
    "Jan 1 10:00 2001 MSK",
    "10:20:30 2000-05-06 BC",
    "1e3",
    "1999-01-08 allballs",
    "y2001m02d04",
    "040506.789+08",
    "T04:05:06",
    "1997-02-10 17:32:01.1234567",
    "Feb 10 17:32:01 1997 -0800",
    "12.30.45",
];
const INTERVALS: &[&str] = &[
    "1 day",
    "1-2",
    "3 4:05:06",
    "1 year 2 months 3 days 4 hours 5 minutes 6 seconds",
    "P1Y2M3DT4H5M6S",
    "P0001-02-03T04:05:06",
    "-1-2 +3 -4:05:06",
    "1.5 months",
    "1.5 years",
    "0.5 weeks",
    "1 week ago",
    "@ 1 minute",
    "1 decade 2 centuries",
    "1 millennium",
    "3 h 4 m 5 s",
    "1:2",
    "1:2:3.4",
    "-1:2",
    "+1",
    "1",
    "1.5",
    "1 day 1 day",
    "P1W",
    "PT1.5H",
    "P-1Y",
    "1 us",
    "1 ms 2 us",
    "100000000000 years",
    "1 mon 1 mons",
    "P1Y2M3W",
    "P20000101",
    "-1 -2",
    "1d2h",
    "infinity",
    "1 quarter",
    "1.1 us",
    "1e3 sec",
    "2147483647 months",
    "2147483648 months",
    "1 y 2 mon 3 d 4 h 5 min 6 s ago",
    "PT",
    "P",
    "1 12:59:10.5 ago",
];
const TYPMODS: &[&str] = &[
    "varchar(3)",
    "varchar(0)",
    "char(3)",
    "char",
    "bpchar(2)",
    "numeric(3,1)",
    "numeric(2)",
    "numeric(3,-2)",
    "numeric(2,4)",
    "numeric(1001)",
    "numeric(0)",
    "numeric(5,1001)",
    "bit(3)",
    "bit",
    "varbit(2)",
    "bit varying(0)",
    "timestamp(0)",
    "timestamp(3)",
    "timestamp(7)",
    "timestamptz(2)",
    "time(1)",
    "timetz(4)",
    "interval(2)",
    "interval year",
    "interval year to month",
    "interval month",
    "interval day",
    "interval day to hour",
    "interval day to minute",
    "interval day to second",
    "interval day to second(1)",
    "interval hour",
    "interval hour to minute",
    "interval hour to second",
    "interval minute",
    "interval minute to second(3)",
    "interval second",
    "interval second(0)",
    "float(1)",
    "float(24)",
    "float(25)",
    "float(54)",
    "float(0)",
    "int4(3)",
    "text(3)",
    "varchar(-1)",
    "varchar(10485761)",
    "numeric(1,2,3)",
    "varchar(3,4)",
    "numeric(3,1)[]",
    "varchar(2)[]",
    "date(3)",
    "decimal(4,2)",
    "national character(2)",
    "timestamp(-1)",
];

/// A text with a few random changes.
fn mutate(g: &mut Gen, text: &str) -> String {
    const EXTRA: &[&str] = &[
        " ", ",", "(", ")", "{", "}", "[", "]", "-", "+", ".", "e", "x", "0", "9", ":", "/", "\"", "\\", "é",
        "99999", "nan", "%", "_", "'", "\t",
    ];
    let mut chars: Vec<String> = text.chars().map(String::from).collect();
    for _ in 0..1 + g.random.below(2) {
        let at = g.random.below(chars.len() + 1);
        match g.random.below(4) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 if at + 1 < chars.len() => chars.swap(at, at + 1),
            2 => chars.truncate(at),
            _ => chars.insert(at, g.random.pick(EXTRA).to_string()),
        }
    }
    chars.concat()
}

pub fn literals(g: &mut Gen) -> Result<(), String> {
    for (ty, samples) in SCALARS {
        if ["record", "cstring", "unknown"].contains(ty) {
            continue;
        }
        let family = format!("input {ty}");
        for s in samples.iter().filter(|s| !s.starts_with('=')) {
            for _ in 0..g.calls {
                let m = mutate(g, s);
                g.add(&family, format!("select {}::{}", quote(&m), type_name(ty)));
            }
            let m = mutate(g, s);
            g.add(&family, format!("select {} {}", type_name(ty), quote(&m)));
            let m = mutate(g, &format!("{{\"{}\",\"{s}\"}}", s.replace('"', "\\\"")));
            g.add(&format!("input {ty}[]"), format!("select {}::{}[]", quote(&m), type_name(ty)));
            for t in TYPMODS {
                if g.random.below(TYPMODS.len() / (1 + g.calls / 3)) == 0 {
                    g.add(&format!("typmod {t}"), format!("select {}::{}::{t}", quote(s), type_name(ty)));
                    g.add(&format!("typmod {t}"), format!("select {}::{t}", quote(s)));
                }
            }
        }
    }
    for ty in ["date", "time", "timetz", "timestamp", "timestamptz"] {
        for s in DATES {
            if *s != "now" && *s != "yesterday" {
                g.add(&format!("input {ty}"), format!("select {}::{ty}", quote(s)));
            }
            for _ in 0..g.calls / 2 {
                let m = mutate(g, s);
                let now = ["now", "today", "yest", "tomor"].iter().any(|w| m.contains(w));
                if !now {
                    g.add(&format!("input {ty}"), format!("select {}::{ty}", quote(&m)));
                }
            }
        }
    }
    for s in INTERVALS {
        g.add("input interval", format!("select {}::interval", quote(s)));
        for _ in 0..g.calls {
            let m = mutate(g, s);
            g.add("input interval", format!("select {}::interval", quote(&m)));
            let t = g.random.pick(TYPMODS);
            if t.starts_with("interval") {
                g.add("input interval fields", format!("select {}::{t}", quote(&m)));
                if let Some(fields) = t.strip_prefix("interval ") {
                    g.add("input interval fields", format!("select interval {} {fields}", quote(&m)));
                }
            }
        }
    }
    Ok(())
}

const DATE_PATTERNS: &[&str] = &[
    "HH", "HH12", "HH24", "MI", "SS", "MS", "US", "FF1", "FF3", "FF6", "SSSS", "SSSSS", "AM", "am", "P.M.",
    "p.m.", "Y,YYY", "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "I", "BC", "b.c.", "ad", "A.D.", "MONTH",
    "Month", "month", "MON", "Mon", "mon", "MM", "DAY", "Day", "day", "DY", "Dy", "dy", "DDD", "IDDD", "DD",
    "D", "ID", "W", "WW", "IW", "CC", "J", "Q", "RM", "rm", "TZ", "tz", "TZH", "TZM", "OF",
];
const NUMBER_PATTERNS: &[&str] = &[
    "9", "99", "999", "0", "00", ".", ",", "D", "G", "S", "MI", "PL", "SG", "PR", "L", "RN", "rn", "TH",
    "th", "V", "V9", "EEEE", "FM", "9999", "099", "x", "\"a b\"", " ", "-", "B", "C", "SP",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "12",
    "-12.5",
    "0.1",
    "-0.01",
    "1234.567",
    "485",
    "3999",
    "4000",
    "123456789",
    "1e20",
    "NaN",
    "Infinity",
    "-Infinity",
    "0.0005",
    "99.995",
    "-0",
    "1e-10",
];
const TEXTS: &[&str] = &[
    "2024-02-29",
    "12:34:56",
    "12:34:56 PM",
    "05 Dec 2000",
    "20240229123456",
    "1,999",
    "99",
    "2",
    "366",
    "Monday",
    "IV",
    "IX",
    "-5",
    "+05:30",
    "2024 b.c.",
    "1234.567890",
    "december",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "12454.8-",
    "$ 12.5",
    "<12>",
    "1.5e3",
    "-12,345",
    "MCMXC",
    "12th",
    "",
    "  12  34",
    "abc",
    "0",
    "13",
    "25:00",
    "J2451187",
    "1st",
    "44-03-15 BC",
];
const SUBJECTS: &[&str] = &[
    "",
    "a",
    "abc",
    "foobarbequebaz",
    "aaaa",
    "the quick brown fox",
    "Hello World\nsecond line\nthird",
    "x,y;z",
    "123-456-7890",
    "ÄÖÜ äöü",
    "a.b*c",
    "foo\tbar",
    "ABCabc123",
    "aXbXc",
    "日本語",
];
const PATTERNS: &[&str] = &[
    "",
    "a",
    "b*",
    "(b)(c)?",
    "^a",
    "c$",
    ".",
    "\\d+",
    "[a-c]+",
    "[^a-z]",
    "(a|b)*c",
    "x*?",
    "\\m\\w+\\M",
    "(?i)ABC",
    "(.)\\1",
    "\\s",
    "[[:alpha:]]+",
    "[[:<:]]a",
    "a{2}",
    "a{1,}?",
    "(?:foo)(bar)",
    "(?=b)",
    "(?!a).",
    "(?<=o)b",
    "\\y",
    "\\A.",
    ".\\Z",
    "[",
    "(",
    "a{",
    "a{3,2}",
    "*",
    "\\",
    "(?x) a b # c",
    "***=a.b",
    "[[:foo:]]",
    "\\u00e4",
    "o+|e",
    "(a)(b)?(c)?",
    "[z-a]",
    "\\x41",
    "^.*$",
    "\\n",
    "(^|X)b",
    "((a))",
    "a|",
    "()",
    "\\1",
    "(?<!a)b",
    "[\\w]+",
];
const FLAGS: &[&str] = &["", "g", "i", "gi", "n", "x", "m", "s", "p", "w", "q", "z", "gq", "in", "c", "ic"];

fn template(g: &mut Gen, patterns: &[&str], date: bool) -> String {
    let mut t = String::new();
    for _ in 0..1 + g.random.below(4) {
        if date && g.random.below(5) == 0 {
            t.push_str(g.random.pick(&["FM", "FX", "TM"]));
        }
        t.push_str(g.random.pick(patterns));
        if date && g.random.below(7) == 0 {
            t.push_str(g.random.pick(&["TH", "th", "SP"]));
        }
        if date || g.random.below(3) == 0 {
            t.push_str(g.random.pick(if date {
                &["", " ", "-", "/", ":", "\"x\"", ",", ".", "  ", "T", "\\\""]
            } else {
                &["", " ", "9"]
            }));
        }
    }
    t
}

pub fn templates(g: &mut Gen) -> Result<(), String> {
    let dates: Vec<(String, &str)> = ["timestamp", "timestamptz", "interval"]
        .iter()
        .flat_map(|ty| super::pool::samples(ty).iter().map(|s| (quote(s), *ty)).collect::<Vec<_>>())
        .collect();
    for (value, ty) in &dates {
        for n in 0..g.calls * 4 {
            let t = if n < 3 {
                g.random.pick(DATE_PATTERNS).to_string()
            } else {
                template(g, DATE_PATTERNS, true)
            };
            g.add(&format!("to_char {ty}"), format!("select to_char({value}::{ty}, {})", quote(&t)));
        }
    }
    for v in NUMBERS {
        for ty in ["numeric", "float8", "float4", "int4", "int8"] {
            if ty.starts_with("int") && v.contains(['.', 'e', 'N', 'I']) {
                continue;
            }
            for _ in 0..g.calls * 3 {
                let t = template(g, NUMBER_PATTERNS, false);
                g.add(&format!("to_char {ty}"), format!("select to_char({}::{ty}, {})", quote(v), quote(&t)));
            }
        }
    }
    for s in TEXTS {
        for _ in 0..g.calls * 4 {
            let t = template(g, DATE_PATTERNS, true);
            let f = g.random.pick(&["to_date", "to_timestamp"]);
            g.add(f, format!("select {f}({}, {})", quote(s), quote(&t)));
            let t = template(g, NUMBER_PATTERNS, false);
            g.add("to_number", format!("select to_number({}, {})", quote(s), quote(&t)));
        }
    }
    // What to_char wrote, read back.
    for (value, _) in dates.iter().take(11) {
        for _ in 0..g.calls * 4 {
            let t = quote(&template(g, DATE_PATTERNS, true));
            let f = g.random.pick(&["to_date", "to_timestamp"]);
            g.add(f, format!("select {f}(to_char({value}::timestamp, {t}), {t})"));
        }
    }
    regular(g);
    formats(g);
    Ok(())
}

fn regular(g: &mut Gen) {
    for p in PATTERNS {
        for _ in 0..g.calls * 6 {
            let s = quote(g.random.pick(SUBJECTS));
            let (p, f) = (quote(p), quote(g.random.pick(FLAGS)));
            let n = g.random.pick(&["0", "1", "2", "3", "-1", "100"]);
            let m = g.random.pick(&["0", "1", "2", "-1"]);
            let r = quote(g.random.pick(&["", "X", "<\\1>", "\\&\\&", "\\\\", "\\2-\\1", "\\x"]));
            let (name, sql) = match g.random.below(15) {
                0 => ("regexp_replace", format!("regexp_replace({s}, {p}, {r}, {f})")),
                1 => ("regexp_replace", format!("regexp_replace({s}, {p}, {r}, {n}, {m}, {f})")),
                2 => ("regexp_match", format!("regexp_match({s}, {p}, {f})")),
                3 => ("regexp_matches", format!("regexp_matches({s}, {p}, {f})")),
                4 => ("regexp_split_to_array", format!("regexp_split_to_array({s}, {p}, {f})")),
                5 => ("regexp_split_to_table", format!("regexp_split_to_table({s}, {p}, {f})")),
                6 => ("regexp_count", format!("regexp_count({s}, {p}, {n}, {f})")),
                7 => ("regexp_instr", format!("regexp_instr({s}, {p}, {n}, {n}, {m}, {f}, {m})")),
                8 => ("regexp_substr", format!("regexp_substr({s}, {p}, {n}, {n}, {f}, {m})")),
                9 => ("regexp_like", format!("regexp_like({s}, {p}, {f})")),
                10 => ("substring", format!("substring({s} from {p})")),
                11 => ("~", format!("{s} ~ {p}, {s} ~* {p}, {s} !~ {p}")),
                12 => ("similar", format!("{s} similar to {p}, {s} similar to {p} escape '#'")),
                13 => ("like", format!("{s} like {p}, {s} ilike {p}, {s} like {p} escape 'b'")),
                _ => ("similar", format!("substring({s} similar {p} escape '#')")),
            };
            g.add(name, format!("select {sql}"));
        }
    }
}

fn formats(g: &mut Gen) {
    const PARTS: &[&str] = &[
        "%s",
        "%I",
        "%L",
        "%%",
        "%1$s",
        "%2$L",
        "%-5s",
        "%10s",
        "%*s",
        "%*2$s",
        "%-*1$s",
        "%",
        "%z",
        "%0$s",
        "%5$s",
        "x",
        "é",
        "%1$-8I",
        "% s",
        "%1",
        "%$s",
        "%99999999999s",
    ];
    const ARGS: &[&str] = &[
        "'a'",
        "null",
        "'it''s'",
        "'A b'",
        "5",
        "-7",
        "12.50",
        "true",
        "date '2024-01-02'",
        "array[1,2]",
        "'select'",
        "E'a\\\\b'",
    ];
    for _ in 0..g.calls * 60 {
        let t: String = (0..1 + g.random.below(4)).map(|_| g.random.pick(PARTS)).collect();
        let args: Vec<&str> = (0..g.random.below(4)).map(|_| g.random.pick(ARGS)).collect();
        let args: String = args.iter().map(|a| format!(", {a}")).collect();
        g.add("format", format!("select format({}{args})", quote(&t)));
    }
}

/// Bytes of each type's send function, whole and damaged, as a binary parameter.
pub fn recv(g: &mut Gen) -> Result<(), String> {
    let sql = "select typname, typsend::text, oid from pg_type where typsend <> 0 and typreceive <> 0 and oid < 16384";
    let types = g.oracle.rows(sql)?;
    for row in types {
        let (ty, send) = (&row[0], &row[1]);
        let Ok(oid) = row[2].parse::<u32>() else { continue };
        if !super::pool::known(ty)
            || ["cstring", "unknown", "aclitem", "record"].contains(&ty.as_str())
            || ty.starts_with("_record")
            || ty == "_aclitem"
        {
            continue;
        }
        let family = format!("recv {ty}");
        for _ in 0..3 + g.calls * 2 {
            let v = super::pool::value(&mut g.random, ty);
            let text = match g.oracle.rows(&format!("select encode({send}({v}), 'hex')")) {
                Ok(rows) => rows.into_iter().flatten().next().unwrap_or_default(),
                Err(_) => continue,
            };
            let digits: Vec<u8> = text.bytes().collect();
            let byte = |c: &[u8]| {
                std::str::from_utf8(c).ok().and_then(|s| u8::from_str_radix(s, 16).ok()).unwrap_or(0)
            };
            let mut bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
            debug_assert_eq!(hex(&bytes), text);
            let at = g.random.below(bytes.len() + 1);
            match g.random.below(5) {
                0 => {}
                1 => bytes.truncate(at),
                2 => bytes.insert(at, g.random.below(256) as u8),
                _ if at < bytes.len() => {
                    bytes[at] = g.random.pick(&[&0u8, &1, &2, &127, &128, &255, &65]).to_owned()
                }
                _ => bytes.clear(),
            }
            let sql = "select $1, $1::text".to_string();
            g.out.push(Statement {
                family: family.clone(),
                sql,
                binary: true,
                parameter: Some((oid, bytes)),
            });
        }
    }
    Ok(())
}
