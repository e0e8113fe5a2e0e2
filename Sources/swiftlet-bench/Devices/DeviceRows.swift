// The rows of `swiftlet bench devices`: a disk and a tap by a guest's ring and by its calls, beside a Linux process that makes
// the same system calls itself, and one that has io_uring make them.
//
// A sample is the mean of a batch, because a ring has many operations under way: what one of them takes is not what it costs.
// Read next: DeviceGuest.swift, ReceivingGuest.swift.

/// What is done.
enum DeviceTask: String, CaseIterable {
    case blockRead = "block-read"
    case diskRead = "disk-read"
    case netSend = "net-send"
    case netReceive = "net-receive"

    var words: String {
        switch self {
        case .blockRead: "read of 4 KiB from the page cache"
        case .diskRead: "read of 4 KiB at random, past the page cache (O_DIRECT)"
        case .netSend: "frame of 1 KiB sent to a tap"
        case .netReceive: "frame of 1 KiB taken from a tap, where it waits"
        }
    }

    /// In a sample. Frames that wait must fit a tap's queue, which holds 1,000.
    var operations: Int { self == .netReceive ? 500 : 200 }

    var needsTap: Bool { self == .netSend || self == .netReceive }
}

/// Who does it.
enum DeviceSide: String, CaseIterable {
    /// One system call each, one after the other.
    case process
    case processUring = "process-uring"
    case ring, call

    /// Under way at once.
    static let depth = 32

    var note: String {
        switch self {
        case .process: "a Linux process, a system call each"
        case .processUring: "a Linux process with io_uring, \(Self.depth) under way"
        case .ring: "a guest's ring, \(Self.depth) under way; two threads"
        case .call: "a guest's calls, one after the other"
        }
    }
}

func deviceExperiments(_ equipment: Equipment) -> [any Experiment] {
    DeviceTask.allCases.flatMap { task in
        DeviceSide.allCases.compactMap { side in experiment(task, side, equipment) }
    }
}

/// Nil where there is no such thing: a guest's disk goes by the page cache.
private func experiment(_ task: DeviceTask, _ side: DeviceSide, _ equipment: Equipment) -> (any Experiment)? {
    let subject = Subject(task, side)
    switch side {
    case .process, .processUring: return DeviceProcess(subject, task, side, equipment)
    case .ring, .call:
        switch task {
        case .diskRead: return nil
        case .blockRead, .netSend: return DeviceGuest(subject, task, side, equipment)
        case .netReceive: return ReceivingGuest(subject, side, equipment)
        }
    }
}

extension Subject {
    fileprivate init(_ task: DeviceTask, _ side: DeviceSide) {
        let isGuest = side == .ring || side == .call
        self.init(.devices, task.rawValue, task.words, side.rawValue, isGuest ? .user : .host)
        operations = task.operations
        note = side.note
        if side != .process { beside = "devices/\(task.rawValue)/process" }
        hasFloor = false  // a bare KVM_RUN is no part of most
    }
}

/// benchmarks/devices: the same operations without a guest.
private struct DeviceProcess: Experiment {
    let subject: Subject
    let task: DeviceTask
    let side: DeviceSide
    let equipment: Equipment

    init(_ subject: Subject, _ task: DeviceTask, _ side: DeviceSide, _ equipment: Equipment) {
        (self.subject, self.task, self.side, self.equipment) = (subject, task, side, equipment)
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let workshop = equipment.workshop
        let program = CProgram(
            subject: subject, program: workshop.cProgram("devices"),
            arguments: try what + [side == .process ? "call" : "uring", "\(task.operations)"],
            most: DeviceGuest.samples, workshop: workshop)
        return try equipment.onBothCPUs { () throws(ExperimentError) in try program.measure(amount) }
    }

    private var what: [String] {
        get throws(ExperimentError) {
            switch task {
            case .blockRead: ["read", try equipment.workshop.disk(mebibytes: 4)]
            case .diskRead: ["read-direct", try equipment.workshop.disk(mebibytes: 256)]
            case .netSend: ["send"]
            case .netReceive: ["receive"]
            }
        }
    }
}
