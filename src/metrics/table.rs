//! What each number is, and what a bad one looks like: the page's help texts and WATCH.md are made of
//! this.

/// What a number is to those who collect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows; starts at 0 with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by how long something took.
    Histogram,
}

/// Who knows a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Web servers.
    Web,
    /// Backends.
    Backend,
    /// Both.
    Both,
}

/// One number, or one for each of its labels' values.
#[derive(Debug)]
pub struct Metric {
    /// As it is called.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Who knows it.
    pub side: Side,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    /// When to worry.
    pub bad: &'static str,
}

/// All of them, in the order of the page.
pub const METRICS: [Metric; 15] = [
    Metric {
        name: "tern_requests_total",
        kind: Kind::Counter,
        side: Side::Web,
        labels: &["route", "code"],
        help: "Requests of browsers, by route and status; route gate is what was refused before it had one",
        bad: "code 500 at all, or code 503 for longer than a minute",
    },
    Metric {
        name: "tern_request_seconds",
        kind: Kind::Histogram,
        side: Side::Web,
        labels: &[],
        help: "From a request's first byte until its answer was there",
        bad: "one in a hundred above 2.5 s: the backends or their disks are slow",
    },
    Metric {
        name: "tern_write_commit_seconds",
        kind: Kind::Histogram,
        side: Side::Backend,
        labels: &[],
        help: "From the decision what to write until a majority of the machines had it on disk",
        bad: "half of them above 0.25 s: a slow disk or network at two machines",
    },
    Metric {
        name: "tern_node_up",
        kind: Kind::Gauge,
        side: Side::Backend,
        labels: &["node"],
        help: "Whether a machine answers this one: 1 or 0",
        bad: "0 for longer than a restart takes; with fewer than a majority at 1 nothing is saved",
    },
    Metric {
        name: "tern_node_votes",
        kind: Kind::Gauge,
        side: Side::Backend,
        labels: &["node"],
        help: "Whether a machine that answers takes part in saving everything: 1 or 0",
        bad: "0 for longer than a start takes: its disk is full or broken, or a file is damaged; tern cluster status says which",
    },
    Metric {
        name: "tern_node_behind_entries",
        kind: Kind::Gauge,
        side: Side::Backend,
        labels: &["node"],
        help: "Members' files of which a machine lacks entries; left out while nobody knows",
        bad: "growing, or above 0 for an hour: it does not catch up",
    },
    Metric {
        name: "tern_node_pictures_missing",
        kind: Kind::Gauge,
        side: Side::Backend,
        labels: &["node"],
        help: "Files of pictures that posts refer to and that a machine does not have",
        bad: "above 0 for an hour: no machine that it reaches has them, so look for them in a backup",
    },
    Metric {
        name: "tern_lock_wait_seconds",
        kind: Kind::Histogram,
        side: Side::Backend,
        labels: &[],
        help: "From wanting a member's lock until a majority gave it, or it was given up",
        bad: "one in a hundred above 1 s: many write to one member, or machines are slow",
    },
    Metric {
        name: "tern_term_conflicts_total",
        kind: Kind::Counter,
        side: Side::Backend,
        labels: &[],
        help: "Locks lost to another machine, and taken anew",
        bad: "more than a few a minute: web servers do not agree on whom to ask for a member",
    },
    Metric {
        name: "tern_login_failures_total",
        kind: Kind::Counter,
        side: Side::Backend,
        labels: &[],
        help: "Sign-ins refused: a wrong name or password, or too many of them",
        bad: "hundreds an hour: somebody guesses passwords",
    },
    Metric {
        name: "tern_disk_free_bytes",
        kind: Kind::Gauge,
        side: Side::Backend,
        labels: &[],
        help: "Bytes free for the data directory; left out while the disk does not tell",
        bad: "below 1000000000: make room, a full disk saves nothing",
    },
    Metric {
        name: "tern_disk_written_bytes_total",
        kind: Kind::Counter,
        side: Side::Backend,
        labels: &[],
        help: "Bytes written to files of the data directory since the start, what the file system adds apart",
        bad: "more than 10000 a post for a day: a memory card wears out",
    },
    Metric {
        name: "tern_users",
        kind: Kind::Gauge,
        side: Side::Backend,
        labels: &[],
        help: "People who have an account",
        bad: "a step down that nobody asked for, or one up: accounts made by a program",
    },
    Metric {
        name: "tern_posts_total",
        kind: Kind::Counter,
        side: Side::Backend,
        labels: &[],
        help: "Posts written through this machine since it started; add the machines up",
        bad: "none for a day where people post daily, or thousands an hour",
    },
    Metric {
        name: "tern_build_info",
        kind: Kind::Gauge,
        side: Side::Both,
        labels: &["version"],
        help: "Always 1; the label says which version runs",
        bad: "two versions for longer than an update takes",
    },
];

impl Kind {
    /// As it is called on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Side {
    /// As it is called in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Backend => "backend",
            Self::Both => "both",
        }
    }
}
