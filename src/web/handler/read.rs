//! Pages that show: lists of posts, a member, a thread, lists of people, the machines.

use super::apart::standing;
use super::draw::{Drawer, own_follower, row};
use super::posts::Look;
use super::visit::{BadCursor, Heard, Visit};
use super::{Fault, Handled, Head, Site, Stop, html};
use crate::action::{Action, Page, PageOf, PeopleOf};
use crate::id::{PostId, UserName};
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::cookie::SetCookie;
use crate::web::csrf::FormName;
use crate::web::marker::{List, Marker};
use crate::web::page::form::{ButtonForm, ConfirmPage};
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::kept::DrawnPost;
use crate::web::page::list::{Feed, PeoplePage, ProfilePage, TimelinePage};
use crate::web::page::post::{Byline, Eyes};
use crate::web::page::said::{hindered as hindered_words, reason_of, suspended};
use crate::web::page::status::{Picture, StatusPage, changes, rows, sentence};
use crate::web::page::time::Moment;
use crate::web::request::Method;
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Outcome, PostPage, PostView, ProfilePage as Profile, Refusal};

impl<A: Ask> Site<A> {
    /// Home for members; for strangers, and whoever turns out to be one, the landing page.
    pub(super) fn home(&self, visit: &Visit<'_>) -> Handled {
        if visit.session.is_none() {
            return self.landing(visit, None);
        }
        let page = self.page_asked(visit)?;
        let before = page.before;
        let heard = self.hear(visit, visit.session.as_ref(), None, Action::Home(page))?;
        match &heard.outcome {
            Outcome::Refused(Refusal::SignedOut) => self.landing(visit, Some(&heard)),
            Outcome::Refused(refusal) => self.refuse_page(visit, &heard, refusal),
            Outcome::Posts(_) if heard.viewer.is_none() => self.landing(visit, Some(&heard)),
            Outcome::Posts(posts) => self.home_page(visit, &heard, posts, before),
            _ => Err(Fault::Nonsense.into()),
        }
    }

    fn home_page(
        &self,
        visit: &Visit<'_>,
        heard: &Heard,
        posts: &PostPage,
        before: Option<PostId>,
    ) -> Handled {
        let is_first = before.is_none();
        let t = visit.t;
        let drawer = self.drawer(t, heard);
        let marker = if is_first { shown_home(visit, heard, posts) } else { visit.home };
        let look = self.look(visit, heard, just_posted(posts), at(&Route::Home, before));
        let mut frame = self.around(visit, Some(heard)).frame(t.home(), Some(&Route::Home));
        frame = frame.marking(look.marks());
        if is_first {
            frame = frame.remarking(t.people_you_follow());
        }
        let is_alone = posts.posts.is_empty() || !posts.suggestions.is_empty();
        // Whoever may not write is told so in place of the box to write in.
        let kept_from = kept_from_writing(t, heard);
        let is_writer = kept_from.is_none();
        let page = TimelinePage {
            frame: frame
                .saying(kept_from.or(posts.just_posted.map(|kept| Notice::posted(t, kept)))),
            composer: drawer.filter(|_| is_first && is_writer).map(Drawer::composer),
            fresh: is_first.then(|| Route::Home.href()),
            feed: Feed {
                line: left_off(marker, posts, before),
                empty: t.home_empty(),
                ..feed(posts, look.drawn(&posts.posts)?, &look, &Route::Home)
            },
            suggestions: posts.suggestions.iter().map(|it| row(it, drawer, "/")).collect(),
            everyone: is_alone.then(|| Route::Everyone.href()),
        };
        let mut head = seen(visit, heard);
        head.cookies.extend(changed(visit, heard, (visit.home, marker), List::Home));
        html(&page, head)
    }

    /// Everybody's posts.
    pub(super) fn everyone(&self, visit: &Visit<'_>) -> Handled {
        let asked = self.page_asked(visit)?;
        let before = asked.before;
        let is_first = before.is_none();
        let heard = self.read(visit, None, Action::Everyone(asked))?;
        let Outcome::Posts(posts) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let drawer = self.drawer(visit.t, &heard);
        let look = self.look(visit, &heard, just_posted(posts), at(&Route::Everyone, before));
        let frame =
            self.around(visit, Some(&heard)).frame(visit.t.everyone(), Some(&Route::Everyone));
        let frame = frame.feeding(&Route::EveryoneFeed, visit.t.everyone()).marking(look.marks());
        let kept_from = kept_from_writing(visit.t, &heard).filter(|_| is_first);
        let is_writer = is_first && kept_from.is_none();
        let posted = posts.just_posted.map(|kept| Notice::posted(visit.t, kept));
        let page = TimelinePage {
            frame: frame.saying(posted.or(kept_from)),
            // Pictures are asked for at home: 30 of the longest posts leave this page no byte for it.
            composer: drawer.filter(|_| is_writer).map(Drawer::plain_composer),
            fresh: drawer.filter(|_| is_first).map(|_| Route::Everyone.href()),
            feed: Feed {
                empty: visit.t.nothing_posted(),
                ..feed(posts, look.drawn(&posts.posts)?, &look, &Route::Everyone)
            },
            suggestions: Vec::new(),
            everyone: None,
        };
        html(&page, seen(visit, &heard))
    }

    pub(super) fn page_asked(&self, visit: &Visit<'_>) -> Result<Page, Stop> {
        let before = self.or_bad(visit, visit.cursor("before"))?;
        Ok(Page { before, posted: visit.remark("posted") })
    }

    /// A cursor that makes no sense is a bad request, not a first page.
    pub(super) fn or_bad<T>(
        &self,
        visit: &Visit<'_>,
        cursor: Result<T, BadCursor>,
    ) -> Result<T, Stop> {
        match cursor {
            Ok(value) => Ok(value),
            Err(BadCursor) => Err(Stop::Answer(Box::new(self.error(visit, None, 400)?))),
        }
    }

    /// One member.
    pub(super) fn profile(&self, visit: &Visit<'_>, name: UserName) -> Handled {
        let before: Option<PostId> = self.or_bad(visit, visit.cursor("before"))?;
        let asked = Action::Profile(PageOf { username: name.clone(), before });
        let heard = self.hear(visit, visit.session.as_ref(), Some(&name), asked)?;
        match &heard.outcome {
            Outcome::Profile(profile) => self.profile_page(visit, &heard, profile, before),
            Outcome::Refused(Refusal::Gone) => {
                let title = visit.t.has_left(name.as_str());
                let text = visit.t.has_left_text();
                self.message(visit, Some(&heard), (410, &title, text))
            }
            Outcome::Refused(Refusal::NotFound) if !heard.is_over => {
                self.nobody(visit, &heard, &name)
            }
            Outcome::Refused(refusal) => self.refuse_page(visit, &heard, refusal),
            _ => Err(Fault::Nonsense.into()),
        }
    }

    fn profile_page(
        &self,
        visit: &Visit<'_>,
        heard: &Heard,
        profile: &Profile,
        before: Option<PostId>,
    ) -> Handled {
        let (t, name) = (visit.t, &profile.person.username);
        let here = Route::Profile(name.clone());
        let look = self.look(visit, heard, None, at(&here, before));
        let pinned = profile.pinned.as_ref().filter(|_| before.is_none());
        let drawer = self.drawer(visit.t, heard);
        let own = drawer.filter(|drawer| drawer.viewer == name);
        let follow = drawer.zip(profile.followed);
        let deleted = visit.query.find("deleted").filter(|_| own.is_some());
        let deleted = deleted.map(|_| Notice::new(Tone::Good, t.deleted(), ""));
        let apart = profile.apart.map(|apart| standing(t, &profile.person, apart));
        let suspended = profile.hindered.as_ref().map(|why| suspended(t, &profile.person, why));
        let frame =
            self.around(visit, Some(heard)).frame(&profile.person.display_name, Some(&here));
        let frame = frame.feeding(&Route::ProfileFeed(name.clone()), &profile.person.display_name);
        let frame = frame.marking(look.marks());
        // Who waits to be let in, or was refused, need not sign in.
        let is_hindered = heard.viewer.as_ref().is_some_and(|viewer| viewer.hindered.is_some());
        let hides_posts = match profile.apart {
            Some(_) => Some(t.posts_not_shown()),
            None if profile.hindered.is_some() => Some(t.posts_not_shown()),
            None if profile.members_only && drawer.is_none() => Some(t.members_only_posts()),
            None if profile.members_only && own.is_none() && is_hindered => {
                Some(t.for_members_alone())
            }
            None => None,
        };
        let is_counted = hides_posts.is_none() || profile.posts_count > 0;
        let page = ProfilePage {
            frame: frame.saying(deleted.or(apart).or(suspended)),
            by: Byline::of(&profile.person),
            bio: profile.bio.clone(),
            joined: Moment::of_day(t, profile.joined_at),
            followers: (Route::Followers(name.clone()).href(), t.followers(profile.followers)),
            following: (Route::Following(name.clone()).href(), t.following(profile.following)),
            posts_count: is_counted.then(|| t.posts(profile.posts_count)),
            follow: follow.map(|(it, is)| it.follow(&profile.person, is, &here.href())),
            moderate: own
                .filter(|_| heard.viewer.as_ref().is_some_and(|viewer| viewer.is_keeper))
                .map(|_| Route::Mod.href()),
            edit: own.map(|_| Route::SettingsProfile.href()),
            bookmarks: Route::Bookmarks.href(),
            logout: own.map(Drawer::logout),
            apart: drawer.filter(|_| own.is_none()).map_or_else(Vec::new, |drawer| {
                drawer.part(&profile.person, profile.apart.unwrap_or_default(), &here.href())
            }),
            feed: Feed {
                empty: hides_posts.unwrap_or_else(|| t.nothing_posted()),
                newest: before.filter(|_| hides_posts.is_none()).map(|_| here.href()),
                ..feed(&profile.page, with_pinned(&profile.page, pinned, &look)?, &look, &here)
            },
        };
        html(&page, seen(visit, heard))
    }

    /// Asks whether a post shall be taken back.
    pub(super) fn ask_delete(&self, visit: &Visit<'_>, post: PostRef) -> Handled {
        let t = visit.t;
        let here = Route::DeletePost(post.clone());
        let back = Route::Thread(post.clone()).href();
        let (heard, thread) = self.own_post(visit, &post)?;
        let Some(drawer) = self.drawer(t, &heard) else {
            return Ok(super::to_login(visit, heard.cookies.clone()));
        };
        let eyes = Eyes { t, viewer: None, now: visit.now, just_posted: None, query: None };
        let page = ConfirmPage {
            frame: self
                .around(visit, Some(&heard))
                .frame(t.delete_this_post(), None)
                .saying(Notice::new(Tone::Care, t.cannot_be_undone(), t.deleting_post())),
            button: Some(ButtonForm {
                form: drawer.form(FormName::DeletePost, &here, &post.id.to_string()),
                label: t.delete(),
                spoken: String::new(),
                class: "risk",
            }),
            cancel: (back, t.keep_it()),
            post: Some(eyes.see(&thread.post)),
        };
        html(&page, Head { cache: None, ..seen(visit, &heard) })
    }

    /// Who follows a member, or whom they follow.
    pub(super) fn people(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        let after: Option<UserName> = self.or_bad(visit, visit.cursor("after"))?;
        let (name, title, action) = match route {
            Route::Followers(name) => {
                let asked = PeopleOf { username: name.clone(), after: after.clone() };
                (name, visit.t.followers_heading(), Action::Followers(asked))
            }
            Route::Following(name) => {
                let asked = PeopleOf { username: name.clone(), after: after.clone() };
                (name, visit.t.following_heading(), Action::Following(asked))
            }
            _ => return self.error(visit, None, 404),
        };
        let heard = self.read(visit, Some(name), action)?;
        let Outcome::People(people) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let drawer = self.drawer(visit.t, &heard);
        let next = match &after {
            Some(after) => format!("{route}?after={after}"),
            None => route.href(),
        };
        let own = drawer.filter(|it| matches!(route, Route::Followers(_)) && it.viewer == name);
        let people_drawn = people.people.iter().map(|it| match own {
            Some(drawer) => own_follower(it, drawer, &next),
            None => row(it, drawer, &next),
        });
        let page = PeoplePage {
            frame: self.around(visit, Some(&heard)).frame(title, None),
            of: (Route::Profile(name.clone()).href(), people.of.display_name.clone()),
            hint: if own.is_some() { visit.t.anybody_follows() } else { "" },
            people: people_drawn.collect(),
            first: after.map(|_| route.href()),
            more: people.more_after.as_ref().map(|last| format!("{route}?after={last}")),
        };
        html(&page, seen(visit, &heard))
    }

    /// How the machines are.
    pub(super) fn status(&self, visit: &Visit<'_>) -> Handled {
        let (t, now) = (visit.t, visit.now);
        let Ok(heard) = self.ask_as(visit.session.as_ref(), None, Action::ClusterStatus) else {
            return self.message(visit, None, (503, t.cannot_tell(), t.cannot_tell_text()));
        };
        let status = match &heard.outcome {
            Outcome::Status(status) => status,
            Outcome::Refused(refusal) => return self.refuse_page(visit, &heard, refusal),
            _ => return Err(Fault::Nonsense.into()),
        };
        let notice = sentence(t, status);
        let mut frame = self.around(visit, Some(&heard)).frame(t.machines(), None).saying(notice);
        // The page itself is in order.
        frame.is_error = false;
        let is_member = heard.viewer.is_some();
        let page = StatusPage {
            frame,
            picture: Picture::of(t, status, now),
            rows: if is_member { rows(t, status, now) } else { Vec::new() },
            changes: if is_member { changes(t, status, now) } else { Vec::new() },
            again: Route::Status.href(),
        };
        html(&page, seen(visit, &heard))
    }
}

/// What keeps the reader from writing, said in place of the box to write in, if anything does.
pub(super) fn kept_from_writing(t: Lang, heard: &Heard) -> Option<Notice> {
    let why = heard.viewer.as_ref()?.hindered.as_ref()?;
    Some(Notice::new(Tone::Care, hindered_words(t, why).1, reason_of(t, why)))
}

/// The head of a page that shows what a backend told.
pub(super) fn seen(visit: &Visit<'_>, heard: &Heard) -> Head {
    Head { cache: Some(visit.cache()), cookies: heard.cookies.clone(), ..Head::default() }
}

/// Which post was made just now.
fn just_posted(posts: &PostPage) -> Option<PostId> {
    posts.just_posted.map(|kept| kept.post)
}

/// The address of a list's page.
pub(super) fn at(list: &Route, before: Option<PostId>) -> String {
    before.map_or_else(|| list.to_string(), |before| format!("{list}?before={before}"))
}

/// Above which post of a home page the line stands: the first of those that were shown before (what
/// stands there because it was reposted tells nothing), if
/// something new stands above it, there or on the page before.
fn left_off(marker: Option<Marker>, posts: &PostPage, before: Option<PostId>) -> Option<usize> {
    let line = marker?.line;
    let at = posts.posts.iter().position(|post| post.reposted_by.is_none() && post.id <= line)?;
    (at > 0 || before.is_some_and(|before| before > line)).then_some(at)
}

/// The marker of the home page now that its first page is shown.
fn shown_home(visit: &Visit<'_>, heard: &Heard, posts: &PostPage) -> Option<Marker> {
    let Some(newest) = posts.posts.iter().map(|post| post.id).max() else { return visit.home };
    let user = &heard.viewer.as_ref()?.username;
    let of_others = posts.posts.iter().filter(|post| post.author.username != *user);
    Some(Marker::after(visit.home, newest, of_others.map(|post| post.id).max()))
}

/// The cookie for a marker, if it changed and somebody looks: who asks for the head alone does not, nor
/// does the script that asks whether there is something new.
pub(super) fn changed(
    visit: &Visit<'_>,
    heard: &Heard,
    (held, marker): (Option<Marker>, Option<Marker>),
    list: List,
) -> Option<SetCookie> {
    let user = &heard.viewer.as_ref()?.username;
    let looks = visit.request.method == Method::Get && visit.query.find("peek").is_none();
    let changed = marker.filter(|_| held != marker && looks);
    changed.map(|marker| marker.cookie(list, user))
}

/// A page of posts, as they were drawn.
pub(super) fn feed(posts: &PostPage, drawn: Vec<DrawnPost>, look: &Look<'_>, list: &Route) -> Feed {
    let is_first = look.here == list.to_string();
    Feed {
        posts: drawn,
        older: posts.older.map(|older| at(list, Some(older))),
        empty: "",
        newest: (!is_first).then(|| list.href()),
        // A list that fits its first page needs no remark that it ends.
        is_end: posts.older.is_none() && (!is_first || posts.posts.len() > 1),
        line: None,
    }
}

/// The posts of a page with one before all others, which then stands nowhere else on it.
fn with_pinned(
    page: &PostPage,
    pinned: Option<&PostView>,
    look: &Look<'_>,
) -> askama::Result<Vec<DrawnPost>> {
    let first = pinned.map(|post| look.pinned(post)).transpose()?;
    let others = page.posts.iter().filter(|post| pinned.is_none_or(|first| first.id != post.id));
    Ok(first.into_iter().chain(look.drawn(others)?).collect())
}
