//! Asking something, answering it, and how that stands.

use super::Backend;
use super::view::{Asked, Asker, Result};
use crate::action::{Action, Change, Vote};
use crate::auth::throttle::ActKind;
use crate::user::aside::Poll;
use crate::user::entry::PostRef;
use crate::wire::message::FEATURE_POLLS;
use crate::wire::request::{OptionView, PollView, Refusal};

impl Backend {
    /// Refuses what takes kinds of entries that not all machines' programs know yet.
    pub(super) fn check_polls(&self) -> std::result::Result<(), Refusal> {
        let can = self.cluster.local.node.features() >= FEATURE_POLLS;
        if can { Ok(()) } else { Err(Refusal::NotYet) }
    }

    pub(super) fn vote(&self, asked: Asked<'_>, data: Vote) -> Result {
        self.check_polls()?;
        let post = data.post.clone();
        self.check_stands(&asked, &post)?;
        // What a keeper has hidden asks nothing.
        let eyes = self.eyes(Some(asked.signed_in()?));
        if !self.cluster.local.index().shows_text(eyes, &post) {
            return Err(Refusal::NotFound);
        }
        let poll = self.look(&post.user, |user| user.poll(post.id).cloned()).flatten();
        let poll = poll.ok_or(Refusal::NotFound)?;
        let change = Change::Vote { post, poll, choices: data.choices.clone() };
        self.simple(asked, &Action::Vote(data), ActKind::Other, &change)
    }

    /// How a poll stands, as far as that is told.
    pub(super) fn poll_view(&self, asker: Option<&Asker>, post: &PostRef, poll: &Poll) -> PollView {
        let tally = self.cluster.local.index().tally(post);
        let is_over = poll.is_over(self.now());
        let votes = |place: usize| tally.counts.get(place).copied().unwrap_or_default();
        let is_told = is_over || !poll.hides_votes;
        let options = poll.options.iter().enumerate().map(|(place, title)| OptionView {
            title: title.clone(),
            votes: is_told.then(|| votes(place)),
        });
        let chosen = asker.and_then(|asker| {
            self.look(asker.user(), |user| user.aside().votes.get(post).copied()).flatten()
        });
        PollView {
            options: options.collect(),
            until: poll.until,
            is_over,
            many: poll.many,
            voters: tally.voters,
            votes: (0..poll.options.len()).map(votes).sum(),
            chosen,
        }
    }
}
