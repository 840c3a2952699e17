//! What the operator does with accounts: in their own name, or in a keeper's. It takes no session.

use super::handle::{ActionError, Plan};
use super::{account, keeping, link, session};
use crate::clock::Wall;
use crate::user::entry::{CodeHash, Entry, LinkHash};
use crate::user::keeping::Deed;
use crate::user::{Receipt, Status, User};

/// One thing that the operator does to one account. Not printable: it holds password hashes.
#[derive(Clone, PartialEq, Eq)]
pub enum Upkeep {
    /// Make the account.
    Make {
        /// As typed; empty means the user name.
        display_name: String,
        /// The password's PHC string.
        password_hash: String,
        /// Whether they are a keeper.
        is_keeper: bool,
    },
    /// Let a one-time link choose another password.
    OfferReset {
        /// Its hash.
        link: LinkHash,
        /// Until when it holds.
        until: Wall,
    },
    /// End all its sessions.
    SignOut,
    /// Delete it.
    Delete,
    /// Do what a keeper does, in this keeper's name.
    Keep {
        /// What.
        deed: Deed,
        /// At which time, above that of all that it overrules.
        at: Wall,
    },
    /// Make a code with which others may join, in this member's name; that they may was looked up.
    Invite {
        /// Its hash.
        code: CodeHash,
        /// How many may join with it, and for how many days.
        uses_and_days: [u32; 2],
    },
    /// Let nobody join with it any more.
    EndInvitation {
        /// Its hash.
        code: CodeHash,
    },
}

/// Says what would be written into the file of `user`, at `now`.
///
/// # Errors
/// `Taken` where an account is to be made, `NotFound` where there is none, `Keeper` where one is to be
/// deleted; what is wrong with what was typed.
pub fn plan(user: &User, upkeep: &Upkeep, now: Wall) -> Result<Plan, ActionError> {
    if let Upkeep::Make { display_name, password_hash, is_keeper } = upkeep {
        return make(user, [display_name, password_hash], *is_keeper, now);
    }
    if user.status != Status::Active {
        return Err(ActionError::NotFound);
    }
    match upkeep {
        Upkeep::OfferReset { link, until } => Ok(link::offer_reset(user, link, *until, now)),
        Upkeep::SignOut => Ok(signed_out(user, now)),
        // A community shall not lose its keeper without anybody having said so.
        Upkeep::Delete if user.is_keeper() => Err(ActionError::Keeper),
        Upkeep::Delete => Ok(Plan::of(vec![Entry::Left { at: now }])),
        Upkeep::Keep { deed, at } => keeping::keep(user, deed, *at),
        Upkeep::Invite { code, uses_and_days } => keeping::invite(user, code, *uses_and_days, now),
        Upkeep::EndInvitation { code } => Ok(keeping::end_invitation(user, code, now)),
        Upkeep::Make { .. } => Ok(Plan::default()),
    }
}

fn make(
    user: &User,
    [display_name, password_hash]: [&str; 2],
    is_keeper: bool,
    now: Wall,
) -> Result<Plan, ActionError> {
    let mut entries = account::newcomer(user, display_name, password_hash, now)?;
    entries.extend(is_keeper.then_some(Entry::KeeperMade { at: now }));
    Ok(Plan::of(entries))
}

/// Ends all sessions; what is told counts those that one could still act under.
fn signed_out(user: &User, now: Wall) -> Plan {
    let entries = user.sessions.iter().map(|it| session::closed(&it.id, now)).collect();
    let open = user.sessions.iter().filter(|session| session.is_open(now)).count();
    Plan { entries, result: Receipt::SessionsEnded(u32::try_from(open).unwrap_or(u32::MAX)) }
}
