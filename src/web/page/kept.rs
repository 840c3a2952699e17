//! Posts of lists as they were drawn lately. Most of what a page shows was shown to somebody a moment ago,
//! and to cut its texts, write its addresses and escape all of it is half of what the page takes.
//!
//! Nothing is shown that a backend did not tell for this very page: what is kept is taken where the post, as
//! told now, is the same in every field, and whoever looks would see the same words and buttons. What only
//! some may read is not kept, nor what holds a form of its own.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;

use askama::filters::HtmlSafe;

use super::time::told_until;
use crate::action::Mark;
use crate::clock::Wall;
use crate::limits::{DRAWN_BYTES_MAX, DRAWN_POSTS_MAX};
use crate::recent::Recent;
use crate::web::words::Lang;
use crate::wire::request::PostView;

/// A post of a list, drawn. It was escaped then, so templates take it as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DrawnPost(Arc<str>);

impl HtmlSafe for DrawnPost {}

impl Display for DrawnPost {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for DrawnPost {
    fn from(html: String) -> Self {
        Self(html.into())
    }
}

/// What the look of a post in a list depends on besides the post and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    /// The language.
    pub(crate) t: Lang,
    /// The buttons below it.
    pub(crate) marks: &'static [Mark],
    /// Whether it stands first on its author's profile, and this is it.
    pub(crate) is_pinned: bool,
}

/// At most [`DRAWN_POSTS_MAX`] of them.
pub(crate) struct DrawnPosts(Recent<Kept>);

/// One of them, and what it was drawn of.
struct Kept {
    way: Way,
    post: PostView,
    /// When its times are told as they were then.
    when: Range<Wall>,
    drawn: DrawnPost,
}

impl DrawnPosts {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Recent::new(DRAWN_POSTS_MAX))
    }

    /// The post as it was drawn before, or as `draw` draws it now.
    pub(crate) fn get_or_draw(
        &self,
        way: Way,
        post: &PostView,
        now: Wall,
        draw: impl FnOnce() -> askama::Result<String>,
    ) -> askama::Result<DrawnPost> {
        if !may_be_kept(post) {
            return draw().map(DrawnPost::from);
        }
        // What readers have done with a post differs most: each such look of it is kept by itself.
        let reposted_by = post.reposted_by.as_ref().map(|by| &by.username);
        let key = (way, post.id, post.mine, reposted_by);
        let shown = |kept: &Kept| kept.shows(way, post, now).then(|| kept.drawn.clone());
        if let Some(drawn) = self.0.find(key, shown) {
            return Ok(drawn);
        }
        let html = draw()?;
        let is_short = html.len() <= DRAWN_BYTES_MAX;
        let drawn = DrawnPost::from(html);
        if is_short {
            self.0.keep(key, Kept::of(way, post, now, &drawn));
        }
        Ok(drawn)
    }
}

impl Kept {
    fn of(way: Way, post: &PostView, now: Wall, drawn: &DrawnPost) -> Self {
        let until = told_until(post.at, now);
        let until = post.edited_at.map_or(until, |at| until.min(told_until(at, now)));
        Self { way, post: post.clone(), when: now..until, drawn: drawn.clone() }
    }

    fn shows(&self, way: Way, post: &PostView, now: Wall) -> bool {
        self.when.contains(&now) && self.way == way && self.post == *post
    }
}

/// Whether it may be shown to others as it was drawn for one. A poll has a form, with secrets of whoever looks.
fn may_be_kept(post: &PostView) -> bool {
    !post.audience.is_few() && post.poll.is_none()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::id::PostId;
    use crate::user::entry::Audience;
    use crate::wire::request::{Mine, Person, PollView};

    const NOW: Wall = Wall(1_700_000_000_000);
    const WAY: Way = Way { t: Lang::En, marks: &[], is_pinned: false };

    fn post() -> PostView {
        let (username, display_name) = ("ada".parse().unwrap(), "Ada".to_owned());
        PostView {
            id: PostId::from_raw(9),
            author: Person { username, display_name, avatar: None },
            at: Wall(NOW.0 - 90_000),
            text: "Bring labels.".to_owned(),
            note: None,
            edited_at: None,
            reposted_by: None,
            mine: Mine::default(),
            liked_by: None,
            audience: Audience::Everyone,
            reply_to: None,
            pictures: Vec::new(),
            poll: None,
            replies: 0,
            mentions: Vec::new(),
            hidden: None,
            sensitive: false,
        }
    }

    /// How often a post is drawn that is shown so, one after the other; what is drawn has so many bytes.
    fn drawn(shown: &[(Way, &PostView, Wall)], bytes: usize) -> usize {
        let (posts, count) = (DrawnPosts::new(), Cell::new(0));
        for &(way, post, now) in shown {
            let draw = || {
                count.set(count.get() + 1);
                Ok("x".repeat(bytes))
            };
            let drawn = posts.get_or_draw(way, post, now, draw).unwrap();
            assert_eq!(drawn.to_string().len(), bytes);
        }
        count.get()
    }

    fn later(later_ms: u64) -> Wall {
        Wall(NOW.0 + later_ms)
    }

    #[test]
    fn post_drawn_once_for_all_who_see_the_same() {
        let post = post();
        assert_eq!(drawn(&[(WAY, &post, NOW), (WAY, &post.clone(), later(29_999))], 10), 1);
        let mut edited = post.clone();
        edited.edited_at = Some(Wall(NOW.0 - 20_000));
        assert_eq!(drawn(&[(WAY, &edited, NOW), (WAY, &edited, later(29_999))], 10), 1);
        // Two looks of it are both kept, whoever takes turns.
        let mut liked = post.clone();
        liked.mine.liked = true;
        let turns = [(WAY, &post, NOW), (WAY, &liked, NOW), (WAY, &post, NOW), (WAY, &liked, NOW)];
        assert_eq!(drawn(&turns, 10), 2);
    }

    #[test]
    fn post_drawn_anew_when_its_times_are_told_otherwise() {
        let post = post();
        assert_eq!(drawn(&[(WAY, &post, NOW), (WAY, &post, later(30_000))], 10), 2);
        assert_eq!(drawn(&[(WAY, &post, later(1)), (WAY, &post, NOW)], 10), 2, "an earlier time");
        let mut edited = post.clone();
        edited.edited_at = Some(Wall(NOW.0 - 40_000));
        assert_eq!(drawn(&[(WAY, &edited, NOW), (WAY, &edited, later(20_000))], 10), 2);
    }

    #[test]
    fn post_drawn_anew_for_whoever_sees_another() {
        let post = post();
        let mut other = post.clone();
        other.text.push('!');
        for (way, shown) in [
            (WAY, &other),
            (Way { t: Lang::De, ..WAY }, &post),
            (Way { marks: &[Mark::Like], ..WAY }, &post),
            (Way { is_pinned: true, ..WAY }, &post),
        ] {
            assert_eq!(drawn(&[(WAY, &post, NOW), (way, shown, NOW)], 10), 2, "{way:?}");
            // Also where their hashes fall on one place.
            let kept = Kept::of(WAY, &post, NOW, &DrawnPost::from(String::new()));
            assert!(kept.shows(WAY, &post, NOW) && !kept.shows(way, shown, NOW), "{way:?}");
        }
    }

    #[test]
    fn post_for_few_with_a_form_or_long_not_kept() {
        let post = post();
        let twice = |post: &PostView, bytes| drawn(&[(WAY, post, NOW), (WAY, post, NOW)], bytes);
        assert_eq!(twice(&post, DRAWN_BYTES_MAX), 1);
        assert_eq!(twice(&post, DRAWN_BYTES_MAX + 1), 2);
        for (audience, count) in
            [(Audience::Quiet, 1), (Audience::Followers, 2), (Audience::Named, 2)]
        {
            assert_eq!(twice(&PostView { audience, ..post.clone() }, 10), count, "{audience:?}");
        }
        let poll = PollView {
            options: Vec::new(),
            until: Wall(NOW.0 + 600_000),
            is_over: false,
            many: false,
            voters: 0,
            votes: 0,
            chosen: None,
        };
        assert_eq!(twice(&PostView { poll: Some(Box::new(poll)), ..post }, 10), 2);
    }
}
