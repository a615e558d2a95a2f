"""A process that keeps its models built and answers requests for rounds (apps/bench/worker.hpp)."""

import json
import os
import statistics
import subprocess
import sys


class Contender:
    def __init__(self, command, threads=1, log=subprocess.DEVNULL):
        self.command = command
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(threads),
        )
        self.facts = self.ask({"do": "facts"})
        self.name = self.facts["name"]

    def ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.process.wait()
            raise RuntimeError(f"{' '.join(self.command)}: ended with {code} at {request}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(f"{' '.join(self.command)}: {reply['error']}")
        return reply

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def environment(threads):
    """The same threads for every library; nothing that a shell may have set to slow one of them."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return kept | {name: str(threads) for name in names}


class Entry:
    """One contender's variant in a row of the table."""

    def __init__(self, contender, variant, check):
        self.contender, self.variant, self.check = contender, variant, check
        self.seconds = []

    def round(self, seconds):
        request = {"do": "round", "variant": self.variant, "seconds": seconds}
        return self.contender.ask(request)["seconds"]

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def mad(self):
        return statistics.median(abs(s - self.median) for s in self.seconds)

    @property
    def name(self):
        return f"{self.contender.name}: {self.variant}"


def race(entries, rounds, seconds, hopeless=4.0):
    """Fills entry.seconds. Every entry has its turn in each round, beginning with another one each
    time. After three rounds that do not count, who is `hopeless` times slower than its contender's
    best drops out: only the best setting of each is wanted."""
    tried = [[e.round(seconds) for e in entries] for _ in range(3)]
    least = {id(e): min(times) for e, times in zip(entries, zip(*tried))}
    best = {}
    for e in entries:
        name = e.contender.name
        best[name] = min(best.get(name, least[id(e)]), least[id(e)])
    running = [e for e in entries if least[id(e)] <= hopeless * best[e.contender.name]]
    for index in range(rounds):
        turn = index % len(running)
        for e in running[turn:] + running[:turn]:
            e.seconds.append(e.round(seconds))
    return running


def run_fresh(command, threads=1):
    """Its one line of JSON."""
    done = subprocess.run(
        command, env=environment(threads), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        raise RuntimeError(f"{' '.join(command)}: {' '.join(last)}")
    return json.loads(done.stdout.splitlines()[-1])


def empty_python_kib():
    """The peak of an interpreter that imports nothing but Python's own."""
    folder = os.path.dirname(os.path.abspath(__file__))
    code = (
        f"import sys; sys.path.insert(0, {folder!r}); import protocol;"
        " print(protocol.peak_resident_kib())"
    )
    return run_fresh([sys.executable, "-c", code])
