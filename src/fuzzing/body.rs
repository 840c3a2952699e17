//! What comes behind a head, beyond a plain form: forms in parts, which bring files, and what apps send.

use std::collections::BTreeMap;

use crate::limits::{API_FIELDS_MAX, API_SAID_BYTES_MAX, FORM_FIELDS_MAX};
use crate::web::api::params::Params;
use crate::web::form::{FIELDS, Form, encode_query};
use crate::web::request::{Method, Request};

const PAIRS: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=x7";
const JSON: &str = "application/json";

/// What a form in parts holds is known and counted; written and read again it is the same. One that makes
/// no sense holds nothing.
pub(super) fn parts(data: &[u8]) {
    let form = Form::parse(Some(PARTS), data);
    let held = held_by(&form, data);
    assert!(held.len() <= FORM_FIELDS_MAX);
    let bytes: usize = held.values().map(|(_, content)| content.len()).sum();
    // What is no text is told by a character of three bytes each.
    assert!(bytes <= 3 * data.len(), "{bytes} bytes of {}", data.len());
    if form.fault().is_some() {
        return;
    }
    let again = written(&held);
    let form = Form::parse(Some(PARTS), &again);
    assert_eq!(form.fault(), None, "{:?}", String::from_utf8_lossy(&again));
    assert_eq!(held_by(&form, &again), held);
}

/// Texts and files by name, and which they are; a file that nobody chose is none.
fn held_by(form: &Form, body: &[u8]) -> BTreeMap<&'static str, (bool, Vec<u8>)> {
    let mut held = BTreeMap::new();
    for name in FIELDS.iter().copied() {
        let (text, file) = (form.find(name), form.file(name, body));
        assert!(text.is_none() || file.is_none(), "{name} is a text and a file");
        let content = text.map(str::as_bytes).or(file);
        held.extend(content.map(|content| (name, (file.is_some(), content.to_vec()))));
    }
    held
}

/// The same as a form in parts.
fn written(held: &BTreeMap<&'static str, (bool, Vec<u8>)>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, (is_file, content)) in held {
        let file = if *is_file { "; filename=\"a\"" } else { "" };
        let head = format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--x7--\r\n");
    body
}

/// What an app sends is read into a bounded number of names and values, or refused; as a plain form it says
/// the same.
pub(super) fn params(data: &[u8]) {
    for content_type in [PAIRS, PARTS, JSON] {
        let Some(params) = read(content_type, data) else { continue };
        let pairs: Vec<_> = params.pairs().cloned().collect();
        assert!(pairs.len() <= API_FIELDS_MAX);
        let bytes = pairs.iter().map(|(name, value)| name.len() + value.len());
        assert!(bytes.sum::<usize>() <= API_SAID_BYTES_MAX);
        let pair = |(name, value): &(String, String)| {
            format!("{}={}", encode_query(name), encode_query(value))
        };
        let form = pairs.iter().map(pair).collect::<Vec<_>>().join("&");
        let Some(again) = read(PAIRS, form.as_bytes()) else { panic!("{form:?} is refused") };
        assert!(again.pairs().eq(&pairs), "{form:?} says something else");
    }
}

fn read(content_type: &str, body: &[u8]) -> Option<Params> {
    let mut request = Request::bare(Method::Post, "/api/v1/statuses");
    request.content_type = Some(content_type.to_owned());
    body.clone_into(&mut request.body);
    Params::read(&request).ok()
}
