//! What the files of a data directory are called: the one place where a user's name becomes a
//! file's name, and where a file's name is read.

use std::fmt;

use crate::id::UserName;

/// A file that belongs to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// In `users/`: the user's lines.
    Lines,
    /// In `users/`: what is about to take the place of the lines; worthless after a crash.
    Temporary,
    /// In `damaged/`: this machine has no vote on the user.
    Mark,
    /// In `damaged/`: lines that were set aside, the how-manieth.
    Aside(u32),
}

/// A user's file: a name that is a single, plain, lower-case path component, whatever the user's
/// name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) user: UserName,
    pub(super) role: Role,
}

impl FileName {
    pub(super) fn new(user: &UserName, role: Role) -> Self {
        Self { user: user.clone(), role }
    }

    /// Which user's which file this is; `None` for whatever we did not name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // No user's name has a dot, so the first one ends it.
        let (user, rest) = text.split_once('.')?;
        let user = UserName::parse(user).ok()?;
        let role = match rest {
            "jsonl" => Role::Lines,
            "jsonl.tmp" => Role::Temporary,
            "mark" => Role::Mark,
            other => {
                let digits = other.strip_suffix(".jsonl")?;
                let number: u32 = digits.parse().ok()?;
                if number.to_string() != digits {
                    return None;
                }
                Role::Aside(number)
            }
        };
        Some(Self { user, role })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = &self.user;
        match self.role {
            Role::Lines => write!(f, "{user}.jsonl"),
            Role::Temporary => write!(f, "{user}.jsonl.tmp"),
            Role::Mark => write!(f, "{user}.mark"),
            Role::Aside(number) => write!(f, "{user}.{number}.jsonl"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_name_written_and_read_are_inverse() {
        let user = UserName::parse("ada_1").unwrap();
        for role in [Role::Lines, Role::Temporary, Role::Mark, Role::Aside(0), Role::Aside(70)] {
            let name = FileName::new(&user, role);
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn s36_file_name_of_others_not_ours() {
        let long = format!("{}.jsonl", "a".repeat(255 - 6));
        let others = [
            "",
            ".",
            "..",
            ".jsonl",
            "ada",
            "ada.",
            "ada.json",
            "ada.jsonl.",
            "ada.jsonl ",
            " ada.jsonl",
            "Ada.jsonl",
            "ada.JSONL",
            "../ada.jsonl",
            "a/../b.jsonl",
            "%2e%2e.jsonl",
            "ada.jsonl~",
            "ada.jsonl.tmp2",
            "ada.x.jsonl",
            "ada.01.jsonl",
            "ada.+1.jsonl",
            "ada.4294967296.jsonl",
            "ada.1.jsonl.tmp",
            "a.jsonl",
            "ada.mark.tmp",
            "adá.jsonl",
            &long,
        ];
        for other in others {
            assert_eq!(FileName::parse(other), None, "{other:?}");
        }
    }
}
