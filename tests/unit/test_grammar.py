"""What people type after /provision."""

from __future__ import annotations

import pytest

from bot.grammar import Command, Verb, parse_command

NAMES = ("contoso", "fabrikam")
DN = "CN=Ada Lovelace,OU=London,DC=contoso,DC=test"

ROWS = [
    (DN, Command(Verb.PROVISION, DN), "a bare identifier provisions"),
    (f"preview {DN}", Command(Verb.PREVIEW, DN), "preview comes first"),
    (f"Preview   {DN} ", Command(Verb.PREVIEW, DN), "case and spaces do not matter"),
    (f"{DN} with fabrikam", Command(Verb.PROVISION, DN, "fabrikam"), "a configuration at the end"),
    (f"{DN} with Fabrikam", Command(Verb.PROVISION, DN, "fabrikam"), "in any case, given in its own"),
    (f"{DN} with nobody", Command(Verb.PROVISION, f"{DN} with nobody"), "an unknown name belongs to the DN"),
    ("CN=Out with contoso,DC=x", Command(Verb.PROVISION, "CN=Out with contoso,DC=x"), "not at the end"),
    ("help", Command(Verb.HELP), "help alone"),
    ("CN=help,DC=x", Command(Verb.PROVISION, "CN=help,DC=x"), "help inside a name is a name"),
    ("", Command(Verb.PROVISION), "nothing typed: the run says so"),
    ("preview", Command(Verb.PREVIEW), "a verb with nothing after it"),
    ("CN=A &amp; B,DC=x", Command(Verb.PROVISION, "CN=A & B,DC=x"), "Slack's escaping is undone, once"),
    ("CN=A &amp;lt; B,DC=x", Command(Verb.PROVISION, "CN=A &lt; B,DC=x"), "and only once"),
    ("CN=&lt\\; B,DC=x", Command(Verb.PROVISION, "CN=&lt\\; B,DC=x"), "what is no entity stays"),
    ("CN=“Doe\u00a0Jane”,DC=x", Command(Verb.PROVISION, 'CN="Doe Jane",DC=x'), "curly quotes, hard spaces"),
]


@pytest.mark.parametrize(("text", "command", "reason"), ROWS, ids=[row[2] for row in ROWS])
def test_a_command_is_read_as_meant(text: str, command: Command, reason: str) -> None:
    """A command's text is forgiven what clipboards and mail programs do to it, and never guessed at."""
    assert parse_command(text, NAMES) == command, reason
