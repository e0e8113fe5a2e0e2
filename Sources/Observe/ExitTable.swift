// How often each exit happened and how long it took, for as many ports, addresses and calls as a machine has.
//
// A linear search: a machine uses a dozen keys, and the next exit is most often like the last. A guest can invent as many
// as it likes, so the table is bounded. Read next: ExitReport.swift.

/// Exits by key.
public struct ExitTable: Sendable {
    /// One line: all in the unit in which it was recorded.
    public struct Line: Sendable {
        public let key: ExitKey
        public let name: String
        /// From the entry of the guest to its exit.
        public fileprivate(set) var run = Histogram()
        /// Handling it.
        public fileprivate(set) var handler = Histogram()

        public var count: UInt64 { run.count }
        public var total: UInt64 { run.total &+ handler.total }
    }

    public private(set) var lines: [Line] = []
    /// Nanoseconds that the vCPU's thread waited for a CPU while it was in KVM_RUN; nil where the host does not tell, or it
    /// also slept in a handler.
    public var waited: UInt64?
    /// Time that the observer itself took between exits.
    public private(set) var observer: UInt64 = 0
    private var last = 0

    /// The last line takes what has no line of its own.
    public static let capacity = 256

    public init() {}

    public mutating func record(_ event: ExitEvent) {
        if last >= lines.count || lines[last].key != event.key { last = line(for: event.key, event.name) }
        lines[last].run.record(event.left &- event.entered)
        lines[last].handler.record(event.handled &- event.began)
    }

    public mutating func add(observer time: UInt64) { observer &+= time }

    /// Adds another vCPU's exits. What its thread waited is known only where both's is.
    public mutating func add(_ other: ExitTable) {
        for theirs in other.lines {
            let index = line(for: theirs.key, theirs.name)
            lines[index].run.add(theirs.run)
            lines[index].handler.add(theirs.handler)
        }
        waited = waited.flatMap { own in other.waited.map { own &+ $0 } }
        observer &+= other.observer
    }

    private mutating func line(for key: ExitKey, _ name: String) -> Int {
        if let found = lines.firstIndex(where: { $0.key == key }) { return found }
        if lines.count == Self.capacity { return Self.capacity - 1 }
        let isLast = lines.count == Self.capacity - 1
        lines.append(isLast ? Line(key: .rest, name: "all others") : Line(key: key, name: name))
        return lines.count - 1
    }

    public func count(_ key: ExitKey) -> UInt64 { lines.first { $0.key == key }?.count ?? 0 }

    public var run: UInt64 { lines.reduce(0) { $0 &+ $1.run.total } }
    public var handler: UInt64 { lines.reduce(0) { $0 &+ $1.handler.total } }
    public var exits: UInt64 { lines.reduce(0) { $0 &+ $1.count } }
}
