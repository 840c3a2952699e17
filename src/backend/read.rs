//! What pages ask: the index says which posts and people, the users' memory says who they are, and
//! the files hold the texts. Nothing here changes anything.

use super::Backend;
use super::view::{Asked, Asker, Done, Result};
use crate::action::{KeptPicture, Page, PageOf, PeopleOf};
use crate::id::{PostId, UserName};
use crate::index::{PeopleList, PostList};
use crate::limits::{FIRST_AGREEMENT_MS, PEOPLE_PAGE, POSTS_PAGE, SUGGESTIONS};
use crate::replica::version::Version;
use crate::store::Said;
use crate::user::entry::{Picture, PostRef};
use crate::user::{Post, Status, User};
use crate::wire::request::{
    Hindered, Kept, Outcome, PeoplePage, Person, PersonRow, PostPage, PostView, ProfilePage,
    Refusal, SessionRow,
};

/// How long a page waits to hear on how many machines a post is.
const KEPT_MS: u64 = 150;
/// For how long after it was made a post is spoken of as just posted.
pub(super) const JUST_POSTED_MS: u64 = 60_000;

impl Backend {
    pub(super) fn home(&self, asked: Asked<'_>, data: Page) -> Result {
        let asker = asked.signed_in()?;
        if let Some(hindered) = self.hindered(asker.user())
            && !matches!(hindered, Hindered::Suspended { .. })
        {
            return Err(Refusal::Hindered(hindered));
        }
        self.wait_for_lists();
        let eyes = self.eyes(Some(asker));
        let found = self.cluster.local.index().home(eyes, data.before, POSTS_PAGE);
        let mut page = self.page(Some(asker), found)?;
        page.just_posted = self.just_posted(asker, data.posted);
        if page.older.is_none() && data.before.is_none() && self.is_alone(asker, &page) {
            let suggested = self.cluster.local.index().suggestions(eyes, SUGGESTIONS);
            page.suggestions =
                suggested.iter().filter_map(|other| self.row(Some(asker), other)).collect();
        }
        Ok(Done::told(Outcome::Posts(page)))
    }

    /// Whether somebody's home shows nothing, or nothing but their own: they have found nobody yet.
    fn is_alone(&self, asker: &Asker, home: &PostPage) -> bool {
        let eyes = self.eyes(Some(asker));
        let follows = || self.cluster.local.index().following(eyes, asker.user(), None, 1);
        home.posts.is_empty() || follows().names.is_empty()
    }

    pub(super) fn everyone(&self, asked: Asked<'_>, data: Page) -> Result {
        self.wait_for_lists();
        let eyes = self.eyes(asked.asker);
        let found = self.cluster.local.index().everyone(eyes, data.before, POSTS_PAGE);
        let mut page = self.page(asked.asker, found)?;
        page.just_posted = asked.asker.and_then(|asker| self.just_posted(asker, data.posted));
        Ok(Done::told(Outcome::Posts(page)))
    }

    pub(super) fn user_posts(&self, mut asked: Asked<'_>, data: PageOf) -> Result {
        let PageOf { username, before } = data;
        self.find(&mut asked, &username)?;
        self.wait_for_lists();
        let eyes = self.eyes(asked.asker);
        let found = self.cluster.local.index().posts_of(eyes, &username, before, POSTS_PAGE);
        let page = self.page(asked.asker, found)?;
        Ok(Done::told(Outcome::Posts(page)))
    }

    pub(super) fn profile(&self, mut asked: Asked<'_>, data: PageOf) -> Result {
        let name = &data.username;
        self.find(&mut asked, name)?;
        self.wait_for_lists();
        let asker = asked.asker;
        let eyes = self.eyes(asker);
        let found = self.cluster.local.index().profile(eyes, name, data.before, POSTS_PAGE);
        let page = self.page(asker, found)?;
        let pinned = self.pinned(asker, name)?;
        let counts = self.cluster.local.index().counts(eyes, name);
        let apart = self.apart(asker, name);
        // Nobody is offered to follow whom they cannot.
        let is_blocked = apart.is_some_and(|apart| apart.blocks || apart.is_blocked);
        let followed = self.followed(asker, name).filter(|_| !is_blocked);
        // Whether somebody waits to be let in is between them and the keepers.
        let hindered = self.hindered(name).filter(|it| matches!(it, Hindered::Suspended { .. }));
        let profile = self.look(name, |user| ProfilePage {
            person: person(user),
            bio: user.bio.clone(),
            joined_at: user.joined_at,
            followers: counts.followers,
            following: counts.following,
            posts_count: counts.posts,
            members_only: user.members_only,
            followed,
            apart,
            hindered,
            pinned,
            page,
        });
        profile.map(|profile| Done::told(Outcome::Profile(profile))).ok_or(Refusal::NotFound)
    }

    /// Whether there is such a user: if this copy does not know the name, a majority is asked.
    pub(super) fn find(
        &self,
        asked: &mut Asked<'_>,
        name: &UserName,
    ) -> std::result::Result<(), Refusal> {
        let status = |user: &User| user.status;
        let mut found = self.look(name, status);
        if found.is_none() && self.cluster.members.may_be_old() {
            self.refresh(asked.permit, name);
            found = self.look(name, status);
        }
        let is_damaged = self.cluster.local.get(name).is_some_and(|slot| slot.is_damaged());
        match found {
            // What is left of the file is not what this person wrote.
            _ if is_damaged && self.others_may_know() => Err(Refusal::Behind),
            Some(Status::Active) => {
                let is_known = self.cluster.local.index().is_member(name);
                let is_own = asked.asker.is_some_and(|asker| asker.user() == name);
                if is_known || is_own { Ok(()) } else { Err(Refusal::NotFound) }
            }
            Some(Status::Left(_)) => Err(Refusal::Gone),
            Some(Status::Absent) | None => Err(Refusal::NotFound),
        }
    }

    pub(super) fn followers(&self, mut asked: Asked<'_>, data: PeopleOf) -> Result {
        let asker = asked.asker;
        self.find(&mut asked, &data.username)?;
        self.wait_for_lists();
        let after = data.after.as_ref();
        let (eyes, name) = (self.eyes(asker), &data.username);
        let list = self.cluster.local.index().followers(eyes, name, after, PEOPLE_PAGE);
        self.people(asker, &data.username, list)
    }

    pub(super) fn following(&self, mut asked: Asked<'_>, data: PeopleOf) -> Result {
        let asker = asked.asker;
        self.find(&mut asked, &data.username)?;
        self.wait_for_lists();
        let after = data.after.as_ref();
        let (eyes, name) = (self.eyes(asker), &data.username);
        let list = self.cluster.local.index().following(eyes, name, after, PEOPLE_PAGE);
        self.people(asker, &data.username, list)
    }

    fn people(&self, asker: Option<&Asker>, of: &UserName, list: PeopleList) -> Result {
        let people = list.names.iter().filter_map(|name| self.row(asker, name)).collect();
        let of = self.person(of).ok_or(Refusal::NotFound)?;
        let more_after = list.more_after;
        Ok(Done::told(Outcome::People(PeoplePage { of, people, more_after })))
    }

    pub(super) fn sessions(&self, asked: Asked<'_>) -> Result {
        let asker = asked.signed_in()?;
        let rows = self.look(asker.user(), |user| {
            let open = user.sessions.iter().rev();
            let open = open.filter(|s| user.open_session(&s.id, self.clock.wall()).is_some());
            let row = |session: &crate::user::Session| SessionRow {
                id: session.id.0.clone(),
                device: session.device.clone(),
                address: session.address.clone(),
                opened_at: session.opened_at,
                is_this: session.id == asker.id,
                app: session.app.clone(),
            };
            open.map(row).collect()
        });
        Ok(Done::told(Outcome::Sessions(rows.unwrap_or_default())))
    }

    pub(super) fn page(
        &self,
        asker: Option<&Asker>,
        found: PostList,
    ) -> std::result::Result<PostPage, Refusal> {
        let view = |post: &PostRef| {
            let mut view = self.if_readable(self.post_view(asker, post))?;
            if let Some(view) = &mut view {
                let by = found.reposted.iter().find(|(reposted, _)| reposted == post);
                view.reposted_by = by.and_then(|(_, who)| self.person(who));
            }
            Ok(view)
        };
        let posts = found.posts.iter().filter_map(|post| view(post).transpose());
        Ok(PostPage {
            older: found.older,
            posts: posts.collect::<std::result::Result<_, _>>()?,
            suggestions: Vec::new(),
            just_posted: None,
        })
    }

    /// A post as the one who asks may see it; nothing if it does not stand, or is not for them.
    pub(super) fn post_view(
        &self,
        asker: Option<&Asker>,
        post: &PostRef,
    ) -> std::result::Result<Option<PostView>, Refusal> {
        let eyes = self.eyes(asker);
        // Whoever asks has looked; what is for few is not shown by a road on which somebody forgot to.
        if !self.cluster.local.index().is_for(eyes, post) {
            return Ok(None);
        }
        let Some(mut view) = self.whole_post(asker, post)? else { return Ok(None) };
        let index = self.cluster.local.index();
        view.replies = index.reply_count(eyes, post);
        // Nor that there is something for few, of whom, and when.
        view.reply_to = view.reply_to.filter(|parent| index.is_for(eyes, parent));
        if view.hidden.is_some() && !index.shows_text(eyes, post) {
            (view.hidden, view.text, view.mentions) = (Some(String::new()), String::new(), vec![]);
            (view.note, view.edited_at, view.pictures) = (None, None, vec![]);
            (view.poll, view.sensitive) = (None, false);
        }
        Ok(Some(view))
    }

    /// A part of a list. One that can be read on no machine is left out, so that the rest can be read; asked
    /// for by itself it is never said not to be there.
    pub(super) fn if_readable<T>(
        &self,
        read: std::result::Result<Option<T>, Refusal>,
    ) -> std::result::Result<Option<T>, Refusal> {
        match read {
            Err(Refusal::Behind) if !self.others_may_know() => Ok(None),
            read => read,
        }
    }

    /// A post with its text, whoever may see it; nothing if it does not stand.
    ///
    /// # Errors
    /// [`Refusal::Behind`] if its text cannot be read here: it is another machine's to show.
    pub(super) fn whole_post(
        &self,
        asker: Option<&Asker>,
        post: &PostRef,
    ) -> std::result::Result<Option<PostView>, Refusal> {
        let about = |user: &User, found: &Post| {
            let edited_at = user.edits.get(&found.id).map(|edits| edits.last_at);
            let pictures = user.pictures.get(&found.id).map(|pictures| pictures.to_vec());
            let pictures = pictures.unwrap_or_default();
            let reply_to = user.reply_to(found.id).cloned();
            let poll = user.poll(found.id).cloned();
            let (audience, sensitive) = (user.audience(found.id), user.is_sensitive(found.id));
            ((person(user), audience, poll), reply_to, edited_at, (pictures, sensitive))
        };
        let Some((about, said)) = self.said(post, about)? else { return Ok(None) };
        let ((author, audience, poll), reply_to, edited_at, (pictures, sensitive)) = about;
        let hidden = self.cluster.local.index().hidden(post).map(str::to_owned);
        Ok(Some(PostView {
            id: post.id,
            author,
            at: crate::clock::Wall(post.id.at_ms()),
            mentions: self.known_mentions(&said.text),
            text: said.text,
            note: said.note,
            edited_at,
            reposted_by: None,
            mine: self.mine(asker, post),
            liked_by: None,
            audience,
            reply_to,
            replies: 0,
            hidden,
            pictures,
            sensitive,
            poll: poll.map(|poll| Box::new(self.poll_view(asker, post, &poll))),
        }))
    }

    /// What a post says with what `about` sees of it; nothing if it does not stand.
    ///
    /// # Errors
    /// [`Refusal::Behind`] if it cannot be read here.
    pub(super) fn said<T>(
        &self,
        post: &PostRef,
        about: impl Fn(&User, &Post) -> T,
    ) -> std::result::Result<Option<(T, Said)>, Refusal> {
        let Some(slot) = self.cluster.local.get(&post.user) else { return Ok(None) };
        let found = self.cluster.local.read_post(&slot, post.id, about);
        let Some((seen, said)) = found else { return Ok(None) };
        let said = said.map_err(|error| {
            log::error!(user:% = post.user, post:% = post.id, error:%; "text not read");
            self.cluster.local.suspect(&slot);
            Refusal::Behind
        })?;
        Ok(Some((seen, said)))
    }

    /// Whether another machine can be asked for what cannot be read here.
    pub(super) fn others_may_know(&self) -> bool {
        self.cluster.members.live().len() > 1
    }

    pub(super) fn row(&self, asker: Option<&Asker>, name: &UserName) -> Option<PersonRow> {
        let followed = self.followed(asker, name);
        self.look(name, |user| PersonRow {
            person: person(user),
            bio_line: user.bio.lines().next().unwrap_or_default().to_owned(),
            followed,
        })
    }

    /// Whether the one who asks follows `name`.
    fn followed(&self, asker: Option<&Asker>, name: &UserName) -> Option<bool> {
        let asker = asker.filter(|asker| asker.user() != name)?;
        Some(self.cluster.local.index().follows(asker.user(), name))
    }

    /// On how many machines the post is that this person has just made.
    pub(super) fn just_posted(&self, asker: &Asker, posted: Option<PostId>) -> Option<Kept> {
        let post = posted?;
        let is_recent = self.now().0.saturating_sub(post.at_ms()) < JUST_POSTED_MS;
        let is_own = self.look(asker.user(), |user| user.post(post).is_some()) == Some(true);
        if !is_recent || !is_own {
            return None;
        }
        let version: Version = asker.session.seen.unwrap_or_else(|| self.committed(asker.user()));
        let deadline = self.cluster.deadline(KEPT_MS);
        let on = self.cluster.holding(asker.user(), version, deadline);
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        // A majority held it when it was acknowledged, whoever can be reached now.
        let on = on.max(self.cluster.members.needed());
        Some(Kept { post, on: count(on), of: count(self.cluster.members.count()) })
    }

    /// A machine that has just started waits a moment for its first comparison with the others, so
    /// that its lists are not those of yesterday.
    pub(super) fn wait_for_lists(&self) {
        let deadline = self.cluster.deadline(FIRST_AGREEMENT_MS);
        while !self.cluster.members.serves_lists() && self.clock.mono() < deadline {
            if self.cluster.wait_stopped(std::time::Duration::from_millis(20)) {
                return;
            }
        }
    }
}

/// A user in short.
pub(super) fn person(user: &User) -> Person {
    let kept = |it: &Picture| Box::new(KeptPicture { file: it.file, thumb: it.thumb });
    Person {
        username: user.name.clone(),
        display_name: user.display_name.clone(),
        avatar: user.avatar.as_deref().map(kept),
    }
}
