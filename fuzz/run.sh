#!/bin/sh
# run.sh [SECONDS] -- builds the fuzzers, proves them on planted bugs, then runs each for SECONDS (default 30).
#
# Fails when a planted bug is not found, when a fuzzer finds one, or when the code under test was covered less than the
# floors below. Inputs worth keeping stay in fuzz/corpus, so that every run starts where the last one ended.

seconds=${1:-30}
cd "$(dirname "$0")/.." || exit 1
scratch=fuzz/.build
export SWIFT_BACKTRACE=enable=no # the backtracer and libFuzzer wait for each other

# Per cent of regions (llvm-cov's: branches, roughly) that a run of 30 seconds covers at least, also from an empty corpus.
# What is never covered are failures of the host, and what only a real vCPU does.
elf_floor=86
elf_files="Sources/Boot/ELFImage.swift Sources/Boot/ELFProgramHeaders.swift Sources/Boot/ELFNotes.swift
    Sources/Boot/ELFRelocation.swift Sources/Boot/ELFSymbols.swift Sources/Boot/ELFSurvey.swift Sources/Boot/Layout.swift
    Sources/Boot/RingThree.swift Sources/Boot/BootInfo.swift Sources/Boot/DeviceNotes.swift"
# But what fills a manifest in: fuzz-unikernels has it.
solo5_floor=76
solo5_files="Sources/Boot/HvtGuest.swift Sources/Boot/Solo5Manifest.swift"
multiboot_floor=78
multiboot_files="Sources/Boot/Multiboot.swift Sources/Boot/KernelImage.swift Sources/Boot/KernelPlan.swift
    Sources/Boot/KernelMemory.swift"
pvh_floor=88
pvh_files="Sources/Boot/PVH.swift"
linux_floor=92
linux_files="Sources/Boot/LinuxBoot.swift Sources/Boot/LongMode.swift"
flat_floor=78
flat_files="Sources/Boot/FlatImage.swift"
# What the parser has; the rest of the module needs a KVM.
snapshot_floor=78
snapshot_files="Sources/Snapshot/Snapshot.swift Sources/Snapshot/SectionReader.swift Sources/Snapshot/Extents.swift
    Sources/Snapshot/Parent.swift Sources/Snapshot/Bytes.swift"
calls_floor=83
requests_floor=85
requests_files="Sources/Service/RequestReader.swift Sources/Service/CallProtocol.swift"
ports_floor=90
ports_files="Sources/VMM/Devices/KernelPorts.swift Sources/VMM/Devices/SerialPort.swift
    Sources/VMM/Devices/KeyboardController.swift Sources/VMM/Devices/RealTimeClock.swift
    Sources/VMM/Devices/FirmwareConfiguration.swift"
identities_floor=90
identities_files="Sources/VMM/Identity/HyperV.swift Sources/VMM/Identity/HyperVCalls.swift
    Sources/VMM/Identity/VMwareBackdoor.swift"
xen_floor=90
xen_files="Sources/VMM/Identity/Xen.swift Sources/VMM/Identity/XenCalls.swift Sources/VMM/Identity/XenServices.swift
    Sources/VMM/Identity/XenChannels.swift"
host_floor=90
host_files="Sources/Catalogue/TOMLReader.swift Sources/Catalogue/TOMLReader+Values.swift Sources/Hosting/ControlRequest.swift
    Sources/Hosting/PlainText.swift Sources/Hosting/Keys.swift"
# A fuzzer has no network: waiting receives are RingsTests' to prove. DiskWork.swift is fuzzed too, but not counted: a host
# without io_uring reaches half of it.
rings_floor=58
rings_files="Sources/Rings/RingQueue.swift Sources/Rings/RingWork.swift Sources/Rings/RingCrank.swift"
gdb_floor=83
gdb_files="Sources/Debugger/Packet.swift Sources/Debugger/Session.swift Sources/Debugger/Queries.swift
    Sources/Debugger/RegisterFile.swift Sources/Debugger/RegisterTable.swift"
# But NetFrames.swift.
virtio_floor=84
virtio_files="Sources/Virtio/VirtioDevice.swift Sources/Virtio/QueueService.swift Sources/Virtio/SplitQueue.swift
    Sources/Virtio/Chain.swift Sources/Virtio/VirtioBackend.swift Sources/Virtio/BlockRequests.swift
    Sources/Virtio/ConsoleBytes.swift"
# But Net.swift and StartVCPU.swift: a fuzzer has no network and one vCPU.
calls_files="$(ls Sources/VMM/Paravirt/*.swift | grep -v -e /Net.swift -e /StartVCPU.swift) Sources/VMM/PortBus.swift Sources/VMM/VCPUContext.swift"
traps_floor=87
traps_files="Sources/Deprivileged/Decoder.swift Sources/Deprivileged/ModRM.swift Sources/Deprivileged/Emulator.swift
    Sources/Deprivileged/SystemState.swift Sources/Deprivileged/Segments.swift Sources/Deprivileged/Delivery.swift
    Sources/Deprivileged/GuestAccess.swift Sources/Deprivileged/Trap.swift Sources/Deprivileged/RunAhead.swift"
unikernels_floor=78
unikernels_files="Sources/Boot/Solo5Manifest.swift Sources/VMM/Hvt/HvtBlock.swift Sources/VMM/Hvt/HvtCalls.swift
    Sources/VMM/Hvt/HvtNet.swift Sources/VMM/Hvt/HvtPoll.swift Sources/VMM/Hvt/HvtRing.swift Sources/VMM/Hvt/Hvt.swift"
firewall_floor=92
firewall_files="guests/firewall/filter.c guests/firewall/packet.c guests/firewall/rules.c guests/firewall/track.c
    guests/firewall/words.c"

fail() {
    echo "fuzz: $1" >&2
    exit 1
}

# Compiled for libFuzzer, but linked with its archive without a main: -sanitize=fuzzer would put one into the filter compiler,
# too, which has its own and runs during the build (and leaves its memory to the end of the process).
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
ASAN_OPTIONS=detect_leaks=0 swift build --package-path fuzz --scratch-path $scratch -c release -Xswiftc -use-ld=lld \
    -Xlinker "$resources/clang/lib/linux/libclang_rt.fuzzer_no_main-x86_64.a" -Xlinker -lstdc++ \
    -Xswiftc -Xfrontend -Xswiftc -sanitize=fuzzer,address -Xswiftc -sanitize=address \
    -Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping || fail "the build failed"
programs=$scratch/release
tools=${resources%/lib/swift}/bin

# The firewall's rules and frames are C, as its guest is.
# shellcheck disable=SC2086 # a list of files
$tools/clang -std=gnu11 -g -O1 -Wall -Wextra -Werror -fuse-ld=lld -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -fprofile-instr-generate -fcoverage-mapping -I guests/common -I guests/firewall \
    -o $programs/fuzz-firewall fuzz/firewall/main.c $firewall_files || fail "the firewall's fuzzer does not build"

# run PROGRAM NAME OPTIONS...: one fuzzer on its corpus; its output goes to a file.
run() {
    program=$1 name=$2
    shift 2
    mkdir -p fuzz/corpus/$name && : >$scratch/$name.started
    $programs/$program --seeds fuzz/corpus/$name || fail "no seeds"
    LLVM_PROFILE_FILE=$scratch/$name.profraw timeout -k 10 $((seconds + 120)) $programs/$program -timeout=10 \
        -artifact_prefix=$scratch/found-$name- -print_final_stats=1 "$@" fuzz/corpus/$name >$scratch/$name.log 2>&1
}

for bug in trap heap; do
    rm -rf fuzz/corpus/planted-$bug
    PLANTED=$bug run fuzz-planted planted-$bug -seed=1 -max_len=64 -max_total_time=60 &&
        fail "the planted bug '$bug' was not found in a minute: the fuzzers see nothing"
    grep -q '^SUMMARY' $scratch/planted-$bug.log || fail "the planted bug '$bug' ended otherwise: $scratch/planted-$bug.log"
    echo "fuzz: planted bug '$bug' found after $(awk '/number_of_executed_units/ { print $2 }' \
        $scratch/planted-$bug.log) inputs"
done

# fuzz NAME FLOOR FILES OPTIONS...
fuzz() {
    name=$1 floor=$2 files=$3
    shift 3
    if ! run fuzz-$name $name -max_total_time=$seconds "$@"; then
        tail -n 40 $scratch/$name.log >&2
        grep -o 'Fatal error.*\|runtime failure.*\|Sources/[^ ]*\.swift:[0-9]*' $scratch/$name.log | head -n 8 >&2
        find $scratch -name "found-$name-*" -newer $scratch/$name.started -size -8k -exec base64 -w 0 {} \; >&2
        fail "fuzz-$name found something: fuzz/.build/release/fuzz-$name $(ls -t $scratch/found-$name-* | head -n 1)"
    fi
    $tools/llvm-profdata merge -o $scratch/$name.profdata $scratch/$name.profraw || fail "no profile"
    # shellcheck disable=SC2086 # a list of files
    $tools/llvm-cov report $programs/fuzz-$name -instr-profile $scratch/$name.profdata $files >$scratch/$name.cover
    covered=$(awk '$1 == "TOTAL" { print $4 + 0 }' $scratch/$name.cover)
    echo "fuzz: $name: $(awk '/number_of_executed_units/ { print $2 }' $scratch/$name.log) inputs, nothing found;" \
        "$covered % of regions covered (floor $floor)"
    awk "BEGIN { exit !($covered >= $floor) }" || fail "that is below the floor: $scratch/$name.cover"
}

# seed FORMAT GUEST...: guests as they are built, where they were: real images among the small ones.
seed() {
    mkdir -p fuzz/corpus/$1
    for guest; do [ ! -f guests/build/$guest ] || cp guests/build/$guest fuzz/corpus/$1/; done
}

seed elf hello.elf hello-pie.elf
seed solo5 hvt-hello.elf
seed multiboot multiboot-hello.elf
seed pvh pvh-hello.elf
seed flat boot-sector.bin
fuzz elf $elf_floor "$elf_files" -max_len=16384
fuzz solo5 $solo5_floor "$solo5_files" -max_len=16384
fuzz multiboot $multiboot_floor "$multiboot_files" -max_len=16384
fuzz pvh $pvh_floor "$pvh_files" -max_len=16384
fuzz linux $linux_floor "$linux_files" -max_len=4096
fuzz flat $flat_floor "$flat_files" -max_len=1024
fuzz snapshot $snapshot_floor "$snapshot_files" -max_len=256
fuzz calls $calls_floor "$calls_files" -max_len=1024 -close_fd_mask=2
fuzz traps $traps_floor "$traps_files" -max_len=2048
fuzz requests $requests_floor "$requests_files" -max_len=1024
fuzz host $host_floor "$host_files" -max_len=512
fuzz ports $ports_floor "$ports_files" -max_len=1024
fuzz identities $identities_floor "$identities_files" -max_len=1024
fuzz xen $xen_floor "$xen_files" -max_len=2048
fuzz gdb $gdb_floor "$gdb_files" -max_len=1024
fuzz rings $rings_floor "$rings_files" -max_len=1024
fuzz virtio $virtio_floor "$virtio_files" -max_len=1024
fuzz unikernels $unikernels_floor "$unikernels_files" -max_len=2048 -close_fd_mask=2
fuzz firewall $firewall_floor "$firewall_files" -max_len=2048
