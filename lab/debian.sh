#!/bin/bash
# debian.sh -- Debian's cloud kernel as a guest of Swiftlet, in the SVM lab: serial shell, disk, network, power-off.
#
#   debian.sh [CPUS...]     one run for each number of CPUs; default 1 2
#
# The kernel is the labs' own, as its package has it, with a busybox for its user land. At the prompt of a shell on the
# serial port it mounts an ext4 image on a virtio disk, changes it, fetches a page over a virtio network from a server on
# the host's side of a tap, and powers off by ACPI; then the image is looked at. Last it runs at a terminal, where Ctrl-C
# interrupts a command of the guest's and Ctrl-A x leaves. Prints what the guest says, and "debian: passed" for each; the
# exit status is 0 only then. Takes bin/swiftlet; about a minute. Read next: debian-run, debian-init.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "lab/debian.sh: $1" >&2
    exit 125
}

pack() { # FOLDER: an initial RAM file system of it on standard output
    (cd "$1" && find . | cpio -o -H newc --quiet -R 0:0)
}

guest_files() { # FOLDER CACHE: busybox, the drivers, and what the guest does
    local applet
    mkdir -p "$1"/{bin,dev,proc,sys,mnt,modules}
    cp "$(command -v busybox)" "$1/bin/"
    for applet in sh cat dmesg grep insmod ip mount umount mkdir sync wget poweroff setsid; do ln -s busybox "$1/bin/$applet"; done
    cp "$2"/guest/*.ko "$1/modules/"
    install -m 755 lab/debian-init "$1/init"
}

[ -x bin/swiftlet ] || fail "bin/swiftlet is missing: make build"
command -v mkfs.ext4 >/dev/null || fail "mkfs.ext4 is missing: apt-get install e2fsprogs"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A no-op of the lab fills its cache.
lab/svm.sh "$folder" /bin/cat >/dev/null
cache=${XDG_CACHE_HOME:-$HOME/.cache}/swiftlet-lab
mkdir -p "$folder"/{guest,files,vm}
guest_files "$folder/guest" "$cache"
pack "$folder/guest" >"$folder/vm/initrd"
echo "written by the host" >"$folder/files/before"
truncate -s 4M "$folder/vm/disk"
mkfs.ext4 -q -b 1024 -d "$folder/files" "$folder/vm/disk"
cp bin/swiftlet "$cache/vmlinuz" "$cache/guest/tun.ko" "$folder/vm/"
strip "$folder/vm/swiftlet" 2>/dev/null || :
install -m 755 lab/debian-run "$folder/vm/debian-run"

[ $# -gt 0 ] || set -- 1 2
lab/svm.sh -m 768 -t 240 "$folder/vm" /debian-run "$@"
