//! What an app sends: after `?`, as a form, as JSON or in parts, all read alike into names and values.
//!
//! JSON becomes what a form would have said: `{"a":{"b":[1,true]}}` is `a[b][]=1&a[b][]=true`, and `{"a":[{"b":1}]}`
//! is `a[0][b]=1`. Parts that
//! are files stay where they are. Everything is bounded by the gate's limit on bodies, by
//! [`API_FIELDS_MAX`], [`API_NAME_BYTES_MAX`] and [`API_SAID_BYTES_MAX`].

use std::ops::Range;

use super::{Answer, leaf};
use crate::limits::{API_FIELDS_MAX, API_NAME_BYTES_MAX, API_SAID_BYTES_MAX, BODY_BYTES_MAX};
use crate::web::form::percent_decode;
use crate::web::multipart;
use crate::web::request::Request;

/// Names and values, in their order.
#[derive(Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// Where in the body the parts stand that are files.
    files: Vec<(String, Range<usize>)>,
    /// Names under which a list or an object came, even an empty one.
    compounds: Vec<String>,
    /// Bytes of all these names and values.
    bytes: usize,
}

/// A body that cannot be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the body is no JSON object")]
    Json,
    #[error("the JSON is nested too deep")]
    Deep,
    #[error("the parts of the body make no sense")]
    Parts,
    #[error("the fields are too long")]
    Long,
    #[error("the name of a field has more than {API_NAME_BYTES_MAX} bytes")]
    LongName,
    #[error("the fields have more than {API_SAID_BYTES_MAX} bytes together")]
    TooMuch,
    #[error("more than {API_FIELDS_MAX} fields")]
    TooMany,
    #[error("a field is not UTF-8")]
    Utf8,
    #[error("send a form, JSON or parts of a form")]
    ContentType,
}

impl Params {
    /// Reads all that a request brings.
    pub(crate) fn read(request: &Request) -> Result<Self, Unreadable> {
        let mut params = Self::default();
        params.form(request.query.as_bytes())?;
        let content_type = request.content_type.as_deref().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if request.body.is_empty() {
            return Ok(params);
        }
        match essence.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => params.form(&request.body)?,
            "application/json" => leaf::read(&mut params, &request.body)?,
            "multipart/form-data" => params.parts(content_type, &request.body)?,
            _ => return Err(Unreadable::ContentType),
        }
        Ok(params)
    }

    /// Takes in a field. Nothing is copied of one that is too much: what is kept here is there until the
    /// request is answered.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), Unreadable> {
        self.count(name, value.len())?;
        self.pairs.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Notes that there is a list or an object under a name, which may hold nothing.
    pub(super) fn add_compound(&mut self, name: &str) -> Result<(), Unreadable> {
        if self.has_inside(name) {
            return Ok(());
        }
        if self.compounds.len() >= API_FIELDS_MAX {
            return Err(Unreadable::TooMany);
        }
        self.count(name, 0)?;
        self.compounds.push(name.to_owned());
        Ok(())
    }

    fn count(&mut self, name: &str, value_bytes: usize) -> Result<(), Unreadable> {
        if self.pairs.len() + self.files.len() >= API_FIELDS_MAX {
            return Err(Unreadable::TooMany);
        }
        if name.len() > API_NAME_BYTES_MAX {
            return Err(Unreadable::LongName);
        }
        let bytes = self.bytes + name.len() + value_bytes;
        if bytes > API_SAID_BYTES_MAX {
            return Err(Unreadable::TooMuch);
        }
        self.bytes = bytes;
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
            self.add(&name, &value)?;
        }
        Ok(())
    }

    /// Reads `multipart/form-data`. A file stays where it is; what is typed is no longer than in any other
    /// form.
    fn parts(&mut self, content_type: &str, body: &[u8]) -> Result<(), Unreadable> {
        let boundary = multipart::boundary(content_type).ok_or(Unreadable::Parts)?;
        let parts = multipart::parts(boundary, body, API_FIELDS_MAX);
        let mut typed = 0;
        for part in parts.map_err(|_| Unreadable::Parts)? {
            if part.is_file {
                self.count(part.name, 0)?;
                self.files.push((part.name.to_owned(), part.content));
                continue;
            }
            let value = body.get(part.content).unwrap_or_default();
            typed += value.len();
            if typed > BODY_BYTES_MAX {
                return Err(Unreadable::Long);
            }
            self.add(part.name, std::str::from_utf8(value).map_err(|_| Unreadable::Utf8)?)?;
        }
        Ok(())
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.pairs.iter()
    }

    /// A file that came with the request whose body this is, unless it is empty.
    pub(crate) fn file<'a>(&self, name: &str, body: &'a [u8]) -> Option<&'a [u8]> {
        let (_, place) = self.files.iter().find(|(known, _)| known == name)?;
        body.get(place.clone()).filter(|bytes| !bytes.is_empty())
    }

    /// The names of the files, chosen or not.
    pub(super) fn file_names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// Whether JSON had a list or an object under that name.
    pub(super) fn has_inside(&self, name: &str) -> bool {
        self.compounds.iter().any(|known| known == name)
    }

    /// Whether a field or a file of that name was sent, empty or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some() || self.files.iter().any(|(known, _)| known == name)
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

    /// The objects of a list, each as its fields and their values: `name[][field]`, where a field that comes again
    /// begins the next one, or `name[0][field]`.
    pub(super) fn items(&self, name: &str) -> Vec<Vec<(&str, &str)>> {
        let (mut items, mut at) = (Vec::<Vec<_>>::new(), None);
        for (known, value) in &self.pairs {
            let inside = known.strip_prefix(name).and_then(|rest| rest.strip_prefix('['));
            let parts = inside.and_then(|rest| rest.strip_suffix(']')?.split_once("]["));
            let Some((place, field)) = parts else { continue };
            let is_other = |item: &&mut Vec<(&str, &str)>| item.iter().all(|(it, _)| *it != field);
            match items.last_mut().filter(is_other) {
                Some(item) if at == Some(place) => item.push((field, value.as_str())),
                _ => items.push(vec![(field, value.as_str())]),
            }
            at = Some(place);
        }
        items
    }

    /// A yes or no, if it is said.
    ///
    /// # Errors
    /// What to answer where something else is.
    pub(super) fn is_on(&self, name: &str) -> Result<Option<bool>, Answer> {
        match self.flag(name) {
            None if !self.get(name).is_empty() => {
                Err(Answer::error(422, &format!("Validation failed: {name} is true or false")))
            }
            said => Ok(said),
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::web::request::Method;

    fn request(query: &str, content_type: &str, body: &str) -> Request {
        Request {
            query: query.to_owned(),
            content_type: Some(content_type.to_owned()),
            body: body.as_bytes().to_vec(),
            ..Request::bare(Method::Post, "/api/v1/statuses")
        }
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";
    const PARTS: &str = "multipart/form-data; boundary=\"x7\"";

    #[test]
    fn items_of_a_list_told_apart_in_every_spelling() {
        for (content_type, body) in [
            (FORM, "a[][id]=1&a[][d]=x&a[][d]=y&a[][id]=2&a=3&ab[][id]=4"),
            (FORM, "a[0][id]=1&a[0][d]=x&a[1][d]=y&a[1][id]=2&a[2]=3"),
            (JSON, r#"{"a":[{"id":1,"d":"x"},{"d":"y","id":"2"}]}"#),
        ] {
            let params = Params::read(&request("", content_type, body)).ok().unwrap();
            let items: Vec<_> = params
                .items("a")
                .into_iter()
                .map(|mut item| {
                    item.sort_unstable();
                    item
                })
                .collect();
            let item = |id, d| [("d", d), ("id", id)];
            assert_eq!(items, [item("1", "x"), item("2", "y")], "{body}");
        }
        // What one says was taken for what the one before it says.
        let params = Params::read(&request("", JSON, r#"{"a":[{"id":1},{"d":"y","id":2}]}"#));
        let params = params.ok().unwrap();
        assert_eq!(params.items("a"), [vec![("id", "1")], vec![("d", "y"), ("id", "2")]]);
    }

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
            (
                PARTS,
                "--x7\r\nContent-Disposition: form-data; id=a\r\n\r\n1\r\n--x7--",
                Unreadable::Parts,
            ),
            ("multipart/form-data", "--x7--", Unreadable::Parts),
            ("text/plain", "a=1", Unreadable::ContentType),
        ] {
            let read = Params::read(&request("q=1", content_type, body));
            assert_eq!(read.err(), Some(why), "{content_type} {body}");
        }
        assert!(Params::read(&request("", "text/plain", "")).is_ok());
    }

    /// A name of 62 KB was kept once for each item of its list: 15 MB of a body of 64.
    #[test]
    fn params_long_names_and_much_text_refused() {
        let list = |name: &str| format!("{{\"{name}\":[{}1]}}", "1,".repeat(240));
        let (name, long) = ("n".repeat(API_NAME_BYTES_MAX - 2), "n".repeat(API_NAME_BYTES_MAX + 1));
        let params = Params::read(&request("", JSON, &list(&name))).ok().unwrap();
        assert_eq!(
            (params.all(&name).len(), params.bytes),
            (241, 242 * (API_NAME_BYTES_MAX + 1) - 3)
        );
        let part = |name: &str, value: &str| {
            format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let text = "x".repeat(BODY_BYTES_MAX);
        // As JSON for a backend it would have been longer than what one takes.
        let much = part("a", &text) + &part("b", "x") + "--x7--";
        let inner = |depth| {
            format!("{}1{}", format!("{{\"{}\":", &name[..80]).repeat(depth), "}".repeat(depth))
        };
        for (content_type, body, why) in [
            (JSON, list(&"n".repeat(62_000)), Unreadable::LongName),
            (JSON, list(&format!("{name}n")), Unreadable::LongName),
            (JSON, inner(4), Unreadable::LongName),
            (JSON, format!("{{\"{long}\":[]}}"), Unreadable::LongName),
            (FORM, format!("{long}=1"), Unreadable::LongName),
            (PARTS, part(&long, "1") + "--x7--", Unreadable::LongName),
            (PARTS, much, Unreadable::Long),
        ] {
            let read = Params::read(&request("", content_type, &body));
            assert_eq!(read.err(), Some(why), "{content_type} {}", &body[..20]);
        }
        assert!(Params::read(&request("", JSON, &inner(3))).is_ok());
    }

    proptest! {
        #[test]
        fn params_any_body_read_or_refused(body in ".{0,200}", kind in 0..3_usize) {
            let content_type = [FORM, JSON, PARTS][kind];
            if let Ok(params) = Params::read(&request("", content_type, &body)) {
                prop_assert!(params.pairs.len() <= API_FIELDS_MAX);
                let bytes = params.pairs.iter().map(|(name, value)| name.len() + value.len());
                prop_assert!(bytes.sum::<usize>() <= params.bytes);
            }
        }
    }
}
