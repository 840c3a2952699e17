//! All words of the interface, each once, in every language.
//!
//! What it is: one method of [`Lang`] for each thing that is said. Pages and templates ask the
//! reader's language for it: `t.home()`, `t.followers(2)`. A file here holds the words of a few pages
//! that belong together. What it is not: it knows no page, and what members write never passes here.
//!
//! A word is written in one of three ways, English first:
//!
//! ```text
//! home: "Home" / "Start";
//! replies(n: u32): ["{n} reply", "{n} replies"] / ["{n} Antwort", "{n} Antworten"];
//! copy: ("This is ", "’s copy.") / ("Das ist die Kopie von ", ".");
//! ```
//!
//! - A text; its `{…}` are the parameters. What comes out is text, which the templates escape.
//! - The form for one, and the form for all else; the first parameter is the count.
//! - Pieces of a sentence, between which a template puts markup.
//!
//! A word without a German text is no word and does not compile; one that nothing uses is a warning.
//! `tests` looks after what the compiler cannot see, `tests/tidy` after words that stand elsewhere.

mod apps;
mod choice;
mod entry;
mod find;
mod frame;
mod gate;
mod keeping;
mod machines;
mod marks;
mod poll;
mod post;
mod settings;
#[cfg(test)]
pub(super) mod tests;
mod time;
mod trouble;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English; also for those who read neither.
    #[default]
    En,
    /// German.
    De,
}

impl Lang {
    /// All of them, those that are preferred where a browser does not care first.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// Its tag, as `lang`, `Content-Language` and the cookie spell it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// It alone, as what an answer is written in.
    pub const fn alone(self) -> &'static [Self] {
        match self {
            Self::En => &[Self::En],
            Self::De => &[Self::De],
        }
    }

    /// All but this.
    pub(crate) fn others(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |lang| *lang != self)
    }

    /// What it calls itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }
}

/// A word as it was written, for the tests.
#[cfg(test)]
struct Written {
    key: &'static str,
    en: &'static [&'static str],
    de: &'static [&'static str],
}

/// Makes a method of [`Lang`] of each word.
macro_rules! words {
    ($($key:ident $(($($arg:ident: $kind:ty),+))?: $en:tt / $de:tt;)+) => {
        impl $crate::web::words::Lang {
            $($crate::web::words::words!(@word $key ($($($arg: $kind),+)?) $en $de);)+
        }
        #[cfg(test)]
        pub(super) const WRITTEN: &[$crate::web::words::Written] = &[$(
            $crate::web::words::Written {
                key: stringify!($key),
                en: $crate::web::words::words!(@texts $en),
                de: $crate::web::words::words!(@texts $de),
            }
        ),+];
    };
    (@word $key:ident () $en:literal $de:literal) => {
        pub(crate) const fn $key(self) -> &'static str {
            match self {
                Self::En => $en,
                Self::De => $de,
            }
        }
    };
    (@word $key:ident ($($arg:ident: $kind:ty),+) $en:literal $de:literal) => {
        pub(crate) fn $key(self, $($arg: $kind),+) -> String {
            match self {
                Self::En => $crate::web::written::written(format_args!($en)),
                Self::De => $crate::web::written::written(format_args!($de)),
            }
        }
    };
    // One and other are all the plural forms that whole numbers have in both languages (CLDR 46,
    // cardinal rules of `en` and `de`).
    (@word $key:ident ($count:ident: $kind:ty $(, $arg:ident: $other:ty)*)
        [$en_one:literal, $en:literal] [$de_one:literal, $de:literal]) => {
        pub(crate) fn $key(self, $count: $kind $(, $arg: $other)*) -> String {
            match (self, $count == 1) {
                (Self::En, true) => $crate::web::written::written(format_args!($en_one)),
                (Self::En, false) => $crate::web::written::written(format_args!($en)),
                (Self::De, true) => $crate::web::written::written(format_args!($de_one)),
                (Self::De, false) => $crate::web::written::written(format_args!($de)),
            }
        }
    };
    (@word $key:ident () ($($en:literal),+) ($($de:literal),+)) => {
        pub(crate) const fn $key(self) -> [&'static str; [$($en),+].len()] {
            match self {
                Self::En => [$($en),+],
                Self::De => [$($de),+],
            }
        }
    };
    (@texts $text:literal) => { &[$text] };
    (@texts [$($text:literal),+]) => { &[$($text),+] };
    (@texts ($($text:literal),+)) => { &[$($text),+] };
}
use words;
