"""Draw all tag sequences of a short sentence as paths through a lattice, as SVG.

python docs/site/draw_lattice.py docs/lattice.svg

Best path and probabilities are those that `LinearChainCrf` finds for the scores below.
"""

import itertools
import sys
from pathlib import Path

import torch

from malmoi import LinearChainCrf

TOKENS = ["손", "흥", "민", "은"]
TAGS = ["B-PS", "I-PS", "O"]
# the model is not sure where the name ends
EMISSIONS = [[2.0, 1.0, 0.8], [0.2, 1.6, 0.9], [0.1, 1.3, 1.2], [0.0, 0.6, 1.4]]
TRANSITIONS = [[-1.0, 0.9, 0.2], [-1.0, 0.8, 0.3], [0.2, 0.0, 0.6]]
# `I-PS` begins no sentence and does not stand after `O`
FORBIDDEN_STARTS = [False, True, False]
FORBIDDEN_TRANSITIONS = [[False, False, False], [False, False, False], [False, True, False]]
LEFT, TOP, ACROSS, DOWN, RADIUS = 110, 76, 140, 84, 25
WIDTH, HEIGHT = LEFT + ACROSS * (len(TOKENS) - 1) + 60, TOP + DOWN * (len(TAGS) - 1) + 50


def weigh() -> tuple[list[int], list[list[float]]]:
    """Return the best path, and the probability of every tag at every position."""
    crf = LinearChainCrf(
        len(TAGS),
        forbidden_starts=FORBIDDEN_STARTS,
        forbidden_transitions=FORBIDDEN_TRANSITIONS,
        implementation="torch",
    )
    with torch.no_grad():
        crf.start_transitions.zero_()
        crf.end_transitions.zero_()
        crf.transitions.copy_(torch.tensor(TRANSITIONS))
    emissions, mask = torch.tensor([EMISSIONS]), torch.ones(1, len(TOKENS), dtype=torch.bool)
    return crf.decode(emissions, mask)[0].tolist(), crf.marginals(emissions, mask)[0].tolist()


def place(position: int, tag: int) -> tuple[int, int]:
    """Return the middle of a node."""
    return LEFT + ACROSS * position, TOP + DOWN * tag


def draw() -> str:
    """Return the picture."""
    best, probabilities = weigh()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="15" text-anchor="middle">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff"/>',
    ]
    for position in range(len(TOKENS) - 1):
        for tag, following in itertools.product(range(len(TAGS)), repeat=2):
            if _is_reached(position, tag) and not FORBIDDEN_TRANSITIONS[tag][following]:
                parts.append(_step(position, tag, following, 'stroke="#b0b4c4" stroke-width="1.5"'))
    for position, (tag, following) in enumerate(itertools.pairwise(best)):
        parts.append(_step(position, tag, following, 'stroke="#283593" stroke-width="5"'))
    for position, token in enumerate(TOKENS):
        parts.append(f'<text x="{LEFT + ACROSS * position}" y="32" font-size="20" fill="#222">{token}</text>')
        for tag in range(len(TAGS)):
            parts += _node(position, tag, probabilities[position][tag], on_path=best[position] == tag)
    for tag, name in enumerate(TAGS):
        parts.append(f'<text x="42" y="{TOP + DOWN * tag + 5}" fill="#222">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _is_reached(position: int, tag: int) -> bool:
    return position > 0 or not FORBIDDEN_STARTS[tag]


def _step(position: int, tag: int, following: int, style: str) -> str:
    (x, y), (next_x, next_y) = place(position, tag), place(position + 1, following)
    return f'<line x1="{x}" y1="{y}" x2="{next_x}" y2="{next_y}" {style}/>'


def _node(position: int, tag: int, probability: float, *, on_path: bool) -> list[str]:
    """Return a node: the more probable its tag is, the darker."""
    x, y = place(position, tag)
    if not _is_reached(position, tag):
        return [f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="#fff" stroke="#b0b4c4" stroke-dasharray="4 4"/>']
    shade = 255 - round(probability * 150)
    edge = 'stroke="#283593" stroke-width="3"' if on_path else 'stroke="#7c83a3" stroke-width="1.5"'
    return [
        f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="rgb({shade - 20},{shade - 10},255)" {edge}/>',
        f'<text x="{x}" y="{y + 5}" fill="#111">{probability:.2f}</text>',
    ]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw(), encoding="utf-8")
