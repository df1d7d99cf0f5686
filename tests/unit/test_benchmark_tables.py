"""The benchmarks' arithmetic: what a goal means, which peer is best, what stands in the tables; and a tally that notices."""

import frames
import pytest
import row
import table
from tally import Arrivals, Tally

RATE = row.Column("rate", "messages/s", more=True, ranged=True)
DELAY = row.Column("delay", "delay, ms", "{:.1f}")
KEPT = row.Column("kept", "connection", "{}", more=None)


def result(figures, *, columns=(RATE, DELAY), goal=None, left_out=None):
    goal = goal or row.Goal("at least 2 times the best peer's", 2.0)
    measured = row.Row(
        "key", "Question", goal, "Setting", tuple(figures), ("fastws",), columns, lambda *_: {}
    )
    return table.Result(measured, figures, {key: key.upper() for key in figures}, left_out or {})


THREE = {
    "fastws": [{"rate": 900.0, "delay": 3.0}, {"rate": 1100.0, "delay": 5.0}, {"rate": 1000.0, "delay": 4.0}],
    "picows": [{"rate": 400.0, "delay": 2.0}],
    "aiohttp": [{"rate": 300.0, "delay": 1.0}],
    "count": [{"rate": 90_000.0, "delay": 0.1}],
}


def test_the_best_peer_is_no_face_of_fastws_and_no_raw_socket():
    assert result(THREE).best(RATE) == ("picows", 400.0)
    assert result(THREE).best(DELAY) == ("aiohttp", 1.0)


def test_a_row_shows_medians_ranges_and_ratios():
    lines = list(table.row_lines(result(THREE)))
    assert "| FASTWS | 1,000 (900 - 1,100) | 4.0 | 2.50 |" in lines
    assert "| PICOWS | 400 | 2.0 | 1.00 |" in lines
    assert any("3 rounds" in line for line in lines)


def test_a_row_that_the_server_limits_says_so():
    near = {**THREE, "count": [{"rate": 1250.0}]}
    assert any("80% of what it can send" in line for line in table.row_lines(result(near)))
    assert not any("it can send" in line for line in table.row_lines(result(THREE)))


def test_a_verdict_names_the_goal_the_figures_and_whether_it_is_met():
    assert list(table.verdict_lines([result(THREE)]))[-1] == (
        "| Question | at least 2 times the best peer's | 1,000 messages/s (FASTWS) | 400 (PICOWS) | 2.50 | yes |"
    )
    missed = result(THREE, goal=row.Goal("at least 3 times", 3.0))
    assert list(table.verdict_lines([missed]))[-1].endswith("| 2.50 | **no** |")


def test_a_row_of_which_all_failed_is_shown():
    empty = result({}, left_out={"fastws": "it failed: no word"})
    assert "Left out: fastws, because it failed: no word." in list(table.row_lines(empty))
    assert list(table.verdict_lines([empty]))[-1].endswith("| no |")


def test_what_was_not_measured_is_not_met():
    without = result({"picows": [{"rate": 1.0}]}, left_out={"fastws": "there is none"})
    assert list(table.verdict_lines([without]))[-1].endswith("| not measured | - | - | no |")
    assert "Left out: fastws, because there is none." in list(table.row_lines(without))


def test_losses_are_told_where_no_goal_asks_for_them():
    assert list(table.loss_lines([result(THREE)])) == ["- Question: delay, ms 4.0 (FASTWS), 1.0 (AIOHTTP)"]


def test_words_stand_where_a_figure_would():
    figures = {"fastws": [{"kept": "kept"}], "picows": [{"kept": "lost after 5 s"}]}
    assert "| PICOWS | - | lost after 5 s |" in list(table.row_lines(result(figures, columns=(RATE, KEPT))))


@pytest.mark.parametrize(
    ("goal", "ours", "best", "more", "met"),
    [
        (row.Goal("", 2.0), 20.0, 10.0, True, True),
        (row.Goal("", 2.0), 19.9, 10.0, True, False),
        (row.Goal("", 0.5), 5.0, 10.0, False, True),
        (row.Goal("", 0.5), 5.1, 10.0, False, False),
        (row.Goal("", limit=100.0), 100.0, 1.0, True, True),
        (row.Goal("", limit=100.0), 99.9, None, True, False),
        (row.Goal(""), 1.0, None, True, False),
        (row.Goal("", 0.5), -9.0, -1.0, False, False),
    ],
)
def test_a_goal_is_a_factor_of_the_best_peer_or_a_limit(goal, ours, best, more, met):
    assert goal.met(ours, best, more) is met


def fill(tally, numbers):
    for number in numbers:
        tally.handle({"id": frames.FIRST_ID + number})


def test_a_tally_is_content_with_every_message_in_order():
    tally = Tally(6, types=2, block=8)
    fill(tally, [0, 2, 4, 6, 0, 2])
    tally.check("somebody")
    assert tally.done.is_set()


@pytest.mark.parametrize("numbers", [[0, 1], [0, 1, 2, 3], [0, 2, 1], [0, 1, 1], [1, 2, 3]])
def test_a_tally_notices_what_is_missing_doubled_or_out_of_order(numbers):
    tally = Tally(3, block=8)
    fill(tally, numbers)
    with pytest.raises(SystemExit, match="somebody"):
        tally.check("somebody")


@pytest.mark.parametrize(
    "arrived", [[(0, 0), (1, 0), (0, 1)], [(0, 0), (0, 1), (1, 1), (1, 0)], [(0, 0), (0, 0), (1, 0), (1, 1)]]
)
def test_arrivals_are_counted_for_each_connection(arrived):
    good, bad = Arrivals(2, 2), Arrivals(2, 2)
    for arrivals, numbers in ((good, [(1, 0), (0, 0), (0, 1), (1, 1)]), (bad, arrived)):
        for who, number in numbers:
            arrivals.handle({"who": who, "number": number, "sent": 0.0})
    good.check("somebody")
    with pytest.raises(SystemExit, match="somebody"):
        bad.check("somebody")
