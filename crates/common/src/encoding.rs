//! Character encodings of clients: PostgreSQL's names and numbers, and the way between them and UTF-8, which is what the
//! server works in. The tables come from `encoding_rs`; what the web's standard sees differently (LATIN1, control
//! characters) is put right here.

use crate::{Result, bail};
use encoding_rs as rs;
use std::borrow::Cow;

/// An encoding, by PostgreSQL's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(u8);

/// How an encoding is turned into UTF-8.
enum Tables {
    /// The bytes are UTF-8, or are taken for it.
    Same,
    Latin1,
    Other(&'static rs::Encoding),
    Missing,
}

/// Name and longest character in bytes, by number.
const ENCODINGS: [(&str, i32); 42] = [
    ("SQL_ASCII", 1),
    ("EUC_JP", 3),
    ("EUC_CN", 3),
    ("EUC_KR", 3),
    ("EUC_TW", 4),
    ("EUC_JIS_2004", 3),
    ("UTF8", 4),
    ("MULE_INTERNAL", 4),
    ("LATIN1", 1),
    ("LATIN2", 1),
    ("LATIN3", 1),
    ("LATIN4", 1),
    ("LATIN5", 1),
    ("LATIN6", 1),
    ("LATIN7", 1),
    ("LATIN8", 1),
    ("LATIN9", 1),
    ("LATIN10", 1),
    ("WIN1256", 1),
    ("WIN1258", 1),
    ("WIN866", 1),
    ("WIN874", 1),
    ("KOI8R", 1),
    ("WIN1251", 1),
    ("WIN1252", 1),
    ("ISO_8859_5", 1),
    ("ISO_8859_6", 1),
    ("ISO_8859_7", 1),
    ("ISO_8859_8", 1),
    ("WIN1250", 1),
    ("WIN1253", 1),
    ("WIN1254", 1),
    ("WIN1255", 1),
    ("WIN1257", 1),
    ("KOI8U", 1),
    ("SJIS", 2),
    ("BIG5", 2),
    ("GBK", 2),
    ("UHC", 2),
    ("GB18030", 4),
    ("JOHAB", 3),
    ("SHIFT_JIS_2004", 2),
];

/// Other names people use, as letters and digits alone.
const ALIASES: [(&str, &str); 34] = [
    ("abc", "WIN1258"),
    ("alt", "WIN866"),
    ("eucjis2004", "EUC_JIS_2004"),
    ("iso88591", "LATIN1"),
    ("iso885910", "LATIN6"),
    ("iso885913", "LATIN7"),
    ("iso885914", "LATIN8"),
    ("iso885915", "LATIN9"),
    ("iso885916", "LATIN10"),
    ("iso88592", "LATIN2"),
    ("iso88593", "LATIN3"),
    ("iso88594", "LATIN4"),
    ("iso88599", "LATIN5"),
    ("koi8", "KOI8R"),
    ("mskanji", "SJIS"),
    ("shiftjis", "SJIS"),
    ("tcvn", "WIN1258"),
    ("tcvn5712", "WIN1258"),
    ("unicode", "UTF8"),
    ("vscii", "WIN1258"),
    ("win", "WIN1251"),
    ("win932", "SJIS"),
    ("win936", "GBK"),
    ("win949", "UHC"),
    ("win950", "BIG5"),
    ("windows866", "WIN866"),
    ("windows874", "WIN874"),
    ("windows932", "SJIS"),
    ("windows936", "GBK"),
    ("windows949", "UHC"),
    ("windows950", "BIG5"),
    ("windows1250", "WIN1250"),
    ("windows1251", "WIN1251"),
    ("windows1252", "WIN1252"),
];

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

impl Encoding {
    pub const SQL_ASCII: Encoding = Encoding(0);
    pub const UTF8: Encoding = Encoding(6);

    /// By name: case, blanks and punctuation do not matter.
    pub fn by_name(name: &str) -> Option<Encoding> {
        let wanted = letters(name);
        let alias = ALIASES.iter().find(|a| a.0 == wanted).map(|a| a.1);
        let windows = wanted.strip_prefix("windows").map(|n| format!("win{n}"));
        let wanted = alias.map(letters).or(windows).unwrap_or(wanted);
        ENCODINGS.iter().position(|e| letters(e.0) == wanted).map(|n| Encoding(n as u8))
    }
    /// By PostgreSQL's number.
    pub fn by_number(n: i32) -> Option<Encoding> {
        (0..ENCODINGS.len() as i32).contains(&n).then_some(Encoding(n as u8))
    }
    /// PostgreSQL's number.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }
    /// PostgreSQL's name.
    pub fn name(self) -> &'static str {
        ENCODINGS[usize::from(self.0)].0
    }
    /// Bytes of the longest character.
    pub fn max_length(self) -> i32 {
        ENCODINGS[usize::from(self.0)].1
    }
    /// Is there a way between this encoding and UTF-8?
    pub fn is_convertible(self) -> bool {
        !matches!(self.tables(), Tables::Missing)
    }
    /// Do its bytes pass through unchanged?
    pub fn is_identity(self) -> bool {
        matches!(self.tables(), Tables::Same)
    }

    fn tables(self) -> Tables {
        Tables::Other(match self.name() {
            "SQL_ASCII" | "UTF8" => return Tables::Same,
            "LATIN1" => return Tables::Latin1,
            "EUC_JP" => rs::EUC_JP,
            "EUC_CN" | "GBK" => rs::GBK,
            "EUC_KR" | "UHC" => rs::EUC_KR,
            "LATIN2" => rs::ISO_8859_2,
            "LATIN3" => rs::ISO_8859_3,
            "LATIN4" => rs::ISO_8859_4,
            "LATIN5" | "WIN1254" => rs::WINDOWS_1254,
            "LATIN6" => rs::ISO_8859_10,
            "LATIN7" => rs::ISO_8859_13,
            "LATIN8" => rs::ISO_8859_14,
            "LATIN9" => rs::ISO_8859_15,
            "LATIN10" => rs::ISO_8859_16,
            "WIN1256" => rs::WINDOWS_1256,
            "WIN1258" => rs::WINDOWS_1258,
            "WIN866" => rs::IBM866,
            "WIN874" => rs::WINDOWS_874,
            "KOI8R" => rs::KOI8_R,
            "WIN1251" => rs::WINDOWS_1251,
            "WIN1252" => rs::WINDOWS_1252,
            "ISO_8859_5" => rs::ISO_8859_5,
            "ISO_8859_6" => rs::ISO_8859_6,
            "ISO_8859_7" => rs::ISO_8859_7,
            "ISO_8859_8" => rs::ISO_8859_8,
            "WIN1250" => rs::WINDOWS_1250,
            "WIN1253" => rs::WINDOWS_1253,
            "WIN1255" => rs::WINDOWS_1255,
            "WIN1257" => rs::WINDOWS_1257,
            "KOI8U" => rs::KOI8_U,
            "SJIS" => rs::SHIFT_JIS,
            "BIG5" => rs::BIG5,
            "GB18030" => rs::GB18030,
            _ => return Tables::Missing,
        })
    }

    /// Windows code pages have no characters where the web's standard puts C1 controls.
    fn has_no_controls(self) -> bool {
        self.name().starts_with("WIN12") || self.name() == "WIN874"
    }

    /// Text of this encoding as UTF-8. 22021 for bytes that are no text, 22P05 for characters UTF-8 does not have.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>> {
        if bytes.is_ascii() {
            return Ok(Cow::Borrowed(std::str::from_utf8(bytes).unwrap_or_default()));
        }
        match self.tables() {
            Tables::Same => std::str::from_utf8(bytes).map(Cow::Borrowed).or_else(|e| {
                let bad = &bytes[e.valid_up_to()..];
                self.invalid(&bad[..e.error_len().unwrap_or(bad.len()).clamp(1, 4).min(bad.len())])
            }),
            Tables::Latin1 => Ok(Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect())),
            Tables::Other(t) => self.decode_by(t, bytes).map(Cow::Owned),
            Tables::Missing => bail!(
                UNDEFINED_FUNCTION,
                "default conversion function for encoding \"{}\" to \"UTF8\" does not exist",
                self.name()
            ),
        }
    }

    fn decode_by(self, tables: &'static rs::Encoding, bytes: &[u8]) -> Result<String> {
        let mut d = tables.new_decoder_without_bom_handling();
        let mut out = String::with_capacity(d.max_utf8_buffer_length(bytes.len()).unwrap_or(0));
        let (r, read) = d.decode_to_string_without_replacement(bytes, &mut out, true);
        if let rs::DecoderResult::Malformed(len, extra) = r {
            let end = read.saturating_sub(usize::from(extra));
            let bad = &bytes[end.saturating_sub(usize::from(len.max(1)))..end];
            return if self.max_length() == 1 { self.no_utf8(bad) } else { self.invalid(bad) };
        }
        if self.has_no_controls()
            && let Some(c) = out.chars().find(|c| ('\u{80}'..='\u{9f}').contains(c))
        {
            return self.no_utf8(&[c as u32 as u8]);
        }
        Ok(out)
    }

    fn invalid<T>(self, bad: &[u8]) -> Result<T> {
        bail!(
            CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"{}\": {}",
            self.name(),
            hex(bad)
        )
    }
    fn no_utf8<T>(self, bad: &[u8]) -> Result<T> {
        bail!(
            UNTRANSLATABLE_CHARACTER,
            "character with byte sequence {} in encoding \"{}\" has no equivalent in encoding \"UTF8\"",
            hex(bad),
            self.name()
        )
    }

    /// UTF-8 text in this encoding. 22P05 for the first character it does not have.
    pub fn encode(self, text: &str) -> Result<Cow<'_, [u8]>> {
        let (bytes, missing) = self.encode_with(text, None);
        match missing {
            None => Ok(bytes),
            Some(c) => {
                let mut b = [0; 4];
                bail!(
                    UNTRANSLATABLE_CHARACTER,
                    "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"{}\"",
                    hex(c.encode_utf8(&mut b).as_bytes()),
                    self.name()
                )
            }
        }
    }
    /// UTF-8 text in this encoding, with `?` for what it does not have: for messages that must get through.
    pub fn encode_lossy(self, text: &str) -> Cow<'_, [u8]> {
        self.encode_with(text, Some(b'?')).0
    }

    /// The text encoded, and the first character that could not be when there is no `substitute`.
    fn encode_with(self, text: &str, substitute: Option<u8>) -> (Cow<'_, [u8]>, Option<char>) {
        if text.is_ascii() {
            return (Cow::Borrowed(text.as_bytes()), None);
        }
        let tables = match self.tables() {
            Tables::Same | Tables::Missing => return (Cow::Borrowed(text.as_bytes()), None),
            Tables::Latin1 => None,
            Tables::Other(t) => Some(t),
        };
        let mut out = Vec::with_capacity(text.len() + text.len() / 4);
        for c in text.chars() {
            if !self.encode_char(tables, c, &mut out) {
                match substitute {
                    Some(s) => out.push(s),
                    None => return (Cow::Borrowed(b""), Some(c)),
                }
            }
        }
        (Cow::Owned(out), None)
    }

    fn encode_char(self, tables: Option<&'static rs::Encoding>, c: char, out: &mut Vec<u8>) -> bool {
        if c.is_ascii() {
            out.push(c as u8);
            return true;
        }
        let Some(tables) = tables else {
            return u8::try_from(u32::from(c)).map(|b| out.push(b)).is_ok();
        };
        if self.has_no_controls() && ('\u{80}'..='\u{9f}').contains(&c) {
            return false;
        }
        let (mut text, mut bytes) = ([0; 4], [0; 16]);
        let (r, _, n) = tables.new_encoder().encode_from_utf8_without_replacement(
            c.encode_utf8(&mut text),
            &mut bytes,
            true,
        );
        out.extend_from_slice(&bytes[..n]);
        r == rs::EncoderResult::InputEmpty
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("0x{b:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (name, number) in [
            ("UTF8", 6),
            ("'utf-8'", 6),
            ("unicode", 6),
            ("latin1", 8),
            ("iso-8859-15", 16),
            ("sql_ascii", 0),
            ("Windows-1257", 33),
            ("koi8", 22),
            ("EUCJP", 1),
        ] {
            assert_eq!(Encoding::by_name(name).map(Encoding::number), Some(number), "{name}");
        }
        assert_eq!(Encoding::by_name("x"), None);
        assert_eq!(Encoding::by_number(99), None);
    }

    #[test]
    fn there_and_back() {
        for (name, text, bytes) in [
            ("LATIN1", "é\u{85}", &b"\xe9\x85"[..]),
            ("LATIN9", "€", b"\xa4"),
            ("WIN1252", "€ß", b"\x80\xdf"),
            ("KOI8R", "да", b"\xc4\xc1"),
            ("SJIS", "日本", b"\x93\xfa\x96\x7b"),
            ("EUC_JP", "日本", b"\xc6\xfc\xcb\xdc"),
            ("GB18030", "中", b"\xd6\xd0"),
        ] {
            let e = Encoding::by_name(name).unwrap();
            assert_eq!(&*e.encode(text).unwrap(), bytes, "{name}");
            assert_eq!(e.decode(bytes).unwrap(), text, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_an_error() {
        let message = |e: crate::Error| e.report().message.clone();
        let (latin1, win) = (Encoding::by_name("LATIN1").unwrap(), Encoding::by_name("WIN1252").unwrap());
        assert_eq!(
            message(latin1.encode("a€").unwrap_err()),
            "character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\""
        );
        assert_eq!(
            message(win.decode(b"\x81").unwrap_err()),
            "character with byte sequence 0x81 in encoding \"WIN1252\" has no equivalent in encoding \"UTF8\""
        );
        assert_eq!(&*latin1.encode_lossy("a€é"), b"a?\xe9");
        let sjis = Encoding::by_name("SJIS").unwrap();
        assert_eq!(
            message(sjis.decode(b"a\x93").unwrap_err()),
            "invalid byte sequence for encoding \"SJIS\": 0x93"
        );
    }

    #[test]
    fn any_bytes_are_text_or_an_error() {
        for n in 0..ENCODINGS.len() as i32 {
            let e = Encoding::by_number(n).unwrap();
            for a in 0..=255u8 {
                for b in [0x00, 0x30, 0x40, 0x7f, 0x80, 0xa1, 0xff] {
                    if let Ok(text) = e.decode(&[a, b]) {
                        let _ = e.encode(&text);
                    }
                }
            }
        }
    }
}
