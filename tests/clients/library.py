"""A day with an app that is written with Mastodon.py: library.py SITE OTHER_SITE."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import requests
from bs4 import BeautifulSoup
from mastodon import MastodonAPIError, MastodonNotFoundError

from browser import again, ask, elsewhere, eventually, picture, sign_in

POSTS = 300
site, other_site = sys.argv[1:]
ada, ben, cleo = (sign_in(site, name) for name in ("ada", "ben", "cleo"))
ada_elsewhere = elsewhere(ada, other_site)
names = {name: ada.account_lookup(name).id for name in ("ada", "ben", "cleo")}


def text(status):
    return BeautifulSoup(status.content, "html.parser").text


def ids(statuses):
    return [int(status.id) for status in statuses]


def fails_with(error, act, *args, **kwargs):
    try:
        act(*args, **kwargs)
    except error:
        return
    raise AssertionError(f"{act.__name__} {args}")


def meets_people():
    assert ada.me().acct == "ada" and ada.instance().domain == site.removeprefix("http://")
    assert ada.app_verify_credentials().name == "Fen for shells"
    assert [it.acct for it in ada.account_search("be")] == ["ben"]
    assert [it.acct for it in ada.search("@cleo", result_type="accounts").accounts] == ["cleo"]
    for name in ("ben", "cleo"):
        assert ada.account_follow(names[name]).following
    assert sorted(it.acct for it in ada.account_following(names["ada"])) == ["ben", "cleo"]
    assert [it.acct for it in ben.account_followers(names["ben"])] == ["ada"]
    first, second = ada.account_relationships([names["ben"], names["cleo"]])
    assert first.following and not first.followed_by and second.following


def talks():
    asked = ben.status_post("1 < 2 & 3? @ada #Sums", spoiler_text="Numbers")
    assert (text(asked), asked.spoiler_text) == ("1 < 2 & 3? @ada #Sums", "Numbers")
    assert [it.acct for it in asked.mentions] == ["ada"]
    assert [it.name for it in asked.tags] == ["sums"]
    reply = ada.status_reply(asked, "Yes\n\nI think")
    assert reply.in_reply_to_id == asked.id and reply.in_reply_to_account_id == names["ben"]
    context = ben.status_context(reply)
    assert (ids(context.ancestors), ids(context.descendants)) == ([int(asked.id)], [])
    assert ids(ben.status_context(asked).descendants) == ids([reply])
    assert ids(ada.timeline_home(limit=2)) == ids([reply, asked])
    assert ids(cleo.timeline_hashtag("SUMS")) == ids([asked])
    found = ada.search(asked.url).statuses
    assert ids(found) == ids([asked]), found
    heard = ada.notifications(types=["mention"])
    assert [(it.type, it.account.acct, it.status.id) for it in heard] == [("mention", "ben", asked.id)]
    assert [it.account.acct for it in ben.notifications(types=["follow"])] == ["ada"]
    liked = ada.status_favourite(asked)
    assert liked.favourited and ids(ada.favourites()) == ids([asked])
    assert ben.status(asked.id).favourites_count == 1
    told = ben.notifications(types=["favourite"])
    assert [(it.type, it.account.acct, it.status.id) for it in told] == [("favourite", "ada", asked.id)]
    assert ben.notifications(id=told[0].id).id == told[0].id
    fails_with(MastodonNotFoundError, ada.notifications, id=told[0].id)
    assert not ada.status_unfavourite(asked).favourited and ada.favourites() == []
    assert ben.notifications(types=["favourite"]) == []
    assert ada.status_bookmark(asked).bookmarked and ids(ada.bookmarks()) == ids([asked])
    assert not ada.status_unbookmark(asked).bookmarked and ada.bookmarks() == []
    boost = ada.status_reblog(asked)
    assert boost.reblog.id == asked.id and boost.id != asked.id and boost.account.acct == "ada"
    assert ids(ada.account_statuses(names["ada"]))[0] == int(boost.id)
    assert [it.status.id for it in ben.notifications(types=["reblog"])] == [asked.id]
    assert not ada.status_unreblog(asked).reblogged
    assert ben.status_mute(asked).muted and ben.status(reply.id).muted
    assert ben.notifications(types=["reblog", "favourite"]) == []
    assert not ben.status_unmute(reply).muted and not ben.status(asked.id).muted
    assert ada.status_pin(reply).pinned
    assert ids(ada.account_statuses(names["ada"], pinned=True)) == ids([reply])
    edited = ada.status_update(reply, "No")
    assert (text(edited), edited.id) == ("No", reply.id) and edited.edited_at
    assert ada.status_source(reply).text == "No"
    fails_with(MastodonNotFoundError, ben.status_delete, reply)
    assert ada.status_delete(reply).text == "No"
    fails_with(MastodonNotFoundError, ada.status, reply)
    fails_with(MastodonAPIError, ada.status_post, "x" * 501)
    assert ids(ada.timeline_home(limit=1)) == ids([asked])


def keeps_apart():
    said = cleo.status_post("Loud")
    is_home = lambda: int(said.id) in ids(ada.timeline_home())
    assert is_home()
    assert ada.account_mute(names["cleo"]).muting and not is_home()
    assert [it.acct for it in ada.mutes()] == ["cleo"]
    assert ada.mutes()[0].mute_expires_at is None
    assert ada.account_mute(names["cleo"], duration=3600).muting and not is_home()
    assert ada.mutes()[0].mute_expires_at
    assert not ada.account_unmute(names["cleo"]).muting and is_home()
    assert cleo.account_follow(names["ada"]).following
    assert not ada.account_remove_from_followers(names["cleo"]).followed_by
    assert not cleo.account_relationships(names["ada"])[0].following
    assert ada.account_block(names["cleo"]).blocking
    assert not is_home() and [it.acct for it in ada.blocks()] == ["cleo"]
    fails_with(MastodonAPIError, cleo.account_follow, names["ada"])
    assert not ada.account_unblock(names["cleo"]).blocking
    assert ada.account_follow(names["cleo"]).following and is_home()


def posts_once():
    """The same again, on both web servers and at once, is one post; with other words it is none."""
    says = dict(status="Once", idempotency_key="2026-01-31")
    with ThreadPoolExecutor(8) as crowd:
        apps = [ada, ada_elsewhere] * 4
        sent = [crowd.submit(again, app.status_post, **says) for app in apps]
        sent = {int(it.result().id) for it in sent}
    assert len(sent) == 1, sent
    ask("kill 3")
    assert {int(again(app.status_post, **says).id) for app in apps[:2]} == sent
    assert ids(ben.account_statuses(names["ada"], limit=40)).count(sent.pop()) == 1
    assert int(again(ben.status_post, **says).id) not in sent


def writes_many():
    write = lambda n: int(again((ben, cleo)[n % 2].status_post, f"Post {n}", idempotency_key=f"n{n}").id)
    with ThreadPoolExecutor(4) as crowd:
        return sorted(crowd.map(write, range(POSTS)))


def shows_pictures():
    """Sent by one web server while a machine dies, posted once by both, seen by others."""
    limits = ada.instance().configuration
    assert limits.statuses.max_media_attachments == 4
    assert "image/png" in limits.media_attachments.supported_mime_types
    gull = ada.media_post(picture(200, 1), mime_type="image/png", description="A gull")
    ask("kill 1")
    tern = again(ada_elsewhere.media_post, picture(200, 2), mime_type="image/png")
    assert again(ada.media_update, tern, description="A tern").description == "A tern"
    says = dict(status="", media_ids=[gull, tern], idempotency_key="birds")
    sent = {int(again(app.status_post, **says).id) for app in (ada_elsewhere, ada) * 2}
    assert len(sent) == 1, sent
    status = eventually("the post", lambda: again(ben.account_statuses, names["ada"], only_media=True))
    assert ids(status) == list(sent)
    shown = status[0].media_attachments
    assert [(it.type, it.description) for it in shown] == [("image", "A gull"), ("image", "A tern")]
    assert [it.meta.original.width for it in shown] == [200, 200]
    for it in shown:
        seen = requests.get(it.url, timeout=30)
        assert seen.status_code == 200 and seen.headers["Content-Type"].startswith("image/"), seen
    fails_with(MastodonAPIError, ben.status_post, "Mine", media_ids=[gull])
    fails_with(MastodonAPIError, ada.media_post, b"GIF89a" + bytes(40), mime_type="image/gif")
    face = again(ada.account_update_credentials, avatar=picture(200, 3), avatar_mime_type="image/png")
    assert face.avatar != ben.me().avatar and requests.get(face.avatar, timeout=30).ok
    ask("wait")


def asks():
    """What is asked on one web server while a machine dies is answered on the other, once."""
    says = ada.make_poll(["Tea", "Cake <3", "Fig"], expires_in=600, multiple=True)
    asked = ada.status_post("Which?", poll=says)
    assert [it.title for it in asked.poll.options] == ["Tea", "Cake <3", "Fig"]
    assert asked.poll.multiple and not asked.poll.expired and asked.poll.voters_count == 0
    ask("kill 2")
    voted = again(ben.poll_vote, asked.poll.id, [0, 2])
    assert voted.voted and voted.own_votes == [0, 2], voted
    fails_with(MastodonAPIError, ben.poll_vote, asked.poll.id, [1])
    fails_with(MastodonAPIError, ada.poll_vote, asked.poll.id, [1])
    seen = lambda: again(ada_elsewhere.poll, asked.poll.id).voters_count == 1
    eventually("the vote", seen)
    counts = [it.votes_count for it in again(cleo.status, asked.id).poll.options]
    assert counts == [1, 0, 1], counts
    ask("wait")


def walks(app, step, page, between):
    pages = []
    while page:
        pages.append(ids(page))
        between(len(pages))
        page = again(step(app), page)
    return pages


def pages_both_ways(written):
    """Nothing is missing and nothing comes twice, whatever comes meanwhile and whichever machine dies."""
    stop, arrived = Event(), []

    def more():
        while not stop.wait(0.02):
            key = f"more{len(arrived)}"
            arrived.append(int(again(ben.status_post, "Meanwhile", idempotency_key=key).id))

    with ThreadPoolExecutor(1) as meanwhile:
        writer = meanwhile.submit(more)
        try:
            eventually("something new", lambda: arrived)
            between = lambda page: page == 3 and ask("kill 2")
            first = again(ada.timeline_home, limit=40)
            down = walks(ada, lambda app: app.fetch_next, first, between)
            down = [id for page in down for id in page]
            assert down == sorted(set(down), reverse=True), "twice, or out of order"
            assert set(written) <= set(down), set(written) - set(down)
            oldest = again(ada.timeline_home, limit=40, min_id=written[0])
            up = walks(ada_elsewhere, lambda app: app.fetch_previous, oldest, lambda page: None)
        finally:
            stop.set()
            writer.result()
    assert all(page == sorted(page, reverse=True) for page in up)
    up = [id for page in up for id in reversed(page)]
    assert up == sorted(set(up)), "twice, or out of order"
    missing = {id for id in written[1:] + arrived if id <= up[-1]} - set(up)
    assert not missing, missing
    assert set(up) <= set(written + arrived), set(up) - set(written + arrived)
    assert len(arrived) > 3, "nothing came meanwhile"


meets_people()
talks()
keeps_apart()
written = writes_many()
pages_both_ways(written)
ask("wait")
asks()
shows_pictures()
posts_once()
ada.revoke_access_token(allow_http=True)
fails_with(MastodonAPIError, ada_elsewhere.me)
