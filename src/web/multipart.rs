//! Forms that bring files (`multipart/form-data`, RFC 7578): where each part stands in the body. Nothing is
//! copied: a file may be megabytes.

use std::ops::Range;

/// Bytes of a boundary; RFC 2046 allows 70.
const BOUNDARY_BYTES_MAX: usize = 70;
/// Bytes of one part's header lines.
const HEAD_BYTES_MAX: usize = 1024;

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
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parameters.split(';').find_map(|it| it.trim().strip_prefix("boundary="))?;
    let boundary = named.trim_matches('"');
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
    if !body.starts_with(first) {
        return Err(Malformed);
    }
    let mut parts = Vec::new();
    let mut at = first.len();
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let rest = rest.strip_prefix(b"\r\n").ok_or(Malformed)?;
        let head_end =
            find(rest.get(..rest.len().min(HEAD_BYTES_MAX)).unwrap_or_default(), b"\r\n\r\n");
        let head_end = head_end.ok_or(Malformed)?;
        let start = at + 2 + head_end + 4;
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
    let parameters = value.strip_prefix("form-data")?;
    let quoted = |name: &str| {
        let (_, after) = parameters.split_once(&format!("; {name}=\""))?;
        after.split_once('"').map(|(value, _)| value)
    };
    // Some programs write a name that is not ASCII as `filename*=` alone.
    let is_file = quoted("filename").is_some() || parameters.contains("; filename*=");
    Some((quoted("name")?, is_file))
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
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=x", None),
            ("application/x-www-form-urlencoded; boundary=x", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
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
