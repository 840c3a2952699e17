//! The table "What may go wrong, and which test shows what then" of ARCHITECTURE.md, row by row, with
//! real processes: what people see in their browsers, and that nothing acknowledged is lost.
//!
//! - `gone`: machines that die, freeze, are unplugged, come back (rows 1, 2 and 5).
//! - `disk`: disks that are wiped, put back, damaged or full (rows 3, 4 and 7).
//! - `network`: one machine is cut off from the two others (row 6).
//! - `clock`: the clock jumps (row 8).
//! - `browser`: the web server dies, and strangers send what nobody should (rows 9 and 10).

mod browser;
mod clock;
mod disk;
mod gone;
mod network;

use std::time::Duration;

use tern::clock::Clock;

use crate::cluster::files::{Disks, check_exactly_once, wait_for_agreement};
use crate::cluster::form::Form;
use crate::cluster::harness::eventually;
use crate::cluster::person::{Answer, Person, Written};
use crate::ports::free_ports;
use crate::torture::fleet::Fleet;
use crate::torture::machine::{Machine, Start};

/// How long whatever comes by itself may take on a busy machine.
const WAIT: Duration = Duration::from_millis(WAIT_MS);
const WAIT_MS: u64 = 25_000;
/// What a busy machine may add to what is promised.
const ALLOWANCE_MS: u64 = 750;

/// Three machines in step and a web server.
fn start() -> Fleet {
    let fleet = Fleet::start();
    wait_until_well(&fleet);
    fleet
}

/// Somebody who has not signed in.
fn person(fleet: &Fleet, name: &str) -> Person {
    Person::new(&fleet.site(), name)
}

/// A member.
fn member(fleet: &Fleet, name: &str) -> Person {
    let mut person = person(fleet, name);
    person.join();
    person
}

/// Waits until a page says all of that.
fn wait_for_page(site: &str, path: &str, words: &[&str]) -> String {
    let mut stranger = Person::new(site, "stranger");
    let mut last = String::new();
    let clock = Clock::system();
    loop {
        if let Ok(answer) = stranger.try_get(path) {
            last = answer.body;
        }
        if words.iter().all(|words| last.contains(words)) {
            return last;
        }
        assert!(clock.mono().0 < WAIT_MS, "{path} of {site} does not say {words:?}:\n{last}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits until the machines say of themselves that nothing is amiss, and the web server has heard it.
fn wait_until_well(fleet: &Fleet) {
    eventually("all is well with each machine", WAIT, || fleet.is_well().then_some(()));
    wait_for_page(&fleet.site(), "/status", &["All is well.", "3 of 3 machines"]);
}

/// Waits until everybody's file is the same everywhere, and looks for each of these posts in it.
fn check_kept<'a>(fleet: &Fleet, posts: impl IntoIterator<Item = &'a (String, Vec<String>)>) {
    wait_for_agreement(fleet);
    for (name, texts) in posts {
        check_exactly_once(fleet, name, texts);
    }
}

/// A post that must be saved at the first try, and the milliseconds of its two requests: for the form,
/// and with it.
fn post_timed(person: &mut Person, text: &str) -> [u64; 2] {
    let clock = Clock::system();
    let form = person.get("/").form("/post");
    let asked = clock.mono().0;
    let answer = person.submit(&form, &[("text", text)]);
    assert_eq!(answer.written(), Written::Saved, "{text}: {}", answer.body);
    [asked, clock.mono().0 - asked]
}

/// What stands in the text field of a page, as a person reads it.
fn kept_text(form: &Form) -> String {
    form.value("text").expect("a text").replace("\r\n", "\n")
}

/// Sends a form that cannot be saved now. The answer gives the text back, and says that nothing was saved,
/// or, if it may have reached a machine that fell silent only then, that this is not known.
fn refused(person: &mut Person, form: &Form, text: &str) -> (Answer, Form) {
    let answer = person.submit(form, &[("text", text)]);
    assert_eq!(answer.status, 503, "{}", answer.body);
    let written = answer.written();
    assert!(matches!(written, Written::NotSaved | Written::Unknown), "{}", answer.body);
    assert!(answer.header("retry-after").is_some());
    let form = answer.form("/post");
    assert_eq!(kept_text(&form), text);
    (answer, form)
}

/// The same, sent once more: what was not known stays so, for nobody who could tell has been asked.
fn refused_again(
    person: &mut Person,
    (answer, form): (&Answer, &Form),
    text: &str,
) -> (Answer, Form) {
    let (again, form) = refused(person, form, text);
    if answer.written() == Written::Unknown {
        assert_eq!(again.written(), Written::Unknown, "{}", again.body);
    }
    (again, form)
}

/// Sends a form until it is saved, always with its key.
fn saved_at_last(person: &mut Person, form: &Form, text: &str) {
    let clock = Clock::system();
    loop {
        let answer = person.submit(form, &[("text", text)]);
        if answer.written() == Written::Saved {
            return;
        }
        assert!(clock.mono().0 < WAIT_MS, "{} {}", answer.status, answer.body);
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A web server that knows one machine alone, as beside each machine there may be one.
struct OwnWeb {
    site: String,
    _process: Machine,
    _directory: tempfile::TempDir,
}

impl OwnWeb {
    fn start(fleet: &Fleet, n: usize) -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let address = format!("127.0.0.1:{}", free_ports(1));
        let args = [
            "web".to_owned(),
            format!("--listen={address}"),
            format!("--backends={}", fleet.door_addresses()[n]),
            fleet.key_option(),
        ];
        let mut process = Machine::new("own-web", directory.path());
        process.start(&args, &Start::default());
        let site = format!("http://{address}");
        wait_for_page(&site, "/public", &["of 3 machines"]);
        Self { site, _process: process, _directory: directory }
    }

    /// The browser of somebody who has signed in elsewhere on the same site.
    fn person(&self, other: &Person) -> Person {
        let mut person = Person::new(&self.site, &other.name);
        person.keep_session(&other.cookies());
        person
    }
}

/// The file of a user on a machine.
fn file(fleet: &Fleet, n: usize, user: &str) -> std::path::PathBuf {
    fleet.data_of(u16::try_from(n + 1).unwrap()).join(format!("users/{user}.jsonl"))
}
