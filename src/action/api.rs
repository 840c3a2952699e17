//! What apps ask for: to be allowed to act for somebody, and what they show them.

use serde::{Deserialize, Serialize};

use super::{Opening, RequestKey};
use crate::id::{Hash128, UserName};
use crate::user::entry::App;

/// Data of [`super::Action::AllowApp`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowApp {
    /// The form's key.
    pub key: RequestKey,
    /// Which app, what for, and what its code is bound to.
    pub app: App,
    /// The code to be given to it: a token, and whence it was allowed.
    pub opening: Opening,
}

/// Data of [`super::Action::RedeemCode`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemCode {
    /// A fresh one: what is asked twice is told apart by the code.
    pub key: RequestKey,
    /// Whose code.
    pub username: UserName,
    /// The code.
    pub code: String,
    /// Which app says so: the first half of the SHA-256 of its `client_id`.
    pub client: Hash128,
    /// Its redirect address and challenge, hashed.
    pub bound: Hash128,
    /// The session to open.
    pub opening: Opening,
}

/// Data of [`super::Action::Api`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiRead {
    /// How large the community is.
    Community,
    /// One member; if nobody is named, oneself.
    Account {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<UserName>,
    },
}
