#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every key of the configuration has its words in suspend.conf(5), its line in
# doc/examples/suspend.conf, and a value in the test of the settings; the page has no
# other. (That the example shows the defaults, and no key that does not exist, is up
# to test_settings_file.)
set -u

top=${srcdir:-$(dirname "$0")/../../..}
table=$top/lib/config/settings.c
page=$top/man/suspend.conf.5
example=$top/doc/examples/suspend.conf
test=$top/tests/unit/config/test_settings.c
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# The entries of the table, { "key", KIND_…, one a line.
keys=$(sed -n 's/^	{ "\(.*\)", KIND_.*/\1/p' "$table")
count=$(printf '%s\n' "$keys" | grep -c .)
[ "$count" -ge 20 ] || complain "$table: only $count keys were found"
[ "$count" -eq "$(grep -c '^	{ .*KIND_' "$table")" ] ||
	complain "$table: an entry is written in another way than this test reads"

while IFS= read -r key; do
	[ "$(grep -c "^\.It Cm $key No = " "$page")" -eq 1 ] ||
		complain "$page: \"$key\" is not there once"
	[ "$(grep -c "^#$key =" "$example")" -eq 1 ] ||
		complain "$example: \"$key\" is not there once"
	# A value that changes nothing, "", does not count.
	sed -n '/^} good\[\] = {/,/^};/p' "$test" | grep "^	{ \"$key\", " | grep -qv ', "" },$' ||
		complain "$test: good[] does not set \"$key\""
done <<END
$keys
END
while IFS= read -r key; do
	printf '%s\n' "$keys" | grep -qxF "$key" || complain "$page: \"$key\" is no key"
done <<END
$(sed -n 's/^\.It Cm \(.*\) No = .*/\1/p' "$page")
END

grep -q 'examples/suspend\.conf' "$page" || complain "$page does not name the example"
exit $failed
