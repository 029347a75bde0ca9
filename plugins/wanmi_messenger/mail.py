"""The channel smtp: one message by the standard library's client; sent means 250 after the final dot of DATA."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from wanmi.clock import SECOND
from wanmi_messenger.deadline import Deadline, Tries
from wanmi_messenger.outbox import Message, Outcome
from wanmi_messenger.settings import SmtpSettings

_TO_US = (530, 534, 535, 538)
"""Refusals that are about our login, not about the message: somebody mends them, then the same message goes."""


@dataclass(frozen=True)
class MailChannel:
    """Mail through one server; ``dir`` is the node's, where the password's file is looked for."""

    settings: SmtpSettings
    dir: Path
    tries: Tries

    def send(self, message: Message, now: int) -> Outcome:
        """One try, bounded in time; never raises for what the server or the network does."""
        settings, client = self.settings, _client(self.settings)
        try:
            password = read_password(self.dir, settings)
        except (OSError, UnicodeDecodeError) as error:
            return Outcome("again", "settings", f"password_file: {error}")
        with Deadline(settings.timeout, lambda: client.sock) as deadline:
            self.tries.begin(deadline)
            try:
                return self._deliver(client, message, password)
            except smtplib.SMTPRecipientsRefused as error:
                return _refused(*next(iter(error.recipients.values())))
            except smtplib.SMTPResponseException as error:
                return _refused(error.smtp_code, error.smtp_error)
            except smtplib.SMTPNotSupportedError as error:
                return Outcome("again", "smtp unsupported", str(error))
            except (smtplib.SMTPException, OSError, ValueError) as error:
                return _broken(deadline, self.tries, error)
            finally:
                self.tries.ended(deadline)
                client.close()

    def _deliver(self, client: smtplib.SMTP, message: Message, password: str) -> Outcome:
        settings = self.settings
        _answered(client.connect(settings.host, settings.port))
        if settings.security == "starttls":
            client.ehlo_or_helo_if_needed()
            _answered(client.starttls(context=ssl.create_default_context()))
        client.ehlo_or_helo_if_needed()
        if settings.user:
            client.login(settings.user, password)
        _answered(client.mail(settings.sender))
        _answered(client.rcpt(message.address))
        code, said = client.data(compose(message, settings.sender))
        _answered((code, said))
        return Outcome("sent", f"smtp {code}", _text(said))


def compose(message: Message, sender: str) -> bytes:
    """The mail as it goes over the wire, but for the doubled dots; its Message-ID is the message's id in every try."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = message.address
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.made_at // SECOND, UTC))
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="base64")
    return mail.as_bytes()


def read_password(dir: Path, settings: SmtpSettings) -> str:
    """The password's file, first line; empty where none is named. OSError when it cannot be read."""
    if not settings.password_file:
        return ""
    return (dir / settings.password_file).read_text(encoding="utf-8").partition("\n")[0].strip()


class _Whole(smtplib.SMTP):
    """Takes no answer for one that is not whole: smtplib reads ``250`` out of a line that broke off."""

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's; SMTPServerDisconnected when the connection ends within a line."""
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock.makefile("rb"))
        return super().getreply()


class _WholeTls(_Whole, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class _Lines:
    """A file whose lines end, or are not there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readline(self, most: int = -1) -> bytes:
        """A line with its end; empty where the file ends before."""
        line = self._file.readline(most)
        return line if line.endswith(b"\n") else b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _client(settings: SmtpSettings) -> smtplib.SMTP:
    """Not connected yet, so that the deadline sees its socket; names itself without asking the DNS."""
    client: smtplib.SMTP
    if settings.security == "tls":
        context = ssl.create_default_context()
        client = _WholeTls(local_hostname="wanmi.invalid", timeout=settings.timeout, context=context)
    else:
        client = _Whole(local_hostname="wanmi.invalid", timeout=settings.timeout)
    # The name that the certificate must have: smtplib takes it from its constructor only, which would connect.
    client._host = settings.host  # type: ignore[attr-defined]
    return client


def _answered(answer: tuple[int, bytes]) -> None:
    code, said = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, said)


def _refused(code: int, said: bytes | str) -> Outcome:
    """5yz is for good, 4yz for now; a code that is none means that the connection broke."""
    if code <= 0:
        return Outcome("again", "connection lost", _text(said))
    for_good = 500 <= code < 600 and code not in _TO_US
    return Outcome("never" if for_good else "again", f"smtp {code}", _text(said))


def _broken(deadline: Deadline, tries: Tries, error: Exception) -> Outcome:
    return Outcome("again", why_broken(deadline, tries, error), f"{type(error).__name__}: {error}")


def why_broken(deadline: Deadline, tries: Tries, error: Exception) -> str:
    """A broken try in a word without addresses."""
    if tries.stopped:
        return "interrupted"
    if deadline.over or isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, smtplib.SMTPServerDisconnected | HTTPException | ConnectionError):
        return "connection lost"
    return f"network {type(error).__name__}"


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
