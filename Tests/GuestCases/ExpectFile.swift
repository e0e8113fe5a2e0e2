// The expect file of a guest: one directive a line, # starts a comment line.
//
//     case TITLE        starts a case                    stdin TEXT      typed on the console (default: /dev/null)
//     run ARGUMENTS     of `swiftlet run`, split at      stdout-is TEXT  standard output is exactly this
//                       spaces (default: {image})        stdout TEXT     ... contains this (repeatable)
//     status N          of exit, 0-255; required         stderr TEXT     standard error contains this (repeatable)
//     disk BYTES        a new file of as many zeros
//
// TEXT has the escapes \n \t \\ \xNN. In ARGUMENTS, {image} is the guest's image, {images} the folder of all images,
// {dir} the guest's folder, {disk} that file.
// Read next: EscapedText.swift, then CaseRun.swift, which carries a case out.

/// What is wrong with an expect file, and where.
public struct ExpectError: Error, Equatable {
    public let line: Int
    public let message: String
}

/// The cases that the text of an expect file describes.
public func parseExpectFile(_ text: String, guest: String) throws(ExpectError) -> [GuestCase] {
    var parser = ExpectParser(guest: guest)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        try parser.take(line, number: index + 1)
    }
    return try parser.finish()
}

private struct ExpectParser {
    let guest: String
    var cases: [GuestCase] = []
    var current: GuestCase?
    /// Directives seen in the current case: all but stdout and stderr stand once.
    var seen: Set<Substring> = []
    var number = 0

    mutating func take(_ line: Substring, number: Int) throws(ExpectError) {
        self.number = number
        let line = line.drop { $0 == " " }
        if line.isEmpty || line.first == "#" { return }
        if line.last == " " { throw error("a space ends the line, where nobody sees it: write \\x20") }
        let directive = line.prefix { $0 != " " }
        let value = line.dropFirst(directive.count + 1)
        if directive == "case" { return try startCase(String(value)) }
        guard var into = current else { throw error("\(directive) stands before the first case") }
        if !["stdout", "stderr"].contains(directive), !seen.insert(directive).inserted {
            throw error("a second \(directive) in one case")
        }
        try apply(directive, value, to: &into)
        current = into
    }

    private func apply(_ directive: Substring, _ value: Substring, to into: inout GuestCase) throws(ExpectError) {
        switch directive {
        case "run": into.arguments = value.split(separator: " ").map(String.init)
        case "status": into.status = try status(value)
        case "disk":
            guard let size = UInt64(value), size <= 1 << 30 else {
                throw error("disk takes a number of bytes, up to 1 GiB")
            }
            into.diskSize = size
        case "stdin": into.input = try text(value)
        case "stdout-is": into.exactOutput = try text(value)
        case "stdout": into.output.append(try text(value, empty: false))
        case "stderr": into.error.append(try text(value, empty: false))
        default: throw error("unknown directive: \(directive)")
        }
    }

    private mutating func startCase(_ title: String) throws(ExpectError) {
        try endCase()
        if title.isEmpty { throw error("a case needs a title") }
        if cases.contains(where: { $0.title == title }) { throw error("a second case with this title: \(title)") }
        current = GuestCase(guest: guest, title: title, line: number)
        seen = []
    }

    private mutating func endCase() throws(ExpectError) {
        guard let done = current else { return }
        if !seen.contains("status") { throw ExpectError(line: done.line, message: "the case has no status") }
        cases.append(done)
        current = nil
    }

    mutating func finish() throws(ExpectError) -> [GuestCase] {
        try endCase()
        if cases.isEmpty { throw ExpectError(line: 1, message: "the file has no case") }
        return cases
    }

    private func status(_ value: Substring) throws(ExpectError) -> Int32 {
        guard let status = UInt8(value) else { throw error("status takes a number from 0 to 255") }
        return Int32(status)
    }

    private func text(_ value: Substring, empty: Bool = true) throws(ExpectError) -> [UInt8] {
        if value.isEmpty && !empty { throw error("any text contains the empty text") }
        guard let bytes = unescape(value) else { throw error("the escapes are \\n \\t \\\\ \\xNN") }
        return bytes
    }

    private func error(_ message: String) -> ExpectError { ExpectError(line: number, message: message) }
}
