#!/bin/bash
# debian.sh -- Debian's cloud kernel as a guest of Swiftlet, in the SVM lab: serial shell, disk, network, power-off.
#
#   debian.sh [CPUS...]     one run for each number of CPUs; default 1 2
#
# At the prompt of a shell on the serial port it mounts an ext4 image on a virtio disk, changes it, fetches a page over a virtio
# network from a server on the host's side of a tap, and powers off by ACPI; then the image is looked at. Last it runs at a
# terminal, where Ctrl-C interrupts a command of the guest's and Ctrl-A x leaves. Prints what the guest says, and "debian:
# passed" for each; the exit status is 0 only then. Takes bin/swiftlet; about a minute.
# Read next: debian-parts.sh, debian-run, debian-init.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-parts.sh"

command -v mkfs.ext4 >/dev/null || fail "mkfs.ext4 is missing: apt-get install e2fsprogs"
debian_begin
debian_root "$folder/guest" lab/debian-init
mkdir "$folder"/guest/{mnt,modules} "$folder/files"
cp "$cache"/guest/*.ko "$folder/guest/modules/"
debian_pack "$folder/guest" >"$folder/vm/initrd"
echo "written by the host" >"$folder/files/before"
truncate -s 4M "$folder/vm/disk"
mkfs.ext4 -q -b 1024 -d "$folder/files" "$folder/vm/disk"
cp "$cache/guest/tun.ko" "$folder/vm/"
install -m 755 lab/debian-run "$folder/vm/debian-run"

[ $# -gt 0 ] || set -- 1 2
lab/svm.sh -m 768 -t 240 "$folder/vm" /debian-run "$@"
