//! Whom one follows, mutes and blocks, and lists of people.

use serde_json::{Value, json};

use super::paging::{cursor, limit, link, offset};
use super::{Answer, Answered, Call, entity, fresh, nonsense, told};
use crate::action::{Action, ApiRead, MuteFor, PeopleList, Whom};
use crate::id::UserName;
use crate::limits::MUTE_S_MAX;
use crate::web::ask::Ask;
use crate::web::handler::Site;
use crate::wire::request::{AccountView, ApiReply, Outcome, RelationView};

/// People of a page, and at most.
const PAGE: (u16, u16) = (40, 80);
/// People whose relation is told at once.
const RELATIONS_MAX: usize = 80;

/// What to do about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    Follow,
    Unfollow,
    Mute,
    Unmute,
    Block,
    Unblock,
    RemoveFollower,
}

impl<A: Ask> Site<A> {
    pub(super) fn relationships(&self, call: &Call<'_>) -> Answered {
        let ids = call.params.all("id");
        let names = ids.iter().take(RELATIONS_MAX).filter_map(|id| entity::account_of(id));
        self.relations(call, names.map(|(name, _)| name).collect())
            .map(|relations| Answer::ok(Value::Array(relations)))
    }

    fn relations(&self, call: &Call<'_>, usernames: Vec<UserName>) -> Result<Vec<Value>, Answer> {
        let read = Action::Api(ApiRead::Relations { usernames });
        let mut heard = self.ask_with_token(call, None, read)?;
        match told(&mut heard)? {
            ApiReply::Relations(relations) => Ok(relations.iter().map(relation).collect()),
            _ => Err(nonsense()),
        }
    }

    pub(super) fn tie(&self, call: &Call<'_>, tie: Tie) -> Answered {
        let username = account_in(call)?;
        let own = call.bearer.and_then(|token| token.split_once('.')).map(|(name, _)| name);
        if own == Some(username.as_str()) {
            return Err(Answer::error(422, "Validation failed: that is you"));
        }
        let lasts_s = if tie == Tie::Mute { lasts_s(call)? } else { None };
        let whom = Whom { key: fresh()?, username: username.clone() };
        let heard = self.ask_with_token(
            call,
            None,
            match tie {
                Tie::Follow => Action::Follow(whom),
                Tie::Unfollow => Action::Unfollow(whom),
                Tie::Mute => match lasts_s {
                    None => Action::Mute(whom),
                    Some(lasts_s) => {
                        let Whom { key, username } = whom;
                        Action::MuteFor(MuteFor { key, username, lasts_s })
                    }
                },
                Tie::Unmute => Action::Unmute(whom),
                Tie::Block => Action::Block(whom),
                Tie::Unblock => Action::Unblock(whom),
                Tie::RemoveFollower => Action::RemoveFollower(whom),
            },
        )?;
        let Outcome::Saved(_) = heard.outcome else { return Err(nonsense()) };
        let relation = self.relations(call, vec![username])?.pop();
        relation.map(Answer::ok).ok_or_else(Answer::not_found)
    }

    pub(super) fn people_listed(&self, call: &Call<'_>, list: PeopleList) -> Answered {
        let of = match list {
            PeopleList::Followers | PeopleList::Following => Some(account_in(call)?),
            PeopleList::Muted | PeopleList::Blocked => None,
        };
        // By name, so that nobody is met twice or missed while others come and go.
        let after = cursor::<String>(call, "max_id").and_then(|id| entity::account_of(&id));
        let after = after.map(|(name, _)| name);
        let is_newer = ["since_id", "min_id"].iter().any(|it| call.params.find(it).is_some());
        if is_newer {
            return self.nothing(call);
        }
        let limit = limit(call, PAGE);
        let read = Action::Api(ApiRead::People { list, of, after, limit });
        let mut heard = self.ask_with_token(call, None, read)?;
        let ApiReply::Accounts(page) = told(&mut heard)? else { return Err(nonsense()) };
        // A cursor needs a time as well as a name only to look like a number.
        let at = page.accounts.last().map(|view| view.joined_at).unwrap_or_default();
        let more = page.more_after.as_ref().map(|name| entity::account_id(name, at));
        let link = link(&self.origin, call, more.map(|id| ("max_id", id)), None);
        let spell = |view: &AccountView| {
            let mut account = entity::account(&self.origin, self.assets.stand_ins, view);
            if let Some(account) = account.as_object_mut().filter(|_| list == PeopleList::Muted) {
                let until = json!(view.muted_until.map(entity::time));
                account.insert("mute_expires_at".to_owned(), until);
            }
            account
        };
        let accounts = page.accounts.iter().map(spell);
        Ok(Answer { link, ..Answer::list(accounts) })
    }

    /// Members of that name, also for a name with this site's host and for the address of a profile.
    pub(super) fn members_found(
        &self,
        call: &Call<'_>,
        usual: (u16, u16),
    ) -> Result<Vec<Value>, Answer> {
        let query = call.params.get("q").trim();
        let query = query.strip_prefix(&format!("{}/@", self.origin)).unwrap_or(query);
        let query = query.trim_start_matches('@');
        let query = match query.split_once('@') {
            Some((name, host)) if self.origin.allows_host(host) => name,
            Some(_) => return Ok(Vec::new()),
            None => query,
        };
        let (offset, most) = (offset(call), limit(call, usual));
        let limit = most.saturating_add(u16::try_from(offset).unwrap_or(u16::MAX));
        let read = Action::Api(ApiRead::Members { query: query.to_owned(), limit });
        let mut heard = self.ask_with_token(call, None, read)?;
        let ApiReply::Accounts(page) = told(&mut heard)? else { return Err(nonsense()) };
        let spell = |view| entity::account(&self.origin, self.assets.stand_ins, view);
        let accounts = page.accounts.iter().skip(offset);
        Ok(accounts.take(usize::from(most)).map(spell).collect())
    }

    pub(super) fn search_accounts(&self, call: &Call<'_>) -> Answered {
        self.members_found(call, PAGE).map(|found| Answer::ok(Value::Array(found)))
    }
}

/// For how many seconds somebody is to be muted; nothing, or none, is for good.
fn lasts_s(call: &Call<'_>) -> Result<Option<u32>, Answer> {
    let said = match call.params.get("duration") {
        "" => return Ok(None),
        said => said.parse().ok().filter(|seconds| *seconds <= MUTE_S_MAX),
    };
    let refused = || {
        let why = "Validation failed: duration is a number of seconds, 0 for good, at most";
        Answer::error(422, &format!("{why} {MUTE_S_MAX}"))
    };
    said.map(|seconds| (seconds > 0).then_some(seconds)).ok_or_else(refused)
}

/// Whose number stands in the address. That the account was made when the number says is not asked:
/// nobody else ever gets the name.
pub(super) fn account_in(call: &Call<'_>) -> Result<UserName, Answer> {
    entity::account_of(call.part()).map(|(name, _)| name).ok_or_else(Answer::not_found)
}

fn relation(view: &RelationView) -> Value {
    json!({
        "id": entity::account_id(&view.username, view.joined_at),
        "following": view.follows,
        "showing_reblogs": view.follows,
        "notifying": false,
        "languages": null,
        "followed_by": view.is_followed,
        "blocking": view.blocks,
        "blocked_by": view.is_blocked,
        "muting": view.mutes,
        "muting_notifications": view.mutes,
        "requested": false,
        "requested_by": false,
        "domain_blocking": false,
        "endorsed": false,
        "note": "",
    })
}
