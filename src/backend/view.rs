//! Who asks, what an answer is, and what stands at the head of every page.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::Backend;
use super::read::person;
use crate::auth::session::SessionText;
use crate::clock::Wall;
use crate::cluster::changes::Noted;
use crate::cluster::membership::Peer;
use crate::id::{NodeId, PostId, UserName};
use crate::index::{Eyes, NewsKind};
use crate::limits::{
    ASK_AGAIN_LOOK_MS, ASK_AGAIN_MS, CHANGES_SHOWN, SESSION_TRUST_S, WRITE_MS_MAX,
};
use crate::metrics;
use crate::replica::version::Version;
use crate::thread::LockPermit;
use crate::user::entry::{App, SessionId, Signup};
use crate::user::{Status, User};
use crate::wire::message::Health;
use crate::wire::request::{
    ChangeRow, ClusterBrief, MachineRow, MachineState, NotVoting, Outcome, Person, Refusal,
    StatusPage, Viewer,
};

/// A request's sender, whose session is open.
pub(super) struct Asker {
    /// Their session.
    pub(super) session: SessionText,
    /// Its id in the file.
    pub(super) id: SessionId,
    /// Since when this machine was cut off, if it shows them less than they have seen.
    pub(super) stale_since: Option<Wall>,
    /// Up to which place their device has shown what concerns them.
    pub(super) read_to: Option<PostId>,
    /// Which app asks; none where it is a browser.
    pub(super) app: Option<Box<App>>,
}

impl Asker {
    /// Their name.
    pub(super) fn user(&self) -> &UserName {
        &self.session.user
    }
}

/// What a handler is given besides its data.
pub(super) struct Asked<'a> {
    /// Who asks; nobody for strangers.
    pub(super) asker: Option<&'a Asker>,
    /// The right to one user's lock.
    pub(super) permit: &'a mut Permit,
}

impl<'a> Asked<'a> {
    /// Who asks, where strangers may not.
    pub(super) fn signed_in(&self) -> std::result::Result<&'a Asker, Refusal> {
        self.asker.ok_or(Refusal::SignedOut)
    }
}

/// The right to one user's lock, and about whom a majority was asked for the request that is at hand: what it told
/// then holds everything that was committed before that came.
pub(super) struct Permit {
    lock: LockPermit,
    heard: Vec<UserName>,
}

impl Permit {
    /// Before the first request.
    pub(super) const fn new(lock: LockPermit) -> Self {
        Self { lock, heard: Vec::new() }
    }

    /// Another request is at hand.
    pub(super) fn begin(&mut self) {
        self.heard.clear();
    }

    /// Whether a majority told already what is committed of somebody.
    pub(super) fn has_heard_of(&self, user: &UserName) -> bool {
        self.heard.contains(user)
    }
}

impl Deref for Permit {
    type Target = LockPermit;

    fn deref(&self) -> &LockPermit {
        &self.lock
    }
}

impl DerefMut for Permit {
    fn deref_mut(&mut self) -> &mut LockPermit {
        &mut self.lock
    }
}

/// An answer.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) session: SessionNow,
}

/// What becomes of the asker's session.
pub(super) enum SessionNow {
    /// As it was.
    Same,
    /// This one from now on.
    Is(SessionText),
    /// It is over.
    Ended,
}

/// An answer or a refusal.
pub(super) type Result = std::result::Result<Done, Refusal>;

impl Done {
    /// An answer that leaves the session as it was.
    pub(super) const fn told(outcome: Outcome) -> Self {
        Self { outcome, session: SessionNow::Same }
    }
}

impl Backend {
    /// Reads a session and checks that it is open.
    ///
    /// A copy that is older than what this person saw or than what is known to be committed, or that has not
    /// been compared with a majority since this machine was started, stood still or was cut off, or that does
    /// not know the session, is brought up to date first. Without a majority the copy is
    /// trusted for a while, then no session is.
    ///
    /// # Errors
    /// [`Refusal::Behind`] when the copy could not be brought up to date and would show this person
    /// less than they have seen, nothing of their session, or one that may be over. A machine that knows
    /// that it is cut off answers all the same: it says how old its copy is. One that was in touch with
    /// nobody since its start cannot, and trusts nobody: it may have been away for days.
    pub(super) fn asker(
        &self,
        permit: &mut Permit,
        text: &str,
    ) -> std::result::Result<Option<Asker>, Refusal> {
        let Ok(session) = SessionText::parse(text) else { return Ok(None) };
        let id = session.token.id();
        if let Some(seen) = session.seen {
            self.cluster.await_shown(&session.user, seen);
        }
        let is_current = self.cluster.local.get(&session.user).is_some_and(|slot| {
            session.seen.is_none_or(|seen| slot.state().com >= seen)
                && slot.view().open_session(&id, self.clock.wall()).is_some()
        });
        let lacks_some = self.lacks_some(&session.user);
        let must_ask = !is_current || lacks_some || self.cluster.members.may_be_old();
        let was_told = must_ask
            && (self.refresh(permit, &session.user)
                || self.may_lack_an_end() && self.ask_on(permit, &session.user));
        // Not before: a machine that stood still learns by asking that nobody answers.
        let cut_off = self.cluster.members.cut_off().filter(|_| !was_told);
        match cut_off {
            // How long it was away, and how old its copy is, it cannot say.
            Some((_, None)) => return Err(Refusal::Behind),
            Some((ms, Some(_))) if ms >= SESSION_TRUST_S * 1000 => return Ok(None),
            Some(_) | None => {}
        }
        let stale_since = cut_off.and_then(|(_, since)| since);
        let app_of = |user: &User| {
            user.open_session(&id, self.clock.wall()).map(|session| session.app.clone())
        };
        let open = self.look(&session.user, app_of).flatten();
        let is_open = open.is_some();
        let is_behind = session.seen.is_some_and(|seen| self.committed(&session.user) < seen);
        let is_doubtful = is_behind || !is_open || lacks_some || self.may_lack_an_end();
        if must_ask && !was_told && is_doubtful && stale_since.is_none() {
            return Err(Refusal::Behind);
        }
        let stale_since = stale_since.filter(|_| is_behind);
        Ok(open.map(|app| Asker { session, id, stale_since, read_to: None, app }))
    }

    /// Asks on where nobody answered, until a majority does or this machine knows that it is cut off. Whether
    /// one did. Machines that freeze are silent for a while before anybody knows it, and a page that was here
    /// all the time is worth waiting for.
    fn ask_on(&self, permit: &mut Permit, user: &UserName) -> bool {
        let until = self.cluster.deadline(ASK_AGAIN_MS);
        let look = Duration::from_millis(ASK_AGAIN_LOOK_MS);
        // So often at most, too: a test's clock stands.
        for _ in 0..ASK_AGAIN_MS / ASK_AGAIN_LOOK_MS {
            let is_decided = self.cluster.members.cut_off().is_some();
            if is_decided || self.clock.mono() >= until || self.cluster.wait_stopped(look) {
                return false;
            }
            if self.refresh(permit, user) {
                return true;
            }
        }
        false
    }

    /// Whether a session may have been ended without this machine, as far as it knows. While the members
    /// change nobody could end one.
    fn may_lack_an_end(&self) -> bool {
        self.cluster.members.may_be_old()
            && self.cluster.local.floors().not_voting != Some(NotVoting::Changing)
    }

    /// The session of somebody who was just shown what is committed here: no machine may show them
    /// less from now on.
    pub(super) fn seen_now(&self, session: SessionText) -> SessionText {
        let seen = session.seen.max(Some(self.committed(&session.user)));
        SessionText { seen, ..session }
    }

    /// Brings this machine's copy of a user up to what a majority held when this request came, or later, if one
    /// can be reached. Whether it is.
    pub(super) fn refresh(&self, permit: &mut Permit, user: &UserName) -> bool {
        if permit.has_heard_of(user) {
            return true;
        }
        let deadline = self.cluster.deadline(WRITE_MS_MAX);
        let fresh = self.cluster.fresh(permit, user, deadline);
        match &fresh {
            Ok(()) => permit.heard.push(user.clone()),
            Err(error) => log::debug!(user:%, error:%; "copy not refreshed"),
        }
        fresh.is_ok()
    }

    /// Looks at a user's committed state; strangers' names show an absent user as `None`.
    pub(super) fn look<T>(&self, user: &UserName, look: impl FnOnce(&User) -> T) -> Option<T> {
        let slot = self.cluster.local.get(user)?;
        let view = slot.view();
        (view.status != Status::Absent).then(|| look(&view))
    }

    /// What is committed of a user here.
    pub(super) fn committed(&self, user: &UserName) -> Version {
        self.cluster.local.get(user).map(|slot| slot.state().com).unwrap_or_default()
    }

    /// Who is signed in, for the page's head.
    pub(super) fn viewer(&self, session: &SessionText, read_to: Option<PostId>) -> Option<Viewer> {
        let hindered = self.hindered(&session.user);
        let viewer = |user: &User| {
            let open = user.open_session(&session.token.id(), self.clock.wall())?;
            let opened_at = open.opened_at;
            let viewer = Viewer {
                username: user.name.clone(),
                display_name: user.display_name.clone(),
                ops: user.ops,
                news: 0,
                is_keeper: user.is_keeper(),
                posts_for: user.posts_for,
                hindered,
                app: open.app.clone(),
                pictures_in_s: None,
            };
            Some((viewer, read_from(read_to, opened_at)))
        };
        let (viewer, read_to) = self.look(&session.user, viewer).flatten()?;
        let index = self.cluster.local.index();
        let kinds: &[NewsKind] =
            if viewer.app.is_some() { &NewsKind::ALL } else { &NewsKind::OF_PAGES };
        let news = index.news_count(index.eyes(Some(&session.user), self.now()), read_to, kinds);
        Some(Viewer { news: u32::try_from(news).unwrap_or(u32::MAX), ..viewer })
    }

    /// What the one who asks may be shown.
    pub(super) fn eyes(&self, asker: Option<&Asker>) -> Eyes {
        self.cluster.local.index().eyes(asker.map(Asker::user), self.now())
    }

    /// A user in short.
    pub(super) fn person(&self, user: &UserName) -> Option<Person> {
        self.look(user, person)
    }

    /// The machines in one line.
    pub(super) fn brief(&self) -> ClusterBrief {
        ClusterBrief {
            machines: self
                .machines(&self.cluster.members.peers())
                .into_iter()
                .map(|machine| machine.state)
                .collect(),
            stale_since: self.stale_since(),
            is_closed: self.cluster.local.index().house().signup == Signup::Closed,
            answered_by: self.cluster.members.name.clone(),
        }
    }

    /// Of when this machine's copy is, where it may be old: at the latest of when the newest is that it holds.
    fn stale_since(&self) -> Option<Wall> {
        let since = self.cluster.members.left_behind()?;
        let newest = || self.cluster.local.index().newest_place(self.now()).at_ms();
        since.or_else(|| Some(Wall(newest())).filter(|at| at.0 > 0))
    }

    /// The machines at length.
    pub(super) fn status(&self) -> StatusPage {
        // Once: a machine that dies meanwhile must not be up in its row and missing for writes.
        let peers = self.cluster.members.peers();
        let machines = self.machines(&peers);
        let named = |noted: Noted| {
            let row = machines.iter().find(|row| row.node == noted.node);
            let name = row.map_or_else(|| unnamed(noted.node), |row| row.name.clone());
            ChangeRow { at: noted.at, machine: name, what: noted.what }
        };
        let changes = self.cluster.changes.last(CHANGES_SHOWN).into_iter().map(named).collect();
        StatusPage {
            changes,
            machines,
            writes: self.cluster.can_write(&peers),
            needed: u8::try_from(self.cluster.members.needed()).unwrap_or(u8::MAX),
        }
    }

    /// What is known only now, for those who watch.
    pub(super) fn numbers(&self) -> metrics::Now {
        let node = |row: MachineRow| metrics::Node {
            node: row.node,
            is_up: row.state != MachineState::Down,
            votes: row.refuses.is_none(),
            behind: row.behind,
            pictures_missing: row.pictures_missing,
        };
        metrics::Now {
            nodes: self.machines(&self.cluster.members.peers()).into_iter().map(node).collect(),
            users: u64::try_from(self.cluster.local.index().members()).unwrap_or(u64::MAX),
            disk_free_bytes: self.cluster.local.store.disk_free_bytes().ok(),
        }
    }

    fn machines(&self, peers: &BTreeMap<NodeId, Peer>) -> Vec<MachineRow> {
        let members = &self.cluster.members;
        let row = |&node: &NodeId| match peers.get(&node) {
            None => self.own_row(node),
            Some(peer) => peer_row(node, peer),
        };
        members.members().iter().map(row).collect()
    }

    /// This machine.
    fn own_row(&self, node: NodeId) -> MachineRow {
        let members = &self.cluster.members;
        let health = self.cluster.health();
        let is_behind = !members.has_agreed() || health.catching_up > 0;
        MachineRow {
            node,
            name: members.name.clone(),
            state: state_of(&health, is_behind),
            down_since: None,
            refuses: refusal_of(&health),
            damaged: health.damaged,
            behind: Some(health.catching_up),
            pictures_missing: health.pictures_missing,
            disk_percent: self.cluster.local.store.disk_percent().ok(),
            talks_to: health.reaches,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    /// The time people read.
    pub(super) fn now(&self) -> Wall {
        self.clock.wall()
    }
}

/// Above which place something is new to a device: one that has shown nothing yet begins where its
/// session does, so that nobody who signs in is told of what they have long read elsewhere.
pub(super) fn read_from(read_to: Option<PostId>, opened_at: Wall) -> PostId {
    read_to.unwrap_or(PostId::floor_of(opened_at.0))
}

/// Another machine, as far as it is known here.
fn peer_row(node: NodeId, peer: &Peer) -> MachineRow {
    let health = peer.health.as_ref().filter(|_| peer.is_up);
    let hello = peer.hello.as_ref();
    // What it says of itself, else how it compares with this machine.
    let lacking = health.map(|health| health.catching_up).filter(|count| *count > 0);
    let behind = lacking.or(peer.differing).filter(|_| peer.is_up);
    let is_behind = behind.is_some_and(|count| count > 0);
    MachineRow {
        node,
        name: hello.map_or_else(|| unnamed(node), |hello| hello.name.clone()),
        state: health.map_or(MachineState::Down, |health| state_of(health, is_behind)),
        down_since: peer.down_since.filter(|_| !peer.is_up),
        refuses: health.and_then(refusal_of),
        damaged: health.map_or(0, |health| health.damaged),
        behind,
        pictures_missing: health.map_or(0, |health| health.pictures_missing),
        disk_percent: health.map(|health| health.disk_percent),
        talks_to: health.map(|health| health.reaches.clone()).unwrap_or_default(),
        version: hello.map(|hello| hello.version.clone()),
    }
}

/// A machine that refuses votes is not in step: its dot is a ring.
fn state_of(health: &Health, is_behind: bool) -> MachineState {
    if is_behind || !health.voting || health.damaged > 0 {
        MachineState::Behind
    } else {
        MachineState::InStep
    }
}

/// Why a machine has no vote; an earlier version says only that it has none.
fn refusal_of(health: &Health) -> Option<NotVoting> {
    let unsaid = (!health.voting).then_some(NotVoting::Joining);
    health.not_voting.or(unsaid).or((health.damaged > 0).then_some(NotVoting::Damaged))
}

/// What a machine is called that was never met.
fn unnamed(node: NodeId) -> String {
    format!("machine {node}")
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("user", self.user()).finish_non_exhaustive()
    }
}
