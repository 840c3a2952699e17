//! What posts ask: how apps say it, see it and answer it.

use serde_json::{Value, json};

use super::write::{of, saved_unseen};
use super::{Answer, Answered, Call, entity};
use crate::action::{Action, NewPoll, Vote};
use crate::id::{PostId, UserName};
use crate::user::entry::{Poll, PostRef};
use crate::web::ask::Ask;
use crate::web::handler::Site;
use crate::wire::request::{PollView, PostView, Statuses};

/// What an app says of a poll; none if it says nothing of one.
pub(super) fn said(call: &Call<'_>) -> Result<Option<NewPoll>, Answer> {
    let params = &call.params;
    if !params.pairs().any(|(name, _)| name.starts_with("poll[")) {
        return Ok(None);
    }
    let lasts_s = whole(params.get("poll[expires_in]")).ok_or_else(|| {
        Answer::error(422, "Validation failed: poll[expires_in] is a number of seconds")
    })?;
    Ok(Some(NewPoll {
        options: params.all("poll[options]").into_iter().map(str::to_owned).collect(),
        lasts_s,
        many: params.is_on("poll[multiple]")?.unwrap_or_default(),
        hides_votes: params.is_on("poll[hide_totals]")?.unwrap_or_default(),
    }))
}

/// A whole number, also of programs that know of no others than such with fractions.
fn whole(said: &str) -> Option<u32> {
    let (whole, fraction) = said.split_once('.').unwrap_or((said, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| is_whole)
}

/// Refuses an edit that would change what a post asks: that stays. Apps send it along with a new text.
pub(super) fn check_stays(call: &Call<'_>, post: &PostView) -> Result<(), Answer> {
    let wanted = call.params.all("poll[options]");
    let is = post.poll.iter().flat_map(|poll| &poll.options).map(|option| option.title.as_str());
    if wanted.is_empty() || wanted.iter().copied().eq(is) {
        return Ok(());
    }
    let why = "Validation failed: what a post asks stays as it is; delete it and write it anew";
    Err(Answer::error(422, why))
}

/// A poll, as apps see it.
pub(super) fn spelt(post: &PostView, viewer: Option<&UserName>) -> Option<Value> {
    let poll: &PollView = post.poll.as_deref()?;
    let options = poll.options.iter();
    let options = options.map(|it| json!({ "title": it.title, "votes_count": it.votes }));
    let chosen = poll.chosen.iter().flat_map(|chosen| chosen.places());
    // Who asks does not answer, and so is shown how it stands.
    let is_own = viewer == Some(&post.author.username);
    Some(json!({
        "id": Poll::number(post.id).to_string(),
        "expires_at": entity::time(poll.until),
        "expired": poll.is_over,
        "multiple": poll.many,
        "votes_count": poll.votes,
        "voters_count": poll.voters,
        "voted": poll.chosen.is_some() || is_own,
        "own_votes": chosen.collect::<Vec<_>>(),
        "options": options.collect::<Vec<_>>(),
        "emojis": [],
    }))
}

impl<A: Ask> Site<A> {
    /// The post whose poll has the number in the address.
    fn polled(&self, call: &Call<'_>) -> Result<(Statuses, PostId, Option<UserName>), Answer> {
        let post = Poll::post_of(Self::id_in(call)?);
        let (page, viewer) = self.status_numbered(call, post)?;
        let asks = page.statuses.first().is_some_and(|it| it.id == post && it.post.poll.is_some());
        if asks { Ok((page, post, viewer)) } else { Err(Answer::not_found()) }
    }

    pub(super) fn one_poll(&self, call: &Call<'_>) -> Answered {
        let (page, _, viewer) = self.polled(call)?;
        let post = page.statuses.first().map(|status| &status.post);
        let poll = post.and_then(|post| spelt(post, viewer.as_ref()));
        poll.map(Answer::ok).ok_or_else(Answer::not_found)
    }

    /// Answers a poll, and shows how it stands then.
    pub(super) fn vote(&self, call: &Call<'_>) -> Answered {
        let (page, ..) = self.polled(call)?;
        let post: PostRef = of(&page)?;
        let places = call.params.all("choices").into_iter().map(str::parse);
        let choices: Result<Vec<u32>, _> = places.collect();
        let choices = choices.map_err(|_| {
            Answer::error(422, "Validation failed: choices[] are places of options, from 0")
        })?;
        let key = Self::key_of(call)?;
        self.written(call, Action::Vote(Vote { key, post, choices }))?;
        self.one_poll(call).map_err(|_| saved_unseen())
    }
}
