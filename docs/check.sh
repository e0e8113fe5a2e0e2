#!/bin/sh
# check.sh -- the house rules that a formatter cannot check: `make lint`.
#
# The book shows the sources as they are (book.py). Every source is named once in docs/chapters and opens with a
# comment; no file is over 400 lines; what `swiftlet run` executes stays under 5,000 lines of code (blank and comment
# lines not counted). Observe, Backing, Deprivileged, Devices, Snapshot and their shims do not count: watching a run,
# memory of other kinds than an ordinary start's and what is said of it, ring-0 images in ring 3, disks and networks,
# saving and restoring.

cd "$(dirname "$0")/.." || exit 1
status=0
complain() {
    echo "docs/check.sh: $1" >&2
    status=1
}

sources=$(find CShims Sources -name '*.swift' -o -name '*.h' | sort)
for file in $sources; do
    named=$(grep -cx "$file" docs/chapters)
    [ "$named" = 1 ] || complain "$file is named $named times in docs/chapters"
    case $(head -c 2 "$file") in
        //|/\*) ;;
        *) complain "$file does not open with what it is and why" ;;
    esac
done
for file in $(grep -E '^(Sources|CShims)/' docs/chapters); do
    [ -f "$file" ] || complain "docs/chapters names $file, which is not there"
done
for file in $(git ls-files '*.swift' '*.h' '*.c' '*.S' '*.sh'); do
    [ ! -f "$file" ] || [ "$(wc -l <"$file")" -le 400 ] || complain "$file is over 400 lines"
done
docs/book.py check || status=1
# In the core's folders, but no run of a guest executes it: tests, `doctor`, `bench`, `inspect`, `serve`, `clone`, `host`, shells,
# runs that are watched, restored or saved, and guests with devices or several vCPUs do.
beside='/(cbacking|CSeccomp/shim|cdeprivileged|chalted|cclone|cdevices|cdevices_uring|chost_service|csnapshot|swiftlet_devices|ckvm_dirty|ckvm_events|chost_terminal|csnapshot_look|swiftlet_vcpus|ckvm_debug|AppendedFile|Block|CCapstone/shim|ChildProcess|Cloning|Completions|DeviceCalls|DeviceNotes|DevicePoll|DirtyLog|DirtyRing|Doorbells|ELFSurvey|EventSet|FlatCode|Fork|GivenFiles|GuestDebug|GuestDevices|HostMapping|HostSignals|Interception|Interrupts|InventedExits|KeptThread|KernelStatistics|LastFlush|LoopbackSocket|MemoryMap|Net|PageCache|Paths|ProcessFigures|Processors/[A-Z][A-Za-z]*|PseudoTerminal|RestoredSymbols|RingInterrupts|RingSetup|RunOptions.Debugger|RunOptions.Devices|SandboxSupport|Spawn|StartVCPU|StatisticsReport|StatisticsTarget|TerminalLine|ThreadPlace|StreamSocket|VendorSupport|WriteLog)\b'
# Nor does a run execute what explains a machine to people (walks of page tables, debuggers' questions, a crash's core), and
# a Swiftlet guest what kernels find of other vendors' hypervisors.
looking='/(X86/Walk|VMM/Looking|VMM/Identity)/'
# Of Swiftlet's own guests none executes what Solo5's unikernels need.
hvt='/(CPUIDBits|HostProtection|SynchronisedRegisters|WaitSet|Solo5[A-Z][a-z]*|Hvt|Hvt[A-Z][A-Za-z]*)\b'
# Nor what kernels that boot by themselves need, and what tells their files apart.
kernels='/(ckvm_kernels|Devices/[A-Z][A-Za-z]*|ACPITables|AML|BootError|BootMethod|FlatImage|Image|InterruptLines|Kernel[A-Z][a-z]*|LinuxBoot|LongMode|Multiboot|PortItems|PVH|RunOptions.Kernels)\.(swift|h)$'
core=$(cat $(find CShims -name '*.h' | grep -vE "$beside" | grep -vE "$kernels") $(find Sources/KVM Sources/GuestMemory Sources/X86 \
    Sources/Boot Sources/Host Sources/Sandbox Sources/VMM Sources/swiftlet -name '*.swift' | grep -vE "$beside|$looking" | grep -vE "$hvt" | grep -vE "$kernels") |
    grep -cvE '^ *($|//|/?\*)')
echo "docs/check.sh: the core has $core lines of code"
[ "$core" -le 5000 ] || complain "that is more than 5000"
exit $status
