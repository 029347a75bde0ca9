"""What a case that is handed down brings with it is fetched by its district, by either transport, and by nobody else."""

from __future__ import annotations

from federation.conftest import Family
from federation.sites import wait_until
from wanmi.kinds import Attachment
from wanmi.links.directory import StoreDepot
from wanmi.order_kinds import OrderedCase, OrderIssued, order_subject
from wanmi.registry import Draft
from wanmi.reports import digest_of, read_text, text_part


def test_the_words_of_a_case_go_down_with_it(family: Family) -> None:
    family.start(family.city, family.district)
    wait_until(lambda: family.district.has(family.city))
    content = text_part("桥下积水, 车辆无法通行", bytes(16))
    words = family.city.blobs.seal(content)
    part = Attachment("text", digest_of(content), len(content), "text/plain", words.blob)
    state = OrderedCase(
        "event",
        "0102",
        None,
        None,
        None,
        1_234_290_000,
        417_960_000,
        "leader",
        1,
        "dispatch",
        "handed_down",
        None,
        [part],
    )
    district = family.district.code
    body = OrderIssued(
        "order-1", "hand_down", district, "210100-E0102-20261124-0001", None, None, "normal", "请处理", 2**50, None, None,
        state,
    )  # fmt: skip
    draft = Draft("order.issued", order_subject(family.city.code, "order-1"), body, (district,))
    family.city.journal.append(draft, also=lambda tx, _: family.city.blobs.add(tx, words)).result()
    wait_until(lambda: family.district.blobs.has(words.blob))
    assert read_text(family.district.blobs.open(words.blob)) == "桥下积水, 车辆无法通行"
    depot = StoreDepot(family.city.store, family.city.blobs, {family.city.code})
    assert (depot.may_see(district, words.blob), depot.may_see("210103", words.blob)) == (True, False)
