//! Time: monotonic for waiting and leases, wall for what people read. The only place that asks the
//! system; tests drive a clock by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Milliseconds since the clock was made, never going back, and going on while the system is suspended: the
/// other machines do not wait for it. Meaningful in one process only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub u64);

/// Milliseconds since the Unix epoch, as the system tells them: they may jump.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Wall(pub u64);

#[cfg(feature = "program")]
impl Wall {
    /// This time in the calendar, in UTC; one beyond its end is its end.
    pub fn timestamp(self) -> jiff::Timestamp {
        let time = i64::try_from(self.0).ok();
        let time = time.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        time.unwrap_or(jiff::Timestamp::MAX)
    }
}

impl Mono {
    /// This time and `ms` milliseconds more.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; 0 if `earlier` is later.
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// What is left from `now` to this time.
    pub const fn left(self, now: Self) -> Duration {
        Duration::from_millis(self.since_ms(now))
    }
}

/// Yields both times: the system's, or those a test sets.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Timespec),
    Manual(Arc<(AtomicU64, AtomicU64)>),
    #[cfg(test)]
    Broken,
}

impl Clock {
    /// The system's clocks.
    pub fn system() -> Self {
        Self(Source::System(clock_gettime(ClockId::Boottime)))
    }

    /// A clock that panics whoever asks it, as a mistake would.
    #[cfg(test)]
    pub(crate) fn broken() -> Self {
        Self(Source::Broken)
    }

    /// A clock that stands until [`Self::set`] moves it.
    pub fn manual(mono: Mono, wall: Wall) -> Self {
        Self(Source::Manual(Arc::new((AtomicU64::new(mono.0), AtomicU64::new(wall.0)))))
    }

    /// Sets a manual clock.
    ///
    /// # Panics
    /// On the system's clock.
    pub fn set(&self, mono: Mono, wall: Wall) {
        match &self.0 {
            Source::System(_) => panic!("the system's clock cannot be set"),
            Source::Manual(times) => {
                times.0.store(mono.0, Ordering::SeqCst);
                times.1.store(wall.0, Ordering::SeqCst);
            }
            #[cfg(test)]
            Source::Broken => fails(),
        }
    }

    /// The monotonic time.
    pub fn mono(&self) -> Mono {
        match &self.0 {
            Source::System(start) => {
                let since = clock_gettime(ClockId::Boottime) - *start;
                let since = Duration::try_from(since).unwrap_or_default();
                Mono(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            }
            Source::Manual(times) => Mono(times.0.load(Ordering::SeqCst)),
            #[cfg(test)]
            Source::Broken => fails(),
        }
    }

    /// The wall time; the epoch itself if the system's clock stands before it.
    #[expect(clippy::disallowed_methods, reason = "this is the place that asks the system")]
    pub fn wall(&self) -> Wall {
        match &self.0 {
            Source::System(_) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Wall(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            }
            Source::Manual(times) => Wall(times.1.load(Ordering::SeqCst)),
            #[cfg(test)]
            Source::Broken => fails(),
        }
    }
}

/// What a [`Clock::broken`] does.
#[cfg(test)]
fn fails() -> ! {
    panic!("a mistake")
}
