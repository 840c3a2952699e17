//! JSON as this program reads and writes it: [`parse`], and enums whose variant stands among the fields
//! of an object, as in `{"e":"joined","at":…}`.
//!
//! `serde` can do the latter itself, with `tag`, `content` and `flatten`. But then it first copies the whole
//! object into a tree of its own, to look for the variant in it, and builds every type inside from that
//! tree: for each of them there are two readers in the program, and each answer is read twice. Here the
//! variant is read when it comes, so it must stand before what belongs to it, which is where it always was
//! written.
//!
//! - [`tagged!`]: variant and fields in one object. Such a type derives with `#[serde(remote = "Self")]`,
//!   which leaves the traits themselves to this.
//! - [`variant`]: the variant was read as the key of an object, and what belongs to it is its value.
//! - [`write_beside`]: the variant under one key, and what belongs to it under another.

mod read;
#[cfg(test)]
mod tests;
mod write;

use serde::Deserialize;
use serde::de::Error as _;

pub(crate) use read::{Inside, variant};
pub(crate) use write::{Beside, InsideOf};

/// Reads a value from bytes. The reader of bytes that `serde_json` has would be a second one of every
/// type beside that of texts.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, serde_json::Error> {
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text)
}

/// Lets an enum, which derives with `#[serde(remote = "Self")]`, be written and read with its variant
/// under this key.
macro_rules! tagged {
    ($type:ty, $tag:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, crate::json::InsideOf::new($tag, to))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                <$type>::deserialize(crate::json::Inside { tag: $tag, from })
            }
        }
    };
}
pub(crate) use tagged;
