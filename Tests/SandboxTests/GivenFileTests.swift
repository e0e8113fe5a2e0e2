// Landlock: files that were given open, others do not. A thread of its own enters for each test, and ends with it: what
// Landlock forbids, it forbids to a thread and those that it makes.
//
// Read next: Sources/Sandbox/GivenFiles.swift.

import CSandbox
import Glibc
import Host
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

/// What a restricted thread reports: errno of each attempt, 0 for success.
private func attempts(_ files: GivenFiles, _ body: @escaping @Sendable () -> [Int32]) throws -> [Int32] {
    let result = Mutex<[Int32]>([])
    let box = Shared(result: result)
    let thread = try Thread {
        guard csandbox_no_new_privileges() == 0, (try? Sandbox.restrictFiles(files)) != nil else { return }
        let errors = body()
        box.result.withLock { $0 = errors }
    }
    thread.join()
    return box.result.withLock { $0 }
}

private final class Shared: Sendable {
    let result: Mutex<[Int32]>
    init(result: consuming Mutex<[Int32]>) { self.result = result }
}

private func opening(_ path: String, _ flags: Int32) -> Int32 {
    let fd = open(path, flags, 0o600)
    if fd < 0 { return errno }
    close(fd)
    return 0
}

@Suite(.enabled(if: csandbox_landlock_version() > 0, "this kernel has no Landlock")) struct GivenFileTests {
    let folder = ScratchFolder()

    @Test func withoutAnyNothingOpens() throws {
        let path = try folder.file("there", [1])
        let other = folder.path + "/new"
        let errors = try attempts(GivenFiles()) {
            [
                opening(path, O_RDONLY), opening(path, O_WRONLY), opening(other, O_WRONLY | O_CREAT),
                opening("/dev/kvm", O_RDWR),
            ]
        }
        #expect(errors.prefix(3) == [EACCES, EACCES, EACCES])
        #expect([EACCES, ENOENT].contains(errors.last))  // a host without KVM
    }

    @Test func whatIsReadIsNotWritten() throws {
        let path = try folder.file("there", [1])
        let other = try folder.file("other", [1])
        var files = GivenFiles()
        files.read(path)
        let errors = try attempts(files) {
            [opening(path, O_RDONLY), opening(path, O_WRONLY), opening(other, O_RDONLY)]
        }
        #expect(errors == [0, EACCES, EACCES])
    }

    @Test func aFileThatIsThereIsWrittenAndNoOther() throws {
        let path = try folder.file("there", [1])
        let other = try folder.file("other", [1])
        var files = GivenFiles()
        files.write(path)
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        let errors = try attempts(files) { [opening(path, flags), opening(path, O_RDONLY), opening(other, flags)] }
        #expect(errors == [0, EACCES, EACCES])
    }

    @Test func aFileThatIsNotThereIsMade() throws {
        let path = folder.path + "/new"
        var files = GivenFiles()
        files.write(path)
        let errors = try attempts(files) {
            [opening(path, O_WRONLY | O_CREAT | O_TRUNC), opening("/tmp/swiftlet-elsewhere", O_WRONLY | O_CREAT)]
        }
        #expect(errors == [0, EACCES])
    }

    @Test func aSnapshotTakesItsName() throws {
        let path = try folder.file("snapshot", [1])
        let (new, folderPath) = (path + ".new", folder.path)
        var files = GivenFiles()
        files.replace(path)
        let errors = try attempts(files) {
            [
                opening(new, O_WRONLY | O_CREAT | O_EXCL), rename(new, path) == 0 ? 0 : errno,
                opening(folderPath, O_RDONLY), opening("/etc/passwd", O_RDONLY), mkdir(folderPath + "/x", 0o700),
            ]
        }
        #expect(errors == [0, 0, 0, EACCES, -1])
    }

    /// A path that leads nowhere gets no rule, and the run goes on: opening it fails later, as it would have.
    @Test func whatIsNowhereIsNoError() throws {
        var files = GivenFiles()
        files.read("/nowhere/at/all")
        files.write("/nowhere/at/all")
        files.replace("/nowhere/at/all")
        #expect(try attempts(files) { [opening("/nowhere/at/all", O_RDONLY)] } == [ENOENT])
    }

    @Test func aNameWithoutAFolder() throws {
        var files = GivenFiles()
        files.write("swiftlet-sandbox-test-that-is-not-made")
        #expect(try attempts(files) { [opening("/etc/passwd", O_RDONLY)] } == [EACCES])
    }
}
