//! Posts for feed readers. A reader is a stranger whoever it reads for: it is told what strangers are,
//! and so nothing of a member who shows strangers nothing.

use askama::Template;

use super::visit::{Heard, Visit};
use super::{Fault, Handled, Site};
use crate::action::{Action, Page, PageOf, TaggedBy};
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::POSTS_PAGE;
use crate::web::ask::Ask;
use crate::web::page::atom::{AtomPage, Entry, changed, iso, well_formed};
use crate::web::response::{Cache, Content, Response};
use crate::web::route::Route;
use crate::wire::request::{Outcome, PostPage, Refusal};

impl<A: Ask> Site<A> {
    /// The feed that stands at a route.
    pub(super) fn feed(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        let community = &self.community;
        let (title, page, heard) = match route {
            Route::EveryoneFeed => {
                let heard = self.hear(visit, None, None, Action::Everyone(Page::default()))?;
                (community.clone(), Route::Everyone, heard)
            }
            Route::ProfileFeed(name) => {
                let heard = self.hear_of(visit, name)?;
                (format!("@{name} · {community}"), Route::Profile(name.clone()), heard)
            }
            Route::TagFeed(tag) => {
                let asked = TaggedBy { tag: tag.clone(), before: None };
                let heard = self.hear(visit, None, None, Action::Tagged(asked))?;
                (format!("#{tag} · {community}"), Route::Tag(tag.clone()), heard)
            }
            _ => return self.error(visit, None, 404),
        };
        let (posts, begun) = match &heard.outcome {
            Outcome::Posts(posts) => (posts, Wall(0)),
            Outcome::Profile(profile) => (&profile.page, profile.joined_at),
            // A reader cannot sign in: what strangers are not shown is not there for it.
            Outcome::Refused(Refusal::SignedOut) => return self.error(visit, Some(&heard), 404),
            Outcome::Refused(refusal) => return self.refuse_page(visit, &heard, refusal),
            _ => return Err(Fault::Nonsense.into()),
        };
        self.atom((title, route, page), posts, begun)
    }

    fn hear_of(&self, visit: &Visit<'_>, name: &UserName) -> Result<Heard, super::Stop> {
        let asked = PageOf { username: name.clone(), before: None };
        self.hear(visit, None, Some(name), Action::Profile(asked))
    }

    /// `begun` is told as the time of a feed without posts.
    fn atom(
        &self,
        (title, own, page): (String, &Route, Route),
        posts: &PostPage,
        begun: Wall,
    ) -> Handled {
        let origin = self.origin.to_string();
        let shown = posts.posts.get(..POSTS_PAGE).unwrap_or(&posts.posts);
        let feed = AtomPage {
            title,
            own: format!("{origin}{own}"),
            page: format!("{origin}{page}"),
            updated: iso(shown.iter().map(changed).max().unwrap_or(begun)),
            entries: shown.iter().map(|post| Entry::of(post, &origin)).collect(),
        };
        let body = well_formed(&feed.render()?);
        Ok(Response { cache: Cache::Public, ..Response::new(200, Content::Atom, body) })
    }
}
