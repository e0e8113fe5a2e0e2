#!/bin/bash
# debuggers.sh -- gdb and lldb at guests of Swiftlet, here and in the labs: in ring 3, in ring 0, and at Debian's kernel.
#
#   debuggers.sh [host|svm|vmx]...    default: all; the host where it has a KVM, VMX where its packages are installed
#   debuggers.sh -n                   names the Debian packages that it needs and that are missing, and ends
#
# Six sessions by scripts for each; the debuggers run on this host, and come into a lab by its -g. Prints what they say, and
# "debuggers: passed" for each; the exit status is 0 only then. Takes bin/swiftlet and guests/build; three minutes. Read next: common.sh, ../docs/gdb.md.

set -euo pipefail
[ "${1:-}" != -n ] || { lab=debuggers . "$(dirname "${BASH_SOURCE[0]}")/common.sh"; lab_missing_packages; exit; }
. "$(dirname "${BASH_SOURCE[0]}")/debian-parts.sh"

lldb='' vm=''
for program in lldb lldb-{22..14}; do
    ! "$program" --version >/dev/null 2>&1 || { lldb=$program; break; }
done
[ -n "$lldb" ] && command -v gdb >/dev/null || fail "gdb, and an lldb that starts, are needed: apt-get install gdb lldb-16"

start() { # host|svm|vmx SWIFTLET'S ARGUMENT...: a guest that waits for a debugger at the socket
    local lab=$1
    shift
    if [ "$lab" = host ]; then
        cd "$folder/vm"
        exec timeout 120 ./swiftlet run --gdb "unix:$folder/socket" "$@"
    fi
    exec "lab/$lab.sh" -m 768 -t 300 -g "$folder/socket" "$folder/vm" /swiftlet run --gdb - "$@"
}

# LAB DEBUGGER SYMBOLS "SWIFTLET'S ARGUMENTS" COMMAND...: what the debugger says is in said, what the guest says in console.
session() {
    local lab=$1 debugger=$2 symbols=$3 run=$4 status=0
    shift 4
    name="$debugger, $lab, $run"
    echo "== $name"
    rm -f "$folder/socket"
    start "$lab" $run >"$folder/console" 2>&1 &
    vm=$!
    until [ -S "$folder/socket" ]; do
        kill -0 "$vm" 2>/dev/null || fail "$name: it has ended: $(tail -n 3 "$folder/console")"
        sleep 0.1
    done
    "with_$debugger" "$symbols" "$@" >"$folder/said" 2>&1 || status=$?
    cat "$folder/said"
    [ $status = 0 ] || fail "$name: the debugger's status is $status"
    wait "$vm" || status=$?
    vm=''
    case $status in 0 | 1 | 137) ;; *) fail "$name: the guest's status is $status" ;; esac # 1: multiboot-hello's own; 137: killed
}

with_gdb() { # SYMBOLS COMMAND...
    local symbols=$1
    shift
    printf '%s\n' "set confirm off" "set pagination off" "target remote $folder/socket" "$@" >"$folder/commands"
    timeout 120 gdb -nx -batch -x "$folder/commands" ${symbols:+"$symbols"}
}

with_lldb() { # SYMBOLS COMMAND...
    local symbols=$1
    shift
    printf '%s\n' "process connect --plugin gdb-remote unix-connect://$folder/socket" "$@" >"$folder/commands"
    timeout 120 "$lldb" --no-lldbinit --batch -s "$folder/commands" ${symbols:+"$symbols"}
}

said() { # TEXT...: the debugger has said that
    local text
    for text; do grep -qF -- "$text" "$folder/said" || fail "$name: nobody has said: $text"; done
}

# A breakpoint at a function, its frame, a step, what only the monitor knows, and the guest's own end.
ring_three() { # LAB
    local image=guests/build/primes.elf
    session "$1" gdb $image "primes.elf 100" "break main" continue backtrace stepi "info registers cs" "monitor exits" delete continue
    said "Breakpoint 1" "#0" "exited normally"
    session "$1" lldb $image "primes.elf 100" "breakpoint set --name main" continue "thread step-inst" "register read rip" \
        "process plugin packet monitor map" "breakpoint delete -f" continue
    said "stop reason = breakpoint 1.1" "instruction step into" "main + 2" "slot 1" "exited with status = 0"
}

# SVM in QEMU has no breakpoints for ring 0, but steps (docs/gdb.md).
ring_zero() { # LAB
    local image=guests/build/multiboot-hello.elf for_gdb=(stepi) for_lldb=("thread step-inst")
    [ "$1" = svm ] || for_gdb=("break kernel" continue) for_lldb=("breakpoint set --name kernel" continue "thread step-inst")
    session "$1" gdb $image multiboot-hello.elf "${for_gdb[@]}" 'printf "cr0 %d\n", $cr0 & 1' 'x/2i $pc' detach
    said "cr0 1" detached
    [ "$1" = svm ] || said "Breakpoint 1"
    session "$1" lldb $image multiboot-hello.elf "${for_lldb[@]}" "register read cr0" "memory read -c 4 0x100000" detach
    said "instruction step into" "cr0 = 0x" detached
    [ "$1" = svm ] || said "stop reason = breakpoint 1.1"
}

# Two CPUs, the first at the entry of Linux's 64-bit protocol. Let go it boots until it finds no root, which ends the machine; in
# Bochs that takes minutes.
linux() { # LAB
    local run="--cpus 2 --mem 256 --append panic=-1 vmlinuz" end_gdb=detach end_lldb=detach
    [ "$1" = svm ] || end_gdb=kill end_lldb="process kill"
    session "$1" gdb '' "$run" "info threads" stepi stepi 'printf "long mode %d\n", $efer >> 10 & 1' 'x/4i $pc' 'monitor walk $rip' \
        "$end_gdb"
    said "Thread 2" "long mode 1" "execute  allowed" "Inferior 1 (Remote target) ${end_gdb}ed"
    session "$1" lldb '' "$run" "thread list" "thread step-inst" "thread step-inst" "disassemble --pc --count 3" \
        "process plugin packet monitor walk rip" "$end_lldb"
    said "thread #2" "instruction step into" "execute  allowed"
    [ "$1" = svm ] || said "exited with status = 9"
}

debian_begin
trap '[ -z "$vm" ] || kill "$vm" 2>/dev/null; rm -rf "$folder"' EXIT
cp guests/build/primes.elf guests/build/multiboot-hello.elf "$folder/vm/"
if [ $# = 0 ]; then
    set -- svm
    [ -n "$(lab/vmx.sh -n)" ] || set -- svm vmx
    if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then set -- host "$@"; else echo "debuggers: no usable /dev/kvm: not on this host"; fi
fi
for lab; do
    ring_three "$lab"
    ring_zero "$lab"
    linux "$lab"
    echo "debuggers: passed: $lab"
done
