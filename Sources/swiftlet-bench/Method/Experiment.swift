// An experiment: one thing that is measured, one row of the report. The session asks it for samples, repeat by repeat.
//
// What a host cannot do is a row too: `unavailable`, with the reason. Read next: Attempts.swift.

import KVM
import Measure
import Rig

/// The parts of `swiftlet bench all`.
enum Group: String, Codable, CaseIterable, Sendable {
    case exits, memory, devices, startup
}

/// Who answers the operation.
enum Place: String, Codable, Sendable {
    /// The guest alone: no exit.
    case guest
    /// KVM, or the hardware below it.
    case kernel
    /// A program in user space: an exit from KVM_RUN.
    case user
    /// The host alone: no guest runs.
    case host
}

/// What a row is about.
struct Subject: Sendable {
    /// Unique and stable, by which reports are compared: "exits/port-write/ring3".
    var id: String
    var group: Group
    /// "port write (OUT)".
    var what: String
    /// "ring3", "ring0", "real", a backing, a size: what sets rows of the same `what` apart.
    var variant: String
    var place: Place
    var unit = Unit.nanoseconds
    /// Operations in a sample: above 1 only where the clock does not resolve one, for a batch hides the tail.
    var operations = 1
    /// What a reader must know of this row alone.
    var note: String?
    /// The id of a row that does the same another way (the C twin, QEMU), measured beside this one in every repeat.
    var beside: String?
    /// Compared with the bare KVM_RUN. Not where that would say nothing, such as a bandwidth.
    var hasFloor = true

    init(_ group: Group, _ name: String, _ what: String, _ variant: String, _ place: Place) {
        id = "\(group.rawValue)/\(name)/\(variant)"
        self.group = group
        self.what = what
        self.variant = variant
        self.place = place
    }
}

enum Unit: String, Codable, Sendable {
    case nanoseconds = "ns"
    /// Higher is better.
    case mebibytesPerSecond = "MiB/s"
    case count
    case kibibytes = "KiB"
}

/// Which stretch of an operation a sample is of.
enum PartName: String, Codable, CaseIterable, Sendable {
    case total
    /// From the guest's stamp before the operation to KVM_RUN's return.
    case toHost = "guest-to-host"
    /// From KVM_RUN's return to the next KVM_RUN: the VMM.
    case handler
    /// From KVM_RUN's call to the guest's stamp behind the operation.
    case toGuest = "host-to-guest"
    /// Of a reset: the guest's run before it, what it takes to find what the guest has written, and to put it back.
    case run
    case find
    case putBack = "put-back"
}

/// What one repeat found.
struct Samples: Sendable {
    var parts: [(name: PartName, values: [Double])]
    /// What was seen while they were taken and a reader must know; the row keeps the first repeat's.
    var note: String?
    /// How often they were taken again because some had failed.
    var repetitions = 0

    init(total: [Double]) { parts = [(.total, total)] }
    init(parts: [(name: PartName, values: [Double])]) { self.parts = parts }

    var total: [Double] { parts.first?.values ?? [] }
}

/// Why there are no samples.
enum ExperimentError: Error, Sendable {
    /// This host cannot do that, and why.
    case unavailable(String)
    /// It should have worked.
    case failed(String)

    init(_ error: RigError) {
        switch error {
        case .machine(.kvm(let error)) where error.isRefusal: self.init(error)
        case .machine(let error): self = .failed(error.message)
        case .timedOut: self = .unavailable("no exit within the time limit: this KVM spins in it")
        case .failed(let error): self = .failed("\(error.request): errno \(error.errno)")
        case .unexpected(let exit): self = .unavailable(Self.reason(exit))
        }
    }

    /// An exit that the guest did not ask for. An exception that it does not handle is an OUT on a port below 32
    /// (X86/Descriptors.swift, Stub).
    private static func reason(_ exit: Exit) -> String {
        switch exit {
        case .portWrite(let port, _, 1, _) where port < 32: "\(exceptionName(port)) (vector \(port)) in the guest"
        case .internalError(let suberror):
            "this KVM cannot emulate an instruction of it (KVM_EXIT_INTERNAL_ERROR, suberror \(suberror))"
        case .failEntry(let reason):
            "the CPU refused to enter the guest (KVM_EXIT_FAIL_ENTRY, 0x\(String(reason, radix: 16)))"
        case .shutdown: "a triple fault in the guest"
        default: "this KVM answers with another exit: \(exit)"
        }
    }

    /// The manual's mnemonic (Intel SDM vol. 3A, table 6-1).
    private static func exceptionName(_ vector: UInt16) -> String {
        let names = [
            "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "exception", "#TS", "#NP", "#SS", "#GP",
            "#PF",
            "exception", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
        ]
        return names.indices.contains(Int(vector)) ? names[Int(vector)] : "exception"
    }
}

/// How much to take in one repeat.
struct Amount: Sendable {
    /// Samples that count.
    var samples: Int
    /// Samples before them, thrown away.
    var warmUps: Int

    /// Which repeat it is, from 0. Rows that share what they measure share that of one repeat.
    var turn = 0

    var total: Int { warmUps + samples }

    /// For operations that are slow by nature: the part of it, at least one.
    func divided(by part: Int) -> Amount {
        with(samples: max(1, samples / part), warmUps: warmUps / part)
    }

    /// No more than there is room for, warm-ups and samples together; at most a tenth of the room is for warm-ups.
    func fitting(_ capacity: Int) -> Amount {
        if total <= capacity { return self }
        let warmUps = min(warmUps, capacity / 10)
        return with(samples: min(samples, capacity - warmUps), warmUps: warmUps)
    }

    /// For what is slow.
    func atMost(_ samples: Int) -> Amount {
        with(samples: min(self.samples, samples), warmUps: min(warmUps, max(1, samples / 10)))
    }

    private func with(samples: Int, warmUps: Int) -> Amount { Amount(samples: samples, warmUps: warmUps, turn: turn) }
}

protocol Experiment {
    var subject: Subject { get }
    /// One repeat. Each must end by itself: at most some seconds.
    func measure(_ amount: Amount) throws(ExperimentError) -> Samples
}
