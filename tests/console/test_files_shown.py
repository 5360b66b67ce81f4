"""What the pages say of a mail's files: what becomes of each, for whom, how the key gets there, and why something is stuck."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from gateway.console import key_words
from gateway.file_fates import fate, obstacle, way_name
from gateway.languages import Words
from gateway.links import Links
from gateway.policy.handling import Attached
from gateway.policy.protection import How, Way
from gateway.sealing.told import OBSTACLES
from gateway.spool.key_contract import KeyStatus, Stage
from tests.console.browser import read
from tests.console.conftest import FileSpool
from tests.console.handled import LINKED, LIST, OPEN_WAYS, PLAN, SEALED, STUCK, TOKYO, arrive, protect
from tests.memory_spool import NOON, SENDER, hold

JA, EN = Words("ja", TOKYO), Words("en", TOKYO)
THREE = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")
HOSTILE = '"><script>alert(1)</script>\u202egpj.exe'


async def text_of(client: httpx.AsyncClient, links: Links, language: str = "ja", queue_id: str = "Q1") -> str:
    answer = await client.get(links.url(queue_id, SENDER) + f"?lang={language}")
    assert answer.status_code == 200
    return read(answer).text


async def test_a_mail_whose_files_nobody_protects_says_nothing_of_them(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    hold(spool, "Q1", THREE)
    spool.keys.down = spool.shares.down = True  # and its keys and shares are not even asked for
    text = await text_of(client, links)
    assert "ファイルの扱い" not in text
    assert "取り戻せるか" not in text


async def test_what_becomes_of_each_file_and_how_the_key_gets_there(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, SEALED, THREE, inside=("kato@sports.example.jp",))
    text = await text_of(client, links)
    for told in (
        "ファイルの扱い",
        "名簿.csv 812 B 暗号化ZIP（AES-256）に入れます",
        "計画.pdf 1.3 MB 鍵で開くPDFにします",
        "あなたが電話で伝える",
        "送信後に電話で伝えてください",
        "1件の宛先には、ファイルをそのまま送ります。",
        "鍵を見られるのは 12月4日(金) 12:00 までです。",
        "メールの送信後、ここで鍵を見て電話で伝えられるようになります。",
    ):
        assert told in text
    assert "鍵と伝え方を表示する" not in text


async def test_each_class_of_recipients_has_its_own_handling(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    message = protect(spool, SEALED, THREE)
    outcomes = (message.decision.outcomes[0], replace(message.decision.outcomes[0], handling=LINKED))
    decision = replace(message.decision, outcomes=outcomes, assigned=(0, 1, 1))
    spool.messages["Q1"] = replace(message, decision=decision)
    sheet = read(await client.get(links.url("Q1", SENDER)))
    assert sheet.text.count("ダウンロードページで渡します") == 2
    assert sheet.text.count("暗号化ZIP（AES-256）に入れます") == 1


async def test_files_that_are_left_alone_say_why(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    sealed_already = replace(LIST, state="encrypted")
    protect(spool, replace(SEALED, forms=()), files=(sealed_already, PLAN))
    text = await text_of(client, links, "en")
    assert "it is encrypted already, and you know its key" in text
    assert "no rule asks for its protection" in text


@pytest.mark.parametrize(
    "word", [*sorted(OBSTACLES), "partly-encrypted", "too-large", "no-way", "no-page", "a-new-word"]
)
async def test_an_obstacle_says_what_to_do_and_when_it_ends(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, word: str
) -> None:
    protect(spool, replace(STUCK, obstacle=word))
    text = await text_of(client, links)
    told = obstacle(word, JA)
    assert told.why in text
    assert told.advice in text
    assert "何もしなければ、11月21日(土) 12:00 に送信を取り消します。" in text
    assert "扱いが決まらないため、送信しません" in text
    assert "そのまま送ります" not in text
    assert "このメールを取り消す" in text


def test_every_obstacle_has_words_of_its_own() -> None:
    general = obstacle("a-new-word", EN).why
    for word in OBSTACLES | {"partly-encrypted", "too-large", "no-way", "no-page"}:
        assert obstacle(word, EN).why != general, word


@pytest.mark.parametrize("how", [*How, None])
@pytest.mark.parametrize("kind", ["pdf", "docx", "", "png"])
def test_every_form_has_words(how: How | None, kind: str) -> None:
    file = Attached(1, "a", kind, 1, "plain")
    assert fate(file, how, JA) != fate(file, how, EN)


def test_a_file_that_cannot_keep_its_kind_is_said_to_be_in_a_zip() -> None:
    assert "ZIP" in fate(Attached(1, "a.png", "png", 1, "plain"), How.NATIVE, EN)
    assert "PDF" not in fate(Attached(1, "a.png", "png", 1, "plain"), How.NATIVE, EN)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    "way", [*[way for way in Way if way is not Way.CODE_PAGE], None]
)  # which opens links that have no key
def test_every_stage_of_every_way_has_words(way: Way | None, stage: Stage) -> None:
    status = KeyStatus(0, way, stage, NOON)
    for words in (JA, EN):
        assert key_words.stage(status, words)
        assert key_words.way(status, words)
    assert stage in key_words.TONES


def test_what_never_went_is_never_said_to_have_gone() -> None:
    for way in Way:
        for stage, told in ((Stage.STOPPED, "stopped, never sent"), (Stage.FAILED, "could not be sent")):
            assert key_words.stage(KeyStatus(0, way, stage, NOON), EN) == told
    assert way_name(Way.SMS, JA) == "ショートメッセージ（SMS）"


async def test_where_a_key_went_is_told_by_its_last_digits_only(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, replace(SEALED, way=Way.SMS), THREE)
    spool.keys.put("Q1", 0, Way.SMS, Stage.FAILED, to="…5678", detail="refused-number")
    spool.keys.put("Q1", 1, Way.SMS, Stage.ARRIVED, to="…1234", detail="a word that is not known")
    text = await text_of(client, links)
    assert "ショートメッセージ（SMS） …5678. この番号はSMSを受け取れないか、使われていません。" in text
    assert "…1234" in text
    assert "届きました" in text
    assert "a word that" not in text


async def test_copies_that_a_rule_adds_are_nobodys_to_see(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, OPEN_WAYS, (*THREE, "auditor@example.org"), copied=1)
    for url in (links.url("Q1", SENDER), links.approval_url("Q1", "chief@sports.example.jp")):
        answer = await client.get(url)
        assert "auditor" not in answer.text
        assert 'value="3"' not in answer.text
    assert "3件の宛先に、どの方法で鍵を届けますか。" in await text_of(client, links)


async def test_names_that_a_stranger_chose_lay_out_nothing(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    files = (replace(LIST, name=HOSTILE), replace(PLAN, name=""))
    protect(spool, SEALED, files=files, subject="<b>件名</b>")
    arrive(spool, 0)
    for url in (links.url("Q1", SENDER), links.approval_url("Q1", "chief@sports.example.jp")):
        answer = await client.get(url)
        assert "<script>alert" not in answer.text
        assert "\u202e" not in answer.text
        assert "(名前なし)" in answer.text or "(no name)" in answer.text


async def test_an_approver_sees_the_files_and_no_button_for_keys(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, SEALED, THREE)
    arrive(spool, 0)
    spool.keys.tell("Q1", 0)
    answer = await client.get(links.approval_url("Q1", "chief@sports.example.jp"))
    text = read(answer).text
    assert "暗号化ZIP（AES-256）に入れます" in text
    assert "鍵の届け方: あなたが電話で伝える" in text
    assert "/key" not in answer.text
    assert "/supply" not in answer.text
    assert spool.keys.shows == []


async def test_a_thousand_recipients_and_a_hundred_files(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    many = tuple(f"r{number}@example.com" for number in range(2500))
    files = tuple(replace(LIST, place=number, name=f"f{number}.csv") for number in range(150))
    protect(spool, OPEN_WAYS, many, files=files)
    answer = await client.get(links.url("Q1", SENDER))
    text = read(answer).text
    assert "f99.csv" in text
    assert "f100.csv" not in text
    assert "ほか 50件" in text
    assert answer.text.count('name="number-') == 200
    assert "2500件すべてをこの方法にする" in text
    assert len(answer.content) < 4 << 20
