"""The channel webhook: a JSON body, posted with a Standard Webhooks signature; sent means 2xx."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from wanmi.clock import iso
from wanmi.errors import WanmiError
from wanmi_messenger.deadline import Tries
from wanmi_messenger.outbox import Message, Outcome
from wanmi_messenger.posting import Request, exchange, judge
from wanmi_messenger.settings import WebhookSettings
from wanmi_messenger.signing import load_secrets, signature_headers


@dataclass(frozen=True)
class WebhookChannel:
    """One endpoint."""

    settings: WebhookSettings
    secrets: Path
    tries: Tries

    def send(self, message: Message, now: int) -> Outcome:
        """One try. Signed anew each time (the timestamp is the try's), with the same id and body."""
        try:
            secrets = load_secrets(self.secrets, now)
        except WanmiError as error:
            return Outcome("again", "settings", str(error))
        body = payload(message)
        headers = {
            "content-type": "application/json",
            "user-agent": "wanmi-messenger",
            **signature_headers(secrets, message.id, now, body),
        }
        answer = exchange(Request("POST", self.settings.url, headers, body), self.settings.timeout, self.tries)
        return answer if isinstance(answer, Outcome) else judge(answer, now)


def payload(message: Message) -> bytes:
    """The body: type, time and data, as Standard Webhooks has it; the same bytes in every try."""
    data = {"about": message.about, "rule": message.rule, "lang": message.lang, "title": message.title,
            "text": message.text}  # fmt: skip
    document = {"type": message.event, "timestamp": iso(message.made_at), "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
