"""What the pages of people say: roles, what was refused and why, where a session is."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.languages import Words, shown
from gateway.people.contract import Grant, Person, Role, TokenScope

MAX_TEXT = 200  # characters of anything that somebody wrote, on one line
MAX_GROUPS = 20  # that one sentence names
SHORT_AGENT = 40  # characters of a browser that nobody knows
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def role_name(role: Role, words: Words) -> str:
    """Return what a role is called."""
    return {
        Role.SENDER: words.gettext("Sender"),
        Role.APPROVER: words.gettext("Approver"),
        Role.ADMIN: words.gettext("Administrator"),
        Role.AUDITOR: words.gettext("Auditor"),
        Role.ORDERING: words.gettext("Ordering body"),
    }[role]


def role_hint(role: Role, words: Words) -> str:
    """Say what a role may do."""
    return {
        Role.SENDER: words.gettext("Own held mail; with groups, that of colleagues in them too."),
        Role.APPROVER: words.gettext("Mail that rules ask this person to approve, by the mailboxes above."),
        Role.ADMIN: words.gettext(
            "Held mail without its text, people; with groups, held mail of these alone."
        ),
        Role.AUDITOR: words.gettext("The log; the text of a mail only with a reason, which is logged."),
        Role.ORDERING: words.gettext("Log and figures of its contractors, never the text of a mail."),
    }[role]


def groups_hint(role: Role, words: Words) -> str:
    """Say what it means to name groups, or none."""
    if role is Role.SENDER:
        return words.gettext("Several with a comma between. Empty: own mail alone.")
    return words.gettext("Several with a comma between. Empty: for the whole organisation.")


def unknown_groups(named: Sequence[str], known: Sequence[str] | None, words: Words) -> str:
    """Say which of the groups named the policy does not have: they let somebody see nothing. Empty where it has all."""
    if known is None or not (missing := [name for name in named if name not in known]):
        return ""
    told = words.gettext("The policy has no group %(names)s.") % {"names": _listed(missing)}
    there = words.gettext("Its groups: %(names)s") % {"names": _listed(known)}
    return f"{told} {there}" if known else told


def _listed(names: Sequence[str]) -> str:
    return ", ".join(
        [shown(name, MAX_TEXT) for name in names[:MAX_GROUPS]] + ["…"] * (len(names) > MAX_GROUPS)
    )


def browser_name(agent: str) -> str:
    """Return the browser and the system that a User-Agent speaks of, as far as people know them."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " / ".join(filter(None, (browser, system))) or shown(agent, SHORT_AGENT)


def grant_words(grant: Grant, words: Words) -> str:
    """Return a role with its group."""
    name = role_name(grant.role, words)
    return f"{name} ({shown(grant.group, MAX_TEXT)})" if grant.group else name


def roles_of(person: Person, words: Words) -> str:
    """Return all roles of a person on one line."""
    return ", ".join(grant_words(grant, words) for grant in person.grants)


def refused(why: str, words: Words, minimum: int) -> str:
    """Say why something was not taken."""
    _ = words.gettext
    table = {
        "short": words.ngettext(
            "Too short: at least %(n)s character.", "Too short: at least %(n)s characters.", minimum
        ),
        "long": _("Too long."),
        "common": _(
            "This is one of the passwords that are tried first: a common word, a row of keys, or a name."
        ),
        "used": _("You have had this password before. Please choose a new one."),
        "differs": _("The two entries are not the same."),
        "wrong": _("This is not your current password."),
        "locked": _("Too many failed attempts. Please wait a while and try again."),
        "busy": _("Too many people are signing in at the moment. Please try again in a minute."),
        "code": _(
            "This code is not right. Check that the telephone has the right time, and wait for the next one."
        ),
        "exists": _("Somebody has this login already."),
        "login": _("A login has no spaces around it and at most 256 characters."),
        "name": _("Please enter a name of at most 100 characters."),
        "address": _("One of these is no mail address, or there are more than 50."),
        "grant": _("Please choose at least one."),
        "expires": _("Please enter 1 to 366 days."),
        "many": _("There are 50 already. Revoke one that is not needed any more."),
        "last-admin": _(
            "This is the only administrator of the whole organisation. Make somebody else one first."
        ),
        "confirm": _("Please type the login to confirm."),
        "oneself": _("You cannot do this to yourself."),
    }
    return table.get(why, _("This could not be done."))


def how_words(how: str, words: Words) -> str:
    """Say how somebody signed in."""
    _ = words.gettext
    table = {
        "password": _("with a password"),
        "totp": _("with a password and a one-time password"),
        "recovery-code": _("with a password and a recovery code"),
        "openid": _("through the organisation's sign-in"),
    }
    return table.get(how, how)


def scope_words(scope: TokenScope, words: Words) -> str:
    """Say what a token may be used for."""
    _ = words.gettext
    return {
        TokenScope.HELD_READ: _("see held mail"),
        TokenScope.HELD_ACT: _("stop and send held mail"),
        TokenScope.BODY_READ: _("read the text of mail"),
        TokenScope.APPROVE: _("approve and reject"),
        TokenScope.LOG_READ: _("read the log"),
        TokenScope.FIGURES_READ: _("read figures"),
        TokenScope.INCIDENT: _("report and work on incidents"),
        TokenScope.PEOPLE_READ: _("see people"),
        TokenScope.PEOPLE_WRITE: _("change people"),
    }[scope]
