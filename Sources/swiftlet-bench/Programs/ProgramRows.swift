// Rows of `bench exits` that run whole programs: Swiftlet and its C twin with the same guest, and QEMU with the test rig's.
//
// The rig tells what an exit costs at least; these tell what it costs where guests really run, in the sandbox and outside. Read next: GuestSamples.swift,
// QEMUExits.swift.

import Rig

/// In the order of the table; each stands beside another row that does the same.
func programExperiments(_ equipment: Equipment) -> [any Experiment] {
    let workshop = equipment.workshop
    func pair(_ name: String, _ make: (Workshop.Host, Subject) -> GuestSamples) -> [any Experiment] {
        [Workshop.Host.swiftlet, .twin].map { host in
            var row = make(host, Subject(.exits, name, "", host.rawValue, .user))
            if host == .swiftlet { row.subject.beside = "exits/\(name)/twin" }
            return row
        }
    }
    return [unconfinedPoll(workshop)] + pair("call-poll") { GuestSamples(pollingBy: $0, workshop, $1) }
        + pair("timer-call") { GuestSamples(timerBy: $0, workshop, $1) }
        + ["port-write", "port-read", "mmio-write"].map { QEMUExits($0, equipment) }
}

/// What the sandbox costs an exit: beside the same call inside it.
private func unconfinedPoll(_ workshop: Workshop) -> any Experiment {
    var row = GuestSamples(
        pollingBy: .unconfined, workshop, Subject(.exits, "call-poll", "", Workshop.Host.unconfined.rawValue, .user))
    row.subject.beside = "exits/call-poll/swiftlet"
    return row
}

extension GuestSamples {
    /// The cheapest call: POLL with a deadline that has passed.
    fileprivate init(pollingBy host: Workshop.Host, _ workshop: Workshop, _ subject: Subject) {
        self.init(workshop, host, subject, guest: "ports", word: "cycles", arguments: ["samples"])
        self.subject.what = "call (POLL) of a whole program"
        self.subject.note = "guest ports; in it are the way out, the program's handler and the way back"
    }

    /// The guest's one timer, by the call TIMER.
    fileprivate init(timerBy host: Workshop.Host, _ workshop: Workshop, _ subject: Subject) {
        self.init(workshop, host, subject, guest: "timer-lateness", word: "lateness", arguments: [])
        self.subject.what = "timer lateness (call TIMER)"
        self.subject.note = "guest timer-lateness, of 100 us; from the deadline to the handler in C"
        self.subject.hasFloor = false  // as of the rig's timers
        divisor = 10
    }
}
