"""Axe, the accessibility checker, on every state of the page: no serious and no critical fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bot.demo import Contoso, people
from tests.browser.conftest import Open

_PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules on colours. The dark look can break no others: it has the same elements."""
_AXE = files("axe_playwright_python").joinpath("axe.min.js")


async def faults(page: Page, *rules: str, but: Sequence[str] = ()) -> list[str]:
    """Run axe on the page as it stands: all of it, some rules, or all but some; name what is serious."""
    found = await page.evaluate(
        "async ([rules, but]) => (await axe.run({resultTypes: ['violations'],"
        " ...(rules.length && {runOnly: rules}),"
        " rules: Object.fromEntries(but.map((rule) => [rule, {enabled: false}]))}))"
        ".violations.filter(({impact}) => ['serious', 'critical'].includes(impact))"
        ".map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(' ')}`)",
        [list(rules), list(but)],
    )
    return list(found)


async def expect_no_faults(page: Page) -> None:
    """Hold the page to axe in both looks: all of it in the light one, the colours in the dark one as well."""
    assert await faults(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await faults(page, *_COLOURS) == []
    await page.emulate_media(color_scheme="light")


async def expect_no_faults_on_a_phone(page: Page) -> None:
    """Hold the page to axe on a phone, which has the colours of the wide window."""
    assert await faults(page, but=_COLOURS) == []


Hold = Callable[[Page], Awaitable[None]]


@pytest.mark.parametrize(
    ("look", "hold"),
    [
        pytest.param({}, expect_no_faults, id="light and dark"),
        pytest.param(_PHONE, expect_no_faults_on_a_phone, id="phone"),
    ],
)
async def test_axe_finds_no_serious_fault(
    world: Contoso, visit: Open, look: dict[str, Any], hold: Hold
) -> None:
    """Start, suggestions, message, each modal, payload and menu hold up to axe in every look of the page."""
    page = await visit(f"{world.workspace.url}/", **look)
    await page.evaluate(_AXE.read_text("utf-8"))
    await hold(page)
    message = page.get_by_role("textbox", name="Message")
    await message.press_sequentially("/provision amb")
    await message.press("ArrowDown")
    await hold(page)
    await message.fill(f"/provision preview {people()[1]['identifier']}")
    await message.press("Enter")
    await expect(page.get_by_role("button", name="Provision this")).to_be_visible()
    await hold(page)
    for place in [3] if look else range(4):
        await page.get_by_role("button", name="View details").nth(place).click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await hold(page)
        if place == 3:
            await dialog.get_by_role("button", name="Payload").click()
            await expect(dialog.get_by_text("Block Kit validator")).to_be_visible()
            await hold(page)
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
    await page.get_by_role("article").hover()
    await page.get_by_role("button", name="Notification text").click()
    await page.get_by_role("button", name="Payload").click()
    await hold(page)
    await page.get_by_role("button", name="Close payload").click()
    await _form_and_faults(page, hold, is_phone=bool(look))
    if look:
        await page.get_by_role("button", name="Workspace menu").click()
        assert await faults(page) == []


async def _form_and_faults(page: Page, hold: Hold, *, is_phone: bool) -> None:
    """Open the form that finds an object, with its list, and the panel of faults with one of them on."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill("/provision preview")
    await message.press("Enter")
    await page.get_by_role("dialog").get_by_role("combobox").fill("ada")
    await expect(page.get_by_role("option").first).to_be_visible()
    await hold(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("option")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    if is_phone:
        await page.get_by_role("button", name="Workspace menu").click()
    await page.get_by_role("button", name="Faults", exact=True).click()
    panel = page.get_by_role("complementary", name="Faults")
    await panel.get_by_role("button", name="Switch on: Busy").click()
    await expect(panel).to_contain_text("On · 1 left")
    await hold(page)
    await panel.get_by_role("button", name="Close faults").click()


async def test_axe_would_find_one(world: Contoso, visit: Open) -> None:
    """The check itself is alive: a button without a name is found."""
    page = await visit(f"{world.workspace.url}/")
    await page.evaluate(_AXE.read_text("utf-8"))
    await page.evaluate("document.body.append(document.createElement('button'))")
    assert [fault.partition(":")[0] for fault in await faults(page)] == ["button-name"]


async def test_news_are_said_once(world: Contoso, visit: Open) -> None:
    """A screen reader hears the notification text of a message that comes or changes, and not its blocks."""
    page = await visit(f"{world.workspace.url}/")
    await page.evaluate(
        "() => { window.heard = []; Document.prototype.ariaNotify = (text) => heard.push(text) }"
    )
    await _provision(page)
    heard = await page.evaluate("window.heard")
    assert [text for text in heard if text.startswith("Ada Lovelace was created in Entra ID. Import passed:")]
    assert len(heard) == len(set(heard))
    await expect(page.get_by_text("Ada Lovelace was created in Entra ID")).to_have_count(1)


async def test_news_are_said_by_older_browsers_too(world: Contoso, visit: Open) -> None:
    """Where a browser cannot be asked to speak, a live region holds the text for as long as that takes."""
    page = await visit(f"{world.workspace.url}/")
    await page.evaluate(
        "() => { delete Document.prototype.ariaNotify; window.heard = [];"
        " const told = (changes) => changes.forEach(({addedNodes}) =>"
        " addedNodes.forEach((node) => heard.push(node.textContent)));"
        " new MutationObserver(told).observe(document.querySelector('[role=status]'), {childList: true}) }"
    )
    await _provision(page)
    heard = await page.evaluate("window.heard")
    assert [text for text in heard if text.startswith("Ada Lovelace was created in Entra ID. Import passed:")]
    await expect(page.get_by_role("status")).to_have_text("")


async def _provision(page: Page) -> None:
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {people()[0]['identifier']}")
    await message.press("Enter")
    await expect(page.get_by_role("button", name="Run again")).to_be_visible()
