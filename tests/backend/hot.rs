//! Many people at one user: the requests that wait share lines, and each is done exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::Signal;
use tern::action::{Action, NewPost, OnePost, RequestKey};
use tern::id::{PostId, RequestId};
use tern::wire::request::{Outcome, Refusal, Request, Saved};

use super::{Backends, WAIT, eventually, is_for_later, joined};

/// Clients at once.
const CLIENTS: u64 = 32;
/// Posts that each makes.
const POSTS: u64 = 6;

fn key(number: u64) -> RequestKey {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_le_bytes());
    id[15] = 1;
    RequestKey { ops: 0, id: RequestId(id) }
}

fn post(session: &str, number: u64, text: &str) -> Request {
    let action = NewPost {
        key: key(number),
        text: text.to_owned(),
        reply_to: None,
        note: String::new(),
        pictures: Vec::new(),
        sent: Vec::new(),
        sensitive: false,
        for_everybody: false,
    };
    Request {
        session: Some(session.to_owned()),
        read_to: None,
        need: None,
        action: Action::Post(action),
    }
}

/// One client's connection to a machine, kept as a web server keeps it.
struct Client<'a> {
    all: &'a Backends,
    connection: tern::transport::connection::Connection,
}

impl<'a> Client<'a> {
    fn new(all: &'a Backends, n: usize) -> Self {
        Self { all, connection: all.connect(n).unwrap() }
    }

    fn ask(&mut self, request: &Request) -> Outcome {
        self.connection.send(&serde_json::to_vec(request).unwrap(), &[], WAIT).unwrap();
        let frame = self.connection.receive(tern::limits::FRAME_BYTES_MAX, WAIT).unwrap();
        let response: tern::wire::request::Response =
            serde_json::from_slice(&frame.header).unwrap();
        response.data.outcome
    }

    /// Sends the same request until its outcome is known, as a form does.
    fn until_known(&mut self, request: &Request) -> Outcome {
        let clock = tern::clock::Clock::system();
        let deadline = clock.mono().plus_ms(60_000);
        loop {
            let told = self.ask(request);
            if !is_for_later(&told) {
                return told;
            }
            assert!(clock.mono() < deadline, "no outcome in a minute");
        }
    }

    fn saved(&mut self, request: &Request) -> Saved {
        match self.until_known(request) {
            Outcome::Saved(saved) => saved,
            other => panic!("not saved: {other:?} (data in {})", self.all.data(0).display()),
        }
    }
}

/// The posts' texts in a machine's file of ada, line by line.
fn lines(all: &Backends, n: usize) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(all.data(n).join("users/ada.jsonl")).unwrap();
    let texts = |line: &str| -> Vec<String> {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let entries = line["d"].as_array().unwrap().iter();
        entries.filter_map(|entry| entry["text"].as_str().map(str::to_owned)).collect()
    };
    // The last line may be half written.
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(texts).collect()
}

/// The posts' texts in a machine's file of ada, each with how often it stands there, and how many
/// lines brought one.
fn file(all: &Backends, n: usize) -> (BTreeMap<String, u64>, u64) {
    let (mut posts, mut count) = (BTreeMap::new(), 0);
    for texts in lines(all, n) {
        let before = posts.len();
        for text in texts {
            *posts.entry(text).or_default() += 1;
        }
        count += u64::from(posts.len() > before);
    }
    (posts, count)
}

/// What one client of `hot_user_...` does: its own posts, each sent twice, one that all send, a
/// refusal, and a conflict. The receipts of its own posts, and of the common one.
fn act(client: &mut Client<'_>, session: &str, number: u64) -> (Vec<PostId>, PostId) {
    let mut own = Vec::new();
    for post_number in 0..POSTS {
        let text = format!("post {post_number} of client {number}");
        let request = post(session, 1_000 + number * POSTS + post_number, &text);
        let first = client.saved(&request);
        assert_eq!(client.saved(&request), first, "a repetition gets the first receipt");
        own.push(first.post.unwrap());
        let conflict = post(session, 1_000 + number * POSTS + post_number, "another text");
        assert_eq!(client.until_known(&conflict), Outcome::Refused(Refusal::Conflict));
    }
    let common = client.saved(&post(session, 1, "what all of them send"));
    let gone = OnePost { key: key(500_000 + number), id: PostId::from_raw(1) };
    let refused = Request {
        session: Some(session.to_owned()),
        read_to: None,
        need: None,
        action: Action::DeletePost(gone),
    };
    assert_eq!(client.until_known(&refused), Outcome::Refused(Refusal::NotFound));
    (own, common.post.unwrap())
}

#[test]
fn hot_user_everything_done_once_in_shared_lines() {
    let all = Backends::without_rate_limits();
    let session = joined(&all, 0, "ada", 1);
    for n in 0..3 {
        all.wait_until_writable(n);
    }
    let receipts: Vec<(Vec<PostId>, PostId)> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (all, session) = (&all, &session);
                scope.spawn(move || {
                    // Most at one machine, where they can share lines; some at the others.
                    let n = if number % 4 == 3 { 1 + usize::from(number % 8 == 3) } else { 0 };
                    act(&mut Client::new(all, n), session, number)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let common: BTreeSet<PostId> = receipts.iter().map(|(_, common)| *common).collect();
    assert_eq!(common.len(), 1, "one request, one receipt");
    let own: BTreeSet<PostId> = receipts.iter().flat_map(|(own, _)| own.clone()).collect();
    let expected = CLIENTS * POSTS;
    assert_eq!(own.len() as u64, expected, "each post has a number of its own");
    for n in 0..3 {
        let (posts, lines) = eventually(|| {
            Some(file(&all, n)).filter(|(posts, _)| posts.len() as u64 == expected + 1)
        });
        assert!(posts.values().all(|&count| count == 1), "{posts:?}");
        assert!(lines < expected / 2, "{lines} lines for {expected} posts are not folded");
    }
}

#[test]
fn hot_user_on_three_machines_every_client_comes_to_its_end() {
    let all = Backends::without_rate_limits();
    let session = joined(&all, 0, "ada", 1);
    for n in 0..3 {
        all.wait_until_writable(n);
    }
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for number in 0..12 {
            let (all, session, done) = (&all, &session, &done);
            scope.spawn(move || {
                let mut client = Client::new(all, usize::try_from(number % 3).unwrap());
                for post_number in 0..20 {
                    let text = format!("post {post_number} of client {number}");
                    client.saved(&post(session, 1_000 + number * 20 + post_number, &text));
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::Relaxed), 12 * 20);
}

/// The last post of a client that was not told that it is saved.
struct Open {
    request: Request,
    text: String,
    told: Outcome,
}

/// Has clients post to one machine and freezes the two others among it. What each was told that was
/// not saved; the texts of all posts sent are noted.
fn post_into_a_freeze(
    all: &Backends,
    session: &str,
    scene: u64,
    sent: &Mutex<BTreeSet<String>>,
) -> Vec<Open> {
    let until_not_saved = |number: u64| {
        let mut client = Client::new(all, 0);
        for post_number in 0.. {
            let text = format!("post {post_number} of client {number} in scene {scene}");
            let id = ((scene * 100 + number) * 1_000_000) + 1_000 + post_number;
            let request = post(session, id, &text);
            sent.lock().unwrap().insert(text.clone());
            match client.ask(&request) {
                Outcome::Saved(_) => {}
                told => return Open { request, text, told },
            }
        }
        unreachable!("posts without end");
    };
    let before = lines(all, 0).len();
    std::thread::scope(|scope| {
        let until_not_saved = &until_not_saved;
        let clients: Vec<_> =
            (0..8).map(|number| scope.spawn(move || until_not_saved(number))).collect();
        // By then they share lines: each waits while another's is under way.
        eventually(|| (lines(all, 0).len() > before + 20).then_some(()));
        (1..3).for_each(|n| all.signal(n, Signal::STOP));
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn hot_user_two_of_three_frozen_in_a_batch_unknown_to_all_of_it_and_done_once_after_all() {
    let all = Backends::without_rate_limits();
    let session = joined(&all, 0, "ada", 1);
    let sent = Mutex::new(BTreeSet::new());
    // Whether the line that the freeze leaves open has several requests is chance, but a likely one.
    let has_shared = (0..10).any(|scene| {
        let open = post_into_a_freeze(&all, &session, scene, &sent);
        // What machine 1 alone has written may yet become everybody's.
        let last = lines(&all, 0).pop().unwrap();
        (1..3).for_each(|n| all.signal(n, Signal::CONT));
        let mut count = 0;
        for Open { text, told, .. } in &open {
            // Those that came too late for that line may be told that nothing was saved.
            let is_in_last = last.contains(text);
            assert!(!is_in_last || *told == Outcome::Refused(Refusal::Unknown), "{told:?}");
            count += u32::from(is_in_last);
        }
        all.wait_until_writable(0);
        let mut client = Client::new(&all, 0);
        for one in &open {
            client.saved(&one.request);
        }
        count > 1
    });
    assert!(has_shared, "no open line had more than one request");
    let expected = sent.into_inner().unwrap();
    for n in 0..3 {
        let posts =
            eventually(|| Some(file(&all, n).0).filter(|posts| posts.len() == expected.len()));
        assert!(posts.keys().eq(expected.iter()), "{posts:?}");
        assert!(posts.values().all(|&count| count == 1), "{posts:?}");
    }
}
