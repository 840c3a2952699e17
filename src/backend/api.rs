//! How an app comes to act for somebody, and what it may do then.

use super::Backend;
use super::account::{network_address, opening_of};
use super::view::{Asked, Asker, Done, Result, SessionNow};
use super::write::{OneAct, saved};
use crate::action::{self, Action, AllowApp, Change, RedeemCode, came_of};
use crate::auth::session::{SessionText, Token};
use crate::auth::throttle::ActKind;
use crate::user::scope::Need;
use crate::user::{Receipt, User};
use crate::wire::message::FEATURE_APPS;
use crate::wire::request::{Outcome, Refusal};

impl Backend {
    /// Whose request it is, given what an app must be allowed for it. An app's session is good for what
    /// apps ask alone, a browser's for nothing of that: neither cookie nor token can be used as the
    /// other.
    pub(super) fn permitted(
        asker: Option<Asker>,
        need: Option<Need>,
    ) -> std::result::Result<Option<Asker>, Refusal> {
        let Some(asker) = asker else { return Ok(None) };
        match (&asker.app, need) {
            (None, None) => Ok(Some(asker)),
            (Some(app), Some(need)) if app.scopes.include(need) => Ok(Some(asker)),
            (Some(_), Some(_)) => Err(Refusal::Scope),
            (None, Some(_)) | (Some(_), None) => Ok(None),
        }
    }

    /// Nobody's apps do anything for them while they wait to be let in or are suspended, but end.
    pub(super) fn unhindered_app(
        &self,
        asker: Option<Asker>,
        need: Option<Need>,
    ) -> std::result::Result<Option<Asker>, Refusal> {
        let is_act = need.is_some_and(|need| need != Need::ANY_APP);
        let app = asker.as_ref().filter(|asker| asker.app.is_some() && is_act);
        match app.and_then(|asker| self.hindered(asker.user())) {
            Some(hindered) => Err(Refusal::Hindered(hindered)),
            None => Ok(asker),
        }
    }

    pub(super) fn allow_app(&self, asked: Asked<'_>, data: AllowApp) -> Result {
        let can = self.cluster.local.node.features() >= FEATURE_APPS;
        if !can {
            return Err(Refusal::NotYet);
        }
        let (_, mut code) = opening_of(&data.opening)?;
        code.device.clone_from(&data.app.name);
        code.app = Some(Box::new(data.app.clone()));
        let change = Change::AllowApp { code };
        self.simple(asked, &Action::AllowApp(data), ActKind::Other, &change)
    }

    /// The code is the proof: who has it was told by somebody signed in.
    pub(super) fn redeem_code(&self, asked: Asked<'_>, data: RedeemCode) -> Result {
        let Asked { permit, .. } = asked;
        let name = data.username;
        let Ok(code) = Token::parse(&data.code) else { return Err(Refusal::SignedOut) };
        let address = network_address(&data.opening)?;
        let (token, session) = opening_of(&data.opening)?;
        // Guessing a code is as good as guessing a password would be, and as often allowed.
        self.hear_of(permit, &name)?;
        let (code, client, bound) = (code.id(), data.client, data.bound);
        let bounds = [bound, data.or_bound.unwrap_or(bound)];
        let is_known = |user: &User| {
            let has = |id| user.session(id).is_some();
            has(&code) || has(&session.id) || came_of(user, &code, (client, bounds)).is_some()
        };
        if self.look(&name, is_known) != Some(true) {
            return Err(Refusal::SignedOut);
        }
        let change = Change::RedeemCode { code, client, bounds, session };
        let act = OneAct { user: &name, request: None };
        let (who, now) = (action::Who { session: None }, self.now());
        let plan = |user: &User| action::handle(user, &who, &change, now);
        let (wrote, version) = self.change(permit, &act, &plan)?;
        if wrote.receipt().sessions_ended() > 0 {
            log::warn!(user:% = name, client:% = address; "an app's code came again, or from somebody else");
            return Err(Refusal::SignedOut);
        }
        log::info!(user:% = name, client:% = address; "app signed in");
        let seen = Some(self.committed(&name).max(version));
        let session = SessionNow::Is(SessionText { user: name, token, seen });
        Ok(Done { outcome: Outcome::Saved(saved(Receipt::Done)), session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Hash128;
    use crate::user::entry::App;

    const TOKEN: &str = "ada.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn asker(scopes: Option<&str>) -> Asker {
        let session = SessionText::parse(TOKEN).unwrap();
        let app = |scopes: &str| {
            Box::new(App {
                name: "Fen".to_owned(),
                website: String::new(),
                client: Hash128([7; 16]),
                scopes: scopes.parse().unwrap(),
                code_for: None,
                came_of: None,
            })
        };
        let id = session.token.id();
        Asker { session, id, stale_since: None, read_to: None, app: scopes.map(app) }
    }

    #[track_caller]
    fn check(
        scopes: Option<&str>,
        need: Option<Need>,
        expected: std::result::Result<bool, Refusal>,
    ) {
        let permitted = Backend::permitted(Some(asker(scopes)), need);
        assert_eq!(permitted.map(|asker| asker.is_some()), expected, "{scopes:?} {need:?}");
    }

    #[test]
    fn session_of_an_app_is_no_browsers_nor_the_other_way_round() {
        let statuses = Some(Need::scope("read:statuses"));
        check(None, None, Ok(true));
        check(Some("read"), statuses, Ok(true));
        check(Some(""), Some(Need::ANY_APP), Ok(true));
        check(Some("write push"), statuses, Err(Refusal::Scope));
        check(Some("read write follow"), None, Ok(false));
        check(None, statuses, Ok(false));
        assert!(matches!(Backend::permitted(None, statuses), Ok(None)));
    }
}
