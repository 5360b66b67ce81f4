"""From a protected mail to the key that opens it: the whole gateway, the sender's page in a real browser, a real 7-Zip."""

from __future__ import annotations

import re
import smtplib
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.interop.chromium import Phone, phone
from tests.interop.conftest import require
from tests.interop.test_page import browse, link_in
from tests.process import Gateway, NextHop, Taken, gateway, wait_for

pytestmark = pytest.mark.interop

OFFICE, CITIZEN = "office@sports.example.jp", "citizen@example.com"
SECRET = b"0001,SECRET-OF-THE-ATTACHMENT\r\n"
RULE = """
  - id: protect-files
    reason: {ja: 添付ファイルを暗号化します, en: files leave encrypted}
    when: {external: {at_least: 1}}
    then: {attachments: {protect: zip-aes256, password_by: [WAY]}}
"""
PHONE = ("--window-size=390,2400", "--hide-scrollbars")


def with_list() -> bytes:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = OFFICE, CITIZEN, "tennis"
    mail.set_content("Please find the list attached.")
    mail.add_attachment(SECRET, maintype="text", subtype="csv", filename="名簿.csv")
    return mail.as_bytes()


def press(url: str, verb: str, **fields: str) -> str:
    """Press a button of the sender's page; return the page that answers."""
    with urlopen(url) as page:
        seal = re.search(r'name="seal" value="([^"]+)"', page.read().decode())
    assert seal is not None
    request = Request(f"{url}/{verb}", urlencode({"seal": seal[1], **fields}).encode())
    request.add_header("Sec-Fetch-Site", "same-origin")
    with urlopen(request) as answered:
        return cast(bytes, answered.read()).decode()


def arrived(hop: NextHop, address: str) -> Taken:
    taken = wait_for(lambda: next((m for m in hop.taken if address in m.recipients), None), address)
    return cast(Taken, taken)


def attachments(taken: Taken) -> dict[str, bytes]:
    parsed = message_from_bytes(taken.raw, _class=EmailMessage, policy=policy.default)
    files = parsed.iter_attachments()
    return {each.get_filename() or "": cast(bytes, each.get_payload(decode=True)) for each in files}


def protecting(gw: Gateway, way: str = "sender") -> None:
    rules = gw.folder / "policies" / "default.yaml"
    text = rules.read_text(encoding="utf-8").replace("hold: 1h", "hold: 1h, notify: [sender]")
    rules.write_text(text.rstrip() + RULE.replace("WAY", way), encoding="utf-8")
    wait_for(lambda: gw.metric('sekisho_policy_reloads_total{result="changed"}') >= 2, "the new policy")


def test_the_key_on_the_page_opens_what_arrived(hop: NextHop, tmp_path: Path) -> None:
    require("chromium")
    seven = require("7z")
    with gateway(tmp_path, hop.port, window="1h") as gw:
        protecting(gw)
        with smtplib.SMTP("127.0.0.1", gw.smtp_port) as client:
            client.sendmail(OFFICE, [CITIZEN], with_list())
        url = link_in(arrived(hop, OFFICE).raw, gw)
        shown = browse(url, tmp_path / "profile", *PHONE, "--dump-dom")
        assert "暗号化ZIP（AES-256）に入れます" in shown
        assert "あなたが電話で伝える" in shown
        assert "鍵と伝え方を表示する" not in shown
        press(url, "release", which="all")
        (name, octets) = next(iter(attachments(arrived(hop, CITIZEN)).items()))
        wait_for(lambda: "鍵と伝え方を表示する" in _get(url), "the button for the key")
        page = press(url, "key")
        key = re.search(r'class="key"[^>]*>([^<]+)<', page)
        assert key is not None
        (tmp_path / name).write_bytes(octets)
        for word, right in ((key[1], True), ("not-the-key", False)):
            test = subprocess.run(
                [seven, "t", f"-p{word}", str(tmp_path / name)], capture_output=True, timeout=60, check=False
            )
            assert (test.returncode == 0) == right, test.stdout
        assert not [m for m in hop.taken if key[1].encode() in m.raw or SECRET in m.raw]
        assert key[1] not in gw.log_text
        with phone(require("chromium"), tmp_path) as screen:
            screen.open(url)
            fits(screen)
            screen.tab_to("#keys button")
            screen.press("Enter")
            screen.until("document.querySelector('.key') !== null")
            assert key[1] in screen.text()
            fits(screen)
            screen.picture(tmp_path / "key.png")


def test_a_number_is_typed_on_a_phone_with_keys_alone(hop: NextHop, tmp_path: Path) -> None:
    chromium = require("chromium")
    secret = tmp_path / "sms.secret"
    secret.write_text("a secret that both sides sign with")
    secret.chmod(0o600)
    carrier = f"channels: {{sms: {{webhook: {{url: 'http://127.0.0.1:9/', secret_file: {secret}}}}}}}\n"
    with gateway(tmp_path, hop.port, window="1h", extra=carrier) as gw, phone(chromium, tmp_path) as screen:
        protecting(gw, "sms")
        with smtplib.SMTP("127.0.0.1", gw.smtp_port) as client:
            client.sendmail(OFFICE, [CITIZEN], with_list())
        screen.open(link_in(arrived(hop, OFFICE).raw, gw))
        assert "鍵の届け方が決まっていません" in screen.text()
        fits(screen)
        for number, told in (
            ("03-1234-5678", "SMSを受け取れる番号ではありません"),
            ("090-1234-5678", "届け方を決めました"),
        ):
            screen.tab_to("input[type=tel]")
            screen.type(number)
            screen.tab_to("form[action*=supply] button")
            screen.press("Enter")
            screen.until(f"document.body.innerText.includes('{told}')")
            assert number not in str(screen.read("location.href"))
        assert "鍵の届け方が決まっていません" not in screen.text()
        screen.picture(tmp_path / "supplied.png")


def fits(screen: Phone) -> None:
    """Nothing of the page lies beside the screen."""
    assert screen.read("document.documentElement.scrollWidth <= window.innerWidth") is True


def _get(url: str) -> str:
    with urlopen(url) as page:
        return cast(bytes, page.read()).decode()
