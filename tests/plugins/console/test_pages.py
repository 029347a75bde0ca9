"""What the pages show, and that nothing shown is run."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI

from support.browser import PAGE, Browser
from support.small_town import PASSWORD
from support.town_fixture import HOSTILE, Shown
from wanmi.identity import add_person
from wanmi.kinds import TerminalAdmitted
from wanmi.node import Node
from wanmi.query import evidence_of, find_case
from wanmi.registry import Draft
from wanmi.web import build_app


class Outline(HTMLParser):
    """Tags, ids and labels of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def pages_of(shown: Shown) -> dict[str, str]:
    return {
        "home": "/",
        "cases": "/cases",
        "filtered": "/cases?district=210102&kind=event&category=0102&stage=collect&grid=210102001002&since=2026-11-01",
        "empty": "/cases?number=99999",
        "case": f"/cases/{shown.with_photo}",
        "outside": f"/cases/{shown.outside}",
        "component": f"/cases/{shown.component}",
        "pending": f"/cases/{shown.pending}",
        "erased": f"/cases/{shown.erased}",
        "hostile": f"/cases/{shown.hostile}",
        "node": "/node",
        "subject": f"/subjects?s=case:{shown.plain}",
        "subjects": "/subjects",
    }


@pytest.fixture(params=["zh", "en"])
def reader(request: pytest.FixtureRequest, operator: Browser) -> Browser:
    operator.page(f"/?lang={request.param}")
    return operator


def test_every_page_is_well_built(reader: Browser, shown: Shown) -> None:
    for name, path in pages_of(shown).items():
        outline = Outline(reader.page(path))
        assert len(outline.all("h1")) == 1, name
        assert len(outline.all("main")) == 1, name
        ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), (name, ids)
        labelled = {attrs["for"] for attrs in outline.all("label")}
        fields = [a for tag in ("input", "select") for a in outline.all(tag) if a.get("type") != "hidden"]
        assert {attrs["id"] for attrs in fields} == labelled, name
        assert all("alt" in attrs for attrs in outline.all("img")), name
        for attrs in (a for tag in ("section", "div") for a in outline.all(tag) if "aria-labelledby" in a):
            assert attrs["aria-labelledby"] in ids, name
        current = [attrs for attrs in outline.all("a") if attrs.get("aria-current") == "page"]
        assert len(current) == (0 if name.startswith("subject") else 1), name


def test_every_form_that_changes_something_carries_its_token(operator: Browser, shown: Shown) -> None:
    for path in pages_of(shown).values():
        page = operator.page(path)
        forms = re.findall(r'<form method="post".*?</form>', page, re.DOTALL)
        assert forms
        assert all('name="csrf_token" value="' in form for form in forms)


def test_hostile_text_is_shown_and_not_run(app: FastAPI, shown: Shown) -> None:
    addresses = [
        *pages_of(shown).values(),
        f"/cases?number={HOSTILE}",
        f"/subjects?s={HOSTILE}",
        f"/cases?grid={HOSTILE}",
    ]
    addresses += [f"/cases?lang={HOSTILE}", f"/cases?cursor={HOSTILE}", f"/cases/{HOSTILE}", f"/nothing{HOSTILE}"]
    with Browser(app) as browser:
        browser.log_in("mallory", PASSWORD)
        for lang in ("zh", "en"):
            browser.page(f"/?lang={lang}")
            for path in addresses:
                page = browser.request("GET", path, headers=PAGE).text
                assert "<script>" not in page, path
                assert "<img src=x" not in page, path
                assert "onerror=alert(1)>" not in page, path
        assert HOSTILE in html.unescape(browser.page("/"))


def test_the_hostile_login_form(stranger: Browser) -> None:
    answer = stranger.log_in(HOSTILE, HOSTILE, f"//evil.test/{HOSTILE}")
    assert answer.status_code == 403
    assert "<script>" not in answer.text
    assert "evil.test" not in answer.text


@pytest.mark.parametrize(
    "wanted",
    ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/a\\b", "/\t/evil.test", "", "/login"],
)
def test_the_login_leads_only_into_this_node(app: FastAPI, wanted: str) -> None:
    with Browser(app) as browser:
        assert browser.log_in("wangmin", PASSWORD, wanted).headers["location"] == "/"


def test_the_overview_counts_by_district_and_stage(operator: Browser, shown: Shown) -> None:
    page = operator.page("/")
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page, re.DOTALL)
    numbers = [re.findall(r">(\d+)<", row) for row in rows]
    assert numbers == [
        ["4", "0", "0", "0", "0", "1", "0", "5", "5"],
        ["2", "0", "0", "0", "0", "0", "0", "2", "2"],
        ["6", "0", "0", "0", "0", "1", "0", "7", "7"],
    ]
    assert "和平区" in rows[0]
    assert page.index(shown.pending) < page.index(shown.plain), "newest first"


def listed(page: str) -> list[str]:
    return re.findall(r'<td class="cell-number"><a class="code" href="/cases/([^"]+)"', page)


def test_the_list_shows_what_its_address_says(operator: Browser, shown: Shown) -> None:
    assert listed(operator.page("/cases")) == [
        shown.pending, shown.erased, shown.hostile, shown.component, shown.with_photo, shown.outside, shown.plain,
    ]  # fmt: skip
    assert listed(operator.page("/cases?district=210103")) == [shown.component, shown.outside]
    assert listed(operator.page("/cases?stage=close")) == [shown.erased]
    assert listed(operator.page("/cases?grid=210103005")) == [shown.component]
    assert listed(operator.page("/cases?kind=component&category=0101")) == [shown.component]
    assert listed(operator.page("/cases?since=2026-11-25")) == []
    assert "没有符合条件的案卷" in operator.page("/cases?since=2026-11-25")


def test_chips_take_filters_away_one_by_one(operator: Browser) -> None:
    page = operator.page("/cases?district=210102&grid=210102001002&kind=event&category=0102")
    chips = {
        re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text))).strip(): html.unescape(address)
        for address, text in re.findall(r'<a class="chip" href="([^"]+)">(.*?)<span class="chip-x"', page, re.DOTALL)
    }
    assert chips == {
        "区县 和平区": "/cases?category=0102&kind=event",
        "位置 浑河湾街道 水源地社区": "/cases?district=210102&category=0102&kind=event",
        "小类 0102 暴露垃圾": "/cases?district=210102&grid=210102001002&kind=event",
        "类型 事件": "/cases?district=210102&grid=210102001002&category=0102",
    }


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("district=210102&street=&community=&grid=&category=&number=", "?district=210102"),
        ("street=210102001&community=210102001002&grid=", "?grid=210102001002"),
        ("district=210103&street=210102001", "?district=210103"),
        ("street=210102002&community=210102001002", "?grid=210102002"),
        ("district=210102&grid=210102001002007", "?district=210102&grid=210102001002007"),
        ("category=event-0102", "?category=0102&kind=event"),
        ("kind=component&category=event-0102", "?kind=component"),
        ("", ""),
    ],
)
def test_a_form_becomes_a_tidy_address(operator: Browser, given: str, meant: str) -> None:
    answer = operator.request("GET", f"/cases?form=1&{given}", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases{meant}")


def test_a_wrong_filter_is_told_and_shows_nothing(operator: Browser, shown: Shown) -> None:
    answer = operator.request("GET", "/cases?form=1&grid=12", headers=PAGE)
    assert answer.status_code == 422
    assert "筛选条件有误" in answer.text
    assert shown.plain not in answer.text
    assert operator.request("GET", "/cases?cursor=nonsense", headers=PAGE).status_code == 422


@pytest.fixture
def paged(tmp_path) -> Iterator[Browser]:  # type: ignore[no-untyped-def]
    from support.small_town import Seen, small_town

    town = small_town(tmp_path, {"console": {"page_size": 5}})
    for n in range(12):
        town.report(Seen(stage="file" if n % 4 == 0 else "collect"))
    town.person("210102", "wangmin", "王敏", "operator")
    district = town.nodes["210102"]
    with Browser(build_app(district)) as browser:
        browser.log_in("wangmin", PASSWORD)
        yield browser
    town.close()


def test_a_long_list_is_turned_page_by_page(paged: Browser) -> None:
    seen: list[list[str]] = []
    path = "/cases?stage=collect"
    while path:
        page = paged.page(path)
        assert "共 9 件" in page
        seen.append(listed(page))
        found = re.search(r'<a class="pager-next" href="([^"]+)"', page)
        path = html.unescape(found[1]) if found else ""
    assert [len(page) for page in seen] == [5, 4]
    numbers = [number for page in seen for number in page]
    assert numbers == sorted(set(numbers), reverse=True)


def test_a_district_shows_its_own_cases_without_district_filter(paged: Browser) -> None:
    page = paged.page("/cases")
    assert 'id="district"' not in page
    assert 'id="street"' in page
    assert "和平区平台" in page


def test_a_case_tells_its_story(operator: Browser, shown: Shown) -> None:
    page = operator.page(f"/cases/{shown.with_photo}")
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    for told in (
        shown.with_photo, "暴露垃圾", "浑河湾街道", "水源地社区", "网格 007", "WGS-84", "原测坐标系 GCJ02", "± 3.2 m",
        "卫星 14 颗", "信息采集员", "T210102-0001", "上报后 3 秒", "井盖破损", "相似案卷", "上报收讫", "案卷登记", "已校验",
        "210100 已会签", "边缘节点 21010201 收到终端 T210102-0001 的签名上报：暴露垃圾",
    ):  # fmt: skip
        assert told in text, told
    assert f'<a class="code" href="/cases/{shown.plain}">' in page
    assert '<span class="code">210102-E0102-20200101-0001</span>' in page, "a case that is not here is no link"
    assert re.search(r'<img src="/api/v1/blobs/[0-9a-f]{64}" loading="lazy"', page)
    assert page.count('aria-current="step"') == 1


def test_evidence_that_cannot_be_shown_says_why(app: FastAPI, operator: Browser, shown: Shown) -> None:
    pending, erased = operator.page(f"/cases/{shown.pending}"), operator.page(f"/cases/{shown.erased}")
    assert "证据待传：照片尚在传输途中" in pending
    assert '<img src="/api' not in pending
    assert "已擦除" in erased
    assert "to be forgotten" not in erased
    with Browser(app) as collector:
        collector.log_in("zhang", PASSWORD)
        foreign = collector.request("GET", f"/cases/{shown.with_photo}", headers=PAGE)
    assert foreign.status_code == 404, "a collector sees their own cases only"
    assert "井盖破损" not in foreign.text


SEALED = {"zh": "已密封：您的岗位无权打开。", "en": "Sealed: your post may not open it."}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_who_sees_a_case_and_may_open_nothing_is_told_so(app: FastAPI, shown: Shown, lang: str) -> None:
    """The collector who reported: neither the words nor the photo of the own report are shown, nor where they are."""
    holder = admit_terminal(shown, lang)
    with Browser(app) as collector:
        assert collector.log_in(holder, PASSWORD).status_code == 303
        collector.page(f"/?lang={lang}")
        page = collector.page(f"/cases/{shown.with_photo}")
        photo = collector.request("GET", f"/api/v1/blobs/{photo_of(shown)}")
    assert page.count(SEALED[lang]) == 2, "its description and its photo"
    assert "井盖破损" not in page
    assert "/api/v1/blobs/" not in page
    assert photo.status_code == 403


def admit_terminal(shown: Shown, login: str) -> str:
    """The terminal of the first district comes into the hands of a new collector; the login."""
    town = shown.town
    person = add_person(town.nodes["210100"], login=login, name=login, posts=["collector"], password=PASSWORD).id
    body = TerminalAdmitted("T210102-0001", "ab" * 32, "-", person)
    town.nodes["210102"].journal.append(Draft("terminal.admitted", "terminal:210102:T210102-0001", body)).result()
    town.carry("210102", "210100", blobs=False)
    return login


def photo_of(shown: Shown) -> str:
    with shown.town.nodes["210100"].store.reader() as tx:
        subject = str(find_case(tx, shown.with_photo).report)
        return next(one.blob for one in evidence_of(tx, [subject], {"210100"}) if one.role == "photo")


def test_a_case_outside_every_grid(operator: Browser, shown: Shown) -> None:
    assert "不在任何单元网格内" in operator.page(f"/cases/{shown.outside}")


def test_a_missing_case_is_a_page_in_the_readers_language(operator: Browser) -> None:
    for lang, title in (("zh", "未找到"), ("en", "Not Found")):
        answer = operator.request("GET", f"/cases/210102-E0102-20200101-0001?lang={lang}", headers=PAGE)
        assert answer.status_code == 404
        assert f"<h1>{title}</h1>" in answer.text
        assert 'action="/logout"' in answer.text


def test_the_node_page_tells_chains_links_and_nodes(operator: Browser, city: Node) -> None:
    page = operator.page("/node")
    for origin, cursor in city.journal.cursors().items():
        assert origin in page
        assert cursor.hash.hex() in page
    for told in ("journal", "已全部会签", "连通", "和平区平台", "区级节点", "console"):
        assert told in page, told


def test_unknown_kinds_are_shown_by_name_and_body(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import msgspec

    import wanmi_console
    from support import small_town
    from wanmi.hookspecs import hookimpl
    from wanmi.plugins import Plugin
    from wanmi.testing import small_node

    class Note(msgspec.Struct, frozen=True):
        text: str

    class Noting:
        @staticmethod
        @hookimpl
        def register(to) -> None:  # type: ignore[no-untyped-def]
            to.entry_kind("note.taken", Note, zh="便笺", en="Note taken")

    with small_node(tmp_path / "n", plugins=[wanmi_console, Plugin("noting", "1", Noting)]) as node:  # type: ignore[arg-type]
        node.journal.append(Draft("note.taken", "note:1", Note("<b>remember</b>"))).result()
        from wanmi.identity import add_person

        add_person(node, login="wangmin", name="王敏", posts=["operator"], password=small_town.PASSWORD)
        with Browser(build_app(node)) as browser:
            browser.log_in("wangmin", PASSWORD)
            page = browser.page("/subjects?s=note:1")
    assert "<h3>便笺</h3>" in page
    assert "&lt;b&gt;remember&lt;/b&gt;" in page


def test_posts_are_changed_only_to_ones_own(app: FastAPI, operator: Browser, city: Node) -> None:
    name = f"wanmi_{city.code}"
    before = operator.client.cookies[name]
    assert operator.post("/post", {"post": "shift_leader"}, operator.form_token()).status_code == 303
    with Browser(app) as thief:
        thief.client.cookies.set(name, before)
        assert thief.get("/api/v1/cases").status_code == 401, "the session in the other post has ended"
    assert '<option value="shift_leader" selected>' in operator.page("/")
    refused = operator.post("/post", {"post": "administrator"}, operator.form_token())
    assert refused.status_code == 403
    assert '<option value="shift_leader" selected>' in operator.page("/")


def test_logging_out_ends_it(operator: Browser) -> None:
    answer = operator.post("/logout", {}, operator.form_token())
    assert answer.headers["location"] == "/login"
    assert operator.request("GET", "/", headers=PAGE).status_code == 303


def test_a_logged_in_person_is_sent_on_from_the_login(operator: Browser) -> None:
    answer = operator.request("GET", "/login?next=/cases", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
