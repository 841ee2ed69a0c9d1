"""Make the pictures of the documentation: drive the page through every outcome and photograph it.

They are looked at by a person and never compared. Run by `make screenshots`, or with the folder to write to.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page, async_playwright

from bot.demo import Contoso, contoso, people
from tests.fixtures.chromium import FLAGS, executable

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
_IDENTIFIERS: Final = {person["case"]: person["identifier"] for person in people()}
# Pictures stand on their own: no backdrop behind rounded corners, nothing that only a pointer brings out.
_STILL: Final = """
  .modal { border-color: transparent; border-radius: 0; box-shadow: none; max-height: 980px; }
  .modal::backdrop { background: none; }
  .message { padding: 14px 20px 16px; }
  .tool-row, .day { display: none; }
"""
_LOOK: Final[dict[str, Any]] = {
    "device_scale_factor": 2,
    "locale": "en-GB",
    "timezone_id": "Europe/London",
    "reduced_motion": "reduce",
    "bypass_csp": True,  # for the lines above
}
_WIDE: Final = {"width": 1120, "height": 1060}
_WINDOW: Final = {"width": 1280, "height": 820}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A picture of a message: its name, whom it is about, what comes before, and how its headline ends."""

    name: str
    case: str
    headline: str
    verb: str = ""
    before: Callable[[Contoso], None] | None = None


def _no_manager(world: Contoso) -> None:
    fault = {"match": {"path_regex": r"manager/\$ref"}, "times": 5, "then": {"status": 403}}
    world.tenant.inject(fault)


OUTCOMES: Final = (
    Outcome("message-created", "create", "was created in Entra ID"),
    Outcome("message-updated", "update-three", "was updated in Entra ID"),
    Outcome("message-unchanged", "unchanged", "is already up to date"),
    Outcome("message-skipped", "scope-filter", "was not provisioned: out of scope"),
    Outcome("message-refused", "ambiguous", "several objects in Entra ID match"),
    Outcome("message-failed", "upn-conflict", "was not provisioned"),
    Outcome("message-preview", "update-three", "nothing was written", verb="preview "),
    Outcome("message-warning", "manager-missing", "with a warning"),
    Outcome("message-partial", "create", "only in part", before=_no_manager),
    Outcome("message-group", "group-40", "was created in Entra ID"),
)


async def main(folder: Path) -> None:
    """Take every picture, on a fresh contoso."""
    async with contoso() as world, _browser() as browser:
        page = await _open(browser, world)
        for outcome in OUTCOMES:
            await _picture_of_outcome(world, page, outcome, folder)
        await _pictures_of_modals(world, page, folder)
        await _pictures_of_the_page(world, browser, folder)


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield browser
        await browser.close()


async def _open(browser: Browser, world: Contoso, *, still: bool = True, **look: Any) -> Page:
    context = await browser.new_context(**{"viewport": _WIDE, **_LOOK, **look})
    page = await context.new_page()
    await page.goto(f"{world.workspace.url}/")
    await page.get_by_role("textbox", name="Message").wait_for()
    if still:
        await page.add_style_tag(content=_STILL)
    return page


async def _run(page: Page, case: str, headline: str, verb: str = "") -> Locator:
    """Type the command and wait for its message to end with this headline."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {verb}{_IDENTIFIERS[case]}")
    await message.press("Enter")
    article = page.get_by_role("article").last
    await article.get_by_role("heading", name=headline).wait_for()
    await article.get_by_role("button", name="Run again").wait_for()
    return article


async def _picture_of_outcome(world: Contoso, page: Page, outcome: Outcome, folder: Path) -> None:
    await _start_over(world, page)
    if outcome.before is not None:
        outcome.before(world)
    article = await _run(page, outcome.case, outcome.headline, outcome.verb)
    await _take(article, folder / f"{outcome.name}.png")


async def _start_over(world: Contoso, page: Page) -> None:
    await world.workspace.reset_everything()
    await page.get_by_role("article").first.wait_for(state="detached")


async def _take(what: Locator, path: Path) -> None:
    await what.page.mouse.move(0, 0)
    await what.page.wait_for_timeout(150)
    await what.screenshot(path=path, animations="disabled")


async def _pictures_of_modals(world: Contoso, page: Page, folder: Path) -> None:
    """Each stage's modal of an update, and the match of a refusal; tall ones are cut where they are paged."""
    for case, headline, places in (
        ("update-three", "was updated", {"import": 0, "scope": 1, "action": 3}),
        ("ambiguous", "several objects", {"match": 2}),
    ):
        await _start_over(world, page)
        article = await _run(page, case, headline)
        for stage, place in places.items():
            await article.get_by_role("button", name="View details").nth(place).click()
            dialog = page.get_by_role("dialog")
            await dialog.wait_for()
            await _take(dialog, folder / f"details-{stage}.png")
            await page.keyboard.press("Escape")
            await dialog.wait_for(state="detached")


async def _pictures_of_the_page(world: Contoso, browser: Browser, folder: Path) -> None:
    """Take the whole window: with suggestions, a finished run, a payload; dark, and on a phone."""
    page = await _open(browser, world, still=False, viewport=_WINDOW)
    await _start_over(world, page)
    await page.get_by_role("textbox", name="Message").press_sequentially("/provision ")
    await page.screenshot(path=folder / "page-suggestions.png")
    await _run(page, "create", "was created")
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "page.png")
    await page.get_by_role("button", name="Payload").click()
    await page.screenshot(path=folder / "page-payload.png")
    dark = await _open(browser, world, still=False, color_scheme="dark", viewport=_WINDOW)
    await dark.screenshot(path=folder / "page-dark.png")
    phone = await _open(browser, world, still=False, viewport={"width": 390, "height": 780}, is_mobile=True)
    await phone.screenshot(path=folder / "page-phone.png")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
