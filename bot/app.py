"""The Bolt app: who is calling, one listener for each gesture, and an answer whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from ulid import ULID

from bot.actor import UnknownActorError
from bot.answers import Answers
from bot.listeners.buttons import Buttons
from bot.listeners.commands import Commands
from bot.listeners.details import Details
from bot.listeners.history import History
from bot.listeners.picker import Picker
from bot.listeners.starting import Starting
from bot.views import controls, notices, run_controls
from bot.views import picker as picker_form
from pipeline.errors import PipelineError

_TURNING: Final = (
    *(controls.PAGE_PREVIOUS, controls.PAGE_NEXT, controls.WHOLE_BACK),
    *(controls.FILTER, controls.CLEAR),
)
"""What shows other rows in the place of these."""

_log = logging.getLogger(__name__)


def build_app(
    *,
    client: AsyncWebClient,
    identity: AuthorizeResult,
    team_ids: frozenset[str],
    signing_secret: str,
    commands: Commands,
    picker: Picker,
    history: History,
    details: Details,
    buttons: Buttons,
    starting: Starting,
    answers: Answers,
) -> AsyncApp:
    """Return the app. Its listeners check, persist and acknowledge; everything longer is a task of its own.

    `identity` is what `auth.test` answered at the start, so that no command has to ask.
    `process_before_response` spares each request the 10 ms that Bolt otherwise polls for it.
    """

    async def authorize(team_id: str | None) -> AuthorizeResult:
        if team_id not in team_ids:
            raise UnknownActorError("a workspace that is not served")
        return identity

    app = AsyncApp(
        name="fourcheck",  # else Bolt walks the stack and all modules for one, for a sixth of a second
        client=AsyncWebClient(base_url=client.base_url, session=client.session),  # listeners use `client`
        authorize=authorize,
        signing_secret=signing_secret,
        process_before_response=True,
        logger=logging.getLogger("slack_bolt"),
        raise_error_for_unhandled_request=False,
    )
    app.error(_answer_errors(answers))
    app.command("/provision")(commands.provision)
    for action_id in (*controls.DETAILS.values(), controls.SHOW_WHOLE, controls.COPY_TEXT):
        app.action(action_id)(details.open)
    for action_id in _TURNING:
        app.action(action_id)(details.turn)
    app.view(controls.CALLBACK_ID)(details.search)
    app.options(picker_form.OBJECT)(picker.suggest)
    app.view(picker_form.CALLBACK_ID)(picker.submit)
    app.action(run_controls.HISTORY)(history.open)
    app.action(run_controls.HISTORY_OLDER)(history.turn)
    app.action(run_controls.HISTORY_NEWER)(history.turn)
    app.action(run_controls.OPEN_RUN)(buttons.open_run)
    app.action(controls.RUN_AGAIN)(starting.run_again)
    app.action(run_controls.CANCEL_RUN)(starting.cancel)
    app.action(run_controls.CANCEL_ALL)(starting.cancel_all)
    app.action(controls.PREVIEW_THIS)(starting.preview_this)
    app.action(controls.PROVISION_THIS)(starting.provision_this)
    app.action(run_controls.PREVIEW_ANYWAY)(starting.preview_anyway)
    app.action(run_controls.RUN_ALL_AGAIN)(starting.run_all_again)
    app.action(run_controls.PROVISION_ALL)(starting.provision_all)
    return app


def _answer_errors(answers: Answers) -> Callable[..., Awaitable[BoltResponse]]:
    """Return the handler that turns every error of a listener into a sentence with a support id.

    Who typed a command reads it as the answer, who pressed a button beside the message or in the modal.
    """

    async def answer(error: Exception, body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        support_id = str(ULID())
        if body.get("type") == "block_suggestion":  # a list can say nothing but what to choose
            _log.error("%s: a search met a defect", support_id, exc_info=error)
            return await ack(options=[])
        if isinstance(error, UnknownActorError):
            _log.warning("%s: %s", support_id, error)
            return BoltResponse(status=400, body="unknown actor")
        if isinstance(error, PipelineError):
            _log.warning("%s: %s", support_id, error.code)
            return await answers.tell(ack, body, notices.error(error, support_id))
        _log.error("%s: a listener met a defect", support_id, exc_info=error)
        return await answers.tell(ack, body, notices.defect(support_id))

    return answer
