//! One's own account: profile, password, devices, leaving. Nothing of it is kept by anybody.

use super::act::Act;
use super::again::Again;
use super::draw::{Drawer, POSTS_FOR, head, posts_for, usual_audiences};
use super::visit::{Heard, Visit};
use super::{Fault, Handled, Head, Site, Stop, html, to_login};
use crate::action::{Action, PageOf};
use crate::user::entry::Audience;
use crate::web::ask::Ask;
use crate::web::csrf::{Binding, FormName, fresh_key};
use crate::web::form::Form;
use crate::web::page::apps::what_it_may;
use crate::web::page::form::{ButtonForm, FieldView, FieldsPage, FormHead};
use crate::web::page::frame::{Frame, Notice, Tone};
use crate::web::page::post::face;
use crate::web::page::said::{Said, anchor};
use crate::web::page::settings::{Device, DevicesPage, browser, tabs};
use crate::web::page::time::Moment;
use crate::web::route::Route;
use crate::web::words::Lang;
use crate::wire::request::{Field, Outcome, SessionRow};

/// The fields of a form and how they fared.
type Fields<'a> = dyn Fn(Field) -> String + 'a;

/// What stands in the fields of the profile's form.
struct Values<'a> {
    display_name: &'a str,
    bio: &'a str,
    members_only: bool,
    /// For whom their posts are unless they choose otherwise; nothing where the form does not ask.
    posts_for: Option<Audience>,
    /// Where the picture is that stands beside the name, if there is one.
    avatar: Option<String>,
}

impl<'a> Values<'a> {
    fn typed(form: &'a Form) -> Self {
        Self {
            display_name: form.get("display_name"),
            bio: form.get("bio"),
            members_only: !form.get("members_only").is_empty(),
            posts_for: posts_for(form),
            avatar: None,
        }
    }
}

impl<A: Ask> Site<A> {
    /// Display name and bio as they are.
    pub(super) fn settings_profile(&self, visit: &Visit<'_>) -> Handled {
        let name = match &visit.session {
            Some(session) => session.user().clone(),
            None => return Ok(to_login(visit, Vec::new())),
        };
        let asked = Action::Profile(PageOf { username: name.clone(), before: None });
        let heard = self.read(visit, Some(&name), asked)?;
        let Outcome::Profile(profile) = &heard.outcome else { return Err(Fault::Nonsense.into()) };
        let drawer = self.must_draw(visit, &heard)?;
        let saved = visit.query.find("saved").map(|_| Notice::new(Tone::Good, visit.t.saved(), ""));
        let frame = self.settings_frame(visit, Some(&heard), &Route::SettingsProfile).saying(saved);
        let values = Values {
            display_name: &profile.person.display_name,
            bio: &profile.bio,
            members_only: profile.members_only,
            posts_for: Some(drawer.posts_for),
            avatar: face(&profile.person),
        };
        let page = FieldsPage {
            logout: Some(drawer.logout()),
            ..profile_form(
                frame,
                drawer.form(FormName::Profile, &Route::SettingsProfile, ""),
                values,
                &none,
            )
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    pub(super) fn profile_again(
        &self,
        visit: &Visit<'_>,
        again: &Again<'_>,
        said: Said,
    ) -> Handled {
        let form = self.again_form(visit, again, &said)?;
        // What is kept already need not be chosen again.
        let form = form.carrying("kept_avatar", again.form.get("kept_avatar"));
        let frame = self
            .settings_frame(visit, again.heard, &Route::SettingsProfile)
            .saying(said.notice.clone());
        let values = Values::typed(again.form);
        let mut page = profile_form(frame, form, values, &|field| again.problem_of(visit.t, field));
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }

    /// What somebody had typed before they had to sign in again.
    pub(super) fn profile_draft(&self, visit: &Visit<'_>, form: &Form, heard: &Heard) -> Handled {
        let key = fresh_key(heard.viewer.as_ref().map(|viewer| viewer.ops))?;
        let token = heard.session.as_ref().map_or("", |session| session.token());
        let binding = Binding::Session(token);
        let drawn = head(&self.form_key, binding, FormName::Profile, &Route::SettingsProfile, key);
        let notice = Notice::new(Tone::Care, visit.t.not_changed_yet(), visit.t.press_save());
        let frame = self.settings_frame(visit, Some(heard), &Route::SettingsProfile).saying(notice);
        let page = profile_form(frame, drawn, Values::typed(form), &none);
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// The form to change the password.
    pub(super) fn settings_password(&self, visit: &Visit<'_>) -> Handled {
        let t = visit.t;
        let heard = self.checked(visit)?;
        let drawer = self.must_draw(visit, &heard)?;
        let changed = visit
            .remark::<u32>("ended")
            .map(|ended| Notice::new(Tone::Good, t.password_changed(), devices_ended(t, ended)));
        let frame =
            self.settings_frame(visit, Some(&heard), &Route::SettingsPassword).saying(changed);
        let form = drawer.form(FormName::Password, &Route::SettingsPassword, "");
        html(&password_form(frame, form, &none), Head::of(200, heard.cookies.clone()))
    }

    pub(super) fn password_again(
        &self,
        visit: &Visit<'_>,
        again: &Again<'_>,
        said: Said,
    ) -> Handled {
        let form = self.again_form(visit, again, &said)?;
        let frame = self
            .settings_frame(visit, again.heard, &Route::SettingsPassword)
            .saying(said.notice.clone());
        let mut page = password_form(frame, form, &|field| again.problem_of(visit.t, field));
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }

    /// Where one is signed in.
    pub(super) fn settings_devices(&self, visit: &Visit<'_>) -> Handled {
        let t = visit.t;
        if visit.session.is_none() {
            return Ok(to_login(visit, Vec::new()));
        }
        let heard = self.read(visit, None, Action::Sessions)?;
        let Outcome::Sessions(sessions) = &heard.outcome else {
            return Err(Fault::Nonsense.into());
        };
        let drawer = self.must_draw(visit, &heard)?;
        let ended = visit.remark::<u32>("ended");
        let ended = ended.map(|ended| Notice::new(Tone::Good, t.done(), devices_ended(t, ended)));
        let end_others = ButtonForm {
            form: drawer
                .form(FormName::Devices, &Route::SettingsDevices, "others")
                .carrying("others", "1"),
            label: t.sign_out_others(),
            spoken: String::new(),
            class: "risk",
        };
        let page = DevicesPage {
            frame: self.settings_frame(visit, Some(&heard), &Route::SettingsDevices).saying(ended),
            tabs: tabs(t, &Route::SettingsDevices),
            devices: sessions.iter().map(|row| device(row, drawer, visit)).collect(),
            end_others: sessions.iter().any(|row| !row.is_this).then_some(end_others),
            logout: ButtonForm { label: t.sign_out_here(), ..drawer.logout() },
        };
        html(&page, Head::of(200, heard.cookies.clone()))
    }

    /// The form to delete one's account.
    pub(super) fn settings_leave(&self, visit: &Visit<'_>) -> Handled {
        let heard = self.checked(visit)?;
        let drawer = self.must_draw(visit, &heard)?;
        let frame = self.settings_frame(visit, Some(&heard), &Route::SettingsLeave);
        let form = drawer.form(FormName::Leave, &Route::SettingsLeave, "");
        html(&leave_form(frame, form, "", &none), Head::of(200, heard.cookies.clone()))
    }

    pub(super) fn leave_again(&self, visit: &Visit<'_>, again: &Again<'_>, said: Said) -> Handled {
        let form = self.again_form(visit, again, &said)?;
        let frame = self
            .settings_frame(visit, again.heard, &Route::SettingsLeave)
            .saying(said.notice.clone());
        let username = again.form.get("username");
        let mut page = leave_form(frame, form, username, &|field| again.problem_of(visit.t, field));
        page.button = said.button.unwrap_or(page.button);
        html(&page, again.head(&said))
    }

    pub(super) fn settings_frame(
        &self,
        visit: &Visit<'_>,
        heard: Option<&Heard>,
        here: &Route,
    ) -> Frame {
        let frame = self.around(visit, heard).frame(visit.t.settings(), None);
        frame.under(&tabs(visit.t, here))
    }

    /// Asks whether the session is open.
    pub(super) fn checked(&self, visit: &Visit<'_>) -> Result<Heard, Stop> {
        if visit.session.is_none() {
            return Err(Stop::Answer(Box::new(to_login(visit, Vec::new()))));
        }
        self.read(visit, None, Action::CheckSession)
    }

    /// Who draws the forms; whoever is not signed in goes to sign in.
    pub(super) fn must_draw<'a>(
        &'a self,
        visit: &Visit<'_>,
        heard: &'a Heard,
    ) -> Result<Drawer<'a>, Stop> {
        let answer = || Stop::Answer(Box::new(to_login(visit, heard.cookies.clone())));
        self.drawer(visit.t, heard).ok_or_else(answer)
    }
}

/// No field has a problem.
fn none(_: Field) -> String {
    String::new()
}

/// A form of the settings.
fn settings_form(frame: Frame, here: &Route, form: FormHead, fields: Vec<FieldView>) -> FieldsPage {
    let t = frame.t;
    FieldsPage {
        frame,
        tabs: tabs(t, here),
        intro: Vec::new(),
        form,
        fields,
        button: t.save(),
        class: "",
        link: None,
        footnote: "",
        logout: None,
    }
}

fn profile_form(
    frame: Frame,
    form: FormHead,
    values: Values<'_>,
    problem: &Fields<'_>,
) -> FieldsPage {
    let t = frame.t;
    let mut fields = vec![
        FieldView {
            hint: t.display_name_hint(),
            kind: "text",
            value: values.display_name.to_owned(),
            autocomplete: "name",
            ..named(t, Field::DisplayName, "display_name", problem)
        },
        FieldView {
            hint: t.bio_hint(),
            kind: "textarea",
            value: values.bio.to_owned(),
            autocomplete: "off",
            ..named(t, Field::Bio, "bio", problem)
        },
        FieldView {
            id: "mo",
            name: "members_only",
            label: t.only_members_see(),
            kind: "checkbox",
            value: if values.members_only { "1".to_owned() } else { String::new() },
            ..FieldView::default()
        },
    ];
    fields.extend(values.posts_for.map(|chosen| FieldView {
        id: "pf",
        name: POSTS_FOR,
        label: t.posts_are_for(),
        hint: t.posts_are_for_hint(),
        kind: "select",
        choices: usual_audiences(t, chosen),
        ..FieldView::default()
    }));
    let picture = FieldView {
        hint: t.avatar_hint(),
        kind: "file",
        value: values.avatar.clone().unwrap_or_default(),
        label: t.your_picture(),
        ..named(t, Field::Picture, "avatar", problem)
    };
    let removal = values.avatar.map(|_| FieldView {
        id: "ra",
        name: "remove_avatar",
        label: t.remove_picture(),
        kind: "checkbox",
        ..FieldView::default()
    });
    fields.push(picture);
    fields.extend(removal);
    FieldsPage {
        footnote: t.anybody_follows(),
        ..settings_form(frame, &Route::SettingsProfile, form, fields)
    }
}

fn password_form(frame: Frame, form: FormHead, problem: &Fields<'_>) -> FieldsPage {
    let t = frame.t;
    let fields = vec![
        FieldView {
            kind: "password",
            autocomplete: "current-password",
            label: t.current_password(),
            ..named(t, Field::Password, "current", problem)
        },
        FieldView {
            hint: t.new_password_hint(),
            kind: "password",
            autocomplete: "new-password",
            ..named(t, Field::NewPassword, "new", problem)
        },
    ];
    FieldsPage {
        button: t.change_password(),
        footnote: t.signs_out_elsewhere(),
        ..settings_form(frame, &Route::SettingsPassword, form, fields)
    }
}

fn leave_form(frame: Frame, form: FormHead, username: &str, problem: &Fields<'_>) -> FieldsPage {
    let t = frame.t;
    let fields = vec![
        FieldView {
            kind: "text",
            value: username.to_owned(),
            autocomplete: "off",
            ..named(t, Field::Username, "username", problem)
        },
        FieldView {
            kind: "password",
            autocomplete: "current-password",
            ..named(t, Field::Password, "password", problem)
        },
    ];
    FieldsPage {
        intro: [t.leaving(), t.leaving_final()].map(str::to_owned).into(),
        button: t.delete_my_account(),
        class: "risk",
        link: Some((Route::SettingsData.href(), t.take_along_first())),
        ..settings_form(frame, &Route::SettingsLeave, form, fields)
    }
}

fn named(t: Lang, field: Field, name: &'static str, problem: &Fields<'_>) -> FieldView {
    let (id, label) = anchor(t, field);
    FieldView { id, name, label, problem: problem(field), ..FieldView::default() }
}

fn device(row: &SessionRow, drawer: Drawer<'_>, visit: &Visit<'_>) -> Device {
    let t = visit.t;
    let app = row.app.as_deref();
    let browser = app.map_or_else(|| browser(t, &row.device), |app| app.name.clone());
    let route = Act::EndOthers.route();
    let end = || ButtonForm {
        form: drawer.form(FormName::Devices, &route, &row.id).carrying("id", &row.id),
        label: t.sign_out(),
        spoken: t.sign_out_device(&browser),
        class: "q",
    };
    Device {
        end: (!row.is_this).then(end),
        agent: row.device.clone(),
        address: row.address.clone(),
        since: Moment::seen_at(t, row.opened_at, visit.now),
        website: app.map(|app| app.website.clone()).unwrap_or_default(),
        may: app.map(|app| what_it_may(t, &app.scopes)).unwrap_or_default(),
        browser,
    }
}

fn devices_ended(t: Lang, ended: u32) -> String {
    match ended {
        0 => t.no_device_signed_out().to_owned(),
        n => t.devices_signed_out(n),
    }
}
