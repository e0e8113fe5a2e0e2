// Copies of what is started cold, taken out of the page cache before each run.
//
// Copies, because the page cache remembers how a file came into it: a program that was read by page faults starts slower
// than the same bytes written by a linker or `install` (docs/measuring.md), and the repeated rows are about the latter. A
// copy has no name: it is gone when we are. Read next: StartPhases.swift.

import Host

final class ColdCopies {
    /// A file that is owned by a dictionary.
    private final class Copy {
        let file: File
        init(_ file: consuming File) { self.file = file }
    }

    private let workshop: Workshop
    private var copies: [String: Copy] = [:]

    init(_ workshop: Workshop) { self.workshop = workshop }

    /// The same command, of copies that are in no page cache.
    func evicted(_ command: Command) throws(ExperimentError) -> Command {
        let copied = try copied(command)
        try evict(command.program)
        for image in images(command) { try evict(image) }
        return copied
    }

    /// The same command, of copies: made once.
    func copied(_ command: Command) throws(ExperimentError) -> Command {
        try workshop.require(command.program)
        let images = images(command)
        var arguments: [String] = []
        for argument in command.arguments {
            arguments.append(images.contains(argument) ? try copy(of: argument).file.pathForOthers : argument)
        }
        return (try copy(of: command.program).file.pathForOthers, arguments)
    }

    private func images(_ command: Command) -> [String] { command.arguments.filter { $0.hasSuffix(".elf") } }

    private func copy(of path: String) throws(ExperimentError) -> Copy {
        if let copy = copies[path] { return copy }
        let copy = Copy(try tryHost(try File.copy(of: path)))
        copies[path] = copy
        return copy
    }

    private func evict(_ path: String) throws(ExperimentError) {
        let copy = try copy(of: path)
        let pages = try tryHost(try copy.file.dropFromPageCache())
        if pages.cached > pages.all / 10 {
            throw .unavailable(
                "\(pages.cached) of \(pages.all) pages of a copy of \(path) stay in the page cache: is /var/tmp memory?"
            )
        }
    }
}
