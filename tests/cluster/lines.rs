//! Reads lines of the log back, and takes nothing that is not exactly as it should be: as strict as the
//! strictest of the programs that read them.

use std::collections::BTreeMap;
use std::str::Chars;

/// The fields of a line of logfmt.
pub(crate) fn logfmt(line: &str) -> Result<BTreeMap<String, String>, String> {
    let mut rest = line.strip_suffix('\n').ok_or("it has no end")?;
    let mut fields = BTreeMap::new();
    loop {
        let (key, value) = rest.split_once('=').ok_or(format!("no field: {rest}"))?;
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("no key: {key}"));
        }
        if fields.contains_key(key) {
            return Err(format!("{key} stands there twice"));
        }
        let value = if let Some(quoted) = value.strip_prefix('"') {
            let mut chars = quoted.chars();
            fields.insert(key.to_owned(), unquoted(&mut chars)?);
            chars.as_str()
        } else {
            let end = value.find(' ').unwrap_or(value.len());
            let (bare, after) = value.split_at(end);
            let is_odd = |c: char| {
                matches!(c, '=' | '"' | '\\') || !(c.is_ascii_graphic() || c.is_alphabetic())
            };
            if bare.is_empty() || bare.contains(is_odd) {
                return Err(format!("should be quoted: {key}={bare}"));
            }
            fields.insert(key.to_owned(), bare.to_owned());
            after
        };
        if value.is_empty() {
            return Ok(fields);
        }
        rest = value.strip_prefix(' ').ok_or(format!("no space after {key}: {value}"))?;
    }
}

/// What stands up to the closing quote, which is taken too.
fn unquoted(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        let c = match chars.next().ok_or("a quote is not closed")? {
            '"' => return Ok(text),
            '\\' => match chars.next().ok_or("an escape has no end")? {
                c @ ('"' | '\\') => c,
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits = chars.as_str().get(..4).ok_or("an escape has no end")?;
                    let number = u32::from_str_radix(digits, 16).map_err(|e| e.to_string())?;
                    *chars = chars.as_str()[4..].chars();
                    char::from_u32(number).ok_or(format!("no character: {digits}"))?
                }
                c => return Err(format!("no escape: {c}")),
            },
            c if c.is_control() => return Err(format!("bare {c:?}")),
            c => c,
        };
        text.push(c);
    }
}

/// The fields of an object: a line that is one, of texts, numbers and booleans.
pub(crate) fn json(line: &str) -> Result<BTreeMap<String, String>, String> {
    let bare = line.strip_suffix('\n').ok_or("it has no end")?;
    let value: serde_json::Value = serde_json::from_str(bare).map_err(|e| e.to_string())?;
    let fields = value.as_object().ok_or("no object")?.iter();
    let texts = fields.map(|(key, value)| match value {
        serde_json::Value::String(text) => Ok((key.clone(), text.clone())),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => {
            Ok((key.clone(), value.to_string()))
        }
        _ => Err(format!("{key} is {value}")),
    });
    texts.collect()
}
