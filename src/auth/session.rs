//! Sessions: the token that a browser holds, the hash of it that the user's file holds, and the text
//! that goes to and fro in the cookie and in each request.
//!
//! Nothing here prints a token: no `Debug`, no `Display`. Whoever needs the text asks for it by name.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::AuthError;
use crate::id::UserName;
use crate::limits::SESSION_TEXT_BYTES_MAX;
use crate::replica::version::Version;
use crate::user::entry::SessionId;

/// Bytes of a token: 256 bits, twice what ASVS 7.2.3 asks.
const TOKEN_BYTES: usize = 32;
/// Characters of its text.
const TOKEN_CHARS: usize = 43;

const _: () = assert!(TOKEN_CHARS == (TOKEN_BYTES * 4).div_ceil(3));

/// What opens a session: 32 random bytes as 43 characters of base64url.
#[derive(Clone)]
pub struct Token(String);

/// A string that is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token is 43 characters of base64url")]
pub struct TokenError;

/// A session as a cookie or a request holds it: `NAME.TOKEN`, and after `@` the version of the
/// user's file that this person saw last.
#[derive(Clone)]
pub struct SessionText {
    /// Whose session it says it is.
    pub user: UserName,
    /// What shall prove it.
    pub token: Token,
    /// What they saw last: they must never see an older state.
    pub seen: Option<Version>,
}

/// A string that is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a session is NAME.TOKEN or NAME.TOKEN@VERSION")]
pub struct SessionTextError;

impl Token {
    /// A fresh token.
    ///
    /// # Errors
    /// [`AuthError::Random`].
    pub fn generate() -> Result<Self, AuthError> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(AuthError::Random)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token: exactly the text that [`Self::generate`] could have made, so that each has one
    /// spelling and one hash.
    ///
    /// # Errors
    /// [`TokenError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() != TOKEN_CHARS {
            return Err(TokenError);
        }
        // The engine refuses other alphabets, padding, and bits beyond the last byte.
        URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
        Ok(Self(text.to_owned()))
    }

    /// The token itself: for the cookie, and for `Opening`.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What the user's file knows it by. Looking a session up by this hash needs no constant-time
    /// comparison: who can choose the token cannot choose its hash.
    pub fn id(&self) -> SessionId {
        let hash = Sha256::digest(self.0.as_bytes());
        let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        SessionId(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
    }
}

impl SessionText {
    /// Reads what a browser sent.
    ///
    /// # Errors
    /// [`SessionTextError`] for anything that [`Self::secret`] could not have written.
    pub fn parse(text: &str) -> Result<Self, SessionTextError> {
        if text.len() > SESSION_TEXT_BYTES_MAX {
            return Err(SessionTextError);
        }
        let (user, rest) = text.split_once('.').ok_or(SessionTextError)?;
        let (token, seen) = match rest.split_once('@') {
            Some((token, seen)) => (token, Some(seen)),
            None => (rest, None),
        };
        Ok(Self {
            user: UserName::parse(user).map_err(|_| SessionTextError)?,
            token: Token::parse(token).map_err(|_| SessionTextError)?,
            seen: seen.map(str::parse).transpose().map_err(|_| SessionTextError)?,
        })
    }

    /// The text, with the token in it.
    pub fn secret(&self) -> String {
        let (user, token) = (&self.user, self.token.secret());
        match self.seen {
            Some(seen) => format!("{user}.{token}@{seen}"),
            None => format!("{user}.{token}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::replica::version::Term;

    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn check_text(text: &str, valid: bool) {
        let parsed = SessionText::parse(text);
        assert_eq!(parsed.is_ok(), valid, "{text:?}");
        if let Ok(session) = parsed {
            assert_eq!(session.secret(), text);
        }
    }

    #[test]
    fn s13_token_generated_parses_and_differs() {
        let tokens: BTreeSet<String> =
            (0..100).map(|_| Token::generate().unwrap().secret().to_owned()).collect();
        assert_eq!(tokens.len(), 100);
        assert!(tokens.iter().all(|token| Token::parse(token).is_ok()));
    }

    #[test]
    fn s13_token_id_is_sha256_of_text() {
        // Source: `printf %s TOKEN | sha256sum`.
        let expected = "ea866a757e4c38babfa8127cbe9a409d3e1f93a00ff1488ff735fcf917afffd0";
        assert_eq!(Token::parse(TOKEN).unwrap().id(), SessionId(expected.to_owned()));
    }

    #[test]
    fn token_other_spelling_refused() {
        assert!(Token::parse(TOKEN).is_ok());
        let last_bits_set = TOKEN.replace("Hh8", "Hh9");
        let padded = format!("{TOKEN}=");
        let standard = TOKEN.replace('A', "+");
        let spaced = format!(" {}", &TOKEN[..42]);
        for bad in ["", &TOKEN[..42], &last_bits_set, &padded, &standard, &spaced] {
            assert_eq!(Token::parse(bad).err(), Some(TokenError), "{bad:?}");
        }
    }

    #[test]
    fn session_text_round_trips() {
        check_text(&format!("ada.{TOKEN}"), true);
        check_text(&format!("ada.{TOKEN}@1.4.2.1.7"), true);
        check_text(&format!("ada.{TOKEN}@0"), true);
    }

    #[test]
    fn session_text_longest_fits() {
        let term = Term { epoch: u32::MAX, round: u64::MAX, node: u16::MAX, boot: u32::MAX };
        let seen = Version { term, seq: u32::MAX };
        let name = "a".repeat(24);
        let text = format!("{name}.{TOKEN}@{seen}");
        assert_eq!(text.len(), SESSION_TEXT_BYTES_MAX);
        check_text(&text, true);
        check_text(&format!("a{text}"), false);
    }

    #[test]
    fn session_text_hostile_refused() {
        check_text("", false);
        check_text(".", false);
        check_text("ada", false);
        check_text(TOKEN, false);
        for bad in ["Ada", "a", "", "../a", "ada.b", "1da", "ad\0a"] {
            check_text(&format!("{bad}.{TOKEN}"), false);
        }
        for bad in ["@", "@@0", "@1.2.3.4", "@1.4.2.1.7@0", "@00", "@1.4.2.1.07", ".", "\n"] {
            check_text(&format!("ada.{TOKEN}{bad}"), false);
        }
        check_text(&"é".repeat(64), false);
        check_text(&format!("ada.{}", "é".repeat(21)), false);
    }

    proptest! {
        #[test]
        fn session_text_any_input_no_panic(text in "\\PC*") {
            check_text(&text, SessionText::parse(&text).is_ok());
        }

        #[test]
        fn session_text_near_miss_no_panic(text in "[a-b]{0,3}[.@]{0,2}[A-H8]{41,45}[.@]{0,2}[0-9.]{0,9}") {
            check_text(&text, SessionText::parse(&text).is_ok());
        }
    }
}
