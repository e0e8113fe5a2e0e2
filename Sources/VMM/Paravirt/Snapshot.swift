// The snapshot call: the guest says that it is ready to be saved. docs/ABI.md, "snapshot".
//
// The machine pauses here; whoever runs it saves it (Snapshot/Saving.swift) and puts the result into the call page, of
// the file's guest and of this one. Read next: ../Stop.swift.

import CABI

extension VCPUContext {
    mutating func snapshot() -> Action {
        answer(swiftlet_snapshot(result: Int64(SWIFTLET_SNAPSHOT_NONE)))
        if !platform.takesSnapshots { return .resume }
        // Where another vCPU has the machine pause already, this one's call is made again behind it.
        if platform.inTurn({ isPausing() }), isStopped() { return .stop }
        return end(.paused(byGuest: true))
    }
}
