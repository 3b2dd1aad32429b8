"""The measurements of `peers.sh`: see there for what they are and how to ask for them.

A measurement is a pair of commands, run in turns, A B A B …; what counts is the median of the ratios of neighbours, so
that a machine that slows down for a while does not decide. Every command is a process of its own, its time is the wall
time from its start to its end, and its answer is compared every time. Only Python's standard library is used here.
"""

import argparse
import filecmp
import gzip
import hashlib
import json
import os
import platform
import resource
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MIB = 1 << 20
CODECS = ["gz", "zst", "plain"]
PEERS = ["chdb", "duckdb", "polars", "dask", "jq", "jaq"]
SLOW = {"dask", "jq", "jaq"}
ENGINES = ["chdb", "duckdb", "polars"]
SECTIONS = ["answers", "peers", "lines", "scaling", "one", "small", "first", "lanes", "memory", "order", "grouping"]
SECTIONS += ["cliff", "skew", "sorting", "jsonbench", "users", "command"]

# The least ratio of a peer's time to ours.
GOALS = {("chdb", "gz"): 1.15, ("chdb", "zst"): 1.6, ("chdb", "plain"): 2, "duckdb": 3, "polars": 2, "dask": 10}


class Stop(Exception):
    """What ends the script: its text says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


# ------------------------------------------------------------------ running commands


@dataclass
class Run:
    """What one run of a command showed."""

    seconds: float
    cpu: float
    rss_kib: int
    out: str
    version: str = ""


@dataclass
class Command:
    """A program with its arguments; `answer` reads its output into something that can be compared."""

    name: str
    argv: list
    answer: callable = str.strip
    cores: set = None
    in_process: bool = False
    expected: object = None

    def run(self, scratch):
        """Runs it once; its answer must be the expected one."""
        out = scratch / "stdout"
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        ]
        argv = [str(part) for part in self.argv]
        everywhere = os.sched_getaffinity(0)
        if self.cores:
            # A child inherits it.
            os.sched_setaffinity(0, self.cores)
        start = time.perf_counter()
        process = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - start
        if self.cores:
            os.sched_setaffinity(0, everywhere)
        if status != 0:
            raise Stop(f"{self.name}: exit code {os.waitstatus_to_exitcode(status)} of {' '.join(argv)[:500]}")
        run = Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, out.read_text())
        if self.in_process:
            inside = json.loads(run.out)
            run.seconds, run.rss_kib, run.version = inside["seconds"], inside["rss_kib"], inside["version"]
        if self.expected is not None:
            same(self.name, self.answer(run.out), self.expected)
        return run


def same(name, answer, expected):
    """Stops with the difference if two answers are not equal."""
    if answer == expected:
        return
    lines = [f"{name} gives another answer than expected:"]
    if isinstance(answer, dict) and isinstance(expected, dict):
        for key in sorted(answer.keys() | expected.keys()):
            if answer.get(key) != expected.get(key):
                lines.append(f"  {key}: {answer.get(key)}, expected {expected.get(key)}")
    else:
        lines.append(f"  {str(answer)[:300]}, expected {str(expected)[:300]}")
    raise Stop("\n".join(lines))


def tabbed(out):
    """COUNT<TAB>VALUE lines as a dictionary from JSON text to count."""
    rows = [line.split("\t", 1) for line in out.splitlines()]
    return {json.dumps(json.loads(value)): int(count) for count, value in rows}


def listed(out):
    """What `peers.py` prints, as the same dictionary."""
    return {json.dumps(value): int(count) for value, count in json.loads(out)["answer"]}


def mapped(out):
    """One object from JSON text to count, as jq and jaq print it, as the same dictionary."""
    return {json.dumps(json.loads(value)): count for value, count in json.loads(out).items()}


def rows_of(out):
    """JSON arrays, one a line, as a list."""
    return [json.loads(line) for line in out.splitlines()]


def digest(out):
    """What tells texts apart."""
    return hashlib.sha256(out.encode()).hexdigest()


def counted(out):
    """The counts in a list of objects, by value."""
    return {json.dumps(row["c"]): row["n"] for row in json.loads(out)}


def answered(out):
    """The answer of a peer's program."""
    return json.loads(out)["answer"]


# ------------------------------------------------------------------ data


class Data:
    """Generated shards, made when they are first asked for and kept in the work directory."""

    def __init__(self, options):
        self.options = options
        self.sizes = {}

    def directory(self, kind, codec):
        mb = self.options.mb
        shards, total = {
            "eight": (8, mb),
            "tenth": (8, mb / 10),
            "one": (1, mb),
            "small": (max(10 * mb, 8), mb / 10),
            "many": (64, mb * 0.256),
            "tiny": (1, 0.01),
        }[kind]
        name = self.options.work / f"{kind}-{codec}-{total:g}mb"
        if not name.exists():
            say(f"generating {total:g} MB of events in {shards} {codec} shards")
            unfinished = name.with_name(name.name + ".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            arguments = ["events", unfinished, shards, f"{total:g}", codec, 42]
            subprocess.run([self.options.generate, *map(str, arguments)], check=True)
            unfinished.rename(name)
            # What is written back later would disturb what is measured.
            os.sync()
        return name

    def files(self, kind, codec):
        return sorted(self.directory(kind, codec).iterdir())

    def glob(self, kind, codec):
        return self.directory(kind, codec) / "*.jsonl*"

    def text_bytes(self, kind, codec):
        key = (kind, codec)
        if key not in self.sizes:
            argv = [self.options.subjects, "bare-stream", *self.files(kind, codec)]
            self.sizes[key] = int(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
        return self.sizes[key]


# ------------------------------------------------------------------ tables


@dataclass
class Row:
    """A measured pair: ratios are B's time by A's, so that more is better for A."""

    what: str
    ratios: list
    goal: float
    a: list
    b: list

    def cells(self):
        low, middle, high = quartiles(self.ratios)
        goal = f"≥ {self.goal:g}: {'met' if middle >= self.goal else '**missed**'}" if self.goal else "–"
        seconds = [f"{statistics.median(run.seconds for run in runs):.3f}" for runs in (self.a, self.b)]
        rss = [mebibytes(max(run.rss_kib for run in runs)) for runs in (self.a, self.b)]
        return [self.what, f"**{middle:.2f}** ({low:.2f}–{high:.2f})", goal, *seconds, *rss, str(len(self.a))]


def mebibytes(kib):
    """A peak of memory. A new process inherits the peak of the one that starts it: less than that is not seen."""
    least = peak_kib()
    return f"≤ {least / 1024:.0f}" if kib <= least else f"{kib / 1024:.0f}"


def peak_kib():
    """The most memory that this process ever had."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def quartiles(values):
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def table(head, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


class Report:
    """The Markdown text; written anew after each section, so that a run that is stopped leaves what it had."""

    def __init__(self, path):
        self.path, self.parts = path, []

    def add(self, *parts):
        self.parts += [part for part in parts if part]
        if self.path:
            self.path.write_text("\n\n".join(self.parts) + "\n")

    def pairs(self, title, note, ours, other, ratio, rows):
        head = ["", f"{ratio}: median (quartiles)", "goal", f"{ours}, s", f"{other}, s"]
        head += [f"{ours}, MiB", f"{other}, MiB", "pairs"]
        self.add(f"### {title}", note, table(head, [row.cells() for row in rows]))


# ------------------------------------------------------------------ the measurements


class Bench:
    def __init__(self, options, report):
        self.options, self.report, self.data = options, report, Data(options)
        self.cores = sorted(os.sched_getaffinity(0))
        self.answers_of, self.versions, self.available = {}, {}, None

    def pair(self, what, a, b, goal=None, pairs=None, scale=1):
        """Measures A and B in turns, after one run of each that only warms up (a slow peer's answer was that)."""
        runs = ([], [])
        for turn in range(1 if pairs else 0, (pairs or self.options.pairs) + 1):
            for command, seen in zip((a, b), runs):
                run = command.run(self.options.scratch)
                if turn > 0:
                    seen.append(run)
        ratios = [scale * other.seconds / own.seconds for own, other in zip(*runs)]
        row = Row(what, ratios, goal, *runs)
        say("  " + " | ".join(row.cells()))
        return row

    # Subjects

    def count_by(self, kind, codec, *options, cores=None):
        argv = [self.options.count_by, *options, ".commit.collection", self.data.glob(kind, codec)]
        name = f"count_by on {kind}-{codec}"
        command = Command(name, argv, tabbed, cores=cores, expected=self.answers_of.get((kind, codec)))
        if command.expected is None:
            # The first answer binds the later ones; `answers` holds it against the peers'.
            command.expected = self.answers_of[kind, codec] = tabbed(command.run(self.options.scratch).out)
        return command

    def subject(self, verb, *arguments, cores=None, expected=None):
        return Command(verb, [self.options.subjects, verb, *arguments], cores=cores, expected=expected)

    def count_lines(self, kind, codec, *options):
        records = sum(self.count_by(kind, codec).expected.values())
        return self.subject("lines", self.data.glob(kind, codec), *options, expected=str(records))

    def bare(self, kind, codec, *options, verb="bare"):
        size = str(self.data.text_bytes(kind, codec))
        return self.subject(verb, *self.data.files(kind, codec), *options, expected=size)

    def peer(self, peer, codec, expected=None):
        files = self.data.files("eight", codec)
        if peer in ("jq", "jaq"):
            unpack = {"gz": "gzip -dc", "zst": self.unzstd(), "plain": "cat"}[codec]
            # jq reads in one thread; unpacking runs beside it.
            program = "reduce (inputs | .commit.collection) as $c ({}; .[$c | tojson] += 1)"
            script = f'program=$1 tool=$2; shift 2; {unpack} "$@" | "$tool" -nc "$program"'
            argv = ["/bin/sh", "-c", script, "sh", program, self.tool(peer), *files]
            return Command(f"{peer} on {codec}", argv, mapped, expected=expected)
        small = self.data.files("tiny", codec)
        argv = [sys.executable, HERE / "peers.py", peer, len(self.cores), *small, *files]
        return Command(f"{peer} on {codec}", argv, listed, in_process=True, expected=expected)

    def unzstd(self):
        """What writes the text of .zst files; without zstd itself, Python with dask's decoder."""
        if shutil.which("zstd"):
            return "zstd -dcq"
        program = (
            "import sys, zstandard as z; [z.ZstdDecompressor().copy_stream(open(path, 'rb'), sys.stdout.buffer) "
            "for path in sys.argv[1:]]"
        )
        return f'{shlex.quote(sys.executable)} -c "{program}"'

    def tool(self, name):
        own = Path(sys.executable).parent / name
        return str(own) if own.exists() else shutil.which(name)

    def peers_here(self):
        """The peers that were asked for and can be run."""
        if self.available is None:
            self.available = []
            for peer in self.options.peers:
                if peer in ("jq", "jaq") and not self.tool(peer):
                    say(f"{peer} is left out: it is not installed. " + HINTS[peer])
                else:
                    self.available.append(peer)
        return self.available

    # Sections

    def answers(self):
        """All answers are equal, or nothing is timed."""
        sizes = {codec: self.data.text_bytes("eight", codec) for codec in self.options.codecs}
        if len(set(sizes.values())) != 1:
            raise Stop(f"the same text packed in three ways has different sizes: {sizes}")
        scratch = self.options.scratch
        first = None
        for codec in self.options.codecs:
            answer = self.count_by("eight", codec).expected
            first = first or answer
            same(f"count_by on {codec}", answer, first)
            for peer in self.peers_here():
                run = self.peer(peer, codec, expected=first).run(scratch)
                self.versions[peer] = run.version or self.tool_version(peer)
                say(f"{peer} on {codec}: the same answer ({run.seconds:.2f} s)")
            # The other lane, and lines that are not parsed.
            self.count_by("eight", codec, "--lane", "json").run(scratch)
            self.count_lines("eight", codec).run(scratch)
        names = ", ".join(f"{peer} {version}" for peer, version in self.versions.items())
        records, values = sum(first.values()), len(first)
        text = f"All answers are equal ({records} records, {values} values, {', '.join(self.options.codecs)}): {names}."
        self.report.add("### Answers", text)

    def tool_version(self, peer):
        argv = [self.tool(peer), "--version"]
        text = subprocess.run(argv, capture_output=True, text=True).stdout.strip()
        return text.replace("jq-", "").replace("jaq ", "")

    def peers(self):
        rows = []
        for codec in self.options.codecs:
            ours = self.count_by("eight", codec)
            for peer in self.peers_here():
                other = self.peer(peer, codec, expected=ours.expected)
                pairs = self.options.slow_pairs if peer in SLOW else None
                goal = GOALS.get((peer, codec), GOALS.get(peer))
                rows.append(self.pair(f"{codec}, {peer} {self.versions[peer]}", ours, other, goal, pairs))
        note = (
            "Events counted by `commit.collection`, eight shards. Ours is a whole process, its start included; a "
            "peer's clock starts when it is imported, has started its engine and has answered the query on a small "
            "file, which is to our disadvantage. Memory is the highest peak of a process (of dask: the sum of its "
            "processes; of jq and jaq, which are fed by gzip, zstd or cat: the largest process). jq and jaq are whole "
            "processes too."
        )
        self.report.pairs("Count by a nested field", note, "ours", "peer", "peer ÷ ours", rows)

    def lines(self):
        rows = []
        for codec in self.options.codecs:
            goal = {"gz": 0.93, "zst": 0.9}.get(codec)
            decoder = {"gz": "libdeflate in one call", "zst": "zstd", "plain": "read only"}[codec]
            lines = self.count_lines("eight", codec)
            rows.append(self.pair(f"{codec}, {decoder}", lines, self.bare("eight", codec), goal))
            if codec == "gz":
                streamed = self.bare("eight", codec, verb="bare-stream")
                rows.append(self.pair("gz, zlib-rs streaming", lines, streamed))
        note = "Against the same decoder on all cores that throws the text away; eight shards."
        self.report.pairs("Count lines", note, "lines", "bare", "bare ÷ lines", rows)

    def scaling(self):
        if len(self.cores) < 2:
            self.report.add("### Two cores against one", "Left out: this process may use one core only.")
            return
        rows = []
        for codec in self.options.codecs:
            goal = {"gz": 1.6, "plain": 1.8}.get(codec)
            two = self.count_by("eight", codec, cores=set(self.cores[:2]))
            one = self.count_by("eight", codec, cores=set(self.cores[:1]))
            rows.append(self.pair(codec, two, one, goal))
        note = "The same command (count by `commit.collection`, eight shards), pinned to two cores and to one."
        self.report.pairs("Two cores against one", note, "two cores", "one core", "one ÷ two", rows)

    def one(self):
        size = self.data.text_bytes("one", "gz")
        count, lines = self.count_by("one", "gz"), self.count_lines("one", "gz")
        bare = {verb: self.bare("one", "gz", "--threads", "1", verb=verb) for verb in ("bare", "bare-stream")}
        names = {"bare": "libdeflate", "bare-stream": "zlib-rs"}
        # What decodes a member in one call must hold its text.
        used = "bare" if count.run(self.options.scratch).rss_kib * 1024 >= size else "bare-stream"
        rows = []
        for command, what in ((lines, "lines"), (count, "count by")):
            for verb, other in bare.items():
                goal = 0.9 if verb == used else None
                rows.append(self.pair(f"{what}, against {names[verb]}", command, other, goal))
        note = (
            f"One gzip file of {size / 1e6:.0f} MB of text, against inflate in one thread. By its memory, ours decoded "
            f"with {names[used]}: that row has the goal."
        )
        self.report.pairs("One large gzip file", note, "ours", "inflate", "inflate ÷ ours", rows)

    def small(self):
        files = len(self.data.files("small", "gz"))
        scale = self.data.text_bytes("small", "gz") / self.data.text_bytes("eight", "gz")
        pair = self.count_by("small", "gz"), self.count_by("eight", "gz")
        row = self.pair(f"{files} files of 10 kB of text, gz", *pair, goal=0.5, scale=scale)
        note = "Text per second of many small files, as a share of the eight shards'; count by `commit.collection`."
        self.report.pairs("Many small files", note, "small files", "eight shards", "share of the rate", [row])

    def first(self):
        with gzip.open(self.data.files("eight", "gz")[0], "rt") as shard:
            expected = "".join(shard.readline() for _ in range(10)).strip()
        rows = []
        for codec in self.options.codecs:
            command = self.subject("first", 10, self.data.glob("eight", codec), expected=expected)
            command.run(self.options.scratch)
            runs = [command.run(self.options.scratch) for _ in range(self.options.pairs)]
            low, middle, high = quartiles([run.cpu * 1000 for run in runs])
            goal = f"≤ 20: {'met' if middle <= 20 else '**missed**'}"
            wall = statistics.median(run.seconds * 1000 for run in runs)
            rss = mebibytes(max(run.rss_kib for run in runs))
            rows.append([codec, f"**{middle:.1f}** ({low:.1f}–{high:.1f})", goal, f"{wall:.1f}", rss])
            say("  " + " | ".join(rows[-1]))
        head = ["", "process time, ms: median (quartiles)", "goal", "wall time, ms", "peak memory, MiB"]
        note = f"User and system time of a whole process that prints ten records of eight shards; {len(runs)} runs."
        self.report.add("### The first ten records", note, table(head, rows))

    def lanes(self):
        rows = []
        for codec in self.options.codecs:
            owned = self.count_by("eight", codec, "--lane", "json")
            rows.append(self.pair(codec, owned, self.count_by("eight", codec, "--lane", "borrowed"), 0.75))
        note = "Count by `commit.collection` over owned records (`Bag<Json>`), against borrowed ones; eight shards."
        self.report.pairs("Owned records against borrowed ones", note, "owned", "borrowed", "borrowed ÷ owned", rows)

    def memory(self):
        budget = ["--threads", "4", "--memory", "64"]
        target = self.options.out / "memory.jsonl"
        rows = []
        for codec in self.options.codecs:
            for what in ("count lines", "count by", "pass into one file"):
                row = [f"{codec}, {what}"]
                for kind in ("tenth", "eight"):
                    command = {
                        "count lines": self.count_lines(kind, codec, *budget),
                        "count by": self.count_by(kind, codec, *budget),
                        "pass into one file": self.subject("pass", self.data.glob(kind, codec), target, *budget),
                    }[what]
                    row.append(max(command.run(self.options.scratch).rss_kib for _ in range(3)))
                goal = f"≤ 96: {'met' if max(row[1:]) <= 96 * 1024 else '**missed**'}"
                rows.append([row[0], *map(mebibytes, row[1:]), goal])
                say("  " + " | ".join(rows[-1]))
        target.unlink(missing_ok=True)
        sizes = [f"{self.data.text_bytes(kind, self.options.codecs[0]) / 1e6:.0f} MB" for kind in ("tenth", "eight")]
        note = "Peak resident memory in MiB, 4 threads, a budget of 64 MiB, eight shards; the highest of 3 runs."
        self.report.add("### Memory of a streaming plan", note, table(["", *sizes, "goal"], rows))

    def order(self):
        target = self.options.out / "order.jsonl"
        small_budget = ["--memory", "64"]
        cases = [
            ("64 gz shards of 4 MB, budget 64 MiB", "many", small_budget),
            ("8 gz shards of 125 MB, default budget", "eight", []),
        ]
        rows = []
        for what, kind, budget in cases:
            if self.options.mb != 1000:
                what += f" (scaled by {self.options.mb / 1000:g})"
            commands = []
            for name, options in (("ordered", []), ("unordered", ["--unordered"])):
                command = self.subject("pass", self.data.glob(kind, "gz"), target, *budget, *options)
                command.name = f"{name} pass of {what}"
                command.run(self.options.scratch)
                self.check_text(command.name, target, kind, ordered=not options)
                command.expected = str(sum(self.count_by(kind, "gz").expected.values()))
                commands.append(command)
            rows.append(self.pair(what, *commands, goal=0.85))
        target.unlink(missing_ok=True)
        where = "memory (tmpfs)" if str(self.options.out).startswith("/dev/shm") else "disk, flushed"
        note = f"Every record decoded and written to one plain file in {where}, in record order and as it comes."
        self.report.pairs("The price of order", note, "ordered", "unordered", "unordered ÷ ordered", rows)

    def grouping(self):
        """Both budgets give the same keys, records and order: the digest says so."""
        codec = "zst" if "zst" in self.options.codecs else self.options.codecs[0]
        shards = self.data.glob("eight", codec)
        rows = []
        # So small a budget that at least four times as much is spilled; half of the machine otherwise.
        for verb, path, part in (("groups", ".did", 5), ("folds", ".commit.rkey", 26)):
            budget = max(self.options.mb // part, 4)
            small = self.subject(verb, path, shards, "--memory", budget)
            large = self.subject(verb, path, shards)
            small.name, large.name = f"{verb} with {budget} MiB", f"{verb} in memory"
            small.expected = large.expected = large.run(self.options.scratch).out.strip()
            argv = [str(part) for part in small.argv] + ["--spilled"]
            spilled = int(subprocess.run(argv, check=True, capture_output=True, text=True).stderr) / MIB
            if spilled < 4 * budget:
                say(f"{small.name}: only {spilled:.0f} MiB were spilled")
            what = {"groups": "group_by", "folds": "fold_by"}[verb]
            keys = large.expected.partition(" ")[0]
            text = f"`{what}` {path}, {keys} keys, {budget} MiB, {spilled:.0f} MiB spilled"
            rows.append(self.pair(text, small, large))
        note = (
            f"Eight {codec} shards: every record grouped by its user and read back (`group_by`), and a count and a sum "
            f"for each record key, nearly one a record (`fold_by`); with a small budget, and with the default one, "
            f"which holds everything."
        )
        self.report.pairs("Grouping beyond memory", note, "spilled", "in memory", "in memory ÷ spilled", rows)

    def cliff(self):
        """How much the first spilled byte costs: from just enough memory to just too little."""
        codec = "zst" if "zst" in self.options.codecs else self.options.codecs[0]
        shards = self.data.glob("eight", codec)
        rows = []
        for verb, path in (("groups", ".did"), ("folds", ".commit.rkey")):

            def within(budget):
                return self.subject(verb, path, shards, "--memory", budget)

            def spills(budget):
                argv = [str(part) for part in within(budget).argv] + ["--spilled"]
                return int(subprocess.run(argv, check=True, capture_output=True, text=True).stderr) > 0

            # To a sixty-fourth: the least budget with which nothing is spilled.
            few, enough = 16, 16
            while spills(enough):
                few, enough = enough, 2 * enough
            while enough - few > max(few // 64, 1):
                middle = (few + enough) // 2
                few, enough = (middle, enough) if spills(middle) else (few, middle)
            what = {"groups": "group_by", "folds": "fold_by"}[verb]
            large = within(enough * 5 // 4)
            large.expected = large.run(self.options.scratch).out.strip()
            for part in (0.95, 0.8):
                small = within(int(few * part))
                small.name, small.expected = f"{verb} with {int(few * part)} MiB", large.expected
                text = f"`{what}` {path}: {int(few * part)} MiB, where {enough} hold all"
                rows.append(self.pair(text, small, large, goal=1 / 1.5))
        note = (
            f"The verbs of the table before over eight {codec} shards, with a little less memory than holds their state and "
            f"with a quarter more."
        )
        self.report.pairs("Where memory ends", note, "less", "more", "more ÷ less", rows)

    def skew(self):
        """Every answer is checked against a model by the program itself, outside the time."""
        rows = []
        for verb in ("group_by", "fold_by", "distinct", "sort_by", "join"):
            for memory in (16, 1024):
                commands = []
                for keys in ("half", "uniform"):
                    limits = ["--memory", memory, "--input", 320, "--temp", self.options.scratch]
                    argv = [self.options.within, verb, keys, *limits, "--json"]
                    commands.append(Command(f"{verb}, {keys}", argv, answered, in_process=True))
                text = f"`{verb}`, {memory} MiB"
                rows.append(self.pair(text, *commands, goal=1 / 1.2, pairs=min(self.options.pairs, 7)))
        note = "320 MiB of made-up records, half of them of one key, and the same with uniform keys, each four times."
        self.report.pairs("Half of the records under one key", note, "skewed", "uniform", "uniform ÷ skewed", rows)

    def sorting(self):
        """All outputs are equal, or nothing is timed: GNU's is stable as ours is, DuckDB's but for lines of one key."""
        files = self.data.files("eight", "plain")
        ours, gnu, other, keyed = (self.options.out / name for name in ("ours", "gnu", "duckdb", "keyed"))
        say("extracting the keys")
        with open(keyed, "wb") as to:
            for line in (line for path in files for line in open(path, "rb")):
                to.write(rkey(line) + b"\t" + line)
        half, quarter = max(self.options.mb // 2, 16), max(self.options.mb // 4, 8)

        def own(memory):
            arguments = [".commit.rkey", self.data.glob("eight", "plain"), ours]
            return self.subject("sort", *arguments, "--memory", memory, "--temp", self.options.scratch)

        def sort(memory):
            sort = ["/usr/bin/env", "LC_ALL=C", "sort", "--stable", "--field-separator=\t", "--key=1,1", keyed]
            limits = [f"--buffer-size={memory}M", f"--parallel={len(self.cores)}", "-T", self.options.scratch]
            return Command(f"GNU sort, {memory} MiB", [*sort, *limits, "-o", gnu])

        tiny = self.data.files("tiny", "plain")
        peer = [sys.executable, HERE / "peers.py", "duckdb-sort", len(self.cores), *tiny, half, other, *files]
        duckdb = Command("DuckDB", peer, lambda out: json.loads(out)["answer"], in_process=True)
        with_duckdb = "duckdb" in self.options.peers

        records = own(half).run(self.options.scratch).out.strip()
        sort(quarter).run(self.options.scratch)
        with open(ours, "rb") as mine, open(gnu, "rb") as theirs:
            for line, pair in zip(mine, theirs, strict=True):
                same("GNU sort: a line", pair.partition(b"\t")[2], line)
        if with_duckdb:
            duckdb.expected = int(records)
            version = duckdb.run(self.options.scratch).version
            same("DuckDB: bytes of output", other.stat().st_size, ours.stat().st_size)
            sums = [0, 0]
            with open(ours, "rb") as mine, open(other, "rb") as theirs:
                for lines in zip(mine, theirs, strict=True):
                    sums = [sum + hash(line) for sum, line in zip(sums, lines)]
                    same("DuckDB: a key", rkey(lines[1]), rkey(lines[0]))
            same("DuckDB: the lines", sums[1], sums[0])
        say("the outputs are equal")
        rows = []
        for what, memory, command in [
            (f"GNU sort, {quarter} MiB", quarter, sort(quarter)),
            (f"GNU sort, {half} MiB", half, sort(half)),
            *([(f"DuckDB {version}, {half} MiB", half, duckdb)] if with_duckdb else []),
        ]:
            mine = own(memory)
            mine.expected = records
            rows.append(self.pair(what, mine, command))
        for path in (ours, gnu, other, keyed):
            path.unlink(missing_ok=True)
        note = (
            f"Eight plain shards, {records} records, sorted by `commit.rkey` into one file within a limit of memory; the "
            f"outputs are equal (DuckDB's but for the order of lines of one key). GNU sort (`LC_ALL=C`, stable, "
            f"{len(self.cores)} threads) is given one file of lines with their keys before them, which is to our "
            f"disadvantage: it parses nothing."
        )
        self.report.pairs("Sorting beyond memory", note, "ours", "peer", "peer ÷ ours", rows)

    def engine(self, peer, query, kind, expected):
        small = self.data.files("tiny", "gz")
        argv = [sys.executable, HERE / "jsonbench.py", peer, query, len(self.cores), *small, *self.data.files(kind, "gz")]
        return Command(f"{peer}: {query}", argv, answered, in_process=True, expected=expected)

    def query(self, name):
        """Our command for a query; the first answer binds the later ones and the peers'."""
        argv = [self.options.jsonbench, name, self.data.glob("eight", "gz")]
        command = Command(f"jsonbench {name}", argv, rows_of)
        command.expected = rows_of(command.run(self.options.scratch).out)
        return command

    def against_engines(self, name, engines):
        """Our command, and each engine's with its version, after all have given the same answer."""
        ours, others = self.query(name), []
        for peer in engines:
            other = self.engine(peer, name, "eight", ours.expected)
            others.append((f"{peer} {other.run(self.options.scratch).version}", other))
        return ours, others

    def jsonbench(self):
        engines = [peer for peer in ENGINES if peer in self.options.peers]
        if not engines:
            self.report.add("### JSONBench", f"Left out: it needs one of {', '.join(ENGINES)}.")
            return
        queries = {f"q{number}": self.against_engines(f"q{number}", engines) for number in range(1, 6)}
        say("the answers are equal")
        rows, middles = [], []
        for name, (ours, others) in queries.items():
            of_query = [self.pair(f"{name}, {what}", ours, other) for what, other in others]
            fastest = min(of_query, key=lambda row: statistics.median(row.ratios))
            fastest.goal = 1.1
            middles.append(statistics.median(fastest.ratios))
            rows += of_query
        note = (
            "JSONBench's five queries over eight gz shards, nothing loaded before; all answers are equal. Ours is a whole "
            "process, a peer's clock starts when it has answered the query on a small file. The goal is for the fastest "
            f"peer of each query; of these ratios the geometric mean is {statistics.geometric_mean(middles):.2f}."
        )
        self.report.pairs("JSONBench from raw shards", note, "ours", "peer", "peer ÷ ours", rows)

    def users(self):
        rows = []
        engines = [peer for peer in ENGINES if peer in self.options.peers]
        ours, others = self.against_engines("users", engines)
        for (what, other), peer in zip(others, engines):
            rows.append(self.pair(f"count by `did`, {what}", ours, other, 2 if peer == "duckdb" else None))
        if "dask" in self.options.peers:
            rows.append(self.dask_groups())
        note = (
            "Eight gz shards whose events belong to 500,000 users. Count by `did`: the ten users with the most events. "
            "`group_by`: whole groups, each of ours read back, within 256 MiB; dask's groupby (processes, groups "
            "through files) is given a tenth of the text, and its time is multiplied by what that is of the whole, as if "
            "it took no more for each byte of more."
        )
        self.report.pairs("Users", note, "ours", "peer", "peer ÷ ours", rows)

    def dask_groups(self):
        def groups(kind):
            return self.subject("groups", ".did", self.data.glob(kind, "gz"), "--memory", 256)

        ours, few = groups("eight"), groups("tenth")
        ours.expected = ours.run(self.options.scratch).out.strip()
        words = few.run(self.options.scratch).out.split()
        # "K keys, N records, S of their squares, digest D"
        dask = self.engine("dask", "groups", "tenth", [int(words[0]), int(words[2]), int(words[4])])
        version = dask.run(self.options.scratch).version
        scale = self.data.text_bytes("eight", "gz") / self.data.text_bytes("tenth", "gz")
        what = f"`group_by` `did`, dask {version}, its time times {scale:.1f}"
        return self.pair(what, ours, dask, 10, self.options.slow_pairs, scale)

    def command(self):
        """The command on a tenth of the text against jq and jaq, which take long; on all of it against the library."""
        program = 'select(.commit.operation == "create") | {did, collection: .commit.collection, time_us}'
        rows = []
        for codec in self.options.codecs:
            files = self.data.files("tenth", codec)
            ours = Command(f"kitbag on {codec}", [self.options.kitbag, program, *files], digest)
            ours.expected = digest(ours.run(self.options.scratch).out)
            for peer, goal in (("jq", 9 if codec == "gz" else 12), ("jaq", 8)):
                if peer not in self.peers_here():
                    continue
                unpack = {"gz": "gzip -dc", "zst": self.unzstd(), "plain": "cat"}[codec]
                script = f'program=$1 tool=$2; shift 2; {unpack} "$@" | "$tool" -c "$program"'
                argv = ["/bin/sh", "-c", script, "sh", program, self.tool(peer), *files]
                other = Command(f"{peer} on {codec}", argv, digest, expected=ours.expected)
                text = f"{codec}, {first_line(self.tool(peer), '--version')}"
                rows.append(self.pair(text, ours, other, goal, self.options.slow_pairs))
        note = f"`{program}` on every record of a tenth of the text; the outputs are equal. jq and jaq are fed by gzip, zstd or cat."
        self.report.pairs("A program on each record", note, "kitbag", "peer", "peer ÷ kitbag", rows)

        program = "group_by(.commit.collection) | map({c: .[0].commit.collection, n: length})"
        rows = []
        for codec in self.options.codecs:
            argv = [self.options.kitbag, "-s", program, self.data.glob("eight", codec)]
            planned = Command(f"kitbag -s on {codec}", argv, counted, expected=None)
            library = self.count_by("eight", codec)
            planned.expected = library.expected
            rows.append(self.pair(f"{codec}, the library's `count_by`", planned, library, 1 / 1.15))
            if "chdb" in self.options.peers:
                other = self.peer("chdb", codec, library.expected)
                rows.append(self.pair(f"{codec}, chdb", planned, other, 1.1 if codec == "gz" else None))
        if "jq" in self.peers_here():
            shard = self.data.files("eight", "plain")[:1]
            for limit in ([], ["--memory", "64MiB"]):
                ours = Command("kitbag -s on a shard", [self.options.kitbag, "-s", *limit, program, *shard], counted)
                ours.expected = counted(ours.run(self.options.scratch).out)
                other = Command("jq -s", [self.tool("jq"), "-sc", program, *shard], counted, expected=ours.expected)
                text = f"one plain shard of 125 MB, {' '.join(limit) or 'default budget'}, jq -s"
                rows.append(self.pair(text, ours, other, 40, self.options.slow_pairs))
        note = f"`-s '{program}'`, all answers equal."
        self.report.pairs("A program on the whole input", note, "kitbag -s", "peer", "peer ÷ kitbag", rows)

    def check_text(self, name, target, kind, ordered):
        """The output is the text of the shards, byte for byte if it is in order."""
        size = self.data.text_bytes(kind, "gz")
        same(f"{name}: bytes of output", target.stat().st_size, size)
        if not ordered:
            return
        whole = self.options.scratch / "expected"
        with open(whole, "wb") as to:
            for path in self.data.files(kind, "gz"):
                with gzip.open(path) as shard:
                    shutil.copyfileobj(shard, to, MIB)
        equal = filecmp.cmp(whole, target, shallow=False)
        whole.unlink()
        if not equal:
            raise Stop(f"{name}: the output is not the text of the shards, in order")


def rkey(line):
    """What the lines are sorted by; nothing where there is none."""
    return (json.loads(line).get("commit") or {}).get("rkey", "").encode()


HINTS = {
    "jq": "Get it from your system (apt-get install jq, brew install jq).",
    "jaq": "Ask for it with --jaq (built by cargo), or put it on the path.",
}


# ------------------------------------------------------------------ what is measured where


def first_line(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, cwd=HERE).stdout.partition("\n")[0]
    except OSError:
        return "?"


def machine():
    cpu = first_line("sh", "-c", "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo")
    memory = int(first_line("sed", "-n", "s/MemTotal: *\\([0-9]*\\).*/\\1/p", "/proc/meminfo")) / MIB
    cores = len(os.sched_getaffinity(0))
    return f"{cpu or platform.machine()}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def main():
    parser = argparse.ArgumentParser(prog="peers.sh")
    for name in ("generate", "count-by", "subjects", "jsonbench", "within", "kitbag", "work", "scratch"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out-dir", dest="out", type=Path)
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--slow-pairs", type=int, default=3)
    parser.add_argument("--sections", default=",".join(SECTIONS))
    parser.add_argument("--codecs", default=",".join(CODECS))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    for name, known in (("sections", SECTIONS), ("codecs", CODECS), ("peers", PEERS)):
        chosen = getattr(options, name).split(",")
        setattr(options, name, chosen)
        if unknown := [word for word in chosen if word not in known]:
            parser.error(f"--{name}: {unknown[0]}: expected some of {','.join(known)}")
    if options.mb < 10 or options.pairs < 1 or options.slow_pairs < 1:
        parser.error("expected at least 10 MB and one pair")
    if not options.out:
        shm = Path("/dev/shm")
        roomy = shm.is_dir() and shutil.disk_usage(shm).free > 5 * options.mb * 1_000_000
        options.out = shm / options.scratch.name if roomy else options.scratch
    made = not options.out.exists()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("peers.sh: stopped"))
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        measure(options)
    except Stop as stop:
        sys.exit(f"peers.sh: {stop}")
    finally:
        if made:
            shutil.rmtree(options.out, ignore_errors=True)


def spent():
    """Seconds of all cores until now: busy ones, those that the host has stolen, and our own share of the first."""
    with open("/proc/stat") as stat:
        ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in stat.readline().split()[1:]]
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(ticks[:3]), ticks[7], sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(options):
    start, before = time.monotonic(), spent()
    report = Report(options.table)
    rustc, tree = first_line("rustc", "--version"), first_line("git", "describe", "--always", "--dirty")
    python = platform.python_version()
    report.add(
        f"{machine()}; {rustc}; Python {python}; kitbag {tree}. {options.mb} MB of text "
        f"(`generate events`, seed 42), page cache warm. A ratio is the median over pairs of neighbouring runs "
        f"A B A B …, with its quartiles; times are medians; memory is the highest peak."
    )
    bench = Bench(options, report)
    sections = options.sections
    if "peers" in sections and "answers" not in sections:
        # Nothing is timed against a peer whose answer is another one.
        sections = ["answers", *sections]
    for name in SECTIONS:
        if name in sections:
            say(f"== {name}")
            getattr(bench, name)()
    busy, stolen, own = (now - then for now, then in zip(spent(), before))
    whole = (time.monotonic() - start) * os.cpu_count() / 100
    other, stolen = max(busy - own, 0) / whole, stolen / whole
    text = f"Meanwhile other processes used {other:.1f} % of the machine, and {stolen:.1f} % was stolen by its host."
    report.add(text + (" **These figures do not count: something else was running.**" if other + stolen > 5 else ""))
    print("\n\n".join(report.parts))


if __name__ == "__main__":
    main()
