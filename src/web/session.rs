//! What a browser's cookies say about it: `s`, the session; `v`, the version of the user's file that
//! this person saw last; `p`, a random value of those who have not signed in yet, to which the forms
//! of `/join` and `/login` are bound; `u`, on which day the session was last in use.
//!
//! Reading writes nothing, so no file knows when a session was in use last. The browser does, in words
//! that it cannot change: [`FormKey::stamp`]. Who has a session without them, or with old ones, has
//! none, so a cookie that was copied is worth nothing a month later.
//!
//! Nothing here prints a token: no `Debug`, no `Display`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookie::{CookieValue, SetCookie, find};
use super::csrf::FormKey;
use super::marker::{List, Marker};
use crate::auth::session::SessionText;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{SEEN_COOKIE_S, SESSION_COOKIE_S, SESSION_IDLE_DAYS_MAX};

/// The session cookie's name.
const SESSION: &str = "s";
/// The name of the cookie with the version last seen.
const SEEN: &str = "v";
/// The name of the cookie of those who are not signed in.
const STRANGER: &str = "p";
/// The name of the cookie with the day of the last use.
const USED: &str = "u";
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Bytes of a stranger's value: 128 bits cannot be guessed.
const STRANGER_BYTES: usize = 16;
/// Characters of it as base64url without padding.
const STRANGER_CHARS: usize = 22;

/// A session as the browser holds it. Whether it is open only a backend knows.
#[derive(Clone)]
pub struct Session {
    text: SessionText,
    read_to: Option<PostId>,
    used_on: Option<u64>,
}

/// The random value of a browser that is not signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Stranger(String);

impl Session {
    /// Reads `NAME.TOKEN` or `NAME.TOKEN@VERSION`, as a backend writes it.
    pub fn parse(text: &str) -> Option<Self> {
        SessionText::parse(text).ok().map(|text| Self { text, read_to: None, used_on: None })
    }

    /// The session in a browser's `Cookie` header. `prefix` stands before our cookies' names on
    /// https. A malformed version is as good as none.
    pub fn from_cookies(header: &str, prefix: &str) -> Option<Self> {
        let mut text = SessionText::parse(find(header, prefix, SESSION)?).ok()?;
        text.seen = find(header, prefix, SEEN).and_then(|seen| seen.parse().ok());
        let marker = Marker::from_cookies(header, prefix, List::News, &text.user);
        Some(Self { text, read_to: marker.map(|marker| marker.newest), used_on: None })
    }

    /// The same, if it was in use within the last [`SESSION_IDLE_DAYS_MAX`] days. A clock that went
    /// back makes that less long ago, never longer.
    pub fn in_use(header: &str, prefix: &str, key: &FormKey, now: Wall) -> Option<Self> {
        let mut session = Self::from_cookies(header, prefix)?;
        let day = key.stamped_on(session.token(), find(header, prefix, USED)?)?;
        session.used_on = Some(day);
        (day_of(now).saturating_sub(day) < u64::from(SESSION_IDLE_DAYS_MAX)).then_some(session)
    }

    /// What tells later that it is in use today, unless `held` tells so already.
    pub fn stamp(&self, held: Option<&Self>, key: &FormKey, now: Wall) -> Option<SetCookie> {
        let today = day_of(now);
        let is_told =
            held.is_some_and(|held| held.token() == self.token() && held.used_on == Some(today));
        (!is_told).then(|| set(USED, &key.stamp(self.token(), today), Some(SESSION_COOKIE_S)))
    }

    /// Whose session it says it is.
    pub const fn user(&self) -> &UserName {
        &self.text.user
    }

    /// The text that a backend reads.
    pub fn secret(&self) -> String {
        self.text.secret()
    }

    /// Up to which place this browser has shown what concerns its owner.
    pub const fn read_to(&self) -> Option<PostId> {
        self.read_to
    }

    /// The token, to bind forms to.
    pub fn token(&self) -> &str {
        self.text.token.secret()
    }

    /// The cookies that a browser needs to go on with this session, when it held `held`: none if it
    /// holds the same already.
    ///
    /// The version's cookie ends first; when it is gone both are set anew, so that who comes back
    /// within the month stays signed in, and pages are otherwise free of cookies.
    pub fn cookies_after(&self, held: Option<&Self>) -> Vec<SetCookie> {
        if held.is_some_and(|held| held.text.seen.is_some() && held.secret() == self.secret()) {
            return Vec::new();
        }
        let name_token = format!("{}.{}", self.text.user, self.token());
        let mut cookies = vec![set(SESSION, &name_token, Some(SESSION_COOKIE_S))];
        cookies
            .extend(self.text.seen.map(|seen| set(SEEN, &seen.to_string(), Some(SEEN_COOKIE_S))));
        cookies
    }

    /// What makes a browser forget its session.
    pub fn cleared() -> Vec<SetCookie> {
        [SESSION, SEEN, USED].map(|name| SetCookie { name, value: None, max_age_s: None }).into()
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

const fn day_of(now: Wall) -> u64 {
    now.0 / DAY_MS
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
    fn s17_session_unused_for_thirty_days_is_none() {
        let key = FormKey::new([7; 32]);
        let day = |day: u64| Wall(day * DAY_MS + 1);
        let fresh = Session::parse(&format!("ada.{TOKEN}@0")).unwrap();
        let stamp = fresh.stamp(None, &key, day(100)).unwrap();
        let stamp = stamp.value.unwrap().as_str().to_owned();
        let header = format!("s=ada.{TOKEN}; u={stamp}");
        let in_use = |header: &str, now| Session::in_use(header, "", &key, now);
        for now in [day(99), day(100), day(129), Wall(130 * DAY_MS - 1)] {
            assert!(in_use(&header, now).is_some(), "{now:?}");
        }
        for now in [Wall(130 * DAY_MS), day(131), day(10_000)] {
            assert!(in_use(&header, now).is_none(), "{now:?}");
        }
        // A visit of another day moves the end, one of the same day sets nothing.
        let held = in_use(&header, day(129)).unwrap();
        assert_eq!(held.stamp(Some(&held), &key, day(100)), None);
        assert!(held.stamp(Some(&held), &key, day(129)).is_some());
        // Nobody else can say when it was in use, nor leave it unsaid.
        let other = Session::parse(&format!("ada.{}", "A".repeat(43))).unwrap();
        let of_other = other.stamp(None, &key, day(129)).unwrap().value.unwrap();
        let of_other_key = fresh.stamp(None, &FormKey::new([8; 32]), day(129)).unwrap();
        let later = stamp.replacen("100", "129", 1);
        for bad in [
            "",
            "129",
            "129.",
            later.as_str(),
            of_other.as_str(),
            of_other_key.value.unwrap().as_str(),
        ] {
            let header = format!("s=ada.{TOKEN}; u={bad}");
            assert!(in_use(&header, day(129)).is_none(), "{bad:?}");
        }
        assert!(in_use(&format!("s=ada.{TOKEN}"), day(129)).is_none());
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
