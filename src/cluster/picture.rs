//! Pictures among the machines: kept by a majority before anybody is told, fetched by whoever lacks one,
//! let go when no post refers to them.
//!
//! There is no lock and no vote: a picture is named by its content and never changes, so having it is all
//! that can be said of it. A post's line is written only after a majority has its pictures, and names
//! them; so whoever has the line knows what to fetch, and from a machine that is there.
//!
//! Nothing goes that a post may still come to refer to: whoever is about to post has a majority take note
//! that the pictures are wanted, which keeps them for a day. Nor does a machine let go of any while it may
//! lack a post.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::Cluster;
use super::link::Asker;
use crate::clock::{Mono, Wall};
use crate::id::{NodeId, PictureName};
use crate::limits::{
    PICTURE_AGAIN_MS, PICTURE_BYTES_MAX, PICTURE_BYTES_PER_MS_MAX, PICTURE_FETCH_MS,
    PICTURE_LOOK_MS, PICTURE_MISSING_MS, PICTURE_SWEEP_MS, PICTURE_UNWANTED_MS,
};
use crate::store::StoreError;
use crate::wire::message::{Answer, FEATURE_PICTURES, Message, PictureWant};

/// Why a picture is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Not as many machines as must could take it.
    #[error("not enough machines")]
    NoMajority,
    /// The disks are full.
    #[error("no space")]
    NoSpace,
    /// No machine that can be reached has it.
    #[error("nobody has it")]
    Lost,
}

impl Cluster {
    /// Whether all machines' programs know of pictures.
    pub fn knows_pictures(&self) -> bool {
        self.local.node.features() >= FEATURE_PICTURES
    }

    /// Has a majority keep a picture, this machine among them if it can; those that are late go on.
    ///
    /// # Errors
    /// [`NotKept`]: fewer may have it all the same, and let it go after a day.
    pub fn keep_picture(
        &self,
        name: PictureName,
        bytes: &Arc<[u8]>,
        deadline: Mono,
    ) -> Result<(), NotKept> {
        let others = self.ask_of_picture((name, PictureWant::Keep), bytes, deadline);
        let own = self.pictures.keep(name, bytes, self.clock.wall());
        let has_space = !matches!(own, Err(StoreError::NoSpace { .. }));
        if let Err(error) = &own {
            log::error!(name:%, error:%; "picture not kept here");
        }
        if others.wait(self, usize::from(own.is_ok()), deadline) {
            Ok(())
        } else if has_space {
            Err(NotKept::NoMajority)
        } else {
            Err(NotKept::NoSpace)
        }
    }

    /// Has a majority keep a picture for now that was kept before. Those that let it go meanwhile, or
    /// never had it, get it again.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn want_picture(&self, name: PictureName, deadline: Mono) -> Result<(), NotKept> {
        let others = self.ask_of_picture((name, PictureWant::Renew), &Arc::default(), deadline);
        let own = self.pictures.renew(name, self.clock.wall()).unwrap_or_else(|error| {
            log::error!(name:%, error:%; "picture not renewed here");
            false
        });
        if others.wait(self, usize::from(own), deadline) {
            return Ok(());
        }
        let bytes: Arc<[u8]> = self.picture(name).ok_or(NotKept::Lost)?.into();
        self.keep_picture(name, &bytes, deadline)
    }

    /// A picture's file, from here or from a peer; whoever lacked it or had it damaged has it then.
    pub fn picture(&self, name: PictureName) -> Option<Vec<u8>> {
        match self.pictures.read(name) {
            Ok(Some(bytes)) => return Some(bytes),
            Ok(None) => {}
            Err(error) => log::error!(name:%, error:%; "picture not read"),
        }
        self.fetch_picture(name, PICTURE_FETCH_MS)
    }

    fn fetch_picture(&self, name: PictureName, ms: u64) -> Option<Vec<u8>> {
        let bytes = self.ask_for_picture(name, self.deadline(ms))?;
        if let Err(error) = self.pictures.keep(name, &bytes, self.clock.wall()) {
            log::error!(name:%, error:%; "picture not kept here");
        }
        Some(bytes)
    }

    /// Asks one peer after the other: a picture is long, and mostly the first one has it. One that says
    /// nothing is waited for alone for its share of the time that is left, because it may be frozen, and
    /// then beside the others, because it may only be slow.
    fn ask_for_picture(&self, name: PictureName, deadline: Mono) -> Option<Vec<u8>> {
        let epoch = self.local.floors().epoch;
        let me = self.members.me;
        let mut peers: Vec<NodeId> = self.members.live();
        peers.retain(|&node| node != me);
        // Room for an answer of each.
        let (sender, answers) = bounded(peers.len().max(1));
        let (mut unasked, mut unheard) = (peers.len() as u64, 0_u32);
        for peer in peers {
            let share = deadline.since_ms(self.clock.mono()) / unasked;
            let asker = Asker { answers: sender.clone(), ticket: self.tickets.next() };
            let message = Message::Picture { name, want: PictureWant::Fetch };
            self.links.send(peer, (message, Arc::default()), Some(asker), (deadline, epoch));
            (unasked, unheard) = (unasked - 1, unheard + 1);
            let until = self.clock.mono().plus_ms(share);
            while unheard > 0
                && let Ok(heard) = answers.recv_timeout(until.left(self.clock.mono()))
            {
                unheard -= 1;
                if let Some((Answer::Picture { is_held: true }, bytes)) = heard.answer
                    && name.is_of(&bytes)
                {
                    return Some(bytes);
                }
                // It has none: the next one need not wait.
                if heard.from == peer && unasked > 0 {
                    break;
                }
            }
        }
        None
    }

    /// What a peer asks of a picture: the answer, and its body.
    pub(super) fn answer_picture(
        &self,
        name: PictureName,
        want: PictureWant,
        body: &[u8],
    ) -> (Answer, Vec<u8>) {
        let now = self.clock.wall();
        let held = match want {
            PictureWant::Keep => self.pictures.keep(name, body, now).map(|()| Some(Vec::new())),
            PictureWant::Renew => {
                self.pictures.renew(name, now).map(|is_held| is_held.then(Vec::new))
            }
            PictureWant::Fetch => self.pictures.read(name),
        };
        let held = held.unwrap_or_else(|error| {
            log::error!(name:%, error:%; "picture not kept or read for a peer");
            None
        });
        (Answer::Picture { is_held: held.is_some() }, held.unwrap_or_default())
    }

    fn ask_of_picture(
        &self,
        (name, want): (PictureName, PictureWant),
        body: &Arc<[u8]>,
        until: Mono,
    ) -> Asked {
        let me = self.members.me;
        let peers: Vec<NodeId> =
            self.members.live().into_iter().filter(|&node| node != me).collect();
        // Room for an answer of each.
        let (sender, answers) = bounded(peers.len().max(1));
        for peer in &peers {
            let asker = Asker { answers: sender.clone(), ticket: self.tickets.next() };
            let when = (until, self.local.floors().epoch);
            let message = (Message::Picture { name, want }, Arc::clone(body));
            self.links.send(*peer, message, Some(asker), when);
        }
        Asked { answers, count: peers.len() }
    }

    /// Fetches pictures that posts refer to and that are not here, and lets go of those that nothing
    /// refers to, until the process stops.
    pub fn run_pictures(&self) {
        let mut seen = None;
        let mut swept_at: Option<Mono> = None;
        let mut failed_at: Option<Mono> = None;
        while !self.stop.wait(Duration::from_millis(PICTURE_LOOK_MS)) {
            if !self.knows_pictures() {
                continue;
            }
            let now = self.clock.mono();
            let changes = (self.local.index().picture_changes(), self.pictures.losses());
            let is_pausing = failed_at.is_some_and(|at| now.since_ms(at) < PICTURE_AGAIN_MS);
            if seen != Some(changes) && !is_pausing {
                let is_whole = self.fetch_missing();
                seen = is_whole.then_some(changes);
                // What nobody has who can be reached is not asked for all the time.
                failed_at = (!is_whole && self.members.has_majority()).then(|| self.clock.mono());
            }
            let is_due = swept_at.is_none_or(|at| now.since_ms(at) >= PICTURE_SWEEP_MS);
            if is_due && self.lacks_no_post() {
                self.sweep_pictures();
                swept_at = Some(now);
            }
        }
    }

    /// How many files of pictures that posts refer to are not on this machine.
    pub fn pictures_missing(&self) -> u32 {
        self.pictures_missing.load(Ordering::Relaxed)
    }

    fn tell_missing(&self, count: usize) {
        self.pictures_missing.store(u32::try_from(count).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Fetches what is missing, slowly enough for others to get by; whether nothing is missing now.
    fn fetch_missing(&self) -> bool {
        let needed = self.local.index().pictures();
        let missing: Vec<_> =
            needed.into_iter().filter(|name| !self.pictures.holds(*name)).collect();
        let (mut fetched, mut failed) = (0, 0);
        for (seen, name) in missing.iter().enumerate() {
            self.tell_missing(missing.len() - seen + failed);
            // Else all of them would be sent again and again, for nothing.
            if !self.local.store.has_room_for(PICTURE_BYTES_MAX as u64) {
                return false;
            }
            // Its post may be gone since.
            if !self.local.index().needs_picture(*name) || self.pictures.holds(*name) {
                continue;
            }
            let Some(bytes) = self.fetch_picture(*name, PICTURE_MISSING_MS) else {
                failed += 1;
                if self.stop.is_closed() || !self.members.has_majority() {
                    return false;
                }
                continue;
            };
            let is_kept = self.pictures.holds(*name);
            (fetched, failed) = (fetched + usize::from(is_kept), failed + usize::from(!is_kept));
            let pause = bytes.len() as u64 / PICTURE_BYTES_PER_MS_MAX;
            if self.stop.wait(Duration::from_millis(pause)) {
                return false;
            }
        }
        self.tell_missing(failed);
        if fetched > 0 {
            log::info!(count = fetched, failed; "pictures fetched from peers");
        }
        failed == 0
    }

    /// Whether every post that is committed is known here: a picture that only such a one refers to must
    /// not go.
    fn lacks_no_post(&self) -> bool {
        let members = &self.members;
        members.serves_lists()
            && members.has_majority()
            && !members.may_be_old()
            && members.lacking() == 0
    }

    fn sweep_pictures(&self) {
        let before = Wall(self.clock.wall().0.saturating_sub(PICTURE_UNWANTED_MS));
        let mut removed = 0;
        for name in self.pictures.unwanted(before) {
            if self.local.index().needs_picture(name) {
                continue;
            }
            match self.pictures.remove(name, before) {
                Ok(was_there) => removed += u32::from(was_there),
                Err(error) => log::error!(name:%, error:%; "picture not removed"),
            }
        }
        if removed > 0 {
            log::info!(count = removed; "pictures that nothing refers to removed");
        }
    }
}

/// Peers that were asked.
struct Asked {
    answers: crossbeam_channel::Receiver<super::link::Heard>,
    count: usize,
}

impl Asked {
    /// Waits until a majority has it, `held` of which have already; whether it came to that.
    fn wait(self, cluster: &Cluster, mut held: usize, deadline: Mono) -> bool {
        let needed = cluster.members.needed();
        for _ in 0..self.count {
            if held >= needed {
                return true;
            }
            match self.answers.recv_timeout(deadline.left(cluster.clock.mono())) {
                Ok(heard) => {
                    let is_held =
                        matches!(heard.answer, Some((Answer::Picture { is_held: true }, _)));
                    held += usize::from(is_held);
                }
                Err(_) => return false,
            }
        }
        held >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::lane_for;
    use super::super::tests::of_three;
    use super::*;
    use crate::cluster::replicas::Body;
    use crate::id::{Hash128, PictureKind, PostId, UserName};
    use crate::replica::acceptor::Event;
    use crate::replica::version::{Term, Version};
    use crate::store::line::{Kind, NewLine, encode};
    use crate::thread::{CloseOnDrop, Stop, spawn_named};
    use crate::user::entry::{Entry, Picture};

    fn node(number: u16) -> NodeId {
        NodeId::new(number).unwrap()
    }

    /// Machine 2 is asked first and has stopped without anybody having noticed yet.
    #[test]
    fn r0023_picture_that_the_second_machine_has_is_found_though_the_first_is_frozen() {
        let home = tempfile::tempdir().unwrap();
        let cluster = of_three(&home.path().join("db"), &Stop::new(), &[]);
        // The two others are in touch, and silent.
        cluster.have_silent_peers();
        for number in 2..=3 {
            cluster.members.answered(node(number), cluster.health(), cluster.clock.mono());
        }
        let bytes = b"a picture".to_vec();
        let name = PictureName::of(PictureKind::Jpeg, &bytes);
        // Where this process itself stands still for a second, another try tells.
        let found = (0..5).find_map(|_| {
            std::thread::scope(|scope| {
                let answer = (Answer::Picture { is_held: true }, bytes.clone());
                let say = |_permit| cluster.say_of_picture(node(3), answer);
                let said = crate::thread::spawn_named(scope, "machine-3", say);
                let found = cluster.picture(name);
                said.unwrap().join().unwrap();
                found
            })
        });
        assert_eq!(found, Some(bytes));
        assert!(cluster.pictures.holds(name));
    }

    /// 700 KB take six seconds at 1 Mbit/s.
    #[test]
    fn r0243_picture_that_is_missing_here_may_be_long_on_its_way() {
        let home = tempfile::tempdir().unwrap();
        let cluster = of_three(&home.path().join("db"), &Stop::new(), &[]);
        cluster.have_silent_peers();
        cluster.members.answered(node(2), cluster.health(), cluster.clock.mono());
        let bytes = b"a picture".to_vec();
        let name = PictureName::of(PictureKind::Jpeg, &bytes);
        std::thread::scope(|scope| {
            let say = |_permit| {
                std::thread::sleep(Duration::from_millis(PICTURE_FETCH_MS + 500));
                cluster.say_of_picture(node(2), (Answer::Picture { is_held: true }, bytes.clone()));
            };
            let said = spawn_named(scope, "machine-2", say).unwrap();
            assert!(cluster.fetch_picture(name, PICTURE_MISSING_MS).is_some());
            said.join().unwrap();
        });
    }

    #[test]
    fn r0244_word_about_a_picture_waits_for_none_on_its_way() {
        let name = PictureName::of(PictureKind::Jpeg, b"a picture");
        let lane = |want| lane_for(&Message::Picture { name, want });
        assert_eq!(lane(PictureWant::Keep), lane(PictureWant::Fetch));
        assert_ne!(lane(PictureWant::Keep), lane(PictureWant::Renew));
    }

    /// A file whose post shows these two.
    fn post_with(file: PictureName, thumb: PictureName) -> Vec<u8> {
        let (width, height, bytes) = (1, 1, 1);
        let (description, sent_as) = (String::new(), None);
        let picture = Picture { file, thumb, width, height, bytes, description, sent_as };
        let posted = Entry::Posted {
            at: Wall(1),
            id: PostId::from_raw(1),
            text: String::new(),
            reply_to: None,
            note: None,
            pictures: vec![picture],
            sensitive: false,
        };
        let term = Term { epoch: 1, round: 1, node: 2, boot: 1 };
        let (version, base, com) = (Version { term, seq: 1 }, Version::ZERO, Version::ZERO);
        let (base_hash, kind) = (Hash128::default(), Kind::Delta);
        let (requests, entries) = (&[][..], std::slice::from_ref(&posted));
        encode(&NewLine { version, base, base_hash, com, kind, requests, entries }).bytes
    }

    #[test]
    fn r0202_pictures_that_a_full_disk_cannot_take_are_missing_and_not_sent() {
        let home = tempfile::tempdir().unwrap();
        let bytes = [b"a picture".to_vec(), b"small".to_vec()];
        let [file, thumb] = bytes.each_ref().map(|bytes| PictureName::of(PictureKind::Jpeg, bytes));
        let ada: UserName = "ada".parse().unwrap();
        let files = [(ada.clone(), post_with(file, thumb))];
        let cluster = of_three(&home.path().join("db"), &Stop::new(), &files);
        let slot = cluster.local.get(&ada).unwrap();
        cluster.local.step(&slot, Event::Committed(slot.state().acc), &Body::None);
        cluster.have_silent_peers();
        cluster.members.answered(node(2), cluster.health(), cluster.clock.mono());
        let stop = Stop::new();
        let say = |asked: &Message| {
            let Message::Picture { name, .. } = asked else { return None };
            let bytes = bytes.iter().find(|bytes| name.is_of(bytes))?;
            Some((Answer::Picture { is_held: true }, bytes.clone()))
        };
        let asked = std::thread::scope(|scope| {
            let says = |_permit| cluster.say_for(node(2), &stop, say);
            let says = spawn_named(scope, "machine-2", says).unwrap();
            let end = CloseOnDrop(stop.clone());
            cluster.local.store.be_full(true);
            for _ in 0..3 {
                assert!(!cluster.fetch_missing(), "nothing came");
                assert_eq!(cluster.pictures_missing(), 2);
            }
            cluster.local.store.be_full(false);
            assert!(cluster.fetch_missing());
            assert_eq!(cluster.pictures_missing(), 0);
            drop(end);
            says.join().unwrap()
        });
        assert_eq!(asked, 2);
    }
}
