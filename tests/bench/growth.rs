//! How things grow with a community: figures at several sizes, a law that they keep, and a picture.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::document::{Limit, find};

/// Times what n log n gives from the first size to the last; the rest is noise.
const NOISE: f64 = 1.5;
/// Pixels of the picture.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 480.0;
/// Pixels around what is drawn; on the right stand the names.
const EDGE: f64 = 60.0;
const NAMES: f64 = 330.0;
const COLOURS: [&str; 8] =
    ["#0b5d52", "#b3541e", "#3a57a8", "#8a2f6b", "#66720c", "#a02020", "#2a7f9e", "#555"];

/// One thing at several sizes, the smallest first.
pub(crate) struct Growth {
    /// The budget that it is about, by its name.
    pub(crate) budget: &'static str,
    /// What, and in which unit.
    pub(crate) what: String,
    /// What there is more and more of.
    pub(crate) of: &'static str,
    /// How many of these, and the figure.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Growth {
    pub(crate) fn limit(&self) -> Limit {
        find(self.budget).map_or(Limit::NLogN, |budget| budget.limit)
    }

    /// Whether it grew no faster than it may.
    pub(crate) fn keeps(&self) -> bool {
        let (Some((n, first)), Some((m, last))) = (self.points.first(), self.points.last()) else {
            return true;
        };
        let grown = last / first.max(f64::MIN_POSITIVE);
        // One of something has no logarithm to speak of.
        let law = |n: f64| n * n.max(std::f64::consts::E).ln();
        match self.limit() {
            Limit::Grown(most) => grown <= most,
            _ => grown <= NOISE * law(*m) / law(*n),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "budget": self.budget, "what": self.what, "of": self.of, "points": self.points,
            "limit": self.limit().words(), "kept": self.keeps(),
        })
    }
}

/// All of it in one picture, both axes by powers of ten.
pub(crate) fn picture(grown: &[&Growth]) -> String {
    let all = || grown.iter().flat_map(|one| &one.points);
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let low = all().map(of).fold(f64::INFINITY, f64::min).max(0.01).log10().floor();
        let high = all().map(of).fold(0.01, f64::max).log10().ceil();
        (low, high.max(low + 1.0))
    };
    let ((left, right), (bottom, top)) = (ends(|point| point.0), ends(|point| point.1));
    let (wide, high) = (WIDTH - EDGE - NAMES, HEIGHT - 2.0 * EDGE);
    let x = |n: f64| EDGE + (n.max(0.01).log10() - left) / (right - left) * wide;
    let y = |v: f64| HEIGHT - EDGE - (v.max(0.01).log10() - bottom) / (top - bottom) * high;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let mut add = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    for power in powers(left, right) {
        let (at, foot) = (x(10_f64.powf(power)), HEIGHT - EDGE);
        add(format!("<path d=\"M{at:.0} {EDGE}V{foot}\" stroke=\"#ddd\"/>"));
        add(format!(
            "<text x=\"{at:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            foot + 18.0,
            10_f64.powf(power)
        ));
    }
    for power in powers(bottom, top) {
        let at = y(10_f64.powf(power));
        add(format!("<path d=\"M{EDGE} {at:.0}h{wide:.0}\" stroke=\"#ddd\"/>"));
        add(format!(
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>",
            EDGE - 6.0,
            at + 4.0,
            10_f64.powf(power)
        ));
    }
    add(format!(
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">how many there are of what each line names</text>",
        EDGE + wide / 2.0,
        HEIGHT - 12.0
    ));
    for (number, one) in grown.iter().enumerate() {
        let colour = COLOURS.get(number % COLOURS.len()).copied().unwrap_or_default();
        let mut line = String::new();
        for (n, value) in &one.points {
            let _infallible = write!(line, "{:.1},{:.1} ", x(*n), y(*value));
        }
        add(format!(
            "<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ));
        let (_, last) = one.points.last().copied().unwrap_or_default();
        let row = EDGE + 18.0 * f64::from(u32::try_from(number).unwrap_or_default());
        let from = EDGE + wide;
        add(format!(
            "<path d=\"M{from:.0} {:.1}L{:.0} {row:.0}\" stroke=\"{colour}\" stroke-dasharray=\"2 3\"/>",
            y(last),
            from + 26.0
        ));
        add(format!(
            "<text x=\"{:.0}\" y=\"{:.0}\" fill=\"{colour}\">{}</text>",
            from + 30.0,
            row + 4.0,
            format_args!("{}, by {}", one.what, one.of)
        ));
    }
    svg.push_str("</svg>\n");
    svg
}

fn powers(from: f64, to: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(from), |power| Some(power + 1.0))
        .take_while(move |power| *power <= to)
}
