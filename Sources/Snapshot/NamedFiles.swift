// Which files a command line has a run write and which it has it read: none of them may be another's, or the run would destroy
// what it was given.
//
// It is asked before any file is opened for writing, for a trace is emptied by being opened. Read next: Host/Paths.swift.

import Devices
import Glibc
import Host
import VMM

/// A file of the command line.
struct NamedFile {
    /// As an error calls it: an option for what only is written, else what it is.
    let option: String
    let noun: String?
    let path: String
    let isWritten: Bool
    /// A new snapshot may take its place: whoever reads it goes on with the old content.
    var isReplaceable = false
}

extension Configuration {
    /// What is wrong with the files of a command line, in words; nil when nothing is. `reading`: of a restore, the snapshot's.
    package func overwriting(_ statistics: StatisticsTarget?) -> String? { overwriting(statistics, reading: []) }

    func overwriting(_ statistics: StatisticsTarget?, reading: [NamedFile]) -> String? {
        // An ordinary start asks nothing.
        let isOrdinary = core == nil && snapshot == nil && statistics?.path == nil && observation.isNothing
        if isOrdinary, backing.path == nil, devices.blocks.isEmpty { return nil }
        let outputs = written(statistics)
        let files = outputs + disks + read + reading
        guard files.contains(where: \.isWritten) else { return nil }
        var known: [(file: NamedFile, identity: PathTarget)] = []
        for file in files {
            guard let identity = PathTarget(file.path) else { continue }
            for other in known where other.identity == identity {
                if let conflict = conflict(other.file, file) { return conflict }
            }
            known.append((file, identity))
        }
        return outputs.lazy.compactMap { self.takenName($0) ?? self.locked($0) }.first
    }

    private func conflict(_ one: NamedFile, _ other: NamedFile) -> String? {
        let (writer, victim) = one.isWritten ? (one, other) : (other, one)
        if !writer.isWritten || (victim.isReplaceable && writer.option == "--snapshot") { return nil }
        if let noun = victim.noun, victim.option != writer.option { return "\(writer.option) would overwrite \(noun)" }
        if let noun = one.noun, noun == other.noun { return "\(noun) is given twice" }
        if let noun = one.noun, let same = other.noun { return "\(noun) and \(same) are one file" }
        return "\(writer.option) and \(victim.option) would overwrite each other"
    }

    /// The names that increments give to the snapshot before (SnapshotSeries).
    private func takenName(_ file: NamedFile) -> String? {
        guard savesIncrements, let snapshot, file.option != "--snapshot" else { return nil }
        let (path, prefix) = (lastName(file.path), lastName(snapshot) + ".")
        guard path.hasPrefix(prefix), UInt(path.dropFirst(prefix.utf8.count)) != nil,
            absolutePath(folder(of: file.path)) == absolutePath(folder(of: snapshot))
        else { return nil }
        return "\(file.option) would overwrite \(path), which --snapshot-incremental needs: give it another name"
    }

    private func lastName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Another machine's disk.
    private func locked(_ file: NamedFile) -> String? {
        guard BlockDevice.isLocked(file.path) else { return nil }
        let reason = "which another program has locked, as a machine does its disk"
        return "\(file.option) would overwrite \(file.path), \(reason)"
    }

    private func written(_ statistics: StatisticsTarget?) -> [NamedFile] {
        let paths = [
            ("--snapshot", snapshot), ("--backing", backing.path), ("--core", core), ("--trace", observation.trace),
            ("--profile", observation.profile), ("--stats", statistics?.path),
        ]
        return paths.compactMap { option, path in
            guard let path, path != "-" else { return nil }
            return NamedFile(option: option, noun: nil, path: path, isWritten: true)
        }
    }

    private var disks: [NamedFile] {
        devices.blocks.map {
            NamedFile(option: "--block", noun: "the disk '\($0.name)'", path: $0.path, isWritten: !$0.isReadOnly)
        }
    }

    private var read: [NamedFile] {
        let modules = [module].compactMap(\.self) + kernel.modules.map(\.0)
        let files =
            [
                ("IMAGE", "the image", image), ("--initrd", "the initial RAM disk", kernel.initialDisk),
                ("--cpu", "the CPU's template", kernel.cpu?.path),
            ] + modules.map { ("--module", "the module '\($0)'", $0) }
            + kernel.firmwareItems.map { ("--fw-cfg", "the file of '\($0.name)'", $0.path) }
        return files.compactMap { option, noun, path in
            path.map { NamedFile(option: option, noun: noun, path: $0, isWritten: false) }
        }
    }
}

extension Snapshot {
    /// It is mapped while its guest runs, and so are those that it was written on top of. A new snapshot may take its own
    /// place, as a file of another content does, but not theirs, on which others are too.
    func refuseToBeOverwritten(
        _ configuration: Configuration, _ statistics: StatisticsTarget?
    ) throws(SnapshotError) {
        let noun = "the snapshot, or a file that it was written on top of"
        var files = paths.map { NamedFile(option: "SNAPSHOT", noun: noun, path: $0, isWritten: false) }
        files[0].isReplaceable = true
        files.append(NamedFile(option: "IMAGE", noun: "the guest's image", path: image, isWritten: false))
        if let conflict = configuration.overwriting(statistics, reading: files) {
            throw .unsupported("restore: \(conflict)")
        }
    }
}
