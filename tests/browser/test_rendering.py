"""The page's own reading of Slack's formats, module by module, in the browser that it is for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from sandbox.workspace import WorkspaceServer

_DRAW = """async ([module, make, ...given]) => {
  const names = {user: (id) => ({U1: "Ada"})[id], channel: (id) => ({C1: "identity"})[id]};
  const made = (await import(`/page/${module}.js`))[make](...given, names);
  const box = document.createElement("div");
  box.append(...[made].flat());
  return box.innerHTML;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def modules(chromium: Browser) -> AsyncIterator[Page]:
    """Give a page from which the modules can be imported."""
    async with WorkspaceServer() as workspace:
        context = await chromium.new_context(locale="en-GB", timezone_id="Europe/London")
        page = await context.new_page()
        await page.goto(workspace.url)
        yield page
        await context.close()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        pytest.param("*b* _i_ ~s~ `c`", "<strong>b</strong> <em>i</em> <s>s</s> <code>c</code>", id="marks"),
        pytest.param("*a _b_ c*", "<strong>a <em>b</em> c</strong>", id="nested"),
        pytest.param("a*b*c 2*3*4", "a*b*c 2*3*4", id="inside-words"),
        pytest.param("a*b* x_y_ 1~2~", "a*b* x_y_ 1~2~", id="not-from-inside-a-word"),
        pytest.param("* a* *b *", "* a* *b *", id="nothing-solid-between"),
        pytest.param("sn_amAccount_name", "sn_amAccount_name", id="underscores-of-names"),
        pytest.param("*a\nb*", "*a\nb*", id="not-over-lines"),
        pytest.param("`*b* <@U1>`", "<code>*b* &lt;@U1&gt;</code>", id="code-is-literal"),
        pytest.param("*a `b*` c*", "<strong>a <code>b*</code> c</strong>", id="mark-inside-code"),
        pytest.param("&lt;b&gt; &amp;amp; &quot;", "&lt;b&gt; &amp;amp; &amp;quot;", id="three-entities"),
        pytest.param("<b>x</b>", "<span>b</span>x<span>/b</span>", id="markup-is-a-token-without-meaning"),
        pytest.param(
            "<@U1> <#C1>",
            '<span class="mention">@Ada</span> <span class="mention">#identity</span>',
            id="mentions",
        ),
        pytest.param("<@U9|zoe>", '<span class="mention">@zoe</span>', id="unknown-person"),
        pytest.param("<!channel>", '<span class="mention">@channel</span>', id="broadcast"),
        pytest.param(
            "<https://a.test/?x=1&amp;y|see *it*>",
            '<a href="https://a.test/?x=1&amp;y" rel="noreferrer" target="_blank">see *it*</a>',
            id="link",
        ),
        pytest.param("<javascript:alert(1)|x>", "<span>x</span>", id="script-address"),
        pytest.param(
            "<!date^0^{date_short_pretty} {time}|then>",
            '<time datetime="1970-01-01T00:00:00.000Z" title="then">1 Jan 1970 01:00</time>',
            id="date",
        ),
        pytest.param("<!date^0^{moon}|then>", "<span>then</span>", id="date-fallback"),
        pytest.param(
            ":white_check_mark: :nothing: 10:00:00",
            '<span class="emoji" role="img" aria-label="white check mark">✅</span> :nothing: 10:00:00',
            id="emoji",
        ),
        pytest.param("a\n&gt; b\n&gt;c\nd", "a<blockquote>b\nc</blockquote>d", id="quote"),
        pytest.param("```\n*a* &lt;```", "<pre>*a* &lt;</pre>", id="fence"),
        pytest.param("a < b > c <", "a <span> b </span> c &lt;", id="stray-brackets"),
    ],
)
async def test_mrkdwn(modules: Page, text: str, drawn: str) -> None:
    """Mrkdwn reads as in Slack, and what has no meaning in it is text."""
    assert await modules.evaluate(_DRAW, ["mrkdwn", "mrkdwn", text]) == drawn


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        pytest.param(
            {"type": "plain_text", "text": "*a* <@U1> &amp;"}, "*a* &lt;@U1&gt; &amp;amp;", id="plain"
        ),
        pytest.param({"type": "plain_text", "text": ":x: b", "emoji": False}, ":x: b", id="codes-stay"),
        pytest.param({"type": "plain_text", "text": "a,b, c", "emoji": False}, "a,<wbr>b, c", id="may-break"),
        pytest.param(
            {"type": "plain_text", "text": ":x:", "emoji": True},
            '<span class="emoji" role="img" aria-label="x">❌</span>',
            id="codes-drawn",
        ),
        pytest.param({"type": "mrkdwn", "text": "*a*"}, "<strong>a</strong>", id="formatted"),
    ],
)
async def test_text_objects(modules: Page, text: dict[str, Any], drawn: str) -> None:
    """In plain text nothing is interpreted, and emoji codes only where that is asked for."""
    assert await modules.evaluate(_DRAW, ["text", "textNodes", text]) == drawn


def _rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


@pytest.mark.parametrize(
    ("block", "drawn"),
    [
        pytest.param(
            _rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "<b> *x*\n y"}]}),
            '<pre tabindex="0">&lt;b&gt; *x*\n y</pre>',
            id="preformatted",
        ),
        pytest.param(
            _rich(
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": "a,b", "style": {"code": True}}],
                }
            ),
            '<p class="text"><code>a,<wbr>b</code></p>',
            id="code-breaks-after-commas",
        ),
        pytest.param(
            _rich(
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": "x", "style": {"bold": True, "italic": True}}],
                }
            ),
            '<p class="text"><strong><em>x</em></strong></p>',
            id="styles",
        ),
        pytest.param(
            _rich(
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "offset": 2,
                    "elements": [
                        {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]}
                    ],
                }
            ),
            '<ol class="list indent-0" start="3"><li><span class="mention">@Ada</span></li></ol>',
            id="list",
        ),
    ],
)
async def test_rich_text(modules: Page, block: dict[str, Any], drawn: str) -> None:
    """Rich text is drawn as it is, with nothing interpreted in its texts."""
    assert (
        await modules.evaluate(_DRAW, ["richtext", "richText", block])
        == f'<div class="block rich-text">{drawn}</div>'
    )


async def test_markup_is_refused_by_the_browser(modules: Page) -> None:
    """The page's policy lets no script turn text into markup: a slip would be an error, not a hole."""
    outcome = await modules.evaluate(
        "() => { try { document.createElement('p').innerHTML = '<b>x</b>' } catch (e) { return e.name } }"
    )
    assert outcome == "TypeError"
