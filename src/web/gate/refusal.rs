//! What the gate answers by itself: a small page that says what happened, whether what was typed
//! is safe, and what to do now.

use std::sync::LazyLock;

use crate::clock::Wall;
use crate::limits::GATE_RETRY_AFTER_S;
use crate::web::app_head;
use crate::web::origin::Origin;
use crate::web::page::frame;
use crate::web::request::{Method, is_for_apps};
use crate::web::response::{Asked, Content, Encoded, Response};
use crate::web::words::Lang;

use super::head;

/// Why the gate does not pass a request on. Each ends the connection but [`Self::Busy`], which
/// alone is said after the whole request was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
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
    #[error("too many pictures at once")]
    Uploads,
    #[error("pictures from a stranger")]
    Stranger,
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

/// Who is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// People, in these languages.
    People(&'static [Lang]),
    /// A program, which reads JSON.
    App,
}

impl Reader {
    /// By as much of a head as was read, whatever else is wrong with it.
    pub(super) fn of(head: &[u8], cookie_prefix: &str) -> Self {
        let mut words = head.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
        let target = words.nth(1).and_then(|target| std::str::from_utf8(target).ok());
        if target.is_some_and(is_for_apps) {
            return Self::App;
        }
        Self::People(head::languages(head, cookie_prefix))
    }
}

/// Where the style sheet is, which a browser that was here before has.
fn style() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| frame::style().href());
    &ADDRESS
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

impl Refusal {
    /// The HTTP status.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Stranger => 403,
            Self::Method => 405,
            Self::Slow => 408,
            Self::BodyTooLarge => 413,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::Host => 421,
            Self::HeadersTooLarge => 431,
            Self::Failed { .. } => 500,
            Self::Full | Self::Busy | Self::Uploads | Self::Late { .. } => 503,
            Self::Version => 505,
        }
    }

    /// Whether it is over soon, so that trying again helps.
    const fn is_passing(self) -> bool {
        matches!(self, Self::Full | Self::Busy | Self::Uploads | Self::Late { .. })
    }

    const fn words(self, t: Lang) -> Words {
        match self {
            Self::Malformed(_) => words(t.not_understood(), t.not_valid_request(), t.gate_again()),
            Self::Slow => words(t.too_slow(), t.browser_too_slow(), t.gate_again()),
            Self::TargetTooLong => words(t.too_long(), t.address_too_long(), t.gate_back()),
            Self::HeadersTooLarge => {
                words(t.too_much(), t.headers_too_large(), t.gate_clear_cookies())
            }
            Self::BodyTooLarge => words(t.too_long(), t.body_too_large(), t.gate_shorten()),
            Self::Uploads => words(t.very_busy(), t.pictures_busy(), t.gate_soon()),
            Self::Stranger => words(t.not_allowed(), t.signed_out(), t.gate_sign_in()),
            Self::Method => words(t.not_possible(), t.no_such_method(), t.gate_back()),
            Self::Version => words(t.not_possible(), t.no_such_version(), t.gate_back()),
            Self::Expectation => words(t.not_possible(), t.no_such_expectation(), t.gate_back()),
            Self::Host => words(t.not_this_site(), t.wrong_address(), t.gate_right_address()),
            Self::Full => words(t.very_busy(), t.too_many_connections(), t.gate_soon()),
            Self::Busy => words(t.very_busy(), t.site_very_busy(), t.gate_soon()),
            Self::Late { was_write: true } | Self::Failed { was_write: true } => {
                words(t.gate_not_known(), t.no_answer_in_time(), t.gate_unknown())
            }
            Self::Late { was_write: false } => {
                words(t.too_slow(), t.page_not_ready(), t.gate_few_seconds())
            }
            Self::Failed { was_write: false } => {
                words(t.went_wrong(), t.page_not_made(), t.gate_tell_keeper())
            }
        }
    }

    /// The answer, its head included. `id` is the request's number, found in the log too.
    pub(super) fn encode(self, id: &str, origin: &Origin, told: Reader) -> Encoded {
        let (response, methods) = match told {
            Reader::People(languages) => (self.page(id, languages), "GET, HEAD, POST"),
            Reader::App => (self.in_json(), app_head::METHODS),
        };
        let retry_after_s = self.is_passing().then_some(GATE_RETRY_AFTER_S);
        let allow = (self == Self::Method).then_some(methods);
        let response = Response { retry_after_s, allow, ..response };
        let asked = Asked { method: Method::Get, if_none_match: None, accept_encoding: None };
        let mut encoded = response.encode(asked, origin);
        if told == Reader::App {
            encoded.fields.extend(app_head::fixed(id));
        }
        encoded
    }

    /// What is said in several languages stands one below the other.
    fn page(self, id: &str, languages: &'static [Lang]) -> Response {
        let t = languages.first().copied().unwrap_or_default();
        let (tag, error, title) = (t.tag(), t.error(), self.words(t).title);
        let sections: String = languages.iter().map(|t| self.section(id, *t)).collect();
        let style = style();
        let body = format!(
            "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <title>{error}: {title}</title><link rel=\"stylesheet\" href=\"{style}\"></head>\
             <body><main>{sections}</main></body></html>\n"
        );
        Response { languages, ..Response::new(self.status(), Content::Html, body) }
    }

    fn in_json(self) -> Response {
        let Words { title, happened, .. } = self.words(Lang::En);
        let body = serde_json::json!({ "error": format!("{title}. {happened}") });
        Response::new(self.status(), Content::Json, body.to_string())
    }

    fn section(self, id: &str, t: Lang) -> String {
        let Words { title, happened, now } = self.words(t);
        let (tag, number) = (t.tag(), t.request_number(id));
        // A way that leads to another site again is none, and this one's address is not for whoever tries names.
        let way = match self {
            Self::Host => String::new(),
            _ => format!("<p><a class=\"btn q\" href=\"/\">{}</a></p>", t.go_home()),
        };
        format!(
            "<section lang=\"{tag}\"><div class=\"head\"><h1>{title}</h1></div>\
             <div class=\"empty\"><p>{happened}</p><p>{now}</p>{way}\
             <p class=\"hint\">{number}</p></div></section>"
        )
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

    const ALL: [Refusal; 17] = [
        Refusal::Malformed("x"),
        Refusal::Slow,
        Refusal::TargetTooLong,
        Refusal::HeadersTooLarge,
        Refusal::BodyTooLarge,
        Refusal::Uploads,
        Refusal::Stranger,
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
        text_in(Lang::En.alone(), refusal, is_head_only)
    }

    fn text_in(languages: &'static [Lang], refusal: Refusal, is_head_only: bool) -> String {
        let origin = Origin::parse("https://tern.example", false).unwrap();
        let framing = Framing { now: Wall(1_582_246_882_000), connection: "close", is_head_only };
        let told = Reader::People(languages);
        String::from_utf8(to_bytes(&refusal.encode("r7", &origin, told), framing)).unwrap()
    }

    #[test]
    fn refusal_of_an_app_is_json_that_any_origin_reads() {
        let origin = Origin::parse("https://tern.example", false).unwrap();
        for refusal in ALL {
            let encoded = refusal.encode("r7", &origin, Reader::App);
            let all = |name: &str| -> Vec<&str> {
                let named = encoded.fields.iter().filter(|(field, _)| *field == name);
                named.map(|(_, value)| value.as_str()).collect()
            };
            assert_eq!(all("Content-Type"), ["application/json; charset=utf-8"]);
            assert_eq!(all("Access-Control-Allow-Origin"), ["*"]);
            assert_eq!(all("X-Request-Id"), ["r7"]);
            assert_eq!(all("Retry-After").len(), usize::from(refusal.status() == 503));
            assert_eq!(all("Allow").len(), usize::from(refusal == Refusal::Method));
            let body: serde_json::Value = serde_json::from_slice(&encoded.body).unwrap();
            let error = body["error"].as_str().unwrap();
            assert!(error.starts_with(refusal.words(Lang::En).title), "{error}");
        }
    }

    #[test]
    fn app_told_by_the_address_alone() {
        for (head, is_app) in [
            ("GET /api/v1/statuses HTTP/1.1\r\nHost: a", true),
            ("TRACE /api/v1/statuses HTTP/9.9", true),
            ("POST /oauth/token?x HTTP/1.1\r\n", true),
            ("GET /api/v1/sta", true),
            ("GET /oauth/authorize HTTP/1.1\r\n", false),
            ("GET /apiary HTTP/1.1\r\nX: /api/", false),
            ("GET", false),
            ("", false),
        ] {
            assert_eq!(Reader::of(head.as_bytes(), "") == Reader::App, is_app, "{head}");
        }
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
            assert!(text.contains("We don’t know yet if it was saved"), "{text}");
            assert!(!text.contains("Nothing was saved"), "{text}");
        }
    }

    #[test]
    fn refusal_in_german_says_the_same() {
        for refusal in ALL {
            let (en, de) = (text(refusal, false), text_in(Lang::De.alone(), refusal, false));
            assert!(de.contains("\r\nContent-Language: de\r\n"), "{de}");
            assert!(de.contains("<html lang=\"de\">") && de.contains("<title>Fehler: "), "{de}");
            assert!(de.contains("Anfrage r7"), "{de}");
            let (saved, gespeichert) =
                (en.contains("Nothing was saved"), de.contains("Es wurde nichts gespeichert"));
            assert_eq!(saved, gespeichert, "{de}");
            let unknown = "Wir wissen noch nicht, ob es gespeichert wurde";
            assert_eq!(en.contains("We don’t know yet"), de.contains(unknown), "{de}");
        }
    }

    #[test]
    fn refusal_before_any_language_said_in_all() {
        let text = text_in(&Lang::ALL, Refusal::Full, false);
        assert!(text.contains("\r\nContent-Language: en, de\r\n"), "{text}");
        assert!(
            text.contains("<section lang=\"en\"><div class=\"head\"><h1>Very busy</h1>"),
            "{text}"
        );
        assert!(
            text.contains("<section lang=\"de\"><div class=\"head\"><h1>Sehr viel los</h1>"),
            "{text}"
        );
    }

    /// It was a black text on white at night, in a browser's oldest face; and what named another site led to it
    /// again.
    #[test]
    fn r0181_refusal_looks_like_any_page_and_leads_to_no_other_site() {
        let style = frame::style().href();
        for refusal in ALL {
            let text = text(refusal, false);
            for part in [
                format!("<link rel=\"stylesheet\" href=\"{style}\">"),
                // Where that cannot be had: too much is asked, or of another site.
                "<meta name=\"color-scheme\" content=\"light dark\">".to_owned(),
            ] {
                assert!(text.contains(&part), "{text}");
            }
            let ways = usize::from(refusal != Refusal::Host);
            assert_eq!(text.matches("href=\"/\">Go home</a>").count(), ways, "{text}");
            assert_eq!(text.matches("<a ").count(), ways, "{text}");
        }
    }

    #[test]
    fn refusal_of_head_has_length_and_no_body() {
        let text = text(Refusal::Host, true);
        assert!(text.contains("\r\nContent-Length: ") && !text.contains("Content-Length: 0"));
        assert!(text.ends_with("\r\n\r\n"), "{text}");
    }
}
