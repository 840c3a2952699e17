//! Passwords and codes of an operator: made here, or read from standard input.

use std::io::BufRead;

use crate::action::{SECRET_LETTERS, spelt};
use crate::cli::cluster::ClusterError;
use crate::limits::PASSWORD_BYTES_MAX;

/// A secret that nobody knows yet.
///
/// # Errors
/// When the system gives no random bytes.
pub(super) fn fresh() -> Result<String, ClusterError> {
    let mut bytes = [0; SECRET_LETTERS];
    getrandom::fill(&mut bytes).map_err(|_| ClusterError::NoRandomness)?;
    Ok(spelt(bytes))
}

/// The first line of what comes in, without its end.
///
/// # Errors
/// When nothing does, or what does is no text.
pub(super) fn read(input: impl BufRead) -> Result<String, ClusterError> {
    let mut line = Vec::new();
    // Room for a line's end.
    let mut input = input.take(PASSWORD_BYTES_MAX as u64 + 2);
    input.read_until(b'\n', &mut line).map_err(ClusterError::Terminal)?;
    if line.strip_suffix(b"\n").unwrap_or(&line).len() > PASSWORD_BYTES_MAX + 1 {
        // By how much nobody knows who has not read all of it.
        let why = format!("the password is too long: it may have {PASSWORD_BYTES_MAX} bytes");
        return Err(ClusterError::Refused(why));
    }
    let text = String::from_utf8(line)
        .map_err(|_| ClusterError::Refused("standard input is not UTF-8".to_owned()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(ClusterError::Refused("no password on standard input".to_owned()));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_typed_easily() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [5; 4]);
    }

    #[test]
    fn first_line_is_the_password() {
        for text in ["hen under oak\n", "hen under oak\r\nmore", "hen under oak"] {
            assert_eq!(read(text.as_bytes()).unwrap(), "hen under oak");
        }
        assert!(read("".as_bytes()).is_err() && read("\nx".as_bytes()).is_err());
        assert!(read(&[b'\xff', b'\n'][..]).is_err());
        let longest = "a".repeat(PASSWORD_BYTES_MAX);
        for end in ["", "\n", "\r\n"] {
            assert_eq!(read(format!("{longest}{end}").as_bytes()).unwrap(), longest);
        }
        let told = read(vec![b'a'; 5_000].as_slice()).unwrap_err().to_string();
        assert_eq!(told, "the password is too long: it may have 1024 bytes");
    }
}
