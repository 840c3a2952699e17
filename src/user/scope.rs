//! What an app may do in somebody's name, in the words of OAuth: a few coarse scopes, and the fine ones
//! that each of them includes.

use std::fmt;
use std::str::FromStr;

use crate::id::serde_as_text;

/// Every scope that can be granted. `read:statuses` is fine, `read` coarse.
pub const SCOPES: [&str; 29] = [
    "read",
    "write",
    "follow",
    "push",
    "profile",
    "read:accounts",
    "read:blocks",
    "read:bookmarks",
    "read:favourites",
    "read:filters",
    "read:follows",
    "read:lists",
    "read:mutes",
    "read:notifications",
    "read:search",
    "read:statuses",
    "write:accounts",
    "write:blocks",
    "write:bookmarks",
    "write:conversations",
    "write:favourites",
    "write:filters",
    "write:follows",
    "write:lists",
    "write:media",
    "write:mutes",
    "write:notifications",
    "write:reports",
    "write:statuses",
];
/// What [`Need::ANY_APP`] is called.
const ANY: &str = "any";

/// Scopes that were granted, in the order in which they were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scopes(Vec<&'static str>);

/// What an act takes: one scope, or only that an app asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Need(&'static str);

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such scope")]
pub struct ScopeError;

fn known(word: &str) -> Option<&'static str> {
    SCOPES.into_iter().find(|scope| *scope == word)
}

impl Need {
    /// Any scope will do, and none as well: what an app may ask of itself.
    pub const ANY_APP: Self = Self(ANY);

    /// That scope.
    ///
    /// # Panics
    /// When there is none of that name: for constants, where it does not compile.
    pub const fn scope(name: &'static str) -> Self {
        let mut at = 0;
        while at < SCOPES.len() {
            #[expect(clippy::indexing_slicing, reason = "below the length")]
            if is_same(SCOPES[at].as_bytes(), name.as_bytes()) {
                return Self(name);
            }
            at += 1;
        }
        panic!("no such scope")
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

#[expect(clippy::indexing_slicing, reason = "below both lengths")]
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

impl Scopes {
    /// Whether they include what is needed.
    pub fn include(&self, need: Need) -> bool {
        need == Need::ANY_APP || self.0.iter().any(|held| includes(held, need.0))
    }

    /// Whether they include all of `other`.
    pub fn include_all(&self, other: &Self) -> bool {
        other.0.iter().all(|asked| self.0.iter().any(|held| includes(held, asked)))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

/// Whether whoever holds `held` may do what takes `asked`.
fn includes(held: &str, asked: &str) -> bool {
    let fine_of = |coarse: &str| {
        asked.strip_prefix(coarse).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    match held {
        "follow" => {
            let what = asked.split_once(':').map(|(_, what)| what);
            asked == "follow" || matches!(what, Some("follows" | "blocks" | "mutes"))
        }
        "read" | "write" => fine_of(held),
        _ => held == asked,
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;
    /// Reads scopes with spaces between them (RFC 6749, section 3.3); the same one twice counts once.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let mut scopes = Vec::new();
        for word in text.split([' ', '+']).filter(|word| !word.is_empty()) {
            let scope = known(word).ok_or(ScopeError)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(Self(scopes))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl FromStr for Need {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text == ANY { Ok(Self::ANY_APP) } else { known(text).map(Self).ok_or(ScopeError) }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

serde_as_text!(Scopes, Need);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(held: &str, need: &'static str, included: bool) {
        let held: Scopes = held.parse().unwrap();
        assert_eq!(held.include(Need::scope(need)), included, "{held} {need}");
    }

    #[test]
    fn scope_coarse_includes_its_fine_ones_alone() {
        for (held, need) in [
            ("read", "read"),
            ("read", "read:statuses"),
            ("push write", "write:media"),
            ("read:statuses", "read:statuses"),
            ("follow", "write:follows"),
            ("follow", "read:mutes"),
            ("follow", "write:blocks"),
        ] {
            check(held, need, true);
        }
        for (held, need) in [
            ("read", "write:statuses"),
            ("read:statuses", "read"),
            ("read:statuses", "read:search"),
            ("follow", "write:statuses"),
            ("profile push", "read:accounts"),
            ("", "read"),
        ] {
            check(held, need, false);
        }
    }

    #[test]
    fn scopes_keep_their_order_and_refuse_what_is_none() {
        let scopes: Scopes = "write  read write".parse().unwrap();
        assert_eq!(scopes.to_string(), "write read");
        for bad in ["admin", "read:", "Read", "read,write", "any"] {
            assert_eq!(bad.parse::<Scopes>(), Err(ScopeError), "{bad}");
        }
        let all: Scopes = "read write follow".parse().unwrap();
        assert!(all.include_all(&"write:media read follow".parse().unwrap()));
        assert!(!all.include_all(&"read push".parse().unwrap()));
    }

    #[test]
    fn need_of_any_app_is_met_by_no_scope_at_all() {
        assert!(Scopes::default().include(Need::ANY_APP));
        assert_eq!("any".parse(), Ok(Need::ANY_APP));
    }
}
