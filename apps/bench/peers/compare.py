"""Espalier against its peers on this machine: rounds interleaved, each peer at its best setting.

    python3 -m venv VENV && VENV/bin/pip install -r apps/bench/peers/requirements.txt
    VENV/bin/python apps/bench/peers/compare.py --json result.json

Prints for each row our time, the fastest peer's, and the ratio with what is promised of it: a miss
is printed as a miss. Where other processes want the same processors, the ratio of processor times
tells more. Input is float32 of pixels / 255 in each one's own layout, made beforehand for
all alike: that conversion is timed for none; turning floats into levels is timed for all. Ends with
0 whatever the ratios are; with 1 where a contender computes something else than we do. Needs
nothing but Python's own library; the peers' programs need what requirements.txt lists.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

from contender import Contender, Entry, race
from fresh import compare_fresh
from rows import MODELS, ROWS, verdict

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ("onnxruntime", "litert", "torch", "keras")


def arguments():
    parser = argparse.ArgumentParser(
        description="Espalier against its peers: rounds interleaved, each at its best setting"
    )
    root = HERE.parents[2]
    parser.add_argument("--bin", type=pathlib.Path, default=root / "build" / "bin")
    parser.add_argument("--folder", type=pathlib.Path, help="keeps the models (default: temporary)")
    parser.add_argument("--peers", default=",".join(PEERS), help="names, or paths of programs")
    parser.add_argument("--suites", default="train,train-best,infer,sparse,load")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=0.02, help="that a round fills")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="writes every round's time, too")
    return parser.parse_args()


def program_of(peer):
    return pathlib.Path(peer) if peer.endswith(".py") else HERE / f"{peer}_peer.py"


def load_average():
    return pathlib.Path("/proc/loadavg").read_text().split()[:3]


class Field:
    """All contenders; a peer that ends is started again for the next row."""

    def __init__(self, options):
        self.options = options
        self.commands = [[str(options.bin / "espalier-bench"), "worker"]]
        for peer in filter(None, options.peers.split(",")):
            self.commands.append([sys.executable, str(program_of(peer))])
        self.running = {}
        self.facts = {}

    def contender(self, index):
        if index not in self.running:
            self.running[index] = Contender(self.commands[index], self.options.threads)
        return self.running[index]

    def enter(self, row):
        """The row's entries, ours first, and what could not take part."""
        entries, absent = [], []
        request = {
            "do": "prepare",
            "suite": row.suite,
            "model": row.model,
            "batch": row.batch,
            "threads": self.options.threads,
            "folder": str(self.options.folder),
        }
        for index in range(1 if row.against else len(self.commands)):
            try:
                contender = self.contender(index)
                reply = contender.ask(request)
            except (RuntimeError, OSError) as error:
                if index == 0:
                    raise
                if index in self.running:
                    self.forget(self.running[index])
                absent.append(str(error))
                continue
            self.facts[contender.name] = contender.facts
            for variant in reply["variants"]:
                entries.append(Entry(contender, variant, reply["checks"][variant]))
            for variant, why in reply["failed"].items():
                absent.append(f"{contender.name}: {variant}: {why}")
        return entries, absent

    def forget(self, contender):
        contender.close()
        self.running = {i: c for i, c in self.running.items() if c is not contender}

    def close(self):
        for contender in self.running.values():
            contender.close()


def agrees(entry, ours, row):
    """Whether the numbers are ours, but for rounding: of int8 a tenth of the largest logit, of the
    first step's loss a tenth (dropout differs)."""
    if row.against:
        return True
    rounds = row.suite.startswith("train") or "int8" in entry.variant + ours.variant
    close = 0.1 if rounds else 1e-3
    largest = max(abs(v) for v in ours.check)
    same_size = len(entry.check) == len(ours.check)
    return same_size and all(
        math.isfinite(a) and abs(a - b) <= close * largest for a, b in zip(entry.check, ours.check)
    )


def microseconds(seconds):
    us = seconds * 1e6
    return f"{us:,.0f}" if us >= 1000 else f"{us:.3g}"


def compare_row(field, row):
    entries, absent = field.enter(row)
    # Where the processor has no bf16, our best precision is float32.
    of_us = {e.variant: e for e in entries if e.contender.name == "espalier"}
    ours = of_us["float32" if row.ours == "bf16" and "bf16" not in of_us else row.ours]
    wrong = [e.name for e in entries if not agrees(e, ours, row)]
    hopeless = math.inf if row.against else 4.0
    ran, ended = race(entries, field.options.rounds, field.options.seconds, hopeless)
    if ours.contender in ended:
        raise RuntimeError(ended[ours.contender])
    for contender, why in ended.items():
        field.forget(contender)
        absent.append(why)
    if row.against:
        others = [e for e in ran if e.variant == row.against]
    else:
        others = [e for e in ran if e.contender is not ours.contender]
    others = [e for e in others if e.name not in wrong]  # who computes something else is no peer
    best = min(others, key=lambda e: e.median, default=None)
    ratio = best.median / ours.median if best else None
    cpu = min((e.cpu_median for e in others), default=0) / max(ours.cpu_median, 1e-12)
    result = {
        "row": row.title,
        "ours": ours.name,
        "best": best.name if best else None,
        "ratio": ratio,
        "cpu_ratio": cpu,
        "must": row.must,
        "moonshot": row.moonshot,
        "verdict": verdict(ratio, row.must, row.moonshot) if best else "",
        "absent": absent,
        "wrong": wrong,
        "entries": [
            {
                "name": e.name,
                "median": e.median,
                "mad": e.mad,
                "cpu_median": e.cpu_median,
                "processors": e.processors,
                "seconds": e.seconds,
            }
            for e in sorted(ran, key=lambda e: e.median)
        ],
    }
    print_row(result)
    return result


def print_row(result):
    print(f"\n{result['row']}")
    for e in result["entries"]:
        mark = {result["ours"]: "*", result["best"]: ">"}.get(e["name"], " ")
        us, spread = microseconds(e["median"]), 100 * e["mad"] / e["median"]
        print(
            f"  {mark} {e['name']:44} {us:>10} us  MAD {spread:4.1f} %"
            f"  {e['processors']:.2f} processors"
        )
    for line in result["absent"]:
        print(f"    absent: {line[:200]}")
    for line in result["wrong"]:
        print(f"    COMPUTES SOMETHING ELSE: {line}")
    sys.stdout.flush()


def table(results):
    lines = [
        "| row | ours, us | fastest other | its us | ratio | by CPU time | must | moonshot | met |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        medians = {e["name"]: microseconds(e["median"]) for e in r["entries"]}
        if r["best"] is None:
            continue
        cells = [
            r["row"],
            medians[r["ours"]],
            r["best"],
            medians[r["best"]],
            f"{r['ratio']:.2f}",
            f"{r['cpu_ratio']:.2f}",
            f"{r['must']:g}" if r["must"] else "-",
            f"{r['moonshot']:g}" if r["moonshot"] else "-",
            r["verdict"] or "-",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_models(options):
    command = [options.bin / "espalier-bench", "models", options.folder, "--model"]
    models = set(options.models.split(","))
    if "load" in options.suites.split(","):
        models.add("large")
    subprocess.run(command + sorted(models), check=True)
    peers = [p for p in options.peers.split(",") if p in PEERS]
    if not peers or not set(options.suites.split(",")) & {"infer", "load"}:
        return
    done = subprocess.run(
        [sys.executable, HERE / "int8_files.py", options.folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        print("int8_files.py: " + "\n".join(done.stderr.strip().splitlines()[-8:]), file=sys.stderr)


def compare(options):
    write_models(options)
    suites, models = options.suites.split(","), options.models.split(",")
    report = {
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "command": sys.argv,
        "threads": options.threads,
        "load_average": {"before": load_average()},
        "rows": [],
    }
    print(f"{report['when']}, load average {' '.join(load_average())}, {options.threads} thread(s)")
    field = Field(options)
    try:
        for row in ROWS:
            if row.suite in suites and row.model in models:
                report["rows"].append(compare_row(field, row))
        report["contenders"] = list(field.facts.values())
    finally:
        field.close()
    if "load" in suites:
        report["fresh"] = compare_fresh(options)
    report["load_average"]["after"] = load_average()

    print("\n" + table(report["rows"]))
    for facts in report["contenders"]:
        said = facts.get("machine", {}) | facts["versions"]
        print(f"{facts['name']}: " + ", ".join(f"{key} {value}" for key, value in said.items()))
    print(f"load average after: {' '.join(load_average())}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return not any(r["wrong"] for r in report["rows"])


def main():
    options = arguments()
    if options.folder:
        options.folder = options.folder.resolve()
        return compare(options)
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder:
        options.folder = pathlib.Path(folder)
        return compare(options)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
