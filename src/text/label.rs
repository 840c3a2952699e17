//! A label: what a post is found under.

use std::fmt;
use std::sync::Arc;

use super::Tag;
use crate::id::UserName;

/// `@name` or `#word`, folded. One string and no enum: a post's label takes 24 bytes with its post, and
/// there are many.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// Of its text.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.into())
    }

    /// `@name` or `#word`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What posts bear that name somebody.
    pub fn of_name(name: &UserName) -> Self {
        Self(format!("@{name}").into())
    }

    /// What posts bear that have a tag.
    pub fn of_tag(tag: &Tag) -> Self {
        Self(format!("#{tag}").into())
    }

    /// Whom it names, if it names somebody.
    pub fn name(&self) -> Option<UserName> {
        UserName::parse(self.0.strip_prefix('@')?).ok()
    }

    /// The tag that it is, if it is one.
    pub fn tag(&self) -> Option<Tag> {
        Tag::parse(self.0.strip_prefix('#')?).ok()
    }

    /// Whether it is a tag.
    pub fn is_tag(&self) -> bool {
        self.0.starts_with('#')
    }

    /// Whether it names this person.
    pub fn is_name(&self, name: &UserName) -> bool {
        self.0.strip_prefix('@') == Some(name.as_str())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
