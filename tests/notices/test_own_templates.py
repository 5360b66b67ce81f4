"""An organisation's own letters: what is taken, what is refused in which words, and that no notice fails for them."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.own_templates import MAX_FILE, OURS, read_own
from gateway.notices.required import REQUIRED
from gateway.notices.samples import samples
from gateway.notices.wording import MAX_TEXT, Wording
from tests.memory_spool import SENDER, MemorySpool, hold
from tests.notices.conftest import AUTHOR, notice, read_back, text
from tests.notices.test_words import TOKYO

GOOD = "保留しました: {{ s.subject }}\n{{ url }}\n"


def written(folder: Path, **files: str) -> Path:
    """Write files; `__` stands for a slash, a single `_` before the ending for a dot."""
    for name, octets in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(octets, encoding="utf-8")
    return folder


def troubles(folder: Path) -> list[str]:
    return [str(each) for each in read_own(folder, TOKYO).troubles]


def letters_with(folder: Path, links: Links) -> Composers:
    return Composers(links, TOKYO, AUTHOR, Wording(TOKYO, read_own(folder, TOKYO).forms))


def test_a_letter_of_their_own_is_sent_with_a_subject_of_their_own(
    tmp_path: Path, spool: MemorySpool, links: Links
) -> None:
    folder = written(tmp_path, ja__hold_txt=GOOD, hold_subject_txt="【目黒区】\n{{ s.subject }}")
    assert troubles(folder) == []
    mail = read_back(
        letters_with(folder, links).hold(hold(spool, "Q1", ["sato@example.com"]), notice(), None)
    )
    assert mail["Subject"] == "【目黒区】 テニス教室のお知らせ"
    assert text(mail).splitlines() == ["保留しました: テニス教室のお知らせ", links.url("Q1", SENDER)]
    assert "<h1" in text(mail, "html")
    assert set(read_own(folder, TOKYO).forms) == {("hold", "ja"), ("hold", "en")}


def test_a_link_out_of_the_folder_is_no_template(tmp_path: Path) -> None:
    """Who may write letters may not read with the gateway's eyes; a link within the folder is one (ConfigMaps are)."""
    (tmp_path / "master.key").write_text("secret {{ url }}", encoding="utf-8")
    folder = tmp_path / "letters"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "hold.html").write_text("<p>{{ url }}</p>", encoding="utf-8")
    (folder / "hold.html").symlink_to("..data/hold.html")
    (folder / "hold.txt").symlink_to(tmp_path / "master.key")
    assert troubles(folder) == ["hold.txt: a link that leads out of the folder"]


def test_a_piece_of_all_letters_changes_all_of_them(tmp_path: Path) -> None:
    folder = written(tmp_path, foot_txt="{% include '_office.txt' %}\n")
    (folder / "_office.txt").write_text("区役所 {{ _('Outside') }}\n", encoding="utf-8")
    own = read_own(folder, TOKYO)
    assert own.troubles == ()
    assert ("report", "ja") in own.forms
    assert ("second_mail", "ja") not in own.forms
    said = Wording(TOKYO, own.forms).say("left", "ja", samples(TOKYO)["left", "ja"][0])
    assert said.text.endswith("区役所 外部")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"hold_txt": "{{ url }}\n{{ s.subjekt }}"}, "hold.txt:2: 'gateway.notices.summary.Summary object' has no attr"),
        ({"hold_txt": "{{ url }}\n\n{% if %}"}, "hold.txt:3: Expected an expression"),
        ({"hold_html": "<p>{{ nothing }}</p>"}, "hold.html:1: 'nothing' is undefined (in the letter 'hold')"),
        ({"hold_txt": "no link"}, "hold.txt: the letter 'hold' has to show url, and does not"),
        ({"hold_txt": "{% if s.total > 9 %}{{ url }}{% endif %}"}, "hold.txt: the letter 'hold' has to show url"),
        ({"hold_html": "{{ url[:-1] }}"}, "hold.html: the letter 'hold' has to show url"),
        ({"holds_txt": "{{ mails[0].url }}{{ mails[0].subject }}"}, "holds.txt: the letter 'holds' has to show mails[].url"),
        ({"code_txt": "x"}, "code.txt: the letter 'code' has to show code, and does not"),
        ({"hold_txt": "{% include 'other.txt' %}"}, "hold.txt: there is no template 'other.txt'"),
        ({"hold_txt": "{% include url %}"}, "hold.txt: a template is named by a variable; write its name"),
        ({"hold_txt": "{{ ''.__class__.__mro__ }}{{ url }}"}, "hold.txt:1: access to attribute '__class__'"),
        ({"hold_txt": "{{ needs.append(1) }}{{ url }}"}, "hold.txt:1: "),
        ({"hold_txt": "{% for n in range(10**9) %}{% endfor %}{{ url }}"}, "hold.txt:1: Range too big"),
        ({"hold_txt": "{{ 'x' * 2000000 }}{{ url }}"}, f"hold.txt: more than {MAX_TEXT} characters"),
        ({"hold_subject_txt": "{{ nobody }}"}, "hold.subject.txt:1: 'nobody' is undefined"),
        ({"hodl_txt": GOOD}, "hodl.txt: no letter is called so (did you mean 'hold.txt'?)"),
        ({"hold_txt": "x" * (MAX_FILE + 1)}, f"hold.txt: larger than {MAX_FILE} octets"),
        ({"fr__hold_txt": GOOD}, "fr/?: not a folder of a language"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, files: dict[str, str], told: str) -> None:
    found = troubles(written(tmp_path, **files))
    assert found
    assert found[0].startswith(told)


def test_a_file_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "hold.txt").write_bytes("保留".encode("shift_jis"))
    assert troubles(tmp_path) == ["hold.txt: not UTF-8 at octet 0"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert troubles(tmp_path / "gone") == [f"{tmp_path}/gone: No such file or directory"]


def test_where_one_form_is_broken_the_whole_letter_is_ours_and_others_stay_theirs(tmp_path: Path) -> None:
    folder = written(tmp_path, hold_txt=GOOD, hold_html="{{ oops }}", left_txt="{{ s.total }}")
    own = read_own(folder, TOKYO)
    assert {name for name, _ in own.forms} == {"left"}
    assert {each.file for each in own.troubles} == {"hold.html"}


def test_html_of_theirs_is_escaped(tmp_path: Path, spool: MemorySpool, links: Links) -> None:
    folder = written(tmp_path, hold_html="<p>{{ s.subject }}</p><a href='{{ url }}'>x</a>")
    message = hold(spool, "Q1", ["sato@example.com"], subject="<script>alert(1)</script>")
    told = text(read_back(letters_with(folder, links).hold(message, notice(), None)), "html")
    assert "<script>" not in told
    assert "&lt;script&gt;" in told


def test_a_letter_goes_out_as_ours_where_theirs_fails_for_one_mail(
    tmp_path: Path, spool: MemorySpool, links: Links, events: list[MutableMapping[str, Any]]
) -> None:
    loses = "{% if s.subject != '例外' %}{{ url }}{% endif %}{{ 1 // (s.total - 2) }}"
    folder = written(tmp_path, hold_txt=loses)
    composers = letters_with(folder, links)
    lost = hold(spool, "Q1", ["sato@example.com"], subject="例外")
    fails = hold(spool, "Q2", ["sato@example.com", "suzuki@example.net"])
    for message in (lost, fails):
        mail = read_back(composers.hold(message, replace(notice(), queue_id=message.queue_id), None))
        assert "次のメールの送信を保留しています。" in text(mail)
        assert links.url(message.queue_id, SENDER) in text(mail)
    assert [each["event"] for each in events] == ["notice-template-loses", "notice-template-failed"]


def test_every_letter_of_ours_has_a_sample_and_says_what_it_must() -> None:
    tried = samples(TOKYO)
    pieces = {"facts", "frame", "foot", "outlook", "incident_facts"}
    assert {name for name, _ in tried} == {file.partition(".")[0] for file in OURS} - pieces
    assert set(REQUIRED) <= {name for name, _ in tried}
    for (name, language), cases in tried.items():
        for values in cases:
            said = Wording(TOKYO).say(name, language, values)
            assert said.subject == values["subject"]
