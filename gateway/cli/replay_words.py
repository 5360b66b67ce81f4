"""The words of `sekisho policy replay` and `diff`, in Japanese and English, and the same as data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.cli.printable import printable
from gateway.policy.demands import Language
from gateway.policy.difference import Difference, Fate
from gateway.policy.replay import Verdict
from gateway.policy.tally import Differing, Tally

TOP = 10  # rules and senders that are printed; --json has them all

_WORDS = {
    Language.JA: {
        "mails": "メール{mails}通(宛先{recipients}件)。同じ{same}通、異なる{differ}通"
        "(厳しくなる{stricter}、緩くなる{milder}、両方{different})、判定できない{untold}通",
        "skipped": "対象外 {count}通: {cause}",
        "unrecorded": "事実の記録がない",
        "refused-then": "当時拒否された(何も保存されていない)",
        "unreadable": "記録が読めない",
        "recipients": "宛先の扱い",
        "then": "以前",
        "now": "変更後",
        "form": "送る形",
        "rules": "ルール(該当したメール: 以前 / 変更後)",
        "untold-rules": "本文やヘッダーなど、記録にないものを見るルール",
        "watched": "記録のみ{count}",
        "differs": "違いが出た{count}",
        "senders": "違いの多い送信者",
        "list": "異なるメール",
        "more": "ほか{count}通(--limit)",
        "count": "{count}通",
        "people": "宛先{count}件",
    },
    Language.EN: {
        "mails": "{mails} mails ({recipients} recipients): {same} the same, {differ} differ "
        "({stricter} stricter, {milder} milder, {different} both), {untold} cannot be told",
        "skipped": "{count} not tried: {cause}",
        "unrecorded": "no facts were recorded",
        "refused-then": "refused then, nothing of them is kept",
        "unreadable": "the record cannot be read",
        "recipients": "what recipients meet",
        "then": "then",
        "now": "now",
        "form": "the form they get",
        "rules": "rules (mails they applied to: then / now)",
        "untold-rules": "rules that ask for what no record holds",
        "watched": "{count} only watched",
        "differs": "differs in {count}",
        "senders": "senders whose mail differs most",
        "list": "mails that differ",
        "more": "and {count} more (--limit)",
        "count": "{count}",
        "people": "{count} recipients",
    },
}
_NAMES = {
    Language.JA: {
        "at-once": "すぐに送る",
        "held": "保留",
        "confirmation": "送信者の確認待ち",
        "key": "鍵の伝え方待ち",
        "approval": "承認待ち",
        "dropped": "宛先から外す",
        "refused": "拒否",
        "original": "元のまま",
        "bcc": "Bcc",
        "individual": "個別送信",
        "stricter": "厳しくなる",
        "milder": "緩くなる",
        "different": "両方",
        "window": "保留",
        "firm": "短縮できない保留",
        "reasoned": "理由が要る短縮",
        "form": "宛先の見せ方",
        "hide_internal": "内部も隠す",
        "tags": "印",
        "confirm": "確認",
        "approvals": "承認",
        "drop": "宛先から外す",
        "routes": "経路",
        "disclaimers": "署名文",
        "protections": "添付の保護",
        "external": "外部",
        "sees": "見える外部の宛先",
        "notify_sender": "送信者への通知",
        "notify": "通知先",
        "tell_left": "送信完了の通知",
        "colleagues_may_stop": "内部の受信者による停止",
        "bcc_to": "控えの送り先",
        "report_to": "報告先",
    },
    Language.EN: {
        "at-once": "leave at once",
        "confirmation": "wait for the sender to confirm",
        "approval": "wait for approval",
        "key": "wait for a way for the key",
        "held": "held for a time",
        "original": "as it came",
        "window": "hold",
        "hide_internal": "hides internal addresses",
        "approvals": "approve",
        "protections": "attachments",
        "drop": "dropped",
        "notify_sender": "notice to the sender",
        "tell_left": "notice when it has left",
        "colleagues_may_stop": "colleagues may stop it",
    },
}


def word(key: str, language: Language) -> str:
    """Return the name of a demand, a fate or a form; one that has no word here stands for itself."""
    return _NAMES[language].get(key, key)


def difference_text(each: Difference, language: Language) -> str:
    """Return one difference as a person reads it."""
    people = _WORDS[language]["people"].format(count=each.recipients)
    return f"{word(each.what, language)}: {each.then} -> {each.now} ({people})"


def report_text(tally: Tally, language: Language, *, subjects: bool) -> str:
    """Return the report for people."""
    return "\n".join(map(printable, _lines(tally, language, subjects))) + "\n"


def _lines(tally: Tally, language: Language, subjects: bool) -> Iterator[str]:
    words = _WORDS[language]
    figures = {each.value: tally.verdicts[each] for each in Verdict}
    yield words["mails"].format(
        mails=tally.mails, recipients=tally.recipients, differ=tally.differ, **figures
    )
    for cause, count in tally.skipped.items():
        yield "  " + words["skipped"].format(count=count, cause=words[cause])
    yield from _table(tally, language)
    yield from _rules(tally, language)
    if tally.senders:
        yield words["senders"]
        for sender, count in tally.senders.most_common(TOP):
            yield f"  {words['count'].format(count=count):>6}  {sender}"
    if tally.listed:
        yield words["list"]
        for mail in tally.listed:
            yield from _mail(mail, language, subjects)
    if left := tally.differ - len(tally.listed):
        yield "  " + words["more"].format(count=left)


def _table(tally: Tally, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    yield f"{words['recipients']}: {words['then']} -> {words['now']}"
    for fate in Fate:
        then, now = tally.fates_then[fate], tally.fates_now[fate]
        if then or now:
            yield f"  {word(fate, language)}: {then} -> {now}"
    yield f"{words['form']}: {words['then']} -> {words['now']}"
    for form in sorted({*tally.forms_then, *tally.forms_now}):
        yield f"  {word(form, language)}: {tally.forms_then[form]} -> {tally.forms_now[form]}"


def _rules(tally: Tally, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    if tally.rules:
        yield words["rules"]
    order = sorted(tally.rules.items(), key=lambda item: (-item[1].gained - item[1].lost, item[0]))
    for rule, count in order:
        said = [f"{count.then} / {count.now}"]
        said += [words["watched"].format(count=count.watched)] if count.watched else []
        differs = count.gained + count.lost
        said += [words["differs"].format(count=differs)] if differs else []
        yield f"  {rule}: {', '.join(said)}"
    if untold := [rule for rule, count in order if count.untold]:
        yield f"{words['untold-rules']}: {', '.join(untold)}"


def _mail(mail: Differing, language: Language, subjects: bool) -> Iterator[str]:
    subject = f"  {mail.subject}" if subjects else ""
    at = mail.at.astimezone().isoformat(timespec="seconds")
    yield f"  {mail.queue_id}  {at}  {mail.sender}  {word(mail.verdict, language)}{subject}"
    rules = [f"+{rule}" for rule in mail.gained] + [f"-{rule}" for rule in mail.lost]
    if rules:
        yield f"      {' '.join(rules)}"
    for each in mail.differences:
        yield f"      {difference_text(each, language)}"


def report_json(tally: Tally, *, subjects: bool) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "mails": tally.mails,
        "recipients": tally.recipients,
        "differ": tally.differ,
        **{each.value: tally.verdicts[each] for each in Verdict},
        "skipped": dict(tally.skipped),
        "fates": {
            fate.value: {"then": tally.fates_then[fate], "now": tally.fates_now[fate]} for fate in Fate
        },
        "forms": {
            form: {"then": tally.forms_then[form], "now": tally.forms_now[form]}
            for form in sorted({*tally.forms_then, *tally.forms_now})
        },
        "rules": {
            rule: {key: getattr(count, key) for key in ("then", "now", "watched", "gained", "lost", "untold")}
            for rule, count in sorted(tally.rules.items())
        },
        "senders": dict(tally.senders.most_common()),
        "mails_that_differ": [_mail_json(mail, subjects) for mail in tally.listed],
    }


def _mail_json(mail: Differing, subjects: bool) -> dict[str, Any]:
    return {
        "queue_id": mail.queue_id,
        "at": mail.at.isoformat(),
        "sender": mail.sender,
        **({"subject": mail.subject} if subjects else {}),
        "verdict": mail.verdict.value,
        "gained": list(mail.gained),
        "lost": list(mail.lost),
        "differences": [
            {"what": d.what, "then": d.then, "now": d.now, "recipients": d.recipients}
            for d in mail.differences
        ],
    }
