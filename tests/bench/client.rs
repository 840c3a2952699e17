//! Somebody who writes, spoken for as a web server does: one kept connection to one backend, one
//! request after the other, each sent again with its key until its outcome is known.

use std::io;
use std::time::{Duration, Instant};

use tern::action::{Action, NewPost, RequestKey};
use tern::id::RequestId;
use tern::limits::FRAME_BYTES_MAX;
use tern::transport::Connection;
use tern::wire::request::{Outcome, Refusal, Request, Response};

use crate::machines::Machines;

/// How long an answer may take: more than any deadline of a backend.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a post is sent again before the measurement is given up.
pub(crate) const TRIES_MAX: u32 = 200;

/// Somebody who writes one post after the other.
pub(crate) trait Writer: Send {
    /// Writes one post, and again whatever it takes until it is saved.
    fn post(&mut self) -> io::Result<()>;

    /// What became of its posts.
    fn told(&mut self) -> &mut Told;
}

/// What a writer waited, and what it was told.
#[derive(Default)]
pub(crate) struct Told {
    /// Milliseconds from the first sending of each post to "saved".
    pub(crate) waits: Vec<f64>,
    /// How often it was told anything else.
    pub(crate) troubles: u64,
}

/// A writer at one backend.
pub(crate) struct Client {
    connection: Connection,
    session: String,
    id: u64,
    number: u64,
    told: Told,
}

impl Client {
    /// The `id`-th client, of one who is signed in, at machine `n`.
    pub(crate) fn new(all: &Machines, n: usize, id: u64, session: &str) -> io::Result<Self> {
        let connection = all.connect(n).map_err(io::Error::other)?;
        let session = session.to_owned();
        Ok(Self { connection, session, id, number: 0, told: Told::default() })
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<Outcome> {
        self.connection.send(request, &[], ANSWER).map_err(io::Error::other)?;
        let frame = self.connection.receive(FRAME_BYTES_MAX, ANSWER).map_err(io::Error::other)?;
        let response: Response = serde_json::from_slice(&frame.header)?;
        Ok(response.data.outcome)
    }
}

impl Writer for Client {
    fn post(&mut self) -> io::Result<()> {
        self.number += 1;
        let mut id = [0; 16];
        let (client, number) = id.split_at_mut(8);
        client.copy_from_slice(&self.id.to_le_bytes());
        number.copy_from_slice(&self.number.to_le_bytes());
        // No form is drawn between two posts: a count from the future expires nothing.
        let key = RequestKey { ops: u64::MAX, id: RequestId(id) };
        let text =
            format!("A line of some sixty letters, as most posts are, number {}", self.number);
        let action = Action::Post(NewPost {
            key,
            text,
            reply_to: None,
            note: String::new(),
            pictures: Vec::new(),
            sent: Vec::new(),
            sensitive: false,
            for_everybody: false,
        });
        let request =
            Request { session: Some(self.session.clone()), read_to: None, need: None, action };
        let bytes = serde_json::to_vec(&request)?;
        let began = now();
        for _ in 0..TRIES_MAX {
            match self.ask(&bytes)? {
                Outcome::Saved(_) => {
                    self.told.waits.push(began.elapsed().as_secs_f64() * 1_000.0);
                    return Ok(());
                }
                Outcome::Refused(
                    Refusal::Busy { .. } | Refusal::Unknown | Refusal::NoMajority { .. },
                ) => self.told.troubles += 1,
                other => return Err(io::Error::other(format!("not saved: {other:?}"))),
            }
        }
        Err(io::Error::other("never saved"))
    }

    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}

/// The system's clock, finer than the program's own: waits of a few milliseconds are compared.
#[expect(clippy::disallowed_methods, reason = "the program's clock counts whole milliseconds")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
