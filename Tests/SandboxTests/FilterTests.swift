// The three filters, as they are loaded: what is forbidden ends the process with SIGSYS, what is not returns.
//
// Each call is made in a forked process that has entered the filter first. Read next: GivenFileTests.swift.

import CForbidden
import Glibc
import Testing

@testable import Sandbox

private enum Fate: Equatable { case returned, killed, noFilter, other(Int32) }

/// A call under a filter.
private func fate(
    _ name: String, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, in filter: WhichFilter = .run,
    way: Int = CFORBIDDEN_NATIVE
) -> Fate {
    let number = cforbidden_number(name)
    return fate(number: number, a, b, c, d, in: filter, way: way)
}

private func fate(
    number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, in filter: WhichFilter, way: Int
) -> Fate {
    precondition(number >= 0)
    let status = filter.program.withUnsafeBufferPointer {
        cforbidden_try($0.baseAddress, UInt16($0.count), Int32(way), number, a, b, c, d)
    }
    switch status {
    case 0: return .returned
    case _ where status & 0x7f == SIGSYS: return .killed
    case 100 << 8: return .noFilter
    default: return .other(status)
    }
}

private enum WhichFilter: CaseIterable {
    case run, devices, files

    /// As it is loaded.
    private func words<let count: Int>(_ filter: [count of UInt64]) -> [UInt64] {
        var filter = filter
        Sandbox.setProcess(in: &filter)
        return filter.indices.map { filter[$0] }
    }

    var program: [UInt64] {
        switch self {
        case .run: words(Filter.run)
        case .devices: words(Filter.devices)
        case .files: words(Filter.files)
        }
    }
}

private let hasFilters = fate("getpid") != .noFilter

@Suite(.enabled(if: hasFilters, "this kernel has no seccomp filters")) struct FilterTests {
    /// By number, what an ordinary run may call whatever the arguments, written down once more: a call that slips into
    /// rules.h must be put here as well.
    private let plain: Set<Int> = [
        0, 1, 3, 5, 11, 12, 13, 14, 15, 17, 25, 39, 60, 99, 186, 202, 219, 222, 223, 226, 228, 231, 271, 273, 318,
        334,
    ]
    private let withArguments: Set<Int> = [9, 10, 16, 28, 56, 234]
    private let inDevices: Set<Int> = [18, 75, 285, 327, 451]
    /// fcntl, sched_setaffinity, sched_getaffinity, eventfd2, io_uring_enter.
    private let inDevicesWithArguments: Set<Int> = [72, 203, 204, 290, 426]
    private let inFiles: Set<Int> = [74, 77, 79, 82, 86, 87, 89, 98, 138, 257, 267]
    /// dup2, newfstatat.
    private let inFilesWithArguments: Set<Int> = [33, 262]
    /// Ends the thread, waits, or returns from a signal that was not.
    private let deadly: Set<Int> = [15, 60, 231, 271]
    /// clone3, which is told to be missing; uretprobe and uprobe, which the kernel takes past every filter (it makes these
    /// calls itself, and ends a process that makes one).
    private let special: Set<Int> = [435, 335, 336]

    @Test func whatIsNotListedDies() {
        for number in Set(0..<470).subtracting(plain).subtracting(withArguments).subtracting(special) {
            #expect(fate(number: number, in: .run, way: CFORBIDDEN_NATIVE) == .killed, "call \(number)")
            if inDevices.union(inDevicesWithArguments).contains(number) { continue }
            #expect(fate(number: number, in: .devices, way: CFORBIDDEN_NATIVE) == .killed, "call \(number)")
            if inFiles.union(inFilesWithArguments).contains(number) { continue }
            #expect(fate(number: number, in: .files, way: CFORBIDDEN_NATIVE) == .killed, "call \(number)")
        }
    }

    @Test func whatIsListedReturns() {
        for number in plain.subtracting(deadly) {
            // The heap's end stays where it is, and a read is of no descriptor.
            #expect(fate(number: number, -1, in: .run, way: CFORBIDDEN_NATIVE) == .returned, "call \(number)")
        }
        for number in inDevices {
            #expect(fate(number: number, -1, in: .devices, way: CFORBIDDEN_NATIVE) == .returned, "call \(number)")
        }
        for number in inDevices.union(inFiles) {
            #expect(fate(number: number, -1, in: .files, way: CFORBIDDEN_NATIVE) == .returned, "call \(number)")
        }
    }

    /// A kernel that knows less is no reason to run without; nor is a thread that the filter does not reach.
    @Test func theFilterIsLoadedOrItIsAnError() {
        #expect(fate("getpid", way: CFORBIDDEN_OLD_KERNEL) == .returned)
        #expect(fate("socket", way: CFORBIDDEN_OLD_KERNEL) == .killed)
        #expect(fate("getpid", way: CFORBIDDEN_OTHER_THREAD) == .noFilter)
    }

    @Test(arguments: [
        "execve", "execveat", "fork", "vfork", "socket", "connect", "open", "openat2", "ptrace", "process_vm_writev",
        "kill", "setuid", "unshare", "mount", "bpf", "io_uring_setup", "prctl", "seccomp", "memfd_create",
        "userfaultfd", "pkey_mprotect", "dup", "io_uring_register",
    ])
    func wordsForWhatDies(call: String) {
        for filter in WhichFilter.allCases { #expect(fate(call, in: filter) == .killed) }
    }

    @Test(arguments: ["openat", "unlink", "rename"])
    func neitherAnOrdinaryRunNorDevicesHaveFiles(call: String) {
        #expect(fate(call, -1, in: .run) == .killed)
        #expect(fate(call, -1, in: .devices) == .killed)
        #expect(fate(call, -1, in: .files) == .returned)
    }

    @Test func noExecutableMemory() {
        let (read, write, execute) = (Int(PROT_READ), Int(PROT_WRITE), Int(PROT_EXEC))
        for filter in WhichFilter.allCases {
            #expect(fate("mmap", 0, 4096, read | execute, 0x22, in: filter) == .killed)
            #expect(fate("mmap", 0, 4096, read | write, 0x22, in: filter) == .returned)
            #expect(fate("mprotect", 0, 4096, read | write | execute, in: filter) == .killed)
            #expect(fate("mprotect", 0, 4096, read | write, in: filter) == .returned)
        }
    }

    /// glibc's pthread_create asks for clone3 first; that it has to be told is missing, for its flags cannot be seen.
    @Test func threadsAndNoProcesses() {
        #expect(fate("clone", Int(SIGCHLD)) == .killed)
        #expect(fate("clone", 0x3d0f00 | 0x1000_0000) == .killed)  // CLONE_NEWUSER
        #expect(fate("clone3") == .returned)
    }

    /// Ours is that of the tests here, whose child makes the call.
    @Test(arguments: WhichFilter.allCases)
    fileprivate func signalsAreForOurOwnThreads(filter: WhichFilter) {
        let own = Int(getpid())
        #expect(fate("tgkill", own, 0, 0, in: filter) == .returned)
        #expect(fate("tgkill", 1 << 32 | own, 0, 0, in: filter) == .returned, "the kernel takes the low half")
        for process in [1, 0, -1, own + 1, 0x7fff_ffff] {
            #expect(fate("tgkill", process, 0, 0, in: filter) == .killed)
        }
    }

    /// For a guest that gets its input back: nothing else is copied.
    @Test func onlyStandardInputIsCopied() {
        for filter in [WhichFilter.run, .devices] { #expect(fate("dup2", 0, 9, in: filter) == .killed) }
        #expect(fate("dup2", 0, 9, in: .files) == .returned)
        for other in [1, 2, 3, -1] { #expect(fate("dup2", other, 9, in: .files) == .killed) }
    }

    /// With AT_EMPTY_PATH too newfstatat asks of any path: an empty one is only allowed.
    @Test func onlyFilesAreAskedForByPath() {
        for filter in [WhichFilter.run, .devices] {
            #expect(fate("newfstatat", -1, 0, 0, 0x1000, in: filter) == .killed)
        }
        #expect(fate("newfstatat", -1, 0, 0, 0x1000, in: .files) == .returned)
        #expect(fate("newfstatat", -1, 0, 0, 0, in: .files) == .killed)
    }

    /// Advice to give memory back, not to take it from the host: MADV_HWPOISON, MADV_SOFT_OFFLINE.
    @Test func adviceIsListed() {
        for filter in WhichFilter.allCases {
            #expect(fate("madvise", 0, 0, Int(MADV_DONTNEED), in: filter) == .returned)
            // Guards of threads' stacks: glibc 2.42 makes them so.
            for advice in [102, 103] { #expect(fate("madvise", -1, 0, advice, in: filter) == .returned) }
            for advice in [100, 101] { #expect(fate("madvise", 0, 0, advice, in: filter) == .killed) }
        }
        #expect(fate("madvise", 0, 0, Int(MADV_NOHUGEPAGE), in: .devices) == .killed)
        #expect(fate("madvise", 0, 0, Int(MADV_NOHUGEPAGE), in: .files) == .returned)
    }

    @Test func fcntlAsksAndUnlocksAndDoesNotSet() {
        #expect(fate("fcntl", -1, Int(F_GETFD), in: .files) == .returned)
        #expect(fate("fcntl", -1, Int(F_GETFD), in: .devices) == .killed)
        for filter in [WhichFilter.devices, .files] {
            #expect(fate("fcntl", -1, 37, in: filter) == .returned)  // F_OFD_SETLK
            #expect(fate("fcntl", -1, Int(F_SETFL), in: filter) == .killed)
            #expect(fate("fcntl", -1, 8, in: filter) == .killed)  // F_SETOWN: signals for others
        }
    }

    /// A guest with devices makes rings when it likes; of other threads and other eventfds nothing is said.
    @Test func ringsAreMadeWhereDevicesAre() {
        let (flags, doorbell) = (Int(O_CLOEXEC | O_NONBLOCK), 0x4040_ae79)
        #expect(fate("eventfd2", 0, flags, in: .devices) == .returned)
        #expect(fate("eventfd2", 0, 0, in: .devices) == .killed)
        #expect(fate("sched_getaffinity", 0, in: .devices) == .returned)
        #expect(fate("sched_getaffinity", 1, in: .devices) == .killed)
        #expect(fate("sched_setaffinity", 0, in: .devices) == .returned)
        #expect(fate("sched_setaffinity", 1, in: .devices) == .killed)
        #expect(fate("ioctl", -1, doorbell, in: .devices) == .returned)
        #expect(fate("eventfd2", 0, flags) == .killed)
        #expect(fate("ioctl", -1, doorbell) == .killed)
    }

    /// Of the rings that are there already; with no flags but the one that waits.
    @Test func queuesAreUsedAndNotMade() {
        let enter = 426
        for (flags, end) in [(0, Fate.returned), (1, .returned), (2, .killed), (8, .killed), (3, .killed)] {
            #expect(fate(number: enter, -1, 0, 0, flags, in: .devices, way: CFORBIDDEN_NATIVE) == end, "\(flags)")
        }
        #expect(fate(number: enter, -1, in: .run, way: CFORBIDDEN_NATIVE) == .killed)
    }

    private let run = 0xae80
    private let makeVM = 0xae01
    private let addMemory = 0x4020_ae46
    private let injectKey = 0x5412  // TIOCSTI

    @Test func requestsAreListedToo() {
        #expect(fate("ioctl", -1, run) == .returned)
        for filter in [WhichFilter.run, .devices] { #expect(fate("ioctl", -1, makeVM, in: filter) == .killed) }
        #expect(fate("ioctl", -1, addMemory) == .killed)
        #expect(fate("ioctl", -1, injectKey) == .killed)
        #expect(fate("ioctl", -1, injectKey, in: .files) == .killed)
        for filter in [WhichFilter.devices, .files] { #expect(fate("ioctl", -1, addMemory, in: filter) == .returned) }
    }

    /// A kernel's interrupt lines, and whether it has halted: not an ordinary run's.
    @Test func kernelsMayRaiseInterrupts() {
        // KVM_IRQ_LINE, KVM_GET_MP_STATE, KVM_IRQFD, KVM_REGISTER_COALESCED_MMIO, KVM_UNREGISTER_COALESCED_MMIO
        for request in [0x4008_ae61, 0x8004_ae98, 0x4020_ae76, 0x4010_ae67, 0x4010_ae68] {
            #expect(fate("ioctl", -1, request) == .killed)
            #expect(fate("ioctl", -1, request, in: .devices) == .returned)
        }
    }

    @Test func debuggersMayStep() {
        let guestDebug = 0x4048_ae9b  // KVM_SET_GUEST_DEBUG
        #expect(fate("ioctl", -1, guestDebug) == .killed)
        #expect(fate("ioctl", -1, guestDebug, in: .devices) == .killed)
        #expect(fate("ioctl", -1, guestDebug, in: .files) == .returned)
    }

    /// The kernel takes the low half of a request: so must the filter.
    @Test func theUpperHalfOfARequestHidesNothing() {
        #expect(fate("ioctl", -1, 1 << 32 | injectKey) == .killed)
        #expect(fate("ioctl", -1, 1 << 32 | run) == .returned)
    }

    /// x32's numbers are the same with a bit set; i386's are others, and mean other calls.
    @Test func noOtherWayIn() {
        #expect(fate("getpid") == .returned)
        #expect(fate("getpid", way: CFORBIDDEN_X32) == .killed)
        #expect(fate("ioctl", -1, run, way: CFORBIDDEN_X32) == .killed)
        #expect(fate(number: 20, in: .run, way: CFORBIDDEN_I386) == .killed)  // i386's getpid
        #expect(fate(number: 54, in: .files, way: CFORBIDDEN_I386) == .killed)  // i386's ioctl
    }
}
