//! Limits on the memory of this process (`ulimit -v`, `ulimit -d`, `LimitAS=`): under one that is too low the
//! first page would find out, by a thread that cannot start or an allocation that ends the process. So
//! what is needed at least is compared at the start.
//!
//! What comes on top is refused politely when it does not fit: a connection is told to come back, and so is
//! whoever signs in.

use rustix::process::{Resource, getrlimit};

use super::error::CliError;
use crate::limits::{
    BACKEND_MEMORY_BYTES, LIBRARY_STACK_BYTES, MALLOC_ARENA_BYTES, MALLOC_ARENA_KEPT_BYTES,
    MALLOC_ARENAS_A_CORE, PROGRAM_MAPPED_BYTES, WEB_MEMORY_BYTES, WEB_WORKERS,
};
use crate::thread::STACK_BYTES;

/// What of this program a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `tern backend`.
    Backend,
    /// `tern web`.
    Web,
    /// Both: `tern serve`.
    Serve,
}

/// What the environment says of threads and of the allocator.
#[derive(Debug, Clone, Copy)]
struct Surroundings {
    /// Bytes of the stack of each thread that a library starts.
    library_stack: u64,
    /// Pieces of address space that the allocator sets aside for threads.
    arenas: u64,
}

impl Surroundings {
    fn found() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        // Another C library than GNU's sets nothing aside.
        let has_arenas = cfg!(target_env = "gnu");
        let arenas = number("MALLOC_ARENA_MAX").filter(|most| *most > 0);
        let arenas = arenas.unwrap_or(MALLOC_ARENAS_A_CORE * cores);
        Self {
            library_stack: number("RUST_MIN_STACK").unwrap_or(LIBRARY_STACK_BYTES),
            arenas: if has_arenas { arenas } else { 0 },
        }
    }
}

impl Part {
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Backend => "tern backend",
            Self::Web => "tern web",
            Self::Serve => "tern serve",
        }
    }

    /// Bytes that it takes, stacks of threads included.
    const fn data(self, around: Surroundings) -> u64 {
        let web = WEB_MEMORY_BYTES.saturating_add(
            (STACK_BYTES as u64)
                .saturating_add(around.library_stack)
                .saturating_mul(WEB_WORKERS as u64),
        );
        match self {
            Self::Backend => BACKEND_MEMORY_BYTES,
            Self::Web => web,
            Self::Serve => web.saturating_add(BACKEND_MEMORY_BYTES),
        }
    }

    /// Bytes that GNU's allocator may keep beyond that.
    const fn kept(around: Surroundings) -> u64 {
        around.arenas.saturating_sub(1).saturating_mul(MALLOC_ARENA_KEPT_BYTES)
    }

    /// Bytes of address space that it takes, what is only set aside included.
    const fn address_space(self, around: Surroundings) -> u64 {
        // The first one is the program's own heap.
        let arenas = around.arenas.saturating_sub(1).saturating_mul(MALLOC_ARENA_BYTES);
        self.data(around).saturating_add(PROGRAM_MAPPED_BYTES).saturating_add(arenas)
    }
}

/// Bytes that this process may take besides what it needs at least, if anything limits it.
///
/// # Errors
/// [`CliError::Memory`]: it may not even take that.
pub(super) fn check(part: Part) -> Result<Option<u64>, CliError> {
    let limit = |of| getrlimit(of).current;
    left(part, Surroundings::found(), [limit(Resource::As), limit(Resource::Data)])
}

fn left(
    part: Part,
    around: Surroundings,
    limits: [Option<u64>; 2],
) -> Result<Option<u64>, CliError> {
    let [address_space, data] = limits;
    let needs = [("v", address_space, part.address_space(around)), ("d", data, part.data(around))];
    let left = |(option, limit, least): (&'static str, Option<u64>, u64)| match limit {
        Some(has) => {
            let refused = CliError::Memory { command: part.command(), option, has, least };
            has.checked_sub(least).map(Some).ok_or(refused)
        }
        None => Ok(None),
    };
    let [address_space, data] = needs.map(left);
    let kept = Part::kept(around);
    let data = data?.map(|left| {
        if left < kept {
            // It may still end the process: each arena grows by what its threads take at once.
            log::warn!("little memory for arenas of the allocator, set MALLOC_ARENA_MAX=1");
        }
        left.saturating_sub(kept)
    });
    Ok([address_space?, data].into_iter().flatten().min())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn limit_below_what_is_needed_refused_in_words() {
        let around = Surroundings { library_stack: 2 * MIB, arenas: 16 };
        let said = |part, limits| left(part, around, limits).map_err(|error| error.to_string());
        assert_eq!(said(Part::Serve, [None, None]), Ok(None));
        let words =
            "tern serve needs 1176 MiB of address space at least, and may take 64 MiB (ulimit -v)";
        assert_eq!(said(Part::Serve, [Some(64 * MIB), None]).unwrap_err(), words);
        let words = "tern web needs 152 MiB of memory at least, and may take 64 MiB (ulimit -d)";
        assert_eq!(said(Part::Web, [None, Some(64 * MIB)]).unwrap_err(), words);
        for part in [Part::Backend, Part::Web, Part::Serve] {
            let (space, data) = (part.address_space(around), part.data(around));
            assert_eq!(said(part, [Some(space), Some(data + 7)]), Ok(Some(0)));
            let kept = Part::kept(around);
            assert_eq!(said(part, [None, Some(data + 7)]), Ok(Some(0)));
            assert_eq!(said(part, [None, Some(data + kept + 7)]), Ok(Some(7)));
            assert!(said(part, [Some(space - 1), None]).is_err());
            assert!(said(part, [None, Some(data - 1)]).is_err());
        }
    }

    #[test]
    fn smaller_stacks_and_fewer_arenas_need_less() {
        let small = Surroundings { library_stack: MIB / 2, arenas: 1 };
        assert_eq!(Part::Backend.address_space(small), 64 * MIB);
        assert_eq!(Part::Serve.data(small), 124 * MIB);
        assert_eq!(Part::kept(small), 0);
    }
}
