#!/bin/bash
# build.sh -- the appliance: one file that starts from a CD and from a disk, by BIOS and by UEFI, and shows the chooser.
#
#   build.sh [-k FOLDER] OUTPUT.iso     -k: another kernel of Debian's, unpacked, such as linux-image-amd64 for bare servers; without
#                                       it linux-image-cloud-amd64 is downloaded
#   build.sh -n                         names the Debian packages that are missing, and ends
#
# From Debian's cloud kernel, bin/ and guests/build as `make build` left them, init.c and catalogue/. No root, no loop mounts. The
# same inputs give the same bytes: archives have sorted names and one date, file systems fixed identities. The dates are
# SOURCE_DATE_EPOCH's (reproducible-builds.org/specs/source-date-epoch), 2026-01-01 without it. Read next: init.c, grub.cfg.

set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600} LC_ALL=C TZ=UTC MTOOLS_SKIP_CHECK=1
lab=appliance
# shellcheck source=../lab/common.sh
. "$home/../lab/common.sh"

fail() {
    echo "appliance: $1" >&2
    exit 125
}

kernel=''
while getopts k:n option; do
    case $option in
        k) kernel=$OPTARG ;;
        n) lab_missing_packages; exit 0 ;;
        *) sed -n 's/^#  *build.sh/usage: build.sh/p' "$0" >&2; exit 125 ;;
    esac
done
shift $((OPTIND - 1))
output=${1:?OUTPUT.iso}
missing=$(lab_missing_packages)
[ -z "$missing" ] || fail "Debian packages are missing: apt-get install$missing"
[ -x "$home/../bin/swiftlet-host" ] || fail "no bin/swiftlet-host: make build"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What a server's disks and networks, and /dev/kvm, may need; what the kernel has built in or has not at all is left out.
modules='kvm kvm-amd ccp kvm-intel irqbypass tun bridge stp llc failover net_failover virtio_net virtio virtio_ring virtio_pci
    virtio_pci_legacy_dev virtio_pci_modern_dev virtio_blk virtio_scsi scsi_mod scsi_common sd_mod sr_mod cdrom libata libahci ahci
    ata_piix ata_generic nvme nvme-core t10-pi crc64 crc64-rocksoft crc-t10dif crct10dif_common usb-common usbcore usb-storage uas
    xhci-hcd xhci-pci ehci-hcd ehci-pci isofs ext4 jbd2 mbcache crc16 crc32c_generic libcrc32c fat vfat nls_cp437 nls_ascii
    nls_iso8859-1 efi-pstore'
# Network cards of bare servers, as Debian's other kernel has them.
modules+=' e1000 e1000e igb dca i2c-algo-bit igc ixgbe xfrm_algo i40e r8169 realtek tg3 libphy mdio mdio_devres'

# What the Linux guest needs of the same kernel: virtio's network.
guest_modules='virtio virtio_ring virtio_mmio failover net_failover virtio_net'

pack() { # FOLDER: its archive, the same whenever and by whomever it is made
    find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    (cd "$1" && find . -mindepth 1 | sort | lab_pack)
}

compiled() { # SOURCE PROGRAM
    gcc -std=gnu11 -Wall -Wextra -Werror -Os -static -s -Wl,--build-id=none -o "$2" "$1"
}

stage_modules() { # FOLDER MODULE...
    local folder=$1 module
    shift
    for module; do
        find "$kernel/lib/modules" -name "$module.ko" -exec cp {} "$folder/" \;
    done
    strip -g "$folder"/*.ko
}

stage_programs() { # FOLDER: the user land
    local program
    mkdir -p "$1"/{bin,modules,dev,proc,sys,run,tmp}
    for program in swiftlet swiftlet-host swiftlet-doctor; do
        strip -o "$1/bin/$program" "$home/../bin/$program"
    done
    compiled "$home/init.c" "$1/init"
    # shellcheck disable=SC2086
    stage_modules "$1/modules" $modules
    find "$1" -type f -exec chmod 755 {} +
}

stage_catalogue() { # FOLDER: the machines that come with it
    mkdir -p "$1" "$work/linux/"{dev,proc,modules}
    cp "$home"/catalogue/* "$1/"
    cp "$home/../guests/build/"{hello,echo,firewall,netecho}.elf "$1/"
    cp "$kernel"/boot/vmlinuz-* "$1/vmlinuz"
    compiled "$home/linux-init.c" "$work/linux/init"
    # shellcheck disable=SC2086
    stage_modules "$work/linux/modules" $guest_modules
    pack "$work/linux" >"$1/linux-initrd"
}

stage_boot() { # FOLDER: kernel, initial RAM disk, and what both firmwares start
    local common='iso9660 linux boot search search_fs_file serial terminal normal configfile echo'
    mkdir -p "$1/swiftlet"
    cp "$kernel"/boot/vmlinuz-* "$1/swiftlet/vmlinuz"
    pack "$work/root" | zstd -q -12 -T1 >"$1/swiftlet/initrd"
    cp "$home/grub.cfg" "$1/swiftlet/"
    printf 'search --no-floppy --set=root --file /swiftlet/vmlinuz\nset prefix=($root)/swiftlet\n' >"$work/find.cfg"
    # shellcheck disable=SC2086
    grub-mkimage -O i386-pc-eltorito -c "$work/find.cfg" -p /swiftlet -o "$1/swiftlet/bios.img" biosdisk $common
    # shellcheck disable=SC2086
    grub-mkimage -O x86_64-efi -c "$work/find.cfg" -p /swiftlet -o "$work/BOOTX64.EFI" part_msdos part_gpt efi_gop $common
    touch -d "@$SOURCE_DATE_EPOCH" "$work/BOOTX64.EFI"
    mkfs.vfat -C --invariant -i 53574654 -n EFI "$work/efi.img" 4096 >/dev/null
    mmd -i "$work/efi.img" ::/EFI ::/EFI/BOOT
    mcopy -m -i "$work/efi.img" "$work/BOOTX64.EFI" ::/EFI/BOOT/
    find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

write_image() { # FOLDER
    local date
    date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
    xorriso -report_about WARNING -as mkisofs -o "$output.new" -V SWIFTLET_OS -r -J --modification-date="$date" \
        -b swiftlet/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info \
        --grub2-mbr /usr/lib/grub/i386-pc/boot_hybrid.img -partition_offset 16 \
        --set_all_file_dates "$date" --gpt_disk_guid 53574946544c455400000000000000aa \
        -append_partition 2 0xef "$work/efi.img" -appended_part_as_gpt \
        -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot "$1"
    mv "$output.new" "$output"
}

if [ -z "$kernel" ]; then
    kernel=$lab_cache/package
    [ -d "$kernel/boot" ] || { mkdir -p "$kernel" && lab_fetch_kernel "$kernel" && rm -f "$kernel"/*.deb; }
fi
stage_programs "$work/root"
stage_catalogue "$work/root/catalogue"
stage_boot "$work/image"
write_image "$work/image"
size=$(stat -c %s "$output")
[ "$size" -lt $((64 << 20)) ] || fail "$output has $size bytes: 64 MiB are the limit"
echo "$output: $((size >> 20)) MiB, sha256 $(sha256sum "$output" | cut -c1-16)..."
