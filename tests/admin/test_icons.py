"""The sprite of drawings: what is named is there, and what is there is named."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from conversations.services.kinds import KINDS
from cxhub.admin_site import SECTIONS

ROOT = Path(settings.BASE_DIR)
DRAWN = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons/sprite.svg").read_text()))
FOLDERS = {"templates": "*.html", "static": "*.js", "conversations": "*.py", "reporting": "*.py", "cxhub": "*.py"}
SOURCES = [path.read_text() for folder, names in FOLDERS.items() for path in (ROOT / folder).rglob(names)]


def test_every_drawing_that_is_named_is_there():
    in_templates = {name for source in SOURCES for name in re.findall(r'icon\.html" with name="([^"]+)"', source)}
    named = in_templates | {kind.icon for kind in KINDS.values()} | {icon for _title, icon, _models in SECTIONS.values()}
    assert sorted(named - DRAWN) == []


def test_every_drawing_that_is_there_is_named():
    text = "\n".join(SOURCES)
    assert [name for name in sorted(DRAWN) if not re.search(rf"[\"'#]{re.escape(name)}[\"'#]|#{re.escape(name)}\b", text)] == []
