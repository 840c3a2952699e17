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
    redirect: String,
    state: Option<String>,
    challenge: Option<String>,
}

/// Why an app's question cannot be put to anybody.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It is no app that has introduced itself here, or wants people sent where it did not say: nobody is
    /// sent anywhere then.
    Stranger,
    /// It is told so itself, there.
    Tell(Away),
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
        let redirect = get("redirect_uri").or_else(|| client.redirects.first().cloned());
        let redirect = redirect.filter(|it| client.redirects.contains(it));
        let redirect = redirect.ok_or(Unfit::Stranger)?;
        let back = (redirect != OUT_OF_BAND).then(|| Away::new(&redirect)).flatten();
        let state = get("state").filter(|state| !state.is_empty());
        let unfit = |error: &str| {
            let told = back.as_ref().and_then(|back| told(back, state.as_deref(), "error", error));
            Err(told.map_or(Unfit::Stranger, Unfit::Tell))
        };
        if get("response_type").as_deref() != Some("code") {
            return unfit("unsupported_response_type");
        }
        let scopes = get("scope").filter(|scope| !scope.is_empty());
        let scopes = scopes.map_or_else(|| Ok("read".parse().unwrap_or_default()), |it| it.parse());
        let scopes = scopes.ok().filter(|scopes: &Scopes| client.scopes.include_all(scopes));
        let Some(scopes) = scopes else { return unfit("invalid_scope") };
        let challenge = get("code_challenge").filter(|challenge| !challenge.is_empty());
        let method = get("code_challenge_method");
        if challenge.is_some() && method.as_deref() != Some("S256") {
            return unfit("invalid_request");
        }
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
    fn app_asking_too_much_is_told() {
        let back = "redirect_uri=fen-app://back&state=7";
        for (more, error) in [
            ("scope=read+follow", "invalid_scope"),
            ("scope=admin", "invalid_scope"),
            ("code_challenge=abc", "invalid_request"),
            ("code_challenge=abc&code_challenge_method=plain", "invalid_request"),
        ] {
            let Err(Unfit::Tell(away)) = read(&format!("{back}&{more}")) else {
                panic!("{more}");
            };
            assert_eq!(away.as_str(), format!("fen-app://back?error={error}&state=7"));
        }
    }
}
