//! What the head of an answer for an app says besides what every answer says.

/// What apps may ask for.
pub(super) const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
/// Headers of every answer for apps: those that run in a browser are of other sites. They send a token
/// and no cookie, so nobody's browser can be made to ask in their name.
const FOR_APPS: [(&str, &str); 4] = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", METHODS),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key"),
    (
        "Access-Control-Expose-Headers",
        "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id",
    ),
];

/// What the head of every answer for an app says, the gate's own included.
pub(super) fn fixed(request_id: &str) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let fixed = FOR_APPS.into_iter().map(|(name, value)| (name, value.to_owned()));
    fixed.chain([("X-Request-Id", request_id.to_owned())])
}

/// What the head of an answer for an app says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppHead {
    /// Calls that may be made in a while.
    pub limit: u32,
    /// Of those, how many are left.
    pub remaining: u32,
    /// When that begins anew, as RFC 3339 writes it.
    pub reset: String,
    /// Where the list goes on, as RFC 8288 writes it; holds nothing but printable ASCII.
    pub link: Option<String>,
    /// How to sign in, where somebody is not.
    pub asks_token: bool,
    /// The request's number.
    pub request_id: String,
}

impl AppHead {
    pub(super) fn fields(self) -> impl Iterator<Item = (&'static str, String)> {
        let is_plain = |text: &String| text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        let limits = [
            ("X-RateLimit-Limit", self.limit.to_string()),
            ("X-RateLimit-Remaining", self.remaining.to_string()),
            ("X-RateLimit-Reset", self.reset),
        ];
        let link = self.link.filter(is_plain).map(|link| ("Link", link));
        let token = self.asks_token.then(|| ("WWW-Authenticate", "Bearer".to_owned()));
        fixed(&self.request_id).chain(limits).chain(link).chain(token)
    }
}
