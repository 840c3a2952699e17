//! Web servers, and writers at them: forms sent over kept connections, as browsers send them.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::browser::Browser;
use crate::client::{TRIES_MAX, Told, Writer, now};
use crate::form::Form;
use crate::harness::{PROGRAM, eventually};
use crate::machines::Machines;
use crate::person::Person;
use crate::ports::free_ports;

/// How long a web server may take to start.
const START: Duration = Duration::from_secs(30);

/// A web server, ended when dropped.
pub(crate) struct Web {
    child: Child,
    address: String,
}

impl Web {
    /// A web server that knows all machines, once it shows a page.
    pub(crate) fn start(all: &Machines) -> io::Result<Self> {
        Self::start_by(Command::new(PROGRAM), all)
    }

    /// The same, by a command that goes on with what is told the program.
    pub(crate) fn start_by(mut command: Command, all: &Machines) -> io::Result<Self> {
        let listen = format!("127.0.0.1:{}", free_ports(1));
        let backends: Vec<String> = (0..all.count()).map(|n| all.address(n)).collect();
        let child = command
            .arg("web")
            .arg(format!("--listen={listen}"))
            .arg(format!("--backends={}", backends.join(",")))
            .arg(format!("--key-file={}", all.key_file().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let web = Self { child, address: format!("http://{listen}") };
        let mut person = Person::new(&web.address, "nobody");
        eventually("the web server's first page", START, || person.try_get("/join").ok());
        Ok(web)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it is, as in a link.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // It may have ended already; it is waited for in any case.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A writer at one web server.
pub(crate) struct WebWriter {
    browser: Browser,
    told: Told,
}

impl WebWriter {
    /// One of the browsers in which somebody is signed in. Any web server takes the form and the
    /// session of any other.
    pub(crate) fn new(web: &Web, cookies: String, form: &Form) -> io::Result<Self> {
        let browser = Browser::poster(web.address(), cookies, form)?;
        Ok(Self { browser, told: Told::default() })
    }
}

impl Writer for WebWriter {
    fn post(&mut self) -> io::Result<()> {
        let began = now();
        for _ in 0..TRIES_MAX {
            if self.browser.try_post()? {
                self.told.waits.push(began.elapsed().as_secs_f64() * 1_000.0);
                return Ok(());
            }
            self.told.troubles += 1;
        }
        Err(io::Error::other("never saved"))
    }

    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}
