#!/usr/bin/env bash
# Kills the daemon at a hundred random moments and compares what is left with an undisturbed run: the
# same test as in tests/e2e, with more kills. Usage: tests/fault/hundred_kills.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."

build=${1:-build/dev}
MAILWARDEN_KILLS=100 MAILWARDEN_SOURCE=$PWD \
  "$build/bin/e2e_test" --gtest_filter='Once.KilledAtRandomMomentsItEndsTheSame'
