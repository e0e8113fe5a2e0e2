// Reports of hosts that do not exist.
//
// Read next: ReportTests.swift.

import Foundation
import Measure
import Testing

@testable import Subcommand
@testable import swiftlet_bench

extension Subject {
    static func port(_ variant: String = "ring3", _ change: (inout Subject) -> Void = { _ in }) -> Subject {
        var subject = Subject(.exits, "port-write", "port write (OUT)", variant, .user)
        change(&subject)
        return subject
    }
}

extension Row {
    /// Ten repeats of a hundred samples around each of ten medians; the floor is 1000 beside each.
    static func invented(_ subject: Subject, medians: [Double], floor: Double = 1000) -> Row {
        var row = Row(subject)
        for median in medians {
            let total = (0..<101).map { median + Double($0 - 50) }
            var samples = Samples(total: total)
            samples.parts.append((.handler, total.map { $0 / 100 }))
            row.add(samples, floor: subject.hasFloor ? floor : nil)
        }
        return row
    }
}

extension Report {
    static func invented(_ rows: [Row], _ change: (inout Report) -> Void = { _ in }) -> Report {
        let files = [
            "/proc/cpuinfo": "processor : 0\nmodel name : Example 3000\nmicrocode : 0x42\nflags : fpu\n",
            "/sys/class/misc/kvm/dev": "10:232", "/proc/loadavg": "0.10 0 0 1/1 1",
        ]
        let host = HostFiles(text: { files[$0] }, paths: { $0 == "/sys/module/kvm_*" ? ["/sys/module/kvm_soft"] : [] })
        let method = MethodRecord(
            started: "2026-11-25T17:33:50Z", seconds: 12, cpu: 1, repeats: 10, samples: 101, warmUps: 10, clockStep: 10,
            isQuick: false,
            isPartial: false, build: .release)
        var report = Report(Environment(versions: ["swiftlet": "0.1.0"], host), method, rows)
        change(&report)
        return report
    }
}

/// A file of the repository.
func repositoryFile(_ path: String) throws -> Data {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    return try Data(contentsOf: URL(fileURLWithPath: "/\(root)/\(path)"))
}

/// A folder of the test's own, removed when `body` is done.
func inScratchFolder(_ body: (String) throws -> Void) throws {
    let folder = "\(NSTemporaryDirectory())/swiftlet-bench-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}
