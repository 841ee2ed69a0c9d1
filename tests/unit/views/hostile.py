"""Strings that try to ping, link, format, hide or break, for every place that a value can come into."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, cast

T = TypeVar("T")

ATTACKS = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!channel|channel>",
    "<@U0ADAM>",
    "<@W0ADAM|adam>",
    "<#C0GENERAL>",
    "<#C0GENERAL|general>",
    "<!subteam^S0ADMINS>",
    "<!subteam^S0ADMINS|@admins>",
    "<!date^1392734382^{date} at {time}|a date>",
    "<http://evil.test>",
    "<http://evil.test|https://login.microsoftonline.com>",
    "<mailto:ceo@contoso.test|the boss>",
    "<slack://open>",
    "http://evil.test/path?a=b&c=d",
    "https://evil.test",
    "www.evil.test",
    "javascript://alert(1)",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "&#60;!channel&#62;",
    "&#x3c;!here&#x3e;",
    "@channel @here @everyone",
    "#general",
    "*bold*",
    "_italic_",
    "__double__",
    "~struck~",
    "`code`",
    "```fence```",
    "```\nfence\n```",
    "> quote",
    ">>> long quote",
    "&gt; quote",
    "- item",
    "1. item",
    "[text](http://evil.test)",
    "![image](http://evil.test/a.png)",
    "# heading",
    ":x: Failed",
    ":white_check_mark: Passed",
    ":fast_forward:",
    ":skin-tone-2::+1:",
    "a:b:c",
    "a\nb",
    "a\r\nb",
    "a\x0bb\x0cc\x85d\u2028e\u2029f",
    "\u202egnp.exe",
    "\u2066isolated\u2069\u2067x\u2069",
    "<\u200b!channel>",
    "\u200bzero\u200cwidth\u200djoined\ufeff",
    "nul\x00byte",
    "\x1b[31mred\x1b[0m",
    "\ud800lone",
    "\U000e0041\U000e0042tags",
    "👩‍👩‍👧‍👦 family",
    "Z\u0351\u0357\u0310algo",
    "\u3164\u115f\u2800",
    "{name} {why} {0} %s ${HOME}",
    '"},{"type":"section"',
    "\\u003c!channel\\u003e",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "xoxb-1234567890-abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
    "-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----",
    "CN=a\\,b,OU=<!here>,DC=x",
)
PLACES = ("{}", "Ada {} Lovelace", "{0}{0}", "x*{}*", "`{}", "\n{}")

_OURS = frozenset({"run_id", "actor", "stage"})  # what the bot itself makes, and a literal of the model


def soaked(thing: T, value: str) -> T:
    """Return the data with every text in it replaced by the value."""
    return cast("T", _soak(thing, value))


def _soak(thing: Any, value: str) -> Any:
    if isinstance(thing, Enum) or thing is None:
        return thing
    if isinstance(thing, str):
        return value
    if isinstance(thing, tuple):
        return tuple(_soak(item, value) for item in thing)
    if isinstance(thing, dict):
        return {value: value} if thing else {}
    if is_dataclass(thing) and not isinstance(thing, type):
        kept = {
            f.name: getattr(thing, f.name) if f.name in _OURS else _soak(getattr(thing, f.name), value)
            for f in fields(thing)
        }
        return type(thing)(**kept)
    return thing
