// A running `swiftlet run` or `swiftlet restore`, as /proc shows it (proc(5)).
//
// Read next: ../VMM/Supervisor.swift, which gets the signal.

import Glibc
import Host
import Snapshot
import Subcommand

struct RunningSwiftlet {
    let pid: Int32
    /// Where it writes its snapshots.
    let file: String
    /// Where it notes why one could not be written; nil of an older version.
    private let note: String?

    init(_ pid: Int32) throws(SubcommandError) {
        guard pid > 0, let words = Self.words(of: pid), words.count > 1 else {
            throw SubcommandError("snapshot: no process \(pid), or not one of yours")
        }
        let program = words[0].split(separator: "/").last ?? ""
        guard program == "swiftlet", words[1] == "run" || words[1] == "restore" else {
            throw SubcommandError("snapshot: process \(pid) is no 'swiftlet run' or 'swiftlet restore'")
        }
        guard let file = Self.snapshotFile(Array(words.dropFirst(2))) else {
            throw SubcommandError("snapshot: process \(pid) was not started with --snapshot FILE")
        }
        self.pid = pid
        note = FailureNote.path(in: pid)
        // Through its own working directory, whatever ours is.
        self.file = file.hasPrefix("/") ? file : (Self.folder(of: pid) ?? ".") + "/" + file
    }

    /// The value of --snapshot, which comes before the image.
    static func snapshotFile(_ words: [String]) -> String? {
        for (index, word) in words.enumerated() {
            if word == "--snapshot" { return index + 1 < words.count ? words[index + 1] : nil }
            if word.hasPrefix("--snapshot=") { return String(word.dropFirst("--snapshot=".count)) }
        }
        return nil
    }

    /// Size and time of the file, nil when there is none.
    var stamp: FileStamp? {
        do throws(HostError) { return try File.regular(file).stamp() } catch { return nil }
    }

    /// The last that could not be written, by its number; nil when there is none, or while it is noted.
    var failure: (number: Int, reason: String)? { note.flatMap { FailureNote.read($0) } }

    var isAlive: Bool { Self.isAlive(pid) }

    /// A process that has ended is there until its parent has asked for its status: state Z, behind the name in parentheses.
    static func isAlive(_ pid: Int32) -> Bool {
        do throws(HostError) {
            let bytes = try File("/proc/\(pid)/stat", .read).read(at: 0, 1 << 12)
            guard let name = bytes.lastIndex(of: UInt8(ascii: ")")), name + 2 < bytes.count else { return false }
            return ![UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(bytes[name + 2])
        } catch { return false }
    }

    func askForSnapshot() throws(SubcommandError) {
        if kill(pid, snapshotSignal) != 0 {
            throw SubcommandError("snapshot: process \(pid) cannot be signalled: \(errnoText(errno))")
        }
    }

    private static func words(of pid: Int32) -> [String]? {
        do throws(HostError) {
            let bytes = try File("/proc/\(pid)/cmdline", .read).read(at: 0, 1 << 17)
            return bytes.split(separator: 0, omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        } catch { return nil }
    }

    private static func folder(of pid: Int32) -> String? { linkTarget("/proc/\(pid)/cwd") }
}
