// Each guest in a process: a fork of this one, made when the snapshot has been opened and checked.
//
// So all have the same file, whatever happens to its name, and share what this program has in memory. A child opens KVM
// itself: a VM belongs to the process that made it. It dies with its parent. Read next: Fleet.swift.

import Glibc
import Host
import Snapshot
import Subcommand
import VMM

/// This process must have one thread.
final class ProcessCrew: Crew {
    private let snapshot: SnapshotBox
    private let plan: Plan
    /// Where children leave their lines.
    private let reports: Pipe
    private var running: [Int: (pid: Int32, start: UInt64)] = [:]
    private var lives: [Int: Life] = [:]
    private var unread = ""

    init(_ snapshot: consuming Snapshot, _ plan: Plan) throws(SnapshotError) {
        let pipe: Pipe
        do throws(HostError) { pipe = try Pipe() } catch { throw .host(error) }
        self.snapshot = SnapshotBox(snapshot)
        self.plan = plan
        reports = pipe
    }

    func start(_ index: Int, output: consuming File) throws(SubcommandError) {
        let input = try plan.openInput()
        let start = Clock.monotonic()
        let pid: Int32
        do throws(HostError) { pid = try forkProcess() } catch {
            throw SubcommandError("clone: cannot make a process for each guest (\(error.message)): use --jobs")
        }
        if pid == 0 {
            becomeStandard(input: input.fd, output: output.fd, kept: (snapshot.fd, reports.writer))
            live(index, since: start)
        }
        running[index] = (pid, start)
    }

    /// The child's whole life.
    private func live(_ index: Int, since start: UInt64) -> Never {
        let life: Life
        do throws(SnapshotError) {
            let snapshot = snapshot.take()
            try snapshot.guardAgainstTruncation()
            let source = try CloneSource(snapshot, count: UInt32(plan.count))
            let clone = try Clone(source, index: UInt32(index), console: Console())
            life = Life(index, try clone.run(timeout: plan.timeout), since: start)
        } catch { life = Life(index, .error, 125, since: start, error.message) }
        // All of it or nothing, and the parent makes room when others' consoles are closed.
        while !writeText(life.line, to: reports.writer) {
            _ = wait(for: WaitFor(reports.writer, write: true), nanoseconds: 1_000_000)
        }
        exitProcess(life.status)
    }

    func end(of index: Int) -> Life {
        guard let (pid, start) = running.removeValue(forKey: index) else { preconditionFailure("a guest ends once") }
        let end = reap(pid)
        readReports()
        return lives.removeValue(forKey: index) ?? Life(index, end, since: start)
    }

    /// What the children have left.
    private func readReports() {
        while let bytes = readAvailable(reports.reader, 1 << 16), !bytes.isEmpty {
            unread += String(decoding: bytes, as: UTF8.self)
        }
        var lines = unread.split(separator: "\n", omittingEmptySubsequences: false)
        unread = String(lines.removeLast())
        for life in lines.compactMap({ Life(line: $0) }) { lives[life.index] = life }
    }

    func stop(atOnce: Bool) {
        readReports()  // nobody waits for room
        for (pid, _) in running.values { sendSignal(atOnce ? SIGKILL : SIGTERM, to: pid) }
    }
}

/// A snapshot that a child takes away; the parent keeps it.
private final class SnapshotBox {
    private var snapshot: Snapshot?
    let fd: Int32

    init(_ snapshot: consuming Snapshot) {
        fd = snapshot.fd
        self.snapshot = consume snapshot
    }

    func take() -> Snapshot {
        guard let taken = snapshot.take() else { preconditionFailure("a child takes it once") }
        return taken
    }
}
