//! An app: it introduces itself, is let in by somebody, and asks in JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::harness::{Cluster, Options};
use crate::cluster::person::Person;

/// The redirect address of apps that have people copy the code.
pub(crate) const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
/// A busy machine, and a backend that is killed meanwhile.
const ANSWER: Duration = Duration::from_secs(30);

/// What an app was answered.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) value: Value,
    pub(crate) link: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Heard {
    /// What it says under a name, as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.value[name].as_str().unwrap_or_else(|| panic!("no {name} in {self:?}")).to_owned()
    }

    /// The ids of a list.
    pub(crate) fn ids(&self) -> Vec<String> {
        let items = self.value.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        items.iter().map(|item| item["id"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The path and query of a link.
    pub(crate) fn link_to(&self, rel: &str) -> Option<String> {
        let links = self.link.as_deref()?.split(", ");
        let mut links = links.filter_map(|link| link.split_once(">; rel="));
        let (address, _) = links.find(|(_, name)| name.trim_matches('"') == rel)?;
        let at = address.find("/api/").unwrap_or_else(|| panic!("{address}"));
        Some(address[at..].to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// A cluster of one machine, for what has nothing to do with the others.
pub(crate) fn one_machine() -> Cluster {
    Cluster::start(Options { backends: 1, ..Options::default() })
}

/// An app on somebody's device.
pub(crate) struct App {
    pub(crate) agent: ureq::Agent,
    pub(crate) base: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl App {
    /// Introduces itself.
    pub(crate) fn introduce(base: &str, scopes: &str, redirect: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.max_redirects(0).timeout_global(Some(ANSWER)).build().new_agent();
        let (id, secret) = (String::new(), String::new());
        let mut app = Self { agent, base: base.to_owned(), id, secret, token: None };
        let says = json!({
            "client_name": "Fen for phones", "redirect_uris": redirect, "scopes": scopes,
        });
        let heard = app.send("POST", "/api/v1/apps", &says, None);
        assert_eq!(heard.status, 200, "{heard:?}");
        (app.id, app.secret) = (heard.text("client_id"), heard.text("client_secret"));
        app
    }

    /// An app that `person` let in, with these scopes.
    pub(crate) fn of(cluster: &Cluster, person: &mut Person, scopes: &str) -> Self {
        let mut app = Self::introduce(&cluster.address(), scopes, OUT_OF_BAND);
        let code = app.code(person, scopes, "");
        let heard = app.redeem(&code, None);
        assert_eq!(heard.status, 200, "{heard:?}");
        app.token = Some(heard.text("access_token"));
        app
    }

    /// The app of somebody who joins, with all that it may be allowed.
    pub(crate) fn joined(cluster: &Cluster, name: &str) -> Self {
        let mut person = cluster.person(name);
        person.join();
        Self::of(cluster, &mut person, "read write follow")
    }

    /// The number of its person's account.
    pub(crate) fn account(&self) -> String {
        self.get("/api/v1/accounts/verify_credentials").text("id")
    }

    /// The ids of a list, page by page, from an address on to where its links lead.
    pub(crate) fn pages(&self, from: String, rel: &str) -> Vec<Vec<String>> {
        self.pages_while(from, rel, &|_| ())
    }

    /// The same, up to an empty page; `between` happens after each.
    pub(crate) fn pages_while(
        &self,
        from: String,
        rel: &str,
        between: &dyn Fn(usize),
    ) -> Vec<Vec<String>> {
        let (mut next, mut pages) = (Some(from), Vec::new());
        while let Some(path) = next {
            let heard = self.get(&path);
            assert_eq!(heard.status, 200, "{path}: {heard:?}");
            if heard.ids().is_empty() {
                break;
            }
            pages.push(heard.ids());
            next = heard.link_to(rel);
            between(pages.len());
        }
        pages
    }

    /// The address of the page that lets it in.
    pub(crate) fn asks(&self, redirect: &str, scopes: &str, more: &str) -> String {
        let scopes = scopes.replace(' ', "+");
        format!(
            "/oauth/authorize?response_type=code&client_id={}&redirect_uri={redirect}&scope={scopes}{more}",
            self.id
        )
    }

    /// The code that somebody is shown who lets it in.
    pub(crate) fn code(&self, person: &mut Person, scopes: &str, more: &str) -> String {
        let answer = Self::allow(person, &self.asks(OUT_OF_BAND, scopes, more));
        shown_code(&answer)
    }

    /// Opens the page at `asks` and lets it in.
    pub(crate) fn allow(person: &mut Person, asks: &str) -> crate::cluster::person::Answer {
        let page = person.get(asks);
        assert_eq!(page.status, 200, "{}", page.body);
        let form = page.form("/oauth/authorize");
        let field = |name: &str| (name.to_owned(), form.value(name).unwrap_or_default().to_owned());
        let fields = ["app", "key", "token"].map(field);
        person.try_send("/oauth/authorize", &fields).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Brings a code.
    pub(crate) fn redeem(&self, code: &str, verifier: Option<&str>) -> Heard {
        let mut says = json!({
            "grant_type": "authorization_code", "client_id": self.id, "code": code,
            "redirect_uri": OUT_OF_BAND,
        });
        match verifier {
            Some(verifier) => says["code_verifier"] = json!(verifier),
            None => says["client_secret"] = json!(self.secret),
        }
        self.send("POST", "/oauth/token", &says, None)
    }

    pub(crate) fn get(&self, path: &str) -> Heard {
        self.send("GET", path, &Value::Null, None)
    }

    pub(crate) fn post(&self, path: &str, says: &Value) -> Heard {
        self.send("POST", path, says, None)
    }

    /// Asks with the token that it has, if it has one.
    pub(crate) fn send(&self, method: &str, path: &str, says: &Value, key: Option<&str>) -> Heard {
        self.try_send(method, path, says, key)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        says: &Value,
        key: Option<&str>,
    ) -> Result<Heard, ureq::Error> {
        let mut request = self.request(method, path);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let body = if says.is_null() { String::new() } else { says.to_string() };
        if body.is_empty() && method != "POST" {
            hear(self.agent.run(request.body(()).map_err(ureq::Error::from)?)?)
        } else {
            let request = request.header("Content-Type", "application/json");
            hear(self.agent.run(request.body(body).map_err(ureq::Error::from)?)?)
        }
    }

    fn request(&self, method: &str, path: &str) -> ureq::http::request::Builder {
        let address = format!("{}{path}", self.base);
        let request = ureq::http::Request::builder().method(method).uri(address);
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// Sends fields and files in parts.
    pub(crate) fn send_parts(
        &self,
        (method, path): (&str, &str),
        says: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Result<Heard, ureq::Error> {
        let mut body = Vec::new();
        let mut part = |name: &str, more: &str, bytes: &[u8]| {
            let head =
                format!("--x7\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
            body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        };
        for (name, value) in says {
            part(name, "", value.as_bytes());
        }
        for (name, bytes) in files {
            part(name, "; filename=\"a.jpg\"", bytes);
        }
        body.extend(b"--x7--\r\n");
        let request = self.request(method, path);
        let request = request.header("Content-Type", "multipart/form-data; boundary=x7");
        hear(self.agent.run(request.body(body).map_err(ureq::Error::from)?)?)
    }

    /// Sends a form.
    pub(crate) fn send_form(&self, (method, path): (&str, &str), form: &str) -> Heard {
        let request = self.request(method, path);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let request = request.body(form.to_owned()).map_err(ureq::Error::from);
        let heard = request.and_then(|request| hear(self.agent.run(request)?));
        heard.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a picture, and gives its number.
    pub(crate) fn send_picture(&self, picture: &[u8], description: &str) -> String {
        let says = [("description", description)];
        let heard = self.send_parts(("POST", "/api/v2/media"), &says, &[("file", picture)]);
        let heard = heard.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(heard.status, 200, "{heard:?}");
        heard.text("id")
    }

    /// Begins to listen to a stream.
    pub(crate) fn listen(&self, path: &str) -> ureq::http::Response<ureq::Body> {
        let request = self.request("GET", path).body(()).map_err(ureq::Error::from);
        let stream = request.and_then(|request| self.agent.run(request));
        let stream = stream.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(stream.status().as_u16(), 200, "{path}");
        stream
    }

    /// Fetches a picture as apps show it: without a token.
    pub(crate) fn fetch(&self, address: &str) -> (u16, String, Vec<u8>) {
        let mut answer = self.agent.get(address).call().unwrap_or_else(|error| panic!("{error}"));
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let bytes = answer.body_mut().read_to_vec().unwrap_or_else(|error| panic!("{error}"));
        (answer.status().as_u16(), kind, bytes)
    }

    /// Posts, and gives the post's id.
    pub(crate) fn write(&self, text: &str) -> String {
        let heard = self.post("/api/v1/statuses", &json!({ "status": text }));
        assert_eq!(heard.status, 200, "{heard:?}");
        heard.text("id")
    }
}

/// The code that a page shows.
pub(crate) fn shown_code(page: &crate::cluster::person::Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    let (_, after) = page.body.split_once("<code>").unwrap_or_else(|| panic!("{}", page.body));
    after.split_once('<').map(|(code, _)| code.to_owned()).unwrap_or_default()
}

fn hear(mut answer: ureq::http::Response<ureq::Body>) -> Result<Heard, ureq::Error> {
    let headers = answer.headers().iter().map(|(name, value)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    });
    let headers: Vec<_> = headers.collect();
    let text = answer.body_mut().read_to_string()?;
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let link = headers.iter().find(|(name, _)| name == "link").map(|(_, link)| link.clone());
    Ok(Heard { status: answer.status().as_u16(), value, link, headers })
}

/// All that a stream tells until it ends; fails if it does not.
pub(crate) fn rest_of(mut stream: ureq::http::Response<ureq::Body>) -> String {
    stream.body_mut().read_to_string().unwrap_or_else(|error| panic!("{error}"))
}
