// Stops: only the first reason counts, and each has one exit status and one word.
//
// Read next: CrashReportTests.swift.

import Boot
import Glibc
import GuestMemory
import Host
import KVM
import Testing

@testable import VMM

@Suite struct StopControlTests {
    @Test func aLimitThatIsReachedCanBeRaised() {
        let words = "making a ring failed: Too many open files: raise the limit (ulimit -n)"
        #expect(failure("making a ring", EMFILE) == words)
        #expect(failure("making a ring", ENOMEM) == "making a ring failed: Cannot allocate memory")
    }

    @Test func firstReasonCounts() throws {
        let control = try StopControl()
        #expect(control.requested == nil)
        control.request(signal: SIGTERM)
        control.requestTimeout()
        control.request(signal: SIGINT)
        #expect(control.requested?.exitStatus == 128 + SIGTERM)
        #expect(wait(for: WaitFor(control.event.fd), nanoseconds: nil).0, "and everybody who waits is woken")
    }

    /// Then what it has submitted to its rings is done: also where the first of several vCPUs has ended the others.
    @Test func whatEndsByItselfIsNotCutShort() throws {
        let control = try StopControl()
        #expect(control.isGuestsOwnEnd)
        control.requestEndOfAll()
        #expect(control.isGuestsOwnEnd && control.requested != nil)
        for request in [{ $0.requestTimeout() }, { $0.request(signal: SIGTERM) }, { $0.requestDeviceEnd() }]
            as [(StopControl) -> Void]
        {
            let control = try StopControl()
            request(control)
            control.requestEndOfAll()
            #expect(!control.isGuestsOwnEnd)
        }
    }

    @Test func timeLimitIsAReasonToo() throws {
        let control = try StopControl()
        control.requestTimeout()
        control.request(signal: SIGTERM)
        #expect(control.requested?.kind == "timeout")
    }
}

@Suite struct StopTests {
    private static let crash = Crash(
        cause: .tripleFault, registers: GuestRegisters(), errorCode: nil, registersAreLost: false, code: [])

    private static let stops: [(Stop, Int32, String)] = [
        (.exited(status: 0), 0, "exit"), (.exited(status: 255), 255, "exit"), (.timedOut, 124, "timeout"),
        (.signalled(SIGINT), 130, "signal"), (.signalled(SIGTERM), 143, "signal"), (.consoleGone, 141, "console-gone"),
        (.hostFailed("the console", errno: EIO), 125, "error"), (.crashed(crash), 126, "crash"),
        (.failed(KVMError("KVM_RUN", errno: EINVAL)), 125, "error"),
    ]

    @Test(arguments: stops.indices)
    func statusAndWord(index: Int) {
        let (stop, status, word) = Self.stops[index]
        #expect(stop.exitStatus == status)
        #expect(stop.kind == word)
    }
}

@Suite struct MachineErrorTests {
    private static let errors: [(MachineError, String)] = [
        (.kvm(KVMError("open", errno: ENOENT)), "no /dev/kvm on this host"),
        (.kvm(KVMError("open", errno: EACCES)), "sudo usermod -aG kvm"),
        (.kvm(KVMError("open", errno: EPERM)), "no permission"),
        (.kvm(KVMError("open", errno: EBUSY)), "/dev/kvm: Device or resource busy"),
        (.kvm(KVMError("KVM_GET_API_VERSION", errno: ENOTTY)), "not KVM's device"),
        (.kvm(KVMError("KVM_GET_API_VERSION", errno: EPROTO)), "another API version than 12"),
        (.kvm(KVMError("KVM_SET_USER_MEMORY_REGION", errno: ENOMEM)), "use a smaller --mem"),
        (.kvm(KVMError("KVM_CREATE_VCPU", errno: EEXIST)), "KVM_CREATE_VCPU: File exists: 'swiftlet doctor'"),
        (.host(HostError("open", "a.elf", errno: ENOENT)), "a.elf: No such file or directory"),
        (.host(HostError("open", "a.fifo", errno: EINVAL)), "a.fifo: not a regular file"),
        (.host(HostError("fstat", "a.elf", errno: EINVAL)), "a.elf: Invalid argument"),
        (.image("a.elf", .empty), "a.elf: the file is empty"),
        (.memory(.mapping(5 << 30, errno: ENOMEM)), "cannot reserve 5120 MiB"),
        (.memoryBeyondHost(given: 64 << 30, host: 24 << 30), "--mem 65536 MiB is more than this host's 24576 MiB"),
    ]

    @Test(arguments: errors.indices)
    func messageSaysWhatAndWhatToDo(index: Int) {
        let (error, words) = Self.errors[index]
        #expect(error.message.contains(words), "\(error.message)")
        #expect(!error.message.contains("\n"))
    }
}

@Suite struct GuestTextTests {
    @Test(arguments: [
        ("plain, ä €", "plain, ä €"), ("\u{1b}[31mred\u{7}", ".[31mred."), ("a\nb\r\n", "a.b.."), ("\u{7f}\0", ".."),
        ("\u{9b}31m", ".31m"), ("file\u{202e}gpj.exe", "file.gpj.exe"), ("\u{2028}", "."), ("e\u{301}", "e\u{301}"),
    ])
    func nothingControlsTheTerminal(text: String, shown: String) {
        #expect(guestText(Array(text.utf8)) == shown)
    }

    @Test func bytesThatAreNoTextAreReplaced() {
        #expect(guestText([0x61, 0xff, 0xfe, 0x62]) == "a\u{fffd}\u{fffd}b")
    }

    @Test(arguments: [
        ("plain", "plain"), ("say \"hi\"", #"say \"hi\""#), (#"back\slash"#, #"back\\slash"#), ("a\nb\tc\0", "a b c "),
        ("quote and mark: \"\u{301}", "quote and mark: \\\"\u{301}"), ("\r\n", "  "), ("€𝄞", "€𝄞"),
    ])
    func jsonStringsAreEscaped(text: String, escaped: String) { #expect(jsonText(text) == escaped) }
}
