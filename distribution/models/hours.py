from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords


class WorkingHours(models.Model):
    """A named week: when people work, in which time zone, with which holidays.

    Whose hours hold: the rep's own, else those of the rep's first team, else the default ones. Without any, a rep is
    always there.
    """

    name = models.CharField(max_length=100)
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="IANA name, such as Europe/Berlin. Empty: each rep's own."
    )
    always = models.BooleanField("around the clock", default=False, help_text="Day and night; shifts do not count.")
    holiday_country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 code, such as DE. Empty: none.")
    holiday_region = models.CharField(
        max_length=10, blank=True, help_text="Part of the country with holidays of its own, such as BY."
    )
    is_default = models.BooleanField(
        "default", default=False, help_text="For everyone whose profile and team name no hours."
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        verbose_name = verbose_name_plural = "working hours"
        constraints = (
            models.UniqueConstraint(Lower("name"), name="hours_name_unique"),
            models.UniqueConstraint("is_default", condition=Q(is_default=True), name="hours_one_default"),
            models.CheckConstraint(
                condition=Q(holiday_region="") | ~Q(holiday_country=""), name="hours_region_needs_country"
            ),
        )

    def __str__(self) -> str:
        return self.name


class WorkShift(models.Model):
    """One interval of a week. It belongs to the day on which it begins."""

    class Weekday(models.IntegerChoices):
        MONDAY = 1, "Monday"
        TUESDAY = 2, "Tuesday"
        WEDNESDAY = 3, "Wednesday"
        THURSDAY = 4, "Thursday"
        FRIDAY = 5, "Friday"
        SATURDAY = 6, "Saturday"
        SUNDAY = 7, "Sunday"

    hours = models.ForeignKey(WorkingHours, models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)
    start = models.TimeField("from")
    end = models.TimeField("to", help_text="Not later than the start: over midnight. 00:00 to 00:00: the whole day.")

    class Meta:
        ordering = ("weekday", "start")
        constraints = (
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="shift_weekday_1_to_7"),
            models.UniqueConstraint(fields=("hours", "weekday", "start"), name="shift_starts_once"),
        )

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.start:%H:%M} to {self.end:%H:%M}"


class HoursException(models.Model):
    """Another plan for one date, in the place of the weekly shifts and of a holiday: closed, or other hours."""

    hours = models.ForeignKey(WorkingHours, models.CASCADE, related_name="exceptions")
    date = models.DateField()
    start = models.TimeField("from", null=True, blank=True, help_text="Empty, like the end: closed all day.")
    end = models.TimeField("to", null=True, blank=True)
    name = models.CharField(max_length=100, blank=True, help_text="Why, such as 'trade fair'.")

    class Meta:
        ordering = ("date", "start")
        constraints = (
            models.CheckConstraint(
                condition=Q(start__isnull=True, end__isnull=True) | Q(start__isnull=False, end__isnull=False),
                name="exception_times_both_or_none",
            ),
            models.UniqueConstraint(
                fields=("hours", "date", "start"), condition=Q(start__isnull=False), name="exception_starts_once"
            ),
            models.UniqueConstraint(fields=("hours", "date"), condition=Q(start=None), name="exception_closed_once"),
        )

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} " + (f"{self.start:%H:%M} to {self.end:%H:%M}" if self.start else "closed")


class TeamHours(models.Model):
    """The hours of a team's people who have none of their own."""

    team = models.OneToOneField("pipeline.Team", models.CASCADE, related_name="hours")
    hours = models.ForeignKey(WorkingHours, models.PROTECT, related_name="teams")

    class Meta:
        verbose_name_plural = "team hours"

    def __str__(self) -> str:
        return f"{self.team}: {self.hours}"


class AwayReason(models.Model):
    """What people may give as the reason when they set themselves away, such as lunch."""

    name = models.CharField(max_length=100)
    minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Back by itself after so many minutes. Empty: until changed."
    )

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(Lower("name"), name="away_reason_unique"),)

    def __str__(self) -> str:
        return self.name


class Leave(models.Model):
    """When somebody is not there although it is working time: days or hours, with who stands in."""

    class Origin(models.TextChoices):
        TYPED = "typed", "Entered here"
        CALENDAR = "calendar", "From a calendar on the web"
        FILE = "file", "From a calendar file"

    rep = models.ForeignKey("distribution.Rep", models.PROTECT, related_name="leaves")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Back from then on.")
    whole_days = models.BooleanField(default=True, help_text="Shown as dates of the rep's own time zone.")
    reason = models.CharField(max_length=100, blank=True, help_text="Shown in decisions, such as 'on leave'.")
    cover = models.ForeignKey(
        "distribution.Rep",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="covers",
        help_text="Gets new leads of the rep's accounts meanwhile.",
    )
    lend_leads = models.BooleanField(
        "lend open leads", default=False, help_text="The cover has the rep's open leads meanwhile; they come back."
    )
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.TYPED, editable=False)
    # Which entry of the calendar it was made of, so that reading the calendar again changes it instead of repeating it.
    calendar_uid = models.CharField(max_length=300, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ("starts_at", "id")
        constraints = (
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="leave_in_order"),
            models.CheckConstraint(condition=Q(cover__isnull=True) | ~Q(cover=F("rep")), name="leave_covered_by_other"),
            models.CheckConstraint(
                condition=Q(lend_leads=False) | Q(cover__isnull=False), name="leave_lends_to_a_cover"
            ),
            models.UniqueConstraint(
                fields=("rep", "calendar_uid"), condition=~Q(calendar_uid=""), name="leave_once_per_calendar_entry"
            ),
        )
        indexes = (models.Index("rep", "ends_at", condition=Q(cancelled_at=None), name="leave_by_rep"),)

    def __str__(self) -> str:
        return f"{self.rep} {self.starts_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}"


class LeaveCalendar(models.Model):
    """A calendar on the web whose all-day busy entries are a rep's leave; read again and again."""

    rep = models.OneToOneField("distribution.Rep", models.CASCADE, related_name="leave_calendar")
    url = models.URLField(max_length=500, help_text="The secret address in iCal format; https only.")
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What the server called the state that was read last, so that it need not send it again.
    etag = models.CharField(max_length=200, blank=True, editable=False)
    error = models.CharField(max_length=300, blank=True, editable=False)
    # What the last reading changed, in words.
    result = models.CharField(max_length=100, blank=True, editable=False)
    # Somebody wants it read at once; empty when it was read since.
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"Calendar of {self.rep}"


class Loan(models.Model):
    """An open lead that somebody else has for a while; it comes back by itself."""

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="loans")
    lender = models.ForeignKey("distribution.Rep", models.PROTECT, related_name="loans_given")
    borrower = models.ForeignKey("distribution.Rep", models.PROTECT, related_name="loans_taken")
    leave = models.ForeignKey(Leave, models.SET_NULL, null=True, blank=True, related_name="loans")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-since", "-id")
        constraints = (
            models.UniqueConstraint(fields=("lead",), condition=Q(ended_at=None), name="loan_one_open_per_lead"),
            models.CheckConstraint(condition=~Q(lender=F("borrower")), name="loan_between_two"),
        )
        indexes = (models.Index("until", condition=Q(ended_at=None), name="loan_due"),)

    def __str__(self) -> str:
        return f"{self.lead} lent to {self.borrower} until {self.until:%Y-%m-%d}"
