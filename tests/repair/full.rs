//! What is told while disks are full. A limit on the length of files stands for a disk's end: whoever writes
//! beyond it is refused in the same way, and nobody needs a right for it.

use std::process::Command;

use tern::action::{Action, Keyed, Login, NewPost, Opening, Page, ThreadOf, Whom};
use tern::auth::session::Token;
use tern::clock::Wall;
use tern::id::{Hash128, PostId, UserName};
use tern::limits::{USER_FILE_BYTES_MAX, USER_FILE_ROOM_BYTES};
use tern::replica::version::Version;
use tern::store::line::{Kind, NewLine, encode};
use tern::store::scan::scan;
use tern::user::entry::{Entry, PostRef};
use tern::wire::request::{Outcome, Refusal};

use super::harness::{Machines, eventually};
use super::wait_equal;

/// The longest file of a machine with a full disk, in blocks of half a KiB: a log and some posts.
const BLOCKS: u32 = 512;

/// Starts a machine whose files cannot grow beyond that.
fn spawn_limited(all: &mut Machines, n: usize) {
    let script = format!("trap '' XFSZ; ulimit -S -f {BLOCKS}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_tern")]);
    let addresses: Vec<String> = (0..all.count()).map(|n| all.address(n)).collect();
    all.spawn_by(command, n, &addresses);
}

/// Posts until it is refused; what was told, and how many were saved.
fn post_until_refused(all: &Machines, session: &mut String) -> (Outcome, usize) {
    let text = "\u{1F426}".repeat(490);
    let mut saved = 0;
    let refused = eventually(|| match all.try_post(0, session, &text)? {
        Outcome::Saved(_) => {
            saved += 1;
            None
        }
        Outcome::Refused(Refusal::Busy { .. }) => None,
        refused => Some(refused),
    });
    (refused, saved)
}

/// Of a machine alone its own refusal is all there is to know: nothing is saved, and nobody needs to wonder.
#[test]
fn r0061_full_disk_of_a_lone_machine_told_as_that() {
    let mut all = Machines::start(1);
    let mut ada = all.join(0, "ada");
    all.kill(0);
    spawn_limited(&mut all, 0);
    all.wait_until_writable(0);
    let (refused, saved) = post_until_refused(&all, &mut ada);
    assert_eq!(refused, Outcome::Refused(Refusal::NoSpace));
    all.kill(0);
    all.spawn(0);
    all.wait_until_writable(0);
    all.post(0, &mut ada, "there is room again");
    let posts = std::fs::read_to_string(all.file(0, "ada")).unwrap();
    assert_eq!(posts.matches("\u{1F426} ").count() + posts.matches("\u{1F426}\"").count(), saved);
}

/// Two that have no room are two that do not vote, on the third machine's page as well.
#[test]
fn r0062_full_disks_are_no_machines_to_save_on() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    (0..2).for_each(|n| all.kill(n));
    (0..2).for_each(|n| spawn_limited(&mut all, n));
    (0..3).for_each(|n| all.wait_until_writable(n));
    let (refused, _) = post_until_refused(&all, &mut ada);
    assert_eq!(refused, Outcome::Refused(Refusal::Unknown), "one machine has it");
    let says_so = |n: usize| all.status(n).is_some_and(|page| !page.writes);
    (0..3).for_each(|n| eventually(|| says_so(n).then_some(())));
    // Known beforehand, it is left on no disk.
    (0..3).for_each(|n| {
        let told = all.try_post(n, &mut ada, "to be kept nowhere");
        assert_eq!(told, Some(Outcome::Refused(Refusal::NoSpace)));
    });
    // Nobody sends a write to find out.
    (0..2).for_each(|n| all.let_files_grow(n));
    (0..3).for_each(|n| all.wait_until_writable(n));
    all.post(0, &mut ada, "there is room again");
    wait_equal(&all, "ada");
    assert!(!std::fs::read_to_string(all.file(2, "ada")).unwrap().contains("nowhere"));
}

/// A machine that is gone has no room either.
#[test]
fn r0167_full_disk_beside_a_machine_that_is_gone_is_told_as_that() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.kill(1);
    spawn_limited(&mut all, 1);
    (0..3).for_each(|n| all.wait_until_writable(n));
    all.kill(2);
    eventually(|| all.status(0).filter(|page| page.machines[2].down_since.is_some()));
    let (refused, _) = post_until_refused(&all, &mut ada);
    assert_eq!(refused, Outcome::Refused(Refusal::Unknown), "this machine has it");
    eventually(|| all.status(0).filter(|page| !page.writes));
    let told = all.try_post(0, &mut ada, "to be kept nowhere");
    assert_eq!(told, Some(Outcome::Refused(Refusal::NoSpace)));
    assert!(!std::fs::read_to_string(all.file(0, "ada")).unwrap().contains("nowhere"));
}

/// Signing in.
fn sign_in(all: &Machines, n: usize, name: &str) -> String {
    let token = Token::generate().unwrap().secret().to_owned();
    let (device, address) = ("another test".to_owned(), "127.0.0.1".to_owned());
    let login = Action::Login(Login {
        key: all.new_post("").key,
        username: name.to_owned(),
        password: "a quiet gull sleeps".to_owned(),
        opening: Opening { token, device, address },
    });
    let (signed_in, _) = all.ask_beside(n, None, login, &[]).unwrap();
    signed_in.session.unwrap_or_else(|| panic!("{:?}", signed_in.data.outcome))
}

/// Posts by way of the second machine until the first one's disk is full.
fn fill_first(all: &mut Machines, session: &mut String) {
    all.kill(0);
    spawn_limited(all, 0);
    (0..3).for_each(|n| all.wait_until_writable(n));
    while all.status(0).is_none_or(|page| page.machines[0].refuses.is_none()) {
        all.post(1, session, &"\u{1F426}".repeat(490));
    }
}

/// What it lacks everybody else may read; of when its lists are stands on them, and another machine is asked.
#[test]
fn r0180_full_disk_says_of_when_its_lists_are() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    let stale_since = |all: &Machines, n: usize| {
        let everyone = Action::Everyone(Page::default());
        let (told, _) = all.ask_beside(n, None, everyone, &[]).unwrap();
        assert!(matches!(told.data.outcome, Outcome::Posts(_)), "{:?}", told.data.outcome);
        told.data.cluster.stale_since
    };
    (0..3).for_each(|n| eventually(|| stale_since(&all, n).is_none().then_some(())));
    fill_first(&mut all, &mut ada);
    all.post(1, &mut ada, "kept by two");
    let since = eventually(|| stale_since(&all, 0));
    let last = all.posts(1, "ada")[0].id.at_ms();
    assert!(since.0.abs_diff(last) < 10_000, "{since:?} {last}");
    assert_eq!((stale_since(&all, 1), stale_since(&all, 2)), (None, None));
    // It looks again and again, and knows it all the time; and not each time is it said that it does.
    let compared = || all.log(0).matches("compared with peers").count();
    let before = compared();
    for _ in 0..200 {
        assert_eq!(stale_since(&all, 0), Some(since));
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    assert!(compared() <= before + 1, "r0273: every five seconds, for as long as it is full");
    // Nor once it was started anew, when it does not know any more since when.
    all.kill(0);
    spawn_limited(&mut all, 0);
    eventually(|| all.status(0));
    eventually(|| stale_since(&all, 0));
    all.let_files_grow(0);
    eventually(|| stale_since(&all, 0).is_none().then_some(()));
    wait_equal(&all, "ada");
}

/// The two others saved what this one has no room for, and it is the one to know that it lacks it.
#[test]
fn r0160_full_disk_keeps_no_session_and_says_of_nothing_that_it_is_not_there() {
    let mut all = Machines::start(3);
    let first = all.join(0, "ada");
    let mut second = sign_in(&all, 0, "ada");
    let mut ben = all.join(0, "ben");
    let mut cleo = all.join(0, "cleo");
    all.post(0, &mut second, "first words");
    wait_equal(&all, "ada");
    let first_words = all.posts(0, "ada").first().unwrap().id;
    fill_first(&mut all, &mut ben);
    for number in 0..BLOCKS / 4 {
        all.post(1, &mut second, &format!("{number} {}", "\u{1F426}".repeat(490)));
    }
    let ada: UserName = "ada".parse().unwrap();
    let block =
        Action::Block(Whom { key: all.new_post("").key, username: "cleo".parse().unwrap() });
    let (blocked, _) = all.ask_beside(1, Some(&second), block, &[]).unwrap();
    assert!(matches!(blocked.data.outcome, Outcome::Saved(_)), "{:?}", blocked.data.outcome);
    let is_open = |all: &Machines, n: usize| {
        let (told, _) = all.ask_beside(n, Some(&first), Action::CheckSession, &[]).unwrap();
        (told.data.outcome, told.session.is_some())
    };
    assert!(is_open(&all, 1).1);
    let key = all.new_post("").key;
    let end = Action::EndOtherSessions(Keyed { key });
    let (ended, _) = all.ask_beside(1, Some(&second), end, &[]).unwrap();
    assert!(matches!(ended.data.outcome, Outcome::Saved(_)), "{:?}", ended.data.outcome);
    let (told, is_trusted) = is_open(&all, 0);
    assert!(!is_trusted, "{told:?}");
    assert_eq!(is_open(&all, 1), (Outcome::Checked, false));
    // Nor does it take from anybody what they may not do any more by what it lacks.
    let reply_to = Some(PostRef { user: ada.clone(), id: first_words });
    let reply = Action::Post(NewPost { reply_to, ..all.new_post("still here") });
    let (told, _) = all.ask_beside(0, Some(&cleo), reply, &[]).unwrap();
    assert_eq!(told.data.outcome, Outcome::Refused(Refusal::Behind));
    // Whatever it is asked of what it lacks, it does not say that there is nothing.
    let id = all.posts(1, "ada").first().unwrap().id;
    let post = PostRef { user: ada, id };
    // Nor does it let anybody act by what keepers said long ago, once it knows that others know more.
    eventually(|| {
        let told = all.try_post(0, &mut cleo, "still here")?;
        (told == Outcome::Refused(Refusal::Behind)).then_some(())
    });
    let thread = Action::Thread(ThreadOf { post, after: None, limit: None, posted: None });
    let is_known = |all: &Machines| all.ask_beside(0, None, thread.clone(), &[]).unwrap().0;
    assert_eq!(is_known(&all).data.outcome, Outcome::Refused(Refusal::Behind));
    // Nor once it was started anew, and compared what it holds with the others.
    all.kill(0);
    let compared = |all: &Machines| all.log(0).matches("compared with peers").count();
    let before = compared(&all);
    spawn_limited(&mut all, 0);
    eventually(|| (compared(&all) > before).then_some(()));
    let (told, is_trusted) = is_open(&all, 0);
    assert!(!is_trusted, "{told:?}");
    assert_eq!(is_known(&all).data.outcome, Outcome::Refused(Refusal::Behind));
}

/// A user's file that goes on with posts, a hundred in a line, until it has `len` bytes.
fn grown(mut file: Vec<u8>, len: usize) -> Vec<u8> {
    let mut base = (Version::ZERO, Hash128::default());
    scan(&file, &mut |line| base = (line.version, line.hash));
    let mut number = 0;
    while file.len() < len {
        let posts = if len - file.len() > 400_000 { 100 } else { 1 };
        let entries: Vec<Entry> = (0..posts)
            .map(|_| {
                number += 1;
                Entry::Posted {
                    at: Wall(1_700_000_000_000),
                    id: PostId::from_raw(number),
                    text: "\u{1F426}".repeat(490),
                    reply_to: None,
                    note: None,
                    pictures: Vec::new(),
                    sensitive: false,
                }
            })
            .collect();
        let version = Version { seq: base.0.seq + 1, ..base.0 };
        let (kind, requests, entries) = (Kind::Delta, &[][..], &entries[..]);
        let (before, base_hash) = base;
        let new =
            NewLine { version, base: before, base_hash, com: before, kind, requests, entries };
        let line = encode(&new);
        file.extend_from_slice(&line.bytes);
        base = (version, line.hash);
    }
    file
}

/// Signing in is a line as well, and so is taking a post back.
#[test]
fn r0080_full_account_let_in_and_emptied() {
    let mut all = Machines::start(1);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    all.kill(0);
    let path = all.file(0, "ada");
    let full = grown(std::fs::read(&path).unwrap(), USER_FILE_BYTES_MAX - USER_FILE_ROOM_BYTES);
    std::fs::write(&path, &full).unwrap();
    all.spawn(0);
    all.wait_until_writable(0);
    let told = all.try_post(0, &mut ada, "one more");
    assert_eq!(told, Some(Outcome::Refused(Refusal::Full)));
    let mut again = sign_in(&all, 0, "ada");
    assert_eq!(all.delete_all(0, &mut again, "\u{1F426}"), 29, "a page, but for the first words");
    assert!(std::fs::metadata(&path).unwrap().len() > full.len() as u64);
}
