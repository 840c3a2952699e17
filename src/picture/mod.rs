//! From a picture as somebody sends it to the two that are kept: checked, decoded within bounds, turned
//! the right way up, made smaller and written anew.
//!
//! Writing it anew is what removes the rest: where and with what it was taken, what editors leave behind,
//! and whatever else a file hides beside its pixels. So nothing of what came is ever sent to a browser.
//!
//! Pure but for the memory and time that it takes, which are bounded: what a header says is believed
//! only as far as `limits` goes, and before anything is set aside for it. [`Studio`] lets one picture in
//! at a time and keeps what a decoder may do wrong from taking more than that picture down.
//!
//! Of an animation the first picture is kept. Colours are taken as they are written: a profile that says
//! how to understand them is dropped with all else, which people see on few screens.

mod make;
mod studio;
mod survey;
#[cfg(test)]
mod tests;

pub use make::{Encoded, Made, Use, prepare, scaled};
pub use studio::Studio;
pub use survey::{Shape, shape};

use crate::limits::{PICTURE_DECODED_BYTES_MAX, PICTURE_INPUT_BYTES_MAX, PICTURE_PIXELS_MAX};

/// Why nothing was made of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More bytes than are taken.
    #[error("the file has more than {PICTURE_INPUT_BYTES_MAX} bytes")]
    TooManyBytes,
    /// Neither JPEG nor PNG, WebP or GIF, whatever it is called.
    #[error("the file is no JPEG, PNG, WebP or GIF")]
    NotAPicture,
    /// More pixels than are taken, by the header's word.
    #[error("the picture has more than {PICTURE_PIXELS_MAX} pixels")]
    TooManyPixels,
    /// Its pixels would take more memory than there is for them.
    #[error("the picture would take more than {PICTURE_DECODED_BYTES_MAX} bytes of memory")]
    TooMuchMemory,
    /// It breaks off, or is not what its header says.
    #[error("the picture is incomplete or damaged")]
    Damaged,
    /// Other pictures had their turn for too long.
    #[error("too many pictures at once")]
    Busy,
}
