# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What guest scripts are made of. A scenario's script overrides first_boot and
# later_boot; the latter runs when a later boot was not turned into the old
# system by a resume.

SWAP=/dev/vda1

first_boot() { mark fail "the scenario has no first_boot"; }
later_boot() { swap_is_fine "$SWAP"; }
before_resume() { :; }

# mark KEY [VALUE…]: reports a value to the harness, through the kernel log: a
# kernel message cannot land in the middle of the line there.
mark() { echo "<1>@@ $*" >/dev/kmsg; }

# mark_record: what the boot record has, but for long lists.
mark_record() {
    grep -v -e '^log ' -e '^map ' /run/s2disk/boot | while read -r key value; do
        mark "record-$key" "$value"
    done
    mark record-map "$(grep -c '^map 0x' /run/s2disk/boot)"
    mark record-log "$(grep -c '^log ACPI: ' /run/s2disk/boot)"
    mark record-mode "$(stat -c %a /run/s2disk/boot)"
}

# marked KEY COMMAND…: marks the command's exit code as KEY.
marked() {
    key=$1
    shift
    "$@"
    code=$?
    mark "$key" "$code"
    return $code
}

power_off() {
    sync
    usleep 200000
    poweroff -f
    sleep 60
}

# fix_chipset: for after S3. QEMU resets the chipset then, and its firmware does
# not say again at which ports the power management registers are: the kernel
# reads ones there, and sleeping or powering off does nothing. This writes what
# the firmware did at first (ICH9: PMBASE, ACPI_CNTL).
fix_chipset() {
    printf '\001\006\000\000\200' |
        dd of=/sys/bus/pci/devices/0000:00:1f.0/config bs=1 seek=64 conv=notrunc 2>/dev/null
}

load_module() {
    while read -r file; do
        # A module that is loaded already is no error.
        insmod "$file" 2>/dev/null
    done <"/lib/modules/$1.order"
}

wait_for_device() {
    tries=100
    while [ ! -b "$1" ] && [ $tries -gt 0 ]; do
        usleep 50000
        tries=$((tries - 1))
    done
    [ -b "$1" ] || mark fail "no device $1"
}

# The raw system call: unlike util-linux' swapon it accepts nothing but a real
# swap signature. -d would hide write errors of other tests, so no options.
swap_on() { marked swapon busybox swapon "$1"; }

# swap_used: KiB in use in all areas.
swap_used() { awk 'NR > 1 { sum += $4 } END { print sum + 0 }' /proc/swaps; }

free_kib() { awk '/^MemAvailable/ { print $2 }' /proc/meminfo; }

# hold NAME MEM-MIB FILES-MIB [swapped]: a process that keeps that much.
hold() {
    holds="$holds $1"
    name=$1
    shift
    memory=$1
    files=$2
    shift 2
    # The name is the seed, so two of them differ.
    seed=0x$(printf '%s' "$name" | md5sum | cut -c1-8)
    marked "hold-$name" memhold start "$name" "$seed" "$memory" "$files" \
        "/tmp/$name" "$@"
}

hold_quit() {
    memhold ask "$1" quit
    rm -rf "/tmp/$1"
    left=
    for name in $holds; do
        [ "$name" = "$1" ] || left="$left $name"
    done
    holds=$left
}

# check_holds: every byte of every hold, its boot id and its counter.
check_holds() {
    mark boot-id-now "$(cat /proc/sys/kernel/random/boot_id)"
    for name in $holds; do
        memhold ask "$name" check >/tmp/answer
        while read -r line; do
            mark "$name.$line"
        done </tmp/answer
    done
    mark checked
}

counters() {
    for name in $holds; do
        memhold ask "$name" counter | while read -r line; do
            mark "$name.before.$line"
        done
    done
}

memory_state() {
    mark mem-available-kib "$(free_kib)"
    mark swap-used-kib "$(swap_used)"
}

# hibernate ARGUMENTS…: s2disk; what comes after runs in the resumed system,
# or in the same one if hibernating failed.
hibernate() { hibernate_by memhold run s2disk /usr/sbin/s2disk "$@"; }

# hibernate_by COMMAND…: the same by a command that runs s2disk.
hibernate_by() {
    counters
    memory_state
    mark printk-before "$(cat /proc/sys/kernel/printk)"
    image_size=$(cat /sys/power/image_size)
    "$@"
    code=$?
    mark printk-after "$(cat /proc/sys/kernel/printk)"
    [ "$(cat /sys/power/image_size)" = "$image_size" ] ||
        mark image-size-left "$(cat /sys/power/image_size)"
    echo 7 >/proc/sys/kernel/printk
    mark hardware-corrupted-kib "$(corrupted_kib)"
    check_holds
    return $code
}

# on_terminal COMMAND…: as a shell does it, so that keys can interrupt it.
on_terminal() {
    console=/dev/$(cat /sys/class/tty/console/active)
    setsid -c "$@" <>"$console" >&0 2>&1
}

# anonymous FRAME: is it a page of a program (KPF_ANON, bit 12 of its flags)?
anonymous() {
    # shellcheck disable=SC2046 # two bytes
    set -- $(dd if=/proc/kpageflags bs=8 skip="$1" count=1 2>/dev/null | od -An -tx1 -N2)
    [ $((0x$2 & 0x10)) -ne 0 ]
}

# program_pages: reports some frames that are, with the next one, pages of programs.
program_pages() {
    frame=$((0x5000))
    while [ $frame -lt $((0x17000)) ]; do
        if anonymous $frame && anonymous $((frame + 1)); then
            mark program-page $frame
        fi
        frame=$((frame + 611))
    done
}

# corrupted_kib: memory that the kernel has offlined.
corrupted_kib() { awk '/^HardwareCorrupted/ { print $2 }' /proc/meminfo; }

# device_number DEVICE: MAJ:MIN
device_number() { cat "/sys/class/block/$(basename "$1")/dev"; }

# hibernate_with_kernel DEVICE: the kernel's own swsusp.
hibernate_with_kernel() {
    counters
    memory_state
    device_number "$1" >/sys/power/resume
    echo shutdown >/sys/power/disk
    marked kernel-hibernate sh -c 'echo disk >/sys/power/state'
    check_holds
}

resume_with_kernel() { device_number "$1" >/sys/power/resume; }

# swap_is_fine DEVICE: swap can be activated, filled and read back.
swap_is_fine() {
    grep -q "^$1" /proc/swaps || swap_on "$1" || return
    use_swap "${2:-48}"
}

# use_swap MIB: writes that much to swap, reads it back, byte by byte.
use_swap() {
    hold usage "$1" 0 swapped
    mark usage.swap-used-kib "$(swap_used)"
    memhold ask usage check | while read -r line; do
        mark "usage.$line"
    done
    hold_quit usage
}

# first_extent FILE: the physical place of its beginning in pages, from
# filefrag: computed by other code than that under test.
first_extent() {
    filefrag -b4096 -v "$1" | awk '$1 == "0:" { sub("[.][.]", "", $4)
                                               print $4; exit }'
}

# The firmware's memory map, changed and given to another kernel by kexec. Use
# these in before_resume; the harness keeps kernel and initrd on /dev/vdb.

# map_copy: makes /tmp/map, which the functions below change.
map_copy() {
    map_added=0
    mkdir -p /tmp/map
    for entry in /sys/firmware/memmap/*; do
        mkdir "/tmp/map/${entry##*/}"
        for field in start end type; do
            cat "$entry/$field" >"/tmp/map/${entry##*/}/$field"
        done
    done
}

# map_add START END TYPE: END is inclusive, as in the kernel's files.
map_add() {
    map_added=$((map_added + 1))
    mkdir "/tmp/map/added$map_added"
    printf '0x%x\n' "$1" >"/tmp/map/added$map_added/start"
    printf '0x%x\n' "$2" >"/tmp/map/added$map_added/end"
    echo "$3" >"/tmp/map/added$map_added/type"
}

# map_paint START SIZE TYPE: whatever was there, now it is this; "none" leaves a
# hole.
map_paint() {
    first=$(($1))
    last=$(($1 + $2 - 1))
    for entry in /tmp/map/*; do
        start=$(($(cat "$entry/start")))
        end=$(($(cat "$entry/end")))
        type=$(cat "$entry/type")
        if [ $end -lt $first ] || [ $start -gt $last ]; then
            continue
        fi
        rm -r "$entry"
        [ $start -ge $first ] || map_add $start $((first - 1)) "$type"
        [ $end -le $last ] || map_add $((last + 1)) $end "$type"
    done
    [ "$3" = none ] || map_add $first $last "$3"
}

# map_more: what a scenario changes beside it.
map_more() { :; }

second_stage() { grep -qw stage2 /proc/cmdline; }

# map_boot: starts the kernel again with the changed map; does not return.
map_boot() {
    mount --bind /tmp/map /sys/firmware/memmap
    mount -t ext4 -o ro /dev/vdb /mnt
    # Digests of kernel and initramfs, made here and looked at on the way, take
    # longer than the boot.
    kexec -c --no-checks -l /mnt/vmlinuz --initrd=/mnt/initrd \
        --append="$(cat /proc/cmdline) stage2" || mark fail "kexec -l"
    umount /mnt
    mark kexec
    kexec -e
    mark fail "kexec -e"
}
