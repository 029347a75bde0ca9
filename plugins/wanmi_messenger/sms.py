"""The channel sms: any HTTP gateway, told by templates; sent means 2xx and an answer that looks like success."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from wanmi.errors import BadInput
from wanmi_messenger.deadline import Tries
from wanmi_messenger.outbox import Message, Outcome
from wanmi_messenger.posting import Answer, Request, exchange, judge
from wanmi_messenger.settings import SmsSettings
from wanmi_messenger.wording import render


@dataclass(frozen=True)
class SmsChannel:
    """One gateway; ``secret`` is the file with its key, None where it needs none."""

    settings: SmsSettings
    secret: Path | None
    tries: Tries

    def send(self, message: Message, now: int) -> Outcome:
        """One try."""
        try:
            request = self._request(message)
        except (BadInput, OSError) as error:
            return Outcome("again", "settings", str(error))
        answer = exchange(request, self.settings.timeout, self.tries)
        return answer if isinstance(answer, Outcome) else self._judge(answer, now)

    def _request(self, message: Message) -> Request:
        settings = self.settings
        secret = self.secret.read_text(encoding="utf-8").strip() if self.secret else ""
        values = {
            "phone": message.address, "text": message.text, "id": message.id, "sender": settings.sender,
            "secret": secret,
        }  # fmt: skip
        headers = {name: _line(render(value, values)) for name, value in settings.headers.items()}
        body = b"" if settings.method == "GET" else render(settings.body, values).encode()
        return Request(settings.method, _line(render(settings.url, values)), headers, body)

    def _judge(self, answer: Answer, now: int) -> Outcome:
        """Gateways answer 200 and say in the body that they did not: the patterns know."""
        outcome, settings = judge(answer, now), self.settings
        if outcome.end != "never" and settings.permanent and re.search(settings.permanent, answer.body):
            return replace(outcome, end="never", code="gateway refused", holds=False)
        if outcome.end == "sent" and not re.search(settings.success, answer.body):
            return replace(outcome, end="again", code="gateway answer")
        return outcome


def _line(text: str) -> str:
    """A header or an address is one line; its end must not be sent in by a value."""
    return "".join(text.splitlines())
