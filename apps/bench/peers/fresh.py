"""Fresh processes that load the large model and run it once: seconds from the file to the first
logits, without the start of the process and its imports, and the peak of resident memory."""

import pathlib
import statistics
import sys

from contender import empty_python_kib, run_fresh
from rows import (
    LOAD_MOONSHOT_SECONDS,
    LOAD_MUST_SECONDS,
    MEMORY_MOONSHOT,
    MEMORY_MUST,
    verdict,
)

HERE = pathlib.Path(__file__).resolve().parent
FILES = {  # peer: files of the large model
    "onnxruntime": ("large.onnxruntime-int8.onnx", "large.int8.onnx", "large.float32.onnx"),
    "litert": ("large.tensorflow-int8.tflite", "large.int8.tflite", "large.float32.tflite"),
    "torch": ("large.torch-int8.pt",),
}
OURS = (
    ("large.pruned.esp",),
    ("large.pruned.esp", "--lean"),
    ("large.int8.esp",),
    ("large.int8.esp", "--lean"),
    ("large.float32.esp",),
)


def commands(options):
    once = str(options.bin / "espalier-bench-once")
    found = {
        f"espalier: {' '.join(ours)}": [once, str(options.folder / ours[0]), *ours[1:]]
        for ours in OURS
    }
    for peer in options.peers.split(","):
        for name in FILES.get(peer, ()):
            if (options.folder / name).exists():
                program = [sys.executable, str(HERE / f"{peer}_peer.py"), "once"]
                found[f"{peer}: {name}"] = program + [str(options.folder / name), "1"]
    return found


def compare_fresh(options, runs=11):
    """One entry a file; memory net of an empty process: for the peers a bare interpreter, for us
    our program before it opens the file."""
    python_kib = empty_python_kib()
    entries = {name: [] for name in commands(options)}
    absent = []
    for _ in range(min(runs, options.rounds)):
        for name, command in commands(options).items():
            if name in entries:
                try:
                    entries[name].append(run_fresh(command))
                except RuntimeError as error:
                    absent.append(str(error))
                    del entries[name]
    results = []
    for name, replies in entries.items():
        middle = {key: statistics.median(r[key] for r in replies) for key in replies[0]}
        empty = middle["start_kib"] if name.startswith("espalier") else python_kib
        results.append(
            {
                "name": name,
                "seconds": middle["seconds"],
                "cpu_seconds": middle["cpu_seconds"],
                "peak_kib": middle["peak_kib"],
                "without_empty_kib": middle["peak_kib"] - empty,
                "without_imports_kib": middle["peak_kib"] - middle["start_kib"],
                "runs": replies,
            }
        )
    print_fresh(results)
    for line in absent:
        print(f"absent: {line[:200]}")
    return {"results": results, "absent": absent}


def print_fresh(results):
    head = ["fresh process, large, batch 1", "load and first result, ms", "CPU, ms"]
    head += ["peak, MB", "without the empty process", "without its imports"]
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for r in results:
        sizes = (r[k] / 1024 for k in ("peak_kib", "without_empty_kib", "without_imports_kib"))
        times = (1e3 * r[k] for k in ("seconds", "cpu_seconds"))
        cells = [r["name"]] + [f"{v:.1f}" for v in (*times, *sizes)]
        print("| " + " | ".join(cells) + " |")
    for r in results:
        if r["name"].startswith("espalier") and "float32" not in r["name"]:
            met = verdict(1 / r["seconds"], 1 / LOAD_MUST_SECONDS, 1 / LOAD_MOONSHOT_SECONDS)
            print(
                f"load {r['name']}: {1e3 * r['seconds']:.1f} ms, must {1e3 * LOAD_MUST_SECONDS:g},"
                f" moonshot {1e3 * LOAD_MOONSHOT_SECONDS:g}: {met}"
            )
    peers = [r for r in results if r["name"].startswith("onnxruntime")]
    for ours in results:
        if not peers or not ours["name"].startswith("espalier") or "float32" in ours["name"]:
            continue
        for key in ("peak_kib", "without_empty_kib", "without_imports_kib"):
            least = min(peers, key=lambda r: r[key])
            ratio = least[key] / ours[key]
            met = verdict(ratio, MEMORY_MUST, MEMORY_MOONSHOT)
            print(
                f"memory {ours['name']}, {key[:-4].replace('_', ' ')}: 1/{ratio:.1f} of"
                f" {least['name']}, must 1/{MEMORY_MUST}, moonshot 1/{MEMORY_MOONSHOT}: {met}"
            )
