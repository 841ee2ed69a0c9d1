"""The panel that makes things go wrong, as somebody uses it who wants to see what the bot makes of it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from bot.demo import Contoso
from tests.browser.test_newcomer import identifier, press, tab_to


async def panel_of(page: Page) -> Locator:
    """Open the panel."""
    await page.get_by_role("button", name="Faults", exact=True).click()
    panel = page.get_by_role("complementary", name="Faults")
    await expect(panel.get_by_role("heading", name="Active Directory")).to_be_visible()
    return panel


async def provision(page: Page, case: str) -> None:
    """Type the command for an interesting person."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {identifier(case)}")
    await message.press("Enter")


def row(panel: Locator, system: str, label: str) -> Locator:
    """Find a fault of a system."""
    return panel.get_by_role("region", name=system).get_by_role("listitem").filter(has_text=label)


async def test_lost_answer_by_keyboard(page: Page, world: Contoso) -> None:
    """The write is carried out and its answer lost: the bot finds out and writes no second time."""
    await tab_to(page, page.get_by_role("button", name="Faults", exact=True))
    await press(page, "Enter")
    panel = page.get_by_role("complementary", name="Faults")
    await expect(panel.get_by_role("button", name="Close faults")).to_be_focused()
    lost = row(panel, "Microsoft Entra", "Timed out (504), yet written")
    await expect(lost).to_be_visible()
    await tab_to(page, lost.get_by_role("button"), "Tab")
    await press(page, "Enter")
    await expect(lost).to_contain_text("On · 1 left")
    await expect(panel.get_by_role("status")).to_have_text("1 on")
    await press(page, "Escape")
    await expect(panel).to_have_count(0)
    await expect(page.get_by_role("button", name="Faults", exact=True)).to_be_focused()
    await provision(page, "create")
    await expect(page.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_be_visible()
    users = [write for write in world.tenant.ledger if write["method"] == "POST" and "users" in write["path"]]
    assert len(users) == 1
    panel = await panel_of(page)
    await expect(panel.get_by_role("status")).to_have_text("Everything works.")


# system, fault, how the headline ends
HANDLED = {
    "slack throttled": ("Slack", "Throttled (429)", "was created in Entra ID"),
    "slack out of order": ("Slack", "Out of order (503)", "was created in Entra ID"),
    "entra throttled": ("Microsoft Entra", "Throttled, told to wait a fraction", "was created in Entra ID"),
    "directory lost in mid-answer": (
        "Active Directory",
        "Connection lost in mid-answer",
        "was created in Entra ID",
    ),
}


@pytest.mark.parametrize(("system", "label", "headline"), HANDLED.values(), ids=list(HANDLED))
async def test_faults_that_are_got_over(page: Page, system: str, label: str, headline: str) -> None:
    """What passes is got over without a word of failure, and the panel shows that it struck."""
    panel = await panel_of(page)
    one = row(panel, system, label)
    await one.get_by_role("button", name="Switch on").click()
    await expect(one).to_contain_text(re.compile(r"On · \d left"))
    await provision(page, "create")
    await expect(page.get_by_role("heading", name=f"Ada Lovelace {headline}")).to_be_visible()
    await expect(panel.get_by_role("status")).to_have_text("Everything works.")


async def test_a_permission_is_missing(page: Page, world: Contoso) -> None:
    """What does not pass is told with its remedy; everything off, and the same run succeeds."""
    panel = await panel_of(page)
    one = row(panel, "Microsoft Entra", "Permission to write taken away")
    await one.get_by_role("button", name="Switch on").click()
    await expect(one).to_contain_text("On")
    await provision(page, "create")
    failed = page.get_by_role("article").filter(has=page.get_by_role("button", name="Run again"))
    await expect(failed).to_contain_text("User.ReadWrite.All")
    assert world.tenant.ledger == [] or all(write["status"] >= 400 for write in world.tenant.ledger)
    await panel.get_by_role("button", name="Switch all off").click()
    await expect(panel.get_by_role("status")).to_have_text("Everything works.")
    await failed.get_by_role("button", name="Run again").click()
    await expect(page.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_be_visible()


async def test_reset_ends_faults_and_one_panel_is_open(page: Page) -> None:
    """Reset switches everything off in all three; a payload takes the panel's place."""
    panel = await panel_of(page)
    for system in ("Slack", "Microsoft Entra", "Active Directory"):
        slow = row(panel, system, "Slow answers")
        await slow.get_by_role("button", name="Switch on").click()
        await expect(slow).to_contain_text("On")
    await page.get_by_role("button", name="Reset").click()
    await expect(panel.get_by_role("status")).to_have_text("Everything works.")
    message = page.get_by_role("textbox", name="Message")
    await message.fill("hello")
    await message.press("Enter")
    await page.get_by_role("article").hover()
    await page.get_by_role("button", name="Payload").click()
    await expect(page.get_by_role("complementary", name="Payload")).to_be_visible()
    await expect(panel).to_have_count(0)


async def test_a_run_that_waits_can_be_cancelled(page: Page, world: Contoso) -> None:
    """A throttled run says what it waits for; Cancel ends it at once, and nothing is written."""
    world.tenant.inject({"kind": "throttled-seconds", "seconds": 20})
    await provision(page, "create")
    article = page.get_by_role("article")
    await expect(article).to_contain_text("Throttled by Microsoft Graph, waiting")
    await article.get_by_role("button", name="Cancel").click()
    await expect(article.get_by_role("heading", name=re.compile("cancelled"))).to_be_visible()
    await expect(article.get_by_role("button", name="Cancel")).to_have_count(0)
    assert world.tenant.ledger == []


async def test_news_stay_in_sight_when_panels_change(page: Page, world: Contoso) -> None:
    """One panel in the place of another: whoever was at the newest message still is."""
    for said in range(5):  # as much as fits beside no panel, and does not beside one
        await world.workspace.say("U0ADAM", "C0IDENTITY", f"message {said} " + "with many words " * 22)
    newest = page.get_by_role("article").filter(has_text="message 4")
    await expect(newest).to_be_in_viewport(ratio=1)
    await newest.hover()
    await newest.get_by_role("button", name="Payload").click()
    await expect(newest).to_be_in_viewport(ratio=1)
    await panel_of(page)
    await expect(page.get_by_role("complementary", name="Payload")).to_have_count(0)
    await expect(newest).to_be_in_viewport(ratio=1)
