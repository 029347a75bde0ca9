"""The section [supervision] of node.toml."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from wanmi_supervision.choosing import check_matter


class SupervisionSettings(BaseModel):
    """Which posts may order what, and which matters go to which district whatever the place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    press_posts: tuple[str, ...] = Field(
        ("supervisor", "shift_leader"), description="Posts that may press a case or have it checked."
    )
    take_over_posts: tuple[str, ...] = Field(
        ("supervisor", "shift_leader"), description="Posts that may take a district's case over."
    )
    matters: dict[str, str] = Field(
        default_factory=dict,
        description="District by matter: a category with its letter (E0102, C0101) or the beginning of one (E01); "
        "the longest that fits wins, and wins over the place.",
    )

    def model_post_init(self, _context: object) -> None:
        """ValueError for a matter that is none."""
        for matter, district in self.matters.items():
            check_matter(matter, district)
