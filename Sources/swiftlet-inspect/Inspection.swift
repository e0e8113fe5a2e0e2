// All that `swiftlet inspect` finds out about a file, as one value: the table and the JSON are made from it.
//
// Three sources: the file's head (what kind), a survey of its ELF headers (what it claims), and the loader (whether and
// where it would run). Read next: Claims.swift, MemoryPlan.swift, InspectionText.swift.

import Boot
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
    /// Nil when it cannot be run.
    var memory: MemoryPlan?
    /// Whether `swiftlet run` takes it.
    var runnable: Bool
    /// The loader's message when it does not.
    var problem: String?

    init(_ file: borrowing InspectedFile, memorySize: UInt64, moduleSize: UInt64) throws(SubcommandError) {
        let head = try file.head(32768)
        let survey = ELFSurvey(fd: file.file.fd, fileSize: file.size)
        let kind = survey?.kind ?? ImageKind.recognise(head: head)
        self.file = file.path
        size = file.size
        self.kind = kind.rawValue
        kindInWords = kind.words
        elf = survey.map(Claims.init)
        linux = LinuxHeader(head)
        do throws(MachineError) {
            memory = try MemoryPlan(file, memorySize: memorySize, moduleSize: moduleSize)
        } catch { problem = error.messageWithoutPath }
        runnable = memory != nil
    }
}

extension MachineError {
    /// The table names the file at its top.
    fileprivate var messageWithoutPath: String {
        if case .image(_, let error) = self { return error.message }
        return message
    }
}
