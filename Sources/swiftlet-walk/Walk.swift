// `swiftlet walk`: how an address of a guest that was saved, or that crashed, is translated: every table, every bit.
//
// Of a guest that runs, a debugger's `monitor walk ADDRESS` shows the same (docs/gdb.md). Read next: WalkSource.swift.

import ArgumentParser
import Host
import Subcommand
import VMM
import X86

@main
struct Walk: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "walk",
        abstract: "Show how a guest's address is translated, level by level, and which accesses would fault, and why.",
        usage: "[--vcpu N] [--root ADDRESS] [--as RING] [--json] [--svg FILE] FILE [ADDRESS...]",
        discussion: """
            FILE is a snapshot (swiftlet run --snapshot) or a core (swiftlet run --core). An ADDRESS is a number, such as 0x40000, \
            or rip, rsp or cr2; without one those are shown that the guest was about.

            Exit status: 0 all of the addresses are mapped; 1 one is not; 125 an error: the file cannot be read, or a wrong \
            option.

            docs/walk.md explains what is shown.
            """)

    @Option(
        help: ArgumentHelp(
            "Of several vCPUs the one whose registers are meant (default: the first, or the one that crashed).",
            valueName: "n"))
    var vcpu: String?

    @Option(
        help: ArgumentHelp("The first table instead of the one that CR3 names.", valueName: "address"))
    var root: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Whose accesses are judged: user or supervisor (default: the ring it was in).", valueName: "ring"))
    var ring: String?

    @Flag(help: "One JSON object on standard output, for scripts.")
    var json = false

    @Option(
        help: ArgumentHelp("Draw the walk of the first address there.", valueName: "file"), completion: .file())
    var svg: String?

    @Argument(help: ArgumentHelp("A snapshot or a core.", valueName: "file"), completion: .file())
    var file: String

    @Argument(help: ArgumentHelp("Guest-virtual addresses.", valueName: "address"))
    var addresses: [String] = []

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        let source = try openSource(file, vcpu: vcpuNumber())
        var paging = source.paging
        if let root { paging.cr3 = try number(root, "--root") }
        let isUser = try isUser(source)
        var reports: [WalkReport] = []
        for place in try places(source) {
            let walk = ExplainedWalk(place.address, paging) { source.word($0, $1) }
            let host = walk.page.flatMap { source.host($0.physical) }
            reports.append(WalkReport(walk, name: place.name, source.map, isUser: isUser, host: host))
        }
        if let svg, let first = reports.first { try draw(first, svg) }
        let notes = root == nil ? source.remarks : []
        if json {
            try printResult(try JSON.text(WalkDescription(file, reports, notes)))
        } else {
            let parts = reports.map { $0.lines.joined(separator: "\n") + "\n" }
            try printResult((notes.map { $0 + "\n" } + parts).joined(separator: "\n"))
        }
        return reports.allSatisfy { $0.walk.page != nil } ? 0 : 1
    }

    private func vcpuNumber() throws(SubcommandError) -> Int? {
        guard let vcpu else { return nil }
        if let number = Int(vcpu), (0..<Configuration.mostCPUs).contains(number) { return number }
        throw SubcommandError(
            "walk: --vcpu '\(printable(vcpu))': a number from 0 to \(Configuration.mostCPUs - 1): "
                + "try 'swiftlet walk --help'")
    }

    private func isUser(_ source: any WalkSource) throws(SubcommandError) -> Bool {
        switch ring {
        case nil: return source.isUser
        case "user": return true
        case "supervisor": return false
        case let other?:
            throw SubcommandError("walk: --as '\(printable(other))': user or supervisor: try 'swiftlet walk --help'")
        }
    }

    private func places(_ source: any WalkSource) throws(SubcommandError) -> [(name: String?, address: UInt64)] {
        let registers = source.registers
        if addresses.isEmpty {
            return registers.filter { $0.name != "cr2" || $0.value != 0 }.map { ($0.name, $0.value) }
        }
        var list: [(String?, UInt64)] = []
        for text in addresses {
            if let register = registers.first(where: { $0.name == text }) {
                list.append((text, register.value))
            } else {
                list.append((nil, try number(text, "ADDRESS")))
            }
        }
        return list
    }

    private func number(_ text: String, _ what: String) throws(SubcommandError) -> UInt64 {
        let value = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        if let value { return value }
        let names = what == "ADDRESS" ? ", or rip, rsp, cr2" : ""
        throw SubcommandError(
            "walk: \(what) '\(printable(text))': a number, such as 0x40000\(names): try 'swiftlet walk --help'")
    }

    private func draw(_ report: WalkReport, _ path: String) throws(SubcommandError) {
        do throws(MachineError) {
            let file = try openForWriting(path)
            if !writeText(WalkDrawing(report).document, to: file.fd) {
                throw .host(HostError("write", path, errno: 28))
            }
        } catch { throw SubcommandError(printable(error.message)) }
    }
}
