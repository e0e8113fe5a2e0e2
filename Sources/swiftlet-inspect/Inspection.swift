// All that `swiftlet inspect` finds out about a file, as one value: the table and the JSON are made from it.
//
// Three sources: the file's head (what kind), a survey of its ELF headers (what it claims), and the loader (whether and
// where it would run). Read next: Claims.swift, MemoryPlan.swift, InspectionText.swift.

import Backing
import Boot
import Host
import Snapshot
import Subcommand
import VMM

struct Inspection: Encodable, Equatable, Sendable {
    /// The path as given.
    var file: String
    /// Bytes.
    var size: UInt64
    /// `ImageKind`'s raw value.
    var kind: String
    var kindInWords: String
    /// Nil when it is no ELF.
    var elf: Claims?
    /// Nil when it is no bzImage.
    var linux: LinuxHeader?
    /// Nil when it is no snapshot, or one that cannot be opened.
    var snapshot: SnapshotDescription?
    /// Nil when it cannot be run.
    var memory: MemoryPlan?
    /// Nil when it cannot be run, and for a snapshot.
    var devices: [NeededDevice]?
    /// Whether `swiftlet run` takes it, or `swiftlet restore` a snapshot.
    var runnable: Bool
    /// The loader's message when it does not.
    var problem: String?

    init(
        _ file: borrowing InspectedFile, _ wishes: MemoryWishes, moduleSize: UInt64, boot method: BootMethod? = nil
    ) throws(SubcommandError) {
        let head = try file.head(32768)
        if head.starts(with: Snapshot.mark) {
            self.init(snapshot: file)
        } else {
            self.init(image: file, head, wishes, moduleSize: moduleSize, method)
        }
    }

    /// Whatever it is an image of, if of anything.
    private init(
        image file: borrowing InspectedFile, _ head: [UInt8], _ wishes: MemoryWishes, moduleSize: UInt64,
        _ method: BootMethod?
    ) {
        let survey = ELFSurvey(fd: file.file.fd, fileSize: file.size)
        let kind = survey?.kind ?? ImageKind.recognise(head: head)
        self.file = file.path
        size = file.size
        self.kind = kind.rawValue
        kindInWords = kind.words
        elf = survey.map(Claims.init)
        linux = LinuxHeader(head)
        do throws(MachineError) {
            let plan = try MemoryPlan(file, kind, method, wishes, moduleSize: moduleSize)
            // Other people's kernels declare none.
            if kind == .swiftlet || kind == .solo5 { devices = try NeededDevice.list(file) }
            memory = plan
        } catch { problem = error.messageWithoutPath }
        runnable = memory != nil
    }

    /// Opened as `swiftlet restore` opens it, and asked whether it is for this host.
    private init(snapshot file: borrowing InspectedFile) {
        (self.file, size, kind, kindInWords, runnable) = (
            file.path, file.size, "snapshot", "a snapshot of a guest", false
        )
        do throws(SnapshotError) {
            let opened = try Snapshot(file.path)
            snapshot = try opened.describe()
            try opened.checkThisHost()
            runnable = true
        } catch { problem = error.message }
    }
}

extension MachineError {
    /// The table names the file at its top.
    fileprivate var messageWithoutPath: String {
        if case .image(_, let error) = self { return error.message }
        return message
    }
}
