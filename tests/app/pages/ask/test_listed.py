"""After an answer the conversation is in the list, and the browser knows by which secret."""

from __future__ import annotations

from pathlib import Path

from app.open_store import Shelf
from app.pages.ask.conversations import Conversation, Exchange, keep, read, secret_of
from app.pages.ask.page import _Desk

ASKED = Conversation(exchanges=(Exchange("What is flour?", shown="Flour is ground grain."),))


def test_who_asked_before_the_page_had_begun_is_given_a_secret(tmp_path: Path) -> None:
    """What was asked without one is kept under it."""
    listed, browser = _Desk(Shelf(tmp_path), None).listed(ASKED, None)
    assert listed["of"] == 1 and browser["open"] == ASKED.id
    assert [c.id for c in read(tmp_path, browser["secret"]).conversations] == [ASKED.id]


def test_a_conversation_that_is_kept_is_listed_once(tmp_path: Path) -> None:
    """It is as it was kept; an empty one is not."""
    secret = secret_of(None)
    keep(tmp_path, secret, ASKED)
    desk = _Desk(Shelf(tmp_path), None)
    listed, browser = desk.listed(ASKED, {"secret": secret})
    assert (listed["of"], browser["secret"]) == (1, secret)
    assert desk.listed(Conversation(), {"secret": secret})[0]["of"] == 1
