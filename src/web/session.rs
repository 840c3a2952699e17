//! What a browser's cookies say about it: `s`, the session; `v`, the version of the user's file that
//! this person saw last; `p`, a random value of those who have not signed in yet, to which the forms
//! of `/join` and `/login` are bound.
//!
//! Nothing here prints a token: no `Debug`, no `Display`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookie::{CookieValue, SetCookie, find};
use crate::auth::session::SessionText;
use crate::id::UserName;
use crate::limits::{SEEN_COOKIE_S, SESSION_COOKIE_S};

/// The session cookie's name.
const SESSION: &str = "s";
/// The name of the cookie with the version last seen.
const SEEN: &str = "v";
/// The name of the cookie of those who are not signed in.
const STRANGER: &str = "p";
/// Bytes of a stranger's value: 128 bits cannot be guessed.
const STRANGER_BYTES: usize = 16;
/// Characters of it as base64url without padding.
const STRANGER_CHARS: usize = 22;

/// A session as the browser holds it. Whether it is open only a backend knows.
#[derive(Clone)]
pub struct Session(SessionText);

/// The random value of a browser that is not signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Stranger(String);

impl Session {
    /// Reads `NAME.TOKEN` or `NAME.TOKEN@VERSION`, as a backend writes it.
    pub fn parse(text: &str) -> Option<Self> {
        SessionText::parse(text).ok().map(Self)
    }

    /// The session in a browser's `Cookie` header. `prefix` stands before our cookies' names on
    /// https. A malformed version is as good as none.
    pub fn from_cookies(header: &str, prefix: &str) -> Option<Self> {
        let mut session = SessionText::parse(find(header, prefix, SESSION)?).ok()?;
        session.seen = find(header, prefix, SEEN).and_then(|seen| seen.parse().ok());
        Some(Self(session))
    }

    /// Whose session it says it is.
    pub const fn user(&self) -> &UserName {
        &self.0.user
    }

    /// The text that a backend reads.
    pub fn secret(&self) -> String {
        self.0.secret()
    }

    /// The token, to bind forms to.
    pub fn token(&self) -> &str {
        self.0.token.secret()
    }

    /// The cookies that a browser needs to go on with this session, when it held `held`: none if it
    /// holds the same already.
    ///
    /// The version's cookie ends first; when it is gone both are set anew, so that who comes back
    /// within the month stays signed in, and pages are otherwise free of cookies.
    pub fn cookies_after(&self, held: Option<&Self>) -> Vec<SetCookie> {
        if held.is_some_and(|held| held.0.seen.is_some() && held.secret() == self.secret()) {
            return Vec::new();
        }
        let name_token = format!("{}.{}", self.0.user, self.token());
        let mut cookies = vec![set(SESSION, &name_token, Some(SESSION_COOKIE_S))];
        cookies.extend(self.0.seen.map(|seen| set(SEEN, &seen.to_string(), Some(SEEN_COOKIE_S))));
        cookies
    }

    /// What makes a browser forget its session.
    pub fn cleared() -> Vec<SetCookie> {
        [SESSION, SEEN].map(|name| SetCookie { name, value: None, max_age_s: None }).into()
    }
}

impl Stranger {
    /// A fresh value.
    ///
    /// # Errors
    /// When the system's generator fails.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; STRANGER_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The value in a browser's `Cookie` header.
    pub fn from_cookies(header: &str, prefix: &str) -> Option<Self> {
        let value = find(header, prefix, STRANGER)?;
        (value.len() == STRANGER_CHARS && is_base64url(value)).then(|| Self(value.to_owned()))
    }

    /// The value, to bind forms to.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What makes the browser keep it as long as it runs.
    pub fn cookie(&self) -> SetCookie {
        set(STRANGER, &self.0, None)
    }
}

/// A cookie whose value was checked character by character.
fn set(name: &'static str, value: &str, max_age_s: Option<u32>) -> SetCookie {
    SetCookie { name, value: CookieValue::new(value), max_age_s }
}

fn is_base64url(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[track_caller]
    fn check(header: &str, prefix: &str, expected: Option<&str>) {
        let header = header.replace("TOKEN", TOKEN);
        let expected = expected.map(|text| text.replace("TOKEN", TOKEN));
        assert_eq!(
            Session::from_cookies(&header, prefix).map(|s| s.secret()),
            expected,
            "{header}"
        );
    }

    #[test]
    fn session_put_together_from_both_cookies() {
        check("s=ada.TOKEN; v=1.4.2.1.7", "", Some("ada.TOKEN@1.4.2.1.7"));
        check("v=0;a=b;s=ada.TOKEN", "", Some("ada.TOKEN@0"));
        check("s=ada.TOKEN", "", Some("ada.TOKEN"));
        check("__Host-s=ada.TOKEN; __Host-v=0", "__Host-", Some("ada.TOKEN@0"));
        check("s=ada.TOKEN; s=ada.TOKEN", "", Some("ada.TOKEN"));
    }

    #[test]
    fn session_version_malformed_left_out() {
        for bad in ["", "1", "1.2.3.4", "1.2.3.4.5.6", "1.2.3.4.x", "01.2.3.4.5", "0@0", "1.2.3.4."]
        {
            check(&format!("s=ada.TOKEN; v={bad}"), "", Some("ada.TOKEN"));
        }
    }

    #[test]
    fn session_cookie_malformed_refused() {
        for bad in [
            "",
            "s",
            "s=",
            "s=ada",
            "s=ada.",
            "s=ada.TOKENx",
            "s=Ada.TOKEN",
            "s=.TOKEN",
            "s=ada.TOKEN.TOKEN",
            "ss=ada.TOKEN",
            "S=ada.TOKEN",
            "s=ada.TOKEN; s=eve.TOKEN",
            "s=\"ada.TOKEN\"",
            "__Host-s=ada.TOKEN",
        ] {
            check(bad, "", None);
        }
        check("s=ada.TOKEN", "__Host-", None);
    }

    #[test]
    fn session_cookies_set_when_changed_or_old() {
        let session = |text: &str| Session::parse(&text.replace("TOKEN", TOKEN)).unwrap();
        let held = session("ada.TOKEN@1.1.1.1.1");
        assert_eq!(held.cookies_after(Some(&held)), []);
        let moved = session("ada.TOKEN@1.1.1.1.2").cookies_after(Some(&held));
        let names: Vec<_> = moved.iter().map(|cookie| cookie.name).collect();
        assert_eq!(names, ["s", "v"]);
        assert!(moved.iter().all(|cookie| cookie.value.is_some() && cookie.max_age_s.is_some()));
        // The version's cookie has ended: the session's is renewed.
        let old = session("ada.TOKEN");
        assert_eq!(held.cookies_after(Some(&old)).len(), 2);
        assert_eq!(held.cookies_after(None).len(), 2);
    }

    #[test]
    fn stranger_value_made_and_read() {
        let stranger = Stranger::generate().ok().unwrap();
        let header = format!("p={}", stranger.secret());
        assert!(Stranger::from_cookies(&header, "").unwrap() == stranger);
        assert!(stranger.cookie().value.is_some());
        assert!(Stranger::from_cookies("p=short", "").is_none());
        assert!(Stranger::from_cookies("p=AAAAAAAAAAAAAAAAAAAAA.", "").is_none());
    }

    proptest! {
        #[test]
        fn session_any_cookie_read(header in ".{0,200}") {
            if let Some(session) = Session::from_cookies(&header, "") {
                prop_assert!(session.cookies_after(None).iter().all(|c| c.value.is_some()));
            }
        }
    }
}
