"""The script that puts the chat on a web page, and the demo company's own pages.

A host site includes one line, and lists its origin in the entry point's allowed origins:

    <script src="https://cx.example/widget.js?entry_point=/harborhome" async></script>

`&language=es` has it speak Spanish, when the playbook does.

With a Content-Security-Policy it also allows this server in script-src, style-src and connect-src (and its
websocket in connect-src). `data-theme="light"` or `"dark"` on the script overrules the reader's system; any
element of the page with `data-cx-chat="open"` opens the chat. How a site says who is signed in on it is in
docs/recipes/sign-visitors-in.md.
"""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone, translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from conversations.chat import demo_site
from conversations.chat.articles import article_html
from conversations.chat.widget_texts import widget_texts
from conversations.models import EntryPoint, KnowledgeArticle
from conversations.selectors import roll_out, website
from conversations.understanding.languages import LANGUAGES
from routing.services import hours

STYLES = ("css/tokens.css", "widget/chat.css", "widget/history.css", "widget/writing.css", "widget/adapting.css")
SCRIPT = """(() => {
  const settings = %s;
  const script = document.currentScript;
  const server = new URL(script.src).origin;
  const there = (address) => new URL(address, server).href;
  const styles = settings.styles.map(there);
  const hub = (window.CXHub ??= {});
  const { theme, identity = hub.identity } = script.dataset;
  let pressed = null; // what was pressed to open the chat before it was there
  const early = (event) => {
    pressed = event.target.closest?.('[data-cx-chat="open"]') ?? pressed;
    if (pressed) event.preventDefault();
  };
  document.addEventListener("click", early);
  const chat = import(there(settings.module)).then(({ show }) => show({ ...settings, server, styles, theme, identity }));
  chat.then(() => document.removeEventListener("click", early)).then(() => pressed?.click());
  hub.identify = (token) => chat.then((shown) => shown.identify(token));
  hub.signOut = () => chat.then((shown) => shown.signOut());
})();
"""
NO_CHAT = "console.warn(%s);\n"


@require_safe
@cache_control(public=True, max_age=300)
def widget_script(request: HttpRequest) -> HttpResponse:
    """The embed script for `?entry_point=<web path>`: JavaScript that loads the widget and shows it.

    For an entry point that does not exist or is off: a script that says so in the console, and status 404.
    """
    address = request.GET.get("entry_point", "")
    try:
        door = website.chat_door(address)
    except EntryPoint.DoesNotExist:
        return _script(NO_CHAT % json.dumps(f"CX Hub has no chat for the entry point {address[:200]!r}."), status=404)
    return _script(SCRIPT % json.dumps(_settings(door, _language(door, request.GET.get("language", "")))))


def _language(door: EntryPoint, asked: str) -> str:
    """The language that the page asks for, when the playbook speaks it; otherwise that of the entry point."""
    short = asked.partition("-")[0]
    is_other = short in LANGUAGES and not door.language.startswith(short)
    return short if is_other and door.playbook.speaks(short) else door.language


def _settings(door: EntryPoint, language: str) -> dict[str, object]:
    with translation.override(language):
        texts = widget_texts()
    phone = website.phone_number(door)
    return {
        "entryPoint": door.address,
        "company": door.company_name,
        "language": language,
        "timeZone": door.time_zone,
        "phone": {"number": phone, "readable": website.readable_number(phone, door.default_region)} if phone else None,
        "module": static("widget/chat.js"),
        "styles": [static(path) for path in STYLES],
        "texts": texts,
    }


def _script(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/javascript; charset=utf-8")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The demo company's page. 404 until there is a demo company."""
    door = _demo_door()
    context = {
        **_frame(request, door),
        "prices": website.price_list(),
        "areas": website.areas_served(),
        "topics": website.help_topics(),
    }
    return render(request, "harborhome/home.html", context)


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    """Every help article, by topic."""
    return render(request, "harborhome/help.html", {**_frame(request, _demo_door()), "section": "help", "topics": website.help_topics()})


@require_safe
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    """One help article: what the AI agent cites as its source."""
    try:
        article = website.help_article(slug)
    except KnowledgeArticle.DoesNotExist:
        raise Http404 from None
    context = {
        **_frame(request, _demo_door()),
        "section": "help",
        "article": article,
        "body": article_html(article.body),
        "related": website.related_articles(article),
    }
    return render(request, "harborhome/article.html", context)


def _demo_door() -> EntryPoint:
    try:
        return website.chat_door(demo_site.ADDRESS)
    except EntryPoint.DoesNotExist:
        raise Http404 from None


def _frame(request: HttpRequest, door: EntryPoint) -> dict[str, object]:
    """What every page of the demo company needs around its content."""
    now = timezone.now()
    is_open = hours.is_open(door.hours, now)
    phone = website.phone_number(door)
    return {
        **demo_site.account(request, door),
        "door": door,
        "phone": phone,
        "phone_display": website.readable_number(phone, door.default_region),
        "answers": roll_out.who_answers(door, now),
        "is_open": is_open,
        "opens_at": None if is_open else hours.next_opening(door.hours, now),
    }
