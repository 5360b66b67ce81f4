"""The words of `sekisho policy explain`, in Japanese and English. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from gateway.cli.attachment_words import handling_lines, names_of
from gateway.cli.printable import printable
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.policy.difference import Fate
from gateway.policy.explain import Explained
from gateway.units import format_duration

_WORDS = {
    Language.JA: {
        "refused": "拒否されます(誰にも送られません)",
        "external": "外部",
        "internal": "内部",
        "at_once": "すぐに届きます",
        "leaves": "送信予定: {at:%Y-%m-%d %H:%M:%S %z}",
        "firm": "送信者は早められません: {at:%Y-%m-%d %H:%M:%S} まで",
        "waivable": "送信者は今すぐ送ることも、取り消すこともできます",
        "reasoned": "理由を書けば早められます(理由なしでは {at:%Y-%m-%d %H:%M:%S} まで)",
        "confirm": "送信者の確認待ち: {items}({within}以内、{otherwise})",
        "recipients": "宛先の確認",
        "attachments": "添付の確認",
        "both": "宛先と添付の確認",
        "remind": "再度のお知らせ: {spans} 後",
        "approve": "承認待ち: {name} のうち {count}名({within}以内、{otherwise})",
        "escalates": "{after}後からは {people} も承認できます",
        "approvers": "承認できる人: {people}",
        "cancel": "なければ取消",
        "release": "なければ送信",
        "watched": "記録のみのルール {rule}: {count}件の宛先に該当",
        "original": "ヘッダーは元のまま",
        "bcc": "宛先は隠されます(Bcc)",
        "individual": "宛先は本人だけになります(個別送信)",
        "sees": "見える外部の宛先: {people}",
        "because": "ルール",
        "no_rule": "適用されるルールはありません",
        "header": "この受信者に見えるヘッダー",
        "notice": "通知先: {people}",
        "sender": "送信者",
        "dropped": "届きません(ルールにより送信されません)",
        "copy": "控え(ほかの人には知らされません)",
        "route": "中継先: {names}",
        "disclaimers": "本文の下に付く文面: {names}",
        "left_out": "次の文面は付けられません: {names}({why})",
        "report": "結果の報告先: {people}",
        "left": "送信が済んだら送信者に知らせます",
        "colleagues": "すぐに届く内部の受信者は、外部への送信を止められます",
        "signed": "署名または暗号化されたメールのため",
        "unclear": "構造が一通りに読めないため",
        "no-text": "文面を置ける本文がないため",
        "too-large": "本文が大きすぎるため",
        "encoding": "本文の符号化が壊れているため",
        "charset": "本文の文字コードが確かでないため",
        "part-header": "本文のヘッダーを書き直せないため",
        "structure": "メールの構造が変わってしまうため",
    },
    Language.EN: {
        "refused": "refused (nobody gets it)",
        "external": "external",
        "internal": "internal",
        "at_once": "leaves at once",
        "leaves": "leaves at {at:%Y-%m-%d %H:%M:%S %z}",
        "firm": "the sender cannot make it leave before {at:%Y-%m-%d %H:%M:%S}",
        "waivable": "the sender may send it now, or cancel",
        "reasoned": "the sender may make it leave sooner with a reason (without one not before {at:%Y-%m-%d %H:%M:%S})",
        "confirm": "waits for the sender to confirm {items}, within {within}, else {otherwise}",
        "recipients": "the recipients",
        "attachments": "the attachments",
        "both": "recipients and attachments",
        "remind": "reminds after {spans}",
        "approve": "waits for {count} of {name} to approve, within {within}, else {otherwise}",
        "escalates": "after {after} also {people} may approve",
        "approvers": "may approve: {people}",
        "cancel": "it is cancelled",
        "release": "it leaves",
        "watched": "a rule that only watches, {rule}, would apply to {count} recipients",
        "original": "header section as it came",
        "bcc": "recipients hidden (bcc)",
        "individual": "only the recipient's own address shown (individual)",
        "sees": "external people who stay visible: {people}",
        "because": "rule",
        "no_rule": "no rule asks for anything",
        "header": "the header section this recipient gets",
        "notice": "notices go to: {people}",
        "sender": "the sender",
        "dropped": "does not get it: a rule says so",
        "copy": "a copy; nobody else hears of it",
        "route": "leaves by: {names}",
        "disclaimers": "texts under it: {names}",
        "left_out": "texts that cannot stand under it: {names} ({why})",
        "report": "reports go to: {people}",
        "left": "the sender is told when it has left",
        "colleagues": "recipients inside who get it at once can stop what has not left for outside",
        "signed": "the mail is signed or encrypted",
        "unclear": "its structure can be read in two ways",
        "no-text": "it has no text to put them under",
        "too-large": "its text is too large",
        "encoding": "its text is not what its transfer encoding allows",
        "charset": "nobody can tell the charset of its text",
        "part-header": "the header of its text cannot be written anew",
        "structure": "the mail would have other parts than before",
    },
}


def explanation_text(
    decision: Decision, explained: Sequence[Explained], headers: Sequence[bytes], language: Language
) -> str:
    """Return the explanation for people."""
    lines = [*_whole_mail(decision, language)]
    for one, header in zip(explained, headers, strict=True):
        lines += ["", *recipient_lines(one, language, names_of(decision))]
        if not decision.refusals and not one.dropped:
            lines += [f"  {_WORDS[language]['header']}:", *_shown(header)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _whole_mail(decision: Decision, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    for refusal in decision.refusals:
        yield f"{words['refused']}: {refusal.rule}: {refusal.text.in_(language)}"
    told = [*([words["sender"]] if decision.notify_sender else []), *sorted(decision.notify)]
    if told:
        yield words["notice"].format(people=", ".join(told))
    if decision.tell_left:
        yield words["left"]
    if decision.colleagues_may_stop:
        yield words["colleagues"]
    for watched in decision.watched:
        yield words["watched"].format(rule=watched.rule, count=watched.recipients)
    if decision.report_to:
        yield words["report"].format(people=", ".join(sorted(decision.report_to)))


def recipient_lines(one: Explained, language: Language, files: Mapping[int, str]) -> Iterator[str]:
    """Yield what one recipient gets, in words; `files` are the names of the mail's files, by place."""
    words = _WORDS[language]
    yield printable(f"{one.address} [{words['external' if one.external else 'internal']}]")
    if one.copy:
        yield f"  {words['copy']}"
    if one.dropped:
        yield f"  {words['dropped']}"
        yield from _rules(one, language)
        return
    if one.window or one.fate is not Fate.KEY:  # or it leaves when there is a way, whatever the time
        yield f"  {words['leaves'].format(at=one.leaves_at.astimezone()) if one.held else words['at_once']}"
    yield from map(printable, _people(one, language))
    if one.held and one.window:
        yield f"  {_waiver(one, language)}"
    yield f"  {words[one.form]}"
    yield from _leaving(one, language)
    if one.handling is not None:
        yield from (printable(f"  {line}") for line in handling_lines(one.handling, files, language))
    if one.sees:
        yield printable(f"  {words['sees'].format(people=', '.join(one.sees))}")
    for name, value in one.tags:
        yield f"  + {name}: {value}"
    yield from _rules(one, language)


def _leaving(one: Explained, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    if one.routes:
        yield f"  {words['route'].format(names=', '.join(one.routes))}"
    names = printable(", ".join(one.disclaimers))
    if one.left_out:
        yield f"  {words['left_out'].format(names=names, why=words[one.left_out])}"
    elif names:
        yield f"  {words['disclaimers'].format(names=names)}"


def _rules(one: Explained, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    for applied in one.applied:
        place = f" ({applied.place})" if applied.place else ""
        yield printable(f"  {words['because']} {applied.rule}{place}: {applied.reason.in_(language)}")
    if not one.applied:
        yield f"  {words['no_rule']}"


def _people(one: Explained, language: Language) -> Iterator[str]:
    """Yield whom the recipient waits for, whatever the time."""
    words = _WORDS[language]
    for each in one.confirm:
        until = {"within": format_duration(each.within), "otherwise": words[each.otherwise]}
        yield f"  {words['confirm'].format(items=words[each.items], **until)}"
        yield from _reminders(each.remind, words)
    for asked in one.approvals:
        until = {"within": format_duration(asked.within), "otherwise": words[asked.otherwise]}
        yield f"  {words['approve'].format(name=asked.name, count=asked.at_least, **until)}"
        for step in asked.steps:
            people = ", ".join(approver.address for approver in step.approvers)
            key = "escalates" if step.after else "approvers"
            yield f"    {words[key].format(after=format_duration(step.after), people=people)}"
        yield from _reminders(asked.remind, words)


def _reminders(remind: Sequence[timedelta], words: Mapping[str, str]) -> Iterator[str]:
    if remind:
        yield f"    {words['remind'].format(spans=', '.join(map(format_duration, remind)))}"


def _waiver(one: Explained, language: Language) -> str:
    if one.firm:
        return _WORDS[language]["firm"].format(at=one.firm_until.astimezone())
    if one.reasoned_until is not None:
        return _WORDS[language]["reasoned"].format(at=one.reasoned_until.astimezone())
    return _WORDS[language]["waivable"]


def _shown(header: bytes) -> Iterator[str]:
    """Yield the header's lines for a terminal: control characters must not act there."""
    for line in header.decode("utf-8", "replace").split("\r\n")[:-2]:
        yield "    " + "".join(
            c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line
        )
