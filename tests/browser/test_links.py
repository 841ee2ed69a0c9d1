"""Interruptions: whatever connection goes, each message is there once."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, expect

from bot.demo import Contoso, people
from sandbox.directory.faults import FaultKind
from tests.browser.conftest import Open

_SLOW_S = 0.7


@pytest.fixture(autouse=True)
async def _slow_directory(world: Contoso) -> None:
    """Make the directory answer late, so that there is a middle of a run."""
    world.directory.faults.add(FaultKind.DELAY, times=1, seconds=_SLOW_S)


async def start(page: Page) -> Locator:
    """Type the command and see its message begin."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {people()[0]['identifier']}")
    await message.press("Enter")
    await expect(page.get_by_role("heading", name="Ada Lovelace: provisioning…")).to_be_visible()
    return page.get_by_role("article")


async def expect_the_end_once(page: Page, article: Locator) -> None:
    """See the run's message, ended, and nothing beside it."""
    await expect(article.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_be_visible()
    await expect(article).to_have_count(1)
    assert await page.get_by_role("heading", name="Ada Lovelace").count() == 1


@pytest.mark.parametrize("way", ["abort", "close", "disconnect"])
async def test_socket_mode_link_dropped_in_mid_run(page: Page, world: Contoso, way: str) -> None:
    """The bot's link to Slack goes while a run is under way: nothing is lost, nothing is there twice."""
    workspace = world.workspace
    article = await start(page)
    assert (await workspace.links(way))["links"] == 1
    await expect_the_end_once(page, article)
    await workspace.until(lambda: workspace.socket_mode.count > 0, within=10)
    await article.get_by_role("button", name="View details").first.click()
    await expect(page.get_by_role("dialog", name="Import details")).to_have_count(1)
    assert [write["method"] for write in world.tenant.ledger].count("POST") == 1


async def test_command_delivered_twice_runs_once(page: Page, world: Contoso) -> None:
    """Slack may deliver an envelope again: there is one message and one user all the same."""
    article = await start(page)
    await world.workspace.links("repeat")
    await expect_the_end_once(page, article)
    await asyncio.sleep(0.3)  # a second run would have begun by now
    await expect_the_end_once(page, article)


async def test_page_loses_its_own_connection_in_mid_run(page: Page, world: Contoso) -> None:
    """The page's stream breaks and the run ends meanwhile: the page catches up, and shows all of it once."""
    workspace = world.workspace
    article = await start(page)
    await workspace.say("U0ADAM", "C0IDENTITY", "before")
    await expect(page.get_by_role("article")).to_have_count(2)
    await page.context.set_offline(offline=True)
    await workspace.stop()
    await expect(page.get_by_text("The connection is gone.")).to_be_visible()
    await workspace.say("U0ADAM", "C0IDENTITY", "meanwhile")
    await workspace.start()
    await page.context.set_offline(offline=False)
    await expect(page.get_by_text("The connection is gone.")).to_have_count(0)
    await expect(article.get_by_role("heading", name="Ada Lovelace was created")).to_be_visible(timeout=15000)
    await workspace.say("U0ADAM", "C0IDENTITY", "after")
    texts = [page.get_by_role("article").filter(has_text=said) for said in ("before", "meanwhile", "after")]
    for text in texts:
        await expect(text).to_have_count(1)
    await expect(page.get_by_role("article")).to_have_count(4)


async def test_two_windows(page: Page, world: Contoso, visit: Open) -> None:
    """What everyone may see is in both windows at once; what is for one person is in that one's alone."""
    other = await visit(f"{world.workspace.url}/#/U0STELLA/C0IDENTITY")
    await expect(other.get_by_role("radio", name="Stella Moreau")).to_be_checked()
    message = other.get_by_role("textbox", name="Message")
    await message.fill("/provision help")
    await message.press("Enter")
    await expect(other.get_by_role("article")).to_contain_text("Only visible to you")
    await expect_the_end_once(page, await start(page))
    await expect(other.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_have_count(1)
    await expect(other.get_by_role("article")).to_have_count(2)
