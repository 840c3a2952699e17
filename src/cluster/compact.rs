//! Compaction: a user's file loses what later entries made void.
//!
//! Local: each machine folds its own copy when it likes, and what it holds, promises and answers is the
//! same before and after. Only the committed part is folded, so nothing that could still be replaced
//! by another history is ever lost.
//!
//! The folding itself needs no lock: it works on bytes that do not change. The replica lock is taken
//! for the replacement, and it is given up if a line has come meanwhile.

use std::time::Duration;

use super::Cluster;
use super::replicas::{Replicas, Slot};
use crate::clock::Wall;
use crate::limits::{
    COMPACT_FILES_MAX, COMPACT_LOOK_MS, DEAD_BYTES_MIN, DEAD_PERCENT_MIN, DELETED_TEXT_MS,
};
use crate::replica::State;
use crate::store::StoreError;
use crate::store::folding::FoldError;
use crate::store::snapshot::Folded;
use crate::user::entry::Entry;
use crate::user::{Status, User};
use crate::wire::message::FEATURE_SNAPSHOTS;

/// Since when a text that its writer deleted has stood in a file, if one does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gone(Option<Wall>);

impl Gone {
    /// Takes note of an entry, before it changes the user.
    pub(super) fn note(&mut self, before: &User, entry: &Entry) {
        let at = match entry {
            Entry::PostDeleted { at, id, .. } if before.post(*id).is_some() => *at,
            Entry::Left { at } if before.status == Status::Active => *at,
            _ => return,
        };
        self.0 = Some(self.0.map_or(at, |since| since.min(at)));
    }

    /// A time far ahead is a clock's that was wrong, and may be years away.
    fn is_due(self, now: Wall) -> bool {
        self.0.is_some_and(|since| now.0.abs_diff(since.0) >= DELETED_TEXT_MS)
    }
}

impl Slot {
    /// What is folded: the file up to here, as far as it is committed.
    fn before_folding(&self) -> (State, u64) {
        let replica = self.lock();
        (replica.acceptor.state(), replica.len)
    }

    /// Does not look at a file again until it has grown, unless more of it is committed than was looked at;
    /// false, for not having compacted it.
    fn not_worth_it(&self, (state, len): (State, u64)) -> bool {
        let mut replica = self.lock();
        if (replica.len, replica.acceptor.state().com) == (len, state.com) {
            (replica.folded_to, replica.gone) = (len, Gone::default());
        }
        false
    }

    /// Whether folding would free enough, or take a deleted text off the disk. A guess that reads
    /// nothing.
    fn is_worth_folding(&self, now: Wall) -> bool {
        let replica = self.lock();
        let (len, gone, folded_to) = (replica.len, replica.gone, replica.folded_to);
        let nothing = replica.acceptor.is_damaged() || replica.acceptor.state().com.is_zero();
        drop(replica);
        if nothing {
            return false;
        }
        if gone.is_due(now) {
            return true;
        }
        // Most files are too short to be looked at further.
        if len < folded_to.saturating_add(DEAD_BYTES_MIN) {
            return false;
        }
        let dead = len.saturating_sub(self.view().folded_bytes());
        dead > DEAD_BYTES_MIN && dead * 100 > len * DEAD_PERCENT_MIN
    }
}

impl Cluster {
    /// Compacts what is worth it and keeps the disk's reserve, until the process stops. Not before
    /// all machines understand snapshots.
    pub fn run_compact(&self) {
        while !self.stop.wait(Duration::from_millis(COMPACT_LOOK_MS)) {
            self.local.look_for_room();
            if !self.local.store.keep_ballast() {
                continue;
            }
            if self.local.node.features() >= FEATURE_SNAPSHOTS {
                self.local.compact_some(self.clock.wall(), COMPACT_FILES_MAX);
            }
        }
    }
}

impl Replicas {
    /// Compacts files that are worth it, at most `most`; how many it was. Only to be called once all
    /// machines of the cluster understand snapshots: they receive whole files.
    pub fn compact_some(&self, now: Wall, most: usize) -> usize {
        let slots = self.slots();
        let worth = slots.iter().filter(|slot| slot.is_worth_folding(now));
        worth.filter(|slot| self.compact(slot)).take(most).count()
    }

    /// Compacts one user's file; whether it was.
    pub fn compact(&self, slot: &Slot) -> bool {
        self.compact_from(slot, slot.before_folding())
    }

    fn compact_from(&self, slot: &Slot, (state, len): (State, u64)) -> bool {
        let folded = match self.store.fold(&slot.name, len, state.com) {
            Ok(Some(folded)) if (folded.bytes.len() as u64) < len => folded,
            Ok(_) => return slot.not_worth_it((state, len)),
            Err(error) => {
                log::error!(user:% = slot.name, error:%; "not compacted");
                // If it is damage, reading the file through will find it and deal with it.
                return matches!(error, FoldError::Line(_)) && slot.not_worth_it((state, len));
            }
        };
        self.put_in_place(slot, (state, len), folded)
    }

    /// Replaces the file by the folded one, unless it is another by now; whether it did.
    fn put_in_place(&self, slot: &Slot, (state, len): (State, u64), folded: Folded) -> bool {
        let mut replica = slot.lock();
        let Folded { bytes, user, tail } = folded;
        let now = replica.acceptor.state();
        let is_same = replica.len == len && (now.acc, now.hash) == (state.acc, state.hash);
        if !is_same || replica.acceptor.is_damaged() || replica.shown() < state.com {
            return false;
        }
        let new_len = bytes.len() as u64;
        match self.store.compact(&slot.name, &bytes) {
            Ok(()) => {
                slot.took_folded(&mut replica, new_len, user, tail);
                log::info!(user:% = slot.name, from = len, to = new_len; "compacted");
                true
            }
            // The name may mean either file, and which one is not known.
            Err(error @ StoreError::SyncFailed { .. }) => {
                self.lose(slot, &mut replica, &error);
                false
            }
            Err(error) => {
                log::warn!(user:% = slot.name, error:%; "not compacted");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::{Receiver, bounded};
    use tempfile::TempDir;

    use super::super::identity::Identity;
    use super::super::replicas::{Body, Errand};
    use super::*;
    use crate::clock::{Clock, Mono};
    use crate::id::{Hash128, NodeId, PostId, RequestId, UserName};
    use crate::replica::acceptor::{Event, Proposal};
    use crate::replica::version::{Term, Version};
    use crate::store::line::{Kind, NewLine, encode};
    use crate::store::node::Member;
    use crate::store::{DataDir, NodeFile, NodeState, UserStore};
    use crate::thread::Stop;
    use crate::user::{Receipt, Recorded};

    const HOUR: u64 = DELETED_TEXT_MS;
    const TEXT_BYTES: usize = 1000;

    fn ada() -> UserName {
        UserName::parse("ada").unwrap()
    }

    fn post_id(number: u64) -> PostId {
        PostId::from_raw(number)
    }

    /// A coordinator asks to accept a whole file, and says nothing of commits.
    fn accept(version: Version, hash: Hash128) -> Event {
        let (base, base_hash, com) = (Version::ZERO, Hash128::default(), Version::ZERO);
        Event::Sync(Proposal { version, base, base_hash, hash, com, full: true })
    }

    struct Home {
        dir: TempDir,
        replicas: Replicas,
        _errands: Receiver<Errand>,
        bytes: Vec<u8>,
        version: Version,
        hash: Hash128,
        node: NodeState,
    }

    fn load(dir: &DataDir, node: NodeFile) -> (Replicas, Receiver<Errand>) {
        let clock = Clock::manual(Mono(0), Wall(0));
        let (sender, errands) = bounded(10);
        let identity = Identity::start(NodeState::new(dir, node)).unwrap();
        let store = UserStore::open(dir).unwrap();
        (Replicas::load(identity, store, sender, clock, Stop::new()).unwrap(), errands)
    }

    impl Home {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let data = DataDir::open(dir.path()).unwrap();
            let number = NodeId::new(1).unwrap();
            let file = NodeFile::new(Hash128([1; 16]), number, Hash128([2; 16]), vec![]);
            let incarnation = Some(Hash128([2; 16]));
            let own = Member::new(number, incarnation, "127.0.0.1:1".to_owned());
            let file = NodeFile { members: vec![own], opened: true, ..file };
            file.save(&data).unwrap();
            let (replicas, errands) = load(&data, file.clone());
            let (version, hash) = (Version::ZERO, Hash128::default());
            let node = NodeState::new(&data, file);
            Self { dir, replicas, _errands: errands, bytes: Vec::new(), version, hash, node }
        }

        fn slot(&self) -> std::sync::Arc<Slot> {
            self.replicas.get_or_make(&ada())
        }

        /// Adds a line, learnt as committed unless told otherwise.
        fn add(&mut self, entries: &[Entry], is_committed: bool) {
            let term = Term { epoch: 1, round: 9, node: 1, boot: 1 };
            let version = Version { term, seq: self.version.seq + 1 };
            let id = RequestId(u128::from(version.seq).to_be_bytes());
            let request = Recorded { id, digest: Hash128([3; 16]), result: Receipt::Done };
            let line = encode(&NewLine {
                version,
                base: self.version,
                base_hash: self.hash,
                com: Version::ZERO,
                kind: Kind::of(entries),
                requests: &[request],
                entries,
            });
            self.bytes.extend_from_slice(&line.bytes);
            (self.version, self.hash) = (version, line.hash);
            let body = Body::file(&ada(), self.bytes.clone().into()).unwrap();
            let event = if is_committed {
                Event::Learn { version, hash: line.hash }
            } else {
                accept(version, line.hash)
            };
            self.replicas.step(&self.slot(), event, &body);
            assert_eq!(self.slot().state().acc, version);
        }

        fn post(&mut self, number: u64, is_committed: bool) {
            let text = format!("{number:0TEXT_BYTES$}");
            let at = Wall(number);
            let entry = Entry::Posted {
                at,
                id: post_id(number),
                text,
                reply_to: None,
                note: None,
                pictures: Vec::new(),
                sensitive: false,
            };
            self.add(&[entry], is_committed);
        }

        fn delete(&mut self, number: u64, at: u64) {
            self.add(&[Entry::PostDeleted { at: Wall(at), id: post_id(number), few: false }], true);
        }

        fn len(&self) -> u64 {
            self.dir.path().join("users/ada.jsonl").metadata().unwrap().len()
        }

        fn text(&self, number: u64) -> Option<String> {
            let read = self.replicas.read_post(&self.slot(), post_id(number), |_, _| ())?;
            Some(read.1.unwrap().text)
        }

        fn edit(&mut self, number: u64, text: &str) {
            let (at, id) = (Wall(60), post_id(number));
            self.add(
                &[Entry::PostEdited {
                    at,
                    id,
                    text: text.to_owned(),
                    note: None,
                    sensitive: None,
                    descriptions: None,
                }],
                true,
            );
        }

        fn history(&self, number: u64) -> Option<Vec<String>> {
            let said = self.replicas.read_history(&self.slot(), post_id(number))?.unwrap();
            Some(said.into_iter().map(|said| said.text).collect())
        }

        /// What the next process makes of the directory.
        fn reloaded(self) -> (State, User) {
            let Self { dir, replicas, node, .. } = self;
            let file = node.durable();
            drop((replicas, node));
            let (replicas, _errands) = load(&DataDir::open(dir.path()).unwrap(), file);
            let slot = replicas.get(&ada()).unwrap();
            let view = slot.view().clone();
            (slot.state(), view)
        }
    }

    #[test]
    fn compact_keeps_what_standing_posts_said_and_drops_what_deleted_ones_did() {
        let mut home = Home::new();
        home.add(&[Entry::Joined { at: Wall(1) }], true);
        home.post(1, true);
        home.post(2, true);
        home.edit(1, "second");
        home.edit(2, "of the deleted");
        home.edit(1, "third");
        home.delete(2, 70);
        let said = home.history(1).unwrap();
        assert_eq!(said[1..], ["second", "third"]);
        assert!(home.replicas.compact(&home.slot()));
        assert_eq!((home.history(1), home.history(2)), (Some(said), None));
        assert_eq!(home.text(1).as_deref(), Some("third"));
        let file = std::fs::read_to_string(home.dir.path().join("users/ada.jsonl")).unwrap();
        assert!(file.contains("second") && !file.contains("of the deleted"), "{file}");
    }

    #[test]
    fn compact_keeps_state_view_and_texts() {
        let mut home = Home::new();
        home.add(&[Entry::Joined { at: Wall(1) }], true);
        for number in 1..=5 {
            home.post(number, true);
        }
        home.delete(2, 50);
        home.post(6, true);
        home.post(7, false);
        let (state, view, len) = (home.slot().state(), home.slot().view().clone(), home.len());
        assert!(state.com < state.acc);
        assert!(home.replicas.compact(&home.slot()));
        assert!(home.len() < len - TEXT_BYTES as u64, "the deleted text is gone");
        assert_eq!(home.slot().state(), state);
        assert!(home.slot().view().says_same(&view));
        assert_eq!(home.text(6), Some(format!("{:0TEXT_BYTES$}", 6)));
        assert_eq!((home.text(2), home.text(7)), (None, None));
        // What was not known to be committed stays a line of its own, and is shown in its time.
        home.replicas.step(&home.slot(), Event::Committed(state.acc), &Body::None);
        assert_eq!(home.text(7), Some(format!("{:0TEXT_BYTES$}", 7)));
        assert!(!home.replicas.slots().is_empty());
        let shown = home.slot().view().clone();
        home.replicas.compact(&home.slot());
        let (reloaded, user) = home.reloaded();
        assert_eq!((reloaded.acc, reloaded.hash), (state.acc, state.hash));
        assert!(user.says_same(&shown));
    }

    #[test]
    fn compact_some_takes_deleted_texts_after_an_hour() {
        let mut home = Home::new();
        home.add(&[Entry::Joined { at: Wall(1) }], true);
        home.post(1, true);
        home.post(2, true);
        assert_eq!(home.replicas.compact_some(Wall(9 * HOUR), 10), 0, "nothing is gone");
        home.delete(1, 500);
        assert_eq!(home.replicas.compact_some(Wall(500 + HOUR - 1), 10), 0);
        assert_eq!(home.replicas.compact_some(Wall(500 + HOUR), 0), 0, "no more than asked for");
        assert_eq!(home.replicas.compact_some(Wall(500 + HOUR), 10), 1);
        let bytes = std::fs::read_to_string(home.dir.path().join("users/ada.jsonl")).unwrap();
        assert!(!bytes.contains(&format!("{:0TEXT_BYTES$}", 1)));
        assert_eq!(home.replicas.compact_some(Wall(9 * HOUR), 10), 0, "not again");
        home.bytes = bytes.into_bytes();
        home.add(&[Entry::Left { at: Wall(HOUR) }], true);
        assert_eq!(home.replicas.compact_some(Wall(2 * HOUR), 10), 1);
        assert!(home.len() < 300);
        assert_eq!(home.replicas.compact_some(Wall(9 * HOUR), 10), 0, "a tombstone is at rest");
    }

    #[test]
    fn compact_some_takes_files_that_are_mostly_void() {
        let mut home = Home::new();
        home.add(&[Entry::Joined { at: Wall(1) }], true);
        let profile = |bio: String| Entry::Profile {
            at: Wall(1),
            display_name: "A".into(),
            bio,
            members_only: false,
            posts_for: crate::user::entry::Audience::Everyone,
            avatar: None,
        };
        while home.len() < 2 * DEAD_BYTES_MIN {
            assert!(home.len() > DEAD_BYTES_MIN || home.replicas.compact_some(Wall(2), 10) == 0);
            home.add(&[profile("b".repeat(20_000))], true);
        }
        assert_eq!(home.replicas.compact_some(Wall(2), 10), 1);
        assert!(home.len() < DEAD_BYTES_MIN / 2);
        assert_eq!(home.replicas.compact_some(Wall(2), 10), 0);
    }

    #[test]
    fn compacted_file_of_a_peer_taken_over_and_shown_whole() {
        let mut peer = Home::new();
        let mut home = Home::new();
        for home in [&mut peer, &mut home] {
            home.add(&[Entry::Joined { at: Wall(1) }], true);
            home.post(1, true);
            home.post(2, true);
        }
        home.post(4, false);
        peer.delete(1, 50);
        peer.post(3, true);
        assert!(peer.replicas.compact(&peer.slot()));
        let (state, bytes) = peer.replicas.file(&peer.slot()).unwrap();
        let body = Body::file(&ada(), bytes.into()).unwrap();
        let body = body.up_to(state.acc).unwrap();
        home.replicas.step(&home.slot(), accept(state.acc, state.hash), &body);
        assert_eq!(home.slot().state(), state, "what a peer folded is committed");
        assert!(home.slot().view().says_same(&peer.slot().view()));
        assert_eq!(home.text(3), Some(format!("{:0TEXT_BYTES$}", 3)));
        let held = |number| {
            let post = crate::user::entry::PostRef { user: ada(), id: post_id(number) };
            home.replicas.index().contains(&post)
        };
        assert_eq!([1, 2, 3, 4].map(held), [false, true, true, false]);
        // A version before the snapshot is not in there.
        let (_, bytes) = peer.replicas.file(&peer.slot()).unwrap();
        let older = Version { seq: state.acc.seq - 1, ..state.acc };
        assert!(Body::file(&ada(), bytes.into()).unwrap().up_to(older).is_none());
    }

    #[test]
    fn r0166_text_deleted_by_a_clock_far_ahead_does_not_wait_for_that_time() {
        let mut home = Home::new();
        home.add(&[Entry::Joined { at: Wall(1) }], true);
        home.post(1, true);
        home.delete(1, 1000 * HOUR);
        assert_eq!(home.replicas.compact_some(Wall(2 * HOUR), 10), 1);
        let bytes = std::fs::read_to_string(home.dir.path().join("users/ada.jsonl")).unwrap();
        assert!(!bytes.contains(&format!("{:0TEXT_BYTES$}", 1)));
    }

    #[test]
    fn r0175_text_whose_deletion_is_committed_while_nothing_is_gained_is_folded_all_the_same() {
        let mut home = Home::new();
        home.add(&[Entry::Joined { at: Wall(1) }], true);
        home.post(1, true);
        assert!(home.replicas.compact(&home.slot()), "there is nothing more to gain");
        home.bytes = std::fs::read(home.dir.path().join("users/ada.jsonl")).unwrap();
        let delete = Entry::PostDeleted { at: Wall(500), id: post_id(1), few: false };
        home.add(&[delete], false);
        let slot = home.slot();
        let standing = slot.before_folding();
        home.replicas.step(&slot, Event::Committed(slot.state().acc), &Body::None);
        assert!(!home.replicas.compact_from(&slot, standing), "of what was committed then");
        assert_eq!(home.replicas.compact_some(Wall(9 * HOUR), 10), 1);
        let bytes = std::fs::read_to_string(home.dir.path().join("users/ada.jsonl")).unwrap();
        assert!(!bytes.contains(&format!("{:0TEXT_BYTES$}", 1)));
    }

    #[test]
    fn compact_without_a_commit_or_gain_leaves_the_file() {
        let mut home = Home::new();
        home.post(1, false);
        let bytes = home.bytes.clone();
        assert!(!home.replicas.compact(&home.slot()));
        assert_eq!(std::fs::read(home.dir.path().join("users/ada.jsonl")).unwrap(), bytes);
    }

    #[test]
    fn compact_that_cannot_be_written_leaves_the_file() {
        let mut home = Home::new();
        home.post(1, true);
        home.post(2, true);
        home.delete(1, 5);
        // What stands in the temporary file's place is no file.
        std::fs::create_dir(home.dir.path().join("users/ada.jsonl.tmp")).unwrap();
        let state = home.slot().state();
        assert!(!home.replicas.compact(&home.slot()));
        let on_disk = std::fs::read(home.dir.path().join("users/ada.jsonl")).unwrap();
        assert_eq!((on_disk, home.slot().state()), (home.bytes.clone(), state));
        assert!(!home.slot().is_damaged() && home.text(2).is_some());
        std::fs::remove_dir(home.dir.path().join("users/ada.jsonl.tmp")).unwrap();
        assert_eq!(home.replicas.compact_some(Wall(5 + HOUR), 1), 1, "it is tried again");
    }
}
