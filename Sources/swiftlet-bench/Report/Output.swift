// A file that results go to: opened before anything is measured, written when all is.
//
// A wrong path is an error at once and not after a minute of measuring. Read next: ReportFiles.swift.

import FoundationEssentials
import Host
import Subcommand

/// An open file, or standard output for "-". Text is collected and written in large pieces.
final class Output {
    let path: String
    /// Nil for standard output. `fd` is its descriptor.
    private let file: File?
    private let fd: Int32
    private var buffer: [UInt8] = []
    private static let pieceSize = 1 << 20

    init(_ path: String) throws(SubcommandError) {
        self.path = path
        if path == "-" {
            file = nil
            fd = 1
            return
        }
        let opened: File
        do throws(HostError) { opened = try File(path, .create) } catch {
            throw SubcommandError("bench: \(error.message)")
        }
        fd = opened.fd
        file = consume opened
    }

    var isStandardOutput: Bool { path == "-" }

    func write(_ text: String) throws(SubcommandError) { try write(text.utf8) }

    func write(_ bytes: some Sequence<UInt8>) throws(SubcommandError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.pieceSize { try finish() }
    }

    /// Writes what is left.
    ///
    /// - Throws: when the file does not take all of it.
    func finish() throws(SubcommandError) {
        let console = Console(output: fd)
        var done = 0
        while done < buffer.count {
            switch console.write(buffer, from: done) {
            case .done(let count): done += count
            case .interrupted: break
            // A pipe that was given by its path: it was opened without blocking.
            case .notReady: _ = wait(for: WaitFor(fd, write: true), nanoseconds: 1_000_000_000)
            case .gone: throw SubcommandError("bench: \(path): nobody reads it any more")
            case .failed(let errno): throw SubcommandError("bench: \(path): \(errnoText(errno))")
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// A folder of our own for a while. Its name cannot be foreseen, and nothing of that name is there yet, no link either.
    static func makeScratchFolder() throws(SubcommandError) -> String {
        let name = String(UInt64.random(in: .min ... .max), radix: 16)
        let path = FileManager.default.temporaryDirectory.path + "/swiftlet-bench-\(name)"
        let onlyOurs: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: onlyOurs)
        } catch { throw SubcommandError("bench: \(path): no folder can be made there") }
        return path
    }

    static func removeFolder(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    /// Makes a folder, and those above it. "." has always been there.
    static func makeFolder(_ path: String) throws(SubcommandError) {
        let files = FileManager.default
        do { try files.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw SubcommandError("bench: \(path): no folder can be made there")
        }
        if !files.isWritableFile(atPath: path) { throw SubcommandError("bench: \(path): Permission denied") }
    }
}
