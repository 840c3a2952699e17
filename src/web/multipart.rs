//! Forms that bring files (`multipart/form-data`, RFC 7578): where each part stands in the body. Nothing is
//! copied: a file may be megabytes.

use std::ops::Range;

use crate::limits::{PART_HEAD_BYTES_MAX, PART_PREAMBLE_BYTES_MAX};

/// Bytes of a boundary; RFC 2046 allows 70.
const BOUNDARY_BYTES_MAX: usize = 70;

/// A part of such a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The field's name.
    pub(super) name: &'a str,
    /// Whether it is a file, and not what was typed.
    pub(super) is_file: bool,
    /// Where in the body its content stands.
    pub(super) content: Range<usize>,
}

/// The body is no such form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The boundary that a content type names, if it is one of such a form.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (essence, rest) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = one(&parameters(rest, escaped_end)?, "boundary")?;
    let is_one = (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len());
    is_one.then_some(boundary)
}

/// The parts of a body, in their order; at most so many.
pub(super) fn parts<'a>(
    boundary: &str,
    body: &'a [u8],
    most: usize,
) -> Result<Vec<Part<'a>>, Malformed> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let first = delimiter.get(2..).unwrap_or_default();
    let mut parts = Vec::new();
    let mut at = if body.starts_with(first) {
        first.len()
    } else {
        let start = body.len().min(PART_PREAMBLE_BYTES_MAX + delimiter.len());
        let preamble = find(body.get(..start).unwrap_or_default(), &delimiter);
        preamble.ok_or(Malformed)? + delimiter.len()
    };
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        // White space may stand behind a boundary (RFC 2046, section 5.1.1).
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = rest.get(padding..).and_then(|rest| rest.strip_prefix(b"\r\n"));
        let rest = rest.ok_or(Malformed)?;
        let lines = rest.get(..rest.len().min(PART_HEAD_BYTES_MAX)).unwrap_or_default();
        let head_end = find(lines, b"\r\n\r\n");
        let head_end = head_end.ok_or(Malformed)?;
        let start = at + padding + 2 + head_end + 4;
        let content = body.get(start..).ok_or(Malformed)?;
        let end = start + find(content, &delimiter).ok_or(Malformed)?;
        let head = std::str::from_utf8(rest.get(..head_end).unwrap_or_default());
        let (name, is_file) = disposition(head.map_err(|_| Malformed)?).ok_or(Malformed)?;
        if parts.len() == most {
            return Err(Malformed);
        }
        parts.push(Part { name, is_file, content: start..end });
        at = end + delimiter.len();
    }
}

/// What a part's header lines say of it.
fn disposition(head: &str) -> Option<(&str, bool)> {
    let value = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("Content-Disposition").then_some(value.trim())
    })?;
    let (kind, rest) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    match (named(rest, escaped_end), named(rest, written_end)) {
        // Which is meant nobody can tell, and a file's name must not make up a field's.
        (Some(escaped), Some(written)) if escaped != written => None,
        (escaped, written) => escaped.or(written),
    }
}

/// The name of a field and whether it is a file.
fn named(text: &str, quote_end: QuoteEnd) -> Option<(&str, bool)> {
    let parameters = parameters(text, quote_end)?;
    // Some programs write a name that is not ASCII as `filename*=` alone.
    let is_file = |name: &str| {
        name.eq_ignore_ascii_case("filename") || name.eq_ignore_ascii_case("filename*")
    };
    let is_file = parameters.iter().any(|(name, _)| is_file(name));
    Some((one(&parameters, "name")?, is_file))
}

/// Where a quoted text ends, of what stands behind its first quote.
type QuoteEnd = fn(&str) -> Option<usize>;

/// Names and values between `;`, quoted or not, as they stand there; nothing if a quote does not end where
/// its value does.
fn parameters(text: &str, quote_end: QuoteEnd) -> Option<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.rsplit(';').next().unwrap_or_default().trim();
        let after = after.trim_start();
        let (value, left) = if let Some(quoted) = after.strip_prefix('"') {
            let (value, left) = quoted.split_at_checked(quote_end(quoted)?)?;
            (value, left.strip_prefix('"')?.trim_start())
        } else {
            let end = after.find(';').unwrap_or(after.len());
            let (value, left) = after.split_at_checked(end)?;
            (value.trim_end(), left)
        };
        let is_bare = !after.starts_with('"');
        if (is_bare && value.contains('"')) || !(left.is_empty() || left.starts_with(';')) {
            return None;
        }
        found.push((name, value));
        rest = left;
    }
    Some(found)
}

/// Where a quoted text of most programs ends: a `\` takes what stands behind it for itself.
fn escaped_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// The same of browsers, which write a `\` as it is and a quote as `%22`, so that a name may end in `\`: a
/// quote that a `\` stands before ends it as well, where the value can end.
fn written_end(text: &str) -> Option<usize> {
    let can_end = |at: &usize| {
        let rest = text.get(at + 1..).unwrap_or_default().trim_start();
        rest.is_empty() || rest.starts_with(';')
    };
    let last = text.match_indices('"').map(|(at, _)| at).find(can_end);
    last.into_iter().chain(escaped_end(text)).min()
}

/// The value of a parameter; nothing if it is not there, or twice: two readers could take two of them.
fn one<'a>(parameters: &[(&'a str, &'a str)], wanted: &str) -> Option<&'a str> {
    let mut found = parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let (_, value) = found.next()?;
    found.next().is_none().then_some(*value)
}

/// Where `part` first stands.
fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|&byte| byte == first)?;
        if bytes.get(at..)?.starts_with(part) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhello\r\nyou\r\n\
        --x\r\nContent-Disposition: form-data; name=\"picture_1\"; filename=\"a \u{fc}.jpg\"\r\n\
        Content-Type: image/jpeg\r\n\r\n\r\n--\r\n--x\r\ncontent-disposition: form-data; \
        name=\"note\"\r\n\r\n\r\n--x--\r\n";

    #[test]
    fn parts_found_in_their_places() {
        let parts = parts("x", BODY.as_bytes(), 50).unwrap();
        let seen: Vec<_> =
            parts.iter().map(|it| (it.name, it.is_file, &BODY[it.content.clone()])).collect();
        let expected =
            [("text", false, "hello\r\nyou"), ("picture_1", true, "\r\n--"), ("note", false, "")];
        assert_eq!(seen, expected);
    }

    #[test]
    fn boundary_read_or_none() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=x", Some("x")),
            ("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"", Some("a b")),
            ("multipart/form-data", None),
            ("multipart/form-data;boundary=x", Some("x")),
            ("multipart/form-data; Boundary=x; charset=utf-8", Some("x")),
            ("multipart/form-data; BOUNDARY = \"a;b\"", Some("a;b")),
            ("multipart/form-data; boundary=x; boundary=y", None),
            ("multipart/form-data; boundary=\"x", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=x", None),
            ("application/x-www-form-urlencoded; boundary=x", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    /// As .NET, Java, old libraries and cameras with long names write them.
    #[test]
    fn parts_of_programs_of_many_kinds_found() {
        let file = ("file", true, "x");
        let name = "\u{732b}".repeat(84);
        let coded = "%E7%8C%AB".repeat(84);
        let long =
            format!("form-data; name=\"file\"; filename=\"{name}\"; filename*=UTF-8''{coded}");
        for (says, expected) in [
            ("form-data; name=file; filename=a.png", file),
            ("form-data; name=file; filename=a.png; filename*=utf-8''a.png", file),
            ("form-data;name=\"file\";filename=\"a.png\"", file),
            ("Form-Data; Name=\"file\"; FileName=\"a.png\"", file),
            ("form-data; filename=\"a; name=b.png\"; name=\"file\"", file),
            ("form-data; name=\"file\"; filename=\"a\\\"; name=\\\"b.png\"", file),
            // A browser, with a file whose name ends in `\`.
            ("form-data; name=\"file\"; filename=\"a\\\"", file),
            ("form-data; name=\"file\"; filename=\"a\\\" ; size=1", file),
            ("form-data; filename=\"a\\\"; name=\"file\"", file),
            ("form-data; name=\"file\"; filename=\"a\\\\\"", file),
            // Files named `a"; name="b` and `a";b`, of a program that escapes.
            ("form-data; name=\"file\"; filename=\"a\\\"; name=\\\"b\"", file),
            ("form-data; name=\"file\"; filename=\"a\\\"; name=\"", file),
            ("form-data; name=\"file\"; filename=\"a\\\";b\"", file),
            ("form-data; name = \"text\"", ("text", false, "x")),
            ("form-data; name=text", ("text", false, "x")),
            (&long, file),
        ] {
            for (before, behind) in [("", ""), ("\r\n", ""), ("For people.\r\n", " \t")] {
                let body = format!(
                    "{before}--x{behind}\r\nContent-Disposition: {says}\r\n\r\nx\r\n--x--\r\n"
                );
                let parts = parts("x", body.as_bytes(), 50);
                let parts = parts.unwrap_or_else(|_| panic!("{body} is refused"));
                let seen: Vec<_> = parts
                    .iter()
                    .map(|it| (it.name, it.is_file, &body[it.content.clone()]))
                    .collect();
                assert_eq!(seen, [expected], "{body}");
            }
        }
    }

    #[test]
    fn parts_that_two_readers_could_take_for_two_things_refused() {
        let long = "x".repeat(PART_HEAD_BYTES_MAX);
        for says in [
            "form-data",
            "form-data; filename=\"a.png\"",
            "attachment; name=\"file\"",
            "form-data; name=\"file\"; name=\"text\"",
            "form-data; name=\"file\"; NAME=text",
            "form-data; name=\"file",
            "form-data; name=\"file\" or so; filename=a",
            "form-data; name=fi\"le",
            // Of the field `;b` to one who reads `\"` as a quote, of `; name=` to one who does not.
            "form-data; filename=\"a\\\"; name=\"; name=\";b\"",
            "form-data; name=\"file\\\"; filename=\"; x=\";\"",
            &format!("form-data; name=\"file\"; filename=\"{long}\""),
        ] {
            let body = format!("--x\r\nContent-Disposition: {says}\r\n\r\nx\r\n--x--\r\n");
            assert_eq!(parts("x", body.as_bytes(), 50), Err(Malformed), "{says}");
        }
        let late = " ".repeat(PART_PREAMBLE_BYTES_MAX + 1) + "\r\n--x--";
        assert_eq!(parts("x", late.as_bytes(), 50), Err(Malformed));
        assert_eq!(parts("x", &late.as_bytes()[1..], 50), Ok(Vec::new()));
        assert_eq!(parts("x", b"--x y\r\n\r\n--x--", 50), Err(Malformed));
    }

    #[test]
    fn parts_of_broken_form_refused() {
        let whole = BODY.as_bytes();
        for end in [0, 2, 10, 40, 60, 90, 150, whole.len() - 8] {
            assert_eq!(parts("x", &whole[..end], 50), Err(Malformed), "{end}");
        }
        assert_eq!(parts("y", whole, 50), Err(Malformed));
        let many = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(51);
        assert_eq!(parts("x", format!("{many}--x--").as_bytes(), 50), Err(Malformed));
    }

    proptest! {
        #[test]
        fn parts_of_any_bytes_lie_inside(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let body = [b"--x\r\n".as_slice(), &body].concat();
            if let Ok(parts) = parts("x", &body, 50) {
                prop_assert!(parts.iter().all(|it| body.get(it.content.clone()).is_some()));
            }
        }
    }
}
