//! What keepers decided, what waits for them, and who may join with which code: gathered from the files
//! of all who stated it.
//!
//! Of what several keepers said about the same thing the newest holds. A keeper's own statements are
//! in the order of their file; between files the times decide, and a backend gives an act a time above
//! all that it knows of the same thing, so that whoever undoes something has seen it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::people::PersonId;
use super::{Eyes, Index, Key};
use crate::clock::Wall;
use crate::id::UserName;
use crate::order::sort_by;
use crate::user::User;
use crate::user::entry::{CodeHash, Entry, House, PostRef};
use crate::user::keeping::{Deed, Keeping as Stated, Report, Standing};

/// What a deed is about: of deeds about the same the newest holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    House,
    /// Whether a post is hidden.
    Post(Key),
    /// Whether what was reported of a post has been looked at.
    Reports(Key),
    /// Whether somebody is suspended.
    Suspension(PersonId),
    /// Whether somebody was let in.
    Admission(PersonId),
}

/// A keeper's newest word on something.
#[derive(Debug, Clone)]
struct Ruling {
    at: Wall,
    deed: Deed,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Keeping {
    keepers: BTreeSet<PersonId>,
    rulings: BTreeMap<Subject, BTreeMap<PersonId, Ruling>>,
    /// Everything that was done, by time; deeds of one keeper at one time by their order.
    log: BTreeMap<(Wall, PersonId, u32), Deed>,
    /// Who joined when a keeper's word was needed, whatever that word was.
    asked_in: BTreeSet<PersonId>,
    /// Of these whom no keeper has decided on, by name.
    undecided: BTreeSet<UserName>,
    reports: BTreeMap<Key, BTreeMap<PersonId, Report>>,
    /// Posts with reports that nobody has looked at, by the oldest of these.
    queue: BTreeSet<(Wall, Key)>,
    queued: BTreeMap<Key, Wall>,
    /// Whose each code is.
    codes: BTreeMap<CodeHash, PersonId>,
}

/// Something that a keeper did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// When.
    pub at: Wall,
    /// Who.
    pub keeper: UserName,
    /// Tells those apart that one keeper did at one time.
    pub nth: u32,
    /// What.
    pub deed: Deed,
    /// How the community was kept until then, where that is what was changed.
    pub house_before: Option<House>,
    /// Whether nobody has said anything newer about the same.
    pub is_newest: bool,
}

/// Where the log, or the list of reports, goes on: behind this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since<T> {
    /// When.
    pub at: Wall,
    /// What was last there.
    pub last: T,
}

/// A post that somebody reported, and nobody has looked at since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Since when.
    pub since: Wall,
    /// Which.
    pub post: PostRef,
    /// By whom, when and why; oldest first.
    pub reports: Vec<(UserName, Report)>,
}

impl Index {
    /// Whether somebody is a keeper.
    pub fn is_keeper(&self, name: &UserName) -> bool {
        self.people.find(name).is_some_and(|id| self.keeping.keepers.contains(&id))
    }

    /// The keepers, by name.
    pub fn keepers(&self) -> Vec<UserName> {
        let names = self.keeping.keepers.iter().map(|id| self.people.get(*id).name.clone());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    /// How the community is kept.
    pub fn house(&self) -> House {
        match self.newest(Subject::House) {
            Some((_, Ruling { deed: Deed::Set(house), .. })) => house.clone(),
            _ => House::default(),
        }
    }

    /// Why a keeper has hidden a post, if one has.
    pub fn hidden(&self, post: &PostRef) -> Option<&str> {
        match self.newest(Subject::Post(self.key(post)?)) {
            Some((_, Ruling { deed: Deed::Hid(_, reason), .. })) => Some(reason),
            _ => None,
        }
    }

    /// How somebody stands with the community at `now`.
    pub fn standing(&self, name: &UserName, now: Wall) -> Standing {
        self.people.find(name).map_or(Standing::Member, |id| self.standing_of(id, now))
    }

    pub(super) fn standing_of(&self, id: PersonId, now: Wall) -> Standing {
        if let Some((_, Ruling { deed: Deed::Suspended(_, until, reason), .. })) =
            self.newest(Subject::Suspension(id))
            && until.is_none_or(|until| now < until)
        {
            return Standing::Suspended { until: *until, reason: reason.clone() };
        }
        match self.newest(Subject::Admission(id)) {
            _ if self.has_come_in(id) => Standing::Member,
            Some((_, Ruling { deed: Deed::Refused(_, reason), .. })) => {
                Standing::Refused { reason: reason.clone() }
            }
            _ => Standing::Waiting,
        }
    }

    /// Whether somebody needed no keeper's word to come in, or has it. That they are suspended neither
    /// takes it from them, for they may still read, nor gives it to them.
    pub(super) fn has_come_in(&self, id: PersonId) -> bool {
        let admission = || self.newest(Subject::Admission(id));
        !self.keeping.asked_in.contains(&id)
            || matches!(admission(), Some((_, Ruling { deed: Deed::Admitted(_), .. })))
    }

    /// A time for a deed: now, but above that of all that is known about the same thing.
    pub fn time_of(&self, deed: &Deed, now: Wall) -> Wall {
        let reported = deed.post().and_then(|post| self.key(post));
        let reported = reported.filter(|_| matches!(deed, Deed::Closed(_)));
        let reports = reported.and_then(|key| self.keeping.reports.get(&key));
        let newest_report = reports.into_iter().flatten().map(|(_, report)| report.at).max();
        let known = self.subject(deed).and_then(|subject| self.newest(subject));
        let above = |at: Wall| Wall(at.0.saturating_add(1));
        let ruling = known.map(|(_, ruling)| above(ruling.at));
        now.max(ruling.unwrap_or_default()).max(newest_report.unwrap_or_default())
    }

    /// Up to `n` posts that were reported and not looked at since, the longest waiting first; and
    /// whether there are more.
    pub fn reported(&self, after: Option<&Since<PostRef>>, n: usize) -> (Vec<Reported>, bool) {
        let from = after.and_then(|since| Some((since.at, self.key(&since.last)?)));
        let range = (from.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut waiting = self.keeping.queue.range(range);
        let found = waiting.by_ref().take(n).map(|(since, key)| Reported {
            since: *since,
            post: self.post_ref(*key),
            reports: self.open_reports(*key),
        });
        let found = found.collect();
        (found, waiting.next().is_some())
    }

    /// How many posts were reported and not looked at since, and how many people wait to be let in.
    pub fn waiting(&self) -> (usize, usize) {
        (self.keeping.queue.len(), self.keeping.undecided.len())
    }

    /// Whether the viewer is a keeper, and the post was reported and not looked at since: it is shown to
    /// them among the reports, whoever it is for.
    pub(super) fn is_to_be_judged(&self, eyes: Eyes, post: Key) -> bool {
        let is_keeper = eyes.viewer.is_some_and(|viewer| self.keeping.keepers.contains(&viewer));
        is_keeper && self.keeping.queued.contains_key(&post)
    }

    /// Whether a post was reported, and nobody has looked at it since.
    pub fn is_reported(&self, post: &PostRef) -> bool {
        self.key(post).is_some_and(|key| self.keeping.queued.contains_key(&key))
    }

    /// Whether somebody has reported a post, and nobody has looked at it since.
    pub fn has_reported(&self, who: &UserName, post: &PostRef) -> bool {
        let Some(key) = self.key(post) else { return false };
        self.open_reports(key).iter().any(|(by, _)| by == who)
    }

    /// Up to `n` of those who wait to be let in, by name, after `after`; and whether there are more.
    pub fn asking_in(&self, after: Option<&UserName>, n: usize) -> (Vec<UserName>, bool) {
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut waiting = self.keeping.undecided.range::<UserName, _>(range);
        let found = waiting.by_ref().take(n).cloned().collect();
        (found, waiting.next().is_some())
    }

    /// Up to `n` of the keepers' acts, the newest first, from before `before`; and whether there are
    /// more.
    pub fn log(&self, before: Option<&Since<(UserName, u32)>>, n: usize) -> (Vec<Logged>, bool) {
        let until = before.and_then(|since| {
            let (keeper, nth) = &since.last;
            Some((since.at, self.people.find(keeper)?, *nth))
        });
        let range = (Bound::Unbounded, until.map_or(Bound::Unbounded, Bound::Excluded));
        let mut acts = self.keeping.log.range(range).rev();
        let found = acts.by_ref().take(n).map(|((at, keeper, nth), deed)| Logged {
            at: *at,
            keeper: self.people.get(*keeper).name.clone(),
            nth: *nth,
            deed: deed.clone(),
            house_before: matches!(deed, Deed::Set(_))
                .then(|| self.house_before((*at, *keeper, *nth))),
            is_newest: self.is_newest(*keeper, *at, deed),
        });
        let found = found.collect();
        (found, acts.next().is_some())
    }

    /// How the community was kept until that place in the log.
    fn house_before(&self, place: (Wall, PersonId, u32)) -> House {
        let earlier = self.keeping.log.range(..place).rev();
        let mut houses = earlier.filter_map(|(_, deed)| match deed {
            Deed::Set(house) => Some(house.clone()),
            _ => None,
        });
        houses.next().unwrap_or_default()
    }

    /// Whose an invitation's code is.
    pub fn inviter(&self, code: &CodeHash) -> Option<&UserName> {
        self.keeping.codes.get(code).map(|id| &self.people.get(*id).name)
    }

    /// Up to `n` codes with which others may join, and whose each is, after `after`; and whether there
    /// are more.
    pub fn codes(&self, after: Option<&CodeHash>, n: usize) -> (Vec<(CodeHash, UserName)>, bool) {
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut codes = self.keeping.codes.range::<CodeHash, _>(range);
        let found = codes.by_ref().take(n);
        let found = found.map(|(code, id)| (code.clone(), self.people.get(*id).name.clone()));
        let found = found.collect();
        (found, codes.next().is_some())
    }

    /// Takes in what an entry says about the community; `before` is who says it, as they were before.
    pub(super) fn keep(&mut self, before: &User, entry: &Entry) {
        let who = self.people.intern(&before.name);
        match entry {
            Entry::KeeperMade { .. } => drop(self.keeping.keepers.insert(who)),
            Entry::KeeperEnded { .. } => drop(self.keeping.keepers.remove(&who)),
            Entry::AskedIn { .. } => self.ask_in(who),
            Entry::InvitationMade { code, .. } => {
                self.keeping.codes.entry(code.clone()).or_insert(who);
            }
            Entry::InvitationEnded { code, .. } => self.end_code(who, code),
            Entry::Reported { at, user, id, reason } => {
                let post = PostRef { user: user.clone(), id: *id };
                self.report(who, &post, Report { at: *at, reason: reason.clone() });
            }
            other => {
                if let Some((at, deed)) = Deed::of(other).filter(|_| before.is_keeper()) {
                    self.rule(who, at, deed);
                }
            }
        }
    }

    /// Takes in all that a user's file says about the community.
    pub(super) fn keep_all(&mut self, user: &User) {
        let who = self.people.intern(&user.name);
        if user.has_asked_in {
            self.ask_in(who);
        }
        let Some(Stated { is_keeper, acts, invitations, reports }) = user.keeping.as_deref() else {
            return;
        };
        if *is_keeper {
            self.keeping.keepers.insert(who);
        }
        for act in acts {
            self.rule(who, act.at, act.deed.clone());
        }
        for code in invitations.keys() {
            self.keeping.codes.entry(code.clone()).or_insert(who);
        }
        for (post, report) in reports {
            self.report(who, post, report.clone());
        }
    }

    /// Forgets all that the file of somebody who goes said about the community, but for what they did as a
    /// keeper: that holds on.
    pub(super) fn keep_acts(&mut self, before: &User) {
        self.forget_kept(before);
        let who = self.people.intern(&before.name);
        for act in before.keeping.iter().flat_map(|stated| &stated.acts) {
            self.rule(who, act.at, act.deed.clone());
        }
    }

    /// Forgets all that a user's file said about the community.
    pub(super) fn forget_kept(&mut self, user: &User) {
        let who = self.people.intern(&user.name);
        self.keeping.asked_in.remove(&who);
        self.keeping.undecided.remove(&user.name);
        let Some(Stated { acts, invitations, reports, .. }) = user.keeping.as_deref() else {
            return;
        };
        self.keeping.keepers.remove(&who);
        self.keeping.log.retain(|(_, keeper, _), _| *keeper != who);
        for act in acts {
            let Some(subject) = self.subject(&act.deed) else { continue };
            if let Some(rulings) = self.keeping.rulings.get_mut(&subject) {
                rulings.remove(&who);
            }
            self.settle(subject);
        }
        for code in invitations.keys() {
            self.end_code(who, code);
        }
        for post in reports.keys() {
            let Some(key) = self.key(post) else { continue };
            if let Some(reports) = self.keeping.reports.get_mut(&key) {
                reports.remove(&who);
            }
            self.requeue(key);
        }
    }

    fn ask_in(&mut self, who: PersonId) {
        self.keeping.asked_in.insert(who);
        self.settle(Subject::Admission(who));
    }

    fn end_code(&mut self, who: PersonId, code: &CodeHash) {
        if self.keeping.codes.get(code) == Some(&who) {
            self.keeping.codes.remove(code);
        }
    }

    fn report(&mut self, who: PersonId, post: &PostRef, report: Report) {
        let key = Key { id: post.id, author: self.people.intern(&post.user) };
        self.keeping.reports.entry(key).or_default().insert(who, report);
        self.requeue(key);
    }

    fn rule(&mut self, keeper: PersonId, at: Wall, deed: Deed) {
        if let Some(about) = deed.about() {
            self.people.intern(about);
        }
        let first = (at, keeper, 0);
        let same_time = self.keeping.log.range(first..=(at, keeper, u32::MAX));
        let nth = u32::try_from(same_time.count()).unwrap_or(u32::MAX);
        self.keeping.log.insert((at, keeper, nth), deed.clone());
        let Some(subject) = self.subject(&deed) else { return };
        self.keeping.rulings.entry(subject).or_default().insert(keeper, Ruling { at, deed });
        self.settle(subject);
    }

    /// Brings the lists of what waits in line with the rulings on a subject.
    fn settle(&mut self, subject: Subject) {
        match subject {
            Subject::Reports(key) => self.requeue(key),
            Subject::Admission(id) => {
                let is_open = matches!(
                    self.newest(subject),
                    None | Some((_, Ruling { deed: Deed::Undecided(_), .. }))
                );
                let name = self.people.get(id).name.clone();
                if is_open && self.keeping.asked_in.contains(&id) {
                    self.keeping.undecided.insert(name);
                } else {
                    self.keeping.undecided.remove(&name);
                }
            }
            Subject::House | Subject::Post(_) | Subject::Suspension(_) => {}
        }
    }

    fn requeue(&mut self, key: Key) {
        if let Some(since) = self.keeping.queued.remove(&key) {
            self.keeping.queue.remove(&(since, key));
        }
        if let Some((_, oldest)) = self.open_reports(key).first() {
            self.keeping.queued.insert(key, oldest.at);
            self.keeping.queue.insert((oldest.at, key));
        }
    }

    /// The reports of a post that nobody has looked at, oldest first.
    fn open_reports(&self, key: Key) -> Vec<(UserName, Report)> {
        let closed_at = match self.newest(Subject::Reports(key)) {
            Some((_, Ruling { at, deed: Deed::Closed(_) })) => Some(*at),
            _ => None,
        };
        let all = self.keeping.reports.get(&key).into_iter().flatten();
        let open = all.filter(|(_, report)| Some(report.at) > closed_at);
        let open = open.map(|(who, report)| (self.people.get(*who).name.clone(), report.clone()));
        let mut open: Vec<_> = open.collect();
        // By name where times are equal, so that all machines tell it alike.
        sort_by(&mut open, |(a, one), (b, other)| (one.at, a).cmp(&(other.at, b)));
        open
    }

    fn is_newest(&self, keeper: PersonId, at: Wall, deed: &Deed) -> bool {
        let newest = self.subject(deed).and_then(|subject| self.newest(subject));
        newest.is_some_and(|(by, ruling)| {
            *by == self.people.get(keeper).name && ruling.at == at && ruling.deed == *deed
        })
    }

    fn newest(&self, subject: Subject) -> Option<(&UserName, &Ruling)> {
        let rulings = self.keeping.rulings.get(&subject)?.iter();
        let named = rulings.map(|(keeper, ruling)| (&self.people.get(*keeper).name, ruling));
        named.max_by_key(|(keeper, ruling)| (ruling.at, *keeper))
    }

    /// What a deed is about; nothing where its person is not known here.
    fn subject(&self, deed: &Deed) -> Option<Subject> {
        let key = |post| self.key(post);
        let person = |user| self.people.find(user);
        Some(match deed {
            Deed::Set(_) => Subject::House,
            Deed::Hid(post, _) | Deed::Showed(post) => Subject::Post(key(post)?),
            Deed::Closed(post) | Deed::Reopened(post) => Subject::Reports(key(post)?),
            Deed::Suspended(user, ..) | Deed::Lifted(user) => Subject::Suspension(person(user)?),
            Deed::Admitted(user) | Deed::Refused(user, _) | Deed::Undecided(user) => {
                Subject::Admission(person(user)?)
            }
        })
    }
}
