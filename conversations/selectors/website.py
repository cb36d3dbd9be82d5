"""What a company's web site shows: its doors, prices, areas and help articles."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from django.db.models import QuerySet

from conversations.models import EntryPoint, KnowledgeArticle, PriceListItem
from conversations.models.entry_point import Channel
from conversations.selectors.articles import FOR_EVERYBODY, readable_now
from routing.models import Territory


@dataclass(frozen=True, slots=True)
class Topic:
    """Help articles of one line of business."""

    name: str
    articles: list[KnowledgeArticle]


def chat_door(address: str) -> EntryPoint:
    """The web chat of a page, unless it is switched off. Raises EntryPoint.DoesNotExist."""
    doors = EntryPoint.objects.select_related("hours").exclude(mode=EntryPoint.Mode.OFF)
    return doors.get(channel="chat", address=address.replace("\x00", ""))


def phone_number(door: EntryPoint) -> str:
    """The number of the same company, in E.164, or an empty text."""
    phone = EntryPoint.objects.filter(channel="voice", company_name=door.company_name).exclude(mode=EntryPoint.Mode.OFF).first()
    return phone.address if phone else ""


def phone_door(door: EntryPoint) -> EntryPoint | None:
    """The number that stands for an entry point: itself, or the one with the same playbook; None when none is on."""
    return door if door.channel == Channel.VOICE else _same_playbook(door, Channel.VOICE)


def chat_door_beside(door: EntryPoint) -> EntryPoint | None:
    """The web chat with the same playbook as a number; None when none is on."""
    return door if door.channel == Channel.CHAT else _same_playbook(door, Channel.CHAT)


def price_list() -> QuerySet[PriceListItem]:
    """Every service with its price."""
    return PriceListItem.objects.all()


def areas_served() -> QuerySet[Territory]:
    """The territories with their postcodes."""
    return Territory.objects.filter(postcodes__isnull=False).distinct().prefetch_related("postcodes")


def help_article(slug: str) -> KnowledgeArticle:
    """An article that everybody may read now. Raises KnowledgeArticle.DoesNotExist."""
    return readable_now(FOR_EVERYBODY).select_related("reason").get(slug=slug)


def help_topics(language: str = "en") -> list[Topic]:
    """Every article that everybody may read now in a language (two letters), by line of business; articles of none come last."""
    topics: dict[str, list[KnowledgeArticle]] = {}
    for article in readable_now(FOR_EVERYBODY).filter(language=language).select_related("reason").order_by("title"):
        topics.setdefault(article.reason.line_of_business.capitalize() if article.reason else "", []).append(article)
    return [Topic(name, topics[name]) for name in sorted(topics, key=lambda name: (name == "", name))]


def related_articles(article: KnowledgeArticle, count: int = 4) -> QuerySet[KnowledgeArticle]:
    """Other articles on the same thing, in the same language, that everybody may read now."""
    others = readable_now(FOR_EVERYBODY).filter(language=article.language).exclude(pk=article.pk)
    return others.filter(reason=article.reason)[:count] if article.reason else others.none()


def readable_number(number: str, region: str) -> str:
    """An E.164 number as people in the region write it; an empty text stays empty."""
    if not number:
        return ""
    parsed = phonenumbers.parse(number)
    at_home = phonenumbers.country_code_for_region(region) == parsed.country_code
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)


def _same_playbook(door: EntryPoint, channel: str) -> EntryPoint | None:
    doors = EntryPoint.objects.filter(channel=channel, playbook_code=door.playbook_code)
    return doors.exclude(mode=EntryPoint.Mode.OFF).order_by("pk").first()
