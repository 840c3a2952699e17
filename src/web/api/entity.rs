//! How things are spelt for apps: times, numbers of accounts, what people write as HTML.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::clock::Wall;
use crate::id::{USER_NAME_CHARS_MAX, UserName};
use crate::text::{Piece, pieces};
use crate::web::origin::Origin;
use crate::web::page::stand_in::StandIns;
use crate::web::route::Route;
use crate::wire::request::AccountView;

/// Digits of a time in Unix milliseconds, until the year 2286.
const TIME_DIGITS: usize = 13;
/// Digits of a name: 24 characters of 38 (none, and the 37 that a name may hold) are below 10^38.
pub(super) const NAME_DIGITS: usize = 38;
const LETTERS: &[u8; 38] = b" abcdefghijklmnopqrstuvwxyz0123456789_";

/// A time: `2026-01-31T12:34:56.789Z`.
pub(super) fn time(at: Wall) -> String {
    format!("{:.3}", at.timestamp())
}

/// Its day: `2026-01-31`.
pub(super) fn day(at: Wall) -> String {
    at.timestamp().strftime("%Y-%m-%d").to_string()
}

/// The number of an account: when it was made, then its name, in digits. Made of nothing but what stands
/// in its file, so it is the same on every machine; two accounts never share one, for they do not share a
/// name; it grows with time; and it can be read back, so nobody keeps a list.
pub(super) fn account_id(name: &UserName, joined_at: Wall) -> String {
    format!("{:013}{}", joined_at.0, name_number(name))
}

/// A name in digits.
pub(super) fn name_number(name: &UserName) -> String {
    let digit = |byte: u8| LETTERS.iter().position(|it| *it == byte).unwrap_or_default() as u128;
    let padding = std::iter::repeat(b' ');
    let letters = name.as_str().bytes().chain(padding).take(USER_NAME_CHARS_MAX);
    let number = letters.fold(0_u128, |number, byte| number * 38 + digit(byte));
    format!("{number:038}")
}

/// Whose number that is, and when the account must have been made.
pub(super) fn account_of(id: &str) -> Option<(UserName, Wall)> {
    if id.len() != TIME_DIGITS + NAME_DIGITS || !id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (at, number) = id.split_at_checked(TIME_DIGITS)?;
    let mut number: u128 = number.parse().ok()?;
    let mut letters = [b' '; USER_NAME_CHARS_MAX];
    for letter in letters.iter_mut().rev() {
        *letter = *LETTERS.get(usize::try_from(number % 38).ok()?)?;
        number /= 38;
    }
    let name = std::str::from_utf8(&letters).ok()?.trim_end();
    let name = UserName::parse(name).ok().filter(|_| number == 0)?;
    Some((name, Wall(at.parse().ok()?)))
}

/// Text as HTML, with nothing in it but what it says.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// What somebody wrote as HTML: blank lines part paragraphs, addresses, tags and the names in `members`
/// are links.
pub(super) fn html(origin: &Origin, text: &str, members: &[UserName]) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for piece in pieces(text) {
        // Writing to a String cannot fail.
        let _ = match &piece {
            Piece::Link { url, shown } => write!(
                out,
                "<a href=\"{}\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">{}</a>",
                escape(url),
                escape(shown)
            ),
            Piece::Mention(name, typed) if members.contains(name) => write!(
                out,
                "<span class=\"h-card\"><a href=\"{}\" class=\"u-url mention\">@<span>{}</span></a></span>",
                escape(&format!("{origin}{}", Route::Profile(name.clone()))),
                escape(typed.trim_start_matches('@'))
            ),
            Piece::Tag(tag, typed) => write!(
                out,
                "<a href=\"{}\" class=\"mention hashtag\" rel=\"tag\">#<span>{}</span></a>",
                escape(&tag_url(origin, tag.as_str())),
                escape(typed.trim_start_matches(['#', '＃']))
            ),
            Piece::Plain(_) | Piece::Mention(..) => out.write_str(&escape(piece.source())),
        };
    }
    paragraphs(&out)
}

/// A tag's page, where Mastodon's apps look for a tag's name: behind `/tags/`.
pub(super) fn tag_url(origin: &Origin, tag: &str) -> String {
    format!("{origin}/tags/{}", crate::web::form::encode_query(tag))
}

fn paragraphs(html: &str) -> String {
    let paragraphs = html.split("\n\n").map(|part| part.trim_matches('\n'));
    let paragraphs: Vec<_> = paragraphs
        .filter(|part| !part.is_empty())
        .map(|part| format!("<p>{}</p>", part.replace('\n', "<br>")))
        .collect();
    paragraphs.concat()
}

/// A member; `stand_ins` are for whoever has no picture.
pub(super) fn account(origin: &Origin, stand_ins: &StandIns, view: &AccountView) -> Value {
    let name = view.username.as_str();
    let url = format!("{origin}{}", Route::Profile(view.username.clone()));
    let face = match view.avatar {
        Some(name) => format!("{origin}{}", Route::Picture(name)),
        None => format!("{origin}{}", stand_ins.face(&view.username).route),
    };
    let header = format!("{origin}{}", stand_ins.banner.route);
    json!({
        "id": account_id(&view.username, view.joined_at),
        "username": name,
        "acct": name,
        "url": url,
        "uri": url,
        "display_name": view.display_name,
        "note": html(origin, &view.bio, &[]),
        "avatar": face,
        "avatar_static": face,
        "header": header,
        "header_static": header,
        "locked": false,
        "bot": false,
        "group": false,
        "discoverable": !view.members_only,
        "noindex": true,
        "created_at": time(view.joined_at),
        "last_status_at": view.last_post.map(|post| day(Wall(post.at_ms()))),
        "statuses_count": view.posts,
        "followers_count": view.followers,
        "following_count": view.following,
        "fields": [],
        "emojis": [],
        "roles": [],
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: Wall = Wall(1_769_862_896_789);

    #[test]
    fn time_told_to_the_millisecond() {
        assert_eq!(time(AT), "2026-01-31T12:34:56.789Z");
        assert_eq!(time(Wall(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(day(AT), "2026-01-31");
        assert!(time(Wall(u64::MAX)).starts_with("9999-12-"));
    }

    #[test]
    fn account_number_grows_and_names_nobody_else() {
        let id = |name: &str, at: u64| account_id(&name.parse().unwrap(), Wall(AT.0 + at));
        assert!(id("zoe", 0) < id("ada", 1));
        assert_ne!(id("ada", 0), id("ada_", 0));
        assert_ne!(id("ad", 0), id("ada", 0));
        for bad in ["", "1", &"9".repeat(51), &"0".repeat(51), &id("ada", 0)[1..], "١"] {
            assert_eq!(account_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_escaped_and_linked() {
        let origin = Origin::parse("https://fen.example", false).unwrap();
        let html = |text: &str| html(&origin, text, &["ada".parse().unwrap()]);
        assert_eq!(html("1 < 2 & \"3\""), "<p>1 &lt; 2 &amp; &quot;3&quot;</p>");
        assert_eq!(html("a\nb\n\n\nc"), "<p>a<br>b</p><p>c</p>");
        assert_eq!(html(""), "");
        let ada = "<p><span class=\"h-card\"><a href=\"https://fen.example/@ada\" \
                   class=\"u-url mention\">@<span>Ada</span></a></span> @zoe</p>";
        assert_eq!(html("@Ada @zoe"), ada);
        let tag = "<p><a href=\"https://fen.example/tags/tea\" class=\"mention hashtag\" \
                   rel=\"tag\">#<span>Tea</span></a> a#b</p>";
        assert_eq!(html("#Tea a#b"), tag);
        let link = html("https://a.example/?a=1&b=%22");
        assert!(
            link.contains("href=\"https://a.example/?a=1&amp;b=%22\" rel=\"nofollow"),
            "{link}"
        );
        assert!(!html("<img onerror=x> javascript:x").contains("<img"));
    }

    proptest! {
        #[test]
        fn account_number_read_back(name in "[a-z][a-z0-9_]{1,23}", at in 0..9_999_999_999_999_u64) {
            let name: UserName = name.parse().unwrap();
            let id = account_id(&name, Wall(at));
            prop_assert_eq!(id.len(), 51);
            prop_assert_eq!(account_of(&id), Some((name, Wall(at))));
        }

        #[test]
        fn html_of_any_text_is_what_was_typed(text in "[ -~\n]{0,200}") {
            let origin = Origin::parse("https://fen.example", false).unwrap();
            let html = html(&origin, &text, &[]);
            prop_assert!(!html.contains("<script") && !html.contains("<img"));
        }
    }
}
