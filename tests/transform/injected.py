"""Thirty outside people, put into the header section of a mail in every form that clients, relays and accidents produce."""

from __future__ import annotations

from base64 import b64encode

OUTSIDERS = tuple(f"gast{n:02}.{'abcdefghij'[n % 10]}x@aussen{n % 7}.example.com" for n in range(30))


def _word(text: str, charset: str = "utf-8") -> bytes:
    return b"=?" + charset.encode() + b"?B?" + b64encode(text.encode(charset)) + b"?="


def _q(text: str) -> bytes:
    return b"=?utf-8?Q?" + text.replace("@", "=40").replace(" ", "_").encode() + b"?="


def injected(people: tuple[str, ...] = OUTSIDERS) -> tuple[bytes, bytes]:
    """Return (fields to put on top, fields to put at the end) in which all thirty stand, most of them several times."""
    p = [person.encode() for person in people]
    top = (
        b"Received: from mx1 (mx1 [198.51.100.1]) by mx2 with ESMTP\r\n\tfor <"
        + p[0]
        + b">; Wed, 1 Apr 2026 00:00:00 +0900",
        b"To: " + b", ".join(p[:6]),
        b"To: " + b",\r\n\t ".join(b"<" + each + b">" for each in p[6:9]),
        b"to : " + p[9] + b";" + p[10] + b" ; " + p[11],
        b"TO:Team: " + p[12] + b",\r\n " + p[13] + b";, undisclosed:;",
        b"To: " + p[14].replace(b"@", b"\r\n @\r\n ") + b", (" + p[15] + b") x",
        b"Cc: "
        + "山田、太郎".encode("iso-2022-jp")
        + b" <"
        + p[16]
        + b">, "
        + "表示能力".encode("cp932")
        + b" <"
        + p[17]
        + b">",
        b"CC: "
        + "鈴木".encode("euc-jp")
        + b" <"
        + p[18]
        + b">, "
        + "佐藤".encode()
        + b" <"
        + p[19].upper()
        + b">",
        b'Cc: "' + p[20] + b'" <' + p[21] + b">, " + _word(people[22]) + b" <" + p[23] + b">",
        b"Resent-To: " + p[24],
        b"Resent-Cc: " + _q(people[25]) + b" <" + p[25] + b">",
        b"Bcc: " + p[26] + b" " + p[27],
        b"Reply-To: office@sports.example.jp, " + p[28],
        b"Mail-Followup-To: " + b", ".join(p),
        b"X-Envelope-To: " + p[29],
    )
    end = (
        b"Apparently-To: " + p[0],
        b"Delivered-To: " + p[1],
        b"X-Anything: rcpt=" + p[2] + b"; n=1",
        b"X-Other: " + _word(f"sent to {people[3]} today"),
        b"X-Japanese: " + _word(f"送信先は{people[4]}です", "iso-2022-jp"),
        b"X-Json: {\"to\":[\"" + p[5] + b"\"]}",
        b"X-Link: https://list.example.jp/?u=" + p[6].replace(b"@", b"%40"),
        b"X-Entity: " + p[7].replace(b"@", b"&#64;"),
        b"List-Unsubscribe: <mailto:leave+" + p[8].replace(b"@", b"=") + b"@list.example.jp>, <mailto:" + p[8] + b">",
        b"References: <1.2@mail.example.org> <" + p[9] + b">",
        b"In-Reply-To: " + p[10],
        b"DKIM-Signature: v=1; d=example.com; i=" + p[11] + b"; b=AAAA",
        b"ARC-Authentication-Results: i=1; mx; smtp.rcpt=" + p[12],
        b"Authentication-Results: mx; smtp.mailfrom=a@b.example; rcpt=" + p[13],
        b"Sender: \"" + p[14] + b"\" <office@sports.example.jp>",
        b"Subject: Re: " + p[15] + b" " + _word(f"と{people[16]}の件"),
        b"Subject: second =?utf-8?q?=E3=81=82?= " + _q(people[17]),
        b"Content-Description: for " + p[18],
        b"Content-Disposition: attachment; filename=\"" + p[19] + b".pdf\"; filename*=utf-8''" + p[20].replace(b"@", b"%40"),
        b"Thread-Topic: " + p[21],
        b"Comments: (" + p[22] + b") " + p[23],
        b"Keywords: " + p[24],
        b"Errors-To: " + p[25],
        b"Disposition-Notification-To: <" + p[26] + b">",
        b"this line is no field but " + p[27],
        b" and it goes on " + p[28],
        b"X-Last:\r\n\t" + p[29],
    )  # fmt: skip
    return b"".join(line + b"\r\n" for line in top), b"".join(line + b"\r\n" for line in end)


def inject(raw: bytes) -> bytes:
    """Put the fields on top and at the end of the header section of a mail; a mail without a body gets an empty one."""
    top, end = injected()
    if raw.startswith(b"\r\n"):
        return top + end + raw
    header, empty, body = raw.partition(b"\r\n\r\n")
    return top + header + b"\r\n" + end + b"\r\n" + (body if empty else b"")
