"""/api/v1: the catalogue of categories, the divisions, the stages: what the codes in the other answers mean."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from wanmi.cases import STAGES
from wanmi.codes import CASE_KINDS, Divisions
from wanmi.profiles import ProfileStore
from wanmi.registry import NodeContext
from wanmi.web.bounds import Id
from wanmi.web.callers import Reading, needs


@dataclass(frozen=True)
class CategoryOut:
    """A category (小类) with its class, source and confidence."""

    kind: str
    code: str
    name_zh: str
    name_en: str
    major: str
    major_zh: str
    source: str
    confidence: str


@dataclass(frozen=True)
class StageOut:
    """One of the seven stages, in order."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True)
class CatalogueOut:
    """The profile's categories, and the stages of a case."""

    profile: str
    digest: str
    categories: list[CategoryOut]
    stages: list[StageOut]


@dataclass(frozen=True)
class DivisionOut:
    """A division: city and district 6 digits, street 9, community 12."""

    code: str
    level: str
    name: str
    name_en: str
    parent: str


def code_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1 about codes."""
    router, profiles = APIRouter(tags=["codes"]), ProfileStore(node).watching()

    @router.get("/catalogue")
    @needs("codes.read")
    def catalogue(_caller: Reading) -> CatalogueOut:
        """Every category of the profile that is active here."""
        profile = profiles.active()
        categories = [
            CategoryOut(
                one.kind, one.code, one.name_zh, one.name_en, one.major, one.major_zh, one.source, one.confidence
            )
            for kind in CASE_KINDS
            for one in profile.catalogue.of_kind(kind)
        ]
        stages = [StageOut(stage.id, stage.zh, stage.en) for stage in STAGES]
        return CatalogueOut(profile.name, profile.digest, categories, stages)

    @router.get("/divisions")
    @needs("codes.read")
    async def divisions(_caller: Reading, parent: Id = "") -> list[DivisionOut]:
        """The divisions right under ``parent``; the city when it is left out."""
        return [
            DivisionOut(one.code, one.level, one.name, one.name_en, one.parent)
            for one in Divisions.load().children(parent)
        ]

    return router
