//! What a member takes along: what is in it, and the two files. A file is made part by part, each
//! when the browser has taken the one before, so its length costs no memory. How many are begun is
//! counted, so the address of a part is worth nothing by itself.

use askama::Template;

use super::visit::{BadCursor, Visit};
use super::{Fault, Handled, Head, Site, html, see_other, to_login};
use crate::action::{Action, ExportFrom, ExportList, PageOf};
use crate::clock::Wall;
use crate::limits::EXPORT_PART_MS;
use crate::user::entry::PostRef;
use crate::web::ask::Ask;
use crate::web::csrf::check_source;
use crate::web::export::json;
use crate::web::page::export::ExportHtml;
use crate::web::page::settings::{DataPage, tabs};
use crate::web::request::Method;
use crate::web::response::{Content, FileName, Location, Response};
use crate::web::route::Route;
use crate::wire::request::Outcome;

/// What the code in a part's address is for.
const PURPOSE: &str = "export";

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
        // A link elsewhere would use one up, of which there are few a day.
        let matches_origin = |origin: &str| self.origin.matches_origin_header(origin);
        if check_source(visit.request, &matches_origin).is_err() {
            return Ok(see_other(&Route::SettingsData.href(), Vec::new()));
        }
        let mut from = self.or_bad(visit, self.part_asked(visit, route))?;
        // Whoever asks for the head alone takes nothing along, so it is another part's, which is not counted.
        let is_head = visit.request.method == Method::Head;
        if is_head {
            from = ExportFrom { list: ExportList::Likes, after: None };
        }
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
        if is_head {
            next = Some(ExportFrom::default());
        }
        let until = Wall(visit.now.0.saturating_add(EXPORT_PART_MS));
        let next = next.map(|next| self.part_address(visit, (route, &next), until));
        let next = next.and_then(|address| Location::new(&address));
        Ok(Response {
            download: FileName::new(name),
            next,
            cookies: heard.cookies.clone(),
            ..Response::new(200, content, body)
        })
    }

    /// Which part the query names: `list`, and the last post of the part before by `of` and `after`. The first
    /// is anybody's to ask for, and is counted; each other only with the code of the part before.
    fn part_asked(&self, visit: &Visit<'_>, route: &Route) -> Result<ExportFrom, BadCursor> {
        let from = part_named(visit)?;
        if from == ExportFrom::default() {
            return Ok(from);
        }
        let until = Wall(visit.cursor("until")?.ok_or(BadCursor)?);
        let said = vouched(visit, &address(route, &from), until).ok_or(BadCursor)?;
        let is_ours = self.form_key.is_app_code(PURPOSE, &said, visit.query.get("code"));
        if is_ours && visit.now <= until { Ok(from) } else { Err(BadCursor) }
    }

    /// The address of a part, which is good for whoever has the one before it, until then.
    fn part_address(
        &self,
        visit: &Visit<'_>,
        (route, part): (&Route, &ExportFrom),
        until: Wall,
    ) -> String {
        let address = address(route, part);
        let said = vouched(visit, &address, until).unwrap_or_default();
        let code = self.form_key.app_code(PURPOSE, &said);
        format!("{address}&until={}&code={code}", until.0)
    }
}

/// What the code in a part's address is over: whose download it is, which part, and until when.
fn vouched(visit: &Visit<'_>, address: &str, until: Wall) -> Option<String> {
    let user = visit.session.as_ref()?.user();
    Some(format!("{user} {} {address}", until.0))
}

/// The part that a query names, whoever made it.
fn part_named(visit: &Visit<'_>) -> Result<ExportFrom, BadCursor> {
    let named = visit.query.find("list").unwrap_or(ExportList::Posts.as_str());
    let list = ExportList::ALL.into_iter().find(|list| list.as_str() == named);
    let after = match (visit.cursor("of")?, visit.cursor("after")?) {
        (Some(user), Some(id)) => Some(PostRef { user, id }),
        (None, None) => None,
        _ => return Err(BadCursor),
    };
    Ok(ExportFrom { list: list.ok_or(BadCursor)?, after })
}

/// Which part an address is of.
fn address(route: &Route, part: &ExportFrom) -> String {
    let list = part.list.as_str();
    match &part.after {
        Some(PostRef { user, id }) => format!("{route}?list={list}&of={user}&after={id}"),
        None => format!("{route}?list={list}"),
    }
}
