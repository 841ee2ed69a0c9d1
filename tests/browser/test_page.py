"""What the page itself promises: channels, payloads, loud errors, reset; and what stands there is text."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, expect

from bot.demo import Contoso, people
from bot.views.limits import facts as bot_facts
from sandbox.directory.faults import FaultKind
from sandbox.workspace import WorkspaceServer
from sandbox.workspace.blockkit import facts
from tests.browser.answering import SHORT_S
from tests.browser.conftest import LONG_S, Open

Node = dict[str, Any]
IDENTIFIERS = {person["case"]: person["identifier"] for person in people()}
_IMPATIENT = pytest.mark.parametrize("ack_deadline", [SHORT_S])
TROUBLE = "The app did not answer within three seconds (operation_timeout)."


async def provision(page: Page, case: str) -> None:
    """Type the command for an interesting person."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill(f"/provision {IDENTIFIERS[case]}")
    await message.press("Enter")
    await expect(message).to_have_value("")


async def call(workspace: WorkspaceServer, method: str, **arguments: Any) -> Node:
    """Call a Web API method as the app would."""
    headers = {"Authorization": f"Bearer {workspace.settings()['FOURCHECK_SLACK__BOT_TOKEN']}"}
    address = f"{workspace.url}/api/{method}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, json=arguments, headers=headers) as response,
    ):
        answer: Node = await response.json()
        return answer


async def post(workspace: WorkspaceServer, *blocks: Node, text: str = "x") -> Node:
    """Post a message as the app would."""
    return await call(workspace, "chat.postMessage", channel="C0IDENTITY", text=text, blocks=list(blocks))


@pytest_asyncio.fixture(loop_scope="session")
async def silent(bare: WorkspaceServer) -> Any:
    """Let the workspace dispatch to an app that never answers."""

    async def wait(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    application = web.Application()
    application.router.add_post("/", wait)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bare.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield bare
    await runner.cleanup()


# --- what goes wrong is said -----------------------------------------------------------------------------


@_IMPATIENT
async def test_command_without_an_answer(silent: WorkspaceServer, visit: Open) -> None:
    """A command that is not acknowledged says operation_timeout, as Slack does, to the one who typed it."""
    page = await visit(silent.url)
    message = page.get_by_role("textbox", name="Message")
    await message.fill("/provision x")
    await message.press("Enter")
    told = page.get_by_role("article", name="Slackbot")
    await expect(told).to_contain_text('/provision failed with the error "operation_timeout"')
    await expect(told).to_contain_text("Only visible to you")


@_IMPATIENT
async def test_click_without_an_answer(silent: WorkspaceServer, visit: Open) -> None:
    """A button that is not acknowledged says so beside it."""
    element = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    await post(silent, {"type": "actions", "elements": [element]})
    page = await visit(silent.url)
    await page.get_by_role("button", name="Go", exact=True).click()
    await expect(page.get_by_role("article").get_by_role("alert")).to_have_text(TROUBLE)


async def test_unknown_block_is_loud(bare: WorkspaceServer, visit: Open) -> None:
    """What the page cannot draw is an error in its place, and the rest of the message is there."""
    page = await visit(bare.url)
    mrkdwn = {"type": "mrkdwn", "text": "*before*"}
    menu = {"type": "timepicker", "action_id": "when"}
    markdown = {"type": "markdown", "text": "# x"}
    await post(bare, {"type": "section", "text": mrkdwn, "accessory": menu}, markdown)
    alerts = page.get_by_role("article").get_by_role("alert")
    await expect(alerts).to_have_count(2)
    await expect(alerts.first).to_contain_text("Unknown element “timepicker”")
    await expect(alerts.last).to_contain_text("Unknown block “markdown”")
    await expect(page.get_by_role("article")).to_contain_text("before")
    await page.get_by_role("button", name="Payload").click()
    await expect(page.get_by_role("complementary", name="Payload")).to_contain_text(
        "Slack takes it, but one of the product's own rules is broken."
    )


async def test_refused_call_is_loud(bare: WorkspaceServer, visit: Open) -> None:
    """A payload that Slack would refuse never becomes a message; the page says what was wrong with it."""
    page = await visit(bare.url)
    answer = await post(bare, {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}})
    assert answer["error"] == "invalid_blocks"
    alert = page.get_by_role("alert").filter(
        has_text="Slack would refuse this chat.postMessage: invalid_blocks"
    )
    await expect(alert).to_contain_text("/blocks/0/text/text must be less than 151 characters")
    await expect(page.get_by_role("article")).to_have_count(0)


async def test_draws_exactly_what_may_be_sent(bare: WorkspaceServer, visit: Open) -> None:
    """The blocks that can be drawn are those of the two allowlists, no more and no fewer."""
    page = await visit(bare.url)
    drawn = await page.evaluate("async () => (await import('/page/blocks.js')).DRAWN")
    allowed = facts()["product_allowlist"]
    assert set(drawn["blocks"]) == {*allowed["message"], *allowed["modal"]}
    sent = bot_facts()["allowed"]
    assert {*sent["message"], *sent["modal"]} <= set(drawn["blocks"])
    assert set(drawn["elements"]) == {
        *("button", "overflow", "static_select", "external_select", "multi_static_select"),
        *("multi_external_select", "radio_buttons", "checkboxes", "datepicker", "plain_text_input"),
    }


async def test_typing_ahead(page: Page) -> None:
    """What is typed while an earlier line is still on its way is sent as well."""
    message = page.get_by_role("textbox", name="Message")
    for said in ("one", "two", "three"):
        await message.fill(said)
        await message.press("Enter")
    articles = page.get_by_role("article", name="Maria Jimenez")
    await expect(articles).to_have_count(3)
    for said in ("one", "two", "three"):
        await expect(articles.filter(has_text=said)).to_have_count(1)


async def test_unknown_command(page: Page) -> None:
    """What is no command is said beside the field, and what was typed stays."""
    message = page.get_by_role("textbox", name="Message")
    await message.fill("/deprovision x")
    await message.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text(
        "/deprovision is not a command here. There is /provision."
    )
    await expect(message).to_have_value("/deprovision x")


# --- what stands behind a message ------------------------------------------------------------------------


async def test_payload_and_notification_text(page: Page) -> None:
    """Each message shows its top-level text and its JSON, and what the validator says of it."""
    await provision(page, "create")
    await expect(page.get_by_role("button", name="Run again")).to_be_visible()
    article = page.get_by_role("article")
    await article.hover()
    await article.get_by_role("button", name="Notification text").click()
    await expect(article).to_contain_text(
        "Ada Lovelace was created in Entra ID. Import passed: 51 attributes"
    )
    await article.get_by_role("button", name="Payload").click()
    payload = page.get_by_role("complementary", name="Payload")
    await expect(payload).to_contain_text("Valid. Slack's rules and the product's own are kept.")
    await expect(payload).to_contain_text(re.compile(r"\d+ of 50 blocks · [\d,]+ of 13,200 characters"))
    await expect(payload).to_contain_text('"action_id": "details_import"')
    await page.keyboard.press("Escape")
    await expect(payload).to_have_count(0)
    await expect(article.get_by_role("button", name="Payload")).to_be_focused()


async def test_message_is_edited_in_its_place(page: Page) -> None:
    """A run's message changes where it stands, is marked as edited, and keeps what was opened in it."""
    await provision(page, "unchanged")
    article = page.get_by_role("article")
    await expect(
        article.get_by_role("heading", name="Katherine Johnson is already up to date")
    ).to_be_visible()
    await expect(article).to_contain_text("(edited)")
    await expect(article).to_have_count(1)


# --- places ----------------------------------------------------------------------------------------------


async def test_private_channel_without_the_bot(page: Page, world: Contoso) -> None:
    """Where the bot is no member its answer comes all the same, once, and an unread mark tells of it."""
    world.directory.faults.add(FaultKind.DELAY, times=1, seconds=LONG_S)
    await page.get_by_role("button", name="people-team").click()
    await expect(page.get_by_role("region", name="Conversation: people-team")).to_be_visible()
    await provision(page, "create")
    await page.get_by_role("button", name="identity", exact=True).click()
    await expect(page.get_by_role("region", name="Conversation: identity")).to_be_visible()
    world.directory.faults.clear()
    await expect(page.get_by_role("button", name="people-team (private) (unread)")).to_be_visible()
    await page.get_by_role("button", name="people-team").click()
    ended = page.get_by_role("heading", name="Ada Lovelace was created in Entra ID")
    await expect(ended).to_have_count(1)


async def test_direct_message(page: Page) -> None:
    """The bot answers in the direct message with it, which is each person's own."""
    await page.get_by_role("button", name="Fourcheck", exact=True).click()
    await provision(page, "unchanged")
    await expect(page.get_by_role("heading", name="Katherine Johnson is already up to date")).to_be_visible()
    await page.get_by_role("radio", name="Adam Novak").check()
    await expect(page.get_by_role("region", name="Conversation: Fourcheck")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(0)


async def test_reset(page: Page, world: Contoso) -> None:
    """Reset takes workspace and tenant back: what was created can be created again."""
    for _ in range(2):
        await provision(page, "create")
        await expect(page.get_by_role("heading", name="Ada Lovelace was created in Entra ID")).to_be_visible()
        assert world.tenant.ledger
        await page.get_by_role("button", name="Reset").click()
        await expect(page.get_by_role("article")).to_have_count(0)
        assert world.tenant.ledger == []


# --- hostile values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "name"),
    [
        pytest.param("awkward-html", "&lt;already&gt; &amp; <b>bold</b>", id="markup"),
        pytest.param("awkward-slack", "<!channel> *bold* _it_ `code`", id="slack-formatting"),
        pytest.param("awkward-rtl", "عبد الله שלום", id="right-to-left"),
        pytest.param("awkward-emoji", "Emoji 🚀 Rocket", id="emoji"),
    ],
)
async def test_hostile_values_are_text(page: Page, case: str, name: str) -> None:
    """A directory value is shown as the characters that it has: in message, modal and payload."""
    await provision(page, case)
    article = page.get_by_role("article")
    heading = article.get_by_role("heading", name=f"{name} was created in Entra ID", exact=True)
    await expect(heading).to_be_visible()
    await expect(heading.locator("*")).to_have_count(0)
    await article.get_by_role("button", name="View details").first.click()
    dialog = page.get_by_role("dialog", name="Import details")
    await expect(dialog.get_by_role("heading", name=name, exact=True)).to_be_visible()
    values = await dialog.get_by_role("paragraph").all_inner_texts()
    assert values[values.index("displayName") + 1] == name
    await expect(dialog.locator("b, em, .mention")).to_have_count(0)
    await dialog.get_by_role("button", name="Payload").click()
    await expect(dialog).to_contain_text(name)
    await expect(page.get_by_role("article").get_by_text("@channel")).to_have_count(0)
