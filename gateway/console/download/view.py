"""What the download page shows of a share, as plain values. Pure; a stranger chose the names, so they pass `shown`."""

from __future__ import annotations

from gateway.console.download.naming import names_of
from gateway.languages import Words, shown, size
from gateway.spool.share_contract import Share
from gateway.values import dataclass

NAME = 200  # characters shown of a file's name
ADDRESS = 320


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that can be fetched, or could: `left` is how often still, None without a limit."""

    place: int
    name: str
    size: str
    left: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """Whose files they are, and until when they wait."""

    sender: str
    sent: str
    until: str
    zone: str


def told(share: Share, words: Words) -> Told:
    """Return what stands above the list."""
    return Told(
        sender=shown(share.sender, ADDRESS) or words.gettext("(unknown)"),
        sent=words.moment(share.sent_at) if share.sent_at is not None else "",
        until=words.moment(share.expires_at),
        zone=words.zone_name(),
    )


def file_rows(share: Share) -> list[FileRow]:
    """Return the list."""
    sizes = {file.place: file.size_bytes for file in share.attached}
    left = dict(share.left)
    return [
        FileRow(place, shown(name, NAME), size(sizes[place]) if place in sizes else "", left.get(place))
        for place, name in safe_names(share).items()
    ]


def safe_names(share: Share) -> dict[int, str]:
    """Return the files' names as they are fetched, by their places."""
    names = names_of([name for _, name in share.files])
    return {place: name for (place, _), name in zip(share.files, names, strict=True)}
