#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# doc/systemd.md: each row of its table names tests that exist, and has all columns. A test is
# `FILE: NAME`, of a script a text in it; several have commas between them.
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

check_test() # FILE: NAME
{
	name=${1#*: }
	file=tests/unit/${1%%:*}
	if [ ! -f "$top/$file" ]; then
		complain "there is no $file"
	elif ! grep -qwF "${file%.c}" "$top/tests/Makemodule.am"; then
		complain "$file is not run"
	elif [ "${file%.sh}" != "$file" ]; then
		grep -qF "$name" "$top/$file" || complain "$file has nothing of '$name'"
	elif ! grep -Eq "START_TEST\($name\)" "$top/$file"; then
		complain "$file has no test $name"
	elif [ "$(grep -cw "$name" "$top/$file")" -lt 2 ]; then
		complain "$file does not run $name"
	fi
}

# Without the heading and the line below it.
sed -n '/^|/p' "$top/doc/systemd.md" | sed 1,2d >"$work"
[ "$(wc -l <"$work")" -ge 20 ] || complain "hardly any rows were found"
while IFS='|' read -r _ what since ours tests rest; do
	if [ -z "$tests" ] || [ -n "$rest" ]; then
		complain "not four columns: $what"
		continue
	fi
	if [ -z "${since# }" ] || [ -z "${ours# }" ]; then
		complain "an empty column: $what"
	fi
	while read -r test; do
		check_test "$test"
	done <<END
$(echo "$tests" | tr -d '`' | tr ',' '\n')
END
done <"$work"
exit $failed
