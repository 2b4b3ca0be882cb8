"""What is read from the load generator's report."""

import unittest

from measure.load import read

REPORT = {
    "summary": {"total": 2.0},
    "statusCodeDistribution": {"200": 90, "429": 5, "503": 3, "500": 1},
    "errorDistribution": {"aborted due to deadline": 7, "connection closed": 1},
    "latencyPercentilesSuccessful": {"p50": 0.004, "p99": 0.02},
}


class Report(unittest.TestCase):
    def test_only_good_answers_count_for_the_rate(self) -> None:
        self.assertEqual(read(REPORT).rate, 45)

    def test_a_refusal_is_not_a_failure_and_what_was_cut_off_at_the_end_is_neither(self) -> None:
        seen = read(REPORT)
        self.assertEqual((seen.answered, seen.refused, seen.failed), (90, 8, 2))

    def test_times_are_in_milliseconds(self) -> None:
        self.assertEqual((read(REPORT).p50, read(REPORT).p99), (4, 20))

    def test_a_run_without_a_good_answer_has_no_times(self) -> None:
        seen = read(REPORT | {"statusCodeDistribution": {"503": 9}, "latencyPercentilesSuccessful": None})
        self.assertEqual((seen.rate, seen.p50, seen.p99), (0, 0, 0))


if __name__ == "__main__":
    unittest.main()
