//! Forms as they stand in a page, read closely enough for pages of our own making.

use std::fmt::Write as _;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where it goes.
    pub(crate) action: String,
    /// Its fields with what stands in them.
    pub(crate) fields: Vec<(String, String)>,
}

/// What [`Form::in_parts`] makes.
pub(crate) const IN_PARTS: &str = "multipart/form-data; boundary=tern";

impl Form {
    /// Filled in, with files, as one that may bring them is sent.
    pub(crate) fn in_parts(&self, filled: &[(&str, &str)], files: &[(&str, &[u8])]) -> Vec<u8> {
        let part = |name: &str, more: &str, content: &[u8]| {
            let head =
                format!("--tern\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
            [head.as_bytes(), content, b"\r\n"].concat()
        };
        let mut body = Vec::new();
        let is_file = |field: &str| field.starts_with("picture_") || field == "avatar";
        for (name, value) in self.filled(filled).iter().filter(|(name, _)| !is_file(name)) {
            body.extend(part(name, "", value.as_bytes()));
        }
        for (name, content) in files {
            body.extend(part(name, "; filename=\"a.jpg\"", content));
        }
        body.extend(b"--tern--\r\n");
        body
    }

    /// What stands in a field.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All fields, some of them with other values than the page gave them.
    pub(crate) fn filled(&self, values: &[(&str, &str)]) -> Vec<(String, String)> {
        let is_given = |field: &str| values.iter().any(|(name, _)| *name == field);
        let kept = self.fields.iter().filter(|(field, _)| !is_given(field)).cloned();
        let given = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        kept.chain(given).collect()
    }
}

/// The forms of a page.
pub(crate) fn forms(page: &str) -> Vec<Form> {
    let mut found = Vec::new();
    for part in page.split("<form").skip(1) {
        let inside = part.split("</form").next().unwrap_or_default();
        let (tag, mut rest) = inside.split_once('>').unwrap_or((inside, ""));
        let mut fields = Vec::new();
        while let Some((before, after)) = rest.split_once('>') {
            rest = after;
            let Some((_, tag)) = before.rsplit_once('<') else { continue };
            let Some(name) = attribute(tag, "name") else { continue };
            // Browsers send no box that is not ticked.
            if tag.contains(" type=\"checkbox\"") && !tag.ends_with(" checked") {
                continue;
            }
            let value = if tag.starts_with("input") {
                attribute(tag, "value").unwrap_or_default()
            } else if tag.starts_with("textarea") {
                let text = rest.split("</textarea").next().unwrap_or_default();
                // The line end right behind the tag is no part of the text.
                unescape(text.strip_prefix('\n').unwrap_or(text))
            } else {
                continue;
            };
            fields.push((name, value));
        }
        let action = attribute(tag, "action").unwrap_or_default();
        let (id, form) = (attribute(tag, "id"), Form { action, fields });
        // Buttons that stand outside of their form say themselves where they send it.
        let sends = |button: &str| {
            let tag = button.split('>').next().filter(|tag| attribute(tag, "form") == id)?;
            Some(Form { action: attribute(tag, "formaction")?, ..form.clone() })
        };
        found.extend(
            id.is_some()
                .then(|| page.split("<button").skip(1).filter_map(sends))
                .into_iter()
                .flatten(),
        );
        found.push(form);
    }
    found
}

/// The value of an attribute in double quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let tag = tag.replace(['\n', '\t'], " ");
    let (_, rest) = tag.split_once(&start)?;
    Some(unescape(rest.split('"').next()?))
}

/// Text with its character references resolved.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let found = after.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        if let Some((c, after)) = found {
            out.push(c);
            rest = after;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out + rest
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Fields as the body of a request: `application/x-www-form-urlencoded`, line ends as browsers send
/// them.
pub(crate) fn encode(fields: &[(String, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| {
        let value = value.replace("\r\n", "\n").replace('\n', "\r\n");
        format!("{}={}", percent(name), percent(&value))
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push('+');
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}
