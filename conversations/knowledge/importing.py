"""Articles from files: what an import would change, and doing it. What is not in the files stays as it is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conversations.knowledge.belonging import problem_of_address, problem_of_language
from conversations.knowledge.documents import Document
from conversations.knowledge.ingest import changed_passages, passages
from conversations.knowledge.publishing import publish
from conversations.models import KnowledgeArticle, KnowledgeVersion
from conversations.models.knowledge import CONTENT, Audience
from conversations.services import articles
from conversations.services.articles import PLACE, Content
from routing.models import ReasonCode

LONGEST_TITLE: Final = 200
LONGEST_URL: Final = 300
LONGEST_LANGUAGE: Final = 10
ADDRESS: Final = "/help/{slug}"


class PlanChanged(RuntimeError):
    """The articles changed between looking at what an import would do and doing it."""


class Effect(Enum):
    """What an import does with a file."""

    ADD = "add"
    CHANGE = "change"
    LEAVE = "leave"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for new articles whose file does not say it."""

    language: str = "en"
    audience: str = Audience.PUBLIC


@dataclass(frozen=True, slots=True)
class PlannedArticle:
    """One file: what it would do to which article, what would become different, and how many of its passages are made anew.

    `replaces` is the number of the article's newest version by then. `problem` says why it is refused.
    """

    path: str
    slug: str
    title: str
    effect: Effect
    changes: tuple[str, ...] = ()
    passages: int = 0
    made: int = 0
    replaces: int = 0
    problem: str = ""
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def holds_for(self) -> list[str]:
        """Whom the article is for, in which language, and when; empty for one that is refused."""
        said = dict(self.values)
        if not said:
            return []
        told = [str(Audience(said["audience"]).label), str(said["language"])]
        if said["valid_from"]:
            told.append(_("from %(date)s") % {"date": date_format(said["valid_from"])})
        if said["valid_until"]:
            told.append(_("until %(date)s") % {"date": date_format(said["valid_until"])})
        return told


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do, file by file."""

    rows: tuple[PlannedArticle, ...]

    def count(self, effect: Effect) -> int:
        """The number of files with that effect."""
        return Counter(row.effect for row in self.rows)[effect]

    @property
    def added(self) -> int:
        """New articles."""
        return self.count(Effect.ADD)

    @property
    def changed(self) -> int:
        """Articles that get a new version, or another place."""
        return self.count(Effect.CHANGE)

    @property
    def left(self) -> int:
        """Articles that are the same already."""
        return self.count(Effect.LEAVE)

    @property
    def refused(self) -> int:
        """Files that cannot be used."""
        return self.count(Effect.REFUSE)

    @property
    def for_staff_alone(self) -> bool:
        """Whether nothing of it is for customers."""
        coming = [row for row in self.rows if row.effect in (Effect.ADD, Effect.CHANGE)]
        return bool(coming) and all(dict(row.values)["audience"] == Audience.STAFF for row in coming)

    @property
    def fingerprint(self) -> str:
        """The same for two plans that would do the same."""
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()


def plan_import(documents: Iterable[Document], options: Options) -> ImportPlan:
    """What importing the documents would do; writes and embeds nothing."""
    reasons = {reason.code: reason for reason in ReasonCode.objects.all()}
    taken: set[str] = set()
    rows = []
    for document in documents:
        row = _planned(document, options, reasons)
        if row.effect is not Effect.REFUSE and row.slug in taken:
            row = _refused(document, _("Another file before it has the same slug, %(slug)s.") % {"slug": row.slug})
        taken.add(row.slug)
        rows.append(row)
    return ImportPlan(tuple(rows))


def apply_import(documents: Iterable[Document], options: Options, *, by: str, drafts: bool, fingerprint: str = "") -> ImportPlan:
    """Imports article by article, each in its own transaction; with `drafts` they wait to be published. Returns what was done.

    Raises PlanChanged, with nothing done, when `fingerprint` is that of another plan.
    """
    plan = plan_import(documents, options)
    if fingerprint and plan.fingerprint != fingerprint:
        raise PlanChanged
    for row in plan.rows:
        if row.effect in (Effect.ADD, Effect.CHANGE):
            _take_in(row, by, drafts=drafts)
    return plan


def _take_in(row: PlannedArticle, by: str, *, drafts: bool) -> None:
    values = dict(row.values)
    article = KnowledgeArticle.objects.filter(slug=row.slug).first() or KnowledgeArticle(slug=row.slug)
    for name in PLACE:
        setattr(article, name, values[name])
    draft = articles.write(article, Content(**{name: values[name] for name in CONTENT}), by=by)
    if draft and not drafts:
        publish(article)


def _planned(document: Document, options: Options, reasons: dict[str, ReasonCode]) -> PlannedArticle:
    problem = document.problem or _problem(document, reasons)
    if problem:
        return _refused(document, problem)
    article = KnowledgeArticle.objects.filter(slug=document.slug).first()
    if article is not None and not article.published and article.versions.exclude(status=KnowledgeVersion.Status.DRAFT).exists():
        return _refused(document, _("This article was withdrawn. Publish it again first, or leave the file out."))
    values = _values(document, options, reasons, article)
    content = Content(**{name: values[name] for name in CONTENT})
    version = KnowledgeVersion(**{each.name: getattr(content, each.name) for each in fields(content)})
    row = PlannedArticle(
        document.path, document.slug, content.title, Effect.ADD, passages=len(passages(content.body)), values=tuple(values.items())
    )
    if article is None:
        return replace(row, made=row.passages)
    if article.published and article.versions.filter(status=KnowledgeVersion.Status.DRAFT).exists():
        return _refused(document, _("Somebody is writing a draft of this article. Publish or drop it first."))
    now = {name: getattr(article, name) for name in (*PLACE, *CONTENT)}
    changes = tuple(name for name in (*CONTENT, *PLACE) if now[name] != values[name])
    effect = Effect.CHANGE if changes or not article.published else Effect.LEAVE
    newest = max((each.number for each in article.versions.all()), default=0)
    return replace(row, effect=effect, changes=changes, made=changed_passages(article, version), replaces=newest)


def _values(
    document: Document, options: Options, reasons: dict[str, ReasonCode], article: KnowledgeArticle | None
) -> dict[str, Any]:
    """What the article would be: what the file says, else what it is, else what the options say."""
    found: dict[str, Any] = {
        "slug": document.slug, "url": ADDRESS.format(slug=document.slug), "reason": None, "language": options.language, "review_by": None,
        "asked_as": "", "audience": options.audience, "valid_from": None, "valid_until": None,
    }  # fmt: skip
    if article is not None:
        found = {name: getattr(article, name) for name in found}
    said = dict(document.fields)
    if "reason" in said:
        said["reason"] = reasons.get(str(said["reason"]))
    return found | {"title": document.title, "body": document.body} | said


def _problem(document: Document, reasons: dict[str, ReasonCode]) -> str:
    said = document.fields
    if not document.title:
        return _("It has no title: give it a first heading, or a field “title” in its head.")
    if len(document.title) > LONGEST_TITLE:
        return _("Its title is longer than %(most)d characters.") % {"most": LONGEST_TITLE}
    if not document.body:
        return _("There is nothing to read in it.")
    if said.get("audience", Audience.PUBLIC) not in Audience.values:
        return _("Its audience is none of %(known)s.") % {"known": ", ".join(Audience.values)}
    if said.get("reason") and str(said["reason"]) not in reasons:
        return _("There is no reason with the code %(code)s.") % {"code": said["reason"]}
    if said.get("valid_from") and said.get("valid_until") and said["valid_until"] < said["valid_from"]:
        return _("It is valid until a day before it is valid from.")
    if not all(isinstance(said.get(name, ""), str) for name in ("url", "language", "asked_as")):
        return _("url, language and asked_as have to be texts.")
    if len(said.get("url", "")) > LONGEST_URL or len(said.get("language", "")) > LONGEST_LANGUAGE:
        return _("Its address or its language is too long.")
    of_address = problem_of_address(said["url"]) if said.get("url") else ""
    return of_address or (problem_of_language(said["language"]) if said.get("language") else "")


def _refused(document: Document, problem: str) -> PlannedArticle:
    return PlannedArticle(document.path, document.slug, document.title, Effect.REFUSE, problem=problem)
