"""The two handbooks of a profile: 监督手册 (supervision) and 处置（指挥）手册 (command), made from its data and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from wanmi.cases.table import StepTable
from wanmi.codes import Profile
from wanmi.codes.resources import Lang
from wanmi.profiles.document import Block, Document, Heading, Items, Para, Table, to_html, to_markdown
from wanmi.profiles.print_catalogue import catalogue_blocks, limit_blocks
from wanmi.profiles.print_outcomes import answer_blocks, leaving_blocks
from wanmi.profiles.print_steps import flow_blocks, form_blocks, request_blocks, step_blocks
from wanmi.profiles.words import say

__all__ = ["Book", "handbook", "print_book"]

Book = Literal["supervision", "command"]


def print_book(profile: Profile, steps: StepTable, book: Book, lang: Lang, *, markdown: bool = False) -> str:
    """The handbook as one HTML file, or as Markdown."""
    document = handbook(profile, steps, book, lang)
    return to_markdown(document) if markdown else to_html(document)


def handbook(profile: Profile, steps: StepTable, book: Book, lang: Lang) -> Document:
    """The handbook as data."""
    titles = {
        "supervision": say(lang, "监督手册", "Supervision handbook"),
        "command": say(lang, "处置（指挥）手册", "Command handbook"),
    }
    return Document(
        lang=lang,
        title=titles[book],
        subtitle=profile.title.in_lang(lang),
        facts=(
            (say(lang, "方案", "Profile"), profile.name),
            (say(lang, "版本", "Version"), profile.version),
            (say(lang, "摘要", "Digest"), profile.digest[:16]),
        ),
        contents=say(lang, "目录", "Contents"),
        blocks=tuple(_numbered(list(_blocks(profile, steps, book, lang)))),
    )


def _blocks(profile: Profile, steps: StepTable, book: Book, lang: Lang) -> Iterator[Block]:
    yield from _general(steps, book, lang)
    yield from flow_blocks(steps, lang)
    yield from step_blocks(profile, steps, book, lang)
    yield from request_blocks(profile, steps, book, lang)
    yield from answer_blocks(profile, steps, lang) if book == "supervision" else leaving_blocks(steps, lang)
    yield from form_blocks(profile, steps, book, lang)
    yield from limit_blocks(profile, steps, lang)
    yield from catalogue_blocks(profile, book, lang)
    yield from _codes(profile, lang)
    yield from _sources(profile, lang)


def _general(steps: StepTable, book: Book, lang: Lang) -> Iterator[Block]:
    yield Heading(1, say(lang, "总则", "General"))
    if book == "supervision":
        yield Para(say(
            lang,
            "本手册供监督轴各岗位使用：采集、受理、核实、立案、核查、结案。所列类别、立案条件、结案条件和时限均取自本版本方案，案卷自立案至结案一律适用其登记时的版本。",
            "For the posts of the supervision axis: collecting, accepting, verifying, filing, checking and closing. Categories, conditions "
            "and limits are those of this version of the profile; a case keeps to its end the version under which it was opened.",
        ))  # fmt: skip
    else:
        yield Para(say(
            lang,
            "本手册供指挥轴各岗位使用：派遣、处置、反馈、协调、督促。所列结案条件和处置时限均取自本版本方案，案卷自立案至结案一律适用其登记时的版本。",
            "For the posts of the command axis: dispatching, handling, answering, coordinating and pressing. Conditions and limits are those "
            "of this version of the profile; a case keeps to its end the version under which it was opened.",
        ))  # fmt: skip
    yield Items([
        say(lang, "监督与指挥分离：同一人不得在同一案卷的两个轴上操作。", "Supervision and command are apart: nobody acts on both axes of one case."),
        say(lang, "专业部门不得核查、结案自己承办的案卷。", "A department neither checks nor closes its own work."),
        say(lang, "回退、延期、挂账、作废等均须申请并经批准，逾期未批的申请自动失效；任何记录不得删除。",
            "Returning, extending, suspending, voiding are requests that somebody else approves; a request not decided in time expires. Nothing is deleted."),
    ])  # fmt: skip
    yield Heading(2, say(lang, "岗位", "Posts"))
    axes = {"supervision": say(lang, "监督轴", "supervision"), "command": say(lang, "指挥轴", "command")}
    rows = [(say(lang, one.zh, one.en), axes.get(one.axis, one.axis)) for one in steps.posts.values()]
    yield Table((say(lang, "岗位", "Post"), say(lang, "所属轴", "Axis")), rows, (50, 50))


def _codes(profile: Profile, lang: Lang) -> Iterator[Block]:
    yield Heading(1, say(lang, "编码", "Codes"))
    plus = say(lang, "、", ", ")
    rows = []
    for shape in profile.shapes.values():
        parts = [f"{say(lang, one.zh, one.en)} {one.width or ''}".strip() for one in shape.parts if one.name]
        rows.append((say(lang, shape.zh, shape.en), plus.join(parts), shape.example))
    head = (say(lang, "编码", "Code"), say(lang, "组成（位数）", "Parts (digits)"), say(lang, "示例", "Example"))
    yield Table(head, rows, (20, 48, 32), fixed=(2,))


def _sources(profile: Profile, lang: Lang) -> Iterator[Block]:
    yield Heading(1, say(lang, "依据与可信度", "Sources and confidence"))
    yield Para(say(
        lang,
        "每条时限和条件都保留其依据。标记说明如下；标为“未核实”的是示例起始值，城市应以本市手册替换。",
        "Every limit and condition keeps its source. The marks say how sure it is; what is marked as not seen is a starting value, to be "
        "replaced by the city's own handbook.",
    ))  # fmt: skip
    words = profile.labels.get("confidence", {})
    marks = {"verified": "", "inferred": "△", "recalled": "○"}
    rows = [
        (marks[key] or say(lang, "（无标记）", "(no mark)"), words[key].in_lang(lang)) for key in marks if key in words
    ]
    yield Table((say(lang, "标记", "Mark"), say(lang, "可信度", "Confidence")), rows, (30, 70))
    sources = sorted({one.source for one in profile.time_limits if one.confidence != "recalled"})
    if sources:
        yield Heading(2, say(lang, "已见依据", "Sources seen"))
        yield Items(sources)


def _numbered(blocks: Sequence[Block]) -> Iterator[Block]:
    """Chapters and sections get numbers: 1, 1.1."""
    chapter = section = 0
    for block in blocks:
        if not isinstance(block, Heading):
            yield block
        elif block.level == 1:
            chapter, section = chapter + 1, 0
            yield Heading(1, f"{chapter}  {block.text}", block.page)
        elif block.level == 2:
            section += 1
            yield Heading(2, f"{chapter}.{section}  {block.text}")
        else:
            yield block
