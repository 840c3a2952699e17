//! Pictures that people post: taken in, put into posts, shown.
//!
//! What comes from a web server was decoded and written anew there; here it is only looked at, without a
//! decoder, because a backend has better things to lose.

use super::Backend;
use super::view::{Asked, Asker, Done, Permit, Result};
use super::write::invalid;
use crate::action::{
    Action, Avatar, AvatarWish, Change, FaceOf, KeptPicture, NewPicture, OnePicture, PostedPicture,
    Problem, SendPicture, Sending,
};
use crate::auth::throttle::ActKind;
use crate::clock::Mono;
use crate::cluster::NotKept;
use crate::id::{PictureName, PostId, UserName};
use crate::limits::{
    FRAME_BYTES_PER_MS_MIN, PICTURE_BYTES_MAX, PICTURE_KEEP_MS, PICTURE_SIDE_MAX,
    POST_PICTURES_MAX, THUMB_SIDE_MAX, USER_PICTURE_BYTES_MAX, USER_PICTURES_MAX,
};
use crate::picture::shape;
use crate::user::User;
use crate::user::entry::Picture;
use crate::wire::request::{Field, Outcome, Refusal};

impl Backend {
    /// Has a majority keep a picture and its small one, whose files `body` holds one behind the other.
    pub(super) fn keep_picture(&self, asked: Asked<'_>, data: NewPicture, body: &[u8]) -> Result {
        self.check_pictures()?;
        let asker = asked.signed_in()?;
        let name = asker.user();
        let KeptPicture { file, thumb } = data.kept;
        let files = body.split_at_checked(data.file_bytes as usize);
        let (full, small) = files.ok_or_else(|| unfit("fewer bytes than were announced"))?;
        check_file(file, full, PICTURE_SIDE_MAX)?;
        check_file(thumb, small, THUMB_SIDE_MAX)?;
        self.check_unhindered(name)?;
        let used = |user: &User| (user.picture_count(), user.picture_bytes());
        let (count, used) = self.look(name, used).unwrap_or_default();
        if count >= USER_PICTURES_MAX {
            return Err(too_many(USER_PICTURES_MAX as u64));
        }
        if used.saturating_add(body.len() as u64) > USER_PICTURE_BYTES_MAX {
            return Err(too_many(USER_PICTURE_BYTES_MAX));
        }
        self.allow(name, ActKind::Picture)?;
        let transfer_ms = body.len() as u64 / FRAME_BYTES_PER_MS_MIN;
        let deadline = self.cluster.deadline(PICTURE_KEEP_MS + transfer_ms);
        for (name, bytes) in [(file, full), (thumb, small)] {
            let kept = self.cluster.keep_picture(name, &bytes.into(), deadline);
            kept.map_err(|why| self.not_kept(why))?;
        }
        Ok(Done::told(Outcome::PictureKept))
    }

    /// Seconds until a member may send another picture, if they sent as many as they may. Who decodes it asks
    /// this first; it is counted when it is kept.
    pub(super) fn pictures_in_s(&self, name: &UserName) -> Option<u32> {
        let may = self.throttle.may_act(name, ActKind::Picture, self.clock.mono());
        may.err().map(|later| later.seconds)
    }

    /// A picture's file, if a post that the one who asks may see shows it, or who asks is about to post it.
    pub(super) fn picture(
        &self,
        asked: Asked<'_>,
        data: OnePicture,
        beside: &mut Vec<u8>,
    ) -> Result {
        self.wait_for_lists();
        let OnePicture { name, viewer: coded, was_kept } = data;
        let Asked { asker, permit } = asked;
        let may_see = || {
            let index = self.cluster.local.index();
            let viewer = coded.as_ref().filter(|name| index.is_member(name));
            let viewer = viewer.or_else(|| asker.map(Asker::user));
            let is_shown = index.shows_picture(index.eyes(viewer, self.now()), name);
            drop(index);
            let has_sent = |viewer| self.look(viewer, |user| user.sent.holds(name)) == Some(true);
            is_shown || viewer.is_some_and(has_sent) || was_kept && asker.is_some()
        };
        // Sent by way of another machine a moment ago: an app asks any of them, and has a code of ours.
        let is_on_its_way = |coded| self.refresh(permit, coded) && may_see();
        if !may_see() && !coded.as_ref().is_some_and(is_on_its_way) {
            return Err(Refusal::NotFound);
        }
        *beside = self.cluster.picture(name).ok_or(Refusal::Behind)?;
        Ok(Done::told(Outcome::Picture))
    }

    /// Gives a number to a picture that an app sent, or takes in what it shows.
    pub(super) fn send_picture(&self, asked: Asked<'_>, data: SendPicture) -> Result {
        self.check_pictures()?;
        let asker = asked.signed_in()?;
        let SendPicture { which, description, .. } = data.clone();
        let action = Action::SendPicture(data);
        match which {
            Sending::New(kept) => {
                let deadline = self.cluster.deadline(PICTURE_KEEP_MS);
                let picture = self.wanted(&PostedPicture { kept, description }, deadline)?;
                let picture = Box::new(picture);
                self.act(asked, &action, ActKind::Other, &|user, now| Change::SendPicture {
                    id: self.post_id(now, user.post_id_max.max(user.sent.last())),
                    picture: picture.clone(),
                })
            }
            Sending::Again(id) => {
                self.want_sent(asked.permit, asker.user(), &[id])?;
                let change = Change::DescribePicture { id, description };
                self.simple(asked, &action, ActKind::Other, &change)
            }
        }
    }

    /// The pictures of these numbers that somebody sent and has not posted, as far as there are any.
    pub(super) fn sent(
        &self,
        permit: &mut Permit,
        user: &UserName,
        ids: &[PostId],
    ) -> Vec<Picture> {
        let now = self.now();
        let find = || {
            let found = |user: &User| -> Vec<Picture> {
                ids.iter().filter_map(|id| user.sent.get(*id, now).cloned()).collect()
            };
            self.look(user, found).unwrap_or_default()
        };
        let found = find();
        if found.len() == ids.len() {
            return found;
        }
        // Sent by way of another machine a moment ago.
        self.refresh(permit, user);
        find()
    }

    /// Has a majority take note that these are wanted. One that there is not is not looked for: whether it
    /// was posted before is judged under the lock.
    pub(super) fn want_sent(
        &self,
        permit: &mut Permit,
        user: &UserName,
        ids: &[PostId],
    ) -> std::result::Result<(), Refusal> {
        if ids.len() > POST_PICTURES_MAX {
            return Err(too_many(POST_PICTURES_MAX as u64));
        }
        let deadline = self.cluster.deadline(PICTURE_KEEP_MS);
        for picture in self.sent(permit, user, ids) {
            for name in [picture.file, picture.thumb] {
                let wanted = self.cluster.want_picture(name, deadline);
                wanted.map_err(|why| self.not_kept(why))?;
            }
        }
        Ok(())
    }

    /// The same for those of a post; whether all of them are there.
    pub(super) fn want_posted(&self, user: &UserName, id: PostId) -> bool {
        let pictures = self.look(user, |user| user.pictures.get(&id).cloned()).flatten();
        let deadline = self.cluster.deadline(PICTURE_KEEP_MS);
        pictures.is_some_and(|pictures| {
            let names = pictures.iter().flat_map(|picture| [picture.file, picture.thumb]);
            names.into_iter().all(|name| self.cluster.want_picture(name, deadline).is_ok())
        })
    }

    /// The pictures of a post that is about to be written, of which a majority takes note: they stay
    /// until the post refers to them.
    pub(super) fn posted_pictures(
        &self,
        posted: &[PostedPicture],
    ) -> std::result::Result<Vec<Picture>, Refusal> {
        if posted.is_empty() {
            return Ok(Vec::new());
        }
        self.check_pictures()?;
        if posted.len() > POST_PICTURES_MAX {
            return Err(too_many(POST_PICTURES_MAX as u64));
        }
        let deadline = self.cluster.deadline(PICTURE_KEEP_MS);
        posted.iter().map(|posted| self.wanted(posted, deadline)).collect()
    }

    /// A picture that was kept, of which a majority takes note that it is wanted.
    fn wanted(
        &self,
        posted: &PostedPicture,
        deadline: Mono,
    ) -> std::result::Result<Picture, Refusal> {
        let lost = || invalid(Field::Picture, Problem::Wrong);
        let KeptPicture { file, thumb } = posted.kept;
        for name in [file, thumb] {
            let wanted = self.cluster.want_picture(name, deadline);
            wanted.map_err(|why| self.not_kept(why))?;
        }
        let full = self.cluster.picture(file).ok_or_else(lost)?;
        let small = self.cluster.picture(thumb).ok_or_else(lost)?;
        let shape = shape(&full).ok_or_else(lost)?;
        Ok(Picture {
            file,
            thumb,
            width: shape.width,
            height: shape.height,
            bytes: (full.len() + small.len()) as u64,
            description: posted.description.clone(),
            sent_as: None,
        })
    }

    /// What becomes of the picture beside a name.
    pub(super) fn avatar(&self, wish: AvatarWish) -> std::result::Result<Avatar, Refusal> {
        let kept = match wish {
            AvatarWish::Keep => return Ok(Avatar::Keep),
            AvatarWish::Remove => return Ok(Avatar::Remove),
            AvatarWish::Show(kept) => kept,
        };
        self.check_pictures()?;
        let deadline = self.cluster.deadline(PICTURE_KEEP_MS);
        let picture = self.wanted(&PostedPicture { kept, description: String::new() }, deadline)?;
        Ok(Avatar::Show(Box::new(picture)))
    }

    /// The small picture beside a name, if it is the one that was asked for.
    pub(super) fn face(&self, data: &FaceOf, beside: &mut Vec<u8>) -> Result {
        let thumb = |user: &User| user.avatar.as_ref().map(|picture| picture.thumb);
        let name = self.look(&data.username, thumb).flatten();
        let name = name.filter(|name| name.to_string().starts_with(&data.digits));
        *beside = self.cluster.picture(name.ok_or(Refusal::NotFound)?).ok_or(Refusal::Behind)?;
        Ok(Done::told(Outcome::Picture))
    }

    /// Refuses what takes pictures where not all machines' programs know of them yet.
    fn check_pictures(&self) -> std::result::Result<(), Refusal> {
        if self.cluster.knows_pictures() { Ok(()) } else { Err(Refusal::NotYet) }
    }

    fn not_kept(&self, why: NotKept) -> Refusal {
        match why {
            NotKept::NoMajority => self.no_majority(),
            NotKept::NoSpace => Refusal::NoSpace,
            NotKept::Lost => invalid(Field::Picture, Problem::Wrong),
        }
    }
}

/// A picture that is what its name says, of a size that is kept.
fn check_file(name: PictureName, bytes: &[u8], side_max: u32) -> std::result::Result<(), Refusal> {
    let shape = shape(bytes).filter(|shape| shape.kind == name.kind());
    let shape = shape.ok_or_else(|| unfit("no picture of its kind"))?;
    if bytes.len() > PICTURE_BYTES_MAX || shape.width.max(shape.height) > side_max {
        return Err(unfit("a picture that is too large"));
    }
    if name.is_of(bytes) { Ok(()) } else { Err(unfit("a picture under another's name")) }
}

/// No web server of ours sends that.
fn unfit(detail: &str) -> Refusal {
    Refusal::BadRequest { detail: detail.to_owned() }
}

fn too_many(max: u64) -> Refusal {
    invalid(Field::Picture, Problem::Full { max: u32::try_from(max).unwrap_or(u32::MAX) })
}
