#!/bin/bash
# run.sh -- what the firewall guest costs: packets a second and latency between two network namespaces, beside the same without
# it. As root.
#
#   run.sh [REPEATS]     default 5
#
# In turns: a veth pair, a bridge of the kernel's between two of them, and two taps with the firewall between. Prints medians of the
# repeats with the lowest and the highest; of a repeat's latency its median and 99th percentile. The table of docs/firewall.md.
# IMAGE and RULES in the environment measure others. Read next: flow.c.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repeats=${1:-5}
image=${IMAGE:-guests/build/firewall.elf}
rules=${RULES:-allow both arp; deny in tcp to any port 1-1023; deny in icmp type 5; allow out udp to 10.9.0.2 port 9000}
flow=benchmarks/build/flow
# shellcheck disable=SC2209 # a name
one=swiftlet-fw1 two=swiftlet-fw2
scratch=$(mktemp -d)
firewall=

clean() {
    [ -z "$firewall" ] || { kill "$firewall" && wait "$firewall"; } 2>/dev/null || :
    firewall=
    for namespace in $one $two; do ip netns delete $namespace 2>/dev/null || :; done
    ip link delete $one-br 2>/dev/null || :
}
trap 'clean; rm -rf "$scratch"' EXIT

host() { # NAMESPACE INTERFACE NUMBER: the interface is in the namespace, up, and 10.9.0.NUMBER
    [ -e "/sys/class/net/$2" ] && ip link set "$2" netns "$1"
    ip -n "$1" address add "10.9.0.$3/24" dev "$2"
    ip -n "$1" link set "$2" up
}

connect_veth() {
    ip link add fw-a type veth peer name fw-b
    host $one fw-a 1
    host $two fw-b 2
}

connect_bridge() {
    ip link add $one-br type bridge
    ip link set $one-br up
    for end in a b; do
        ip link add fw-$end type veth peer name fw-$end-br
        ip link set fw-$end-br master $one-br up
    done
    host $one fw-a 1
    host $two fw-b 2
}

connect_firewall() {
    for end in a b; do ip tuntap add fw-$end mode tap && ip link set fw-$end up; done
    bin/swiftlet run --net inside=tap:fw-a --net outside=tap:fw-b "$image" "$rules" </dev/null >"$scratch/log" 2>&1 &
    firewall=$!
    for _ in $(seq 100); do grep -q 'q ends' "$scratch/log" && break || sleep 0.05; done
    host $one fw-a 1
    host $two fw-b 2
}

measure() { # WAY: a line for each measurement into a file of its own
    clean
    for namespace in $one $two; do ip netns add $namespace; done
    "connect_$1"
    sleep 0.5
    $flow $one $two latency 5000 >>"$scratch/$1-latency"
    for size in 64 1514; do $flow $one $two rate $size 3 >>"$scratch/$1-$size"; done
}

summary() { # FILE FIELD: median of the repeats, in thousands, and in brackets the lowest and the highest
    awk -v field="$2" '{ print $field / 1000 }' "$1" | sort -g | awk '{ value[NR] = $1 } END {
        printf "%.1f (%.1f-%.1f)", (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2, value[1], value[NR] }'
}

for _ in $(seq "$repeats"); do for way in veth bridge firewall; do measure $way; done; done
echo "| | round trip, us: p50 | p99 | 64-byte frames, thousands a second | 1,514-byte frames | lost |"
echo "|---|---|---|---|---|---|"
for way in veth bridge firewall; do
    echo "| $way | $(summary "$scratch/$way-latency" 1) | $(summary "$scratch/$way-latency" 2) |" \
        "$(summary "$scratch/$way-64" 1) | $(summary "$scratch/$way-1514" 1) |" \
        "$(awk '{ lost += $2 } END { print lost + 0 }' "$scratch/$way-64" "$scratch/$way-1514") |"
done
