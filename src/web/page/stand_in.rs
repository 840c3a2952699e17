//! What apps show of members without a picture, at the head of a profile and for the site: the mark on a
//! ground, as PNG, for many apps draw no SVG. The pages draw a monogram of their own.
//!
//! A picture of four colours with two bits for each pixel; all grounds share one drawing.

use std::io::Write;
use std::sync::LazyLock;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::post::{HUES, hue};
use crate::id::UserName;
use crate::web::route::{AssetHash, Route};

/// Pixels across and down of what stands beside a name: the larger of the two is what phones show.
const FACE: [u32; 2] = [192, 192];
/// And of what stands at the head of a profile.
const BANNER: [u32; 2] = [600, 200];
/// Pixels of the mark, which is 18 wide and 16 high in its own measure, for each of these.
const SCALE: u32 = 6;
/// Pixels are looked at so finely: at three places each, which makes as many shades.
const FINE: u32 = 6;
/// The middles of the mark's dots, in halves of its measure; their radius is six halves.
const DOTS: [[u32; 2]; 3] = [[18, 7], [7, 25], [29, 25]];
/// The grounds of the monograms in the style sheet, in its order.
const GROUNDS: [[u8; 3]; HUES as usize] = [
    [111, 42, 42],
    [111, 94, 42],
    [77, 111, 42],
    [42, 111, 59],
    [42, 111, 111],
    [42, 59, 111],
    [77, 42, 111],
    [111, 42, 94],
];
/// The site's own.
const GROUND: [u8; 3] = [11, 85, 96];

/// A picture and its address.
#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    /// Where it is.
    pub(crate) route: Route,
    /// The file.
    pub(crate) bytes: Vec<u8>,
}

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct StandIns {
    /// What stands at the head of a profile, and for the site.
    pub(crate) banner: StandIn,
    faces: [StandIn; HUES as usize],
}

impl StandIns {
    /// Drawn once: sites in tests are many.
    pub(crate) fn drawn() -> &'static Self {
        static DRAWN: LazyLock<StandIns> = LazyLock::new(StandIns::draw);
        &DRAWN
    }

    fn draw() -> Self {
        let face = drawing(FACE);
        Self {
            banner: StandIn::of(BANNER, GROUND, &drawing(BANNER)),
            faces: GROUNDS.map(|ground| StandIn::of(FACE, ground, &face)),
        }
    }

    /// What stands beside a member's name.
    pub(crate) fn face(&self, name: &UserName) -> &StandIn {
        self.faces.get(hue(name) as usize).unwrap_or(&self.banner)
    }

    /// The one at that address; under another version's name the banner.
    pub(crate) fn at(&self, route: &Route) -> &StandIn {
        self.faces.iter().find(|face| face.route == *route).unwrap_or(&self.banner)
    }
}

impl StandIn {
    /// Source: the PNG specification, third edition, sections 5.3 and 11.2.
    fn of([width, height]: [u32; 2], ground: [u8; 3], drawing: &[u8]) -> Self {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        // Two bits for the place of a colour, no interlacing.
        chunk(&mut bytes, *b"IHDR", &[size.as_slice(), &[2, 3, 0, 0, 0]].concat());
        chunk(&mut bytes, *b"PLTE", shades(ground).as_flattened());
        chunk(&mut bytes, *b"IDAT", drawing);
        chunk(&mut bytes, *b"IEND", &[]);
        Self { route: Route::StandIn(AssetHash::of(&bytes)), bytes }
    }
}

/// From the ground to the dots, which are nearly white.
fn shades(ground: [u8; 3]) -> [[u8; 3]; 4] {
    [0, 4, 8, 12].map(|part| ground.map(|part_of| part_of + (u8::MAX - part_of) / 15 * part))
}

fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(data);
    // Of the longest it is a few thousand.
    let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    bytes.extend([&len.to_be_bytes(), kind.as_slice(), data, &sum.sum().to_be_bytes()].concat());
}

/// The pixels of the mark in the middle, row by row, packed.
#[expect(clippy::expect_used, reason = "a Vec takes every byte")]
fn drawing([width, height]: [u32; 2]) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        // Each row stands as it is, with no regard to the one above.
        rows.push(0);
        for x in (0..width).step_by(4) {
            rows.push((x..x + 4).fold(0, |byte, x| byte << 2 | shade([x, y], [width, height])));
        }
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&rows).and_then(|()| encoder.finish()).expect("memory")
}

/// How much of a pixel is in a dot, from 0 to 3.
fn shade([x, y]: [u32; 2], [width, height]: [u32; 2]) -> u8 {
    let [left, top] = [(width - 18 * SCALE) / 2, (height - 16 * SCALE) / 2];
    let half = SCALE * FINE / 2;
    let is_in = |[x, y]: [u32; 2]| {
        DOTS.iter().any(|[right, down]| {
            let across = x.abs_diff(left * FINE + right * half);
            across.pow(2) + y.abs_diff(top * FINE + down * half).pow(2) <= (6 * half).pow(2)
        })
    };
    let places = [[1, 3], [3, 5], [5, 1]].map(|[right, down]| [x * FINE + right, y * FINE + down]);
    places.into_iter().fold(0, |shade, place| shade + u8::from(is_in(place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::frame::STYLE;

    #[test]
    fn stand_ins_are_pictures_of_the_monograms_grounds() {
        let drawn = StandIns::drawn();
        for (n, ground) in GROUNDS.iter().enumerate() {
            let rule = format!(".h{n} {{ background: hsl({} 45% 30%); }}", n * 45);
            assert!(STYLE.contains(&rule), "{rule}");
            assert_eq!(ground.iter().min(), Some(&42), "the lightness of the style sheet");
            assert_eq!(ground.iter().max(), Some(&111));
        }
        for (file, ground) in drawn.faces.iter().zip(GROUNDS).chain([(&drawn.banner, GROUND)]) {
            let image = image::load_from_memory(&file.bytes).unwrap().to_rgb8();
            assert!(file.bytes.len() < 2_000, "{}", file.bytes.len());
            assert_eq!(image.get_pixel(0, 0).0, ground);
            assert!(image.pixels().any(|pixel| pixel.0.iter().all(|part| *part > 190)));
            assert_eq!(drawn.at(&file.route).bytes, file.bytes);
        }
        assert_eq!(drawn.at(&Route::StandIn(AssetHash::of(b"a"))).route, drawn.banner.route);
    }
}
