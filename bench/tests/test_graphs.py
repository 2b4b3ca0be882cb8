"""When both sides agree, and when the promises about graphs count as kept."""

import tempfile
import unittest
from pathlib import Path

from measure.features import Features
from measure.graph_report import SATURATED, verdicts
from measure.graphs import CONNECTIONS, Graphs, Round, agree, read
from measure.original import WAYS
from measure.places import FEATURE_LISTS


def one(alone: float = 100.0, saturated: float = 97.0, published: float = 1.0, direct: float = 1.0, nfp: float = 1000.0) -> Round:
    """A round; what is not given keeps every promise."""
    return Round(
        alone,
        {str(count): saturated for count in CONNECTIONS},
        dict(zip(WAYS, (published, direct), strict=True)),
        {name: Features(nfp, 10.0, 500.0, 500.0) for name in FEATURE_LISTS},
    )


class Agreement(unittest.TestCase):
    def test_a_large_answer_may_differ_in_its_last_digits_and_a_small_one_by_as_much_as_one(self) -> None:
        self.assertTrue(agree([400.03, 0.00005], [400.0, 0.0]))
        self.assertFalse(agree([400.05, 0.0], [400.0, 0.0]))
        self.assertFalse(agree([400.0, 0.0002], [400.0, 0.0]))

    def test_each_fold_must_answer(self) -> None:
        with self.assertRaises(ValueError):
            agree([1.0], [1.0, 2.0])


class Promises(unittest.TestCase):
    def test_all_are_kept_when_each_is_just_kept(self) -> None:
        self.assertEqual(self.kept(one(saturated=95.0, published=4.75, nfp=200.0)), [True] * 4)

    def test_a_server_that_is_less_than_20_times_as_fast_as_what_polyids_users_call_breaks_the_promise(self) -> None:
        self.assertFalse(self.kept(one(published=5.0))[0])
        self.assertTrue(self.kept(one(direct=50.0))[0])

    def test_features_must_be_20_times_as_fast_for_every_list(self) -> None:
        self.assertEqual(self.kept(one(nfp=199.0))[1:3], [False, False])

    def test_a_server_that_loses_more_than_a_twentieth_of_onnx_runtime_breaks_the_promise(self) -> None:
        self.assertFalse(self.kept(one(alone=103.0))[3])

    def test_a_ratio_is_taken_within_a_round_so_a_slow_minute_changes_nothing(self) -> None:
        self.assertTrue(self.kept(one(), one(alone=10.0, saturated=9.7, published=0.1), one())[3])

    def kept(self, *rounds: Round) -> list[bool | None]:
        """Of every promise."""
        return [verdict.kept for verdict in verdicts(list(rounds))]


class File(unittest.TestCase):
    def test_what_was_written_is_read_again(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path, found = Path(folder) / "results.json", Graphs("2026-11-23", {"system": "Linux"}, 3.0, [one(), one()])
            found.write(path)
            self.assertEqual(read(path), found)
            self.assertEqual(read(path).rounds[0].ours[SATURATED], 97.0)


if __name__ == "__main__":
    unittest.main()
