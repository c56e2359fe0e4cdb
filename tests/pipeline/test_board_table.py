"""The leads of a board as a table, and as CSV."""

import codecs
import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from pipeline.services.moving import move_on
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people, owned, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def client(people):
    return signed_in(people.manager)


def worth(value, currency="EUR", base=None):
    return {"value": value, "currency": currency, "value_base": value if base is None else base}


# --- Table -------------------------------------------------------------------------------------


def rows(response):
    return [row.card.title for row in response.context["table"].rows]


def table(client, **asked):
    return client.get("/board/sales/table/", asked).context["table"]


def test_the_table_is_sorted_by_any_column_both_ways(client, people):
    stages()
    now = timezone.now()
    for number, (name, value, score, due) in enumerate((("Ada", 3, None, 9), ("Bob", 1, 5, None), ("Cyd", None, 9, 1))):
        due_at = now + timedelta(hours=due) if due else None
        more = worth(value) if value else {}
        owned(people, last_name=name, score=score, respond_by=due_at, created_at=now - timedelta(days=number), **more)
    for sort, order in {
        "name": "ABC",
        "-name": "CBA",
        "value": "BAC",
        "-value": "ABC",
        "-score": "CBA",
        "": "CAB",
        "due": "CAB",
        "-due": "ACB",
        "created": "CBA",
        "rubbish": "CAB",
    }.items():
        assert "".join(name[0] for name in rows(client.get("/board/sales/table/", {"sort": sort}))) == order, sort


def test_leads_are_sorted_by_the_name_that_is_shown(client, people):
    owned(people, first_name="Zoe", last_name="Adams")
    owned(people, first_name="anna", last_name="Zimmer")
    owned(people, first_name="", last_name="", company="Miller Ltd")
    owned(people, first_name="", last_name="", email="ben@people.example")
    shown = ["anna Zimmer", "ben@people.example", "Miller Ltd", "Zoe Adams"]
    assert rows(client.get("/board/sales/table/?sort=name")) == shown
    assert rows(client.get("/board/sales/table/?sort=-name")) == shown[::-1]


def test_owners_are_sorted_by_the_name_that_is_shown_and_nobody_comes_last(client, people):
    people.teammate.first_name, people.teammate.last_name = "", ""
    people.teammate.save()
    User.objects.filter(pk=people.owner.pk).update(first_name="Zoe")
    owned(people, last_name="Of nobody", owner=None, routing_state="unassigned")
    owned(people, last_name="Of teammate", owner=people.teammate)
    owned(people, last_name="Of Zoe")
    for sort, order in (("owner", ["teammate", "Zoe", "nobody"]), ("-owner", ["Zoe", "teammate", "nobody"])):
        assert [name.split()[1] for name in rows(client.get(f"/board/sales/table/?sort={sort}"))] == order


def test_without_a_wish_the_open_ones_come_first_as_on_the_board_and_then_the_closed(client, people):
    now = timezone.now()
    for name, minutes in (("Second", 90), ("First", -5), ("No clock", None)):
        due = now + timedelta(minutes=minutes) if minutes else None
        owned(people, last_name=name, respond_by=due)
    for name, kind in (("Won before", "won"), ("Lost last", "lost")):
        move_on(
            owned(people, last_name=name),
            stages()[kind],
            actor=people.manager,
            lost_reason="Price",
            worth={"value": "5"},
        )
    shown = rows(client.get("/board/sales/table/?who=team"))
    assert shown == ["First", "Second", "No clock", "Lost last", "Won before"]
    column = client.get("/board/sales/?who=team").context["board"].columns[0]
    assert [card.title for card in column.cards] == shown[:3]


def test_each_head_says_how_it_is_sorted_and_turns_it_round(client, people):
    owned(people)
    heads = {head.name: head for head in table(client).heads}
    assert {name: head.sorted for name, head in heads.items() if head.sorted} == {"due": "ascending"}
    page = client.get(heads["due"].url)
    assert {head.name: head.sorted for head in page.context["table"].heads if head.sorted} == {"due": "descending"}
    [back] = [head.url for head in page.context["table"].heads if head.name == "due"]
    assert "sort" not in back
    name = client.get(heads["name"].url)
    assert re.search(
        r'aria-sort="ascending"><a [^>]*>Lead <span class="turn" aria-hidden="true">↑', name.content.decode()
    )
    assert name.content.decode().count("aria-sort") == 1


def test_the_table_counts_and_sums_all_that_fit(client, people):
    for _ in range(51):
        owned(people, score=80, **worth(Decimal("1000.50"), "USD", Decimal("900.25")))
    owned(people, score=10, **worth(Decimal(7)))
    page = client.get("/board/sales/table/?score=70").content.decode()
    text = " ".join(re.sub("<[^>]+>", "", page).split())
    assert "51 leads, worth 45,912.75 EUR; 1 to 50 are shown." in text
    assert "Show 51 at once" in text
    assert 'data-worth="900.25"' in page


def test_as_many_as_can_be_changed_at_once_fit_on_one_page(client, people, monkeypatch):
    monkeypatch.setattr("pipeline.boardtable.ROWS", (2, 4))
    for number in range(5):
        owned(people, last_name=f"L{number}")
    first = table(client, sort="name")
    assert (len(first.rows), first.more) == (2, 4)
    page = client.get(first.more_url)
    shown = page.context["table"]
    assert (len(shown.rows), shown.more_url, shown.first, shown.last) == (4, "", 1, 4)
    assert rows(client.get(shown.after)) == ["L4"]
    assert [head.url for head in shown.heads if "rows=4" not in head.url] == []


def test_it_is_said_how_many_can_be_changed_at_once(client, people, monkeypatch):
    monkeypatch.setattr("pipeline.tableviews.MOST_AT_ONCE", 2)
    for _ in range(2):
        owned(people)
    assert "are changed at once" not in client.get("/board/sales/table/").content.decode()
    owned(people)
    assert "At most 2 are changed at once." in client.get("/board/sales/table/").content.decode()


@pytest.mark.parametrize("size", ["0", "-1", "x", "51", "100000", "9" * 20])
def test_other_numbers_of_rows_are_ignored(client, people, size):
    owned(people)
    assert len(table(client, rows=size).rows) == 1


def test_the_table_pages_and_keeps_filter_and_sort(client, people):
    for number in range(53):
        owned(people, last_name=f"L{number:02d}", score=80)
    table = client.get("/board/sales/table/?score=70&sort=name").context["table"]
    assert (len(table.rows), table.before) == (50, "")
    second = client.get(table.after)
    assert rows(second) == ["L50", "L51", "L52"]
    assert "score=70" in second.context["table"].before


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "9999"])
def test_a_page_that_makes_no_sense_is_no_breakdown(client, people, page):
    owned(people)
    assert client.get("/board/sales/table/", {"page": page}).status_code == 200


# --- CSV ---------------------------------------------------------------------------------------


def read_csv(response):
    content = b"".join(response.streaming_content)
    assert content.startswith(codecs.BOM_UTF8)  # by which Excel knows the umlauts
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_csv_has_what_the_table_shows_and_no_formulas(client, people):
    owned(people, last_name="Plain")
    owned(people, last_name="Hot", score=80)
    owned(people, last_name='=cmd|"/C calc"!A0', company="+1", product="@x", value=Decimal("-0"), currency="EUR")
    found = {row["last_name"]: row for row in read_csv(client.get("/board/sales/export/?who=team"))}
    assert len(found) == 3
    rough = found['\'=cmd|"/C calc"!A0']
    assert (rough["company"], rough["product"]) == ("'+1", "'@x")
    narrowed = read_csv(client.get("/board/sales/export/?who=team&score=70"))
    assert [row["last_name"] for row in narrowed] == ["Hot"]


def test_csv_keeps_phones_numbers_and_moments_as_other_programs_read_them(client, people):
    at = datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC)
    money = worth(Decimal("1250.50"))
    owned(people, first_name="Jürgen", last_name="Groß", phone="+4930123456", created_at=at, respond_by=at, **money)
    [row] = read_csv(client.get("/board/sales/export/"))
    assert (row["first_name"], row["last_name"], row["phone"]) == ("Jürgen", "Groß", "+4930123456")
    assert (row["value"], row["currency"]) == ("1250.50", "EUR")
    assert (row["created_at"], row["respond_by"]) == ("2026-03-01T09:30:15+00:00",) * 2
    assert (row["closed_at"], row["score"]) == ("", "")


def test_csv_of_ticked_leads_has_only_those_that_one_sees(people):
    chosen = owned(people, last_name="Chosen")
    foreign = make_lead(last_name="Foreign", team=people.other_team)
    ticked = [f"{chosen.uid}:0", f"{foreign.uid}:0", "rubbish"]
    response = signed_in(people.owner).post("/board/sales/export/", {"lead": ticked})
    assert [row["last_name"] for row in read_csv(response)] == ["Chosen"]


@pytest.mark.parametrize("sort", ["", "-value", "name"])
def test_csv_is_in_the_order_that_is_shown_also_of_ticked_leads(client, people, sort):
    now = timezone.now()
    leads = [
        owned(people, last_name=name, respond_by=now + timedelta(hours=hours), **worth(amount))
        for name, amount, hours in (("Cyd", 1, 2), ("Bob", 3, 3), ("Ada", 2, 1))
    ]
    shown = client.get("/board/sales/table/", {"sort": sort})
    address = shown.context["export_url"]
    assert shown.content.decode().count(address.replace("&", "&amp;")) == 2
    ticked = {"lead": [f"{lead.uid}:0" for lead in leads]}
    for response in (client.get(address), client.post(address, ticked)):
        assert [row["last_name"] for row in read_csv(response)] == rows(shown)


@pytest.mark.parametrize("ticked", [[], ["rubbish"]])
def test_a_file_of_nothing_is_not_written(client, people, ticked):
    owned(people)
    response = client.post("/board/sales/export/", {"lead": ticked, "next": "/board/sales/"}, follow=True)
    assert response.redirect_chain == [("/board/sales/", 302)]
    assert "Choose leads first." in response.content.decode()


def test_the_table_costs_as_many_queries_with_many_leads(client, people, django_assert_max_num_queries):
    for number in range(40):
        owned(people, last_name=f"L{number}")
    client.get("/board/sales/table/")
    with django_assert_max_num_queries(12):
        client.get("/board/sales/table/?who=team")
