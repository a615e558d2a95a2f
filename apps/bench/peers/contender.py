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
        try:
            self.process.stdin.close()
            self.process.wait(timeout=10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
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
        self.cpu_seconds = []  # of processor time: of all threads

    def round(self, seconds):
        request = {"do": "round", "variant": self.variant, "seconds": seconds}
        reply = self.contender.ask(request)
        return reply["seconds"], reply["cpu_seconds"]

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def mad(self):
        return statistics.median(abs(s - self.median) for s in self.seconds)

    @property
    def cpu_median(self):
        return statistics.median(self.cpu_seconds)

    @property
    def processors(self):
        """How many it kept busy: over the threads that it was given, it cheats; under them, others
        had the processor."""
        return sum(self.cpu_seconds) / max(sum(self.seconds), 1e-9)

    @property
    def name(self):
        return f"{self.contender.name}: {self.variant}"


def race(entries, rounds, seconds, hopeless=4.0):
    """Fills entry.seconds; returns who ran, and {contender that ended meanwhile: why}. Every entry
    has its turn in each round, beginning with another one each time. After three rounds that do not
    count, who is `hopeless` times slower than its contender's best drops out: only the best setting
    of each is wanted."""
    ended = {}

    def turn(entry):
        if entry.contender in ended:
            return None
        try:
            return entry.round(seconds)
        except RuntimeError as error:
            ended[entry.contender] = str(error)
            return None

    tried = [[turn(e) for e in entries] for _ in range(3)]
    least = {
        e: min(t[0] for t in times if t) for e, times in zip(entries, zip(*tried)) if all(times)
    }
    best = {}
    for e, time in least.items():
        best[e.contender] = min(best.get(e.contender, time), time)
    running = [e for e, time in least.items() if time <= hopeless * best[e.contender]]
    for index in range(rounds):
        first = index % max(1, len(running))
        for e in running[first:] + running[:first]:
            took = turn(e)
            if took:
                e.seconds.append(took[0])
                e.cpu_seconds.append(took[1])
    return [e for e in running if e.contender not in ended], ended


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
