//! Whether a person of these tests browses as a browser does: what all the others rely on. Apart from
//! `form` and `person`, which the benchmark shares.

use std::io::{Read, Write};
use std::net::TcpListener;

use tern::thread::spawn_named;

use super::form::{Form, encode, forms};
use super::person::{Person, Written};

/// Reads one request to the end of its body.
fn read_request(stream: &mut impl Read) -> String {
    let mut request = String::new();
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return request;
            }
        }
        let mut part = [0; 1024];
        let len = stream.read(&mut part).unwrap();
        assert!(len > 0, "the browser closed early: {request}");
        request.push_str(std::str::from_utf8(&part[..len]).unwrap());
    }
}

#[test]
fn person_keeps_cookies_sends_forms_follows_no_redirect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let page = "<form action=\"/post\"><input name=\"key\" value=\"0.5f\"><textarea name=\"text\">\
                </textarea></form>";
    let answers = [
        format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: p=first; Path=/\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        ),
        "HTTP/1.1 303 See Other\r\nLocation: /?posted=1\r\nSet-Cookie: p=; Max-Age=0\r\n\
         Set-Cookie: s=ada.TOKEN; Path=/; HttpOnly\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 17\r\n\r\nNothing was saved"
            .to_owned(),
    ];
    let requests = std::thread::scope(|scope| {
        let server = spawn_named(scope, "server", |_permit| {
            let (mut stream, _) = listener.accept().unwrap();
            answers.map(|answer| {
                let request = read_request(&mut stream);
                stream.write_all(answer.as_bytes()).unwrap();
                request
            })
        });
        let mut person = Person::new(&base, "ada");
        let form = person.get("/").form("/post");
        let answer = person.submit(&form, &[("text", "a b")]);
        assert_eq!(
            (answer.written(), answer.location.as_deref()),
            (Written::Saved, Some("/?posted=1"))
        );
        assert_eq!((person.cookie("s"), person.cookie("p")), (Some("ada.TOKEN"), None));
        assert_eq!(person.get("/public").written(), Written::NotSaved);
        server.unwrap().join().unwrap()
    });
    let [first, second, third] = requests.map(|request| request.to_ascii_lowercase());
    assert!(first.starts_with("get / http/1.1"), "{first}");
    assert!(second.contains("\r\ncookie: p=first\r\n"), "{second}");
    assert!(second.contains(&format!("\r\norigin: {base}\r\n")), "{second}");
    assert!(second.ends_with("key=0.5f&text=a+b"), "{second}");
    assert!(third.contains("\r\ncookie: s=ada.token\r\n"), "{third}");
}

#[test]
fn forms_read_with_hidden_fields_and_text() {
    let page = "<form method=\"post\" action=\"/a?x=1&amp;y=2\"><input type=\"hidden\" \
                name=\"key\" value=\"0.5f\">\n<input\n  name=\"username\"><textarea name=\"text\" \
                rows=\"3\">\n a &lt;b&gt; &#x27;&#34;\n&amp;amp;</textarea><button>Go</button></form>\
                <form action=\"/b\"></form>";
    let found = forms(page);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].action, "/a?x=1&y=2");
    assert_eq!(found[0].value("key"), Some("0.5f"));
    assert_eq!(found[0].value("username"), Some(""));
    assert_eq!(found[0].value("text"), Some(" a <b> '\"\n&amp;"));
    assert_eq!(found[1], Form { action: "/b".to_owned(), fields: Vec::new() });
}

#[test]
fn fields_filled_replace_those_of_the_page() {
    let form =
        &forms("<form action=\"/p\"><input name=\"a\" value=\"1\"><input name=\"b\" value=\"2\">")
            [0];
    let filled = form.filled(&[("b", "ä\n&"), ("c", "")]);
    assert_eq!(encode(&filled), "a=1&b=%C3%A4%0D%0A%26&c=");
}
