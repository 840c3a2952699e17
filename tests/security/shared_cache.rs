//! A cache between many browsers and the site, as a school or a company may have one: it keeps whatever
//! RFC 9111 lets it keep, and asks again only where it must.

use super::wire::Site;
use crate::web::client::Reply;

/// What it keeps, and how often it was of use.
#[derive(Debug, Default)]
pub(super) struct SharedCache {
    kept: Vec<Kept>,
    /// Answers given without asking the site.
    pub(super) unasked: usize,
    /// Answers given after the site said that nothing had changed.
    pub(super) confirmed: usize,
}

/// An answer, for whom it is.
#[derive(Debug)]
struct Kept {
    path: String,
    /// Whether it depends on the cookies, and the cookies that it was asked for with.
    varies: bool,
    cookies: String,
    must_ask: bool,
    etag: Option<String>,
    head: String,
    body: String,
}

impl Kept {
    /// Whether the rules let it be kept by anybody but the browser (RFC 9111, section 3).
    fn of(path: &str, cookies: &str, reply: &Reply) -> Option<Self> {
        let control = reply.header("Cache-Control").unwrap_or_default();
        let says = |directive: &str| control.split(',').any(|it| it.trim().starts_with(directive));
        if reply.status != 200 || says("no-store") || says("private") {
            return None;
        }
        let vary = reply.header("Vary").unwrap_or_default();
        assert_ne!(vary, "*", "nothing of ours");
        Some(Self {
            path: path.to_owned(),
            varies: vary.split(',').any(|name| name.trim().eq_ignore_ascii_case("Cookie")),
            cookies: cookies.to_owned(),
            must_ask: !says("max-age") || says("no-cache"),
            etag: reply.header("ETag").map(str::to_owned),
            head: reply.head.clone(),
            body: reply.body.clone(),
        })
    }

    /// Whether it may answer this (section 4).
    fn answers(&self, path: &str, cookies: &str) -> bool {
        self.path == path && (!self.varies || self.cookies == cookies)
    }

    fn reply(&self) -> Reply {
        Reply { status: 200, head: self.head.clone(), body: self.body.clone() }
    }
}

impl SharedCache {
    /// What somebody who asks through it gets.
    pub(super) fn get(&mut self, site: &Site, path: &str, cookies: &str) -> Reply {
        let kept = self.kept.iter().find(|kept| kept.answers(path, cookies));
        if let Some(kept) = kept.filter(|kept| !kept.must_ask) {
            self.unasked += 1;
            return kept.reply();
        }
        let etag = kept.and_then(|kept| kept.etag.as_ref());
        let condition = etag.map(|etag| format!("If-None-Match: {etag}\r\n")).unwrap_or_default();
        let reply = site.get(path, &format!("{cookies}{condition}"));
        match kept {
            Some(kept) if reply.status == 304 => {
                self.confirmed += 1;
                kept.reply()
            }
            _ => {
                self.kept.retain(|kept| !kept.answers(path, cookies));
                self.kept.extend(Kept::of(path, cookies, &reply));
                reply
            }
        }
    }
}
