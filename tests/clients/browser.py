"""A browser without scripts, and what else the programs of these tests share."""

import random
import struct
import sys
import time
import zlib

import requests
from bs4 import BeautifulSoup
from mastodon import Mastodon, MastodonNetworkError, MastodonServerError

SCOPES = ["read", "write", "follow"]


def picture(side, seed):
    """A PNG of noise."""
    noise = random.Random(seed)
    rows = b"".join(b"\0" + noise.randbytes(side * 3) for _ in range(side))
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*it) for it in chunks)


def ask(what):
    """Has the test do something to the machines, and waits until it is done."""
    print("ask", what, flush=True)
    answer = sys.stdin.readline().strip()
    assert answer == "done", answer


def submit(browser, page, is_it, **filled):
    """Fills in the form of a page that `is_it`, and sends it."""
    forms = BeautifulSoup(page.text, "html.parser").find_all("form")
    form = next((form for form in forms if is_it(form)), None)
    assert form is not None, page.text
    fields = {it["name"]: it.get("value", "") for it in form.find_all("input") if it.get("name")}
    unknown = set(filled) - set(fields)
    assert not unknown, unknown
    origin = "/".join(page.url.split("/")[:3])
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    answer = browser.post(origin + form["action"], data=fields | filled, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def allow(address, username):
    """Signs in on the page where an app asks to be let in, lets it in, and gives the code shown."""
    browser = requests.Session()
    page = browser.get(address)
    has_password = lambda form: form.find("input", type="password")
    password = f"seven lamps of {username[::-1]}"
    page = submit(browser, page, has_password, username=username, password=password)
    page = submit(browser, page, lambda form: form["action"].startswith("/oauth/authorize"))
    return BeautifulSoup(page.text, "html.parser").find("code").text


def sign_in(site, username):
    """An app that `username` let in."""
    client, secret = Mastodon.create_app("Fen for shells", api_base_url=site, scopes=SCOPES)
    app = Mastodon(
        client_id=client, client_secret=secret, api_base_url=site, ratelimit_method="throw"
    )
    code = allow(app.auth_request_url(scopes=SCOPES, allow_http=True), username)
    app.log_in(code=code, scopes=SCOPES, allow_http=True)
    return app


def elsewhere(app, site):
    """The same app, asking another web server."""
    return Mastodon(access_token=app.access_token, api_base_url=site, ratelimit_method="throw")


def again(act, *args, **kwargs):
    """Does something, and does it again as long as machines are away."""
    until = time.monotonic() + 30
    while True:
        try:
            return act(*args, **kwargs)
        except (MastodonServerError, MastodonNetworkError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def eventually(what, check):
    """Waits until a check gives something."""
    until = time.monotonic() + 30
    while not (found := check()):
        assert time.monotonic() < until, what
        time.sleep(0.02)
    return found
