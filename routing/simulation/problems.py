"""What is wrong with a file, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. Line and column are 0 and empty when it concerns the whole file."""

    file: str
    line: int
    column: str
    sentence: str

    def __str__(self) -> str:
        places = [self.file]
        places += [_("line %(line)d") % {"line": self.line}] if self.line else []
        places += [_("column %(column)s") % {"column": self.column}] if self.column else []
        return f"{', '.join(places)}: {self.sentence}"


class UnusableInput(ValueError):
    """Files that cannot be simulated, with everything that was found in them; its text shows the first `MOST_SHOWN`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        shown = [str(problem) for problem in self.problems[:MOST_SHOWN]]
        more = len(self.problems) - len(shown)
        if more:
            shown.append(ngettext("… and %(more)d more.", "… and %(more)d more.", more) % {"more": more})
        super().__init__("\n".join(shown))
