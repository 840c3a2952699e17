//! Muting and blocking: the buttons on a member's page, and the list in the settings.

use super::draw::Drawer;
use super::visit::Visit;
use super::{Fault, Handled, Head, Site, html, to_login};
use crate::action::{Action, After};
use crate::id::UserName;
use crate::web::ask::Ask;
use crate::web::csrf::FormName;
use crate::web::page::apart::{ApartPage, ApartRow};
use crate::web::page::form::ButtonForm;
use crate::web::page::frame::{Notice, Tone};
use crate::web::page::post::Byline;
use crate::web::page::settings::tabs;
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Apart, ApartRow as Row, Outcome, Person};

impl Drawer<'_> {
    /// The buttons that mute and block somebody, or no longer do; `next` is the page they stand on.
    pub(super) fn part(self, person: &Person, apart: Apart, next: &str) -> Vec<ButtonForm> {
        let name = || person.username.clone();
        let (t, shown) = (self.t, person.display_name.as_str());
        let mute = if apart.mutes {
            (FormName::Unmute, Route::Unmute(name()), t.unmute(), t.unmute_whom(shown))
        } else {
            (FormName::Mute, Route::Mute(name()), t.mute(), t.mute_whom(shown))
        };
        let block = if apart.blocks {
            (FormName::Unblock, Route::Unblock(name()), t.unblock(), t.unblock_whom(shown))
        } else {
            (FormName::Block, Route::Block(name()), t.block(), t.block_whom(shown))
        };
        let button = |(form, action, label, spoken): (_, Route, _, _)| ButtonForm {
            form: self.form(form, &action, person.username.as_str()).carrying("next", next),
            label,
            spoken,
            class: "q",
        };
        [mute, block].map(button).into()
    }

    /// The buttons that undo what stands between them.
    fn reconcile(self, person: &Person, apart: Apart, next: &str) -> Vec<ButtonForm> {
        let [mute, block] = [apart.mutes, apart.blocks];
        let both = self.part(person, apart, next).into_iter().zip([mute, block]);
        both.filter(|(_, is)| *is).map(|(button, _)| button).collect()
    }
}

/// What is said first on the page of somebody from whom one is kept apart.
pub(super) fn standing(t: Lang, person: &Person, apart: Apart) -> Notice {
    let name = person.display_name.as_str();
    let (strong, text) = match apart {
        Apart { blocks: true, .. } => (t.you_blocked(name), t.neither_sees()),
        Apart { is_blocked: true, .. } => (t.blocked_you(name), t.neither_sees()),
        Apart { .. } => (t.you_muted(name), t.posts_not_shown()),
    };
    Notice::new(Tone::Care, strong, text)
}

impl<A: Ask> Site<A> {
    /// Whom one mutes or blocks, to undo it.
    pub(super) fn settings_people(&self, visit: &Visit<'_>) -> Handled {
        if visit.session.is_none() {
            return Ok(to_login(visit, Vec::new()));
        }
        let after: Option<UserName> = self.or_bad(visit, visit.cursor("after"))?;
        let first = after.as_ref().map(|_| Route::SettingsPeople.href());
        let here = match &after {
            Some(after) => format!("{}?after={after}", Route::SettingsPeople),
            None => Route::SettingsPeople.href(),
        };
        let heard = self.read(visit, None, Action::KeptApart(After { after }))?;
        let Outcome::KeptApart(list) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let drawer = self.must_draw(visit, &heard)?;
        let row = |row: &Row| ApartRow {
            by: Byline::of(&row.person),
            undo: drawer.reconcile(&row.person, row.apart, &here),
        };
        let more = list.more_after.as_ref();
        let page = ApartPage {
            frame: self.settings_frame(visit, Some(&heard), &Route::SettingsPeople),
            tabs: tabs(visit.t, &Route::SettingsPeople),
            people: list.people.iter().map(row).collect(),
            first,
            more: more.map(|last| format!("{}?after={last}", Route::SettingsPeople)),
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }
}
