// Start-up: a whole run of the guest `hello`, from exec to exit, with standard output to /dev/null.
//
// What a user waits for: loading the program, building the machine, running the guest, tearing all of it down.
// Read next: Restore.swift.

import Subcommand

extension Promises {
    func startup(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let limit = 1.15
        for host in [Workshop.Host.swiftlet, .twin] { try workshop.checkGreeting(host) }
        let contest = try Contest(
            pairs: repeats ?? 200, limit: limit,
            subject: { () throws(SubcommandError) in try workshop.time(workshop.command(.swiftlet, "hello", [])) },
            reference: { () throws(SubcommandError) in try workshop.time(workshop.command(.twin, "hello", [])) })
        return [Finding("startup", "exec to exit of hello", unit: "us", scale: 1e-3, contest, limit: limit)]
    }
}
