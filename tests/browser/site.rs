//! What the walk needs of a running cluster.

/// A web server and its backends.
pub(super) trait Site {
    /// Where a browser finds it: scheme, host and port.
    fn origin(&self) -> String;

    /// Ends one of its backends as `kill -9` does.
    fn kill_one_backend(&self);
}
