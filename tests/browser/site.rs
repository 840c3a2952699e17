//! What the walk needs of a running cluster.

use rustix::process::Signal;

use crate::cluster::harness::Cluster;

/// A web server and its backends.
pub(super) trait Site {
    /// Where a browser finds it: scheme, host and port.
    fn origin(&self) -> String;

    /// Ends one of its backends as `kill -9` does.
    fn kill_one_backend(&self);
}

impl Site for Cluster {
    fn origin(&self) -> String {
        self.address()
    }

    fn kill_one_backend(&self) {
        self.kill(2, Signal::KILL);
    }
}
