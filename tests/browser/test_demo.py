"""The demo as a newcomer starts it: one address, which is the page; and the page in a window of any size."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.cli import main
from bot.demo import Contoso, people
from tests.browser.conftest import Open

_PHONE = {"viewport": {"width": 360, "height": 680}, "has_touch": True, "is_mobile": True}


async def _demo(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bot", "demo", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)


async def test_demo_prints_one_address_and_serves_the_page(
    visit: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one line that the demo prints leads to the page; a second demo on its port says what to do."""
    process = await _demo("--port", "0")
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", line)
        page = await visit(address)
        await page.get_by_role("textbox", name="Message").press_sequentially("/provision ")
        await expect(page.get_by_role("option").first).to_have_text("a user to create — Ada Lovelace")
        assert await asyncio.to_thread(main, ["demo", "--port", address.rstrip("/").rpartition(":")[2]]) == 2
        assert capsys.readouterr().err.startswith("Port ")
    finally:
        process.terminate()
        rest, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, rest, errors) == (0, b"", b"")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(world: Contoso, visit: Open) -> Page:
    """Give the page on a small phone."""
    return await visit(f"{world.workspace.url}/", **_PHONE)


async def test_nothing_sticks_out_on_a_phone(phone: Page) -> None:
    """In a small window everything is within reach by scrolling down alone."""

    async def fits() -> None:
        wide = (
            "[...document.querySelectorAll('body *')].filter((node) => node.checkVisibility()"
            " && node.tagName !== 'WBR' && !node.closest('#sidebar')"
            " && node.getBoundingClientRect().right > innerWidth + 1)"
            ".map((node) => node.outerHTML.slice(0, 120))"
        )
        assert await phone.evaluate(wide) == []

    await fits()
    message = phone.get_by_role("textbox", name="Message")
    identifier = next(person["identifier"] for person in people() if person["case"] == "awkward-slack")
    await message.fill(f"/provision {identifier}")
    await message.press("Enter")
    await expect(phone.get_by_role("button", name="Run again")).to_be_visible()
    await fits()
    for place in (0, 3):
        await phone.get_by_role("button", name="View details").nth(place).tap()
        dialog = phone.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await fits()
        await dialog.get_by_role("button", name="Close", exact=True).tap()
        await expect(dialog).to_have_count(0)
    await phone.get_by_role("button", name="Payload").tap()
    await fits()


async def test_menu_of_a_phone(phone: Page) -> None:
    """The sidebar comes when asked for; a place chosen, a touch outside or Escape sends it away."""
    button = phone.get_by_role("button", name="Workspace menu")
    sidebar = phone.get_by_role("navigation", name="Workspace")
    await expect(sidebar).to_have_count(0)
    await button.tap()
    await expect(phone.get_by_role("radio", name="Maria Jimenez")).to_be_focused()
    await phone.get_by_role("button", name="general").tap()
    await expect(phone.get_by_role("region", name="Conversation: general")).to_be_visible()
    await expect(sidebar).to_have_count(0)
    await button.tap()
    await expect(sidebar).to_be_visible()
    await phone.touchscreen.tap(350, 300)
    await expect(sidebar).to_have_count(0)
    await button.tap()
    await expect(sidebar).to_be_visible()
    await phone.keyboard.press("Escape")
    await expect(sidebar).to_have_count(0)
    await expect(button).to_be_focused()
