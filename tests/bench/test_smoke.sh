#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark still runs, and what it reads is what it wrote. No time counts.
set -eu

if ! command -v python3 >/dev/null || ! command -v taskset >/dev/null; then
	echo "python3 and taskset are needed"
	exit 77
fi
exec python3 "${srcdir:-$(dirname "$0")/../..}/tests/bench/run" --build . --smoke
