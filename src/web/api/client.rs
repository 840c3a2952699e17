//! An app that has introduced itself. Nobody keeps a list of apps: strangers could make it as long as they
//! like. A `client_id` is what the app said of itself, in a form that only this cluster can have made, so
//! every web server reads it, after a restart too; its secret is a code over that.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::Wall;
use crate::id::Hash128;
use crate::json;
use crate::limits::{APP_BYTES_MAX, APP_NAME_CHARS_MAX, APP_REDIRECTS_MAX, APP_WEBSITE_BYTES_MAX};
use crate::text::chars::is_invisible;
use crate::web::away::Away;
use crate::web::csrf::FormKey;
use crate::wire::request::Scopes;

/// The redirect address of apps that have people copy the code.
pub(crate) const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
const ID: &str = "client id";
const SECRET: &str = "client secret";

/// An app as it introduced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// What it is known by.
    pub(crate) id: String,
    /// What it calls itself.
    pub(crate) name: String,
    /// Its page; may be empty.
    pub(crate) website: String,
    /// Where people may be sent back to.
    pub(crate) redirects: Vec<String>,
    /// What it may ask for.
    pub(crate) scopes: Scopes,
    /// When that was.
    pub(crate) made_at: Wall,
}

/// What is wrong with what an app says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("client_name: 1 to {APP_NAME_CHARS_MAX} characters")]
    Name,
    #[error("website: an address that begins with http:// or https://")]
    Website,
    #[error("redirect_uris: 1 to {APP_REDIRECTS_MAX} absolute addresses, a line each")]
    Redirects,
    #[error("scopes: one of them is not known")]
    Scopes,
    #[error("name, website and redirect_uris are too long together")]
    TooLong,
}

impl Client {
    /// An app that says this of itself.
    pub(crate) fn introduce(
        key: &FormKey,
        (name, website): (&str, &str),
        redirects: &[&str],
        scopes: &str,
        now: Wall,
    ) -> Result<Self, ClientError> {
        let name: String = name.trim().chars().filter(|c| !is_invisible(*c)).collect();
        let chars = name.chars().count();
        if chars == 0 || chars > APP_NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(ClientError::Name);
        }
        let is_page = website.starts_with("https://") || website.starts_with("http://");
        let is_page = is_page && Away::new(website).is_some();
        if !website.is_empty() && (!is_page || website.len() > APP_WEBSITE_BYTES_MAX) {
            return Err(ClientError::Website);
        }
        let redirects: Vec<String> = redirects
            .iter()
            .flat_map(|text| text.split(['\n', '\r', ' ']))
            .filter(|uri| !uri.is_empty())
            .map(str::to_owned)
            .collect();
        let is_good = |uri: &String| uri == OUT_OF_BAND || Away::new(uri).is_some();
        if redirects.is_empty() || redirects.len() > APP_REDIRECTS_MAX {
            return Err(ClientError::Redirects);
        }
        if !redirects.iter().all(is_good) {
            return Err(ClientError::Redirects);
        }
        let scopes = if scopes.trim().is_empty() { "read" } else { scopes };
        let scopes: Scopes = scopes.parse().map_err(|_| ClientError::Scopes)?;
        let website = website.to_owned();
        let mut client = Self { id: String::new(), name, website, redirects, scopes, made_at: now };
        client.id = client.spell(key).ok_or(ClientError::TooLong)?;
        Ok(client)
    }

    fn spell(&self, key: &FormKey) -> Option<String> {
        let said = (&self.name, &self.website, &self.redirects, &self.scopes, self.made_at);
        let said = serde_json::to_vec(&said).ok().filter(|said| said.len() <= APP_BYTES_MAX)?;
        let said = URL_SAFE_NO_PAD.encode(said);
        let code = key.app_code(ID, &said);
        Some(format!("{said}.{code}"))
    }

    /// Reads a `client_id`; nothing for one that this cluster has not made.
    pub(crate) fn read(key: &FormKey, id: &str) -> Option<Self> {
        let (said, code) = id.split_once('.')?;
        if said.len() > APP_BYTES_MAX * 2 || !key.is_app_code(ID, said, code) {
            return None;
        }
        let said = URL_SAFE_NO_PAD.decode(said).ok()?;
        let (name, website, redirects, scopes, made_at) = json::parse(&said).ok()?;
        Some(Self { id: id.to_owned(), name, website, redirects, scopes, made_at })
    }

    /// The scopes that it asks for, if it may; `read` where it names none.
    pub(crate) fn may(&self, asked: &str) -> Option<Scopes> {
        let asked = if asked.is_empty() { "read" } else { asked };
        asked.parse::<Scopes>().ok().filter(|asked| self.scopes.include_all(asked))
    }

    /// Its secret.
    pub(crate) fn secret(&self, key: &FormKey) -> String {
        key.app_code(SECRET, &self.id)
    }

    /// Compares, in constant time, what somebody says is its secret.
    pub(crate) fn is_secret(&self, key: &FormKey, secret: &str) -> bool {
        key.is_app_code(SECRET, &self.id, secret)
    }

    /// What it is known by in a user's file.
    pub(crate) fn hash(&self) -> Hash128 {
        hash(&[&self.id])
    }

    /// A number for where one is wanted.
    pub(crate) fn number(&self) -> String {
        let head = self.hash().0.first_chunk().copied().unwrap_or_default();
        let number = u64::from_be_bytes(head) >> 8;
        format!("1{number:018}")
    }
}

/// The first half of a SHA-256 over texts, each with its length before it.
pub(crate) fn hash(texts: &[&str]) -> Hash128 {
    let mut sha = Sha256::new();
    for text in texts {
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text);
    }
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(sha.finalize()) {
        *to = from;
    }
    Hash128(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FormKey = FormKey::new([7; 32]);
    const NOW: Wall = Wall(1_700_000_000_000);

    fn introduce(
        name: &str,
        website: &str,
        uri: &str,
        scopes: &str,
    ) -> Result<Client, ClientError> {
        Client::introduce(&KEY, (name, website), &[uri], scopes, NOW)
    }

    #[test]
    fn client_id_says_what_the_app_said_and_nobody_else_can_make_one() {
        let uris = "urn:ietf:wg:oauth:2.0:oob\nhttps://app.example/cb?x=1\nfen-app://back";
        let client = introduce(" Fen ", "https://fen.example", uris, "read write").unwrap();
        assert_eq!((client.name.as_str(), client.redirects.len()), ("Fen", 3));
        assert_eq!(Client::read(&KEY, &client.id), Some(client.clone()));
        let secret = client.secret(&KEY);
        assert!(client.is_secret(&KEY, &secret));
        assert_eq!(Client::read(&FormKey::new([8; 32]), &client.id), None);
        let (said, code) = client.id.split_once('.').unwrap();
        let other = introduce("Eve", "", OUT_OF_BAND, "read write").unwrap();
        let (other_said, _) = other.id.split_once('.').unwrap();
        let forged = [
            format!("{other_said}.{code}"),
            // A secret is no code of an id, nor the other way round.
            format!("{said}.{secret}"),
            format!("{said}."),
            said.to_owned(),
            String::new(),
        ];
        for forged in forged {
            assert_eq!(Client::read(&KEY, &forged), None, "{forged}");
        }
        for wrong in ["", code, &other.secret(&KEY)] {
            assert!(!client.is_secret(&KEY, wrong), "{wrong}");
        }
        assert_ne!(client.number(), other.number());
    }

    #[test]
    fn client_that_says_nonsense_of_itself_refused() {
        let long = "x".repeat(APP_NAME_CHARS_MAX + 1);
        let far = format!("https://a.example/{}", "x".repeat(APP_BYTES_MAX));
        for (name, website, uri, scopes, error) in [
            ("", "", OUT_OF_BAND, "", ClientError::Name),
            (&long, "", OUT_OF_BAND, "", ClientError::Name),
            ("a\u{7}b", "", OUT_OF_BAND, "", ClientError::Name),
            ("Fen", "fen.example", OUT_OF_BAND, "", ClientError::Website),
            ("Fen", "javascript:alert(1)", OUT_OF_BAND, "", ClientError::Website),
            ("Fen", "", "", "", ClientError::Redirects),
            ("Fen", "", "/relative", "", ClientError::Redirects),
            ("Fen", "", "javascript:alert(1)", "", ClientError::Redirects),
            ("Fen", "", "JavaScript://a%0aalert(1)", "", ClientError::Redirects),
            ("Fen", "", "https://", "", ClientError::Redirects),
            ("Fen", "", "https://a.example/#x", "", ClientError::Redirects),
            ("Fen", "", "https://a.example/;script-src", "", ClientError::Redirects),
            ("Fen", "", OUT_OF_BAND, "read admin", ClientError::Scopes),
            ("Fen", "", &far, "", ClientError::TooLong),
        ] {
            assert_eq!(introduce(name, website, uri, scopes), Err(error), "{name} {website} {uri}");
        }
        assert_eq!(introduce("Fen", "", OUT_OF_BAND, "").unwrap().scopes.to_string(), "read");
    }
}
