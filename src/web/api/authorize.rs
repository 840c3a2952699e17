//! What an app asks of somebody: the query with which it sends them to the page that lets it in.

use super::client::{Client, OUT_OF_BAND};
use super::oauth::bound;
use crate::id::Hash128;
use crate::web::away::Away;
use crate::web::csrf::FormKey;
use crate::web::form::{encode_query, percent_decode};
use crate::wire::request::Scopes;

/// What an app asks, once all of it makes sense.
#[derive(Debug)]
pub(crate) struct AppAsks {
    /// Which app.
    pub(crate) client: Client,
    /// What it wants to do.
    pub(crate) scopes: Scopes,
    /// Where to go back to; absent where people are to copy the code.
    back: Option<Away>,
    /// The address that was asked with; empty where it was left to what the app introduced itself with.
    redirect: String,
    state: Option<String>,
    challenge: Option<String>,
}

/// Why an app's question cannot be put to anybody. Nobody is sent anywhere then: anybody may introduce an
/// app, and an address of this site would lead to wherever it likes (RFC 9700, section 4.11.2).
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It is no app that has introduced itself here, or wants people sent where it did not say.
    Stranger,
    /// It is one, and asks what makes no sense.
    Asks(Box<BadAsk>),
}

/// What an app asks that makes no sense.
#[derive(Debug)]
pub(crate) struct BadAsk {
    /// Which app.
    pub(crate) client: Client,
    /// What is wrong.
    pub(crate) fault: Fault,
    /// Where it would hear of it, if anywhere.
    pub(crate) back: Option<Away>,
}

/// What is wrong with what an app asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It wants something other than a code.
    Kind,
    /// It wants to do what is not known, or what it did not say that it might.
    Scopes,
    /// Its challenge is none that is understood.
    Challenge,
}

impl Fault {
    /// What apps know it by. Source: RFC 6749, section 4.1.2.1.
    const fn name(self) -> &'static str {
        match self {
            Self::Kind => "unsupported_response_type",
            Self::Scopes => "invalid_scope",
            Self::Challenge => "invalid_request",
        }
    }
}

impl AppAsks {
    /// Reads a query. What is not known in it is passed over.
    pub(crate) fn read(key: &FormKey, query: &str) -> Result<Self, Unfit> {
        let get = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(known, _)| *known == name)?;
            String::from_utf8(percent_decode(value.as_bytes(), true).0).ok()
        };
        let client = get("client_id").and_then(|id| Client::read(key, &id));
        let client = client.ok_or(Unfit::Stranger)?;
        let said = get("redirect_uri").filter(|uri| !uri.is_empty());
        let redirect = said.as_ref().or_else(|| client.redirects.first());
        let redirect = redirect.filter(|it| client.redirects.contains(it));
        let redirect = redirect.ok_or(Unfit::Stranger)?;
        let back = match redirect.as_str() {
            OUT_OF_BAND => None,
            // It may have introduced itself before a kind of address was refused.
            redirect => Some(Away::new(redirect).ok_or(Unfit::Stranger)?),
        };
        let state = get("state").filter(|state| !state.is_empty());
        let scopes = get("scope").filter(|scope| !scope.is_empty());
        let scopes = scopes.map_or_else(|| Ok("read".parse().unwrap_or_default()), |it| it.parse());
        let scopes = scopes.ok().filter(|scopes: &Scopes| client.scopes.include_all(scopes));
        let challenge = get("code_challenge").filter(|challenge| !challenge.is_empty());
        let is_hashed = get("code_challenge_method").as_deref() == Some("S256");
        let unfit = |fault: Fault| {
            let name = fault.name();
            let back = back.as_ref().and_then(|it| told(it, state.as_deref(), "error", name));
            Unfit::Asks(Box::new(BadAsk { client: client.clone(), fault, back }))
        };
        if get("response_type").as_deref() != Some("code") {
            return Err(unfit(Fault::Kind));
        }
        let scopes = scopes.ok_or_else(|| unfit(Fault::Scopes))?;
        if challenge.is_some() && !is_hashed {
            return Err(unfit(Fault::Challenge));
        }
        // What was not asked with need not come with the code (RFC 6749, section 4.1.3).
        let redirect = said.clone().unwrap_or_default();
        Ok(Self { client, scopes, back, redirect, state, challenge })
    }

    /// What the code is bound to.
    pub(crate) fn bound(&self) -> Hash128 {
        bound(&self.redirect, self.challenge.as_deref())
    }

    /// Where people are sent back to, if anywhere.
    pub(crate) const fn back(&self) -> Option<&Away> {
        self.back.as_ref()
    }

    /// Where people are sent back to with a code, or with the reason why there is none.
    pub(crate) fn answer(&self, name: &str, value: &str) -> Option<Away> {
        told(self.back.as_ref()?, self.state.as_deref(), name, value)
    }
}

fn told(back: &Away, state: Option<&str>, name: &str, value: &str) -> Option<Away> {
    let state = state.map(|state| format!("&state={}", encode_query(state)));
    back.with_query(&format!("{name}={}{}", encode_query(value), state.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    const KEY: FormKey = FormKey::new([7; 32]);

    fn client() -> Client {
        let redirects = ["https://app.example/cb?x=1", OUT_OF_BAND, "fen-app://back"];
        Client::introduce(&KEY, ("Fen", ""), &redirects, "read write", Wall(0)).unwrap()
    }

    fn read(more: &str) -> Result<AppAsks, Unfit> {
        let query = format!("client_id={}&response_type=code&{more}", client().id);
        AppAsks::read(&KEY, &query)
    }

    #[test]
    fn app_asks_for_what_it_said_it_would_and_hears_where_it_said() {
        let back = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1&state=a%26b+c";
        let asks = read(&format!("{back}&scope=read+write%3Amedia&lang=None")).unwrap();
        assert_eq!(asks.scopes.to_string(), "read write:media");
        let away = asks.answer("code", "ada.x").unwrap();
        assert_eq!(away.as_str(), "https://app.example/cb?x=1&code=ada.x&state=a%26b%20c");
        let own = read("redirect_uri=fen-app://back").unwrap().answer("code", "1").unwrap();
        assert_eq!(own.as_str(), "fen-app://back?code=1");
        let copied = read(&format!("redirect_uri={OUT_OF_BAND}")).unwrap();
        assert!(copied.back().is_none() && copied.answer("code", "1").is_none());
        let plain = asks.bound();
        let challenged = read(&format!("{back}&code_challenge=abc&code_challenge_method=S256"));
        assert_ne!(challenged.unwrap().bound(), plain);
    }

    #[test]
    fn app_unknown_or_wanting_people_elsewhere_sends_nobody_anywhere() {
        for more in ["redirect_uri=https://evil.example/", "redirect_uri=https://app.example/cb"] {
            assert!(matches!(read(more), Err(Unfit::Stranger)), "{more}");
        }
        let nobody = AppAsks::read(&KEY, "client_id=x.y&response_type=code");
        assert!(matches!(nobody, Err(Unfit::Stranger)));
    }

    #[test]
    fn app_asking_too_much_hears_of_it_only_by_a_link() {
        let back = "redirect_uri=fen-app://back&state=7";
        for (more, fault, error) in [
            ("scope=read+follow", Fault::Scopes, "invalid_scope"),
            ("scope=admin", Fault::Scopes, "invalid_scope"),
            ("code_challenge=abc", Fault::Challenge, "invalid_request"),
            ("code_challenge=abc&code_challenge_method=plain", Fault::Challenge, "invalid_request"),
        ] {
            let Err(Unfit::Asks(bad)) = read(&format!("{back}&{more}")) else {
                panic!("{more}");
            };
            assert_eq!((bad.client.name.as_str(), bad.fault), ("Fen", fault));
            let to = format!("fen-app://back?error={error}&state=7");
            assert_eq!(bad.back.unwrap().as_str(), to);
        }
        let copied = read(&format!("redirect_uri={OUT_OF_BAND}&scope=admin"));
        assert!(matches!(copied, Err(Unfit::Asks(bad)) if bad.back.is_none()));
    }
}
