"""Both languages have every message, and say it with the same facts."""

from __future__ import annotations

import re

import pytest

from plugins.console.messages import messages
from support.browser import Browser
from support.town_fixture import Shown
from wanmi_console.shown import ago, fact, local_time, machine_time, position, size
from wanmi_console.words import LANGS, catalogue, translator

_FACT = re.compile(r"%\((\w+)\)s")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def test_there_is_something_to_say() -> None:
    assert len(messages()) > 100


def test_chinese_has_every_message_and_no_stale_one() -> None:
    assert set(catalogue("zh")) == messages()


def test_english_is_the_source() -> None:
    assert set(catalogue("en")) <= messages()
    assert [message for message in messages() if _CHINESE.search(message)] == []


@pytest.mark.parametrize("lang", LANGS)
def test_each_message_is_said_with_its_facts(lang: str) -> None:
    say = translator(lang)  # type: ignore[arg-type]
    for message in messages():
        assert set(_FACT.findall(say(message))) == set(_FACT.findall(message)), message
        assert say(message).strip()


def test_a_chinese_message_is_chinese() -> None:
    names = {"%(n)s d", "API"}
    assert [one for one, said in catalogue("zh").items() if one not in names and not _CHINESE.search(said)] == []


PATHS = (
    "/",
    "/cases",
    "/cases?stage=file&number=0000",
    "/cases?grid=1",
    "/node",
    "/subjects",
    "/subjects?s=none",
    "/nothing",
)


@pytest.mark.parametrize("path", [*PATHS, "CASE", "SUBJECT", "PENDING", "ERASED"])
def test_english_pages_are_english(operator: Browser, shown: Shown, path: str) -> None:
    path = {
        "CASE": f"/cases/{shown.with_photo}",
        "SUBJECT": f"/subjects?s=case:{shown.plain}",
        "PENDING": f"/cases/{shown.pending}",
        "ERASED": f"/cases/{shown.erased}",
    }.get(path, path)
    operator.page("/?lang=en")
    page = operator.request("GET", path, headers={"accept": "text/html"}).text
    if path == "/nothing":
        return
    assert '<html lang="en">' in page
    without_names = re.sub(
        r"<option[^>]*>[^<]*</option>|<optgroup[^>]*>|<pre.*?</pre>|title=\"[^\"]*\"", "", page, flags=re.DOTALL
    )
    words = set(re.findall(r"[\u3400-\u9fff]+", without_names))
    names = re.compile(r"(社区|街道|区|市|平台|边缘节点|中文|王敏|井盖破损|沈阳|和平|沈河)$")
    assert {word for word in words if not names.search(word)} == set()


def test_a_language_is_chosen_and_remembered(stranger: Browser) -> None:
    assert '<html lang="zh-Hans">' in stranger.page("/login")
    assert '<html lang="en">' in stranger.page("/login?lang=en")
    assert '<html lang="en">' in stranger.page("/login")
    assert '<html lang="zh-Hans">' in stranger.page("/login?lang=zh")
    assert '<html lang="zh-Hans">' in stranger.page("/login?lang=xx")


def test_the_switch_keeps_what_is_looked_for(operator: Browser) -> None:
    page = operator.page("/cases?district=210102&stage=collect")
    assert 'href="/cases?district=210102&amp;stage=collect&amp;lang=en"' in page


def test_times_places_and_sizes() -> None:
    assert local_time(1_795_489_205_000_000) == "2026-11-24 11:00:05"
    assert machine_time(1_795_489_205_000_000) == "2026-11-24T03:00:05Z"
    assert local_time(2**53 - 1).startswith("2255-")
    assert local_time(10**18).startswith("9999-")
    assert position(1_234_237_900, -418_009_800) == "123.4237900, -41.8009800"
    assert [size(n) for n in (0, 999, 1500, 2_500_000, 84 * 10**9)] == ["0 B", "999 B", "2 KB", "2.5 MB", "84.0 GB"]
    assert [ago(str, n) for n in (-5, 59, 60, 3600, 90_000, 172_800)] == ["0 s", "59 s", "1 min", "1 h", "25 h", "2 d"]
    assert (fact("free_bytes", 2_000_000), fact("hash", "a" * 64), fact("x", 7), fact("y", "z")) == (
        "2.0 MB", "a" * 12, "7", "z",
    )  # fmt: skip
