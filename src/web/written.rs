//! Short texts: a page is made of hundreds of them.

use std::fmt::{self, Write as _};

/// Bytes that nearly all addresses, times and labels of a page fit into. `format!` and `to_string` make
/// less room than most of them need and then more, which costs more than what is written.
const SHORT_BYTES: usize = 64;

/// What `what` says.
pub(crate) fn written(what: fmt::Arguments<'_>) -> String {
    let mut text = String::with_capacity(SHORT_BYTES);
    push(&mut text, what);
    text
}

/// The same, behind what is there. Writing to a `String` cannot fail.
pub(crate) fn push(text: &mut String, what: fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}
