// A disk that fails on request and whose power can be cut: one file, served by a process of its own over /dev/fuse.
//
// Any thread of a test may use it. Read next: ../faulty-disk/main.swift.

import CHost
import Glibc
import Host
import Synchronization
import Testing
import faulty_disk

extension Trait where Self == ConditionTrait {
    /// Skips where this user cannot mount a file system of its own.
    public static var requiresFuse: Self {
        .enabled("no /dev/fuse here, or no permission to mount it") { (try? FaultyDisk(size: 512)) != nil }
    }
}

/// Gone with the test, however that ends: its mount is in no folder, only its process holds it (fsmount(2)).
public final class FaultyDisk: Sendable {
    package typealias Operation = DiskOperation
    package typealias Caching = DiskCaching

    /// For any process of this user, as long as this lives.
    public let path: String
    private let pipes: Mutex<DiskPipes>

    package init(size: Int, _ caching: Caching = .none) throws {
        let pipes = try DiskPipes(size, caching)
        guard let answer = readAnswer(from: pipes.answers.fd).map(asWords) else {
            throw HostError("open", "/dev/fuse", errno: ENODEV)
        }
        path = "/proc/\(answer[0])/fd/\(answer[1])/disk"
        self.pipes = Mutex(pipes)
    }

    private func tell(_ message: DiskMessage) -> [UInt8] {
        let answer = pipes.withLock { message.send(to: $0.orders.fd) ? readAnswer(from: $0.answers.fd) : nil }
        guard let answer else { preconditionFailure("the faulty disk's process has ended") }
        return answer
    }

    /// From now on operations that touch these bytes fail; flushes have no bytes and fail in any case.
    package func fail(_ operation: Operation, _ bytes: Range<Int> = 0..<Int.max, with error: Int32 = EIO) {
        _ = tell(DiskMessage(.fail, operation, bytes, error: error))
    }

    public func heal() { _ = tell(DiskMessage(.heal)) }

    /// From now on operations that touch these bytes have no answer before `release`, or before 20 seconds; others have.
    package func hold(_ operation: Operation, _ bytes: Range<Int> = 0..<Int.max) {
        _ = tell(DiskMessage(.hold, operation, bytes))
    }

    public func release() { _ = tell(DiskMessage(.release)) }

    /// Operations that are held now.
    public var waiting: Int { asWords(tell(DiskMessage(.waiting)))[0] }

    /// What was written to it.
    public var written: [UInt8] { tell(DiskMessage(.written)) }
    /// What it held at the last flush.
    public var durable: [UInt8] { tell(DiskMessage(.durable)) }

    /// From now on it answers nothing but errors. What is found on it later: what was flushed, and of what was written since
    /// any part, for a disk keeps its own order.
    public func cutPower() -> [UInt8] { tell(DiskMessage(.cutPower)) }
}

/// The disk's process, as long as it has somebody to answer.
private struct DiskPipes: ~Copyable, Sendable {
    let orders: File
    let answers: File

    init(_ size: Int, _ caching: DiskCaching) throws(HostError) {
        let (itsOrders, orders) = try childPipe()
        let (answers, itsAnswers) = try childPipe()
        let arguments = ["\(getpid())", "\(size)", "\(caching.rawValue)"]
        _ = try Thread { keepDisk(arguments, itsOrders, itsAnswers) }
        self.orders = File(owning: orders)
        self.answers = File(owning: answers)
    }
}

/// Its process ends when the thread that starts it does, which never uses the disk itself: whatever becomes of this process,
/// nothing keeps that thread from its end.
private func keepDisk(_ arguments: [String], _ orders: Int32, _ answers: Int32) {
    let program = "\(ownFolder() ?? ".")/faulty-disk"
    let pid = try? spawn(program, arguments, (.descriptor(orders), .descriptor(answers), .inherited))
    close(orders)
    close(answers)
    if let pid { while waitpid(pid, nil, 0) < 0, errno == EINTR {} }
}

private func childPipe() throws(HostError) -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [0, 0]
    let result = chost_child_pipe(&ends)
    if result < 0 { throw HostError("pipe2", "", errno: Int32(-result)) }
    return (ends[0], ends[1])
}
