//! What a member takes along: what is in it, and the two files. A file is made part by part, each
//! when the browser has taken the one before, so its length costs no memory.

use askama::Template;

use super::visit::Visit;
use super::{Fault, Handled, Head, Site, html, to_login};
use crate::action::{Action, ExportAfter, PageOf};
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
            frame: self.around(visit, Some(&heard)).frame(visit.t.settings(), None),
            tabs: tabs(visit.t, &Route::SettingsData),
            posts_count: profile.posts_count,
            json: Route::DataJson.to_string(),
            html: Route::DataHtml.to_string(),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// A part of one of the files, and where the next part is.
    pub(super) fn download(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        if visit.session.is_none() {
            return Ok(to_login(visit, Vec::new()));
        }
        let after = self.or_bad(visit, visit.cursor("after"))?;
        let heard = self.read(visit, None, Action::Export(ExportAfter { after }))?;
        let Outcome::Export(part) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let (content, name, body) = if *route == Route::DataJson {
            (Content::Json, "tern.json", json(part, &self.community, visit.now))
        } else {
            let page = ExportHtml::of(visit.t, part, &self.community, visit.now);
            (Content::Html, "posts.html", page.render()?)
        };
        let next = part.more_after.and_then(|last| Location::new(&format!("{route}?after={last}")));
        Ok(Response {
            download: FileName::new(name),
            next,
            cookies: heard.cookies.clone(),
            ..Response::new(200, content, body)
        })
    }
}
