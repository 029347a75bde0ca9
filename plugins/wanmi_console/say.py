"""One sentence for every entry: what happened, in words. Kinds of other plugins are told by their registered name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import msgspec

from wanmi.entries import Entry
from wanmi.registry import Registry, Stored
from wanmi_console.names import Names
from wanmi_console.shown import local_time
from wanmi_console.words import ROLES, Translate


@dataclass(frozen=True)
class Teller:
    """Tells entries in one language."""

    t: Translate
    names: Names
    registry: Registry

    def title(self, stored: Stored) -> str:
        """The name of the entry's kind."""
        if stored.entry is None:
            return self.t("Not addressed to this node")
        kind = self.registry.kinds.get((stored.entry.kind, stored.entry.kind_v))
        if kind is None:
            return stored.entry.kind
        return kind.zh if self.names.lang == "zh" else kind.en

    def sentence(self, stored: Stored) -> str:
        """What happened."""
        entry = stored.entry
        if entry is None:
            return self.t("Only its digest is held here: it proves the chain without telling what it says.")
        tell = _TELL.get(entry.kind) if entry.kind_v == 1 else None
        if tell is None:
            return ""
        if not self._fits(entry):
            return self.t("Its body does not fit its kind; the entry is kept as it came.")
        return tell(self, {**entry.body, "writer": entry.origin})

    def _fits(self, entry: Entry) -> bool:
        """Whether the body is what its kind says: another node's entry may be anything, and is kept and shown."""
        kind = self.registry.kinds.get((entry.kind, entry.kind_v))
        if kind is None:
            return False
        try:
            msgspec.convert(entry.body, kind.body, strict=True)
        except msgspec.ValidationError:
            return False
        return True


def _node_admitted(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {
        "origin": body["writer"],
        "code": body["code"],
        "name": body["name"],
        "role": teller.t(ROLES.get(body["role"], body["role"])),
    }
    if body["parent"] is None:
        return teller.t("%(role)s %(code)s %(name)s was founded.") % facts
    return teller.t("%(role)s %(code)s %(name)s was admitted by %(origin)s, with its keys.") % facts


def _node_revoked(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"origin": body["writer"], "code": body["code"], "reason": body["reason"]}
    return teller.t("%(origin)s no longer speaks with node %(code)s: %(reason)s") % facts


def _key_replaced(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"code": body["code"], "after": body["after"]}
    return (
        teller.t("Node %(code)s has another signing key; the earlier one stands for its entries up to %(after)s.")
        % facts
    )


def _terminal_admitted(teller: Teller, body: Mapping[str, Any]) -> str:
    return teller.t("Terminal %(terminal)s was admitted, with its key.") % {"terminal": body["terminal"]}


def _terminal_asked(teller: Teller, body: Mapping[str, Any]) -> str:
    return teller.t("A terminal asked to be admitted: %(model)s.") % {"model": body["model"]}


def _terminal_denied(teller: Teller, body: Mapping[str, Any]) -> str:
    return teller.t("A terminal was turned away: %(reason)s") % {"reason": body["reason"]}


def _terminal_rotating(teller: Teller, body: Mapping[str, Any]) -> str:
    return teller.t("Terminal %(terminal)s asked for a new key.") % {"terminal": body["terminal"]}


def _terminal_rotated(teller: Teller, body: Mapping[str, Any]) -> str:
    return teller.t("Terminal %(terminal)s has a new key.") % {"terminal": body["terminal"]}


def _rotation_ordered(teller: Teller, body: Mapping[str, Any]) -> str:
    return teller.t("Terminal %(terminal)s is to make a new key: %(reason)s") % {
        "terminal": body["terminal"],
        "reason": body["reason"],
    }


def _terminal_revoked(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"terminal": body["terminal"], "reason": body["reason"]}
    return teller.t("Reports of terminal %(terminal)s are refused from now on: %(reason)s") % facts


def _report_received(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {
        "edge": body["writer"],
        "terminal": body["terminal"],
        "category": teller.names.category(body["kind"], body["category"]),
        "time": local_time(body["made_at"]),
        "n": len(body["attachments"]),
    }
    return (
        teller.t(
            "Edge %(edge)s took in a signed report of terminal %(terminal)s: %(category)s, seen %(time)s, "
            "attachments: %(n)s."
        )
        % facts
    )


def _report_refused(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"edge": body["writer"], "terminal": body["terminal"], "reason": body["reason"]}
    return teller.t("Edge %(edge)s refused a report of terminal %(terminal)s: %(reason)s") % facts


def _case_opened(teller: Teller, body: Mapping[str, Any]) -> str:
    grid = body["grid"]
    facts = {
        "number": body["number"],
        "category": teller.names.of(body["profile"]).category(body["kind"], body["category"]),
        "place": teller.names.place_line(grid) if grid else teller.t("outside every unit grid"),
        "stage": teller.names.stage(body["stage"]),
    }
    return teller.t("Case %(number)s was opened: %(category)s, %(place)s; stage: %(stage)s.") % facts


def _case_stepped(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {
        "step": teller.names.step(body["step"]),
        "before": teller.names.state(body["from_state"]),
        "after": teller.names.state(body["state"]),
    }
    return teller.t("%(step)s: %(before)s → %(after)s.") % facts


def _arrival_noted(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"origin": body["origin"], "via": body["via"], "seq": body["seq"], "by": body["writer"]}
    return teller.t("Chain %(origin)s had reached %(by)s up to entry %(seq)s, by way of %(via)s.") % facts


def _link_changed(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"peer": body["peer"], "by": body["writer"], "reason": body["reason"]}
    if body["up"]:
        return teller.t("The link of %(peer)s to %(by)s came up: %(reason)s") % facts
    return teller.t("The link of %(peer)s to %(by)s went down: %(reason)s") % facts


def _clock_stepped(teller: Teller, body: Mapping[str, Any]) -> str:
    facts = {"ms": body["step"] // 1000, "source": body["source"], "origin": body["writer"]}
    return teller.t("The clock of %(origin)s stepped by %(ms)s ms (source: %(source)s).") % facts


_TELL: Final[Mapping[str, Callable[[Teller, Mapping[str, Any]], str]]] = MappingProxyType(
    {
        "node.admitted": _node_admitted,
        "node.revoked": _node_revoked,
        "key.replaced": _key_replaced,
        "terminal.admitted": _terminal_admitted,
        "terminal.revoked": _terminal_revoked,
        "terminal.asked": _terminal_asked,
        "terminal.denied": _terminal_denied,
        "terminal.rotating": _terminal_rotating,
        "terminal.rotated": _terminal_rotated,
        "terminal.rotation_ordered": _rotation_ordered,
        "report.received": _report_received,
        "report.refused": _report_refused,
        "case.opened": _case_opened,
        "case.stepped": _case_stepped,
        "arrival.noted": _arrival_noted,
        "link.changed": _link_changed,
        "clock.stepped": _clock_stepped,
    }
)
