"""Which results of the Autobahn test suite pass; and each way of not passing is one that fails."""

import judging
import pytest
from judging import Verdict, judge, remarks, table


def report(behavior="OK", closing="OK", **more):
    """A report as the suite writes it, as far as it is read."""
    return {
        "behavior": behavior,
        "behaviorClose": closing,
        "result": "Actual events match at least one expected.",
        "resultClose": "Connection was properly closed",
        "remoteCloseCode": 1000,
        **more,
    }


@pytest.mark.parametrize(
    ("case", "behavior", "closing"),
    [
        ("1.1.1", "OK", "OK"),
        ("7.1.6", "INFORMATIONAL", "INFORMATIONAL"),
        ("7.13.1", "INFORMATIONAL", "OK"),
        ("3.2", "NON-STRICT", "OK"),
        ("3.3", "NON-STRICT", "OK"),
        ("3.4", "NON-STRICT", "OK"),
        ("4.1.3", "NON-STRICT", "OK"),
        ("4.1.5", "NON-STRICT", "OK"),
        ("4.2.4", "NON-STRICT", "OK"),
        ("5.15", "NON-STRICT", "OK"),
    ],
)
def test_what_passes(case, behavior, closing):
    verdict = judge(case, report(behavior, closing))
    assert (verdict.outcome, verdict.allowed) == (behavior, True)


@pytest.mark.parametrize("case", ["1.1.1", "3.1", "3.5", "4.1.2", "4.2.1", "5.14", "6.4.1", "6.4.4", "9.1.1"])
def test_non_strict_passes_nowhere_else(case):
    verdict = judge(case, report("NON-STRICT"))
    assert (verdict.outcome, verdict.allowed) == ("NON-STRICT", False)


def test_what_is_allowed_to_be_non_strict_is_not_allowed_to_fail():
    assert not any(judge(case, report("FAILED")).allowed for case in judging.NON_STRICT_IS_RIGHT)


@pytest.mark.parametrize(
    ("behavior", "closing", "outcome"),
    [
        ("FAILED", "OK", "FAILED"),
        ("FAILED", "UNCLEAN", "FAILED"),
        ("OK", "UNCLEAN", "UNCLEAN"),
        ("NON-STRICT", "UNCLEAN", "UNCLEAN"),
        ("OK", "FAILED", "FAILED"),
        ("OK", "WRONG CODE", "FAILED"),
        ("INFORMATIONAL", "FAILED", "FAILED"),
        ("OK", "FAILED BY CLIENT", "FAILED"),
        ("SOMETHING NEW", "OK", "FAILED"),
        ("UNIMPLEMENTED", "OK", "UNIMPLEMENTED"),
    ],
)
def test_what_does_not_pass(behavior, closing, outcome):
    verdict = judge("3.2", report(behavior, closing))
    assert (verdict.outcome, verdict.allowed) == (outcome, False)


def test_a_wrong_close_is_told_as_such():
    wrong = report(
        "OK", "WRONG CODE", remoteCloseCode=1011, resultClose="The close code should have been 1002 or empty"
    )
    reason = judge("2.5", wrong).reason
    assert "WRONG CODE" in reason and "1011" in reason and "1002 or empty" in reason


def test_a_case_without_a_report_does_not_pass():
    assert not judge("1.1.1", None).allowed


def test_a_crash_does_not_pass_whatever_the_report_says():
    verdict = judge("1.1.1", report(), "the client crashed: SIGSEGV")
    assert verdict == Verdict("1.1.1", "FAILED", "the client crashed: SIGSEGV", False)


def test_what_is_not_there_does_not_pass():
    assert not judge("12.1.1", report("UNIMPLEMENTED", "OK")).allowed
    assert not judge("13.7.18", report("UNIMPLEMENTED", "OK")).allowed


def test_the_table_counts_by_section_in_the_order_of_numbers():
    verdicts = [
        Verdict("10.1.1", "OK", "", True),
        Verdict("2.1", "OK", "", True),
        Verdict("2.2", "UNCLEAN", "", False),
        Verdict("2.3", "OK", "", True),
    ]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(verdicts).splitlines()]
    assert rows[0] == ["section", "cases", *judging.OUTCOMES]
    assert rows[2] == ["2 Pings and pongs", "3", "2", "0", "0", "0", "0", "1"]
    assert rows[3] == ["10 Automatic fragmentation", "1", "1", "0", "0", "0", "0", "0"]
    assert rows[4] == ["all", "4", "3", "0", "0", "0", "0", "1"]


def test_every_case_that_is_not_ok_is_listed_with_its_reason_and_the_worst_first():
    lines = remarks([judge("1.1.1", report()), judge("3.2", report("NON-STRICT")), judge("9.1.1", None)])
    assert lines == [
        "NOT ALLOWED: FAILED in 9.1.1: the suite has no report of it",
        f"allowed: NON-STRICT in 3.2: {judging.ECHO_AFTER_FAULT}",
    ]


def test_a_whole_section_of_one_reason_is_one_name():
    lacking = [
        judge(case, report("UNIMPLEMENTED", "FAILED")) for case in ("12.1.1", "12.1.2", "13.1.1", "13.1.2")
    ]
    reason = lacking[0].reason
    assert remarks([*lacking, judge("13.1.3", None)]) == [
        f"NOT ALLOWED: UNIMPLEMENTED in 12.* (2), 13.1.1, 13.1.2: {reason}",
        "NOT ALLOWED: FAILED in 13.1.3: the suite has no report of it",
    ]
