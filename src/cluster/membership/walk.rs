//! Machines whose lines break and are mended, and that stand still, at random: none trusts what others have ended.
//!
//! What they say to each other is played here, by one clock, with a single thing that each of them may end. The
//! catch-up that a doubt or sums that differ ask for takes no time. What is told is what a majority has made sure of
//! (`Cluster::await_heard`).

use std::collections::BTreeMap;

use super::tests::{node, reaching};
use super::*;
use crate::limits::{COMPARE_MS, PASSED_ON_MS, PEER_ANSWER_MS, PING_MS, PING_SILENCE_MS};

/// Milliseconds between two looks.
const TICK_MS: u64 = 10;
/// How long each walk lasts.
const WALK_MS: u64 = 20_000;
/// How many there are, of three machines and of five.
const WALKS: u64 = 25;

#[derive(Clone, Copy, PartialEq)]
enum Line {
    Whole,
    /// Nothing comes through.
    Silent,
    /// Connections end, and none begins.
    Cut,
}

/// On its way to a machine that does not hear it yet, and until when its sender waits.
struct Mail {
    from: usize,
    to: usize,
    until: u64,
}

/// An end that is not told yet.
struct Act {
    by: usize,
    end: u32,
    /// Who has said that it heard, and later: that it passed it on.
    heard: Vec<usize>,
    mail: Vec<Mail>,
    /// Whom others were asked to tell, once they were.
    unheard: Option<Vec<usize>>,
    /// Who is to pass it on, and what it has sent to do so.
    passing: Vec<(Mail, Option<Vec<Mail>>)>,
}

struct World {
    dice: u64,
    now: u64,
    clock: Clock,
    machines: Vec<Membership>,
    is_frozen: Vec<bool>,
    lines: BTreeMap<(usize, usize), Line>,
    /// When the ping that is under way was sent, or when the next one is.
    pings: BTreeMap<(usize, usize), (Option<u64>, u64)>,
    /// Up to which end each machine has heard; each end includes those before.
    heard: Vec<u32>,
    differed: Vec<u32>,
    compared_at: Vec<u64>,
    acts: Vec<Act>,
    last: u32,
    /// The last end of which somebody was told.
    told: u32,
}

impl World {
    fn new(count: usize, seed: u64) -> Self {
        let clock = Clock::manual(Mono(0), Wall(0));
        let all: Vec<_> = (1..=count).map(Self::number).collect();
        let of = |&me: &NodeId| {
            Membership::new(me, String::new(), all.clone(), Hash128::default(), clock.clone())
        };
        let pairs = || (0..count).flat_map(|a| (0..count).map(move |b| (a, b)));
        Self {
            dice: seed | 1,
            now: 0,
            machines: all.iter().map(of).collect(),
            clock,
            is_frozen: vec![false; count],
            lines: pairs().filter(|(a, b)| a < b).map(|pair| (pair, Line::Whole)).collect(),
            pings: pairs().filter(|(a, b)| a != b).map(|pair| (pair, (None, 0))).collect(),
            heard: vec![0; count],
            differed: vec![0; count],
            compared_at: vec![0; count],
            acts: Vec::new(),
            last: 0,
            told: 0,
        }
    }

    fn number(at: usize) -> NodeId {
        node(u16::try_from(at).unwrap())
    }

    fn below(&mut self, count: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        usize::try_from(self.dice % count as u64).unwrap()
    }

    fn line(&self, a: usize, b: usize) -> Line {
        self.lines[&(a.min(b), a.max(b))]
    }

    /// Whether what `a` sends is taken by `b` now.
    fn is_heard(&self, a: usize, b: usize) -> bool {
        self.line(a, b) == Line::Whole && !self.is_frozen[b]
    }

    /// Connections that ended are noticed by whoever runs.
    fn notice_cuts(&mut self) {
        for (&(a, b), _) in self.lines.iter().filter(|(_, line)| **line == Line::Cut) {
            for (me, other) in [(a, b), (b, a)].into_iter().filter(|(me, _)| !self.is_frozen[*me]) {
                self.machines[me].gone(Self::number(other + 1));
                self.pings.insert((me, other), (None, self.now));
            }
        }
    }

    fn meet_a_fault(&mut self) {
        let count = self.machines.len();
        match self.below(120) {
            0 | 1 => {
                let at = self.below(self.lines.len());
                let line = [Line::Whole, Line::Whole, Line::Silent, Line::Cut][self.below(4)];
                let (&(a, b), now) = self.lines.iter_mut().nth(at).unwrap();
                // One that stands still would notice as soon as it runs again that a connection has ended.
                let is_noticed = !self.is_frozen[a] && !self.is_frozen[b];
                *now = if line == Line::Cut && !is_noticed { Line::Silent } else { line };
            }
            2 => {
                let at = self.below(count);
                self.is_frozen[at] = true;
            }
            3 | 4 => {
                let at = self.below(count);
                self.is_frozen[at] = false;
            }
            _ => {}
        }
        self.notice_cuts();
    }

    fn ping(&mut self) {
        let pairs: Vec<_> = self.pings.keys().copied().collect();
        for (me, other) in pairs.into_iter().filter(|&(me, _)| !self.is_frozen[me]) {
            let (machine, number) = (&self.machines[me], Self::number(other + 1));
            let next = match self.pings[&(me, other)] {
                (None, due) if due <= self.now => (Some(self.now), 0),
                (Some(sent), _) if self.is_heard(me, other) => {
                    let live: Vec<_> =
                        self.machines[other].live().into_iter().map(NodeId::get).collect();
                    let is_same = self.heard[me] == self.heard[other];
                    self.differed[me] = if is_same { 0 } else { self.differed[me] + 1 };
                    machine.answered(number, reaching(&live), Mono(sent));
                    (None, sent + PING_MS)
                }
                (Some(sent), _) if self.now >= sent + PING_SILENCE_MS => {
                    machine.gone(number);
                    (None, self.now)
                }
                waits => waits,
            };
            self.pings.insert((me, other), next);
        }
    }

    /// Somebody has a machine end it for good, if a majority takes note.
    fn end(&mut self) {
        let by = self.below(self.machines.len());
        if self.is_frozen[by] || self.below(20) > 0 {
            return;
        }
        let live = self.machines[by].live();
        let others = (0..self.machines.len()).filter(|&to| to != by);
        let asked: Vec<_> = others.filter(|to| live.contains(&Self::number(to + 1))).collect();
        let (hear, wait): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|&to| self.is_heard(by, to));
        if 1 + hear.len() < majority(self.machines.len()) {
            return;
        }
        self.last += 1;
        let (end, until) = (self.last, self.now + PEER_ANSWER_MS);
        hear.iter().chain([&by]).for_each(|&at| self.heard[at] = end);
        let mail = wait.into_iter().map(|to| Mail { from: by, to, until }).collect();
        self.acts.push(Act { by, end, heard: hear, mail, unheard: None, passing: Vec::new() });
    }

    /// What is on its way comes, or is waited for no longer: who still waits for an answer.
    fn deliver(&mut self, mail: Vec<Mail>, end: u32) -> (Vec<usize>, Vec<Mail>) {
        let (came, waits): (Vec<_>, Vec<_>) =
            mail.into_iter().partition(|mail| self.is_heard(mail.from, mail.to));
        for mail in &came {
            self.heard[mail.to] = self.heard[mail.to].max(end);
        }
        let waits = waits.into_iter().filter(|mail| self.is_waited_for(mail)).collect();
        (came.into_iter().map(|mail| mail.to).collect(), waits)
    }

    fn is_waited_for(&self, mail: &Mail) -> bool {
        self.line(mail.from, mail.to) != Line::Cut && self.now < mail.until
    }

    /// Who is in touch with the machine `at` of these, each of whom it tells.
    fn mail_to(&self, at: usize, others: &[usize]) -> Vec<Mail> {
        let (live, until) = (self.machines[at].live(), self.now + PEER_ANSWER_MS);
        let live = others.iter().filter(|&&to| to != at && live.contains(&Self::number(to + 1)));
        live.map(|&to| Mail { from: at, to, until }).collect()
    }

    /// Whoever waits for nobody by himself has others pass it on, and tells once a majority did.
    fn go_on(&mut self) {
        for mut act in std::mem::take(&mut self.acts) {
            let (came, waits) = self.deliver(act.mail, act.end);
            (act.mail, act.heard) = (waits, [act.heard, came].concat());
            if act.mail.is_empty() && act.unheard.is_none() {
                let is_unheard = |at: &usize| *at != act.by && !act.heard.contains(at);
                let unheard: Vec<_> = (0..self.machines.len()).filter(is_unheard).collect();
                let asked =
                    if unheard.is_empty() { vec![] } else { std::mem::take(&mut act.heard) };
                let until = self.now + PASSED_ON_MS;
                act.passing =
                    asked.into_iter().map(|to| (Mail { from: act.by, to, until }, None)).collect();
                act.unheard = Some(unheard);
            }
            act = self.pass_on(act);
            let is_over = act.unheard.is_some() && act.passing.is_empty();
            if !is_over {
                self.acts.push(act);
            } else if 1 + act.heard.len() >= majority(self.machines.len()) {
                self.told = self.told.max(act.end);
            }
        }
    }

    fn pass_on(&mut self, mut act: Act) -> Act {
        let unheard = act.unheard.clone().unwrap_or_default();
        for (asked, sent) in std::mem::take(&mut act.passing) {
            let sent = match sent {
                None if self.is_heard(asked.from, asked.to) => {
                    Some(self.mail_to(asked.to, &unheard))
                }
                sent => sent,
            };
            let sent = sent.map(|mail| self.deliver(mail, act.end).1);
            let is_done = sent.as_ref().is_some_and(Vec::is_empty) && !self.is_frozen[asked.to];
            if is_done && self.is_heard(asked.to, asked.from) {
                act.heard.push(asked.to);
            } else if self.is_waited_for(&asked) {
                act.passing.push((asked, sent));
            }
        }
        act
    }

    fn compare(&mut self) {
        for me in 0..self.machines.len() {
            let machine = &self.machines[me];
            let is_due = self.now >= self.compared_at[me] + COMPARE_MS && self.differed[me] >= 2;
            if self.is_frozen[me] || !is_due && !machine.is_doubted() {
                continue;
            }
            let live = machine.live().into_iter().map(|node| usize::from(node.get()) - 1);
            let answer: Vec<_> = live.filter(|&to| to != me && self.is_heard(me, to)).collect();
            let differing = answer.iter().map(|to| (Self::number(to + 1), 0)).collect();
            machine.compared(&differing, Mono(self.now));
            let newest = answer.into_iter().map(|to| self.heard[to]).max().unwrap_or_default();
            self.heard[me] = self.heard[me].max(newest);
            self.compared_at[me] = self.now;
        }
    }

    /// How many machines lack something and ask others before they trust it: none trusts it without.
    fn check(&self, seed: u64) -> usize {
        let running = (0..self.machines.len()).filter(|&at| !self.is_frozen[at]);
        let lacking = running.filter(|&at| self.heard[at] < self.told);
        let asks = |at: usize| {
            let machine = &self.machines[at];
            let is_cut_off = machine.cut_off().is_some();
            assert!(
                is_cut_off || machine.may_be_old(),
                "seed {seed}, {} ms: machine {} trusts what is over",
                self.now,
                at + 1
            );
            usize::from(!is_cut_off)
        };
        lacking.map(asks).sum()
    }

    fn walk(mut self, seed: u64) -> usize {
        let mut asked = 0;
        while self.now < WALK_MS {
            self.now += TICK_MS;
            self.clock.set(Mono(self.now), Wall(self.now));
            self.meet_a_fault();
            asked += self.check(seed);
            self.ping();
            self.end();
            self.go_on();
            asked += self.check(seed);
            self.compare();
        }
        asked
    }
}

#[test]
fn r0231_no_machine_trusts_what_others_have_ended_whatever_breaks_between_them() {
    for count in [3, 5] {
        let walks = (1..=WALKS).map(|seed| World::new(count, seed * 0x9e37_79b9).walk(seed));
        assert!(walks.sum::<usize>() > 500, "they lack something often");
    }
}
