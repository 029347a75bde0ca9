"""Overview: every node that is known, its links with lag and backlog, its countersigned head, its health."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wanmi_tui.cells import ago, clock, size, span
from wanmi_tui.pages import Cell, Column, Line, Look, Page, dim, joined, page_of, plain, state_cell
from wanmi_tui.state import NodeState
from wanmi_tui.topics import HEADS, HEALTH, LINKS, NODES, OWN
from wanmi_tui.wire import HealthLine, SignedHead
from wanmi_tui.words import T, word

COLUMNS = (
    Column(T.name, 14, 2),
    Column(T.state, 11),
    Column(T.heard, 6),
    Column(T.lag, 6, right=True),
    Column(T.backlog, 7, right=True),
    Column(T.cosigned, 13, right=True),
    Column(T.why, 10, 3),
)
_GRAVE = ("bad", "warn", "unknown", "fine")


def nodes_page(look: Look, states: Sequence[NodeState]) -> Page:
    """A line for each watched node, then one for each of its links and for what is not fine with it."""
    lines = (line for state in states for line in _of_node(look, state))
    return page_of(look, states, HEALTH, T.what_nodes, COLUMNS, lines)


def _of_node(look: Look, state: NodeState) -> Iterator[Line]:
    yield _itself(look, state)
    health = state.get(HEALTH) or []
    links = [line for line in health if line.name.startswith("link ")]
    yield from (_link(look, state, line) for line in links)
    others = [line for line in health if line not in links]
    yield from (_probe(look, state, line) for line in sorted(others, key=lambda one: _GRAVE.index(one.state)))


def _itself(look: Look, state: NodeState) -> Line:
    lang, own, heads = look.lang, state.get(OWN), state.get(HEADS)
    name = state.code if own is None else f"{own.code} {word(own.role, lang)}"
    held = next((chain.seq for chain in heads.chains if chain.origin == state.code), None) if heads else None
    cosign = newest_cosign(state)
    at_head = "–" if held is None else f"{cosign.seq if cosign else 0}/{held}"
    why = state.why_in(lang) if state.reach != "up" else _summary(look, state)
    cells = (
        plain(name), state_cell(state.reach, lang), dim(ago(state.heard_at, look.now, lang) if state.reach != "up" else clock(state.heard_at)[:5]),
        dim(""), plain(_backlog(held, cosign)), plain(at_head), Cell(why, "plain" if state.reach == "up" else "bad"),
    )  # fmt: skip
    told = "" if cosign is None else f"{T.by.to(lang)} {cosign.by} {clock(cosign.at, date=True)}"
    wrong = "" if not heads else joined(T.forks.to(lang, n=heads.forks), T.quarantined.to(lang, n=heads.quarantined))
    notes = (
        joined(state.url, own.version if own else "", why),
        joined(f"{T.cosigned.to(lang)} {at_head}", told, wrong),
    )
    return Line(f"{state.url}|", state, cells, own, notes)


def newest_cosign(state: NodeState) -> SignedHead | None:
    """The furthest countersignature of the node's own chain by somebody else."""
    heads = state.get(HEADS)
    signed = [one for one in heads.cosigns if one.origin == state.code != one.by] if heads else []
    return max(signed, key=lambda one: one.seq, default=None)


def _backlog(held: int | None, cosign: SignedHead | None) -> str:
    return "" if held is None or cosign is None else str(held - cosign.seq)


def _summary(look: Look, state: NodeState) -> str:
    worst = [line for line in state.get(HEALTH) or [] if line.state in {"bad", "warn"}]
    return worst[0].reason if worst else T.fine.to(look.lang)


def _link(look: Look, state: NodeState, line: HealthLine) -> Line:
    lang, facts = look.lang, line.facts
    peer = line.name.removeprefix("link ")
    waits, oldest = int(facts.get("waiting_entries", 0)), int(facts.get("oldest_s", 0))
    confirmed = str(facts.get(f"confirmed {state.code}", "")) or str(facts.get(f"confirmed {peer}", ""))
    known, links = {node.code: node for node in state.get(NODES) or []}, state.get(LINKS)
    name = known[peer].name if peer in known else ""
    heard = _time_of(str(facts.get("heard", "")))
    cells = (
        plain(f"└↔ {peer} {name}"), state_cell(line.state, lang), dim(heard), plain(span(oldest, lang) if waits else "0"),
        plain(str(waits)), plain(confirmed), Cell(line.reason, "plain" if line.state == "fine" else "warn"),
    )  # fmt: skip
    kept = next((one for one in links.links if peer in {one.peer, one.by}), None) if links else None
    journaled = (
        "" if kept is None else f"{(T.link_up if kept.up else T.link_down).to(lang)} {clock(kept.at, date=True)}"
    )
    more = joined(f"{T.heard.to(lang)} {heard}", size(int(facts.get("waiting_bytes", 0))), journaled)
    return Line(f"{state.url}|link {peer}", state, cells, line, (line.reason, more))


def _probe(look: Look, state: NodeState, line: HealthLine) -> Line:
    facts = "  ".join(f"{name} {value}" for name, value in line.facts.items())
    cells = (
        plain(f"└ {line.name}"), state_cell(line.state, look.lang), dim(""), dim(""), dim(""), dim(""),
        Cell(line.reason, "plain" if line.state == "fine" else "warn"),
    )  # fmt: skip
    return Line(f"{state.url}|{line.name}", state, cells, line, (line.reason, facts))


def _time_of(told: str) -> str:
    """An ISO time of the node as a time of day; its own word otherwise."""
    from datetime import datetime

    try:
        return clock(int(datetime.fromisoformat(told).timestamp() * 1_000_000))[:5]
    except ValueError:
        return "–"
