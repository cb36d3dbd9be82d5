"""Say whether everything that CX Hub needs is there and well, and what to do where it is not."""

import sys
import textwrap
from typing import Any

from django.core.management.base import BaseCommand

from cxhub.examination import Finding, Status, examine

SUBJECT_WIDTH = 20
SENTENCE_WIDTH = 90


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for finding in examine():
            self._print(finding)
            broken += finding.status is Status.FAIL
        if broken:
            self.stdout.write(self.style.ERROR(f"\n{broken} broken."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("\nNothing needed is broken."))

    def _print(self, finding: Finding) -> None:
        style = {Status.OK: self.style.SUCCESS, Status.WARN: self.style.WARNING, Status.FAIL: self.style.ERROR}
        first, *others = textwrap.wrap(finding.sentence, SENTENCE_WIDTH)
        self.stdout.write(f"{finding.subject:<{SUBJECT_WIDTH}} {style[finding.status](f'{finding.status.value:<5}')} {first}")
        for line in others:
            self.stdout.write(" " * (SUBJECT_WIDTH + 7) + line)
