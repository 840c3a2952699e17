//! Cookies: names and attributes by the origin's scheme, values that hold only what a cookie may.

/// A cookie to set; always `Path=/; HttpOnly; SameSite=Lax`, and `Secure` with the `__Host-` prefix
/// unless the origin is plain http on loopback or a home network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// The name without prefix: `s` for the session, `p` before there is one.
    pub name: &'static str,
    /// The value; `None` clears the cookie.
    pub value: Option<CookieValue>,
    /// Seconds it lasts; `None` as long as the browser runs.
    pub max_age_s: Option<u32>,
}

/// A value of letters, digits and `. _ - @ ~` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieValue(String);

impl CookieValue {
    /// Takes a value, or `None` if it holds anything else.
    pub fn new(value: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-@~".contains(&b);
        (!value.is_empty() && value.bytes().all(plain)).then(|| Self(value.to_owned()))
    }

    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
