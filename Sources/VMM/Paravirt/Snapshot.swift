// The snapshot call: the guest says that it is ready to be saved. docs/ABI.md, "snapshot".
//
// The machine pauses here; whoever runs it saves it (Snapshot/Saving.swift) and puts the result into the call page, of
// the file's guest and of this one. Read next: ../Stop.swift.

import CABI

extension VCPUContext {
    mutating func snapshot() -> Action {
        answer(swiftlet_snapshot(result: Int64(SWIFTLET_SNAPSHOT_NONE)))
        return platform.takesSnapshots ? end(.paused(byGuest: true)) : .resume
    }
}
