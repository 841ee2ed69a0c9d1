"""Answers of the Web API: Slack's own client on the good path, literal bodies on every bad one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.workspace import WorkspaceServer, contoso

Node = dict[str, Any]
Call = Callable[..., Awaitable[Node]]

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Import*"}}
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "View details"}}


@pytest.fixture
async def scoped(http: aiohttp.ClientSession) -> AsyncIterator[AsyncWebClient]:
    """Give a client whose app has the optional scopes too, but not chat:write.public."""
    seed = contoso().with_scopes(
        "chat:write", "users:read", "users:read.email", "usergroups:read", "channels:read", "im:write"
    )
    async with WorkspaceServer(seed=seed) as server:
        yield AsyncWebClient(token=seed.app.bot_token, base_url=f"{server.url}/api/", session=http)


async def test_tells_whose_token_it_is(client: AsyncWebClient) -> None:
    """auth.test names team, bot user and bot, and the header names the granted scopes."""
    answer = await client.auth_test()
    assert answer.data == {
        "ok": True,
        "url": "https://contoso.slack.com/",
        "team": "Contoso",
        "user": "fourcheck",
        "team_id": "T0CONTOSO",
        "user_id": "U0BOT",
        "bot_id": "B0FOURCHECK",
        "is_enterprise_install": False,
    }
    assert answer.headers["x-oauth-scopes"] == "commands,chat:write,chat:write.public"


async def test_posts_updates_and_deletes(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """A message is posted, edited in place with its count, and taken away."""
    posted = await client.chat_postMessage(channel="C0IDENTITY", text="First", blocks=[SECTION])
    assert posted["channel"] == "C0IDENTITY"
    message = posted["message"]
    assert (message["user"], message["bot_id"], message["app_id"]) == ("U0BOT", "B0FOURCHECK", "A0FOURCHECK")
    await client.chat_update(channel="C0IDENTITY", ts=posted["ts"], text="Second", blocks=[SECTION])
    [shown] = workspace.messages("C0IDENTITY")
    assert (shown["ts"], shown["text"], shown["edits"]) == (posted["ts"], "Second", 1)
    await client.chat_delete(channel="C0IDENTITY", ts=posted["ts"])
    assert workspace.messages("C0IDENTITY") == []


async def test_stores_mrkdwn_unaltered_and_names_what_has_no_name(
    client: AsyncWebClient, workspace: WorkspaceServer
) -> None:
    """Text stays as it was sent; blocks and elements without an id get one, as in Slack."""
    text = "*a* <@U0MARIA> &lt;b&gt; <!date^0^{date}|x>"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}, "accessory": BUTTON}]
    await client.chat_postMessage(channel="C0IDENTITY", text=text, blocks=blocks)
    [shown] = workspace.messages()
    [block] = shown["blocks"]
    assert shown["text"] == block["text"]["text"] == text
    assert block["text"]["verbatim"] is False
    assert block["accessory"]["text"]["emoji"] is True
    assert block["block_id"]
    assert block["accessory"]["action_id"]


async def test_an_update_without_blocks_keeps_them(
    client: AsyncWebClient, workspace: WorkspaceServer
) -> None:
    """Slack, page chat.update: blocks that are not given are retained, an empty list removes them."""
    posted = await client.chat_postMessage(channel="C0IDENTITY", text="First", blocks=[SECTION])
    await client.chat_update(channel="C0IDENTITY", ts=posted["ts"], text="Second")
    assert len(workspace.messages()[0]["blocks"]) == 1
    await client.chat_update(channel="C0IDENTITY", ts=posted["ts"], text="Third", blocks=[])
    assert workspace.messages()[0]["blocks"] == []


async def test_text_is_cut_at_forty_thousand(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """Slack, page chat.postMessage: text longer than 40,000 characters is truncated."""
    await client.chat_postMessage(channel="C0IDENTITY", text="x" * 40_001)
    assert len(workspace.messages()[0]["text"]) == 40_000


async def test_form_bodies_with_json_inside(workspace: WorkspaceServer, http: aiohttp.ClientSession) -> None:
    """Arguments may come as a form, structured ones as JSON in text, the token too."""
    form = {"token": "xoxb-contoso-sandbox-bot", "channel": "#identity", "text": "x", "blocks": "[]"}
    async with http.post(f"{workspace.url}/api/chat.postMessage", data=form) as response:
        assert (await response.json())["ok"] is True
    [recorded] = workspace.calls()
    assert recorded["payload"] == {"channel": "#identity", "text": "x", "blocks": []}


# What a bot may write to: channel, error or none, why.
PLACES = [
    ("C0IDENTITY", None, "member"),
    ("C0GENERAL", None, "public, by chat:write.public"),
    ("#general", None, "by name"),
    ("D0MARIA", None, "direct message with the bot"),
    ("U0MARIA", None, "a person's id opens the direct message"),
    ("C0PRIVATE", "channel_not_found", "private channels without the bot look as if they were not there"),
    ("D0MARIAADAM", "channel_not_found", "other people's direct message"),
    ("C0NOWHERE", "channel_not_found", "no such channel"),
    ("C0ARCHIVE", "is_archived", "archived"),
]


@pytest.mark.parametrize(("channel", "error", "why"), PLACES, ids=[why for _, _, why in PLACES])
async def test_where_the_bot_may_write(call: Call, channel: str, error: str | None, why: str) -> None:
    """Membership and scopes decide where a message can go."""
    answer = await call("chat.postMessage", channel=channel, text="x")
    assert answer.get("error") == error, why


async def test_not_in_channel_without_the_public_scope(scoped: AsyncWebClient) -> None:
    """Without chat:write.public a public channel that the bot has not joined refuses it."""
    with pytest.raises(SlackApiError) as refused:
        await scoped.chat_postMessage(channel="C0GENERAL", text="x")
    assert refused.value.response.data == {"ok": False, "error": "not_in_channel"}


# method, arguments, the whole answer
REFUSALS: dict[str, tuple[str, Node, Node]] = {
    "unknown method": ("chat.shout", {}, {"error": "unknown_method", "req_method": "chat.shout"}),
    "app method with the bot's token": ("apps.connections.open", {}, {"error": "not_allowed_token_type"}),
    "missing scope": (
        "users.info",
        {"user": "U0MARIA"},
        {
            "error": "missing_scope",
            "needed": "users:read",
            "provided": "commands,chat:write,chat:write.public",
        },
    ),
    "no channel": (
        "chat.postMessage",
        {"text": "x"},
        {
            "error": "invalid_arguments",
            "response_metadata": {"messages": ["[ERROR] missing required field: channel"]},
        },
    ),
    "no text": ("chat.postMessage", {"channel": "C0IDENTITY"}, {"error": "no_text"}),
    "empty text and blocks": (
        "chat.postMessage",
        {"channel": "C0IDENTITY", "text": "", "blocks": []},
        {"error": "no_text"},
    ),
    "blocks that are no list": (
        "chat.postMessage",
        {"channel": "C0IDENTITY", "blocks": {"type": "section"}},
        {"error": "invalid_blocks_format"},
    ),
    "blocks that are no JSON": (
        "chat.postMessage",
        {"channel": "C0IDENTITY", "blocks": "[{"},
        {"error": "invalid_blocks_format"},
    ),
    "invalid blocks": (
        "chat.postMessage",
        {
            "channel": "C0IDENTITY",
            "text": "x",
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}],
        },
        {
            "error": "invalid_blocks",
            "errors": ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
            "response_metadata": {
                "messages": ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
            },
        },
    ),
    "too much in all": (
        "chat.postMessage",
        {
            "channel": "C0IDENTITY",
            "text": "x",
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2999}}] * 5,
        },
        {"error": "msg_blocks_too_long"},
    ),
    "markdown beside text": (
        "chat.postMessage",
        {"channel": "C0IDENTITY", "text": "x", "markdown_text": "y"},
        {"error": "markdown_text_conflict"},
    ),
    "metadata without payload": (
        "chat.postMessage",
        {"channel": "C0IDENTITY", "text": "x", "metadata": {"event_type": "run"}},
        {"error": "invalid_metadata_format"},
    ),
    "update of nothing": (
        "chat.update",
        {"channel": "C0IDENTITY", "ts": "1.000000", "text": "x"},
        {"error": "message_not_found"},
    ),
    "update by a channel's name": (
        "chat.update",
        {"channel": "#identity", "ts": "1.000000", "text": "x"},
        {"error": "channel_not_found"},
    ),
    "deleting nothing": (
        "chat.delete",
        {"channel": "C0IDENTITY", "ts": "1.000000"},
        {"error": "message_not_found"},
    ),
    "ephemeral for someone who is not there": (
        "chat.postEphemeral",
        {"channel": "C0IDENTITY", "user": "U0NOBODY", "text": "x"},
        {"error": "user_not_in_channel"},
    ),
    "ephemeral where the bot is not": (
        "chat.postEphemeral",
        {"channel": "C0GENERAL", "user": "U0MARIA", "text": "x"},
        {"error": "channel_not_found"},
    ),
    "permalink of nothing": (
        "chat.getPermalink",
        {"channel": "C0IDENTITY", "message_ts": "1.000000"},
        {"error": "message_not_found"},
    ),
    "nothing to validate": (
        "blocks.validate",
        {},
        {
            "error": "invalid_arguments",
            "response_metadata": {"messages": ["[ERROR] must provide exactly one of blocks, message, view"]},
        },
    ),
    "blocks that do not validate": (
        "blocks.validate",
        {"blocks": [{"type": "sections"}]},
        {
            "error": "invalid_blocks",
            "errors": [
                {
                    "pointer": "/blocks/0/type",
                    "code": "failed_constraint",
                    "message": "unsupported type: sections",
                }
            ],
        },
    ),
}


@pytest.mark.parametrize(("method", "arguments", "answer"), REFUSALS.values(), ids=list(REFUSALS.keys()))
async def test_refuses_in_slacks_words(call: Call, method: str, arguments: Node, answer: Node) -> None:
    """Every refusal has HTTP 200 and exactly Slack's body."""
    assert await call(method, **arguments) == {"ok": False, **answer}


# headers, error, why
TOKENS = [
    ({}, "not_authed", "no token at all"),
    ({"Authorization": "Bearer xoxb-other"}, "invalid_auth", "a token of another app"),
    ({"Authorization": "Basic eA=="}, "not_authed", "not a bearer token"),
]


@pytest.mark.parametrize(("headers", "error", "why"), TOKENS, ids=[why for _, _, why in TOKENS])
async def test_refuses_without_the_right_token(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, headers: dict[str, str], error: str, why: str
) -> None:
    """Nobody gets in without the token."""
    async with http.post(f"{workspace.url}/api/auth.test", headers=headers) as response:
        assert (response.status, await response.json()) == (200, {"ok": False, "error": error}), why


# content type, body, error
BODIES = [
    ("application/json", b"{", "invalid_json"),
    ("application/json", b"[]", "json_not_object"),
    ("text/xml", b"<x/>", "invalid_post_type"),
]


@pytest.mark.parametrize(("content_type", "body", "error"), BODIES, ids=[error for _, _, error in BODIES])
async def test_refuses_bodies_it_cannot_read(
    workspace: WorkspaceServer, http: aiohttp.ClientSession, content_type: str, body: bytes, error: str
) -> None:
    """A body that is no arguments is refused for what it is."""
    headers = {"Authorization": "Bearer xoxb-contoso-sandbox-bot", "Content-Type": content_type}
    async with http.post(f"{workspace.url}/api/auth.test", data=body, headers=headers) as response:
        assert await response.json() == {"ok": False, "error": error}


async def test_an_update_takes_less_text_than_a_post(call: Call) -> None:
    """Slack, page chat.update: 4,000 characters pass, 4,001 are msg_too_long."""
    posted = await call("chat.postMessage", channel="C0IDENTITY", text="x")
    where = {"channel": "C0IDENTITY", "ts": posted["ts"]}
    assert (await call("chat.update", **where, text="x" * 4000))["ok"] is True
    assert await call("chat.update", **where, text="x" * 4001) == {"ok": False, "error": "msg_too_long"}


async def test_only_own_messages_can_be_changed(call: Call, workspace: WorkspaceServer) -> None:
    """Other people's messages are theirs; an ephemeral one cannot be found again."""
    said = await workspace.say("U0MARIA", "C0IDENTITY", "hello")
    where = {"channel": "C0IDENTITY", "ts": said["ts"]}
    assert (await call("chat.update", **where, text="x"))["error"] == "cant_update_message"
    assert (await call("chat.delete", **where))["error"] == "cant_delete_message"
    shown = await call("chat.postEphemeral", channel="C0IDENTITY", user="U0MARIA", text="x")
    where = {"channel": "C0IDENTITY", "ts": shown["message_ts"]}
    assert (await call("chat.update", **where, text="x"))["error"] == "message_not_found"


async def test_rich_text_cannot_become_other_blocks(call: Call) -> None:
    """Slack, page chat.update: rich text blocks cannot be replaced with others (block_mismatch)."""
    run = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    rich = {"type": "rich_text", "elements": [run]}
    posted = await call("chat.postMessage", channel="C0IDENTITY", text="x", blocks=[rich])
    answer = await call("chat.update", channel="C0IDENTITY", ts=posted["ts"], text="x", blocks=[SECTION])
    assert answer == {"ok": False, "error": "block_mismatch"}


async def test_a_deleted_message_cannot_be_updated(call: Call, workspace: WorkspaceServer) -> None:
    """A message that someone deleted meanwhile is not found."""
    posted = await call("chat.postMessage", channel="C0IDENTITY", text="x")
    await workspace.delete(posted["ts"])
    answer = await call("chat.update", channel="C0IDENTITY", ts=posted["ts"], text="y")
    assert answer == {"ok": False, "error": "message_not_found"}


async def test_ephemeral_has_one_reader(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """An ephemeral message is seen by its reader alone."""
    await client.chat_postEphemeral(channel="C0IDENTITY", user="U0MARIA", text="only you")
    assert [m["text"] for m in workspace.messages("C0IDENTITY", "U0MARIA")] == ["only you"]
    assert workspace.messages("C0IDENTITY", "U0ADAM") == []


async def test_permalink(client: AsyncWebClient) -> None:
    """A permalink is made of the channel and the timestamp without its dot."""
    posted = await client.chat_postMessage(channel="C0IDENTITY", text="x")
    answer = await client.chat_getPermalink(channel="C0IDENTITY", message_ts=posted["ts"])
    digits = posted["ts"].replace(".", "")
    assert answer["permalink"] == f"https://contoso.slack.com/archives/C0IDENTITY/p{digits}"


async def test_people_groups_and_channels_with_the_scopes(scoped: AsyncWebClient) -> None:
    """With its scope each reading method answers."""
    user = (await scoped.users_info(user="U0MARIA"))["user"]
    assert (user["real_name"], user["team_id"], user["is_bot"]) == ("Maria Jimenez", "T0CONTOSO", False)
    group = await scoped.usergroups_users_list(usergroup="S0IDENTITY")
    assert group["users"] == ["U0MARIA", "U0ADAM"]
    channel = (await scoped.conversations_info(channel="C0GENERAL"))["channel"]
    assert (channel["name"], channel["is_member"], channel["is_archived"]) == ("general", False, False)
    found = (await scoped.users_lookupByEmail(email="Noor@fabrikam.test"))["user"]
    assert (found["id"], found["is_restricted"], found["is_admin"]) == ("U0NOOR", True, False)
    assert found["profile"]["email"] == "noor@fabrikam.test"
    direct = await scoped.conversations_open(users="U0MARIA")
    assert direct["channel"]["id"] == "D0MARIA"
    refusals = {
        "users.info": ({"user": "U0NOBODY"}, "user_not_found"),
        "usergroups.users.list": ({"usergroup": "S0NONE"}, "no_such_subteam"),
        "users.lookupByEmail": ({"email": "nobody@contoso.test"}, "users_not_found"),
        "conversations.info": ({"channel": "C0PRIVATE"}, "channel_not_found"),
        "conversations.open": ({"users": "U0MARIA,U0ADAM"}, "channel_not_found"),
    }
    for method, (arguments, error) in refusals.items():
        with pytest.raises(SlackApiError) as refused:
            await scoped.api_call(method, params=arguments)
        assert refused.value.response["error"] == error


async def test_addresses_are_for_those_with_the_scope(workspace: WorkspaceServer, call: Call) -> None:
    """Without `users:read.email` a profile has no address, and nobody is found by one."""
    seed = workspace.state.seed
    workspace.state.seed = seed.with_scopes("users:read")
    assert "email" not in (await call("users.info", user="U0MARIA"))["user"]["profile"]
    refused = await call("users.lookupByEmail", email="maria@contoso.test")
    assert (refused["error"], refused["needed"]) == ("missing_scope", "users:read.email")


async def test_a_free_plan_has_no_user_groups(http: aiohttp.ClientSession) -> None:
    """On a free plan the members of a group cannot be asked for, whether it exists or not."""
    seed = contoso().with_scopes("usergroups:read").on_a_free_plan()
    async with WorkspaceServer(seed=seed) as workspace:
        settings = workspace.settings()
        address = settings["FOURCHECK_SLACK__API_URL"] + "/"
        client = AsyncWebClient(settings["FOURCHECK_SLACK__BOT_TOKEN"], base_url=address, session=http)
        with pytest.raises(SlackApiError) as refused:
            await client.usergroups_users_list(usergroup="S0IDENTITY")
        assert refused.value.response["error"] == "plan_upgrade_required"


async def test_validates_on_request(client: AsyncWebClient) -> None:
    """blocks.validate takes blocks, a message or a view."""
    title = {"type": "plain_text", "text": "T"}
    await client.blocks_validate(blocks=[SECTION])
    await client.blocks_validate(message={"text": "x", "blocks": [SECTION]})
    await client.blocks_validate(view={"type": "modal", "title": title, "blocks": [SECTION]})
    with pytest.raises(SlackApiError) as refused:
        await client.blocks_validate(view={"type": "modal", "title": title, "blocks": []})
    assert refused.value.response["error"] == "invalid_view"


async def test_records_every_call_in_order(client: AsyncWebClient, workspace: WorkspaceServer) -> None:
    """Calls are kept with decoded payload, answer and both verdicts, and never the token."""
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}
    await client.auth_test()
    await client.chat_postMessage(channel="C0IDENTITY", text="x", blocks=[table])
    first, second = workspace.calls()
    assert (first["method"], first["payload"], first["problems"]) == ("auth.test", {}, [])
    assert second["payload"] == {"channel": "C0IDENTITY", "text": "x", "blocks": [table]}
    assert second["response"]["ok"] is True
    assert [(p["rule"], p["verdict"]) for p in second["problems"]] == [("product-allowlist", "policy")]
    assert "xoxb" not in str(workspace.calls())
