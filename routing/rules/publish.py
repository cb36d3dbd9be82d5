"""The life of a table: drafts, the examples that guard it, publishing, going back, and what would change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from routing import advisory
from routing.models import Rule, RuleSet, RuleSetCase
from routing.need import Need
from routing.rules.channels import undeclared
from routing.rules.compile import Problem, TableRefused, compile_rule_set
from routing.rules.evaluate import Table, table_of
from routing.rules.schema import OUTPUTS, InvalidNeed


class PublishRefused(ValueError):
    """A set was not published; `failures` says why, one sentence each."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__("\n".join(failures))
        self.failures = list(failures)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a set answered one of its examples; no failures means that it passed. `row` counts from 1."""

    name: str
    row: int | None
    failures: tuple[str, ...] = ()


def new_draft(kind: str, *, author: User | None = None, note: str = "") -> RuleSet:
    """An empty draft with the next version number. Takes the kind's advisory lock."""
    with transaction.atomic():
        _lock_kind(kind)
        return RuleSet.objects.create(kind=kind, version=_next_version(kind), author=author, note=note)


def renumber(draft: RuleSet, *, moved: Collection[int] = ()) -> None:
    """Numbers the rows of a draft 1, 2, 3 … in their order, so that messages count as people do.

    A row of `moved` (ids) goes before one that has the same number.
    """
    rows = sorted(draft.rules.all(), key=lambda row: (row.position, row.pk not in moved, row.pk))
    for position, row in enumerate(rows, start=1):
        row.position = position
    Rule.objects.bulk_update(rows, ["position"])


def new_draft_from(rule_set: RuleSet, *, author: User | None = None, note: str = "") -> RuleSet:
    """A draft with the same rows and examples as any version, and a new version number.

    An output that tables of the kind do not have any more is left out. Takes the kind's advisory lock.
    """
    names = {output.name for output in OUTPUTS[rule_set.kind]}
    with transaction.atomic():
        draft = new_draft(rule_set.kind, author=author, note=note)
        Rule.objects.bulk_create(
            Rule(
                rule_set=draft,
                position=position,
                description=rule.description,
                conditions=rule.conditions,
                outputs={name: value for name, value in rule.outputs.items() if name in names},
            )
            for position, rule in enumerate(rule_set.rules.order_by("position", "id"), start=1)
        )
        RuleSetCase.objects.bulk_create(
            RuleSetCase(
                rule_set=draft,
                name=case.name,
                need=case.need,
                expected={name: value for name, value in case.expected.items() if name in names},
            )
            for case in rule_set.cases.all()
        )
    return draft


def as_written(rule_set: RuleSet) -> str:
    """A digest of the rows and examples as they are stored: the same as long as nobody changes any. Two queries."""
    rows = list(rule_set.rules.order_by("position", "pk").values_list("pk", "position", "description", "conditions", "outputs"))
    cases = list(rule_set.cases.order_by("pk").values_list("pk", "name", "need", "expected"))
    return hashlib.sha256(json.dumps([rows, cases], sort_keys=True).encode()).hexdigest()


def publish(rule_set: RuleSet, *, by: User | str, note: str = "", seen: str = "") -> RuleSet:
    """Publishes a draft: compiles it, runs its examples, retires the version before. Returns it as stored.

    `seen` is `as_written` of what whoever publishes has looked at, or empty. One transaction under the kind's advisory lock: of two
    who publish the same draft at once, one wins; who changes its rows meanwhile is waited for, or refused afterwards.
    Raises PublishRefused with every failure: not a draft, changed since it was seen, a cell that cannot be used, no example, one
    that comes out wrong.
    """
    return _publish(rule_set, by=by, note=note, seen=seen)


def _publish(rule_set: RuleSet, *, by: User | str, note: str, seen: str = "", needs_example: bool = True) -> RuleSet:
    with transaction.atomic():
        _lock_kind(rule_set.kind)
        draft = RuleSet.objects.select_for_update().filter(pk=rule_set.pk).first()
        if draft is None:
            raise PublishRefused([_("This draft was deleted meanwhile, so there is nothing to publish.")])
        if draft.status != RuleSet.Status.DRAFT:
            raise PublishRefused([already_published(draft)])
        if seen and seen != as_written(draft):
            sentence = _("The draft was changed since you looked at it. Below is what it would do now; publish again if that is right.")
            raise PublishRefused([sentence])
        if problems := problems_of(draft):
            raise PublishRefused([str(problem) for problem in problems])
        document = compile_rule_set(draft)
        results = run_cases(draft, Table.from_document(draft, document))
        if needs_example and not results:
            raise PublishRefused([_("There is no example. Add at least one to the draft: a need, and what must come out.")])
        if failures := [failure for result in results for failure in result.failures]:
            raise PublishRefused(failures)
        RuleSet.objects.filter(kind=draft.kind, status=RuleSet.Status.PUBLISHED).update(
            status=RuleSet.Status.RETIRED
        )
        draft.version = _version_to_publish(draft)
        draft.status = RuleSet.Status.PUBLISHED
        draft.published_at = timezone.now()
        draft.published_by = by if isinstance(by, str) else by.get_username()
        draft.compiled = document
        draft.note = note or draft.note
        draft.save()
    return draft


def problems_of(draft: RuleSet) -> list[Problem]:
    """All that keeps the rows and examples of a draft from being published, by place, but for examples that come out wrong."""
    try:
        compile_rule_set(draft)
        problems = []
    except TableRefused as error:
        problems = error.problems
    named = undeclared(draft)
    problems += [Problem(each.sentence, each.row, each.fact, each.fact) for each in named if each.row]
    problems += [Problem(str(each)) for each in named if not each.row]
    return sorted(problems, key=lambda problem: problem.row or 0)


def roll_back_to(rule_set: RuleSet, *, by: User | str, note: str = "") -> RuleSet:
    """Publishes a copy of an older version under a new number; it decided before, so it needs no example. Raises PublishRefused."""
    author = None if isinstance(by, str) else by
    with transaction.atomic():
        copy = new_draft_from(
            rule_set, author=author, note=note or _("Back to version %(version)d.") % {"version": rule_set.version}
        )
        return _publish(copy, by=by, note=copy.note, needs_example=False)


def already_published(rule_set: RuleSet) -> str:
    """What somebody is told who would publish what is published already: by whom and when, and what to do."""
    return _("%(set)s is not a draft any more: %(who)s published it at %(when)s. To change it further, make a draft from it.") % {
        "set": rule_set,
        "who": rule_set.published_by,
        "when": formats.time_format(timezone.localtime(rule_set.published_at), "H:i"),
    }


def run_cases(rule_set: RuleSet, table: Table | None = None) -> list[CaseResult]:
    """How the set answers each of its examples. Raises TableRefused when a draft cannot be compiled."""
    asked = table or table_of(rule_set)
    return [_run_case(case, asked) for case in rule_set.cases.all()]


def _run_case(case: RuleSetCase, table: Table) -> CaseResult:
    names = {output.name: output.label for output in OUTPUTS[table.kind]}
    if not case.expected:
        return CaseResult(case.name, None, (_("“%(case)s” expects nothing.") % {"case": case.name},))
    try:
        answer = table.answer(Need.from_json(case.need))
    except (InvalidNeed, ValueError, TypeError) as error:
        return CaseResult(case.name, None, (f"“{case.name}”: {error}",))
    failures = []
    for name, expected in case.expected.items():
        if name not in names:
            failures.append(
                _("“%(case)s” expects “%(name)s”, which is not an output.") % {"case": case.name, "name": name}
            )
        elif _comparable(answer.outputs[name]) != _comparable(expected):
            failures.append(
                _("“%(case)s”: %(output)s should be “%(expected)s” and is “%(found)s” (row %(row)d).")
                % {
                    "case": case.name,
                    "output": names[name],
                    "expected": in_words(expected),
                    "found": in_words(answer.outputs[name]),
                    "row": answer.row,
                }
            )
    return CaseResult(case.name, answer.row, tuple(failures))


def _comparable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return sorted(str(each) for each in value)
    return value or None if isinstance(value, str) else value


def in_words(value: Any) -> str:
    """An output as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value) or _("none")
    return _("none") if value in (None, "") else str(value)


def _lock_kind(kind: str) -> None:
    advisory.lock(f"routing.rule_set:{kind}")


def _next_version(kind: str) -> int:
    return (RuleSet.objects.filter(kind=kind).aggregate(newest=Max("version"))["newest"] or 0) + 1


def _version_to_publish(draft: RuleSet) -> int:
    """A draft keeps its number unless a newer version was published meanwhile: versions count publications upwards."""
    newest = (
        RuleSet.objects.filter(kind=draft.kind)
        .exclude(status=RuleSet.Status.DRAFT)
        .aggregate(newest=Max("version"))["newest"]
    )
    return _next_version(draft.kind) if newest and newest > draft.version else draft.version
