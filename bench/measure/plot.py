"""The picture of the page: two groups of bars as SVG, readable on light and on dark ground."""

from dataclasses import dataclass
from html import escape

WIDTH, LABEL, BAR, GAP, HEAD, SPACE = 760, 170, 18, 8, 34, 26
STYLE = """
  text { font: 13px sans-serif; fill: #1f2328 } .head { font-weight: 600 }
  .bar { fill: #8c959f } .ours { fill: #1f6feb } .limit { fill: #d0d7de }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .limit { fill: #484f58 } .ours { fill: #4493f8 } }
"""


@dataclass(frozen=True)
class Bar:
    """One bar: `kind` is the class of its colour."""

    name: str
    value: float
    shown: str
    kind: str = "bar"


def draw(groups: dict[str, list[Bar]]) -> str:
    """Each group has its own scale; its title says which way is better."""
    parts, top = [], 0
    for title, bars in groups.items():
        top += HEAD
        parts.append(f'<text class="head" x="0" y="{top - 12}">{escape(title)}</text>')
        longest = max((bar.value for bar in bars), default=0) or 1
        for bar in bars:
            width = max(1, bar.value / longest * (WIDTH - LABEL - 110))
            middle = top + BAR * 0.75
            parts.append(f'<text x="{LABEL - 8}" y="{middle:.0f}" text-anchor="end">{escape(bar.name)}</text>')
            parts.append(f'<rect class="{bar.kind}" x="{LABEL}" y="{top}" width="{width:.0f}" height="{BAR}" rx="2"/>')
            parts.append(f'<text x="{LABEL + width + 6:.0f}" y="{middle:.0f}">{escape(bar.shown)}</text>')
            top += BAR + GAP
        top += SPACE
    body = "\n  ".join(parts)
    box = f'viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">\n<style>{STYLE}</style>\n  {body}\n</svg>\n'
