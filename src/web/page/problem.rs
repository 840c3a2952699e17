//! Sentences: what is wrong with a field, with a way out.

use super::poll;
use crate::action::Problem;
use crate::id::{USER_NAME_CHARS_MAX, UserName};
use crate::limits::{
    BIO_CHARS_MAX, COMMUNITY_CHARS_MAX, DESCRIPTION_CHARS_MAX, DISPLAY_NAME_CHARS_MAX,
    NOTE_CHARS_MAX, POST_CHARS_MAX, POST_PICTURES_MAX, REASON_CHARS_MAX, USER_PICTURES_MAX,
};
use crate::web::words::Lang;
use crate::wire::request::Field;

/// What is wrong with a field, with a way out.
pub(crate) fn problem(t: Lang, field: Field, problem: &Problem) -> String {
    let (what, max) = match field {
        Field::Poll | Field::Choice => return poll::problem(t, field, problem),
        Field::Username => (t.a_username(), Some(USER_NAME_CHARS_MAX)),
        Field::DisplayName => (t.a_display_name(), Some(DISPLAY_NAME_CHARS_MAX)),
        Field::Password | Field::NewPassword => (t.a_password(), None),
        Field::Bio => (t.your_bio(), Some(BIO_CHARS_MAX)),
        Field::Text | Field::Post => (t.subject_post(), Some(POST_CHARS_MAX)),
        Field::Note => (t.a_content_note(), Some(NOTE_CHARS_MAX)),
        Field::Picture | Field::Description => (t.a_description(), Some(DESCRIPTION_CHARS_MAX)),
        Field::Reason => (t.a_reason(), Some(REASON_CHARS_MAX)),
        Field::Code => (t.a_code(), None),
        Field::Community => (t.these_words(), Some(COMMUNITY_CHARS_MAX)),
    };
    let suggesting = |why: String, suggestion: &Option<UserName>| match suggestion {
        Some(name) => format!("{why} {}", t.how_about(name.as_str())),
        None => why,
    };
    let said = match problem {
        Problem::Empty => match field {
            Field::Text => t.write_something(),
            Field::Username => t.enter_username(),
            Field::Password | Field::NewPassword => t.enter_password(),
            Field::Reason => t.say_why(),
            Field::Code => t.enter_code(),
            Field::DisplayName
            | Field::Bio
            | Field::Note
            | Field::Post
            | Field::Community
            | Field::Picture
            | Field::Poll
            | Field::Choice
            | Field::Description => t.enter_something(),
        },
        Problem::TooLong { over } => {
            let over = t.chars_too_many(*over);
            return match max {
                Some(max) => format!("{over} {}", t.has_up_to(what, max)),
                None => over,
            };
        }
        Problem::TooShort { min } => return t.has_at_least(what, *min),
        Problem::BadStart { suggestion } => {
            return suggesting(t.begins_with_letter(what), suggestion);
        }
        Problem::BadChar { found, suggestion } => {
            return suggesting(t.cannot_be_used(&character(t, *found)), suggestion);
        }
        Problem::Reserved => t.name_reserved(),
        Problem::Taken => t.name_taken(),
        Problem::Common => t.password_common(),
        Problem::Guessable => t.password_guessable(),
        Problem::NamesNobody => t.name_somebody(),
        Problem::Wrong if field == Field::Username => t.not_your_username(),
        Problem::Own if field == Field::Username => t.cannot_suspend_yourself(),
        Problem::Wrong if field == Field::Picture => t.picture_lost(),
        Problem::Wrong if field == Field::Code => t.no_such_code(),
        Problem::Wrong | Problem::Own => t.not_your_password(),
        Problem::Used => t.code_used(),
        Problem::Past => t.code_past(),
        Problem::Full { max } if field == Field::Text => return t.edited_most(*max),
        Problem::Full { max } if field == Field::Picture => return too_many_pictures(t, *max),
        Problem::Full { max } => return t.have_most(*max),
    };
    said.to_owned()
}

fn too_many_pictures(t: Lang, max: u32) -> String {
    let count = max as usize;
    if count <= POST_PICTURES_MAX {
        t.pictures_most(max)
    } else if count <= USER_PICTURES_MAX {
        t.pictures_too_many(max)
    } else {
        t.pictures_full(max / 1024 / 1024)
    }
}

/// A character as people call it.
fn character(t: Lang, found: char) -> String {
    let name = match found {
        '.' => t.a_dot(),
        ',' => t.a_comma(),
        ' ' => t.a_space(),
        '-' => t.a_hyphen(),
        '@' => t.an_at(),
        '/' => t.a_slash(),
        '\'' | '’' => t.an_apostrophe(),
        '"' => t.a_quotation_mark(),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => t.a_line_break(),
        c if c.is_control() || is_unseen(c) => t.an_invisible(),
        c if c.is_uppercase() || c.is_alphabetic() => return t.the_letter(c),
        c => return t.the_character(c),
    };
    name.to_owned()
}

/// Characters that show nothing, or turn the writing's direction.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: Field, what: &Problem, words: &str) {
        assert_eq!(problem(Lang::En, field, what), words);
    }

    #[test]
    fn problem_names_a_way_out() {
        let suggestion = Some("rose_bay".parse().unwrap());
        let dot = Problem::BadChar { found: '.', suggestion };
        check(Field::Username, &dot, "A dot can’t be used. How about rose_bay?");
        let kelvin = Problem::BadChar { found: '\u{212a}', suggestion: None };
        check(Field::Username, &kelvin, "The letter “\u{212a}” can’t be used.");
        let hidden = Problem::BadChar { found: '\u{202e}', suggestion: None };
        check(Field::DisplayName, &hidden, "An invisible character can’t be used.");
        check(Field::Text, &Problem::Empty, "Write something first.");
        let over = |over| Problem::TooLong { over };
        check(Field::Text, &over(23), "23 characters too many. A post has up to 500.");
        check(
            Field::Bio,
            &over(1),
            "1 character too many. What you say of yourself has up to 200.",
        );
        let min = Problem::TooShort { min: 8 };
        check(Field::NewPassword, &min, "A password has at least 8 characters.");
        check(Field::Password, &Problem::Wrong, "This is not your password.");
        check(Field::Username, &Problem::Wrong, "This is not your username.");
    }

    #[test]
    fn problem_in_german() {
        let check =
            |field, what: &Problem, words: &str| assert_eq!(problem(Lang::De, field, what), words);
        let over = |over| Problem::TooLong { over };
        check(Field::Text, &over(1), "1 Zeichen zu viel. Ein Beitrag hat höchstens 500.");
        let bio = "23 Zeichen zu viel. Was du über dich sagst, hat höchstens 200.";
        check(Field::Bio, &over(23), bio);
        let suggestion = Some("rose_bay".parse().unwrap());
        let dot = Problem::BadChar { found: '.', suggestion };
        check(Field::Username, &dot, "Ein Punkt geht hier nicht. Wie wäre es mit rose_bay?");
        let letter = Problem::BadChar { found: 'É', suggestion: None };
        check(Field::Username, &letter, "Der Buchstabe „É“ geht hier nicht.");
    }
}
