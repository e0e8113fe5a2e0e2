// All cases of all guests: every guests/NAME/expect, and the guests that have none.
//
// Read next: Tests/GuestTests/GuestCaseTests.swift and Sources/swiftlet-check.

import Glibc
import Host

/// The cases in a folder of guests.
public struct GuestSuite: Sendable {
    public private(set) var cases: [GuestCase] = []
    /// What keeps the suite from being whole, as "FILE:LINE: MESSAGE": none may be passed over in silence.
    public private(set) var problems: [String] = []

    /// Reads the cases of the guests with these names, or of all.
    public init(guests: String, only names: [String] = []) {
        let folders = match("\(guests)/*/expect") + match("\(guests)/*/main.*")
        let found = Set(folders.compactMap { $0.split(separator: "/").dropLast().last.map(String.init) })
        if found.isEmpty { problems.append("\(guests): no guest here") }
        for name in names where !found.contains(name) { problems.append("\(guests)/\(name): no such guest") }
        for name in found.sorted() where names.isEmpty || names.contains(name) {
            read("\(guests)/\(name)/expect", guest: name)
        }
    }

    private mutating func read(_ path: String, guest: String) {
        do throws(HostError) {
            let file = try File.regular(path)
            let bytes = try file.read(at: 0, Int(clamping: try file.size()))
            do throws(ExpectError) {
                cases += try parseExpectFile(String(decoding: bytes, as: UTF8.self), guest: guest)
            } catch {
                problems.append("\(path):\(error.line): \(error.message)")
            }
        } catch {
            problems.append("\(path): \(errnoText(error.errno))")
        }
    }
}

/// The paths that a glob(7) pattern matches.
private func match(_ pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    if unsafe glob(pattern, 0, nil, &found) != 0 { return [] }
    return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
        guard let path = unsafe found.gl_pathv[index] else { return nil }
        return unsafe String(cString: path)
    }
}
