"""Fields and choices, by keyboard and by mouse, on a workspace whose app answers as it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.answering import PATIENCE_S, SHORT_S, App, Node, field_block, option, plain, section

WHO: Node = {"type": "external_select", "action_id": "who", "min_query_length": 2}
HOW: Node = {"type": "radio_buttons", "action_id": "how", "options": [option("Preview"), option("Provision")]}
ADA, GRACE = option("Ada Lovelace", "ada", "Engineering"), option("Grace Hopper", "grace")
PEOPLE = {"options": [ADA, GRACE]}


def values_of(payload: Node) -> dict[str, Any]:
    """Read what a view's fields hold, by block: an option's value, values, or a text."""
    found = {}
    for block, actions in payload["view"]["state"]["values"].items():
        (state,) = actions.values()
        (given,) = (value for name, value in state.items() if name != "type")
        one = given["value"] if isinstance(given, dict) else given
        found[block] = [each["value"] for each in given] if isinstance(given, list) else one
    return found


async def test_picker_by_keyboard(desk: Page, app: App) -> None:
    """Type, choose with the arrows, go on to the next field and submit: no mouse, and the app has it all."""
    app.open("Pick", field_block("Who", WHO), field_block("How", HOW), submit=plain("Go"))
    who = desk.get_by_role("combobox", name="Who")
    app.answer = PEOPLE
    await expect(who).to_be_visible()
    await desk.keyboard.press("Tab")
    await expect(who).to_be_focused()
    await desk.keyboard.type("a")
    await expect(desk.get_by_role("dialog")).to_contain_text("Type at least 2 characters.")
    assert app.received == []
    await desk.keyboard.type("d")
    options = desk.get_by_role("option")
    await expect(options).to_have_text(["Ada LovelaceEngineering", "Grace Hopper"])
    await expect(who).to_have_attribute("aria-expanded", "true")
    await desk.keyboard.press("ArrowDown")
    active = await who.get_attribute("aria-activedescendant")
    assert active == await options.nth(1).get_attribute("id")
    await desk.keyboard.press("Enter")
    await expect(who).to_have_value("Grace Hopper")
    await expect(options).to_have_count(0)
    app.answer = None
    await desk.keyboard.press("Tab")
    await desk.keyboard.press("Space")
    await desk.keyboard.press("ArrowDown")
    await expect(desk.get_by_role("radiogroup", name="How").get_by_label("Provision")).to_be_checked()
    await desk.keyboard.press("Control+Enter")
    await expect(desk.get_by_role("dialog")).to_have_count(0)
    assert values_of(app.received[-1]) == {"who": "grace", "how": "provision"}


async def test_escape_closes_the_list_first(desk: Page, app: App) -> None:
    """Escape closes the open list and keeps the modal and the choice; once more, and the modal closes."""
    app.open("Pick", field_block("Who", {**WHO, "initial_option": ADA}), submit=plain("Go"))
    app.answer = PEOPLE
    who = desk.get_by_role("combobox", name="Who")
    await who.fill("gra")
    await expect(desk.get_by_role("option")).to_have_count(2)
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("option")).to_have_count(0)
    await expect(who).to_have_value("Ada Lovelace")
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("dialog")).to_have_count(0)


async def test_picker_by_mouse(desk: Page, app: App) -> None:
    """An option is taken by a click; an emptied field holds nothing, and a required one then says so."""
    app.open("Pick", field_block("Who", WHO), submit=plain("Go"))
    app.answer = PEOPLE
    who = desk.get_by_role("combobox", name="Who")
    await who.click()
    await who.press_sequentially("ad")
    await desk.get_by_role("option", name="Ada Lovelace").click()
    await expect(who).to_have_value("Ada Lovelace")
    await who.fill("")
    await desk.get_by_role("button", name="Go").click()
    await expect(desk.get_by_role("alert")).to_have_text("Please complete this required field.")
    await expect(who).to_be_focused()
    await who.fill("ad")
    await desk.get_by_role("option", name="Ada Lovelace").click()
    app.answer = None
    await desk.get_by_role("button", name="Go").click()
    await expect(desk.get_by_role("dialog")).to_have_count(0)
    assert values_of(app.received[-1]) == {"who": "ada"}


async def test_late_options_never_replace_newer_ones(desk: Page, app: App) -> None:
    """The answer to what was typed first comes last: it is dropped."""
    let_go = asyncio.Event()

    async def answer(payload: Node) -> Node:
        if payload["value"] == "ad":
            await let_go.wait()
            return {"options": [GRACE]}
        return {"options": [ADA]}

    app.answer = answer
    app.open("Pick", field_block("Who", WHO), submit=plain("Go"))
    who = desk.get_by_role("combobox", name="Who")
    await who.press_sequentially("ad")
    await app.heard(1)
    await who.press_sequentially("a")
    options = desk.get_by_role("option")
    await expect(options).to_have_text(["Ada LovelaceEngineering"])
    async with desk.expect_response(lambda response: response.url.endswith("/suggest")) as late:
        let_go.set()
    await (await late.value).finished()
    await desk.evaluate("() => new Promise((resolve) => setTimeout(resolve))")  # the page has read it as well
    await expect(options).to_have_text(["Ada LovelaceEngineering"])


# what the app answers, how long the workspace waits for it, what the person reads
SAID = {
    "nothing": ({"options": []}, PATIENCE_S, "Nobody and nothing found."),
    "too many": ({"options": [ADA] * 101}, PATIENCE_S, "This did not work (invalid_options)."),
    "late": (None, SHORT_S, "The app did not answer within three seconds (operation_timeout)."),
}


@pytest.mark.parametrize(("answer", "ack_deadline", "said"), SAID.values(), ids=list(SAID))
async def test_no_options_are_explained(desk: Page, app: App, answer: Node | None, said: str) -> None:
    """Where there is nothing to choose from the list says why."""
    app.answer = answer or app.silence
    app.open("Pick", field_block("Who", WHO), submit=plain("Go"))
    await desk.get_by_role("combobox", name="Who").press_sequentially("ad")
    await expect(desk.get_by_role("dialog")).to_contain_text(said)


async def test_groups_and_several(desk: Page, app: App) -> None:
    """Options stand in their groups; several are taken one after the other and can be given back."""
    app.answer = {
        "option_groups": [
            {"label": plain("Users"), "options": [ADA]},
            {"label": plain("Groups"), "options": [GRACE]},
        ]
    }
    app.open("Pick", field_block("Who", {**WHO, "type": "multi_external_select"}), submit=plain("Go"))
    who = desk.get_by_role("combobox", name="Who")
    for name, group in (("Ada Lovelace", "Users"), ("Grace Hopper", "Groups")):
        await who.fill("xx")
        await desk.get_by_role("group", name=group).get_by_role("option", name=name).click()
        await expect(desk.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    await desk.get_by_role("button", name="Remove Ada Lovelace").click()
    await expect(who).to_be_focused()
    app.answer = None
    await desk.get_by_role("button", name="Go").click()
    await expect(desk.get_by_role("dialog")).to_have_count(0)
    assert values_of(app.received[-1]) == {"who": ["grace"]}


async def test_static_select_and_checkboxes(desk: Page, app: App) -> None:
    """A static select searches in itself; checkboxes give all ticked; what is optional may be empty."""
    with_options: Node = {"options": [option("contoso"), option("fabrikam")]}
    rules = {
        "type": "static_select",
        "action_id": "rules",
        "initial_option": option("contoso"),
        **with_options,
    }
    more = {
        "type": "checkboxes",
        "action_id": "more",
        "options": [option("Mail"), option("Phone"), option("Fax")],
    }
    when = {"type": "datepicker", "action_id": "when"}
    app.open(
        "Form",
        field_block("Rules", rules),
        field_block("More", more),
        field_block("When", when, optional=True),
        submit=plain("Go"),
    )
    select = desk.get_by_role("combobox", name="Rules")
    await expect(select).to_have_value("contoso")
    await select.press("ArrowDown")
    await expect(desk.get_by_role("option", selected=True)).to_have_text("contoso")
    await select.fill("fab")
    await expect(desk.get_by_role("option")).to_have_text(["fabrikam"])
    await select.press("Enter")
    await desk.get_by_role("checkbox", name="Mail").check()
    await desk.get_by_role("checkbox", name="Fax").check()
    await desk.get_by_role("button", name="Go").click()
    await expect(desk.get_by_role("dialog")).to_have_count(0)
    assert values_of(app.received[-1]) == {"rules": "fabrikam", "more": ["mail", "fax"], "when": None}


async def test_a_choice_outside_a_form_is_told_at_once(desk: Page, app: App) -> None:
    """Radio buttons in a row of actions filter a modal in place; the focus stays on the choice."""
    shown: Node = {
        "type": "actions",
        "block_id": "bar",
        "elements": [{**HOW, "initial_option": HOW["options"][0]}],
    }
    app.open("Rows", shown, section("first"))
    await desk.get_by_role("radio", name="Provision").check()
    payload = await app.heard(1)
    assert payload["actions"][0]["selected_option"]["value"] == "provision"
    app.turn(shown, section("second"))
    await expect(desk.get_by_role("dialog")).to_contain_text("second")
    await expect(desk.get_by_role("radio", name="Provision")).to_be_checked()
    await expect(desk.get_by_role("radio", name="Provision")).to_be_focused()


async def test_a_field_that_reports_itself(desk: Page, app: App) -> None:
    """Enter in such a field tells the app and submits nothing; what is typed on survives the answer."""
    find = field_block("Find", dispatch_action=True, optional=True)
    app.open("Search", find, section("all"), submit=plain("Go"))
    field = desk.get_by_role("textbox", name="Find")
    await field.press_sequentially("ma")
    await field.press("Enter")
    payload = await app.heard(1)
    assert (payload["type"], payload["actions"][0]["value"]) == ("block_actions", "ma")
    await field.press_sequentially("il")
    await field.press("ArrowLeft")
    app.turn(find, section("found"))
    await expect(desk.get_by_role("dialog")).to_contain_text("found")
    await expect(field).to_be_focused()
    await desk.keyboard.type("x")
    await expect(field).to_have_value("maixl")


async def test_buttons_tell_what_the_fields_hold(desk: Page, app: App) -> None:
    """A button in a modal takes along what is typed and picked by then, submitted or not."""
    button = {"type": "button", "action_id": "look", "text": plain("Look")}
    app.open("Form", field_block("Reason"), {"type": "actions", "elements": [button]}, submit=plain("Go"))
    await desk.get_by_role("textbox", name="Reason").fill("because")
    await desk.get_by_role("button", name="Look").click()
    assert values_of(await app.heard(1)) == {"reason": "because"}


async def test_confirm(desk: Page, app: App) -> None:
    """A button that asks first does nothing on No or Escape, its work on Yes; the focus comes back to it."""
    question = {
        "title": plain("Cancel this run?"),
        "text": plain("What is written stays."),
        "confirm": plain("Cancel it"),
        "deny": plain("Go on"),
        "style": "danger",
    }
    button = {"type": "button", "action_id": "stop", "text": plain("Stop"), "confirm": question}
    app.open("Run", {"type": "actions", "elements": [button]})
    stop, asked = desk.get_by_role("button", name="Stop"), desk.get_by_role("alertdialog")
    for way in ("Enter", "Escape"):  # the focus is on No, so that Enter says it
        await stop.click()
        await expect(asked).to_have_accessible_name("Cancel this run?")
        await expect(asked.get_by_role("button", name="Go on")).to_be_focused()
        await desk.keyboard.press(way)
        await expect(asked).to_have_count(0)
        await expect(stop).to_be_focused()
    await stop.press("Enter")
    await asked.get_by_role("button", name="Cancel it").click()
    assert (await app.heard(1))["actions"][0]["action_id"] == "stop"
    assert len(app.received) == 1


async def test_a_choice_that_is_taken_back(desk: Page, app: App) -> None:
    """A choice that asks first: after No the old one stands again, and the app hears nothing."""
    question = {name: plain(name) for name in ("title", "text", "confirm", "deny")}
    names = [option("contoso"), option("fabrikam")]
    rules: Node = {"type": "static_select", "action_id": "rules", "placeholder": plain("Rules")}
    rules |= {"options": names, "initial_option": names[0], "confirm": question}
    how = {**HOW, "initial_option": HOW["options"][0], "confirm": question}
    app.open("Rows", {"type": "actions", "elements": [how, rules]})
    await desk.get_by_role("radio", name="Provision").check()
    await desk.get_by_role("alertdialog").get_by_role("button", name="deny").click()
    await expect(desk.get_by_role("radio", name="Preview")).to_be_checked()
    select = desk.get_by_role("combobox")
    await select.fill("fab")
    await desk.get_by_role("option", name="fabrikam").click()
    await desk.get_by_role("alertdialog").get_by_role("button", name="deny").click()
    await expect(select).to_have_value("contoso")
    assert app.received == []
    await desk.get_by_role("radio", name="Provision").check()
    await desk.get_by_role("alertdialog").get_by_role("button", name="confirm").click()
    assert (await app.heard(1))["actions"][0]["selected_option"]["value"] == "provision"
    await expect(desk.get_by_role("radio", name="Provision")).to_be_checked()


async def test_overflow_menu(desk: Page, app: App) -> None:
    """The menu opens by keyboard and by mouse, goes round with the arrows, and Escape closes it alone."""
    menu = {"type": "overflow", "action_id": "more", "options": [option("Copy"), option("Export")]}
    app.open("Rows", section("a row", accessory=menu))
    dots, items = desk.get_by_role("button", name="More actions"), desk.get_by_role("menuitem")
    await dots.focus()
    await desk.keyboard.press("ArrowDown")
    await expect(items.first).to_be_focused()
    await desk.keyboard.press("ArrowUp")
    await expect(items.last).to_be_focused()
    await desk.keyboard.press("Escape")
    await expect(items).to_have_count(0)
    await expect(dots).to_be_focused()
    await expect(desk.get_by_role("dialog")).to_be_visible()
    await dots.click()
    await desk.get_by_role("menuitem", name="Export").click()
    assert (await app.heard(1))["actions"][0]["selected_option"]["value"] == "export"
