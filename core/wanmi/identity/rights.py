"""Who may do what: one table of rights. A route names the right it needs; a route that names none is closed.

The table is the core's; a plugin adds lines of its own with ``registry.right``. docs/rights.md shows all of them with
their routes, and tests/rights/matrix.csv what comes of them for every route, post and token.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from wanmi.errors import SettingsError
from wanmi.identity.people import POSTS
from wanmi.identity.tokens import scope_holds
from wanmi.registry import Right, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wanmi.registry import Registry

EVERYBODY = tuple(POSTS)
STAFF = tuple(name for name in POSTS if name not in ("collector", "department", "technician"))
"""Those who work at the centre's desks; a department sees its own cases only, a collector works outside."""
TECHNICIANS = ("technician", "administrator")
"""Those who keep nodes, links and devices running."""
CASE_READERS = tuple(name for name in POSTS if name != "technician")
WORKING = ("collector", "operator", "shift_leader", "dispatcher", "department", "assessor", "supervisor")
"""Those who step cases; the step table says who may do which step (a collector answers what they were sent)."""
CENTRES: tuple[Tier, ...] = ("city", "district")

_RIGHTS: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "self": ("本人的登录", "One's own session, code and post", "", EVERYBODY),
        "home.read": ("看概览", "Read the overview", "cases:read", EVERYBODY),
        "case.read": ("看案卷", "Read cases", "cases:read", CASE_READERS),
        "case.export": ("导出案卷", "Export cases", "cases:read", (*STAFF, "department")),
        "evidence.open": (
            "看密封的文字与照片",
            "Open sealed text and photos",
            "evidence:read",
            tuple(post.name for post in POSTS.values() if post.opens_sealed),
        ),
        "journal.read": ("看日志条目", "Read entries of the journal", "journal:read", (*STAFF, "technician")),
        "node.read": ("看节点、链路与健康", "Read nodes, links and health", "nodes:read", (*STAFF, "technician")),
        "metrics.read": ("取运行指标", "Read metrics", "nodes:read", TECHNICIANS),
        "device.read": ("看设备与告警", "Read devices and alarms", "devices:read", (*STAFF, "technician")),
        "alarm.handle": (
            "确认与静音告警",
            "Acknowledge and silence alarms",
            "alarms:write",
            (*TECHNICIANS, "shift_leader", "supervisor"),
        ),
        "codes.read": ("看编码与目录", "Read codes and catalogues", "codes:read", EVERYBODY),
        "docs.read": ("看接口说明", "Read the API's description", "codes:read", EVERYBODY),
        "people.read": ("看人员、部门与班次", "Read people, units and shifts", "people:read", ("administrator",)),
        "people.write": ("管理人员、锁定与登录", "Change people, locks and sessions", "admin", ("administrator",)),
        "settings.change": (
            "查看与更改设置和插件",
            "Read and change settings and plugins",
            "admin",
            ("administrator",),
        ),
        "duty.read": ("看谁在班", "Read who is on duty", "people:read", STAFF),
    }
)
_AT_CENTRES: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "case.step": ("办理案卷", "Step cases", "cases:step", WORKING),
        "case.link": (
            "关联与合并案卷",
            "Link, split and merge cases",
            "cases:step",
            ("operator", "shift_leader", "dispatcher"),
        ),
        "report.register": ("登记来件", "Register reports", "reports:write", ("operator", "shift_leader")),
        "task.read": ("看任务", "Read tasks", "tasks:read", STAFF),
        "task.send": ("下发任务", "Send tasks to terminals", "tasks:write", ("operator", "shift_leader", "supervisor")),
        "terminal.change": ("准入、轮换与吊销终端", "Admit, rotate and revoke terminals", "devices:write", TECHNICIANS),
        "order.read": ("看转交与督办", "Read orders", "orders:read", STAFF),
        "order.issue": (
            "转交、督办",
            "Issue orders",
            "orders:write",
            ("operator", "shift_leader", "dispatcher", "supervisor"),
        ),
        "order.answer": ("答复转交与督办", "Answer orders", "orders:write", ("operator", "shift_leader", "dispatcher")),
        "routing.read": ("看派遣规则与解释", "Read routing and its reasons", "cases:read", STAFF),
        "routing.decide": ("裁定责任", "Arbitrate who handles", "cases:step", ("dispatcher",)),
        "profile.read": ("看业务配置", "Read the profile", "profile:read", EVERYBODY),
        "profile.change": ("更改业务配置", "Change the profile", "admin", ("administrator",)),
    }
)


_TIERS: Mapping[str, tuple[Tier, ...]] = MappingProxyType(
    {"order.issue": ("city",), "order.answer": ("district",), "terminal.change": ("district",)}
)
"""Rights of one tier of the centres only."""


def register_rights(to: Registry) -> None:
    """Register the core's rights."""
    for name, (zh, en, scope, posts) in _RIGHTS.items():
        to.right(name, zh=zh, en=en, scope=scope, posts=posts)
    for name, (zh, en, scope, posts) in _AT_CENTRES.items():
        to.right(name, zh=zh, en=en, scope=scope, posts=posts, tiers=_TIERS.get(name, CENTRES))


def check_rights(rights: Iterable[Right]) -> None:
    """SettingsError when a plugin's right names a post that there is not."""
    for right in rights:
        unknown = sorted(right.posts - POSTS.keys())
        if unknown:
            raise SettingsError(f"plugin {right.plugin}: right {right.name} names no post {', '.join(unknown)}")


def refusal_of_post(right: Right, post: str, tier: str) -> str:
    """Why somebody in that post may not at a node of that tier; empty when they may."""
    if tier not in right.tiers:
        return f"right {right.name} is for nodes of {', '.join(sorted(right.tiers))}; this one is of {tier}"
    held = POSTS.get(post)
    if held is None or post not in right.posts:
        return f"post {post} does not have the right {right.name}; docs/rights.md says who has"
    if right.axis is not None and held.axis != right.axis:
        return f"post {post} stands on the axis {held.axis}, the right {right.name} is of {right.axis}"
    return ""


def refusal_of_scopes(right: Right, scopes: Iterable[str], tier: str) -> str:
    """Why a machine with those scopes may not at a node of that tier; empty when it may."""
    if tier not in right.tiers:
        return f"right {right.name} is for nodes of {', '.join(sorted(right.tiers))}; this one is of {tier}"
    if not right.scope:
        return f"right {right.name} is for people only; log in"
    if not scope_holds(scopes, right.scope):
        return f"the token does not reach {right.scope!r}; an administrator can make one that does"
    return ""
