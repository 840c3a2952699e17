//! Open files for reading, so that a page of thirty posts opens no file thirty times.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::id::UserName;
use crate::limits::READ_HANDLES_MAX;

/// At most `READ_HANDLES_MAX` open files; the one opened first goes first.
#[derive(Debug, Default)]
pub(super) struct Handles(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    files: HashMap<UserName, Arc<File>>,
    /// The keys of `files`, oldest first.
    order: VecDeque<UserName>,
    /// Counts what [`Handles::forget`] was told, so that a file opened before that and handed in
    /// after it does not stay.
    forgotten: u64,
}

impl Handles {
    /// The user's file, opened by `open` unless it is open already; `None` if there is none.
    /// `open` runs outside the lock.
    pub(super) fn get<E>(
        &self,
        user: &UserName,
        open: impl FnOnce() -> Result<Option<File>, E>,
    ) -> Result<Option<Arc<File>>, E> {
        let forgotten = {
            let cache = self.0.lock();
            if let Some(file) = cache.files.get(user) {
                return Ok(Some(Arc::clone(file)));
            }
            cache.forgotten
        };
        let Some(file) = open()?.map(Arc::new) else { return Ok(None) };
        let mut cache = self.0.lock();
        if cache.forgotten == forgotten
            && cache.files.insert(user.clone(), Arc::clone(&file)).is_none()
        {
            cache.order.push_back(user.clone());
            if cache.order.len() > READ_HANDLES_MAX
                && let Some(oldest) = cache.order.pop_front()
            {
                cache.files.remove(&oldest);
            }
        }
        Ok(Some(file))
    }

    /// To be called whenever a user's name has come to mean another file.
    pub(super) fn forget(&self, user: &UserName) {
        let mut cache = self.0.lock();
        cache.forgotten += 1;
        if cache.files.remove(user).is_some() {
            cache.order.retain(|name| name != user);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn user(number: usize) -> UserName {
        UserName::parse(&format!("user{number}")).unwrap()
    }

    fn any_file() -> io::Result<Option<File>> {
        tempfile::tempfile().map(Some)
    }

    fn get(handles: &Handles, number: usize) -> Arc<File> {
        handles.get(&user(number), any_file).unwrap().unwrap()
    }

    #[test]
    fn handle_asked_twice_opened_once() {
        let handles = Handles::default();
        let first = get(&handles, 1);
        let second = handles.get(&user(1), || -> io::Result<_> { panic!("opened again") });
        assert!(Arc::ptr_eq(&first, &second.unwrap().unwrap()));
    }

    #[test]
    fn handle_forgotten_opened_again() {
        let handles = Handles::default();
        let first = get(&handles, 1);
        handles.forget(&user(1));
        assert!(!Arc::ptr_eq(&first, &get(&handles, 1)));
    }

    #[test]
    fn handle_opened_before_forget_not_kept() {
        let handles = Handles::default();
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
        let handles = Handles::default();
        for number in 0..=READ_HANDLES_MAX {
            get(&handles, number);
        }
        let cache = handles.0.lock();
        assert_eq!((cache.files.len(), cache.order.len()), (READ_HANDLES_MAX, READ_HANDLES_MAX));
        assert!(!cache.files.contains_key(&user(0)));
    }
}
