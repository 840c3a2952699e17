//! The names and tags in a user's posts.

use super::room::make_room;
use crate::id::PostId;
use crate::limits::LABELS_COMPARED;
use crate::text::{self, Label};

/// What `text::labels` finds in each post, the posts in their order and the labels of each in theirs.
///
/// Invariant: each number is that of a text; texts that nothing bears any more are few beside the rest.
#[derive(Debug, Clone, Default)]
pub struct PostLabels {
    borne: Vec<Borne>,
    /// Most people write about the same things, so that there are few; some may be the same.
    texts: Vec<Label>,
}

/// A post, and the number of a label that it bears: 12 bytes and not 24, because there may be as many as
/// there are posts.
#[derive(Debug, Clone, Copy)]
#[repr(Rust, packed(4))]
struct Borne {
    post: PostId,
    text: u32,
}

const _: () = assert!(size_of::<Borne>() == 12);

impl PostLabels {
    /// None.
    pub(super) const fn none() -> Self {
        Self { borne: Vec::new(), texts: Vec::new() }
    }

    /// How many labels posts bear.
    pub fn len(&self) -> usize {
        self.borne.len()
    }

    /// Whether no post bears any.
    pub fn is_empty(&self) -> bool {
        self.borne.is_empty()
    }

    /// All of them, in the order of the posts.
    pub fn iter(&self) -> impl Iterator<Item = (PostId, &Label)> {
        self.told(&self.borne)
    }

    /// Those of one post.
    pub fn of(&self, post: PostId) -> Vec<(PostId, Label)> {
        let (from, to) = self.range(post);
        let found = self.borne.get(from..to).unwrap_or_default();
        self.told(found).map(|(id, label)| (id, label.clone())).collect()
    }

    fn told<'a>(&'a self, borne: &'a [Borne]) -> impl Iterator<Item = (PostId, &'a Label)> {
        borne.iter().filter_map(|one| Some((one.post, self.texts.get(one.text as usize)?)))
    }

    /// From where to where those of a post stand. At the end, mostly, as the posts are.
    fn range(&self, post: PostId) -> (usize, usize) {
        if self.borne.last().is_none_or(|last| { last.post } < post) {
            return (self.borne.len(), self.borne.len());
        }
        let from = self.borne.partition_point(|other| { other.post } < post);
        let after = self.borne.get(from..).unwrap_or_default();
        (from, from + after.partition_point(|other| { other.post } == post))
    }

    /// Takes note of what stands in a post now.
    pub(super) fn put(&mut self, post: PostId, text: &str) {
        let labels = text::labels_by(text, |label| match self.number(label) {
            Some((_, known)) => known.clone(),
            None => Label::of(label),
        });
        let (from, to) = self.range(post);
        make_room(&mut self.borne, labels.len());
        let borne: Vec<Borne> =
            labels.into_iter().map(|label| Borne { post, text: self.add(label) }).collect();
        self.borne.splice(from..to, borne);
        if self.texts.len() > 2 * self.borne.len() + LABELS_COMPARED {
            self.forget_unborne();
        }
    }

    /// A label among the last texts, and its number.
    fn number(&self, label: &str) -> Option<(usize, &Label)> {
        let mut recent = self.texts.iter().enumerate().rev().take(LABELS_COMPARED);
        recent.find(|(_, known)| known.as_str() == label)
    }

    #[expect(clippy::expect_used, reason = "no file holds four thousand million labels")]
    fn add(&mut self, label: Label) -> u32 {
        let known = self.number(label.as_str()).map(|(number, _)| number);
        let number = known.unwrap_or_else(|| {
            make_room(&mut self.texts, 1);
            self.texts.push(label);
            self.texts.len() - 1
        });
        u32::try_from(number).expect("more labels than a file holds")
    }

    fn forget_unborne(&mut self) {
        let all: Vec<(PostId, Label)> =
            self.iter().map(|(id, label)| (id, label.clone())).collect();
        self.texts = Vec::new();
        self.borne = Vec::with_capacity(all.len());
        for (post, label) in all {
            let text = self.add(label);
            self.borne.push(Borne { post, text });
        }
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.borne.shrink_to_fit();
        self.texts.shrink_to_fit();
    }
}

impl PartialEq for PostLabels {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for PostLabels {}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> PostId {
        PostId::from_raw(number)
    }

    fn told(labels: &PostLabels) -> Vec<(u64, &str)> {
        labels.iter().map(|(post, label)| (post.get(), label.as_str())).collect()
    }

    #[test]
    fn labels_put_changed_and_taken_away_stand_in_order() {
        let mut labels = PostLabels::none();
        labels.put(id(4), "#late of @ada");
        labels.put(id(2), "#early");
        labels.put(id(3), "nothing");
        assert_eq!(told(&labels), [(2, "#early"), (4, "#late"), (4, "@ada")]);
        labels.put(id(4), "@ada and @ben");
        assert_eq!(told(&labels), [(2, "#early"), (4, "@ada"), (4, "@ben")]);
        assert_eq!(labels.of(id(4)).len(), 2);
        assert!(labels.of(id(3)).is_empty() && labels.of(id(5)).is_empty());
        labels.put(id(2), "");
        assert_eq!(told(&labels), [(4, "@ada"), (4, "@ben")]);
        let mut other = PostLabels::none();
        other.put(id(4), "@ben, @ada");
        assert!(labels == other, "whatever stood there before");
        labels.put(id(4), "");
        assert!(labels.is_empty());
    }

    #[test]
    fn texts_shared_and_those_of_posts_taken_back_forgotten() {
        let mut labels = PostLabels::none();
        for number in 0..1_000 {
            labels.put(id(number), &format!("#often and #once{number}"));
        }
        assert_eq!(labels.len(), 2_000);
        assert!(labels.texts.len() < 1_000 + 1_000 / LABELS_COMPARED + 2, "{}", labels.texts.len());
        for number in 10..1_000 {
            labels.put(id(number), "");
        }
        assert_eq!(labels.len(), 20);
        assert!(labels.texts.len() <= 40 + LABELS_COMPARED, "{}", labels.texts.len());
        assert_eq!(told(&labels)[18..], [(9, "#often"), (9, "#once9")]);
    }
}
