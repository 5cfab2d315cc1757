#!/usr/bin/env python3
"""Holds policy_bench against other engines on the same policies, entities and requests.

usage: against_cedar.py POLICY_BENCH DATA [--cedar PROGRAM] [--go PROGRAM] [--sets 10,1000 ...]

POLICY_BENCH is the program of a release build, DATA its folder. PROGRAM of --cedar times the Rust
reference on one set (PROGRAM DATA POLICIES ENTITIES full|slice|bucket), that of --go cedar-go and OPA
(cedargo|cedargo-slice|opa-rules|opa-data). Each checks its decisions against the same model, prints
what it got wrong as "mismatches ... N", and its times as "p50=... p99=... us". "slice" and "bucket" are
the reference behind an index over scopes that was written for this comparison; it has none itself.

All run one after the other on one core. Times are microseconds, and a ratio is that of the medians.
An engine that is not given, or fails, or takes too long, is left out.
"""
import argparse
import re
import subprocess
import sys

SETS = ["10,1000", "1000,1000", "10000,1000", "10,100000", "1000,100000", "10000,100000"]
CEDAR_MODES = ["full", "slice", "bucket"]
GO_MODES = ["cedargo", "cedargo-slice", "opa-rules", "opa-data"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("policy_bench")
    parser.add_argument("data")
    parser.add_argument("--cedar", metavar="PROGRAM", help="times the Rust reference")
    parser.add_argument("--go", metavar="PROGRAM", help="times cedar-go and OPA")
    parser.add_argument("--sets", nargs="+", default=SETS, metavar="POLICIES,ENTITIES")
    parser.add_argument("--seconds", type=int, default=180, help="that one engine may take for one set")
    return parser.parse_args()


def output_of(command, seconds):
    """What it prints on one core; nothing where it fails or takes too long."""
    try:
        done = subprocess.run(["taskset", "-c", "0", *command], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def ours(program, data, policies, entities, seconds):
    """p50, p99 and the floor's p50 in microseconds, and how many decisions are wrong."""
    lines = output_of([program, data, policies, entities], seconds).splitlines()
    if len(lines) < 2:
        raise SystemExit(f"{program} measured nothing of {policies} policies in {data}")
    figures = lines[1].split()
    return int(figures[2]) / 1000, int(figures[3]) / 1000, int(figures[4]) / 1000, int(figures[-1])


def theirs(program, data, policies, entities, mode, seconds):
    """p50, p99 and how many decisions are wrong; None where there are none."""
    text = output_of([program, data, policies, entities, mode], seconds)
    times = re.search(r"p50=([\d.]+) p99=([\d.]+)", text)
    wrong = re.search(r"mismatches\D*(\d+)", text)
    if not times or not wrong:
        return None
    return float(times[1]), float(times[2]), int(wrong[1])


def main():
    given = arguments()
    rivals = [(given.cedar, mode, "rust " + mode) for mode in CEDAR_MODES if given.cedar]
    rivals += [(given.go, mode, mode) for mode in GO_MODES if given.go]
    if not rivals:
        print("no other engine is given, so only ours is measured", file=sys.stderr)
    print(f"{'policies':>8} {'entities':>8} {'engine':14} {'p50 us':>10} {'p99 us':>10} {'times ours':>10} "
          f"{'wrong':>6}")
    for one in given.sets:
        policies, entities = one.split(",")
        begin = f"{policies:>8} {entities:>8}"
        p50, p99, floor, wrong = ours(given.policy_bench, given.data, policies, entities, given.seconds)
        print(f"{begin} {'floor':14} {floor:10.2f} {'':10} {floor / p50:10.2f}")
        print(f"{begin} {'mailwarden':14} {p50:10.2f} {p99:10.2f} {1:10.2f} {wrong:6}", flush=True)
        for program, mode, name in rivals:
            found = theirs(program, given.data, policies, entities, mode, given.seconds)
            if found is None:
                print(f"{begin} {name:14} {'-':>10}", flush=True)
                continue
            print(f"{begin} {name:14} {found[0]:10.2f} {found[1]:10.2f} {found[0] / p50:10.1f} "
                  f"{found[2]:6}", flush=True)


if __name__ == "__main__":
    main()
