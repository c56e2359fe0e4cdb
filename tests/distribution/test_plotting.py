"""Plots: where points and marks lie."""

from datetime import UTC, datetime, timedelta

from distribution.plotting import HEIGHT, WIDTH, plot

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
START = NOW - timedelta(hours=10)


def places(line):
    return [tuple(map(float, place.split(","))) for place in line.split()]


def test_a_value_holds_until_the_next_and_the_last_one_until_now():
    drawn = plot({"got": [(START, 0), (START + timedelta(hours=5), 2)]}, NOW, high=2)
    assert places(drawn.lines["got"]) == [(40, 176), (334, 176), (334, 10), (628, 10)]


def test_everything_lies_inside_the_picture_whatever_the_values():
    points = [(START + timedelta(minutes=minute), (-1) ** minute * minute) for minute in range(600)]
    drawn = plot({"owed": points}, NOW, low=-1, high=1, band=1)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places(drawn.lines["owed"]))
    assert len(drawn.up) <= 6
    assert drawn.band is not None
    top, height = drawn.band
    assert 0 < top < top + height < HEIGHT


def test_a_plot_of_one_moment_and_one_of_nothing_are_drawn():
    assert places(plot({"got": [(NOW, 0)]}, NOW).lines["got"])
    assert plot({}, NOW).lines == {}


def test_marks_are_whole_numbers_in_sight():
    drawn = plot({"got": [(START, 0), (NOW, 23)]}, NOW)
    assert [tick.label for tick in drawn.up] == ["0", "5", "10", "15", "20"]
    assert [tick.label for tick in drawn.across] == ["00:00", "now"]
