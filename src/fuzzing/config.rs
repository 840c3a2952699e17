//! What an operator types: options become checked values, or a refusal that names what is wrong.

use crate::cli::trial::{host_port, parse};
use crate::limits::NAME_CHARS_MAX;

/// A line an option. What is taken can be told again in one spelling; what is refused says why.
pub(super) fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match parse(text.lines()) {
        Ok(told) => {
            for address in told.addresses {
                assert_eq!(host_port(&address).as_ref(), Some(&address), "another spelling");
            }
            for name in told.names {
                assert!((1..=NAME_CHARS_MAX).contains(&name.chars().count()), "{name:?}");
                assert!(!name.contains(char::is_control) && name.trim() == name, "{name:?}");
            }
        }
        Err(why) => assert!(!why.trim().is_empty(), "refused without a word: {text:?}"),
    }
    for value in text.lines() {
        let told = host_port(value);
        assert!(told.as_ref().is_none_or(|told| host_port(told) == told.clone().into()));
    }
}
