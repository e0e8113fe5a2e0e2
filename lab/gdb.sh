#!/bin/bash
# gdb.sh -- gdb at guests of Swiftlet inside a lab: in ring 3, in ring 0, and, in the SVM lab, at Debian's kernel.
#
#   gdb.sh [svm|vmx]...      default: both, VMX where its packages are installed
#
# gdb is Debian's gdb-minimal, fetched once and not installed, with the libraries that it finds on this host. Prints what gdb
# says, and "gdb: passed" for each lab; the exit status is 0 only then. Takes bin/swiftlet and guests/build; about a minute.
# Read next: gdb-run, ../docs/gdb.md.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-parts.sh"

fetch() { # FOLDER: gdb, and all that it loads, at their own paths
    (cd "$1" && apt-get -qq download gdb-minimal 2>apt.log) ||
        fail "cannot download gdb-minimal; is \`apt-get update\` due? $(tail -n 1 "$1/apt.log")"
    dpkg -x "$1"/gdb-minimal*.deb "$1/package"
    mkdir -p "$1/root/bin"
    cp "$1/package/usr/bin/gdb" "$1/root/bin/"
    local missing
    missing=$(ldd "$1/root/bin/gdb" | awk '/not found/ { print $1 }')
    [ -z "$missing" ] || fail "gdb-minimal needs what comes with gdb: apt-get install gdb ($missing)"
    ldd "$1/root/bin/gdb" | grep -o '/[^ ]*' | xargs cp --parents -L -t "$1/root"
}

debian_begin
rm "$folder/vm/vmlinuz"
fetch "$folder"
cp -a "$folder/root/." "$folder/vm/"
cp guests/build/primes.elf guests/build/multiboot-hello.elf "$folder/vm/"
install -m 755 lab/gdb-run "$folder/vm/gdb-run"

[ $# -gt 0 ] || { set -- svm; [ -n "$(lab/vmx.sh -n)" ] || set -- svm vmx; }
for lab; do
    linux=''
    [ "$lab" = vmx ] || { linux=linux; cp "$cache/vmlinux" "$folder/vm/"; }
    "lab/$lab.sh" -m 768 -t 400 "$folder/vm" /gdb-run $linux
    rm -f "$folder/vm/vmlinux"
    echo "gdb: passed in the $lab lab"
done
