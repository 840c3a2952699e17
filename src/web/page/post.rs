//! A post, its author, and lists of posts.

use super::form::MarkButton;
use super::poll::PollItem;
use super::text::{Run, runs};
use super::time::Moment;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::limits::{AVATAR_DIGITS, THUMB_SIDE_MAX};
use crate::text::query::Query;
use crate::user::entry::{Audience, Picture, PostRef};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{LikedBy, Person, PostView};

/// Grounds that a monogram may have: classes `h0` to `h7` of the style sheet.
pub(super) const HUES: u32 = 8;

/// A member as a byline or a row shows them.
#[derive(Debug, Clone)]
pub(crate) struct Byline {
    /// The name shown.
    pub(crate) name: String,
    /// The user name.
    pub(crate) username: UserName,
    /// Their page.
    pub(crate) href: String,
    /// Where the picture is that stands in the monogram's place; empty if there is none.
    pub(crate) face: String,
    /// The monogram's letter.
    pub(crate) initial: String,
    /// The monogram's ground.
    pub(crate) hue: u32,
}

impl Byline {
    /// How `person` is shown.
    pub(crate) fn of(person: &Person) -> Self {
        let username = &person.username;
        let letters = person.display_name.chars().chain(username.as_str().chars());
        let initial = letters.filter(|c| c.is_alphanumeric()).take(1);
        Self {
            name: person.display_name.clone(),
            face: face(person).unwrap_or_default(),
            href: Route::Profile(username.clone()).href(),
            // `ß` becomes two letters.
            initial: initial.flat_map(char::to_uppercase).take(1).collect(),
            hue: hue(username),
            username: username.clone(),
        }
    }
}

/// Which ground somebody's monogram has.
pub(super) fn hue(username: &UserName) -> u32 {
    let bytes = username.as_str().bytes();
    let sum = bytes.fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (sum ^ sum >> 7) % HUES
}

/// Where the picture is that stands beside somebody's name, if there is one.
pub(crate) fn face(person: &Person) -> Option<String> {
    let digits = person.avatar.as_ref()?.thumb.to_string().chars().take(AVATAR_DIGITS).collect();
    Some(Route::Face(person.username.clone(), digits).href())
}

/// A post as the templates show it.
#[derive(Debug, Clone)]
pub(crate) struct PostItem {
    /// Its number, for the anchor.
    pub(crate) id: PostId,
    /// Its page.
    pub(crate) href: String,
    /// Who wrote it.
    pub(crate) by: Byline,
    /// When.
    pub(crate) at: Moment,
    /// Whom it is for, in words; empty for everybody.
    pub(crate) audience: &'static str,
    /// What it says.
    pub(crate) runs: Vec<Run>,
    /// Why a keeper has hidden it, if one has; empty where that is not said.
    pub(crate) hidden: Option<String>,
    /// What that is folded behind.
    pub(crate) note: Option<String>,
    /// Its pictures.
    pub(crate) pictures: Vec<PictureItem>,
    /// How many these are.
    pub(crate) pictures_count: u32,
    /// How many of them are covered until somebody wants to see them, if they are.
    pub(crate) covered: Option<u32>,
    /// What it asks.
    pub(crate) poll: Option<PollItem>,
    /// When it was last edited, and where to read what it said before.
    pub(crate) edited: Option<(Moment, String)>,
    /// Who reposted it, where it stands in a list because of that.
    pub(crate) reposted_by: Option<Named>,
    /// Whether it stands first on its author's profile, and this is it.
    pub(crate) is_pinned: bool,
    /// Who likes it, told to its author.
    pub(crate) liked_by: Vec<Named>,
    /// How many more do.
    pub(crate) liked_more: u32,
    /// What whoever looks may do to it.
    pub(crate) buttons: Vec<MarkButton>,
    /// What it answers.
    pub(crate) answers: Option<Answers>,
    /// How many answers it has, in words; empty for none.
    pub(crate) replies: String,
    /// Where to change it, if it is one's own.
    pub(crate) edit_href: Option<String>,
    /// Where to take it back, if it is one's own.
    pub(crate) delete_href: Option<String>,
    /// Whether it was written just now by who looks at it.
    pub(crate) is_new: bool,
}

/// A picture of a post as the templates show it.
#[derive(Debug, Clone)]
pub(crate) struct PictureItem {
    /// The picture.
    pub(crate) href: String,
    /// The small one.
    pub(crate) thumb: String,
    /// What it shows.
    pub(crate) alt: String,
    /// Pixels across of the small one.
    pub(crate) width: u32,
    /// Pixels down of it.
    pub(crate) height: u32,
}

impl PictureItem {
    fn of(t: Lang, picture: &Picture) -> Self {
        let longer = picture.width.max(picture.height).max(1);
        let small = |length: u32| {
            if longer <= THUMB_SIDE_MAX {
                length
            } else {
                (length * THUMB_SIDE_MAX / longer).max(1)
            }
        };
        Self {
            href: Route::Picture(picture.file).href(),
            thumb: Route::Picture(picture.thumb).href(),
            // It is a link, which has to be called something.
            alt: match picture.description.as_str() {
                "" => t.not_described().to_owned(),
                description => description.to_owned(),
            },
            width: small(picture.width),
            height: small(picture.height),
        }
    }
}

/// A member by name alone.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// Their page.
    pub(crate) href: String,
    /// The name shown.
    pub(crate) name: String,
}

impl Named {
    fn of(person: &Person) -> Self {
        let href = Route::Profile(person.username.clone()).href();
        Self { href, name: person.display_name.clone() }
    }
}

/// What a post answers.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    /// The answered post's page.
    pub(crate) href: String,
    /// Who wrote that.
    pub(crate) username: UserName,
}

/// What the look of a post depends on besides the post.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eyes<'a> {
    /// In which language.
    pub(crate) t: Lang,
    /// Who looks, if signed in.
    pub(crate) viewer: Option<&'a UserName>,
    /// When.
    pub(crate) now: Wall,
    /// Which post they have just made.
    pub(crate) just_posted: Option<PostId>,
    /// What they search for.
    pub(crate) query: Option<&'a Query>,
}

impl Eyes<'_> {
    /// The post as they see it.
    pub(crate) fn see(&self, post: &PostView) -> PostItem {
        let of = |user: &UserName, id| PostRef { user: user.clone(), id };
        let own = of(&post.author.username, post.id);
        let is_own = self.viewer == Some(&post.author.username);
        let liked_by: Option<&LikedBy> = post.liked_by.as_ref();
        let pictures_count = u32::try_from(post.pictures.len()).unwrap_or(u32::MAX);
        PostItem {
            id: post.id,
            href: Route::Thread(own.clone()).href(),
            by: Byline::of(&post.author),
            at: Moment::seen_at(self.t, post.at, self.now),
            audience: match post.audience {
                Audience::Everyone => "",
                Audience::Quiet => self.t.is_quiet(),
                Audience::Followers => self.t.is_for_followers(),
                Audience::Named => self.t.is_for_named(),
            },
            runs: self.read(post),
            hidden: post.hidden.clone(),
            note: post.note.clone(),
            pictures: post.pictures.iter().map(|it| PictureItem::of(self.t, it)).collect(),
            pictures_count,
            covered: Some(pictures_count).filter(|count| post.sensitive && *count > 0),
            poll: post.poll.as_deref().map(|poll| PollItem::of(self.t, poll, self.now)),
            edited: post.edited_at.map(|at| {
                let history = Route::History(own.clone()).href();
                (Moment::seen_at(self.t, at, self.now), history)
            }),
            reposted_by: post.reposted_by.as_ref().map(Named::of),
            is_pinned: false,
            liked_by: liked_by
                .map(|by| by.people.iter().map(Named::of).collect())
                .unwrap_or_default(),
            liked_more: liked_by.map_or(0, |by| by.more),
            buttons: Vec::new(),
            answers: post.reply_to.as_ref().map(|to| Answers {
                href: Route::Thread(to.clone()).href(),
                username: to.user.clone(),
            }),
            replies: match post.replies {
                0 => String::new(),
                n => self.t.replies(n),
            },
            edit_href: is_own.then(|| Route::EditPost(own.clone()).href()),
            delete_href: is_own.then(|| Route::DeletePost(own).href()),
            is_new: is_own && self.just_posted == Some(post.id),
        }
    }

    /// Its text as they see it.
    fn read(&self, post: &PostView) -> Vec<Run> {
        let marks = self.query.map(|query| query.places(&post.text)).unwrap_or_default();
        runs(&post.text, &post.mentions, &marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(display_name: &str, username: &str, initial: &str) {
        let username = username.parse().unwrap();
        let byline =
            Byline::of(&Person { username, display_name: display_name.to_owned(), avatar: None });
        assert_eq!(byline.initial, initial, "{display_name:?}");
        assert!(byline.hue < HUES);
    }

    #[test]
    fn byline_initial_is_first_letter() {
        check("Ada Lind", "ada", "A");
        check("élan", "ada", "É");
        check("ß", "ada", "S");
        check("<3 7", "ada", "3");
        check("***", "ben", "B");
        check("日本", "ben", "日");
    }

    #[test]
    fn byline_hues_differ_between_names() {
        let names = ["ada", "ben", "mina", "tomas", "yuki", "ruth", "jonas", "leila"];
        let hue = |name: &&str| {
            let (username, display_name) = (name.parse().unwrap(), String::new());
            Byline::of(&Person { username, display_name, avatar: None }).hue
        };
        let hues: std::collections::BTreeSet<_> = names.iter().map(hue).collect();
        assert!(hues.len() >= 4, "{hues:?}");
    }
}
