// The report: what `--json` writes and `bench compare`, `submit` and `page` read. docs/bench-schema.json describes it.
//
// Other programs can rely on it: fields are added, a change of meaning raises the version. A field that is added is optional
// here, or reports from before cannot be read. Version 1 is `bench promises --json`'s, another object. Read next: ReportRow.swift.

import Host
import Measure
import Subcommand

struct Report: Codable, Equatable, Sendable {
    static let format = "swiftlet-bench-report"
    static let version = 2

    var format = Self.format
    var version = Self.version
    var environment: Environment
    var method: MethodRecord
    var rows: [ReportRow]

    /// The same that `--json` wrote.
    init(json: [UInt8], name: String) throws(SubcommandError) {
        let head = try JSON.value(Head.self, json, name: name)
        guard head.format == Self.format, head.version == Self.version else {
            throw SubcommandError("\(name): not a report of version \(Self.version) by 'swiftlet bench'")
        }
        self = try JSON.value(Self.self, json, name: name)
        if let row = rows.first(where: { !$0.isSound }) {
            throw SubcommandError("\(name): \(row.id): no measurement has such figures")
        }
    }

    init(environment: Environment, method: MethodRecord, rows: [ReportRow]) {
        self.environment = environment
        self.method = method
        self.rows = rows
    }

    private struct Head: Decodable {
        var format: String?
        var version: Int?
    }

    /// What belongs on every table and picture: what kind of host this was, what disturbed it, what the report is not.
    /// Worked out from the rest: what `method.warnings` says is for other programs, and anybody can edit a file.
    var warnings: [String] { method.warnings(environment) }

    /// Rows that should have worked.
    var failed: [ReportRow] { rows.filter { $0.failed != nil } }

    /// "2 rows failed: ID, ID"; nil when none did.
    var failure: String? {
        let ids = failed.map(\.id)
        if ids.isEmpty { return nil }
        return "\(ids.count) row\(ids.count == 1 ? "" : "s") failed: \(printable(ids.joined(separator: ", ")))"
    }

    /// What a picture must not be shown without.
    var stamps: [String] { environment.stamps + method.stamps }

    /// In one line under a picture: where and when.
    var origin: String {
        let versions = environment.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let parts = [environment.cpu, "Linux \(environment.kernel)", environment.kvm, method.started] + versions
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

/// How it was measured.
struct MethodRecord: Codable, Equatable, Sendable {
    /// Such as "2026-11-25T17:33:50Z".
    var started: String
    /// How long it took.
    var seconds: Double
    /// The measuring thread's, and that of the second thread of rows that have one.
    var cpu: Int
    var otherCpu: Int?
    /// As asked for; a row may have fewer (`medians`) in a partial report.
    var repeats: Int
    var samples: Int
    var warmUps: Int
    /// Nanoseconds: by how much two readings of the TSC in a row differ. No time is known better.
    var clockStep: Double
    /// Made with --quick: not for publication.
    var isQuick: Bool
    /// Ended by a signal: some rows have fewer repeats, or none.
    var isPartial: Bool
    /// Of the measuring program; nil in reports from before it was told.
    var build: Build?
    /// What `--only` asked for; nil for all rows.
    var only: [String]?
    var noise: Noise?
    /// In words, for people: of the environment, the noise and the method.
    var warnings: [String] = []

    fileprivate var stamps: [String] {
        (isQuick ? ["quick: not for publication"] : [])
            + (build == .debug ? ["debug build: not for publication"] : [])
            + (isPartial ? ["partial: it was stopped before all repeats were done"] : [])
    }

    /// The warnings that all of that asks for.
    func warnings(_ environment: Environment) -> [String] {
        var list = environment.warnings + (noise?.warnings ?? []) + stamps
        if repeats < 6 {
            list.append("\(repeats) repeats: too few for a confidence interval; shown is where they all lie")
        }
        return list
    }
}

/// How a program was compiled.
enum Build: String, Codable, Sendable {
    case release, debug

    static var own: Build {
        #if DEBUG
            .debug
        #else
            .release
        #endif
    }
}

/// "2026-11-25T17:33:50Z", of seconds since 1970. The calendar is Howard Hinnant's days-to-civil algorithm.
func timestamp(_ seconds: Int64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400)
    let shifted = days + 719_468  // days since 0000-03-01
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let part = (5 * dayOfYear + 2) / 153
    let (day, month) = (dayOfYear - (153 * part + 2) / 5 + 1, part < 10 ? part + 3 : part - 9)
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year)-\(two(month))-\(two(day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
}
