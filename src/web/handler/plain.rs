//! Answers that are no pages: health, robots, the style sheet, the script and the mark.

use super::Site;
use super::visit::Visit;
use crate::action::Action;
use crate::web::ask::Ask;
use crate::web::page::frame::{DOTS, STYLE};
use crate::web::response::{Cache, Content, Response};
use crate::web::route::Route;
use crate::wire::request::{MachineRow, Outcome, StatusPage};

/// Crawlers may read what strangers may, and have nothing to do at forms.
const ROBOTS: &str = "User-agent: *\nDisallow: /join\nDisallow: /login\nDisallow: /settings/\n";

/// What crawlers may read.
pub(super) fn robots() -> Response {
    Response { cache: Cache::Public, ..Response::new(200, Content::Text, ROBOTS) }
}

impl<A: Ask> Site<A> {
    /// Whether pages can be served, and whether a write would be saved. Losing the majority is no
    /// reason to restart this process, so it changes the status only for who asks with `?writes=1`.
    pub(super) fn ready(&self, visit: &Visit<'_>) -> Response {
        let needs_writes = visit.query.get("writes") == "1";
        let (is_ready, body) = match self.ask_as(None, None, Action::ClusterStatus) {
            Ok(heard) => match heard.outcome {
                Outcome::Status(status) => {
                    let is_ready = status.writes || !needs_writes;
                    let writes = if status.writes { "ok" } else { "no-majority" };
                    (is_ready, format!("writes: {writes}\n") + &missing_pictures(&status))
                }
                _ => (false, "backends: confused\n".to_owned()),
            },
            Err(_) => (false, "backends: unreachable\n".to_owned()),
        };
        Response::new(if is_ready { 200 } else { 503 }, Content::Text, body)
    }

    /// A static file. Under another version's name the present one is served, but not for ever: while
    /// web servers are upgraded one after the other, a page of one may ask the next for its files.
    /// The script is the reader's then, as what the words on the page are.
    pub(super) fn asset(&self, visit: &Visit<'_>, asked: &Route) -> Response {
        let scripts = &self.assets.scripts;
        let (present, content, body) = match asked {
            Route::Script(_) => {
                let named = scripts.iter().find(|file| file.route == *asked);
                let file = named.unwrap_or_else(|| self.assets.script(visit.t));
                (&file.route, Content::Script, file.text.as_bytes())
            }
            Route::Dots(_) => (&self.assets.dots, Content::Svg, DOTS.as_bytes()),
            Route::StandIn(_) => {
                let file = self.assets.stand_ins.at(asked);
                (&file.route, Content::Png, file.bytes.as_slice())
            }
            _ => (&self.assets.style, Content::Css, STYLE.as_bytes()),
        };
        let cache = if asked == present { Cache::Forever } else { Cache::Public };
        Response { cache, ..Response::new(200, content, body) }
    }
}

/// A line for each machine that lacks pictures; nothing where none does.
fn missing_pictures(status: &StatusPage) -> String {
    let lacking = status.machines.iter().filter(|row| row.pictures_missing > 0);
    let line = |row: &MachineRow| {
        format!("pictures: {} missing on machine {}\n", row.pictures_missing, row.node)
    };
    lacking.map(line).collect()
}
