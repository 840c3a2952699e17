//! The same spelling as serde's own, and what is refused.

use serde::{Deserialize, Serialize};

use super::{tagged, variant};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    of: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
enum Below {
    Up,
    To { at: u64 },
}

tagged!(Below, "way");

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
enum Here {
    Nothing,
    ManyThings {
        a: u8,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        b: Vec<Below>,
    },
    Flat {
        a: u8,
        #[serde(flatten)]
        inner: Inner,
    },
    Inner(Inner),
    Below(Below),
}

tagged!(Here, "is");

/// The same as serde does it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Theirs {
    Nothing,
    ManyThings {
        a: u8,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        b: Vec<Below>,
    },
    Flat {
        a: u8,
        #[serde(flatten)]
        inner: Inner,
    },
    Inner(Inner),
    Below(Below),
}

fn inner() -> Inner {
    Inner { of: 7, by: Some("ada".to_owned()) }
}

fn check(ours: Here, theirs: Theirs, text: &str) {
    assert_eq!(serde_json::to_string(&theirs).unwrap(), text);
    assert_eq!(serde_json::to_string(&ours).unwrap(), text);
    assert_eq!(serde_json::from_str::<Here>(text).unwrap(), ours);
    assert_eq!(serde_json::from_slice::<Theirs>(text.as_bytes()).unwrap(), theirs);
}

#[test]
fn variants_written_and_read_as_serde_does() {
    check(Here::Nothing, Theirs::Nothing, r#"{"is":"nothing"}"#);
    let b = || vec![Below::Up, Below::To { at: 9 }];
    let text = r#"{"is":"many_things","a":1,"b":[{"way":"up"},{"way":"to","at":9}]}"#;
    check(Here::ManyThings { a: 1, b: b() }, Theirs::ManyThings { a: 1, b: b() }, text);
    let text = r#"{"is":"flat","a":2,"of":7,"by":"ada"}"#;
    check(Here::Flat { a: 2, inner: inner() }, Theirs::Flat { a: 2, inner: inner() }, text);
    check(Here::Inner(inner()), Theirs::Inner(inner()), r#"{"is":"inner","of":7,"by":"ada"}"#);
    let text = r#"{"is":"below","way":"to","at":3}"#;
    check(Here::Below(Below::To { at: 3 }), Theirs::Below(Below::To { at: 3 }), text);
    check(Here::Below(Below::Up), Theirs::Below(Below::Up), r#"{"is":"below","way":"up"}"#);
}

#[test]
fn fields_that_are_not_known_passed_over() {
    let read = |text| serde_json::from_str::<Here>(text).unwrap();
    assert_eq!(read(r#"{"is":"nothing","later":[1,{"is":2}]}"#), Here::Nothing);
    let many = Here::ManyThings { a: 1, b: Vec::new() };
    assert_eq!(read(r#" { "is" : "many_things" , "later":{}, "a" : 1 } "#), many);
    assert_eq!(read(r#"{"is":"below","way":"up","later":1}"#), Here::Below(Below::Up));
}

#[test]
fn what_is_no_variant_refused() {
    for (text, why) in [
        ("{}", "missing field `is` at line 1 column 2"),
        (r#"{"a":1,"is":"many_things"}"#, "missing field `is` at line 1 column 4"),
        (r#"{"is":"later"}"#, "unknown variant `later`, expected one of"),
        (r#"{"is":7}"#, "invalid type: integer `7`, expected variant identifier"),
        (r#"{"is":"many_things"}"#, "missing field `a`"),
        (r#"{"is":"below"}"#, "missing field `way`"),
        (r#"["nothing"]"#, "expected an object that begins with \"is\""),
        (r#""nothing""#, "expected an object that begins with \"is\""),
    ] {
        let error = serde_json::from_str::<Here>(text).unwrap_err().to_string();
        assert!(error.starts_with(why) || error.contains(why), "{text}: {error}");
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outer {
    Many(Vec<u8>),
    None,
}

/// An object that holds one of the variants among other things.
#[derive(Debug, PartialEq, Eq)]
struct Holder(Outer, Option<u8>);

impl<'de> Deserialize<'de> for Holder {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> serde::de::Visitor<'de> for Fields {
            type Value = Holder;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a holder")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Holder, A::Error> {
                let key = map.next_key()?.unwrap_or_default();
                let outer = Outer::deserialize(variant(key, &mut map))?;
                let next = map.next_entry::<String, u8>()?;
                Ok(Holder(outer, next.map(|(_, value)| value)))
            }
        }
        from.deserialize_map(Fields)
    }
}

#[test]
fn variant_read_as_a_key() {
    let read = |text| serde_json::from_str::<Holder>(text);
    assert_eq!(read(r#"{"many":[1,2],"n":3}"#).unwrap(), Holder(Outer::Many(vec![1, 2]), Some(3)));
    assert_eq!(read(r#"{"later":{},"none":null}"#).unwrap(), Holder(Outer::None, None));
    for text in [r#"{"later":1}"#, r#"{"many":null}"#, "{}", r#"{"none":[1]}"#] {
        assert!(read(text).is_err(), "{text}");
    }
}
