#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The list of tests, which is kept by hand: each test is run, once.
set -u

cd "${srcdir:-$(dirname "$0")/../../..}" || exit 99
list=$(mktemp)
trap 'rm -f "$list"' EXIT
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# What goes into TESTS, continued lines joined; the other two are evaluated late,
# so additions that follow count.
makefiles=$(find tests -name Makemodule.am)
# shellcheck disable=SC2086 # one word each
awk '/\\$/ { sub(/\\$/, ""); line = line $0; next } { print line $0; line = "" }' $makefiles |
	sed -n 's/^\(UNIT_TESTS\|TESTS\|dist_check_SCRIPTS\) *+\{0,1\}=//p' | tr -s ' \t' '\n' |
	grep '^tests/' | sort >"$list"
[ "$(wc -l <"$list")" -gt 50 ] || complain "hardly any tests were found in $makefiles"
for test in $(uniq -d "$list"); do
	complain "$test is twice in the list of tests"
done
# No name has a blank.
# shellcheck disable=SC2044
for file in $(find tests -name 'test_*.c' -o -name 'test_*.sh'); do
	grep -qx "${file%.c}" "$list" || complain "$file is not in the list of tests"
done
exit $failed
