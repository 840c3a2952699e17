//! Up to where people have read, as their apps say it. Kept in memory, by the web server that was told:
//! it says where a list is opened, and whoever does not know opens it at its newest.

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{entity, news};
use crate::auth::throttle::recent::Recent;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::API_SEEN_MAX;

/// The list of those one follows.
pub(super) const HOME: &str = "home";
/// The list of what concerns one.
pub(super) const NEWS: &str = "notifications";

/// Up to where a list was read.
#[derive(Debug, Clone, Default)]
struct Mark {
    id: String,
    version: u32,
    at: Wall,
}

/// Everybody's.
pub(super) struct Marks(Mutex<Recent<(UserName, String), Mark>>);

impl Marks {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Recent::new(API_SEEN_MAX)))
    }

    /// One, as apps see it.
    pub(super) fn get(&self, user: &UserName, line: &str) -> Option<Value> {
        self.0.lock().get(&(user.clone(), line.to_owned())).map(spelt)
    }

    /// Up to where somebody's news were read.
    pub(super) fn news(&self, user: &UserName) -> Option<PostId> {
        let marks = self.0.lock();
        news::place_of(&marks.get(&(user.clone(), NEWS.to_owned()))?.id)
    }

    /// It is this one from now on.
    pub(super) fn set(&self, user: &UserName, line: &str, id: &str, now: Wall) -> Value {
        let mut marks = self.0.lock();
        let mark = marks.touch(&(user.clone(), line.to_owned()));
        *mark = Mark { id: id.to_owned(), version: mark.version.saturating_add(1), at: now };
        spelt(mark)
    }
}

fn spelt(mark: &Mark) -> Value {
    json!({ "last_read_id": mark.id, "version": mark.version, "updated_at": entity::time(mark.at) })
}
