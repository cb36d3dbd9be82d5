"""The colours of static/css/tokens.css can be read; contrast as WCAG 2.2 computes it (success criterion 1.4.3)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = Path(settings.BASE_DIR, "static", "css", "tokens.css").read_text()
COLOURS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", TOKENS)
}
SURFACES = ["surface", "surface-raised", "surface-sunken", "surface-hover", "surface-selected"]
MEANINGS = ["ok", "wait", "warn", "danger", "info"]
TEXT_PAIRS = (
    [(text, surface) for text in ("text", "text-muted") for surface in SURFACES]
    + [(f"text-on-{name}", name) for name in COLOURS if f"text-on-{name}" in COLOURS]
    + [
        (f"text-on-{meaning}-soft", surface)
        for meaning in [*MEANINGS, "accent"]
        for surface in ("surface", "surface-raised", "surface-hover")
    ]
    + [("accent", surface) for surface in ("surface", "surface-raised", "surface-hover")]
    + [("text-on-accent", "accent-hover")]
)
EDGE_PAIRS = [("border-strong", "surface"), ("border-strong", "surface-raised"), ("focus", "surface"), ("focus", "surface-raised")]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "background"), TEXT_PAIRS)
def test_text_reaches_four_and_a_half_to_one(text: str, background: str, theme: str) -> None:
    """Every pair the tokens promise is readable in both themes."""
    assert contrast(COLOURS[text][theme], COLOURS[background][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "background"), EDGE_PAIRS)
def test_edges_that_carry_meaning_reach_three_to_one(edge: str, background: str, theme: str) -> None:
    """Fields and the focus ring can be told from what they lie on."""
    assert contrast(COLOURS[edge][theme], COLOURS[background][theme]) >= 3


def test_every_meaning_and_speaker_has_its_text() -> None:
    """No tint is offered without the text that may stand on it."""
    tints = [*MEANINGS, *(f"{meaning}-soft" for meaning in MEANINGS), "customer", "assistant", "agent", "system", "note"]
    assert [name for name in tints if f"text-on-{name}" not in COLOURS] == []
