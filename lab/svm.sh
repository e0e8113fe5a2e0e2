#!/bin/bash
# svm.sh -- run a command inside a throw-away Linux VM that has a hardware-style /dev/kvm: AMD SVM with nested paging,
# emulated by QEMU (TCG). Needs no /dev/kvm and no root.
#
#   svm.sh [-m MIB] [-p CPUS] [-t SECONDS] [-g SOCKET] [-v] FOLDER COMMAND [ARGUMENT...]
#   svm.sh -n                    names the Debian packages that it needs and that are missing, and ends
#
# The content of FOLDER is put into the VM's / (FOLDER/foo is /foo) and COMMAND runs there, in /, with PATH=/bin:/ and
# an empty standard input. Its output comes as it is written, byte for byte, on standard output; its exit status is
# ours; 124: the time limit is over; 125: the lab failed. -m memory (256), -p CPUs (1), -t time limit (60),
# -v the VM's console on standard error. -g: the command's standard input and output are a Unix socket, which appears when
# the command starts, for a debugger on this host; what it writes to its standard error comes to ours at the end.
# Environment: SWIFTLET_LAB_KERNEL, an unpacked linux-image-cloud-amd64 to use; SWIFTLET_LAB_PACKAGE, another package of a kernel than
# linux-image-cloud-amd64, such as linux-image-6.12-cloud-amd64. Read next: README.md, common.sh.

set -euo pipefail
lab=svm memory=256 limit=60
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
lab_begin "$@"

khz=$(awk -F: '/^cpu MHz/ { printf "%d", $2 * 1000; exit }' /proc/cpuinfo)
[ "${khz:-0}" -gt 0 ] || khz=2500000

port=stdio,signal=off
[ -z "$socket" ] || port=socket,path=$work/socket,server=on,wait=off
lab_start qemu-system-x86_64 \
    -machine microvm,x-option-roms=off,pit=on,pic=on,rtc=on,isa-serial=on \
    -accel tcg,tb-size=256 -cpu max -smp "$cpus" -m "$memory" \
    -nodefaults -display none -no-reboot -monitor none \
    -serial file:"$work/console" \
    -chardev $port,id=output -device isa-serial,index=1,chardev=output \
    -kernel "$lab_cache/vmlinux" -initrd "$work/initrd" \
    -append "$lab_append loglevel=4 tsc_early_khz=$khz lpj=$((khz * 4)) initcall_blacklist=$lab_blacklist"
lab_end
