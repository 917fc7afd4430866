#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The shells' completions: each program has one for bash and one for zsh, both
# can be read by their shell, and both know every option that --help shows.
# What bash's completion returns is checked, too.
set -u

completions=${srcdir:-$(dirname "$0")/../../..}/completions
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# Short and long options that a --help text shows, one a line, without values.
options_of()
{
	"$1" --help </dev/null | sed -n 's/^ \{1,6\}\(-.*\)/\1/p' | sed 's/  .*//' | tr -s ', ' '\n' |
		sed -n 's/^\(--\{0,1\}[A-Za-z][-A-Za-z]*\).*/\1/p'
}

# Is the word in the file, not as a part of another one?
has_word()
{
	grep -Eq -- "(^|[^-A-Za-z])$2([^-A-Za-z]|\$)" "$1"
}

check_shell()
{
	file=$1 shell=$2 program=$3
	if [ ! -e "$file" ]; then
		complain "$program has no completion for $shell"
		return
	fi
	if command -v "$shell" >/dev/null; then
		"$shell" -n "$file" || complain "$file: $shell cannot read it"
	fi
	options_of "$program" >"$work/options"
	[ "$(wc -l <"$work/options")" -ge 5 ] || complain "$program --help: hardly any options found"
	while read -r option; do
		has_word "$file" "$option" || complain "$file: $option of $program is missing"
	done <"$work/options"
}

found=0
# Not built to be run from here.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -e initramfs/systemd/s2disk-systemd ]; then
	cp initramfs/systemd/s2disk-systemd "$work/s2disk-systemd"
	chmod +x "$work/s2disk-systemd"
fi
for program in s2disk/s2disk tools/*/s2disk-* "$work/s2disk-systemd"; do
	if [ ! -x "$program" ] || [ -d "$program" ]; then
		continue
	fi
	name=${program##*/}
	[ "$name" != s2disk-sleep ] || continue # run by systemd only
	found=$((found + 1))
	check_shell "$completions/bash/$name" bash "$program"
	check_shell "$completions/zsh/_$name" zsh "$program"
	head -n 1 "$completions/zsh/_$name" | grep -q "^#compdef .*\<$name\>" ||
		complain "zsh would not find the completion of $name"
done
[ "$found" -ge 3 ] || complain "only $found programs were found: run this in the build tree"

# What bash offers at the end of a line.
answers()
{
	bash -s -- "$completions/bash" "$@" <<'END'
directory=$1
shift
compopt() { :; }	# known only while bash itself completes
for file in "$directory"/*; do source "$file"; done
# The signs at which bash takes words apart.
COMP_WORDS=()
for word; do
	case $word in
	--*=*) COMP_WORDS+=("${word%%=*}" "=" "${word#*=}") ;;
	*) COMP_WORDS+=("$word") ;;
	esac
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
function=$(complete -p "$1" | sed 's/.*-F \([^ ]*\).*/\1/')
"$function"
printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//'
END
}

expect()
{
	wanted=$1
	shift
	got=$(answers "$@")
	[ "$got" = "$wanted" ] || complain "bash: '$*' gives '$got', not '$wanted'"
}

if command -v bash >/dev/null; then
	expect "platform" s2disk -m p
	expect "shutdown suspend" s2disk --method=s
	expect "--check --config=" s2disk --c
	expect "" s2disk -P ""
	expect "/etc/fstab" s2disk --resume-device=/etc/fsta
	expect "--save-platform=" s2disk-inspect --s
	expect "--help --history" s2disk-inspect --h
	expect "/etc/fstab" s2disk-inspect --compare=/etc/fsta
	expect "/etc/fstab" s2disk-inspect /etc/fsta
	expect "check create" s2disk-swapfile c
	expect "--size=" s2disk-swapfile create --s
	expect "" s2disk-swapfile enable --s
	expect "--help --hibernate-only" s2disk-swapfile --json enable --h
	expect "auto" s2disk-swapfile create --size=
	expect "/etc/fstab" s2disk-swapfile -n remove /etc/fsta
	expect "" s2disk-swapfile disable /etc/fsta
	expect "--change-passphrase" s2disk-keygen --c
	expect "/etc/fstab" s2disk-keygen /etc/fsta
	expect "/etc/fstab" swap-offset /etc/fsta
	expect "off on" s2disk-systemd o
	expect "--root=" s2disk-systemd --r
	expect "/usr" s2disk-systemd --root=/us
	expect "status" s2disk-systemd --root=/usr s
fi
exit $failed
