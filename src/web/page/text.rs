//! A post's text for display: what is linked, and where to.

use crate::id::UserName;
use crate::text::{Piece, pieces};
use crate::web::route::Route;

/// A run of a text. The template escapes all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// Text as it is.
    Plain(String),
    /// A page elsewhere.
    Link {
        /// `http://` or `https://` and what follows.
        url: String,
        /// What of it is shown.
        shown: String,
    },
    /// A member.
    Mention {
        /// Their page.
        href: String,
        /// As typed, `@` included.
        text: String,
    },
}

/// Cuts a text; of the names in it those in `members` are linked.
pub(crate) fn runs(text: &str, members: &[UserName]) -> Vec<Run> {
    let run = |piece| match piece {
        Piece::Link { url, shown } if is_web_address(url) => {
            Run::Link { url: url.to_owned(), shown: shown.into_owned() }
        }
        Piece::Mention(name, text) if members.contains(&name) => {
            Run::Mention { href: Route::Profile(name).to_string(), text: text.to_owned() }
        }
        // Tags have no page to link to.
        other @ (Piece::Plain(_) | Piece::Link { .. } | Piece::Mention(..) | Piece::Tag(..)) => {
            Run::Plain(other.source().to_owned())
        }
    };
    pieces(text).into_iter().map(run).collect()
}

/// The cutter finds no others; a link that runs a script is worth a second look.
fn is_web_address(url: &str) -> bool {
    let starts = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("https://") || starts("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_link_what_exists() {
        let text = "@ada @eve see https://example.org/a #seeds";
        let plain = |text: &str| Run::Plain(text.to_owned());
        let expected = vec![
            Run::Mention { href: "/@ada".to_owned(), text: "@ada".to_owned() },
            plain(" "),
            plain("@eve"),
            plain(" see "),
            Run::Link {
                url: "https://example.org/a".to_owned(),
                shown: "https://example.org/a".to_owned(),
            },
            plain(" "),
            plain("#seeds"),
        ];
        assert_eq!(runs(text, &["ada".parse().unwrap()]), expected);
    }

    #[test]
    fn runs_of_script_address_stay_text() {
        for text in ["javascript:alert(1)", "data:text/html,x", "http://bank@evil.example/"] {
            assert!(runs(text, &[]).iter().all(|run| matches!(run, Run::Plain(_))), "{text}");
        }
    }
}
