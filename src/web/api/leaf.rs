//! JSON read into names and values as it comes. A tree of it would take many times the room of a body that
//! somebody made for that, and what is too long is refused before it is copied.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::params::{Params, Unreadable};
use crate::limits::{API_DEPTH_MAX, API_NAME_BYTES_MAX};

/// Reads a body that is an object.
pub(super) fn read(params: &mut Params, body: &[u8]) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Json)?;
    let mut fault = None;
    let mut from = serde_json::Deserializer::from_str(text);
    let whole = Leaf { params, fault: &mut fault, name: None, place: None, depth: 0 };
    let is_read = whole.deserialize(&mut from).and_then(|()| from.end()).is_ok();
    match fault {
        Some(fault) => Err(fault),
        None if is_read => Ok(()),
        None => Err(Unreadable::Json),
    }
}

/// Where a value goes.
struct Leaf<'a> {
    params: &'a mut Params,
    /// Why it went wrong, where it is not the JSON itself.
    fault: &'a mut Option<Unreadable>,
    /// The way to it; none for the whole.
    name: Option<&'a str>,
    /// Which item of a list it is, if it is one.
    place: Option<usize>,
    depth: usize,
}

impl Leaf<'_> {
    fn or_fault<E: serde::de::Error>(&mut self, done: Result<(), Unreadable>) -> Result<(), E> {
        done.map_err(|fault| {
            *self.fault = Some(fault);
            E::custom(fault)
        })
    }

    fn say<E: serde::de::Error>(mut self, value: &str) -> Result<(), E> {
        let said = self.name.map_or(Err(Unreadable::Json), |name| self.params.add(name, value));
        self.or_fault(said)
    }

    /// The name of what is inside: of an item of a list, or under a key.
    fn inner<E: serde::de::Error>(&mut self, key: &str) -> Result<String, E> {
        let bytes = self.name.map_or(0, |name| name.len() + "[]".len()) + key.len();
        let fits = if bytes > API_NAME_BYTES_MAX { Err(Unreadable::LongName) } else { Ok(()) };
        self.or_fault(fits)?;
        Ok(self.name.map_or_else(|| key.to_owned(), |name| format!("{name}[{key}]")))
    }

    /// Notes that what is here has something inside, or could have.
    fn note<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let noted = self.name.map_or(Ok(()), |name| self.params.add_compound(name));
        self.or_fault(noted)
    }

    fn go_in<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let fits = if self.depth > API_DEPTH_MAX { Err(Unreadable::Deep) } else { Ok(()) };
        self.or_fault(fits)
    }

    fn inside<'b>(&'b mut self, name: &'b str) -> Leaf<'b> {
        Leaf {
            params: &mut *self.params,
            fault: &mut *self.fault,
            name: Some(name),
            place: None,
            depth: self.depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Leaf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, from: D) -> Result<(), D::Error> {
        self.go_in()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Leaf<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    /// `null` says nothing.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.name.is_some() { Ok(()) } else { Err(E::custom("no object")) }
    }

    fn visit_bool<E: serde::de::Error>(self, is: bool) -> Result<(), E> {
        self.say(if is { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.say(&number.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.say(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("no number"))?;
        self.say(&number.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.say(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        if self.name.is_none() {
            return Err(A::Error::custom("no object"));
        }
        self.note()?;
        let name = self.inner("")?;
        for place in 0.. {
            let item = Leaf { place: Some(place), ..self.inside(&name) };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        self.note()?;
        // Fields of one object must not be taken for those of the one before it.
        let list = self.name.and_then(|name| name.strip_suffix("[]"));
        let placed = list.zip(self.place).map(|(list, place)| format!("{list}[{place}]"));
        let mut here = Leaf { name: placed.as_deref().or(self.name), ..self };
        while let Some(key) = fields.next_key::<String>()? {
            let name = here.inner(&key)?;
            fields.next_value_seed(here.inside(&name))?;
        }
        Ok(())
    }
}
