"""What people type after /provision."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.grammar import Command, Verb, distance, nearest, parse_command

NAMES = ("contoso", "fabrikam")
DN = "CN=Ada Lovelace,OU=London,DC=contoso,DC=test"
ALAN = "CN=Alan Turing,OU=London,DC=contoso,DC=test"
HISTORY, HELP, PREVIEW, PROVISION = Verb.HISTORY, Verb.HELP, Verb.PREVIEW, Verb.PROVISION


def one(verb: Verb, identifier: str, configuration: str | None = None) -> Command:
    """Return the command on one object."""
    return Command(verb, (identifier,), configuration)


ROWS = [
    (DN, one(PROVISION, DN), "a bare identifier provisions"),
    (f"preview {DN}", one(PREVIEW, DN), "preview comes first"),
    (f"Preview   {DN} ", one(PREVIEW, DN), "case and spaces do not matter"),
    (f"preview: {DN}", one(PREVIEW, DN), "nor does a colon"),
    (f"provision {DN}", one(PROVISION, DN), "the command's own word again"),
    (f"history {DN}", one(HISTORY, DN), "what happened to an object"),
    ("history", Command(HISTORY), "what happened at all"),
    ("history with fabrikam", Command(HISTORY, (), "fabrikam"), "by one configuration"),
    (f"{DN} with fabrikam", one(PROVISION, DN, "fabrikam"), "a configuration at the end"),
    (f"{DN} with Fabrikam", one(PROVISION, DN, "fabrikam"), "in any case, given in its own"),
    (f"{DN}\nwith fabrikam", one(PROVISION, DN, "fabrikam"), "on a line of its own"),
    ("CN=Out with contoso,DC=x", one(PROVISION, "CN=Out with contoso,DC=x"), "not at the end"),
    ('"Out with contoso"', one(PROVISION, "Out with contoso"), "inside quotation marks it is a name"),
    ("Out with nobody", one(PROVISION, "Out with nobody"), "an account's name may go on like this"),
    ("help", Command(HELP), "help alone"),
    ("?", Command(HELP), "a question"),
    ("help preview", Command(HELP), "help on a verb"),
    ("help desk", one(PROVISION, "help desk"), "help before anything else is a name"),
    ("preview help", Command(HELP), "help on a verb, the other way round"),
    (",\nmaria@contoso.test", one(PROVISION, "maria@contoso.test"), "a line of nothing but what separates"),
    ("CN=help,DC=x", one(PROVISION, "CN=help,DC=x"), "help inside a name is a name"),
    ("", Command(PROVISION), "nothing typed: the picker"),
    ("preview", Command(PREVIEW), "a verb with nothing after it: the picker"),
    ("preview team", one(PREVIEW, "team"), "an account can be read, so the verb is one"),
    ('"preview team"', one(PROVISION, "preview team"), "quotation marks force an identifier"),
    ('preview "history"', one(PREVIEW, "history"), "after a verb as well"),
    ("“help”", one(PROVISION, "help"), "curly ones too"),
    ("preview CN=Ada\\", one(PREVIEW, "CN=Ada\\"), "neither can be read: the verb was meant as one"),
    ("CN=A &amp; B,DC=x", one(PROVISION, "CN=A & B,DC=x"), "Slack's escaping is undone, once"),
    ("CN=A &amp;lt; B,DC=x", one(PROVISION, "CN=A &lt; B,DC=x"), "and only once"),
    ("CN=&lt\\; B,DC=x", one(PROVISION, "CN=&lt\\; B,DC=x"), "what is no entity stays"),
    ("CN=“Doe\u00a0Jane”,DC=x", one(PROVISION, 'CN="Doe Jane",DC=x'), "curly quotes, hard spaces"),
    (f"&gt; {DN}", one(PROVISION, DN), "quoted in a mail"),
    (f"> > {DN}", one(PROVISION, DN), "and once more"),
    ("<mailto:a@b.test|a@b.test>", one(PROVISION, "<mailto:a@b.test|a@b.test>"), "a link of Slack"),
    (f"{DN}\n{ALAN}", Command(PROVISION, (DN, ALAN)), "one a line"),
    (f"preview\r\n{DN}\r\n{ALAN}\r\n", Command(PREVIEW, (DN, ALAN)), "below the verb"),
    (f"{DN}\n{ALAN} with fabrikam", Command(PROVISION, (DN, ALAN), "fabrikam"), "one configuration for all"),
    (f"- {DN}\n2. {ALAN}", Command(PROVISION, (DN, ALAN)), "as a list"),
    (f"{DN};\n{ALAN},", Command(PROVISION, (DN, ALAN)), "with what separates its items"),
    (f"{DN}\n\n{DN.upper()}", Command(PROVISION, (DN,)), "each once"),
    (
        "CN=Ada,OU=London,\nDC=x,DC=test",
        one(PROVISION, "CN=Ada,OU=London, DC=x,DC=test"),
        "broken at a comma",
    ),
    ("CN=Ada,DC=x,\nDC=test", one(PROVISION, "CN=Ada,DC=x, DC=test"), "in the middle of the domain"),
    ("CN=Ada\n,OU=London,DC=x", one(PROVISION, "CN=Ada ,OU=London,DC=x"), "before a comma"),
    ("CN=Ada\nLovelace,DC=x", one(PROVISION, "CN=Ada Lovelace,DC=x"), "in the middle of a name"),
    (f"maria@contoso.test\n{DN}", Command(PROVISION, ("maria@contoso.test", DN)), "of any kind"),
]


@pytest.mark.parametrize(("text", "command", "reason"), ROWS, ids=[row[2] for row in ROWS])
def test_a_command_is_read_as_meant(text: str, command: Command, reason: str) -> None:
    """A command's text is forgiven what clipboards and mail programs do to it, and never guessed at."""
    assert parse_command(text, NAMES) == command, reason


UNKNOWN = [
    (f"{DN} with nope", DN, "nope", "a DN ends with its domain"),
    ("a@contoso.test with nope", "a@contoso.test", "nope", "an address holds no spaces"),
    ("CN=Ada with fun", "CN=Ada with fun", None, "a value may go on"),
    ("ada with fun", "ada with fun", None, "so may an account's name"),
]


@pytest.mark.parametrize(("text", "identifier", "name", "reason"), UNKNOWN, ids=[r[3] for r in UNKNOWN])
def test_a_configuration_that_is_not_there_is_noticed(
    text: str, identifier: str, name: str | None, reason: str
) -> None:
    """` with NAME` behind a whole identifier names a configuration, even one that does not exist."""
    command = parse_command(text, NAMES)

    assert (command.identifiers, command.unknown) == ((identifier,), name), reason
    assert command.configuration is None


SLIPS = [
    (f"preveiw {DN}", f"preview {DN}", "two letters the wrong way round"),
    ("histroy", "history", "alone"),
    (f"histroy {DN}", f"history {DN}", "with an object"),
    (f"provison {DN}", DN, "the verb that is not needed"),
    ("hlep", "help", "a short word"),
    ("preveiw jdoe", "preview jdoe", "before an account"),
    ("Heap", None, "a surname that is nearly help"),
    ("Helen Smith", None, "a name"),
    (DN, None, "a DN"),
    ('"histroy"', None, "quotation marks force an identifier"),
    ("preview", None, "spelt well"),
    ("history,,=x", None, "the rest cannot be read"),
]


@pytest.mark.parametrize(("text", "meant", "reason"), SLIPS, ids=[row[2] for row in SLIPS])
def test_a_slip_leads_to_the_command_that_was_meant(text: str, meant: str | None, reason: str) -> None:
    """Nearly a verb is asked about and not carried out; nothing else is taken for one."""
    assert parse_command(text, NAMES).meant == meant, reason


@pytest.mark.parametrize(
    ("left", "right", "slips"),
    [("preview", "preview", 0), ("preveiw", "preview", 1), ("histry", "history", 1), ("", "help", 4)],
)
def test_slips_are_counted(left: str, right: str, slips: int) -> None:
    """A letter missing, added or changed is one slip, and so are two neighbours in the wrong order."""
    assert distance(left, right) == distance(right, left) == slips


def test_a_misspelt_configuration_has_a_nearest() -> None:
    """A name is proposed when it is near, and not for the sake of proposing one."""
    assert nearest("contosso", NAMES) == "contoso"
    assert nearest("production", NAMES) is None
    assert nearest("x", ()) is None


_PIECES = st.sampled_from(
    [
        *("preview", "preveiw", "history", "help", " with ", "contoso", "CN=", "DC=x", DN, "- ", "1. "),
        *(
            '"',
            "“",
            "\n",
            ",",
            "\\",
            "=",
            "&amp;",
            "&lt;",
            ">",
            " ",
            "\u00a0",
            "\u2028",
            "\u202e",
            "\0",
            "\ud800",
        ),
    ]
)


@settings(max_examples=150)
@given(st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=80)))
@example("with " * 2000)
@example('"' * 9000)
@example("CN=a\n" * 2000)
@example(",\nada")
@example("ada\n;\nbob")
@example("preview ;\nada")
def test_no_text_raises(text: str) -> None:
    """Whatever is typed is read as something, with no identifier empty or twice."""
    command = parse_command(text, NAMES)

    assert all(identifier.strip() for identifier in command.identifiers)
    assert len({i.casefold() for i in command.identifiers}) == len(command.identifiers)
