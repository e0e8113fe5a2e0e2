// The rows of `swiftlet bench exits`.
//
// Read next: Memory/.

import KVM
import Rig

/// All of them, in the order of the table.
func exitExperiments(_ equipment: Equipment) -> [any Experiment] {
    let images = equipment.images
    var rows: [any Experiment] = []
    for mode in CPUMode.allCases {
        rows.append(RigExperiment(images, "clock", "nothing: two time stamps", mode, .guest))
        var portWrite = RigExperiment(images, "port-write", "port write (OUT)", mode, .user)
        portWrite.answer = { exit, _ in exit.isWrite(to: RigMap.port) }
        rows.append(portWrite)
    }
    return rows
}

extension Exit {
    /// An OUT of four bytes to that port.
    func isWrite(to port: UInt16) -> Bool {
        if case .portWrite(port, 4, 1, _) = self { true } else { false }
    }
}
