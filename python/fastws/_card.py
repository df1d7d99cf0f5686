"""What a client looks like in a notebook: a small card, as HTML made from a look at it.

Knows nothing of the client, of IPython and of time. Promises: whatever a server or a user wrote is escaped; nothing but
the text is needed to read it (without styles it is a few lines); it follows the page's theme, and fits 15 em.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

HISTORY = 60  # samples of a sparkline, one a second
_LONGEST = 300  # characters of an error that are shown

_COLOR = {
    "open": "var(--jp-success-color1, #2e9e4f)",
    "connecting": "var(--jp-warn-color1, #d9822b)",
    "backoff": "var(--jp-warn-color1, #d9822b)",
    "closing": "var(--jp-warn-color1, #d9822b)",
}
_BAD = "var(--jp-error-color1, #d13f3f)"
_IN = "var(--jp-brand-color1, #3a86d8)"
_OUT = "var(--jp-success-color1, #2e9e4f)"

# Borders and quiet text are the page's own text colour, thinned: right on any background.
_STYLE = """
.fastws-card{box-sizing:border-box;max-width:46em;margin:2px;padding:.6em .9em;border-radius:6px;line-height:1.4;
position:relative;font-size:var(--jp-ui-font-size1,13px);font-family:var(--jp-ui-font-family,system-ui,sans-serif)}
.fastws-card::before{content:"";position:absolute;inset:0;border:1px solid;border-radius:6px;opacity:.25;pointer-events:none}
.fastws-card>div{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2em .6em;min-width:0}
.fastws-card .fastws-dot{align-self:center;width:.7em;height:.7em;border-radius:50%}
.fastws-card .fastws-url{overflow-wrap:anywhere;font-family:var(--jp-code-font-family,monospace);opacity:.75}
.fastws-card .fastws-facts{gap:.4em 1.6em;margin-top:.5em}
.fastws-card .fastws-facts>div{flex:0 1 auto;white-space:nowrap}
.fastws-card .fastws-facts>div.fastws-flow{flex:1 1 12em}
.fastws-card .fastws-facts b{font-variant-numeric:tabular-nums}
.fastws-card small{font-size:.9em;opacity:.75}
.fastws-card svg{display:block;width:100%;height:28px;margin-top:2px}
.fastws-card .fastws-error{margin-top:.5em;overflow-wrap:anywhere;display:block}
""".replace("\n", "")


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown of a client. Rates are messages a second, newest last; `latency` is in seconds."""

    kind: str
    name: str | None
    url: str
    state: str
    ended: str | None = None  # why it is closed: user, server, fatal, exhausted
    messages_in: int = 0
    messages_out: int = 0
    rates_in: Sequence[float] = ()
    rates_out: Sequence[float] = ()
    reconnects: int = 0
    failures: int = 0
    dropped: int = 0
    latency: float | None = None
    error: str | None = None


def text(look: Look) -> str:
    """The client's repr, for who shows no HTML."""
    name = "" if look.name is None else f" {look.name!r}"
    return f"<{look.kind}{name} {look.url} {look.state}>"


def html(look: Look) -> str:
    """The card."""
    color = _COLOR.get(look.state, "currentColor")
    state = look.state
    if look.state == "closed" and look.ended not in (None, "user"):
        state = f"closed ({look.ended})"
        color = _BAD if look.ended != "server" else color
    title = look.kind if look.name is None else f"{look.kind} {look.name!r}"
    facts = [_fact("reconnects", f"{look.reconnects:,}")]
    if look.failures:
        facts.append(_fact("failed attempts", f"{look.failures:,}"))
    if look.dropped:
        facts.append(_fact("dropped", f"{look.dropped:,}"))
    if look.latency is not None:
        facts.append(_fact("latency", _seconds(look.latency)))
    error = ""
    if look.error:
        text = look.error if len(look.error) <= _LONGEST else look.error[:_LONGEST] + "…"
        error = f'<div class="fastws-error" style="color:{_BAD}">last error: <bdi>{escape(text)}</bdi></div>'
    return (
        f'<div class="fastws-card"><style>{_STYLE}</style>'
        f'<div><span class="fastws-dot" style="background:{color}"></span> <b>{escape(state)}</b> '
        f'<bdi>{escape(title)}</bdi> <bdi class="fastws-url">{escape(look.url)}</bdi></div> '
        f'<div class="fastws-facts">{_flow("in", look.rates_in, look.messages_in, _IN)}'
        f"{_flow('out', look.rates_out, look.messages_out, _OUT)}</div> "
        f'<div class="fastws-facts">{"".join(facts)}</div>{error}</div>'
    )


def _fact(name: str, value: str) -> str:
    return f"<div><small>{name}</small> <b>{value}</b></div> "


def _flow(name: str, rates: Sequence[float], total: int, color: str) -> str:
    rate = _rate(rates[-1] if rates else 0.0)
    label = f"messages {name}, one second each, the last {HISTORY}: now {rate}, at most {_rate(max(rates, default=0.0))}"
    return (
        f'<div class="fastws-flow"><small>{name}</small> <b>{rate}</b> <small>{total:,} in all</small>'
        f"{_sparkline(rates, color, label)}</div> "
    )


def _sparkline(rates: Sequence[float], color: str, label: str) -> str:
    # Newest at the right edge; a line on the floor where nothing was seen.
    shown = [0.0] * (HISTORY - len(rates)) + list(rates)[-HISTORY:]
    top = max(*shown, 1.0)
    points = " ".join(f"{x},{27 - 25 * rate / top:.3g}" for x, rate in enumerate(shown))
    edge = HISTORY - 1
    return (
        f'<svg viewBox="0 0 {edge} 28" preserveAspectRatio="none" role="img" aria-label="{escape(label)}" '
        f'style="color:{color}"><polygon points="0,27 {points} {edge},27" fill="currentColor" opacity=".15"/>'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5" '
        f'vector-effect="non-scaling-stroke"/></svg>'
    )


def _rate(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 9.95 or rate == 0 else f"{rate:.1f}/s"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
