//! One picture in, two out.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageResult, Limits, RgbImage, Rgba,
};

use super::{PictureError, survey};
use crate::id::PictureKind;
use crate::limits::{
    AVATAR_SIDE, AVATAR_THUMB_SIDE, PICTURE_BYTES_MAX, PICTURE_DECODED_BYTES_MAX, PICTURE_QUALITY,
    PICTURE_SIDE_MAX, PICTURE_SIDES, THUMB_QUALITY, THUMB_SIDE_MAX,
};

/// What is kept of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The picture.
    pub full: Encoded,
    /// The small one that stands in lists.
    pub thumb: Encoded,
}

/// A picture's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Its format.
    pub kind: PictureKind,
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To be looked at in a post.
    Post,
    /// To stand beside a name: the square in its middle.
    Avatar,
}

/// Makes what is kept of a picture. The same bytes make the same files.
///
/// Takes up to `limits::PICTURE_DECODED_BYTES_MAX` of memory, so that [`super::Studio`] is the way to it.
///
/// # Errors
/// [`PictureError`].
pub fn prepare(bytes: &[u8], what_for: Use) -> Result<Made, PictureError> {
    let format = survey::format(bytes)?;
    let Decoded { image, orientation } = decode(format, bytes)?;
    let is_drawn = matches!(format, ImageFormat::Png | ImageFormat::Gif);
    let mut scaled = scale(&image, PICTURE_SIDE_MAX);
    // The large one is not needed any more, and what follows takes memory of its own.
    drop(image);
    let plain = if has_transparency(&scaled) { None } else { Some(scaled.to_rgb8()) };
    if let Some(plain) = plain {
        scaled = DynamicImage::ImageRgb8(plain);
    }
    scaled.apply_orientation(orientation);
    let (sides, thumb_side): (&[u32], u32) = match what_for {
        Use::Post => (&PICTURE_SIDES, THUMB_SIDE_MAX),
        Use::Avatar => {
            scaled = middle(&scaled);
            (&[AVATAR_SIDE], AVATAR_THUMB_SIDE)
        }
    };
    let thumb = encode(&scale(&scaled, thumb_side), is_drawn, THUMB_QUALITY)?;
    for &side in sides {
        let full = encode(&scale(&scaled, side), is_drawn, PICTURE_QUALITY)?;
        if full.bytes.len() <= PICTURE_BYTES_MAX {
            return Ok(Made { full, thumb });
        }
    }
    Err(PictureError::TooManyBytes)
}

struct Decoded {
    image: DynamicImage,
    orientation: Orientation,
}

fn decode(format: ImageFormat, bytes: &[u8]) -> Result<Decoded, PictureError> {
    let reader = Cursor::new(bytes);
    let what = (format, bytes);
    match format {
        ImageFormat::Jpeg => finish(JpegDecoder::new(reader), what),
        ImageFormat::Png => finish(PngDecoder::with_limits(reader, bounds()), what),
        ImageFormat::WebP => finish(WebPDecoder::new(reader), what),
        ImageFormat::Gif => finish(GifDecoder::new(reader), what),
        _ => Err(PictureError::NotAPicture),
    }
}

fn finish<D: ImageDecoder>(
    decoder: ImageResult<D>,
    (format, bytes): (ImageFormat, &[u8]),
) -> Result<Decoded, PictureError> {
    let mut decoder = decoder.map_err(fault)?;
    survey::check_size(&decoder, format, bytes)?;
    decoder.set_limits(bounds()).map_err(fault)?;
    // Which way up a picture is stands in its metadata; unreadable metadata is none.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(fault)?;
    let image = match image {
        known @ (DynamicImage::ImageLuma8(_)
        | DynamicImage::ImageRgb8(_)
        | DynamicImage::ImageRgba8(_)) => known,
        other if other.color().has_alpha() => DynamicImage::ImageRgba8(other.into_rgba8()),
        other => DynamicImage::ImageRgb8(other.into_rgb8()),
    };
    Ok(Decoded { image, orientation })
}

/// A second hedge: what a decoder sets aside is counted by it, too.
fn bounds() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(PICTURE_DECODED_BYTES_MAX);
    limits
}

fn fault(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooMuchMemory,
        _ => PictureError::Damaged,
    }
}

/// The square in the middle.
fn middle(image: &DynamicImage) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    let side = width.min(height);
    image.crop_imm((width - side) / 2, (height - side) / 2, side, side)
}

/// Made smaller, by the mean of the pixels that become one, so that the longer side is at most `side`;
/// never made larger.
fn scale(image: &DynamicImage, side: u32) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    if width.max(height) <= side {
        return image.clone();
    }
    let [width, height] = scaled([width, height], side);
    image.thumbnail_exact(width, height)
}

/// So many pixels made smaller, so that the longer side is at most `side`; never made larger.
pub fn scaled(pixels: [u32; 2], side: u32) -> [u32; 2] {
    let longer = pixels.into_iter().fold(1, u32::max);
    if longer <= side {
        return pixels;
    }
    pixels.map(|length| {
        let rounded =
            (u64::from(length) * u64::from(side) + u64::from(longer / 2)) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(side).max(1)
    })
}

fn has_transparency(image: &DynamicImage) -> bool {
    let is_clear = |pixel: &Rgba<u8>| pixel.0[3] < u8::MAX;
    image.as_rgba8().is_some_and(|pixels| pixels.pixels().any(is_clear))
}

/// PNG for what is transparent; JPEG for the rest, but for what was drawn and is no longer as PNG.
fn encode(image: &DynamicImage, is_drawn: bool, quality: u8) -> Result<Encoded, PictureError> {
    let of = |kind, bytes| Encoded { kind, bytes, width: image.width(), height: image.height() };
    if has_transparency(image) {
        return Ok(of(PictureKind::Png, png(image)?));
    }
    let plain = image.to_rgb8();
    let as_jpeg = jpeg(&plain, quality)?;
    if is_drawn {
        let as_png = png(&DynamicImage::ImageRgb8(plain))?;
        if as_png.len() <= as_jpeg.len() {
            return Ok(of(PictureKind::Png, as_png));
        }
    }
    Ok(of(PictureKind::Jpeg, as_jpeg))
}

fn png(image: &DynamicImage) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    image.write_with_encoder(encoder).map_err(fault)?;
    Ok(bytes)
}

fn jpeg(image: &RgbImage, quality: u8) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).map_err(fault)?;
    Ok(bytes)
}
