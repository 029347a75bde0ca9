"""The handbooks' chapters on what follows by itself: from a collector's answer, and when a case leaves a department."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from wanmi.cases.table import AnswerRule, AnswerStep, RequestRule, Rule, Step, StepTable
from wanmi.codes import Profile
from wanmi.codes.resources import Lang
from wanmi.profiles.document import Block, Heading, Items, Para, Table
from wanmi.profiles.print_steps import listed, post_words
from wanmi.profiles.words import field_word, say

__all__ = ["answer_blocks", "leaving_blocks"]

_RESULTS: Mapping[str, tuple[tuple[str, str], tuple[str, str], tuple[str, str]]] = MappingProxyType(
    {
        "verify": (("属实", "it is there"), ("不属实", "it is not there"), ("无法判断", "cannot tell")),
        "check": (("已处置到位", "it is done"), ("未处置到位", "it is not done"), ("无法判断", "cannot tell")),
    }
)
"""What a collector may answer to each kind of task: yes, no, unclear."""
_PRESENCE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "fine": ("在现场", "was there"),
        "doubtful": ("是否到场存疑", "presence in doubt"),
        "absent": ("不在现场", "was not there"),
    }
)
_HANDLING = "handle"
"""The stage in which a department has a case to work on."""


def answer_blocks(profile: Profile, steps: StepTable, lang: Lang) -> Iterator[Block]:
    """What a terminal's answer to a verify or check task does (``[answers]``); nothing where the table says nothing."""
    if not steps.answers:
        return
    yield Heading(1, say(lang, "任务答复", "Answers to tasks"))
    yield Para(say(
        lang,
        "采集员在终端上答复核实、核查任务。到场情况符合下列要求的答复即时生效；其余答复保留原样，由所列岗位判定，判定前案卷不动。",
        "Collectors answer verify and check tasks on their terminals. An answer whose presence is one of those below takes its step at "
        "once; any other is kept as it is and waits for one of the posts named, and the case stays where it is until then.",
    ))  # fmt: skip
    for kind, rule in steps.answers.items():
        send = steps.step(rule.send)
        yield Heading(2, say(lang, send.zh, send.en))
        yield Table(
            [say(lang, "答复", "Answer"), say(lang, "操作与所填内容", "Step, and what it says there")],
            [
                (say(lang, *word), _taken(profile, steps, step, lang))
                for word, step in zip(_RESULTS[kind], (rule.yes, rule.no, rule.unclear), strict=True)
            ],
            (24, 76),
        )
        yield Items(list(_who_decides(steps, rule, lang)))


def _taken(profile: Profile, steps: StepTable, answer: AnswerStep | None, lang: Lang) -> str:
    if answer is None:
        return say(lang, "由人判定", "a person decides")
    step = steps.step(answer.step)
    said = [
        f"{field_word(profile, name, lang)}{say(lang, '：', ': ')}{field_word(profile, str(value), lang)}"
        for name, value in answer.fields.items()
    ]
    said += [say(lang, f"意见：{answer.opinion}", f"opinion: {answer.opinion}")] if answer.opinion else []
    return say(lang, "；", "; ").join([say(lang, step.zh, step.en), *said])


def _who_decides(steps: StepTable, rule: AnswerRule, lang: Lang) -> Iterator[str]:
    if rule.confirmed or not rule.presence:
        yield say(lang, "所有答复均由人判定", "a person decides on every answer")
    else:
        judged = listed([say(lang, *_PRESENCE[one]) for one in rule.presence], lang)
        yield say(lang, f"即时生效的到场情况：{judged}", f"takes its step at once when the collector: {judged}")
    posts = post_words(steps, rule.posts, lang)
    yield say(lang, f"判定岗位：{posts}", f"decided by: {posts}")


def leaving_blocks(steps: StepTable, lang: Lang) -> Iterator[Block]:
    """What takes a case from the department that has it, and that the department is told (``department.left``)."""
    yield Heading(1, say(lang, "案卷离开部门", "When a case leaves a department"))
    yield Para(say(
        lang,
        "案卷因下列情形不再由部门处置时，系统随即记录并告知该部门：是哪一案卷、因何操作、意见如何、现由谁处置、现为何状态；信使规则另向其人员发送消息。",
        "A case that is no longer a department's to handle because of one of these is recorded and told to it at once: which case, what "
        "took it away, what was said, who has it now and how it stands. The messenger's rule tells its people.",
    ))  # fmt: skip
    yield Items([say(lang, rule.zh, rule.en) for rule in _taking(steps)])


def _taking(steps: StepTable) -> Sequence[Rule]:
    """Dispatches elsewhere, granted requests that take the department away, and ends of a case that is being handled."""
    rules: tuple[Step | RequestRule, ...] = (*steps.steps.values(), *steps.requests.values())
    return [*(one for one in rules if _takes_away(steps, one)), steps.acts["merge"]]


def _takes_away(steps: StepTable, rule: Step | RequestRule) -> bool:
    if not any(steps.states[state].stage == _HANDLING for state in rule.from_):
        return False
    ends = rule.to is not None and steps.states[rule.to].final
    return ends or "department" in (rule.clears if isinstance(rule, RequestRule) else rule.requires)
