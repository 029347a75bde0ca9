"""The handbooks hold what the profile holds, in both languages and both forms, and nothing unescaped."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from wanmi.cases import StepTable
from wanmi.codes import CASE_KINDS, Lang, Profile, shipped_profiles
from wanmi.profiles import Book, print_book
from wanmi.profiles.document import Document, Table, to_html, to_markdown

BOOKS: tuple[Book, ...] = ("supervision", "command")
LANGS: tuple[Lang, ...] = ("zh", "en")
EVERY = [(name, book, lang) for name in shipped_profiles() for book in BOOKS for lang in LANGS]


class Reader(HTMLParser):
    """Checks that tags close in order, and keeps texts and where links go."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.spans: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "col"):
            self.open.append(tag)
        given = dict(attrs)
        assert not {"src", "onload", "style"} & given.keys() or tag == "col"
        if "href" in given:
            self.links.add(str(given["href"]))
        if "id" in given:
            self.ids.add(f"#{given['id']}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def steps_of(profile: Profile) -> StepTable:
    return StepTable.parse(profile.text("steps.toml"))


@pytest.mark.parametrize(("name", "book", "lang"), EVERY)
def test_a_handbook_is_whole(name: str, book: Book, lang: Lang) -> None:
    profile = Profile.load(name)
    reader = Reader()
    reader.feed(print_book(profile, steps_of(profile), book, lang))
    assert reader.open == []
    assert reader.links == reader.ids & reader.links
    assert len(reader.links) > 15
    texts = set(reader.texts)
    for kind in CASE_KINDS:
        for category in profile.catalogue.of_kind(kind):
            assert {category.code, profile.category_name(category, lang)} <= texts
    for limit in profile.time_limits:
        if limit.kind != "stage":
            assert set(limit.criteria(lang)) <= texts, limit


@pytest.mark.parametrize(("name", "book", "lang"), EVERY)
def test_markdown_has_the_same_tables(name: str, book: Book, lang: Lang) -> None:
    profile = Profile.load(name)
    text = print_book(profile, steps_of(profile), book, lang, markdown=True)
    html = print_book(profile, steps_of(profile), book, lang)
    assert text.count("\n| ---") == html.count("<table>")
    for one in profile.catalogue.categories:
        assert f"| {one.code} | {profile.category_name(one, lang)} |" in text


def test_each_book_has_its_axis() -> None:
    profile = Profile.load()
    steps = steps_of(profile)
    supervision = print_book(profile, steps, "supervision", "zh", markdown=True)
    command = print_book(profile, steps, "command", "zh", markdown=True)
    for post, rule in steps.posts.items():
        mine, other = (supervision, command) if rule.axis == "supervision" else (command, supervision)
        if any(post in step.posts for step in steps.steps.values()):
            assert f"  {rule.zh}\n" in mine
        assert f"  {rule.zh}\n" not in other
    assert "每案最多批准 2 次" in command
    assert "结案" in supervision


def test_no_english_slips_into_the_chinese_book() -> None:
    """Every condition, step, state, field and guard of the shipped profiles has its Chinese."""
    for name in shipped_profiles():
        profile = Profile.load(name)
        for book in BOOKS:
            text = print_book(profile, steps_of(profile), book, "zh", markdown=True)
            chapters = text.partition("依据与可信度")[0].splitlines()
            cells = [cell.strip() for line in chapters if line.startswith("| ") for cell in line.strip("|").split("|")]
            english = {cell for cell in cells if any("a" <= letter <= "z" for letter in cell)}
            assert english == set()


def test_text_is_escaped() -> None:
    table = Table(("<b>", "|"), [("<script>alert(1)</script>", "a|b"), (None, "c")], (50, 50))
    document = Document("en", "<t>", "&", (("<", ">"),), "c", (table,))
    html = to_html(document)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert 'rowspan="2"' in html
    assert "a\\|b" in to_markdown(document)


def chapter(book: str, title: str) -> str:
    """A chapter of a handbook in Markdown, from its heading to the next one."""
    found = [one for one in book.split("\n## ") if one.partition("\n")[0].endswith(title)]
    assert len(found) == 1, title
    return found[0]


def test_the_supervision_book_tells_what_an_answer_does() -> None:
    profile = Profile.load()
    told = chapter(print_book(profile, steps_of(profile), "supervision", "zh", markdown=True), "任务答复")
    assert "| 属实 | 核实回复；结果：属实 |" in told
    assert "| 未处置到位 | 核查不通过；意见：采集员现场核查：未处置到位，见现场照片与说明 |" in told
    assert "| 无法判断 | 由人判定 |" in told
    assert told.count("即时生效的到场情况：在现场\n") == told.count("判定岗位：坐席员、值班长\n") == 2
    text = profile.text("steps.toml").replace("[answers.check]", "[answers.check]\nconfirmed = true")
    own = chapter(print_book(profile, StepTable.parse(text), "supervision", "en", markdown=True), "Answers to tasks")
    assert own.count("a person decides on every answer") == own.count("takes its step at once when") == 1
    assert "任务答复" not in print_book(profile, steps_of(profile), "command", "zh", markdown=True)


def test_the_command_book_tells_what_takes_a_case_from_a_department() -> None:
    profile = Profile.load()
    told = chapter(print_book(profile, steps_of(profile), "command", "zh", markdown=True), "案卷离开部门")
    lines = [line.removeprefix("- ") for line in told.splitlines() if line.startswith("- ")]
    assert lines == ["改派", "移交市级", "回退", "作废", "强制结案", "合并"]
