//! One step of the model: what the shell does around the core, with the network and the disks of the
//! model in place of its own. Each part says which of the shell's functions it mirrors.

use std::collections::VecDeque;

use tern::clock::Mono;
use tern::id::NodeId;
use tern::replica::acceptor::{Effect as Done, Event as Asked};
use tern::replica::coordinator::Event;
use tern::replica::mistake::{Mistake, is_made};
use tern::replica::version::{Term, Version};
use tern::replica::{NotVoting, Refuse, Reply};

use crate::config::{Config, May};
use crate::file::File;
use crate::history::{self, Act, Told};
use crate::letter::{Body, Letter, What};
use crate::machine::{Job, Machine, Question, Why};
use crate::model::{Seen, Witness};
use crate::shared::Shared;
use crate::world::{Rule, Stage, World};

/// When every act must have its outcome. The clock stands at 0; a deadline that passes is one step at
/// this time. Leases are of no length: that nobody waits for them shows that nothing rests on them.
pub(crate) const DEADLINE: Mono = Mono(1_000);

/// A step under way.
pub(crate) struct Step<'a> {
    pub(crate) config: &'a Config,
    pub(crate) witness: &'a Witness,
    pub(crate) world: World,
    /// The machine whose coordinator steps dies when it has sent its line to the others and before
    /// it writes its own.
    pub(crate) is_dying: bool,
}

impl Step<'_> {
    pub(crate) fn machine(&mut self, at: usize) -> &mut Machine {
        self.world.machines[at].edit()
    }

    pub(crate) fn post(&mut self, from: usize, to: usize, what: What) {
        let epoch = self.world.machines[from].place.current.epoch;
        let letter = Shared::new(Letter { from, to, epoch, what });
        let at = self.world.net.binary_search_by_key(&letter.key(), Shared::key);
        if let Err(at) = at {
            self.world.net.insert(at, letter);
        }
    }

    /// Steps a machine's acceptor and does what it asks of the disk. Mirrors `Replicas::step`.
    pub(crate) fn replica(&mut self, at: usize, event: Asked, body: &Body) -> Option<Reply> {
        let mut todo = self.acceptor(at, event);
        let mut reply = None;
        while let Some(effect) = todo.pop_front() {
            let next = match effect {
                Done::Reply(answer) => {
                    reply = Some(answer);
                    continue;
                }
                Done::Advance(_) => {
                    let list = self.world.machines[at].view();
                    self.world.shows(&list);
                    continue;
                }
                Done::Behind(version) => {
                    self.machine(at).behind = version;
                    continue;
                }
                Done::RaiseCeiling(to) => {
                    let machine = &self.world.machines[at];
                    if self.config.full_disk == Some(at) && machine.boot == 1 {
                        let why = NotVoting::NoSpace;
                        return Some(Reply::Refuse(Refuse::NotVoting { why }));
                    }
                    self.machine(at).raise_ceiling(to);
                    event
                }
                Done::Append | Done::Replace => self.write(at, body),
                Done::ClearMark => {
                    self.machine(at).is_marked = false;
                    self.witness.see(Seen::Repaired);
                    Asked::Cleared
                }
            };
            todo.extend(self.acceptor(at, next));
        }
        match reply {
            Some(Reply::Ack(version)) => {
                self.world.voted(at, version);
                self.promised(at, version.term);
            }
            Some(Reply::Grant { term, .. } | Reply::Damaged { term, .. }) => {
                self.promised(at, term);
            }
            _ => {}
        }
        let machine = &self.world.machines[at];
        if !machine.behind.is_zero() && machine.acceptor.state().acc >= machine.behind {
            self.machine(at).behind = Version::ZERO;
        }
        reply
    }

    fn promised(&mut self, at: usize, term: Term) {
        let told = self.world.machines[at].told;
        if term < told {
            self.world.breaks(Rule::Promise);
        } else if term > told {
            self.machine(at).told = term;
        }
    }

    fn acceptor(&mut self, at: usize, event: Asked) -> VecDeque<Done> {
        let floors = self.world.machines[at].floors();
        let mut effects = Vec::new();
        let acceptor = &mut self.machine(at).acceptor;
        acceptor.step(Mono(0), &floors, event, &mut effects);
        if let Asked::Lock { term, .. } = event {
            // A lease of no length is over.
            acceptor.step(Mono(0), &floors, Asked::Unlock { term, com: None }, &mut Vec::new());
        }
        effects.into()
    }

    /// Puts what came with an event on the disk. Mirrors `Replicas::write`.
    fn write(&mut self, at: usize, body: &Body) -> Asked {
        let machine = &self.world.machines[at];
        let file = match body {
            Body::File(file) if !file.has(machine.acceptor.state().com) => {
                return Asked::Failed(NotVoting::NoSpace);
            }
            Body::File(file) => file.clone(),
            Body::Line(line) => machine.file.with(line.clone()),
            Body::None => panic!("an acceptor only writes what came with its event"),
        };
        self.witness.see(if matches!(body, Body::File(_)) { Seen::Full } else { Seen::Delta });
        self.machine(at).file = file;
        Asked::Written
    }

    /// A letter arrives. Mirrors `Peer`'s dispatch and, for answers, `UserGuard::hear`.
    pub(crate) fn deliver(&mut self, letter: &Letter) {
        let Letter { from, to, ref what, .. } = *letter;
        if letter.epoch != self.world.machines[to].place.current.epoch {
            let epoch = self.world.machines[to].place.current.epoch;
            return self.refused(letter, Reply::Refuse(Refuse::Epoch { epoch }));
        }
        match what {
            What::Lock(term) => {
                let reply = self.replica(to, Asked::Lock { term: *term, lease_ms: 0 }, &Body::None);
                self.answer(letter, reply);
            }
            What::Look(_) => {
                let reply = self.replica(to, Asked::Read, &Body::None);
                self.answer(letter, reply);
            }
            What::Sync(proposal, body) => {
                let reply = self.replica(to, Asked::Sync(*proposal), body);
                self.answer(letter, reply);
            }
            What::Unlock(term, com) => {
                let event = Asked::Unlock { term: *term, com: Some(*com) };
                self.replica(to, event, &Body::None);
            }
            What::Granted(_, reply, file) => {
                let node = self.world.machines[from].seat.node;
                let bodies = &mut self.machine(to).lock().bodies;
                bodies.retain(|(from, _)| *from != node);
                bodies.push((node, file.clone()));
                bodies.sort_unstable_by_key(|(from, _)| *from);
                self.coordinate(to, Event::Answered(node, *reply));
            }
            What::Ack(version) => {
                let node = self.world.machines[from].seat.node;
                let reply = Reply::Ack(*version);
                self.coordinate(to, Event::Answered(node, reply));
            }
            What::Read(act, begun) => match self.replica(to, Asked::Read, &Body::None) {
                Some(Reply::State(state)) => self.post(to, from, What::Held(*act, *begun, state)),
                _ => self.heard(from, (*act, *begun), to, None),
            },
            What::Held(act, begun, state) => self.heard(to, (*act, *begun), from, Some(*state)),
            What::Rows(number) => {
                let has_vote =
                    matches!(self.replica(to, Asked::Read, &Body::None), Some(Reply::State(_)));
                let state = self.world.machines[to].acceptor.state();
                self.post(to, from, What::Row(*number, state, has_vote));
            }
            What::Row(_, state, has_vote) => self.row(to, from, *state, *has_vote),
        }
    }

    /// A replica answers a coordinator.
    fn answer(&mut self, letter: &Letter, reply: Option<Reply>) {
        let Letter { from, to, ref what, .. } = *letter;
        let file = self.world.machines[to].file.clone();
        match (what, reply) {
            (_, None) => {}
            (What::Lock(term) | What::Look(term), Some(reply))
                if !matches!(reply, Reply::Refuse(_)) =>
            {
                self.post(to, from, What::Granted(*term, reply, file));
            }
            (_, Some(Reply::Ack(version))) => self.post(to, from, What::Ack(version)),
            (_, Some(reply)) => self.refused(letter, reply),
        }
    }

    /// A question was not answered as was hoped; who asked hears it at once.
    fn refused(&mut self, letter: &Letter, reply: Reply) {
        let Letter { from, to, ref what, .. } = *letter;
        let node = self.world.machines[to].seat.node;
        let question = match what {
            What::Lock(term) | What::Look(term) => Question::Lock(*term),
            What::Sync(proposal, _) => Question::Sync(proposal.version),
            What::Read(act, begun) => return self.heard(from, (*act, *begun), to, None),
            _ => return,
        };
        if self.world.machines[from].question() == question {
            self.coordinate(from, Event::Answered(node, reply));
        }
    }

    /// The process dies and begins again; what is not on its disk is gone.
    pub(crate) fn crash(&mut self, at: usize) {
        self.drop_job(at);
        self.machine(at).start();
        let machine = &self.world.machines[at];
        if machine.acceptor.promise(&machine.floors()) < machine.told {
            self.world.breaks(Rule::Promise);
        }
        self.witness.see(Seen::Crashed);
    }

    /// Whoever waits for what the machine was doing learns nothing.
    pub(crate) fn drop_job(&mut self, at: usize) {
        let act = match &self.world.machines[at].job {
            Job::Lock(lock) => match lock.why {
                Why::Write(act) | Why::Settle(act) => Some(act),
                Why::Repair => None,
            },
            Job::Read(act, ..) => Some(*act),
            Job::None | Job::Compare(..) => None,
        };
        if let Some(act) = act {
            self.world.acts[usize::from(act)].stage = Stage::Unknown;
        }
        self.machine(at).job = Job::None;
    }

    /// A client is answered.
    pub(crate) fn tell(&mut self, act: Act, told: Told) {
        self.world.acts[usize::from(act)].stage = Stage::Answered;
        if let Told::Is(list) = &told
            && !list.is_empty()
        {
            self.world.shows(list);
        }
        if !history::told(self.world.history.edit(), act, told) {
            self.world.breaks(Rule::Linearizable);
        }
        if self.world.acts.iter().all(|act| act.stage == Stage::Answered) {
            self.witness.see(Seen::AllAnswered);
        }
    }

    /// Takes note that `version` is committed, fetching it from `holder` if it is not held here.
    /// Whether the view shows it now. Mirrors `Cluster::learn`.
    pub(crate) fn learn(&mut self, at: usize, version: Version, holder: NodeId) -> bool {
        let held = self.world.machines[at].acceptor.state().acc;
        if held >= version {
            self.replica(at, Asked::Committed(version), &Body::None);
        } else if let Some(holder) = self.world.index(at, holder).filter(|holder| *holder != at)
            && let Some(file) = self.world.machines[holder].file.up_to(version)
        {
            let (version, hash) = file.last();
            self.replica(at, Asked::Learn { version, hash }, &Body::File(file));
            self.witness.see(Seen::Learned);
        }
        self.world.machines[at].acceptor.state().com >= version
    }

    /// The process of a machine finds its file gone. Mirrors what a failed write or a failed look
    /// leads to: the mark comes first.
    pub(crate) fn lose_file(&mut self, at: usize) {
        let machine = self.machine(at);
        machine.is_marked = true;
        machine.file = File::default();
        let intact = machine.file.state();
        self.replica(at, Asked::Damaged(intact), &Body::None);
    }

    /// Removes letters that can have no effect any more, so that states that differ only in them
    /// are one.
    pub(crate) fn prune(&mut self) {
        let net = std::mem::take(&mut self.world.net);
        self.world.net = net.into_iter().filter(|letter| self.matters(letter)).collect();
    }

    fn matters(&self, letter: &Letter) -> bool {
        let (asker, to) = (&self.world.machines[letter.from], &self.world.machines[letter.to]);
        match &letter.what {
            // Nobody waits for the grant, and a promise more can only make a replica refuse more:
            // what follows is what would follow if those questions that it refuses had been lost.
            What::Lock(term) | What::Look(term) => asker.question() == Question::Lock(*term),
            // Stale answers are not heard: each belongs to its question.
            What::Granted(term, ..) => to.question() == Question::Lock(*term),
            What::Ack(version) => to.question() == Question::Sync(*version),
            What::Held(act, begun, _) => is_read(to, *act, *begun),
            What::Row(number, ..) => is_compare(to, *number, asker),
            // Asking promises nothing, and nobody waits for the answer.
            What::Read(act, begun) => is_read(asker, *act, *begun),
            What::Rows(number) => is_compare(asker, *number, to),
            // Refused for good, as promises never fall (where no mistake makes them fall), or
            // accepted long ago; and nobody waits to hear so.
            What::Sync(proposal, _) => {
                let version = proposal.version;
                let may_fall = is_made(Mistake::PromiseLost) || is_made(Mistake::WipedVotes);
                let is_refused = to.acceptor.promise(&to.floors()) > version.term;
                let May { losses, collects, .. } = self.world.may;
                let is_frail = losses > 0 && self.config.frail.contains(&letter.to);
                let may_shrink = is_frail || collects > 0;
                let is_held = to.acceptor.state().acc >= version && !may_shrink;
                asker.question() == Question::Sync(version) || may_fall || !(is_refused || is_held)
            }
            What::Unlock(_, com) => {
                let known = to.acceptor.state().com.max(to.behind);
                self.world.may.unlocks > 0 && (known < *com || self.world.may.crashes > 0)
            }
        }
    }
}

fn is_read(machine: &Machine, act: Act, begun: u8) -> bool {
    matches!(&machine.job, Job::Read(of, times, _) if (*of, *times) == (act, begun))
}

/// Whether that comparison is under way, and lacks this machine's row.
fn is_compare(machine: &Machine, number: u8, teller: &Machine) -> bool {
    matches!(&machine.job, Job::Compare(of, rows)
        if *of == number && rows.iter().all(|row| row.node != teller.seat.node))
}
