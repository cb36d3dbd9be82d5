"""Where files of a customer are kept, so that they are found again when the person is erased or wants a copy.

Layout, in Django's default storage and in the storage for recordings: `customers/<public id as hex>/<what it is>/<name>`, for
example `customers/0f…9c/recordings/<recording>.mp3`. Whoever keeps a file of a customer puts it under `folder_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.core.files.storage import Storage, storages

STORAGES: Final = ("default", "recordings")


def folder_of(public_id: UUID) -> str:
    """The folder of one record's files."""
    return f"customers/{public_id.hex}"


def files_of(public_id: UUID) -> Iterator[tuple[Storage, str]]:
    """The storage and name of each of one record's files, in folders of any depth."""
    for alias in STORAGES:
        for name in _files_in(storages[alias], folder_of(public_id)):
            yield storages[alias], name


def remove_all(public_id: UUID) -> int:
    """Removes one record's files and returns how many there were. Doing it again removes what came since."""
    found = list(files_of(public_id))
    for storage, name in found:
        storage.delete(name)
    for alias in STORAGES:
        _remove_folders(storages[alias], folder_of(public_id))
    return len(found)


def _files_in(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}"
    for inner in sorted(folders):
        yield from _files_in(storage, f"{folder}/{inner}")


def _remove_folders(storage: Storage, folder: str) -> None:
    """Removes what the files leave behind in a file system; elsewhere folders are only a part of names."""
    try:
        folders, _names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for inner in folders:
        _remove_folders(storage, f"{folder}/{inner}")
    storage.delete(folder)
