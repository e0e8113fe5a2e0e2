// Guests that only compute, against the same code as a Linux process: what running as a guest costs when nothing exits.
//
// Both print the TSC cycles of their work, so that starting up does not count. Read next: Handler.swift.

import Subcommand

extension Promises {
    func native(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let limit = 1.05
        var findings: [Finding] = []
        for guest in ["primes", "avx", "walk"] {
            let contest = try Contest(
                pairs: repeats ?? 20, limit: limit,
                subject: { () throws(SubcommandError) in
                    try workshop.number("cycles", of: workshop.command(.swiftlet, guest, []))
                },
                reference: { () throws(SubcommandError) in
                    try workshop.number("cycles", of: ("\(workshop.guests)/native/\(guest)", []))
                })
            findings.append(
                Finding(
                    "native", "\(guest), its work", unit: "TSC cycles", contest, sides: ("guest", "process"),
                    limit: limit))
        }
        return findings
    }
}
