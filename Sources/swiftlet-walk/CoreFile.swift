// A core as the source of a walk: its note says how the vCPU translated, its own program headers hold physical memory.
//
// The file is hostile: every offset is checked against it before a read. Read next: WalkJSON.swift.

import Boot
import Host
import Subcommand
import VMM
import X86

final class CoreFile: WalkSource {
    private let path: String
    private let file: File
    private let note: CoreNote
    /// Physical memory, and where in the file it begins.
    private let memory: [(range: Range<UInt64>, offset: UInt64)]

    /// Nil when it is no core of ours, or has no such vCPU.
    init?(_ path: String, _ file: consuming File, _ size: UInt64, vcpu: Int?) {
        guard let survey = ELFSurvey(fd: file.fd, fileSize: size), let note = Self.note(survey, vcpu) else {
            return nil
        }
        (self.path, self.note) = (path, note)
        memory = survey.headers.filter { $0.type == CoreNote.physicalMemory }.compactMap { header in
            let (end, wraps) = header.physicalAddress.addingReportingOverflow(header.fileSize)
            guard !wraps, header.offset <= size, header.fileSize <= size - header.offset else { return nil }
            return (header.physicalAddress..<end, header.offset)
        }
        self.file = file
    }

    private static func note(_ survey: ELFSurvey, _ vcpu: Int?) -> CoreNote? {
        for note in survey.notes where note.owner == CoreNote.owner && note.type == CoreNote.type {
            let bytes = note.descriptor
            let words = stride(from: 0, to: bytes.count & ~7, by: 8).map { number(bytes[$0..<$0 + 8]) }
            if let note = CoreNote(words: words), note.vcpu == vcpu ?? note.vcpu { return note }
        }
        return nil
    }

    /// When the registers are lost, as the guest began.
    var paging: PagingState { usesFirstRoot ? .ring3(root: note.firstRoot) : note.paging }
    var isUser: Bool { usesFirstRoot || note.isUser }
    var registers: [(name: String, value: UInt64)] { [("rip", note.rip), ("rsp", note.rsp), ("cr2", note.cr2)] }
    var map: MachineMap { note.map }

    private var usesFirstRoot: Bool { note.registersAreLost && note.firstRoot != 0 }

    var remarks: [String] {
        guard note.registersAreLost else { return [] }
        let how = usesFirstRoot ? "walked are the tables that the guest started with" : "so there is nothing to walk by"
        return ["the triple fault has cost the registers their values on this core's host: \(how)"]
    }

    func word(_ address: UInt64, _ size: UInt64) -> UInt64? {
        guard let offset = offset(of: address), let bytes = try? file.read(at: offset, Int(size)) else { return nil }
        return bytes.count == Int(size) ? number(bytes) : nil
    }

    func host(_ physical: UInt64) -> String? {
        offset(of: physical).map { "\(printable(path)) at \(hex($0))" }
    }

    private func offset(of physical: UInt64) -> UInt64? {
        memory.first { $0.range.contains(physical) }.map { $0.offset + (physical - $0.range.lowerBound) }
    }
}
