//! The page of a post: above it what it answers, below it a part of what answers it.

use super::posts::Look;
use super::read::{kept_from_writing, seen};
use super::visit::Visit;
use super::{Fault, Handled, Site, html};
use crate::action::{Action, ReplyPlace, ThreadOf};
use crate::id::PostId;
use crate::limits::REPLIES_PAGE;
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::form::encode_query;
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::post::PostItem;
use crate::web::page::thread::{Replies, Reply, ThreadPage, Unseen};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Ancestor, Outcome, PostView, ReplyView, ThreadPage as Thread};

/// Most characters of a post that its window is called by: browsers show fewer.
const BEGINNING_CHARS_MAX: usize = 50;

/// Where on the page the replies begin.
const REPLIES: &str = "#replies";

impl<A: Ask> Site<A> {
    /// One post, what it answers and what answers it.
    pub(super) fn thread(&self, visit: &Visit<'_>, post: PostRef) -> Handled {
        let t = visit.t;
        let after: Option<ReplyPlace> = self.or_bad(visit, visit.cursor("after"))?;
        let asked = Action::Thread(ThreadOf {
            post: post.clone(),
            posted: visit.remark("posted"),
            after,
            limit: u16::try_from(REPLIES_PAGE).ok(),
        });
        let mut heard = self.read(visit, Some(&post.user), asked)?;
        let Outcome::Thread(thread) = &mut heard.outcome else {
            return Err(Fault::Nonsense.into());
        };
        let part = Part::cut(thread, after);
        let Outcome::Thread(thread) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let drawer = self.drawer(t, &heard);
        let just_posted = thread.just_posted.map(|kept| kept.post);
        let route = Route::Thread(post.clone());
        let address = part.address(&route);
        let here = encode_query(&address);
        let look = self.look(visit, &heard, just_posted, address);
        let title = t.post_by(&thread.post.author.display_name);
        let frame = self.around(visit, Some(&heard)).frame(title, None).marking(look.marks());
        // Strangers' programs show titles elsewhere.
        let called = drawer.and_then(|_| called(&thread.post));
        let frame = frame.calling(called.unwrap_or_default());
        let is_others = drawer.is_some_and(|drawer| *drawer.viewer != post.user);
        let reported = visit.query.find("reported").filter(|_| is_others);
        let reported =
            reported.map(|_| Notice::new(Tone::Good, t.reported(), t.keeper_will_look()));
        let kept_from = kept_from_writing(t, &heard);
        let posted = thread.just_posted.map(|kept| Notice::posted(t, kept));
        let is_writer = kept_from.is_none();
        let page = ThreadPage {
            frame: frame.saying(reported.or(posted).or(kept_from)),
            report: is_others.then(|| Route::Report(post.clone()).href()),
            ancestors: thread.ancestors.iter().map(|it| above(t, &look, it)).collect(),
            post: look.opened(&thread.post),
            replies: part.shown(thread, &look, &route),
            composer: drawer.filter(|_| is_writer).map(|drawer| drawer.answer(&post, &thread.post)),
            login: drawer.is_none().then(|| format!("{}?next={here}", Route::Login)),
        };
        html(&page, seen(visit, &heard))
    }
}

/// What the window of a thread is called: its author and how it begins. Of what stands behind a note, of what is
/// hidden and of what is for few nothing, since a window's name stands where the page does not: in histories, and
/// on screens that others see.
fn called(post: &PostView) -> Option<String> {
    let is_open = post.note.is_none() && post.hidden.is_none() && !post.audience.is_few();
    let begins = beginning(&post.text);
    let shows = is_open && !begins.is_empty();
    shows.then(|| format!("{}: {begins}", post.author.display_name))
}

/// The first words of a text, in one line.
fn beginning(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(BEGINNING_CHARS_MAX) else { return line };
    let cut = line.get(..end).unwrap_or_default();
    format!("{}…", cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole))
}

/// Which part of the replies a page shows.
struct Part {
    after: Option<ReplyPlace>,
    /// Where the next one begins, if there is one.
    next: Option<ReplyPlace>,
}

impl Part {
    /// Keeps of a thread's replies those of the part behind this place. A backend of an earlier version knows of
    /// no parts, and tells the first of all.
    fn cut(thread: &mut Thread, after: Option<ReplyPlace>) -> Self {
        let replies = &mut thread.replies;
        let mut top = after.map(|after| after.top);
        let seen = after.and_then(|after| replies.iter().position(|it| it.post.id == after.last));
        if let Some(at) = seen {
            replies.drain(..=at);
        }
        let beyond = replies.split_off(REPLIES_PAGE.min(replies.len()));
        thread.more_replies |= !beyond.is_empty();
        let is_own =
            |it: &ReplyView| thread.just_posted.is_some_and(|kept| kept.post == it.post.id);
        let own = || beyond.into_iter().find(is_own).map(Box::new);
        thread.own = thread.own.take().or_else(own);
        top = replies.iter().rfind(|it| it.depth == 1).map(|it| it.post.id).or(top);
        let last = replies.last().map(|it| it.post.id).filter(|_| thread.more_replies);
        // Below what is not shown there may be none that answers the post itself: then, should the last go
        // meanwhile, all comes again rather than that some is passed over.
        let top = top.unwrap_or(PostId::from_raw(0));
        let next = last.map(|last| ReplyPlace { last, top });
        Self { after, next }
    }

    /// The address of its page.
    fn address(&self, thread: &Route) -> String {
        self.after.map_or_else(|| thread.href(), |after| page_after(thread, after))
    }

    fn shown(&self, thread: &Thread, look: &Look<'_>, route: &Route) -> Replies {
        Replies {
            list: thread.replies.iter().map(|it| reply(look, it)).collect(),
            first: self.after.map(|_| format!("{route}{REPLIES}")),
            more: self.next.map(|next| page_after(route, next) + REPLIES),
            own: thread.own.as_deref().map(|it| reply(look, it)),
        }
    }
}

fn page_after(thread: &Route, after: ReplyPlace) -> String {
    format!("{thread}?after={after}")
}

fn above(t: Lang, look: &Look<'_>, ancestor: &Ancestor) -> Result<PostItem, &'static str> {
    match ancestor {
        Ancestor::Post(post) => Ok(look.eyes.see(post)),
        Ancestor::Deleted(_) => Err(t.deleted_post()),
        Ancestor::Unseen(_) => Err(t.post_not_shown()),
    }
}

fn reply(look: &Look<'_>, reply: &ReplyView) -> Reply {
    let is_deep = reply.depth > 1;
    let mut post = look.item(&reply.post);
    // What stands right below the post need not say that it answers it.
    post.answers = post.answers.filter(|_| is_deep);
    // What one may not see, and what one does not want to, look the same: as above the post.
    let unseen = reply
        .is_below_unseen
        .then(|| Unseen { words: look.eyes.t.post_not_shown(), is_deep: reply.depth > 2 });
    Reply { post, is_deep, unseen }
}
