"""Conditions on attachments: how many there are of those that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from pydantic import model_validator

from gateway.message.facts import Attachment
from gateway.policy import values
from gateway.policy.bounds import SizeRange, between, check_range
from gateway.policy.conditions.context import Context, Test, certain
from gateway.policy.mail import Mail
from gateway.policy.text_match import glob
from gateway.policy.values import Part, told


class Attachments(Part):
    """How many attachments there are whose name and size fit."""

    at_least: values.Count | None = told("この数以上", "this many or more")
    at_most: values.Count | None = told("この数以下", "this many or fewer")
    name: values.Globs | None = told(
        "ファイル名の型。`*` は任意の文字列、`?` は1文字。いずれか",
        'patterns for the file name, `*` for any characters and `?` for one: `["*.exe", "*名簿*"]`; OR',
    )
    size: SizeRange | None = told(
        "添付ファイル一つの大きさ", "a range for the decoded size of each attachment"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        counted = self.at_least is not None or self.at_most is not None
        if counted or (self.name is None and self.size is None):
            check_range(self.at_least, self.at_most)
        return self


class AttachmentKeys(Part):
    """Keys that ask for attachments."""

    attachments: Attachments | None = told(
        "条件に合う添付ファイルの数。範囲を書かなければ1つ以上",
        "the number of attachments whose name and size fit lies in the range; without a bound, at least one",
    )


def tests(keys: AttachmentKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.attachments is not None:
        yield _attachments(keys.attachments, in_doubt)


def _attachments(asked: Attachments, in_doubt: bool) -> Test:
    counted = _attachment(asked, in_doubt)
    bounded = asked.at_least is not None or asked.at_most is not None
    fits = between(asked.at_least if bounded else 1, asked.at_most)

    def test(mail: Mail) -> bool:
        if mail.facts.unclear and not in_doubt:
            return False
        return fits(sum(counted(attachment) for attachment in mail.facts.attachments))

    return test


def _attachment(asked: Attachments, in_doubt: bool) -> Callable[[Attachment], bool]:
    names = [glob(name) for name in asked.name or ()]
    size = between(asked.size.at_least, asked.size.at_most) if asked.size is not None else None

    def counted(attachment: Attachment) -> bool:
        if size is not None and not size(attachment.size_bytes):
            return False
        return not names or any(certain(name(attachment.name), in_doubt) for name in names)

    return counted
