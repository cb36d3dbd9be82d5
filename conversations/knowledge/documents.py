"""Articles from files: Markdown with a head of fields, web pages, and a folder or zip file of either.

A web export is what `wget --mirror` or a content system's “export as HTML” leaves: pages in folders. Each page becomes one
article; its slug is its path, so that the same page is the same article the next time.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import yaml
from django.utils.text import slugify
from django.utils.translation import gettext as _

from conversations.knowledge.html_pages import read_page

MARKDOWN: Final = frozenset({".md", ".markdown"})
PAGES: Final = frozenset({".html", ".htm"})
MOST_FILES: Final = 5000
LARGEST_FILE: Final = 2 * 2**20
LARGEST_EXPORT: Final = 200 * 2**20
LONGEST_SLUG: Final = 80
FIELDS: Final = frozenset(
    {"title", "slug", "url", "reason", "language", "audience", "valid_from", "valid_until", "review_by", "asked_as"}
)
DATES: Final = ("valid_from", "valid_until", "review_by")
COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
HEAD: Final = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
OF_OLD_PAGES: Final = "cp1252"
"""What web pages are written in that are not in UTF-8, whichever of its names they say."""
NO_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
NO_WORD: Final = re.compile(r"[\W_]+")
NAMES_NOTHING: Final = frozenset({"index", "readme", "untitled", "page", "document"})
A_WORD: Final = re.compile(r"[^\W\d_]{3,}")
FIRST_HEADING: Final = re.compile(r"\A\s*# +(.+?)\s*#*\s*(?:\n|\Z)")


class UnreadableExport(ValueError):
    """Nothing can be read from what was given, with a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Document:
    """One article as a file has it. `fields` holds what the file says beside title and body; `problem` why it cannot be used."""

    path: str
    slug: str
    title: str = ""
    body: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def read_path(path: Path) -> list[Document]:
    """The articles of a file, a folder or a zip file. Raises UnreadableExport."""
    try:
        if path.is_dir():
            return _documents(_in_folder(path))
        return read_upload(path.name, path.read_bytes())
    except OSError as problem:
        raise UnreadableExport(f"{problem.filename}: {problem.strerror}.") from problem


def read_upload(name: str, data: bytes) -> list[Document]:
    """The articles of a file or a zip file with this name. Raises UnreadableExport."""
    if PurePosixPath(name).suffix.lower() == ".zip":
        return _documents(_in_zip(data))
    if PurePosixPath(name).suffix.lower() not in MARKDOWN | PAGES:
        raise UnreadableExport(_("Choose a Markdown file (.md), a web page (.html), or a zip file of these."))
    return _documents(iter([(PurePosixPath(name).name, data)]))


def _documents(files: Iterator[tuple[str, bytes | None]]) -> list[Document]:
    """The article of each file; of one that lies outside, which has no bytes, that it is left out."""
    read = []
    for path, data in files:
        read.append((path, data))
        if len(read) > MOST_FILES:
            raise UnreadableExport(_("There are more than %(most)d files in it.") % {"most": MOST_FILES})
    if not read:
        raise UnreadableExport(_("There is no Markdown file (.md) and no web page (.html) in it."))
    shared = _shared_folders([path for path, data in read if data is not None])
    return [_document(path, data, shared) if data is not None else _outside(path) for path, data in sorted(read, key=itemgetter(0))]


def _outside(path: str) -> Document:
    return Document(path, _slug(path, 0), problem=_("Its path leads out of what was given."))


def _in_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not _is_wanted(name) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            yield name, None
            continue
        with path.open("rb") as opened:
            yield name, opened.read(LARGEST_FILE + 1)


def _in_zip(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if entry.is_dir() or not _is_wanted(entry.filename):
                    continue
                if _leads_out(entry.filename):
                    yield entry.filename, None
                    continue
                with archive.open(entry) as opened:
                    content = opened.read(LARGEST_FILE + 1)
                total += len(content)
                if total > LARGEST_EXPORT:
                    raise UnreadableExport(_("Unpacked, it is larger than %(most)d MB.") % {"most": LARGEST_EXPORT // 2**20})
                yield entry.filename, content
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as problem:
        # RuntimeError is what zipfile raises for a password.
        raise UnreadableExport(_("This zip file cannot be opened: %(problem)s.") % {"problem": problem}) from problem


def _leads_out(name: str) -> bool:
    """Whether a path within an archive leads out of it, also one as Windows writes them."""
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts


def _is_wanted(name: str) -> bool:
    path = PureWindowsPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return path.suffix.lower() in MARKDOWN | PAGES and not hidden


def _shared_folders(paths: list[str]) -> int:
    """How many folders all the files are in, which say nothing about any of them."""
    folders = [PurePosixPath(path).parent.parts for path in paths]
    least = min(map(len, folders), default=0)
    return next((depth for depth, names in enumerate(zip(*folders, strict=False)) if len(set(names)) > 1), least)


def _document(path: str, data: bytes, shared: int) -> Document:
    slug = _slug(path, shared)
    if len(data) > LARGEST_FILE:
        return Document(path, slug, problem=_("It is larger than %(most)d MB.") % {"most": LARGEST_FILE // 2**20})
    is_page = PurePosixPath(path).suffix.lower() in PAGES
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not is_page or NO_TEXT.search(data):
            return Document(path, slug, problem=_("It is not written in UTF-8."))
        text = data.decode(OF_OLD_PAGES, errors="replace")
    if is_page:
        page = read_page(text)
        fields = {name: value for name, value in (("url", page.url), ("language", page.language)) if value}
        return Document(path, slug, cleaned(page.title) or _named(path), cleaned(page.body), fields)
    return _markdown(path, slug, text)


def _markdown(path: str, slug: str, text: str) -> Document:
    fields: dict[str, Any] = {}
    head = HEAD.match(text)
    if head:
        try:
            fields = yaml.safe_load(head[1]) or {}
        except yaml.YAMLError:
            return Document(path, slug, problem=_("The fields between the first two lines of --- are not valid YAML."))
        text = text[head.end() :]
        if not isinstance(fields, dict) or set(fields) - FIELDS:
            known = ", ".join(sorted(FIELDS))
            return Document(path, slug, problem=_("Its head may only have the fields %(known)s.") % {"known": known})
    body = cleaned(COMMENT.sub("", text))
    first = FIRST_HEADING.match(body)
    title = cleaned(str(fields.pop("title", "") or (first[1] if first else ""))) or _named(path)
    if first and first[1] == title:
        body = body[first.end() :].strip()
    slug = slugify(str(fields.pop("slug", "") or ""))[:LONGEST_SLUG] or slug
    wrong = [name for name in DATES if fields.get(name) and type(fields[name]) is not date]
    if wrong:
        return Document(path, slug, title, body, problem=_("%(field)s is not a date such as 2027-01-31.") % {"field": wrong[0]})
    if isinstance(fields.get("asked_as"), list):
        fields["asked_as"] = "\n".join(cleaned(str(question)).replace("\n", " ") for question in fields["asked_as"])
    return Document(path, slug, title, body, {name: value for name, value in fields.items() if value is not None})


def cleaned(text: str) -> str:
    """Without control and format characters, among which are those that nobody sees; lines end in one way."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(each for each in lines if each == "\n" or unicodedata.category(each)[0] != "C").strip()


def _named(path: str) -> str:
    """What a file is named, for a text without a heading: “Stair lifts” for “stair-lifts.md”; empty when it says nothing."""
    words = " ".join(NO_WORD.sub(" ", PurePosixPath(path).stem).split())
    return words[:1].upper() + words[1:] if A_WORD.search(words) and words.lower() not in NAMES_NOTHING else ""


def _slug(path: str, shared: int) -> str:
    parts = PurePosixPath(path).with_suffix("").parts[shared:]
    named = [part for part in parts if part.lower() != "index"] or list(PurePosixPath(path).with_suffix("").parts[-2:])
    return slugify(" ".join(named))[-LONGEST_SLUG:].strip("-") or "article"
