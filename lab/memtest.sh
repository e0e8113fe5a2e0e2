#!/bin/bash
# memtest.sh -- memtest86+, from Debian's package, as a guest of Swiftlet in the SVM lab: it draws its screen and tests memory.
#
#   memtest.sh              with one CPU and with two; the package is fetched once and not installed
#
# It never ends by itself: the time limit does that, with status 124. By then the screen must have been there, with the
# machine's memory and CPUs, and the first test must have begun. Prints "memtest: passed" for each, or the screen's words; the
# exit status is 0 only when both passed. Takes bin/swiftlet; some 40 seconds. Read next: ../docs/kernels.md, svm.sh.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "lab/memtest.sh: $1" >&2
    exit 125
}

fetch() { # IMAGE: the package's, unpacked into the labs' cache
    local folder
    folder=$(mktemp -d)
    (cd "$folder" && apt-get -qq download memtest86+ 2>apt.log) ||
        fail "cannot download memtest86+; is \`apt-get update\` due? $(tail -n 1 "$folder/apt.log")"
    dpkg -x "$folder"/memtest86+*.deb "$folder"
    mkdir -p "${1%/*}"
    cp "$folder/boot/memtest86+x64.bin" "$1"
    rm -r "$folder"
}

words() { # what is on the screen, without what places it
    sed 's/\x1b\[[0-9;]*[A-Za-z]/\n/g' | tr -d '\r' | tr -cs '[:print:]' '\n'
}

run() { # CPUS
    local status=0
    lab/svm.sh -m 384 -t 120 "$folder/vm" /swiftlet run --cpus "$1" --timeout 12 --append console=ttyS0,115200 --mem 64 \
        /memtest >"$folder/output" || status=$?
    words <"$folder/output" >"$folder/words"
    for words in "Memtest86+ v" "Memory  :   64MB" "CPU: $1 Cores $1 Threads" "#0  [Address test, walking ones, no cache]" \
        "Status: Testing" "Errors: 0"; do
        grep -qF -- "$words" "$folder/words" || status="$status, and its screen has not said: $words"
    done
    [ "$status" = 124 ] || { cat "$folder/words"; fail "it ended with status $status"; }
    echo "memtest: passed with CPUs: $1"
}

[ -x bin/swiftlet ] || fail "bin/swiftlet is missing: make build"
image=${XDG_CACHE_HOME:-$HOME/.cache}/swiftlet-lab/memtest86+x64.bin
[ -s "$image" ] || fetch "$image"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/vm"
cp bin/swiftlet "$folder/vm/"
cp "$image" "$folder/vm/memtest"
strip "$folder/vm/swiftlet" 2>/dev/null || :
for cpus in 1 2; do run $cpus; done
