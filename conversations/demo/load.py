"""Puts the demo company, Harbor Home Services, into the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal

import yaml
from django.db import transaction
from django.utils import timezone

from conversations.chat import demo_site
from conversations.demo import policy, source
from conversations.demo.source import Content
from conversations.knowledge.ingest import embedded_sentences, embedded_texts, ingest
from conversations.models import (
    Audience,
    Campaign,
    EntryPoint,
    HostSiteKey,
    Invoice,
    KnowledgeArticle,
    Playbook,
    PlaybookForm,
    PlaybookFormField,
    PriceListItem,
    SalesAccount,
    SalesOrder,
    SavedReply,
    Suppression,
    Technician,
    TechnicianShift,
)
from conversations.models.calling_rules import CallPurpose
from conversations.services import articles, calling_rules, host_sites, playbooks, suppression
from conversations.understanding import reasons
from conversations.understanding.classify import small_talk, tone_examples
from conversations.understanding.languages import in_english
from conversations.understanding.normalise import meaning
from routing import advisory
from routing.models import ReasonCode, ServiceHours, Territory

LOCK = "conversations.demo"
WEEKDAYS = (0, 1, 2, 3, 4)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way to sign in to the demo; `note` is what a visitor should know about it."""

    role: str
    username: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: whether people were created (and so have the demo's password), and articles made searchable."""

    new_people: int
    ingested: int


def load() -> Loaded:
    """Creates what is missing of the demo company and changes nothing that is there; run it as often as you like.

    One transaction under an advisory lock, so that two at once do not meet. Then makes the articles searchable that are not,
    and trains the classifier, so that the first customer does not wait for it: a few seconds the first time.
    """
    with transaction.atomic():
        advisory.lock(LOCK)
        company = source.company()
        policy.add_policy(company)
        policy.add_reasons(source.reasons())
        new_people = policy.add_people(company)
        policy.publish_rule_sets(source.rule_sets())
        calling_rules.lay_down()
        _add_schedule(company)
        _add_accounts(company)
        _add_articles()
        _add_saved_replies()
        _add_playbook(source.playbook())
        _add_doors(company)
        _add_campaign(company)
        _add_do_not_contact(company)
        _add_site_key()
    waiting = list(KnowledgeArticle.objects.filter(published=True, passages__isnull=True))
    for article in waiting:
        ingest(article)
    reasons.current()
    reasons.tone_reader()
    return Loaded(len(new_people), len(waiting))


def sign_ins() -> list[SignIn]:
    """The manager first, then the agents."""
    company = source.company()
    manager = company["manager"]
    found = [SignIn("manager", manager["username"], f"{manager['first_name']} {manager['last_name']}", "admin, reports")]
    for agent in company["agents"]:
        found.append(
            SignIn("agent", agent["username"], f"{agent['first_name']} {agent['last_name']}", f"inbox, {agent['profile'].lower()}")
        )
    return found


def texts_to_ship() -> Iterator[str]:
    """Every text of the product whose embedding a fresh start needs: reasons' names and phrases, small talk, scored sentences, articles."""
    for row in source.reasons():
        yield from (meaning(in_english(phrase)) for phrase in [row["name"], *row["phrases"]])
    yield from map(meaning, small_talk())
    for group in yaml.safe_load(tone_examples()):
        yield from map(meaning, group["texts"])
    for article in source.articles():
        yield from embedded_texts(article.title, article.body)
        yield from embedded_sentences(article.body)
        yield from map(meaning, article.asked_as)


def _add_schedule(company: Content) -> None:
    for row in company["prices"]:
        values = {"name": row["name"], "description": row["description"], "price": Decimal(row["price"]), "unit": row["unit"]}
        PriceListItem.objects.get_or_create(code=row["code"], defaults=values)
    office = ServiceHours.objects.get(code="office")
    for row in company["technicians"]:
        values = {"time_zone": company["time_zone"], "hours": office}
        technician, created = Technician.objects.get_or_create(name=row["name"], defaults=values)
        if not created:
            continue
        technician.territories.set(Territory.objects.filter(code__in=row["territories"]))
        shifts = [(day, time(8), time(18)) for day in row.get("days", WEEKDAYS)]
        shifts += [(SATURDAY, time(8), time(12))] if row["saturday"] else []
        TechnicianShift.objects.bulk_create(
            TechnicianShift(technician=technician, weekday=day, starts=starts, ends=ends) for day, starts, ends in shifts
        )


def _add_accounts(company: Content) -> None:
    today = timezone.localdate()

    def day(offset: int) -> date:
        return today + timedelta(days=offset)

    for row in company["accounts"]:
        values = {"name": row["name"], "email": row["email"], "phone": row["phone"]}
        account, created = SalesAccount.objects.get_or_create(number=row["number"], defaults=values)
        if not created:
            continue
        SalesOrder.objects.bulk_create(
            SalesOrder(
                account=account, reference=each["reference"], what=each["what"], ordered_on=day(each["ordered"]),
                expected_on=day(each["expected"]), state=each["state"], total=Decimal(each["total"]),
            )
            for each in row["orders"]
        )  # fmt: skip
        Invoice.objects.bulk_create(
            Invoice(
                account=account, reference=each["reference"], what=each["what"], issued_on=day(each["issued"]),
                due_on=day(each["due"]), total=Decimal(each["total"]), left_to_pay=Decimal(each["left"]),
            )
            for each in row["invoices"]
        )  # fmt: skip


def _add_articles() -> None:
    codes, new = {reason.code: reason for reason in ReasonCode.objects.all()}, list[KnowledgeArticle]()
    for article in source.articles():
        values = {
            "title": article.title,
            "url": article.url,
            "body": article.body,
            "language": article.language,
            "reason": codes.get(article.reason),
        }
        values["asked_as"] = "\n".join(article.asked_as)
        made, is_new = KnowledgeArticle.objects.get_or_create(slug=article.slug, defaults=values)
        new += [made] if is_new else []
    articles.number_first_versions(new, by=source.company()["name"])


def _add_saved_replies() -> None:
    for row in source.saved_replies():
        values = {"title": row["title"], "body": row["body"].strip(), "language": row.get("language", "")}
        SavedReply.objects.get_or_create(shortcut=row["shortcut"], defaults=values)


def _add_playbook(row: Content) -> None:
    if Playbook.objects.filter(code=row["code"]).exists():
        return
    playbook = Playbook.objects.create(**{name: row[name] for name in playbooks.COPIED})
    for form_row in row["forms"]:
        form = PlaybookForm.objects.create(
            playbook=playbook, code=form_row["code"], name=form_row["name"], tool=form_row["tool"], closing=form_row["closing"]
        )
        form.reasons.set(ReasonCode.objects.filter(code__in=form_row["reasons"]))
        PlaybookFormField.objects.bulk_create(
            PlaybookFormField(
                form=form,
                order=order,
                fact=field["fact"],
                prompt=field["prompt"],
                spoken_prompt=field.get("spoken", ""),
                required=field.get("required", True),
            )
            for order, field in enumerate(form_row["fields"], start=1)
        )
    playbook.status = Playbook.Status.PUBLISHED
    playbook.save(update_fields=["status"])


def _add_campaign(company: Content) -> None:
    """Reminders of tomorrow's visits, as a draft: nobody is called before somebody starts it."""
    door = EntryPoint.objects.filter(channel="voice").order_by("pk").first()
    if door is None:
        return
    filters = {"source": Audience.Source.BOOKINGS, "filters": {"from_hours": 12, "to_hours": 40}}
    tomorrow, _is_new = Audience.objects.get_or_create(name="Visits of tomorrow", defaults=filters)
    values = {"purpose": CallPurpose.REMINDER, "audience": tomorrow, "entry_point": door}
    Campaign.objects.get_or_create(name=f"Reminders of {company['name']}", defaults=values)


def _add_do_not_contact(company: Content) -> None:
    for row in company["do_not_contact"]:
        # What a manager has taken off the list stays off.
        if not Suppression.objects.filter(value=row["value"]).exists():
            suppression.suppress(row["kind"], row["value"], reason=row["reason"], added_by=company["name"])


def _add_doors(company: Content) -> None:
    for row in company["entry_points"]:
        values = {
            "name": row["name"],
            "company_name": company["name"],
            "playbook_code": source.playbook()["code"],
            "hours": ServiceHours.objects.get(code=row["hours"]),
            "default_region": company["country"],
            "time_zone": company["time_zone"],
            "takes_texts": row.get("takes_texts", False),
        }
        EntryPoint.objects.get_or_create(channel=row["channel"], address=row["address"], defaults=values)


def _add_site_key() -> None:
    """The key with which the demo company's site signs for its customers; one that was taken back stays so."""
    door = EntryPoint.objects.get(channel="chat", address=demo_site.ADDRESS)
    if not HostSiteKey.objects.filter(entry_point=door, kid=demo_site.KEY_ID).exists():
        host_sites.make_key(door, system="harborhome", algorithm="HS256", made_by="The demo company", kid=demo_site.KEY_ID)
