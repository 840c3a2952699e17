//! The end: what is under way is finished, what waits is dropped, what hangs is told of.

use super::*;

#[test]
fn stop_finishes_requests_and_drops_idle_connections() {
    // None of these would end by itself while the test has patience.
    let forever = GateLimits { head_ms: 600_000, idle_ms: 600_000, ..limits() };
    with_site(GateLimits { stop_ms: 600_000, ..forever }, |site| {
        let mut idle = Client::connect(site);
        assert_eq!(idle.get("/hello").status, 200);
        let mut fresh = Client::connect(site);
        let mut busy = Client::connect(site);
        busy.send("GET /wait HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        site.waiting.until_entered();
        site.stop.close();
        idle.assert_closed();
        fresh.assert_closed();
        site.waiting.release.close();
        let last = busy.reply();
        assert_eq!((last.body.as_str(), last.header("Connection")), ("waited", Some("close")));
        busy.assert_closed();
    })
    .unwrap();
}

#[test]
fn stop_with_handler_that_hangs_says_so_in_time() {
    let mut outcome = None;
    let (stop, waiting) = (Stop::new(), Waiting::default());
    let handler = |request: &Request| handle(request, &waiting);
    std::thread::scope(|scope| {
        let _ending = Ending(stop.clone(), waiting.release.clone());
        let running = start(scope, GateLimits { stop_ms: 1_050, ..limits() }, &stop, &handler);
        let mut client = Client::connect_from(LOCALHOST, running.address());
        client.send("GET /wait HTTP/1.1\r\nHost: tern.example\r\n\r\n");
        waiting.until_entered();
        stop.close();
        outcome = Some(running.join());
    });
    assert!(matches!(outcome, Some(Err(WebError::Stuck))), "{outcome:?}");
}

#[test]
fn server_on_taken_address_refused_and_leaves_nothing() {
    with_site(limits(), |site| {
        let stop = Stop::new();
        std::thread::scope(|scope| {
            let config = ServerConfig {
                listen: site.address.to_string(),
                origin: Origin::parse(ORIGIN, false).unwrap(),
                trusted_proxies: Vec::new(),
                making: Arc::default(),
            };
            let handler = &|_: &Request| Response::new(200, Content::Text, "");
            let refused = serve_within(scope, config, limits(), &stop, handler);
            assert!(matches!(refused, Err(WebError::Listen { .. })), "{refused:?}");
        });
        assert!(!stop.is_closed());
    })
    .unwrap();
}
