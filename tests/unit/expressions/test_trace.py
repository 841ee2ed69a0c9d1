"""The trace: which value each node had, which branch was taken, where a null or an error came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest

from pipeline.expressions import (
    IGNORE,
    Context,
    Dialect,
    Trace,
    TraceNode,
    Value,
    compile_expression,
)

Traced: TypeAlias = Callable[..., Any]


@pytest.fixture
def traced(context: Context) -> Traced:
    """Compile and trace in one step."""

    def run(text: str, source: Mapping[str, Value] | None = None, dialect: str = "cloud-sync") -> Trace:
        folded = {name.casefold(): value for name, value in (source or {}).items()}
        return compile_expression(text, Dialect(dialect)).trace(folded, context)

    return run


def _nodes(node: TraceNode) -> Iterator[TraceNode]:
    yield node
    for part in node.children:
        yield from _nodes(part)


def _find(trace: Trace, text: str) -> TraceNode:
    return next(node for node in _nodes(trace.root) if node.text == text)


def test_every_node_has_its_text_place_and_value(traced: Traced) -> None:
    """The tree follows the text, and offsets point into it."""
    text = 'Trim([title]) & "!" & BitAnd([uac], &H2)'
    trace = traced(text, {"title": " Reader", "uac": 514})
    assert trace.value == "Reader!2"
    assert trace.error is None
    for node in _nodes(trace.root):
        assert text[node.start : node.end] == node.text
    assert [(node.kind, node.text, node.value) for node in _nodes(trace.root)] == [
        ("operator", text, "Reader!2"),
        ("function", "Trim([title])", "Reader"),
        ("attribute", "[title]", " Reader"),
        ("text", '"!"', "!"),
        ("function", "BitAnd([uac], &H2)", 2),
        ("attribute", "[uac]", 514),
        ("number", "&H2", 2),
    ]
    assert all(node.evaluated for node in _nodes(trace.root))


def test_the_taken_branch_is_marked(traced: Traced) -> None:
    """Of an IIF one branch has a value; the other was not evaluated, with all that is in it."""
    trace = traced('IIF(IsPresent([mail]), Trim([mail]), Error("no mail"))', {"mail": "a@b "})
    taken, passed_over = _find(trace, "Trim([mail])"), _find(trace, 'Error("no mail")')
    assert (taken.taken, taken.evaluated, taken.value) == (True, True, "a@b")
    assert (passed_over.taken, passed_over.evaluated, passed_over.value) == (False, False, None)
    assert not _find(trace, '"no mail"').evaluated
    assert _find(trace, "IsPresent([mail])").taken is None


def test_constant_branches_are_marked_too(traced: Traced) -> None:
    """A branch that is only a text is as visible as one with functions."""
    trace = traced('IIF([a] = 1, "yes", NULL)', {"a": "2"})
    assert [(part.text, part.taken) for part in trace.root.children] == [
        ("[a] = 1", None),
        ('"yes"', False),
        ("NULL", True),
    ]


def test_a_switch_shows_how_far_it_went(traced: Traced) -> None:
    """Keys up to the match were compared, the rest were not; only one value was taken."""
    trace = traced('Switch([st], "none", "NSW", "S", "QLD", "B", "SA", "A")', {"st": "QLD"})
    assert [(part.text, part.evaluated, part.taken) for part in trace.root.children] == [
        ("[st]", True, None),
        ('"none"', False, False),
        ('"NSW"', True, None),
        ('"S"', False, False),
        ('"QLD"', True, None),
        ('"B"', True, True),
        ('"SA"', False, None),
        ('"A"', False, False),
    ]
    connect = traced('Switch(False, "a", True, "b")', dialect="connect")
    assert [part.taken for part in connect.root.children] == [None, False, None, True]


def test_logic_stops_where_it_is_decided(traced: Traced) -> None:
    """Operands after the one that decides were not evaluated."""
    trace = traced("[a] = 1 || [b] = 1", {"a": 1})
    assert [part.evaluated for part in trace.root.children] == [True, False]


def test_a_null_can_be_followed_to_its_source(traced: Traced) -> None:
    """An evaluated node without a value is a null; one that was passed over says so."""
    trace = traced('Coalesce([a], Trim([b]), "x")')
    assert [(part.value, part.evaluated) for part in trace.root.children] == [
        (None, True),
        (None, True),
        ("x", True),
    ]


def test_parentheses_belong_to_the_text_of_a_node(traced: Traced) -> None:
    """What a reader sees between parentheses is what the node shows."""
    trace = traced('([a]) & ("b" & "c")', {"a": "x"})
    assert [part.text for part in trace.root.children] == ["([a])", '("b" & "c")']


def test_an_error_leaves_the_values_before_it(traced: Traced) -> None:
    """The trace of a failure shows everything that was known when it happened."""
    trace = traced('Mid(Trim([cn]), "x", 2)', {"cn": " John"})
    assert trace.value is None
    assert str(trace.error) == 'Mid: start must be a whole number, got "x" (column 17)'
    assert not trace.root.evaluated
    assert _find(trace, "Trim([cn])").value == "John"


@pytest.mark.parametrize(
    "text",
    ['IIF([a] = 1, Left([b], "q"), "no")', 'Switch([a], "no", "1", Left([b], "q"), "2", "z")'],
    ids=["IIF", "Switch"],
)
def test_a_branch_that_failed_was_taken(traced: Traced, text: str) -> None:
    """Where the error arose is followed from the whole to the part; nothing else is said to have failed."""
    trace = traced(text, {"a": "1", "b": "x"})
    failed = [(node.text, node.taken) for node in _nodes(trace.root) if node.failed]
    assert failed == [(text, None), ('Left([b], "q")', True)]
    assert not _find(trace, '"no"').failed
    assert _find(trace, '"no"').taken is False
    assert _find(trace, "[b]").value == "x"


def test_a_loop_shows_each_turn(traced: Traced) -> None:
    """The body of Select appears once for each value, with the variable of that turn."""
    trace = traced('Select($i, [m], IIF($i = 1, "one", $i & "!"))', {"m": [1, 2]}, "connect")
    assert trace.value == ["one", "2!"]
    bodies = trace.root.children[2:]
    assert [body.value for body in bodies] == ["one", "2!"]
    assert [[part.taken for part in body.children] for body in bodies] == [
        [None, True, False],
        [None, False, True],
    ]
    assert [next(n for n in _nodes(body) if n.text == "$i").value for body in bodies] == [1, 2]


def test_a_long_loop_shows_its_first_turns(traced: Traced) -> None:
    """A trace of thousands of values stays readable, and small."""
    trace = traced("Select($i, [m], $i & 1)", {"m": ["x"] * 500}, "connect")
    assert len(trace.value) == 500
    assert len(trace.root.children) == 2 + 20


def test_a_nested_loop_keeps_the_turns_of_the_inner_one(traced: Traced) -> None:
    """Variables of both loops can be read in the tree."""
    trace = traced("Select($a, [m], Count(Select($b, [m], $a & $b)))", {"m": ["x", "y"]}, "connect")
    assert trace.value == [2, 2]
    shown = [node.value for node in _nodes(trace.root) if node.text == "$a & $b"]
    assert set(shown) >= {"xx", "xy"}


def test_a_dropped_attribute_is_seen_where_it_was_dropped(traced: Traced) -> None:
    """IgnoreThisFlow shows up in the tree, up to the root."""
    trace = traced("IIF(True, IgnoreThisFlow, 1)")
    assert trace.value is IGNORE
    assert trace.root.value is IGNORE
    assert [part.taken for part in trace.root.children] == [None, True, False]


def test_redacted_values_do_not_show(traced: Traced) -> None:
    """Neither inside Redact nor in anything made of it; what has nothing to do with it shows."""
    trace = traced("Append(Redact(Trim([pin])), [cn])", {"pin": " 0000", "cn": "John"})
    assert trace.value == "0000John"  # the value itself is for the target
    values = {node.text: node.value for node in _nodes(trace.root)}
    assert values == {
        "Append(Redact(Trim([pin])), [cn])": "[Redact]",
        "Redact(Trim([pin]))": "[Redact]",
        "Trim([pin])": "[Redact]",
        "[pin]": "[Redact]",
        "[cn]": "John",
    }


def test_a_variable_does_not_carry_a_redacted_value_out(traced: Traced) -> None:
    """A variable bound to a redacted value is as hidden as the value."""
    trace = traced("With($p, Redact([pin]), $p & Left($p, 2))", {"pin": "4711"}, "connect")
    assert all("47" not in str(node.value) for node in _nodes(trace.root))


def test_a_trace_does_not_change_with_its_source(context: Context) -> None:
    """What was noted stays, although the tree is made later."""
    source: dict[str, Value] = {"a": "before"}
    trace = compile_expression("Trim([a])").trace(source, context)
    source["a"] = "after"
    assert trace.root.children[0].value == "before"


def test_parameters_and_words_are_nodes(traced: Traced) -> None:
    """A tree shows what a parameter stood for."""
    trace = traced("[a] & %Domain.FQDN% & CRLF", {"a": "x@"})
    assert [(part.kind, part.value) for part in trace.root.children] == [
        ("attribute", "x@"),
        ("parameter", "contoso.test"),
        ("word", "\r\n"),
    ]


def test_large_values_are_traced_as_well(traced: Traced) -> None:
    """A trace always has a meter, so that nothing is evaluated twice."""
    assert traced("Trim([a])", {"a": " " + "x" * 10_000}).value == "x" * 10_000


def test_each_turn_of_a_loop_has_its_own_turns_inside() -> None:
    """A loop in a loop shows, under each turn of the outer one, the turns that belong to it."""
    text = 'Select($i, Split([a], ","), Select($j, Split([b], ","), $i & $j))'
    trace = compile_expression(text, Dialect.CONNECT).trace({"a": "1,2", "b": "x,y"}, Context())
    outer = trace.root.children[2:]
    assert [turn.value for turn in outer] == [["1x", "1y"], ["2x", "2y"]]
    assert [[inner.value for inner in turn.children[2:]] for turn in outer] == [["1x", "1y"], ["2x", "2y"]]


def test_a_trace_of_loops_in_loops_stays_small() -> None:
    """Turns multiply; those shown do not, and every loop that ran shows one at least."""
    text = "[m]"
    for level in range(4):
        text = f"Select($i{level}, [m], {text})"
    root = compile_expression(text, Dialect.CONNECT).trace({"m": ["x"] * 5}, Context()).root

    def size(node: TraceNode) -> int:
        return 1 + sum(map(size, node.children))

    assert 100 < size(root) < 1000  # of 1,093
    node = root
    for _ in range(4):
        assert node.evaluated
        node = node.children[2]
    assert node.value == ["x"] * 5
