#!/bin/bash
# unit-tests.sh -- run the tests of kvm-unit-tests (Multiboot kernels that others publish) by `swiftlet run`.
#
#   unit-tests.sh [-i host|svm|vmx] [-t SECONDS] FOLDER [NAME...]
#
# FOLDER holds a built kvm-unit-tests (https://gitlab.com/kvm-unit-tests/kvm-unit-tests: ./configure && make). -i where: this
# host's KVM (default) or a lab's; -t the time limit of each test (150). A line for each test: its name, its exit status, and
# what the status means: 1 pass, 3 fail, 77 (38 << 1 | 1) skipped, 127 aborted; the others are Swiftlet's. The last line
# of a test that did not pass stands behind it. docs/kernels.md has the results. Read next: README.md.

set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
where=host seconds=150
while getopts i:t: option; do
    case $option in
        i) where=$OPTARG ;;
        t) seconds=$OPTARG ;;
        *) sed -n 's/^#  *unit-tests.sh/usage: unit-tests.sh/p' "$0" >&2; exit 125 ;;
    esac
done
shift $((OPTIND - 1))
tests=${1:?a folder with a built kvm-unit-tests}
shift
[ -f "$tests/x86/dummy.flat" ] || { echo "unit-tests.sh: no x86/dummy.flat in $tests: ./configure && make there" >&2; exit 125; }

# Name, kernel, options of `swiftlet run`, arguments: x86/unittests.cfg, without what tests nested virtualisation, PMUs, and
# devices that Swiftlet does not have.
list='dummy - -
setjmp - -
sieve - -
idt_test - -
eventinj - -
memory - -
msr - -
tsc - -
tsc_adjust - -
xsave - -
syscall - -
pcid - -
umip - -
smap - -
la57 - -
pku - -
rdpru - -
debug - -
hypercall - -
rmap_chain - -
cet - -
tsx-ctrl - -
kvmclock_test - 100000
xapic:apic - -
ioapic - -
smptest - -
realmode - -
emulator - -
access:access_test - -
vmexit_cpuid:vmexit - cpuid
vmexit_vmcall:vmexit - vmcall
vmexit_mov_from_cr8:vmexit - mov_from_cr8
vmexit_inl_pmtimer:vmexit - inl_from_pmtimer
vmexit_cr4_pge:vmexit - toggle_cr4_pge
vmexit_tscdeadline:vmexit - tscdeadline'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r name options arguments; do
    kernel=${name##*:} name=${name%%:*}
    [ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
    cp "$tests/x86/$kernel.flat" "$work/$kernel.flat"
    echo "run $name $kernel.flat '${options#-}' '${arguments#-}'"
done >"$work/calls" <<<"$list"
cat >"$work/runner" <<END
run() {
    status=0 last=
    \$swiftlet run --irqchip --test-device --mem 128 --timeout $seconds \$3 \$2 \$4 >\$1.log 2>&1 || status=\$?
    case \$status in
        1) meaning=pass ;; 3) meaning=fail ;; 77) meaning=skipped ;; 127) meaning=aborted ;; 124) meaning='time limit' ;;
        126) meaning=crash ;; *) meaning=unknown ;;
    esac
    [ \$status = 1 ] || last=\$(grep -aE '^(FAIL|SKIP|swiftlet: guest|Unhandled)' \$1.log | busybox tail -n 1 || :)
    echo "\$1 \$status \$meaning\${last:+: \$last}"
}
. ./calls
END

if [ "$where" = host ]; then
    cd "$work"
    swiftlet=$home/../bin/swiftlet
    # shellcheck disable=SC1091 # just made
    . ./runner
else
    cp "$home/../bin/swiftlet" "$work"
    strip "$work/swiftlet"
    "$home/$where.sh" -m 900 -t 3000 "$work" sh -c 'swiftlet=/swiftlet; . ./runner'
fi
