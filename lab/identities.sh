#!/bin/bash
# identities.sh -- whose hypervisor Debian's cloud kernel finds, by `swiftlet run --identity`, in the SVM lab.
#
#   identities.sh [NAME:CPUS...]     one run for each; default: each with one CPU, hyperv and xen with two as well
#
# The kernel must name the right hypervisor, take its clock, reach its user land with all its CPUs, and power off. For xen the
# lab's own kernel is Linux 6.12, whose KVM hands VMMCALL over (../docs/identities.md). Prints what the guests say and
# "identities: passed" for each; the exit status is 0 only then. Takes bin/swiftlet; about two minutes.
# Read next: debian-parts.sh, identities-run, ../docs/identities.md.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-parts.sh"

debian_begin
debian_root "$folder/guest" lab/identities-init
debian_pack "$folder/guest" >"$folder/vm/initrd"
install -m 755 lab/identities-run "$folder/vm/identities-run"

[ $# -gt 0 ] || set -- none:1 kvm:1 vmware:1 hyperv:1 hyperv:2 xen:1 xen:2
others=() xen=()
for run; do
    case $run in xen:*) xen+=("$run") ;; *) others+=("$run") ;; esac
done
[ ${#others[@]} = 0 ] || lab/svm.sh -m 768 -t 600 "$folder/vm" /identities-run "${others[@]}"
package=linux-image-6.12-cloud-amd64
if [ ${#xen[@]} != 0 ] && ! apt-cache depends $package >/dev/null 2>&1; then
    echo "identities: left out: ${xen[*]}: apt knows no $package"
elif [ ${#xen[@]} != 0 ]; then
    SWIFTLET_LAB_PACKAGE=$package lab/svm.sh -m 768 -t 400 "$folder/vm" /identities-run "${xen[@]}"
fi
