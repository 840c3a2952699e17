//! What people send as a picture: two pictures within bounds come of it, or a reason why not.

use crate::limits::{PICTURE_BYTES_MAX, PICTURE_SIDE_MAX, THUMB_SIDE_MAX};
use crate::picture::{Use, prepare, shape};

/// A file. What is made of it is what it says it is, small, and no copy of what hides in the file.
pub(super) fn picture(data: &[u8]) {
    let what_for = if data.len().is_multiple_of(2) { Use::Post } else { Use::Avatar };
    let Ok(made) = prepare(data, what_for) else { return };
    for (encoded, side_max) in [(&made.full, PICTURE_SIDE_MAX), (&made.thumb, THUMB_SIDE_MAX)] {
        assert!(encoded.bytes.len() <= PICTURE_BYTES_MAX, "{} bytes", encoded.bytes.len());
        assert!(encoded.width.max(encoded.height) <= side_max);
        let Some(shape) = shape(&encoded.bytes) else { panic!("no picture was made") };
        let told = (encoded.kind, encoded.width, encoded.height);
        assert_eq!((shape.kind, shape.width, shape.height), told);
        assert!(!encoded.bytes.windows(4).any(|part| part == b"Exif"), "metadata is left");
    }
}
