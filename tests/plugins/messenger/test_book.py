"""Books: the one that comes with the program, what is refused, and how a city's own begins to hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import wanmi_messenger
from plugins.messenger.nodes import ADDRESSES, ROSTER, SMTP, act, district, messages, new_case, open_case, overdue_kind
from plugins.messenger.servers import smtp_server
from wanmi.case_kinds import CaseBecameOverdue
from wanmi.errors import BadInput
from wanmi.registry import Draft
from wanmi.testing import carry, quick_plugin, react, replay_differences, small_city
from wanmi_messenger.book import first_book, read_book
from wanmi_messenger.facts import EXAMPLE, facts
from wanmi_messenger.wording import render


def test_the_first_book_says_something_in_both_languages(tmp_path: Path) -> None:
    book = first_book()
    assert {rule.event for rule in book.rules} >= {"case.opened", "case.stepped", "case.became_overdue", "order.issued"}
    with district(tmp_path, {}) as node:
        for (name, lang), words in book.templates.items():
            values = facts(node, "case.stepped", "case:1", node.clock.now(), EXAMPLE, None, lang)
            assert render(words.subject, values).strip(), (name, lang)
            assert render(words.text, values).strip(), (name, lang)


def test_preview_says_it_about_an_example(tmp_path: Path) -> None:
    with district(tmp_path, {}) as node:
        said = act(node, "message.preview", template="work", lang="en")
    assert said["title"] == "Case 210102-E0102-20261124-0007 is yours to handle"
    assert "it is due 2026-11-24 14:00" in said["text"]


CHANGES = [
    ('event = "case.opened"', 'event = "case.seen"', "rule[1].event: 'case.seen' is none of"),
    ("{{ case }}：", "{{ cse }}：", "nothing is called cse"),
    ("{{ case }}：", "{{ case.x }}：", "getattr is not for message templates"),
    ('template = "new-case"', 'template = "newest"', "template newest is not there in zh and en"),
    ('channels = ["smtp", "webhook"]', 'channels = ["fax"]', "rule[1].channels[1]"),
    ('channels = ["smtp", "webhook"]', "channels = []", "rule[1].channels"),
    ('name = "overdue"\nevent', 'name = "new-case"\nevent', "two rules are called new-case"),
    ('{ post = "operator" }', "{ }", "name a post"),
    ('name = "test"\nlang = "zh"', 'name = "test"\nlang = "en"', "template test is there twice in en"),
    ("[[rule]]", "[[rule", "no TOML"),
    ("[[rule]]\n", "[[rule]]\nsurprise = 1\n", "rule[1].surprise"),
]


@pytest.mark.parametrize(("old", "new", "why"), CHANGES)
def test_a_wrong_book_is_told_where(old: str, new: str, why: str) -> None:
    text = first_book().text
    assert old in text
    with pytest.raises(BadInput) as caught:
        read_book(text.replace(old, new, 1))
    assert why in str(caught.value)


def test_a_book_fits_an_entry() -> None:
    with pytest.raises(BadInput, match="at most 40000 fit"):
        read_book(first_book().text + "#" * 40_000)


def test_an_activated_book_holds_from_then_on(tmp_path: Path) -> None:
    changed = first_book().text.replace('新案卷 {{ case }}"', '收到 {{ case }}"')
    with smtp_server() as (_, port), district(tmp_path, smtp(port)) as node:
        new_case(node, 1)
        assert act(node, "message.activate", text=changed)["version"] == 1
        new_case(node, 2)
        assert act(node, "message.activate", text=first_book().text)["version"] == 2
        new_case(node, 3)
        li = [one for one in messages(node) if one.person == "p-li"]
        assert [one.title[:3] for one in li] == ["新案卷", "收到 ", "新案卷"]
        assert [one.book for one in li] == [0, 1, 2]
        assert act(node, "message.book")["version"] == 2
        assert replay_differences(node) == []


def test_a_wrong_book_is_not_activated(tmp_path: Path) -> None:
    with district(tmp_path, {}) as node:
        with pytest.raises(BadInput):
            act(node, "message.activate", text=first_book().text.replace("{{ at }}", "{{ at() }}"))
        assert act(node, "message.book")["version"] == 0


def test_a_districts_book_is_not_the_citys(tmp_path: Path) -> None:
    with small_city(tmp_path, city=[wanmi_messenger], district=[wanmi_messenger]) as town:
        act(town.district, "message.activate", text=first_book().text + "# ours\n")
        carry(town.district, town.city)
        assert act(town.district, "message.book")["version"] == 1
        assert act(town.city, "message.book")["version"] == 0
        assert replay_differences(town.city) == []


def smtp(port: int) -> dict[str, dict[str, object]]:
    """Settings of the mail channel."""
    return {"messenger.smtp": {**SMTP, "port": port}}


def test_overdue_finds_the_department_of_the_last_dispatch(tmp_path: Path) -> None:
    class Dispatched(msgspec.Struct, frozen=True):
        department: str

    def register(to: Any) -> None:
        to.entry_kind("test.dispatched", Dispatched, zh="派", en="Dispatched")
        overdue_kind(to)

    with smtp_server() as (_, port):
        plugins = [quick_plugin("dispatched", register)]
        with district(tmp_path, smtp(port), plugins=plugins) as node:
            act(
                node,
                "message.addresses",
                text=ADDRESSES + "p-d1,smtp,d1@city.example,zh\np-d2,smtp,d2@city.example,zh\n",
            )
            act(node, "message.roster", text=ROSTER + "p-d1,department,D01,,\np-d2,department,D02,,\n")
            subject = open_case(node).entry.subject  # type: ignore[union-attr]
            for department in ("D01", "D02"):
                node.journal.append(Draft("test.dispatched", subject, Dispatched(department))).result()
            node.journal.append(
                Draft("case.became_overdue", subject, CaseBecameOverdue("department", node.clock.now()))
            ).result()
            react(node)
            overdue = [one for one in messages(node) if one.rule == "overdue"]
    assert [one.person for one in overdue] == ["p-d2"]
    assert "应于 2026-11-24 14:00 前完成" in overdue[0].text


def test_work_is_told_when_it_is_handed_over_and_not_at_every_step() -> None:
    (rule,) = [one for one in first_book().rules if one.name == "work-for-department"]
    states = ("reported", "pending_dispatch", "pending_handle", "handling", "rework", "handled", "closed")
    assert [one for one in states if rule.fits("case.stepped", {"state": one}, True)] == ["pending_handle", "rework"]
    assert not rule.fits("case.stepped", {"state": "rework"}, False), "another node's case"
    assert not rule.fits("case.opened", {"state": "rework"}, True)
