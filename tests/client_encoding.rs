//! Clients whose encoding is not UTF-8: queries, parameters, rows, errors and COPY in their bytes. `STEGODON_ASK=postgresql`
//! asks a real PostgreSQL 15 instead: what the test expects is what that says.
#![allow(clippy::unwrap_used)]

use testkit::{Cluster, Fields, Kind, Options, Wire};

fn cluster() -> Cluster {
    let kind = match std::env::var("STEGODON_ASK").as_deref() {
        Ok("postgresql") => Kind::PostgreSql,
        _ => Kind::Stegodon,
    };
    Cluster::start(kind, Options::default()).unwrap()
}

/// Sends messages and gathers what matters of the answers up to ReadyForQuery: rows, COPY data, errors, column names.
fn talk(w: &mut Wire, messages: &[(u8, &[u8])]) -> Vec<(char, Vec<u8>)> {
    for (kind, body) in messages {
        w.send(*kind, body).unwrap();
    }
    let mut out = Vec::new();
    loop {
        let (kind, body) = w.message().unwrap();
        match kind {
            b'Z' => return out,
            b'D' => out.push(('D', body[2..].to_vec())),
            b'd' => out.push(('d', body)),
            b'E' => out.push(('E', Fields::parse(&body).message().as_bytes().to_vec())),
            b'T' => {
                let name = body[2..].split(|b| *b == 0).next().unwrap();
                out.push(('T', name.to_vec()));
            }
            _ => {}
        }
    }
}

fn query(w: &mut Wire, sql: &[u8]) -> Vec<(char, Vec<u8>)> {
    talk(w, &[(b'Q', &[sql, b"\0"].concat())])
}

/// One value of a DataRow.
fn value(v: &[u8]) -> Vec<u8> {
    [&(v.len() as u32).to_be_bytes()[..], v].concat()
}

#[test]
fn latin1_in_every_direction() {
    let c = cluster();
    let mut w = Wire::connect(&c).unwrap();
    query(&mut w, b"create table t (a text, b int); set client_encoding = 'LATIN1'");
    let rows = query(&mut w, b"insert into t values ('caf\xe9', 1) returning a as \"\xe9t\xe9\"");
    assert_eq!(rows, [('T', b"\xe9t\xe9".to_vec()), ('D', value(b"caf\xe9"))]);
    assert_eq!(query(&mut w, b"select length(a) from t")[1..], [('D', value(b"4"))]);
    assert_eq!(
        query(&mut w, b"select \xe9 from t"),
        [('E', "column \"\u{fffd}\" does not exist".as_bytes().to_vec())]
    );
    assert_eq!(
        query(&mut w, b"select a, chr(8364) from t")[1..],
        [(
            'E',
            b"character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\""
                .to_vec()
        )]
    );
    // Parameters: in text format they are text, and so is the binary format of text.
    let bind = |format: u8| {
        [&b"\0\0\0\x01\0"[..], &[format], &b"\0\x01\0\0\0\x01\xe9\0\x01\0"[..], &[format]].concat()
    };
    let parse = b"\0select $1::text || chr(233)\0\0\0";
    for format in [0, 1] {
        let rows = talk(&mut w, &[(b'P', parse), (b'B', &bind(format)), (b'E', b"\0\0\0\0\0"), (b'S', b"")]);
        assert_eq!(rows, [('D', value(b"\xe9\xe9"))], "format {format}");
    }
    // COPY out in the client's encoding and in one that is named, and back in, cut within a line.
    assert_eq!(query(&mut w, b"copy t to stdout"), [('d', b"caf\xe9\t1\n".to_vec())]);
    assert_eq!(query(&mut w, b"copy t to stdout (encoding 'utf8')"), [('d', b"caf\xc3\xa9\t1\n".to_vec())]);
    w.send(b'Q', b"copy t from stdin\0").unwrap();
    let rows = talk(&mut w, &[(b'd', b"\xe4"), (b'd', b"b\t2\n\xf6\t"), (b'd', b"3"), (b'c', b"")]);
    assert_eq!(rows, []);
    query(&mut w, b"set client_encoding = 'UTF8'");
    assert_eq!(
        query(&mut w, b"select string_agg(a, ',' order by b) from t")[1..],
        [('D', value("café,äb,ö".as_bytes()))]
    );
}

#[test]
fn names_of_encodings() {
    let c = cluster();
    let mut w = Wire::connect(&c).unwrap();
    for (given, shown) in
        [("'utf-8'", "UTF8"), ("iso-8859-15", "LATIN9"), ("Windows1252", "WIN1252"), ("koi8", "KOI8R")]
    {
        query(&mut w, format!("set client_encoding = '{}'", given.replace('\'', "''")).as_bytes());
        assert_eq!(query(&mut w, b"show client_encoding")[1..], [('D', value(shown.as_bytes()))], "{given}");
    }
    assert_eq!(
        query(&mut w, b"set client_encoding = 'klingon'"),
        [('E', b"invalid value for parameter \"client_encoding\": \"klingon\"".to_vec())]
    );
    query(&mut w, b"set client_encoding = 'win1251'");
    assert_eq!(query(&mut w, b"select chr(1078)")[1..], [('D', value(b"\xe6"))]);
    assert_eq!(
        query(&mut w, b"select '\x98'"),
        [(
            'E',
            b"character with byte sequence 0x98 in encoding \"WIN1251\" has no equivalent in encoding \"UTF8\"".to_vec()
        )]
    );
}
