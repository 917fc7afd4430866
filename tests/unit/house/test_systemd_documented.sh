#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# doc/systemd.md: each row of its table names a test that exists, and has all columns.
set -u
LC_ALL=C
export LC_ALL

top=${srcdir:-$(dirname "$0")/../../..}
work=$(mktemp)
trap 'rm -f "$work"' EXIT
failed=0

complain()
{
	echo "doc/systemd.md: $*" >&2
	failed=1
}

# Without the heading and the line below it.
sed -n '/^|/p' "$top/doc/systemd.md" | sed 1,2d >"$work"
[ "$(wc -l <"$work")" -ge 20 ] || complain "hardly any rows were found"
while IFS='|' read -r _ what since ours test rest; do
	if [ -z "$test" ] || [ -n "$rest" ]; then
		complain "not four columns: $what"
		continue
	fi
	if [ -z "${since# }" ] || [ -z "${ours# }" ]; then
		complain "an empty column: $what"
	fi
	test=$(echo "$test" | tr -d '` ')
	file=$top/tests/unit/${test%%:*} name=${test#*:}
	if [ ! -f "$file" ]; then
		complain "there is no tests/unit/${test%%:*}"
	elif ! grep -Eq "START_TEST\($name\)" "$file"; then
		complain "tests/unit/${test%%:*} has no test $name"
	elif [ "$(grep -cw "$name" "$file")" -lt 2 ]; then
		complain "tests/unit/${test%%:*} does not run $name"
	fi
done <"$work"
exit $failed
