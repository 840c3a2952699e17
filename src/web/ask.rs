//! How pages ask the backends: one request, one reply, or nobody who answers.

use crate::id::{RequestId, UserName};
use crate::wire::request::{Request, Response};

/// Whoever passes a request on to a backend and brings its reply.
pub trait Ask: Sync {
    /// Asks on behalf of a browser. `about` is the user whose requests should go to one backend:
    /// who is signed in, else the name typed, else whose page it is.
    ///
    /// # Errors
    /// [`AskError::Unreachable`] when no backend answered.
    fn ask(&self, about: Option<&UserName>, request: &Request) -> Result<Response, AskError>;

    /// As [`Self::ask`], with bytes that go beside the request and beside the answer: pictures.
    ///
    /// # Errors
    /// As [`Self::ask`].
    fn ask_beside(
        &self,
        about: Option<&UserName>,
        request: &Request,
        beside: &[u8],
    ) -> Result<(Response, Vec<u8>), AskError>;

    /// Whether a request of this number was sent and nobody knows what became of it.
    fn is_unsure(&self, _id: &RequestId) -> bool {
        false
    }
}

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No backend answered.
    #[error("no backend answered (asked: {asked})")]
    Unreachable {
        /// Whether some backend may have received the request: then nobody knows whether a write was
        /// saved. Otherwise it was not.
        asked: bool,
    },
}
