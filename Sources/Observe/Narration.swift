// A run that is told on standard error, for people who watch: `--step`, and `--explain` in slow motion.
//
// Two tell it: the main thread the instructions, while the guest stands still (Debugger/Narration), and the vCPUs' threads the
// exits (TraceFile.swift). Here is what they share: the pace, and whether a line still waits for its end. Read next: TraceWords.swift.

import Host
import Synchronization

public final class Narration: Sendable {
    private struct State: Sendable {
        var pace: Pace?
        var isInLine = false
        var isSilent = false
        /// Instructions set the pace, not exits.
        var isStepping = false
    }

    private let state: Mutex<State>

    /// Without a pace nobody waits.
    public init(_ pace: Pace? = nil) { state = Mutex(State(pace: pace)) }

    /// A line was written whose end is still to come.
    public func beganLine() { state.withLock { $0.isInLine = true } }

    /// Whether a line waits for its end, which the caller writes.
    public func endsLine() -> Bool {
        state.withLock { state in
            defer { state.isInLine = false }
            return state.isInLine
        }
    }

    public var isSilent: Bool { state.withLock { $0.isSilent } }

    /// Exits are not told any more.
    public func fallSilent() { state.withLock { $0.isSilent = true } }

    public func setStepping(_ isStepping: Bool) { state.withLock { $0.isStepping = isStepping } }

    /// Nobody looks at the keys any more: so nobody waits for one.
    public func dropPace() { state.withLock { $0.pace = nil } }

    public var isPaused: Bool { state.withLock { $0.pace?.isPaused ?? false } }

    public func take(_ key: UInt8) -> Pace.Wish? { state.withLock { $0.pace?.take(key) } }

    /// How long to rest behind a line, in nanoseconds; nil until something happens.
    public func rest() -> UInt64? {
        state.withLock { state in
            guard let pace = state.pace else { return 0 }
            if state.pace?.goesOn() == false { return nil }
            return pace.isPaused ? 0 : pace.interval
        }
    }

    /// On a vCPU's thread, behind a line about an exit; a stop or a pause ends it.
    func rest(until stop: Int32) {
        if state.withLock({ $0.isStepping || $0.pace == nil }) { return }
        let time = rest()
        if time != 0 { _ = wait(for: WaitFor(stop), nanoseconds: time) }
    }
}
