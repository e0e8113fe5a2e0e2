#!/bin/sh
# results.sh -- entries for benchmarks/results, and the page that compares them.
#
#   results.sh [host] [svm] [vmx]      what to measure (host); after `make build` and `make -C benchmarks`
#
# A lab's report comes out as a tar file on its standard output. Few samples: a lab is slow, and each takes four bytes in the
# repository for ever. docs/results-format.md describes what is written.

set -eu
cd "$(dirname "$0")/.."
work=.build-static/results
bench=bin/swiftlet-bench
results=benchmarks/results

# The folder WHAT of $work gets report.json and raw.csv, measured in the lab of that name.
measure_in_lab() { # WHAT SAMPLES
    files=$work/$1-files
    rm -rf "$files" && mkdir -p "$files/guests"
    cp bin/swiftlet $bench benchmarks/build/twin "$files"
    cp -r guests/build/*.elf guests/build/exits "$files/guests"
    # A lab's standard error is its output too.
    # No histograms and pictures there: an emulated CPU takes minutes to write them.
    # With one CPU the rows of a second thread are missing; Bochs has no more.
    cpus=$([ "$1" = svm ] && echo "-p 2" || true)
    # shellcheck disable=SC2086 # two words or none
    lab/"$1".sh $cpus -m 768 -t 3000 "$files" sh -c "mkdir /out
        /swiftlet-bench exits --samples $2 --swiftlet /swiftlet --twin /twin --guests /guests \
            --json /out/report.json --raw /out/raw.csv >/dev/null 2>/errors
        [ -s /out/report.json ] && tar -c -C /out report.json raw.csv | gzip || cat /errors" >"$work/$1.tar.gz"
    tar -x -z -f "$work/$1.tar.gz" -C "$work/$1"
}

for what in ${*:-host}; do
    rm -rf "${work:?}/$what" "$work"/*.tar.gz && mkdir -p "$work/$what" $results
    case $what in
    host) $bench all --samples 100 --out "$work/host" && set -- ;;
    svm) measure_in_lab svm 200 && set -- --host lab-svm ;;
    vmx) measure_in_lab vmx 10 && set -- --host lab-vmx ;;
    *) echo "results.sh: host, svm or vmx, not $what" >&2 && exit 2 ;;
    esac
    # Checks, packs; then unpacks where it belongs.
    tar -x -z -f "$($bench submit "$@" --into "$work" "$work/$what")" -C $results
done
$bench page $results >$results/README.md
