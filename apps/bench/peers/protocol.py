"""What every peer's program does: it answers requests for rounds, as apps/bench/worker.hpp, or
loads a file, runs it once and says what that took.

    python torch_peer.py                   requests on standard input, answers on standard output
    python torch_peer.py once FILE BATCH   {"seconds", "cpu_seconds", "start_kib", "peak_kib"}

Needs nothing but Python's own library.
"""

import json
import os
import sys
import time


def peak_resident_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def time_round(run, seconds, runs_per_call=1):
    """Seconds a run, and processor seconds of all threads, over as many runs as fill `seconds`; the
    twin of apps/bench/rounds.cpp."""
    calls, wanted, passed = 0, 1, 0.0
    start, cpu_start = time.perf_counter(), time.process_time()
    while calls == 0 or passed < seconds:
        for _ in range(wanted - calls):
            run()
        calls = wanted
        passed = time.perf_counter() - start
        more = (seconds - passed) / passed if passed > 0 else 1
        wanted = calls + max(1, int(calls * min(max(more, 0), 1)))
    cpu = time.process_time() - cpu_start
    runs = calls * runs_per_call
    return {"seconds": passed / runs, "cpu_seconds": cpu / runs, "runs": runs}


class Variant:
    """One way to run what was asked for. `check`: numbers that every contender should come to."""

    def __init__(self, run, check=(), runs_per_call=1):
        self.run = run
        self.check = [float(v) for v in check]
        self.runs_per_call = runs_per_call


def serve(name, versions, prepare):
    """prepare(request) returns {name: function that makes a Variant}; one that fails is left out,
    and the answer says why."""
    # What libraries print must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    variants = {}

    def answer(request):
        if request["do"] == "facts":
            return {"name": name, "versions": versions}
        if request["do"] == "prepare":
            variants.clear()
            failed = {}
            for variant, make in prepare(request).items():
                try:
                    variants[variant] = make()
                except Exception as error:  # a peer that cannot is a fact, not the end
                    failed[variant] = f"{type(error).__name__}: {error}"
            checks = {variant: v.check for variant, v in variants.items()}
            return {"variants": list(variants), "checks": checks, "failed": failed}
        variant = variants[request["variant"]]
        return time_round(variant.run, request["seconds"], variant.runs_per_call)

    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)


def load_once(load_and_run, file, batch):
    """Imports are over by now: neither their time nor, in start_kib, their memory counts."""
    start_kib, start, cpu_start = peak_resident_kib(), time.perf_counter(), time.process_time()
    load_and_run(file, batch)
    took = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu_start,
        "start_kib": start_kib,
        "peak_kib": peak_resident_kib(),
    }
    print(json.dumps(took))


def main(name, versions, prepare, load_and_run=None):
    if sys.argv[1:2] == ["once"]:
        load_once(load_and_run, sys.argv[2], int(sys.argv[3]))
    else:
        serve(name, versions, prepare)
