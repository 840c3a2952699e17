//! To hear of what happens: asked again and again, each time with the mark that came with the last answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::id::{NodeId, PostId};
use crate::limits::{STREAM_TOLD_MAX, STREAM_TOLD_MS};
use crate::text::Tag;
use crate::user::entry::is_not;

/// Data of [`super::Action::Listen`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// To what.
    pub to: ListenTo,
    /// How much was heard already; nothing of what lies before is told to who has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Heard>,
    /// Whether to tell, too, who likes or reposted one's posts: a web server of an earlier version would not
    /// understand it.
    #[serde(default, skip_serializing_if = "is_not")]
    pub marks: bool,
    /// Whether to tell, too, that a poll is over that one asked or answered: likewise.
    #[serde(default, skip_serializing_if = "is_not")]
    pub ends: bool,
}

/// What may be listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenTo {
    /// One's home, and what concerns one.
    Home,
    /// Everybody's posts.
    Everyone,
    /// Posts that bear a tag.
    Tagged(Tag),
}

/// How much was heard: a number that one process of one machine gave, and for all others which of the
/// latest were told. Machines come to know of posts in different orders, so that the newest alone would
/// not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The machine.
    pub node: NodeId,
    /// Which of its starts.
    pub boot: u32,
    /// Its next change; none while what another machine knows has not been told in full.
    pub change: Option<u64>,
    /// All that lies up to here was told, or is too old to be.
    pub floor: PostId,
    /// What was told of what lies above, rising. At most [`STREAM_TOLD_MAX`].
    pub told: Vec<PostId>,
}

impl Heard {
    /// What is older than this at a time is not told any more.
    pub const fn oldest_told(at: Wall) -> PostId {
        PostId::floor_of(at.0.saturating_sub(STREAM_TOLD_MS))
    }

    /// Whether the post, the repost or what else has this number or place was told already, or is
    /// too old to be.
    pub fn has_told(&self, id: PostId) -> bool {
        id <= self.floor || self.told.binary_search(&id).is_ok()
    }

    /// Remembers what was told, as long as another machine may come to know of it later than this one.
    pub fn remember(&mut self, told: impl IntoIterator<Item = PostId>, now: Wall) {
        for id in told {
            if let Err(place) = self.told.binary_search(&id) {
                self.told.insert(place, id);
            }
        }
        if let Some(newest) = self.told.last() {
            // Not by the newest alone: the clock of the machine that gave its number may be ahead.
            let at_ms = newest.at_ms().min(now.0);
            self.floor = self.floor.max(Self::oldest_told(Wall(at_ms)));
        }
        let too_many = self.told.len().saturating_sub(STREAM_TOLD_MAX);
        let dropped = too_many.checked_sub(1).and_then(|last| self.told.get(last));
        self.floor = self.floor.max(dropped.copied().unwrap_or(self.floor));
        self.told.retain(|id| *id > self.floor);
    }
}

/// A text that is no [`Heard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no mark of what was heard")]
pub struct HeardError;

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.", self.node, self.boot)?;
        match self.change {
            Some(change) => write!(f, "{change}")?,
            None => f.write_str("-")?,
        }
        write!(f, ".{}.", self.floor)?;
        // Each as what it is above the one before: half as long.
        let mut before = self.floor.get();
        for (at, id) in self.told.iter().enumerate() {
            let comma = if at == 0 { "" } else { "-" };
            write!(f, "{comma}{:x}", id.get().saturating_sub(before))?;
            before = id.get();
        }
        Ok(())
    }
}

impl FromStr for Heard {
    type Err = HeardError;

    fn from_str(text: &str) -> Result<Self, HeardError> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(HeardError);
        let node = part()?.parse().map_err(|_| HeardError)?;
        let node = NodeId::new(node).map_err(|_| HeardError)?;
        let boot = part()?.parse().map_err(|_| HeardError)?;
        let change = match part()? {
            "-" => None,
            number => Some(number.parse().map_err(|_| HeardError)?),
        };
        let floor: PostId = part()?.parse().map_err(|_| HeardError)?;
        let told = told_above(floor, part()?)?;
        let heard = Self { node, boot, change, floor, told };
        parts.next().is_none().then_some(heard).ok_or(HeardError)
    }
}

fn told_above(floor: PostId, text: &str) -> Result<Vec<PostId>, HeardError> {
    let (mut told, mut before) = (Vec::new(), floor.get());
    for step in text.split('-').filter(|_| !text.is_empty()) {
        let step = u64::from_str_radix(step, 16).map_err(|_| HeardError)?;
        before = before.checked_add(step).filter(|_| step > 0).ok_or(HeardError)?;
        told.push(PostId::from_raw(before));
    }
    (told.len() <= STREAM_TOLD_MAX).then_some(told).ok_or(HeardError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heard_text_goes_there_and_back_and_nonsense_refused() {
        let id = |above: u64| PostId::from_raw(117_694_926_112_301_056 + above);
        let heard = heard(id(0), &[id(1), id(0x1001)]);
        assert_eq!(heard.to_string(), "3.7.42.117694926112301056.1-1000");
        assert_eq!(heard.to_string().parse(), Ok(heard.clone()));
        let unknown = Heard { change: None, told: Vec::new(), ..heard };
        assert_eq!(unknown.to_string(), "3.7.-.117694926112301056.");
        assert_eq!(unknown.to_string().parse(), Ok(unknown));
        for text in [
            "",
            "3.7.42",
            "3.7.42.1",
            "3.7.42.1.1.1",
            "0.7.42.1.",
            "3.-7.42.1.",
            "3.7.x.1.",
            "3.7.42.-1.",
            "3.7.42.1.x",
            "3.7.42.1.0",
            "3.7.42.1.1-",
            "3.7.42.1.ffffffffffffffff",
        ] {
            assert_eq!(text.parse::<Heard>(), Err(HeardError), "{text}");
        }
        let many = format!("3.7.42.1.{}1", "1-".repeat(STREAM_TOLD_MAX));
        assert_eq!(many.parse::<Heard>(), Err(HeardError));
    }

    fn heard(floor: PostId, told: &[PostId]) -> Heard {
        let node = NodeId::new(3).unwrap();
        Heard { node, boot: 7, change: Some(42), floor, told: told.to_vec() }
    }

    #[test]
    fn heard_remembers_the_latest_alone_and_says_up_to_where_it_forgot() {
        let at = |ms| PostId::first_of(ms, NodeId::new(1).unwrap());
        let mut mark = heard(at(0), &[]);
        let now = Wall(1_000_000);
        mark.remember([at(2_000), at(1_000), at(2_000)], now);
        assert_eq!((mark.floor, mark.told.as_slice()), (at(0), &[at(1_000), at(2_000)][..]));
        assert!(mark.has_told(at(1_000)) && !mark.has_told(at(1_500)));
        // By time, but not by that of a clock that is ahead.
        mark.remember([at(STREAM_TOLD_MS + 1_500)], Wall(STREAM_TOLD_MS));
        assert_eq!((mark.floor, mark.told.len()), (at(0), 3));
        mark.remember([], now);
        let floor = PostId::floor_of(1_500);
        assert_eq!((mark.floor, mark.told.as_slice()), (floor, &[at(2_000), at(61_500)][..]));
        // By number: what is forgotten lies below the floor.
        let many: Vec<_> = (0..STREAM_TOLD_MAX as u64).map(|n| at(70_000 + n)).collect();
        mark.remember(many.iter().copied(), now);
        assert_eq!((mark.floor, mark.told.as_slice()), (at(61_500), many.as_slice()));
    }
}
