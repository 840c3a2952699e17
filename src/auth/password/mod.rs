//! Passwords to Argon2id records and back to a verdict.
//!
//! A record is a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$OUTPUT`, with a salt of 16 bytes
//! from the system's generator and an output of 32. What is hashed is the NFC form of the password,
//! because keyboards differ in how they compose the same letters; it is the only change made to it.

mod pool;
#[cfg(test)]
mod tests;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, ParamsBuilder, Version};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

use self::pool::{NoBuffer, Pool, PoolSize};
use super::AuthError;
use crate::clock::Clock;
use crate::limits;

/// Bytes of a new record's salt. Source: RFC 9106, section 4.
const SALT_BYTES: usize = 16;
/// Bytes of a new record's output. Source: RFC 9106, section 4 asks for 16 at least.
const OUTPUT_BYTES: usize = 32;

/// What a password is to a stored record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one.
    Match,
    /// It is the one, and the record is weaker than those made today: hash it anew at this sign-in.
    MatchWeak,
    /// It is another.
    NoMatch,
}

/// Hashes passwords, so many at once and no more. One in each process; shared by all its threads.
///
/// Both acts may wait up to `limits::PASSWORD_HASH_WAIT_MS` and then take a tenth of a second:
/// never under a user's lock.
pub struct Hasher {
    params: Params,
    dummy: String,
    pool: Pool,
}

/// What a stored record asks for.
struct Record {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Hasher {
    /// A hasher with one thread and buffer for each core, 4 at most; they begin when first needed, and end
    /// when nobody needed them for a while. `sharers` processes like this one, itself included, share the
    /// cores: more threads than cores hash fewer passwords, each later.
    ///
    /// # Panics
    /// Never: the parameters are constants that a test checks.
    pub fn new(clock: Clock, sharers: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let size = PoolSize {
            buffers: threads(cores, sharers),
            queue: limits::PASSWORD_HASH_QUEUE,
            wait_ms: limits::PASSWORD_HASH_WAIT_MS,
            idle_ms: limits::PASSWORD_IDLE_MS,
        };
        let kib = limits::PASSWORD_HASH_KIB;
        Self::with(clock, kib, limits::PASSWORD_HASH_PASSES, size)
    }

    /// A hasher for tests of other things: as cheap as Argon2 can be, and never too busy.
    #[cfg(test)]
    pub(crate) fn cheap(clock: Clock) -> Self {
        let size = PoolSize { buffers: 2, queue: 1_000, wait_ms: 60_000, idle_ms: 60_000 };
        Self::with(clock, Params::MIN_M_COST, Params::MIN_T_COST, size)
    }

    #[expect(clippy::expect_used, reason = "constants within the crate's bounds; tests make both")]
    fn with(clock: Clock, kib: u32, passes: u32, size: PoolSize) -> Self {
        let params = ParamsBuilder::new()
            .m_cost(kib)
            .t_cost(passes)
            .p_cost(1)
            .output_len(OUTPUT_BYTES)
            .build()
            .expect("parameters within bounds");
        // Nobody knows a password that gives this output.
        let dummy = record(&params, &[0; SALT_BYTES], &[0; OUTPUT_BYTES]).expect("valid sizes");
        let pool = Pool::new(clock, size, params.block_count());
        Self { params, dummy, pool }
    }

    /// A new record for a password.
    ///
    /// # Errors
    /// [`AuthError::Busy`]; [`AuthError::PasswordTooLong`], if the policy was not asked;
    /// [`AuthError::Random`], [`AuthError::OutOfMemory`], [`AuthError::Hash`].
    pub fn hash(&self, password: &str) -> Result<String, AuthError> {
        let password = normalised(password).ok_or(AuthError::PasswordTooLong)?;
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(AuthError::Random)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let output = self.run(argon2, password, salt.to_vec(), OUTPUT_BYTES)?;
        record(&self.params, &salt, &output)
    }

    /// Whether a password is the one of a stored record.
    ///
    /// One that is longer than any password may be matches nothing, at no cost: that depends on what
    /// was typed alone, and so tells nothing about the record.
    ///
    /// # Errors
    /// [`AuthError::Busy`]; [`AuthError::Malformed`] and [`AuthError::TooCostly`] about the record;
    /// [`AuthError::OutOfMemory`], [`AuthError::Hash`].
    pub fn verify(&self, password: &str, stored: &str) -> Result<Verdict, AuthError> {
        let record = Record::parse(stored, self.params.m_cost())?;
        let Some(password) = normalised(password) else {
            return Ok(Verdict::NoMatch);
        };
        let argon2 = Argon2::new(record.algorithm, record.version, record.params.clone());
        let output = self.run(argon2, password, record.salt.to_vec(), record.output.len())?;
        if !bool::from(output.ct_eq(record.output.as_bytes())) {
            return Ok(Verdict::NoMatch);
        }
        Ok(if record.is_weaker_than(&self.params) { Verdict::MatchWeak } else { Verdict::Match })
    }

    /// What [`Self::verify`] does for a name that nobody has: the same work on a record that no
    /// password matches, so that neither answer nor time tells which names exist.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_dummy(&self, password: &str) -> Result<Verdict, AuthError> {
        self.verify(password, &self.dummy).map(|_| Verdict::NoMatch)
    }

    /// The output, of so many bytes. It is computed on another thread, to which all of it goes.
    fn run(
        &self,
        argon2: Argon2<'static>,
        password: String,
        salt: Vec<u8>,
        output_bytes: usize,
    ) -> Result<Vec<u8>, AuthError> {
        let block_count = self.params.block_count();
        let hashed = self.pool.run(move |blocks| {
            blocks.resize(block_count, Block::new());
            let mut output = vec![0; output_bytes];
            argon2
                .hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, blocks)
                .map(|()| output)
        });
        let output = hashed.map_err(|why| match why {
            NoBuffer::Busy => AuthError::Busy { retry_after_s: limits::PASSWORD_HASH_RETRY_S },
            NoBuffer::Memory => AuthError::OutOfMemory,
        })?;
        output.map_err(AuthError::Hash)
    }
}

/// How many threads hash where so many processes share the cores.
fn threads(cores: usize, sharers: usize) -> usize {
    (cores / sharers.max(1)).clamp(1, limits::PASSWORD_HASHES_MAX)
}

impl Record {
    /// Reads a stored record, and refuses one that needs more than a pool's buffer of `kib_max` or
    /// longer than any of ours.
    fn parse(stored: &str, kib_max: u32) -> Result<Self, AuthError> {
        let hash = PasswordHash::new(stored).map_err(|_| AuthError::Malformed("no PHC string"))?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str())
            .map_err(|_| AuthError::Malformed("not Argon2"))?;
        let version = Version::try_from(hash.version.unwrap_or(Version::V0x10.into()))
            .map_err(|_| AuthError::Malformed("unknown version"))?;
        // The crate would fill in its own defaults for those that are missing.
        if ["m", "t", "p"].iter().any(|name| hash.params.get(*name).is_none()) {
            return Err(AuthError::Malformed("missing parameters"));
        }
        let params = Params::try_from(&hash).map_err(|_| AuthError::Malformed("bad parameters"))?;
        if params.m_cost() > kib_max
            || params.t_cost() > limits::PASSWORD_HASH_PASSES_MAX
            || params.p_cost() > limits::PASSWORD_HASH_LANES_MAX
        {
            let (kib, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
            return Err(AuthError::TooCostly { kib, passes, lanes });
        }
        let salt = hash.salt.ok_or(AuthError::Malformed("no salt"))?;
        let output = hash.hash.ok_or(AuthError::Malformed("no output"))?;
        Ok(Self { algorithm, version, params, salt, output })
    }

    fn is_weaker_than(&self, today: &Params) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.params.m_cost() < today.m_cost()
            || self.params.t_cost() < today.t_cost()
            || self.salt.len() < SALT_BYTES
            || self.output.len() < OUTPUT_BYTES
    }
}

/// Spells a record.
fn record(params: &Params, salt: &[u8], output: &[u8]) -> Result<String, AuthError> {
    let malformed = |_| AuthError::Malformed("bad sizes");
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: params.try_into().map_err(|_| AuthError::Malformed("bad parameters"))?,
        salt: Some(Salt::new(salt).map_err(malformed)?),
        hash: Some(Output::new(output).map_err(malformed)?),
    }
    .to_string())
}

/// The bytes to hash, unless there are more than a password may have.
fn normalised(password: &str) -> Option<String> {
    let mut text = String::with_capacity(password.len().min(limits::PASSWORD_BYTES_MAX));
    for c in password.nfc() {
        if text.len() + c.len_utf8() > limits::PASSWORD_BYTES_MAX {
            return None;
        }
        text.push(c);
    }
    Some(text)
}
