"""The pure layer: cells are counted, never characters; what is told fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from wanmi_tui.cells import ago, clock, column_widths, cut, degrees, fit, fold, number, pair_lines, size, span, spark
from wanmi_tui.words import LANGS, T, Text, word
from wanmi_tui.words_terminals import TerminalWords

SECOND = 1_000_000
texts = st.text(st.sampled_from("万米不间断电源，。 ab1-…·é"), max_size=60)


@given(texts, st.integers(0, 40), st.booleans())
def test_a_cell_is_exactly_as_wide_as_it_should_be(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right)) == width
    assert cell_len(cut(text, width)) <= width


@given(texts, st.integers(4, 40))
def test_folding_loses_nothing_and_fits(text: str, width: int) -> None:
    lines = fold(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3)), min_size=1, max_size=9), st.integers(1, 200))
def test_columns_share_the_width(wanted: list[tuple[int, int]], width: int) -> None:
    widths = column_widths(wanted, width)
    shown = [one for one in widths if one]
    assert shown == widths[: len(shown)], "the last ones are left out"
    if len(shown) > 1:
        assert sum(shown) + len(shown) - 1 <= width
    if any(weight for _, weight in wanted[: len(shown)]) and len(shown) > 1:
        assert sum(shown) + len(shown) - 1 == width, "no room is wasted where a column can grow"


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=80), st.integers(0, 40))
def test_a_trend_is_as_long_as_what_was_seen(values: list[float | None], width: int) -> None:
    drawn = spark(values, width)
    shown = values[-width:] if width else []
    assert len(drawn) == (len(shown) if any(value is not None for value in shown) else 0)
    assert all((bar == " ") == (value is None) for bar, value in zip(drawn, shown, strict=False))


def test_times_sizes_and_values_as_people_read_them() -> None:
    assert [span(s, "en") for s in (0, 9, 47, 61, 7199, 7200, 200_000)] == [
        "now",
        "now",
        "40 s",
        "1 min",
        "119 min",
        "2 h",
        "2 d",
    ]
    assert ago(None, 5, "zh") == "–"
    assert ago(10 * SECOND, 200 * SECOND, "zh") == "3 分"
    assert clock(1_795_542_918 * SECOND, date=True) == "11-25 01:55:18"
    assert [size(n) for n in (12, 2048, 250_000, 3_000_000_000)] == ["12 B", "2.0 kB", "250 kB", "3.0 GB"]
    assert [number(n) for n in (42.0, 6553.5, 0.12345)] == ["42", "6553.5", "0.123"]
    assert degrees(1234291234, 417967890) == "123.42912 41.79679"
    assert pair_lines("键", "值", 30) == ["键" + " " * 21 + "值"]


def test_every_word_is_there_in_both_languages_and_takes_the_same_facts() -> None:
    import re

    words = {name: text for name, text in {**vars(TerminalWords), **vars(T)}.items() if isinstance(text, Text)}
    assert len(words) > 150
    for name, text in words.items():
        assert text.zh.strip(), name
        assert text.en.strip(), name
        assert sorted(re.findall(r"{(\w+)}", text.zh)) == sorted(re.findall(r"{(\w+)}", text.en)), name


def test_a_state_that_nobody_knows_is_shown_as_it_is() -> None:
    assert [word("unreachable", lang) for lang in LANGS] == ["无法连接", "unreachable"]
    assert word("glowing", "zh") == "glowing"
    assert word(None, "en") == "–"
