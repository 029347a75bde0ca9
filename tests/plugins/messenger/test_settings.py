"""Settings that cannot be used stop the start, and say which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.messenger.nodes import SMTP, district
from wanmi.errors import SettingsError

SMS = {"url": "https://gateway.example/send"}
HOOK = {"url": "https://archive.example/in", "secret_file": "keys/a"}
WRONG = [
    ({"messenger.sms": {**SMS, "body": "{{ phone() }}"}}, "call is not for message templates"),
    ({"messenger.sms": {**SMS, "body": "{{ number }}"}}, "nothing is called number"),
    ({"messenger.sms": {**SMS, "success": "("}}, "success: is no regular expression"),
    ({"messenger.sms": {"url": "ftp://gateway.example"}}, "https://HOST/PATH"),
    ({"messenger.webhooks.archive": {**HOOK, "url": "https://user@archive.example/"}}, "https://HOST/PATH"),
    ({"messenger.webhooks.Archive": HOOK}, "a name is 1 to 40"),
    ({"messenger.smtp": {**SMTP, "quiet": ["22-7"]}}, "22:00-07:00"),
    ({"messenger.smtp": {**SMTP, "per_minute": 0}}, "messenger.smtp.per_minute"),
    ({"messenger.smtp": {**SMTP, "surprise": 1}}, "messenger.smtp.surprise: no such key"),
]


@pytest.mark.parametrize(("sections", "why"), WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, sections: dict[str, dict[str, object]], why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        district(tmp_path, sections)
    assert why in str(caught.value)
