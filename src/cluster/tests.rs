//! Tests of one machine's replicas with real files, and a disk that fails when told to.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::identity::Identity;
use super::replicas::{Body, Errand, Replicas, Slot};
use crate::clock::{Clock, Wall};
use crate::id::{Hash128, NodeId, PostId, RequestId, UserName};
use crate::limits::FETCH_TAIL_BYTES;
use crate::replica::acceptor::{Event, Proposal};
use crate::replica::version::{Term, Version};
use crate::replica::{NotVoting, Refuse, Reply, State};
use crate::store::line::{self, Kind, NewLine};
use crate::store::node::Member;
use crate::store::{DataDir, NodeFile, NodeState, UserStore};
use crate::user::entry::Entry;
use crate::user::{Receipt, Recorded};

thread_local! {
    static FLUSH_FAILS: Cell<bool> = const { Cell::new(false) };
}

fn flush(file: &File) -> io::Result<()> {
    if FLUSH_FAILS.get() { Err(io::Error::from_raw_os_error(5)) } else { file.sync_data() }
}

/// A machine of its own, with files in a directory that outlives it.
struct Home {
    dir: tempfile::TempDir,
}

struct Machine {
    local: Replicas,
    errands: Receiver<Errand>,
    slot: Arc<Slot>,
    bytes: Vec<u8>,
}

fn ada() -> UserName {
    UserName::parse("ada").unwrap()
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        let dir = DataDir::open(home.dir.path()).unwrap();
        let node = NodeId::new(1).unwrap();
        let (incarnation, address) = (Some(Hash128([2; 16])), String::new());
        let member = Member::new(node, incarnation, address);
        let file = NodeFile::new(Hash128([1; 16]), node, Hash128([2; 16]), vec![member]);
        file.save(&dir).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self) -> Machine {
        let dir = DataDir::open(self.dir.path()).unwrap();
        let store = UserStore::open(&dir).unwrap().flushing_by(flush);
        let file = NodeFile::load(&dir).unwrap().unwrap();
        let identity = Identity::start(NodeState::new(&dir, file)).unwrap();
        identity.open_if_all_met().unwrap();
        let (sender, errands) = bounded(16);
        let local = Replicas::load(identity, store, sender, Clock::system()).unwrap();
        let slot = local.get_or_make(&ada());
        let bytes = std::fs::read(self.path("users/ada.jsonl")).unwrap_or_default();
        Machine { local, errands, slot, bytes }
    }
}

impl Machine {
    /// A term above all that this machine may have promised.
    fn term(&self, round: u64) -> Term {
        let floor = self.local.floors().ceiling.max(self.local.floors().bootfloor.round);
        Term { epoch: 1, round: floor + round, node: 2, boot: 1 }
    }

    /// The next line of the file, in a term's first version.
    fn line(&self, term: Term, text: Option<&str>) -> (Version, line::Encoded) {
        let State { acc, hash, .. } = self.slot.state();
        let version = if acc.term == term {
            Version { seq: acc.seq + 1, ..acc }
        } else {
            Version { term, seq: 1 }
        };
        let posted = text.map(|text| Entry::Posted {
            at: Wall(1),
            id: PostId::from_raw(acc.term.round + u64::from(version.seq)),
            text: text.to_owned(),
            reply_to: None,
            note: None,
            pictures: Vec::new(),
        });
        let kind = if posted.is_some() { Kind::Delta } else { Kind::Identity };
        let result = Receipt::Post(PostId::from_raw(1));
        let (id, digest) =
            (RequestId([u8::try_from(version.seq).unwrap(); 16]), Hash128::default());
        let recorded = posted.as_ref().map(|_| Recorded { id, digest, result });
        let (requests, entries) = (recorded.as_slice(), posted.as_slice());
        let new =
            NewLine { version, base: acc, base_hash: hash, com: acc, kind, requests, entries };
        (version, line::encode(&new))
    }

    fn sync(&mut self, term: Term, text: &str) -> Option<Reply> {
        let State { acc: base, hash: base_hash, com } = self.slot.state();
        let (version, line::Encoded { bytes, hash }) = self.line(term, Some(text));
        let body = Body::line(&ada(), bytes.clone().into(), (base, base_hash), (version, hash));
        let proposal = Proposal { version, base, base_hash, hash, com, full: false };
        let reply = self.local.step(&self.slot, Event::Sync(proposal), &body.unwrap());
        if reply == Some(Reply::Ack(version)) {
            self.bytes.extend_from_slice(&bytes);
            self.local.step(&self.slot, Event::Committed(version), &Body::None);
        }
        reply
    }

    /// How many requests are remembered, the posts that are shown, and where they stand.
    fn shown(&self) -> (u64, Vec<(PostId, u64)>) {
        let view = self.slot.view();
        let posts = view.posts.iter().map(|post| (post.id, post.place().offset));
        (view.ops, posts.collect())
    }

    fn posts(&self) -> usize {
        self.slot.view().posts.len()
    }

    /// What a repair does once its lock has found `self.bytes` on the others.
    fn restore(&mut self, term: Term) {
        let mut file = std::mem::take(&mut self.bytes);
        let Body::File(_, lines) = Body::file(&ada(), file.clone().into()).unwrap() else {
            panic!()
        };
        let last = lines.last().unwrap();
        let version = Version { term, seq: 1 };
        let (requests, entries) = (&[][..], &[][..]);
        let (base, base_hash, com, kind) = (last.version, last.hash, last.version, Kind::Identity);
        let identity =
            line::encode(&NewLine { version, base, base_hash, com, kind, requests, entries });
        file.extend_from_slice(&identity.bytes);
        let body = Body::file(&ada(), file.into()).unwrap();
        let hash = identity.hash;
        let proposal = Proposal { version, base, base_hash, hash, com, full: true };
        self.local.step(&self.slot, Event::Restore(proposal), &body);
    }
}

const NO_VOTE: Option<Reply> = Some(Reply::Refuse(Refuse::NotVoting { why: NotVoting::Damaged }));

#[test]
fn flush_failed_marked_before_the_answer_and_no_vote_until_rebuilt() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    for text in ["one", "two"] {
        assert!(matches!(machine.sync(term, text), Some(Reply::Ack(_))));
    }
    FLUSH_FAILS.set(true);
    assert_eq!(machine.sync(term, "three"), NO_VOTE);
    FLUSH_FAILS.set(false);
    assert!(home.path("damaged/ada.mark").exists());
    assert!(home.path("damaged/ada.1.jsonl").exists(), "the file is not used again");
    assert_eq!(machine.local.damaged_users(), [ada()]);
    assert_eq!(machine.posts(), 2, "what was shown is shown on");
    assert_eq!(machine.sync(term, "three"), NO_VOTE);
    assert_eq!(machine.local.read(&ada()), NO_VOTE.unwrap());

    // After a start the mark still says so.
    drop(machine);
    let mut machine = home.start();
    let term = machine.term(1);
    assert_eq!(machine.sync(term, "three"), NO_VOTE);
    machine.restore(term);
    assert!(!home.path("damaged/ada.mark").exists());
    assert_eq!(machine.local.damaged_count(), 0);
    assert!(matches!(machine.sync(term, "four"), Some(Reply::Ack(_))));
    assert_eq!(machine.posts(), 4, "the third had reached the disk after all");
    drop(machine);
    assert!(!home.start().slot.is_damaged());
}

#[test]
fn damage_while_running_shows_on_and_nothing_twice_when_rebuilt() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    for text in ["one", "two", "three"] {
        assert!(matches!(machine.sync(term, text), Some(Reply::Ack(_))));
    }
    let before = machine.shown();
    let (acc, sum) = (machine.slot.state().acc, machine.local.sum());
    let path = home.path("users/ada.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("two", "owt", 1)).unwrap();
    assert!(machine.local.scrub(&machine.slot));
    assert!(machine.slot.state().acc < acc, "only what is intact is held");
    assert_ne!(machine.local.sum(), sum);
    assert_eq!(machine.shown(), before);
    let behind = Errand::Behind(ada(), acc);
    assert!(machine.errands.try_iter().any(|errand| errand == behind), "it is fetched again");
    // The lines that were lost come back, as from a peer, and then the repair.
    let held = machine.slot.state();
    let from = std::fs::read(&path).unwrap().len();
    let lost = machine.bytes[from..].to_vec();
    let body = Body::lines(&ada(), lost.into(), (held.acc, held.hash)).unwrap();
    let (version, hash) = body.last().unwrap();
    machine.local.step(&machine.slot, Event::Learn { version, hash }, &body);
    assert_eq!(std::fs::read(&path).unwrap(), machine.bytes, "one beginning and the rest");
    assert_eq!((machine.slot.state().acc, machine.local.sum()), (acc, sum));
    assert!(machine.slot.is_damaged(), "what was learned is no vote");
    assert_eq!(machine.shown(), before);
    machine.restore(machine.term(2));
    assert!(!machine.slot.is_damaged());
    assert_eq!(machine.shown(), before);
    assert_eq!(machine.local.index().posts(), 3);
    assert!(!machine.local.scrub(&machine.slot));
}

#[test]
fn two_values_of_one_version_own_file_looked_at_first() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    assert!(matches!(machine.sync(term, "one"), Some(Reply::Ack(_))));
    let State { acc: base, hash, com } = machine.slot.state();
    let (version, encoded) = machine.line(term, Some("two"));
    let other = Proposal { version, base, base_hash: Hash128([9; 16]), hash, com, full: false };
    let body =
        Body::line(&ada(), encoded.bytes.into(), (base, hash), (version, encoded.hash)).unwrap();
    let step = |machine: &Machine| machine.local.step(&machine.slot, Event::Sync(other), &body);
    assert_eq!(step(&machine), Some(Reply::Refuse(Refuse::BadBase)), "the own file is intact");
    let path = home.path("users/ada.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("one", "eno", 1)).unwrap();
    assert_eq!(step(&machine), NO_VOTE);
    assert!(home.path("damaged/ada.mark").exists());
}

#[test]
fn mark_impossible_no_vote_on_anybody() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    assert!(matches!(machine.sync(term, "one"), Some(Reply::Ack(_))));
    std::fs::create_dir(home.path("damaged/ada.mark")).unwrap();
    FLUSH_FAILS.set(true);
    assert_eq!(machine.sync(term, "two"), NO_VOTE);
    FLUSH_FAILS.set(false);
    let other = UserName::parse("bob").unwrap();
    assert!(matches!(machine.local.read(&other), Reply::Refuse(Refuse::NotVoting { .. })));
    assert!(!machine.local.node.open_if_all_met().unwrap(), "not again in this life");
    assert!(machine.local.floors().not_voting.is_some());
}

#[test]
fn bytes_that_rotted_never_leave() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    for text in ["one", "two"] {
        assert!(matches!(machine.sync(term, text), Some(Reply::Ack(_))));
    }
    let path = home.path("users/ada.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("two", "owt", 1)).unwrap();
    let (state, bytes) = machine.local.file(&machine.slot).unwrap();
    assert!(machine.slot.is_damaged());
    let whole = Body::file(&ada(), bytes.into()).unwrap();
    assert_eq!(whole.last(), Some((state.acc, state.hash)));
}

#[test]
fn lines_behind_any_version_near_the_end_found_without_the_rest() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    let mut states = Vec::new();
    // The first ones stand farther from the end than is looked at.
    let long = "x".repeat(10_000);
    for _ in 0..FETCH_TAIL_BYTES / 10_000 + 3 {
        assert!(matches!(machine.sync(term, &long), Some(Reply::Ack(_))));
        states.push((machine.slot.state(), machine.bytes.len()));
    }
    let (last, _) = *states.last().unwrap();
    let mut found = 0;
    for (state, end) in &states {
        let rest = machine.local.lines_behind(&machine.slot, (state.acc, state.hash));
        let is_near = machine.bytes.len() - end <= FETCH_TAIL_BYTES;
        assert_eq!(rest, is_near.then(|| (last, machine.bytes[*end..].to_vec())));
        found += usize::from(is_near);
    }
    assert!((1..states.len() - 1).contains(&found), "{found}");
    let behind = |version, hash| machine.local.lines_behind(&machine.slot, (version, hash));
    let (near, _) = states[states.len() - 3];
    assert!(behind(near.acc, near.hash).is_some());
    assert_eq!(behind(near.acc, Hash128([9; 16])), None, "another value of that version");
    let between = Version { seq: near.acc.seq + 100, ..near.acc };
    assert_eq!(behind(between, near.hash), None, "a version that is not here");
    // A byte that rotted in what is asked for is not sent on.
    let at = machine.bytes.len() - 5_000;
    let file = File::options().write(true).open(home.path("users/ada.jsonl")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"y", at as u64).unwrap();
    assert_eq!(behind(near.acc, near.hash), None);
}

#[test]
fn restored_by_a_line_once_what_was_lost_is_learned() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    for text in ["one", "two"] {
        assert!(matches!(machine.sync(term, text), Some(Reply::Ack(_))));
    }
    let whole = machine.bytes.clone();
    let State { acc: base, hash: base_hash, com } = machine.slot.state();
    let (version, line) = machine.line(machine.term(2), None);
    let path = home.path("users/ada.jsonl");
    std::fs::write(&path, String::from_utf8(whole.clone()).unwrap().replace("two", "owt")).unwrap();
    assert!(machine.local.scrub(&machine.slot));
    let hash = line.hash;
    let restore = Event::Restore(Proposal { version, base, base_hash, hash, com, full: false });
    let body =
        Body::line(&ada(), line.bytes.clone().into(), (base, base_hash), (version, hash)).unwrap();
    let need = machine.local.step(&machine.slot, restore, &body);
    assert!(matches!(need, Some(Reply::Need(_))), "{need:?}: what was lost is still missing");
    assert!(machine.slot.is_damaged());
    let learned = Body::file(&ada(), whole.clone().into()).unwrap();
    machine.local.step(&machine.slot, Event::Learn { version: base, hash: base_hash }, &learned);
    assert!(machine.slot.is_damaged(), "what was learned is no vote");
    assert_eq!(machine.local.step(&machine.slot, restore, &body), None);
    assert!(!machine.slot.is_damaged());
    assert!(!home.path("damaged/ada.mark").exists());
    assert_eq!(std::fs::read(&path).unwrap(), [whole, line.bytes].concat());
}
