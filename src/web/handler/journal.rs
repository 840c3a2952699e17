//! What the log says of each form that a backend was asked about: what it was for, whose it was, where it
//! came from, the number that an error's page would show, and what became of it. Nothing that was typed,
//! but the name of somebody who came in with it.

use super::act::Act;
use super::visit::Visit;
use crate::id::UserName;
use crate::web::form::Form;
use crate::web::page::said::Trouble;
use crate::wire::request::{Outcome, Refusal};

/// Writes the line.
pub(super) fn note(visit: &Visit<'_>, act: &Act, form: &Form, outcome: Option<&Outcome>) {
    let who = whose(visit, act, form).filter(|_| is_borne(act, outcome));
    let who = who.as_ref().map_or("-", UserName::as_str);
    let (client, id) = (visit.request.client, &visit.request.id);
    let form = act.form_name();
    let became = outcome.map_or("unreachable", became);
    log::info!(form:?, user:% = who, client:%, request:% = id, outcome:% = became; "form sent");
}

/// Who is signed in, or who says to be.
fn whose(visit: &Visit<'_>, act: &Act, form: &Form) -> Option<UserName> {
    let is_stranger = matches!(act, Act::Join | Act::Login | Act::FirstKeeper | Act::ResetPassword);
    if !is_stranger && let Some(session) = &visit.session {
        return Some(session.user().clone());
    }
    // A lost password's link begins with its owner's name.
    let typed = match act {
        Act::ResetPassword => form.get("link").split('.').next().unwrap_or_default(),
        _ => form.get("username"),
    };
    UserName::from_input(typed).ok()
}

/// A password may have been typed in the field for the name, and have its form: a name that led nowhere
/// may be nobody's. Whose account was meant a backend's line says, if it is anybody's.
const fn is_borne(act: &Act, outcome: Option<&Outcome>) -> bool {
    let is_typed = matches!(act, Act::Join | Act::Login | Act::FirstKeeper);
    !is_typed || matches!(outcome, Some(Outcome::Saved(_)))
}

const fn became(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Saved(_) => "done",
        Outcome::Refused(refusal) => refused(refusal),
        _ => "nonsense",
    }
}

/// Why something was not done.
pub(super) const fn why(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Elsewhere => "elsewhere",
        Trouble::OldForm => "old-form",
        Trouble::Unreadable => "unreadable",
        Trouble::Picture(..) => "picture",
        Trouble::Refused(refusal) => refused(refusal),
        Trouble::Unreachable { .. } => "unreachable",
    }
}

pub(super) const fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid { .. } => "invalid",
        Refusal::SignedOut => "signed-out",
        Refusal::BadLogin => "bad-login",
        Refusal::NotFound => "not-found",
        Refusal::Gone => "gone",
        Refusal::Blocked => "blocked",
        Refusal::Closed => "closed",
        Refusal::Hindered(_) => "hindered",
        Refusal::Keeper => "keeper",
        Refusal::Scope => "scope",
        Refusal::Conflict => "conflict",
        Refusal::Expired => "expired",
        Refusal::NotYet => "not-yet",
        Refusal::Full => "full",
        Refusal::NoSpace => "no-space",
        Refusal::TooMany { .. } => "too-many",
        Refusal::Busy { .. } => "busy",
        Refusal::Behind => "behind",
        Refusal::NoMajority { .. } => "no-majority",
        Refusal::Unknown => "unknown",
        Refusal::BadRequest { .. } => "bad-request",
    }
}
