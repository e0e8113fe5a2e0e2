// Files: only regular ones are images, reads are exact, and a file that shrinks is a short read.
//
// Read next: WaitTests.swift.

import Glibc
import Host
import TestSupport
import Testing

@Suite struct FileTests {
    let folder = ScratchFolder()

    private func openError(_ path: String) -> HostError? {
        do throws(HostError) { _ = try File.regular(path) } catch { return error }
        return nil
    }

    @Test func regularFilesOpen() throws {
        let path = try folder.file("image", Array("content".utf8))
        let file = try File.regular(path)
        #expect(try file.size() == 7)
        #expect(fcntl(file.fd, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func nothingElseDoes() throws {
        #expect(openError(folder.path) == HostError("open", folder.path, errno: EISDIR))
        #expect(openError("/dev/null") == HostError("open", "/dev/null", errno: EINVAL))
        #expect(openError("\(folder.path)/missing")?.errno == ENOENT)
        #expect(openError("\(folder.path)/missing/image")?.errno == ENOENT)
        let path = try folder.file("image", [])
        #expect(openError("\(path)/image")?.errno == ENOTDIR)
        #expect(openError(String(repeating: "x", count: 5000))?.errno == ENAMETOOLONG)
        #expect(openError("")?.errno == ENOENT)
    }

    /// Opening a FIFO for reading waits for a writer, unless one takes care.
    @Test func fifoDoesNotHang() throws {
        let path = "\(folder.path)/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        #expect(openError(path)?.errno == EINVAL)
    }

    @Test func loopOfLinksIsAnError() throws {
        let path = "\(folder.path)/loop"
        #expect(symlink(path, path) == 0)
        #expect(openError(path)?.errno == ELOOP)
    }

    @Test func readsWhatIsThere() throws {
        let file = try File.regular(try folder.file("image", Array("0123456789".utf8)))
        #expect(try file.read(at: 0, 4) == Array("0123".utf8))
        #expect(try file.read(at: 8, 4) == Array("89".utf8))
        #expect(try file.read(at: 10, 4) == [])
        #expect(try file.read(at: 1 << 40, 4) == [])
        #expect(try file.read(at: 0, 0) == [])
    }

    @Test func fileThatShrinksIsAShortRead() throws {
        let path = try folder.file("image", [UInt8](repeating: 1, count: 100))
        let file = try File.regular(path)
        #expect(truncate(path, 40) == 0)
        let (result, bytes) = withZeroedBytes(100) { file.read(into: &$0) }
        #expect(result == .success(40))
        #expect(bytes[..<40].allSatisfy { $0 == 1 } && bytes[40...].allSatisfy { $0 == 0 })
    }

    @Test func writesAtOffsetsAndLeavesHoles() throws {
        let path = "\(folder.path)/core"
        let file = try File(path, .create)
        try file.write([1, 2, 3], at: 10_000)
        try file.truncate(20_000)
        let written = try File.regular(path)
        #expect(try written.size() == 20_000)
        #expect(try written.read(at: 9_999, 5) == [0, 1, 2, 3, 0])
    }

    @Test func createReplacesWhatWasThere() throws {
        let path = try folder.file("core", [1, 2, 3])
        #expect(try File(path, .create).size() == 0)
        #expect(throws: HostError("open", folder.path, errno: EISDIR)) { _ = try File(folder.path, .create) }
    }

    @Test func fullDiskIsAnError() throws {
        let file = try File("/dev/full", .create)
        #expect(throws: HostError("write", "", errno: ENOSPC)) { try file.write([1], at: 0) }
    }

    @Test func textIsWrittenWhole() {
        let pipe = BlockingPipe()
        writeText("swiftlet: ä\n", to: pipe.writer)
        #expect(pipe.readText() == "swiftlet: ä\n")
        writeText("lost", to: -1)
    }
}

@Suite struct HostErrorTests {
    @Test func messageNamesTheSubjectOrTheCall() {
        #expect(HostError("open", "a.elf", errno: ENOENT).message == "a.elf: No such file or directory")
        #expect(HostError("pipe2", "", errno: EMFILE).message == "pipe2: Too many open files")
        #expect(errnoText(99999).contains("99999"))
    }
}

/// As whoever runs the tests, who may be root: to that one only what is not there, or is no file, is closed.
@Suite struct WritableTests {
    let folder = ScratchFolder()

    private func refusal(_ path: String) -> Int32? {
        do throws(HostError) { try checkWritable(path, for: "it") } catch { return error.errno }
        return nil
    }

    @Test func whatCanBeWrittenIsFoundWithoutMakingIt() throws {
        let path = try folder.file("there", [1])
        #expect(refusal(path) == nil && refusal("\(folder.path)/new") == nil && refusal("/dev/null") == nil)
        #expect(access("\(folder.path)/new", F_OK) != 0, "none is made")
        #expect(try File.regular(path).size() == 1, "and none emptied")
        #expect(refusal("\(path)/x") == ENOTDIR)
        #expect(refusal("\(folder.path)/missing/x") == ENOENT)
        #expect(refusal(folder.path) == EISDIR)
    }

    @Test func whatIsReplacedNeedsItsFolderAlone() throws {
        func reason(_ path: String) -> Int32? {
            do throws(HostError) { try checkReplaceable(path, for: "it") } catch { return error.errno }
            return nil
        }
        let path = try folder.file("there", [1])
        #expect(chmod(path, 0o400) == 0)
        #expect(reason(path) == nil && reason("\(folder.path)/new") == nil)
        #expect(reason(folder.path) == EISDIR && reason("\(folder.path)/missing/x") == ENOENT)
    }

    @Test func rightsCount() throws {
        let path = try folder.file("there", [1])
        #expect(chmod(path, 0o400) == 0)
        #expect(refusal(path) == (geteuid() == 0 ? nil : EACCES))
        #expect(chmod(folder.path, 0o500) == 0)
        #expect(refusal("\(folder.path)/new") == (geteuid() == 0 ? nil : EACCES))
        #expect(chmod(folder.path, 0o700) == 0)
    }

    @Test func aPathWithoutASlashIsInThisFolder() {
        #expect(Host.folder(of: "x") == "." && Host.folder(of: "/x") == "/" && Host.folder(of: "a/b/x") == "a/b")
        #expect(refusal("surely-not-here") == nil)
    }
}
