//! Whether a form was sent from one of our own pages, by the person for whom it was drawn; and the
//! one-time keys of forms.
//!
//! A POST passes when the browser does not say that it came from elsewhere ([`check_source`]) and
//! when it brings the token that its form was drawn with ([`FormKey::check`]). Both tokens and keys
//! are made with a key derived from the cluster's, so every web server accepts every other's, also
//! after a restart; nothing is kept.
//!
//! A page is compressed, and may hold what an attacker wrote: so that its length tells nothing of the
//! tokens beside it, each is masked, with a mask made of the whole page ([`FormKey::mask`]). The same
//! page keeps its bytes, and its ETag, which is made of the mask; another text on it, a guess say, changes
//! every token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use memchr::memmem;
use poly1305::universal_hash::{KeyInit as _, UniversalHash};
use poly1305::{Key, Poly1305};
use sha2::{Digest, Sha256};

use super::request::Request;
use crate::action::{RequestKey, spelt};
use crate::id::RequestId;

/// The count of recorded requests in a key made without knowing it: higher than any, so that it
/// counts as new rather than as too old to tell.
const OPS_UNKNOWN: u64 = u64::MAX;

/// Bytes of a token: the first half of an HMAC-SHA256, which nobody guesses either. Source: RFC 2104,
/// section 5.
const TOKEN_BYTES: usize = 16;
/// What stands before a token on a page. No text can spell it: its quotes are escaped.
const TOKEN_FIELD: &str = "name=\"token\" value=\"";

fn xor(mask: &[u8], token: &[u8]) -> Vec<u8> {
    mask.iter().zip(token).map(|(mask, byte)| mask ^ byte).collect()
}

/// The key with which tokens and one-time keys are made.
#[derive(Clone)]
pub struct FormKey([u8; 32]);

/// What a form is bound to.
#[derive(Clone, Copy)]
pub enum Binding<'a> {
    /// A session's token.
    Session(&'a str),
    /// The random value of a browser that is not signed in.
    Stranger(&'a str),
}

/// Which form; a token of one is worth nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormName {
    /// Make an account.
    Join,
    /// Sign in.
    Login,
    /// Become the first keeper.
    First,
    /// Choose another password for a lost one.
    Reset,
    /// Sign out.
    Logout,
    /// Write a post or a reply.
    Post,
    /// Change a post.
    EditPost,
    /// Like, repost, bookmark or pin a post, or no longer.
    Mark,
    /// Answer what a post asks.
    Vote,
    /// Take back a post.
    DeletePost,
    /// Follow somebody.
    Follow,
    /// Follow somebody no longer.
    Unfollow,
    /// See nothing of somebody.
    Mute,
    /// Not any more.
    Unmute,
    /// Have nothing to do with somebody.
    Block,
    /// Not any more.
    Unblock,
    /// Be followed by somebody no longer.
    RemoveFollower,
    /// Tell the keepers of a post.
    Report,
    /// Make an invitation, or end one.
    Invite,
    /// Do what keepers do.
    Keep,
    /// Say how the community is kept.
    House,
    /// Change display name and bio.
    Profile,
    /// Change the password.
    Password,
    /// End sessions.
    Devices,
    /// Turn the script's keys off or on.
    Keys,
    /// Choose a language.
    Language,
    /// Delete the account.
    Leave,
    /// Let an app in.
    App,
}

/// Why a form is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The browser says that another site sent it.
    #[error("sent from another site")]
    Source,
    /// It does not bring the token it should.
    #[error("wrong form token")]
    Token,
}

/// Judges where a POST comes from by what the browser says. A browser too old to say anything is
/// left to the token.
///
/// # Errors
/// [`Forbidden::Source`].
pub fn check_source(
    request: &Request,
    matches_origin: &dyn Fn(&str) -> bool,
) -> Result<(), Forbidden> {
    let is_ours = match (&request.fetch_site, &request.origin) {
        (Some(site), _) if site != "same-origin" && site != "none" => false,
        (_, Some(origin)) => matches_origin(origin),
        (_, None) => true,
    };
    if is_ours { Ok(()) } else { Err(Forbidden::Source) }
}

impl FormKey {
    /// Takes the key's bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The token of a form.
    pub fn token(&self, binding: Binding<'_>, form: FormName) -> String {
        let mac = self.mac("token", binding, &[form.as_str()]).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(mac.first_chunk::<TOKEN_BYTES>().unwrap_or(&[0; TOKEN_BYTES]))
    }

    /// Compares, in constant time, the token that a form brought.
    ///
    /// # Errors
    /// [`Forbidden::Token`].
    pub fn check(
        &self,
        binding: Binding<'_>,
        form: FormName,
        token: &str,
    ) -> Result<(), Forbidden> {
        let mut bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Forbidden::Token)?;
        if let Some((mask, masked)) = bytes.split_at_checked(TOKEN_BYTES) {
            // One that never stood on a page has no mask.
            bytes = if masked.is_empty() { mask.to_vec() } else { xor(mask, masked) };
        }
        // A shorter one would be compared with as little of what it should be.
        if bytes.len() != TOKEN_BYTES {
            return Err(Forbidden::Token);
        }
        let mac = self.mac("token", binding, &[form.as_str()]);
        mac.verify_truncated_left(&bytes).map_err(|_| Forbidden::Token)
    }

    /// What says that this session was in use on that day, counted from the epoch.
    pub fn stamp(&self, session: &str, day: u64) -> String {
        let mac = self.mac("used", Binding::Session(session), &[&day.to_string()]);
        format!("{day}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// The day on which a session was in use, as a stamp of it says that we made.
    pub fn stamped_on(&self, session: &str, stamp: &str) -> Option<u64> {
        let (day, code) = stamp.split_once('.')?;
        let mac = self.mac("used", Binding::Session(session), &[day]);
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(code).ok()?).ok()?;
        day.parse().ok()
    }

    /// The page with its forms' tokens masked, if there are any, and the mask, which is that page's and no
    /// other's.
    pub fn mask(&self, page: &str) -> (Option<String>, [u8; TOKEN_BYTES]) {
        let mask = self.code_of_page(page);
        let mut fields = memmem::find_iter(page.as_bytes(), TOKEN_FIELD).peekable();
        if fields.peek().is_none() {
            return (None, mask);
        }
        let mut masked = String::with_capacity(page.len() + page.len() / 4);
        let mut done = 0;
        for field in fields {
            let start = field + TOKEN_FIELD.len();
            let token = page[start..].split('"').next().unwrap_or_default();
            masked.push_str(&page[done..start]);
            done = start + token.len();
            match URL_SAFE_NO_PAD.decode(token) {
                Ok(token) if token.len() == TOKEN_BYTES => {
                    let bytes = [mask.as_slice(), &xor(&mask, &token)].concat();
                    URL_SAFE_NO_PAD.encode_string(bytes, &mut masked);
                }
                _ => masked.push_str(token),
            }
        }
        masked.push_str(&page[done..]);
        (Some(masked), mask)
    }

    /// A code over a whole page, which is long: a universal hash makes it short, and a code that nobody can
    /// foretell is made of that, at a small part of what SHA-256 over the page costs where no instruction
    /// does it.
    ///
    /// That is sound although the key of Poly1305 stays the same, because its tags are seen by nobody. Two
    /// pages that differ, filled up with zeros and told apart by their lengths, have one tag under at most
    /// one in 2^90 keys if they are shorter than a megabyte; and as long as no two have, HMAC gives each
    /// page its own value, from which nobody learns the key. Whoever could choose pages to find two alike
    /// would be guessing. Sources: D. J. Bernstein, "The Poly1305-AES message-authentication code", theorem
    /// 3.3; J. Black et al., "UMAC", section 3: a pseudorandom function of a universal hash is one.
    fn code_of_page(&self, page: &str) -> [u8; TOKEN_BYTES] {
        let key = self.mac("page", Binding::Stranger(""), &[]).finalize().into_bytes();
        let mut poly = Poly1305::new(Key::from_slice(&key));
        poly.update_padded(page.as_bytes());
        let mut mac = self.mac("mask", Binding::Stranger(""), &[&page.len().to_string()]);
        mac.update(&poly.finalize());
        let code = mac.finalize().into_bytes();
        *code.first_chunk().unwrap_or(&[0; TOKEN_BYTES])
    }

    /// The one-time key of a form. It depends on nothing but its arguments, so that a page that has
    /// not changed keeps its ETag; `ops` grows with every write, so a form drawn after a write has
    /// another key than the one before.
    pub fn request_key(
        &self,
        binding: Binding<'_>,
        form: FormName,
        target: &str,
        ops: u64,
    ) -> RequestKey {
        let mac = self.mac("key", binding, &[form.as_str(), target, &ops.to_string()]);
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        RequestKey { ops, id: RequestId(id) }
    }

    /// The code of the invitation that is made with this key: twenty characters of 32, so 100 bits. Only
    /// the session that made it can be shown it again; what is kept of it is a hash.
    pub fn invitation_code(&self, binding: Binding<'_>, id: RequestId) -> String {
        spelt(self.mac("invitation", binding, &[&id.to_string()]).finalize().into_bytes())
    }

    /// A code that only we can make, over what an app says of itself; `purpose` says what it proves.
    pub fn app_code(&self, purpose: &str, text: &str) -> String {
        let mac = self.mac("app", Binding::Stranger(purpose), &[text]).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(mac)
    }

    /// Compares, in constant time, such a code with what it should be.
    pub fn is_app_code(&self, purpose: &str, text: &str, code: &str) -> bool {
        let mac = self.mac("app", Binding::Stranger(purpose), &[text]);
        URL_SAFE_NO_PAD.decode(code).is_ok_and(|code| mac.verify_slice(&code).is_ok())
    }

    /// The code with which an app that was let in by this form comes back: the same however often the
    /// form is sent. 43 characters of base64url, as a session's token.
    pub fn app_grant(&self, binding: Binding<'_>, id: RequestId, what: &str) -> String {
        let mac = self.mac("grant", binding, &[&id.to_string(), what]);
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// A code over `parts`, each with its length before it so that no two lists look alike.
    fn mac(&self, purpose: &str, binding: Binding<'_>, parts: &[&str]) -> Hmac<Sha256> {
        let (kind, secret) = match binding {
            Binding::Session(token) => ("session", token),
            Binding::Stranger(value) => ("stranger", value),
        };
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of any length: RFC 2104, section 2"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        for part in [purpose, kind, secret].iter().chain(parts) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// A one-time key that nobody has used: for forms of people whose count of requests is not known,
/// and after a key turned out to be used.
///
/// # Errors
/// When the system's generator fails.
pub fn fresh_key(ops: Option<u64>) -> Result<RequestKey, getrandom::Error> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    Ok(RequestKey { ops: ops.unwrap_or(OPS_UNKNOWN), id: RequestId(id) })
}

/// The key of one act among several whose buttons share a page's key: made of that and of the act's
/// address, so that pressing one button twice is one act, and pressing another is another.
pub fn act_key(page: RequestKey, act: &str) -> RequestKey {
    let mut id = [0; 16];
    let digest = Sha256::new().chain_update(page.id.0).chain_update(act).finalize();
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    RequestKey { ops: page.ops, id: RequestId(id) }
}

impl FormName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Login => "login",
            Self::First => "first",
            Self::Reset => "reset",
            Self::Logout => "logout",
            Self::Post => "post",
            Self::EditPost => "edit-post",
            Self::Mark => "mark",
            Self::Vote => "vote",
            Self::DeletePost => "delete-post",
            Self::Follow => "follow",
            Self::Unfollow => "unfollow",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::RemoveFollower => "remove-follower",
            Self::Report => "report",
            Self::Invite => "invite",
            Self::Keep => "keep",
            Self::House => "house",
            Self::Profile => "profile",
            Self::Password => "password",
            Self::Devices => "devices",
            Self::Keys => "keys",
            Self::Language => "language",
            Self::Leave => "leave",
            Self::App => "app",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::request::Method;

    const KEY: FormKey = FormKey::new([7; 32]);

    #[track_caller]
    fn check(fetch_site: Option<&str>, origin: Option<&str>, expected: Result<(), Forbidden>) {
        let request = Request {
            origin: origin.map(str::to_owned),
            fetch_site: fetch_site.map(str::to_owned),
            ..Request::bare(Method::Post, "/post")
        };
        let result = check_source(&request, &|origin| origin == "https://tern.example");
        assert_eq!(result, expected, "{fetch_site:?} {origin:?}");
    }

    #[test]
    fn s20_source_elsewhere_refused() {
        let ours = Some("https://tern.example");
        check(Some("same-origin"), ours, Ok(()));
        check(Some("none"), None, Ok(()));
        check(None, ours, Ok(()));
        check(None, None, Ok(()));
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            check(Some(site), ours, Err(Forbidden::Source));
        }
        for origin in ["null", "https://evil.example", "", "https://tern.example.evil"] {
            check(None, Some(origin), Err(Forbidden::Source));
            check(Some("same-origin"), Some(origin), Err(Forbidden::Source));
        }
    }

    #[test]
    fn s20_token_of_other_session_form_or_key_refused() {
        let ada = Binding::Session("ada-token");
        let token = KEY.token(ada, FormName::Post);
        assert_eq!(KEY.check(ada, FormName::Post, &token), Ok(()));
        let refused = Err(Forbidden::Token);
        assert_eq!(KEY.check(Binding::Session("ben-token"), FormName::Post, &token), refused);
        assert_eq!(KEY.check(Binding::Stranger("ada-token"), FormName::Post, &token), refused);
        assert_eq!(KEY.check(ada, FormName::Follow, &token), refused);
        assert_eq!(FormKey::new([8; 32]).check(ada, FormName::Post, &token), refused);
        for bad in
            ["", "x", "!", &token[1..], &token[..11], &format!("{token}A"), &format!("{token}=")]
        {
            assert_eq!(KEY.check(ada, FormName::Post, bad), refused, "{bad:?}");
        }
    }

    #[test]
    fn token_masked_by_all_else_on_the_page() {
        let ada = Binding::Session("ada-token");
        let page = |text: &str| {
            let field = |form| format!("{TOKEN_FIELD}{}\">", KEY.token(ada, form));
            format!("<p>{text}{}{}</p>", field(FormName::Post), field(FormName::Follow))
        };
        let tokens = |text: &str| -> Vec<String> {
            let masked = KEY.mask(&page(text)).0.unwrap();
            assert!(masked.starts_with(&format!("<p>{text}<")) || masked.starts_with("<p>"));
            assert!(masked.ends_with("\"></p>"), "{masked}");
            let parts = masked.split(TOKEN_FIELD).skip(1);
            parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
        };
        let (one, other) = (tokens("a"), tokens("b"));
        assert_eq!(one, tokens("a"));
        let mark = |text: &str| KEY.mask(&page(text)).1;
        assert!(mark("a") == mark("a") && mark("a") != mark("b"));
        for (at, form) in [FormName::Post, FormName::Follow].into_iter().enumerate() {
            for drawn in [&one, &other] {
                assert_eq!(KEY.check(ada, form, &drawn[at]), Ok(()));
                assert!(!drawn[at].contains(&KEY.token(ada, form)[..8]));
                let mut flipped = drawn[at].clone().into_bytes();
                flipped[30] ^= 1;
                let flipped = String::from_utf8_lossy(&flipped).into_owned();
                assert_eq!(KEY.check(ada, form, &flipped), Err(Forbidden::Token));
            }
            assert_ne!(one[at][..21], other[at][..21]);
            assert_ne!(one[at][22..], other[at][22..]);
        }
        let plain = |text: &str| KEY.mask(&format!("<p>{text}</p>"));
        assert!(plain("a").0.is_none() && plain("a") == plain("a") && plain("a") != plain("b"));
        // Of another length, though the same when it is filled up; under another key.
        assert_ne!(plain("a").1, KEY.mask("<p>a</p>\0").1);
        assert_ne!(plain("a").1, FormKey::new([8; 32]).mask("<p>a</p>").1);
        let odd = format!("{TOKEN_FIELD}short\">");
        assert_eq!(KEY.mask(&odd).0.unwrap(), odd);
    }

    #[test]
    fn request_key_same_until_something_changes() {
        let key = |token, form, target, ops| {
            KEY.request_key(Binding::Session(token), form, target, ops).to_string()
        };
        let first = key("t", FormName::Follow, "/@ben", 4);
        assert_eq!(first, key("t", FormName::Follow, "/@ben", 4));
        assert!(first.starts_with("4.") && first.parse::<RequestKey>().is_ok());
        for other in [
            key("u", FormName::Follow, "/@ben", 4),
            key("t", FormName::Unfollow, "/@ben", 4),
            key("t", FormName::Follow, "/@cem", 4),
            key("t", FormName::Follow, "/@ben", 5),
        ] {
            assert_ne!(first[2..], other[2..]);
        }
    }

    #[test]
    fn fresh_key_never_repeated() {
        let (one, two) = (fresh_key(Some(3)).unwrap(), fresh_key(None).unwrap());
        assert_eq!((one.ops, two.ops), (3, u64::MAX));
        assert_ne!(one.id, two.id);
        assert_eq!(two.to_string().parse(), Ok(two));
    }
}
