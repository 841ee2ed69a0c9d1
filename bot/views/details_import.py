"""Import: what the directory object looks like, attribute by attribute."""

from __future__ import annotations

from functools import partial
from typing import Final

from bot.views import text
from bot.views.attribute_groups import ORDER, group_of
from bot.views.blocks import context, fields, mrkdwn, plain
from bot.views.limits import Block
from bot.views.sheet import SHOW_ALL, Row, Sheet, Whole, open_whole
from pipeline.model import ImportedAttribute, ImportEvidence, Run, StageName

_VALUES: Final = 480  # characters of all values of an attribute together
_VALUE: Final = 240  # and of one of them


def sheet(run: Run) -> Sheet:
    """Return the attributes that were read: group by group, each by name."""
    evidence = _evidence(run)
    if evidence is None:
        return Sheet((), (), "Nothing has been read.")
    ordered = sorted(evidence.attributes, key=lambda a: (ORDER.index(group_of(a.name)), a.name.casefold()))
    sizes = {group: sum(1 for a in ordered if group_of(a.name) == group) for group in ORDER}
    rows = tuple(
        Row(
            f"{group_of(attribute.name)} ({text.count(sizes[group_of(attribute.name)])})",
            partial(_attribute, run, attribute),
            partial(_told, attribute),
        )
        for attribute in ordered
    )
    empty = "The object has no attributes that the bot may see."
    return Sheet(_intro(run, evidence), rows, empty, search="Search names and values")


def whole(run: Run, attribute: str) -> list[Whole]:
    """Return every value of an attribute whole, raw and decoded."""
    evidence = _evidence(run)
    found = next((a for a in evidence.attributes if a.name == attribute), None) if evidence else None
    if found is None or found.private:
        return []
    values = [Whole(_nth("Value", i, found.values), value) for i, value in enumerate(found.values)]
    decoded = [Whole(_nth("Decoded", i, found.decoded), value) for i, value in enumerate(found.decoded)]
    return values + decoded


def _nth(word: str, index: int, among: tuple[str, ...]) -> str:
    return word if len(among) == 1 else f"{word} {text.count(index + 1)} of {text.count(len(among))}"


def _evidence(run: Run) -> ImportEvidence | None:
    evidence = run.stage(StageName.IMPORT).evidence
    return evidence if isinstance(evidence, ImportEvidence) else None


def _intro(run: Run, evidence: ImportEvidence) -> tuple[Block, ...]:
    said = run.stage(StageName.IMPORT).summary  # mostly "53 attributes from dc1.contoso.test"
    known = [text.counted(len(evidence.attributes), "attribute"), f"from {evidence.controller}"]
    facts = [text.phrase(fact, 120) for fact in known if fact not in said]
    facts.append(f"read {text.moment(evidence.read_at)}")
    if evidence.object_class:
        facts.append(text.phrase(" › ".join(evidence.object_class), 160))
    if evidence.when_changed:
        facts.append(f"changed {text.phrase(evidence.when_changed, 60)}")
    if evidence.usn_changed:
        facts.append(f"USN {text.phrase(evidence.usn_changed, 40)}")
    if evidence.hidden:
        facts.append(f"{text.counted(evidence.hidden, 'attribute')} never read")
    notes = [mrkdwn(text.sentence(note, 300)) for note in evidence.notes[:8]]
    return (context(mrkdwn(" · ".join(facts))), *([context(*notes)] if notes else []))


def _attribute(run: Run, attribute: ImportedAttribute) -> list[Block]:
    """Draw an attribute: its name beside its value, or under its name the raw value beside the decoded."""
    kind = "" if attribute.syntax == "text" else text.phrase(attribute.syntax, 40)
    bold = text.bold(attribute.name, 60)
    name = mrkdwn(f"{bold}\n{kind}" if kind else bold)
    if attribute.private:
        total = f" ({text.counted(attribute.total, 'value')})" if attribute.total > 1 else ""
        return [fields(name, plain(text.PRESENT_HIDDEN + total, 60))]
    raw, cut = _values(attribute.values, attribute.total)
    decoded, decoded_cut = _values(attribute.decoded, len(attribute.decoded))
    twofold = bool(attribute.decoded) and decoded != raw
    cut = cut or (twofold and decoded_cut)
    accessory = open_whole(run, StageName.IMPORT, attribute.name, SHOW_ALL) if cut else None
    if not twofold:
        return [fields(name, plain(raw, 900, lines=True), accessory=accessory)]
    heading = f"{bold}  {kind}" if kind else bold
    columns = (plain(f"Raw\n{raw}", 900, lines=True), plain(f"Decoded\n{decoded}", 900, lines=True))
    return [fields(*columns, heading=heading, accessory=accessory)]


def _told(attribute: ImportedAttribute) -> str:
    if attribute.private:
        return text.visible(f"{attribute.name}: {text.PRESENT_HIDDEN}")
    lines = [text.visible(f"{attribute.name}: {text.edged(value)}") for value in attribute.values]
    lines += [text.visible(f"{attribute.name} (decoded): {value}") for value in attribute.decoded]
    left_out = max(attribute.total, len(attribute.values)) - len(attribute.values)
    if left_out:
        lines.append(text.visible(f"{attribute.name}: … and {text.count(left_out)} more"))
    return "\n".join(lines) or text.visible(f"{attribute.name}: {text.EMPTY}")


def _values(values: tuple[str, ...], total: int) -> tuple[str, bool]:
    """Return as many values as fit, one a line, and whether anything is left out that could be shown."""
    if not values:
        return text.EMPTY, False
    lines: list[str] = []
    room = _VALUES
    for value in values:
        line = text.shorten(text.edged(value), _VALUE)
        price = max(len(line), text.json_cost(line) // 4)
        if lines and price > room:
            break
        room -= price
        lines.append(line)
    left_out = max(total, len(values)) - len(lines)
    cut = len(lines) < len(values) or any(text.is_cut(text.edged(v), _VALUE) for v in values[: len(lines)])
    if left_out:
        lines.append(f"… and {text.count(left_out)} more, {text.count(max(total, len(values)))} in all")
    return "\n".join(lines), cut
