//! Heads and bodies that never come, and answers that nobody takes: each stranger is thrown out by a
//! deadline that it cannot move.

use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tern::clock::Clock;
use tern::thread::Stop;

use super::watch::Door;
use super::{announcing, attacked, get, stranger, thorough};
use crate::cluster::harness::{Cluster, eventually};

/// Milliseconds after which nobody may be there any more who drips.
const DRIP_MS_MAX: u64 = 20_000;
/// The same for who does not take an answer: more for a large one, and before that it must fill the
/// system's buffers.
const READER_MS_MAX: u64 = 40_000;
/// The same for the system to give up the answers of closed connections.
const ANSWERS_GONE: Duration = Duration::from_mins(1);
/// How often each stranger acts.
const STEP: Duration = Duration::from_millis(250);
/// Steps between two bytes of those who drip.
const STEPS_PER_BYTE: usize = 4;
/// Requests sent at once, of the most impudent.
const PIPELINED: usize = 10_000;
/// Posts of the longest on the page of slow readers.
const POSTS: usize = 15;

/// What a stranger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Sends a byte a second, and reads what it is told.
    Drips,
    /// Says all it has to say at once and reads what it is told.
    Waits,
    /// Says all it has to say at once and reads a byte a second.
    Sips,
    /// Says as much as is taken from it, and never reads.
    Hoards,
}

struct Stranger {
    habit: Habit,
    socket: Socket,
    words: Vec<u8>,
    said: usize,
    heard: Vec<u8>,
    ended_ms: Option<u64>,
}

impl Stranger {
    fn connect(door: &Door, from: IpAddr, habit: Habit, words: Vec<u8>) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        if matches!(habit, Habit::Sips | Habit::Hoards) {
            // What its own system takes for it is no longer the server's burden.
            socket.set_recv_buffer_size(4_096).unwrap();
        }
        socket.bind(&std::net::SocketAddr::new(from, 0).into()).unwrap();
        socket.connect(&door.address.into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { habit, socket, words, said: 0, heard: Vec::new(), ended_ms: None }
    }

    /// Does what it does; true if the connection is over.
    fn act(&mut self, step: usize) -> bool {
        let has_turn = step.is_multiple_of(STEPS_PER_BYTE);
        let spoken = match self.habit {
            Habit::Drips if has_turn => self.say(1),
            Habit::Drips => Ok(()),
            Habit::Waits | Habit::Sips | Habit::Hoards => self.say(usize::MAX),
        };
        let mut heard = match self.habit {
            Habit::Drips | Habit::Waits => self.hear(64 * 1024),
            Habit::Sips if has_turn => self.hear(1),
            Habit::Sips | Habit::Hoards => Ok(()),
        };
        if matches!(self.habit, Habit::Sips | Habit::Hoards)
            && let Some(error) = self.socket.take_error().unwrap()
        {
            // It would notice only when it has sipped all that had come.
            heard = Err(error.kind());
        }
        // What it was told counts, however its own words failed.
        match self.habit {
            Habit::Drips | Habit::Waits => heard.is_err(),
            Habit::Sips | Habit::Hoards => spoken.is_err() || heard.is_err(),
        }
    }

    fn say(&mut self, count: usize) -> Result<(), ErrorKind> {
        let rest = &self.words[self.said..];
        let rest = &rest[..rest.len().min(count)];
        if !rest.is_empty() {
            self.said += quiet((&self.socket).write(rest))?.unwrap_or(0);
        }
        Ok(())
    }

    fn hear(&mut self, count: usize) -> Result<(), ErrorKind> {
        let mut buf = vec![0; count];
        match quiet((&self.socket).read(&mut buf))? {
            Some(0) => Err(ErrorKind::UnexpectedEof),
            Some(count) => {
                self.heard.extend_from_slice(&buf[..count]);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Fails unless it was thrown out in time, and told so if it listened.
    fn check(&self, drip_ms: u64, reader_ms: u64) {
        let what = String::from_utf8_lossy(&self.words[..self.words.len().min(100)]);
        let ended_ms = self.ended_ms.unwrap_or(u64::MAX);
        match self.habit {
            Habit::Drips | Habit::Waits => {
                assert!(ended_ms <= drip_ms, "{what}: after {ended_ms} ms");
                let heard = String::from_utf8_lossy(&self.heard);
                assert!(heard.starts_with("HTTP/1.1 408 "), "{what}: {heard}");
            }
            Habit::Sips | Habit::Hoards => {
                assert!(ended_ms <= reader_ms, "{:?} {what}: after {ended_ms} ms", self.habit);
            }
        }
    }
}

/// Nothing is there, or no room, is no failure.
fn quiet(outcome: std::io::Result<usize>) -> Result<Option<usize>, ErrorKind> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.kind()),
    }
}

/// Lets them all act until each is thrown out, or should have been.
fn run(strangers: &mut [Stranger]) {
    let (clock, stop) = (Clock::system(), Stop::new());
    let mut step = 0;
    while clock.mono().0 < READER_MS_MAX && strangers.iter().any(|it| it.ended_ms.is_none()) {
        for stranger in strangers.iter_mut().filter(|it| it.ended_ms.is_none()) {
            if stranger.act(step) {
                stranger.ended_ms = Some(clock.mono().0);
            }
        }
        step += 1;
        stop.wait(STEP);
    }
    for stranger in &*strangers {
        stranger.check(DRIP_MS_MAX, READER_MS_MAX);
    }
}

/// Heads and bodies, a byte a second: 400 of them.
fn drips(door: &Door) -> Vec<Stranger> {
    let head = format!("GET /{} HTTP/1.1\r\n", "x".repeat(100)).into_bytes();
    let one = |n: usize| {
        let is_body = n.is_multiple_of(2);
        let words = if is_body { b"x".repeat(100) } else { head.clone() };
        let mut it = Stranger::connect(door, stranger(200 + n / 31), Habit::Drips, words);
        if is_body {
            // The head came as it should.
            (&it.socket).write_all(announcing(door, "60000").as_bytes()).unwrap();
            it.words = b"a=b&".repeat(20);
        }
        it
    };
    (0..400).map(one).collect()
}

/// Bodies that are announced and never sent, beyond their first bytes.
fn announcers(door: &Door) -> Vec<Stranger> {
    let words = announcing(door, "60000") + "username=a";
    let words = |n: usize| if n == 0 { announcing(door, "1") } else { words.clone() };
    let from = stranger(300);
    (0..30).map(|n| Stranger::connect(door, from, Habit::Waits, words(n).into_bytes())).collect()
}

/// Requests whose answers nobody takes, or hardly.
fn readers(door: &Door, count: usize) -> Vec<Stranger> {
    let one = get(door.address, "/public");
    // Many more than are read, and a few that are all read.
    let words = [PIPELINED, 20].map(|requests| one.repeat(requests).into_bytes());
    let connect = |n: usize| {
        let habit = if n.is_multiple_of(2) { Habit::Hoards } else { Habit::Sips };
        Stranger::connect(door, stranger(310 + n / 30), habit, words[n / 2 % 2].clone())
    };
    (0..count).map(connect).collect()
}

/// Makes `/public` as long as it gets.
fn fill_public(cluster: &Cluster) {
    let mut ada = cluster.person("ada");
    ada.join();
    for _ in 0..POSTS {
        assert_eq!(ada.post(&"<".repeat(500)).status, 303);
    }
    let bytes = ada.get("/public").body.len();
    assert!(bytes > POSTS * 500 * 4, "a page of {bytes} bytes");
}

#[test]
fn slow_strangers_thrown_out_in_time_and_others_served() {
    let (cluster, door) = attacked();
    fill_public(&cluster);
    if thorough().is_some() {
        door.attack("400 that drip", |_| run(&mut drips(&door)));
        door.attack("bodies announced", |_| run(&mut announcers(&door)));
        door.attack("30 slow readers", |_| run(&mut readers(&door, 30)));
        door.attack("450 slow readers", |_| run(&mut readers(&door, 450)));
        door.attack("answers that the system keeps", |_| {
            // They are whole, and nobody is told of the end: only the system knows.
            let one = get(door.address, "/public").into_bytes();
            let mut all: Vec<_> = (0..300)
                .map(|n| {
                    Stranger::connect(&door, stranger(350 + n / 30), Habit::Hoards, one.clone())
                })
                .collect();
            assert!(all.iter_mut().all(|it| !it.act(0)));
            eventually("it keeps some", ANSWERS_GONE, || (door.unsent() > 100).then_some(()));
            eventually("it keeps none", ANSWERS_GONE, || (door.unsent() == 0).then_some(()));
        });
        return;
    }
    door.attack("the slow", |_| {
        let mut all = [drips(&door), announcers(&door), readers(&door, 40)].into_iter().flatten();
        run(&mut all.by_ref().collect::<Vec<_>>());
    });
}
