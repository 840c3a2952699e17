//! Votes as forms say them.

use crate::web::form::Form;
use crate::web::page::form::FormHead;
use crate::web::page::poll::{MANY_CHOICES, ONE_CHOICE};

/// What is chosen, by its places; nothing where that makes no sense.
pub(super) fn chosen(form: &Form) -> Option<Vec<u32>> {
    let fields = MANY_CHOICES.iter().chain(&[ONE_CHOICE]);
    fields.filter_map(|name| form.find(name)).map(|place| place.parse().ok()).collect()
}

/// The form carrying the same.
pub(super) fn carrying(form: FormHead, sent: &Form) -> FormHead {
    let fields = MANY_CHOICES.into_iter().chain([ONE_CHOICE]);
    fields.fold(form, |form, name| form.carrying(name, sent.get(name)))
}
