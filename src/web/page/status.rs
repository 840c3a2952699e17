//! The machines: one sentence, their picture, and for members a table.

use askama::Template;

use super::frame::{Frame, Notice, Tone, coordinate, ring};
use super::machines::{Look, broken_lines, change, look, name, note, state, talk};
use super::time::{Moment, span};
use crate::clock::Wall;
use crate::limits::MACHINE_NAME_CHARS_SHOWN;
use crate::web::words::Lang;
use crate::wire::request::{ChangeRow, MachineRow, MachineState, NotVoting, StatusPage as Status};

/// How the machines are.
#[derive(Debug, Template)]
#[template(path = "status.html", config = "src/web/askama.toml")]
pub(crate) struct StatusPage {
    /// What stands around it, with the sentence.
    pub(crate) frame: Frame,
    /// The picture.
    pub(crate) picture: Picture,
    /// The table; empty for strangers.
    pub(crate) rows: Vec<Row>,
    /// What changed last; empty for strangers.
    pub(crate) changes: Vec<Change>,
    /// This page's address, to look again.
    pub(crate) again: String,
}

/// A machine in the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// How it is.
    pub(crate) state: String,
    /// Users' files in which it differs; a dash if unknown.
    pub(crate) behind: String,
    /// How full its disk is; a dash if unknown.
    pub(crate) disk: String,
    /// The program's version; a dash if unknown.
    pub(crate) version: String,
}

/// Something that happened to a machine.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// When.
    pub(crate) at: Moment,
    /// To which machine.
    pub(crate) machine: String,
    /// What.
    pub(crate) what: &'static str,
}

/// The picture of the machines.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// All that it shows, in words.
    pub(crate) title: String,
    /// Left edge of its view: larger rings need room for labels at their sides.
    pub(crate) left: i32,
    /// Width of its view.
    pub(crate) width: u32,
    /// Height of its view.
    pub(crate) height: String,
    /// Who talks with whom.
    pub(crate) lines: Vec<Line>,
    /// The machines.
    pub(crate) nodes: Vec<Node>,
}

/// A line between two machines: from, to, and whether they talk.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) from: (String, String),
    pub(crate) to: (String, String),
    pub(crate) is_cut: bool,
}

/// A machine in the picture.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Centre, from the left.
    pub(crate) x: String,
    /// Centre, from the top.
    pub(crate) y: String,
    /// Where its label begins, from the left.
    pub(crate) label_x: String,
    /// The label's base line.
    pub(crate) label_y: String,
    /// The base line of what is said below it.
    pub(crate) note_y: String,
    /// How the label lies to its point: `start`, `middle` or `end`.
    pub(crate) anchor: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// How it is, in a word.
    pub(crate) note: String,
    /// How it is.
    pub(crate) look: Look,
}

/// The middle of the picture, from the left.
const MIDDLE: f64 = 150.0;

/// How many machines are how.
struct Count {
    all: usize,
    needed: usize,
    up: usize,
    /// Up, and voting on all users but those whose files are damaged.
    voters: usize,
    damaged: usize,
    behind: usize,
}

impl Count {
    fn of(status: &Status) -> Self {
        let machines = &status.machines;
        let count = |is: &dyn Fn(&MachineRow) -> bool| machines.iter().filter(|m| is(m)).count();
        let votes = |m: &MachineRow| matches!(m.refuses, None | Some(NotVoting::Damaged));
        let is_up = |m: &MachineRow| m.state != MachineState::Down;
        Self {
            all: machines.len(),
            needed: usize::from(status.needed),
            up: count(&is_up),
            voters: count(&|m| is_up(m) && votes(m)),
            damaged: count(&|m| is_up(m) && m.refuses == Some(NotVoting::Damaged)),
            behind: count(&|m| look(m) == Look::Late),
        }
    }

    /// Where posts are saved, and how many machines can still be spared.
    fn kept(&self, t: Lang) -> String {
        let Self { all, needed, voters, .. } = *self;
        let spare = match voters.saturating_sub(needed) {
            0 => t.none_to_spare().to_owned(),
            n => t.more_may_fail(n),
        };
        format!("{} {spare}", t.saved_on(voters, all))
    }
}

/// What the page says first.
pub(crate) fn sentence(t: Lang, status: &Status) -> Notice {
    let count = Count::of(status);
    let Count { all, needed, up, voters, damaged, behind } = count;
    if !status.writes {
        let text = if up < needed {
            t.too_few_up(up, all, needed)
        } else if voters < needed {
            t.too_few_vote(voters, all, needed)
        } else {
            t.not_agreed().to_owned()
        };
        let text = format!("{text} {}", t.reading_goes_on());
        return Notice::new(Tone::Stop, t.cannot_save(), text);
    }
    let care = |strong, text| Notice::new(Tone::Care, strong, text);
    if up < all {
        return care(t.working_some_down(all - up), count.kept(t));
    }
    if voters < up {
        return care(t.working_some_refuse(up - voters), count.kept(t));
    }
    let kept = if all == 1 { t.saved_on_one().to_owned() } else { t.saved_on(all, all) };
    if damaged > 0 {
        let text = format!("{kept} {}", t.damaged_on_fewer());
        return care(t.working_some_damaged(damaged), text);
    }
    let broken = broken_lines(t, &status.machines);
    if !broken.is_empty() {
        return care(t.working_some_lines(broken.len()), t.brought_by_others(&broken.join(", ")));
    }
    if behind > 0 {
        return care(t.working_some_behind(behind), kept);
    }
    Notice::new(Tone::Good, t.all_is_well(), kept)
}

/// The rows of the table, as seen at `now`.
pub(crate) fn rows(t: Lang, status: &Status, now: Wall) -> Vec<Row> {
    let dash = || "–".to_owned();
    let row = |machine: &MachineRow| Row {
        name: name(t, &machine.name),
        state: state(t, machine, now),
        behind: machine.behind.map_or_else(dash, |behind| behind.to_string()),
        disk: machine.disk_percent.map_or_else(dash, |percent| format!("{percent} %")),
        version: machine.version.clone().unwrap_or_else(dash),
    };
    status.machines.iter().map(row).collect()
}

/// The last changes, as seen at `now`.
pub(crate) fn changes(t: Lang, status: &Status, now: Wall) -> Vec<Change> {
    let row = |row: &ChangeRow| Change {
        at: Moment::seen_at(t, row.at, now),
        machine: name(t, &row.machine),
        what: change(t, row.what),
    };
    status.changes.iter().map(row).collect()
}

impl Picture {
    /// Draws the machines as seen at `now`.
    pub(crate) fn of(t: Lang, status: &Status, now: Wall) -> Self {
        let machines = &status.machines;
        let places: Vec<(f64, f64)> = match machines.len() {
            3 => vec![(150.0, 50.0), (60.0, 160.0), (240.0, 160.0)],
            n @ 0..=2 => ring(n, (MIDDLE, 40.0), 90.0),
            n => ring(n, (MIDDLE, 130.0), 90.0),
        };
        let lowest = places.iter().fold(0.0_f64, |lowest, (_, y)| lowest.max(*y));
        let machines_at: Vec<_> = machines.iter().zip(places).collect();
        let mut lines = Vec::new();
        for (index, (one, from)) in machines_at.iter().enumerate() {
            for (other, to) in machines_at.iter().skip(index + 1) {
                let point = |(x, y): &(f64, f64)| (coordinate(*x), coordinate(*y));
                let is_cut = !talk(one, other);
                lines.push(Line { from: point(from), to: point(to), is_cut });
            }
        }
        let nodes = machines_at.iter().map(|(machine, place)| {
            let said = (name(t, &machine.name), note(t, machine, now));
            Node::of(machine, *place, machines.len(), said)
        });
        Self {
            title: title(t, machines, now),
            left: if machines.len() > 3 { -60 } else { 0 },
            width: if machines.len() > 3 { 420 } else { 300 },
            // The label of the lowest machine stands 38 and 54 below its centre.
            height: coordinate((lowest + 62.0).ceil()),
            lines,
            nodes: nodes.collect(),
        }
    }
}

impl Node {
    fn of(machine: &MachineRow, (x, y): (f64, f64), count: usize, said: (String, String)) -> Self {
        // A label must not lie on a line: on top it stands beside, at a larger ring's side outside.
        let is_top = count > 2 && y < 100.0 && (x - MIDDLE).abs() < 1.0;
        let is_side = count > 3 && (x - MIDDLE).abs() >= 1.0;
        let (anchor, label_x, label_y) = match (is_top || is_side, x < MIDDLE - 1.0) {
            (true, true) => ("end", x - 30.0, y - 4.0),
            (true, false) => ("start", x + 30.0, y - 4.0),
            (false, _) => ("middle", x, y + 38.0),
        };
        Self {
            x: coordinate(x),
            y: coordinate(y),
            label_x: coordinate(label_x),
            label_y: coordinate(label_y),
            note_y: coordinate(label_y + 16.0),
            anchor,
            name: said.0.chars().take(MACHINE_NAME_CHARS_SHOWN).collect(),
            note: said.1,
            look: look(machine),
        }
    }
}

/// `Three machines: apple and birch up and in step; cedar down for 6 minutes.`
fn title(t: Lang, machines: &[MachineRow], now: Wall) -> String {
    let named = |how| {
        let names: Vec<_> = machines
            .iter()
            .filter(|machine| look(machine) == how)
            .map(|machine| name(t, &machine.name))
            .collect();
        in_words(t, &names)
    };
    let mut parts = Vec::new();
    parts.extend(named(Look::Good).map(|names| t.are_in_step(&names)));
    parts.extend(named(Look::Refuses).map(|names| t.are_refusing(&names)));
    parts.extend(named(Look::Late).map(|names| t.are_catching_up(&names)));
    for machine in machines.iter().filter(|machine| machine.state == MachineState::Down) {
        let since = machine.down_since.map(|since| span(t, now.0.saturating_sub(since.0) / 1000));
        let name = name(t, &machine.name);
        parts.push(since.map_or_else(|| t.is_down(&name), |span| t.is_down_for(&name, &span)));
    }
    parts.extend(broken_lines(t, machines));
    let n = machines.len();
    let count = t.numbers().get(n).map_or_else(|| n.to_string(), ToString::to_string);
    t.machines_are(n, &count, &parts.join("; "))
}

/// `apple, birch and cedar`.
fn in_words(t: Lang, names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(one.clone()),
        [first @ .., last] => Some(t.and(&first.join(", "), last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    fn machines(states: &[MachineState]) -> Status {
        const NAMES: [&str; 5] = ["apple", "birch", "cedar", "damson", "elder"];
        let all: Vec<_> = (1..=5).map(|n| NodeId::new(n).unwrap()).collect();
        let known = all.iter().zip(states);
        let up: Vec<_> = known.filter(|(_, state)| **state != Down).map(|(n, _)| *n).collect();
        let row = |(index, &state): (usize, &MachineState)| MachineRow {
            node: all[index],
            name: NAMES[index].to_owned(),
            state,
            down_since: (state == MachineState::Down).then_some(Wall(0)),
            refuses: None,
            damaged: 0,
            behind: None,
            pictures_missing: 0,
            disk_percent: Some(40),
            talks_to: up.clone(),
            version: None,
        };
        let up = states.iter().filter(|state| **state != MachineState::Down).count();
        let needed = states.len() / 2 + 1;
        Status {
            machines: states.iter().enumerate().map(row).collect(),
            writes: up >= needed,
            needed: u8::try_from(needed).unwrap(),
            changes: Vec::new(),
        }
    }

    use MachineState::{Behind, Down, InStep};

    #[track_caller]
    fn check(states: &[MachineState], tone: Tone, strong: &str, text: &str) {
        let notice = sentence(Lang::En, &machines(states));
        assert_eq!((notice.tone, notice.strong.as_str()), (tone, strong));
        assert!(notice.text.contains(text), "{}", notice.text);
    }

    #[test]
    fn sentence_for_each_state() {
        check(&[InStep; 3], Tone::Good, "All is well.", "on 3 of 3");
        check(&[InStep], Tone::Good, "All is well.", "this machine alone");
        let strong = "Working, with one machine down.";
        check(&[InStep, InStep, Down], Tone::Care, strong, "One more failure would stop posting.");
        check(&[InStep, InStep, InStep, InStep, Down], Tone::Care, strong, "One more may fail");
        let strong = "Working; one machine is catching up.";
        check(&[InStep, InStep, Behind], Tone::Care, strong, "on 3 of 3");
        let strong = "Nothing can be saved just now.";
        check(
            &[InStep, Down, Down],
            Tone::Stop,
            strong,
            "Only 1 of 3 machines can be reached; saving needs 2.",
        );
        let refusing = |why, writes| {
            let mut status = Status { writes, ..machines(&[InStep; 3]) };
            (status.machines[2].state, status.machines[2].refuses) = (Behind, Some(why));
            status.machines[2].damaged = 2;
            let notice = sentence(Lang::En, &status);
            format!("{} {}", notice.strong, notice.text)
        };
        let full = refusing(NotVoting::NoSpace, true);
        assert!(full.starts_with("Working; one machine refuses votes. Posts are saved on 2 of 3."));
        let damaged = refusing(NotVoting::Damaged, true);
        assert!(damaged.starts_with("Working; one machine has damaged files."), "{damaged}");
        let mut two = Status { writes: false, ..machines(&[InStep; 3]) };
        two.machines.iter_mut().skip(1).for_each(|row| row.refuses = Some(NotVoting::NoSpace));
        let text = "Only 1 of 3 machines vote; saving needs 2.";
        let two = sentence(Lang::En, &two);
        assert!(two.text.starts_with(text), "{}", two.text);
        let undecided = Status { writes: false, ..machines(&[InStep; 3]) };
        assert!(sentence(Lang::En, &undecided).text.starts_with("The machines do not agree yet."));
    }

    #[test]
    fn picture_says_all_in_words() {
        let picture = Picture::of(Lang::En, &machines(&[InStep, InStep, Down]), Wall(360_000));
        assert_eq!(
            picture.title,
            "Three machines: apple and birch up and in step; cedar down for 6 minutes."
        );
        assert_eq!(
            picture.lines.iter().map(|line| line.is_cut).collect::<Vec<_>>(),
            [false, true, true]
        );
        assert_eq!(picture.nodes[2].note, "down 6 min");
        let alone = Picture::of(Lang::En, &machines(&[InStep]), Wall(0));
        assert_eq!(alone.title, "One machine: apple up and in step.");
        assert!(alone.lines.is_empty());
    }

    #[test]
    fn picture_says_all_in_german_words() {
        let title = |mut status: Status| {
            status.machines.iter_mut().for_each(|row| row.name = format!("machine {}", row.node));
            Picture::of(Lang::De, &status, Wall(3 * 86_400_000)).title
        };
        assert_eq!(
            title(machines(&[InStep, InStep, Down])),
            "Drei Maschinen: Maschine 1 und Maschine 2 in Betrieb und auf dem Stand; Maschine 3 seit \
             3 Tagen ausgefallen."
        );
        assert_eq!(
            title(machines(&[Behind])),
            "Eine Maschine: Maschine 1 in Betrieb und beim Aufholen."
        );
    }

    #[test]
    fn sentence_in_german() {
        let check = |states: &[MachineState], expected: &str| {
            let Notice { strong, text, .. } = sentence(Lang::De, &machines(states));
            assert_eq!(format!("{strong} {text}"), expected);
        };
        check(&[InStep; 3], "Alles ist gut. Beiträge werden auf 3 von 3 gespeichert.");
        check(
            &[InStep, InStep, InStep, InStep, Down],
            "Es läuft, aber eine Maschine ist ausgefallen. Beiträge werden auf 4 von 5 gespeichert. \
             Eine darf noch ausfallen, bevor sich nichts mehr veröffentlichen lässt.",
        );
        check(
            &[InStep, Down, Down],
            "Gerade lässt sich nichts speichern. Nur 1 von 3 Maschinen erreichbar; zum Speichern \
             braucht es 2. Lesen geht weiter, und was du schreibst, bekommst du zurück.",
        );
    }

    #[test]
    fn picture_line_needs_both_ends() {
        let mut status = machines(&[InStep, InStep]);
        status.machines[0].talks_to.clear();
        assert!(Picture::of(Lang::En, &status, Wall(0)).lines[0].is_cut);
    }

    #[test]
    fn r0270_broken_line_told_where_all_are_up() {
        let mut status = machines(&[InStep; 3]);
        status.machines[0].talks_to.retain(|node| node.get() != 3);
        let told = |t| {
            let Notice { tone, strong, text, .. } = sentence(t, &status);
            assert_eq!(tone, Tone::Care);
            format!("{strong} {text}")
        };
        assert_eq!(
            told(Lang::En),
            "Working; a line between two machines is broken. apple and cedar do not reach each other; \
             the others bring them what they save."
        );
        assert!(told(Lang::De).contains("apple und cedar erreichen einander nicht; "));
        let title = Picture::of(Lang::En, &status, Wall(0)).title;
        let expected =
            "apple, birch and cedar up and in step; apple and cedar do not reach each other.";
        assert!(title.ends_with(expected), "{title}");
        status.machines[1].talks_to.retain(|node| node.get() != 3);
        let two = sentence(Lang::En, &status);
        assert_eq!(two.strong, "Working; 2 lines between machines are broken.");
        assert!(two.text.contains("birch and cedar do not"), "{}", two.text);
        status.machines[2].state = Down;
        assert!(
            sentence(Lang::En, &status).strong.contains("one machine down"),
            "no line to who is down"
        );
    }

    #[test]
    fn picture_fits_its_view() {
        for count in 1..=5 {
            let picture = Picture::of(Lang::En, &machines(&vec![Behind; count]), Wall(0));
            assert_eq!(picture.nodes.len(), count);
            for node in &picture.nodes {
                let y: f64 = node.note_y.parse().unwrap();
                let height: f64 = picture.height.parse().unwrap();
                assert!(y < height, "{count}: {y} of {height}");
            }
        }
    }

    #[test]
    fn rows_tell_what_is_known() {
        let rows = rows(Lang::En, &machines(&[InStep, Behind, Down]), Wall(60_000));
        let states: Vec<_> = rows.iter().map(|row| row.state.as_str()).collect();
        assert_eq!(states, ["In step", "Catching up", "Down since 00:00 UTC"]);
        assert_eq!((rows[0].behind.as_str(), rows[0].disk.as_str()), ("–", "40 %"));
    }
}
