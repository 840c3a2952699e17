//! The one-time link in the log of a community that nobody keeps yet.
//!
//! Only a web server knows the address that people type, so it makes the link and tells it; the backends
//! are told its hash alone, and one of them decides who uses it (`backend/link.rs`). So the link works on
//! every web server, and with it all others end.

use std::time::Duration;

use super::ask::{Ask, AskError};
use super::origin::Origin;
use super::route::Route;
use crate::action::{Action, OfferFirst};
use crate::auth::link::LinkSecret;
use crate::limits::{FIRST_LINK_MS, FIRST_LINK_RETRY_MS};
use crate::thread::Stop;
use crate::wire::request::{Outcome, Refusal, Request};

/// What came of an offer.
#[derive(Debug, PartialEq, Eq)]
enum Offered {
    /// The link holds.
    Holds,
    /// There is a keeper: none is needed.
    NotNeeded,
    /// Nobody could say so yet.
    NotYet,
}

/// Tells of a link as soon as the backends know that there is no keeper; nothing if there is one. A link
/// that would be opened in clear on a network is none.
pub(super) fn tell(ask: &impl Ask, origin: &Origin, stop: &Stop) {
    if !origin.is_https() && !origin.is_loopback() {
        return;
    }
    let secret = match LinkSecret::generate() {
        Ok(secret) => secret,
        Err(error) => {
            log::error!(error:%; "no link for a first keeper");
            return;
        }
    };
    let [mut pause_ms, pause_ms_max] = FIRST_LINK_RETRY_MS;
    loop {
        match offer(ask, &secret) {
            Offered::Holds => {
                let (minutes, route) = (FIRST_LINK_MS / 60_000, Route::FirstKeeper);
                log::info!(
                    minutes, link:% = format_args!("{origin}{route}?link={}", secret.secret());
                    "nobody keeps this community yet, and whoever opens this link becomes its keeper"
                );
                return;
            }
            Offered::NotNeeded => return,
            Offered::NotYet => {}
        }
        if stop.wait(Duration::from_millis(pause_ms)) {
            return;
        }
        pause_ms = (pause_ms * 2).min(pause_ms_max);
    }
}

fn offer(ask: &impl Ask, secret: &LinkSecret) -> Offered {
    let action = Action::OfferFirst(OfferFirst { link: secret.hash() });
    match ask.ask(None, &Request { session: None, read_to: None, need: None, action }) {
        Ok(response) => match response.data.outcome {
            Outcome::Checked => Offered::Holds,
            // A backend of an earlier version makes no such link: its operator uses the command.
            Outcome::Refused(Refusal::Gone | Refusal::BadRequest { .. }) => Offered::NotNeeded,
            _ => Offered::NotYet,
        },
        Err(AskError::Unreachable { .. }) => Offered::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::id::UserName;
    use crate::user::entry::LinkHash;
    use crate::wire::request::{ClusterBrief, Reply, Response, ResponseAction};

    /// Backends that answer one thing after the other, and the hashes that they heard.
    #[derive(Default)]
    struct Backends(Mutex<(Vec<Option<Outcome>>, Vec<LinkHash>)>);

    impl Ask for Backends {
        fn ask(&self, _about: Option<&UserName>, request: &Request) -> Result<Response, AskError> {
            let Action::OfferFirst(offer) = &request.action else { panic!("another question") };
            let mut state = self.0.lock();
            state.1.push(offer.link.clone());
            assert!(!state.0.is_empty(), "asked once too often");
            let outcome = state.0.remove(0).ok_or(AskError::Unreachable { asked: false })?;
            let cluster = ClusterBrief::default();
            let data = Reply { viewer: None, cluster, outcome };
            Ok(Response { session: None, action: ResponseAction::Response, data })
        }

        fn ask_beside(
            &self,
            about: Option<&UserName>,
            request: &Request,
            _beside: &[u8],
        ) -> Result<(Response, Vec<u8>), AskError> {
            self.ask(about, request).map(|response| (response, Vec::new()))
        }
    }

    #[track_caller]
    fn check(origin: &str, answers: Vec<Option<Outcome>>) {
        let count = answers.len();
        let backends = Backends(Mutex::new((answers, Vec::new())));
        tell(&backends, &Origin::parse(origin, true).unwrap(), &Stop::new());
        let heard = backends.0.into_inner().1;
        assert_eq!(heard.len(), count);
        assert!(heard.iter().all(|link| *link == heard[0]), "one link, however often it is asked");
    }

    #[test]
    fn s10_link_is_offered_until_it_holds_or_there_is_a_keeper() {
        let refused = |why| Some(Outcome::Refused(why));
        for last in [Some(Outcome::Checked), refused(Refusal::Gone)] {
            check("https://tern.example", vec![None, refused(Refusal::Behind), last]);
        }
        let older = Refusal::BadRequest { detail: String::new() };
        check("http://127.0.0.1:8080", vec![refused(older)]);
    }

    #[test]
    fn s10_no_link_for_plain_http_on_a_network() {
        check("http://192.168.1.21:8080", Vec::new());
    }
}
