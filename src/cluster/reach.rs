//! Whether a new machine is where the list of members says. An old member that takes on a list votes no
//! more until it opens, and it opens only when all of its members have copied from each other: one that
//! nobody finds, for a mistyped address, would end all writing.

use std::time::Duration;

use super::Cluster;
use super::change::ChangeError;
use super::config::Config;
use super::peer::PeerError;
use crate::json;
use crate::limits::{GREET_MS, REQUEST_BYTES_MAX};
use crate::transport::Role;
use crate::transport::connection::{Connection, dial};
use crate::wire::message::{Offer, Seated, Welcome};

impl Cluster {
    /// A fresh connection to a peer, on which both sides have said who they are.
    ///
    /// # Errors
    /// When nobody answers there as a peer does.
    pub(super) fn greet(&self, address: &str) -> Result<(Connection, Welcome), PeerError> {
        let deadline = self.deadline(GREET_MS);
        let left = || deadline.left(self.clock.mono());
        let mut connection = dial(address, Role::Peer, &self.links.keys, left())?;
        let hello = serde_json::to_vec(&self.members.hello(&self.local.node))?;
        connection.send(&hello, &[], left())?;
        let frame = connection.receive(REQUEST_BYTES_MAX, left())?;
        Ok((connection, json::parse(&frame.header)?))
    }

    /// Finds each machine that is new in a list.
    ///
    /// # Errors
    /// [`ChangeError::NotFound`]: the first that is not there.
    pub(super) fn find_new(&self, config: &Config, offer: &Offer) -> Result<(), ChangeError> {
        let before = config.offer.before.iter().flat_map(|before| &before.members);
        let known: Vec<_> = config.offer.current.members.iter().chain(before).collect();
        let me = self.local.node.incarnation;
        let is_known = |one: &Seated| {
            let is_same =
                |other: &&Seated| (other.node, other.incarnation) == (one.node, one.incarnation);
            one.incarnation == Some(me) || known.iter().any(is_same)
        };
        for one in offer.current.members.iter().filter(|one| !is_known(one)) {
            let why = match self.greet(&one.address) {
                Ok((_, Welcome::Hello(hello))) if one.incarnation == Some(hello.incarnation) => {
                    continue;
                }
                Ok((_, Welcome::Hello(_))) => "another machine is there".to_owned(),
                Ok((_, Welcome::Reject(why))) => why.to_string(),
                Err(PeerError::Transport(why)) => why.to_string(),
                Err(why) => why.to_string(),
            };
            return Err(ChangeError::NotFound {
                node: one.node,
                address: one.address.clone(),
                why,
            });
        }
        Ok(())
    }

    /// Says so if nobody listens where the others are to find this new machine. It may still be there
    /// for them.
    pub(super) fn look_for_oneself(&self, config: &Config) {
        let me = self.local.node.incarnation;
        let own = config.offer.current.members.iter().find(|one| one.incarnation == Some(me));
        let Some(Seated { node, address, .. }) = own else { return };
        let timeout = Duration::from_millis(GREET_MS);
        if let Err(error) = dial(address, Role::Peer, &self.links.keys, timeout) {
            log::error!(
                node, address:%, error:%;
                "the others are to find this machine elsewhere, was its address mistyped?"
            );
        }
    }
}
