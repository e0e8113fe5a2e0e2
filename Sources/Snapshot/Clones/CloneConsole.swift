// A clone's console in memory: the bytes that its guest reads, and those that it writes, up to a limit.
//
// No descriptor, no system call: the guest's call ends the run (VMM/Cloning.swift), the bytes are moved here, and the run
// goes on. Read next: CloneReset.swift.

import Glibc
import GuestMemory
import VMM

struct CloneConsole {
    let input: [UInt8]
    var read = 0
    var output: [UInt8] = []
    let limit: Int

    init(input: [UInt8], limit: Int) {
        self.input = input
        self.limit = limit
    }
}

extension CloneBody {
    /// Moves the bytes of a console call; the stop, if it is the end of the guest.
    mutating func answer(_ call: ConsoleCall, _ platform: Platform) -> Stop? {
        // A guest that calls without end leaves by itself: no kick finds it in KVM_RUN for sure.
        if let stop = platform.control.requestedStop { return stop }
        switch call {
        case .write(let address, let count):
            guard count <= UInt64(console.limit - console.output.count) else { return .outputLimit }
            let isMoved: Void? = platform.memory.withSpan(address, count) { span in
                unsafe span.withUnsafeBytes { unsafe console.output.append(contentsOf: $0) }
            }
            return isMoved == nil ? .outputLimit : nil
        case .read(let address, let count):
            let moved = min(count, UInt64(console.input.count - console.read))
            _ = platform.memory.withMutableSpan(address, moved) { span in
                unsafe span.withUnsafeMutableBytes { bytes in
                    unsafe console.input.withUnsafeBytes {
                        unsafe bytes.copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: $0.dropFirst(console.read).prefix(Int(moved))))
                    }
                }
            }
            console.read += Int(moved)
            loop.answerRead(Int(moved))
            return nil
        }
    }

    /// What the caller gets; the output is moved out.
    mutating func answer(_ stop: Stop, _ platform: Platform) -> Answer {
        let output = console.output
        let limit = console.limit
        console = CloneConsole(input: [], limit: 0)
        var message = stop.explanation(platform)
        if stop.isOutputLimit { message = "the guest wrote more than its output limit of \(limit) bytes" }
        return Answer(output: output, outcome: Outcome(stop), status: stop.exitStatus, message: message)
    }
}

extension Stop {
    /// The end of a guest that writes too much.
    static let outputLimit = Stop.hostFailed("the console", errno: EFBIG)

    /// Nothing else of a console in memory fails.
    package var isOutputLimit: Bool { if case .hostFailed(_, errno: EFBIG) = self { true } else { false } }
}
