//! Records, verdicts and memory.

use std::process::Command;
use std::thread;

use super::*;
use crate::clock::{Mono, Wall};

const SMALL: PoolSize = PoolSize { buffers: 2, queue: 32, wait_ms: 60_000, idle_ms: 60_000 };

fn clock() -> Clock {
    Clock::manual(Mono(0), Wall(0))
}

/// Checks the verdict of a hasher that makes `m=16,t=1`.
fn check(password: &str, stored: &str, expected: Result<Verdict, AuthError>) {
    let hasher = Hasher::with(clock(), 16, 1, SMALL);
    assert_eq!(hasher.verify(password, stored), expected, "{stored}");
}

/// A record as some other program would have made it.
fn foreign(argon2: Argon2<'_>, salt: &[u8], output_bytes: usize) -> String {
    let mut output = vec![0; output_bytes];
    argon2.hash_password_into(b"some password", salt, &mut output).unwrap();
    record(argon2.params(), salt, &output).unwrap()
}

fn argon2(algorithm: Algorithm, version: Version, kib: u32, passes: u32) -> Argon2<'static> {
    Argon2::new(algorithm, version, Params::new(kib, passes, 1, None).unwrap())
}

#[test]
fn s01_hash_today_is_argon2id_record() {
    let stored = Hasher::new(clock(), 1).hash("correct horse").unwrap();
    let hash = PasswordHash::new(&stored).unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_eq!(hash.salt.unwrap().len(), 16);
    assert_eq!(hash.hash.unwrap().len(), 32);
}

#[test]
fn hash_same_password_twice_salts_differ() {
    let hasher = Hasher::cheap(clock());
    assert_ne!(hasher.hash("correct horse").unwrap(), hasher.hash("correct horse").unwrap());
}

#[test]
fn verify_right_and_wrong_password_told_apart() {
    let stored = Hasher::with(clock(), 16, 1, SMALL).hash("Ünïcode, with spaces ").unwrap();
    check("Ünïcode, with spaces ", &stored, Ok(Verdict::Match));
    for wrong in ["Ünïcode, with spaces", "ünïcode, with spaces ", "", "\0"] {
        check(wrong, &stored, Ok(Verdict::NoMatch));
    }
}

#[test]
fn s03_verify_other_composition_of_same_letters_matches() {
    let stored = Hasher::with(clock(), 16, 1, SMALL).hash("cafe\u{301} am See").unwrap();
    check("caf\u{e9} am See", &stored, Ok(Verdict::Match));
    check("cafe am See", &stored, Ok(Verdict::NoMatch));
}

#[test]
fn verify_record_of_other_program_matches() {
    // Source: the reference implementation, src/test.c, Argon2id, version 0x13.
    let stored =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let hasher = Hasher::with(clock(), 256, 2, SMALL);
    assert_eq!(hasher.verify("password", stored), Ok(Verdict::MatchWeak), "a salt of 8 bytes");
    assert_eq!(hasher.verify("Password", stored), Ok(Verdict::NoMatch));
    let own = foreign(argon2(Algorithm::Argon2id, Version::V0x13, 16, 2), &[7; 16], 32);
    check("some password", &own, Ok(Verdict::Match));
}

#[test]
fn s01_verify_weaker_record_matches_weakly() {
    let id = |kib, passes| argon2(Algorithm::Argon2id, Version::V0x13, kib, passes);
    check("some password", &foreign(id(8, 1), &[7; 16], 32), Ok(Verdict::MatchWeak));
    check("some password", &foreign(id(16, 1), &[7; 15], 32), Ok(Verdict::MatchWeak));
    check("some password", &foreign(id(16, 1), &[7; 16], 31), Ok(Verdict::MatchWeak));
    check("another", &foreign(id(8, 1), &[7; 16], 32), Ok(Verdict::NoMatch));
    for (algorithm, version, name) in [
        (Algorithm::Argon2d, Version::V0x13, "$argon2d$v=19$"),
        (Algorithm::Argon2i, Version::V0x13, "$argon2i$v=19$"),
        (Algorithm::Argon2id, Version::V0x10, "$argon2id$v=16$"),
        (Algorithm::Argon2id, Version::V0x10, "$argon2id$"),
    ] {
        let stored = foreign(argon2(algorithm, version, 16, 1), &[7; 16], 32);
        let stored = stored.replace("$argon2id$v=19$", name);
        check("some password", &stored, Ok(Verdict::MatchWeak));
    }
}

#[test]
fn verify_one_pass_fewer_matches_weakly() {
    let hasher = Hasher::with(clock(), 16, 2, SMALL);
    let stored = foreign(argon2(Algorithm::Argon2id, Version::V0x13, 16, 1), &[7; 16], 32);
    assert_eq!(hasher.verify("some password", &stored), Ok(Verdict::MatchWeak));
}

#[test]
fn verify_costly_record_refused() {
    let rest = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (kib, passes, lanes) in [(17, 1, 1), (u32::MAX, 1, 1), (16, 17, 1), (16, u32::MAX, 1)] {
        let stored = format!("$argon2id$v=19$m={kib},t={passes},p={lanes}{rest}");
        check("password", &stored, Err(AuthError::TooCostly { kib, passes, lanes }));
    }
    let hasher = Hasher::with(clock(), 64, 1, SMALL);
    let stored = format!("$argon2id$v=19$m=64,t=1,p=5{rest}");
    let refused = AuthError::TooCostly { kib: 64, passes: 1, lanes: 5 };
    assert_eq!(hasher.verify("password", &stored), Err(refused));
}

#[test]
fn verify_malformed_record_is_error_without_secret() {
    let hasher = Hasher::cheap(clock());
    let own = hasher.hash("correct horse").unwrap();
    for length in 0..own.len() {
        let stored = own.get(..length).unwrap();
        // Cut inside the output it is another record, which nothing matches.
        match hasher.verify("correct horse", stored) {
            Ok(verdict) => assert_eq!(verdict, Verdict::NoMatch, "{stored}"),
            Err(error) => {
                let text = format!("{error} {error:?}");
                assert!(matches!(error, AuthError::Malformed(_)), "{text}");
                assert!(!text.contains("horse") && !text.contains('$'), "{text}");
            }
        }
    }
    for stored in [
        "correct horse",
        "$2b$10$abcdefghijklmnopqrstuv",
        "$argon2id$v=18$m=8,t=1,p=1",
        "$argon2id$v=19$m=8,t=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "",
    ] {
        assert!(matches!(hasher.verify("x", stored), Err(AuthError::Malformed(_))), "{stored}");
    }
}

#[test]
fn s03_hash_longest_password_taken_longer_refused() {
    let hasher = Hasher::cheap(clock());
    let longest = "é".repeat(512);
    let stored = hasher.hash(&longest).unwrap();
    assert_eq!(hasher.verify(&longest, &stored), Ok(Verdict::Match));
    // Were it cut, it would match.
    let longer = format!("{longest}x");
    assert_eq!(hasher.verify(&longer, &stored), Ok(Verdict::NoMatch));
    assert_eq!(hasher.hash(&longer), Err(AuthError::PasswordTooLong));
    // Decomposed it is 1,536 bytes, and the same password.
    assert_eq!(hasher.verify(&"e\u{301}".repeat(512), &stored), Ok(Verdict::Match));
}

#[test]
fn s07_verify_dummy_matches_nothing_at_todays_cost() {
    let hasher = Hasher::new(clock(), 1);
    let hash = PasswordHash::new(&hasher.dummy).unwrap();
    assert_eq!(hash.params.to_string(), "m=19456,t=2,p=1");
    assert_eq!(hash.salt.unwrap().len(), SALT_BYTES);
    assert_eq!(hasher.verify_dummy("password"), Ok(Verdict::NoMatch));
    assert_eq!(hasher.verify_dummy(""), Ok(Verdict::NoMatch));
}

/// Nanoseconds for which this process was on a processor, whoever else was.
fn busy_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap()
}

#[test]
fn s07_unknown_name_costs_as_much_as_a_wrong_password() {
    alone("auth::password::tests::s07_unknown_name_costs_as_much_as_a_wrong_password", check_costs);
}

fn check_costs() {
    let hasher = Hasher::new(clock(), 1);
    let stored = hasher.hash("correct horse").unwrap();
    let cost = |verify: &dyn Fn() -> Result<Verdict, AuthError>| {
        let before = busy_ns();
        assert_eq!(verify(), Ok(Verdict::NoMatch));
        busy_ns() - before
    };
    // What other programs do to the processor they do to both of two tries in a row, whichever comes
    // first: so the median of how many times one takes as long as the other.
    let mut per_thousand = Vec::new();
    let is_alike = (0..200).any(|tried| {
        let unknown = || cost(&|| hasher.verify_dummy("battery staple"));
        let wrong = || cost(&|| hasher.verify("battery staple", &stored));
        let (unknown, wrong) = if tried % 2 == 0 {
            let first = unknown();
            (first, wrong())
        } else {
            let first = wrong();
            (unknown(), first)
        };
        per_thousand.push(unknown * 1_000 / wrong);
        per_thousand.sort_unstable();
        // On a busy machine it takes more of them.
        tried >= 20 && per_thousand[tried / 2].abs_diff(1_000) < 50
    });
    assert!(is_alike, "{per_thousand:?}");
}

#[test]
fn verify_dummy_matching_by_chance_is_no_match() {
    let mut hasher = Hasher::cheap(clock());
    hasher.dummy = hasher.hash("correct horse").unwrap();
    assert_eq!(hasher.verify_dummy("correct horse"), Ok(Verdict::NoMatch));
}

#[test]
fn s02_threads_of_all_who_share_the_cores_are_no_more_than_cores_or_one_each() {
    let counts = [(1, 1), (2, 1), (8, 1), (2, 3), (4, 3), (8, 3), (16, 3), (2, 0)];
    let threads = counts.map(|(cores, sharers)| threads(cores, sharers));
    assert_eq!(threads, [1, 2, 4, 1, 1, 2, 4, 2]);
}

#[test]
fn hash_thread_leaves_the_cores_to_others() {
    let pool = Pool::new(clock(), SMALL, 1);
    let niceness = || rustix::process::getpriority_process(None).unwrap();
    let (own, hashing) = (niceness(), pool.run(move |_blocks| niceness()).unwrap());
    // However little of them this process was given itself.
    assert_eq!(hashing, (own + 5).min(19));
}

#[test]
fn s02_hash_pool_exhausted_is_busy() {
    let hasher = Hasher::with(clock(), 16, 1, PoolSize { buffers: 1, queue: 0, ..SMALL });
    let (begin, begun) = crossbeam_channel::bounded(1);
    let (release, held) = crossbeam_channel::bounded::<()>(1);
    thread::scope(|scope| {
        let pool = &hasher.pool;
        scope.spawn(move || {
            pool.run(move |_| {
                begin.send(()).unwrap();
                held.recv().unwrap();
            })
        });
        begun.recv().unwrap();
        let busy = AuthError::Busy { retry_after_s: limits::PASSWORD_HASH_RETRY_S };
        assert_eq!(hasher.hash("correct horse"), Err(busy.clone()));
        assert_eq!(hasher.verify_dummy("correct horse"), Err(busy));
        release.send(()).unwrap();
    });
    // Its thread is free a moment after whoever asked was told.
    while hasher.pool.workers() != (1, 1) {
        thread::yield_now();
    }
    assert!(hasher.hash("correct horse").is_ok());
}

/// KiB of this process in memory.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Set in the process that runs one test alone.
const ALONE: &str = "TERN_TEST_ALONE";

/// Runs `body` in a process of its own, where no other test's memory is counted.
fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{name} is no test's name: {text}");
}

#[test]
fn s02_hash_two_hundred_at_once_memory_flat_none_lost() {
    alone("auth::password::tests::s02_hash_two_hundred_at_once_memory_flat_none_lost", || {
        let hasher = Hasher::new(Clock::system(), 1);
        let before = resident_kib();
        let outcomes: Vec<_> = thread::scope(|scope| {
            let one = || (hasher.verify_dummy("correct horse"), resident_kib());
            let threads: Vec<_> = (0..200).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let busy = Err(AuthError::Busy { retry_after_s: limits::PASSWORD_HASH_RETRY_S });
        let served = outcomes.iter().filter(|(result, _)| *result == Ok(Verdict::NoMatch)).count();
        let refused = outcomes.iter().filter(|(result, _)| *result == busy).count();
        assert_eq!(served + refused, 200);
        assert!(served >= 1, "nobody was served");
        let (buffers, _) = hasher.pool.workers();
        assert_eq!(buffers, thread::available_parallelism().unwrap().get().min(4));
        let grown = outcomes.iter().map(|(_, kib)| kib.saturating_sub(before)).max().unwrap();
        let allowed = 32 * 1024 + buffers * limits::PASSWORD_HASH_KIB as usize;
        assert!(grown <= allowed, "{before} KiB grew by {grown} KiB");
    });
}
