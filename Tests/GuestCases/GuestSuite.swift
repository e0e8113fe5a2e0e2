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
        let folders = paths(matching: "\(guests)/*/expect") + paths(matching: "\(guests)/*/main.*")
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
