//! Pictures: sent before they are posted, what they show, and how they are spelt.
//!
//! There is one road for them: what comes is made ready by the same studio, and kept by the same action, as a
//! picture in a form of a page.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, fresh, nonsense, refused, told};
use crate::action::{Action, ApiRead, KeptPicture, SendPicture, Sending};
use crate::clock::Wall;
use crate::id::{PictureName, PostId, UserName};
use crate::limits::{APP_PICTURE_DAYS, BEHIND_RETRY_S, POST_PICTURES_MAX, THUMB_SIDE_MAX};
use crate::picture::{PictureError, Use, scaled};
use crate::user::entry::Picture;
use crate::web::ask::Ask;
use crate::web::handler::{Site, announced};
use crate::web::page::said::of_picture;
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{ApiReply, Outcome, PostView, Refusal, StatusView};

/// What a code in a picture's address is for.
const PURPOSE: &str = "picture";
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl<A: Ask> Site<A> {
    /// Whether who asks may send pictures: the gate asks before it takes in so much.
    pub(super) fn may_send(&self, call: &Call<'_>) -> Answered {
        let heard = self.ask_with_token(call, None, Action::CheckSession)?;
        match heard.pictures_in_s() {
            Some(retry_after_s) => Err(refused(&Refusal::TooMany { retry_after_s })),
            None => Ok(Answer::ok(json!({}))),
        }
    }

    /// Takes in a picture that may be posted later.
    pub(super) fn send_picture(&self, call: &Call<'_>) -> Answered {
        // Nothing is decoded for strangers, nor for who sent as many as they may.
        self.may_send(call)?;
        let bytes = call.params.file("file", &call.request.body);
        let none = || Answer::error(422, "Validation failed: no picture came in the field file");
        let kept = self.take_in(call, bytes.ok_or_else(none)?, Use::Post)?;
        let description = call.params.get("description").to_owned();
        let send = SendPicture { key: fresh()?, which: Sending::New(kept), description };
        let heard = self.written(call, Action::SendPicture(send))?;
        let Outcome::Saved(saved) = &heard.outcome else { return Err(nonsense()) };
        self.sent_picture(call, saved.post.ok_or_else(nonsense)?)
    }

    /// Makes a picture ready and has a majority keep it.
    pub(super) fn take_in(
        &self,
        call: &Call<'_>,
        bytes: &[u8],
        what_for: Use,
    ) -> Result<KeptPicture, Answer> {
        let made = self.studio.prepare(bytes, what_for).map_err(|error| {
            log::info!(request:% = call.request.id, error:%; "picture refused");
            untaken(error)
        })?;
        let (new, beside) = announced(&made);
        let kept = new.kept;
        let action = (Action::KeepPicture(new), beside.as_slice());
        match self.ask_with_token_beside(call, None, action)?.outcome {
            Outcome::PictureKept => Ok(kept),
            _ => Err(nonsense()),
        }
    }

    /// One that was sent and not posted, by the number in the address.
    pub(super) fn one_picture(&self, call: &Call<'_>) -> Answered {
        self.sent_picture(call, Self::id_in(call)?)
    }

    /// Says anew what it shows.
    pub(super) fn describe_picture(&self, call: &Call<'_>) -> Answered {
        let id = Self::id_in(call)?;
        if let Some(said) = call.params.find("description") {
            let (which, description) = (Sending::Again(id), said.to_owned());
            let send = SendPicture { key: fresh()?, which, description };
            self.written(call, Action::SendPicture(send))?;
        }
        self.sent_picture(call, id)
    }

    fn sent_picture(&self, call: &Call<'_>, id: PostId) -> Answered {
        let mut heard = self.ask_with_token(call, None, Action::Api(ApiRead::Picture { id }))?;
        let ApiReply::Picture(picture) = told(&mut heard)? else { return Err(nonsense()) };
        let viewer = heard.viewer.ok_or_else(nonsense)?.username;
        Ok(Answer::ok(self.attachment(id, &picture, Some(&viewer))))
    }

    /// The numbers of pictures that a post is to have, each once.
    pub(super) fn media_ids(call: &Call<'_>) -> Result<Vec<PostId>, Answer> {
        let mut ids = Vec::new();
        for said in call.params.all("media_ids").into_iter().filter(|said| !said.is_empty()) {
            let lost = || Answer::error(422, "Validation failed: there is no such picture");
            let id: PostId = said.parse().map_err(|_| lost())?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.len() > POST_PICTURES_MAX {
            let most = Lang::En.pictures_most(u32::try_from(POST_PICTURES_MAX).unwrap_or(u32::MAX));
            return Err(Answer::error(422, &format!("Validation failed: {most}")));
        }
        Ok(ids)
    }

    /// What an edit says of each of a post's pictures, if it says that of any. The pictures stay, and an edit that
    /// would change them is refused. Apps send all of that along with a new text.
    pub(super) fn described(
        call: &Call<'_>,
        post: &PostView,
    ) -> Result<Option<Vec<String>>, Answer> {
        let own: Vec<PostId> =
            (0..).zip(&post.pictures).map(|(index, it)| it.number(post.id, index)).collect();
        let wanted = Self::media_ids(call)?;
        let params = &call.params;
        let names_none = params.all("media_ids").is_empty() && !params.has_inside("media_ids");
        let changed = || {
            let why = "Validation failed: the pictures of a post stay as they are; delete it and write it anew";
            Answer::error(422, why)
        };
        if !names_none && wanted != own {
            return Err(changed());
        }
        let mut shows: Vec<String> =
            post.pictures.iter().map(|it| it.description.clone()).collect();
        let mut is_said = false;
        for item in params.items("media_attributes") {
            let of = |field| item.iter().find(|(it, _)| *it == field).map(|(_, value)| *value);
            let place =
                own.iter().position(|id| of("id").is_some_and(|said| said == id.to_string()));
            let shown = place.and_then(|place| shows.get_mut(place)).ok_or_else(changed)?;
            if let Some(description) = of("description") {
                description.clone_into(shown);
                is_said = true;
            }
        }
        Ok(is_said.then_some(shows))
    }

    /// The pictures of a post. Those that strangers are not shown bear a code in their addresses: apps
    /// fetch pictures without their token.
    pub(super) fn attachments(&self, view: &StatusView, viewer: Option<&UserName>) -> Vec<Value> {
        let viewer = viewer.filter(|_| view.for_members);
        let pictures = view.post.pictures.iter().enumerate();
        let spell = |(index, picture): (usize, &Picture)| {
            self.attachment(picture.number(view.post.id, index), picture, viewer)
        };
        pictures.map(spell).collect()
    }

    fn attachment(&self, id: PostId, picture: &Picture, viewer: Option<&UserName>) -> Value {
        let full = [picture.width, picture.height];
        json!({
            "id": id.to_string(),
            "type": "image",
            "url": self.address_of(picture.file, viewer),
            "preview_url": self.address_of(picture.thumb, viewer),
            "remote_url": null,
            "preview_remote_url": null,
            "text_url": null,
            "meta": { "original": size(full), "small": size(scaled(full, THUMB_SIDE_MAX)) },
            "description": Some(&picture.description).filter(|said| !said.is_empty()),
            "blurhash": null,
        })
    }

    /// Where a picture's file is; where somebody is given, for their eyes.
    fn address_of(&self, name: PictureName, viewer: Option<&UserName>) -> String {
        let address = format!("{}{}", self.origin, Route::Picture(name));
        let Some(viewer) = viewer else { return address };
        let day = self.clock.wall().0 / DAY_MS;
        let code = self.form_key.app_code(PURPOSE, &vouched(name, viewer, day));
        format!("{address}?for={viewer}-{day}-{code}")
    }

    /// For whose eyes the code in a picture's address is, if it is ours and not too old.
    pub(in crate::web) fn viewer_of(
        &self,
        name: PictureName,
        said: &str,
        now: Wall,
    ) -> Option<UserName> {
        let mut parts = said.splitn(3, '-');
        let (viewer, day): (UserName, u64) =
            (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let is_ours =
            self.form_key.is_app_code(PURPOSE, &vouched(name, &viewer, day), parts.next()?);
        let is_young = (now.0 / DAY_MS).saturating_sub(day) < APP_PICTURE_DAYS;
        (is_ours && is_young).then_some(viewer)
    }
}

/// What a code is over.
fn vouched(name: PictureName, viewer: &UserName, day: u64) -> String {
    format!("{name} {viewer} {day}")
}

fn size([width, height]: [u32; 2]) -> Value {
    json!({
        "width": width,
        "height": height,
        "size": format!("{width}x{height}"),
        "aspect": f64::from(width) / f64::from(height.max(1)),
    })
}

/// Why a picture was not taken in.
fn untaken(error: PictureError) -> Answer {
    let why = of_picture(Lang::En, error);
    match error {
        PictureError::Busy => {
            let retry_after_s = Some(BEHIND_RETRY_S);
            Answer { retry_after_s, ..Answer::error(503, why) }
        }
        _ => Answer::error(422, &format!("Validation failed: {why}")),
    }
}
