//! Forms and their fields as the templates print them.

use askama::Template;

use super::frame::Frame;

/// A form's head: where it is sent, and what it carries unseen.
#[derive(Debug, Clone)]
pub(crate) struct FormHead {
    /// Where it is sent.
    pub(crate) action: String,
    /// Names and values of its hidden fields.
    pub(crate) hidden: Vec<(&'static str, String)>,
}

impl FormHead {
    /// The same, carrying one field more, unless that is empty.
    pub(crate) fn carrying(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.hidden.push((name, value));
        }
        self
    }
}

/// A form with a button and nothing to fill in.
#[derive(Debug, Clone)]
pub(crate) struct ButtonForm {
    /// Where it goes.
    pub(crate) form: FormHead,
    /// What the button says.
    pub(crate) label: &'static str,
    /// The same with what it is about, for those who hear it among others; may be empty.
    pub(crate) spoken: String,
    /// The button's class: empty, `q` for quiet, `risk`.
    pub(crate) class: &'static str,
}

/// A button of a post. All of a page belong to one form: with a form each they would be a tenth of the
/// page's bytes.
#[derive(Debug, Clone)]
pub(crate) struct MarkButton {
    /// Where it goes.
    pub(crate) action: String,
    /// What it says.
    pub(crate) label: &'static str,
    /// What it does, where it takes back what was done.
    pub(crate) spoken: Option<String>,
}

/// A field to fill in.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldView {
    /// Its id on the page; that of its hint is this and `h`, that of its problem this and `e`.
    pub(crate) id: &'static str,
    /// Its name in the form.
    pub(crate) name: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// What to know before filling it in; may be empty.
    pub(crate) hint: &'static str,
    /// Its `type`; `textarea` for text of several lines; `file` for a picture, whose address so far is its
    /// value.
    pub(crate) kind: &'static str,
    /// What stands in it.
    pub(crate) value: String,
    /// What a browser may fill in.
    pub(crate) autocomplete: &'static str,
    /// What is wrong with it; empty if nothing is.
    pub(crate) problem: String,
    /// What can be chosen, where its `type` is `select`.
    pub(crate) choices: Vec<Choice>,
    /// A link below it: address and label.
    pub(crate) link: Option<(String, &'static str)>,
    /// What the link is called once the script has shown or hidden what is typed; may be empty.
    pub(crate) other_label: &'static str,
}

impl FieldView {
    /// Whether it takes the words of a language rather than a name or a secret.
    pub(crate) fn is_prose(&self) -> bool {
        matches!(self.name, "bio" | "display_name" | "reason" | "words")
    }
}

/// Something that can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Its value in the form.
    pub(crate) value: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// Whether it is chosen now.
    pub(crate) is_chosen: bool,
}

/// Where a picture is chosen.
#[derive(Debug, Clone)]
pub(crate) struct PictureField {
    /// Which of them.
    pub(crate) number: u32,
    /// The file's name in the form.
    pub(crate) file: &'static str,
    /// Whether the file that was chosen is none that can be posted.
    pub(crate) is_wrong: bool,
    /// Name and value of what it shows.
    pub(crate) description: (&'static str, String),
    /// What is kept of it already.
    pub(crate) kept: Option<KeptField>,
}

/// Where it is said anew what a picture of a post shows.
#[derive(Debug, Clone)]
pub(crate) struct DescribedField {
    /// Which of them.
    pub(crate) number: u32,
    /// Where its small one is, if that is known.
    pub(crate) shown: Option<String>,
    /// Name and value of what it shows.
    pub(crate) description: (&'static str, String),
}

/// A picture that was sent with this form before, and is not posted yet.
#[derive(Debug, Clone)]
pub(crate) struct KeptField {
    /// Name and value of what the form says of it.
    pub(crate) field: (&'static str, String),
    /// Where its small one is shown to whoever sent it.
    pub(crate) shown: String,
    /// The name of the box that takes it away, and whether that is ticked.
    pub(crate) removal: (&'static str, bool),
}

/// Where a poll is typed.
#[derive(Debug, Clone)]
pub(crate) struct PollField {
    /// Number, name and value of what can be chosen.
    pub(crate) options: Vec<(u32, &'static str, String)>,
    /// For how many seconds votes are taken, and in words.
    pub(crate) lasts: Vec<(u32, String, bool)>,
    /// Whether several may be chosen.
    pub(crate) several: bool,
    /// What is wrong with it; may be empty.
    pub(crate) problem: String,
}

/// The box to write a post in.
#[derive(Debug, Clone)]
pub(crate) struct Composer {
    /// Where it goes.
    pub(crate) form: FormHead,
    /// Its label.
    pub(crate) label: &'static str,
    /// Whether the label is seen, and not only heard.
    pub(crate) is_labelled: bool,
    /// Lines it shows when empty.
    pub(crate) rows: u8,
    /// What stands in it.
    pub(crate) text: String,
    /// What stands in it faintly while it is empty.
    pub(crate) placeholder: &'static str,
    /// What is wrong with the text; may be empty.
    pub(crate) problem: String,
    /// What the text is folded behind.
    pub(crate) note: String,
    /// What is wrong with that; may be empty.
    pub(crate) note_problem: String,
    /// Who may read it; none where that is not asked.
    pub(crate) audiences: Vec<Choice>,
    /// Where its pictures are chosen; none where none are asked for.
    pub(crate) pictures: Vec<PictureField>,
    /// The pictures of a post that is changed: they stay.
    pub(crate) described: Vec<DescribedField>,
    /// Whether these are to be covered until somebody wants to see them.
    pub(crate) covers_pictures: bool,
    /// Whether it has buttons that ask for pictures or a poll: the fields are many, and most posts have
    /// neither.
    pub(crate) offers_more: bool,
    /// Where a poll is typed; none where none is asked for.
    pub(crate) poll: Option<PollField>,
    /// What is wrong with them; may be empty.
    pub(crate) picture_problem: String,
    /// What the button says.
    pub(crate) button: &'static str,
    /// Most characters of a post.
    pub(crate) chars_max: usize,
    /// Most characters of a note.
    pub(crate) note_chars_max: usize,
    /// A way out: address and label.
    pub(crate) cancel: Option<(String, &'static str)>,
    /// What to know about trying again; may be empty.
    pub(crate) footnote: &'static str,
}

impl Composer {
    /// Whether more than the first picture is to be seen at once: most posts have one, and what was filled in
    /// or is wrong must not be out of sight.
    pub(crate) fn shows_all_pictures(&self) -> bool {
        let is_used =
            |it: &PictureField| it.is_wrong || it.kept.is_some() || !it.description.1.is_empty();
        !self.picture_problem.is_empty() || self.pictures.iter().skip(1).any(is_used)
    }
}

/// A page with nothing but the box to write a post in.
#[derive(Debug, Template)]
#[template(path = "compose.html", config = "src/web/askama.toml")]
pub(crate) struct ComposePage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The box.
    pub(crate) composer: Composer,
}

/// A page with fields to fill in.
#[derive(Debug, Template)]
#[template(path = "fields.html", config = "src/web/askama.toml")]
pub(crate) struct FieldsPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The neighbouring settings; may be empty.
    pub(crate) tabs: Vec<super::settings::Tab>,
    /// What to know first, a paragraph each.
    pub(crate) intro: Vec<String>,
    /// Where it goes.
    pub(crate) form: FormHead,
    /// The fields.
    pub(crate) fields: Vec<FieldView>,
    /// What the button says.
    pub(crate) button: &'static str,
    /// Its class.
    pub(crate) class: &'static str,
    /// Another way on: address and label.
    pub(crate) link: Option<(String, &'static str)>,
    /// What to know last; may be empty.
    pub(crate) footnote: &'static str,
    /// The button that signs out, where it belongs.
    pub(crate) logout: Option<ButtonForm>,
}

impl FieldsPage {
    /// Whether a file can be chosen in it.
    fn brings_files(&self) -> bool {
        self.fields.iter().any(|field| field.kind == "file")
    }
}

/// A page that asks, or asks again, for one press of a button.
#[derive(Debug, Template)]
#[template(path = "confirm.html", config = "src/web/askama.toml")]
pub(crate) struct ConfirmPage {
    /// What stands around it.
    pub(crate) frame: Frame,
    /// The button; none where pressing it again cannot help.
    pub(crate) button: Option<ButtonForm>,
    /// The way out: address and label.
    pub(crate) cancel: (String, &'static str),
    /// The post it is about.
    pub(crate) post: Option<super::post::PostItem>,
}
