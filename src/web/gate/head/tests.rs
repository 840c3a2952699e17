//! Heads that pass, heads that do not, and the edges between.

use proptest::prelude::*;

use super::*;

/// Feeds `text` in pieces of `step` bytes, as a network may.
fn read(text: &[u8], step: usize) -> Result<Option<Head>, Refusal> {
    let mut scan = Scan::default();
    for end in (step..text.len()).step_by(step).chain([text.len()]) {
        if let Some(end) = scan.find_end(&text[..end])? {
            return parse(&text[..end]).map(Some);
        }
    }
    Ok(None)
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, status: u16) {
    let text = text.as_ref();
    for step in [1, 7, text.len()] {
        let shown = String::from_utf8_lossy(text);
        let refusal = read(text, step).expect_err(&shown);
        assert_eq!(refusal.status(), status, "{refusal} {shown:?}");
    }
}

#[track_caller]
fn accepted(text: &str) -> Head {
    let whole = read(text.as_bytes(), text.len());
    assert_eq!(read(text.as_bytes(), 1), whole);
    whole.expect(text).expect(text)
}

#[test]
fn head_of_browser_accepted() {
    let head = accepted(
        "POST /post?a=b HTTP/1.1\r\nhost: a.example:8080\r\nCookie: s=ada.x; p=1\r\nORIGIN: \
         http://a.example:8080\r\nAccept: */*\r\nX-Tern-Client: 1.2.3.4\r\nContent-Length: 5\r\n\
         X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\n\r\n",
    );
    assert_eq!((head.method, head.target.as_str()), (Method::Post, "/post?a=b"));
    assert_eq!((head.body_bytes, head.host.as_str()), (5, "a.example:8080"));
    assert!(head.keeps_alive && !head.is_http10 && !head.expects_continue);
    assert_eq!(head.forwarded_for, ["1.1.1.1", "2.2.2.2"]);
    let passed = [("Cookie", "s=ada.x; p=1"), ("Origin", "http://a.example:8080")];
    assert_eq!(head.passed, passed.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn head_rest_of_buffer_left_alone() {
    let mut scan = Scan::default();
    let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST \0\n";
    assert_eq!(scan.find_end(text), Ok(Some(text.len() - 7)));
}

#[test]
fn head_smuggling_refused() {
    let with = |line: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
    for line in [
        "Transfer-Encoding: chunked",
        "transfer-encoding: identity",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 ",
        "Content-Length:  5",
        "Content-Length : 5",
        "Content-Length: ",
        "Content-Length:",
        "Content-Length: 5;",
        " Content-Length: 5",
        "A: b\r\n folded",
        "A: b\r\n\tfolded",
        "A: b\tc",
        "A: b\nContent-Length: 5",
        "A: b\rContent-Length: 5",
        "A: b\r\r\nContent-Length: 5",
        "A: \0",
        "A: \x7f",
        "A: \x1b",
        "A b: c",
        "A",
        ": b",
        "Cookie: a\r\nCookie: b",
        "Origin: a\r\norigin: a",
    ] {
        refused(with(line), 400);
    }
}

#[test]
fn head_host_missing_twice_or_malformed_refused() {
    for hosts in [
        "A: b",
        "Host: a\r\nHost: a",
        "Host: a\r\nhost: b",
        "Host:",
        "Host: a b",
        "Host: a/b",
        "Host: u@a",
        "Host: a:",
        "Host: a:x",
        "Host: a, b",
        "Host: [::1",
        "Host: http://a",
    ] {
        refused(format!("GET / HTTP/1.1\r\n{hosts}\r\n\r\n"), 400);
        refused(format!("GET / HTTP/1.0\r\n{hosts}\r\n\r\n"), 400);
    }
}

#[test]
fn head_request_line_odd_refused() {
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n");
    for bad in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / x HTTP/1.1",
        "GET / HTTP/1.10",
        "GET / http/1.1",
        "GET / HTTX/1.1",
        "GET",
        "G@T / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET a HTTP/1.1",
        "GET * HTTP/1.1",
        "GET http://a/ HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET ?a HTTP/1.1",
        "",
        "\0",
    ] {
        refused(line(bad), 400);
    }
    for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/3", "HTTP/9.9"] {
        refused(line(&format!("GET / {version}")), 505);
    }
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "FROB"] {
        refused(line(&format!("{method} / HTTP/1.1")), 405);
    }
    refused(line("CONNECT a:443 HTTP/1.1"), 405);
    refused(line("OPTIONS * HTTP/1.1"), 405);
    refused(b"\x16\x03\x01\x02\x00\x01\x00", 400);
}

#[test]
fn head_limits_exact() {
    let target = |bytes: usize| {
        let fill = bytes - "GET / HTTP/1.1".len();
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(fill))
    };
    accepted(&target(REQUEST_LINE_BYTES_MAX));
    refused(target(REQUEST_LINE_BYTES_MAX + 1), 414);
    let sized = |bytes: usize| {
        let fill = bytes - "Host: a\r\nA: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "x".repeat(fill))
    };
    accepted(&sized(HEADERS_BYTES_MAX));
    refused(sized(HEADERS_BYTES_MAX + 1), 431);
    let counted =
        |lines: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(lines - 1));
    accepted(&counted(HEADERS_MAX));
    refused(counted(HEADERS_MAX + 1), 431);
    let body =
        |bytes: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n");
    assert_eq!(accepted(&body("65536")).body_bytes, BODY_BYTES_MAX);
    for bytes in ["65537", "30000000000", "99999999999999999999999999"] {
        refused(body(bytes), 413);
    }
}

#[test]
fn head_body_of_read_refused() {
    for method in ["GET", "HEAD"] {
        let with = |n: u8| format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n");
        refused(with(5), 400);
        accepted(&with(0));
    }
    // An app's may have one, which is read away; as short as any other.
    let of_app = |method: &str, bytes: &str| {
        format!(
            "{method} /api/v1/media HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.x\r\n\
             Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {bytes}\r\n\r\n"
        )
    };
    assert_eq!(accepted(&of_app("GET", "65536")).body_bytes, BODY_BYTES_MAX);
    refused(of_app("GET", "65537"), 413);
    refused(of_app("HEAD", "5"), 400);
    refused(of_app("OPTIONS", "5"), 400);
    accepted(&of_app("POST", "65537"));
}

#[test]
fn head_connection_and_expectation_understood() {
    let head = |version: &str, line: &str| {
        accepted(&format!("POST / HTTP/{version}\r\nHost: a\r\n{line}\r\n\r\n"))
    };
    assert!(!head("1.1", "Connection: foo, Close").keeps_alive);
    assert!(head("1.1", "Connection: upgrade").keeps_alive);
    assert!(!head("1.0", "A: b").keeps_alive);
    assert!(head("1.0", "Connection: Keep-Alive").keeps_alive);
    assert!(head("1.1", "Expect: 100-Continue").expects_continue);
    assert!(!head("1.0", "Expect: 100-continue").expects_continue);
    refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", 417);
}

proptest! {
    #[test]
    fn head_any_bytes_read_alike_however_split(
        bytes in prop::collection::vec(prop_oneof![
            Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), any::<u8>(),
        ], 0..200),
        prefix in any::<bool>(),
        step in 1_usize..20,
    ) {
        let mut text = Vec::new();
        if prefix {
            text.extend_from_slice(b"POST / HTTP/1.1\r\nHost: a\r\n");
        }
        text.extend_from_slice(&bytes);
        let whole = read(&text, text.len().max(1));
        prop_assert_eq!(&read(&text, step), &whole);
        if let Ok(Some(head)) = whole {
            prop_assert!(head.target.bytes().all(|b| (0x21..=0x7e).contains(&b)));
            for (_, value) in head.passed {
                prop_assert!(value.bytes().all(|b| (0x20..=0x7e).contains(&b)));
            }
        }
    }
}

#[test]
fn head_with_languages_in_several_lines_joined() {
    let head = accepted(
        "GET / HTTP/1.1\r\nHost: a\r\nAccept-Language: fr\r\naccept-language: de;q=0.5\r\n\r\n",
    );
    assert_eq!(head.passed, [("Accept-Language", "fr, de;q=0.5".to_owned())]);
}

/// What is handed on has one reading: "a, " would be read as "a,".
#[test]
fn r0020_empty_parts_of_a_list_sent_in_several_lines_add_nothing() {
    for (lines, list) in [
        (&["", ""][..], ""),
        (&["", "", "fr", ""], "fr"),
        (&["fr", "", "de"], "fr, de"),
        (&["", "fr,", "de"], "fr,, de"),
    ] {
        let lines: Vec<String> =
            lines.iter().map(|one| format!("Accept-Language: {one}\r\n")).collect();
        let lines = lines.concat();
        let head = accepted(&format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
        assert_eq!(head.passed, [("Accept-Language", list.to_owned())]);
    }
}

#[test]
fn languages_of_head_that_is_refused() {
    let of = |text: &str| languages(text.as_bytes(), "");
    let de = Lang::De.alone();
    assert_eq!(of("POST / HTTP/1.1\r\nAccept-Language: de\r\nContent-Length: 9999999\r\n\r\n"), de);
    assert_eq!(of("PUT / HTTP/1.1\r\naccept-language:de-AT\r\nHost: a\r\n\r\n"), de);
    assert_eq!(of("GET / HTTP/9.9\r\nCookie: s=x; lang=de\r\nAccept-Language: en\r\n\r\n"), de);
    assert_eq!(of("GET / HTTP/1.1\r\nHost: a\r\n\r\nAccept-Language: de"), Lang::En.alone());
    // Cut short: what was said counts, else nothing is known.
    assert_eq!(of("GET / HTTP/1.1\r\nAccept-Language: de\r\nCook"), de);
    for cut in ["", "GET /", "GET / HTTP/1.1\r\nHost: a", "\0\u{e9}"] {
        assert_eq!(of(cut), &Lang::ALL, "{cut:?}");
    }
    assert_eq!(languages(b"\xff\r\nAccept-Language: de\r\n\r\n", ""), de);
    let https = b"GET / HTTP/1.1\r\n__Host-Lang: x\r\nCookie: __Host-lang=de\r\n\r\n";
    assert_eq!(languages(https, "__Host-"), de);
}

/// All but ASCII was answered 400, in fields as well of which nothing is read.
#[test]
fn r0090_values_beyond_ascii_passed_on_in_ascii_and_nothing_else_of_the_head() {
    let with = |line: &[u8]| [b"POST / HTTP/1.1\r\nHost: a\r\n", line, b"\r\n\r\n"].concat();
    for (line, passed) in [
        ("X-Name: Zoë".as_bytes(), None),
        (b"X-Name: Zo\xeb", None),
        ("User-Agent: Fön 1".as_bytes(), Some(("User-Agent", "F%C3%B6n 1"))),
        (b"idempotency-key: \xff", Some(("Idempotency-Key", "%FF"))),
        // White space of Unicode is a value like any other.
        ("User-Agent: \u{a0}a\u{85}".as_bytes(), Some(("User-Agent", "%C2%A0a%C2%85"))),
    ] {
        let shown = String::from_utf8_lossy(line);
        let head = read(&with(line), 1).expect(&shown).expect(&shown);
        let passed = passed.map(|(name, value)| (name, value.to_owned()));
        assert_eq!(head.passed, Vec::from_iter(passed), "{shown}");
    }
    for (line, status) in [
        ("Hos\u{e9}: a", 400),
        ("Content-Length: 5\u{a0}", 400),
        ("Content-Length\u{a0}: 5", 400),
        ("Content-Length: ５", 400),
        ("Transfer-Encoding: chunked\u{a0}", 400),
        ("\u{a0}folded", 400),
        ("User-Agent: \u{e9}\r\nUser-Agent: e", 400),
        ("Expect: 100-continue\u{a0}", 417),
    ] {
        refused(with(line.as_bytes()), status);
    }
    for line in ["GET /é HTTP/1.1", "GÉT / HTTP/1.1", "GET / HTTP/1.1\u{a0}", "GET /\u{a0}HTTP/1.1"]
    {
        refused(format!("{line}\r\nHost: a\r\n\r\n"), 400);
    }
    refused("GET / HTTP/1.1\r\nHost: ä\r\n\r\n", 400);
}
