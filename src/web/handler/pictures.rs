//! Pictures: those that come with a post or a profile are made ready and kept before it is written; those
//! of posts are shown to whoever sees the post, those beside names to everybody.

use super::act::Act;
use super::draw::{answering, audiences_again, composer, head};
use super::visit::{Heard, Visit};
use super::{Handled, Head, Site, Stop, html, poll};
use crate::action::{
    Action, AvatarWish, FaceOf, Field, FieldProblem, KeptPicture, NewPicture, OnePicture,
    PostedPicture, Problem, RequestKey,
};
use crate::id::{PictureKind, PictureName, UserName};
use crate::picture::{Made, Use, shape};
use crate::user::entry::Picture;
use crate::web::ask::{Ask, AskError};
use crate::web::csrf::Binding;
use crate::web::form::Form;
use crate::web::page::form::{ComposePage, Composer, DescribedField, KeptField, PictureField};
use crate::web::page::said::Trouble;
use crate::web::response::{Cache, Content, Response};
use crate::web::route::Route;
use crate::wire::request::{Outcome, Refusal};

/// The fields of each picture of the form: the file, what it shows, what is kept of it already, and the box
/// that takes that away.
pub(super) const FIELDS: [[&str; 4]; 4] = [
    ["picture_1", "description_1", "kept_1", "remove_1"],
    ["picture_2", "description_2", "kept_2", "remove_2"],
    ["picture_3", "description_3", "kept_3", "remove_3"],
    ["picture_4", "description_4", "kept_4", "remove_4"],
];

/// The box that covers them until somebody wants to see them.
const SENSITIVE: &str = "sensitive";

/// The same of the picture beside one's name, which nobody describes.
const AVATAR: [&str; 2] = ["avatar", "kept_avatar"];

/// What the code beside a kept picture's name says.
const PURPOSE: &str = "kept";

/// What a form's button asks of the box to write in, while nothing is posted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Room for pictures.
    Pictures,
    /// Room for a poll.
    Poll,
    /// The plain box again. What was filled in beside the text stays behind, as its button says.
    Neither,
}

impl Room {
    /// What the button pressed asks for, if it is one of these.
    pub(super) fn asked(form: &Form) -> Option<Self> {
        let buttons = [(BACK, Self::Neither), (MORE, Self::Pictures), (poll::ASKS, Self::Poll)];
        buttons.into_iter().find(|(name, _)| form.find(name).is_some()).map(|(_, room)| room)
    }
}

/// The buttons that ask for room for pictures, and for none of anything.
const MORE: &str = "more";
const BACK: &str = "back";

/// Why the pictures of a form are not kept, and what a backend said with it.
type NotKept = (Trouble, Option<Heard>);

impl<A: Ask> Site<A> {
    /// Makes the form's pictures ready and has them kept. What is kept is noted in the form, so that
    /// nobody has to choose it again if what comes after that fails.
    pub(super) fn keep_pictures(
        &self,
        visit: &Visit<'_>,
        (act, form): (&Act, &mut Form),
    ) -> Result<Result<(), NotKept>, Stop> {
        let (fields, what_for) = match act {
            Act::Post(_) => {
                take_away(form);
                (FIELDS.map(|[file, _, kept, _]| [file, kept]).to_vec(), Use::Post)
            }
            Act::EditProfile => (vec![AVATAR], Use::Avatar),
            _ => return Ok(Ok(())),
        };
        let user = visit.session.as_ref().ok_or(super::Fault::Nonsense)?.user();
        for (number, [file, kept]) in (1..).zip(fields) {
            if !self.was_kept_for(user, form.get(kept)) {
                form.put(kept, String::new());
                return Ok(Err((Trouble::Refused(lost()), None)));
            }
            let Some(bytes) = form.file(file, &visit.request.body) else { continue };
            if let Some(why) = self.not_to_decode(visit) {
                return Ok(Err(why));
            }
            let made = match self.studio.prepare(bytes, what_for) {
                Ok(made) => made,
                Err(error) => {
                    log::info!(request:% = visit.request.id, error:%; "picture refused");
                    let number = (what_for == Use::Post).then_some(number);
                    return Ok(Err((Trouble::Picture(error, number), None)));
                }
            };
            let (new, beside) = announced(&made);
            let name = new.kept;
            let action = Action::KeepPicture(new);
            let kept_now = self.ask_with(visit.session.as_ref(), action, &beside);
            let heard = match kept_now.map(|(heard, _)| heard) {
                Ok(heard) => heard,
                // Whatever became of the picture, nothing was posted.
                Err(AskError::Unreachable { .. }) => {
                    return Ok(Err((Trouble::Unreachable { asked: false }, None)));
                }
            };
            match &heard.outcome {
                Outcome::PictureKept => {
                    let code = self.form_key.app_code(PURPOSE, &vouched(name, user));
                    form.put(kept, format!("{name}/{code}"));
                }
                Outcome::Refused(refusal) => {
                    let trouble = Trouble::Refused(heard.honest(refusal));
                    return Ok(Err((trouble, Some(heard))));
                }
                _ => return Err(super::Fault::Nonsense.into()),
            }
        }
        Ok(Ok(()))
    }

    /// Why a picture is not even decoded, if it is not: it is a stranger's, or one of too many.
    fn not_to_decode(&self, visit: &Visit<'_>) -> Option<NotKept> {
        let heard = match self.ask_with(visit.session.as_ref(), Action::CheckSession, &[]) {
            Ok((heard, _)) => heard,
            Err(AskError::Unreachable { .. }) => {
                return Some((Trouble::Unreachable { asked: false }, None));
            }
        };
        let refusal = match heard.pictures_in_s() {
            Some(retry_after_s) => Refusal::TooMany { retry_after_s },
            None if heard.viewer.is_none() => heard.honest(&Refusal::SignedOut),
            None => return None,
        };
        Some((Trouble::Refused(refusal), Some(heard)))
    }

    /// Whether what stands in a form for a kept picture is nothing, or what was put there when it was kept for
    /// this member. Its names alone prove nothing: they stand in addresses, which whoever was shown it
    /// can pass on, and what is posted anew is shown to others than it was meant for.
    fn was_kept_for(&self, user: &UserName, said: &str) -> bool {
        let is_ours = |(name, code): (&str, &str)| {
            let name: Option<KeptPicture> = name.parse().ok();
            name.is_some_and(|name| self.form_key.is_app_code(PURPOSE, &vouched(name, user), code))
        };
        said.is_empty() || said.rsplit_once('/').is_some_and(is_ours)
    }

    /// The box to write in with room for pictures or for a poll, or as it was before that, and what was typed
    /// so far: nothing is posted yet.
    pub(super) fn give_room(
        &self,
        visit: &Visit<'_>,
        (act, form, room): (&Act, &Form, Room),
        key: RequestKey,
    ) -> Handled {
        let heard = self.hear(visit, visit.session.as_ref(), None, Action::CheckSession)?;
        let Act::Post(reply_to) = act else { return Err(super::Fault::Nonsense.into()) };
        let token = visit.session.as_ref().map_or("", |session| session.token());
        let binding = Binding::Session(token);
        let mut to_post = head(&self.form_key, binding, act.form_name(), &act.route(), key);
        if let Some(parent) = reply_to {
            to_post = answering(to_post, parent);
        }
        let t = visit.t;
        let poll = || poll::fields(t, form, String::new());
        let page = ComposePage {
            frame: self.around(visit, Some(&heard)).frame(t.write_post(), Some(&Route::Home)),
            composer: Composer {
                label: t.your_text(),
                is_labelled: true,
                rows: 4,
                text: form.get("text").to_owned(),
                note: form.get("note").to_owned(),
                audiences: audiences_again(t, form),
                covers_pictures: covers(form),
                pictures: if room == Room::Pictures { fields(form, None) } else { Vec::new() },
                poll: if room == Room::Poll { poll() } else { None },
                offers_more: room == Room::Neither,
                ..composer(t, to_post)
            },
        };
        let cache = Some(Cache::Private);
        html(&page, Head { cache, ..Head::of(200, heard.cookies.clone()) })
    }

    /// A picture's file. It never changes, so whoever was shown it may keep it; nobody else, who might
    /// show it to those who may not see it.
    pub(super) fn picture_file(&self, visit: &Visit<'_>, name: PictureName) -> Handled {
        let said = visit.query.find("for");
        let viewer = said.and_then(|said| self.viewer_of(name, said, visit.now));
        let was_kept =
            visit.session.as_ref().zip(visit.query.find("kept")).is_some_and(|(session, said)| {
                let kept = named_in(said);
                kept.is_some_and(|KeptPicture { file, thumb }| [file, thumb].contains(&name))
                    && self.was_kept_for(session.user(), said)
            });
        let action = Action::Picture(OnePicture { name, viewer, was_kept });
        let (heard, body) = match self.ask_with(visit.session.as_ref(), action, &[]) {
            Ok(heard) => heard,
            Err(error) => {
                log::debug!(request:% = visit.request.id, error:%; "picture not asked");
                return self.error(visit, None, 503);
            }
        };
        if let Outcome::Refused(refusal) = &heard.outcome {
            return self.refuse_picture(visit, &heard, refusal);
        }
        Ok(Response { cache: Cache::OwnForever, ..Response::new(200, content(name.kind()), body) })
    }

    /// The small picture beside a member's name. Everybody may see it and keep it: another one has
    /// another address.
    pub(super) fn face(&self, visit: &Visit<'_>, username: UserName, digits: String) -> Handled {
        let action = Action::Face(FaceOf { username, digits });
        let (heard, body) = match self.ask_with(visit.session.as_ref(), action, &[]) {
            Ok(heard) => heard,
            Err(error) => {
                log::debug!(request:% = visit.request.id, error:%; "face not asked");
                return self.error(visit, None, 503);
            }
        };
        if let Outcome::Refused(refusal) = &heard.outcome {
            return self.refuse_picture(visit, &heard, refusal);
        }
        let kind = shape(&body).map(|shape| shape.kind).ok_or(super::Fault::Nonsense)?;
        Ok(Response { cache: Cache::Forever, ..Response::new(200, content(kind), body) })
    }

    /// A picture is not shown. A browser that asks for it for a page must not be led to sign in: that answer's
    /// cookies would come between the page and its forms.
    fn refuse_picture(&self, visit: &Visit<'_>, heard: &Heard, refusal: &Refusal) -> Handled {
        match refusal {
            Refusal::NotFound => self.error(visit, Some(heard), 404),
            other => self.refuse_page(visit, heard, other),
        }
    }

    /// Whether who asks may send pictures: the gate asks before it takes in so much.
    pub(super) fn may_upload(&self, visit: &Visit<'_>) -> Handled {
        let heard = self.hear(visit, visit.session.as_ref(), None, Action::CheckSession)?;
        let may = heard.viewer.as_ref().is_some_and(|viewer| viewer.hindered.is_none());
        if may { Ok(Response::new(200, Content::Text, "")) } else { self.error(visit, None, 403) }
    }
}

const fn content(kind: PictureKind) -> Content {
    match kind {
        PictureKind::Jpeg => Content::Jpeg,
        PictureKind::Png => Content::Png,
    }
}

/// What a form wants to become of the picture beside one's name.
pub(super) fn avatar(form: &Form) -> AvatarWish {
    if !form.get("remove_avatar").is_empty() {
        return AvatarWish::Remove;
    }
    let [_, kept] = AVATAR;
    kept_in(form, kept).map_or(AvatarWish::Keep, AvatarWish::Show)
}

/// What stands in a field for a picture that was kept, of which [`Site::keep_pictures`] has judged the code.
fn kept_in(form: &Form, field: &str) -> Option<KeptPicture> {
    named_in(form.get(field))
}

/// The names in what a form says of a kept picture, its code apart.
fn named_in(said: &str) -> Option<KeptPicture> {
    said.rsplit_once('/')?.0.parse().ok()
}

/// Takes the kept pictures out of a form whose boxes ask for that; a file that is chosen beside one stays.
fn take_away(form: &mut Form) {
    for [_, _, kept, removal] in FIELDS {
        if !form.get(removal).is_empty() {
            form.put(kept, String::new());
            form.put(removal, String::new());
        }
    }
}

/// What the code beside a kept picture's name is over.
fn vouched(kept: KeptPicture, user: &UserName) -> String {
    format!("{kept} {user}")
}

/// As a backend says that does not have it.
fn lost() -> Refusal {
    let problems = vec![FieldProblem { field: Field::Picture, problem: Problem::Wrong }];
    Refusal::Invalid { problems }
}

/// What a backend is told of a picture that was made ready, and what goes beside that.
pub(in crate::web) fn announced(made: &Made) -> (NewPicture, Vec<u8>) {
    let [file, thumb] = [&made.full, &made.thumb].map(|it| PictureName::of(it.kind, &it.bytes));
    let file_bytes = u32::try_from(made.full.bytes.len()).unwrap_or(u32::MAX);
    let beside = [made.full.bytes.as_slice(), &made.thumb.bytes].concat();
    (NewPicture { kept: KeptPicture { file, thumb }, file_bytes }, beside)
}

/// The pictures of a form, as far as they are kept, and whether they are to be covered.
pub(super) fn posted(form: &Form) -> (Vec<PostedPicture>, bool) {
    let picture = |[_, description, kept, _]: [&str; 4]| {
        let description = form.get(description).to_owned();
        Some(PostedPicture { kept: kept_in(form, kept)?, description })
    };
    let pictures: Vec<_> = FIELDS.into_iter().filter_map(picture).collect();
    let are_covered = covers(form) && !pictures.is_empty();
    (pictures, are_covered)
}

/// What a form says anew of each picture of a post, if it does.
pub(super) fn described(form: &Form) -> Option<Vec<String>> {
    let said = FIELDS.into_iter().map_while(|[_, description, ..]| form.find(description));
    Some(said.map(str::to_owned).collect()).filter(|said: &Vec<String>| !said.is_empty())
}

/// The fields in which it is said anew what each picture of a post shows, with what is `said`; beside them
/// `pictures`, as far as they are known.
pub(super) fn describing(said: Vec<String>, pictures: &[Picture]) -> Vec<DescribedField> {
    let mut small = pictures.iter().map(|it| Route::Picture(it.thumb).href());
    let fields = (1..).zip(FIELDS).zip(said);
    let field = |((number, [_, name, ..]), value): ((u32, [&'static str; 4]), String)| {
        DescribedField { number, shown: small.next(), description: (name, value) }
    };
    fields.map(field).collect()
}

/// Whether a form's pictures are to be covered.
pub(super) fn covers(form: &Form) -> bool {
    !form.get(SENSITIVE).is_empty()
}

/// The fields for pictures, as they were filled in, and which of them is wrong, if one is; none where none
/// were asked for.
pub(super) fn fields_again(form: &Form, wrong: Option<u32>) -> Vec<PictureField> {
    let mut names = FIELDS.iter().flatten();
    if names.any(|name| form.find(name).is_some()) { fields(form, wrong) } else { Vec::new() }
}

fn fields(form: &Form, wrong: Option<u32>) -> Vec<PictureField> {
    let kept = |[field, removal]: [&'static str; 2]| {
        let said = form.get(field);
        let thumb = named_in(said)?.thumb;
        Some(KeptField {
            field: (field, said.to_owned()),
            shown: format!("{}?kept={said}", Route::Picture(thumb)),
            removal: (removal, !form.get(removal).is_empty()),
        })
    };
    let field =
        |(number, [file, description, said, removal]): (u32, [&'static str; 4])| PictureField {
            number,
            file,
            is_wrong: wrong == Some(number),
            description: (description, form.get(description).to_owned()),
            kept: kept([said, removal]),
        };
    (1..).zip(FIELDS).map(field).collect()
}
