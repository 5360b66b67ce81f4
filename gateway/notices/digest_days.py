"""On which days and when the letter of the day goes. Pure: the time is given."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.policy.japanese_holidays import japanese_holidays
from gateway.values import dataclass

LATE = timedelta(
    hours=6
)  # a gateway that was down longer leaves that day out: nobody wants the morning's letter at night
LONGEST = timedelta(days=14)  # that a letter looks back, over holidays and a gateway that stood still
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Days:
    """At this time of day in this zone, on working days alone where it is said."""

    at: time
    zone: ZoneInfo
    working_days: bool

    def due(self, now: datetime) -> date | None:
        """Return the day whose letters should have begun by now; None where none should."""
        local = now.astimezone(self.zone)
        begins = datetime.combine(local.date(), self.at, self.zone)
        if not begins <= local < begins + LATE:
            return None
        return local.date() if not self.working_days or is_working_day(local.date()) else None

    @staticmethod
    def since(before: datetime | None, now: datetime) -> datetime:
        """Return from when on a letter tells what happened; `before` is when the one before was done."""
        return max(before or now - timedelta(days=1), now - LONGEST)


def is_working_day(day: date) -> bool:
    """Tell whether offices work: Monday to Friday, no public holiday of Japan, not 29 December to 3 January."""
    turn = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() < SATURDAY and not turn and not japanese_holidays()(day)
