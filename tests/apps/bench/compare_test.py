"""apps/bench/peers without any peer's packages: python3 compare_test.py BIN_DIR"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parents[2] / "apps" / "bench" / "peers"
sys.path.insert(0, str(PEERS))

import compare
import contender
import protocol
import rows
import wires

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else HERE.parents[2] / "build" / "bin"


class MadeUp(contender.Entry):
    """Takes as long every time."""

    def __init__(self, peer, seconds):
        super().__init__(peer, "", [])
        self.takes, self.log = seconds, None

    def round(self, seconds):
        if self.log is not None:
            self.log.append(self)
        return self.takes, self.takes / 2


class Pieces(unittest.TestCase):
    def test_a_miss_is_a_miss(self):
        self.assertEqual(rows.verdict(2.9, 3, 6), "MISS")
        self.assertEqual(rows.verdict(3.0, 3, 6), "yes")
        self.assertEqual(rows.verdict(6.0, 3, 6), "moonshot")
        self.assertEqual(rows.verdict(9.0, 3, 0), "yes")
        self.assertEqual(rows.verdict(9.0, 0, 0), "")

    def test_a_network_with_branches_is_wired_by_names(self):
        layers = [
            {"name": "stem", "activation": "relu"},
            {"name": "a"},
            {"name": "skip", "from": "stem_relu"},
            {"name": "sum", "from": "a", "with": "skip"},
            {"name": "last"},
        ]
        self.assertEqual(
            wires.wires(layers), [(-1, None), (0, None), (0, None), (1, 2), (3, None)]
        )

    def test_median_and_mad(self):
        entry = MadeUp(None, 1)
        entry.seconds = [10, 11, 12, 13, 1000]
        self.assertEqual((entry.median, entry.mad), (12, 1))

    def test_all_take_turns_and_only_a_peers_own_hopeless_ways_drop_out(self):
        a, b = object(), object()
        fast, slow, other = MadeUp(a, 1), MadeUp(a, 9), MadeUp(b, 50)
        log = []
        for entry in (fast, slow, other):
            entry.log = log
        ran, ended = contender.race([fast, slow, other], rounds=4, seconds=0)
        self.assertEqual((ran, ended), ([fast, other], {}))
        self.assertEqual(log[9:], [fast, other, other, fast] * 2)
        self.assertEqual(fast.seconds, [1] * 4)
        self.assertEqual(fast.processors, 0.5)

    def test_a_round_counts_runs_not_calls(self):
        calls = []
        reply = protocol.time_round(lambda: calls.append(1), 0.001, runs_per_call=10)
        self.assertEqual(reply["runs"], 10 * len(calls))
        self.assertGreaterEqual(reply["seconds"] * reply["runs"], 0.001)

    def test_other_numbers_are_noticed(self):
        row = rows.Row("infer", "small", 1, "int8")

        def entry(variant, check):
            return contender.Entry(None, variant, check)

        ours = entry("int8", [1.0, -2.0])
        self.assertTrue(compare.agrees(entry("int8", [1.1, -2.1]), ours, row))
        self.assertFalse(compare.agrees(entry("int8", [1.3, -2.0]), ours, row))
        self.assertFalse(compare.agrees(entry("int8", [1.0]), ours, row))
        self.assertFalse(compare.agrees(entry("float32", [float("nan"), -2.0]), ours, row))


class WholeRun(unittest.TestCase):
    def run_compare(self, suites, what=""):
        with tempfile.TemporaryDirectory() as folder:
            result = pathlib.Path(folder) / "result.json"
            command = [sys.executable, "-B", str(PEERS / "compare.py"), "--bin", str(BIN)]
            command += ["--peers", str(HERE / "fake_peer.py"), "--folder", folder]
            command += ["--suites", suites, "--models", "small", "--rounds", "3"]
            command += ["--seconds", "0.0005", "--json", str(result)]
            environment = os.environ | {
                "ESPALIER_BENCH": str(BIN / "espalier-bench"),
                "FAKE_PEER": what,
            }
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            self.assertTrue(result.exists(), done.stdout + done.stderr)
            return done, json.loads(result.read_text())

    def test_rows_ratios_and_what_is_absent(self):
        done, report = self.run_compare("train,infer")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(
            [row["row"] for row in report["rows"]],
            ["train small, batch 32", "infer small, batch 1", "infer small, batch 256"],
        )
        self.assertEqual({facts["name"] for facts in report["contenders"]}, {"espalier", "fake"})
        for row in report["rows"]:
            medians = {e["name"]: e["median"] for e in row["entries"]}
            self.assertEqual(row["best"], "fake: float32")
            self.assertAlmostEqual(row["ratio"], medians[row["best"]] / medians[row["ours"]])
            self.assertEqual(row["absent"], ["fake: broken: ValueError: cannot"])
            self.assertEqual(len(row["entries"][0]["seconds"]), 3)
        self.assertEqual(report["rows"][1]["must"], 3)
        # The fake does nothing, ten times a call: nobody is as fast, and the table says so.
        self.assertEqual(report["rows"][0]["verdict"], "MISS")
        self.assertIn("| MISS |", done.stdout)

    def test_a_peer_that_computes_something_else_fails_the_run(self):
        done, report = self.run_compare("infer", "wrong")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(report["rows"][0]["wrong"], ["fake: int8"])
        self.assertIn("COMPUTES SOMETHING ELSE: fake: int8", done.stdout)

    def test_fresh_processes(self):
        done, report = self.run_compare("load")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        results = report["fresh"]["results"]
        files = ["large.pruned.esp", "large.int8.esp"]
        names = [name for file in files for name in (file, file + " --lean")]
        names.append("large.float32.esp")
        self.assertEqual([r["name"] for r in results], ["espalier: " + name for name in names])
        for r in results:
            self.assertGreater(r["seconds"], 0)
            self.assertGreater(r["peak_kib"], r["without_empty_kib"])
            self.assertGreater(r["without_empty_kib"], 0)
        self.assertIn("must 100, moonshot 30", done.stdout)

    def test_a_peer_that_ends_is_absent_and_the_run_goes_on(self):
        done, report = self.run_compare("infer", "die")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for row in report["rows"]:
            self.assertIsNone(row["best"])
            self.assertIn("ended with 9", row["absent"][-1])


if __name__ == "__main__":
    unittest.main()
