// A trace on its way to a file: in chunks of 64 KiB, or line by line to standard error. Memory is bounded, a stop gets
// through, and a disk that is full ends the trace and not the run.
//
// Read next: Trace.swift (its formats).

import Host
import KVM
import Synchronization

/// The one of all vCPUs: in the order in which their exits were handled.
final class SharedTrace: Sendable {
    private let file: Mutex<TraceFile>
    init(_ file: consuming sending TraceFile) { self.file = Mutex(file) }
    func with(_ body: (inout TraceFile) -> Void) { file.withLock { body(&$0) } }
}

struct TraceFile: ~Copyable, Sendable {
    private let file: OutputFile
    private let format: TraceFormat
    private var buffer: [UInt8]
    private var places = PlaceCache()
    private var hasFailed = false
    /// Of a trace that is part of one.
    private let narration: Narration?
    static let chunk = 64 << 10

    init(_ file: consuming OutputFile, _ wanted: Observation, title: String, vcpus: Int) {
        format = wanted.explains ? .words : TraceFormat(path: file.path)
        buffer = format.header(title, vcpus: vcpus)
        narration = file.isStandardError ? wanted.narration : nil
        self.file = file
    }

    /// Writes the header of a narration before its first line.
    mutating func begin(_ machine: some ObservedMachine) { if narration != nil { flush(machine) } }

    mutating func add(
        _ event: ExitEvent, _ rip: UInt64, _ vcpu: borrowing VCPU, _ symbols: SymbolTable,
        _ machine: some ObservedMachine
    ) {
        let (rip, place) = places.find(event, rip, vcpu, symbols, machine)
        add(.exit(event, rip: rip, place: place), machine)
    }

    mutating func add(_ item: TraceItem, _ machine: some ObservedMachine) {
        if hasFailed || narration?.isSilent == true { return }
        if narration?.endsLine() == true { buffer.append(UInt8(ascii: "\n")) }
        format.append(item, to: &buffer)
        if buffer.count >= Self.chunk || file.isStandardError { flush(machine) }
        narration?.rest(until: machine.stopDescriptor)
    }

    /// Writes what is buffered; after a stop only as far as that needs no waiting. `finish` writes the rest.
    private mutating func flush(_ machine: some ObservedMachine) {
        let output = Console(input: -1, output: file.fd)
        var done = 0
        while done < buffer.count {
            switch output.write(buffer, from: done) {
            case .done(let written): done += written
            case .interrupted: break
            case .notReady:
                _ = wait(for: WaitFor(file.fd, write: true), WaitFor(machine.stopDescriptor), nanoseconds: nil)
            case .gone: return fail("nobody reads it any more")
            case .failed(let errno): return fail(errnoText(errno))
            }
            if done < buffer.count, machine.isStopping { break }
        }
        if done < buffer.count { buffer.removeFirst(done) } else { buffer.removeAll(keepingCapacity: true) }
    }

    private mutating func fail(_ reason: String) {
        if !file.isStandardError { file.complain("the trace ends here, the guest runs on: \(reason)") }
        hasFailed = true
        buffer = []
    }

    mutating func finish(_ item: TraceItem, _ patience: UInt64?) {
        if hasFailed || narration?.isSilent == true { return }
        format.append(item, to: &buffer)
        file.finish(buffer + format.footer, patience)
        hasFailed = true  // nothing may follow
    }
}

/// Where exits come from, in words: they come from a few places, over and over.
struct PlaceCache: Sendable {
    private var known: [UInt64: (rip: UInt64, place: String?)] = [:]
    static let capacity = 4096

    /// RIP of the instruction itself, whichever KVM gives at a port exit, and its symbol.
    mutating func find(
        _ event: ExitEvent, _ rip: UInt64, _ vcpu: borrowing VCPU, _ symbols: SymbolTable,
        _ machine: some ObservedMachine
    ) -> (rip: UInt64, place: String?) {
        let isPort = event.key.kind.isPortAccess && !event.isTrap
        let key = rip << 1 | (isPort ? 1 : 0)
        if let found = known[key] { return found }
        let exact = isPort ? machine.portInstruction(around: rip, root: vcpu.root) : rip
        if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
        let found = (exact, symbols.place(exact))
        known[key] = found
        return found
    }
}
