"""Plan the managers, teams and reps."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import available_timezones

from distribution.models import Rep
from distribution.onboarding.existing import Known, KnownUser
from distribution.onboarding.mapping import OnboardMapping
from distribution.onboarding.plan import Plan, Step, WantedRep, WantedTeam
from distribution.onboarding.sheets import Row, Sheet
from leadcrm.lib.languages import languages
from leadcrm.lib.places import country_code, time_zone_of
from leadcrm.lib.text import Unreadable, match_key, quoted
from pipeline.normalise import parse_email

_LIST: Final = re.compile(r"[,;|/]")
_ZONES: Final = available_timezones()
_LANGUAGE_HELP: Final = "Use ISO 639-1 codes such as de and en; left out"


def plan_people(sheet: Sheet, known: Known, plan: Plan) -> None:
    """Add the steps for managers, teams and reps; their products must be planned before."""
    reader = _People(sheet, known, plan)
    for row in sheet.rows:
        reader.read(row)
    reader.finish()


class _People:
    def __init__(self, sheet: Sheet, known: Known, plan: Plan) -> None:
        self.sheet, self.known, self.plan = sheet, known, plan
        self.rows_by_key: dict[str, int] = {}
        self.teams: dict[str, WantedTeam] = {}
        self.managers: dict[str, str] = {}
        self.offices: dict[str, str] = {}
        self.products = _product_names(known, plan)

    def read(self, row: Row) -> None:
        email = self._email(row)
        self._check_name(row, email or match_key(row["name"]))
        users = self._users(row, email)
        wanted = self._wanted(row, email)
        if self.sheet.takes(row):
            user = users[0] if users else None
            self.plan.reps.append(Step(wanted, user.id if user else None, self._changes(wanted, user)))

    def finish(self) -> None:
        reps = {match_key(step.wanted.name) for step in self.plan.reps}
        for key, name in self.managers.items():
            if key not in reps:
                user = next(iter(self._users_named(name)), None)
                self.plan.managers.append(Step(name, user.id if user else None))
        self.plan.teams += [self._team_step(team) for team in self.teams.values()]

    def _check_name(self, row: Row, key: str) -> None:
        if not key:
            self.sheet.refuse(row, "name", "is empty", "Give the person's name")
        elif (first := self.rows_by_key.setdefault(key, row.number)) != row.number:
            self.sheet.refuse(row, "name", f"{quoted(row['name'])} is on row {first} already", "Remove one of the two")

    def _email(self, row: Row) -> str:
        """The address; blank when the file gives none that can be used."""
        try:
            return parse_email(row["email"]).address if row["email"] else ""
        except Unreadable as error:
            self.sheet.refuse(row, "email", str(error), "Correct the address or leave the cell empty")
            return ""

    def _wanted(self, row: Row, email: str) -> WantedRep:
        return WantedRep(
            name=row["name"],
            email=email,
            team=self._team(row),
            time_zone=self._time_zone(row),
            languages=tuple(self._languages(row)),
            skills=tuple(self._skills(row)),
            capacity=self._capacity(row),
        )

    def _users(self, row: Row, email: str) -> list[KnownUser]:
        """Who this is already: nobody or one; the row is refused when it may be several."""
        users = [user for user in self.known.users if email and user.email == email] or self._users_named(row["name"])
        if len(users) > 1:
            wrong = f"{quoted(row['name'])} is the name of {len(users)} users"
            self.sheet.refuse(row, "name", wrong, "Add a column with their e-mail addresses")
        return users

    def _users_named(self, name: str) -> list[KnownUser]:
        return [user for user in self.known.users if match_key(user.name) == match_key(name)]

    def _team(self, row: Row) -> str:
        manager, office = row["manager"], row["office"]
        name = row["team"] or (f"{office} ({manager})" if office and manager else manager or office)
        if manager and self.sheet.takes(row):
            self.managers.setdefault(match_key(manager), manager)
        if not name:
            return ""
        team = self.teams.get(match_key(name), WantedTeam(name, manager))
        if self.sheet.takes(row):
            self.teams.setdefault(match_key(name), team)
        if manager and match_key(team.manager) != match_key(manager):
            wrong = f"{quoted(name)} has two managers, {team.manager} and {manager}"
            self.sheet.note(row, "manager", wrong, f"{team.manager} is taken")
        return team.name

    def _time_zone(self, row: Row) -> str:
        if row["time_zone"] in _ZONES:
            return row["time_zone"]
        if row["time_zone"]:
            wrong = f"{quoted(row['time_zone'])} is not a time zone"
            self.sheet.note(row, "time_zone", wrong, "Use an IANA name such as Europe/Berlin; the office's is taken")
        return self._office_zone(row) if row["office"] else ""

    def _office_zone(self, row: Row) -> str:
        office = row["office"]
        if office not in self.offices:
            self.offices[office] = zone = office_time_zone(office, self.plan.mapping)
            if not zone:
                right = f'UTC is taken. Say which under [offices], such as "{office}" = "Europe/Berlin"'
                self.sheet.note(row, "office", f"the time zone of {quoted(office)} is not known", right)
        return self.offices[office]

    def _skills(self, row: Row) -> Iterable[str]:
        for word in _words(row["skills"]):
            name = self.products.get(match_key(word))
            if name is None:
                self.sheet.note(row, "skills", f"{quoted(word)} is not a product", "Left out. Add it to the products")
            else:
                yield name

    def _languages(self, row: Row) -> Iterable[str]:
        for word in _words(row["languages"]):
            code = _language_codes().get(match_key(word))
            if code is None:
                self.sheet.note(row, "languages", f"{quoted(word)} is not a language", _LANGUAGE_HELP)
            else:
                yield code

    def _capacity(self, row: Row) -> int | None:
        text = row["capacity"]
        if text.isascii() and text.isdigit() and len(text) < 7:
            return int(text)
        if text:
            self.sheet.note(row, "capacity", f"{quoted(text)} is not a whole number", "Left out: no limit")
        return None

    def _changes(self, wanted: WantedRep, user: KnownUser | None) -> tuple[str, ...]:
        if user is None:
            return ()
        rep = self.known.reps.get(user.rep_id or 0)
        team_change = self._team_change(wanted, user)
        if rep is None:
            return ("becomes a rep", *team_change)
        skills = self.known.rep_skills.get(rep.id, set())
        missing = [skill for skill in wanted.skills if match_key(skill) not in skills]
        learned = (f"learns {', '.join(missing)}",) if missing else ()
        return (*_rep_differences(wanted, rep), *learned, *team_change)

    def _team_change(self, wanted: WantedRep, user: KnownUser) -> tuple[str, ...]:
        """Who is in another team of this file moves; a team that the file does not name is left alone."""
        is_in = not wanted.team or match_key(wanted.team) in self.known.user_teams.get(user.id, set())
        return () if is_in else (f"joins {wanted.team}",)

    def _team_step(self, wanted: WantedTeam) -> Step[WantedTeam]:
        team = self.known.teams.get(match_key(wanted.name))
        if team is None:
            return Step(wanted)
        manager = team.manager
        now = "" if manager is None else match_key(_name_of(manager.pk, self.known))
        differs = wanted.manager and match_key(wanted.manager) != now
        return Step(wanted, team.pk, (f"manager: {wanted.manager}",) if differs else ())


def office_time_zone(office: str, mapping: OnboardMapping) -> str:
    """What the mapping says, else the zone of a city or country of this name; empty when there is none."""
    said = mapping.offices.get(match_key(office))
    if said:
        return said
    city = match_key(office).replace(" ", "_")
    if city in _zones_by_city():
        return _zones_by_city()[city]
    try:
        return time_zone_of(country_code(office))
    except Unreadable:
        return ""


def _name_of(user_id: int, known: Known) -> str:
    return next((user.name for user in known.users if user.id == user_id), "")


def _product_names(known: Known, plan: Plan) -> dict[str, str]:
    planned = {match_key(step.wanted): step.wanted for step in plan.products}
    return {key: skill.name for key, skill in known.products.items()} | planned


def _rep_differences(wanted: WantedRep, rep: Rep) -> Iterable[str]:
    for name in ("time_zone", "languages", "capacity"):
        now, then = getattr(rep, name), getattr(wanted, name)
        then = list(then) if isinstance(then, tuple) else then
        if then not in ("", [], None) and then != now:
            yield f"{name.replace('_', ' ')}: {now or 'none'} → {then}"


@cache
def _zones_by_city() -> dict[str, str]:
    """The zones of the world's countries by the city that names each; old names such as US/Central are no cities."""
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    zones = (line.split("\t")[2] for line in table.splitlines() if not line.startswith("#"))
    return {zone.lower().rpartition("/")[2]: zone for zone in zones}


@cache
def _language_codes() -> dict[str, str]:
    return {match_key(name): code for code, name in languages().items()} | {code: code for code in languages()}


def _words(text: str) -> list[str]:
    return [word.strip() for word in _LIST.split(text) if word.strip()]
