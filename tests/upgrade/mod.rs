//! A rolling upgrade with real processes: a cluster set up and run by the program before this protocol
//! version, its machines restarted one by one with the present one while people write. The old program
//! is built by `make old-program`; without it this is left out, and says so.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tern::action::{Action, AvatarWish, EditProfile, Page, Untouched};
use tern::clock::{Clock, Mono};
use tern::limits::{BIO_CHARS_MAX, COMPACT_LOOK_MS, DEAD_BYTES_MIN};
use tern::wire::message::FEATURES;
use tern::wire::request::Outcome;

use crate::member::harness::{Caller, Machines, PROGRAM, eventually};

const ALL: [u16; 3] = [1, 2, 3];
const WRITERS: [&str; 3] = ["ada", "ben", "cyd"];
/// Posts that each writer must have saved between two steps.
const BETWEEN: usize = 3;
const RESTLESS: &str = "restless";

/// The program before this protocol version, if it was built.
pub(crate) fn old_program() -> Option<PathBuf> {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/old-tern");
    let path = std::env::var_os("TERN_OLD_PROGRAM").map_or_else(built, PathBuf::from);
    if !path.is_file() {
        eprintln!("left out: old and new program mixed; `make old-program` builds the old one");
        return None;
    }
    Some(path)
}

/// A cluster whose machines run one program or the other.
struct Mix {
    all: Machines,
    old: PathBuf,
    /// Machines that run the old one.
    older: Vec<u16>,
    /// One more who writes, at each step.
    witness: String,
    said: Vec<String>,
}

impl Mix {
    /// Set up and run by the old program, which does so by itself on empty directories.
    fn start(old: PathBuf) -> Self {
        let all = Machines::not_set_up(3);
        let (older, witness, said) = (ALL.to_vec(), String::new(), Vec::new());
        let mut mix = Self { all, old, older, witness, said };
        for number in ALL {
            mix.spawn(number);
        }
        for number in ALL {
            mix.all.wait_until_writable(number);
        }
        mix.join_restless();
        mix.witness = mix.all.join(1, "witness");
        mix
    }

    fn spawn(&mut self, number: u16) {
        let program = if self.older.contains(&number) { &self.old } else { Path::new(PROGRAM) };
        let peers = self.all.peers_option(3);
        self.all.spawn_as(program, number, Some(peers));
    }

    /// Somebody whose file says so little for its length that it is compacted where that is allowed.
    fn join_restless(&self) {
        let session = self.all.join(3, RESTLESS);
        let caller = self.all.caller();
        let bio = "\u{1f426}".repeat(BIO_CHARS_MAX - 4);
        let edits = 2 * DEAD_BYTES_MIN / bio.len() as u64;
        for number in 0..edits {
            let bio = format!("{bio}{number}");
            let edit = EditProfile {
                key: caller.key(),
                display_name: String::new(),
                bio,
                members_only: false,
                posts_for: None,
                avatar: AvatarWish::Keep,
                untouched: Untouched::default(),
            };
            let told = self.all.ask(3, Some(&session), Action::EditProfile(edit)).unwrap();
            assert!(matches!(told.data.outcome, Outcome::Saved(_)), "{:?}", told.data.outcome);
        }
    }

    /// Restarts a machine with this program.
    fn change_to(&mut self, number: u16, is_old: bool) {
        self.all.kill(number);
        self.older.retain(|older| *older != number);
        if is_old {
            self.older.push(number);
        }
        self.spawn(number);
        self.all.wait_until_writable(number);
    }

    /// A post saved through each of these machines, and shown by it to who wrote it.
    fn writes_through(&mut self, numbers: &[u16]) {
        for &number in numbers {
            let text = format!("witness {}", self.said.len());
            self.all.post(number, &self.witness, &text);
            eventually(&format!("machine {number} to show {text:?}"), || {
                let home = Action::Home(Page::default());
                match self.all.ask(number, Some(&self.witness), home).ok()?.data.outcome {
                    Outcome::Posts(page) => page.posts.iter().any(|post| post.text == text),
                    _ => false,
                }
                .then_some(())
            });
            self.said.push(text);
        }
    }

    /// Each machine writes; then each is killed in turn, and the two others must do alone, whichever
    /// programs they run.
    fn each_pair_writes(&mut self) {
        self.writes_through(&ALL);
        for gone in ALL {
            let rest = ALL.into_iter().filter(|number| *number != gone).collect::<Vec<_>>();
            self.all.kill(gone);
            self.writes_through(&rest);
            // Nobody speaks of this one again: only a comparison of all users finds it.
            let once = format!("once{}", self.said.len());
            self.all.join(rest[0], &once);
            self.spawn(gone);
            self.all.wait_until_writable(gone);
            let file = self.all.data(gone).join(format!("users/{once}.jsonl"));
            eventually("what was missed to be fetched", || file.exists().then_some(()));
        }
    }

    /// That the old program can read all of it: neither a snapshot nor another format.
    fn is_of_old_format(&self) {
        for number in ALL {
            let node = self.node_file(number);
            assert_eq!((&node["format"], &node["epoch"]), (&1.into(), &1.into()), "{node}");
            assert!(!has_snapshot(&self.all.data(number)), "machine {number}");
        }
    }

    fn node_file(&self, number: u16) -> serde_json::Value {
        let text = std::fs::read(self.all.data(number).join("node.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// Writes until it is over, each post through the next machine until one says that it is saved.
/// Counts them, and says which they were.
fn write(caller: &Caller, (name, session): (&str, &str), saved: &AtomicUsize, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let count = saved.load(Ordering::Relaxed);
        let mut post = caller.new_post(&text_of(name, count));
        // So many were done before: else it would be too old at some time.
        post.key.ops = count as u64;
        let mut numbers = ALL.into_iter().cycle().skip(count);
        eventually(&format!("post {count} of {name} to be saved"), || {
            caller.is_saved(numbers.next()?, session, &post).then_some(())
        });
        saved.store(count + 1, Ordering::Relaxed);
    }
}

fn text_of(name: &str, count: usize) -> String {
    format!("{name} {count}.")
}

/// The files of a directory and of those in it, by path, but for those that a running machine renames
/// meanwhile.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            match std::fs::read(&path) {
                Ok(bytes) => drop(found.insert(path, bytes)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{}", path.display()),
            }
        }
    }
    found
}

fn has_snapshot(data: &Path) -> bool {
    let users = files(&data.join("users"));
    users.values().any(|bytes| String::from_utf8_lossy(bytes).contains(r#""k":"s""#))
}

/// Waits until all machines hold the same file of this user, with each of these posts once in it.
fn hold_once(all: &Machines, name: &str, texts: &[String]) {
    let file =
        |number| std::fs::read_to_string(all.data(number).join(format!("users/{name}.jsonl"))).ok();
    let same = eventually(&format!("{name}'s file to be the same everywhere"), || {
        let one = file(1)?;
        ALL.into_iter().all(|number| file(number).as_ref() == Some(&one)).then_some(one)
    });
    for text in texts {
        assert_eq!(same.matches(&format!("\"{text}\"")).count(), 1, "{text:?} in {same}");
    }
}

#[test]
fn machines_restarted_one_by_one_with_the_new_program_lose_nothing() {
    let Some(old) = old_program() else { return };
    let mut mix = Mix::start(old);
    let sessions = WRITERS.map(|name| mix.all.join(2, name));
    let saved = WRITERS.map(|_| AtomicUsize::new(0));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Else the writers would go on after a failure.
        let _over = Over(&over);
        let caller = mix.all.caller();
        for ((name, session), saved) in WRITERS.iter().zip(&sessions).zip(&saved) {
            let (caller, over) = (&caller, &over);
            let caller = caller.clone();
            scope.spawn(move || write(&caller, (name, session), saved, over));
        }
        let go_on = || {
            let before = saved.each_ref().map(|count| count.load(Ordering::Relaxed));
            for (count, before) in saved.iter().zip(before) {
                eventually("the writers to go on", || {
                    (count.load(Ordering::Relaxed) >= before + BETWEEN).then_some(())
                });
            }
        };
        roll(&mut mix, &go_on);
    });
    let said = |count: &AtomicUsize, name| {
        (0..count.load(Ordering::Relaxed)).map(|count| text_of(name, count)).collect::<Vec<_>>()
    };
    for (name, count) in WRITERS.iter().zip(&saved) {
        hold_once(&mix.all, name, &said(count, name));
    }
    hold_once(&mix.all, "witness", &mix.said);
    finish(&mut mix);
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One machine after the other, with a step back in between.
fn roll(mix: &mut Mix, go_on: &dyn Fn()) {
    go_on();
    let clock = Clock::system();
    let mut began = Mono::default();
    for number in ALL {
        mix.change_to(number, false);
        began = clock.mono();
        go_on();
        mix.each_pair_writes();
        mix.is_of_old_format();
        if number == 2 {
            mix.all.change(&["upgrade", "finish"], 1).refused(4, "machine 3");
            mix.change_to(1, true);
            mix.each_pair_writes();
            mix.change_to(1, false);
            go_on();
        }
    }
    // Each has looked for what it might compact by now, and must have left it.
    let looked = began.plus_ms(COMPACT_LOOK_MS * 3 / 2);
    eventually("a look at what to compact", || (clock.mono() >= looked).then_some(()));
    go_on();
    mix.is_of_old_format();
}

/// Once what is new is in use, the old program starts on none of the directories and touches nothing.
fn finish(mix: &mut Mix) {
    mix.all.change(&["upgrade", "finish"], 1).done();
    for number in ALL {
        mix.all.wait_until_open(number, &ALL);
    }
    for number in ALL {
        let features = || Some(mix.all.held(number)?.offer.current.features);
        eventually("the upgrade to be finished", || (features()? == FEATURES).then_some(()));
    }
    for number in ALL {
        mix.all.kill(number);
        let before = files(&mix.all.data(number));
        let log = mix.all.said(number).len();
        mix.older.push(number);
        mix.spawn(number);
        assert_eq!(mix.all.ended(number).code(), Some(3), "the old program on machine {number}");
        assert!(mix.all.said(number)[log..].contains("newer"), "{}", mix.all.said(number));
        assert!(files(&mix.all.data(number)) == before, "the old program touched machine {number}");
        mix.older.clear();
        mix.spawn(number);
        mix.all.wait_until_open(number, &ALL);
    }
    mix.writes_through(&ALL);
    // Now it may, so that none before was for want of anything to compact.
    eventually("all machines to compact", || {
        ALL.into_iter().all(|number| has_snapshot(&mix.all.data(number))).then_some(())
    });
}
