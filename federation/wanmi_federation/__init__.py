"""Links between nodes over ZeroMQ: edge to district, district to city."""

from __future__ import annotations

from functools import partial

from wanmi.hookspecs import hookimpl
from wanmi.links import LINK_ROWS
from wanmi.registry import Registry
from wanmi_federation.actions import link_commands, pause, resume, status
from wanmi_federation.health import link_health
from wanmi_federation.recovering import recover
from wanmi_federation.running import Federation


@hookimpl
def register(to: Registry) -> None:
    """The task that keeps the links, their health, pausing and resuming."""
    federation = Federation()
    to.tables(*LINK_ROWS)
    to.task("links", federation.run)
    to.probe("links", partial(link_health, federation))
    to.action("link.pause", partial(pause, federation), help="cut a link as if its cable were pulled")
    to.action("link.resume", partial(resume, federation), help="let a paused link work again")
    to.action("link.status", partial(status, federation), help="every link with its streams")
    to.action("link.recover", partial(recover, federation), help="what a restored node waits for; or end the wait")
    to.command("link", link_commands, help="Links to the parent and the children: status, pause, resume, recover.")
