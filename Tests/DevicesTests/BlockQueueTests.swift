// A disk's io_uring: what it may do, and what it does not keep.

import CDevices
import Devices
import Glibc
import TestSupport
import Testing

private let hasQueues: Bool = {
    var uring = cdevices_uring()
    guard cdevices_uring_open(-1, 2, &uring) == 0 else { return false }
    cdevices_uring_close(&uring)
    return true
}()

@Suite(.enabled(if: hasQueues, "no io_uring with restrictions (Linux 5.10) here, or it is forbidden"))
struct BlockQueueTests {
    let folder = ScratchFolder()

    private func open(_ path: String) throws -> BlockDevice {
        try BlockDevice(BlockOption(name: "disk", path: path), isQueued: true)
    }

    /// Of all that io_uring can do, reads and fsync; whoever takes over this process gets no more.
    @Test func nothingElseCanBeDoneByIt() {
        var uring = cdevices_uring()
        #expect(cdevices_uring_open(-1, 8, &uring) == 0)
        defer { cdevices_uring_close(&uring) }
        for operation in UInt8(0)..<60 {
            var entry = io_uring_sqe()
            (entry.opcode, entry.fd, entry.user_data) = (operation, -1, 7)
            #expect(cdevices_uring_submit(&uring, entry) == 0)
            var answer = cdevices_answer()
            while cdevices_uring_take(&uring, &answer) == 0 { cdevices_uring_wait(&uring) }
            let isAllowed = operation == UInt8(IORING_OP_READ.rawValue) || operation == UInt8(IORING_OP_FSYNC.rawValue)
            #expect(answer.token == 7 && (answer.result == -EBADF) == isAllowed, "\(operation): \(answer.result)")
            #expect(isAllowed || answer.result == -EACCES || answer.result == -EINVAL)
        }
        #expect(cdevices_uring_restrict(uring.fd) < 0)
    }

    @Test func theQueueIsForOne() throws {
        let disk = try open(try folder.file("disk", [UInt8](repeating: 1, count: 4096)))
        let queue = disk.takeQueue()
        #expect(queue != nil && disk.takeQueue() == nil)
    }

    /// What is closed can be attached again at once: an io_uring's end is later than its close.
    @Test func theFileIsUnlockedWithItsDisk() throws {
        let path = try folder.file("disk", [UInt8](repeating: 1, count: 4096))
        for _ in 0..<20 {
            let disk = try open(path)
            let queue = try #require(disk.takeQueue())
            #expect(queue.flush(token: 1) == .begun)
            while queue.take() == nil {}
        }
    }

    @Test(.requiresFuse) func onlyWhatIsCachedIsReadAtOnce() throws {
        let cached = try FaultyDisk(size: 16384, .writeBack)
        let disk = try open(cached.path)
        #expect(withZeroedBytes(4096) { disk.readCached(into: &$0, at: 4096) }.0 == 0)
        #expect(withZeroedBytes(4096) { disk.read(into: &$0, at: 4096) }.0 == .done)
        #expect(withZeroedBytes(4096) { disk.readCached(into: &$0, at: 4096) }.0 == 4096)
        #expect(withZeroedBytes(4096) { disk.readCached(into: &$0, at: 14000) }.0 == 0)
    }
}
