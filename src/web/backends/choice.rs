//! Which backend to ask, and which of them is suspected to be gone. Pure.

use sha2::{Digest, Sha256};

use crate::clock::Mono;
use crate::id::UserName;
use crate::limits::{PINGS_MISSED_MAX, STUCK_MS};
use crate::order::sort_by;

/// The order in which to ask: backends not suspected before those that are. What is `about` a user
/// goes to the same backend from every web server, as long as that one is well, so that the user's
/// lock stays there and what it reads is fresh; what is about nobody takes turns.
///
/// Rendezvous hashing: the highest hash of user and backend wins, so one backend's end moves only its
/// own users. Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.
pub(super) fn order(
    backends: &[(&str, bool)],
    about: Option<&UserName>,
    turn: usize,
) -> Vec<usize> {
    let count_live = backends.iter().filter(|(_, is_suspected)| !is_suspected).count();
    let mut nth_live = 0;
    let mut ranked: Vec<_> = (0..)
        .zip(backends)
        .map(|(index, &(addr, is_suspected))| {
            let rank = match about {
                Some(user) => u64::MAX - weight(addr, user),
                None if is_suspected => 0,
                None => {
                    nth_live += 1;
                    (turn.wrapping_add(nth_live) % count_live) as u64
                }
            };
            (is_suspected, rank, index)
        })
        .collect();
    sort_by(&mut ranked, Ord::cmp);
    ranked.into_iter().map(|(_, _, index)| index).collect()
}

/// The same on every machine and in every version: the standard library's hash is not.
fn weight(addr: &str, user: &UserName) -> u64 {
    let digest = Sha256::new().chain_update(addr).chain_update([0]).chain_update(user.as_str());
    let bytes: [u8; 32] = digest.finalize().into();
    bytes.first_chunk().map_or(0, |&first| u64::from_be_bytes(first))
}

/// Whether a backend seems gone, or stuck. A suspected one is asked last, and no answer of it is waited for
/// long.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suspicion {
    pings_missed: u32,
    is_gone: bool,
    /// Until when nobody asks one again that took a request and had all its time for it. A disk that does
    /// not give what is read hangs without any ping finding out: those are answered from memory.
    stuck_until: Option<Mono>,
    /// Why it seems gone, as the system or the other side last said it; nothing of silence.
    why: String,
}

impl Suspicion {
    pub(super) fn is_suspected(&self, now: Mono) -> bool {
        self.is_gone || self.stuck_until.is_some_and(|until| now < until)
    }

    /// Whether no answer can come of it, to whatever was asked.
    pub(super) const fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// The system says that nobody is there, or the other side that it will not do. True if that is news,
    /// also because it seemed gone for another reason: what was stopped may be started with another key.
    pub(super) fn refused(&mut self, why: &str) -> bool {
        let was_gone = std::mem::replace(&mut self.is_gone, true);
        let is_same = was_gone && self.why == why;
        why.clone_into(&mut self.why);
        !is_same
    }

    /// It took a request, and had all its time to answer it. True if it was not suspected.
    pub(super) fn ran_out(&mut self, now: Mono) -> bool {
        let was_suspected = self.is_suspected(now);
        self.stuck_until = Some(now.plus_ms(STUCK_MS));
        !was_suspected
    }

    /// Whether whoever asks finds out if it is stuck still. For others it is for as long again, so that one
    /// alone waits.
    pub(super) fn tries(&mut self, now: Mono) -> bool {
        let is_due = self.stuck_until.is_some_and(|until| now >= until);
        if is_due {
            self.stuck_until = Some(now.plus_ms(STUCK_MS));
        }
        is_due
    }

    /// A ping's time passed without an answer. True if that was one too many.
    pub(super) const fn missed(&mut self) -> bool {
        self.pings_missed = self.pings_missed.saturating_add(1);
        let is_silent = self.pings_missed >= PINGS_MISSED_MAX;
        is_silent && !std::mem::replace(&mut self.is_gone, true)
    }

    /// It answered a request. True if it was suspected.
    pub(super) fn answered(&mut self) -> bool {
        let was_stuck = self.stuck_until.take().is_some();
        self.pinged() || was_stuck
    }

    /// It answered a ping. True if it seemed gone.
    pub(super) fn pinged(&mut self) -> bool {
        self.pings_missed = 0;
        self.why.clear();
        std::mem::replace(&mut self.is_gone, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> UserName {
        UserName::parse(&format!("user{number}")).unwrap()
    }

    #[test]
    fn order_about_user_is_fixed_and_spread() {
        let backends = [("10.0.0.1:1", false), ("10.0.0.2:1", false), ("10.0.0.3:1", false)];
        let mut firsts = [0; 3];
        for number in 0..3_000 {
            let found = order(&backends, Some(&name(number)), number);
            assert_eq!(found, order(&backends, Some(&name(number)), 0));
            let mut sorted = found.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2]);
            firsts[found[0]] += 1;
        }
        assert!(firsts.iter().all(|&count| count > 800), "{firsts:?}");
    }

    #[test]
    fn order_suspected_one_moves_its_users_only() {
        let well = [("a:1", false), ("b:1", false), ("c:1", false)];
        let hurt = [("a:1", false), ("b:1", true), ("c:1", false)];
        for number in 0..200 {
            let (before, after) =
                (order(&well, Some(&name(number)), 0), order(&hurt, Some(&name(number)), 0));
            let rest: Vec<_> = before.iter().copied().filter(|&index| index != 1).collect();
            assert_eq!(after, [rest, vec![1]].concat());
        }
    }

    #[test]
    fn order_about_nobody_takes_turns_among_the_well() {
        let backends = [("a:1", false), ("b:1", true), ("c:1", false)];
        let firsts: Vec<_> = (0..4).map(|turn| order(&backends, None, turn)[0]).collect();
        assert!(firsts == [0, 2, 0, 2] || firsts == [2, 0, 2, 0], "{firsts:?}");
        assert_eq!(order(&backends, None, 7)[2], 1);
        assert_eq!(order(&[("a:1", true), ("b:1", true)], None, 1), [0, 1]);
        assert_eq!(order(&[], None, 1), [0_usize; 0]);
        assert_eq!(order(&[("a:1", false), ("b:1", false)], None, usize::MAX - 1).len(), 2);
    }

    #[test]
    fn suspicion_begins_at_refusal_or_missed_pings_and_ends_at_answer() {
        let mut suspicion = Suspicion::default();
        assert!(suspicion.refused("refused"));
        assert!(!suspicion.refused("refused"), "no news");
        assert!(suspicion.answered());
        assert!(!suspicion.answered(), "no news");
        for _ in 1..PINGS_MISSED_MAX {
            assert!(!suspicion.missed());
        }
        let now = Mono(5);
        assert!(!suspicion.is_suspected(now));
        assert!(suspicion.missed());
        assert!(suspicion.is_suspected(now));
        assert!(!suspicion.missed(), "no news");
        assert!(suspicion.answered());
        assert_eq!(suspicion, Suspicion::default());
    }

    #[test]
    fn suspicion_of_a_stuck_one_ends_at_an_answer_and_one_at_a_time_finds_out() {
        let mut suspicion = Suspicion::default();
        let (then, due) = (Mono(5), Mono(5).plus_ms(STUCK_MS));
        assert!(suspicion.ran_out(then));
        assert!(!suspicion.ran_out(then), "no news");
        assert!(!suspicion.pinged() && suspicion.is_suspected(then) && !suspicion.is_gone());
        assert!(!suspicion.tries(then) && !suspicion.is_suspected(due));
        assert!(suspicion.tries(due));
        assert!(suspicion.is_suspected(due) && !suspicion.tries(due), "somebody is at it");
        assert!(suspicion.answered());
        assert_eq!(suspicion, Suspicion::default());
    }

    /// What was stopped and is started anew with another key is refused by it, not silent any more.
    #[test]
    fn r0067_another_reason_to_suspect_is_news() {
        let mut suspicion = Suspicion::default();
        for why in ["nobody is there", "it has another key", "nobody is there"] {
            assert!(suspicion.refused(why), "{why}");
            assert!(!suspicion.refused(why), "no news");
            assert!(suspicion.is_gone());
        }
        assert!(suspicion.answered());
        assert!((1..PINGS_MISSED_MAX).all(|_| !suspicion.missed()) && suspicion.missed());
        assert!(suspicion.refused("nobody is there"), "silence says less");
    }
}
