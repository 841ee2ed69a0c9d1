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
  .modal-body:focus-visible { outline: none; }
"""
_LOOK: Final[dict[str, Any]] = {
    "device_scale_factor": 1.5,
    "locale": "en-GB",
    "timezone_id": "Europe/London",
    "reduced_motion": "reduce",
    "bypass_csp": True,  # for the lines above
}
_WIDE: Final = {"width": 1120, "height": 1060}
_PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 1060},
    "device_scale_factor": 1,
    "has_touch": True,
    "is_mobile": True,
}
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
    Outcome("message-synced", "synced", ""),
    Outcome("message-contact", "contact", ""),
    Outcome("message-failed", "upn-conflict", "was not provisioned"),
    Outcome("message-preview", "update-three", "nothing was written", verb="preview "),
    Outcome("message-warning", "manager-missing", "with a warning"),
    Outcome("message-partial", "create", "only in part", before=_no_manager),
    Outcome("message-group", "group-40", "was created in Entra ID"),
)


@dataclass(frozen=True, slots=True)
class Windows:
    """The same workspace in two windows of one person, wide and as on a phone."""

    wide: Page
    phone: Page

    async def take(self, find: Callable[[Page], Locator], folder: Path, name: str) -> None:
        """Photograph the same thing in both."""
        await _take(find(self.wide), folder / f"{name}.png")
        await _take(find(self.phone), folder / f"{name}-phone.png")


async def main(folder: Path) -> None:
    """Take every picture, on a fresh contoso."""
    async with contoso() as world, _browser() as browser:
        windows = Windows(await _open(browser, world), await _open(browser, world, **_PHONE))
        for outcome in OUTCOMES:
            await _picture_of_outcome(world, windows, outcome, folder)
        await _picture_of_waiting(world, windows, folder)
        await _picture_of_several(world, windows, folder)
        await _pictures_of_details(world, windows, folder)
        await _pictures_of_forms(world, windows, folder)
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


async def _type(page: Page, text: str) -> None:
    """Type a command and send it."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {text}".strip())
    await message.press("Enter")
    if text == "":
        await message.press("Enter")  # the first one completes the command's name


async def _run(page: Page, case: str, headline: str, verb: str = "") -> Locator:
    """Type the command and wait for its message to end with this headline."""
    await _type(page, f"{verb}{_IDENTIFIERS[case]}")
    article = page.get_by_role("article").last
    await article.get_by_role("heading", name=headline).wait_for()
    await article.get_by_role("button", name="Run again").wait_for()
    return article


async def _picture_of_outcome(world: Contoso, windows: Windows, outcome: Outcome, folder: Path) -> None:
    await _start_over(world, windows)
    if outcome.before is not None:
        outcome.before(world)
    await _run(windows.wide, outcome.case, outcome.headline, outcome.verb)
    await windows.take(lambda page: page.get_by_role("article").last, folder, outcome.name)


async def _picture_of_waiting(world: Contoso, windows: Windows, folder: Path) -> None:
    """Take a run that waits because Graph throttles."""
    await _start_over(world, windows)
    world.tenant.inject({"kind": "throttled-seconds", "seconds": 8})
    await _type(windows.wide, _IDENTIFIERS["create"])
    await windows.wide.get_by_role("heading", name="provisioning…").wait_for()
    await windows.wide.wait_for_timeout(1500)  # until it says what it waits for
    await windows.take(lambda page: page.get_by_role("article").last, folder, "message-waiting")
    await windows.wide.get_by_role("button", name="Run again").wait_for()


async def _picture_of_several(world: Contoso, windows: Windows, folder: Path) -> None:
    """Take the one message of several objects."""
    await _start_over(world, windows)
    cases = ("create", "update-three", "scope-filter", "ambiguous")
    await _type(windows.wide, "\n".join(_IDENTIFIERS[case] for case in cases))
    article = windows.wide.get_by_role("article").last
    await article.get_by_role("heading", name="4 objects").wait_for()
    await article.get_by_role("button", name="again").first.wait_for()
    await windows.take(lambda page: page.get_by_role("article").last, folder, "message-several")


async def _start_over(world: Contoso, windows: Windows) -> None:
    await world.workspace.reset_everything()
    for page in (windows.wide, windows.phone):
        await page.get_by_role("article").first.wait_for(state="detached")


async def _take(what: Locator, path: Path) -> None:
    await what.page.mouse.move(0, 0)
    await what.page.wait_for_timeout(150)
    await what.screenshot(path=path, animations="disabled")


async def _pictures_of_details(world: Contoso, windows: Windows, folder: Path) -> None:
    """Each stage's modal of an update, and the match of a refusal; tall ones are cut where they are paged."""
    for case, headline, places in (
        ("update-three", "was updated", {"import": 0, "scope": 1, "match": 2, "action": 3}),
        ("ambiguous", "several objects", {"match-ambiguous": 2}),
        ("scope-filter", "out of scope", {"scope-out": 1}),
    ):
        await _start_over(world, windows)
        article = await _run(windows.wide, case, headline)
        for stage, place in places.items():
            await article.get_by_role("button", name="View details").nth(place).click()
            await _picture_of_modal(windows, folder, f"details-{stage}")


async def _pictures_of_forms(world: Contoso, windows: Windows, folder: Path) -> None:
    """Take the form that finds an object, with its list open, and the history."""
    await _start_over(world, windows)
    await _type(windows.wide, "")
    for page in (windows.wide, windows.phone):
        field = page.get_by_role("combobox", name="User or group")
        await field.press_sequentially("a")
        await field.press_sequentially("d")
        await page.get_by_role("option").first.wait_for()
        await page.screenshot(path=folder / f"picker{'' if page is windows.wide else '-phone'}.png")
        await field.press("Escape")
    await windows.wide.keyboard.press("Escape")
    await windows.wide.get_by_role("dialog").wait_for(state="detached")
    for case, headline in (("create", "was created"), ("scope-filter", "out of scope")):
        await _run(windows.wide, case, headline)
    await _type(windows.wide, "history")
    await windows.wide.get_by_role("heading", name="The latest runs").wait_for()
    await windows.take(lambda page: page.get_by_role("article").last, folder, "history")


async def _picture_of_modal(windows: Windows, folder: Path, name: str) -> None:
    for page in (windows.wide, windows.phone):
        await page.get_by_role("dialog").wait_for()
    await windows.take(lambda page: page.get_by_role("dialog"), folder, name)
    await windows.wide.keyboard.press("Escape")
    for page in (windows.wide, windows.phone):
        await page.get_by_role("dialog").wait_for(state="detached")


async def _pictures_of_the_page(world: Contoso, browser: Browser, folder: Path) -> None:
    """Take the whole window: with suggestions, a finished run, a payload, faults; dark, and on a phone."""
    await world.workspace.reset_everything()
    page = await _open(browser, world, still=False, viewport=_WINDOW)
    await page.get_by_role("textbox", name="Message").press_sequentially("/provision ")
    await page.screenshot(path=folder / "page-suggestions.png")
    await _run(page, "create", "was created")
    await page.mouse.move(0, 0)
    await page.screenshot(path=folder / "page.png")
    await page.get_by_role("button", name="Payload").click()
    await page.screenshot(path=folder / "page-payload.png")
    await page.get_by_role("button", name="Faults", exact=True).click()
    lost = page.get_by_role("listitem").filter(has_text="Timed out (504), yet written")
    await lost.get_by_role("button").click()
    await lost.get_by_text("1 left").wait_for()
    await page.screenshot(path=folder / "page-faults.png")
    dark = await _open(browser, world, still=False, color_scheme="dark", viewport=_WINDOW)
    await dark.screenshot(path=folder / "page-dark.png")
    phone = await _open(browser, world, still=False, viewport={"width": 390, "height": 780}, is_mobile=True)
    await phone.screenshot(path=folder / "page-phone.png")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
