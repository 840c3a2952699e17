//! The client itself, against a few pages served by a few lines.

use super::emulate::Scheme;
use super::is_skipped;
use super::keyboard::TAB;
use super::rules;
use super::served::with_pages;
use super::view::{inspect, inspect_error, sideways};
use super::webdriver::Browser;
use super::weight;

const FORM: &str = "<!doctype html><title>Form</title>\
    <meta name=viewport content='width=device-width'><link rel=icon href=/icon><link rel=stylesheet href=/style.css>\
    <h1>A form</h1><form method=post action=/sent><input name=text value=old><button>Send it</button></form>";
const STYLE: &str = "h1 { color: rgb(1, 2, 3) } #wide { width: 600px }
    button { min-width: 44px; min-height: 44px } .dull:focus { outline: none }
    .well:focus { outline: 3px solid } .tiny { padding: 0; min-width: 0; width: 12px }
    .btn { display: block; width: 40px; min-height: 44px; overflow-wrap: anywhere }
    @media (prefers-color-scheme: dark) { h1 { color: rgb(4, 5, 6) } }";

/// Each thing that the judges must not let pass, and one that is well.
const BAD: &str = "<!doctype html><title>Bad</title><meta name=viewport content='width=device-width'>\
    <link rel=stylesheet href=/style.css><p><button class=well>Go</button>\
    <p><button class=dull>Dull</button><p><button class=tiny>x</button><p><a class=btn href=/>Breaking</a>";

fn page(path: &str, sent: &str) -> (u16, &'static str, String) {
    match path {
        "/form" => (200, "text/html", FORM.to_owned()),
        "/sent" => (200, "text/html", FORM.replace("A form", &format!("Got {sent}"))),
        "/wide" => (200, "text/html", FORM.replace("<h1>", "<h1 id=wide>")),
        "/inline" => (200, "text/html", FORM.replace("<h1>", "<h1 style='color: red'>")),
        "/bad" => (200, "text/html", BAD.to_owned()),
        "/heavy" => (200, "text/html", BAD.replace("Dull", &"heavy ".repeat(2_000))),
        "/style.css" => (200, "text/css", STYLE.to_owned()),
        "/icon" => (200, "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>".to_owned()),
        _ => (404, "text/html", FORM.replace("A form", "Nothing here")),
    }
}

fn colour(browser: &Browser) -> String {
    let script = "return getComputedStyle(document.querySelector('h1')).color";
    browser.run(script).as_str().unwrap().to_owned()
}

#[test]
fn browser_on_static_pages_sees_and_does_what_a_person_does() {
    if is_skipped("browser_on_static_pages_sees_and_does_what_a_person_does") {
        return;
    }
    with_pages(page, |origin| {
        let browser = Browser::start();
        browser.goto(&format!("{origin}/form"));
        assert_eq!(browser.title(), "Form");
        assert_eq!(browser.find("h1").text(), "A form");
        assert!(browser.find_all(".absent").is_empty());
        inspect(&browser, "static-page");

        let field = browser.find("[name=text]");
        assert_eq!(field.property("value"), "old");
        field.clear();
        field.type_text("new & shiny");
        browser.find_labelled("Send it").click();
        browser.wait_for_text("Got text=new+%26+shiny");
        assert_eq!(browser.url(), format!("{origin}/sent"));

        browser.set_scheme(Scheme::Light);
        assert_eq!(colour(&browser), "rgb(1, 2, 3)");
        browser.set_scheme(Scheme::Dark);
        assert_eq!(colour(&browser), "rgb(4, 5, 6)");

        browser.goto(&format!("{origin}/wide"));
        browser.set_size(1_200, 900);
        assert_eq!(sideways(&browser), 0);
        browser.set_size(390, 844);
        assert_eq!(browser.run("return document.documentElement.clientWidth").as_i64(), Some(390));
        assert!(sideways(&browser) > 200, "a wide page looks narrow");
        assert_eq!(browser.take_complaints(), [""; 0]);

        browser.goto(&format!("{origin}/absent"));
        inspect_error(&browser, "static-page-absent", 404);
        browser.goto(&format!("{origin}/inline"));
        let complaints = browser.take_complaints();
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(complaints[0].contains("Content Security Policy"), "{complaints:?}");
    });
}

#[test]
fn judges_on_a_bad_page_find_each_fault_and_no_other() {
    if is_skipped("judges_on_a_bad_page_find_each_fault_and_no_other") {
        return;
    }
    with_pages(page, |origin| {
        let browser = Browser::start();
        browser.open(&format!("{origin}/bad"));
        browser.set_size(390, 844);
        let found = rules::faults(&browser);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("\"x\" is 12.0 x 44.0 px"), "{found:?}");
        assert!(found[1].contains("\"Breaking\" is broken"), "{found:?}");
        for (stop, faults) in [("Go", 0), ("Dull", 1)] {
            browser.press([TAB]);
            let (named, found) = browser.focused().expect("something has the focus");
            assert!(named.contains(stop), "{named}");
            assert_eq!(found.len(), faults, "{found:?}");
        }
        assert_eq!(weight::faults(&browser, false), [""; 0]);
        browser.open(&format!("{origin}/heavy"));
        let found = weight::faults(&browser, false);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("not 1 to 10240"), "{found:?}");
    });
}
