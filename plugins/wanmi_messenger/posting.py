"""One HTTP request, bounded in time and size, never redirected; and what its answer means for a message."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from wanmi_messenger.deadline import Deadline, Tries
from wanmi_messenger.mail import why_broken
from wanmi_messenger.outbox import Outcome
from wanmi_messenger.pacing import retry_after

MOST = 64 * 1024
"""Bytes of an answer that are looked at."""
MENDABLE = frozenset({401, 403, 404, 408, 409, 421, 423, 425, 429})
"""Refusals (4xx) that may be another one tomorrow, with the same message; the others are for good."""
BUSY = frozenset({429, 503})
"""Answers whose Retry-After is meant for everything that goes there."""


@dataclass(frozen=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came back, whole: status, body (its first MOST bytes), Retry-After."""

    status: int
    body: str
    retry_after: str | None


def exchange(request: Request, timeout: float, tries: Tries) -> Answer | Outcome:
    """Send and read the answer; an Outcome where none came."""
    try:
        connection, path = _connection(request.url, timeout)
    except (ValueError, UnicodeError) as error:
        return Outcome("again", "settings", f"{type(error).__name__}: {error}")
    with Deadline(timeout, lambda: connection.sock) as deadline:
        tries.begin(deadline)
        try:
            connection.request(request.method, path, request.body or None, dict(request.headers))
            answer = connection.getresponse()
            body = answer.read(MOST)
            if answer.length and len(body) < MOST:
                return Outcome("again", "connection lost", f"the answer, status {answer.status}, broke off")
            return Answer(answer.status, body.decode("utf-8", "replace"), answer.getheader("retry-after"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Outcome("again", why_broken(deadline, tries, error), f"{type(error).__name__}: {error}")
        finally:
            tries.ended(deadline)
            connection.close()


def judge(answer: Answer, now: int) -> Outcome:
    """2xx is sent; 5xx and the mendable 4xx are tried again, no earlier than Retry-After says; the rest never."""
    code, said = f"http {answer.status}", answer.body[:200]
    if 200 <= answer.status < 300:
        return Outcome("sent", code, said)
    if answer.status >= 500 or answer.status in MENDABLE:
        asked = retry_after(answer.retry_after, now)
        return Outcome("again", code, said, asked, holds=answer.status in BUSY and asked is not None)
    return Outcome("never", code, said)


def _connection(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("the address is not of the form https://HOST/PATH")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context), path
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout), path
