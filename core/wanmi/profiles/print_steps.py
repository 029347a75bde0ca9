"""The handbooks' chapters on the work: the way of a case, steps by post, requests, forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from wanmi.cases.stages import STAGES
from wanmi.cases.table import RequestRule, Rule, Step, StepTable
from wanmi.codes import Profile
from wanmi.codes.resources import Lang
from wanmi.profiles.document import Block, Cell, Heading, Para, Table
from wanmi.profiles.print_catalogue import limit_words
from wanmi.profiles.words import field_word, guard_word, say

__all__ = ["flow_blocks", "form_blocks", "listed", "post_words", "request_blocks", "step_blocks"]

Axis = Literal["supervision", "command"]


def flow_blocks(steps: StepTable, lang: Lang) -> Iterator[Block]:
    """The stages in order, each with its states."""
    yield Heading(1, say(lang, "案卷流程", "The way of a case"))
    rows = []
    for stage in STAGES:
        states = [say(lang, one.zh, one.en) for one in steps.states.values() if one.stage == stage.id]
        if states:
            rows.append((say(lang, stage.zh, stage.en), say(lang, "、", "; ").join(states)))
    yield Table((say(lang, "阶段", "Stage"), say(lang, "案卷状态", "States of a case")), rows, (24, 76))


def step_blocks(profile: Profile, steps: StepTable, axis: Axis, lang: Lang) -> Iterator[Block]:
    """What each post of the axis may do, in the order of the table."""
    yield Heading(1, say(lang, "各岗位操作", "Steps by post"))
    for name, post in steps.posts.items():
        own = [step for step in steps.steps.values() if name in step.posts]
        if post.axis != axis or not own:
            continue
        yield Heading(2, say(lang, post.zh, post.en))
        yield Table(
            (
                say(lang, "操作", "Step"),
                say(lang, "案卷状态", "When the case is"),
                say(lang, "操作后", "Then it is"),
                say(lang, "须填", "To be given"),
                say(lang, "条件与计时", "Conditions and clocks"),
            ),
            [_step_row(profile, steps, step, lang) for step in own],
            (14, 26, 14, 18, 28),
        )
    acts = [act for act in steps.acts.values() if _on_axis(steps, act.posts, axis)]
    if acts:
        yield Heading(2, say(lang, "其他操作", "Other acts"))
        rows = [
            (say(lang, act.zh, act.en), post_words(steps, act.posts, lang), _fields(profile, act.requires, lang) or "—")
            for act in acts
        ]
        head = (say(lang, "操作", "Act"), say(lang, "岗位", "Posts"), say(lang, "须填", "To be given"))
        yield Table(head, rows, (30, 40, 30))


def request_blocks(profile: Profile, steps: StepTable, axis: Axis, lang: Lang) -> Iterator[Block]:
    """Requests that posts of the axis make or decide."""
    rules = [rule for rule in steps.requests.values() if _on_axis(steps, [*rule.posts, *rule.approvers], axis)]
    if not rules:
        return
    yield Heading(1, say(lang, "申请与批准", "Requests and approvals"))
    yield Para(
        say(
            lang,
            "申请须写明理由；申请人不得批准自己的申请。",
            "A request says why; nobody decides on a request of their own.",
        )
    )
    head = (
        say(lang, "申请", "Request"), say(lang, "申请岗位", "Asked by"), say(lang, "批准岗位", "Decided by"),
        say(lang, "可申请的状态", "When the case is"), say(lang, "规定", "Rules"),
    )  # fmt: skip
    rows = [
        (
            say(lang, rule.zh, rule.en), post_words(steps, rule.posts, lang), post_words(steps, rule.approvers, lang),
            _states(steps, rule.from_, lang), _rules(profile, steps, rule, lang),
        )
        for rule in rules
    ]  # fmt: skip
    yield Table(head, rows, (13, 14, 14, 27, 32))


def form_blocks(profile: Profile, steps: StepTable, axis: Axis, lang: Lang) -> Iterator[Block]:
    """The forms: what has to be filled in, by whom, with which choices."""
    named: list[tuple[str, Rule, Sequence[str]]] = [
        (say(lang, one.zh, one.en), one, one.posts)
        for one in (*steps.steps.values(), *steps.requests.values())
        if one.requires
    ]
    forms = [(name, rule, posts) for name, rule, posts in named if _on_axis(steps, posts, axis)]
    if not forms:
        return
    yield Heading(1, say(lang, "表单", "Forms"))
    yield Para(say(lang, "以下操作须填写表单，缺项不得提交。每份表单另由系统记录案卷编号、操作人、岗位和时间。",
                   "These cannot be sent without what they ask for. The system adds case number, person, post and time."))  # fmt: skip
    rows: list[Sequence[Cell]] = []
    for name, rule, posts in forms:
        for n, field in enumerate(rule.requires):
            choices = _fields(profile, rule.results, lang) if isinstance(rule, Step) and field == "result" else ""
            who = post_words(steps, posts, lang)
            rows.append(
                (
                    name if n == 0 else None,
                    who if n == 0 else None,
                    field_word(profile, field, lang),
                    choices or _how(field, lang),
                )
            )
    head = (
        say(lang, "表单", "Form"),
        say(lang, "填写岗位", "Filled in by"),
        say(lang, "必填项", "Field"),
        say(lang, "填写要求", "How"),
    )
    yield Table(head, rows, (20, 26, 20, 34))


def _how(field: str, lang: Lang) -> str:
    if field.startswith("photo"):
        return say(lang, "至少一张，与现场一致", "at least one, of the place itself")
    if field == "opinion":
        return say(lang, "文字说明，不超过 2000 字", "in words, at most 2000 characters")
    if field == "order":
        return say(lang, "填写督办或转交指令的编号", "number of the order it answers")
    if field == "until":
        return say(lang, "日期", "a date")
    return say(lang, "按名录选择", "chosen from the list")


def _step_row(profile: Profile, steps: StepTable, step: Step, lang: Lang) -> Sequence[Cell]:
    may = _fields(profile, [one for one in step.sets if one not in step.requires], lang)
    given = _fields(profile, step.requires, lang)
    if may:
        given = f"{given}{say(lang, '；可填：', '; may be given: ') if given else say(lang, '可填：', 'may be given: ')}{may}"
    return (
        say(lang, step.zh, step.en), _states(steps, step.from_, lang), say(lang, steps.states[step.to].zh, steps.states[step.to].en),
        given or "—", _conditions(profile, steps, step, lang) or "—",
    )  # fmt: skip


def _conditions(profile: Profile, steps: StepTable, rule: Rule, lang: Lang) -> str:
    lines = [guard_word(profile, guard, lang) for guard in rule.guards]
    acts = {
        "start": say(lang, "“{}”开始计时", "clock “{}” starts"),
        "stop": say(lang, "“{}”停止计时", "clock “{}” stops"),
        "pause": say(lang, "“{}”暂停计时", "clock “{}” is paused"),
        "resume": say(lang, "“{}”恢复计时", "clock “{}” goes on"),
        "extend": say(lang, "“{}”增加一个原时限", "clock “{}” gets one original limit more"),
    }
    for effect in rule.effects():
        clock = steps.clocks[effect.clock]
        lines.append(acts[effect.what].format(say(lang, clock.zh, clock.en)))
    if isinstance(rule, Step):
        lines += _clock_rules(profile, steps, rule, lang)
    return say(lang, "；", "; ").join(lines)


def _clock_rules(profile: Profile, steps: StepTable, step: Step, lang: Lang) -> Iterator[str]:
    """What bounds the clock that a step starts."""
    if step.starts is None:
        return
    if step.same_department == "goes_on":
        yield say(
            lang, "派给在办或未办退回的原部门，接续计时", "for the department that has or gave it back, it goes on"
        )
    if step.earlier_department == "goes_on":
        yield say(
            lang, "再派给此前未反馈即交出的部门，接续其自己已用的时间，说明理由另定时限的除外",
            "back at a department that gave it up unanswered, it goes on with the time which that one used, unless a new limit is given with a reason",
        )  # fmt: skip
    clock = steps.clocks[step.starts]
    if "limit" in step.sets and clock.most_percent:
        yield say(
            lang, f"另定时限须写明理由，不超过类别时限的 {clock.most_percent}%",
            f"another limit needs a reason, at most {clock.most_percent} % of the category's",
        )  # fmt: skip
    if "limit" in step.sets and clock.most is not None:
        most = limit_words(profile, clock.most.value, clock.most.unit, lang)
        yield say(lang, f"时限最长 {most}", f"a limit of at most {most}")


def _rules(profile: Profile, steps: StepTable, rule: RequestRule, lang: Lang) -> str:
    lines = [_conditions(profile, steps, rule, lang)]
    lines.append(say(lang, f"须在 {rule.expires_hours} 小时内批复", f"decided within {rule.expires_hours} hours"))
    if rule.reviewers > 1:
        lines.append(say(lang, f"须 {rule.reviewers} 人复核", f"{rule.reviewers} reviewers"))
    if rule.max_granted:
        lines.append(
            say(lang, f"每案最多批准 {rule.max_granted} 次", f"granted at most {_times(rule.max_granted)} a case")
        )
    if rule.max_made:
        lines.append(say(lang, f"每案限提 {rule.max_made} 次", f"asked at most {_times(rule.max_made)} a case"))
    if "until" in rule.requires:
        lines.append(say(lang, f"最长 {rule.max_days} 天", f"at most {rule.max_days} days"))
    if rule.refused_counts:
        lines.append(say(lang, "未获批准的计入考核", "a refused one is counted"))
    return say(lang, "；", "; ").join(line for line in lines if line)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _on_axis(steps: StepTable, posts: Sequence[str], axis: Axis) -> bool:
    return any(steps.axis(post) == axis for post in posts)


def post_words(steps: StepTable, posts: Sequence[str], lang: Lang) -> str:
    """The names of posts in a row."""
    return listed(
        [say(lang, steps.posts[post].zh, steps.posts[post].en) for post in posts if post in steps.posts], lang
    )


def _states(steps: StepTable, states: Sequence[str], lang: Lang) -> str:
    words = [say(lang, steps.states[state].zh, steps.states[state].en) for state in states]
    return say(lang, "、", "; ").join(words)  # an English state's name may hold a comma


def _fields(profile: Profile, names: Sequence[str], lang: Lang) -> str:
    return listed([field_word(profile, name, lang) for name in names], lang)


def listed(words: Sequence[str], lang: Lang) -> str:
    """Words in a row."""
    return say(lang, "、", ", ").join(words)
