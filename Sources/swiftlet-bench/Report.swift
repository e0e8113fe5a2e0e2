// All findings, with the host they were made on.
//
// Read next: Startup.swift.

import Measure

struct Report: Encodable {
    /// Of the JSON object; fields are only ever added.
    var version = 1
    let environment: Environment
    var findings: [Finding] = []

    init(environment: Environment) { self.environment = environment }

    var isKept: Bool { findings.allSatisfy { $0.promise?.isKept ?? true } }

    /// The environment, and what it means for the figures.
    var heading: String {
        environment.summary + "\n" + environment.warnings.map { "note: \($0)\n" }.joined() + "\n"
    }

    var verdict: String {
        let promises = findings.compactMap(\.promise)
        let missed = promises.count { !$0.isKept }
        if missed == 0 { return "all \(promises.count) promises kept\n" }
        return "\(missed) of \(promises.count) promises not kept\n"
    }
}
