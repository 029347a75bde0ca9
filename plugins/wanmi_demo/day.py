"""A day of both districts: scripted staff work cases to their end by the desk's own actions.

Nobody acts on two axes of a case, deadlines are real, and the collector's terminal answers tasks by itself: what a
turn can do it does, the rest waits for a later turn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from wanmi.errors import LinkError, StoreError, WanmiError
from wanmi_demo.city import DISTRICTS, DemoCity
from wanmi_demo.day_photos import Uploads, made_up_png
from wanmi_demo.day_plan import ENDS, FIRST, LOOK_CLOSELY, SHORT, CasePlan, Seen, next_move, plan_case
from wanmi_demo.day_press import Press
from wanmi_demo.day_rows import DayRows
from wanmi_demo.day_staff import Staff, login_of
from wanmi_demo.screen import Screen

SECOND = 1_000_000
TASK_SECONDS = 1800
REFUSALS = 5
"""Refusals of one kind, of one move in one state, after which a case is given up."""
SUSPENDED_SECONDS = 15
"""How long a suspension of the day lasts; the desk's timer ends it."""
LATE_LIMIT = {"value": 1, "unit": "natural_minute"}
"""The shortest limit that a desk takes: whoever is to be late gets it."""
IN_HAND = 24
"""Cases that a district's staff work at a time."""
TURN = 0.8
"""Seconds of a turn at most, so that faults and the screen are not kept waiting."""
STEPS: dict[str, tuple[str, str]] = {
    "accept": ("operator", ""),
    "file": ("operator", ""),
    "reject": ("operator", "不属于城市管理部件、事件"),
    "pass_on": ("dispatcher", ""),
    "rework": ("dispatcher", "现场未清理干净，请返工"),
    "take": ("department", ""),
    "propose_close": ("operator", ""),
    "refuse_close": ("shift_leader", "照片看不清处置结果"),
    "close": ("shift_leader", "处置到位，同意结案"),
}
"""Steps that need no more than a post and words."""
ASKS: dict[str, tuple[str, str]] = {
    "void": ("operator", "同一问题已由其他渠道办结"),
    "return": ("department", "不属于本部门职责"),
    "extension": ("department", "需要协调大型机械"),
    "suspension": ("department", "等待施工许可"),
}


@dataclass
class Day:
    """The play: which cases are in it, and what was done."""

    city: DemoCity
    staff: Staff
    press: Press
    seed: int
    screen: Screen
    limit: int
    """Cases of a district in all; 0: without end."""
    short: bool = False
    """Only what needs no waiting, and no faults."""
    plans: dict[str, dict[str, CasePlan]] = field(default_factory=lambda: {code: {} for code in DISTRICTS})
    ended: dict[str, str] = field(default_factory=dict)
    moves: Counter[str] = field(default_factory=Counter)
    stuck: dict[str, str] = field(default_factory=dict)
    """Cases whose move was refused the same way again and again, with the last refusal: their script ends there."""

    def __post_init__(self) -> None:
        self._rows = DayRows(self.city)
        self._uploads = Uploads(self.city.password)
        self._refused: dict[str, tuple[tuple[str, str, str], int]] = {}
        self._dice = Random(self.seed)  # noqa: S311 - a play, no secret

    @classmethod
    def begin(cls, city: DemoCity, seed: int, screen: Screen, limit: int, *, short: bool = False) -> Day:
        """Bring the staff into the running nodes."""
        staff = Staff.begin(city)
        press = Press.begin(city, staff)
        if not press.able:
            screen.say("the plugin supervision is not installed: the city presses nothing 未装督办插件，市级不督办")
        return cls(city, staff, press, seed, screen, len(SHORT) if short else limit, short)

    @property
    def done(self) -> int:
        """Cases that need no more turns: at their end, or given up."""
        return len(self.ended) + len(self.stuck)

    @property
    def scripted(self) -> int:
        """Cases in the play so far."""
        return sum(len(plans) for plans in self.plans.values())

    def open(self) -> list[str]:
        """Scripted cases that are not done yet."""
        return [number for plans in self.plans.values() for number in plans if number not in self.ended]

    def turn(self) -> int:
        """Do what can be done now, for less than a second or so; how many moves that were."""
        until, done = time.monotonic() + TURN, 0
        for district in DISTRICTS:
            self._take_in(district)
            cases = self._rows.cases(district, self._going(district))
            self._dice.shuffle(cases)
            for seen in cases:
                if time.monotonic() > until:
                    break
                done += self._case(seen, self.plans[district][seen.number])
        return done

    def close(self) -> None:
        """Close the databases that were read, and the sessions."""
        self._rows.close()
        self._uploads.close()

    def _take_in(self, district: str) -> None:
        plans = self.plans[district]
        room = IN_HAND - len(self._going(district))
        if self.limit:
            room = min(room, self.limit - len(plans))
        if room > 0:
            for number in self._rows.waiting(district, plans, room):
                plans[number] = plan_case(self.seed, district, len(plans), SHORT if self.short else FIRST)

    def _going(self, district: str) -> list[str]:
        """The district's cases that are still worked."""
        return [n for n in self.plans[district] if n not in self.ended and n not in self.stuck]

    def _case(self, seen: Seen, plan: CasePlan) -> int:
        """One move with a case; a refusal is told, and the case looked at again in a later turn."""
        if seen.state in ENDS:
            self.ended[seen.number] = seen.state
            return 0
        pressing = plan.pressed and seen.state == "handling" and self.press.waits(seen)
        move = "press" if pressing else next_move(seen, plan)
        try:
            if move is None or not self._do(move, seen, plan):
                return 0
        except WanmiError as error:
            self.screen.say(f"{seen.number}: {move}: {error}")
            self._count_refusal(seen, move or "", error)
            return 0
        self._refused.pop(seen.number, None)
        self.moves[move] += 1
        return 1

    def _count_refusal(self, seen: Seen, move: str, error: WanmiError) -> None:
        """Give a case up that does not get on; a node that cannot be reached comes back and is no refusal."""
        if isinstance(error, (LinkError, StoreError)):
            return
        way = (seen.state, move, type(error).__name__)
        before, times = self._refused.get(seen.number, (way, 0))
        self._refused[seen.number] = (way, times + 1 if before == way else 1)
        if self._refused[seen.number][1] >= REFUSALS:
            self.stuck[seen.number] = f"{move}: {error}"

    def _do(self, move: str, seen: Seen, plan: CasePlan) -> bool:
        if move in STEPS:
            post, opinion = STEPS[move]
            self._step(seen, move, post, opinion=opinion)
            return True
        if move.startswith("ask:"):
            self._ask(seen, move.removeprefix("ask:"))
            return True
        special: dict[str, Callable[[Seen, CasePlan], bool]] = {
            "press": lambda seen, _: self.press.press(seen),
            "dispatch": self._dispatch,
            "decide": self._decide,
            "answer": self._answer,
            "send_verify": lambda seen, _: self._send_task(seen, "verify", "请核实问题是否存在"),
            "send_check": self._send_check,
            "decide_answer": self._decide_answer,
            "merge": self._merge,
            "unmerge": self._unmerge,
        }
        return special[move](seen, plan)

    # -- moves ----------------------------------------------------------------------------------------

    def _dispatch(self, seen: Seen, plan: CasePlan) -> bool:
        """To the department that routing names; a case that one gave back goes to the district's own bureau."""
        more: dict[str, Any] = {"limit": LATE_LIMIT, "reason": "市民集中反映，限时处置"} if plan.late else {}
        if seen.state == "returned":
            more["department"] = f"{seen.owner}-CG"
        self._step(seen, "dispatch", "dispatcher", **more)
        return True

    def _ask(self, seen: Seen, what: str) -> None:
        post, opinion = ASKS[what]
        more: dict[str, Any] = {}
        if what == "suspension":
            more["until"] = time.time_ns() // 1000 + SUSPENDED_SECONDS * SECOND
        self._act("case.request", seen, post, what=what, opinion=opinion, **more)

    def _decide(self, seen: Seen, _plan: CasePlan) -> bool:
        case = self.city.action(seen.owner, "case.show", number=seen.number)
        for one in case["requests"]:
            if one["state"] == "open":
                post = "shift_leader" if one["what"] == "void" else "dispatcher"
                self._act("case.decide", seen, post, request=one["id"], granted=True, opinion="同意")
        return True

    def _answer(self, seen: Seen, _plan: CasePlan) -> bool:
        self._who(seen, "department")  # the person comes with the department's first case
        login = login_of(seen.department or "")
        photo = self._uploads.hand_in(self.city.nodes[seen.owner], login, seen.number, made_up_png(self._dice))
        self._step(seen, "answer", "department", opinion="已处置完毕", attachments=[photo])
        return True

    def _send_check(self, seen: Seen, plan: CasePlan) -> bool:
        first = plan.failed and not seen.counts.get("check_failed")
        return self._send_task(seen, "check", f"{LOOK_CLOSELY}处置结果" if first else "请核查处置结果")

    def _send_task(self, seen: Seen, kind: str, remark: str) -> bool:
        """To the terminal that reported; its holder becomes the case's collector."""
        self.city.action(
            seen.owner, "task.send_case", kind=kind, case=seen.number, terminal=self._terminal(seen), remark=remark,
            deadline=time.time_ns() // 1000 + TASK_SECONDS * SECOND, actor=self._who(seen, "operator"), post="operator",
        )  # fmt: skip
        return True

    def _decide_answer(self, seen: Seen, _plan: CasePlan) -> bool:
        """Where the collector's presence is doubted, the operator telephones."""
        if seen.task is not None:
            self.city.action(
                seen.owner, "task.decide", task_id=seen.task.task_id, accepted=True, opinion="电话核实，采集员在现场",
                actor=self._who(seen, "operator"), post="operator",
            )  # fmt: skip
        return seen.task is not None

    def _merge(self, seen: Seen, _plan: CasePlan) -> bool:
        """Into another case of the day; by mistake, as it turns out."""
        numbers = [n for n in self._going(seen.owner) if n != seen.number]
        others = [one for one in self._rows.cases(seen.owner, numbers) if one.state not in (*ENDS, "merged")]
        if others:
            self._act("case.merge", seen, "operator", other=others[0].number, opinion="看似同一问题")
        return bool(others)

    def _unmerge(self, seen: Seen, _plan: CasePlan) -> bool:
        self._act("case.unmerge", seen, "operator", opinion="现场为两处问题")
        return True

    def _step(self, seen: Seen, step: str, post: str, **more: Any) -> None:
        self._act("case.step", seen, post, step=step, **more)

    def _act(self, action: str, seen: Seen, post: str, **more: Any) -> None:
        who: dict[str, Any] = {"actor": self._who(seen, post), "post": post}
        if post == "department":
            who["unit"] = seen.department
        self.city.action(seen.owner, action, number=seen.number, **who, **more)

    def _who(self, seen: Seen, post: str) -> str:
        if post == "department" and seen.department is not None:
            return self.staff.department(seen.owner, seen.department)
        return self.staff.person(seen.owner, post)

    def _terminal(self, seen: Seen) -> str:
        """A terminal of the case's own district."""
        own = seen.terminal or ""
        return own if own.startswith(f"T{seen.owner}") else f"T{seen.owner}-0001"
