//! All words of the interface stand in `src/web/words`: none in a template, none in the Rust that
//! makes pages.

use std::path::Path;

use super::files;

/// Attributes that people read or hear.
const SPOKEN: [&str; 6] =
    ["title", "aria-label", "placeholder", "alt", "aria-description", "content"];
/// Where pages are made.
const PAGES: [&str; 2] = ["src/web/page", "src/web/handler"];
/// The page that is made elsewhere.
const REFUSAL: &str = "src/web/gate/refusal.rs";
/// Answers to programs.
const PLAIN: &str = "src/web/handler/plain.rs";
/// What is no word of the interface: names of programs, what HTTP calls things, a line of the script.
const NAMES: [&str; 20] = [
    "Android",
    "Chrome",
    "CrOS",
    "Allow",
    "Connection",
    "Content-Length",
    "const words =",
    "Edg",
    "Firefox",
    "GET, HEAD, POST",
    "HTTP/1.1 ",
    "Linux",
    "Mac OS X",
    "OPR/",
    "Opera",
    "Safari",
    "Tern",
    "Windows",
    "FxiOS/",
    "Date",
];

/// Whether there are words in what a person would see of it: two letters or more side by side.
fn has_words(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().count() > 1)
}

/// A template without what it computes.
fn plain(template: &str) -> String {
    let mut left = template.to_owned();
    for (from, to) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}")] {
        while let Some(start) = left.find(from) {
            let end = left[start..].find(to).expect("a tag is closed") + start + to.len();
            left.replace_range(start..end, " ");
        }
    }
    left
}

/// The words in markup: between the tags, and in the attributes that are read out. A template that is
/// included inside of a tag holds attributes alone.
fn words_of_markup(markup: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in markup.split('<') {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        let (text, mut spoken) = split_attributes(text);
        if !tag.starts_with("meta") {
            spoken.extend(split_attributes(tag).1);
        }
        let is_stray = |text: &String| has_words(text) && !NAMES.contains(&text.as_str());
        found.extend(spoken.into_iter().chain([text]).filter(is_stray));
    }
    found
}

/// What is no attribute, and the values of those that are read out.
fn split_attributes(text: &str) -> (String, Vec<String>) {
    let (mut outside, mut spoken) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("=\"") {
        let name = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        outside.push_str(&before[..before.len() - name.len()]);
        let (value, next) = after.split_once('"').unwrap_or((after, ""));
        spoken.extend(SPOKEN.contains(&name).then(|| value.to_owned()));
        rest = next;
    }
    outside.push_str(rest);
    (outside.trim().to_owned(), spoken)
}

#[test]
fn templates_hold_no_words() {
    let mut offenders = Vec::new();
    let pages = files("src/web/templates", "html");
    assert!(pages.len() > 20);
    // Feeds.
    let templates = pages.into_iter().chain(files("src/web/templates", "xml"));
    for (path, text) in templates {
        let words = words_of_markup(&plain(&text));
        offenders.extend(words.iter().map(|word| format!("{}: {word}", path.display())));
    }
    super::assert_none(&offenders, "words stand in src/web/words: {{ t.some_word() }}");
}

/// The string literals of Rust code before its tests, with the line each begins in; without those of
/// attributes and of the log.
fn literals(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (code.split("#[cfg(test)]").next().unwrap_or_default(), 1);
    let mut before = String::new();
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            line += 1;
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\'") {
            rest = &rest[3..];
        } else if c == '"' {
            let end = end_of_literal(&rest[1..]);
            let literal = &rest[1..=end];
            if !is_for_programs(&before) {
                found.push((line, literal.to_owned()));
            }
            line += literal.matches('\n').count();
            rest = &rest[end + 2..];
        } else {
            line += usize::from(c == '\n');
            before.push(c);
            // Only what the literal is an argument of is asked for; in a line of the log the fields and
            // their `;` come first.
            let is_among_fields = before.matches('(').count() > before.matches(')').count();
            if (c == ';' && !is_among_fields) || c == '}' || (c == ']' && before.contains("#[")) {
                before.clear();
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}

/// Where a literal ends, from its first character on.
fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    panic!("a literal is not closed: {}", text.chars().take(60).collect::<String>());
}

/// Whether what precedes a literal says that no person reads it.
fn is_for_programs(before: &str) -> bool {
    before.contains("log::") || before.contains("#[") || before.contains("#!")
}

/// Whether a literal holds words of the interface: a capital and small letters, or two words. Names of
/// classes and fields are a single one in small letters.
fn is_spoken(literal: &str) -> bool {
    let shown = without_holes(&words_of_markup_or_text(literal));
    let mut words = shown.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1);
    let first = words.next().unwrap_or_default();
    let is_capital = first.chars().next().is_some_and(char::is_uppercase)
        && first.chars().nth(1).is_some_and(char::is_lowercase);
    let is_sentence = shown.trim().contains(' ') && words.next().is_some();
    let is_name = NAMES.iter().any(|name| shown.starts_with(name));
    (is_capital || is_sentence) && !is_name
}

fn words_of_markup_or_text(literal: &str) -> String {
    let literal = literal.replace("\\\"", "\"");
    if literal.contains('<') { words_of_markup(&literal).join(" ") } else { literal }
}

/// A text without its parameters.
fn without_holes(text: &str) -> String {
    let outside = |part: &str| part.split_once('}').map_or(part, |(_, rest)| rest).to_owned();
    text.split('{').map(outside).collect()
}

#[test]
fn pages_hold_no_words() {
    let mut offenders = Vec::new();
    let pages: Vec<_> = PAGES.iter().flat_map(|folder| files(folder, "rs")).collect();
    assert!(pages.len() > 20);
    let refusal =
        files("src/web/gate", "rs").into_iter().filter(|(path, _)| *path == Path::new(REFUSAL));
    let refusal: Vec<_> = refusal.collect();
    assert_eq!(refusal.len(), 1);
    for (path, text) in pages.into_iter().chain(refusal) {
        if path == Path::new(PLAIN) || path.iter().any(|part| part == "tests") {
            continue;
        }
        let spoken = literals(&text).into_iter().filter(|(_, literal)| is_spoken(literal));
        offenders.extend(spoken.map(|(line, it)| format!("{}:{line}: {it:?}", path.display())));
    }
    super::assert_none(&offenders, "words stand in src/web/words: t.some_word()");
}

#[test]
fn words_found_where_they_stand() {
    for stray in
        ["<p>Nothing</p>", "<a title=\"Go home\">", "{{ t.x() }} more", "<b aria-label=\"Main\">"]
    {
        assert!(!words_of_markup(&plain(stray)).is_empty(), "{stray}");
    }
    for fine in [
        "<p class=\"note ok\">{{ t.x() }}: {% if a %}·{% endif %} @{{ b }}</p>",
        " aria-invalid=\"true\" aria-describedby=\"{{ a }}h\"",
        "{# A note #}",
    ] {
        assert!(words_of_markup(&plain(fine)).is_empty(), "{fine}");
    }
    let code = "//! \"Doc words\"\n#[error(\"an error\")]\nfn f() { g(\"Saved\"); log::info!(\"a b\"); log::info!(a:% = b(), c; \"no words\"); h(\"q\", \"it is\") }\n\
                #[cfg(test)] mod tests { x(\"Not me\") }";
    let spoken: Vec<_> = literals(code).into_iter().filter(|(_, it)| is_spoken(it)).collect();
    assert_eq!(spoken, [(3, "Saved".to_owned()), (3, "it is".to_owned())]);
    for fine in [
        "q",
        "current-password",
        "{route}?after={last}",
        "/?posted={post}",
        "Firefox/",
        "<p>{x}</p>",
    ] {
        assert!(!is_spoken(fine), "{fine}");
    }
    assert!(is_spoken("<h1>{title}</h1><p>Go home</p>"));
}
