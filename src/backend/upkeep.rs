//! Does what the operator orders: accounts, keepers, invitations. What is written goes the way of all
//! that is written; what was done is logged with whose account it is, and no more.

use super::Backend;
use super::view::Permit;
use super::write::{OneAct, Wrote};
use crate::action::import::Taken;
use crate::action::upkeep::{Upkeep, plan};
use crate::action::{Change, Problem, field};
use crate::auth::policy::{self, Names};
use crate::clock::Wall;
use crate::id::{Hash128, RequestKey, UserName};
use crate::limits::{INVITATIONS_PAGE, RESET_LINK_MS, SUSPENSION_HOURS_MAX, USERS_PAGE};
use crate::user::User;
use crate::user::entry::CodeHash;
use crate::user::keeping::{Deed, Standing};
use crate::wire::request::{Field, FieldProblem, Refusal};
use crate::wire::upkeep::{CodeRow, Order, Refused, Stands, Told, UserRow};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// Why an order was not obeyed.
pub(super) enum Unmet {
    /// As a web server would be told.
    Refusal(Refusal),
    /// In the operator's words.
    Words(String),
}

/// What became of an order.
pub(super) type Obeyed = std::result::Result<Told, Unmet>;

impl From<Refusal> for Unmet {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Backend {
    /// Obeys one order.
    pub(super) fn obey(&self, permit: &mut Permit, order: &Order) -> Told {
        let (name, user) = subject(order);
        match self.obeyed(permit, order) {
            Ok(told) => {
                if let Some(user) = user {
                    log::info!(order:% = name, user:%; "operator's order done");
                }
                told
            }
            Err(unmet) => {
                let (kind, why) = words(unmet, user);
                log::info!(
                    order:% = name, user:% = user.map_or("-", UserName::as_str);
                    "operator's order not done"
                );
                Told::Refused { kind, why }
            }
        }
    }

    fn obeyed(&self, permit: &mut Permit, order: &Order) -> Obeyed {
        match order {
            Order::List { after, only_keepers } => {
                Ok(self.list_users(after.as_ref(), *only_keepers))
            }
            Order::Add { key, user, display_name, password, is_keeper } => {
                if *is_keeper {
                    self.check_social()?;
                }
                self.check_new_name(user)?;
                let password_hash = self.new_hash((user, display_name), &password.0)?;
                let display_name = display_name.clone();
                let make = Upkeep::Make { display_name, password_hash, is_keeper: *is_keeper };
                // Nothing but the key tells one making of an account from another.
                let digest = Hash128(key.id.0);
                let key = RequestKey { ops: u64::MAX, ..*key };
                self.upkeep(permit, user, (Some((key, digest)), &make))?;
                Ok(Told::Done)
            }
            Order::OfferReset { user, link } => {
                let until = Wall(self.now().0.saturating_add(RESET_LINK_MS));
                let offer = Upkeep::OfferReset { link: link.clone(), until };
                self.upkeep(permit, user, (None, &offer))?;
                Ok(Told::Done)
            }
            Order::SetKeeper { user, is_keeper } => {
                self.check_social()?;
                let change = Change::SetKeeper { is_keeper: *is_keeper };
                self.community_writes(permit, user, &change)?;
                Ok(Told::Done)
            }
            Order::SignOut { user } => {
                let wrote = self.upkeep(permit, user, (None, &Upkeep::SignOut))?;
                Ok(Told::SignedOut { sessions: wrote.receipt().sessions_ended() })
            }
            Order::Suspend { user, hours, reason, by } => {
                let ms = |hours: u32| u64::from(hours.clamp(1, SUSPENSION_HOURS_MAX)) * HOUR_MS;
                let until = hours.map(|hours| Wall(self.now().0.saturating_add(ms(hours))));
                let deed = Deed::Suspended(user.clone(), until, reason.clone());
                self.rule_for(permit, (user, by.as_ref()), deed)
            }
            Order::Lift { user, by } => {
                self.rule_for(permit, (user, by.as_ref()), Deed::Lifted(user.clone()))
            }
            Order::Delete { user } => {
                self.upkeep(permit, user, (None, &Upkeep::Delete))?;
                Ok(Told::Done)
            }
            Order::Invite { code, uses, days, by } => {
                self.invite_for(permit, by.as_ref(), (code, [*uses, *days]))
            }
            Order::Invitations { after } => Ok(self.list_codes(after.as_ref())),
            Order::EndInvitation { code } => self.end_invitation_for(permit, code),
            Order::Import { user, file, is_dry, part } => {
                self.import(permit, (user, *file, *is_dry), part)
            }
        }
    }

    /// Does one thing to one account, under its lock.
    fn upkeep(
        &self,
        permit: &mut Permit,
        user: &UserName,
        (request, upkeep): (Option<(RequestKey, Hash128)>, &Upkeep),
    ) -> std::result::Result<Wrote, Refusal> {
        let now = self.now();
        let act = OneAct { user, request };
        let (wrote, _version) = self.change(permit, &act, &|user| plan(user, upkeep, now))?;
        Ok(wrote)
    }

    /// What a keeper does, in a keeper's name.
    fn rule_for(
        &self,
        permit: &mut Permit,
        (whom, by): (&UserName, Option<&UserName>),
        deed: Deed,
    ) -> Obeyed {
        self.check_social()?;
        if !self.cluster.local.index().is_active(whom) {
            return Err(Refusal::NotFound.into());
        }
        let by = by.cloned().map_or_else(|| self.first_keeper_but(whom), Ok)?;
        if !self.cluster.local.index().is_keeper(&by) {
            return Err(Unmet::Words(format!("{by} is no keeper: tern user list --admins")));
        }
        let at = self.cluster.local.index().time_of(&deed, self.now());
        self.upkeep(permit, &by, (None, &Upkeep::Keep { deed, at }))?;
        Ok(Told::By { user: by })
    }

    /// Makes an invitation in somebody's name.
    fn invite_for(
        &self,
        permit: &mut Permit,
        by: Option<&UserName>,
        (code, uses_and_days): (&CodeHash, [u32; 2]),
    ) -> Obeyed {
        self.check_social()?;
        let by = by.cloned().map_or_else(|| self.first_keeper_who_invites(), Ok)?;
        if !self.cluster.local.index().is_active(&by) {
            return Err(Refusal::NotFound.into());
        }
        if !self.may_invite(&by) {
            if self.cluster.local.index().is_keeper(&by) {
                return Err(Unmet::Words(format!("{by} may not invite while they are suspended")));
            }
            return Err(Unmet::Words(format!(
                "{by} may not invite: they keep nothing, and members do not invite here"
            )));
        }
        let invite = Upkeep::Invite { code: code.clone(), uses_and_days };
        self.upkeep(permit, &by, (None, &invite))?;
        Ok(Told::By { user: by })
    }

    /// Ends an invitation, whoever made it.
    fn end_invitation_for(&self, permit: &mut Permit, code: &CodeHash) -> Obeyed {
        let by = self.cluster.local.index().inviter(code).cloned();
        let by = by.ok_or_else(|| Unmet::Words("there is no such invitation".to_owned()))?;
        let end = Upkeep::EndInvitation { code: code.clone() };
        self.upkeep(permit, &by, (None, &end))?;
        Ok(Told::By { user: by })
    }

    /// Else the first one, who is then told why not.
    fn first_keeper_who_invites(&self) -> std::result::Result<UserName, Unmet> {
        let keepers = self.cluster.local.index().keepers();
        let keeper = keepers.iter().find(|name| self.may_invite(name)).or(keepers.first());
        keeper.cloned().ok_or_else(|| Unmet::Words(NO_KEEPER.to_owned()))
    }

    /// Nobody is suspended in their own name.
    fn first_keeper_but(&self, whom: &UserName) -> std::result::Result<UserName, Unmet> {
        let keeper = self.cluster.local.index().keepers().into_iter().find(|name| name != whom);
        keeper.ok_or_else(|| Unmet::Words(NO_KEEPER.to_owned()))
    }

    /// Refuses names that nobody may take.
    pub(super) fn check_new_name(&self, user: &UserName) -> std::result::Result<(), Unmet> {
        match field::username(user.as_str(), std::slice::from_ref(&self.community)) {
            Ok(_) => Ok(()),
            Err(Problem::Reserved) => {
                Err(Unmet::Words(format!("the name {user} is kept for the system")))
            }
            Err(problem) => Err(super::write::invalid(Field::Username, problem).into()),
        }
    }

    /// The record of a new password, if it will do.
    pub(super) fn new_hash(
        &self,
        (user, display_name): (&UserName, &str),
        password: &str,
    ) -> std::result::Result<String, Unmet> {
        let (username, community) = (user.as_str(), self.community.as_str());
        let names = Names { username, display_name, community, host: "" };
        if let Some(problem) = policy::check(password, names) {
            return Err(super::write::invalid(Field::Password, problem).into());
        }
        Ok(self.hasher.hash(password).map_err(super::account::busy)?)
    }

    fn list_users(&self, after: Option<&UserName>, only_keepers: bool) -> Told {
        self.wait_for_lists();
        let (names, more_after) = if only_keepers {
            let mut names = self.cluster.local.index().keepers();
            names.retain(|name| after.is_none_or(|after| name > after));
            let has_more = names.len() > USERS_PAGE;
            names.truncate(USERS_PAGE);
            let more_after = names.last().filter(|_| has_more).cloned();
            (names, more_after)
        } else {
            let page = self.cluster.local.index().accounts(after, USERS_PAGE);
            (page.names, page.more_after)
        };
        let users = names.iter().filter_map(|name| self.user_row(name)).collect();
        Told::Users { users, more_after }
    }

    fn user_row(&self, name: &UserName) -> Option<UserRow> {
        let now = self.now();
        let standing = self.cluster.local.index().standing(name, now);
        let (standing, until) = match standing {
            Standing::Member => (Stands::Member, None),
            Standing::Waiting => (Stands::Waiting, None),
            Standing::Refused { .. } => (Stands::Refused, None),
            Standing::Suspended { until, .. } => (Stands::Suspended, until),
        };
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        self.look(name, |user| UserRow {
            user: user.name.clone(),
            display_name: user.display_name.clone(),
            joined_at: user.joined_at,
            posts: count(user.posts.len()),
            sessions: count(user.sessions.iter().filter(|one| one.is_open(now)).count()),
            is_keeper: user.is_keeper(),
            standing,
            until,
        })
    }

    fn list_codes(&self, after: Option<&CodeHash>) -> Told {
        self.wait_for_lists();
        let (found, has_more) = self.cluster.local.index().codes(after, INVITATIONS_PAGE);
        let more_after = found.last().filter(|_| has_more).map(|(code, _)| code.clone());
        let row = |(code, by): (CodeHash, UserName)| {
            let row = |user: &User| {
                let it = user.keeping.as_deref()?.invitations.get(&code)?;
                let (code, by) = (code.clone(), by.clone());
                let (made_at, until, uses) = (it.made_at, it.until, it.uses);
                Some(CodeRow { code, by, made_at, until, uses, used_by: it.used_by.clone() })
            };
            self.look(&by, row).flatten()
        };
        Told::Invitations { codes: found.into_iter().filter_map(row).collect(), more_after }
    }
}

const NO_KEEPER: &str = "nobody else keeps the community, in whose name it could be done: make \
                         somebody a keeper with tern user admin NAME";

/// An order's name, and whose account it changes.
fn subject(order: &Order) -> (&'static str, Option<&UserName>) {
    match order {
        Order::List { .. } => ("list", None),
        Order::Add { user, .. } => ("add", Some(user)),
        Order::OfferReset { user, .. } => ("passwd", Some(user)),
        Order::SetKeeper { user, .. } => ("admin", Some(user)),
        Order::SignOut { user } => ("signout", Some(user)),
        Order::Suspend { user, .. } => ("suspend", Some(user)),
        Order::Lift { user, .. } => ("lift", Some(user)),
        Order::Delete { user } => ("delete", Some(user)),
        Order::Invite { by, .. } => ("invite", by.as_ref()),
        Order::Invitations { .. } => ("invitations", None),
        Order::EndInvitation { .. } => ("revoke", None),
        Order::Import { user, .. } => ("import", Some(user)),
    }
}

/// What became of a part of an import.
pub(super) const fn taken(taken: Taken) -> Told {
    Told::Taken(taken)
}

/// Why not, as the operator reads it, and what to do about it.
fn words(unmet: Unmet, user: Option<&UserName>) -> (Refused, String) {
    let refusal = match unmet {
        Unmet::Words(why) => return (Refused::No, why),
        Unmet::Refusal(refusal) => refusal,
    };
    let user = user.map_or("of that name", UserName::as_str);
    match refusal {
        Refusal::NotFound => (Refused::No, format!("there is no member called {user}")),
        Refusal::Keeper => {
            let cure = format!("first tern user admin {user} --remove");
            (Refused::No, format!("{user} is a keeper, whose file holds what they did: {cure}"))
        }
        Refusal::NotYet => {
            let cure =
                "not before the upgrade of the machines is finished: tern cluster upgrade finish";
            (Refused::No, cure.to_owned())
        }
        Refusal::Full => {
            (Refused::No, "the file has reached its limit: this was not saved".to_owned())
        }
        Refusal::Conflict => (Refused::No, format!("the name {user} is taken")),
        Refusal::Invalid { problems } => {
            let problems: Vec<String> = problems.iter().map(|it| problem(it, user)).collect();
            (Refused::No, problems.join("; "))
        }
        Refusal::NoMajority { reachable, members, needed } => (
            Refused::TooFew,
            format!(
                "only {reachable} of {members} machines can be reached, {needed} are needed: nothing \
                 was saved"
            ),
        ),
        Refusal::Unknown => {
            (Refused::Again, "no answer in time: it may have been saved; ask again".to_owned())
        }
        Refusal::Busy { .. } | Refusal::Behind | Refusal::TooMany { .. } => {
            (Refused::Again, "the machines are busy: nothing was saved; try again".to_owned())
        }
        Refusal::NoSpace => (
            Refused::Again,
            "the machines' disks are full: nothing was saved; make room, and try again".to_owned(),
        ),
        other => (Refused::No, format!("nothing was saved: {other:?}")),
    }
}

fn problem(FieldProblem { field, problem }: &FieldProblem, user: &str) -> String {
    let what = match field {
        Field::Username => "the name",
        Field::DisplayName => "the display name",
        Field::Password | Field::NewPassword => "the password",
        Field::Bio => "the bio",
        Field::Reason => "the reason",
        Field::Code => "the invitation",
        _ => "a field",
    };
    match problem {
        Problem::Taken => format!("the name {user} is taken, or was"),
        Problem::Empty => format!("{what} is empty"),
        Problem::TooLong { over } => format!("{what} is {over} characters too long"),
        Problem::TooShort { min } => format!("{what} is too short: at least {min}"),
        Problem::Common => format!("{what} is on every list of common ones"),
        Problem::Guessable => format!("{what} is made of a name that everybody sees"),
        Problem::Wrong => format!("{what} cannot be {user}'s own"),
        Problem::Full { max } => format!("{what} is one too many: {max} are the most"),
        _ => format!("{what} cannot be used"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The operator was told `NoSpace`, and that it was wrong use.
    #[test]
    fn r0212_full_disks_are_said_in_words_and_are_no_wrong_use() {
        let (kind, why) = words(Unmet::Refusal(Refusal::NoSpace), None);
        assert_eq!(kind, Refused::Again, "r0212");
        assert_eq!(
            why,
            "the machines' disks are full: nothing was saved; make room, and try again"
        );
    }
}
