//! What a picture's header says, and what decoding it would take: looked at before anything is decoded.

use image::{ColorType, ImageDecoder, ImageFormat};

use super::PictureError;
use crate::id::PictureKind;
use crate::limits::{PICTURE_DECODED_BYTES_MAX, PICTURE_INPUT_BYTES_MAX, PICTURE_PIXELS_MAX};

/// The format by its first bytes: what a browser or a file's name calls it counts for nothing.
pub(super) fn format(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    if bytes.len() > PICTURE_INPUT_BYTES_MAX {
        return Err(PictureError::TooManyBytes);
    }
    match image::guess_format(bytes) {
        Ok(
            known @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Gif),
        ) => Ok(known),
        _ => Err(PictureError::NotAPicture),
    }
}

/// Refuses what would take too much, by what the header says and the decoder keeps.
pub(super) fn check_size(
    decoder: &impl ImageDecoder,
    format: ImageFormat,
    bytes: &[u8],
) -> Result<(), PictureError> {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(PictureError::Damaged);
    }
    if pixels > PICTURE_PIXELS_MAX {
        return Err(PictureError::TooManyPixels);
    }
    let beside = match format {
        ImageFormat::Jpeg => jpeg(bytes)?.kept_bytes,
        // Its decoder keeps a picture of its own beside the one that it gives out; an animation, a
        // third.
        ImageFormat::WebP => pixels.saturating_mul(8),
        ImageFormat::Gif => pixels.saturating_mul(4),
        _ => 0,
    };
    // What has another depth or no colours is made into this before it is made smaller.
    let as_made = match decoder.color_type() {
        ColorType::L8 => pixels,
        ColorType::Rgb8 => pixels.saturating_mul(3),
        ColorType::Rgba8 => pixels.saturating_mul(4),
        _ => decoder.total_bytes().saturating_add(pixels.saturating_mul(4)),
    };
    if as_made.saturating_add(beside) > PICTURE_DECODED_BYTES_MAX {
        return Err(PictureError::TooMuchMemory);
    }
    Ok(())
}

/// What a picture that this module made is, by its header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The format.
    pub kind: PictureKind,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// What a kept picture is, without decoding it; nothing if it is none.
pub fn shape(bytes: &[u8]) -> Option<Shape> {
    let of = |kind, (width, height)| Some(Shape { kind, width, height });
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return of(PictureKind::Jpeg, jpeg(bytes).ok()?.size);
    }
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    of(PictureKind::Png, (number(0)?, number(4)?))
}

/// What the segments of a JPEG file tell.
#[derive(Default)]
struct Jpeg {
    /// Pixels across and down.
    size: (u32, u32),
    /// Bytes that its decoder keeps until the end: all coefficients, where they come in several passes.
    kept_bytes: u64,
    has_frame: bool,
    has_scan: bool,
}

const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Walks through a JPEG file's segments up to its end. The decoder would fill what is missing with grey,
/// so it is here that a file which breaks off is found. What stands behind the end is nobody's business.
fn jpeg(bytes: &[u8]) -> Result<Jpeg, PictureError> {
    let mut jpeg = Jpeg::default();
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let (marker, after) = next_marker(rest).ok_or(PictureError::Damaged)?;
        if marker == END {
            let is_whole = jpeg.has_frame && jpeg.has_scan;
            return if is_whole { Ok(jpeg) } else { Err(PictureError::Damaged) };
        }
        let segment = segment(after).ok_or(PictureError::Damaged)?;
        match marker {
            // Frames: all `SOF`s, among whose numbers are three others.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                if std::mem::replace(&mut jpeg.has_frame, true) {
                    return Err(PictureError::Damaged);
                }
                let number = |at: usize| {
                    let bytes = [*segment.get(at)?, *segment.get(at + 1)?];
                    Some(u32::from(u16::from_be_bytes(bytes)))
                };
                jpeg.size = number(3).zip(number(1)).ok_or(PictureError::Damaged)?;
                let is_progressive = matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
                let bytes = coefficients(segment).ok_or(PictureError::Damaged)?;
                jpeg.kept_bytes = if is_progressive { bytes } else { 0 };
            }
            SCAN => jpeg.has_scan = true,
            _ => {}
        }
        rest = after.get(segment.len() + 2..).unwrap_or_default();
    }
}

/// The next marker and what follows it. Before it may stand a scan's data, in which `ff` is followed by
/// `00` or the number of a restart, and `ff`s that fill.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut pairs = bytes.windows(2).enumerate();
    let (at, marker) = pairs.find_map(|(at, pair)| match pair {
        [0xff, 0x00 | 0x01 | 0xd0..=0xd7 | 0xff] => None,
        [0xff, marker] => Some((at, *marker)),
        _ => None,
    })?;
    Some((marker, bytes.get(at + 2..)?))
}

/// A segment's bytes behind its length, which counts its own two.
fn segment(bytes: &[u8]) -> Option<&[u8]> {
    let length = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
    bytes.get(2..usize::from(length))
}

/// Bytes of all coefficients of a frame: two for each sample of each of its components, which may be
/// coarser than the picture.
fn coefficients(frame: &[u8]) -> Option<u64> {
    let number =
        |at: usize| Some(u64::from(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?])));
    let pixels = number(1)?.checked_mul(number(3)?)?;
    let components = frame.get(6..)?.chunks_exact(3).take(usize::from(*frame.get(5)?));
    let samples: Vec<u64> = components
        .filter_map(|component| component.get(1))
        .map(|factors| u64::from(factors >> 4) * u64::from(factors & 0xf))
        .collect();
    let most = samples.iter().copied().max().filter(|most| *most > 0)?;
    Some(pixels.saturating_mul(2).saturating_mul(samples.iter().sum()) / most)
}
