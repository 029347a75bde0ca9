"""``[messenger]`` of node.toml: the channels, how fast and when they may send, how often a message is tried."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from wanmi.errors import BadInput
from wanmi.settings import Section
from wanmi_messenger.wording import check

SMS_VALUES = frozenset({"phone", "text", "id", "sender", "secret"})
"""What the templates of the SMS gateway may say."""
_SPAN = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def _is_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(?:[/?#]\S*)?", value):
        raise ValueError(f"{value!r} is not of the form https://HOST/PATH")
    return value


def _are_spans(value: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [span for span in value if not _SPAN.fullmatch(span)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not of the form 22:00-07:00")
    return value


def _are_names(value: dict[str, WebhookSettings]) -> dict[str, WebhookSettings]:
    wrong = [name for name in value if not _NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"webhook {wrong[0]!r}: a name is 1 to 40 of a-z 0-9 _ -, beginning with a letter")
    return value


Url = Annotated[str, AfterValidator(_is_url)]
Spans = Annotated[tuple[str, ...], AfterValidator(_are_spans)]


class ChannelSettings(Section):
    """What all channels have."""

    per_minute: int = Field(default=60, ge=1, le=6000)
    """Tries in any minute at most."""
    quiet: Spans = ()
    """Local times (Asia/Shanghai) when only urgent messages leave, such as `["22:00-07:00"]`."""
    timeout: int = Field(default=20, ge=1, le=300)
    """Seconds that one try may take, from the first packet to the peer's last word."""


class SmtpSettings(ChannelSettings):
    """``[messenger.smtp]``: electronic mail."""

    host: str
    """The mail server that takes our messages."""
    port: int = Field(default=587, ge=1, le=65535)
    """Its port."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """TLS after STARTTLS, from the first byte, or none at all (a server on this machine)."""
    sender: str
    """Address in From and MAIL FROM."""
    user: str = ""
    """Login, where the server asks for one."""
    password_file: str = ""
    """File with the password (0600), relative to the node's directory."""


class WebhookSettings(ChannelSettings):
    """``[messenger.webhooks.NAME]``: an HTTP endpoint that understands Standard Webhooks."""

    url: Url
    """Where messages are posted to."""
    secret_file: str
    """File with its signing secrets (0600), relative to the node's directory; `wanmi messages rotate` makes them."""


class SmsSettings(ChannelSettings):
    """``[messenger.sms]``: any HTTP SMS gateway. Templates know phone, text, id, sender, secret."""

    url: str
    """Template of the address; ``{{ phone | urlencode }}`` where the gateway wants parameters there."""
    method: Literal["POST", "GET", "PUT"] = "POST"
    """HTTP method."""
    headers: dict[str, str] = Field(default_factory=lambda: {"content-type": "application/json"})
    """Templates of the headers, by name."""
    body: str = '{"id": {{ id | tojson }}, "to": {{ phone | tojson }}, "text": {{ text | tojson }}}'
    """Template of the body."""
    success: str = "."
    """Regular expression that a 2xx answer's body must hold for the message to count as sent."""
    permanent: str = ""
    """Regular expression of answers that no further try will change (a number that does not exist); empty: none."""
    sender: str = ""
    """What the templates get as ``sender``."""
    secret_file: str = ""
    """File with the gateway's key (0600), relative to the node's directory."""

    @model_validator(mode="after")
    def _can_be_used(self) -> SmsSettings:
        for name, source in (("url", self.url), ("body", self.body), *self.headers.items()):
            try:
                check(source, SMS_VALUES)
            except BadInput as error:
                raise ValueError(f"{name}: {error}") from None
        for name, pattern in (("success", self.success), ("permanent", self.permanent)):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{name}: is no regular expression: {error}") from None
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url: is not of the form https://HOST/PATH")
        return self


class MessengerSettings(Section):
    """Messages to people: which channels there are, and how often one is tried."""

    smtp: SmtpSettings | None = None
    """Electronic mail; left out: none."""
    sms: SmsSettings | None = None
    """Short messages; left out: none."""
    webhooks: Annotated[dict[str, WebhookSettings], AfterValidator(_are_names)] = Field(default_factory=dict)
    """Endpoints by name: the name is the address of a recipient."""
    fresh_hours: int = Field(default=24, ge=1, le=24 * 30)
    """An entry older than this is told to nobody (after a long downtime, or when the plugin is new)."""
    first_delay: int = Field(default=30, ge=1, le=3600)
    """Seconds before the second try; doubled from try to try."""
    longest_delay: int = Field(default=6 * 3600, ge=1, le=7 * 86400)
    """Seconds between two tries at most."""
    tries: int = Field(default=12, ge=1, le=100)
    """Tries before a message is dead."""
    keep_days: int = Field(default=90, ge=1, le=3650)
    """Days that sent and dead messages stay in the outbox."""
    base_url: str = ""
    """Address of the console in messages (``{{ link }}``), such as `https://district.example`; empty: no link."""
