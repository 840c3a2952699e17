//! Open files for reading, so that a page of thirty posts opens no file thirty times; and what posts were
//! found to say there, so that those which every page shows are read and parsed once.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::Said;
use crate::id::{PostId, UserName};
use crate::limits::{READ_HANDLES_MAX, TEXTS_READ_MAX};
use crate::recent::Recent;
use crate::user::Place;

/// At most `READ_HANDLES_MAX` open files; the one opened first goes first.
#[derive(Debug)]
pub(super) struct Handles {
    open: Mutex<Open>,
    /// Lines stay where they are as long as the file is the same, and whoever looks for one asks by a
    /// place where a line that is committed stands: so it says the same.
    texts: Recent<Text>,
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<UserName, Arc<Handle>>,
    /// The keys of `files`, oldest first.
    order: VecDeque<UserName>,
    /// Counts what [`Handles::forget`] was told, so that a file opened before that and handed in
    /// after it does not stay.
    forgotten: u64,
    /// How many were opened.
    opened: u64,
}

/// An open file.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) file: File,
    /// No other has it.
    number: u64,
    /// Whether it is not among those that are open, or not any more: nobody forgets its texts then.
    is_out: AtomicBool,
}

/// What a post said by the entry at a place of an open file.
struct Text {
    key: (u64, Place, PostId),
    said: Said,
}

impl Handles {
    /// No file is open.
    pub(super) fn new() -> Self {
        Self { open: Mutex::default(), texts: Recent::new(TEXTS_READ_MAX) }
    }

    /// The user's file, opened by `open` unless it is open already; `None` if there is none.
    /// `open` runs outside the lock.
    pub(super) fn get<E>(
        &self,
        user: &UserName,
        open: impl FnOnce() -> Result<Option<File>, E>,
    ) -> Result<Option<Arc<Handle>>, E> {
        let forgotten = {
            let cache = self.open.lock();
            if let Some(handle) = cache.files.get(user) {
                return Ok(Some(Arc::clone(handle)));
            }
            cache.forgotten
        };
        let Some(file) = open()? else { return Ok(None) };
        let mut cache = self.open.lock();
        cache.opened += 1;
        let (number, is_out) = (cache.opened, cache.forgotten != forgotten);
        let handle = Arc::new(Handle { file, number, is_out: AtomicBool::new(is_out) });
        let pushed_out = if is_out { None } else { cache.put(user, &handle) };
        drop(cache);
        if let Some(old) = pushed_out {
            self.give_up(&old);
        }
        Ok(Some(handle))
    }

    /// What the post says by the entry at this place, as `read` finds it unless it was found before.
    pub(super) fn said<E>(
        &self,
        handle: &Handle,
        (place, post): (Place, PostId),
        read: impl FnOnce() -> Result<Said, E>,
    ) -> Result<Said, E> {
        let key = (handle.number, place, post);
        let same = |text: &Text| (text.key == key).then(|| text.said.clone());
        if let Some(said) = self.texts.find(key, same) {
            return Ok(said);
        }
        let said = read()?;
        self.texts.keep(key, Text { key, said: said.clone() });
        // After it was kept: whoever gave the file up meanwhile may have looked for its texts before.
        if handle.is_out.load(Ordering::Acquire) {
            self.give_up(handle);
        }
        Ok(said)
    }

    /// To be called whenever a user's name has come to mean another file, or something else may come to
    /// stand in it where something stood.
    pub(super) fn forget(&self, user: &UserName) {
        let removed = {
            let mut cache = self.open.lock();
            cache.forgotten += 1;
            let removed = cache.files.remove(user);
            if removed.is_some() {
                cache.order.retain(|name| name != user);
            }
            removed
        };
        if let Some(handle) = removed {
            self.give_up(&handle);
        }
    }

    /// Forgets what stands in a file that is not among the open ones any more. Texts that were taken back
    /// are to be nowhere, and [`Self::forget`] finds them by an open file alone.
    fn give_up(&self, handle: &Handle) {
        handle.is_out.store(true, Ordering::Release);
        self.texts.forget(|text| text.key.0 == handle.number);
    }
}

impl Open {
    /// Puts a file among the open ones. Which is no longer one of them for that, if one is not.
    fn put(&mut self, user: &UserName, handle: &Arc<Handle>) -> Option<Arc<Handle>> {
        let replaced = self.files.insert(user.clone(), Arc::clone(handle));
        if replaced.is_some() {
            return replaced;
        }
        self.order.push_back(user.clone());
        if self.order.len() <= READ_HANDLES_MAX {
            return None;
        }
        let oldest = self.order.pop_front()?;
        self.files.remove(&oldest)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::clock::Wall;

    fn user(number: usize) -> UserName {
        UserName::parse(&format!("user{number}")).unwrap()
    }

    fn any_file() -> io::Result<Option<File>> {
        tempfile::tempfile().map(Some)
    }

    fn get(handles: &Handles, number: usize) -> Arc<Handle> {
        handles.get(&user(number), any_file).unwrap().unwrap()
    }

    #[test]
    fn handle_asked_twice_opened_once() {
        let handles = Handles::new();
        let first = get(&handles, 1);
        let second = handles.get(&user(1), || -> io::Result<_> { panic!("opened again") });
        assert!(Arc::ptr_eq(&first, &second.unwrap().unwrap()));
    }

    #[test]
    fn handle_forgotten_opened_again() {
        let handles = Handles::new();
        let first = get(&handles, 1);
        handles.forget(&user(1));
        assert!(!Arc::ptr_eq(&first, &get(&handles, 1)));
    }

    #[test]
    fn handle_opened_before_forget_not_kept() {
        let handles = Handles::new();
        let replaced_meanwhile = || {
            let file = any_file();
            handles.forget(&user(1));
            file
        };
        let old = handles.get(&user(1), replaced_meanwhile).unwrap().unwrap();
        assert!(!Arc::ptr_eq(&old, &get(&handles, 1)));
    }

    #[test]
    fn handles_over_limit_oldest_closed() {
        let handles = Handles::new();
        for number in 0..=READ_HANDLES_MAX {
            get(&handles, number);
        }
        let cache = handles.open.lock();
        assert_eq!((cache.files.len(), cache.order.len()), (READ_HANDLES_MAX, READ_HANDLES_MAX));
        assert!(!cache.files.contains_key(&user(0)));
    }
    fn said(handles: &Handles, handle: &Handle, place: u64, text: &str) -> String {
        let place = Place { offset: place, len: 7 };
        let read =
            || -> io::Result<_> { Ok(Said { at: Wall(0), text: text.to_owned(), note: None }) };
        handles.said(handle, (place, PostId::from_raw(1)), read).unwrap().text
    }

    #[test]
    fn text_read_once_of_each_file_and_place_until_it_is_forgotten() {
        let handles = Handles::new();
        let (one, other) = (get(&handles, 1), get(&handles, 2));
        assert_eq!(said(&handles, &one, 0, "a"), "a");
        assert_eq!(said(&handles, &one, 0, "b"), "a");
        assert_eq!(said(&handles, &one, 9, "c"), "c");
        assert_eq!(said(&handles, &other, 0, "d"), "d");
        handles.forget(&user(1));
        assert_eq!(said(&handles, &one, 0, "e"), "e", "nothing of it is left");
        assert_eq!(said(&handles, &get(&handles, 1), 0, "f"), "f");
        assert_eq!(said(&handles, &other, 0, "g"), "d", "others stay");
        // Whatever falls on one set.
        for place in 1..4 * u64::try_from(TEXTS_READ_MAX).unwrap() {
            let text = place.to_string();
            assert_eq!(said(&handles, &other, place, &text), text);
        }
    }

    #[test]
    fn r0029_texts_of_a_file_that_is_no_longer_open_are_nowhere() {
        let handles = Handles::new();
        let pushed_out = get(&handles, 0);
        assert_eq!(said(&handles, &pushed_out, 0, "a"), "a");
        (1..=READ_HANDLES_MAX).for_each(|number| drop(get(&handles, number)));
        assert_eq!(said(&handles, &pushed_out, 0, "b"), "b", "nothing of it is left");
        // Whoever still reads there keeps nothing, for nobody would forget it.
        assert_eq!(said(&handles, &pushed_out, 0, "c"), "c");

        // Two open one file at once, or one opens what is forgotten meanwhile: one of two stays.
        let user = user(READ_HANDLES_MAX + 1);
        let mut other = None;
        let open_too = || {
            other = handles.get(&user, any_file)?;
            any_file()
        };
        let newer = handles.get(&user, open_too).unwrap().unwrap();
        let other = other.unwrap();
        assert_eq!(said(&handles, &other, 0, "d"), "d");
        assert_eq!(said(&handles, &other, 0, "e"), "e");
        assert_eq!(said(&handles, &newer, 0, "f"), "f");
        assert_eq!(said(&handles, &newer, 0, "g"), "f");
    }

    #[test]
    fn text_that_cannot_be_read_is_tried_again() {
        let handles = Handles::new();
        let handle = get(&handles, 1);
        let key = (Place { offset: 0, len: 7 }, PostId::from_raw(1));
        let failed = handles.said(&handle, key, || Err(io::Error::other("no disk")));
        assert!(failed.is_err());
        assert_eq!(said(&handles, &handle, 0, "a"), "a");
    }
}
