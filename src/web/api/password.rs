//! An app that brings somebody's password, where the keeper allows that. It signs them in as their browser
//! would, lets itself in, and signs them out again: nothing of it is another way in.

use super::oauth::{bound, broken, invalid_grant, issued};
use super::{Answer, Answered, Call, fresh, nonsense, refused};
use crate::action::{Action, AllowApp, Keyed, Login, Opening, RedeemCode};
use crate::auth::session::Token;
use crate::user::entry::App;
use crate::web::api::client::Client;
use crate::web::ask::Ask;
use crate::web::form::name_to_sign_in;
use crate::web::handler::{Heard, Site};
use crate::web::session::Session;
use crate::wire::request::{Outcome, Refusal, Scopes};

impl<A: Ask> Site<A> {
    pub(super) fn by_password(&self, call: &Call<'_>) -> Answered {
        let (client, has_secret) = self.client(call)?;
        if !has_secret {
            return Err(super::oauth::invalid_client());
        }
        let scopes = client.may(call.params.get("scope"));
        let scopes = scopes
            .ok_or_else(|| Answer::oauth(400, "invalid_scope", "The app may not ask for that"))?;
        let username = name_to_sign_in(call.params.get("username"));
        let login = Login {
            key: fresh()?,
            username: username.to_owned(),
            password: call.params.get("password").to_owned(),
            opening: opening(call, &client)?,
        };
        let token = login.opening.token.clone();
        let user = crate::id::UserName::from_input(username).map_err(|_| invalid_grant())?;
        let heard = self.hear_for_app(None, Some(&user), None, (Action::Login(login), &[]))?;
        done(&heard)?;
        let session = Session::parse(&format!("{user}.{token}")).ok_or_else(nonsense)?;
        let issued = self.let_in_at_once(call, &client, (&session, scopes));
        let end = Action::Logout(Keyed { key: fresh()? });
        let ended = self.hear_for_app(Some(&session), None, None, (end, &[]))?;
        done(&ended)?;
        issued
    }

    fn let_in_at_once(
        &self,
        call: &Call<'_>,
        client: &Client,
        (session, scopes): (&Session, Scopes),
    ) -> Answered {
        let opened = opening(call, client)?;
        let code = opened.token.clone();
        let bound = bound("", None);
        let app = App {
            name: client.name.clone(),
            website: client.website.clone(),
            client: client.hash(),
            scopes: scopes.clone(),
            code_for: Some(bound),
            came_of: None,
        };
        let allow = Action::AllowApp(AllowApp { key: fresh()?, app, opening: opened });
        done(&self.hear_for_app(Some(session), None, None, (allow, &[]))?)?;
        let opening = opening(call, client)?;
        let token = format!("{}.{}", session.user(), opening.token);
        let redeem = RedeemCode {
            key: fresh()?,
            username: session.user().clone(),
            code,
            client: client.hash(),
            bound,
            or_bound: None,
            opening,
        };
        let redeem = Action::RedeemCode(redeem);
        done(&self.hear_for_app(None, Some(session.user()), None, (redeem, &[]))?)?;
        Ok(issued(&token, &scopes, self.clock.wall()))
    }
}

fn opening(call: &Call<'_>, client: &Client) -> Result<Opening, Answer> {
    Ok(Opening {
        token: Token::generate().map_err(|error| broken(&error))?.secret().to_owned(),
        device: client.name.clone(),
        address: call.request.client.to_string(),
    })
}

/// Whether it was done.
fn done(heard: &Heard) -> Result<(), Answer> {
    match &heard.outcome {
        Outcome::Saved(_) => Ok(()),
        Outcome::Refused(Refusal::BadLogin | Refusal::SignedOut | Refusal::NotFound) => {
            Err(invalid_grant())
        }
        Outcome::Refused(refusal) => Err(refused(&heard.honest(refusal))),
        _ => Err(nonsense()),
    }
}
