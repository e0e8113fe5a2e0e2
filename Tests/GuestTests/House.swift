// What the guest tests share: where the house's programs and guests lie, and how they end.
//
// Guests are booted by bin/swiftlet as `make build` left it, not by code linked into the tests: what is tested is what
// is shipped. Read next: GuestCaseTests.swift.

import Foundation
import GuestCases
import Testing

enum House {
    static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    static let bench = Bench(
        swiftlet: ProcessInfo.processInfo.environment["SWIFTLET_BIN"] ?? root + "/bin/swiftlet",
        guests: root + "/guests", images: root + "/guests/build")

    /// The path of a guest's image.
    static func image(_ guest: String) -> String { bench.image(of: guest) }

    /// Starts `swiftlet run` with these arguments.
    static func run(
        _ arguments: [String], input: ChildInput = .null, output: ChildOutput = .captured
    ) throws -> Child {
        try Child(bench.swiftlet, ["run"] + arguments, input: input, output: output)
    }
}

extension Ending {
    var errorText: String { String(decoding: error, as: UTF8.self) }
    var outputText: String { String(decoding: output, as: UTF8.self) }
    var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Swiftlet's own refusal: status 125, one line on standard error, nothing on standard output.
    func isRefusal(mentioning text: String = "") -> Bool {
        how == .exited(125) && output.isEmpty && errorText.hasPrefix("swiftlet: ") && errorText.hasSuffix("\n")
            && errorText.filter { $0 == "\n" }.count == 1 && error.contains(text: text)
    }
}

/// All that boots guests, one at a time: times are measured, and two cores are all there are.
@Suite(.serialized) enum GuestTests {}
