"""What a terminal's entries add up to, and which signature counts when: properties over every story of a terminal's keys."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from wanmi.reports.envelope import key_id
from wanmi.reports.keys import Known, admit_key, judge_key, key_of_entry, revoke_key, rotate_key
from wanmi.reports.reasons import Reason

KEYS = tuple(bytes([n]) * 32 for n in range(1, 6))
GRACE = 100


@dataclass(frozen=True)
class Told:
    """One entry of a district: ``what`` with a key, ``gap`` µs after the one before."""

    what: str
    key: bytes
    gap: int


told = st.builds(
    Told, st.sampled_from(["admit", "rotate", "rotate", "revoke"]), st.sampled_from(KEYS), st.integers(1, 80)
)
stories = st.lists(told, max_size=12).map(lambda rest: [Told("admit", KEYS[0], 1), *rest])


def lived(story: list[Told]) -> tuple[Known, int]:
    """The keys after a story, and when its last entry was."""
    known, now = Known(b""), 0
    first = True
    for one in story:
        now += one.gap
        if one.what == "admit":
            known = admit_key(None if first else known, one.key, now)
        elif one.what == "rotate":
            known = rotate_key(known, known.public_key, one.key, now, GRACE)
        else:
            known = revoke_key(known, now)
        first = False
    return known, now


def judged(known: Known, key: bytes, made_at: int, now: int) -> Reason | None:
    return judge_key(known, key_id(key), lambda public: public == key, made_at, now)


@given(stories, st.integers(0, 2000), st.integers(0, 2000))
def test_todays_key_counts_unless_the_terminal_is_revoked(story: list[Told], made_at: int, later: int) -> None:
    known, now = lived(story)
    assert judged(known, known.public_key, made_at, now + later) is (Reason.REVOKED_TERMINAL if known.revoked else None)


@given(stories, st.sampled_from(KEYS), st.integers(0, 2000), st.integers(0, 2000))
def test_another_key_counts_only_for_what_was_made_before_and_within_the_grace(
    story: list[Told], key: bytes, made_at: int, later: int
) -> None:
    known, now = lived(story)
    if key == known.public_key or judged(known, key, made_at, now + later) is not None:
        return
    (past,) = [one for one in known.past if one.public_key == key]
    assert not past.revoked
    assert made_at <= past.ended_at <= now
    assert now + later <= past.ended_at + GRACE
    assert not known.revoked


@given(stories, st.integers(0, 2000))
def test_a_revocation_and_a_lost_key_end_every_key_that_was(story: list[Told], made_at: int) -> None:
    known, now = lived(story)
    fresh = b"\x09" * 32
    for after in (revoke_key(known, now), admit_key(known, fresh, now)):
        for past in after.past:
            assert judged(after, past.public_key, made_at, now) is Reason.REVOKED_TERMINAL
            assert key_of_entry(after, lambda public, key=past.public_key: public == key, now) == (
                past.public_key,
                False,
            )


@given(stories)
def test_a_key_stands_in_one_place_and_what_was_known_stays_known(story: list[Told]) -> None:
    known, _ = lived(story)
    keys = [known.public_key, *(one.public_key for one in known.past)]
    assert len(keys) == len(set(keys))
    for n in range(1, len(story)):
        earlier, _ = lived(story[:n])
        assert known.has_key(earlier.public_key)
    stranger = b"\x0a" * 32
    assert judged(known, stranger, 0, 0) is Reason.UNKNOWN_KEY
    assert judge_key(known, key_id(known.public_key), lambda _: False, 0, 0) is Reason.BAD_SIGNATURE


@given(stories, st.integers(0, 1000))
def test_the_district_takes_what_an_edge_could_take(story: list[Told], made_at: int) -> None:
    """What an edge that knows all takes, the district takes as well: nothing is kept that opens no case."""
    known, now = lived(story)
    for key in KEYS:
        if judged(known, key, made_at, now) is None:
            assert key_of_entry(known, lambda public, own=key: public == own, now) == (key, True)


@given(stories, told)
def test_a_second_rotation_from_the_same_key_changes_nothing(story: list[Told], again: Told) -> None:
    known, now = lived(story)
    once = rotate_key(known, known.public_key, again.key, now, GRACE)
    assert rotate_key(once, known.public_key, b"\x0b" * 32, now + 1, GRACE) == once or once == known


def test_a_story_by_hand() -> None:
    a, b, c = KEYS[:3]
    known = rotate_key(admit_key(None, a, 10), a, b, 100, GRACE)
    assert judged(known, a, 100, 200) is None
    assert judged(known, a, 101, 150) is Reason.OLD_KEY
    assert judged(known, a, 50, 201) is Reason.OLD_KEY
    in_good_faith = key_of_entry(known, lambda public: public == a, 200)
    assert in_good_faith == (a, True)
    assert key_of_entry(known, lambda public: public == a, 201) == (a, False)
    lost = admit_key(known, c, 150)
    assert judged(lost, a, 50, 151) is judged(lost, b, 120, 151) is Reason.REVOKED_TERMINAL
    assert key_of_entry(lost, lambda public: public == a, 149) == (a, True)
    assert key_of_entry(lost, lambda public: public == b, 149) == (b, True)
    assert key_of_entry(lost, lambda public: public == b, 150) == (b, False)
