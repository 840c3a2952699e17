//! Writing.

use serde::ser::{
    Error, Impossible, Serialize, SerializeMap, SerializeStruct, SerializeStructVariant, Serializer,
};

/// All that a serializer must be able to do and that nobody asks of these.
macro_rules! nothing_else {
    () => {
        nothing_else! {
            serialize_bool(bool) -> Ok;
            serialize_i8(i8) -> Ok;
            serialize_i16(i16) -> Ok;
            serialize_i32(i32) -> Ok;
            serialize_i64(i64) -> Ok;
            serialize_u8(u8) -> Ok;
            serialize_u16(u16) -> Ok;
            serialize_u32(u32) -> Ok;
            serialize_u64(u64) -> Ok;
            serialize_f32(f32) -> Ok;
            serialize_f64(f64) -> Ok;
            serialize_char(char) -> Ok;
            serialize_str(&str) -> Ok;
            serialize_bytes(&[u8]) -> Ok;
            serialize_none() -> Ok;
            serialize_unit() -> Ok;
            serialize_unit_struct(&'static str) -> Ok;
            serialize_seq(Option<usize>) -> SerializeSeq;
            serialize_tuple(usize) -> SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        }

        fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Self::Ok, Self::Error> {
            Err(Self::Error::custom(NO_ENUM))
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, Self::Error> {
            Err(Self::Error::custom(NO_ENUM))
        }
    };
    ($($method:ident($($given:ty),*) -> $made:ident;)*) => {
        $(fn $method(self, $(_: $given),*) -> Result<Self::$made, Self::Error> {
            Err(Self::Error::custom(NO_ENUM))
        })*
    };
}

/// What is written here is an enum whose variants hold fields with names; nothing else asks.
const NO_ENUM: &str = "only an enum can be written so";

/// An object that begins with the variant under the key `tag`.
pub(crate) struct InsideOf<S> {
    tag: &'static str,
    /// Known once the fields' turn has come.
    variant: &'static str,
    to: S,
}

impl<S: Serializer> InsideOf<S> {
    pub(crate) const fn new(tag: &'static str, to: S) -> Self {
        Self { tag, variant: "", to }
    }

    fn begin(self, name: &'static str, len: usize) -> Result<S::SerializeStruct, S::Error> {
        let mut fields = self.to.serialize_struct(name, len + 1)?;
        fields.serialize_field(self.tag, self.variant)?;
        Ok(fields)
    }
}

impl<S: Serializer> Serializer for InsideOf<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = S::SerializeMap;
    type SerializeStruct = S::SerializeStruct;
    type SerializeStructVariant = Fields<S::SerializeStruct>;

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        Self { variant, ..self }.begin(name, 0)?.end()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(Self { variant, ..self })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields<S::SerializeStruct>, S::Error> {
        Self { variant, ..self }.begin(name, len).map(Fields)
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<S::SerializeStruct, S::Error> {
        self.begin(name, len)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<S::SerializeMap, S::Error> {
        let mut fields = self.to.serialize_map(len.map(|len| len + 1))?;
        fields.serialize_entry(self.tag, self.variant)?;
        Ok(fields)
    }

    nothing_else!();
}

pub(crate) struct Fields<S>(S);

impl<S: SerializeStruct> SerializeStructVariant for Fields<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        self.0.serialize_field(key, value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

/// The variant in an object under the key `tag`, and what belongs to it, if anything does, under the
/// key `content`.
pub(crate) struct Beside<'a, M> {
    pub(crate) tag: &'static str,
    pub(crate) content: &'static str,
    pub(crate) map: &'a mut M,
}

impl<M: SerializeMap> Serializer for Beside<'_, M> {
    type Ok = ();
    type Error = M::Error;
    type SerializeSeq = Impossible<(), M::Error>;
    type SerializeTuple = Impossible<(), M::Error>;
    type SerializeTupleStruct = Impossible<(), M::Error>;
    type SerializeTupleVariant = Impossible<(), M::Error>;
    type SerializeMap = Impossible<(), M::Error>;
    type SerializeStruct = Impossible<(), M::Error>;
    type SerializeStructVariant = Impossible<(), M::Error>;

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), M::Error> {
        self.map.serialize_entry(self.tag, variant)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        self.map.serialize_entry(self.tag, variant)?;
        self.map.serialize_entry(self.content, value)
    }

    nothing_else!();

    nothing_else! {
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}
