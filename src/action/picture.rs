//! What is asked about pictures, and how one that was kept is named on its way into a post.

use serde::{Deserialize, Serialize};

use crate::id::{PictureName, PictureNameError, UserName};

/// A picture that was kept, on its way into a post.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedPicture {
    /// Which.
    pub kept: KeptPicture,
    /// What it shows, as typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// The two files that are kept of a picture; as text `FILE/THUMB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptPicture {
    /// The picture.
    pub file: PictureName,
    /// The small one.
    pub thumb: PictureName,
}

impl std::fmt::Display for KeptPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.file, self.thumb)
    }
}

impl std::str::FromStr for KeptPicture {
    type Err = PictureNameError;
    fn from_str(text: &str) -> Result<Self, PictureNameError> {
        let (file, thumb) = text.split_once('/').ok_or(PictureNameError)?;
        Ok(Self { file: file.parse()?, thumb: thumb.parse()? })
    }
}

crate::id::serde_as_text!(KeptPicture);

/// Data of [`super::Action::KeepPicture`]. The files' bytes go beside the request, one behind the other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPicture {
    /// What both are called.
    pub kept: KeptPicture,
    /// How many of the bytes are the first.
    pub file_bytes: u32,
}

/// Data of [`super::Action::Picture`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnePicture {
    /// Which.
    pub name: PictureName,
}

/// Data of [`super::Action::Face`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceOf {
    /// Whose.
    pub username: UserName,
    /// How its name begins: pages show no other than the present one.
    pub digits: String,
}

/// What becomes of the picture beside a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AvatarWish {
    /// It stays, or stays away.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// This one, which was kept before, takes its place.
    Show(KeptPicture),
}

impl AvatarWish {
    /// Whether nothing is asked for.
    pub(crate) const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}
