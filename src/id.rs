//! Names of things: newtypes that only parsing can build, so that a value of the type is valid.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Fewest characters of a user name. Source: the sign-up form's hint, "2-24 letters".
pub const USER_NAME_CHARS_MIN: usize = 2;
/// Most characters of a user name.
pub const USER_NAME_CHARS_MAX: usize = 24;

/// A user's name: `^[a-z][a-z0-9_]{1,23}$`, ASCII. It is the key of the user's lock and the stem of
/// the user's file, so nothing else may ever become one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

/// Why a string names no user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Fewer than [`USER_NAME_CHARS_MIN`] characters.
    #[error("a user name has at least {USER_NAME_CHARS_MIN} characters")]
    TooShort,
    /// More than [`USER_NAME_CHARS_MAX`] characters.
    #[error("a user name has at most {USER_NAME_CHARS_MAX} characters")]
    TooLong,
    /// The first character is not a letter from a to z.
    #[error("a user name begins with a letter from a to z")]
    BadStart,
    /// A character that no name may hold.
    #[error("a user name cannot hold {0:?}")]
    BadChar(char),
}

impl UserName {
    /// Reads a name in its stored form: lower case already, nothing around it.
    ///
    /// # Errors
    /// [`NameError`] with the first reason found.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::check(text).map(|()| Self(Arc::from(text)))
    }

    fn check(text: &str) -> Result<(), NameError> {
        if let Some(bad) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_')) {
            return Err(NameError::BadChar(bad));
        }
        match text.len() {
            n if n < USER_NAME_CHARS_MIN => return Err(NameError::TooShort),
            n if n > USER_NAME_CHARS_MAX => return Err(NameError::TooLong),
            _ => {}
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(NameError::BadStart);
        }
        Ok(())
    }

    /// Adds the stored form of a name, as people type it and with nothing around it, to a text.
    ///
    /// # Errors
    /// [`NameError`]; the text may have grown.
    pub fn lower_into(name: &str, text: &mut String) -> Result<(), NameError> {
        let from = text.len();
        text.extend(name.chars().map(|c| c.to_ascii_lowercase()));
        Self::check(text.get(from..).unwrap_or_default())
    }

    /// Reads what a person typed: trimmed and ASCII lower-cased first, then as [`Self::parse`].
    /// Only ASCII is lower-cased: `K` (Kelvin) must not become `k`.
    ///
    /// # Errors
    /// [`NameError`] with the first reason found.
    pub fn from_input(text: &str) -> Result<Self, NameError> {
        Self::parse(&text.trim().to_ascii_lowercase())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A machine's number in its cluster: 1 to 15, because a post id has 4 bits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeId(u16);

/// A number that names no machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a machine's number is 1 to {}", NodeId::MAX)]
pub struct NodeIdError;

impl NodeId {
    /// The highest number a machine may have.
    pub const MAX: u16 = 15;

    /// A machine's number.
    ///
    /// # Errors
    /// [`NodeIdError`] outside 1 to 15.
    pub const fn new(number: u16) -> Result<Self, NodeIdError> {
        if number == 0 || number > Self::MAX { Err(NodeIdError) } else { Ok(Self(number)) }
    }

    /// The number, 1 to 15.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// In a line of the log it is a number, as those who count and compare want it.
impl log::kv::ToValue for NodeId {
    fn to_value(&self) -> log::kv::Value<'_> {
        self.0.into()
    }
}

impl FromStr for NodeId {
    type Err = NodeIdError;
    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        text.parse::<u16>().map_err(|_| NodeIdError).and_then(Self::new)
    }
}

/// A post's number: 48 bits of Unix milliseconds, 4 bits of machine, 12 bits of sequence. Sortable
/// by time and unique in the cluster without asking anyone. A decimal string in every JSON, because
/// JavaScript's numbers lose the low bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostId(u64);

/// A string that is no post's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a post's number is 1 to 20 digits")]
pub struct PostIdError;

impl PostId {
    /// Bits of the sequence number, the lowest.
    const SEQUENCE_BITS: u32 = 12;
    /// Bits of machine number and sequence together.
    const LOW_BITS: u32 = 16;

    /// The first id of machine `node` in millisecond `at_ms` (the low 48 bits of it count).
    pub const fn first_of(at_ms: u64, node: NodeId) -> Self {
        Self(at_ms << Self::LOW_BITS | (node.0 as u64) << Self::SEQUENCE_BITS)
    }

    /// Not above any id made in millisecond `at_ms`: the place among posts of what has no id.
    pub const fn floor_of(at_ms: u64) -> Self {
        Self(at_ms << Self::LOW_BITS)
    }

    /// Any 64-bit value, as it stands in a file.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The 64 bits.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Unix milliseconds at which the post was made.
    pub const fn at_ms(self) -> u64 {
        self.0 >> Self::LOW_BITS
    }
}

impl FromStr for PostId {
    type Err = PostIdError;
    fn from_str(text: &str) -> Result<Self, PostIdError> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PostIdError);
        }
        text.parse().map(Self).map_err(|_| PostIdError)
    }
}

/// A 128-bit value that a form or an app chose for one act; sending the act again with the same
/// value gives the first result. 32 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub [u8; 16]);

/// The one-time key of a writing form: `OPS.ID`, the count of requests that the user's file had
/// recorded when the form was drawn, and the request's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey {
    /// Requests recorded when the form was drawn.
    pub ops: u64,
    /// The request's id.
    pub id: RequestId,
}

/// A string that is no request key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a request key is OPS.ID")]
pub struct RequestKeyError;

/// 128 bits that stand for content. 32 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash128(pub [u8; 16]);

/// A string that is not as many hexadecimal digits in lower case as there should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected so many hexadecimal digits in lower case")]
pub struct HexError;

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return Err(HexError);
    }
    let (mut out, mut wrong) = ([0; N], 0);
    for (to, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        for &digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => NO_HEX,
            };
            wrong |= value;
            *to = *to << 4 | (value & 15);
        }
    }
    if wrong & NO_HEX == 0 { Ok(out) } else { Err(HexError) }
}

/// No digit's value has this bit.
const NO_HEX: u8 = 128;

/// Digits of the longest number that is written so.
const HEX_DIGITS_MAX: usize = 64;

/// Hashes stand in every line and every frame, and `{:02x}` does ten times as much for each byte.
fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = String::with_capacity(HEX_DIGITS_MAX);
    for byte in bytes {
        let digits = [byte >> 4, byte & 15].into_iter();
        text.extend(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)));
    }
    f.write_str(&text)
}

impl FromStr for RequestId {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        parse_hex(text).map(Self)
    }
}

impl FromStr for Hash128 {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        parse_hex(text).map(Self)
    }
}

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.ops, self.id)
    }
}

impl FromStr for RequestKey {
    type Err = RequestKeyError;
    fn from_str(text: &str) -> Result<Self, RequestKeyError> {
        let (ops, id) = text.split_once('.').ok_or(RequestKeyError)?;
        let ops = ops.parse().map_err(|_| RequestKeyError)?;
        Ok(Self { ops, id: id.parse().map_err(|_| RequestKeyError)? })
    }
}

impl FromStr for UserName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// For maps by name that are asked with a name's beginning.
impl std::borrow::Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}
impl fmt::Display for Hash128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}
impl fmt::Debug for Hash128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// The format of a kept picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PictureKind {
    /// A photograph.
    Jpeg,
    /// What is transparent, or was drawn.
    Png,
}

impl PictureKind {
    /// How its files' names end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// Names a kept picture by what it is: `HASH.jpg` or `HASH.png`, with the SHA-256 of the file. So two that
/// are the same are one, and one that is not what its name says is known to be damaged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureName {
    hash: [u8; 32],
    kind: PictureKind,
}

/// The text names no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture is named by 64 hexadecimal digits, and .jpg or .png")]
pub struct PictureNameError;

impl PictureName {
    /// The name of these bytes.
    pub fn of(kind: PictureKind, bytes: &[u8]) -> Self {
        Self { hash: Sha256::digest(bytes).into(), kind }
    }

    /// The format.
    pub const fn kind(self) -> PictureKind {
        self.kind
    }

    /// Whether this is what bears the name.
    pub fn is_of(self, bytes: &[u8]) -> bool {
        Self::of(self.kind, bytes) == self
    }
}

impl FromStr for PictureName {
    type Err = PictureNameError;
    fn from_str(text: &str) -> Result<Self, PictureNameError> {
        let (hash, extension) = text.split_once('.').ok_or(PictureNameError)?;
        let mut kinds = [PictureKind::Jpeg, PictureKind::Png].into_iter();
        let kind = kinds.find(|kind| kind.extension() == extension).ok_or(PictureNameError)?;
        Ok(Self { hash: parse_hex(hash).map_err(|_| PictureNameError)?, kind })
    }
}

impl fmt::Display for PictureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.hash, f)?;
        write!(f, ".{}", self.kind.extension())
    }
}
impl fmt::Debug for PictureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Serialises as the text that `Display` writes; deserialises through `FromStr`, so that what comes
/// from outside is checked.
macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;
serde_as_text!(UserName, PostId, RequestId, RequestKey, Hash128, PictureName);

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}
impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_input(input: &str, expected: Result<&str, NameError>) {
        let name = UserName::from_input(input);
        assert_eq!(name.as_ref().map(UserName::as_str), expected.as_ref().copied(), "{input:?}");
    }

    #[test]
    fn s34_user_name_input_trimmed_and_lowered() {
        check_input("  Ada_1 ", Ok("ada_1"));
        check_input("ab", Ok("ab"));
        check_input(&"a".repeat(24), Ok(&"a".repeat(24)));
    }

    #[test]
    fn s34_user_name_outside_rule_refused() {
        check_input("", Err(NameError::TooShort));
        check_input("a", Err(NameError::TooShort));
        check_input(&"a".repeat(25), Err(NameError::TooLong));
        check_input("1ab", Err(NameError::BadStart));
        check_input("_ab", Err(NameError::BadStart));
        for bad in ['.', '/', '\\', ':', '%', '\0', '\n', 'İ', 'ı', 'ſ', '\u{212a}', 'é', '-', '@']
        {
            check_input(&format!("a{bad}b"), Err(NameError::BadChar(bad)));
        }
    }

    #[test]
    fn post_id_parts_kept() {
        let node = NodeId::new(15).unwrap();
        let id = PostId::first_of(1_700_000_000_123, node);
        assert_eq!(id.at_ms(), 1_700_000_000_123);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("".parse::<PostId>(), Err(PostIdError));
        assert_eq!("+1".parse::<PostId>(), Err(PostIdError));
        assert_eq!("18446744073709551616".parse::<PostId>(), Err(PostIdError));
    }

    #[test]
    fn node_id_range_checked() {
        assert_eq!(NodeId::new(0), Err(NodeIdError));
        assert_eq!(NodeId::new(16), Err(NodeIdError));
        assert_eq!("15".parse::<NodeId>().map(NodeId::get), Ok(15));
    }

    #[test]
    fn picture_name_is_of_its_bytes_and_has_one_spelling() {
        let name = PictureName::of(PictureKind::Png, b"tern");
        assert_eq!(name.to_string().parse(), Ok(name));
        assert!(name.is_of(b"tern") && !name.is_of(b"term"));
        let text = name.to_string();
        for wrong in [
            text.to_uppercase(),
            text.replace(".png", ".gif"),
            text.replace(".png", ""),
            text.replacen('.', "/.", 1),
            format!("0{text}"),
            format!("../{text}"),
            format!("{text}.png"),
        ] {
            assert_eq!(wrong.parse::<PictureName>(), Err(PictureNameError), "{wrong}");
        }
    }

    #[test]
    fn hex_round_trips_and_refuses() {
        let text = "00ff10a0b0c0d0e0f00102030405060f";
        assert_eq!(text.parse::<RequestId>().unwrap().to_string(), text);
        assert_eq!(text.to_uppercase().parse::<RequestId>(), Err(HexError));
        assert_eq!("00".parse::<Hash128>(), Err(HexError));
    }
}
