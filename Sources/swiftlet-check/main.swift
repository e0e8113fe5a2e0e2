// `swiftlet check`: runs guests' cases (guests/NAME/expect) and says what differs; for guest authors and for the labs.
//
// It is static, needs nothing but swiftlet and the guests' folder, and so runs inside a lab's VM as it is.
// Read next: Tests/GuestCases/ExpectFile.swift, lab/test.sh.

import Glibc
import GuestCases
import Host

let options = CheckOptions(CommandLine.arguments.dropFirst())
let suite = GuestSuite(guests: options.bench.guests, only: options.names)
for problem in suite.problems { say("WRONG   \(problem)") }

var (count, failed) = (0, 0)
@MainActor func tell(_ name: String, _ failures: [String], nanoseconds: UInt64) {
    say("\(failures.isEmpty ? "ok      " : "FAILED  ")\(name) (\(nanoseconds / 1_000_000) ms)")
    for failure in failures {
        for line in failure.split(separator: "\n") { say("        \(line)") }
    }
    count += 1
    if !failures.isEmpty { failed += 1 }
}

for each in suite.cases {
    let result = each.run(on: options.bench)
    tell("\(each)", result.failures, nanoseconds: result.nanoseconds)
    if each.guest == CloneLives.guest {
        let start = Clock.monotonic()
        let failures = CloneLives.failures(options.bench)
        tell("\(each.guest): \(Life.all.count) lives of a clone", failures, nanoseconds: Clock.monotonic() - start)
    }
}
let problems = suite.problems.isEmpty ? "" : ", \(suite.problems.count) expect files wrong or missing"
say("\(count) cases, \(failed) failed\(problems)")
exit(failed == 0 && suite.problems.isEmpty && !suite.cases.isEmpty ? 0 : 1)

/// Each line at once, so that it is seen while the next case runs.
func say(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        writeText(printable(line) + "\n", to: STDOUT_FILENO)
    }
}
