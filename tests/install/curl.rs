//! Somebody at a browser that speaks https, knows the certificate, and keeps no cookie that a browser
//! would not keep: curl.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::cluster::form::{Form, IN_PARTS, encode, forms};

/// The site's name.
pub(super) const NAME: &str = "tern.example.org";

/// Makes the start of each command: in which namespaces it runs.
type Begin<'a> = Box<dyn Fn() -> Command + 'a>;

/// Somebody with a jar of cookies.
pub(super) struct Visitor<'a> {
    begin: Begin<'a>,
    /// Where the site's name leads, as HOST:PORT.
    pub(super) to: String,
    options: Vec<String>,
    certificate: PathBuf,
    jar: tempfile::NamedTempFile,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    /// The heads' lines, in lower case.
    pub(super) head: String,
    pub(super) body: String,
}

impl<'a> Visitor<'a> {
    /// Of a site whose name leads to `to`.
    pub(super) fn new(begin: Begin<'a>, to: &str, certificate: &Path) -> Self {
        let (to, options) = (to.to_owned(), Vec::new());
        let (certificate, jar) = (certificate.to_owned(), tempfile::NamedTempFile::new().unwrap());
        Self { begin, to, options, certificate, jar }
    }

    /// On this computer, coming from that address of it.
    pub(super) fn from(address: &str, to: &str, certificate: &Path) -> Self {
        let visitor = Self::new(Box::new(|| Command::new("curl")), to, certificate);
        Self { options: vec!["--interface".to_owned(), address.to_owned()], ..visitor }
    }

    /// The site's name leads elsewhere from now on.
    pub(super) fn go_to(&mut self, to: &str, certificate: &Path) {
        (self.to, self.certificate) = (to.to_owned(), certificate.to_owned());
    }

    /// Says this head line too.
    pub(super) fn saying(mut self, line: &str) -> Self {
        self.options.extend(["--header".to_owned(), line.to_owned()]);
        self
    }

    /// Asks for a page.
    pub(super) fn get(&self, path: &str) -> Page {
        self.ask(path, None).unwrap_or_else(|why| panic!("GET {path}: {why}"))
    }

    /// Sends a form of this site.
    pub(super) fn send(&self, form: &Form, filled: &[(&str, &str)]) -> Page {
        let body = encode(&form.filled(filled));
        let asked = self.ask(&form.action, Some(&body));
        asked.unwrap_or_else(|why| panic!("POST {}: {why}", form.action))
    }

    /// Opens a page, fills in its form to `action` and sends it.
    pub(super) fn act(&self, page: &str, action: &str, filled: &[(&str, &str)]) -> Page {
        self.send(&self.get(page).form(action), filled)
    }

    /// Makes an account, and tells what came back.
    pub(super) fn try_join(&self, name: &str) -> Page {
        let password = format!("seven lamps of {name} at the gate");
        self.act("/join", "/join", &[("username", name), ("password", &password)])
    }

    /// Makes an account and is signed in.
    pub(super) fn join(&self, name: &str) {
        let page = self.try_join(name);
        assert_eq!(page.status, 303, "{name} joins: {page:?}");
    }

    /// Writes a post that is saved.
    pub(super) fn post(&self, text: &str) {
        let page = self.act("/", "/post", &[("text", text)]);
        assert_eq!(page.status, 303, "{text:?}: {page:?}");
    }

    /// Begins to send a body of so many bytes, as slowly as a modem of 1984, and does not wait for it.
    pub(super) fn send_slowly(&self, path: &str, bytes: usize) -> Child {
        let mut curl = self.command(path, true);
        let curl = curl.args(["--limit-rate", "1k"]).stdin(Stdio::piped());
        let mut child = curl.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all("text=".repeat(bytes / 5).as_bytes()).unwrap();
        child
    }

    fn command(&self, path: &str, has_body: bool) -> Command {
        let mut curl = (self.begin)();
        let jar = self.jar.path();
        curl.args(["--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "25"]);
        curl.args(["--connect-to", &format!("{NAME}:443:{}", self.to)]).args(&self.options);
        curl.arg("--cacert").arg(&self.certificate);
        curl.arg("--cookie").arg(jar).arg("--cookie-jar").arg(jar);
        if has_body {
            let origin = format!("Origin: https://{NAME}");
            curl.args(["--header", &origin, "--header", "Sec-Fetch-Site: same-origin"]);
            // A browser does not ask first whether it may send the rest.
            curl.args(["--header", "Expect:", "--data-binary", "@-"]);
        }
        curl.arg(format!("https://{NAME}{path}"));
        curl
    }

    /// Asks, and tells what came back, if anything did.
    pub(super) fn ask(&self, path: &str, body: Option<&str>) -> Result<Page, String> {
        run(self.command(path, body.is_some()), body.unwrap_or_default().as_bytes())
    }

    /// Sends a form of this site with a file, saying these head lines too.
    pub(super) fn send_file(
        &self,
        form: &Form,
        file: (&str, &[u8]),
        heads: &[&str],
    ) -> Result<Page, String> {
        let mut curl = self.command(&form.action, true);
        curl.args(["--header", &format!("Content-Type: {IN_PARTS}")]);
        for head in heads {
            curl.args(["--header", head]);
        }
        run(curl, &form.in_parts(&[], &[file]))
    }
}

/// Has curl send this, and tells what came back.
fn run(mut curl: Command, body: &[u8]) -> Result<Page, String> {
    let curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = curl.spawn().unwrap();
    // It may have refused to connect, and then reads nothing.
    let _sent = child.stdin.take().unwrap().write_all(body);
    let out = child.wait_with_output().unwrap();
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or("no status")?;
    Ok(Page { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

impl Page {
    /// The form of this page that goes to `action`.
    pub(super) fn form(&self, action: &str) -> Form {
        let found = forms(&self.body).into_iter().find(|form| form.action == action);
        found.unwrap_or_else(|| panic!("no form to {action}: {self:?}"))
    }
}
