//! One-time links: the secret in the address, and the hash of it that is kept.
//!
//! Nothing here prints a secret: no `Debug`, no `Display`. Whoever needs the text asks for it by name.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::AuthError;
use crate::user::entry::LinkHash;

/// Bytes of a secret: 128 bits, which nobody guesses in the hour that it holds.
const SECRET_BYTES: usize = 16;
/// Characters of its text.
const SECRET_CHARS: usize = 22;

const _: () = assert!(SECRET_CHARS == (SECRET_BYTES * 4).div_ceil(3));

/// What a one-time link bears: 16 random bytes as 22 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSecret(String);

impl LinkSecret {
    /// A fresh one.
    ///
    /// # Errors
    /// [`AuthError::Random`].
    pub fn generate() -> Result<Self, AuthError> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(AuthError::Random)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads one in the spelling that [`Self::generate`] could have made.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == SECRET_CHARS && URL_SAFE_NO_PAD.decode(text).is_ok();
        is_one.then(|| Self(text.to_owned()))
    }

    /// The secret itself: for the address.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What is kept of it. Looking it up by this hash needs no constant-time comparison: who can choose
    /// the secret cannot choose its hash.
    pub fn hash(&self) -> LinkHash {
        let digest = Sha256::digest(self.0.as_bytes());
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        LinkHash(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s11_link_bears_128_random_bits_and_is_kept_as_its_hash() {
        let (one, other) = (LinkSecret::generate().unwrap(), LinkSecret::generate().unwrap());
        assert!(one != other);
        assert_eq!(URL_SAFE_NO_PAD.decode(one.secret()).unwrap().len(), 16);
        assert!(LinkSecret::parse(one.secret()) == Some(one));
        // Source: `printf %s AAECAwQFBgcICQoLDA0ODw | sha256sum`.
        let known = LinkSecret::parse("AAECAwQFBgcICQoLDA0ODw").unwrap();
        assert_eq!(
            known.hash(),
            LinkHash("5d2611d5a4dd2b40b277dfdb5ecf5b49819150d7d5c62f4eef960cb0c24db20c".to_owned())
        );
    }

    #[test]
    fn link_secret_of_other_spelling_refused() {
        for bad in [
            "",
            "AAECAwQFBgcICQoLDA0OD",
            "AAECAwQFBgcICQoLDA0ODx",
            "AAECAwQFBgcICQoLDA0ODw=",
            "+AECAwQFBgcICQoLDA0ODw",
        ] {
            assert!(LinkSecret::parse(bad).is_none(), "{bad:?}");
        }
    }
}
