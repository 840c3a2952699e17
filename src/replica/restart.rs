//! What a machine is after a start: what it must refuse, because it may have promised it, and which
//! of its replicas have no vote.

use super::State;
use super::acceptor::Acceptor;
use super::mistake::{Mistake, is_made};
use super::version::Term;

/// The number of the next life of a process: durable before anything bears a term. `None` when the
/// numbers are used up; the highest is that of the floors, above every start.
pub fn next_boot(boot: u32) -> Option<u32> {
    if is_made(Mistake::TermReused) {
        return Some(boot.max(1));
    }
    boot.checked_add(1).filter(|&next| next != u32::MAX)
}

/// The term up to which everything is refused after a start: whatever was promised before it had a
/// round up to the durable ceiling.
pub fn bootfloor(epoch: u32, ceiling: u64) -> Term {
    if is_made(Mistake::PromiseLost) { Term::default() } else { Term::floor(epoch, ceiling) }
}

/// The replica of a user whose file holds `state`; `is_marked` if there is a mark of damage, whatever
/// the file says.
pub fn replica(state: State, is_marked: bool) -> Acceptor {
    let acceptor = Acceptor::new(state);
    if is_marked && !is_made(Mistake::MarkForgotten) { acceptor.damaged() } else { acceptor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_never_reaches_that_of_the_floors() {
        assert_eq!(next_boot(0), Some(1));
        assert_eq!(next_boot(u32::MAX - 2), Some(u32::MAX - 1));
        assert_eq!(next_boot(u32::MAX - 1), None);
    }

    #[test]
    fn start_refuses_all_that_may_have_been_promised() {
        let promised = Term { epoch: 1, round: 7, node: 3, boot: 2 };
        assert!(bootfloor(1, 7) > promised);
    }
}
