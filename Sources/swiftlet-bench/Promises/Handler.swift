// The exit handler by itself, fed with invented exits: from a decoded exit to what the run loop does next.
//
// No KVM takes part. Promised are the calls that need neither a system call nor the clock: handler, commit, exit. POLL with
// a deadline that has passed reads the TSC, which alone costs 5 to 10 ns, and what ends a machine happens once in its life:
// these are measured without a promise. A sample is the mean of 10,000 exits in a row, because one is too short to be timed:
// so p99 tells of disturbances and not of exits, and the promise is about the minimum, which has the fewest of them.
// Read next: VMM/InventedExits.swift.

import CABI
import Host
import KVM
import Subcommand
@_spi(InventedExits) import VMM

extension Promises {
    func handler(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        do {
            return [
                try measure("handler call", swiftlet_handler(vector: 14, reserved: 0, address: 0x40000), handlerCall),
                try measure("commit call", swiftlet_commit(root: 0), call(SWIFTLET_CALL_COMMIT)),
                try measure("exit call", swiftlet_exit(status: 0), call(SWIFTLET_CALL_EXIT)),
                try measure(
                    "poll call", swiftlet_poll(deadline: 0, events: 0, ready: 0), call(SWIFTLET_CALL_POLL), limit: nil),
                try measure(
                    "port that nobody owns", 0, .portWrite(port: 0x80, size: 1, count: 1, value: 0), limit: nil),
                try measure("write to no memory", 0, .mmioWrite(address: 0xfee0_0000, size: 4, value: 0), limit: nil),
                try measure("triple fault", 0, .shutdown, limit: nil),
            ]
        } catch { throw SubcommandError("bench: handler: \(error)") }
    }

    private var handlerCall: Exit { call(SWIFTLET_CALL_HANDLER) }

    private func call(_ number: Int32) -> Exit {
        .portWrite(port: UInt16(SWIFTLET_CALL_PORT + number), size: 4, count: 1, value: 0)
    }

    private func measure<T: BitwiseCopyable>(
        _ what: String, _ arguments: T, _ exit: Exit, limit: Double? = 5
    ) throws -> Finding {
        var machine = try InventedExits(memorySize: 4 << 20, console: Console())
        machine.setArguments(arguments)
        let exits = [Exit](repeating: exit, count: 10_000)
        var samples: [Double] = []
        for _ in 0..<220 {
            let start = Clock.monotonic()
            _ = machine.handle(all: exits)
            samples.append(Double(Clock.monotonic() - start) / Double(exits.count))
        }
        samples.removeFirst(20)  // caches and branch predictors warm up
        let side = Finding.Side("handler", samples)
        return Finding(
            "handler", what, unit: "ns (means of \(exits.count))", sides: [side],
            promise: limit.map {
                Finding.Promise(
                    words: "at most \(decimal($0, 0)) ns (minimum)", limit: $0, measured: side?.samples.min
                )
            })
    }
}
