//! How far a list was read on this device: cookies `h`, the home page, and `n`, the news. Reading costs
//! the machines nothing, so that is nowhere else.
//!
//! A marker is two places: the newest that was shown, and where the line is drawn above what had been
//! shown before. The line stays where it is until something newer comes: reloading a page does not lose
//! it. Own posts move no line.

use super::cookie::{CookieValue, SetCookie, find};
use crate::id::{PostId, UserName};
use crate::limits::MARKER_COOKIE_S;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The home page.
    Home,
    /// What concerns one.
    News,
}

/// How far it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// What lies at or below it had been shown before.
    pub line: PostId,
    /// The newest that was shown.
    pub newest: PostId,
}

impl List {
    const fn cookie(self) -> &'static str {
        match self {
            Self::Home => "h",
            Self::News => "n",
        }
    }
}

impl Marker {
    /// The marker in a browser's `Cookie` header, if it is this person's: more than one may use a
    /// browser.
    pub fn from_cookies(header: &str, prefix: &str, list: List, user: &UserName) -> Option<Self> {
        let value = find(header, prefix, list.cookie())?;
        let mut parts = value.split('.');
        if parts.next()? != user.as_str() {
            return None;
        }
        let (line, newest) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { line, newest })
    }

    /// What it is after a first page was shown with `newest` on top, and with `others`, the newest that
    /// is not one's own.
    #[must_use]
    pub fn after(held: Option<Self>, newest: PostId, others: Option<PostId>) -> Self {
        match held {
            None => Self { line: newest, newest },
            Some(held) if others.is_some_and(|others| others > held.newest) => {
                Self { line: held.newest, newest }
            }
            Some(held) => Self { newest: held.newest.max(newest), ..held },
        }
    }

    /// What makes a browser keep it.
    pub fn cookie(self, list: List, user: &UserName) -> SetCookie {
        let value = CookieValue::new(&format!("{user}.{}.{}", self.line, self.newest));
        SetCookie { name: list.cookie(), value, max_age_s: Some(MARKER_COOKIE_S) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::origin::Origin;

    fn name(text: &str) -> UserName {
        text.parse().unwrap()
    }

    fn marker(line: u64, newest: u64) -> Marker {
        Marker { line: PostId::from_raw(line), newest: PostId::from_raw(newest) }
    }

    fn after(held: Option<Marker>, newest: u64, others: u64) -> Marker {
        Marker::after(held, PostId::from_raw(newest), Some(PostId::from_raw(others)))
    }

    #[test]
    fn marker_line_stays_until_others_post() {
        let first = after(None, 10, 10);
        assert_eq!(first, marker(10, 10));
        let more = after(Some(first), 15, 14);
        assert_eq!(more, marker(10, 15));
        // Reloaded, then one's own post, then one of others.
        assert_eq!(after(Some(more), 15, 14), more);
        assert_eq!(after(Some(more), 20, 14), marker(10, 20));
        assert_eq!(after(Some(marker(10, 20)), 25, 25), marker(20, 25));
        // What was newest is deleted: nothing goes back.
        assert_eq!(after(Some(more), 12, 12), more);
        assert_eq!(Marker::after(None, PostId::from_raw(3), None), marker(3, 3));
    }

    #[test]
    fn marker_written_and_read_is_the_same_for_its_owner() {
        let origin = Origin::parse("https://tern.example", true).unwrap();
        let set = marker(7, u64::MAX).cookie(List::News, &name("ada")).encode(&origin);
        let header = set.split(';').next().unwrap();
        let read = |list, user: &str| Marker::from_cookies(header, "__Host-", list, &name(user));
        assert_eq!(read(List::News, "ada"), Some(marker(7, u64::MAX)));
        assert_eq!(read(List::News, "ben"), None);
        assert_eq!(read(List::Home, "ada"), None);
        for bad in ["ada", "ada.1", "ada.1.x", "ada.1.2.3", "ada..2", ".1.2", "ada.-1.2"] {
            let header = format!("h={bad}");
            assert_eq!(Marker::from_cookies(&header, "", List::Home, &name("ada")), None, "{bad}");
        }
    }
}
