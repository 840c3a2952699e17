//! Pictures as people send and see them: chosen, described, posted; and one beside a name.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::desk::{Desk, small_community};
use super::is_skipped;

#[test]
fn pictures_are_sent_and_seen_from_all_sides() {
    if is_skipped("pictures_are_sent_and_seen_from_all_sides") {
        return;
    }
    let cluster = small_community();
    let mut desk = Desk::at(&cluster, "pictures");
    desk.join();
    desk.choose_pictures();
    desk.r0254_pictures_too_large_together_are_not_sent();
    desk.post_pictures();
    desk.take_a_face();
    assert_eq!(desk.faults, [""; 0]);
}

/// Something to look at: a sky over water.
fn photograph(width: u32, height: u32) -> image::RgbImage {
    let byte = |value: u32| u8::try_from(value.min(255)).unwrap();
    image::RgbImage::from_fn(width, height, |x, y| {
        let wave = (x * 7 + y * y) % 23;
        if y * 5 < height * 3 {
            image::Rgb([byte(90 + y * 120 / height), byte(150 + y * 90 / height), 235])
        } else {
            image::Rgb([byte(20 + wave), byte(70 + wave * 2), byte(110 + wave * 3)])
        }
    })
}

impl Desk<'_> {
    fn file(&self, name: &str, width: u32, height: u32) -> PathBuf {
        let path = self.home.path().join(name);
        photograph(width, height).save(&path).unwrap();
        path
    }

    fn choose(&self, field: &str, file: &Path) {
        self.browser.find(&format!("[name={field}]")).type_text(&file.display().to_string());
    }

    /// Which of the places to choose a picture are to be seen.
    fn fields_shown(&self) -> serde_json::Value {
        let files = "return [...document.querySelectorAll('#cp [type=file]')]";
        self.browser.run(&format!("{files}.map((it) => it.checkVisibility())"))
    }

    /// Asks for room for pictures: what was typed before is still there.
    fn choose_pictures(&mut self) {
        self.goto("/");
        self.browser.find("[name=text]").fill("The bridge this morning.");
        self.press("button[name=more]");
        assert_eq!(self.browser.find("[name=text]").property("value"), "The bridge this morning.");
        // Most posts have one picture.
        assert_eq!(self.fields_shown(), json!([true, false, false, false]));
        self.look("choose", 0);
        // No picture: what is wrong is said, and nothing is lost.
        let text = self.home.path().join("notes.jpg");
        std::fs::write(&text, "no picture at all").unwrap();
        self.choose("picture_1", &text);
        self.browser.find("[name=description_1]").fill("Grey water under the bridge");
        self.press("form[action=\"/post\"] button");
        assert_eq!(self.browser.status(), 422);
        self.browser.wait_for_text("is no picture in JPEG, PNG, WebP or GIF");
        assert_eq!(self.browser.find("[name=text]").property("value"), "The bridge this morning.");
        let described = self.browser.find("[name=description_1]").property("value");
        assert_eq!(described, "Grey water under the bridge");
        assert_eq!(self.fields_shown(), json!([true, false, false, false]));
        // Of the status the browser tells by itself.
        let complaints = self.browser.take_complaints();
        assert!(complaints.iter().all(|text| text.contains("status of 422")), "{complaints:?}");
        self.look("refused", 0);
    }

    /// They were, for minutes, and the page that said so had nothing of what was typed.
    fn r0254_pictures_too_large_together_are_not_sent(&self) {
        let large = |name: &str| {
            let path = self.home.path().join(name);
            std::fs::write(&path, vec![0; 5 << 20]).unwrap();
            path
        };
        let says = || {
            self.browser.run("return document.querySelector('#cp [type=file]').validationMessage")
        };
        self.choose("picture_1", &large("one.jpg"));
        assert_eq!(says(), json!(""));
        self.browser.find("#cp summary").click_in_sight();
        self.choose("picture_3", &large("two.jpg"));
        assert_eq!(says(), json!("Together more than 8 MB. Choose fewer or smaller pictures."));
        self.browser.run("document.title = 'here'");
        self.browser.find("form[action=\"/post\"] button").click_in_sight();
        let here = self.browser.run("return document.title + document.querySelector('#c').value");
        assert_eq!(here, json!("hereThe bridge this morning."));
        self.r0255_way_out_takes_no_pictures_along();
    }

    /// It led to where the pictures would have.
    fn r0255_way_out_takes_no_pictures_along(&self) {
        self.press("button[name=back]");
        let text = || self.browser.find("[name=text]").property("value");
        assert_eq!((self.fields_shown(), text().as_str()), (json!([]), "The bridge this morning."));
        self.press("button[name=more]");
        assert_eq!(text(), "The bridge this morning.");
        self.browser.find("[name=description_1]").fill("Grey water under the bridge");
    }

    fn post_pictures(&mut self) {
        let (wide, high) = (self.file("wide.jpg", 1_800, 900), self.file("high.png", 300, 600));
        self.choose("picture_1", &wide);
        self.browser.find("#cp summary").click_in_sight();
        assert_eq!(self.fields_shown(), json!([true, true, true, true]));
        self.choose("picture_2", &high);
        self.browser.find("[name=description_2]").fill("A gull, far off");
        self.press("form[action=\"/post\"] button");
        self.browser.wait_for_text("Posted.");
        let shown = "return [...document.querySelectorAll('.pics img')].map((it) => \
                     [it.alt, it.complete && it.naturalWidth])";
        super::until("both pictures are shown", || {
            let shown = self.browser.run(shown);
            let expected = json!([["Grey water under the bridge", 400], ["A gull, far off", 200]]);
            (shown == expected).then_some(())
        });
        self.look("posted", 2);
        // One alone, without a word; of a rope, which on a phone is less than a pixel high.
        self.press("button[name=more]");
        let rope = self.file("rope.png", 1_600, 4);
        self.choose("picture_1", &rope);
        self.press("form[action=\"/post\"] button");
        self.browser.wait_for_text("Posted.");
        self.press("article .at");
        self.look("alone", 1);
    }

    fn take_a_face(&mut self) {
        self.goto("/settings/profile");
        let face = self.file("face.png", 500, 400);
        self.choose("avatar", &face);
        self.press("form[action=\"/settings/profile\"] button");
        self.browser.wait_for_text("Saved.");
        self.look("settings", 1);
        self.goto("/@ada");
        self.look("profile", 5);
        self.goto("/settings/profile");
        self.browser.find("[name=remove_avatar]").click_in_sight();
        self.press("form[action=\"/settings/profile\"] button");
        self.browser.wait_for_text("Saved.");
        assert!(self.browser.find_all("img").is_empty(), "it is gone");
    }
}
