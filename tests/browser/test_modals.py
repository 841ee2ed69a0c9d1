"""Modals as such, on a workspace with an app that only answers as it is told: stack, focus, fields."""

from __future__ import annotations

from aiohttp import ClientSession
from playwright.async_api import Page, expect

from sandbox.workspace.state import Message
from tests.browser.answering import App, Node, field_block, plain, section


async def test_stack(desk: Page, app: App) -> None:
    """A pushed modal stands on the one below; Escape closes the uppermost, and the app hears of it."""
    app.open("First", section("below"), notify_on_close=True)
    first = desk.get_by_role("dialog", name="First")
    await expect(first).to_be_visible()
    app.open("Second", section("above"), push=True, notify_on_close=True, close=plain("Back"))
    second = desk.get_by_role("dialog", name="Second")
    await expect(second).to_contain_text("above")
    await desk.keyboard.press("Escape")
    await expect(second).to_have_count(0)
    await expect(first).to_be_visible()
    await first.get_by_role("button", name="Close", exact=True).click()
    await expect(first).to_have_count(0)
    await app.heard(2)
    closed = [payload["view"]["title"]["text"] for payload in app.received]
    assert closed == ["Second", "First"]
    await expect(desk.get_by_role("textbox", name="Message")).to_be_focused()


async def test_focus_stays_inside(desk: Page, app: App) -> None:
    """Tab goes round inside a modal, in both directions, and never behind it."""
    app.open("Trap", field_block("Reason"), submit=plain("Send it"))
    dialog = desk.get_by_role("dialog", name="Trap")
    await expect(dialog.get_by_role("textbox", name="Reason")).to_be_visible()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(8):
            await desk.keyboard.press(key)
            inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            assert await desk.evaluate(inside)


async def test_fields(desk: Page, app: App) -> None:
    """What is typed is submitted; what is wrong with it stands at its field, and the typed text stays."""
    app.open("Fields", field_block("Reason"), field_block("Note", optional=True), submit=plain("Send it"))
    dialog = desk.get_by_role("dialog", name="Fields")
    send = dialog.get_by_role("button", name="Send it")
    await dialog.get_by_role("textbox", name="Note (optional)").fill("kept")
    await send.click()
    await expect(dialog.get_by_role("alert")).to_have_text("Please complete this required field.")
    reason = dialog.get_by_role("textbox", name="Reason")
    await expect(reason).to_be_focused()
    await expect(reason).to_have_accessible_description("Please complete this required field.")
    await expect(dialog.get_by_role("textbox", name="Note (optional)")).to_have_value("kept")
    app.answer = {"response_action": "errors", "errors": {"reason": "Too short."}}
    await reason.fill("x")
    await send.click()
    await expect(dialog.get_by_role("alert")).to_have_text("Too short.")
    app.answer = None
    await reason.fill("long enough")
    await send.click()
    await expect(dialog).to_have_count(0)
    values = app.received[-1]["view"]["state"]["values"]
    assert {name: value["typed"]["value"] for name, value in values.items()} == {
        "reason": "long enough",
        "note": "kept",
    }


async def test_turning_in_place(desk: Page, app: App) -> None:
    """Another content of the same modal replaces the old one: one dialog, from its top, focus kept."""
    button = {"type": "button", "action_id": "turn", "text": plain("Turn")}
    row = {"type": "actions", "elements": [button]}
    app.open("Pages", *[section(f"first {line}") for line in range(60)], row)
    dialog = desk.get_by_role("dialog", name="Pages")
    turn = dialog.get_by_role("button", name="Turn")
    await turn.click()
    await app.heard(1)
    (view,) = app.workspace.state.stack("U0MARIA")
    blocks = [*[section(f"second {line}") for line in range(60)], row]
    app.workspace.state.replace_view(view, {**view.payload, "blocks": blocks})
    await expect(dialog.get_by_text("second 0", exact=True)).to_be_in_viewport()
    await expect(dialog.get_by_text("first 0", exact=True)).to_have_count(0)
    await expect(dialog).to_have_count(1)
    await expect(turn).to_be_focused()


async def test_open_modal_outlives_a_reload(desk: Page, app: App) -> None:
    """What is open belongs to the person, not to the window: it is there again after a reload, once."""
    app.open("Kept", section("still here"))
    await expect(desk.get_by_role("dialog", name="Kept")).to_be_visible()
    await desk.reload()
    await expect(desk.get_by_role("dialog", name="Kept")).to_have_count(1)
    app.workspace.reset()
    await expect(desk.get_by_role("dialog")).to_have_count(0)


async def test_trail_of_three(desk: Page, app: App) -> None:
    """Three deep, only the uppermost is seen; it names the one below and leads back to where one was."""
    deeper = {"type": "actions", "elements": [{"type": "button", "action_id": "in", "text": plain("Deeper")}]}
    app.open("First", section("one"), deeper)
    for place, title in enumerate(("Second", "Third"), 1):
        await desk.get_by_role("button", name="Deeper").click()
        await app.heard(place)
        app.open(title, section(title), deeper, push=True)
        await expect(desk.get_by_role("dialog")).to_have_accessible_name(title)
    await expect(desk.get_by_role("dialog")).to_have_count(1)
    await desk.get_by_role("button", name="Back to Second").click()
    await expect(desk.get_by_role("dialog")).to_have_accessible_name("Second")
    await expect(desk.get_by_role("button", name="Deeper")).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("dialog")).to_have_accessible_name("First")
    await expect(desk.get_by_role("button", name="Back to")).to_have_count(0)


VIEW: Node = {"type": "button", "action_id": "details", "text": plain("View details"), "value": "1"}
ROW: Node = {"type": "actions", "elements": [VIEW]}


async def post_row(app: App) -> Message:
    """Post a message with a button, as the app would."""
    headers = {"Authorization": f"Bearer {app.workspace.settings()['FOURCHECK_SLACK__BOT_TOKEN']}"}
    message = {"channel": "C0IDENTITY", "text": "x", "blocks": [ROW]}
    address = f"{app.workspace.url}/api/chat.postMessage"
    async with ClientSession(headers=headers) as client, client.post(address, json=message) as posted:
        assert (await posted.json())["ok"]
    (shown,) = app.workspace.state.messages
    return shown


async def test_focus_finds_a_redrawn_button(desk: Page, app: App) -> None:
    """The message is redrawn while its modal is open: closing leads to the button in its new place."""
    shown = await post_row(app)
    await desk.get_by_role("button", name="View details").press("Enter")
    await app.heard(1)
    app.open("Details", section("x"))
    await expect(desk.get_by_role("dialog")).to_be_visible()
    app.workspace.state.edit_message(shown, text="y", blocks=[section("done"), ROW])
    await expect(desk.get_by_text("done", exact=True)).to_have_count(1)
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("button", name="View details")).to_be_focused()


async def test_a_button_is_not_redrawn_under_the_finger(desk: Page, app: App) -> None:
    """The message changes between press and release: the button is pressed all the same, then redrawn."""
    shown = await post_row(app)
    await desk.get_by_role("button", name="View details").hover()
    await desk.mouse.down()
    app.workspace.state.edit_message(shown, text="y", blocks=[section("done"), ROW])
    fault = {"verdict": "slack", "pointer": "/", "message": "came after the change"}
    app.workspace.state.changes.say("refused", {"method": "x", "error": "y", "problems": [fault]})
    await expect(desk.get_by_role("alert")).to_contain_text("came after the change")
    await desk.mouse.up()
    assert (await app.heard(1))["actions"][0]["action_id"] == "details"
    await expect(desk.get_by_text("done", exact=True)).to_be_visible()
