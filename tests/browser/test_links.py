"""Interruptions: whatever connection goes, each message is there once."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from bot.demo import Contoso, people
from sandbox.directory.faults import FaultKind
from tests.browser.answering import PATIENCE_S
from tests.browser.conftest import LONG_S, Open


@pytest.fixture(autouse=True)
async def _slow_directory(world: Contoso) -> None:
    """Make the directory wait with its answer, so that there is a middle of a run."""
    world.directory.faults.add(FaultKind.DELAY, times=1, seconds=LONG_S)


def go_on(world: Contoso) -> None:
    """Let the directory answer."""
    world.directory.faults.clear()


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
    await expect(page.get_by_role("heading", name="Ada Lovelace")).to_have_count(1)


@pytest.mark.parametrize("way", ["abort", "close", "disconnect"])
async def test_socket_mode_link_dropped_in_mid_run(page: Page, world: Contoso, way: str) -> None:
    """The bot's link to Slack goes while a run is under way: nothing is lost, nothing is there twice."""
    workspace = world.workspace
    article = await start(page)
    assert (await workspace.links(way))["links"] == 1
    go_on(world)
    await expect_the_end_once(page, article)
    await workspace.until(lambda: workspace.socket_mode.count > 0, within=PATIENCE_S)
    await article.get_by_role("button", name="View details").first.click()
    await expect(page.get_by_role("dialog", name="Import details")).to_have_count(1)
    assert [write["method"] for write in world.tenant.ledger].count("POST") == 1


async def test_command_delivered_twice_runs_once(page: Page, world: Contoso) -> None:
    """Slack may deliver an envelope again: there is one message and one user all the same."""
    workspace = world.workspace
    article = await start(page)
    await workspace.links("repeat")
    await workspace.command("U0STELLA", "C0IDENTITY", "help")  # over the same link, after it
    go_on(world)
    await expect_the_end_once(page, article)
    assert [call["method"] for call in workspace.calls()].count("chat.postMessage") == 1


async def test_page_loses_its_own_connection_in_mid_run(page: Page, world: Contoso) -> None:
    """The page's stream breaks and the run ends meanwhile: the page catches up, and shows all of it once."""
    workspace = world.workspace
    article = await start(page)
    await workspace.say("U0ADAM", "C0IDENTITY", "before")
    await expect(page.get_by_role("article")).to_have_count(2)
    await page.context.set_offline(offline=True)
    await workspace.stop()
    go_on(world)
    await expect(page.get_by_text("The connection is gone.")).to_be_visible()
    await workspace.say("U0ADAM", "C0IDENTITY", "meanwhile")
    await workspace.start()
    await page.context.set_offline(offline=False)
    await expect(page.get_by_text("The connection is gone.")).to_have_count(0)
    await expect(article.get_by_role("heading", name="Ada Lovelace was created")).to_be_visible()
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
    article = await start(page)
    go_on(world)
    await expect_the_end_once(page, article)
    await expect(other.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_have_count(1)
    await expect(other.get_by_role("article")).to_have_count(2)
