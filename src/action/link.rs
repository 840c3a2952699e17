//! What a one-time link opens: the first keeper's account, or another password for a lost one.

use serde::{Deserialize, Serialize};

use super::handle::{ActionError, NewSession, Plan};
use super::{Join, Opening, RequestKey, account, session};
use crate::clock::Wall;
use crate::id::UserName;
use crate::tagged::tagged;
use crate::user::entry::{Entry, LinkHash, Reset};
use crate::user::{Receipt, Status, User};

/// A one-time link as its address has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Link {
    /// Becoming the first keeper.
    FirstKeeper {
        /// Its secret.
        secret: String,
    },
    /// Another password.
    NewPassword {
        /// Whose.
        user: UserName,
        /// Its secret.
        secret: String,
    },
}

tagged!(Link, "to");

/// Data of [`super::Action::OfferFirst`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferFirst {
    /// The link that the web server wants to tell the operator of.
    pub link: LinkHash,
}

/// Data of [`super::Action::FirstKeeper`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstKeeper {
    /// The link's secret.
    pub secret: String,
    /// The account, as for joining; its code counts for nothing.
    pub join: Join,
}

/// Data of [`super::Action::ResetPassword`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetPassword {
    /// The form's key.
    pub key: RequestKey,
    /// Whose.
    pub user: UserName,
    /// The link's secret.
    pub secret: String,
    /// The password, as typed.
    pub new: String,
    /// The session to open.
    pub opening: Opening,
}

/// How somebody becomes the first keeper: with a new account, or with theirs.
#[derive(Clone, PartialEq, Eq)]
pub enum Founding {
    /// Make the account.
    New {
        /// As typed; empty means the user name.
        display_name: String,
        /// The new password's PHC string.
        password_hash: String,
    },
    /// They have one, whose password was found to match this PHC string.
    Has {
        /// It.
        verified_hash: String,
    },
}

/// The first keeper begins with a session of its own: others that an account had are over, as whenever
/// somebody's rights change.
pub(super) fn found(
    user: &User,
    founding: &Founding,
    opening: &NewSession,
    now: Wall,
) -> Result<Plan, ActionError> {
    let mut entries = match founding {
        Founding::New { display_name, password_hash } => {
            account::newcomer(user, display_name, password_hash, now)?
        }
        Founding::Has { verified_hash } => {
            account::check_verified(user, verified_hash)?;
            user.sessions.iter().map(|it| session::closed(&it.id, now)).collect()
        }
    };
    entries.push(Entry::KeeperMade { at: now });
    entries.push(session::opened(opening, now));
    Ok(Plan::of(entries))
}

/// Lays a link beside the password, which stays as it is until the link is used.
pub(super) fn offer_reset(user: &User, link: &LinkHash, until: Wall, now: Wall) -> Plan {
    let reset = Some(Reset { link: link.clone(), until });
    Plan::of(vec![Entry::Password { at: now, hash: user.password.clone(), reset }])
}

/// Ends every session, so that whoever knew the old password is out, and opens one. The link is used up
/// by the password that is written.
pub(super) fn reset_password(
    user: &User,
    (link, new_hash): (&LinkHash, &str),
    opening: &NewSession,
    now: Wall,
) -> Result<Plan, ActionError> {
    if user.status != Status::Active || !user.has_reset(link, now) {
        return Err(ActionError::Gone);
    }
    let mut entries = vec![Entry::Password { at: now, hash: new_hash.to_owned(), reset: None }];
    entries.extend(user.sessions.iter().map(|it| session::closed(&it.id, now)));
    entries.push(session::opened(opening, now));
    let open = user.sessions.iter().filter(|session| session.is_open(now)).count();
    let result = Receipt::SessionsEnded(u32::try_from(open).unwrap_or(u32::MAX));
    Ok(Plan { entries, result })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::Place;
    use crate::user::entry::SessionId;

    const NOW: Wall = Wall(1_700_000_000_000);
    const UNTIL: Wall = Wall(NOW.0 + 60 * 60 * 1000);

    fn opening(id: &str) -> NewSession {
        let (device, address) = ("Firefox".to_owned(), "192.0.2.1".to_owned());
        NewSession { id: SessionId(id.to_owned()), device, address }
    }

    fn take(user: &mut User, plan: &Plan) {
        for entry in &plan.entries {
            user.apply(entry, Place::default());
        }
    }

    fn new(display_name: &str) -> Founding {
        let password_hash = "hash".to_owned();
        Founding::New { display_name: display_name.to_owned(), password_hash }
    }

    fn founded() -> User {
        let mut ada = User::absent("ada".parse().unwrap());
        let plan = found(&ada, &new("Ada"), &opening("s0"), NOW).unwrap();
        take(&mut ada, &plan);
        ada
    }

    fn link(text: &str) -> LinkHash {
        LinkHash(text.to_owned())
    }

    #[test]
    fn s10_first_keeper_has_a_new_account_or_their_own() {
        let mut ada = founded();
        assert!(ada.is_keeper() && ada.open_session(&opening("s0").id, NOW).is_some());
        assert_eq!((ada.display_name.as_str(), ada.password.as_str()), ("Ada", "hash"));
        assert_eq!(found(&ada, &new(""), &opening("s1"), NOW), Err(ActionError::Taken));
        let has = |hash: &str| Founding::Has { verified_hash: hash.to_owned() };
        let wrong = found(&ada, &has("other"), &opening("s1"), NOW);
        assert_eq!(wrong, Err(ActionError::BadLogin));
        ada.apply(&Entry::KeeperEnded { at: NOW }, Place::default());
        let plan = found(&ada, &has("hash"), &opening("s1"), NOW).unwrap();
        take(&mut ada, &plan);
        assert!(ada.is_keeper() && ada.session(&opening("s0").id).is_none());
        assert!(ada.session(&opening("s1").id).is_some());
    }

    #[test]
    fn s11_link_mends_a_password_once_in_its_hour_and_ends_all_sessions() {
        let mut ada = founded();
        let reset = |user: &User, text: &str, now| {
            reset_password(user, (&link(text), "new"), &opening("s9"), now)
        };
        assert_eq!(reset(&ada, "one", NOW), Err(ActionError::Gone), "none was offered");
        for text in ["one", "two"] {
            let plan = offer_reset(&ada, &link(text), UNTIL, NOW);
            take(&mut ada, &plan);
        }
        assert_eq!(ada.password, "hash", "as before, until it is used");
        assert_eq!(ada.sessions.len(), 1);
        assert_eq!(reset(&ada, "one", NOW), Err(ActionError::Gone), "another was offered since");
        assert_eq!(reset(&ada, "two", UNTIL), Err(ActionError::Gone), "too old");
        let plan = reset(&ada, "two", Wall(UNTIL.0 - 1)).unwrap();
        assert_eq!(plan.result, Receipt::SessionsEnded(1));
        take(&mut ada, &plan);
        assert_eq!(ada.password, "new");
        let open: Vec<_> = ada.sessions.iter().map(|it| it.id.0.as_str()).collect();
        assert_eq!(open, ["s9"]);
        assert_eq!(reset(&ada, "two", NOW), Err(ActionError::Gone), "used");
    }

    #[test]
    fn s11_link_ends_with_any_other_password_and_with_the_account() {
        let mut ada = founded();
        let plan = offer_reset(&ada, &link("one"), UNTIL, NOW);
        take(&mut ada, &plan);
        let mut changed = ada.clone();
        let entry = Entry::Password { at: NOW, hash: "other".to_owned(), reset: None };
        changed.apply(&entry, Place::default());
        assert!(ada.has_reset(&link("one"), NOW) && !changed.has_reset(&link("one"), NOW));
        ada.apply(&Entry::Left { at: NOW }, Place::default());
        assert!(!ada.has_reset(&link("one"), NOW));
    }
}
