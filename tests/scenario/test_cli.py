"""The command line by itself: what is wrong is told by a sentence and an exit status, and JSON stays JSON."""

from __future__ import annotations

import json

import pytest

from bot.cli import main


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ("STORE__URL=postgresql://127.0.0.1:1/nothing", 3, "store_unavailable"),
        ("STORE__URL=nonsense", 2, "configuration_invalid"),
        ("NO_SUCH_SETTING=x", 2, "configuration_invalid"),
    ],
)
def test_scripts_read_a_run_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    status: int,
    code: str,
) -> None:
    """With --json, stdout is a run also where none could begin: failed, nothing reached, with the reason."""
    name, _, value = setting.partition("=")
    monkeypatch.setenv(f"FOURCHECK_{name}", value)
    assert main(["preview", "ada.lovelace@contoso.test", "--json"]) == status
    told = capsys.readouterr()
    run = json.loads(told.out)

    assert (run["outcome"], run["error"]["code"]) == ("failed", code)
    assert [stage["status"] for stage in run["stages"]] == ["failed", "skipped", "skipped", "skipped"]
    assert "configuration file" not in run["error"]["remedy"], "it is the settings that are wrong"
    assert "fourcheck: " in told.err


@pytest.mark.parametrize("port", ["99999", "-1", "x", "65536"])
@pytest.mark.parametrize("command", [["demo"], ["sandbox", "tenant"]])
def test_a_port_is_a_port(capsys: pytest.CaptureFixture[str], command: list[str], port: str) -> None:
    """What is no port is refused by its range, instead of another one being taken."""
    with pytest.raises(SystemExit) as ended:
        main([*command, f"--port={port}"])
    assert ended.value.code == 2
    assert "from 0 to 65535" in capsys.readouterr().err


def test_what_would_be_ignored_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An option that means nothing without another one is not passed over in silence."""
    assert main(["demo", "--json"]) == 2
    assert "--run" in capsys.readouterr().err


def test_the_demo_tells_why_there_is_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    """What the bot answered instead of starting a run is what the person reads."""
    assert main(["demo", "--run", "provison ada@contoso.test"]) == 2
    assert "There is no command “provison”" in capsys.readouterr().err


def test_it_has_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reports a problem can say with what."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("fourcheck ")
