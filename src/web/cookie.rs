//! Cookies: names and attributes by the origin's scheme, values that hold only what a cookie may.

use super::origin::Origin;

/// A cookie to set; always `Path=/; HttpOnly; SameSite=Lax`, and `Secure` with the `__Host-` prefix
/// unless the origin is plain http on loopback or a home network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// The name without prefix: `s` for the session, `p` before there is one, `lang` for the language.
    pub name: &'static str,
    /// The value; `None` clears the cookie.
    pub value: Option<CookieValue>,
    /// Seconds it lasts; `None` as long as the browser runs.
    pub max_age_s: Option<u32>,
}

impl SetCookie {
    /// The value of `Set-Cookie`.
    pub(super) fn encode(&self, origin: &Origin) -> String {
        let value = self.value.as_ref().map_or("", CookieValue::as_str);
        let secure = if origin.is_https() { "; Secure" } else { "" };
        let prefix = origin.cookie_prefix();
        let mut text =
            format!("{prefix}{}={value}; Path=/{secure}; HttpOnly; SameSite=Lax", self.name);
        let max_age_s = if self.value.is_some() { self.max_age_s } else { Some(0) };
        if let Some(seconds) = max_age_s {
            text.push_str("; Max-Age=");
            text.push_str(&seconds.to_string());
        }
        text
    }
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

/// A cookie's value. One that is there twice with different values is as good as none: another site
/// on the same host may have planted the second.
pub(super) fn find<'a>(header: &'a str, prefix: &str, name: &str) -> Option<&'a str> {
    let mut values = header.split(';').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim().strip_prefix(prefix)? == name).then(|| value.trim())
    });
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: Option<&str>, max_age_s: Option<u32>, origin: &str, expected: &str) {
        let value = value.and_then(CookieValue::new);
        let cookie = SetCookie { name: "s", value, max_age_s };
        assert_eq!(cookie.encode(&Origin::parse(origin, true).unwrap()), expected);
    }

    #[test]
    fn s14_cookie_attributes_by_origin() {
        let secure = "__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax";
        check(Some("v"), None, "https://tern.example", secure);
        check(Some("v"), None, "http://127.0.0.1:8080", "s=v; Path=/; HttpOnly; SameSite=Lax");
        check(Some("v"), None, "http://10.0.0.1", "s=v; Path=/; HttpOnly; SameSite=Lax");
        let lasting = "s=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60";
        check(Some("v"), Some(60), "http://localhost", lasting);
        let cleared = "s=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
        check(None, Some(60), "http://localhost", cleared);
    }

    #[test]
    fn cookie_value_with_separator_or_line_end_refused() {
        for bad in ["", "a;b", "a b", "a\r\nb", "a,b", "\"a\"", "ä", "a=b"] {
            assert_eq!(CookieValue::new(bad), None, "{bad:?}");
        }
    }
}
