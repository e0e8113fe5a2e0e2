#!/bin/bash
# test.sh -- run every guest's cases (guests/NAME/expect) inside the labs, one boot for each lab: `make lab-test`.
#
#   test.sh [LAB...]        LAB: svm, vmx; without one: svm, and vmx where its packages are installed
#
# Takes bin/swiftlet, bin/swiftlet-check and guests/build as `make build` left them. Prints a line a case as it ends and
# "N cases, M failed" for each lab; the exit status is 0 only when every lab ran at least one case and none failed.
# Read next: svm.sh, vmx.sh, Tests/GuestCases/ExpectFile.swift.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "lab/test.sh: $1" >&2
    exit 125
}

vmx_installed() {
    [ -z "$(lab/vmx.sh -n)" ]
}

stage() { # FOLDER: what the VM needs, small
    mkdir -p "$1/guests/build"
    cp bin/swiftlet bin/swiftlet-check "$1/"
    strip "$1/swiftlet" "$1/swiftlet-check" 2>/dev/null || : # loading it takes time in an emulated machine
    cp guests/build/*.elf guests/build/*.bin "$1/guests/build/"
    for guest in guests/*/expect; do cp -r "${guest%/expect}" "$1/guests/"; done
}

run_lab() { # LAB: a case may take longer there than on a host, by as much as the CPU is slower
    local limits
    case $1 in
        svm) limits=(-t 900) ;;
        vmx) limits=(-t 1500) ;;
        *) fail "no such lab: $1" ;;
    esac
    echo "# $1 lab"
    "lab/$1.sh" -m 512 "${limits[@]}" "$folder" /swiftlet-check --guests /guests --limit 120
}

for program in bin/swiftlet bin/swiftlet-check; do [ -x "$program" ] || fail "$program is missing: make build"; done
compgen -G 'guests/build/*.elf' >/dev/null || fail "guests/build/*.elf are missing: make guests"

labs=("$@")
if [ $# = 0 ]; then
    labs=(svm)
    if vmx_installed; then labs+=(vmx); else echo "# no vmx lab: packages missing:$(lab/vmx.sh -n)"; fi
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
stage "$folder"
status=0
for lab in "${labs[@]}"; do run_lab "$lab" || status=$?; done
exit "$status"
