// All guests in this process, each on a thread of its own: they share the snapshot's mapping, KVM and this program.
//
// Read next: ProcessCrew.swift.

import Host
import Snapshot
import Subcommand
import Synchronization

final class ThreadCrew: Crew {
    private let source: CloneSource
    private let plan: Plan
    private var running: [Int: Runner] = [:]

    init(_ source: CloneSource, _ plan: Plan) { (self.source, self.plan) = (source, plan) }

    func start(_ index: Int, output: consuming File) throws(SubcommandError) {
        let input = try plan.openInput()
        let runner = Runner(index, source, plan.timeout, Console(input: input.fd, output: output.fd))
        try runner.start(input, output)
        running[index] = runner
    }

    func end(of index: Int) -> Life {
        guard let runner = running.removeValue(forKey: index) else { preconditionFailure("a guest ends once") }
        return runner.finish()
    }

    func stop(atOnce: Bool) { for runner in running.values { runner.stop() } }
}

/// One guest's thread.
private final class Runner: Sendable {
    private let index: Int
    private let source: CloneSource
    private let timeout: UInt64?
    private let console: Console
    private let thread = Mutex<KeptThread?>(nil)
    private let clone = Mutex<Clone?>(nil)
    private let life = Mutex<Life?>(nil)
    private let isStopping = Atomic<Bool>(false)

    init(_ index: Int, _ source: CloneSource, _ timeout: UInt64?, _ console: Console) {
        (self.index, self.source, self.timeout, self.console) = (index, source, timeout, console)
    }

    func start(_ input: consuming File, _ output: consuming File) throws(SubcommandError) {
        let files = Files(input: input, output: output)
        do throws(HostError) {
            let started = try KeptThread { [self] in
                live()
                files.close()  // the main thread sees the end of its output
            }
            thread.withLock { $0 = started }
        } catch {
            throw SubcommandError("clone: cannot make a thread for each guest (\(error.message)): use --jobs")
        }
    }

    private func live() {
        let start = Clock.monotonic()
        let life: Life
        do throws(SnapshotError) {
            let clone = try Clone(source, index: UInt32(index), console: console)
            self.clone.withLock { $0 = clone }
            if isStopping.load(ordering: .acquiring) {
                life = Life(index, .signal, 143, since: start, "stopped before it began")
            } else {
                life = Life(index, try clone.run(timeout: timeout), since: start)
            }
        } catch { life = Life(index, .error, 125, since: start, error.message) }
        self.life.withLock { $0 = life }
        clone.withLock { $0 = nil }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        clone.withLock { $0 }?.stop()
    }

    func finish() -> Life {
        thread.withLock { $0 }?.join()
        return life.withLock { $0 } ?? Life(index, .error, 125, since: Clock.monotonic(), "it left no word")
    }
}

/// Files that a closure can own.
private final class Files: Sendable {
    private let input: Mutex<File?>
    private let output: Mutex<File?>

    init(input: consuming File, output: consuming File) {
        self.input = Mutex(consume input)
        self.output = Mutex(consume output)
    }

    func close() {
        input.withLock { $0 = nil }
        output.withLock { $0 = nil }
    }
}
