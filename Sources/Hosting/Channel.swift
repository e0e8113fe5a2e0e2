// A descriptor that is read and written without waiting, and a bounded queue of what it has not taken yet.
//
// A terminal, a client of the control socket, a scraper, a machine's console: all of them are one.
// Read next: MachineProcess.swift.

import Host

final class Channel {
    private let file: File
    private var queue: [UInt8] = []
    private var sent = 0
    /// Bytes that wait at most; more are left out.
    private let limit: Int
    private(set) var leftOut = 0
    /// The other side is gone.
    private(set) var isGone = false

    var fd: Int32 { file.fd }
    var isEmpty: Bool { sent == queue.count }

    /// The descriptor must not block.
    init(_ file: consuming File, limit: Int = 256 << 10) {
        self.file = file
        self.limit = limit
    }

    func wait(_ waits: inout Waits, reads: Bool = true) {
        if isGone { return }
        if reads { waits.add(fd) }
        if !isEmpty { waits.add(fd, write: true) }
    }

    /// Sends it, or as much as goes, and the rest later.
    func send(_ bytes: some Collection<UInt8>) {
        let room = max(0, limit - (queue.count - sent))
        queue += bytes.prefix(room)
        leftOut += max(0, bytes.count - room)
        flush()
    }

    func flush() {
        while !isEmpty, !isGone {
            switch Console(output: fd).write(queue, from: sent) {
            case .done(let count): sent += count
            case .interrupted: continue
            case .notReady: return compact()
            case .gone, .failed: isGone = true
            }
        }
        (queue, sent) = ([], 0)
    }

    private func compact() {
        if sent < 1 << 16 { return }
        queue.removeFirst(sent)
        sent = 0
    }

    /// A last word: sends the rest, but waits no longer than so many nanoseconds.
    func drain(patience: UInt64) {
        let deadline = Clock.monotonic() &+ patience
        while !isEmpty, !isGone, Clock.monotonic() < deadline {
            _ = Host.wait(for: WaitFor(fd, write: true), nanoseconds: patience)
            flush()
        }
    }

    /// What has come; empty when nothing has, and once it is gone.
    func receive(atMost count: Int = 1 << 14) -> [UInt8] {
        guard !isGone, let bytes = readAvailable(fd, count) else { return [] }
        if bytes.isEmpty { isGone = true }
        return bytes
    }
}
