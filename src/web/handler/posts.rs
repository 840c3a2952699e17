//! Posts with the buttons of whoever looks at them; the pages that change a post, tell what it said
//! before, and list one's bookmarks.

use askama::Template;

use super::draw::{Drawer, composer};
use super::read::{at, feed, seen};
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Head, Site, Stop, html, pictures};
use crate::action::{Action, HistoryOf, Mark, ThreadOf};
use crate::id::PostId;
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::csrf::FormName;
use crate::web::page::form::{ComposePage, Composer, FormHead, MarkButton};
use crate::web::page::kept::{DrawnPost, DrawnPosts, Way};
use crate::web::page::list::{Feed, TimelinePage};
use crate::web::page::post::{Eyes, PostItem};
use crate::web::page::thread::{Earlier, HistoryPage};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Outcome, PostView, ThreadPage};

/// What one may do to another's post in a list.
const IN_LISTS: &[Mark] = &[Mark::Repost, Mark::Like];
/// The same in the list of one's bookmarks.
const IN_FULL: &[Mark] = &[Mark::Repost, Mark::Like, Mark::Bookmark];
/// The same where a post is opened.
const WHERE_OPENED: &[Mark] = &[Mark::Repost, Mark::Like, Mark::Bookmark, Mark::MuteThread];
/// What one may do to a post of one's own, where it is opened.
const TO_ONES_OWN: &[Mark] = &[Mark::Bookmark, Mark::Pin, Mark::MuteThread];

/// How somebody sees posts on one page.
pub(super) struct Look<'a> {
    /// What was drawn of lists before.
    pub(super) kept: &'a DrawnPosts,
    pub(super) eyes: Eyes<'a>,
    /// Draws the buttons; strangers have none.
    pub(super) drawer: Option<Drawer<'a>>,
    /// The page's address, to come back to.
    pub(super) here: String,
}

impl Look<'_> {
    /// A post among others on a page of its own kind.
    pub(super) fn item(&self, post: &PostView) -> PostItem {
        self.with_marks(post, self.in_lists(post))
    }

    /// The posts of a list.
    pub(super) fn drawn<'p>(
        &self,
        posts: impl IntoIterator<Item = &'p PostView>,
    ) -> askama::Result<Vec<DrawnPost>> {
        posts.into_iter().map(|post| self.draw(post, self.in_lists(post), false)).collect()
    }

    /// The same with all that one may do to them.
    fn drawn_in_full(&self, posts: &[PostView]) -> askama::Result<Vec<DrawnPost>> {
        posts.iter().map(|post| self.draw(post, IN_FULL, false)).collect()
    }

    /// The post that stands first on its author's profile.
    pub(super) fn pinned(&self, post: &PostView) -> askama::Result<DrawnPost> {
        self.draw(post, self.in_lists(post), true)
    }

    fn draw(
        &self,
        post: &PostView,
        marks: &'static [Mark],
        is_pinned: bool,
    ) -> askama::Result<DrawnPost> {
        let Eyes { t, now, just_posted, query, .. } = self.eyes;
        let draw = || PostItem { is_pinned, ..self.with_marks(post, marks) }.drawn(&t).render();
        // What is found is marked in the text, and what is new stands out: once, for one.
        if query.is_some() || just_posted == Some(post.id) {
            return draw().map(DrawnPost::from);
        }
        let marks = if self.drawer.is_some() { marks } else { &[] };
        let way = Way { t, marks, is_pinned };
        self.kept.get_or_draw(way, post, now, draw)
    }

    fn in_lists(&self, post: &PostView) -> &'static [Mark] {
        if self.is_own(post) { &[] } else { IN_LISTS }
    }

    /// The form that the buttons of all of them share.
    pub(super) fn marks(&self) -> Option<FormHead> {
        self.drawer.map(|drawer| drawer.marks(&self.here))
    }

    /// The post that is opened.
    pub(super) fn opened(&self, post: &PostView) -> PostItem {
        self.with_marks(post, if self.is_own(post) { TO_ONES_OWN } else { WHERE_OPENED })
    }

    fn is_own(&self, post: &PostView) -> bool {
        self.eyes.viewer == Some(&post.author.username)
    }

    fn with_marks(&self, post: &PostView, marks: &[Mark]) -> PostItem {
        // What is for few nobody shows to others.
        let marks = marks.iter().filter(|mark| **mark != Mark::Repost || !post.audience.is_few());
        let button = |drawer: Drawer<'_>| marks.map(move |mark| drawer.mark(post, *mark)).collect();
        let buttons = self.drawer.map(button).unwrap_or_default();
        let mut item = PostItem { buttons, ..self.eyes.see(post) };
        if let (Some(poll), Some(drawer)) = (&mut item.poll, self.drawer) {
            poll.form = drawer.vote(post, &self.here).filter(|_| !self.is_own(post));
        }
        item
    }
}

impl Drawer<'_> {
    /// The form of all buttons of the page at `here`. They share its key, which is told apart by what is
    /// pressed (`act_key`).
    fn marks(self, here: &str) -> FormHead {
        self.form(FormName::Mark, &Route::Home, "").carrying("next", here)
    }

    /// The form in which one votes, where one can.
    fn vote(self, post: &PostView, here: &str) -> Option<FormHead> {
        post.poll.as_ref().filter(|poll| !poll.is_over && poll.chosen.is_none())?;
        let what = PostRef { user: post.author.username.clone(), id: post.id };
        let form = self.form(FormName::Vote, &Route::Vote(what), &post.id.to_string());
        Some(form.carrying("next", here))
    }

    /// The button that marks a post, or takes the mark back.
    fn mark(self, post: &PostView, mark: Mark) -> MarkButton {
        let t = self.t;
        let (is_set, label, done) = match mark {
            Mark::Like => (post.mine.liked, t.like(), t.liked()),
            Mark::Repost => (post.mine.reposted, t.repost(), t.reposted()),
            Mark::Bookmark => (post.mine.bookmarked, t.bookmark(), t.bookmarked()),
            Mark::Pin => (post.mine.pinned, t.pin(), t.pinned()),
            Mark::MuteThread => (post.mine.muted_thread, t.mute_thread(), t.thread_muted()),
        };
        let label = if is_set { done } else { label };
        let what = PostRef { user: post.author.username.clone(), id: post.id };
        let route = Route::Mark { post: what, mark, on: !is_set };
        let spoken = is_set.then(|| t.unmark_post(label, &post.author.display_name));
        MarkButton { action: route.href(), label, spoken }
    }
}

impl<A: Ask> Site<A> {
    /// How this visitor sees posts on the page at `here`.
    pub(super) fn look<'a>(
        &'a self,
        visit: &Visit<'_>,
        heard: &'a Heard,
        just_posted: Option<PostId>,
        here: String,
    ) -> Look<'a> {
        let viewer = heard.viewer.as_ref().map(|viewer| &viewer.username);
        let eyes = Eyes { t: visit.t, viewer, now: visit.now, just_posted, query: None };
        Look { kept: &self.drawn, eyes, drawer: self.drawer(visit.t, heard), here }
    }

    /// The posts that one has bookmarked.
    pub(super) fn bookmarks(&self, visit: &Visit<'_>) -> Handled {
        if visit.session.is_none() {
            return Ok(super::to_login(visit, Vec::new()));
        }
        let asked = self.page_asked(visit)?;
        let before = asked.before;
        let heard = self.read(visit, None, Action::Bookmarks(asked))?;
        let Outcome::Posts(posts) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let look = self.look(visit, &heard, None, at(&Route::Bookmarks, before));
        let frame = self.around(visit, Some(&heard)).frame(visit.t.bookmarks(), None);
        let page = TimelinePage {
            frame: frame.remarking(visit.t.only_you_see()).marking(look.marks()),
            composer: None,
            fresh: None,
            feed: Feed {
                empty: visit.t.nothing_bookmarked(),
                ..feed(posts, look.drawn_in_full(&posts.posts)?, &look, &Route::Bookmarks)
            },
            suggestions: Vec::new(),
            everyone: None,
        };
        html(&page, seen(visit, &heard))
    }

    /// The form that changes a post of one's own.
    pub(super) fn edit(&self, visit: &Visit<'_>, post: PostRef) -> Handled {
        let (heard, thread) = self.own_post(visit, &post)?;
        let t = visit.t;
        let Some(drawer) = self.drawer(t, &heard) else {
            return Ok(super::to_login(visit, heard.cookies.clone()));
        };
        let route = Route::EditPost(post.clone());
        let form = drawer.form(FormName::EditPost, &route, &post.id.to_string());
        let pictures = &thread.post.pictures;
        let said = pictures.iter().map(|it| it.description.clone()).collect();
        let page = ComposePage {
            frame: self.around(visit, Some(&heard)).frame(t.edit_this_post(), None),
            composer: Composer {
                described: pictures::describing(said, pictures),
                text: thread.post.text,
                note: thread.post.note.unwrap_or_default(),
                cancel: Some((Route::Thread(post).href(), t.leave_as_is())),
                ..editor(t, composer(t, form))
            },
        };
        html(&page, Head { cache: None, ..seen(visit, &heard) })
    }

    /// A post that only its author may do this to; an answer of its own for everybody else.
    pub(super) fn own_post(
        &self,
        visit: &Visit<'_>,
        post: &PostRef,
    ) -> Result<(Heard, ThreadPage), Stop> {
        let stop = |response| Stop::Answer(Box::new(response));
        if visit.session.is_none() {
            return Err(stop(super::to_login(visit, Vec::new())));
        }
        let asked = Action::Thread(ThreadOf::alone(post.clone()));
        let heard = self.read(visit, Some(&post.user), asked)?;
        let Outcome::Thread(thread) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        match &heard.viewer {
            Some(viewer) if viewer.username == post.user => {
                let thread = thread.clone();
                Ok((heard, thread))
            }
            Some(_) => Err(stop(self.error(visit, Some(&heard), 403)?)),
            None => Err(stop(super::to_login(visit, heard.cookies.clone()))),
        }
    }

    /// What a post said, from the first text to the present one.
    pub(super) fn history(&self, visit: &Visit<'_>, post: PostRef) -> Handled {
        let asked = Action::History(HistoryOf { post: post.clone() });
        let heard = self.read(visit, Some(&post.user), asked)?;
        let Outcome::History(history) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let look = self.look(visit, &heard, None, Route::History(post).href());
        let item = look.eyes.see(&history.post);
        let page = HistoryPage {
            frame: self.around(visit, Some(&heard)).frame(visit.t.what_post_said(), None),
            back: item.href.clone(),
            texts: history.texts.iter().map(|text| Earlier::of(visit.t, text, visit.now)).collect(),
            by: item.by,
        };
        html(&page, seen(visit, &heard))
    }
}

/// The box to write in, as it is where a post is changed.
pub(super) fn editor(t: Lang, composer: Composer) -> Composer {
    Composer {
        label: t.your_text(),
        is_labelled: true,
        rows: 4,
        button: t.save(),
        audiences: Vec::new(),
        offers_more: false,
        ..composer
    }
}
