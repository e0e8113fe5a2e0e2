#!/bin/bash
# boot-time.sh -- from exec to process 1 of Debian's kernel, by `swiftlet run` and by QEMU's microvm, in one run of the SVM lab.
#
#   boot-time.sh [-n TIMES] [-m MIB]
#
# Both get the same vmlinux (by PVH), initial RAM disk, command line, memory (-m, 256) and serial port, and take turns (-n, 5).
# Process 1 writes to the debug exit's port, so that the process ends at once. A line for each pair, then the medians in
# seconds, and their ratio; only that means something, for a lab's CPU is emulated. Needs bin/swiftlet, gcc
# and the lab's packages. Read next: svm.sh, ../docs/kernels.md.

set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
times=5 memory=256
while getopts n:m: option; do
    case $option in
        n) times=$OPTARG ;;
        m) memory=$OPTARG ;;
        *) sed -n 's/^#  *boot-time.sh/usage: boot-time.sh/p' "$0" >&2; exit 125 ;;
    esac
done
[ -x "$home/../bin/swiftlet" ] || { echo "boot-time.sh: bin/swiftlet is missing: make build" >&2; exit 125; }
lab_cache=${XDG_CACHE_HOME:-$HOME/.cache}/swiftlet-lab
[ -s "$lab_cache/vmlinux" ] || "$home/svm.sh" "$home" true # fetches the kernel

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

disk() { # the guest's initial RAM disk: nothing but a process 1 that ends the machine (Debian's kernel has no /dev/port)
    mkdir "$work/disk"
    gcc -static -Os -x c -o "$work/disk/init" - <<'END'
#include <sys/io.h>
int main(void) { ioperm(0xf4, 1, 1); outb(0x10, 0xf4); return 0; }
END
    (cd "$work/disk" && echo init | cpio -o -H newc --quiet -R 0:0)
}

qemu() { # FOLDER: QEMU, its libraries, and the firmware that it starts a kernel by
    local program file
    program=$(command -v qemu-system-x86_64)
    for file in "$program" $(ldd "$program" | grep -o '/[^ ]*') /usr/share/qemu/{qboot.rom,bios-microvm.bin,pvh.bin,linuxboot_dma.bin}; do
        mkdir -p "$1${file%/*}"
        cp -L "$file" "$1$file"
    done
}

mkdir "$work/lab"
disk >"$work/lab/initrd"
qemu "$work/lab"
cp "$lab_cache/vmlinux" "$work/lab/"
cp "$home/../bin/swiftlet" "$work/lab/"
strip "$work/lab/swiftlet"
cat >"$work/lab/turns" <<END
text="console=ttyS0 quiet tsc=reliable no_timer_check mitigations=off nopti"
now() { read -r up idle </proc/uptime; echo \$((\${up%.*}\${up#*.})); }
measure() { # NAME COMMAND...: hundredths of a second; 33: the debug exit's status for what process 1 has written
    name=\$1 start=\$(now); shift
    "\$@" >/tmp/output 2>&1; status=\$?
    end=\$(now)
    [ \$status = 33 ] || { echo "\$name ended with \$status instead of 33:"; cat /tmp/output; exit 1; }
    echo "\$name \$((end - start))"
}
for turn in $(seq "$times" | tr '\n' ' '); do
    measure swiftlet /swiftlet run --mem $memory --initrd /initrd --append "\$text" /vmlinux
    measure qemu /usr/bin/qemu-system-x86_64 -machine microvm,accel=kvm,isa-serial=on -cpu host -m $memory -nodefaults \\
        -no-user-config -display none -no-reboot -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \\
        -kernel /vmlinux -initrd /initrd -append "\$text"
done
END
"$home/svm.sh" -m $((memory + 700)) -t 3000 "$work/lab" sh /turns | tee "$work/results"
awk -v times="$times" '
    { list[$1] = list[$1] " " $2 }
    function median(text,  values, i, j, t) {
        n = split(text, values, " ")
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (values[j] + 0 < values[i] + 0) { t = values[i]; values[i] = values[j]; values[j] = t }
        return (values[int((n + 1) / 2)] + values[int((n + 2) / 2)]) / 200
    }
    END { s = median(list["swiftlet"]); q = median(list["qemu"])
          printf "from exec to process 1, median of %d: swiftlet %.2f s, QEMU microvm %.2f s, ratio %.2f\n", times, s, q, s / q }
' "$work/results"
