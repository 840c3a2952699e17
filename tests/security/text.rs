//! What people write comes out as text, whichever way it comes out.

use crate::cluster::harness::{Cluster, Options};

/// Texts that have been markup, scripts, templates or ends of something to some program. Fewer than the
/// lists that go round, which mostly vary these; beside them, `s28_any_text_stays_text` tries texts
/// that chance makes, and the target `text` those that a fuzzer finds.
const NAUGHTY: [&str; 20] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><svg/onload=alert(1)>",
    "<!--<script>-->",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>]]>",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "<iframe src=javascript:alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "http://a.example/\"onmouseover=alert(1)",
    "http://bank.example@evil.example/<b>",
    "&lt;script&gt;&#60;script&#62;",
    "<xml:namespace prefix=\"t\"><t:set/>",
    "{{ 7 * 7 }}<%= 7 * 7 %>",
    "<\u{200b}script>\u{202e}<script>",
    "\u{ff1c}script\u{ff1e}<script/x>",
    "<style>*{display:none}</style>",
];

/// What none of our pages and feeds holds, and each of these texts would make.
const MARKUP: [&str; 11] = [
    "<script>alert",
    "<script/x",
    "<img src=x",
    "<svg/onload",
    "<iframe",
    "<style>*",
    "<xml:",
    "<!--<",
    "<![CDATA[",
    "\" onmouseover",
    "href=\"javascript:",
];

#[test]
fn s28_naughty_texts_come_out_as_text_everywhere() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    for naughty in NAUGHTY {
        let fields = [("text", naughty), ("note", naughty)];
        assert_eq!(ada.act("/", "/post", &fields).status, 303, "{naughty}");
    }
    let mut looked = 0;
    for naughty in NAUGHTY {
        let short: String = naughty.chars().take(40).collect();
        let profile = [("display_name", short.as_str()), ("bio", naughty)];
        assert_eq!(ada.act("/settings/profile", "/settings/profile", &profile).status, 303);
        let query = crate::cluster::form::encode(&[("q".to_owned(), naughty.to_owned())]);
        let search = format!("/search?{query}");
        for address in
            ["/", "/public", "/@ada", "/settings/profile", "/@ada.atom", "/public.atom", &search]
        {
            let answer = ada.get(address);
            let known =
                answer.status == 200 || (answer.status == 400 && address.starts_with("/search"));
            assert!(known, "{address}: {}", answer.status);
            looked += usize::from(answer.status == 200);
            for markup in MARKUP {
                assert!(!answer.body.contains(markup), "{markup} at {address}:\n{}", answer.body);
            }
        }
    }
    assert!(looked >= 6 * NAUGHTY.len(), "{looked} pages were looked at");
    let taken = ada.get("/settings/data/posts.html").body;
    assert!(MARKUP.iter().all(|markup| !taken.contains(markup)), "{taken}");
}
