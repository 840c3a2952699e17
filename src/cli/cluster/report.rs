//! What `tern cluster status` prints: words as on the page, or one JSON object with the same.
//!
//! ```json
//! {"writes":true,"needed":2,"strong":"All is well.","text":"Posts are saved on 3 of 3.",
//!  "machines":[{"node":1,"name":"apple","address":"192.168.1.21:7001","answers":true,
//!   "state":"in_step","words":"In step","down_since":null,"refuses":null,"damaged":0,"behind":0,
//!   "pictures_missing":0,"disk_percent":41,"version":"0.1.0","talks_to":[2,3]}],
//!  "changes":[{"at":"2026-11-28T06:12:59Z","machine":"cedar","what":"up"}]}
//! ```
//! Fields are added, never renamed and never taken away. `writes` is null and `state` is `unknown`
//! where no machine answered; what is not known is null.

use std::fmt::Write as _;

use serde::Serialize;

use super::status::{Asked, Together};
use crate::clock::Wall;
use crate::id::NodeId;
use crate::web::page::machines::{change, state, talk};
use crate::web::page::status::sentence;
use crate::web::page::time::Moment;
use crate::web::words::Lang;
use crate::wire::operator::{Pending, numbers};
use crate::wire::status::{ChangeKind, ChangeRow, MachineRow, MachineState, NotVoting, StatusPage};

/// All that is told.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    writes: Option<bool>,
    needed: Option<u8>,
    strong: String,
    text: String,
    machines: Vec<Row>,
    changes: Vec<Change>,
    /// A change of the members that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
}

/// A machine.
#[derive(Debug, Serialize)]
struct Row {
    node: Option<NodeId>,
    name: String,
    address: Option<String>,
    /// Whether it answered this very question.
    answers: bool,
    state: State,
    words: String,
    down_since: Option<String>,
    refuses: Option<NotVoting>,
    damaged: Option<u32>,
    behind: Option<u32>,
    pictures_missing: Option<u32>,
    disk_percent: Option<u8>,
    version: Option<String>,
    /// The machines with which it talks, itself not among them.
    talks_to: Vec<NodeId>,
    /// Their names, for people.
    #[serde(skip)]
    talks_to_names: Vec<String>,
}

/// How a machine is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    InStep,
    Behind,
    Refuses,
    Down,
    Unknown,
}

/// Something that happened to a machine.
#[derive(Debug, Serialize)]
struct Change {
    at: String,
    machine: String,
    what: ChangeKind,
    #[serde(skip)]
    short: String,
}

impl Report {
    /// What was heard, told at `now`.
    pub(super) fn of(together: Together, now: Wall) -> Self {
        let Together { seen, asked } = together;
        let Some(seen) = seen else { return Self::unknown(&asked) };
        let told = asked.iter().filter_map(|one| one.said.as_ref().ok());
        let pending =
            seen.pending.clone().or_else(|| told.into_iter().find_map(|t| t.pending.clone()));
        let page = &seen.seen;
        let notice = sentence(Lang::En, page);
        let change = |row: &ChangeRow| Change {
            at: Moment::seen_at(Lang::En, row.at, now).iso,
            machine: row.machine.clone(),
            what: row.what,
            short: Moment::seen_at(Lang::En, row.at, now).short,
        };
        Self {
            writes: Some(page.writes),
            needed: Some(page.needed),
            strong: notice.strong,
            text: notice.text,
            machines: page.machines.iter().map(|row| Row::of(row, page, (&asked, now))).collect(),
            changes: page.changes.iter().map(change).collect(),
            pending,
        }
    }

    /// Nobody answered.
    fn unknown(asked: &[Asked]) -> Self {
        Self {
            writes: None,
            needed: None,
            strong: "Can’t tell.".to_owned(),
            text: "No machine answers, so how they are cannot be told. Nothing that was saved is lost."
                .to_owned(),
            machines: asked.iter().map(Row::unknown).collect(),
            changes: Vec::new(),
            pending: None,
        }
    }

    /// Whether a write would be saved, if anybody could tell.
    pub(super) const fn writes(&self) -> Option<bool> {
        self.writes
    }

    /// One JSON object in a line.
    #[expect(
        clippy::expect_used,
        reason = "no map with keys that are not strings, no failing writer"
    )]
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("a report always has a JSON form")
    }

    /// The sentence, a line a machine, the last changes.
    pub(super) fn words(&self) -> String {
        let mut text = format!("{} {}\n", self.strong, self.text);
        let width = |of: fn(&Row) -> &str| {
            self.machines.iter().map(|row| of(row).chars().count()).max().unwrap_or(0)
        };
        let (name, words) = (width(|row| &row.name), width(|row| &row.words));
        for row in &self.machines {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{:name$}  {:words$}  {}", row.name, row.words, row.rest());
        }
        if let Some(pending) = &self.pending {
            let _ = write!(text, "\n\n{}", pending_words(pending));
        }
        if !self.changes.is_empty() {
            text.push_str("\n\nLast changes:");
        }
        for one in &self.changes {
            let _ =
                write!(text, "\n{:>6}  {} {}", one.short, one.machine, change(Lang::En, one.what));
        }
        text
    }
}

/// A change that is under way, in words.
fn pending_words(pending: &Pending) -> String {
    let Pending { members, waits } = pending;
    format!("A change to machines {} is under way; it waits for {waits}.", numbers(members))
}

impl Row {
    fn of(row: &MachineRow, page: &StatusPage, told: (&[Asked], Wall)) -> Self {
        let (asked, now) = told;
        let own = asked.iter().find(|one| one.machine.node == Some(row.node));
        let others = page.machines.iter().filter(|other| other.node != row.node);
        let talking: Vec<_> = others.filter(|other| talk(row, other)).collect();
        let is_up = row.state != MachineState::Down;
        Self {
            node: Some(row.node),
            name: row.name.clone(),
            address: own.map(|own| own.machine.address.clone()),
            answers: own.is_some_and(|own| own.said.is_ok()),
            state: match (row.state, row.refuses) {
                (MachineState::Down, _) => State::Down,
                (_, Some(_)) => State::Refuses,
                (MachineState::Behind, None) => State::Behind,
                (MachineState::InStep, None) => State::InStep,
            },
            words: state(Lang::En, row, now),
            down_since: row.down_since.map(|since| Moment::seen_at(Lang::En, since, now).iso),
            refuses: row.refuses.filter(|_| is_up),
            damaged: is_up.then_some(row.damaged),
            behind: row.behind,
            pictures_missing: is_up.then_some(row.pictures_missing),
            disk_percent: row.disk_percent,
            version: row.version.clone(),
            talks_to: talking.iter().map(|other| other.node).collect(),
            talks_to_names: talking.iter().map(|other| other.name.clone()).collect(),
        }
    }

    fn unknown(asked: &Asked) -> Self {
        let Asked { machine, said } = asked;
        let why = said.as_ref().err().map_or_else(String::new, |why| format!(": {why}"));
        let address = machine.address.clone();
        Self {
            node: machine.node,
            name: machine.node.map_or_else(|| address.clone(), |node| format!("machine {node}")),
            address: Some(address),
            answers: false,
            state: State::Unknown,
            words: format!("Can’t tell{why}"),
            down_since: None,
            refuses: None,
            damaged: None,
            behind: None,
            pictures_missing: None,
            disk_percent: None,
            version: None,
            talks_to: Vec::new(),
            talks_to_names: Vec::new(),
        }
    }

    /// What stands after the state.
    fn rest(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.behind.map(|behind| format!("behind {behind}")));
        parts.extend(self.disk_percent.map(|percent| format!("disk {percent} %")));
        parts.extend(self.version.as_ref().map(|version| format!("version {version}")));
        if !self.talks_to_names.is_empty() {
            parts.push(format!("talks to {}", self.talks_to_names.join(", ")));
        } else if self.state != State::Unknown {
            parts.push("talks to nobody".to_owned());
        }
        parts.join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::together;
    use super::super::target::Machine;
    use super::*;
    use crate::wire::operator::Seen;

    const NOW: Wall = Wall(1_582_246_865_000);

    fn node(number: u16) -> NodeId {
        NodeId::new(number).unwrap()
    }

    fn row(number: u16, name: &str, state: MachineState, talks_to: &[u16]) -> MachineRow {
        let is_up = state != MachineState::Down;
        MachineRow {
            node: node(number),
            name: name.to_owned(),
            state,
            down_since: (!is_up).then_some(Wall(NOW.0 - 360_000)),
            refuses: None,
            damaged: 0,
            behind: is_up.then_some(0),
            pictures_missing: 0,
            disk_percent: is_up.then_some(41),
            talks_to: talks_to.iter().copied().map(node).collect(),
            version: is_up.then(|| "0.1.0".to_owned()),
        }
    }

    fn said(number: u16, machines: Vec<MachineRow>, stale_since: Option<Wall>) -> Asked {
        let what = ChangeKind::Down;
        let change = ChangeRow { at: Wall(NOW.0 - 360_000), machine: "cedar".to_owned(), what };
        let writes = stale_since.is_none();
        let seen = StatusPage { machines, writes, needed: 2, changes: vec![change] };
        let seen = Seen { node: node(number), at: NOW, stale_since, epoch: 1, pending: None, seen };
        let address = format!("192.0.2.{number}:7001");
        Asked { machine: Machine { node: Some(node(number)), address }, said: Ok(seen) }
    }

    fn silent(number: u16) -> Asked {
        let address = format!("192.0.2.{number}:7001");
        let machine = Machine { node: Some(node(number)), address };
        Asked { machine, said: Err("it is silent".to_owned()) }
    }

    fn one_down() -> Report {
        use MachineState::{Down, InStep};
        let machines = vec![
            row(1, "apple", InStep, &[1, 2]),
            row(2, "birch", InStep, &[1, 2]),
            row(3, "cedar", Down, &[]),
        ];
        let mut own = machines.clone();
        own[1].disk_percent = Some(77);
        let all = vec![said(1, machines, None), said(2, own, None), silent(3)];
        Report::of(together(all), NOW)
    }

    #[test]
    fn words_sentence_lines_and_changes() {
        let expected = "\
Working, with one machine down. Posts are saved on 2 of 3. One more failure would stop posting.

apple  In step               behind 0  disk 41 %  version 0.1.0  talks to birch
birch  In step               behind 0  disk 77 %  version 0.1.0  talks to apple
cedar  Down since 00:55 UTC  talks to nobody

Last changes:
 6 min  cedar went down";
        assert_eq!(one_down().words(), expected);
    }

    #[test]
    fn json_has_its_spelling() {
        let expected = r#"{"writes":true,"needed":2,"strong":"Working, with one machine down.","text":"Posts are saved on 2 of 3. One more failure would stop posting.","machines":[{"node":1,"name":"apple","address":"192.0.2.1:7001","answers":true,"state":"in_step","words":"In step","down_since":null,"refuses":null,"damaged":0,"behind":0,"pictures_missing":0,"disk_percent":41,"version":"0.1.0","talks_to":[2]},{"node":2,"name":"birch","address":"192.0.2.2:7001","answers":true,"state":"in_step","words":"In step","down_since":null,"refuses":null,"damaged":0,"behind":0,"pictures_missing":0,"disk_percent":77,"version":"0.1.0","talks_to":[1]},{"node":3,"name":"cedar","address":"192.0.2.3:7001","answers":false,"state":"down","words":"Down since 00:55 UTC","down_since":"2020-02-21T00:55:05Z","refuses":null,"damaged":null,"behind":null,"pictures_missing":null,"disk_percent":null,"version":null,"talks_to":[]}],"changes":[{"at":"2020-02-21T00:55:05Z","machine":"cedar","what":"down"}]}"#;
        assert_eq!(one_down().json(), expected);
    }

    #[test]
    fn view_in_touch_preferred_to_one_cut_off() {
        use MachineState::{Down, InStep};
        let alone = vec![
            row(1, "apple", InStep, &[1]),
            row(2, "birch", Down, &[]),
            row(3, "cedar", Down, &[]),
        ];
        let most = vec![
            row(1, "apple", Down, &[]),
            row(2, "birch", InStep, &[2, 3]),
            row(3, "cedar", InStep, &[2, 3]),
        ];
        let all = vec![said(1, alone, Some(Wall(1))), said(2, most, None), silent(3)];
        let report = Report::of(together(all), NOW);
        let states: Vec<_> = report.machines.iter().map(|row| row.state).collect();
        assert_eq!(
            (report.writes, states),
            (Some(true), vec![State::Down, State::InStep, State::InStep])
        );
        assert!(report.machines[0].answers, "it answers, and the others cannot reach it");
    }

    #[test]
    fn nobody_answers_nothing_is_told_for_sure() {
        let report = Report::of(together(vec![silent(1), silent(2)]), NOW);
        assert_eq!(report.writes(), None);
        assert!(
            report.words().contains("machine 2  Can’t tell: it is silent"),
            "{}",
            report.words()
        );
        assert!(report.json().starts_with(r#"{"writes":null,"needed":null"#), "{}", report.json());
    }
}
