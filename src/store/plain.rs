//! Entries and requests in the spelling that this program itself gives them, read without a general
//! reader of JSON: at start each post of everybody is read, and a general reader goes over it twice.
//!
//! Pure. Whatever is spelled otherwise, has an escape in it or a field that is seldom there is `None`, and
//! left to the general reader. What is read here is what that would read; the tests compare them.

use memchr::memchr2;

use crate::clock::Wall;
use crate::id::{Hash128, PostId, RequestId, UserName};
use crate::user::entry::{Entry, PostRef};
use crate::user::{Receipt, Recorded};

/// The list of one post: the post, its JSON, and what stands behind the list.
pub(super) fn posted(text: &str) -> Option<(Entry, &str, &str)> {
    let json = text.strip_prefix('[')?;
    let (at, rest) = number(json.strip_prefix("{\"e\":\"posted\",\"at\":")?)?;
    let (id, rest) = string(rest.strip_prefix(",\"id\":\"")?)?;
    let (words, rest) = string(rest.strip_prefix(",\"text\":\"")?)?;
    let (reply_to, rest) = match rest.strip_prefix(",\"reply_to\":{\"user\":\"") {
        None => (None, rest),
        Some(rest) => {
            let (user, rest) = string(rest)?;
            let (id, rest) = string(rest.strip_prefix(",\"id\":\"")?)?;
            let user = UserName::parse(user).ok()?;
            (Some(PostRef { user, id: id.parse().ok()? }), rest.strip_prefix('}')?)
        }
    };
    let rest = rest.strip_prefix('}')?;
    let json = json.get(..json.len() - rest.len())?;
    let (at, id, words) = (Wall(at), id.parse::<PostId>().ok()?, words.to_owned());
    let (note, pictures) = (None, Vec::new());
    let post = Entry::Posted { at, id, text: words, reply_to, note, pictures, sensitive: false };
    Some((post, json, rest.strip_prefix(']')?))
}

/// No request or one, and what stands behind the list.
pub(super) fn requests(text: &str) -> Option<(Option<Recorded>, &str)> {
    if let Some(rest) = text.strip_prefix("[]") {
        return Some((None, rest));
    }
    let (id, rest) = string(text.strip_prefix("[[\"")?)?;
    let (digest, rest) = string(rest.strip_prefix(",\"")?)?;
    let (result, rest) = string(rest.strip_prefix(",\"")?)?;
    let id = id.parse::<RequestId>().ok()?;
    let digest = digest.parse::<Hash128>().ok()?;
    let result = result.parse::<Receipt>().ok()?;
    Some((Some(Recorded { id, digest, result }), rest.strip_prefix("]]")?))
}

/// The text up to the next quote, if it has no escape and nothing that JSON wants escaped; and what
/// stands behind the quote.
fn string(text: &str) -> Option<(&str, &str)> {
    let (inside, rest) = text.split_at_checked(memchr2(b'"', b'\\', text.as_bytes())?)?;
    let controls = inside.bytes().fold(0, |found, byte| found | u8::from(byte < b' '));
    let rest = rest.strip_prefix('"')?;
    (controls == 0).then_some((inside, rest))
}

/// A number in the only spelling that JSON has for it, and what stands behind its digits.
fn number(text: &str) -> Option<(u64, &str)> {
    let len = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(len)?;
    let is_one = digits == "0" || !digits.starts_with('0');
    Some((digits.parse().ok().filter(|_| is_one)?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What the general reader makes of such a list: its entries, the JSON of the first, and the rest.
    fn read(text: &str) -> Option<(Vec<Entry>, &str, &str)> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<&RawValue>>();
        let entries = values.next()?.ok()?;
        let rest = text.get(values.byte_offset()..)?;
        let json = entries.first().map_or("", |raw| raw.get());
        let entries = entries.iter().map(|raw| serde_json::from_str(raw.get()));
        Some((entries.collect::<Result<_, _>>().ok()?, json, rest))
    }

    fn read_requests(text: &str) -> Option<(Vec<Recorded>, &str)> {
        type Row = (RequestId, Hash128, Receipt);
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<Row>>();
        let rows = values.next()?.ok()?;
        let rest = text.get(values.byte_offset()..)?;
        let recorded = |(id, digest, result)| Recorded { id, digest, result };
        Some((rows.into_iter().map(recorded).collect(), rest))
    }

    /// Never more than the general reader reads, and never anything else.
    fn check(text: &str) {
        if let Some((entry, json, rest)) = posted(text) {
            let (entries, other, left) = read(text).unwrap();
            assert_eq!((entries, left), (vec![entry], rest), "{text}");
            assert_eq!((json.as_ptr(), json.len()), (other.as_ptr(), other.len()), "{text}");
        }
        if let Some((request, rest)) = requests(text) {
            let row = request.into_iter().collect();
            assert_eq!(read_requests(text), Some((row, rest)), "{text}");
        }
    }

    fn post(text: &str, reply_to: Option<(&str, u64)>, note: Option<&str>) -> Entry {
        let reply_to = reply_to.map(|(user, id)| {
            let user = UserName::parse(user).unwrap();
            PostRef { user, id: PostId::from_raw(id) }
        });
        let (at, id, text) = (Wall(17), PostId::from_raw(u64::MAX), text.to_owned());
        let note = note.map(str::to_owned);
        Entry::Posted { at, id, text, reply_to, note, pictures: Vec::new(), sensitive: false }
    }

    #[test]
    fn posts_as_they_are_written_read_here() {
        for entry in [
            post("Tea at four? ☕", None, None),
            post("", None, None),
            post("Gladly\u{7f}", Some(("ben", 0)), None),
        ] {
            let json = serde_json::to_string(&entry).unwrap();
            let list = format!("[{json}],\"c\":\"00000000\"}}\n");
            let expected = (entry, &*json, ",\"c\":\"00000000\"}\n");
            assert_eq!(posted(&list), Some(expected));
            check(&list);
        }
    }

    #[test]
    fn other_entries_left_to_the_general_reader() {
        let at = Wall(1);
        for entry in [
            post("two\nlines", None, None),
            post("\"so\"", None, None),
            post("said", None, Some("a note")),
            Entry::Joined { at },
            Entry::PostDeleted { at, id: PostId::from_raw(1), few: false },
        ] {
            let list = serde_json::to_string(&[entry]).unwrap();
            assert_eq!(posted(&list), None, "{list}");
        }
        let two = [post("one", None, None), post("two", None, None)];
        assert_eq!(posted(&serde_json::to_string(&two).unwrap()), None);
    }

    #[test]
    fn requests_as_they_are_written_read_here() {
        for result in [Receipt::Done, Receipt::Post(PostId::from_raw(9)), Receipt::SessionsEnded(2)]
        {
            let (id, digest) = (RequestId([0xa7; 16]), Hash128([9; 16]));
            let list = serde_json::to_string(&[(id, digest, result)]).unwrap() + ",\"d\":[]";
            assert_eq!(requests(&list), Some((Some(Recorded { id, digest, result }), ",\"d\":[]")));
            check(&list);
        }
        assert_eq!(requests("[],\"d\":[]"), Some((None, ",\"d\":[]")));
    }

    #[test]
    fn near_misses_not_taken_for_what_they_are_not() {
        let good =
            r#"[{"e":"posted","at":17,"id":"9","text":"x","reply_to":{"user":"ben","id":"1"}}]"#;
        assert!(posted(good).is_some());
        for (from, to) in [
            ("17", "017"),
            ("17", "-1"),
            ("17", "1.0"),
            ("17", "99999999999999999999"),
            ("17", ""),
            ("\"9\"", "\"\""),
            ("\"9\"", "\"+9\""),
            ("\"9\"", "\"99999999999999999999\""),
            ("\"x\"", "\"\u{1}\""),
            ("\"x\"", "\"a\tb\""),
            ("\"x\"", "\"\\u0041\""),
            ("\"x\"", "\"x"),
            ("ben", "Ben"),
            ("ben", "b"),
            ("}}]", "},\"later\":1}]"),
            ("}}]", "}}"),
            ("}}]", "}]"),
            ("posted", "post"),
        ] {
            let text = good.replacen(from, to, 1);
            check(&text);
            assert_eq!(posted(&text), None, "{text}");
        }
    }

    proptest! {
        /// Any post, any byte of it another, or gone.
        #[test]
        fn read_as_the_general_reader_does(
            text in any::<String>(),
            user in "[a-z][a-z0-9_]{1,5}",
            numbers in any::<(u64, u64, u64)>(),
            is_reply in any::<bool>(),
            cut in any::<prop::sample::Index>(),
            other in prop::sample::select(&b"\"\\{}[],:0 9a\x00\x1f\x7f"[..]),
        ) {
            let reply_to = is_reply.then(|| PostRef {
                user: UserName::parse(&user).unwrap(),
                id: PostId::from_raw(numbers.2),
            });
            let (at, id) = (Wall(numbers.0), PostId::from_raw(numbers.1));
            let (note, pictures) = (None, Vec::new());
            let entry = Entry::Posted { at, id, text, reply_to, note, pictures, sensitive: false };
            let row = (RequestId([7; 16]), Hash128([8; 16]), Receipt::Post(PostId::from_raw(numbers.2)));
            for json in
                [serde_json::to_string(&[entry]).unwrap(), serde_json::to_string(&[row]).unwrap()]
            {
                check(&json);
                let at = cut.index(json.len());
                let mut bytes = json.clone().into_bytes();
                bytes[at] = other;
                let gone = [&json.as_bytes()[..at], &json.as_bytes()[at + 1..]].concat();
                for bytes in [bytes, gone] {
                    if let Ok(text) = String::from_utf8(bytes) {
                        check(&text);
                    }
                }
            }
        }
    }
}
