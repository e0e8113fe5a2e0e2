# common.sh -- what the labs share; sourced by svm.sh and vmx.sh, which differ only in the machine that they start.
# It reads the options, gets Debian's cloud kernel once (apt-get download; nothing is installed), packs the command and
# its files into an initial RAM file system, watches over the VM and takes the exit status from its console.
# A lab sets `lab`, `memory`, `limit`, then calls lab_begin "$@", lab_start PROGRAM..., lab_end. Read next: init.

lab_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab_package=${SWIFTLET_LAB_PACKAGE:-linux-image-cloud-amd64}
lab_cache=${XDG_CACHE_HOME:-$HOME/.cache}/swiftlet-lab${SWIFTLET_LAB_PACKAGE:+/$lab_package}
cpus=1 verbose='' socket='' directory='' work='' child='' reader=''
command=()

# The kernel's command line. tsc_early_khz and lpj (added by each lab) keep it from calibrating its clock against the
# PIT, which hangs on a busy host; the rest leaves out what takes long in an emulated CPU and does not matter here.
lab_blacklist=load_system_certificate_list,init_blk_tracer,init_kprobe_trace,tpm_init
lab_append="console=ttyS0 panic=-1 nokaslr mitigations=off nopti tsc=reliable no_timer_check"
lab_append+=" init_on_alloc=0 lsm= audit=0 cryptomgr.notests=1"
lab_append+=" swiftlet_lab=$lab" # `swiftlet bench` stamps what it measures on an emulated CPU

lab_fail() { # MESSAGE: the lab itself could not do its work
    echo "swiftlet-lab: $1" >&2
    exit 125
}

lab_usage() { # the calling script's opening comment
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

lab_options() { # ARGUMENT...: sets the options, directory and command
    local option
    while getopts g:hm:np:t:v option; do
        case $option in
            g) socket=$(realpath -m -- "$OPTARG") ;;
            h) lab_usage; exit 0 ;;
            n) lab_missing_packages; exit 0 ;;
            m) memory=$OPTARG ;;
            p) cpus=$OPTARG ;;
            t) limit=$OPTARG ;;
            v) verbose=1 ;;
            *) lab_usage >&2; exit 125 ;;
        esac
    done
    shift $((OPTIND - 1))
    [ $# -ge 2 ] || { lab_usage >&2; exit 125; }
    directory=$1
    command=("${@:2}")
    [ -d "$directory" ] || lab_fail "$directory is not a folder"
    [[ $memory$cpus$limit =~ ^[0-9]+$ ]] || lab_fail "-m, -p and -t take whole numbers"
    [ -z "$socket" ] || { [ ! -e "$socket" ] && [ -w "${socket%/*}/" ]; } || lab_fail "-g: $socket cannot be made, or is there already"
}

lab_missing_packages() { # prints those that `packages` lists for this lab and that are not installed
    local labs package shows
    while read -r labs package shows; do
        case ,$labs, in *",$lab,"*) ;; *) continue ;; esac
        [ -e "$shows" ] || command -v "$shows" >/dev/null || echo -n " $package"
    done <"$lab_home/packages"
}

lab_need_packages() {
    local names
    names=$(lab_missing_packages)
    [ -z "$names" ] || lab_fail "the $lab lab needs Debian packages that are missing: apt-get install$names"
    ! head -c 4096 "$(command -v busybox)" | grep -q ld-linux ||
        lab_fail "busybox is not static: apt-get install busybox-static"
}

lab_fetch_kernel() { # FOLDER: puts boot/ and lib/modules/ of Debian's cloud kernel there
    local package
    package=$(apt-cache depends "$lab_package" 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
    [ -n "$package" ] || lab_fail "apt knows no $lab_package (it is Debian's; on another system unpack its \
.deb and set SWIFTLET_LAB_KERNEL to that folder)"
    echo "swiftlet-lab: fetching $package (once, to $lab_cache)" >&2
    (cd "$1" && apt-get -qq download "$package" 2>apt.log) ||
        lab_fail "cannot download $package; is \`apt-get update\` due? $(tail -1 "$1/apt.log")"
    dpkg -x "$1"/linux-image-*.deb "$1"
}

# bzImage -> vmlinux: the payload is LZ4, its place stands in the boot header (Linux Documentation/x86/boot.rst:
# setup_sects 0x1f1, payload_offset 0x248, payload_length 0x24c; the last 4 bytes are the unpacked size).
# QEMU starts a vmlinux directly (PVH), which saves unpacking it in the emulated CPU.
# One that is not packed with LZ4 stays as it is, and QEMU starts it all the same.
lab_extract_vmlinux() { # BZIMAGE VMLINUX
    local sectors offset length
    sectors=$(od -An -tu1 -j497 -N1 "$1")
    offset=$(od -An -tu4 -j584 -N4 "$1")
    length=$(od -An -tu4 -j588 -N4 "$1")
    tail -c +$((1 + ((sectors ? sectors : 4) + 1) * 512 + offset)) "$1" | head -c $((length - 4)) >"$2.lz4" || :
    lz4 -dqf "$2.lz4" "$2" 2>/dev/null || cp "$1" "$2"
}

lab_copy_module() { # FILE FOLDER: FILE.ko, or FILE.ko.xz unpacked; nothing when it is a part of the kernel
    if [ -e "$1.ko" ]; then
        cp "$1.ko" "$2/"
    elif ! grep -q "/${1##*/}.ko$" "${1%%/kernel/*}/modules.builtin"; then
        xz -dc "$1.ko.xz" >"$2/${1##*/}.ko"
    fi
}

lab_prepare_kernel() { # once: vmlinuz, vmlinux and modules/ in the cache
    local new=$lab_cache/new root=${SWIFTLET_LAB_KERNEL:-} image module
    rm -rf "$new"
    mkdir -p "$new/modules"
    if [ -z "$root" ] && { [ -n "${SWIFTLET_LAB_PACKAGE:-}" ] || ! compgen -G '/boot/vmlinuz-*-cloud-amd64' >/dev/null; }; then
        lab_fetch_kernel "$new"
        root=$new
    fi
    image=$(compgen -G "$root/boot/vmlinuz-*" | sort -V | tail -1) || :
    [ -r "$image" ] || lab_fail "no readable boot/vmlinuz-* in ${root:-/}"
    lab_extract_vmlinux "$image" "$new/vmlinux"
    for module in virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-amd arch/x86/kvm/kvm-intel; do
        lab_copy_module "$root/lib/modules/${image##*/vmlinuz-}/kernel/$module" "$new/modules"
        # Optional (binutils). Without the list of places to patch for tracing, Bochs loads kvm.ko in 1 s instead of 4.
        strip -g -R .BTF -R __mcount_loc -R .rela__mcount_loc "$new/modules/${module##*/}.ko" 2>/dev/null || :
    done
    # For debian.sh: what the same kernel needs as a guest, and the tap on the other side.
    mkdir "$new/guest"
    for module in net/core/failover drivers/net/{net_failover,virtio_net,tun} \
        drivers/virtio/{virtio,virtio_ring,virtio_mmio} drivers/block/virtio_blk drivers/char/virtio_console \
        drivers/char/hw_random/virtio-rng; do
        lab_copy_module "$root/lib/modules/${image##*/vmlinuz-}/kernel/$module" "$new/guest"
    done
    cp "$image" "$new/vmlinuz"
    mv -T "$new/modules" "$lab_cache/modules"
    mv -T "$new/guest" "$lab_cache/guest"
    mv "$new/vmlinux" "$new/vmlinuz" "$lab_cache/"
    rm -rf "$new"
}

lab_prepare_base() { # once and when the recipe changes: base.cpio in the cache
    local root=$lab_cache/root applet
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,tmp,lib/kvm}
    cp "$(command -v busybox)" "$root/bin/"
    for applet in sh cat ls env grep mkdir mount insmod stty dmesg sleep time timeout poweroff; do
        ln -s busybox "$root/bin/$applet"
    done
    cp "$lab_cache"/modules/*.ko "$root/lib/kvm/"
    install -m 755 "$lab_home/init" "$root/init"
    (cd "$root" && find . | lab_pack) >"$lab_cache/base.cpio.new"
    mv "$lab_cache/base.cpio.new" "$lab_cache/base.cpio"
    rm -rf "$root"
}

lab_pack() { # names on standard input -> archive on standard output; the same whoever makes it
    cpio -o -H newc --quiet -R 0:0 --reproducible
}

lab_prepare() { # fills the cache; a lock, because labs may start side by side
    mkdir -p "$lab_cache"
    (
        flock 9
        [ -s "$lab_cache/vmlinuz" ] && [ -d "$lab_cache/guest" ] ||
            { rm -rf "$lab_cache/modules" "$lab_cache/guest"; lab_prepare_kernel; }
        [ "$lab_cache/base.cpio" -nt "$lab_home/init" ] && [ "$lab_cache/base.cpio" -nt "$lab_home/common.sh" ] ||
            lab_prepare_base
    ) 9>"$lab_cache/lock"
}

lab_begin() { # ARGUMENT...: after it, $work holds initrd and empty console, output and log
    lab_options "$@"
    lab_need_packages
    lab_prepare
    work=$(mktemp -d)
    trap 'rm -rf "$work" ${socket:+"$socket"}' EXIT
    trap 'lab_stop 129' HUP
    trap 'lab_stop 130' INT
    trap 'lab_stop 143' TERM
    lab_command >"$work/.lab-command"
    {
        cat "$lab_cache/base.cpio"
        (cd "$directory" && find . -mindepth 1 | lab_pack)
        (cd "$work" && echo .lab-command | lab_pack)
    } >"$work/initrd"
    touch "$work/console" "$work/output" "$work/log"
}

lab_command() { # the line that the VM's shell is given
    [ -z "$socket" ] || printf 'echo lab-ready >/dev/console; '
    printf 'exec'
    printf ' %q' "${command[@]}"
    [ -z "$socket" ] || printf ' </dev/ttyS1 2>/dev/console'
    echo
}

# PROGRAM ARGUMENT...: runs it under the time limit, in the background, so that a signal reaches us. A lab whose VM
# writes to $work/output instead of standard output sets `reader` to the process that passes it on and then ends.
lab_start() {
    timeout -k 5 "$limit" "$@" </dev/null &
    child=$!
}

lab_stop() { # STATUS: on a signal, end the VM too
    trap '' HUP INT TERM
    [ -z "$child" ] || { kill "$child" 2>/dev/null && wait "$child"; } || :
    [ -z "$reader" ] || kill "$reader" 2>/dev/null || :
    exit "$1"
}

lab_offer_socket() { # when the VM's serial line is raw: who connects before would be answered by its echo
    until grep -q lab-ready "$work/console"; do
        kill -0 "$child" 2>/dev/null || return 0
        sleep 0.05
    done
    mv "$work/socket" "$socket"
}

lab_show_errors() { # of a command behind a socket: what is on the console between its start and its end
    tr -d '\r' <"$work/console" |
        sed -n '/^lab-ready$/,$ { /^lab-ready$/d; /lab-exit [0-9]\{1,3\}$/ { s///; /./p; q; }; p; }' >&2
    [ -z "$reader" ] || kill "$reader" 2>/dev/null || :
}

lab_end() { # waits for the VM; exits with the command's status, 124 or 125
    local status=0 reported
    [ -z "$socket" ] || lab_offer_socket
    wait "$child" || status=$?
    child=''
    [ -z "$socket" ] || lab_show_errors
    [ -z "$reader" ] || wait "$reader" || :
    reader=''
    [ -z "$verbose" ] || cat "$work/console" >&2
    case $status in
        124 | 137) echo "swiftlet-lab: $lab: the time limit of $limit s is over (-t)" >&2; exit 124 ;;
    esac
    reported=$(tr -d '\r' <"$work/console" | sed -n 's/^.*lab-exit \([0-9]\{1,3\}\)$/\1/p' | tail -1)
    if [ -z "$reported" ]; then
        tail -qn 20 "$work/console" "$work/log" >&2
        lab_fail "$lab: the VM ended without reporting a status; the end of its console is above"
    fi
    exit "$reported"
}
