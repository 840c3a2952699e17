//! What an app sends: after `?`, as a form, as JSON or in parts, all read alike into names and values.
//!
//! JSON becomes what a form would have said: `{"a":{"b":[1,true]}}` is `a[b][]=1&a[b][]=true`. Parts that
//! are files are passed over. Everything is bounded by the gate's limit on bodies and by
//! [`API_FIELDS_MAX`].

use serde_json::Value;

use crate::json;
use crate::limits::{API_DEPTH_MAX, API_FIELDS_MAX};
use crate::web::form::percent_decode;
use crate::web::request::Request;

/// Names and values, in their order.
#[derive(Default)]
pub(super) struct Params {
    pairs: Vec<(String, String)>,
    /// The names of the parts that are files.
    files: Vec<String>,
}

/// A body that cannot be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the body is no JSON object")]
    Json,
    #[error("the JSON is nested too deep")]
    Deep,
    #[error("the parts of the body have no end")]
    Parts,
    #[error("more than {API_FIELDS_MAX} fields")]
    TooMany,
    #[error("a field is not UTF-8")]
    Utf8,
    #[error("send a form, JSON or parts of a form")]
    ContentType,
}

impl Params {
    /// Reads all that a request brings.
    pub(super) fn read(request: &Request) -> Result<Self, Unreadable> {
        let mut params = Self::default();
        params.form(request.query.as_bytes())?;
        let content_type = request.content_type.as_deref().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if request.body.is_empty() {
            return Ok(params);
        }
        match essence.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => params.form(&request.body)?,
            "application/json" => params.json(&request.body)?,
            "multipart/form-data" => params.parts(content_type, &request.body)?,
            _ => return Err(Unreadable::ContentType),
        }
        Ok(params)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), Unreadable> {
        if self.pairs.len() >= API_FIELDS_MAX {
            return Err(Unreadable::TooMany);
        }
        self.pairs.push((name, value));
        Ok(())
    }

    fn form(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let text = |bytes: &[u8]| {
            String::from_utf8(percent_decode(bytes, true).0).map_err(|_| Unreadable::Utf8)
        };
        for pair in bytes.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |&b| b == b'=');
            let name = text(halves.next().unwrap_or_default())?;
            let value = text(halves.next().unwrap_or_default())?;
            self.add(name, value)?;
        }
        Ok(())
    }

    fn json(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let value: Value = json::parse(bytes).map_err(|_| Unreadable::Json)?;
        let Value::Object(fields) = value else { return Err(Unreadable::Json) };
        fields.into_iter().try_for_each(|(name, value)| self.value(name, value, 1))
    }

    fn value(&mut self, name: String, value: Value, depth: usize) -> Result<(), Unreadable> {
        if depth > API_DEPTH_MAX {
            return Err(Unreadable::Deep);
        }
        match value {
            Value::Null => Ok(()),
            Value::Bool(is) => self.add(name, is.to_string()),
            Value::Number(number) => self.add(name, number.to_string()),
            Value::String(text) => self.add(name, text),
            Value::Array(items) => items
                .into_iter()
                .try_for_each(|item| self.value(format!("{name}[]"), item, depth + 1)),
            Value::Object(fields) => fields.into_iter().try_for_each(|(key, value)| {
                self.value(format!("{name}[{key}]"), value, depth + 1)
            }),
        }
    }

    /// Reads `multipart/form-data` (RFC 7578) as programs write it.
    fn parts(&mut self, content_type: &str, body: &[u8]) -> Result<(), Unreadable> {
        let mut options = content_type.split(';').map(str::trim);
        let boundary = options.find_map(|option| option.strip_prefix("boundary="));
        let boundary = boundary.map(|text| text.trim_matches('"')).unwrap_or_default();
        if boundary.is_empty() {
            return Err(Unreadable::Parts);
        }
        let mark = format!("\r\n--{boundary}");
        // The first one stands at the beginning, without a line before it.
        let whole = [b"\r\n", body].concat();
        let mut rest = after(&whole, mark.as_bytes()).ok_or(Unreadable::Parts)?;
        while !rest.starts_with(b"--") {
            let part = rest.strip_prefix(b"\r\n").ok_or(Unreadable::Parts)?;
            let end = find(part, mark.as_bytes()).ok_or(Unreadable::Parts)?;
            let (part, tail) = part.split_at_checked(end).ok_or(Unreadable::Parts)?;
            self.part(part)?;
            rest = tail.get(mark.len()..).unwrap_or_default();
        }
        Ok(())
    }

    fn part(&mut self, part: &[u8]) -> Result<(), Unreadable> {
        let end = find(part, b"\r\n\r\n").ok_or(Unreadable::Parts)?;
        let (head, value) = part.split_at_checked(end + 4).ok_or(Unreadable::Parts)?;
        let head = std::str::from_utf8(head).map_err(|_| Unreadable::Utf8)?;
        let disposition = head.split("\r\n").find(|line| {
            line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case(DISPOSITION))
        });
        let mut options = disposition.unwrap_or_default().split(';').map(str::trim).skip(1);
        let name = options.clone().find_map(|option| option.strip_prefix("name="));
        let name = name.map(|name| name.trim_matches('"').to_owned()).ok_or(Unreadable::Parts)?;
        if options.any(|option| option.starts_with("filename")) {
            self.files.push(name);
            return if self.files.len() > API_FIELDS_MAX {
                Err(Unreadable::TooMany)
            } else {
                Ok(())
            };
        }
        let value = String::from_utf8(value.to_vec()).map_err(|_| Unreadable::Utf8)?;
        self.add(name, value)
    }

    /// All of them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.pairs.iter()
    }

    /// Whether a file was sent under a name.
    pub(super) fn has_file(&self, name: &str) -> bool {
        self.files.iter().any(|known| known == name)
    }

    /// A field's last value; empty counts.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field's last value; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// All values of a list, with brackets or without.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let is_it = |known: &str| known.strip_suffix("[]").unwrap_or(known) == name;
        self.pairs.iter().filter(|(known, _)| is_it(known)).map(|(_, value)| &**value).collect()
    }

    /// A yes or no, in every spelling that programs have; anything else is not said.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name).to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" | "t" => Some(true),
            "false" | "0" | "off" | "no" | "f" => Some(false),
            _ => None,
        }
    }
}

const DISPOSITION: &str = "Content-Disposition";

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

fn after<'a>(hay: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    hay.get(find(hay, needle)? + needle.len()..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::web::request::Method;

    fn request(query: &str, content_type: &str, body: &str) -> Request {
        Request {
            method: Method::Post,
            path: "/api/v1/statuses".to_owned(),
            query: query.to_owned(),
            cookie: None,
            origin: None,
            fetch_site: None,
            accept_language: None,
            user_agent: None,
            accept_encoding: None,
            if_none_match: None,
            content_type: Some(content_type.to_owned()),
            authorization: None,
            idempotency_key: None,
            body: body.as_bytes().to_vec(),
            client: std::net::IpAddr::from([127, 0, 0, 1]),
            id: "1".to_owned(),
        }
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";
    const PARTS: &str = "multipart/form-data; boundary=\"x7\"";

    #[track_caller]
    fn check(content_type: &str, body: &str) {
        let params = Params::read(&request("q=1", content_type, body)).ok().unwrap();
        assert_eq!(params.get("q"), "1");
        assert_eq!(params.get("status"), "Tea & cake\nat 4?");
        assert_eq!(params.all("id"), ["7", "8"]);
        assert_eq!(params.get("home[last_read_id]"), "9");
        assert_eq!((params.flag("sensitive"), params.flag("absent")), (Some(true), None));
    }

    #[test]
    fn params_read_alike_however_they_are_sent() {
        check(
            FORM,
            "status=Tea+%26+cake%0Aat+4?&id[]=7&id[]=8&home%5Blast_read_id%5D=9&sensitive=1",
        );
        check(FORM, "status=Tea+%26+cake%0Aat+4?&id=7&id=8&home[last_read_id]=9&sensitive=True");
        check(
            JSON,
            r#"{"status":"Tea & cake\nat 4?","id":["7",8],"home":{"last_read_id":9},
                "sensitive":true,"absent":null}"#,
        );
        let part = |name: &str, value: &str| {
            format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = part("status", "Tea & cake\nat 4?") + &part("id[]", "7") + &part("id[]", "8");
        let file = "--x7\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n\
                    \u{1}\r\n";
        let body = body + file + &part("home[last_read_id]", "9") + &part("sensitive", "on");
        check(PARTS, &(body + "--x7--\r\n"));
    }

    #[test]
    fn params_unreadable_told_why() {
        let deep = format!("{}1{}", "{\"a\":".repeat(9), "}".repeat(9));
        let many = "a=1&".repeat(API_FIELDS_MAX);
        for (content_type, body, why) in [
            (JSON, "[1]", Unreadable::Json),
            (JSON, "{", Unreadable::Json),
            (JSON, deep.as_str(), Unreadable::Deep),
            (FORM, many.as_str(), Unreadable::TooMany),
            (FORM, "a=%ff", Unreadable::Utf8),
            (PARTS, "--x7\r\nContent-Disposition: form-data; name=a\r\n\r\n1", Unreadable::Parts),
            ("multipart/form-data", "--x7--", Unreadable::Parts),
            ("text/plain", "a=1", Unreadable::ContentType),
        ] {
            let read = Params::read(&request("q=1", content_type, body));
            assert_eq!(read.err(), Some(why), "{content_type} {body}");
        }
        assert!(Params::read(&request("", "text/plain", "")).is_ok());
    }

    proptest! {
        #[test]
        fn params_any_body_read_or_refused(body in ".{0,200}", kind in 0..3_usize) {
            let content_type = [FORM, JSON, PARTS][kind];
            if let Ok(params) = Params::read(&request("", content_type, &body)) {
                prop_assert!(params.pairs.len() <= API_FIELDS_MAX);
            }
        }
    }
}
