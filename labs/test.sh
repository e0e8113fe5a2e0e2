#!/bin/sh
# test.sh -- do the labs work? Every skeleton must fail its check, with a word that says what is wrong, and every solution
# must pass: `make labs-test`. A skeleton that does not build (status 2) has not failed its check.

cd "$(dirname "$0")" || exit 1
bad=0
for lab in "$@"; do
    said=$(lab=$lab && make --no-print-directory check LAB="$lab" 2>&1)
    case $said in
        *"$lab: not yet: "*) echo "$lab: the skeleton fails, as it must: ${said#*not yet: }" | head -1 ;;
        *) echo "$lab: the skeleton did not fail its check:" "$said"; bad=1 ;;
    esac
    if said=$(make --no-print-directory check LAB="$lab" IN="solutions/$lab" 2>&1); then
        echo "$lab: the solution passes"
    else
        echo "$lab: the solution fails:" "$said"; bad=1
    fi
done
exit $bad
