#!/usr/bin/env python3
"""Holds `mailwarden detect` against rsigma on the same rules and events.

usage: against_rsigma.py MAILWARDEN SIGMA_RULES LANES [--install FOLDER] [--events N] [--runs N]

MAILWARDEN is the program of a release build. SIGMA_RULES holds folders of rules. LANES holds
*.ndjson, one event a line, with its log source in product, category and service.

For each lane both run as whole processes on one core, loading the rules first; what loading takes is
measured with no events and subtracted. rsigma runs with and without its log source routing, and the
better of the two counts. Then the pairs of event and rule that each finds, with an unstated part of
the log source taken as unknown by both, are compared one by one.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import tempfile
import time

VERSION = "0.23.0"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mailwarden")
    parser.add_argument("rules")
    parser.add_argument("lanes")
    parser.add_argument("--install", metavar="FOLDER", help="where to install rsigma if it is missing")
    parser.add_argument("--events", type=int, default=20000, help="of a lane, to compare matches on")
    parser.add_argument("--runs", type=int, default=3, help="of which the fastest counts")
    parser.add_argument("--only", default="", help="lanes whose name holds this")
    return parser.parse_args()


def find_rsigma(folder):
    found = shutil.which("rsigma") or os.path.join(folder or "", "bin", "rsigma")
    if os.path.exists(found):
        return found
    if not folder:
        raise SystemExit("rsigma is not installed; --install FOLDER installs it there with cargo")
    subprocess.run(["cargo", "install", "rsigma", "--version", VERSION, "--locked", "--root", folder],
                   check=True)
    return os.path.join(folder, "bin", "rsigma")


class Rsigma:
    def __init__(self, program, rules):
        self.base = [program, "engine", "eval", "-r", rules, "--input-format", "json",
                     "--output-format", "ndjson", "-q"]

    def command(self, events, routing=True, more=()):
        return [*self.base, *(["--logsource-routing"] if routing else []), *more, "-e", "@" + events]


class Mailwarden:
    def __init__(self, program, rules):
        self.base = [program, "detect", "--rules", rules]

    def command(self, events, routing="strict", threads=1):
        return [*self.base, "--routing", routing, "--threads", str(threads), "--events", events]


def seconds(command, cores, runs):
    """The fastest run, and the most memory that one took, in MB."""
    best = None
    peak = 0
    for _ in range(runs):
        begin = time.perf_counter()
        process = subprocess.Popen(["taskset", "-c", cores, *command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        usage = os.wait4(process.pid, 0)[2]
        took = time.perf_counter() - begin
        best = took if best is None else min(best, took)
        peak = max(peak, usage.ru_maxrss / 1024)
    return best, peak


def lines(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def speeds(lane, ours, theirs, empty, runs):
    count = lines(lane)
    base_ours, _ = seconds(ours.command(empty), "0", runs)
    base_theirs, _ = seconds(theirs.command(empty), "0", runs)
    routed, _ = seconds(theirs.command(lane), "0", runs)
    unrouted, _ = seconds(theirs.command(lane, routing=False), "0", 1)
    rival = count / (min(routed, unrouted) - base_theirs)
    figures = {}
    for name, routing, threads, cores in (("one", "strict", 1, "0"), ("two", "strict", 2, "0,1"),
                                          ("open", "open", 1, "0")):
        took, peak = seconds(ours.command(lane, routing, threads), cores, runs)
        figures[name] = count / (took - base_ours)
        figures["peak"] = max(figures.get("peak", 0), peak)
    return rival, figures, base_ours, base_theirs


def head(lane, count, into):
    """The first lines, each with its number, so that the events can be told apart."""
    events = []
    with open(lane, encoding="utf-8") as file, open(into, "w", encoding="utf-8") as out:
        for number, line in enumerate(file):
            if number >= count:
                break
            event = json.loads(line)
            event["comparedNumber"] = number
            events.append(event)
            out.write(json.dumps(event, ensure_ascii=False) + "\n")
    return events


def pairs(command, key):
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return {key(json.loads(line)) for line in out.stdout.splitlines() if line}


def compare(lane, count, ours, theirs, folder):
    part = os.path.join(folder, "part.ndjson")
    head(lane, count, part)
    mine = pairs(ours.command(part, routing="open"), lambda match: (match["event"], match["rule"]))
    other = pairs(theirs.command(part, more=["--include-event"]),
                  lambda match: (match["event"]["comparedNumber"], match["rule_id"]))
    return mine, other


def told(title, found):
    rules = collections.Counter(rule for _, rule in found)
    for rule, count in rules.most_common(8):
        example = min(event for event, one in found if one == rule)
        print(f"    only {title}: {rule} on {count} events, the first {example}")


def main():
    given = arguments()
    theirs = Rsigma(find_rsigma(given.install), given.rules)
    ours = Mailwarden(given.mailwarden, given.rules)
    with tempfile.TemporaryDirectory() as folder:
        empty = os.path.join(folder, "empty.ndjson")
        open(empty, "w").close()
        print(f"{'lane':24}{'rsigma':>10}{'one core':>11}{'ratio':>7}{'two cores':>11}{'gain':>6}"
              f"{'open':>10}{'ratio':>7}{'peak MB':>9}{'load s':>8}{'theirs':>8}")
        for name in sorted(os.listdir(given.lanes)):
            if not name.endswith(".ndjson") or given.only not in name:
                continue
            lane = os.path.join(given.lanes, name)
            if lines(lane) < 1000:
                continue
            rival, figures, load_ours, load_theirs = speeds(lane, ours, theirs, empty, given.runs)
            print(f"{name[:-7]:24}{rival:10,.0f}{figures['one']:11,.0f}"
                  f"{figures['one'] / rival:7.1f}{figures['two']:11,.0f}"
                  f"{figures['two'] / figures['one']:6.2f}{figures['open']:10,.0f}"
                  f"{figures['open'] / rival:7.1f}{figures['peak']:9.0f}{load_ours:8.2f}"
                  f"{load_theirs:8.2f}", flush=True)
            mine, other = compare(lane, given.events, ours, theirs, folder)
            print(f"    {len(mine & other)} pairs found by both, {len(mine - other)} by Mailwarden "
                  f"alone, {len(other - mine)} by rsigma alone")
            told("Mailwarden", mine - other)
            told("rsigma", other - mine)


if __name__ == "__main__":
    main()
