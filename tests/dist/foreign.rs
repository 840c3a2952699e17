//! Programs for other kinds of machines, as `make dist` left them in `target/dist`, run by qemu: three
//! backends and a web server, of which one backend dies. Without such a program or without qemu this is
//! left out, and says so.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tern::action::{Action, Page};
use tern::wire::request::Outcome;

use crate::cluster::harness::{eventually, take_turn};
use crate::cluster::person::{Person, Written};
use crate::cluster::story::permalink;
use crate::member::harness::Machines;
use crate::ports::free_ports;

const ALL: [u16; 3] = [1, 2, 3];
/// What is emulated takes ten times as long, and passwords are slow by intent.
const WAIT: Duration = Duration::from_mins(1);

/// A cluster of programs for another kind of machine; ended when dropped.
struct Foreign {
    all: Machines,
    /// A program for this machine that runs the other one.
    program: PathBuf,
    web: Option<Child>,
    port: u16,
}

/// The program for a kind of machine, if it was made and can be run.
fn program(kind: &str, emulator: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("target/dist/tern-{}-{kind}", env!("CARGO_PKG_VERSION")));
    if !path.is_file() {
        println!("left out: no {}; `make dist` makes it where it can", path.display());
        return None;
    }
    let version = Command::new(emulator).arg(&path).arg("--version").output();
    let Ok(version) = version else {
        println!("left out: {emulator} is not here (Debian: apt-get install qemu-user)");
        return None;
    };
    let told = String::from_utf8_lossy(&version.stdout).into_owned();
    assert_eq!(told.trim(), concat!("tern ", env!("CARGO_PKG_VERSION")), "{version:?}");
    Some(path)
}

impl Foreign {
    fn start(path: &Path, emulator: &str) -> Self {
        let all = Machines::not_set_up(3);
        let program = all.dir.path().join("foreign");
        let text = format!("#!/bin/sh\nexec {emulator} {} \"$@\"\n", path.display());
        // Written by a process of its own: none that is forked meanwhile holds it open for writing.
        let script = format!("cat >'{0}' && chmod 755 '{0}'", program.display());
        let mut writing = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn();
        let child = writing.as_mut().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(program.metadata().unwrap().permissions().mode() & 0o777, 0o755);

        let mut foreign = Self { all, program, web: None, port: free_ports(1) };
        for number in ALL {
            foreign.set_up(number);
        }
        for number in ALL {
            foreign.spawn(number);
        }
        for number in ALL {
            foreign.all.wait_until_writable(number);
        }
        foreign.start_web();
        foreign
    }

    fn set_up(&self, number: u16) {
        let mut command = Command::new(&self.program);
        command.args(["cluster", "init"]).arg(format!("--node={number}"));
        command.arg(format!("--data={}", self.all.data(number).display()));
        command.arg(self.all.peers_option(3)).arg(self.all.key_option());
        let out = command.stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{out:?}");
    }

    fn spawn(&mut self, number: u16) {
        self.all.spawn_as(&self.program, number, None);
    }

    fn start_web(&mut self) {
        let log = std::fs::File::create(self.all.dir.path().join("log-web")).unwrap();
        let backends: Vec<_> = ALL.iter().map(|number| self.all.address(*number)).collect();
        let mut command = Command::new(&self.program);
        command.args(["web".to_owned(), format!("--listen=127.0.0.1:{}", self.port)]);
        command.arg(format!("--backends={}", backends.join(","))).arg(self.all.key_option());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.web = Some(command.spawn().unwrap());
        let mut stranger = self.person("stranger");
        eventually("the web server", WAIT, || {
            (stranger.try_get("/readyz?writes=1").ok()?.status == 200).then_some(())
        });
    }

    fn person(&self, name: &str) -> Person {
        Person::new(&format!("http://127.0.0.1:{}", self.port), name)
    }

    /// Waits until each machine shows all of these texts when it is asked itself.
    fn all_show(&self, texts: &[&str]) {
        for number in ALL {
            eventually(&format!("machine {number} to show {texts:?}"), WAIT, || {
                let asked = self.all.ask(number, None, Action::Everyone(Page::default()));
                let Outcome::Posts(page) = asked.ok()?.data.outcome else { return None };
                let shows = |text: &&str| page.posts.iter().any(|post| post.text == **text);
                texts.iter().all(shows).then_some(())
            });
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Some(web) = &mut self.web {
            let _gone = web.kill();
            let _gone = web.wait();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.all.dir.path().join("log-web"));
            eprintln!("--- web\n{}", log.unwrap_or_default());
        }
    }
}

/// Posts until it is saved, always the same form again: a machine may just have died.
pub(crate) fn post(person: &mut Person, text: &str) {
    let (mut written, form) = person.try_post(text);
    let form = form.unwrap_or_else(|| panic!("no form for {text:?}"));
    eventually(&format!("{text:?} to be saved"), WAIT, || {
        if written != Written::Saved {
            written = person.try_again(&form, text);
        }
        (written == Written::Saved).then_some(())
    });
}

pub(crate) fn sees(person: &mut Person, page: &str, text: &str) {
    let what = format!("{page} shows {text}");
    eventually(&what, WAIT, || person.try_get(page).ok()?.body.contains(text).then_some(()));
}

/// Two join; one follows the other, and answers what they read.
pub(super) fn they_meet(ada: &mut Person, ben: &mut Person) {
    ada.join();
    ben.join();
    post(ada, "The kettle is on.");
    assert_eq!(ben.follow("ada").status, 303);
    sees(ben, "/", "The kettle is on.");
    let thread = permalink(&ben.get("/@ada").body, "ada");
    assert_eq!(ben.reply(&thread, "On my way.").written(), Written::Saved);
    sees(ada, &thread, "On my way.");
}

/// Two people and three machines of this kind, of which one dies.
fn main_story(kind: &str, emulator: &str) {
    let Some(path) = program(kind, emulator) else { return };
    let _turn = take_turn();
    let mut foreign = Foreign::start(&path, emulator);
    let (mut ada, mut ben) = (foreign.person("ada"), foreign.person("ben"));
    they_meet(&mut ada, &mut ben);

    foreign.all.kill(2);
    post(&mut ada, "One machine less, and the tea is ready.");
    post(&mut ben, "I bring cake.");
    foreign.spawn(2);
    foreign.all.wait_until_writable(2);
    foreign.all_show(&[
        "The kettle is on.",
        "One machine less, and the tea is ready.",
        "I bring cake.",
    ]);
    for number in ALL {
        foreign.all.wait_until_held_once(number, "ben", &["On my way.".to_owned()]);
    }
    sees(&mut ben, "/", "the tea is ready");
}

#[test]
fn main_story_of_arm64_under_qemu() {
    main_story("aarch64", "qemu-aarch64");
}

#[test]
fn main_story_of_armv7_under_qemu() {
    main_story("armv7", "qemu-arm");
}
