//! Several waiting requests of one user in one line.

use crate::act::Aim;
use crate::machine::Host;

/// Requests folded into one line, at most.
const FOLDED_MAX: usize = 8;

impl Host<'_> {
    /// Waiting acts of the same user go into the same line.
    pub(crate) fn fold(&mut self, id: u64) {
        let Some(act) = self.p.acts.get(&id) else { return };
        let Aim::Write(own) = &act.aim else { return };
        let mut requests = own.clone();
        let (user, asked_at) = (act.user.clone(), act.ticket);
        let Some(lane) = self.p.lanes.get_mut(&user).filter(|_| self.cx.folds) else { return };
        let mut folded = Vec::new();
        for other in &lane.waiting {
            if let Some(Aim::Write(more)) = self.p.acts.get(other).map(|act| &act.aim)
                && requests.len() < FOLDED_MAX
                && !self.p.acts[other].was_sent
            {
                requests.extend(more.clone());
                folded.push(*other);
            }
        }
        lane.waiting.retain(|other| !folded.contains(other));
        self.cx.totals.add("folded", folded.len() as u64);
        // Numbers go up: whoever has a higher one came after the lock was asked for.
        let has_late = folded.iter().any(|other| *other > asked_at);
        for other in folded {
            self.p.acts.remove(&other);
        }
        if let Some(act) = self.p.acts.get_mut(&id) {
            act.aim = Aim::Write(requests);
            act.holding.committed &= !has_late;
        }
    }
}
