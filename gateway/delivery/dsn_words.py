"""The words of a delivery status notification: what happened, why, and what the sender can do. Pure.

Written for a clerk, not for a postmaster; the server's own words follow below them, for whoever has to help.
"""

from __future__ import annotations

from gateway.delivery.dsn_status import Action
from gateway.policy.demands import Language, Text

SUBJECTS = {
    Action.FAILED: Text("【配信できませんでした】", "[Not delivered] "),
    Action.DELAYED: Text("【配信が遅れています】", "[Delayed] "),
    Action.RELAYED: Text("【相手側のサーバーに渡しました】", "[Handed over] "),
}

INTROS = {
    Action.FAILED: Text(
        "次の宛先には、メールを届けることができませんでした。再送は行いません。",
        "Your mail could not be delivered to the recipients below. It will not be tried again.",
    ),
    Action.DELAYED: Text(
        "次の宛先には、まだメールを届けられていません。配信を自動で繰り返していますので、送り直さないでください。",
        "Your mail has not reached the recipients below yet. It is being tried again by itself; do not resend it.",
    ),
    Action.RELAYED: Text(
        "次の宛先へのメールを、次のサーバーに渡しました。そのサーバーは配信の結果を通知しないため、"
        "相手のメールボックスに届いたかどうかはお知らせできません。",
        "Your mail to the recipients below was handed to the next mail server. That server does not report what "
        "becomes of it, so nothing can be said about its arrival.",
    ),
}
PERHAPS = Text(
    "ただし、途中で相手のサーバーの応答が途絶えた回があるため、メールはすでに届いている可能性があります。"
    "送り直す前に、相手に確かめてください。",
    "One attempt ended without an answer from the server, so the mail may have arrived all the same. "
    "Ask the recipient before you send it again.",
)
UNTIL = Text("この日時まで試みます: ", "It will be tried until: ")
OTHERS = Text(
    "ここに挙げた宛先以外については、この通知では何も変わりません。",
    "Nothing in this notice is about any other recipient of your mail.",
)
SUBJECT = Text("件名: ", "Subject: ")
SENT = Text("受け付けた日時: ", "Accepted: ")
QUEUE_ID = Text("受付番号: ", "Queue id: ")
SERVER_SAYS = Text("相手のサーバーの応答: ", "The mail server said: ")

_CAUSES: tuple[tuple[str, Text], ...] = (
    ("5.1.10", Text("この宛先のドメインはメールを受け取りません。宛先を確かめてください。",
                    "This domain takes no mail. Check the address.")),
    ("5.1.1", Text("この宛先は存在しません。つづりを確かめて、正しい宛先へ送り直してください。",
                   "This address does not exist. Check its spelling and send to the correct address.")),
    ("5.1.2", Text("@ の右側(ドメイン)が存在しません。つづりを確かめて、送り直してください。",
                   "The part right of the @ does not exist. Check its spelling and send again.")),
    ("5.1", Text("この宛先には届けられません。宛先を確かめてください。",
                 "This address cannot be reached. Check the address.")),
    ("5.2.2", Text("相手のメールボックスがいっぱいです。別の方法で相手に知らせてください。",
                   "The recipient's mailbox is full. Tell them by another way.")),
    ("5.2", Text("相手のメールボックスが使えません。別の方法で相手に連絡してください。",
                 "The recipient's mailbox cannot be used. Contact them by another way.")),
    ("5.3.4", Text("メールが大きすぎます。添付ファイルを小さくするか、別の方法で渡してください。",
                   "The mail is too large. Make the attachments smaller or hand them over another way.")),
    ("5.4.6", Text("メールが同じ所を回っています。管理者に連絡してください。",
                   "The mail goes round in a loop. Tell your administrator.")),
    ("5.6.5", Text("添付ファイルを暗号化できなかったため、送りませんでした。ファイルを確かめてください。",
                   "The attachments could not be protected, so nothing was sent. Check the files.")),
    ("5.7.5", Text("添付ファイルの鍵がなくなっていたため、送りませんでした。もう一度送ってください。",
                   "The key of the attachments is gone, so nothing was sent. Send the mail again.")),
    ("5.6.7", Text("相手のサーバーは英数字以外のメールアドレスに対応していません。別のアドレスへ送ってください。",
                   "The server does not take addresses with such characters. Use another address.")),
    ("5.6.3", Text("相手のサーバーはこの形式(8ビット)のメールを受け取れません。管理者に連絡してください。",
                   "The server does not take mail in this form (8-bit). Tell your administrator.")),
    ("5.7", Text("相手のサーバーが受け取りを拒みました。管理者に連絡してください。",
                 "The server refused the mail by its rules. Tell your administrator.")),
    ("5", Text("相手のサーバーが受け取りを断りました。下の応答を添えて、管理者に連絡してください。",
               "The server refused the mail. Show the reply below to your administrator.")),
    ("4.4.7", Text("何度も試みましたが、期限までに届けられませんでした。宛先を確かめ、別の方法でも連絡してください。",
                   "It was tried again and again until its time ran out. Check the address, or use another way.")),
    ("2", Text("次のサーバーが受け取りました。", "The next server took the mail.")),
    ("4", Text("相手のサーバーが今は受け取れません。",
               "The server cannot take the mail at the moment.")),
)  # fmt: skip


def cause(status: str, language: Language) -> str:
    """Return the sentence for an enhanced status code: the most specific entry that it begins with."""
    for prefix, text in _CAUSES:
        if status == prefix or status.startswith(f"{prefix}."):
            return text.in_(language)
    return _CAUSES[-1][1].in_(language)
