//! An answer to a browser: fields that only hold what a header may hold, so that no user's text can
//! become a header of its own.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::app_head::AppHead;
use super::away::Away;
use super::coding::Coding;
use super::cookie::SetCookie;
use super::gate::{NEXT_HEADER, PAUSE_HEADER};
use super::origin::Origin;
use super::request::Method;
use super::words::Lang;
use crate::id::UserName;

/// Headers of every answer, errors and 304 included: a page loads nothing from elsewhere, runs no
/// script of others, is framed by nobody and tells other sites nothing.
const EVERY_ANSWER: [(&str, &str); 6] = [
    (
        CONTENT_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    (OPENER_POLICY, "same-origin"),
    (RESOURCE_POLICY, "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()"),
];
const CONTENT_POLICY: &str = "Content-Security-Policy";
const OPENER_POLICY: &str = "Cross-Origin-Opener-Policy";
const RESOURCE_POLICY: &str = "Cross-Origin-Resource-Policy";
/// Where the content policy says to which addresses forms may lead.
const FORM_ACTION: &str = "form-action 'self'";
/// The policy of a picture, should a browser ever take one for a page: it may do nothing at all.
const PICTURE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// The `Referrer-Policy` of an answer whose address is a secret. With `no-referrer` its forms would come
/// from `null`.
const HIDDEN_REFERRER: &str = "strict-origin";
/// One year, in seconds, of insisting on https.
const STRICT_TRANSPORT: &str = "max-age=31536000";
/// Bytes of the body's hash that make its `ETag`: enough that no two pages share one.
const ETAG_BYTES: usize = 16;

/// An answer. The server loop adds the headers that every answer bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub content: Content,
    /// The body.
    pub body: Vec<u8>,
    /// What is the same for the same body and no other, where that is known already.
    pub mark: Option<[u8; 16]>,
    /// The languages that the site speaks in it; none for what is in no language.
    pub languages: &'static [Lang],
    /// Where to go instead, for 303.
    pub location: Option<Location>,
    /// Cookies to set.
    pub cookies: Vec<SetCookie>,
    /// Who may keep it, and how long.
    pub cache: Cache,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u32>,
    /// The methods that would be taken, for 405 (RFC 9110, section 15.5.6).
    pub allow: Option<&'static str>,
    /// Whether the browser should drop what it cached of this site (after a log-out).
    pub clear_cache: bool,
    /// Whether its address is a secret, which no other request is to tell: browsers send it along to the
    /// same site otherwise, where a proxy may write it down.
    pub hides_address: bool,
    /// The name of the file that the browser should make of it.
    pub download: Option<FileName>,
    /// Where the rest of the body is, in parts that the gate asks for one after the other.
    pub next: Option<Location>,
    /// Of a page in which somebody lets an app in: its window may belong to the app's.
    pub is_popup: bool,
    /// Where such a page's form leads in the end.
    pub leads_to: Option<Away>,
    /// Where to go instead, for 302: back to an app.
    pub away: Option<Away>,
    /// What an answer for an app says besides.
    pub app: Option<Box<AppHead>>,
    /// In a stream: after how many milliseconds the gate is to ask for them.
    pub pause_ms: Option<u32>,
    /// In a stream: the member who listens.
    pub listener: Option<UserName>,
    /// What search engines are asked to do with it.
    pub robots: Option<&'static str>,
}

impl Response {
    /// An answer that nobody may keep and that sets nothing.
    pub fn new(status: u16, content: Content, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content,
            body: body.into(),
            mark: None,
            languages: &[],
            location: None,
            cookies: Vec::new(),
            cache: Cache::NoStore,
            retry_after_s: None,
            allow: None,
            clear_cache: false,
            hides_address: false,
            download: None,
            next: None,
            is_popup: false,
            leads_to: None,
            away: None,
            app: None,
            pause_ms: None,
            listener: None,
            robots: None,
        }
    }

    /// What an answer's policies say, where not what they mostly do.
    fn policy(&self, name: &str, value: &str) -> String {
        match name {
            CONTENT_POLICY if self.leads_to.is_some() => {
                let to = self.leads_to.as_ref().map(Away::source).unwrap_or_default();
                value.replace(FORM_ACTION, &format!("{FORM_ACTION} {to}"))
            }
            CONTENT_POLICY if self.content.is_picture() => PICTURE_POLICY.to_owned(),
            // Apps' pages show pictures, as strangers: no cookie goes along from another site.
            RESOURCE_POLICY if self.content.is_picture() => "cross-origin".to_owned(),
            OPENER_POLICY if self.is_popup => "unsafe-none".to_owned(),
            RESOURCE_POLICY if self.app.is_some() => "cross-origin".to_owned(),
            _ => value.to_owned(),
        }
    }

    /// The headers that say how the site wants to be treated, whatever the answer is.
    fn site_fields(&mut self, origin: &Origin) -> Vec<(&'static str, String)> {
        let mut fields = Vec::with_capacity(20);
        fields.extend(EVERY_ANSWER.map(|(name, value)| {
            let value = match name {
                "Referrer-Policy" if self.hides_address => HIDDEN_REFERRER.to_owned(),
                _ => self.policy(name, value),
            };
            (name, value)
        }));
        fields.extend(self.app.take().into_iter().flat_map(|app| app.fields()));
        if self.content.is_picture() {
            fields.push(("Access-Control-Allow-Origin", "*".to_owned()));
        }
        if let Some(wish) = self.robots {
            fields.push(("X-Robots-Tag", wish.to_owned()));
        }
        if origin.is_https() {
            fields.push(("Strict-Transport-Security", STRICT_TRANSPORT.to_owned()));
        }
        fields
    }

    /// What goes over the wire: status, every header but those of the connection itself, body.
    /// A page that the browser already has becomes 304, which costs no compression.
    pub(super) fn encode(mut self, asked: Asked<'_>, origin: &Origin) -> Encoded {
        if !self.cookies.is_empty() {
            // A copy kept anywhere would hand one person's cookie to the next.
            self.cache = Cache::NoStore;
        }
        let is_picture = self.content.is_picture();
        let mut fields = self.site_fields(origin);
        fields.push(("Content-Type", self.content.media_type().to_owned()));
        fields.push(("Cache-Control", self.cache.directives().to_owned()));
        if !self.languages.is_empty() {
            let tags: Vec<_> = self.languages.iter().map(|lang| lang.tag()).collect();
            fields.push(("Content-Language", tags.join(", ")));
        }
        fields.push(("Vary", self.cache.varies_by(!self.languages.is_empty()).to_owned()));
        // Parts would each be compressed by themselves, and not every browser reads such a row.
        // A picture is as short as it gets.
        let is_in_parts = self.download.is_some() || self.pause_ms.is_some();
        let accepted = asked.accept_encoding.filter(|_| !is_in_parts && !is_picture);
        let coding = Coding::of(self.body.len(), accepted);
        let readable = self.status == 200 && asked.method != Method::Post;
        if readable && self.cache.has_etag() {
            let etag = etag(self.mark.as_ref().map_or(&*self.body, |mark| mark), coding);
            if asked.if_none_match.is_some_and(|known| holds_etag(known, &etag)) {
                self.status = 304;
                self.body.clear();
            }
            fields.push(("ETag", etag));
        }
        if coding == Coding::Gzip && self.status != 304 {
            fields.push(("Content-Encoding", "gzip".to_owned()));
            self.body = coding.encode(self.body);
        }
        if let Some(name) = self.download {
            let value = format!("attachment; filename=\"{}\"", name.0);
            fields.push(("Content-Disposition", value));
        }
        if let Some(next) = self.next {
            fields.push((NEXT_HEADER, next.0));
        }
        if let Some(away) = self.away {
            fields.push(("Location", away.as_str().to_owned()));
        }
        if let Some(ms) = self.pause_ms {
            let listener = self.listener.map_or_else(String::new, |name| format!(" {name}"));
            fields.push((PAUSE_HEADER, format!("{ms}{listener}")));
            // nginx keeps back what it passes on until it has a few kilobytes of it, unless it is told.
            fields.push(("X-Accel-Buffering", "no".to_owned()));
        }
        if let Some(location) = self.location {
            fields.push(("Location", location.0));
        }
        if let Some(seconds) = self.retry_after_s {
            fields.push(("Retry-After", seconds.to_string()));
        }
        if let Some(methods) = self.allow {
            fields.push(("Allow", methods.to_owned()));
        }
        if self.clear_cache {
            fields.push(("Clear-Site-Data", "\"cache\"".to_owned()));
        }
        fields.extend(self.cookies.iter().map(|cookie| ("Set-Cookie", cookie.encode(origin))));
        Encoded { status: self.status, fields, body: self.body }
    }
}

/// What of a request its answer's head depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    pub(super) if_none_match: Option<&'a str>,
    pub(super) accept_encoding: Option<&'a str>,
}

/// An answer as bytes and lines. Values come from the types above alone, so none holds a line end.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// Made of the body, or of its mark, before it is compressed, which gives the same bytes each time: a page that the
/// browser has need not be compressed to find that out.
fn etag(body: &[u8], coding: Coding) -> String {
    let mut etag = String::with_capacity(8 + 2 * ETAG_BYTES);
    etag.push('"');
    for byte in Sha256::digest(body).iter().take(ETAG_BYTES) {
        // Writing to a String cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push_str(coding.etag_suffix());
    etag.push('"');
    etag
}

/// Whether `If-None-Match` names `etag`; compared weakly, as RFC 9110, section 13.1.2 says.
fn holds_etag(known: &str, etag: &str) -> bool {
    let mut tags = known.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `text/html; charset=utf-8`.
    Html,
    /// `application/atom+xml; charset=utf-8`.
    Atom,
    /// `text/plain; charset=utf-8`.
    Text,
    /// `text/css; charset=utf-8`.
    Css,
    /// `text/javascript; charset=utf-8`.
    Script,
    /// `image/svg+xml; charset=utf-8`.
    Svg,
    /// `application/json; charset=utf-8`.
    Json,
    /// A photograph.
    Jpeg,
    /// What is transparent, or was drawn.
    Png,
    /// `text/event-stream; charset=utf-8`: what happens, as it happens.
    Events,
}

impl Content {
    /// The value of `Content-Type`.
    const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Css => "text/css; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Svg => "image/svg+xml; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Events => "text/event-stream; charset=utf-8",
        }
    }

    const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png)
    }
}

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// `private, no-store`: anything with a cookie or a secret, and errors.
    NoStore,
    /// `private, no-cache`, with an ETag: a signed-in person's page.
    Private,
    /// `public, no-cache`, with an ETag: a page for strangers. Every page shows how the machines are,
    /// which must be true within two seconds, so none may be shown again without asking.
    Public,
    /// `public, max-age=31536000, immutable`, with an ETag: files whose name holds their hash.
    Forever,
    /// The browser that asked, for a year: it never changes, but not everybody may see it.
    OwnForever,
}

impl Cache {
    /// The value of `Cache-Control`.
    const fn directives(self) -> &'static str {
        match self {
            Self::NoStore => "private, no-store",
            Self::Private => "private, no-cache",
            Self::Public => "public, no-cache",
            Self::Forever => "public, max-age=31536000, immutable",
            Self::OwnForever => "private, max-age=31536000, immutable",
        }
    }

    /// What of a request decides about the answer: pages are another person's otherwise.
    const fn varies_by(self, is_spoken: bool) -> &'static str {
        match self {
            Self::NoStore | Self::Private | Self::Public if is_spoken => {
                "Accept-Encoding, Accept-Language, Cookie"
            }
            Self::NoStore | Self::Private | Self::Public | Self::OwnForever => {
                "Accept-Encoding, Cookie"
            }
            Self::Forever => "Accept-Encoding",
        }
    }

    const fn has_etag(self) -> bool {
        !matches!(self, Self::NoStore)
    }
}

/// A file's name: letters, digits, `.`, `_` and `-` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Takes a name, or `None` if it holds anything else.
    pub fn new(name: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        (!name.is_empty() && name.bytes().all(plain)).then(|| Self(name.to_owned()))
    }
}

/// A path on this site: begins with one `/`, holds printable ASCII only, so no `\`, no line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// A path on this site, or `None` if `path` is none: used for what the site makes itself and for
    /// `next=` alike.
    pub fn new(path: &str) -> Option<Self> {
        let printable = path.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\');
        let local = path.starts_with('/') && !path.starts_with("//");
        (printable && local).then(|| Self(path.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::cookie::CookieValue;

    const GET: Asked<'_> =
        Asked { method: Method::Get, if_none_match: None, accept_encoding: None };

    fn origin(text: &str) -> Origin {
        Origin::parse(text, true).unwrap()
    }

    fn all<'a>(encoded: &'a Encoded, name: &str) -> Vec<&'a str> {
        encoded.fields.iter().filter(|(n, _)| *n == name).map(|(_, v)| v.as_str()).collect()
    }

    fn page(cache: Cache) -> Response {
        Response { cache, ..Response::new(200, Content::Html, "<p>hello") }
    }

    #[track_caller]
    fn check(cache: Cache, directives: &str, vary: &str, has_etag: bool) {
        let encoded = page(cache).encode(GET, &origin("http://a"));
        assert_eq!(all(&encoded, "Cache-Control"), [directives]);
        assert_eq!(all(&encoded, "Vary"), [vary]);
        assert_eq!(all(&encoded, "ETag").len(), usize::from(has_etag), "{cache:?}");
    }

    #[test]
    fn cache_each_kind_encoded() {
        check(Cache::NoStore, "private, no-store", "Accept-Encoding, Cookie", false);
        check(Cache::Private, "private, no-cache", "Accept-Encoding, Cookie", true);
        check(Cache::Public, "public, no-cache", "Accept-Encoding, Cookie", true);
        let own = "private, max-age=31536000, immutable";
        check(Cache::OwnForever, own, "Accept-Encoding, Cookie", true);
        check(Cache::Forever, "public, max-age=31536000, immutable", "Accept-Encoding", true);
    }

    #[test]
    fn language_told_and_answer_varies_with_it() {
        for (languages, content, vary) in [
            (&[][..], &[][..], "Accept-Encoding, Cookie"),
            (Lang::De.alone(), &["de"], "Accept-Encoding, Accept-Language, Cookie"),
            (&Lang::ALL, &["en, de"], "Accept-Encoding, Accept-Language, Cookie"),
        ] {
            for status in [200, 404] {
                let response = Response { status, languages, ..page(Cache::Public) };
                let encoded = response.encode(GET, &origin("http://a"));
                assert_eq!(all(&encoded, "Content-Language"), content);
                assert_eq!(all(&encoded, "Vary"), [vary]);
            }
        }
    }

    #[test]
    fn security_headers_on_page_error_and_304() {
        let etag = etag(b"<p>hello", Coding::Identity);
        let known = Asked { if_none_match: Some(&etag), ..GET };
        let unchanged = page(Cache::Public).encode(known, &origin("https://a"));
        assert_eq!(unchanged.status, 304);
        let error = Response::new(500, Content::Text, "").encode(GET, &origin("https://a"));
        for encoded in [unchanged, error] {
            for (name, value) in EVERY_ANSWER {
                assert_eq!(all(&encoded, name), [value]);
            }
            assert_eq!(all(&encoded, "Strict-Transport-Security"), ["max-age=31536000"]);
            assert!(all(&encoded, "Content-Type")[0].ends_with("charset=utf-8"));
        }
        let plain = page(Cache::Public).encode(GET, &origin("http://a"));
        assert!(all(&plain, "Strict-Transport-Security").is_empty());
    }

    #[test]
    fn etag_known_answered_304_for_reads_only() {
        let etag = etag(b"<p>hello", Coding::Identity);
        let status = |method, known: &str, cache| {
            let asked = Asked { method, if_none_match: Some(known), accept_encoding: None };
            page(cache).encode(asked, &origin("http://a")).status
        };
        let listed = format!("\"other\", W/{etag}");
        for known in [etag.as_str(), listed.as_str(), "*"] {
            assert_eq!(status(Method::Get, known, Cache::Private), 304, "{known}");
            assert_eq!(status(Method::Head, known, Cache::Public), 304, "{known}");
            assert_eq!(status(Method::Post, known, Cache::Private), 200, "{known}");
            assert_eq!(status(Method::Get, known, Cache::NoStore), 200, "{known}");
        }
        assert_eq!(status(Method::Get, "\"other\"", Cache::Private), 200);
        assert_eq!(status(Method::Get, etag.trim_matches('"'), Cache::Private), 200);
    }

    #[test]
    fn etag_names_the_form_that_travels() {
        let long = || Response {
            cache: Cache::Private,
            ..Response::new(200, Content::Html, "x".repeat(2_000))
        };
        let origin = origin("http://a");
        let with = |accept_encoding, if_none_match: Option<&str>| {
            let asked = Asked { method: Method::Get, if_none_match, accept_encoding };
            long().encode(asked, &origin)
        };
        let (plain, packed) = (with(None, None), with(Some("gzip"), None));
        let etag = |encoded: &Encoded| all(encoded, "ETag")[0].to_owned();
        assert_eq!(all(&plain, "Content-Encoding"), [""; 0]);
        assert_eq!(all(&packed, "Content-Encoding"), ["gzip"]);
        assert_eq!(etag(&packed), etag(&plain).trim_end_matches('"').to_owned() + "-gz\"");
        assert_eq!((plain.body.len(), packed.body.get(..2)), (2_000, Some(&[0x1f, 0x8b][..])));
        for (asked, known, status) in [
            (None, etag(&plain), 304),
            (Some("gzip"), format!("W/{}", etag(&packed)), 304),
            (None, etag(&packed), 200),
            (Some("gzip"), etag(&plain), 200),
            (Some("gzip;q=0"), etag(&plain), 304),
        ] {
            let encoded = with(asked, Some(&known));
            assert_eq!(encoded.status, status, "{asked:?} {known}");
            if status == 304 {
                assert_eq!((etag(&encoded), encoded.body.len()), (known.replace("W/", ""), 0));
                assert_eq!(all(&encoded, "Content-Encoding"), [""; 0]);
                assert_eq!(all(&encoded, "Vary"), ["Accept-Encoding, Cookie"]);
            }
        }
    }

    #[test]
    fn cookie_set_never_cached() {
        let mut response = page(Cache::Public);
        let value = CookieValue::new("ada.x");
        response.cookies.push(SetCookie { name: "s", value, max_age_s: None });
        let encoded = response.encode(GET, &origin("https://a"));
        assert_eq!(all(&encoded, "Cache-Control"), ["private, no-store"]);
        assert!(all(&encoded, "ETag").is_empty());
        let expected = "__Host-s=ada.x; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(all(&encoded, "Set-Cookie"), [expected]);
    }

    #[test]
    fn optional_fields_encoded_when_asked() {
        let mut response = page(Cache::NoStore);
        response.location = Location::new("/@ada?next=1");
        response.retry_after_s = Some(10);
        response.clear_cache = true;
        let encoded = response.encode(GET, &origin("http://a"));
        assert_eq!(all(&encoded, "Location"), ["/@ada?next=1"]);
        assert_eq!(all(&encoded, "Retry-After"), ["10"]);
        assert_eq!(all(&encoded, "Clear-Site-Data"), ["\"cache\""]);
    }

    #[test]
    fn location_off_site_or_with_line_end_refused() {
        for bad in ["", "a", "//evil", "/\\evil", "/a\r\nb: c", "/ä", "/a b", "/\t/evil"] {
            assert_eq!(Location::new(bad), None, "{bad:?}");
        }
    }
}
