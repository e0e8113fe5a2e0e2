// Memory slots: adding and deleting one, by its size, by how many there are, and by what the VM has already.
//
// Without a vCPU unless the row is about one, as when a machine is built. A VM for each repeat; where something was created
// that only the next change of a slot pays for, a VM for each sample. Read next: MapRows.swift.

import Host
import KVM
import Rig

struct SlotExperiment: Experiment {
    enum Operation: String {
        case add, delete
    }

    /// What the VM has before.
    enum Situation: Equatable {
        case nothing
        /// Slots of a page each.
        case slots(Int)
        case vcpu, splitIRQChip, irqchip, ioeventfd

        var name: String? {
            switch self {
            case .nothing: nil
            case .slots(let count): "\(count)-slots"
            case .vcpu: "vcpu"
            case .splitIRQChip: "split-irqchip"
            case .irqchip: "irqchip"
            case .ioeventfd: "ioeventfd"
            }
        }

        /// The first change of a slot after it is slow, and those that follow are not.
        var isPassing: Bool { self == .splitIRQChip || self == .irqchip || self == .ioeventfd }
    }

    var subject: Subject
    let operation: Operation
    let size: UInt64
    let situation: Situation

    init(_ operation: Operation, _ size: UInt64, _ situation: Situation = .nothing) {
        let after = situation.name.map { "-after-\($0)" } ?? ""
        subject = Subject(
            .memory, "slot-\(operation.rawValue)", "slot \(operation.rawValue) (KVM_SET_USER_MEMORY_REGION)",
            shortSize(size) + after, .kernel)
        subject.hasFloor = false
        if situation.isPassing { subject.note = "the first change of a slot after it was created" }
        self.operation = operation
        self.size = size
        self.situation = situation
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let kvm = try tryRig(try openKVM())
        let memory = try tryHost(try HostMapping(.anonymous, size: Int(size)))
        let event = try tryKVM(try EventFD())
        if situation.isPassing {
            return try series(amount.atMost(5).samples) { () throws(ExperimentError) in
                let vm = try tryKVM(try kvm.makeVM())
                if operation == .delete { try tryKVM(try vm.set(slot(memory, size))) }
                try prepare(vm, memory, event)
                return try time { () throws(ExperimentError) in
                    try tryKVM(try vm.set(slot(memory, operation == .add ? size : 0)))
                }
            }
        }
        let vm = try tryKVM(try kvm.makeVM())
        try prepare(vm, memory, event)
        let vcpu = try makeVCPU(kvm, vm)
        defer { withExtendedLifetime(vcpu) {} }
        return try series(amount.atMost(20).samples) { () throws(ExperimentError) in
            let added = try time { () throws(ExperimentError) in try tryKVM(try vm.set(slot(memory, size))) }
            let deleted = try time { () throws(ExperimentError) in try tryKVM(try vm.set(slot(memory, 0))) }
            return operation == .add ? added : deleted
        }
    }

    private func slot(_ memory: borrowing HostMapping, _ size: UInt64) -> MemorySlot {
        MemorySlot(index: 0, guestAddress: RigMap.tested, size: size, hostAddress: memory.address)
    }

    private func makeVCPU(_ kvm: borrowing KVM, _ vm: borrowing VM) throws(ExperimentError) -> VCPU? {
        situation == .vcpu ? try tryKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize())) : nil
    }

    private func prepare(
        _ vm: borrowing VM, _ memory: borrowing HostMapping, _ event: borrowing EventFD
    ) throws(ExperimentError) {
        switch situation {
        case .nothing, .vcpu: break
        case .slots(let count):
            for index in 0..<UInt64(count) {
                var page = slot(memory, 4096)
                page.index = UInt32(index + 1)
                page.guestAddress = index * 8192
                try tryKVM(try vm.set(page))
            }
        case .splitIRQChip: try tryKVM(try vm.enableSplitIRQChip())
        case .irqchip: try tryKVM(try vm.makeIRQChip())
        case .ioeventfd: try tryKVM(try vm.attach(event, to: .port(RigMap.port, size: 4)))
        }
    }
}

func slotExperiments(_ equipment: Equipment) -> [any Experiment] {
    var rows: [any Experiment] = []
    for operation in [SlotExperiment.Operation.add, .delete] {
        for size in [1 << 20, 64 << 20, 1 << 30] as [UInt64] {
            let arguments = ["slot-\(operation.rawValue)", "\(size)"]
            rows += equipment.mappingTwin(of: SlotExperiment(operation, size), arguments, atMost: 20)
        }
        let situations: [SlotExperiment.Situation] = [
            .slots(1), .slots(32), .slots(256), .vcpu, .splitIRQChip, .irqchip, .ioeventfd,
        ]
        for situation in situations { rows.append(SlotExperiment(operation, 1 << 20, situation)) }
    }
    return rows
}

/// "64m", for ids.
func shortSize(_ bytes: UInt64) -> String {
    bytes >= 1 << 30 ? "\(bytes >> 30)g" : bytes >= 1 << 20 ? "\(bytes >> 20)m" : "\(bytes >> 10)k"
}
