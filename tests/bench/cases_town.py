"""Who works at the benched node and what lies on their desks."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import func, select

from bench.load import Seat
from bench.million import DEPARTMENTS, DISTRICT, PHOTO
from wanmi.codes import Profile, local_date
from wanmi.identity import add_person
from wanmi.identity.sessions import start_session
from wanmi.identity.units import add_unit, set_unit
from wanmi.kinds import CaseOpened
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Draft
from wanmi.testing import react
from wanmi.web import session_cookie

POSTS = ("operator", "dispatcher", "department")
BATCH = 1000


def open_desks(node: Node, fresh: int) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """People with sessions (post to cookie and token) and cases that were reported just now; reactors are caught up."""
    add_unit(node, code=DEPARTMENTS[0], name="Streets")
    tokens = {}
    for post in POSTS:
        person = add_person(node, login=f"bench.{post}", name=post, posts=[post], password="a long enough secret")
        if post == "department":
            set_unit(node, person.login, DEPARTMENTS[0])
        tokens[post] = (session_cookie(node, secure=False), start_session(node, person))
    react(node)
    return _open_cases(node, fresh), tokens


def seats(web: str, tokens: dict[str, tuple[str, str]]) -> dict[str, Seat]:
    """The sessions at the address where the node listens."""
    where = urlsplit(web)
    return {post: Seat(where.hostname or "", where.port or 0, *token) for post, token in tokens.items()}


def _open_cases(node: Node, count: int) -> list[str]:
    now, row, ref = node.clock.now(), table(CaseRow).c, Profile.load().ref
    day = local_date(now).strftime("%Y%m%d")
    with node.store.reader() as tx:
        last = tx.execute(select(func.max(row.day_seq)).where(row.owner == node.code, row.day == day)).scalar_one() or 0
    drafts, numbers = [], []
    for n in range(last + 1, last + 1 + count):
        numbers.append(f"{DISTRICT}-E0102-{day}-{n:04d}")
        body = CaseOpened(
            numbers[-1], DISTRICT, day, n, "event", "0102", ref, None, f"{DISTRICT}001001001", "g1", 1_234_000_000,
            418_000_000, "collector", f"T{DISTRICT}-0001", f"{now}{n:010d}", None, now, "collect", "reported", [], [PHOTO],
        )  # fmt: skip
        drafts.append(Draft("case.opened", f"case:{numbers[-1]}", body, by="casework@0"))
    for at in range(0, count, BATCH):
        node.journal.append(*drafts[at : at + BATCH]).result()
    return numbers
