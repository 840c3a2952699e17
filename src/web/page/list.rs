//! Lists of posts and of people.

use askama::Template;

use super::form::{ButtonForm, Composer};
use super::frame::Frame;
use super::kept::DrawnPost;
use super::post::Byline;
use super::time::Moment;

/// A page of posts.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    /// The posts.
    pub(crate) posts: Vec<DrawnPost>,
    /// Where the next older page is.
    pub(crate) older: Option<String>,
    /// What to say where there are none.
    pub(crate) empty: &'static str,
    /// Where the list begins, if this is not there: none here means that it ended before.
    pub(crate) newest: Option<String>,
    /// Whether this is the end of a list that is not empty.
    pub(crate) is_end: bool,
    /// Above which post the line stands that says where one left off.
    pub(crate) line: Option<usize>,
}

impl Feed {
    /// Whether the line stands above the post of this index.
    // By reference: templates call it so.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a template hands it over so")]
    pub(crate) fn is_line(&self, index: &usize) -> bool {
        self.line == Some(*index)
    }
}

/// A member in a list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Who.
    pub(crate) by: Byline,
    /// The first line of what they say of themselves.
    pub(crate) bio_line: String,
    /// Follow, or follow no longer.
    pub(crate) follow: Option<ButtonForm>,
    /// Have them follow no longer, if they follow the one who looks, in the list of those.
    pub(crate) remove: Option<ButtonForm>,
}

/// The first page for strangers.
#[derive(Debug, Template)]
#[template(path = "landing.html", config = "src/web/askama.toml")]
pub(crate) struct LandingPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// What the keeper says to them; may be empty.
    pub(crate) words: String,
    /// The newest posts, if they are shown.
    pub(crate) feed: Option<Feed>,
    /// Where everybody's posts are.
    pub(crate) everyone: String,
    /// Where to choose another language.
    pub(crate) language: String,
    /// Where to join, if one can.
    pub(crate) join: Option<String>,
    /// Where to sign in.
    pub(crate) login: String,
}

/// Home, and everybody's posts.
#[derive(Debug, Template)]
#[template(path = "timeline.html", config = "src/web/askama.toml")]
pub(crate) struct TimelinePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The box to write in, on a first page.
    pub(crate) composer: Option<Composer>,
    /// Where the script asks for new posts, on a first page.
    pub(crate) fresh: Option<String>,
    /// The posts.
    pub(crate) feed: Feed,
    /// Members to follow, where there is nothing else.
    pub(crate) suggestions: Vec<Row>,
    /// Where everybody's posts are, if this is not there.
    pub(crate) everyone: Option<String>,
}

/// A member and their posts.
#[derive(Debug, Template)]
#[template(path = "profile.html", config = "src/web/askama.toml")]
pub(crate) struct ProfilePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// Who.
    pub(crate) by: Byline,
    /// What they say of themselves; may be empty.
    pub(crate) bio: String,
    /// Since when they are a member.
    pub(crate) joined: Moment,
    /// Who follows them: address and words.
    pub(crate) followers: (String, String),
    /// Whom they follow: address and words.
    pub(crate) following: (String, String),
    /// How many posts, in words, unless none of them is shown.
    pub(crate) posts_count: Option<String>,
    /// Follow, or follow no longer.
    pub(crate) follow: Option<ButtonForm>,
    /// The buttons that mute and block, or no longer do, if it is another's.
    pub(crate) apart: Vec<ButtonForm>,
    /// Where to moderate, if it is one's own and a keeper's.
    pub(crate) moderate: Option<String>,
    /// Where to edit it, if it is one's own.
    pub(crate) edit: Option<String>,
    /// Where one's bookmarks are.
    pub(crate) bookmarks: String,
    /// The button that signs out, if it is one's own.
    pub(crate) logout: Option<ButtonForm>,
    /// Their posts.
    pub(crate) feed: Feed,
}

/// Followers, or followed.
#[derive(Debug, Template)]
#[template(path = "people.html", config = "src/web/askama.toml")]
pub(crate) struct PeoplePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// Whose: address and name.
    pub(crate) of: (String, String),
    /// What to know of them; may be empty.
    pub(crate) hint: &'static str,
    /// The people.
    pub(crate) people: Vec<Row>,
    /// Where the list begins, if this is not there.
    pub(crate) first: Option<String>,
    /// Where the list goes on.
    pub(crate) more: Option<String>,
}
