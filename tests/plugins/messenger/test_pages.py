"""What people and programs see: the API, the page in both languages, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from fastapi import FastAPI
from jinja2 import Environment

from plugins.messenger.nodes import NUMBER, SMTP, district, messages, new_case
from support.browser import PAGE, Browser
from wanmi.identity.people import add_person
from wanmi.node import Node
from wanmi.web import build_app
from wanmi_messenger.outbox import STATES
from wanmi_messenger.page import catalogue
from wanmi_messenger.shown import masked, message_out

PASSWORD = "a long enough one"
PEOPLE = {"leader": "shift_leader", "wang": "operator", "du": "supervisor"}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with district(tmp_path, {"messenger.smtp": {**SMTP, "port": 9}}, plugins=["console"]) as node:
        for login, post in PEOPLE.items():
            add_person(node, login=login, name=login, posts=[post], password=PASSWORD)
        new_case(node)
        yield node


@pytest.fixture
def app(node: Node) -> FastAPI:
    return build_app(node)


@pytest.fixture
def leader(app: FastAPI) -> Iterator[Browser]:
    with Browser(app) as browser:
        assert browser.log_in("leader", PASSWORD).status_code == 303
        yield browser


def test_the_api_pages_filters_and_masks(leader: Browser, node: Node) -> None:
    first = leader.get("/api/v1/messages?limit=1").json()
    second = leader.get(f"/api/v1/messages?limit=1&cursor={first['next']}").json()
    assert second["next"] is None
    found = [*first["messages"], *second["messages"]]
    assert {one["address"] for one in found} == {"l***@city.example", "w***@city.example"}
    assert {one["id"] for one in found} == {one.id for one in messages(node)}
    assert leader.get("/api/v1/messages?state=dead").json()["messages"] == []
    assert len(leader.get(f"/api/v1/messages?about=case:{NUMBER}").json()["messages"]) == 2
    assert leader.get("/api/v1/messages?state=lost").status_code == 422
    assert leader.get("/api/v1/messages?cursor=lost").status_code == 422
    assert leader.get(f"/api/v1/messages/{found[0]['id']}").json() == found[0]
    assert leader.get("/api/v1/messages/none").status_code == 404


def test_dropping_and_resending_by_the_api(leader: Browser, node: Node) -> None:
    id = messages(node)[0].id
    token = {"x-csrf-token": leader.form_token("/messages")}
    assert leader.request("POST", f"/api/v1/messages/{id}/drop", headers=token).json() == {"id": id}
    assert leader.request("POST", f"/api/v1/messages/{id}/drop", headers=token).status_code == 409
    assert leader.request("POST", f"/api/v1/messages/{id}/resend", headers=token).json() == {"id": id}
    assert leader.request("POST", "/api/v1/messages/none/resend", headers=token).status_code == 404
    actors = {one.entry.actor for one in node.journal.subject(f"message:{id}") if one.entry is not None}
    assert len(actors) == 1
    assert str(actors.pop()).startswith("p-")


@pytest.mark.parametrize(("login", "reads", "acts"), [("wang", 403, 403), ("du", 200, 403), ("leader", 200, 200)])
def test_who_may_do_what(app: FastAPI, node: Node, login: str, reads: int, acts: int) -> None:
    id = messages(node)[0].id
    with Browser(app) as browser:
        browser.log_in(login, PASSWORD)
        token = browser.form_token("/")
        assert browser.get("/api/v1/messages").status_code == reads
        assert browser.get(f"/api/v1/messages/{id}").status_code == reads
        assert browser.request("GET", "/messages", headers=PAGE).status_code == reads
        headers = {"x-csrf-token": token}
        assert browser.request("POST", f"/api/v1/messages/{id}/resend", headers=headers).status_code == acts
        assert browser.post(f"/messages/{id}/resend", {}, token).status_code == (303 if acts == 200 else acts)


def test_strangers_see_nothing(app: FastAPI) -> None:
    with Browser(app) as stranger:
        assert stranger.get("/api/v1/messages").status_code == 401
        assert stranger.request("GET", "/messages", headers=PAGE).status_code == 303


def test_the_page_in_both_languages(leader: Browser) -> None:
    chinese, english = leader.page("/messages"), leader.page("/messages?lang=en")
    assert '<html lang="zh-Hans">' in chinese
    assert "重发" in chinese
    assert '<html lang="en">' in english
    without_names = re.sub(r"<nav.*?</nav>|<td>.*?</td>", "", english, flags=re.DOTALL)
    assert set(re.findall(r"[一-鿿]+", without_names)) == {"中文"}
    assert "city.example" in chinese
    assert "li@city.example" not in chinese


def test_the_pages_buttons(leader: Browser, node: Node) -> None:
    id = messages(node)[0].id
    token = leader.form_token("/messages")
    answer = leader.post(f"/messages/{id}/drop", {"state": "queued"}, token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/messages?state=queued")
    assert leader.post(f"/messages/{id}/burn", {}, token).status_code == 404
    assert leader.post(f"/messages/{id}/resend", {}, "0" * 64).status_code == 403
    assert "已停止" in leader.page("/messages?state=dead")


def words_of(message: object) -> list[str]:
    found = [message] if isinstance(message, str) else message if isinstance(message, tuple) else []
    return [one for one in found if isinstance(one, str)]


def test_chinese_has_every_word_of_the_page() -> None:
    source = (files("wanmi_messenger") / "templates" / "messages.html").read_text(encoding="utf-8")
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    said = {one for _, _, message in environment.extract_translations(source) for one in words_of(message)}
    assert set(catalogue("zh")) == said | set(STATES) | {"fine", "warn", "bad", "unknown"}


def test_masks(node: Node) -> None:
    one = messages(node)[0]
    sms = replace(one, channel="sms")
    assert masked(replace(sms, address="13800005678")) == "138****5678"
    assert masked(replace(sms, address="12345")) == "****45"
    assert masked(replace(one, channel="webhook", address="archive")) == "archive"


def test_the_peers_words_are_told_without_addresses(node: Node) -> None:
    said = "550 no mailbox li@city.example here, nor +86 138 0000 5678; code 451"
    assert message_out(replace(messages(node)[0], reason=said)).reason == "550 no mailbox … here, nor …; code 451"
