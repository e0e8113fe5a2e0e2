#!/bin/bash
# bench.sh -- measures all, checks the promises, and puts what came of it into RESULTS.md: `make bench`.
#
#   bench.sh [PART...]      promises, report, lab; without one, all that this host can
#
# Takes what `make bench` has built. Every file of the report is then in build/results, ready for `swiftlet bench submit`. In
# RESULTS.md only what lies between "<!-- generated: PART -->" and "<!-- end -->" is written anew. A part that could not be
# measured stays as it was. The exit status is that of the worst part: 1 when a promise is not kept.
# Read next: RESULTS.md, ../docs/measuring.md, ../docs/promises.md.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.."
results=benchmarks/build/results
page=benchmarks/RESULTS.md
worst=0

# replace PART COMMAND: puts the part's text into the page, under the command that made it.
replace() {
    grep -qx "<!-- generated: $1 -->" $page || { echo "bench.sh: $page has no place for $1" >&2; return 1; }
    awk -v part="$1" -v text="$results/$1.txt" -v command="$2" '
        $0 == "<!-- generated: " part " -->" {
            print; print "```"; print "$ " command
            while ((getline line < text) > 0) { sub(/ +$/, "", line); print line }
            print "```"; skip = 1; next
        }
        $0 == "<!-- end -->" { skip = 0 }
        !skip' $page >$results/page && cp $results/page $page && rm $results/page
}

# measure PART COMMAND...: shows and keeps what it prints; a promise that is not kept (1) is a result too.
measure() {
    local part=$1 status
    shift
    "$@" | tee "$results/$part.txt"
    status=${PIPESTATUS[0]}
    if [ "$status" -gt "$worst" ]; then worst=$status; fi
    if [ "$status" -le 1 ]; then replace "$part" "$*" || worst=125; fi
}

parts=("$@")
if [ $# = 0 ]; then
    if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then parts+=(promises report); else echo "no usable /dev/kvm: only the SVM lab measures"; fi
    if [ -z "$(lab/svm.sh -n)" ]; then parts+=(lab); else echo "no SVM lab: packages missing:$(lab/svm.sh -n)"; fi
fi
mkdir -p $results
for part in "${parts[@]}"; do
    case $part in
        promises) measure promises bin/swiftlet bench promises --check ;;
        report) measure report bin/swiftlet bench all --out $results ;;
        lab) measure lab make --no-print-directory -C benchmarks lab ;;
        *) echo "bench.sh: no such part: $part" >&2; exit 125 ;;
    esac
done
exit "$worst"
