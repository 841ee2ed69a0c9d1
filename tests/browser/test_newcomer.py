"""What a newcomer does in the first minute: by keyboard alone, and by mouse."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, Route, expect

from bot.demo import Contoso, people

STAGES = ("Import", "Scope", "Match", "Action")


def identifier(case: str) -> str:
    """Return the distinguished name of an interesting person."""
    return next(person["identifier"] for person in people() if person["case"] == case)


async def press(page: Page, *keys: str) -> None:
    """Press keys one after the other, wherever the focus is."""
    for key in keys:
        await page.keyboard.press(key)


async def tab_to(page: Page, target: Locator, key: str = "Shift+Tab") -> None:
    """Go from control to control by keyboard until the target has the focus."""
    for _ in range(40):
        if await target.evaluate("node => node === document.activeElement"):
            return
        await press(page, key)
    raise AssertionError(f"{target} cannot be reached by {key}")


async def become(page: Page, person: str) -> None:
    """Be another person, and see what that person sees."""
    radio = page.get_by_role("radio", name=person)
    user = await radio.get_attribute("value")
    await radio.check()
    await expect(page).to_have_url(re.compile(f"#/{user}/"))


async def expect_four_checks(article: Locator) -> None:
    """See the four stages in words, in their order."""
    for place, stage in enumerate(STAGES):
        check = article.get_by_role("paragraph").filter(has_text=re.compile(rf"^✅ {stage}\s+Passed\. \w+"))
        await expect(check).to_have_count(1)
        await expect(
            article.get_by_role("button", name="View details", exact=True).nth(place)
        ).to_be_visible()


async def test_by_keyboard_alone(page: Page) -> None:
    """A command is completed, sent and read, and a modal opened, paged and closed, without a mouse."""
    message = page.get_by_role("textbox", name="Message")
    await expect(message).to_be_focused()
    await page.keyboard.type("/prov")
    await press(page, "Enter")
    await expect(message).to_have_value("/provision ")
    await page.keyboard.type("to create")
    options = page.get_by_role("listbox", name="Suggestions")
    await expect(options).to_match_aria_snapshot('- listbox:\n  - option "a user to create — Ada Lovelace"')
    await press(page, "ArrowDown", "Enter")
    await expect(message).to_have_value(re.compile(r"^/provision CN=Ada Lovelace,OU=Engineering,"))
    await press(page, "Enter")
    await expect(message).to_have_value("")

    article = page.get_by_role("article")
    await expect(article.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_be_visible()
    await expect_four_checks(article)

    first = article.get_by_role("button", name="View details").first
    await tab_to(page, first)
    await press(page, "Enter")
    dialog = page.get_by_role("dialog", name="Import details")
    await expect(dialog.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    following = dialog.get_by_role("button", name="Next")
    await tab_to(page, following, "Tab")
    await press(page, "Enter")
    await expect(dialog.get_by_role("paragraph").filter(has_text="Page 2 of 2")).to_be_visible()
    await press(page, "Escape")
    await expect(dialog).to_have_count(0)
    await expect(first).to_be_focused()


async def test_escape_and_arrows_in_suggestions(page: Page) -> None:
    """Escape closes the suggestions and keeps the text; the arrows go round; Enter sends what is typed."""
    message = page.get_by_role("textbox", name="Message")
    await message.press_sequentially("/provision ")
    options = page.get_by_role("option")
    await press(page, "ArrowUp")
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await press(page, "ArrowDown")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    active = await message.get_attribute("aria-activedescendant")
    assert active == await options.first.get_attribute("id")
    await press(page, "Escape")
    await expect(options).to_have_count(0)
    await expect(message).to_have_value("/provision ")
    await message.press_sequentially("help")
    await press(page, "Enter")
    await expect(page.get_by_role("article").filter(has_text="Only visible to you")).to_contain_text(
        "takes one user or group through the four checks"
    )


async def test_by_mouse(page: Page) -> None:
    """The same by clicks: a suggestion, Send, each of the four modals, a page, and a value out of it."""
    await page.get_by_role("textbox", name="Message").fill("/provision ")
    await page.get_by_role("option", name="a user to create — Ada Lovelace").click()
    await page.get_by_role("button", name="Send").click()
    article = page.get_by_role("article")
    await expect_four_checks(article)
    for place, stage in enumerate(STAGES):
        await article.get_by_role("button", name="View details").nth(place).click()
        dialog = page.get_by_role("dialog", name=f"{stage} details")
        await expect(dialog.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
        if stage == "Import":
            assert await value_of(dialog, "displayName") == "Ada Lovelace"
            await dialog.get_by_role("button", name="Next").click()
            await expect(dialog.get_by_role("button", name="Previous")).to_be_visible()
            await expect(dialog.get_by_text("displayName", exact=True)).to_have_count(0)
        await dialog.get_by_role("button", name="Close", exact=True).click()
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def value_of(dialog: Locator, attribute: str) -> str:
    """Read an attribute's value in a modal: what is read aloud right after its name."""
    paragraphs = await dialog.get_by_role("paragraph").all_inner_texts()
    return paragraphs[paragraphs.index(attribute) + 1]


async def test_a_start_is_one_click_away(page: Page) -> None:
    """What is offered above the conversation only has to be sent."""
    about = page.get_by_role("region", name="About this conversation")
    await about.get_by_role("button", name="a user to update").click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await press(page, "Enter")
    await expect(
        page.get_by_role("heading", name="Alan Turing was updated in Entra ID: 2 changes, 1 addition")
    ).to_be_visible()


async def test_what_is_typed_before_the_page_is_ready_is_completed(page: Page) -> None:
    """Somebody is faster than the workspace: people are offered, and lines sent, as soon as that can be."""
    go_on = asyncio.Event()

    async def late(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await page.route("**/_sandbox/snapshot*", late)
    await page.reload()
    message = page.get_by_role("textbox", name="Message")
    await message.fill("good morning")
    await message.press("Enter")
    await message.fill("/provision preview ")
    await expect(page.get_by_role("option")).to_have_count(0)
    go_on.set()
    await expect(page.get_by_role("option", name="a user to create")).to_be_visible()
    await expect(page.get_by_role("article", name="Maria Jimenez")).to_contain_text("good morning")


async def test_preview_then_provision_this(page: Page, world: Contoso) -> None:
    """A preview writes nothing; its button carries the plan out in a message of its own."""
    await page.get_by_role("textbox", name="Message").fill("/provision preview ")
    await page.get_by_role("option", name="a user to create").click()
    await press(page, "Enter")
    first = page.get_by_role("article").first
    await expect(
        first.get_by_role("heading", name=re.compile("^Preview: Ada Lovelace would be created"))
    ).to_be_visible()
    assert world.tenant.ledger == []
    await first.get_by_role("button", name="Provision this").click()
    await expect(page.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(2)


@pytest.mark.parametrize(
    ("person", "sees"),
    [
        pytest.param("Stella Moreau", "You may not provision.", id="no-rights"),
        pytest.param("Vera Lindqvist", "You may not provision.", id="may-only-look"),
        pytest.param("Henry Okafor", "You may not provision.", id="may-only-preview"),
    ],
)
async def test_being_another_person_and_refused(page: Page, person: str, sees: str) -> None:
    """Rights follow the person: the refusal says whom to ask, and nobody else sees it."""
    await become(page, person)
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {identifier('create')}")
    await message.press("Enter")
    refusal = page.get_by_role("article", name="Fourcheck").filter(has_text="Only visible to you")
    await expect(refusal).to_contain_text(sees)
    await expect(refusal).to_contain_text("Ask @Adam Novak or @Maria Jimenez")
    await page.get_by_role("radio", name="Maria Jimenez").check()
    await expect(page.get_by_role("article")).to_have_count(0)


async def test_details_are_refused_to_those_who_may_not_look(page: Page) -> None:
    """A button is no right: who may not look gets a sentence instead of a modal."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {identifier('unchanged')}")
    await message.press("Enter")
    await expect(page.get_by_role("button", name="Run again")).to_be_visible()
    await become(page, "Stella Moreau")
    await page.get_by_role("button", name="View details").first.click()
    await expect(page.get_by_role("article").last).to_contain_text("You may not look at runs.")
    await expect(page.get_by_role("dialog")).to_have_count(0)
