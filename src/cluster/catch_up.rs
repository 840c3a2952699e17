//! The thread `catch-up`: fetches what this machine has missed, settles what was left undecided.
//!
//! It works from three hints: errands that replicas leave, comparisons of all versions with the
//! peers (when one comes, and when sums differ twice in a row), and a regular look at users whose
//! last line is not known to be committed. Never is something uncommitted copied into a replica.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::Cluster;
use super::replicas::{Body, Errand};
use crate::clock::Mono;
use crate::id::{NodeId, UserName};
use crate::limits::{
    COMPARE_MS, ERRANDS_QUEUE, IDLE_LOOK_MS, LEARN_THREADS, SETTLE_MS, SUMS_MS, SUMS_PAGE_ROWS,
    WRITE_MS_MAX,
};
use crate::order::gather;
use crate::replica::acceptor::Event;
use crate::replica::digest::{Mend, Row, mend};
use crate::replica::version::Version;
use crate::replica::{NotVoting, State};
use crate::thread::{LockPermit, side_by_side};
use crate::wire::message::{Answer, Message, SumsRow};

/// How long the thread waits for an errand before it looks around, if a comparison waits for its time.
const LOOK_MS: u64 = 100;
/// How long a version that is known to be committed may still be on its way here by itself.
const ON_ITS_WAY_MS: u64 = 50;

impl Cluster {
    /// Catches up until the process stops.
    pub fn run_catch_up(&self, permit: &mut LockPermit) {
        let mut compared_at: Option<Mono> = None;
        let mut looked_at = self.clock.mono();
        let mut unsettled = BTreeMap::new();
        while !self.stop.is_closed() {
            let is_wanted = self.compare_wanted.load(Ordering::Relaxed);
            let wait = Duration::from_millis(if is_wanted { LOOK_MS } else { IDLE_LOOK_MS });
            match self.errands.recv_timeout(wait) {
                Ok(Errand::Compare) | Err(_) => {}
                Ok(first) => self.run_errands(permit, first),
            }
            let now = self.clock.mono();
            let is_due = compared_at.is_none_or(|at| now.since_ms(at) >= COMPARE_MS);
            if (is_due || self.members.is_doubted())
                && self.compare_wanted.swap(false, Ordering::Relaxed)
            {
                self.compare(permit);
                compared_at = Some(now);
            }
            if now.since_ms(looked_at) >= SETTLE_MS {
                unsettled = self.settle_old(permit, &unsettled);
                looked_at = now;
            }
        }
    }

    /// Has all versions compared with the peers, when it is time.
    pub(super) fn want_comparison(&self) {
        if !self.compare_wanted.swap(true, Ordering::Relaxed) {
            self.local.errand(Errand::Compare);
        }
    }

    /// Runs the errands that are there. What is known to be committed may be on its way here by
    /// itself, so all of them wait a moment together.
    fn run_errands(&self, permit: &mut LockPermit, first: Errand) {
        let mut behind: BTreeMap<UserName, Version> = BTreeMap::new();
        let mut unsettled = BTreeSet::new();
        for errand in std::iter::once(first).chain(self.errands.try_iter().take(ERRANDS_QUEUE)) {
            match errand {
                Errand::Behind(user, version) => {
                    let known = behind.entry(user).or_default();
                    *known = version.max(*known);
                }
                Errand::Settle(user) => {
                    unsettled.insert(user);
                }
                Errand::Compare => {}
            }
        }
        self.stop.wait(Duration::from_millis(ON_ITS_WAY_MS));
        for (user, version) in behind {
            let held = self.local.get(&user).map(|slot| slot.state().com).unwrap_or_default();
            if held < version && !self.stop.is_closed() && !self.learn_from_any(&user, version) {
                self.members.lacks([user]);
                self.want_comparison();
            }
        }
        for user in unsettled {
            // The links have ended: each would wait for answers that nobody brings.
            if self.stop.is_closed() {
                break;
            }
            self.settle(permit, &user);
        }
    }

    /// Finds out what is committed of a user, writing it back if need be. What fails now is found
    /// again by the regular look. Whether it was settled.
    fn settle(&self, permit: &mut LockPermit, user: &UserName) -> bool {
        let deadline = self.deadline(WRITE_MS_MAX);
        let settled = self.fresh(permit, user, deadline).and_then(|()| {
            // The others may agree without a line that only this machine has: then it is for this
            // machine to have it taken on or replaced, or their files would differ for good.
            let is_open = self.local.get(user).is_some_and(|slot| {
                let state = slot.state();
                state.com < state.acc
            });
            if is_open { self.acquire(permit, user, deadline)?.confirm().map(drop) } else { Ok(()) }
        });
        if let Err(error) = &settled {
            log::debug!(user:%, error:%; "not settled");
        }
        settled.is_ok()
    }

    /// Settles users whose last line was not known to be committed at the last look already.
    fn settle_old(
        &self,
        permit: &mut LockPermit,
        before: &BTreeMap<UserName, Version>,
    ) -> BTreeMap<UserName, Version> {
        let mut unsettled = BTreeMap::new();
        for slot in self.local.slots() {
            if self.stop.is_closed() {
                break;
            }
            let (state, has_vote) = slot.standing_row();
            if state.com < state.acc && has_vote {
                if before.get(&slot.name) == Some(&state.acc) && self.members.has_majority() {
                    self.settle(permit, &slot.name);
                }
                unsettled.insert(slot.name.clone(), state.acc);
            }
        }
        unsettled
    }

    /// Compares all versions with every live peer, page by page, and mends what differs here.
    fn compare(&self, permit: &mut LockPermit) {
        let config = self.local.node.config();
        // What a majority of the new members holds is not committed before their list has opened.
        if config.not_voting == Some(NotVoting::Changing) {
            self.want_comparison();
            return;
        }
        let (me, members) = (self.members.me, config.nodes().len());
        let live = self.members.live().into_iter().filter(|&node| node != me);
        let mut differing: BTreeMap<NodeId, u32> = gather(live.map(|node| (node, 0)));
        let began = self.clock.mono();
        let (is_doubted, lacked) = (self.members.is_doubted(), self.members.lacking() as usize);
        let (mut compared, mut learned, mut lacking) = (0, 0, BTreeSet::new());
        let mut after: Option<UserName> = None;
        loop {
            let own_page = || Page::new(self.local.rows_after(after.as_ref(), SUMS_PAGE_ROWS));
            // What comes while the peers are asked is on its way to them as well.
            let mut before = own_page();
            let mut pages = BTreeMap::new();
            let peers: Vec<NodeId> = differing.keys().copied().collect();
            for peer in peers {
                if let Some(page) = self.page_of(peer, after.as_ref()) {
                    pages.insert(peer, page);
                } else {
                    differing.remove(&peer);
                    self.want_comparison();
                }
            }
            pages.insert(me, own_page());
            // As far as the shortest page reaches, all machines have spoken.
            let end = pages.values().filter_map(Page::end).min().cloned();
            if let Some(end) = &end {
                pages.values_mut().chain([&mut before]).for_each(|page| page.cut(end));
            }
            compared += pages.values().map(|page| page.rows.len()).max().unwrap_or_default();
            if self.local.floors().epoch != config.place.current.epoch {
                self.want_comparison();
                return;
            }
            let (done, left) = self.mend_page(permit, members, &pages);
            learned += done;
            lacking.extend(left);
            for (peer, count) in &mut differing {
                if let Some(page) = pages.get(peer) {
                    *count = count.saturating_add(page.count_lacking(&before));
                }
            }
            if self.stop.is_closed() {
                return;
            }
            match end {
                Some(end) => after = Some(end),
                None => break,
            }
        }
        let ms = self.clock.mono().since_ms(began);
        // As long as a disk is full, all machines compare again and again, and find the same.
        let is_news = is_doubted || learned > 0 || lacking.len() != lacked;
        let level = if is_news { log::Level::Info } else { log::Level::Debug };
        let failed = lacking.len();
        log::log!(level, users = compared, learned, failed, ms; "compared with peers");
        if self.members.compared(&differing, began) {
            self.members.lacks_only(lacking);
        }
    }

    /// One page of what a peer holds.
    pub(super) fn page_of(&self, peer: NodeId, after: Option<&UserName>) -> Option<Page> {
        match self.ask_until(
            peer,
            Message::Sums { after: after.cloned() },
            self.deadline(SUMS_MS),
        )? {
            (Answer::Sums { rows, last }, _) => Some(Page::new((rows, last))),
            _ => None,
        }
    }

    /// Mends what differs here, several users at a time: each costs flushes, and the disk does many
    /// in the time of one. How many were learned, and who could not be.
    fn mend_page(
        &self,
        permit: &mut LockPermit,
        members: usize,
        pages: &BTreeMap<NodeId, Page>,
    ) -> (usize, BTreeSet<UserName>) {
        let users: BTreeSet<&UserName> = gather(pages.values().flat_map(|page| page.rows.keys()));
        let mut learns = Vec::new();
        let mut settles = Vec::new();
        for user in users {
            let row = |(&node, page): (&NodeId, &Page)| page.row(node, user);
            let rows: Vec<Row> = pages.iter().map(row).collect();
            let own = rows.iter().find(|row| row.node == self.members.me);
            let is_held = |version| own.is_some_and(|own| own.state.acc >= version);
            match mend(self.members.me, members, &rows) {
                Mend::Nothing => {}
                Mend::Commit(version) => self.commit_held(user, version),
                Mend::Learn(version, _) if is_held(version) => self.commit_held(user, version),
                Mend::Learn(version, holder) => learns.push((user, version, holder)),
                Mend::Settle => settles.push((user, rows.iter().map(|row| row.state.acc).max())),
            }
        }
        let mut failed = self.learn_all(&learns);
        let learned = learns.len() - failed.len();
        for (user, highest) in settles {
            if self.stop.is_closed() {
                break;
            }
            // Whoever writes all the time may have kept it from being settled by going on beyond it.
            let com = || self.local.get(user).map(|slot| slot.state().com);
            if !self.settle(permit, user) && com() < highest {
                self.members.lacks([user.clone()]);
                self.want_comparison();
                failed.insert(user.clone());
            }
        }
        (learned, failed)
    }

    /// What is held here already is known to be committed now.
    fn commit_held(&self, user: &UserName, version: Version) {
        if let Some(slot) = self.local.get(user) {
            self.local.step(&slot, Event::Committed(version), &Body::None);
        }
    }

    /// Learns many users' versions. One that cannot be had keeps none of the others from coming. Which
    /// could not.
    fn learn_all(&self, learns: &[(&UserName, Version, NodeId)]) -> BTreeSet<UserName> {
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
        self.members.lacks(learns.iter().map(|&(user, _, _)| user.clone()));
        let work = || {
            while let Some(&(user, version, holder)) =
                learns.get(next.fetch_add(1, Ordering::Relaxed))
                && !self.stop.is_closed()
            {
                if self.learn(user, version, holder) {
                    self.members.has(user);
                } else {
                    failed.lock().insert(user.clone());
                    self.want_comparison();
                }
            }
        };
        side_by_side("learn", LEARN_THREADS.min(learns.len()), work);
        failed.into_inner()
    }
}

/// One machine's rows from a place in the list of names on.
pub(super) struct Page {
    /// What is held, and whether there is a vote on it.
    rows: BTreeMap<UserName, (State, bool)>,
    is_last: bool,
}

impl Page {
    pub(super) fn new((rows, is_last): (Vec<SumsRow>, bool)) -> Self {
        let row = |row: SumsRow| (row.user, (row.state, !row.is_damaged));
        let rows: BTreeMap<_, _> = gather(rows.into_iter().map(row));
        Self { is_last: is_last || rows.is_empty(), rows }
    }

    /// Of whom it tells.
    pub(super) fn names(&self) -> impl Iterator<Item = &UserName> {
        self.rows.keys()
    }

    /// Up to which name it tells; `None` if to the end.
    pub(super) fn end(&self) -> Option<&UserName> {
        self.rows.keys().next_back().filter(|_| !self.is_last)
    }

    /// Drops what stands behind `end`: another machine has not spoken of it yet.
    pub(super) fn cut(&mut self, end: &UserName) {
        self.rows.retain(|name, _| name <= end);
    }

    /// Of how many users it has less than what another page says is committed.
    fn count_lacking(&self, other: &Self) -> u32 {
        let held =
            |name: &UserName| self.rows.get(name).map(|(state, _)| state.acc).unwrap_or_default();
        let lacking = other.rows.iter().filter(|(name, (state, _))| held(name) < state.com);
        u32::try_from(lacking.count()).unwrap_or(u32::MAX)
    }

    fn row(&self, node: NodeId, user: &UserName) -> Row {
        let (state, has_vote) = self.rows.get(user).copied().unwrap_or((State::default(), true));
        Row { node, state, has_vote }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::of_three;
    use super::*;
    use crate::clock::Wall;
    use crate::id::{Hash128, PostId};
    use crate::store::line::{Kind, NewLine, encode};
    use crate::thread::{CloseOnDrop, Stop, spawn_named};
    use crate::user::entry::Entry;
    use crate::wire::message::Health;

    fn node(number: u16) -> NodeId {
        NodeId::new(number).unwrap()
    }

    /// Users whose settling would take far longer than any machine stands still.
    const MANY: u64 = 20;

    /// A file of one line, which nobody knows to be committed.
    fn open_line() -> Vec<u8> {
        let term = crate::replica::version::Term { epoch: 1, round: 1, node: 2, boot: 1 };
        let posted = Entry::Posted {
            at: Wall(1),
            id: PostId::from_raw(1),
            text: "Tea".to_owned(),
            reply_to: None,
            note: None,
            pictures: Vec::new(),
            sensitive: false,
        };
        let new = NewLine {
            version: Version { term, seq: 1 },
            base: Version::ZERO,
            base_hash: Hash128::default(),
            com: Version::ZERO,
            kind: Kind::Delta,
            requests: &[],
            entries: &[posted],
        };
        encode(&new).bytes
    }

    /// One of three machines with open lines of these users, in touch with another, as it ends: its links
    /// take questions and have nobody any more who asks them.
    fn ending(directory: &std::path::Path, users: &[UserName]) -> Cluster {
        let stop = Stop::new();
        let files: Vec<_> = users.iter().map(|user| (user.clone(), open_line())).collect();
        let cluster = of_three(directory, &stop, &files);
        stop.close();
        std::thread::scope(|scope| cluster.run_links(scope).unwrap());
        let health = Health { reaches: vec![node(1), node(2)], ..cluster.health() };
        cluster.members.answered(node(2), health, cluster.clock.mono());
        cluster
    }

    /// Checks that what an ending machine does with its users takes less time than half of them would.
    fn check(act: impl FnOnce(&Cluster, &mut LockPermit, Vec<UserName>) + Send) {
        let directory = tempfile::tempdir().unwrap();
        let users = (0..MANY).map(|number| UserName::parse(&format!("ada{number}")).unwrap());
        let users: Vec<_> = users.collect();
        let cluster = ending(directory.path(), &users);
        let begun = cluster.clock.mono();
        std::thread::scope(|scope| {
            let (cluster, users) = (&cluster, users.clone());
            let run = |mut permit| act(cluster, &mut permit, users);
            spawn_named(scope, "catch-up", run).unwrap().join().unwrap();
        });
        let ms = cluster.clock.mono().since_ms(begun);
        assert!(
            ms < MANY * WRITE_MS_MAX / 2,
            "{ms} ms, of {WRITE_MS_MAX} that each of {MANY} may take"
        );
    }

    #[test]
    fn r0027_users_of_errands_are_not_settled_once_the_process_stops() {
        check(|cluster, permit, users| {
            for user in users {
                cluster.local.errand(Errand::Settle(user));
            }
            cluster.run_errands(permit, Errand::Compare);
        });
    }

    #[test]
    fn r0027_open_users_are_not_settled_once_the_process_stops() {
        check(|cluster, permit, users| {
            let held = |user| (UserName::clone(user), cluster.local.get(user).unwrap().state().acc);
            cluster.settle_old(permit, &users.iter().map(held).collect());
        });
    }

    /// Runs it on a machine of three that lacks something, and checks that it is not forgotten.
    fn check_still_lacks(act: impl FnOnce(&Cluster, &mut LockPermit) + Send) {
        let directory = tempfile::tempdir().unwrap();
        let cluster = of_three(directory.path(), &Stop::new(), &[]);
        cluster.members.lacks([UserName::parse("ada").unwrap()]);
        std::thread::scope(|scope| {
            let run = |mut permit| act(&cluster, &mut permit);
            spawn_named(scope, "catch-up", run).unwrap().join().unwrap();
        });
        assert_eq!(cluster.members.lacking(), 1);
    }

    #[test]
    fn r0170_what_is_lacking_is_not_forgotten_for_a_page_on_which_nothing_is() {
        check_still_lacks(|cluster, permit| {
            let page = |number| (node(number), Page::new((Vec::new(), true)));
            let pages = BTreeMap::from([page(1), page(2)]);
            assert_eq!(cluster.mend_page(permit, 3, &pages), (0, BTreeSet::new()));
        });
    }

    #[test]
    fn r0170_what_is_lacking_is_not_forgotten_by_a_comparison_with_nobody() {
        check_still_lacks(Cluster::compare);
    }

    /// A machine of three, and how often another was asked for a file meanwhile.
    fn asked_for_files(act: impl FnOnce(&Cluster, &UserName, Version)) -> usize {
        let directory = tempfile::tempdir().unwrap();
        let cluster = of_three(directory.path(), &Stop::new(), &[]);
        cluster.have_silent_peers();
        let user = UserName::parse("ada").unwrap();
        let (version, _) = Body::file(&user, open_line().into()).unwrap().last().unwrap();
        let stop = Stop::new();
        let say = |asked: &Message| {
            // Time enough for all who want it to ask.
            std::thread::sleep(Duration::from_millis(100));
            let (state, after) = (State::default(), Version::ZERO);
            matches!(asked, Message::Fetch { .. })
                .then(|| (Answer::Body { state, after }, open_line()))
        };
        std::thread::scope(|scope| {
            let says = |_permit| cluster.say_for(node(2), &stop, say);
            let says = spawn_named(scope, "machine-2", says).unwrap();
            let end = CloseOnDrop(stop.clone());
            act(&cluster, &user, version);
            drop(end);
            says.join().unwrap()
        })
    }

    #[test]
    fn r0200_full_disk_has_nothing_sent_that_it_cannot_take() {
        let asked = asked_for_files(|cluster, user, version| {
            cluster.local.store.be_full(true);
            for _ in 0..5 {
                let failed = cluster.learn_all(&[(user, version, node(2))]);
                assert_eq!((failed.len(), cluster.members.lacking()), (1, 1));
            }
            cluster.local.store.be_full(false);
            assert!(cluster.learn_all(&[(user, version, node(2))]).is_empty(), "there is room");
            assert_eq!(cluster.members.lacking(), 0);
        });
        assert_eq!(asked, 1);
    }

    #[test]
    fn r0200_what_did_not_fit_is_not_sent_again_before_there_is_room_for_it() {
        let asked = asked_for_files(|cluster, user, version| {
            let (local, slot) = (&cluster.local, cluster.local.get_or_make(user));
            local.store.be_full(true);
            let body = Body::file(user, open_line().into()).unwrap();
            let (version, hash) = body.last().filter(|last| last.0 == version).unwrap();
            local.step(&slot, Event::Learn { version, hash }, &body);
            assert_eq!((slot.state().acc, slot.lock().unfit), (Version::ZERO, body.len() as u64));
            local.store.be_full(false);
            assert!(
                !cluster.learn(user, version, node(2)),
                "its disk took nothing when it tried last"
            );
            // Somebody else's line fits.
            local.look_for_room();
            assert_eq!(local.disk_refusal(), None);
            slot.lock().unfit = u64::MAX;
            assert!(!cluster.learn(user, version, node(2)));
            slot.lock().unfit = 1;
            assert!(cluster.learn(user, version, node(2)));
            assert_eq!(slot.lock().unfit, 0);
        });
        assert_eq!(asked, 1);
    }

    #[test]
    fn r0176_many_who_want_the_same_file_have_it_fetched_once() {
        let asked = asked_for_files(|cluster, user, version| {
            side_by_side("wants", 4, || assert!(cluster.learn(user, version, node(2))));
        });
        assert_eq!(asked, 1);
    }

    #[test]
    fn r0203_who_has_gone_on_writing_meanwhile_is_not_lacking_for_that() {
        let directory = tempfile::tempdir().unwrap();
        let user = UserName::parse("ada").unwrap();
        let files = [(user.clone(), open_line())];
        let cluster = of_three(directory.path(), &Stop::new(), &files);
        let state = cluster.local.get(&user).unwrap().state();
        let rows = vec![SumsRow { user: user.clone(), state, is_damaged: false }];
        let pages = [(node(1), Vec::new()), (node(2), rows)];
        let pages = pages.map(|(node, rows)| (node, Page::new((rows, true)))).into();
        let mend = |cluster: &Cluster| {
            std::thread::scope(|scope| {
                let mend = |mut permit| cluster.mend_page(&mut permit, 3, &pages).1;
                spawn_named(scope, "catch-up", mend).unwrap().join().unwrap()
            })
        };
        // Nobody answers, so it cannot be settled.
        assert_eq!(mend(&cluster), BTreeSet::from([user.clone()]));
        cluster.members.has(&user);
        // What the other held then has come by itself since, and is committed.
        cluster.commit_held(&user, state.acc);
        assert_eq!((mend(&cluster), cluster.members.lacking()), (BTreeSet::new(), 0));
    }

    #[test]
    fn r0204_who_waits_for_a_file_in_vain_asks_the_same_machine_no_second_time() {
        let directory = tempfile::tempdir().unwrap();
        let cluster = of_three(directory.path(), &Stop::new(), &[]);
        cluster.have_silent_peers();
        let user = UserName::parse("ada").unwrap();
        let (version, _) = Body::file(&user, open_line().into()).unwrap().last().unwrap();
        let (stop, asked) = (Stop::new(), AtomicUsize::new(0));
        let hang = |_: &Message| {
            asked.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(300));
            None
        };
        let answer = |_: &Message| {
            let (state, after) = (State::default(), Version::ZERO);
            Some((Answer::Body { state, after }, open_line()))
        };
        std::thread::scope(|scope| {
            let _end = CloseOnDrop(stop.clone());
            let hangs = |_permit| cluster.say_for(node(2), &stop, hang);
            spawn_named(scope, "machine-2", hangs).unwrap();
            let answers = |_permit| cluster.say_for(node(3), &stop, answer);
            spawn_named(scope, "machine-3", answers).unwrap();
            side_by_side("wants", 4, || assert!(!cluster.learn(&user, version, node(2))));
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            // Another one is asked all the same.
            let waits = |_permit| cluster.learn(&user, version, node(2));
            spawn_named(scope, "waits", waits).unwrap();
            while asked.load(Ordering::Relaxed) == 1 {
                std::thread::yield_now();
            }
            assert!(cluster.learn(&user, version, node(3)));
        });
    }
}
