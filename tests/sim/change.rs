//! A change of the members, on one machine: takes on what the operator gives it, copies, gets ready,
//! opens. What `replica::barrier` decides is made durable here and told with the pings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tern::id::UserName;
use tern::replica::State;
use tern::replica::acceptor::Event;
use tern::replica::barrier::{Phase, Roster, Seat, Standing, Step, Waiting};

use crate::body::Body;
use crate::event::{Answer, Ask};
use crate::machine::{Host, NodeJob, Waiter};
use crate::slot::{Back, Job};

/// How long new members that hold different files wait before they copy again, in milliseconds.
const COPY_AGAIN_MS: u64 = 1_500;

/// Copying what the old configuration left.
pub(crate) struct Install {
    listed_by: Vec<Seat>,
    from: Vec<Seat>,
    rows: BTreeMap<Seat, BTreeMap<UserName, State>>,
    left: VecDeque<(UserName, Seat, State)>,
}

impl Host<'_> {
    /// The operator's word reaches this machine.
    pub(crate) fn adopt(&mut self, next: &Roster, before: &Roster) {
        let is_changing = self.p.node_jobs.iter().any(|job| matches!(job, NodeJob::Place(_)));
        if is_changing || self.place().current == *next {
            return;
        }
        match self.place().adopt(next, before) {
            Ok(place) => self.node_job(NodeJob::Place(place)),
            Err(stale) => self.trace(format_args!("epoch {} not taken on: {stale}", next.epoch)),
        }
    }

    /// A place between configurations is durable.
    pub(crate) fn placed(&mut self) {
        let place = self.place().clone();
        self.trace(format_args!("epoch {} {:?}", place.current.epoch, place.phase));
        self.cx.oracle.roster(&place.current);
        match place.phase {
            Phase::Adopted => {
                self.p.install = None;
                self.p.has_installed = false;
                self.p.agreed = None;
            }
            Phase::Ready => {}
            Phase::Open => {
                self.cx.totals.add("opened", 1);
                let users: Vec<UserName> = self.p.slots.keys().cloned().collect();
                for user in &users {
                    self.vote_for(user);
                }
                for (user, state) in std::mem::take(&mut self.p.rebuilt) {
                    self.job(&user, Job::Clear(state));
                }
                self.p.compare_wanted = true;
                self.agree_alone();
            }
        }
    }

    /// Looks what is next in a change, and does it.
    pub(crate) fn change(&mut self) {
        if self.p.node_jobs.iter().any(|job| matches!(job, NodeJob::Place(_))) {
            return;
        }
        if self.place().phase == Phase::Open {
            return;
        }
        let mut told: Vec<(Seat, Standing)> = vec![(self.seat, self.told().standing)];
        let others = self.p.peers.iter().filter(|(seat, _)| **seat != self.seat);
        told.extend(others.filter_map(|(seat, peer)| Some((*seat, peer.told?.standing))));
        match self.place().next(self.seat, &told) {
            Step::Install { listed_by, from } if self.p.install.is_none() => {
                self.install(listed_by, from);
            }
            Step::Wait(Waiting::SameFiles) => {
                if self.cx.now > self.p.installed_at + COPY_AGAIN_MS {
                    self.p.has_installed = false;
                }
            }
            Step::Done | Step::Leave | Step::Install { .. } | Step::Wait(_) => {}
            Step::GetReady => {
                self.p.agreed = Some(self.sum());
                let place = self.place().made_ready();
                self.node_job(NodeJob::Place(place));
            }
            Step::Open => {
                self.p.rebuilt = self.rebuilt();
                let place = self.place().opened();
                self.node_job(NodeJob::Place(place));
            }
        }
    }

    /// What is marked as damaged and was copied anew: `Cluster::rebuilt`.
    fn rebuilt(&mut self) -> Vec<(UserName, State)> {
        if self.p.agreed.take() != Some(self.sum()) {
            return Vec::new();
        }
        let slots = self.p.slots.iter().filter(|(_, slot)| slot.acceptor.is_damaged());
        slots.map(|(user, slot)| (user.clone(), slot.acceptor.state())).collect()
    }

    fn install(&mut self, listed_by: Vec<Seat>, from: Vec<Seat>) {
        let mut asked: Vec<Seat> = listed_by.iter().chain(&from).copied().collect();
        asked.sort_unstable();
        asked.dedup();
        let mut rows = BTreeMap::new();
        if asked.contains(&self.seat) {
            rows.insert(self.seat, self.states());
        }
        let left = VecDeque::new();
        self.p.install = Some(Install { listed_by, from, rows, left });
        for to in asked {
            if to != self.seat {
                self.ask(to, Ask::Sums, (Waiter::InstallRows, 1_000));
            }
        }
        self.install_listed();
    }

    pub(crate) fn install_rows(&mut self, from: Seat, answer: Option<Answer>) {
        let Some(install) = &mut self.p.install else { return };
        let Some(Answer::Rows(rows)) = answer else {
            self.p.install = None;
            return;
        };
        let rows = rows.into_iter().map(|(user, state, _)| (user, state)).collect();
        install.rows.insert(from, rows);
        self.install_listed();
    }

    fn install_listed(&mut self) {
        let Some(install) = &mut self.p.install else { return };
        let asked = install.listed_by.iter().chain(&install.from);
        if asked.into_iter().any(|seat| !install.rows.contains_key(seat)) {
            return;
        }
        let listed = |seat: &Seat| install.rows.get(seat).into_iter().flat_map(BTreeMap::keys);
        let users: BTreeSet<UserName> =
            install.listed_by.iter().flat_map(listed).cloned().collect();
        for user in users {
            let held = install
                .from
                .iter()
                .filter_map(|seat| Some((*seat, *install.rows.get(seat)?.get(&user)?)));
            if let Some((seat, state)) = held.max_by_key(|(_, state)| state.acc) {
                install.left.push_back((user, seat, state));
            }
        }
        self.install_next();
    }

    fn install_next(&mut self) {
        loop {
            let Some(install) = &mut self.p.install else { return };
            let Some((user, seat, state)) = install.left.front().cloned() else {
                self.p.install = None;
                self.p.has_installed = true;
                self.p.installed_at = self.cx.now;
                return;
            };
            if self.state(&user).acc >= state.acc {
                if let Some(install) = &mut self.p.install {
                    install.left.pop_front();
                }
                continue;
            }
            let ask = Ask::Fetch { user: user.clone() };
            return self.ask(seat, ask, (Waiter::InstallFile(user), 1_000));
        }
    }

    pub(crate) fn install_file(&mut self, user: &UserName, answer: Option<Answer>) {
        let Some(install) = &self.p.install else { return };
        let Some((_, _, state)) = install.left.front().filter(|(next, ..)| next == user) else {
            return;
        };
        let body = match answer {
            Some(Answer::Body(bytes)) => Body::file(bytes).and_then(|body| body.up_to(state.acc)),
            _ => None,
        };
        let Some(body) = body else {
            self.p.install = None;
            return;
        };
        if self.floors().not_voting.is_none() {
            self.p.install = None;
            return;
        }
        let (version, hash) = body.last();
        self.cx.totals.add("installed", 1);
        self.step(user, Event::Install { version, hash }, (body, Back::Install));
    }

    pub(crate) fn installed_one(&mut self, user: &UserName) {
        let held = self.state(user).acc;
        let Some(install) = &mut self.p.install else { return };
        if install.left.front().is_some_and(|(next, _, state)| next == user && held >= state.acc) {
            install.left.pop_front();
            self.install_next();
        } else {
            self.p.install = None;
        }
    }
}
