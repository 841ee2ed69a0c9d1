"""The short answers that only one person sees."""

from __future__ import annotations

from bot.views import notices
from bot.views.limits import Message
from bot.views.plain import as_text
from pipeline.errors import DirectoryUnreachable, IdentifierMalformed

BASE = "DC=contoso,DC=test"


def test_a_refusal_says_whom_to_ask() -> None:
    """No rights: what is refused, that nothing happened, and who can help."""
    assert as_text(notices.refused("provision", ["U0ADAM", "U0VERA"]), {"U0ADAM": "adam"}) == (
        "You may not provision. Nothing was done.\n"
        "Ask @adam or @U0VERA to grant you the right “provision” in the configuration."
    )
    assert "Ask whoever runs this bot" in as_text(notices.refused("preview"))
    assert "in this channel" in as_text(notices.refused("look", here=True))


def test_bad_input_is_answered_with_an_example() -> None:
    """What is wrong, what to do, what was typed, and an example from the configured base."""
    answer = notices.bad_input(IdentifierMalformed(), "Ada Lovelace", BASE)
    assert as_text(answer) == (
        "What was typed is not a distinguished name, nor any other identifier of an object. "
        "Copy the distinguishedName from the object's attributes in Active Directory.\n"
        "You typed: Ada Lovelace\n"
        "Example: /provision CN=Ada Lovelace,OU=Users,DC=contoso,DC=test"
    )
    assert "Example: CN=Ada Lovelace,OU=Users,DC=contoso,DC=test" in answer.text


def test_help_lists_only_what_the_person_may_do() -> None:
    """Nobody is told of what they would be refused."""
    everything = as_text(notices.help_text(BASE, ["look", "preview", "provision"], writes_on=True))
    assert "/provision <identifier>" in everything
    assert "writes what is missing" in everything
    previewing = as_text(notices.help_text(BASE, ["look", "preview"], writes_on=True))
    assert "/provision <identifier>" not in previewing
    assert "/provision preview <identifier>" in previewing
    looking = as_text(notices.help_text(BASE, ["look"], writes_on=True))
    assert "/provision preview" not in looking
    assert "/provision history" in looking
    nothing = as_text(notices.help_text(BASE, [], writes_on=True))
    assert "You may not look" in nothing
    assert "/provision history" not in nothing
    assert "switched off" in as_text(notices.help_text(BASE, ["provision"], writes_on=False))
    examples = [
        told.partition("Example: /provision ")[2] for told in (everything, previewing, looking, nothing)
    ]
    assert [one.partition("=")[0] for one in examples] == ["CN", "preview CN", "history CN", ""]


def test_a_slip_is_answered_with_the_command_that_was_meant() -> None:
    """The nearest command with what was typed after it, and an example of it from the configured base."""
    answer = notices.meant("preveiw *jdoe*", "preview *jdoe*", BASE)
    assert as_text(answer) == (
        "There is no command “preveiw”. Nothing was started.\n"
        "Did you mean:\n/provision preview *jdoe*\n"
        "If it is the name of an account, put it in quotation marks.\n"
        "Example: /provision preview CN=Ada Lovelace,OU=Users,DC=contoso,DC=test"
    )
    assert "*" not in answer.text


def test_a_configuration_that_is_not_there_is_answered_with_those_that_are() -> None:
    """The nearest first, then all that the person may use."""
    assert as_text(notices.no_such_configuration("contosso", ["contoso", "fabrikam"], "contoso")) == (
        "There is no configuration “contosso”. Nothing was started.\n"
        "Did you mean “contoso”? There are: contoso and fabrikam."
    )
    assert "none that you may use here" in as_text(notices.no_such_configuration("x", [], None))


def test_errors_carry_a_support_id_and_nothing_of_the_inside() -> None:
    """A defect shows an id that leads to the log, and no trace."""
    assert as_text(notices.defect("01JD")).endswith("Support id 01JD")
    assert as_text(notices.error(DirectoryUnreachable(), "01JD")).startswith(
        "No domain controller could be reached."
    )


def test_a_link_is_only_made_of_a_permalink() -> None:
    """The busy notice links to the run; anything that is no https address stays out."""
    good = notices.busy("Ada", permalink="https://contoso.slack.com/archives/C1/p1")
    assert "<https://contoso.slack.com/archives/C1/p1|See the run>" in good.text
    for bad in ("javascript:alert(1)", "https://x|y>", "https://x> <!channel", None):
        assert "See the run" not in notices.busy("Ada", permalink=bad).text


def test_every_notice_is_complete_in_its_text() -> None:
    """A screen reader gets the same sentences as the eye."""
    for notice in (
        notices.unknown_run("01JDABCDEFGHJK"),
        notices.busy("Ada"),
        notices.defect("x"),
    ):
        assert isinstance(notice, Message)
        for sentence in as_text(notice).replace("\n", " ").split(". "):
            assert sentence.strip(".") in notice.text.replace("`", "")
