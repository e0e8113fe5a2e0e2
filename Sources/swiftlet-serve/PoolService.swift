// What the server serves: a pool of guests. Its answers in the protocol's words, a line of the log, and what is counted.
//
// Read next: ServiceFigures.swift, ../Snapshot/Clones/Pool.swift.

import Host
import Service
import Snapshot
import Synchronization
import VMM

final class PoolService: Callee {
    private let pool: Pool
    private let isLogged: Bool
    private let counted = Mutex(ServiceFigures())

    init(_ pool: Pool, log: Bool) {
        self.pool = pool
        isLogged = log
    }

    var figures: ServiceFigures { counted.withLock { $0 } }

    /// A clone is taken back to the snapshot when the caller has its answer; nil when there was none to be had.
    func call(_ input: [UInt8]) -> (CallAnswer, Clone?) {
        do throws(SnapshotError) {
            let (answer, clone) = try pool.run(input)
            return (self.answer(answer), clone)
        } catch {
            tell(error.message)
            return (CallAnswer(.failed, words: error.message), nil)
        }
    }

    func recover(_ clone: Clone?) { if let clone { pool.recycle(clone) } }

    private func answer(_ answer: Answer) -> CallAnswer {
        let end = CallEnd(answer)
        if end == .failed { return CallAnswer(.failed, words: answer.message ?? "the guest could not be run") }
        if end == .crashed, let message = answer.message { tell(message) }
        return CallAnswer(end, answer.output)
    }

    func answered(_ answer: CallAnswer, inputSize: Int, nanoseconds: UInt64) {
        let number = counted.withLock { figures in
            figures.count(answer.end, nanoseconds)
            return figures.calls
        }
        if isLogged { log("\(number) \(inputSize) \(answer.output.count) \(answer.end.words) \(nanoseconds / 1000)") }
    }

    func refused(_ reason: String) {
        counted.withLock { $0.refused += 1 }
        if isLogged { log("- refused: \(printable(reason))") }
    }

    /// One write of less than PIPE_BUF, so lines are whole; where nobody reads them they are lost, and nobody waits.
    private func log(_ line: String) { writeText("\(line)\n", to: 1, patience: 0) }

    private func tell(_ text: String) { writeText("swiftlet: serve: \(printable(text.prefix(1000)))\n", patience: 0) }
}

extension CallEnd {
    init(_ answer: Answer) {
        self =
            switch answer.outcome.stop {
            case .exited(let status): .exited(status)
            case .timedOut: .timedOut
            case .crashed: .crashed
            default: answer.outcome.stop.isOutputLimit ? .outputTooLong : .failed
            }
    }

    /// In a log's line: the status of a guest that exited, else a word.
    var words: String {
        switch self {
        case .exited(let status): "\(status)"
        case .timedOut: "timeout"
        case .crashed: "crash"
        case .outputTooLong: "output-limit"
        case .failed: "error"
        case .refused: "refused"
        }
    }
}
