"""What ratios mean, and when a promise counts as kept."""

import tempfile
import unittest
from pathlib import Path

from measure.cells import ALONE, LIMITS, MATRIX, OWN, SATURATED, SATURATED_HTTP2, UNLOADED, Cell, Sample
from measure.echo import Echo
from measure.memory import Memory
from measure.overload import Overload
from measure.precision import Precision
from measure.results import Results, begin
from measure.servers import OURS
from measure.summary import Comparison, verdicts


def sample(server: str, cell: Cell, number: int = 0, rate: float = 100.0, p50: float = 1.0, p99: float = 2.0) -> Sample:
    """A server in a cell, with numbers that do not matter unless given."""
    return Sample(number, server, cell.name, rate, p50, p99, 10, 0, 0)


def results(**parts: object) -> Results:
    """A run of which only some parts were measured."""
    return Results("2026-11-22", {}, 3.0, **parts)


class Ratios(unittest.TestCase):
    def test_in_a_closed_loop_more_molecules_a_second_are_better(self) -> None:
        comparison = Comparison([sample(OURS, SATURATED, rate=300), sample("peer", SATURATED, rate=100)])
        self.assertEqual(comparison.ratio("peer", SATURATED), 3)

    def test_in_an_open_loop_a_smaller_p99_is_better(self) -> None:
        half = Cell(1, share=0.5)
        comparison = Comparison([sample(OURS, half, p99=2), sample("peer", half, p99=10)])
        self.assertEqual(comparison.ratio("peer", half), 5)

    def test_a_ratio_is_taken_within_a_round_so_a_slow_minute_changes_nothing(self) -> None:
        rounds = [(0, 300, 100), (1, 30, 10), (2, 600, 200)]
        samples = [sample(OURS, SATURATED, number, ours) for number, ours, _ in rounds]
        samples += [sample("peer", SATURATED, number, theirs) for number, _, theirs in rounds]
        self.assertEqual(Comparison(samples).ratios("peer", SATURATED), [3, 3, 3])


class Parts(unittest.TestCase):
    def test_a_part_joins_the_others_of_the_same_commit_and_replaces_those_of_another(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.json"
            first = begin(path, "2026-11-22", {"commit": "a"}, 3.0)
            first.starts = [1.0]
            first.write(path)
            self.assertEqual(begin(path, "2026-11-22", {"commit": "a"}, 3.0).starts, [1.0])
            self.assertEqual(begin(path, "2026-11-22", {"commit": "b"}, 3.0).starts, [])


class Promises(unittest.TestCase):
    def test_what_was_not_measured_is_neither_kept_nor_broken(self) -> None:
        self.assertTrue(all(verdict.kept is None for verdict in verdicts(results())))

    def test_one_cell_in_which_a_peer_is_better_breaks_the_promise(self) -> None:
        samples = [sample(name, cell, rate=rate) for cell in MATRIX for name, rate in ((OURS, 200.0), ("peer", 100.0))]
        samples += [sample(OURS, cell) for cell in OWN] + [sample(ALONE, cell) for cell in LIMITS]
        everywhere = "in no cell behind any of the others"
        self.assertTrue(self.kept(everywhere, results(samples=samples)))
        samples = [sample("peer", MATRIX[0], rate=201) if one.server == "peer" and one.cell == MATRIX[0].name else one for one in samples]
        self.assertFalse(self.kept(everywhere, results(samples=samples)))

    def test_the_share_is_that_over_http2_and_the_other_is_told(self) -> None:
        for http1, http2, kept in ((90, 96, True), (96, 90, False)):
            found = self.beside_the_limit(rates={SATURATED: http1, SATURATED_HTTP2: http2})
            self.assertIs(self.kept("saturated, one molecule a request: at least 0.95", found), kept)
            self.assertIn(f"HTTP/1.1: 0.{http1}", verdicts(found)[0].found)

    def test_unloaded_a_molecule_may_take_a_tenth_and_0_3_ms_longer(self) -> None:
        for p50, kept in ((1.39, True), (1.41, False)):
            self.assertIs(self.kept("unloaded p50", self.beside_the_limit(p50s={UNLOADED: p50})), kept)

    def beside_the_limit(self, rates: dict[Cell, float] | None = None, p50s: dict[Cell, float] | None = None) -> Results:
        """A run without peers, of ONNX Runtime alone with 100 molecules a second in 1 ms each."""
        rates, p50s = rates or {}, p50s or {}
        ours = [sample(OURS, cell, rate=rates.get(cell, 50), p50=p50s.get(cell, 1.0)) for cell in (*MATRIX, *OWN)]
        return results(samples=ours + [sample(ALONE, cell) for cell in LIMITS])

    def test_the_request_path_needs_both_the_rate_and_the_ratio(self) -> None:
        for ours, theirs, kept in ((30_000, 2_000, True), (30_000, 4_000, False), (20_000, 1_000, False)):
            self.assertIs(self.kept("request path", results(echo=Echo([ours], [theirs]))), kept)

    def test_int8_must_be_1_8_times_as_fast(self) -> None:
        for int8, kept in ((1800.0, True), (1700.0, False)):
            self.assertIs(self.kept("int8", results(precision=Precision([1000.0], [int8]))), kept)

    def test_a_refusal_without_retry_after_breaks_the_promise(self) -> None:
        for missing, kept in ((0, True), (1, False)):
            seen = Overload([100.0], [95.0], {"200": 10, "429": 20}, refusals_seen=5, refusals_without_retry_after=missing)
            self.assertIs(self.kept("3 × overload: the rest", results(overload=seen)), kept)

    def test_requests_without_any_answer_are_no_refusals(self) -> None:
        seen = Overload([100.0], [95.0], {"200": 10, "no answer": 1}, refusals_seen=5)
        self.assertFalse(self.kept("3 × overload: the rest", results(overload=seen)))

    def test_memory_counts_at_its_most_and_not_at_the_end(self) -> None:
        course = [(0, 50_000_000), (500_000, 140_000_000), (1_000_000, 90_000_000)]
        seen = Memory(model=12_000_000, sessions=2, at_ready=50_000_000, course=course)
        self.assertFalse(self.kept("memory after a million", results(memory=seen)))

    def kept(self, promise: str, found: Results) -> bool | None:
        """The verdict about the promise that begins so."""
        return next(verdict.kept for verdict in verdicts(found) if verdict.promise.startswith(promise))


if __name__ == "__main__":
    unittest.main()
