#!/bin/bash
# vmx.sh -- run a command inside a throw-away Linux VM that has a hardware-style /dev/kvm: Intel VMX with EPT, VPID and
# unrestricted guest, emulated by Bochs (a Haswell). Needs no /dev/kvm and no root.
#
#   vmx.sh [-m MIB] [-t SECONDS] [-g SOCKET] [-v] FOLDER COMMAND [ARGUMENT...]
#   vmx.sh -n                    names the Debian packages that it needs and that are missing, and ends
#
# As svm.sh, but slower (8 s for a no-op), with one CPU, and with a clock that counts instructions: a second in the VM
# is 20 million instructions, whatever time they take. -m memory (512), -t time limit (120 s of real time).
# Environment: SWIFTLET_LAB_KERNEL, an unpacked linux-image-cloud-amd64 to use. Read next: README.md, common.sh.

set -euo pipefail
lab=vmx memory=512 limit=120
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
lab_begin "$@"
[ "$cpus" = 1 ] || lab_fail "the VMX lab has one CPU"

ips=20000000 # the VM's clock in instructions a second, told to Bochs and to the kernel alike: waiting stays short
lab_append+=" loglevel=4 tsc_early_khz=$((ips / 1000)) lpj=$((ips / 250)) i8042.nokbd i8042.noaux i8042.nopnp"
lab_blacklist+=,trace_eval_init,tracer_init_tracefs,ftrace_check_for_weak_functions,cubictcp_register
lab_blacklist+=,bpf_rstat_kfunc_init,bpf_key_sig_kfuncs_init,kfunc_init,bpf_prog_test_run_init,bpf_tcp_ca_kfunc_init
lab_blacklist+=,blake2s_mod_init

make_boot_disk() { # a CD-ROM with isolinux, the kernel and the initrd
    local disk=$work/disk
    mkdir -p "$disk/isolinux"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$disk/isolinux/"
    cp "$lab_cache/vmlinuz" "$disk/"
    mv "$work/initrd" "$disk/"
    cat >"$disk/isolinux/isolinux.cfg" <<END
DEFAULT lab
PROMPT 0
LABEL lab
 KERNEL /vmlinuz
 APPEND initrd=/initrd $lab_append initcall_blacklist=$lab_blacklist
END
    xorriso -as mkisofs -quiet -o "$work/disk.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
        -no-emul-boot -boot-load-size 4 -boot-info-table "$disk" 2>"$work/log" || lab_fail "$(cat "$work/log")"
}

configure() {
    cat >"$work/bochsrc" <<END
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_haswell_4770, count=1, ips=$ips, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=$memory, host=$memory
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=disk.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=console
com2: enabled=1, $port
clock: sync=none
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
log: log
END
    echo c >"$work/continue" # Debian's Bochs stops in its debugger first: "c" continues
}

port='mode=file, dev=output'
if [ -n "$socket" ]; then
    # Bochs can wait for a TCP client, whom anybody on this host could be; a terminal and a Unix socket are our user's alone.
    socat PTY,link="$work/terminal",raw,echo=0 UNIX-LISTEN:"$work/socket" &
    reader=$!
    port="mode=term, dev=$work/terminal"
fi
make_boot_disk
configure
cd "$work"
# Bochs has no display that is none: its text display gets the terminal it wants from script(1).
lab_start env TERM=xterm script -qfc "stty rows 50 cols 132; exec bochs -q -f bochsrc -rc continue" /dev/null >screen 2>&1
[ -n "$socket" ] || { tail -f -s 0.1 -c +1 --pid="$child" output & reader=$!; }
lab_end
