//! Binary formats: messages of clients, the log, pages, rows.

use crate::{Target, failed, hash, shape};
use common::{Lsn, Oid};
use storage::page::Page;
use storage::wal::Record;
use types::tuple::{Deformer, TupleBytes};
use types::{Attribute, TupleDesc, type_info};

pub(crate) fn targets() -> Vec<Target> {
    let message = |kind: u8, body: &[u8]| [&[kind], body].concat();
    let messages = vec![
        message(b'Q', b"select 1\0"),
        message(b'P', b"s\0select $1\0\0\x01\0\0\0\x17"),
        message(b'B', b"p\0s\0\0\x01\0\x01\0\x01\0\0\0\x04\0\0\0\x07\0\x01\0\x01"),
        message(b'D', b"Ss\0"),
        message(b'E', b"p\0\0\0\0\x05"),
        message(b'F', b"\0\0\0\x07\0\x01\0\x01\0\x01\0\0\0\x01x\0\x01"),
        message(b'd', b"1\t2\n"),
        message(b'S', b""),
    ];
    vec![
        Target {
            name: "frontend".into(),
            seeds: messages,
            words: Vec::new(),
            run: Box::new(|b| {
                let Some((kind, body)) = b.split_first() else { return 0 };
                protocol::frontend::decode(*kind, body)
                    .map_or_else(|e| failed(&e), |m| shape(format!("{m:?}").as_bytes()))
            }),
        },
        Target {
            name: "startup".into(),
            seeds: vec![
                b"\0\x03\0\0user\0u\0database\0d\0options\0-c a=b\0\0".to_vec(),
                b"\x04\xd2\x16/".to_vec(),
            ],
            words: vec!["user\0", "replication\0", "database\0", "_pq_.x\0"],
            run: Box::new(|b| {
                protocol::startup::parse(b)
                    .map_or_else(|e| failed(&e), |m| shape(format!("{m:?}").as_bytes()))
            }),
        },
        Target { name: "wal".into(), seeds: records(), words: Vec::new(), run: Box::new(record) },
        Target {
            name: "control".into(),
            seeds: vec![vec![0; 64], vec![0; 512]],
            words: Vec::new(),
            run: Box::new(|b| {
                let commit = transam::xact::CommitRecord::decode(b).map_or(0, |_| 1);
                let point = transam::CheckPoint::decode(b).map_or(0, |_| 2);
                commit + point + transam::ControlFile::decode(b).map_or_else(|e| failed(&e), |_| 4)
            }),
        },
        Target { name: "page".into(), seeds: pages(), words: Vec::new(), run: Box::new(page) },
        Target { name: "row".into(), seeds: rows(), words: Vec::new(), run: row_target() },
    ]
}

fn records() -> Vec<Vec<u8>> {
    let mut plain = vec![0; 24];
    plain[16] = 3;
    plain.extend_from_slice(b"abc");
    let mut block = vec![0; 24];
    block[22] = 1;
    block.extend_from_slice(&[0; 32]);
    vec![plain, block]
}

fn record(b: &[u8]) -> u64 {
    let record = match Record::from_bytes(b, Lsn(8)) {
        Ok(r) => r,
        Err(e) => return failed(&e),
    };
    let mut h = hash(0, &[record.block_count()]);
    let _ = (record.data(), record.total_len());
    let ids: Vec<u8> = record.blocks().iter().map(|b| b.id).collect();
    for id in ids {
        let mut page = Page::zeroed();
        let image = record.has_image(id) && record.restore_image(id, &mut page).is_ok();
        h = hash(h, &[u8::from(image), record.block_data(id).len() as u8 / 16]);
    }
    h
}

fn pages() -> Vec<Vec<u8>> {
    [0, 16]
        .map(|special| {
            let mut page = Page::zeroed();
            page.init(special);
            for n in [8, 40, 200] {
                page.add_item(&vec![1; n]);
            }
            page.bytes()[..128].to_vec()
        })
        .to_vec()
}

/// The bytes stand at the page's begin, where header and line pointers are.
fn page(b: &[u8]) -> u64 {
    let mut page = Page::zeroed();
    let n = b.len().min(page.bytes().len());
    page.bytes_mut()[..n].copy_from_slice(&b[..n]);
    let valid = page.header_is_valid();
    let mut h = hash(0, &[u8::from(valid)]);
    if valid {
        for off in 1..=page.max_offset().min(2_000) {
            h = hash(h, &[page.item(off).map_or(0, |i| 1 + i.len().min(60) as u8 / 16)]);
        }
        let _ = (page.exact_free_space(), page.heap_free_space(), page.special().len());
        let _ = page.add_item(b"12345678");
    }
    h
}

fn rows() -> Vec<Vec<u8>> {
    vec![
        vec![4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        vec![6, 0x2f, 1, 0, 0, 0, 3, b'x', 9, 9, 9, 9],
    ]
}

/// First byte: number of attributes; second: null bitmap, if any bit is set.
fn row_target() -> Box<dyn Fn(&[u8]) -> u64> {
    // bool, bigint, text, timestamptz, numeric, "char", int4[], name
    let attrs = [16, 20, 25, 1184, 1700, 18, 1007, 19].map(|oid| {
        let t = type_info(Oid(oid)).expect("a built-in type");
        Attribute {
            name: String::new(),
            type_oid: t.oid,
            typmod: -1,
            len: t.len,
            by_val: false,
            align: t.align,
            storage: t.storage,
            compression: 0,
            phys: t.phys,
            collation: Oid(0),
            not_null: false,
            has_default: false,
            missing: None,
            identity: 0,
            generated: 0,
            dropped: false,
        }
    });
    let deformer = Deformer::new(&TupleDesc { attrs: attrs.to_vec(), ..TupleDesc::default() });
    Box::new(move |b| {
        let [natts, nulls, data @ ..] = b else { return 0 };
        let bitmap = [*nulls];
        let tuple = TupleBytes {
            natts: usize::from(*natts).min(8),
            bitmap: (*nulls != 0).then_some(bitmap.as_slice()),
            data,
        };
        let mut out = Vec::new();
        match deformer.deform(tuple, &mut out) {
            Ok(()) => hash(2, &[out.len() as u8, *natts, *nulls]),
            Err(e) => failed(&e),
        }
    })
}
