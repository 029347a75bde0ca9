"""Addresses and the roster: what a CSV file may say, and who is on duty at a microsecond."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.messenger.nodes import ADDRESSES, ROSTER, START, act, advance, district
from plugins.messenger.test_pacing import at
from wanmi.errors import BadInput
from wanmi_messenger.roster import ALWAYS, read_addresses, read_roster

HEAD = "person,post,unit,from,to\n"


def test_a_duty_begins_with_its_microsecond_and_ends_before_its_last(tmp_path: Path) -> None:
    with district(tmp_path, {}) as node:
        begin, end = at("2026-11-25T08:00"), at("2026-11-25T16:00")
        act(node, "message.roster", text=HEAD + "p-1,operator,,2026-11-25 08:00,2026-11-25 16:00\n")

        def who(moment: int) -> list[str]:
            return [one["person"] for one in act(node, "message.on_duty", at=moment)["duties"]]

        assert [who(one) for one in (begin - 1, begin, end - 1, end)] == [[], ["p-1"], ["p-1"], []]


def test_a_new_roster_leaves_the_past_as_it_was(tmp_path: Path) -> None:
    with district(tmp_path, {}) as node:
        advance(node, 60)
        act(node, "message.roster", text=HEAD + "p-new,operator,,2026-01-01,\n")

        def who(moment: int) -> list[str]:
            return [one["person"] for one in act(node, "message.on_duty", at=moment, post="operator")["duties"]]

        now = node.clock.now()
        assert who(now - 1) == ["archive", "p-li", "p-wang"]
        assert who(now) == ["p-new"]


def test_on_duty_by_unit(tmp_path: Path) -> None:
    with district(tmp_path, {}) as node:
        act(node, "message.roster", text=HEAD + "p-1,department,D01,,\np-2,department,D02,,\np-3,operator,,,\n")
        assert [one["person"] for one in act(node, "message.on_duty", unit="D02")["duties"]] == ["p-2"]
        assert [one["person"] for one in act(node, "message.on_duty", post="department")["duties"]] == ["p-1", "p-2"]


def test_good_files() -> None:
    assert [one.channel for one in read_addresses("\ufeff" + ADDRESSES)] == ["smtp", "sms", "smtp", "webhook"]
    duties = read_roster(ROSTER)
    assert (duties[0].begins_at, duties[0].ends_at) == (0, ALWAYS)
    assert (duties[1].begins_at, duties[1].ends_at) == (at("2026-11-24T08:00"), at("2026-11-24T16:00"))
    (zoned,) = read_roster(HEAD + "p,operator,,2026-11-24T06:00Z,\n")
    assert zoned.begins_at == START


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("p-1,mayor,,,", "line 3: post is one of"),
        ("p-1,operator,,tomorrow,", "line 3: 'tomorrow' is no time"),
        ("p-1,operator,,2026-11-24,2026-11-24", "line 3: a duty ends after"),
        ("p 1,operator,,,", "line 3: person is an id"),
        ("p-1,operator,,", "line 3: has not 5 columns"),
        ("p-1,operator,,,,", "line 3: has not 5 columns"),
        ("p-0,operator,,,", "line 3: this duty is there twice"),
        ('"p-1,operator,,,', "no CSV"),
    ],
)
def test_bad_rosters_name_the_line(row: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_roster(HEAD + "p-0,operator,,,\n" + row + "\n")


@pytest.mark.parametrize(
    "row",
    [
        "p-1,smtp,a@b@c,zh",
        "p-1,smtp,a b@c.example,zh",
        "p-1,smtp,<a@b.example>,zh",
        "p-1,sms,+86 138,zh",
        "p-1,webhook,https://elsewhere.example/,zh",
        "p-1,fax,1234567,zh",
        "p-1,sms,13800005678,fr",
        "p-0,sms,13900005678,zh",
    ],
)
def test_bad_addresses_are_refused_and_not_repeated(row: str) -> None:
    with pytest.raises(BadInput, match="line 3") as caught:
        read_addresses("person,channel,address,lang\np-0,sms,13800005678,zh\n" + row + "\n")
    assert row.split(",")[2] not in str(caught.value) or row.split(",")[1] == "fax"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_roster, read_addresses):
        for given_text in (text, HEAD + text, "person,channel,address,lang\n" + text):
            try:
                read(given_text)
            except BadInput:
                continue
