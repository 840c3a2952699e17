//! What a browser sends in a form or after `?`: `application/x-www-form-urlencoded`, read as the
//! URL standard says (<https://url.spec.whatwg.org/#urlencoded-parsing>) but strictly.
//!
//! A form that breaks a rule is still read as far as it goes, because whatever a person typed must
//! come back to them; [`Form::fault`] says that nothing may be done with it.

use std::borrow::Cow;
use std::ops::Range;

use super::multipart;
use crate::limits::{BODY_BYTES_MAX, FORM_FIELDS_MAX, TYPED_BYTES_MAX};

/// The fields that some form of ours has; others are ignored, so that `is_admin=1` does nothing.
pub const FIELDS: &[&str] = &[
    "after",
    "app",
    "ask",
    "avatar",
    "back",
    "before",
    "bio",
    "choice",
    "choice_1",
    "choice_2",
    "choice_3",
    "choice_4",
    "code",
    "current",
    "days",
    "deed",
    "deleted",
    "deny",
    "description_1",
    "description_2",
    "description_3",
    "description_4",
    "display_name",
    "draft_key",
    "edit_id",
    "ended",
    "for",
    "hours",
    "id",
    "kept",
    "kept_1",
    "kept_2",
    "kept_3",
    "kept_4",
    "kept_avatar",
    "key",
    "keys",
    "lang",
    "lasts",
    "left",
    "link",
    "list",
    "made",
    "members_invite",
    "members_only",
    "more",
    "named",
    "new",
    "next",
    "note",
    "of",
    "option_1",
    "option_2",
    "option_3",
    "option_4",
    "others",
    "password",
    "posts_for",
    "peek",
    "picture_1",
    "picture_2",
    "picture_3",
    "picture_4",
    "posted",
    "q",
    "reason",
    "remove_1",
    "remove_2",
    "remove_3",
    "remove_4",
    "remove_avatar",
    "reply_id",
    "reply_user",
    "reported",
    "saved",
    "sensitive",
    "several",
    "show",
    "shows_log",
    "shows_posts",
    "signup",
    "text",
    "token",
    "until",
    "username",
    "uses",
    "words",
    "writes",
];

/// A form's known fields.
#[derive(Clone, Default)]
pub struct Form {
    fields: Vec<(&'static str, String)>,
    /// Where in the body files stand.
    files: Vec<(&'static str, Range<usize>)>,
    fault: Option<FormFault>,
}

/// Why nothing may be done with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// The body is not said to be a form.
    #[error("the body is no form")]
    ContentType,
    /// It brings files, and breaks off or makes no sense.
    #[error("the parts of the form make no sense")]
    Parts,
    /// `%` without two hexadecimal digits.
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Percent,
    /// The bytes are no text.
    #[error("a field is not UTF-8")]
    Utf8,
    /// A field stands there twice: which counts is anybody's guess.
    #[error("a field is given twice")]
    Duplicate,
    /// More fields than any form of ours has.
    #[error("more than {FORM_FIELDS_MAX} fields")]
    TooMany,
    /// More was typed than is held: not all of it can be given back.
    #[error("more than {TYPED_BYTES_MAX} bytes beside the files")]
    TooLong,
}

impl Form {
    /// Reads a body of this content type.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Self {
        if let Some(boundary) = content_type.and_then(multipart::boundary) {
            return Self::parse_parts(boundary, body);
        }
        // A longer one was let in as a form with files, which it is not.
        let mut form = Self::parse_pairs(body.get(..BODY_BYTES_MAX).unwrap_or(body));
        let essence =
            content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            form.fault = Some(FormFault::ContentType);
        }
        form
    }

    /// Reads what stands after `?`.
    pub fn parse_query(query: &str) -> Self {
        Self::parse_pairs(query.as_bytes())
    }

    fn parse_pairs(bytes: &[u8]) -> Self {
        let mut form = Self::default();
        let pairs = bytes.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
        for (index, pair) in pairs.enumerate() {
            if index == FORM_FIELDS_MAX {
                form.note(FormFault::TooMany);
                break;
            }
            let mut halves = pair.splitn(2, |&b| b == b'=');
            let (name, value) =
                (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            let name = form.decode(name);
            let value = form.decode(value);
            let Some(&name) = FIELDS.iter().find(|known| **known == name) else { continue };
            if form.fields.iter().any(|(known, _)| *known == name) {
                form.note(FormFault::Duplicate);
            } else {
                form.fields.push((name, value));
            }
        }
        form
    }

    /// A form that may bring files, whose places it keeps. One that breaks off keeps nothing.
    fn parse_parts(boundary: &str, body: &[u8]) -> Self {
        let mut form = Self::default();
        let Ok(parts) = multipart::parts(boundary, body, FORM_FIELDS_MAX) else {
            form.note(FormFault::Parts);
            return form;
        };
        let mut left = TYPED_BYTES_MAX;
        for part in parts {
            let Some(&name) = FIELDS.iter().find(|known| **known == part.name) else { continue };
            let is_known = form.fields.iter().any(|(known, _)| *known == name)
                || form.files.iter().any(|(known, _)| *known == name);
            if is_known {
                form.note(FormFault::Duplicate);
            } else if part.is_file {
                form.files.push((name, part.content));
            } else {
                let typed = body.get(part.content).unwrap_or_default();
                if typed.len() > left {
                    form.fault = Some(FormFault::TooLong);
                }
                let typed = typed.get(..left).unwrap_or(typed);
                left -= typed.len();
                let value = form.text(typed);
                form.fields.push((name, value));
            }
        }
        form
    }

    /// Decodes once. What is no text becomes U+FFFD, and the form faulty.
    fn decode(&mut self, encoded: &[u8]) -> String {
        let (bytes, is_sound) = percent_decode(encoded, true);
        if !is_sound {
            self.note(FormFault::Percent);
        }
        self.text(&bytes)
    }

    fn text(&mut self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        if let Cow::Owned(_) = text {
            self.note(FormFault::Utf8);
        }
        text.into_owned()
    }

    fn note(&mut self, fault: FormFault) {
        self.fault.get_or_insert(fault);
    }

    /// The first thing wrong with it, if anything is.
    pub const fn fault(&self) -> Option<FormFault> {
        self.fault
    }

    /// A file that came with the form whose body this is, unless none was chosen.
    pub fn file<'a>(&self, name: &str, body: &'a [u8]) -> Option<&'a [u8]> {
        let (_, place) = self.files.iter().find(|(known, _)| *known == name)?;
        body.get(place.clone()).filter(|bytes| !bytes.is_empty())
    }

    /// Puts a value in the place of whatever was given under that name.
    pub fn put(&mut self, name: &'static str, value: String) {
        debug_assert!(FIELDS.contains(&name), "{name} is not among FIELDS");
        self.fields.retain(|(known, _)| *known != name);
        self.fields.push((name, value));
    }

    /// A field's value, if it is there.
    pub fn find(&self, name: &str) -> Option<&str> {
        debug_assert!(FIELDS.contains(&name), "{name} is not among FIELDS");
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A field's value; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }
}

/// A path, decoded once; `None` if it is no text.
pub fn decode_path(path: &str) -> Option<String> {
    let (bytes, is_sound) = percent_decode(path.as_bytes(), false);
    if is_sound { String::from_utf8(bytes).ok() } else { None }
}

/// Decodes `%XX`, and `+` as a space in forms; false if a `%` stood alone (it is then kept).
pub(super) fn percent_decode(encoded: &[u8], is_form: bool) -> (Vec<u8>, bool) {
    let digit = |byte: Option<&u8>| byte.and_then(|&b| char::from(b).to_digit(16));
    let mut out = Vec::with_capacity(encoded.len());
    let mut is_sound = true;
    let mut rest = encoded;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' if is_form => out.push(b' '),
            b'%' => {
                if let (Some(high), Some(low)) = (digit(after.first()), digit(after.get(1))) {
                    out.extend(u8::try_from(high << 4 | low));
                    rest = after.get(2..).unwrap_or_default();
                } else {
                    is_sound = false;
                    out.push(b'%');
                }
            }
            &byte => out.push(byte),
        }
    }
    (out, is_sound)
}

/// Writes a value as it stands in a query.
pub fn encode_query(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 0xf] {
                    out.extend(char::from_digit(nibble.into(), 16).map(|c| c.to_ascii_uppercase()));
                }
            }
        }
    }
    out
}

/// The user name that somebody typed to sign in. Names are written with an @ everywhere else, and no name
/// has one.
pub(super) fn name_to_sign_in(typed: &str) -> &str {
    let typed = typed.trim();
    typed.strip_prefix('@').unwrap_or(typed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URLENCODED: Option<&str> = Some("application/x-www-form-urlencoded");

    #[track_caller]
    fn check(body: &str, text: &str, fault: Option<FormFault>) {
        let form = Form::parse(URLENCODED, body.as_bytes());
        assert_eq!((form.get("text"), form.fault()), (text, fault), "{body:?}");
    }

    #[test]
    fn form_fields_decoded_once() {
        check("text=a+b%20c%2B%25%41&x=1", "a b c+%A", None);
        check("text=%E2%80%99%0D%0A", "\u{2019}\r\n", None);
        check("&&text=a=b&", "a=b", None);
        check("text", "", None);
        check("", "", None);
        check("%74ext=x", "x", None);
    }

    #[test]
    fn form_broken_keeps_text_and_says_so() {
        check("text=100%", "100%", Some(FormFault::Percent));
        check("text=100%zz", "100%zz", Some(FormFault::Percent));
        check("text=a%ffb", "a\u{fffd}b", Some(FormFault::Utf8));
        check("text=one&text=two", "one", Some(FormFault::Duplicate));
        check("text=a&key=1&key=1", "a", Some(FormFault::Duplicate));
        let many = format!("text=a{}", "&x=1".repeat(FORM_FIELDS_MAX));
        check(&many, "a", Some(FormFault::TooMany));
        let full = format!("text=a{}", "&x=1".repeat(FORM_FIELDS_MAX - 1));
        check(&full, "a", None);
    }

    #[test]
    fn form_of_other_content_type_faulty() {
        for (content_type, fault) in [
            (Some("application/x-www-form-urlencoded; charset=UTF-8"), None),
            (Some("APPLICATION/X-WWW-FORM-URLENCODED"), None),
            (Some("text/plain"), Some(FormFault::ContentType)),
            (Some("multipart/form-data; boundary=x"), Some(FormFault::Parts)),
            (Some("multipart/form-data"), Some(FormFault::ContentType)),
            (None, Some(FormFault::ContentType)),
        ] {
            assert_eq!(Form::parse(content_type, b"text=a").fault(), fault, "{content_type:?}");
        }
    }

    #[test]
    fn form_unknown_field_ignored() {
        let form = Form::parse_query("is_admin=1&text=a");
        assert_eq!(form.fields.len(), 1);
    }

    #[test]
    fn path_decoded_once_or_refused() {
        assert_eq!(decode_path("/%40ada"), Some("/@ada".to_owned()));
        assert_eq!(decode_path("/%2540ada"), Some("/%40ada".to_owned()));
        assert_eq!(decode_path("/a+b"), Some("/a+b".to_owned()));
        assert_eq!(decode_path("/%"), None);
        assert_eq!(decode_path("/%ff"), None);
    }

    proptest! {
        #[test]
        fn form_any_bytes_read(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let form = Form::parse(URLENCODED, &body);
            prop_assert!(form.fields.len() <= FIELDS.len());
        }

        #[test]
        fn form_value_written_and_read_is_the_same(value in any::<String>()) {
            let form = Form::parse_query(&format!("next={}", encode_query(&value)));
            prop_assert_eq!(form.get("next"), value);
            prop_assert_eq!(form.fault(), None);
        }
    }

    /// Of 8 MB of `&` a page of 40 came back, and two of those took the web server to 430 MB.
    #[test]
    fn r0153_text_beside_files_is_bounded() {
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let note = "n".repeat(TYPED_BYTES_MAX - 3);
        for (text, kept, fault) in [("abc", "abc", None), ("abcd", "abc", Some(FormFault::TooLong))]
        {
            let body = part("note", &note) + &part("text", text) + "--x--\r\n";
            let form = Form::parse(Some("multipart/form-data; boundary=x"), body.as_bytes());
            assert_eq!((form.get("note"), form.get("text")), (note.as_str(), kept));
            assert_eq!(form.fault(), fault);
        }
        // Nor is what only says that it brings files, without what stands between its parts.
        let text = format!("text={}", "a".repeat(BODY_BYTES_MAX));
        let form = Form::parse(Some("multipart/form-data"), text.as_bytes());
        assert_eq!(form.get("text").len(), BODY_BYTES_MAX - "text=".len());
        assert_eq!(form.fault(), Some(FormFault::ContentType));
    }
}
