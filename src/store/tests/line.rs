//! Tests of a line's spelling.

use proptest::prelude::*;

use super::{posted, recorded, version};
use crate::clock::Wall;
use crate::id::{Hash128, PostId};
use crate::limits::LINE_BYTES_MAX;
use crate::replica::version::Version;
use crate::store::line::{Encoded, Kind, LineError, NewLine, check_chain, decode, encode};
use crate::user::Receipt;
use crate::user::Recorded;
use crate::user::entry::{Entry, PostRef, SessionId};

const LEFT: Entry = Entry::Left { at: Wall(9) };

fn encoded(kind: Kind, requests: &[Recorded], entries: &[Entry]) -> Encoded {
    let base = version(1, 1);
    let base_hash = Hash128([7; 16]);
    let com = version(1, 1);
    encode(&NewLine { version: version(1, 2), base, base_hash, com, kind, requests, entries })
}

/// A line of this text with the checksum that belongs to it.
fn sealed(body: &str) -> Vec<u8> {
    format!("{body},\"c\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes())).into_bytes()
}

fn check(body: &str, expected: Result<(), LineError>) {
    let decoded = decode(&sealed(body), 0).map(|_| ());
    assert_eq!(decoded, expected, "{body}");
}

/// A good line's body but for the fields from the kind on.
fn with_rest(rest: &str) -> String {
    format!(r#"{{"v":"1.1.2.3.2","p":"1.1.2.3.1",{rest}"#)
}

const GOOD_REST: &str = concat!(
    r#""k":"d","h":"00000000000000000000000000000000","com":"0","#,
    r#""q":[],"d":[{"e":"left_out_below"}]"#
);

fn good(entries: &str) -> String {
    with_rest(&GOOD_REST.replace(r#"[{"e":"left_out_below"}]"#, entries))
}

#[test]
fn line_encoded_has_this_spelling() {
    let line = encoded(Kind::Delta, &[recorded(1)], &[posted("Tea\n\"now\" 🐦")]);
    let expected = concat!(
        r#"{"v":"1.1.2.3.2","p":"1.1.2.3.1","k":"d","h":"HASH","#,
        r#""com":"1.1.2.3.1","#,
        r#""q":[["01010101010101010101010101010101","02020202020202020202020202020202","111"]],"#,
        r#""d":[{"e":"posted","at":1700000000000,"id":"111","text":"Tea\n\"now\" 🐦"}]"#
    );
    let expected = sealed(&expected.replace("HASH", &line.hash.to_string()));
    assert_eq!(String::from_utf8(line.bytes), String::from_utf8(expected));
}

#[test]
fn line_encoded_decodes_to_same_with_places() {
    let entries = [
        Entry::Joined { at: Wall(1) },
        posted("one"),
        Entry::Posted {
            at: Wall(2),
            id: crate::id::PostId::from_raw(u64::MAX),
            text: r#"{"e":"left"},"c":"00000000"}"#.to_owned(),
            note: None,
            pictures: Vec::new(),
            sensitive: false,
            reply_to: Some(PostRef { user: super::ada(), id: crate::id::PostId::from_raw(5) }),
        },
        Entry::SessionClosed { at: Wall(u64::MAX), id: SessionId("ab".repeat(32)) },
        LEFT,
    ];
    let requests = [recorded(1), recorded(0xfe)];
    let Encoded { bytes, hash } = encoded(Kind::Tombstone, &requests, &entries);
    let line = decode(&bytes, 1000).unwrap();
    assert_eq!((line.version, line.base), (version(1, 2), version(1, 1)));
    assert_eq!((line.kind, line.hash, line.com), (Kind::Tombstone, hash, version(1, 1)));
    assert_eq!(line.requests, requests);
    assert_eq!(line.entries.len(), entries.len());
    for ((entry, place), expected) in line.entries.iter().zip(&entries) {
        assert_eq!(entry, expected);
        let from = usize::try_from(place.offset).unwrap() - 1000;
        let json = &bytes[from..from + place.len as usize];
        assert_eq!(&serde_json::from_slice::<Entry>(json).unwrap(), expected);
        assert_eq!((json[0], json[json.len() - 1]), (b'{', b'}'));
    }
    assert_eq!(check_chain(&line, &bytes, version(1, 1), Hash128([7; 16])), Ok(()));
}

#[test]
fn line_one_bit_other_refused() {
    let bytes = encoded(Kind::Delta, &[recorded(1)], &[posted("one")]).bytes;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            assert!(decode(&bytes, 0).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn line_cut_or_joined_refused() {
    let bytes = encoded(Kind::Delta, &[], &[posted("one")]).bytes;
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len], 0).is_err(), "first {len} bytes");
    }
    assert_eq!(decode(&[&bytes[..], &bytes[..]].concat(), 0), Err(LineError::LineEnd));
    assert_eq!(decode(b"", 0), Err(LineError::LineEnd));
}

#[test]
fn line_inner_line_end_refused() {
    check(&good("[\n]"), Err(LineError::LineEnd));
}

#[test]
fn line_size_limit_is_exact() {
    let empty = sealed(&good("[]")).len();
    let filled = |spaces: usize| sealed(&good(&format!("[{}]", " ".repeat(spaces))));
    assert!(decode(&filled(LINE_BYTES_MAX - empty), 0).is_ok());
    assert_eq!(decode(&filled(LINE_BYTES_MAX - empty + 1), 0), Err(LineError::TooLong));
}

#[test]
fn line_fields_out_of_order_or_foreign_refused() {
    check(&good("[]"), Ok(()));
    let field = |name| Err(LineError::Field(name));
    check(&good("[]").replace(r#""v""#, r#""w""#), field("v"));
    check(&good("[]").replace(r#"{"v""#, r#"{ "v""#), field("v"));
    check(&good("[]").replace(r#""1.1.2.3.2""#, r#""1.1.2.3.02""#), field("v"));
    check(&good("[]").replace(r#""p":"1.1.2.3.1","#, ""), field("p"));
    check(&good("[]").replace(r#""com""#, r#""new":1,"com""#), field("com"));
    check(&good("[]").replace(r#""com":"0""#, r#""com":"0.0.0.0.0""#), field("com"));
    check(&good("[]").replace(r#""q":[],"d":[]"#, r#""d":[],"q":[]"#), field("q"));
    check(&good("[]").replace(r#""q":[]"#, r#""q":[["x","y","z"]]"#), field("q"));
    check(&good("[]").replace(r#""q":[]"#, r#""q":{}"#), field("q"));
    check(&good("[]").replace(r#""q":[],"#, r#""q":[] ,"#), field("d"));
    check(&good(r#"[],"new":1"#), field("d"));
    check(&good("[1]"), field("d"));
    check(&good(r#"[{"at":1}]"#), field("d"));
    check(&with_rest(""), field("k"));
    check("", field("v"));
}

#[test]
fn line_checksum_in_capitals_refused() {
    let lower = String::from_utf8(sealed(&good("[]"))).unwrap();
    let split = lower.len() - 11;
    let upper = format!("{}{}\"}}\n", &lower[..split], lower[split..split + 8].to_uppercase());
    assert_ne!(upper, lower, "the checksum needs a letter for this test");
    assert_eq!(decode(upper.as_bytes(), 0), Err(LineError::Checksum));
}

#[test]
fn line_of_newer_program_named() {
    let newer = |what: &str| Err(LineError::NewerFormat(what.to_owned()));
    check(&good("[]").replace(r#""k":"d""#, r#""k":"z""#), newer(r#"line kind "z""#));
    check(r#"{"v":"1.1.2.3.2","p":"0","k":"z","ops":7"#, newer(r#"line kind "z""#));
    check(&good(r#"[{"e":"sang","at":1}]"#), newer(r#"entry "sang""#));
}

#[test]
fn s39_line_unknown_field_of_entry_kept_in_place() {
    let entry = r#"{"e":"joined","at":1,"later":{"x":[1, 2]}}"#;
    let bytes = sealed(&good(&format!("[ {entry} ]")));
    let line = decode(&bytes, 0).unwrap();
    let (joined, place) = &line.entries[0];
    assert_eq!(joined, &Entry::Joined { at: Wall(1) });
    let from = usize::try_from(place.offset).unwrap();
    assert_eq!(&bytes[from..from + place.len as usize], entry.as_bytes());
}

#[test]
fn line_entries_against_kind_refused() {
    let field = |name| Err(LineError::Field(name));
    let (joined, left) = (r#"{"e":"joined","at":1}"#, r#"{"e":"left","at":2}"#);
    let kind = |kind, entries: &[&str]| {
        good(&format!("[{}]", entries.join(","))).replace(r#""k":"d""#, kind)
    };
    check(&kind(r#""k":"d""#, &[joined, left]), field("k"));
    check(&kind(r#""k":"x""#, &[joined]), field("k"));
    check(&kind(r#""k":"x""#, &[left, joined]), field("k"));
    check(&kind(r#""k":"x""#, &[left, left]), field("k"));
    check(&kind(r#""k":"x""#, &[joined, left]), Ok(()));
    check(&kind(r#""k":"i""#, &[joined]), field("k"));
    check(&kind(r#""k":"i""#, &[]), Ok(()));
}

#[test]
fn line_versions_out_of_order_refused() {
    check(&good("[]").replace("1.1.2.3.1", "1.1.2.3.2"), Err(LineError::Field("v")));
    check(&good("[]").replace("1.1.2.3.1", "1.2.2.3.1"), Err(LineError::Field("v")));
    check(r#"{"v":"0","p":"0","k":"d""#, Err(LineError::Field("h")));
    let above = good("[]").replace(r#""com":"0""#, r#""com":"1.1.2.3.2""#);
    check(&above, Err(LineError::Field("com")));
}

#[test]
fn line_committed_above_base_written_as_base() {
    let (base, com) = (version(1, 1), version(1, 2));
    let line = encode(&NewLine {
        version: version(2, 1),
        base,
        base_hash: Hash128::default(),
        com,
        kind: Kind::Identity,
        requests: &[],
        entries: &[],
    });
    assert_eq!(decode(&line.bytes, 0).unwrap().com, base);
}

#[test]
fn chain_other_base_or_bytes_refused() {
    let bytes = encoded(Kind::Delta, &[], &[posted("one")]).bytes;
    let line = decode(&bytes, 0).unwrap();
    let (base, hash) = (version(1, 1), Hash128([7; 16]));
    assert_eq!(
        check_chain(&line, &bytes, Version::ZERO, hash),
        Err(LineError::Base { expected: Version::ZERO, found: base })
    );
    assert_eq!(check_chain(&line, &bytes, base, Hash128::default()), Err(LineError::Hash));
    // Every part counts: what stands before the hash, and what stands after it.
    for (from, to) in [(r#""v":"1.1.2.3.2""#, r#""v":"1.1.2.3.3""#), ("one", "two")] {
        let text = String::from_utf8(bytes.clone()).unwrap().replace(from, to);
        let bytes = sealed(text.split_once(r#","c":"#).unwrap().0);
        let line = decode(&bytes, 0).unwrap();
        assert_eq!(check_chain(&line, &bytes, base, hash), Err(LineError::Hash), "{to}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn line_any_text_round_trips(text in any::<String>(), post in any::<u64>()) {
        let result = Receipt::Post(PostId::from_raw(post));
        let request = Recorded { result, ..recorded(3) };
        let entries = [posted(&text), posted("")];
        let Encoded { bytes, .. } = encoded(Kind::Delta, std::slice::from_ref(&request), &entries);
        let line = decode(&bytes, 0).unwrap();
        prop_assert_eq!(&line.requests, &[request]);
        prop_assert_eq!(&line.entries[0].0, &entries[0]);
        prop_assert_eq!(check_chain(&line, &bytes, version(1, 1), Hash128([7; 16])), Ok(()));
    }

    #[test]
    fn line_any_sealed_bytes_decode_without_panic(
        cut in 0_usize..400, put in any::<Vec<u8>>(), skip in 0_usize..400,
    ) {
        let bytes = encoded(Kind::Delta, &[recorded(1)], &[posted("one")]).bytes;
        let body = &bytes[..bytes.len() - 17];
        let (cut, skip) = (cut.min(body.len()), skip.min(body.len()));
        let body = [&body[..cut], &put[..], &body[skip..]].concat();
        let tail = format!(",\"c\":\"{:08x}\"}}\n", crc32c::crc32c(&body));
        let bytes = [&body[..], tail.as_bytes()].concat();
        if let Ok(line) = decode(&bytes, 0) {
            prop_assert!(check_chain(&line, &bytes, line.base, Hash128::default()).is_err());
        }
    }
}
