//! What a member takes along: what is in it, and the two files. A file is made part by part, each
//! when the browser has taken the one before, so its length costs no memory.

use askama::Template;

use super::visit::{BadCursor, Visit};
use super::{Fault, Handled, Head, Site, html, to_login};
use crate::action::{Action, ExportFrom, ExportList, PageOf};
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::export::json;
use crate::web::page::export::ExportHtml;
use crate::web::page::settings::{DataPage, tabs};
use crate::web::response::{Content, FileName, Location, Response};
use crate::web::route::Route;
use crate::wire::request::Outcome;

impl<A: Ask> Site<A> {
    /// Says what there is to take along.
    pub(super) fn settings_data(&self, visit: &Visit<'_>) -> Handled {
        let Some(session) = &visit.session else { return Ok(to_login(visit, Vec::new())) };
        let name = session.user().clone();
        let asked = Action::Profile(PageOf { username: name.clone(), before: None });
        let heard = self.read(visit, Some(&name), asked)?;
        let Outcome::Profile(profile) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        if heard.viewer.is_none() {
            return Ok(to_login(visit, heard.cookies.clone()));
        }
        let page = DataPage {
            frame: self.settings_frame(visit, Some(&heard), &Route::SettingsData),
            tabs: tabs(visit.t, &Route::SettingsData),
            posts_count: profile.posts_count,
            json: Route::DataJson.href(),
            html: Route::DataHtml.href(),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// A part of one of the files, and where the next part is.
    pub(super) fn download(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        if visit.session.is_none() {
            return Ok(to_login(visit, Vec::new()));
        }
        let from = self.or_bad(visit, part_asked(visit))?;
        let heard = self.read(visit, None, Action::Export(from.clone()))?;
        let Outcome::Export(part) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let mut next = part.next.clone();
        let site = self.origin.to_string();
        let (content, name, body) = if *route == Route::DataJson {
            let body = json(&from, part, (&self.community, &site), visit.now);
            (Content::Json, "tern.json", body)
        } else {
            next = next.filter(|next| next.list == ExportList::Posts);
            let page = ExportHtml::of(visit.t, part, (&self.community, &site), visit.now);
            (Content::Html, "posts.html", page.render()?)
        };
        let next = next.and_then(|next| Location::new(&address(route, &next)));
        Ok(Response {
            download: FileName::new(name),
            next,
            cookies: heard.cookies.clone(),
            ..Response::new(200, content, body)
        })
    }
}

/// Which part the query names: `list`, and the last post of the part before by `of` and `after`.
fn part_asked(visit: &Visit<'_>) -> Result<ExportFrom, BadCursor> {
    let named = visit.query.find("list").unwrap_or(ExportList::Posts.as_str());
    let list = ExportList::ALL.into_iter().find(|list| list.as_str() == named);
    let after = match (visit.cursor("of")?, visit.cursor("after")?) {
        (Some(user), Some(id)) => Some(PostRef { user, id }),
        (None, None) => None,
        _ => return Err(BadCursor),
    };
    Ok(ExportFrom { list: list.ok_or(BadCursor)?, after })
}

/// The address of a part.
fn address(route: &Route, part: &ExportFrom) -> String {
    let list = part.list.as_str();
    match &part.after {
        Some(PostRef { user, id }) => format!("{route}?list={list}&of={user}&after={id}"),
        None => format!("{route}?list={list}"),
    }
}
