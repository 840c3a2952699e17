//! What a browser sends: heads, forms, cookies, and where it wants to go next.

use crate::limits::{
    BODY_BYTES_MAX, FORM_FIELDS_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, REQUEST_LINE_BYTES_MAX,
};
use crate::web::form::{FIELDS, Form, decode_path, encode_query};
use crate::web::gate::head::{Head, Scan, languages, parse};
use crate::web::handler::next_of;
use crate::web::marker::{List, Marker};
use crate::web::origin::is_authority;
use crate::web::request::{Method, is_for_apps};
use crate::web::response::Location;
use crate::web::route::Route;
use crate::web::session::{Session, Stranger};
use crate::web::words::Lang;

/// A head is read alike however it arrives; what is let by is within the limits and has one reading,
/// also for whoever reads it as we pass it on.
pub(super) fn head(data: &[u8]) {
    let whole = read(data, data.len().max(1));
    for step in [1, 7] {
        assert_eq!(read(data, step), whole, "read otherwise in pieces of {step}");
    }
    assert!(!languages(data, "").is_empty());
    let Ok(Some((head, bytes))) = whole else { return };
    assert!(bytes <= REQUEST_LINE_BYTES_MAX + 2 + HEADERS_BYTES_MAX);
    assert!(head.target.starts_with('/') && head.target.len() <= REQUEST_LINE_BYTES_MAX);
    assert!(head.target.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'#'));
    assert!(is_authority(&head.host), "host {:?}", head.host);
    assert!(head.body_bytes <= BODY_BYTES_MAX);
    let is_for_pages = head.method.is_for_pages() && !is_for_apps(&head.target);
    assert!(
        !is_for_pages || head.method == Method::Post || head.body_bytes == 0,
        "a read with a body"
    );
    let mut names: Vec<_> = head.passed.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair.first() != pair.last()), "{names:?}");
    assert!(names.len() + head.forwarded_for.len() <= HEADERS_MAX);
    let values = head.passed.iter().map(|(_, value)| value).chain(&head.forwarded_for);
    assert!(values.clone().all(|value| value.bytes().all(|b| (0x20..=0x7e).contains(&b))));
    let again = written(&head);
    if again.len() > HEADERS_BYTES_MAX {
        // What is beyond ASCII is longer in ASCII.
        return;
    }
    let Ok(Some((read_again, end))) = read(again.as_bytes(), again.len()) else {
        panic!("refused once written anew: {again:?}");
    };
    assert_eq!((read_again, end), (head, again.len()), "another head once written anew");
}

/// Feeds a head in pieces of `step` bytes, as a network may; what it says and how long it is, once
/// it has ended; or why it is refused.
fn read(data: &[u8], step: usize) -> Result<Option<(Head, usize)>, String> {
    let mut scan = Scan::default();
    for end in (step..data.len()).step_by(step).chain([data.len()]) {
        let so_far = data.get(..end).unwrap_or(data);
        if let Some(end) = scan.find_end(so_far).map_err(|refusal| refusal.to_string())? {
            let head = parse(data.get(..end).unwrap_or(data));
            return head.map(|head| Some((head, end))).map_err(|refusal| refusal.to_string());
        }
    }
    Ok(None)
}

/// A head in plain words.
fn written(head: &Head) -> String {
    let spelt = |(_, it): &&(&str, Method)| *it == head.method;
    let method = Method::ALL.iter().find(spelt).map_or("", |(name, _)| *name);
    let minor = u8::from(!head.is_http10);
    let mut text = format!("{method} {} HTTP/1.{minor}\r\nHost: {}\r\n", head.target, head.host);
    let mut line = |name: &str, value: &str| text.push_str(&[name, ":", value, "\r\n"].concat());
    for (name, value) in &head.passed {
        line(name, value);
    }
    head.forwarded_for.iter().for_each(|value| line("X-Forwarded-For", value));
    if head.body_bytes > 0 {
        line("Content-Length", &head.body_bytes.to_string());
    }
    if head.expects_continue {
        line("Expect", "100-continue");
    }
    match (head.is_http10, head.keeps_alive) {
        (true, true) => line("Connection", "keep-alive"),
        (false, false) => line("Connection", "close"),
        (true, false) | (false, true) => {}
    }
    text.push_str("\r\n");
    text
}

/// What a form holds is known, counted and text; written and read again it is the same.
pub(super) fn form(data: &[u8]) {
    const URLENCODED: &str = "application/x-www-form-urlencoded";
    let form = Form::parse(Some(URLENCODED), data);
    let fields = || FIELDS.iter().filter_map(|name| Some((*name, form.find(name)?)));
    assert!(fields().count() <= FORM_FIELDS_MAX);
    assert!(fields().all(|(_, value)| value.len() <= 3 * data.len()));
    let body: Vec<_> =
        fields().map(|(name, value)| format!("{name}={}", encode_query(value))).collect();
    let again = Form::parse(Some(URLENCODED), body.join("&").as_bytes());
    assert_eq!(again.fault(), None, "{body:?}");
    for name in FIELDS {
        assert_eq!(again.find(name), form.find(name), "{name}");
    }
    assert!(Form::parse(None, data).fault().is_some(), "a body of no type taken for a form");
    // Behind `?` the same rules hold.
    let query = String::from_utf8_lossy(data);
    let asked = Form::parse_query(&query);
    if query.as_bytes() == data {
        assert!(FIELDS.iter().all(|name| asked.find(name) == form.find(name)));
        assert_eq!(asked.fault(), form.fault());
    }
    if let Some(path) = decode_path(&query) {
        assert_eq!(decode_path(&encode_query(&path)), Some(path));
    }
}

/// Cookies from anywhere: a session that is read says what was sent, and what is set from it holds
/// nothing that could end a header or begin another cookie.
pub(super) fn cookie(data: &[u8]) {
    let header = String::from_utf8_lossy(data);
    let plain = |value: &str| {
        !value.is_empty()
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@~".contains(&b))
    };
    for prefix in ["", "__Host-"] {
        let _language = Lang::of(Some(&header), None, prefix);
        if let Some(stranger) = Stranger::from_cookies(&header, prefix) {
            assert!(header.contains(stranger.secret()) && plain(stranger.secret()));
        }
        let Some(session) = Session::from_cookies(&header, prefix) else { continue };
        assert!(header.contains(&format!("{}.{}", session.user(), session.token())));
        let Some(again) = Session::parse(&session.secret()) else {
            panic!("a session that cannot be read again");
        };
        assert!(again.secret() == session.secret() && again.user() == session.user());
        let cookies = session.cookies_after(None);
        assert!(
            cookies
                .iter()
                .all(|cookie| { cookie.value.as_ref().is_some_and(|value| plain(value.as_str())) })
        );
        let set = cookies.iter().filter_map(|cookie| {
            Some(format!("{prefix}{}={}", cookie.name, cookie.value.as_ref()?.as_str()))
        });
        let set: Vec<_> = set.collect();
        let Some(kept) = Session::from_cookies(&set.join("; "), prefix) else {
            panic!("a browser that keeps what it was given is not known");
        };
        assert!(kept.secret() == session.secret());
        for list in [List::Home, List::News] {
            let marker = Marker::from_cookies(&header, prefix, list, session.user());
            let value = marker.and_then(|marker| marker.cookie(list, session.user()).value);
            assert!(marker.is_none() || value.is_some_and(|value| plain(value.as_str())));
        }
    }
}

/// Where a form leads on: a path of this site as every browser reads it, in one line.
pub(super) fn next(data: &[u8]) {
    let value = String::from_utf8_lossy(data);
    for query in [format!("next={value}"), format!("next={}", encode_query(&value))] {
        let Some(to) = next_of(&Form::parse_query(&query)) else { continue };
        // Browsers drop tabs and line ends, and read `\` as `/`, before they look for a host.
        let seen: String = to.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
        let seen = seen.replace('\\', "/");
        assert!(seen.starts_with('/') && !seen.starts_with("//"), "{to:?} leads elsewhere");
        assert!(to.bytes().all(|b| (0x21..=0x7e).contains(&b)), "{to:?} ends a header line");
        assert_eq!(Location::new(&to).as_ref().map(Location::as_str), Some(to.as_str()));
        // The page that it names, if it names one, is on this site too.
        let path = to.split(['?', '#']).next().unwrap_or_default();
        let route = decode_path(path).and_then(|path| Route::parse(&path));
        let address = route.map(|route| route.to_string());
        assert!(address.is_none_or(|address| Location::new(&address).is_some()), "{to:?}");
    }
}
