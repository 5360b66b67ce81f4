"""The folder in which an organisation puts its own letters: read, tried with samples, each problem told with file and line.

Files are named as ours (`hold.txt`, `hold.html`), with `.subject.txt` for a subject of their own; those in a folder `ja` or
`en` are for that language alone. A file that begins with `_` is a piece for others to include. A letter is taken as a whole:
where a template that it needs is broken, or loses what has to be in it, all of that letter is said as ours.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
)

from gateway.languages import LANGUAGES, Words
from gateway.notices.required import missing_from
from gateway.notices.samples import Samples, samples
from gateway.notices.wording import FOLDER, Form, Forms, Values
from gateway.templates import templates_in, templates_of_others
from gateway.values import dataclass
from gateway.yaml_source import nearest

MAX_FILE = 256 << 10  # octets of one template; our longest has 5 KB
MAX_FILES = 500  # in the folder
_MARK = "own template "  # stands before the name of a file of theirs, in tracebacks
OURS = frozenset(path.name for path in FOLDER.iterdir())
"""The templates that may be overridden, pieces such as `frame.html` among them."""


@dataclass(frozen=True, slots=True, order=True)
class Trouble:
    """What is wrong with one file: its place below the folder, the line (0 where it has none), and the sentence."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


@dataclass(frozen=True, slots=True)
class Own:
    """What a folder holds: the letters that are good, and what is wrong with the others."""

    forms: Forms
    troubles: tuple[Trouble, ...] = ()


NOTHING = Own({})


def read_own(folder: Path, zone: ZoneInfo) -> Own:
    """Read a folder and try what is in it; a folder that cannot be read is a trouble like any other."""
    found: set[Trouble] = set()
    files = dict(_files(folder, found))
    forms: dict[tuple[str, str], Form] = {}
    tried = samples(zone)
    for language in LANGUAGES:
        bench = _Bench(files, language, Words(language, zone), tried)
        for name in sorted({name for name, _ in tried}):
            form, problems = bench.tried(name)
            found.update(problems)
            if form is not None:
                forms[name, language] = form
    return Own(forms, tuple(sorted(found)))


def _files(folder: Path, found: set[Trouble]) -> Iterator[tuple[str, str]]:
    """Yield the templates by their path below the folder (`hold.txt`, `ja/hold.txt`)."""
    try:
        paths = [path for path in _below(folder) if not path.name.startswith(".") and path.name[-1] != "~"]
    except OSError as error:
        found.add(Trouble(str(folder), 0, error.strerror or "cannot be read"))
        return
    if len(paths) > MAX_FILES:
        found.add(Trouble(str(folder), 0, f"{len(paths)} files, at most {MAX_FILES} are read"))
        return
    for path in sorted(paths):
        name = path.relative_to(folder).as_posix()
        try:
            yield name, _text(path, folder)
        except (OSError, ValueError) as error:
            found.add(Trouble(name, 0, str(error)))


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name in LANGUAGES:
            yield from (each for each in path.iterdir() if each.is_file())
        elif path.is_file():
            yield path
        elif not path.name.startswith("."):
            yield path / "?"  # told as a file that is none of ours


def _text(path: Path, folder: Path) -> str:
    name = path.name
    if name == "?":
        raise ValueError("not a folder of a language: ja or en")
    known = name.startswith("_") or name.removesuffix(".subject.txt") + ".txt" in OURS or name in OURS
    if not known:
        raise ValueError(f"no letter is called so{_hint(name)}; a piece of your own begins with _")
    if not path.resolve().is_relative_to(folder.resolve()):  # whoever writes letters could read our keys
        raise ValueError("a link that leads out of the folder")
    if path.stat().st_size > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE} octets")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at octet {error.start}") from None


def _hint(name: str) -> str:
    near = nearest(name, sorted(OURS))
    return f" ({near})" if near else ""


class _Bench:
    """Tries the letters of one language with the samples."""

    def __init__(self, files: Mapping[str, str], language: str, words: Words, tried: Samples) -> None:
        self._language = language
        self._places = {name: name for name in files if "/" not in name}
        for name in files:
            if name.startswith(f"{language}/"):
                self._places[name.removeprefix(f"{language}/")] = name
        self._files = files
        loader = ChoiceLoader([FunctionLoader(self._load), FileSystemLoader(FOLDER)])
        self._environment = templates_of_others(loader, words)
        self._samples = tried

    def tried(self, name: str) -> tuple[Form | None, set[Trouble]]:
        """Return the letter, None where it is ours or not good; and what is wrong with it."""
        parts = [f"{name}.txt", f"{name}.html"]
        subject = f"{name}.subject.txt" if f"{name}.subject.txt" in self._places else None
        problems: set[Trouble] = set()
        used: set[str] = set()
        for part in [*parts, *([subject] if subject else [])]:
            self._gather(part, used, problems)
        if problems or not used & self._places.keys():
            return None, problems
        form = Form(self._environment, name, subject)
        for values in self._samples.get((name, self._language), []):
            problems |= self._problem(form, name, values)
        return (None if problems else form), problems

    def _gather(self, template: str, used: set[str], problems: set[Trouble]) -> None:
        """Note which templates this one needs; parse those that are not ours."""
        if template in used:
            return
        used.add(template)
        place = self._places.get(template)
        try:
            found = (
                _needed_by_ours(template)
                if place is None
                else _needed_by(self._files[place], self._environment)
            )
        except TemplateSyntaxError as error:
            problems.add(Trouble(place or template, error.lineno, error.message or "broken"))
            return
        for needed in found:
            if needed is None:
                what = "a template is named by a variable; write its name"
                problems.add(Trouble(place or template, 0, what))
            else:
                self._gather_needed(template, needed, used, problems)

    def _gather_needed(self, template: str, needed: str, used: set[str], problems: set[Trouble]) -> None:
        try:
            self._gather(needed, used, problems)
        except TemplateNotFound:
            place = self._places.get(template, template)
            problems.add(Trouble(place, 0, f"there is no template {needed!r}"))

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        place = self._places.get(name)
        return None if place is None else (self._files[place], _MARK + place, lambda: True)

    def _problem(self, form: Form, name: str, values: Values) -> set[Trouble]:
        try:
            said = form.say(values)
        except Exception as error:  # a template is somebody's program
            place, line = _place_of(error)
            return {Trouble(place or self._place(name), line, f"{_sentence(error)} (in the letter {name!r})")}
        found = set()
        for part, text, html in (("txt", said.text, False), ("html", said.html, True)):
            if lost := missing_from(name, values, text, html=html):
                what = f"the letter {name!r} has to show {' and '.join(lost)}, and does not"
                found.add(Trouble(self._place(name, part), 0, what))
        return found

    def _place(self, name: str, *parts: str) -> str:
        """Return the file to name where no line is known: the letter's own, else any."""
        names = [f"{name}.{part}" for part in (*parts, "txt", "html")]
        own = [self._places[each] for each in names if each in self._places]
        return own[0] if own else min(self._places.values(), default="")


def _needed_by(source: str, environment: Environment) -> tuple[str | None, ...]:
    """Return the templates that one needs, None for one that a variable names; raises TemplateSyntaxError."""
    return tuple(meta.find_referenced_templates(environment.parse(source)))


@cache
def _needed_by_ours(template: str) -> tuple[str | None, ...]:
    if template not in OURS:
        raise TemplateNotFound(template)
    source = (FOLDER / template).read_text(encoding="utf-8")
    return _needed_by(source, templates_in(FOLDER, Words("en", ZoneInfo("UTC"))))


def _place_of(error: Exception) -> tuple[str, int]:
    """Return file and line of the template in which it happened; the empty name where it was in none of theirs."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(_MARK):
            return frame.filename.removeprefix(_MARK), frame.lineno or 0
    return "", 0


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.replace("\n", " ")[:300]
