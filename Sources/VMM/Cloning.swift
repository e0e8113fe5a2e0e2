// What a guest that lives again and again needs of this module: a life on the calling thread, and what it left behind.
//
// No ordinary run executes any of it. A clone's console may be two descriptors that cannot move a byte: then a console
// call ends the run as one that failed, the clone moves the bytes itself, and the run goes on. So the calls' own code is
// what it is for everybody. Read next: Snapshot/Clones/Clone.swift.

import CABI
import Glibc
import GuestMemory
import Host
import KVM
import Synchronization

/// A console call that was handed over, its guest waiting in it.
package enum ConsoleCall {
    /// Inside memory.
    case write(GuestAddress, count: UInt64)
    case read(GuestAddress, count: UInt64)
}

extension RunLoop {
    /// Begins a life at the state that the vCPU has, or will load: with its timer (`deadline` as in the timer call) and
    /// its handlers.
    package mutating func begin(deadline: UInt64, vector: UInt8, handlers: [4 of UInt64]) {
        vcpu.immediateExit = false
        context = VCPUContext(context.platform)
        context.timer.deadline = deadline
        context.timer.vector = vector
        context.handled.words = handlers
        context.pendingRoot = Self.noRoot
    }

    /// No address of a root, and not the 0 of a commit call that keeps it.
    private static var noRoot: UInt64 { 1 }

    /// Whether the guest made a commit call.
    package var hasCommitted: Bool { context.pendingRoot != Self.noRoot }

    /// Makes the calling thread the vCPU's; kicks reach it until `leave`.
    package mutating func enter() {
        Thread.acceptKicks()
        Thread.setKickByte(address: vcpu.kickByteAddress)
        context.takeTimerAlong()
    }

    package mutating func leave() {
        context.timer = GuestTimer()  // its kicks would be the calling thread's
        Thread.setKickByte(address: 0)
    }

    /// Runs the guest until it stops. On the thread that has called `enter`.
    @inline(never)
    package mutating func runHere() -> Stop {
        context.stop = nil
        return run()
    }

    /// The console call in which the run ended, if the console is `Console.handedOver`.
    package func consoleCall(_ stop: Stop) -> ConsoleCall? {
        guard case .hostFailed(_, let errno) = stop, errno == EBADF || errno == EISDIR,
            case .portWrite(let port, let size, let count, _) = vcpu.exit
        else { return nil }
        switch VCPUContext.callNumber(port, size: size, count: count) {
        case SWIFTLET_CALL_CONSOLE_WRITE:
            let call = context.arguments(swiftlet_console_write.self)
            return .write(GuestAddress(call.buffer), count: call.length)
        case SWIFTLET_CALL_CONSOLE_READ:
            let call = context.arguments(swiftlet_console_read.self)
            return .read(GuestAddress(call.buffer), count: call.length)
        default: return nil
        }
    }

    /// Gives a console read its result; the guest goes on behind it with the next run.
    package func answerRead(_ count: Int) {
        var call = context.arguments(swiftlet_console_read.self)
        call.result = Int64(count)
        context.answer(call)
    }
}

extension StopControl {
    /// The stop that was asked for.
    package var requestedStop: Stop? { requested }

    /// Forgets it, between two lives.
    package func clear() {
        if reason.exchange(0, ordering: .acquiringAndReleasing) != 0 { _ = event.take() }
    }
}

extension Console {
    /// A console whose calls are handed over: a folder can always be read, as poll(2) says, and never is (EISDIR).
    package static func handedOver(folder: Int32) -> Console { Console(input: folder, output: -1) }
}

extension MachineClock {
    /// The same clock set to a time, now.
    package func restarted(at nanoseconds: UInt64) -> MachineClock {
        let cycles = frequency.multipliedFullWidth(by: nanoseconds)
        let age = nanoseconds == 0 ? 0 : UInt64(1_000_000_000).dividingFullWidth(cycles).quotient &+ 1
        let start = Clock.tsc() &- age
        return MachineClock(frequency: frequency, hostStart: start, guestStart: start &+ (guestStart &- hostStart))
    }
}

extension Outcome {
    package init(_ stop: Stop) { self.init(stop: stop, exits: nil) }
}

extension Stop {
    /// Why a guest that did not exit ended, for its operator; nil when it exited.
    package func explanation(_ platform: Platform) -> String? {
        switch self {
        case .exited, .paused: nil
        case .timedOut: "the guest did not exit within its time limit and was stopped"
        case .signalled(let signal): "stopped by \(signalName(signal))"
        case .consoleGone: "nobody reads the guest's console any more (EPIPE)"
        case .hostFailed(let part, let errno): failure(part, errno)
        case .failed(let error): MachineError.kvm(error).message
        case .crashed(let crash): "guest crashed: \(crash.headline(platform.layout))"
        }
    }
}
