//! Posts that a search may find, before their texts are read.

use super::timeline::{PostList, below_all_of};
use super::{Eyes, Index, Key};
use crate::id::{PostId, UserName};
use crate::text::{Label, Tag};

impl Index {
    /// The next posts, older than `before`, that bear all `tags` and are by or name all of `names`, and whose
    /// text these eyes are shown. Looks at `n` posts (and those of the same number as the last): there may be none among them and
    /// still an older page.
    pub fn candidates(
        &self,
        eyes: Eyes,
        (names, tags): (&[UserName], &[Tag]),
        before: Option<PostId>,
        n: usize,
    ) -> PostList {
        let below = before.map(below_all_of);
        // Boxed: each way there is a type of its own, and this is once for many posts.
        let keys: Box<dyn Iterator<Item = Key> + '_> = match (tags, names) {
            ([tag, ..], _) => Box::new(self.labels.down(&Label::of_tag(tag), before)),
            ([], [name, ..]) => Box::new(self.by_or_naming(name, before)),
            ([], []) => Box::new(self.timeline.down(below.as_ref()).copied()),
        };
        let tags: Vec<Label> = tags.iter().map(Label::of_tag).collect();
        let names: Vec<_> =
            names.iter().map(|name| (self.people.find(name), Label::of_name(name))).collect();
        let is_wanted = |post: Key| {
            let has_tags = tags.iter().all(|tag| self.labels.is_on(tag, post));
            let is_of = |(author, label): &(Option<_>, Label)| {
                *author == Some(post.author) || self.labels.is_on(label, post)
            };
            // What is in no list is found by its author alone.
            let is_own = eyes.viewer == Some(post.author);
            let eyes = if is_own { eyes } else { eyes.in_public() };
            has_tags && names.iter().all(is_of) && self.shows_text_of(eyes, post)
        };
        let mut found = PostList::default();
        let mut last = None;
        for (looked_at, key) in keys.enumerate() {
            if looked_at >= n && last != Some(key.id) {
                found.older = last;
                break;
            }
            last = Some(key.id);
            if is_wanted(key) {
                found.posts.push(self.post_ref(key));
            }
        }
        found
    }

    /// Members whose names begin so, by name; looks at `n`.
    pub fn named(&self, eyes: Eyes, start: &str, n: usize) -> Vec<UserName> {
        let found = self.people.starting_with(start).take(n).filter(|id| self.shows_id(eyes, *id));
        found.map(|id| self.people.get(id).name.clone()).collect()
    }
}
