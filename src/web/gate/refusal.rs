//! What the gate answers by itself: a small page that says what happened, whether what was typed
//! is safe, and what to do now.

use crate::clock::Wall;
use crate::limits::GATE_RETRY_AFTER_S;
use crate::web::origin::Origin;
use crate::web::request::Method;
use crate::web::response::{Asked, Content, Encoded, Response};

/// Why the gate does not pass a request on. Each ends the connection but [`Self::Busy`], which
/// alone is said after the whole request was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Not HTTP, or HTTP that two readers could understand in two ways; says which rule it broke.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    #[error("request too slow")]
    Slow,
    #[error("request line too long")]
    TargetTooLong,
    #[error("headers too large")]
    HeadersTooLarge,
    #[error("body too large")]
    BodyTooLarge,
    #[error("method not allowed")]
    Method,
    #[error("version not supported")]
    Version,
    #[error("expectation not known")]
    Expectation,
    #[error("host is not this site")]
    Host,
    #[error("too many connections")]
    Full,
    #[error("no worker free")]
    Busy,
    /// No answer in time; whether something was being written decides what to say.
    #[error("worker too slow")]
    Late { was_write: bool },
    #[error("worker failed")]
    Failed { was_write: bool },
}

/// What a page of the gate says.
struct Words {
    title: &'static str,
    happened: &'static str,
    now: &'static str,
}

const fn words(title: &'static str, happened: &'static str, now: &'static str) -> Words {
    Words { title, happened, now }
}

const BACK: &str = "Nothing was saved. Your browser still holds what you typed: go back to it.";
const AGAIN: &str = "Nothing was saved. Go back and try again; your browser keeps what you typed.";
const SOON: &str = "Nothing was saved. Try again in a few seconds; if you were writing, go back \
                    first, your browser keeps what you typed.";
const UNKNOWN: &str = "Go back and send it again: if it was saved, it will not be saved twice.";

impl Refusal {
    /// The HTTP status.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Method => 405,
            Self::Slow => 408,
            Self::BodyTooLarge => 413,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::Host => 421,
            Self::HeadersTooLarge => 431,
            Self::Failed { .. } => 500,
            Self::Full | Self::Busy | Self::Late { .. } => 503,
            Self::Version => 505,
        }
    }

    /// Whether it is over soon, so that trying again helps.
    const fn is_passing(self) -> bool {
        matches!(self, Self::Full | Self::Busy | Self::Late { .. })
    }

    const fn words(self) -> Words {
        match self {
            Self::Malformed(_) => words(
                "Not understood",
                "Your browser sent something that is no valid request.",
                AGAIN,
            ),
            Self::Slow => {
                words("Too slow", "Your browser took too long to send its request.", AGAIN)
            }
            Self::TargetTooLong => words("Too long", "That address is too long.", BACK),
            Self::HeadersTooLarge => words(
                "Too much",
                "Your browser sent too much with its request, perhaps old cookies.",
                "Nothing was saved. Clear this site's cookies in your browser and try again.",
            ),
            Self::BodyTooLarge => words(
                "Too long",
                "What you sent is too long for this site.",
                "Nothing was saved. Your browser still holds what you typed: go back and shorten it.",
            ),
            Self::Method => words("Not possible", "This site has no such way to ask.", BACK),
            Self::Version => {
                words("Not possible", "This site speaks HTTP/1.0 and HTTP/1.1 here.", BACK)
            }
            Self::Expectation => {
                words("Not possible", "Your browser expects what this site cannot do.", BACK)
            }
            Self::Host => words(
                "Not this site",
                "The address that you used is not the one of this site.",
                "Nothing was saved. Use the address that you were given, or ask the keeper for it.",
            ),
            Self::Full => words("Very busy", "Too many connections are open at this moment.", SOON),
            Self::Busy => words("Very busy", "This site is very busy at this moment.", SOON),
            Self::Late { was_write: true } | Self::Failed { was_write: true } => {
                words("We don't know yet if it was saved", "No answer came in time.", UNKNOWN)
            }
            Self::Late { was_write: false } => {
                words("Too slow", "The page was not ready in time.", "Try again in a few seconds.")
            }
            Self::Failed { was_write: false } => words(
                "Something went wrong",
                "The page could not be made. That is our fault, not yours.",
                "Try again. If it happens again, tell the keeper the number below.",
            ),
        }
    }

    /// The page, its head included. `id` is the request's number, found in the log too.
    pub(super) fn encode(self, id: &str, origin: &Origin) -> Encoded {
        let Words { title, happened, now } = self.words();
        let body = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>Error: {title}</title></head><body><main><h1>{title}</h1>\
             <p>{happened}</p><p>{now}</p><p><a href=\"/\">Home</a></p>\
             <p><small>Request {id}</small></p></main></body></html>\n"
        );
        let mut response = Response::new(self.status(), Content::Html, body);
        response.retry_after_s = self.is_passing().then_some(GATE_RETRY_AFTER_S);
        let asked = Asked { method: Method::Get, if_none_match: None, accept_encoding: None };
        let mut encoded = response.encode(asked, origin);
        if self == Self::Method {
            encoded.fields.push(("Allow", "GET, HEAD, POST".to_owned()));
        }
        encoded
    }
}

/// How an answer of the gate's own is framed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Framing {
    pub(super) now: Wall,
    /// The value of `Connection`.
    pub(super) connection: &'static str,
    /// Whether the body stays away, as HEAD wants it.
    pub(super) is_head_only: bool,
}

/// The bytes of an answer, ready for one write.
pub(super) fn to_bytes(encoded: &Encoded, framing: Framing) -> Vec<u8> {
    let reason = tiny_http::StatusCode(encoded.status).default_reason_phrase();
    let mut text = format!("HTTP/1.1 {} {reason}\r\nServer: tern\r\n", encoded.status);
    let mut field = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    };
    if let Some(date) = http_date(framing.now) {
        field("Date", &date);
    }
    for (name, value) in &encoded.fields {
        field(name, value);
    }
    field("Content-Length", &encoded.body.len().to_string());
    field("Connection", framing.connection);
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    if !framing.is_head_only {
        bytes.extend_from_slice(&encoded.body);
    }
    bytes
}

/// The date as HTTP spells it; none when the clock is beyond what a calendar holds.
fn http_date(now: Wall) -> Option<String> {
    let timestamp = jiff::Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Refusal; 15] = [
        Refusal::Malformed("x"),
        Refusal::Slow,
        Refusal::TargetTooLong,
        Refusal::HeadersTooLarge,
        Refusal::BodyTooLarge,
        Refusal::Method,
        Refusal::Version,
        Refusal::Expectation,
        Refusal::Host,
        Refusal::Full,
        Refusal::Busy,
        Refusal::Late { was_write: true },
        Refusal::Late { was_write: false },
        Refusal::Failed { was_write: true },
        Refusal::Failed { was_write: false },
    ];

    fn text(refusal: Refusal, is_head_only: bool) -> String {
        let origin = Origin::parse("https://tern.example", false).unwrap();
        let framing = Framing { now: Wall(1_582_246_882_000), connection: "close", is_head_only };
        String::from_utf8(to_bytes(&refusal.encode("r7", &origin), framing)).unwrap()
    }

    #[test]
    fn refusal_each_complete_page_with_number() {
        for refusal in ALL {
            let text = text(refusal, false);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {} ", refusal.status())), "{head}");
            assert!(!head.contains("Unknown"), "{head}");
            assert!(head.contains("\r\nDate: Fri, 21 Feb 2020 01:01:22 GMT\r\n"), "{head}");
            assert!(head.contains("\r\nContent-Security-Policy: default-src 'none';"), "{head}");
            assert!(head.contains("\r\nStrict-Transport-Security: "), "{head}");
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            assert!(body.contains("<title>Error: ") && body.contains("Request r7"), "{body}");
            let retry = head.contains("\r\nRetry-After: 2\r\n");
            assert_eq!(retry, refusal.status() == 503, "{head}");
            assert_eq!(head.contains("\r\nAllow: "), refusal == Refusal::Method, "{head}");
        }
    }

    #[test]
    fn refusal_of_write_never_claims_an_outcome() {
        for refusal in [Refusal::Late { was_write: true }, Refusal::Failed { was_write: true }] {
            let text = text(refusal, false);
            assert!(text.contains("We don't know yet if it was saved"), "{text}");
            assert!(!text.contains("Nothing was saved"), "{text}");
        }
    }

    #[test]
    fn refusal_of_head_has_length_and_no_body() {
        let text = text(Refusal::Host, true);
        assert!(text.contains("\r\nContent-Length: ") && !text.contains("Content-Length: 0"));
        assert!(text.ends_with("\r\n\r\n"), "{text}");
    }
}
