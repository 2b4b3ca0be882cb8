"""At which rate an open loop asks."""

import unittest

from measure.cells import Cell, rate_of
from measure.servers import OURS

CAPACITY = {
    (OURS, 1, False): 900.0,
    (OURS, 1, True): 950.0,
    ("slow", 1, False): 100.0,
    ("fast", 1, False): 400.0,
    (OURS, 32, False): 30.0,
    ("fast", 32, False): 15.0,
}


class Rates(unittest.TestCase):
    def test_all_are_asked_for_a_share_of_what_the_best_peer_can_do(self) -> None:
        self.assertEqual(rate_of(Cell(1, share=0.5), CAPACITY), 200)
        self.assertEqual(rate_of(Cell(32, share=0.9), CAPACITY), 13.5)

    def test_we_are_also_asked_for_a_share_of_what_we_can_do(self) -> None:
        self.assertEqual(rate_of(Cell(1, share=0.5, own=True), CAPACITY), 450)
        self.assertEqual(rate_of(Cell(1, share=0.5, own=True, http2=True), CAPACITY), 475)

    def test_without_peers_the_best_is_ourselves(self) -> None:
        self.assertEqual(rate_of(Cell(1, share=0.5), {(OURS, 1, False): 900.0}), 450)


if __name__ == "__main__":
    unittest.main()
