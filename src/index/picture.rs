//! Which posts show which picture: who may see it, and whether it is still needed.

use std::collections::{BTreeMap, BTreeSet};

use std::ops::Bound;

use super::eyes::Eyes;
use super::people::PersonId;
use super::{Index, Key};
use crate::id::PictureName;
use crate::user::entry::Picture;

/// Every picture to which a post that stands refers, small ones included, with these posts.
#[derive(Debug, Clone, Default)]
pub(super) struct Pictures {
    shown_by: BTreeMap<PictureName, Vec<Key>>,
    /// These posts, by time.
    posts: BTreeSet<Key>,
    /// Every picture that stands beside a name, the small ones included, with whose it is.
    faces: BTreeMap<PictureName, Vec<PersonId>>,
    /// Rises whenever a picture comes or goes.
    changes: u64,
}

impl Pictures {
    pub(super) fn show(&mut self, post: Key, pictures: &[Picture]) {
        if !pictures.is_empty() {
            self.posts.insert(post);
        }
        for name in names(pictures) {
            let posts = self.shown_by.entry(name).or_default();
            // One post may show a picture twice.
            if !posts.contains(&post) {
                posts.push(post);
            }
            self.changes += 1;
        }
    }

    pub(super) fn hide(&mut self, post: Key, pictures: &[Picture]) {
        self.posts.remove(&post);
        for name in names(pictures) {
            if let Some(posts) = self.shown_by.get_mut(&name) {
                posts.retain(|other| *other != post);
                if posts.is_empty() {
                    self.shown_by.remove(&name);
                }
            }
            self.changes += 1;
        }
    }
}

impl Pictures {
    /// What stands beside a name is another from now on, if it is.
    pub(super) fn face(&mut self, of: PersonId, before: Option<&Picture>, after: Option<&Picture>) {
        if before == after {
            return;
        }
        for name in before.into_iter().flat_map(both) {
            if let Some(people) = self.faces.get_mut(&name) {
                people.retain(|other| *other != of);
                if people.is_empty() {
                    self.faces.remove(&name);
                }
            }
        }
        for name in after.into_iter().flat_map(both) {
            let people = self.faces.entry(name).or_default();
            if !people.contains(&of) {
                people.push(of);
            }
        }
        self.changes += 1;
    }
}

const fn both(picture: &Picture) -> [PictureName; 2] {
    [picture.file, picture.thumb]
}

fn names(pictures: &[Picture]) -> impl Iterator<Item = PictureName> {
    pictures.iter().flat_map(both)
}

impl Index {
    /// Whether a post that these eyes are shown shows the picture: one that a keeper has hidden, or that
    /// was deleted, shows it to nobody, whoever knows the address.
    pub fn shows_picture(&self, eyes: Eyes, name: PictureName) -> bool {
        let posts = self.pictures.shown_by.get(&name);
        // Who is a member is known to everybody.
        let is_face = self.pictures.faces.contains_key(&name);
        is_face
            || posts.is_some_and(|posts| {
                posts.iter().any(|post| {
                    self.shows_text_of(eyes, *post) || self.is_to_be_judged(eyes, *post)
                })
            })
    }

    /// Whether a post has pictures.
    pub(super) fn has_pictures(&self, post: Key) -> bool {
        self.pictures.posts.contains(&post)
    }

    /// Posts that have pictures, the newest below a bound first.
    pub(super) fn pictured_down(&self, bound: Option<Key>) -> impl Iterator<Item = Key> + '_ {
        let end = bound.map_or(Bound::Unbounded, Bound::Excluded);
        self.pictures.posts.range((Bound::Unbounded, end)).rev().copied()
    }

    /// The same upwards.
    pub(super) fn pictured_up(&self, first: Key) -> impl Iterator<Item = Key> + '_ {
        self.pictures.posts.range(first..).copied()
    }

    /// Whether a post or a profile refers to the picture.
    pub fn needs_picture(&self, name: PictureName) -> bool {
        let Pictures { shown_by, faces, .. } = &self.pictures;
        shown_by.contains_key(&name) || faces.contains_key(&name)
    }

    /// Every picture that a post or a profile refers to.
    pub fn pictures(&self) -> Vec<PictureName> {
        let Pictures { shown_by, faces, .. } = &self.pictures;
        let faces = faces.keys().filter(|name| !shown_by.contains_key(*name));
        shown_by.keys().chain(faces).copied().collect()
    }

    /// A number that differs whenever [`Self::pictures`] may.
    pub const fn picture_changes(&self) -> u64 {
        self.pictures.changes
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{ANYONE, World, name};
    use crate::clock::Wall;
    use crate::id::{PictureKind, PictureName, PostId};
    use crate::index::Index;
    use crate::user::entry::{Audience, Entry, Picture};

    fn picture(of: &[u8]) -> Picture {
        let name = PictureName::of(PictureKind::Jpeg, of);
        let (file, thumb) = (name, PictureName::of(PictureKind::Png, of));
        let (description, sent_as) = (String::new(), None);
        Picture { file, thumb, width: 4, height: 3, bytes: 9, description, sent_as }
    }

    fn posted(id: u64, pictures: &[Picture]) -> Entry {
        let (at, id, text) = (Wall(id), PostId::from_raw(id), "Look".to_owned());
        Entry::Posted {
            at,
            id,
            text,
            reply_to: None,
            note: None,
            pictures: pictures.to_vec(),
            sensitive: false,
        }
    }

    fn profile(members_only: bool) -> Entry {
        let (display_name, bio) = ("Ada".to_owned(), String::new());
        let (at, posts_for) = (Wall(1), Audience::Everyone);
        Entry::Profile { at, display_name, bio, members_only, posts_for, avatar: None }
    }

    /// Whether a stranger, ben and ada are shown the picture, by this index and by one built anew.
    #[track_caller]
    fn check(world: &World, picture: &Picture, expected: [bool; 3]) {
        let built = Index::build(world.users.values());
        for index in [&world.index, &built] {
            let eyes = |user: &str| index.eyes(Some(&name(user)), Wall(0));
            for file in [picture.file, picture.thumb] {
                let shown =
                    [ANYONE, eyes("ben"), eyes("ada")].map(|eyes| index.shows_picture(eyes, file));
                assert_eq!(shown, expected);
            }
        }
    }

    #[test]
    fn s50_picture_shown_as_the_post_is() {
        let (one, two) = (picture(b"one"), picture(b"two"));
        let mut world = World::default();
        for user in ["ada", "ben", "kay"] {
            world.write(user, &Entry::Joined { at: Wall(1) });
        }
        world.write("kay", &Entry::KeeperMade { at: Wall(1) });
        check(&world, &one, [false; 3]);
        world.write("ada", &posted(5, &[one.clone(), two.clone(), one.clone()]));
        check(&world, &one, [true; 3]);
        // Where only members read the posts, strangers see no picture.
        world.write("ada", &profile(true));
        check(&world, &one, [false, true, true]);
        // The same picture in a post for everybody.
        world.write("ben", &posted(6, std::slice::from_ref(&one)));
        check(&world, &one, [true; 3]);
        check(&world, &two, [false, true, true]);
        world
            .write("ben", &Entry::PostDeleted { at: Wall(7), id: PostId::from_raw(6), few: false });
        check(&world, &one, [false, true, true]);
        // Hidden by a keeper: its author alone.
        let (user, id) = (name("ada"), PostId::from_raw(5));
        let reason = "rude".to_owned();
        world.write("kay", &Entry::PostHidden { at: Wall(8), user, id, reason });
        check(&world, &one, [false, false, true]);
        assert!(world.index.needs_picture(one.file));
        let before = world.index.picture_changes();
        world.write("ada", &Entry::PostDeleted { at: Wall(9), id, few: false });
        check(&world, &one, [false; 3]);
        assert!(!world.index.needs_picture(one.file) && world.index.pictures().is_empty());
        assert_ne!(world.index.picture_changes(), before);
    }

    #[test]
    fn pictures_of_a_file_that_came_whole_replace_those_before() {
        let (one, two) = (picture(b"one"), picture(b"two"));
        let mut world = World::default();
        world.write("ada", &Entry::Joined { at: Wall(1) });
        world.write("ada", &posted(5, std::slice::from_ref(&one)));
        let before = world.users[&name("ada")].clone();
        let mut other = World::default();
        other.write("ada", &Entry::Joined { at: Wall(1) });
        other.write("ada", &posted(6, std::slice::from_ref(&two)));
        let after = other.users[&name("ada")].clone();
        world.index.replace(&before, &after);
        let mut needed = vec![two.file, two.thumb];
        needed.sort_unstable();
        assert_eq!(world.index.pictures(), needed);
        assert!(!world.index.needs_picture(one.file));
    }

    #[test]
    fn faces_are_shown_to_everybody_until_there_is_another() {
        let (one, two) = (picture(b"one"), picture(b"two"));
        let shows = |picture: Option<&Picture>| {
            let (display_name, bio) = ("Ada".to_owned(), String::new());
            let avatar = picture.cloned().map(Box::new);
            let (at, members_only, posts_for) = (Wall(1), true, Audience::Everyone);
            Entry::Profile { at, display_name, bio, members_only, posts_for, avatar }
        };
        let mut world = World::default();
        for user in ["ada", "ben"] {
            world.write(user, &Entry::Joined { at: Wall(1) });
        }
        world.write("ada", &shows(Some(&one)));
        check(&world, &one, [true; 3]);
        assert!(world.index.needs_picture(one.thumb) && world.index.pictures().len() == 2);
        // Two may have the same, and one of them another later.
        world.write("ben", &shows(Some(&one)));
        world.write("ada", &shows(Some(&two)));
        check(&world, &one, [true; 3]);
        check(&world, &two, [true; 3]);
        world.write("ben", &shows(None));
        check(&world, &one, [false; 3]);
        assert!(!world.index.needs_picture(one.file));
        world.write("ada", &Entry::Left { at: Wall(9) });
        check(&world, &two, [false; 3]);
        assert!(world.index.pictures().is_empty());
    }
}
