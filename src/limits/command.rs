//! Bounds of the command line, of the processes it starts, and of what an operator asks machines.

use super::{
    EDITS_MAX, LINE_BYTES_MAX, NOTE_CHARS_MAX, POST_CHARS_MAX, REQUEST_BYTES_MAX,
    USER_FILE_BYTES_MAX, WEB_WORKERS,
};

/// Bytes of a line of the log, its end included: as many as a pipe takes in one piece (POSIX's
/// `PIPE_BUF` on Linux), so that lines of several processes never mix.
pub const LOG_LINE_BYTES_MAX: usize = 4096;
/// Bytes of a configuration file: a hundred times what one with every setting has.
pub const CONFIG_FILE_BYTES_MAX: usize = 64 * 1024;
/// Faults of a configuration that are told; the others show when these are mended.
pub const CONFIG_FAULTS_MAX: usize = 20;
/// Characters of a wrong value that its message shows: enough to know it again.
pub const CONFIG_SHOWN_CHARS_MAX: usize = 200;
/// Characters of a community's and of a machine's name: they stand in every page's header.
pub const NAME_CHARS_MAX: usize = 40;
/// Backends that `tern run-cluster` starts at most: more on one machine try nothing new.
pub const RUN_CLUSTER_BACKENDS_MAX: u16 = 5;
/// Reverse proxies that may be trusted.
pub const TRUSTED_PROXIES_MAX: usize = 16;
/// Milliseconds between two words to the service manager's watchdog, at least: each costs a question.
pub const WATCHDOG_MS_MIN: u64 = 100;
/// Questions in the time between two such words, once one had no answer.
pub const WATCHDOG_TRIES: u32 = 10;
/// Open files that a web server needs at least: each worker's connection with both its ends, and as many as it
/// has at rest and with the fewest browsers. Measured: `tern serve` has 162 at rest.
pub const WEB_DESCRIPTORS_MIN: u64 = 2 * WEB_WORKERS as u64 + 96;
/// The same of a backend: files, and some connections to each of its peers.
pub const BACKEND_DESCRIPTORS_MIN: u64 = 64;
/// The same of `tern serve`, which shares some.
pub const SERVE_DESCRIPTORS_MIN: u64 = WEB_DESCRIPTORS_MIN + 32;
/// Milliseconds between two looks for who collects the metrics: collectors come every few seconds.
pub const METRICS_POLL_MS: u64 = 100;
/// How many of them may be asking; with more, the one who began first is let go.
pub const METRICS_CALLERS_MAX: usize = 16;
/// Milliseconds that one of them gets, question and answer.
pub const METRICS_ANSWER_MS: u64 = 2_000;
/// Bytes of its question.
pub const METRICS_HEAD_BYTES_MAX: usize = 8 * 1024;
/// Milliseconds between two looks at whether the parent process is still there.
pub const PARENT_POLL_MS: u64 = 200;
/// Milliseconds between two looks at the processes that `tern run-cluster` started.
pub const CHILD_POLL_MS: u64 = 50;
/// Milliseconds after which a process that ended is started again: a crash at start must not become
/// a storm.
pub const CHILD_RESTART_MS: u64 = 3_000;
/// Milliseconds that the web server, and after it the backends, get to end by themselves when the
/// cluster is stopped; all must be over in 10 seconds.
pub const CHILD_STOP_MS: u64 = 4_500;
/// Milliseconds that a new `tern run-cluster` waits for the processes of a killed one to end.
pub const EARLIER_RUN_MS_MAX: u64 = 10_000;
/// Milliseconds between two questions whether a write would be saved, until the first yes.
pub const READY_POLL_MS: u64 = 100;
/// Milliseconds that one such question may take.
pub const READY_ANSWER_MS: u64 = 2_000;
/// Milliseconds after which a start that still is not over is said to be so, with the reason.
pub const READY_REPORT_MS: u64 = 10_000;
/// Bytes read of the answer to such a question.
pub const READY_ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Milliseconds that `tern cluster …` waits for a machine to take its connection.
pub const OPERATOR_DIAL_MS: u64 = 800;
/// Milliseconds that it waits, after that, for an answer that changes nothing.
pub const OPERATOR_ANSWER_MS: u64 = 1_000;
/// Addresses that it asks: a cluster has no more machines.
pub const OPERATOR_ADDRESSES_MAX: usize = 15;
/// How often it goes on to addresses that an answer names: the list of a machine that was away may be an old
/// one, which names another machine that has the present one.
pub const OPERATOR_ROUNDS_MAX: usize = 3;

const _: () = assert!(2 * CHILD_STOP_MS < 10_000);
const _: () = assert!(OPERATOR_DIAL_MS + OPERATOR_ANSWER_MS < 2_000);
const _: () = assert!(OPERATOR_ADDRESSES_MAX >= crate::id::NodeId::MAX as usize);

/// Milliseconds that `tern user …`, `tern invite …` and `tern import` wait for an answer: a password
/// may wait for its turn to be hashed, and is then written.
pub const OPERATOR_ORDER_MS: u64 = 6_000;
/// Milliseconds for which they ask again while machines are busy, too few or silent.
pub const OPERATOR_PATIENCE_MS: u64 = 10_000;
/// Milliseconds between two times of asking.
pub const OPERATOR_PAUSE_MS: u64 = 200;
/// Users in one answer to the operator.
pub const USERS_PAGE: usize = 500;
/// Invitations in one answer to the operator.
pub const INVITATIONS_PAGE: usize = 500;

/// Bytes of a file that is imported: what is longer fits no user's file.
pub const IMPORT_FILE_BYTES_MAX: usize = USER_FILE_BYTES_MAX;
/// Posts of an import in one line.
pub const IMPORT_POSTS: usize = 200;
/// Bytes of posts after which such a line ends: the last one may come with all that it ever said.
pub const IMPORT_LINE_BYTES: usize = 64 * 1024;
/// Names, or posts that are marked, of an import in one line.
pub const IMPORT_MARKS: usize = 500;
/// Milliseconds by which a time of an import may be ahead of the clock that looks at it: machines'
/// clocks differ. Beyond that the author's next posts would get numbers from the future, too.
pub const IMPORT_AHEAD_MS: u64 = 5 * 60 * 1000;
/// Bytes that an import counts for each of its lines besides the entries.
pub const IMPORT_LINE_OVERHEAD_BYTES: usize = 512;
/// Bytes that an import leaves free in a user's file: somebody should be able to write there.
pub const IMPORT_ROOM_BYTES: usize = 1024 * 1024;
/// Milliseconds between two words on how far an import is.
pub const IMPORT_PROGRESS_MS: u64 = 1_000;

// Two bytes for a quote and four for any other character are the most that a text takes in a line.
const _: () = assert!(
    IMPORT_LINE_BYTES + (EDITS_MAX + 1) * ((POST_CHARS_MAX + NOTE_CHARS_MAX) * 4 + 256)
        < LINE_BYTES_MAX
);
const _: () = assert!(LINE_BYTES_MAX < REQUEST_BYTES_MAX);
const _: () = assert!(IMPORT_MARKS * 160 < LINE_BYTES_MAX);
