//! The head of a request, read so strictly that no two readers could take it for two different
//! requests. `httparse` finds the tokens; the rules before and after it are ours.
//!
//! Refused, beyond what HTTP forbids: any `Transfer-Encoding`, tabs, bytes outside printable
//! ASCII but in the values of fields (RFC 9110, section 5.5), a body with a read that is not an app's,
//! targets that do not begin with `/`, and a second copy of any header that we use.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::limits::{
    BODY_BYTES_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, REQUEST_LINE_BYTES_MAX, UPLOAD_BYTES_MAX,
};
use crate::web::gate::refusal::Refusal;
use crate::web::gate::upload::may_upload;
use crate::web::origin::is_authority;
use crate::web::request::{Method, is_for_apps};
use crate::web::words::Lang;

/// Headers that are passed on, spelt as they are passed on.
const PASSED: [&str; 10] = [
    "Cookie",
    "Origin",
    "Sec-Fetch-Site",
    ACCEPT_LANGUAGE,
    "User-Agent",
    ACCEPT_ENCODING,
    "If-None-Match",
    "Content-Type",
    "Authorization",
    "Idempotency-Key",
];
/// Those of them that may come in several lines, as a list may (RFC 9110, section 5.3).
const LISTS: [&str; 2] = [ACCEPT_LANGUAGE, ACCEPT_ENCODING];
const ACCEPT_LANGUAGE: &str = "Accept-Language";
const ACCEPT_ENCODING: &str = "Accept-Encoding";

/// A request's head, with only what we use of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// Begins with `/`, printable ASCII.
    pub(crate) target: String,
    /// Whether the browser speaks HTTP/1.0.
    pub(crate) is_http10: bool,
    /// Whether it would send more on this connection.
    pub(crate) keeps_alive: bool,
    /// Bytes of body that follow: at most [`BODY_BYTES_MAX`].
    pub(crate) body_bytes: usize,
    /// Whether it waits for leave to send the body.
    pub(crate) expects_continue: bool,
    /// `Host`: a well-formed host and perhaps a port.
    pub(crate) host: String,
    /// All `X-Forwarded-For` lines, in order.
    pub(crate) forwarded_for: Vec<String>,
    /// Of [`PASSED`], those that were sent, each once.
    pub(crate) passed: Vec<(&'static str, String)>,
}

/// Looks for the end of a head in bytes as they come, refusing the first one that no head holds, so
/// that nobody waits for the rest of what will be refused anyway.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    seen: usize,
    line_start: usize,
    lines: usize,
    headers_start: Option<usize>,
    previous: u8,
}

impl Scan {
    /// Looks at what is new in `buf`, which begins with the head. Gives where the head ends, once it
    /// does.
    pub(crate) fn find_end(&mut self, buf: &[u8]) -> Result<Option<usize>, Refusal> {
        for byte in buf.iter().skip(self.seen) {
            let at = self.seen;
            self.seen += 1;
            let is_end = self.take(at, *byte)?;
            self.previous = *byte;
            if is_end {
                return Ok(Some(self.seen));
            }
        }
        Ok(None)
    }

    /// One byte; true if it ends the head.
    fn take(&mut self, at: usize, byte: u8) -> Result<bool, Refusal> {
        if self.headers_start.is_some_and(|start| at - start >= HEADERS_BYTES_MAX) {
            return Err(Refusal::HeadersTooLarge);
        }
        match byte {
            b'\n' if self.previous == b'\r' => return self.end_line(at),
            b'\n' => return Err(Refusal::Malformed("bare LF")),
            _ if self.previous == b'\r' => return Err(Refusal::Malformed("bare CR")),
            b' ' if at == self.line_start => return Err(Refusal::Malformed("folded header")),
            b'\r' | b' '..=b'~' => {}
            0x80.. if self.headers_start.is_some() => {}
            _ => return Err(Refusal::Malformed("byte outside printable ASCII")),
        }
        if self.headers_start.is_none() && byte != b'\r' && at >= REQUEST_LINE_BYTES_MAX {
            return Err(Refusal::TargetTooLong);
        }
        Ok(false)
    }

    fn end_line(&mut self, at: usize) -> Result<bool, Refusal> {
        let is_empty = at == self.line_start + 1;
        self.line_start = at + 1;
        if self.headers_start.is_none() {
            self.headers_start = Some(at + 1);
            return if is_empty { Err(Refusal::Malformed("empty line")) } else { Ok(false) };
        }
        self.lines += 1;
        if !is_empty && self.lines > HEADERS_MAX {
            return Err(Refusal::HeadersTooLarge);
        }
        Ok(is_empty)
    }
}

/// Reads a head that [`Scan`] found the end of.
pub(crate) fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    check_lines(bytes)?;
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        Ok(_) => return Err(Refusal::Malformed("head ends elsewhere")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadersTooLarge),
        Err(_) => return Err(Refusal::Malformed("head")),
    }
    let target = request.path.unwrap_or_default();
    let known = Method::ALL.into_iter().find(|(name, _)| request.method == Some(*name));
    let method = known.map(|(_, method)| method).ok_or(Refusal::Method)?;
    if !method.is_for_pages() && !is_for_apps(target) {
        return Err(Refusal::Method);
    }
    if !target.starts_with('/') || target.contains('#') {
        return Err(Refusal::Malformed("target"));
    }
    let is_http10 = request.version == Some(0);
    let fields = Fields::read(request.headers)?;
    let body_bytes = fields.body_bytes.unwrap_or(0);
    // Some apps' libraries send one with whatever they ask, and nothing stands in it.
    let may_read_away = method == Method::Get && is_for_apps(target);
    if !method.is_write() && !may_read_away && body_bytes > 0 {
        return Err(Refusal::Malformed("body of a GET or HEAD"));
    }
    let takes_pictures = method.is_write() && fields.takes_pictures(target);
    if body_bytes > BODY_BYTES_MAX && !takes_pictures {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(Head {
        method,
        target: target.to_owned(),
        is_http10,
        keeps_alive: fields.keeps_alive(is_http10),
        body_bytes,
        expects_continue: fields.expects_continue && !is_http10,
        host: fields.host.ok_or(Refusal::Malformed("no Host"))?,
        forwarded_for: fields.forwarded_for,
        passed: fields.passed,
    })
}

/// The languages to refuse in, by as much of a head as was read, whatever else is wrong with it. All
/// of them where a head was cut short before it said which.
pub(crate) fn languages(bytes: &[u8], cookie_prefix: &str) -> &'static [Lang] {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.split_once("\r\n\r\n").map(|(head, _)| head);
    let fields = |name: &str| {
        let mut lines = whole.unwrap_or(&text).split("\r\n").skip(1);
        lines.find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    match (fields("Cookie"), fields(ACCEPT_LANGUAGE)) {
        (None, None) if whole.is_none() => &Lang::ALL,
        (cookie, accept) => Lang::of(cookie, accept, cookie_prefix).alone(),
    }
}

/// What `httparse` would not refuse, or not tell apart.
fn check_lines(bytes: &[u8]) -> Result<(), Refusal> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let mut parts = lines.next().unwrap_or_default().split(' ');
    let (_method, _target) = (parts.next(), parts.next());
    match (parts.next(), parts.next()) {
        (Some("HTTP/1.0" | "HTTP/1.1"), None) => {}
        (Some(version), None) if is_version(version) => return Err(Refusal::Version),
        _ => return Err(Refusal::Malformed("request line")),
    }
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        // Readers differ in what they trim around this one, so nothing but one space is let by.
        let digits = value.strip_prefix(' ').unwrap_or(value);
        let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if name.trim().eq_ignore_ascii_case("Content-Length") && !all_digits {
            return Err(Refusal::Malformed("Content-Length"));
        }
    }
    Ok(())
}

/// `HTTP/` and one or two single digits, as all versions to come are spelt.
fn is_version(text: &str) -> bool {
    let digit = |b: &u8| b.is_ascii_digit();
    match text.strip_prefix("HTTP/").map(str::as_bytes) {
        Some([major]) => digit(major),
        Some([major, b'.', minor]) => digit(major) && digit(minor),
        _ => false,
    }
}

/// A field's value, with `%` and two digits for each byte beyond ASCII: nothing that means something to us
/// has any, and what is passed on has one reading.
fn in_ascii(value: &[u8]) -> Cow<'_, str> {
    if value.is_ascii() {
        return String::from_utf8_lossy(value);
    }
    let spelt = value.iter().fold(String::with_capacity(3 * value.len()), |mut spelt, byte| {
        if byte.is_ascii() {
            spelt.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(spelt, "%{byte:02X}");
        }
        spelt
    });
    Cow::Owned(spelt)
}

/// The header lines that mean something to us.
#[derive(Default)]
struct Fields {
    host: Option<String>,
    body_bytes: Option<usize>,
    expects_continue: bool,
    closes: bool,
    asks_to_keep: bool,
    forwarded_for: Vec<String>,
    passed: Vec<(&'static str, String)>,
}

impl Fields {
    fn read(headers: &[httparse::Header<'_>]) -> Result<Self, Refusal> {
        let mut fields = Self::default();
        for header in headers {
            fields.add(header.name, &in_ascii(header.value))?;
        }
        Ok(fields)
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("Transfer-Encoding") {
            return Err(Refusal::Malformed("Transfer-Encoding"));
        } else if is("Host") {
            if self.host.is_some() || !is_authority(value) {
                return Err(Refusal::Malformed("Host"));
            }
            self.host = Some(value.to_owned());
        } else if is("Content-Length") {
            if self.body_bytes.is_some() {
                return Err(Refusal::Malformed("two Content-Length"));
            }
            // Digits only by now: what does not parse is beyond any number.
            let bytes = value.parse().unwrap_or(usize::MAX);
            if bytes > UPLOAD_BYTES_MAX {
                return Err(Refusal::BodyTooLarge);
            }
            self.body_bytes = Some(bytes);
        } else if is("Expect") {
            if self.expects_continue || !value.eq_ignore_ascii_case("100-continue") {
                return Err(Refusal::Expectation);
            }
            self.expects_continue = true;
        } else if is("Connection") {
            self.connection(value);
        } else if is("X-Forwarded-For") {
            self.forwarded_for.push(value.to_owned());
        } else if let Some(known) = PASSED.into_iter().find(|known| is(known)) {
            match self.passed.iter_mut().find(|(name, _)| *name == known) {
                None => self.passed.push((known, value.to_owned())),
                Some((_, before)) if LISTS.contains(&known) => {
                    // An empty one adds nothing: a list neither begins nor ends with a comma of ours.
                    let comma = if before.is_empty() || value.is_empty() { "" } else { ", " };
                    before.push_str(comma);
                    before.push_str(value);
                }
                Some(_) => return Err(Refusal::Malformed("header sent twice")),
            }
        }
        Ok(())
    }

    fn connection(&mut self, value: &str) {
        for option in value.split(',').map(str::trim) {
            self.closes |= option.eq_ignore_ascii_case("close");
            self.asks_to_keep |= option.eq_ignore_ascii_case("keep-alive");
        }
    }

    /// Whether it is a form that may bring pictures, from somebody who may be signed in.
    fn takes_pictures(&self, target: &str) -> bool {
        let field = |name| self.passed.iter().find(|(known, _)| *known == name);
        let is_form = field("Content-Type").is_some_and(|(_, value)| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("multipart/form-data")
        });
        let claims = if is_for_apps(target) { "Authorization" } else { "Cookie" };
        may_upload(target).is_some() && is_form && field(claims).is_some()
    }

    const fn keeps_alive(&self, is_http10: bool) -> bool {
        !self.closes && (!is_http10 || self.asks_to_keep)
    }
}

#[cfg(test)]
mod tests;
