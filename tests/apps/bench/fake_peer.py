"""A peer of made-up times for compare_test.py. Its numbers are those of espalier-bench's worker,
which it asks; FAKE_PEER says what else it does: "wrong" adds a variant with other numbers, "die"
ends in the middle of a round."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "apps" / "bench" / "peers"))
from protocol import Variant, serve

what = os.environ.get("FAKE_PEER", "")
worker = subprocess.Popen(
    [os.environ["ESPALIER_BENCH"], "worker"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
)


def ask(request):
    worker.stdin.write(json.dumps(request) + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def prepare(request):
    checks = ask(request)["checks"]
    check = checks.get("float32") or checks["dense"]

    def run():
        if what == "die":
            os._exit(9)
        print("a library's own words")

    def broken():
        raise ValueError("cannot")

    ways = {
        "float32": lambda: Variant(run, check, runs_per_call=10),
        "broken": broken,
    }
    if what == "wrong":
        ways["int8"] = lambda: Variant(run, [v + 100 for v in check])
    return ways


serve("fake", {"fake": "1.0"}, prepare)
worker.stdin.close()
worker.wait()
