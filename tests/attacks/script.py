"""What an attack file says: the format of dialogues/*.dlg, read into plain values.

@ name=value        a setting of the gateway, such as limits.idle=2s; files with the same settings share a process
@ hold=1s           the window of the shipped policy (1s unless said otherwise);   @ alone=yes  a process of its own
HOP: RCPT a 550 x   what the next hop answers to recipient `a` at RCPT, or (DOT) at the end of the data
HIDDEN: a b         addresses that may stand in no octet that reaches anybody outside, whatever the encoding
N: name [ip]        go on with the connection `name`, opened from `ip` where it is new; without N: `1` from 127.0.0.1
T:                  begin TLS on this connection (after STARTTLS was answered)
C: text             send the text and CRLF;  C! text  without CRLF;  C> text  keep for one packet with the next C line
S: text             the next line from the server begins with the text;  S~ pattern  it matches the whole pattern
S+ text             the next whole reply: its last line begins with the text;  S? seconds  nothing is said for so long
E:                  the server closes;   W: seconds  wait
* 20                repeat up to the line `*.`; {n} in a line is the number of the round, from 0, {n+1} the next
NEXT-HOP: a b       what the next hop gets for exactly these recipients (each arrives once, in one transaction), line by line:
| text              the octets as on the wire, dots stuffed, CRLF after each; the first line is the MAIL
                    command; then come the RCPT commands that have parameters
|* 20               as above, up to the line `|*.`
Escapes: \\t \\r \\n \\0 \\xNN \\\\, and {text*n} for a text n times. In `|` lines <ID> stands for the queue id
and <DATE> for the time at which we took the mail. Lines that begin with # are comments: the attack, and what is expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "dialogues"
MAX_ROUNDS = 5000  # of one repetition: a file cannot run for ever
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|[rnt0\\])")
_REPEAT = re.compile(rb"\{([^{}*]*)\*(\d+)\}")
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}
_DATE = rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
_PLACES = {b"<ID>": rb"[0-9A-Z]{10,40}", b"<DATE>": _DATE}


@dataclass(slots=True)
class Wanted:
    """What has to arrive for one set of recipients."""

    recipients: frozenset[str]
    lines: list[tuple[str, str]] = field(default_factory=list)

    def written(self) -> list[str]:
        """Return the lines with their repetitions written out."""
        return [line for _, line in unrolled(self.lines)]

    def pattern(self) -> re.Pattern[bytes]:
        """Return what the MAIL line and the data, CRLF after each line, have to match to the octet."""
        wanted = b"".join(octets(line) + b"\r\n" for line in self.written())
        pieces = re.split(rb"(<ID>|<DATE>)", wanted)
        return re.compile(b"".join(_PLACES.get(piece) or re.escape(piece) for piece in pieces))


@dataclass(slots=True)
class Script:
    """One file."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)
    hop: dict[tuple[str, str], bytes] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    attack: str = ""

    @property
    def stage(self) -> str:
        """Return what files that share a process have in common."""
        return self.name if "alone" in self.settings else repr(sorted(self.settings.items()))


def octets(text: str) -> bytes:
    """Return what the text of a line stands for."""
    raw = _REPEAT.sub(lambda m: m[1] * int(m[2]), text.encode())
    return _ESCAPE.sub(lambda m: _NAMED.get(m[1]) or bytes.fromhex(m[1][1:].decode()), raw)


def read(path: Path) -> Script:
    """Read a file; a line of no known kind is an error."""
    script = Script(path.stem)
    for line in path.read_text("utf-8").split("\n"):
        if line.startswith("#"):
            script.attack += line[1:].strip() + " "
        elif line.strip():
            take(script, line)
    return script


def take(script: Script, line: str) -> None:
    """Read one line into the script; a line of no known kind is an error."""
    if line.startswith("@ "):
        name, _, value = line[2:].partition("=")
        script.settings[name] = value
    elif line.startswith("HOP: "):
        stage, recipient, reply = line[5:].split(" ", 2)
        script.hop[stage, recipient] = octets(reply)
    elif line.startswith("HIDDEN: "):
        script.hidden += line[8:].split()
    elif line.startswith("NEXT-HOP: "):
        script.wanted.append(Wanted(frozenset(line[10:].split())))
    elif line.startswith("|"):
        script.wanted[-1].lines.append(
            ("*.", "") if line == "|*." else ("* ", line[3:]) if line.startswith("|* ") else ("| ", line[2:])
        )
    else:
        assert line[:2] in ("C:", "C!", "C>", "S:", "S~", "S+", "S?", "E:", "W:", "N:", "T:", "* ", "*."), (
            line
        )
        script.steps.append((line[:2], line[3:] if line[:2] != "* " else line[2:]))


def _round(text: str, number: int) -> str:
    return text.replace("{n}", str(number)).replace("{n+1}", str(number + 1))


def unrolled(steps: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the steps with their repetitions written out."""
    out: list[tuple[str, str]] = []
    block: list[tuple[str, str]] | None = None
    rounds = 0
    for kind, text in steps:
        if kind == "* ":
            block, rounds = [], int(text)
            assert rounds <= MAX_ROUNDS
        elif kind == "*.":
            assert block is not None
            out += [(k, _round(t, n)) for n in range(rounds) for k, t in block]
            block = None
        else:
            (out if block is None else block).append((kind, text))
    assert block is None, "a repetition has no end"
    return out
