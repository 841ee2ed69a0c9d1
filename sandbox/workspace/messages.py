"""What a message may say, whichever door it comes through: a chat method, a response URL or an ack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sandbox.workspace.blockkit import Problem, facts, serialized_length, validate, verdict_by_policy
from sandbox.workspace.errors import SlackError, refused_blocks
from sandbox.workspace.state import Message, State

Node = dict[str, Any]

_MENTIONED: Final = 100


@dataclass(frozen=True, slots=True)
class Content:
    """The checked content of a message; `None` stands for what was not given."""

    text: str | None
    blocks: list[Node] | None
    metadata: Node | None
    policy: list[Problem]


def read_content(payload: Node, *, update: bool = False, limit_size: bool = True) -> Content:
    """Check the content of a message.

    Args:
        payload: `text`, `blocks`, `attachments`, `metadata` as decoded values.
        update: apply the stricter limit on text of `chat.update`.
        limit_size: apply the cumulative size of blocks, which response URLs do not have.

    Raises:
        SlackError: `no_text`, `msg_too_long`, `msg_blocks_too_long`, `invalid_blocks` and their like.

    """
    text, blocks = _given_text(payload), payload.get("blocks")
    if not text and not blocks and not payload.get("attachments"):
        raise SlackError("no_text")
    if blocks is not None and not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if len(payload.get("attachments") or []) > _MENTIONED:
        raise SlackError("too_many_attachments")
    limits = facts()["message"]
    if update and text and len(text) > limits["text_max_update"]:
        raise SlackError("msg_too_long")
    problems = validate({"blocks": blocks}, "message")
    if problems:
        raise refused_blocks(problems)
    if limit_size and blocks and serialized_length(blocks) > limits["blocks_serialized_observed_limit"]:
        raise SlackError("msg_blocks_too_long")
    if text:
        text = text[: limits["text_max_post"]]
    return Content(text, blocks, _metadata(payload), verdict_by_policy(payload, "message"))


def _given_text(payload: Node) -> str | None:
    text, markdown = payload.get("text"), payload.get("markdown_text")
    if markdown and (text or payload.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if markdown and len(markdown) > facts()["message"]["markdown_text_max"]:
        raise SlackError("msg_too_long")
    given = markdown or text
    return given if given is None else str(given)


def _metadata(payload: Node) -> Node | None:
    metadata = payload.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return metadata


def post(
    state: State,
    content: Content,
    *,
    channel: str,
    source: str,
    to: str | None = None,
    thread_ts: str | None = None,
    user: str | None = None,
) -> Message:
    """Put a message into a channel, for everyone or for one person (`to`)."""
    return state.add_message(
        Message(
            ts=state.next_ts(),
            channel=channel,
            user=user or state.seed.app.bot_user,
            text=content.text or "",
            blocks=content.blocks or [],
            source=source,
            to=to,
            thread_ts=thread_ts,
            metadata=content.metadata,
            problems=content.policy,
        )
    )


def edit(state: State, message: Message, content: Content) -> None:
    """Replace the content of a message; blocks that are not given stay (Slack, page "chat.update")."""
    if content.metadata is not None:
        message.metadata = content.metadata
    message.problems = content.policy
    state.edit_message(message, text=content.text, blocks=content.blocks)


def message_object(state: State, message: Message) -> Node:
    """Write a message as chat methods answer with it and interactions carry it."""
    app = state.seed.app
    written: Node = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": state.seed.team_id,
    }
    if message.user == app.bot_user:
        written |= {
            "bot_id": app.bot_id,
            "app_id": app.id,
            "bot_profile": {
                "id": app.bot_id,
                "app_id": app.id,
                "name": app.name,
                "deleted": False,
                "team_id": state.seed.team_id,
            },
        }
    if message.blocks:
        written["blocks"] = message.blocks
    if message.thread_ts:
        written["thread_ts"] = message.thread_ts
    if message.metadata:
        written["metadata"] = message.metadata
    if message.edited_ts:
        written["edited"] = {"user": app.bot_id, "ts": message.edited_ts}
    return written
