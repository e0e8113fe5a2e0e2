// Dirty logging: what it costs to switch it on, to write to a protected page, to read the log and to clear it.
//
// Read next: DirtyRingRows.swift.

import Host
import KVM
import Rig

struct DirtyLogExperiment: Experiment {
    enum Operation: Equatable {
        case enable, enableInitiallySet, disable
        /// The guest's first write to a page after it was protected.
        case write
        /// So many pages were written. By `manual`, reading does not protect them again.
        case read(pages: Int, isManual: Bool)
        case clear(pages: Int)
    }

    var subject: Subject
    let operation: Operation
    let images: ExitImages

    init(_ images: ExitImages, _ operation: Operation, _ name: String, _ what: String, _ variant: String) {
        subject = Subject(.memory, name, what, variant, .kernel)
        subject.hasFloor = operation == .write
        self.operation = operation
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        switch operation {
        case .enable: try switching(amount, nil, on: true)
        case .enableInitiallySet: try switching(amount, .manualInitiallySet, on: true)
        case .disable: try switching(amount, nil, on: false)
        case .write: try writing(amount)
        case .read(let pages, let isManual): try reading(amount, pages, isManual ? .manual : nil, timesClear: false)
        case .clear(let pages): try reading(amount, pages, .manual, timesClear: true)
        }
    }

    private func rig(_ protection: DirtyLogProtection?, isLogging: Bool) throws(ExperimentError) -> LoggedRig {
        let machine = try LoggedRig(images, isLogging: isLogging) { plan in plan.dirtyLogProtection = protection }
        if protection != nil, machine.rig.vm.capability(Capability.dirtyLogProtect.number) == 0 {
            throw .unavailable("this KVM has no KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 (Linux 5.0)")
        }
        return machine
    }

    /// All pages are mapped and writable before each switch.
    private func switching(
        _ amount: Amount, _ protection: DirtyLogProtection?, on isTimedOn: Bool
    ) throws(ExperimentError) -> Samples {
        let machine = try rig(protection, isLogging: false)
        return try series(amount.atMost(10).samples) { () throws(ExperimentError) in
            try machine.touch(LoggedRig.pages / 2, shift: 13)
            let on = try time { () throws(ExperimentError) in try machine.setLogging(true) }
            let off = try time { () throws(ExperimentError) in try machine.setLogging(false) }
            return isTimedOn ? on : off
        }
    }

    private func writing(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(1000)
        let machine = try rig(nil, isLogging: true)
        var bitmap = DirtyBitmap(pages: LoggedRig.pages)
        try machine.touch(amount.total)
        try machine.readLog(&bitmap, expecting: amount.total)
        let samples = try machine.touch(amount.total)
        try machine.readLog(&bitmap, expecting: amount.total)
        return Samples(total: Array(samples.total.dropFirst(amount.warmUps)))
    }

    private func reading(
        _ amount: Amount, _ pages: Int, _ protection: DirtyLogProtection?, timesClear: Bool
    ) throws(ExperimentError) -> Samples {
        let machine = try rig(protection, isLogging: true)
        let shift = (LoggedRig.size / max(pages, 1)).trailingZeroBitCount
        var bitmap = DirtyBitmap(pages: LoggedRig.pages)
        return try series(amount.atMost(20).samples) { () throws(ExperimentError) in
            if pages > 0 { try machine.touch(pages, shift: shift) }
            let read = try time { () throws(ExperimentError) in try machine.readLog(&bitmap, expecting: pages) }
            if protection == nil { return read }
            let clear = try time { () throws(ExperimentError) in
                try tryKVM(try machine.rig.vm.clearDirtyLog(slot: RigMap.firstSlot, bitmap))
            }
            return timesClear ? clear : read
        }
    }
}

func dirtyLogExperiments(_ images: ExitImages) -> [any Experiment] {
    func row(_ operation: DirtyLogExperiment.Operation, _ name: String, _ what: String, _ variant: String)
        -> any Experiment
    {
        DirtyLogExperiment(images, operation, name, what, variant)
    }
    let read = "read the dirty log of 16 MiB (KVM_GET_DIRTY_LOG)"
    return [
        row(.enable, "dirty-log-enable", "switch dirty logging on for 16 MiB", "16m"),
        row(.enableInitiallySet, "dirty-log-enable", "switch dirty logging on for 16 MiB", "16m-initially-set"),
        row(.disable, "dirty-log-disable", "switch dirty logging off for 16 MiB", "16m"),
        row(.write, "dirty-log-write", "write to a page whose writes are logged", "ring3"),
        row(.read(pages: 0, isManual: false), "dirty-log-read", read, "no-pages"),
        row(.read(pages: 16, isManual: false), "dirty-log-read", read, "16-pages"),
        row(.read(pages: 2048, isManual: false), "dirty-log-read", read, "2048-pages"),
        row(.read(pages: 2048, isManual: true), "dirty-log-read", read, "2048-pages-manual"),
        row(.clear(pages: 16), "dirty-log-clear", "clear the dirty log of 16 MiB (KVM_CLEAR_DIRTY_LOG)", "16-pages"),
        row(
            .clear(pages: 2048), "dirty-log-clear", "clear the dirty log of 16 MiB (KVM_CLEAR_DIRTY_LOG)", "2048-pages"),
    ]
}
