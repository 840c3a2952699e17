//! Lists, written one item at a time: a post takes ten times the memory of its text as long as it is a tree of
//! values, and all workers may have a list in hand at once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Answer, Answered, Call};
use crate::web::ask::Ask;
use crate::web::handler::Site;

impl<A: Ask> Site<A> {
    /// What some numbers are of, each asked for by itself: so it is judged as for itself, and what is not
    /// there, or not for the eyes of the one who asks, is left out.
    pub(super) fn several(
        &self,
        call: &Call<'_>,
        most: usize,
        one: &dyn Fn(&str) -> Answered,
    ) -> Answered {
        let mut ids = call.params.all("id");
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        if ids.is_empty() {
            return self.nothing(call);
        }
        if ids.len() > most {
            let why = format!("Validation failed: id: at most {most} can be asked for together");
            return Err(Answer::error(422, &why));
        }
        let mut failed = None;
        let found = ids.into_iter().map_while(|id| match one(id) {
            Ok(answer) => Some(Some(answer.value)),
            Err(none) if none.status == 404 => Some(None),
            Err(why) => {
                failed = Some(why);
                None
            }
        });
        let list = Answer::list(found.flatten());
        failed.map_or(Ok(list), Err)
    }
}

impl Answer {
    /// What there is of a list.
    pub(super) fn list(items: impl Iterator<Item = Value>) -> Self {
        let mut list = String::new();
        write(&mut list, items, usize::MAX);
        Self { written: Some(list), ..Self::ok(Value::Null) }
    }
}

/// Appends a list in JSON, which ends with the item that reaches so many bytes.
pub(super) fn write(out: &mut String, items: impl Iterator<Item = Value>, bytes_max: usize) {
    let start = out.len();
    out.push('[');
    for item in items {
        if out.len() > start + 1 {
            out.push(',');
        }
        out.push_str(&item.to_string());
        if out.len() - start >= bytes_max {
            break;
        }
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(items: impl Iterator<Item = Value>, bytes_max: usize) -> String {
        // What stands before it counts for nothing.
        let mut out = "before".to_owned();
        write(&mut out, items, bytes_max);
        out.split_off("before".len())
    }

    #[test]
    fn list_written_as_the_tree_of_it_would_be() {
        for all in [json!([]), json!([{ "a": "\"<" }]), json!([1, null, [2, "3"]])] {
            let items = all.as_array().unwrap().iter().cloned();
            assert_eq!(written(items, usize::MAX), all.to_string());
        }
    }

    #[test]
    fn list_ends_with_the_item_that_reaches_the_bound() {
        let check = |bytes_max, expected: &str| {
            let items = [10, 20, 30].map(Value::from).into_iter();
            assert_eq!(written(items, bytes_max), expected);
        };
        check(0, "[10]");
        check(3, "[10]");
        check(4, "[10,20]");
        check(7, "[10,20,30]");
    }
}
