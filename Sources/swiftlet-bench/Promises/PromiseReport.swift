// All findings, with the host they were made on.
//
// Read next: Start.swift.

import Measure

struct PromiseReport: Encodable {
    /// Of the JSON object; fields are only ever added.
    var version = 1
    let environment: Environment
    var findings: [Finding] = []

    init(environment: Environment) { self.environment = environment }

    /// No promise was found to be broken.
    var isKept: Bool { count(.missed) == 0 }

    private func count(_ verdict: Finding.Promise.Verdict) -> Int { findings.count { $0.promise?.verdict == verdict } }

    /// The environment, and what it means for the figures.
    var heading: String {
        environment.summary + "\n" + environment.warnings.map { "note: \($0)\n" }.joined() + "\n"
    }

    var verdict: String {
        let parts = [(Finding.Promise.Verdict.kept, "kept"), (.undecided, "undecided"), (.missed, "NOT KEPT")].filter {
            count($0.0) > 0
        }
        return "promises: " + parts.map { "\(count($0.0)) \($0.1)" }.joined(separator: ", ") + "\n"
    }
}
