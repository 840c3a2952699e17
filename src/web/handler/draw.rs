//! Forms, drawn with the token that says for whom and the key that lets them be sent once.

use super::visit::{Heard, Visit};
use super::{Site, Stop};
use crate::action::RequestKey;
use crate::id::UserName;
use crate::limits::{NOTE_CHARS_MAX, POST_CHARS_MAX};
use crate::user::entry::{Audience, PostRef};
use crate::web::ask::Ask;
use crate::web::cookie::SetCookie;
use crate::web::csrf::{Binding, FormKey, FormName};
use crate::web::form::Form;
use crate::web::page::form::{ButtonForm, Choice, Composer, FormHead};
use crate::web::page::list::Row;
use crate::web::page::post::Byline;
use crate::web::route::Route;
use crate::web::session::Stranger;
use crate::web::words::Lang;
use crate::wire::request::{Person, PersonRow, PostView};

/// Draws the forms of one signed-in person.
#[derive(Clone, Copy)]
pub(super) struct Drawer<'a> {
    pub(super) t: Lang,
    form_key: &'a FormKey,
    token: &'a str,
    /// How many requests their file has recorded.
    ops: u64,
    /// Whose forms.
    pub(super) viewer: &'a UserName,
    /// For whom their posts are unless they choose otherwise.
    pub(super) posts_for: Audience,
}

impl Drawer<'_> {
    /// A form whose key stays the same until a write of this person's was recorded.
    pub(super) fn form(self, name: FormName, action: &Route, target: &str) -> FormHead {
        let binding = Binding::Session(self.token);
        let key = self.form_key.request_key(binding, name, target, self.ops);
        head(self.form_key, binding, name, action, key)
    }

    /// The button that signs out.
    pub(super) fn logout(self) -> ButtonForm {
        ButtonForm {
            form: self.form(FormName::Logout, &Route::Logout, ""),
            label: self.t.sign_out(),
            spoken: String::new(),
            class: "q",
        }
    }

    /// The button that follows somebody, or no longer does; `next` is the page it stands on.
    pub(super) fn follow(self, person: &Person, is_followed: bool, next: &str) -> ButtonForm {
        let name = person.username.clone();
        let (t, shown) = (self.t, person.display_name.as_str());
        let (form, action, class) = if is_followed {
            (FormName::Unfollow, Route::Unfollow(name), "q")
        } else {
            (FormName::Follow, Route::Follow(name), "")
        };
        ButtonForm {
            form: self.form(form, &action, person.username.as_str()).carrying("next", next),
            label: if is_followed { t.unfollow() } else { t.follow() },
            spoken: if is_followed { t.unfollow_whom(shown) } else { t.follow_whom(shown) },
            class,
        }
    }

    /// The button that has somebody follow no longer.
    fn remove_follower(self, person: &Person, next: &str) -> ButtonForm {
        let (form, name) = (FormName::RemoveFollower, person.username.clone());
        let (action, target) = (Route::RemoveFollower(name), person.username.as_str());
        ButtonForm {
            form: self.form(form, &action, target).carrying("next", next),
            label: self.t.remove_follower(),
            spoken: self.t.remove_follower_whom(person.display_name.as_str()),
            class: "q",
        }
    }

    /// The box to write a post in.
    pub(super) fn composer(self) -> Composer {
        let form = self.form(FormName::Post, &Route::Post, "");
        Composer { audiences: audiences(self.t, self.posts_for), ..composer(self.t, form) }
    }

    /// The same without the way to pictures.
    pub(super) fn plain_composer(self) -> Composer {
        Composer { offers_more: false, ..self.composer() }
    }

    /// The box to answer a post in; answering another names them. What was folded is answered folded, and
    /// what is for few answered for few, who are named with it. It is for no more than the post, nor for more
    /// than one's posts are for unless one chooses otherwise.
    pub(super) fn answer(self, post: &PostRef, view: &PostView) -> Composer {
        let form = self.form(FormName::Post, &Route::Post, &post.id.to_string());
        let others = view.mentions.iter().filter(|_| view.audience.is_few());
        let others = others.filter(|name| **name != post.user);
        let named = std::iter::once(&post.user).chain(others).filter(|name| *name != self.viewer);
        let note = view.note.as_deref();
        Composer {
            label: self.t.your_reply(),
            is_labelled: true,
            button: self.t.reply(),
            placeholder: "",
            note: note.unwrap_or_default().to_owned(),
            text: named.flat_map(|name| ["@", name.as_str(), " "]).collect(),
            // The widest is first.
            audiences: audiences(self.t, view.audience.max(self.posts_for)),
            ..composer(self.t, answering(form, post))
        }
    }
}

/// The field that says who may read a post.
pub(super) const AUDIENCE: &str = "for";

/// Who may read what a form is to post; nobody knows where it says something that is none of ours.
pub(super) fn audience(form: &Form) -> Option<Audience> {
    let said = form.get(AUDIENCE);
    let is_said = |it: &Audience| it.as_str() == said || (said.is_empty() && it.is_everyone());
    Audience::ALL.into_iter().find(is_said)
}

/// The choice of who may read it, as a form has it: what is not understood is not shown to many.
pub(super) fn audiences_again(t: Lang, form: &Form) -> Vec<Choice> {
    audiences(t, audience(form).unwrap_or(Audience::Named))
}

fn audiences(t: Lang, chosen: Audience) -> Vec<Choice> {
    let choice = |audience: Audience| Choice {
        value: if audience.is_everyone() { "" } else { audience.as_str() },
        ..choice(t, audience, chosen)
    };
    Audience::ALL.into_iter().map(choice).collect()
}

fn choice(t: Lang, audience: Audience, chosen: Audience) -> Choice {
    let label = match audience {
        Audience::Everyone => t.for_everyone(),
        Audience::Quiet => t.for_everyone_quietly(),
        Audience::Followers => t.for_followers(),
        Audience::Named => t.for_named(),
    };
    Choice { value: audience.as_str(), label, is_chosen: audience == chosen }
}

/// The field that says for whom one's posts are unless one chooses otherwise.
pub(super) const POSTS_FOR: &str = "posts_for";

/// What it says; nothing also where it is not there, as in a form that an earlier program drew.
pub(super) fn posts_for(form: &Form) -> Option<Audience> {
    let said = form.find(POSTS_FOR)?;
    Audience::USUAL.into_iter().find(|it| it.as_str() == said)
}

/// What can be chosen there.
pub(super) fn usual_audiences(t: Lang, chosen: Audience) -> Vec<Choice> {
    Audience::USUAL.into_iter().map(|it| choice(t, it, chosen)).collect()
}

/// A form that says what it answers.
pub(super) fn answering(form: FormHead, post: &PostRef) -> FormHead {
    form.carrying("reply_user", post.user.as_str()).carrying("reply_id", post.id.to_string())
}

/// An empty box to write a post in.
pub(super) fn composer(t: Lang, form: FormHead) -> Composer {
    Composer {
        form,
        label: t.write_post(),
        is_labelled: false,
        rows: 3,
        text: String::new(),
        placeholder: t.whats_happening(),
        problem: String::new(),
        note: String::new(),
        note_problem: String::new(),
        audiences: audiences(t, Audience::Everyone),
        pictures: Vec::new(),
        described: Vec::new(),
        covers_pictures: false,
        offers_more: true,
        poll: None,
        picture_problem: String::new(),
        button: t.post(),
        chars_max: POST_CHARS_MAX,
        note_chars_max: NOTE_CHARS_MAX,
        cancel: None,
        footnote: "",
    }
}

/// A form with this key.
pub(super) fn head(
    form_key: &FormKey,
    binding: Binding<'_>,
    name: FormName,
    action: &Route,
    key: RequestKey,
) -> FormHead {
    FormHead {
        action: action.to_string(),
        hidden: vec![("key", key.to_string()), ("token", form_key.token(binding, name))],
    }
}

/// A member in a list. Without a drawer nobody is signed in and there is no button.
pub(super) fn row(person: &PersonRow, drawer: Option<Drawer<'_>>, next: &str) -> Row {
    let follow = drawer.zip(person.followed);
    Row {
        by: Byline::of(&person.person),
        bio_line: person.bio_line.clone(),
        follow: follow.map(|(drawer, is)| drawer.follow(&person.person, is, next)),
        remove: None,
    }
}

/// The same of somebody who follows the one who looks.
pub(super) fn own_follower(person: &PersonRow, drawer: Drawer<'_>, next: &str) -> Row {
    let remove = Some(drawer.remove_follower(&person.person, next));
    Row { remove, ..row(person, Some(drawer), next) }
}

impl<A: Ask> Site<A> {
    /// Who draws the forms of a page; nobody for strangers.
    pub(super) fn drawer<'a>(&'a self, t: Lang, heard: &'a Heard) -> Option<Drawer<'a>> {
        let (viewer, session) = heard.viewer.as_ref().zip(heard.session.as_ref())?;
        Some(Drawer {
            t,
            form_key: &self.form_key,
            token: session.token(),
            ops: viewer.ops,
            viewer: &viewer.username,
            posts_for: viewer.posts_for,
        })
    }

    /// The value that binds a stranger's forms, and the cookie to set if the browser has none yet.
    pub(super) fn stranger(visit: &Visit<'_>) -> Result<(Stranger, Option<SetCookie>), Stop> {
        if let Some(stranger) = &visit.stranger {
            return Ok((stranger.clone(), None));
        }
        let stranger = Stranger::generate()?;
        let cookie = stranger.cookie();
        Ok((stranger, Some(cookie)))
    }
}
