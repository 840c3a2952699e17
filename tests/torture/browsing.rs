//! Somebody at a browser, who sends forms through the web server and remembers what became of them.

use std::time::Duration;

use super::client::Shared;
use super::dice::Dice;
use super::history::{Attempt, History, Kind, Op, Told};
use crate::cluster::form::{Form, forms};
use crate::cluster::person::{Person, Written};

/// How often a form is sent again.
const ATTEMPTS_MAX: usize = 5;
/// How long somebody waits who was shown no page.
const PAUSE: Duration = Duration::from_millis(100);

/// One person.
pub(super) struct Browsing<'a> {
    shared: &'a Shared<'a>,
    dice: Dice,
    person: Person,
    history: History,
}

impl<'a> Browsing<'a> {
    pub(super) fn new(shared: &'a Shared<'a>, name: &str, dice: Dice) -> Self {
        let person = Person::new(&shared.site, name);
        Self { shared, dice, person, history: History::default() }
    }

    /// Joins and writes until everything is stopped.
    pub(super) fn run(mut self) -> History {
        let mut number = 0;
        while !self.shared.stop.is_closed() {
            let Ok(page) = self.person.try_get("/") else {
                self.shared.stop.wait(PAUSE);
                continue;
            };
            if let Some(form) = form(&page.body, "/post") {
                number += 1;
                let text = format!("{} writes {number}", self.person.name);
                let filled = [("text", text.as_str())];
                self.send(&form, &filled, Kind::Post { text: text.clone() });
            } else {
                self.enter();
            }
        }
        self.history
    }

    /// Signs in, or makes the account if there is none.
    fn enter(&mut self) {
        self.shared.stop.wait(PAUSE);
        let name = self.person.name.clone();
        let password = self.person.password();
        let filled = [("username", name.as_str()), ("password", password.as_str())];
        let has_joined = self.history.ops.iter().any(|op| op.acknowledged().is_some());
        let path = if has_joined { "/login" } else { "/join" };
        let Ok(page) = self.person.try_get(path) else { return };
        let Some(form) = form(&page.body, path) else { return };
        if has_joined {
            // Signed in or not: the next page tells.
            let _seen_then = self.person.try_submit(&form, &filled);
        } else {
            self.send(&form, &filled, Kind::Join);
        }
    }

    /// Sends a form, and again under its key while it is not known to be done.
    fn send(&mut self, form: &Form, filled: &[(&str, &str)], kind: Kind) {
        let key = form.value("key").unwrap_or_else(|| panic!("a form without a key: {form:?}"));
        let id = key.rsplit('.').next().unwrap_or_default().to_owned();
        // A page that is behind carries the key of an act before: what is sent with it is refused as
        // another act under the same key, rightly.
        if self.history.ops.iter().any(|op| op.id == id) {
            self.shared.stop.wait(PAUSE);
            return;
        }
        let mut op = Op { user: self.person.name.clone(), id, kind, attempts: Vec::new() };
        while op.attempts.len() < ATTEMPTS_MAX {
            let sent = self.shared.ticks.next();
            let answer = self.person.try_submit(form, filled);
            let answered = self.shared.ticks.next();
            let told = match answer.as_ref().map(|answer| (answer.written(), answer.status)) {
                Ok((Written::Saved, _)) => Told::Saved(None),
                Ok((Written::NotSaved, _)) => Told::Nothing("not saved".to_owned()),
                Ok((Written::Other(400..500), status)) => Told::Nothing(status.to_string()),
                Ok(_) | Err(_) => Told::Lost,
            };
            let is_open = told == Told::Lost || told == Told::Nothing("not saved".to_owned());
            op.attempts.push(Attempt { sent, answered, told, to: "web".to_owned() });
            if !is_open || self.shared.stop.is_closed() || self.dice.percent(15) {
                break;
            }
            self.shared.stop.wait(PAUSE);
        }
        self.history.ops.push(op);
    }
}

fn form(page: &str, action: &str) -> Option<Form> {
    forms(page).into_iter().find(|form| form.action == action)
}
