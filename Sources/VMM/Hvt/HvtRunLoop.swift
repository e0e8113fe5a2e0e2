// The run loop of an hvt unikernel: the same stops as RunLoop.swift, with hvt's calls at the end of an exit's way.
//
// It is a loop of its own, so that the one that Swiftlet's own guests run in is what it was. It is always the watched
// form: an exit of a ring-0 guest costs what it costs. Read next: HvtCalls.swift.

import Deprivileged
import Glibc
import GuestMemory
import KVM

extension RunLoop {
    mutating func loopHvt(_ hvt: Hvt) -> Stop {
        openLog()
        // A debugger's stop has put the timer down that looks for a halt, which the guest may be in.
        if let stop = haltedInRingZero() { return stop }
        return watchedRun { $0.handleHvt($1, hvt) }
    }

    private mutating func handleHvt(_ error: Int32, _ hvt: Hvt) -> Stop? {
        // The guest touched a page of its own that is protected on our side.
        if error == EFAULT { return writeLog() ?? .crashed(Crash(.translationFault, vcpu, context)) }
        if error != 0 { return kickedWithLog() ?? haltedInRingZero() ?? didNotRun(error) }
        if let stop = writeLog() { return stop }
        if isTrap { return handleTrap(hvt) }
        return callHvt(vcpu.exit, hvt)
    }

    mutating func callHvt(_ exit: Exit, _ hvt: Hvt) -> Stop? {
        if case .portWrite(MonitorMap.putsPort, 4, 1, _) = exit { openLog() }
        let action = context.handleHvt(exit, hvt)
        if action == .stop, context.cause != nil { showVirtualCPU() }
        return stop(action)
    }

    /// What an action comes to in a machine without page tables of its own to commit.
    mutating func stop(_ action: Action) -> Stop? { action == .stop ? stopped() : nil }
}

extension VCPUContext {
    /// Handles one exit of an hvt unikernel.
    mutating func handleHvt(_ exit: Exit, _ hvt: Hvt) -> Action {
        switch exit {
        case .portWrite(let port, 4, 1, let value) where port >= HvtCall.port && port - HvtCall.port <= 8:
            guard let call = HvtCall(rawValue: port - HvtCall.port) else { return hvtInvalid(0) }
            return hvtCall(call, UInt64(value), hvt)
        case .portWrite(let port, _, _, _), .portRead(let port, _, _):
            return misuse("Invalid guest port access: port=\(hex(UInt64(port)))")
        // A software KVM reports a protected page as if no memory were there.
        case .mmioWrite(let address, _, _), .mmioRead(let address, _):
            return platform.memory.contains(GuestAddress(address), 1) ? crash(.translationFault) : unexpected(exit)
        default: return unexpected(exit)
        }
    }
}
