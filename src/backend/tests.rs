//! A backend as web servers ask it, on a clock that is moved by hand: whom it trusts while it is cut off.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::view::Permit;
use super::{Backend, Config, setup};
use crate::action::{
    Action, ApiRead, ChangePassword, DeleteAccount, Join, Login, NewPost, NewsPart, Opening, Page,
    Problem, ThreadOf, Whom,
};
use crate::auth::session::Token;
use crate::clock::{Clock, Mono, Wall};
use crate::id::{Hash128, NodeId, PostId, RequestId, RequestKey, UserName};
use crate::limits::{LOGIN_FAILURES_MAX, ORDER_AHEAD_MS_MAX, SESSION_TRUST_S};
use crate::store::node::Member;
use crate::store::{DataDir, NodeFile};
use crate::thread::{Stop, spawn_named};
use crate::transport::key::{ClusterKey, Keys};
use crate::user::entry::PostRef;
use crate::wire::message::{FEATURES, Health};
use crate::wire::request::{
    ApiReply, Field, FieldProblem, Outcome, Refusal, Request, Response, Saved,
};

const START: (Mono, Wall) = (Mono(5_000), Wall(1_700_000_000_000));
const TRUST_MS: u64 = SESSION_TRUST_S * 1000;
pub(super) const PASSWORD: &str = "seven lamps at sea";
/// How often what has to come within milliseconds is tried.
const TRIES: usize = 5;
/// What takes [`PASSWORD`]'s place.
const ANOTHER: &str = "eight lamps at sea";

/// The data directory of machine 1, and what it is started with.
pub(super) struct Home {
    _keep: tempfile::TempDir,
    pub(super) config: Config,
}

fn node(number: u16) -> NodeId {
    NodeId::new(number).unwrap()
}

impl Home {
    /// Of a machine that is alone.
    pub(super) fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let key = ClusterKey::create(&keep.path().join("cluster.key")).unwrap();
        let config = Config {
            node: node(1),
            listen: String::new(),
            peers: Vec::new(),
            data: keep.path().join("db"),
            keys: Keys::from(&key),
            key_file: None,
            name: "birch".to_owned(),
            community: "Fen".to_owned(),
            rate_limits: false,
            scrub_round: Duration::from_hours(24),
            metrics: None,
        };
        let home = Self { _keep: keep, config };
        home.have_members(&[]);
        home
    }

    /// Makes the machine one of these and itself.
    pub(super) fn have_members(&self, others: &[u16]) {
        let data = DataDir::open(&self.config.data).unwrap();
        let made = || {
            let cluster = self.config.keys.cluster_id().unwrap();
            NodeFile::new(cluster, self.config.node, Hash128([1; 16]), Vec::new())
        };
        let mut file = NodeFile::load(&data).unwrap().unwrap_or_else(made);
        let seat = |number: u16| {
            let life = Hash128([u8::try_from(number).unwrap(); 16]);
            Member::new(node(number), Some(life), format!("127.0.0.1:{number}"))
        };
        file.features = FEATURES;
        file.members = [1].iter().chain(others).map(|number| seat(*number)).collect();
        file.save(&data).unwrap();
    }

    /// Starts it, and lets `body` ask it things.
    pub(super) fn run<T: Send>(&self, body: impl FnOnce(&mut Running<'_>) -> T + Send) -> T {
        let clock = Clock::manual(START.0, START.1);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let cluster = setup::open(&self.config, address, &clock, &Stop::new()).unwrap();
        let backend = Backend::new(&self.config, cluster, clock.clone());
        std::thread::scope(|scope| {
            let run =
                |lock| body(&mut Running { backend: &backend, clock, permit: Permit::new(lock) });
            spawn_named(scope, "asker", run).unwrap().join().unwrap()
        })
    }

    /// Of a machine that is alone and lets nobody try too often.
    pub(super) fn with_limits() -> Self {
        let mut home = Self::new();
        home.config.rate_limits = true;
        home
    }

    /// Of one of three machines; a member's session, and the text of their post.
    pub(super) fn of_three() -> (Self, String) {
        let home = Self::new();
        let session = home.run(|alone| {
            let session = alone.joined("ada");
            // Its line says that the one before is committed.
            assert!(matches!(alone.post(&session), Outcome::Saved(_)));
            session
        });
        home.have_members(&[2, 3]);
        (home, session)
    }
}

pub(super) fn opening(address: &str) -> Opening {
    let token = Token::generate().unwrap().secret().to_owned();
    Opening { token, device: "Firefox".to_owned(), address: address.to_owned() }
}

/// What somebody is told whose own password was wrong.
fn wrong() -> Outcome {
    let problem = FieldProblem { field: Field::Password, problem: Problem::Wrong };
    Outcome::Refused(Refusal::Invalid { problems: vec![problem] })
}

/// What somebody is told who has to wait before they try again.
fn too_many(retry_after_s: u32) -> Outcome {
    Outcome::Refused(Refusal::TooMany { retry_after_s })
}

/// A post under this key.
pub(super) fn tea(key: u8) -> NewPost {
    NewPost {
        key: RequestKey { ops: 0, id: RequestId([key; 16]) },
        text: "Tea".to_owned(),
        reply_to: None,
        note: String::new(),
        pictures: Vec::new(),
        sent: Vec::new(),
        sensitive: false,
        for_everybody: false,
    }
}

/// A backend that runs.
pub(super) struct Running<'a> {
    pub(super) backend: &'a Backend,
    clock: Clock,
    pub(super) permit: Permit,
}

impl Running<'_> {
    pub(super) fn ask(&mut self, session: Option<&str>, action: Action) -> Response {
        let session = session.map(str::to_owned);
        let request = Request { session, read_to: None, need: None, action };
        self.backend.respond(&mut self.permit, request, &mut Vec::new())
    }

    pub(super) fn joined(&mut self, name: &str) -> String {
        self.joined_from(name, "127.0.0.1")
    }

    fn joined_from(&mut self, name: &str, address: &str) -> String {
        let join = join_of(name, address);
        let token = join.opening.token.clone();
        let answer = self.ask(None, Action::Join(join));
        assert!(answer.session.is_some(), "{answer:?}");
        format!("{name}.{token}")
    }

    pub(super) fn post(&mut self, session: &str) -> Outcome {
        self.post_under(2, session)
    }

    /// Posts under this key.
    fn post_under(&mut self, key: u8, session: &str) -> Outcome {
        self.ask(Some(session), Action::Post(tea(key))).data.outcome
    }

    /// The posts that apps know by a number.
    fn numbered(&mut self, session: Option<&str>, id: PostId) -> Outcome {
        self.ask(session, Action::Api(ApiRead::Status { id })).data.outcome
    }

    /// In touch with machine 2, which holds the same.
    pub(super) fn is_in_touch(&self) {
        self.is_answered();
        self.is_compared();
    }

    /// Somebody tries to sign in with a wrong password.
    fn guess(&mut self, name: &str, address: &str) -> Outcome {
        self.login((name, "guessed by somebody"), address)
    }

    /// Somebody tries to sign in.
    pub(super) fn login(&mut self, (name, password): (&str, &str), address: &str) -> Outcome {
        let login = Login {
            key: RequestKey { ops: 0, id: RequestId([3; 16]) },
            username: name.to_owned(),
            password: password.to_owned(),
            opening: opening(address),
        };
        self.ask(None, Action::Login(login)).data.outcome
    }

    /// Whoever a session belongs to deletes their account.
    fn leave(&mut self, session: &str, password: &str) -> Outcome {
        let (username, _token) = session.split_once('.').unwrap();
        let leave = DeleteAccount {
            key: RequestKey { ops: 0, id: RequestId([4; 16]) },
            username: username.to_owned(),
            password: password.to_owned(),
        };
        self.ask(Some(session), Action::DeleteAccount(leave)).data.outcome
    }

    /// Whoever a session belongs to has [`ANOTHER`] password from now on.
    fn change_password(&mut self, session: &str, current: &str, address: &str) -> Outcome {
        let change = ChangePassword {
            key: RequestKey { ops: 0, id: RequestId([5; 16]) },
            current: current.to_owned(),
            new: ANOTHER.to_owned(),
            opening: opening(address),
        };
        self.ask(Some(session), Action::ChangePassword(change)).data.outcome
    }

    /// So long after the start.
    pub(super) fn at_ms(&self, ms: u64) {
        self.clock.set(START.0.plus_ms(ms), Wall(START.1.0 + ms));
    }

    /// This machine has compared what it holds with machine 2.
    pub(super) fn is_compared(&self) {
        let none_differs = BTreeMap::from([(node(2), 0)]);
        self.backend.cluster.members.compared(&none_differs, self.clock.mono());
    }

    /// Machine 2 answers a ping.
    pub(super) fn is_answered(&self) {
        let reaches = vec![node(1), node(2)];
        let health = Health { reaches, ..self.backend.cluster.health() };
        self.backend.cluster.members.answered(node(2), health, self.clock.mono());
    }

    /// Whether the session is taken for whose it is, and since when the machine says to be cut off.
    fn trusts(&mut self, session: &str) -> (bool, Option<Wall>) {
        let Response { session: kept, data, .. } = self.ask(Some(session), Action::CheckSession);
        assert_eq!(kept.is_some(), data.viewer.is_some());
        if let Some(viewer) = data.viewer {
            assert_eq!(viewer.username.as_str(), "ada");
        }
        (kept.is_some(), data.cluster.stale_since)
    }
}

fn join_of(name: &str, address: &str) -> Join {
    Join {
        key: RequestKey { ops: 0, id: RequestId([1; 16]) },
        username: name.to_owned(),
        display_name: String::new(),
        password: PASSWORD.to_owned(),
        code: String::new(),
        opening: opening(address),
    }
}

/// Who typed "Ada" was told "How about ada?", and then that this name is taken.
#[test]
fn r0223_no_name_is_offered_that_somebody_has() {
    Home::new().run(|alone| {
        alone.joined("ada");
        for (typed, offered) in [("A.da", "a_da"), ("adá", ""), ("1ada", ""), ("benó", "beno")] {
            let told = alone.ask(None, Action::Join(join_of(typed, "127.0.0.1"))).data.outcome;
            let told = format!("{told:?}");
            let suggestion = format!("suggestion: {:?}", offered.parse::<UserName>().ok());
            assert!(told.contains(&suggestion), "{typed}: {told}");
        }
    });
}

#[test]
fn s16_machine_cut_off_for_a_minute_trusts_no_session() {
    let (home, session) = Home::of_three();
    let file = || std::fs::read(home.config.data.join("users/ada.jsonl")).unwrap();
    let before = file();
    home.run(|machine| {
        machine.is_answered();
        machine.is_compared();
        assert_eq!(machine.trusts(&session), (true, None));
        // However long one of the others is in touch.
        machine.at_ms(TRUST_MS * 10);
        machine.is_answered();
        machine.is_compared();
        assert_eq!(machine.trusts(&session), (true, None));
        machine.backend.cluster.members.gone(node(2));
        let since = Some(Wall(START.1.0 + TRUST_MS * 10));
        machine.at_ms(TRUST_MS * 11 - 1);
        assert_eq!(machine.trusts(&session), (true, since));
        machine.at_ms(TRUST_MS * 11);
        assert_eq!(machine.trusts(&session), (false, since));
        // Whoever holds it sees what strangers see, and does nothing.
        let everyone = machine.ask(Some(&session), Action::Everyone(Page::default())).data;
        assert!(matches!(everyone.outcome, Outcome::Posts(_)) && everyone.viewer.is_none());
        let own = machine.ask(Some(&session), Action::Sessions).data.outcome;
        assert_eq!(own, Outcome::Refused(Refusal::SignedOut));
        assert_eq!(machine.post_under(3, &session), Outcome::Refused(Refusal::SignedOut));
        // In touch again, it trusts as before once it knows what it missed.
        machine.is_answered();
        assert_eq!(machine.trusts(&session), (false, None));
        machine.is_compared();
        assert_eq!(machine.trusts(&session), (true, None));
    });
    assert_eq!(file(), before, "nothing was written");
}

#[test]
fn s16_machine_that_met_nobody_yet_trusts_no_session_and_signs_nobody_out() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        let actions = [Action::CheckSession, Action::Everyone(Page::default()), Action::Sessions];
        for (ms, action) in [0, TRUST_MS - 1, TRUST_MS].into_iter().zip(actions) {
            machine.at_ms(ms);
            let answer = machine.ask(Some(&session), action);
            // It cannot say how old its copy is. Without a time to tell, a page without a session would
            // have the browser forget its own.
            assert_eq!(answer.data.outcome, Outcome::Refused(Refusal::Behind));
            assert!(answer.session.is_none() && answer.data.viewer.is_none());
        }
        let everyone = machine.ask(None, Action::Everyone(Page::default())).data.outcome;
        assert!(matches!(everyone, Outcome::Posts(_)), "strangers read");
        machine.is_answered();
        machine.is_compared();
        assert_eq!(machine.trusts(&session), (true, None));
    });
}

#[test]
fn r0134_machine_that_met_another_and_lost_it_before_it_asked_trusts_no_session() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        machine.is_answered();
        machine.backend.cluster.members.gone(node(2));
        let answer = machine.ask(Some(&session), Action::CheckSession);
        assert_eq!(answer.data.outcome, Outcome::Refused(Refusal::Behind));
        assert!(answer.session.is_none() && answer.data.viewer.is_none());
    });
}

#[test]
fn r0021_own_password_is_counted_for_each_member_apart() {
    Home::with_limits().run(|machine| {
        let ben = machine.joined_from("ben", "192.0.2.1");
        for (number, name) in (2..).zip(["cleo", "dan", "eve", "finn"]) {
            let session = machine.joined_from(name, &format!("192.0.2.{number}"));
            for _ in 0..LOGIN_FAILURES_MAX {
                assert_eq!(machine.leave(&session, "mistyped"), wrong(), "{name}");
            }
            // However it is asked, and be it right.
            assert_eq!(machine.leave(&session, PASSWORD), too_many(30), "{name}");
            let changed = machine.change_password(&session, PASSWORD, "192.0.2.99");
            assert_eq!(changed, too_many(30), "{name}");
        }
        assert_eq!(machine.leave(&ben, "mistyped"), wrong());
        let left = machine.leave(&ben, PASSWORD);
        assert!(matches!(left, Outcome::Saved(_)), "{left:?}");
    });
}

#[test]
fn r0021_own_password_is_asked_however_often_strangers_guessed() {
    Home::with_limits().run(|machine| {
        let address = "192.0.2.1";
        let ada = machine.joined_from("ada", address);
        let ben = machine.joined_from("ben", address);
        for name in ["ada", "ben"] {
            for number in 1..=LOGIN_FAILURES_MAX {
                let guessed = machine.guess(name, &format!("203.0.113.{number}"));
                assert_eq!(guessed, Outcome::Refused(Refusal::BadLogin));
            }
            assert_eq!(machine.guess(name, "203.0.113.99"), too_many(30));
        }
        let changed = machine.change_password(&ada, PASSWORD, "192.0.2.99");
        assert!(matches!(changed, Outcome::Saved(_)), "{changed:?}");
        let left = machine.leave(&ben, PASSWORD);
        assert!(matches!(left, Outcome::Saved(_)), "{left:?}");
    });
}

#[test]
fn r0021_own_password_that_is_right_forgives_strangers_nothing() {
    Home::with_limits().run(|machine| {
        let bad = || Outcome::Refused(Refusal::BadLogin);
        for name in ["ada", "ben"] {
            let session = machine.joined_from(name, "192.0.2.1");
            for number in 1..LOGIN_FAILURES_MAX {
                assert_eq!(machine.guess(name, &format!("203.0.113.{number}")), bad());
            }
            let done = match name {
                "ada" => machine.change_password(&session, PASSWORD, "192.0.2.1"),
                _ => machine.leave(&session, PASSWORD),
            };
            assert!(matches!(done, Outcome::Saved(_)), "{done:?}");
            assert_eq!(machine.guess(name, "203.0.113.98"), bad());
            assert_eq!(machine.guess(name, "203.0.113.99"), too_many(30), "{name}");
            assert_eq!(machine.guess(name, "127.0.0.1"), too_many(30), "{name}");
        }
    });
}

#[test]
fn r0074_what_stands_in_this_machines_own_lines_is_never_said_not_to_be_saved() {
    let home = Home::new();
    let session = home.run(|alone| {
        let session = alone.joined("ada");
        assert!(matches!(alone.post_under(2, &session), Outcome::Saved(_)));
        // The last line: that it is committed is not written anywhere.
        assert!(matches!(alone.post_under(3, &session), Outcome::Saved(_)));
        session
    });
    home.have_members(&[2, 3]);
    let unknown = Outcome::Refused(Refusal::Unknown);
    let is_not_saved = |outcome| matches!(outcome, Outcome::Refused(Refusal::NoMajority { .. }));
    home.run(|machine| {
        // Not by whoever could say for how long it was away, either.
        assert_eq!(machine.post_under(3, &session), unknown);
        assert_eq!(machine.post_under(4, &session), Outcome::Refused(Refusal::Behind));
        machine.is_in_touch();
        machine.backend.cluster.members.gone(node(2));
        assert_eq!(machine.post_under(3, &session), unknown);
        assert!(is_not_saved(machine.post_under(4, &session)), "this one nobody sent before");
        // What is known to be committed here is known to be saved, whoever else can be reached.
        assert!(matches!(machine.post_under(2, &session), Outcome::Saved(_)));
        machine.at_ms(TRUST_MS * 2);
        assert!(!machine.trusts(&session).0);
        assert_eq!(machine.post_under(3, &session), unknown);
        assert_eq!(machine.post_under(2, &session), unknown, "to whom it does not trust");
        assert_eq!(machine.post_under(4, &session), Outcome::Refused(Refusal::SignedOut));
        let other = Token::generate().unwrap();
        let guessed = machine.post_under(3, &format!("ada.{}", other.secret()));
        assert_eq!(guessed, Outcome::Refused(Refusal::SignedOut), "nobody finds out by guessing");
    });
}

#[test]
fn r0077_post_whose_text_cannot_be_read_is_not_said_not_to_be_there() {
    let home = Home::new();
    home.run(|alone| {
        let session = alone.joined("ada");
        let Outcome::Saved(Saved { post: Some(id), .. }) = alone.post(&session) else { panic!() };
        std::fs::write(home.config.data.join("users/ada.jsonl"), "").unwrap();
        let read = alone.numbered(Some(&session), id);
        assert_eq!(read, Outcome::Refused(Refusal::Behind));
        let post = PostRef { user: "ada".parse().unwrap(), id };
        let thread = ThreadOf { post, after: None, limit: None, posted: None };
        let page = alone.ask(Some(&session), Action::Thread(thread)).data.outcome;
        assert_eq!(page, Outcome::Refused(Refusal::Behind));
        // Of a list the rest can be read.
        let everyone = alone.ask(Some(&session), Action::Everyone(Page::default())).data.outcome;
        assert!(matches!(everyone, Outcome::Posts(page) if page.posts.is_empty()));
    });
}

#[test]
fn r0116_post_that_is_on_its_way_here_is_waited_for_a_moment() {
    // A machine that stands still for a moment may be too late for one of them.
    assert!((0..TRIES).any(|_| is_waited_for()));
}

/// Whether a post is shown that comes while it is asked for.
fn is_waited_for() -> bool {
    let (home, _session) = Home::of_three();
    let mut is_shown = false;
    home.run(|machine| {
        machine.is_in_touch();
        let ada = "ada".parse().unwrap();
        let slot = machine.backend.cluster.local.get(&ada).unwrap();
        let (_, ahead) = slot.at(slot.state().acc).unwrap();
        let posted = ahead.unwrap().posts.iter().last().unwrap().id;
        let (cluster, acc) = (&machine.backend.cluster, slot.state().acc);
        std::thread::scope(|scope| {
            let comes = |_permit| {
                std::thread::sleep(Duration::from_millis(3));
                cluster.learn(&slot.name, acc, node(2))
            };
            let coming = spawn_named(scope, "coming", comes).unwrap();
            is_shown = matches!(machine.numbered(None, posted), Outcome::Api(_));
            coming.join().unwrap();
        });
    });
    is_shown
}

#[test]
fn r0078_own_post_that_another_machine_knows_of_is_not_said_not_to_be_there() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        machine.is_in_touch();
        // It stands in the file, and whether it is committed only the others can say.
        let ada = "ada".parse().unwrap();
        let id = machine.backend.cluster.local.get(&ada).unwrap().state();
        assert!(id.com < id.acc);
        let (id, none) = (PostId::floor_of(START.1.0), Outcome::Refused(Refusal::NotFound));
        assert_eq!(machine.numbered(Some(&session), id), Outcome::Refused(Refusal::Behind));
        assert_eq!(machine.numbered(None, id), none, "nothing is known of what a stranger wrote");
        let reply = NewPost { reply_to: Some(PostRef { user: ada, id }), ..tea(5) };
        let answered = machine.ask(Some(&session), Action::Post(reply)).data.outcome;
        assert_eq!(answered, Outcome::Refused(Refusal::Behind));
        machine.backend.cluster.members.gone(node(2));
        let cut_off = machine.numbered(None, id);
        assert_eq!(cut_off, Outcome::Refused(Refusal::Behind), "it may be of any moment since");
    });
}

/// What concerns whoever a session belongs to, from the older end.
fn news_places(machine: &mut Running<'_>, session: &str, above: Option<PostId>) -> Vec<PostId> {
    let part = NewsPart {
        below: None,
        above,
        is_rising: true,
        named: true,
        followed: true,
        liked: true,
        reposted: true,
        ended: true,
        by: None,
        limit: 40,
    };
    let action = Action::Api(ApiRead::News(part));
    let Outcome::Api(reply) = machine.ask(Some(session), action).data.outcome else { panic!() };
    let ApiReply::News(reply) = *reply else { panic!() };
    reply.news.iter().rev().map(|view| view.place).collect()
}

#[test]
fn r0103_whoever_walks_up_meets_what_is_written_by_a_clock_that_is_behind() {
    Home::new().run(|machine| {
        let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| machine.joined(name));
        let wall = |ms| (START.0, Wall(START.1.0 + ms));
        let (ahead, behind) = (wall(ORDER_AHEAD_MS_MAX / 2), wall(1));
        machine.clock.set(ahead.0, ahead.1);
        let Outcome::Saved(Saved { post: Some(seen), .. }) = machine.post(&ada) else { panic!() };
        // As a machine would whose clock is behind the one that wrote this.
        machine.clock.set(behind.0, behind.1);
        let name: UserName = "ada".parse().unwrap();
        let key = |n| RequestKey { ops: 0, id: RequestId([n; 16]) };
        let follow = |n| Action::Follow(Whom { key: key(n), username: name.clone() });
        assert!(matches!(machine.ask(Some(&ben), follow(6)).data.outcome, Outcome::Saved(_)));
        let followed = news_places(machine, &ada, Some(seen));
        assert_eq!(followed.len(), 1);
        let Outcome::Saved(Saved { post: Some(after), .. }) = machine.post(&ben) else { panic!() };
        assert!(
            followed.iter().all(|place| seen < *place && *place < after),
            "{followed:?} {after}"
        );
        assert!(matches!(machine.ask(Some(&cleo), follow(7)).data.outcome, Outcome::Saved(_)));
        assert_eq!(news_places(machine, &ada, Some(after)).len(), 1);
    });
}
