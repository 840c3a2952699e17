//! How an app comes by its token: it introduces itself, somebody lets it in on a page
//! (`web/handler/apps`), it brings the code that it was given (RFC 6749, with RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::client::{Client, ClientError, hash};
use super::{Answer, Answered, Call};
use crate::action::{Action, Keyed, Opening, RedeemCode};
use crate::auth::session::{SessionText, Token};
use crate::clock::Wall;
use crate::id::Hash128;
use crate::web::ask::Ask;
use crate::web::csrf::fresh_key;
use crate::web::handler::Site;
use crate::wire::request::{Need, Outcome, Refusal, Scopes};

/// What stands before the token of an app for itself: no name begins so.
const OWN: &str = "~";
const OWN_TOKEN: &str = "own token";
/// Characters of a verifier. Source: RFC 7636, section 4.1.
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// The token of an app for itself: it says all there is to know, as a `client_id` does.
pub(super) struct OwnToken {
    pub(super) client: Client,
    pub(super) scopes: Scopes,
}

/// What a code is bound to: the redirect address that was asked with, empty if there was none, and the challenge if there was one.
pub(crate) fn bound(redirect: &str, challenge: Option<&str>) -> Hash128 {
    hash(&[redirect, challenge.unwrap_or_default()])
}

pub(super) fn invalid_client() -> Answer {
    Answer::oauth(401, "invalid_client", "This app is not known here, or its secret is wrong")
}

pub(super) fn invalid_grant() -> Answer {
    let why = "The code is wrong, too old, or was used already: sign in again";
    Answer::oauth(400, "invalid_grant", why)
}

fn invalid_request(why: &str) -> Answer {
    Answer::oauth(400, "invalid_request", why)
}

pub(super) fn broken(error: &dyn std::fmt::Display) -> Answer {
    log::error!(error:%; "token not made");
    Answer::error(500, "Something went wrong")
}

impl<A: Ask> Site<A> {
    /// An app says what it is.
    pub(super) fn introduce(&self, call: &Call<'_>) -> Answered {
        let params = &call.params;
        let mut redirects = params.all("redirect_uris");
        redirects.extend(params.find("redirect_uri"));
        let says = (params.get("client_name"), params.get("website"));
        let now = self.clock.wall();
        let client = Client::introduce(&self.form_key, says, &redirects, params.get("scopes"), now);
        let client = client.map_err(|error: ClientError| Answer::error(422, &error.to_string()))?;
        Ok(Answer::ok(json!({
            "id": client.number(),
            "name": client.name,
            "website": website(&client.website),
            "client_id": client.id,
            "client_secret": client.secret(&self.form_key),
            "client_secret_expires_at": 0,
            "redirect_uri": client.redirects.join("\n"),
            "redirect_uris": client.redirects,
            "scopes": client.scopes.iter().collect::<Vec<_>>(),
            "vapid_key": "",
        })))
    }

    /// Which app asks, and whether it has shown its secret.
    pub(super) fn client(&self, call: &Call<'_>) -> Result<(Client, bool), Answer> {
        let basic = basic(call.request.authorization.as_deref());
        let (id, secret) = match &basic {
            Some((id, secret)) => (id.as_str(), Some(secret.as_str())),
            None => (call.params.get("client_id"), call.params.find("client_secret")),
        };
        let client = Client::read(&self.form_key, id).ok_or_else(invalid_client)?;
        match secret.filter(|secret| !secret.is_empty()) {
            Some(secret) if client.is_secret(&self.form_key, secret) => Ok((client, true)),
            Some(_) => Err(invalid_client()),
            None => Ok((client, false)),
        }
    }

    pub(super) fn token(&self, call: &Call<'_>) -> Answered {
        match call.params.get("grant_type") {
            "authorization_code" => self.redeem(call),
            "client_credentials" => self.own(call),
            "password" if self.takes_passwords => self.by_password(call),
            "" => Err(invalid_request("grant_type is missing")),
            _ => {
                let why = "Sign in on the site's page: authorization_code";
                Err(Answer::oauth(400, "unsupported_grant_type", why))
            }
        }
    }

    fn redeem(&self, call: &Call<'_>) -> Answered {
        let (client, has_secret) = self.client(call)?;
        let params = &call.params;
        let verifier = params.find("code_verifier").filter(|verifier| !verifier.is_empty());
        if verifier.is_none() && !has_secret {
            return Err(invalid_client());
        }
        if verifier.is_some_and(|verifier| !VERIFIER_CHARS.contains(&verifier.len())) {
            return Err(invalid_grant());
        }
        let challenge = verifier.map(|it| URL_SAFE_NO_PAD.encode(Sha256::digest(it)));
        let code = SessionText::parse(params.get("code")).map_err(|_| invalid_grant())?;
        let token = Token::generate().map_err(|error| broken(&error))?;
        let key = fresh_key(None).map_err(|error| broken(&error))?;
        let (redirect, challenge) = (params.get("redirect_uri"), challenge.as_deref());
        // Where a code is sent that is asked for without an address; many apps bring it with the code.
        let is_usual = client.redirects.first().is_some_and(|first| first == redirect);
        let redeem = RedeemCode {
            key,
            username: code.user.clone(),
            code: code.token.secret().to_owned(),
            client: client.hash(),
            bound: bound(redirect, challenge),
            or_bound: is_usual.then(|| bound("", challenge)),
            opening: Opening {
                token: token.secret().to_owned(),
                device: client.name.clone(),
                address: call.request.client.to_string(),
            },
        };
        let action = Action::RedeemCode(redeem);
        let heard = self.hear_for_app(None, Some(&code.user), None, (action, &[]))?;
        let refusal = match &heard.outcome {
            Outcome::Saved(_) => None,
            Outcome::Refused(refusal) => Some(heard.honest(refusal)),
            _ => return Err(super::nonsense()),
        };
        match refusal {
            None => {}
            Some(Refusal::SignedOut | Refusal::NotFound | Refusal::Gone) => {
                return Err(invalid_grant());
            }
            Some(other) => return Err(super::refused(&other)),
        }
        let scopes = heard.viewer.and_then(|viewer| viewer.app).map(|app| app.scopes);
        // Over already: the code came once more meanwhile.
        let scopes = scopes.ok_or_else(invalid_grant)?;
        let token = format!("{}.{}", code.user, token.secret());
        Ok(issued(&token, &scopes, self.clock.wall()))
    }

    /// A token for the app itself, with which it can see what strangers can.
    fn own(&self, call: &Call<'_>) -> Answered {
        let (client, has_secret) = self.client(call)?;
        if !has_secret {
            return Err(invalid_client());
        }
        let scopes = client.may(call.params.get("scope"));
        let scopes = scopes
            .ok_or_else(|| Answer::oauth(400, "invalid_scope", "The app may not ask for that"))?;
        let said = URL_SAFE_NO_PAD.encode(scopes.to_string());
        let said = format!("{said}.{}", client.id);
        let code = self.form_key.app_code(OWN_TOKEN, &said);
        Ok(issued(&format!("{OWN}{code}.{said}"), &scopes, self.clock.wall()))
    }

    /// What an app's token for itself says, if it is one.
    pub(super) fn own_token(&self, token: &str) -> Option<OwnToken> {
        let (code, said) = token.strip_prefix(OWN)?.split_once('.')?;
        if !self.form_key.is_app_code(OWN_TOKEN, said, code) {
            return None;
        }
        let (scopes, id) = said.split_once('.')?;
        let scopes = String::from_utf8(URL_SAFE_NO_PAD.decode(scopes).ok()?).ok()?.parse().ok()?;
        Some(OwnToken { client: Client::read(&self.form_key, id)?, scopes })
    }

    /// Ends a token (RFC 7009). One that opens nothing is as good as ended.
    pub(super) fn revoke(&self, call: &Call<'_>) -> Answered {
        let (client, _) = self.client(call)?;
        let token = call.params.get("token");
        if self.own_token(token).is_some() {
            let why = "An app's token for itself opens nothing of anybody's and stays as it is";
            return Err(Answer::oauth(400, "unsupported_token_type", why));
        }
        let Some(session) = self.session_of(token) else { return Ok(Answer::ok(json!({}))) };
        let need = Some(Need::ANY_APP);
        let heard = self.hear_for_app(Some(&session), None, need, (Action::CheckSession, &[]))?;
        if heard.session.is_none() {
            return match heard.outcome {
                _ if heard.is_over => Ok(Answer::ok(json!({}))),
                Outcome::Refused(refusal) => Err(super::refused(&refusal)),
                _ => Err(super::refused(&heard.honest(&Refusal::SignedOut))),
            };
        }
        let held = heard.viewer.and_then(|viewer| viewer.app).map(|app| app.client);
        if held != Some(client.hash()) {
            let why = "The token is another app's";
            return Err(Answer::oauth(403, "unauthorized_client", why));
        }
        let key = fresh_key(None).map_err(|error| broken(&error))?;
        let end = Action::Logout(Keyed { key });
        let heard = self.hear_for_app(Some(&session), None, need, (end, &[]))?;
        match &heard.outcome {
            Outcome::Saved(_) | Outcome::Refused(Refusal::SignedOut) => Ok(Answer::ok(json!({}))),
            Outcome::Refused(refusal) => Err(super::refused(&heard.honest(refusal))),
            _ => Err(super::nonsense()),
        }
    }

    /// Which app a token is of.
    pub(super) fn which_app(&self, call: &Call<'_>) -> Answered {
        let own = call.bearer.and_then(|token| self.own_token(token));
        let (name, page, scopes) = if let Some(own) = own {
            (own.client.name, own.client.website, own.scopes)
        } else {
            let heard = self.ask_with_token(call, None, Action::CheckSession)?;
            let app = heard.viewer.and_then(|viewer| viewer.app).ok_or_else(super::nonsense)?;
            (app.name, app.website, app.scopes)
        };
        Ok(Answer::ok(json!({
            "name": name,
            "website": website(&page),
            "scopes": scopes.iter().collect::<Vec<_>>(),
        })))
    }
}

pub(super) fn issued(token: &str, scopes: &Scopes, now: Wall) -> Answer {
    Answer::ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "scope": scopes.to_string(),
        "created_at": now.0 / 1_000,
    }))
}

fn website(page: &str) -> Option<&str> {
    (!page.is_empty()).then_some(page)
}

/// Name and secret of an app as HTTP's basic authentication spells them (RFC 6749, section 2.3.1).
fn basic(authorization: Option<&str>) -> Option<(String, String)> {
    let (kind, coded) = authorization?.trim().split_once(' ')?;
    if !kind.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(coded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
