"""What is read from the answers to a constant rate."""

import unittest

from measure.constant_rate import read

MS = 1_000_000
BEGIN = 1_700_000_000_000_000_000


def row(sequence: int, sent: int, status: str, latency: int) -> list[str]:
    """As vegeta writes it; times in milliseconds from the first request on."""
    return [str(BEGIN + sent * MS), status, str(latency * MS), "0", "0", "", "", "", str(sequence), "POST", "", ""]


class ConstantRate(unittest.TestCase):
    def test_a_request_that_waited_for_a_connection_counts_from_when_it_was_due(self) -> None:
        seen = read([row(0, 0, "200", 5), row(1, 70, "200", 5)], rate=100)
        self.assertEqual((seen.p50, seen.p99), (65, 65), "due after 10 ms, answered after 75")

    def test_the_timer_of_the_generator_is_not_the_fault_of_the_server(self) -> None:
        seen = read([row(0, 0, "200", 5), row(1, 11, "200", 7)], rate=100)
        self.assertEqual(seen.p99, 7)

    def test_the_order_of_the_rows_does_not_matter(self) -> None:
        seen = read([row(1, 10, "200", 3), row(0, 0, "200", 1), row(2, 20, "200", 2)], rate=100)
        self.assertEqual((seen.p50, seen.p99), (2, 3))

    def test_only_good_answers_have_times_and_count_for_the_rate(self) -> None:
        seen = read([row(0, 0, "200", 4), row(1, 10, "429", 900), row(2, 20, "0", 980)], rate=100)
        self.assertEqual((seen.answered, seen.refused, seen.failed), (1, 1, 1))
        self.assertEqual((seen.p99, seen.rate), (4, 1))

    def test_a_run_without_a_good_answer_has_no_times(self) -> None:
        self.assertEqual(read([row(0, 0, "503", 1)], rate=10).p99, 0)


if __name__ == "__main__":
    unittest.main()
