//! Every bound in the system: its name ends in its unit, its comment gives the reason.

mod app;
mod command;
mod disk;
mod line;
mod memory;
mod people;
mod picture;
mod sign_in;
mod stream;
mod thread;
mod touch;

pub use app::*;
pub use command::*;
pub use disk::*;
pub use line::*;
pub use memory::*;
pub use people::*;
pub use picture::*;
pub use sign_in::*;
pub use stream::*;
pub use thread::*;
pub use touch::*;

// ---- what people write (sources: the sign-up and composer forms' own words)

/// Characters (Unicode scalar values, CR LF as one) of a post.
pub const POST_CHARS_MAX: usize = 500;
/// Characters of the note that a post is folded behind.
pub const NOTE_CHARS_MAX: usize = 100;
/// Characters of a display name.
pub const DISPLAY_NAME_CHARS_MAX: usize = 40;
/// Characters of a bio.
pub const BIO_CHARS_MAX: usize = 200;
/// Characters of a reason: why a post is reported or hidden, why somebody is suspended.
pub const REASON_CHARS_MAX: usize = 200;
/// Characters that the keeper says to strangers on the first page.
pub const COMMUNITY_CHARS_MAX: usize = 1_000;
/// Bytes of a password after NFC, at least. Source: ASVS 5.0, 6.2.1.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Bytes of a password after NFC, at most: hashing more would only cost. Longer ones are refused,
/// never cut.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Characters kept of what a browser calls itself.
pub const DEVICE_CHARS_MAX: usize = 200;

// ---- pages

/// Posts on a page.
pub const POSTS_PAGE: usize = 30;
/// Steps through a list for each post that its page shows: reposts of what stands on the page already,
/// or was deleted, are passed over.
pub const FEED_STEPS_PER_POST: usize = 64;
/// Names told of those who like a post; of the others, how many they are.
pub const LIKERS_NAMED: usize = 2;
/// People on a page.
pub const PEOPLE_PAGE: usize = 50;
/// Posts in one part of what a member takes along.
pub const EXPORT_POSTS: usize = 200;
/// Bytes of text after which such a part ends: an edited post brings all that it said.
pub const EXPORT_TEXT_BYTES: usize = 256 * 1024;
/// Likes, reposts or bookmarks in one part of what a member takes along.
pub const EXPORT_MARKS: usize = 5_000;
/// Milliseconds for which the address of the next part is good: a slow line takes a minute for the one before.
pub const EXPORT_PART_MS: u64 = 10 * 60 * 1000;
/// Reported posts on a page.
pub const REPORTS_PAGE: usize = 20;
/// Keepers' acts on a page.
pub const LOG_PAGE: usize = 50;
/// Posts, or people, that a page passes over because they are not for its reader's eyes, before it ends
/// early: a fraction of a millisecond.
pub const PASSED_OVER_MAX: usize = 1_000;
/// Members suggested on an empty home page.
pub const SUGGESTIONS: usize = 5;

// ---- a user's file

/// Requests remembered in a user's file; older ones answer "too old to tell".
pub const REQUESTS_KEPT: usize = 1024;
/// Sessions one user may have open, apps' included; opening one more ends the oldest.
pub const SESSIONS_MAX: usize = 50;
/// Invitations that one user may have standing.
pub const INVITATIONS_MAX: usize = 100;
/// People who may join with one.
pub const INVITATION_USES_MAX: u32 = 100;
/// Days for which one may stand.
pub const INVITATION_DAYS_MAX: u32 = 90;
/// Posts that one user may report in their life: rather more than anybody has patience for.
pub const REPORTS_MAX: usize = 1_000;
/// Hours for which somebody may be suspended, unless it is until that is lifted: a year.
pub const SUSPENSION_HOURS_MAX: u32 = 24 * 366;
/// Posts one user may like, at about 100 bytes of the file each.
pub const LIKES_MAX: usize = 50_000;
/// Posts one user may have reposted.
pub const REPOSTS_MAX: usize = 20_000;
/// Posts one user may have bookmarked: a page of them looks through all.
pub const BOOKMARKS_MAX: usize = 5_000;
/// Times one post may be edited: its history is one page, and stays in the file.
pub const EDITS_MAX: usize = 30;
/// Days after which a session ends whatever happens.
pub const SESSION_DAYS_MAX: u64 = 180;
/// Milliseconds after giving one's password for which a keeper is not asked for it again.
pub const PASSWORD_FRESH_MS: u64 = 10 * 60 * 1000;
/// Milliseconds for which a link holds that makes the first keeper.
pub const FIRST_LINK_MS: u64 = 30 * 60 * 1000;
/// Such links at a time: each start of a web server makes one.
pub const FIRST_LINKS_MAX: usize = 16;
/// Milliseconds for which a link holds with which a lost password is mended.
pub const RESET_LINK_MS: u64 = 60 * 60 * 1000;
/// Bytes of what stands in such a link's address: a name, a dot and 22 letters, and some to spare.
pub const LINK_TEXT_BYTES_MAX: usize = 64;
/// Milliseconds after which a web server asks again whether there is a keeper, at first and at most.
pub const FIRST_LINK_RETRY_MS: [u64; 2] = [250, 15_000];
/// Days without a visit after which a session ends.
pub const SESSION_IDLE_DAYS_MAX: u32 = 30;
/// Bytes of one line of a user's file: one write of at most 64 requests.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a user's file: it must fit a frame when a machine that was away fetches it.
pub const USER_FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

// ---- the lock protocol

/// Milliseconds a write may take from taking the local lock to its outcome.
pub const WRITE_MS_MAX: u64 = 1_000;
/// Milliseconds a granted lock shields its holder: half the operation's deadline.
pub const LEASE_MS: u64 = 500;
/// Requests of one user that share a line: 64 longest posts fit [`LINE_BYTES_MAX`].
pub const FOLD_REQUESTS_MAX: usize = 64;
/// Milliseconds a batch waits for those who have arrived to plan: they only have to wake up.
pub const FOLD_MS_MAX: u64 = 20;
/// Lines of one user in a row, while another machine wants the lock, before it is let go first.
pub const ROW_LINES_MAX: u32 = 8;
/// Milliseconds of that pause, at least...
pub const ROW_PAUSE_MS_MIN: u64 = 5;
/// ...and at most: drawn at random, so that machines do not move in step.
pub const ROW_PAUSE_MS_MAX: u64 = 20;
/// Rounds reserved with one flush of `node.json`, so that a promise costs none.
pub const CEILING_STEP: u64 = 1 << 20;
/// Rounds beyond the ceiling that are still believed; more is an error at the sender.
pub const ROUND_LEAP_MAX: u64 = 1 << 40;
/// Members of a cluster: a post's id has room for as many numbers.
pub const MEMBERS_MAX: usize = crate::id::NodeId::MAX as usize;
/// Directories of one machine that were moved out of the way and still lie beside the new one.
pub const OLD_DIRECTORIES_MAX: u32 = 1_000;
/// Milliseconds for which new members that have copied all may differ before each looks again.
pub const INSTALL_AGAIN_MS: u64 = 1_000;
/// Milliseconds between two looks around of a thread that others wake when there is something to do.
pub const IDLE_LOOK_MS: u64 = 500;
/// Milliseconds between two looks at a change of the members that is under way.
pub const CHANGE_LOOK_MS: u64 = 100;
/// Users' files that may still differ when a new machine's change begins: writing pauses for as long
/// as these take.
pub const LEARNED_USERS_MAX: usize = 64;
/// Changes of the machines' state that a backend remembers: some days of trouble.
pub const CHANGES_KEPT: usize = 50;
/// Of these, how many are shown.
pub const CHANGES_SHOWN: usize = 5;
/// Milliseconds a peer has to answer one message.
pub const PEER_ANSWER_MS: u64 = 1_000;
/// Milliseconds a peer has to read and check the longest file before it sends its first byte: a small
/// machine hashes 64 MiB in a second and reads them from a memory card in two.
pub const PEER_FETCH_MS: u64 = 5_000;
/// Connections, and threads, to each peer.
pub const LINKS_PER_PEER: usize = 8;
/// Messages waiting for one link; one more drops the oldest, and catch-up repairs it.
pub const LINK_QUEUE: usize = 64;
/// Bytes of a file that a grant carries inline.
pub const GRANT_BODY_BYTES_MAX: usize = 64 * 1024;
/// User locks kept in memory; beyond it those that nobody holds are forgotten.
pub const USER_LOCKS_KEPT: usize = 10_000;
/// Pieces of work waiting for the catch-up thread; more are dropped, comparison finds them again.
pub const ERRANDS_QUEUE: usize = 10_000;
/// Milliseconds between two looks at what is left unsettled.
pub const SETTLE_MS: u64 = 2_000;
/// Milliseconds between two comparisons of all versions with the peers, unless one has just come.
pub const COMPARE_MS: u64 = 5_000;
/// Users that catch-up learns at once: a disk makes many flushes durable in the time of one.
pub const LEARN_THREADS: usize = 8;
/// Threads that read the users' files at start, if there are as many cores.
pub const LOAD_THREADS_MAX: usize = 4;
/// Milliseconds between two looks at damaged files that are to be rebuilt.
pub const REPAIR_LOOK_MS: u64 = 100;
/// Milliseconds that rebuilding one may take from taking the lock: reading, checking and writing the
/// longest file is part of it.
pub const REPAIR_MS_MAX: u64 = 10_000;
/// Milliseconds before a file that could not be rebuilt is tried again; twice as long each time...
pub const REPAIR_PAUSE_MS: u64 = 500;
/// ...up to this; when a machine that was missing is back, at once.
pub const REPAIR_PAUSE_MS_MAX: u64 = 30_000;
/// Seconds within which each file is read once and checked: a week.
pub const SCRUB_ROUND_S: u64 = 7 * 24 * 3_600;
/// Milliseconds between two files that are checked, at most: a trickle where there are few.
pub const SCRUB_PAUSE_MS_MAX: u64 = 60_000;
/// Bytes a millisecond that the check reads at most, 4 MB a second: pages need the disk, too.
pub const SCRUB_BYTES_PER_MS_MAX: u64 = 4_096;
/// Rows of one page when machines compare what they hold.
pub const SUMS_PAGE_ROWS: usize = 2_000;

// ---- connections between processes

/// Bytes of one frame: a whole user file and its header.
pub const FRAME_BYTES_MAX: usize = USER_FILE_BYTES_MAX + 1024 * 1024;
/// Bytes of a request from a web server: a form's body and what goes with it, escaped as JSON.
pub const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// Milliseconds a stranger has to authenticate.
pub const HANDSHAKE_MS: u64 = 1_000;
/// Bytes a stranger may send before having authenticated.
pub const HANDSHAKE_BYTES_MAX: usize = 4 * 1024;
/// Connections a backend serves at once.
pub const BACKEND_CONNECTIONS_MAX: usize = 512;
/// Seconds a connection between processes may be idle: pings and use keep it alive.
pub const BACKEND_IDLE_S: u64 = 120;
/// Connections that have not authenticated yet; one more ends the oldest of them. An honest one is
/// through within a round trip, so it takes a flood of 64 a round trip to keep it out.
pub const STRANGERS_MAX: usize = 64;
/// Bytes of a key file that are read: 70 are enough, and more is no key file.
pub const KEY_FILE_BYTES_MAX: usize = 256;
/// Milliseconds from a frame's first byte to its last, apart from [`FRAME_BYTES_PER_MS_MIN`].
pub const FRAME_MS: u64 = 1_000;
/// Bytes of ciphertext gathered for one write, one message with its seal and length: a longer frame leaves in
/// several.
pub const WRITE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of buffer that a connection keeps while it waits, and reads at once: most frames fit, and
/// 500 connections hold 2 MB.
pub const CONNECTION_BUFFER_BYTES: usize = 4 * 1024;
/// Seconds of silence before the system asks whether the other machine is still there.
pub const KEEPALIVE_S: u64 = 15;
/// Seconds between two such questions.
pub const KEEPALIVE_INTERVAL_S: u64 = 5;
/// Milliseconds the accept loop rests when the system is out of something (descriptors, threads).
pub const ACCEPT_PAUSE_MS: u64 = 50;
/// Milliseconds that connections may finish the request they are at when the process stops.
pub const STOP_GRACE_MS: u64 = 1_500;

/// Bytes of an answer to a web server: [`API_BELOW_MAX`] and [`API_ABOVE_MAX`] longest posts, escaped, are
/// under 2 MiB.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Milliseconds a backend has to take a web server's connection, handshake included.
pub const DIAL_MS: u64 = 1_000;
/// The same for a backend that is suspected, and asked only because the others did not do.
pub const DIAL_SUSPECTED_MS: u64 = 500;
/// Milliseconds a web server waits for an answer before it looks whether the backend is suspected.
pub const ANSWER_SLICE_MS: u64 = 100;
/// Milliseconds a backend has to answer a web server: a sign-in may wait 2 s for its turn, hash,
/// and then write.
pub const ATTEMPT_MS: u64 = 6_000;
/// The same for a backend that is suspected.
pub const ATTEMPT_SUSPECTED_MS: u64 = 2_000;
/// Milliseconds a web server takes to ask all backends; then it answers what it knows.
pub const ASK_MS: u64 = 8_000;
/// Idle connections that a web server keeps to each backend; one more is closed.
pub const POOL_CONNECTIONS_MAX: usize = 32;
/// Seconds an idle connection is kept: the web server lets go before the backend does.
pub const POOL_IDLE_S: u64 = 60;

const _: () = assert!(REQUEST_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(RESPONSE_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!((FRAME_BYTES_MAX as u64) < u32::MAX as u64);
const _: () = assert!(STRANGERS_MAX < BACKEND_CONNECTIONS_MAX);
const _: () = assert!(POOL_IDLE_S < BACKEND_IDLE_S);
const _: () = assert!(DIAL_SUSPECTED_MS < DIAL_MS);
const _: () = assert!(ATTEMPT_SUSPECTED_MS < ATTEMPT_MS && ATTEMPT_MS < ASK_MS);
const _: () = assert!(WRITE_MS_MAX < STOP_GRACE_MS);
const _: () = assert!(LEASE_MS * 2 <= WRITE_MS_MAX);
const _: () = assert!(GRANT_BODY_BYTES_MAX < FRAME_BYTES_MAX);

// ---- what handlers and pages make of what people write

/// Characters kept of a browser's network address: the longest IPv6 address with a scope fits.
pub const ADDRESS_CHARS_MAX: usize = 64;
/// Characters of a typed name that are looked at to suggest a better one.
pub const SUGGESTION_CHARS_READ: usize = 200;
/// Characters of a link's address that are shown; the rest becomes `…`.
pub const LINK_CHARS_SHOWN: usize = 60;
/// Characters of a post that are its title in a feed.
pub const FEED_TITLE_CHARS_SHOWN: usize = 60;
/// Characters of a tag: longer ones are text.
pub const TAG_CHARS_MAX: usize = 100;
/// Characters of a search.
pub const QUERY_CHARS_MAX: usize = 200;
/// Words, names and tags of a search: each is looked for in each text.
pub const QUERY_TERMS_MAX: usize = 10;

// ---- the index

/// Items in one chunk of a sorted list: an insertion moves at most this many, 12 KiB of posts.
pub const INDEX_CHUNK_ITEMS: usize = 1024;
/// People up to whom a home page asks each one's own list of posts straight away.
pub const HOME_MERGE_PEOPLE: usize = 64;
/// Posts a home page walks back through everybody's, for each person followed, before it turns to
/// each one's own list instead.
pub const HOME_WALK_PER_PERSON: usize = 2;
/// Posts and members looked through to suggest people to follow.
pub const SUGGESTION_STEPS_MAX: usize = 1000;

/// Posts and labels looked through to tell which tags were used last.
pub const RECENT_TAGS_STEPS_MAX: usize = 1_000;
/// Posts and tags kept to tell which were used last: enough that many posts may be taken back.
pub const RECENT_TAGS_KEPT: usize = 4 * RECENT_TAGS_STEPS_MAX;
/// Tags told as used last.
pub const RECENT_TAGS: usize = 20;
/// What is new for somebody is counted up to here; more is `99+`.
pub const NEWS_COUNTED_MAX: usize = 100;

const _: () = assert!(INDEX_CHUNK_ITEMS >= 4);

// ---- a search

/// People found.
pub const PEOPLE_FOUND: usize = 5;
/// Milliseconds a search reads posts; then it tells what it found so far.
pub const SEARCH_MS: u64 = 1_000;
/// Posts that a search takes from the index at once, and the most that it looks at for that: the index
/// is locked meanwhile.
pub const SEARCH_STEP_POSTS: usize = 1_000;
/// Texts that a search reads: what a small machine reads in [`SEARCH_MS`] is less, and no page costs
/// more than this on a big one.
pub const SEARCH_READS_MAX: usize = 200_000;
/// Searches that read texts at once: each takes a core. One more is told to come back.
pub const SEARCHES_MAX: usize = 2;
/// Seconds after which whom the searches turned away may try again.
pub const SEARCH_RETRY_S: u32 = 2;
/// Members looked through for people of a name.
pub const PEOPLE_LOOKED_AT_MAX: usize = 10_000;

const _: () = assert!(SEARCH_MS < ATTEMPT_SUSPECTED_MS);
// ---- the store

/// Files kept open for reading: the authors of a few pages. Far below the 1,024 descriptors that a
/// process gets by default, of which connections need most.
pub const READ_HANDLES_MAX: usize = 128;
/// Bytes of the reason in a damage mark: a person reads it.
pub const MARK_BYTES_MAX: usize = 1024;
/// Bytes of `node.json`: 15 machines and room for what newer versions add.
pub const NODE_FILE_BYTES_MAX: usize = 64 * 1024;
/// Milliseconds between two looks for files that are worth compacting.
pub const COMPACT_LOOK_MS: u64 = 10_000;
/// Files compacted at one look: the rest waits for the next.
pub const COMPACT_FILES_MAX: usize = 100;
/// Bytes of a user's file that say nothing any more, and percent of it, above which it is compacted.
pub const DEAD_BYTES_MIN: u64 = 64 * 1024;
/// See [`DEAD_BYTES_MIN`].
pub const DEAD_PERCENT_MIN: u64 = 50;
/// Milliseconds after which the text of a deleted post leaves the disk, whatever it weighs.
pub const DELETED_TEXT_MS: u64 = 60 * 60 * 1000;
/// Times a post is looked up again because its file was replaced between two looks.
pub const POST_READS_MAX: usize = 3;
/// Bytes set aside so that a full disk still takes marks, `node.json` and compaction.
pub const BALLAST_BYTES: u64 = 1024 * 1024;
/// Bytes of the buffer through which a user's file is read at start.
pub const LOAD_BUFFER_BYTES: usize = 64 * 1024;

const _: () = assert!(LINE_BYTES_MAX < USER_FILE_BYTES_MAX);

// ---- backups

/// Users in one backup: their rows of the manifest are kept in memory until its end.
pub const BACKUP_USERS_MAX: usize = 300_000;
/// Files of pictures in one backup, small ones included: rows of the manifest as well.
pub const BACKUP_PICTURES_MAX: usize = 400_000;
/// Bytes of the manifest, whose rows hold a path, a length, a hash and a version.
pub const BACKUP_MANIFEST_BYTES_MAX: usize = (BACKUP_USERS_MAX + BACKUP_PICTURES_MAX + 2) * 256;
/// Bytes of what stands first in a backup.
pub const BACKUP_ABOUT_BYTES_MAX: usize = 4 * 1024;
/// Files wrong in a backup that are told one by one: of the others, how many they are.
pub const FLAWS_SHOWN: usize = 100;
/// The highest round in a backup that is believed: many are left above it for the restored machine.
pub const BACKUP_ROUND_MAX: u64 = 1 << 62;
/// Times a file that turns out damaged while it is read for a backup is filled again and read.
pub const BACKUP_READS_MAX: u32 = 3;
/// Milliseconds that a user's file for a backup is waited for, apart from its transfer: the others are
/// asked, what is undecided is settled, and up to 64 MiB are read and checked.
pub const BACKUP_ANSWER_MS: u64 = WRITE_MS_MAX + 2 * PEER_FETCH_MS;
/// Milliseconds for which all machines are asked in turn before a backup is given up.
pub const BACKUP_TRY_MS: u64 = 20_000;
/// The same once one of them says that too few are there: it asked the others for so long as well, so this
/// is time for one that starts anew.
pub const BACKUP_TOO_FEW_MS: u64 = 5_000;
/// Milliseconds between two rounds of that.
pub const BACKUP_PAUSE_MS: u64 = 200;

// ---- the gate (what stands between browsers and the pages)

/// Connections of browsers open at once: one thread and one descriptor each, below the 1,024
/// descriptors that a process has by default.
pub const GATE_CONNECTIONS_MAX: usize = 512;
/// Connections of one address (IPv6: of one /64) open at once: five browsers' six and some.
pub const GATE_ADDRESS_CONNECTIONS_MAX: usize = 32;
/// Connections that are served however few descriptors there are.
pub const GATE_CONNECTIONS_MIN: usize = 16;
/// Bytes of memory for each connection: the stack of its thread and, where both are one process, of the backend's
/// that answers it, and what is read and written.
pub const GATE_CONNECTION_BYTES: u64 = 1280 * 1024;
/// Descriptors for each worker: three of its connection to the gate, and one to a backend.
pub const GATE_WORKER_DESCRIPTORS: usize = 4;
/// Descriptors for all else that the process has open.
pub const GATE_OTHER_DESCRIPTORS: usize = 32;
/// Bytes that the system may hold of an answer that a browser has not taken (Linux doubles it).
pub const GATE_SEND_BUFFER_BYTES: usize = 128 * 1024;
/// Bytes that it may hold of what a browser sent and the gate has not read: a form.
pub const GATE_RECEIVE_BUFFER_BYTES: usize = 64 * 1024;
/// Bytes of all answers together that browsers have not taken yet; beyond it, the address that
/// holds most loses the connection that has had most time.
pub const GATE_ANSWERS_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Connections that the system holds until they are accepted; one more tries again after a second.
pub const GATE_BACKLOG: i32 = 4_096;
/// Refused connections waiting to be told so, and as many that were told and wait to be closed; one
/// more is closed without a word.
pub const GATE_REFUSALS_QUEUED: usize = 64;
/// Milliseconds between telling a refused connection so and closing it.
pub const GATE_REFUSAL_MS: u64 = 250;
/// Milliseconds to pause when the system has no connection to give (no descriptor is left).
pub const GATE_ACCEPT_PAUSE_MS: u64 = 50;
/// Milliseconds from a request's first byte to the end of its head, and before that from a
/// connection's opening to the first byte.
pub const GATE_HEAD_MS: u64 = 5_000;
/// Milliseconds from a request's first byte to its last.
pub const GATE_REQUEST_MS: u64 = 15_000;
/// Milliseconds a connection may be idle between two requests.
pub const GATE_IDLE_MS: u64 = 30_000;
/// Milliseconds a request waits for a free worker.
pub const GATE_WORKER_WAIT_MS: u64 = 2_000;
/// The same where a password is hashed for it: a whole crowd may sign in, a tenth of a second each.
pub const GATE_HASH_WAIT_MS: u64 = 4_000;
/// Milliseconds a worker has to answer: more than any fail-over to another backend takes.
pub const GATE_ANSWER_MS: u64 = 12_000;
/// Milliseconds any browser has to take its answer...
pub const GATE_WRITE_MS: u64 = 15_000;
/// ...and for large answers one second more for each so many bytes.
pub const GATE_WRITE_BYTES_PER_S: usize = 16 * 1024;
/// Bytes read and thrown away after a refusal, so that the browser sees the answer and not a reset: the longest
/// form that anybody takes for one, and what a proxy that sends it in chunks puts between.
pub const GATE_DRAIN_BYTES_MAX: usize = UPLOAD_BYTES_MAX + BODY_BYTES_MAX;
/// Milliseconds spent on that.
pub const GATE_DRAIN_MS: u64 = 1_000;
/// Bytes of a request line without its line end.
pub const REQUEST_LINE_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a request's header lines.
pub const HEADERS_BYTES_MAX: usize = 16 * 1024;
/// Header lines of a request.
pub const HEADERS_MAX: usize = 64;
/// Bytes of a request's body: forms only.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer's body, or of each of its parts.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Parts of one answer: more than the longest file of a user makes.
pub const GATE_PARTS_MAX: usize = 20_000;
/// Seconds after which a browser is asked to try again when there is no room.
pub const GATE_RETRY_AFTER_S: u32 = 2;

// A form's body grows at most sixfold when it is escaped as JSON for a backend.
const _: () = assert!(BODY_BYTES_MAX * 6 < REQUEST_BYTES_MAX);
const _: () = assert!(GATE_HEAD_MS < GATE_REQUEST_MS && GATE_REQUEST_MS < GATE_IDLE_MS);
// A part of what a member takes along: each byte of a text grows at most sixfold in a file, and the
// last post may come with all that it ever said.
const _: () = assert!(
    6 * (EXPORT_TEXT_BYTES + (EDITS_MAX + 1) * POST_CHARS_MAX * 4) + EXPORT_POSTS * 1024
        < RESPONSE_BYTES_MAX
);
const _: () = assert!(EXPORT_MARKS * 128 < RESPONSE_BYTES_MAX);
const _: () = assert!(RESPONSE_BYTES_MAX < ANSWER_BYTES_MAX);
const _: () = assert!(2 * ANSWER_BYTES_MAX <= GATE_ANSWERS_BYTES_MAX);
const _: () = assert!(BODY_BYTES_MAX <= GATE_RECEIVE_BUFFER_BYTES);
// The longest file, of posts of one character and 100 bytes each, as parts.
const _: () = assert!(USER_FILE_BYTES_MAX / 100 / EXPORT_POSTS < GATE_PARTS_MAX);
const _: () = assert!(GATE_ADDRESS_CONNECTIONS_MAX < GATE_CONNECTIONS_MAX);
const _: () = assert!(GATE_CONNECTIONS_MIN < GATE_CONNECTIONS_MAX);

// ---- signing in

/// KiB of memory of one password hash, and the most that a stored record may ask for: a pool's
/// buffer holds no more. Source: OWASP's password storage cheat sheet, Argon2id with t=2.
pub const PASSWORD_HASH_KIB: u32 = 19_456;
/// Passes over that memory. Source: as [`PASSWORD_HASH_KIB`].
pub const PASSWORD_HASH_PASSES: u32 = 2;
/// Passes that a stored record may ask for: eight times today's, so that an older program still
/// reads what a later one wrote, and a forged record cannot hold a core for minutes.
pub const PASSWORD_HASH_PASSES_MAX: u32 = 16;
/// Lanes that a stored record may ask for.
pub const PASSWORD_HASH_LANES_MAX: u32 = 4;
/// Passwords hashed at once, at most; fewer on a machine with fewer cores. Each keeps a buffer.
pub const PASSWORD_HASHES_MAX: usize = 4;
/// Hashes waiting for a buffer; one more is told at once to come back.
pub const PASSWORD_HASH_QUEUE: usize = 32;
/// Milliseconds a hash waits for a buffer.
pub const PASSWORD_HASH_WAIT_MS: u64 = 2_000;
/// Seconds after which whom the queue turned away may try again: a full queue is done by then.
pub const PASSWORD_HASH_RETRY_S: u32 = 3;
/// Bytes of a session as a cookie or a request holds it: name, token and version at their longest
/// are 128.
pub const SESSION_TEXT_BYTES_MAX: usize = 128;

/// Wrong passwords for one account before it is closed for a while to addresses from which nobody signed in to
/// it; of the own password, given anew by somebody signed in, before that is not taken for a while.
pub const LOGIN_FAILURES_MAX: u32 = 5;
/// Milliseconds an account is closed the first time; twice as long after each further failure.
pub const LOGIN_LOCK_MS: u64 = 30_000;
/// Milliseconds an account is closed, at most.
pub const LOGIN_LOCK_MS_MAX: u64 = 15 * 60_000;
/// Milliseconds without an attempt after which an account's failures are forgotten: so long that
/// waiting for it gives fewer guesses a day than guessing every 15 minutes.
pub const LOGIN_FAILURES_KEPT_MS: u64 = 6 * 3_600_000;
/// Failed sign-ins from one address (IPv6: one /64) in [`LOGIN_ADDRESS_MS`].
pub const LOGIN_ADDRESS_MAX: usize = 20;
/// Milliseconds over which [`LOGIN_ADDRESS_MAX`] counts.
pub const LOGIN_ADDRESS_MS: u64 = 5 * 60_000;
/// Addresses remembered of one account's successful sign-ins: home, phone, work and some more.
pub const LOGIN_ADDRESSES_KNOWN_MAX: usize = 8;
/// Posts a minute by one user.
pub const POSTS_MINUTE_MAX: usize = 30;
/// Posts an hour by one user.
pub const POSTS_HOUR_MAX: usize = 300;
/// Other acts (follows, deletions, settings) an hour by one user.
pub const ACTS_HOUR_MAX: usize = 300;
/// Searches a minute by one user, or from one address (IPv6: one /64) by strangers.
pub const SEARCHES_MINUTE_MAX: usize = 30;
/// Times a day that one user may begin to take their data along.
pub const EXPORTS_DAY_MAX: usize = 3;
/// Names, and addresses, that each throttle remembers; one more forgets the one not heard of for
/// longest. A few hundred bytes each.
pub const THROTTLE_KEYS_MAX: usize = 10_000;
/// Users whose acts are remembered: at 300 times of 8 bytes for each kind, 10 MB if all of them
/// write as fast as they may.
pub const THROTTLE_USERS_MAX: usize = 2_000;

const _: () = assert!(PASSWORD_BYTES_MIN < PASSWORD_BYTES_MAX);
const _: () = assert!(PASSWORD_HASH_PASSES <= PASSWORD_HASH_PASSES_MAX);
const _: () = assert!(LOGIN_LOCK_MS <= LOGIN_LOCK_MS_MAX);
const _: () = assert!(LOGIN_LOCK_MS_MAX < LOGIN_FAILURES_KEPT_MS);

// ---- the web server

/// Threads that make pages, each with one connection from the gate: many, since a log-in may wait
/// seconds for its turn to hash.
pub const WEB_WORKERS: usize = 48;
/// Bytes of memory that a web server takes at least besides the stacks of its workers.
pub const WEB_MEMORY_BYTES: u64 = 32 * 1024 * 1024;
/// The same of a backend, and room for one password that is hashed.
pub const BACKEND_MEMORY_BYTES: u64 = 44 * 1024 * 1024;
/// Bytes that the standard library gives the stack of a thread where nobody says how many.
pub const LIBRARY_STACK_BYTES: u64 = 2 * 1024 * 1024;
/// Bytes of address space that the program's own file, libraries and locales take.
pub const PROGRAM_MAPPED_BYTES: u64 = 20 * 1024 * 1024;
/// Arenas that GNU's allocator makes, for each core; `MALLOC_ARENA_MAX` says another number.
pub const MALLOC_ARENAS_A_CORE: u64 = 8;
/// Bytes of address space that each of them sets aside.
pub const MALLOC_ARENA_BYTES: u64 = 64 * 1024 * 1024;
/// Milliseconds each worker has to show at start that it answers.
pub const WEB_START_MS: u64 = 5_000;
/// Milliseconds that requests under way have to finish once the server is told to stop.
pub const WEB_STOP_MS: u64 = 10_000;
/// Milliseconds of these that are left for threads to end after the last requests were cut off.
pub const WEB_STOP_GRACE_MS: u64 = 1_000;

const _: () = assert!(WEB_WORKERS < GATE_CONNECTIONS_MAX);
const _: () = assert!(WEB_STOP_GRACE_MS < WEB_STOP_MS);
/// Fields of a form or a query. Our largest form, that of a post, has twenty. A flood of them is cut off here.
pub const FORM_FIELDS_MAX: usize = 50;
/// Seconds a session cookie lasts after it was last set: [`SESSION_IDLE_DAYS_MAX`].
pub const SESSION_COOKIE_S: u32 = SESSION_IDLE_DAYS_MAX * 24 * 60 * 60;
/// Seconds the version last seen is kept: 7 days; without it the session cookie is renewed.
pub const SEEN_COOKIE_S: u32 = 7 * 24 * 60 * 60;
/// Seconds for which it is kept how far a list was read: half a year.
pub const MARKER_COOKIE_S: u32 = 180 * 24 * 60 * 60;
/// Bytes from which an answer is gzipped: a shorter one fills one packet either way.
pub const GZIP_BYTES_MIN: usize = 1024;
/// How hard gzip tries, of 9.
pub const GZIP_LEVEL: u32 = 9;
/// Seconds the cookie with what was chosen for a device lasts: a year. Browsers keep none longer than
/// 400 days.
pub const DEVICE_COOKIE_S: u32 = 365 * 24 * 60 * 60;
/// Languages of an `Accept-Language` that are looked at. People who set many set a dozen.
pub const LANGUAGES_READ_MAX: usize = 32;
/// Names in a post for those named of which a majority is asked whether they have joined, where nobody is known.
pub const NAMES_ASKED_MAX: usize = 8;
/// Posts on the landing page.
pub const LANDING_POSTS: usize = 10;
/// Seconds after which to try again when a write found no majority.
pub const NO_MAJORITY_RETRY_S: u32 = 10;
/// Seconds after which to try again when a machine's copy was older than what its reader has seen.
pub const BEHIND_RETRY_S: u32 = 2;
/// Seconds after which to ask again what became of a write.
pub const UNKNOWN_RETRY_S: u32 = 2;
/// Characters of what a browser calls itself that are shown when it is none we know.
pub const DEVICE_CHARS_SHOWN: usize = 60;
/// Characters of a machine's name in the picture.
pub const MACHINE_NAME_CHARS_SHOWN: usize = 14;

const _: () = assert!(SEEN_COOKIE_S < SESSION_COOKIE_S);
const _: () = assert!(LANDING_POSTS <= POSTS_PAGE);
