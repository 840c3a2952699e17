//! What stands around every page: the header with the machines' state, the band of an old copy, the
//! notice, the navigation.

use std::f64::consts::{FRAC_PI_2, TAU};

use super::form::FormHead;
use super::machines::name;
use super::script;
use super::settings::Tab;
use super::stand_in::StandIns;
use super::time::Moment;
use crate::id::UserName;
use crate::limits::NEWS_COUNTED_MAX;
use crate::web::route::{AssetHash, Route};
use crate::web::words::Lang;
use crate::web::written::written;
use crate::wire::request::{ClusterBrief, Kept, MachineState};

/// The style sheet, the script, the mark as a picture of its own, and what apps show where there is no
/// picture; their addresses hold their hashes.
#[derive(Debug, Clone)]
pub(crate) struct Assets {
    /// Where the style sheet is.
    pub(crate) style: Route,
    /// The script in each language.
    pub(crate) scripts: [ScriptFile; Lang::ALL.len()],
    /// Where the mark is.
    pub(crate) dots: Route,
    /// What apps show where there is no picture.
    pub(crate) stand_ins: &'static StandIns,
}

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("../static/style.css");
/// The script: characters left, new posts, fresh times, keys. At most 3 KB as it stands, so it says
/// little of itself. It looks for `#c`, the box to write in, and `#ch` below it; `.at`, the time of a
/// post; `#new`, the line for new posts; `data-hide`, the link that shows a password. Where no post has
/// the focus it looks for its links in the page's head, where there are none. Its words stand in it, in
/// a file for each language, so that no page has to bring them; `data-keys` is there when the keys are on.
pub(crate) const SCRIPT: &str = include_str!("../static/script.js");
/// The mark.
pub(crate) const DOTS: &str = include_str!("../static/dots.svg");

/// Where the style sheet is: another one is elsewhere, so that browsers may keep this one.
pub(crate) fn style() -> Route {
    Route::Style(AssetHash::of(STYLE.as_bytes()))
}

impl Assets {
    /// Hashes all.
    pub(crate) fn embedded() -> Self {
        Self {
            style: style(),
            scripts: Lang::ALL.map(|lang| {
                let text = script::file(lang);
                ScriptFile { lang, route: Route::Script(AssetHash::of(text.as_bytes())), text }
            }),
            dots: Route::Dots(AssetHash::of(DOTS.as_bytes())),
            stand_ins: StandIns::drawn(),
        }
    }

    /// The script in this language.
    pub(crate) fn script(&self, lang: Lang) -> &ScriptFile {
        let [first, rest @ ..] = &self.scripts;
        rest.iter().find(|file| file.lang == lang).unwrap_or(first)
    }
}

/// The script with the words of one language.
#[derive(Debug, Clone)]
pub(crate) struct ScriptFile {
    /// Which.
    pub(crate) lang: Lang,
    /// Where it is.
    pub(crate) route: Route,
    /// All of it.
    pub(crate) text: String,
}

/// What a page's surroundings depend on.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The reader's language.
    pub(crate) t: Lang,
    /// The community's name.
    pub(crate) community: &'a str,
    /// Where the static files are.
    pub(crate) assets: &'a Assets,
    /// How the machines are; unknown if none answered, or none was asked.
    pub(crate) cluster: Option<&'a ClusterBrief>,
    /// Whether nobody can join.
    pub(crate) is_closed: bool,
    /// Who is signed in.
    pub(crate) viewer: Option<&'a UserName>,
    /// How much concerns them that their device has not shown.
    pub(crate) news: u32,
    /// Whether the script's keys are on.
    pub(crate) has_keys: bool,
}

/// What stands around a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The reader's language: the templates' `t`.
    pub(crate) t: Lang,
    /// The community's name.
    pub(crate) community: String,
    /// The page's name, for the title and the heading.
    pub(crate) title: String,
    /// What its window is called, where that says more than the heading; may be empty.
    pub(crate) called: String,
    /// A soft remark beside the heading; may be empty.
    pub(crate) remark: String,
    /// Whether the title says that something went wrong.
    pub(crate) is_error: bool,
    /// Address of the style sheet.
    pub(crate) style: String,
    /// The script, on pages where it has something to do.
    pub(crate) script: Option<Script>,
    /// Address of the mark.
    pub(crate) dots: String,
    /// The mark, which shows how the machines are.
    pub(crate) mark: Mark,
    /// The same in words.
    pub(crate) machines: String,
    /// How old the copy is, if it may be old.
    pub(crate) band: Option<Band>,
    /// What there is to say first.
    pub(crate) notice: Option<Notice>,
    /// The same posts for feed readers: address and title.
    pub(crate) feed: Option<(String, String)>,
    /// The form that the buttons of all posts share, if they have buttons.
    pub(crate) marks: Option<FormHead>,
    /// The navigation.
    pub(crate) nav: Vec<NavLink>,
}

/// The script as a page names it.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// Its address.
    pub(crate) address: String,
    /// Whether its keys are on.
    pub(crate) has_keys: bool,
}

/// The copy of a machine that is cut off from the others, or lacks what they hold.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    /// Whose copy.
    pub(crate) machine: String,
    /// Of when.
    pub(crate) at: Moment,
}

/// A link of the navigation.
#[derive(Debug, Clone)]
pub(crate) struct NavLink {
    /// Where to.
    pub(crate) href: String,
    /// What it is called.
    pub(crate) label: &'static str,
    /// How many are new there; empty for none.
    pub(crate) news: String,
    /// Whether it is this page.
    pub(crate) is_current: bool,
}

/// What a page says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// How it looks, and whether it is an alert that takes the focus.
    pub(crate) tone: Tone,
    /// The bold first line.
    pub(crate) strong: String,
    /// What follows it; may be empty.
    pub(crate) text: String,
    /// Fields to go to: id and label.
    pub(crate) fields: Vec<(&'static str, &'static str)>,
}

/// How a notice is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done.
    Good,
    /// Take care.
    Care,
    /// Not done.
    Stop,
}

impl Notice {
    /// Says one more thing at the end.
    pub(crate) fn add(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// Something to know.
    pub(crate) fn new(tone: Tone, strong: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone, strong: strong.into(), text: text.into(), fields: Vec::new() }
    }

    /// A post was saved, and on how many machines it was when this page was drawn.
    pub(crate) fn posted(t: Lang, kept: Kept) -> Self {
        let Kept { on, of, .. } = kept;
        let text = match of.saturating_sub(on) {
            0 => t.kept_on_all(of, on),
            1 if of == 3 => t.kept_on_two(on, of),
            1 => t.kept_but_last(on, of),
            _ => t.kept_but_others(on, of),
        };
        Self::new(Tone::Good, t.posted(), text)
    }

    /// The class of its look.
    pub(crate) const fn class(&self) -> &'static str {
        match self.tone {
            Tone::Good => "ok",
            Tone::Care => "care",
            Tone::Stop => "stop",
        }
    }

    /// Whether it is read out at once and takes the focus.
    pub(crate) const fn is_alert(&self) -> bool {
        matches!(self.tone, Tone::Stop)
    }
}

impl Around<'_> {
    /// The frame of a page. `here` is the page's own address, if the navigation knows it.
    pub(crate) fn frame(&self, title: impl Into<String>, here: Option<&Route>) -> Frame {
        let (t, cluster) = (self.t, self.cluster);
        let stale = cluster.and_then(|cluster| Some((cluster, cluster.stale_since?)));
        Frame {
            t,
            community: self.community.to_owned(),
            title: title.into(),
            called: String::new(),
            remark: String::new(),
            is_error: false,
            style: self.assets.style.to_string(),
            // A stranger's first page makes do with a request less.
            script: self.viewer.map(|_| self.script()),
            dots: self.assets.dots.to_string(),
            mark: Mark::of(cluster.map(|cluster| cluster.machines.as_slice())),
            machines: cluster.map_or_else(|| t.machines().to_owned(), |it| in_words(t, it)),
            band: stale.map(|(cluster, since)| Band {
                machine: name(t, &cluster.answered_by),
                at: Moment::to_the_second(t, since),
            }),
            notice: None,
            feed: None,
            marks: None,
            nav: self.nav(here),
        }
    }

    /// The script, for a page that has use for it.
    pub(crate) fn script(&self) -> Script {
        Script { address: self.assets.script(self.t).route.href(), has_keys: self.has_keys }
    }

    fn nav(&self, here: Option<&Route>) -> Vec<NavLink> {
        let t = self.t;
        let links = if let Some(viewer) = self.viewer {
            vec![
                (Route::Home, t.home()),
                (Route::Everyone, t.everyone()),
                (Route::News, t.mentions()),
                (Route::Search, t.search()),
                (Route::Profile(viewer.clone()), t.you()),
            ]
        } else {
            let mut links = vec![(Route::Everyone, t.everyone()), (Route::Search, t.search())];
            links.extend((!self.is_closed).then(|| (Route::Join, t.join())));
            links.push((Route::Login, t.sign_in()));
            links
        };
        let link = |(route, label): (Route, _)| {
            let is_current = here == Some(&route);
            // Whoever looks at them is told by the page itself.
            let news =
                if route == Route::News && !is_current { news(self.news) } else { String::new() };
            NavLink { href: route.href(), label, news, is_current }
        };
        links.into_iter().map(link).collect()
    }
}

impl Frame {
    /// The same with something to say first; what says that nothing was done is an error.
    pub(crate) fn saying(mut self, notice: impl Into<Option<Notice>>) -> Self {
        self.notice = notice.into();
        self.is_error |= self.notice.as_ref().is_some_and(Notice::is_alert);
        self
    }

    /// The same with a feed of its posts.
    pub(crate) fn feeding(mut self, feed: &Route, title: impl Into<String>) -> Self {
        self.feed = Some((feed.to_string(), title.into()));
        self
    }

    /// The same with the form that the buttons of its posts share.
    pub(crate) fn marking(mut self, marks: Option<FormHead>) -> Self {
        self.marks = marks;
        self
    }

    /// The same with another name for its window than its heading.
    pub(crate) fn calling(mut self, called: impl Into<String>) -> Self {
        self.called = called.into();
        self
    }

    /// The same, called after the present one of its tabs: they share a heading.
    pub(crate) fn under(self, tabs: &[Tab]) -> Self {
        let present = tabs.iter().find(|tab| tab.is_current);
        let called = present.map(|tab| format!("{} · {}", tab.label, self.title));
        self.calling(called.unwrap_or_default())
    }

    /// The same with a soft remark beside the heading.
    pub(crate) fn remarking(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }
}

/// How many are new, as the navigation says it.
fn news(count: u32) -> String {
    match count {
        0 => String::new(),
        count if count as usize >= NEWS_COUNTED_MAX => format!("{}+", NEWS_COUNTED_MAX - 1),
        count => count.to_string(),
    }
}

/// `2 of 3 machines`.
fn in_words(t: Lang, cluster: &ClusterBrief) -> String {
    let all = cluster.machines.len();
    let up = cluster.machines.iter().filter(|state| **state != MachineState::Down).count();
    t.machines_up(all, up)
}

/// The mark: a dot for each machine.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    /// Width of its view.
    pub(crate) width: u32,
    /// Height of its view.
    pub(crate) height: u32,
    /// Its dots.
    pub(crate) dots: Vec<Dot>,
}

/// A dot of the mark.
#[derive(Debug, Clone)]
pub(crate) struct Dot {
    /// Centre, from the left.
    pub(crate) x: String,
    /// Centre, from the top.
    pub(crate) y: String,
    /// Radius.
    pub(crate) r: String,
    /// Class of its look: filled in step, a ring behind, a red ring down.
    pub(crate) class: &'static str,
}

impl Mark {
    fn of(machines: Option<&[MachineState]>) -> Self {
        // Three rings where nothing is known.
        let machines = machines.unwrap_or(&[MachineState::Behind; 3]);
        let (height, radius) =
            if machines.len() == 3 { (16, 3.0) } else { (18, ring_radius(machines.len())) };
        let places: Vec<(f64, f64)> = match machines.len() {
            3 => vec![(9.0, 3.5), (3.5, 12.5), (14.5, 12.5)],
            n => ring(n, (9.0, 9.0), 6.0),
        };
        let dot = |(&state, (x, y)): (&MachineState, (f64, f64))| Dot {
            x: coordinate(x),
            y: coordinate(y),
            r: coordinate(radius),
            class: match state {
                MachineState::InStep => "",
                MachineState::Behind => "late",
                MachineState::Down => "down",
            },
        };
        Self { width: 18, height, dots: machines.iter().zip(places).map(dot).collect() }
    }
}

/// The radius of one of `n` dots on the mark's ring.
fn ring_radius(n: usize) -> f64 {
    match n {
        0..=4 => 3.0,
        5..=6 => 2.4,
        _ => 1.4,
    }
}

/// `n` places on a circle, the first on top; one alone in the middle, two side by side.
pub(crate) fn ring(n: usize, centre: (f64, f64), radius: f64) -> Vec<(f64, f64)> {
    let count = u32::try_from(n).unwrap_or(u32::MAX);
    let radius = if n == 1 { 0.0 } else { radius };
    let first = if n == 2 { TAU / 2.0 } else { -FRAC_PI_2 };
    let place = |index: u32| {
        // Against the clock, as the three of the mark go.
        let angle = first - TAU * f64::from(index) / f64::from(count.max(1));
        (centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin())
    };
    (0..count).map(place).collect()
}

/// A coordinate with at most one decimal. Each page has some: floating-point numbers are written ten times
/// slower than whole ones.
#[expect(clippy::cast_possible_truncation, reason = "of a drawing of some hundred units")]
pub(crate) fn coordinate(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    let (sign, whole, tenth) =
        (if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, tenths.abs() % 10);
    if tenth == 0 {
        written(format_args!("{sign}{whole}"))
    } else {
        written(format_args!("{sign}{whole}.{tenth}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PostId;

    #[track_caller]
    fn check(on: u8, of: u8, text: &str) {
        let notice = Notice::posted(Lang::En, Kept { post: PostId::from_raw(1), on, of });
        assert_eq!((notice.strong.as_str(), notice.text.as_str()), ("Posted.", text));
    }

    #[test]
    fn notice_says_how_far_a_post_spread() {
        check(3, 3, "Kept on 3 of 3 machines.");
        check(2, 3, "Kept on 2 of 3; the third will catch up.");
        check(1, 1, "Kept on 1 of 1 machine.");
        check(3, 5, "Kept on 3 of 5; the others will catch up.");
        check(4, 5, "Kept on 4 of 5; the last will catch up.");
    }

    #[test]
    fn mark_has_a_dot_for_each_machine() {
        use MachineState::{Behind, Down, InStep};
        let classes = |states: &[MachineState]| {
            Mark::of(Some(states)).dots.iter().map(|dot| dot.class).collect::<Vec<_>>()
        };
        assert_eq!(classes(&[InStep, Behind, Down]), ["", "late", "down"]);
        assert_eq!(classes(&[InStep]), [""]);
        assert_eq!(classes(&[InStep; 15]).len(), 15);
        assert_eq!(Mark::of(None).dots.len(), 3);
    }

    #[test]
    fn ring_places_by_count() {
        let at = |n| -> Vec<_> {
            let places = ring(n, (100.0, 100.0), 50.0).into_iter();
            places.map(|(x, y)| (coordinate(x), coordinate(y))).collect()
        };
        let place = |x: &str, y: &str| (x.to_owned(), y.to_owned());
        assert_eq!(at(0), []);
        assert_eq!(at(1), [place("100", "100")]);
        assert_eq!(at(2), [place("50", "100"), place("150", "100")]);
        assert_eq!(at(4).first(), Some(&place("100", "50")));
    }
}
