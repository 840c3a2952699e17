//! What is said to programs of earlier versions, in words that they know: they drop a connection on which
//! they hear others. Of protocol version 1 above all; the reasons that came later have no version of their own.

use serde::Serialize;

use super::message::{Answer, NotVoting, PROTO_CHANGES, Refuse, Reject, State, SumsRow};
use crate::id::UserName;

/// An answer as its asker understands it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// As it is.
    Same(Answer),
    /// In the shape of version 1.
    Earlier(Earlier),
}

/// Answers that had another shape.
#[derive(Debug, Serialize)]
#[serde(tag = "m", rename_all = "snake_case")]
pub enum Earlier {
    /// See [`Answer::Sums`].
    Sums {
        /// By name.
        rows: Vec<LongRow>,
        /// Whether this is the last page.
        last: bool,
    },
}

/// See [`SumsRow`].
#[derive(Debug, Serialize)]
pub struct LongRow {
    user: UserName,
    state: State,
}

/// An answer to a machine that speaks this protocol version at most.
pub fn answer(answer: Answer, proto: u16) -> Said {
    let answer = match answer {
        Answer::Refuse { why: Refuse::NotVoting { why } } => {
            Answer::Refuse { why: Refuse::NotVoting { why: known(why) } }
        }
        same => same,
    };
    if proto >= PROTO_CHANGES {
        return Said::Same(answer);
    }
    match answer {
        // It could not tell a damaged copy from one that has a vote: better it hears of none.
        Answer::Sums { rows, last } => {
            let whole = rows.into_iter().filter(|row| !row.is_damaged);
            let rows = whole.map(|SumsRow { user, state, .. }| LongRow { user, state }).collect();
            Said::Earlier(Earlier::Sums { rows, last })
        }
        Answer::Damaged { .. } => {
            Said::Same(Answer::Refuse { why: Refuse::NotVoting { why: NotVoting::Damaged } })
        }
        Answer::Refuse { why: Refuse::NotVoting { why } } => {
            Said::Same(Answer::Refuse { why: Refuse::NotVoting { why: reason(why) } })
        }
        same => Said::Same(same),
    }
}

/// Why a machine that speaks this protocol version at most is turned away.
pub const fn rejection(why: Reject, proto: u16) -> Reject {
    match why {
        Reject::Gone | Reject::PassedOver if proto < PROTO_CHANGES => Reject::Members,
        same => same,
    }
}

const fn reason(why: NotVoting) -> NotVoting {
    match why {
        NotVoting::Changing => NotVoting::Joining,
        same => known(same),
    }
}

/// A reason in a word that every program knows.
const fn known(why: NotVoting) -> NotVoting {
    match why {
        same @ (NotVoting::Joining
        | NotVoting::Changing
        | NotVoting::Damaged
        | NotVoting::NoSpace) => same,
        NotVoting::Disk | NotVoting::Unmarked | NotVoting::Overtaken | NotVoting::Lacking => {
            NotVoting::NoSpace
        }
    }
}

/// Why a machine has no vote, in a word that every program knows and, where that is another, as it is.
macro_rules! in_both {
    ($module:ident, $known:ident, $exact:ident) => {
        /// Both words, as fields beside the others of what tells them.
        pub(super) mod $module {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            use super::{NotVoting, known};

            #[derive(Serialize, Deserialize)]
            struct Both {
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $known: Option<NotVoting>,
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $exact: Option<NotVoting>,
            }

            #[expect(clippy::ref_option, reason = "as serde asks")]
            pub(in crate::wire) fn serialize<S: Serializer>(
                why: &Option<NotVoting>,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                let $known = why.map(known);
                Both { $known, $exact: why.filter(|_| $known != *why) }.serialize(to)
            }

            pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Option<NotVoting>, D::Error> {
                Both::deserialize(from).map(|both| both.$exact.or(both.$known))
            }
        }
    };
}

in_both!(not_voting, not_voting, not_voting_for);
in_both!(refuses, refuses, refuses_for);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Hash128;
    use crate::replica::version::{Term, Version};

    const FIRST: u16 = PROTO_CHANGES - 1;

    fn said(what: Answer, proto: u16) -> String {
        serde_json::to_string(&answer(what, proto)).unwrap()
    }

    fn row(user: &str, is_damaged: bool) -> SumsRow {
        let version = Version::default();
        let state = State { acc: version, hash: Hash128([7; 16]), com: version };
        SumsRow { user: user.parse().unwrap(), state, is_damaged }
    }

    #[test]
    fn rows_of_first_version_written_and_read() {
        let sums = || Answer::Sums { rows: vec![row("ada", false), row("ben", true)], last: true };
        let hash = Hash128([7; 16]);
        let state = format!(r#"{{"acc":"0","hash":"{hash}","com":"0"}}"#);
        let first =
            format!(r#"{{"m":"sums","rows":[{{"user":"ada","state":{state}}}],"last":true}}"#);
        assert_eq!(said(sums(), FIRST), first);
        let read: Answer = serde_json::from_str(&first).unwrap();
        assert_eq!(read, Answer::Sums { rows: vec![row("ada", false)], last: true });
        let now = said(sums(), PROTO_CHANGES);
        assert_eq!(serde_json::from_str::<Answer>(&now).unwrap(), sums());
        assert!(now.contains(&format!(r#"["ada","0","{hash}",{{}}]"#)), "{now}");
        for nothing in [r#"["ada"]"#, r#"{"user":"ada"}"#] {
            assert!(serde_json::from_str::<SumsRow>(nothing).is_err());
        }
    }

    #[test]
    fn nothing_said_to_first_version_that_it_does_not_know() {
        let (term, state) = (Term::default(), State::default());
        let damaged = r#"{"m":"refuse","why":{"is":"not_voting","why":"damaged"}}"#;
        assert_eq!(said(Answer::Damaged { term, state }, FIRST), damaged);
        for why in [NotVoting::Joining, NotVoting::Changing] {
            let refused = Answer::Refuse { why: Refuse::NotVoting { why } };
            let joining = r#"{"m":"refuse","why":{"is":"not_voting","why":"joining"}}"#;
            assert_eq!(said(refused.clone(), FIRST), joining);
            let same = serde_json::to_string(&refused).unwrap();
            assert_eq!(said(refused, PROTO_CHANGES), same);
        }
        for why in [NotVoting::Disk, NotVoting::Unmarked, NotVoting::Overtaken, NotVoting::Lacking]
        {
            let refused = Answer::Refuse { why: Refuse::NotVoting { why } };
            let no_space = r#"{"m":"refuse","why":{"is":"not_voting","why":"no_space"}}"#;
            assert_eq!(said(refused.clone(), FIRST), no_space);
            assert_eq!(said(refused, PROTO_CHANGES), no_space);
        }
        for why in [Reject::Gone, Reject::PassedOver] {
            assert_eq!(rejection(why.clone(), FIRST), Reject::Members);
            assert_eq!(rejection(why.clone(), PROTO_CHANGES), why);
        }
    }
}
