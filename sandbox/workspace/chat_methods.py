"""The Web API methods on messages, people and places (Slack, pages of the methods of the same names)."""

from __future__ import annotations

from typing import Any

from sandbox.workspace.blockkit import Problem, validate
from sandbox.workspace.errors import SlackError, invalid_arguments
from sandbox.workspace.messages import edit, message_object, post, read_content
from sandbox.workspace.seed import Channel, User
from sandbox.workspace.state import Message, State

Node = dict[str, Any]


def auth_test(state: State, _args: Node) -> Node:
    """Tell whose token it is."""
    seed, app = state.seed, state.seed.app
    return {
        "url": f"https://{seed.team_domain}.slack.com/",
        "team": seed.team_name,
        "user": state.users[app.bot_user].name,
        "team_id": seed.team_id,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def post_message(state: State, args: Node) -> Node:
    """Post into a channel that the bot may write to."""
    channel = _writable(state, args)
    content = read_content(args)
    posted = post(
        state, content, channel=channel.id, source="chat.postMessage", thread_ts=args.get("thread_ts") or None
    )
    return {"channel": channel.id, "ts": posted.ts, "message": message_object(state, posted)}


def update_message(state: State, args: Node) -> Node:
    """Replace the content of one of the bot's messages."""
    message = _own_message(state, args, "cant_update_message")
    content = read_content(args, update=True)
    if content.blocks and _has_rich_text(message.blocks) and not _has_rich_text(content.blocks):
        raise SlackError("block_mismatch")
    edit(state, message, content)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": message_object(state, message),
    }


def delete_message(state: State, args: Node) -> Node:
    """Delete one of the bot's messages."""
    message = _own_message(state, args, "cant_delete_message")
    state.delete_message(message)
    return {"channel": message.channel, "ts": message.ts}


def post_ephemeral(state: State, args: Node) -> Node:
    """Post a message that one member of the channel sees; the bot has to be in the channel."""
    channel = state.find_channel(_required(args, "channel"))
    user = _required(args, "user")
    if channel is None or state.seed.app.bot_user not in channel.members:
        raise SlackError("channel_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    content = read_content(args)
    posted = post(state, content, channel=channel.id, source="chat.postEphemeral", to=user)
    return {"message_ts": posted.ts}


def get_permalink(state: State, args: Node) -> Node:
    """Give the address of a message."""
    channel = _readable(state, args)
    message = state.find_message(args.get("message_ts"), channel.id)
    if message is None or message.to is not None:
        raise SlackError("message_not_found")
    host = f"https://{state.seed.team_domain}.slack.com"
    address = f"{host}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": address}


def users_info(state: State, args: Node) -> Node:
    """Describe a member."""
    user = state.users.get(_required(args, "user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": _user_object(state, user)}


def users_lookup_by_email(state: State, args: Node) -> Node:
    """Find the member with an address."""
    address = _required(args, "email").casefold()
    found = next((user for user in state.users.values() if user.email and user.email == address), None)
    if found is None:
        raise SlackError("users_not_found")
    return {"user": _user_object(state, found)}


def _user_object(state: State, user: User) -> Node:
    profile: Node = {"real_name": user.real_name, "display_name": user.name, "title": user.title}
    if user.email and "users:read.email" in state.seed.app.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": state.seed.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "is_admin": user.is_admin,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "tz": "Europe/London",
        "profile": profile,
    }


def usergroups_users_list(state: State, args: Node) -> Node:
    """List the members of a user group; free plans have none (`plan_upgrade_required`)."""
    if not state.seed.is_paid:
        raise SlackError("plan_upgrade_required")
    members = state.seed.user_groups.get(_required(args, "usergroup"))
    if members is None:
        raise SlackError("no_such_subteam")
    return {"users": list(members)}


def conversations_info(state: State, args: Node) -> Node:
    """Describe a conversation that the bot can see."""
    channel = _readable(state, args)
    return {
        "channel": {
            "id": channel.id,
            "name": channel.name,
            "is_channel": channel.kind == "public",
            "is_group": False,
            "is_im": channel.kind == "direct",
            "is_private": channel.kind != "public",
            "is_archived": channel.is_archived,
            "is_member": state.seed.app.bot_user in channel.members,
            "num_members": len(channel.members),
        }
    }


def conversations_open(state: State, args: Node) -> Node:
    """Open the direct message with one member, or say again which one it is."""
    given = [name for name in ("channel", "users") if args.get(name)]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of channel, users")
    if given == ["channel"]:
        direct = state.channels.get(str(args["channel"]))
    else:
        users = args["users"] if isinstance(args["users"], list) else str(args["users"]).split(",")
        if any(user not in state.users for user in users):
            raise SlackError("user_not_found")
        direct = state.direct_channel(users[0]) if len(users) == 1 else None
    if direct is None or direct.kind != "direct" or state.seed.app.bot_user not in direct.members:
        raise SlackError("channel_not_found")
    return {"no_op": True, "already_open": True, "channel": {"id": direct.id}}


def blocks_validate(_state: State, args: Node) -> Node:
    """Validate blocks, a message or a view, exactly one of them."""
    given = [name for name in ("blocks", "message", "view") if args.get(name) is not None]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of blocks, message, view")
    name = given[0]
    if name == "view":
        surface = args["view"].get("type") if isinstance(args["view"], dict) else None
        if surface not in ("modal", "home"):
            raise invalid_arguments("invalid view [json-pointer:/view]")
        problems = validate(args["view"], surface)
    elif name == "message" and isinstance(args["message"], dict):
        problems = validate(args["message"], "message")
    else:
        problems = validate({"blocks": args[name]}, "message")
    if problems:
        raise SlackError(f"invalid_{name}", errors=[_validation_error(problem) for problem in problems])
    return {}


def _validation_error(problem: Problem) -> Node:
    return {"pointer": problem.pointer, "code": "failed_constraint", "message": problem.message}


def _required(args: Node, name: str) -> str:
    value = args.get(name)
    if not value:
        raise invalid_arguments(f"missing required field: {name}")
    return str(value)


def _readable(state: State, args: Node) -> Channel:
    channel = state.find_channel(_required(args, "channel"))
    member = channel is not None and state.seed.app.bot_user in channel.members
    if channel is None or (channel.kind != "public" and not member):
        raise SlackError("channel_not_found")
    return channel


def _writable(state: State, args: Node) -> Channel:
    """Find a channel to post into: a member's, or with chat:write.public any public one; a person's DM."""
    wanted = _required(args, "channel")
    channel = state.direct_channel(wanted) if wanted in state.users else state.find_channel(wanted)
    member = channel is not None and state.seed.app.bot_user in channel.members
    if channel is None or (channel.kind != "public" and not member):
        raise SlackError("channel_not_found")
    if not member and "chat:write.public" not in state.seed.app.scopes:
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def _own_message(state: State, args: Node, refusal: str) -> Message:
    # Names are for posting only: chat.update and chat.delete take the channel's id.
    channel = state.channels.get(_required(args, "channel"))
    if channel is None or (channel.kind != "public" and state.seed.app.bot_user not in channel.members):
        raise SlackError("channel_not_found")
    message = state.find_message(_required(args, "ts"), channel.id)
    if message is None or message.to is not None:
        raise SlackError("message_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    if message.user != state.seed.app.bot_user:
        raise SlackError(refusal)
    return message


def _has_rich_text(blocks: list[Node]) -> bool:
    return any(block.get("type") == "rich_text" for block in blocks)
