//! Tests of one machine's replicas with real files, and a disk that fails when told to.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::identity::Identity;
use super::replicas::{Body, Errand, Replicas, Slot};
use super::{Cluster, Start};
use crate::clock::{Clock, Wall};
use crate::id::{Hash128, NodeId, PostId, RequestId, UserName};
use crate::limits::FETCH_TAIL_BYTES;
use crate::replica::acceptor::{Event, Proposal};
use crate::replica::version::{Term, Version};
use crate::replica::{NotVoting, Refuse, Reply, State};
use crate::store::line::{self, Kind, NewLine};
use crate::store::node::Member;
use crate::store::{DataDir, NodeFile, NodeState, PictureStore, UserStore};
use crate::thread::Stop;
use crate::transport::Keys;
use crate::user::entry::Entry;
use crate::user::{Receipt, Recorded};

thread_local! {
    static FLUSH_FAILS: Cell<bool> = const { Cell::new(false) };
    static FLUSH_PANICS: Cell<bool> = const { Cell::new(false) };
}

fn flush(file: &File) -> io::Result<()> {
    assert!(!FLUSH_PANICS.get(), "a bug in the store");
    if FLUSH_FAILS.get() { Err(io::Error::from_raw_os_error(5)) } else { file.sync_data() }
}

/// A machine of its own, with files in a directory that outlives it.
struct Home {
    dir: tempfile::TempDir,
}

struct Machine {
    local: Replicas,
    stop: Stop,
    errands: Receiver<Errand>,
    slot: Arc<Slot>,
    bytes: Vec<u8>,
}

/// Machine 1 of three that holds these files, with a clock of the system's.
pub(super) fn of_three(directory: &Path, stop: &Stop, files: &[(UserName, Vec<u8>)]) -> Cluster {
    of_three_at(directory, stop, files, [1, 2, 3])
}

/// The same, where the machines are at these ports.
pub(super) fn of_three_at(
    directory: &Path,
    stop: &Stop,
    files: &[(UserName, Vec<u8>)],
    ports: [u16; 3],
) -> Cluster {
    let dir = DataDir::open(directory).unwrap();
    let seat = |number: u8| {
        let address = format!("127.0.0.1:{}", ports[usize::from(number) - 1]);
        Member::new(NodeId::new(number.into()).unwrap(), Some(Hash128([number; 16])), address)
    };
    let members = (1..=3).map(seat).collect();
    let me = NodeId::new(1).unwrap();
    let file = NodeFile::new(Hash128([9; 16]), me, Hash128([1; 16]), members);
    file.save(&dir).unwrap();
    let store = UserStore::open(&dir).unwrap();
    for (user, bytes) in files {
        store.replace(user, bytes).unwrap();
    }
    let cluster = Cluster::open(Start {
        node: Identity::start(NodeState::new(&dir, file)).unwrap(),
        store,
        pictures: PictureStore::open(&dir).unwrap(),
        keys: Keys::of_text(&"0a".repeat(32)).unwrap(),
        name: "birch".to_owned(),
        clock: Clock::system(),
        stop: stop.clone(),
        process: Hash128([3; 16]),
    });
    cluster.unwrap()
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
        let stop = Stop::new();
        let local = Replicas::load(identity, store, sender, Clock::system(), stop.clone()).unwrap();
        let slot = local.get_or_make(&ada());
        let bytes = std::fs::read(self.path("users/ada.jsonl")).unwrap_or_default();
        Machine { local, stop, errands, slot, bytes }
    }
}

impl Machine {
    /// A term above all that this machine may have promised.
    fn term(&self, round: u64) -> Term {
        let floor = self.local.floors().ceiling.max(self.local.floors().bootfloor.round);
        Term { epoch: 1, round: floor + round, node: 2, boot: 1 }
    }

    /// The next line of the file.
    fn line(&self, term: Term, text: Option<&str>) -> (Version, line::Encoded) {
        let State { acc, hash, .. } = self.slot.state();
        line_on((acc, hash), term, text)
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

/// A line of this term on what a version's file is.
fn line_on(
    (base, base_hash): (Version, Hash128),
    term: Term,
    text: Option<&str>,
) -> (Version, line::Encoded) {
    let seq = if base.term == term { base.seq + 1 } else { 1 };
    let version = Version { term, seq };
    let posted = text.map(|text| Entry::Posted {
        at: Wall(1),
        id: PostId::from_raw(base.term.round + u64::from(seq)),
        text: text.to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    });
    let kind = if posted.is_some() { Kind::Delta } else { Kind::Identity };
    let result = Receipt::Post(PostId::from_raw(1));
    let (id, digest) = (RequestId([u8::try_from(seq).unwrap(); 16]), Hash128::default());
    let recorded = posted.as_ref().map(|_| Recorded { id, digest, result });
    let (requests, entries) = (recorded.as_slice(), posted.as_slice());
    let new = NewLine { version, base, base_hash, com: base, kind, requests, entries };
    (version, line::encode(&new))
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
fn mark_impossible_no_vote_on_anybody_until_it_is_made() {
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
    assert!(!machine.local.node.open_if_all_met().unwrap(), "it is not about who is there");
    machine.local.mark_again();
    assert_eq!(machine.local.floors().not_voting, Some(NotVoting::Unmarked), "still impossible");
    std::fs::remove_dir(home.path("damaged/ada.mark")).unwrap();
    machine.local.mark_again();
    assert!(home.path("damaged/ada.mark").is_file());
    assert!(matches!(machine.local.read(&other), Reply::State(_)), "on others it votes again");
    assert_eq!(machine.sync(term, "three"), NO_VOTE);
    // Rebuilt, it has no mark, and none comes back.
    machine.restore(machine.term(2));
    machine.local.mark_again();
    assert!(!machine.slot.is_damaged() && !home.path("damaged/ada.mark").exists());
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
    let (mut found, mut begin) = (0, 0);
    for (state, end) in &states {
        let rest = machine.local.lines_behind(&machine.slot, (state.acc, state.hash));
        // Its own line must be seen: that tells its hash.
        let is_near = machine.bytes.len() - begin <= FETCH_TAIL_BYTES;
        begin = *end;
        let lines = || (last, machine.bytes[*end..].to_vec());
        assert!(rest == is_near.then(lines), "{state:?}");
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

/// Two committed posts, and one of this machine's own that nobody else has.
fn gone_on_alone(home: &Home) -> (Machine, State, line::Encoded) {
    let mut machine = home.start();
    let term = machine.term(1);
    for text in ["one", "two"] {
        assert!(matches!(machine.sync(term, text), Some(Reply::Ack(_))));
    }
    let State { acc: base, hash: base_hash, com } = machine.slot.state();
    let (version, own) = machine.line(machine.term(2), Some("own words"));
    let body = Body::line(&ada(), own.bytes.clone().into(), (base, base_hash), (version, own.hash));
    let proposal = Proposal { version, base, base_hash, hash: own.hash, com, full: false };
    let acknowledged = machine.local.step(&machine.slot, Event::Sync(proposal), &body.unwrap());
    assert_eq!(acknowledged, Some(Reply::Ack(version)));
    assert_eq!(machine.posts(), 2, "nobody knows it to be committed");
    (machine, State { acc: base, hash: base_hash, com }, own)
}

/// Gives a machine two lines more of a term behind what `lines` end in, all of them behind `after`; what it
/// answers, and the version.
fn give(
    machine: &Machine,
    after: (Version, Hash128),
    mut lines: Vec<u8>,
    end: (Version, Hash128),
) -> (Option<Reply>, Version, Vec<u8>) {
    let term = machine.term(3);
    let (base, first) = line_on(end, term, Some("first of theirs"));
    let (version, second) = line_on((base, first.hash), term, Some("second of theirs"));
    lines.extend_from_slice(&[first.bytes, second.bytes].concat());
    let body = Body::lines(&ada(), lines.clone().into(), after).unwrap();
    let com = machine.slot.state().com;
    let (base_hash, hash) = (first.hash, second.hash);
    let asked = Event::Sync(Proposal { version, base, base_hash, hash, com, full: true });
    (machine.local.step(&machine.slot, asked, &body), version, lines)
}

/// Shows what is committed now, goes on with one line, and compares with what a new start reads.
fn shown_as_read_anew(home: &Home, mut machine: Machine, version: Version, file: Vec<u8>) {
    let path = home.path("users/ada.jsonl");
    assert!(std::fs::read(&path).unwrap() == file, "the file is another");
    machine.local.step(&machine.slot, Event::Committed(version), &Body::None);
    machine.bytes = file;
    assert_eq!(machine.sync(machine.term(4), "last"), Some(Reply::Ack(machine.slot.state().acc)));
    assert!(std::fs::read(&path).unwrap() == machine.bytes, "it goes on where it ends");
    let shown = machine.shown();
    drop(machine);
    let anew = home.start();
    anew.local.step(&anew.slot, Event::Committed(anew.slot.state().acc), &Body::None);
    assert_eq!(anew.shown(), shown);
}

#[test]
fn lines_put_where_a_copy_has_gone_on_otherwise() {
    let home = Home::new();
    let (machine, stem, _) = gone_on_alone(&home);
    let (kept, at) = (machine.bytes.clone(), (stem.acc, stem.hash));
    let (answer, version, lines) = give(&machine, at, Vec::new(), at);
    assert_eq!(answer, Some(Reply::Ack(version)));
    assert_eq!(machine.posts(), 2, "only what is committed is shown");
    let file = [kept, lines].concat();
    shown_as_read_anew(&home, machine, version, file);
}

#[test]
fn lines_of_which_a_copy_has_some_gone_on_with() {
    let home = Home::new();
    let (machine, stem, own) = gone_on_alone(&home);
    let inode = || home.path("users/ada.jsonl").metadata().unwrap().ino();
    let (before, kept) = (inode(), machine.bytes.clone());
    let end = (machine.slot.state().acc, own.hash);
    let (answer, version, lines) = give(&machine, (stem.acc, stem.hash), own.bytes, end);
    assert_eq!(answer, Some(Reply::Ack(version)));
    assert_eq!(inode(), before, "the file was not written anew");
    let file = [kept, lines].concat();
    shown_as_read_anew(&home, machine, version, file);
}

#[test]
fn r0117_lines_that_follow_on_nothing_committed_refused_as_overtaken() {
    let home = Home::new();
    let (machine, stem, own) = gone_on_alone(&home);
    let file = std::fs::read(home.path("users/ada.jsonl")).unwrap();
    // Of another who went on from what is committed, and then from there.
    let (version, line) = line_on((stem.acc, stem.hash), machine.term(3), Some("unseen"));
    for after in [(version, line.hash), (stem.acc, own.hash)] {
        let (answer, ..) = give(&machine, after, Vec::new(), after);
        let refused = Some(Reply::Refuse(Refuse::NotVoting { why: NotVoting::Overtaken }));
        assert_eq!(answer, refused, "and not for want of room");
    }
    assert_eq!(std::fs::read(home.path("users/ada.jsonl")).unwrap(), file);
    assert_eq!(machine.posts(), 2);
}

#[test]
fn r0201_full_disk_asks_for_no_lines_that_it_cannot_take() {
    let home = Home::new();
    let mut machine = home.start();
    let term = machine.term(1);
    machine.sync(term, "one");
    let (second, line) = machine.line(term, Some("two"));
    let (version, line::Encoded { bytes, hash }) =
        line_on((second, line.hash), term, Some("three"));
    let (com, base, base_hash) = (machine.slot.state().com, second, line.hash);
    let body = Body::line(&ada(), bytes.into(), (base, base_hash), (version, hash)).unwrap();
    let proposal = Proposal { version, base, base_hash, hash, com, full: false };
    let third = |machine: &Machine| machine.local.step(&machine.slot, Event::Sync(proposal), &body);
    let is_needed = |reply: Option<Reply>| matches!(reply, Some(Reply::Need(_)));
    assert!(is_needed(third(&machine)));
    machine.local.store.be_full(true);
    let full = Some(Reply::Refuse(Refuse::NotVoting { why: NotVoting::NoSpace }));
    assert_eq!((machine.sync(term, "two"), third(&machine)), (full, full));
    machine.local.store.be_full(false);
    machine.local.look_for_room();
    assert!(is_needed(third(&machine)));
}

#[test]
fn r0026_panic_while_effects_are_performed_closes_the_flag_of_the_process() {
    let home = Home::new();
    let mut machine = home.start();
    assert!(matches!(machine.sync(machine.term(1), "tea"), Some(Reply::Ack(_))));
    assert!(!machine.stop.is_closed());
    FLUSH_PANICS.set(true);
    let step = std::panic::AssertUnwindSafe(|| machine.sync(machine.term(2), "more tea"));
    assert!(std::panic::catch_unwind(step).is_err());
    FLUSH_PANICS.set(false);
    assert!(machine.stop.is_closed(), "whoever steps this user next panics as well");
}
