//! Pictures made here, good and bad, through the same door as those from outside.

use std::io::Write;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::{Made, PictureError, Studio, Use};
use crate::id::PictureKind;
use crate::limits::{PICTURE_BYTES_MAX, PICTURE_INPUT_BYTES_MAX};

fn prepare(bytes: &[u8]) -> Result<Made, PictureError> {
    super::prepare(bytes, Use::Post)
}

const ALL: [ImageFormat; 4] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Something like a photograph: no two pixels are alike.
fn photograph(width: u32, height: u32) -> DynamicImage {
    let pixel = |x: u32, y: u32| {
        let byte = |value: u32| u8::try_from(value % 256).unwrap();
        Rgb([byte(x * 3 + y), byte(y * 5 + x * x / 7), byte(x * y / 11)])
    };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, pixel))
}

/// Two colours, the left half and the right.
fn drawing(width: u32, height: u32, [left, right]: [[u8; 4]; 2]) -> DynamicImage {
    let pixel = |x, _| Rgba(if x < width / 2 { left } else { right });
    DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, pixel))
}

fn read(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: PictureError) {
    assert_eq!(prepare(bytes).map(|made| made.full.kind), Err(expected));
}

fn sizes(made: &Made) -> [(u32, u32); 2] {
    [&made.full, &made.thumb].map(|it| (it.width, it.height))
}

#[test]
fn photograph_of_each_format_made_smaller() {
    for format in ALL {
        let bytes = encoded(&photograph(1_800, 60), format);
        let made = prepare(&bytes).unwrap();
        assert_eq!(sizes(&made), [(1_600, 53), (400, 13)], "{format:?}");
        for it in [&made.full, &made.thumb] {
            let image = read(&it.bytes);
            assert_eq!((image.width(), image.height()), (it.width, it.height));
            // Of what was drawn, PNG may make less.
            if matches!(format, ImageFormat::Jpeg | ImageFormat::WebP) {
                assert_eq!(it.kind, PictureKind::Jpeg, "{format:?}");
            }
            assert!(it.bytes.len() <= PICTURE_BYTES_MAX);
        }
        assert_eq!(prepare(&bytes).unwrap(), made, "{format:?} is not made the same twice");
    }
}

#[test]
fn small_picture_never_made_larger_and_thin_one_never_vanishes() {
    let made = prepare(&encoded(&photograph(30, 20), ImageFormat::Jpeg)).unwrap();
    assert_eq!(sizes(&made), [(30, 20), (30, 20)]);
    let made = prepare(&encoded(&photograph(20_000, 2), ImageFormat::Png)).unwrap();
    assert_eq!(sizes(&made), [(1_600, 1), (400, 1)]);
}

#[test]
fn avatar_is_the_square_in_the_middle() {
    let [red, blue] = [[200, 0, 0, 255], [0, 0, 200, 255]];
    let bytes = encoded(&drawing(1_000, 500, [red, blue]), ImageFormat::Png);
    let made = super::prepare(&bytes, Use::Avatar).unwrap();
    assert_eq!(sizes(&made), [(400, 400), (96, 96)]);
    let image = read(&made.full.bytes).to_rgba8();
    assert_eq!([image.get_pixel(190, 9).0, image.get_pixel(210, 9).0], [red, blue]);
    let made = super::prepare(&encoded(&photograph(7, 90), ImageFormat::Jpeg), Use::Avatar);
    assert_eq!(sizes(&made.unwrap()), [(7, 7), (7, 7)], "never made larger");
}

#[test]
fn transparency_kept_and_what_is_drawn_is_kept_sharp() {
    let [red, clear, blue] = [[200, 0, 0, 255], [0, 0, 0, 0], [0, 0, 200, 255]];
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let made = prepare(&encoded(&drawing(60, 40, [red, clear]), format)).unwrap();
        assert_eq!((made.full.kind, made.thumb.kind), (PictureKind::Png, PictureKind::Png));
        let image = read(&made.full.bytes).to_rgba8();
        assert_eq!(
            [
                image.get_pixel(5, 5).0,
                image.get_pixel(55, 5).0[3..].try_into().map_or(red, |a: [u8; 1]| [0, 0, 0, a[0]])
            ],
            [red, clear]
        );
    }
    let made = prepare(&encoded(&drawing(600, 400, [red, blue]), ImageFormat::Png)).unwrap();
    assert_eq!(made.full.kind, PictureKind::Png);
    assert_eq!(read(&made.full.bytes).to_rgba8().get_pixel(599, 0).0, blue);
}

#[test]
fn animation_gives_its_first_picture() {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for colour in [[10, 200, 10, 255], [200, 10, 10, 255]] {
        let image = drawing(20, 10, [colour, colour]).to_rgba8();
        encoder.encode_frame(Frame::new(image)).unwrap();
    }
    drop(encoder);
    let made = prepare(&bytes).unwrap();
    let pixel = read(&made.full.bytes).to_rgba8().get_pixel(3, 3).0;
    assert!(pixel[1] > 150 && pixel[0] < 60, "{pixel:?}");
}

/// A JPEG with a segment of metadata behind its first two bytes: which way up it is, and where it was
/// taken.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    exif.extend([0x01, 0x0f, 0, 2, 0, 0, 0, 4, b'C', b'A', b'M', 0]);
    exif.extend([0; 4]);
    exif.extend(b"GPS 52.5163N 13.3777E");
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
    bytes.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes
}

#[test]
fn metadata_turns_the_picture_and_goes() {
    let jpeg =
        encoded(&drawing(40, 20, [[255; 4], [0, 0, 0, 255]]).to_rgb8().into(), ImageFormat::Jpeg);
    // 6: to be turned right, so that the light left half is at the top; 8: at the bottom.
    for (orientation, is_light_above) in [(6, true), (8, false)] {
        let bytes = with_exif(&jpeg, orientation);
        assert!(contains(&bytes, b"52.5163N"));
        let made = prepare(&bytes).unwrap();
        assert_eq!(sizes(&made), [(20, 40), (20, 40)]);
        let image = read(&made.full.bytes).to_luma8();
        let (above, below) = (image.get_pixel(10, 2).0[0], image.get_pixel(10, 37).0[0]);
        assert_eq!(above > below, is_light_above, "{orientation}: {above} {below}");
        for it in [&made.full, &made.thumb] {
            for secret in [&b"Exif"[..], b"GPS", b"CAM", b"13.3777"] {
                assert!(!contains(&it.bytes, secret), "{secret:?} is still there");
            }
        }
    }
    assert_eq!(sizes(&prepare(&with_exif(&jpeg, 99)).unwrap()), [(40, 20), (40, 20)]);
}

#[test]
fn s49_what_hides_behind_a_picture_goes() {
    for format in ALL {
        let mut bytes = encoded(&photograph(64, 64), format);
        bytes.extend(b"<script>alert(1)</script>PK\x03\x04");
        match prepare(&bytes) {
            Ok(made) => {
                for it in [&made.full, &made.thumb] {
                    assert!(!contains(&it.bytes, b"script") && !contains(&it.bytes, b"PK\x03\x04"));
                }
            }
            Err(error) => assert_eq!(error, PictureError::Damaged, "{format:?}"),
        }
    }
}

#[test]
fn other_files_are_no_pictures() {
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    let bmp = [&b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0"[..], &[0; 44]].concat();
    for bytes in [&b""[..], b"\xff", b"hello", b"GIF8", b"<!doctype html>", svg, &bmp, b"%PDF-1.7"]
    {
        check_refused(bytes, PictureError::NotAPicture);
    }
    check_refused(&vec![0xff; PICTURE_INPUT_BYTES_MAX + 1], PictureError::TooManyBytes);
}

#[test]
fn broken_off_or_garbled_refused() {
    for format in ALL {
        let bytes = encoded(&photograph(200, 100), format);
        for end in [bytes.len() / 4, bytes.len() / 2, bytes.len() * 9 / 10] {
            let broken = prepare(&bytes[..end]);
            assert_eq!(
                broken.map(|made| made.full.kind),
                Err(PictureError::Damaged),
                "{format:?} {end}"
            );
        }
        let mut garbled = bytes.clone();
        garbled[16..40].fill(0x5a);
        assert!(prepare(&garbled).is_err(), "{format:?}");
    }
}

/// A PNG that says that it is so large, with so many bytes of pixels.
fn png((width, height): (u32, u32), [depth, colour]: [u8; 2], pixels: usize) -> Vec<u8> {
    let mut zipped = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zipped.write_all(&vec![0; pixels]).unwrap();
    let header =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header), (b"IDAT", zipped.finish().unwrap()), (b"IEND", vec![])]
    {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(name);
        crc.update(&data);
        bytes.extend(name);
        bytes.extend(data);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

#[test]
fn bombs_refused_by_their_headers() {
    // Each is a few kilobytes that would become gigabytes.
    check_refused(&png((60_000, 60_000), [8, 2], 1_000_000), PictureError::TooManyPixels);
    check_refused(&png((40_000, 1_001), [8, 2], 1_000_000), PictureError::TooManyPixels);
    check_refused(&png((6_000, 5_000), [16, 6], 1_000_000), PictureError::TooMuchMemory);
    let mut jpeg = encoded(&photograph(16, 16), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    check_refused(&jpeg, PictureError::TooManyPixels);
    let mut gif = encoded(&drawing(16, 16, [[1; 4], [255; 4]]), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    check_refused(&gif, PictureError::TooManyPixels);
}

#[test]
fn header_that_promises_more_than_there_is_refused() {
    check_refused(&png((1_000, 1_000), [8, 2], 3_001 * 10), PictureError::Damaged);
    check_refused(&png((0, 10), [8, 2], 100), PictureError::Damaged);
    prepare(&png((100, 10), [8, 2], 301 * 10)).unwrap();
}

#[test]
fn progressive_jpeg_counts_what_its_decoder_keeps() {
    // 20 million pixels: 60 MB plain, and 60 MB more for the coefficients of all passes.
    let mut jpeg = encoded(&photograph(16, 16), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 1] = 0xc2;
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x0f, 0xa0, 0x13, 0x88]);
    check_refused(&jpeg, PictureError::TooMuchMemory);
}

#[test]
fn studio_outlives_a_decoder_that_panics() {
    let studio = Studio::default();
    let panicked = studio.prepare_by(b"", &|_| panic!("a bug in a decoder"));
    assert_eq!(panicked.map(|made| made.full.kind), Err(PictureError::Damaged));
    let bytes = encoded(&photograph(500, 300), ImageFormat::WebP);
    // On a stack as small as a worker's.
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(512 * 1024);
        let made = worker.spawn_scoped(scope, || studio.prepare(&bytes, Use::Post)).unwrap();
        assert_eq!(sizes(&made.join().unwrap().unwrap()), [(500, 300), (400, 240)]);
    });
}

#[test]
fn animation_of_thousands_of_pictures_costs_no_more_than_one() {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for n in 0..5_000_u32 {
        let shade = if n == 0 { [10, 200, 10, 255] } else { [200, 10, 10, 255] };
        encoder.encode_frame(Frame::new(RgbaImage::from_pixel(4, 4, Rgba(shade)))).unwrap();
    }
    drop(encoder);
    let made = prepare(&bytes).unwrap();
    assert_eq!(sizes(&made), [(4, 4), (4, 4)]);
    let pixel = read(&made.full.bytes).to_rgba8().get_pixel(1, 1).0;
    assert!(pixel[1] > pixel[0], "the first of all, not the last: {pixel:?}");
}

/// A JPEG of one block of 8 by 8, all of one tone, by hand: in so many components, plain or in passes.
fn block(components: u8, is_progressive: bool) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, data].concat()
    };
    // One code of one bit in either table: no difference, and the end of the block.
    let table = |kind: u8| [&[kind, 1][..], &[0; 15], &[0]].concat();
    let ids = 1..=components;
    let parts: Vec<u8> = ids.clone().flat_map(|id| [id, 0x11, 0]).collect();
    let frame = [&[8, 0, 8, 0, 8, components][..], &parts].concat();
    let scan = |from: u8, to: u8| {
        let parts: Vec<u8> = ids.clone().flat_map(|id| [id, 0]).collect();
        segment(0xda, &[&[components][..], &parts, &[from, to, 0]].concat())
    };
    let mut bytes = vec![0xff, 0xd8];
    if components == 4 {
        // As editors write what is to be printed.
        bytes.extend(segment(0xee, b"Adobe\0\x64\0\0\0\0\0"));
    }
    bytes.extend(segment(0xdb, &[&[0][..], &[1; 64]].concat()));
    bytes.extend(segment(if is_progressive { 0xc2 } else { 0xc0 }, &frame));
    bytes.extend(segment(0xc4, &table(0)));
    bytes.extend(segment(0xc4, &table(0x10)));
    if is_progressive {
        bytes.extend([scan(0, 0), vec![0x7f], scan(1, 63), vec![0x7f]].concat());
    } else {
        // Two bits a component, filled up with ones.
        let bits = u8::try_from(0xff_u16 >> (2 * components)).unwrap();
        bytes.extend([scan(0, 63), vec![bits]].concat());
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn jpegs_for_print_and_in_passes_taken() {
    for (components, is_progressive) in [(1, false), (3, false), (4, false), (1, true)] {
        let bytes = block(components, is_progressive);
        let made = prepare(&bytes).unwrap_or_else(|error| {
            panic!("{components} components, progressive {is_progressive}: {error}")
        });
        assert_eq!(sizes(&made), [(8, 8), (8, 8)]);
        let image = read(&made.full.bytes);
        assert_eq!(image.color(), image::ColorType::Rgb8, "what every browser shows");
    }
}

#[test]
fn deep_colours_made_plain_ones() {
    for (colour, bytes_a_pixel) in [(2, 6), (6, 8)] {
        let made = prepare(&png((20, 10), [16, colour], (20 * bytes_a_pixel + 1) * 10)).unwrap();
        assert_eq!(sizes(&made), [(20, 10), (20, 10)]);
        for it in [&made.full, &made.thumb] {
            let kind = read(&it.bytes).color();
            assert!(kind.bytes_per_pixel() <= 4, "{kind:?}");
        }
    }
}

#[test]
fn no_size_and_the_largest_size_refused() {
    let mut jpeg = block(1, false);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for (size, expected) in [
        ([0, 0, 0, 8], PictureError::Damaged),
        ([0, 8, 0, 0], PictureError::Damaged),
        ([0xff; 4], PictureError::TooManyPixels),
    ] {
        jpeg[frame + 5..frame + 9].copy_from_slice(&size);
        check_refused(&jpeg, expected);
    }
    check_refused(&png((65_535, 65_535), [8, 2], 1_000), PictureError::TooManyPixels);
    check_refused(&png((0, 0), [8, 2], 1_000), PictureError::Damaged);
}
