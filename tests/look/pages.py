"""Take pictures of every page, to be looked at by people: both languages, light and dark, desk and phone.

    python tests/look/pages.py [FOLDER]

Needs Debian's chromium and Playwright from pip (``pip install playwright``); not part of ``make test``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from look.scene import a_busy_morning, photo
from support.small_town import PASSWORD, Seen, Town, small_town
from wanmi.testing import running

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--lang=zh-CN", "--disable-component-update", "--disable-sync"]  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOOKS = (
    ("zh-light", "zh", "light", DESK),
    ("zh-dark", "zh", "dark", DESK),
    ("en-light", "en", "light", DESK),
    ("zh-phone", "zh", "light", PHONE),
    ("en-phone-dark", "en", "dark", PHONE),
)


def take(browser: Browser, url: str, number: str, out: Path) -> None:
    """Every page in every look."""
    paths = {
        "home": "/",
        "cases": "/cases",
        "cases-filtered": "/cases?district=210102&kind=event&stage=collect&since=2026-11-01",
        "cases-empty": "/cases?number=NOTHING",
        "cases-wrong": "/cases?grid=12",
        "case": f"/cases/{number}",
        "node": "/node",
        "subject": f"/subjects?s=case:{number}",
        "missing": "/cases/210102-E0102-20261124-9999",
    }
    for look, lang, scheme, size in LOOKS:
        context = browser.new_context(viewport=size, color_scheme=scheme, locale="zh-CN")  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda message: print("browser:", message.text))
        page.goto(f"{url}/login?lang={lang}")
        page.screenshot(path=out / f"login-{look}.png")
        log_in(page)
        for name, path in paths.items():
            page.goto(url + path)
            page.evaluate("for (const one of document.images) one.loading = 'eager'")
            page.wait_for_load_state("networkidle")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                print(f"{name} {look}: {wide} px too wide")
            page.screenshot(path=out / f"{name}-{look}.png", full_page=True)
        context.close()


def take_explorer(browser: Browser, url: str, out: Path) -> None:
    """The API explorer, with whatever its policy refuses printed."""
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.on("console", lambda message: print("browser:", message.text))
    page.goto(f"{url}/login")
    log_in(page)
    page.goto(f"{url}/docs")
    page.wait_for_selector(".opblock")
    page.screenshot(path=out / "docs.png")


def log_in(page: Page) -> None:
    """As the shift leader."""
    page.fill("#login", "wangmin")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("nav")


def for_the_docs(out: Path) -> None:
    """Two of the pictures, small enough for the repository: cases.png and case.png."""
    for name, source in (("cases", "cases-filtered-zh-light"), ("case", "case-zh-light")):
        picture = Image.open(out / f"{source}.png").convert("RGB")
        picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            out / f"{name}.png", optimize=True
        )


def build(folder: Path) -> tuple[Town, str]:
    """A town on a busy morning; the number of the case to look at."""
    town = small_town(folder)
    a_busy_morning(town)
    number = town.report(
        Seen(
            category="0110",
            grid="210102001002007",
            text="路面塌陷约半米，旁边有学校，请尽快围挡。",
            photos=[photo(1), photo(2)],
            media="image/jpeg",
            similar=["210102-E0110-20261124-0003"],
        )
    )
    town.carry("21010201", "210102")
    town.link("210102", "21010201", up=True, reason="hello")
    town.carry("210102", "210100")
    town.report(Seen(category="0102", photos=[photo(3)], media="image/jpeg"))
    town.carry("21010201", "210102", blobs=False)
    town.carry("210102", "210100", blobs=False)
    town.link("210100", "210102", up=True, reason="hello")
    town.link("210100", "210103", up=False, reason="no answer for 6 s")
    for node in ("210100", "210102"):
        town.person(node, "wangmin", "王敏", "operator", "shift_leader")
    return town, number


def main() -> None:
    """Take the pictures."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="wanmi-look-"))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        town, number = build(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, env={**os.environ, "LANGUAGE": "zh_CN"}
        )
        with running(town.nodes["210100"], web=True) as places:
            take(browser, places["web"], number, out)
            take_explorer(browser, places["web"], out)
        browser.close()
        town.close()
    for_the_docs(out)
    print(f"pictures in {out}")


if __name__ == "__main__":
    main()
