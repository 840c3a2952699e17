//! What a one-time link opens: becoming the first keeper, or another password for a lost one.

use super::again::Again;
use super::draw::head;
use super::visit::{Heard, Visit};
use super::{Handled, Head, Site, html};
use crate::action::{Action, Link};
use crate::id::UserName;
use crate::limits::LINK_TEXT_BYTES_MAX;
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, FormName, fresh_key};
use crate::web::form::Form;
use crate::web::page::form::{FieldView, FieldsPage};
use crate::web::page::said::{Said, Trouble, anchor};
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Field, Outcome, Refusal};

/// The field, and the part of the address, that a link stands in.
const NAME: &str = "link";

/// The link of a form or an address; nothing if it cannot be one.
pub(super) fn read(route: &Route, form: &Form) -> Option<Link> {
    let text = form.find(NAME).filter(|text| text.len() <= LINK_TEXT_BYTES_MAX)?;
    if *route == Route::FirstKeeper {
        return Some(Link::FirstKeeper { secret: text.to_owned() });
    }
    let (user, secret) = text.split_once('.')?;
    Some(Link::NewPassword { user: user.parse().ok()?, secret: secret.to_owned() })
}

/// Whose password a link is for.
const fn whose(link: &Link) -> Option<&UserName> {
    match link {
        Link::NewPassword { user, .. } => Some(user),
        Link::FirstKeeper { .. } => None,
    }
}

impl<A: Ask> Site<A> {
    /// The form that a link opens, as long as it holds.
    pub(super) fn link(&self, visit: &Visit<'_>, route: &Route) -> Handled {
        let Some(link) = read(route, &visit.query) else { return self.dead_link(visit, None) };
        // As the stranger that everybody with a link may be.
        let heard = self.hear(visit, None, whose(&link), Action::OpenLink(link.clone()))?;
        match &heard.outcome {
            Outcome::Checked => self.link_page(visit, (Some(&heard), &visit.query), &link, None),
            Outcome::Refused(Refusal::Gone | Refusal::NotFound) => {
                self.dead_link(visit, Some(&heard))
            }
            Outcome::Refused(refusal) => self.refuse_page(visit, &heard, refusal),
            _ => Err(super::Fault::Nonsense.into()),
        }
    }

    pub(super) fn link_again(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        let is_dead = matches!(again.trouble, Trouble::Refused(Refusal::Gone | Refusal::NotFound));
        match read(&again.act.route(), again.form) {
            Some(link) if !is_dead => {
                self.link_page(visit, (again.heard, again.form), &link, Some((again, said)))
            }
            _ => self.dead_link(visit, again.heard),
        }
    }

    fn link_page(
        &self,
        visit: &Visit<'_>,
        (heard, typed): (Option<&Heard>, &Form),
        link: &Link,
        failed: Option<(&Again<'_>, Said)>,
    ) -> Handled {
        let t = visit.t;
        let (again, said) = failed.unzip();
        let key = match (again, &said) {
            (Some(again), Some(said)) if !said.is_key_spent => again.key,
            _ => fresh_key(None)?,
        };
        let (stranger, cookie) = Self::stranger(visit)?;
        let binding = Binding::Stranger(stranger.secret());
        let problem = |field| again.map_or_else(String::new, |again| again.problem_of(t, field));
        let (name, route, title) = match link {
            Link::FirstKeeper { .. } => (FormName::First, Route::FirstKeeper, t.become_keeper()),
            Link::NewPassword { .. } => (FormName::Reset, Route::NewPassword, t.choose_password()),
        };
        let (intro, fields, footnote) = match link {
            Link::FirstKeeper { .. } => {
                let intro =
                    vec![t.first_keeper_intro(&self.community), t.first_keeper_has().to_owned()];
                (intro, keeper_fields(t, typed, &problem), "")
            }
            Link::NewPassword { user, .. } => {
                let field = FieldView {
                    hint: t.new_password_hint(),
                    kind: "password",
                    autocomplete: "new-password",
                    ..field(t, (Field::NewPassword, "new", ""), &problem)
                };
                (vec![t.new_password_of(user.as_str())], vec![field], t.signs_out_elsewhere())
            }
        };
        let frame = self.around(visit, heard).frame(title, None);
        let page = FieldsPage {
            frame: frame.saying(said.as_ref().map(|said| said.notice.clone())),
            tabs: Vec::new(),
            intro,
            form: head(&self.form_key, binding, name, &route, key).carrying(NAME, typed.get(NAME)),
            fields,
            button: said.as_ref().and_then(|said| said.button).unwrap_or(title),
            class: "",
            link: None,
            footnote,
            logout: None,
        };
        let mut cookies = heard.map_or_else(Vec::new, |heard| heard.cookies.clone());
        cookies.extend(cookie);
        let status = said.as_ref().map_or(200, |said| said.status);
        let retry_after_s = said.and_then(|said| said.retry_after_s);
        html(&page, Head { retry_after_s, ..Head::of(status, cookies) })
    }

    /// Says that a link opens nothing, whatever the reason.
    fn dead_link(&self, visit: &Visit<'_>, heard: Option<&Heard>) -> Handled {
        let t = visit.t;
        let page = self.message_page(visit, heard, (t.dead_link(), t.dead_link_why()));
        html(&page, Head::of(410, Vec::new()))
    }
}

/// What the first keeper tells: as who joins does.
fn keeper_fields(t: Lang, typed: &Form, problem: &dyn Fn(Field) -> String) -> Vec<FieldView> {
    vec![
        FieldView {
            hint: t.username_hint(),
            autocomplete: "username",
            ..field(t, (Field::Username, "username", typed.get("username")), problem)
        },
        FieldView {
            hint: t.join_name_hint(),
            autocomplete: "name",
            ..field(t, (Field::DisplayName, "display_name", typed.get("display_name")), problem)
        },
        FieldView {
            hint: t.new_password_hint(),
            kind: "password",
            autocomplete: "new-password",
            ..field(t, (Field::Password, "password", ""), problem)
        },
    ]
}

fn field(
    t: Lang,
    (field, name, value): (Field, &'static str, &str),
    problem: &dyn Fn(Field) -> String,
) -> FieldView {
    let (id, label) = anchor(t, field);
    let (value, problem) = (value.to_owned(), problem(field));
    FieldView { id, name, label, kind: "text", value, problem, ..FieldView::default() }
}
