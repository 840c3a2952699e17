//! Bounds of pictures: what is taken in, what is made of it, what is kept.

use super::{ASK_MS, BODY_BYTES_MAX, FRAME_BYTES_PER_MS_MIN, REQUEST_BYTES_MAX};

/// Bytes of a picture as it comes.
pub const PICTURE_INPUT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Pixels of a picture as it comes, by its header: more than a phone's camera gives unless it is told to.
pub const PICTURE_PIXELS_MAX: u64 = 40_000_000;
/// Bytes that a picture's pixels, and what its decoder keeps beside them, may take in memory. Looked at
/// before they are decoded; with all else a web server stays below 160 MB. So 28 million pixels of an
/// ordinary photograph are taken, and 14 of one whose file builds up in several passes.
pub const PICTURE_DECODED_BYTES_MAX: u64 = 84 * 1024 * 1024;
/// Pixels on the longer side of what is kept...
pub const PICTURE_SIDE_MAX: u32 = 1_600;
/// ...and of the small picture that stands in lists.
pub const THUMB_SIDE_MAX: u32 = 400;
/// Pixels on each side of the picture beside a name...
pub const AVATAR_SIDE: u32 = 400;
/// ...and of the small one that stands beside posts: twice what is shown, for screens that show more.
pub const AVATAR_THUMB_SIDE: u32 = 96;
/// Hexadecimal digits of its hash that stand in its address: enough to tell one from the one before, and
/// few, for a page may show thirty.
pub const AVATAR_DIGITS: usize = 8;
/// Sides that are tried, one after the other, until what is kept fits [`PICTURE_BYTES_MAX`].
pub const PICTURE_SIDES: [u32; 4] = [PICTURE_SIDE_MAX, 1_200, 900, 600];
/// Quality, of 100, of what is kept as JPEG.
pub const PICTURE_QUALITY: u8 = 82;
/// The same, of the small picture.
pub const THUMB_QUALITY: u8 = 78;
/// Bytes of what is kept of one picture: nearly all photographs take a quarter.
pub const PICTURE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes that go beside a request or an answer: a picture and its small one.
pub const BESIDE_BYTES_MAX: usize = 2 * PICTURE_BYTES_MAX;
/// Milliseconds a picture waits for its turn: one is decoded at a time.
pub const PICTURE_WAIT_MS: u64 = 4_000;

/// Bytes of a form that brings pictures, all of them and what is typed.
pub const UPLOAD_BYTES_MAX: usize = PICTURE_INPUT_BYTES_MAX + BODY_BYTES_MAX;
/// Bytes of what is typed beside pictures: more than in a form without, so that who typed a little more than that
/// has it back.
pub const TYPED_BYTES_MAX: usize = 80 * 1024;
/// Bytes of the header lines of one part of a form: a file's name may have 255 bytes, which some programs
/// write twice, once with three for each.
pub const PART_HEAD_BYTES_MAX: usize = 4 * 1024;
/// Bytes before the first part of a form, which say nothing: a line end, or a sentence for people.
pub const PART_PREAMBLE_BYTES_MAX: usize = 1024;
/// Such forms that the gate takes in at once: each is held whole, and twice only while it is handed on.
pub const UPLOADS_MAX: usize = 2;
/// Bytes of address space that is set aside for such a form, of which it takes what it needs: what is
/// larger than 32 MiB goes back to the system when it is freed, smaller pieces glibc may keep for each thread.
pub const UPLOAD_MAPPING_BYTES: usize = 33 * 1024 * 1024;
/// Bytes of memory for pictures: one that is decoded, and each such form twice.
pub const UPLOADS_MEMORY_BYTES: u64 =
    PICTURE_DECODED_BYTES_MAX + 2 * (UPLOADS_MAX * UPLOAD_MAPPING_BYTES) as u64;
/// Milliseconds that such a form waits for its turn before its sender is told to come back.
pub const UPLOAD_WAIT_MS: u64 = 8_000;
/// Milliseconds between two looks whether the server stops meanwhile.
pub const UPLOAD_LOOK_MS: u64 = 200;
/// Milliseconds from when it is let in to its last byte while others wait for its place: a phone sends
/// 2 Mbit/s nearly anywhere.
pub const GATE_UPLOAD_MS: u64 = 40_000;
/// The same while nobody waits: the longest comes at 16 KB/s, as from where a phone hardly reaches anything.
pub const GATE_UPLOAD_MS_MAX: u64 = 600_000;
/// Bytes a millisecond, from when it was let in, that it has to come while others wait for its place: three
/// quarters of what such a line brings...
pub const UPLOAD_BYTES_PER_MS_MIN: u64 = 12;
/// ...once so many milliseconds have passed: a line begins slowly.
pub const UPLOAD_BEGIN_MS: u64 = 4_000;
/// Milliseconds a worker has to answer it: four pictures are waited for, decoded and kept.
pub const GATE_UPLOAD_ANSWER_MS: u64 = 45_000;
/// Pictures of one post.
pub const POST_PICTURES_MAX: usize = 4;
/// Characters of what a picture's description says.
pub const DESCRIPTION_CHARS_MAX: usize = 300;
/// Bytes of all pictures, small ones included, to which one user's posts may refer: on a memory card of
/// 32 GB there is room for a hundred who use that up.
pub const USER_PICTURE_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// Pictures of one user's posts: each stands in memory on every machine, as what it shows does.
pub const USER_PICTURES_MAX: usize = 2_000;
/// Pictures that one user may send in an hour, and in a day: what is sent and never posted stays for a
/// day.
pub const PICTURES_HOUR_MAX: usize = 60;
/// See [`PICTURES_HOUR_MAX`].
pub const PICTURES_DAY_MAX: usize = 200;
/// Milliseconds that a majority has to take a picture, apart from its transfer.
pub const PICTURE_KEEP_MS: u64 = 4_000;
/// Milliseconds that all peers together have to give one that somebody waits for.
pub const PICTURE_FETCH_MS: u64 = 3_000;
/// The same where nobody does: the largest comes from one of them over the slowest line.
pub const PICTURE_MISSING_MS: u64 =
    PICTURE_FETCH_MS + 2 * PICTURE_BYTES_MAX as u64 / FRAME_BYTES_PER_MS_MIN;
/// Milliseconds that a web server waits in addition for what is made of a picture it sent, at most: sent to a
/// backend, and from there to others.
pub const BESIDE_MS_MAX: u64 = GATE_UPLOAD_ANSWER_MS - ASK_MS;
/// Milliseconds between two looks for pictures that posts refer to and that are not here.
pub const PICTURE_LOOK_MS: u64 = 1_000;
/// Milliseconds before pictures are asked for again that nobody had.
pub const PICTURE_AGAIN_MS: u64 = 5_000;
/// Bytes a millisecond that are fetched from peers for such, 1 MB/s: people write meanwhile.
pub const PICTURE_BYTES_PER_MS_MAX: u64 = 1_024;
/// Milliseconds between two looks for pictures that nothing refers to...
pub const PICTURE_SWEEP_MS: u64 = 10 * 60 * 1000;
/// ...which go when they have not been wanted for so long: a day.
pub const PICTURE_UNWANTED_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds for which a picture that an app sent can be posted: an hour less than it stays, because
/// machines' clocks differ.
pub const SENT_PICTURE_MS: u64 = PICTURE_UNWANTED_MS - 60 * 60 * 1000;
/// Pictures that one user's apps sent and did not post, of which a file tells; older ones are forgotten.
pub const SENT_PICTURES_MAX: usize = 64;

// What is typed grows at most sixfold when it is escaped as JSON for a backend.
const _: () = assert!(BODY_BYTES_MAX < TYPED_BYTES_MAX && TYPED_BYTES_MAX * 6 < REQUEST_BYTES_MAX);
// Whoever waits sees the end of those that are too slow, and the slowest line has the time that it takes.
const _: () = assert!(UPLOAD_BEGIN_MS + UPLOAD_LOOK_MS < UPLOAD_WAIT_MS);
const _: () = assert!(UPLOAD_BYTES_MAX as u64 / (GATE_UPLOAD_MS_MAX / 1_000) < 16 * 1024);
// The last of the sides fits in any case: four bytes a pixel at the most, and a few in a thousand that
// PNG adds.
const _: () = assert!(600 * 600 * 4 + 600 * 600 / 10 < PICTURE_BYTES_MAX);
const _: () =
    assert!(SENT_PICTURES_MAX >= PICTURES_HOUR_MAX && SENT_PICTURE_MS < PICTURE_UNWANTED_MS);
const _: () = assert!(THUMB_SIDE_MAX < PICTURE_SIDE_MAX && AVATAR_THUMB_SIDE < THUMB_SIDE_MAX);
const _: () = assert!(((AVATAR_SIDE * AVATAR_SIDE * 5) as usize) < PICTURE_BYTES_MAX);
