//! Who may speak, and that nobody listens: the Noise protocol under a key both sides know. No socket
//! here, bytes in and bytes out.
//!
//! `NNpsk0` has two messages. The acceptor cannot tell a recorded first message from a fresh one, so
//! it takes nobody for known before a third, empty one, which only the dialler of this very session
//! can seal; that costs no round trip, for it leaves together with the first frame.

use snow::{Builder, HandshakeState, TransportState};

use super::key::Keys;
use crate::limits::HANDSHAKE_BYTES_MAX;

/// Ephemeral keys, the cluster's secret mixed in before anything else, no certificates. Source: the
/// Noise Protocol Framework, revision 34, sections 7.4 and 9.
const PATTERN: &str = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";
/// Bytes of a seal on a message.
const TAG_BYTES: usize = 16;
/// Bytes of each handshake message: a public key and a seal on nothing.
pub(super) const GREETING_BYTES: usize = 32 + TAG_BYTES;
/// Bytes of the sealed empty message that proves the dialler is there.
pub(super) const CONFIRMATION_BYTES: usize = TAG_BYTES;
/// Bytes of plaintext in one message, at most: Noise's 65,535 with the seal.
pub(super) const PLAIN_BYTES_MAX: usize = 65_535 - TAG_BYTES;
/// Bytes of a message's length on the wire.
pub(super) const LENGTH_BYTES: usize = 2;

const _: () = assert!(
    1 + 2 * LENGTH_BYTES + GREETING_BYTES + CONFIRMATION_BYTES <= HANDSHAKE_BYTES_MAX,
    "what an honest dialler sends before it is known"
);

/// As what a process speaks on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A backend of the cluster.
    Peer,
    /// A web server.
    Web,
    /// `tern cluster …`, in the hands of who holds the cluster key.
    Operator,
}

impl Role {
    /// The first byte on the wire.
    const fn byte(self) -> u8 {
        match self {
            Self::Peer => b'P',
            Self::Web => b'W',
            Self::Operator => b'O',
        }
    }

    /// Whether a connection may begin with this byte.
    pub(super) const fn is_known(byte: u8) -> bool {
        Self::from_byte(byte).is_some()
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'P' => Some(Self::Peer),
            b'W' => Some(Self::Web),
            b'O' => Some(Self::Operator),
            _ => None,
        }
    }
}

/// Why two sides do not come together, or a message is not taken.
pub(super) type Why = &'static str;

const WRONG_KEY: Why = "it has another cluster key";

/// The dialler's side, its first message sent.
pub(super) struct Dialling(HandshakeState);

impl Dialling {
    /// The state, and the bytes to send: role, length, message.
    pub(super) fn start(role: Role, keys: &Keys) -> Result<(Self, Vec<u8>), Why> {
        let psk = keys.psk(role).ok_or("the key file here is a web server's")?;
        let mut noise = builder(role, psk)?.build_initiator().map_err(|_| BAD_SETUP)?;
        let mut bytes = vec![role.byte()];
        greet(&mut noise, &mut bytes)?;
        Ok((Self(noise), bytes))
    }

    /// The channel, and the bytes to send: length, confirmation.
    pub(super) fn finish(mut self, answer: &[u8]) -> Result<(Channel, Vec<u8>), Why> {
        hear(&mut self.0, answer)?;
        let mut channel = Channel::new(self.0)?;
        let mut bytes = Vec::new();
        channel.seal(&[], &mut bytes)?;
        Ok((channel, bytes))
    }
}

/// The acceptor's side, its answer sent. Still nobody known.
pub(super) struct Accepting(Channel);

impl Accepting {
    /// The state, and the bytes to send: length, message. An error means: send nothing.
    pub(super) fn answer(
        byte: u8,
        first: &[u8],
        keys: &Keys,
    ) -> Result<(Self, Role, Vec<u8>), Why> {
        let role = Role::from_byte(byte).ok_or("it is no Tern")?;
        let psk = keys.psk(role).ok_or("it takes this process for a backend")?;
        let mut noise = builder(role, psk)?.build_responder().map_err(|_| BAD_SETUP)?;
        hear(&mut noise, first)?;
        let mut bytes = Vec::new();
        greet(&mut noise, &mut bytes)?;
        Ok((Self(Channel::new(noise)?), role, bytes))
    }

    /// The channel, the dialler now known.
    pub(super) fn confirm(mut self, confirmation: &[u8]) -> Result<Channel, Why> {
        let mut plain = Vec::new();
        self.0.open(confirmation, &mut plain).map_err(|_| "its confirmation is forged")?;
        if plain.is_empty() { Ok(self.0) } else { Err("its confirmation is not empty") }
    }
}

/// What both sides say after the handshake.
pub(super) struct Channel(TransportState);

impl Channel {
    fn new(noise: HandshakeState) -> Result<Self, Why> {
        noise.into_transport_mode().map(Self).map_err(|_| BAD_SETUP)
    }

    /// Appends the length and ciphertext of `plain` (at most [`PLAIN_BYTES_MAX`]) to `out`.
    pub(super) fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Why> {
        let too_long = "a message longer than Noise allows";
        let sealed_bytes = plain.len() + TAG_BYTES;
        out.extend(u16::try_from(sealed_bytes).map_err(|_| too_long)?.to_be_bytes());
        let start = out.len();
        out.resize(start + sealed_bytes, 0);
        let sealed = out.get_mut(start..).unwrap_or_default();
        self.0.write_message(plain, sealed).map_err(|_| too_long)?;
        Ok(())
    }

    /// Replaces what `plain` holds by the plaintext of one message. Each can be opened once, in the
    /// order of sealing.
    pub(super) fn open(&mut self, sealed: &[u8], plain: &mut Vec<u8>) -> Result<(), Why> {
        let plain_bytes = sealed.len().checked_sub(TAG_BYTES).ok_or("a message without a seal")?;
        plain.clear();
        plain.resize(plain_bytes, 0);
        self.0.read_message(sealed, plain).map_err(|_| "a message with a broken seal")?;
        Ok(())
    }
}

const BAD_SETUP: Why = "the handshake could not be set up";

fn builder(role: Role, psk: &[u8; 32]) -> Result<Builder<'_>, Why> {
    let prologue: &[u8] = match role {
        Role::Peer => b"tern 1 P",
        Role::Web => b"tern 1 W",
        Role::Operator => b"tern 1 O",
    };
    let params = PATTERN.parse().map_err(|_| BAD_SETUP)?;
    let builder = Builder::new(params).psk(0, psk).map_err(|_| BAD_SETUP)?;
    builder.prologue(prologue).map_err(|_| BAD_SETUP)
}

fn greet(noise: &mut HandshakeState, out: &mut Vec<u8>) -> Result<(), Why> {
    let mut message = [0; GREETING_BYTES];
    let len = noise.write_message(&[], &mut message).map_err(|_| BAD_SETUP)?;
    let length = u16::try_from(len).map_err(|_| BAD_SETUP)?;
    out.extend(length.to_be_bytes());
    out.extend(message.get(..len).ok_or(BAD_SETUP)?);
    Ok(())
}

fn hear(noise: &mut HandshakeState, message: &[u8]) -> Result<(), Why> {
    let mut payload = [0; GREETING_BYTES];
    match noise.read_message(message, &mut payload) {
        Ok(0) => Ok(()),
        Ok(_) => Err("it said too much"),
        Err(_) => Err(WRONG_KEY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::keys;

    fn pair(role: Role) -> (Channel, Channel) {
        let (dialling, first) = Dialling::start(role, &keys(1)).unwrap();
        let (accepting, heard, answer) =
            Accepting::answer(first[0], &first[3..], &keys(1)).unwrap();
        assert_eq!(heard, role);
        let (dialler, confirmation) = dialling.finish(&answer[2..]).unwrap();
        (dialler, accepting.confirm(&confirmation[2..]).unwrap())
    }

    #[test]
    fn handshake_same_key_opens_both_ways() {
        for role in [Role::Peer, Role::Web, Role::Operator] {
            let (mut one, mut other) = pair(role);
            let (mut sealed, mut plain) = (Vec::new(), Vec::new());
            one.seal(b"hello", &mut sealed).unwrap();
            other.open(&sealed[2..], &mut plain).unwrap();
            assert_eq!(plain, b"hello");
            sealed.clear();
            other.seal(&vec![7; PLAIN_BYTES_MAX], &mut sealed).unwrap();
            assert_eq!(sealed.len(), LENGTH_BYTES + 65_535);
            one.open(&sealed[2..], &mut plain).unwrap();
            assert_eq!(plain, vec![7; PLAIN_BYTES_MAX]);
            assert!(one.seal(&vec![0; PLAIN_BYTES_MAX + 1], &mut sealed).is_err());
        }
    }

    #[test]
    fn s43_handshake_other_key_role_or_bytes_refused() {
        let (_, first) = Dialling::start(Role::Peer, &keys(1)).unwrap();
        let refused = |byte, first: &[u8], with: &Keys| Accepting::answer(byte, first, with).err();
        assert_eq!(refused(b'P', &first[3..], &keys(2)), Some(WRONG_KEY));
        assert_eq!(refused(b'W', &first[3..], &keys(1)), Some(WRONG_KEY));
        assert_eq!(refused(b'O', &first[3..], &keys(1)), Some(WRONG_KEY));
        assert_eq!(refused(b'X', &first[3..], &keys(1)), Some("it is no Tern"));
        for len in 0..GREETING_BYTES {
            assert!(refused(b'P', &first[3..3 + len], &keys(1)).is_some(), "{len}");
        }
        for bit in 0..GREETING_BYTES * 8 {
            let mut changed = first[3..].to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            // X25519 ignores the top bit of a public key, the transcript's hash does not.
            assert_eq!(refused(b'P', &changed, &keys(1)), Some(WRONG_KEY), "{bit}");
        }
    }

    #[test]
    fn s43_handshake_replayed_never_confirmed() {
        let (dialling, first) = Dialling::start(Role::Peer, &keys(1)).unwrap();
        let (_, _, answer) = Accepting::answer(first[0], &first[3..], &keys(1)).unwrap();
        let (_, confirmation) = dialling.finish(&answer[2..]).unwrap();
        let (again, _, _) = Accepting::answer(first[0], &first[3..], &keys(1)).unwrap();
        assert!(again.confirm(&confirmation[2..]).is_err());
    }

    #[test]
    fn channel_changed_repeated_or_swapped_message_refused() {
        let (mut one, mut other) = pair(Role::Web);
        let mut sealed = [Vec::new(), Vec::new()];
        one.seal(b"first", &mut sealed[0]).unwrap();
        one.seal(b"second", &mut sealed[1]).unwrap();
        let mut plain = Vec::new();
        assert!(other.open(&sealed[1][2..], &mut plain).is_err());
        for index in 2..sealed[0].len() {
            let mut changed = sealed[0].clone();
            changed[index] ^= 1;
            assert!(other.open(&changed[2..], &mut plain).is_err(), "{index}");
            assert!(other.open(&sealed[0][2..index], &mut plain).is_err(), "{index}");
        }
        other.open(&sealed[0][2..], &mut plain).unwrap();
        assert!(other.open(&sealed[0][2..], &mut plain).is_err());
        other.open(&sealed[1][2..], &mut plain).unwrap();
        assert_eq!(plain, b"second");
    }
}
