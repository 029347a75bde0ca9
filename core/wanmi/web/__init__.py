"""HTTP: the app, its gate, the JSON API and the server. The only importer of FastAPI in the core; import it late.

A plugin adds routes with ``registry.router(prefix, build)``. Every endpoint declares the right it needs with
``needs(name)`` (or is open to strangers: ``open_route``); one that declares nothing is closed to everybody.
``caller_of(request)`` says who asks.
"""

from wanmi.web.app import build_app
from wanmi.web.callers import Caller, caller_of, login_cookie, needs, open_route, session_cookie
from wanmi.web.idempotency import Keeping, Once, once_of
from wanmi.web.problems import problem
from wanmi.web.server import WebServer

__all__ = [
    "Caller",
    "Keeping",
    "Once",
    "WebServer",
    "build_app",
    "caller_of",
    "login_cookie",
    "needs",
    "once_of",
    "open_route",
    "problem",
    "session_cookie",
]
