//! What can be wrong with what somebody typed, and in which field.

use serde::{Deserialize, Serialize};

use crate::id::UserName;
use crate::json::tagged;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Problem {
    /// Nothing was given.
    Empty,
    /// So many characters too many.
    TooLong {
        /// Characters beyond the limit.
        over: u32,
    },
    /// Fewer than so many characters.
    TooShort {
        /// The least.
        min: u32,
    },
    /// A name that does not begin with a letter from a to z.
    BadStart {
        /// A name that would do.
        suggestion: Option<UserName>,
    },
    /// A name or text with a character that cannot be used there.
    BadChar {
        /// The character.
        found: char,
        /// A name that would do.
        suggestion: Option<UserName>,
    },
    /// A name kept for the system.
    Reserved,
    /// A name that somebody has, or had.
    Taken,
    /// A password on every guessing list.
    Common,
    /// A password made of the user's own or the community's name.
    Guessable,
    /// Not the password, or not the name, that it should be.
    Wrong,
    /// What is for those whom it names names nobody.
    NamesNobody,
    /// An invitation that as many as may have joined with; a choice that was made before.
    Used,
    /// An invitation or a poll whose time is over.
    Past,
    /// Of one's own, where another's is wanted.
    Own,
    /// One has as many of these already as one may have.
    Full {
        /// The most.
        max: u32,
    },
}

tagged!(Problem, "is");

/// A form's field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// Which.
    pub field: Field,
    /// What.
    pub problem: Problem,
}

/// A field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The user name.
    Username,
    /// The name shown.
    DisplayName,
    /// The password of a sign-in, or the current one where it must be given again.
    Password,
    /// The password to have from now on.
    NewPassword,
    /// What the user says of themselves.
    Bio,
    /// A post's text.
    Text,
    /// Why something is done.
    Reason,
    /// An invitation's code.
    Code,
    /// What is said to strangers.
    Community,
    /// What a post's text is folded behind.
    Note,
    /// The post that an act is about.
    Post,
    /// A picture.
    Picture,
    /// What a picture shows.
    Description,
    /// What a post asks: what can be chosen, and for how long.
    Poll,
    /// What is chosen there.
    Choice,
}
