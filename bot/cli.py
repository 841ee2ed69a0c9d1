"""The command line. Exit status: 0 done, 1 the run did not pass, 2 bad usage, 3 a system is out of reach."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import getpass
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bot.cli_doctor import add_doctor_command
from bot.cli_history import add_history_command
from bot.cli_rules import add_rules_commands
from bot.exit_status import BAD_USAGE, DONE, NOT_PASSED, STOPPED, UNREACHABLE
from bot.logs import set_up_logs
from bot.settings import Settings, SettingsError, load_settings
from bot.stopping import until_stopped
from bot.views import Hints, run_message
from bot.views.plain import as_text
from pipeline import Request, Run
from pipeline.clock import SystemClock
from pipeline.documents import report, report_schema
from pipeline.errors import ConfigurationError, ConfigurationInvalid, PipelineError, RequestError, RunTaken
from pipeline.execution import Execution
from pipeline.ids import ActorId, new_run_id
from pipeline.interruption import stopped
from pipeline.model import Mode, Outcome, new_run
from pipeline.ports import Lease

_LAST_PORT: Final = 65_535
_COLLECT_AFTER: Final = 10_000
"""How many new objects start a garbage collection; by default it is 700."""

Handler = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    set_up_logs(logging.INFO if options.verbose else logging.WARNING)
    handler: Handler = options.handler
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            return runner.run(handler(options))
    except (SettingsError, PipelineError) as error:
        return _complain(error, _status_of(error))
    except KeyboardInterrupt:
        print("fourcheck: stopped; look at the object before running again.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_PASSED
    except OSError as error:  # a port that is taken, a file that cannot be written
        return _complain(error, BAD_USAGE)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where it is installed; it is not on Windows."""
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415  # not everywhere

        return uvloop.new_event_loop
    return None


def _status_of(error: Exception) -> int:
    if isinstance(error, SettingsError | ConfigurationError | RequestError):
        return BAD_USAGE
    return UNREACHABLE if isinstance(error, PipelineError) and error.unreachable else NOT_PASSED


def _complain(error: Exception, status: int) -> int:
    remedy = getattr(error, "remedy", "")
    print(f"fourcheck: {error}", file=sys.stderr)
    if remedy:
        print(remedy, file=sys.stderr)
    return status


def exit_status(run: Run) -> int:
    """Return the exit status that a run's end stands for."""
    if run.outcome.succeeded:
        return DONE
    error = run.error
    if run.outcome is Outcome.FAILED and error is not None:
        if error.unreachable:
            return UNREACHABLE
        if error.code in _usage_codes():
            return BAD_USAGE
    return NOT_PASSED


def _usage_codes() -> frozenset[str]:
    classes = [RequestError, ConfigurationError]
    found: set[str] = set()
    while classes:
        kind: type[PipelineError] = classes.pop()
        if kind.code != "mapping_failed":
            found.add(kind.code)
        classes += kind.__subclasses__()
    return frozenset(found)


def _writable(text: str) -> Path:
    """Return a path that can be written to; argparse says so where it cannot, before anything is done."""
    path = Path(text)
    try:
        path.touch()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be written: {error.strerror}") from error
    return path


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {_LAST_PORT}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fourcheck", description="Hybrid-identity provisioning from Slack: one object, four checks."
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="log more, to stderr")
    parser.add_argument("--version", action="version", version=f"fourcheck {version('fourcheck')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for mode in Mode:
        command = commands.add_parser(str(mode), help=f"{mode} one object, without Slack")
        command.add_argument(
            "identifier",
            metavar="IDENTIFIER",
            help="a distinguished name, an address, an account name, a GUID or a SID",
        )
        command.add_argument(
            "--configuration", metavar="NAME", help="by other rules than those for the object's place"
        )
        command.add_argument("--json", action="store_true", help="print the run as JSON and nothing else")
        command.set_defaults(handler=_run_once, mode=mode, override_scope=False)
        if mode is Mode.PREVIEW:
            command.add_argument(
                "--override-scope", action="store_true", help="go on where the scope says no; the run says so"
            )
    serve = commands.add_parser("serve", help="the bot against the real systems, by settings")
    serve.set_defaults(handler=_serve)
    demo = commands.add_parser("demo", help="the bot on a sandbox: nothing else is needed")
    demo.add_argument("--port", type=_port, default=8600, help="where the sandbox's workspace listens")
    demo.add_argument("--run", metavar="IDENTIFIER", help="one provision through the whole bot, then end")
    demo.add_argument("--json", action="store_true", help="with --run: print the run as JSON")
    demo.add_argument(
        "--payloads", type=_writable, metavar="FILE.jsonl", help="with --run: write every Slack call"
    )
    demo.set_defaults(handler=_demo)
    sandbox = commands.add_parser("sandbox", help="one of the stand-ins alone")
    sandbox.add_argument("part", choices=("workspace", "tenant", "directory", "people"))
    sandbox.add_argument("--port", type=_port, default=0, help="where it listens; by default on a free one")
    sandbox.add_argument("--request-url", help="workspace: where commands and clicks are posted")
    sandbox.add_argument("--json", action="store_true", help="people: as JSON")
    sandbox.set_defaults(handler=_sandbox)
    add_rules_commands(commands)
    add_history_command(commands)
    add_doctor_command(commands)
    schema = commands.add_parser("schema", help="the JSON Schema of what --json prints")
    schema.add_argument("what", choices=("run",))
    schema.set_defaults(handler=_schema)
    return parser


async def _run_once(options: argparse.Namespace) -> int:
    request = Request(
        run_id=new_run_id(),
        mode=options.mode,
        identifier=options.identifier,
        actor=ActorId(f"cli:{getpass.getuser()}"),
        configuration=options.configuration,
        override_scope=options.override_scope,
    )
    try:
        settings = load_settings()
        run = await _carry_out(request, settings)
    except (SettingsError, PipelineError) as error:
        if options.json:  # scripts read a run, whatever happens
            now = SystemClock().now()
            wrong = ConfigurationInvalid(str(error), remedy="Correct the settings.")
            reason = error if isinstance(error, PipelineError) else wrong
            _print_json(report(stopped(new_run(request, now), Outcome.FAILED, reason, now)))
        raise
    if options.json:
        _print_json(report(run))
    else:
        hints = Hints(plaintext_directory=settings.reads_plaintext)
        print(as_text(run_message(run, writes_on=settings.entra.writes == "on", hints=hints)))
    return exit_status(run)


async def _carry_out(request: Request, settings: Settings) -> Run:
    from bot.wiring import Silence, open_systems  # noqa: PLC0415  # the schema command needs none of it

    async with open_systems(settings, guest=True) as systems:
        lease = Lease(request.run_id, 0, 1, request, SystemClock().now())
        run = await Execution(lease, systems.store, systems.services(Silence())).carry_out(request)
    if run is None:
        raise RunTaken
    return run


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


async def _serve(options: argparse.Namespace) -> int:
    from bot.wiring import running_bot  # noqa: PLC0415  # the schema command needs none of it

    set_up_logs(logging.DEBUG if options.verbose else logging.INFO)
    settings = load_settings()
    async with running_bot(settings) as bot:
        _spare_the_collector()
        print(f"fourcheck listens on http://{settings.http.host}:{bot.port}", file=sys.stderr, flush=True)
        await until_stopped()
    return DONE


def _spare_the_collector() -> None:
    """Keep what the process has loaded for good out of every garbage collection, and make those rarer.

    Modules and compiled rules are some hundred thousand objects; a full collection that looks at them all
    holds every request up for a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


async def _demo(options: argparse.Namespace) -> int:
    from bot import demo  # noqa: PLC0415  # the sandbox is for the demo alone

    if options.run is None:
        if options.json or options.payloads:
            raise SettingsError("--json and --payloads go with --run")
        return await demo.stay(options.port)
    run = await demo.run_once(options.run, options.payloads, quiet=options.json)
    if options.json:
        _print_json(report(run))
    return exit_status(run)


async def _sandbox(options: argparse.Namespace) -> int:
    from bot import demo  # noqa: PLC0415  # the sandbox is for the demo alone

    if options.part == "people":
        _print_people(options.json, demo.people())
        return DONE
    await demo.stand_in(options.part, options.port, options.request_url)
    return DONE


def _print_people(as_json: bool, people: Sequence[dict[str, Any]]) -> None:  # noqa: FBT001  # a switch of the command
    if as_json:
        _print_json(people)
        return
    for person in people:
        print(f"{person['case']:<24} {person['expected']:<10} {person['identifier']}")


async def _schema(options: argparse.Namespace) -> int:
    del options
    print(json.dumps(report_schema(), indent=2))
    return DONE
