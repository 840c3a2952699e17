//! Somebody who speaks to the backends as a web server does: writes, sends again what was not
//! answered, reads, and remembers everything.

use std::sync::Arc;
use std::time::Duration;

use tern::action::{
    Action, Join, Login, NewPost, OnePost, Opening, Page, PageOf, RequestKey, Whom,
};
use tern::auth::session::Token;
use tern::id::{RequestId, UserName};
use tern::limits::FRAME_BYTES_MAX;
use tern::thread::Stop;
use tern::transport::Role;
use tern::transport::connection::{Connection, dial};
use tern::transport::key::Keys;
use tern::wire::request::{Outcome, PostPage, Refusal, Request, Response};

use super::dice::Dice;
use super::fleet::RunsOld;
use super::history::{Attempt, History, Kind, Op, Read, Ticks, Told};

/// How long connecting may take.
const DIAL: Duration = Duration::from_secs(2);
/// How long an answer may take: less than some faults last, so that some are given up.
const ANSWER: Duration = Duration::from_secs(5);
/// How long before a request is sent again.
const AGAIN: Duration = Duration::from_millis(20);
/// How often a request is sent again under its id.
const ATTEMPTS_MAX: usize = 6;
/// People whose file is never touched but who can be followed.
pub(super) const IDOLS: [&str; 3] = ["idol_a", "idol_b", "idol_c"];
/// Acknowledged requests that a read is checked against: some of them need no line.
const ACKNOWLEDGED_KEPT: usize = 8;
/// Characters of a text that nobody may post.
const TOO_LONG: usize = 501;

/// What all clients share.
pub(super) struct Shared<'a> {
    pub(super) doors: Vec<String>,
    pub(super) site: String,
    pub(super) keys: &'a Keys,
    pub(super) ticks: Ticks,
    pub(super) stop: Stop,
    pub(super) runs_old: Arc<RunsOld>,
}

/// One client: an account that others may use too, and a session of its own.
pub(super) struct Client<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) dice: Dice,
    pub(super) history: History,
    name: String,
    number: usize,
    session: Option<String>,
    /// How many requests the account had recorded when last heard of.
    ops: u64,
    connections: Vec<Option<Connection>>,
    /// The last requests acknowledged to this session; the file's order vouches for those before.
    acknowledged: Vec<String>,
    /// Own posts that stand, as far as known here.
    posts: Vec<String>,
    written: usize,
    last_race: u64,
}

/// The password of everybody.
fn password(name: &str) -> String {
    format!("a quiet gull sleeps by {}", name.len())
}

impl<'a> Client<'a> {
    pub(super) fn new(shared: &'a Shared<'a>, name: &str, number: usize, dice: Dice) -> Self {
        let connections = shared.doors.iter().map(|_| None).collect();
        Self {
            shared,
            dice,
            history: History::default(),
            name: name.to_owned(),
            number,
            session: None,
            ops: 0,
            connections,
            acknowledged: Vec::new(),
            posts: Vec::new(),
            written: 0,
            last_race: 0,
        }
    }

    /// Writes and reads until everything is stopped.
    pub(super) fn run(mut self) -> History {
        while !self.shared.stop.is_closed() {
            if self.session.is_none() {
                self.login();
                continue;
            }
            match self.dice.below(100) {
                0..45 => self.post(),
                45..55 => self.delete(),
                55..65 => self.follow(),
                65..70 => self.refused(),
                70..72 => self.race(),
                72..74 => self.wrong_password(),
                74..94 => self.read_posts(),
                _ => self.read_home(),
            }
        }
        self.history
    }

    /// Sends to one machine; nothing if nobody could be reached, so nothing was sent.
    fn ask(&mut self, to: usize, request: &Request) -> Option<Result<Response, ()>> {
        let bytes = serde_json::to_vec(request).unwrap();
        let connection = self.connections[to].take();
        let dialled = || dial(&self.shared.doors[to], Role::Web, self.shared.keys, DIAL).ok();
        let Some(mut connection) = connection.or_else(dialled) else {
            self.shared.stop.wait(Duration::from_millis(30));
            return None;
        };
        let sent = connection.send(&bytes, &[], ANSWER);
        let answered = sent.and_then(|()| connection.receive(FRAME_BYTES_MAX, ANSWER));
        let Ok(frame) = answered else { return Some(Err(())) };
        self.connections[to] = Some(connection);
        let response: Response = serde_json::from_slice(&frame.header).unwrap();
        if let Some(viewer) = &response.data.viewer
            && viewer.username.as_str() == self.name
        {
            self.ops = self.ops.max(viewer.ops);
        }
        Some(Ok(response))
    }

    fn machine(&mut self) -> usize {
        self.dice.below(self.shared.doors.len())
    }

    fn key(&mut self) -> RequestKey {
        RequestKey { ops: self.ops, id: RequestId(self.dice.bytes()) }
    }

    fn login(&mut self) {
        let action = Action::Login(Login {
            key: self.key(),
            username: self.name.clone(),
            password: password(&self.name),
            opening: opening(),
        });
        let to = self.machine();
        let answer = self.ask(to, &Request { session: None, read_to: None, need: None, action });
        if let Some(Ok(response)) = answer {
            self.session = response.session;
        }
        self.acknowledged.clear();
    }

    /// Sends an act, and again while it is not known to be done, mostly to another machine.
    fn act(&mut self, user: &str, key: RequestKey, kind: Kind, action: &Action) -> Op {
        let id = key.id.to_string();
        let mut op = Op { user: user.to_owned(), id, kind, attempts: Vec::new() };
        while op.attempts.len() < ATTEMPTS_MAX && !self.shared.stop.is_closed() {
            let to = self.machine();
            let session = self.session.clone().filter(|_| user == self.name);
            let request = Request { session, read_to: None, need: None, action: action.clone() };
            let sent = self.shared.ticks.next();
            let Some(answer) = self.ask(to, &request) else { continue };
            let answered = self.shared.ticks.next();
            let told = answer.map_or(Told::Lost, |response| self.told(response, user));
            // Now and then what was saved is asked for again, and what was lost is left open.
            let goes_on = match &told {
                Told::Saved(_) => self.dice.percent(7),
                Told::Conflict => false,
                told => !is_judged(told) && self.dice.percent(85),
            };
            op.attempts.push(Attempt { sent, answered, told, to: format!("machine {}", to + 1) });
            if !goes_on || self.shared.stop.wait(AGAIN) {
                break;
            }
        }
        op
    }

    /// What an answer to an act says, and the session to go on with.
    fn told(&mut self, response: Response, user: &str) -> Told {
        match response.data.outcome {
            Outcome::Saved(saved) => {
                if user == self.name && response.session.is_some() {
                    self.session = response.session;
                }
                Told::Saved(saved.post.map(|post| post.to_string()))
            }
            Outcome::Refused(Refusal::Unknown) => Told::Lost,
            Outcome::Refused(Refusal::Conflict) => Told::Conflict,
            Outcome::Refused(refusal) => {
                if refusal == Refusal::SignedOut {
                    self.session = None;
                }
                let text = format!("{refusal:?}");
                let word = text.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
                Told::Nothing(word)
            }
            other => {
                self.history.wrong.push(format!("an act answered with {other:?}"));
                Told::Lost
            }
        }
    }

    /// Keeps an act of one's own.
    fn keep(&mut self, op: Op) {
        if op.attempts.is_empty() {
            return;
        }
        if op.acknowledged().is_some() && self.session.is_some() {
            self.acknowledged.truncate(ACKNOWLEDGED_KEPT - 1);
            self.acknowledged.insert(0, op.id.clone());
        }
        self.history.ops.push(op);
    }

    fn post(&mut self) {
        self.written += 1;
        let text = format!("{} {} writes {}", self.name, self.number, self.written);
        let key = self.key();
        let action = Action::Post(NewPost {
            key,
            text: text.clone(),
            reply_to: None,
            note: String::new(),
            pictures: Vec::new(),
            sent: Vec::new(),
            sensitive: false,
            for_everybody: false,
        });
        let name = self.name.clone();
        let op = self.act(&name, key, Kind::Post { text }, &action);
        let number = op.attempts.iter().find_map(|one| match &one.told {
            Told::Saved(number) => number.clone(),
            _ => None,
        });
        self.posts.extend(number);
        self.keep(op);
    }

    fn delete(&mut self) {
        if self.posts.is_empty() {
            return;
        }
        let at = self.dice.below(self.posts.len());
        let post = self.posts.swap_remove(at);
        let key = self.key();
        let action = Action::DeletePost(OnePost { key, id: post.parse().unwrap() });
        let name = self.name.clone();
        let op = self.act(&name, key, Kind::Delete { post }, &action);
        self.keep(op);
    }

    fn follow(&mut self) {
        let whom = IDOLS[self.dice.below(IDOLS.len())].to_owned();
        let key = self.key();
        let data = Whom { key, username: whom.parse().unwrap() };
        let (action, kind) = if self.dice.percent(50) {
            (Action::Follow(data), Kind::Follow { whom })
        } else {
            (Action::Unfollow(data), Kind::Unfollow { whom })
        };
        let name = self.name.clone();
        let op = self.act(&name, key, kind, &action);
        self.keep(op);
    }

    /// What must never be saved.
    fn refused(&mut self) {
        let key = self.key();
        let name = self.name.clone();
        let (kind, action) = if self.dice.percent(50) {
            let text = format!("{} {}", self.written, "x".repeat(TOO_LONG));
            let action = NewPost {
                key,
                text: text.clone(),
                reply_to: None,
                note: String::new(),
                pictures: Vec::new(),
                sent: Vec::new(),
                sensitive: false,
                for_everybody: false,
            };
            (Kind::Post { text }, Action::Post(action))
        } else {
            let post = "1".to_owned();
            let action = OnePost { key, id: post.parse().unwrap() };
            (Kind::Delete { post }, Action::DeletePost(action))
        };
        let op = self.act(&name, key, kind, &action);
        if op.acknowledged().is_some() {
            self.history.wrong.push(format!("nonsense was taken: {op:?}"));
        }
        self.keep(op);
    }

    /// Several want the same name at about the same time.
    fn race(&mut self) {
        let number = self.shared.ticks.next() / 400;
        if number > self.last_race {
            self.last_race = number;
            self.join(&format!("racer_{number}"));
        }
    }

    /// Wants a name; whether it was got.
    pub(super) fn join(&mut self, name: &str) -> bool {
        let key = RequestKey { ops: 0, id: RequestId(self.dice.bytes()) };
        let action = Action::Join(Join {
            key,
            username: name.to_owned(),
            display_name: String::new(),
            password: password(name),
            code: String::new(),
            opening: opening(),
        });
        let session = self.session.take();
        let op = self.act(name, key, Kind::Join, &action);
        self.session = session;
        let is_ours = op.acknowledged().is_some();
        if !op.attempts.is_empty() {
            self.history.ops.push(op);
        }
        is_ours
    }

    fn wrong_password(&mut self) {
        let action = Action::Login(Login {
            key: self.key(),
            username: self.name.clone(),
            password: "not the password".to_owned(),
            opening: opening(),
        });
        let to = self.machine();
        let answer = self.ask(to, &Request { session: None, read_to: None, need: None, action });
        if let Some(Ok(response)) = answer
            && (response.session.is_some() || matches!(response.data.outcome, Outcome::Saved(_)))
        {
            self.history.wrong.push(format!("a wrong password let {} in", self.name));
        }
    }

    /// Looks at one's own posts, in the session or as a stranger.
    fn read_posts(&mut self) {
        let session = self.session.clone().filter(|_| self.dice.percent(70));
        let username: UserName = self.name.parse().unwrap();
        let action = Action::UserPosts(PageOf { username, before: None });
        self.read(session, action);
    }

    /// The home page: of those who are followed nobody writes, so it shows one's own posts.
    fn read_home(&mut self) {
        self.read(self.session.clone(), Action::Home(Page::default()));
    }

    fn read(&mut self, session: Option<String>, action: Action) {
        let to = self.machine();
        let asked = Request { session: session.clone(), read_to: None, need: None, action };
        let was_old = self.shared.runs_old.at(to);
        let Some(Ok(response)) = self.ask(to, &asked) else { return };
        let may_be_of_old = was_old || self.shared.runs_old.at(to);
        let answered = self.shared.ticks.next();
        let Outcome::Posts(page) = response.data.outcome else { return };
        // Whoever is not known there is answered as a stranger.
        let is_own = session.is_some() && response.session.is_some();
        let version = |text: String| text.split_once('@').map(|(_, version)| version.to_owned());
        self.history.reads.push(Read {
            user: self.name.clone(),
            answered,
            seen: session.filter(|_| is_own).and_then(version),
            acknowledged: if is_own { self.acknowledged.clone() } else { Vec::new() },
            is_stale: response.data.cluster.stale_since.is_some(),
            may_be_of_old,
            has_older: page.older.is_some(),
            shown: shown(page),
            from: format!("machine {}", to + 1),
        });
    }
}

/// Whether an answer is a judgement of the act that another machine would repeat.
fn is_judged(told: &Told) -> bool {
    matches!(told, Told::Nothing(why) if !["Behind", "Busy", "NoMajority", "SignedOut"].contains(&why.as_str()))
}

fn shown(page: PostPage) -> Vec<(String, String)> {
    page.posts.into_iter().map(|post| (post.id.to_string(), post.text)).collect()
}

fn opening() -> Opening {
    let token = Token::generate().unwrap().secret().to_owned();
    Opening { token, device: "torture".to_owned(), address: "127.0.0.1".to_owned() }
}
