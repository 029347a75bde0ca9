"""A printed document as data (headings, paragraphs, tables), and its two forms: one HTML file for print, and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from wanmi.codes.resources import Lang

__all__ = ["Block", "Cell", "Document", "Heading", "Items", "Para", "Table", "to_html", "to_markdown"]

Cell = str | None
"""A cell's text; None goes on from the cell above."""


@dataclass(frozen=True)
class Heading:
    """A heading; levels 1 and 2 stand in the contents. ``page``: it begins a page."""

    level: int
    text: str
    page: bool = False


@dataclass(frozen=True)
class Para:
    """A paragraph; ``note`` is set smaller."""

    text: str
    note: bool = False


@dataclass(frozen=True)
class Items:
    """A list of short lines."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table; ``widths`` in percent, one a column."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int]
    fixed: Sequence[int] = ()
    """Columns set in digits of one width (codes)."""


Block = Heading | Para | Items | Table


@dataclass(frozen=True)
class Document:
    """The whole: a cover (title, lines under it), then blocks."""

    lang: Lang
    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    contents: str
    blocks: Sequence[Block]


def to_html(document: Document) -> str:
    """One HTML file without anything from outside; its style sheet is made for A4 paper and a screen alike."""
    style = (files("wanmi") / "static" / "handbook.css").read_text(encoding="utf-8")
    body = "\n".join(_html_blocks(document.blocks))
    lang = "zh-CN" if document.lang == "zh" else "en"
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(document.title)} · {escape(document.subtitle)}</title>
<style>
{style}</style>
</head>
<body>
<header class="cover">
<h1 class="title">{escape(document.title)}</h1>
<p class="subtitle">{escape(document.subtitle)}</p>
<dl>{"".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in document.facts)}</dl>
</header>
<nav>
<h2>{escape(document.contents)}</h2>
<ol>
{_contents(document.blocks)}
</ol>
</nav>
<main>
{body}
</main>
</body>
</html>
"""


def to_markdown(document: Document) -> str:
    """The same as Markdown."""
    parts = [f"# {document.title}", document.subtitle]
    parts.append("\n".join(f"- {name}: {value}" for name, value in document.facts))
    parts += [_markdown(block) for block in document.blocks]
    return "\n\n".join(parts) + "\n"


# -- HTML ---------------------------------------------------------------------------------------------------


def _html_blocks(blocks: Sequence[Block]) -> Iterator[str]:
    count = 0
    for block in blocks:
        if isinstance(block, Heading):
            count += 1
            page = " class=page" if block.page or count == 1 else ""
            yield f'<h{block.level + 1} id="s{count}"{page}>{escape(block.text)}</h{block.level + 1}>'
        elif isinstance(block, Para):
            yield f"<p{' class=note' if block.note else ''}>{escape(block.text)}</p>"
        elif isinstance(block, Items):
            yield f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in block.lines)}</ul>"
        else:
            yield _html_table(block)


def _contents(blocks: Sequence[Block]) -> str:
    headings = [block for block in blocks if isinstance(block, Heading)]
    lines = [
        f'<li class="l{one.level}"><a href="#s{n}">{escape(one.text)}</a></li>'
        for n, one in enumerate(headings, 1)
        if one.level <= 2
    ]
    return "\n".join(lines)


def _html_table(table: Table) -> str:
    columns = "".join(f'<col style="width:{width}%">' for width in table.widths)
    head = "".join(f"<th>{escape(name)}</th>" for name in table.head)
    groups = "\n".join(_html_group(group, table.fixed) for group in _groups(table.rows))
    return f"<table><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>\n{groups}\n</table>"


def _groups(rows: Sequence[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    """Rows that belong together: those whose first cell goes on from above; a page does not break between them."""
    group: list[Sequence[Cell]] = []
    for row in rows:
        if row[0] is not None and group:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _html_group(rows: Sequence[Sequence[Cell]], fixed: Sequence[int]) -> str:
    lines = []
    for n, row in enumerate(rows):
        cells = [_html_cell(rows, n, column, fixed) for column, cell in enumerate(row) if cell is not None]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<tbody>{''.join(lines)}</tbody>"


def _html_cell(rows: Sequence[Sequence[Cell]], n: int, column: int, fixed: Sequence[int]) -> str:
    span = 1
    while n + span < len(rows) and rows[n + span][column] is None:
        span += 1
    down = f' rowspan="{span}"' if span > 1 else ""
    kind = ' class="code"' if column in fixed else ""
    return f"<td{down}{kind}>{escape(rows[n][column] or '')}</td>"


# -- Markdown -------------------------------------------------------------------------------------------------


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * (block.level + 1)} {block.text}"
    if isinstance(block, Para):
        return f"*{block.text}*" if block.note else block.text
    if isinstance(block, Items):
        return "\n".join(f"- {line}" for line in block.lines)
    rows = [block.head, ["---"] * len(block.head), *block.rows]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows)


def _plain(cell: Cell) -> str:
    return (cell or "").replace("|", "\\|").replace("\n", " ")
