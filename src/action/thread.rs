//! A post's page: what answers it, a part at a time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::PostId;
use crate::user::entry::PostRef;

/// Data of [`super::Action::Thread`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadOf {
    /// The post.
    pub post: PostRef,
    /// The reply that was just made, to be told how far it has spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted: Option<PostId>,
    /// Only replies behind this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ReplyPlace>,
    /// How many of them at most. A web server of an earlier version says nothing: it shows all that it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
}

impl ThreadOf {
    /// The post, and nothing of what answers it.
    pub const fn alone(post: PostRef) -> Self {
        Self { post, posted: None, after: None, limit: Some(0) }
    }
}

/// Where a list of a post's replies goes on: behind the last that was shown. That may be deleted meanwhile, and
/// then nothing tells what it answered; so the place also names the one under which it stood, with which the
/// list goes on then: something is shown twice, and nothing is passed over. As text `TOP.LAST`, or `LAST` where
/// it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyPlace {
    /// The last reply that was shown.
    pub last: PostId,
    /// That, or the one above it that answers the post itself.
    pub top: PostId,
}

/// A text that is no such place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place among replies")]
pub struct ReplyPlaceError;

impl fmt::Display for ReplyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.top != self.last {
            write!(f, "{}.", self.top)?;
        }
        self.last.fmt(f)
    }
}

impl FromStr for ReplyPlace {
    type Err = ReplyPlaceError;

    fn from_str(text: &str) -> Result<Self, ReplyPlaceError> {
        let (top, last) = text.split_once('.').unwrap_or((text, text));
        let id = |text: &str| text.parse().map_err(|_| ReplyPlaceError);
        Ok(Self { last: id(last)?, top: id(top)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_written_and_read_and_nothing_else_is_one() {
        let place =
            |top, last| ReplyPlace { last: PostId::from_raw(last), top: PostId::from_raw(top) };
        for (text, expected) in [("7", place(7, 7)), ("7.9", place(7, 9)), ("9.7", place(9, 7))] {
            assert_eq!(text.parse(), Ok(expected));
            assert_eq!(expected.to_string(), text);
        }
        for odd in ["", ".", "7.", ".7", "7.8.9", "-7", "+7", "7 ", "a", "18446744073709551616"] {
            assert_eq!(odd.parse::<ReplyPlace>(), Err(ReplyPlaceError), "{odd:?}");
        }
    }

    #[test]
    fn thread_asked_for_as_an_earlier_version_asks_and_understands() {
        let first = r#"{"post":{"user":"ada","id":"7"}}"#;
        let asked: ThreadOf = serde_json::from_str(first).unwrap();
        assert_eq!((asked.after, asked.limit), (None, None));
        assert_eq!(serde_json::to_string(&asked).unwrap(), first);
        let after = "3.5".parse().ok();
        let now = serde_json::to_string(&ThreadOf { after, limit: Some(30), ..asked }).unwrap();
        let more = r#","after":{"last":"5","top":"3"},"limit":30}"#;
        assert_eq!(now, format!("{}{more}", &first[..first.len() - 1]));
    }
}
