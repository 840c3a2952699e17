//! Asking backends of all kinds over loopback.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::action::Keyed;
use crate::clock::Wall;
use crate::limits::{
    ANSWER_SLICE_MS, FRAME_BYTES_PER_MS_MIN, PINGS_MISSED_MAX, POOL_CONNECTIONS_MAX, POOL_IDLE_S,
    STUCK_MS,
};
use crate::thread::spawn_named;
use crate::transport::Listener;
use crate::transport::tests::{StopOnDrop, keys, until, web_keys};
use crate::wire::request::{
    ApiReply, ClusterBrief, CommunityView, Outcome, Refusal, Reply, ResponseAction, Saved,
};

const LONG: Duration = Duration::from_secs(20);

pub(super) fn response(outcome: Outcome) -> Response {
    let cluster = ClusterBrief { answered_by: "one".to_owned(), ..ClusterBrief::default() };
    let data = Reply { viewer: None, cluster, outcome };
    Response { session: None, action: ResponseAction::Response, data }
}

pub(super) fn stale(outcome: Outcome) -> Response {
    let mut response = response(outcome);
    response.data.cluster.stale_since = Some(Wall(1));
    response
}

pub(super) fn no_majority() -> Outcome {
    Outcome::Refused(Refusal::NoMajority { reachable: 1, members: 3, needed: 2 })
}

pub(super) fn write() -> Action {
    let key = "1.00000000000000000000000000000000".parse().unwrap();
    Action::Logout(Keyed { key })
}

fn saved() -> Outcome {
    Outcome::Saved(Saved { post: None, sessions_ended: 0 })
}

/// What a backend does with each request on a connection, given how many it got before. An error ends
/// the connection.
type Behaviour = Arc<dyn Fn(&mut Connection, usize) -> Result<(), TransportError> + Send + Sync>;

fn answers(outcome: Outcome) -> Behaviour {
    Arc::new(move |connection, _| say(connection, &response(outcome.clone())))
}

fn say(connection: &mut Connection, response: &Response) -> Result<(), TransportError> {
    connection.send(&serde_json::to_vec(response).unwrap(), &[], LONG)
}

fn hangs_up() -> Result<(), TransportError> {
    Err(TransportError::Closed { addr: String::new() })
}

/// Requests and connections that each backend saw.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    /// Where they are told apart.
    pings: AtomicUsize,
    connections: AtomicUsize,
}

struct Setting {
    addrs: Vec<String>,
    seen: Vec<Arc<Seen>>,
    stops: Vec<Stop>,
    backends: Backends,
}

impl Setting {
    /// A user whose requests go to these backends first, in this order.
    fn user(&self, wanted: &[usize]) -> UserName {
        let known: Vec<_> = self.addrs.iter().map(|addr| (addr.as_str(), false)).collect();
        (0..100_000)
            .map(|number| UserName::parse(&format!("u{number}")).unwrap())
            .find(|user| choice::order(&known, Some(user), 0).starts_with(wanted))
            .unwrap()
    }

    fn ask(&self, wanted: &[usize], action: Action) -> Result<Outcome, AskError> {
        let request = Request { session: None, read_to: None, need: None, action };
        self.backends.ask(Some(&self.user(wanted)), &request).map(|answer| answer.data.outcome)
    }

    fn requests(&self) -> Vec<usize> {
        self.seen.iter().map(|seen| seen.requests.load(Ordering::SeqCst)).collect()
    }

    fn is_suspected(&self, index: usize) -> bool {
        self.backends.all[index].is_suspected(self.backends.clock.mono())
    }

    /// Ends a backend; returns when its port and its connections are closed.
    fn kill(&self, index: usize) {
        self.stops[index].close();
        until(|| dial(&self.addrs[index], Role::Web, &keys(1), LONG).is_err());
        until_ended(&self.backends.all[index].pool);
    }
}

/// Returns when the other side has closed every connection of the pool.
fn until_ended(pool: &Pool) {
    until(|| {
        pool.take().is_none_or(|open| {
            pool.put(open, Mono(0));
            false
        })
    });
}

/// Runs `test` among backends of these behaviours; pings count as requests only where it watches.
fn among(behaviours: Vec<Behaviour>, test: impl FnOnce(&Setting)) {
    std::thread::scope(|scope| {
        let (mut addrs, mut all_seen, mut stops, mut ends) = (vec![], vec![], vec![], vec![]);
        for behaviour in behaviours {
            let listener = Listener::bind("127.0.0.1:0").unwrap();
            addrs.push(listener.local_addr().to_string());
            let (seen, stop) = (Arc::new(Seen::default()), Stop::new());
            let seen_here = Arc::clone(&seen);
            let handler = move |mut connection: Connection, role, _, _| {
                assert_eq!(role, Role::Web);
                seen_here.connections.fetch_add(1, Ordering::SeqCst);
                while let Ok(frame) = connection.receive(REQUEST_BYTES_MAX, LONG) {
                    assert!(serde_json::from_slice::<Request>(&frame.header).is_ok());
                    let before = seen_here.requests.fetch_add(1, Ordering::SeqCst);
                    if behaviour(&mut connection, before).is_err() {
                        break;
                    }
                }
            };
            listener.serve(scope, &stop, &keys(1), handler).unwrap();
            ends.push(StopOnDrop(stop.clone()));
            all_seen.push(seen);
            stops.push(stop);
        }
        let backends = Backends::new(addrs.clone(), web_keys(1), Clock::system());
        test(&Setting { addrs, seen: all_seen, stops, backends });
    });
}

#[test]
fn ask_well_backends_reuses_the_users_connection() {
    among(vec![answers(saved()), answers(saved()), answers(saved())], |setting| {
        for _ in 0..5 {
            assert_eq!(setting.ask(&[1], write()), Ok(saved()));
        }
        assert_eq!(setting.requests(), [0, 5, 0]);
        assert_eq!(setting.seen[1].connections.load(Ordering::SeqCst), 1);
        let stranger =
            Request { session: None, read_to: None, need: None, action: Action::CheckSession };
        for _ in 0..6 {
            assert!(setting.backends.ask(None, &stranger).is_ok());
        }
        assert_eq!(setting.requests(), [2, 7, 2]);
    });
}

#[test]
fn ask_dead_backend_next_answers_and_the_dead_is_last_from_then() {
    among(vec![answers(saved()), answers(saved())], |setting| {
        setting.kill(0);
        assert_eq!(setting.ask(&[0], write()), Ok(saved()));
        assert!(setting.is_suspected(0));
        assert_eq!(setting.requests(), [0, 1]);
        setting.kill(1);
        let both = setting.ask(&[0], write());
        assert_eq!(both, Err(AskError::Unreachable { asked: false }), "the pool noticed");
    });
}

#[test]
fn r0009_backend_that_lets_a_dial_time_out_keeps_nobody_else_waiting() {
    among(vec![answers(saved())], |setting| {
        // The system takes its connections; nobody is there to shake hands.
        let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addrs = vec![setting.addrs[0].clone(), frozen.local_addr().unwrap().to_string()];
        let backends = Backends::new(addrs.clone(), web_keys(1), Clock::system());
        let setting = Setting { addrs, seen: Vec::new(), stops: Vec::new(), backends };
        assert_eq!(setting.ask(&[1, 0], write()), Ok(saved()));
        assert!(setting.is_suspected(1), "the next request would wait as long");
    });
}

#[test]
fn ask_nobody_known_nothing_was_asked() {
    among(vec![], |setting| {
        let request = Request { session: None, read_to: None, need: None, action: write() };
        let answer = setting.backends.ask(None, &request);
        assert_eq!(answer, Err(AskError::Unreachable { asked: false }));
    });
}

#[test]
fn ask_backend_of_another_cluster_is_suspected() {
    among(vec![answers(saved())], |setting| {
        let addrs = setting.addrs.clone();
        let foreign = Backends::new(addrs, keys(2), Clock::system());
        let request = Request { session: None, read_to: None, need: None, action: write() };
        assert_eq!(foreign.ask(None, &request), Err(AskError::Unreachable { asked: false }));
        assert!(foreign.all[0].is_suspected(foreign.clock.mono()));
    });
}

#[test]
fn ask_backend_hangs_up_on_everything_outcome_not_known() {
    let hang_up: Behaviour = Arc::new(|_, _| hangs_up());
    among(vec![Arc::clone(&hang_up), hang_up], |setting| {
        let answer = setting.ask(&[0], write());
        assert_eq!(answer, Err(AskError::Unreachable { asked: true }));
        assert_eq!(setting.requests(), [1, 1]);
    });
}

#[test]
fn ask_answer_cut_short_or_nonsense_next_answers() {
    let cut: Behaviour = Arc::new(|connection, _| {
        connection.send_cut(&serde_json::to_vec(&response(saved())).unwrap());
        hangs_up()
    });
    let nonsense: Behaviour = Arc::new(|connection, _| connection.send(b"{\"is\":", &[], LONG));
    let huge: Behaviour =
        Arc::new(|connection, _| connection.send(&vec![b' '; RESPONSE_BYTES_MAX + 1], &[], LONG));
    for bad in [cut, nonsense, huge] {
        among(vec![bad, answers(saved())], |setting| {
            assert_eq!(setting.ask(&[0], write()), Ok(saved()));
            assert_eq!(setting.requests(), [1, 1]);
            assert_eq!(setting.backends.all[0].pool.count(), 0);
        });
    }
}

#[test]
fn ask_pooled_connection_ends_at_use_once_more_on_a_fresh_one() {
    let every_other: Behaviour =
        Arc::new(
            |connection, before| {
                if before % 2 == 1 { hangs_up() } else { say(connection, &response(saved())) }
            },
        );
    among(vec![every_other, answers(no_majority())], |setting| {
        for _ in 0..3 {
            assert_eq!(setting.ask(&[0], write()), Ok(saved()));
        }
        assert_eq!(setting.requests(), [5, 0]);
    });
}

/// With two of three gone every picture was an empty file, and browsers keep pictures for good.
#[test]
fn r0186_what_comes_beside_an_old_answer_is_given_with_it() {
    let shows: Behaviour = Arc::new(|connection, _| {
        let answer = serde_json::to_vec(&stale(Outcome::Checked)).unwrap();
        connection.send(&answer, b"a picture", LONG)
    });
    among(vec![shows], |setting| {
        let action = Action::ClusterStatus;
        let request = Request { session: None, read_to: None, need: None, action };
        let (told, beside) = setting.backends.ask_beside(None, &request, &[]).unwrap();
        assert_eq!((told.data.outcome, beside), (Outcome::Checked, b"a picture".to_vec()));
    });
}

#[test]
fn ask_cut_off_backend_does_not_speak_for_all() {
    among(vec![answers(no_majority()), answers(no_majority()), answers(saved())], |setting| {
        assert_eq!(setting.ask(&[0, 1], write()), Ok(saved()));
        assert_eq!(setting.requests(), [1, 1, 1]);
        setting.kill(2);
        assert_eq!(setting.ask(&[0, 1], write()), Ok(no_majority()));
    });
    let page: Behaviour = Arc::new(|connection, _| say(connection, &stale(Outcome::Checked)));
    among(vec![page, answers(Outcome::Refused(Refusal::NotFound))], |setting| {
        let fresh = setting.ask(&[0], Action::ClusterStatus);
        assert_eq!(fresh, Ok(Outcome::Refused(Refusal::NotFound)));
        setting.kill(1);
        assert_eq!(setting.ask(&[0], Action::ClusterStatus), Ok(Outcome::Checked));
    });
}

#[test]
fn ask_outcome_unknown_next_is_asked_once() {
    let unknown = || answers(Outcome::Refused(Refusal::Unknown));
    among(vec![unknown(), answers(saved())], |setting| {
        assert_eq!(setting.ask(&[0], write()), Ok(saved()));
    });
    among(vec![unknown(), unknown(), answers(saved())], |setting| {
        let twice = setting.ask(&[0, 1], write());
        assert_eq!(twice, Ok(Outcome::Refused(Refusal::Unknown)));
        assert_eq!(setting.requests(), [1, 1, 0]);
    });
}

/// Takes requests and answers none until `end` closes.
fn hangs(end: &Stop) -> Behaviour {
    let end = end.clone();
    Arc::new(move |_, _| {
        end.wait(LONG);
        hangs_up()
    })
}

#[test]
fn ask_backend_suspected_meanwhile_left_at_once() {
    let end = Stop::new();
    among(vec![hangs(&end), answers(saved())], |setting| {
        let _end = StopOnDrop(end);
        // This clock stands, so no deadline can pass.
        let clock = Clock::manual(Mono(0), Wall(0));
        let backends = Backends::new(setting.addrs.clone(), web_keys(1), clock);
        let (user, request) = (
            setting.user(&[0]),
            Request { session: None, read_to: None, need: None, action: write() },
        );
        std::thread::scope(|scope| {
            let ask = spawn_named(scope, "ask", |_| backends.ask(Some(&user), &request)).unwrap();
            until(|| setting.requests() == [1, 0]);
            (0..PINGS_MISSED_MAX).for_each(|_| backends.all[0].missed());
            assert_eq!(ask.join().unwrap().unwrap().data.outcome, saved());
        });
    });
}

#[test]
fn watch_hanging_backend_suspected_and_next_answers() {
    let end = Stop::new();
    among(vec![hangs(&end), answers(saved())], |setting| {
        let _end = StopOnDrop(end);
        std::thread::scope(|scope| {
            let stop = Stop::new();
            let _stop = StopOnDrop(stop.clone());
            spawn_named(scope, "watch", move |_| setting.backends.watch(&stop)).unwrap();
            assert_eq!(setting.ask(&[0], write()), Ok(saved()));
            assert!(setting.is_suspected(0));
            assert!(!setting.is_suspected(1));
        });
    });
}

/// Runs `test` with backends of which the first answers pings and takes all else without an answer, while
/// `is_hung` says so, and the second is well; their clock is moved by hand.
fn beside_hung(test: impl FnOnce(&Setting, &Clock, &AtomicBool) + Send) {
    among(vec![answers(saved())], |well| {
        std::thread::scope(|scope| {
            let (end, is_hung) = (StopOnDrop(Stop::new()), Arc::new(AtomicBool::new(true)));
            let listener = Listener::bind("127.0.0.1:0").unwrap();
            let addrs = vec![listener.local_addr().to_string(), well.addrs[0].clone()];
            let seen = Arc::new(Seen::default());
            let (stop, seen_here, hung) = (end.0.clone(), Arc::clone(&seen), Arc::clone(&is_hung));
            let handler = move |mut connection: Connection, _, _, _| {
                while let Ok(frame) = connection.receive(REQUEST_BYTES_MAX, LONG) {
                    let request: Request = serde_json::from_slice(&frame.header).unwrap();
                    if matches!(request.action, Action::CheckSession) {
                        seen_here.pings.fetch_add(1, Ordering::SeqCst);
                        say(&mut connection, &response(Outcome::Checked)).unwrap();
                        continue;
                    }
                    seen_here.requests.fetch_add(1, Ordering::SeqCst);
                    if hung.load(Ordering::SeqCst) {
                        stop.wait(LONG);
                        return;
                    }
                    say(&mut connection, &response(saved())).unwrap();
                }
            };
            listener.serve(scope, &end.0, &keys(1), handler).unwrap();
            let clock = Clock::manual(Mono(0), Wall(0));
            let backends = Backends::new(addrs.clone(), web_keys(1), clock.clone());
            let seen = vec![seen, Arc::clone(&well.seen[0])];
            let setting = Setting { addrs, seen, stops: Vec::new(), backends };
            let watch = StopOnDrop(Stop::new());
            let (backends, stop) = (&setting.backends, watch.0.clone());
            std::thread::scope(|scope| {
                let _watch = watch;
                spawn_named(scope, "watch", move |_| backends.watch(&stop)).unwrap();
                test(&setting, &clock, &is_hung);
            });
        });
    });
}

/// Has the first of two backends asked, and lets so much time pass once it was.
fn ask_and_wait(setting: &Setting, (clock, ms): (&Clock, u64)) {
    let (now, asked) = (clock.mono(), setting.requests()[0]);
    std::thread::scope(|scope| {
        let ask = spawn_named(scope, "ask", |_| setting.ask(&[0], write())).unwrap();
        until(|| setting.requests()[0] > asked);
        clock.set(now.plus_ms(ms), Wall(0));
        assert_eq!(ask.join().unwrap(), Ok(saved()));
    });
}

#[test]
fn r0079_backend_that_takes_requests_and_answers_pings_alone_keeps_one_waiting() {
    beside_hung(|setting, clock, is_hung| {
        let asked = || setting.requests()[0];
        ask_and_wait(setting, (clock, ATTEMPT_MS));
        assert_eq!(asked(), 1);
        // A ping's answer says nothing of what is asked in earnest.
        let pings = || setting.seen[0].pings.load(Ordering::SeqCst);
        let before = pings();
        until(|| pings() > before + 1);
        for _ in 0..3 {
            assert_eq!(setting.ask(&[0], write()), Ok(saved()));
        }
        assert_eq!(asked(), 1);
        // After a while one request finds out, for less time, and the next do not.
        clock.set(clock.mono().plus_ms(STUCK_MS), Wall(0));
        ask_and_wait(setting, (clock, ATTEMPT_SUSPECTED_MS));
        assert_eq!(setting.ask(&[0], write()), Ok(saved()));
        assert_eq!(asked(), 2);
        // Well again, it is found out as well.
        is_hung.store(false, Ordering::SeqCst);
        clock.set(clock.mono().plus_ms(STUCK_MS), Wall(0));
        for _ in 0..3 {
            assert_eq!(setting.ask(&[0], write()), Ok(saved()));
        }
        assert_eq!(asked(), 5);
    });
}

#[test]
fn backend_that_was_not_given_its_full_time_is_asked_again() {
    beside_hung(|setting, clock, _| {
        let request = Request { session: None, read_to: None, need: None, action: write() };
        let user = setting.user(&[0]);
        std::thread::scope(|scope| {
            // A file's way alone may take so long.
            let ask = spawn_named(scope, "ask", |_| {
                setting.backends.ask_beside(Some(&user), &request, b"a picture")
            });
            until(|| setting.requests()[0] == 1);
            clock.set(clock.mono().plus_ms(ATTEMPT_MS), Wall(0));
            assert!(ask.unwrap().join().unwrap().is_ok());
        });
        assert!(!setting.is_suspected(0));
    });
}

/// Half a megabyte goes 4 s to the backend at 1 Mbit/s, and 8 s more to the others.
#[test]
fn r0245_picture_is_given_the_time_that_its_way_takes() {
    beside_hung(|setting, clock, _| {
        let request = Request { session: None, read_to: None, need: None, action: write() };
        let (user, beside) = (setting.user(&[0]), vec![0; 500_000]);
        std::thread::scope(|scope| {
            let ask = |_| setting.backends.ask_beside(Some(&user), &request, &beside);
            let ask = spawn_named(scope, "ask", ask).unwrap();
            until(|| setting.requests()[0] == 1);
            clock.set(clock.mono().plus_ms(ATTEMPT_MS + 12_000), Wall(0));
            std::thread::sleep(Duration::from_millis(3 * ANSWER_SLICE_MS));
            assert!(!ask.is_finished(), "it may still answer");
            let all_ms = 2 * 500_000 / FRAME_BYTES_PER_MS_MIN;
            clock.set(clock.mono().plus_ms(all_ms - 12_000), Wall(0));
            assert!(ask.join().unwrap().is_ok());
        });
    });
}

#[test]
fn watch_backend_comes_back_suspicion_ends() {
    among(vec![answers(Outcome::Checked)], |setting| {
        setting.kill(0);
        assert!(setting.ask(&[0], write()).is_err());
        assert!(setting.is_suspected(0));
        std::thread::scope(|scope| {
            let stop = Stop::new();
            let _stop = StopOnDrop(stop.clone());
            spawn_named(scope, "watch", move |_| setting.backends.watch(&stop)).unwrap();
            let back = StopOnDrop(Stop::new());
            let listener = Listener::bind(&setting.addrs[0]).unwrap();
            let handler = |mut connection: Connection, _, _, _| {
                while connection.receive(REQUEST_BYTES_MAX, LONG).is_ok() {
                    say(&mut connection, &response(Outcome::Checked)).unwrap();
                }
            };
            listener.serve(scope, &back.0, &keys(1), handler).unwrap();
            until(|| !setting.is_suspected(0));
            assert_eq!(setting.ask(&[0], write()), Ok(Outcome::Checked));
            assert_eq!(setting.backends.all[0].pool.count(), 1);
            back.0.close();
            until(|| setting.is_suspected(0) && setting.backends.all[0].pool.count() == 0);
        });
    });
}

#[test]
fn pool_idle_connections_end_and_none_beyond_the_bound() {
    among(vec![answers(saved())], |setting| {
        let pool = Pool::default();
        let dialled = || dial(&setting.addrs[0], Role::Web, &keys(1), LONG).unwrap();
        for number in 0..=POOL_CONNECTIONS_MAX as u64 {
            pool.put(dialled(), Mono(number));
        }
        assert_eq!(pool.count(), POOL_CONNECTIONS_MAX);
        pool.sweep(Mono(POOL_IDLE_S * 1_000 + 4));
        assert_eq!(pool.count(), POOL_CONNECTIONS_MAX - 5);
        assert!(pool.take().is_some());
        pool.clear();
        assert!(pool.take().is_none());
        pool.put(dialled(), Mono(0));
        setting.kill(0);
        until_ended(&pool);
    });
}

/// An answer that is long enough to be made in turn.
fn long() -> Outcome {
    Outcome::Api(Box::new(ApiReply::Community(CommunityView {
        members: 1,
        posts: 1,
        is_open: true,
        is_approved: false,
        words: "w".repeat(MAKING_BYTES_MIN),
    })))
}

fn busy() -> Outcome {
    Outcome::Refused(Refusal::Busy { retry_after_s: GATE_RETRY_AFTER_S })
}

/// Two backends, of which the second answers shortly, and one turn, which this thread has.
fn among_turns(test: impl Fn(&Making, &(dyn Fn(usize, Action) -> Outcome + Sync))) {
    among(vec![answers(long()), answers(saved())], |setting| {
        let making = Arc::new(Making::new(1, Duration::from_millis(20)));
        let backends = Backends::new(setting.addrs.clone(), web_keys(1), Clock::system());
        let backends = backends.in_turns(Arc::clone(&making));
        let users = [setting.user(&[0]), setting.user(&[1])];
        let ask = |whom: usize, action| {
            let request = Request { session: None, read_to: None, need: None, action };
            backends.ask(Some(&users[whom]), &request).unwrap().data.outcome
        };
        assert!(making.begin());
        test(&making, &ask);
    });
}

fn on_another_thread<T: Send>(what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        spawn_named(scope, "other", |_permit| what()).unwrap().join().unwrap()
    })
}

#[test]
fn ask_without_a_turn_in_time_is_told_to_come_back_and_others_are_served() {
    among_turns(|making, ask| {
        on_another_thread(|| {
            assert_eq!(ask(0, Action::CheckSession), busy());
            // What is short needs no turn, and what was written is told whatever there is to it.
            assert_eq!(ask(1, Action::CheckSession), saved());
            assert_eq!(ask(0, write()), long());
        });
        making.end();
        on_another_thread(|| {
            assert_eq!(ask(0, Action::CheckSession), long());
            making.end();
        });
    });
}

#[test]
fn ask_gives_up_the_turn_until_the_answer_is_there() {
    among_turns(|making, ask| {
        // A short answer: it was given up, and none taken.
        assert_eq!(ask(1, Action::CheckSession), saved());
        on_another_thread(|| {
            assert!(making.begin());
            making.end();
        });
        assert_eq!(ask(0, Action::CheckSession), long());
        assert!(!on_another_thread(|| making.begin()));
    });
}

#[test]
fn r0118_panic_of_the_watch_ends_what_it_watches_for() {
    let stop = Stop::new();
    let backends = Backends::new(vec!["127.0.0.1:1".to_owned()], web_keys(1), Clock::broken());
    let watch = std::panic::AssertUnwindSafe(|| backends.watch(&stop));
    assert!(std::panic::catch_unwind(watch).is_err());
    assert!(stop.is_closed(), "a web server that is blind goes on");
}
