//! What of everybody is held in memory, and how it grows.

use super::REQUESTS_KEPT;

/// Requests remembered in memory of everybody, however long ago they were answered: what one does
/// elsewhere while a form lies open for days.
pub const REQUESTS_LEAST: usize = 64;
/// Milliseconds before a user's last post from which requests are remembered in memory beyond these: a
/// day, in which browsers and apps send again what was not answered, and another one, because the number
/// of a picture that was sent before it was posted is up to a day older than what is said of it.
pub const REQUESTS_MS: u64 = 2 * 24 * 60 * 60 * 1000;
/// Milliseconds after which a thread that hashes passwords ends, and its memory goes back to the system, if
/// nobody signed in meanwhile: filling it anew takes some milliseconds.
pub const PASSWORD_IDLE_MS: u64 = 5_000;
/// Bytes that such a thread sets aside under glibc, of which it fills what hashing takes: what is larger than
/// 32 MiB goes back to the system for certain once it is freed. Of what is less one stays with each of up to
/// eight arenas a core, once the first was freed. Source: mallopt(3), `M_MMAP_THRESHOLD`.
pub const PASSWORD_MAPPED_BYTES: usize = 33 * 1024 * 1024;
/// Bytes at the end of a user's file in which it is looked for the lines that another machine lacks, before
/// all of it is read: some hundred posts.
pub const FETCH_TAIL_BYTES: usize = 256 * 1024;
/// Labels of a user's last posts that are looked through for one to share memory with.
pub const LABELS_COMPARED: usize = 32;
/// Texts of posts that a machine keeps as it read them last from its files: those of the newest posts are on
/// every page.
pub const TEXTS_READ_MAX: usize = 512;
/// Posts that a web server keeps as it drew them last, to draw them once for all who read them.
pub const DRAWN_POSTS_MAX: usize = 512;
/// Bytes of such a drawing; a longer one is drawn anew each time.
pub const DRAWN_BYTES_MAX: usize = 4096;
/// Answers that a web server makes at once of what backends told it: as many as a small machine has cores.
pub const MAKING_MAX: usize = 4;
/// Bytes of what a backend tells from which its answer is one of those. What is shorter becomes ten times as
/// long at most, where a post is all names and tags thirty times.
pub const MAKING_BYTES_MIN: usize = 4 * 1024;
/// Milliseconds that one waits for its turn.
pub const MAKING_WAIT_MS: u64 = 2_000;
/// Bytes of memory for each: what was told, read, and written twice, once with room to grow.
pub const MAKING_BYTES: u64 = 8 * 1024 * 1024;
/// Where memory is limited, this part of what there is beyond the least is for more of them than one.
pub const MAKING_PART: u64 = 4;
/// Bytes of answers that browsers have not taken for each connection, where memory is limited.
pub const GATE_UNTAKEN_BYTES: usize = 128 * 1024;
/// Bytes that each arena of GNU's allocator keeps of what its threads took once, an answer in the making above
/// all: it gives back what is on top, when that is much. Measured: fifteen of them held 100 MiB.
pub const MALLOC_ARENA_KEPT_BYTES: u64 = 6 * 1024 * 1024;
/// Lists of posts grow by this part of their length.
pub const LIST_GROWTH_PART: usize = 16;

const _: () = assert!(REQUESTS_LEAST >= 1 && REQUESTS_LEAST <= REQUESTS_KEPT);
