"""The whole of it without a manual: find somebody, preview, provision, read why, and find the run again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from bot.demo import Contoso
from bot.views.history import Where, history_message
from pipeline.ids import new_run_id
from tests.browser.test_newcomer import become, identifier, press, tab_to


async def send(page: Page, *lines: str) -> None:
    """Type a command, of several lines by Shift and Enter, and send it."""
    message = page.get_by_role("textbox", name="Message")
    await expect(message).to_be_enabled()
    await message.fill("/provision " + "\n".join(lines))
    await message.press("Enter")
    await expect(message).to_have_value("")


async def details(page: Page, stage: str) -> Locator:
    """Open the details of a stage of the only run there is."""
    places = ("Import", "Scope", "Match", "Action")
    await page.get_by_role("button", name="View details", exact=True).nth(places.index(stage)).click()
    dialog = page.get_by_role("dialog", name=f"{stage} details")
    await expect(dialog).to_be_visible()
    return dialog


async def test_story_by_keyboard(page: Page, world: Contoso) -> None:
    """Without a mouse and a manual: the form finds, a preview is carried out, its reasons are read."""
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.type("/provision preview")
    await press(page, "Enter")
    form = page.get_by_role("dialog", name="Find an object")
    who = form.get_by_role("combobox", name="User or group")
    await expect(who).to_be_focused()
    await page.keyboard.insert_text("ada lo")  # at once: each pause is a search of its own
    await expect(form.get_by_role("group", name="Users").get_by_role("option")).to_have_count(1)
    await press(page, "Enter")
    await expect(who).to_have_value("Ada Lovelace")
    await expect(form.get_by_role("radio", name="Preview")).to_be_checked()
    await tab_to(page, form.get_by_role("button", name="Start"), "Tab")
    await press(page, "Enter")
    await expect(form).to_have_count(0)

    preview = page.get_by_role("article").last
    await expect(
        preview.get_by_role("heading", name="Preview: Ada Lovelace would be created")
    ).to_be_visible()
    assert world.tenant.ledger == []
    carry_out = preview.get_by_role("button", name="Provision this")
    await tab_to(page, carry_out)
    await press(page, "Enter")
    created = page.get_by_role("article").filter(
        has=page.get_by_role("heading", name="Ada Lovelace was created in Entra ID")
    )
    await expect(created.get_by_role("button", name="Run again")).to_be_visible()

    opener = created.get_by_role("button", name="View details", exact=True).last
    await tab_to(page, opener, "Tab")
    await press(page, "Enter")
    action = page.get_by_role("dialog", name="Action details")
    await tab_to(page, action.get_by_role("button", name="Why").first, "Tab")
    await press(page, "Enter")
    why = page.get_by_role("dialog").filter(has=page.get_by_role("button", name="Back to Action details"))
    await expect(why).to_contain_text("onPremisesImmutableId")
    await expect(why).to_contain_text("[objectGUID]")
    await press(page, "Escape")
    await expect(action.get_by_role("button", name="Why").first).to_be_focused()
    await press(page, "Escape")
    await expect(opener).to_be_focused()

    message = page.get_by_role("textbox", name="Message")
    await tab_to(page, message, "Tab")
    await page.keyboard.type("/provision history")
    await press(page, "Escape", "Enter")
    history = page.get_by_role("article").filter(has=page.get_by_role("heading", name="The latest runs"))
    await expect(history).to_contain_text("Ada Lovelace was created in Entra ID")
    first = history.get_by_role("button", name="Open").first
    await tab_to(page, first)
    await press(page, "Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Ada Lovelace was created in Entra ID")


async def test_story_by_mouse(page: Page, world: Contoso) -> None:
    """The same form by clicks; its answer is in the channel, and the history a click away."""
    await send(page, "")
    form = page.get_by_role("dialog", name="Find an object")
    who = form.get_by_role("combobox", name="User or group")
    await who.fill("Turing")
    await form.get_by_role("option", name="Alan Turing").click()
    await form.get_by_role("radio", name="Provision").check()
    await form.get_by_role("button", name="Start").click()
    article = page.get_by_role("article")
    await expect(article.get_by_role("heading", name="Alan Turing was updated in Entra ID")).to_be_visible()
    assert len(world.tenant.ledger) == 1
    await article.get_by_role("button", name="History").click()
    history = page.get_by_role("dialog", name="History")
    await expect(history.get_by_role("heading", name="History of Alan Turing")).to_be_visible()
    await history.get_by_role("button", name="Open").first.click()  # the newest of several
    await expect(page.get_by_role("dialog")).to_contain_text("Alan Turing was updated in Entra ID")
    await page.get_by_role("button", name="Back to History").click()
    await expect(page.get_by_role("dialog")).to_have_accessible_name("History")


async def test_search_filter_and_copy(page: Page) -> None:
    """In the details something is searched for, what changes shown alone, and all of it copied as text."""
    await send(page, f"preview {identifier('update-three')}")
    await expect(page.get_by_role("button", name="Provision this")).to_be_visible()
    dialog = await details(page, "Action")
    search = dialog.get_by_role("textbox", name=re.compile("^Search"))
    await search.fill("jobTitle")
    await search.press("Enter")
    await expect(dialog.get_by_role("paragraph").filter(has_text="department")).to_have_count(0)
    await expect(dialog.get_by_role("paragraph").filter(has_text="jobTitle").first).to_be_visible()
    await expect(search).to_be_focused()
    await search.fill("")
    await search.press("Enter")
    await expect(dialog.get_by_text("department").first).to_be_visible()
    await expect(dialog.get_by_text("surname", exact=True).first).to_be_visible()
    await dialog.get_by_role("button", name="Only what changes").click()
    await expect(dialog.get_by_text("surname", exact=True)).to_have_count(0)
    await dialog.get_by_role("button", name="Copy as text").click()
    copied = page.get_by_role("dialog").filter(has=page.get_by_role("button", name="Back to Action details"))
    await expect(copied.locator("pre").first).to_contain_text("jobTitle")


async def test_several_objects(page: Page) -> None:
    """Several names, one a line, share one message; each opens, and what stands in it is a step deeper."""
    await send(page, identifier("create"), identifier("scope-filter"))
    article = page.get_by_role("article")
    await expect(article.get_by_role("heading", name="1 of 2 objects provisioned")).to_be_visible()
    await expect(article).to_have_count(1)
    await article.get_by_role("button", name="Details").last.click()
    run = page.get_by_role("dialog")
    await expect(run).to_contain_text("Grace Hopper")
    await run.get_by_role("button", name="View details").nth(1).click()
    scope = page.get_by_role("dialog", name="Scope details")
    await expect(scope).to_contain_text("employeeType")
    await press(page, "Escape")
    await expect(run.get_by_role("button", name="View details").nth(1)).to_be_focused()


@pytest.mark.parametrize(
    ("person", "modes"),
    [
        pytest.param("Henry Okafor", ["Preview"], id="may-only-preview"),
        pytest.param("Adam Novak", ["Preview", "Provision"], id="may-provision"),
    ],
)
async def test_the_form_offers_what_the_person_may(page: Page, person: str, modes: list[str]) -> None:
    """Whoever may only preview is offered no more."""
    await become(page, person)
    await send(page, "")
    form = page.get_by_role("dialog", name="Find an object")
    await expect(form.get_by_role("radio")).to_have_count(len(modes))
    for mode in modes:
        await expect(form.get_by_role("radio", name=mode)).to_be_visible()


async def test_a_guest_may_nothing(page: Page) -> None:
    """A guest sees what the channel sees, and is refused with the people to ask."""
    await become(page, "Noor Haddad")
    await expect(page.get_by_role("button", name="general")).to_have_count(0)
    await send(page, "")
    told = page.get_by_role("article").filter(has_text="Only visible to you")
    await expect(told).to_contain_text("Ask @Adam Novak or @Maria Jimenez")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_archived_channel(page: Page) -> None:
    """An archived channel can be read, says what it is, and takes nothing."""
    await page.get_by_role("button", name="identity-2019 (archived)").click()
    await expect(page.get_by_role("region", name="About this conversation")).to_contain_text("archived")
    await expect(page.get_by_role("textbox", name="Message")).to_be_disabled()
    await page.get_by_role("button", name="identity", exact=True).click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()


async def test_the_run_of_yesterday_is_found(page: Page, world: Contoso) -> None:
    """History says the day as people do, in words and to a screen reader, newest first; Open leads there."""
    store = world.bot.systems.store
    dn = identifier("awkward-semicolon")  # whom no other test provisions: eight runs are a page
    await page.get_by_role("textbox", name="Message").fill(f"/provision preview {dn}")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("article").get_by_role("button", name="History")).to_be_visible()
    (today,) = await store.history(limit=1)
    day = timedelta(days=1)
    assert today.ended_at is not None
    ended = today.ended_at - day
    before = replace(today, run_id=new_run_id(), started_at=today.started_at - day, ended_at=ended)
    await store.save(before)

    await page.get_by_role("article").get_by_role("button", name="History").click()
    history = page.get_by_role("dialog", name="History")
    rows = history.locator(".section", has_text=re.compile("configuration contoso"))
    await expect(rows.filter(has_text=re.compile(r"yesterday \d\d:\d\d"))).to_have_count(1)
    await rows.filter(has_text="yesterday").get_by_role("button", name="Open").click()
    await expect(page.get_by_role("dialog", name="Run")).to_contain_text("yesterday")
    told = history_message([before], Where(), more=False).text
    assert f"<!date^{int(before.started_at.timestamp())}^" in told
