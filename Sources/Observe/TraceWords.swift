// `--explain`: a trace as sentences, for people who see an exit for the first time: what happened, who dealt with it, what it cost.
//
// The same items as TraceText's, and the same clock. Costs are of this exit: KVM_RUN with the guest's own time in it, and the
// handling behind it. Read next: TraceText.swift.

import X86

enum TraceWords {
    static func header(_ title: String) -> [UInt8] {
        Array("\(title): every exit, in words; KVM_RUN's time has the guest's own in it\n".utf8)
    }

    static func append(_ item: TraceItem, to bytes: inout [UInt8]) {
        switch item {
        case .exit(let event, let rip, let place):
            bytes.add(sentence(event, at: place ?? "0x" + String(rip, radix: 16)))
        case .injection(let vector, _, let vcpu):
            bytes.add(
                "  Swiftlet injects interrupt \(vector)\(vcpu.map { " into vCPU \($0)" } ?? ""): the guest's handler comes next.\n"
            )
        case .stop(let why, let status, _):
            bytes.add("The machine stops (\(why)) with status \(status).\n")
        }
    }

    private static func sentence(_ event: ExitEvent, at place: String) -> String {
        let who = event.vcpu.map { "vCPU \($0) at \(place)" } ?? "At \(place)"
        let (what, handler) = event.words
        let costs = "KVM_RUN took \(microseconds(event.left &- event.entered)), "
        return "\(who): \(what).\n  \(costs)\(handler) \(microseconds(event.handled &- event.began)).\n"
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        var digits: [UInt8] = []
        digits.add(microseconds: nanoseconds)
        return String(decoding: digits, as: UTF8.self) + " us"
    }
}

extension ExitEvent {
    /// What happened, and who dealt with it.
    fileprivate var words: (what: String, handler: String) {
        let detail = "0x" + String(key.detail, radix: 16)
        let bytes = "\(size) byte\(size == 1 ? "" : "s")"
        let value = data.map { "0x" + String($0, radix: 16) } ?? "a value"
        switch key.kind {
        case .call:
            return (
                "an OUT of four bytes is the call '\(name)' (\(key.detail))", "the call table's service of that name"
            )
        // How ring 3 reports an exception (X86/Descriptors.swift, Stub).
        case .portWrite where isTrap:
            return (
                "\(Vector.name(Int(key.detail))): the stub at its vector reports it by an OUT",
                "the instruction's emulation, or the crash report,"
            )
        case .portWrite: return ("OUT writes \(value) (\(bytes)) to port \(detail)", "the port bus")
        case .portRead: return ("IN reads \(bytes) from port \(detail)", "the port bus, which answers,")
        case .memoryWrite:
            return (
                "a store of \(value) (\(bytes)) to guest-physical \(detail), where no slot takes it", "the MMIO bus"
            )
        case .memoryRead: return ("a load of \(bytes) from guest-physical \(detail), where no slot is", "the MMIO bus")
        case .registerRead: return ("RDMSR of \(detail), which KVM leaves to user space", "who answers for that MSR")
        case .registerWrite: return ("WRMSR of \(detail), which KVM leaves to user space", "who answers for that MSR")
        case .halt: return ("HLT, and no interrupt controller in the kernel could wake the CPU", "the run loop")
        case .shutdown:
            return (
                "a triple fault: an exception that even the double fault's handler could not take", "the crash report"
            )
        case .debug: return ("a breakpoint or a step of the debugger's", "the debugger")
        case .internalError:
            return ("KVM could not emulate the instruction (suberror \(key.detail))", "the crash report")
        case .failEntry: return ("the CPU refused the guest's state (\(detail))", "the crash report")
        case .kick:
            return (
                "a signal took the vCPU out of the guest: a stop, a timer, or somebody who has news for it",
                "the run loop"
            )
        case .wake: return ("the CPU that waited was started by another one", "the run loop")
        case .failed: return ("KVM_RUN failed with error \(key.detail)", "the run loop")
        case .other: return ("KVM gave exit reason \(key.detail)", "the run loop")
        }
    }
}
