"""Where files of a customer are kept, so that they are found again when the person is erased or wants a copy.

Layout, in Django's default storage: `customers/<public id as hex>/<what it is>/<name>`, for example
`customers/0f…9c/recordings/<interaction>.wav`. Whoever keeps a file of a customer puts it under `folder_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.core.files.storage import default_storage


def folder_of(public_id: UUID) -> str:
    """The folder of one record's files."""
    return f"customers/{public_id.hex}"


def files_of(public_id: UUID) -> Iterator[str]:
    """The names of one record's files, in folders of any depth."""
    yield from _files_in(folder_of(public_id))


def remove_all(public_id: UUID) -> int:
    """Removes one record's files and returns how many there were. Doing it again removes what came since."""
    names = list(files_of(public_id))
    for name in names:
        default_storage.delete(name)
    _remove_folders(folder_of(public_id))
    return len(names)


def _files_in(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}"
    for inner in sorted(folders):
        yield from _files_in(f"{folder}/{inner}")


def _remove_folders(folder: str) -> None:
    """Removes what the files leave behind in a file system; elsewhere folders are only a part of names."""
    try:
        folders, _names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for inner in folders:
        _remove_folders(f"{folder}/{inner}")
    default_storage.delete(folder)
