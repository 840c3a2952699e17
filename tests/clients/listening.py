"""Listens with Mastodon.py to what happens, while machines die: listening.py SITE OTHER_SITE."""

import sys
from queue import Queue

from mastodon import StreamListener

from browser import again, ask, elsewhere, eventually, sign_in

POSTS = 30
site, other_site = sys.argv[1:]
ada, ben, cleo = (sign_in(site, name) for name in ("ada", "ben", "cleo"))
names = {name: ada.account_lookup(name).id for name in ("ada", "ben", "cleo")}


class Ear(StreamListener):
    """Keeps what it hears."""

    def __init__(self):
        self.heard = Queue()

    def on_update(self, status):
        self.heard.put(("update", int(status.id)))

    def on_status_update(self, status):
        self.heard.put(("edited", int(status.id)))

    def on_notification(self, notification):
        self.heard.put((notification.type, notification.account.acct))

    def on_delete(self, status_id):
        self.heard.put(("delete", int(status_id)))

    def hear(self):
        return self.heard.get(timeout=30)


def listen(stream, *args):
    ear = Ear()
    handle = stream(*args, ear, run_async=True)
    eventually("a stream", handle.is_receiving)
    return ear, handle


assert ada.stream_healthy()
ada.account_follow(names["ben"])
home, first = listen(ada.stream_user)
everyone, second = listen(ada.stream_public)
tea, third = listen(elsewhere(ada, other_site).stream_hashtag, "Tea")

said = ben.status_post("One #tea")
assert home.hear() == everyone.hear() == tea.hear() == ("update", int(said.id))
stranger = cleo.status_post("Ada does not follow me")
assert everyone.hear() == ("update", int(stranger.id))
ben.status_update(said, "Two #tea")
assert home.hear() == everyone.hear() == tea.hear() == ("edited", int(said.id))
boost = ben.status_reblog(stranger)
assert home.hear() == ("update", int(boost.id))
ben.status_delete(said)
assert home.hear() == everyone.hear() == ("delete", int(said.id))
assert tea.hear() == ("delete", int(said.id))
named = cleo.status_post("@ada Do follow me")
assert everyone.hear() == ("update", int(named.id)) and home.hear() == ("mention", "cleo")
cleo.account_follow(names["ada"])
assert home.hear() == ("follow", "cleo")
mine = ada.status_post("Ada is liked")
assert home.hear() == everyone.hear() == ("update", int(mine.id))
cleo.status_favourite(mine)
assert home.hear() == ("favourite", "cleo")
cleo.status_reblog(mine)
assert home.hear() == ("reblog", "cleo")
ada.account_mute(names["ben"])
ben.status_favourite(mine)
unheard = ben.status_post("Ada does not want to hear this")
own = ada.status_post("Ada hears herself")
assert home.hear() == everyone.hear() == ("update", int(own.id))
ada.account_unmute(names["ben"])
ben.status_delete(unheard)
ben.status_unfavourite(mine)
# What tags a post bore that is gone nobody knows.
assert home.hear() == everyone.hear() == tea.hear() == ("delete", int(unheard.id))

# Each machine dies once; each post is heard once, whoever tells of it.
elsewhere_too = elsewhere(ben, other_site)
written = []
for n in range(POSTS):
    if n % (POSTS // 3) == 5:
        ask(f"kill {1 + n // (POSTS // 3)}")
    if n % (POSTS // 3) == 9:
        ask("wait")
    app = (ben, elsewhere_too)[n % 2]
    said = again(app.status_post, f"Number {n} #tea", idempotency_key=f"number {n}")
    written.append(("update", int(said.id)))
last = again(ben.status_post, "The last #tea")
written.append(("update", int(last.id)))
for ear in (home, everyone, tea):
    heard = [ear.hear() for _ in written]
    assert sorted(heard) == sorted(written), (heard, written)
ask("wait")
# Nothing of it comes again from a machine that learned of it later.
last = again(ben.status_post, "Now all machines know #tea")
assert home.hear() == everyone.hear() == tea.hear() == ("update", int(last.id))

# A token that is ended ends its streams, and nothing else did.
assert all(handle.is_alive() for handle in (first, second, third))
ada.revoke_access_token(allow_http=True)
for handle in (first, second, third):
    eventually("the end of a stream", lambda: not handle.is_alive())
