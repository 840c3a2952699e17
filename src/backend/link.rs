//! One-time links: the one that makes the first keeper, and those that mend a lost password.
//!
//! A lost password's link is a line of its owner's file, so every machine knows it, and the lock on that
//! file lets one of two who open it at once win. Of the first keeper nobody's file can speak before
//! there is one. So one machine decides, the member with the lowest number: it alone holds in memory
//! which links hold, and lets one person at a time use one. The others send web servers on to it. It
//! forgets with its process, and no link lives for long; who wants no link uses `tern user admin`.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::Backend;
use super::account::{busy, network_address, opening_of};
use super::view::{Asked, Done, Result};
use super::write::{OneAct, Wrote, invalid, saved};
use crate::action::{
    self, Action, Change, FirstKeeper, Founding, Link, OfferFirst, Problem, ResetPassword,
};
use crate::auth::link::LinkSecret;
use crate::auth::policy::{self, Names};
use crate::clock::Mono;
use crate::id::UserName;
use crate::limits::{FIRST_LINK_MS, FIRST_LINKS_MAX};
use crate::user::entry::LinkHash;
use crate::user::{Seen, Status};
use crate::wire::request::{Field, Outcome, Refusal};

/// The links that can make the first keeper. What is asked of them and what it leads to is one look under
/// one lock: between two, whoever uses a link may be done with it.
#[derive(Debug, Default)]
pub(super) struct FirstLinks(Mutex<Offered>);

#[derive(Debug, Default)]
struct Offered {
    /// Each with the time from which on it holds no longer, oldest first.
    links: VecDeque<(LinkHash, Mono)>,
    /// Somebody is using one.
    is_taken: bool,
}

/// The right to make the first keeper, as long as it is held: nobody else has it then.
#[derive(Debug)]
struct Taking<'a>(&'a FirstLinks);

impl FirstLinks {
    /// Lets a link hold from now on. The oldest one makes room where there are too many.
    fn offer(&self, link: LinkHash, now: Mono) {
        let mut offered = self.0.lock();
        offered.links.retain(|(other, until)| now < *until && *other != link);
        if offered.links.len() >= FIRST_LINKS_MAX {
            offered.links.pop_front();
        }
        offered.links.push_back((link, now.plus_ms(FIRST_LINK_MS)));
    }

    fn holds(&self, link: &LinkHash, now: Mono) -> bool {
        self.0.lock().holds(link, now)
    }

    /// Uses a link, unless somebody is using this or another one.
    fn take(&self, link: &LinkHash, now: Mono) -> std::result::Result<Taking<'_>, Refusal> {
        let mut offered = self.0.lock();
        if !offered.holds(link, now) {
            return Err(Refusal::Gone);
        }
        if std::mem::replace(&mut offered.is_taken, true) {
            return Err(Refusal::Busy { retry_after_s: 1 });
        }
        Ok(Taking(self))
    }
}

impl Offered {
    fn holds(&self, link: &LinkHash, now: Mono) -> bool {
        self.links.iter().any(|(other, until)| other == link && now < *until)
    }
}

impl Taking<'_> {
    /// No link holds any more: there is a keeper, or nobody knows.
    fn end(&self) {
        self.0.0.lock().links.clear();
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.0.lock().is_taken = false;
    }
}

impl Backend {
    /// Lets a web server's link make the first keeper, if there is none.
    pub(super) fn offer_first(&self, data: OfferFirst) -> Result {
        self.check_founding()?;
        self.first_links.offer(data.link, self.clock.mono());
        Ok(Done::told(Outcome::Checked))
    }

    /// Whether a link still opens anything.
    pub(super) fn open_link(&self, asked: Asked<'_>, link: &Link) -> Result {
        let holds = match link {
            Link::FirstKeeper { secret } => {
                self.check_founding()?;
                let hash = LinkSecret::parse(secret).map(|secret| secret.hash());
                hash.is_some_and(|hash| self.first_links.holds(&hash, self.clock.mono()))
            }
            Link::NewPassword { user, secret } => {
                self.hear_of(asked.permit, user)?;
                let now = self.now();
                let hash = LinkSecret::parse(secret).map(|secret| secret.hash());
                hash.is_some_and(|hash| {
                    self.look(user, |user| user.has_reset(&hash, now)) == Some(true)
                })
            }
        };
        if holds { Ok(Done::told(Outcome::Checked)) } else { Err(Refusal::Gone) }
    }

    /// Whether this is the machine that decides, and there is no keeper yet.
    fn check_founding(&self) -> std::result::Result<(), Refusal> {
        self.check_social()?;
        let members = &self.cluster.members;
        if members.members().into_iter().min() != Some(members.me) {
            return Err(Refusal::Behind);
        }
        self.wait_for_lists();
        if self.may_lack_any() {
            return Err(Refusal::Behind);
        }
        let has_keeper = !self.cluster.local.index().keepers().is_empty();
        if has_keeper { Err(Refusal::Gone) } else { Ok(()) }
    }

    /// Makes the first keeper: a new account, or one whose password is given.
    pub(super) fn found(&self, asked: Asked<'_>, data: FirstKeeper) -> Result {
        let Asked { permit, .. } = asked;
        let (secret, join) = (data.secret.clone(), data.join.clone());
        let taken = || invalid(Field::Username, Problem::Taken);
        let typed = UserName::from_input(&join.username).ok();
        let status = typed.as_ref().and_then(|name| self.look(name, |user| user.status));
        let name = match (typed, status) {
            (Some(name), Some(Status::Active)) => name,
            _ => self.check_join(&join)?,
        };
        let (token, session) = opening_of(&join.opening)?;
        let address = network_address(&join.opening)?;
        let action = Action::FirstKeeper(data);
        let request = action.key().map(|key| (key, action.digest()));
        let seen =
            request.and_then(|(key, digest)| self.look(&name, |user| user.seen(key, digest)));
        if matches!(seen, Some(Seen::Same(_))) {
            // Done at an earlier sending: whoever knows the password is let in.
            let verified = self.verify(permit, &name, &join.password, address);
            let verified = verified.map_err(|_| Refusal::Gone)?;
            return self.open_session(permit, &name, verified, &join.opening);
        }
        let hash = LinkSecret::parse(&secret).map(|secret| secret.hash()).ok_or(Refusal::Gone)?;
        self.check_founding()?;
        let taking = self.first_links.take(&hash, self.clock.mono())?;
        let founding = if status == Some(Status::Active) {
            let verified = self.verify(permit, &name, &join.password, address);
            let verified = verified.map_err(|why| match why {
                Refusal::BadLogin => taken(),
                other => other,
            })?;
            Founding::Has { verified_hash: verified.hash }
        } else {
            let password_hash = self.hasher.hash(&join.password).map_err(busy)?;
            Founding::New { display_name: join.display_name.clone(), password_hash }
        };
        let change = Change::Found { founding, session };
        let (who, now) = (action::Who::default(), self.now());
        let act = OneAct { user: &name, request };
        // Looked at once more: somebody may have become a keeper by command meanwhile.
        self.check_founding()?;
        match self.change(permit, &act, &|user| action::handle(user, &who, &change, now)) {
            Ok((_, version)) => {
                taking.end();
                log::info!(user:% = name, client:% = address; "first keeper made");
                Ok(self.signed_in(&name, token, version))
            }
            Err(Refusal::Unknown) => {
                // It may be there or may yet come to be: nobody else is let in by these links.
                taking.end();
                Err(Refusal::Unknown)
            }
            Err(Refusal::Conflict | Refusal::Expired | Refusal::BadLogin) => Err(taken()),
            Err(other) => Err(other),
        }
    }

    /// Chooses another password for a lost one, and signs in.
    pub(super) fn reset_password(&self, asked: Asked<'_>, data: ResetPassword) -> Result {
        let Asked { permit, .. } = asked;
        let ResetPassword { user: name, secret, new, opening, .. } = data.clone();
        let link = LinkSecret::parse(&secret).ok_or(Refusal::Gone)?.hash();
        let (token, session) = opening_of(&opening)?;
        let address = network_address(&opening)?;
        let action = Action::ResetPassword(data);
        let request = action.key().map(|key| (key, action.digest()));
        self.hear_of(permit, &name)?;
        let now = self.now();
        let look = |user: &crate::user::User| {
            let seen = request.map(|(key, digest)| user.seen(key, digest));
            (user.has_reset(&link, now), seen, user.display_name.clone())
        };
        let (holds, seen, shown) = self.look(&name, look).ok_or(Refusal::Gone)?;
        let was_done = matches!(seen, Some(Seen::Same(_)));
        // Before anything is hashed: a stranger's guess costs nothing.
        if !holds && !was_done {
            return Err(Refusal::Gone);
        }
        if was_done {
            let verified = self.verify(permit, &name, &new, address).map_err(|_| Refusal::Gone)?;
            return self.open_session(permit, &name, verified, &opening);
        }
        let (username, community) = (name.as_str(), self.community.as_str());
        let names = Names { username, display_name: &shown, community, host: "" };
        if let Some(problem) = policy::check(&new, names) {
            return Err(invalid(Field::NewPassword, problem));
        }
        let new_hash = self.hasher.hash(&new).map_err(busy)?;
        let change = Change::ResetPassword { link, new_hash, session };
        let who = action::Who::default();
        let act = OneAct { user: &name, request };
        let (wrote, version) =
            self.change(permit, &act, &|user| action::handle(user, &who, &change, now))?;
        let ended = wrote.receipt().sessions_ended();
        log::info!(user:% = name, client:% = address, sessions_ended = ended; "password reset");
        let done = self.signed_in(&name, token, version);
        let receipt = match wrote {
            Wrote::Now(receipt) | Wrote::Before(receipt) => receipt,
        };
        Ok(Done { outcome: Outcome::Saved(saved(receipt)), ..done })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> LinkHash {
        LinkHash(text.to_owned())
    }

    #[test]
    fn s10_link_holds_for_its_time_and_one_person_at_a_time() {
        let links = FirstLinks::default();
        let start = Mono(1_000);
        links.offer(link("a"), start);
        links.offer(link("b"), start);
        assert!(links.holds(&link("a"), start.plus_ms(FIRST_LINK_MS - 1)));
        assert!(!links.holds(&link("a"), start.plus_ms(FIRST_LINK_MS)));
        assert!(!links.holds(&link("c"), start));
        let taking = links.take(&link("a"), start).expect("a link that holds");
        for other in ["a", "b"] {
            let busy = Some(Refusal::Busy { retry_after_s: 1 });
            assert_eq!(links.take(&link(other), start).err(), busy);
        }
        drop(taking);
        // What was typed could not be taken: the link is as before.
        let taking = links.take(&link("b"), start).expect("a link that holds");
        taking.end();
        drop(taking);
        for spent in ["a", "b"] {
            assert_eq!(links.take(&link(spent), start).err(), Some(Refusal::Gone), "{spent}");
        }
    }

    /// Whoever waits for the one who uses it finds it as that one left it: never a link that held before.
    #[test]
    fn r0022_link_is_asked_for_and_taken_at_once() {
        const ROUNDS: usize = 40;
        let (links, now) = (FirstLinks::default(), Mono(7));
        let links = &links;
        std::thread::scope(|scope| {
            // One place each: the two go through the rounds side by side.
            let (offer, offered) = crossbeam_channel::bounded::<LinkHash>(1);
            let (wait, waits) = crossbeam_channel::bounded::<()>(1);
            let other = move |_permit| {
                let mut used = 0;
                for hash in offered {
                    assert!(links.take(&hash, now).is_err(), "somebody is using it");
                    wait.send(()).unwrap();
                    used += loop {
                        match links.take(&hash, now) {
                            Err(Refusal::Gone) => break 0,
                            Err(_busy) => {}
                            Ok(_taking) => break 1,
                        }
                    };
                    wait.send(()).unwrap();
                }
                used
            };
            let other = crate::thread::spawn_named(scope, "other", other).unwrap();
            for number in 0..ROUNDS {
                let hash = link(&number.to_string());
                links.offer(hash.clone(), now);
                let taking = links.take(&hash, now).expect("a link that holds");
                offer.send(hash).unwrap();
                waits.recv().unwrap();
                taking.end();
                drop(taking);
                waits.recv().unwrap();
            }
            drop(offer);
            assert_eq!(other.join().unwrap(), 0, "used by two, of {ROUNDS}");
        });
    }

    #[test]
    fn links_of_many_starts_are_bounded_and_the_newest_hold() {
        let links = FirstLinks::default();
        for number in 0..=FIRST_LINKS_MAX {
            links.offer(link(&number.to_string()), Mono(7));
        }
        assert!(!links.holds(&link("0"), Mono(7)));
        assert!(
            (1..=FIRST_LINKS_MAX).all(|number| links.holds(&link(&number.to_string()), Mono(7)))
        );
    }
}
