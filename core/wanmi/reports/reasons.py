"""Why a report was refused: the codes that travel in receipts, their texts, and the error that carries them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from wanmi.errors import BadInput

Language = Literal["zh", "en"]


class Reason(StrEnum):
    """The codes of docs/terminal-protocol.md; a code keeps its meaning for ever, new ones may come."""

    NOT_JSON = "not_json"
    WRONG_SCHEMA = "wrong_schema"
    TOO_LARGE = "too_large"
    WRONG_TERMINAL = "wrong_terminal"
    UNKNOWN_TERMINAL = "unknown_terminal"
    REVOKED_TERMINAL = "revoked_terminal"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    OLD_KEY = "old_key"
    ID_REUSED = "id_reused"
    FUTURE_TIME = "future_time"
    NO_POSITION = "no_position"
    OUTSIDE_CITY = "outside_city"
    UNKNOWN_CATEGORY = "unknown_category"
    PHOTO_TOO_BIG = "photo_too_big"
    TEXT_TOO_LONG = "text_too_long"
    PARTS_MISSING = "parts_missing"
    EDGE_FULL = "edge_full"
    UNKNOWN_TASK = "unknown_task"
    NOT_YOUR_TASK = "not_your_task"
    TOO_LATE = "too_late"

    @property
    def passing(self) -> bool:
        """Whether the same report may be accepted later without a change: the terminal then tries again."""
        return self in _PASSING

    @property
    def authentic(self) -> bool:
        """Whether the refusal is found after the signature: then the report surely came from its terminal."""
        return self not in _BEFORE_SIGNATURE


_PASSING = frozenset(
    {
        Reason.UNKNOWN_TERMINAL,
        Reason.UNKNOWN_KEY,
        Reason.OLD_KEY,
        Reason.PARTS_MISSING,
        Reason.EDGE_FULL,
        Reason.UNKNOWN_TASK,
    }
)
_BEFORE_SIGNATURE = frozenset(
    {
        Reason.NOT_JSON,
        Reason.WRONG_SCHEMA,
        Reason.TOO_LARGE,
        Reason.WRONG_TERMINAL,
        Reason.UNKNOWN_TERMINAL,
        Reason.REVOKED_TERMINAL,
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_KEY,
    }
)

_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.NOT_JSON: ("不是有效的 JSON", "the message is not JSON"),
    Reason.WRONG_SCHEMA: ("格式不符合协议", "the message does not have the protocol's form"),
    Reason.TOO_LARGE: ("报文过大", "the message is larger than the protocol allows"),
    Reason.WRONG_TERMINAL: ("主题与终端编号不符", "the topic and the envelope name different terminals"),
    Reason.UNKNOWN_TERMINAL: ("终端未登记", "the terminal has not been admitted by this district"),
    Reason.REVOKED_TERMINAL: ("终端已注销", "the terminal's admission was revoked"),
    Reason.BAD_SIGNATURE: ("签名无效", "the signature does not fit the terminal's key"),
    Reason.UNKNOWN_KEY: (
        "密钥尚未登记",
        "no key is known here that the message says it was signed with: it may still come",
    ),
    Reason.OLD_KEY: (
        "密钥已更换：请用新密钥重新签名",
        "the key was rotated away: sign the same bytes with the new one",
    ),
    Reason.ID_REUSED: (
        "上报编号或任务已使用而内容不同",
        "the report id, or the task, was used before for other content",
    ),
    Reason.FUTURE_TIME: ("上报时间在未来", "the report's time lies in the future: set the terminal's clock"),
    Reason.NO_POSITION: ("没有定位", "the report has no position: (0, 0) is what a receiver gives without a fix"),
    Reason.OUTSIDE_CITY: ("位置不在本市范围", "the position lies outside the city: check the datum"),
    Reason.UNKNOWN_CATEGORY: (
        "小类代码不在本市现行目录中：请更新目录，按新代码重报",
        "the category is not in the city's catalogue: take the one now in force and report by it",
    ),
    Reason.PHOTO_TOO_BIG: ("照片或录音过大", "a photo or sound is larger than the protocol allows"),
    Reason.TEXT_TOO_LONG: ("文字过长", "the text is longer than the protocol allows"),
    Reason.PARTS_MISSING: ("附件尚未收到", "attachments named in the report have not arrived: send them"),
    Reason.EDGE_FULL: ("边缘节点存储不足", "the edge has no room now: try again later"),
    Reason.UNKNOWN_TASK: ("任务尚未到达本边缘节点", "the edge does not know the task yet: try again later"),
    Reason.NOT_YOUR_TASK: ("任务不属于本终端", "the task was sent to another terminal"),
    Reason.TOO_LATE: ("超过任务时限（仍予保存）", "made after the task's deadline: kept all the same, and marked"),
}


def reason_text(reason: Reason | str, language: Language = "zh") -> str:
    """What a reason code means, for people; an unknown code (from a newer edge) is its own text."""
    try:
        texts = _TEXTS[Reason(reason)]
    except ValueError:
        return str(reason)
    return texts[0] if language == "zh" else texts[1]


class Refused(BadInput):
    """A report that is not taken in: ``reason`` for the receipt, the ids as far as they could be read.

    ``detail`` is for the edge's log; the receipt carries only the code.
    """

    def __init__(self, reason: Reason, detail: str = "", terminal: str | None = None, report_id: str | None = None):
        self.reason = reason
        self.detail = detail or reason_text(reason, "en")
        self.terminal = terminal
        self.report_id = report_id
        super().__init__(f"report {report_id or '?'} of {terminal or '?'}: {reason.value}: {self.detail}")
