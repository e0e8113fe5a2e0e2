# debian-parts.sh -- what starts Debian's cloud kernel as a guest of Swiftlet in the SVM lab; sourced by debian.sh, identities.sh and debuggers.sh.
#
# The kernel is the labs' own, as its package has it, with a busybox for its user land. debian_begin makes $folder, whose vm/
# goes into the lab with swiftlet and the kernel in it, and says in $cache where the labs keep what they fetched; debian_root
# and debian_pack make the guest's initial RAM file system. Read next: svm.sh.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "$0: $1" >&2
    exit 125
}

debian_begin() {
    [ -x bin/swiftlet ] || fail "bin/swiftlet is missing: make build"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir "$folder/vm"
    lab/svm.sh "$folder" /bin/cat >/dev/null # a no-op of the lab fills its cache
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/swiftlet-lab
    cp bin/swiftlet "$cache/vmlinuz" "$folder/vm/"
    strip "$folder/vm/swiftlet" 2>/dev/null || :
}

debian_root() { # FOLDER INIT: busybox, and INIT as process 1
    local applet
    mkdir -p "$1"/{bin,dev,proc,sys}
    cp "$(command -v busybox)" "$1/bin/"
    for applet in sh cat dmesg grep insmod ip mount umount mkdir sync wget poweroff setsid; do ln -s busybox "$1/bin/$applet"; done
    install -m 755 "$2" "$1/init"
}

debian_pack() { # FOLDER: an initial RAM file system of it on standard output
    (cd "$1" && find . | cpio -o -H newc --quiet -R 0:0)
}
