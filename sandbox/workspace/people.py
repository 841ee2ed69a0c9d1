"""What a person does: type a command, press a button, fill in a modal; and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.copying import copied
from sandbox.workspace import payloads
from sandbox.workspace.acks import TROUBLE, apply_command_ack, apply_submission_ack
from sandbox.workspace.blockkit import validate_options
from sandbox.workspace.choosing import choose, choose_field, chosen, fields_of
from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.messages import Content, post
from sandbox.workspace.seed import Channel, User
from sandbox.workspace.state import Message, State, View
from sandbox.workspace.transports import Ack, Kind, NoAckError, Transport

Node = dict[str, Any]
_OK = 200


class People:
    """Every gesture that the client lets a person make; each waits for the app's acknowledgement."""

    def __init__(self, state: State, base_url: Callable[[], str], transport: Callable[[], Transport]) -> None:
        self._state = state
        self._base_url = base_url
        self._transport = transport
        self.dispatches: list[Node] = []

    async def command(self, user: str, channel: str, text: str, command: str = "/provision") -> Node:
        """Type a slash command.

        Returns:
            `{"ok": True, "ack": {"status", "body", "ms"}}`, or `{"ok": False, "error": …}`:
            `operation_timeout`, `dispatch_failed`, or what Slack would say of the reply.

        """
        person, place = self._in_channel(user, channel)
        url = self._base_url() + self._state.new_response_url("commands", user, place.id)
        payload = payloads.slash_command(
            self._state, person, place, command=command, text=text.strip(), response_url=url
        )
        result = await self._dispatch("slash_commands", payload, answers=True)
        if not result["ok"]:
            self._slackbot(place, user, f'{command} failed with the error "{result["error"]}"')
            return result
        return {**result, **apply_command_ack(self._state, user, place, result["ack"]["body"])}

    async def say(self, user: str, channel: str, text: str) -> Node:
        """Write an ordinary message."""
        _, place = self._in_channel(user, channel)
        content = Content(text, None, None, [])
        return {"ok": True, "ts": post(self._state, content, channel=place.id, source="person", user=user).ts}

    async def click(
        self,
        user: str,
        action: object,
        *,
        message: str | None = None,
        view: str | None = None,
        value: object = None,
        beside: object = None,
        confirm: bool = True,
        values: Node | None = None,
    ) -> Node:
        """Press a button, pick an option or leave a field that reports itself.

        Args:
            user: who does it.
            action: see `choosing.choose`.
            message: the timestamp of the message, or
            view: the id of the view that it is in.
            value: what is picked or typed; for buttons, which of several with the same text.
            beside: a text in the same block, where several say the same.
            confirm: the answer to the question that the element may ask first.
            values: what stands in the view's fields by then, as for `submit`; the app is told it as well.

        """
        person = self._state.person(user)
        source = self._source(person, message, view)
        blocks = source.payload["blocks"] if isinstance(source, View) else source.blocks
        block, element = choose(blocks, action, value=value, beside=beside)
        given = value if value is not None else action
        picked = chosen(element, given, self._offered(source, element))
        if isinstance(source, View):
            self._fill(source, values or {})
        if isinstance(source, View) and element["type"] in payloads.VALUE_FIELDS:
            source.values.setdefault(block["block_id"], {})[element["action_id"]] = picked
        if "confirm" in element and not confirm:
            return {"ok": True, "dispatched": False}
        if block["type"] == "input" and not block.get("dispatch_action"):
            return {"ok": True, "dispatched": False}
        url = self._response_url(person, source)
        payload = payloads.block_actions(
            self._state, person, source, block=block, element=element, value=picked, response_url=url
        )
        return await self._dispatch("interactive", payload, answers=False)

    async def suggest(
        self, user: str, action: object, value: str, *, message: str | None = None, view: str | None = None
    ) -> Node:
        """Type into an external select of the topmost view, unless another place is named.

        Fewer characters than the element's `min_query_length` (3 unless it says otherwise) ask for nothing.

        Returns:
            `{"ok": True, "options": […]}`, the options of all groups in their order, and with groups also
            `option_groups`; `{"ok": False, "error": …}`: `operation_timeout`, `dispatch_failed`, or
            `invalid_options` with `problems`.

        """
        person = self._state.person(user)
        source = self._top_view(person, view) if message is None else self._source(person, message, view)
        blocks = source.payload["blocks"] if isinstance(source, View) else source.blocks
        block, element = self._external(blocks, action)
        if len(value) < element.get("min_query_length", 3):
            return {"ok": True, "options": [], "dispatched": False}
        payload = payloads.block_suggestion(
            self._state, person, source, block=block, element=element, typed=value
        )
        result = await self._dispatch("interactive", payload, answers=True)
        if not result["ok"]:
            return result
        answer = result["ack"]["body"]
        problems = validate_options(answer)
        if problems:
            refused = [problem.as_dict() for problem in problems]
            return {**result, "ok": False, "error": "invalid_options", "problems": refused}
        groups = answer.get("option_groups") or []
        options = answer.get("options") or [option for group in groups for option in group["options"]]
        # What was picked from an earlier answer stays valid while something else is typed.
        offered = self._state.suggestions.setdefault((_place_of(source), element["action_id"]), {})
        offered.update({option["value"]: option for option in options})
        return {**result, "options": options, **({"option_groups": groups} if groups else {})}

    async def submit(self, user: str, view: str | None = None, values: Node | None = None) -> Node:
        """Fill in fields by label, block_id or action_id and submit the topmost view."""
        person = self._state.person(user)
        open_view = self._top_view(person, view)
        if "submit" not in open_view.payload:
            raise BadRequestError(f"The view {open_view.id} has no submit button.")
        self._fill(open_view, values or {})
        missing, short = self._missing(open_view), self._too_short(open_view)
        if missing or short:
            self._state.show_errors(open_view, {**short, **missing})
            return {"ok": False, "error": "required" if missing else "too_short", "errors": open_view.errors}
        open_view.errors = {}
        payload = payloads.view_submission(self._state, person, open_view)
        result = await self._dispatch("interactive", payload, answers=True)
        if not result["ok"]:
            return {**result, "shown": TROUBLE}
        return {**result, **apply_submission_ack(self._state, open_view, result["ack"]["body"])}

    async def close(self, user: str, view: str | None = None) -> Node:
        """Close the topmost view: all of them if it clears on close; tell the app if it wants to know."""
        person = self._state.person(user)
        top = self._top_view(person, view)
        cleared = bool(top.payload.get("clear_on_close"))
        closed = self._state.close_views(user, count=None if cleared else 1)
        for one in closed:
            if one.payload.get("notify_on_close"):
                payload = payloads.view_closed(self._state, person, one, is_cleared=cleared)
                await self._dispatch("interactive", payload, answers=False)
        return {"ok": True, "closed": [one.id for one in closed]}

    # --- helpers of the gestures ---------------------------------------------------------------------------

    async def _dispatch(self, kind: Kind, payload: Node, *, answers: bool) -> Node:
        record: Node = {"type": payload.get("type", kind), "payload": copied(payload)}
        self.dispatches.append(record)
        try:
            ack = await self._transport().deliver(kind, payload, answers=answers)
        except NoAckError as failure:
            record["error"] = str(failure)
            self._state.changes.say("dispatch", record)
            return {"ok": False, "error": str(failure)}
        record["ack"] = ack.as_dict()
        self._state.changes.say("dispatch", record)
        return self._judged(ack)

    def _judged(self, ack: Ack) -> Node:
        if ack.status == _OK:
            return {"ok": True, "ack": ack.as_dict()}
        return {"ok": False, "error": "dispatch_failed", "ack": ack.as_dict()}

    def _slackbot(self, place: Channel, user: str, text: str) -> None:
        post(
            self._state,
            Content(text, None, None, []),
            channel=place.id,
            source="slack",
            to=user,
            user="USLACKBOT",
        )

    def _in_channel(self, user: str, channel: str) -> tuple[User, Channel]:
        person, place = self._state.person(user), self._state.place(channel)
        if user not in place.members:
            raise BadRequestError(f"{person.real_name} is not in {place.id}.")
        if place.is_archived:
            raise BadRequestError(f"{place.id} is archived: nobody can write there.")
        return person, place

    def _source(self, person: User, message: str | None, view: str | None) -> Message | View:
        if (message is None) == (view is None):
            raise BadRequestError("Name either a `message` by its ts or a `view` by its id.")
        if view is not None:
            return self._own_view(person, view)
        found = self._state.find_message(message)
        if found is None or found.to not in (None, person.id):
            raise BadRequestError(f"{person.real_name} sees no message {message!r}.")
        if person.id not in self._state.channels[found.channel].members:
            raise BadRequestError(f"{person.real_name} is not in {found.channel}.")
        return found

    def _own_view(self, person: User, view: str) -> View:
        home = self._state.homes.get(person.id)
        if home is not None and home.id == view:
            return home
        return self._top_view(person, view)

    def _top_view(self, person: User, view: str | None) -> View:
        stack = self._state.stack(person.id)
        if not stack or view not in (None, stack[-1].id):
            top = f"; the topmost one is {stack[-1].id}" if stack else ""
            raise BadRequestError(f"{person.real_name} has no view {view or ''} in front{top}.")
        return stack[-1]

    def _response_url(self, person: User, source: Message | View) -> str | None:
        if isinstance(source, View):
            return None
        return self._base_url() + self._state.new_response_url("actions", person.id, source.channel, source)

    def _offered(self, source: Message | View, element: Node) -> list[Node]:
        offered = self._state.suggestions.get((_place_of(source), element["action_id"]), {})
        return list(offered.values())

    def _external(self, blocks: list[Node], action: object) -> tuple[Node, Node]:
        try:
            block, element = choose_field(blocks, str(action))
        except BadRequestError:
            block, element = choose(blocks, action)
        if element["type"] not in ("external_select", "multi_external_select"):
            raise BadRequestError(f"{action!r} is a {element['type']}: it asks the app for nothing.")
        return block, element

    def _fill(self, view: View, values: Node) -> None:
        for name, given in values.items():
            block, element = choose_field(view.payload["blocks"], name)
            value = chosen(element, given, self._offered(view, element))
            view.values.setdefault(block["block_id"], {})[element["action_id"]] = value

    def _missing(self, view: View) -> dict[str, str]:
        state = payloads.view_with_state(self._state, view)["state"]["values"]
        missing = {}
        for block, element in fields_of(view.payload["blocks"]):
            name, _ = payloads.VALUE_FIELDS[element["type"]]
            given = state[block["block_id"]][element["action_id"]].get(name)
            if block["type"] == "input" and not block.get("optional") and given in (None, "", []):
                missing[block["block_id"]] = "Please complete this required field."
        return missing

    def _too_short(self, view: View) -> dict[str, str]:
        short = {}
        for block, element in fields_of(view.payload["blocks"]):
            given = view.values.get(block["block_id"], {}).get(element["action_id"], {}).get("value")
            least = element.get("min_length", 0)
            if isinstance(given, str) and len(given) < least:
                short[block["block_id"]] = f"This entry must have at least {least} characters."
        return short


def _place_of(source: Message | View) -> str:
    return source.id if isinstance(source, View) else source.ts
