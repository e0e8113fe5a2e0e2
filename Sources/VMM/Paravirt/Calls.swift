// The call table: from a call's number to the service that answers it.
//
// One file for each service in this folder, one struct for each call in CABI/swiftlet_calls.h, one section for each in
// docs/ABI.md. Read next: any service; ConsoleWrite.swift is a good first.

import CABI

extension VCPUContext {
    @inline(__always)
    mutating func call(_ number: Int32) -> Action {
        switch number {
        case SWIFTLET_CALL_EXIT: return exit()
        case SWIFTLET_CALL_CONSOLE_WRITE: return consoleWrite()
        case SWIFTLET_CALL_CONSOLE_READ: return consoleRead()
        case SWIFTLET_CALL_WALL_TIME: return wallTime()
        case SWIFTLET_CALL_POLL: return poll()
        case SWIFTLET_CALL_COMMIT: return commit()
        case SWIFTLET_CALL_ENTROPY: return entropy()
        case SWIFTLET_CALL_LOG: return log()
        case SWIFTLET_CALL_HANDLER: return handler()
        case SWIFTLET_CALL_TIMER: return armTimer()
        case SWIFTLET_CALL_FAULT_ADDRESS: return .readFaultAddress
        case SWIFTLET_CALL_RECLAIM: return reclaim()
        case SWIFTLET_CALL_GROW: return grow()
        case SWIFTLET_CALL_SNAPSHOT: return snapshot()
        default: return deviceCall(number)
        }
    }
}
