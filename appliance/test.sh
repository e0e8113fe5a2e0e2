#!/bin/bash
# test.sh -- the appliance, switched on and used by BIOS and by UEFI, and built twice: `make appliance-test`.
#
# The server is QEMU's software CPU with SVM. By BIOS it has a second disk with the label SWIFTLET, whose machine joins the list
# and whose bridge has the server's network card in it.
# `test.sh -n` names the Debian packages that are missing. Read next: drive.py.

set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=appliance-test
# shellcheck source=../lab/common.sh
. "$home/../lab/common.sh"
if [ "${1:-}" = -n ]; then
    lab_missing_packages
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$home/build.sh" "$work/swiftlet.iso"
"$home/build.sh" "$work/again.iso"
cmp "$work/swiftlet.iso" "$work/again.iso"
echo "built twice: the same bytes"

mkdir "$work/maker"
cp "$home/../guests/build/primes.elf" "$work/maker/"
printf 'name = "Maker"\nimage = "primes.elf"\n' >"$work/maker/maker.toml"
printf 'interfaces = ["52:54:00:12:34:56"]\n' >"$work/maker/outside.bridge"
truncate -s 8M "$work/maker.img"
/sbin/mkfs.ext4 -q -L SWIFTLET -d "$work/maker" "$work/maker.img"

echo "by BIOS, with a maker's disk"
/usr/bin/python3 -B "$home/drive.py" --disk "$work/maker.img" "$work/swiftlet.iso"
echo "by UEFI"
/usr/bin/python3 -B "$home/drive.py" --uefi "$work/swiftlet.iso"
