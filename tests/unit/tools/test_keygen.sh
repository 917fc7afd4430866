#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# s2disk-keygen: makes a pair once, changes its passphrase, and leaves what is
# there alone when it fails. Runs in the build tree.
set -u

keygen=tools/keygen/s2disk-keygen
directory=$(mktemp -d "${TMPDIR:-/tmp}/s2disk-keygen-XXXXXX") || exit 99
trap 'rm -rf "$directory"' EXIT
pair=$directory/pair
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# expect CODE WORDS INPUT ARGUMENT...: how it ends, and what it says.
expect()
{
	code=$1 words=$2 input=$3
	shift 3
	printf '%b' "$input" | "$keygen" "$@" >"$directory/said" 2>&1
	ended=$?
	[ $ended = "$code" ] || complain "$*: ended with $ended, not $code"
	grep -q -- "$words" "$directory/said" ||
		complain "$*: says '$(cat "$directory/said")', not '$words'"
	if grep -q 'secret' "$directory/said"; then
		complain "$*: it says the passphrase"
	fi
}

expect 1 "passphrase is empty" '\n' "$pair"
expect 1 "no answer" '' "$pair"
[ ! -e "$pair" ] || complain "a pair without a passphrase"
expect 0 "key pair = $pair" 'secret one\n' "$pair"
[ "$(wc -c <"$pair")" -eq 256 ] || complain "the file has $(wc -c <"$pair") bytes"
[ "$(stat -c %a "$pair")" = 600 ] || complain "its mode is $(stat -c %a "$pair")"
[ "$(head -c 8 "$pair")" = s2diskKP ] || complain "it does not begin as it must"
cp "$pair" "$directory/first"

expect 1 "exists already" 'secret two\n' "$pair"
expect 1 "passphrase is wrong" 'secret\nno\nsecret one \nsecret one\n' -c "$pair"
cmp -s "$pair" "$directory/first" || complain "a failure changed the file"
expect 0 "has the new passphrase" 'secret no\nsecret one\nsecret two\n' -c "$pair"
cmp -s "$pair" "$directory/first" && complain "the passphrase was not changed"
expect 1 "passphrase is wrong" 'secret one\nsecret one\nsecret one\n' -c "$pair"
expect 0 "has the new passphrase" '\nsecret two\nsecret one\n' --change-passphrase "$pair"

expect 1 "No such file" 'secret\n' -c "$directory/missing"
expect 1 "No such file" 'secret\n' "$directory/no/directory"
head -c 200 "$pair" >"$directory/short"
expect 1 "short: this is not a key pair" 'secret\n' -c "$directory/short"
expect 2 "one FILE only" '' "$pair" "$directory/more"
expect 2 "--help" '' --nonsense
expect 0 "Usage" '' --help
expect 0 "s2disk-keygen [0-9]" '' --version
[ "$(find "$directory" -name 'pair.*' | wc -l)" -eq 0 ] || complain "a temporary file is left"
exit $failed
