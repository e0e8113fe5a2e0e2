// Where consoles go: one output for all, in lines, or a file for each in a folder, byte for byte.
//
// Whoever reads the output may be slow: a signal still gets through. Read next: Summary.swift.

import Glibc
import Host
import Subcommand
import VMM

struct Outlet: ~Copyable {
    private let folder: String?
    private let fd: Int32
    /// Set when all is to end: what finds no room soon is lost.
    var isInHurry = false
    private var lines: [Int: LineBuffer] = [:]
    private var files: [Int: OutputFile] = [:]

    init(folder: String?, fd: Int32) throws(SubcommandError) {
        (self.folder, self.fd) = (folder, fd)
        guard let folder else { return }
        if folder.isEmpty { throw SubcommandError("clone: --output needs a folder's name") }
        do throws(HostError) { try makeFolder(folder) } catch { throw SubcommandError("clone: \(error.message)") }
    }

    enum Problem: Error, Equatable {
        /// Nobody reads it any more.
        case gone
        /// A signal came while there was no room.
        case interrupted
        case failed(String)
    }

    mutating func open(_ index: Int) throws(Problem) {
        guard let folder else { return lines[index] = LineBuffer(index) }
        let path = "\(folder)/\(index).out"
        do throws(HostError) { files[index] = OutputFile(try File(path, .create), path) } catch {
            throw .failed(error.message)
        }
    }

    mutating func write(_ index: Int, _ bytes: [UInt8], signals: Int32) throws(Problem) {
        if let file = files[index] { return try file.write(bytes) }
        try write(lines[index]?.take(bytes) ?? [], signals)
    }

    /// The console is closed.
    mutating func close(_ index: Int, signals: Int32) throws(Problem) {
        files[index] = nil
        var buffer = lines.removeValue(forKey: index)
        try write(buffer?.finish() ?? [], signals)
    }

    private func write(_ bytes: [UInt8], _ signals: Int32) throws(Problem) {
        let console = Console(output: fd)
        var done = 0
        while done < bytes.count {
            let (hasRoom, isSignalled, _) = wait(
                for: WaitFor(fd, write: true), WaitFor(signals), nanoseconds: isInHurry ? lastWordPatience : nil)
            if !hasRoom && isSignalled { throw .interrupted }
            if !hasRoom && isInHurry { return }
            // What a pipe with room takes without blocking (PIPE_BUF, pipe(7)).
            switch console.write(Array(bytes[done..<min(done + 4096, bytes.count)]), from: 0) {
            case .done(let count): done += count
            case .interrupted, .notReady: continue
            case .gone: throw .gone
            case .failed(let errno): throw .failed("standard output: \(errnoText(errno))")
            }
        }
    }
}

/// A file that a dictionary can hold.
private final class OutputFile {
    private let file: File
    private let path: String
    private var size: UInt64 = 0

    init(_ file: consuming File, _ path: String) {
        self.file = file
        self.path = path
    }

    func write(_ bytes: [UInt8]) throws(Outlet.Problem) {
        do throws(HostError) { try file.write(bytes, at: size) } catch {
            throw .failed("\(path): \(errnoText(error.errno))")
        }
        size += UInt64(bytes.count)
    }
}
