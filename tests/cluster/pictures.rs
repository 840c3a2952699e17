//! Pictures through the gate, as a browser sends and sees them.

use std::time::Duration;

use tern::limits::BODY_BYTES_MAX;

use super::harness::{Cluster, Options, eventually};

const WAIT: Duration = Duration::from_secs(10);

/// A photograph of more bytes than any other form has.
fn photograph() -> Vec<u8> {
    let byte = |value: u32| u8::try_from(value.wrapping_mul(2_654_435_761) >> 24).unwrap();
    let image = image::RgbImage::from_fn(300, 240, |x, y| {
        image::Rgb([byte(x * y), byte(x + 7 * y), byte(3 * x + y)])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let bytes = bytes.into_inner();
    assert!(bytes.len() > BODY_BYTES_MAX, "{}", bytes.len());
    bytes
}

#[test]
fn picture_goes_through_the_gate_and_is_seen_by_others() {
    let cluster = Cluster::start(Options::default());
    let mut ada = cluster.person("ada");
    ada.join();
    let file = photograph();
    let more = [("text", "Look"), ("more", "")];
    let form = ada.act("/", "/post", &more).form("/post");
    let filled = [("text", "Look"), ("description_1", "Noise, mostly")];
    let answer = ada.submit_files(&form, &filled, &[("picture_1", &file)]);
    assert_eq!(answer.status, 303, "{}", answer.body);

    let mut ben = cluster.person("ben");
    let page = eventually("the picture is on ada's page", WAIT, || {
        let page = ben.get("/@ada").body;
        page.contains("alt=\"Noise, mostly\"").then_some(page)
    });
    for start in ["<a href=\"/picture/", "<img src=\"/picture/"] {
        let name = page.split(start).nth(1).and_then(|rest| rest.split('"').next()).expect(start);
        let (status, kind, bytes) = ben.fetch(&format!("/picture/{name}")).unwrap();
        assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
        image::load_from_memory(&bytes).unwrap();
    }

    // The same beside her name: a file as long as that one, to another form.
    let form = ada.get("/settings/profile").form("/settings/profile");
    let answer =
        ada.submit_files(&form, &[("display_name", "Ada"), ("bio", "")], &[("avatar", &file)]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = eventually("her picture stands on ada's page", WAIT, || {
        let page = ben.get("/@ada").body;
        page.contains("<img class=\"av big\" src=\"/@ada/face/").then_some(page)
    });
    let address = page.split(" src=\"/@ada/face/").nth(1).and_then(|rest| rest.split('"').next());
    let (status, kind, bytes) = ben.fetch(&format!("/@ada/face/{}", address.unwrap())).unwrap();
    assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!((image.width(), image.height()), (96, 96));
    assert_eq!(ben.fetch("/@ada/face/00000000").unwrap().0, 404);

    // What is no picture comes back with the text, however long it is.
    let form = ada.get("/").form("/post");
    let broken = &file[..file.len() - 1_000];
    let answer = ada.submit_files(&form, &[("text", "Look again")], &[("picture_1", broken)]);
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("Look again") && answer.body.contains("damaged or incomplete"));

    // A stranger is turned away before a form of that length is read.
    let answer = ben.submit_files(&form, &[("text", "Look")], &[("picture_1", &file)]);
    assert!(matches!(answer.status, 403 | 413), "{}", answer.status);
}
