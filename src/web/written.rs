//! Short texts: a page is made of hundreds of them.

use std::fmt::{self, Write as _};

/// Bytes that nearly all addresses, times and labels of a page fit into. `format!` and `to_string` make
/// less room than most of them need and then more, which costs more than what is written.
const SHORT_BYTES: usize = 64;

/// What `what` says.
pub(crate) fn written(what: fmt::Arguments<'_>) -> String {
    let mut text = String::with_capacity(SHORT_BYTES);
    // It cannot fail: the one error that a `String` knows is that of what it is given, and ours have none.
    let _ = text.write_fmt(what);
    text
}
