//! Somebody at a browser: keeps cookies, reads the forms of a page, fills them in and sends them as a
//! browser would, hidden fields included.

use std::collections::BTreeMap;
use std::time::Duration;

use super::form::{Form, IN_PARTS, encode, forms};
use super::harness::eventually;

/// Bytes of a page that are read at most: the largest is a tenth of it.
const PAGE_BYTES_MAX: u64 = 1024 * 1024;
/// How long an answer may take: more than any deadline of the server.
const ANSWER: Duration = Duration::from_secs(20);
/// How long it may take until it is known who is silent.
const SILENCE: Duration = Duration::from_mins(1);

/// Connections that a browser keeps open for what it may ask next.
const IDLE_MAX: usize = 10;

/// A browser without its cookies.
fn agent(idle_max: usize) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(idle_max)
        .timeout_global(Some(ANSWER))
        .build()
        .new_agent()
}

/// A person, with the cookies of their browser.
#[derive(Clone)]
pub(crate) struct Person {
    agent: ureq::Agent,
    base: String,
    pub(crate) name: String,
    cookies: BTreeMap<String, String>,
    /// Where a proxy says that they are, if they come through one.
    forwarded_for: Option<String>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where to go instead.
    pub(crate) location: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What became of something written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// A majority has it.
    Saved,
    /// Nothing was written.
    NotSaved,
    /// Nobody knows.
    Unknown,
    /// Anything else, by its status; 0 if there was no answer at all.
    Other(u16),
}

impl Answer {
    /// What it says of what was written.
    pub(crate) fn written(&self) -> Written {
        match self.status {
            303 => Written::Saved,
            503 if self.body.contains("Nothing was saved") => Written::NotSaved,
            503 if self.body.contains("know yet") => Written::Unknown,
            status => Written::Other(status),
        }
    }

    /// The form of this page that goes to `action`.
    pub(crate) fn form(&self, action: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.action == action);
        found.unwrap_or_else(|| panic!("no form to {action} on this page:\n{}", self.body))
    }

    /// All forms of this page.
    pub(crate) fn forms(&self) -> Vec<Form> {
        forms(&self.body)
    }

    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Person {
    /// Somebody new at `base`, the site's address.
    pub(crate) fn new(base: &str, name: &str) -> Self {
        let agent = agent(IDLE_MAX);
        let (base, name) = (base.to_owned(), name.to_owned());
        Self { agent, base, name, cookies: BTreeMap::new(), forwarded_for: None }
    }

    /// The same, who leaves no connection open behind an answer.
    pub(crate) fn leaving(self) -> Self {
        Self { agent: agent(0), ..self }
    }

    /// The same, coming from this address through a proxy that the server trusts.
    pub(crate) fn through_proxy(self, address: &str) -> Self {
        Self { forwarded_for: Some(address.to_owned()), ..self }
    }

    /// A password that nobody guesses; for tests it may follow from the name.
    pub(crate) fn password(&self) -> String {
        format!("seven lamps of {}", self.name.chars().rev().collect::<String>())
    }

    /// Asks for a page.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Asks for a page of a server that may be gone.
    pub(crate) fn try_get(&mut self, path: &str) -> Result<Answer, ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let mut request = request.header("Cookie", self.cookies());
        if let Some(address) = &self.forwarded_for {
            request = request.header("X-Forwarded-For", address);
        }
        let answer = request.call()?;
        self.take(answer)
    }

    /// Sends fields as a form of this site would.
    pub(crate) fn try_send(
        &mut self,
        path: &str,
        fields: &[(String, String)],
    ) -> Result<Answer, ureq::Error> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Cookie", self.cookies())
            .header("Origin", &self.base)
            .header("Sec-Fetch-Site", "same-origin")
            .content_type("application/x-www-form-urlencoded");
        if let Some(address) = &self.forwarded_for {
            request = request.header("X-Forwarded-For", address);
        }
        let answer = request.send(encode(fields))?;
        self.take(answer)
    }

    /// Fills in a form and sends it with files, as one that may bring them.
    pub(crate) fn submit_files(
        &mut self,
        form: &Form,
        filled: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        let answer = self.try_submit_files(form, filled, files);
        answer.unwrap_or_else(|error| panic!("{}: {error}", form.action))
    }

    /// The same, where the server may close the door before all is sent.
    pub(crate) fn try_submit_files(
        &mut self,
        form: &Form,
        filled: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Result<Answer, ureq::Error> {
        let body = form.in_parts(filled, files);
        let request = self
            .agent
            .post(format!("{}{}", self.base, form.action))
            .header("Cookie", self.cookies())
            .header("Origin", &self.base)
            .header("Sec-Fetch-Site", "same-origin")
            .content_type(IN_PARTS);
        request.send(&body[..]).and_then(|answer| self.take(answer))
    }

    /// Asks for something that is no text: status, type and bytes.
    pub(crate) fn fetch(&self, path: &str) -> Result<(u16, String, Vec<u8>), ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let mut answer = request.header("Cookie", self.cookies()).call()?;
        let kind = answer.headers().get("content-type").map(ureq::http::HeaderValue::as_bytes);
        let kind = String::from_utf8_lossy(kind.unwrap_or_default()).into_owned();
        let bytes = answer.body_mut().with_config().limit(8 * PAGE_BYTES_MAX).read_to_vec()?;
        Ok((answer.status().as_u16(), kind, bytes))
    }

    /// Fills in a form and sends it.
    pub(crate) fn submit(&mut self, form: &Form, filled: &[(&str, &str)]) -> Answer {
        self.try_submit(form, filled).unwrap_or_else(|error| panic!("{}: {error}", form.action))
    }

    /// Fills in a form and sends it to a server that may be gone.
    pub(crate) fn try_submit(
        &mut self,
        form: &Form,
        filled: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        self.try_send(&form.action, &form.filled(filled))
    }

    /// Opens `page`, fills in its form to `action` and sends it.
    pub(crate) fn act(&mut self, page: &str, action: &str, filled: &[(&str, &str)]) -> Answer {
        let form = self.get(page).form(action);
        self.submit(&form, filled)
    }

    /// Makes an account and is signed in.
    pub(crate) fn join(&mut self) {
        let (name, password) = (self.name.clone(), self.password());
        let filled = [("username", name.as_str()), ("password", &password)];
        let answer = self.act("/join", "/join", &filled);
        assert_eq!(answer.status, 303, "{name} joins:\n{}", answer.body);
        assert_eq!(answer.location.as_deref(), Some("/"), "{name} joins");
    }

    /// Signs in.
    pub(crate) fn login(&mut self) -> Answer {
        let (name, password) = (self.name.clone(), self.password());
        let filled = [("username", name.as_str()), ("password", &password)];
        self.act("/login", "/login", &filled)
    }

    /// Signs out.
    pub(crate) fn logout(&mut self) -> Answer {
        let own = format!("/@{}", self.name);
        self.act(&own, "/logout", &[])
    }

    /// Writes a post from the home page.
    pub(crate) fn post(&mut self, text: &str) -> Answer {
        self.act("/", "/post", &[("text", text)])
    }

    /// Posts one text after the other until it is said that nothing was saved: by then it is known which
    /// machines are silent, and nothing that may be saved is sent to them any more. What was sent before
    /// stays "not known".
    pub(crate) fn post_in_vain(&mut self) {
        let mut number = 0;
        eventually("nothing is saved", SILENCE, || {
            number += 1;
            let form = self.get("/").form("/post");
            let text = format!("in vain {number}");
            let written = self.submit(&form, &[("text", &text)]).written();
            (written == Written::NotSaved).then_some(())
        });
    }

    /// Writes a post, whatever may be wrong with the server, and says what became of it.
    pub(crate) fn try_post(&mut self, text: &str) -> (Written, Option<Form>) {
        let Ok(page) = self.try_get("/") else { return (Written::NotSaved, None) };
        let Some(form) = forms(&page.body).into_iter().find(|form| form.action == "/post") else {
            return (Written::NotSaved, None);
        };
        let written = self.try_again(&form, text);
        (written, Some(form))
    }

    /// Sends the same form again, with its one-time key, as who presses "Try again" does.
    pub(crate) fn try_again(&mut self, form: &Form, text: &str) -> Written {
        let answer = self.try_submit(form, &[("text", text)]);
        // A connection that broke: it may have been saved or not.
        answer.map_or(Written::Other(0), |answer| answer.written())
    }

    /// Answers a post, given by its page.
    pub(crate) fn reply(&mut self, page: &str, text: &str) -> Answer {
        self.act(page, "/post", &[("text", text)])
    }

    /// Follows somebody.
    pub(crate) fn follow(&mut self, name: &str) -> Answer {
        self.act(&format!("/@{name}"), &format!("/@{name}/follow"), &[])
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Goes on with the cookies of another browser or of before, as a browser does that was only closed.
    pub(crate) fn keep_session(&mut self, cookies: &str) {
        let pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        self.cookies.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    /// All cookies, as the browser sends them.
    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join("; ")
    }

    fn take(
        &mut self,
        mut answer: ureq::http::Response<ureq::Body>,
    ) -> Result<Answer, ureq::Error> {
        let mut headers = Vec::new();
        for (key, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if key.as_str() == "set-cookie" {
                self.keep_cookie(&value);
            }
            headers.push((key.as_str().to_owned(), value));
        }
        let status = answer.status().as_u16();
        // A picture is no text, but its status and its headers are looked at all the same.
        let is_picture =
            headers.iter().any(|(key, value)| key == "content-type" && value.starts_with("image/"));
        let body = answer.body_mut().with_config().limit(PAGE_BYTES_MAX);
        let body = if is_picture {
            String::from_utf8_lossy(&body.read_to_vec()?).into_owned()
        } else {
            body.read_to_string()?
        };
        let location = headers.iter().find(|(key, _)| key == "location");
        let location = location.map(|(_, value)| value.clone());
        Ok(Answer { status, location, headers, body })
    }

    fn keep_cookie(&mut self, header: &str) {
        let pair = header.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else { return };
        if value.is_empty() || header.to_ascii_lowercase().contains("max-age=0") {
            self.cookies.remove(name.trim());
        } else {
            self.cookies.insert(name.trim().to_owned(), value.to_owned());
        }
    }
}
