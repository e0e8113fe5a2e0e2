// Which files a run writes and which it reads: none of them may be another's, or the run would destroy what it was given.
//
// It is asked before any file is opened, for a trace is emptied by being opened. Read next: Host/Paths.swift.

import Host

/// A file of the command line.
private struct NamedFile {
    /// As an error calls it: an option for what only is written, else what it is.
    let option: String
    let noun: String?
    let path: String
    let isWritten: Bool
}

extension RunOptions {
    func refuseToOverwrite() throws(UsageError) {
        let files = written + disks + read
        guard files.contains(where: \.isWritten) else { return }
        var known: [(file: NamedFile, identity: PathTarget)] = []
        for file in files {
            guard let identity = PathTarget(file.path) else { continue }
            for other in known where other.identity == identity && (other.file.isWritten || file.isWritten) {
                throw UsageError(conflict(other.file, file))
            }
            known.append((file, identity))
        }
    }

    private func conflict(_ one: NamedFile, _ other: NamedFile) -> String {
        let (writer, victim) = one.isWritten ? (one, other) : (other, one)
        if let noun = victim.noun, victim.option != writer.option { return "\(writer.option) would overwrite \(noun)" }
        if let noun = one.noun, let same = other.noun { return "\(noun) and \(same) are one file" }
        return "\(writer.option) and \(victim.option) would overwrite each other"
    }

    private var written: [NamedFile] {
        let paths = [
            ("--snapshot", configuration.snapshot), ("--backing", configuration.backing.path),
            ("--core", configuration.core), ("--trace", configuration.observation.trace),
            ("--profile", configuration.observation.profile), ("--stats", statistics?.path),
        ]
        return paths.compactMap { option, path in
            guard let path, path != "-" else { return nil }
            return NamedFile(option: option, noun: nil, path: path, isWritten: true)
        }
    }

    private var disks: [NamedFile] {
        configuration.devices.blocks.map {
            NamedFile(option: "--block", noun: "the disk '\($0.name)'", path: $0.path, isWritten: !$0.isReadOnly)
        }
    }

    private var read: [NamedFile] {
        let kernel = configuration.kernel
        let modules = (configuration.module.map { [$0] } ?? []) + kernel.modules.map(\.0)
        return [NamedFile(option: "IMAGE", noun: "the image", path: configuration.image, isWritten: false)]
            + modules.map { NamedFile(option: "--module", noun: "the module '\($0)'", path: $0, isWritten: false) }
            + (kernel.initialDisk.map { [$0] } ?? []).map {
                NamedFile(option: "--initrd", noun: "the initial RAM disk", path: $0, isWritten: false)
            }
    }
}
