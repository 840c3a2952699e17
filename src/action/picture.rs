//! What is asked about pictures, and how one that was kept is named on its way into a post; and those that
//! are sent before they are posted.

use serde::{Deserialize, Serialize};

use super::handle::{ActionError, Plan};
use super::{Field, Problem, field, post};
use crate::clock::Wall;
use crate::id::{PictureName, PictureNameError, PostId, RequestKey, UserName};
use crate::user::entry::{Entry, Picture};
use crate::user::{Receipt, User};

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

/// Data of [`super::Action::SendPicture`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendPicture {
    /// The request's key.
    pub key: RequestKey,
    /// Which.
    pub which: Sending,
    /// What it shows, as typed.
    pub description: String,
}

/// A picture on its way, which is posted later, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sending {
    /// One that was kept just now.
    New(KeptPicture),
    /// One that has a number already: only what it shows is said anew.
    Again(PostId),
}

/// Data of [`super::Action::Picture`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnePicture {
    /// Which.
    pub name: PictureName,
    /// For whose eyes, where no session says it: its address bears a code that the web server gave to
    /// this member alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<UserName>,
    /// Whether the web server has seen a code that it gave to who asks when they had this picture kept: it
    /// stands in a form of theirs, and no post shows it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_kept: bool,
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

/// A picture that is to be posted: as if it were, but for the post.
pub(super) fn send(
    user: &User,
    id: PostId,
    picture: &Picture,
    now: Wall,
) -> Result<Plan, ActionError> {
    let described = post::described(user, std::slice::from_ref(picture))?;
    let entries = described.into_iter().map(|picture| Entry::PictureSent { at: now, id, picture });
    Ok(Plan { entries: entries.collect(), result: Receipt::Post(id) })
}

/// The same picture, which shows something else; it can be posted for as long again.
pub(super) fn describe(
    user: &User,
    id: PostId,
    description: &str,
    now: Wall,
) -> Result<Plan, ActionError> {
    let picture = user.sent.get(id, now).ok_or(ActionError::NotFound)?;
    let described = field::description(description);
    let description =
        described.map_err(|problem| ActionError::field(Field::Description, problem))?;
    let picture = Picture { description, ..picture.clone() };
    Ok(Plan {
        entries: vec![Entry::PictureSent { at: now, id, picture }],
        result: Receipt::Post(id),
    })
}

/// The pictures of a post, and behind them those that were sent before. One that was not, or so long ago that
/// it may be gone, is nobody's to post.
pub(super) fn with_sent(
    user: &User,
    pictures: &[Picture],
    sent: &[PostId],
    now: Wall,
) -> Result<Vec<Picture>, ActionError> {
    let mut all = pictures.to_vec();
    for id in sent {
        let lost = || ActionError::field(Field::Picture, Problem::Wrong);
        let picture = user.sent.get(*id, now).ok_or_else(lost)?;
        all.push(Picture { sent_as: Some(*id), ..picture.clone() });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PictureKind;
    use crate::limits::SENT_PICTURE_MS;
    use crate::user::Place;
    use crate::user::entry::Audience;

    const NOW: Wall = Wall(1_700_000_000_000);

    fn take(user: &mut User, plan: Result<Plan, ActionError>) {
        plan.unwrap().entries.iter().for_each(|entry| user.apply(entry, Place::default()));
    }

    #[test]
    fn picture_sent_described_posted_and_given_back() {
        let mut user = User::absent(UserName::parse("ada").unwrap());
        user.apply(&Entry::Joined { at: NOW }, Place::default());
        let file = PictureName::of(PictureKind::Jpeg, b"gull");
        let [one, two, three] = [10, 20, 30].map(PostId::from_raw);
        let description = " A \n gull ".to_owned();
        let picture = Picture {
            file,
            thumb: file,
            width: 4,
            height: 3,
            bytes: 9,
            description,
            sent_as: None,
        };
        let plan = send(&user, one, &picture, NOW);
        assert_eq!(plan.as_ref().unwrap().result, Receipt::Post(one));
        take(&mut user, plan);
        assert_eq!(user.sent.get(one, NOW).unwrap().description, "A gull");
        let plan = describe(&user, one, "Two gulls", NOW);
        take(&mut user, plan);
        let long = describe(&user, one, &"x".repeat(301), NOW).unwrap_err();
        assert_eq!(long, ActionError::field(Field::Description, Problem::TooLong { over: 1 }));
        assert_eq!(describe(&user, two, "", NOW).unwrap_err(), ActionError::NotFound);
        let lost = ActionError::field(Field::Picture, Problem::Wrong);
        for (sent, at) in [(two, NOW), (one, Wall(NOW.0 + SENT_PICTURE_MS))] {
            assert_eq!(with_sent(&user, &[], &[sent], at).unwrap_err(), lost);
        }
        let pictures = with_sent(&user, &[], &[one], NOW).unwrap();
        let (audience, typed) = (Audience::Followers, ["", ""]);
        let what = post::What {
            id: three,
            audience,
            typed,
            pictures: &pictures,
            poll: None,
            sensitive: false,
        };
        let plan = post::post(&user, what, None, NOW);
        take(&mut user, plan);
        assert_eq!(user.pictures[&three][0].description, "Two gulls");
        assert_eq!(user.pictures[&three][0].number(three, 0), one);
        // It is in a post now, and in no other.
        assert_eq!(with_sent(&user, &[], &[one], NOW).unwrap_err(), lost);
        // Whoever takes the post back may post its pictures again.
        let plan = post::delete(&user, three, true, NOW);
        take(&mut user, plan);
        assert_eq!(with_sent(&user, &[], &[one], NOW).unwrap().len(), 1);
        assert!(user.pictures.is_empty());
    }
}
